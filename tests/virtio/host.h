/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A host for shadows that fails when it is told to: a backend that keeps lists. Each of its calls can be
 * the one that fails; who breaks its contract ends the test.
 */
#ifndef TESTS_VIRTIO_HOST_H
#define TESTS_VIRTIO_HOST_H

#include <doorward/backend/interface.h>
#include <doorward/backend.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOST_DEVICES 4u

struct host_space {
	struct ward_mapping *mappings; /* as they came */
	size_t count, capacity;
};

struct host_device {
	struct host_space *space; /* NULL: blocked */
	bool open, lost;	  /* lost: blocked until it is detached */
};

enum host_call {
	HOST_SPACE,
	HOST_MAP,
	HOST_UNMAP,
	HOST_ATTACH,
	HOST_DETACH,
	HOST_RESET,
	HOST_CALLS,
};

static struct {
	uint64_t page_sizes, mappings_max, aperture_last;
	unsigned long calls[HOST_CALLS];
	/* The call that fails, counted down, or from which on all do; 0: none. */
	unsigned long fails_in;
	bool fails_on, failed;
	int error;
	/* Only of this kind; HOST_CALLS: any. */
	enum host_call fails_at;
	/* An attach that fails has lost the old space, too. */
	bool loses;
	struct host_device devices[HOST_DEVICES];
	struct ward_backend *backend;
} host;

static inline int host_call(enum host_call call)
{
	host.calls[call]++;
	if (!host.fails_in || (host.fails_at != HOST_CALLS && host.fails_at != call))
		return 0;
	if (host.fails_in > 1) {
		host.fails_in--;
		return 0;
	}
	if (!host.fails_on)
		host.fails_in = 0;
	host.failed = true;
	return host.error;
}

/* Of what changes nothing when it fails; EIO would say that it did (backend/interface.h). */
static inline int host_whole(int code)
{
	return code == -EIO ? -ENODEV : code;
}

static inline int host_map(void *backing, const struct ward_mapping *mapping)
{
	struct host_space *space = backing;
	int code = host_whole(host_call(HOST_MAP));

	if (code)
		return code;
	for (size_t i = 0; i < space->count && i < 64; i++)
		assert_true(space->mappings[i].last < mapping->start ||
			    mapping->last < space->mappings[i].start);
	if (space->count == space->capacity) {
		space->capacity = space->capacity ? 2 * space->capacity : 16;
		space->mappings =
			realloc(space->mappings, space->capacity * sizeof(*space->mappings));
		assert_non_null(space->mappings);
	}
	space->mappings[space->count++] = *mapping;
	return 0;
}

static inline int host_unmap(void *backing, struct ward_range range, bool split)
{
	struct host_space *space = backing;
	size_t kept = 0;
	int code = host_call(HOST_UNMAP);

	if (code)
		return code;
	assert_false(split);
	for (size_t i = 0; i < space->count; i++) {
		const struct ward_range mapped = { ward_iova_raw(space->mappings[i].start),
						   ward_iova_raw(space->mappings[i].last) };

		if (!ward_range_overlaps(mapped, range)) {
			space->mappings[kept++] = space->mappings[i];
			continue;
		}
		/* No host mapping is ever cut. */
		assert_true(range.start <= mapped.start && mapped.last <= range.last);
	}
	assert_true(kept < space->count);
	space->count = kept;
	return 0;
}

static inline void host_space_destroy(void *backing)
{
	struct host_space *space = backing;

	for (unsigned int i = 0; i < HOST_DEVICES; i++)
		assert_ptr_not_equal(host.devices[i].space, space);
	free(space->mappings);
	free(space);
}

static const struct ward_space_ops host_space_ops = {
	.map = host_map,
	.unmap = host_unmap,
	.destroy = host_space_destroy,
};

static inline int host_space(void *context, struct ward_space_options *options)
{
	struct host_space *space;
	int code = host_call(HOST_SPACE);

	(void)context;
	if (code)
		return code;
	space = calloc(1, sizeof(*space));
	assert_non_null(space);
	options->page_sizes = host.page_sizes;
	options->aperture.last = host.aperture_last;
	options->mappings_max = host.mappings_max;
	options->ops = &host_space_ops;
	options->backing = space;
	return 0;
}

static inline int host_attach(void *context, ward_pasid_t pasid, struct ward_space *space)
{
	struct host_device *device = context;
	struct ward_space_info info;
	int code = host_call(HOST_ATTACH);

	(void)pasid;
	assert_false(device->lost);
	if (code && host.loses && device->space) {
		device->space = NULL;
		device->lost = true;
		return -EIO;
	}
	if (code)
		return host_whole(code);
	ward_space_info(space, &info);
	device->space = info.backing;
	return 0;
}

static inline int host_detach(void *context, ward_pasid_t pasid)
{
	struct host_device *device = context;
	int code = host_call(HOST_DETACH);

	(void)pasid;
	if (code)
		return code;
	device->space = NULL;
	device->lost = false;
	return 0;
}

static inline int host_reset(void *context)
{
	(void)context;
	return host_call(HOST_RESET);
}

static inline int host_info(void *context, struct ward_device_info *ret_info)
{
	(void)context;
	(void)ret_info;
	return 0;
}

static inline int host_read(void *context, uint32_t region, uint64_t offset, void *ret_bytes,
			    size_t size)
{
	(void)context, (void)region, (void)offset, (void)ret_bytes, (void)size;
	return -EIO;
}

static inline int host_write(void *context, uint32_t region, uint64_t offset, const void *bytes,
			     size_t size)
{
	(void)context, (void)region, (void)offset, (void)bytes, (void)size;
	return -EIO;
}

static inline void host_close(void *context)
{
	struct host_device *device = context;

	*device = (struct host_device){ 0 };
}

static const struct ward_device_ops host_device_ops = {
	.attach = host_attach,
	.detach = host_detach,
	.reset = host_reset,
	.info = host_info,
	.read = host_read,
	.write = host_write,
	.close = host_close,
};

static inline int host_open(void *context, const char *name, const struct ward_device_ops **ret_ops,
			    void **ret_device)
{
	unsigned int index = (unsigned int)(name[0] - '0');

	(void)context;
	assert_true(index < HOST_DEVICES && !host.devices[index].open);
	host.devices[index].open = true;
	*ret_ops = &host_device_ops;
	*ret_device = &host.devices[index];
	return 0;
}

static inline void host_destroy(void *context)
{
	(void)context;
}

static const struct ward_backend_ops host_ops = {
	.name = "host",
	.space = host_space,
	.open = host_open,
	.destroy = host_destroy,
};

/* As a common x86 one with VFIO, but for the limit. */
static inline void host_start(void)
{
	host.page_sizes = 0x40201000;
	host.aperture_last = (UINT64_C(1) << 39) - 1;
	host.mappings_max = 65535;
	host.error = -EIO;
	host.fails_at = HOST_CALLS;
	assert_int_equal(ward_backend_create(&host_ops, NULL, &host.backend), 0);
}

static inline void host_end(void)
{
	ward_backend_destroy(host.backend);
	for (unsigned int i = 0; i < sizeof(host); i++)
		((unsigned char *)&host)[i] = 0;
}

#endif
