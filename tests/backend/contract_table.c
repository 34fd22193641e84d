// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Tables of docs/backends.md: situation, contract, then a column for each backend. */
#include "contract_table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS_MAX 8

/* Splits "| a | `b` | c |" in place; returns how many cells. */
static unsigned int split(char *line, char *cells[COLUMNS_MAX])
{
	unsigned int count = 0;
	char *at = strchr(line, '|'), *end;

	for (; at && count < COLUMNS_MAX; at = end) {
		char *cell = at + 1;

		end = strchr(cell, '|');
		if (!end)
			break;
		while (*cell == ' ' || *cell == '`')
			cell++;
		for (char *tail = end; tail > cell && (tail[-1] == ' ' || tail[-1] == '`'); tail--)
			tail[-1] = '\0';
		*end = '\0';
		cells[count++] = cell;
	}
	return count;
}

static bool keep(struct contract *contract, char *cells[], unsigned int column)
{
	struct contract_row *row = &contract->rows[contract->rows_count];

	if (contract->rows_count == CONTRACT_ROWS)
		return false;
	*row = (struct contract_row){ 0 };
	snprintf(row->situation, sizeof(row->situation), "%s", cells[0]);
	snprintf(row->contract, sizeof(row->contract), "%s", cells[1]);
	snprintf(row->ours, sizeof(row->ours), "%s", cells[column]);
	contract->rows_count++;
	return true;
}

bool contract_read_table(struct contract *contract, const char *path, const char *first)
{
	FILE *file = fopen(path, "re");
	unsigned int column = 0;
	bool damaged = false;
	char line[1024];

	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		char *cells[COLUMNS_MAX];
		unsigned int count = split(line, cells);

		if (!column && count > 2 && strcmp(cells[0], first) == 0) {
			for (unsigned int i = 2; i < count; i++)
				if (strcmp(cells[i], contract->column) == 0)
					column = i;
			damaged |= !column;
		} else if (column && count == 0) {
			break;
		} else if (column && strncmp(cells[0], "---", 3) != 0) {
			damaged |= count <= column || !keep(contract, cells, column);
		}
	}
	fclose(file);
	return column && !damaged && contract->rows_count;
}

bool contract_read_differences(struct contract *contract, const char *path)
{
	return contract_read_table(contract, path, "situation");
}

void contract_fail(struct contract *contract, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	contract->failures++;
	contract->failed(contract, text);
}

/* A cell may allow several: "EINVAL or EOVERFLOW". */
static bool allows(const char *cell, const char *seen)
{
	char words[CONTRACT_CELL], *save = NULL;

	snprintf(words, sizeof(words), "%s", cell);
	for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
		if (strcmp(word, "or") != 0 && strcmp(word, seen) == 0)
			return true;
	return false;
}

void contract_expect_word(struct contract *contract, const char *situation, const char *seen,
			  const char *wanted)
{
	for (uint32_t i = 0; i < contract->rows_count; i++) {
		struct contract_row *row = &contract->rows[i];

		if (strcmp(row->situation, situation) != 0)
			continue;
		row->asked = true;
		if (!allows(row->contract, wanted))
			contract_fail(contract,
				      "%s: the table says that the contract is %s, it is %s",
				      situation, row->contract, wanted);
		if (!allows(row->ours, seen))
			contract_fail(contract, "%s: %s, and the table says %s", situation, seen,
				      row->ours);
		return;
	}
	if (strcmp(seen, wanted) != 0)
		contract_fail(contract, "%s: %s, and the contract is %s; no row allows it",
			      situation, seen, wanted);
}

static const char *word_of(int code)
{
	return code == 0 ? "0" : code > 0 ? "positive" : strerrorname_np(-code);
}

void contract_expect(struct contract *contract, const char *situation, int code, int wanted)
{
	contract_expect_word(contract, situation, word_of(code), word_of(wanted));
}

void contract_every_row(struct contract *contract)
{
	for (uint32_t i = 0; i < contract->rows_count; i++)
		if (!contract->rows[i].asked)
			contract_fail(contract, "%s: a row of the table that nothing asks for",
				      contract->rows[i].situation);
}
