// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Paths of reach in words. */
#include "isolate/reach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "isolate/isolation.h"

/* %s is the function that the edge names. */
static const char *const why_texts[WARD_WHYS] = {
	[WARD_WHY_REQUEST] = "issues a request",
	[WARD_WHY_FORWARD] = "%s forwards it towards the root",
	[WARD_WHY_SHARED_BUS] = "conventional bus behind %s: everybody on it hears every request",
	[WARD_WHY_SLOT] = "functions of one device, and %s has no ACS request redirect",
	[WARD_WHY_SWITCH_PORT] = "switch port %s routes peer requests: no ACS request redirect",
	[WARD_WHY_ROOT_PORT] = "root port %s may route peer requests: no ACS request redirect",
	[WARD_WHY_REFLECT] = "%s may send requests back down: no ACS upstream forwarding",
	[WARD_WHY_BRIDGE_BAR] = "the registers of bridge %s can be addressed from below",
	[WARD_WHY_BAR] = "a BAR of %s can be addressed there",
	[WARD_WHY_WINDOW] = "the window of bridge %s leads down",
	[WARD_WHY_REQUESTER] = "shares the requester id of %s",
	[WARD_WHY_STREAM] = "shares the StreamID of %s",
	[WARD_WHY_PF] = "PF %s controls its VFs",
	[WARD_WHY_BACKDOOR] = "a known backdoor in a BAR of %s",
	[WARD_WHY_NO_IOMMU] = "no IOMMU translates %s",
	[WARD_WHY_ATS] = "ATS: translated requests of %s skip the IOMMU",
	[WARD_WHY_DOORBELL] = "the MSIs of %s are written there",
	[WARD_WHY_APIC] = "interrupt requests there are not remapped",
	[WARD_WHY_FRAME] = "any write there can raise them",
	[WARD_WHY_DEVID] = "%s does not have its DeviceID for itself",
	[WARD_WHY_UNKNOWN_ID] = "the requester ids of %s are not all known",
	[WARD_WHY_NO_CHECK] =
		"remapping entries admit %s: the kernel was told not to check (nosid)",
	[WARD_WHY_SOURCE_CHECK] = "the remapping entries of %s admit every writer of its bus",
	[WARD_WHY_SPACE] = "%s is in it",
	[WARD_WHY_IDENTITY] = "there every address means itself",
	[WARD_WHY_MAPPED_BAR] = "a BAR of %s is mapped there, writable",
	[WARD_WHY_MAPPED_PAGE] = "its page is mapped there, writable",
	[WARD_WHY_PASSED] = "the kernel has %s in a group of type identity",
};

void ward_why_text(const struct ward_graph *graph, const struct ward_edge *edge, char *text,
		   size_t size)
{
	const char *format = why_texts[edge->why];
	const char *name = edge->via == WARD_NONE ? "" : graph->machine->functions[edge->via].name;
	const char *hole = strstr(format, "%s");

	if (!hole) {
		snprintf(text, size, "%s", format);
		return;
	}
	snprintf(text, size, "%.*s%s%s", (int)(hole - format), format, name, hole + 2);
}

static int path_length(const struct ward_reach *reach, const struct ward_visit *visit)
{
	int length = 1;

	for (; visit->before != WARD_NONE; visit = &reach->visits[visit->before])
		length++;
	return length;
}

/* Steps and their texts share one block, so that one free() is enough. */
int ward_reach_path(const struct ward_reach *reach, enum ward_node_kind kind, uint32_t index,
		    struct ward_step **ret_steps)
{
	const struct ward_graph *g = reach->graph;
	const struct ward_visit *visit;
	struct ward_step *steps;
	char *texts;
	int length;

	if (!ward_graph_has(g, kind, index))
		return -ENOENT;
	visit = ward_reach_visit(reach, ward_graph_node(g, kind, index));
	if (!visit)
		return -ENOENT;
	length = path_length(reach, visit);
	steps = ward_alloc_array((size_t)length, sizeof(*steps) + WARD_WHY_TEXT);
	if (!steps)
		return -ENOMEM;
	texts = (char *)(steps + length);
	for (int i = length - 1; i >= 0; i--) {
		struct ward_step *step = &steps[i];
		char *text = texts + (size_t)i * WARD_WHY_TEXT;

		step->kind = ward_graph_kind(g, visit->node, &step->index);
		step->through = text;
		if (visit->edge == WARD_NONE)
			break;
		ward_why_text(g, &g->edges[visit->edge], text, WARD_WHY_TEXT);
		step->assumed = g->edges[visit->edge].certainty == WARD_ASSUMED;
		step->unknown = g->edges[visit->edge].certainty == WARD_UNSURE;
		visit = &reach->visits[visit->before];
	}
	*ret_steps = steps;
	return length;
}
