// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The guest: QEMU's "virt" on Arm, a PC on x86. What its kernel writes are the registers of Arm IHI
 * 0048 and 0069 (GICv2, GICv3), PCI 3.0 6.8, Intel SDM volume 3, 11.11.
 */
#include "app/guest_controller.h"

#include <errno.h>

#include <doorward/gicv2m.h>

#define RAM APP_GUEST_RAM

#define FRAME UINT64_C(0x08020000)
#define FRAME_FIRST 96u
#define FRAME_COUNT 64u
#define ITS UINT64_C(0x08080000)
/* Functions are 00:01.0, 00:02.0, ... there. */
#define GUEST_DEVICE(slot) (((slot) + 1) << 3)

#define APIC_FIRST_VECTOR 0x40u
#define APIC_VECTORS 128u
#define APIC_ADDRESS 0xfee00000u

/* Tables in the guest's memory. */
#define LPI_CONFIG (RAM + 0x10000)
#define LPI_PENDING (RAM + 0x20000) /* 64 KiB each */
#define ITS_DEVICES (RAM + 0x50000)
#define ITS_COLLECTIONS (RAM + 0x60000)
#define ITS_QUEUE (RAM + 0x70000)
#define ITS_QUEUE_BYTES UINT64_C(0x10000)
#define ITS_ITT (RAM + 0x80000)
#define ITT_BYTES UINT64_C(0x4000) /* of each slot: 2048 events of 8 bytes */
#define LPI_BITS 16u
#define LPI_ON 0xa3u

#define GICD_CTLR 0x0u
#define GICD_IGROUPR 0x80u
#define GICD_ISENABLER 0x100u
#define GICD_ITARGETSR 0x800u
#define GICD_ICFGR 0xc00u
#define GICR_CTLR 0x0u
#define GICR_PROPBASER 0x70u
#define GICR_PENDBASER 0x78u
#define GITS_CTLR 0x0u
#define GITS_CBASER 0x80u
#define GITS_CWRITER 0x88u
#define GITS_BASER 0x100u
#define VALID (UINT64_C(1) << 63)

static enum ward_vm_controller kind_for(const struct ward_machine *machine, uint32_t function)
{
	const struct ward_function *f = &machine->functions[function];

	if (machine->arch == WARD_ARCH_X86)
		return WARD_VM_X86;
	if (f->controller != WARD_NONE &&
	    machine->controllers[f->controller].kind == WARD_CONTROLLER_GICV3_ITS)
		return WARD_VM_GICV3_ITS;
	return WARD_VM_GICV2;
}

uint64_t app_guest_register(const struct app_guest_controller *controller)
{
	if (controller->kind == WARD_VM_GICV2)
		return FRAME + WARD_GICV2M_SETSPI;
	if (controller->kind == WARD_VM_GICV3_ITS)
		return ITS + WARD_ITS_TRANSLATER;
	return APIC_ADDRESS;
}

struct ward_guest_doorbell app_guest_doorbell(const struct app_guest_controller *controller,
					      uint32_t slot)
{
	uint64_t at = app_guest_register(controller);
	struct ward_guest_doorbell doorbell = { .registers = { at, at + 3 } };

	if (controller->kind == WARD_VM_GICV2) {
		doorbell.first_intid = FRAME_FIRST;
		doorbell.last_intid = FRAME_FIRST + FRAME_COUNT - 1;
	} else if (controller->kind == WARD_VM_GICV3_ITS) {
		doorbell.devid = ward_devid(GUEST_DEVICE(slot));
		doorbell.has_devid = true;
	} else {
		doorbell.registers = (struct ward_range){ WARD_X86_MSI_START, WARD_X86_MSI_LAST };
	}
	return doorbell;
}

int app_guest_controller_create(const struct ward_machine *machine, uint32_t function,
				struct ward_memory *memory, struct ward_vm **ret_vm,
				struct app_guest_controller *ret_controller)
{
	enum ward_vm_controller kind = kind_for(machine, function);
	const struct ward_vm_options options = {
		.size = sizeof(options),
		.controller = kind,
		.cpus = APP_GUEST_CPUS,
		.its = ward_gpa(kind == WARD_VM_GICV3_ITS ? ITS : 0),
	};
	int code = ward_vm_model(&options, memory, NULL, ret_vm);

	if (!code)
		code = ward_vm_start(*ret_vm);
	if (!code)
		*ret_controller = (struct app_guest_controller){ .kind = kind };
	return code;
}

static void write32(struct ward_gic *gic, uint32_t cpu, uint32_t offset, uint32_t value)
{
	ward_gic_write(gic, cpu, offset, &value, sizeof(value));
}

static void write64(struct ward_gic *gic, uint32_t cpu, uint32_t offset, uint64_t value)
{
	ward_gic_write(gic, cpu, offset, &value, sizeof(value));
}

/* SPIs of the frame: edges, in the one group there is, to CPU 0, on. */
static void program_frame(struct ward_gic *gic)
{
	for (uint32_t intid = FRAME_FIRST; intid < FRAME_FIRST + FRAME_COUNT; intid++) {
		const uint8_t first_cpu = 1;

		ward_gic_write(gic, WARD_GIC_DISTRIBUTOR, GICD_ITARGETSR + intid, &first_cpu, 1);
	}
	for (uint32_t at = FRAME_FIRST / 16; at < (FRAME_FIRST + FRAME_COUNT) / 16; at++)
		write32(gic, WARD_GIC_DISTRIBUTOR, GICD_ICFGR + at * 4, 0xaaaaaaaau);
	for (uint32_t intid = FRAME_FIRST; intid < FRAME_FIRST + FRAME_COUNT; intid++)
		write32(gic, WARD_GIC_DISTRIBUTOR, GICD_ISENABLER + intid / 32 * 4,
			UINT32_C(1) << intid % 32);
	write32(gic, WARD_GIC_DISTRIBUTOR, GICD_CTLR, 1);
}

static int program_lpis(struct ward_gic *gic, struct ward_memory *memory)
{
	for (uint64_t at = 0; at < (UINT64_C(1) << LPI_BITS) - WARD_GIC_FIRST_LPI; at++) {
		const uint8_t on = LPI_ON;
		int code = ward_memory_write(memory, LPI_CONFIG + at, &on, 1);

		if (code)
			return code;
	}
	/* ARE, and group 1 of the non-secure state. */
	write32(gic, WARD_GIC_DISTRIBUTOR, GICD_CTLR, 1u << 4 | 1u << 1 | 1u);
	for (uint32_t cpu = 0; cpu < APP_GUEST_CPUS; cpu++) {
		write64(gic, cpu, GICR_PROPBASER, LPI_CONFIG | (LPI_BITS - 1));
		write64(gic, cpu, GICR_PENDBASER, LPI_PENDING + cpu * UINT64_C(0x10000));
		write32(gic, cpu, GICR_CTLR, 1);
	}
	return 0;
}

/* Commands, each executed before the next one is written. */
struct queue {
	struct ward_its *its;
	struct ward_memory *memory;
	uint64_t *at; /* offset */
};

static int push(const struct queue *queue, uint64_t first, uint64_t second, uint64_t third)
{
	const uint64_t command[4] = { first, second, third, 0 };
	int code =
		ward_memory_write(queue->memory, ITS_QUEUE + *queue->at, command, sizeof(command));

	*queue->at = (*queue->at + sizeof(command)) % ITS_QUEUE_BYTES;
	if (!code)
		code = ward_its_write(queue->its, GITS_CWRITER, queue->at, sizeof(*queue->at));
	return code;
}

static void enable_its(struct ward_its *its)
{
	const uint64_t pages_64k = UINT64_C(2) << 8;
	const uint64_t devices = VALID | ITS_DEVICES | pages_64k;
	const uint64_t collections = VALID | ITS_COLLECTIONS | pages_64k;
	const uint64_t queue = VALID | ITS_QUEUE | (ITS_QUEUE_BYTES / 4096 - 1);
	const uint32_t on = 1;

	ward_its_write(its, GITS_BASER, &devices, sizeof(devices));
	ward_its_write(its, GITS_BASER + 8, &collections, sizeof(collections));
	ward_its_write(its, GITS_CBASER, &queue, sizeof(queue));
	ward_its_write(its, GITS_CTLR, &on, sizeof(on));
}

/* The commands are right: what keeps one from being executed is memory. */
static int executed(const struct queue *queue, int code)
{
	struct ward_its_error error;

	return !code && ward_its_error(queue->its, &error) ? -ENOMEM : code;
}

/* MAPC: Arm IHI 0069, 5.3. */
static int program_its(const struct queue *queue)
{
	int code = 0;

	enable_its(queue->its);
	for (uint64_t cpu = 0; !code && cpu < APP_GUEST_CPUS; cpu++)
		code = push(queue, 0x09, 0, VALID | cpu << 16 | cpu);
	return executed(queue, code);
}

/* MAPD, MAPTI: event i of the function is LPI first + i. */
static int program_events(const struct queue *queue, const struct app_guest_slot *slot,
			  uint32_t first)
{
	const uint64_t device = (uint64_t)GUEST_DEVICE(slot->number) << 32;
	uint64_t bits = 1;
	int code;

	while (UINT64_C(1) << bits < slot->count)
		bits++;
	code = push(queue, 0x08 | device, bits - 1, VALID | (ITS_ITT + slot->number * ITT_BYTES));
	for (uint64_t event = 0; !code && event < slot->count; event++)
		code = push(queue, 0x0a | device,
			    event | (WARD_GIC_FIRST_LPI + first + event) << 32,
			    event % APP_GUEST_CPUS);
	return executed(queue, code);
}

/*
 * What the guest's kernel writes into vector n of a function whose vectors begin at the guest's first.
 * The data of the first message of MSI is a multiple of how many there are: of 32, here.
 */
static struct ward_message message_of(const struct app_guest_controller *controller,
				      const struct app_guest_slot *slot, uint32_t first, uint32_t n)
{
	uint64_t address = app_guest_register(controller);

	if (slot->translated)
		address = APP_GUEST_DOORBELL_IOVA | (address & 0xfff);
	if (controller->kind == WARD_VM_GICV2)
		return (struct ward_message){ ward_iova(address), FRAME_FIRST + first + n };
	if (controller->kind == WARD_VM_GICV3_ITS)
		return (struct ward_message){ ward_iova(address), n };
	n += first;
	return (struct ward_message){ ward_iova(APIC_ADDRESS | n % APP_GUEST_CPUS << 12),
				      APIC_FIRST_VECTOR + n / APP_GUEST_CPUS };
}

static int program_msix(const struct app_guest_controller *controller,
			const struct app_guest_slot *slot, uint32_t first)
{
	struct ward_vectors *vectors = slot->vectors;
	const uint16_t on = 0x8000;
	int code = 0;

	for (uint32_t i = 0; !code && i < slot->count; i++) {
		struct ward_message message = message_of(controller, slot, first, i);
		uint64_t address = ward_iova_raw(message.address), rest = message.data;

		code = ward_vectors_write(vectors, WARD_MSIX_TABLE, i * 16, &address, 8);
		if (!code) /* data, and the mask bit 0 */
			code = ward_vectors_write(vectors, WARD_MSIX_TABLE, i * 16 + 8, &rest, 8);
	}
	if (!code)
		code = ward_vectors_write(vectors, WARD_MSIX_CAPABILITY, 2, &on, sizeof(on));
	return code;
}

/* MSI grants a power of two, and the data of the first is a multiple of it. */
static int program_msi(const struct app_guest_controller *controller,
		       const struct app_guest_slot *slot, uint32_t first)
{
	struct ward_vectors *vectors = slot->vectors;
	struct ward_message message = message_of(controller, slot, first, 0);
	uint32_t low = (uint32_t)ward_iova_raw(message.address);
	uint32_t high = (uint32_t)(ward_iova_raw(message.address) >> 32);
	uint16_t data = (uint16_t)message.data, control = 1;
	int code;

	for (uint32_t granted = 1; granted < slot->count; granted *= 2)
		control = (uint16_t)(control + 0x10);
	code = ward_vectors_write(vectors, WARD_MSI_CAPABILITY, 4, &low, sizeof(low));
	if (!code)
		code = ward_vectors_write(vectors, WARD_MSI_CAPABILITY, 8, &high, sizeof(high));
	if (!code)
		code = ward_vectors_write(vectors, WARD_MSI_CAPABILITY, 12, &data, sizeof(data));
	if (!code)
		code = ward_vectors_write(vectors, WARD_MSI_CAPABILITY, 2, &control,
					  sizeof(control));
	return code;
}

uint32_t app_guest_vectors(const struct app_guest_controller *controller)
{
	if (controller->kind == WARD_VM_GICV2)
		return FRAME_COUNT;
	if (controller->kind == WARD_VM_GICV3_ITS)
		return WARD_MSIX_VECTORS_MAX;
	return APIC_VECTORS * APP_GUEST_CPUS;
}

bool app_guest_slot_is_of(const struct app_guest_controller *controller, uint32_t slot,
			  uint32_t function)
{
	return controller->rooms[slot].used && controller->rooms[slot].function == function;
}

/* All vectors that its functions ever had, at most: those of a slot stay with its function. */
static uint32_t vectors_in_all(const struct app_guest_controller *controller)
{
	if (controller->kind == WARD_VM_GICV3_ITS)
		return (UINT32_C(1) << LPI_BITS) - WARD_GIC_FIRST_LPI;
	return app_guest_vectors(controller);
}

static int program_controller(struct app_guest_controller *controller,
			      const struct ward_vm_parts *parts, const struct queue *queue)
{
	int code = 0;

	if (controller->kind == WARD_VM_GICV2)
		program_frame(parts->gic);
	if (controller->kind == WARD_VM_GICV3_ITS) {
		code = program_lpis(parts->gic, queue->memory);
		if (!code)
			code = program_its(queue);
	}
	controller->programmed = !code;
	return code;
}

/* Where the function's vectors are among the guest's: where they were, if there were enough. */
static int find_room(struct app_guest_controller *controller, const struct app_guest_slot *slot,
		     bool *ret_fresh)
{
	struct app_guest_room *room = &controller->rooms[slot->number];
	/* MSI's messages are a block that begins at a multiple of its size. */
	uint32_t align = slot->index == WARD_IRQS_MSI ? 32 : 1;
	uint32_t first = (controller->next + align - 1) / align * align;

	*ret_fresh = !room->used || room->function != slot->function || room->count < slot->count;
	if (!*ret_fresh)
		return 0;
	if (slot->count > vectors_in_all(controller) - first)
		return -ENOSPC;
	*room = (struct app_guest_room){ true, slot->function, first, slot->count };
	controller->next = first + slot->count;
	return 0;
}

int app_guest_program(struct app_guest_controller *controller, struct ward_vm *vm,
		      struct ward_memory *memory, const struct app_guest_slot *slot)
{
	struct ward_vm_parts parts;
	struct queue queue = { .memory = memory, .at = &controller->queue };
	bool fresh = false;
	uint32_t first;
	int code = ward_vm_model_parts(vm, &parts);

	queue.its = parts.its;
	if (!code && !controller->programmed)
		code = program_controller(controller, &parts, &queue);
	if (!code)
		code = find_room(controller, slot, &fresh);
	first = controller->rooms[slot->number].first;
	if (!code && fresh && controller->kind == WARD_VM_GICV3_ITS)
		code = program_events(&queue, slot, first);
	if (code)
		return code;
	return slot->index == WARD_IRQS_MSIX ? program_msix(controller, slot, first)
					     : program_msi(controller, slot, first);
}

/* Arm IHI 0070, 5.4 (context descriptor); Arm DDI 0487, D8.3 (tables): 32 bits of input, 4 KiB. */
int app_guest_write_stage1(struct ward_memory *memory, uint64_t doorbell)
{
	const uint64_t iova = APP_GUEST_DOORBELL_IOVA, tables = APP_GUEST_STAGE1 + 0x1000;
	const struct {
		uint64_t at, value;
	} words[] = {
		{ APP_GUEST_STAGE1, 0x20 | 3ull << 30 | 5ull << 32 | 1ull << 41 | 7ull << 45 },
		{ APP_GUEST_STAGE1 + 8, tables },
		{ APP_GUEST_STAGE1 + 24, 0xff },
		{ tables + (iova >> 30 & 511) * 8, (tables + 0x1000) | 3 },
		{ tables + 0x1000 + (iova >> 21 & 511) * 8, (tables + 0x2000) | 3 },
		{ tables + 0x2000 + (iova >> 12 & 511) * 8, (doorbell & ~0xfffull) | 0x743 },
		/* A block of 1 GiB. */
		{ tables + (RAM >> 30 & 511) * 8, (RAM & ~0x3fffffffull) | 0x741 },
	};
	int code = 0;

	for (unsigned int i = 0; !code && i < sizeof(words) / sizeof(words[0]); i++)
		code = ward_memory_write_u64(memory, words[i].at, words[i].value);
	return code;
}
