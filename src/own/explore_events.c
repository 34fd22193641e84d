// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The events that are tried in every state. What is left out changes nothing that a promise is
 * about, or comes to the same as what is there; docs/ownership.md, "Exploration", has it in prose.
 */
#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "isolate/group.h"
#include "isolate/judge.h"
#include "own/explore.h"

/* With more subjects than these, pairs are claimed within partitions only. */
#define PAIRS_ANYWHERE 6u

#define YIELDING_DRIVER "vfio-pci"

struct choosing {
	const struct ward_isolation *isolation;
	const struct ward_machine *machine;
	const struct ward_subjects *subjects;
	struct ward_choices *choices;
	uint32_t clients, containers;
	uint64_t kinds;
	const struct ward_waiver *waivers;
	uint32_t waivers_count;
	bool failed;
};

/* Whoever writes to its controller could raise the interrupts of others there. */
static bool is_at_shared_controller(const struct ward_machine *machine,
				    const struct ward_function *f)
{
	const struct ward_controller *controller;

	if (f->controller == WARD_NONE)
		return false;
	controller = &machine->controllers[f->controller];
	return controller->isolates != WARD_YES && !ward_controller_is_x86(controller);
}

static bool has_messages(const struct ward_function *f)
{
	return f->msi || f->msix || f->kind == WARD_FUNCTION_PLATFORM;
}

/* Of the works, ports and platform devices, only who raises messages where others can. */
static bool is_subject(const struct ward_machine *machine, uint32_t function)
{
	const struct ward_function *f = &machine->functions[function];

	return ward_is_assignable(machine, function) ||
	       (has_messages(f) && is_at_shared_controller(machine, f));
}

static const char *host_driver(const struct ward_function *f, const struct ward_function_state *s)
{
	if (s->driver && !s->driver_yields)
		return s->driver;
	return f->kind == WARD_FUNCTION_PCI && f->header_type == 1 ? "pcieport" : "host-driver";
}

static bool has_vfs(const struct ward_machine *machine, uint32_t function)
{
	for (uint32_t i = 0; i < machine->functions_count; i++)
		if (machine->functions[i].physfn == function)
			return true;
	return false;
}

static struct ward_subject describe(const struct ward_state *state, uint32_t function)
{
	const struct ward_machine *machine = state->machine;
	const struct ward_function *f = &machine->functions[function];
	struct ward_subject subject = {
		.function = function,
		.assignable = ward_is_assignable(machine, function),
		.messages = has_messages(f),
		.vf = f->physfn != WARD_NONE,
		.driver = host_driver(f, &state->functions[function]),
	};

	subject.vfs = subject.assignable && has_vfs(machine, function);
	subject.slot = subject.assignable && !subject.vf &&
		       (f->parent != WARD_NONE || state->functions[function].absent);
	return subject;
}

int ward_subjects_choose(const struct ward_isolation *isolation, const struct ward_state *state,
			 const struct ward_explore_options *options,
			 struct ward_subjects *ret_subjects)
{
	const struct ward_machine *machine = isolation->machine;
	uint32_t count = options->functions ? options->functions_count : machine->functions_count;

	ret_subjects->count = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t function = options->functions ? options->functions[i] : i;

		if (function >= machine->functions_count)
			return -EINVAL;
		if (!options->functions && !is_subject(machine, function))
			continue;
		for (uint32_t j = 0; j < ret_subjects->count; j++)
			if (ret_subjects->list[j].function == function)
				return -EINVAL;
		if (ret_subjects->count == WARD_EXPLORE_FUNCTIONS)
			return -E2BIG;
		ret_subjects->list[ret_subjects->count++] = describe(state, function);
	}
	return 0;
}

/* An event of a kind that is looked at, of these functions. */
static void add(struct choosing *c, struct ward_event event, const uint32_t *functions,
		uint32_t count)
{
	struct ward_choices *choices = c->choices;
	void *list = choices->list;

	if (!(c->kinds & 1ull << event.kind) || c->failed)
		return;
	event.size = sizeof(event);
	event.functions = ward_arena_memdup(&choices->arena, functions, count * sizeof(*functions));
	event.functions_count = count;
	if (!event.functions || ward_array_reserve(&list, &choices->capacity, choices->count + 1u,
						   sizeof(*choices->list))) {
		c->failed = true;
		return;
	}
	choices->list = list;
	choices->list[choices->count++] = event;
}

static void add_one(struct choosing *c, struct ward_event event, uint32_t function)
{
	add(c, event, &function, 1);
}

static void add_drivers(struct choosing *c, const struct ward_subject *s)
{
	struct ward_event event = { .kind = WARD_EVENT_BIND, .driver = s->driver };

	add_one(c, event, s->function);
	event.fact = true;
	add_one(c, event, s->function);
	event = (struct ward_event){ .kind = WARD_EVENT_BIND, .driver = YIELDING_DRIVER };
	if (s->assignable)
		add_one(c, event, s->function);
	event = (struct ward_event){ .kind = WARD_EVENT_UNBIND };
	add_one(c, event, s->function);
	event.fact = true;
	add_one(c, event, s->function);
}

static void add_claim(struct choosing *c, const uint32_t *functions, uint32_t count)
{
	for (uint32_t client = 0; client < c->clients; client++) {
		struct ward_event event = { .kind = WARD_EVENT_CLAIM, .client = client };

		add(c, event, functions, count);
		event.waivers = c->waivers;
		event.waivers_count = c->waivers_count;
		if (event.waivers_count)
			add(c, event, functions, count);
	}
}

static void add_hands(struct choosing *c, const struct ward_subject *s)
{
	add_claim(c, &s->function, 1);
	for (uint32_t container = 0; container < c->containers; container++)
		add_one(c, (struct ward_event){ .kind = WARD_EVENT_ATTACH, .container = container },
			s->function);
	add_one(c, (struct ward_event){ .kind = WARD_EVENT_DETACH }, s->function);
	add_one(c, (struct ward_event){ .kind = WARD_EVENT_RELEASE }, s->function);
	add_one(c, (struct ward_event){ .kind = WARD_EVENT_REVOKE }, s->function);
	add_one(c, (struct ward_event){ .kind = WARD_EVENT_FREEZE, .fact = true }, s->function);
	add_one(c, (struct ward_event){ .kind = WARD_EVENT_THAW }, s->function);
	add_one(c, (struct ward_event){ .kind = WARD_EVENT_RESET }, s->function);
	add_one(c, (struct ward_event){ .kind = WARD_EVENT_QUARANTINE }, s->function);
}

/* VFs go with their PFs. */
static void add_remove_with_vfs(struct choosing *c, const uint32_t *card, uint32_t count)
{
	uint32_t all[WARD_EXPLORE_FUNCTIONS], members = 0;

	for (uint32_t i = 0; i < count; i++)
		all[members++] = card[i];
	for (uint32_t i = 0; i < c->machine->functions_count; i++) {
		for (uint32_t j = 0; j < count; j++) {
			if (c->machine->functions[i].physfn != card[j])
				continue;
			if (members == WARD_EXPLORE_FUNCTIONS)
				return;
			all[members++] = i;
		}
	}
	if (members > count)
		add(c, (struct ward_event){ .kind = WARD_EVENT_HOT_REMOVE, .fact = true }, all,
		    members);
}

/* A card goes and comes with all its functions; told once, for the first that is a subject. */
static void add_slot(struct choosing *c, const struct ward_subject *s)
{
	uint32_t card[8] = { 0 }, count = 0, first = s->function, last = first;
	struct ward_event event = { .kind = WARD_EVENT_HOT_ADD, .fact = true };

	if (c->machine->functions[s->function].kind == WARD_FUNCTION_PCI)
		ward_slot_range(c->machine, s->function, &first, &last);
	for (uint32_t i = first; i <= last && count < 8; i++) {
		if (c->machine->functions[i].physfn != WARD_NONE)
			continue;
		card[count++] = i;
	}
	if (!count || card[0] != s->function)
		return;
	add(c, event, card, count);
	event.driver = s->driver;
	add(c, event, card, count);
	add(c, (struct ward_event){ .kind = WARD_EVENT_HOT_REMOVE, .fact = true }, card, count);
	add_remove_with_vfs(c, card, count);
}

static void add_vfs(struct choosing *c, const struct ward_subject *s)
{
	struct ward_event event = { .kind = WARD_EVENT_VFS_ON };

	for (unsigned int fact = 0; fact < 2; fact++) {
		event.fact = fact;
		event.driver = NULL;
		add_one(c, event, s->function);
		event.driver = s->driver;
		add_one(c, event, s->function);
		add_one(c, (struct ward_event){ .kind = WARD_EVENT_VFS_OFF, .fact = fact },
			s->function);
	}
}

/* At its own controller, or at one where everybody can raise it. */
static void add_vectors(struct choosing *c, const struct ward_subject *s)
{
	uint32_t own = c->machine->functions[s->function].controller;

	for (uint32_t i = 0; i < c->machine->controllers_count; i++) {
		const struct ward_controller *controller = &c->machine->controllers[i];
		bool shared =
			controller->isolates != WARD_YES && !ward_controller_is_x86(controller);

		if (own != WARD_NONE && (i == own || shared))
			add_one(c,
				(struct ward_event){
					.kind = WARD_EVENT_VECTOR, .fact = true, .controller = i },
				s->function);
	}
}

static void add_subject(struct choosing *c, const struct ward_subject *s)
{
	add_drivers(c, s);
	if (s->messages)
		add_vectors(c, s);
	if (!s->assignable)
		return;
	add_hands(c, s);
	if (s->slot)
		add_slot(c, s);
	if (s->vfs)
		add_vfs(c, s);
}

static void add_pairs(struct choosing *c)
{
	const struct ward_subjects *subjects = c->subjects;
	const uint32_t *partition = c->isolation->partition;

	for (uint32_t i = 0; i < subjects->count; i++) {
		for (uint32_t j = i + 1; j < subjects->count; j++) {
			uint32_t both[2] = { subjects->list[i].function,
					     subjects->list[j].function };

			if (!subjects->list[i].assignable || !subjects->list[j].assignable)
				continue;
			if (subjects->count <= PAIRS_ANYWHERE ||
			    partition[both[0]] == partition[both[1]])
				add_claim(c, both, 2);
		}
	}
}

static void add_partitions(struct choosing *c)
{
	const struct ward_subjects *subjects = c->subjects;
	uint32_t members[WARD_EXPLORE_FUNCTIONS];

	for (uint32_t i = 0; i < subjects->count; i++) {
		uint32_t partition = c->isolation->partition[subjects->list[i].function];
		uint32_t count = 0;

		for (uint32_t j = 0; j < subjects->count; j++) {
			const struct ward_subject *s = &subjects->list[j];

			if (c->isolation->partition[s->function] == partition && s->assignable)
				members[count++] = s->function;
		}
		/* Once for each partition, and pairs stand there already. */
		if (count > 2 && members[0] == subjects->list[i].function)
			add_claim(c, members, count);
	}
}

int ward_choices_make(struct ward_exploration *x, const struct ward_isolation *isolation,
		      uint64_t kinds)
{
	const struct ward_subjects *subjects = &x->subjects;
	struct choosing c = {
		.isolation = isolation,
		.machine = x->machine,
		.subjects = subjects,
		.choices = &x->choices,
		.clients = x->clients,
		.containers = x->containers,
		.kinds = kinds,
		.waivers = x->waivers,
		.waivers_count = x->waivers_count,
	};

	for (uint32_t i = 0; i < subjects->count; i++)
		add_subject(&c, &subjects->list[i]);
	add_pairs(&c);
	add_partitions(&c);
	for (uint32_t client = 0; client < c.clients; client++)
		add(&c,
		    (struct ward_event){ .kind = WARD_EVENT_DEATH, .fact = true, .client = client },
		    NULL, 0);
	return c.failed ? -ENOMEM : 0;
}
