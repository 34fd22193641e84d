/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Sweeps: the same call again and again, with its first allocation failing, then its second, and
 * so on until it needs no more. Each time it must refuse with -ENOMEM and leave nothing behind:
 *
 *	static int make(void *context)
 *	{
 *		struct ward_builder *builder;
 *		int code = ward_builder_create(&builder);
 *
 *		if (code == 0)
 *			ward_builder_destroy(builder);
 *		return code;
 *	}
 *	...
 *	assert_true(test_sweep(make, NULL) > 0);
 *
 * The body undoes what it made when a later step fails, as any caller would. Leaks are looked for
 * at the end of each sweep when the program is built with AddressSanitizer.
 */
#ifndef TESTS_SWEEP_H
#define TESTS_SWEEP_H

#include "base/fault.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A body that needs more allocations than this is not one for a sweep (its cost is quadratic). */
#define TEST_SWEEP_LIMIT 20000

/* Only there in a program built with AddressSanitizer. */
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

/* Returns how many allocations the body makes when none fails. */
static inline unsigned long test_sweep(int (*body)(void *context), void *context)
{
	unsigned long nth;

	for (nth = 1; nth <= TEST_SWEEP_LIMIT; nth++) {
		int code, hit;

		ward_fault_arm(nth);
		code = body(context);
		hit = ward_fault_hit();
		ward_fault_arm(0);
		if (!hit) {
			assert_int_equal(code, 0);
			break;
		}
		if (code != -ENOMEM)
			fail_msg("allocation %lu failed and the call returned %d", nth, code);
	}
	assert_true(nth <= TEST_SWEEP_LIMIT);
	if (__lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check() != 0)
		fail_msg("a failed allocation leaks (see the report above)");
	return nth - 1;
}

#endif
