// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Spaces of the host. One is made when the first function goes there, filled before it is attached, and
 * ends with the last one. Whether the host has room for all pieces is looked at before the first is
 * mapped.
 */
#include "virtio/shadow.h"

#include "base/fault.h"
#include "dma/space.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct shadow_space **domains_of(const struct ward_shadow *shadow)
{
	return shadow->domains;
}

/* Index of the first domain whose id is not below. */
static size_t lookup(const struct ward_shadow *shadow, uint32_t domain)
{
	size_t low = 0, high = shadow->domains_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (domains_of(shadow)[middle]->domain < domain)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct shadow_space *ward_shadow_domain(const struct ward_shadow *shadow, uint32_t domain)
{
	size_t index = lookup(shadow, domain);

	if (index == shadow->domains_count || domains_of(shadow)[index]->domain != domain)
		return NULL;
	return domains_of(shadow)[index];
}

int ward_shadow_refused(struct ward_shadow *shadow, int code)
{
	if (code == -ENOSPC)
		shadow->refused_full++;
	else
		shadow->refused_other++;
	/* EIO would say that what was before is lost. */
	return code == -EIO ? -ENODEV : code;
}

static void counted(struct ward_shadow *shadow, struct shadow_space *space)
{
	struct ward_space_info info;

	ward_space_info(space->space, &info);
	shadow->mappings += info.mappings - space->mappings;
	space->mappings = info.mappings;
	if (shadow->peak < info.mappings)
		shadow->peak = info.mappings;
}

static int map_piece(struct ward_shadow *shadow, struct shadow_space *space,
		     const struct ward_mapping *piece)
{
	int code;

	if (ward_iova_raw(piece->start) < space->aperture.start ||
	    ward_iova_raw(piece->last) > space->aperture.last)
		return -ERANGE;
	code = ward_space_map(space->space, piece);
	shadow->maps += !code;
	return code;
}

static struct shadow_walk walk_of(const struct ward_shadow *shadow,
				  const struct shadow_space *space,
				  const struct ward_mapping *mapping)
{
	return (struct shadow_walk){ .shadow = shadow,
				     .left = *mapping,
				     .page_mask = space->page_mask,
				     .bypass = space->bypass };
}

/* One MAP; where it fails midway its first pieces are mapped. */
static int map_pieces(struct ward_shadow *shadow, struct shadow_space *space,
		      const struct ward_mapping *mapping)
{
	struct shadow_walk walk = walk_of(shadow, space, mapping);
	struct ward_mapping piece;
	int code;

	while ((code = ward_shadow_piece(&walk, &piece)) > 0) {
		code = map_piece(shadow, space, &piece);
		if (code)
			return code;
	}
	return code;
}

int ward_shadow_unmap(struct ward_shadow *shadow, struct shadow_space *space,
		      struct ward_range range)
{
	int code = ward_space_unmap(space->space, ward_iova(range.start), ward_iova(range.last), 0,
				    NULL);

	/* Nothing was mapped: doorbells that were left out, or an UNMAP of nothing. */
	if (code == -ENOENT)
		return 0;
	shadow->unmaps += !code;
	counted(shadow, space);
	if (!code)
		return 0;
	ward_shadow_space_spoil(shadow, space);
	return -EIO;
}

int ward_shadow_map(struct ward_shadow *shadow, struct shadow_space *space,
		    const struct ward_mapping *mapping)
{
	const struct ward_range range = { ward_iova_raw(mapping->start),
					  ward_iova_raw(mapping->last) };
	struct shadow_walk walk = walk_of(shadow, space, mapping);
	struct ward_mapping first;
	uint64_t count = 0;
	int code = ward_shadow_pieces(&walk, &count, &first);

	if (!code && space->mappings_max && count > space->mappings_max - space->mappings)
		code = -ENOSPC;
	if (code)
		return ward_shadow_refused(shadow, code);
	if (count == 1)
		code = map_piece(shadow, space, &first);
	else
		code = map_pieces(shadow, space, mapping);
	counted(shadow, space);
	if (!code)
		return 0;
	/* Nothing else was mapped in the range. */
	if (code != -EIO && (count == 1 || !ward_shadow_unmap(shadow, space, range)))
		return ward_shadow_refused(shadow, code);
	/* Functions in it may have what was refused: they are taken out. */
	shadow->refused_other++;
	ward_shadow_space_spoil(shadow, space);
	return -EIO;
}

/* What a place means as mappings to guest physical addresses: those of its domain, or ram. */
struct contents {
	const struct ward_shadow *shadow;
	const struct shadow_space *space;
	const struct ward_space *domain; /* NULL: ram */
	uint64_t from;
	bool done;
};

static bool ram_next(struct contents *at, struct ward_mapping *ret_mapping)
{
	const struct ward_range *ram = at->shadow->ram + at->from;

	if (at->from++ == at->shadow->options.ram_count)
		return false;
	*ret_mapping = (struct ward_mapping){ .start = ward_iova(ram->start),
					      .last = ward_iova(ram->last),
					      .target = ward_target(ram->start),
					      .access = WARD_READ | WARD_WRITE,
					      .type = WARD_NORMAL };
	return true;
}

static bool contents_next(struct contents *at, struct ward_mapping *ret_mapping)
{
	struct ward_tree_entry entry;

	if (!at->domain)
		return ram_next(at, ret_mapping);
	while (!at->done && ward_tree_next(&at->domain->tree, at->from, &entry)) {
		at->done = entry.last == UINT64_MAX;
		at->from = entry.last + 1;
		if (ward_viommu_domain_untold(entry.value))
			continue;
		*ret_mapping = ward_space_mapping(&entry);
		return true;
	}
	return false;
}

static int count_all(const struct contents *contents, uint64_t *ret_count)
{
	struct contents at = *contents;
	struct ward_mapping mapping, first;
	uint64_t all = 0;

	while (contents_next(&at, &mapping)) {
		struct shadow_walk walk = walk_of(at.shadow, at.space, &mapping);
		uint64_t count = 0;
		int code = ward_shadow_pieces(&walk, &count, &first);

		if (code)
			return code;
		all += count;
	}
	*ret_count = all;
	return 0;
}

static int fill(struct ward_shadow *shadow, struct shadow_space *space, struct contents contents)
{
	struct ward_mapping mapping;
	uint64_t count = 0;
	int code = count_all(&contents, &count);

	if (!code && space->mappings_max && count > space->mappings_max)
		return -ENOSPC;
	while (!code && contents_next(&contents, &mapping))
		code = map_pieces(shadow, space, &mapping);
	counted(shadow, space);
	return code;
}

/* Found from now on. */
static int enlist(struct ward_shadow *shadow, struct shadow_space *space)
{
	size_t index = lookup(shadow, space->domain);
	int code;

	if (space->bypass) {
		shadow->bypass = space;
		return 0;
	}
	code = ward_array_reserve(&shadow->domains, &shadow->domains_capacity,
				  shadow->domains_count + 1, sizeof(space));
	if (code)
		return code;
	memmove(domains_of(shadow) + index + 1, domains_of(shadow) + index,
		(shadow->domains_count - index) * sizeof(space));
	domains_of(shadow)[index] = space;
	shadow->domains_count++;
	return 0;
}

static void forget(struct ward_shadow *shadow, const struct shadow_space *space)
{
	size_t index;

	if (space->bypass) {
		shadow->bypass = NULL;
		return;
	}
	index = lookup(shadow, space->domain);
	shadow->domains_count--;
	memmove(domains_of(shadow) + index, domains_of(shadow) + index + 1,
		(shadow->domains_count - index) * sizeof(space));
}

void ward_shadow_space_spoil(struct ward_shadow *shadow, struct shadow_space *space)
{
	if (space->spoiled)
		return;
	forget(shadow, space);
	space->spoiled = true;
}

static int make(struct ward_shadow *shadow, bool bypass, uint32_t domain,
		struct shadow_space **ret_space)
{
	const struct ward_space_options options = { .size = sizeof(options),
						    .kind = WARD_SPACE_UNMANAGED };
	struct shadow_space *space = ward_alloc(sizeof(*space));
	struct ward_space_info info;
	int code;

	if (!space)
		return -ENOMEM;
	code = ward_backend_space(shadow->options.backend, &options, &space->space);
	if (code) {
		free(space);
		return code;
	}
	ward_space_info(space->space, &info);
	space->bypass = bypass;
	space->domain = domain;
	space->aperture = info.aperture;
	space->page_mask = (info.page_sizes & -info.page_sizes) - 1;
	space->mappings_max = info.mappings_max;
	shadow->mappings_max = info.mappings_max;
	*ret_space = space;
	return 0;
}

static void discard(struct ward_shadow *shadow, struct shadow_space *space)
{
	shadow->mappings -= space->mappings;
	ward_space_destroy(space->space);
	free(space);
}

int ward_shadow_space_get(struct ward_shadow *shadow, const struct ward_viommu_place *place,
			  struct shadow_space **ret_space)
{
	bool bypass = place->kind == WARD_VIOMMU_BYPASS;
	struct shadow_space *space =
		bypass ? shadow->bypass : ward_shadow_domain(shadow, place->domain);
	struct contents contents = { .shadow = shadow };
	int code;

	if (space) {
		*ret_space = space;
		return 0;
	}
	code = make(shadow, bypass, place->domain, &space);
	if (code)
		return code;
	contents.space = space;
	contents.domain = bypass ? NULL : place->space;
	/* Groups that were opened since may have larger pages than the host had before. */
	if (space->page_mask > shadow->options.viommu->granule_mask)
		code = -EOPNOTSUPP;
	if (!code)
		code = fill(shadow, space, contents);
	if (!code)
		code = enlist(shadow, space);
	if (code) {
		discard(shadow, space);
		return code;
	}
	shadow->spaces++;
	*ret_space = space;
	return 0;
}

void ward_shadow_space_settle(struct ward_shadow *shadow, struct shadow_space *space)
{
	if (space->functions > space->stuck)
		return;
	ward_shadow_space_spoil(shadow, space);
	if (!space->functions) {
		shadow->spaces--;
		discard(shadow, space);
		return;
	}
	/* Those that are left cannot be taken out; so everything is taken from them. */
	if (space->emptied)
		return;
	space->emptied = ward_space_unmap_all(space->space) == 0;
	counted(shadow, space);
}
