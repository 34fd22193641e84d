// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The state that a described machine is in. */
#include "app/machine_yaml_build.h"

#include <errno.h>
#include <string.h>

/* As ward_state_bind() has it, which knows only when the function is there. */
static bool stands_aside(const char *driver)
{
	return strncmp(driver, "vfio-", 5) == 0 || strstr(driver, "vfio-pci") ||
	       strstr(driver, "vfio_pci") || strcmp(driver, "pci-stub") == 0;
}

enum ward_irq_mode app_machine_irq(const struct app_machine_function *from,
				   const struct ward_function *f)
{
	if (from->irq)
		return *from->irq;
	if (!from->driver || stands_aside(from->driver) || from->absent)
		return WARD_IRQ_NONE;
	if (f->kind == WARD_FUNCTION_PLATFORM)
		return WARD_IRQ_UNKNOWN;
	if (!from->msi_off && f->msix)
		return WARD_IRQ_MSIX;
	if (!from->msi_off && f->msi)
		return WARD_IRQ_MSI;
	return f->intx_pin ? WARD_IRQ_INTX : WARD_IRQ_NONE;
}

/* "host", "nobody", or a client. */
static int set_owner(struct app_machine_building *b, struct ward_state *state, const char *path,
		     const char *name, struct ward_owner *ret_owner)
{
	struct ward_owner owner = { .kind = WARD_OWNER_CLIENT };
	int code;

	if (strcmp(name, "host") == 0 || strcmp(name, "nobody") == 0) {
		ret_owner->kind = *name == 'h' ? WARD_OWNER_HOST : WARD_OWNER_NOBODY;
		return 0;
	}
	if (strcmp(name, "several") == 0)
		return app_machine_fail(b, path, "%s is no owner", name);
	code = ward_state_client(state, name, &owner.client);
	if (code)
		return app_machine_refused(b, path, code);
	*ret_owner = owner;
	return 0;
}

/* What is there has one owner: docs/ownership.md, State. */
static int check_owner(struct app_machine_building *b, const struct app_machine_function *from,
		       const struct ward_function_state *f, const char *list, uint32_t index)
{
	bool driven = f->driver && !f->driver_yields;

	if (from->absent)
		return 0;
	if (driven && f->owner.kind != WARD_OWNER_HOST)
		return app_machine_fail(b, app_machine_at(b, list, index, "owner"),
					"%s drives it for the host, so it is the host's",
					f->driver);
	if (from->quarantined && f->owner.kind != WARD_OWNER_NOBODY)
		return app_machine_fail(b, app_machine_at(b, list, index, "quarantined"),
					"what is quarantined is nobody's, and nothing drives it");
	return 0;
}

static int set_function(struct app_machine_building *b, struct ward_state *state,
			const struct app_machine_function *from, const char *list, uint32_t index)
{
	const struct ward_machine *machine = state->machine;
	struct ward_function_state *f;
	struct ward_address address;
	const char *driver = from->driver;
	uint32_t at;
	int code;

	if (from->address) {
		(void)ward_address_parse(from->address, &address);
		at = ward_machine_find(machine, address);
	} else {
		at = ward_machine_find_name(machine, from->name);
	}
	if (at == WARD_NONE)
		return app_machine_refused(b, app_machine_at(b, list, index, NULL), -EINVAL);
	f = &state->functions[at];
	if (!driver && from->owner && strcmp(from->owner, "host") != 0 &&
	    strcmp(from->owner, "nobody") != 0)
		driver = "vfio-pci";
	code = ward_state_bind(state, at, driver);
	if (code)
		return app_machine_refused(b, app_machine_at(b, list, index, "driver"), code);
	if (from->owner)
		code = set_owner(b, state, app_machine_at(b, list, index, "owner"), from->owner,
				 &f->owner);
	if (!code && from->tainted_by && strcmp(from->tainted_by, "several") == 0)
		f->tainted_by = (struct ward_owner){ WARD_OWNER_CLIENT, WARD_NONE };
	else if (!code && from->tainted_by)
		code = set_owner(b, state, app_machine_at(b, list, index, "tainted_by"),
				 from->tainted_by, &f->tainted_by);
	if (!code)
		code = check_owner(b, from, f, list, index);
	if (code)
		return code;
	f->driver_override = from->driver_override;
	f->irq_mode = app_machine_irq(from, &machine->functions[at]);
	f->msi_off = from->msi_off;
	f->intx_irq = from->intx_line;
	f->absent = from->absent;
	f->quarantined = from->quarantined;
	f->frozen = from->frozen;
	f->revoking = from->revoking;
	return 0;
}

/* The index of what an ordinal names. */
static uint32_t index_of(const struct app_machine_building *b, const struct ward_machine *machine,
			 uint32_t ordinal)
{
	const struct app_machine_yaml *from = b->from;
	struct ward_address address;

	if (ordinal >= from->functions_count)
		return ward_machine_find_name(
			machine, from->platform_devices[ordinal - from->functions_count].name);
	(void)ward_address_parse(from->functions[ordinal].address, &address);
	return ward_machine_find(machine, address);
}

static int add_vector(struct app_machine_building *b, struct ward_state *state, uint32_t index)
{
	const struct app_machine_vector *from = &b->from->vectors[index];
	struct ward_host_vector vector = {
		.irq = from->irq,
		.hwirq = from->hwirq,
		.function = WARD_NONE,
		.controller = WARD_NONE,
		.chip = from->chip,
	};
	int code = 0;

	if (from->function) {
		code = app_machine_find(b, app_machine_at(b, "vectors", index, "function"),
					from->function, &vector.function);
		if (code)
			return code;
		vector.function = index_of(b, state->machine, vector.function);
	}
	if (from->controller)
		code = app_machine_find_controller(b,
						   app_machine_at(b, "vectors", index,
								  "controller"),
						   from->controller, &vector.controller);
	if (code)
		return code;
	code = ward_state_add_vector(state, &vector);
	return code ? app_machine_refused(b, app_machine_at(b, "vectors", index, NULL), code) : 0;
}

static int add_client(struct app_machine_building *b, struct ward_state *state, uint32_t index)
{
	const char *name = b->from->clients.text[index];
	char path[64];
	uint32_t client;
	int code;

	snprintf(path, sizeof(path), "%sclients[%u]", b->prefix, (unsigned int)index);
	if (strcmp(name, "host") == 0 || strcmp(name, "nobody") == 0 ||
	    strcmp(name, "several") == 0)
		return app_machine_fail(b, path, "%s is no client", name);
	code = ward_state_client(state, name, &client);
	return code ? app_machine_refused(b, path, code) : 0;
}

static int fill(struct app_machine_building *b, struct ward_state *state)
{
	const struct app_machine_yaml *from = b->from;
	int code = 0;

	for (uint32_t i = 0; i < from->clients.count && !code; i++)
		code = add_client(b, state, i);
	for (uint32_t i = 0; i < from->functions_count && !code; i++)
		code = set_function(b, state, &from->functions[i], "functions", i);
	for (uint32_t i = 0; i < from->platform_devices_count && !code; i++)
		code = set_function(b, state, &from->platform_devices[i], "platform_devices", i);
	for (uint32_t i = 0; i < from->vectors_count && !code; i++)
		code = add_vector(b, state, i);
	return code;
}

int app_machine_make_state(struct app_machine_building *b, const struct ward_machine *machine,
			   struct ward_state **ret_state)
{
	struct ward_state *borrowing, *state;
	int code = ward_state_create(machine, &borrowing);

	if (code)
		return app_machine_refused(b, "", code);
	code = fill(b, borrowing);
	if (!code) {
		/* A copy has texts of its own, where this one has some of the description's. */
		code = ward_state_copy(borrowing, machine, &state);
		if (code)
			app_machine_refused(b, "", code);
	}
	ward_state_destroy(borrowing);
	if (!code)
		*ret_state = state;
	return code;
}
