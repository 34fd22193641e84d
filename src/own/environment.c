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
	FACT_CONTAINER,
};

bool own_is_odd(const struct ward_machine *machine, uint32_t function, uint32_t controller)
{
	const struct ward_function *f = &machine->functions[function];
	uint32_t own = f->controller_known == WARD_YES ? f->controller : WARD_NONE;

	if (controller == WARD_NONE || controller == own)
		return false;
	/* Where writers are told apart, the function is told apart at its own only. */
	return own == WARD_NONE || machine->controllers[controller].isolates == WARD_YES ||
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

uint32_t own_doorbell_class(const struct ward_machine *machine, uint32_t function)
{
	const struct ward_function *f = &machine->functions[function];

	if (f->controller_known == WARD_UNKNOWN)
		return machine->controllers_count;
	/* One that tells writers apart gives nothing away. */
	if (f->controller == WARD_NONE || machine->controllers[f->controller].isolates == WARD_YES)
		return WARD_NONE;
	return f->controller;
}

/* A function in a container without a space that is known. */
struct contained {
	uint64_t container; /* client and number */
	uint32_t function, doorbell;
};

static int compare_contained(const void *a, const void *b)
{
	const struct contained *x = a, *y = b;

	if (x->container != y->container)
		return x->container < y->container ? -1 : 1;
	return x->function < y->function ? -1 : x->function > y->function;
}

static bool has_odd_vector(const struct ward_ownership *o, uint32_t function)
{
	for (uint32_t i = 0; i < o->state->vectors_count && o->vectors_of[function]; i++) {
		const struct ward_host_vector *v = &o->state->vectors[i];

		if (v->function == function && own_is_odd(o->machine, function, v->controller))
			return true;
	}
	return false;
}

/* Facts of a container in which there are different doorbells. */
static int add_container(const struct ward_ownership *o, const struct contained *all,
			 uint32_t count, struct fact_list *list)
{
	bool mixed = false;
	int err = 0;

	for (uint32_t i = 0; i < count && count > 1 && !mixed; i++)
		mixed = all[i].doorbell != all[0].doorbell || has_odd_vector(o, all[i].function);
	for (uint32_t i = 0; i < count && mixed && !err; i++)
		err = add_fact(list, FACT_CONTAINER, all[i].function, all[i].container,
			       all[0].function);
	return err;
}

static int list_containers(const struct ward_ownership *o, struct fact_list *list)
{
	uint32_t total = o->machine->functions_count, count = 0;
	struct contained *all;
	int err = 0;

	if (!o->several_doorbells)
		return 0;
	all = ward_alloc_array(total, sizeof(*all));
	if (!all)
		return -ENOMEM;
	for (uint32_t i = 0; i < total; i++) {
		uint64_t client = o->state->functions[i].owner.client;

		if (o->container[i] != WARD_NONE && !ward_own_space(o, i, WARD_PASID_NONE))
			all[count++] = (struct contained){ client << 32 | o->container[i], i,
							   own_doorbell_class(o->machine, i) };
	}
	if (count)
		qsort(all, count, sizeof(*all), compare_contained);
	for (uint32_t first = 0, i = 1; i <= count && !err; i++) {
		if (i < count && all[i].container == all[first].container)
			continue;
		err = add_container(o, all + first, i - first, list);
		first = i;
	}
	free(all);
	return err;
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
	if (!err)
		err = list_containers(o, list);
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

/* The first fact of the same container: they are sorted by function. */
static size_t first_of_container(const struct ward_environment *environment, size_t at)
{
	uint64_t what = (uint64_t)FACT_CONTAINER << 32 | environment->facts[at].which;
	size_t low = 0, high = at;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (environment->facts[middle].what < what)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A space for each container that has facts, in the state. */
static int attach_containers(struct ward_environment *environment, struct ward_state *state)
{
	const struct ward_space_options options = { .size = sizeof(options),
						    .kind = WARD_SPACE_UNMANAGED };
	int err = 0;

	for (size_t i = 0; i < environment->count && !err; i++) {
		size_t first = i;

		if (environment->facts[i].what >> 32 != FACT_CONTAINER)
			continue;
		first = first_of_container(environment, i);
		if (first == i)
			err = ward_space_create(&options, &environment->spaces[i]);
		if (!err)
			err = ward_state_attach(state, (uint32_t)environment->facts[i].what,
						WARD_PASID_NONE, environment->spaces[first]);
	}
	return err;
}

/* Isolates the state as it is; with the spaces of containers where those matter. */
static int isolate(struct ward_ownership *o, struct ward_environment *environment)
{
	struct ward_state *state;
	int err;

	if (!environment->count ||
	    environment->facts[environment->count - 1].what >> 32 != FACT_CONTAINER)
		return ward_isolation_create(o->machine, o->state, &environment->isolation);
	environment->spaces = ward_alloc_array(environment->count, sizeof(struct ward_space *));
	if (!environment->spaces)
		return -ENOMEM;
	err = ward_state_copy(o->state, o->machine, &state);
	if (err)
		return err;
	err = attach_containers(environment, state);
	if (!err)
		err = ward_isolation_create(o->machine, state, &environment->isolation);
	ward_state_destroy(state);
	return err;
}

static int make(struct ward_ownership *o, struct fact_list *list,
		struct ward_environment **ret_environment)
{
	struct ward_environment *environment = ward_alloc(sizeof(*environment));
	int err;

	if (!environment)
		return -ENOMEM;
	atomic_init(&environment->references, 1);
	environment->facts = list->facts;
	environment->count = list->count;
	list->facts = NULL;
	err = isolate(o, environment);
	if (!err)
		err = own_companions_make(environment->isolation, &environment->companion);
	if (err) {
		own_environment_put(environment);
		return err;
	}
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
	for (size_t i = 0; i < environment->count && environment->spaces; i++)
		ward_space_destroy(environment->spaces[i]);
	free(environment->spaces);
	free(environment->companion);
	free(environment->facts);
	free(environment);
}

void own_environments_finish(struct ward_environments *environments)
{
	for (uint32_t i = 0; i < environments->count; i++)
		own_environment_put(environments->kept[i]);
	environments->count = 0;
}
