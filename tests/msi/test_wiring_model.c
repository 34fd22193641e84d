// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The whole way, in software: a function of each kind of host raises a vector, and a CPU of each
 * kind of guest takes what the guest programmed. With the window's addresses, and with the guest's
 * own behind a stage 1 of its own.
 */
#include "../backend/irq_rig.h"
#include "../backend/vm_rig.h"

#include <doorward/apic.h>
#include <doorward/doorbell.h>
#include <doorward/stage1.h>
#include <doorward/wiring.h>

#define K4 0x1000u
#define VECTORS 6u
#define DEVICE 3u
#define LPI 8200u
#define SPI 64u
#define X86_VECTOR 0x50u

#define GUEST_ITS 0x8090040u
#define GUEST_V2M 0x8020040u
#define GUEST_APIC 0xfee00000u

/* What a guest with a stage 1 of its own writes, and where that leads. */
#define CHOSEN 0xeeee0000u
#define DANGLING 0xeeef0000u
#define SEEN 0x80900000u
#define SEEN_NOT 0x80a00000u
#define CONTEXT RAM
#define TABLES_OF_GUEST (RAM + 0x1000)
#define PAGE_ENTRY 0x743u

struct yard {
	struct irq_fixture *host;
	struct ward_space *nested;
	struct vm_rig guest;
	enum ward_vm_controller kind;
	unsigned int misused;
	struct ward_routes *routes;
	struct ward_vectors *vectors;
	struct ward_wiring *wiring;
	uint64_t bell;
};

static struct yard yard;

static void misused(void *context, const char *how)
{
	(void)how;
	++*(unsigned int *)context;
}

static void start_guest(enum ward_vm_controller kind)
{
	const struct ward_vm_options options = {
		.size = sizeof(options),
		.controller = kind,
		.cpus = 2,
		.its = ward_gpa(yard.nested ? SEEN - 0x10000 : 0),
	};

	yard.kind = kind;
	assert_int_equal(vm_rig_make(&yard.guest, &options), 0);
	assert_int_equal(vm_rig_start(&yard.guest), 0);
	ward_vm_model_police(yard.guest.vm, misused, &yard.misused);
	assert_int_equal(ward_routes_create(yard.guest.vm, &yard.routes), 0);
	for (uint32_t i = 0; i < VECTORS; i++) {
		if (kind == WARD_VM_GICV3_ITS)
			vm_rig_map(&yard.guest, DEVICE, i, LPI + i, 1);
		else if (kind == WARD_VM_GICV2)
			vm_rig_spi(&yard.guest, SPI + i, 1, false);
	}
}

static struct ward_guest_doorbell doorbell_of_guest(void)
{
	switch (yard.kind) {
	case WARD_VM_GICV2:
		yard.bell = GUEST_V2M;
		return (struct ward_guest_doorbell){ .registers = { GUEST_V2M, GUEST_V2M + 3 },
						     .first_intid = SPI,
						     .last_intid = SPI + 31 };
	case WARD_VM_GICV3_ITS:
		yard.bell = GUEST_ITS;
		return (struct ward_guest_doorbell){ .registers = { GUEST_ITS, GUEST_ITS + 3 },
						     .devid = ward_devid(DEVICE),
						     .has_devid = true };
	case WARD_VM_X86:
	case WARD_VM_X86_SPLIT:
	case WARD_VM_GICV3:
	default:
		yard.bell = GUEST_APIC;
		return (struct ward_guest_doorbell){ .registers = { 0xfee00000, 0xfeefffff } };
	}
}

static uint32_t data_of(uint32_t vector)
{
	return yard.kind == WARD_VM_GICV2	? SPI + vector
	       : yard.kind == WARD_VM_GICV3_ITS ? vector
						: X86_VECTOR + vector;
}

static void start_wiring(bool addresses, enum ward_message_way way)
{
	const struct ward_vectors_options vectors = {
		.size = sizeof(vectors),
		.msi_vectors = 4,
		.msix_vectors = 8,
	};
	struct ward_guest_doorbell doorbell = doorbell_of_guest();
	struct ward_wiring_options options = {
		.size = sizeof(options),
		.device = yard.host->card,
		.vm = yard.guest.vm,
		.routes = yard.routes,
		.doorbells = &doorbell,
		.doorbells_count = 1,
		.guest_addresses = addresses,
		.way = way,
	};

	assert_int_equal(ward_vectors_create(&vectors, &yard.vectors), 0);
	options.vectors = yard.vectors;
	if (yard.nested) {
		doorbell.registers = (struct ward_range){ SEEN + 0x40, SEEN + 0x43 };
		options.space = yard.nested;
		yard.bell = CHOSEN + 0x40;
	}
	assert_int_equal(ward_wiring_create(&options, &yard.wiring), 0);
}

static void finish(void)
{
	ward_wiring_destroy(yard.wiring);
	assert_int_equal(yard.misused, 0);
	ward_vectors_destroy(yard.vectors);
	ward_routes_destroy(yard.routes);
	vm_rig_end(&yard.guest);
	if (yard.nested) {
		assert_int_equal(ward_device_detach(yard.host->card, WARD_PASID_NONE), 0);
		ward_space_destroy(yard.nested);
	}
	irq_teardown(yard.host);
	memset(&yard, 0, sizeof(yard));
}

static void set_register(enum ward_vector_registers which, uint32_t offset, uint64_t value,
			 size_t size)
{
	assert_int_equal(ward_vectors_write(yard.vectors, which, offset, &value, size), 0);
}

static void entry(uint32_t vector, uint64_t address, bool masked)
{
	set_register(WARD_MSIX_TABLE, vector * 16, address, 8);
	set_register(WARD_MSIX_TABLE, vector * 16 + 8, data_of(vector) | (uint64_t)masked << 32, 8);
}

static void sync_well(void)
{
	struct ward_error error = { "" };

	if (ward_wiring_sync(yard.wiring, &error) || ward_wiring_verify(yard.wiring, &error))
		fail_msg("%s", error.text);
}

/* Whether the guest's CPU takes the interrupt of a vector, and no other. */
static bool taken(uint32_t vector)
{
	uint32_t number, expected;

	(void)ward_vm_model_dispatch(yard.guest.vm, yard.guest.reader);
	expected = yard.kind == WARD_VM_GICV3_ITS ? LPI + vector : data_of(vector);
	if (yard.guest.parts.apics) {
		if (ward_apics_take(yard.guest.parts.apics, 0, &number))
			return false;
	} else if (ward_gic_take(yard.guest.parts.gic, 1, &number)) {
		return false;
	}
	assert_int_equal(number, expected);
	(void)ward_vm_model_end(yard.guest.vm, 1, number);
	return true;
}

static bool rings(uint32_t index, uint32_t vector)
{
	const struct ward_raise raised = raise_vector(&yard.host->rig, CARD, index, vector);

	return raised.dma.end == WARD_DMA_DOORBELL &&
	       raised.dma.interrupt.end == WARD_INTERRUPT_PENDING;
}

/* Where addresses are overridden, each vector that comes on is raised once for the gap before that. */
static void take_gap(void)
{
	for (uint32_t i = 0; i < VECTORS; i++)
		assert_true(i == 2 || taken(i));
	assert_false(taken(2));
}

/* Every vector of both kinds, masked and not, on every host for every guest. */
static void play(bool gap)
{
	uint32_t count;

	for (uint32_t i = 0; i < VECTORS; i++)
		entry(i, yard.bell, i == 2);
	set_register(WARD_MSIX_CAPABILITY, 3, 0x80, 1);
	sync_well();
	if (gap)
		take_gap();
	for (uint32_t i = 0; i < VECTORS; i++) {
		assert_true(rings(WARD_IRQS_MSIX, i));
		assert_int_equal(taken(i), i != 2);
	}
	assert_true(rings(WARD_IRQS_MSIX, 2));
	sync_well();
	set_register(WARD_MSIX_TABLE, 2 * 16 + 12, 0, 4);
	sync_well();
	assert_true(taken(2));
	assert_false(taken(2));
	set_register(WARD_MSIX_CAPABILITY, 3, 0, 1);
	sync_well();
	set_register(WARD_MSI_CAPABILITY, 4, yard.bell, 4);
	set_register(WARD_MSI_CAPABILITY, 8, data_of(0), 2);
	/* An APIC without remapping has no block of vectors to give. */
	count = yard.host->kind == ON_APIC ? 1 : 4;
	set_register(WARD_MSI_CAPABILITY, 2, count == 1 ? 0x01 : 0x21, 2);
	sync_well();
	for (uint32_t i = 0; i < count; i++) {
		assert_true(rings(WARD_IRQS_MSI, i));
		assert_true(taken(i));
	}
}

static void test_window(void **state)
{
	static const enum ward_vm_controller guests[] = {
		WARD_VM_GICV2,
		WARD_VM_GICV3_ITS,
		WARD_VM_X86,
		WARD_VM_X86_SPLIT,
	};

	(void)state;
	for (unsigned int host = 0; host < IRQ_MACHINES; host++) {
		for (unsigned int i = 0; i < sizeof(guests) / sizeof(guests[0]); i++) {
			yard.host = irq_setup((enum irq_machine)host);
			start_guest(guests[i]);
			start_wiring(false, WARD_MESSAGE_PREPARE);
			play(false);
			finish();
		}
	}
}

static void put(uint64_t at, uint64_t value)
{
	assert_int_equal(ward_memory_write_u64(yard.host->rig.memory, at, value), 0);
}

/* A guest's stage 1: 32 bits of input, 4 KiB; CHOSEN leads to SEEN, DANGLING to SEEN_NOT. */
static void guest_tables(void)
{
	put(CONTEXT, 0x20ull | 3ull << 30 | 5ull << 32 | 1ull << 41 | 7ull << 45);
	put(CONTEXT + 8, TABLES_OF_GUEST);
	put(CONTEXT + 24, 0xff);
	for (unsigned int level = 1; level < 3; level++)
		put(TABLES_OF_GUEST + (level - 1) * K4 + (CHOSEN >> (39 - 9 * level) & 511) * 8,
		    (TABLES_OF_GUEST + level * K4) | 3);
	put(TABLES_OF_GUEST + 2 * K4 + (CHOSEN >> 12 & 511) * 8, SEEN | PAGE_ENTRY);
	put(TABLES_OF_GUEST + 2 * K4 + (DANGLING >> 12 & 511) * 8, SEEN_NOT | PAGE_ENTRY);
}

static void map_doorbell(uint64_t gpa)
{
	const struct ward_doorbell_options options = {
		.size = sizeof(options),
		.way = WARD_DOORBELL_NESTED,
		.page_size = K4,
	};
	const struct ward_machine *machine = yard.host->rig.make.machine;
	struct ward_doorbells *doorbells;
	struct ward_doorbell mapped;

	assert_int_equal(ward_doorbells_create(&options, &doorbells), 0);
	assert_int_equal(ward_doorbell_map(doorbells, yard.host->space,
					   ward_pa(machine->controllers[0].doorbells[0].start),
					   ward_gpa(gpa), &mapped),
			 0);
	ward_doorbells_destroy(doorbells);
}

static void nest(void)
{
	const struct ward_stage1 stage1 = {
		.kind = WARD_STAGE1_TABLES,
		.contexts = ward_gpa(CONTEXT),
		.features = { .output_bits = 48, .granules = WARD_GRANULE_4K, .stage1 = true },
		.memory = yard.host->rig.memory,
	};
	const struct ward_space_options options = { .size = sizeof(options),
						    .kind = WARD_SPACE_NESTED,
						    .parent = yard.host->space,
						    .stage1 = &stage1 };
	const struct ward_mapping ram = { .start = ward_iova(RAM),
					  .last = ward_iova(RAM + RAM_SIZE - 1),
					  .target = ward_target(RAM),
					  .access = WARD_READ | WARD_WRITE,
					  .type = WARD_NORMAL };

	guest_tables();
	assert_int_equal(ward_space_map(yard.host->space, &ram), 0);
	assert_int_equal(ward_backend_space(yard.host->rig.backend, &options, &yard.nested), 0);
	assert_int_equal(ward_device_attach(yard.host->card, WARD_PASID_NONE, yard.nested), 0);
}

/* The guest's own addresses, which go through both stages, in both ways. */
static void test_guest_addresses(void **state)
{
	static const enum irq_machine hosts[] = { ON_ITS, ON_MBI };

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct ward_host_irq irq;

		yard.host = irq_setup(hosts[i / 2]);
		nest();
		map_doorbell(SEEN);
		start_guest(WARD_VM_GICV3_ITS);
		start_wiring(true, i % 2 ? WARD_MESSAGE_OVERRIDE : WARD_MESSAGE_PREPARE);
		play(i % 2);
		assert_int_equal(ward_device_irq(yard.host->card, WARD_IRQS_MSI, 1, &irq), 0);
		assert_int_equal(ward_iova_raw(irq.message.address), CHOSEN + 0x40);
		finish();
	}
}

/*
 * What the hardware holds back until its vector comes on goes to the window then, where a guest's
 * stage 1 has nothing: the guest hears of it all the same.
 */
static void test_held_back(void **state)
{
	(void)state;
	for (unsigned int way = 0; way < 2; way++) {
		yard.host = irq_setup(ON_ITS);
		nest();
		map_doorbell(SEEN);
		start_guest(WARD_VM_GICV3_ITS);
		start_wiring(true, way ? WARD_MESSAGE_OVERRIDE : WARD_MESSAGE_PREPARE);
		entry(0, yard.bell, false);
		set_register(WARD_MSIX_CAPABILITY, 3, 0x80, 1);
		sync_well();
		while (taken(0))
			;
		assert_false(rings(WARD_IRQS_MSIX, 1));
		entry(1, yard.bell, true);
		sync_well();
		while (taken(0))
			;
		set_register(WARD_MSIX_TABLE, 16 + 12, 0, 4);
		sync_well();
		assert_true(taken(1));
		assert_false(taken(1));
		/* Masked and unmasked is no reason for one more. */
		entry(1, yard.bell, true);
		sync_well();
		entry(1, yard.bell, false);
		sync_well();
		assert_false(taken(1));
		finish();
	}
}

/* Stage 1 leads to a page that stage 2 lacks: not wired, until somebody maps it. */
static void test_dangling(void **state)
{
	struct ward_error error;
	struct ward_wire wire;

	(void)state;
	yard.host = irq_setup(ON_ITS);
	nest();
	map_doorbell(SEEN_NOT);
	start_guest(WARD_VM_GICV3_ITS);
	start_wiring(true, WARD_MESSAGE_OVERRIDE);
	entry(0, yard.bell, false);
	set_register(WARD_MSIX_CAPABILITY, 3, 0x80, 1);
	assert_int_equal(ward_wiring_sync(yard.wiring, &error), 1);
	assert_string_equal(error.text, "vector 0 rings nothing: 0xeeee0040 -> stage 1 level 3: "
					"0x80900040 -> stage 2: nothing is mapped there");
	assert_int_equal(ward_wiring_verify(yard.wiring, &error), 0);
	assert_int_equal(ward_wiring_get(yard.wiring, 0, &wire), 0);
	assert_int_equal(wire.resolved, -EFAULT);
	assert_false(wire.wired);
	map_doorbell(SEEN);
	sync_well();
	assert_true(rings(WARD_IRQS_MSIX, 0));
	assert_true(taken(0));
	finish();
}

/* In the window, a function behind a guest's stage 1 needs the guest's doorbell in no stage 2. */
static void test_told_only(void **state)
{
	struct ward_wire wire;

	(void)state;
	yard.host = irq_setup(ON_ITS);
	nest();
	start_guest(WARD_VM_GICV3_ITS);
	start_wiring(false, WARD_MESSAGE_PREPARE);
	entry(0, yard.bell, false);
	set_register(WARD_MSIX_CAPABILITY, 3, 0x80, 1);
	sync_well();
	assert_int_equal(ward_wiring_get(yard.wiring, 0, &wire), 0);
	assert_true(wire.wired);
	/* The guest's stage 1 does not have the window, so the message itself gets nowhere. */
	assert_false(rings(WARD_IRQS_MSIX, 0));
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window),	  cmocka_unit_test(test_guest_addresses),
		cmocka_unit_test(test_held_back), cmocka_unit_test(test_dangling),
		cmocka_unit_test(test_told_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
