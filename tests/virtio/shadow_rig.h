/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A virtio-iommu whose endpoints 8 and 9 are functions of the software machine, by a shadow. Guest memory is
 * in pieces, and where a piece is in the machine's memory is for the machine alone to know:
 *
 *	guest physical		machine
 *	0x40000000 256 KiB	RAM
 *	0x40040000 256 KiB	right behind it
 *	0x50000000 256 KiB	0x80000 further, so not behind it
 *	0x60000000  64 KiB	0xc0000 further, read-only to the guest
 */
#ifndef TESTS_VIRTIO_SHADOW_RIG_H
#define TESTS_VIRTIO_SHADOW_RIG_H

#include "backend/model_rig.h"

#include "guest.h"

#include <doorward/shadow.h>

#define LOW 0x40000000ull
#define HIGH 0x50000000ull
#define ROM 0x60000000ull
#define BANK 0x40000ull
#define DOORBELL 0x8020000ull
#define RW (GUEST_READ | GUEST_WRITE)
#define CARD 8u
#define DISK 9u

static const struct {
	uint64_t guest, size, at;
	uint32_t flags;
} shadow_banks[] = {
	{ LOW, BANK, 0, 0 },
	{ LOW + BANK, BANK, BANK, 0 },
	{ HIGH, BANK, 0x80000, 0 },
	{ ROM, 0x10000, 0xc0000, WARD_MEMORY_READ_ONLY },
};

struct shadow_rig {
	struct rig rig;
	struct ward_memory *guest;
	struct ward_viommu *viommu;
	struct ward_shadow *shadow;
	struct ward_device *card, *disk;
};

static inline int shadow_place(void *context, ward_gpa_t start, uint64_t length,
			       ward_target_t *ret_target, uint64_t *ret_length)
{
	uint64_t address = ward_gpa_raw(start);

	(void)context;
	for (size_t i = 0; i < sizeof(shadow_banks) / sizeof(shadow_banks[0]); i++) {
		uint64_t into = address - shadow_banks[i].guest, left = shadow_banks[i].size - into;

		if (into >= shadow_banks[i].size)
			continue;
		*ret_target = ward_target(RAM + shadow_banks[i].at + into);
		*ret_length = length < left ? length : left;
		return 0;
	}
	return -EFAULT;
}

static inline void shadow_memory(struct shadow_rig *r)
{
	assert_int_equal(ward_memory_create(&r->guest), 0);
	for (size_t i = 0; i < sizeof(shadow_banks) / sizeof(shadow_banks[0]); i++) {
		const struct ward_range range = {
			shadow_banks[i].guest, shadow_banks[i].guest + shadow_banks[i].size - 1
		};

		assert_int_equal(ward_memory_add(r->guest, range, shadow_banks[i].flags,
						 r->rig.ram + shadow_banks[i].at),
				 0);
	}
}

static inline struct ward_shadow_options shadow_options(struct shadow_rig *r)
{
	static const struct ward_range ram[] = { { LOW, LOW + 2 * BANK - 1 },
						 { HIGH, HIGH + BANK - 1 },
						 { ROM, ROM + 0xffff } };

	return (struct ward_shadow_options){ .size = sizeof(struct ward_shadow_options),
					     .viommu = r->viommu,
					     .backend = r->rig.backend,
					     .memory = r->guest,
					     .place = shadow_place,
					     .ram = ram,
					     .ram_count = 3 };
}

/* Endpoints are for the test to add. */
static inline void shadow_start(struct shadow_rig *r, struct ward_viommu_options *options)
{
	static const struct ward_doorbell_frame frame = { .registers = { DOORBELL + 0x40,
									 DOORBELL + 0x43 } };
	struct ward_shadow_options shadow;

	shadow_memory(r);
	options->frames = &frame;
	options->frames_count = 1;
	r->viommu = guest_device(options);
	shadow = shadow_options(r);
	assert_int_equal(ward_shadow_create(&shadow, &r->shadow, NULL), 0);
	r->card = rig_open(&r->rig, "0000:01:00.0");
	r->disk = rig_open(&r->rig, "0000:02:00.0");
	assert_int_equal(ward_shadow_add(r->shadow, CARD, r->card), 0);
	assert_int_equal(ward_shadow_add(r->shadow, DISK, r->disk), 0);
}

static inline void shadow_end(struct shadow_rig *r)
{
	ward_viommu_destroy(r->viommu);
	ward_shadow_destroy(r->shadow);
	ward_device_close(r->card);
	ward_device_close(r->disk);
	ward_memory_destroy(r->guest);
	assert_int_equal(r->rig.misuses, 0);
}

static inline struct ward_shadow_info shadow_info(const struct shadow_rig *r)
{
	struct ward_shadow_info info;

	ward_shadow_info(r->shadow, &info);
	return info;
}

/* A DMA write of the function: whether it arrived at this guest physical address; 0: it faulted. */
static inline bool shadow_writes(struct shadow_rig *r, const char *function, uint64_t iova,
				 uint64_t guest)
{
	static uint64_t word = 0x5741524400000000;
	uint64_t there = 0;

	word++;
	if (rig_dma(&r->rig, function, iova, true, &word, sizeof(word)).end != WARD_DMA_MEMORY)
		return false;
	assert_int_equal(ward_memory_read(r->guest, guest, &there, sizeof(there)), 0);
	assert_int_equal(there, word);
	return true;
}

static inline bool card_writes(struct shadow_rig *r, uint64_t iova, uint64_t guest)
{
	return shadow_writes(r, "01:00.0", iova, guest);
}

static inline bool disk_writes(struct shadow_rig *r, uint64_t iova, uint64_t guest)
{
	return shadow_writes(r, "02:00.0", iova, guest);
}

static inline bool card_reads(struct shadow_rig *r, uint64_t iova)
{
	uint64_t word;

	return rig_dma(&r->rig, "01:00.0", iova, false, &word, sizeof(word)).end == WARD_DMA_MEMORY;
}

/* Once over an SMMUv3, once over VT-d. */
static inline void shadow_on_both(uint32_t flags, void (*body)(struct shadow_rig *r))
{
	for (unsigned int kind = 0; kind < 2; kind++) {
		struct ward_viommu_options options = { .flags = flags };
		struct shadow_rig r = { 0 };

		rig_cards(&r.rig, kind ? make_x86 : make_arm_its);
		rig_start(&r.rig);
		shadow_start(&r, &options);
		body(&r);
		shadow_end(&r);
		rig_end(&r.rig);
	}
}

static inline void shadow_endpoints(struct shadow_rig *r)
{
	guest_endpoint(r->viommu, CARD, WARD_VIOMMU_MSI_NONE, 0);
	guest_endpoint(r->viommu, DISK, WARD_VIOMMU_MSI_NONE, 0);
}

#endif
