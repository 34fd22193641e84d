// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Which function is in which space: kept in order, replaced, forgotten, copied. */
#include "isolate/make.h"

#include "sweep.h"

static struct make m;
static uint32_t first, second, device;

/* Nothing looks into a space here, so any address stands for one. */
static struct ward_space *space(unsigned int n)
{
	static char stand_in[8];

	return (struct ward_space *)(void *)&stand_in[n];
}

/* "function:pasid=space", by spaces; functions by their place in the test, "-" without PASID. */
static const char *attached(const struct ward_state *state)
{
	static char text[256];
	size_t length = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < state->attachments_count; i++) {
		const struct ward_attachment *a = &state->attachments[i];
		char pasid[16] = "-";

		if (a->pasid != WARD_PASID_NONE)
			snprintf(pasid, sizeof(pasid), "%x",
				 (unsigned int)ward_pasid_raw(a->pasid));
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s:%s=%d",
					   length ? " " : "",
					   a->function == first	   ? "a"
					   : a->function == second ? "b"
								   : "?",
					   pasid, (int)((char *)a->space - (char *)space(0)));
	}
	return text;
}

static int attach(uint32_t function, ward_pasid_t pasid, struct ward_space *to)
{
	return ward_state_attach(m.state, function, pasid, to);
}

static void in_order(void **unused)
{
	(void)unused;
	assert_string_equal(attached(m.state), "");
	assert_int_equal(attach(second, WARD_PASID_NONE, space(1)), 0);
	assert_int_equal(attach(first, WARD_PASID_NONE, space(2)), 0);
	assert_int_equal(attach(first, ward_pasid(7), space(3)), 0);
	assert_int_equal(attach(second, ward_pasid(0xfffff), space(4)), 0);
	assert_int_equal(attach(first, ward_pasid(0), space(3)), 0);
	assert_string_equal(attached(m.state), "a:0=3 a:7=3 a:-=2 b:fffff=4 b:-=1");
}

static void replaced_and_forgotten(void **unused)
{
	(void)unused;
	assert_int_equal(attach(first, ward_pasid(7), space(1)), 0);
	assert_int_equal(attach(first, ward_pasid(7), space(2)), 0);
	assert_int_equal(attach(first, WARD_PASID_NONE, space(3)), 0);
	assert_string_equal(attached(m.state), "a:7=2 a:-=3");
	/* What is not there can be forgotten, too; its neighbours stay. */
	assert_int_equal(attach(first, ward_pasid(6), NULL), 0);
	assert_int_equal(attach(second, WARD_PASID_NONE, NULL), 0);
	assert_string_equal(attached(m.state), "a:7=2 a:-=3");
	assert_int_equal(attach(first, ward_pasid(7), NULL), 0);
	assert_string_equal(attached(m.state), "a:-=3");
	assert_int_equal(attach(first, WARD_PASID_NONE, NULL), 0);
	assert_string_equal(attached(m.state), "");
}

static void refused(void **unused)
{
	(void)unused;
	assert_int_equal(attach(m.machine->functions_count, WARD_PASID_NONE, space(1)), -EINVAL);
	assert_int_equal(attach(WARD_NONE, WARD_PASID_NONE, space(1)), -EINVAL);
	assert_int_equal(attach(first, ward_pasid(0x100000), space(1)), -EINVAL);
	assert_int_equal(attach(device, ward_pasid(1), space(1)), -EINVAL);
	assert_string_equal(attached(m.state), "");
	assert_int_equal(attach(device, WARD_PASID_NONE, space(1)), 0);
}

static void copied(void **unused)
{
	struct ward_state *copy;

	(void)unused;
	assert_int_equal(attach(second, WARD_PASID_NONE, space(1)), 0);
	assert_int_equal(attach(first, ward_pasid(3), space(2)), 0);
	assert_int_equal(ward_state_copy(m.state, m.machine, &copy), 0);
	assert_string_equal(attached(copy), "a:3=2 b:-=1");
	/* Neither knows of what becomes of the other. */
	assert_int_equal(ward_state_attach(copy, first, ward_pasid(3), NULL), 0);
	assert_int_equal(attach(first, ward_pasid(4), space(3)), 0);
	assert_string_equal(attached(copy), "b:-=1");
	assert_string_equal(attached(m.state), "a:3=2 a:4=3 b:-=1");
	ward_state_destroy(copy);
}

static int copy_attachments(void *unused)
{
	struct ward_state *copy;
	int err = ward_state_copy(m.state, m.machine, &copy);

	(void)unused;
	if (!err)
		ward_state_destroy(copy);
	return err;
}

static int attach_one(void *unused)
{
	const struct ward_attachment *before = m.state->attachments;
	int err = attach(first, ward_pasid(9), space(1));

	(void)unused;
	if (err)
		assert_ptr_equal(m.state->attachments, before);
	assert_string_equal(attached(m.state), err ? "" : "a:9=1");
	attach(first, ward_pasid(9), NULL);
	return err;
}

static void out_of_memory(void **unused)
{
	(void)unused;
	assert_true(test_sweep(attach_one, NULL) > 0);
	assert_int_equal(attach(first, WARD_PASID_NONE, space(1)), 0);
	assert_true(test_sweep(copy_attachments, NULL) > 0);
}

static int set_up(void **unused)
{
	(void)unused;
	make_x86(&m);
	integrated(&m, "00:02.0");
	integrated(&m, "00:03.0");
	platform(&m, "a9000000.dma");
	make_done(&m);
	first = at(&m, "00:02.0");
	second = at(&m, "00:03.0");
	device = at(&m, "a9000000.dma");
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	make_free(&m);
	return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(in_order), CASE(replaced_and_forgotten), CASE(refused),
		CASE(copied),	CASE(out_of_memory),
	};

	return cmocka_run_group_tests_name("machine/state", tests, NULL, NULL);
}
