// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Reads the command line by the table in verbs.c. */
#include "app/memory.h"
#include "app/nearest.h"
#include "cli/verbs.h"

#include <doorward/explore.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_MAX 1024

static void words_add(struct cli_words *words, const char *word)
{
	app_array_grow((void **)&words->word, words->count, sizeof(*words->word));
	words->word[words->count++] = word;
}

void cli_options_finish(struct cli_options *options)
{
	free(options->operands.word);
	free(options->accept.word);
	free(options->accept_policy.word);
	free(options->suppose.word);
}

static bool is_choice(const char *choices, const char *argument)
{
	size_t length = strlen(argument);

	while (*choices) {
		size_t word = strcspn(choices, " ");

		if (word == length && strncmp(choices, argument, length) == 0)
			return true;
		choices += word;
		choices += strspn(choices, " ");
	}
	return false;
}

static int print_version(void)
{
	printf("doorward %s, rules %s\n", DOORWARD_VERSION, WARD_RULES_VERSION);
	return CLI_DONE;
}

/* A count from 1 on. Returns -1 to go on, else an exit code. */
static int number(const struct cli_options *options, const struct cli_option *option,
		  const char *argument, uint32_t most, uint32_t *ret_number)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(argument, &end, 10);
	if (argument[0] < '0' || argument[0] > '9' || *end || errno || !value || value > most)
		return cli_fail(options, CLI_USAGE, "--%s takes a number from 1 to %u, not \"%s\"",
				option->name, most, argument);
	*ret_number = (uint32_t)value;
	return -1;
}

/* Returns -1 to go on, else an exit code. */
static int apply(struct cli_options *options, const struct cli_option *option, const char *argument)
{
	switch (option->id) {
	case CLI_OPTION_MACHINE:
		options->machine = argument;
		break;
	case CLI_OPTION_SYSROOT:
		options->sysroot = argument;
		break;
	case CLI_OPTION_JSON:
		options->json = true;
		break;
	case CLI_OPTION_POLICY:
		options->policy = *argument == 'l' ? WARD_POLICY_LINUX : WARD_POLICY_STRICT;
		break;
	case CLI_OPTION_ACCEPT:
		words_add(&options->accept, argument);
		break;
	case CLI_OPTION_ACCEPT_POLICY:
		words_add(&options->accept_policy, argument);
		break;
	case CLI_OPTION_WAKE:
		options->wake = true;
		break;
	case CLI_OPTION_COLOUR:
		options->colour = strcmp(argument, "always") == 0  ? APP_COLOUR_ALWAYS
				  : strcmp(argument, "never") == 0 ? APP_COLOUR_NEVER
								   : APP_COLOUR_AUTO;
		break;
	case CLI_OPTION_COLUMNS:
		options->columns = argument;
		break;
	case CLI_OPTION_NO_HEADINGS:
		options->no_headings = true;
		break;
	case CLI_OPTION_RAW:
		options->raw = true;
		break;
	case CLI_OPTION_TREE:
		options->tree = true;
		break;
	case CLI_OPTION_RULE:
		options->rule =
			*argument == 'b' ? WARD_GROUP_RULE_LINUX_BUS : WARD_GROUP_RULE_LINUX;
		break;
	case CLI_OPTION_TO:
		options->to = argument;
		break;
	case CLI_OPTION_SUPPOSE:
		words_add(&options->suppose, argument);
		break;
	case CLI_OPTION_EXPLAIN:
		options->explain = argument;
		break;
	case CLI_OPTION_OUTPUT:
		options->output = argument;
		break;
	case CLI_OPTION_WITH_IDENTITY:
		options->with_identity = true;
		break;
	case CLI_OPTION_MODEL:
		options->model = true;
		break;
	case CLI_OPTION_CLIENTS:
		return number(options, option, argument, WARD_EXPLORE_CLIENTS_MAX,
			      &options->clients);
	case CLI_OPTION_DEPTH:
		return number(options, option, argument, UINT32_MAX, &options->depth);
	case CLI_OPTION_CONTAINERS:
		return number(options, option, argument, WARD_EXPLORE_CONTAINERS_MAX,
			      &options->containers);
	case CLI_OPTION_STATES:
		return number(options, option, argument, UINT32_MAX, &options->states);
	case CLI_OPTION_THREADS:
		return number(options, option, argument, THREADS_MAX, &options->threads);
	case CLI_OPTION_EVENTS:
		options->events = argument;
		break;
	case CLI_OPTION_FUNCTIONS:
		options->functions = argument;
		break;
	case CLI_OPTION_PROGRESS:
		options->progress = true;
		break;
	case CLI_OPTION_BREAK:
		options->break_rule = argument;
		break;
	case CLI_OPTION_HELP:
		cli_print_help(options->verb);
		return CLI_DONE;
	case CLI_OPTION_VERSION:
		return print_version();
	case CLI_OPTION_BASH_COMPLETION:
		cli_print_completion();
		return CLI_DONE;
	}
	return -1;
}

static int unknown_choice(const struct cli_options *options, const struct cli_option *option,
			  const char *argument)
{
	char *choices = app_strdup(option->choices), *rest = choices;
	struct app_nearest nearest;
	const char *choice;
	int code;

	app_nearest_init(&nearest, argument);
	while ((choice = strsep(&rest, " ")))
		app_nearest_offer(&nearest, choice);
	code = cli_fail(options, CLI_USAGE, "--%s does not know \"%s\"%s%s%s; it takes one of: %s",
			option->name, argument, nearest.count ? "; did you mean \"" : "",
			nearest.count ? nearest.found[0] : "", nearest.count ? "\"?" : "",
			option->choices);
	free(choices);
	return code;
}

static int apply_checked(struct cli_options *options, const struct cli_option *option,
			 const char *argument)
{
	if (argument && !*argument)
		return cli_fail(options, CLI_USAGE, "--%s needs %s, not an empty word",
				option->name, option->argument);
	if (argument && option->choices && *option->choices != '@' &&
	    !is_choice(option->choices, argument))
		return unknown_choice(options, option, argument);
	return apply(options, option, argument ? argument : "");
}

/* The part of the command line still to be read. */
struct line {
	char **argv;
	int argc, at;
	const struct cli_verb *verb; /* the command line's, wherever it stands */
};

static bool fits(const struct cli_option *option, const struct cli_verb *verb)
{
	return !verb || (option->verbs & verb->bit);
}

static const struct cli_option *find_long(const char *name, size_t length,
					  const struct cli_verb *verb)
{
	const struct cli_option *other = NULL;

	for (const struct cli_option *option = cli_option_table; option->name; option++) {
		if (strlen(option->name) != length || strncmp(option->name, name, length) != 0)
			continue;
		if (fits(option, verb))
			return option;
		other = option;
	}
	return other;
}

static const struct cli_option *find_short(char letter, const struct cli_verb *verb)
{
	const struct cli_option *other = NULL;

	for (const struct cli_option *option = cli_option_table; option->name; option++) {
		if (option->letter != letter)
			continue;
		if (fits(option, verb))
			return option;
		other = option;
	}
	return other;
}

static int unknown_option(const struct cli_options *options, const char *name,
			  const struct cli_verb *verb)
{
	struct app_nearest nearest;
	char *word = app_strdup(name);
	int code;

	word[strcspn(word, "=")] = '\0';
	app_nearest_init(&nearest, word);
	for (const struct cli_option *option = cli_option_table; option->name; option++)
		if (option->help && fits(option, verb))
			app_nearest_offer(&nearest, option->name);
	if (nearest.count)
		code = cli_fail(options, CLI_USAGE, "there is no option --%s; did you mean --%s?",
				word, nearest.found[0]);
	else
		code = cli_fail(options, CLI_USAGE,
				"there is no option --%s; see: doorward help%s%s", word,
				verb ? " " : "", verb ? verb->name : "");
	free(word);
	return code;
}

static int wrong_verb(const struct cli_options *options, const struct cli_option *option,
		      const struct cli_verb *verb)
{
	return cli_fail(options, CLI_USAGE, "%s does not take --%s; see: doorward help %s",
			verb->name, option->name, verb->name);
}

static int parse_long(struct cli_options *options, struct line *line, const char *name)
{
	size_t length = strcspn(name, "=");
	const struct cli_option *option = find_long(name, length, line->verb);
	const char *argument = name[length] ? name + length + 1 : NULL;

	if (!option)
		return unknown_option(options, name, line->verb);
	if (!fits(option, line->verb))
		return wrong_verb(options, option, line->verb);
	if (argument && !option->argument)
		return cli_fail(options, CLI_USAGE, "--%s takes no argument", option->name);
	if (!argument && option->argument) {
		if (line->at >= line->argc)
			return cli_fail(options, CLI_USAGE, "--%s needs %s", option->name,
					option->argument);
		argument = line->argv[line->at++];
	}
	return apply_checked(options, option, argument);
}

static int parse_letters(struct cli_options *options, struct line *line, const char *letters)
{
	while (*letters) {
		const struct cli_option *option = find_short(*letters, line->verb);
		const char *argument = NULL;
		int code;

		if (!option)
			return cli_fail(options, CLI_USAGE,
					"there is no option -%c; see: doorward help%s%s", *letters,
					line->verb ? " " : "", line->verb ? line->verb->name : "");
		if (!fits(option, line->verb))
			return wrong_verb(options, option, line->verb);
		letters++;
		if (option->argument) {
			if (*letters)
				argument = letters;
			else if (line->at < line->argc)
				argument = line->argv[line->at++];
			else
				return cli_fail(options, CLI_USAGE, "-%c needs %s", option->letter,
						option->argument);
			letters = "";
		}
		code = apply_checked(options, option, argument);
		if (code >= 0)
			return code;
	}
	return -1;
}

int cli_unknown_verb(const struct cli_options *options, const char *name)
{
	struct app_nearest nearest;

	app_nearest_init(&nearest, name);
	for (const struct cli_verb *verb = cli_verbs; verb->name; verb++)
		app_nearest_offer(&nearest, verb->name);
	if (nearest.count)
		return cli_fail(options, CLI_USAGE, "there is no verb \"%s\"; did you mean \"%s\"?",
				name, nearest.found[0]);
	return cli_fail(options, CLI_USAGE,
			"there is no verb \"%s\"; to judge a device: doorward check %s; "
			"all verbs: doorward help",
			name, name);
}

/* "-rno" wants the next word as the argument of o; "-oNAME" has it already. */
static bool wants_next(const char *word)
{
	const struct cli_option *option;

	if (word[1] == '-') {
		option = find_long(word + 2, strlen(word + 2), NULL);
		return option && option->argument;
	}
	for (word++; *word; word++) {
		option = find_short(*word, NULL);
		if (option && option->argument)
			return word[1] == '\0';
	}
	return false;
}

/*
 * The verb is the first word that is neither an option nor the argument of one. It is looked up
 * first, since it decides what the letters before it mean.
 */
static const char *find_verb(const struct line *line)
{
	for (int i = 1; i < line->argc; i++) {
		const char *word = line->argv[i];

		if (word[0] != '-' || word[1] == '\0')
			return word;
		if (strcmp(word, "--") == 0)
			return i + 1 < line->argc ? line->argv[i + 1] : NULL;
		if (wants_next(word))
			i++;
	}
	return NULL;
}

static int check_operands(const struct cli_options *options)
{
	const struct cli_verb *verb = options->verb;
	size_t count = options->operands.count;

	if (options->machine && options->sysroot)
		return cli_fail(options, CLI_USAGE, "--machine and --sysroot exclude each other");
	if (options->explain)
		return count ? cli_fail(options, CLI_USAGE,
					"--explain takes no device; \"%s\" is too much",
					options->operands.word[0])
			     : -1;
	if (count < verb->operands_min)
		return cli_fail(options, CLI_USAGE, "%s needs %s; for example: doorward %s %s",
				verb->name, verb->operands, verb->name, verb->example);
	if (count <= verb->operands_max)
		return -1;
	if (verb->operands)
		return cli_fail(options, CLI_USAGE, "%s takes no more than %s; \"%s\" is too much",
				verb->name, verb->operands,
				options->operands.word[verb->operands_max]);
	return cli_fail(options, CLI_USAGE, "%s takes no device; \"%s\" is too much", verb->name,
			options->operands.word[0]);
}

int cli_parse(int argc, char **argv, struct cli_options *options)
{
	struct line line = { .argv = argv, .argc = argc, .at = 1 };
	const char *verb = find_verb(&line);
	bool only_words = false, seen = false;

	line.verb = options->verb = verb ? cli_verb_find(verb) : NULL;
	/* Known before anything can go wrong, so that errors come as JSON too. */
	for (int i = 1; i < argc; i++)
		options->json |= strcmp(argv[i], "--json") == 0;
	while (line.at < argc) {
		const char *word = argv[line.at++];
		int code = -1;

		if (only_words || word[0] != '-' || word[1] == '\0') {
			if (seen)
				words_add(&options->operands, word);
			else if (!line.verb)
				code = cli_unknown_verb(options, word);
			seen = true;
		} else if (strcmp(word, "--") == 0) {
			only_words = true;
		} else if (word[1] == '-') {
			code = parse_long(options, &line, word + 2);
		} else {
			code = parse_letters(options, &line, word + 1);
		}
		if (code >= 0)
			return code;
	}
	if (!options->verb) {
		cli_print_help(NULL);
		return CLI_USAGE;
	}
	return check_operands(options);
}
