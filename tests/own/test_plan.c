/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Plans as data: which steps an event or a hand-over comes to, in which order, and what undoes them. */
#include "isolate/make.h"
#include "sweep.h"

#include <doorward/plan.h>

#include <errno.h>

struct fixture {
	struct make make;
	struct ward_ownership *own;
	struct ward_plan *plan;
};

/* Two cards, and two conventional ones that share an id; all of them the host's, with drivers. */
static void parts(struct make *m)
{
	make_arm_its(m);
	root_port(m, "00:1c.0", 1, ACS_ON);
	root_port(m, "00:1d.0", 2, ACS_ON);
	root_port_to(m, "00:1e.0", 3, 4, ACS_ON);
	endpoint(m, "01:00.0");
	endpoint(m, "02:00.0");
	pcie_to_pci(m, "03:00.0", 4);
	for (unsigned int i = 0; i < 2; i++) {
		struct ward_function *f = conventional(m, i ? "04:02.0" : "04:01.0");

		f->devid = ward_devid(0x400);
		f->stream.sid = ward_sid(0x400);
		f->aliases = 1;
		f->alias[0] = ward_rid_make(4, 0, 0);
	}
	bound(m, "01:00.0", "nvme");
	bound(m, "02:00.0", "e1000e");
	bound(m, "04:01.0", "snd");
	bound(m, "04:02.0", "sym53c8xx");
}

static void begin(struct fixture *f, bool revoke_at_once)
{
	const struct ward_ownership_options options = {
		.size = sizeof(options),
		.revoke_is_immediate = revoke_at_once,
	};
	uint32_t client;

	make_done(&f->make);
	assert_int_equal(ward_ownership_create(f->make.machine, f->make.state, &options, &f->own),
			 0);
	assert_int_equal(ward_ownership_client(f->own, "c0", &client), 0);
	assert_int_equal(ward_ownership_client(f->own, "c1", &client), 0);
}

static void end(struct fixture *f)
{
	ward_plan_destroy(f->plan);
	ward_ownership_destroy(f->own);
	make_free(&f->make);
}

static uint32_t functions_of(const struct fixture *f, const char *names, uint32_t *ret_functions)
{
	char text[256], *save = NULL;
	uint32_t count = 0;

	snprintf(text, sizeof(text), "%s", names);
	for (char *name = strtok_r(text, " ", &save); name; name = strtok_r(NULL, " ", &save))
		ret_functions[count++] = at(&f->make, name);
	return count;
}

static int try_hand_over(struct fixture *f, const char *names, enum ward_owner_kind to,
			 uint32_t client, const char *driver, struct ward_outcome *ret_outcome)
{
	uint32_t functions[8];
	const struct ward_hand_over hand_over = {
		.size = sizeof(hand_over),
		.functions = functions,
		.functions_count = functions_of(f, names, functions),
		.to = to,
		.client = client,
		.container = 0,
		.driver = driver,
	};

	ward_plan_destroy(f->plan);
	f->plan = NULL;
	return ward_plan_hand_over(f->own, &hand_over, &f->plan, ret_outcome, NULL);
}

static void hand_over(struct fixture *f, const char *names, enum ward_owner_kind to,
		      uint32_t client, const char *driver)
{
	struct ward_outcome outcome = { 0 };
	struct ward_error why = { "" };

	if (try_hand_over(f, names, to, client, driver, &outcome))
		fail_msg("%s", why.text);
	if (!f->plan && outcome.verdict)
		print_verdict(outcome.verdict);
	assert_non_null(f->plan);
	assert_int_not_equal(outcome.decision, WARD_REFUSED);
	ward_outcome_finish(&outcome);
}

static struct ward_event event_of(enum ward_event_kind kind, const uint32_t *functions,
				  uint32_t count)
{
	return (struct ward_event){
		.size = sizeof(struct ward_event),
		.kind = kind,
		.functions = functions,
		.functions_count = count,
	};
}

static int plan_of(struct fixture *f, struct ward_event event, const char *names)
{
	uint32_t functions[8];

	event.size = sizeof(event);
	event.functions = functions;
	event.functions_count = functions_of(f, names, functions);
	ward_plan_destroy(f->plan);
	f->plan = NULL;
	return ward_plan_event(f->own, &event, &f->plan);
}

static void apply(struct fixture *f, struct ward_event event, const char *names)
{
	uint32_t functions[8];
	struct ward_outcome outcome = { 0 };
	struct ward_error why = { "" };

	event.size = sizeof(event);
	event.functions = functions;
	event.functions_count = functions_of(f, names, functions);
	if (ward_ownership_apply(f->own, &event, &outcome, &why))
		fail_msg("%s", why.text);
	if (outcome.decision == WARD_REFUSED)
		print_verdict(outcome.verdict);
	assert_int_not_equal(outcome.decision, WARD_REFUSED);
	ward_outcome_finish(&outcome);
}

/* Lets all events of a plan happen, as when all its steps were carried out. */
static void happen(struct fixture *f)
{
	for (uint32_t i = 0; i < f->plan->events_count; i++) {
		struct ward_outcome outcome = { 0 };

		assert_int_equal(ward_ownership_apply(f->own, &f->plan->events[i], &outcome, NULL),
				 0);
		assert_int_not_equal(outcome.decision, WARD_REFUSED);
		ward_outcome_finish(&outcome);
	}
}

/* The steps as sentences, each with what undoes it and what it completes. */
static void assert_steps(const struct ward_plan *plan, const char *const *wanted)
{
	uint32_t i = 0;

	for (; i < plan->steps_count && wanted[i]; i++) {
		const struct ward_plan_step *step = &plan->steps[i];
		const char *event = step->completes == WARD_NONE
					    ? "-"
					    : ward_event_name(plan->events[step->completes].kind);
		char text[256];

		snprintf(text, sizeof(text), "%s | %s | %s", step->text,
			 ward_action_name(step->undo), event);
		assert_string_equal(text, wanted[i]);
	}
	if (i < plan->steps_count)
		fail_msg("one more: %s", plan->steps[i].text);
	if (wanted[i])
		fail_msg("one less: %s", wanted[i]);
}

#define STEPS(plan, ...) assert_steps(plan, (const char *const[]){ __VA_ARGS__, NULL })

static void host_to_client(void **unused)
{
	struct fixture f = { 0 };

	(void)unused;
	parts(&f.make);
	begin(&f, false);
	hand_over(&f, "01:00.0", WARD_OWNER_CLIENT, 0, NULL);
	STEPS(f.plan, "unbind nvme from 0000:01:00.0 | bind | -", "block 0000:01:00.0 | none | -",
	      "tear down the vectors of 0000:01:00.0 | none | unbind",
	      "reset 0000:01:00.0, and see that it worked | reset | reset",
	      "give 0000:01:00.0 to c0 | take | claim",
	      "attach 0000:01:00.0 to container 0 of c0 | detach | attach");
	assert_int_equal(f.plan->events_count, 4);
	/* Nothing has happened yet. */
	assert_int_equal(ward_ownership_state(f.own)->functions[at(&f.make, "01:00.0")].owner.kind,
			 WARD_OWNER_HOST);
	end(&f);
}

static void client_to_host(void **unused)
{
	struct fixture f = { 0 };

	(void)unused;
	parts(&f.make);
	begin(&f, false);
	hand_over(&f, "01:00.0", WARD_OWNER_CLIENT, 0, NULL);
	happen(&f);
	hand_over(&f, "01:00.0", WARD_OWNER_HOST, 0, "nvme");
	STEPS(f.plan, "block 0000:01:00.0 | attach | -",
	      "tear down the vectors of 0000:01:00.0 | none | -",
	      "take 0000:01:00.0 from c0 | give | release",
	      "reset 0000:01:00.0, and see that it worked | reset | reset",
	      "bind nvme to 0000:01:00.0 | unbind | bind");
	happen(&f);
	/* Where it is by now: nothing to do. */
	hand_over(&f, "01:00.0", WARD_OWNER_HOST, 0, NULL);
	assert_int_equal(f.plan->steps_count, 0);
	end(&f);
}

static void client_to_client(void **unused)
{
	struct fixture f = { 0 };

	(void)unused;
	parts(&f.make);
	begin(&f, false);
	hand_over(&f, "01:00.0", WARD_OWNER_CLIENT, 0, NULL);
	happen(&f);
	hand_over(&f, "01:00.0", WARD_OWNER_CLIENT, 1, NULL);
	STEPS(f.plan, "block 0000:01:00.0 | attach | -",
	      "tear down the vectors of 0000:01:00.0 | none | -",
	      "take 0000:01:00.0 from c0 | give | release",
	      "reset 0000:01:00.0, and see that it worked | reset | reset",
	      "give 0000:01:00.0 to c1 | take | claim",
	      "attach 0000:01:00.0 to container 0 of c1 | detach | attach");
	/* To the one who has it: out of its container only, when it is to be in another. */
	assert_int_equal(plan_of(&f, (struct ward_event){ .kind = WARD_EVENT_DETACH }, "01:00.0"),
			 0);
	STEPS(f.plan, "detach 0000:01:00.0 from container 0 of c0 | attach | detach");
	/* To nobody. */
	hand_over(&f, "01:00.0", WARD_OWNER_NOBODY, 0, NULL);
	STEPS(f.plan, "block 0000:01:00.0 | attach | -",
	      "tear down the vectors of 0000:01:00.0 | none | -",
	      "take 0000:01:00.0 from c0 | give | release",
	      "reset 0000:01:00.0, and see that it worked | reset | reset");
	end(&f);
}

/* Everybody loses before anybody gets; those that share an id are in their space together. */
static void several_functions(void **unused)
{
	struct fixture f = { 0 };

	(void)unused;
	parts(&f.make);
	begin(&f, false);
	hand_over(&f, "04:01.0 04:02.0", WARD_OWNER_CLIENT, 1, NULL);
	STEPS(f.plan, "unbind snd from 0000:04:01.0 | bind | -",
	      "unbind sym53c8xx from 0000:04:02.0 | bind | -", "block 0000:04:01.0 | none | -",
	      "block 0000:04:02.0 | none | -", "tear down the vectors of 0000:04:01.0 | none | -",
	      "tear down the vectors of 0000:04:02.0 | none | unbind",
	      "reset 0000:04:01.0, and see that it worked | reset | -",
	      "reset 0000:04:02.0, and see that it worked | reset | reset",
	      "give 0000:04:01.0 to c1 | take | -", "give 0000:04:02.0 to c1 | take | claim",
	      "attach 0000:04:01.0 to container 0 of c1 | detach | -",
	      "attach 0000:04:02.0 to container 0 of c1 | detach | attach");
	end(&f);
}

static void refused(void **unused)
{
	struct ward_outcome outcome = { 0 };
	struct fixture f = { 0 };

	(void)unused;
	parts(&f.make);
	begin(&f, false);
	/* The other one of the id stays with the host. */
	assert_int_equal(try_hand_over(&f, "04:01.0", WARD_OWNER_CLIENT, 0, NULL, &outcome), 0);
	assert_null(f.plan);
	assert_int_equal(outcome.decision, WARD_REFUSED);
	assert_non_null(outcome.verdict);
	ward_outcome_finish(&outcome);
	assert_int_equal(plan_of(&f, (struct ward_event){ .kind = WARD_EVENT_CLAIM, .client = 0 },
				 "01:00.0"),
			 -EPERM);
	assert_null(f.plan);
	end(&f);
}

static void of_no_sense(void **unused)
{
	struct fixture f = { 0 };
	uint32_t none = 99;
	struct ward_hand_over to = { .size = sizeof(to), .functions = &none, .functions_count = 1 };

	(void)unused;
	parts(&f.make);
	begin(&f, false);
	assert_int_equal(ward_plan_hand_over(f.own, &to, &f.plan, NULL, NULL), -EINVAL);
	none = at(&f.make, "01:00.0");
	to.to = WARD_OWNER_CLIENT;
	to.client = 2;
	assert_int_equal(ward_plan_hand_over(f.own, &to, &f.plan, NULL, NULL), -EINVAL);
	to.client = 0;
	to.functions_count = 0;
	assert_int_equal(ward_plan_hand_over(f.own, &to, &f.plan, NULL, NULL), -EINVAL);
	to.functions_count = 1;
	to.size = 1;
	assert_int_equal(ward_plan_hand_over(f.own, &to, &f.plan, NULL, NULL), -EINVAL);
	assert_int_equal(try_hand_over(&f, "01:00.0 01:00.0", WARD_OWNER_CLIENT, 0, NULL, NULL),
			 -EINVAL);
	assert_int_equal(plan_of(&f, (struct ward_event){ .kind = WARD_EVENT_RELEASE }, "01:00.0"),
			 -EINVAL);
	assert_null(f.plan);
	end(&f);
}

/* A partitionable endpoint of two functions, and a card of its own. */
static void endpoints(void **unused)
{
	struct fixture f = { 0 };

	(void)unused;
	parts(&f.make);
	f.make.functions[make_ordinal(&f.make, "04:01.0")].pe = 7;
	f.make.functions[make_ordinal(&f.make, "04:02.0")].pe = 7;
	begin(&f, false);
	assert_int_equal(plan_of(&f, (struct ward_event){ .kind = WARD_EVENT_FREEZE },
				 "04:02.0 01:00.0"),
			 0);
	STEPS(f.plan, "freeze the error domain of 0000:01:00.0 | none | -",
	      "freeze the error domain of 0000:04:01.0 | none | freeze");
	happen(&f);
	assert_true(ward_ownership_state(f.own)->functions[at(&f.make, "04:01.0")].frozen);
	assert_int_equal(plan_of(&f, (struct ward_event){ .kind = WARD_EVENT_THAW }, "04:02.0"), 0);
	STEPS(f.plan, "reset and thaw the error domain of 0000:04:01.0 | freeze | thaw");
	end(&f);
}

static void given_to_c0(struct fixture *f, const char *names)
{
	hand_over(f, names, WARD_OWNER_CLIENT, 0, NULL);
	happen(f);
}

/* What contains has no way back: nothing undoes it. */
static void by_force(void **unused)
{
	struct fixture f = { 0 };

	(void)unused;
	parts(&f.make);
	begin(&f, false);
	given_to_c0(&f, "01:00.0");
	given_to_c0(&f, "02:00.0");
	assert_int_equal(plan_of(&f, (struct ward_event){ .kind = WARD_EVENT_DEATH }, ""), 0);
	STEPS(f.plan, "block 0000:01:00.0 | none | -", "block 0000:02:00.0 | none | -",
	      "tear down the vectors of 0000:01:00.0 | none | -",
	      "tear down the vectors of 0000:02:00.0 | none | -",
	      "take 0000:01:00.0 from c0 | none | -", "take 0000:02:00.0 from c0 | none | death");
	/* Not at once: frozen until its client lets go. */
	assert_int_equal(plan_of(&f, (struct ward_event){ .kind = WARD_EVENT_REVOKE }, "02:00.0"),
			 0);
	STEPS(f.plan, "freeze the error domain of 0000:02:00.0 | none | revoke");
	assert_int_equal(plan_of(&f, (struct ward_event){ .kind = WARD_EVENT_HOT_REMOVE },
				 "01:00.0"),
			 0);
	STEPS(f.plan, "block 0000:01:00.0 | none | -",
	      "tear down the vectors of 0000:01:00.0 | none | -",
	      "take 0000:01:00.0 from c0 | none | hot-remove");
	/* A driver that is in the way is not asked before its function is blocked. */
	assert_int_equal(plan_of(&f, (struct ward_event){ .kind = WARD_EVENT_QUARANTINE },
				 "04:01.0"),
			 0);
	STEPS(f.plan, "block 0000:04:01.0 | none | -",
	      "tear down the vectors of 0000:04:01.0 | none | -",
	      "unbind snd from 0000:04:01.0 | none | quarantine");
	end(&f);
}

static void revoked_at_once(void **unused)
{
	struct fixture f = { 0 };

	(void)unused;
	parts(&f.make);
	begin(&f, true);
	given_to_c0(&f, "01:00.0");
	assert_int_equal(plan_of(&f, (struct ward_event){ .kind = WARD_EVENT_REVOKE }, "01:00.0"),
			 0);
	STEPS(f.plan, "block 0000:01:00.0 | none | -",
	      "tear down the vectors of 0000:01:00.0 | none | -",
	      "take 0000:01:00.0 from c0 | none | revoke");
	end(&f);
}

/* A card that is plugged in while nobody looks, and taken by its driver. */
static void plugged_in(void **unused)
{
	struct fixture f = { 0 };

	(void)unused;
	parts(&f.make);
	begin(&f, false);
	apply(&f, (struct ward_event){ .kind = WARD_EVENT_HOT_REMOVE }, "02:00.0");
	assert_int_equal(
		plan_of(&f, (struct ward_event){ .kind = WARD_EVENT_HOT_ADD, .driver = "e1000e" },
			"02:00.0"),
		0);
	STEPS(f.plan, "bind e1000e to 0000:02:00.0 | none | hot-add");
	assert_int_equal(plan_of(&f, (struct ward_event){ .kind = WARD_EVENT_HOT_ADD }, "02:00.0"),
			 0);
	assert_int_equal(f.plan->steps_count, 0);
	assert_int_equal(f.plan->events_count, 1);
	end(&f);
}

/* VFs come with their drivers, and go again: who can be asked is asked. */
static void vfs(void **unused)
{
	const struct ward_event on = { .kind = WARD_EVENT_VFS_ON, .driver = "mlx5_core" },
				off = { .kind = WARD_EVENT_VFS_OFF };
	struct fixture f = { 0 };

	(void)unused;
	parts(&f.make);
	f.make.functions[make_ordinal(&f.make, "01:00.0")].vfs_total = 1;
	vf(&f.make, "01:00.1", "01:00.0");
	begin(&f, false);
	assert_int_equal(plan_of(&f, off, "01:00.0"), 0);
	assert_int_equal(f.plan->steps_count, 0);
	happen(&f);
	assert_int_equal(plan_of(&f, on, "01:00.0"), 0);
	STEPS(f.plan, "bind mlx5_core to 0000:01:00.1 | none | vfs-on");
	happen(&f);
	assert_int_equal(plan_of(&f, off, "01:00.0"), 0);
	STEPS(f.plan, "unbind mlx5_core from 0000:01:00.1 | bind | -",
	      "block 0000:01:00.1 | none | -",
	      "tear down the vectors of 0000:01:00.1 | none | vfs-off");
	end(&f);
}

/* Frozen, and its client is gone: thawed on the way to the next. */
static void frozen(void **unused)
{
	struct fixture f = { 0 };

	(void)unused;
	parts(&f.make);
	begin(&f, false);
	given_to_c0(&f, "01:00.0");
	apply(&f, (struct ward_event){ .kind = WARD_EVENT_FREEZE }, "01:00.0");
	hand_over(&f, "01:00.0", WARD_OWNER_CLIENT, 1, NULL);
	STEPS(f.plan, "block 0000:01:00.0 | attach | -",
	      "tear down the vectors of 0000:01:00.0 | none | -",
	      "take 0000:01:00.0 from c0 | give | release",
	      "reset and thaw the error domain of 0000:01:00.0 | freeze | thaw",
	      "give 0000:01:00.0 to c1 | take | claim",
	      "attach 0000:01:00.0 to container 0 of c1 | detach | attach");
	end(&f);
}

static int done(void *context, const struct ward_plan_step *step, enum ward_action action,
		struct ward_error *ret_error)
{
	(void)context;
	(void)step;
	(void)action;
	(void)ret_error;
	return 0;
}

/* A plan is for the ownership that it was made for, as that was. */
static void stale(void **unused)
{
	const struct ward_executor executor = { .execute = done };
	struct ward_plan_result result;
	struct fixture f = { 0 };

	(void)unused;
	parts(&f.make);
	begin(&f, false);
	hand_over(&f, "01:00.0", WARD_OWNER_CLIENT, 0, NULL);
	apply(&f, (struct ward_event){ .kind = WARD_EVENT_UNBIND }, "02:00.0");
	assert_int_equal(ward_plan_run(f.own, f.plan, &executor, &result, NULL), -ESTALE);
	hand_over(&f, "01:00.0", WARD_OWNER_CLIENT, 0, NULL);
	assert_int_equal(ward_plan_run(f.own, f.plan, &executor, &result, NULL), 0);
	assert_int_equal(result.end, WARD_PLAN_DONE);
	assert_int_equal(result.failed, WARD_NONE);
	assert_int_equal(ward_plan_run(f.own, f.plan, &executor, &result, NULL), -ESTALE);
	end(&f);
}

static int make_plans(void *context)
{
	struct fixture *f = context;
	uint32_t functions[2] = { at(&f->make, "04:01.0"), at(&f->make, "04:02.0") };
	const struct ward_waiver waiver = {
		.code = "shared-intx",
		.any_function = true,
		.reason = "nobody listens",
	};
	const struct ward_hand_over to = {
		.size = sizeof(to),
		.functions = functions,
		.functions_count = 2,
		.to = WARD_OWNER_CLIENT,
		.waivers = &waiver,
		.waivers_count = 1,
	};
	const struct ward_event freeze = event_of(WARD_EVENT_FREEZE, functions, 1);
	struct ward_plan *plan = NULL;
	int code = ward_plan_hand_over(f->own, &to, &plan, NULL, NULL);

	if (code)
		return code;
	ward_plan_destroy(plan);
	plan = NULL;
	code = ward_plan_event(f->own, &freeze, &plan);
	ward_plan_destroy(plan);
	return code;
}

static void out_of_memory(void **unused)
{
	struct fixture f = { 0 };

	(void)unused;
	parts(&f.make);
	begin(&f, false);
	assert_true(test_sweep(make_plans, &f) > 10);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_to_client),
		cmocka_unit_test(client_to_host),
		cmocka_unit_test(client_to_client),
		cmocka_unit_test(several_functions),
		cmocka_unit_test(refused),
		cmocka_unit_test(of_no_sense),
		cmocka_unit_test(endpoints),
		cmocka_unit_test(by_force),
		cmocka_unit_test(revoked_at_once),
		cmocka_unit_test(plugged_in),
		cmocka_unit_test(vfs),
		cmocka_unit_test(frozen),
		cmocka_unit_test(stale),
		cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
