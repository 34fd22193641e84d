// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* "What if": a machine and its state with some things different, to be judged like any other. */
#include <doorward/verdict.h>

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "isolate/graph.h"
#include "isolate/group.h"
#include "machine/machine.h"
#include "machine/state.h"
#include "pci/acs.h"

struct supposing {
	struct ward_machine *machine;
	struct ward_state *state;
	struct ward_error *error;
};

static int suppose_acs(struct supposing *s, struct ward_function *f)
{
	if (f->pcie_type == WARD_PCIE_NONE || f->pcie_type == WARD_PCIE_TO_PCI ||
	    f->pcie_type == WARD_PCI_TO_PCIE)
		return ward_fail(s->error, -EINVAL, "%s is not a PCIe function that could have ACS",
				 f->name);
	f->acs.present = WARD_YES;
	f->acs.capability |= WARD_ACS_ISOLATED;
	f->acs.control |= WARD_ACS_ISOLATED;
	/* Egress control lets through what its vector does not name. */
	f->acs.control &= (uint16_t)~WARD_ACS_EC;
	f->acs.quirk_name = NULL;
	f->acs.quirk = WARD_UNKNOWN;
	return 0;
}

static int suppose_intx(struct supposing *s, struct ward_function *f, uint32_t index)
{
	if (f->kind != WARD_FUNCTION_PCI || f->physfn != WARD_NONE || !f->intx_pin)
		return ward_fail(s->error, -EINVAL, "%s has no INTx pin to fall back to", f->name);
	s->state->functions[index].msi_off = true;
	s->state->functions[index].irq_mode = WARD_IRQ_INTX;
	return 0;
}

static int suppose_owner(struct supposing *s, uint32_t index, const char *name)
{
	struct ward_function_state *f = &s->state->functions[index];
	int err;

	if (strcmp(name, "nobody") == 0) {
		err = ward_state_bind(s->state, index, NULL);
		if (!err)
			f->owner = (struct ward_owner){ .kind = WARD_OWNER_NOBODY };
		return err;
	}
	if (strcmp(name, "host") == 0) {
		f->owner = (struct ward_owner){ .kind = WARD_OWNER_HOST };
		return 0;
	}
	err = ward_state_bind(s->state, index, "vfio-pci");
	if (err)
		return err;
	err = ward_state_client(s->state, name, &f->owner.client);
	if (err)
		return ward_fail(s->error, err, "a client needs a name");
	f->owner.kind = WARD_OWNER_CLIENT;
	return 0;
}

static int suppose_msi_parent(struct supposing *s, struct ward_function *f, const char *name)
{
	for (uint32_t i = 0; i < s->machine->controllers_count; i++) {
		if (strcmp(s->machine->controllers[i].name, name) != 0)
			continue;
		f->controller_known = WARD_YES;
		f->controller = i;
		f->controller_evidence = "supposed";
		/* An id of its own: what firmware would have to give it. */
		f->devid = ward_devid(0x80000000u | (uint32_t)(f - s->machine->functions));
		/* Where its vectors are now does not count: they would all be there. */
		for (uint32_t v = 0; v < s->state->vectors_count; v++)
			if (s->state->vectors[v].function == (uint32_t)(f - s->machine->functions))
				s->state->vectors[v].controller = i;
		return 0;
	}
	return ward_fail(s->error, -EINVAL, "there is no MSI controller called \"%s\"", name);
}

/* Functions that nothing translates get an IOMMU: one that is there, if only one is. */
static int suppose_iommu(struct supposing *s)
{
	if (!s->machine->iommus_count)
		return ward_fail(s->error, -EINVAL, "this machine has no IOMMU to switch on");
	for (uint32_t i = 0; i < s->machine->iommus_count; i++)
		s->machine->iommus[i].active = WARD_YES;
	for (uint32_t i = 0; i < s->machine->functions_count; i++) {
		struct ward_function *f = &s->machine->functions[i];

		if (f->stream.iommu != WARD_NONE)
			continue;
		f->iommu_known = WARD_YES;
		f->iommu_evidence = "supposed";
		f->stream.iommu = 0;
		/* An id of its own: what firmware would have to give it. */
		f->stream.sid = ward_sid(0x80000000u | i);
	}
	return 0;
}

static int suppose_remapping(struct supposing *s)
{
	bool found = false;

	for (uint32_t i = 0; i < s->machine->controllers_count; i++) {
		struct ward_controller *c = &s->machine->controllers[i];

		if (!ward_controller_is_x86(c))
			continue;
		c->kind = WARD_CONTROLLER_X86_REMAPPING;
		c->isolates = WARD_YES;
		c->evidence = "supposed";
		found = true;
	}
	return found ? 0
		     : ward_fail(s->error, -EINVAL,
				 "interrupts of this machine do not go through an APIC");
}

static void suppose_no_ats(struct supposing *s, uint32_t function)
{
	for (uint32_t i = 0; i < s->machine->functions_count; i++) {
		struct ward_function *f = &s->machine->functions[i];

		if (function != WARD_NONE && function != i)
			continue;
		f->ats_enabled = false;
		/* What could not be read is off like the rest. */
		if (f->ats == WARD_UNKNOWN)
			f->ats = WARD_NO;
	}
}

/*
 * The kernel maps what its drivers ask for; which memory that is, is not known. Out of a domain
 * that does not translate, ATS may come on.
 */
static int move_to_kernel(struct supposing *s, uint32_t function)
{
	struct ward_function *f = &s->machine->functions[function];

	if (ward_ats_may_come(s->machine, f))
		f->ats = WARD_UNKNOWN;
	return ward_state_attach(s->state, function, WARD_PASID_NONE, NULL);
}

/* A kernel group has one space for all of its functions. */
static int move_group(struct supposing *s, uint32_t function, struct ward_space *space)
{
	uint32_t group = s->machine->functions[function].group;
	int err = 0;

	for (uint32_t i = 0; i < s->machine->functions_count && !err; i++) {
		if (i != function &&
		    (group == WARD_NONE || s->machine->functions[i].group != group))
			continue;
		err = space ? ward_state_attach(s->state, i, WARD_PASID_NONE, space)
			    : move_to_kernel(s, i);
	}
	if (!err && !space && group != WARD_NONE)
		s->machine->groups[group].type = WARD_GROUP_DMA;
	return err;
}

static int suppose_space(struct supposing *s, uint32_t function, const char *name)
{
	struct ward_space_options options = { .size = sizeof(options), .kind = WARD_SPACE_BLOCKED };
	struct ward_space *space;
	int err;

	if (ward_is_translated(s->machine, function) == WARD_NO)
		return ward_fail(s->error, -EINVAL, "nothing translates %s: it is in no space",
				 s->machine->functions[function].name);
	if (strcmp(name, "dma") == 0)
		return move_group(s, function, NULL);
	if (strcmp(name, "identity") == 0)
		options.kind = WARD_SPACE_IDENTITY;
	else if (strcmp(name, "blocked") != 0)
		return ward_fail(s->error, -EINVAL,
				 "a space is \"identity\", \"blocked\" or \"dma\", not \"%s\"",
				 name);
	err = ward_space_create(&options, &space);
	if (err)
		return err;
	err = ward_state_keep(s->state, space);
	if (err) {
		ward_space_destroy(space);
		return err;
	}
	return move_group(s, function, space);
}

static bool needs_function(enum ward_supposition_kind kind)
{
	return kind != WARD_SUPPOSE_IOMMU && kind != WARD_SUPPOSE_REMAPPING &&
	       kind != WARD_SUPPOSE_NO_ATS;
}

static bool needs_name(enum ward_supposition_kind kind)
{
	return kind == WARD_SUPPOSE_OWNER || kind == WARD_SUPPOSE_MSI_PARENT ||
	       kind == WARD_SUPPOSE_SPACE;
}

static int suppose_one(struct supposing *s, const struct ward_supposition *what)
{
	struct ward_function *f = NULL;

	if (needs_function(what->kind) && what->function >= s->machine->functions_count)
		return ward_fail(s->error, -EINVAL, "a supposition names no function");
	if (needs_name(what->kind) && !what->name)
		return ward_fail(s->error, -EINVAL, "a supposition lacks its name");
	if (what->function < s->machine->functions_count)
		f = &s->machine->functions[what->function];
	switch (what->kind) {
	case WARD_SUPPOSE_ACS:
		return suppose_acs(s, f);
	case WARD_SUPPOSE_INTX:
		return suppose_intx(s, f, what->function);
	case WARD_SUPPOSE_OWNER:
		return suppose_owner(s, what->function, what->name);
	case WARD_SUPPOSE_MSI_PARENT:
		return suppose_msi_parent(s, f, what->name);
	case WARD_SUPPOSE_DRIVER:
		return ward_state_bind(s->state, what->function, what->name);
	case WARD_SUPPOSE_IOMMU:
		return suppose_iommu(s);
	case WARD_SUPPOSE_REMAPPING:
		return suppose_remapping(s);
	case WARD_SUPPOSE_NO_ATS:
		suppose_no_ats(s, what->function);
		return 0;
	case WARD_SUPPOSE_SPACE:
		return suppose_space(s, what->function, what->name);
	}
	return ward_fail(s->error, -EINVAL, "an unknown kind of supposition");
}

int ward_suppose(const struct ward_machine *machine, const struct ward_state *state,
		 const struct ward_supposition *suppositions, uint32_t count,
		 struct ward_machine **ret_machine, struct ward_state **ret_state,
		 struct ward_error *ret_error)
{
	struct supposing s = { .error = ret_error };
	int err = ward_machine_copy(machine, &s.machine);

	if (!err)
		err = ward_state_copy(state, s.machine, &s.state);
	for (uint32_t i = 0; i < count && !err; i++)
		err = suppose_one(&s, &suppositions[i]);
	if (err) {
		ward_state_destroy(s.state);
		ward_machine_destroy(s.machine);
		return err;
	}
	*ret_machine = s.machine;
	*ret_state = s.state;
	return 0;
}
