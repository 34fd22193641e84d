// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

int ward_fail(struct ward_error *error, int code, const char *format, ...)
{
	va_list args;

	if (!error)
		return code;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return code;
}
