// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The command queue: a ring in memory, and what happens when a command is in error. */
#include "emul/its_state.h"

#include <endian.h>
#include <string.h>

uint32_t ward_its_queue_bytes(const struct ward_its *its)
{
	return ((uint32_t)(its->reg.cbaser & 0xff) + 1) << 12;
}

static uint64_t queue_address(const struct ward_its *its)
{
	return its->reg.cbaser & 0x000ffffffffff000;
}

/*
 * GITS_CWRITER beyond the queue: nothing is executed until it is written anew (what the
 * architecture allows; KVM never has such a value).
 */
static bool may_run(const struct ward_its *its)
{
	return (its->reg.ctlr & ITS_ENABLED) && !(its->reg.creadr & ITS_STALLED) &&
	       (its->reg.cbaser & ITS_VALID) && its->reg.cwriter < ward_its_queue_bytes(its) &&
	       its->reg.creadr != its->reg.cwriter;
}

static uint32_t run_next(struct ward_its *its, uint64_t ret_words[4])
{
	uint64_t at = queue_address(its) + its->reg.creadr;

	if (ward_memory_read(its->options.memory, at, ret_words, ITS_COMMAND_BYTES)) {
		memset(ret_words, 0, ITS_COMMAND_BYTES);
		return ITS_UNNAMED;
	}
	for (unsigned int i = 0; i < 4; i++)
		ret_words[i] = le64toh(ret_words[i]);
	return its->kvm ? ward_its_command_kvm(its, ret_words) : ward_its_command(its, ret_words);
}

static void record_error(struct ward_its *its, const uint64_t words[4], uint32_t syndrome)
{
	memcpy(its->error.command, words, sizeof(its->error.command));
	its->error.syndrome = syndrome == ITS_UNNAMED ? 0 : syndrome;
	its->error.count++;
}

void ward_its_run_commands(struct ward_its *its)
{
	uint64_t words[4];

	if (its->running)
		return;
	its->running = true;
	while (may_run(its)) {
		uint32_t syndrome = run_next(its, words);

		if (syndrome) {
			record_error(its, words, syndrome);
			if (its->options.stalls) {
				its->reg.creadr |= ITS_STALLED;
				break;
			}
		}
		its->reg.creadr += ITS_COMMAND_BYTES;
		if (its->reg.creadr == ward_its_queue_bytes(its))
			its->reg.creadr = 0;
	}
	its->running = false;
}
