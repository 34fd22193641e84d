// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "own/core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

/* From so many functions on an isolation is too large to keep many. */
#define LARGE_MACHINE 1024u

enum fact_kind {
	FACT_ABSENT,
	FACT_VECTOR,
	FACT_SPACES_READ,
	FACT_SPACE,
};

bool own_is_odd(const struct ward_machine *machine, uint32_t function, uint32_t controller)
{
	uint32_t own = machine->functions[function].controller;

	if (controller == WARD_NONE || controller == own)
		return false;
	return own == WARD_NONE ||
	       machine->controllers[own].kind != machine->controllers[controller].kind ||
	       machine->controllers[own].pool != machine->controllers[controller].pool;
}

struct fact_list {
	struct own_fact *facts;
	size_t count, capacity;
};

static int add_fact(struct fact_list *list, enum fact_kind kind, uint32_t function, uint64_t where,
		    uint64_t which)
{
	void *facts = list->facts;

	if (ward_array_reserve(&facts, &list->capacity, list->count + 1, sizeof(*list->facts)))
		return -ENOMEM;
	list->facts = facts;
	list->facts[list->count++] =
		(struct own_fact){ (uint64_t)kind << 32 | function, where, which };
	return 0;
}

static int compare_facts(const void *a, const void *b)
{
	const struct own_fact *x = a, *y = b;

	if (x->what != y->what)
		return x->what < y->what ? -1 : 1;
	if (x->where != y->where)
		return x->where < y->where ? -1 : 1;
	return x->which < y->which ? -1 : x->which > y->which;
}

/* Several vectors at one place are as one. */
static void sort_facts(struct fact_list *list)
{
	size_t kept = 0;

	if (list->count)
		qsort(list->facts, list->count, sizeof(*list->facts), compare_facts);
	for (size_t i = 0; i < list->count; i++) {
		if (i == 0 || compare_facts(&list->facts[i], &list->facts[i - 1]) != 0)
			list->facts[kept++] = list->facts[i];
	}
	list->count = kept;
}

static int list_facts(const struct ward_ownership *o, struct fact_list *list)
{
	const struct ward_state *state = o->state;
	int err = 0;

	for (uint32_t i = 0; i < o->machine->functions_count && !err; i++) {
		if (state->functions[i].absent)
			err = add_fact(list, FACT_ABSENT, i, 0, 0);
	}
	for (uint32_t i = 0; i < state->vectors_count && !err; i++) {
		const struct ward_host_vector *v = &state->vectors[i];

		if (v->function != WARD_NONE && own_is_odd(o->machine, v->function, v->controller))
			err = add_fact(list, FACT_VECTOR, v->function, v->controller, 0);
	}
	/* What a space maps is read when somebody is put into it. */
	if (state->attachments_count && !err)
		err = add_fact(list, FACT_SPACES_READ, 0, o->spaces_read, 0);
	for (uint32_t i = 0; i < state->attachments_count && !err; i++) {
		const struct ward_attachment *a = &state->attachments[i];

		err = add_fact(list, FACT_SPACE, a->function, ward_pasid_raw(a->pasid),
			       (uintptr_t)a->space);
	}
	sort_facts(list);
	return err;
}

static bool is_same(const struct ward_environment *environment, const struct fact_list *list)
{
	return environment->count == list->count &&
	       (!list->count ||
		memcmp(environment->facts, list->facts, list->count * sizeof(*list->facts)) == 0);
}

/* To the front; what falls off the end goes. */
static void keep(struct ward_ownership *o, struct ward_environment *environment, uint32_t at)
{
	struct ward_environments *all = &o->environments;
	uint32_t most = o->machine->functions_count < LARGE_MACHINE ? OWN_ENVIRONMENTS_MAX
								    : OWN_ENVIRONMENTS_LARGE;

	if (at == all->count) {
		own_environment_get(environment);
		if (all->count == most)
			own_environment_put(all->kept[--at]);
		else
			all->count++;
	}
	memmove(all->kept + 1, all->kept, at * sizeof(struct ward_environment *));
	all->kept[0] = environment;
}

static int make(struct ward_ownership *o, struct fact_list *list,
		struct ward_environment **ret_environment)
{
	struct ward_environment *environment = ward_alloc(sizeof(*environment));
	int err;

	if (!environment)
		return -ENOMEM;
	err = ward_isolation_create(o->machine, o->state, &environment->isolation);
	if (err) {
		free(environment);
		return err;
	}
	atomic_init(&environment->references, 1);
	environment->facts = list->facts;
	environment->count = list->count;
	list->facts = NULL;
	keep(o, environment, o->environments.count);
	*ret_environment = environment;
	return 0;
}

int own_environment_find(struct ward_ownership *o, struct ward_environment **ret_environment)
{
	struct fact_list list = { 0 };
	int err = list_facts(o, &list);

	for (uint32_t i = 0; i < o->environments.count && !err; i++) {
		struct ward_environment *environment = o->environments.kept[i];

		if (is_same(environment, &list)) {
			keep(o, environment, i);
			*ret_environment = own_environment_get(environment);
			free(list.facts);
			return 0;
		}
	}
	if (!err)
		err = make(o, &list, ret_environment);
	free(list.facts);
	return err;
}

struct ward_environment *own_environment_get(struct ward_environment *environment)
{
	atomic_fetch_add(&environment->references, 1);
	return environment;
}

void own_environment_put(struct ward_environment *environment)
{
	if (!environment || atomic_fetch_sub(&environment->references, 1) != 1)
		return;
	ward_isolation_destroy(environment->isolation);
	free(environment->facts);
	free(environment);
}

void own_environments_finish(struct ward_environments *environments)
{
	for (uint32_t i = 0; i < environments->count; i++)
		own_environment_put(environments->kept[i]);
	environments->count = 0;
}
