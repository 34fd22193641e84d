// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Which doorbell a guest's message rings, with several MSI controllers: by its address where nothing
 * translates it, else by the domain's mappings; every refusal with its reason. Held against what
 * ward_viommu_translate does with the write itself.
 */
#include "virtio/guest.h"

#define V2M UINT64_C(0x08020000)
#define V2M2 UINT64_C(0x08021000)
#define ITS UINT64_C(0x08090000)
#define OTHER UINT64_C(0x08030000)
#define MEMORY UINT64_C(0x40000000)
#define IOVA UINT64_C(0xf000000000)
#define BYPASSED 5u
#define MAPPED 6u
#define SILENT 7u
#define DOMAIN 9u
#define OWN (1u << FRAME_V2M | 1u << FRAME_V2M2 | 1u << FRAME_ITS)

enum { FRAME_OTHER, FRAME_V2M, FRAME_V2M2, FRAME_ITS, FRAMES };

/* The numbers of controllers are the monitor's: they say nothing about whose a frame is. */
static const struct ward_doorbell_frame frames[FRAMES] = {
	[FRAME_OTHER] = { { OTHER + 0x40, OTHER + 0x43 }, 0 },
	[FRAME_V2M] = { { V2M + 0x40, V2M + 0x43 }, 0 },
	[FRAME_V2M2] = { { V2M2 + 0x40, V2M2 + 0x43 }, 1 },
	[FRAME_ITS] = { { ITS + 0x40, ITS + 0x43 }, 2 },
};

struct world {
	struct ward_viommu_options options;
	struct ward_viommu *viommu;
	struct ward_resolution resolution;
};

static int set_up(void **state)
{
	static struct world world;

	world = (struct world){ .options = { .frames = frames, .frames_count = FRAMES } };
	world.viommu = guest_device(&world.options);
	guest_endpoint(world.viommu, BYPASSED, WARD_VIOMMU_MSI_BYPASSED, OWN);
	guest_endpoint(world.viommu, MAPPED, WARD_VIOMMU_MSI_MAPPED, OWN);
	guest_endpoint(world.viommu, SILENT, WARD_VIOMMU_MSI_NONE, 0);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	ward_viommu_destroy(world->viommu);
	return 0;
}

static int ask(struct world *world, uint32_t endpoint, uint64_t address)
{
	const struct ward_message message = { ward_iova(address), 64 };

	memset(&world->resolution, 0x55, sizeof(world->resolution));
	return ward_viommu_resolve(world->viommu, endpoint, &message, &world->resolution);
}

static void rings(struct world *world, uint32_t endpoint, uint64_t address, uint32_t frame)
{
	assert_int_equal(ask(world, endpoint, address), 0);
	assert_int_equal(world->resolution.end, WARD_RESOLVED);
	assert_int_equal(world->resolution.frame, frame);
	assert_true(ward_range_has(frames[frame].registers, world->resolution.address));
}

static void refused(struct world *world, uint32_t endpoint, uint64_t address, int code,
		    enum ward_resolution_end end, uint32_t frame)
{
	assert_int_equal(ask(world, endpoint, address), code);
	assert_int_equal(world->resolution.end, end);
	assert_int_equal(world->resolution.frame, frame);
}

static void faults(struct world *world, uint32_t endpoint, uint64_t address,
		   enum ward_fault_reason reason)
{
	refused(world, endpoint, address, -EFAULT, WARD_RESOLVED_FAULT, WARD_NONE);
	assert_int_equal(world->resolution.fault.reason, reason);
	assert_int_equal(ward_iova_raw(world->resolution.fault.iova), address);
	assert_int_equal(world->resolution.fault.access, WARD_WRITE);
}

static void says(const struct world *world, uint64_t address, const char *sentence)
{
	const struct ward_message message = { ward_iova(address), 64 };
	char text[WARD_RESOLUTION_TEXT];

	ward_resolution_format(&world->resolution, &message, text);
	assert_string_equal(text, sentence);
}

static void nobody_asks(void **state)
{
	struct world *world = *state;

	assert_int_equal(ask(world, SILENT, V2M + 0x40), -EINVAL);
	assert_int_equal(ask(world, 1, V2M + 0x40), -EINVAL);
	assert_int_equal(world->resolution.frame, 0x55555555);
}

static void blocked(void **state)
{
	struct world *world = *state;

	faults(world, BYPASSED, V2M + 0x40, WARD_FAULT_BLOCKED);
	says(world, V2M + 0x40, "0x8020040 -> fault: write to 0x8020040: it is blocked");
	faults(world, MAPPED, V2M + 0x40, WARD_FAULT_BLOCKED);
}

/* Nothing is translated: the mode makes no difference. */
static void bypass(void **state)
{
	struct world *world = *state;
	uint8_t on = 1;

	assert_int_equal(ward_viommu_config_write(world->viommu, 36, &on, 1), 0);
	for (uint32_t endpoint = BYPASSED; endpoint <= MAPPED; endpoint++) {
		rings(world, endpoint, V2M + 0x40, FRAME_V2M);
		rings(world, endpoint, V2M2 + 0x43, FRAME_V2M2);
		rings(world, endpoint, ITS + 0x40, FRAME_ITS);
		refused(world, endpoint, OTHER + 0x40, -EPERM, WARD_RESOLVED_FOREIGN, FRAME_OTHER);
		refused(world, endpoint, MEMORY, -ENOENT, WARD_RESOLVED_MEMORY, WARD_NONE);
	}
	assert_int_equal(guest_attach(world->viommu, DOMAIN, MAPPED, 1), GUEST_OK);
	rings(world, MAPPED, ITS + 0x40, FRAME_ITS);
}

static void bypassed(void **state)
{
	struct world *world = *state;

	assert_int_equal(guest_attach(world->viommu, DOMAIN, BYPASSED, 0), GUEST_OK);
	rings(world, BYPASSED, V2M + 0x40, FRAME_V2M);
	says(world, V2M + 0x40, "0x8020040 -> doorbell 1");
	rings(world, BYPASSED, V2M2 + 0x40, FRAME_V2M2);
	rings(world, BYPASSED, ITS + 0x40, FRAME_ITS);
	/* In the region from the first doorbell to the last. */
	refused(world, BYPASSED, OTHER + 0x40, -EPERM, WARD_RESOLVED_FOREIGN, FRAME_OTHER);
	says(world, OTHER + 0x40, "0x8030040 -> doorbell 0, which is another controller's");
	refused(world, BYPASSED, V2M + 0x44, -ENOENT, WARD_RESOLVED_MISPLACED, FRAME_V2M);
	says(world, V2M + 0x44, "0x8020044 -> beside the register of doorbell 1, in its page");
	refused(world, BYPASSED, OTHER + 0x5000, -ENOENT, WARD_RESOLVED_MEMORY, WARD_NONE);
	/* Outside it a message is a write like any other. */
	faults(world, BYPASSED, IOVA + 0x40, WARD_FAULT_TRANSLATION);
	assert_int_equal(guest_map_page(world->viommu, DOMAIN, IOVA, MEMORY, GUEST_WRITE),
			 GUEST_OK);
	refused(world, BYPASSED, IOVA + 0x40, -ENOENT, WARD_RESOLVED_MEMORY, WARD_NONE);
	assert_int_equal(world->resolution.address, MEMORY + 0x40);
}

static void mapped(void **state)
{
	const uint32_t flags = GUEST_WRITE | GUEST_MMIO;
	struct world *world = *state;

	assert_int_equal(guest_attach(world->viommu, DOMAIN, MAPPED, 0), GUEST_OK);
	faults(world, MAPPED, V2M + 0x40, WARD_FAULT_TRANSLATION);
	faults(world, MAPPED, IOVA + 0x40, WARD_FAULT_TRANSLATION);
	assert_int_equal(guest_map_page(world->viommu, DOMAIN, IOVA, V2M2, flags), GUEST_OK);
	assert_int_equal(guest_map_page(world->viommu, DOMAIN, IOVA + 0x1000, ITS, flags),
			 GUEST_OK);
	assert_int_equal(guest_map_page(world->viommu, DOMAIN, IOVA + 0x2000, OTHER, flags),
			 GUEST_OK);
	assert_int_equal(guest_map_page(world->viommu, DOMAIN, IOVA + 0x3000, MEMORY, flags),
			 GUEST_OK);
	assert_int_equal(guest_map_page(world->viommu, DOMAIN, IOVA + 0x4000, V2M, GUEST_READ),
			 GUEST_OK);
	rings(world, MAPPED, IOVA + 0x40, FRAME_V2M2);
	says(world, IOVA + 0x40, "0xf000000040 -> stage 2: 0x8021040 -> doorbell 2");
	rings(world, MAPPED, IOVA + 0x1040, FRAME_ITS);
	refused(world, MAPPED, IOVA + 0x2040, -EPERM, WARD_RESOLVED_FOREIGN, FRAME_OTHER);
	refused(world, MAPPED, IOVA + 0x3040, -ENOENT, WARD_RESOLVED_MEMORY, WARD_NONE);
	assert_int_equal(world->resolution.address, MEMORY + 0x40);
	refused(world, MAPPED, IOVA + 0x1044, -ENOENT, WARD_RESOLVED_MISPLACED, FRAME_ITS);
	faults(world, MAPPED, IOVA + 0x4040, WARD_FAULT_PERMISSION);
	faults(world, MAPPED, IOVA + 0x5040, WARD_FAULT_TRANSLATION);
	says(world, IOVA + 0x5040,
	     "0xf000005040 -> fault: write to 0xf000005040: stage 2 maps nothing at 0xf000005040");
	/* As things are: the guest may map it anew. */
	assert_int_equal(guest_unmap(world->viommu, DOMAIN, IOVA, IOVA + 0xfff), GUEST_OK);
	faults(world, MAPPED, IOVA + 0x40, WARD_FAULT_TRANSLATION);
	assert_int_equal(guest_map_page(world->viommu, DOMAIN, IOVA, ITS, flags), GUEST_OK);
	rings(world, MAPPED, IOVA + 0x40, FRAME_ITS);
	assert_int_equal(guest_detach(world->viommu, DOMAIN, MAPPED), GUEST_OK);
	faults(world, MAPPED, IOVA + 0x40, WARD_FAULT_BLOCKED);
}

/* The whole of it: the address says more than which doorbell. */
static void x86_window(void **state)
{
	static const struct ward_doorbell_frame apic = { { WARD_X86_MSI_START, WARD_X86_MSI_LAST },
							 3 };
	struct world *world = *state;

	ward_viommu_destroy(world->viommu);
	world->options.frames = &apic;
	world->options.frames_count = 1;
	world->viommu = guest_device(&world->options);
	guest_endpoint(world->viommu, BYPASSED, WARD_VIOMMU_MSI_BYPASSED, 1);
	assert_int_equal(guest_attach(world->viommu, DOMAIN, BYPASSED, 0), GUEST_OK);
	assert_int_equal(ask(world, BYPASSED, 0xfee0100c), 0);
	assert_int_equal(world->resolution.frame, 0);
	assert_int_equal(world->resolution.address, 0xfee0100c);
	assert_int_equal(ask(world, BYPASSED, WARD_X86_MSI_LAST), 0);
	faults(world, BYPASSED, WARD_X86_MSI_LAST + 1, WARD_FAULT_TRANSLATION);
	faults(world, BYPASSED, WARD_X86_MSI_START - 1, WARD_FAULT_TRANSLATION);
}

/* Under nesting the guest maps the host's window to itself, and its doorbell lies there. */
static void identity(void **state)
{
	static const struct ward_doorbell_frame its = {
		{ WARD_SW_MSI_START + 0x40, WARD_SW_MSI_START + 0x43 }, 0
	};
	static const struct ward_reserved window = { { WARD_SW_MSI_START, WARD_SW_MSI_LAST },
						     WARD_REGION_SW_MSI };
	const struct ward_viommu_endpoint_options endpoint = {
		.size = sizeof(endpoint),
		.endpoint = MAPPED,
		.msi = WARD_VIOMMU_MSI_MAPPED,
		.frames = 1,
		.reserved = &window,
		.reserved_count = 1,
		.identity = true,
	};
	struct world *world = *state;

	ward_viommu_destroy(world->viommu);
	world->options.frames = &its;
	world->options.frames_count = 1;
	world->options.flags = WARD_VIOMMU_IDENTITY;
	world->viommu = guest_device(&world->options);
	assert_int_equal(ward_viommu_endpoint_add(world->viommu, &endpoint, NULL), 0);
	assert_int_equal(guest_attach(world->viommu, DOMAIN, MAPPED, 0), GUEST_OK);
	faults(world, MAPPED, WARD_SW_MSI_START + 0x40, WARD_FAULT_TRANSLATION);
	assert_int_equal(guest_map(world->viommu, DOMAIN, WARD_SW_MSI_START, WARD_SW_MSI_LAST,
				   WARD_SW_MSI_START, GUEST_WRITE | GUEST_MMIO),
			 GUEST_OK);
	assert_int_equal(ask(world, MAPPED, WARD_SW_MSI_START + 0x40), 0);
	assert_int_equal(world->resolution.frame, 0);
}

/* A message resolves exactly when the write itself would get to a doorbell of the endpoint. */
static void as_the_write_goes(void **state)
{
	static const uint64_t pages[] = { V2M, V2M2, OTHER, ITS, MEMORY, IOVA, IOVA + 0x1000 };
	static const uint64_t offsets[] = { 0, 0x40, 0x43, 0x44 };
	enum { PAGES = sizeof(pages) / sizeof(pages[0]) };
	struct world *world = *state;
	uint32_t random = 3, resolved = 0;

	assert_int_equal(guest_attach(world->viommu, 1, BYPASSED, 0), GUEST_OK);
	assert_int_equal(guest_attach(world->viommu, 2, MAPPED, 0), GUEST_OK);
	for (unsigned int round = 0; round < 4000; round++) {
		uint64_t from = pages[(random >> 16) % PAGES], to = pages[(random >> 20) % PAGES];
		uint64_t address = pages[(random >> 9) % PAGES] + offsets[random >> 28 & 3];
		uint32_t domain = 1 + (random >> 12 & 1), endpoint = BYPASSED + (random >> 13 & 1);
		struct ward_translation translation;
		struct ward_fault fault;
		int code, wanted;

		random = random * 1664525u + 1013904223u;
		if (random >> 31)
			(void)guest_map_page(world->viommu, domain, from, to,
					     1 + (random >> 25) % 3);
		else
			(void)guest_unmap(world->viommu, domain, from, from + GUEST_PAGE - 1);
		wanted = ward_viommu_translate(world->viommu, NULL, endpoint, ward_iova(address),
					       WARD_WRITE, &translation, &fault);
		code = ask(world, endpoint, address);
		if (code == 0) {
			resolved++;
			assert_int_equal(wanted, 0);
			assert_true(OWN >> world->resolution.frame & 1);
			assert_int_equal(ward_target_raw(translation.target),
					 world->resolution.address);
			assert_true(ward_range_has(frames[world->resolution.frame].registers,
						   world->resolution.address));
		} else if (wanted == 0) {
			assert_int_not_equal(code, -EFAULT);
			for (uint32_t i = 0; i < FRAMES; i++)
				assert_false(OWN >> i & 1 &&
					     ward_range_has(frames[i].registers,
							    ward_target_raw(translation.target)));
		}
	}
	assert_true(resolved > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(nobody_asks), TEST(blocked),    TEST(bypass),   TEST(bypassed),
		TEST(mapped),	   TEST(x86_window), TEST(identity), TEST(as_the_write_goes),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
