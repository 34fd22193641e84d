// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* One function by itself: can it be given away at all, and what comes with it. */
#include "isolate/judge.h"

#include "pci/acs.h"
#include "pci/backdoor.h"

#define CLASS_HOST_BRIDGE 0x0600
#define CLASS_ISA_BRIDGE 0x0601
#define CLASS_IOMMU 0x0806

bool ward_is_assignable(const struct ward_machine *machine, uint32_t function)
{
	const struct ward_function *f = &machine->functions[function];
	uint32_t class = f->class_code >> 8;

	return f->kind == WARD_FUNCTION_PCI && f->header_type == 0 && class != CLASS_HOST_BRIDGE &&
	       class != CLASS_ISA_BRIDGE && class != CLASS_IOMMU;
}

bool ward_uses_messages(const struct ward_machine *machine, const struct ward_state *state,
			uint32_t function)
{
	const struct ward_function *f = &machine->functions[function];
	const struct ward_function_state *s = &state->functions[function];

	if (s->absent)
		return false;
	if (s->irq_mode == WARD_IRQ_MSI || s->irq_mode == WARD_IRQ_MSIX)
		return true;
	return s->driver && !s->msi_off &&
	       (f->msi || f->msix || f->kind == WARD_FUNCTION_PLATFORM ||
		f->pcie_known == WARD_UNKNOWN);
}

static void judge_kind(struct ward_judgement *j, uint32_t function)
{
	const struct ward_function *f = &j->machine->functions[function];
	const char *what = "a platform device";
	struct ward_finding *finding;

	if (ward_is_assignable(j->machine, function))
		return;
	if (f->kind == WARD_FUNCTION_PCI)
		what = f->header_type != 0		   ? "a bridge"
		       : f->class_code >> 8 == CLASS_IOMMU ? "an IOMMU"
							   : "part of the chipset";
	finding = ward_finding_add(j, "not-assignable", WARD_BLOCKS, function, WARD_NONE,
				   "%s is %s; it stays with the host", f->name, what);
	ward_finding_remedy(j, finding, WARD_REMEDY_USE_OTHER_FUNCTION, function,
			    "give away the functions behind it or beside it instead", NULL);
}

static void judge_driver(struct ward_judgement *j, uint32_t function)
{
	const struct ward_function *f = &j->machine->functions[function];
	const struct ward_function_state *s = &j->state->functions[function];
	struct ward_finding *finding;

	if (s->owner.kind == WARD_OWNER_CLIENT && s->owner.client != j->question->client) {
		finding = ward_finding_add(j, "already-owned", WARD_BLOCKS, function, function,
					   "%s belongs to client %s", f->name,
					   j->state->clients[s->owner.client]);
		ward_finding_remedy(j, finding, WARD_REMEDY_USE_OTHER_FUNCTION, function,
				    "take it back from that client first", NULL);
		return;
	}
	if (ward_is_in_use(j->state, function)) {
		finding = ward_finding_add(
			j, "already-owned",
			j->question->client == WARD_NONE ? WARD_BLOCKS : WARD_HAZARD, function,
			function, "%s is in use through %s, and no client is known to have it",
			f->name, s->driver);
		ward_finding_remedy(j, finding, WARD_REMEDY_USE_OTHER_FUNCTION, function,
				    "end the VM that uses it first", NULL);
	}
	if (!s->driver || s->driver_yields || !ward_is_assignable(j->machine, function))
		return;
	finding = ward_finding_add(j, "own-driver", WARD_NOTE, function, function,
				   "%s is in use by the host's driver %s; the hand-over unbinds it",
				   f->name, s->driver);
	ward_remedy_unbind(j, finding, function);
}

enum ward_weight ward_stream_weight(const struct ward_isolation *isolation,
				    const struct ward_state *state, uint32_t function)
{
	const struct ward_function_state *s = &state->functions[function];

	if (isolation->stream_user[function] == WARD_NONE)
		return WARD_NOTE;
	/* Probed and still in no group: that was the kernel's last word. */
	return s->driver && !s->driver_yields ? WARD_BLOCKS : WARD_OPEN;
}

static void judge_stream(struct ward_judgement *j, uint32_t function)
{
	enum ward_weight weight = ward_stream_weight(j->isolation, j->state, function);
	const char *name = j->machine->functions[function].name, *user_name;
	struct ward_finding *finding;
	uint32_t user;

	if (weight == WARD_NOTE)
		return;
	user = j->isolation->stream_user[function];
	user_name = j->machine->functions[user].name;
	finding = ward_finding_add(
		j, "stream-in-use", weight, function, user,
		weight == WARD_BLOCKS
			? "the kernel has %s in no group, as %s uses the same StreamID: VFIO cannot "
			  "take it"
			: "%s is in no group, and %s uses the same StreamID: most kernels will put it "
			  "into none then, and VFIO could not take it",
		name, user_name);
	if (finding && weight == WARD_OPEN)
		finding->settle = ward_judge_text(
			j, "whether %s gets an iommu_group when vfio-pci is bound to it", name);
	ward_finding_remedy(j, finding, WARD_REMEDY_USE_OTHER_FUNCTION, user,
			    ward_judge_text(j, "give away %s instead", user_name), NULL);
}

/* vfio_pci_core_register_device: -EBUSY "Cannot bind to PF with SRIOV enabled". */
bool ward_is_refused_for_vfs(const struct ward_isolation *isolation, const struct ward_state *state,
			     uint32_t function)
{
	return isolation->vfs[function] && !state->functions[function].driver_yields;
}

static void judge_vfs(struct ward_judgement *j, uint32_t function)
{
	const struct ward_function *f = &j->machine->functions[function];
	const char *driver = j->state->functions[function].driver;
	struct ward_finding *finding;

	if (!ward_is_refused_for_vfs(j->isolation, j->state, function))
		return;
	finding = ward_finding_add(j, "vfs-enabled", WARD_BLOCKS, function, WARD_NONE,
				   "VFIO refuses %s while its VFs are there (%u of them)", f->name,
				   (unsigned int)j->isolation->vfs[function]);
	/* Only a driver of its own can remove them. */
	ward_finding_remedy(
		j, finding, WARD_REMEDY_VFS_OFF, function,
		ward_judge_text(j, "remove the VFs of %s%s", f->name,
				driver ? "" : ", which its own driver has to do"),
		driver ? ward_judge_text(j, "echo 0 > /sys/bus/pci/devices/%s/sriov_numvfs",
					 f->name)
		       : ward_judge_text(j,
					 "echo > /sys/bus/pci/devices/%s/driver_override; echo %s > "
					 "/sys/bus/pci/drivers_probe; echo 0 > "
					 "/sys/bus/pci/devices/%s/sriov_numvfs",
					 f->name, f->name, f->name));
}

const struct ward_region *ward_direct_region(const struct ward_isolation *isolation,
					     uint32_t function, enum ward_region_kind kind)
{
	const uint32_t *regions =
		kind == WARD_REGION_DIRECT ? isolation->direct : isolation->relaxable;

	return regions[function] == WARD_NONE ? NULL
					      : &isolation->machine->regions[regions[function]];
}

static void judge_regions(struct ward_judgement *j, uint32_t function)
{
	const struct ward_function *f = &j->machine->functions[function];
	const struct ward_region *region;
	struct ward_finding *finding;

	region = ward_direct_region(j->isolation, function, WARD_REGION_DIRECT);
	if (region) {
		finding = ward_finding_add(
			j, "rmrr", WARD_BLOCKS, function, WARD_NONE,
			"firmware keeps using memory 0x%llx-0x%llx through %s or a function of its "
			"group (%s): it must stay mapped, and Linux refuses to give it away",
			(unsigned long long)region->range.start,
			(unsigned long long)region->range.last, f->name,
			region->source ? region->source : "kernel");
		ward_finding_remedy(j, finding, WARD_REMEDY_FIRMWARE, function,
				    "switch the firmware's use of the device off (remote "
				    "management, USB keyboard emulation) or update the firmware",
				    NULL);
	}
	region = ward_direct_region(j->isolation, function, WARD_REGION_DIRECT_RELAXABLE);
	if (region)
		ward_finding_add(
			j, "rmrr-relaxable", WARD_NOTE, function, WARD_NONE,
			"firmware used memory 0x%llx-0x%llx through %s at boot; Linux drops "
			"that mapping when it is given away",
			(unsigned long long)region->range.start,
			(unsigned long long)region->range.last, f->name);
}

static void judge_reset(struct ward_judgement *j, uint32_t function)
{
	const struct ward_machine *machine = j->machine;
	const struct ward_function *f = &machine->functions[function];
	struct ward_finding *finding;
	uint32_t first, count;

	if (f->resets_known != WARD_YES || f->resets || f->header_type != 0 ||
	    f->kind != WARD_FUNCTION_PCI)
		return;
	if (f->parent == WARD_NONE) {
		finding = ward_finding_add(
			j, "no-reset", WARD_HAZARD, function, WARD_NONE,
			"nothing can reset %s: what a client leaves in it, the next owner finds",
			f->name);
		ward_finding_remedy(j, finding, WARD_REMEDY_USE_OTHER_FUNCTION, function,
				    "power the machine off before it changes hands", NULL);
		return;
	}
	ward_reset_scope(machine, function, &first, &count);
	for (uint32_t i = first; i < first + count; i++) {
		enum ward_whose whose = ward_whose(j, i);

		/* A bridge matters for what is behind it, and that is in the scope itself. */
		if (!ward_is_foreign(whose) || machine->functions[i].header_type != 0)
			continue;
		finding = ward_finding_add(
			j, "reset-scope", WARD_HAZARD, function, i,
			"%s has no reset of its own; resetting its bus resets %s (%s), too",
			f->name, machine->functions[i].name, ward_holder_text(j, i));
		ward_remedy_unbind(j, finding, i);
		ward_remedy_claim_too(j, finding, i);
	}
}

static void judge_line(struct ward_judgement *j, uint32_t function, uint32_t i)
{
	const struct ward_function_state *s = &j->state->functions[function];
	const struct ward_function_state *other = &j->state->functions[i];
	struct ward_finding *finding;

	if (other->intx_irq != s->intx_irq || other->irq_mode != WARD_IRQ_INTX ||
	    !ward_is_foreign(ward_whose(j, i)) || !other->driver)
		return;
	finding = ward_finding_add(j, "intx-shared", WARD_HAZARD, function, i,
				   "%s and %s (%s) share interrupt line %u: each can keep it busy "
				   "for the other",
				   j->machine->functions[function].name,
				   j->machine->functions[i].name, ward_holder_text(j, i),
				   (unsigned int)s->intx_irq);
	ward_remedy_unbind(j, finding, i);
}

static void judge_intx(struct ward_judgement *j, uint32_t function)
{
	uint32_t irq = j->state->functions[function].intx_irq;
	const struct ward_line *lines;
	uint32_t count;

	if (!irq || !j->machine->functions[function].intx_pin)
		return;
	lines = ward_isolation_line(j->isolation, irq, function, &count);
	for (uint32_t n = 0; n < count; n++)
		judge_line(j, function, lines[n].function);
	/* It was at another line then: who is at this one was not noted. */
	for (uint32_t i = 0; i < j->machine->functions_count && !lines; i++)
		judge_line(j, function, i);
}

static void judge_persistence(struct ward_judgement *j, uint32_t function)
{
	const struct ward_function *f = &j->machine->functions[function];
	const struct ward_backdoor *row = NULL;

	if (f->physfn == WARD_NONE && !ward_range_is_empty(f->bar[6].range))
		ward_finding_add(j, "persistent-state", WARD_NOTE, function, WARD_NONE,
				 "%s has an expansion ROM: a client may be able to change its "
				 "firmware, which no reset undoes",
				 f->name);
	while ((row = ward_backdoor_find(f, row))) {
		if (row->reach == WARD_BACKDOOR_MACHINE || row->reach == WARD_BACKDOOR_OWN_CONFIG)
			ward_finding_add(j, "backdoor-own", WARD_HAZARD, function, WARD_NONE,
					 "%s: %s (%s)", f->name, row->text, row->source);
	}
}

static void judge_page_requests(struct ward_judgement *j, uint32_t function)
{
	const struct ward_function *f = &j->machine->functions[function];

	if (f->pri_enabled && f->stream.iommu != WARD_NONE)
		ward_finding_add(
			j, "pri-shared", WARD_HAZARD, function, WARD_NONE,
			"page requests of %s go to a queue of IOMMU %s that others use, too: "
			"it can fill it",
			f->name, j->machine->iommus[f->stream.iommu].name);
}

/* Some port on the way up sees to it that ids are those of its own side. */
static bool validates_source(const struct ward_machine *machine, uint32_t bridge)
{
	for (; bridge != WARD_NONE; bridge = machine->functions[bridge].parent) {
		const struct ward_function *b = &machine->functions[bridge];

		if ((b->pcie_type == WARD_PCIE_ROOT_PORT || b->pcie_type == WARD_PCIE_DOWNSTREAM) &&
		    ward_acs_enabled(b, WARD_ACS_SV) == WARD_YES)
			return true;
	}
	return false;
}

static void assume(struct ward_judgement *j, uint32_t function)
{
	const struct ward_function *f = &j->machine->functions[function];
	uint32_t bridge = function;

	if (f->iommu_known == WARD_YES && f->stream.iommu != WARD_NONE)
		ward_judge_assume(j, "The root complex sends every request through the IOMMU "
				     "before it goes anywhere else, to root ports and functions of "
				     "other slots as well.");
	/* With ACS there are edges or none (edge_peer.c), and nothing to assume. */
	if (f->physfn != WARD_NONE && f->acs.present == WARD_NO)
		ward_judge_assume(j,
				  "VFs without ACS send no requests to their PF or to one "
				  "another inside the card (PCIe demands ACS of cards that route "
				  "such).");
	if (f->ats == WARD_YES && !f->ats_enabled && !ward_ats_may_come(j->machine, f))
		ward_judge_assume(j, ward_judge_text(j, "ATS of %s stays off (it is off now).",
						     f->name));
	if (f->controller != WARD_NONE &&
	    j->machine->controllers[f->controller].kind == WARD_CONTROLLER_GICV3_ITS)
		ward_judge_assume(j, "The host kernel never gives two DeviceIDs of an ITS the same "
				     "interrupts.");
	if (f->kind == WARD_FUNCTION_PCI && f->parent != WARD_NONE &&
	    !validates_source(j->machine, f->parent))
		ward_judge_assume(j, ward_judge_text(j,
						     "%s sends under its own requester id: no port "
						     "above it checks that (ACS source validation "
						     "is off or unknown).",
						     f->name));
	for (; bridge != WARD_NONE; bridge = j->machine->functions[bridge].parent) {
		const struct ward_function *b = &j->machine->functions[bridge];

		if (b->acs.quirk_name && b->acs.quirk == WARD_YES)
			ward_judge_assume(
				j, ward_judge_text(j,
						   "%s isolates although its registers do not say "
						   "so (table of known devices: %s).",
						   b->name, b->acs.quirk_name));
	}
}

/* Nothing else is true of it. */
static bool judge_absent(struct ward_judgement *j, uint32_t function)
{
	if (!j->state->functions[function].absent)
		return false;
	ward_finding_add(j, "absent", WARD_BLOCKS, function, WARD_NONE, "%s is not there",
			 j->machine->functions[function].name);
	return true;
}

void ward_judge_function(struct ward_judgement *j, uint32_t function)
{
	if (judge_absent(j, function))
		return;
	judge_kind(j, function);
	judge_driver(j, function);
	judge_stream(j, function);
	judge_vfs(j, function);
	judge_regions(j, function);
	judge_reset(j, function);
	judge_intx(j, function);
	judge_persistence(j, function);
	judge_page_requests(j, function);
	assume(j, function);
}
