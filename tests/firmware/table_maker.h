/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tables made byte by byte, and the ways to damage them: one bad field at a time, cut short, any
 * byte changed. Length and checksum are made right again after the damage, so that it is the
 * damage that must be noticed. Each try gets memory of exactly its size, for AddressSanitizer.
 */
#ifndef TESTS_FIRMWARE_TABLE_MAKER_H
#define TESTS_FIRMWARE_TABLE_MAKER_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/acpi.h"

struct table {
	uint8_t bytes[4096];
	size_t size;
};

/* Parses and destroys: what all damage is tried on. */
typedef int (*table_parser)(const void *bytes, size_t size, struct ward_error *ret_error);

static inline void put_at(struct table *table, size_t offset, unsigned int width, uint64_t value)
{
	assert_true(offset + width <= sizeof(table->bytes));
	for (unsigned int i = 0; i < width; i++)
		table->bytes[offset + i] = (uint8_t)(value >> (8 * i));
}

/* Appends a little-endian number and returns where it stands. */
static inline size_t put(struct table *table, unsigned int width, uint64_t value)
{
	size_t at = table->size;

	put_at(table, at, width, value);
	table->size += width;
	return at;
}

static inline void put_text(struct table *table, const char *text)
{
	for (size_t i = 0; i <= strlen(text); i++)
		put(table, 1, (uint8_t)text[i]);
}

static inline void start_table(struct table *table, const char *signature)
{
	memset(table, 0, sizeof(*table));
	memcpy(table->bytes, signature, 4);
	table->bytes[8] = 1;
	memcpy(table->bytes + 10, "MAKER ", 6);
	table->size = 36;
}

static inline void fix_checksum(uint8_t *bytes, size_t size)
{
	uint8_t sum = 0;

	bytes[9] = 0;
	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + bytes[i]);
	bytes[9] = (uint8_t)-sum;
}

static inline void finish_table(struct table *table)
{
	put_at(table, 4, 4, table->size);
	fix_checksum(table->bytes, table->size);
}

static inline int try_bytes(table_parser parse, const uint8_t *bytes, size_t size,
			    struct ward_error *ret_error)
{
	uint8_t *exact = malloc(size ? size : 1);
	int code;

	assert_non_null(exact);
	memcpy(exact, bytes, size);
	code = parse(exact, size, ret_error);
	free(exact);
	return code;
}

/* The finished table with one field changed is refused, with a sentence that has text in it. */
static inline void refuse(table_parser parse, const struct table *good, size_t offset,
			  unsigned int width, uint64_t value, const char *text)
{
	struct table bad = *good;
	struct ward_error error = { "" };
	int code;

	put_at(&bad, offset, width, value);
	fix_checksum(bad.bytes, bad.size);
	code = try_bytes(parse, bad.bytes, bad.size, &error);
	if (code != -EBADMSG || !strstr(error.text, text))
		fail_msg("field at 0x%zx with 0x%llx: %d, \"%s\" has no \"%s\"", offset,
			 (unsigned long long)value, code, error.text, text);
}

/* One field that must not be refused. */
static inline void accept_field(table_parser parse, const struct table *good, size_t offset,
				unsigned int width, uint64_t value)
{
	struct table other = *good;
	struct ward_error error = { "" };
	int code;

	put_at(&other, offset, width, value);
	fix_checksum(other.bytes, other.size);
	code = try_bytes(parse, other.bytes, other.size, &error);
	if (code)
		fail_msg("field at 0x%zx with 0x%llx: %d, \"%s\"", offset,
			 (unsigned long long)value, code, error.text);
}

/* Cut short anywhere, with length and checksum that fit: read or refused, nothing else. */
static inline void cut_everywhere(table_parser parse, const struct table *good)
{
	for (size_t size = 0; size < good->size; size++) {
		struct table cut = *good;
		struct ward_error error = { "" };
		int code;

		put_at(&cut, 4, 4, size);
		fix_checksum(cut.bytes, size);
		code = try_bytes(parse, cut.bytes, size, &error);
		if (code != 0 && (code != -EBADMSG || !error.text[0]))
			fail_msg("cut to %zu bytes: %d, \"%s\"", size, code, error.text);
	}
}

/* Any byte behind the header changed: read or refused, nothing else. */
static inline void change_everywhere(table_parser parse, const struct table *good)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };

	for (size_t at = WARD_ACPI_HEADER; at < good->size; at++) {
		for (size_t i = 0; i < sizeof(values); i++) {
			struct table changed = *good;
			struct ward_error error = { "" };
			int code;

			changed.bytes[at] = values[i];
			fix_checksum(changed.bytes, changed.size);
			code = try_bytes(parse, changed.bytes, changed.size, &error);
			if (code != 0 && (code != -EBADMSG || !error.text[0]))
				fail_msg("0x%02x at 0x%zx: %d, \"%s\"", values[i], at, code,
					 error.text);
		}
	}
}

/* A table of head and then count times the same piece is refused just above the limit. */
static inline void limit(table_parser parse, const struct table *head, const uint8_t *piece,
			 size_t piece_size, size_t count)
{
	uint8_t *bytes = calloc(1, head->size + (count + 1) * piece_size);

	assert_non_null(bytes);
	memcpy(bytes, head->bytes, head->size);
	for (size_t i = 0; i <= count; i++)
		memcpy(bytes + head->size + i * piece_size, piece, piece_size);
	for (size_t extra = 0; extra < 2; extra++) {
		size_t size = head->size + (count + extra) * piece_size;
		struct ward_error error = { "" };

		for (unsigned int i = 0; i < 4; i++)
			bytes[4 + i] = (uint8_t)(size >> (8 * i));
		fix_checksum(bytes, size);
		assert_int_equal(parse(bytes, size, &error), extra ? -EBADMSG : 0);
		assert_true(!extra || strstr(error.text, "more than"));
	}
	free(bytes);
}

#endif
