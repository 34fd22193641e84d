/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * IVRS: AMD's IOMMUs.
 * Source: AMD I/O Virtualization Technology Specification (48882) revision 3.08, chapter 5.
 */
#ifndef FIRMWARE_IVRS_H
#define FIRMWARE_IVRS_H

#include "firmware/acpi.h"

/* Device entries and memory blocks of a table: each function is held against all of them. */
#define WARD_IVRS_ENTRIES_MAX 16384u
#define WARD_IVRS_MEMORIES_MAX 256u

enum ward_ivrs_entry_kind {
	WARD_IVRS_DEVICES, /* functions first..last */
	WARD_IVRS_IOAPIC,
	WARD_IVRS_HPET,
	WARD_IVRS_ACPI, /* a device with an ACPI hardware id */
};

/* Requester ids that an IOMMU serves. */
struct ward_ivrs_entry {
	enum ward_ivrs_entry_kind kind;
	uint16_t first, last;
	/* Their requests carry this id instead of their own. */
	bool aliased;
	uint16_t alias;
	uint8_t handle; /* I/O APIC or HPET number */
};

/* An IVHD block of types 0x10, 0x11 or 0x40. entries of the table, from first_entry. */
struct ward_ivrs_iommu {
	uint8_t type;
	uint8_t flags; /* bit 4: IOTLB (ATS) supported */
	uint16_t rid;  /* of the IOMMU itself */
	uint16_t segment;
	uint64_t base;
	uint32_t features; /* 0x10: feature report; others: attributes */
	uint64_t efr;	   /* 0x11 and 0x40: extended feature register, else 0 */
	bool used;	   /* of the type that Linux takes */
	uint32_t first_entry, entries_count;
};

#define WARD_IVRS_UNITY 0x01u
#define WARD_IVRS_EXCLUSION 0x08u

/* An IVMD block: memory that functions first..last need. */
struct ward_ivrs_memory {
	uint8_t flags; /* WARD_IVRS_*, 2 read, 4 write */
	uint16_t segment;
	uint16_t first, last;
	struct ward_range range;
};

struct ward_ivrs {
	uint32_t info; /* IVinfo */
	struct ward_ivrs_iommu *iommus;
	uint32_t iommus_count;
	struct ward_ivrs_entry *entries;
	uint32_t entries_count;
	struct ward_ivrs_memory *memories;
	uint32_t memories_count;
};

/* Returns 0, -EBADMSG with a sentence, -ENOMEM. */
int ward_ivrs_parse(const void *bytes, size_t size, struct ward_ivrs **ret_ivrs,
		    struct ward_error *ret_error);
void ward_ivrs_destroy(struct ward_ivrs *ivrs);

/*
 * The IOMMU that serves a function (index into iommus), or WARD_NONE. Only used blocks count, the
 * last entry wins, and no IOMMU serves itself, as in Linux. *ret_id is the id its requests carry.
 */
uint32_t ward_ivrs_find(const struct ward_ivrs *ivrs, uint32_t segment, uint16_t rid,
			uint16_t *ret_id);

#endif
