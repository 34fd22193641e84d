// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* States as bytes: there and back, copies, clients renumbered; and that a failure changes no byte. */
#include "own/own.h"
#include "sweep.h"

struct packed {
	struct own t;
	size_t size;
	uint8_t *before, *after;
};

/* Two frames and an ITS, a card with VFs, a card of the host's. */
static void begin(struct packed *p)
{
	struct own *t = &p->t;

	make_arm_v2m(&t->m, 4096, 2);
	make_controller(&t->m, WARD_CONTROLLER_GICV3_ITS, WARD_YES, 0x8080000, 0x20000);
	t->m.controllers[1].pool = 1;
	root_port(&t->m, "00:01.0", 1, ACS_ON)->msix = false;
	endpoint(&t->m, "01:00.0")->controller = 2;
	vf(&t->m, "01:00.4", "0000:01:00.0")->controller = 2;
	vf(&t->m, "01:00.5", "0000:01:00.0")->controller = 2;
	root_port(&t->m, "00:02.0", 2, ACS_ON)->msix = false;
	endpoint(&t->m, "02:00.0");
	endpoint(&t->m, "02:00.1");
	root_port(&t->m, "00:03.0", 3, ACS_ON)->msix = false;
	endpoint(&t->m, "03:00.0")->controller = 1;
	own_begin(t, NULL, "a b c");
	p->size = ward_ownership_packed_size(t->o);
	p->before = malloc(p->size);
	p->after = malloc(p->size);
	assert_true(p->before && p->after);
}

static void end(struct packed *p)
{
	free(p->before);
	free(p->after);
	own_end(&p->t);
}

static void assert_same(struct packed *p)
{
	ward_ownership_pack(p->t.o, p->after);
	assert_memory_equal(p->before, p->after, p->size);
}

/* A bit of everything; ends unsettled when asked to. */
static void some_history(struct own *t, bool unsettled)
{
	assert_recorded(t, event(t, WARD_EVENT_FREEZE, "0000:00:03.0"));
	assert_allowed(t, claim(t, "a", "0000:02:00.0 0000:02:00.1"));
	assert_allowed(t, attach(t, "0000:02:00.0", 7));
	assert_allowed(t, claim(t, "b", "0000:01:00.5"));
	assert_allowed(t, claim(t, "c", "0000:01:00.4"));
	assert_allowed(t, event(t, WARD_EVENT_RELEASE, "0000:01:00.4"));
	assert_allowed(t, event(t, WARD_EVENT_REVOKE, "0000:01:00.5"));
	assert_allowed(t, bind_to(t, "nvme", "0000:03:00.0", false));
	assert_recorded(t, vector(t, "0000:03:00.0", 1));
	if (unsettled)
		assert_unsettled(t, vector(t, "0000:03:00.0", 0), "msi-frame-shared");
}

static void test_there_and_back(void **unused)
{
	(void)unused;
	for (unsigned int unsettled = 0; unsettled < 2; unsettled++) {
		struct packed p = { 0 };
		struct ward_ownership *other, *mine;
		struct ward_event next, also;

		begin(&p);
		assert_int_equal(ward_ownership_number_driver(p.t.o, "nvme"), 0);
		assert_int_equal(ward_ownership_copy(p.t.o, &other), 0);
		some_history(&p.t, unsettled);
		ward_ownership_pack(p.t.o, p.before);
		assert_int_equal(ward_ownership_unpack(other, p.before), 0);
		ward_ownership_pack(other, p.after);
		assert_memory_equal(p.before, p.after, p.size);
		assert_int_equal(ward_ownership_next(p.t.o, &next), unsettled);
		assert_int_equal(ward_ownership_next(other, &also), unsettled);
		if (unsettled) {
			assert_int_equal(next.kind, also.kind);
			assert_int_equal(next.functions[0], also.functions[0]);
		}
		/* What it becomes is the same. */
		mine = p.t.o;
		contain(&p.t);
		assert_allowed(&p.t, event(&p.t, WARD_EVENT_RELEASE, "0000:02:00.1"));
		ward_ownership_pack(p.t.o, p.before);
		p.t.o = other;
		contain(&p.t);
		assert_allowed(&p.t, event(&p.t, WARD_EVENT_RELEASE, "0000:02:00.1"));
		assert_same(&p);
		p.t.o = mine;
		ward_ownership_destroy(other);
		end(&p);
	}
}

static void test_copy_is_apart(void **unused)
{
	struct packed p = { 0 };
	struct ward_ownership *copy, *mine;

	(void)unused;
	begin(&p);
	some_history(&p.t, true);
	ward_ownership_pack(p.t.o, p.before);
	assert_int_equal(ward_ownership_copy(p.t.o, &copy), 0);
	mine = p.t.o;
	p.t.o = copy;
	assert_same(&p);
	assert_int_equal(contain(&p.t), 2);
	assert_recorded(&p.t, death(&p.t, "a"));
	p.t.o = mine;
	assert_same(&p);
	assert_int_equal(contain(&p.t), 2);
	ward_ownership_destroy(copy);
	end(&p);
}

/* The same things happen to other clients, in other containers: folded, they are the same state. */
static void test_fold(void **unused)
{
	static const uint32_t swap[] = { 1, 0, 2 };
	struct packed p = { 0 }, q = { 0 };

	(void)unused;
	begin(&p);
	begin(&q);
	assert_allowed(&p.t, claim(&p.t, "a", "0000:02:00.0 0000:02:00.1"));
	assert_allowed(&p.t, attach(&p.t, "0000:02:00.0", 0));
	assert_allowed(&p.t, claim(&p.t, "b", "0000:01:00.4"));
	assert_allowed(&p.t, event(&p.t, WARD_EVENT_RELEASE, "0000:01:00.4"));
	assert_allowed(&q.t, claim(&q.t, "b", "0000:02:00.0 0000:02:00.1"));
	assert_allowed(&q.t, attach(&q.t, "0000:02:00.0", 5));
	assert_allowed(&q.t, claim(&q.t, "a", "0000:01:00.4"));
	assert_allowed(&q.t, event(&q.t, WARD_EVENT_RELEASE, "0000:01:00.4"));
	ward_ownership_pack(p.t.o, p.before);
	ward_ownership_pack(q.t.o, p.after);
	assert_memory_not_equal(p.before, p.after, p.size);
	ward_ownership_fold(q.t.o, swap, p.after);
	assert_memory_equal(p.before, p.after, p.size);
	end(&q);
	end(&p);
}

/* Trying changes nothing, whatever the answer. */
static void test_try_changes_nothing(void **unused)
{
	struct packed p = { 0 };
	struct own *t = &p.t;
	struct ward_outcome outcome;
	struct ward_event e;

	(void)unused;
	begin(&p);
	some_history(t, false);
	ward_ownership_pack(t->o, p.before);
	for (unsigned int kind = 0; kind < WARD_EVENTS; kind++) {
		for (uint32_t i = 0; i < t->m.machine->functions_count; i++) {
			e = (struct ward_event){ .size = sizeof(e),
						 .kind = (enum ward_event_kind)kind,
						 .functions = &i,
						 .functions_count = 1,
						 .driver = "nvme",
						 .controller = i % 3 };
			if (ward_ownership_try(t->o, &e, &outcome, NULL) == 0) {
				assert_int_equal(outcome.event, 0);
				ward_outcome_finish(&outcome);
			}
			assert_same(&p);
		}
	}
	end(&p);
}

struct sweep {
	struct packed *p;
	struct ward_event event;
	bool apply;
};

/* Applies to a copy, so that each time is the first time. */
static int sweep_event(void *context)
{
	struct sweep *s = context;
	struct ward_ownership *copy, *mine = s->p->t.o;
	struct ward_outcome outcome = { .event = 0 };
	int err = ward_ownership_copy(mine, &copy);

	if (err)
		return err;
	err = s->apply ? ward_ownership_apply(copy, &s->event, &outcome, NULL)
		       : ward_ownership_try(copy, &s->event, &outcome, NULL);
	ward_outcome_finish(&outcome);
	if (err || !s->apply) {
		ward_ownership_pack(copy, s->p->after);
		assert_memory_equal(s->p->before, s->p->after, s->p->size);
	}
	ward_ownership_destroy(copy);
	return err;
}

static void sweep(struct packed *p, struct ward_event event)
{
	struct sweep s = { .p = p, .event = event };

	ward_ownership_pack(p->t.o, p->before);
	for (unsigned int apply = 0; apply < 2; apply++) {
		s.apply = apply;
		assert_true(test_sweep(sweep_event, &s) > 0);
	}
}

static void test_claim_sweep(void **unused)
{
	static const struct ward_waiver waiver = { .code = "intx-shared", .any_function = true };
	struct packed p = { 0 };
	struct ward_event e;

	(void)unused;
	begin(&p);
	e = event_of(&p.t, WARD_EVENT_CLAIM, "0000:02:00.0 0000:02:00.1 0000:01:00.4");
	e.waivers = &waiver;
	e.waivers_count = 1;
	sweep(&p, e);
	end(&p);
}

static void test_death_sweep(void **unused)
{
	struct packed p = { 0 };
	struct ward_event e;

	(void)unused;
	begin(&p);
	some_history(&p.t, false);
	e = event_of(&p.t, WARD_EVENT_DEATH, NULL);
	e.client = own_client_of(&p.t, "a");
	sweep(&p, e);
	end(&p);
}

static void test_containment_sweep(void **unused)
{
	struct packed p = { 0 };
	struct ward_event e;

	(void)unused;
	begin(&p);
	some_history(&p.t, false);
	e = event_of(&p.t, WARD_EVENT_VECTOR, "0000:03:00.0");
	sweep(&p, e);
	assert_unsettled(&p.t, happens(&p.t, e), "msi-frame-shared");
	assert_true(ward_ownership_next(p.t.o, &e));
	sweep(&p, e);
	end(&p);
}

/* Every other kind, one after the other, each as it would happen next. */
static void test_kinds_sweep(void **unused)
{
	const struct ward_space_options options = { .size = sizeof(options),
						    .kind = WARD_SPACE_UNMANAGED };
	struct packed p = { 0 };
	struct ward_space *space;
	const struct {
		enum ward_event_kind kind;
		const char *names;
		const struct ward_event with;
	} rows[] = {
		{ WARD_EVENT_BIND, "0000:03:00.0", { .driver = "nvme" } },
		{ WARD_EVENT_VECTOR, "0000:03:00.0", { .controller = 0 } },
		{ WARD_EVENT_UNBIND, "0000:03:00.0", { .fact = false } },
		{ WARD_EVENT_RESET, "0000:03:00.0", { .fact = false } },
		{ WARD_EVENT_BIND, "0000:01:00.0", { .driver = "vfio-pci" } },
		{ WARD_EVENT_CLAIM, "0000:01:00.0 0000:02:00.0 0000:02:00.1", { .client = 0 } },
		{ WARD_EVENT_ATTACH, "0000:01:00.0 0000:02:00.0", { .container = 1 } },
		{ WARD_EVENT_DETACH, "0000:02:00.0", { .fact = false } },
		{ WARD_EVENT_ATTACH, "0000:02:00.0", { .container = 2 } },
		{ WARD_EVENT_VECTOR, "0000:02:00.0", { .controller = 2 } },
		{ WARD_EVENT_FREEZE, "0000:02:00.0", { .fact = true } },
		{ WARD_EVENT_THAW, "0000:02:00.0", { .fact = false } },
		{ WARD_EVENT_REVOKE, "0000:01:00.0 0000:02:00.0", { .fact = false } },
		{ WARD_EVENT_RELEASE, "0000:01:00.0 0000:02:00.0", { .fact = false } },
		{ WARD_EVENT_VFS_OFF, "0000:01:00.0", { .fact = false } },
		{ WARD_EVENT_VFS_ON, "0000:01:00.0", { .driver = "ixgbevf" } },
		{ WARD_EVENT_QUARANTINE, "0000:01:00.4", { .fact = false } },
		{ WARD_EVENT_HOT_REMOVE, "0000:01:00.0 0000:03:00.0", { .fact = true } },
		{ WARD_EVENT_HOT_ADD, "0000:01:00.0 0000:03:00.0", { .driver = "nvme" } },
	};

	(void)unused;
	begin(&p);
	assert_int_equal(ward_space_create(&options, &space), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ward_event e = rows[i].with,
				  named = event_of(&p.t, rows[i].kind, rows[i].names);

		e.size = sizeof(e);
		e.kind = rows[i].kind;
		e.functions = named.functions;
		e.functions_count = named.functions_count;
		if (e.kind == WARD_EVENT_ATTACH && e.container == 2)
			e.space = space;
		sweep(&p, e);
		assert_int_equal(happens(&p.t, e), 0);
		if (p.t.outcome.decision == WARD_REFUSED)
			fail_msg("%s is refused: %s", ward_event_name(e.kind),
				 p.t.outcome.verdict->findings[0].text);
	}
	end(&p);
	ward_space_destroy(space);
}

static int sweep_create(void *context)
{
	struct packed *p = context;
	struct ward_ownership *o;
	int err = ward_ownership_create(p->t.m.machine, p->t.m.state, NULL, &o);

	if (!err)
		ward_ownership_destroy(o);
	return err;
}

static void test_create_sweep(void **unused)
{
	struct packed p = { 0 };

	(void)unused;
	begin(&p);
	assert_true(test_sweep(sweep_create, &p) > 0);
	end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_copy_is_apart),
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_try_changes_nothing),
		cmocka_unit_test(test_claim_sweep),
		cmocka_unit_test(test_death_sweep),
		cmocka_unit_test(test_containment_sweep),
		cmocka_unit_test(test_kinds_sweep),
		cmocka_unit_test(test_create_sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
