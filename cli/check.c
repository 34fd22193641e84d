// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "cli/show.h"

#include "app/memory.h"
#include "cli/accept.h"
#include "cli/advice.h"
#include "cli/device.h"
#include "cli/source.h"

#include <stdlib.h>
#include <string.h>

/* The question, with storage for what it points to. */
struct asking {
	struct ward_question question;
	uint32_t *functions;
	struct cli_waivers waivers;
};

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
static const char *reason_of(const struct cli_context *context,
			     const struct ward_question *question,
			     const struct ward_finding *finding)
{
	for (uint32_t i = 0; finding->waived && i < question->waivers_count; i++) {
		const struct ward_waiver *waiver = &question->waivers[i];
		struct ward_address at = context->machine->functions[finding->subject].address;

		if (strcmp(waiver->code, finding->code) == 0 && waiver->reason &&
		    (waiver->any_function || ward_address_compare(waiver->address, at) == 0))
			return waiver->reason;
	}
	return NULL;
}

static void say_finding(const struct cli_context *context, const struct ward_question *question,
			const struct ward_verdict *verdict, uint32_t number)
{
	const struct ward_finding *finding = &verdict->findings[number];
	const char *reason = reason_of(context, question, finding);
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

static void say_answer(const struct cli_context *context, const struct ward_question *question,
		       const struct ward_verdict *verdict)
{
	char *names = cli_members(context, question->functions, question->functions_count);
	const char *client = context->options->to;
	char *whom = client ? app_printf("client %s", client) : app_strdup("a VM");
	enum app_colour colour = cli_answer_colour(verdict->answer);

	switch (verdict->answer) {
	case WARD_SAFE:
		app_say_in(&context->out, colour, "SAFE");
		app_paragraph(&context->out, 4, 0, ": %s may be given to %s.", names, whom);
		break;
	case WARD_UNSAFE:
		app_say_in(&context->out, colour, "NOT SAFE");
		app_paragraph(&context->out, 8, 0, ": do not give %s to %s as things are.", names,
			      whom);
		break;
	case WARD_CANNOT_TELL:
		app_say_in(&context->out, colour, "CANNOT TELL");
		app_paragraph(&context->out, 11, 0,
			      ": something must be settled before %s may be "
			      "given to %s.",
			      names, whom);
		break;
	}
	free(names);
	free(whom);
}

static bool counts(const struct ward_finding *finding, enum ward_weight weight)
{
	return !finding->waived && finding->weight == weight;
}

/* "because of msi-frame-shared (5), peer-dma": the reports below may be long. */
static void say_because(const struct cli_context *context, const struct ward_verdict *verdict)
{
	enum ward_weight weight = verdict->answer == WARD_UNSAFE ? WARD_BLOCKS : WARD_OPEN;
	char *list = app_strdup("");

	for (uint32_t i = 0; i < verdict->findings_count; i++) {
		const struct ward_finding *finding = &verdict->findings[i];
		uint32_t same = 0, before = 0;
		char *longer;

		for (uint32_t j = 0; j < verdict->findings_count; j++) {
			if (!counts(&verdict->findings[j], weight) ||
			    strcmp(verdict->findings[j].code, finding->code) != 0)
				continue;
			same++;
			before += j < i;
		}
		if (!counts(finding, weight) || before)
			continue;
		longer = same > 1 ? app_printf("%s%s%s (%u)", list, *list ? ", " : "",
					       finding->code, same)
				  : app_printf("%s%s%s", list, *list ? ", " : "", finding->code);
		free(list);
		list = longer;
	}
	if (*list)
		app_paragraph(&context->out, 0, 2, "Because of: %s", list);
	free(list);
}

static void say_function(const struct cli_context *context, uint32_t function)
{
	char *label = cli_label(context, function), *describe = cli_describe(context, function);
	char *group = cli_group(context, function), *owner = cli_owner(context, function);

	app_say(&context->out, "  ");
	app_paragraph(&context->out, 2, 4, "%s", label);
	app_say(&context->out, "    ");
	app_paragraph(&context->out, 4, 4, "%s", describe);
	app_say(&context->out, "    ");
	app_paragraph(&context->out, 4, 4, "group %s, owner %s, MSI %s", group, owner,
		      cli_controller(context, function));
	free(label);
	free(describe);
	free(group);
	free(owner);
}

static bool has_blocking(const struct ward_verdict *verdict, const char *code)
{
	for (uint32_t i = 0; i < verdict->findings_count; i++)
		if (!verdict->findings[i].waived && strcmp(verdict->findings[i].code, code) == 0)
			return true;
	return false;
}

static void say_advice(const struct cli_context *context)
{
	size_t count;
	char **advice = cli_advice_no_iommu(context, &count);

	app_say_in(&context->out, APP_BOLD, "\nThis machine and IOMMUs\n");
	for (size_t i = 0; i < count; i++) {
		app_say(&context->out, "  ");
		app_paragraph(&context->out, 2, 2, "%s", advice[i]);
		free(advice[i]);
	}
	free(advice);
}

static void say_supposed(const struct cli_context *context)
{
	for (size_t i = 0; i < context->options->suppose.count; i++)
		app_say(&context->out, "  - supposed: %s\n", context->options->suppose.word[i]);
}

static void say_rest(const struct cli_context *context, const struct ward_verdict *verdict)
{
	char *members = cli_members(context, verdict->members, verdict->members_count);

	app_say(&context->out, "\nPartition: ");
	app_paragraph(&context->out, 11, 2, "%s",
		      verdict->members_count > 1 ? members : "it alone");
	if (verdict->assumptions_count || context->options->suppose.count)
		app_say(&context->out, "This answer rests on:\n");
	say_supposed(context);
	for (uint32_t i = 0; i < verdict->assumptions_count; i++) {
		app_say(&context->out, "  - ");
		app_paragraph(&context->out, 4, 4, "%s", verdict->assumptions[i]);
	}
	app_paragraph(&context->out, 0, 0, "Interrupts: %s. Policy: %s. Rules: version %s.",
		      ward_grade_name(verdict->grade),
		      verdict->policy == WARD_POLICY_LINUX ? "linux" : "strict",
		      WARD_RULES_VERSION);
	free(members);
}

static void print_text(const struct cli_context *context, const struct ward_question *question,
		       const struct ward_verdict *verdict)
{
	say_answer(context, question, verdict);
	say_because(context, verdict);
	app_say(&context->out, "\n");
	for (uint32_t i = 0; i < question->functions_count; i++)
		say_function(context, question->functions[i]);
	if (verdict->findings_count)
		app_say(&context->out, "\n");
	for (uint32_t i = 0; i < verdict->findings_count; i++)
		say_finding(context, question, verdict, i);
	if (has_blocking(verdict, "no-iommu"))
		say_advice(context);
	say_rest(context, verdict);
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

static struct json_object *finding_json(const struct cli_context *context,
					const struct ward_question *question,
					const struct ward_finding *finding)
{
	struct json_object *object = app_json_object();
	const char *driver =
		finding->blocker == WARD_NONE ? NULL : cli_driver(context, finding->blocker);

	app_json_put_text(object, "code", finding->code);
	app_json_put_text(object, "weight", ward_weight_name(finding->weight));
	app_json_put_bool(object, "waived", finding->waived);
	app_json_put_text(object, "reason", reason_of(context, question, finding));
	app_json_put(object, "subject", cli_name_json(context, finding->subject));
	app_json_put(object, "blocker", cli_name_json(context, finding->blocker));
	app_json_put_text(object, "blocker_driver", driver);
	app_json_put_text(object, "text", finding->text);
	app_json_put(object, "path", cli_path_json(context, finding->path, finding->path_count));
	app_json_put_text(object, "settle", finding->settle);
	app_json_put(object, "remedies", remedies_json(context, finding));
	return object;
}

static struct json_object *texts_json(const char *const *texts, size_t count)
{
	struct json_object *list = app_json_array();

	for (size_t i = 0; i < count; i++)
		app_json_add_text(list, texts[i]);
	return list;
}

static struct json_object *names_json(const struct cli_context *context, const uint32_t *functions,
				      uint32_t count)
{
	struct json_object *list = app_json_array();

	for (uint32_t i = 0; i < count; i++)
		app_json_add(list, cli_name_json(context, functions[i]));
	return list;
}

static void print_json(const struct cli_context *context, const struct ward_question *question,
		       const struct ward_verdict *verdict)
{
	struct json_object *document = app_json_document("check"), *list = app_json_array();
	const struct cli_options *options = context->options;

	app_json_put_text(document, "rules", WARD_RULES_VERSION);
	app_json_put_text(document, "answer", ward_answer_name(verdict->answer));
	app_json_put_text(document, "policy",
			  verdict->policy == WARD_POLICY_LINUX ? "linux" : "strict");
	app_json_put_text(document, "client", options->to);
	app_json_put_text(document, "grade", ward_grade_name(verdict->grade));
	for (uint32_t i = 0; i < question->functions_count; i++)
		app_json_add(list, cli_function_json(context, question->functions[i]));
	app_json_put(document, "functions", list);
	list = app_json_array();
	for (uint32_t i = 0; i < verdict->findings_count; i++)
		app_json_add(list, finding_json(context, question, &verdict->findings[i]));
	app_json_put(document, "findings", list);
	app_json_put(document, "assumptions",
		     texts_json(verdict->assumptions, verdict->assumptions_count));
	app_json_put(document, "supposed",
		     texts_json(options->suppose.word, options->suppose.count));
	app_json_put(document, "partition",
		     names_json(context, verdict->members, verdict->members_count));
	app_json_put(document, "machine", cli_machine_json(context));
	app_json_print(stdout, document);
}

static int prepare(struct cli_context *context, struct asking *asking)
{
	const struct cli_options *options = context->options;
	int code = cli_isolate(context);

	asking->functions = app_alloc(options->operands.count, sizeof(*asking->functions));
	asking->question = (struct ward_question){
		.size = sizeof(asking->question),
		.functions = asking->functions,
		.client = WARD_NONE,
		.policy = options->policy,
	};
	for (size_t i = 0; i < options->operands.count && code < 0; i++) {
		uint32_t function, j = 0;

		code = cli_device_find(context, options->operands.word[i], &function);
		if (code >= 0)
			break;
		while (j < asking->question.functions_count && asking->functions[j] != function)
			j++;
		asking->functions[j] = function;
		if (j == asking->question.functions_count)
			asking->question.functions_count++;
	}
	if (code < 0)
		code = cli_waivers_read(context, &asking->waivers);
	asking->question.waivers = asking->waivers.waiver;
	asking->question.waivers_count = asking->waivers.count;
	if (code < 0 && options->to &&
	    (!strcmp(options->to, "host") || !strcmp(options->to, "nobody") ||
	     ward_state_client(context->state, options->to, &asking->question.client) < 0))
		code = cli_fail(options, CLI_USAGE, "\"%s\" is no name for a client", options->to);
	return code;
}

static int judge(struct cli_context *context, const struct ward_question *question)
{
	static const int codes[] = {
		[WARD_SAFE] = CLI_DONE,
		[WARD_UNSAFE] = CLI_NOT_SAFE,
		[WARD_CANNOT_TELL] = CLI_CANNOT_TELL,
	};
	struct ward_verdict *verdict;
	int error = ward_check(context->isolation, context->state, question, &verdict), code;

	if (error < 0)
		return cli_fail(context->options, CLI_FAILURE, "%s", strerror(-error));
	if (context->options->json)
		print_json(context, question, verdict);
	else
		print_text(context, question, verdict);
	code = codes[verdict->answer];
	ward_verdict_destroy(verdict);
	cli_say_unread(context);
	return code;
}

int cli_check(const struct cli_options *options)
{
	struct cli_context context;
	struct asking asking = { 0 };
	int code = cli_open(&context, options, NULL);

	if (code < 0)
		code = prepare(&context, &asking);
	if (code < 0)
		code = judge(&context, &asking.question);
	cli_waivers_finish(&asking.waivers);
	free(asking.functions);
	cli_close(&context);
	return code;
}
