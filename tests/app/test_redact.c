// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What identifies a machine is taken out, in place, and nothing else is. */
#include "skip.h"

#include "app/redact.h"

#include <libfdt.h>
#include <stdint.h>
#include <string.h>

static void redact(const char *path, char *bytes, size_t size)
{
	struct app_redactor redactor = { 0 };

	app_redact_file(&redactor, path, bytes, size);
	app_redactor_finish(&redactor);
}

static void expect_line(const char *before, const char *after)
{
	char line[256];

	assert_int_equal(strlen(before), strlen(after));
	strcpy(line, before);
	redact("proc/cmdline", line, strlen(line));
	assert_string_equal(line, after);
}

static void command_line(void **state)
{
	(void)state;
	expect_line("BOOT_IMAGE=/boot/x root=UUID=12-34 ro quiet intel_iommu=on\n",
		    "BOOT_IMAGE=xxxxxxx root=xxxxxxxxxx ro quiet intel_iommu=on\n");
	expect_line("ip=10.0.0.1::eth0 pci=config_acs=1@0:1 vfio-pci.ids=8086:1",
		    "ip=xxxxxxxxxxxxxx pci=config_acs=1@0:1 vfio-pci.ids=8086:1");
	expect_line("a=\"b c\" d", "a=\"xxx\" d");
	expect_line("", "");
}

static void serial_number_in_config_space(void **state)
{
	char config[4096] = { 0 }, before[4096];

	(void)state;
	config[0x34] = 0x40; /* one capability: VPD */
	config[0x40] = 0x03;
	memcpy(config + 0x44, "SN12", 4);
	memcpy(config + 0x100, "\x0d\x00\x01\x14", 4); /* ACS, next 0x140 */
	memcpy(config + 0x104, "\x1f\x00\x1d\x00", 4);
	memcpy(config + 0x140, "\x03\x00\x01\x00", 4); /* serial number, last */
	memcpy(config + 0x144, "\x11\x22\x33\x44\x55\x66\x77\x88\x99", 9);
	memcpy(before, config, sizeof(config));
	redact("sys/devices/pci0000:00/0000:00:01.0/config", config, sizeof(config));
	memset(before + 0x44, 0, 4);
	memset(before + 0x144, 0, 8);
	assert_memory_equal(config, before, sizeof(config));
}

static void damaged_config_space_ends(void **state)
{
	char config[4096];

	(void)state;
	for (unsigned int next = 0; next < 4096; next += 4) {
		memset(config, 0, sizeof(config));
		config[0x34] = 0x40;
		config[0x41] = 0x40; /* a loop */
		config[0x100] = 3;
		config[0x102] = (char)((next & 0xf) << 4 | 1);
		config[0x103] = (char)(next >> 4);
		for (size_t size = 0; size <= sizeof(config); size += 61)
			redact("config/config", config, size);
	}
	memset(config, 0xff, sizeof(config));
	redact("x/config", config, sizeof(config));
}

static void interface_names(void **state)
{
	struct app_redactor redactor = { 0 };
	char path[] = "sys/devices/x/net/enx001a2b3c4d5e";
	char text[] = " 33: enx001a2b3c4d5e wlxffffffffffff-TxRx benx001a2b3c4d5e enx00 eth0";

	(void)state;
	app_redact_name(&redactor, path);
	assert_string_equal(path, "sys/devices/x/net/enx000000000001");
	app_redact_file(&redactor, "proc/interrupts", text, strlen(text));
	assert_string_equal(text, " 33: enx000000000001 wlx000000000002-TxRx benx001a2b3c4d5e "
				  "enx00 eth0");
	app_redactor_finish(&redactor);
}

static void compiling_host(void **state)
{
	char text[] = "Linux version 6.1.0 (joe@box) (gcc-12) #1\n";
	char none[] = "Linux version 6.1.0 #1\n";

	(void)state;
	redact("proc/version", text, strlen(text));
	assert_string_equal(text, "Linux version 6.1.0 (xxx@xxx) (gcc-12) #1\n");
	redact("proc/version", none, strlen(none));
	assert_string_equal(none, "Linux version 6.1.0 #1\n");
}

static void device_tree(void **state)
{
	char tree[1024];
	int length;

	(void)state;
	assert_int_equal(fdt_create(tree, sizeof(tree)), 0);
	assert_int_equal(fdt_finish_reservemap(tree), 0);
	assert_int_equal(fdt_begin_node(tree, ""), 0);
	assert_int_equal(fdt_property_string(tree, "serial-number", "SN1234"), 0);
	assert_int_equal(fdt_property_string(tree, "model", "board"), 0);
	assert_int_equal(fdt_begin_node(tree, "chosen"), 0);
	assert_int_equal(fdt_property_string(tree, "bootargs", "root=/dev/sda iommu=pt"), 0);
	assert_int_equal(fdt_end_node(tree), 0);
	assert_int_equal(fdt_end_node(tree), 0);
	assert_int_equal(fdt_finish(tree), 0);
	redact("sys/firmware/fdt", tree, fdt_totalsize(tree));
	assert_int_equal(fdt_check_full(tree, sizeof(tree)), 0);
	assert_string_equal(fdt_getprop(tree, 0, "serial-number", &length), "");
	assert_int_equal(length, 7);
	assert_string_equal(fdt_getprop(tree, 0, "model", NULL), "board");
	assert_string_equal(fdt_getprop(tree, fdt_path_offset(tree, "/chosen"), "bootargs", NULL),
			    "root=xxxxxxxx iommu=pt");
	/* Where the tree is damaged, nothing behind the header is kept. */
	tree[60] = (char)0xff;
	redact("sys/firmware/fdt", tree, 200);
	for (size_t i = 40; i < 200; i++)
		assert_int_equal(tree[i], 0);
}

static void tables_stay(void **state)
{
	char table[] = "DMAR enx001a2b3c4d5e";

	(void)state;
	redact("sys/firmware/acpi/tables/DMAR", table, sizeof(table));
	assert_string_equal(table, "DMAR enx001a2b3c4d5e");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_line),
		cmocka_unit_test(serial_number_in_config_space),
		cmocka_unit_test(damaged_config_space_ends),
		cmocka_unit_test(interface_names),
		cmocka_unit_test(compiling_host),
		cmocka_unit_test(device_tree),
		cmocka_unit_test(tables_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
