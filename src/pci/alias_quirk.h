/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Known devices whose DMA carries ids of other functions; private to alias.c. */
#ifndef PCI_ALIAS_QUIRK_H
#define PCI_ALIAS_QUIRK_H

#include <doorward/machine.h>

enum ward_alias_rule {
	WARD_ALIAS_RULE_FUNCTION_0, /* function 0 of its slot */
	WARD_ALIAS_RULE_FUNCTION_1, /* function 1 of its slot */
	WARD_ALIAS_RULE_FIXED,	    /* one devfn */
	WARD_ALIAS_RULE_X200,	    /* 10.0, 11.0, 12.3 */
	WARD_ALIAS_RULE_LOW_FIVE,   /* functions 0 to 4 of every slot */
	WARD_ALIAS_RULE_ALL,	    /* every devfn */
	WARD_ALIAS_RULE_PROXY,	    /* ids that its own registers name */
};

struct ward_alias_quirk {
	uint16_t vendor;
	uint16_t first, last;		      /* device ids, inclusive */
	uint16_t subsystem_vendor, subsystem; /* 0: any */
	uint16_t class_code;		      /* base class and subclass; 0: any */
	enum ward_alias_rule rule;
	uint8_t devfn; /* of the fixed rule */
	const char *name;
};

const struct ward_alias_quirk *ward_alias_quirk_find(const struct ward_function *function);

/* A bridge that acts as PCIe-to-PCI bridge but hides its PCIe capability. */
bool ward_alias_quirk_hidden_pcie(const struct ward_function *function);
/* A PCIe-to-PCI bridge that leaves the ids behind it alone. */
bool ward_alias_quirk_transparent(const struct ward_function *function);

#endif
