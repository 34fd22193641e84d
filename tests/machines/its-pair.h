/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Two guests that are told the same, and what of them has to agree. */
#ifndef TESTS_MACHINES_ITS_PAIR_H
#define TESTS_MACHINES_ITS_PAIR_H

#include "its-guest.h"

/* Where things are in a guest's memory. */
#define QUEUE (GUEST_MEMORY + 0x000000) /* 4 KiB: 128 commands */
#define PROP (GUEST_MEMORY + 0x010000)
#define PEND(cpu) (GUEST_MEMORY + 0x020000 + (cpu)*0x10000ull)
#define DEVICE_TABLE (GUEST_MEMORY + 0x080000) /* 8 pages; or level 1, and 7 of level 2 */
#define COLLECTION_TABLE (GUEST_MEMORY + 0x100000)
#define ITT(slot) (GUEST_MEMORY + 0x110000 + (slot)*0x4000ull) /* 2048 events, 16 slots */
#define ITT_BIG (GUEST_MEMORY + 0x180000)		       /* 65536 events */
#define ITT_END (GUEST_MEMORY + GUEST_BYTES - 0x1000)	       /* 512 events are in memory */
#define ITT_OUTSIDE (GUEST_MEMORY + GUEST_BYTES)

#define QUEUE_BYTES 0x1000u
#define FIRST_LPI 8192u
#define LPI_BITS 16u

/* How the guests are set up. */
struct plan {
	uint32_t seed;
	uint32_t device_pages; /* 0: two levels */
	uint32_t lpi_bits;     /* GICR_PROPBASER */
	uint32_t off_cpu;      /* has LPIs off; or GUEST_CPUS */
	uint32_t no_table_cpu; /* its pending table is not in memory; or GUEST_CPUS */
	bool seeds_pending;    /* the pending tables have bits before an LPI is mapped */
};

struct pair {
	struct plan plan;
	struct guest kvm, own;
	uint32_t writer; /* GITS_CWRITER */
	bool on;	 /* GITS_CTLR */
};

/* its-pair.c. Where it returns false it has printed why, as "# TEXT". */
bool pair_open(struct pair *pair, const struct plan *plan);
void pair_close(struct pair *pair);
/* Puts a command into both queues; KVM executes it with the next pair_run, ours at once. */
bool pair_command(struct pair *pair, const uint64_t *words);
bool pair_run(struct pair *pair);
bool pair_message(struct pair *pair, uint32_t device, uint32_t event);
bool pair_enable(struct pair *pair, bool on);
/* A register of the ITS. */
bool pair_write(struct pair *pair, uint32_t offset, uint64_t value, unsigned int size);
/* Registers, and (saves) tables and pending bits. */
bool pair_agrees(struct pair *pair, bool saves);
/*
 * Each is replaced by a new one that restores what the other saved. false: one did, the other not; or
 * what they made of it differs.
 */
bool pair_swaps(struct pair *pair);
/* Says nothing from now on. */
void pair_quiet(bool quiet);
void pair_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* its-map.c: what saved tables say, in one order. */
struct map_row {
	uint64_t key, value;
};

#define MAP_ROWS 8192u

struct map {
	struct map_row rows[MAP_ROWS];
	uint32_t count;
	bool full;
};

void map_read(struct map *map, const struct guest *guest, const struct plan *plan);
/* false: and the first difference was printed. */
bool map_same(const struct map *kvm, const struct map *own);

#endif
