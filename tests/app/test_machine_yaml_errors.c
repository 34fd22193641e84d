// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Descriptions of machines that are wrong: what is said of them; and files. */
#include "skip.h"

#include "app/machine_yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine_text.h"

#define HEAD                                     \
	"arch: arm64\n"                          \
	"iommus: [{name: smmu, kind: smmuv3}]\n" \
	"controllers:\n"                         \
	"  - {name: frame, kind: gicv2m, doorbells: [\"0x8020000\"]}\n"
#define FUNCTION(fields)                                                   \
	HEAD "functions:\n"                                                \
	     "  - {address: \"00:01.0\", type: root-port, secondary: 1}\n" \
	     "  - {address: \"01:00.0\", " fields "}\n"

static const struct {
	const char *text, *error;
} refused[] = {
	/* What is no YAML, or more of it than is taken. */
	{ "", "m.yaml:1: nothing is described here" },
	{ "# arch: arm64\n", "m.yaml:1: nothing is described here" },
	{ "arch: [\n", "m.yaml:2: this is no YAML: did not find expected node content" },
	{ "a\xff", "m.yaml:1: this is no YAML: invalid leading UTF-8 octet" },
	{ "- arch\n", "m.yaml:1: fields belong here (name: value)" },
	{ "arch: &a arm64\n", "m.yaml:1: anchors (&name) are not taken" },
	{ "arch: arm64\ntitle: *a\n", "m.yaml:2: aliases (*name) are not taken: write it out" },
	{ "arch: !!str arm64\n", "m.yaml:1: tags (!name) are not taken" },
	{ "arch: arm64\n---\narch: x86\n",
	  "m.yaml:2: a second document begins here; only one belongs into a file" },
	{ "arch: arm64\nmemory: [[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]\n",
	  "m.yaml:2: this is too deep" },
	/* Types. */
	{ "title: none\n", "m.yaml:1: the field \"arch\" is missing" },
	{ "arch: arm64\narhc: x86\n",
	  "m.yaml:2: there is no field \"arhc\"; did you mean \"arch\"?" },
	{ "arch: arm64\nsomething: x86\n", "m.yaml:2: there is no field \"something\"" },
	{ "arch: arm64\narch: x86\n", "m.yaml:2: arch: this stands here twice" },
	{ "arch: sparc\n", "m.yaml:1: arch: \"sparc\" is none of: x86, arm64, power, unknown" },
	{ "arch: arm64\n[a]: x86\n", "m.yaml:2: the name of a field is a word" },
	{ "arch: arm64\npage_size: 4k\n",
	  "m.yaml:2: page_size: \"4k\" is no number: write 64 or 0x40" },
	{ "arch: arm64\npage_size: 010000\n",
	  "m.yaml:2: page_size: \"010000\" is no number: write 64 or 0x40" },
	{ "arch: arm64\npage_size: -1\n",
	  "m.yaml:2: page_size: \"-1\" is no number: write 64 or 0x40" },
	{ "arch: arm64\npage_size: 0x100000000\n",
	  "m.yaml:2: page_size: 0x100000000 is beyond 4294967295" },
	{ "arch: arm64\npage_size:\n", "m.yaml:2: page_size: nothing stands here" },
	{ "arch: arm64\npage_size: [4096]\n",
	  "m.yaml:2: page_size: one value belongs here, no list and no fields" },
	{ "arch: arm64\nmemory: all\n", "m.yaml:2: memory: a list belongs here: [one, two]" },
	{ "arch: arm64\ngroups_known: perhaps\n",
	  "m.yaml:2: groups_known: \"perhaps\" is neither yes nor no" },
	{ "arch: arm64\nkernel: \"6\\012\"\n",
	  "m.yaml:2: kernel: a zero byte is no part of a text" },
	{ "arch: arm64\niommus: [{kind: vtd}]\n",
	  "m.yaml:2: iommus[0]: the field \"name\" is missing" },
	{ "arch: arm64\niommus: [{name: \"\", kind: vtd}]\n",
	  "m.yaml:2: iommus[0].name: this cannot be empty" },
	{ FUNCTION("resets: [flr, fly]"),
	  "m.yaml:7: functions[1].resets[1]: \"fly\" is none of: flr, af, pm, device" },
	{ FUNCTION("resets: [[flr]]"), "m.yaml:7: functions[1].resets[0]: a word belongs here" },
	{ FUNCTION("bars: [{range: a}, {range: a}, {range: a}, {range: a}, {range: a}, {range: a}, "
		   "{range: a}, {range: a}]"),
	  "m.yaml:7: functions[1].bars: 8 are too many; at most 7" },
	{ FUNCTION("class: \"01234567890123456789012345678901234567890123456789012345678901234\""),
	  "m.yaml:7: functions[1].class: 65 characters are too long; at most 64" },
	/* The host. */
	{ "arch: arm64\npage_size: 4095\n",
	  "m.yaml:2: page_size: 4095 is none of 4096, 16384, 65536" },
	{ "arch: arm64\nmemory: [\"0x1000-0\"]\n",
	  "m.yaml:2: memory[0]: \"0x1000-0\" is no range: write \"0x40000000+1 GiB\"" },
	{ "arch: arm64\nmemory: [\"0+1 GB\"]\n",
	  "m.yaml:2: memory[0]: \"0+1 GB\" is no range: write \"0x40000000+1 GiB\"" },
	{ "arch: arm64\nmemory: [\"0+17179869185 GiB\"]\n",
	  "m.yaml:2: memory[0]: \"0+17179869185 GiB\" is no range: write \"0x40000000+1 GiB\"" },
	{ "arch: arm64\nmemory:\n  - \"0+1 GiB\"\n  - \"4096+1 MiB\"\n",
	  "m.yaml:4: memory[1]: memory[0] has some of this, too" },
	/* IOMMUs and controllers. */
	{ "arch: arm64\niommus:\n  - {name: a, kind: vtd}\n  - {name: a, kind: vtd}\n",
	  "m.yaml:4: iommus[1].name: iommus[0] is called a, too" },
	{ "arch: arm64\niommus: [{name: none, kind: vtd}]\n",
	  "m.yaml:2: iommus[0].name: \"none\" is no name: it has a meaning of its own" },
	{ "arch: arm64\niommus: [{name: a, kind: vtd, base: here}]\n",
	  "m.yaml:2: iommus[0].base: \"here\" is no address" },
	{ "arch: arm64\niommus: [{name: a, kind: vtd, controller: its}]\n",
	  "m.yaml:2: iommus[0].controller: no controller is called its" },
	{ "arch: arm64\ncontrollers:\n  - {name: a, kind: its}\n",
	  "m.yaml:3: controllers[0].doorbells: where a has its doorbell has to be told" },
	{ "arch: arm64\ncontrollers:\n  - {name: a, kind: its, doorbells: [here]}\n",
	  "m.yaml:3: controllers[0].doorbells[0]: \"here\" is neither an address nor a range" },
	{ "arch: arm64\ncontrollers:\n  - {name: a, kind: gicv2m, doorbells: [\"0\"], intids: 3}\n",
	  "m.yaml:3: controllers[0].first_intid: first_intid and intids have to name SPIs: 32 to "
	  "1019" },
	{ HEAD "id_maps: [{kind: msi, to: its}]\n",
	  "m.yaml:5: id_maps[0].to: no controller is called its" },
	{ HEAD "id_maps: [{kind: iommu, to: its}]\n",
	  "m.yaml:5: id_maps[0].to: no IOMMU is called its" },
	{ HEAD "id_maps: [{kind: iommu, to: smmu, first: 8, last: 7}]\n",
	  "m.yaml:5: id_maps[0].last: it ends before it begins" },
	{ HEAD "id_maps: [{kind: iommu, to: smmu, first: 8, mask: 7}]\n",
	  "m.yaml:5: id_maps[0].first: the mask leaves no id there" },
	/* Functions. */
	{ HEAD "functions: [{address: \"00:32.0\"}]\n",
	  "m.yaml:5: functions[0].address: \"00:32.0\" is no address: write 01:00.0 or "
	  "0000:01:00.0" },
	{ HEAD "functions:\n  - {address: \"01:00.0\"}\n  - {address: \"0000:01:00.0\"}\n",
	  "m.yaml:7: functions[1].address: functions[0] has the address 0000:01:00.0, too" },
	{ FUNCTION("controller: frame1"),
	  "m.yaml:7: functions[1].controller: no controller is called frame1" },
	{ FUNCTION("iommu: smmu1"), "m.yaml:7: functions[1].iommu: no IOMMU is called smmu1" },
	{ FUNCTION("id: \"8086\""),
	  "m.yaml:7: functions[1].id: \"8086\" is not of the form 8086:10d3" },
	{ FUNCTION("subsystem: \"8086:xxxx\""),
	  "m.yaml:7: functions[1].subsystem: \"8086:xxxx\" is not of the form 8086:a01f" },
	{ FUNCTION("class: card"),
	  "m.yaml:7: functions[1].class: \"card\" is no class: write a word such as network, or "
	  "\"0x020000\"" },
	{ FUNCTION("header_type: 3"), "m.yaml:7: functions[1].header_type: 3 is none of 0, 1, 2" },
	{ FUNCTION("config_size: 128"),
	  "m.yaml:7: functions[1].config_size: 128 is none of 0, 64, 256, 4096" },
	{ FUNCTION("secondary: 3"), "m.yaml:7: functions[1].secondary: 01:00.0 is no bridge" },
	{ FUNCTION("driver: nvme, owner: nobody"),
	  "m.yaml:7: functions[1].owner: nvme drives it for the host, so it is the host's" },
	{ FUNCTION("quarantined: yes, owner: vm"),
	  "m.yaml:7: functions[1].quarantined: what is quarantined is nobody's, and nothing drives "
	  "it" },
	{ FUNCTION("type: upstream"),
	  "m.yaml:7: functions[1].secondary: which bus is below 01:00.0 has to be told; 0: none" },
	{ FUNCTION("window: \"0+4096\""), "m.yaml:7: functions[1].window: 01:00.0 is no bridge" },
	{ FUNCTION("type: upstream, secondary: 2, window: \"0+0\""),
	  "m.yaml:7: functions[1].window: \"0+0\" is no range: write \"0x10000000-0x100fffff\" or "
	  "\"0x10000000+1 MiB\"" },
	{ FUNCTION("type: upstream, secondary: 1"),
	  "m.yaml:7: functions[1]: bridge 0000:01:00.0 has bus numbers that lead back: secondary "
	  "01, subordinate 01" },
	{ FUNCTION("bars: [{range: \"0+5\", bar: 7}]"),
	  "m.yaml:7: functions[1].bars[0].range: there are BARs 0 to 5, and 6 for the ROM" },
	{ FUNCTION("bars: [{range: \"0+5\", bar: 1}, {range: \"0+5\"}]"),
	  "m.yaml:7: functions[1].bars[1].range: BAR 1 stands here twice" },
	{ FUNCTION("bars: [{range: everywhere}]"),
	  "m.yaml:7: functions[1].bars[0].range: \"everywhere\" is no range: write "
	  "\"0x10000000+16 KiB\"" },
	{ FUNCTION("acs: some"),
	  "m.yaml:7: functions[1].acs: \"some\" is neither none, empty, off, full, unknown nor some "
	  "of: sv tb rr cr uf ec dt" },
	{ FUNCTION("acs: full, acs_offers: sv"),
	  "m.yaml:7: functions[1].acs_offers: something is on that it does not offer" },
	{ FUNCTION("msi: 3"), "m.yaml:7: functions[1].msi: MSI has 1, 2, 4, 8, 16 or 32 vectors" },
	{ FUNCTION("msix: 2049"), "m.yaml:7: functions[1].msix: MSI-X has 2048 vectors at most" },
	{ FUNCTION("irq: msi"), "m.yaml:7: functions[1].irq: it has no MSI" },
	{ FUNCTION("msix: 0, irq: msix"), "m.yaml:7: functions[1].irq: it has no MSI-X" },
	{ FUNCTION("msi_message: {address: there, data: 1}"),
	  "m.yaml:7: functions[1].msi_message.address: \"there\" is no address" },
	{ FUNCTION("pf: \"01:00.1\""), "m.yaml:7: functions[1].pf: there is no function 01:00.1" },
	{ FUNCTION("pf: eth0"), "m.yaml:7: functions[1].pf: no function is called eth0" },
	{ FUNCTION("pf: \"01:00.0\""),
	  "m.yaml:7: functions[1]: 0000:01:00.0 cannot be the PF of 0000:01:00.0" },
	{ FUNCTION("parent: \"09:00.0\""),
	  "m.yaml:7: functions[1].parent: there is no function 09:00.0" },
	{ FUNCTION("vfs_enabled: 2"),
	  "m.yaml:7: functions[1].vfs_total: more VFs are there than it can have" },
	{ FUNCTION("owner: \"\""),
	  "m.yaml:7: functions[1].owner: this cannot be: Invalid argument" },
	/* The rest. */
	{ HEAD "platform_devices: [{name: a}, {name: a}]\n",
	  "m.yaml:5: platform_devices[1].name: platform_devices[0] is called a, too" },
	{ HEAD "platform_devices: [{name: \"01:00.0\"}]\n",
	  "m.yaml:5: platform_devices[0].name: this is the address of a PCI function" },
	{ HEAD "platform_devices: [{name: a, acs: full}]\n",
	  "m.yaml:5: platform_devices[0]: there is no field \"acs\"" },
	{ HEAD "clients: [vm, host]\n", "m.yaml:5: clients[1]: host is no client" },
	{ HEAD "clients: [several]\n", "m.yaml:5: clients[0]: several is no client" },
	{ HEAD "groups: [{number: 4}, {number: 4}]\n",
	  "m.yaml:5: groups[1].number: this group stands here twice" },
	{ HEAD "regions: [{range: \"0+1\", kind: direct}]\n",
	  "m.yaml:5: regions[0]: a region is that of a function or that of a group" },
	{ HEAD "regions: [{range: \"0\", kind: direct, group: 3}]\n",
	  "m.yaml:5: regions[0].range: \"0\" is no range" },
	{ HEAD "regions: [{range: \"0+1\", kind: direct, function: eth0}]\n",
	  "m.yaml:5: regions[0].function: no function is called eth0" },
	{ FUNCTION("absent: no") "partitions:\n  - {pe: 1, functions: [\"01:00.0\"]}\n"
				 "  - {pe: 2, functions: [\"00:01.0\", \"01:00.0\"]}\n",
	  "m.yaml:10: partitions[1].functions[1]: 01:00.0 is in partition 1 already" },
	{ HEAD "partitions: [{pe: 1}, {pe: 1}]\n",
	  "m.yaml:5: partitions[1].pe: partitions[0] has this number, too" },
	{ HEAD "partitions: [{pe: 0xffffffff}]\n",
	  "m.yaml:5: partitions[0].pe: 0xffffffff is no number of a partition" },
	{ HEAD "partitions: [{pe: 1, mmio: [a]}]\n",
	  "m.yaml:5: partitions[0].mmio[0]: \"a\" is no range" },
	{ HEAD "vectors: [{irq: 1, function: eth0}]\n",
	  "m.yaml:5: vectors[0].function: no function is called eth0" },
	{ HEAD "vectors: [{irq: 1, controller: its}]\n",
	  "m.yaml:5: vectors[0].controller: no controller is called its" },
};

static void every_error_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct app_machine read;
		struct ward_error error = { "" };

		if (load(refused[i].text, &read, &error) != -EBADMSG)
			fail_msg("not refused: %s", refused[i].error);
		assert_string_equal(error.text, refused[i].error);
	}
}

/* Cut anywhere, and with any byte turned over: refused with a line, or taken; nothing else. */
static void damaged_input(void **state)
{
	char *text = strdup(everything);
	size_t length = strlen(everything), taken = 0;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < length * 2; i++) {
		size_t at = i / 2;
		char before = text[at];
		struct ward_error error = { "" };
		struct app_machine read;

		text[at] = i % 2 ? (char)(before ^ 1) : '\0';
		if (load(text, &read, &error) == 0) {
			app_machine_finish(&read);
			taken++;
		} else {
			assert_memory_equal(error.text, "m.yaml:", 7);
		}
		text[at] = before;
	}
	assert_in_range(taken, 100, length * 2);
	free(text);
}

static void files(void **state)
{
	char name[] = "/tmp/test-machine-XXXXXX";
	struct ward_error error = { "" };
	struct app_machine read;
	int fd = mkstemp(name);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, everything, strlen(everything)), strlen(everything));
	assert_int_equal(app_machine_load(name, &read, &error), 0);
	app_machine_finish(&read);
	assert_int_equal(ftruncate(fd, APP_YAML_BYTES_MAX + 1), 0);
	assert_int_equal(app_machine_load(name, &read, &error), -EFBIG);
	assert_non_null(strstr(error.text, ": more than 16 MiB are too much for a description"));
	close(fd);
	unlink(name);
	assert_int_equal(app_machine_load(name, &read, &error), -ENOENT);
	assert_non_null(strstr(error.text, ": No such file or directory"));
	assert_int_equal(app_machine_load("/tmp", &read, &error), -EISDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_error_is_told),
		cmocka_unit_test(damaged_input),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
