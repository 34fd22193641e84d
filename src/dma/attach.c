// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Step 1 of a DMA's way: whose space is it. A hash table with open addressing that is read without a
 * lock: who a slot is for is written once, before the slot is taken; which space, is one pointer,
 * and NULL says blocked. A slot stays its requester's until the table grows: then the living move
 * into a new one.
 */
#include "dma/space.h"

#include "base/fault.h"

#include <doorward/attach.h>

#include <errno.h>
#include <stdlib.h>

#define SLOTS_MIN 16u
#define PASID_LAST 0xfffffu

struct slot {
	_Atomic bool taken; /* the requester is there, and will not change */
	struct ward_requester requester;
	struct ward_space *_Atomic space;
};

struct slots {
	size_t mask; /* of a power of two */
	size_t taken;
	struct slot slot[];
};

struct ward_attach_table {
	struct ward_readers *readers;
	struct slots *_Atomic slots;
};

static struct slots *make_slots(size_t count)
{
	struct slots *slots;

	if (count > (SIZE_MAX - sizeof(*slots)) / sizeof(struct slot))
		return NULL;
	slots = ward_alloc(sizeof(*slots) + count * sizeof(struct slot));
	if (slots)
		slots->mask = count - 1;
	return slots;
}

static bool same(const struct ward_requester *a, const struct ward_requester *b)
{
	return a->iommu == b->iommu && a->sid == b->sid && a->pasid == b->pasid;
}

/* Mixes all bits into the upper ones (the 64-bit golden ratio; Knuth, volume 3, 6.4). */
static size_t hash(const struct ward_requester *requester)
{
	uint64_t key =
		(uint64_t)ward_sid_raw(requester->sid) << 32 | ward_pasid_raw(requester->pasid);

	key = (key ^ (uint64_t)requester->iommu << 52) * UINT64_C(0x9e3779b97f4a7c15);
	key = (key ^ key >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(key >> 32);
}

/* The slot of a requester, or the one where it would go. Some slot is always free. */
static struct slot *probe(struct slots *slots, const struct ward_requester *requester)
{
	size_t i = hash(requester) & slots->mask;

	while (atomic_load(&slots->slot[i].taken) && !same(&slots->slot[i].requester, requester))
		i = (i + 1) & slots->mask;
	return &slots->slot[i];
}

int ward_attach_table_create(struct ward_readers *readers, struct ward_attach_table **ret_table)
{
	struct ward_attach_table *table = ward_alloc(sizeof(*table));
	struct slots *slots = make_slots(SLOTS_MIN);

	if (!table || !slots) {
		free(table);
		free(slots);
		return -ENOMEM;
	}
	table->readers = readers;
	atomic_init(&table->slots, slots);
	*ret_table = table;
	return 0;
}

void ward_attach_table_destroy(struct ward_attach_table *table)
{
	struct slots *slots;

	if (!table)
		return;
	slots = atomic_load(&table->slots);
	ward_readers_wait(table->readers);
	for (size_t i = 0; i <= slots->mask; i++) {
		struct ward_space *space = atomic_load(&slots->slot[i].space);

		if (space)
			ward_space_unuse(space);
	}
	free(slots);
	free(table);
}

static void take(struct slots *slots, struct slot *slot, const struct ward_requester *requester)
{
	slot->requester = *requester;
	slots->taken++;
	atomic_store(&slot->taken, true);
}

static size_t count_living(const struct slots *slots)
{
	size_t count = 0;

	for (size_t i = 0; i <= slots->mask; i++)
		count += atomic_load(&slots->slot[i].space) != NULL;
	return count;
}

/* Room for one more: at most half of the slots are taken, so that probes are short. */
static int grow(struct ward_attach_table *table)
{
	struct slots *old = atomic_load(&table->slots), *new;
	size_t living, count = SLOTS_MIN;

	if (2 * (old->taken + 1) <= old->mask + 1)
		return 0;
	living = count_living(old);
	while (count < 4 * (living + 1)) {
		if (count > SIZE_MAX / 2)
			return -ENOMEM;
		count *= 2;
	}
	new = make_slots(count);
	if (!new)
		return -ENOMEM;
	for (size_t i = 0; i <= old->mask; i++) {
		struct ward_space *space = atomic_load(&old->slot[i].space);
		struct slot *slot;

		if (!space)
			continue;
		slot = probe(new, &old->slot[i].requester);
		atomic_init(&slot->space, space);
		take(new, slot, &old->slot[i].requester);
	}
	atomic_store(&table->slots, new);
	ward_readers_wait(table->readers);
	free(old);
	return 0;
}

static bool requester_makes_sense(const struct ward_requester *requester)
{
	return requester->pasid == WARD_PASID_NONE ||
	       ward_pasid_raw(requester->pasid) <= PASID_LAST;
}

int ward_attach(struct ward_attach_table *table, const struct ward_requester *requester,
		struct ward_space *space, const struct ward_reserved *reserved, uint32_t count)
{
	struct ward_space *old;
	struct slots *slots;
	struct slot *slot;
	int code;

	if (!space || !requester_makes_sense(requester))
		return -EINVAL;
	/* Who reads through the table reads the space with the same handle. */
	if (table->readers && space->readers && table->readers != space->readers)
		return -EINVAL;
	code = grow(table);
	if (code == 0)
		code = ward_space_reserve_all(space, reserved, count);
	if (code)
		return code;
	slots = atomic_load(&table->slots);
	slot = probe(slots, requester);
	old = atomic_load(&slot->space);
	if (old == space)
		return 0;
	ward_space_use(space);
	if (!atomic_load(&slot->taken))
		take(slots, slot, requester);
	atomic_store(&slot->space, space);
	ward_readers_wait(table->readers);
	if (old)
		ward_space_unuse(old);
	return 0;
}

int ward_detach(struct ward_attach_table *table, const struct ward_requester *requester)
{
	struct slot *slot = probe(atomic_load(&table->slots), requester);
	struct ward_space *old = atomic_load(&slot->space);

	if (!old)
		return -ENOENT;
	atomic_store(&slot->space, NULL);
	ward_readers_wait(table->readers);
	ward_space_unuse(old);
	return 0;
}

struct ward_space *ward_attached(const struct ward_attach_table *table,
				 const struct ward_requester *requester)
{
	struct slots *slots = atomic_load(&table->slots);
	struct ward_space *space = atomic_load(&probe(slots, requester)->space);
	struct ward_requester whole = *requester;

	if (space || requester->pasid == WARD_PASID_NONE)
		return space;
	/* The contexts of a stage 1 are chosen by PASID, so its guest has all of them. */
	whole.pasid = WARD_PASID_NONE;
	space = atomic_load(&probe(slots, &whole)->space);
	return space && space->kind == WARD_SPACE_NESTED ? space : NULL;
}

int ward_attach_table_translate(const struct ward_attach_table *table, struct ward_reader *reader,
				const struct ward_requester *requester, ward_iova_t iova,
				uint32_t access, struct ward_translation *ret_translation,
				struct ward_fault *ret_fault)
{
	const struct ward_space *space = ward_attached(table, requester);

	if (space)
		return ward_space_translate(space, reader, requester->pasid, iova, access,
					    ret_translation, ret_fault);
	if (ret_fault) {
		*ret_fault = (struct ward_fault){
			.reason = WARD_FAULT_BLOCKED,
			.fault_class = WARD_CLASS_INPUT,
			.level = WARD_NO_LEVEL,
			.access = access,
			.iova = iova,
		};
	}
	return -EFAULT;
}
