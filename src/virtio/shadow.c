// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "virtio/shadow.h"

#include "base/error.h"
#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct shadow_function *functions_of(const struct ward_shadow *shadow)
{
	return shadow->functions;
}

/* Index of the first function whose endpoint is not below. */
static size_t lookup(const struct ward_shadow *shadow, uint32_t endpoint)
{
	size_t low = 0, high = shadow->functions_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (functions_of(shadow)[middle].endpoint < endpoint)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct shadow_function *ward_shadow_find(const struct ward_shadow *shadow, uint32_t endpoint)
{
	size_t index = lookup(shadow, endpoint);

	if (index == shadow->functions_count || functions_of(shadow)[index].endpoint != endpoint)
		return NULL;
	return functions_of(shadow) + index;
}

static int on_move(void *context, uint32_t endpoint, const struct ward_viommu_place *from,
		   const struct ward_viommu_place *to)
{
	struct shadow_function *function = ward_shadow_find(context, endpoint);

	/* Where it comes from is known better here: it may have been frozen. */
	(void)from;
	return function ? ward_shadow_move(context, function, to) : 0;
}

static int on_map(void *context, uint32_t domain, const struct ward_mapping *mapping)
{
	struct shadow_space *space = ward_shadow_domain(context, domain);

	return space ? ward_shadow_map(context, space, mapping) : 0;
}

static int on_unmap(void *context, uint32_t domain, struct ward_range range)
{
	struct shadow_space *space = ward_shadow_domain(context, domain);

	return space ? ward_shadow_unmap(context, space, range) : 0;
}

static void on_freeze(void *context, uint32_t endpoint)
{
	struct shadow_function *function = ward_shadow_find(context, endpoint);

	if (function)
		ward_shadow_freeze(context, function);
}

/* That a domain is gone says nothing new: its space ended with the last function in it. */
static const struct ward_viommu_listener_ops listener = {
	.move = on_move,
	.map = on_map,
	.unmap = on_unmap,
	.freeze = on_freeze,
};

static int check_ram(const struct ward_shadow *shadow, uint64_t page_mask, struct ward_error *error)
{
	for (uint32_t i = 0; i < shadow->options.ram_count; i++) {
		struct ward_range ram = shadow->ram[i];
		struct shadow_walk walk = {
			.shadow = shadow,
			.left = { .start = ward_iova(ram.start),
				  .last = ward_iova(ram.last),
				  .target = ward_target(ram.start),
				  .access = WARD_READ | WARD_WRITE },
			.page_mask = page_mask,
			.bypass = true,
		};
		struct ward_mapping first;
		uint64_t count;

		for (uint32_t j = 0; j < i; j++)
			if (ward_range_overlaps(ram, shadow->ram[j]))
				return ward_fail(error, -EINVAL, "two ranges of RAM overlap");
		if (ward_range_is_empty(ram) || ward_shadow_pieces(&walk, &count, &first))
			return ward_fail(error, -EINVAL,
					 "range %u of RAM is not all memory, by pages of the host",
					 i);
	}
	return 0;
}

/* What the host can do is seen from a space of its own. */
static int check_host(struct ward_shadow *shadow, struct ward_error *error)
{
	const struct ward_space_options options = { .size = sizeof(options),
						    .kind = WARD_SPACE_UNMANAGED };
	uint64_t granule = shadow->options.viommu->granule_mask + 1, page;
	struct ward_space *space = NULL;
	struct ward_space_info info;
	int code = ward_backend_space(shadow->options.backend, &options, &space);

	if (code)
		return ward_fail(error, code, "%s has no space for a domain",
				 ward_backend_name(shadow->options.backend));
	ward_space_info(space, &info);
	ward_space_destroy(space);
	shadow->mappings_max = info.mappings_max;
	page = info.page_sizes & -info.page_sizes;
	if (page > granule)
		return ward_fail(error, -EOPNOTSUPP,
				 "the host maps pages of %llu KiB, and the guest is told of pages "
				 "of %llu KiB: the smallest bit of page_sizes has to be the host's",
				 (unsigned long long)page >> 10, (unsigned long long)granule >> 10);
	return check_ram(shadow, page - 1, error);
}

int ward_shadow_create(const struct ward_shadow_options *options, struct ward_shadow **ret_shadow,
		       struct ward_error *ret_error)
{
	struct ward_shadow *shadow;
	int code;

	if (!options || options->size != sizeof(*options) || !options->viommu ||
	    !options->backend || !options->memory || options->ram_count > SHADOW_RAM_MAX ||
	    (options->ram_count && !options->ram))
		return ward_fail(
			ret_error, -EINVAL,
			"a shadow needs a device, a backend and memory; at most 64 ranges of RAM");
	shadow = ward_alloc(sizeof(*shadow));
	if (!shadow)
		return ward_fail(ret_error, -ENOMEM, "no memory");
	shadow->options = *options;
	if (options->ram_count)
		memcpy(shadow->ram, options->ram, options->ram_count * sizeof(*options->ram));
	shadow->options.ram = shadow->ram;
	code = check_host(shadow, ret_error);
	if (!code) {
		code = ward_viommu_listen(options->viommu, &listener, shadow);
		if (code)
			ward_fail(ret_error, code, "the device takes no listener now");
	}
	if (code) {
		free(shadow);
		return code;
	}
	*ret_shadow = shadow;
	return 0;
}

void ward_shadow_destroy(struct ward_shadow *shadow)
{
	if (!shadow)
		return;
	for (size_t i = 0; i < shadow->functions_count; i++)
		ward_shadow_abandon(shadow, functions_of(shadow) + i);
	free(shadow->functions);
	free(shadow->domains);
	free(shadow);
}

int ward_shadow_add(struct ward_shadow *shadow, uint32_t endpoint, struct ward_device *device)
{
	size_t index = lookup(shadow, endpoint);
	struct shadow_function *at;
	int code;

	if (!device)
		return -EINVAL;
	for (size_t i = 0; i < shadow->functions_count; i++)
		if (functions_of(shadow)[i].endpoint == endpoint ||
		    functions_of(shadow)[i].device == device)
			return -EEXIST;
	if (ward_viommu_endpoint_find(shadow->options.viommu, endpoint))
		return -EBUSY;
	code = ward_array_reserve(&shadow->functions, &shadow->functions_capacity,
				  shadow->functions_count + 1, sizeof(*at));
	if (code)
		return code;
	at = functions_of(shadow) + index;
	memmove(at + 1, at, (shadow->functions_count - index) * sizeof(*at));
	*at = (struct shadow_function){ .endpoint = endpoint, .device = device };
	shadow->functions_count++;
	return 0;
}

int ward_shadow_remove(struct ward_shadow *shadow, uint32_t endpoint)
{
	struct shadow_function *at = ward_shadow_find(shadow, endpoint);

	if (!at)
		return -ENOENT;
	if (ward_viommu_endpoint_find(shadow->options.viommu, endpoint))
		return -EBUSY;
	ward_shadow_abandon(shadow, at);
	shadow->functions_count--;
	memmove(at, at + 1,
		(size_t)(functions_of(shadow) + shadow->functions_count - at) * sizeof(*at));
	return 0;
}

void ward_shadow_info(const struct ward_shadow *shadow, struct ward_shadow_info *ret_info)
{
	struct ward_shadow_info info = {
		.functions = (uint32_t)shadow->functions_count,
		.spaces = shadow->spaces,
		.mappings = shadow->mappings,
		.mappings_max = shadow->mappings_max,
		.peak = shadow->peak,
		.maps = shadow->maps,
		.unmaps = shadow->unmaps,
		.refused_full = shadow->refused_full,
		.refused_other = shadow->refused_other,
	};

	for (size_t i = 0; i < shadow->functions_count; i++) {
		const struct shadow_function *function = functions_of(shadow) + i;

		info.frozen += function->frozen;
		info.stuck += function->stuck;
		if (function->in && function->in->mappings > info.fullest)
			info.fullest = function->in->mappings;
	}
	*ret_info = info;
}
