/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Machines that people describe, in YAML: docs/machine-format.md is the reference. A description goes
 * through the builder, with all its checks.
 */
#ifndef APP_MACHINE_YAML_H
#define APP_MACHINE_YAML_H

#include "app/yaml.h"

#include <doorward/state.h>
#include <stdio.h>

/* Entries of a list, at most: keeps what a small file can grow to within bounds. */
#define APP_MACHINE_FUNCTIONS_MAX (1u << 17)
#define APP_MACHINE_LIST_MAX (1u << 16)

/*
 * What was written; what was not is NULL, 0 or empty, and docs/machine-format.md says what it means
 * then. Fields bear the names of the format.
 */
struct app_machine_texts {
	char **text;
	uint32_t count;
};

/* As enum ward_tri, but "unknown" is an answer, too. */
enum app_answer {
	APP_ANSWER_UNSET = 0,
	APP_ANSWER_NO = WARD_NO,
	APP_ANSWER_YES = WARD_YES,
	APP_ANSWER_UNKNOWN,
};

enum app_ability {
	APP_ABILITY_UNSET,
	APP_ABILITY_NO,
	APP_ABILITY_CAPABLE,
	APP_ABILITY_ON,
	APP_ABILITY_UNKNOWN,
};

enum app_function_type {
	APP_TYPE_ENDPOINT,
	APP_TYPE_LEGACY,
	APP_TYPE_INTEGRATED,
	APP_TYPE_EVENT_COLLECTOR,
	APP_TYPE_CONVENTIONAL,
	APP_TYPE_ROOT_PORT,
	APP_TYPE_UPSTREAM,
	APP_TYPE_DOWNSTREAM,
	APP_TYPE_PCIE_TO_PCI,
	APP_TYPE_PCI_TO_PCIE,
	APP_TYPE_PCI_BRIDGE,
};

struct app_machine_bar {
	char *range;
	uint8_t *bar;
	bool io, prefetchable;
};

struct app_machine_quirk {
	enum app_answer isolates;
	char *bits, *name;
};

struct app_machine_message {
	char *address;
	uint32_t data;
};

struct app_machine_function {
	char *address; /* of a PCI function */
	char *name;    /* of a platform device */
	enum app_function_type type;
	char *id, *subsystem, *class;
	uint8_t revision;
	uint8_t *header_type;
	bool *multifunction;
	uint16_t *config_size;
	bool asleep;
	char *parent;
	uint8_t *primary, *secondary, *subordinate;
	char *window, *prefetchable_window;
	struct app_machine_bar *bars;
	uint32_t bars_count;
	bool *auto_bar;
	enum app_answer pcie_known;
	uint8_t *port;
	bool ari;
	char *acs, *acs_offers;
	uint8_t *egress;
	uint32_t egress_count;
	struct app_machine_quirk *acs_quirk;
	uint8_t *msi;
	uint16_t *msix;
	struct app_machine_message *msi_message;
	enum app_ability ats, pasid, pri;
	uint8_t *intx; /* 0 to 4 */
	uint32_t *resets;
	enum app_answer resets_known;
	char *pf;
	uint16_t *vfs_total, *vfs_enabled;
	char *iommu;
	uint32_t *stream;
	char *controller;
	uint32_t *devid;
	uint32_t *group;
	struct app_machine_texts names;

	/* State. */
	char *driver, *driver_override, *owner, *tainted_by;
	enum ward_irq_mode *irq;
	uint32_t intx_line;
	bool msi_off, absent, quarantined, frozen, revoking;
};

struct app_machine_iommu {
	char *name;
	enum ward_iommu_kind kind;
	char *base;
	enum app_answer active, remaps_interrupts, ats;
	char *controller;
	enum ward_domains domains;
};

struct app_machine_controller {
	char *name;
	enum ward_controller_kind kind;
	enum app_answer isolates;
	struct app_machine_texts doorbells;
	uint32_t *first_intid, *intids;
	uint32_t *pool;
	uint32_t firmware_id;
	char *evidence;
};

struct app_machine_id_map {
	enum ward_id_map_kind kind;
	uint32_t segment;
	uint16_t first;
	uint16_t *last, *mask;
	char *to;
	uint32_t output;
	char *evidence;
};

struct app_machine_group {
	uint32_t number;
	enum ward_group_type type;
};

struct app_machine_region {
	char *range;
	enum ward_region_kind kind;
	char *function;
	uint32_t *group;
	char *source;
};

struct app_machine_partition {
	uint32_t pe;
	struct app_machine_texts functions, mmio;
};

struct app_machine_vector {
	uint32_t irq, hwirq;
	char *function, *controller, *chip;
};

struct app_machine_remark {
	char *code, *text;
};

struct app_machine_yaml {
	char *title;
	enum ward_arch arch;
	uint32_t *page_size;
	char *kernel, *command_line;
	uint32_t *firmware; /* 0 none, 1 ACPI, 2 device tree */
	enum app_answer firmware_iommu, unsafe_interrupts;
	bool *groups_known;
	struct app_machine_texts memory, clients;
	struct app_machine_iommu *iommus;
	uint32_t iommus_count;
	struct app_machine_controller *controllers;
	uint32_t controllers_count;
	struct app_machine_function *functions;
	uint32_t functions_count;
	struct app_machine_function *platform_devices;
	uint32_t platform_devices_count;
	struct app_machine_id_map *id_maps;
	uint32_t id_maps_count;
	struct app_machine_group *groups;
	uint32_t groups_count;
	struct app_machine_region *regions;
	uint32_t regions_count;
	struct app_machine_partition *partitions;
	uint32_t partitions_count;
	struct app_machine_vector *vectors;
	uint32_t vectors_count;
	struct app_machine_remark *remarks;
	uint32_t remarks_count;
};

/* Fields of struct app_machine_yaml, to be a part of other files; and of a file of its own. */
extern const cyaml_schema_field_t app_machine_fields[];
extern const cyaml_schema_value_t app_machine_schema;

/* A machine, the state that it is in, and where its RAM is. */
struct app_machine {
	struct ward_machine *machine;
	struct ward_state *state;
	struct ward_range *memory;
	uint32_t memory_count; /* at least one */
};

/*
 * Builds what was written. path is where in the file it stands: "", or "machine." of a bigger file.
 * Returns 0, -EBADMSG or -ENOMEM with a sentence.
 */
int app_machine_build(const struct app_machine_yaml *description, const struct app_yaml *yaml,
		      const char *path, struct app_machine *ret_machine,
		      struct ward_error *ret_error);

/*
 * Writes a machine and its state as a description that says all of it, but for what nobody can
 * write: paths in a tree, where facts of functions come from, spaces that functions are in. head
 * stands before it as comments and may be NULL.
 */
void app_machine_write(FILE *file, const char *head, const struct ward_machine *machine,
		       const struct ward_state *state);

/* A whole file. As app_machine_build, and what app_yaml_read gives. */
int app_machine_load(const char *file, struct app_machine *ret_machine,
		     struct ward_error *ret_error);
void app_machine_finish(struct app_machine *machine);

#endif
