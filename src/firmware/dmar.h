/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * DMAR: Intel's IOMMUs.
 * Source: Intel VT-d specification (D51397) revision 4.1, chapter 8.
 */
#ifndef FIRMWARE_DMAR_H
#define FIRMWARE_DMAR_H

#include "firmware/acpi.h"

#define WARD_DMAR_INTR_REMAP 0x01u
#define WARD_DMAR_X2APIC_OPT_OUT 0x02u
#define WARD_DMAR_DMA_OPT_IN 0x04u

/* Bridges on the way from a host bridge to a device of a scope. */
#define WARD_DMAR_PATH_MAX 16u
/* Device scopes and structures of a table: each function is held against all of them. */
#define WARD_DMAR_SCOPES_MAX 8192u
#define WARD_DMAR_UNITS_MAX 1024u

enum ward_dmar_scope_type {
	WARD_DMAR_ENDPOINT = 1,
	WARD_DMAR_BRIDGE = 2, /* the bridge and everything below it */
	WARD_DMAR_IOAPIC = 3,
	WARD_DMAR_HPET = 4,
	WARD_DMAR_ACPI = 5,
};

/* A device: from a bus, through devices and functions, each the bridge to the next one's bus. */
struct ward_dmar_scope {
	uint8_t type; /* enum ward_dmar_scope_type or one this code does not know */
	uint8_t enumeration_id;
	uint8_t start_bus;
	uint8_t path_count;		  /* at least 1 */
	uint8_t path[WARD_DMAR_PATH_MAX]; /* device 7:3, function 2:0 */
};

enum ward_dmar_type {
	WARD_DMAR_DRHD = 0,
	WARD_DMAR_RMRR = 1,
	WARD_DMAR_ATSR = 2,
	WARD_DMAR_SATC = 5,
};

/* One structure. Scopes are scopes[first_scope] and the following ones of the table. */
struct ward_dmar_unit {
	enum ward_dmar_type type;
	uint8_t flags; /* bit 0: DRHD include all, ATSR all ports, SATC required */
	uint16_t segment;
	uint64_t base;	/* DRHD: registers; RMRR: first byte */
	uint64_t limit; /* RMRR: last byte */
	uint32_t first_scope, scopes_count;
};

struct ward_dmar {
	uint8_t flags;		      /* WARD_DMAR_* */
	struct ward_dmar_unit *units; /* in the order of the table */
	uint32_t units_count;
	struct ward_dmar_scope *scopes;
	uint32_t scopes_count;
};

/* Returns 0, -EBADMSG with a sentence, -ENOMEM. */
int ward_dmar_parse(const void *bytes, size_t size, struct ward_dmar **ret_dmar,
		    struct ward_error *ret_error);
void ward_dmar_destroy(struct ward_dmar *dmar);

#endif
