// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "emul/smmuv3_cache.h"

static uint32_t ste_place(uint32_t sid)
{
	return sid % WARD_SMMUV3_STES;
}

static uint32_t context_place(uint32_t sid, uint32_t index)
{
	return (sid * 29u + index) % WARD_SMMUV3_CONTEXTS;
}

static uint32_t tlb_set(uint16_t vmid, uint64_t page)
{
	uint64_t number = page >> 12;

	return (uint32_t)((number ^ number >> 9 ^ vmid) % WARD_SMMUV3_TLB_SETS);
}

const struct ward_ste *ward_smmuv3_cached_ste(const struct ward_smmuv3_cache *cache, ward_sid_t sid)
{
	uint32_t place = ste_place(ward_sid_raw(sid));

	if (!cache->stes[place].valid || cache->stes[place].sid != sid)
		return NULL;
	return &cache->stes[place].ste;
}

const struct ward_ste *ward_smmuv3_cache_ste(struct ward_smmuv3_cache *cache, ward_sid_t sid,
					     const struct ward_ste *ste)
{
	uint32_t place = ste_place(ward_sid_raw(sid));

	cache->stes[place].valid = true;
	cache->stes[place].sid = sid;
	cache->stes[place].ste = *ste;
	return &cache->stes[place].ste;
}

void ward_smmuv3_forget_stes(struct ward_smmuv3_cache *cache, uint32_t first, uint32_t last)
{
	const struct ward_range sids = { first, last };

	for (uint32_t i = 0; i < WARD_SMMUV3_STES; i++) {
		if (ward_range_has(sids, ward_sid_raw(cache->stes[i].sid)))
			cache->stes[i].valid = false;
	}
	for (uint32_t i = 0; i < WARD_SMMUV3_CONTEXTS; i++) {
		if (ward_range_has(sids, ward_sid_raw(cache->contexts[i].sid)))
			cache->contexts[i].valid = false;
	}
}

const struct ward_context *ward_smmuv3_cached_context(const struct ward_smmuv3_cache *cache,
						      ward_sid_t sid, uint32_t index)
{
	uint32_t place = context_place(ward_sid_raw(sid), index);

	if (!cache->contexts[place].valid || cache->contexts[place].sid != sid ||
	    cache->contexts[place].index != index)
		return NULL;
	return &cache->contexts[place].context;
}

void ward_smmuv3_cache_context(struct ward_smmuv3_cache *cache, ward_sid_t sid, uint32_t index,
			       const struct ward_context *context)
{
	uint32_t place = context_place(ward_sid_raw(sid), index);

	cache->contexts[place].valid = true;
	cache->contexts[place].sid = sid;
	cache->contexts[place].index = index;
	cache->contexts[place].context = *context;
}

void ward_smmuv3_forget_contexts(struct ward_smmuv3_cache *cache, ward_sid_t sid, uint32_t index)
{
	for (uint32_t i = 0; i < WARD_SMMUV3_CONTEXTS; i++) {
		if (cache->contexts[i].sid == sid &&
		    (index == WARD_NONE || cache->contexts[i].index == index))
			cache->contexts[i].valid = false;
	}
}

const struct ward_smmuv3_tlb_entry *ward_smmuv3_tlb_find(const struct ward_smmuv3_cache *cache,
							 const struct ward_smmuv3_tlb_key *key)
{
	uint64_t page = key->input & ~0xfffull;
	const struct ward_smmuv3_tlb_entry *set = cache->tlb[tlb_set(key->vmid, page)];

	for (uint32_t i = 0; i < WARD_SMMUV3_TLB_WAYS; i++) {
		if (set[i].kind == key->kind && set[i].page == page && set[i].vmid == key->vmid &&
		    (set[i].global || set[i].asid == key->asid))
			return &set[i];
	}
	return NULL;
}

void ward_smmuv3_tlb_add(struct ward_smmuv3_cache *cache, const struct ward_smmuv3_tlb_entry *entry)
{
	uint32_t number = tlb_set(entry->vmid, entry->page);
	struct ward_smmuv3_tlb_entry *set = cache->tlb[number];
	uint32_t way;

	for (way = 0; way < WARD_SMMUV3_TLB_WAYS; way++) {
		if (set[way].kind == 0)
			break;
	}
	if (way == WARD_SMMUV3_TLB_WAYS)
		way = cache->next_way[number]++ % WARD_SMMUV3_TLB_WAYS;
	set[way] = *entry;
}

static bool applies(const struct ward_smmuv3_tlb_filter *filter,
		    const struct ward_smmuv3_tlb_entry *entry)
{
	if (!(entry->kind & filter->kinds))
		return false;
	if (!filter->any_vmid && entry->vmid != filter->vmid)
		return false;
	if (entry->global && filter->keeps_global)
		return false;
	if (!filter->any_asid && !entry->global && entry->asid != filter->asid)
		return false;
	return ward_range_overlaps(filter->input, entry->leaf);
}

void ward_smmuv3_tlb_forget(struct ward_smmuv3_cache *cache,
			    const struct ward_smmuv3_tlb_filter *filter)
{
	for (uint32_t set = 0; set < WARD_SMMUV3_TLB_SETS; set++) {
		for (uint32_t way = 0; way < WARD_SMMUV3_TLB_WAYS; way++) {
			if (applies(filter, &cache->tlb[set][way]))
				cache->tlb[set][way].kind = 0;
		}
	}
}
