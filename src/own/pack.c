// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A state as bytes: how many waivers, then a record for each function. An open exposure stands in the
 * records of its client's functions, as its place among those that are open.
 */
#include "own/core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "machine/state.h"

/* Bytes of a record. Numbers are little-endian; 0xffff is none. */
enum field {
	FIELD_FLAGS,
	FIELD_MODES,
	FIELD_OWNER,
	FIELD_TAINT = FIELD_OWNER + 2,
	FIELD_CONTAINER = FIELD_TAINT + 2,
	FIELD_DRIVER = FIELD_CONTAINER + 2,
	FIELD_EXPOSURE = FIELD_DRIVER + 2,
	FIELD_NEWCOMER,
	FIELD_VECTORS,
};

#define HEAD 4u

#define FLAG_OWNER 0x03u
#define FLAG_ABSENT 0x04u
#define FLAG_QUARANTINED 0x08u
#define FLAG_FROZEN 0x10u
#define FLAG_REVOKING 0x20u
#define FLAG_SPACES 0x40u /* those that it began with */

#define MODE_TAINT 0x03u
#define MODE_IRQ_SHIFT 2u

#define NONE16 0xffffu

/* Containers in one state that fold tells apart. */
#define FOLD_CONTAINERS 256u

static size_t record_size(const struct ward_ownership *o)
{
	return FIELD_VECTORS + (o->machine->controllers_count + 7u) / 8u;
}

static void put16(uint8_t *bytes, uint32_t value)
{
	bytes[0] = (uint8_t)value;
	bytes[1] = (uint8_t)(value >> 8);
}

static uint32_t get16(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8;
}

size_t ward_ownership_packed_size(const struct ward_ownership *o)
{
	return HEAD + record_size(o) * o->machine->functions_count;
}

/* The place of an exposure among those that are open, from 1. */
static uint8_t place_of(const struct ward_ownership *o, uint64_t rank)
{
	uint64_t after = rank;
	uint32_t place = 1;

	/* Equal ranks are one place: count different ones that are smaller. */
	while (place < UINT8_MAX) {
		uint64_t next = 0;
		bool found = false;

		for (uint32_t i = 0; i < o->clients_known; i++) {
			const struct own_client *c = &o->clients[i];

			if (c->exposure && c->rank < after && (!found || c->rank > next)) {
				next = c->rank;
				found = true;
			}
		}
		if (!found)
			break;
		after = next;
		place++;
	}
	return (uint8_t)place;
}

static void pack_function(const struct ward_ownership *o, uint32_t function, uint8_t *record)
{
	const struct ward_function_state *f = &o->state->functions[function];
	bool client = f->owner.kind == WARD_OWNER_CLIENT;

	record[FIELD_FLAGS] =
		(uint8_t)((uint32_t)f->owner.kind | (f->absent ? FLAG_ABSENT : 0) |
			  (f->quarantined ? FLAG_QUARANTINED : 0) | (f->frozen ? FLAG_FROZEN : 0) |
			  (f->revoking ? FLAG_REVOKING : 0));
	record[FIELD_MODES] =
		(uint8_t)((uint32_t)f->tainted_by.kind | (uint32_t)f->irq_mode << MODE_IRQ_SHIFT);
	put16(record + FIELD_OWNER, client ? f->owner.client : NONE16);
	put16(record + FIELD_TAINT,
	      f->tainted_by.kind == WARD_OWNER_CLIENT ? f->tainted_by.client : NONE16);
	put16(record + FIELD_CONTAINER, o->container[function]);
	put16(record + FIELD_DRIVER, own_driver_number(o, f->driver));
	if (client && o->clients[f->owner.client].exposure)
		record[FIELD_EXPOSURE] = place_of(o, o->clients[f->owner.client].rank);
}

/* Vectors, spaces and newcomers are lists of their own. */
static void pack_lists(const struct ward_ownership *o, uint8_t *records)
{
	const struct ward_state *state = o->state;
	size_t size = record_size(o);

	for (uint32_t i = 0; i < state->vectors_count; i++) {
		const struct ward_host_vector *v = &state->vectors[i];

		if (v->function != WARD_NONE && v->controller != WARD_NONE)
			records[v->function * size + FIELD_VECTORS + v->controller / 8] |=
				(uint8_t)(1u << v->controller % 8);
	}
	for (uint32_t i = 0; i < state->attachments_count; i++)
		records[state->attachments[i].function * size + FIELD_FLAGS] |= FLAG_SPACES;
	for (uint32_t i = 0; i < o->newcomers_count; i++) {
		const struct own_newcomers *n = &o->newcomers[i];

		for (uint32_t k = 0; k < n->count; k++)
			records[n->functions[k] * size + FIELD_NEWCOMER] = place_of(o, n->rank);
	}
}

void ward_ownership_pack(const struct ward_ownership *o, uint8_t *ret_bytes)
{
	memset(ret_bytes, 0, ward_ownership_packed_size(o));
	put16(ret_bytes, o->waivers_count);
	put16(ret_bytes + 2, o->waivers_count >> 16);
	for (uint32_t i = 0; i < o->machine->functions_count; i++)
		pack_function(o, i, ret_bytes + HEAD + i * record_size(o));
	pack_lists(o, ret_bytes + HEAD);
}

static struct ward_owner unpack_owner(uint32_t kind, const uint8_t *client)
{
	struct ward_owner owner = { .kind = (enum ward_owner_kind)kind };

	if (owner.kind == WARD_OWNER_CLIENT)
		owner.client = get16(client) == NONE16 ? WARD_NONE : get16(client);
	return owner;
}

static int unpack_vectors(struct ward_ownership *o, uint32_t function, const uint8_t *bits)
{
	int err = 0;

	for (uint32_t c = 0; c < o->machine->controllers_count && !err; c++) {
		if (bits[c / 8] >> c % 8 & 1)
			err = ward_own_add_vector(o, function, c);
	}
	return err;
}

static int unpack_spaces(struct ward_ownership *o, uint32_t function)
{
	int err = 0;

	for (uint32_t i = 0; i < o->attachments_count && !err; i++) {
		const struct ward_attachment *a = &o->attachments[i];

		if (a->function == function)
			err = ward_state_attach(o->state, function, a->pasid, a->space);
	}
	o->environment_stale = true;
	return err;
}

static int unpack_function(struct ward_ownership *o, uint32_t function, const uint8_t *record)
{
	struct ward_function_state *f = &o->state->functions[function];
	uint32_t flags = record[FIELD_FLAGS], modes = record[FIELD_MODES];
	uint32_t driver = get16(record + FIELD_DRIVER);
	uint32_t container = get16(record + FIELD_CONTAINER);
	int err = ward_own_drop_vectors(o, function);

	if (!err)
		err = ward_own_drop_spaces(o, function);
	if (!err && flags & FLAG_SPACES)
		err = unpack_spaces(o, function);
	if (!err && own_driver_number(o, f->driver) != (driver == NONE16 ? WARD_NONE : driver)) {
		ward_own_set_owner(o, function, (struct ward_owner){ .kind = WARD_OWNER_NOBODY });
		err = ward_state_bind(o->state, function,
				      driver < o->drivers_count ? o->drivers[driver] : NULL);
	}
	if (!err)
		err = unpack_vectors(o, function, record + FIELD_VECTORS);
	if (err)
		return err;
	o->environment_stale |= f->absent != ((flags & FLAG_ABSENT) != 0) ||
				(o->several_doorbells && container != NONE16);
	f->absent = flags & FLAG_ABSENT;
	f->quarantined = flags & FLAG_QUARANTINED;
	f->frozen = flags & FLAG_FROZEN;
	ward_own_set_revoking(o, function, flags & FLAG_REVOKING);
	ward_own_set_owner(o, function, unpack_owner(flags & FLAG_OWNER, record + FIELD_OWNER));
	f->tainted_by = unpack_owner(modes & MODE_TAINT, record + FIELD_TAINT);
	f->irq_mode = (enum ward_irq_mode)(modes >> MODE_IRQ_SHIFT);
	ward_own_set_container(o, function, container == NONE16 ? WARD_NONE : container);

	return 0;
}

/* Those of one place, from a function on; WARD_NONE after the last. */
static uint32_t next_with(const struct ward_ownership *o, const uint8_t *records, enum field field,
			  uint8_t place, uint32_t from)
{
	for (; from < o->machine->functions_count; from++) {
		if (records[from * record_size(o) + field] == place)
			return from;
	}
	return WARD_NONE;
}

static int unpack_newcomers(struct ward_ownership *o, const uint8_t *records, uint8_t place)
{
	uint32_t count = 0, at = next_with(o, records, FIELD_NEWCOMER, place, 0), *functions;
	void *newcomers = o->newcomers;

	if (at == WARD_NONE)
		return 0;
	for (uint32_t i = at; i != WARD_NONE;
	     i = next_with(o, records, FIELD_NEWCOMER, place, i + 1))
		count++;
	if (ward_array_reserve(&newcomers, &o->newcomers_capacity, o->newcomers_count + 1u,
			       sizeof(*o->newcomers)))
		return -ENOMEM;
	o->newcomers = newcomers;
	functions = ward_alloc_array(count, sizeof(*functions));
	if (!functions)
		return -ENOMEM;
	o->newcomers[o->newcomers_count++] = (struct own_newcomers){ place, functions, count };
	for (count = 0; at != WARD_NONE; at = next_with(o, records, FIELD_NEWCOMER, place, at + 1))
		functions[count++] = at;
	return 0;
}

/* Whose exposure is at a place: judged again, for the way to contain it is not packed. */
static int unpack_exposures(struct ward_ownership *o, const uint8_t *records, uint8_t place)
{
	const struct ward_event beginning = { .kind = WARD_EVENTS };
	struct own_judging judging = { 0 };
	struct own_noting noting = { 0 };
	int err = 0;

	o->ranks = place - 1u;
	for (uint32_t i = next_with(o, records, FIELD_EXPOSURE, place, 0); i != WARD_NONE && !err;
	     i = next_with(o, records, FIELD_EXPOSURE, place, i + 1))
		err = own_judge_client(o, o->state->functions[i].owner.client, &judging);
	if (!err)
		err = own_exposures_prepare(o, &beginning, &judging, &noting);
	if (!err)
		own_exposures_note(o, &beginning, &judging, &noting);
	o->ranks = place;
	own_noting_finish(&noting);
	own_judging_finish(&judging);
	return err;
}

static int unpack_open(struct ward_ownership *o, const uint8_t *records)
{
	int err = 0;

	own_exposures_forget(o);
	own_next_stamp(o);
	for (uint8_t place = 1; place < UINT8_MAX && !err; place++) {
		if (next_with(o, records, FIELD_EXPOSURE, place, 0) == WARD_NONE)
			break;
		err = unpack_exposures(o, records, place);
		if (!err)
			err = unpack_newcomers(o, records, place);
	}
	return err;
}

static int unpack_environment(struct ward_ownership *o)
{
	struct ward_environment *environment;
	int err;

	if (!o->environment_stale)
		return 0;
	err = own_environment_find(o, &environment);
	if (err)
		return err;
	own_environment_put(o->environment);
	o->environment = environment;
	return 0;
}

int ward_ownership_unpack(struct ward_ownership *o, const uint8_t *bytes)
{
	const uint8_t *records = bytes + HEAD;
	size_t size = record_size(o);
	uint8_t *now = ward_alloc(ward_ownership_packed_size(o));
	uint32_t waivers = get16(bytes) | get16(bytes + 2) << 16;
	int err = 0;

	if (!now)
		return -ENOMEM;
	ward_ownership_pack(o, now);
	own_waivers_restore(o, waivers);
	for (uint32_t i = 0; i < o->machine->functions_count && !err; i++) {
		if (memcmp(now + HEAD + i * size, records + i * size, size) != 0)
			err = unpack_function(o, i, records + i * size);
	}
	if (!err)
		err = unpack_environment(o);
	ward_own_keep(o);
	if (!err)
		err = unpack_open(o, records);
	o->version++;
	free(now);
	return err;
}

struct fold_container {
	uint32_t client, was, is;
};

/* The number of a container of a client: it is the next one when it was not met yet. */
static uint32_t fold_container(struct fold_container *met, uint32_t *count, uint32_t client,
			       uint32_t was)
{
	uint32_t is = 0;

	for (uint32_t i = 0; i < *count; i++) {
		if (met[i].client == client && met[i].was == was)
			return met[i].is;
		is += met[i].client == client;
	}
	if (*count == FOLD_CONTAINERS)
		return was;
	met[(*count)++] = (struct fold_container){ client, was, is };
	return is;
}

void ward_ownership_fold(const struct ward_ownership *o, const uint32_t *to, uint8_t *bytes)
{
	struct fold_container met[FOLD_CONTAINERS];
	uint32_t count = 0;

	for (uint32_t i = 0; i < o->machine->functions_count; i++) {
		uint8_t *record = bytes + HEAD + i * record_size(o);
		uint32_t owner = get16(record + FIELD_OWNER), taint = get16(record + FIELD_TAINT);
		uint32_t container = get16(record + FIELD_CONTAINER);

		if (owner != NONE16)
			put16(record + FIELD_OWNER, to[owner]);
		if (taint != NONE16)
			put16(record + FIELD_TAINT, to[taint]);
		if (owner != NONE16 && container != NONE16)
			put16(record + FIELD_CONTAINER,
			      fold_container(met, &count, owner, container));
	}
}
