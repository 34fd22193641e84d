// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Arm IHI 0070, 3.21.3, and VT-d specification 6.2 ask for an entry that is not valid while more
 * than one word of what the hardware looks at changes. Words it does not look at may change before;
 * if one is left then, it is stored at once, and requests see the old entry or the new one.
 */
#include "state.h"

#define WORDS_MAX 8u

static void store(const struct ward_model_entry *entry, unsigned int word, uint64_t value)
{
	/* The tables are the backend's own part of memory: a store does not fail. */
	ward_memory_write_u64(entry->memory, entry->at + word * 8u, value);
}

/* Stores the words of a mask that differ; whether there were any. */
static bool store_some(const struct ward_model_entry *entry, uint64_t *now, const uint64_t *words,
		       unsigned int mask)
{
	bool changed = false;

	for (unsigned int i = 0; i < entry->words; i++) {
		if (!(mask >> i & 1) || now[i] == words[i])
			continue;
		store(entry, i, words[i]);
		now[i] = words[i];
		changed = true;
	}
	if (changed)
		entry->flush(entry->context);
	return changed;
}

static unsigned int differing(const uint64_t *now, const uint64_t *words, unsigned int mask)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < WORDS_MAX; i++)
		count += mask >> i & 1 && now[i] != words[i];
	return count;
}

void ward_model_entry_replace(const struct ward_model_entry *entry, const uint64_t *words)
{
	uint64_t now[WORDS_MAX] = { 0 }, blocked[WORDS_MAX] = { 0 };
	unsigned int looked_at, wanted = entry->used(words);

	for (unsigned int i = 0; i < entry->words; i++)
		ward_memory_read_u64(entry->memory, entry->at + i * 8u, &now[i]);
	looked_at = entry->used(now);
	store_some(entry, now, words, wanted & ~looked_at);
	if (differing(now, words, wanted) > 1) {
		blocked[0] = entry->blocked;
		store_some(entry, now, blocked, 1);
		store_some(entry, now, words, wanted & ~1u);
	}
	store_some(entry, now, words, wanted);
}
