// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The way of an interrupt told hop by hop, and the same way gone: on machines of each kind. */
#include "isolate/make.h"

#include "app/model.h"
#include "sweep.h"

#define HOPS_MAX 64u

struct told {
	struct ward_trace_hop hop[HOPS_MAX];
	uint32_t count;
};

static void note(void *context, const struct ward_trace_hop *hop)
{
	struct told *told = context;

	assert_true(told->count < HOPS_MAX);
	assert_true(hop->text[0] != '\0');
	assert_true(told->count == 0 || hop->hop >= told->hop[told->count - 1].hop);
	assert_true(told->count == 0 || !told->hop[told->count - 1].stops);
	told->hop[told->count++] = *hop;
}

static const struct ward_trace_hop *last(const struct told *told)
{
	return &told->hop[told->count - 1];
}

static const struct ward_trace_hop *hop_of(const struct told *told, enum ward_hop which)
{
	for (uint32_t i = 0; i < told->count; i++)
		if (told->hop[i].hop == which)
			return &told->hop[i];
	fail_msg("no hop %s", ward_hop_name(which));
	abort();
}

static uint64_t field(const struct told *told, enum ward_hop which, const char *name)
{
	const struct ward_trace_hop *hop = hop_of(told, which);

	for (uint32_t i = 0; i < hop->fields_count; i++)
		if (strcmp(hop->fields[i].name, name) == 0)
			return hop->fields[i].value;
	fail_msg("hop %s has no %s", ward_hop_name(which), name);
	return 0;
}

/* What the state alone tells. */
static int trace_state(struct make *m, uint32_t vector, struct told *ret_told)
{
	const struct ward_trace_options options = {
		.size = sizeof(options),
		.state = m->state,
		.function = at(m, "01:00.0"),
		.index = WARD_IRQS_MSIX,
		.vector = vector,
	};

	ret_told->count = 0;
	return ward_trace_vector(&options, note, ret_told);
}

static void machine_with(struct make *m, void (*kind)(struct make *m), const char *driver)
{
	struct ward_function *f;

	kind(m);
	root_port(m, "00:1c.0", 1, ACS_ON);
	f = endpoint(m, "01:00.0");
	assert_non_null(f);
	f->msix_vectors = 64;
	if (driver)
		bound(m, "01:00.0", driver);
	make_done(m);
}

static void give_vector(struct make *m, uint32_t vector)
{
	const struct ward_host_vector given = {
		.irq = 40 + vector,
		.hwirq = 0x80000u | vector,
		.function = at(m, "01:00.0"),
		.controller = 0,
		.chip = "ITS-PCI-MSIX",
	};

	assert_int_equal(ward_state_add_vector(m->state, &given), 0);
	m->state->functions[at(m, "01:00.0")].irq_mode = WARD_IRQ_MSIX;
}

static void host_driver_takes_it(void **state)
{
	struct make m;
	struct told told;

	(void)state;
	machine_with(&m, make_arm_its, "nvme");
	give_vector(&m, 3);
	assert_int_equal(trace_state(&m, 3, &told), 0);
	assert_false(hop_of(&told, WARD_HOP_MESSAGE)->known);
	assert_int_equal(field(&told, WARD_HOP_HOST_INTERRUPT, "irq"), 43);
	assert_non_null(strstr(last(&told)->text, "nvme"));
	/* Another vector has no interrupt of the host. */
	assert_int_equal(trace_state(&m, 4, &told), 1);
	assert_int_equal(last(&told)->hop, WARD_HOP_HOST_INTERRUPT);
	assert_int_equal(trace_state(&m, 64, &told), -EINVAL);
	assert_int_equal(told.count, 0);
	make_free(&m);
}

/* On Arm a message goes through the function's space, whatever is known of its address. */
static void space_of_the_host(void **state)
{
	struct ward_space_options options = { .size = sizeof(options) };
	const enum ward_space_kind kinds[] = { WARD_SPACE_IDENTITY, WARD_SPACE_BLOCKED };
	struct ward_space *space;
	struct make m;
	struct told told;

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		machine_with(&m, make_arm_its, "nvme");
		give_vector(&m, 0);
		options.kind = kinds[i];
		assert_int_equal(ward_space_create(&options, &space), 0);
		assert_int_equal(ward_state_attach(m.state, at(&m, "01:00.0"), WARD_PASID_NONE,
						   space),
				 0);
		assert_int_equal(trace_state(&m, 0, &told), kinds[i] == WARD_SPACE_BLOCKED);
		assert_true(hop_of(&told, WARD_HOP_STAGE2)->known);
		assert_int_equal(last(&told)->hop, kinds[i] == WARD_SPACE_BLOCKED
							   ? WARD_HOP_STAGE2
							   : WARD_HOP_EVENTFD);
		make_free(&m);
		ward_space_destroy(space);
	}
	/* An IOMMU that is not in use. */
	machine_with(&m, make_arm_its, "nvme");
	give_vector(&m, 0);
	m.machine->iommus[0].active = WARD_NO;
	assert_int_equal(trace_state(&m, 0, &told), 0);
	assert_true(hop_of(&told, WARD_HOP_STAGE2)->known);
	make_free(&m);
}

/* Config space has the message of MSI; where nothing translates, it is followed. */
static void message_of_the_host(void **state)
{
	struct ward_trace_options options = { .size = sizeof(options), .index = WARD_IRQS_MSI };
	struct ward_function *f;
	struct make m;
	struct told told = { .count = 0 };

	(void)state;
	make_arm_v2m(&m, 4096, 1);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	f = endpoint(&m, "01:00.0");
	assert_non_null(f);
	f->msi = f->msi_enabled = f->msi_message_known = true;
	f->msi_vectors = 4;
	f->msi_message.address = ward_iova(m.controllers[0].doorbells[0].start + 0x40);
	f->msi_message.data = 0x60;
	m.iommus[0].active = WARD_NO;
	bound(&m, "01:00.0", "edu");
	make_done(&m);
	options.state = m.state;
	options.function = at(&m, "01:00.0");
	options.vector = 2;
	give_vector(&m, 2);
	m.state->functions[options.function].irq_mode = WARD_IRQ_MSI;
	assert_int_equal(ward_trace_vector(&options, note, &told), 0);
	assert_int_equal(field(&told, WARD_HOP_MESSAGE, "data"), 0x62);
	assert_int_equal(field(&told, WARD_HOP_DOORBELL, "address"),
			 m.controllers[0].doorbells[0].start + 0x40);
	/* Of MSI-X nobody tells, and nothing of MSI may stand for it. */
	options.index = WARD_IRQS_MSIX;
	m.state->functions[options.function].irq_mode = WARD_IRQ_MSIX;
	told.count = 0;
	assert_int_equal(ward_trace_vector(&options, note, &told), 0);
	assert_false(hop_of(&told, WARD_HOP_MESSAGE)->known);
	make_free(&m);
}

static void process_with_the_device_is_not_seen(void **state)
{
	struct make m;
	struct told told;

	(void)state;
	machine_with(&m, make_x86, "vfio-pci");
	give_vector(&m, 0);
	m.state->functions[at(&m, "01:00.0")].driver_yields = true;
	assert_int_equal(trace_state(&m, 0, &told), 1);
	assert_int_equal(last(&told)->hop, WARD_HOP_EVENTFD);
	assert_false(last(&told)->known);
	make_free(&m);
}

#define CLIENT 0u

/* A client that was given the function, and enabled some vectors. */
struct given {
	struct app_model *model;
	struct app_guest *guest;
	struct app_guest_function *at;
	struct ward_space *space;
};

static int give(struct make *m, uint32_t vectors, struct given *ret_given, struct ward_error *error)
{
	struct ward_plan_step step = { .function = at(m, "01:00.0"), .client = CLIENT };
	struct given given = { 0 };
	struct ward_executor executor;
	int code = app_model_create(m->machine, 1, false, &given.model, error);

	if (code)
		return code;
	executor = app_model_executor(given.model);
	code = executor.execute(executor.context, &step, WARD_ACTION_GIVE, error);
	if (!code)
		code = app_model_space(given.model, CLIENT, 0, step.function, &given.space, error);
	step.space = given.space;
	if (!code)
		code = executor.execute(executor.context, &step, WARD_ACTION_ATTACH, error);
	if (!code)
		code = app_model_enable(given.model, step.function, CLIENT, 0, vectors, error);
	if (code) {
		app_model_destroy(given.model);
		return code;
	}
	given.guest = given.model->clients[CLIENT].guest;
	given.at = app_guest_find(given.guest, step.function);
	*ret_given = given;
	return 0;
}

static int trace_guest(struct make *m, struct given *given, uint32_t vector, struct told *ret_told)
{
	const struct ward_trace_options options = {
		.size = sizeof(options),
		.state = m->state,
		.function = given->at->function,
		.index = given->at->index,
		.vector = vector,
		.device = given->at->device,
		.space = given->space,
		.wiring = given->at->wiring,
		.routes = given->guest->routes,
		.vm = given->guest->vm,
	};

	ret_told->count = 0;
	return ward_trace_vector(&options, note, ret_told);
}

/* How many interrupts the guest took of one that was raised. */
static int raise_one(struct given *given, uint32_t vector, struct ward_raise *ret_raise,
		     struct app_guest_arrival *ret_arrival)
{
	assert_int_equal(ward_model_raise(given->model->backend, given->at->function,
					  (enum ward_irq_index)given->at->index, vector, ret_raise),
			 0);
	return app_guest_take(given->guest, ret_arrival);
}

static int taken_of(struct given *given, uint32_t vector)
{
	struct ward_raise raise;

	return raise_one(given, vector, &raise, NULL);
}

static void start(struct make *m, struct given *ret_given, void (*kind)(struct make *m))
{
	struct ward_error error = { "" };

	machine_with(m, kind, NULL);
	if (give(m, 4, ret_given, &error))
		fail_msg("%s", error.text);
}

static void stop(struct make *m, struct given *given)
{
	app_model_destroy(given->model);
	make_free(m);
}

static void one_frame(struct make *m)
{
	make_arm_v2m(m, 4096, 1);
	m->controllers[0].first_intid = 80;
	m->controllers[0].intids = 64;
}

/* The first frame has room for one of the function's vectors. */
static void frames_in_a_row(struct make *m)
{
	one_frame(m);
	make_controller(m, WARD_CONTROLLER_GICV2M, WARD_NO, 0x8021000, 0x1000);
	m->controllers[1].first_intid = 80;
	m->controllers[1].intids = 64;
	m->controllers[0].first_intid = 200;
	m->controllers[0].intids = 1;
}

/* All vectors of a guest arrive, as told, once each. */
static void whole_way(void (*kind)(struct make *m), uint32_t first_number)
{
	bool arm = first_number != 0;
	struct app_guest_arrival arrival;
	struct ward_raise raise;
	struct given given;
	struct make m;
	struct told told;

	start(&m, &given, kind);
	for (uint32_t vector = 0; vector < 4; vector++) {
		assert_int_equal(trace_guest(&m, &given, vector, &told), 0);
		assert_int_equal(last(&told)->hop, WARD_HOP_VCPU);
		if (arm)
			assert_int_equal(field(&told, WARD_HOP_INTID, "number"),
					 first_number + vector);
		assert_int_equal(raise_one(&given, vector, &raise, &arrival), 1);
		assert_int_equal(raise.dma.target, field(&told, WARD_HOP_DOORBELL, "address"));
		assert_int_equal(raise.dma.interrupt.number,
				 field(&told, WARD_HOP_HOST_INTERRUPT, "number"));
		assert_int_equal(arrival.number, field(&told, WARD_HOP_INTID, "number"));
		assert_int_equal(arrival.cpu,
				 field(&told, WARD_HOP_VCPU, arm ? "cpu" : "destination"));
	}
	assert_int_equal(trace_guest(&m, &given, 4, &told), 1);
	assert_int_equal(taken_of(&given, 4), 0);
	stop(&m, &given);
}

static void whole_way_by_its(void **state)
{
	(void)state;
	whole_way(make_arm_its, WARD_GIC_FIRST_LPI);
}

static void whole_way_by_frame(void **state)
{
	(void)state;
	whole_way(one_frame, 96);
}

static void whole_way_by_frames(void **state)
{
	(void)state;
	whole_way(frames_in_a_row, 96);
}

static void whole_way_by_remapping(void **state)
{
	(void)state;
	whole_way(make_x86, 0);
}

static void whole_way_by_apic(void **state)
{
	(void)state;
	whole_way(make_x86_apic, 0);
}

static void mask(struct given *given, uint32_t vector, uint32_t bit)
{
	assert_int_equal(ward_vectors_write(given->at->vectors, WARD_MSIX_TABLE, vector * 16 + 12,
					    &bit, sizeof(bit)),
			 0);
	assert_int_equal(ward_wiring_sync(given->at->wiring, NULL), 0);
}

static void masked_by_the_guest(void **state)
{
	struct given given;
	struct make m;
	struct told told;

	(void)state;
	start(&m, &given, make_arm_its);
	mask(&given, 1, 1);
	assert_int_equal(taken_of(&given, 1), 0);
	assert_int_equal(trace_guest(&m, &given, 1, &told), 1);
	assert_int_equal(last(&told)->hop, WARD_HOP_IRQFD);
	assert_non_null(strstr(last(&told)->text, "masked"));
	assert_non_null(strstr(last(&told)->text, "waits in the eventfd"));
	/* What waited arrives, once. */
	mask(&given, 1, 0);
	assert_int_equal(trace_guest(&m, &given, 1, &told), 0);
	assert_true(ward_vm_model_dispatch(given.guest->vm, NULL) >= 0);
	stop(&m, &given);
}

static void doorbell_that_is_not_mapped(void **state)
{
	struct given given;
	struct make m;
	struct told told;

	(void)state;
	start(&m, &given, make_arm_its);
	assert_int_equal(ward_device_detach(given.at->device, WARD_PASID_NONE), 0);
	assert_int_equal(taken_of(&given, 0), 0);
	assert_int_equal(ward_device_attach(given.at->device, WARD_PASID_NONE, given.space), 0);
	assert_int_equal(taken_of(&given, 0), 1);
	/* The guest's own mistake: an address that is no doorbell of it. */
	assert_int_equal(ward_vectors_write(given.at->vectors, WARD_MSIX_TABLE, 2 * 16,
					    (const uint32_t[]){ 0x1000 }, 4),
			 0);
	assert_int_equal(ward_wiring_sync(given.at->wiring, NULL), 1);
	assert_int_equal(trace_guest(&m, &given, 2, &told), 1);
	assert_int_equal(last(&told)->hop, WARD_HOP_IRQFD);
	assert_non_null(strstr(last(&told)->text, "rings no doorbell"));
	stop(&m, &given);
}

static void guest_switched_its_off(void **state)
{
	const uint32_t off = 0;
	struct ward_vm_parts parts;
	struct given given;
	struct make m;
	struct told told;

	(void)state;
	start(&m, &given, make_arm_its);
	assert_int_equal(ward_vm_model_parts(given.guest->vm, &parts), 0);
	assert_int_equal(ward_its_write(parts.its, 0, &off, sizeof(off)), 0);
	assert_int_equal(trace_guest(&m, &given, 0, &told), 1);
	assert_int_equal(last(&told)->hop, WARD_HOP_INTID);
	assert_non_null(strstr(last(&told)->text, ward_interrupt_reason_text(WARD_REASON_OFF)));
	assert_int_equal(taken_of(&given, 0), 0);
	stop(&m, &given);
}

static void more_than_the_guest_has(void **state)
{
	struct ward_error error = { "" };
	struct given given;
	struct make m;

	(void)state;
	machine_with(&m, make_x86, NULL);
	assert_int_equal(give(&m, 300, &given, &error), -ENOSPC);
	assert_non_null(strstr(error.text, "vectors 0 to 255"));
	make_free(&m);
}

static int make_guest(void *context)
{
	struct make *m = context;
	struct given given;
	int code = give(m, 2, &given, NULL);

	/* Taking it apart commits routes, for which the memory was there a moment ago. */
	if (!code) {
		ward_fault_arm(0);
		app_model_destroy(given.model);
	}
	/* A controller without memory is hardware that does not do as it is told. */
	return code == -EIO ? -ENOMEM : code;
}

static void no_memory(void **state)
{
	struct make m;

	(void)state;
	machine_with(&m, make_arm_its, NULL);
	assert_true(test_sweep(make_guest, &m) > 0);
	make_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_driver_takes_it),
		cmocka_unit_test(space_of_the_host),
		cmocka_unit_test(message_of_the_host),
		cmocka_unit_test(process_with_the_device_is_not_seen),
		cmocka_unit_test(whole_way_by_its),
		cmocka_unit_test(whole_way_by_frame),
		cmocka_unit_test(whole_way_by_frames),
		cmocka_unit_test(whole_way_by_remapping),
		cmocka_unit_test(whole_way_by_apic),
		cmocka_unit_test(masked_by_the_guest),
		cmocka_unit_test(doorbell_that_is_not_mapped),
		cmocka_unit_test(guest_switched_its_off),
		cmocka_unit_test(more_than_the_guest_has),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
