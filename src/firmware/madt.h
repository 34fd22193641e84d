/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * MADT ("APIC"): interrupt controllers.
 * Source: ACPI specification 6.5, 5.2.12: structures 0 local APIC, 1 I/O APIC, 9 local x2APIC,
 * 0x0b GICC, 0x0c GICD, 0x0d GIC MSI frame, 0x0f GIC ITS.
 */
#ifndef FIRMWARE_MADT_H
#define FIRMWARE_MADT_H

#include "firmware/acpi.h"

/* A GICv2m frame. */
struct ward_madt_frame {
	uint32_t id;
	uint64_t base;
	/* The two fields below count, not the frame's MSI_TYPER register. */
	bool spis_given;
	uint16_t spi_base, spi_count;
};

struct ward_madt_its {
	uint32_t id;
	uint64_t base;
};

struct ward_madt_distributor {
	uint64_t base;
	uint8_t version; /* 0 unknown, 1 to 4 */
};

struct ward_madt_ioapic {
	uint8_t id;
	uint32_t base, first_gsi;
};

struct ward_madt {
	char oem_id[7];
	uint32_t apics, x2apics; /* local ones: this is x86 when there are any */
	uint32_t gic_cpus;
	struct ward_madt_frame *frames;
	uint32_t frames_count;
	struct ward_madt_its *itss;
	uint32_t itss_count;
	struct ward_madt_distributor *distributors;
	uint32_t distributors_count;
	struct ward_madt_ioapic *ioapics;
	uint32_t ioapics_count;
};

/* Returns 0, -EBADMSG with a sentence, -ENOMEM. */
int ward_madt_parse(const void *bytes, size_t size, struct ward_madt **ret_madt,
		    struct ward_error *ret_error);
void ward_madt_destroy(struct ward_madt *madt);

#endif
