// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Where QEMU differs, as data: docs/virtio-iommu.md has the same rows, and says which paragraph of the
 * standard decides. A row is so narrow that a mistake of ours is no part of it.
 */
#include "difference.h"

#include <string.h>

#define BIT(n) (1u << (n))
#define ANY_STATUS (BIT(WARD_VIOMMU_STATUSES) - 1)
#define OK BIT(OUTCOME_OK)
#define UNSUPP BIT(OUTCOME_UNSUPP)
#define INVAL BIT(OUTCOME_INVAL)
#define RANGE BIT(OUTCOME_RANGE)
#define NOENT BIT(OUTCOME_NOENT)
#define NOT_KNOWN BIT(OUTCOME_NOT_KNOWN)
#define BROKEN BIT(OUTCOME_BROKEN)

static uint32_t attach_flags(const struct step *step)
{
	return step_u32(step, AT_ATTACH_FLAGS);
}

/* An id that is an endpoint's in its low 16 bits alone. */
static bool is_alias(const struct pair *pair, const struct step *step)
{
	struct ward_viommu_endpoint endpoint;
	uint32_t id = step_endpoint(step);

	return id > UINT16_MAX && pair_endpoint(pair, id & UINT16_MAX, &endpoint);
}

static bool no_head_or_tail(const struct pair *pair, const struct step *step)
{
	(void)pair;
	return step->readable_size < 4 || step->writable_size < 4;
}

static bool too_short(const struct pair *pair, const struct step *step)
{
	(void)pair;
	return step->readable_size < step_size(step->readable[0]);
}

static bool unknown_type(const struct pair *pair, const struct step *step)
{
	(void)pair;
	return !step_size(step->readable[0]);
}

static bool not_negotiated(const struct pair *pair, const struct step *step)
{
	uint64_t feature =
		step->readable[0] == TYPE_PROBE ? WARD_VIOMMU_F_PROBE : WARD_VIOMMU_F_MAP_UNMAP;

	return step->readable[0] >= TYPE_MAP && !too_short(pair, step) &&
	       !(pair->features & feature);
}

static bool attach_reserved(const struct pair *pair, const struct step *step)
{
	(void)pair;
	return step_u32(step, AT_ATTACH_RESERVED);
}

static bool attach_bypass(const struct pair *pair, const struct step *step)
{
	return attach_flags(step) == 1 && !(pair->features & WARD_VIOMMU_F_BYPASS_CONFIG);
}

static bool attach_alone(const struct pair *pair, const struct step *step)
{
	const struct ward_viommu_place *before = &pair->before.place;
	struct pair_domain domain;

	return before->attached && before->domain == step_domain(step) &&
	       pair->members_before == 1 && attach_flags(step) <= 1 &&
	       pair_domain(pair, before->domain, &domain) && domain.bypass != attach_flags(step);
}

static bool attach_refused(const struct pair *pair, const struct step *step)
{
	return (pair->before.place.attached || is_alias(pair, step)) && attach_flags(step) <= 1;
}

/* It left the domain in which it was. */
static int left(struct pair *pair, const struct step *step, bool *ret_differs)
{
	const struct step detach =
		step_place(TYPE_DETACH, pair->before.place.domain, pair->before.endpoint, 0);
	uint8_t status;
	int code;

	*ret_differs = false;
	if (is_alias(pair, step))
		return 0;
	code = pair_ask(pair, &detach, &status);
	*ret_differs = status == OUTCOME_INVAL;
	return code;
}

static bool attach_again(const struct pair *pair, const struct step *step)
{
	const struct ward_viommu_place *before = &pair->before.place;
	struct ward_mapping mapping;

	return before->attached && before->domain == step_domain(step) &&
	       pair->members_before == 1 && before->kind == WARD_VIOMMU_MAPPED &&
	       ward_space_next(before->space, ward_iova(0), &mapping);
}

/* What was mapped can be mapped once more. */
static int emptied(struct pair *pair, const struct step *step, bool *ret_differs)
{
	struct ward_mapping mapping;
	struct step map;
	uint8_t status;
	int code;

	*ret_differs = false;
	if (!ward_space_next(pair->before.place.space, ward_iova(0), &mapping))
		return 0;
	map = step_map(step_domain(step), &mapping);
	code = pair_ask(pair, &map, &status);
	*ret_differs = status == OUTCOME_OK;
	return code;
}

static bool detach_unknown(const struct pair *pair, const struct step *step)
{
	struct ward_viommu_endpoint endpoint;

	return pair_endpoint(pair, step_endpoint(step), &endpoint) && !endpoint.place.attached;
}

static bool map_mmio(const struct pair *pair, const struct step *step)
{
	uint32_t flags = step_u32(step, AT_FLAGS);

	return flags & 4 && flags < 8 && !(pair->features & WARD_VIOMMU_F_MMIO);
}

static bool map_no_access(const struct pair *pair, const struct step *step)
{
	(void)pair;
	return !(step_u32(step, AT_FLAGS) & ~4u);
}

static bool backwards(const struct pair *pair, const struct step *step)
{
	(void)pair;
	return step_u64(step, AT_END) < step_u64(step, AT_START);
}

static bool map_unaligned(const struct pair *pair, const struct step *step)
{
	uint64_t bits =
		step_u64(step, AT_START) | step_u64(step, AT_PHYS) | (step_u64(step, AT_END) + 1);

	return !backwards(pair, step) && bits & 0xfff;
}

static bool map_wraps(const struct pair *pair, const struct step *step)
{
	uint64_t length = step_u64(step, AT_END) - step_u64(step, AT_START);

	return !backwards(pair, step) && !map_unaligned(pair, step) &&
	       step_u64(step, AT_PHYS) > UINT64_MAX - length;
}

static bool map_region(const struct pair *pair, const struct step *step)
{
	for (uint32_t i = 0; i < pair->setup->regions_count; i++) {
		struct ward_range range = pair->setup->regions[i].range;

		if (step_u64(step, AT_START) <= range.last && step_u64(step, AT_END) >= range.start)
			return !backwards(pair, step);
	}
	return false;
}

static bool unmap_reserved(const struct pair *pair, const struct step *step)
{
	(void)pair;
	return step_u32(step, AT_UNMAP_RESERVED);
}

/* The first mapping that lies within the range as a whole, from there. */
static bool within(const struct pair *pair, const struct step *step, uint64_t from,
		   struct ward_mapping *ret_mapping)
{
	struct pair_domain domain;

	if (!pair_domain(pair, step_domain(step), &domain) || domain.bypass)
		return false;
	while (ward_space_next(domain.space, ward_iova(from), ret_mapping)) {
		uint64_t last = ward_iova_raw(ret_mapping->last);

		if (last > step_u64(step, AT_END))
			return false;
		if (ward_iova_raw(ret_mapping->start) >= step_u64(step, AT_START))
			return true;
		if (last == UINT64_MAX)
			return false;
		from = last + 1;
	}
	return false;
}

static bool unmap_cut(const struct pair *pair, const struct step *step)
{
	struct ward_mapping mapping;

	return within(pair, step, step_u64(step, AT_START), &mapping);
}

/* Some of what lies within the range is gone. */
static int removed(struct pair *pair, const struct step *step, bool *ret_differs)
{
	struct ward_mapping mapping;
	uint64_t from = step_u64(step, AT_START);
	int code = 0;

	*ret_differs = false;
	while (code == 0 && within(pair, step, from, &mapping)) {
		struct step map = step_map(step_domain(step), &mapping);
		uint8_t status;

		code = pair_ask(pair, &map, &status);
		*ret_differs |= status == OUTCOME_OK;
		from = ward_iova_raw(mapping.last) + 1;
		if (!from)
			break;
	}
	return code;
}

static bool config_value(const struct pair *pair, const struct step *step)
{
	return step->offset == BYPASS_OFFSET && step->byte > 1 &&
	       pair->features & WARD_VIOMMU_F_BYPASS_CONFIG;
}

static bool config_refused(const struct pair *pair, const struct step *step)
{
	return step->offset == BYPASS_OFFSET && !(pair->features & WARD_VIOMMU_F_BYPASS_CONFIG);
}

static bool config_reserved(const struct pair *pair, const struct step *step)
{
	(void)pair;
	return step->offset > BYPASS_OFFSET && step->byte;
}

/* The first that applies counts. */
struct difference differences[] = {
	{ "no-head-or-tail", STEP_REQUEST, 0, NOT_KNOWN, BROKEN, no_head_or_tail, NULL, 0 },
	{ "too-short", STEP_REQUEST, 0, NOT_KNOWN, INVAL, too_short, NULL, 0 },
	{ "unknown-type", STEP_REQUEST, 0, NOT_KNOWN, UNSUPP, unknown_type, NULL, 0 },
	{ "not-negotiated", STEP_REQUEST, 0, NOT_KNOWN, ANY_STATUS, not_negotiated, NULL, 0 },
	{ "attach-reserved", STEP_REQUEST, TYPE_ATTACH, INVAL, OK | NOENT, attach_reserved, NULL,
	  0 },
	{ "attach-bypass-not-negotiated", STEP_REQUEST, TYPE_ATTACH, INVAL, OK | NOENT,
	  attach_bypass, NULL, 0 },
	{ "endpoint-16-bits", STEP_REQUEST, TYPE_ATTACH, NOENT, OK | INVAL, is_alias, NULL, 0 },
	{ "probe-16-bits", STEP_REQUEST, TYPE_PROBE, NOENT, OK, is_alias, NULL, 0 },
	{ "attach-alone", STEP_REQUEST, TYPE_ATTACH, INVAL, OK, attach_alone, NULL, 0 },
	{ "attach-refused", STEP_REQUEST, TYPE_ATTACH, INVAL, INVAL, attach_refused, left, 0 },
	{ "attach-again", STEP_REQUEST, TYPE_ATTACH, OK, OK, attach_again, emptied, 0 },
	{ "detach-unknown", STEP_REQUEST, TYPE_DETACH, INVAL, NOENT, detach_unknown, NULL, 0 },
	{ "map-mmio-not-negotiated", STEP_REQUEST, TYPE_MAP, INVAL, OK | NOENT, map_mmio, NULL, 0 },
	{ "map-no-access", STEP_REQUEST, TYPE_MAP, INVAL, OK | NOENT, map_no_access, NULL, 0 },
	{ "map-backwards", STEP_REQUEST, TYPE_MAP, INVAL, OK, backwards, NULL, 0 },
	{ "map-unaligned", STEP_REQUEST, TYPE_MAP, RANGE, OK | INVAL, map_unaligned, NULL, 0 },
	{ "map-wraps", STEP_REQUEST, TYPE_MAP, RANGE, OK | INVAL, map_wraps, NULL, 0 },
	{ "map-region", STEP_REQUEST, TYPE_MAP, INVAL, OK, map_region, NULL, 0 },
	{ "unmap-reserved", STEP_REQUEST, TYPE_UNMAP, INVAL, OK | RANGE | NOENT, unmap_reserved,
	  NULL, 0 },
	{ "unmap-backwards", STEP_REQUEST, TYPE_UNMAP, INVAL, OK | RANGE, backwards, NULL, 0 },
	{ "unmap-cut", STEP_REQUEST, TYPE_UNMAP, RANGE, RANGE, unmap_cut, removed, 0 },
	{ "config-value", STEP_CONFIG, 0, OK, BROKEN, config_value, NULL, 0 },
	{ "config-not-negotiated", STEP_CONFIG, 0, OK, BROKEN, config_refused, NULL, 0 },
	{ "config-reserved", STEP_CONFIG, 0, OK, OK, config_reserved, NULL, 0 },
	/* By tests of their own. */
	{ "probe-small", STEP_REQUEST, TYPE_PROBE, INVAL, 0, NULL, NULL, 0 },
	{ "unmap-endless", STEP_REQUEST, TYPE_UNMAP, OK, 0, NULL, NULL, 0 },
	{ "fault-access", STEP_REQUEST, 0, 0, 0, NULL, NULL, 0 },
	{ "fault-unknown", STEP_REQUEST, 0, 0, 0, NULL, NULL, 0 },
	{ "fault-region-detached", STEP_REQUEST, 0, 0, 0, NULL, NULL, 0 },
	{ "fault-msi-read", STEP_REQUEST, 0, 0, 0, NULL, NULL, 0 },
	{ "fault-msi-detached", STEP_REQUEST, 0, 0, 0, NULL, NULL, 0 },
};
const uint32_t differences_count = sizeof(differences) / sizeof(differences[0]);

struct difference *difference_find(const char *name)
{
	for (uint32_t i = 0; i < differences_count; i++) {
		if (strcmp(differences[i].name, name) == 0)
			return &differences[i];
	}
	return NULL;
}

void difference_saw(const char *name)
{
	struct difference *difference = difference_find(name);

	if (difference)
		difference->seen++;
}
