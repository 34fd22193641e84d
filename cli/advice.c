// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "cli/advice.h"

#include "app/memory.h"

#include <string.h>

/*
 * Vendors whose devices exist in virtual machines only. Seen on the bus rather than asked of the
 * CPU, so that a captured machine gives the same answer.
 */
static const struct {
	uint16_t vendor;
	const char *name;
	const char *how; /* how its host gives it an IOMMU */
} hypervisors[] = {
	{ 0x1af4, "QEMU/KVM",
	  "With QEMU: -machine q35,kernel-irqchip=split -device intel-iommu,intremap=on (arm64: "
	  "-machine virt,iommu=smmuv3). With libvirt: <iommu model='intel'> with <driver "
	  "intremap='on'/>." },
	{ 0x1b36, "QEMU/KVM",
	  "With QEMU: -machine q35,kernel-irqchip=split -device intel-iommu,intremap=on (arm64: "
	  "-machine virt,iommu=smmuv3). With libvirt: <iommu model='intel'> with <driver "
	  "intremap='on'/>." },
	{ 0x15ad, "VMware", "With VMware: switch on \"Expose IOMMU to the guest\" for this VM." },
	{ 0x80ee, "VirtualBox",
	  "VirtualBox: VBoxManage modifyvm NAME --chipset ich9 --iommu intel." },
	{ 0x1414, "Hyper-V", "Hyper-V gives its guests no IOMMU that Linux can use for this." },
	{ 0x5853, "Xen", "Xen gives its guests no IOMMU; work in dom0, or without Xen." },
	{ 0x1d0f, "Amazon EC2", "On EC2 only bare-metal instance types (.metal) have an IOMMU." },
	{ 0x1ae0, "Google Compute Engine",
	  "On Compute Engine only bare-metal machine types have an IOMMU." },
};

static int find_hypervisor(const struct ward_machine *machine)
{
	const int count = sizeof(hypervisors) / sizeof(*hypervisors);

	for (int i = 0; i < count; i++)
		for (uint32_t j = 0; j < machine->functions_count; j++)
			if (machine->functions[j].kind == WARD_FUNCTION_PCI &&
			    machine->functions[j].vendor == hypervisors[i].vendor)
				return i;
	return -1;
}

/* Vendor of the function at 0000:00:00.0, the host bridge on a PC: 8086, 1022, or 0. */
static uint16_t chipset_vendor(const struct ward_machine *machine)
{
	struct ward_address first = { .segment = 0, .rid = ward_rid(0) };
	uint32_t bridge = ward_machine_find(machine, first);

	return bridge == WARD_NONE ? 0 : machine->functions[bridge].vendor;
}

/* Whether a word stands on the kernel's command line, on its own. */
static bool booted_with(const struct ward_machine *machine, const char *word)
{
	const char *at = machine->command_line;
	size_t length = strlen(word);

	while (at && (at = strstr(at, word))) {
		bool begins = at == machine->command_line || at[-1] == ' ';

		if (begins && (at[length] == '\0' || at[length] == ' ' || at[length] == ',' ||
			       at[length] == '\n'))
			return true;
		at += length;
	}
	return false;
}

static const char *switched_off_by(const struct ward_machine *machine)
{
	static const char *const words[] = {
		"intel_iommu=off",
		"amd_iommu=off",
		"iommu=off",
		"acpi=off",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (booted_with(machine, words[i]))
			return words[i];
	return NULL;
}

struct advice {
	char **text;
	size_t count;
};

static void add(struct advice *advice, char *text)
{
	app_array_grow((void **)&advice->text, advice->count, sizeof(*advice->text));
	advice->text[advice->count++] = text;
}

static bool is_amd(const struct ward_machine *machine)
{
	for (uint32_t i = 0; i < machine->iommus_count; i++)
		if (machine->iommus[i].kind == WARD_IOMMU_AMD)
			return true;
	return machine->iommus_count == 0 && chipset_vendor(machine) == 0x1022;
}

static void advise_kernel(struct advice *advice, const struct ward_machine *machine)
{
	const char *off = switched_off_by(machine);

	if (off) {
		add(advice,
		    app_printf("The kernel was told not to use it: take \"%s\" off the kernel's "
			       "command line and reboot.",
			       off));
	} else if (machine->arch == WARD_ARCH_X86 && is_amd(machine)) {
		add(advice, app_strdup("Linux uses AMD's without being told; why not here, the "
				       "kernel says: sudo dmesg | grep -i -e AMD-Vi -e iommu"));
	} else if (booted_with(machine, "intel_iommu=on")) {
		add(advice, app_strdup("Its kernel was told to use it; why it does not, it says: "
				       "sudo dmesg | grep -i -e DMAR -e iommu"));
	} else if (machine->arch == WARD_ARCH_X86) {
		add(advice, app_strdup("Add intel_iommu=on to the kernel's command line and "
				       "reboot. On Debian and Ubuntu: put it into "
				       "GRUB_CMDLINE_LINUX in /etc/default/grub, then run: sudo "
				       "update-grub"));
	} else {
		add(advice, app_strdup("Use a kernel with the driver for it built in "
				       "(CONFIG_ARM_SMMU_V3, CONFIG_VIRTIO_IOMMU), and look for "
				       "its reasons: sudo dmesg | grep -i -e smmu -e iommu"));
	}
}

static void advise_firmware(struct advice *advice, const struct ward_machine *machine)
{
	uint16_t chipset = chipset_vendor(machine);
	const char *name = machine->arch != WARD_ARCH_X86 ? "SMMU"
			   : chipset == 0x8086		  ? "VT-d (Intel VT for Directed I/O)"
			   : chipset == 0x1022		  ? "IOMMU (AMD-Vi)"
							  : "VT-d, or IOMMU on AMD";

	add(advice,
	    app_printf("Switch on %s in the firmware's setup and boot again. If there is no "
		       "such entry, the machine or its firmware may not have one.",
		       name));
}

char **cli_advice_no_iommu(const struct cli_context *context, size_t *ret_count)
{
	const struct ward_machine *machine = context->machine;
	int hypervisor = find_hypervisor(machine);
	struct advice advice = { 0 };

	add(&advice, app_strdup("An IOMMU confines what a device can read and write. Without one, "
				"whoever controls the device controls all memory, the host's "
				"included; no setting of a driver can change that."));
	if (machine->firmware_iommu == WARD_YES) {
		add(&advice,
		    app_strdup("This machine has an IOMMU, but its kernel does not use it."));
		advise_kernel(&advice, machine);
	} else if (hypervisor >= 0) {
		add(&advice,
		    app_printf("This machine is itself a virtual machine (%s), and its host "
			       "gives it no IOMMU. Ask for one there, or do this on the host "
			       "itself.",
			       hypervisors[hypervisor].name));
		add(&advice, app_strdup(hypervisors[hypervisor].how));
	} else if (machine->firmware_iommu == WARD_NO) {
		add(&advice, app_strdup("The firmware describes no IOMMU to the kernel."));
		advise_firmware(&advice, machine);
	} else {
		add(&advice,
		    app_strdup("Whether it has one could not be read; firmware's tables need "
			       "root."));
		advise_firmware(&advice, machine);
		advise_kernel(&advice, machine);
	}
	add(&advice, app_strdup("Afterwards /sys/class/iommu is not empty; then ask again."));
	*ret_count = advice.count;
	return advice.text;
}
