// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "app/json.h"
#include "app/text.h"
#include "cli/verbs.h"

#include <locale.h>
#include <stdarg.h>

int cli_fail(const struct cli_options *options, int code, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	app_complain("%s", text);
	if (options->json) {
		struct json_object *document = app_json_document("error");

		app_json_put_number(document, "exit", (uint32_t)code);
		app_json_put_text(document, "message", text);
		app_json_print(stdout, document);
	}
	return code;
}

int main(int argc, char **argv)
{
	struct cli_options options = { .colour = APP_COLOUR_AUTO };
	int code;

	setlocale(LC_CTYPE, "");
	code = cli_parse(argc, argv, &options);
	if (code < 0)
		code = options.verb->run(&options);
	cli_options_finish(&options);
	if (!app_text_finish() && code == CLI_DONE)
		code = CLI_FAILURE;
	return code;
}
