/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * GICv2m: frames that turn a write into an SPI. A frame does not know who writes: whoever reaches its
 * page raises any of its SPIs.
 *
 * Source: GICv2m as in Arm SBSA 2.2 (DEN0029), appendix E; Linux drivers/irqchip/irq-gic-v2m.c for
 * the sharing of vectors.
 *
 * Threads: messages from any number; registers and allocation one at a time.
 */
#ifndef DOORWARD_GICV2M_H
#define DOORWARD_GICV2M_H

#include <doorward/gic.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct ward_gicv2m;

/** A frame's registers. */
#define WARD_GICV2M_BYTES 0x1000u
/** MSI_SETSPI_NS: what a message is written to. */
#define WARD_GICV2M_SETSPI 0x40u

/**
 * Creates a frame.
 * @param gic where its SPIs are; borrowed
 * @param first_intid its first SPI, an INTID of 32 or more
 * @param count how many, all of them SPIs of the GIC
 * @param ret_frame the frame; the caller destroys it
 * @return 0; -EINVAL such SPIs do not exist; -ENOMEM
 */
int ward_gicv2m_create(struct ward_gic *gic, uint32_t first_intid, uint32_t count,
		       struct ward_gicv2m **ret_frame);

/**
 * Destroys a frame.
 * @param frame a frame, or NULL
 */
void ward_gicv2m_destroy(struct ward_gicv2m *frame);

/**
 * Reads registers: MSI_TYPER, MSI_IIDR; all else reads 0.
 * @param frame a frame
 * @param offset in bytes
 * @param ret_bytes receives them, little-endian
 * @param size 4
 * @return 0; -EINVAL beyond the end, not aligned, another size
 */
int ward_gicv2m_read(const struct ward_gicv2m *frame, uint32_t offset, void *ret_bytes,
		     size_t size);

/**
 * Writes registers: 16 or 32 bits of MSI_SETSPI_NS raise an SPI; other writes are ignored and counted.
 * @param frame a frame
 * @param offset in bytes
 * @param bytes little-endian
 * @param size of the write
 * @param ret_interrupt what came of it; may be NULL
 */
void ward_gicv2m_write(struct ward_gicv2m *frame, uint32_t offset, const void *bytes, size_t size,
		       struct ward_interrupt *ret_interrupt);

/**
 * @param frame a frame
 * @return messages dropped: out-of-range data, other registers, other sizes
 */
uint64_t ward_gicv2m_dropped(const struct ward_gicv2m *frame);

/** From which frame of several a function gets its SPIs. */
enum ward_gicv2m_policy {
	/** Linux: the first frame that has room, whatever firmware says of the function. */
	WARD_GICV2M_FIRST_FIT,
	/** Its own frame or none. */
	WARD_GICV2M_BY_PARENT,
};

/**
 * Takes SPIs out of frames: as many in a row, the first a multiple of count, which multi-message
 * MSI needs.
 * @param frames frames, in the order of looking
 * @param frames_count how many
 * @param policy which of them
 * @param parent BY_PARENT: index of the function's frame
 * @param count SPIs, a power of two
 * @param ret_frame index of the frame that gave them
 * @param ret_intid the first
 * @return 0; -ENOSPC; -EINVAL count or parent
 */
int ward_gicv2m_alloc(struct ward_gicv2m *const *frames, uint32_t frames_count,
		      enum ward_gicv2m_policy policy, uint32_t parent, uint32_t count,
		      uint32_t *ret_frame, uint32_t *ret_intid);

/**
 * Gives SPIs back that were taken together.
 * @param frame the frame that gave them
 * @param intid the first
 * @param count how many
 */
void ward_gicv2m_free(struct ward_gicv2m *frame, uint32_t intid, uint32_t count);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
