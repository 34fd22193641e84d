// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The list of findings and the words of verdicts. docs/findings.md tells the same at length. */
#include "isolate/judge.h"

#include <string.h>

/*
 * In the order in which findings of one weight are told: what cannot be done at all first, then
 * DMA, then interrupts, then the rest.
 */
static const struct ward_finding_info findings[] = {
	{ "absent", "it is not there" },
	{ "not-assignable", "a bridge or part of the machine's own works" },
	{ "already-owned", "another client has it" },
	{ "unsettled", "somebody is exposed, and that is contained first" },
	{ "frozen", "it is frozen, after an error or to contain it" },
	{ "tainted", "somebody had it, and it was not reset since" },
	{ "revoking", "somebody is to give back a part of its partition" },
	{ "one-space", "a function of its group is in another space" },
	{ "domain-fixed", "its IOMMU cannot have the space" },
	{ "no-iommu", "no IOMMU translates it" },
	{ "space-identity", "it is in a space that is all memory" },
	{ "iommu-unknown", "whether an IOMMU translates it could not be read" },
	{ "stream-in-use", "another function has the StreamID it needs" },
	{ "vfs-enabled", "VFIO refuses a PF that has VFs" },
	{ "rmrr", "firmware keeps using memory through it" },
	{ "driver-bound", "a function of the kernel's group is bound to a kernel driver" },
	{ "group-split", "a function of the kernel's group belongs to another client" },
	{ "requester-alias", "it shares a requester id with a function of somebody else" },
	{ "peer-dma", "it can write the registers of a function of somebody else" },
	{ "pf-controls-vf", "it is the PF of VFs that belong to somebody else" },
	{ "backdoor", "a known backdoor of the device reaches a function of somebody else" },
	{ "reached-by-other", "another client can get at it" },
	{ "acs-unknown", "whether peers are kept apart could not be read" },
	{ "msi-not-isolated", "it can raise any interrupt of the host" },
	{ "msi-frame-shared", "it can raise interrupts of others through a shared doorbell" },
	{ "msi-id-shared", "the MSI controller cannot tell it from another function" },
	{ "msi-unknown", "what its interrupts are written to could not be read" },
	{ "ats-trusted", "requests marked as translated skip the IOMMU" },
	{ "unsafe-interrupts", "Linux wants allow_unsafe_interrupts for it" },
	{ "kernel-group-too-small", "Linux separates functions that can reach each other" },
	{ "table-broken", "a firmware table contradicts itself" },
	{ "table-unreadable", "a firmware table could not be read" },
	{ "table-unsupported", "a part of a firmware table is not understood" },
	{ "iommu-contradiction", "firmware and the kernel name different controllers" },
	{ "config-unreadable", "config space could not be read" },
	{ "config-broken", "config space contradicts itself" },
	{ "tree-incomplete", "a part of the machine could not be read" },
	{ "reset-scope", "resetting it resets functions of others" },
	{ "no-reset", "nothing can reset it" },
	{ "intx-shared", "an interrupt line is shared with others" },
	{ "pri-shared", "its page requests share a queue with those of others" },
	{ "backdoor-own", "a known backdoor gets past what VFIO virtualises" },
	{ "peer-unowned", "it can get at a function that is nobody's" },
	{ "own-driver", "the host uses it now" },
	{ "rmrr-relaxable", "firmware used memory through it at boot" },
	{ "persistent-state", "a client may change its firmware" },
	{ NULL, NULL },
};

unsigned int ward_finding_rank(const char *code)
{
	unsigned int rank = 0;

	while (findings[rank].code && strcmp(findings[rank].code, code) != 0)
		rank++;
	return rank;
}

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
