// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Memory that is reached because nothing translates. */
#include "isolate/judge.h"

static const char *firmware_hint(const struct ward_judgement *j)
{
	switch (j->machine->arch) {
	case WARD_ARCH_X86:
		return "switch VT-d or AMD-Vi on in the firmware setup";
	case WARD_ARCH_ARM64:
		return "the firmware must describe an SMMU for this bus (IORT or iommu-map)";
	case WARD_ARCH_POWER:
	case WARD_ARCH_UNKNOWN:
		break;
	}
	return "switch the IOMMU on in the firmware setup";
}

static void no_iommu(struct ward_judgement *j, uint32_t subject)
{
	const struct ward_machine *machine = j->machine;
	struct ward_finding *finding;
	bool described = machine->firmware_iommu == WARD_YES;

	finding = ward_finding_add(j, "no-iommu", WARD_BLOCKS, subject, WARD_NONE,
				   "no IOMMU translates %s: it can read and write all memory%s",
				   machine->functions[subject].name,
				   described ? " (firmware describes an IOMMU that the kernel does "
					       "not use for it)"
					     : "");
	if (described && machine->arch == WARD_ARCH_X86)
		ward_finding_remedy(j, finding, WARD_REMEDY_ENABLE_IOMMU, WARD_NONE,
				    "boot with the IOMMU on: add this to the kernel command line",
				    "intel_iommu=on");
	ward_finding_remedy(j, finding, WARD_REMEDY_FIRMWARE, WARD_NONE, firmware_hint(j), NULL);
	if (!described && machine->arch == WARD_ARCH_X86)
		ward_finding_remedy(j, finding, WARD_REMEDY_ENABLE_IOMMU, WARD_NONE,
				    "then boot with the IOMMU on (Intel: add this to the kernel command "
				    "line). If this machine is itself a VM, it is its monitor that must "
				    "give it an IOMMU", "intel_iommu=on");
	ward_finding_path(j, finding, WARD_NODE_MEMORY, 0);
}

void ward_judge_memory(struct ward_judgement *j, const struct ward_visit *visit)
{
	const struct ward_edge *edge = ward_last_edge(j, visit);
	uint32_t subject = edge->via;
	const char *name = j->machine->functions[subject].name;
	struct ward_finding *finding;

	if (visit->certainty == WARD_UNSURE) {
		finding = ward_finding_add(j, "iommu-unknown", WARD_OPEN, subject, WARD_NONE,
					   "whether an IOMMU translates %s could not be read", name);
		if (!finding)
			return;
		finding->settle = ward_judge_text(j, "the IOMMU of %s", name);
		ward_finding_remedy(j, finding, WARD_REMEDY_LOOK_AS_ROOT, subject,
				    "look again as root: firmware tables are not readable otherwise",
				    ward_judge_text(j, "sudo doorward check %s", name));
		ward_finding_path(j, finding, WARD_NODE_MEMORY, 0);
	} else if (edge->why == WARD_WHY_ATS) {
		finding = ward_finding_add(j, "ats-trusted", ward_reach_weight(j), subject, WARD_NONE,
					   "ATS is on at %s: a request that it marks as translated "
					   "skips the IOMMU, so all memory rests on the device being "
					   "honest", name);
		ward_finding_remedy(j, finding, WARD_REMEDY_ATS_OFF, subject,
				    "boot without ATS: add this to the kernel command line",
				    "pci=noats");
		ward_remedy_waive(j, finding);
		ward_finding_path(j, finding, WARD_NODE_MEMORY, 0);
	} else {
		no_iommu(j, subject);
	}
}
