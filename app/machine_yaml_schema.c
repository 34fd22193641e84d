// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What a machine's description may hold; docs/machine-format.md has the same in prose. */
#include "app/machine_yaml.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OPTIONAL CYAML_FLAG_OPTIONAL
/* Names, addresses and words; sentences and command lines. */
#define WORD 64
#define SENTENCE 4096

#define TEXT(key, structure, longest)                                                         \
	CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_POINTER | OPTIONAL, struct structure, key, 0, \
			       longest)
#define NEEDED_TEXT(key, structure) \
	CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_POINTER, struct structure, key, 1, WORD)
#define NUMBER(key, structure) CYAML_FIELD_UINT(#key, OPTIONAL, struct structure, key)
#define NEEDED_NUMBER(key, structure) \
	CYAML_FIELD_UINT(#key, CYAML_FLAG_DEFAULT, struct structure, key)
#define NUMBER_OR_NOT(key, structure) \
	CYAML_FIELD_UINT_PTR(#key, CYAML_FLAG_POINTER | OPTIONAL, struct structure, key)
#define TRUTH(key, structure) CYAML_FIELD_BOOL(#key, OPTIONAL, struct structure, key)
#define TRUTH_OR_NOT(key, structure) \
	CYAML_FIELD_BOOL_PTR(#key, CYAML_FLAG_POINTER | OPTIONAL, struct structure, key)
#define ONE_OF(key, structure, words)                                                      \
	CYAML_FIELD_ENUM(#key, OPTIONAL | CYAML_FLAG_STRICT, struct structure, key, words, \
			 COUNT(words))
#define NEEDED_ONE_OF(key, structure, words) \
	CYAML_FIELD_ENUM(#key, CYAML_FLAG_STRICT, struct structure, key, words, COUNT(words))
#define ONE_OF_OR_NOT(key, structure, words)                                          \
	CYAML_FIELD_ENUM_PTR(#key, CYAML_FLAG_POINTER | OPTIONAL | CYAML_FLAG_STRICT, \
			     struct structure, key, words, COUNT(words))
#define LIST(key, structure, entry, most)                                                          \
	CYAML_FIELD_SEQUENCE(#key, CYAML_FLAG_POINTER | OPTIONAL, struct structure, key, entry, 0, \
			     most)
#define TEXTS(key, structure, most)                                                       \
	CYAML_FIELD_SEQUENCE_COUNT(#key, CYAML_FLAG_POINTER | OPTIONAL, struct structure, \
				   key.text, key.count, &text_value, 0, most)

static const cyaml_schema_value_t text_value = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, WORD),
};

static const cyaml_strval_t answers[] = {
	{ "yes", APP_ANSWER_YES },
	{ "no", APP_ANSWER_NO },
	{ "unknown", APP_ANSWER_UNKNOWN },
};

static const cyaml_strval_t abilities[] = {
	{ "no", APP_ABILITY_NO },
	{ "capable", APP_ABILITY_CAPABLE },
	{ "on", APP_ABILITY_ON },
	{ "unknown", APP_ABILITY_UNKNOWN },
};

static const cyaml_strval_t arches[] = {
	{ "x86", WARD_ARCH_X86 },
	{ "arm64", WARD_ARCH_ARM64 },
	{ "power", WARD_ARCH_POWER },
	{ "unknown", WARD_ARCH_UNKNOWN },
};

static const cyaml_strval_t firmwares[] = { { "none", 0 }, { "acpi", 1 }, { "dt", 2 } };

static const cyaml_strval_t types[] = {
	{ "endpoint", APP_TYPE_ENDPOINT },	   { "legacy-endpoint", APP_TYPE_LEGACY },
	{ "integrated", APP_TYPE_INTEGRATED },	   { "event-collector", APP_TYPE_EVENT_COLLECTOR },
	{ "conventional", APP_TYPE_CONVENTIONAL }, { "root-port", APP_TYPE_ROOT_PORT },
	{ "upstream", APP_TYPE_UPSTREAM },	   { "downstream", APP_TYPE_DOWNSTREAM },
	{ "pcie-to-pci", APP_TYPE_PCIE_TO_PCI },   { "pci-to-pcie", APP_TYPE_PCI_TO_PCIE },
	{ "pci-bridge", APP_TYPE_PCI_BRIDGE },
};

static const cyaml_strval_t pins[] = {
	{ "none", 0 }, { "A", 1 }, { "B", 2 }, { "C", 3 }, { "D", 4 },
};

static const cyaml_strval_t resets[] = {
	{ "flr", WARD_RESET_FLR },
	{ "af", WARD_RESET_AF },
	{ "pm", WARD_RESET_PM },
	{ "device", WARD_RESET_DEVICE },
};

static const cyaml_strval_t irq_modes[] = {
	{ "unknown", WARD_IRQ_UNKNOWN }, { "none", WARD_IRQ_NONE }, { "intx", WARD_IRQ_INTX },
	{ "msi", WARD_IRQ_MSI },	 { "msix", WARD_IRQ_MSIX },
};

static const cyaml_strval_t iommu_kinds[] = {
	{ "vtd", WARD_IOMMU_VTD },	 { "amd", WARD_IOMMU_AMD },
	{ "smmuv3", WARD_IOMMU_SMMUV3 }, { "smmuv2", WARD_IOMMU_SMMUV2 },
	{ "virtio", WARD_IOMMU_VIRTIO }, { "other", WARD_IOMMU_OTHER },
};

static const cyaml_strval_t domains[] = {
	{ "any", WARD_DOMAINS_ANY },
	{ "joined", WARD_DOMAINS_JOINED },
	{ "fixed", WARD_DOMAINS_FIXED },
};

static const cyaml_strval_t controller_kinds[] = {
	{ "gicv2m", WARD_CONTROLLER_GICV2M },		{ "its", WARD_CONTROLLER_GICV3_ITS },
	{ "mbi", WARD_CONTROLLER_GICV3_MBI },		{ "apic", WARD_CONTROLLER_X86_APIC },
	{ "remapping", WARD_CONTROLLER_X86_REMAPPING }, { "other", WARD_CONTROLLER_OTHER },
};

static const cyaml_strval_t map_kinds[] = {
	{ "iommu", WARD_ID_MAP_IOMMU },
	{ "msi", WARD_ID_MAP_MSI },
};

static const cyaml_strval_t group_types[] = {
	{ "unknown", WARD_GROUP_TYPE_UNKNOWN }, { "dma", WARD_GROUP_DMA },
	{ "dma-fq", WARD_GROUP_DMA_FQ },	{ "identity", WARD_GROUP_IDENTITY },
	{ "blocked", WARD_GROUP_BLOCKED },
};

static const cyaml_strval_t region_kinds[] = {
	{ "direct", WARD_REGION_DIRECT },     { "direct-relaxable", WARD_REGION_DIRECT_RELAXABLE },
	{ "reserved", WARD_REGION_RESERVED }, { "msi", WARD_REGION_MSI },
	{ "sw-msi", WARD_REGION_SW_MSI },
};

static const cyaml_schema_field_t bar_fields[] = {
	NEEDED_TEXT(range, app_machine_bar),
	NUMBER_OR_NOT(bar, app_machine_bar),
	TRUTH(io, app_machine_bar),
	TRUTH(prefetchable, app_machine_bar),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t bar_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct app_machine_bar, bar_fields),
};

static const cyaml_schema_field_t quirk_fields[] = {
	NEEDED_ONE_OF(isolates, app_machine_quirk, answers),
	TEXT(bits, app_machine_quirk, WORD),
	NEEDED_TEXT(name, app_machine_quirk),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t message_fields[] = {
	NEEDED_TEXT(address, app_machine_message),
	NEEDED_NUMBER(data, app_machine_message),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t port_value = {
	CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint8_t),
};

/* Fields that PCI functions and platform devices share. */
#define COMMON_FIELDS                                                                             \
	TEXT(iommu, app_machine_function, WORD), NUMBER_OR_NOT(stream, app_machine_function),     \
		TEXT(controller, app_machine_function, WORD),                                     \
		NUMBER_OR_NOT(devid, app_machine_function),                                       \
		NUMBER_OR_NOT(group, app_machine_function),                                       \
		TEXTS(names, app_machine_function, 64), TEXT(driver, app_machine_function, WORD), \
		TEXT(driver_override, app_machine_function, WORD),                                \
		TEXT(owner, app_machine_function, WORD),                                          \
		ONE_OF_OR_NOT(irq, app_machine_function, irq_modes),                              \
		TRUTH(msi_off, app_machine_function), TRUTH(absent, app_machine_function),        \
		TRUTH(quarantined, app_machine_function), TRUTH(frozen, app_machine_function),    \
		TRUTH(revoking, app_machine_function),                                            \
		TEXT(tainted_by, app_machine_function, WORD)

static const cyaml_schema_field_t function_fields[] = {
	NEEDED_TEXT(address, app_machine_function),
	ONE_OF(type, app_machine_function, types),
	TEXT(id, app_machine_function, WORD),
	TEXT(subsystem, app_machine_function, WORD),
	TEXT(class, app_machine_function, WORD),
	NUMBER(revision, app_machine_function),
	NUMBER_OR_NOT(header_type, app_machine_function),
	TRUTH_OR_NOT(multifunction, app_machine_function),
	NUMBER_OR_NOT(config_size, app_machine_function),
	TRUTH(asleep, app_machine_function),
	TEXT(parent, app_machine_function, WORD),
	NUMBER_OR_NOT(primary, app_machine_function),
	NUMBER_OR_NOT(secondary, app_machine_function),
	NUMBER_OR_NOT(subordinate, app_machine_function),
	TEXT(window, app_machine_function, WORD),
	TEXT(prefetchable_window, app_machine_function, WORD),
	LIST(bars, app_machine_function, &bar_value, 7),
	TRUTH_OR_NOT(auto_bar, app_machine_function),
	ONE_OF(pcie_known, app_machine_function, answers),
	NUMBER_OR_NOT(port, app_machine_function),
	TRUTH(ari, app_machine_function),
	TEXT(acs, app_machine_function, WORD),
	TEXT(acs_offers, app_machine_function, WORD),
	LIST(egress, app_machine_function, &port_value, 256),
	CYAML_FIELD_MAPPING_PTR("acs_quirk", CYAML_FLAG_POINTER | OPTIONAL,
				struct app_machine_function, acs_quirk, quirk_fields),
	NUMBER_OR_NOT(msi, app_machine_function),
	NUMBER_OR_NOT(msix, app_machine_function),
	CYAML_FIELD_MAPPING_PTR("msi_message", CYAML_FLAG_POINTER | OPTIONAL,
				struct app_machine_function, msi_message, message_fields),
	ONE_OF(ats, app_machine_function, abilities),
	ONE_OF(pasid, app_machine_function, abilities),
	ONE_OF(pri, app_machine_function, abilities),
	ONE_OF_OR_NOT(intx, app_machine_function, pins),
	NUMBER(intx_line, app_machine_function),
	CYAML_FIELD_FLAGS_PTR("resets", CYAML_FLAG_POINTER | OPTIONAL | CYAML_FLAG_STRICT,
			      struct app_machine_function, resets, resets, COUNT(resets)),
	ONE_OF(resets_known, app_machine_function, answers),
	TEXT(pf, app_machine_function, WORD),
	NUMBER_OR_NOT(vfs_total, app_machine_function),
	NUMBER_OR_NOT(vfs_enabled, app_machine_function),
	COMMON_FIELDS,
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t function_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct app_machine_function, function_fields),
};

static const cyaml_schema_field_t platform_fields[] = {
	NEEDED_TEXT(name, app_machine_function),
	COMMON_FIELDS,
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t platform_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct app_machine_function, platform_fields),
};

static const cyaml_schema_field_t iommu_fields[] = {
	NEEDED_TEXT(name, app_machine_iommu),
	NEEDED_ONE_OF(kind, app_machine_iommu, iommu_kinds),
	TEXT(base, app_machine_iommu, WORD),
	ONE_OF(active, app_machine_iommu, answers),
	ONE_OF(remaps_interrupts, app_machine_iommu, answers),
	ONE_OF(ats, app_machine_iommu, answers),
	TEXT(controller, app_machine_iommu, WORD),
	ONE_OF(domains, app_machine_iommu, domains),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t iommu_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct app_machine_iommu, iommu_fields),
};

static const cyaml_schema_field_t controller_fields[] = {
	NEEDED_TEXT(name, app_machine_controller),
	NEEDED_ONE_OF(kind, app_machine_controller, controller_kinds),
	ONE_OF(isolates, app_machine_controller, answers),
	TEXTS(doorbells, app_machine_controller, WARD_DOORBELL_RANGES),
	NUMBER_OR_NOT(first_intid, app_machine_controller),
	NUMBER_OR_NOT(intids, app_machine_controller),
	NUMBER_OR_NOT(pool, app_machine_controller),
	NUMBER(firmware_id, app_machine_controller),
	TEXT(evidence, app_machine_controller, SENTENCE),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t controller_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct app_machine_controller, controller_fields),
};

static const cyaml_schema_field_t id_map_fields[] = {
	NEEDED_ONE_OF(kind, app_machine_id_map, map_kinds),
	NUMBER(segment, app_machine_id_map),
	NUMBER(first, app_machine_id_map),
	NUMBER_OR_NOT(last, app_machine_id_map),
	NUMBER_OR_NOT(mask, app_machine_id_map),
	NEEDED_TEXT(to, app_machine_id_map),
	NUMBER(output, app_machine_id_map),
	TEXT(evidence, app_machine_id_map, SENTENCE),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t id_map_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct app_machine_id_map, id_map_fields),
};

static const cyaml_schema_field_t group_fields[] = {
	NEEDED_NUMBER(number, app_machine_group),
	ONE_OF(type, app_machine_group, group_types),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t group_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct app_machine_group, group_fields),
};

static const cyaml_schema_field_t region_fields[] = {
	NEEDED_TEXT(range, app_machine_region),
	NEEDED_ONE_OF(kind, app_machine_region, region_kinds),
	TEXT(function, app_machine_region, WORD),
	NUMBER_OR_NOT(group, app_machine_region),
	TEXT(source, app_machine_region, SENTENCE),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t region_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct app_machine_region, region_fields),
};

static const cyaml_schema_field_t partition_fields[] = {
	NEEDED_NUMBER(pe, app_machine_partition),
	TEXTS(functions, app_machine_partition, APP_MACHINE_FUNCTIONS_MAX),
	TEXTS(mmio, app_machine_partition, APP_MACHINE_LIST_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t partition_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct app_machine_partition, partition_fields),
};

static const cyaml_schema_field_t vector_fields[] = {
	NEEDED_NUMBER(irq, app_machine_vector),	  NUMBER(hwirq, app_machine_vector),
	TEXT(function, app_machine_vector, WORD), TEXT(controller, app_machine_vector, WORD),
	TEXT(chip, app_machine_vector, WORD),	  CYAML_FIELD_END,
};

static const cyaml_schema_value_t vector_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct app_machine_vector, vector_fields),
};

static const cyaml_schema_field_t remark_fields[] = {
	NEEDED_TEXT(code, app_machine_remark),
	TEXT(text, app_machine_remark, SENTENCE),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t remark_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct app_machine_remark, remark_fields),
};

const cyaml_schema_field_t app_machine_fields[] = {
	TEXT(title, app_machine_yaml, SENTENCE),
	NEEDED_ONE_OF(arch, app_machine_yaml, arches),
	NUMBER_OR_NOT(page_size, app_machine_yaml),
	TEXT(kernel, app_machine_yaml, WORD),
	TEXT(command_line, app_machine_yaml, SENTENCE),
	ONE_OF_OR_NOT(firmware, app_machine_yaml, firmwares),
	ONE_OF(firmware_iommu, app_machine_yaml, answers),
	ONE_OF(unsafe_interrupts, app_machine_yaml, answers),
	TRUTH_OR_NOT(groups_known, app_machine_yaml),
	TEXTS(memory, app_machine_yaml, 64),
	TEXTS(clients, app_machine_yaml, 4096),
	LIST(iommus, app_machine_yaml, &iommu_value, 4096),
	LIST(controllers, app_machine_yaml, &controller_value, 4096),
	LIST(functions, app_machine_yaml, &function_value, APP_MACHINE_FUNCTIONS_MAX),
	LIST(platform_devices, app_machine_yaml, &platform_value, 4096),
	LIST(id_maps, app_machine_yaml, &id_map_value, APP_MACHINE_LIST_MAX),
	LIST(groups, app_machine_yaml, &group_value, APP_MACHINE_FUNCTIONS_MAX),
	LIST(regions, app_machine_yaml, &region_value, APP_MACHINE_LIST_MAX),
	LIST(partitions, app_machine_yaml, &partition_value, 4096),
	LIST(vectors, app_machine_yaml, &vector_value, APP_MACHINE_LIST_MAX),
	LIST(remarks, app_machine_yaml, &remark_value, 4096),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t app_machine_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct app_machine_yaml, app_machine_fields),
};
