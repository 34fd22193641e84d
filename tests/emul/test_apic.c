// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Local APICs: whom a message reaches, each destination and each mode, and a naive reading of both. */
#include <doorward/apic.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "emul/apic.h"
#include "sweep.h"

#define LOGICAL 0x4u
#define HINT 0x8u
#define LOWEST (1u << 8)
#define SMI (2u << 8)
#define NMI (4u << 8)
#define INIT (5u << 8)
#define EXTINT (7u << 8)
#define ASSERT (1u << 14)
#define LEVEL (1u << 15)

static struct ward_apics *make(uint32_t cpus, bool extended, bool x2apic)
{
	const struct ward_apics_options options = {
		.size = sizeof(options),
		.cpus = cpus,
		.extended_destination = extended,
		.x2apic_format = x2apic,
	};
	struct ward_apics *apics;

	assert_int_equal(ward_apics_create(&options, &apics), 0);
	return apics;
}

static struct ward_interrupt last;

static int send(struct ward_apics *apics, uint64_t address, uint32_t data)
{
	const struct ward_message message = { ward_iova(address), data };

	memset(&last, 0xff, sizeof(last));
	return ward_apics_message(apics, &message, &last);
}

static uint64_t to(unsigned int destination)
{
	return 0xfee00000u | destination << 12;
}

static void address(struct ward_apics *apics, uint32_t cpu, struct ward_apic_address how)
{
	assert_int_equal(ward_apics_set_address(apics, cpu, &how), 0);
}

/* Takes a vector from exactly the CPUs of a mask. */
#define expect_at(apics, cpus, vector, mask)                                           \
	do {                                                                           \
		for (uint32_t c_ = 0; c_ < (cpus); c_++) {                             \
			uint32_t v_;                                                   \
			if ((mask) >> c_ & 1) {                                        \
				assert_true(ward_apics_is_pending(apics, c_, vector)); \
				assert_int_equal(ward_apics_take(apics, c_, &v_), 0);  \
				assert_int_equal(v_, vector);                          \
			}                                                              \
			assert_int_equal(ward_apics_take(apics, c_, &v_), -ENOENT);    \
		}                                                                      \
	} while (0)

static void options(void **unused)
{
	struct ward_apics_options o = { .size = sizeof(o), .cpus = 1 };
	struct ward_apic_address a = { .id = 255 };
	struct ward_apics *apics = NULL;
	uint32_t vector = 77;

	(void)unused;
	o.size--;
	assert_int_equal(ward_apics_create(&o, &apics), -EINVAL);
	o.size++;
	o.cpus = 0;
	assert_int_equal(ward_apics_create(&o, &apics), -EINVAL);
	o.cpus = WARD_APIC_CPUS_MAX + 1;
	assert_int_equal(ward_apics_create(&o, &apics), -EINVAL);
	assert_null(apics);
	o.cpus = WARD_APIC_CPUS_MAX;
	assert_int_equal(ward_apics_create(&o, &apics), 0);
	assert_int_equal(ward_apics_set_address(apics, 0, &a), -EINVAL);
	a.id = 254;
	assert_int_equal(ward_apics_set_address(apics, 0, &a), 0);
	assert_int_equal(ward_apics_set_address(apics, WARD_APIC_CPUS_MAX, &a), -EINVAL);
	assert_int_equal(ward_apics_take(apics, WARD_APIC_CPUS_MAX, &vector), -EINVAL);
	assert_int_equal(ward_apics_take(apics, 0, &vector), -ENOENT);
	assert_int_equal(vector, 77);
	assert_false(ward_apics_is_pending(apics, WARD_APIC_CPUS_MAX, 3));
	assert_false(ward_apics_is_pending(apics, 0, 256));
	ward_apics_destroy(apics);
	ward_apics_destroy(NULL);
}

static void physical(void **unused)
{
	struct ward_apics *apics = make(4, false, false);

	(void)unused;
	assert_int_equal(send(apics, to(2), 0x41), 1);
	assert_int_equal(last.end, WARD_INTERRUPT_PENDING);
	assert_int_equal(last.reason, WARD_REASON_NONE);
	assert_int_equal(last.number, 0x41);
	assert_int_equal(last.cpu, 2);
	assert_int_equal(last.cpus, 1);
	expect_at(apics, 4, 0x41, 1u << 2);
	/* Nobody has it. */
	assert_int_equal(send(apics, to(4), 0x41), 0);
	assert_int_equal(last.end, WARD_INTERRUPT_IGNORED);
	assert_int_equal(last.reason, WARD_REASON_NO_CPU);
	assert_int_equal(last.cpu, WARD_NONE);
	assert_int_equal(last.cpus, 0);
	/* All. */
	assert_int_equal(send(apics, to(0xff), 0x42), 4);
	assert_int_equal(last.cpu, 0);
	expect_at(apics, 4, 0x42, 0xfu);
	/* An id that is not the number of its CPU; one that is nobody's now; one twice. */
	address(apics, 1, (struct ward_apic_address){ .id = 9 });
	assert_int_equal(send(apics, to(9), 0x43), 1);
	assert_int_equal(last.cpu, 1);
	expect_at(apics, 4, 0x43, 1u << 1);
	assert_int_equal(send(apics, to(1), 0x43), 0);
	address(apics, 3, (struct ward_apic_address){ .id = 9 });
	assert_int_equal(send(apics, to(9), 0x43), 2);
	expect_at(apics, 4, 0x43, 0xau);
	address(apics, 3, (struct ward_apic_address){ .id = 9, .off = true });
	assert_int_equal(send(apics, to(9), 0x43), 1);
	assert_int_equal(send(apics, to(0xff), 0x43), 3);
	expect_at(apics, 4, 0x43, 0x7u);
	ward_apics_destroy(apics);
}

static void taking(void **unused)
{
	struct ward_apics *apics = make(1, false, false);
	static const uint8_t vectors[] = { 0x20, 0xff, 0x3f, 0x40, 0x10, 0xe0 };
	static const uint8_t order[] = { 0xff, 0xe0, 0x40, 0x3f, 0x20, 0x10 };
	uint32_t vector;

	(void)unused;
	for (size_t i = 0; i < sizeof(vectors); i++) {
		assert_int_equal(send(apics, to(0), vectors[i]), 1);
		/* Once more is not twice. */
		assert_int_equal(send(apics, to(0), vectors[i]), 1);
	}
	for (size_t i = 0; i < sizeof(order); i++) {
		assert_int_equal(ward_apics_take(apics, 0, &vector), 0);
		assert_int_equal(vector, order[i]);
	}
	assert_int_equal(ward_apics_take(apics, 0, &vector), -ENOENT);
	ward_apics_destroy(apics);
}

static void logical_flat(void **unused)
{
	struct ward_apics *apics = make(3, false, false);

	(void)unused;
	for (uint32_t i = 0; i < 3; i++)
		address(apics, i,
			(struct ward_apic_address){ .id = i, .logical = (uint8_t)(1u << i) });
	assert_int_equal(send(apics, to(0x5) | LOGICAL, 0x50), 2);
	expect_at(apics, 3, 0x50, 0x5u);
	assert_int_equal(send(apics, to(0x8) | LOGICAL, 0x50), 0);
	assert_int_equal(last.reason, WARD_REASON_NO_CPU);
	assert_int_equal(send(apics, to(0) | LOGICAL, 0x50), 0);
	address(apics, 2, (struct ward_apic_address){ .id = 2 });
	assert_int_equal(send(apics, to(0xff) | LOGICAL, 0x50), 3);
	expect_at(apics, 3, 0x50, 0x7u);
	ward_apics_destroy(apics);
}

static void logical_cluster(void **unused)
{
	struct ward_apics *apics = make(4, false, false);
	static const uint8_t logical[] = { 0x11, 0x12, 0x21, 0x28 };

	(void)unused;
	for (uint32_t i = 0; i < 4; i++)
		address(apics, i,
			(struct ward_apic_address){
				.id = i, .logical = logical[i], .cluster = true });
	assert_int_equal(send(apics, to(0x13) | LOGICAL, 0x50), 2);
	expect_at(apics, 4, 0x50, 0x3u);
	assert_int_equal(send(apics, to(0x2e) | LOGICAL, 0x50), 1);
	expect_at(apics, 4, 0x50, 0x8u);
	assert_int_equal(send(apics, to(0x20) | LOGICAL, 0x50), 0);
	assert_int_equal(send(apics, to(0x3f) | LOGICAL, 0x50), 0);
	/* Every cluster is not: that is a broadcast only with all members. */
	assert_int_equal(send(apics, to(0xf1) | LOGICAL, 0x50), 0);
	assert_int_equal(send(apics, to(0xff) | LOGICAL, 0x50), 4);
	ward_apics_destroy(apics);
}

static void logical_x2apic(void **unused)
{
	struct ward_apics *apics = make(3, false, true);

	(void)unused;
	address(apics, 0, (struct ward_apic_address){ .id = 0x123, .x2apic = true });
	address(apics, 1, (struct ward_apic_address){ .id = 0x125, .x2apic = true });
	address(apics, 2, (struct ward_apic_address){ .id = 0x133, .x2apic = true });
	/* Cluster 0x12 is in bits 63:40 together with the upper half of its members. */
	assert_int_equal(send(apics, 0x00120000fee00000 | to(0x28) | LOGICAL, 0x50), 2);
	expect_at(apics, 3, 0x50, 0x3u);
	assert_int_equal(send(apics, 0x00130000fee00000 | to(0x08) | LOGICAL, 0x50), 1);
	expect_at(apics, 3, 0x50, 0x4u);
	assert_int_equal(send(apics, 0x00140000fee00000 | to(0x08) | LOGICAL, 0x50), 0);
	/* Bits of the id above 19 have no place in the logical one. */
	address(apics, 1, (struct ward_apic_address){ .id = 0x500125, .x2apic = true });
	assert_int_equal(send(apics, 0x00120000fee00000 | to(0x28) | LOGICAL, 0x50), 2);
	expect_at(apics, 3, 0x50, 0x3u);
	assert_int_equal(send(apics, 0xffffff00feeff000 | LOGICAL, 0x50), 3);
	ward_apics_destroy(apics);
}

static void wide_destinations(void **unused)
{
	struct ward_apics *apics = make(3, false, true);

	(void)unused;
	address(apics, 1, (struct ward_apic_address){ .id = 0x12345678, .x2apic = true });
	address(apics, 2, (struct ward_apic_address){ .id = 0xff, .x2apic = true });
	assert_int_equal(send(apics, 0x12345600fee78000, 0x50), 1);
	expect_at(apics, 3, 0x50, 0x2u);
	/* To an xAPIC all ones of 8 bits are all CPUs, to an x2APIC an id; of 32 bits, all to both. */
	assert_int_equal(send(apics, to(0xff), 0x50), 2);
	expect_at(apics, 3, 0x50, 0x5u);
	assert_int_equal(send(apics, 0xffffff00feeff000, 0x50), 3);
	expect_at(apics, 3, 0x50, 0x7u);
	/* What lies between the two parts has to be 0. */
	assert_int_equal(send(apics, 0x12345601fee78000, 0x50), 0);
	assert_int_equal(last.reason, WARD_REASON_FORMAT);
	ward_apics_destroy(apics);
	/* Without the format nothing above 4 GiB is a message. */
	apics = make(3, false, false);
	assert_int_equal(send(apics, 0x10000fee01000, 0x50), 0);
	assert_int_equal(last.reason, WARD_REASON_FORMAT);
	ward_apics_destroy(apics);
}

static void extended_destinations(void **unused)
{
	struct ward_apics *apics = make(0x210, true, false);

	(void)unused;
	assert_int_equal(send(apics, to(0x05) | 0x2 << 5, 0x50), 1);
	assert_int_equal(last.cpu, 0x205);
	assert_int_equal(send(apics, to(0xfe), 0x50), 1);
	assert_int_equal(last.cpu, 0xfe);
	assert_int_equal(send(apics, to(0x10) | 0x2 << 5, 0x50), 0);
	ward_apics_destroy(apics);
	/* Where nobody looks at these bits, they change nothing. */
	apics = make(0x210, false, false);
	assert_int_equal(send(apics, to(0x05) | 0x2 << 5, 0x50), 1);
	assert_int_equal(last.cpu, 0x05);
	ward_apics_destroy(apics);
}

static void one_of_several(void **unused)
{
	struct ward_apics *apics = make(4, false, false);

	(void)unused;
	for (uint32_t i = 0; i < 4; i++)
		address(apics, i,
			(struct ward_apic_address){ .id = i, .logical = (uint8_t)(1u << i) });
	for (uint32_t vector = 0x30; vector < 0x38; vector++) {
		static const uint8_t members[] = { 0, 1, 3 };
		uint32_t expected = members[vector % 3];

		assert_int_equal(send(apics, to(0xb) | LOGICAL, LOWEST | vector), 1);
		assert_int_equal(last.cpu, expected);
		assert_int_equal(last.cpus, 1);
		expect_at(apics, 4, vector, 1u << expected);
		assert_int_equal(send(apics, to(0xb) | LOGICAL | HINT, vector), 1);
		expect_at(apics, 4, vector, 1u << expected);
	}
	assert_int_equal(send(apics, to(0x10) | LOGICAL | HINT, 0x30), 0);
	assert_int_equal(last.reason, WARD_REASON_NO_CPU);
	/* To one of all, physically: to all. */
	assert_int_equal(send(apics, to(0xff) | HINT, LOWEST | 0x30), 4);
	expect_at(apics, 4, 0x30, 0xfu);
	assert_int_equal(send(apics, to(0xff) | LOGICAL, LOWEST | 0x30), 1);
	expect_at(apics, 4, 0x30, 1u << 0x30 % 4);
	ward_apics_destroy(apics);
}

static void modes(void **unused)
{
	static const struct {
		uint32_t data;
		int reached;
		enum ward_interrupt_end end;
		enum ward_interrupt_reason reason;
	} rows[] = {
		{ 0x10, 1, WARD_INTERRUPT_PENDING, WARD_REASON_NONE },
		{ 0x0f, 0, WARD_INTERRUPT_IGNORED, WARD_REASON_DATA },
		{ LOWEST | 0x00, 0, WARD_INTERRUPT_IGNORED, WARD_REASON_DATA },
		{ SMI, 1, WARD_INTERRUPT_PENDING, WARD_REASON_MODE },
		{ 3u << 8 | 0x40, 0, WARD_INTERRUPT_IGNORED, WARD_REASON_FORMAT },
		{ NMI | 0x40, 1, WARD_INTERRUPT_PENDING, WARD_REASON_MODE },
		{ INIT, 1, WARD_INTERRUPT_PENDING, WARD_REASON_MODE },
		{ 6u << 8 | 0x40, 0, WARD_INTERRUPT_IGNORED, WARD_REASON_FORMAT },
		{ EXTINT | 0x40, 1, WARD_INTERRUPT_PENDING, WARD_REASON_MODE },
		{ LEVEL | 0x40, 0, WARD_INTERRUPT_IGNORED, WARD_REASON_MODE },
		{ LEVEL | ASSERT | 0x40, 1, WARD_INTERRUPT_PENDING, WARD_REASON_NONE },
		{ ASSERT | 0x40, 1, WARD_INTERRUPT_PENDING, WARD_REASON_NONE },
		{ 0xffff3840, 1, WARD_INTERRUPT_PENDING, WARD_REASON_NONE }, /* reserved bits */
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ward_apics *apics = make(1, false, false);
		uint32_t vector;

		assert_int_equal(send(apics, to(0), rows[i].data), rows[i].reached);
		if (last.end != rows[i].end || last.reason != rows[i].reason)
			fail_msg("row %zu: end %d, reason %d", i, last.end, last.reason);
		assert_int_equal(last.number, rows[i].data & 0xff);
		assert_int_equal(ward_apics_take(apics, 0, &vector),
				 rows[i].reached && !rows[i].reason ? 0 : -ENOENT);
		ward_apics_destroy(apics);
	}
}

static void not_a_message(void **unused)
{
	struct ward_apics *apics = make(1, false, false);
	const struct ward_message message = { ward_iova(0xfee00000), 0x40 };

	(void)unused;
	assert_int_equal(send(apics, 0xfed00000, 0x40), 0);
	assert_int_equal(last.reason, WARD_REASON_FORMAT);
	assert_int_equal(send(apics, 0xfef00000, 0x40), 0);
	assert_int_equal(last.reason, WARD_REASON_FORMAT);
	assert_int_equal(ward_apics_message(apics, &message, NULL), 1);
	ward_apics_destroy(apics);
}

struct told {
	unsigned int count;
	uint32_t cpu, vector;
};

static void raised(void *context, uint32_t cpu, uint32_t vector)
{
	struct told *told = context;

	told->count++;
	told->cpu = cpu;
	told->vector = vector;
}

static void tells(void **unused)
{
	struct told told = { 0 };
	const struct ward_apics_options options = {
		.size = sizeof(options),
		.cpus = 2,
		.raised = raised,
		.context = &told,
	};
	const struct ward_message message = { ward_iova(0xfee01000), 0x99 };
	struct ward_interrupt interrupt;
	struct ward_apics *apics;
	uint32_t vector;

	(void)unused;
	assert_int_equal(ward_apics_create(&options, &apics), 0);
	/* What would come of it: nobody is told, nothing is there. */
	assert_int_equal(ward_apics_send(apics, &message, true, &interrupt), 1);
	assert_int_equal(interrupt.end, WARD_INTERRUPT_PENDING);
	assert_int_equal(told.count, 0);
	assert_false(ward_apics_is_pending(apics, 1, 0x99));
	send(apics, to(1), 0x99);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.cpu, 1);
	assert_int_equal(told.vector, 0x99);
	/* It is requested already. */
	send(apics, to(1), 0x99);
	assert_int_equal(told.count, 1);
	assert_int_equal(ward_apics_take(apics, 1, &vector), 0);
	send(apics, to(1), 0x99);
	assert_int_equal(told.count, 2);
	send(apics, to(1), NMI);
	assert_int_equal(told.count, 2);
	ward_apics_destroy(apics);
}

/* The rules of the SDM once more, one CPU at a time and without any shortcut. */
static bool naive_meant(const struct ward_apic_address *a, uint32_t destination, bool wide,
			bool is_logical)
{
	uint32_t ldr;

	if (a->off)
		return false;
	if (destination == 0xffffffff)
		return true;
	if (destination == 0xff && (!a->x2apic || !wide))
		return true;
	if (!is_logical)
		return a->id == destination;
	if (a->x2apic) {
		ldr = (a->id / 16) << 16 | 1u << a->id % 16;
		return (ldr & 0xffff0000) == (destination & 0xffff0000) &&
		       (ldr & destination & 0xffff) != 0;
	}
	if (destination > 0xff)
		return false;
	if (a->cluster)
		return (a->logical & 0xf0) == (destination & 0xf0) &&
		       (a->logical & destination & 0x0f) != 0;
	return (a->logical & destination) != 0;
}

static uint64_t seed = 0x9e3779b97f4a7c15;

static uint32_t chance(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % below;
}

static struct ward_apic_address any_address(void)
{
	struct ward_apic_address a = {
		.id = chance(20),
		.x2apic = chance(2),
		.logical = (uint8_t)chance(256),
		.cluster = chance(2),
		.off = chance(8) == 0,
	};

	if (a.x2apic && chance(3) == 0)
		a.id = chance(2) ? 0xff : 0x100 + chance(40);
	return a;
}

static void by_chance(void **unused)
{
	(void)unused;
	for (unsigned int round = 0; round < 400; round++) {
		bool wide = chance(2);
		struct ward_apics *apics = make(8, false, wide);
		struct ward_apic_address cpus[8];

		for (uint32_t i = 0; i < 8; i++) {
			cpus[i] = any_address();
			address(apics, i, cpus[i]);
		}
		for (unsigned int i = 0; i < 100; i++) {
			uint32_t destination = chance(4) == 0	? 0xff
					       : chance(4) == 0 ? chance(256)
								: chance(32);
			bool is_logical = chance(2);
			uint32_t vector = 0x10 + chance(0xf0), mask = 0;
			int count = 0;

			if (wide && chance(3) == 0)
				destination |= chance(3) << (is_logical ? 16 : 8);
			if (wide && chance(20) == 0)
				destination = 0xffffffff;
			for (uint32_t c = 0; c < 8; c++) {
				if (!naive_meant(&cpus[c], destination, wide, is_logical))
					continue;
				mask |= 1u << c;
				count++;
			}
			assert_int_equal(send(apics,
					      (uint64_t)(destination & ~0xffu) << 32 |
						      to(destination & 0xff) |
						      (is_logical ? LOGICAL : 0),
					      vector),
					 count);
			expect_at(apics, 8, vector, mask);
		}
		ward_apics_destroy(apics);
	}
}

static int create_and_destroy(void *context)
{
	const struct ward_apics_options o = { .size = sizeof(o), .cpus = 3 };
	struct ward_apics *apics;
	int code = ward_apics_create(&o, &apics);

	(void)context;
	if (code == 0)
		ward_apics_destroy(apics);
	return code;
}

static void out_of_memory(void **unused)
{
	(void)unused;
	assert_int_equal(test_sweep(create_and_destroy, NULL), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options),
		cmocka_unit_test(physical),
		cmocka_unit_test(taking),
		cmocka_unit_test(logical_flat),
		cmocka_unit_test(logical_cluster),
		cmocka_unit_test(logical_x2apic),
		cmocka_unit_test(wide_destinations),
		cmocka_unit_test(extended_destinations),
		cmocka_unit_test(one_of_several),
		cmocka_unit_test(modes),
		cmocka_unit_test(not_a_message),
		cmocka_unit_test(tells),
		cmocka_unit_test(by_chance),
		cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
