// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * GICv2m. What is written to MSI_SETSPI_NS has to be one of the frame's INTIDs, whole: its upper bits are
 * to be zero, and here a write where they are not is dropped; QEMU looks at bits 9:0 alone. Either way a
 * frame raises its own SPIs and no others.
 */
#include <doorward/gicv2m.h>

#include "base/fault.h"
#include "emul/gic_state.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TYPER 0x008u
#define IIDR 0xfccu
/* No product that Linux knows quirks of. */
#define IIDR_VALUE 0x05700000u

struct ward_gicv2m {
	struct ward_gic *gic;
	uint32_t first, count;
	_Atomic uint64_t dropped;
	bool taken[WARD_GIC_LAST_SPI + 1]; /* by INTID */
};

int ward_gicv2m_create(struct ward_gic *gic, uint32_t first_intid, uint32_t count,
		       struct ward_gicv2m **ret_frame)
{
	struct ward_gicv2m *frame;

	if (count < 1 || count > WARD_GIC_LAST_SPI || !ward_gic_has_spi(gic, first_intid) ||
	    !ward_gic_has_spi(gic, first_intid + (count - 1)))
		return -EINVAL;
	frame = ward_alloc(sizeof(*frame));
	if (!frame)
		return -ENOMEM;
	frame->gic = gic;
	frame->first = first_intid;
	frame->count = count;
	*ret_frame = frame;
	return 0;
}

void ward_gicv2m_destroy(struct ward_gicv2m *frame)
{
	free(frame);
}

int ward_gicv2m_read(const struct ward_gicv2m *frame, uint32_t offset, void *ret_bytes, size_t size)
{
	uint32_t value = 0;

	if (size != 4 || offset % 4 || offset >= WARD_GICV2M_BYTES)
		return -EINVAL;
	if (offset == TYPER)
		value = frame->first << 16 | frame->count;
	else if (offset == IIDR)
		value = IIDR_VALUE;
	value = htole32(value);
	memcpy(ret_bytes, &value, sizeof(value));
	return 0;
}

static bool has(const struct ward_gicv2m *frame, uint32_t intid)
{
	return intid >= frame->first && intid - frame->first < frame->count;
}

void ward_gicv2m_write(struct ward_gicv2m *frame, uint32_t offset, const void *bytes, size_t size,
		       struct ward_interrupt *ret_interrupt)
{
	struct ward_interrupt interrupt = { .end = WARD_INTERRUPT_IGNORED, .cpu = WARD_NONE };
	uint32_t data = 0;

	if (offset != WARD_GICV2M_SETSPI || (size != 2 && size != 4)) {
		interrupt.reason = WARD_REASON_SIZE;
	} else {
		memcpy(&data, bytes, size);
		interrupt.number = le32toh(data);
		if (!has(frame, interrupt.number))
			interrupt.reason = WARD_REASON_DATA;
		else
			(void)ward_gic_pulse(frame->gic, interrupt.number, &interrupt);
	}
	if (interrupt.end == WARD_INTERRUPT_IGNORED)
		atomic_fetch_add(&frame->dropped, 1);
	if (ret_interrupt)
		*ret_interrupt = interrupt;
}

uint64_t ward_gicv2m_dropped(const struct ward_gicv2m *frame)
{
	return atomic_load(&frame->dropped);
}

/* Whether a frame has these, and nobody took one. */
static bool is_free(const struct ward_gicv2m *frame, uint32_t intid, uint32_t count)
{
	for (uint32_t i = intid; i < intid + count; i++) {
		if (!has(frame, i) || frame->taken[i])
			return false;
	}
	return true;
}

static bool take(struct ward_gicv2m *frame, uint32_t count, uint32_t *ret_intid)
{
	uint32_t first = (frame->first + count - 1) / count * count;

	for (uint32_t intid = first; intid < frame->first + frame->count; intid += count) {
		if (!is_free(frame, intid, count))
			continue;
		for (uint32_t i = intid; i < intid + count; i++)
			frame->taken[i] = true;
		*ret_intid = intid;
		return true;
	}
	return false;
}

int ward_gicv2m_alloc(struct ward_gicv2m *const *frames, uint32_t frames_count,
		      enum ward_gicv2m_policy policy, uint32_t parent, uint32_t count,
		      uint32_t *ret_frame, uint32_t *ret_intid)
{
	uint32_t from = 0, to = frames_count;

	if (count < 1 || (count & (count - 1)))
		return -EINVAL;
	if (policy == WARD_GICV2M_BY_PARENT) {
		if (parent >= frames_count)
			return -EINVAL;
		from = parent;
		to = parent + 1;
	}
	if (count > WARD_GIC_LAST_SPI)
		return -ENOSPC;
	for (uint32_t i = from; i < to; i++) {
		if (take(frames[i], count, ret_intid)) {
			*ret_frame = i;
			return 0;
		}
	}
	return -ENOSPC;
}

void ward_gicv2m_free(struct ward_gicv2m *frame, uint32_t intid, uint32_t count)
{
	for (uint32_t i = 0; i < count && has(frame, intid + i); i++)
		frame->taken[intid + i] = false;
}
