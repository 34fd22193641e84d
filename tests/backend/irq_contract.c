// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Runs the scripts of irq_scripts.h; the rest is what no script can say. */
#include "irq_contract.h"

#include "contract_table.h"
#include "irq_scripts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int fd_of(const struct irq_contract *c, char letter, int other)
{
	switch (letter) {
	case '-':
		return -1;
	case '=':
		return -2;
	case '!':
		return 999; /* beyond what a test opens */
	case 'p':
		return other;
	default:
		return letter >= 'a' && letter <= 'h' ? c->eventfds[letter - 'a'] : -1;
	}
}

static uint32_t number(uint32_t said, uint32_t count)
{
	return said == ALL ? count : said == BEYOND ? count + 1 : said;
}

static int call(struct irq_contract *c, uint32_t index, const struct step *step)
{
	unsigned char bools[DATA_MAX] = { 0 };
	int32_t fds[DATA_MAX] = { 0 };
	size_t length = step->data ? strlen(step->data) : 0;
	struct ward_irq_set set = {
		.flags = step->flags,
		.index = index,
		.start = number(step->start, index < WARD_IRQS_COUNT ? c->counts[index] : 0),
		.count = number(step->count, index < WARD_IRQS_COUNT ? c->counts[index] : 0),
	};
	int pipes[2], code;

	if (pipe(pipes))
		return -EIO;
	for (size_t i = 0; i < length && i < DATA_MAX; i++) {
		bools[i] = step->data[i] == '1';
		fds[i] = fd_of(c, step->data[i], pipes[0]);
	}
	if (length) {
		bool are_fds = step->flags & WARD_IRQ_DATA_EVENTFD;

		set.data = are_fds ? (const void *)fds : bools;
		set.data_size = length * (are_fds ? sizeof(*fds) : 1) - step->cut;
	}
	code = ward_device_set_irqs(c->contract.device, &set);
	close(pipes[0]);
	close(pipes[1]);
	return code;
}

/* What is no call; false: the device cannot be told to. */
static bool act(struct irq_contract *c, uint32_t index, const struct step *step)
{
	struct ward_device *device = c->contract.device;
	uint64_t one = 1;

	switch (step->flags) {
	case RAISE:
		return c->raise && c->raise(c, device, index, step->start);
	case LINE_HIGH:
	case LINE_LOW:
		return c->line && c->line(c, device, step->flags == LINE_HIGH);
	default:
		return write(fd_of(c, step->data[0], -1), &one, sizeof(one)) == sizeof(one);
	}
}

/* Which eventfds were rung since it was last asked, as letters. */
static void rings(struct irq_contract *c, char *ret_letters)
{
	if (c->settle)
		c->settle(c);
	for (unsigned int i = 0; i < IRQ_CONTRACT_EVENTFDS; i++) {
		uint64_t count;

		if (read(c->eventfds[i], &count, sizeof(count)) == sizeof(count))
			*ret_letters++ = (char)('a' + i);
	}
	*ret_letters = '\0';
}

static const char *or_nobody(const char *letters)
{
	return letters && *letters ? letters : "nobody";
}

static bool is_dynamic(struct irq_contract *c, uint32_t index)
{
	struct ward_irq_info info = { 0 };

	return !ward_device_irq_info(c->contract.device, index, &info) &&
	       !(info.flags & WARD_IRQ_INFO_NORESIZE);
}

/* False: the rest of the script cannot be asked. */
static bool run_step(struct irq_contract *c, uint32_t kind, const struct step *step)
{
	char situation[CONTRACT_CELL], what[CONTRACT_CELL], seen[IRQ_CONTRACT_EVENTFDS + 1];
	uint32_t index = step->on ? step->on - 1 : kind;
	bool dynamic = step->dynamic && is_dynamic(c, kind);

	if (index < WARD_IRQS_COUNT && !c->counts[index])
		return true;
	snprintf(situation, sizeof(situation), "%s-%s", kind_names[kind], step->name);
	if (step->flags & RAISE) {
		if (!act(c, index, step))
			return step->flags == RAISE;
	} else {
		contract_expect(&c->contract, situation, call(c, index, step),
				dynamic ? 0 : step->wanted);
	}
	rings(c, seen);
	snprintf(what, sizeof(what), "%.40s-rings", situation);
	contract_expect_word(&c->contract, what, or_nobody(seen),
			     or_nobody(dynamic ? step->dynamic_rings : step->rings));
	return true;
}

static bool begin(struct irq_contract *c)
{
	struct ward_error why = { "" };
	int code =
		ward_device_open(c->contract.backend, c->contract.name, &c->contract.device, &why);

	contract_expect(&c->contract, "open", code, 0);
	if (code) {
		contract_fail(&c->contract, "%s", why.text);
		return false;
	}
	if (c->ready)
		c->ready(c, c->contract.device);
	for (uint32_t i = 0; i < IRQ_CONTRACT_EVENTFDS; i++)
		c->eventfds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (uint32_t i = 0; i < WARD_IRQS_COUNT; i++) {
		struct ward_irq_info info = { 0 };

		c->counts[i] = ward_device_irq_info(c->contract.device, i, &info) ? 0 : info.count;
	}
	return true;
}

static void end(struct irq_contract *c)
{
	ward_device_close(c->contract.device);
	c->contract.device = NULL;
	for (uint32_t i = 0; i < IRQ_CONTRACT_EVENTFDS; i++)
		close(c->eventfds[i]);
}

/*
 * Fewer than are needed may be had of several messages of MSI (x86 without remapping has one): the
 * answer is how many, nothing was done, and so many can be had.
 */
static bool can_have(struct irq_contract *c, uint32_t kind, uint32_t vectors)
{
	static const struct step first = STEP("some", FDS, 0, 1, "a", 0),
				 second = STEP("some", FDS, 0, 2, "ab", 0),
				 off = STEP("off", NONE, 0, 0, NULL, 0);
	int code;

	if (c->counts[kind] < vectors)
		return false;
	if (vectors < 2)
		return true;
	code = call(c, kind, &second);
	if (code > 0) {
		contract_expect(&c->contract, "fewer-nothing-done", call(c, kind, &off), -EINVAL);
		contract_expect(&c->contract, "fewer", code == 1 ? call(c, kind, &first) : code, 0);
		return false;
	}
	call(c, kind, &off);
	return true;
}

static void run_steps(struct irq_contract *c, uint32_t kind, const struct step *step)
{
	while (step->name && run_step(c, kind, step))
		step++;
}

static void run_script(struct irq_contract *c, const struct script *script)
{
	for (uint32_t kind = 0; kind < WARD_IRQS_COUNT; kind++) {
		if (!(script->kinds & KIND(kind)) || !begin(c))
			continue;
		if (can_have(c, kind, script->vectors))
			run_steps(c, kind, script->steps);
		end(c);
	}
}

#define CASE(script)                                     \
	static void run_##script(struct irq_contract *c) \
	{                                                \
		run_script(c, &script);                  \
	}

CASE(intx_off)
CASE(intx_on)
CASE(intx_line)
CASE(vectors_off)
CASE(vectors_one)
CASE(msix_pending)
CASE(vectors_two)
CASE(vectors_more)
CASE(msi_is_on)
CASE(others_are_on)
CASE(events)
CASE(misuse)

static void look_beyond(struct irq_contract *c, uint32_t index)
{
	char situation[CONTRACT_CELL];
	struct ward_host_irq irq;

	snprintf(situation, sizeof(situation), "%s-look-beyond", kind_names[index]);
	contract_expect(&c->contract, situation,
			ward_device_irq(c->contract.device, index, c->counts[index], &irq),
			-EINVAL);
}

static void describe(struct irq_contract *c)
{
	static const uint32_t flags[WARD_IRQS_COUNT] = {
		WARD_IRQ_INFO_EVENTFD | WARD_IRQ_INFO_MASKABLE | WARD_IRQ_INFO_AUTOMASKED,
		WARD_IRQ_INFO_EVENTFD | WARD_IRQ_INFO_NORESIZE,
		WARD_IRQ_INFO_EVENTFD | WARD_IRQ_INFO_NORESIZE,
		WARD_IRQ_INFO_EVENTFD | WARD_IRQ_INFO_NORESIZE,
		WARD_IRQ_INFO_EVENTFD | WARD_IRQ_INFO_NORESIZE,
	};
	struct ward_irq_info info;

	if (!begin(c))
		return;
	for (uint32_t i = 0; i < WARD_IRQS_COUNT; i++) {
		char situation[CONTRACT_CELL], seen[16], wanted[16];

		if (!c->counts[i] || ward_device_irq_info(c->contract.device, i, &info))
			continue;
		/* MSI-X says whether it can grow; nobody is wrong in that. */
		if (i == WARD_IRQS_MSIX)
			info.flags |= WARD_IRQ_INFO_NORESIZE;
		snprintf(situation, sizeof(situation), "%s-info", kind_names[i]);
		snprintf(seen, sizeof(seen), "0x%x", info.flags);
		snprintf(wanted, sizeof(wanted), "0x%x", flags[i]);
		contract_expect_word(&c->contract, situation, seen, wanted);
		look_beyond(c, i);
	}
	contract_expect(&c->contract, "info-no-such-index",
			ward_device_irq_info(c->contract.device, WARD_IRQS_COUNT, &info), -EINVAL);
	end(c);
}

/* Many at a time, as many times: nothing is used up. */
static void again_and_again(struct irq_contract *c)
{
	static const char name[] = "enable-all";

	for (uint32_t kind = WARD_IRQS_MSI; kind <= WARD_IRQS_MSIX; kind++) {
		struct ward_irq_set set = { .flags = FDS, .index = kind };
		char situation[CONTRACT_CELL];
		int32_t *fds;

		if (!begin(c))
			return;
		fds = calloc(c->counts[kind] + 1, sizeof(*fds));
		for (uint32_t i = 0; fds && i < c->counts[kind]; i++)
			fds[i] = c->eventfds[i % IRQ_CONTRACT_EVENTFDS];
		set.count = c->counts[kind];
		set.data = fds;
		set.data_size = set.count * sizeof(*fds);
		snprintf(situation, sizeof(situation), "%s-%s", kind_names[kind], name);
		for (unsigned int i = 0; fds && set.count && i < 20; i++) {
			const struct ward_irq_set off = { .flags = NONE, .index = kind };

			int code = ward_device_set_irqs(c->contract.device, &set);

			contract_expect(&c->contract, situation, code > 0 ? 0 : code, 0);
			if (i % 2 == 0)
				ward_device_set_irqs(c->contract.device, &off);
		}
		end(c);
		free(fds);
	}
}

static int say(struct irq_contract *c, enum ward_message_way way, uint32_t kind, uint32_t count,
	       ward_iova_t iova)
{
	return ward_device_set_messages(c->contract.device, way, kind, 0, count, &iova, NULL);
}

static void expect_kind(struct irq_contract *c, uint32_t kind, const char *name, int code,
			int wanted)
{
	char situation[CONTRACT_CELL];

	snprintf(situation, sizeof(situation), "%s-%s", kind_names[kind], name);
	contract_expect(&c->contract, situation, code, wanted);
}

/* The address that a vector has anyhow leads to its doorbell. */
static void messages_of(struct irq_contract *c, uint32_t kind)
{
	static const struct step on = STEP("enable", FDS, 0, 1, "a", 0),
				 off = STEP("off", NONE, 0, 0, NULL, 0);
	const ward_iova_t nowhere = ward_iova(0x6666000);
	struct ward_host_irq irq = { 0 };

	expect_kind(c, kind, "override-off", say(c, WARD_MESSAGE_OVERRIDE, kind, 1, nowhere),
		    -EINVAL);
	expect_kind(c, kind, "prepare-nowhere", say(c, WARD_MESSAGE_PREPARE, kind, 1, nowhere),
		    -EFAULT);
	expect_kind(c, kind, "enable", call(c, kind, &on), 0);
	ward_device_irq(c->contract.device, kind, 0, &irq);
	expect_kind(c, kind, "prepare-on", say(c, WARD_MESSAGE_PREPARE, kind, 1, nowhere), -EINVAL);
	c->message_unknown[kind] = !irq.message_known;
	if (irq.message_known)
		expect_kind(c, kind, "override",
			    say(c, WARD_MESSAGE_OVERRIDE, kind, 1, irq.message.address), 0);
	expect_kind(c, kind, "disable", call(c, kind, &off), 0);
	if (irq.message_known)
		expect_kind(c, kind, "prepare",
			    say(c, WARD_MESSAGE_PREPARE, kind, 1, irq.message.address), 0);
	expect_kind(c, kind, "prepare-forget", say(c, WARD_MESSAGE_PREPARE, kind, 0, nowhere), 0);
	expect_kind(c, kind, "override-empty", say(c, WARD_MESSAGE_OVERRIDE, kind, 0, nowhere),
		    -EINVAL);
}

static void messages(struct irq_contract *c)
{
	for (uint32_t kind = WARD_IRQS_INTX; kind <= WARD_IRQS_MSIX; kind++) {
		if (!begin(c))
			return;
		if (kind == WARD_IRQS_INTX)
			contract_expect(&c->contract, "intx-prepare",
					say(c, WARD_MESSAGE_PREPARE, kind, 1, ward_iova(0)),
					-EINVAL);
		else if (c->counts[kind])
			messages_of(c, kind);
		end(c);
	}
}

/* Rows of kinds that the device does not have are not asked for. */
static void every_row(struct irq_contract *c)
{
	if (!begin(c))
		return;
	for (uint32_t i = 0; i < c->contract.rows_count; i++) {
		struct contract_row *row = &c->contract.rows[i];

		for (uint32_t kind = 0; kind < WARD_IRQS_COUNT; kind++) {
			size_t length = strlen(kind_names[kind]);

			if (strncmp(row->situation, kind_names[kind], length) != 0 ||
			    row->situation[length] != '-')
				continue;
			row->asked |= !c->counts[kind];
			/* Nobody can be asked to take the address that nobody tells. */
			row->asked |= c->message_unknown[kind] &&
				      (strcmp(row->situation + length, "-prepare") == 0 ||
				       strcmp(row->situation + length, "-override") == 0);
		}
	}
	end(c);
	contract_every_row(&c->contract);
}

const struct irq_contract_case irq_contract_cases[] = {
	{ "interrupts are described", describe },
	{ "what is refused whatever is enabled", run_misuse },
	{ "INTx that is off", run_intx_off },
	{ "INTx", run_intx_on },
	{ "the line of INTx", run_intx_line },
	{ "vectors that are off", run_vectors_off },
	{ "one vector", run_vectors_one },
	{ "a vector that is pending", run_msix_pending },
	{ "two vectors", run_vectors_two },
	{ "more vectors", run_vectors_more },
	{ "MSI and the others", run_msi_is_on },
	{ "the others and MSI", run_others_are_on },
	{ "errors and requests", run_events },
	{ "all vectors, again and again", again_and_again },
	{ "addresses of messages", messages },
	{ "every row of the table", every_row },
	{ NULL, NULL },
};

bool irq_contract_read(struct irq_contract *c, const char *path)
{
	return contract_read_table(&c->contract, path, "irq situation");
}
