// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * SET_IRQS and the addresses of messages, on the model: an input is a kind of machine and then steps,
 * calls of anybody for two devices. Whatever was asked for, what a device raises arrives at the eventfd
 * that was set last, no two vectors have one host interrupt, and no more than one kind is enabled.
 */
#include <doorward/backend/model.h>
#include <doorward/builder.h>
#include <doorward/memory.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 200u
#define DEVICES 2u
#define EVENTFDS 4u
#define VECTORS 16u
#define TABLES 0x90000000ull
#define TABLES_SIZE 0x100000ull
#define KINDS 5u

struct step {
	uint8_t kind, device, flags, index;
	uint8_t start, count, wide, data_size;
	int8_t data[8];
} __attribute__((packed));

enum {
	SET,
	MESSAGES,
	FIRE,
	LINE,
	RESET,
	REOPEN,
	SERVE,
	STEPS,
};

static const char *const names[DEVICES] = { "0000:01:00.0", "0000:02:00.0" };

struct world {
	struct ward_machine *facts;
	struct ward_memory *memory;
	struct ward_backend *backend;
	struct ward_space *space;
	struct ward_device *devices[DEVICES];
	int eventfds[EVENTFDS];
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void misused(void *context, const char *how)
{
	(void)context;
	(void)how;
	abort();
}

static struct ward_controller controller_of(unsigned int kind)
{
	static const enum ward_controller_kind kinds[KINDS] = {
		WARD_CONTROLLER_GICV2M,	  WARD_CONTROLLER_GICV3_MBI,	 WARD_CONTROLLER_GICV3_ITS,
		WARD_CONTROLLER_X86_APIC, WARD_CONTROLLER_X86_REMAPPING,
	};
	bool x86 = kind > 2;

	return (struct ward_controller){
		.kind = kinds[kind],
		.name = "controller",
		.doorbells = { { x86 ? 0xfee00000 : 0x8080000, x86 ? 0xfeefffff : 0x808ffff } },
		.doorbells_count = 1,
		.first_intid = kind < 2 ? 80 : 0,
		.intids = kind < 2 ? 20 : 0,
	};
}

static struct ward_function card(unsigned int i)
{
	struct ward_function f;

	ward_function_init(&f);
	require(ward_address_parse(names[i], &f.address) == 0);
	f.config_size = 4096;
	f.pcie_type = WARD_PCIE_ENDPOINT;
	f.pcie_known = f.iommu_known = f.controller_known = WARD_YES;
	f.msi = f.msix = true;
	f.msi_vectors = 8;
	f.msix_vectors = VECTORS;
	f.intx_pin = 1;
	f.resets = WARD_RESET_FLR;
	f.stream.iommu = 0;
	f.stream.sid = ward_sid(ward_rid_raw(f.address.rid));
	f.controller = 0;
	f.devid = ward_devid(ward_rid_raw(f.address.rid));
	return f;
}

static struct ward_machine *build(unsigned int kind)
{
	const struct ward_controller controller = controller_of(kind);
	const struct ward_iommu iommu = {
		.kind = kind > 2 ? WARD_IOMMU_VTD : WARD_IOMMU_SMMUV3,
		.name = "iommu",
		.active = WARD_YES,
		.remaps_interrupts = kind == 4 ? WARD_YES : WARD_NO,
		.controller = WARD_NONE,
	};
	struct ward_machine *machine = NULL;
	struct ward_builder *builder;

	require(ward_builder_create(&builder) == 0);
	require(ward_builder_set_host(builder, kind > 2 ? WARD_ARCH_X86 : WARD_ARCH_ARM64, NULL,
				      NULL, 4096) == 0);
	require(ward_builder_add_iommu(builder, &iommu, NULL) == 0);
	require(ward_builder_add_controller(builder, &controller, NULL) == 0);
	for (unsigned int i = 0; i < DEVICES; i++) {
		const struct ward_function f = card(i);

		require(ward_builder_add_function(builder, &f, NULL) == 0);
	}
	require(ward_builder_finish(builder, &machine, NULL) == 0);
	return machine;
}

static void open_device(struct world *world, unsigned int i)
{
	const uint8_t command[2] = { 0x06, 0 };

	require(ward_device_open(world->backend, names[i], &world->devices[i], NULL) == 0);
	require(ward_device_attach(world->devices[i], WARD_PASID_NONE, world->space) == 0);
	require(ward_device_write(world->devices[i], 7, 4, command, sizeof(command)) == 0);
}

static void make(struct world *world, unsigned int kind)
{
	static struct ward_machine *machines[KINDS];
	const struct ward_range tables = { TABLES, TABLES + TABLES_SIZE - 1 };
	const struct ward_space_options options = { .size = sizeof(options),
						    .kind = WARD_SPACE_UNMANAGED };

	if (!machines[kind])
		machines[kind] = build(kind);
	world->facts = machines[kind];
	require(ward_memory_create(&world->memory) == 0);
	require(ward_memory_add(world->memory, tables, 0, NULL) == 0);
	require(ward_backend_model(world->facts, world->memory, tables, &world->backend, NULL) ==
		0);
	ward_model_police(world->backend, misused, NULL);
	require(ward_backend_space(world->backend, &options, &world->space) == 0);
	for (unsigned int i = 0; i < EVENTFDS; i++) {
		world->eventfds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		require(world->eventfds[i] >= 0);
	}
	for (unsigned int i = 0; i < DEVICES; i++)
		open_device(world, i);
}

static void finish(struct world *world)
{
	for (unsigned int i = 0; i < DEVICES; i++)
		ward_device_close(world->devices[i]);
	ward_space_destroy(world->space);
	ward_backend_destroy(world->backend);
	ward_memory_destroy(world->memory);
	for (unsigned int i = 0; i < EVENTFDS; i++)
		close(world->eventfds[i]);
}

static uint32_t number(const struct step *step, uint8_t value)
{
	return step->wide & 1 ? UINT32_MAX - value : value;
}

static void set(struct world *world, const struct step *step)
{
	int32_t fds[VECTORS + 8];
	uint8_t bools[VECTORS + 8];
	bool are_fds = step->flags & WARD_IRQ_DATA_EVENTFD;
	struct ward_irq_set set = {
		.flags = step->flags | (step->wide & 2 ? 0x40u : 0),
		.index = step->index % (WARD_IRQS_COUNT + 1),
		.start = number(step, step->start),
		.count = number(step, step->count),
		.data = are_fds ? (const void *)fds : bools,
		/* No more than there is. */
		.data_size = step->data_size % sizeof(bools) * (are_fds ? sizeof(*fds) : 1),
	};
	int code;

	for (unsigned int i = 0; i < VECTORS + 8; i++) {
		int8_t letter = step->data[i % 8];

		bools[i] = letter & 1;
		fds[i] = letter >= 0 ? world->eventfds[letter % (int)EVENTFDS] : letter;
	}
	code = ward_device_set_irqs(world->devices[step->device % DEVICES], &set);
	require(code <= (int)VECTORS);
	require(code <= 0 || set.index == WARD_IRQS_MSI || set.index == WARD_IRQS_MSIX);
	require(code >= 0 || code == -EINVAL || code == -ENOTTY || code == -ENOSPC ||
		code == -ERANGE || code == -EBUSY || code == -EBADF);
}

static void messages(struct world *world, const struct step *step)
{
	static const uint64_t places[] = { 0x8000040, 0x8000000, 0x8080040, 0xfee00000, 0 };
	ward_iova_t iovas[VECTORS];
	struct ward_error why;
	int code;

	for (unsigned int i = 0; i < VECTORS; i++)
		iovas[i] = ward_iova(places[(uint8_t)step->data[i % 8] % 5]);
	code = ward_device_set_messages(world->devices[step->device % DEVICES],
					(enum ward_message_way)(step->flags % 3),
					step->index % (WARD_IRQS_COUNT + 1), step->start,
					step->count % (VECTORS + 1), iovas, &why);
	require(code == 0 || code == -EINVAL || code == -EFAULT || code == -EOPNOTSUPP);
}

static void fire(struct world *world, unsigned int device, uint32_t index, uint32_t vector)
{
	uint32_t function = ward_machine_find_name(world->facts, names[device]);
	struct ward_host_irq irq;
	struct ward_raise raised;
	uint64_t count;
	int code;

	if (ward_device_irq(world->devices[device], index, vector, &irq))
		return;
	for (unsigned int i = 0; i < EVENTFDS; i++)
		if (read(world->eventfds[i], &count, sizeof(count)) != sizeof(count))
			continue;
	code = ward_model_raise(world->backend, function, (enum ward_irq_index)index, vector,
				&raised);
	if (!irq.allocated || irq.eventfd < 0)
		return;
	require(code == 0 && !raised.masked);
	require(read(irq.eventfd, &count, sizeof(count)) == sizeof(count) && count == 1);
}

static void act(struct world *world, const struct step *step)
{
	unsigned int device = step->device % DEVICES;
	uint32_t index = step->index & 1 ? WARD_IRQS_MSI : WARD_IRQS_MSIX;

	switch (step->kind % STEPS) {
	case SET:
		set(world, step);
		break;
	case MESSAGES:
		messages(world, step);
		break;
	case FIRE:
		fire(world, device, index, step->start);
		break;
	case LINE:
		ward_model_intx(world->backend, ward_machine_find_name(world->facts, names[device]),
				step->flags & 1);
		break;
	case RESET:
		require(ward_device_reset(world->devices[device]) == 0);
		break;
	case REOPEN:
		ward_device_close(world->devices[device]);
		open_device(world, device);
		break;
	default:
		require(ward_model_dispatch(world->backend) >= 0);
	}
}

/* One kind at a time; on Arm no INTID twice, on x86 as many as there are CPUs. */
static void check(struct world *world)
{
	uint8_t seen[1u << 14] = { 0 };

	for (unsigned int device = 0; device < DEVICES; device++) {
		uint32_t enabled[WARD_IRQS_COUNT] = { 0 };

		for (uint32_t index = WARD_IRQS_MSI; index <= WARD_IRQS_MSIX; index++) {
			struct ward_host_irq irq;

			for (uint32_t i = 0; i < VECTORS; i++) {
				if (ward_device_irq(world->devices[device], index, i, &irq) ||
				    !irq.allocated)
					continue;
				enabled[index]++;
				require(irq.number < sizeof(seen));
				seen[irq.number]++;
				require(seen[irq.number] <=
					(world->facts->arch == WARD_ARCH_X86 ? 2 : 1));
			}
		}
		require(!enabled[WARD_IRQS_MSI] || !enabled[WARD_IRQS_MSIX]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = { 0 };

	if (size < 1)
		return 0;
	make(&world, data[0] % KINDS);
	data++;
	size--;
	for (unsigned int i = 0; i < STEPS_MAX && size >= sizeof(struct step); i++) {
		struct step step;

		memcpy(&step, data, sizeof(step));
		data += sizeof(step);
		size -= sizeof(step);
		act(&world, &step);
		check(&world);
	}
	finish(&world);
	return 0;
}
