/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What an interrupt is on its way to APICs, whoever decoded it: a message, or an entry that remaps. */
#ifndef EMUL_APIC_H
#define EMUL_APIC_H

#include <doorward/apic.h>

/* Delivery modes (Intel SDM volume 3, 11.11.2); 3 and 6 are reserved. */
enum ward_apic_mode {
	WARD_APIC_FIXED = 0,
	WARD_APIC_LOWEST = 1,
	WARD_APIC_SMI = 2,
	WARD_APIC_NMI = 4,
	WARD_APIC_INIT = 5,
	WARD_APIC_EXTINT = 7,
};

struct ward_apic_delivery {
	uint32_t destination;
	/* The destination is wider than 8 bits: to CPUs with x2APIC 0xff is then an id. */
	bool wide;
	bool logical;
	bool hint;	/* redirection: one of those it names */
	bool level, on; /* trigger mode; level: asserted */
	uint8_t mode, vector;
};

/* As ward_apics_message. probe: nothing is requested. */
uint32_t ward_apics_deliver(struct ward_apics *apics, const struct ward_apic_delivery *delivery,
			    bool probe, struct ward_interrupt *ret_interrupt);
/* The same of a message. */
uint32_t ward_apics_send(struct ward_apics *apics, const struct ward_message *message, bool probe,
			 struct ward_interrupt *ret_interrupt);

#endif
