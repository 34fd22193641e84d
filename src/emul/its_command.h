/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Commands as they are encoded (IHI 0069, 5.3): four words of 64 bits; and Arm's syndromes of
 * commands in error, 0x01CCEE: the command's class, and the cause.
 */
#ifndef EMUL_ITS_COMMAND_H
#define EMUL_ITS_COMMAND_H

#include "emul/its_state.h"

enum its_opcode {
	ITS_MOVI = 0x01,
	ITS_INT = 0x03,
	ITS_CLEAR = 0x04,
	ITS_SYNC = 0x05,
	ITS_MAPD = 0x08,
	ITS_MAPC = 0x09,
	ITS_MAPTI = 0x0a,
	ITS_MAPI = 0x0b,
	ITS_INV = 0x0c,
	ITS_INVALL = 0x0d,
	ITS_MOVALL = 0x0e,
	ITS_DISCARD = 0x0f,
};

enum its_cause {
	ITS_DEVICE_OOR = 0x01,
	ITS_PROCNUM_OOR_MOVALL = 0x01,
	ITS_ITTSIZE_OOR = 0x02,
	ITS_PROCNUM_OOR = 0x02,
	ITS_COLLECTION_OOR = 0x03,
	ITS_UNMAPPED_DEVICE = 0x04,
	ITS_ID_OOR = 0x05,
	ITS_PHYSICALID_OOR = 0x06,
	ITS_UNMAPPED_INTERRUPT = 0x07,
	ITS_UNMAPPED_COLLECTION = 0x09,
};

struct its_command {
	uint8_t opcode;
	uint32_t (*run)(struct ward_its *its, const uint64_t *words);
};

static inline uint8_t its_command_opcode(const uint64_t *words)
{
	return (uint8_t)words[0];
}

static inline uint32_t its_command_device(const uint64_t *words)
{
	return (uint32_t)(words[0] >> 32);
}

static inline uint32_t its_command_event(const uint64_t *words)
{
	return (uint32_t)words[1];
}

/* MAPI has none of its own. */
static inline uint32_t its_command_intid(const uint64_t *words)
{
	return its_command_opcode(words) == ITS_MAPI ? its_command_event(words)
						     : (uint32_t)(words[1] >> 32);
}

static inline uint16_t its_command_icid(const uint64_t *words)
{
	return (uint16_t)words[2];
}

static inline bool its_command_valid(const uint64_t *words)
{
	return words[2] >> 63;
}

/* Of MAPD: EventIDs have so many bits, 1 to 32. */
static inline uint8_t its_command_bits(const uint64_t *words)
{
	return (uint8_t)((words[1] & 0x1f) + 1);
}

static inline uint64_t its_command_itt(const uint64_t *words)
{
	return words[2] & 0x000fffffffffff00;
}

/* RDbase of a word: 51:16, a CPU's number since GITS_TYPER.PTA is 0. */
static inline uint64_t its_command_cpu(uint64_t word)
{
	return word >> 16 & 0xfffffffff;
}

/* Where the code of a command is not its number. */
static inline uint32_t its_syndrome(const uint64_t *words, enum its_cause cause)
{
	uint8_t opcode = its_command_opcode(words);

	return 0x010000 | (opcode == ITS_CLEAR ? 0x05u : opcode) << 8 | cause;
}

#endif
