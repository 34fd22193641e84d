// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Event records (IHI 0070, 7.2 and 7.3) and the queue they go to; its policy is in smmuv3.h. */
#include "emul/smmuv3_state.h"

#define EVENT_SIZE 32u
#define EVENT_WORDS 4u

/* What a record says besides its id and whose it is. */
#define HAS_INPUT 0x1u	/* InputAddr */
#define HAS_READ 0x2u	/* RnW */
#define HAS_ACCESS 0x4u /* RnW, InD, PnU */
#define HAS_STAGE 0x8u	/* S2, CLASS */
#define HAS_FETCH 0x10u /* FetchAddr */
#define HAS_IPA 0x20u	/* of stage 2 */
#define HAS_TABLE 0x40u /* TTRnW */

static const uint8_t event_fields[] = {
	[WARD_F_STE_FETCH] = HAS_FETCH,
	[WARD_F_TRANSL_FORBIDDEN] = HAS_INPUT | HAS_READ,
	[WARD_F_CD_FETCH] = HAS_FETCH,
	[WARD_F_WALK_EABT] = HAS_INPUT | HAS_ACCESS | HAS_STAGE | HAS_FETCH,
	[WARD_F_TRANSLATION] = HAS_INPUT | HAS_ACCESS | HAS_STAGE | HAS_IPA,
	[WARD_F_ADDR_SIZE] = HAS_INPUT | HAS_ACCESS | HAS_STAGE | HAS_IPA,
	[WARD_F_ACCESS] = HAS_INPUT | HAS_ACCESS | HAS_STAGE | HAS_IPA,
	[WARD_F_PERMISSION] = HAS_INPUT | HAS_ACCESS | HAS_STAGE | HAS_IPA | HAS_TABLE,
};

static uint64_t event_class(enum ward_fault_class fault_class)
{
	switch (fault_class) {
	case WARD_CLASS_CONTEXT:
		return 0;
	case WARD_CLASS_TABLE:
		return 1;
	case WARD_CLASS_INPUT:
	default:
		return 2;
	}
}

static void make_record(const struct ward_emul_request *request, uint8_t id,
			const struct ward_fault *fault, uint64_t ret_words[EVENT_WORDS])
{
	unsigned int fields = event_fields[id];
	uint64_t words[EVENT_WORDS] = { 0 };

	words[0] = id | (uint64_t)ward_sid_raw(request->sid) << 32;
	/* Translated requests are as if they had none (PASIDTT 0). */
	if (ward_pasid_raw(request->pasid) != ward_pasid_raw(WARD_PASID_NONE) &&
	    !request->translated) {
		words[0] |= (uint64_t)(ward_pasid_raw(request->pasid) & 0xfffff) << 12;
		/* SSV: where there always is a SubstreamID, nothing says so. */
		if (id != WARD_C_BAD_SUBSTREAMID)
			words[0] |= 1u << 11;
	}
	if ((fields & (HAS_READ | HAS_ACCESS)) && !(request->access & WARD_WRITE))
		words[1] |= 1ull << 35;
	if ((fields & HAS_ACCESS) && (request->access & WARD_EXEC))
		words[1] |= 1ull << 34;
	if (fields & HAS_STAGE) {
		words[1] |= event_class(fault->fault_class) << 40;
		if (fault->stage == 2)
			words[1] |= 1ull << 39;
	}
	/* Tables are only ever read. */
	if ((fields & HAS_TABLE) && fault->fault_class == WARD_CLASS_TABLE)
		words[1] |= 1ull << 44;
	if (fields & HAS_INPUT)
		words[2] = ward_iova_raw(request->iova);
	if (fields & HAS_FETCH)
		words[3] = fault->fetch & 0x000ffffffffffff8;
	if ((fields & HAS_IPA) && fault->stage == 2)
		words[3] = ward_gpa_raw(fault->gpa) & 0x000ffffffffff000;
	for (unsigned int i = 0; i < EVENT_WORDS; i++)
		ret_words[i] = words[i];
}

static unsigned int event_bits(const struct ward_smmuv3 *smmu)
{
	return ward_smmuv3_queue_bits(smmu->reg.eventq_base, smmu->options.event_bits);
}

/* Records that a stream may have unread. */
static uint32_t share(const struct ward_smmuv3_recorded *recorded, unsigned int bits)
{
	return recorded->halvings < bits ? 1u << (bits - recorded->halvings) : 1;
}

/* Those with fewer marks are forgotten first; who has unread records is not forgotten. */
static bool forgotten_before(const struct ward_smmuv3_recorded *a,
			     const struct ward_smmuv3_recorded *b)
{
	if (a->used != b->used)
		return !a->used;
	if (a->halvings != b->halvings)
		return a->halvings < b->halvings;
	return a->dropped < b->dropped;
}

/* The stream's account; there are more than entries in the queue, so that one is always free. */
static struct ward_smmuv3_recorded *account(struct ward_smmuv3 *smmu, ward_sid_t sid)
{
	struct ward_smmuv3_recorded *free = NULL;

	for (uint32_t i = 0; i < smmu->recorded_max; i++) {
		struct ward_smmuv3_recorded *at = &smmu->recorded[i];

		if (at->used && at->sid == sid)
			return at;
		if ((!at->used || at->unread == 0) && (!free || forgotten_before(at, free)))
			free = at;
	}
	if (free)
		*free = (struct ward_smmuv3_recorded){ .used = true, .sid = sid };
	return free;
}

static void drop(struct ward_smmuv3 *smmu, struct ward_smmuv3_recorded *recorded)
{
	recorded->dropped++;
	smmu->counts.events_dropped++;
}

/* The queue is full and last did not get in: hold the stream that has most of it to less. */
static void silence(struct ward_smmuv3 *smmu, struct ward_smmuv3_recorded *last, unsigned int bits)
{
	struct ward_smmuv3_recorded *most = last;

	for (uint32_t i = 0; i < smmu->recorded_max; i++) {
		struct ward_smmuv3_recorded *at = &smmu->recorded[i];

		/* Who has more than its share already got in before it was held to it. */
		if (at->used && at->unread <= share(at, bits) && at->unread > most->unread)
			most = at;
	}
	if (most->unread == 0 || most->unread > share(most, bits) || share(most, bits) == 1)
		return;
	most->halvings++;
	smmu->counts.silenced++;
}

static void release(struct ward_smmuv3 *smmu, uint32_t entry)
{
	uint32_t owner = smmu->owners[entry];

	if (owner == WARD_NONE)
		return;
	smmu->recorded[owner].unread--;
	smmu->owners[entry] = WARD_NONE;
}

void ward_smmuv3_record(struct ward_smmuv3 *smmu, const struct ward_emul_request *request,
			uint8_t id, const struct ward_fault *fault)
{
	unsigned int bits = event_bits(smmu);
	uint64_t words[EVENT_WORDS], at, prod = smmu->reg.eventq_prod;
	uint32_t entry = (uint32_t)prod & ((1u << bits) - 1);
	struct ward_smmuv3_recorded *recorded;

	if (id == WARD_EVENT_NONE || !(smmu->reg.cr0 & WARD_CR0_EVENTQEN))
		return;
	recorded = account(smmu, request->sid);
	if (!recorded)
		return;
	if (recorded->halvings > 0 && recorded->unread >= share(recorded, bits)) {
		drop(smmu, recorded);
		return;
	}
	if (ward_smmuv3_queue_count(prod, smmu->reg.eventq_cons, bits) >= 1u << bits) {
		if (!((prod ^ smmu->reg.eventq_cons) & WARD_QUEUE_OVERFLOW))
			smmu->reg.eventq_prod ^= WARD_QUEUE_OVERFLOW;
		drop(smmu, recorded);
		silence(smmu, recorded, bits);
		return;
	}
	make_record(request, id, fault, words);
	at = ward_smmuv3_queue_entry(smmu->reg.eventq_base, bits, prod, EVENT_SIZE);
	for (unsigned int i = 0; i < EVENT_WORDS; i++) {
		if (ward_memory_write_u64(smmu->options.memory, at + i * 8, words[i])) {
			ward_smmuv3_raise(smmu, WARD_GERROR_EVENTQ_ABT);
			drop(smmu, recorded);
			return;
		}
	}
	release(smmu, entry);
	smmu->owners[entry] = (uint32_t)(recorded - smmu->recorded);
	recorded->unread++;
	smmu->reg.eventq_prod = (prod & WARD_QUEUE_OVERFLOW) | ((prod + 1) & ((2u << bits) - 1));
	smmu->counts.events++;
}

void ward_smmuv3_events_read(struct ward_smmuv3 *smmu, uint64_t old)
{
	unsigned int bits = event_bits(smmu);
	uint32_t count = ward_smmuv3_queue_count(smmu->reg.eventq_cons, old, bits);

	/* Software may write anything; nothing is counted twice, since entries have one owner. */
	for (uint32_t i = 0; i < count; i++)
		release(smmu, (uint32_t)(old + i) & ((1u << bits) - 1));
}

void ward_smmuv3_events_start(struct ward_smmuv3 *smmu)
{
	for (uint32_t i = 0; i < 1u << smmu->options.event_bits; i++)
		smmu->owners[i] = WARD_NONE;
	for (uint32_t i = 0; i < smmu->recorded_max; i++) {
		smmu->recorded[i].unread = 0;
		smmu->recorded[i].halvings = 0;
	}
}

uint64_t ward_smmuv3_dropped(const struct ward_smmuv3 *smmu, ward_sid_t sid)
{
	for (uint32_t i = 0; i < smmu->recorded_max; i++) {
		if (smmu->recorded[i].used && smmu->recorded[i].sid == sid)
			return smmu->recorded[i].dropped;
	}
	return 0;
}
