// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Whose requester id the requests of a function can carry, what is not translated at all, and
 * who is controlled by whom otherwise. Where requests go before an IOMMU sees them: edge_peer.c.
 */
#include "isolate/graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "isolate/group.h"
#include "pci/acs.h"
#include "pci/alias.h"
#include "pci/backdoor.h"

static uint32_t node(const struct ward_graph *g, enum ward_node_kind kind, uint32_t index)
{
	return ward_graph_node(g, kind, index);
}

/* The function that has an address, if it is there. */
static uint32_t find_present(const struct ward_graph *g, struct ward_address address)
{
	uint32_t found = ward_machine_find(g->machine, address);

	return found != WARD_NONE && ward_graph_lacks(g, found) ? WARD_NONE : found;
}

/*
 * The node of a requester id: the function that has it, the bridge that took ownership, or, for
 * an id that no function has, the first function of its slot, else the user itself.
 */
static uint32_t requester_of(const struct ward_graph *g, uint32_t function,
			     const struct ward_alias *alias)
{
	const struct ward_machine *machine = g->machine;
	struct ward_address address = machine->functions[function].address;
	uint32_t owner;

	if (alias->cause == WARD_ALIAS_BRIDGE)
		return alias->function;
	address.rid = alias->rid;
	owner = find_present(g, address);
	for (unsigned int n = 0; n < 8 && owner == WARD_NONE; n++) {
		address.rid = ward_rid((ward_rid_raw(alias->rid) & ~7u) | n);
		owner = find_present(g, address);
	}
	return owner == WARD_NONE ? function : owner;
}

static void share_requester(struct ward_graph *g, uint32_t function, uint32_t requester,
			    enum ward_why why, enum ward_certainty certainty)
{
	uint32_t f = node(g, WARD_NODE_FUNCTION, function);
	uint32_t id = node(g, WARD_NODE_REQUESTER, requester);

	ward_graph_add(g, f, id, why, requester, certainty);
	ward_graph_add(g, id, f, why, function, certainty);
}

/*
 * Ids that cannot be told: a bridge of unknown kind may put its own on everything below it; a
 * device that keeps its ids to itself may use those of its neighbours.
 */
static void add_unknown_ids(struct ward_graph *g, uint32_t function)
{
	const struct ward_machine *machine = g->machine;
	const struct ward_bus *bus = &machine->buses[machine->functions[function].bus];
	uint32_t bridge = machine->functions[function].parent;
	bool told = false;

	for (; bridge != WARD_NONE; bridge = machine->functions[bridge].parent) {
		if (ward_alias_translation_root(&machine->functions[bridge]))
			break;
		if (machine->functions[bridge].pcie_known == WARD_YES)
			continue;
		share_requester(g, function, bridge, WARD_WHY_UNKNOWN_ID, WARD_UNSURE);
		/* The id may be the bridge's own. */
		share_requester(g, bridge, bridge, WARD_WHY_UNKNOWN_ID, WARD_UNSURE);
		told = true;
	}
	for (uint32_t i = bus->first; i < bus->first + bus->count && !told; i++) {
		uint32_t f = node(g, WARD_NODE_FUNCTION, function);
		uint32_t other = node(g, WARD_NODE_FUNCTION, i);

		ward_graph_add(g, f, other, WARD_WHY_UNKNOWN_ID, function, WARD_UNSURE);
		ward_graph_add(g, other, f, WARD_WHY_UNKNOWN_ID, function, WARD_UNSURE);
	}
}

static void add_requesters(struct ward_graph *g, uint32_t function)
{
	struct ward_alias_walk walk;
	struct ward_alias alias;

	if (!ward_alias_certain(g->machine, function))
		add_unknown_ids(g, function);
	ward_alias_start(g->machine, function, &walk);
	while (ward_alias_next(&walk, &alias)) {
		uint32_t requester;
		struct ward_address own = g->machine->functions[alias.function].address;

		if (alias.cause == WARD_ALIAS_OWN)
			continue;
		requester = requester_of(g, function, &alias);
		share_requester(g, function, requester, WARD_WHY_REQUESTER, WARD_CERTAIN);
		/* The one whose own id it is shares it, too. */
		if (alias.rid == own.rid || alias.cause == WARD_ALIAS_DEVICE)
			share_requester(g, requester, requester, WARD_WHY_REQUESTER, WARD_CERTAIN);
	}
}

/* How an IOMMU sees a function. */
struct seen_stream {
	uint64_t id; /* IOMMU, StreamID */
	uint32_t segment, function;
	uint16_t rid;
	bool plain; /* the requester id, unchanged */
	bool alias; /* of an id that is not its own */
};

static int compare_streams(const void *a, const void *b)
{
	const struct seen_stream *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->function < y->function ? -1 : x->function > y->function;
}

struct stream_list {
	struct seen_stream *streams;
	size_t count, capacity;
};

static int add_stream(struct stream_list *list, struct seen_stream stream)
{
	void *streams = list->streams;
	int err = ward_array_reserve(&streams, &list->capacity, list->count + 1, sizeof(stream));

	if (err)
		return err;
	list->streams = streams;
	list->streams[list->count++] = stream;
	return 0;
}

/* The first row that has a requester id, or NULL: no IOMMU sees it. */
static const struct ward_id_map *stream_map(const struct ward_machine *machine, uint32_t segment,
					    uint16_t rid)
{
	for (uint32_t i = 0; i < machine->id_maps_count; i++) {
		const struct ward_id_map *map = &machine->id_maps[i];
		uint16_t masked = rid & map->mask;

		if (map->kind == WARD_ID_MAP_IOMMU && map->segment == segment &&
		    masked >= ward_rid_raw(map->first) && masked <= ward_rid_raw(map->last))
			return map->target == WARD_NONE ? NULL : map;
	}
	return NULL;
}

/* What id maps make of the ids that a function has besides its own. */
static int list_alias_streams(const struct ward_machine *machine, uint32_t function,
			      struct stream_list *list)
{
	const struct ward_function *f = &machine->functions[function];
	struct ward_alias_walk walk;
	struct ward_alias alias;
	int err = 0;

	ward_alias_start(machine, function, &walk);
	while (!err && ward_alias_next(&walk, &alias)) {
		uint16_t rid = ward_rid_raw(alias.rid);
		const struct ward_id_map *map = stream_map(machine, f->address.segment, rid);
		uint32_t sid;

		if (alias.cause == WARD_ALIAS_OWN || !map)
			continue;
		sid = map->output_base + (rid & map->mask) - ward_rid_raw(map->first);
		err = add_stream(list, (struct seen_stream){
					       .id = (uint64_t)map->target << 32 | sid,
					       .segment = f->address.segment,
					       .function = function,
					       .rid = rid,
					       .alias = true,
				       });
	}
	return err;
}

static int list_streams(const struct ward_graph *g, struct stream_list *list)
{
	const struct ward_machine *machine = g->machine;
	int err = 0;

	for (uint32_t i = 0; i < machine->functions_count && !err; i++) {
		const struct ward_function *f = &machine->functions[i];
		uint32_t sid = ward_sid_raw(f->stream.sid);
		bool pci = f->kind == WARD_FUNCTION_PCI;

		if (f->iommu_known != WARD_YES || f->stream.iommu == WARD_NONE ||
		    ward_graph_lacks(g, i))
			continue;
		err = add_stream(list, (struct seen_stream){
					       .id = (uint64_t)f->stream.iommu << 32 | sid,
					       .segment = f->address.segment,
					       .function = i,
					       .rid = ward_rid_raw(f->address.rid),
					       .plain = pci && sid == ward_rid_raw(f->address.rid),
				       });
		if (!err && pci && machine->id_maps_count)
			err = list_alias_streams(machine, i, list);
	}
	return err;
}

/*
 * Id maps can fold several requester ids into one StreamID (masks, aliases of IVRS, platform
 * devices): whatever tells requesters apart has then been lost before the IOMMU. An id of another
 * segment that nobody mapped may be no more than the reader's stand-in for the StreamID; on x86,
 * where no IOMMU serves two segments, it is.
 */
static void add_streams(struct ward_graph *g)
{
	const struct ward_machine *machine = g->machine;
	struct stream_list list = { 0 };

	if (list_streams(g, &list))
		g->failed = true;
	if (list.count)
		qsort(list.streams, list.count, sizeof(*list.streams), compare_streams);
	for (size_t i = 1, first = 0; i < list.count; i++) {
		const struct seen_stream *a = &list.streams[first], *b = &list.streams[i];
		bool guess = a->plain && b->plain && a->segment != b->segment;
		enum ward_certainty certainty = guess ? WARD_UNSURE : WARD_CERTAIN;

		if (a->id != b->id) {
			first = i;
			continue;
		}
		if (guess && machine->arch == WARD_ARCH_X86)
			continue;
		/* One requester id: that is told by its node. */
		if ((a->alias || b->alias) && a->segment == b->segment && a->rid == b->rid)
			continue;
		ward_graph_add(g, node(g, WARD_NODE_FUNCTION, a->function),
			       node(g, WARD_NODE_FUNCTION, b->function), WARD_WHY_STREAM,
			       a->function, certainty);
		ward_graph_add(g, node(g, WARD_NODE_FUNCTION, b->function),
			       node(g, WARD_NODE_FUNCTION, a->function), WARD_WHY_STREAM,
			       a->function, certainty);
	}
	free(list.streams);
}

/* Linux switches ATS on by itself, so a capability that could not be read may be in use. */
static bool may_have_ats(const struct ward_machine *machine, const struct ward_function *f)
{
	return f->kind == WARD_FUNCTION_PCI && f->ats == WARD_UNKNOWN &&
	       (f->pcie_known != WARD_YES || f->pcie_type != WARD_PCIE_NONE) &&
	       machine->iommus[f->stream.iommu].ats != WARD_NO;
}

/*
 * Linux has ATS off under a domain that does not translate and switches it on when it attaches the
 * function to one that does (drivers/iommu/arm/arm-smmu-v3, arm_smmu_attach_dev): off now is no
 * promise. VT-d's and AMD's drivers decide once, when they first see it.
 */
bool ward_ats_may_come(const struct ward_machine *machine, const struct ward_function *f)
{
	const struct ward_iommu *iommu =
		f->stream.iommu == WARD_NONE ? NULL : &machine->iommus[f->stream.iommu];

	return f->ats == WARD_YES && !f->ats_enabled && f->group != WARD_NONE &&
	       machine->groups[f->group].type == WARD_GROUP_IDENTITY && iommu &&
	       iommu->kind == WARD_IOMMU_SMMUV3 && iommu->ats != WARD_NO &&
	       !(machine->command_line && strstr(machine->command_line, "noats"));
}

/*
 * A request that says it is translated gets to all memory when it gets to the root complex: no
 * conventional bus on its way, which has no such thing, and no port that blocks translations.
 */
static void add_translated(struct ward_graph *g, uint32_t function, uint32_t from,
			   enum ward_certainty certainty)
{
	const struct ward_machine *machine = g->machine;
	uint32_t at = function;

	ward_graph_add_direct(g, from, at, WARD_WHY_SLOT, certainty);
	for (;;) {
		const struct ward_function *f;

		at = machine->functions[at].parent;
		if (at == WARD_NONE)
			break;
		f = &machine->functions[at];
		if (ward_alias_translation_root(f))
			break;
		if (f->pcie_known == WARD_YES &&
		    (f->pcie_type == WARD_PCIE_NONE || f->pcie_type == WARD_PCIE_TO_PCI ||
		     f->pcie_type == WARD_PCI_TO_PCIE))
			return;
		if (f->pcie_type != WARD_PCIE_UPSTREAM && ward_acs_effective(f) & WARD_ACS_TB)
			return;
		ward_graph_add_direct(g, from, at, WARD_WHY_SWITCH_PORT, certainty);
	}
	ward_graph_add(g, from, node(g, WARD_NODE_MEMORY, 0), WARD_WHY_ATS, function, certainty);
}

static void add_memory(struct ward_graph *g, uint32_t function, uint32_t from)
{
	const struct ward_function *f = &g->machine->functions[function];
	uint32_t memory = node(g, WARD_NODE_MEMORY, 0);

	switch (ward_is_translated(g->machine, function)) {
	case WARD_UNKNOWN:
		ward_graph_add(g, from, memory, WARD_WHY_NO_IOMMU, function, WARD_UNSURE);
		break;
	case WARD_NO:
		ward_graph_add(g, from, memory, WARD_WHY_NO_IOMMU, function, WARD_CERTAIN);
		break;
	case WARD_YES:
		if (f->ats_enabled)
			add_translated(g, function, from, WARD_ASSUMED);
		else if (may_have_ats(g->machine, f) || ward_ats_may_come(g->machine, f))
			add_translated(g, function, from, WARD_UNSURE);
		break;
	}
}

/* A backdoor needs no BAR at its other end: it reaches config space, too. */
static void add_backdoor(struct ward_graph *g, uint32_t from, uint32_t to, uint32_t function,
			 const struct ward_backdoor *row)
{
	if (to != function)
		ward_graph_add(g, from, node(g, WARD_NODE_FUNCTION, to), WARD_WHY_BACKDOOR,
			       function, row->certain ? WARD_CERTAIN : WARD_ASSUMED);
}

static void add_backdoors(struct ward_graph *g, uint32_t function, uint32_t from)
{
	const struct ward_machine *machine = g->machine;
	const struct ward_function *f = &machine->functions[function];
	const struct ward_backdoor *row = NULL;
	uint32_t first, last;

	ward_slot_range(machine, function, &first, &last);
	while ((row = ward_backdoor_find(f, row))) {
		const struct ward_bus *inside =
			f->bridge.bus == WARD_NONE ? NULL : &machine->buses[f->bridge.bus];

		for (uint32_t i = first; i <= last && row->reach == WARD_BACKDOOR_SIBLINGS; i++)
			add_backdoor(g, from, i, function, row);
		if (row->reach == WARD_BACKDOOR_BRIDGE && f->parent != WARD_NONE)
			add_backdoor(g, from, f->parent, function, row);
		if (row->reach != WARD_BACKDOOR_BEHIND || !inside)
			continue;
		for (uint32_t i = inside->first; i < inside->first + inside->count; i++)
			add_backdoor(g, from, i, function, row);
	}
}

static void add_function(struct ward_graph *g, uint32_t function)
{
	const struct ward_function *f = &g->machine->functions[function];
	uint32_t from = node(g, WARD_NODE_FUNCTION, function);

	add_memory(g, function, from);
	if (f->kind != WARD_FUNCTION_PCI)
		return;
	ward_graph_add_requests(g, function);
	add_requesters(g, function);
	add_backdoors(g, function, from);
	ward_graph_add_device(g, function);
}

void ward_graph_add_dma(struct ward_graph *graph)
{
	for (uint32_t i = 0; i < graph->machine->functions_count; i++)
		add_function(graph, i);
	ward_graph_add_buses(graph);
	add_streams(graph);
}
