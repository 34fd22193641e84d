/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The two capability lists; private to the files that make up config.h. */
#ifndef PCI_CAPABILITY_H
#define PCI_CAPABILITY_H

#include "pci/config.h"

/* One parse: where it reads, and what it found so far. */
struct ward_config {
	const uint8_t *bytes;
	unsigned int limit; /* 64, 256 or 4096: nothing is read from here on */
	struct ward_function *function;
	struct ward_pci_problems *problems;
};

/* The offset must lie below limit; callers check the whole structure first. */
static inline uint8_t ward_config_u8(const struct ward_config *config, unsigned int offset)
{
	return config->bytes[offset];
}

static inline uint16_t ward_config_u16(const struct ward_config *config, unsigned int offset)
{
	return (uint16_t)(config->bytes[offset] | config->bytes[offset + 1] << 8);
}

static inline uint32_t ward_config_u32(const struct ward_config *config, unsigned int offset)
{
	return ward_config_u16(config, offset) | (uint32_t)ward_config_u16(config, offset + 2)
							 << 16;
}

static inline bool ward_config_holds(const struct ward_config *config, unsigned int offset,
				     unsigned int size)
{
	return offset <= config->limit && size <= config->limit - offset;
}

void ward_config_problem(struct ward_config *config, enum ward_pci_problem_code code,
			 unsigned int offset);

/* A capability that is looked for: minimal size, and what to take from it. */
struct ward_capability {
	uint16_t id;
	uint16_t size; /* bytes, with its header */
	/* Returns false when a field makes the whole capability unusable. */
	bool (*take)(struct ward_config *config, unsigned int offset);
};

/* Which rows of a table a walk found; bit n is row n. */
struct ward_capability_walk {
	uint32_t found;
	uint32_t broken; /* there, but unusable */
	bool damaged;	 /* the list is: what was not found may still be there */
};

/* What a walk says of one row. */
static inline enum ward_tri ward_capability_there(const struct ward_capability_walk *walk,
						  unsigned int row)
{
	if (walk->found & 1u << row)
		return WARD_YES;
	if (walk->broken & 1u << row || walk->damaged)
		return WARD_UNKNOWN;
	return WARD_NO;
}

/* Takes one capability at offset by the table. */
void ward_capability_take(struct ward_config *config, const struct ward_capability *rows,
			  unsigned int count, unsigned int id, unsigned int offset,
			  struct ward_capability_walk *walk);

/* capability.c: PCI capabilities; also settles what hangs on their absence. */
void ward_config_capabilities(struct ward_config *config);
/* extended.c: PCIe extended capabilities, for a function known to be PCIe or not. */
void ward_config_extended(struct ward_config *config);

#endif
