/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* IORT node by node. A node's mappings are put right behind it. */
#ifndef TESTS_FIRMWARE_IORT_MAKER_H
#define TESTS_FIRMWARE_IORT_MAKER_H

#include "firmware/iort.h"

#include "table_maker.h"

static inline void start_iort(struct table *t)
{
	start_table(t, "IORT");
	put(t, 4, 0); /* nodes: counted by start_node() */
	put(t, 4, 48);
	put(t, 4, 0);
}

/* Returns the offset of the node. length is without mappings. */
static inline size_t start_node(struct table *t, uint8_t type, uint8_t revision, uint16_t length,
				uint32_t maps)
{
	size_t at = put(t, 1, type);

	put(t, 2, length + 20u * maps);
	put(t, 1, revision);
	put(t, 4, 0);
	put(t, 4, maps);
	put(t, 4, maps ? length : 0);
	put_at(t, 36, 4, t->bytes[36] + 1u);
	return at;
}

static inline size_t put_map(struct table *t, uint32_t input, uint32_t count, uint32_t output,
			     size_t node, uint32_t flags)
{
	size_t at = put(t, 4, input);

	put(t, 4, count);
	put(t, 4, output);
	put(t, 4, node);
	put(t, 4, flags);
	return at;
}

static inline size_t put_its_group(struct table *t, uint32_t id)
{
	size_t at = start_node(t, 0, 1, 24, 0);

	put(t, 4, 1);
	put(t, 4, id);
	return at;
}

/* Wired when gsiv is not 0. */
static inline size_t put_smmuv3(struct table *t, uint64_t base, uint8_t revision, uint32_t flags,
				uint32_t gsiv, uint32_t index, uint32_t maps)
{
	size_t at = start_node(t, 4, revision, 68, maps);

	put(t, 8, base);
	put(t, 8, flags);
	put(t, 8, 0);
	put(t, 4, 0);
	for (unsigned int i = 0; i < 4; i++)
		put(t, 4, gsiv);
	put(t, 4, 0);
	put(t, 4, index);
	return at;
}

static inline size_t put_root_complex(struct table *t, uint32_t segment, uint32_t ats,
				      uint32_t maps)
{
	size_t at = start_node(t, 2, 3, 36, maps);

	put(t, 8, 1);
	put(t, 4, ats);
	put(t, 4, segment);
	put(t, 4, 64);
	return at;
}

/* name has seven characters. */
static inline size_t put_named(struct table *t, const char *name, uint32_t maps)
{
	size_t at = start_node(t, 1, 4, 37, maps);

	put(t, 4, 0);
	put(t, 8, 1);
	put(t, 1, 64);
	put_text(t, name);
	assert_int_equal(t->size, at + 37);
	return at;
}

static inline size_t put_rmr(struct table *t, uint32_t flags, uint64_t base, uint64_t length,
			     uint32_t maps)
{
	size_t at = start_node(t, 6, 3, 48, maps);

	put(t, 4, flags);
	put(t, 4, 1);
	put(t, 4, 28);
	put(t, 8, base);
	put(t, 8, length);
	put(t, 4, 0);
	return at;
}

#endif
