// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Host interrupts of the model when things end: vectors run out, devices freeze, are reset, closed. */
#include "irq_rig.h"

#include "sweep.h"

#define BIG_VECTORS 2048u
/* In config space of the model; in an entry of the table. */
#define MSIX_CAPABILITY 0x70u
#define MSIX_CONTROL 12u

static int enable_many(struct ward_device *device, uint32_t index, uint32_t count, int fd)
{
	int32_t *fds = calloc(count, sizeof(*fds));
	int code;

	assert_non_null(fds);
	for (uint32_t i = 0; i < count; i++)
		fds[i] = fd;
	code = set_fds(device, index, 0, count, fds);
	free(fds);
	return code;
}

/* Cards with 2048 vectors each, on one kind of machine. */
static void start_big(struct rig *rig, enum irq_machine kind, unsigned int cards)
{
	static const char *const names[] = { "01:00.0", "02:00.0", "03:00.0", "04:00.0",
					     "05:00.0" };
	static const char *const ports[] = { "00:01.0", "00:02.0", "00:03.0", "00:04.0",
					     "00:05.0" };

	memset(rig, 0, sizeof(*rig));
	irq_controllers(&rig->make, kind);
	for (unsigned int i = 0; i < cards; i++)
		root_port(&rig->make, ports[i], i + 1, ACS_ON);
	for (unsigned int i = 0; i < cards; i++)
		irq_card(endpoint(&rig->make, names[i]), 32, i == 3 ? 1000 : BIG_VECTORS);
	rig_start(rig);
}

/*
 * 8192 LPIs in blocks of a power of two: three whole ones, one of 1024, and what is left of the
 * last one is a half.
 */
static void lpis_run_out(void **state)
{
	static const int answers[] = { 0, 0, 0, 0, 1024 };
	static const char *const names[] = { "0000:01:00.0", "0000:02:00.0", "0000:03:00.0",
					     "0000:04:00.0", "0000:05:00.0" };
	struct ward_device *devices[5];
	int fd = new_eventfd();
	struct rig rig;

	(void)state;
	start_big(&rig, ON_ITS, 5);
	for (unsigned int i = 0; i < 5; i++) {
		uint32_t count = i == 3 ? 1000 : BIG_VECTORS;

		devices[i] = irq_open(&rig, names[i]);
		assert_int_equal(enable_many(devices[i], WARD_IRQS_MSIX, count, fd), answers[i]);
	}
	/* So many can be had, and then none. */
	assert_int_equal(enable_many(devices[4], WARD_IRQS_MSIX, 1024, fd), 0);
	assert_int_equal(disable(devices[3], WARD_IRQS_MSIX), 0);
	assert_int_equal(enable_many(devices[3], WARD_IRQS_MSI, 4, fd), 0);
	assert_int_equal(disable(devices[4], WARD_IRQS_MSIX), 0);
	/* The first one goes, and there is a whole block again. */
	ward_device_close(devices[0]);
	assert_int_equal(enable_many(devices[4], WARD_IRQS_MSIX, BIG_VECTORS, fd), 0);
	for (unsigned int i = 1; i < 5; i++)
		ward_device_close(devices[i]);
	rig_end(&rig);
	close(fd);
}

static void no_lpis_at_all(void **state)
{
	struct ward_device *devices[5];
	int fd = new_eventfd();
	struct rig rig;

	(void)state;
	memset(&rig, 0, sizeof(rig));
	irq_controllers(&rig.make, ON_ITS);
	for (unsigned int i = 0; i < 5; i++) {
		char port[16], card[16];

		snprintf(port, sizeof(port), "00:%02x.0", i + 1);
		snprintf(card, sizeof(card), "%02x:00.0", i + 1);
		root_port(&rig.make, port, i + 1, ACS_ON);
		irq_card(endpoint(&rig.make, card), 1, BIG_VECTORS);
	}
	rig_start(&rig);
	for (unsigned int i = 0; i < 5; i++) {
		char name[16];

		snprintf(name, sizeof(name), "0000:%02x:00.0", i + 1);
		devices[i] = irq_open(&rig, name);
		assert_int_equal(enable_many(devices[i], WARD_IRQS_MSIX, BIG_VECTORS, fd),
				 i == 4 ? -ENOSPC : 0);
	}
	assert_int_equal(enable_many(devices[4], WARD_IRQS_MSI, 1, fd), -ENOSPC);
	for (unsigned int i = 0; i < 5; i++)
		ward_device_close(devices[i]);
	rig_end(&rig);
	close(fd);
}

/* Vectors of the CPUs: 187 of each of the two; entries of the table: 256. */
static void x86_vectors_run_out(void **state)
{
	(void)state;
	for (unsigned int kind = ON_APIC; kind <= ON_REMAPPING; kind++) {
		int fd = new_eventfd(), all = kind == ON_APIC ? 374 : 256;
		struct ward_device *one, *other;
		struct rig rig;

		start_big(&rig, (enum irq_machine)kind, 2);
		one = irq_open(&rig, "0000:01:00.0");
		other = irq_open(&rig, "0000:02:00.0");
		assert_int_equal(enable_many(one, WARD_IRQS_MSIX, BIG_VECTORS, fd), all);
		assert_int_equal(enable_many(one, WARD_IRQS_MSIX, (uint32_t)all, fd), 0);
		raise_vector(&rig, "0000:01:00.0", WARD_IRQS_MSIX, (uint32_t)all - 1);
		assert_int_equal(rung(fd), 1);
		assert_int_equal(enable_many(other, WARD_IRQS_MSIX, 1, fd), -ENOSPC);
		assert_int_equal(enable_many(other, WARD_IRQS_MSI, 1, fd), -ENOSPC);
		/* One more where there is none: the vector is lost, the others are not. */
		assert_int_equal(set_fds(one, WARD_IRQS_MSIX, (uint32_t)all, 1, &fd), -ENOSPC);
		assert_int_equal(set_none(one, WARD_IRQS_MSIX, WARD_IRQ_TRIGGER, 0, (uint32_t)all),
				 0);
		assert_int_equal(rung(fd), all);
		ward_device_close(one);
		assert_int_equal(enable_many(other, WARD_IRQS_MSIX, (uint32_t)all, fd), 0);
		ward_device_close(other);
		rig_end(&rig);
		close(fd);
	}
}

/* Frames of 8 and of 32 SPIs; all functions are of the first one. */
static void spis_run_out(void **state)
{
	struct irq_fixture *f = irq_setup(ON_V2M);
	struct ward_device *other = irq_open(&f->rig, OTHER);

	(void)state;
	assert_int_equal(ward_model_set_policy(f->rig.backend, (enum ward_gicv2m_policy)7),
			 -EINVAL);
	assert_int_equal(ward_model_set_policy(f->rig.backend, WARD_GICV2M_BY_PARENT), 0);
	assert_int_equal(set_fds(f->card, WARD_IRQS_MSIX, 0, 3, f->fd), 0);
	assert_int_equal(irq_of(f->card, WARD_IRQS_MSIX, 0).number, 80);
	assert_int_equal(set_fds(other, WARD_IRQS_MSIX, 0, 16, f->fd), 5);
	/* Of MSI all in a row or, as Linux tries then, one. */
	assert_int_equal(set_fds(other, WARD_IRQS_MSI, 0, 4, f->fd), 0);
	assert_int_equal(irq_of(other, WARD_IRQS_MSI, 0).number, 84);
	assert_int_equal(disable(other, WARD_IRQS_MSI), 0);
	assert_int_equal(disable(f->card, WARD_IRQS_MSIX), 0);
	assert_int_equal(set_fds(f->card, WARD_IRQS_MSIX, 0, 5, f->fd), 0);
	assert_int_equal(set_fds(other, WARD_IRQS_MSI, 0, 4, f->fd), 1);
	assert_int_equal(disable(f->card, WARD_IRQS_MSIX), 0);
	assert_int_equal(set_fds(f->card, WARD_IRQS_MSIX, 0, 8, f->fd), 0);
	assert_int_equal(set_fds(other, WARD_IRQS_MSI, 0, 4, f->fd), -ENOSPC);
	assert_int_equal(set_fds(other, WARD_IRQS_MSIX, 0, 1, f->fd), -ENOSPC);
	/* First-fit goes on with the other frame. */
	assert_int_equal(ward_model_set_policy(f->rig.backend, WARD_GICV2M_FIRST_FIT), 0);
	assert_int_equal(set_fds(other, WARD_IRQS_MSIX, 0, 16, f->fd), 0);
	assert_int_equal(irq_of(other, WARD_IRQS_MSIX, 0).number, 96);
	assert_int_equal(irq_of(other, WARD_IRQS_MSIX, 0).controller, 1);
	ward_device_close(other);
	irq_teardown(f);
}

/* What the owner of another device wrote into its own table stays. */
static void a_neighbour_is_thawed(struct irq_fixture *f, uint32_t card)
{
	struct ward_device *other = irq_open(&f->rig, OTHER);
	const uint8_t masked[4] = { 1 };
	uint8_t table[4];

	assert_int_equal(ward_device_attach(other, WARD_PASID_NONE, f->space), 0);
	assert_int_equal(set_fds(other, WARD_IRQS_MSIX, 0, 1, &f->fd[10]), 0);
	assert_int_equal(ward_model_freeze(f->rig.backend, card), 0);
	assert_int_equal(ward_device_read(other, 7, MSIX_CAPABILITY + 4, table, 4), 0);
	assert_int_equal(ward_device_write(other, table[0] & 7,
					   (table[0] & ~7u) | (uint32_t)table[1] << 8 |
						   (uint32_t)table[2] << 16 | MSIX_CONTROL,
					   masked, 4),
			 0);
	assert_int_equal(ward_model_thaw(f->rig.backend, card), 0);
	bus_master(f->card);
	assert_true(raise_vector(&f->rig, OTHER, WARD_IRQS_MSIX, 0).masked);
	ward_device_close(other);
}

static void frozen(struct irq_fixture *f)
{
	uint32_t card = rig_function(&f->rig, CARD);
	struct ward_error_state state;

	assert_int_equal(set_fds(f->card, WARD_IRQS_MSIX, 0, 4, f->fd), 0);
	assert_int_equal(ward_model_freeze(f->rig.backend, card), 0);
	assert_int_equal(raise_vector(&f->rig, CARD, WARD_IRQS_MSIX, 1).dma.end, WARD_DMA_FROZEN);
	assert_int_equal(rung(f->fd[1]), 0);
	assert_int_equal(ward_model_error(f->rig.backend, card, &state), 0);
	assert_true(state.dropped_messages >= 1);
	/* Set meanwhile: it counts when it is thawed. */
	assert_int_equal(set_fds(f->card, WARD_IRQS_MSIX, 2, 1, &f->fd[9]), 0);
	assert_int_equal(ward_model_thaw(f->rig.backend, card), 0);
	bus_master(f->card);
	raise_vector(&f->rig, CARD, WARD_IRQS_MSIX, 1);
	raise_vector(&f->rig, CARD, WARD_IRQS_MSIX, 2);
	assert_int_equal(rung(f->fd[1]), 1);
	assert_int_equal(rung(f->fd[2]), 0);
	assert_int_equal(rung(f->fd[9]), 1);
	a_neighbour_is_thawed(f, card);
	/* Disabled while it is frozen: it is off when it is thawed. */
	assert_int_equal(ward_model_freeze(f->rig.backend, card), 0);
	assert_int_equal(disable(f->card, WARD_IRQS_MSIX), 0);
	assert_int_equal(ward_model_thaw(f->rig.backend, card), 0);
	assert_int_equal(ward_model_raise(f->rig.backend, card, WARD_IRQS_MSIX, 0,
					  &(struct ward_raise){ 0 }),
			 -EOPNOTSUPP);
}

static void freeze_and_thaw(void **state)
{
	(void)state;
	on_each_machine(frozen);
}

static void reset(struct irq_fixture *f)
{
	for (uint32_t index = WARD_IRQS_MSI; index <= WARD_IRQS_MSIX; index++) {
		uint32_t last = f->kind == ON_APIC && index == WARD_IRQS_MSI ? 0 : 3;
		struct ward_host_irq before, after;

		assert_int_equal(set_fds(f->card, index, 0, last + 1, f->fd), 0);
		before = irq_of(f->card, index, last);
		assert_int_equal(ward_device_reset(f->card), 0);
		after = irq_of(f->card, index, last);
		assert_int_equal(ward_iova_raw(before.message.address),
				 ward_iova_raw(after.message.address));
		assert_int_equal(before.message.data, after.message.data);
		raise_vector(&f->rig, CARD, index, last);
		assert_int_equal(rung(f->fd[last]), 1);
		assert_int_equal(disable(f->card, index), 0);
	}
}

static void reset_restores_vectors(void **state)
{
	(void)state;
	on_each_machine(reset);
}

/* What a closed device had is nobody's; whoever is next gets none of it. */
static void closed(struct irq_fixture *f)
{
	uint32_t card = rig_function(&f->rig, CARD), number, function;
	struct ward_interrupt interrupt;
	struct ward_raise raised;

	assert_int_equal(set_fds(f->card, WARD_IRQS_MSIX, 0, 8, f->fd), 0);
	number = irq_of(f->card, WARD_IRQS_MSIX, 3).number;
	raised = raise_vector(&f->rig, CARD, WARD_IRQS_MSIX, 3);
	interrupt = raised.dma.interrupt;
	assert_int_equal(rung(f->fd[3]), 1);
	assert_int_equal(interrupt.number, number);
	ward_device_close(f->card);
	assert_int_equal(ward_model_whose(f->rig.backend, raised.dma.index, &interrupt, &function,
					  NULL, NULL),
			 -ENOENT);
	assert_int_equal(ward_model_raise(f->rig.backend, card, WARD_IRQS_MSIX, 3, &raised),
			 -EOPNOTSUPP);
	f->card = irq_open(&f->rig, CARD);
	assert_false(irq_of(f->card, WARD_IRQS_MSIX, 3).allocated);
	assert_int_equal(ward_device_attach(f->card, WARD_PASID_NONE, f->space), 0);
	assert_int_equal(set_fds(f->card, WARD_IRQS_MSIX, 0, 8, f->fd + 8), 0);
	for (uint32_t i = 0; i < 8; i++) {
		raise_vector(&f->rig, CARD, WARD_IRQS_MSIX, i);
		assert_int_equal(rung(f->fd[i]), 0);
		assert_int_equal(rung(f->fd[8 + i]), 1);
	}
}

static void close_with_live_vectors(void **state)
{
	(void)state;
	on_each_machine(closed);
}

/* The eventfd is held, not its number: closed by the caller, it is written all the same. */
static void an_eventfd_is_held(void **state)
{
	struct irq_fixture *f = irq_setup(ON_ITS);
	int mine = new_eventfd(), copy = dup(mine), reused;

	(void)state;
	assert_int_equal(set_fds(f->card, WARD_IRQS_MSIX, 0, 1, &mine), 0);
	close(mine);
	reused = new_eventfd();
	assert_int_equal(reused, mine);
	raise_vector(&f->rig, CARD, WARD_IRQS_MSIX, 0);
	assert_int_equal(rung(reused), 0);
	assert_int_equal(rung(copy), 1);
	/* One that is full is not waited for. */
	{
		const uint64_t most = UINT64_MAX - 1;

		assert_int_equal(write(copy, &most, sizeof(most)), sizeof(most));
		raise_vector(&f->rig, CARD, WARD_IRQS_MSIX, 0);
		assert_true(rung(copy) == most);
	}
	close(reused);
	close(copy);
	irq_teardown(f);
}

/* Two that an ITS or a remapping unit cannot tell apart share a table, and no vector. */
static void behind_a_bridge(struct irq_fixture *f)
{
	struct ward_device *one = irq_open(&f->rig, OLD_ONE), *two = irq_open(&f->rig, OLD_TWO);
	struct ward_host_irq first, second;
	uint32_t count = f->kind == ON_APIC ? 1 : 2;

	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(ward_device_attach(i ? two : one, WARD_PASID_NONE, f->space), 0);
	for (unsigned int round = 0; round < 3; round++) {
		assert_int_equal(set_fds(one, WARD_IRQS_MSI, 0, count, f->fd), 0);
		assert_int_equal(set_fds(two, WARD_IRQS_MSI, 0, count, f->fd + 2), 0);
		first = irq_of(one, WARD_IRQS_MSI, 0);
		second = irq_of(two, WARD_IRQS_MSI, 0);
		assert_true(first.message.data != second.message.data ||
			    ward_iova_raw(first.message.address) !=
				    ward_iova_raw(second.message.address));
		for (uint32_t i = 0; i < count; i++) {
			raise_vector(&f->rig, OLD_ONE, WARD_IRQS_MSI, i);
			raise_vector(&f->rig, OLD_TWO, WARD_IRQS_MSI, i);
			assert_int_equal(rung(f->fd[i]), 1);
			assert_int_equal(rung(f->fd[2 + i]), 1);
		}
		assert_int_equal(disable(one, WARD_IRQS_MSI), 0);
		raise_vector(&f->rig, OLD_TWO, WARD_IRQS_MSI, 0);
		assert_int_equal(rung(f->fd[2]), 1);
		assert_int_equal(disable(two, WARD_IRQS_MSI), 0);
	}
	ward_device_close(one);
	ward_device_close(two);
}

static void those_that_share_an_id(void **state)
{
	(void)state;
	on_each_machine(behind_a_bridge);
}

/* More vectors behind one DeviceID than a table has EventIDs: it is as large as it can be. */
static void a_crowd_behind_a_bridge(void **state)
{
	struct ward_device *one;
	int fd = new_eventfd();
	struct rig rig;

	(void)state;
	memset(&rig, 0, sizeof(rig));
	irq_controllers(&rig.make, ON_ITS);
	root_port_to(&rig.make, "00:1e.0", 3, 4, ACS_ON);
	pcie_to_pci(&rig.make, "03:00.0", 4);
	for (unsigned int i = 0; i < 34; i++) {
		char name[16];
		struct ward_function *f;

		snprintf(name, sizeof(name), "04:%02x.%x", 1 + i / 8, i % 8);
		f = conventional(&rig.make, name);
		irq_card(f, 0, BIG_VECTORS);
		irq_behind(f);
	}
	rig_start(&rig);
	one = irq_open(&rig, OLD_ONE);
	assert_int_equal(enable_many(one, WARD_IRQS_MSIX, 3, fd), 0);
	ward_device_close(one);
	rig_end(&rig);
	close(fd);
}

/* Another function writes the same message: it disturbs only where the controller sees no writer. */
static void forged(struct irq_fixture *f)
{
	struct ward_device *other = irq_open(&f->rig, OTHER);
	bool isolates = f->kind == ON_ITS || f->kind == ON_REMAPPING;
	struct ward_host_irq irq;
	struct ward_dma_result result;
	uint32_t function, data;

	assert_int_equal(ward_device_attach(other, WARD_PASID_NONE, f->space), 0);
	assert_int_equal(set_fds(f->card, WARD_IRQS_MSIX, 0, 4, f->fd), 0);
	irq = irq_of(f->card, WARD_IRQS_MSIX, 2);
	data = irq.message.data;
	result = rig_dma(&f->rig, OTHER, ward_iova_raw(irq.message.address), true, &data,
			 sizeof(data));
	assert_int_equal(result.end, WARD_DMA_DOORBELL);
	assert_int_equal(rung(f->fd[2]), !isolates);
	assert_int_equal(ward_model_whose(f->rig.backend, result.index, &result.interrupt,
					  &function, NULL, NULL),
			 isolates ? -ENOENT : 0);
	if (!isolates)
		assert_int_equal(function, rig_function(&f->rig, CARD));
	ward_device_close(other);
}

static void messages_of_another(void **state)
{
	(void)state;
	on_each_machine(forged);
}

/* A message that waits in the table of a function, which has or has not a reset. */
static void leave_pending(enum irq_machine kind, uint32_t resets)
{
	struct ward_device *card;
	struct rig rig;
	int fd[4];

	memset(&rig, 0, sizeof(rig));
	irq_controllers(&rig.make, kind);
	root_port(&rig.make, "00:1c.0", 1, ACS_ON);
	irq_card(endpoint(&rig.make, "01:00.0"), 8, 8);
	rig.make.functions[rig.make.count - 1].resets = resets;
	rig_start(&rig);
	for (unsigned int i = 0; i < 4; i++)
		fd[i] = i == 2 ? -1 : new_eventfd();
	card = irq_open(&rig, CARD);
	assert_int_equal(set_fds(card, WARD_IRQS_MSIX, 0, 4, fd), 0);
	assert_true(raise_vector(&rig, CARD, WARD_IRQS_MSIX, 2).masked);
	ward_device_close(card);
	fd[2] = new_eventfd();
	card = irq_open(&rig, CARD);
	assert_int_equal(set_fds(card, WARD_IRQS_MSIX, 0, 4, fd), 0);
	assert_int_equal(rung(fd[2]), 0);
	ward_device_close(card);
	for (unsigned int i = 0; i < 4; i++)
		close(fd[i]);
	rig_end(&rig);
}

static void what_waits_is_not_the_next_owners(void **state)
{
	(void)state;
	for (unsigned int kind = 0; kind < IRQ_MACHINES; kind++) {
		leave_pending((enum irq_machine)kind, WARD_RESET_FLR);
		leave_pending((enum irq_machine)kind, 0);
	}
}

/* An SPI that nobody has, raised by whoever reaches its frame, is not told to the next who has it. */
static void an_spi_raised_before(void **state)
{
	static const enum irq_machine kinds[] = { ON_V2M, ON_MBI };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct irq_fixture *f = irq_setup(kinds[i]);
		struct ward_device *other = irq_open(&f->rig, OTHER);
		struct ward_host_irq irq;

		assert_int_equal(ward_device_attach(other, WARD_PASID_NONE, f->space), 0);
		assert_int_equal(set_fds(other, WARD_IRQS_MSIX, 0, 1, f->fd), 0);
		irq = irq_of(other, WARD_IRQS_MSIX, 0);
		for (uint32_t data = irq.number + 1; data < irq.number + 8; data++)
			rig_dma(&f->rig, OTHER, ward_iova_raw(irq.message.address), true, &data,
				sizeof(data));
		assert_int_equal(set_fds(f->card, WARD_IRQS_MSIX, 0, 4, f->fd + 4), 0);
		raise_vector(&f->rig, CARD, WARD_IRQS_MSIX, 3);
		for (unsigned int at = 0; at < 8; at++)
			assert_int_equal(rung(f->fd[at]), at == 7);
		ward_device_close(other);
		irq_teardown(f);
	}
}

/* Of three messages the device has four; the fourth is nobody's, and masked. */
static void beyond(struct irq_fixture *f)
{
	if (f->kind == ON_APIC)
		return;
	assert_int_equal(set_fds(f->card, WARD_IRQS_MSI, 0, 3, f->fd), 0);
	assert_true(raise_vector(&f->rig, CARD, WARD_IRQS_MSI, 3).masked);
	assert_int_equal(disable(f->card, WARD_IRQS_MSI), 0);
	assert_int_equal(set_fds(f->card, WARD_IRQS_MSI, 0, 4, f->fd), 0);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(rung(f->fd[i]), 0);
}

static void messages_that_nobody_asked_for(void **state)
{
	(void)state;
	on_each_machine(beyond);
}

struct sweep {
	struct rig *rig;
	int fds[4];
};

/* A backend of its own on the same machine: opened, enabled, told an address, and all of it ended. */
static int everything(void *context)
{
	const struct sweep *sweep = context;
	const struct ward_range tables = { TABLES, TABLES + TABLES_SIZE - 1 };
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = WARD_SPACE_UNMANAGED };
	struct ward_backend *backend = NULL;
	struct ward_device *device = NULL;
	struct ward_space *space = NULL;
	ward_iova_t iova = ward_iova(WINDOW + 0x40);
	int code = ward_backend_model(sweep->rig->make.machine, sweep->rig->memory, tables,
				      &backend, NULL);

	if (!code)
		code = ward_backend_space(backend, &options, &space);
	if (!code)
		code = ward_device_open(backend, CARD, &device, NULL);
	if (!code)
		code = ward_device_attach(device, WARD_PASID_NONE, space);
	if (!code)
		code = set_fds(device, WARD_IRQS_MSIX, 0, 4, sweep->fds);
	if (!code)
		code = disable(device, WARD_IRQS_MSIX);
	if (!code && sweep->rig->make.arch == WARD_ARCH_ARM64)
		code = ward_device_set_messages(device, WARD_MESSAGE_PREPARE, WARD_IRQS_MSI, 0, 1,
						&iova, NULL);
	if (!code)
		code = set_fds(device, WARD_IRQS_MSI, 0, 1, sweep->fds);
	ward_device_close(device);
	ward_space_destroy(space);
	ward_backend_destroy(backend);
	/* An ITS in software that has no memory refuses a command, as hardware that is broken. */
	return code == -EIO && ward_fault_hit() ? -ENOMEM : code;
}

static void no_memory(void **state)
{
	(void)state;
	for (unsigned int kind = 0; kind < IRQ_MACHINES; kind++) {
		struct sweep sweep;
		struct rig rig;

		irq_start(&rig, (enum irq_machine)kind);
		sweep.rig = &rig;
		for (unsigned int i = 0; i < 4; i++)
			sweep.fds[i] = new_eventfd();
		assert_true(test_sweep(everything, &sweep) > 10);
		for (unsigned int i = 0; i < 4; i++)
			close(sweep.fds[i]);
		rig_end(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lpis_run_out),
		cmocka_unit_test(no_lpis_at_all),
		cmocka_unit_test(x86_vectors_run_out),
		cmocka_unit_test(spis_run_out),
		cmocka_unit_test(freeze_and_thaw),
		cmocka_unit_test(reset_restores_vectors),
		cmocka_unit_test(close_with_live_vectors),
		cmocka_unit_test(an_eventfd_is_held),
		cmocka_unit_test(those_that_share_an_id),
		cmocka_unit_test(a_crowd_behind_a_bridge),
		cmocka_unit_test(messages_of_another),
		cmocka_unit_test(what_waits_is_not_the_next_owners),
		cmocka_unit_test(an_spi_raised_before),
		cmocka_unit_test(messages_that_nobody_asked_for),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
