// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "cli/suppose.h"

#include "app/memory.h"
#include "app/nearest.h"
#include "cli/device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What stands behind the "=": nothing, a device, or a device and a name. */
enum shape {
	ALONE,
	DEVICE,
	DEVICE_OR_NOT,
	DEVICE_NAME,
};

static const struct {
	const char *name;
	enum ward_supposition_kind kind;
	enum shape shape;
	const char *example;
} keys[] = {
	{ "acs", WARD_SUPPOSE_ACS, DEVICE, "acs=00:1c.0" },
	{ "intx", WARD_SUPPOSE_INTX, DEVICE, "intx=03:00.0" },
	{ "owner", WARD_SUPPOSE_OWNER, DEVICE_NAME, "owner=03:00.0:vm1" },
	{ "msi-parent", WARD_SUPPOSE_MSI_PARENT, DEVICE_NAME, "msi-parent=03:00.0:0x8020000" },
	{ "driver", WARD_SUPPOSE_DRIVER, DEVICE_NAME, "driver=03:00.0:vfio-pci" },
	{ "space", WARD_SUPPOSE_SPACE, DEVICE_NAME, "space=03:00.0:blocked" },
	{ "no-ats", WARD_SUPPOSE_NO_ATS, DEVICE_OR_NOT, "no-ats=03:00.0" },
	{ "iommu", WARD_SUPPOSE_IOMMU, ALONE, "iommu" },
	{ "remapping", WARD_SUPPOSE_REMAPPING, ALONE, "remapping" },
};

#define KEYS (sizeof(keys) / sizeof(*keys))

struct supposing {
	const struct cli_context *context;
	struct ward_supposition *list;
	uint32_t count;
};

static int unknown_key(const struct cli_context *context, const char *key)
{
	struct app_nearest nearest;

	app_nearest_init(&nearest, key);
	for (size_t i = 0; i < KEYS; i++)
		app_nearest_offer(&nearest, keys[i].name);
	if (nearest.count)
		return cli_fail(context->options, CLI_USAGE,
				"--suppose does not know \"%s\"; did you mean \"%s\"?", key,
				nearest.found[0]);
	return cli_fail(context->options, CLI_USAGE,
			"--suppose does not know \"%s\"; see: doorward help check", key);
}

static bool same_number(const char *text, uint64_t value)
{
	char *end;
	unsigned long long number = strtoull(text, &end, 0);

	return *text && !*end && number == value;
}

/* An MSI controller by name, doorbell address or firmware id; its name, or NULL. */
static const char *find_controller(const struct ward_machine *machine, const char *text)
{
	for (uint32_t i = 0; i < machine->controllers_count; i++) {
		const struct ward_controller *controller = &machine->controllers[i];

		bool found = strcmp(controller->name, text) == 0 ||
			     same_number(text, controller->firmware_id);

		for (uint32_t d = 0; d < controller->doorbells_count; d++)
			found |= same_number(text, controller->doorbells[d].start);
		if (found)
			return controller->name;
	}
	return NULL;
}

static int controller_missing(const struct cli_context *context, const char *text)
{
	const struct ward_machine *machine = context->machine;
	char *list = app_strdup("");
	int code;

	for (uint32_t i = 0; i < machine->controllers_count; i++) {
		char *longer = app_printf("%s%s\"%s\"", list, *list ? ", " : "",
					  machine->controllers[i].name);

		free(list);
		list = longer;
	}
	code = cli_fail(context->options, CLI_FAILURE,
			"there is no MSI controller \"%s\"; there are: %s", text,
			*list ? list : "none");
	free(list);
	return code;
}

/* Reads "DEV" or "DEV:NAME" into supposition; NAME points into value. */
static int read_value(const struct cli_context *context, size_t key, char *value,
		      struct ward_supposition *supposition)
{
	struct ward_address address;
	char *colon;

	if (keys[key].shape != DEVICE_NAME)
		return cli_device_find(context, value, &supposition->function);
	colon = strrchr(value, ':');
	/* An address has a colon of its own: then the name was forgotten. */
	if (!colon || !colon[1] || colon == value || ward_address_parse(value, &address) == 0)
		return cli_fail(context->options, CLI_USAGE,
				"--suppose %s needs a device and a name, as in: --suppose %s",
				keys[key].name, keys[key].example);
	*colon = '\0';
	supposition->name = colon + 1;
	if (supposition->kind == WARD_SUPPOSE_DRIVER && strcmp(colon + 1, "none") == 0)
		supposition->name = NULL;
	if (supposition->kind == WARD_SUPPOSE_MSI_PARENT) {
		supposition->name = find_controller(context->machine, colon + 1);
		if (!supposition->name)
			return controller_missing(context, colon + 1);
	}
	return cli_device_find(context, value, &supposition->function);
}

static int suppose_one(struct supposing *supposing, char *text)
{
	const struct cli_context *context = supposing->context;
	struct ward_supposition supposition = { .function = WARD_NONE };
	char *value = strchr(text, '=');
	size_t key = 0;
	int code;

	if (value)
		*value++ = '\0';
	while (key < KEYS && strcmp(keys[key].name, text) != 0)
		key++;
	if (key == KEYS)
		return unknown_key(context, text);
	supposition.kind = keys[key].kind;
	if (value ? keys[key].shape == ALONE
		  : keys[key].shape == DEVICE || keys[key].shape == DEVICE_NAME)
		return cli_fail(context->options, CLI_USAGE, "write it as: --suppose %s",
				keys[key].example);
	if (value) {
		code = read_value(context, key, value, &supposition);
		if (code >= 0)
			return code;
	}
	app_array_grow((void **)&supposing->list, supposing->count, sizeof(*supposing->list));
	supposing->list[supposing->count++] = supposition;
	return -1;
}

static int apply(struct cli_context *context, const struct supposing *supposing)
{
	struct ward_error error = { "" };
	struct ward_machine *machine;
	struct ward_state *state;
	int code = ward_suppose(context->machine, context->state, supposing->list, supposing->count,
				&machine, &state, &error);

	if (code < 0)
		return cli_fail(context->options, CLI_FAILURE, "this cannot be supposed: %s",
				*error.text ? error.text : strerror(-code));
	context->real_machine = context->machine;
	context->real_state = context->state;
	context->machine = machine;
	context->state = state;
	return -1;
}

int cli_suppose(struct cli_context *context)
{
	struct supposing supposing = { .context = context };
	const struct cli_words *words = &context->options->suppose;
	int code = -1;

	for (size_t i = 0; i < words->count && code < 0; i++) {
		/* Names point into the copy, and the copied state may borrow them. */
		char *copy = app_strdup(words->word[i]), *rest = copy, *text;

		app_array_grow((void **)&context->texts, context->texts_count,
			       sizeof(*context->texts));
		context->texts[context->texts_count++] = copy;
		while (code < 0 && (text = strsep(&rest, ",")))
			code = suppose_one(&supposing, text);
	}
	if (code < 0)
		code = apply(context, &supposing);
	free(supposing.list);
	return code;
}
