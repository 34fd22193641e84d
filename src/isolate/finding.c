// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The list of findings and the words of verdicts. docs/findings.md tells the same at length. */
#include <doorward/verdict.h>

static const struct ward_finding_info findings[] = {
	{ "acs-unknown", "whether peers are kept apart could not be read" },
	{ "already-owned", "another client has it" },
	{ "ats-trusted", "requests marked as translated skip the IOMMU" },
	{ "backdoor", "a known backdoor of the device reaches a function of somebody else" },
	{ "backdoor-own", "a known backdoor gets past what VFIO virtualises" },
	{ "config-unreadable", "config space could not be read" },
	{ "driver-bound", "a function of the kernel's group is bound to a kernel driver" },
	{ "group-split", "a function of the kernel's group belongs to another client" },
	{ "intx-shared", "an interrupt line is shared with the host" },
	{ "iommu-unknown", "whether an IOMMU translates it could not be read" },
	{ "kernel-group-too-small", "Linux separates functions that can reach each other" },
	{ "msi-frame-shared", "it can raise interrupts of others through a shared doorbell" },
	{ "msi-id-shared", "the MSI controller cannot tell it from another function" },
	{ "msi-not-isolated", "it can raise any interrupt of the host" },
	{ "msi-unknown", "what its interrupts are written to could not be read" },
	{ "no-iommu", "no IOMMU translates it" },
	{ "no-reset", "nothing can reset it" },
	{ "not-assignable", "a bridge or part of the machine's own works" },
	{ "own-driver", "the host uses it now" },
	{ "peer-dma", "it can write the registers of a function of somebody else" },
	{ "peer-unowned", "it can get at a function that is nobody's" },
	{ "persistent-state", "a client may change its firmware" },
	{ "pf-controls-vf", "it is the PF of VFs that belong to somebody else" },
	{ "reached-by-other", "another client can get at it" },
	{ "requester-alias", "it shares a requester id with a function of somebody else" },
	{ "reset-scope", "resetting it resets functions of others" },
	{ "rmrr", "firmware keeps using memory through it" },
	{ "rmrr-relaxable", "firmware used memory through it at boot" },
	{ "table-broken", "a firmware table contradicts itself" },
	{ "tree-incomplete", "a part of the machine could not be read" },
	{ "unsafe-interrupts", "Linux wants allow_unsafe_interrupts for it" },
	{ NULL, NULL },
};

const struct ward_finding_info *ward_findings(void)
{
	return findings;
}

const char *ward_answer_name(enum ward_answer answer)
{
	static const char *const names[] = {
		[WARD_SAFE] = "safe",
		[WARD_UNSAFE] = "unsafe",
		[WARD_CANNOT_TELL] = "unknown",
	};

	return names[answer];
}

const char *ward_weight_name(enum ward_weight weight)
{
	static const char *const names[] = {
		[WARD_NOTE] = "note",
		[WARD_HAZARD] = "hazard",
		[WARD_OPEN] = "open",
		[WARD_BLOCKS] = "blocks",
	};

	return names[weight];
}

const char *ward_grade_name(enum ward_grade grade)
{
	static const char *const names[] = {
		[WARD_GRADE_ISOLATED] = "isolated",
		[WARD_GRADE_EXCLUSIVE] = "exclusive",
		[WARD_GRADE_SHARED_WITH_OWN] = "shared-with-own",
		[WARD_GRADE_SHARED_WITH_HOST] = "shared-with-host",
		[WARD_GRADE_SHARED_WITH_OTHER] = "shared-with-other",
		[WARD_GRADE_NONE] = "none",
		[WARD_GRADE_UNKNOWN] = "unknown",
	};

	return names[grade];
}
