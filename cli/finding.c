// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "cli/finding.h"

#include "app/memory.h"
#include "cli/show.h"

#include <stdlib.h>
#include <string.h>

static enum app_colour weight_colour(const struct ward_finding *finding)
{
	if (finding->waived)
		return APP_DIM;
	switch (finding->weight) {
	case WARD_BLOCKS:
		return APP_RED;
	case WARD_OPEN:
		return APP_YELLOW;
	case WARD_NOTE:
	case WARD_HAZARD:
		break;
	}
	return APP_BOLD;
}

static void say_remedies(const struct cli_context *context, const struct ward_finding *finding)
{
	for (uint32_t i = 0; i < finding->remedies_count; i++) {
		const struct ward_remedy *remedy = &finding->remedies[i];

		app_say(&context->out, "    %s", i ? "or:         " : "what to do: ");
		app_paragraph(&context->out, 16, 16, "%s", remedy->text);
		/* Never broken into lines: it is there to be copied. */
		if (remedy->command)
			app_say_in(&context->out, APP_BOLD, "                  %s\n",
				   remedy->command);
	}
}

static bool same_path(const struct ward_finding *a, const struct ward_finding *b)
{
	if (a->path_count != b->path_count)
		return false;
	for (uint32_t i = 0; i < a->path_count; i++)
		if (a->path[i].kind != b->path[i].kind || a->path[i].index != b->path[i].index)
			return false;
	return true;
}

/* A path that stands there already is not said twice. */
static void say_finding_path(const struct cli_context *context, const struct ward_verdict *verdict,
			     uint32_t number)
{
	const struct ward_finding *finding = &verdict->findings[number];

	if (finding->path_count == 0)
		return;
	for (uint32_t i = 0; i < number; i++) {
		if (same_path(&verdict->findings[i], finding)) {
			app_say(&context->out, "    path:       as in %u\n", i + 1);
			return;
		}
	}
	app_say(&context->out, "    path:\n");
	cli_say_path(context, finding->path, finding->path_count, 6);
}

/* Why a finding was accepted, in the words of whoever did, or NULL. */
static const char *reason_of(const struct cli_context *context, const struct cli_accepted *accepted,
			     const struct ward_finding *finding)
{
	for (uint32_t i = 0; finding->waived && i < accepted->count; i++) {
		const struct ward_waiver *waiver = &accepted->waivers[i];
		struct ward_address at = context->machine->functions[finding->subject].address;

		if (strcmp(waiver->code, finding->code) == 0 && waiver->reason &&
		    (waiver->any_function || ward_address_compare(waiver->address, at) == 0))
			return waiver->reason;
	}
	return NULL;
}

void cli_say_finding(const struct cli_context *context, const struct cli_accepted *accepted,
		     const struct ward_verdict *verdict, uint32_t number)
{
	const struct ward_finding *finding = &verdict->findings[number];
	const char *reason = reason_of(context, accepted, finding);
	char *label;

	app_say(&context->out, "%2u. ", number + 1);
	app_say_in(&context->out, weight_colour(finding), "%s",
		   finding->waived ? "accepted" : ward_weight_name(finding->weight));
	app_say(&context->out, "  %s\n    ", finding->code);
	app_paragraph(&context->out, 4, 4, "%s", finding->text);
	if (reason) {
		app_say(&context->out, "    accepted:   ");
		app_paragraph(&context->out, 16, 16, "%s", reason);
	}
	say_finding_path(context, verdict, number);
	if (finding->blocker != WARD_NONE && finding->blocker != finding->subject) {
		label = cli_label(context, finding->blocker);
		app_say(&context->out, "    in the way: ");
		app_paragraph(&context->out, 16, 16, "%s", label);
		free(label);
	}
	if (finding->settle) {
		app_say(&context->out, "    to settle:  ");
		app_paragraph(&context->out, 16, 16, "%s", finding->settle);
	}
	/* What is accepted or harmless needs nothing done. */
	if (!finding->waived && finding->weight != WARD_NOTE)
		say_remedies(context, finding);
}

static const char *remedy_name(enum ward_remedy_kind kind)
{
	static const char *const names[] = {
		[WARD_REMEDY_UNBIND] = "unbind",
		[WARD_REMEDY_CLAIM_TOO] = "claim-too",
		[WARD_REMEDY_ENABLE_IOMMU] = "enable-iommu",
		[WARD_REMEDY_ENABLE_REMAP] = "enable-remapping",
		[WARD_REMEDY_ENABLE_ACS] = "enable-acs",
		[WARD_REMEDY_MOVE_CARD] = "move-card",
		[WARD_REMEDY_USE_INTX] = "use-intx",
		[WARD_REMEDY_ALLOW_UNSAFE] = "allow-unsafe-interrupts",
		[WARD_REMEDY_ATS_OFF] = "ats-off",
		[WARD_REMEDY_FIRMWARE] = "firmware",
		[WARD_REMEDY_LOOK_AS_ROOT] = "look-as-root",
		[WARD_REMEDY_WAKE] = "wake",
		[WARD_REMEDY_WAIVE] = "waive",
		[WARD_REMEDY_USE_OTHER_FUNCTION] = "use-other-function",
		[WARD_REMEDY_VFS_OFF] = "vfs-off",
		[WARD_REMEDY_OTHER_SPACE] = "other-space",
	};

	if ((size_t)kind < sizeof(names) / sizeof(*names) && names[kind])
		return names[kind];
	return "other";
}

static struct json_object *remedies_json(const struct cli_context *context,
					 const struct ward_finding *finding)
{
	struct json_object *list = app_json_array();

	for (uint32_t i = 0; i < finding->remedies_count; i++) {
		const struct ward_remedy *remedy = &finding->remedies[i];
		struct json_object *object = app_json_object();

		app_json_put_text(object, "kind", remedy_name(remedy->kind));
		app_json_put(object, "subject", cli_name_json(context, remedy->subject));
		app_json_put_text(object, "text", remedy->text);
		app_json_put_text(object, "command", remedy->command);
		app_json_add(list, object);
	}
	return list;
}

struct json_object *cli_finding_json(const struct cli_context *context,
				     const struct cli_accepted *accepted,
				     const struct ward_finding *finding)
{
	struct json_object *object = app_json_object();
	const char *driver =
		finding->blocker == WARD_NONE ? NULL : cli_driver(context, finding->blocker);

	app_json_put_text(object, "code", finding->code);
	app_json_put_text(object, "weight", ward_weight_name(finding->weight));
	app_json_put_bool(object, "waived", finding->waived);
	app_json_put_text(object, "reason", reason_of(context, accepted, finding));
	app_json_put(object, "subject", cli_name_json(context, finding->subject));
	app_json_put(object, "blocker", cli_name_json(context, finding->blocker));
	app_json_put_text(object, "blocker_driver", driver);
	app_json_put_text(object, "text", finding->text);
	app_json_put(object, "path", cli_path_json(context, finding->path, finding->path_count));
	app_json_put_text(object, "settle", finding->settle);
	app_json_put(object, "remedies", remedies_json(context, finding));
	return object;
}
