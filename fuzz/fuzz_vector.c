// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * MSI and MSI-X registers under a guest that writes what it likes. An input is a header with the
 * capabilities, and then steps: accesses, interrupts, resets. The registers are held against those of
 * tests/msi/vector_reference.h, which are written another way: what is read, and what goes out.
 */
#include <errno.h>
#include <stdlib.h>

#include "../tests/msi/vector_reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As in the input, little-endian. */
struct header {
	uint8_t msi; /* bits 3:0: log2 of the messages, beyond 5: none */
	uint8_t flags;
	uint16_t msix;
} __attribute__((packed));

#define FLAG_64 0x01u
#define FLAG_MASKS 0x02u

struct step {
	uint8_t kind; /* bits 1:0: enum kind, bits 3:2: registers, bits 6:4: log2 of the size */
	uint16_t at;  /* offset, or vector */
	uint64_t value;
} __attribute__((packed));

enum kind {
	KIND_WRITE,
	KIND_READ,
	KIND_RAISE,
	KIND_RESET, /* value 0; else a write of what is there */
};

#define STEPS_MAX 400u

static struct ref_vectors ref;
static unsigned int sent;

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* What went out, in the order in which it did. */
static struct ref_sent log_of[REF_SENT];

static void send(void *context, uint32_t vector, const struct ward_message *message)
{
	require(context == &ref);
	log_of[sent++ % REF_SENT] = (struct ref_sent){
		.vector = vector,
		.data = message->data,
		.address = ward_iova_raw(message->address),
	};
}

static void changed(void *context, uint32_t first, uint32_t last)
{
	uint32_t most = ref.has.msi_vectors > ref.has.msix_vectors ? ref.has.msi_vectors
								   : ref.has.msix_vectors;

	require(context == &ref && first <= last && last < most);
}

/* Of what is there, 32 bits at a time. */
static void check_read(const struct ward_vectors *vectors, enum ward_vector_registers which,
		       uint32_t offset, size_t size)
{
	uint8_t bytes[8] = { 0 };

	if (ward_vectors_read(vectors, which, offset, bytes, size))
		return;
	require(size <= 8 && offset % size == 0);
	for (uint32_t i = 0; i < size; i++)
		require(bytes[i] == (uint8_t)(ref_word(&ref, which, (offset + i) & ~3u) >>
					      (offset + i) % 4 * 8));
}

static void step_on(struct ward_vectors *vectors, const struct step *step)
{
	enum ward_vector_registers which = step->kind >> 2 & 3;
	size_t size = (size_t)1 << (step->kind >> 4 & 7);
	uint8_t bytes[8] = { 0 };

	switch ((enum kind)(step->kind & 3)) {
	case KIND_RESET:
		if (step->value == 0) {
			ward_vectors_reset(vectors);
			ref_reset(&ref);
			return;
		}
		if (size > 8 || ward_vectors_read(vectors, which, step->at, bytes, size))
			return;
		ref_write(&ref, which, step->at, bytes, size);
		require(ward_vectors_write(vectors, which, step->at, bytes, size) == 0);
		return;
	case KIND_WRITE:
		memcpy(bytes, &step->value, sizeof(bytes));
		if (size > 8 || ward_vectors_read(vectors, which, step->at, bytes, size)) {
			require(ward_vectors_write(vectors, which, step->at, bytes, size) ==
				-EINVAL);
			return;
		}
		memcpy(bytes, &step->value, sizeof(bytes));
		ref_write(&ref, which, step->at, bytes, size);
		require(ward_vectors_write(vectors, which, step->at, bytes, size) == 0);
		check_read(vectors, which, step->at, size);
		return;
	case KIND_READ:
		check_read(vectors, which, step->at, size);
		return;
	case KIND_RAISE:
		require(ward_vectors_raise(vectors, step->at) == ref_raise(&ref, step->at));
		return;
	}
}

static void check_vectors(const struct ward_vectors *vectors)
{
	uint32_t count;

	require(ward_vectors_mode(vectors, &count) == ref_mode(&ref));
	require(sent == ref.sent_count && memcmp(log_of, ref.sent, sizeof(log_of)) == 0);
	for (uint32_t i = 0; i < count; i++) {
		struct ward_vector now;

		require(ward_vectors_get(vectors, i, &now) == 0 && now.enabled);
		require(now.masked == !ref_may_send(&ref, i));
		require(now.pending ==
			(ref.x_enable ? ref.x[i].pending : (ref.pending >> i & 1) != 0));
	}
	for (unsigned int which = 0; which < 4; which++) {
		for (uint32_t at = 0; at < 64; at += 4)
			check_read(vectors, which, at, 4);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ward_vectors *vectors;
	struct header header;
	struct step step;

	if (size < sizeof(header))
		return 0;
	memcpy(&header, data, sizeof(header));
	memset(&ref, 0, sizeof(ref));
	memset(log_of, 0, sizeof(log_of));
	sent = 0;
	ref.has = (struct ward_vectors_options){
		.size = sizeof(ref.has),
		.msi_vectors = (header.msi & 15) > 5 ? 0 : (uint8_t)(1u << (header.msi & 15)),
		.msi_64 = header.flags & FLAG_64,
		.msi_masks = header.flags & FLAG_MASKS,
		.msix_vectors = header.msix % (WARD_MSIX_VECTORS_MAX + 1),
		.msix_table = 0x2001,
		.msix_pba = 0x3004,
		.send = send,
		.changed = changed,
		.context = &ref,
	};
	ref_reset(&ref);
	if (ward_vectors_create(&ref.has, &vectors))
		return 0;
	for (size_t at = sizeof(header), count = 0; at + sizeof(step) <= size && count < STEPS_MAX;
	     at += sizeof(step), count++) {
		memcpy(&step, data + at, sizeof(step));
		step_on(vectors, &step);
	}
	check_vectors(vectors);
	ward_vectors_destroy(vectors);
	return 0;
}
