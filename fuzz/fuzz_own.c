// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Who may have it, by chance: an input is a byte that says which machine, one that says how facts are
 * answered, and then steps, events of any kind for any functions (corpus_own.py writes them). After
 * each of them what docs/ownership.md says holds: a refusal has its reason and changes nothing, what
 * always holds of a function does, containments come to an end, and then no client reaches what is
 * not its own.
 */
#include <doorward/builder.h>
#include <doorward/own.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "own/ownership.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 32u
#define KINDS 5u
#define CLIENTS 2u
#define FUNCTIONS 12u
#define ACS_ALL (WARD_ACS_SV | WARD_ACS_RR | WARD_ACS_CR | WARD_ACS_UF)
/* More containments in a row than there are functions and things to be done to each. */
#define CONTAINMENTS_MAX 64u

/* Bits of flags. */
#define FLAG_FACT 1u
#define FLAG_WAIVER 2u
#define FLAG_ODD 4u    /* one more function: an index that is none, or one that was named already */
#define FLAG_DRIVER 8u /* see drivers */
#define FLAG_YIELDS 16u
#define FLAG_LEAVE 32u /* what it exposes is contained after some later event */

struct step {
	uint8_t kind, client, container, controller;
	uint8_t flags, odd;
	uint16_t functions; /* a bit each */
} __attribute__((packed));

enum shape {
	PORT,
	PF,
	VF,
	DISK,
	TO_PCI,
	CONVENTIONAL,
	PAIR, /* two functions of one device without access control */
};

/* By address; the same in every machine, what differs is what translates and what is rung. */
static const struct place {
	enum shape shape;
	uint8_t bus, slot, function, secondary, subordinate;
	uint8_t pe;
} places[FUNCTIONS] = {
	{ PAIR, 0, 2, 0, 0, 0, 1 },	    { PAIR, 0, 2, 1, 0, 0, 1 },
	{ PORT, 0, 28, 0, 1, 1, 0 },	    { PORT, 0, 28, 1, 2, 2, 0 },
	{ PORT, 0, 28, 2, 3, 4, 0 },	    { PF, 1, 0, 0, 0, 0, 2 },
	{ VF, 1, 0, 1, 0, 0, 2 },	    { VF, 1, 0, 2, 0, 0, 3 },
	{ DISK, 2, 0, 0, 0, 0, 4 },	    { TO_PCI, 3, 0, 0, 4, 4, 5 },
	{ CONVENTIONAL, 4, 0, 0, 0, 0, 5 }, { CONVENTIONAL, 4, 1, 0, 0, 0, 5 },
};

static const struct ward_waiver waivers[] = {
	{ .code = "intx-shared", .any_function = true },
	{ .code = "no-reset", .any_function = true },
	{ .code = "peer-dma", .any_function = true },
	{ .code = "msi-frame-shared", .any_function = true },
};
#define WAIVERS (sizeof(waivers) / sizeof(waivers[0]))

struct world {
	struct ward_ownership *ownership, *other;
	enum ward_policy policy;
	uint32_t had_by[FUNCTIONS]; /* the client that had it last, if it was not reset since */
	size_t bytes;
	uint8_t *before, *after;
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static struct ward_function function_at(unsigned int i, bool acs)
{
	const struct place *p = &places[i];
	struct ward_function f;

	ward_function_init(&f);
	f.address = (struct ward_address){ 0, ward_rid_make(p->bus, p->slot, p->function) };
	f.vendor = 0x1234;
	f.device = (uint16_t)i;
	f.class_code = p->shape == PORT || p->shape == TO_PCI ? 0x060400 : 0x020000;
	f.config_size = 4096;
	f.pcie_known = f.iommu_known = f.controller_known = f.resets_known = WARD_YES;
	f.ats = f.pasid = f.pri = WARD_NO;
	f.pcie_type = WARD_PCIE_ENDPOINT;
	f.multifunction = p->shape == PAIR || p->shape == PF || p->shape == PORT;
	f.resets = WARD_RESET_FLR;
	f.stream = (struct ward_stream){ 0, ward_sid(ward_rid_raw(f.address.rid)) };
	f.controller = 0;
	f.devid = ward_devid(ward_rid_raw(f.address.rid));
	f.bar[0].range = (struct ward_range){ 0xa0000000 + i * 0x10000ull,
					      0xa0000000 + i * 0x10000ull + 0xffff };
	f.msix = true;
	f.msix_vectors = 4;
	f.acs.present = acs ? WARD_YES : WARD_NO;
	f.acs.capability = f.acs.control = acs ? ACS_ALL : 0;
	return f;
}

static void shape_it(struct ward_function *f, const struct place *p, bool power)
{
	if (p->shape == PORT || p->shape == TO_PCI) {
		/* Without MSIs of their own: else nobody could have anything on their frame. */
		f->msix = false;
		f->msix_vectors = 0;
		f->header_type = 1;
		f->pcie_type = p->shape == PORT ? WARD_PCIE_ROOT_PORT : WARD_PCIE_TO_PCI;
		f->bridge.primary = p->bus;
		f->bridge.secondary = p->secondary;
		f->bridge.subordinate = p->subordinate;
		f->ari_forwarding = p->shape == PORT;
	} else if (p->shape == CONVENTIONAL) {
		f->pcie_type = WARD_PCIE_NONE;
		f->intx_pin = 1;
		f->resets = 0;
	} else if (p->shape == PAIR) {
		f->pcie_type = WARD_PCIE_RC_ENDPOINT;
		f->acs.present = WARD_NO;
		f->acs.capability = f->acs.control = 0;
	} else if (p->shape == PF) {
		f->vfs_total = f->vfs_enabled = 2;
	} else if (p->shape == VF) {
		f->physfn = 5;
		f->multifunction = false;
	}
	if (power && p->pe)
		f->pe = p->pe;
}

static void add_controllers(struct ward_builder *builder, unsigned int kind)
{
	static const enum ward_controller_kind kinds[KINDS] = {
		WARD_CONTROLLER_GICV2M,	       WARD_CONTROLLER_GICV3_ITS, WARD_CONTROLLER_X86_APIC,
		WARD_CONTROLLER_X86_REMAPPING, WARD_CONTROLLER_OTHER,
	};
	bool x86 = kinds[kind] == WARD_CONTROLLER_X86_APIC ||
		   kinds[kind] == WARD_CONTROLLER_X86_REMAPPING;
	struct ward_controller c = {
		.kind = kinds[kind],
		.name = "first",
		.isolates = kinds[kind] == WARD_CONTROLLER_GICV2M ||
					    kinds[kind] == WARD_CONTROLLER_X86_APIC
				    ? WARD_NO
				    : WARD_YES,
		.doorbells = { { x86 ? 0xfee00000 : 0x8020000, x86 ? 0xfeefffff : 0x8020fff } },
		.doorbells_count = 1,
		.first_intid = kind ? 0 : 80,
		.intids = kind ? 0 : 16,
	};

	require(ward_builder_add_controller(builder, &c, NULL) == 0);
	if (x86)
		return;
	c.name = "second";
	c.doorbells[0] = (struct ward_range){ 0x8030000, 0x8030fff };
	c.first_intid = kind ? 0 : 96;
	/* Frames are one pool to Linux. */
	c.pool = kind ? 1 : 0;
	require(ward_builder_add_controller(builder, &c, NULL) == 0);
}

static struct ward_machine *build(unsigned int kind, bool acs)
{
	bool power = kind == 4, x86 = kind == 2 || kind == 3;
	const struct ward_iommu iommu = {
		.kind = x86	? WARD_IOMMU_VTD
			: power ? WARD_IOMMU_OTHER
				: WARD_IOMMU_SMMUV3,
		.name = "iommu",
		.active = WARD_YES,
		.remaps_interrupts = kind == 3 ? WARD_YES : WARD_NO,
		.controller = WARD_NONE,
		.domains = power ? WARD_DOMAINS_FIXED : WARD_DOMAINS_ANY,
	};
	const struct ward_mmio_segment segment = { { 0xa0080000, 0xa008ffff }, 4 };
	struct ward_machine *machine = NULL;
	struct ward_builder *builder;
	enum ward_arch arch = x86 ? WARD_ARCH_X86 : power ? WARD_ARCH_POWER : WARD_ARCH_ARM64;

	require(ward_builder_create(&builder) == 0);
	require(ward_builder_set_host(builder, arch, NULL, NULL, 4096) == 0);
	ward_builder_machine(builder)->firmware_iommu = WARD_YES;
	require(ward_builder_add_iommu(builder, &iommu, NULL) == 0);
	add_controllers(builder, kind);
	if (power)
		require(ward_builder_add_segment(builder, &segment) == 0);
	for (unsigned int i = 0; i < FUNCTIONS; i++) {
		struct ward_function f = function_at(i, acs);

		shape_it(&f, &places[i], power);
		require(ward_builder_add_function(builder, &f, NULL) == 0);
	}
	require(ward_builder_finish(builder, &machine, NULL) == 0);
	return machine;
}

/* Ports and the PF are the host's, VFs are off, and a slot is empty. */
static struct ward_state *begin(const struct ward_machine *machine)
{
	struct ward_state *state;
	uint32_t ignored;

	require(ward_state_create(machine, &state) == 0);
	for (uint32_t i = 0; i < FUNCTIONS; i++) {
		state->functions[i].absent = places[i].shape == VF || places[i].shape == DISK;
		if (places[i].shape == PORT)
			require(ward_state_bind(state, i, "pcieport") == 0);
		if (places[i].shape == PF)
			require(ward_state_bind(state, i, "ice") == 0);
	}
	require(ward_state_client(state, "a", &ignored) == 0);
	require(ward_state_client(state, "b", &ignored) == 0);
	return state;
}

static void make(struct world *world, uint8_t machine_byte, uint8_t answers)
{
	static struct ward_machine *machines[KINDS * 2];
	unsigned int number = machine_byte % (KINDS * 2);
	const struct ward_ownership_options options = {
		.size = sizeof(options),
		.policy = answers & 1 ? WARD_POLICY_LINUX : WARD_POLICY_STRICT,
		.newcomer = (enum ward_containment)((answers >> 1) % (WARD_CONTAIN_REVOKE + 1)),
		.other = answers & 8 ? WARD_CONTAIN_REVOKE : WARD_CONTAIN_FREEZE,
		.revoke_is_immediate = answers & 16,
	};
	struct ward_state *state;

	if (!machines[number])
		machines[number] = build(number / 2, number % 2);
	world->policy = options.policy;
	memset(world->had_by, 0xff, sizeof(world->had_by));
	state = begin(machines[number]);
	require(ward_ownership_create(machines[number], state, &options, &world->ownership) == 0);
	ward_state_destroy(state);
	/* Names that packed states call by a number, so that the copy calls them the same. */
	require(ward_ownership_number_driver(world->ownership, "nvme") == 0);
	require(ward_ownership_number_waivers(world->ownership, waivers, WAIVERS) == 0);
	require(ward_ownership_copy(world->ownership, &world->other) == 0);
	world->bytes = ward_ownership_packed_size(world->ownership);
	world->before = calloc(3, world->bytes);
	require(world->before);
	world->after = world->before + world->bytes;
	ward_ownership_pack(world->ownership, world->before);
}

static void finish(struct world *world)
{
	ward_ownership_destroy(world->ownership);
	ward_ownership_destroy(world->other);
	free(world->before);
}

static bool is_named(const struct ward_event *event, uint32_t function)
{
	for (uint32_t i = 0; i < event->functions_count; i++)
		if (event->functions[i] == function)
			return true;
	return false;
}

/* An index of no function, or one that is named twice. */
static bool is_odd(const struct ward_event *event)
{
	uint32_t seen = 0;

	for (uint32_t i = 0; i < event->functions_count; i++) {
		if (event->functions[i] >= FUNCTIONS || seen >> event->functions[i] & 1)
			return true;
		seen |= 1u << event->functions[i];
	}
	return false;
}

static bool has_reason(const struct ward_verdict *verdict)
{
	for (uint32_t i = 0; verdict && i < verdict->findings_count; i++) {
		const struct ward_finding *finding = &verdict->findings[i];

		if (finding->weight >= WARD_OPEN && !finding->waived)
			return true;
	}
	return false;
}

/* Of one function: the list that begins "These always hold" in docs/ownership.md. */
static void check_function(const struct ward_ownership *ownership, uint32_t i)
{
	const struct ward_function_state *f = &ward_ownership_state(ownership)->functions[i];
	uint32_t container = ward_ownership_container(ownership, i);
	bool clients = f->owner.kind == WARD_OWNER_CLIENT;

	require(f->owner.kind != WARD_OWNER_HOST || container == WARD_NONE);
	require(!f->driver || f->driver_yields || f->owner.kind == WARD_OWNER_HOST);
	require(!clients || ((!f->driver || f->driver_yields) && !f->absent && !f->quarantined));
	require(clients || container == WARD_NONE);
	require(!clients || f->owner.client < ward_ownership_state(ownership)->clients_count);
	require(!f->absent || (f->owner.kind == WARD_OWNER_NOBODY && !f->driver &&
			       f->tainted_by.kind == WARD_OWNER_NOBODY && !f->frozen &&
			       !f->quarantined && !f->revoking));
	require(!f->revoking || (clients && f->frozen));
	require(!f->quarantined || (!f->driver && f->owner.kind == WARD_OWNER_NOBODY));
}

static void check_state(const struct ward_ownership *ownership)
{
	const struct ward_state *state = ward_ownership_state(ownership);
	const struct ward_membership *groups =
		ward_isolation_groups(ward_ownership_isolation(ownership));

	for (uint32_t i = 0; i < FUNCTIONS; i++) {
		uint32_t container = ward_ownership_container(ownership, i);

		check_function(ownership, i);
		for (uint32_t k = 0; k < i && container != WARD_NONE; k++) {
			if (ward_ownership_container(ownership, k) == WARD_NONE ||
			    groups[k].group == WARD_NONE || groups[k].group != groups[i].group)
				continue;
			require(ward_ownership_container(ownership, k) == container);
			require(state->functions[k].owner.client ==
				state->functions[i].owner.client);
		}
	}
	for (uint32_t i = 0; i < state->vectors_count; i++) {
		uint32_t function = state->vectors[i].function;

		require(function < FUNCTIONS && !state->functions[function].absent);
	}
}

/* No client reaches what is not its own: judged anew, from the state alone. */
static void check_clients(const struct world *world)
{
	const struct ward_state *state = ward_ownership_state(world->ownership);
	struct ward_question question = { .size = sizeof(question), .policy = world->policy };
	struct ward_isolation *isolation;

	require(ward_isolation_create(state->machine, state, &isolation) == 0);
	question.waivers = ward_ownership_waivers(world->ownership, &question.waivers_count);
	for (uint32_t client = 0; client < state->clients_count; client++) {
		uint32_t functions[FUNCTIONS];
		struct ward_verdict *verdict;

		question.functions = functions;
		question.functions_count = 0;
		question.client = client;
		for (uint32_t i = 0; i < FUNCTIONS; i++) {
			const struct ward_function_state *f = &state->functions[i];

			if (f->owner.kind == WARD_OWNER_CLIENT && f->owner.client == client &&
			    !f->frozen)
				functions[question.functions_count++] = i;
		}
		if (!question.functions_count)
			continue;
		require(ward_check(isolation, state, &question, &verdict) == 0);
		require(!has_reason(verdict));
		ward_verdict_destroy(verdict);
	}
	ward_isolation_destroy(isolation);
}

/* A state out of its bytes is the state; bytes of two states that are the same are the same. */
static void check_packed(struct world *world)
{
	ward_ownership_pack(world->ownership, world->after);
	require(ward_ownership_unpack(world->other, world->after) == 0);
	ward_ownership_pack(world->other, world->after + world->bytes);
	require(memcmp(world->after, world->after + world->bytes, world->bytes) == 0);
}

static bool is_open(const struct ward_ownership *ownership)
{
	uint32_t count;
	const struct ward_exposure *exposures = ward_ownership_exposures(ownership, &count);

	for (uint32_t i = 0; i < count; i++)
		if (!exposures[i].contained)
			return true;
	return false;
}

static void check(struct world *world)
{
	struct ward_event ignored;
	bool unsettled = ward_ownership_next(world->ownership, &ignored);

	require(unsettled == is_open(world->ownership));
	check_state(world->ownership);
	if (!unsettled)
		check_clients(world);
	check_packed(world);
	memcpy(world->before, world->after, world->bytes);
}

/* Nobody gets what was another client's before a reset; what was released is nobody's. */
static void check_hands(struct world *world, const struct ward_event *event)
{
	bool reset = event->kind == WARD_EVENT_RESET || event->kind == WARD_EVENT_THAW;

	for (uint32_t i = 0; i < FUNCTIONS; i++) {
		const struct ward_function_state *f =
			&ward_ownership_state(world->ownership)->functions[i];
		bool clients = f->owner.kind == WARD_OWNER_CLIENT;

		require(event->kind != WARD_EVENT_RELEASE || !is_named(event, i) ||
			f->owner.kind == WARD_OWNER_NOBODY);
		if (f->absent || (reset && f->tainted_by.kind == WARD_OWNER_NOBODY))
			world->had_by[i] = WARD_NONE;
		/* A driver that was bound behind our back asked nobody. */
		if (event->fact && f->owner.kind == WARD_OWNER_HOST)
			world->had_by[i] = WARD_NONE;
		require(world->had_by[i] == WARD_NONE || f->owner.kind == WARD_OWNER_NOBODY ||
			(clients && f->owner.client == world->had_by[i]));
		if (clients)
			world->had_by[i] = f->owner.client;
	}
}

static void contain(struct world *world)
{
	struct ward_event event;
	unsigned int applied = 0;

	while (ward_ownership_next(world->ownership, &event)) {
		struct ward_outcome outcome = { 0 };

		require(applied++ < CONTAINMENTS_MAX);
		require(ward_ownership_apply(world->ownership, &event, &outcome, NULL) == 0);
		require(outcome.decision != WARD_REFUSED);
		check_hands(world, &event);
		ward_outcome_finish(&outcome);
		check(world);
	}
}

/* What was decided, and that a refusal changed nothing. */
static void judge(struct world *world, const struct ward_event *event, int code,
		  const struct ward_outcome *outcome)
{
	bool refused = code == 0 && outcome->decision == WARD_REFUSED;

	require(code == 0 || code == -EINVAL);
	if (code || refused) {
		ward_ownership_pack(world->ownership, world->after);
		require(memcmp(world->before, world->after, world->bytes) == 0);
	}
	if (code)
		return;
	require(!refused || (!event->fact && has_reason(outcome->verdict) && !outcome->event));
	require(refused || outcome->event);
	require(event->kind == WARD_EVENT_DEATH || (event->functions_count && !is_odd(event)));
}

static void act(struct world *world, const struct step *step)
{
	static const char *const drivers[] = { NULL, "nvme", NULL, "vfio-pci" };
	uint32_t functions[FUNCTIONS + 1], count = 0;
	struct ward_outcome tried = { 0 }, outcome = { 0 };
	struct ward_event event = {
		.size = sizeof(event),
		.kind = (enum ward_event_kind)(step->kind % WARD_EVENTS),
		.fact = step->flags & FLAG_FACT,
		.functions = functions,
		.client = step->client % (CLIENTS + 1),
		.container = step->container,
		.controller = step->controller,
		.driver = drivers[(step->flags & (FLAG_DRIVER | FLAG_YIELDS)) / FLAG_DRIVER],
		.waivers = waivers,
		.waivers_count = step->flags & FLAG_WAIVER ? WAIVERS : 0,
	};
	int code, code_tried;

	for (uint32_t i = 0; i < FUNCTIONS; i++)
		if (step->functions >> i & 1)
			functions[count++] = i;
	if (step->flags & FLAG_ODD)
		functions[count++] = step->odd % (FUNCTIONS + 2);
	event.functions_count = count;
	code_tried = ward_ownership_try(world->ownership, &event, &tried, NULL);
	ward_ownership_pack(world->ownership, world->after);
	require(memcmp(world->before, world->after, world->bytes) == 0);
	code = ward_ownership_apply(world->ownership, &event, &outcome, NULL);
	require(code == code_tried && (code || tried.decision == outcome.decision));
	judge(world, &event, code, &outcome);
	if (!code && outcome.decision != WARD_REFUSED) {
		check_hands(world, &event);
		check(world);
	}
	ward_outcome_finish(&tried);
	ward_outcome_finish(&outcome);
	if (!(step->flags & FLAG_LEAVE))
		contain(world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = { 0 };

	if (size < 2)
		return 0;
	make(&world, data[0], data[1]);
	data += 2;
	size -= 2;
	for (unsigned int i = 0; i < STEPS_MAX && size >= sizeof(struct step); i++) {
		struct step step;

		memcpy(&step, data, sizeof(step));
		data += sizeof(step);
		size -= sizeof(step);
		act(&world, &step);
	}
	contain(&world);
	finish(&world);
	return 0;
}
