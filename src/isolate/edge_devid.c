// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * DeviceIDs: an ITS tells writers apart by the id that comes with a write, and by nothing else. Who
 * writes with an id behind which another's vectors are raises those: at its own ITS where ids are not
 * its own after all, and at another one whose page is mapped for it.
 */
#include "isolate/graph.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"
#include "isolate/group.h"
#include "pci/alias.h"

/* A page of an ITS that is mapped, writable, in what an attachment is the first to lead to. */
struct its_page {
	uint32_t attachment, controller;
};

struct listing {
	struct ward_graph *graph;
	struct its_page *pages;
	size_t pages_count, pages_capacity;
	bool failed;
};

static bool is_its(const struct ward_machine *machine, uint32_t controller)
{
	return controller != WARD_NONE &&
	       machine->controllers[controller].kind == WARD_CONTROLLER_GICV3_ITS;
}

static bool has_its(const struct ward_machine *machine)
{
	for (uint32_t i = 0; i < machine->controllers_count; i++)
		if (is_its(machine, i))
			return true;
	return false;
}

static void add_key(struct listing *l, struct ward_devid_key key)
{
	struct ward_graph *g = l->graph;
	void *keys = g->devids;

	if (l->failed || ward_array_reserve(&keys, &g->devids_capacity, g->devids_count + 1,
					    sizeof(*g->devids))) {
		l->failed = true;
		return;
	}
	g->devids = keys;
	key.pool = WARD_NONE;
	g->devids[g->devids_count++] = key;
}

/* The first row for an id; of a controller, or of any. *ret_any: the segment has rows. */
static const struct ward_id_map *find_row(const struct ward_machine *machine, uint32_t segment,
					  uint16_t rid, uint32_t controller, bool *ret_any)
{
	*ret_any = false;
	for (uint32_t i = 0; i < machine->id_maps_count; i++) {
		const struct ward_id_map *row = &machine->id_maps[i];
		uint16_t masked = rid & row->mask;

		if (row->kind != WARD_ID_MAP_MSI || row->segment != segment)
			continue;
		*ret_any = true;
		if (masked >= ward_rid_raw(row->first) && masked <= ward_rid_raw(row->last) &&
		    (controller == WARD_NONE || row->target == controller))
			return row;
	}
	return NULL;
}

static uint32_t output_of(const struct ward_id_map *row, uint16_t rid)
{
	return row->output_base + (rid & row->mask) - ward_rid_raw(row->first);
}

/*
 * The id that a requester id comes with at an ITS. It is put beside the write on the way, by what
 * does not know which ITS the write goes to: at one that is not its own, it is the one of its own
 * unless firmware says otherwise. False: it comes without one, and the write is ignored.
 */
static bool devid_at(const struct ward_machine *machine, struct ward_address from,
		     uint32_t controller, uint32_t *ret_devid)
{
	uint32_t index = ward_machine_find(machine, from);
	const struct ward_function *f = index == WARD_NONE ? NULL : &machine->functions[index];
	uint16_t rid = ward_rid_raw(from.rid);
	const struct ward_id_map *row;
	bool any;

	if (f && f->controller_known != WARD_YES)
		f = NULL;
	if (f && f->controller == controller) {
		*ret_devid = ward_devid_raw(f->devid);
		return true;
	}
	row = find_row(machine, from.segment, rid, controller, &any);
	if (!row && f && is_its(machine, f->controller)) {
		*ret_devid = ward_devid_raw(f->devid);
		return true;
	}
	if (!row)
		row = find_row(machine, from.segment, rid, WARD_NONE, &any);
	if (any && (!row || row->target == WARD_NONE))
		return false;
	*ret_devid = row ? output_of(row, rid) : rid;
	return true;
}

/* The id that facts tell, at whichever ITS it writes: a platform device has no other. */
static void add_told(struct listing *l, struct ward_devid_key key)
{
	const struct ward_function *f = &l->graph->machine->functions[key.function];

	key.devid = ward_devid_raw(f->devid);
	if (f->controller_known == WARD_YES && f->controller != WARD_NONE)
		add_key(l, key);
}

static void add_requester(struct listing *l, struct ward_devid_key key, ward_rid_t rid)
{
	const struct ward_machine *machine = l->graph->machine;
	struct ward_address from = { machine->functions[key.function].address.segment, rid };

	if (devid_at(machine, from, key.controller, &key.devid))
		add_key(l, key);
}

/* A bridge of unknown kind may put its own id, or one of the bus behind it, in the place of others. */
static void add_unknown(struct listing *l, struct ward_devid_key key)
{
	const struct ward_machine *machine = l->graph->machine;
	uint32_t bridge = machine->functions[key.function].parent;

	key.certainty = WARD_UNSURE;
	for (; bridge != WARD_NONE; bridge = machine->functions[bridge].parent) {
		const struct ward_function *b = &machine->functions[bridge];

		if (ward_alias_translation_root(b))
			return;
		if (b->pcie_known == WARD_YES)
			continue;
		add_requester(l, key, b->address.rid);
		add_requester(l, key, ward_rid_make(b->bridge.secondary, 0, 0));
	}
}

/*
 * The ids that a function's writes come with: those of the last bridge on the way that puts its own
 * in their place; without such a bridge its own and those that the device is known to use.
 */
static void add_writer(struct listing *l, uint32_t function, uint32_t controller, bool user)
{
	const struct ward_machine *machine = l->graph->machine;
	const struct ward_function *f = &machine->functions[function];
	struct ward_devid_key key = { .controller = controller,
				      .function = function,
				      .user = user };
	struct ward_alias_walk walk;
	struct ward_alias alias;
	ward_rid_t last = f->address.rid;
	bool bridged = false;

	if (f->kind != WARD_FUNCTION_PCI) {
		add_told(l, key);
		return;
	}
	if (!ward_alias_certain(machine, function)) {
		add_unknown(l, key);
		add_told(l, key);
		key.certainty = WARD_UNSURE;
	}
	ward_alias_start(machine, function, &walk);
	while (ward_alias_next(&walk, &alias)) {
		bridged |= alias.cause == WARD_ALIAS_BRIDGE;
		last = alias.rid;
	}
	if (bridged) {
		add_requester(l, key, last);
		return;
	}
	ward_alias_start(machine, function, &walk);
	while (ward_alias_next(&walk, &alias))
		add_requester(l, key, alias.rid);
}

/* The host set up vectors at an ITS that is not its own, and mapped it the page for them. */
static void list_landed(struct listing *l)
{
	const struct ward_graph *g = l->graph;

	for (uint32_t i = 0; i < g->landed_count; i++) {
		uint32_t function = g->landed[i].function, controller = g->landed[i].controller;

		if (!is_its(g->machine, controller))
			continue;
		add_writer(l, function, controller, true);
		if (!ward_graph_is_shut_in(g, function))
			add_writer(l, function, controller, false);
	}
}

/*
 * At its own ITS the host sets up its vectors, and maps it the page for them; or did so for others
 * that are in one of its spaces.
 */
static void list_own(struct listing *l)
{
	const struct ward_machine *machine = l->graph->machine;

	for (uint32_t i = 0; i < machine->functions_count; i++) {
		const struct ward_function *f = &machine->functions[i];
		struct ward_devid_key key = { f->controller, .function = i, .user = true };

		if (f->controller_known != WARD_YES || !is_its(machine, f->controller) ||
		    ward_graph_lacks(l->graph, i))
			continue;
		add_told(l, key);
		if (f->kind == WARD_FUNCTION_PCI && !ward_alias_certain(machine, i))
			add_unknown(l, key);
		if (ward_is_translated(machine, i) != WARD_YES ||
		    !ward_graph_is_walled(l->graph, i))
			add_writer(l, i, f->controller, false);
	}
}

static void add_page(struct listing *l, uint32_t attachment, uint32_t controller)
{
	void *pages = l->pages;
	size_t count = l->pages_count;

	/* Mappings of one space come together. */
	for (size_t i = count; i > 0 && l->pages[i - 1].attachment == attachment; i--)
		if (l->pages[i - 1].controller == controller)
			return;
	if (l->failed ||
	    ward_array_reserve(&pages, &l->pages_capacity, count + 1, sizeof(*l->pages))) {
		l->failed = true;
		return;
	}
	l->pages = pages;
	l->pages[l->pages_count++] = (struct its_page){ attachment, controller };
}

static void find_pages(struct listing *l, uint32_t attachment)
{
	const struct ward_machine *machine = l->graph->machine;
	struct ward_space_info info;
	const struct ward_space *space =
		ward_space_bound(l->graph->attachments[attachment].space, &info);
	struct ward_mapping mapping;
	ward_iova_t from = ward_iova(0);

	if (info.kind != WARD_SPACE_UNMANAGED && info.kind != WARD_SPACE_DYNAMIC)
		return;
	while (ward_space_next(space, from, &mapping)) {
		uint64_t start = ward_target_raw(mapping.target);
		uint64_t length = ward_iova_raw(mapping.last) - ward_iova_raw(mapping.start);
		struct ward_range target = { start, start + length };

		for (uint32_t i = 0; i < machine->controllers_count; i++)
			if (mapping.access & WARD_WRITE && is_its(machine, i) &&
			    ward_controller_rung_in(&machine->controllers[i], target))
				add_page(l, attachment, i);
		if (ward_iova_raw(mapping.last) == UINT64_MAX)
			return;
		from = ward_iova(ward_iova_raw(mapping.last) + 1);
	}
}

/* The first page of what an attachment leads to; pages are in the order of attachments. */
static size_t first_page(const struct listing *l, uint32_t attachment)
{
	size_t low = 0, high = l->pages_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->pages[middle].attachment < attachment)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * The host maps an ITS into a space for who has vectors there; today for this one, tomorrow for
 * another that its owner puts beside it. Alone that gives nobody anything.
 */
static void find_own(struct listing *l, uint32_t attachment)
{
	struct ward_graph *g = l->graph;
	const struct ward_attachment *a = &g->attachments[attachment];
	const struct ward_function *f = &g->machine->functions[a->function];
	const struct ward_landed *landed;
	struct ward_space_info info;
	uint32_t count;

	ward_space_bound(a->space, &info);
	if (ward_is_translated(g->machine, a->function) == WARD_NO ||
	    ward_graph_lacks(g, a->function) ||
	    (info.kind != WARD_SPACE_UNMANAGED && info.kind != WARD_SPACE_DYNAMIC))
		return;
	if (f->controller_known == WARD_YES && is_its(g->machine, f->controller))
		add_page(l, g->space_of[attachment], f->controller);
	landed = ward_graph_landed(g, a->function, &count);
	for (uint32_t i = 0; i < count; i++) {
		if (is_its(g->machine, landed[i].controller))
			add_page(l, g->space_of[attachment], landed[i].controller);
	}
}

static int compare_pages(const void *a, const void *b)
{
	const struct its_page *x = a, *y = b;

	if (x->attachment != y->attachment)
		return x->attachment < y->attachment ? -1 : 1;
	return x->controller < y->controller ? -1 : x->controller > y->controller;
}

static void sort_pages(struct listing *l)
{
	size_t kept = 0;

	if (l->pages_count)
		qsort(l->pages, l->pages_count, sizeof(*l->pages), compare_pages);
	for (size_t i = 0; i < l->pages_count; i++)
		if (!kept || compare_pages(&l->pages[kept - 1], &l->pages[i]) != 0)
			l->pages[kept++] = l->pages[i];
	l->pages_count = kept;
}

/* Who is in a space where the page of an ITS is that is not its own. */
static void list_strangers(struct listing *l)
{
	struct ward_graph *g = l->graph;

	for (uint32_t i = 0; i < g->attachments_count; i++)
		if (g->space_of[i] == i)
			find_pages(l, i);
	for (uint32_t i = 0; i < g->attachments_count; i++)
		find_own(l, i);
	sort_pages(l);
	for (uint32_t i = 0; i < g->attachments_count && l->pages_count; i++) {
		uint32_t function = g->attachments[i].function, space = g->space_of[i];
		const struct ward_function *f = &g->machine->functions[function];

		for (size_t p = first_page(l, space);
		     p < l->pages_count && l->pages[p].attachment == space; p++)
			if (!ward_graph_lacks(g, function) &&
			    (f->controller_known != WARD_YES ||
			     f->controller != l->pages[p].controller))
				add_writer(l, function, l->pages[p].controller, false);
	}
}

static int compare_keys(const void *a, const void *b)
{
	const struct ward_devid_key *x = a, *y = b;

	if (x->controller != y->controller)
		return x->controller < y->controller ? -1 : 1;
	if (x->devid != y->devid)
		return x->devid < y->devid ? -1 : 1;
	if (x->function != y->function)
		return x->function < y->function ? -1 : 1;
	if (x->user != y->user)
		return x->user ? -1 : 1;
	return x->certainty < y->certainty ? -1 : x->certainty > y->certainty;
}

/* One id that several functions have to do with, one of them as a user, is a pool. */
static int make_pools(struct ward_graph *g)
{
	for (size_t first = 0, end; first < g->devids_count; first = end) {
		const struct ward_devid_key *key = &g->devids[first];
		bool several = false, used = false;
		uint32_t pool;

		for (end = first; end < g->devids_count; end++) {
			const struct ward_devid_key *k = &g->devids[end];

			if (k->controller != key->controller || k->devid != key->devid)
				break;
			several |= k->function != key->function;
			used |= k->user;
		}
		if (!several || !used)
			continue;
		pool = ward_graph_add_pool(g, (struct ward_pool){ .controller = key->controller,
								  .devid = true,
								  .id = ward_devid(key->devid) });
		if (pool == WARD_NONE)
			return -ENOMEM;
		for (size_t i = first; i < end; i++)
			g->devids[i].pool = pool;
	}
	return 0;
}

int ward_graph_make_devid_pools(struct ward_graph *graph)
{
	struct listing l = { .graph = graph };

	if (!has_its(graph->machine))
		return 0;
	list_own(&l);
	list_landed(&l);
	list_strangers(&l);
	free(l.pages);
	if (l.failed)
		return -ENOMEM;
	if (graph->devids_count)
		qsort(graph->devids, graph->devids_count, sizeof(*graph->devids), compare_keys);
	return make_pools(graph);
}

void ward_graph_add_devids(struct ward_graph *graph, const struct ward_state *state)
{
	for (size_t i = 0; i < graph->devids_count; i++) {
		const struct ward_devid_key *key = &graph->devids[i];
		uint32_t pool, function = key->function;

		if (key->pool == WARD_NONE)
			continue;
		pool = ward_graph_node(graph, WARD_NODE_DOORBELL, key->pool);
		if (!key->user)
			ward_graph_add(graph, ward_graph_node(graph, WARD_NODE_FUNCTION, function),
				       pool, WARD_WHY_DEVID, function,
				       (enum ward_certainty)key->certainty);
		else if (ward_graph_may_use_msi(graph, state, function))
			ward_graph_add(graph, pool,
				       ward_graph_node(graph, WARD_NODE_VECTOR_USER, function),
				       WARD_WHY_FRAME, function,
				       (enum ward_certainty)key->certainty);
	}
}
