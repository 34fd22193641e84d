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

/*
 * Levels 0 to 3, as Arm counts them: the last one is 3. Tables of five levels (VT-d with 57 bits,
 * Arm with LPA2) are not spoken of here.
 */
#define WARD_TABLE_LAST_LEVEL 3

/* What an entry is. */
enum ward_entry_kind {
	WARD_ENTRY_INVALID,
	WARD_ENTRY_TABLE,
	WARD_ENTRY_LEAF,
	WARD_ENTRY_RESERVED, /* valid, with a reserved bit set; formats that fault on it (VT-d) */
};

/*
 * What table entries forbid for all below them (Arm stage 1: APTable, XNTable; VT-d: R and W of
 * every level); zero is no restriction.
 */
struct ward_table_limits {
	bool no_read, no_write, no_exec;
	bool no_unprivileged; /* no reading and writing: a device's requests are unprivileged */
};

struct ward_table;

/* A format: ten small functions. */
struct ward_table_format {
	const char *name;
	/* A leaf without this bit faults, unless the table says access_flag_off; 0: there is none. */
	uint64_t access_flag;
	/* Leaves may stand at this level (0 to 3) with this granule. */
	bool (*leaf_allowed)(const struct ward_table *table, int level);
	enum ward_entry_kind (*kind)(const struct ward_table *table, uint64_t entry, int level);
	/* Output address of a leaf or next table; bits below its size do not count. */
	uint64_t (*address)(const struct ward_table *table, uint64_t entry, int level);
	/* WARD_READ... that a leaf gives, limits applied; and its type. */
	uint32_t (*access)(const struct ward_table *table, uint64_t entry,
			   const struct ward_table_limits *limits);
	enum ward_memory_type (*type)(const struct ward_table *table, uint64_t entry);
	/* log2 of the entries in the contiguous run this leaf says it is part of; NULL: none. */
	unsigned int (*run)(const struct ward_table *table, uint64_t entry, int level);
	/* Adds what a table entry forbids; NULL: nothing. */
	void (*limit)(const struct ward_table *table, uint64_t entry,
		      struct ward_table_limits *limits);
	uint64_t (*make_table)(const struct ward_table *table, uint64_t address);
	/* 0: the format cannot say it. */
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
	bool high_bits;		/* Arm: entries of 64 KiB pages have address bits 51:48 */
	uint64_t hardware_bits; /* VT-d: WARD_VTD_* that are not reserved in leaves */
};

/* Bits of VT-d leaves that exist where the hardware says so (ECAP.SC, ECAP.DT). */
#define WARD_VTD_SNOOP (1ull << 11) /* set in the leaves that are made, too */
#define WARD_VTD_TRANSIENT (1ull << 62)

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
 * Start level and concatenation for an input size: as few levels as can be. Returns 0 and the level
 * and log2 of the number of concatenated tables (stage 2, at most 16), or -EINVAL where the
 * architecture has none. Arm: sizes of the small-tables extension (below 25 bits) at stage 1 only.
 */
int ward_table_start(const struct ward_table_format *format, unsigned int granule_shift,
		     unsigned int input_bits, unsigned int output_bits, int *ret_level,
		     unsigned int *ret_concatenated);
/* Size and alignment of the first table in bytes, concatenated ones together. */
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
	/*
	 * What the leaf covers; or the run of leaves, where it is marked contiguous and all of the
	 * run say the same. Where they do not, what comes out is up to the hardware (DDI 0487, K1:
	 * CONSTRAINED UNPREDICTABLE); here every leaf then stands for itself, which is one of the
	 * choices.
	 */
	struct ward_range input;
	int level;
	uint64_t entry, entry_at;
};

/* Told of every entry read on the way; for explanations. */
typedef void ward_table_step(void *context, int level, uint64_t entry_at, uint64_t entry,
			     uint64_t output);

/*
 * Walks. access is what is tried; 0 asks for the leaf whatever it lets through. Returns 0, or
 * -EFAULT with reason, stage, level, fetch of *ret_fault filled (iova, access, class and gpa are the
 * caller's). On success *ret_fault means nothing. step and ret_fault may be NULL.
 *
 * Reasons: TRANSLATION (level 0 when input has too many bits), ADDRESS_SIZE (level 0 when it is the
 * root; VT-d: also any other reserved bit), ACCESS_FLAG, PERMISSION, in this order, and TABLE
 * where an entry cannot be read.
 */
int ward_table_walk(const struct ward_table *table, const struct ward_entry_reader *reader,
		    uint64_t input, uint32_t access, ward_table_step *step, void *step_context,
		    struct ward_table_leaf *ret_leaf, struct ward_fault *ret_fault);

/*
 * Pages for tables, out of a range of one writable region of a ward_memory (what is not a whole
 * 4 KiB page of it stays unused). Every size is rounded up to 4 KiB. Threads: one at a time.
 */
struct ward_table_pages;
/* 0; -EINVAL no whole page, or not in one region that can be written; -ENOMEM */
int ward_table_pages_create(struct ward_memory *memory, struct ward_range range,
			    struct ward_table_pages **ret_pages);
void ward_table_pages_destroy(struct ward_table_pages *pages);
/* Zeroed, aligned to size (a power of two). 0; -EINVAL no such size; -ENOMEM */
int ward_table_pages_alloc(struct ward_table_pages *pages, uint64_t size, uint64_t *ret_address);
/* What was not given out is left alone. */
void ward_table_pages_free(struct ward_table_pages *pages, uint64_t address, uint64_t size);
uint64_t ward_table_pages_used(const struct ward_table_pages *pages); /* bytes */
struct ward_memory *ward_table_pages_memory(const struct ward_table_pages *pages);

/*
 * Makes a table: root, start level. The other fields of *table are the caller's, filled before.
 * 0; -EINVAL no such geometry; -ENOMEM. A table has one changer at a time; others may walk.
 */
int ward_table_create(struct ward_table *table, struct ward_table_pages *pages);
/* Frees it and everything below. */
void ward_table_destroy(struct ward_table *table, struct ward_table_pages *pages);

/*
 * Maps, with the largest leaves that fit (page_sizes: bit n allows leaves of 2^n bytes, 0 all).
 * What is there must be free. An entry becomes valid only when what it leads to is complete.
 * Returns 0; -EINVAL alignment, range, or the format cannot say access or type (Arm stage 1 has no
 * write-only, and only the types in MAIR; VT-d has no types and takes all); -EEXIST; -ENOMEM;
 * -EFAULT the tables are damaged. On failure nothing is left of it.
 */
int ward_table_map(struct ward_table *table, struct ward_table_pages *pages,
		   struct ward_range input, uint64_t output, uint32_t access,
		   enum ward_memory_type type, uint64_t page_sizes);

/*
 * Clears leaves; where nothing is mapped, nothing is done. A larger leaf at a bound is split, which
 * takes tables; whoever walks finds the large leaf, or the small ones without what was taken out.
 * 0; -EINVAL; -ENOMEM; on failure nothing was done. -EFAULT the tables are damaged: what could be
 * reached is gone. Tables that become empty may still be walked until the caller has invalidated:
 * they are kept in *ret_freed until ward_table_release.
 */
struct ward_table_freed {
	uint64_t first; /* chain through the tables' own first words; 0 none */
};
int ward_table_unmap(struct ward_table *table, struct ward_table_pages *pages,
		     struct ward_range input, struct ward_table_freed *ret_freed);
void ward_table_release(struct ward_table_pages *pages, const struct ward_table *table,
			struct ward_table_freed *freed);

#endif
