// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "cli/show.h"

#include "app/memory.h"
#include "cli/accept.h"
#include "cli/advice.h"
#include "cli/device.h"
#include "cli/finding.h"
#include "cli/source.h"

#include <stdlib.h>
#include <string.h>

/* The question, with storage for what it points to. */
struct asking {
	struct ward_question question;
	uint32_t *functions;
	struct cli_waivers waivers;
};

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
	const struct cli_accepted accepted = { question->waivers, question->waivers_count };

	say_answer(context, question, verdict);
	say_because(context, verdict);
	app_say(&context->out, "\n");
	for (uint32_t i = 0; i < question->functions_count; i++)
		say_function(context, question->functions[i]);
	if (verdict->findings_count)
		app_say(&context->out, "\n");
	for (uint32_t i = 0; i < verdict->findings_count; i++)
		cli_say_finding(context, &accepted, verdict, i);
	if (has_blocking(verdict, "no-iommu"))
		say_advice(context);
	say_rest(context, verdict);
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
	const struct cli_accepted accepted = { question->waivers, question->waivers_count };
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
		app_json_add(list, cli_finding_json(context, &accepted, &verdict->findings[i]));
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
	int code;

	if (options->explain)
		return cli_explain(options);
	code = cli_open(&context, options, NULL);
	if (code < 0)
		code = prepare(&context, &asking);
	if (code < 0)
		code = judge(&context, &asking.question);
	cli_waivers_finish(&asking.waivers);
	free(asking.functions);
	cli_close(&context);
	return code;
}
