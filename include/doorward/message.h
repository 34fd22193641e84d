/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Messages: the write that raises an interrupt, and what came of it at the controller.
 */
#ifndef DOORWARD_MESSAGE_H
#define DOORWARD_MESSAGE_H

#include <doorward/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/** What a function writes: 32 bits, little-endian (PCI 3.0, 6.8.1.3; PCIe 5.0, 6.1.4). */
struct ward_message {
	ward_iova_t address; /**< as the writer puts it on the bus */
	uint32_t data;
};

/** What a controller made of a write to its doorbell. */
enum ward_interrupt_end {
	WARD_INTERRUPT_NONE,	/**< no controller was asked */
	WARD_INTERRUPT_PENDING, /**< it is pending at a CPU; it may have been so before */
	WARD_INTERRUPT_IGNORED, /**< dropped without a trace: see reason */
	WARD_INTERRUPT_BLOCKED, /**< refused, and recorded by the hardware: see reason */
};

/** Why a controller ignored or blocked a message. */
enum ward_interrupt_reason {
	WARD_REASON_NONE,
	WARD_REASON_SIZE,		 /**< not a write of 16 or 32 bits to the register */
	WARD_REASON_DATA,		 /**< GICv2m, MBI: no SPI of the frame */
	WARD_REASON_OFF,		 /**< the controller is not enabled */
	WARD_REASON_NO_DEVICE_ID,	 /**< ITS: the write came without a DeviceID */
	WARD_REASON_DEVICE_RANGE,	 /**< ITS: DeviceID beyond its table */
	WARD_REASON_UNMAPPED_DEVICE,	 /**< ITS: no MAPD */
	WARD_REASON_EVENT_RANGE,	 /**< ITS: EventID beyond the device's table */
	WARD_REASON_UNMAPPED_EVENT,	 /**< ITS: no MAPTI */
	WARD_REASON_UNMAPPED_COLLECTION, /**< ITS: no MAPC */
	WARD_REASON_LPI_RANGE,		 /**< ITS: no such LPI at the redistributor */
	WARD_REASON_LPIS_OFF,		 /**< the redistributor has LPIs switched off */
	WARD_REASON_FORMAT,		 /**< x86: reserved bits, or a format that is blocked */
	WARD_REASON_NOT_PRESENT,	 /**< x86: entry beyond the table, or not present */
	WARD_REASON_SOURCE,		 /**< x86: the entry is not this requester's */
	WARD_REASON_NO_CPU,		 /**< nobody has this destination */
	WARD_REASON_MODE,		 /**< x86: delivered, and nothing pending: SMI, NMI, INIT */
	WARD_REASON_TABLE,		 /**< a table of the controller cannot be read */
};

/** An interrupt, or why there is none. */
struct ward_interrupt {
	enum ward_interrupt_end end;
	enum ward_interrupt_reason reason;
	uint32_t number; /**< INTID; x86: vector */
	uint32_t cpu;	 /**< the first it became pending at; WARD_NONE: none, or not routed yet */
	uint32_t cpus;	 /**< at how many */
};

/**
 * @param reason a reason
 * @return it in words, for the end of a sentence: "the DeviceID is not mapped"
 */
const char *ward_interrupt_reason_text(enum ward_interrupt_reason reason);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
