/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A virtio-iommu device on the bench: made, negotiated with, and asked by requests as a driver would
 * put them together.
 */
#ifndef TESTS_VIRTIO_RIG_H
#define TESTS_VIRTIO_RIG_H

#include <doorward/viommu_listener.h>

#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Statuses, and what stands for a buffer that comes back with used length 0. */
enum rig_status {
	RIG_NOT_KNOWN = -1,
	RIG_OK,
	RIG_IOERR,
	RIG_UNSUPP,
	RIG_DEVERR,
	RIG_INVAL,
	RIG_RANGE,
	RIG_NOENT,
	RIG_FAULT,
	RIG_NOMEM,
};

#define RIG_BYPASS 0x1u /* ATTACH */
#define RIG_READ 0x1u	/* MAP */
#define RIG_WRITE 0x2u
#define RIG_MMIO 0x4u
#define RIG_RW (RIG_READ | RIG_WRITE)

/* Requests as they lie in memory (virtio 1.3, 5.13.6). */
struct rig_attach {
	uint8_t type, head[3];
	uint32_t domain, endpoint, flags;
	uint8_t reserved[4];
} __attribute__((packed));

struct rig_detach {
	uint8_t type, head[3];
	uint32_t domain, endpoint;
	uint8_t reserved[8];
} __attribute__((packed));

struct rig_map {
	uint8_t type, head[3];
	uint32_t domain;
	uint64_t virt_start, virt_end, phys_start;
	uint32_t flags;
} __attribute__((packed));

struct rig_unmap {
	uint8_t type, head[3];
	uint32_t domain;
	uint64_t virt_start, virt_end;
	uint8_t reserved[4];
} __attribute__((packed));

struct rig_probe {
	uint8_t type, head[3];
	uint32_t endpoint;
	uint8_t reserved[64];
} __attribute__((packed));

#define RIG_ANSWER 8192u
#define RIG_UNTOUCHED 0xa5 /* what answers are filled with before */

struct rig {
	struct ward_viommu *viommu;
	/* Of the last request. */
	int code;
	uint32_t written;
	uint8_t answer[RIG_ANSWER];
};

static inline struct ward_viommu_options rig_options(void)
{
	return (struct ward_viommu_options){ .size = sizeof(struct ward_viommu_options) };
}

/* Made, and nothing more; options may be NULL. */
static inline void rig_create(struct rig *rig, const struct ward_viommu_options *options)
{
	const struct ward_viommu_options defaults = rig_options();

	*rig = (struct rig){ .viommu = NULL };
	assert_int_equal(ward_viommu_create(options ? options : &defaults, &rig->viommu), 0);
}

static inline void rig_negotiate(struct rig *rig)
{
	assert_int_equal(ward_viommu_negotiate(rig->viommu, ward_viommu_features(rig->viommu)), 0);
}

/* The driver accepted all there is. */
static inline void rig_start(struct rig *rig, const struct ward_viommu_options *options)
{
	rig_create(rig, options);
	rig_negotiate(rig);
}

static inline void rig_finish(struct rig *rig)
{
	ward_viommu_destroy(rig->viommu);
	rig->viommu = NULL;
}

/* An endpoint without reserved regions and doorbells. */
static inline void rig_add(struct rig *rig, uint32_t endpoint)
{
	const struct ward_viommu_endpoint_options options = {
		.size = sizeof(options),
		.endpoint = endpoint,
	};
	struct ward_error error = { "" };
	int code = ward_viommu_endpoint_add(rig->viommu, &options, &error);

	if (code)
		fail_msg("endpoint %u: %d, %s", endpoint, code, error.text);
}

/* One request with room for an answer of so many bytes: its status, at the end of what was written. */
static inline enum rig_status rig_ask(struct rig *rig, const void *request, size_t size,
				      size_t room)
{
	/* Not written to; struct iovec has no const. */
	const struct iovec in = { (void *)(uintptr_t)request, size };
	const struct iovec out = { rig->answer, room };

	assert_true(room <= RIG_ANSWER);
	memset(rig->answer, RIG_UNTOUCHED, sizeof(rig->answer));
	rig->written = UINT32_MAX;
	rig->code = ward_viommu_handle(rig->viommu, &in, 1, &out, 1, &rig->written);
	assert_true(rig->written <= room);
	for (size_t i = rig->written; i < RIG_ANSWER; i++)
		assert_int_equal(rig->answer[i], RIG_UNTOUCHED);
	if (rig->written == 0)
		return RIG_NOT_KNOWN;
	assert_true(rig->written >= 4);
	for (uint32_t i = rig->written - 3; i < rig->written; i++)
		assert_int_equal(rig->answer[i], 0);
	assert_in_range(rig->answer[rig->written - 4], RIG_OK, RIG_NOMEM);
	return (enum rig_status)rig->answer[rig->written - 4];
}

static inline enum rig_status rig_attach(struct rig *rig, uint32_t domain, uint32_t endpoint,
					 uint32_t flags)
{
	const struct rig_attach request = {
		.type = 1,
		.domain = htole32(domain),
		.endpoint = htole32(endpoint),
		.flags = htole32(flags),
	};

	return rig_ask(rig, &request, sizeof(request), 4);
}

static inline enum rig_status rig_detach(struct rig *rig, uint32_t domain, uint32_t endpoint)
{
	const struct rig_detach request = {
		.type = 2,
		.domain = htole32(domain),
		.endpoint = htole32(endpoint),
	};

	return rig_ask(rig, &request, sizeof(request), 4);
}

static inline enum rig_status rig_map(struct rig *rig, uint32_t domain, uint64_t start,
				      uint64_t last, uint64_t target, uint32_t flags)
{
	const struct rig_map request = {
		.type = 3,
		.domain = htole32(domain),
		.virt_start = htole64(start),
		.virt_end = htole64(last),
		.phys_start = htole64(target),
		.flags = htole32(flags),
	};

	return rig_ask(rig, &request, sizeof(request), 4);
}

static inline enum rig_status rig_unmap(struct rig *rig, uint32_t domain, uint64_t start,
					uint64_t last)
{
	const struct rig_unmap request = {
		.type = 4,
		.domain = htole32(domain),
		.virt_start = htole64(start),
		.virt_end = htole64(last),
	};

	return rig_ask(rig, &request, sizeof(request), 4);
}

/* Properties are in rig->answer. */
static inline enum rig_status rig_probe(struct rig *rig, uint32_t endpoint, uint32_t probe_size)
{
	const struct rig_probe request = { .type = 5, .endpoint = htole32(endpoint) };

	return rig_ask(rig, &request, sizeof(request), probe_size + 4u);
}

/* The endpoint with this id, which is there. */
static inline struct ward_viommu_endpoint rig_endpoint(const struct rig *rig, uint32_t id)
{
	struct ward_viommu_endpoint endpoint = { .endpoint = 0 };

	assert_true(ward_viommu_endpoint_next(rig->viommu, id, &endpoint));
	assert_int_equal(endpoint.endpoint, id);
	return endpoint;
}

static inline enum ward_viommu_place_kind rig_place(const struct rig *rig, uint32_t id)
{
	return rig_endpoint(rig, id).place.kind;
}

static inline struct ward_viommu_info rig_info(const struct rig *rig)
{
	struct ward_viommu_info info;

	ward_viommu_info(rig->viommu, &info);
	return info;
}

/* Room for all that a guest's requests can change, as text. */
#define RIG_TEXT 8192u

__attribute__((format(printf, 2, 3))) static inline void rig_say(char *text, const char *format,
								 ...)
{
	size_t length = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + length, RIG_TEXT - length, format, arguments);
	va_end(arguments);
	assert_true(strlen(text) < RIG_TEXT - 1);
}

static inline void rig_say_mappings(const struct ward_space *space, char *text)
{
	struct ward_mapping mapping;
	uint64_t from = 0;

	while (ward_space_next(space, ward_iova(from), &mapping)) {
		rig_say(text, "\t0x%llx-0x%llx to 0x%llx access %u type %d\n",
			(unsigned long long)ward_iova_raw(mapping.start),
			(unsigned long long)ward_iova_raw(mapping.last),
			(unsigned long long)ward_target_raw(mapping.target), mapping.access,
			(int)mapping.type);
		if (ward_iova_raw(mapping.last) == UINT64_MAX)
			break;
		from = ward_iova_raw(mapping.last) + 1;
	}
}

/* What the device holds, to be compared before and after a request that must change nothing. */
static inline void rig_tell(const struct rig *rig, char ret_text[RIG_TEXT])
{
	struct ward_viommu_info info = rig_info(rig);
	struct ward_viommu_endpoint endpoint;
	uint8_t bypass;

	ward_viommu_config_read(rig->viommu, 36, &bypass, 1);
	ret_text[0] = 0;
	rig_say(ret_text,
		"broken %d, byte %u, bypass %d, negotiated %#x, %u domains, %llu mappings\n",
		info.broken, bypass, info.bypass, info.negotiated, info.domains,
		(unsigned long long)info.mappings);
	for (uint32_t id = 0; ward_viommu_endpoint_next(rig->viommu, id, &endpoint);
	     id = endpoint.endpoint + 1) {
		rig_say(ret_text, "%u%s: place %d, %s %u\n", endpoint.endpoint,
			endpoint.frozen ? " (frozen)" : "", (int)endpoint.place.kind,
			endpoint.place.attached ? "in" : "not in", endpoint.place.domain);
		if (endpoint.place.kind == WARD_VIOMMU_MAPPED)
			rig_say_mappings(endpoint.place.space, ret_text);
		if (endpoint.endpoint == UINT32_MAX)
			break;
	}
}

/* The request has this status, and changes nothing. what: for the message when it is otherwise. */
static inline void rig_refuses(struct rig *rig, const char *what, const void *request, size_t size,
			       enum rig_status status)
{
	char before[RIG_TEXT], after[RIG_TEXT];
	enum rig_status got;

	rig_tell(rig, before);
	got = rig_ask(rig, request, size, 4);
	rig_tell(rig, after);
	if (got != status)
		fail_msg("%s: status %d, not %d", what, (int)got, (int)status);
	if (strcmp(before, after))
		fail_msg("%s: it was\n%sand is\n%s", what, before, after);
}

/* Where a DMA of the endpoint leads, or UINT64_MAX: it faults. */
static inline uint64_t rig_leads(const struct rig *rig, uint32_t endpoint, uint64_t iova,
				 uint32_t access)
{
	struct ward_translation translation;

	if (ward_viommu_translate(rig->viommu, NULL, endpoint, ward_iova(iova), access,
				  &translation, NULL))
		return UINT64_MAX;
	return ward_target_raw(translation.target);
}

#endif
