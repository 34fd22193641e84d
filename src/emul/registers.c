// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Registers of functions: what BARs keep, config space, and how a CPU reads both. */
#include "emul/route.h"

#include <errno.h>
#include <string.h>

/* Config space (PCI local bus specification 3.0, 6.1): the header, and room for MSI and MSI-X. */
#define CONFIG_BYTES 128u
#define CONFIG_COMMAND 0x04u
#define CONFIG_INTERRUPT_LINE 0x3cu
#define BAR_IO 0x1u
#define BAR_64_BITS 0x4u
#define BAR_PREFETCHABLE 0x8u

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value & 0xffff);
	put16(at + 2, value >> 16);
}

static void put_bars(const struct ward_function *f, uint8_t *config)
{
	unsigned int count = f->header_type == 0 ? 6 : f->header_type == 1 ? 2 : 1;

	for (unsigned int i = 0; i < count; i++) {
		const struct ward_bar *bar = &f->bar[i];
		bool wide = !bar->io && bar->range.start >> 32 != 0 && i + 1 < count;
		uint32_t flags = bar->io ? BAR_IO : bar->prefetchable ? BAR_PREFETCHABLE : 0;

		if (ward_range_is_empty(bar->range))
			continue;
		put32(config + 0x10 + i * 4,
		      (uint32_t)bar->range.start | flags | (wide ? BAR_64_BITS : 0));
		if (wide)
			put32(config + 0x14 + i++ * 4, (uint32_t)(bar->range.start >> 32));
	}
}

static void make_config(const struct ward_emul *emul, uint32_t function,
			uint8_t ret_config[CONFIG_BYTES])
{
	const struct ward_function *f = &emul->facts->functions[function];
	const struct emul_registers *registers = &emul->registers[function];

	memset(ret_config, 0, CONFIG_BYTES);
	/* A VF's ids read all ones (PCIe base specification, 9.3.4.1). */
	put16(ret_config, f->physfn == WARD_NONE ? f->vendor : 0xffff);
	put16(ret_config + 2, f->physfn == WARD_NONE ? f->device : 0xffff);
	put16(ret_config + CONFIG_COMMAND, registers->command);
	put32(ret_config + 8, f->class_code << 8 | f->revision);
	ret_config[0x0e] = (uint8_t)(f->header_type | (f->multifunction ? 0x80 : 0));
	if (f->physfn == WARD_NONE)
		put_bars(f, ret_config);
	if (f->header_type == 0) {
		put16(ret_config + 0x2c, f->subsystem_vendor);
		put16(ret_config + 0x2e, f->subsystem_device);
	} else {
		ret_config[0x18] = f->bridge.primary;
		ret_config[0x19] = f->bridge.secondary;
		ret_config[0x1a] = f->bridge.subordinate;
	}
	ret_config[CONFIG_INTERRUPT_LINE] = registers->interrupt_line;
	ret_config[CONFIG_INTERRUPT_LINE + 1] = f->intx_pin;
	ward_emul_show_capabilities(emul, function, ret_config);
}

uint64_t ward_emul_region_size(const struct ward_emul *emul, uint32_t function, uint32_t region)
{
	const struct ward_function *f;
	uint64_t size;

	if (function >= emul->facts->functions_count || region > EMUL_REGION_CONFIG)
		return 0;
	f = &emul->facts->functions[function];
	if (region == EMUL_REGION_CONFIG)
		return f->kind != WARD_FUNCTION_PCI	? 0
		       : f->pcie_type != WARD_PCIE_NONE ? 4096
							: 256;
	if (ward_range_is_empty(f->bar[region].range))
		return 0;
	size = f->bar[region].range.last - f->bar[region].range.start + 1;
	return size ? size : UINT64_MAX;
}

/* What of an access lies in the first `limit` bytes of a region. */
static size_t kept(uint64_t offset, size_t size, size_t limit)
{
	if (offset >= limit)
		return 0;
	return size < limit - offset ? size : (size_t)(limit - offset);
}

/* What of an access comes next: as far as the next four bytes that are aligned, and not beyond. */
static size_t step(uint64_t offset, size_t size)
{
	size_t left = 4 - (size_t)(offset % 4);

	return size < left ? size : left;
}

/*
 * A BAR: registers that keep what is written, the MSI-X table, nothing. Of the table less than four
 * bytes, or bytes that are not aligned, are nothing (PCI 3.0, 6.8.2).
 */
static void read_bar(const struct ward_emul *emul, uint32_t function, uint32_t bar, uint64_t offset,
		     uint8_t *ret_bytes, size_t size)
{
	while (size > 0) {
		size_t count = step(offset, size);

		if (count < 4 || !ward_emul_table_read(emul, function, bar, offset, ret_bytes)) {
			memset(ret_bytes, 0, count);
			memcpy(ret_bytes,
			       emul->registers[function].bar[bar] + offset % WARD_EMUL_REGISTERS,
			       kept(offset, count, WARD_EMUL_REGISTERS));
		}
		ret_bytes += count;
		offset += count;
		size -= count;
	}
}

static void write_bar(struct ward_emul *emul, uint32_t function, uint32_t bar, uint64_t offset,
		      const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		size_t count = step(offset, size);

		if (count < 4 || !ward_emul_table_write(emul, function, bar, offset, bytes))
			memcpy(emul->registers[function].bar[bar] + offset % WARD_EMUL_REGISTERS,
			       bytes, kept(offset, count, WARD_EMUL_REGISTERS));
		bytes += count;
		offset += count;
		size -= count;
	}
}

static int check(const struct ward_emul *emul, uint32_t function, uint32_t region, uint64_t offset,
		 size_t size)
{
	uint64_t bytes = ward_emul_region_size(emul, function, region);

	if (size != 1 && size != 2 && size != 4 && size != 8)
		return -EINVAL;
	return offset < bytes && size <= bytes - offset ? 0 : -EINVAL;
}

bool ward_emul_silent(const struct ward_emul *emul, uint32_t function)
{
	return emul->functions[function].absent || ward_emul_frozen(emul, function);
}

int ward_emul_read(struct ward_emul *emul, uint32_t function, uint32_t region, uint64_t offset,
		   void *ret_bytes, size_t size)
{
	uint8_t config[CONFIG_BYTES];

	if (check(emul, function, region, offset, size))
		return -EINVAL;
	if (ward_emul_silent(emul, function)) {
		memset(ret_bytes, 0xff, size);
		return 0;
	}
	memset(ret_bytes, 0, size);
	if (region == EMUL_REGION_CONFIG) {
		make_config(emul, function, config);
		memcpy(ret_bytes, config + offset % CONFIG_BYTES, kept(offset, size, CONFIG_BYTES));
	} else {
		read_bar(emul, function, region, offset, ret_bytes, size);
	}
	return 0;
}

static void write_config(struct emul_registers *registers, uint64_t offset, const uint8_t *bytes,
			 size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned int value = bytes[i];

		/* Decoding, bus mastering, parity, SERR, INTx disable. */
		if (offset + i == CONFIG_COMMAND)
			registers->command =
				(uint16_t)((registers->command & 0xff00) | (value & 0x47));
		else if (offset + i == CONFIG_COMMAND + 1)
			registers->command =
				(uint16_t)((registers->command & 0xff) | (value & 0x05) << 8);
		else if (offset + i == CONFIG_INTERRUPT_LINE)
			registers->interrupt_line = (uint8_t)value;
	}
}

int ward_emul_write(struct ward_emul *emul, uint32_t function, uint32_t region, uint64_t offset,
		    const void *bytes, size_t size)
{
	if (check(emul, function, region, offset, size))
		return -EINVAL;
	if (ward_emul_silent(emul, function))
		return 0;
	if (region == EMUL_REGION_CONFIG)
		write_config(&emul->registers[function], offset, bytes, size);
	else
		write_bar(emul, function, region, offset, bytes, size);
	return 0;
}

void ward_emul_power_on(struct ward_emul *emul, uint32_t function)
{
	memset(&emul->registers[function], 0, sizeof(emul->registers[function]));
	if (emul->vectors[function].vectors)
		ward_vectors_reset(emul->vectors[function].vectors);
}

int ward_emul_reset(struct ward_emul *emul, uint32_t function)
{
	if (function >= emul->facts->functions_count)
		return -EINVAL;
	if (!emul->temper.ignores_resets)
		ward_emul_power_on(emul, function);
	return 0;
}

/* The BAR that has an address; there is one, since somebody was found there. */
static uint32_t bar_at(const struct ward_function *f, uint64_t address)
{
	for (uint32_t i = 0; i < EMUL_BARS; i++) {
		if (!f->bar[i].io && ward_range_has(f->bar[i].range, address))
			return i;
	}
	return EMUL_BARS;
}

void ward_emul_bar_read(const struct ward_emul *emul, uint32_t function, uint64_t address,
			void *ret_bytes, size_t size)
{
	const struct ward_function *f = &emul->facts->functions[function];
	uint32_t bar = bar_at(f, address);

	memset(ret_bytes, ward_emul_frozen(emul, function) ? 0xff : 0, size);
	if (bar != EMUL_BARS && !ward_emul_frozen(emul, function))
		read_bar(emul, function, bar, address - f->bar[bar].range.start, ret_bytes, size);
}

void ward_emul_bar_write(struct ward_emul *emul, uint32_t function, uint64_t address,
			 const void *bytes, size_t size)
{
	const struct ward_function *f = &emul->facts->functions[function];
	uint32_t bar = bar_at(f, address);

	if (bar != EMUL_BARS && !ward_emul_frozen(emul, function))
		write_bar(emul, function, bar, address - f->bar[bar].range.start, bytes, size);
}
