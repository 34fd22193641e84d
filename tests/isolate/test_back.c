// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Who reaches some functions: walked backwards it is the same as what each function reaches forwards.
 * And what a group is called by.
 */
#include "isolate/drawn.h"

#include "isolate/back.h"
#include "isolate/reach.h"
#include "sweep.h"

#define MACHINES 400

static bool is_in(const uint32_t *functions, uint32_t count, uint32_t function)
{
	for (uint32_t i = 0; i < count; i++) {
		if (functions[i] == function)
			return true;
	}
	return false;
}

static bool is_frozen(const void *context, uint32_t function)
{
	const struct ward_state *state = context;

	return state->functions[function].frozen;
}

/* Some thing reached is one of the functions, or their vectors. */
static bool reaches(struct make *m, uint32_t from, const uint32_t *functions, uint32_t count)
{
	struct ward_reached reached;
	struct ward_reach *reach;
	uint32_t cursor = 0;
	bool found = false;

	if (m->state->functions[from].frozen)
		return false;
	assert_int_equal(ward_reach_past(&m->isolation->graph, &from, 1, NULL, is_frozen, m->state,
					 &reach),
			 0);
	while (ward_reach_next(reach, &cursor, &reached))
		found |= (reached.kind == WARD_NODE_FUNCTION ||
			  reached.kind == WARD_NODE_VECTOR_USER) &&
			 is_in(functions, count, reached.index);
	ward_reach_destroy(reach);
	return found;
}

static void compare(struct make *m, uint64_t seed)
{
	uint32_t functions[3], count = 1 + draw(3), *found, found_count;

	for (uint32_t i = 0; i < count; i++)
		functions[i] = draw(m->machine->functions_count);
	assert_int_equal(ward_reaching(m->isolation, m->state, functions, count, &found,
				       &found_count),
			 0);
	for (uint32_t i = 1; i < found_count; i++)
		assert_true(found[i - 1] < found[i]);
	for (uint32_t i = 0; i < m->machine->functions_count; i++) {
		/* What it begins at is not reached for that; by a way round it is not asked. */
		if (!is_in(functions, count, i) &&
		    reaches(m, i, functions, count) != is_in(found, found_count, i))
			fail_msg("seed %llu: %s", (unsigned long long)seed,
				 m->machine->functions[i].name);
	}
	free(found);
}

static void as_forwards(void **unused)
{
	static struct make m;

	(void)unused;
	for (uint64_t seed = 1; seed <= MACHINES; seed++) {
		draw_machine(&m, seed);
		make_done(&m);
		for (uint32_t i = 0; i < m.machine->functions_count; i++)
			m.state->functions[i].frozen = chance(8);
		for (unsigned int n = 0; n < 4; n++)
			compare(&m, seed);
		make_free(&m);
	}
}

static struct make m;
static uint32_t one;

static int walk(void *unused)
{
	uint32_t *found, count;
	int err = ward_reaching(m.isolation, m.state, &one, 1, &found, &count);

	(void)unused;
	if (!err) {
		assert_int_equal(count, 3);
		free(found);
	}
	return err;
}

static void without_memory(void **unused)
{
	uint32_t *found, count;

	(void)unused;
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 2, ACS_ON);
	pcie_to_pci(&m, "01:00.0", 2);
	conventional(&m, "02:00.0");
	conventional(&m, "02:01.0");
	conventional(&m, "02:02.0");
	make_done(&m);
	one = at(&m, "02:00.0");
	assert_true(test_sweep(walk, NULL) > 0);
	one = m.machine->functions_count;
	assert_int_equal(ward_reaching(m.isolation, m.state, &one, 1, &found, &count), -EINVAL);
	assert_int_equal(ward_reaching(m.isolation, m.state, NULL, 0, &found, &count), 0);
	assert_int_equal(count, 0);
	free(found);
	make_free(&m);
}

static const char *group_id(const char *name)
{
	static char text[WARD_ADDRESS_TEXT];
	struct ward_address id;
	int err = ward_group_id(m.isolation, at(&m, name), &id);

	if (err == -EINVAL)
		return "invalid";
	if (err == -ENOENT)
		return "none";
	assert_int_equal(err, 0);
	ward_address_format(id, text);
	return text;
}

/* All behind a bridge to conventional PCI are seen as 02:00.0 of its own side, whoever that is. */
static void shared_id(void **unused)
{
	(void)unused;
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 2, ACS_ON);
	pcie_to_pci(&m, "01:00.0", 2);
	conventional(&m, "02:04.0");
	conventional(&m, "02:05.0");
	root_port(&m, "00:1d.0", 3, NO_ACS);
	endpoint(&m, "03:00.0");
	root_port(&m, "00:1e.0", 4, ACS_ON);
	endpoint(&m, "04:00.0")->stream.iommu = WARD_NONE;
	platform(&m, "soc.dma");
	make_done(&m);
	assert_string_equal(group_id("02:04.0"), "0000:02:00.0");
	assert_string_equal(group_id("02:05.0"), "0000:02:00.0");
	assert_string_equal(group_id("01:00.0"), "0000:02:00.0");
	/* The port is the first of its group, and nothing is shared. */
	assert_string_equal(group_id("03:00.0"), "0000:00:1d.0");
	assert_string_equal(group_id("00:1d.0"), "0000:00:1d.0");
	assert_string_equal(group_id("00:1c.0"), "0000:00:1c.0");
	assert_string_equal(group_id("04:00.0"), "none");
	assert_string_equal(group_id("soc.dma"), "invalid");
	make_free(&m);
	/* In another segment it is another id. */
	make_x86(&m);
	function(&m, "0005:00:02.0", WARD_PCIE_RC_ENDPOINT, NO_ACS);
	make_done(&m);
	assert_string_equal(group_id("0005:00:02.0"), "0005:00:02.0");
	make_free(&m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_forwards),
		cmocka_unit_test(without_memory),
		cmocka_unit_test(shared_id),
	};

	return cmocka_run_group_tests_name("isolate/back", tests, NULL, NULL);
}
