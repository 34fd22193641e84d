// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Commands of an ITS, many with one kick; the cost of a kick without commands is taken off. */
#include <endian.h>
#include <string.h>

#include "msi_its.h"

#define QUEUE 0x0ull /* in memory; 1 MiB */
#define QUEUE_BYTES 0x100000ull
#define PROPBASE 0x200000ull
#define PENDBASE 0x300000ull
#define DEVICES 0x400000ull
#define COLLECTIONS 0x500000ull
#define ITT 0x800000ull
#define VALID (1ull << 63)

#define COMMANDS 32000u /* in one kick; as many events and LPIs */
#define ITT_BITS 15u
#define ROUNDS 5u
#define KICKS 200u

struct run {
	struct its_subject *subject;
	uint64_t head;
	double empty; /* seconds of a kick */
	int failed;
};

static void write_register(struct run *run, enum its_frame frame, uint32_t offset, uint64_t value,
			   unsigned int size)
{
	if (run->subject->write(run->subject, frame, offset, value, size))
		run->failed = -1;
}

static void put(struct run *run, uint64_t w0, uint64_t w1, uint64_t w2)
{
	uint64_t words[4] = { htole64(w0), htole64(w1), htole64(w2), 0 };

	memcpy(run->subject->memory + QUEUE + run->head, words, sizeof(words));
	run->head = (run->head + sizeof(words)) % QUEUE_BYTES;
}

/* Seconds of CPU time for what is in the queue. */
static double kick(struct run *run)
{
	double since = run->subject->seconds(run->subject);

	write_register(run, FRAME_ITS, 0x88, run->head, 8);
	return run->subject->seconds(run->subject) - since - run->empty;
}

static void keep_best(double *best, double seconds, uint32_t count)
{
	double each = seconds * 1e9 / count;

	if (*best == 0 || each < *best)
		*best = each;
}

/* Redistributor 0 with 57,344 LPIs, all enabled; tables, a queue, one collection. */
static void set_up(struct run *run)
{
	memset(run->subject->memory + PROPBASE, 0xa1, 0x10000 - 8192);
	write_register(run, FRAME_DISTRIBUTOR, 0x0, 0x12, 4);
	write_register(run, FRAME_REDISTRIBUTOR, 0x70, (ITS_MEMORY + PROPBASE) | 15, 8);
	write_register(run, FRAME_REDISTRIBUTOR, 0x78, ITS_MEMORY + PENDBASE, 8);
	write_register(run, FRAME_REDISTRIBUTOR, 0x0, 1, 4);
	write_register(run, FRAME_ITS, 0x100, VALID | (ITS_MEMORY + DEVICES) | 2 << 8 | 7, 8);
	write_register(run, FRAME_ITS, 0x108, VALID | (ITS_MEMORY + COLLECTIONS) | 2 << 8, 8);
	write_register(run, FRAME_ITS, 0x80,
		       VALID | (ITS_MEMORY + QUEUE) | (QUEUE_BYTES / 0x1000 - 1), 8);
	write_register(run, FRAME_ITS, 0x0, 1, 4);
	put(run, 0x09, 0, VALID);
	(void)kick(run);
}

static void map_device(struct run *run)
{
	/* What was in the table before is nobody's. */
	memset(run->subject->memory + ITT, 0, 16u << ITT_BITS);
	put(run, 0x08 | 1ull << 32, ITT_BITS - 1, VALID | (ITS_MEMORY + ITT));
	(void)kick(run);
}

static double run_events(struct run *run, uint64_t opcode, uint64_t first, uint64_t count)
{
	for (uint64_t i = first; i < first + count; i++) {
		uint64_t intid = opcode == 0x0a ? (8192 + i) << 32 : 0;

		put(run, opcode | 1ull << 32, i | intid, 0);
	}
	return kick(run);
}

/* Nothing is pending. */
static void measure_inv(struct run *run, struct its_figures *figures)
{
	uint32_t few = run->subject->few;

	for (uint64_t i = 0; i < few; i++) {
		put(run, 0x0c | 1ull << 32, i, 0);
		put(run, 0x05, 0, 0);
	}
	keep_best(&figures->inv_sync, kick(run), few);
}

/* All of them are pending, and none afterwards: QEMU's bits are in memory and nowhere else. */
static void measure_clear(struct run *run, struct its_figures *figures)
{
	uint32_t few = run->subject->few;

	for (uint32_t first = 0; first < COMMANDS && first < 2 * few; first += few)
		keep_best(&figures->clear, run_events(run, 0x04, first, few), few);
	memset(run->subject->memory + PENDBASE, 0, 0x2000);
}

static void measure_kick(struct run *run, struct its_figures *figures)
{
	double since = run->subject->seconds(run->subject);

	for (unsigned int i = 0; i < KICKS; i++)
		(void)kick(run);
	run->empty = (run->subject->seconds(run->subject) - since) / KICKS;
	figures->empty_kick = run->empty * 1e9;
}

int its_measure(struct its_subject *subject, struct its_figures *ret_figures)
{
	struct its_figures figures = { 0 };
	struct run run = { .subject = subject };

	set_up(&run);
	measure_kick(&run, &figures);
	for (unsigned int round = 0; round < ROUNDS && !run.failed; round++) {
		map_device(&run);
		keep_best(&figures.mapti, run_events(&run, 0x0a, 0, COMMANDS), COMMANDS);
		measure_inv(&run, &figures);
		keep_best(&figures.interrupt, run_events(&run, 0x03, 0, COMMANDS), COMMANDS);
		measure_clear(&run, &figures);
	}
	if (run.failed)
		return -1;
	*ret_figures = figures;
	return 0;
}
