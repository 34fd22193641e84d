/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Between two owners a card is reset, also on the way back: nobody finds what another left in it. */
#include "own/plan_rig.h"

#include <doorward/plan.h>

/* A card that only its bus can reset: nothing but a reset clears it. */
static void rig_stubborn(struct plan_rig *r)
{
	memset(r, 0, sizeof(*r));
	irq_controllers(&r->rig.make, ON_ITS);
	irq_functions(&r->rig.make);
	r->rig.make.functions[make_ordinal(&r->rig.make, "01:00.0")].resets = 0;
	bound(&r->rig.make, "01:00.0", "nvme");
	rig_own(r);
}

/* What one client left in its registers the next does not find. */
static void nothing_is_left(void **unused)
{
	uint32_t left = 0x5ec3e7, found = 0xffffffff, card;
	struct plan_rig r;

	(void)unused;
	rig_stubborn(&r);
	card = at_of(r.machine, "01:00.0");
	rig_handed_over(&r, "01:00.0", WARD_OWNER_CLIENT, 0);
	assert_int_equal(ward_device_write(ward_model_executor_device(r.executor, card), 0, 0,
					   &left, sizeof(left)),
			 0);
	rig_handed_over(&r, "01:00.0", WARD_OWNER_CLIENT, 1);
	assert_int_equal(ward_device_read(ward_model_executor_device(r.executor, card), 0, 0,
					  &found, sizeof(found)),
			 0);
	assert_int_equal(found, 0);
	rig_disown(&r);
}

/* Leaves something in a card as client 0, and freezes it, which fails or not: nobody has it now. */
static void leave_and_freeze(struct plan_rig *r, bool fails)
{
	const uint32_t left = 0x5ec3e7, card = at_of(r->machine, "01:00.0");
	struct ward_event event = {
		.size = sizeof(event),
		.kind = WARD_EVENT_FREEZE,
		.functions = &card,
		.functions_count = 1,
	};
	const struct ward_executor executor = rig_executor(r);
	struct ward_plan_result result;
	struct ward_plan *plan;

	rig_handed_over(r, "01:00.0", WARD_OWNER_CLIENT, 0);
	assert_int_equal(ward_device_write(ward_model_executor_device(r->executor, card), 0, 0,
					   &left, sizeof(left)),
			 0);
	r->calls = 0;
	r->fails[0] = fails;
	assert_int_equal(ward_plan_event(r->own, &event, &plan), 0);
	assert_int_equal(ward_plan_run(r->own, plan, &executor, &result, NULL), 0);
	assert_int_equal(result.end, fails ? WARD_PLAN_AT_NOBODY : WARD_PLAN_DONE);
	ward_plan_destroy(plan);
	r->fails[0] = 0;
}

/* Thawing is a reset, also of what could not be frozen; and one that does nothing is none. */
static void nothing_is_left_by_thawing(void **unused)
{
	const struct ward_model_temper deaf = { .ignores_resets = true };

	(void)unused;
	for (unsigned int fails = 0; fails <= 1; fails++) {
		uint32_t found = 0xffffffff, card;
		struct ward_executor executor;
		struct ward_plan_result result;
		struct ward_plan *plan;
		struct plan_rig r;

		rig_stubborn(&r);
		card = at_of(r.machine, "01:00.0");
		leave_and_freeze(&r, fails);
		ward_model_set_temper(r.rig.backend, &deaf);
		executor = rig_executor(&r);
		assert_int_equal(rig_hand_over(&r, "01:00.0", WARD_OWNER_CLIENT, 1, &plan), 0);
		assert_int_equal(ward_plan_run(r.own, plan, &executor, &result, NULL), 0);
		assert_int_not_equal(result.end, WARD_PLAN_DONE);
		ward_plan_destroy(plan);
		ward_model_set_temper(r.rig.backend, &(struct ward_model_temper){ 0 });
		rig_handed_over(&r, "01:00.0", WARD_OWNER_CLIENT, 1);
		assert_int_equal(ward_device_read(ward_model_executor_device(r.executor, card), 0,
						  0, &found, sizeof(found)),
				 0);
		assert_int_equal(found, 0);
		rig_disown(&r);
	}
}

/* A client uses what it is given the moment it has it. */
static int grabbed(void *context, const struct ward_plan_step *step, enum ward_action action,
		   struct ward_error *ret_error)
{
	struct plan_rig *r = context;
	struct ward_executor real = rig_executor(r);
	int code = real.execute(real.context, step, action, ret_error);
	uint32_t left = 0x5ec3e7;

	if (action == WARD_ACTION_GIVE && !code)
		assert_int_equal(ward_device_write(ward_model_executor_device(r->executor,
									      step->function),
						   0, 0, &left, sizeof(left)),
				 0);
	return code;
}

/* It had it for a moment only, as the next step failed: the host's driver does not find it either. */
static void nothing_is_left_on_the_way_back(void **unused)
{
	uint32_t found = 0xffffffff;
	struct plan_rig r;
	const struct ward_executor executor = { .execute = grabbed, .context = &r };
	struct ward_plan_result result;
	struct ward_plan *plan;

	(void)unused;
	rig_stubborn(&r);
	assert_int_equal(rig_hand_over(&r, "01:00.0", WARD_OWNER_CLIENT, 0, &plan), 0);
	/* Unbind, tear-down, reset, give, and attach, which fails. */
	r.fails[0] = 5;
	assert_int_equal(ward_plan_run(r.own, plan, &executor, &result, NULL), 0);
	assert_int_equal(result.end, WARD_PLAN_UNDONE);
	ward_plan_destroy(plan);
	assert_int_equal(ward_device_read(ward_model_executor_device(r.executor,
								     at_of(r.machine, "01:00.0")),
					  0, 0, &found, sizeof(found)),
			 0);
	assert_int_equal(found, 0);
	assert_agree(&r);
	rig_disown(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_left),
		cmocka_unit_test(nothing_is_left_by_thawing),
		cmocka_unit_test(nothing_is_left_on_the_way_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
