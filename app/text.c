// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "app/text.h"

#include "app/memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_PLAIN 80 /* where nothing says how wide it is */
#define WIDTH_MIN 40
#define WIDTH_MAX 100 /* longer lines are hard to read */

static size_t terminal_width(int fd)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return WIDTH_PLAIN;
	if (size.ws_col < WIDTH_MIN)
		return WIDTH_MIN;
	return size.ws_col > WIDTH_MAX ? WIDTH_MAX : size.ws_col;
}

void app_text_init(struct app_text *text, FILE *file, enum app_colour_when when)
{
	bool terminal = isatty(fileno(file)) == 1;
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	text->file = file;
	text->width = terminal ? terminal_width(fileno(file)) : WIDTH_PLAIN;
	text->colour = when == APP_COLOUR_ALWAYS;
	if (when == APP_COLOUR_AUTO)
		text->colour = terminal && !(no_color && *no_color) &&
			       !(term && strcmp(term, "dumb") == 0);
}

void app_text_clean(char *bytes, bool allow_lines)
{
	for (unsigned char *at = (unsigned char *)bytes; *at; at++) {
		bool c1 = at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0;

		if (c1) {
			at[0] = '?';
			at[1] = '?';
		} else if ((*at < 0x20 && !(allow_lines && *at == '\n')) || *at == 0x7f) {
			*at = '?';
		}
	}
}

__attribute__((format(printf, 1, 0))) static char *clean_vprintf(const char *format, va_list args)
{
	char *line;

	if (vasprintf(&line, format, args) < 0)
		line = NULL;
	app_need(line);
	app_text_clean(line, true);
	return line;
}

void app_say(const struct app_text *text, const char *format, ...)
{
	va_list args;
	char *line;

	va_start(args, format);
	line = clean_vprintf(format, args);
	va_end(args);
	fputs(line, text->file);
	free(line);
}

static const char *escape_of(enum app_colour colour)
{
	switch (colour) {
	case APP_BOLD:
		return "\033[1m";
	case APP_RED:
		return "\033[1;31m";
	case APP_GREEN:
		return "\033[1;32m";
	case APP_YELLOW:
		return "\033[1;33m";
	case APP_DIM:
		return "\033[2m";
	case APP_PLAIN:
		break;
	}
	return "";
}

void app_say_in(const struct app_text *text, enum app_colour colour, const char *format, ...)
{
	bool coloured = text->colour && colour != APP_PLAIN;
	va_list args;
	char *line;

	va_start(args, format);
	line = clean_vprintf(format, args);
	va_end(args);
	fprintf(text->file, "%s%s%s", coloured ? escape_of(colour) : "", line,
		coloured ? "\033[0m" : "");
	free(line);
}

/* Columns a text takes: bytes that do not continue a UTF-8 character. */
static size_t columns_of(const char *word, size_t length)
{
	size_t columns = 0;

	for (size_t i = 0; i < length; i++)
		columns += ((unsigned char)word[i] & 0xc0) != 0x80;
	return columns;
}

static void put_words(const struct app_text *text, size_t column, size_t indent, const char *words)
{
	bool fresh = true; /* nothing stands on this line yet that needs a space behind it */

	for (;;) {
		size_t length, columns;

		words += strspn(words, " \n");
		length = strcspn(words, " \n");
		if (length == 0)
			break;
		columns = columns_of(words, length);
		if (!fresh && column + 1 + columns > text->width) {
			fprintf(text->file, "\n%*s", (int)indent, "");
			column = indent;
			fresh = true;
		}
		if (!fresh) {
			fputc(' ', text->file);
			column++;
		}
		fwrite(words, 1, length, text->file);
		column += columns;
		words += length;
		fresh = false;
	}
	fputc('\n', text->file);
}

void app_paragraph(const struct app_text *text, size_t column, size_t indent, const char *format,
		   ...)
{
	va_list args;
	char *words;

	va_start(args, format);
	words = clean_vprintf(format, args);
	va_end(args);
	put_words(text, column, indent, words);
	free(words);
}

void app_complain(const char *format, ...)
{
	va_list args;
	char *line;

	/* What was said before on standard output stands before it in a common log. */
	fflush(stdout);
	va_start(args, format);
	line = clean_vprintf(format, args);
	va_end(args);
	fprintf(stderr, "doorward: %s\n", line);
	free(line);
}

bool app_text_finish(void)
{
	bool lost = ferror(stdout) != 0;

	errno = 0;
	if (fclose(stdout) != 0)
		lost = true;
	if (!lost || errno == EPIPE)
		return true;
	app_complain("cannot write the output: %s", errno ? strerror(errno) : "write error");
	return false;
}
