/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Config space: from raw bytes to the facts of a function. */
#ifndef PCI_CONFIG_H
#define PCI_CONFIG_H

#include <doorward/machine.h>

/* All of config space, and the part without extended capabilities, in bytes. */
#define WARD_CONFIG_FULL 4096
#define WARD_CONFIG_PLAIN 256
#define WARD_CONFIG_HEADER 64

/* What was wrong with the bytes. Each leaves the facts that hang on it unknown. */
enum ward_pci_problem_code {
	WARD_PCI_NO_ANSWER,	   /* all ones: the function is gone or asleep */
	WARD_PCI_SHORT,		   /* fewer than 64 bytes: not even the header */
	WARD_PCI_HEADER_TYPE,	   /* header layout other than 0, 1 and 2 */
	WARD_PCI_CHAIN_POINTER,	   /* a capability pointer leads into the header */
	WARD_PCI_CHAIN_MISALIGNED, /* its low bits are set (they are ignored) */
	WARD_PCI_CHAIN_LOOP,	   /* it leads back */
	WARD_PCI_CHAIN_ONES,	   /* what it leads to reads all ones */
	WARD_PCI_CAP_OVERRUN,	   /* the capability does not fit into config space */
	WARD_PCI_CAP_TWICE,	   /* the same capability again; the first one counts */
	WARD_PCI_CAP_VALUE,	   /* a field holds a value that no device may have */
	WARD_PCI_PROBLEM_CODES,
};

#define WARD_PCI_PROBLEMS_MAX 8

struct ward_pci_problem {
	enum ward_pci_problem_code code;
	uint16_t offset; /* in config space */
};

struct ward_pci_problems {
	uint32_t mask;	/* bit of each code that occurred */
	uint32_t count; /* in list; more may have occurred than fit */
	struct ward_pci_problem list[WARD_PCI_PROBLEMS_MAX];
};

/* A few words for a person: "capability chain loops". */
const char *ward_pci_problem_text(enum ward_pci_problem_code code);

/*
 * Fills what config space says into a function made by ward_function_init. What the caller set
 * before stays: vendor, device and subsystem ids, class and revision that are not 0, BAR and
 * window ranges that are not empty. Only the first size bytes are looked at; what depends on the
 * others is WARD_UNKNOWN. bytes may be NULL when size is 0.
 *
 * Returns 0, or -ENODATA when the bytes say nothing (no answer, or no header); then only the
 * problems were written. Damage is no failure: ret_problems lists it.
 *
 * multifunction becomes bit 7 of the header type; what Linux adds to it, the builder knows.
 * pcie_known becomes WARD_YES when pcie_type holds (WARD_PCIE_NONE: conventional PCI), else
 * WARD_UNKNOWN. A virtual function has no PASID and PRI of its own; they are its PF's.
 */
int ward_pci_config_parse(const uint8_t *bytes, size_t size, struct ward_function *function,
			  struct ward_pci_problems *ret_problems);

/*
 * The type of a port as Linux corrects it: a downstream port right below a link, and an upstream
 * port right below an upstream port, are each really the other (drivers/pci/probe.c,
 * set_pcie_port_type). Only for functions with a parent.
 */
enum ward_pcie_type ward_pcie_type_below(enum ward_pcie_type type, enum ward_pcie_type parent);

#endif
