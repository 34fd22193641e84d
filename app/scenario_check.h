/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What a schema cannot say of a scenario, for app/scenario.c. */
#ifndef APP_SCENARIO_CHECK_H
#define APP_SCENARIO_CHECK_H

#include "app/scenario.h"

/* 0, or -EBADMSG with file, line and field. */
int app_script_check(const struct app_script *script, struct ward_error *ret_error);

#endif
