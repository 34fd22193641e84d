/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Page tables: walk, map and unmap written once, formats as data. Tables lie in a ward_memory: of
 * the machine (ours) or of a guest (not trusted); whoever walks says how an entry is read, since
 * the tables of a guest are themselves behind a stage 2.
 */
#ifndef DMA_TABLE_H
#define DMA_TABLE_H

#include <doorward/memory.h>
#include <doorward/translation.h>

/* Levels 0 to 3; VT-d's five-level tables begin at level -1, here they begin at level 0 of 4 KiB
 * granule with one level less: four levels (48 bits) at most. */
#define WARD_TABLE_LEVELS 4

/* What an entry is. */
enum ward_entry_kind {
	WARD_ENTRY_INVALID,
	WARD_ENTRY_TABLE,
	WARD_ENTRY_LEAF,
};

/* Permissions a stage 1 gathers on its way down (APTable, XNTable); zero is no restriction. */
struct ward_table_limits {
	bool no_write, no_unprivileged, no_exec;
};

struct ward_table;

/* A format: under ten small functions. shift is the address bits below an entry of that level. */
struct ward_table_format {
	const char *name;
	/* Leaves may stand at this level (0 to 3) with this granule. */
	bool (*leaf_allowed)(const struct ward_table *table, int level);
	enum ward_entry_kind (*kind)(const struct ward_table *table, uint64_t entry, int level);
	/* Output address of a leaf or next table, without any alignment check. */
	uint64_t (*address)(const struct ward_table *table, uint64_t entry, int level);
	/* WARD_READ... that a leaf gives, limits applied; and its type. */
	uint32_t (*access)(const struct ward_table *table, uint64_t entry,
			   const struct ward_table_limits *limits);
	enum ward_memory_type (*type)(const struct ward_table *table, uint64_t entry);
	/* The access flag of a leaf is clear and somebody cares; NULL: there is none. */
	bool (*access_flag_fault)(const struct ward_table *table, uint64_t entry);
	/* Adds what a table entry forbids; NULL: nothing. */
	void (*limit)(const struct ward_table *table, uint64_t entry,
		      struct ward_table_limits *limits);
	uint64_t (*make_table)(const struct ward_table *table, uint64_t address);
	uint64_t (*make_leaf)(const struct ward_table *table, uint64_t address, int level,
			      uint32_t access, enum ward_memory_type type);
};

extern const struct ward_table_format ward_format_arm_stage1; /* DDI 0487 D8.3, lower half only */
extern const struct ward_table_format ward_format_arm_stage2;
extern const struct ward_table_format ward_format_vtd_stage2; /* VT-d specification 9.8 */

/* A table of one format. */
struct ward_table {
	const struct ward_table_format *format;
	uint64_t root;	       /* address of the first (perhaps concatenated) table */
	uint8_t granule_shift; /* 12, 14, 16 */
	uint8_t input_bits;    /* input addresses have this many bits */
	uint8_t output_bits;   /* output addresses, too */
	int8_t start_level;
	uint8_t stage;		/* 1 or 2, for faults */
	uint64_t mair;		/* Arm stage 1: MAIR of the context */
	bool access_flag_off;	/* CD.AFFD, STE.S2AFFD */
	bool hierarchy_off;	/* CD.HAD0: table entries forbid nothing */
	bool write_never_exec;	/* CD.WXN */
	uint64_t hardware_bits; /* format specific: VT-d snoop and so on */
};

/* Bits of input resolved by one level, and the address bits below one entry of it. */
static inline unsigned int ward_table_stride(const struct ward_table *table)
{
	return table->granule_shift - 3u;
}

static inline unsigned int ward_table_shift(const struct ward_table *table, int level)
{
	return table->granule_shift + (3u - (unsigned int)level) * ward_table_stride(table);
}

/*
 * Start level and concatenation for an input size. Returns 0 and the level and log2 of the number
 * of concatenated tables (stage 2, at most 16), or -EINVAL where the architecture has none.
 */
int ward_table_start(const struct ward_table_format *format, unsigned int granule_shift,
		     unsigned int input_bits, unsigned int output_bits, int *ret_level,
		     unsigned int *ret_concatenated);
/* Size and alignment of the first table in bytes. */
uint64_t ward_table_root_size(const struct ward_table *table);

/*
 * How an entry is read: 0 or -EFAULT (no memory there). Where the address of a stage-1 table must
 * itself go through a stage 2, read does it, and fills ret_fault (class, stage, level, gpa) on
 * -EFAULT; a reader that has nothing to add leaves ret_fault alone.
 */
struct ward_entry_reader {
	int (*read)(void *context, uint64_t address, uint64_t *ret_entry,
		    struct ward_fault *ret_fault);
	void *context;
};

/* Reads from a ward_memory: context is a const struct ward_memory *. */
int ward_entry_read_memory(void *context, uint64_t address, uint64_t *ret_entry,
			   struct ward_fault *ret_fault);

/* A leaf found. */
struct ward_table_leaf {
	uint64_t output; /* of the very byte */
	uint32_t access;
	enum ward_memory_type type;
	struct ward_range input; /* what the leaf (or contiguous run of leaves) covers */
	int level;
	uint64_t entry, entry_at;
};

/* Told of every entry read on the way; for explanations. */
typedef void ward_table_step(void *context, int level, uint64_t entry_at, uint64_t entry,
			     uint64_t output);

/*
 * Walks. access is what is tried; 0 asks for the leaf whatever it lets through. Returns 0, or
 * -EFAULT with reason, stage, level, fetch of *ret_fault filled (iova, access and class are the
 * caller's). step may be NULL.
 */
int ward_table_walk(const struct ward_table *table, const struct ward_entry_reader *reader,
		    uint64_t input, uint32_t access, ward_table_step *step, void *step_context,
		    struct ward_table_leaf *ret_leaf, struct ward_fault *ret_fault);

/* Pages for tables, of one granule, out of a range of a ward_memory. */
struct ward_table_pages;
int ward_table_pages_create(struct ward_memory *memory, struct ward_range range,
			    struct ward_table_pages **ret_pages);
void ward_table_pages_destroy(struct ward_table_pages *pages);
/* Zeroed, aligned to size (a power of two of at least 64). 0 or -ENOMEM. */
int ward_table_pages_alloc(struct ward_table_pages *pages, uint64_t size, uint64_t *ret_address);
void ward_table_pages_free(struct ward_table_pages *pages, uint64_t address, uint64_t size);
uint64_t ward_table_pages_used(const struct ward_table_pages *pages); /* bytes */
struct ward_memory *ward_table_pages_memory(const struct ward_table_pages *pages);

/* Makes a table: root, start level. The other fields of *table are the caller's, filled before. */
int ward_table_create(struct ward_table *table, struct ward_table_pages *pages);
/* Frees it and everything below. */
void ward_table_destroy(struct ward_table *table, struct ward_table_pages *pages);

/*
 * Maps, with the largest leaves that fit (page_sizes: bit n allows leaves of 2^n bytes, 0 all).
 * What is there must be free. An entry becomes valid only when what it leads to is complete.
 * Returns 0, -EINVAL (alignment, range), -EEXIST, -ENOMEM; on failure nothing is left of it.
 */
int ward_table_map(struct ward_table *table, struct ward_table_pages *pages,
		   struct ward_range input, uint64_t output, uint32_t access,
		   enum ward_memory_type type, uint64_t page_sizes);

/*
 * Clears leaves. A larger leaf at a bound is split, which takes tables: 0, -EINVAL, -ENOMEM; on
 * failure nothing was done. Tables that become empty are handed to release after the caller has
 * invalidated: they are kept in *ret_freed until ward_table_release.
 */
struct ward_table_freed {
	uint64_t first; /* chain through the tables' own first words; 0 none */
};
int ward_table_unmap(struct ward_table *table, struct ward_table_pages *pages,
		     struct ward_range input, struct ward_table_freed *ret_freed);
void ward_table_release(struct ward_table_pages *pages, const struct ward_table *table,
			struct ward_table_freed *freed);

#endif
