// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Where the DMA of an emulated device leads, in each place an endpoint can be in. */
#include "virtio/guest.h"

#define V2M UINT64_C(0x08020000)
#define ITS UINT64_C(0x08090000)
#define MEMORY UINT64_C(0x40000000)
#define IOVA UINT64_C(0xf000000000)
#define RESERVED UINT64_C(0x100000)
#define WINDOW UINT64_C(0x7000000) /* of the host, for doorbells */
#define ENDPOINT 5u
#define DOMAIN 9u

enum { FRAME_V2M, FRAME_ITS, FRAME_OTHER, FRAMES };

static const struct ward_doorbell_frame frames[FRAMES] = {
	[FRAME_V2M] = { { V2M + 0x40, V2M + 0x43 }, 0 },
	[FRAME_ITS] = { { ITS + 0x40, ITS + 0x43 }, 1 },
	[FRAME_OTHER] = { { V2M + 0x2040, V2M + 0x2043 }, 2 },
};

struct world {
	struct ward_viommu_options options;
	struct ward_viommu *viommu;
	struct ward_translation translation;
	struct ward_fault fault;
};

static int set_up(void **state)
{
	static struct world world;
	const struct ward_reserved reserved[] = {
		{ { RESERVED, RESERVED + 0xffff }, WARD_REGION_RESERVED },
		{ { WINDOW, WINDOW + 0xfffff }, WARD_REGION_SW_MSI },
	};
	const struct ward_viommu_endpoint_options endpoint = {
		.size = sizeof(endpoint),
		.endpoint = ENDPOINT,
		.msi = WARD_VIOMMU_MSI_BYPASSED,
		.frames = 1u << FRAME_V2M | 1u << FRAME_ITS,
		.reserved = reserved,
		.reserved_count = 2,
		.identity = true,
	};

	world = (struct world){
		.options = {
			.frames = frames,
			.frames_count = FRAMES,
			.flags = WARD_VIOMMU_IDENTITY,
		},
	};
	world.viommu = guest_device(&world.options);
	assert_int_equal(ward_viommu_endpoint_add(world.viommu, &endpoint, NULL), 0);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	ward_viommu_destroy(world->viommu);
	return 0;
}

static int try(struct world *world, uint64_t iova, uint32_t access)
{
	memset(&world->translation, 0x55, sizeof(world->translation));
	memset(&world->fault, 0x55, sizeof(world->fault));
	return ward_viommu_translate(world->viommu, NULL, ENDPOINT, ward_iova(iova), access,
				     &world->translation, &world->fault);
}

static void leads(struct world *world, uint64_t iova, uint32_t access, uint64_t target)
{
	assert_int_equal(try(world, iova, access), 0);
	assert_int_equal(ward_target_raw(world->translation.target), target);
	assert_true(ward_range_has(world->translation.input, iova));
	assert_int_equal(world->translation.access & access, access);
}

static void faults(struct world *world, uint64_t iova, uint32_t access,
		   enum ward_fault_reason reason)
{
	assert_int_equal(try(world, iova, access), -EFAULT);
	assert_int_equal(world->fault.reason, reason);
	assert_int_equal(ward_iova_raw(world->fault.iova), iova);
	assert_int_equal(world->fault.access, access);
	assert_int_equal(ward_viommu_translate(world->viommu, NULL, ENDPOINT, ward_iova(iova),
					       access, &world->translation, NULL),
			 -EFAULT);
}

static void blocked(void **state)
{
	struct world *world = *state;

	faults(world, MEMORY, WARD_READ, WARD_FAULT_BLOCKED);
	faults(world, V2M + 0x40, WARD_WRITE, WARD_FAULT_BLOCKED);
	assert_int_equal(world->fault.stage, 0);
	assert_int_equal(ward_viommu_translate(world->viommu, NULL, ENDPOINT + 1, ward_iova(MEMORY),
					       WARD_READ, &world->translation, &world->fault),
			 -EFAULT);
	assert_int_equal(world->fault.reason, WARD_FAULT_BLOCKED);
}

static void bypass_lets_everything_through(struct world *world)
{
	static const uint64_t addresses[] = { 0,	  RESERVED, V2M,    V2M + 0x40,
					      V2M + 0x44, WINDOW,   MEMORY, UINT64_MAX };

	for (unsigned int i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		leads(world, addresses[i], WARD_READ, addresses[i]);
		leads(world, addresses[i], WARD_WRITE, addresses[i]);
	}
}

static void bypass_by_the_byte(void **state)
{
	struct world *world = *state;
	uint8_t on = 1, off = 0;

	assert_int_equal(ward_viommu_config_write(world->viommu, 36, &on, 1), 0);
	bypass_lets_everything_through(world);
	assert_int_equal(guest_attach(world->viommu, DOMAIN, ENDPOINT, 0), GUEST_OK);
	faults(world, MEMORY, WARD_READ, WARD_FAULT_TRANSLATION);
	assert_int_equal(guest_detach(world->viommu, DOMAIN, ENDPOINT), GUEST_OK);
	bypass_lets_everything_through(world);
	assert_int_equal(ward_viommu_config_write(world->viommu, 36, &off, 1), 0);
	faults(world, MEMORY, WARD_READ, WARD_FAULT_BLOCKED);
}

static void bypass_by_a_domain(void **state)
{
	struct world *world = *state;

	assert_int_equal(guest_attach(world->viommu, DOMAIN, ENDPOINT, 1), GUEST_OK);
	bypass_lets_everything_through(world);
	ward_viommu_reset(world->viommu, false);
	faults(world, MEMORY, WARD_READ, WARD_FAULT_BLOCKED);
}

static void mapped(void **state)
{
	struct world *world = *state;

	assert_int_equal(guest_attach(world->viommu, DOMAIN, ENDPOINT, 0), GUEST_OK);
	faults(world, IOVA, WARD_READ, WARD_FAULT_TRANSLATION);
	assert_int_equal(guest_map(world->viommu, DOMAIN, IOVA, IOVA + 0x2fff, MEMORY, GUEST_READ),
			 GUEST_OK);
	assert_int_equal(guest_map_page(world->viommu, DOMAIN, IOVA + 0x3000, MEMORY,
					GUEST_READ | GUEST_WRITE | GUEST_MMIO),
			 GUEST_OK);
	assert_int_equal(guest_map_page(world->viommu, DOMAIN, IOVA + 0x4000, MEMORY, GUEST_WRITE),
			 GUEST_OK);
	leads(world, IOVA + 0x2fff, WARD_READ, MEMORY + 0x2fff);
	assert_int_equal(world->translation.input.start, IOVA);
	assert_int_equal(world->translation.input.last, IOVA + 0x2fff);
	assert_int_equal(world->translation.type, WARD_NORMAL);
	faults(world, IOVA, WARD_WRITE, WARD_FAULT_PERMISSION);
	leads(world, IOVA + 0x3008, WARD_READ, MEMORY + 8);
	leads(world, IOVA + 0x3008, WARD_READ | WARD_WRITE, MEMORY + 8);
	assert_int_equal(world->translation.type, WARD_DEVICE_NGNRE);
	faults(world, IOVA + 0x3000, WARD_EXEC, WARD_FAULT_PERMISSION);
	leads(world, IOVA + 0x4000, WARD_WRITE, MEMORY);
	faults(world, IOVA + 0x4000, WARD_READ, WARD_FAULT_PERMISSION);
	faults(world, IOVA + 0x5000, WARD_READ, WARD_FAULT_TRANSLATION);
	faults(world, IOVA - 1, WARD_READ, WARD_FAULT_TRANSLATION);
	assert_int_equal(guest_unmap(world->viommu, DOMAIN, IOVA, IOVA + 0x4fff), GUEST_OK);
	faults(world, IOVA, WARD_READ, WARD_FAULT_TRANSLATION);
}

/* The endpoint's own doorbells, for writing; not those of others, nor what lies between. */
static void msi_region(void **state)
{
	struct world *world = *state;

	assert_int_equal(guest_attach(world->viommu, DOMAIN, ENDPOINT, 0), GUEST_OK);
	leads(world, V2M + 0x40, WARD_WRITE, V2M + 0x40);
	assert_int_equal(world->translation.access, WARD_WRITE);
	assert_int_equal(world->translation.input.start, V2M + 0x40);
	assert_int_equal(world->translation.input.last, V2M + 0x43);
	assert_int_equal(world->translation.type, WARD_DEVICE_NGNRE);
	leads(world, ITS + 0x43, WARD_WRITE, ITS + 0x43);
	faults(world, V2M + 0x40, WARD_READ, WARD_FAULT_PERMISSION);
	faults(world, V2M + 0x40, WARD_READ | WARD_WRITE, WARD_FAULT_PERMISSION);
	faults(world, V2M + 0x3f, WARD_WRITE, WARD_FAULT_TRANSLATION);
	faults(world, V2M + 0x44, WARD_WRITE, WARD_FAULT_TRANSLATION);
	faults(world, V2M + 0x2040, WARD_WRITE, WARD_FAULT_TRANSLATION);
	faults(world, ITS + 0x1000, WARD_WRITE, WARD_FAULT_TRANSLATION);
	faults(world, V2M - 1, WARD_WRITE, WARD_FAULT_TRANSLATION);
	assert_int_equal(guest_map_page(world->viommu, DOMAIN, V2M, MEMORY, GUEST_WRITE),
			 GUEST_INVAL);
	assert_int_equal(guest_map_page(world->viommu, DOMAIN, V2M + 0x8000, MEMORY, GUEST_WRITE),
			 GUEST_INVAL);
}

/* Told as MSI only to those that are bypassed; the domain's other endpoints have their own ways. */
static void msi_region_is_the_endpoints_own(void **state)
{
	struct world *world = *state;

	guest_endpoint(world->viommu, 1, WARD_VIOMMU_MSI_MAPPED, 1u << FRAME_V2M);
	assert_int_equal(guest_attach(world->viommu, DOMAIN, ENDPOINT, 0), GUEST_OK);
	assert_int_equal(guest_attach(world->viommu, DOMAIN, 1, 0), GUEST_OK);
	assert_int_equal(guest_map_page(world->viommu, DOMAIN, IOVA, V2M, GUEST_WRITE | GUEST_MMIO),
			 GUEST_OK);
	assert_int_equal(ward_viommu_translate(world->viommu, NULL, 1, ward_iova(V2M + 0x40),
					       WARD_WRITE, &world->translation, &world->fault),
			 -EFAULT);
	assert_int_equal(ward_viommu_translate(world->viommu, NULL, 1, ward_iova(IOVA + 0x40),
					       WARD_WRITE, &world->translation, &world->fault),
			 0);
	assert_int_equal(ward_target_raw(world->translation.target), V2M + 0x40);
	leads(world, V2M + 0x40, WARD_WRITE, V2M + 0x40);
}

static void reserved_region(void **state)
{
	struct world *world = *state;

	assert_int_equal(guest_attach(world->viommu, DOMAIN, ENDPOINT, 0), GUEST_OK);
	(void)guest_map_page(world->viommu, DOMAIN, RESERVED, MEMORY, GUEST_READ);
	(void)guest_map(world->viommu, DOMAIN, RESERVED - 0x1000, RESERVED + 0x10fff, MEMORY,
			GUEST_READ | GUEST_WRITE);
	faults(world, RESERVED, WARD_READ, WARD_FAULT_TRANSLATION);
	faults(world, RESERVED + 0xffff, WARD_WRITE, WARD_FAULT_TRANSLATION);
	assert_int_equal(guest_map(world->viommu, DOMAIN, RESERVED + 0x10000, RESERVED + 0x10fff,
				   MEMORY, GUEST_READ),
			 GUEST_OK);
	leads(world, RESERVED + 0x10000, WARD_READ, MEMORY);
}

static void identity_region(void **state)
{
	struct world *world = *state;

	assert_int_equal(guest_attach(world->viommu, DOMAIN, ENDPOINT, 0), GUEST_OK);
	faults(world, WINDOW + 0x40, WARD_WRITE, WARD_FAULT_TRANSLATION);
	assert_int_equal(guest_map_page(world->viommu, DOMAIN, WINDOW, MEMORY, GUEST_WRITE),
			 GUEST_INVAL);
	assert_int_equal(guest_map_page(world->viommu, DOMAIN, WINDOW, WINDOW, GUEST_WRITE),
			 GUEST_OK);
	leads(world, WINDOW + 0x40, WARD_WRITE, WINDOW + 0x40);
	faults(world, WINDOW + 0x1000, WARD_WRITE, WARD_FAULT_TRANSLATION);
}

/* x86: the whole window is the doorbell, each address a message of its own. */
static void x86_window(void **state)
{
	static const struct ward_doorbell_frame apic = { { WARD_X86_MSI_START, WARD_X86_MSI_LAST },
							 0 };
	struct world *world = *state;

	ward_viommu_destroy(world->viommu);
	world->options.frames = &apic;
	world->options.frames_count = 1;
	world->viommu = guest_device(&world->options);
	guest_endpoint(world->viommu, ENDPOINT, WARD_VIOMMU_MSI_BYPASSED, 1);
	assert_int_equal(guest_attach(world->viommu, DOMAIN, ENDPOINT, 0), GUEST_OK);
	leads(world, WARD_X86_MSI_START, WARD_WRITE, WARD_X86_MSI_START);
	leads(world, 0xfee0300c, WARD_WRITE, 0xfee0300c);
	leads(world, WARD_X86_MSI_LAST, WARD_WRITE, WARD_X86_MSI_LAST);
	faults(world, 0xfee0300c, WARD_READ, WARD_FAULT_PERMISSION);
	faults(world, WARD_X86_MSI_START - 1, WARD_WRITE, WARD_FAULT_TRANSLATION);
	faults(world, WARD_X86_MSI_LAST + 1, WARD_WRITE, WARD_FAULT_TRANSLATION);
}

static void gone(void **state)
{
	struct world *world = *state;

	assert_int_equal(guest_attach(world->viommu, DOMAIN, ENDPOINT, 1), GUEST_OK);
	leads(world, MEMORY, WARD_READ, MEMORY);
	assert_int_equal(ward_viommu_endpoint_remove(world->viommu, ENDPOINT), 0);
	faults(world, MEMORY, WARD_READ, WARD_FAULT_BLOCKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(blocked),
		TEST(bypass_by_the_byte),
		TEST(bypass_by_a_domain),
		TEST(mapped),
		TEST(msi_region),
		TEST(msi_region_is_the_endpoints_own),
		TEST(reserved_region),
		TEST(identity_region),
		TEST(x86_window),
		TEST(gone),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
