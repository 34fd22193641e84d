// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* From a StreamID to its stream table entry (IHI 0070, 3.3.1 and 5.1). */
#include "emul/smmuv3_state.h"

#include <errno.h>

static int fail(struct ward_fault *fault, enum ward_fault_reason reason, uint64_t fetch)
{
	*fault = (struct ward_fault){
		.reason = reason,
		.fault_class = WARD_CLASS_INPUT,
		.level = WARD_NO_LEVEL,
		.fetch = fetch,
	};
	return -EFAULT;
}

static int bad_stream(const struct ward_smmuv3 *smmu, struct ward_fault *ret_fault,
		      uint8_t *ret_event)
{
	*ret_event = smmu->reg.cr2 & WARD_CR2_RECINVSID ? WARD_C_BAD_STREAMID : WARD_EVENT_NONE;
	return fail(ret_fault, WARD_FAULT_CONFIG, 0);
}

static uint64_t align_down(uint64_t address, uint64_t size)
{
	return address & ~(size - 1);
}

/* Where the entry of a stream is. Unimplemented SPLITs count as 6, formats as linear. */
static int ste_address(const struct ward_smmuv3 *smmu, uint32_t sid, uint64_t *ret_address,
		       struct ward_fault *ret_fault, uint8_t *ret_event)
{
	uint64_t entry, at, base = smmu->reg.strtab_base & 0x000fffffffffffc0;
	unsigned int log2size = smmu->reg.strtab_base_cfg & 0x3f;
	unsigned int span, split = smmu->reg.strtab_base_cfg >> 6 & 0x1f;

	if (log2size > smmu->options.stream_bits)
		log2size = smmu->options.stream_bits;
	if ((uint64_t)sid >> log2size != 0)
		return bad_stream(smmu, ret_fault, ret_event);
	if ((smmu->reg.strtab_base_cfg >> 16 & 3) != 1) {
		*ret_address = align_down(base, (uint64_t)WARD_STE_BYTES << log2size) +
			       (uint64_t)sid * WARD_STE_BYTES;
		return 0;
	}
	if (split != 8 && split != 10)
		split = 6;
	base = align_down(base, log2size > split + 3 ? 8ull << (log2size - split) : 64);
	at = base + ((uint64_t)sid >> split) * 8;
	if (ward_memory_read_u64(smmu->options.memory, at, &entry)) {
		*ret_event = WARD_F_STE_FETCH;
		return fail(ret_fault, WARD_FAULT_TABLE, at);
	}
	span = entry & 0x1f;
	if (span == 0 || span > split + 1)
		return bad_stream(smmu, ret_fault, ret_event);
	sid &= (1u << split) - 1;
	if (sid >> (span - 1) != 0)
		return bad_stream(smmu, ret_fault, ret_event);
	*ret_address = align_down(entry & 0x000fffffffffffc0, 64ull << (span - 1)) +
		       (uint64_t)sid * WARD_STE_BYTES;
	return 0;
}

int ward_smmuv3_stream(struct ward_smmuv3 *smmu, ward_sid_t sid, struct ward_ste *room,
		       const struct ward_ste **ret_ste, struct ward_fault *ret_fault,
		       uint8_t *ret_event)
{
	const struct ward_ste *cached = ward_smmuv3_cached_ste(&smmu->cache, sid);
	uint64_t words[WARD_STE_WORDS], address;
	struct ward_ste ste;

	if (cached) {
		*ret_ste = cached;
		return 0;
	}
	if (ste_address(smmu, ward_sid_raw(sid), &address, ret_fault, ret_event))
		return -EFAULT;
	for (unsigned int i = 0; i < WARD_STE_WORDS; i++) {
		if (ward_memory_read_u64(smmu->options.memory, address + i * 8, &words[i])) {
			*ret_event = WARD_F_STE_FETCH;
			return fail(ret_fault, WARD_FAULT_TABLE, address + i * 8);
		}
	}
	if (ward_ste_decode(words, &smmu->options.features, &ste)) {
		*ret_event = WARD_C_BAD_STE;
		return fail(ret_fault, WARD_FAULT_CONFIG, address);
	}
	if (room)
		*room = ste;
	*ret_ste = room ? room : ward_smmuv3_cache_ste(&smmu->cache, sid, &ste);
	return 0;
}
