// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * At which address a device writes its messages: the window, what was prepared, what was overridden; in a
 * space and out of it, and for a guest with a stage 1 of its own.
 */
#include "irq_rig.h"

#include <doorward/doorbell.h>
#include <doorward/stage1.h>

#include "base/fault.h"

#define K4 0x1000u
#define CHOSEN 0xeeee0000u
#define DANGLING 0xeeef0000u /* stage 1 leads on, stage 2 does not */
#define SEEN 0x80900000u
#define SEEN_NOT 0x80a00000u
#define CONTEXT RAM
#define TABLES_OF_GUEST (RAM + 0x1000)
#define PAGE_ENTRY 0x743u
#define REGISTER 0x40u

static uint64_t doorbell_of(const struct irq_fixture *f, uint32_t controller)
{
	return f->rig.make.machine->controllers[controller].doorbells[0].start;
}

static void put(struct irq_fixture *f, uint64_t at, uint64_t value)
{
	assert_int_equal(ward_memory_write_u64(f->rig.memory, at, value), 0);
}

/* A guest's stage 1: 32 bits of input, 4 KiB; CHOSEN leads to SEEN, DANGLING to SEEN_NOT. */
static void guest_tables(struct irq_fixture *f)
{
	put(f, CONTEXT, 0x20ull | 3ull << 30 | 5ull << 32 | 1ull << 41 | 7ull << 45);
	put(f, CONTEXT + 8, TABLES_OF_GUEST);
	put(f, CONTEXT + 24, 0xff);
	for (unsigned int level = 1; level < 3; level++)
		put(f, TABLES_OF_GUEST + (level - 1) * K4 + (CHOSEN >> (39 - 9 * level) & 511) * 8,
		    (TABLES_OF_GUEST + level * K4) | 3);
	put(f, TABLES_OF_GUEST + 2 * K4 + (CHOSEN >> 12 & 511) * 8, SEEN | PAGE_ENTRY);
	put(f, TABLES_OF_GUEST + 2 * K4 + (DANGLING >> 12 & 511) * 8, SEEN_NOT | PAGE_ENTRY);
}

/* The guest's page of its controller is the physical one's, in stage 2. */
static void map_seen(struct irq_fixture *f, uint64_t doorbell)
{
	const struct ward_doorbell_options options = {
		.size = sizeof(options),
		.way = WARD_DOORBELL_NESTED,
		.page_size = K4,
	};
	struct ward_doorbells *doorbells;
	struct ward_doorbell mapped;

	assert_int_equal(ward_doorbells_create(&options, &doorbells), 0);
	assert_int_equal(ward_doorbell_map(doorbells, f->space, ward_pa(doorbell), ward_gpa(SEEN),
					   &mapped),
			 0);
	ward_doorbells_destroy(doorbells);
}

static struct ward_space *nest(struct irq_fixture *f)
{
	const struct ward_stage1 stage1 = {
		.kind = WARD_STAGE1_TABLES,
		.contexts = ward_gpa(CONTEXT),
		.features = { .output_bits = 48, .granules = WARD_GRANULE_4K, .stage1 = true },
		.memory = f->rig.memory,
	};
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = WARD_SPACE_NESTED,
					      .parent = f->space,
					      .stage1 = &stage1 };
	const struct ward_mapping ram = { .start = ward_iova(RAM),
					  .last = ward_iova(RAM + RAM_SIZE - 1),
					  .target = ward_target(RAM),
					  .access = WARD_READ | WARD_WRITE,
					  .type = WARD_NORMAL };
	struct ward_space *nested = NULL;

	guest_tables(f);
	assert_int_equal(ward_space_map(f->space, &ram), 0);
	assert_int_equal(ward_backend_space(f->rig.backend, &options, &nested), 0);
	return nested;
}

/* A nested space with the card in it; controller is the one whose doorbell the guest sees. */
static struct irq_fixture *nested_setup(enum irq_machine kind, uint32_t controller,
					struct ward_space **ret_nested)
{
	struct irq_fixture *f = irq_setup(kind);

	*ret_nested = nest(f);
	map_seen(f, doorbell_of(f, controller));
	assert_int_equal(ward_device_attach(f->card, WARD_PASID_NONE, *ret_nested), 0);
	return f;
}

static void nested_teardown(struct irq_fixture *f, struct ward_space *nested)
{
	assert_int_equal(ward_device_detach(f->card, WARD_PASID_NONE), 0);
	ward_space_destroy(nested);
	irq_teardown(f);
}

static int say(struct irq_fixture *f, enum ward_message_way way, uint32_t index, uint32_t start,
	       uint32_t count, uint64_t iova, struct ward_error *why)
{
	ward_iova_t iovas[16];

	for (uint32_t i = 0; i < 16; i++)
		iovas[i] = ward_iova(iova);
	return ward_device_set_messages(f->card, way, index, start, count, iovas, why);
}

static uint64_t address_of(struct irq_fixture *f, uint32_t index, uint32_t vector)
{
	const struct ward_host_irq irq = irq_of(f->card, index, vector);

	assert_true(irq.message_known);
	return ward_iova_raw(irq.message.address);
}

static bool arrives(struct irq_fixture *f, uint32_t index, uint32_t vector)
{
	raise_vector(&f->rig, CARD, index, vector);
	return rung(f->fd[vector]) == 1;
}

static void where_nobody_says(struct irq_fixture *f)
{
	bool x86 = f->kind == ON_APIC || f->kind == ON_REMAPPING;
	struct ward_space *identity = rig_space(&f->rig, WARD_SPACE_IDENTITY);
	struct ward_space *other = rig_space(&f->rig, WARD_SPACE_UNMANAGED);
	uint64_t first;

	assert_int_equal(set_fds(f->card, WARD_IRQS_MSIX, 0, 2, f->fd), 0);
	first = address_of(f, WARD_IRQS_MSIX, 0);
	if (x86)
		assert_int_equal(first >> 20, 0xfee);
	else
		assert_int_equal(first, WINDOW + REGISTER);
	/* Moved while vectors are live: to where nothing translates, to another space, and back. */
	assert_int_equal(ward_device_attach(f->card, WARD_PASID_NONE, identity), 0);
	assert_int_equal(address_of(f, WARD_IRQS_MSIX, 0),
			 x86 ? first : doorbell_of(f, 0) + REGISTER);
	assert_true(arrives(f, WARD_IRQS_MSIX, 0));
	assert_int_equal(ward_device_attach(f->card, WARD_PASID_NONE, other), 0);
	assert_int_equal(address_of(f, WARD_IRQS_MSIX, 1),
			 x86 ? address_of(f, WARD_IRQS_MSIX, 1) : WINDOW + REGISTER);
	assert_true(arrives(f, WARD_IRQS_MSIX, 0));
	assert_true(arrives(f, WARD_IRQS_MSIX, 1));
	/* Out of any space: blocked; x86's messages are not translated. */
	assert_int_equal(ward_device_detach(f->card, WARD_PASID_NONE), 0);
	assert_int_equal(arrives(f, WARD_IRQS_MSIX, 0), x86);
	assert_int_equal(ward_device_attach(f->card, WARD_PASID_NONE, f->space), 0);
	assert_int_equal(address_of(f, WARD_IRQS_MSIX, 0), first);
	assert_true(arrives(f, WARD_IRQS_MSIX, 0));
	ward_space_destroy(identity);
	ward_space_destroy(other);
}

static void the_window_and_moves(void **state)
{
	(void)state;
	on_each_machine(where_nobody_says);
}

/* A space that has something in the window is not moved into, and nothing changes. */
static void a_move_that_has_no_room(void **state)
{
	struct irq_fixture *f = irq_setup(ON_ITS);
	struct ward_space *other = rig_space(&f->rig, WARD_SPACE_UNMANAGED);

	(void)state;
	assert_int_equal(set_fds(f->card, WARD_IRQS_MSIX, 0, 1, f->fd), 0);
	assert_int_equal(rig_map(other, WINDOW, RAM), 0);
	assert_int_equal(ward_device_attach(f->card, WARD_PASID_NONE, other), -EADDRINUSE);
	assert_true(arrives(f, WARD_IRQS_MSIX, 0));
	ward_space_destroy(other);
	irq_teardown(f);
}

/* Somebody has put another doorbell where this one would be. */
static void a_window_that_is_taken(void **state)
{
	const struct ward_doorbell_options options = { .size = sizeof(options),
						       .way = WARD_DOORBELL_WINDOW,
						       .page_size = K4 };
	struct irq_fixture *f = irq_setup(ON_ITS);
	struct ward_space *other = rig_space(&f->rig, WARD_SPACE_UNMANAGED);
	struct ward_doorbells *doorbells;
	struct ward_doorbell mapped;

	(void)state;
	assert_int_equal(set_fds(f->card, WARD_IRQS_MSIX, 0, 1, f->fd), 0);
	assert_int_equal(ward_doorbells_create(&options, &doorbells), 0);
	assert_int_equal(ward_doorbell_map(doorbells, other, ward_pa(0x9000040), ward_gpa(0),
					   &mapped),
			 0);
	assert_int_equal(ward_device_attach(f->card, WARD_PASID_NONE, other), -EADDRINUSE);
	assert_true(arrives(f, WARD_IRQS_MSIX, 0));
	assert_int_equal(disable(f->card, WARD_IRQS_MSIX), 0);
	assert_int_equal(ward_device_attach(f->card, WARD_PASID_NONE, other), 0);
	assert_int_equal(set_fds(f->card, WARD_IRQS_MSIX, 0, 1, f->fd), -EIO);
	/* Its own, at another place, is taken as it is. */
	assert_int_equal(ward_doorbell_map(doorbells, other, ward_pa(ITS_PAGE + 0x40), ward_gpa(0),
					   &mapped),
			 0);
	assert_int_equal(set_fds(f->card, WARD_IRQS_MSIX, 0, 1, f->fd), 0);
	assert_int_equal(address_of(f, WARD_IRQS_MSIX, 0), ward_iova_raw(mapped.iova));
	assert_true(arrives(f, WARD_IRQS_MSIX, 0));
	ward_doorbells_destroy(doorbells);
	ward_space_destroy(other);
	irq_teardown(f);
}

/* Into a space that has no doorbell yet, without memory for it: it arrives, whichever it is in. */
static void a_move_without_memory(void **state)
{
	struct irq_fixture *f = irq_setup(ON_ITS);
	int code = -ENOMEM;

	(void)state;
	assert_int_equal(set_fds(f->card, WARD_IRQS_MSIX, 0, 1, f->fd), 0);
	for (unsigned long nth = 1; code; nth++) {
		struct ward_space *identity = rig_space(&f->rig, WARD_SPACE_IDENTITY);
		struct ward_space *other = rig_space(&f->rig, WARD_SPACE_UNMANAGED);

		assert_int_equal(ward_device_attach(f->card, WARD_PASID_NONE, identity), 0);
		ward_fault_arm(nth);
		code = ward_device_attach(f->card, WARD_PASID_NONE, other);
		ward_fault_arm(0);
		assert_true(code == 0 || code == -ENOMEM);
		assert_true(arrives(f, WARD_IRQS_MSIX, 0));
		assert_int_equal(ward_device_attach(f->card, WARD_PASID_NONE, f->space), 0);
		ward_space_destroy(identity);
		ward_space_destroy(other);
	}
	irq_teardown(f);
}

static void both_ways(enum irq_machine kind, uint32_t controller, uint32_t index)
{
	struct ward_space *nested;
	struct irq_fixture *f = nested_setup(kind, controller, &nested);
	struct ward_host_irq prepared, overridden;
	struct ward_error why = { "" };

	if (say(f, WARD_MESSAGE_PREPARE, index, 0, 2, CHOSEN + REGISTER, &why))
		fail_msg("%s", why.text);
	assert_int_equal(set_fds(f->card, index, 0, 2, f->fd), 0);
	prepared = irq_of(f->card, index, 1);
	assert_true(prepared.prepared);
	assert_int_equal(prepared.controller, controller);
	assert_int_equal(ward_iova_raw(prepared.message.address), CHOSEN + REGISTER);
	assert_true(arrives(f, index, 0));
	assert_true(arrives(f, index, 1));
	/* Disabling forgets it: the window again, which this guest does not map. */
	assert_int_equal(disable(f->card, index), 0);
	assert_int_equal(set_fds(f->card, index, 0, 2, f->fd), 0);
	assert_false(irq_of(f->card, index, 0).prepared);
	assert_int_equal(address_of(f, index, 0) & ~0xfffffull, WINDOW);
	assert_false(arrives(f, index, 0));
	/* The other way; where the frame is the same one, the same comes of it. */
	if (irq_of(f->card, index, 0).controller == controller) {
		if (say(f, WARD_MESSAGE_OVERRIDE, index, 0, 2, CHOSEN + REGISTER, &why))
			fail_msg("%s", why.text);
		overridden = irq_of(f->card, index, 1);
		assert_true(overridden.prepared);
		assert_int_equal(ward_iova_raw(overridden.message.address), CHOSEN + REGISTER);
		assert_int_equal(overridden.message.data, prepared.message.data);
		assert_true(arrives(f, index, 0));
		assert_true(arrives(f, index, 1));
		/* It stays when the vector is set again, and over a reset. */
		assert_int_equal(set_fds(f->card, index, 1, 1, f->fd + 1), 0);
		assert_true(arrives(f, index, 1));
		assert_int_equal(ward_device_reset(f->card), 0);
		assert_true(arrives(f, index, 1));
	} else {
		assert_int_equal(say(f, WARD_MESSAGE_OVERRIDE, index, 0, 2, CHOSEN + REGISTER,
				     &why),
				 -EFAULT);
	}
	nested_teardown(f, nested);
}

static void prepared_or_overridden(void **state)
{
	(void)state;
	for (uint32_t index = WARD_IRQS_MSI; index <= WARD_IRQS_MSIX; index++) {
		both_ways(ON_ITS, 0, index);
		both_ways(ON_MBI, 0, index);
		both_ways(ON_V2M, 0, index);
		/* First-fit would take the first frame: the address says that it is the second. */
		both_ways(ON_V2M, 1, index);
	}
}

/* A frame whose facts make no hardware gives no vector: nobody is sent there. */
static void a_frame_that_nobody_drives(void **state)
{
	struct ward_space *identity;
	struct ward_device *card;
	ward_iova_t iovas[2];
	struct rig rig;

	(void)state;
	memset(&rig, 0, sizeof(rig));
	irq_controllers(&rig.make, ON_V2M);
	rig.make.controllers[1].first_intid = 1010;
	irq_functions(&rig.make);
	rig_start(&rig);
	identity = rig_space(&rig, WARD_SPACE_IDENTITY);
	card = irq_open(&rig, CARD);
	assert_int_equal(ward_device_attach(card, WARD_PASID_NONE, identity), 0);
	for (unsigned int i = 0; i < 2; i++) {
		iovas[i] =
			ward_iova(rig.make.machine->controllers[i].doorbells[0].start + REGISTER);
		assert_int_equal(ward_device_set_messages(card, WARD_MESSAGE_PREPARE,
							  WARD_IRQS_MSIX, 0, 1, &iovas[i], NULL),
				 i ? -EFAULT : 0);
	}
	ward_device_close(card);
	ward_space_destroy(identity);
	rig_end(&rig);
}

/* Some vectors only; the others have the window. */
static void a_part_of_the_vectors(void **state)
{
	struct ward_space *nested;
	struct irq_fixture *f = nested_setup(ON_ITS, 0, &nested);

	(void)state;
	assert_int_equal(say(f, WARD_MESSAGE_PREPARE, WARD_IRQS_MSIX, 2, 2, CHOSEN + REGISTER,
			     NULL),
			 0);
	assert_int_equal(say(f, WARD_MESSAGE_PREPARE, WARD_IRQS_MSIX, 5, 1, CHOSEN + REGISTER,
			     NULL),
			 0);
	assert_int_equal(set_fds(f->card, WARD_IRQS_MSIX, 0, 8, f->fd), 0);
	for (uint32_t i = 0; i < 8; i++) {
		bool told = i == 2 || i == 3 || i == 5;

		assert_int_equal(irq_of(f->card, WARD_IRQS_MSIX, i).prepared, told);
		assert_int_equal(arrives(f, WARD_IRQS_MSIX, i), told);
	}
	assert_int_equal(say(f, WARD_MESSAGE_OVERRIDE, WARD_IRQS_MSIX, 0, 2, CHOSEN + REGISTER,
			     NULL),
			 0);
	assert_true(arrives(f, WARD_IRQS_MSIX, 0));
	assert_true(arrives(f, WARD_IRQS_MSIX, 1));
	assert_false(arrives(f, WARD_IRQS_MSIX, 4));
	nested_teardown(f, nested);
}

static void what_is_refused(void **state)
{
	static const struct {
		uint64_t iova;
		const char *said;
	} rows[] = {
		{ 0x1000, "vector 3" },		       /* stage 1 has nothing */
		{ DANGLING + REGISTER, "0x80a00040" }, /* stage 2 has nothing */
		{ CHOSEN, "" },			       /* beside the register */
		{ CHOSEN + 8, "" },
	};
	struct ward_space *nested;
	struct irq_fixture *f = nested_setup(ON_ITS, 0, &nested);
	struct ward_error why;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		why.text[0] = '\0';
		assert_int_equal(say(f, WARD_MESSAGE_PREPARE, WARD_IRQS_MSIX, 3, 1, rows[i].iova,
				     &why),
				 -EFAULT);
		if (!strstr(why.text, rows[i].said) || !strstr(why.text, "vector 3"))
			fail_msg("%s", why.text);
	}
	/* One of several that is wrong: none is taken. */
	{
		const ward_iova_t iovas[2] = { ward_iova(CHOSEN + REGISTER), ward_iova(0x1000) };

		assert_int_equal(ward_device_set_messages(f->card, WARD_MESSAGE_PREPARE,
							  WARD_IRQS_MSIX, 0, 2, iovas, &why),
				 -EFAULT);
	}
	assert_int_equal(set_fds(f->card, WARD_IRQS_MSIX, 0, 2, f->fd), 0);
	assert_false(irq_of(f->card, WARD_IRQS_MSIX, 0).prepared);
	/* Live vectors are not changed by preparing, and dead ones not by overriding. */
	assert_int_equal(say(f, WARD_MESSAGE_PREPARE, WARD_IRQS_MSIX, 0, 1, CHOSEN + REGISTER,
			     NULL),
			 -EINVAL);
	assert_int_equal(say(f, WARD_MESSAGE_PREPARE, WARD_IRQS_MSI, 0, 1, CHOSEN + REGISTER, NULL),
			 -EINVAL);
	assert_int_equal(say(f, WARD_MESSAGE_PREPARE, WARD_IRQS_MSIX, 0, 0, 0, NULL), -EINVAL);
	assert_int_equal(say(f, WARD_MESSAGE_OVERRIDE, WARD_IRQS_MSIX, 1, 2, CHOSEN + REGISTER,
			     NULL),
			 -EINVAL);
	assert_int_equal(say(f, WARD_MESSAGE_OVERRIDE, WARD_IRQS_MSIX, 7, 2, CHOSEN + REGISTER,
			     NULL),
			 -EINVAL);
	assert_false(irq_of(f->card, WARD_IRQS_MSIX, 1).prepared);
	assert_int_equal(say(f, WARD_MESSAGE_OVERRIDE, WARD_IRQS_INTX, 0, 1, CHOSEN, NULL),
			 -EINVAL);
	nested_teardown(f, nested);
}

static void msi_has_one_address(void **state)
{
	const ward_iova_t two[2] = { ward_iova(CHOSEN + REGISTER), ward_iova(CHOSEN + 0x44) };
	struct ward_space *nested;
	struct irq_fixture *f = nested_setup(ON_ITS, 0, &nested);
	uint64_t window;

	(void)state;
	assert_int_equal(ward_device_set_messages(f->card, WARD_MESSAGE_PREPARE, WARD_IRQS_MSI, 0,
						  2, two, NULL),
			 -EINVAL);
	assert_int_equal(say(f, WARD_MESSAGE_PREPARE, WARD_IRQS_MSI, 1, 1, CHOSEN + REGISTER, NULL),
			 0);
	assert_int_equal(set_fds(f->card, WARD_IRQS_MSI, 0, 4, f->fd), 0);
	for (uint32_t i = 0; i < 4; i++) {
		assert_true(irq_of(f->card, WARD_IRQS_MSI, i).prepared);
		assert_true(arrives(f, WARD_IRQS_MSI, i));
	}
	assert_int_equal(disable(f->card, WARD_IRQS_MSI), 0);
	/* What was prepared can be forgotten, and a part of it cannot be at another address. */
	assert_int_equal(say(f, WARD_MESSAGE_PREPARE, WARD_IRQS_MSI, 0, 8, CHOSEN + REGISTER, NULL),
			 0);
	assert_int_equal(say(f, WARD_MESSAGE_PREPARE, WARD_IRQS_MSI, 2, 1, CHOSEN + 0x44, NULL),
			 -EINVAL);
	assert_int_equal(say(f, WARD_MESSAGE_PREPARE, WARD_IRQS_MSI, 0, 0, 0, NULL), 0);
	assert_int_equal(set_fds(f->card, WARD_IRQS_MSI, 0, 4, f->fd), 0);
	window = address_of(f, WARD_IRQS_MSI, 3);
	assert_int_equal(window, WINDOW + REGISTER);
	nested_teardown(f, nested);
}

/* The guest changes its stage 1 afterwards: the IOMMU follows it, and the message is lost. */
static void what_a_guest_takes_away(void **state)
{
	struct ward_space *nested;
	struct irq_fixture *f = nested_setup(ON_ITS, 0, &nested);

	(void)state;
	assert_int_equal(say(f, WARD_MESSAGE_PREPARE, WARD_IRQS_MSIX, 0, 1, CHOSEN + REGISTER,
			     NULL),
			 0);
	assert_int_equal(set_fds(f->card, WARD_IRQS_MSIX, 0, 1, f->fd), 0);
	assert_true(arrives(f, WARD_IRQS_MSIX, 0));
	put(f, TABLES_OF_GUEST + 2 * K4 + (CHOSEN >> 12 & 511) * 8, SEEN_NOT | PAGE_ENTRY);
	/* Into the same stage 2, as a guest that switches its stage 1 off: nothing is cached then. */
	assert_int_equal(ward_device_attach(f->card, WARD_PASID_NONE, f->space), 0);
	assert_false(arrives(f, WARD_IRQS_MSIX, 0));
	assert_int_equal(address_of(f, WARD_IRQS_MSIX, 0), CHOSEN + REGISTER);
	assert_int_equal(say(f, WARD_MESSAGE_OVERRIDE, WARD_IRQS_MSIX, 0, 1, SEEN + REGISTER, NULL),
			 0);
	assert_true(arrives(f, WARD_IRQS_MSIX, 0));
	nested_teardown(f, nested);
}

static void nothing_to_say_on_x86(void **state)
{
	(void)state;
	for (unsigned int kind = ON_APIC; kind <= ON_REMAPPING; kind++) {
		struct irq_fixture *f = irq_setup((enum irq_machine)kind);
		struct ward_error why = { "" };

		assert_int_equal(say(f, WARD_MESSAGE_PREPARE, WARD_IRQS_MSIX, 0, 1, 0xfee00000,
				     &why),
				 -EOPNOTSUPP);
		assert_true(why.text[0]);
		irq_teardown(f);
	}
}

/* In no space there is nothing that an address could lead through. */
static void only_in_a_space(void **state)
{
	struct irq_fixture *f = irq_setup(ON_ITS);

	(void)state;
	assert_int_equal(ward_device_detach(f->card, WARD_PASID_NONE), 0);
	assert_int_equal(say(f, WARD_MESSAGE_PREPARE, WARD_IRQS_MSIX, 0, 1, CHOSEN + REGISTER,
			     NULL),
			 -EINVAL);
	irq_teardown(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_window_and_moves),
		cmocka_unit_test(a_move_that_has_no_room),
		cmocka_unit_test(a_move_without_memory),
		cmocka_unit_test(a_window_that_is_taken),
		cmocka_unit_test(prepared_or_overridden),
		cmocka_unit_test(a_frame_that_nobody_drives),
		cmocka_unit_test(a_part_of_the_vectors),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(msi_has_one_address),
		cmocka_unit_test(what_a_guest_takes_away),
		cmocka_unit_test(nothing_to_say_on_x86),
		cmocka_unit_test(only_in_a_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
