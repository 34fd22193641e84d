/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Ids, addresses and ranges. Every address space has its own type: they are plain integers to
 * a compiler and distinct types to sparse. Raw values go in and out through the functions below.
 */
#ifndef DOORWARD_TYPES_H
#define DOORWARD_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#ifdef __CHECKER__
#define WARD_BITWISE __attribute__((bitwise))
#define WARD_FORCE __attribute__((force))
#else
#define WARD_BITWISE
#define WARD_FORCE
#endif

/** Host physical address, in bytes. */
typedef uint64_t WARD_BITWISE ward_pa_t;
/** I/O virtual address: what a requester puts on the bus; the input of a space. */
typedef uint64_t WARD_BITWISE ward_iova_t;
/** Guest physical address (intermediate physical address, IPA): the input of a stage 2. */
typedef uint64_t WARD_BITWISE ward_gpa_t;
/**
 * Where a mapping leads: a physical address in the software machine; on Linux, where type1 and
 * iommufd take the memory to map by the mapper's own virtual address, an address of this process.
 */
typedef uint64_t WARD_BITWISE ward_target_t;
/** Process address space id, 20 bits, SubstreamID to an SMMU; or WARD_PASID_NONE. */
typedef uint32_t WARD_BITWISE ward_pasid_t;
/** PCI requester id: bus 15:8, device 7:3, function 2:0 (PCIe base specification, 2.2.6.2). */
typedef uint16_t WARD_BITWISE ward_rid_t;
/** StreamID: what an Arm SMMU sees (Arm IHI 0070, 3.2). */
typedef uint32_t WARD_BITWISE ward_sid_t;
/** DeviceID: what a GICv3 ITS sees (Arm IHI 0069, 5.2). */
typedef uint32_t WARD_BITWISE ward_devid_t;
/** Global system interrupt: the number a VM monitor uses for an interrupt of its guest. */
typedef uint32_t WARD_BITWISE ward_gsi_t;

static inline ward_pa_t ward_pa(uint64_t raw)
{
	return (WARD_FORCE ward_pa_t)raw;
}

static inline uint64_t ward_pa_raw(ward_pa_t pa)
{
	return (WARD_FORCE uint64_t)pa;
}

static inline ward_iova_t ward_iova(uint64_t raw)
{
	return (WARD_FORCE ward_iova_t)raw;
}

static inline uint64_t ward_iova_raw(ward_iova_t iova)
{
	return (WARD_FORCE uint64_t)iova;
}

static inline ward_gpa_t ward_gpa(uint64_t raw)
{
	return (WARD_FORCE ward_gpa_t)raw;
}

static inline uint64_t ward_gpa_raw(ward_gpa_t gpa)
{
	return (WARD_FORCE uint64_t)gpa;
}

static inline ward_target_t ward_target(uint64_t raw)
{
	return (WARD_FORCE ward_target_t)raw;
}

static inline uint64_t ward_target_raw(ward_target_t target)
{
	return (WARD_FORCE uint64_t)target;
}

static inline ward_pasid_t ward_pasid(uint32_t raw)
{
	return (WARD_FORCE ward_pasid_t)raw;
}

static inline uint32_t ward_pasid_raw(ward_pasid_t pasid)
{
	return (WARD_FORCE uint32_t)pasid;
}

/** A request without a PASID. */
#define WARD_PASID_NONE ward_pasid(UINT32_MAX)

static inline ward_rid_t ward_rid(unsigned int raw)
{
	return (WARD_FORCE ward_rid_t)(uint16_t)raw;
}

static inline uint16_t ward_rid_raw(ward_rid_t rid)
{
	return (WARD_FORCE uint16_t)rid;
}

static inline ward_rid_t ward_rid_make(unsigned int bus, unsigned int device, unsigned int function)
{
	return ward_rid((bus & 0xff) << 8 | (device & 0x1f) << 3 | (function & 7));
}

static inline uint8_t ward_rid_bus(ward_rid_t rid)
{
	return (uint8_t)(ward_rid_raw(rid) >> 8);
}

static inline uint8_t ward_rid_devfn(ward_rid_t rid)
{
	return (uint8_t)(ward_rid_raw(rid) & 0xff);
}

static inline ward_sid_t ward_sid(uint32_t raw)
{
	return (WARD_FORCE ward_sid_t)raw;
}

static inline uint32_t ward_sid_raw(ward_sid_t sid)
{
	return (WARD_FORCE uint32_t)sid;
}

static inline ward_devid_t ward_devid(uint32_t raw)
{
	return (WARD_FORCE ward_devid_t)raw;
}

static inline uint32_t ward_devid_raw(ward_devid_t devid)
{
	return (WARD_FORCE uint32_t)devid;
}

static inline ward_gsi_t ward_gsi(uint32_t raw)
{
	return (WARD_FORCE ward_gsi_t)raw;
}

static inline uint32_t ward_gsi_raw(ward_gsi_t gsi)
{
	return (WARD_FORCE uint32_t)gsi;
}

/** An inclusive range; a full 64-bit space is representable. An unset one has start > last. */
struct ward_range {
	uint64_t start;
	uint64_t last;
};

/** The empty range. */
#define WARD_RANGE_EMPTY ((struct ward_range){ 1, 0 })

/**
 * Makes a range from a start and a length.
 * @param start first address
 * @param length bytes, at least 1
 * @param ret_range the range
 * @return 0; -EINVAL when length is 0; -EOVERFLOW when it would wrap
 */
int ward_range_make(uint64_t start, uint64_t length, struct ward_range *ret_range);

static inline bool ward_range_is_empty(struct ward_range range)
{
	return range.start > range.last;
}

static inline bool ward_range_has(struct ward_range range, uint64_t address)
{
	return range.start <= address && address <= range.last;
}

static inline bool ward_range_overlaps(struct ward_range a, struct ward_range b)
{
	return !ward_range_is_empty(a) && !ward_range_is_empty(b) && a.start <= b.last &&
	       b.start <= a.last;
}

/** What is known of a fact. Unknown is never read as no. */
enum ward_tri {
	WARD_UNKNOWN = 0,
	WARD_NO,
	WARD_YES,
};

/** "No such index", wherever an index into a machine's arrays stands. */
#define WARD_NONE UINT32_MAX

/** Where a PCI function is: segment (domain) and requester id, written ssss:bb:dd.f. */
struct ward_address {
	uint32_t segment;
	ward_rid_t rid;
};

/** Room for the longest address text with its final NUL ("ffffffff:ff:1f.7"). */
#define WARD_ADDRESS_TEXT 20

/**
 * Orders addresses by segment, bus, device, function.
 * @param a an address
 * @param b another
 * @return less than, equal to or greater than 0
 */
int ward_address_compare(struct ward_address a, struct ward_address b);

/**
 * Reads "ssss:bb:dd.f" or "bb:dd.f" (segment 0), hexadecimal, nothing before or after it.
 * @param text NUL-terminated text
 * @param ret_address the address
 * @return 0, or -EINVAL when the text is not an address
 */
int ward_address_parse(const char *text, struct ward_address *ret_address);

/**
 * Writes "ssss:bb:dd.f".
 * @param address an address
 * @param ret_text receives the text
 */
void ward_address_format(struct ward_address address, char ret_text[WARD_ADDRESS_TEXT]);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
