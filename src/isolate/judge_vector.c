// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Interrupts that are reached through doorbells. */
#include "isolate/judge.h"

#include <string.h>

#include "isolate/group.h"

/* How the vectors of others are reached: one DeviceID, one bus for the source check, one frame. */
/* By a DeviceID that both come with. */
static bool by_devid(const struct ward_judgement *j, const struct ward_visit *visit)
{
	const struct ward_visit *before = &j->reach->visits[visit->before];
	uint32_t index;

	return ward_graph_kind(j->reach->graph, before->node, &index) == WARD_NODE_DOORBELL &&
	       j->reach->graph->pools[index].devid;
}

static const char *vector_code(const struct ward_judgement *j, const struct ward_visit *visit)
{
	if (ward_last_edge(j, visit)->why == WARD_WHY_SOURCE_CHECK || by_devid(j, visit))
		return "msi-id-shared";
	return "msi-frame-shared";
}

static const char *doorbell_name(const struct ward_judgement *j, const struct ward_visit *visit)
{
	uint32_t index;

	for (; visit->before != WARD_NONE; visit = &j->reach->visits[visit->before]) {
		if (ward_graph_kind(j->reach->graph, visit->node, &index) == WARD_NODE_DOORBELL)
			return j->machine->controllers[j->reach->graph->pools[index].controller]
				.name;
	}
	return "its MSI controller";
}

/* The controller by which a function has to do with a doorbell. */
static const struct ward_controller *controller_at(const struct ward_judgement *j,
						   uint32_t function, uint32_t doorbell)
{
	const struct ward_machine *machine = j->machine;
	const struct ward_graph *g = &j->isolation->graph;
	uint32_t own = machine->functions[function].controller, count;
	const struct ward_landed *landed = ward_graph_landed(g, function, &count);

	if (own != WARD_NONE && g->pool_of[own] == doorbell)
		return &machine->controllers[own];
	for (uint32_t i = 0; i < count; i++) {
		if (g->pool_of[landed[i].controller] == doorbell)
			return &machine->controllers[landed[i].controller];
	}
	return &machine->controllers[g->pools[doorbell].controller];
}

/*
 * The doorbell that a path goes through and, where it is not plain, why it leads to another: "X: Y
 * lies in the same page of 64 KiB". user is whose interrupts are raised; if it is no function,
 * controller is where they come from.
 */
static const char *doorbell_text(struct ward_judgement *j, const struct ward_visit *visit,
				 uint32_t user, uint32_t controller)
{
	const struct ward_machine *machine = j->machine;
	const struct ward_graph *g = j->reach->graph;
	const struct ward_controller *own, *theirs;
	const struct ward_edge *edge;
	uint32_t index;

	while (visit->before != WARD_NONE &&
	       ward_graph_kind(g, visit->node, &index) != WARD_NODE_DOORBELL)
		visit = &j->reach->visits[visit->before];
	if (visit->before == WARD_NONE)
		return doorbell_name(j, visit);
	edge = ward_last_edge(j, visit);
	theirs = user == WARD_NONE ? &machine->controllers[controller]
				   : controller_at(j, user, index);
	if (edge->why == WARD_WHY_MAPPED_PAGE)
		return ward_judge_text(j, "%s, the page of which is mapped in its space, writable",
				       theirs->name);
	if (edge->why != WARD_WHY_DOORBELL)
		return doorbell_name(j, visit);
	own = controller_at(j, edge->via, index);
	if (own->kind == theirs->kind && own->pool == theirs->pool)
		return doorbell_name(j, visit);
	return ward_judge_text(j, "%s: with pages of %llu KiB, %s is mapped along with it",
			       own->name, (unsigned long long)machine->page_size / 1024,
			       theirs->name);
}

static void remedy_intx(struct ward_judgement *j, struct ward_finding *finding, uint32_t function)
{
	const struct ward_function *f = &j->machine->functions[function];
	const char *driver = j->state->functions[function].driver;

	/* The device of a client cannot be bound again under it. */
	if (!finding || !driver || f->kind != WARD_FUNCTION_PCI ||
	    j->state->functions[function].owner.kind == WARD_OWNER_CLIENT ||
	    ward_is_in_use(j->state, function))
		return;
	if (f->header_type != 0) {
		ward_finding_remedy(
			j, finding, WARD_REMEDY_UNBIND, function,
			ward_judge_text(j,
					"unbind %s from %s: no PME, AER and hot-plug events from "
					"it",
					driver, f->name),
			ward_judge_text(j, "echo %s > /sys/bus/pci/drivers/%s/unbind", f->name,
					driver));
		return;
	}
	/* A VF has no interrupt line to fall back to; without a pin the driver would have none. */
	if (f->physfn != WARD_NONE || !f->intx_pin)
		return;
	/* Without the first step the others would only interrupt service. */
	ward_finding_remedy(j, finding, WARD_REMEDY_USE_INTX, function,
			    ward_judge_text(j,
					    "take %s off MSI: forbid it and bind its driver again",
					    f->name),
			    ward_judge_text(j,
					    "echo 0 > /sys/bus/pci/devices/%s/msi_bus && echo %s > "
					    "/sys/bus/pci/drivers/%s/unbind && echo %s > "
					    "/sys/bus/pci/drivers/%s/bind",
					    f->name, f->name, driver, f->name, driver));
}

static void vectors_shared(struct ward_judgement *j, const struct ward_visit *visit, uint32_t user,
			   enum ward_whose whose)
{
	uint32_t subject = ward_start_of(j, visit);
	const char *code = vector_code(j, visit);
	bool unsure = visit->certainty == WARD_UNSURE;
	struct ward_finding *finding;

	finding =
		ward_finding_add(j, unsure ? "msi-unknown" : code,
				 unsure ? ward_open_weight(j) : ward_reach_weight(j), subject, user,
				 "%s %s raise the interrupts of %s (%s) through %s",
				 j->machine->functions[subject].name,
				 unsure ? "may be able to" : "can",
				 j->machine->functions[user].name, ward_whose_text(j, user, whose),
				 doorbell_text(j, visit, user, WARD_NONE));
	if (finding && unsure && by_devid(j, visit))
		finding->settle =
			ward_judge_text(j, "which ids %s and %s come to %s with",
					j->machine->functions[subject].name,
					j->machine->functions[user].name, doorbell_name(j, visit));
	else if (finding && unsure)
		finding->settle = ward_judge_text(j, "whether %s tells writers apart",
						  doorbell_name(j, visit));
	remedy_intx(j, finding, user);
	if (j->machine->functions[user].header_type == 0)
		ward_remedy_unbind(j, finding, user);
	ward_remedy_claim_too(j, finding, user);
	ward_remedy_waive(j, finding);
	ward_finding_path(j, finding, WARD_NODE_VECTOR_USER, user);
}

void ward_judge_vectors(struct ward_judgement *j, const struct ward_visit *visit, uint32_t user)
{
	enum ward_whose whose = ward_whose(j, user);

	if (ward_is_claimed(j, user))
		return;
	/* Raising what nobody listens to, or what is the client's own, harms nobody else. */
	if (whose == WARD_WHOSE_OWN) {
		ward_judge_grade(j, WARD_GRADE_SHARED_WITH_OWN);
		return;
	}
	if (whose == WARD_WHOSE_NOBODY)
		ward_assume_idle(j, user);
	if (whose == WARD_WHOSE_NOBODY ||
	    (whose == WARD_WHOSE_HOST && !ward_uses_messages(j->machine, j->state, user)))
		return;
	if (visit->certainty == WARD_UNSURE)
		ward_judge_grade(j, WARD_GRADE_UNKNOWN);
	else
		ward_judge_grade(j, whose == WARD_WHOSE_OTHER ? WARD_GRADE_SHARED_WITH_OTHER
							      : WARD_GRADE_SHARED_WITH_HOST);
	vectors_shared(j, visit, user, whose);
}

void ward_judge_iommu_vectors(struct ward_judgement *j, const struct ward_visit *visit,
			      uint32_t iommu)
{
	uint32_t subject = ward_start_of(j, visit);
	bool unsure = visit->certainty == WARD_UNSURE;
	struct ward_finding *finding;

	ward_judge_grade(j, unsure ? WARD_GRADE_UNKNOWN : WARD_GRADE_SHARED_WITH_HOST);
	finding =
		ward_finding_add(j, unsure ? "msi-unknown" : "msi-frame-shared",
				 unsure ? ward_open_weight(j) : ward_reach_weight(j), subject,
				 WARD_NONE,
				 "%s %s raise the interrupts of IOMMU %s (the host) through %s",
				 j->machine->functions[subject].name,
				 unsure ? "may be able to" : "can", j->machine->iommus[iommu].name,
				 doorbell_text(j, visit, WARD_NONE,
					       j->machine->iommus[iommu].controller));
	if (finding && unsure)
		finding->settle = ward_judge_text(j, "whether %s tells writers apart",
						  doorbell_name(j, visit));
	ward_remedy_waive(j, finding);
	ward_finding_path(j, finding, WARD_NODE_IOMMU_VECTORS, iommu);
}

static void msi_unknown(struct ward_judgement *j, uint32_t subject)
{
	const char *name = j->machine->functions[subject].name;
	struct ward_finding *finding;

	ward_judge_grade(j, WARD_GRADE_UNKNOWN);
	finding =
		ward_finding_add(j, "msi-unknown", ward_open_weight(j), subject, WARD_NONE,
				 "what the MSIs of %s are written to, or whether that tells writers "
				 "apart, could not be read",
				 name);
	if (!finding)
		return;
	finding->settle = ward_judge_text(j, "the MSI controller of %s", name);
	ward_finding_remedy(j, finding, WARD_REMEDY_LOOK_AS_ROOT, subject,
			    "look again as root: firmware tables are not readable otherwise",
			    ward_judge_text(j, "sudo doorward check %s", name));
	ward_finding_path(j, finding, WARD_NODE_HOST_VECTORS, 0);
}

/* Remapping is a part of the IOMMU; Linux uses it wherever it is, unless told not to. */
static const char *remap_hint(const struct ward_machine *machine)
{
	const char *line = machine->command_line;

	if (ward_checks_no_source(machine))
		return "let remapping check who writes: remove intremap=nosid from the kernel "
		       "command line";
	if (line && (strstr(line, "intremap=off") || strstr(line, "nointremap")))
		return "switch interrupt remapping on: remove intremap=off or nointremap from the "
		       "kernel command line";
	if (machine->firmware_iommu == WARD_YES)
		return "switch interrupt remapping on in the firmware setup";
	return "give the machine an IOMMU that remaps interrupts: VT-d or AMD-Vi, in the firmware "
	       "setup";
}

void ward_judge_host_vectors(struct ward_judgement *j, const struct ward_visit *visit)
{
	uint32_t subject = ward_start_of(j, visit);
	struct ward_finding *finding;

	if (visit->certainty == WARD_UNSURE) {
		msi_unknown(j, subject);
		return;
	}
	ward_judge_grade(j, WARD_GRADE_SHARED_WITH_HOST);
	finding =
		ward_finding_add(j, "msi-not-isolated", ward_reach_weight(j), subject, WARD_NONE,
				 "%s can raise any interrupt of the host: %s takes any write for an "
				 "interrupt and does not ask whose it is",
				 j->machine->functions[subject].name, doorbell_name(j, visit));
	if (j->machine->arch == WARD_ARCH_X86)
		ward_finding_remedy(j, finding, WARD_REMEDY_ENABLE_REMAP, WARD_NONE,
				    remap_hint(j->machine), NULL);
	ward_remedy_waive(j, finding);
	ward_finding_path(j, finding, WARD_NODE_HOST_VECTORS, 0);
}

/* Whether Linux takes the interrupts of a function for isolated. */
enum ward_tri ward_linux_isolates(const struct ward_machine *machine, uint32_t function)
{
	const struct ward_function *f = &machine->functions[function];

	if (f->controller_known == WARD_UNKNOWN)
		return WARD_UNKNOWN;
	return f->controller == WARD_NONE ? WARD_YES : machine->controllers[f->controller].isolates;
}

static void linux_unknown(struct ward_judgement *j, uint32_t function)
{
	const char *name = j->machine->functions[function].name;
	struct ward_finding *finding;

	finding = ward_finding_add(
		j, "msi-unknown", WARD_OPEN, function, WARD_NONE,
		"whether Linux attaches %s could not be told: what its MSIs are "
		"written to, or whether that tells writers apart, could not be read",
		name);
	if (!finding)
		return;
	finding->settle = ward_judge_text(j, "the MSI controller of %s", name);
	ward_finding_remedy(j, finding, WARD_REMEDY_LOOK_AS_ROOT, function,
			    "look again as root: firmware tables are not readable otherwise",
			    ward_judge_text(j, "sudo doorward check %s", name));
}

/* Linux asks for controllers that isolate, however few use the doorbell. */
static void linux_interrupts(struct ward_judgement *j, uint32_t function)
{
	const struct ward_function *f = &j->machine->functions[function];
	bool allowed = j->machine->unsafe_interrupts_allowed == WARD_YES;
	bool strict = j->question->policy == WARD_POLICY_STRICT;
	struct ward_finding *finding;

	if (ward_is_translated(j->machine, function) == WARD_NO ||
	    j->state->functions[function].absent)
		return;
	if (ward_linux_isolates(j->machine, function) == WARD_UNKNOWN && !strict && !allowed)
		linux_unknown(j, function);
	if (ward_linux_isolates(j->machine, function) != WARD_NO)
		return;
	finding = ward_finding_add(
		j, "unsafe-interrupts", strict || allowed ? WARD_NOTE : WARD_BLOCKS, function,
		WARD_NONE,
		"Linux attaches %s only while allow_unsafe_interrupts is set (it is "
		"%s): %s does not tell writers apart",
		f->name, allowed ? "set now, for every function and for good" : "not set",
		j->machine->controllers[f->controller].name);
	if (!allowed)
		ward_finding_remedy(
			j, finding, WARD_REMEDY_ALLOW_UNSAFE, function,
			"when everything else is safe: open it for this one attach, then "
			"write N again (with iommufd: the one of /sys/module/iommufd)",
			"echo Y > /sys/module/vfio_iommu_type1/parameters/"
			"allow_unsafe_interrupts");
}

bool ward_is_landed(const struct ward_graph *graph, uint32_t function)
{
	uint32_t count;
	const struct ward_landed *landed = ward_graph_landed(graph, function, &count);

	for (uint32_t i = 0; i < count; i++) {
		if (graph->pool_of[landed[i].controller] != WARD_NONE)
			return true;
	}
	return false;
}

/* The grade that the controllers of the functions judged give by themselves. */
void ward_judge_controllers(struct ward_judgement *j)
{
	for (uint32_t i = 0; i < j->claimed_count; i++) {
		const struct ward_function *f = &j->machine->functions[j->claimed[i]];
		bool messages = f->msi || f->msix;

		if (!messages || j->state->functions[j->claimed[i]].msi_off ||
		    j->state->functions[j->claimed[i]].absent)
			continue;
		if (ward_is_landed(&j->isolation->graph, j->claimed[i]))
			ward_judge_grade(j, WARD_GRADE_EXCLUSIVE);
		if (f->controller_known == WARD_UNKNOWN)
			ward_judge_grade(j, WARD_GRADE_UNKNOWN);
		else if (f->controller == WARD_NONE)
			continue;
		else if (j->machine->controllers[f->controller].isolates == WARD_YES)
			ward_judge_grade(j, WARD_GRADE_ISOLATED);
		else
			ward_judge_grade(j, WARD_GRADE_EXCLUSIVE);
	}
	for (uint32_t i = 0; i < j->claimed_count; i++)
		linux_interrupts(j, j->claimed[i]);
}
