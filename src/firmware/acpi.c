// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "firmware/acpi.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/fault.h"

int ward_acpi_open(const void *bytes, size_t size, const char *signature, uint32_t minimum,
		   struct ward_acpi_table *ret_table, struct ward_error *ret_error)
{
	struct ward_acpi_table table = { .bytes = bytes };
	uint8_t sum = 0;

	memcpy(table.name, signature, 4);
	if (size < WARD_ACPI_HEADER || size > UINT32_MAX)
		return ward_fail(ret_error, -EBADMSG, "%s: %zu bytes cannot be a table", table.name,
				 size);
	table.size = (uint32_t)size;
	if (memcmp(bytes, signature, 4) != 0)
		return ward_acpi_bad(&table, ret_error, 0, "the signature is another");
	table.size = ward_acpi_u32(&table, 4);
	if (table.size > size || table.size > WARD_ACPI_SIZE_MAX)
		return ward_acpi_bad(&table, ret_error, 4,
				     "the length says %u, there are %zu bytes", table.size, size);
	if (table.size < minimum)
		return ward_acpi_bad(&table, ret_error, 4, "the length says %u, less than %u",
				     table.size, minimum);
	for (uint32_t i = 0; i < table.size; i++)
		sum = (uint8_t)(sum + table.bytes[i]);
	if (sum != 0)
		return ward_acpi_bad(&table, ret_error, 9, "the checksum is wrong by 0x%02x", sum);
	table.revision = table.bytes[8];
	memcpy(table.oem_id, table.bytes + 10, 6);
	*ret_table = table;
	return 0;
}

bool ward_acpi_has(const struct ward_acpi_table *table, uint64_t offset, uint64_t length)
{
	return offset <= table->size && length <= table->size - offset;
}

uint8_t ward_acpi_u8(const struct ward_acpi_table *table, uint32_t offset)
{
	return ward_acpi_has(table, offset, 1) ? table->bytes[offset] : 0;
}

static uint64_t read_le(const struct ward_acpi_table *table, uint32_t offset, unsigned int size)
{
	uint64_t value = 0;

	if (!ward_acpi_has(table, offset, size))
		return 0;
	for (unsigned int i = size; i > 0; i--)
		value = value << 8 | table->bytes[offset + i - 1];
	return value;
}

uint16_t ward_acpi_u16(const struct ward_acpi_table *table, uint32_t offset)
{
	return (uint16_t)read_le(table, offset, 2);
}

uint32_t ward_acpi_u32(const struct ward_acpi_table *table, uint32_t offset)
{
	return (uint32_t)read_le(table, offset, 4);
}

uint64_t ward_acpi_u64(const struct ward_acpi_table *table, uint32_t offset)
{
	return read_le(table, offset, 8);
}

int ward_acpi_bad(const struct ward_acpi_table *table, struct ward_error *error, uint32_t offset,
		  const char *format, ...)
{
	char text[160];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return ward_fail(error, -EBADMSG, "%s at 0x%x: %s", table->name, offset, text);
}

void *ward_acpi_append(void *array_pointer, uint32_t *count, size_t *capacity, size_t size)
{
	void *array;
	char *element;

	/* array_pointer is the address of a pointer of some other type. */
	memcpy(&array, array_pointer, sizeof(array));
	if (ward_array_reserve(&array, capacity, *count + (size_t)1, size))
		return NULL;
	memcpy(array_pointer, &array, sizeof(array));
	element = (char *)array + *count * size;
	(*count)++;
	return memset(element, 0, size);
}
