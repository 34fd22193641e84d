/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Hand-overs on the software machine, with a hostile function at every step: after each single action
 * the functions that change hands try all memory, under all addresses anybody ever had, and raise what
 * they have and what they had. What they touch is their owner's of that moment, and there is one owner
 * at most: there is never a gap.
 */
#include "own/plan_rig.h"
#include "sweep.h"

#include <doorward/plan.h>

#define CHANGING 2u
#define MESSAGES 16u

/* Of a function that changes hands. */
struct victim {
	uint32_t function;
	/* Messages it was ever told to write. */
	struct ward_message messages[MESSAGES];
	uint32_t messages_count;
};

struct watch {
	struct plan_rig r;
	struct ward_executor real;
	struct victim victims[CHANGING];
	uint32_t victims_count;
	uint32_t bystander;
	unsigned int attacks, memory, interrupts;
	bool expected; /* that a hand-over fails */
};

/* Whose the memory at a physical address is: host, a client, or nobody's. */
static struct ward_owner memory_of(const struct watch *w, uint64_t target)
{
	for (uint32_t i = 0; i < CLIENTS; i++)
		if (target - CLIENT_MEMORY(i) < 0x1000)
			return (struct ward_owner){ WARD_OWNER_CLIENT, i };
	for (uint32_t i = 0; i < w->r.machine->functions_count; i++)
		if (ward_range_has(ward_model_executor_memory(w->r.executor, i), target))
			return (struct ward_owner){ .kind = WARD_OWNER_HOST };
	return (struct ward_owner){ .kind = WARD_OWNER_NOBODY };
}

static bool same(struct ward_owner a, struct ward_owner b)
{
	return a.kind == b.kind && (a.kind != WARD_OWNER_CLIENT || a.client == b.client);
}

static struct ward_owner owner_now(const struct watch *w, uint32_t function)
{
	return ward_ownership_state(w->r.own)->functions[function].owner;
}

/* The host's functions reach what is their own driver's, or that of one with the same id. */
static bool is_own_memory(const struct watch *w, uint32_t function, uint64_t target)
{
	if (ward_range_has(ward_model_executor_memory(w->r.executor, function), target))
		return true;
	for (uint32_t i = 0; i < w->victims_count; i++)
		if (ward_range_has(ward_model_executor_memory(w->r.executor,
							      w->victims[i].function),
				   target))
			return w->r.machine->functions[function].aliases > 0;
	return false;
}

static void try_memory(struct watch *w, uint32_t function, uint64_t iova)
{
	uint64_t word = 0x6b6b6b6b6b6b6b6b;
	const struct ward_dma dma = {
		.pasid = WARD_PASID_NONE,
		.address = ward_iova(iova),
		.write = true,
		.bytes = &word,
		.size = sizeof(word),
	};
	struct ward_dma_result result = { 0 };
	struct ward_owner owner = owner_now(w, function), reached;

	w->attacks++;
	assert_int_equal(ward_model_dma(w->r.rig.backend, function, &dma, &result), 0);
	assert_int_not_equal(result.end, WARD_DMA_BAR);
	if (result.end != WARD_DMA_MEMORY)
		return;
	w->memory++;
	reached = memory_of(w, result.target);
	if (!same(owner, reached))
		fail_msg("function %u reaches 0x%llx", function, (unsigned long long)result.target);
	if (owner.kind == WARD_OWNER_HOST)
		assert_true(is_own_memory(w, function, result.target));
	if (owner.kind == WARD_OWNER_CLIENT)
		assert_int_not_equal(ward_ownership_container(w->r.own, function), WARD_NONE);
	assert_int_not_equal(reached.kind, WARD_OWNER_NOBODY);
}

/* Whom an interrupt disturbs: its owner's function, or nobody. */
static void look_at_interrupt(struct watch *w, uint32_t function,
			      const struct ward_dma_result *result)
{
	uint32_t whose;

	if (result->end != WARD_DMA_DOORBELL ||
	    ward_model_whose(w->r.rig.backend, result->index, &result->interrupt, &whose, NULL,
			     NULL))
		return;
	w->interrupts++;
	assert_true(same(owner_now(w, whose), owner_now(w, function)));
	assert_int_not_equal(whose, w->bystander);
}

static void remember(struct victim *victim, struct ward_message message)
{
	for (uint32_t i = 0; i < victim->messages_count; i++)
		if (victim->messages[i].address == message.address &&
		    victim->messages[i].data == message.data)
			return;
	assert_true(victim->messages_count < MESSAGES);
	victim->messages[victim->messages_count++] = message;
}

static void note_messages(struct watch *w, struct victim *victim)
{
	struct ward_device *device = ward_model_executor_device(w->r.executor, victim->function);

	for (uint32_t index = WARD_IRQS_MSI; device && index <= WARD_IRQS_MSIX; index++) {
		struct ward_irq_info info = { 0 };

		assert_int_equal(ward_device_irq_info(device, index, &info), 0);
		for (uint32_t i = 0; i < info.count; i++) {
			struct ward_host_irq irq = irq_of(device, index, i);

			if (irq.allocated && irq.message_known)
				remember(victim, irq.message);
		}
	}
}

static void try_interrupts(struct watch *w, struct victim *victim)
{
	struct ward_raise raised = { 0 };
	struct ward_dma_result result;

	for (uint32_t vector = 0; vector < 8; vector++)
		for (uint32_t index = WARD_IRQS_MSI; index <= WARD_IRQS_MSIX; index++)
			if (!ward_model_raise(w->r.rig.backend, victim->function,
					      (enum ward_irq_index)index, vector, &raised) &&
			    !raised.masked)
				look_at_interrupt(w, victim->function, &raised.dma);
	/* What it was told once, it writes for ever. */
	for (uint32_t i = 0; i < victim->messages_count; i++) {
		uint32_t data = victim->messages[i].data;
		const struct ward_dma dma = {
			.pasid = WARD_PASID_NONE,
			.address = victim->messages[i].address,
			.write = true,
			.bytes = &data,
			.size = sizeof(data),
		};

		w->attacks++;
		assert_int_equal(ward_model_dma(w->r.rig.backend, victim->function, &dma, &result),
				 0);
		look_at_interrupt(w, victim->function, &result);
	}
}

static void attack(struct watch *w)
{
	for (uint32_t i = 0; i < w->victims_count; i++) {
		struct victim *victim = &w->victims[i];

		note_messages(w, victim);
		for (uint32_t k = 0; k < w->r.machine->functions_count; k++) {
			uint64_t own = (uint64_t)k * WARD_MODEL_DRIVER_BYTES;

			try_memory(w, victim->function, WARD_MODEL_DRIVER_IOVA + own);
			try_memory(w, victim->function, DRIVER_MEMORY + own);
		}
		for (uint32_t k = 0; k < CLIENTS; k++) {
			try_memory(w, victim->function, CLIENT_IOVA(k));
			try_memory(w, victim->function, CLIENT_MEMORY(k));
		}
		try_memory(w, victim->function, TABLES);
		try_interrupts(w, victim);
	}
}

/* Each action, and then the worst that can be done. */
static int watched(void *context, const struct ward_plan_step *step, enum ward_action action,
		   struct ward_error *ret_error)
{
	struct watch *w = context;
	int code;

	attack(w);
	code = w->real.execute(w->real.context, step, action, ret_error);
	attack(w);
	return code;
}

/* Where controllers do not isolate, the card has them to itself: the others are without a driver. */
static struct watch *watch(enum irq_machine kind, const char *names)
{
	struct watch *w = calloc(1, sizeof(*w));
	uint32_t functions[CHANGING];

	assert_non_null(w);
	if (kind == ON_V2M)
		rig_one_driver(&w->r, kind);
	else
		rig_hosts(&w->r, kind);
	w->real = rig_executor(&w->r);
	w->victims_count = rig_functions(w->r.machine, names, functions);
	for (uint32_t i = 0; i < w->victims_count; i++)
		w->victims[i].function = functions[i];
	w->bystander = at_of(w->r.machine, "02:00.0");
	return w;
}

/* The bystander's driver has its memory and its interrupts to itself. */
static void unwatch(struct watch *w)
{
	const struct ward_range memory = ward_model_executor_memory(w->r.executor, w->bystander);
	uint64_t word;

	assert_int_equal(ward_model_executor_rung(w->r.executor, w->bystander), 0);
	assert_int_equal(ward_memory_read_u64(w->r.rig.memory, memory.start, &word), 0);
	assert_int_equal(word, 0);
	rig_disown(&w->r);
	free(w);
}

static struct ward_plan_result run(struct watch *w, const char *names, enum ward_owner_kind to,
				   uint32_t client)
{
	const struct ward_executor executor = { .execute = watched, .context = w };
	struct ward_plan_result result = { 0 };
	struct ward_error why = { "" };
	struct ward_plan *plan;

	assert_int_equal(rig_hand_over(&w->r, names, to, client, &plan), 0);
	assert_non_null(plan);
	assert_int_equal(ward_plan_run(w->r.own, plan, &executor, &result, &why), 0);
	if (result.end != WARD_PLAN_DONE && !w->expected)
		print_error("step %u: %s\n", (unsigned int)result.failed, why.text);
	ward_plan_destroy(plan);
	attack(w);
	return result;
}

static void hand(struct watch *w, const char *names, enum ward_owner_kind to, uint32_t client)
{
	assert_int_equal(run(w, names, to, client).end, WARD_PLAN_DONE);
	assert_agree(&w->r);
	for (uint32_t i = 0; i < w->victims_count; i++) {
		assert_int_equal(owner_now(w, w->victims[i].function).kind, to);
		if (to == WARD_OWNER_CLIENT)
			assert_int_equal(owner_now(w, w->victims[i].function).client, client);
	}
	rig_tell_vectors(&w->r);
}

/* A client sets its vectors up, and hears them. */
static void set_up_vectors(struct watch *w, int fd)
{
	struct ward_device *device =
		ward_model_executor_device(w->r.executor, w->victims[0].function);
	struct ward_raise raised;

	bus_master(device);
	assert_int_equal(set_fds(device, WARD_IRQS_MSI, 0, 1, &fd), 0);
	assert_int_equal(ward_model_raise(w->r.rig.backend, w->victims[0].function, WARD_IRQS_MSI,
					  0, &raised),
			 0);
	assert_int_equal(rung(fd), 1);
	rig_tell_vectors(&w->r);
}

/* Host, client, other client, host; then nobody, and a client. */
static void round_trip(enum irq_machine kind, const char *names)
{
	struct watch *w = watch(kind, names);
	int first = new_eventfd(), second = new_eventfd();

	attack(w);
	assert_true(w->memory > 0 && w->interrupts > 0);
	hand(w, names, WARD_OWNER_CLIENT, 0);
	set_up_vectors(w, first);
	attack(w);
	rung(first);
	hand(w, names, WARD_OWNER_CLIENT, 1);
	rung(first);
	set_up_vectors(w, second);
	attack(w);
	/* Whoever had it before hears nothing any more. */
	assert_int_equal(rung(first), 0);
	hand(w, names, WARD_OWNER_HOST, 0);
	rung(second);
	ward_model_executor_rung(w->r.executor, w->victims[0].function);
	attack(w);
	assert_int_equal(rung(second), 0);
	assert_true(ward_model_executor_rung(w->r.executor, w->victims[0].function) > 0);
	hand(w, names, WARD_OWNER_NOBODY, 0);
	w->memory = w->interrupts = 0;
	attack(w);
	assert_int_equal(w->memory, 0);
	assert_int_equal(w->interrupts, 0);
	hand(w, names, WARD_OWNER_CLIENT, 1);
	close(first);
	close(second);
	unwatch(w);
}

static void never_a_gap(void **unused)
{
	(void)unused;
	round_trip(ON_ITS, "01:00.0");
	round_trip(ON_REMAPPING, "01:00.0");
	round_trip(ON_V2M, "01:00.0");
}

static void never_a_gap_with_one_id(void **unused)
{
	(void)unused;
	round_trip(ON_ITS, "04:01.0 04:02.0");
}

/* How everything was, to compare with. */
struct before {
	struct ward_owner owner[CHANGING];
	const char *driver[CHANGING];
	uint32_t container[CHANGING];
	uint8_t *packed;
};

static void note_before(const struct watch *w, struct before *before)
{
	for (uint32_t i = 0; i < w->victims_count; i++) {
		uint32_t function = w->victims[i].function;

		before->owner[i] = owner_now(w, function);
		before->driver[i] = ward_ownership_state(w->r.own)->functions[function].driver;
		before->container[i] = ward_ownership_container(w->r.own, function);
	}
	before->packed = malloc(ward_ownership_packed_size(w->r.own));
	assert_non_null(before->packed);
	ward_ownership_pack(w->r.own, before->packed);
}

static void assert_as_before(const struct watch *w, const struct before *before)
{
	size_t size = ward_ownership_packed_size(w->r.own);
	uint8_t *now;

	for (uint32_t i = 0; i < w->victims_count; i++) {
		uint32_t function = w->victims[i].function;
		const char *driver = ward_ownership_state(w->r.own)->functions[function].driver;

		assert_true(same(before->owner[i], owner_now(w, function)));
		assert_int_equal(before->container[i],
				 ward_ownership_container(w->r.own, function));
		assert_int_equal(!driver, !before->driver[i]);
		if (driver)
			assert_string_equal(driver, before->driver[i]);
	}
	/* A client sets up its vectors anew; of a driver everything is as it was. */
	if (before->owner[0].kind != WARD_OWNER_HOST)
		return;
	now = malloc(size);
	assert_non_null(now);
	ward_ownership_pack(w->r.own, now);
	assert_memory_equal(now, before->packed, size);
	free(now);
}

static void assert_at_nobody(struct watch *w)
{
	for (uint32_t i = 0; i < w->victims_count; i++) {
		const struct ward_function_state *f =
			&ward_ownership_state(w->r.own)->functions[w->victims[i].function];

		assert_int_equal(f->owner.kind, WARD_OWNER_NOBODY);
		assert_null(f->driver);
		assert_int_not_equal(f->tainted_by.kind, WARD_OWNER_NOBODY);
	}
	w->memory = w->interrupts = 0;
	attack(w);
	assert_int_equal(w->memory, 0);
	assert_int_equal(w->interrupts, 0);
}

/* From whom to whom. */
struct way {
	const char *names;
	enum ward_owner_kind from, to;
	uint32_t from_client, to_client;
};

static struct watch *at_start(const struct way *way)
{
	struct watch *w = watch(ON_ITS, way->names);

	if (way->from == WARD_OWNER_CLIENT)
		rig_handed_over(&w->r, way->names, WARD_OWNER_CLIENT, way->from_client);
	w->r.calls = 0;
	w->expected = true;
	return w;
}

/* Fails calls first and second (0: none), or all from all_from on; tells how it ended. */
static enum ward_plan_end fail_calls(const struct way *way, unsigned int first, unsigned int second,
				     unsigned int all_from, unsigned int *ret_calls)
{
	struct watch *w = at_start(way);
	struct before before;
	struct ward_plan_result result;

	note_before(w, &before);
	w->r.fails[0] = first;
	w->r.fails[1] = second;
	w->r.all_from = all_from;
	result = run(w, way->names, way->to, way->to_client);
	*ret_calls = w->r.calls;
	w->r.fails[0] = w->r.fails[1] = w->r.all_from = 0;
	assert_agree(&w->r);
	if (result.end == WARD_PLAN_UNDONE)
		assert_as_before(w, &before);
	else if (result.end == WARD_PLAN_AT_NOBODY)
		assert_at_nobody(w);
	if (result.end != WARD_PLAN_DONE) {
		assert_int_equal(result.error, -EIO);
		assert_int_not_equal(result.failed, WARD_NONE);
		/* From wherever it ended, the same can be had. */
		rig_handed_over(&w->r, way->names, way->to, way->to_client);
		assert_agree(&w->r);
	}
	free(before.packed);
	unwatch(w);
	return result.end;
}

/* Every action fails in turn; each of those with everything that undoes it failing in turn. */
static void sweep_failures(const struct way *way)
{
	unsigned int steps, calls, undone = 0, nobody = 0;

	assert_int_equal(fail_calls(way, 0, 0, 0, &steps), WARD_PLAN_DONE);
	for (unsigned int first = 1; first <= steps; first++) {
		assert_int_equal(fail_calls(way, first, 0, 0, &calls), WARD_PLAN_UNDONE);
		undone++;
		for (unsigned int second = first + 1; second <= calls; second++) {
			unsigned int ignored;

			assert_int_equal(fail_calls(way, first, second, 0, &ignored),
					 WARD_PLAN_AT_NOBODY);
			nobody++;
		}
		if (calls > first) {
			unsigned int ignored;

			assert_int_equal(fail_calls(way, 0, 0, first, &ignored),
					 WARD_PLAN_AT_NOBODY);
		}
	}
	assert_true(undone >= 4 && nobody >= 4);
}

static void every_step_fails(void **unused)
{
	static const struct way ways[] = {
		{ "01:00.0", WARD_OWNER_HOST, WARD_OWNER_CLIENT, 0, 0 },
		{ "01:00.0", WARD_OWNER_CLIENT, WARD_OWNER_HOST, 0, 0 },
		{ "01:00.0", WARD_OWNER_CLIENT, WARD_OWNER_CLIENT, 0, 1 },
		{ "04:01.0 04:02.0", WARD_OWNER_HOST, WARD_OWNER_CLIENT, 0, 1 },
		{ "04:01.0 04:02.0", WARD_OWNER_CLIENT, WARD_OWNER_CLIENT, 1, 0 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		sweep_failures(&ways[i]);
}

/* A card that does not come back from its reset goes to nobody else, and back to where it was. */
static void reset_does_nothing(void **unused)
{
	const struct ward_model_temper deaf = { .ignores_resets = true };
	struct watch *w = watch(ON_ITS, "01:00.0");
	struct ward_plan_result result;

	(void)unused;
	w->expected = true;
	ward_model_set_temper(w->r.rig.backend, &deaf);
	result = run(w, "01:00.0", WARD_OWNER_CLIENT, 0);
	assert_int_equal(result.end, WARD_PLAN_UNDONE);
	assert_int_equal(result.error, -EIO);
	assert_int_equal(result.failed, 3);
	assert_agree(&w->r);
	assert_int_equal(owner_now(w, w->victims[0].function).kind, WARD_OWNER_HOST);
	unwatch(w);
}

static int body(void *context)
{
	struct plan_rig *r = context;
	struct ward_executor executor = rig_executor(r);
	struct ward_plan_result result = { .end = WARD_PLAN_DONE };
	struct ward_plan *plan = NULL;
	int code = rig_hand_over(r, "01:00.0", WARD_OWNER_CLIENT, 0, &plan);

	if (!code)
		code = ward_plan_run(r->own, plan, &executor, &result, NULL);
	if (!code)
		code = result.error;
	ward_plan_destroy(plan);
	assert_agree(r);
	/* Back, whatever became of it. */
	if (!code) {
		code = rig_hand_over(r, "01:00.0", WARD_OWNER_HOST, 0, &plan);
		if (!code)
			code = ward_plan_run(r->own, plan, &executor, &result, NULL);
		if (!code)
			code = result.error;
		ward_plan_destroy(plan);
		assert_agree(r);
	}
	if (code && state_of(r, "01:00.0")->owner.kind != WARD_OWNER_HOST)
		rig_handed_over(r, "01:00.0", WARD_OWNER_HOST, 0);
	return code;
}

static void out_of_memory(void **unused)
{
	struct plan_rig r;

	(void)unused;
	rig_hosts(&r, ON_ITS);
	assert_true(test_sweep(body, &r) > 20);
	rig_disown(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_a_gap),	    cmocka_unit_test(never_a_gap_with_one_id),
		cmocka_unit_test(every_step_fails), cmocka_unit_test(reset_does_nothing),

		cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
