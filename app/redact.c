// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "app/redact.h"

#include "app/memory.h"

#include <ctype.h>
#include <libfdt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAC_DIGITS 12

static void replace_address(struct app_redactor *redactor, char *digits)
{
	char fresh[32];
	size_t i = 0;

	while (i < redactor->count && memcmp(redactor->address[i], digits, MAC_DIGITS) != 0)
		i++;
	if (i == redactor->count) {
		app_array_grow((void **)&redactor->address, i, sizeof(*redactor->address));
		memcpy(redactor->address[i], digits, MAC_DIGITS);
		redactor->count++;
	}
	snprintf(fresh, sizeof(fresh), "%012zx", i + 1);
	memcpy(digits, fresh, MAC_DIGITS);
}

/* "enx", "wlx", "wwx" and their like before twelve hex digits, as systemd and udev make them. */
static bool is_mac_name(const char *at, size_t left)
{
	if (left < 3 + MAC_DIGITS || !islower((unsigned char)at[0]) ||
	    !islower((unsigned char)at[1]) || at[2] != 'x')
		return false;
	for (size_t i = 3; i < 3 + MAC_DIGITS; i++)
		if (!isxdigit((unsigned char)at[i]))
			return false;
	return true;
}

static void redact_text(struct app_redactor *redactor, char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (i > 0 && isalnum((unsigned char)bytes[i - 1]))
			continue;
		if (is_mac_name(bytes + i, size - i))
			replace_address(redactor, bytes + i + 3);
	}
}

static uint32_t le(const char *bytes, size_t count)
{
	uint32_t value = 0;

	while (count--)
		value = value << 8 | (unsigned char)bytes[count];
	return value;
}

/* PCI local bus specification 3.0, 6.7 and appendix I: VPD is capability 3, data at +4. */
static void redact_vpd(char *config, size_t size)
{
	size_t at = le(config + 0x34, 1) & 0xfc;

	for (int hops = 0; hops < 48 && at >= 0x40 && at + 8 <= size; hops++) {
		if (config[at] == 3)
			memset(config + at + 4, 0, 4);
		at = le(config + at + 1, 1) & 0xfc;
	}
}

/* PCIe base specification, 7.9.3: device serial number is extended capability 3, 8 bytes at +4. */
static void redact_serial(char *config, size_t size)
{
	size_t at = 0x100;

	for (int hops = 0; hops < 960 && at >= 0x100 && at + 12 <= size; hops++) {
		uint32_t header = le(config + at, 4);

		if ((header & 0xffff) == 3)
			memset(config + at + 4, 0, 8);
		at = header >> 20 & 0xffc;
	}
}

static void redact_config(char *config, size_t size)
{
	if (size >= 0x40)
		redact_vpd(config, size);
	redact_serial(config, size);
}

/* The parameters that rules or explanations look at; all others lose their values. */
static bool parameter_is_known(const char *name, size_t length)
{
	static const char *const known[] = {
		"acpi",	    "amd_iommu",
		"arm-smmu", "console",
		"efi",	    "intel_iommu",
		"intremap", "iommu",
		"irq",	    "kvm",
		"loglevel", "maxcpus",
		"mem",	    "module_blacklist",
		"nr_cpus",  "panic",
		"pci",	    "rd.driver",
		"swiotlb",  "vfio",
		"x2apic",
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (length >= strlen(known[i]) && strncmp(name, known[i], strlen(known[i])) == 0)
			return true;
	return false;
}

static void redact_command_line(char *line, size_t size)
{
	size_t i = 0;

	while (i < size) {
		bool quoted = false, value = false, known = false;
		size_t start = i;

		for (; i < size && line[i] && (quoted || !isspace((unsigned char)line[i])); i++) {
			if (line[i] == '"') {
				quoted = !quoted;
			} else if (value && !known) {
				line[i] = 'x';
			} else if (line[i] == '=' && !value) {
				value = true;
				known = parameter_is_known(line + start, i - start);
			}
		}
		i++;
	}
}

/* "Linux version 6.1.0 (user@host) (gcc ...) ..." */
static void redact_version(char *text, size_t size)
{
	const char *sign = memchr(text, '@', size);
	size_t at;

	if (!sign)
		return;
	at = (size_t)(sign - text);
	for (size_t i = at; i-- > 0 && text[i] != '(';)
		text[i] = 'x';
	for (size_t i = at + 1; i < size && text[i] != ')' && text[i] != '\n'; i++)
		text[i] = 'x';
}

static bool property_is_identity(const char *name)
{
	static const char *const names[] = {
		"asset-tag",	    "board-serial",	 "hostname",	"kaslr-seed",
		"local-bd-address", "local-mac-address", "mac-address", "rng-seed",
		"serial",	    "serial-number",	 "system-id",	"uuid",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static void redact_node(void *tree, int node)
{
	int at;

	fdt_for_each_property_offset(at, tree, node) {
		const char *name;
		char *value;
		int length;

		value = (char *)(uintptr_t)fdt_getprop_by_offset(tree, at, &name, &length);
		if (!value || length <= 0)
			continue;
		if (property_is_identity(name))
			memset(value, 0, (size_t)length);
		else if (strcmp(name, "bootargs") == 0)
			redact_command_line(value, (size_t)length);
	}
}

static void redact_device_tree(char *bytes, size_t size)
{
	const size_t header = 40; /* devicetree specification 0.4, 5.2 */
	int node;

	if (size > INT_MAX || fdt_check_full(bytes, size) < 0) {
		/* Nobody knows what is where: take all, and it stays as damaged as it was. */
		if (size > header)
			memset(bytes + header, 0, size - header);
		return;
	}
	for (node = fdt_next_node(bytes, -1, NULL); node >= 0;
	     node = fdt_next_node(bytes, node, NULL))
		redact_node(bytes, node);
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

void app_redact_file(struct app_redactor *redactor, const char *path, char *bytes, size_t size)
{
	if (ends_with(path, "/config"))
		redact_config(bytes, size);
	else if (strcmp(path, "proc/cmdline") == 0)
		redact_command_line(bytes, size);
	else if (strcmp(path, "proc/version") == 0)
		redact_version(bytes, size);
	else if (size >= 4 && memcmp(bytes, "\xd0\x0d\xfe\xed", 4) == 0)
		redact_device_tree(bytes, size);
	else if (strncmp(path, "sys/firmware/", strlen("sys/firmware/")) != 0)
		redact_text(redactor, bytes, size);
}

void app_redact_name(struct app_redactor *redactor, char *name)
{
	redact_text(redactor, name, strlen(name));
}

void app_redactor_finish(struct app_redactor *redactor)
{
	free(redactor->address);
	*redactor = (struct app_redactor){ 0 };
}
