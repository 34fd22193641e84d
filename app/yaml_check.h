/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What app_yaml_load does before libcyaml: see app/yaml.h. */
#ifndef APP_YAML_CHECK_H
#define APP_YAML_CHECK_H

#include "app/yaml.h"

/* Nodes of a document, at most: what libyaml keeps of each is ten times its text. */
#define APP_YAML_NODES_MAX 2000000u

/* Returns 0, -EBADMSG or -ENOMEM with a sentence; data of yaml does not count. */
int app_yaml_check(const struct app_yaml *yaml, struct ward_error *ret_error);

/* The first part of it, without the schema: whether it is YAML, no deeper than it may be. */
int app_yaml_check_events(const struct app_yaml *yaml, struct ward_error *ret_error);

/* "NAME:LINE: path: text". Returns -EBADMSG. */
int app_yaml_fail_at(const struct app_yaml *yaml, struct ward_error *ret_error, size_t line,
		     const char *path, const char *text);

#endif
