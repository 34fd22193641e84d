/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The configuration header (PCI Local Bus Specification 3.0, 6.1; PCI-to-PCI Bridge Architecture
 * Specification 1.2, 3.2; offsets also in Linux include/uapi/linux/pci_regs.h).
 */
#include "pci/config.h"

#include <errno.h>
#include <string.h>

#include "pci/capability.h"

#define COMMAND 0x04
#define COMMAND_MEMORY 0x0002
#define HEADER_TYPE 0x0e
#define BAR_0 0x10
#define BAR_IO 0x1
#define BAR_64 0x4
#define BAR_PREFETCHABLE 0x8
#define BRIDGE_BUSES 0x18
#define BRIDGE_MEMORY 0x20
#define BRIDGE_PREFETCHABLE 0x24
#define BRIDGE_PREFETCHABLE_UPPER 0x28
#define SUBSYSTEM 0x2c
#define INTERRUPT_PIN 0x3d

const char *ward_pci_problem_text(enum ward_pci_problem_code code)
{
	static const char *const texts[WARD_PCI_PROBLEM_CODES] = {
		[WARD_PCI_NO_ANSWER] = "does not answer (all ones)",
		[WARD_PCI_SHORT] = "header not readable",
		[WARD_PCI_HEADER_TYPE] = "unknown header layout",
		[WARD_PCI_CHAIN_POINTER] = "capability pointer leads outside the list's area",
		[WARD_PCI_CHAIN_MISALIGNED] = "capability pointer is not aligned",
		[WARD_PCI_CHAIN_LOOP] = "capability list loops",
		[WARD_PCI_CHAIN_ONES] = "capability reads all ones",
		[WARD_PCI_CAP_OVERRUN] = "capability does not fit into config space",
		[WARD_PCI_CAP_TWICE] = "capability appears twice",
		[WARD_PCI_CAP_VALUE] = "register holds an impossible value",
	};

	return (unsigned int)code < WARD_PCI_PROBLEM_CODES ? texts[code] : "unknown problem";
}

void ward_config_problem(struct ward_config *config, enum ward_pci_problem_code code,
			 unsigned int offset)
{
	struct ward_pci_problems *problems = config->problems;

	problems->mask |= 1u << code;
	if (problems->count == WARD_PCI_PROBLEMS_MAX)
		return;
	problems->list[problems->count++] =
		(struct ward_pci_problem){ .code = code, .offset = (uint16_t)offset };
}

static void take_ids(struct ward_config *config)
{
	struct ward_function *function = config->function;
	uint16_t vendor = ward_config_u16(config, 0x00);

	/* A virtual function reads ffff here; its ids are the kernel's knowledge. */
	if (vendor != 0xffff) {
		if (!function->vendor)
			function->vendor = vendor;
		if (!function->device)
			function->device = ward_config_u16(config, 0x02);
	}
	if (!function->revision)
		function->revision = ward_config_u8(config, 0x08);
	if (!function->class_code)
		function->class_code = ward_config_u32(config, 0x08) >> 8;
}

static void take_bars(struct ward_config *config, unsigned int count, unsigned int rom)
{
	struct ward_bar *bars = config->function->bar;

	for (unsigned int i = 0; i < count; i++) {
		uint32_t raw = ward_config_u32(config, BAR_0 + 4 * i);

		if (!raw)
			continue;
		bars[i].io = raw & BAR_IO;
		bars[i].prefetchable = !bars[i].io && raw & BAR_PREFETCHABLE;
		if (bars[i].io || (raw & 0x6) != BAR_64)
			continue;
		if (i + 1 == count)
			ward_config_problem(config, WARD_PCI_CAP_VALUE, BAR_0 + 4 * i);
		i++;
	}
	if (ward_config_u32(config, rom) & ~0x7ffu)
		bars[6].io = false;
}

/* base and limit are 16-bit registers whose upper 12 bits are address bits 31:20. */
static struct ward_range window(uint16_t base, uint16_t limit, uint32_t base_upper,
				uint32_t limit_upper)
{
	struct ward_range range = {
		.start = (uint64_t)base_upper << 32 | (uint32_t)(base & 0xfff0) << 16,
		.last = (uint64_t)limit_upper << 32 | (uint32_t)(limit & 0xfff0) << 16 | 0xfffff,
	};

	return range.start <= range.last ? range : WARD_RANGE_EMPTY;
}

static void take_windows(struct ward_config *config)
{
	struct ward_bridge *bridge = &config->function->bridge;
	uint16_t base = ward_config_u16(config, BRIDGE_MEMORY);
	uint16_t limit = ward_config_u16(config, BRIDGE_MEMORY + 2);
	/* Registers at reset say "the first MiB", which counts only once decoding is on. */
	bool decodes = ward_config_u16(config, COMMAND) & COMMAND_MEMORY;
	bool wide;

	if (ward_range_is_empty(bridge->memory) && (base || limit || decodes))
		bridge->memory = window(base, limit, 0, 0);

	base = ward_config_u16(config, BRIDGE_PREFETCHABLE);
	limit = ward_config_u16(config, BRIDGE_PREFETCHABLE + 2);
	wide = (base & 0xf) == 1 && (limit & 0xf) == 1;
	if (((base ^ limit) & 0xf) || (base & 0xf) > 1)
		ward_config_problem(config, WARD_PCI_CAP_VALUE, BRIDGE_PREFETCHABLE);
	/* All zero: the optional window is not implemented. */
	if (ward_range_is_empty(bridge->prefetchable) && (base || limit))
		bridge->prefetchable =
			window(base, limit,
			       wide ? ward_config_u32(config, BRIDGE_PREFETCHABLE_UPPER) : 0,
			       wide ? ward_config_u32(config, BRIDGE_PREFETCHABLE_UPPER + 4) : 0);
}

static void take_bridge(struct ward_config *config)
{
	struct ward_bridge *bridge = &config->function->bridge;

	bridge->primary = ward_config_u8(config, BRIDGE_BUSES);
	bridge->secondary = ward_config_u8(config, BRIDGE_BUSES + 1);
	bridge->subordinate = ward_config_u8(config, BRIDGE_BUSES + 2);
	/* 0, 0 is a bridge nobody has given buses yet. */
	if (bridge->subordinate < bridge->secondary)
		ward_config_problem(config, WARD_PCI_CAP_VALUE, BRIDGE_BUSES);
	take_windows(config);
	take_bars(config, 2, 0x38);
}

static void take_header(struct ward_config *config)
{
	struct ward_function *function = config->function;
	uint8_t pin = ward_config_u8(config, INTERRUPT_PIN);

	take_ids(config);
	function->header_type = ward_config_u8(config, HEADER_TYPE) & 0x7f;
	function->multifunction = ward_config_u8(config, HEADER_TYPE) & 0x80;
	if (pin > 4)
		ward_config_problem(config, WARD_PCI_CAP_VALUE, INTERRUPT_PIN);
	function->intx_pin = pin > 4 ? 0 : pin;
	switch (function->header_type) {
	case 0:
		if (!function->subsystem_vendor)
			function->subsystem_vendor = ward_config_u16(config, SUBSYSTEM);
		if (!function->subsystem_device)
			function->subsystem_device = ward_config_u16(config, SUBSYSTEM + 2);
		take_bars(config, 6, 0x30);
		break;
	case 1:
		take_bridge(config);
		break;
	case 2:
		/* CardBus: bus numbers stand where a bridge has them, its windows differ. */
		function->bridge.primary = ward_config_u8(config, BRIDGE_BUSES);
		function->bridge.secondary = ward_config_u8(config, BRIDGE_BUSES + 1);
		function->bridge.subordinate = ward_config_u8(config, BRIDGE_BUSES + 2);
		break;
	default:
		ward_config_problem(config, WARD_PCI_HEADER_TYPE, HEADER_TYPE);
		break;
	}
}

static bool all_ones(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != 0xff)
			return false;
	return true;
}

int ward_pci_config_parse(const uint8_t *bytes, size_t size, struct ward_function *function,
			  struct ward_pci_problems *ret_problems)
{
	struct ward_config config = {
		.bytes = bytes,
		.limit = size >= WARD_CONFIG_FULL    ? WARD_CONFIG_FULL
			 : size >= WARD_CONFIG_PLAIN ? WARD_CONFIG_PLAIN
						     : WARD_CONFIG_HEADER,
		.function = function,
		.problems = ret_problems,
	};

	memset(ret_problems, 0, sizeof(*ret_problems));
	if (size < WARD_CONFIG_HEADER) {
		ward_config_problem(&config, WARD_PCI_SHORT, (unsigned int)size);
		return -ENODATA;
	}
	if (all_ones(bytes, WARD_CONFIG_HEADER)) {
		ward_config_problem(&config, WARD_PCI_NO_ANSWER, 0);
		return -ENODATA;
	}
	function->config_size = (uint16_t)config.limit;
	take_header(&config);
	ward_config_capabilities(&config);
	ward_config_extended(&config);
	return 0;
}

enum ward_pcie_type ward_pcie_type_below(enum ward_pcie_type type, enum ward_pcie_type parent)
{
	bool below_link = parent == WARD_PCIE_ROOT_PORT || parent == WARD_PCIE_DOWNSTREAM ||
			  parent == WARD_PCI_TO_PCIE;

	if (type == WARD_PCIE_DOWNSTREAM && below_link)
		return WARD_PCIE_UPSTREAM;
	if (type == WARD_PCIE_UPSTREAM && parent == WARD_PCIE_UPSTREAM)
		return WARD_PCIE_DOWNSTREAM;
	return type;
}
