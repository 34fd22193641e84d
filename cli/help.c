// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Help and completion, made from the table in verbs.c. */
#include "app/memory.h"
#include "cli/verbs.h"

#include <stdlib.h>
#include <string.h>

static void print_option(const struct cli_option *option)
{
	char *left = app_printf("%c%c%c --%s%s%s", option->letter ? '-' : ' ',
				option->letter ? option->letter : ' ', option->letter ? ',' : ' ',
				option->name, option->argument ? " " : "",
				option->argument ? option->argument : "");

	if (strlen(left) < 26)
		printf("  %-26s %s\n", left, option->help);
	else
		printf("  %s\n  %-26s %s\n", left, "", option->help);
	free(left);
}

static unsigned int all_verbs(void)
{
	unsigned int bits = 0;

	for (const struct cli_verb *verb = cli_verbs; verb->name; verb++)
		bits |= verb->bit;
	return bits;
}

static bool takes_most(const struct cli_option *option)
{
	/* Options of nearly every verb stand in the general help, the others with their verb. */
	return __builtin_popcount(option->verbs) + 1 >= __builtin_popcount(all_verbs());
}

static void print_general(void)
{
	printf("Doorward proves PCI passthrough safe, or shows why it is not.\n\n"
	       "usage: doorward VERB [OPTIONS] [DEV...]\n\n");
	for (const struct cli_verb *verb = cli_verbs; verb->name; verb++) {
		char *left = app_printf("%s %s", verb->name, verb->operands ? verb->operands : "");

		printf("  %-16s %s\n", left, verb->summary);
		free(left);
	}
	printf("\nDEV is an address (03:00.0, 0000:03:00.0), a name (eth0, nvme0n1), "
	       "vendor:device\n"
	       "(8086:10d3), or a path below /sys or /dev.\n\n");
	for (const struct cli_option *option = cli_option_table; option->name; option++)
		if (option->help && takes_most(option))
			print_option(option);
	printf("\nBegin with:  doorward list        then:  doorward check DEV\n"
	       "Options of a verb:  doorward help VERB\n"
	       "Exit codes: 0 safe or done, 1 failure, 2 usage, 3 not safe, 4 cannot tell, "
	       "5 permission\n");
}

void cli_print_help(const struct cli_verb *verb)
{
	if (!verb) {
		print_general();
		return;
	}
	printf("usage: doorward %s [OPTIONS]%s%s\n\n%c%s.\n", verb->name, verb->operands ? " " : "",
	       verb->operands ? verb->operands : "", verb->summary[0] - 'a' + 'A',
	       verb->summary + 1);
	if (verb->details)
		printf("\n%s\n", verb->details);
	printf("\n");
	for (const struct cli_option *option = cli_option_table; option->name; option++)
		if (option->help && (option->verbs & verb->bit))
			print_option(option);
}

int cli_help(const struct cli_options *options)
{
	const struct cli_verb *verb = NULL;

	if (options->operands.count) {
		verb = cli_verb_find(options->operands.word[0]);
		if (!verb)
			return cli_unknown_verb(options, options->operands.word[0]);
	}
	cli_print_help(verb);
	return CLI_DONE;
}

static void print_words_of(const struct cli_verb *verb)
{
	for (const struct cli_option *option = cli_option_table; option->name; option++) {
		if (!option->help || !(option->verbs & verb->bit))
			continue;
		printf(" --%s", option->name);
		if (option->letter)
			printf(" -%c", option->letter);
	}
}

/* One arm of a case for each verb: its options. */
static void print_verb_arms(void)
{
	for (const struct cli_verb *verb = cli_verbs; verb->name; verb++) {
		printf("\t%s)\n\t\toptions='", verb->name);
		print_words_of(verb);
		printf("'\n\t\tdevices=%s\n\t\t;;\n", verb->devices ? "yes" : "");
	}
}

/* One arm for each option that takes an argument: what the argument may be. */
static void print_option_arms(void)
{
	for (const struct cli_option *option = cli_option_table; option->name; option++) {
		if (!option->argument || !option->help)
			continue;
		printf("\t--%s)\n", option->name);
		if (!option->choices)
			printf("\t\treturn\n");
		else if (strcmp(option->choices, "@file") == 0)
			printf("\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n\t\treturn\n");
		else if (*option->choices == '@')
			printf("\t\tCOMPREPLY=($(compgen -W '%s' -- \"$cur\"))\n"
			       "\t\tcompopt -o nospace\n\t\treturn\n",
			       option->choices + 2);
		else
			printf("\t\tCOMPREPLY=($(compgen -W '%s' -- \"$cur\"))\n\t\treturn\n",
			       option->choices);
		printf("\t\t;;\n");
	}
}

void cli_print_completion(void)
{
	printf("# bash completion for doorward, generated from its table of verbs.\n"
	       "_doorward()\n{\n"
	       "\tlocal cur prev words cword verb= options= devices= word\n"
	       "\tif declare -F _get_comp_words_by_ref >/dev/null; then\n"
	       "\t\t_get_comp_words_by_ref -n : cur prev words cword\n"
	       "\telse\n"
	       "\t\tcur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	       "\t\twords=(\"${COMP_WORDS[@]}\") cword=$COMP_CWORD\n"
	       "\tfi\n"
	       "\tfor word in \"${words[@]:1:cword-1}\"; do\n"
	       "\t\tcase \" ");
	for (const struct cli_verb *verb = cli_verbs; verb->name; verb++)
		printf("%s ", verb->name);
	printf("\" in\n\t\t*\" $word \"*) verb=$word; break ;;\n\t\tesac\n\tdone\n"
	       "\tcase $prev in\n");
	print_option_arms();
	printf("\tesac\n\tcase $verb in\n");
	print_verb_arms();
	printf("\t*)\n\t\toptions='");
	for (const struct cli_verb *verb = cli_verbs; verb->name; verb++)
		printf("%s ", verb->name);
	printf("--help --version'\n\t\t;;\n\tesac\n"
	       "\tif [[ $verb == help ]]; then\n\t\toptions='");
	for (const struct cli_verb *verb = cli_verbs; verb->name; verb++)
		printf("%s ", verb->name);
	printf("'\n\tfi\n"
	       "\tif [[ $devices && $cur != -* ]]; then\n"
	       "\t\toptions=$(doorward list -n -r -o FUNCTION,NODES 2>/dev/null | tr ', ' "
	       "'\\n\\n')\n"
	       "\tfi\n"
	       "\tCOMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
	       "\tif declare -F __ltrim_colon_completions >/dev/null; then\n"
	       "\t\t__ltrim_colon_completions \"$cur\"\n"
	       "\tfi\n"
	       "}\n"
	       "complete -F _doorward doorward\n");
}
