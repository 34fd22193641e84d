/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What the steps of reading a machine share. read.c says in which order they run. */
#ifndef MACHINE_READ_H
#define MACHINE_READ_H

#include <doorward/builder.h>
#include <doorward/state.h>

#include "base/arena.h"
#include "machine/evidence.h"
#include "machine/from_acpi.h"
#include "machine/from_dt.h"
#include "machine/tree.h"

/* Names of one function that are kept. */
#define WARD_READ_NAMES 32

/* One interrupt of the host. */
struct ward_seen_irq {
	uint32_t number, hwirq;
	const char *chip; /* "" when the kernel gives none */
	bool used;	  /* somebody requested it */
	bool claimed;	  /* a function's msi_irqs lists it */
};

/* What was seen of one function, beside what the machine keeps. */
struct ward_seen {
	struct ward_function function;
	uint32_t ordinal;
	const char *driver, *driver_override;
	const char *iommu;     /* the kernel's name of what translates it, or NULL */
	uint32_t group_number; /* WARD_NONE without */
	bool is_vf, has_above;
	struct ward_address physfn, above; /* PF; bridge above by the path */
	uint32_t irq;			   /* as the file says; 0 when none */
	enum ward_irq_mode mode;
	uint32_t *irqs; /* MSIs allocated */
	uint32_t irqs_count;
	bool msi_bus_off; /* msi_bus is 0 */
	bool resets_told; /* by reset_method */
	const char *names[WARD_READ_NAMES];
	uint32_t names_count;
};

/* One group of the kernel's. */
struct ward_seen_group {
	uint32_t number, ordinal;
};

struct ward_reading {
	struct ward_tree tree;
	struct ward_builder *builder;
	struct ward_error *error; /* may be NULL */
	bool wake;
	struct ward_arena arena; /* strings and small arrays of what was seen */
	enum ward_arch arch;
	char *command_line; /* or NULL */

	struct ward_seen_irq *irqs; /* by number */
	size_t irqs_count, irqs_capacity;

	struct ward_kernel_iommu *iommus;
	uint64_t *iommu_bases; /* of iommus, 0 when the kernel does not tell */
	size_t iommus_count, iommus_capacity, iommu_bases_capacity;
	struct ward_kernel_evidence evidence;
	const char *remapping_reason;

	struct ward_seen_group *groups; /* by number */
	size_t groups_count, groups_capacity;

	struct ward_acpi_tables tables;
	struct ward_dtb *dtb;
	struct ward_dt_links dt_links;
	bool firmware_known; /* what firmware says of IOMMUs and MSIs could be read */

	struct ward_seen *seen; /* PCI functions by address, then platform devices */
	size_t seen_count, seen_capacity;
	size_t pci_count;
	bool has_pci; /* the tree has a directory of PCI functions, be it empty */
	/* Ordinals of controllers that only chips tell of, or WARD_NONE. */
	uint32_t plain_apic, unknown_frame;
};

/* read_host.c: kernel, command line, architecture, module parameters. */
int ward_read_host(struct ward_reading *reading);
/* True when the command line has option, or option=...,value,... when value is not NULL. */
bool ward_read_option(const struct ward_reading *reading, const char *option, const char *value);

/* read_irq.c */
int ward_read_irqs(struct ward_reading *reading);
struct ward_seen_irq *ward_read_find_irq(const struct ward_reading *reading, uint32_t number);
/* Fills mode and irqs of a function or platform device from its msi_irqs and irq. */
int ward_read_function_irqs(struct ward_reading *reading, const struct ward_dir *dir,
			    struct ward_seen *seen);
/* Adds the vectors, after the machine was finished. */
int ward_read_vectors(struct ward_reading *reading, const struct ward_machine *machine,
		      struct ward_state *state);

/* read_iommu.c: the kernel's IOMMUs and groups. */
int ward_read_iommus(struct ward_reading *reading);
int ward_read_groups(struct ward_reading *reading);
/* Ordinal of the group with a number, or WARD_NONE. */
uint32_t ward_read_group_ordinal(const struct ward_reading *reading, uint32_t number);
/* Adds to the builder what the kernel registered and firmware did not describe. */
int ward_read_iommus_add(struct ward_reading *reading);
/* Fills what translates a function, as far as the kernel tells. */
void ward_read_function_iommu(const struct ward_reading *reading, struct ward_seen *seen);
/* After firmware's id maps were added: where they and the kernel differ, the kernel counts. */
int ward_read_settle_iommus(struct ward_reading *reading);

/* read_firmware.c: ACPI tables or device tree. */
int ward_read_firmware_devices(struct ward_reading *reading);
int ward_read_firmware_links(struct ward_reading *reading);
void ward_read_firmware_finish(struct ward_reading *reading);

/* read_function.c: PCI functions, read and added to the builder. */
int ward_read_functions(struct ward_reading *reading);
int ward_read_functions_add(struct ward_reading *reading);
/* driver, driver_override, iommu_group, iommu, msi_irqs: the same for platform devices. */
int ward_read_device_links(struct ward_reading *reading, const struct ward_dir *dir,
			   struct ward_seen *seen);

/* read_config.c: config space, unless the function sleeps. */
int ward_read_config(struct ward_reading *reading, const struct ward_dir *dir,
		     struct ward_seen *seen);

/* read_names.c: names people use for what a function is. */
int ward_read_names(struct ward_reading *reading, const struct ward_dir *dir,
		    struct ward_seen *seen);

/* read_controller.c: what the MSIs of a function are written to. */
/* Fills evidence.remapping where the chips in use did not tell. */
int ward_read_judge_remapping(struct ward_reading *reading);
/* Fills the controller of a function of x86. */
int ward_read_function_controller(struct ward_reading *reading, struct ward_seen *seen);
/* After firmware's id maps were added: where they and the chips differ, the chips count. */
int ward_read_settle_controllers(struct ward_reading *reading);

/* read_platform.c: drivers, groups and interrupts of the platform functions firmware named. */
int ward_read_platform(struct ward_reading *reading);

#endif
