// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The same DMA behind both devices: QEMU's functions are told to do it, "edu" (its docs/specs/edu.txt)
 * on q35, and on virt, where that refuses to be, "rtl8139", which reads what it is to send. Ours are
 * asked. Both let it through to the same place, or make the same event.
 */
#include "difference.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Registers of edu in its BAR 0, and its own memory. */
#define EDU_SOURCE 0x80u
#define EDU_TARGET 0x88u
#define EDU_COUNT 0x90u
#define EDU_COMMAND 0x98u
#define EDU_RUN 1u
#define EDU_TO_MEMORY 2u
#define EDU_MEMORY 0x40000u
#define EDU_VENDOR 0x1234u

/* Registers of rtl8139 in its BAR 1 (Realtek RTL8139C, 5). */
#define RTL_STATUS 0x10u  /* of the first descriptor: the size starts it */
#define RTL_ADDRESS 0x20u /* of the first descriptor */
#define RTL_COMMAND 0x37u
#define RTL_RESET 0x10u
#define RTL_TRANSMIT 0x04u
#define RTL_VENDOR 0x10ecu

/* Memory of the machine that nothing else uses. */
#define RAM 0x2000000ull

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

enum who {
	ATTACHED, /* to the domain with the mappings */
	NEVER,	  /* attached since the reset */
	DETACHED,
	IN_BYPASS, /* attached to a bypass domain */
};

struct fault_case {
	uint64_t address;
	enum who who;
	uint32_t access;
	uint8_t bypass; /* the byte */
};

static const struct fault_case cases_q35[] = {
	{ 0x10010, ATTACHED, WARD_READ, 0 },
	{ 0x10020, ATTACHED, WARD_WRITE, 0 },
	{ 0x11ffc, ATTACHED, WARD_WRITE, 0 },
	{ 0x20010, ATTACHED, WARD_READ, 0 },
	{ 0x20014, ATTACHED, WARD_WRITE, 0 },
	{ 0x30010, ATTACHED, WARD_READ, 0 },
	{ 0x30018, ATTACHED, WARD_WRITE, 0 },
	{ 0x12000, ATTACHED, WARD_READ, 0 },
	{ 0x0fffc, ATTACHED, WARD_WRITE, 0 },
	{ 0xffffffff12345678, ATTACHED, WARD_READ, 0 },
	{ 0xfee01000, ATTACHED, WARD_READ, 0 },
	{ 0xfee01004, ATTACHED, WARD_WRITE, 0 },
	{ RAM, NEVER, WARD_READ, 0 },
	{ RAM + 8, NEVER, WARD_WRITE, 0 },
	{ RAM, DETACHED, WARD_READ, 0 },
	{ 0x10010, DETACHED, WARD_WRITE, 0 },
	{ 0xfee01008, DETACHED, WARD_WRITE, 0 },
	{ RAM + 0x40, IN_BYPASS, WARD_WRITE, 0 },
	{ 0x12000, ATTACHED, WARD_READ, 1 },
	{ RAM + 0x80, DETACHED, WARD_WRITE, 1 },
};

/* Reads alone, and regions that are reserved. */
static const struct fault_case cases_virt[] = {
	{ 0x10010, ATTACHED, WARD_READ, 0 },	{ 0x30010, ATTACHED, WARD_READ, 0 },
	{ 0x10001000, ATTACHED, WARD_READ, 0 }, { 0x10001ff8, ATTACHED, WARD_READ, 1 },
	{ 0x10002000, ATTACHED, WARD_READ, 0 }, { 0x8000040, ATTACHED, WARD_READ, 0 },
	{ 0x10001000, NEVER, WARD_READ, 0 },	{ 0x10001000, DETACHED, WARD_READ, 0 },
	{ 0x8000040, DETACHED, WARD_READ, 0 },	{ 0x10001000, IN_BYPASS, WARD_READ, 0 },
	{ 0x10001000, DETACHED, WARD_READ, 1 },
};

static const struct ward_mapping mappings[] = {
	{ .access = WARD_READ | WARD_WRITE },
	{ .access = WARD_READ },
	{ .access = WARD_WRITE },
};

static bool can_act(const struct qemu_function *function)
{
	return function->vendor == EDU_VENDOR || function->vendor == RTL_VENDOR;
}

/* The function that plays this part. */
static const struct qemu_function *actor(const struct pair *pair, enum who who)
{
	static const uint32_t numbers[] = { 0, 1, 2, 2 };
	const struct qemu_function *function = pair->qemu.functions;

	for (uint32_t i = 0, number = numbers[who]; i < pair->qemu.functions_count; i++) {
		if (can_act(&pair->qemu.functions[i]) && number-- == 0)
			function = &pair->qemu.functions[i];
	}
	return function;
}

/* Both answer OK. */
static bool both(struct pair *pair, struct step step)
{
	struct answer ours, qemu;

	return pair_step(pair, &step, &ours, &qemu) == 0 && ours.outcome == OUTCOME_OK &&
	       qemu.outcome == OUTCOME_OK;
}

/* All of it anew: a device reset, and what the case needs. */
static bool prepare(struct pair *pair, const struct fault_case *trial)
{
	uint16_t id = actor(pair, trial->who)->rid;
	bool good = can_act(actor(pair, trial->who)) &&
		    both(pair, (struct step){ .kind = STEP_RESET, .features = 0x77 });

	good = good && both(pair, (struct step){ .kind = STEP_CONFIG,
						 .offset = BYPASS_OFFSET,
						 .byte = trial->bypass });
	if (trial->who == NEVER || !good)
		return good;
	good = both(pair, step_place(TYPE_ATTACH, 1, id, trial->who == IN_BYPASS));
	for (uint32_t i = 0; good && trial->who != IN_BYPASS && i < 3; i++) {
		struct ward_mapping mapping = mappings[i];
		uint64_t start = 0x10000 * (i + 1);

		mapping.start = ward_iova(start);
		mapping.last = ward_iova(start + 0x1fff);
		mapping.target = ward_target(RAM + start);
		mapping.type = WARD_NORMAL;
		good = both(pair, step_map(1, &mapping));
	}
	if (trial->who == DETACHED)
		good = good && both(pair, step_place(TYPE_DETACH, 1, id, 0));
	return good;
}

/* Four bytes; edu takes a tenth of a second. */
static int edu_dma(struct pair *pair, const struct qemu_function *edu, uint64_t address,
		   uint32_t access)
{
	struct qtest *qtest = &pair->qemu.qtest;
	bool write = access == WARD_WRITE;
	uint64_t command = EDU_RUN;
	int code = qtest_post(qtest, edu->bar[0] + EDU_SOURCE, write ? EDU_MEMORY : address, 8);

	if (code == 0)
		code = qtest_post(qtest, edu->bar[0] + EDU_TARGET, write ? address : EDU_MEMORY, 8);
	if (code == 0)
		code = qtest_post(qtest, edu->bar[0] + EDU_COUNT, 4, 8);
	if (code == 0)
		code = qtest_write(qtest, edu->bar[0] + EDU_COMMAND,
				   EDU_RUN | (write ? EDU_TO_MEMORY : 0), 8);
	for (int tries = 0; code == 0 && command & EDU_RUN && tries < 1000; tries++) {
		struct timespec pause = { .tv_nsec = 5000000 };

		nanosleep(&pause, NULL);
		code = qtest_read(qtest, edu->bar[0] + EDU_COMMAND, 8, &command);
	}
	return code ? code : command & EDU_RUN ? -ETIMEDOUT : 0;
}

static int rtl_dma(struct pair *pair, const struct qemu_function *rtl, uint64_t address)
{
	struct qtest *qtest = &pair->qemu.qtest;
	int code = qtest_post(qtest, rtl->bar[1] + RTL_COMMAND, RTL_RESET, 1);

	if (code == 0)
		code = qtest_post(qtest, rtl->bar[1] + RTL_COMMAND, RTL_TRANSMIT, 1);
	if (code == 0)
		code = qtest_post(qtest, rtl->bar[1] + RTL_ADDRESS, address, 4);
	return code ? code : qtest_write(qtest, rtl->bar[1] + RTL_STATUS, 4, 4);
}

/* QEMU's event, if there was one; what lay at target in memory was overwritten. */
struct dma {
	bool event, written;
	uint8_t bytes[QEMU_EVENT_SIZE];
};

static int qemu_dma(struct pair *pair, const struct fault_case *trial, uint64_t target,
		    struct dma *ret_dma)
{
	uint8_t *memory = pair->qemu.qtest.memory;
	bool in_memory = target <= pair->qemu.qtest.memory_bytes - 4;
	const struct qemu_function *function = actor(pair, trial->who);
	uint32_t written = 0;
	int code;

	*ret_dma = (struct dma){ 0 };
	/* What is read there is what the same edu writes later: never the poison. */
	if (in_memory)
		memset(memory + target, trial->access == WARD_WRITE ? STEP_POISON : 0, 4);
	code = function->vendor == EDU_VENDOR
		       ? edu_dma(pair, function, trial->address, trial->access)
		       : rtl_dma(pair, function, trial->address);
	if (code)
		return code;
	code = qemu_event(&pair->qemu, 0, ret_dma->bytes, &written);
	ret_dma->event = code == 0;
	ret_dma->written =
		in_memory && trial->access == WARD_WRITE && memory[target] != STEP_POISON;
	return code == -ENOENT ? 0 : code ? code : written == QEMU_EVENT_SIZE ? 0 : -EPROTO;
}

static bool our_dma(struct pair *pair, const struct fault_case *trial, uint64_t *ret_target,
		    struct dma *ret_dma)
{
	uint16_t id = actor(pair, trial->who)->rid;
	struct iovec buffer = { ret_dma->bytes, sizeof(ret_dma->bytes) };
	struct ward_translation translation;
	struct ward_fault fault;
	uint32_t written = 0;

	*ret_dma = (struct dma){ 0 };
	*ret_target = UINT64_MAX;
	if (ward_viommu_translate(pair->ours, NULL, id, ward_iova(trial->address), trial->access,
				  &translation, &fault) == 0) {
		*ret_target = ward_target_raw(translation.target);
		ret_dma->written =
			trial->access == WARD_WRITE && *ret_target < pair->qemu.qtest.memory_bytes;
		return true;
	}
	ret_dma->event = true;
	return ward_viommu_fault(pair->ours, id, &fault, 0) &&
	       ward_viommu_event(pair->ours, &buffer, 1, &written) == 0 &&
	       written == QEMU_EVENT_SIZE;
}

/* Subtype of the region where it lies, or -1. */
static int region_at(const struct pair *pair, uint64_t address)
{
	for (uint32_t i = 0; i < pair->setup->regions_count; i++) {
		if (ward_range_has(pair->setup->regions[i].range, address))
			return pair->setup->regions[i].subtype;
	}
	return -1;
}

/* Takes what is listed out of QEMU's event. */
static void forgive(const struct pair *pair, const struct fault_case *trial, const struct dma *ours,
		    struct dma *qemu)
{
	uint8_t access = trial->access == WARD_WRITE ? 2 : 1;

	/* Flags: ADDRESS, and nothing of the access. */
	if (qemu->bytes[4] == 0 && ours->bytes[4] == access) {
		qemu->bytes[4] = access;
		difference_saw("fault-access");
	}
	if (qemu->bytes[0] == 0 && ours->bytes[0] == 1 && trial->who == NEVER) {
		qemu->bytes[0] = 1;
		difference_saw("fault-unknown");
	}
	if (qemu->bytes[0] == 2 && ours->bytes[0] == 1 && trial->who == DETACHED &&
	    region_at(pair, trial->address) == (int)WARD_VIOMMU_RESV_RESERVED) {
		qemu->bytes[0] = 1;
		difference_saw("fault-region-detached");
	}
}

/* QEMU lets more through in the MSI region. */
static bool let_through(const struct pair *pair, const struct fault_case *trial)
{
	bool detached = trial->who == DETACHED;

	if (region_at(pair, trial->address) != (int)WARD_VIOMMU_RESV_MSI ||
	    (!detached && (trial->who != ATTACHED || trial->access != WARD_READ)))
		return false;
	difference_saw(detached ? "fault-msi-detached" : "fault-msi-read");
	return true;
}

static void show(const char *who, const struct dma *dma)
{
	printf("#   %s: %s, memory %s", who, dma->event ? "event" : "no event",
	       dma->written ? "written" : "as it was");
	for (uint32_t i = 0; dma->event && i < sizeof(dma->bytes); i++)
		printf("%s%02x", i % 4 ? "" : " ", dma->bytes[i]);
	printf("\n");
}

static bool compare(struct pair *pair, const struct fault_case *trial)
{
	struct dma ours, qemu;
	uint64_t target;

	if (!prepare(pair, trial) || !our_dma(pair, trial, &target, &ours) ||
	    qemu_dma(pair, trial, target, &qemu))
		return false;
	if (ours.event && !qemu.event && let_through(pair, trial))
		return true;
	if (ours.event && qemu.event)
		forgive(pair, trial, &ours, &qemu);
	if (ours.event == qemu.event && ours.written == qemu.written &&
	    memcmp(ours.bytes, qemu.bytes, sizeof(ours.bytes)) == 0)
		return true;
	show("ours", &ours);
	show("QEMU", &qemu);
	return false;
}

bool faults_compare(struct pair *pair)
{
	bool q35 = pair->setup->machine == QEMU_Q35;
	const struct fault_case *cases = q35 ? cases_q35 : cases_virt;
	uint32_t count = q35 ? COUNT(cases_q35) : COUNT(cases_virt), failed = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (compare(pair, &cases[i]))
			continue;
		printf("# %s of 0x%llx, case %u\n", cases[i].access == WARD_READ ? "read" : "write",
		       (unsigned long long)cases[i].address, i);
		failed++;
	}
	return failed == 0;
}
