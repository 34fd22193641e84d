// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Invalidation of VT-d's caches, and the queue that asks for it (VT-d specification, 6.5). */
#include "emul/vtd_state.h"

#include <string.h>

/* Granularities, the same of contexts and translations but for the third. */
#define GLOBAL 1u
#define BY_DOMAIN 2u
#define BY_PAGE 3u /* contexts: by device */

#define QUEUE_POINTER 0x7fff0u
#define QUEUE_SIZE 0x7u
#define DESCRIPTOR_BYTES 16u

enum descriptor_type {
	DESCRIPTOR_CONTEXT = 1,
	DESCRIPTOR_IOTLB = 2,
	DESCRIPTOR_DEVICE = 3,
	DESCRIPTOR_INTERRUPT = 4,
	DESCRIPTOR_WAIT = 5,
};

bool ward_vtd_invalidate_contexts(struct ward_vtd *vtd, unsigned int granularity, uint16_t domain,
				  uint16_t sid, unsigned int function_mask)
{
	/* Bits of the function number that do not count: none, 2, 2:1, 2:0 (6.5.1.1). */
	static const uint8_t ignored[4] = { 0x0, 0x4, 0x6, 0x7 };
	uint16_t mask = (uint16_t)~ignored[function_mask & 3];

	if (granularity < GLOBAL || granularity > BY_PAGE)
		return false;
	for (unsigned int i = 0; i < VTD_CONTEXTS; i++) {
		struct vtd_context *context = &vtd->contexts[i];

		if (granularity != GLOBAL && context->domain != domain)
			continue;
		if (granularity == BY_PAGE && (context->sid ^ sid) & mask)
			continue;
		context->valid = false;
	}
	return true;
}

bool ward_vtd_invalidate_translations(struct ward_vtd *vtd, unsigned int granularity,
				      uint16_t domain, uint64_t address, unsigned int mask)
{
	uint64_t below = mask <= VTD_MAMV ? (UINT64_C(1) << (12 + mask)) - 1 : 0;
	struct ward_range range = { address & ~below, address | below };

	if (granularity < GLOBAL || granularity > BY_PAGE ||
	    (granularity == BY_PAGE && mask > VTD_MAMV))
		return false;
	for (unsigned int i = 0; i < VTD_TRANSLATIONS; i++) {
		struct vtd_translation *translation = &vtd->translations[i];

		if (granularity != GLOBAL && translation->domain != domain)
			continue;
		if (granularity == BY_PAGE && !ward_range_overlaps(translation->input, range))
			continue;
		translation->valid = false;
	}
	return true;
}

void ward_vtd_invalidate_interrupts(struct ward_vtd *vtd, bool all, uint16_t index,
				    unsigned int mask)
{
	for (unsigned int i = 0; i < VTD_INTERRUPTS; i++) {
		struct vtd_interrupt *entry = &vtd->interrupts[i];

		if (all || (uint32_t)(entry->index ^ index) >> mask == 0)
			entry->valid = false;
	}
}

/* With S the size is in the address: ones from bit 12 on, and the zero above them (6.5.2.5). */
static struct ward_range device_range(uint64_t high)
{
	uint64_t address = high & ~UINT64_C(0xfff), below = 0xfff;

	if (high & 1) {
		unsigned int bit = 12;

		while (bit < 63 && address >> bit & 1)
			bit++;
		below = (UINT64_C(2) << bit) - 1;
	}
	return (struct ward_range){ address & ~below, address | below };
}

static bool invalidate_device(struct ward_vtd *vtd, const uint64_t descriptor[2])
{
	ward_sid_t sid = ward_sid(descriptor[0] >> 32 & 0xffff);

	if (!vtd->options.ats)
		return false;
	if (vtd->options.invalidate_device &&
	    !vtd->options.invalidate_device(vtd->options.context, sid, device_range(descriptor[1])))
		vtd->device_unanswered = true;
	return true;
}

static bool wait(struct ward_vtd *vtd, const uint64_t descriptor[2])
{
	uint32_t status = (uint32_t)(descriptor[0] >> 32);

	if (descriptor[1] & 3)
		return false;
	if (vtd->device_unanswered) {
		vtd->device_unanswered = false;
		vtd->fsts |= VTD_ITE;
		return true;
	}
	/* Little-endian, as everything else in memory. Where no memory is, nobody sees it. */
	if (descriptor[0] & 1u << 5) {
		uint8_t bytes[4];

		for (unsigned int i = 0; i < 4; i++)
			bytes[i] = (uint8_t)(status >> 8 * i);
		(void)ward_memory_write(vtd->options.memory, descriptor[1], bytes, sizeof(bytes));
	}
	if (descriptor[0] & 1u << 4)
		vtd->ics |= 1;
	return true;
}

/* False: a descriptor that makes no sense. */
static bool carry_out(struct ward_vtd *vtd, const uint64_t descriptor[2])
{
	unsigned int granularity = descriptor[0] >> 4 & 3;
	uint16_t domain = (uint16_t)(descriptor[0] >> 16);

	switch (descriptor[0] & 0xf) {
	case DESCRIPTOR_CONTEXT:
		return ward_vtd_invalidate_contexts(vtd, granularity, domain,
						    (uint16_t)(descriptor[0] >> 32),
						    descriptor[0] >> 48 & 3);
	case DESCRIPTOR_IOTLB:
		return ward_vtd_invalidate_translations(vtd, granularity, domain,
							descriptor[1] & ~UINT64_C(0xfff),
							descriptor[1] & 0x3f);
	case DESCRIPTOR_DEVICE:
		return invalidate_device(vtd, descriptor);
	case DESCRIPTOR_INTERRUPT:
		ward_vtd_invalidate_interrupts(vtd, !(descriptor[0] & 1u << 4),
					       (uint16_t)(descriptor[0] >> 32),
					       descriptor[0] >> 27 & 0x1f);
		return true;
	case DESCRIPTOR_WAIT:
		return wait(vtd, descriptor);
	default:
		return false;
	}
}

static bool may_go_on(const struct ward_vtd *vtd)
{
	return vtd->gsts & VTD_QIE && !(vtd->fsts & (VTD_IQE | VTD_ITE));
}

void ward_vtd_run_queue(struct ward_vtd *vtd)
{
	uint64_t bytes = UINT64_C(4096) << (vtd->iqa & QUEUE_SIZE);
	uint64_t base = vtd->iqa & ~UINT64_C(0xfff), tail = vtd->iqt & QUEUE_POINTER;

	if (may_go_on(vtd) && tail >= bytes)
		vtd->fsts |= VTD_IQE;
	/* At most once around: the tail lies within. */
	while (may_go_on(vtd) && vtd->iqh != tail) {
		uint64_t descriptor[2];

		if (ward_memory_read_u64(vtd->options.memory, base + vtd->iqh, &descriptor[0]) ||
		    ward_memory_read_u64(vtd->options.memory, base + vtd->iqh + 8,
					 &descriptor[1]) ||
		    !carry_out(vtd, descriptor)) {
			vtd->fsts |= VTD_IQE;
			return;
		}
		vtd->iqh = (vtd->iqh + DESCRIPTOR_BYTES) % bytes;
	}
}
