// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Interrupt integrity, shown. A card is somebody's who means harm; others of the machine have their
 * interrupts. First doorward is asked whose interrupts the card can raise. Then it does its worst: it
 * writes every value of 16 bits to every doorbell that it reaches, in either width, on x86 to every CPU and
 * to every entry of the remapping table. Whom that disturbed is what had been said.
 *
 *	controller	disturbs	said beforehand
 *	GICv2m		all of the frame	yes
 *	MBI		all SPIs, the host's too	yes
 *	ITS		nobody, or who shares its DeviceID	yes
 *	APIC		everybody, and the host	yes
 *	remapping	nobody, or who shares its requester id	yes
 */
#include "irq_rig.h"

#include "isolate/isolation.h"

#define PEOPLE 4u
#define VECTORS 2u
#define HOST 31u /* in a set of people */

static const char *const people[PEOPLE] = { CARD, OTHER, OLD_ONE, OLD_TWO };

/* The write that showed it, for whom it was not to happen to. */
struct witness {
	bool seen;
	uint64_t address;
	uint32_t data;
	uint64_t size;
	struct ward_interrupt interrupt;
};

struct story {
	struct rig rig;
	enum irq_machine kind;
	uint32_t villain; /* index of people */
	struct ward_device *devices[PEOPLE];
	struct ward_space *spaces[PEOPLE];
	int fds[PEOPLE];
	uint32_t said, disturbed; /* bits by people, and HOST */
	struct witness witnesses[32];
	uint64_t writes;
};

static uint32_t index_of(struct story *s, uint32_t person)
{
	return rig_function(&s->rig, people[person]);
}

static const char *name_of(uint32_t person)
{
	return person == HOST ? "the host" : people[person];
}

/* Everybody's vectors are enabled; the two behind the bridge are in one space. */
static void have_interrupts(struct story *s)
{
	for (uint32_t i = 0; i < PEOPLE; i++) {
		uint32_t index = i < 2 ? WARD_IRQS_MSIX : WARD_IRQS_MSI, space = i == 3 ? 2 : i;
		int32_t fds[VECTORS];

		s->fds[i] = new_eventfd();
		fds[0] = fds[1] = s->fds[i];
		if (space == i)
			s->spaces[i] = rig_space(&s->rig, WARD_SPACE_UNMANAGED);
		s->devices[i] = irq_open(&s->rig, people[i]);
		assert_int_equal(ward_device_attach(s->devices[i], WARD_PASID_NONE,
						    s->spaces[space]),
				 0);
		/* Without remapping, MSI has one vector. */
		assert_int_equal(set_fds(s->devices[i], index, 0,
					 i >= 2 && s->kind == ON_APIC ? 1 : VECTORS, fds),
				 0);
	}
}

/* Bridges have no messages here: all whom there are to disturb are people. */
static struct story *begin(enum irq_machine kind, uint32_t villain)
{
	struct story *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->kind = kind;
	s->villain = villain;
	irq_controllers(&s->rig.make, kind);
	irq_functions(&s->rig.make);
	for (uint32_t i = 0; i < s->rig.make.count; i++)
		if (s->rig.make.functions[i].header_type)
			s->rig.make.functions[i].msix = s->rig.make.functions[i].msi = false;
	rig_start(&s->rig);
	have_interrupts(s);
	return s;
}

static void end(struct story *s)
{
	for (uint32_t i = 0; i < PEOPLE; i++) {
		ward_device_close(s->devices[i]);
		close(s->fds[i]);
	}
	for (uint32_t i = 0; i < PEOPLE; i++)
		ward_space_destroy(s->spaces[i]);
	assert_int_equal(s->rig.misuses, 0);
	rig_end(&s->rig);
	free(s);
}

/* Chapter one: the question, before anything happens. */
static void ask(struct story *s)
{
	uint32_t start = index_of(s, s->villain), cursor = 0;
	struct ward_reached reached;
	struct ward_reach *reach;

	assert_int_equal(ward_reach_compute(s->rig.make.isolation, &start, 1, &reach), 0);
	while (ward_reach_next(reach, &cursor, &reached)) {
		if (reached.unknown || reached.assumed)
			continue;
		if (reached.kind == WARD_NODE_HOST_VECTORS)
			s->said |= 1u << HOST;
		for (uint32_t i = 0; i < PEOPLE; i++)
			if ((reached.kind == WARD_NODE_VECTOR_USER ||
			     reached.kind == WARD_NODE_FUNCTION) &&
			    reached.index == index_of(s, i))
				s->said |= 1u << i;
	}
	ward_reach_destroy(reach);
	s->said &= ~(1u << s->villain);
}

/* Nobody's vector: of a frame, one that is free; else the host's, for its own use. */
static bool is_hosts(const struct story *s, const struct ward_interrupt *interrupt)
{
	const struct ward_controller *c = &s->rig.make.controllers[0];

	if (s->kind == ON_MBI)
		return interrupt->number < c->first_intid ||
		       interrupt->number >= c->first_intid + c->intids;
	return s->kind == ON_APIC || s->kind == ON_REMAPPING;
}

static void note(struct story *s, uint64_t address, uint32_t data, uint64_t size,
		 const struct ward_dma_result *result)
{
	uint32_t function, person = HOST;

	if (result->end != WARD_DMA_DOORBELL || result->interrupt.end != WARD_INTERRUPT_PENDING)
		return;
	if (ward_model_whose(s->rig.backend, result->index, &result->interrupt, &function, NULL,
			     NULL) == 0) {
		for (uint32_t i = 0; i < PEOPLE; i++)
			if (index_of(s, i) == function)
				person = i;
	} else if (!is_hosts(s, &result->interrupt)) {
		return;
	}
	s->disturbed |= 1u << person;
	if (!s->witnesses[person].seen)
		s->witnesses[person] =
			(struct witness){ true, address, data, size, result->interrupt };
}

static void write_once(struct story *s, uint64_t address, uint32_t data, uint64_t size)
{
	struct ward_dma_result result = { 0 };
	const struct ward_dma dma = {
		.pasid = WARD_PASID_NONE,
		.address = ward_iova(address),
		.write = true,
		.bytes = &data,
		.size = size,
	};

	assert_int_equal(ward_model_dma(s->rig.backend, index_of(s, s->villain), &dma, &result), 0);
	s->writes++;
	note(s, address, data, size, &result);
}

static void write_everything(struct story *s, uint64_t address)
{
	for (uint32_t data = 0; data <= UINT16_MAX; data++) {
		write_once(s, address, data, 4);
		write_once(s, address, data, 2);
	}
	/* Bits above those. */
	for (uint32_t data = 0; data < 256; data++)
		write_once(s, address, data << 16 | data, 4);
	write_once(s, address, UINT32_MAX, 4);
}

/* Chapter two, on Arm: the pages where its messages go, and those that lie in its window beside them. */
static void attack_doorbells(struct story *s)
{
	for (uint64_t page = WINDOW; page < WINDOW + 4 * 0x1000; page += 0x1000) {
		struct ward_dma_result result = rig_dma(&s->rig, people[s->villain], page + 0x40,
							true, &(uint32_t){ 0 }, 4);

		if (result.end == WARD_DMA_DOORBELL)
			write_everything(s, page + 0x40);
	}
}

/* On x86: every CPU, every entry by its handle and by subhandle. */
static void attack_window(struct story *s)
{
	write_everything(s, WARD_X86_MSI_START);
	write_everything(s, WARD_X86_MSI_START + 0x1000);
	write_everything(s, WARD_X86_MSI_START | 0x18);
	for (uint32_t handle = 0; handle <= UINT16_MAX; handle++)
		write_once(s,
			   WARD_X86_MSI_START | 0x10 | (handle & 0x7fff) << 5 | handle >> 15 << 2,
			   0, 4);
}

static void tell(const struct story *s, uint32_t person)
{
	const struct witness *w = &s->witnesses[person];

	if (!w->seen) {
		print_error("  %s was said to be disturbed, and no write of %llu did it\n",
			    name_of(person), (unsigned long long)s->writes);
		return;
	}
	print_error(
		"  %s wrote %#x (%llu bytes) to %#llx: interrupt %u became pending, which is %s's. "
		"Nobody had said so.\n",
		people[s->villain], (unsigned int)w->data, (unsigned long long)w->size,
		(unsigned long long)w->address, (unsigned int)w->interrupt.number, name_of(person));
}

/* Chapter three: what happened is what was said, and those whom it happened to have noticed. */
static void compare(struct story *s, uint32_t expected)
{
	uint32_t others = s->disturbed & ~(1u << s->villain);
	uint32_t differ = others ^ s->said;

	/* Its own it has always; where the host can be raised, everybody is the host's. */
	if (s->said >> HOST & 1)
		differ &= ~(others & ~(1u << HOST));
	for (uint32_t i = 0; i < 32; i++)
		if (differ >> i & 1)
			tell(s, i);
	assert_int_equal(differ, 0);
	assert_int_equal(others, expected);
	assert_true(s->disturbed >> s->villain & 1);
	for (uint32_t i = 0; i < PEOPLE; i++)
		assert_int_equal(rung(s->fds[i]) > 0, s->disturbed >> i & 1);
}

static void play(enum irq_machine kind, uint32_t villain, uint32_t expected)
{
	struct story *s = begin(kind, villain);

	ask(s);
	if (kind == ON_APIC || kind == ON_REMAPPING)
		attack_window(s);
	else
		attack_doorbells(s);
	compare(s, expected);
	end(s);
}

/* A frame does not see who writes: all that have an SPI of it are disturbed. */
static void a_frame(void **unused)
{
	(void)unused;
	play(ON_V2M, 0, 0xe);
	play(ON_V2M, 3, 0x7);
}

/* The page of the distributor has all SPIs, whatever part of them was set aside for messages. */
static void the_distributor(void **unused)
{
	(void)unused;
	play(ON_MBI, 0, 0xe | 1u << HOST);
}

/* An ITS looks into the table of the DeviceID that came with the write; behind a bridge that is one. */
static void an_its(void **unused)
{
	(void)unused;
	play(ON_ITS, 0, 0);
	play(ON_ITS, 1, 0);
	play(ON_ITS, 3, 0x4);
}

/* The address says which CPU, the data which vector, and that is all. */
static void bare_apics(void **unused)
{
	(void)unused;
	play(ON_APIC, 0, 0xe | 1u << HOST);
}

/* An entry admits its own writer; behind a bridge to conventional PCI, all that are there. */
static void remapping(void **unused)
{
	(void)unused;
	play(ON_REMAPPING, 0, 0);
	play(ON_REMAPPING, 1, 0);
	play(ON_REMAPPING, 3, 0x4);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame),   cmocka_unit_test(the_distributor),
		cmocka_unit_test(an_its),    cmocka_unit_test(bare_apics),
		cmocka_unit_test(remapping),
	};

	return cmocka_run_group_tests_name("backend/integrity", tests, NULL, NULL);
}
