// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The command queue: a ring in memory, and what happens when a command is in error. */
#include "emul/its_state.h"

#include <endian.h>
#include <errno.h>
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

/* A whole queue in one region, as nearly all are, is looked up once. */
static const uint64_t *queue_words(const struct ward_its *its)
{
	struct ward_range range = { queue_address(its),
				    queue_address(its) + ward_its_queue_bytes(its) - 1 };
	const void *bytes = ward_memory_at(its->options.memory, range, false);

	return (uintptr_t)bytes % sizeof(uint64_t) == 0 ? bytes : NULL;
}

static int fetch(const struct ward_its *its, const uint64_t *queue, uint64_t ret_words[4])
{
	if (queue) {
		queue += its->reg.creadr / sizeof(uint64_t);
		for (unsigned int i = 0; i < 4; i++)
			ret_words[i] = le64toh(__atomic_load_n(&queue[i], __ATOMIC_RELAXED));
		return 0;
	}
	if (ward_memory_read(its->options.memory, queue_address(its) + its->reg.creadr, ret_words,
			     ITS_COMMAND_BYTES)) {
		memset(ret_words, 0, ITS_COMMAND_BYTES);
		return -EFAULT;
	}
	for (unsigned int i = 0; i < 4; i++)
		ret_words[i] = le64toh(ret_words[i]);
	return 0;
}

static uint32_t run_next(struct ward_its *its, const uint64_t *queue, uint64_t ret_words[4])
{
	if (fetch(its, queue, ret_words))
		return ITS_UNNAMED;
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
	const uint64_t *queue;
	uint64_t words[4];

	if (its->running || !may_run(its))
		return;
	its->running = true;
	queue = queue_words(its);
	while (may_run(its)) {
		uint32_t syndrome = run_next(its, queue, words);

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
