/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Rules of the field, tried on an ownership: what is decided, by which finding, and along which way.
 *
 *	refused(&t, claim(&t, "b", "02:00.0"), "msi-frame-shared",
 *		"02:00.0 > controller0 > interrupts of 01:00.0");
 */
#ifndef TESTS_OWN_RULES_H
#define TESTS_OWN_RULES_H

#include "own/own.h"

/* A function as the machine calls it, without segment 0. */
static inline const char *rule_name(const struct own *t, uint32_t function)
{
	const char *name = t->m.machine->functions[function].name;

	return strncmp(name, "0000:", 5) == 0 ? name + 5 : name;
}

/* A node of reach, as the tests write it. */
static inline void rule_node(const struct own *t, const struct ward_step *step, char *text,
			     size_t size)
{
	const struct ward_isolation *isolation = ward_ownership_isolation(t->o);

	switch (step->kind) {
	case WARD_NODE_FUNCTION:
		snprintf(text, size, "%s", rule_name(t, step->index));
		return;
	case WARD_NODE_SLOT:
		snprintf(text, size, "slot of %s", rule_name(t, step->index));
		return;
	case WARD_NODE_BUS_DOWN:
		snprintf(text, size, "bus %02x", t->m.machine->buses[step->index].number);
		return;
	case WARD_NODE_BUS_UP:
		snprintf(text, size, "up from %02x", t->m.machine->buses[step->index].number);
		return;
	case WARD_NODE_REQUESTER:
		snprintf(text, size, "id of %s", rule_name(t, step->index));
		return;
	case WARD_NODE_DOORBELL:
		snprintf(text, size, "%s",
			 t->m.machine->controllers[ward_doorbell_controller(isolation, step->index)]
				 .name);
		return;
	case WARD_NODE_VECTOR_USER:
		snprintf(text, size, "interrupts of %s", rule_name(t, step->index));
		return;
	case WARD_NODE_IOMMU_VECTORS:
		snprintf(text, size, "interrupts of an IOMMU");
		return;
	case WARD_NODE_HOST_VECTORS:
		snprintf(text, size, "all interrupts");
		return;
	case WARD_NODE_SPACE:
		snprintf(text, size, "a space");
		return;
	case WARD_NODE_MEMORY:
		snprintf(text, size, "memory");
		return;
	}
}

static inline const char *rule_way(const struct own *t, const struct ward_finding *finding)
{
	static char text[512];
	size_t length = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < finding->path_count && length < sizeof(text); i++) {
		char node[64] = "";

		rule_node(t, &finding->path[i], node, sizeof(node));
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s",
					   i ? " > " : "", node);
	}
	return text;
}

/* Some finding of the code that speaks against it goes this way; "": it is not of reach. */
static inline void assert_witness(const struct own *t, const char *code, const char *way)
{
	const struct ward_verdict *verdict = t->outcome.verdict;

	for (uint32_t i = 0; i < verdict->findings_count; i++) {
		const struct ward_finding *f = &verdict->findings[i];

		if (strcmp(f->code, code) == 0 && f->weight >= WARD_OPEN && !f->waived &&
		    strcmp(rule_way(t, f), way) == 0)
			return;
	}
	print_verdict(verdict);
	for (uint32_t i = 0; i < verdict->findings_count; i++)
		print_error("%s: %s\n", verdict->findings[i].code,
			    rule_way(t, &verdict->findings[i]));
	fail_msg("no %s by way of %s", code, way);
}

#define refused(t, call, code, way)            \
	do {                                   \
		assert_refused(t, call, code); \
		assert_witness(t, code, way);  \
	} while (0)

#define unsettled(t, call, code, way)            \
	do {                                     \
		assert_unsettled(t, call, code); \
		assert_witness(t, code, way);    \
	} while (0)

/* Who is in the way of a finding that no path leads to. */
static inline void assert_blocker(const struct own *t, const char *code, const char *name)
{
	const struct ward_finding *finding = finding_in(t->outcome.verdict, code);

	assert_int_not_equal(finding->blocker, WARD_NONE);
	assert_string_equal(rule_name(t, finding->blocker), name);
}

/* The last exposure: from this event to that one. */
static inline void assert_exposure(const struct own *t, uint64_t opened, uint64_t contained,
				   enum ward_event_kind by)
{
	uint32_t count;
	const struct ward_exposure *all = ward_ownership_exposures(t->o, &count);

	assert_true(count > 0);
	assert_int_equal(all[count - 1].opened, opened);
	assert_int_equal(all[count - 1].contained, contained);
	assert_string_equal(ward_event_name(all[count - 1].containment), ward_event_name(by));
}

static inline int hot_add(struct own *t, const char *names, const char *driver)
{
	struct ward_event e = event_of(t, WARD_EVENT_HOT_ADD, names);

	e.driver = driver;
	return happens(t, e);
}

static inline int vfs_on(struct own *t, const char *names, const char *driver, bool is_fact)
{
	struct ward_event e = event_of(t, WARD_EVENT_VFS_ON, names);

	e.driver = driver;
	e.fact = is_fact;
	return happens(t, e);
}

/* A claim with a risk accepted, by code, of anybody. */
static inline int claim_accepting(struct own *t, const char *client, const char *names,
				  const char *code)
{
	const struct ward_waiver waiver = { .code = code, .any_function = true, .reason = "tried" };
	struct ward_event e = event_of(t, WARD_EVENT_CLAIM, names);

	e.client = own_client_of(t, client);
	e.waivers = &waiver;
	e.waivers_count = 1;
	return happens(t, e);
}

#endif
