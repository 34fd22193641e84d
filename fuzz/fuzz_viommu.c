// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A virtio-iommu device, whatever anybody does: an input is a kind of device and then steps of its guest
 * (requests, config writes, resets), of its monitor (hot-plug, faults, save and load) and of its
 * listeners, which fail when they like. Listeners have what the device has; no domain is without
 * endpoints; a blocked endpoint gets nowhere; mappings are as many as are found.
 */
#include <doorward/viommu_endpoint.h>

#define FOLLOWER_MAPPINGS 64u
#include "../tests/virtio/ask.h"
#include "../tests/virtio/follower.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 200u
#define FOLLOWERS 2u
#define ENDPOINTS 10u /* ids 0 to 8, and the last one */
#define MAPPINGS_MAX 60u
#define STREAM 16384u
#define WINDOW_START 0x80000u
#define WINDOW_LAST 0x8ffffu
#define DOORBELL 0x8000000u

/* Small numbers, that meet each other; see address() and the like for what they mean. */
struct step {
	uint8_t kind, domain, endpoint, flags;
	uint8_t start, count, target, more;
} __attribute__((packed));

enum {
	ATTACH,
	DETACH,
	MAP,
	UNMAP,
	PROBE,
	RAW,
	CONFIG,
	NEGOTIATE,
	RESET,
	PLUG,
	UNPLUG,
	FAULT,
	EVENT,
	FAIL,
	MIGRATE,
	DAMAGE,
	LOAD,
	KINDS,
};

struct input {
	const uint8_t *data;
	size_t size;
};

struct stream {
	uint8_t bytes[STREAM];
	size_t size, at;
};

struct world {
	struct ward_viommu *viommu;
	struct follower_plan plan;
	struct follower followers[FOLLOWERS];
	bool identity;
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void take(struct input *input, void *ret_bytes, size_t size)
{
	size_t there = size < input->size ? size : input->size;

	memset(ret_bytes, 0, size);
	memcpy(ret_bytes, input->data, there);
	input->data += there;
	input->size -= there;
}

static uint32_t endpoint_of(uint8_t letter)
{
	return letter % ENDPOINTS == ENDPOINTS - 1 ? UINT32_MAX : letter % ENDPOINTS;
}

static uint64_t address(uint8_t letter)
{
	static const uint64_t bases[] = { 0,	      0x40000,	   0x80000, DOORBELL,
					  0xfee00000, -0x40000ull, 0x10000, 0xffc0000 };

	return bases[letter >> 5] + (uint64_t)(letter & 31) * 0x2000;
}

static void make(struct world *world, const uint8_t kind[4])
{
	static const uint32_t features[] = { 0,	   0x77, 0x0f, 0x37, 0x3f, 0x44,
					     0x54, 0x7e, 0x7d, 0x04, 0x6c, 0x01 };
	static const struct ward_range inputs[] = {
		{ 0, 0 }, { 0x2000, 0xffffffff }, { 0, 0xffffffffffff }, { 0x80000000, 0xffffffff }
	};
	const struct ward_doorbell_frame frame = { { DOORBELL + 0x40, DOORBELL + 0x43 }, 1 };
	const struct ward_viommu_options options = {
		.size = sizeof(options),
		.features = features[kind[0] % 12],
		.flags = kind[1] & 3,
		.page_sizes = kind[1] & 4   ? -0x10000ull
			      : kind[1] & 8 ? 0x1000
					    : 0,
		.input = inputs[kind[2] & 3],
		.domain_first = kind[2] & 4 ? 1 : 0,
		.domain_last = kind[2] & 8 ? 4 : 0,
		.probe_size = (uint32_t)(kind[3] & 15) * 8,
		.frames = &frame,
		.frames_count = 1,
		.mappings_max = 1 + kind[3] % MAPPINGS_MAX,
		.endpoints_max = kind[2] & 16 ? 3 : 0,
		.events_max = kind[2] & 32 ? 2 : 0,
	};

	world->identity = options.flags & WARD_VIOMMU_IDENTITY;
	if (ward_viommu_create(&options, &world->viommu)) {
		world->viommu = NULL;
		return;
	}
	for (uint32_t i = 0; i < FOLLOWERS; i++) {
		world->followers[i] = (struct follower){ .viommu = world->viommu,
							 .plan = &world->plan,
							 .window = WARD_RANGE_EMPTY };
		if (world->identity)
			world->followers[i].window =
				(struct ward_range){ WINDOW_START, WINDOW_LAST };
		require(ward_viommu_listen(world->viommu, &follower_ops, &world->followers[i]) ==
			0);
	}
}

static void plug(struct world *world, uint32_t id, uint8_t kind)
{
	const struct ward_reserved reserved[] = {
		{ { 0x40000, 0x4ffff }, WARD_REGION_RESERVED },
		{ { WINDOW_START, WINDOW_LAST }, WARD_REGION_SW_MSI },
		{ { 0xfee00000, 0xfeefffff }, WARD_REGION_MSI },
	};
	const struct ward_viommu_endpoint_options options = {
		.size = sizeof(options),
		.endpoint = id,
		.msi = (enum ward_viommu_msi)(kind % 3),
		.frames = kind % 3 ? 1 : 0,
		.reserved = reserved,
		.reserved_count = kind >> 2 & 3,
		.identity = world->identity && kind & 16,
	};
	bool broken;
	struct ward_viommu_info info;
	int code;

	ward_viommu_info(world->viommu, &info);
	broken = info.broken;
	code = ward_viommu_endpoint_add(world->viommu, &options, NULL);
	require(!broken || code < 0);
}

static void unplug(struct world *world, uint32_t id)
{
	if (ward_viommu_endpoint_remove(world->viommu, id))
		return;
	for (uint32_t i = 0; i < FOLLOWERS; i++)
		follower_forget(&world->followers[i], id);
}

/* A request as it may come: any bytes, in two pieces, with any room for the answer. */
static void ask_raw(struct world *world, const struct step *step, struct input *input)
{
	uint8_t request[96], answer[640];
	size_t size = step->count % sizeof(request), cut = size ? step->start % size : 0;
	size_t room = (size_t)step->target * 3 % sizeof(answer);
	const struct iovec in[] = { { request, cut }, { request + cut, size - cut } };
	const struct iovec out[] = { { answer, room / 2 }, { answer + room / 2, room - room / 2 } };
	uint32_t written = 0;
	int code;

	take(input, request, size);
	if (step->flags & 1)
		request[0] = 1 + step->domain % 6;
	memset(answer, 0xa5, sizeof(answer));
	code = ward_viommu_handle(world->viommu, in, 2, out, 2, &written);
	require(code == 0 || code == -EIO);
	require(written <= room && (written == 0 || written >= 4));
	for (size_t i = written; i < sizeof(answer); i++)
		require(answer[i] == 0xa5);
	require(written == 0 || answer[written - 4] <= GUEST_NOMEM);
}

static void probe(struct world *world, uint32_t id)
{
	uint8_t request[72] = { 5 }, answer[640];
	const struct iovec in = { request, sizeof(request) }, out = { answer, sizeof(answer) };
	uint32_t endpoint = htole32(id), written;

	memcpy(request + 4, &endpoint, sizeof(endpoint));
	(void)ward_viommu_handle(world->viommu, &in, 1, &out, 1, &written);
}

static void ask_short(struct world *world, const struct step *step)
{
	uint64_t start = address(step->start), last = start + (step->count * 0x1000ull) - 1;
	uint64_t target = step->more & 1 ? start : address(step->target);
	struct ward_viommu *viommu = world->viommu;
	uint32_t endpoint = endpoint_of(step->endpoint), domain = step->domain & 7;
	int status;

	if (domain == 7)
		domain = UINT32_MAX;
	switch (step->kind % KINDS) {
	case ATTACH:
		status = guest_attach(viommu, domain, endpoint, step->flags & 7 ? 0 : GUEST_BYPASS);
		break;
	case DETACH:
		status = guest_detach(viommu, domain, endpoint);
		break;
	case MAP:
		status = guest_map(viommu, domain, start, last, target, step->flags & 15);
		break;
	default:
		status = guest_unmap(viommu, domain, start, step->count == 255 ? UINT64_MAX : last);
	}
	require(status >= 0);
}

static int write_stream(void *context, const void *bytes, size_t size)
{
	struct stream *stream = context;

	require(size <= STREAM - stream->size);
	memcpy(stream->bytes + stream->size, bytes, size);
	stream->size += size;
	return 0;
}

static int read_stream(void *context, void *ret_bytes, size_t size)
{
	struct stream *stream = context;

	if (size > stream->size - stream->at)
		return -EPIPE;
	memcpy(ret_bytes, stream->bytes + stream->at, size);
	stream->at += size;
	return 0;
}

static void save(struct world *world, struct stream *ret_stream)
{
	ret_stream->size = ret_stream->at = 0;
	require(ward_viommu_save(world->viommu, write_stream, ret_stream) == 0);
}

/* Whole, and then it is what was loaded; or as after a reset. */
static int load(struct world *world, struct stream *stream)
{
	static struct stream again;
	struct ward_viommu_info info;
	struct ward_error error = { "" };
	int code;

	ward_viommu_reset(world->viommu, false);
	ward_viommu_info(world->viommu, &info);
	code = ward_viommu_load(world->viommu, read_stream, stream, &error);
	if (info.broken) {
		require(code == -EBUSY);
		return code;
	}
	if (code == 0) {
		save(world, &again);
		/* Endpoints that the stream does not have may be here. */
		require(again.size >= stream->at);
		require(again.size != stream->at ||
			memcmp(again.bytes, stream->bytes, again.size) == 0);
		return 0;
	}
	require(error.text[0]);
	ward_viommu_info(world->viommu, &info);
	require(info.domains == 0 && info.mappings == 0 && info.negotiated == 0 &&
		info.events_waiting == 0);
	return code;
}

static void migrate(struct world *world, const struct step *step, struct input *input)
{
	static struct stream stream;
	struct ward_viommu_info info;
	unsigned long failures = world->plan.failures;
	int code;

	save(world, &stream);
	ward_viommu_info(world->viommu, &info);
	if (step->kind % KINDS == DAMAGE) {
		size_t at = (step->start | (size_t)step->count << 8) % stream.size;

		stream.bytes[at] ^= step->flags;
		if (step->more & 1)
			stream.size = at;
	} else if (step->kind % KINDS == LOAD) {
		/* Its beginning stays: what is read depends on it. */
		size_t at = (step->start | (size_t)step->count << 8) % stream.size;

		take(input, stream.bytes + at,
		     step->target < stream.size - at ? step->target : stream.size - at);
	}
	code = load(world, &stream);
	/* Without damage, and with listeners that agree, it comes back. */
	require(code == 0 || step->kind % KINDS != MIGRATE || world->plan.failures > failures);
}

static void fault(struct world *world, const struct step *step)
{
	static uint64_t now;
	const struct ward_fault what = {
		.reason = (enum ward_fault_reason)(step->flags % 9),
		.access = 1u << (step->more & 1),
		.iova = ward_iova(address(step->start)),
	};

	now += (uint64_t)step->count << 20;
	(void)ward_viommu_fault(world->viommu, endpoint_of(step->endpoint), &what, now);
}

static void event(struct world *world, const struct step *step)
{
	uint8_t bytes[32];
	const struct iovec buffer = { bytes, step->count % sizeof(bytes) };
	uint32_t written = 99;
	int code = ward_viommu_event(world->viommu, &buffer, 1, &written);

	require(code == 0 || code == -ENOENT || code == -ENOSPC);
	require(code || written == 24);
}

static void negotiate(struct world *world, const struct step *step)
{
	uint64_t offered = ward_viommu_features(world->viommu);

	(void)ward_viommu_negotiate(world->viommu,
				    step->more & 1 ? step->flags : offered & ~step->flags);
}

static void act(struct world *world, const struct step *step, struct input *input)
{
	static const int codes[] = { -EBUSY, -ENOMEM, -EFAULT, -EIO };

	switch (step->kind % KINDS) {
	case ATTACH:
	case DETACH:
	case MAP:
	case UNMAP:
		ask_short(world, step);
		break;
	case PROBE:
		probe(world, endpoint_of(step->endpoint));
		break;
	case RAW:
		ask_raw(world, step, input);
		break;
	case CONFIG:
		(void)ward_viommu_config_write(world->viommu, step->more & 1 ? step->start : 36,
					       &step->flags, step->more & 2 ? 2 : 1);
		break;
	case NEGOTIATE:
		negotiate(world, step);
		break;
	case RESET:
		ward_viommu_reset(world->viommu, step->flags & 1);
		break;
	case PLUG:
		plug(world, endpoint_of(step->endpoint), step->flags);
		break;
	case UNPLUG:
		unplug(world, endpoint_of(step->endpoint));
		break;
	case FAULT:
		fault(world, step);
		break;
	case EVENT:
		event(world, step);
		break;
	case FAIL:
		world->plan.fail_at = step->count ? world->plan.calls + step->count : 0;
		world->plan.on = step->flags & 1;
		world->plan.code = codes[step->more & 3];
		break;
	default:
		migrate(world, step, input);
	}
}

static uint64_t check_endpoint(const struct world *world, const struct ward_viommu_endpoint *e,
			       uint64_t iova)
{
	struct ward_translation translation;
	struct ward_mapping mapping;
	uint64_t from = 0, count = 0;
	int code = ward_viommu_translate(world->viommu, NULL, e->endpoint, ward_iova(iova),
					 WARD_WRITE, &translation, NULL);

	require(e->place.kind != WARD_VIOMMU_BLOCKED || code == -EFAULT);
	require(e->place.kind != WARD_VIOMMU_BYPASS ||
		(code == 0 && ward_target_raw(translation.target) == iova));
	require(!e->frozen || e->place.kind == WARD_VIOMMU_BLOCKED);
	if (e->place.kind != WARD_VIOMMU_MAPPED)
		return 0;
	while (ward_space_next(e->place.space, ward_iova(from), &mapping)) {
		count++;
		from = ward_iova_raw(mapping.last) + 1;
		if (from == 0)
			break;
	}
	return count;
}

static void check(struct world *world, uint64_t iova)
{
	uint32_t domains[FOLLOWER_ENDPOINTS], known = 0, endpoints = 0, frozen = 0;
	struct ward_viommu_endpoint e;
	struct ward_viommu_info info;
	uint64_t mappings = 0;
	bool all = true;

	for (uint64_t id = 0;
	     id <= UINT32_MAX && ward_viommu_endpoint_next(world->viommu, (uint32_t)id, &e);
	     id = (uint64_t)e.endpoint + 1) {
		uint64_t count = check_endpoint(world, &e, iova);
		uint32_t i = 0;

		endpoints++;
		frozen += e.frozen;
		/* Mappings of a domain all of whose endpoints are frozen are not seen here. */
		all = all && !(e.frozen && e.place.attached);
		while (e.place.attached && i < known && domains[i] != e.place.domain)
			i++;
		if (!e.place.attached || i < known)
			continue;
		domains[known++] = e.place.domain;
		mappings += count;
	}
	ward_viommu_info(world->viommu, &info);
	require(info.endpoints == endpoints && info.frozen == frozen && info.domains == known);
	require(info.mappings <= info.mappings_max && info.mappings <= info.mappings_peak);
	require(all ? info.mappings == mappings : info.mappings >= mappings);
	require(!frozen || info.broken);
	require(info.broken == (info.error.text[0] != 0));
	for (uint32_t i = 0; i < FOLLOWERS; i++)
		require(!follower_check(&world->followers[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	static struct world world;
	uint8_t kind[4];

	memset(&world, 0, sizeof(world));
	take(&input, kind, sizeof(kind));
	make(&world, kind);
	if (!world.viommu)
		return 0;
	for (unsigned int i = 0; i < STEPS_MAX && input.size >= sizeof(struct step); i++) {
		struct step step;

		take(&input, &step, sizeof(step));
		act(&world, &step, &input);
		check(&world, address(step.start));
	}
	ward_viommu_destroy(world.viommu);
	return 0;
}
