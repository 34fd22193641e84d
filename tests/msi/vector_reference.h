/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * MSI and MSI-X registers told a second time, field by field and 16 or 32 bits at a time, and as
 * slowly as one likes: after every write, each vector is looked at. Nothing is shared with src/msi.
 */
#ifndef TESTS_MSI_VECTOR_REFERENCE_H
#define TESTS_MSI_VECTOR_REFERENCE_H

#include <doorward/vector.h>

#include <string.h>

#define REF_VECTORS 2048u
#define REF_SENT 4096u

struct ref_sent {
	uint32_t vector, data;
	uint64_t address;
};

struct ref_vectors {
	struct ward_vectors_options has;
	/* MSI */
	bool enable;
	unsigned int granted_log2, capable_log2;
	uint64_t address;
	uint16_t data;
	uint32_t masks, pending;
	/* MSI-X */
	bool x_enable, x_mask;
	struct {
		uint32_t low, high, data;
		bool masked, pending;
	} x[REF_VECTORS];
	/* What went out. */
	struct ref_sent sent[REF_SENT];
	unsigned int sent_count;
};

static inline void ref_reset(struct ref_vectors *ref)
{
	struct ward_vectors_options has = ref->has;
	unsigned int capable_log2 = 0;

	while (1u << capable_log2 < has.msi_vectors)
		capable_log2++;
	memset(ref, 0, offsetof(struct ref_vectors, sent));
	ref->has = has;
	ref->capable_log2 = capable_log2;
	for (unsigned int i = 0; i < REF_VECTORS; i++)
		ref->x[i].masked = true;
}

static inline enum ward_vector_mode ref_mode(const struct ref_vectors *ref)
{
	return ref->x_enable ? WARD_VECTORS_MSIX
	       : ref->enable ? WARD_VECTORS_MSI
			     : WARD_VECTORS_OFF;
}

static inline bool ref_may_send(const struct ref_vectors *ref, unsigned int vector)
{
	switch (ref_mode(ref)) {
	case WARD_VECTORS_MSIX:
		return vector < ref->has.msix_vectors && !ref->x_mask && !ref->x[vector].masked;
	case WARD_VECTORS_MSI:
		return vector < 1u << ref->granted_log2 && !(ref->masks >> vector & 1);
	case WARD_VECTORS_OFF:
	default:
		return false;
	}
}

static inline void ref_send(struct ref_vectors *ref, unsigned int vector)
{
	struct ref_sent *sent = &ref->sent[ref->sent_count++ % REF_SENT];

	sent->vector = vector;
	if (ref->x_enable) {
		sent->address = ref->x[vector].low | (uint64_t)ref->x[vector].high << 32;
		sent->data = ref->x[vector].data;
		return;
	}
	sent->address = ref->address;
	sent->data = ref->data;
	for (unsigned int bit = 0; bit < ref->granted_log2; bit++) {
		sent->data &= ~(1u << bit);
		sent->data |= vector & 1u << bit;
	}
}

static inline int ref_raise(struct ref_vectors *ref, unsigned int vector)
{
	unsigned int most = ref->has.msi_vectors > ref->has.msix_vectors ? ref->has.msi_vectors
									 : ref->has.msix_vectors;

	if (ref_mode(ref) == WARD_VECTORS_OFF)
		return vector < most ? -EOPNOTSUPP : -EINVAL;
	if (vector >= (ref->x_enable ? ref->has.msix_vectors : 1u << ref->granted_log2))
		return -EINVAL;
	if (ref_may_send(ref, vector)) {
		ref_send(ref, vector);
		return 1;
	}
	if (ref->x_enable)
		ref->x[vector].pending = true;
	else
		ref->pending |= 1u << vector;
	return 0;
}

/* The 32 bits at an offset that is a multiple of 4. */
static inline uint32_t ref_word(const struct ref_vectors *ref, enum ward_vector_registers which,
				uint32_t at)
{
	uint32_t word = 0;

	switch (which) {
	case WARD_MSI_CAPABILITY:
		if (at == 0)
			return 0x05u | (uint32_t)ref->enable << 16 | ref->capable_log2 << 17 |
			       ref->granted_log2 << 20 | (uint32_t)ref->has.msi_64 << 23 |
			       (uint32_t)ref->has.msi_masks << 24;
		if (at == 4)
			return (uint32_t)ref->address;
		if (!ref->has.msi_64)
			at += 4;
		return at == 8	  ? (uint32_t)(ref->address >> 32)
		       : at == 12 ? ref->data
		       : at == 16 ? ref->masks
				  : ref->pending;
	case WARD_MSIX_CAPABILITY:
		if (at == 0)
			return 0x11u | (ref->has.msix_vectors - 1u) << 16 |
			       (uint32_t)ref->x_mask << 30 | (uint32_t)ref->x_enable << 31;
		return at == 4 ? ref->has.msix_table : ref->has.msix_pba;
	case WARD_MSIX_TABLE:
		switch (at % 16) {
		case 0:
			return ref->x[at / 16].low;
		case 4:
			return ref->x[at / 16].high;
		case 8:
			return ref->x[at / 16].data;
		default:
			return ref->x[at / 16].masked;
		}
	case WARD_MSIX_PBA:
		for (unsigned int i = 0; i < 32 && at * 8 + i < REF_VECTORS; i++)
			word |= (uint32_t)ref->x[at * 8 + i].pending << i;
		return word;
	default:
		return 0;
	}
}

static inline void ref_put(struct ref_vectors *ref, enum ward_vector_registers which, uint32_t at,
			   uint32_t word)
{
	unsigned int granted = word >> 20 & 7;

	if (which == WARD_MSIX_TABLE) {
		if (at % 16 == 0)
			ref->x[at / 16].low = word & ~3u;
		else if (at % 16 == 4)
			ref->x[at / 16].high = word;
		else if (at % 16 == 8)
			ref->x[at / 16].data = word;
		else
			ref->x[at / 16].masked = word & 1;
	} else if (which == WARD_MSIX_CAPABILITY && at == 0) {
		ref->x_mask = word >> 30 & 1;
		ref->x_enable = word >> 31;
	} else if (which == WARD_MSI_CAPABILITY && at == 0) {
		ref->enable = word >> 16 & 1;
		ref->granted_log2 = granted > ref->capable_log2 ? ref->capable_log2 : granted;
	} else if (which == WARD_MSI_CAPABILITY && at == 4) {
		ref->address = (ref->address & ~0xffffffffull) | (word & ~3u);
	} else if (which == WARD_MSI_CAPABILITY) {
		at += ref->has.msi_64 ? 0 : 4;
		if (at == 8)
			ref->address = (ref->address & 0xffffffff) | (uint64_t)word << 32;
		else if (at == 12)
			ref->data = (uint16_t)word;
		else if (at == 16 && ref->has.msi_masks)
			ref->masks = word & (uint32_t)((1ull << ref->has.msi_vectors) - 1);
	}
}

/* A write that is known to be one that the registers have. */
static inline void ref_write(struct ref_vectors *ref, enum ward_vector_registers which,
			     uint32_t offset, const uint8_t *bytes, size_t size)
{
	static bool could[REF_VECTORS];
	enum ward_vector_mode mode = ref_mode(ref);

	for (unsigned int i = 0; i < REF_VECTORS; i++)
		could[i] = ref_may_send(ref, i);
	for (uint32_t at = offset & ~3u; at < offset + size; at += 4) {
		uint32_t word = ref_word(ref, which, at);

		for (uint32_t i = 0; i < 4; i++) {
			if (at + i >= offset && at + i < offset + size) {
				word &= ~(0xffu << i * 8);
				word |= (uint32_t)bytes[at + i - offset] << i * 8;
			}
		}
		ref_put(ref, which, at, word);
	}
	if (mode == WARD_VECTORS_MSI && ref_mode(ref) != WARD_VECTORS_MSI)
		ref->pending = 0;
	for (unsigned int i = 0; i < REF_VECTORS; i++) {
		bool pending = ref->x_enable ? ref->x[i].pending : i < 32 && ref->pending >> i & 1;

		if ((could[i] && mode == ref_mode(ref)) || !pending || !ref_may_send(ref, i))
			continue;
		if (ref->x_enable)
			ref->x[i].pending = false;
		else
			ref->pending &= ~(1u << i);
		ref_send(ref, i);
	}
}

#endif
