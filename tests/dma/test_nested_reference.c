// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Nested spaces: random tables of a guest against a slow reference. */
#include "dma/nested_guest.h"

/* Stage 2 of the reference: what was mapped, page by page. */
struct page {
	bool mapped;
	uint64_t target;
	uint32_t access;
	enum ward_memory_type type;
};

static struct page pages[2 * GUEST_SIZE / PAGE];

static struct ref_end ask_pages(const struct ref_world *world, uint64_t gpa, unsigned int access)
{
	uint64_t index = (gpa - GUEST) / PAGE;

	(void)world;
	if (gpa < GUEST || index >= sizeof(pages) / sizeof(pages[0]) || !pages[index].mapped)
		return ref_fault(WARD_FAULT_TRANSLATION, 2, WARD_NO_LEVEL, 0);
	if (access & ~pages[index].access)
		return ref_fault(WARD_FAULT_PERMISSION, 2, WARD_NO_LEVEL, 0);
	return (struct ref_end){
		.ok = true,
		.out = pages[index].target + gpa % PAGE,
		.access = pages[index].access,
		.type = (int)pages[index].type,
	};
}

static void make_stage2(uint64_t *random)
{
	static const enum ward_memory_type types[] = { WARD_NORMAL, WARD_NORMAL, WARD_NORMAL_NC,
						       WARD_DEVICE_NGNRE };

	assert_int_equal(ward_space_unmap_all(guest.parent), 0);
	for (uint64_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		pages[i] = (struct page){ .mapped = !ref_chance(random, 16) };
		if (!pages[i].mapped)
			continue;
		pages[i].target = (ref_random(random) & 0xffff) * PAGE;
		pages[i].access = ref_chance(random, 12)  ? WARD_WRITE
				  : ref_chance(random, 6) ? WARD_READ
							  : WARD_READ | WARD_WRITE;
		pages[i].type = types[ref_random(random) % 4];
		map(GUEST + i * PAGE, PAGE, pages[i].target, pages[i].access, pages[i].type);
	}
}

struct shape {
	unsigned int granule, ia[2];
};

static struct shape make_stage1(uint64_t *random, struct ref_world *world)
{
	static const unsigned int tg1[] = { 2, 1, 3 }, tg0[] = { 0, 2, 1 };
	unsigned int kind = (unsigned int)(ref_random(random) % 3);
	struct shape shape = { .granule = 12 + 2 * kind };
	unsigned int count = 16;
	uint64_t leaf;

	ref_fill(random, 1, shape.granule, guest.bytes, GUEST, GUEST_SIZE);
	for (unsigned int half = 0; half < 2; half++)
		shape.ia[half] = 25 + (unsigned int)(ref_random(random) % 24);
	world->cd_table = GUEST + (ref_random(random) % (GUEST_SIZE / PAGE)) * PAGE;
	world->cd_bits = ref_chance(random, 2) ? 0 : 4;
	world->cd_format = world->cd_bits ? (unsigned int)(ref_random(random) % 2) : 0;
	world->dss = (unsigned int)(ref_random(random) % 3);
	for (unsigned int i = 0; i < count; i++) {
		uint64_t at = world->cd_table - GUEST + i * 64;
		uint64_t word0 = 0x0000600080000000ull | 1ull << 41;

		word0 |= (64 - shape.ia[0]) | (uint64_t)(64 - shape.ia[1]) << 16;
		word0 |= tg0[kind] << 6 | (uint64_t)tg1[kind] << 22;
		word0 |= (ref_random(random) % 6) << 32;    /* IPS */
		word0 |= (ref_random(random) & 0x18) << 35; /* TBI */
		word0 |= ref_chance(random, 8) ? 1ull << 35 : 0;
		word0 |= ref_chance(random, 16) ? 1 << 14 : 0;
		word0 |= ref_chance(random, 16) ? 1ull << 30 : 0;
		word0 &= ref_chance(random, 16) ? ~0x80000000ull : UINT64_MAX;
		if (world->cd_format) {
			/* One leaf, on another page than the table of leaves. */
			leaf = (world->cd_table - GUEST + PAGE * (1 + ref_random(random) % 200)) %
			       GUEST_SIZE;
			ref_store(guest.bytes, world->cd_table - GUEST,
				  (GUEST + leaf) | !ref_chance(random, 16));
			at = leaf + i * 64;
			i = count;
		}
		ref_store(guest.bytes, at, word0);
		for (unsigned int half = 0; half < 2; half++)
			ref_store(guest.bytes, at + 8 + 8 * half,
				  (GUEST + (ref_random(random) % (GUEST_SIZE >> shape.granule)
					    << shape.granule)) |
					  (ref_chance(random, 4) ? 2 : 0));
		ref_store(guest.bytes, at + 24, 0xf4bb000c0844ff04);
	}
	return shape;
}

static uint64_t probe_address(uint64_t *random, const struct shape *shape)
{
	unsigned int half = ref_chance(random, 3);
	uint64_t iova = ref_address(random, shape->granule, shape->ia[half]);

	if (half)
		iova |= UINT64_MAX << shape->ia[1];
	if (ref_chance(random, 8))
		iova ^= 1ull << (56 + ref_random(random) % 8);
	if (ref_chance(random, 32))
		iova ^= 1ull << (ref_random(random) % 64);
	return iova;
}

static unsigned int compare(const struct ref_world *world, uint32_t pasid, uint64_t iova,
			    uint32_t access)
{
	struct ref_end end = ref_translate(world, pasid, iova, access);
	struct ward_translation translation;
	struct ward_fault fault = { 0 };
	int code = ward_space_translate(guest.space, NULL, ward_pasid(pasid), ward_iova(iova),
					access, &translation, &fault);

	if (code != (end.ok ? 0 : -EFAULT))
		fail_msg("pasid %x iova %llx: %d, reference %d (reason %d/%d stage %d/%d)", pasid,
			 (unsigned long long)iova, code, end.ok, (int)fault.reason, end.reason,
			 fault.stage, end.stage);
	if (code) {
		if ((int)fault.reason != end.reason || fault.stage != end.stage ||
		    fault.level != end.level || (int)fault.fault_class != end.class ||
		    ward_gpa_raw(fault.gpa) != end.gpa)
			fail_msg("iova %llx: reason %d/%d stage %d/%d level %d/%d class %d/%d",
				 (unsigned long long)iova, (int)fault.reason, end.reason,
				 fault.stage, end.stage, fault.level, end.level,
				 (int)fault.fault_class, end.class);
		return 1u << fault.reason;
	}
	assert_int_equal(ward_target_raw(translation.target), end.out);
	assert_int_equal(translation.access & 3, end.access & 3);
	assert_int_equal(translation.type, end.type);
	assert_true(ward_range_has(translation.input, iova));
	return 1u << 31;
}

static void test_reference(void **state)
{
	uint64_t random = 0x5eed;
	unsigned int seen = 0;
	struct ref_world world = {
		.memory = { guest.bytes, GUEST, GUEST_SIZE },
		.oas = 44,
		.stage2 = ask_pages,
	};

	(void)state;
	for (unsigned int round = 0; round < 150; round++) {
		struct shape shape;

		make_stage2(&random);
		shape = make_stage1(&random, &world);
		guest.stage1.contexts = ward_gpa(world.cd_table);
		guest.stage1.pasid_bits = (uint8_t)world.cd_bits;
		guest.stage1.layout = (enum ward_context_layout)world.cd_format;
		guest.stage1.without_pasid = (enum ward_stage1_default)world.dss;
		nest();
		for (unsigned int i = 0; i < 400; i++)
			seen |= compare(&world,
					ref_chance(&random, 4)
						? (uint32_t)(ref_random(&random) % 18)
						: UINT32_MAX,
					probe_address(&random, &shape),
					ref_chance(&random, 3) ? WARD_WRITE : WARD_READ);
	}
	/* The tables were worth it: all of these came up. */
	assert_int_equal(seen, 1u << 31 | 1u << WARD_FAULT_PASID | 1u << WARD_FAULT_CONTEXT |
				       1u << WARD_FAULT_TRANSLATION | 1u << WARD_FAULT_PERMISSION |
				       1u << WARD_FAULT_ADDRESS_SIZE |
				       1u << WARD_FAULT_ACCESS_FLAG | 1u << WARD_FAULT_TABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NESTED_TEST(test_reference),
	};

	return cmocka_run_group_tests_name("dma/nested-reference", tests, NULL, NULL);
}
