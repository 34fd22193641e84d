/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* How one hop of an interrupt's way is shown, as text and as JSON. */
#ifndef CLI_HOP_H
#define CLI_HOP_H

#include "app/json.h"
#include "app/text.h"

#include <doorward/trace.h>

void cli_say_hop(const struct app_text *out, size_t indent, const struct ward_trace_hop *hop);
struct json_object *cli_hop_json(const struct ward_trace_hop *hop);

#endif
