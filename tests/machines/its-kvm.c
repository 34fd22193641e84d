// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The ITS against KVM's: the same commands and messages into both, from a seed; then registers, saved
 * tables, pending bits and what messages return agree. Each row of KVM's command errors is hit.
 *
 * Usage: its-kvm [ROUNDS [FIRST]]. Prints "ok NAME" or "not ok NAME", what was wrong before it in lines
 * that begin with "# ", and "1..COUNT" at the end.
 */
#include "its-pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum opcode {
	MOVI = 0x01,
	INT = 0x03,
	CLEAR = 0x04,
	SYNC = 0x05,
	MAPD = 0x08,
	MAPC = 0x09,
	MAPTI = 0x0a,
	MAPI = 0x0b,
	INV = 0x0c,
	INVALL = 0x0d,
	MOVALL = 0x0e,
	DISCARD = 0x0f,
	UNKNOWN = 0x42,
};

#define V (UINT64_C(1) << 63)
#define ROUNDS 40u
#define BATCH 12u

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

#define PICK(random, array) ((array)[next_random(random) % (sizeof(array) / sizeof((array)[0]))])

/* Ids at the edges of what tables hold. */
static const uint32_t devices[] = { 0, 1, 2, 7, 300, 1, 2, 8191, 8192, 65535, 65536, 70000 };
static const uint32_t events[] = { 0, 1,   2,	 3,    5,     31,   32,	   511,
				   0, 512, 2047, 8192, 16383, 8193, 65535, UINT32_MAX };
static const uint32_t lpis[] = { 8192, 8193, 8194, 8195,  8196,	 8197,	8199,
				 8200, 8191, 9000, 16383, 16384, 32768, 0 };
static const uint32_t collections[] = { 0, 1, 2, 3, 0, 1, 2, 77, 8191, 8192, 65535 };
static const uint32_t cpus[] = { 0, 1, 2, 0, 1, 2, 0, 1, 2, 3, 0x10000, UINT32_MAX };
static const uint8_t opcodes[] = { MAPD,   MAPD,   MAPD,  MAPC,	   MAPC,    MAPC,   MAPTI, MAPTI,
				   MAPTI,  MAPTI,  MAPTI, MAPTI,   MAPTI,   MAPTI,  MAPI,  MAPI,
				   MOVI,   MOVI,   MOVI,  INT,	   INT,	    INT,    CLEAR, INV,
				   INVALL, MOVALL, SYNC,  DISCARD, DISCARD, UNKNOWN };

/* Where the events of a device are: apart from one another, one long, one partly outside memory. */
static uint64_t itt_of(uint32_t device)
{
	for (uint32_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		if (devices[i] == device)
			return device == 7 ? ITT_END : device == 300 ? ITT_BIG : ITT(i);
	}
	return ITT_OUTSIDE;
}

static uint64_t bits_of(uint32_t device, uint32_t *random)
{
	static const uint8_t sizes[] = { 1, 2, 5, 11, 11, 17, 32 };
	uint32_t bits = PICK(random, sizes);

	return bits == 11 && (device == 7 || device == 300) ? 16 : bits;
}

/* Events that were mapped last: what else is done is done to them half of the time. */
#define RECENT 8u

struct recent {
	uint32_t device[RECENT], event[RECENT], count;
};

static void remember(struct recent *recent, uint32_t device, uint32_t event)
{
	recent->device[recent->count % RECENT] = device;
	recent->event[recent->count++ % RECENT] = event;
}

static void pick_event(const struct recent *recent, uint32_t *random, uint32_t *ret_device,
		       uint32_t *ret_event)
{
	uint32_t one = next_random(random) % (2 * RECENT);

	*ret_device = one < RECENT ? recent->device[one] : PICK(random, devices);
	*ret_event = one < RECENT ? recent->event[one] : PICK(random, events);
}

/* A mapping that is right, if its device is mapped. */
static void map_well(uint32_t *random, uint64_t *words)
{
	words[0] = (uint64_t)(1 + next_random(random) % 2) << 32 | MAPTI;
	words[1] = (uint64_t)(FIRST_LPI + next_random(random) % 8) << 32 | next_random(random) % 4;
	words[2] = next_random(random) % 3;
}

/* MAPC of KVM before 6.13 refuses a CPU that does not exist even where it takes a collection away. */
static void random_command(uint32_t *random, struct recent *recent, uint64_t *words)
{
	uint32_t device, event, chance = next_random(random);

	pick_event(recent, random, &device, &event);
	memset(words, 0, 4 * sizeof(*words));
	words[0] = (uint64_t)device << 32 | PICK(random, opcodes);
	words[1] = event;
	words[2] = PICK(random, collections);
	switch (words[0] & 0xff) {
	case MAPD:
		words[1] = bits_of(device, random) - 1;
		words[2] = (chance % 4 ? V : 0) | (chance % 32 == 1 ? ITT_OUTSIDE : itt_of(device));
		break;
	case MAPC:
		if (chance % 5)
			words[2] |= V | (uint64_t)PICK(random, cpus) << 16;
		break;
	case MAPTI:
		words[1] |= (uint64_t)PICK(random, lpis) << 32;
		if (chance % 2)
			map_well(random, words);
		remember(recent, (uint32_t)(words[0] >> 32), (uint32_t)words[1]);
		break;
	case MAPI:
		remember(recent, device, event);
		break;
	case MOVI:
		if (chance % 2)
			words[2] = chance % 3;
		break;
	case MOVALL:
		words[2] = (uint64_t)PICK(random, cpus) << 16;
		words[3] = (uint64_t)PICK(random, cpus) << 16;
		break;
	default:
		break;
	}
}

enum step_kind {
	COMMAND,
	MESSAGE,
	SWITCH, /* GITS_CTLR */
	CHECK,	/* KVM executes what waits; then both are compared */
	SWAP,
};

struct step {
	enum step_kind kind;
	uint64_t words[4];
};

#define STEPS_MAX 1024u

struct script {
	struct step steps[STEPS_MAX];
	uint32_t count;
};

static void add(struct script *script, const struct step *step)
{
	if (script->count < STEPS_MAX)
		script->steps[script->count++] = *step;
}

static void add_check(struct script *script)
{
	add(script, &(struct step){ .kind = CHECK });
}

static void add_switch(struct script *script, bool on)
{
	add(script, &(struct step){ .kind = SWITCH, .words = { on } });
}

static void add_messages(struct script *script, const struct recent *recent, uint32_t *random)
{
	for (uint32_t i = 0; i < 8; i++) {
		uint32_t device, event;

		pick_event(recent, random, &device, &event);
		add(script, &(struct step){ .kind = MESSAGE, .words = { device, event } });
	}
}

/* All messages there are: what tables say is also what is done. */
static void add_all_messages(struct script *script)
{
	for (uint32_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		for (uint32_t j = 0; j < sizeof(events) / sizeof(events[0]); j++)
			add(script,
			    &(struct step){ .kind = MESSAGE, .words = { devices[i], events[j] } });
	}
	add_check(script);
}

static void make_script(struct script *script, uint32_t seed)
{
	uint32_t random = seed * 2654435761u;
	struct recent recent = { .count = 0 };

	script->count = 0;
	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint32_t kind = next_random(&random) % 16;

		if (kind == 0)
			add_switch(script, false);
		if (kind < 4)
			add_messages(script, &recent, &random);
		if (kind == 0)
			add_switch(script, true);
		for (uint32_t i = next_random(&random) % BATCH; kind >= 4 && i > 0; i--) {
			struct step step = { .kind = COMMAND };

			random_command(&random, &recent, step.words);
			add(script, &step);
		}
		add_check(script);
	}
	add_all_messages(script);
	add(script, &(struct step){ .kind = SWAP });
	add_all_messages(script);
}

/*
 * KVM remembers translations, and does not forget them when a collection goes to a CPU that has
 * LPIs off (Linux 6.1 to 6.12): ours do, so KVM is made to.
 */
static bool forgets(struct pair *pair)
{
	return pair->plan.off_cpu >= GUEST_CPUS ||
	       (pair_enable(pair, false) && pair_enable(pair, true));
}

static bool run_step(struct pair *pair, const struct step *step, bool *forgotten)
{
	switch (step->kind) {
	case COMMAND:
		*forgotten = false;
		return pair_command(pair, step->words);
	case MESSAGE:
		if (pair->on && !*forgotten && !forgets(pair))
			return false;
		*forgotten = true;
		return pair_message(pair, (uint32_t)step->words[0], (uint32_t)step->words[1]);
	case SWITCH:
		return pair_enable(pair, step->words[0]);
	case CHECK:
		return pair_run(pair) && pair_agrees(pair, true);
	case SWAP:
		return pair_swaps(pair);
	}
	return false;
}

/* each: KVM executes command by command. */
static bool run_script(const struct plan *plan, const struct script *script, bool each)
{
	static const struct step check = { .kind = CHECK };
	bool good = true, forgotten = false;
	struct pair pair;

	if (!pair_open(&pair, plan))
		return false;
	for (uint32_t i = 0; i < script->count && good; i++) {
		good = run_step(&pair, &script->steps[i], &forgotten);
		if (each && script->steps[i].kind == COMMAND)
			good = good && run_step(&pair, &check, &forgotten);
	}
	pair_close(&pair);
	return good;
}

/* Takes out what it fails without, in smaller and smaller pieces. */
static void shrink(const struct plan *plan, struct script *script)
{
	static struct script less;

	for (uint32_t size = script->count / 2; size > 0; size /= 2) {
		for (uint32_t at = 0; at < script->count;) {
			uint32_t end = at + size < script->count ? at + size : script->count;

			less.count = script->count - (end - at);
			memcpy(less.steps, script->steps, at * sizeof(script->steps[0]));
			memcpy(less.steps + at, script->steps + end,
			       (script->count - end) * sizeof(script->steps[0]));
			if (run_script(plan, &less, true))
				at += size;
			else
				*script = less;
		}
	}
}

static void say_script(const struct script *script)
{
	static const char *const names[] = { "command", "message", "switch", "check", "swap" };

	for (uint32_t i = 0; i < script->count; i++) {
		const uint64_t *words = script->steps[i].words;

		pair_say("  %s %#llx %#llx %#llx %#llx", names[script->steps[i].kind],
			 (unsigned long long)words[0], (unsigned long long)words[1],
			 (unsigned long long)words[2], (unsigned long long)words[3]);
	}
}

static bool random_round(uint32_t seed)
{
	const struct plan plan = {
		.seed = seed,
		.device_pages = seed % 3 == 0	? 0
				: seed % 3 == 1 ? 1
						: 8,
		.lpi_bits = seed % 4 == 0 ? 16 : 14,
		.off_cpu = seed % 5 == 0 ? 2 : GUEST_CPUS,
		.no_table_cpu = seed % 7 == 0 ? 1 : GUEST_CPUS,
		.seeds_pending = seed % 2,
	};
	static struct script script;
	static bool shown;

	make_script(&script, seed);
	if (run_script(&plan, &script, false))
		return true;
	/* It takes some time: the first one is enough. */
	if (shown)
		return false;
	shown = true;
	pair_quiet(true);
	if (run_script(&plan, &script, true)) {
		pair_quiet(false);
		pair_say("one by one they agree");
		return false;
	}
	shrink(&plan, &script);
	pair_quiet(false);
	pair_say("seed %u, the least that shows it:", seed);
	say_script(&script);
	(void)run_script(&plan, &script, true);
	return false;
}

/* One row of the table of errors: in the state that `prepare` leads to. */
struct error_row {
	const char *name;
	uint64_t words[4];
	uint32_t syndrome; /* 0: the architecture has none; NO_ERROR */
};

#define NO_ERROR UINT32_MAX
#define DEV(device, opcode) (UINT64_C(device) << 32 | (opcode))
#define TO(cpu) (UINT64_C(cpu) << 16)
#define LPI(intid) (UINT64_C(intid) << 32)

static const uint64_t prepare[][4] = {
	{ DEV(1, MAPD), 4, V | ITT(1), 0 },
	{ DEV(7, MAPD), 15, V | ITT_END, 0 },
	{ DEV(300, MAPD), 15, V | ITT_BIG, 0 },
	{ MAPC, 0, V | TO(0) | 0, 0 },
	{ MAPC, 0, V | TO(1) | 1, 0 },
	{ MAPC, 0, V | TO(2) | 2, 0 },
	{ DEV(1, MAPTI), LPI(8192) | 0, 0, 0 },
	{ DEV(1, MAPTI), LPI(8193) | 1, 77, 0 }, /* a collection nobody mapped */
	{ DEV(1, MAPTI), LPI(8194) | 2, 2, 0 },	 /* LPIs are off there */
};

static const struct error_row error_rows[] = {
	{ "MAPD: beyond the table", { DEV(70000, MAPD), 4, V | ITT(2), 0 }, 0x010801 },
	{ "MAPD: the table's page is not in memory",
	  { DEV(65535, MAPD), 4, V | ITT(2), 0 },
	  0x010801 },
	{ "MAPD: unmapping beyond the table", { DEV(70000, MAPD), 0, 0, 0 }, 0x010801 },
	{ "MAPD: too many events", { DEV(2, MAPD), 16, V | ITT(2), 0 }, 0x010802 },
	{ "MAPC: no such CPU", { MAPC, 0, V | TO(3) | 3, 0 }, 0x010902 },
	{ "MAPC: beyond the table", { MAPC, 0, V | TO(0) | 8192, 0 }, 0x010903 },
	{ "MAPTI: no device", { DEV(2, MAPTI), LPI(8199) | 0, 0, 0 }, 0x010a04 },
	{ "MAPTI: event beyond its table", { DEV(1, MAPTI), LPI(8199) | 32, 0, 0 }, 0x010a05 },
	{ "MAPTI: event outside memory", { DEV(7, MAPTI), LPI(8199) | 512, 0, 0 }, 0x010a05 },
	{ "MAPTI: no LPI", { DEV(1, MAPTI), LPI(8191) | 3, 0, 0 }, 0x010a06 },
	{ "MAPTI: LPI too high", { DEV(1, MAPTI), LPI(16384) | 3, 0, 0 }, 0x010a06 },
	{ "MAPTI: collection beyond the table",
	  { DEV(1, MAPTI), LPI(8199) | 3, 8192, 0 },
	  0x010903 },
	{ "MAPTI: mapped already", { DEV(1, MAPTI), LPI(8199) | 0, 1, 0 }, NO_ERROR },
	{ "MAPI: no device", { DEV(2, MAPI), 8199, 0, 0 }, 0x010a04 },
	{ "MAPI: event beyond its table", { DEV(1, MAPI), 8199, 0, 0 }, 0x010a05 },
	{ "MAPI: no LPI", { DEV(300, MAPI), 5, 0, 0 }, 0x010a06 },
	{ "MAPI: LPI too high", { DEV(300, MAPI), 16384, 0, 0 }, 0x010a06 },
	{ "MAPI: collection beyond the table", { DEV(300, MAPI), 8199, 8192, 0 }, 0x010903 },
	{ "MOVI: no event", { DEV(1, MOVI), 9, 1, 0 }, 0x010107 },
	{ "MOVI: no device", { DEV(2, MOVI), 0, 1, 0 }, 0x010107 },
	{ "MOVI: from no collection", { DEV(1, MOVI), 1, 1, 0 }, 0x010109 },
	{ "MOVI: to no collection", { DEV(1, MOVI), 0, 77, 0 }, 0x010109 },
	{ "INT: no event", { DEV(1, INT), 9, 0, 0 }, 0x010307 },
	{ "INT: no device", { DEV(2, INT), 0, 0, 0 }, 0x010307 },
	{ "INT: no collection", { DEV(1, INT), 1, 0, 0 }, 0x010307 },
	{ "INT: LPIs are off", { DEV(1, INT), 2, 0, 0 }, 0 },
	{ "CLEAR: no event", { DEV(1, CLEAR), 9, 0, 0 }, 0x010507 },
	{ "INV: no event", { DEV(1, INV), 9, 0, 0 }, 0x010c07 },
	{ "INVALL: no collection", { INVALL, 0, 77, 0 }, 0x010d09 },
	{ "MOVALL: from no CPU", { MOVALL, 0, TO(3), TO(0) }, 0x010e01 },
	{ "MOVALL: to no CPU", { MOVALL, 0, TO(0), TO(3) }, 0x010e01 },
	{ "DISCARD: no event", { DEV(1, DISCARD), 9, 0, 0 }, 0x010f07 },
	{ "DISCARD: no collection", { DEV(1, DISCARD), 1, 0, 0 }, 0x010f07 },
	{ "no such command", { DEV(1, UNKNOWN), 0, 0, 0 }, 0 },
};

/* The error is ours to tell (KVM keeps none); that nothing else came of it is for both. */
static bool hits(struct pair *pair, const struct error_row *row)
{
	struct ward_its_error before = { .count = 0 }, after = { .count = 0 };
	bool expected = row->syndrome != NO_ERROR, agrees;

	(void)ward_its_error(pair->own.own_its, &before);
	agrees = pair_command(pair, row->words) && pair_run(pair) && pair_agrees(pair, true);
	(void)ward_its_error(pair->own.own_its, &after);
	if (!agrees)
		pair_say("%s: differs", row->name);
	if (after.count - before.count != expected)
		pair_say("%s: not hit", row->name);
	else if (expected && after.syndrome != row->syndrome)
		pair_say("%s: it is %#x", row->name, after.syndrome);
	else
		return agrees;
	return false;
}

static bool every_error(uint32_t device_pages)
{
	const struct plan plan = {
		.device_pages = device_pages,
		.lpi_bits = 14,
		.off_cpu = 2,
		.no_table_cpu = GUEST_CPUS,
	};
	bool good = true;
	struct pair pair;

	if (!pair_open(&pair, &plan))
		return false;
	for (unsigned int i = 0; i < sizeof(prepare) / sizeof(prepare[0]); i++)
		good = good && pair_command(&pair, prepare[i]);
	good = good && pair_run(&pair) && pair_agrees(&pair, true);
	for (unsigned int i = 0; i < sizeof(error_rows) / sizeof(error_rows[0]); i++)
		good = hits(&pair, &error_rows[i]) && good;
	pair_close(&pair);
	return good;
}

#define CTLR 0x0u
#define CBASER 0x80u
#define CWRITER 0x88u
#define CREADR 0x90u
#define BASER(n) (0x100u + (n)*8u)

/* Registers one after the other; both have to read back the same after each. */
static const struct {
	uint32_t offset;
	uint64_t value;
	uint8_t size;
} writes[] = {
	/* While it is on: ignored. */
	{ CBASER, 0, 8 },
	{ BASER(0), 0, 8 },
	{ BASER(1), UINT64_MAX, 8 },
	{ CWRITER, 0x1000, 8 },
	{ CWRITER, 0xfffe0, 8 },
	{ CWRITER, 0xfff00000, 8 },
	{ CTLR, 0, 4 },
	/* The kinds of table pages, of memory, and the size. */
	{ BASER(0), UINT64_MAX, 8 },
	{ BASER(0), 0, 8 },
	{ BASER(0), V | DEVICE_TABLE, 8 },
	{ BASER(0), V | 1 << 8 | DEVICE_TABLE, 8 },
	{ BASER(0), V | 3 << 8 | DEVICE_TABLE | 0xf000, 8 },
	{ BASER(0), V | UINT64_C(1) << 62 | 1 << 10 | DEVICE_TABLE, 8 },
	{ BASER(0), V | 2 << 10 | UINT64_C(1) << 59 | UINT64_C(3) << 53, 8 },
	{ BASER(1), UINT64_MAX, 8 },
	{ BASER(1), V | UINT64_C(7) << 59 | UINT64_C(7) << 53 | COLLECTION_TABLE | 5, 8 },
	{ BASER(1), V | UINT64_C(2) << 59 | 3 << 10 | COLLECTION_TABLE, 8 },
	{ BASER(2), UINT64_MAX, 8 },
	{ BASER(7), UINT64_MAX, 8 },
	{ CBASER, UINT64_MAX, 8 },
	{ CBASER, V | QUEUE | 0xf000, 8 },
	{ CBASER, V | UINT64_C(1) << 59 | 2 << 10 | QUEUE | 3, 8 },
	{ CWRITER, 0x21, 8 },
	{ CWRITER, 0x3fe0, 8 },
	{ CWRITER, 0x4000, 8 },
	{ CREADR, 0x3fe0, 8 },
	{ CREADR, 0x4000, 8 },
	/* Not switched on without a queue and tables. */
	{ CBASER, QUEUE, 8 },
	{ CTLR, 1, 4 },
	{ CBASER, V | QUEUE, 8 },
	{ BASER(0), 0, 8 },
	{ CTLR, 1, 4 },
	{ BASER(0), V | 2 << 8 | DEVICE_TABLE, 8 },
	{ BASER(1), 0, 8 },
	{ CTLR, 1, 4 },
	{ BASER(1), V | 2 << 8 | COLLECTION_TABLE, 8 },
	/* A queue that is not in memory: what cannot be read is skipped. */
	{ CBASER, V | (GUEST_MEMORY + 0x10000000), 8 },
	{ CTLR, 1, 4 },
	{ CWRITER, 0x40, 8 },
	{ CWRITER, 0x20, 8 },
	{ CTLR, 0xffffffff, 4 },
	{ CTLR, 0, 4 },
};

static bool registers_read_back(void)
{
	const struct plan plan = {
		.device_pages = 8, .lpi_bits = 16, .off_cpu = GUEST_CPUS, .no_table_cpu = GUEST_CPUS
	};
	bool good = true;
	struct pair pair;

	if (!pair_open(&pair, &plan))
		return false;
	for (unsigned int i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
		bool same = pair_write(&pair, writes[i].offset, writes[i].value, writes[i].size) &&
			    pair_agrees(&pair, false);

		if (!same)
			pair_say("after %#llx was written to %#x",
				 (unsigned long long)writes[i].value, writes[i].offset);
		good = good && same;
	}
	pair_close(&pair);
	return good;
}

static unsigned int cases;

static bool report(bool good, const char *format, uint32_t number)
{
	printf(good ? "ok " : "not ok ");
	printf(format, number);
	printf("\n");
	fflush(stdout);
	cases++;
	return good;
}

int main(int argc, char **argv)
{
	uint32_t rounds = argc > 1 ? (uint32_t)atoi(argv[1]) : 24;
	uint32_t first = argc > 2 ? (uint32_t)atoi(argv[2]) : 1;
	bool good = true;

	good &= report(registers_read_back(), "%u register writes",
		       sizeof(writes) / sizeof(writes[0]));
	good &= report(every_error(1), "each command error, device table of %u page", 1);
	good &= report(every_error(0), "each command error, device table of %u levels", 2);
	for (uint32_t seed = first; seed < first + rounds; seed++)
		good &= report(random_round(seed), "commands and messages, seed %u", seed);
	printf("1..%u\n", cases);
	return good ? 0 : 1;
}
