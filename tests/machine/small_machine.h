/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The tree of a small machine of x86 with VT-d: a root port with a network card and one VF of it,
 * a suspended SMBus controller, a function of another segment (as VMD makes), one IOMMU.
 */
#ifndef TESTS_MACHINE_SMALL_MACHINE_H
#define TESTS_MACHINE_SMALL_MACHINE_H

#include "machine/tree_maker.h"

#define SMALL_ROOT "sys/devices/pci0000:00/"
#define SMALL_PORT SMALL_ROOT "0000:00:1c.0/"
#define SMALL_CARD SMALL_PORT "0000:01:00.0/"
#define SMALL_VF SMALL_PORT "0000:01:10.0/"
#define SMALL_BUS SMALL_ROOT "0000:00:1f.3/"
#define SMALL_VMD SMALL_ROOT "0000:00:0e.0/"
#define SMALL_BEHIND SMALL_VMD "pci10000:00/10000:00:02.0/"

struct small_file {
	const char *path, *text;
};

/* Files of which the text does not matter to others. */
static const struct small_file small_files[] = {
	{ "proc/sys/kernel/osrelease", "6.1.0-56-amd64\n" },
	{ "proc/cmdline", "root=/dev/sda1 quiet intel_iommu=on\n" },
	{ "doorward/host", "format=1\narch=x86_64\npage_size=4096\n" },
	{ "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "N\n" },
	{ "sys/devices/virtual/iommu/dmar0/intel-iommu/cap", "d2008c22260206\n" },
	{ "sys/devices/virtual/iommu/dmar0/intel-iommu/ecap", "f00f4e\n" },
	{ "sys/devices/virtual/iommu/dmar0/intel-iommu/address", "fed90000\n" },
	{ "sys/kernel/iommu_groups/0/type", "DMA-FQ\n" },
	{ "sys/kernel/iommu_groups/0/reserved_regions",
	  "0x00000000fee00000 0x00000000feefffff msi\n" },
	{ "sys/kernel/iommu_groups/11/type", "identity\n" },
	{ "sys/kernel/iommu_groups/11/reserved_regions",
	  "0x000000007f000000 0x000000007fffffff direct\n"
	  "0x00000000fee00000 0x00000000feefffff msi\n" },
	{ "sys/kernel/irq/16/chip_name", "IR-IO-APIC\n" },
	{ "sys/kernel/irq/16/hwirq", "16\n" },
	{ "sys/kernel/irq/16/actions", "i801_smbus\n" },
	{ "sys/kernel/irq/24/chip_name", "DMAR-MSI\n" },
	{ "sys/kernel/irq/24/hwirq", "0\n" },
	{ "sys/kernel/irq/24/actions", "dmar0\n" },
	{ "sys/kernel/irq/25/chip_name", "IR-PCI-MSI\n" },
	{ "sys/kernel/irq/25/hwirq", "458752\n" },
	{ "sys/kernel/irq/25/actions", "PCIe PME,aerdrv\n" },
	{ "sys/kernel/irq/26/chip_name", "IR-PCI-MSI\n" },
	{ "sys/kernel/irq/26/hwirq", "524288\n" },
	{ "sys/kernel/irq/26/actions", "eth0\n" },

	{ SMALL_PORT "vendor", "0x8086\n" },
	{ SMALL_PORT "device", "0x9d10\n" },
	{ SMALL_PORT "class", "0x060400\n" },
	{ SMALL_PORT "revision", "0xf1\n" },
	{ SMALL_PORT "irq", "25\n" },
	{ SMALL_PORT "msi_irqs/25", "msi\n" },
	{ SMALL_PORT "msi_bus", "1\n" },
	{ SMALL_PORT "power/runtime_status", "active\n" },

	{ SMALL_CARD "vendor", "0x8086\n" },
	{ SMALL_CARD "device", "0x1521\n" },
	{ SMALL_CARD "subsystem_vendor", "0x1028\n" },
	{ SMALL_CARD "subsystem_device", "0x1f60\n" },
	{ SMALL_CARD "class", "0x020000\n" },
	{ SMALL_CARD "revision", "0x01\n" },
	{ SMALL_CARD "irq", "16\n" },
	{ SMALL_CARD "msi_irqs/26", "msix\n" },
	{ SMALL_CARD "msi_bus", "1\n" },
	{ SMALL_CARD "sriov_totalvfs", "7\n" },
	{ SMALL_CARD "sriov_numvfs", "1\n" },
	{ SMALL_CARD "driver_override", "(null)\n" },
	{ SMALL_CARD "reset_method", "flr bus\n" },
	{ SMALL_CARD "power/runtime_status", "active\n" },
	{ SMALL_CARD "net/eth0/uevent", "" },
	{ SMALL_CARD "net/eth0/address", "00:11:22:33:44:55\n" },
	{ SMALL_CARD "vpd", "never read\n" },

	{ SMALL_VF "vendor", "0x8086\n" },
	{ SMALL_VF "device", "0x1520\n" },
	{ SMALL_VF "class", "0x020000\n" },
	{ SMALL_VF "irq", "0\n" },
	{ SMALL_VF "driver_override", "vfio-pci\n" },

	{ SMALL_BUS "vendor", "0x8086\n" },
	{ SMALL_BUS "device", "0x2930\n" },
	{ SMALL_BUS "class", "0x0c0500\n" },
	{ SMALL_BUS "irq", "16\n" },
	{ SMALL_BUS "power/runtime_status", "suspended\n" },
	{ SMALL_BUS "power_state", "D3cold\n" },

	{ SMALL_VMD "vendor", "0x8086\n" },
	{ SMALL_VMD "device", "0x467f\n" },
	{ SMALL_VMD "class", "0x010400\n" },
	{ SMALL_BEHIND "vendor", "0x144d\n" },
	{ SMALL_BEHIND "device", "0xa80a\n" },
	{ SMALL_BEHIND "class", "0x010802\n" },
	{ SMALL_BEHIND "nvme/nvme0/nvme0n1/size", "" },
};

static const struct small_file small_links[] = {
	{ "sys/bus/pci/devices/0000:00:1c.0", "../../../devices/pci0000:00/0000:00:1c.0" },
	{ "sys/bus/pci/devices/0000:01:00.0",
	  "../../../devices/pci0000:00/0000:00:1c.0/0000:01:00.0" },
	{ "sys/bus/pci/devices/0000:01:10.0",
	  "../../../devices/pci0000:00/0000:00:1c.0/0000:01:10.0" },
	{ "sys/bus/pci/devices/0000:00:1f.3", "../../../devices/pci0000:00/0000:00:1f.3" },
	{ "sys/bus/pci/devices/0000:00:0e.0", "../../../devices/pci0000:00/0000:00:0e.0" },
	{ "sys/bus/pci/devices/10000:00:02.0",
	  "../../../devices/pci0000:00/0000:00:0e.0/pci10000:00/10000:00:02.0" },
	{ "sys/class/iommu/dmar0", "../../devices/virtual/iommu/dmar0" },
	{ SMALL_PORT "driver", "../../../bus/pci/drivers/pcieport" },
	{ SMALL_PORT "iommu", "../../virtual/iommu/dmar0" },
	{ SMALL_PORT "iommu_group", "../../../kernel/iommu_groups/0" },
	{ SMALL_CARD "driver", "../../../../bus/pci/drivers/igb" },
	{ SMALL_CARD "iommu", "../../../virtual/iommu/dmar0" },
	{ SMALL_CARD "iommu_group", "../../../../kernel/iommu_groups/11" },
	{ SMALL_VF "driver", "../../../../bus/pci/drivers/vfio-pci" },
	{ SMALL_VF "iommu", "../../../virtual/iommu/dmar0" },
	{ SMALL_VF "iommu_group", "../../../../kernel/iommu_groups/11" },
	{ SMALL_VF "physfn", "../0000:01:00.0" },
	{ SMALL_BUS "driver", "../../../bus/pci/drivers/i801_smbus" },
};

static inline void small_put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

/* Header, a PCIe capability at 0x40, and with data an enabled MSI at 0x80. */
static inline void small_config(uint8_t config[256], unsigned int vendor, unsigned int device,
				unsigned int header, unsigned int pcie_type, unsigned int data)
{
	memset(config, 0, 256);
	small_put16(config, vendor);
	small_put16(config + 2, device);
	config[0x06] = 0x10;
	config[0x0e] = (uint8_t)header;
	config[0x34] = 0x40;
	config[0x3d] = 1;
	config[0x40] = 0x10;
	config[0x41] = data ? 0x80 : 0;
	small_put16(config + 0x42, pcie_type << 4 | 2);
	if (header == 1) {
		config[0x19] = 1;
		config[0x1a] = 1;
	}
	if (data) {
		config[0x80] = 0x05;
		small_put16(config + 0x82, 0x0081);
		small_put16(config + 0x8c, data);
	}
}

static inline void small_resource(const struct test_tree *tree, const char *path, int lines)
{
	char text[2048] = "";
	size_t used = 0;

	for (int i = 0; i < lines; i++) {
		const char *line = "0x0000000000000000 0x0000000000000000 0x0000000000000000\n";

		if (i == 0)
			line = "0x00000000fe880000 0x00000000fe89ffff 0x0000000000040200\n";
		else if (i == 2)
			line = "0x000000000000d000 0x000000000000d01f 0x0000000000040101\n";
		else if (i == 4)
			line = "0x0000000000000000 0x0000000000003fff 0x0000000020042208\n";
		else if (lines == 17 && i == 14)
			line = "0x00000000fe800000 0x00000000fe9fffff 0x0000000000000200\n";
		else if (lines == 17 && i == 15)
			line = "0x00000000fd800000 0x00000000fd9fffff 0x0000000000102201\n";
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", line);
	}
	test_tree_file(tree, path, text);
}

static inline void small_machine_make(const struct test_tree *tree)
{
	uint8_t config[256];

	for (size_t i = 0; i < sizeof(small_files) / sizeof(small_files[0]); i++)
		test_tree_file(tree, small_files[i].path, small_files[i].text);
	for (size_t i = 0; i < sizeof(small_links) / sizeof(small_links[0]); i++)
		test_tree_link(tree, small_links[i].path, small_links[i].text);
	small_config(config, 0x8086, 0x9d10, 1, 4, 0x4021);
	test_tree_bytes(tree, SMALL_PORT "config", config, sizeof(config));
	small_config(config, 0x8086, 0x1521, 0, 0, 0);
	test_tree_bytes(tree, SMALL_CARD "config", config, sizeof(config));
	small_config(config, 0xffff, 0xffff, 0, 0, 0);
	test_tree_bytes(tree, SMALL_VF "config", config, sizeof(config));
	small_config(config, 0x8086, 0x2930, 0, 9, 0);
	test_tree_bytes(tree, SMALL_BUS "config", config, sizeof(config));
	small_config(config, 0x8086, 0x467f, 0, 9, 0);
	test_tree_bytes(tree, SMALL_VMD "config", config, sizeof(config));
	small_config(config, 0x144d, 0xa80a, 0, 0, 0);
	test_tree_bytes(tree, SMALL_BEHIND "config", config, sizeof(config));
	small_resource(tree, SMALL_PORT "resource", 17);
	small_resource(tree, SMALL_CARD "resource", 13);
	test_tree_dir(tree, "sys/firmware/acpi/tables");
}

#endif
