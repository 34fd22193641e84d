// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* doorward check --explain: a topic in words, of no machine. */
#include "cli/topic.h"
#include "cli/verbs.h"

#include <string.h>

static void print_text(const struct cli_options *options, const struct cli_topic *topic)
{
	struct app_text out;

	app_text_init(&out, stdout, options->colour);
	app_say_in(&out, APP_BOLD, "%s", topic->name);
	app_say(&out, ": ");
	app_paragraph(&out, strlen(topic->name) + 2, 2, "%s", topic->title);
	for (const struct cli_topic_part *part = topic->parts; part->text; part++) {
		switch (part->kind) {
		case CLI_TOPIC_HEADING:
			app_say(&out, "\n");
			app_say_in(&out, APP_BOLD, "%s\n", part->text);
			break;
		case CLI_TOPIC_PARAGRAPH:
			app_paragraph(&out, 0, 0, "%s", part->text);
			break;
		case CLI_TOPIC_ITEM:
			app_say(&out, "  - ");
			app_paragraph(&out, 4, 4, "%s", part->text);
			break;
		}
	}
}

static void print_json(const struct cli_topic *topic)
{
	static const char *const kinds[] = {
		[CLI_TOPIC_HEADING] = "heading",
		[CLI_TOPIC_PARAGRAPH] = "paragraph",
		[CLI_TOPIC_ITEM] = "item",
	};
	struct json_object *document = app_json_document("explain"), *parts = app_json_array();

	app_json_put_text(document, "topic", topic->name);
	app_json_put_text(document, "title", topic->title);
	for (const struct cli_topic_part *part = topic->parts; part->text; part++) {
		struct json_object *object = app_json_object();

		app_json_put_text(object, "kind", kinds[part->kind]);
		app_json_put_text(object, "text", part->text);
		app_json_add(parts, object);
	}
	app_json_put(document, "parts", parts);
	app_json_print(stdout, document);
}

int cli_explain(const struct cli_options *options)
{
	const struct cli_topic *topic = cli_topics;

	/* The table of options has let no other name through. */
	while (topic->name && strcmp(topic->name, options->explain) != 0)
		topic++;
	if (!topic->name)
		return cli_fail(options, CLI_USAGE, "there is no topic \"%s\"", options->explain);
	if (options->json)
		print_json(topic);
	else
		print_text(options, topic);
	return CLI_DONE;
}
