/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* How functions, groups, steps and findings are shown, as text and as JSON. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "cli/cli.h"

/* The address, or the name of a platform device. Lives as long as the machine. */
const char *cli_name(const struct cli_context *context, uint32_t function);
/* Its driver, or NULL. */
const char *cli_driver(const struct cli_context *context, uint32_t function);
/* Each of these is to be freed with free(). */
char *cli_label(const struct cli_context *context, uint32_t function); /* address (eth0, ixgbe) */
char *cli_nodes(const struct cli_context *context, uint32_t function); /* "eth0, eth1" */
char *cli_describe(const struct cli_context *context, uint32_t function); /* class: vendor device */
char *cli_product(const struct cli_context *context, uint32_t function);  /* vendor device */
char *cli_group(const struct cli_context *context, uint32_t function);	  /* "5", "~5", "-" */
char *cli_node(const struct cli_context *context, enum ward_node_kind kind, uint32_t index);
char *cli_members(const struct cli_context *context, const uint32_t *functions, uint32_t count);
char *cli_owner(const struct cli_context *context, uint32_t function);

/* Name of its MSI controller, "none", or "unknown". */
const char *cli_controller(const struct cli_context *context, uint32_t function);

enum app_colour cli_answer_colour(enum ward_answer answer);

/* A path, one hop a line, each with the given indent. */
void cli_say_path(const struct cli_context *context, const struct ward_step *steps, uint32_t count,
		  size_t indent);

/* {"function": ..., "nodes": [...], ...}: what identifies a function */
struct json_object *cli_function_json(const struct cli_context *context, uint32_t function);
/* The name of a function, null for WARD_NONE. */
struct json_object *cli_name_json(const struct cli_context *context, uint32_t function);
struct json_object *cli_path_json(const struct cli_context *context, const struct ward_step *steps,
				  uint32_t count);
const char *cli_node_kind_name(enum ward_node_kind kind);

#endif
