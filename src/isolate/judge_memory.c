// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * All memory, reached because nothing translates or because the space translates every address to
 * itself: by the functions judged, or by one that they get at. Each is told for itself, since what
 * mends one does not mend the other.
 */
#include "isolate/judge.h"

#include "isolate/group.h"

static const char *firmware_hint(const struct ward_judgement *j)
{
	switch (j->machine->arch) {
	case WARD_ARCH_X86:
		return j->machine->firmware_iommu == WARD_YES
			       ? "switch VT-d or AMD-Vi on in the firmware setup"
			       : "where this machine is itself a VM, its monitor has to give it an "
				 "IOMMU";
	case WARD_ARCH_ARM64:
		return "the firmware must describe an SMMU for this bus (IORT or iommu-map)";
	case WARD_ARCH_POWER:
	case WARD_ARCH_UNKNOWN:
		break;
	}
	return "switch the IOMMU on in the firmware setup";
}

static bool has_amd(const struct ward_machine *machine)
{
	for (uint32_t i = 0; i < machine->iommus_count; i++)
		if (machine->iommus[i].kind == WARD_IOMMU_AMD)
			return true;
	return false;
}

/* AMD's is on unless the kernel was told otherwise; Intel's on most kernels only when told. */
static void remedy_enable(struct ward_judgement *j, struct ward_finding *finding)
{
	const struct ward_machine *machine = j->machine;

	if (machine->firmware_iommu != WARD_YES)
		ward_finding_remedy(j, finding, WARD_REMEDY_ENABLE_IOMMU, WARD_NONE,
				    "switch VT-d or AMD-Vi on in the firmware setup, and boot with "
				    "it on (Intel: add this to the kernel command line)",
				    "intel_iommu=on");
	else if (has_amd(machine))
		ward_finding_remedy(j, finding, WARD_REMEDY_ENABLE_IOMMU, WARD_NONE,
				    "boot with the IOMMU on: without amd_iommu=off and iommu=off "
				    "on the kernel command line",
				    NULL);
	else
		ward_finding_remedy(j, finding, WARD_REMEDY_ENABLE_IOMMU, WARD_NONE,
				    "boot with the IOMMU on: add this to the kernel command line",
				    "intel_iommu=on");
}

/* "0000:01:00.0", or "0000:02:00.0, which 0000:01:00.0 can get at,". */
static const char *who(struct ward_judgement *j, uint32_t subject, uint32_t via)
{
	if (via == subject)
		return j->machine->functions[via].name;
	return ward_judge_text(j, "%s, which %s can get at,", j->machine->functions[via].name,
			       j->machine->functions[subject].name);
}

static struct ward_finding *no_iommu(struct ward_judgement *j, uint32_t subject, uint32_t via)
{
	const struct ward_machine *machine = j->machine;
	bool described = machine->firmware_iommu == WARD_YES, own = via == subject;
	struct ward_finding *finding;

	finding = ward_finding_add(j, "no-iommu", own ? WARD_BLOCKS : ward_reach_weight(j), subject,
				   own ? WARD_NONE : via,
				   "no IOMMU translates %s: it can read and write all memory%s",
				   who(j, subject, via),
				   described ? " (firmware describes an IOMMU that the kernel does "
					       "not use for it)"
					     : "");
	if (machine->arch == WARD_ARCH_X86)
		remedy_enable(j, finding);
	ward_finding_remedy(j, finding, WARD_REMEDY_FIRMWARE, WARD_NONE, firmware_hint(j), NULL);
	return finding;
}

static struct ward_finding *iommu_unknown(struct ward_judgement *j, uint32_t subject, uint32_t via)
{
	const char *name = j->machine->functions[via].name;
	bool own = via == subject;
	struct ward_finding *finding;

	/* Linux refuses a function without IOMMU itself; what that one gets at, it does not ask. */
	finding = ward_finding_add(
		j, "iommu-unknown", own ? WARD_OPEN : ward_open_weight(j), subject,
		own ? WARD_NONE : via,
		"whether %s reads and writes all memory could not be told: %s",
		who(j, subject, via),
		own ? "what translates it could not be read"
		    : "what ties the two, or what translates it, could not be read");
	if (!finding)
		return NULL;
	finding->settle = ward_judge_text(j, "the IOMMU of %s", name);
	ward_finding_remedy(j, finding, WARD_REMEDY_LOOK_AS_ROOT, via,
			    "look again as root: firmware tables are not readable otherwise",
			    ward_judge_text(j, "sudo doorward check %s",
					    j->machine->functions[subject].name));
	return finding;
}

static struct ward_finding *ats(struct ward_judgement *j, uint32_t subject, uint32_t via,
				bool unsure)
{
	const struct ward_function *f = &j->machine->functions[via];
	const char *now = ward_ats_may_come(j->machine, f) ? "is off now and may come"
			  : unsure && !f->ats_enabled	   ? "may be"
							   : "is";
	struct ward_finding *finding;

	finding =
		ward_finding_add(j, "ats-trusted",
				 unsure ? ward_open_weight(j) : ward_reach_weight(j), subject,
				 via == subject ? WARD_NONE : via,
				 "ATS %s on at %s: a request that it marks as translated skips the "
				 "IOMMU, so all memory rests on the device being honest",
				 now, who(j, subject, via));
	if (finding && unsure && f->ats == WARD_UNKNOWN) {
		finding->settle = ward_judge_text(j, "the ATS capability of %s", f->name);
		ward_finding_unread(j, finding, via);
	} else if (finding && ward_ats_may_come(j->machine, f)) {
		finding->settle =
			ward_judge_text(j,
					"whether Linux switches ATS of %s on when it attaches it",
					f->name);
	} else if (finding && unsure) {
		finding->settle = ward_judge_text(j, "whether %s can get at %s",
						  j->machine->functions[subject].name, f->name);
	}
	ward_finding_remedy(j, finding, WARD_REMEDY_ATS_OFF, via,
			    "boot without ATS: add this to the kernel command line", "pci=noats");
	ward_remedy_waive(j, finding);
	return finding;
}

/* The kernel changes it on demand, if it has no driver of the group to ask. */
static void remedy_passed(struct ward_judgement *j, struct ward_finding *finding, uint32_t via)
{
	uint32_t number = j->machine->groups[j->machine->functions[via].group].number;

	ward_finding_remedy(
		j, finding, WARD_REMEDY_OTHER_SPACE, via,
		ward_judge_text(j,
				"have the kernel translate %s, while nothing in its group has a "
				"driver (for all, at boot: iommu.passthrough=0)",
				j->machine->functions[via].name),
		ward_judge_text(j, "echo DMA > /sys/kernel/iommu_groups/%u/type", number));
	ward_remedy_claim_too(j, finding, via);
}

static struct ward_finding *identity(struct ward_judgement *j, uint32_t subject, uint32_t via,
				     bool unsure)
{
	const char *name = j->machine->functions[via].name;
	struct ward_finding *finding = ward_finding_add(
		j, "space-identity", unsure ? ward_open_weight(j) : ward_reach_weight(j), subject,
		via == subject ? WARD_NONE : via,
		"the space of %s translates every address to itself: it %s all memory",
		who(j, subject, via),
		unsure ? "may be able to read and write" : "can read and write");

	if (finding && unsure)
		finding->settle =
			via == subject ? ward_judge_text(j, "the IOMMU of %s", name)
				       : ward_judge_text(j, "whether %s can get at %s",
							 j->machine->functions[subject].name, name);
	if (ward_graph_is_passed(&j->isolation->graph, via) == WARD_YES)
		remedy_passed(j, finding, via);
	else
		ward_finding_remedy(
			j, finding, WARD_REMEDY_OTHER_SPACE, via,
			ward_judge_text(j,
					"put %s into a space that maps only the memory of its "
					"owner, or into one that is blocked",
					name),
			NULL);
	return finding;
}

/* The space that an edge leads into is all memory, or NULL: the edge that says so. */
static const struct ward_edge *identity_edge(const struct ward_graph *g,
					     const struct ward_edge *edge)
{
	uint32_t space = edge->to;

	if (edge->why != WARD_WHY_SPACE)
		return NULL;
	for (uint32_t e = g->start[space]; e < g->start[space + 1]; e++) {
		if (g->edges[e].why == WARD_WHY_IDENTITY)
			return &g->edges[e];
	}
	return NULL;
}

bool ward_in_identity(const struct ward_graph *g, uint32_t node)
{
	for (uint32_t e = g->start[node]; e < g->start[node + 1]; e++) {
		if (g->edges[e].certainty != WARD_UNSURE && identity_edge(g, &g->edges[e]))
			return true;
	}
	return false;
}

/* A function may be in several, one for each PASID: one of them is enough. */
static bool judge_space(struct ward_judgement *j, const struct ward_visit *visit, uint32_t via,
			const struct ward_edge *edge)
{
	const struct ward_edge *onwards = identity_edge(j->reach->graph, edge);
	uint32_t subject = ward_start_of(j, visit);
	struct ward_finding *finding;

	if (!onwards)
		return false;
	finding = identity(j, subject, via,
			   edge->certainty == WARD_UNSURE || visit->certainty == WARD_UNSURE);
	if (finding && via != subject)
		ward_remedy_path(j, finding, visit);
	ward_remedy_waive(j, finding);
	ward_finding_path_edge(j, finding, via, edge);
	ward_finding_append_edge(j, finding, onwards);
	return true;
}

/* The edges to memory of one function that is had. */
static void judge_function(struct ward_judgement *j, const struct ward_visit *visit, uint32_t via)
{
	const struct ward_graph *g = j->reach->graph;
	uint32_t memory = ward_graph_node(g, WARD_NODE_MEMORY, 0),
		 subject = ward_start_of(j, visit);
	bool identical = false;

	for (uint32_t e = g->start[visit->node]; e < g->start[visit->node + 1]; e++) {
		const struct ward_edge *edge = &g->edges[e];
		bool unsure = edge->certainty == WARD_UNSURE || visit->certainty == WARD_UNSURE;
		struct ward_finding *finding;

		if (!identical)
			identical = judge_space(j, visit, via, edge);
		if (edge->to != memory)
			continue;
		if (edge->why == WARD_WHY_ATS)
			finding = ats(j, subject, via, unsure);
		else
			finding =
				unsure ? iommu_unknown(j, subject, via) : no_iommu(j, subject, via);
		if (finding && via != subject)
			ward_remedy_path(j, finding, visit);
		if (finding && via != subject && edge->why != WARD_WHY_ATS)
			ward_remedy_waive(j, finding);
		ward_finding_path_edge(j, finding, via, edge);
	}
}

static bool in_group_claimed(const struct ward_judgement *j, uint32_t group)
{
	for (uint32_t i = 0; i < j->claimed_count && group != WARD_NONE; i++) {
		if (j->machine->functions[j->claimed[i]].group == group)
			return true;
	}
	return false;
}

/* One that nobody has stays in the space that the kernel has it in. */
static void judge_passed(struct ward_judgement *j, const struct ward_visit *visit, uint32_t via)
{
	const struct ward_graph *g = j->reach->graph;
	const struct ward_edge edge = {
		.to = ward_graph_node(g, WARD_NODE_MEMORY, 0),
		.via = via,
		.why = WARD_WHY_PASSED,
		.certainty = WARD_CERTAIN,
	};
	enum ward_tri passed = ward_graph_is_passed(g, via);
	struct ward_finding *finding;

	if (ward_whose(j, via) != WARD_WHOSE_NOBODY || passed == WARD_NO ||
	    in_group_claimed(j, j->machine->functions[via].group))
		return;
	/* One without a group is in the space of whoever has its StreamID, and that one is judged. */
	if (passed == WARD_UNKNOWN) {
		uint32_t user = ward_stream_user(j->isolation, via);

		if (user != WARD_NONE && user != via)
			return;
		ward_judge_assume(j, ward_judge_text(j,
						     "The kernel has no memory mapped for %s, "
						     "which is nobody's (its files do not say).",
						     j->machine->functions[via].name));
		return;
	}
	finding = identity(j, ward_start_of(j, visit), via, visit->certainty == WARD_UNSURE);
	if (finding)
		ward_remedy_path(j, finding, visit);
	ward_remedy_waive(j, finding);
	ward_finding_path_edge(j, finding, via, &edge);
}

static const struct ward_visit *visit_of(const struct ward_judgement *j, uint32_t function)
{
	return ward_reach_visit(j->reach,
				ward_graph_node(j->reach->graph, WARD_NODE_FUNCTION, function));
}

void ward_judge_memory(struct ward_judgement *j)
{
	bool all = false;

	for (uint32_t i = 0; i < j->claimed_count; i++) {
		const struct ward_visit *visit = visit_of(j, j->claimed[i]);

		/* Those that this reach did not begin with have their turn in another. */
		if (!visit || visit->edge != WARD_NONE || j->state->functions[j->claimed[i]].absent)
			continue;
		judge_function(j, visit, j->claimed[i]);
		all |= ward_is_translated(j->machine, j->claimed[i]) == WARD_NO ||
		       ward_in_identity(j->reach->graph, visit->node);
	}
	/* Who has all memory by himself gains nothing by getting at others. */
	for (uint32_t i = 0; i < j->reach->things_count && !all; i++) {
		const struct ward_visit *visit = j->reach->things[i];
		uint32_t index;

		if (ward_graph_kind(j->reach->graph, visit->node, &index) == WARD_NODE_FUNCTION &&
		    !ward_is_claimed(j, index) && !ward_is_foreign(ward_whose(j, index)) &&
		    !j->state->functions[index].frozen) {
			judge_function(j, visit, index);
			judge_passed(j, visit, index);
		}
	}
}
