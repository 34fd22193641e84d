// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Faults of VT-d in its recording registers (VT-d specification, 7.3.1, 11.4.7, 11.4.14). */
#include "emul/vtd_state.h"

#define RECORD_F (UINT64_C(1) << 63)
#define RECORD_READ (UINT64_C(1) << 62)
#define RECORD_TRANSLATED (UINT64_C(2) << 60)
#define RECORD_REASON_SHIFT 32
#define RECORD_INDEX_SHIFT 48
#define FAULT_INDEX_SHIFT 8
#define FAULT_INDEX (0xffu << FAULT_INDEX_SHIFT)

static bool any_pending(const struct ward_vtd *vtd)
{
	for (unsigned int i = 0; i < WARD_VTD_RECORDS; i++) {
		if (vtd->records[i].high & RECORD_F)
			return true;
	}
	return false;
}

uint32_t ward_vtd_fault_status(const struct ward_vtd *vtd)
{
	return vtd->fsts | (any_pending(vtd) ? VTD_PPF : 0);
}

static void record_fault(struct ward_vtd *vtd, uint64_t low, uint64_t high)
{
	struct vtd_record *record = &vtd->records[vtd->next_record];

	if (vtd->fsts & VTD_PFO || record->high & RECORD_F) {
		vtd->fsts |= VTD_PFO;
		vtd->counts.faults_dropped++;
		return;
	}
	/* The index is that of the first one pending. */
	if (!any_pending(vtd))
		vtd->fsts = (vtd->fsts & ~FAULT_INDEX) | vtd->next_record << FAULT_INDEX_SHIFT;
	record->low = low;
	record->high = RECORD_F | high;
	vtd->next_record = (vtd->next_record + 1) % WARD_VTD_RECORDS;
	vtd->counts.faults++;
}

void ward_vtd_record(struct ward_vtd *vtd, const struct ward_emul_request *request,
		     enum vtd_reason reason)
{
	record_fault(vtd, ward_iova_raw(request->iova) & ~UINT64_C(0xfff),
		     (request->access & WARD_WRITE ? 0 : RECORD_READ) |
			     (request->translated ? RECORD_TRANSLATED : 0) |
			     (uint64_t)reason << RECORD_REASON_SHIFT |
			     (ward_sid_raw(request->sid) & 0xffff));
}

void ward_vtd_record_interrupt(struct ward_vtd *vtd, ward_rid_t rid, uint16_t index,
			       enum vtd_reason reason)
{
	record_fault(vtd, (uint64_t)index << RECORD_INDEX_SHIFT,
		     (uint64_t)reason << RECORD_REASON_SHIFT | ward_rid_raw(rid));
}

void ward_vtd_clear_record(struct ward_vtd *vtd, unsigned int index)
{
	vtd->records[index].high &= ~RECORD_F;
}
