/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Memory by regions: a guest's memory, or that of the software machine. The addresses are physical
 * addresses of whomever the memory belongs to, ward_gpa_t of a guest, ward_pa_t of a machine; this is
 * why they are plain integers here.
 *
 * Threads: regions are added and removed while nobody else uses the memory. Any number of threads may
 * read and write it; aligned accesses of 8 bytes are single (no torn values), larger ones are not.
 */
#ifndef DOORWARD_MEMORY_H
#define DOORWARD_MEMORY_H

#include <doorward/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct ward_memory;

/** Writes are refused with -EFAULT. */
#define WARD_MEMORY_READ_ONLY 0x1u

/**
 * Creates a memory without regions.
 * @param ret_memory the memory; the caller destroys it
 * @return 0 or -ENOMEM
 */
int ward_memory_create(struct ward_memory **ret_memory);

/**
 * Destroys a memory and the regions it owns.
 * @param memory a memory, or NULL
 */
void ward_memory_destroy(struct ward_memory *memory);

/**
 * Adds a region.
 * @param memory a memory
 * @param range its addresses
 * @param flags WARD_MEMORY_* or 0
 * @param host where its bytes are, range long, borrowed until the region goes; NULL: the memory
 * owns them and they are 0. Where an address that is a multiple of 8 is not one in this process,
 * accesses of 8 bytes work, but are not single; so where they cross from a region to the next
 * @return 0; -EINVAL an empty range, an unknown flag; -EEXIST it overlaps a region; -ENOSPC there
 * are WARD_MEMORY_REGIONS already; -ENOMEM
 */
int ward_memory_add(struct ward_memory *memory, struct ward_range range, uint32_t flags,
		    void *host);

/** Most regions of one memory. */
#define WARD_MEMORY_REGIONS 4096u

/**
 * Removes the region that has exactly these addresses.
 * @param memory a memory
 * @param range its addresses
 * @return 0 or -ENOENT
 */
int ward_memory_remove(struct ward_memory *memory, struct ward_range range);

/**
 * Reads bytes; may cross from one region to the next when they touch.
 * @param memory a memory
 * @param address of the first byte
 * @param ret_bytes receives them, whole or not at all
 * @param size how many
 * @return 0, or -EFAULT when some byte is not there
 */
int ward_memory_read(const struct ward_memory *memory, uint64_t address, void *ret_bytes,
		     size_t size);

/**
 * Writes bytes, all or none of them.
 * @param memory a memory
 * @param address of the first byte
 * @param bytes what to write
 * @param size how many
 * @return 0, or -EFAULT when some byte is not there or read-only
 */
int ward_memory_write(struct ward_memory *memory, uint64_t address, const void *bytes, size_t size);

/**
 * Reads a little-endian 64-bit value in one access.
 * @param memory a memory
 * @param address a multiple of 8
 * @param ret_value the value
 * @return 0; -EINVAL misaligned; -EFAULT not there
 */
int ward_memory_read_u64(const struct ward_memory *memory, uint64_t address, uint64_t *ret_value);

/**
 * Writes a little-endian 64-bit value in one access; what was written before it is seen by whoever
 * reads it (release).
 * @param memory a memory
 * @param address a multiple of 8
 * @param value the value
 * @return 0; -EINVAL misaligned; -EFAULT not there or read-only
 */
int ward_memory_write_u64(struct ward_memory *memory, uint64_t address, uint64_t value);

/**
 * The bytes themselves, within one region.
 * @param memory a memory
 * @param range the addresses
 * @param write they will be written
 * @return where they are, until the region goes; NULL when they are not all in one region, or
 * are read-only and write was asked for
 */
void *ward_memory_at(const struct ward_memory *memory, struct ward_range range, bool write);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
