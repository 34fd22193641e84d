/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Skipping a cmocka test, always with a reason: tap.py counts a skip without one as a failure. */
#ifndef TESTS_SKIP_H
#define TESTS_SKIP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define test_skip(...)                        \
	do {                                  \
		print_message("# skipped: "); \
		print_message(__VA_ARGS__);   \
		print_message("\n");          \
		skip();                       \
	} while (0)

#endif
