// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What Linux 6.12's driver asked of QEMU's device, replayed (traces/README.md). DOORWARD_SOURCE
 * names the source tree.
 */
#include "trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* At least so much is in a trace; a trace of a driver that does nothing says nothing. */
static void assert_substance(const struct trace_result *result)
{
	assert_true(result->requests[1] >= 5);	/* ATTACH */
	assert_true(result->requests[2] >= 1);	/* DETACH */
	assert_true(result->requests[3] >= 50); /* MAP */
	assert_true(result->requests[4] >= 50); /* UNMAP */
	assert_true(result->requests[5] >= 4);	/* PROBE */
	assert_true(result->bypass >= 1);
	assert_true(result->translations >= 50);
	assert_true(result->faults >= 6);
	assert_true(result->events == result->faults);
	assert_true(result->requests[0] == 0);
}

static void replay(const char *name)
{
	static const char *const framings[] = { "a table", "a chain", "pieces", "moved" };
	struct trace_result result;
	char path[4096];

	snprintf(path, sizeof(path), "%s/tests/virtio/traces/viommu-%s-6.12-endpoints.txt",
		 getenv("DOORWARD_SOURCE"), name);
	for (unsigned int i = 0; i < TRACE_FRAMINGS; i++) {
		if (!trace_replay(path, i, NULL, &result))
			fail_msg("%s:%u: as %s: %s", path, result.line, framings[i], result.why);
		assert_substance(&result);
	}
}

static void test_arm64_strict(void **state)
{
	(void)state;
	replay("arm64-its-strict");
}

static void test_arm64_passthrough(void **state)
{
	(void)state;
	replay("arm64-its-passthrough");
}

static void test_arm64_lazy_blocked(void **state)
{
	(void)state;
	replay("arm64-v2m-lazy");
}

static void test_x86_strict(void **state)
{
	(void)state;
	replay("x86-strict");
}

static void test_x86_lazy(void **state)
{
	(void)state;
	replay("x86-lazy");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arm64_strict),	   cmocka_unit_test(test_arm64_passthrough),
		cmocka_unit_test(test_arm64_lazy_blocked), cmocka_unit_test(test_x86_strict),
		cmocka_unit_test(test_x86_lazy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
