/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Plans that reality overtakes: facts are told to the ownership between two steps, or memory is gone
 * for good. In the end what is said and what is so agree, all the same.
 */
#include "own/plan_rig.h"

#include <doorward/plan.h>

#include "base/fault.h"

/* A fact that comes with one call of the executor: before it is done, or after. */
struct overtaking {
	struct plan_rig r;
	struct ward_event fact;
	uint32_t function;
	unsigned int calls, at;
	bool after;
};

static void come_true(struct overtaking *o)
{
	struct ward_event fact = o->fact;

	fact.size = sizeof(fact);
	fact.functions = &o->function;
	fact.functions_count = 1;
	if (fact.kind == WARD_EVENT_HOT_REMOVE)
		assert_int_equal(ward_model_present(o->r.rig.backend, o->function, false), 0);
	if (fact.kind == WARD_EVENT_FREEZE)
		assert_int_equal(ward_model_freeze(o->r.rig.backend, o->function), 0);
	/* It may be of no sense by now. */
	(void)ward_ownership_apply(o->r.own, &fact, NULL, NULL);
}

static int overtaken(void *context, const struct ward_plan_step *step, enum ward_action action,
		     struct ward_error *ret_error)
{
	struct overtaking *o = context;
	struct ward_executor real = rig_executor(&o->r);
	bool now = ++o->calls == o->at;
	int code;

	if (now && !o->after)
		come_true(o);
	code = real.execute(real.context, step, action, ret_error);
	if (now && o->after)
		come_true(o);
	return code;
}

/* One fact at one call. Tells how many calls there were. */
static unsigned int overtake(const struct ward_event *fact, enum ward_owner_kind to,
			     unsigned int at, bool after)
{
	struct overtaking o = { .fact = *fact, .at = at, .after = after };
	const struct ward_executor executor = { .execute = overtaken, .context = &o };
	struct ward_plan_result result;
	struct ward_plan *plan;

	rig_hosts(&o.r, ON_ITS);
	o.function = at_of(o.r.machine, "01:00.0");
	if (to != WARD_OWNER_CLIENT || fact->client == 0)
		rig_handed_over(&o.r, "01:00.0 02:00.0", WARD_OWNER_CLIENT, 0);
	assert_int_equal(rig_hand_over(&o.r, "01:00.0 02:00.0", to, 1, &plan), 0);
	assert_int_equal(ward_plan_run(o.r.own, plan, &executor, &result, NULL), 0);
	ward_plan_destroy(plan);
	assert_agree(&o.r);
	rig_disown(&o.r);
	return o.calls;
}

/* Whoever has died, been unplugged or frozen meanwhile, at whichever step, has nothing that is not said. */
static void facts_between_steps(void **unused)
{
	static const struct ward_event facts[] = {
		{ .kind = WARD_EVENT_DEATH, .client = 0 },
		{ .kind = WARD_EVENT_DEATH, .client = 1 },
		{ .kind = WARD_EVENT_HOT_REMOVE },
		{ .kind = WARD_EVENT_FREEZE },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		for (unsigned int to = WARD_OWNER_NOBODY; to <= WARD_OWNER_CLIENT; to++) {
			unsigned int calls = overtake(&facts[i], to, 0, false);

			assert_true(calls >= 3);
			for (unsigned int at = 1; at <= calls; at++) {
				overtake(&facts[i], to, at, false);
				overtake(&facts[i], to, at, true);
			}
		}
	}
}

/* From one call on nothing succeeds, and there is no memory. */
static int starving(void *context, const struct ward_plan_step *step, enum ward_action action,
		    struct ward_error *ret_error)
{
	struct overtaking *o = context;
	struct ward_executor real = rig_executor(&o->r);
	int code;

	if (++o->calls < o->at)
		return real.execute(real.context, step, action, ret_error);
	ward_fault_arm(0);
	code = action == WARD_ACTION_BLOCK ? real.execute(real.context, step, action, ret_error)
					   : -EIO;
	ward_fault_arm(1);
	return code;
}

static enum ward_plan_end starve(const struct ward_event *event, unsigned int at)
{
	struct overtaking o = { .at = at };
	const struct ward_executor executor = { .execute = starving, .context = &o };
	struct ward_plan_result result;
	enum ward_plan_end end;
	struct ward_event named = *event;
	struct ward_plan *plan;

	rig_hosts(&o.r, ON_ITS);
	/* Its client keeps the other one, and is judged with it. */
	o.function = at_of(o.r.machine, "04:01.0");
	rig_handed_over(&o.r, "04:01.0 04:02.0", WARD_OWNER_CLIENT, 0);
	named.size = sizeof(named);
	named.functions = &o.function;
	named.functions_count = 1;
	assert_int_equal(ward_plan_event(o.r.own, &named, &plan), 0);
	assert_int_equal(ward_plan_run(o.r.own, plan, &executor, &result, NULL), 0);
	end = result.end;
	if (end == WARD_PLAN_UNTOLD) {
		/* It is blocked, and goes to nobody else. */
		assert_int_equal(ward_model_executor_holder(o.r.executor, o.function, NULL).kind,
				 WARD_OWNER_NOBODY);
		ward_fault_arm(1);
		assert_int_equal(ward_plan_settle(o.r.own, plan, &result), -ENOMEM);
		ward_fault_arm(0);
		assert_int_equal(ward_plan_settle(o.r.own, plan, &result), 0);
		assert_int_equal(result.end, WARD_PLAN_AT_NOBODY);
		assert_int_equal(state_of(&o.r, "04:01.0")->owner.kind, WARD_OWNER_NOBODY);
		assert_int_equal(state_of(&o.r, "04:01.0")->frozen,
				 named.kind == WARD_EVENT_FREEZE);
		assert_int_equal(ward_plan_settle(o.r.own, plan, &result), 0);
	}
	ward_fault_arm(0);
	assert_agree(&o.r);
	ward_plan_destroy(plan);
	rig_disown(&o.r);
	return end;
}

/* Memory is gone for good on the way: it ends blocked, and is told once there is some. */
static void memory_is_gone(void **unused)
{
	const struct ward_event release = { .kind = WARD_EVENT_RELEASE },
				freeze = { .kind = WARD_EVENT_FREEZE };

	(void)unused;
	for (unsigned int at = 1; at <= 3; at++)
		assert_int_equal(starve(&release, at), WARD_PLAN_UNTOLD);
	assert_int_equal(starve(&freeze, 1), WARD_PLAN_UNTOLD);
}

/* Of two cards that were plugged in only one could be bound: it is told apart from its driver, too. */
static int second_bind_fails(void *context, const struct ward_plan_step *step,
			     enum ward_action action, struct ward_error *ret_error)
{
	int *bound = context;

	(void)step;
	(void)ret_error;
	if (action == WARD_ACTION_BIND && *bound)
		return -EIO;
	*bound += action == WARD_ACTION_BIND;
	*bound -= action == WARD_ACTION_UNBIND && *bound;
	return 0;
}

static void plugged_in_by_half(void **unused)
{
	int bound_now = 0;
	const struct ward_executor executor = { second_bind_fails, &bound_now };
	struct ward_event event = { .size = sizeof(event), .functions_count = 2, .driver = "nvme" };
	struct ward_plan_result result;
	struct ward_plan *plan;
	uint32_t functions[2];
	struct plan_rig r;

	(void)unused;
	rig_hosts(&r, ON_ITS);
	rig_functions(r.machine, "01:00.0 02:00.0", functions);
	event.functions = functions;
	event.kind = WARD_EVENT_HOT_REMOVE;
	assert_int_equal(ward_ownership_apply(r.own, &event, NULL, NULL), 0);
	event.kind = WARD_EVENT_HOT_ADD;
	assert_int_equal(ward_plan_event(r.own, &event, &plan), 0);
	assert_int_equal(ward_plan_run(r.own, plan, &executor, &result, NULL), 0);
	ward_plan_destroy(plan);
	assert_int_equal(result.end, WARD_PLAN_AT_NOBODY);
	assert_int_equal(bound_now, 0);
	rig_disown(&r);
}

/* What a kind of event does not use is not looked at. */
static void death_names_nobody(void **unused)
{
	const uint32_t functions[] = { 12345678 };
	const struct ward_event death = {
		.size = sizeof(death),
		.kind = WARD_EVENT_DEATH,
		.functions = functions,
		.functions_count = 1,
	};
	struct ward_executor executor;
	struct ward_plan_result result;
	struct ward_plan *plan;
	struct plan_rig r;

	(void)unused;
	rig_hosts(&r, ON_ITS);
	executor = rig_executor(&r);
	assert_int_equal(ward_plan_event(r.own, &death, &plan), 0);
	assert_int_equal(plan->events[0].functions_count, 0);
	assert_int_equal(ward_plan_run(r.own, plan, &executor, &result, NULL), 0);
	ward_plan_destroy(plan);
	rig_disown(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts_between_steps),
		cmocka_unit_test(memory_is_gone),
		cmocka_unit_test(plugged_in_by_half),
		cmocka_unit_test(death_names_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
