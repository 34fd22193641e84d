/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What all ACPI tables have in common: the header, its checks, and readers that stay inside.
 * Source: ACPI specification 6.5, 5.2.6 (system description table header).
 */
#ifndef FIRMWARE_ACPI_H
#define FIRMWARE_ACPI_H

#include <doorward/error.h>
#include <doorward/types.h>

/* Real tables of these kinds are a few hundred bytes to some tens of KiB. */
#define WARD_ACPI_SIZE_MAX (1u << 20)
#define WARD_ACPI_HEADER 36u
/* Structures of one table. */
#define WARD_ACPI_ENTRIES_MAX 65536u

/* A table whose header was checked. bytes are borrowed. */
struct ward_acpi_table {
	const uint8_t *bytes;
	uint32_t size; /* what the header says, no more than there are bytes */
	char name[5];
	uint8_t revision;
	char oem_id[7];
};

/*
 * Checks the header: signature, length (at least minimum, at most size), checksum. Bytes behind
 * the length are ignored.
 */
int ward_acpi_open(const void *bytes, size_t size, const char *signature, uint32_t minimum,
		   struct ward_acpi_table *ret_table, struct ward_error *ret_error);

/* True when length bytes at offset are inside the table. */
bool ward_acpi_has(const struct ward_acpi_table *table, uint64_t offset, uint64_t length);

/*
 * Little-endian fields. Callers check a structure's length once and then read it; a field that is
 * outside all the same reads as 0 and never touches memory.
 */
uint8_t ward_acpi_u8(const struct ward_acpi_table *table, uint32_t offset);
uint16_t ward_acpi_u16(const struct ward_acpi_table *table, uint32_t offset);
uint32_t ward_acpi_u32(const struct ward_acpi_table *table, uint32_t offset);
uint64_t ward_acpi_u64(const struct ward_acpi_table *table, uint32_t offset);

/* Refuses a table: -EBADMSG, and "NAME at 0xOFFSET: what is wrong". */
__attribute__((format(printf, 4, 5))) int ward_acpi_bad(const struct ward_acpi_table *table,
							struct ward_error *error, uint32_t offset,
							const char *format, ...);

/*
 * Makes room for one more element of an array of a parsed table. Returns the element, zeroed, or
 * NULL for want of memory. capacity is kept beside the array.
 */
void *ward_acpi_append(void *array_pointer, uint32_t *count, size_t *capacity, size_t size);

#endif
