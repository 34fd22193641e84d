// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Functions that are reached: through BARs, requester ids, PFs and backdoors. */
#include "isolate/judge.h"

#include <string.h>

#include "pci/acs.h"
#include "pci/acs_quirk.h"

/* Edges that are there because somebody does not redirect. */
static const bool lacks_acs[WARD_WHYS] = {
	[WARD_WHY_SLOT] = true,	   [WARD_WHY_SWITCH_PORT] = true, [WARD_WHY_ROOT_PORT] = true,
	[WARD_WHY_REFLECT] = true, [WARD_WHY_SHARED_BUS] = true,
};

/* The first edge on the way that exists because somebody lacks ACS, or NULL. */
static const struct ward_edge *culprit_of(const struct ward_judgement *j,
					  const struct ward_visit *visit, bool unsure)
{
	const struct ward_edge *culprit = NULL;

	for (; visit->edge != WARD_NONE; visit = &j->reach->visits[visit->before]) {
		const struct ward_edge *edge = ward_last_edge(j, visit);

		if (unsure && edge->certainty != WARD_UNSURE)
			continue;
		if (lacks_acs[edge->why])
			culprit = edge;
		else if (edge->why == WARD_WHY_BRIDGE_BAR && !culprit)
			culprit = edge;
	}
	return culprit;
}

void ward_finding_unread(struct ward_judgement *j, struct ward_finding *finding, uint32_t via)
{
	const struct ward_function *f = &j->machine->functions[via];

	if (f->asleep)
		ward_finding_remedy(j, finding, WARD_REMEDY_WAKE, via,
				    ward_judge_text(j,
						    "%s is suspended and was not woken: look "
						    "again with --wake",
						    f->name),
				    ward_judge_text(j, "doorward check %s --wake",
						    j->machine->functions[finding->subject].name));
	else
		ward_finding_remedy(j, finding, WARD_REMEDY_LOOK_AS_ROOT, via,
				    "look again as root: extended config space is not readable "
				    "otherwise",
				    ward_judge_text(j, "sudo doorward check %s",
						    j->machine->functions[finding->subject].name));
}

/* The fact that was not readable, and how to read it. */
static void open_question(struct ward_judgement *j, struct ward_finding *finding, uint32_t via,
			  bool about_ids)
{
	const struct ward_function *f;

	if (!finding || via == WARD_NONE)
		return;
	f = &j->machine->functions[via];
	if (f->acs.quirk_name && f->acs.quirk == WARD_UNKNOWN) {
		finding->settle =
			ward_judge_text(j,
					"whether the kernel could switch peer requests off "
					"in the chipset of %s at boot (%s)",
					f->name, f->acs.quirk_name);
		return;
	}
	finding->settle =
		ward_judge_text(j, "the %s of %s",
				about_ids ? "requester ids and StreamID" : "ACS capability",
				f->name);
	ward_finding_unread(j, finding, via);
}

/* What is not known is an id, and no service of a port. */
static bool unsure_of_ids(const struct ward_judgement *j, const struct ward_visit *visit)
{
	for (; visit->edge != WARD_NONE; visit = &j->reach->visits[visit->before]) {
		const struct ward_edge *edge = ward_last_edge(j, visit);

		if (edge->certainty == WARD_UNSURE &&
		    (edge->why == WARD_WHY_STREAM || edge->why == WARD_WHY_UNKNOWN_ID))
			return true;
	}
	return false;
}

/* The bits that would have to change for this function to redirect; 0 when none would help. */
static uint16_t acs_to_set(const struct ward_function *f)
{
	if (f->acs.present != WARD_YES || f->acs.quirk != WARD_UNKNOWN || f->acs.quirk_name)
		return 0;
	if (WARD_ACS_ISOLATED & f->acs.capability & ~f->acs.control ||
	    ward_acs_effective(f) & WARD_ACS_EC)
		return WARD_ACS_ISOLATED & f->acs.capability;
	return 0;
}

/* ACS that is there but off can be switched on; ACS that is not there wants another slot. */
static void mend_acs(struct ward_judgement *j, struct ward_finding *finding,
		     const struct ward_edge *culprit)
{
	const struct ward_function *f;
	uint16_t bits;

	if (!finding || !culprit || culprit->via == WARD_NONE)
		return;
	f = &j->machine->functions[culprit->via];
	bits = acs_to_set(f);
	/* Egress control names ports to leave alone: it goes off with the same write. */
	if (bits)
		ward_finding_remedy(
			j, finding, WARD_REMEDY_ENABLE_ACS, culprit->via,
			ward_judge_text(j,
					"%s %s (until the next reset of the port; at boot: "
					"pci=config_acs, Linux 6.11 and later)",
					f->name,
					bits & ~f->acs.control
						? "has ACS, switched off: switch it on"
						: "lets some peer requests through by egress "
						  "control: switch that off"),
			/* Some of Intel's ports have registers of 32 bits, the control at +8. */
			ward_judge_text(j, "setpci -s %s ECAP_ACS+%s=%x:%x", f->name,
					ward_acs_quirk_wide(f) ? "8.l" : "6.w", bits,
					bits | (f->acs.capability & WARD_ACS_EC)));
	else if (culprit->why != WARD_WHY_SLOT || culprit->via != finding->subject)
		/* Functions of one card move together. */
		ward_finding_remedy(
			j, finding, WARD_REMEDY_MOVE_CARD, finding->subject,
			ward_judge_text(j,
					"move one of them away from %s: to a slot whose port has "
					"ACS",
					f->name),
			NULL);
}

/* The function that is in the space which the path goes through last, or WARD_NONE. */
static uint32_t space_user(const struct ward_judgement *j, const struct ward_visit *visit)
{
	for (; visit->edge != WARD_NONE; visit = &j->reach->visits[visit->before]) {
		if (ward_last_edge(j, visit)->why == WARD_WHY_SPACE)
			return ward_last_edge(j, visit)->via;
	}
	return WARD_NONE;
}

/* What is mapped can be unmapped, by whoever has the space. */
static void mend_space(struct ward_judgement *j, struct ward_finding *finding,
		       const struct ward_visit *visit, uint32_t peer)
{
	uint32_t user = space_user(j, visit);

	if (ward_last_edge(j, visit)->why == WARD_WHY_MAPPED_BAR)
		ward_finding_remedy(j, finding, WARD_REMEDY_OTHER_SPACE, user,
				    ward_judge_text(j,
						    "take the registers of %s out of the space of "
						    "%s, or map them read-only",
						    j->machine->functions[peer].name,
						    j->machine->functions[user].name),
				    NULL);
}

void ward_remedy_path(struct ward_judgement *j, struct ward_finding *finding,
		      const struct ward_visit *visit)
{
	mend_acs(j, finding, culprit_of(j, visit, false));
}

static const char *peer_code(const struct ward_edge *edge)
{
	if (edge->why == WARD_WHY_REQUESTER || edge->why == WARD_WHY_STREAM)
		return "requester-alias";
	if (edge->why == WARD_WHY_PF)
		return "pf-controls-vf";
	return edge->why == WARD_WHY_BACKDOOR ? "backdoor" : "peer-dma";
}

static void peer_blocks(struct ward_judgement *j, const struct ward_visit *visit, uint32_t peer,
			enum ward_whose whose)
{
	const struct ward_machine *machine = j->machine;
	const char *code = peer_code(ward_last_edge(j, visit));
	uint32_t subject = ward_start_of(j, visit);
	bool unsure = visit->certainty == WARD_UNSURE;
	const struct ward_edge *culprit = culprit_of(j, visit, unsure);
	const char *verb = strcmp(code, "requester-alias") == 0 ? "cannot be told from"
								: "can write the registers of";
	struct ward_finding *finding;

	if (unsure) {
		finding = ward_finding_add(j, "acs-unknown", ward_open_weight(j), subject, peer,
					   "%s may be able to write the registers of %s (%s)",
					   machine->functions[subject].name,
					   machine->functions[peer].name,
					   ward_whose_text(j, peer, whose));
		open_question(j, finding, culprit ? culprit->via : peer,
			      !culprit && unsure_of_ids(j, visit));
	} else {
		finding = ward_finding_add(j, code, ward_reach_weight(j), subject, peer,
					   "%s %s %s (%s)%s", machine->functions[subject].name,
					   verb, machine->functions[peer].name,
					   ward_whose_text(j, peer, whose),
					   visit->certainty == WARD_ASSUMED
						   ? ", as far as the hardware tells"
						   : "");
		if (machine->functions[peer].header_type == 0)
			ward_remedy_unbind(j, finding, peer);
		ward_remedy_claim_too(j, finding, peer);
		mend_acs(j, finding, culprit);
		mend_space(j, finding, visit, peer);
		ward_remedy_waive(j, finding);
	}
	ward_finding_path(j, finding, WARD_NODE_FUNCTION, peer);
}

static void peer_of_nobody(struct ward_judgement *j, const struct ward_visit *visit, uint32_t peer)
{
	uint32_t subject = ward_start_of(j, visit);
	struct ward_finding *finding;

	finding = ward_finding_add(j, "peer-unowned", WARD_NOTE, subject, peer,
				   "%s can get at %s, which is nobody's: it must get no driver and "
				   "no other owner meanwhile",
				   j->machine->functions[subject].name,
				   j->machine->functions[peer].name);
	ward_remedy_claim_too(j, finding, peer);
	ward_finding_path(j, finding, WARD_NODE_FUNCTION, peer);
	ward_assume_idle(j, peer);
}

/* Linux made groups apart although one can get at the other. */
static void group_too_small(struct ward_judgement *j, const struct ward_visit *visit, uint32_t peer)
{
	uint32_t subject = ward_start_of(j, visit);
	const struct ward_machine *machine = j->machine;
	struct ward_finding *finding;

	if (visit->certainty == WARD_UNSURE || ward_last_edge(j, visit)->why == WARD_WHY_PF ||
	    machine->functions[peer].header_type != 0 || space_user(j, visit) != WARD_NONE ||
	    ward_group_key(j->isolation, subject) == UINT64_MAX ||
	    ward_group_key(j->isolation, subject) == ward_group_key(j->isolation, peer))
		return;
	finding =
		ward_finding_add(j, "kernel-group-too-small", WARD_HAZARD, subject, peer,
				 "Linux keeps %s and %s in different groups although the first can "
				 "write the registers of the second",
				 machine->functions[subject].name, machine->functions[peer].name);
	mend_acs(j, finding, culprit_of(j, visit, false));
	ward_remedy_claim_too(j, finding, peer);
	ward_finding_path(j, finding, WARD_NODE_FUNCTION, peer);
}

void ward_judge_peer(struct ward_judgement *j, const struct ward_visit *visit, uint32_t peer)
{
	enum ward_whose whose = ward_whose(j, peer);

	if (ward_is_claimed(j, peer))
		return;
	group_too_small(j, visit, peer);
	if (ward_is_foreign(whose))
		peer_blocks(j, visit, peer, whose);
	else if (whose == WARD_WHOSE_NOBODY)
		peer_of_nobody(j, visit, peer);
}
