/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A software machine with an ownership and an executor: cards 01:00.0 and 02:00.0 behind ports of their
 * own, two conventional ones that share an id behind a bridge (04:01.0, 04:02.0); two clients with a
 * space each, in which a page of theirs is mapped.
 */
#ifndef TESTS_OWN_PLAN_RIG_H
#define TESTS_OWN_PLAN_RIG_H

#include "backend/irq_rig.h"

#include <doorward/backend/model_executor.h>

#include "own/ownership.h"

#define DRIVER_MEMORY (RAM + 0x40000)
#define DRIVER_SIZE 0x40000ull
#define CLIENTS 2u
/* A client's page: where it is, and where it is mapped for its functions. */
#define CLIENT_MEMORY(client) (RAM + 0x1000ull * (client))
#define CLIENT_IOVA(client) (0x200000ull + 0x10000ull * (client))

struct plan_rig {
	struct rig rig;
	const struct ward_machine *machine;
	struct ward_ownership *own;
	struct ward_model_executor *executor;
	struct ward_space *spaces[CLIENTS];
	/* Which calls of actions (but BLOCK) fail, counted from 1; from all_from on all do. */
	unsigned int calls, fails[2], all_from;
	const char *msi_off; /* who may raise no messages; or NULL */
};

static inline int rig_fail(void *context, const struct ward_plan_step *step,
			   enum ward_action action)
{
	struct plan_rig *r = context;

	(void)step;
	(void)action;
	r->calls++;
	return r->calls == r->fails[0] || r->calls == r->fails[1] ||
			       (r->all_from && r->calls >= r->all_from)
		       ? -EIO
		       : 0;
}

/* Clients have container 0 alone. */
static inline struct ward_space *rig_container(void *context, uint32_t client, uint32_t container)
{
	struct plan_rig *r = context;

	return client < CLIENTS && !container ? r->spaces[client] : NULL;
}

static inline void rig_clients(struct plan_rig *r)
{
	static const char *const names[CLIENTS] = { "c0", "c1" };
	uint32_t client;

	for (uint32_t i = 0; i < CLIENTS; i++) {
		assert_int_equal(ward_ownership_client(r->own, names[i], &client), 0);
		assert_int_equal(client, i);
		r->spaces[i] = rig_space(&r->rig, WARD_SPACE_UNMANAGED);
		assert_int_equal(rig_map(r->spaces[i], CLIENT_IOVA(i), CLIENT_MEMORY(i)), 0);
	}
}

/* Vectors that drivers have are told to the ownership. */
static inline void rig_tell_vectors(struct plan_rig *r)
{
	for (uint32_t i = 0; i < r->machine->functions_count; i++) {
		uint32_t cursor = 0, controller;

		while (ward_model_executor_landed(r->executor, i, &cursor, &controller)) {
			const struct ward_event event = {
				.size = sizeof(event),
				.kind = WARD_EVENT_VECTOR,
				.functions = &i,
				.functions_count = 1,
				.controller = controller,
			};

			assert_int_equal(ward_ownership_apply(r->own, &event, NULL, NULL), 0);
		}
	}
}

/* make is filled, drivers are bound in it. */
static inline void rig_own(struct plan_rig *r)
{
	const struct ward_model_executor_options options = {
		.size = sizeof(options),
		.driver_memory = { DRIVER_MEMORY, DRIVER_MEMORY + DRIVER_SIZE - 1 },
		.driver_vectors = 2,
		.space = rig_container,
		.fail = rig_fail,
		.context = r,
	};
	struct ward_error why = { "" };

	rig_start(&r->rig);
	r->machine = r->rig.make.machine;
	if (r->msi_off)
		r->rig.make.state->functions[at_of(r->machine, r->msi_off)].msi_off = true;
	assert_int_equal(ward_ownership_create(r->machine, r->rig.make.state, NULL, &r->own), 0);
	rig_clients(r);
	assert_int_equal(ward_model_executor_create(r->machine, r->rig.backend, &options,
						    &r->executor),
			 0);
	if (ward_model_executor_adopt(r->executor, r->own, &why))
		fail_msg("%s", why.text);
	rig_tell_vectors(r);
	r->calls = 0;
}

static inline void rig_disown(struct plan_rig *r)
{
	ward_model_executor_destroy(r->executor);
	for (uint32_t i = 0; i < CLIENTS; i++)
		ward_space_destroy(r->spaces[i]);
	ward_ownership_destroy(r->own);
	assert_int_equal(r->rig.misuses, 0);
	rig_end(&r->rig);
}

/* All four are the host's, with drivers. */
static inline void rig_hosts(struct plan_rig *r, enum irq_machine kind)
{
	memset(r, 0, sizeof(*r));
	irq_controllers(&r->rig.make, kind);
	irq_functions(&r->rig.make);
	bound(&r->rig.make, "01:00.0", "nvme");
	bound(&r->rig.make, "02:00.0", "e1000e");
	bound(&r->rig.make, "04:01.0", "snd");
	bound(&r->rig.make, "04:02.0", "sym53c8xx");
	rig_own(r);
}

static inline void rig_one_driver(struct plan_rig *r, enum irq_machine kind)
{
	memset(r, 0, sizeof(*r));
	irq_controllers(&r->rig.make, kind);
	irq_functions(&r->rig.make);
	bound(&r->rig.make, "01:00.0", "nvme");
	rig_own(r);
}

static inline struct ward_executor rig_executor(struct plan_rig *r)
{
	return ward_model_executor(r->executor);
}

/* Functions by names that stand in one text, by spaces. */
static inline uint32_t rig_functions(const struct ward_machine *machine, const char *names,
				     uint32_t *ret_functions)
{
	char text[256], *save = NULL;
	uint32_t count = 0;

	snprintf(text, sizeof(text), "%s", names);
	for (char *name = strtok_r(text, " ", &save); name; name = strtok_r(NULL, " ", &save))
		ret_functions[count++] = at_of(machine, name);
	return count;
}

/* A plan of a hand-over to a client's container 0, to the host, or to nobody. */
static inline int rig_hand_over(struct plan_rig *r, const char *names, enum ward_owner_kind to,
				uint32_t client, struct ward_plan **ret_plan)
{
	static const char *const drivers[] = { NULL, "nvme", NULL };
	uint32_t functions[8];
	const struct ward_hand_over hand_over = {
		.size = sizeof(hand_over),
		.functions = functions,
		.functions_count = rig_functions(r->machine, names, functions),
		.to = to,
		.client = client,
		.space = to == WARD_OWNER_CLIENT ? r->spaces[client] : NULL,
		.driver = drivers[to],
	};

	*ret_plan = NULL;
	return ward_plan_hand_over(r->own, &hand_over, ret_plan, NULL, NULL);
}

/* The same, carried out. */
static inline void rig_handed_over(struct plan_rig *r, const char *names, enum ward_owner_kind to,
				   uint32_t client)
{
	struct ward_executor executor = rig_executor(r);
	struct ward_plan_result result;
	struct ward_error why = { "" };
	struct ward_plan *plan;

	assert_int_equal(rig_hand_over(r, names, to, client, &plan), 0);
	assert_non_null(plan);
	assert_int_equal(ward_plan_run(r->own, plan, &executor, &result, &why), 0);
	if (result.end != WARD_PLAN_DONE)
		fail_msg("%s", why.text);
	ward_plan_destroy(plan);
}

static inline const struct ward_function_state *state_of(const struct plan_rig *r, const char *name)
{
	return &ward_ownership_state(r->own)->functions[at_of(r->machine, name)];
}

/* The executor's hands are those that the ownership says. */
static inline void assert_agree(const struct plan_rig *r)
{
	const struct ward_state *state = ward_ownership_state(r->own);

	for (uint32_t i = 0; i < r->machine->functions_count; i++) {
		const struct ward_function_state *f = &state->functions[i];
		uint32_t container;
		struct ward_owner holder = ward_model_executor_holder(r->executor, i, &container);
		bool held = f->owner.kind == WARD_OWNER_CLIENT ||
			    (f->owner.kind == WARD_OWNER_HOST && f->driver);

		assert_int_equal(holder.kind, held ? f->owner.kind : WARD_OWNER_NOBODY);
		if (holder.kind == WARD_OWNER_CLIENT)
			assert_int_equal(holder.client, f->owner.client);
		assert_int_equal(container, ward_ownership_container(r->own, i));
	}
}

#endif
