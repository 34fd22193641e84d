/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What cannot be refused, on the software machine: clients die and are revoked, cards come and go,
 * endpoints freeze. There is no way back from it: where a step fails, too, everything ends at nobody.
 */
#include "own/plan_rig.h"

#include <doorward/plan.h>

struct force {
	struct plan_rig r;
	uint32_t functions[4];
	uint32_t count;
};

static struct ward_plan_result carry_out(struct force *f, struct ward_event event)
{
	struct ward_executor executor = rig_executor(&f->r);
	struct ward_plan_result result = { 0 };
	struct ward_plan *plan;

	event.size = sizeof(event);
	event.functions = f->functions;
	event.functions_count = f->count;
	assert_int_equal(ward_plan_event(f->r.own, &event, &plan), 0);
	f->r.calls = 0;
	assert_int_equal(ward_plan_run(f->r.own, plan, &executor, &result, NULL), 0);
	ward_plan_destroy(plan);
	return result;
}

static void named(struct force *f, const char *names)
{
	f->count = rig_functions(f->r.machine, names, f->functions);
}

static void begin(struct force *f)
{
	memset(f, 0, sizeof(*f));
	rig_hosts(&f->r, ON_ITS);
	named(f, "01:00.0");
}

static enum ward_dma_end dma_of(struct force *f, const char *name, uint64_t iova)
{
	return rig_write(&f->r.rig, name, iova);
}

static uint64_t driver_iova(const struct force *f, const char *name)
{
	return WARD_MODEL_DRIVER_IOVA +
	       (uint64_t)at_of(f->r.machine, name) * WARD_MODEL_DRIVER_BYTES;
}

static void assert_nobodys(struct force *f, const char *name)
{
	uint32_t container;

	assert_int_equal(state_of(&f->r, name)->owner.kind, WARD_OWNER_NOBODY);
	assert_int_equal(ward_model_executor_holder(f->r.executor, at_of(f->r.machine, name),
						    &container)
				 .kind,
			 WARD_OWNER_NOBODY);
	assert_int_equal(container, WARD_NONE);
	assert_int_not_equal(dma_of(f, name, CLIENT_IOVA(0)), WARD_DMA_MEMORY);
	assert_int_not_equal(dma_of(f, name, driver_iova(f, name)), WARD_DMA_MEMORY);
}

/* Every action fails in turn, then all of them: it is gone all the same. */
static void client_dies(void **unused)
{
	const struct ward_event death = { .kind = WARD_EVENT_DEATH, .client = 0 };
	unsigned int calls = 3;

	(void)unused;
	for (unsigned int fails = 0; fails <= calls + 1; fails++) {
		struct ward_plan_result result;
		struct force f;

		begin(&f);
		rig_handed_over(&f.r, "01:00.0", WARD_OWNER_CLIENT, 0);
		assert_int_equal(dma_of(&f, "01:00.0", CLIENT_IOVA(0)), WARD_DMA_MEMORY);
		f.r.fails[0] = fails <= calls ? fails : 0;
		f.r.all_from = fails > calls ? 1 : 0;
		result = carry_out(&f, death);
		if (!fails)
			calls = f.r.calls;
		f.r.fails[0] = f.r.all_from = 0;
		assert_int_equal(result.end, fails ? WARD_PLAN_AT_NOBODY : WARD_PLAN_DONE);
		assert_nobodys(&f, "01:00.0");
		assert_int_equal(state_of(&f.r, "01:00.0")->tainted_by.kind, WARD_OWNER_CLIENT);
		/* The next one gets it, and by a reset. */
		rig_handed_over(&f.r, "01:00.0", WARD_OWNER_CLIENT, 1);
		assert_int_equal(dma_of(&f, "01:00.0", CLIENT_IOVA(1)), WARD_DMA_MEMORY);
		assert_agree(&f.r);
		rig_disown(&f.r);
	}
}

/* A function that cannot be frozen is taken: blocked is as good. */
static void freezes(void **unused)
{
	const struct ward_event freeze = { .kind = WARD_EVENT_FREEZE },
				thaw = { .kind = WARD_EVENT_THAW };
	struct force f;

	(void)unused;
	begin(&f);
	rig_handed_over(&f.r, "01:00.0", WARD_OWNER_CLIENT, 0);
	assert_int_equal(carry_out(&f, freeze).end, WARD_PLAN_DONE);
	assert_int_equal(dma_of(&f, "01:00.0", CLIENT_IOVA(0)), WARD_DMA_FROZEN);
	assert_true(state_of(&f.r, "01:00.0")->frozen);
	/* Thawed by a reset; one that fails leaves it frozen, and whose it was. */
	f.r.fails[0] = 1;
	assert_int_equal(carry_out(&f, thaw).end, WARD_PLAN_UNDONE);
	f.r.fails[0] = 0;
	assert_true(state_of(&f.r, "01:00.0")->frozen);
	assert_int_equal(dma_of(&f, "01:00.0", CLIENT_IOVA(0)), WARD_DMA_FROZEN);
	assert_int_equal(carry_out(&f, thaw).end, WARD_PLAN_DONE);
	assert_false(state_of(&f.r, "01:00.0")->frozen);
	assert_int_equal(dma_of(&f, "01:00.0", CLIENT_IOVA(0)), WARD_DMA_MEMORY);
	f.r.fails[0] = 1;
	assert_int_equal(carry_out(&f, freeze).end, WARD_PLAN_AT_NOBODY);
	assert_nobodys(&f, "01:00.0");
	rig_disown(&f.r);
}

/* On the way from one client to another it is thawed, and the other may use it. */
static void frozen_goes_on(void **unused)
{
	const struct ward_event freeze = { .kind = WARD_EVENT_FREEZE };
	struct force f;

	(void)unused;
	begin(&f);
	rig_handed_over(&f.r, "01:00.0", WARD_OWNER_CLIENT, 0);
	assert_int_equal(carry_out(&f, freeze).end, WARD_PLAN_DONE);
	rig_handed_over(&f.r, "01:00.0", WARD_OWNER_CLIENT, 1);
	assert_int_equal(dma_of(&f, "01:00.0", CLIENT_IOVA(1)), WARD_DMA_MEMORY);
	assert_int_not_equal(dma_of(&f, "01:00.0", CLIENT_IOVA(0)), WARD_DMA_MEMORY);
	rig_disown(&f.r);
}

static void revoked(void **unused)
{
	const struct ward_event revoke = { .kind = WARD_EVENT_REVOKE },
				release = { .kind = WARD_EVENT_RELEASE };
	struct force f;

	(void)unused;
	begin(&f);
	rig_handed_over(&f.r, "01:00.0", WARD_OWNER_CLIENT, 0);
	assert_int_equal(carry_out(&f, revoke).end, WARD_PLAN_DONE);
	assert_true(state_of(&f.r, "01:00.0")->revoking);
	assert_int_equal(dma_of(&f, "01:00.0", CLIENT_IOVA(0)), WARD_DMA_FROZEN);
	assert_int_equal(carry_out(&f, release).end, WARD_PLAN_DONE);
	assert_nobodys(&f, "01:00.0");
	rig_disown(&f.r);
}

/* Out of its slot while a client has it, and back: clean, nobody's, and then its driver's. */
static void card_goes_and_comes(void **unused)
{
	const struct ward_event gone = { .kind = WARD_EVENT_HOT_REMOVE },
				back = { .kind = WARD_EVENT_HOT_ADD, .driver = "nvme" };
	struct force f;
	uint32_t card;

	(void)unused;
	begin(&f);
	card = at_of(f.r.machine, "01:00.0");
	rig_handed_over(&f.r, "01:00.0", WARD_OWNER_CLIENT, 0);
	assert_int_equal(ward_model_present(f.r.rig.backend, card, false), 0);
	assert_int_equal(dma_of(&f, "01:00.0", CLIENT_IOVA(0)), WARD_DMA_NOWHERE);
	assert_int_equal(carry_out(&f, gone).end, WARD_PLAN_DONE);
	assert_nobodys(&f, "01:00.0");
	assert_true(state_of(&f.r, "01:00.0")->absent);
	assert_int_equal(ward_model_present(f.r.rig.backend, card, true), 0);
	/* Blocked, until somebody is to have it. */
	assert_int_equal(dma_of(&f, "01:00.0", CLIENT_IOVA(0)), WARD_DMA_FAULT);
	assert_int_equal(carry_out(&f, back).end, WARD_PLAN_DONE);
	assert_int_equal(state_of(&f.r, "01:00.0")->owner.kind, WARD_OWNER_HOST);
	assert_int_equal(dma_of(&f, "01:00.0", driver_iova(&f, "01:00.0")), WARD_DMA_MEMORY);
	assert_agree(&f.r);
	/* The driver's card goes, too; and one whose driver cannot start stays blocked. */
	assert_int_equal(ward_model_present(f.r.rig.backend, card, false), 0);
	assert_int_equal(carry_out(&f, gone).end, WARD_PLAN_DONE);
	assert_agree(&f.r);
	assert_int_equal(ward_model_present(f.r.rig.backend, card, true), 0);
	f.r.fails[0] = 1;
	assert_int_equal(carry_out(&f, back).end, WARD_PLAN_AT_NOBODY);
	assert_false(state_of(&f.r, "01:00.0")->absent);
	assert_nobodys(&f, "01:00.0");
	rig_disown(&f.r);
}

/* A driver in the way is blocked before it is asked, and whether or not it lets go. */
static void quarantined(void **unused)
{
	const struct ward_event quarantine = { .kind = WARD_EVENT_QUARANTINE };

	(void)unused;
	for (unsigned int fails = 0; fails <= 2; fails++) {
		struct ward_plan_result result;
		struct force f;

		begin(&f);
		f.r.fails[0] = fails;
		result = carry_out(&f, quarantine);
		assert_int_equal(result.end, fails ? WARD_PLAN_AT_NOBODY : WARD_PLAN_DONE);
		assert_true(state_of(&f.r, "01:00.0")->quarantined);
		assert_nobodys(&f, "01:00.0");
		assert_int_equal(ward_model_executor_rung(f.r.executor, f.functions[0]), 0);
		rig_disown(&f.r);
	}
}

/* Two cards in one partitionable endpoint, as on POWER. */
static void begin_endpoint(struct force *f)
{
	memset(f, 0, sizeof(*f));
	irq_controllers(&f->r.rig.make, ON_ITS);
	irq_functions(&f->r.rig.make);
	f->r.rig.make.functions[make_ordinal(&f->r.rig.make, "01:00.0")].pe = 3;
	f->r.rig.make.functions[make_ordinal(&f->r.rig.make, "02:00.0")].pe = 3;
	bound(&f->r.rig.make, "01:00.0", "nvme");
	bound(&f->r.rig.make, "02:00.0", "e1000e");
	rig_own(&f->r);
	named(f, "01:00.0");
}

/* Frozen together, and thawed together. */
static void endpoint_freezes(void **unused)
{
	const struct ward_event freeze = { .kind = WARD_EVENT_FREEZE },
				thaw = { .kind = WARD_EVENT_THAW };
	uint32_t cursor = 0, controller;
	struct force f;

	(void)unused;
	begin_endpoint(&f);
	assert_int_equal(carry_out(&f, freeze).end, WARD_PLAN_DONE);
	assert_int_equal(dma_of(&f, "02:00.0", driver_iova(&f, "02:00.0")), WARD_DMA_FROZEN);
	assert_true(state_of(&f.r, "02:00.0")->frozen);
	named(&f, "02:00.0");
	assert_int_equal(carry_out(&f, thaw).end, WARD_PLAN_DONE);
	assert_int_equal(dma_of(&f, "01:00.0", driver_iova(&f, "01:00.0")), WARD_DMA_MEMORY);
	/* Drivers set their functions up again. */
	assert_true(ward_model_executor_landed(f.r.executor, at_of(f.r.machine, "01:00.0"), &cursor,
					       &controller));
	assert_int_equal(controller, 0);
	assert_int_equal(raise_vector(&f.r.rig, "0000:01:00.0", WARD_IRQS_MSIX, 0).dma.end,
			 WARD_DMA_DOORBELL);
	assert_int_equal(ward_model_executor_rung(f.r.executor, at_of(f.r.machine, "01:00.0")), 1);
	rig_disown(&f.r);
}

/* What cannot be frozen is blocked, all of it. */
static void endpoint_does_not_freeze(void **unused)
{
	const struct ward_event freeze = { .kind = WARD_EVENT_FREEZE };
	struct force f;

	(void)unused;
	begin_endpoint(&f);
	f.r.fails[0] = 1;
	assert_int_equal(carry_out(&f, freeze).end, WARD_PLAN_AT_NOBODY);
	assert_nobodys(&f, "01:00.0");
	assert_nobodys(&f, "02:00.0");
	rig_disown(&f.r);
}

/* Two functions of a client that only their bus can reset: one is, and so is the other. */
static void bus_is_reset(void **unused)
{
	const struct ward_event reset = { .kind = WARD_EVENT_RESET };
	uint32_t left = 0x5ec3e7, found = 0xffffffff;
	struct ward_device *device;
	struct force f;

	(void)unused;
	memset(&f, 0, sizeof(f));
	irq_controllers(&f.r.rig.make, ON_ITS);
	root_port(&f.r.rig.make, "00:1c.0", 1, ACS_ON);
	endpoint(&f.r.rig.make, "01:00.0")->resets = 0;
	endpoint(&f.r.rig.make, "01:00.1")->resets = 0;
	rig_own(&f.r);
	rig_handed_over(&f.r, "01:00.0 01:00.1", WARD_OWNER_CLIENT, 0);
	device = ward_model_executor_device(f.r.executor, at_of(f.r.machine, "01:00.1"));
	assert_int_equal(ward_device_write(device, 0, 0, &left, sizeof(left)), 0);
	named(&f, "01:00.0");
	assert_int_equal(carry_out(&f, reset).end, WARD_PLAN_DONE);
	assert_int_equal(ward_device_read(device, 0, 0, &found, sizeof(found)), 0);
	assert_int_equal(found, 0);
	/* It is the client's as before, and where it was. */
	assert_agree(&f.r);
	assert_int_equal(dma_of(&f, "01:00.1", CLIENT_IOVA(0)), WARD_DMA_MEMORY);
	rig_disown(&f.r);
}

/* Where vectors of GICv2m land is seen: first fit, over all frames. */
static void frames_are_observed(void **unused)
{
	uint32_t cursor = 0, controller = WARD_NONE, landed = 0;
	struct force f;

	(void)unused;
	memset(&f, 0, sizeof(f));
	irq_controllers(&f.r.rig.make, ON_V2M);
	f.r.rig.make.controllers[0].intids = 1;
	irq_functions(&f.r.rig.make);
	bound(&f.r.rig.make, "01:00.0", "nvme");
	rig_own(&f.r);
	while (ward_model_executor_landed(f.r.executor, at_of(f.r.machine, "01:00.0"), &cursor,
					  &controller))
		assert_int_equal(controller, landed++);
	assert_int_equal(landed, 2);
	rig_disown(&f.r);
}

/* Whom the host forbids messages its driver does without. */
static void no_messages(void **unused)
{
	uint32_t cursor = 0, controller;
	struct force f;

	(void)unused;
	memset(&f, 0, sizeof(f));
	irq_controllers(&f.r.rig.make, ON_V2M);
	irq_functions(&f.r.rig.make);
	bound(&f.r.rig.make, "01:00.0", "nvme");
	f.r.msi_off = "01:00.0";
	rig_own(&f.r);
	assert_false(ward_model_executor_landed(f.r.executor, at_of(f.r.machine, "01:00.0"),
						&cursor, &controller));
	assert_int_equal(dma_of(&f, "01:00.0", driver_iova(&f, "01:00.0")), WARD_DMA_MEMORY);
	rig_disown(&f.r);
}

/*
 * A third one is seen with the ids of two others, its bridge's being the one's: all three drivers are in
 * one space from the beginning.
 */
static void ids_of_two(void **unused)
{
	static const char *const names[] = { "00:02.0", "00:03.0", "05:01.0" };
	struct force f;

	(void)unused;
	memset(&f, 0, sizeof(f));
	irq_controllers(&f.r.rig.make, ON_ITS);
	integrated(&f.r.rig.make, names[0])->stream.sid = ward_sid(0x10);
	integrated(&f.r.rig.make, names[1])->stream.sid = ward_sid(0x20);
	pci_bridge(&f.r.rig.make, "00:05.0", 5)->stream.sid = ward_sid(0x20);
	conventional(&f.r.rig.make, names[2])->stream.sid = ward_sid(0x10);
	for (unsigned int i = 0; i < 3; i++)
		bound(&f.r.rig.make, names[i], "ahci");
	rig_own(&f.r);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(dma_of(&f, names[i], driver_iova(&f, names[2 - i])),
				 WARD_DMA_MEMORY);
	rig_disown(&f.r);
}

/* A PF is reset while a VF of its is frozen: that one cannot be looked at, and is reset again. */
static void frozen_beside(void **unused)
{
	const struct ward_event freeze = { .kind = WARD_EVENT_FREEZE },
				reset = { .kind = WARD_EVENT_RESET };
	struct force f;

	(void)unused;
	memset(&f, 0, sizeof(f));
	irq_controllers(&f.r.rig.make, ON_ITS);
	root_port(&f.r.rig.make, "00:1c.0", 1, ACS_ON);
	endpoint(&f.r.rig.make, "01:00.0")->vfs_total = 2;
	vf(&f.r.rig.make, "01:00.2", "01:00.0");
	bound(&f.r.rig.make, "01:00.0", "mlx5_core");
	rig_own(&f.r);
	named(&f, "01:00.2");
	assert_int_equal(carry_out(&f, freeze).end, WARD_PLAN_DONE);
	named(&f, "01:00.0");
	assert_int_equal(carry_out(&f, reset).end, WARD_PLAN_DONE);
	/* Its driver has set it up again. */
	assert_int_equal(dma_of(&f, "01:00.0", driver_iova(&f, "01:00.0")), WARD_DMA_MEMORY);
	assert_int_equal(raise_vector(&f.r.rig, "0000:01:00.0", WARD_IRQS_MSIX, 0).dma.end,
			 WARD_DMA_DOORBELL);
	rig_disown(&f.r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(client_dies),	       cmocka_unit_test(freezes),
		cmocka_unit_test(frozen_goes_on),      cmocka_unit_test(revoked),
		cmocka_unit_test(card_goes_and_comes), cmocka_unit_test(quarantined),
		cmocka_unit_test(endpoint_freezes),    cmocka_unit_test(endpoint_does_not_freeze),
		cmocka_unit_test(bus_is_reset),	       cmocka_unit_test(frames_are_observed),
		cmocka_unit_test(no_messages),	       cmocka_unit_test(ids_of_two),
		cmocka_unit_test(frozen_beside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
