// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "firmware/iort.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fault.h"

#define IORT_HEADER 48u
#define IORT_NODE_HEADER 16u
#define IORT_MAP 20u
#define IORT_MEMORY_RANGE 20u
#define IORT_SINGLE_MAPPING 1u

struct iort_parser {
	struct ward_acpi_table table;
	struct ward_iort *iort;
	size_t nodes_capacity, maps_capacity, ids_capacity, ranges_capacity;
	struct ward_error *error;
};

static int parse_its_group(struct iort_parser *p, uint32_t at, uint32_t length,
			   struct ward_iort_node *node)
{
	uint32_t count = ward_acpi_u32(&p->table, at + 16);

	if (count > (length - 20) / 4)
		return ward_acpi_bad(&p->table, p->error, at + 16,
				     "an ITS group of %u ITSs does not fit its node", count);
	node->its_group.first_id = p->iort->ids_count;
	node->its_group.ids_count = count;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t *id = ward_acpi_append(&p->iort->ids, &p->iort->ids_count,
						&p->ids_capacity, sizeof(*id));

		if (!id)
			return -ENOMEM;
		*id = ward_acpi_u32(&p->table, at + 20 + 4 * i);
	}
	return 0;
}

static int parse_named_component(struct iort_parser *p, uint32_t at, uint32_t length,
				 struct ward_iort_node *node)
{
	const char *name = (const char *)p->table.bytes + at + 29;
	char *copy;

	if (!memchr(name, '\0', length - 29))
		return ward_acpi_bad(&p->table, p->error, at + 29,
				     "a named component's name does not end");
	copy = ward_arena_strdup(&p->iort->arena, name);
	if (!copy)
		return -ENOMEM;
	/* It is printed; what is no part of an ACPI path is replaced. */
	for (char *c = copy; *c; c++) {
		if (*c < 0x21 || *c > 0x7e)
			*c = '?';
	}
	node->named_component.name = copy;
	return 0;
}

static int parse_root_complex(struct iort_parser *p, uint32_t at, uint32_t length,
			      struct ward_iort_node *node)
{
	(void)length;
	node->root_complex.ats = ward_acpi_u32(&p->table, at + 24);
	node->root_complex.segment = ward_acpi_u32(&p->table, at + 28);
	return 0;
}

static int parse_smmu(struct iort_parser *p, uint32_t at, uint32_t length,
		      struct ward_iort_node *node)
{
	(void)length;
	node->smmu.base = ward_acpi_u64(&p->table, at + 16);
	node->smmu.span = ward_acpi_u64(&p->table, at + 24);
	node->smmu.model = ward_acpi_u32(&p->table, at + 32);
	return 0;
}

static int parse_smmuv3(struct iort_parser *p, uint32_t at, uint32_t length,
			struct ward_iort_node *node)
{
	struct ward_iort_smmuv3 *smmu = &node->smmuv3;

	if (node->revision >= 1 && length < 68)
		return ward_acpi_bad(&p->table, p->error, at + 1,
				     "SMMUv3 node of revision %u has %u bytes, needs 68",
				     node->revision, length);
	smmu->base = ward_acpi_u64(&p->table, at + 16);
	smmu->flags = ward_acpi_u32(&p->table, at + 24);
	smmu->model = ward_acpi_u32(&p->table, at + 40);
	smmu->event_gsiv = ward_acpi_u32(&p->table, at + 44);
	smmu->pri_gsiv = ward_acpi_u32(&p->table, at + 48);
	smmu->gerr_gsiv = ward_acpi_u32(&p->table, at + 52);
	smmu->sync_gsiv = ward_acpi_u32(&p->table, at + 56);
	if (node->revision >= 1)
		smmu->id_index = ward_acpi_u32(&p->table, at + 64);
	return 0;
}

static int parse_pmcg(struct iort_parser *p, uint32_t at, uint32_t length,
		      struct ward_iort_node *node)
{
	(void)length;
	node->pmcg.page0 = ward_acpi_u64(&p->table, at + 16);
	node->pmcg.overflow_gsiv = ward_acpi_u32(&p->table, at + 24);
	node->pmcg.node = ward_acpi_u32(&p->table, at + 28); /* an offset, resolved later */
	return 0;
}

static int parse_rmr(struct iort_parser *p, uint32_t at, uint32_t length,
		     struct ward_iort_node *node)
{
	uint32_t count = ward_acpi_u32(&p->table, at + 20);
	uint32_t offset = ward_acpi_u32(&p->table, at + 24);

	if (count > 0 &&
	    (offset < 28 || offset > length || count > (length - offset) / IORT_MEMORY_RANGE))
		return ward_acpi_bad(&p->table, p->error, at + 20,
				     "%u memory ranges at 0x%x do not fit their node", count,
				     offset);
	node->rmr.flags = ward_acpi_u32(&p->table, at + 16);
	node->rmr.first_range = p->iort->ranges_count;
	node->rmr.ranges_count = count;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t from = at + offset + i * IORT_MEMORY_RANGE;
		struct ward_range *range =
			ward_acpi_append(&p->iort->ranges, &p->iort->ranges_count,
					 &p->ranges_capacity, sizeof(*range));

		if (!range)
			return -ENOMEM;
		if (ward_range_make(ward_acpi_u64(&p->table, from),
				    ward_acpi_u64(&p->table, from + 8), range) != 0)
			return ward_acpi_bad(&p->table, p->error, from,
					     "a reserved memory range is empty or wraps");
	}
	return 0;
}

static int parse_iwb(struct iort_parser *p, uint32_t at, uint32_t length,
		     struct ward_iort_node *node)
{
	(void)length;
	node->iwb_base = ward_acpi_u64(&p->table, at + 16);
	return 0;
}

/* The shortest node of each type, without mappings; the layer is explained at check_output(). */
static const struct {
	uint32_t length;
	unsigned int layer;
	const char *name;
	int (*parse)(struct iort_parser *p, uint32_t at, uint32_t length,
		     struct ward_iort_node *node);
} iort_types[] = {
	[WARD_IORT_ITS_GROUP] = { 20, 2, "an ITS group", parse_its_group },
	[WARD_IORT_NAMED_COMPONENT] = { 30, 0, "a named component", parse_named_component },
	[WARD_IORT_ROOT_COMPLEX] = { 32, 0, "a root complex", parse_root_complex },
	[WARD_IORT_SMMU] = { 60, 1, "an SMMU", parse_smmu },
	[WARD_IORT_SMMUV3] = { 60, 1, "an SMMUv3", parse_smmuv3 },
	[WARD_IORT_PMCG] = { 32, 0, "a PMCG", parse_pmcg },
	[WARD_IORT_RMR] = { 28, 0, "an RMR node", parse_rmr },
	[WARD_IORT_IWB] = { 26, 0, "an IWB", parse_iwb },
};

#define IORT_TYPES (sizeof(iort_types) / sizeof(iort_types[0]))

static int parse_map(struct iort_parser *p, uint32_t at)
{
	struct ward_iort_map *map = ward_acpi_append(&p->iort->maps, &p->iort->maps_count,
						     &p->maps_capacity, sizeof(*map));

	if (!map)
		return -ENOMEM;
	map->input_base = ward_acpi_u32(&p->table, at);
	map->id_count = ward_acpi_u32(&p->table, at + 4);
	map->output_base = ward_acpi_u32(&p->table, at + 8);
	map->output = ward_acpi_u32(&p->table, at + 12); /* an offset, resolved later */
	map->single = ward_acpi_u32(&p->table, at + 16) & IORT_SINGLE_MAPPING;
	if (!map->single && (map->id_count > UINT32_MAX - map->input_base ||
			     map->id_count > UINT32_MAX - map->output_base))
		return ward_acpi_bad(&p->table, p->error, at + 4,
				     "a mapping of 0x%x ids from 0x%x to 0x%x wraps", map->id_count,
				     map->input_base, map->output_base);
	return 0;
}

static int parse_maps(struct iort_parser *p, uint32_t at, uint32_t length,
		      struct ward_iort_node *node)
{
	uint32_t count = ward_acpi_u32(&p->table, at + 8);
	uint32_t offset = ward_acpi_u32(&p->table, at + 12);
	int err = 0;

	node->first_map = p->iort->maps_count;
	/* Linux takes an offset of 0 for "no mappings". */
	if (count == 0 || offset == 0)
		return 0;
	if (offset < IORT_NODE_HEADER || offset > length || count > (length - offset) / IORT_MAP)
		return ward_acpi_bad(&p->table, p->error, at + 8,
				     "%u mappings at 0x%x do not fit their node", count, offset);
	if (count > WARD_IORT_MAPS_MAX || p->iort->maps_count > WARD_IORT_ALL_MAPS_MAX - count)
		return ward_acpi_bad(&p->table, p->error, at + 8,
				     "%u mappings are more than can be followed", count);
	for (uint32_t i = 0; i < count && !err; i++)
		err = parse_map(p, at + offset + i * IORT_MAP);
	node->maps_count = count;
	return err;
}

static int parse_node(struct iort_parser *p, uint32_t at, uint32_t length)
{
	struct ward_iort_node *node = ward_acpi_append(&p->iort->nodes, &p->iort->nodes_count,
						       &p->nodes_capacity, sizeof(*node));
	int err;

	if (!node)
		return -ENOMEM;
	node->type = ward_acpi_u8(&p->table, at);
	node->revision = ward_acpi_u8(&p->table, at + 3);
	node->identifier = ward_acpi_u32(&p->table, at + 4);
	node->offset = at;
	if (node->type >= IORT_TYPES)
		return 0;
	if (length < iort_types[node->type].length)
		return ward_acpi_bad(&p->table, p->error, at + 1, "%s has %u bytes, needs %u",
				     iort_types[node->type].name, length,
				     iort_types[node->type].length);
	err = iort_types[node->type].parse(p, at, length, node);
	return err ? err : parse_maps(p, at, length, node);
}

static int parse_nodes(struct iort_parser *p)
{
	uint32_t count = ward_acpi_u32(&p->table, 36), at = ward_acpi_u32(&p->table, 40), length;
	int err;

	if (count > WARD_ACPI_ENTRIES_MAX)
		return ward_acpi_bad(&p->table, p->error, 36, "%u nodes cannot be", count);
	if (count > 0 && at < IORT_HEADER)
		return ward_acpi_bad(&p->table, p->error, 40,
				     "the nodes start at 0x%x, inside the header", at);
	for (uint32_t i = 0; i < count; i++, at += length) {
		if (!ward_acpi_has(&p->table, at, IORT_NODE_HEADER))
			return ward_acpi_bad(&p->table, p->error, at, "node %u of %u is cut short",
					     i, count);
		length = ward_acpi_u16(&p->table, at + 1);
		if (length < IORT_NODE_HEADER || !ward_acpi_has(&p->table, at, length))
			return ward_acpi_bad(&p->table, p->error, at + 1,
					     "a node of %u bytes does not fit", length);
		err = parse_node(p, at, length);
		if (err)
			return err;
	}
	return 0;
}

/* The node that starts at an offset, or WARD_NONE. Nodes are in the order of their offsets. */
static uint32_t find_node(const struct ward_iort *iort, uint32_t offset)
{
	uint32_t low = 0, high = iort->nodes_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (iort->nodes[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < iort->nodes_count && iort->nodes[low].offset == offset ? low : WARD_NONE;
}

static unsigned int node_layer(const struct ward_iort_node *node)
{
	return node->type < IORT_TYPES ? iort_types[node->type].layer : 2;
}

/*
 * Requesters are layer 0, SMMUs 1, ITS groups 2 and so are types of which nothing is known (their
 * mappings are not kept: a walk ends there). A mapping must lead to a higher layer; so no walk has
 * more than two steps.
 */
static int check_output(struct iort_parser *p, const struct ward_iort_node *node, uint32_t number,
			struct ward_iort_map *map)
{
	uint32_t output = find_node(p->iort, map->output);

	if (output == WARD_NONE)
		return ward_acpi_bad(&p->table, p->error, node->offset,
				     "mapping %u leads to 0x%x, where no node starts", number,
				     map->output);
	if (node_layer(&p->iort->nodes[output]) <= node_layer(node))
		return ward_acpi_bad(&p->table, p->error, node->offset,
				     "mapping %u of %s leads to a node of type %u", number,
				     iort_types[node->type].name, p->iort->nodes[output].type);
	map->output = output;
	return 0;
}

static int resolve_references(struct iort_parser *p)
{
	int err = 0;

	for (uint32_t i = 0; i < p->iort->nodes_count; i++) {
		struct ward_iort_node *node = &p->iort->nodes[i];

		for (uint32_t k = 0; k < node->maps_count && !err; k++)
			err = check_output(p, node, k, &p->iort->maps[node->first_map + k]);
		if (err)
			return err;
		if (node->type == WARD_IORT_PMCG)
			node->pmcg.node = find_node(p->iort, node->pmcg.node);
	}
	return 0;
}

int ward_iort_parse(const void *bytes, size_t size, struct ward_iort **ret_iort,
		    struct ward_error *ret_error)
{
	struct iort_parser parser = { .error = ret_error };
	int err;

	err = ward_acpi_open(bytes, size, "IORT", IORT_HEADER, &parser.table, ret_error);
	if (err)
		return err;
	parser.iort = ward_alloc(sizeof(*parser.iort));
	if (!parser.iort)
		return ward_fail(ret_error, -ENOMEM, "out of memory");
	err = parse_nodes(&parser);
	if (!err)
		err = resolve_references(&parser);
	if (err) {
		ward_iort_destroy(parser.iort);
		return err;
	}
	*ret_iort = parser.iort;
	return 0;
}

void ward_iort_destroy(struct ward_iort *iort)
{
	if (!iort)
		return;
	free(iort->nodes);
	free(iort->maps);
	free(iort->ids);
	free(iort->ranges);
	ward_arena_finish(&iort->arena);
	free(iort);
}
