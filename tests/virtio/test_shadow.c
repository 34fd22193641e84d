// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Assigned functions behind a virtio-iommu: requests of the guest on one side, DMA of the software
 * machine's functions on the other.
 */
#include "shadow_rig.h"

#include "sweep.h"

#define IOVA 0x1000000ull

static void follows_body(struct shadow_rig *r)
{
	shadow_endpoints(r);
	assert_false(card_writes(r, LOW, LOW));
	assert_int_equal(guest_attach(r->viommu, 1, CARD, 0), GUEST_OK);
	assert_false(card_writes(r, IOVA, LOW));
	assert_int_equal(guest_map_page(r->viommu, 1, IOVA, HIGH + 0x3000, RW), GUEST_OK);
	assert_true(card_writes(r, IOVA, HIGH + 0x3000));
	assert_false(card_writes(r, IOVA + GUEST_PAGE, 0));
	assert_false(card_writes(r, HIGH + 0x3000, 0));
	/* The other one is nowhere. */
	assert_false(disk_writes(r, IOVA, 0));
	assert_int_equal(guest_unmap(r->viommu, 1, IOVA, IOVA + GUEST_PAGE - 1), GUEST_OK);
	assert_false(card_writes(r, IOVA, 0));
	assert_int_equal(guest_map_page(r->viommu, 1, IOVA, LOW, GUEST_READ), GUEST_OK);
	assert_true(card_reads(r, IOVA));
	assert_false(card_writes(r, IOVA, 0));
	assert_int_equal(guest_detach(r->viommu, 1, CARD), GUEST_OK);
	assert_false(card_reads(r, IOVA));
	assert_int_equal(shadow_info(r).spaces, 0);
	assert_int_equal(shadow_info(r).mappings, 0);
	assert_int_equal(shadow_info(r).maps, 2);
	assert_int_equal(shadow_info(r).unmaps, 1);
}

static void follows(void **unused)
{
	(void)unused;
	shadow_on_both(0, follows_body);
}

/* Mappings that were there before the function came; and both in one domain. */
static void replay_body(struct shadow_rig *r)
{
	shadow_endpoints(r);
	guest_endpoint(r->viommu, 100, WARD_VIOMMU_MSI_NONE, 0);
	assert_int_equal(guest_attach(r->viommu, 1, 100, 0), GUEST_OK);
	for (uint64_t i = 0; i < 16; i++)
		assert_int_equal(guest_map_page(r->viommu, 1, IOVA + 2 * i * GUEST_PAGE,
						LOW + i * GUEST_PAGE, RW),
				 GUEST_OK);
	/* Nobody is there for whom the host would have to do anything. */
	assert_int_equal(shadow_info(r).maps, 0);
	assert_int_equal(guest_attach(r->viommu, 1, CARD, 0), GUEST_OK);
	assert_int_equal(shadow_info(r).maps, 16);
	assert_int_equal(guest_attach(r->viommu, 1, DISK, 0), GUEST_OK);
	assert_int_equal(shadow_info(r).maps, 16);
	assert_int_equal(shadow_info(r).spaces, 1);
	for (uint64_t i = 0; i < 16; i++) {
		assert_true(card_writes(r, IOVA + 2 * i * GUEST_PAGE, LOW + i * GUEST_PAGE));
		assert_true(disk_writes(r, IOVA + 2 * i * GUEST_PAGE, LOW + i * GUEST_PAGE));
		assert_false(card_writes(r, IOVA + (2 * i + 1) * GUEST_PAGE, 0));
	}
	assert_int_equal(guest_detach(r->viommu, 1, CARD), GUEST_OK);
	assert_false(card_writes(r, IOVA, 0));
	assert_true(disk_writes(r, IOVA, LOW));
	/* One UNMAP of all, one operation of the host. */
	assert_int_equal(guest_unmap(r->viommu, 1, 0, UINT64_MAX), GUEST_OK);
	assert_int_equal(shadow_info(r).unmaps, 1);
	assert_false(disk_writes(r, IOVA, 0));
	assert_int_equal(guest_detach(r->viommu, 1, DISK), GUEST_OK);
	assert_int_equal(shadow_info(r).spaces, 0);
	assert_int_equal(shadow_info(r).peak, 16);
}

static void replay(void **unused)
{
	(void)unused;
	shadow_on_both(0, replay_body);
}

static void moves_body(struct shadow_rig *r)
{
	shadow_endpoints(r);
	assert_int_equal(guest_attach(r->viommu, 1, CARD, 0), GUEST_OK);
	assert_int_equal(guest_map_page(r->viommu, 1, IOVA, LOW, RW), GUEST_OK);
	assert_int_equal(guest_attach(r->viommu, 2, DISK, 0), GUEST_OK);
	assert_int_equal(guest_map_page(r->viommu, 2, IOVA, HIGH, RW), GUEST_OK);
	assert_int_equal(shadow_info(r).spaces, 2);
	assert_true(card_writes(r, IOVA, LOW));
	assert_true(disk_writes(r, IOVA, HIGH));
	/* No DETACH: from one into the other. */
	assert_int_equal(guest_attach(r->viommu, 2, CARD, 0), GUEST_OK);
	assert_true(card_writes(r, IOVA, HIGH));
	assert_int_equal(shadow_info(r).spaces, 1);
	/* And into a bypass domain, where addresses are the guest's. */
	assert_int_equal(guest_attach(r->viommu, 3, CARD, 1), GUEST_OK);
	assert_false(card_writes(r, IOVA, 0));
	assert_true(card_writes(r, LOW + 0x1008, LOW + 0x1008));
	assert_true(disk_writes(r, IOVA, HIGH));
	assert_int_equal(guest_attach(r->viommu, 2, CARD, 0), GUEST_OK);
	assert_true(card_writes(r, IOVA, HIGH));
	assert_false(card_writes(r, LOW + 0x1008, 0));
	assert_int_equal(shadow_info(r).spaces, 1);
	/* A reset takes all of it away. */
	ward_viommu_reset(r->viommu, false);
	assert_false(card_writes(r, IOVA, 0));
	assert_false(disk_writes(r, IOVA, 0));
	assert_int_equal(shadow_info(r).spaces, 0);
}

static void moves(void **unused)
{
	(void)unused;
	shadow_on_both(0, moves_body);
}

static void bypass_body(struct shadow_rig *r)
{
	const uint8_t off = 0, on = 1;

	shadow_endpoints(r);
	assert_int_equal(shadow_info(r).spaces, 1);
	/* Two banks lie side by side: one mapping of the host, and one each for the rest. */
	assert_int_equal(shadow_info(r).mappings, 3);
	assert_true(card_writes(r, LOW, LOW));
	assert_true(card_writes(r, LOW + BANK, LOW + BANK));
	assert_true(disk_writes(r, HIGH + BANK - 8, HIGH + BANK - 8));
	assert_true(card_reads(r, ROM));
	assert_false(card_writes(r, ROM, 0));
	assert_false(card_writes(r, 0, 0));
	assert_false(card_writes(r, DOORBELL + 0x40, 0));
	/* The byte: at once. */
	assert_int_equal(ward_viommu_config_write(r->viommu, 36, &off, 1), 0);
	assert_false(card_writes(r, LOW, 0));
	assert_int_equal(shadow_info(r).spaces, 0);
	assert_int_equal(guest_attach(r->viommu, 1, CARD, 0), GUEST_OK);
	assert_int_equal(ward_viommu_config_write(r->viommu, 36, &on, 1), 0);
	assert_true(disk_writes(r, LOW, LOW));
	assert_false(card_writes(r, LOW, 0));
	assert_int_equal(guest_detach(r->viommu, 1, CARD), GUEST_OK);
	assert_true(card_writes(r, LOW, LOW));
	assert_int_equal(shadow_info(r).spaces, 1);
}

static void bypass(void **unused)
{
	(void)unused;
	shadow_on_both(WARD_VIOMMU_BOOT_BYPASS, bypass_body);
}

static void pieces_body(struct shadow_rig *r)
{
	uint64_t whole = 2 * BANK;

	shadow_endpoints(r);
	assert_int_equal(guest_attach(r->viommu, 1, CARD, 0), GUEST_OK);
	/* Side by side in the machine. */
	assert_int_equal(guest_map(r->viommu, 1, IOVA, IOVA + whole - 1, LOW, RW), GUEST_OK);
	assert_int_equal(shadow_info(r).mappings, 1);
	assert_true(card_writes(r, IOVA + BANK - 8, LOW + BANK - 8));
	assert_true(card_writes(r, IOVA + BANK, LOW + BANK));
	/* Two MAPs that would go on from one another are two: an UNMAP of one cuts none. */
	assert_int_equal(guest_map_page(r->viommu, 1, 2 * IOVA, HIGH, RW), GUEST_OK);
	assert_int_equal(guest_map_page(r->viommu, 1, 2 * IOVA + GUEST_PAGE, HIGH + GUEST_PAGE, RW),
			 GUEST_OK);
	assert_int_equal(shadow_info(r).mappings, 3);
	assert_int_equal(guest_unmap(r->viommu, 1, 2 * IOVA, 2 * IOVA + GUEST_PAGE - 1), GUEST_OK);
	assert_false(card_writes(r, 2 * IOVA, 0));
	assert_true(card_writes(r, 2 * IOVA + GUEST_PAGE, HIGH + GUEST_PAGE));
	/* Beyond the end of a bank: refused whole. */
	assert_int_equal(guest_map(r->viommu, 1, 4 * IOVA, 4 * IOVA + 2 * GUEST_PAGE - 1,
				   HIGH + BANK - GUEST_PAGE, RW),
			 GUEST_FAULT);
	assert_false(card_writes(r, 4 * IOVA, 0));
	assert_int_equal(guest_map_page(r->viommu, 1, 4 * IOVA, 0, RW), GUEST_FAULT);
	/* What a guest cannot write its devices cannot, either. */
	assert_int_equal(guest_map_page(r->viommu, 1, 4 * IOVA, ROM, RW), GUEST_FAULT);
	assert_int_equal(guest_map_page(r->viommu, 1, 4 * IOVA, ROM, GUEST_READ), GUEST_OK);
	assert_true(card_reads(r, 4 * IOVA));
	assert_int_equal(shadow_info(r).mappings, 3);
	assert_int_equal(shadow_info(r).refused_other, 3);
	assert_int_equal(shadow_info(r).refused_full, 0);
	assert_int_equal(guest_unmap(r->viommu, 1, 0, UINT64_MAX), GUEST_OK);
	assert_int_equal(shadow_info(r).mappings, 0);
	assert_int_equal(shadow_info(r).peak, 3);
}

static void pieces(void **unused)
{
	(void)unused;
	shadow_on_both(0, pieces_body);
}

/* The guest may map its doorbell, and the host has its own. */
static void doorbell_body(struct shadow_rig *r)
{
	const uint32_t mmio = GUEST_WRITE | GUEST_MMIO;

	guest_endpoint(r->viommu, CARD, WARD_VIOMMU_MSI_MAPPED, 1);
	assert_int_equal(guest_attach(r->viommu, 1, CARD, 0), GUEST_OK);
	assert_int_equal(guest_map_page(r->viommu, 1, IOVA, DOORBELL, GUEST_WRITE), GUEST_FAULT);
	assert_int_equal(guest_map_page(r->viommu, 1, IOVA, DOORBELL, mmio), GUEST_OK);
	assert_int_equal(shadow_info(r).maps, 0);
	assert_false(card_writes(r, IOVA + 0x40, 0));
	assert_int_equal(guest_map_page(r->viommu, 1, 2 * IOVA, DOORBELL + GUEST_PAGE, mmio),
			 GUEST_FAULT);
	assert_int_equal(guest_map(r->viommu, 1, 2 * IOVA, 2 * IOVA + 2 * GUEST_PAGE - 1, DOORBELL,
				   mmio),
			 GUEST_FAULT);
	/* One UNMAP of what the host has and what it has not. */
	assert_int_equal(guest_map_page(r->viommu, 1, IOVA + GUEST_PAGE, LOW, RW), GUEST_OK);
	assert_int_equal(guest_unmap(r->viommu, 1, IOVA, IOVA + GUEST_PAGE - 1), GUEST_OK);
	assert_true(card_writes(r, IOVA + GUEST_PAGE, LOW));
	assert_int_equal(guest_map_page(r->viommu, 1, IOVA, DOORBELL, mmio), GUEST_OK);
	assert_int_equal(guest_unmap(r->viommu, 1, IOVA, IOVA + 2 * GUEST_PAGE - 1), GUEST_OK);
	assert_false(card_writes(r, IOVA + GUEST_PAGE, 0));
	/* It is there, too, when the function comes later. */
	assert_int_equal(guest_map_page(r->viommu, 1, IOVA, DOORBELL, mmio), GUEST_OK);
	guest_endpoint(r->viommu, DISK, WARD_VIOMMU_MSI_MAPPED, 1);
	guest_endpoint(r->viommu, 100, WARD_VIOMMU_MSI_MAPPED, 1);
	assert_int_equal(guest_attach(r->viommu, 1, 100, 0), GUEST_OK);
	assert_int_equal(guest_detach(r->viommu, 1, CARD), GUEST_OK);
	assert_int_equal(shadow_info(r).spaces, 0);
	assert_int_equal(guest_attach(r->viommu, 1, DISK, 0), GUEST_OK);
	assert_int_equal(shadow_info(r).mappings, 0);
}

static void doorbell(void **unused)
{
	(void)unused;
	shadow_on_both(0, doorbell_body);
}

/* A driver that has no MMIO flag maps its doorbell without one. */
static void doorbell_plain_body(struct shadow_rig *r)
{
	ward_viommu_reset(r->viommu, false);
	assert_int_equal(ward_viommu_negotiate(r->viommu, WARD_VIOMMU_F_MAP_UNMAP), 0);
	guest_endpoint(r->viommu, CARD, WARD_VIOMMU_MSI_MAPPED, 1);
	assert_int_equal(guest_attach(r->viommu, 1, CARD, 0), GUEST_OK);
	assert_int_equal(guest_map_page(r->viommu, 1, IOVA, DOORBELL, GUEST_WRITE), GUEST_OK);
	assert_int_equal(shadow_info(r).maps, 0);
	assert_int_equal(guest_map_page(r->viommu, 1, 2 * IOVA, 0, GUEST_WRITE), GUEST_FAULT);
}

static void doorbell_plain(void **unused)
{
	(void)unused;
	shadow_on_both(0, doorbell_plain_body);
}

/* The guest's half of the host's doorbell window: there is nothing of it in a host. */
static void window_body(struct shadow_rig *r)
{
	static const struct ward_reserved window = {
		.range = { LOW, LOW + 0xffff },
		.kind = WARD_REGION_SW_MSI,
	};
	struct ward_viommu_endpoint_options options = {
		.size = sizeof(options),
		.endpoint = CARD,
		.reserved = &window,
		.reserved_count = 1,
		.identity = true,
	};

	assert_int_equal(ward_viommu_endpoint_add(r->viommu, &options, NULL), 0);
	options.endpoint = 100;
	assert_int_equal(ward_viommu_endpoint_add(r->viommu, &options, NULL), 0);
	assert_int_equal(guest_attach(r->viommu, 1, CARD, 0), GUEST_OK);
	assert_int_equal(guest_map_page(r->viommu, 1, LOW, LOW, RW), GUEST_OK);
	assert_false(card_writes(r, LOW, 0));
	assert_int_equal(guest_map_page(r->viommu, 1, IOVA, HIGH, RW), GUEST_OK);
	/* Out, and in when it is there already. */
	assert_int_equal(guest_attach(r->viommu, 1, 100, 0), GUEST_OK);
	assert_int_equal(guest_detach(r->viommu, 1, CARD), GUEST_OK);
	assert_int_equal(guest_attach(r->viommu, 1, CARD, 0), GUEST_OK);
	assert_true(card_writes(r, IOVA, HIGH));
	assert_false(card_writes(r, LOW, 0));
	assert_int_equal(shadow_info(r).mappings, 1);
	/* One UNMAP over both. */
	assert_int_equal(guest_unmap(r->viommu, 1, 0, UINT64_MAX), GUEST_OK);
	assert_int_equal(shadow_info(r).mappings, 0);
	assert_int_equal(shadow_info(r).unmaps, 1);
}

static void window(void **unused)
{
	(void)unused;
	shadow_on_both(WARD_VIOMMU_IDENTITY, window_body);
}

/* A region of the host that the monitor did not tell of: the host refuses it, whoever comes first. */
static void host_region_body(struct shadow_rig *r)
{
	const bool x86 = r->rig.make.arch == WARD_ARCH_X86;
	const uint64_t region = x86 ? WARD_X86_MSI_START : WARD_SW_MSI_START;

	shadow_endpoints(r);
	assert_int_equal(guest_attach(r->viommu, 1, CARD, 0), GUEST_OK);
	assert_int_equal(guest_map_page(r->viommu, 1, region, LOW, RW), GUEST_INVAL);
	assert_int_equal(shadow_info(r).mappings, 0);
	assert_int_equal(guest_detach(r->viommu, 1, CARD), GUEST_OK);
	guest_endpoint(r->viommu, 100, WARD_VIOMMU_MSI_NONE, 0);
	assert_int_equal(guest_attach(r->viommu, 1, 100, 0), GUEST_OK);
	assert_int_equal(guest_map_page(r->viommu, 1, region, LOW, RW), GUEST_OK);
	assert_int_equal(guest_attach(r->viommu, 1, CARD, 0), GUEST_UNSUPP);
	assert_int_equal(shadow_info(r).spaces, 0);
	assert_int_equal(shadow_info(r).refused_other, 2);
}

static void host_region(void **unused)
{
	(void)unused;
	shadow_on_both(0, host_region_body);
}

static void plug_body(struct shadow_rig *r)
{
	assert_int_equal(ward_shadow_add(r->shadow, 10, NULL), -EINVAL);
	assert_int_equal(ward_shadow_add(r->shadow, CARD, r->disk), -EEXIST);
	assert_int_equal(ward_shadow_add(r->shadow, 10, r->disk), -EEXIST);
	assert_int_equal(ward_shadow_remove(r->shadow, 10), -ENOENT);
	shadow_endpoints(r);
	assert_int_equal(ward_shadow_remove(r->shadow, CARD), -EBUSY);
	assert_int_equal(guest_attach(r->viommu, 1, CARD, 0), GUEST_OK);
	assert_int_equal(guest_attach(r->viommu, 1, DISK, 0), GUEST_OK);
	assert_int_equal(guest_map_page(r->viommu, 1, IOVA, LOW, RW), GUEST_OK);
	assert_int_equal(shadow_info(r).functions, 2);
	/* Out while it runs. */
	assert_int_equal(ward_viommu_endpoint_remove(r->viommu, CARD), 0);
	assert_false(card_writes(r, IOVA, 0));
	assert_true(disk_writes(r, IOVA, LOW));
	assert_int_equal(ward_shadow_remove(r->shadow, CARD), 0);
	assert_int_equal(shadow_info(r).functions, 1);
	/* Without a shadow it is an emulated device. */
	guest_endpoint(r->viommu, CARD, WARD_VIOMMU_MSI_NONE, 0);
	assert_int_equal(ward_shadow_add(r->shadow, CARD, r->card), -EBUSY);
	assert_int_equal(guest_attach(r->viommu, 1, CARD, 0), GUEST_OK);
	assert_false(card_writes(r, IOVA, 0));
	assert_int_equal(ward_viommu_endpoint_remove(r->viommu, CARD), 0);
	/* And in again, under another id. */
	assert_int_equal(ward_shadow_add(r->shadow, 7, r->card), 0);
	guest_endpoint(r->viommu, 7, WARD_VIOMMU_MSI_NONE, 0);
	assert_int_equal(guest_attach(r->viommu, 1, 7, 0), GUEST_OK);
	assert_true(card_writes(r, IOVA, LOW));
	assert_int_equal(shadow_info(r).spaces, 1);
}

static void plug(void **unused)
{
	(void)unused;
	shadow_on_both(0, plug_body);
}

/* Two that the IOMMU cannot tell apart: the guest may not, either. */
static void alike_body(struct rig *rig)
{
	struct ward_viommu_options options = { 0 };
	struct shadow_rig r = { .rig = *rig };
	struct ward_device *first, *second;

	ward_model_police(r.rig.backend, rig_misused, &r.rig);
	shadow_start(&r, &options);
	first = rig_open(&r.rig, "0000:04:01.0");
	second = rig_open(&r.rig, "0000:04:02.0");
	assert_int_equal(ward_shadow_add(r.shadow, 20, first), 0);
	assert_int_equal(ward_shadow_add(r.shadow, 21, second), 0);
	guest_endpoint(r.viommu, 20, WARD_VIOMMU_MSI_NONE, 0);
	guest_endpoint(r.viommu, 21, WARD_VIOMMU_MSI_NONE, 0);
	assert_int_equal(guest_attach(r.viommu, 1, 20, 0), GUEST_OK);
	assert_int_equal(guest_map_page(r.viommu, 1, IOVA, LOW, RW), GUEST_OK);
	assert_int_equal(guest_attach(r.viommu, 2, 21, 0), GUEST_UNSUPP);
	assert_int_equal(shadow_info(&r).spaces, 1);
	assert_int_equal(shadow_info(&r).refused_other, 1);
	assert_true(shadow_writes(&r, "04:01.0", IOVA, LOW));
	assert_int_equal(guest_attach(r.viommu, 1, 21, 0), GUEST_OK);
	assert_true(shadow_writes(&r, "04:02.0", IOVA, LOW));
	/* They move only when both have left. */
	assert_int_equal(guest_attach(r.viommu, 2, 20, 0), GUEST_UNSUPP);
	assert_true(shadow_writes(&r, "04:01.0", IOVA, LOW));
	assert_int_equal(guest_detach(r.viommu, 1, 20), GUEST_OK);
	assert_int_equal(guest_attach(r.viommu, 2, 20, 0), GUEST_UNSUPP);
	assert_int_equal(guest_detach(r.viommu, 1, 21), GUEST_OK);
	assert_int_equal(guest_attach(r.viommu, 2, 20, 0), GUEST_OK);
	assert_false(shadow_writes(&r, "04:01.0", IOVA, LOW));
	assert_int_equal(guest_map_page(r.viommu, 2, IOVA, HIGH, RW), GUEST_OK);
	assert_int_equal(guest_attach(r.viommu, 2, 21, 0), GUEST_OK);
	assert_true(shadow_writes(&r, "04:02.0", IOVA, HIGH));
	ward_viommu_destroy(r.viommu);
	ward_shadow_destroy(r.shadow);
	r.viommu = NULL;
	r.shadow = NULL;
	assert_false(shadow_writes(&r, "04:02.0", IOVA, 0));
	ward_device_close(first);
	ward_device_close(second);
	shadow_end(&r);
	ward_model_police(r.rig.backend, rig_misused, rig);
}

static void alike(void **unused)
{
	(void)unused;
	rig_on_both(NULL, alike_body);
}

static void wrong_options_body(struct shadow_rig *r)
{
	static const struct ward_range odd[] = { { LOW, LOW + BANK - 2 } };
	static const struct ward_range page[] = { { DOORBELL, DOORBELL + GUEST_PAGE - 1 } };
	static const struct ward_range nowhere[] = { { LOW, HIGH } };
	static const struct ward_range twice[] = { { LOW, LOW + BANK - 1 },
						   { LOW, LOW + BANK - 1 } };
	const struct ward_shadow_options good = shadow_options(r);
	struct ward_shadow_options bad;
	struct ward_shadow *shadow = NULL;
	struct ward_error why = { "" };

#define REFUSED(change, errno_wanted)                                                    \
	do {                                                                             \
		bad = good;                                                              \
		change;                                                                  \
		why.text[0] = '\0';                                                      \
		assert_int_equal(ward_shadow_create(&bad, &shadow, &why), errno_wanted); \
		assert_true(*why.text);                                                  \
	} while (0)
	assert_int_equal(ward_shadow_create(NULL, &shadow, NULL), -EINVAL);
	REFUSED(bad.size--, -EINVAL);
	REFUSED(bad.viommu = NULL, -EINVAL);
	REFUSED(bad.backend = NULL, -EINVAL);
	REFUSED(bad.memory = NULL, -EINVAL);
	REFUSED(bad.ram_count = 65, -EINVAL);
	REFUSED(bad.ram = NULL, -EINVAL);
	REFUSED((bad.ram = odd, bad.ram_count = 1), -EINVAL);
	REFUSED((bad.ram = nowhere, bad.ram_count = 1), -EINVAL);
	REFUSED((bad.ram = twice, bad.ram_count = 2), -EINVAL);
	/* A doorbell is no RAM, whatever the driver may map. */
	ward_viommu_reset(r->viommu, false);
	REFUSED((bad.ram = page, bad.ram_count = 1), -EINVAL);
	/* Endpoints are there already. */
	shadow_endpoints(r);
	REFUSED((void)bad, -EBUSY);
#undef REFUSED
	assert_null(shadow);
}

static void wrong_options(void **unused)
{
	(void)unused;
	shadow_on_both(0, wrong_options_body);
}

struct saved {
	unsigned char bytes[4096];
	size_t size, at;
};

static int save_bytes(void *context, const void *from, size_t size)
{
	struct saved *saved = context;

	assert_true(size <= sizeof(saved->bytes) - saved->size);
	memcpy(saved->bytes + saved->size, from, size);
	saved->size += size;
	return 0;
}

static int load_bytes(void *context, void *ret_bytes, size_t size)
{
	struct saved *saved = context;

	if (size > saved->size - saved->at)
		return -EIO;
	memcpy(ret_bytes, saved->bytes + saved->at, size);
	saved->at += size;
	return 0;
}

/* What is loaded is the host's, too. */
static void goes_on_body(struct shadow_rig *r)
{
	struct saved saved = { .size = 0 };

	shadow_endpoints(r);
	assert_int_equal(guest_attach(r->viommu, 1, CARD, 0), GUEST_OK);
	assert_int_equal(guest_map_page(r->viommu, 1, IOVA, LOW, RW), GUEST_OK);
	assert_int_equal(guest_map_page(r->viommu, 1, 2 * IOVA, HIGH, RW), GUEST_OK);
	assert_int_equal(guest_attach(r->viommu, 2, DISK, 1), GUEST_OK);
	assert_int_equal(ward_viommu_save(r->viommu, save_bytes, &saved), 0);
	ward_viommu_reset(r->viommu, true);
	assert_int_equal(shadow_info(r).spaces, 0);
	assert_int_equal(ward_viommu_load(r->viommu, load_bytes, &saved, NULL), 0);
	assert_true(card_writes(r, IOVA, LOW));
	assert_true(card_writes(r, 2 * IOVA, HIGH));
	assert_false(card_writes(r, LOW, 0));
	assert_true(disk_writes(r, LOW, LOW));
	assert_int_equal(shadow_info(r).spaces, 2);
}

static void goes_on(void **unused)
{
	(void)unused;
	shadow_on_both(0, goes_on_body);
}

/* Some allocation fails: refused, and as before. */
static int whole_life(void *context)
{
	struct shadow_rig *r = context;
	static const uint64_t at[] = { IOVA, IOVA + GUEST_PAGE, IOVA + 3 * GUEST_PAGE };
	int status = guest_attach(r->viommu, 1, CARD, 0), ended;

	for (size_t i = 0; i < 3 && status == GUEST_OK; i++)
		status = guest_map_page(r->viommu, 1, at[i], LOW + i * GUEST_PAGE, RW);
	if (status == GUEST_OK)
		status = guest_attach(r->viommu, 2, DISK, 0);
	if (status == GUEST_OK)
		status = guest_attach(r->viommu, 1, DISK, 0);
	if (status == GUEST_OK)
		status = guest_attach(r->viommu, 3, CARD, 1);
	ended = status;
	if (status != GUEST_OK)
		assert_int_equal(status, GUEST_NOMEM);
	(void)guest_detach(r->viommu, 1, CARD);
	(void)guest_detach(r->viommu, 3, CARD);
	(void)guest_detach(r->viommu, 2, DISK);
	(void)guest_detach(r->viommu, 1, DISK);
	assert_false(card_writes(r, IOVA, 0));
	assert_false(disk_writes(r, IOVA, 0));
	assert_int_equal(shadow_info(r).spaces, 0);
	assert_int_equal(shadow_info(r).mappings, 0);
	assert_int_equal(shadow_info(r).frozen, 0);
	return ended == GUEST_OK ? 0 : -ENOMEM;
}

static int one_made(void *context)
{
	const struct shadow_rig *r = context;
	struct ward_shadow_options options = shadow_options(context);
	struct ward_viommu_options device = { .size = sizeof(device) };
	struct ward_shadow *shadow = NULL;
	int code = ward_viommu_create(&device, &options.viommu);

	if (code)
		return code;
	code = ward_shadow_create(&options, &shadow, NULL);
	/* It is somebody's already, and never moved here. */
	if (!code)
		code = ward_shadow_add(shadow, CARD, r->card);
	ward_viommu_destroy(options.viommu);
	ward_shadow_destroy(shadow);
	return code;
}

static void sweep_body(struct shadow_rig *r)
{
	shadow_endpoints(r);
	assert_true(test_sweep(whole_life, r) > 10);
	assert_true(test_sweep(one_made, r) > 3);
}

static void sweep(void **unused)
{
	(void)unused;
	shadow_on_both(0, sweep_body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows),	  cmocka_unit_test(replay),
		cmocka_unit_test(moves),	  cmocka_unit_test(bypass),
		cmocka_unit_test(pieces),	  cmocka_unit_test(doorbell),
		cmocka_unit_test(doorbell_plain), cmocka_unit_test(window),
		cmocka_unit_test(host_region),	  cmocka_unit_test(plug),
		cmocka_unit_test(alike),	  cmocka_unit_test(wrong_options),
		cmocka_unit_test(goes_on),	  cmocka_unit_test(sweep),
	};

	return cmocka_run_group_tests_name("shadow", tests, NULL, NULL);
}
