// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Commands and messages made by chance against a reference that keeps its maps in plain arrays and
 * knows nothing of how the ITS does it. After each step the reference says whether the command is
 * in error; now and then every event is looked at, and every pending bit. Tables are saved and
 * restored on the way.
 */
#include "emul/its_rig.h"

#include <stdio.h>
#include <stdlib.h>

#define STEPS 4000u
#define SEEDS 12u

/* Ids are few, so that they meet; the last of each is out of range. */
#define DEVICES 6u
#define EVENTS 9u
#define COLLECTIONS 5u
#define LPIS 8u
#define NOWHERE UINT32_MAX

static const uint32_t devices[DEVICES] = { 0, 1, 63, 0x100, 0xffff, 0x10000 };
static const uint32_t events[EVENTS] = { 0, 1, 2, 3, 7, 8, 100, 255, 0x10000 };
static const uint16_t icids[COLLECTIONS] = { 0, 1, 77, 8191, 8192 };
static const uint32_t lpis[LPIS] = { 8192, 8193, 9000, 20000, 65535, 8191, 65536, UINT32_MAX };
#define GOOD_DEVICES (DEVICES - 1)
#define GOOD_EVENTS (EVENTS - 1)
#define GOOD_COLLECTIONS (COLLECTIONS - 1)
#define GOOD_LPIS 5u

struct model {
	bool kvm, exclusive;
	unsigned int bits[DEVICES]; /* 0: not mapped */
	bool known[COLLECTIONS];    /* KVM */
	uint32_t cpu[COLLECTIONS];  /* NOWHERE: not mapped */
	bool mapped[DEVICES][EVENTS];
	unsigned int lpi[DEVICES][EVENTS];
	unsigned int collection[DEVICES][EVENTS]; /* COLLECTIONS: none any more (KVM) */
	uint32_t goes[LPIS];			  /* KVM: where an LPI goes */
	bool pending[RIG_CPUS][LPIS];
	bool waiting[LPIS];	    /* KVM: pending, and goes nowhere */
	bool table[RIG_CPUS][LPIS]; /* pending bits in memory */
};

static uint64_t state;

static uint32_t chance(uint32_t below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((state >> 33) % below);
}

static unsigned int users(const struct model *m, unsigned int lpi)
{
	unsigned int count = 0;

	for (unsigned int d = 0; d < DEVICES; d++) {
		for (unsigned int e = 0; e < EVENTS; e++)
			count += m->mapped[d][e] && m->lpi[d][e] == lpi;
	}
	return count;
}

static void drop(struct model *m, unsigned int d, unsigned int e)
{
	unsigned int l = m->lpi[d][e];
	bool was = m->mapped[d][e];

	m->mapped[d][e] = false;
	if (m->kvm && was && users(m, l) == 0) {
		m->waiting[l] = false;
		if (m->goes[l] != NOWHERE)
			m->pending[m->goes[l]][l] = false;
	}
}

static void drop_device(struct model *m, unsigned int d)
{
	for (unsigned int e = 0; e < EVENTS; e++)
		drop(m, d, e);
	m->bits[d] = 0;
}

static bool fits(const struct model *m, unsigned int d, unsigned int e)
{
	return events[e] >> m->bits[d] == 0;
}

/* Where messages of an event go. */
static uint32_t target(const struct model *m, unsigned int d, unsigned int e)
{
	unsigned int c = m->collection[d][e];

	if (c == COLLECTIONS || m->cpu[c] == NOWHERE)
		return NOWHERE;
	return m->kvm ? m->goes[m->lpi[d][e]] : m->cpu[c];
}

/* Its collection is mapped. */
static bool rings(const struct model *m, unsigned int d, unsigned int e)
{
	unsigned int c = m->collection[d][e];

	return c != COLLECTIONS && m->cpu[c] != NOWHERE;
}

static void go(struct model *m, unsigned int lpi, uint32_t cpu)
{
	uint32_t old = m->goes[lpi];

	if (old != NOWHERE && old != cpu && m->pending[old][lpi]) {
		m->pending[old][lpi] = false;
		m->pending[cpu][lpi] = true;
	}
	if (old != cpu && m->waiting[lpi]) {
		m->waiting[lpi] = false;
		m->pending[cpu][lpi] = true;
	}
	m->goes[lpi] = cpu;
}

static bool model_mapd(struct model *m, unsigned int d, unsigned int bits)
{
	if (d >= GOOD_DEVICES || bits > 16)
		return false;
	drop_device(m, d);
	m->bits[d] = bits;
	return true;
}

static bool model_mapc(struct model *m, unsigned int c, uint32_t cpu)
{
	if (m->kvm && cpu == NOWHERE) {
		for (unsigned int d = 0; d < DEVICES; d++) {
			for (unsigned int e = 0; e < EVENTS; e++) {
				if (m->collection[d][e] == c)
					m->collection[d][e] = COLLECTIONS;
			}
		}
		m->known[c] = false;
		m->cpu[c] = NOWHERE;
		return true;
	}
	if (c >= GOOD_COLLECTIONS || (cpu >= RIG_CPUS && cpu != NOWHERE))
		return false;
	m->cpu[c] = cpu;
	m->known[c] = true;
	for (unsigned int d = 0; m->kvm && d < DEVICES; d++) {
		for (unsigned int e = 0; e < EVENTS; e++) {
			if (m->mapped[d][e] && m->collection[d][e] == c)
				go(m, m->lpi[d][e], cpu);
		}
	}
	return true;
}

/* KVM: a new LPI's pending bit is the one in memory, and taken from there. */
static void load(struct model *m, unsigned int l)
{
	uint32_t cpu = m->goes[l];

	m->waiting[l] = false;
	if (!m->kvm || cpu == NOWHERE)
		return;
	m->pending[cpu][l] = m->table[cpu][l];
	m->table[cpu][l] = false;
}

static bool model_mapti(struct model *m, unsigned int d, unsigned int e, unsigned int l,
			unsigned int c)
{
	if (d >= GOOD_DEVICES || !m->bits[d] || !fits(m, d, e) || l >= GOOD_LPIS)
		return false;
	if (m->kvm && m->mapped[d][e])
		return true;
	if (c >= GOOD_COLLECTIONS || m->mapped[d][e])
		return false;
	if (users(m, l) == 0) {
		m->goes[l] = m->cpu[c];
		load(m, l);
	} else if (m->exclusive) {
		return false;
	}
	m->mapped[d][e] = true;
	m->lpi[d][e] = l;
	m->collection[d][e] = c;
	m->known[c] = true;
	return true;
}

static bool model_movi(struct model *m, unsigned int d, unsigned int e, unsigned int c)
{
	uint32_t from, to;

	if (d >= GOOD_DEVICES || c >= GOOD_COLLECTIONS || !m->mapped[d][e])
		return false;
	from = m->collection[d][e] == COLLECTIONS ? NOWHERE : m->cpu[m->collection[d][e]];
	to = m->cpu[c];
	if (from == NOWHERE || to == NOWHERE)
		return false;
	m->collection[d][e] = c;
	if (m->kvm) {
		go(m, m->lpi[d][e], to);
	} else if (m->pending[from][m->lpi[d][e]]) {
		m->pending[from][m->lpi[d][e]] = false;
		m->pending[to][m->lpi[d][e]] = true;
	}
	return true;
}

/* INT and messages. */
static bool model_ring(struct model *m, unsigned int d, unsigned int e)
{
	uint32_t cpu;

	if (d >= GOOD_DEVICES || !m->mapped[d][e])
		return false;
	if (!rings(m, d, e))
		return false;
	cpu = target(m, d, e);
	if (cpu == NOWHERE)
		m->waiting[m->lpi[d][e]] = true;
	else
		m->pending[cpu][m->lpi[d][e]] = true;
	return true;
}

static bool model_clear(struct model *m, unsigned int d, unsigned int e)
{
	uint32_t cpu;

	if (d >= GOOD_DEVICES || !m->mapped[d][e])
		return false;
	cpu = m->kvm ? m->goes[m->lpi[d][e]] : target(m, d, e);
	if (cpu != NOWHERE)
		m->pending[cpu][m->lpi[d][e]] = false;
	m->waiting[m->lpi[d][e]] = false;
	return cpu != NOWHERE || m->kvm;
}

static bool model_discard(struct model *m, unsigned int d, unsigned int e)
{
	uint32_t cpu;

	if (d >= GOOD_DEVICES || !m->mapped[d][e])
		return false;
	cpu = target(m, d, e);
	if (m->kvm &&
	    (m->collection[d][e] == COLLECTIONS || m->cpu[m->collection[d][e]] == NOWHERE))
		return false;
	if (!m->kvm && cpu != NOWHERE)
		m->pending[cpu][m->lpi[d][e]] = false;
	drop(m, d, e);
	return true;
}

static bool model_movall(struct model *m, uint32_t from, uint32_t to)
{
	if (from >= RIG_CPUS || to >= RIG_CPUS)
		return false;
	for (unsigned int l = 0; l < GOOD_LPIS && from != to; l++) {
		if (m->kvm && users(m, l) > 0 && m->goes[l] == from)
			go(m, l, to);
		if (!m->kvm && m->pending[from][l]) {
			m->pending[from][l] = false;
			m->pending[to][l] = true;
		}
	}
	return true;
}

static uint64_t itt_of(unsigned int d)
{
	return RIG_ITTS + d * 0x80000ull;
}

/* Software's part of MAPD: what an ITT had before would come back when it is restored. */
static void clean(struct rig *rig, unsigned int d)
{
	for (unsigned int e = 0; e < GOOD_EVENTS; e++)
		rig_store(rig, itt_of(d) + events[e] * 8ull, 0);
}

/* Does one thing to both. */
static void step(struct rig *rig, struct model *m)
{
	unsigned int d = chance(DEVICES), e = chance(EVENTS), c = chance(COLLECTIONS);
	unsigned int l = chance(LPIS), bits = 1 + chance(17);
	uint32_t cpu = chance(RIG_CPUS + 1), cpu2 = chance(RIG_CPUS + 1), kind = chance(64);
	bool good, want;

	if (kind < 3) {
		want = model_mapd(m, d, bits);
		if (want)
			clean(rig, d);
		good = rig_mapd(rig, devices[d], itt_of(d), bits) == RIG_OK;
	} else if (kind < 4) {
		want = model_mapd(m, d, 0);
		good = rig_unmapd(rig, devices[d]) == RIG_OK;
	} else if (kind < 8) {
		want = model_mapc(m, c, cpu);
		good = rig_mapc(rig, icids[c], cpu) == RIG_OK;
	} else if (kind < 9) {
		want = model_mapc(m, c, NOWHERE);
		good = rig_unmapc(rig, icids[c]) == RIG_OK;
	} else if (kind < 24) {
		want = model_mapti(m, d, e, l, c);
		good = rig_mapti(rig, devices[d], events[e], lpis[l], icids[c]) == RIG_OK;
	} else if (kind < 30) {
		want = model_movi(m, d, e, c);
		good = rig_movi(rig, devices[d], events[e], icids[c]) == RIG_OK;
	} else if (kind < 34) {
		want = model_clear(m, d, e);
		good = rig_event(rig, 0x04, devices[d], events[e]) == RIG_OK;
	} else if (kind < 38) {
		want = model_discard(m, d, e);
		good = rig_event(rig, 0x0f, devices[d], events[e]) == RIG_OK;
	} else if (kind < 39) {
		want = model_movall(m, cpu, cpu2);
		good = rig_movall(rig, cpu, cpu2) == RIG_OK;
	} else if (kind < 50) {
		want = model_ring(m, d, e);
		good = rig_event(rig, 0x03, devices[d], events[e]) == RIG_OK;
	} else {
		want = model_ring(m, d, e);
		good = rig_message(rig, devices[d], events[e]) == WARD_REASON_NONE;
	}
	if (good != want)
		fail_msg("kind %u of device %u, event %u, LPI %u, collection %u: %d", kind, d, e, l,
			 c, good);
}

static void compare(struct rig *rig, const struct model *m)
{
	for (unsigned int d = 0; d < DEVICES; d++) {
		for (unsigned int e = 0; e < EVENTS; e++) {
			struct ward_interrupt interrupt;
			int found = ward_its_translate(rig->its, ward_devid(devices[d]), events[e],
						       &interrupt);
			uint32_t cpu = m->mapped[d][e] ? target(m, d, e) : NOWHERE;

			assert_int_equal(found, m->mapped[d][e] && rings(m, d, e));
			if (found) {
				assert_int_equal(interrupt.number, lpis[m->lpi[d][e]]);
				assert_int_equal(interrupt.cpu, cpu);
			}
		}
	}
	for (uint32_t cpu = 0; cpu < RIG_CPUS; cpu++) {
		for (unsigned int l = 0; l < GOOD_LPIS; l++)
			assert_int_equal(ward_gic_is_pending(rig->gic, cpu, lpis[l]),
					 m->pending[cpu][l]);
	}
}

/* Saved and restored by another ITS: all maps are the same. */
static void move_house(struct rig *rig, struct model *m, const struct ward_its_options *how)
{
	struct ward_its_options options = *how;
	uint64_t baser[2] = { rig_read(rig, GITS_BASER(0)), rig_read(rig, GITS_BASER(1)) };

	assert_int_equal(ward_gic_save_pending(rig->gic), 0);
	assert_int_equal(ward_its_save_tables(rig->its), 0);
	ward_its_destroy(rig->its);
	options.size = sizeof(options);
	options.gic = rig->gic;
	options.memory = rig->memory;
	assert_int_equal(ward_its_create(&options, &rig->its), 0);
	rig_write(rig, GITS_BASER(0), baser[0]);
	rig_write(rig, GITS_BASER(1), baser[1]);
	rig_write(rig, GITS_CBASER, VALID | RIG_QUEUE);
	rig->head = 0;
	assert_int_equal(ward_its_restore_tables(rig->its), 0);
	rig_write32(rig, GITS_CTLR, 1);
	memcpy(m->table, m->pending, sizeof(m->table));
	for (unsigned int l = 0; l < GOOD_LPIS; l++) {
		if (users(m, l) > 0)
			load(m, l);
	}
	/* What has no collection is lost. */
	for (unsigned int d = 0; d < DEVICES; d++) {
		for (unsigned int e = 0; e < EVENTS; e++) {
			if (m->mapped[d][e] && m->collection[d][e] == COLLECTIONS)
				drop(m, d, e);
		}
	}
}

/* The LPIs of KVM go where the first of their events in the tables says, which is tested elsewhere. */
static bool may_move(const struct model *m)
{
	for (unsigned int l = 0; m->kvm && l < GOOD_LPIS; l++) {
		for (unsigned int d = 0; d < DEVICES; d++) {
			for (unsigned int e = 0; e < EVENTS; e++) {
				unsigned int c = m->collection[d][e];

				if (m->mapped[d][e] && m->lpi[d][e] == l &&
				    (c == COLLECTIONS || m->cpu[c] != m->goes[l]))
					return false;
			}
		}
	}
	return true;
}

static void run_seed(const struct ward_its_options *how, uint64_t seed, unsigned int *moves)
{
	struct model m = { .kvm = how->profile == WARD_ITS_KVM, .exclusive = how->exclusive_lpis };
	struct rig rig;

	state = seed;
	for (unsigned int c = 0; c < COLLECTIONS; c++)
		m.cpu[c] = NOWHERE;
	for (unsigned int l = 0; l < LPIS; l++)
		m.goes[l] = NOWHERE;
	rig_setup_with(&rig, how);
	rig_write32(&rig, GITS_CTLR, 1);
	for (unsigned int i = 0; i < STEPS; i++) {
		step(&rig, &m);
		if (i % 16 == 0)
			compare(&rig, &m);
		if (i % 64 == 0 && how->profile == WARD_ITS_KVM && may_move(&m)) {
			move_house(&rig, &m, how);
			(*moves)++;
			compare(&rig, &m);
		}
	}
	compare(&rig, &m);
	rig_teardown(&rig);
}

static void test_profile(const struct ward_its_options *how)
{
	unsigned int moves = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		run_seed(how, seed, &moves);
	}
	if (how->profile == WARD_ITS_KVM)
		assert_true(moves > 0);
}

static void test_architecture(void **context)
{
	const struct ward_its_options how = { .profile = WARD_ITS_ARCHITECTURE };

	(void)context;
	test_profile(&how);
}

static void test_exclusive(void **context)
{
	const struct ward_its_options how = { .exclusive_lpis = true };

	(void)context;
	test_profile(&how);
}

static void test_kvm(void **context)
{
	const struct ward_its_options how = { .profile = WARD_ITS_KVM };

	(void)context;
	test_profile(&how);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_architecture),
		cmocka_unit_test(test_exclusive),
		cmocka_unit_test(test_kvm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
