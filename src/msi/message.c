// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Why a controller did nothing with a message, in words. */
#include <doorward/message.h>

static const char *const texts[] = {
	[WARD_REASON_NONE] = "nothing is wrong",
	[WARD_REASON_SIZE] = "the write has no size that the doorbell takes",
	[WARD_REASON_DATA] = "the data names no interrupt of the frame",
	[WARD_REASON_OFF] = "the controller is not enabled",
	[WARD_REASON_NO_DEVICE_ID] = "the write came without a DeviceID",
	[WARD_REASON_DEVICE_RANGE] = "the DeviceID is beyond the device table",
	[WARD_REASON_UNMAPPED_DEVICE] = "the DeviceID is not mapped",
	[WARD_REASON_EVENT_RANGE] = "the EventID is beyond the table of the device",
	[WARD_REASON_UNMAPPED_EVENT] = "the EventID is not mapped",
	[WARD_REASON_UNMAPPED_COLLECTION] = "the collection is not mapped",
	[WARD_REASON_LPI_RANGE] = "the redistributor has no such LPI",
	[WARD_REASON_LPIS_OFF] = "the redistributor has LPIs switched off",
	[WARD_REASON_FORMAT] = "the message has reserved bits, or a format that is blocked",
	[WARD_REASON_NOT_PRESENT] = "the entry is beyond the remapping table, or not present",
	[WARD_REASON_SOURCE] = "the entry is another requester's",
	[WARD_REASON_NO_CPU] = "no CPU has this destination",
	[WARD_REASON_MODE] = "its delivery mode leaves nothing pending",
	[WARD_REASON_TABLE] = "a table of the controller cannot be read",
};

const char *ward_interrupt_reason_text(enum ward_interrupt_reason reason)
{
	if ((uint32_t)reason >= sizeof(texts) / sizeof(texts[0]))
		return "unknown reason";
	return texts[reason];
}
