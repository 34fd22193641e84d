// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "machine/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/fault.h"

/* A PASID has 20 bits (PCIe base specification, 6.20). */
#define PASID_LAST 0xfffffu

struct state_storage {
	struct ward_state state;
	struct ward_arena arena;
	size_t vectors_capacity, clients_capacity, attachments_capacity;
	const char **names; /* of drivers and chips, sorted, each once: there are not many */
	size_t names_count, names_capacity;
	struct ward_space **kept; /* spaces of its own */
	size_t kept_count, kept_capacity;
};

static struct state_storage *storage_of(struct ward_state *state)
{
	return (struct state_storage *)state;
}

int ward_state_create(const struct ward_machine *machine, struct ward_state **ret_state)
{
	struct state_storage *storage = ward_alloc(sizeof(*storage));

	if (!storage)
		return -ENOMEM;
	storage->state.machine = machine;
	storage->state.functions =
		ward_alloc_array(machine->functions_count, sizeof(*storage->state.functions));
	if (!storage->state.functions) {
		ward_state_destroy(&storage->state);
		return -ENOMEM;
	}
	*ret_state = &storage->state;
	return 0;
}

/* The state's own copy of a name, which it keeps for good; NULL stays NULL. */
static int intern(struct ward_state *state, const char **name)
{
	struct state_storage *storage = storage_of(state);
	size_t low = 0, high = storage->names_count;
	void *names = storage->names;
	char *copy;

	if (!*name)
		return 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(storage->names[middle], *name);

		if (order == 0) {
			*name = storage->names[middle];
			return 0;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (ward_array_reserve(&names, &storage->names_capacity, storage->names_count + 1,
			       sizeof(*storage->names)))
		return -ENOMEM;
	storage->names = names;
	copy = ward_arena_strdup(&storage->arena, *name);
	if (!copy)
		return -ENOMEM;
	memmove(storage->names + low + 1, storage->names + low,
		(storage->names_count - low) * sizeof(*storage->names));
	storage->names[low] = copy;
	storage->names_count++;
	*name = copy;
	return 0;
}

static int copy_function(struct ward_state *copy, const struct ward_state *state, uint32_t i)
{
	struct ward_function_state *to = &copy->functions[i];

	*to = state->functions[i];
	if (intern(copy, &to->driver) || intern(copy, &to->driver_override))
		return -ENOMEM;
	return 0;
}

int ward_state_copy(const struct ward_state *state, const struct ward_machine *machine,
		    struct ward_state **ret_state)
{
	struct ward_state *copy;
	uint32_t client;
	int err = ward_state_create(machine, &copy);

	if (err)
		return err;
	for (uint32_t i = 0; i < machine->functions_count && !err; i++)
		err = copy_function(copy, state, i);
	for (uint32_t i = 0; i < state->vectors_count && !err; i++)
		err = ward_state_add_vector(copy, &state->vectors[i]);
	for (uint32_t i = 0; i < state->clients_count && !err; i++)
		err = ward_state_client(copy, state->clients[i], &client);
	for (uint32_t i = 0; i < state->attachments_count && !err; i++)
		err = ward_state_attach(copy, state->attachments[i].function,
					state->attachments[i].pasid, state->attachments[i].space);
	if (err) {
		ward_state_destroy(copy);
		return err;
	}
	*ret_state = copy;
	return 0;
}

/*
 * Drivers that stand aside for a client, as Linux 7.2 has them under drivers/vfio: vfio-platform,
 * vfio-amba and the like, the PCI variants with vfio-pci somewhere in their name; and pci-stub.
 */
bool ward_driver_yields(const char *driver)
{
	return strncmp(driver, "vfio-", 5) == 0 || strstr(driver, "vfio-pci") ||
	       strstr(driver, "vfio_pci") || strcmp(driver, "pci-stub") == 0;
}

int ward_state_bind(struct ward_state *state, uint32_t function, const char *driver)
{
	struct ward_function_state *f;
	bool had_driver;

	if (function >= state->machine->functions_count)
		return -EINVAL;
	if (intern(state, &driver))
		return -ENOMEM;
	f = &state->functions[function];
	had_driver = f->driver != NULL;
	/* A driver that goes takes its vectors along; how the next one will raise interrupts is open. */
	if (f->driver && f->driver != driver && (!driver || strcmp(f->driver, driver) != 0)) {
		f->irq_mode = driver ? WARD_IRQ_UNKNOWN : WARD_IRQ_NONE;
		ward_state_drop_vectors(state, function);
	}
	f->driver = driver;
	f->driver_yields = driver && ward_driver_yields(driver);
	f->driver_exempt = driver && strcmp(driver, "pcieport") == 0;
	if (driver && !f->driver_yields)
		f->owner = (struct ward_owner){ .kind = WARD_OWNER_HOST };
	else if (f->owner.kind == WARD_OWNER_HOST && (driver || had_driver))
		f->owner = (struct ward_owner){ .kind = WARD_OWNER_NOBODY };
	return 0;
}

int ward_state_client(struct ward_state *state, const char *name, uint32_t *ret_client)
{
	struct state_storage *storage = storage_of(state);
	void *clients = state->clients;
	char *copy;
	int err;

	if (name[0] == '\0')
		return -EINVAL;
	for (uint32_t i = 0; i < state->clients_count; i++) {
		if (strcmp(state->clients[i], name) == 0) {
			*ret_client = i;
			return 0;
		}
	}
	err = ward_array_reserve(&clients, &storage->clients_capacity, state->clients_count + 1,
				 sizeof(*state->clients));
	if (err)
		return err;
	state->clients = clients;
	copy = ward_arena_strdup(&storage->arena, name);
	if (!copy)
		return -ENOMEM;
	*ret_client = state->clients_count;
	state->clients[state->clients_count++] = copy;
	return 0;
}

int ward_state_add_vector(struct ward_state *state, const struct ward_host_vector *vector)
{
	const struct ward_machine *machine = state->machine;
	struct state_storage *storage = storage_of(state);
	void *vectors = state->vectors;
	const char *chip = vector->chip;
	int err;

	if (vector->function != WARD_NONE && vector->function >= machine->functions_count)
		return -EINVAL;
	if (vector->controller != WARD_NONE && vector->controller >= machine->controllers_count)
		return -EINVAL;
	err = ward_array_reserve(&vectors, &storage->vectors_capacity, state->vectors_count + 1,
				 sizeof(*state->vectors));
	if (err)
		return err;
	state->vectors = vectors;
	if (intern(state, &chip))
		return -ENOMEM;
	state->vectors[state->vectors_count] = *vector;
	state->vectors[state->vectors_count++].chip = chip;
	return 0;
}

void ward_state_drop_vectors(struct ward_state *state, uint32_t function)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < state->vectors_count; i++) {
		if (state->vectors[i].function != function)
			state->vectors[kept++] = state->vectors[i];
	}
	state->vectors_count = kept;
}

/* Where an attachment stands, or belongs. */
static uint32_t find_attachment(const struct ward_state *state, uint32_t function,
				ward_pasid_t pasid)
{
	uint32_t low = 0, high = state->attachments_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct ward_attachment *a = &state->attachments[middle];

		if (a->function < function ||
		    (a->function == function && ward_pasid_raw(a->pasid) < ward_pasid_raw(pasid)))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void detach(struct ward_state *state, uint32_t at)
{
	struct ward_attachment *a = &state->attachments[at];

	state->attachments_count--;
	memmove(a, a + 1, (state->attachments_count - at) * sizeof(*a));
}

int ward_state_attach(struct ward_state *state, uint32_t function, ward_pasid_t pasid,
		      struct ward_space *space)
{
	struct state_storage *storage = storage_of(state);
	void *attachments = state->attachments;
	struct ward_attachment *a;
	uint32_t at;
	bool found;

	if (function >= state->machine->functions_count ||
	    (pasid != WARD_PASID_NONE &&
	     (ward_pasid_raw(pasid) > PASID_LAST ||
	      state->machine->functions[function].kind == WARD_FUNCTION_PLATFORM)))
		return -EINVAL;
	at = find_attachment(state, function, pasid);
	found = at < state->attachments_count && state->attachments[at].function == function &&
		state->attachments[at].pasid == pasid;
	if (!space) {
		if (found)
			detach(state, at);
		return 0;
	}
	if (!found) {
		if (ward_array_reserve(&attachments, &storage->attachments_capacity,
				       state->attachments_count + 1u, sizeof(*a)))
			return -ENOMEM;
		state->attachments = attachments;
		a = &state->attachments[at];
		memmove(a + 1, a, (state->attachments_count - at) * sizeof(*a));
		state->attachments_count++;
	}
	state->attachments[at] = (struct ward_attachment){ function, pasid, space };
	return 0;
}

int ward_state_keep(struct ward_state *state, struct ward_space *space)
{
	struct state_storage *storage = storage_of(state);
	void *kept = storage->kept;
	int err = ward_array_reserve(&kept, &storage->kept_capacity, storage->kept_count + 1,
				     sizeof(struct ward_space *));

	if (err)
		return err;
	storage->kept = kept;
	storage->kept[storage->kept_count++] = space;
	return 0;
}

void ward_state_destroy(struct ward_state *state)
{
	if (!state)
		return;
	for (size_t i = 0; i < storage_of(state)->kept_count; i++)
		ward_space_destroy(storage_of(state)->kept[i]);
	free(storage_of(state)->kept);
	free(state->attachments);
	free(state->functions);
	free(state->vectors);
	free(state->clients);
	free(storage_of(state)->names);
	ward_arena_finish(&storage_of(state)->arena);
	free(storage_of(state));
}
