// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A new snapshot of the machine: everything that was known goes along. */
#include "own/own.h"
#include "sweep.h"

/* Two cards at a frame, and, where extra says so, a third one; somewhere says where the second one is. */
static void cards(struct make *m, const char *second, bool extra)
{
	make_arm_v2m(m, 4096, 1);
	root_port(m, "00:01.0", 1, ACS_ON)->msix = false;
	endpoint(m, "01:00.0");
	if (extra) {
		root_port(m, "00:02.0", 2, ACS_ON)->msix = false;
		endpoint(m, "02:00.0");
	}
	root_port(m, second, 3, ACS_ON)->msix = false;
	endpoint(m, "03:00.0");
}

static void end(struct own *t, struct make *m)
{
	own_end(t);
	make_free(m);
}

static void test_everything_goes_along(void **unused)
{
	struct ward_ownership *o;
	struct own t = { 0 };
	struct make m;
	struct ward_event e;

	(void)unused;
	cards(&t.m, "00:03.0", false);
	own_begin(&t, NULL, "a b");
	assert_allowed(&t, claim(&t, "b", "0000:03:00.0"));
	assert_allowed(&t, attach(&t, "0000:03:00.0", 4));
	assert_allowed(&t, bind_to(&t, "vfio-pci", "0000:01:00.0", false));
	assert_allowed(&t, event(&t, WARD_EVENT_UNBIND, "0000:01:00.0"));
	assert_unsettled(&t, bind_to(&t, "nvme", "0000:01:00.0", true), "msi-frame-shared");
	contain(&t);

	cards(&m, "00:03.0", true);
	make_done(&m);
	assert_int_equal(ward_ownership_rebase(t.o, m.machine, &o), 0);
	ward_ownership_destroy(t.o);
	t.o = o;
	/* From now on names mean the new machine. */
	make_free(&t.m);
	t.m = m;
	memset(&m, 0, sizeof(m));
	assert_int_equal(own_at(&t, "0000:03:00.0")->owner.kind, WARD_OWNER_CLIENT);
	assert_string_equal(ward_ownership_state(t.o)->clients[1], "b");
	assert_int_equal(own_at(&t, "0000:03:00.0")->owner.client, 1);
	assert_int_equal(ward_ownership_container(t.o, at(&t.m, "0000:03:00.0")), 4);
	assert_true(own_at(&t, "0000:01:00.0")->quarantined);
	assert_true(own_at(&t, "0000:02:00.0")->absent);
	assert_true(own_at(&t, "0000:00:02.0")->absent);
	e = event_of(&t, WARD_EVENT_HOT_ADD, "0000:00:02.0 0000:02:00.0");
	assert_recorded(&t, happens(&t, e));
	/* It is the seventh event, and the history knows of the fifth. */
	assert_int_equal(t.outcome.event, 7);
	{
		uint32_t count;
		const struct ward_exposure *x = ward_ownership_exposures(t.o, &count);

		assert_int_equal(count, 1);
		assert_int_equal(x->opened, 5);
		assert_int_equal(x->contained, 6);
		assert_int_equal(x->function, at(&t.m, "0000:03:00.0"));
	}
	assert_refused(&t, claim(&t, "a", "0000:02:00.0"), "msi-frame-shared");
	end(&t, &m);
}

/* The same address somewhere else is another function. */
static void test_moved_card(void **unused)
{
	struct ward_ownership *o;
	struct own t = { 0 };
	struct make m;

	(void)unused;
	cards(&t.m, "00:03.0", false);
	own_begin(&t, NULL, "a");
	cards(&m, "00:04.0", false);
	make_done(&m);
	assert_int_equal(ward_ownership_rebase(t.o, m.machine, &o), 0);
	assert_true(ward_ownership_state(o)->functions[at(&m, "0000:03:00.0")].absent);
	assert_false(ward_ownership_state(o)->functions[at(&m, "0000:01:00.0")].absent);
	ward_ownership_destroy(o);
	assert_allowed(&t, claim(&t, "a", "0000:03:00.0"));
	assert_int_equal(ward_ownership_rebase(t.o, m.machine, &o), -EINVAL);
	end(&t, &m);
}

/* What is open stays open, and is answered as it would have been. */
static void test_open_stays_open(void **unused)
{
	struct ward_ownership *o;
	struct own t = { 0 };
	struct make m;
	struct ward_event next;
	const struct ward_exposure *x;
	uint32_t count;

	(void)unused;
	cards(&t.m, "00:03.0", false);
	own_begin(&t, NULL, "a");
	assert_allowed(&t, claim(&t, "a", "0000:03:00.0"));
	assert_unsettled(&t, bind_to(&t, "nvme", "0000:01:00.0", true), "msi-frame-shared");
	cards(&m, "00:03.0", true);
	make_done(&m);
	assert_int_equal(ward_ownership_rebase(t.o, m.machine, &o), 0);
	assert_true(ward_ownership_next(o, &next));
	assert_int_equal(next.kind, WARD_EVENT_QUARANTINE);
	assert_int_equal(next.functions[0], at(&m, "0000:01:00.0"));
	assert_int_equal(ward_ownership_apply(o, &next, NULL, NULL), 0);
	assert_false(ward_ownership_next(o, &next));
	x = ward_ownership_exposures(o, &count);
	assert_int_equal(count, 1);
	assert_int_equal(x->opened, 2);
	assert_int_equal(x->contained, 3);
	ward_ownership_destroy(o);
	assert_true(ward_ownership_next(t.o, &next));
	end(&t, &m);
}

/* Three cards, the first at an ITS and the others at a frame. */
static void frame_and_its(struct make *m)
{
	make_arm_v2m(m, 4096, 1);
	make_controller(m, WARD_CONTROLLER_GICV3_ITS, WARD_YES, 0x8080000, 0x20000);
	root_port(m, "00:01.0", 1, ACS_ON)->msix = false;
	endpoint(m, "01:00.0")->controller = 1;
	root_port(m, "00:02.0", 2, ACS_ON)->msix = false;
	endpoint(m, "02:00.0");
	root_port(m, "00:03.0", 3, ACS_ON)->msix = false;
	endpoint(m, "03:00.0");
}

/* What is reached through a container only is reached on the new snapshot, too. */
static void test_open_by_a_container(void **unused)
{
	struct ward_ownership *o;
	struct own t = { 0 };
	struct make m;
	struct ward_event next;

	(void)unused;
	frame_and_its(&t.m);
	own_begin(&t, NULL, "a");
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0 0000:02:00.0"));
	assert_allowed(&t, attach(&t, "0000:01:00.0 0000:02:00.0", 0));
	assert_recorded(&t, event(&t, WARD_EVENT_FREEZE, "0000:02:00.0"));
	assert_unsettled(&t, bind_to(&t, "nvme", "0000:03:00.0", true), "msi-frame-shared");
	frame_and_its(&m);
	make_done(&m);
	assert_int_equal(ward_ownership_rebase(t.o, m.machine, &o), 0);
	assert_true(ward_ownership_next(o, &next));
	assert_int_equal(next.kind, WARD_EVENT_QUARANTINE);
	ward_ownership_destroy(o);
	end(&t, &m);
}

/* Vectors at a frame that the new snapshot does not have are not forgotten. */
static void test_controller_gone(void **unused)
{
	struct ward_ownership *o;
	struct own t = { 0 };
	struct make m;

	(void)unused;
	frame_and_its(&t.m);
	own_begin(&t, NULL, "a");
	assert_allowed(&t, bind_to(&t, "nvme", "0000:01:00.0", false));
	frame_and_its(&m);
	m.controllers[1].doorbells[0].start += 0x10000;
	m.controllers[1].doorbells[0].last += 0x10000;
	make_done(&m);
	assert_int_equal(ward_ownership_rebase(t.o, m.machine, &o), 0);
	ward_ownership_destroy(o);
	assert_recorded(&t, vector(&t, "0000:01:00.0", 1));
	assert_int_equal(ward_ownership_rebase(t.o, m.machine, &o), -EINVAL);
	end(&t, &m);
}

struct sweep {
	const struct ward_ownership *from;
	const struct ward_machine *machine;
};

static int sweep_rebase(void *context)
{
	struct sweep *s = context;
	struct ward_ownership *o;
	int err = ward_ownership_rebase(s->from, s->machine, &o);

	if (!err)
		ward_ownership_destroy(o);
	return err;
}

static void test_sweep_rebase(void **unused)
{
	struct own t = { 0 };
	struct make m;
	struct sweep s;

	(void)unused;
	cards(&t.m, "00:03.0", false);
	own_begin(&t, NULL, "a");
	assert_allowed(&t, claim(&t, "a", "0000:03:00.0"));
	assert_unsettled(&t, bind_to(&t, "nvme", "0000:01:00.0", true), "msi-frame-shared");
	cards(&m, "00:03.0", true);
	make_done(&m);
	s = (struct sweep){ t.o, m.machine };
	assert_true(test_sweep(sweep_rebase, &s) > 0);
	end(&t, &m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_goes_along),
		cmocka_unit_test(test_moved_card),
		cmocka_unit_test(test_open_stays_open),
		cmocka_unit_test(test_open_by_a_container),
		cmocka_unit_test(test_controller_gone),
		cmocka_unit_test(test_sweep_rebase),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
