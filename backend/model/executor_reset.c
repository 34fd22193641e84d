// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A reset that is verified: what can be written is written before, and afterwards reads as after
 * power-on. A function that has no reset of its own is reset with all behind the bridge above it.
 */
#include "executor.h"

#include "irq.h"

#include <errno.h>
#include <string.h>

#define CONFIG_REGION 7u
#define COMMAND 4u
/* INTx off: it raises nothing by that, and reads back (PCI 3.0, 6.2.2). */
#define COMMAND_MARK 0x0400u

/* Bytes that a driver or a guest may have left something in. */
static uint32_t kept_bytes(const struct ward_emul *emul, uint32_t function, uint32_t bar)
{
	uint64_t size = ward_emul_region_size(emul, function, bar);

	return size < WARD_EMUL_REGISTERS ? (uint32_t)size : WARD_EMUL_REGISTERS;
}

static void mark(struct ward_emul *emul, uint32_t function)
{
	const uint8_t command[2] = { COMMAND_MARK & 0xff, COMMAND_MARK >> 8 };

	(void)ward_emul_write(emul, function, CONFIG_REGION, COMMAND, command, sizeof(command));
}

static bool is_clean(struct ward_emul *emul, uint32_t function)
{
	struct ward_vectors *vectors = ward_emul_vectors(emul, function);
	uint8_t byte, command[2];

	if (ward_emul_read(emul, function, CONFIG_REGION, COMMAND, command, sizeof(command)) ||
	    command[0] || command[1])
		return false;
	for (uint32_t bar = 0; bar < CONFIG_REGION - 1; bar++) {
		for (uint32_t i = 0; i < kept_bytes(emul, function, bar); i++)
			if (ward_emul_read(emul, function, bar, i, &byte, 1) || byte)
				return false;
	}
	return !vectors || ward_vectors_mode(vectors, NULL) == WARD_VECTORS_OFF;
}

/*
 * Whoever has vectors set up loses them: they would write into what was reset. What is frozen cannot
 * be looked at, and is reset once more before it is thawed.
 */
static int reset_one(struct ward_model_executor *executor, uint32_t function, bool unseen)
{
	struct ward_emul *emul = executor->model->emul;

	ward_model_hand_silence(executor, function);
	mark(emul, function);
	(void)ward_emul_reset(emul, function);
	return unseen || is_clean(emul, function) ? 0 : -EIO;
}

static bool is_below(const struct ward_machine *machine, uint32_t function, uint32_t bridge)
{
	uint32_t at = machine->functions[function].parent;

	while (at != WARD_NONE && at != bridge)
		at = machine->functions[at].parent;
	return at == bridge;
}

/* What the reset of a function hits: itself, and its VFs; or all behind the bridge above it. */
static bool is_hit(const struct ward_machine *machine, uint32_t function, uint32_t other)
{
	const struct ward_function *f = &machine->functions[function];

	if (function == other || machine->functions[other].physfn == function)
		return true;
	return !f->resets && f->physfn == WARD_NONE && is_below(machine, other, f->parent);
}

int ward_model_reset_verified(struct ward_model_executor *executor, uint32_t function)
{
	const struct ward_machine *machine = executor->machine;
	const struct ward_function *f = &machine->functions[function];
	struct ward_emul *emul = executor->model->emul;
	int code = 0;

	if (!ward_emul_is_present(emul, function))
		return -ENODEV;
	if (ward_emul_frozen(emul, function))
		return -EIO;
	if (f->kind != WARD_FUNCTION_PCI ||
	    (!f->resets && f->physfn == WARD_NONE && f->parent == WARD_NONE))
		return -EOPNOTSUPP;
	for (uint32_t i = 0; i < machine->functions_count && !code; i++)
		if (is_hit(machine, function, i) && ward_emul_is_present(emul, i))
			code = reset_one(executor, i, i != function && ward_emul_frozen(emul, i));
	for (uint32_t i = 0; i < machine->functions_count && !code; i++)
		if (is_hit(machine, function, i))
			ward_model_driver_recover(executor, i);
	return code;
}

/* What thawing a function hits: its error domain, and the VFs of what is in it. */
static bool is_thawed(const struct ward_machine *machine, uint32_t function, uint32_t other)
{
	uint32_t cursor = 0, member;

	while (ward_error_domain_next(machine, function, &cursor, &member))
		if (other == member || machine->functions[other].physfn == member)
			return true;
	return false;
}

int ward_model_reset_domain(struct ward_model_executor *executor, uint32_t function)
{
	const struct ward_machine *machine = executor->machine;
	struct ward_emul *emul = executor->model->emul;
	int code = 0;

	for (uint32_t i = 0; i < machine->functions_count && !code; i++)
		if (machine->functions[i].kind == WARD_FUNCTION_PCI &&
		    is_thawed(machine, function, i) && ward_emul_is_present(emul, i))
			code = reset_one(executor, i, ward_emul_frozen(emul, i));
	for (uint32_t i = 0; i < machine->functions_count && !code; i++)
		if (is_thawed(machine, function, i))
			ward_model_driver_recover(executor, i);
	return code;
}
