/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Text for people. Names come from files that others wrote, so every byte that could drive a
 * terminal is replaced before it gets there.
 */
#ifndef APP_TEXT_H
#define APP_TEXT_H

#include <stdbool.h>
#include <stdio.h>

enum app_colour {
	APP_PLAIN,
	APP_BOLD,
	APP_RED,
	APP_GREEN,
	APP_YELLOW,
	APP_DIM,
};

enum app_colour_when {
	APP_COLOUR_AUTO, /* on a terminal, unless NO_COLOR is set or TERM is dumb */
	APP_COLOUR_ALWAYS,
	APP_COLOUR_NEVER,
};

struct app_text {
	FILE *file;
	bool colour;
	size_t width; /* columns; paragraphs are broken to fit */
};

void app_text_init(struct app_text *text, FILE *file, enum app_colour_when when);

/* Replaces control characters (C0, DEL, C1) by '?' in place; line feeds stay when allowed. */
void app_text_clean(char *bytes, bool allow_lines);

__attribute__((format(printf, 2, 3))) void app_say(const struct app_text *text, const char *format,
						   ...);
__attribute__((format(printf, 3, 4))) void
app_say_in(const struct app_text *text, enum app_colour colour, const char *format, ...);

/*
 * Words broken into lines of the text's width. The first line continues a line that has column
 * characters already; the others start with indent spaces.
 */
__attribute__((format(printf, 4, 5))) void app_paragraph(const struct app_text *text, size_t column,
							 size_t indent, const char *format, ...);

/* A message on standard error: "doorward: ..." */
__attribute__((format(printf, 1, 2))) void app_complain(const char *format, ...);

/*
 * Flushes and closes standard output. False, with a message, when something was lost; a reader
 * that went away (a broken pipe) is no news.
 */
bool app_text_finish(void);

#endif
