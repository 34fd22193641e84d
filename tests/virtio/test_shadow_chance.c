// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Requests by chance: after each of them the DMA of assigned functions ends where ward_viommu_translate
 * says for an emulated device.
 */
#include "shadow_rig.h"

#define IOVA 0x1000000ull

static uint32_t chance(uint32_t below)
{
	static uint64_t state = 0x9e3779b97f4a7c15;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % below;
}

#define PLAYGROUND 24u

static void anything(struct shadow_rig *r)
{
	static const uint64_t starts[] = {
		LOW, LOW + BANK - 2 * GUEST_PAGE, LOW + 2 * BANK - 2 * GUEST_PAGE, HIGH, ROM, 0
	};
	static const uint32_t ids[] = { CARD, DISK, 100 };
	const uint32_t domain = 1 + chance(3), endpoint = ids[chance(3)];
	const uint64_t start = IOVA + (uint64_t)chance(PLAYGROUND) * GUEST_PAGE;
	const uint64_t last = start + (1 + (uint64_t)chance(4)) * GUEST_PAGE - 1;
	const uint8_t byte = (uint8_t)chance(2);

	switch (chance(32)) {
	case 0:
		(void)guest_detach(r->viommu, domain, endpoint);
		break;
	case 1:
		(void)ward_viommu_config_write(r->viommu, 36, &byte, 1);
		break;
	case 2:
		(void)guest_unmap(r->viommu, domain, IOVA, start - 1);
		break;
	case 3:
	case 4:
		(void)guest_attach(r->viommu, domain, endpoint, domain == 3);
		break;
	case 5:
	case 6:
	case 7:
		(void)guest_unmap(r->viommu, domain, start, last);
		break;
	default:
		(void)guest_map(r->viommu, domain, start, last, starts[chance(6)], 1 + chance(3));
		break;
	}
}

static unsigned int arrived;

/* What an emulated device of the same place could do the function can, and nothing else. */
static void same(struct shadow_rig *r, const char *function, uint32_t endpoint, uint64_t iova,
		 uint32_t access)
{
	struct ward_translation to;
	const bool write = access == WARD_WRITE;
	uint64_t word = 0, machine = 0, together;
	const struct ward_dma_result result =
		rig_dma(&r->rig, function, iova, write, &word, sizeof(word));
	bool lets = !ward_viommu_translate(r->viommu, NULL, endpoint, ward_iova(iova), access, &to,
					   NULL);
	ward_target_t target;

	/* In bypass mode there is only what is RAM, and what is read-only is. */
	if (lets && shadow_place(r, ward_gpa(ward_target_raw(to.target)), 8, &target, &together))
		lets = false;
	else if (lets)
		machine = ward_target_raw(target);
	if (lets && write && ward_target_raw(to.target) - ROM < 0x10000)
		lets = false;
	assert_int_equal(result.end, lets ? WARD_DMA_MEMORY : WARD_DMA_FAULT);
	if (lets)
		assert_true(result.target == machine);
	arrived += lets;
}

static void by_chance_body(struct shadow_rig *r)
{
	static const uint64_t elsewhere[] = { LOW, HIGH + BANK - 8, ROM, 0 };

	arrived = 0;
	shadow_endpoints(r);
	guest_endpoint(r->viommu, 100, WARD_VIOMMU_MSI_NONE, 0);
	for (unsigned int i = 0; i < 2000; i++) {
		anything(r);
		for (uint64_t page = 0; i % 8 == 0 && page < PLAYGROUND + 4; page++) {
			same(r, "01:00.0", CARD, IOVA + page * GUEST_PAGE, WARD_READ);
			same(r, "01:00.0", CARD, IOVA + page * GUEST_PAGE, WARD_WRITE);
			same(r, "02:00.0", DISK, IOVA + page * GUEST_PAGE + 0xff8, WARD_WRITE);
		}
		same(r, "01:00.0", CARD, elsewhere[i % 4], WARD_WRITE);
		same(r, "02:00.0", DISK, elsewhere[i % 4], WARD_READ);
	}
	assert_true(shadow_info(r).maps > 100);
	assert_true(arrived > 1000);
	assert_int_equal(shadow_info(r).frozen, 0);
	ward_viommu_reset(r->viommu, true);
	assert_int_equal(shadow_info(r).mappings, 0);
}

static void by_chance(void **unused)
{
	(void)unused;
	shadow_on_both(0, by_chance_body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_chance),
	};

	return cmocka_run_group_tests_name("shadow by chance", tests, NULL, NULL);
}
