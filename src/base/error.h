/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <doorward/error.h>

/* Fills error (when not NULL) and returns code, so that a refusal is one line. */
__attribute__((format(printf, 3, 4))) int ward_fail(struct ward_error *error, int code,
						    const char *format, ...);

#endif
