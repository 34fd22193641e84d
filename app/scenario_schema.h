/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The two schemas of a scenario, for app/scenario.c. */
#ifndef APP_SCENARIO_SCHEMA_H
#define APP_SCENARIO_SCHEMA_H

#include "app/scenario.h"

#include <cyaml/cyaml.h>

/* "machine" is the name of a file. */
extern const cyaml_schema_value_t app_scenario_with_file;
/* "machine" is the machine itself. */
extern const cyaml_schema_value_t app_scenario_with_machine;

#endif
