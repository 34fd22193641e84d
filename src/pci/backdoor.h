/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Known devices whose BARs reach more than their own registers. */
#ifndef PCI_BACKDOOR_H
#define PCI_BACKDOOR_H

#include <doorward/machine.h>

enum ward_backdoor_reach {
	WARD_BACKDOOR_OWN_CONFIG, /* its own config space, past what VFIO virtualises */
	WARD_BACKDOOR_SIBLINGS,	  /* other functions of its slot */
	WARD_BACKDOOR_BRIDGE,	  /* the bridge above it */
	WARD_BACKDOOR_BEHIND,	  /* functions on the bus (VMD: in the segment) that it makes */
	WARD_BACKDOOR_MACHINE,	  /* another processor, or the host's memory controller */
};

struct ward_backdoor {
	uint16_t vendor;
	uint16_t device_first, device_last; /* inclusive */
	uint32_t class_code, class_mask;    /* mask 0: any */
	enum ward_backdoor_reach reach;
	bool certain;	    /* documented for these ids; else true of some, assumed of all */
	uint8_t bars;	    /* bit of each BAR it goes through */
	const char *name;   /* short */
	const char *text;   /* a sentence for a person */
	const char *source; /* where that is written */
};

/*
 * Rows that apply to a function, one after another: the first with after NULL, the next with the
 * row returned before. NULL when there is none left.
 */
const struct ward_backdoor *ward_backdoor_find(const struct ward_function *function,
					       const struct ward_backdoor *after);

#endif
