/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Machines with each kind of MSI controller, for tests of host interrupts: cards 01:00.0 (8 MSI, 8
 * MSI-X) and 02:00.0 (4 and 16) behind ports of their own, and two conventional ones (MSI 2) that share
 * an id behind a bridge.
 */
#ifndef TESTS_BACKEND_IRQ_RIG_H
#define TESTS_BACKEND_IRQ_RIG_H

#include "model_rig.h"

#include <sys/eventfd.h>
#include <unistd.h>

#define CARD "0000:01:00.0"
#define OTHER "0000:02:00.0"
#define OLD_ONE "0000:04:01.0"
#define OLD_TWO "0000:04:02.0"

#define ITS_BASE 0x8080000ull
#define ITS_PAGE (ITS_BASE + 0x10000)
#define V2M_BASE 0x8020000ull
#define WINDOW 0x8000000ull

enum irq_machine {
	ON_V2M, /* two frames: SPIs 80 to 87, 96 to 127 */
	ON_MBI,
	ON_ITS,
	ON_APIC,
	ON_REMAPPING,
	IRQ_MACHINES,
};

static inline void irq_controllers(struct make *m, enum irq_machine kind)
{
	switch (kind) {
	case ON_V2M:
		make_arm_v2m(m, 4096, 2);
		m->controllers[0].first_intid = 80;
		m->controllers[0].intids = 8;
		m->controllers[1].first_intid = 96;
		m->controllers[1].intids = 32;
		return;
	case ON_MBI:
		make_empty(m, WARD_ARCH_ARM64, 4096);
		make_iommu(m, WARD_IOMMU_SMMUV3);
		make_controller(m, WARD_CONTROLLER_GICV3_MBI, WARD_NO, 0x8000000, 0x10000);
		m->controllers[0].first_intid = 200;
		m->controllers[0].intids = 50;
		return;
	case ON_ITS:
		make_empty(m, WARD_ARCH_ARM64, 4096);
		make_iommu(m, WARD_IOMMU_SMMUV3);
		make_controller(m, WARD_CONTROLLER_GICV3_ITS, WARD_YES, ITS_PAGE, 0x10000);
		return;
	case ON_APIC:
		make_x86_apic(m);
		return;
	case ON_REMAPPING:
	case IRQ_MACHINES:
		make_x86(m);
	}
}

static inline void irq_card(struct ward_function *f, uint8_t msi, uint16_t msix)
{
	f->msi = msi > 0;
	f->msi_vectors = msi;
	f->msix = msix > 0;
	f->msix_vectors = msix;
}

/* As the bridge's: they are seen with its id, 04:00.0. */
static inline void irq_behind(struct ward_function *f)
{
	f->devid = ward_devid(0x400);
	f->stream.sid = ward_sid(0x400);
	f->aliases = 1;
	f->alias[0] = ward_rid_make(4, 0, 0);
}

static inline void irq_functions(struct make *m)
{
	root_port(m, "00:1c.0", 1, ACS_ON);
	root_port(m, "00:1d.0", 2, ACS_ON);
	root_port_to(m, "00:1e.0", 3, 4, ACS_ON);
	irq_card(endpoint(m, "01:00.0"), 8, 8);
	irq_card(endpoint(m, "02:00.0"), 4, 16);
	pcie_to_pci(m, "03:00.0", 4);
	for (unsigned int i = 0; i < 2; i++) {
		struct ward_function *f = conventional(m, i ? "04:02.0" : "04:01.0");

		irq_card(f, 2, 0);
		irq_behind(f);
	}
}

static inline void irq_start(struct rig *rig, enum irq_machine kind)
{
	memset(rig, 0, sizeof(*rig));
	irq_controllers(&rig->make, kind);
	irq_functions(&rig->make);
	rig_start(rig);
}

static inline int new_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	assert_true(fd >= 0);
	return fd;
}

/* What was added since it was last asked. */
static inline uint64_t rung(int fd)
{
	uint64_t count = 0;

	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

static inline int set_fds(struct ward_device *device, uint32_t index, uint32_t start,
			  uint32_t count, const int32_t *fds)
{
	const struct ward_irq_set set = {
		.flags = WARD_IRQ_DATA_EVENTFD | WARD_IRQ_TRIGGER,
		.index = index,
		.start = start,
		.count = count,
		.data = fds,
		.data_size = count * sizeof(*fds),
	};

	return ward_device_set_irqs(device, &set);
}

static inline int set_none(struct ward_device *device, uint32_t index, uint32_t action,
			   uint32_t start, uint32_t count)
{
	const struct ward_irq_set set = {
		.flags = WARD_IRQ_DATA_NONE | action,
		.index = index,
		.start = start,
		.count = count,
	};

	return ward_device_set_irqs(device, &set);
}

static inline int disable(struct ward_device *device, uint32_t index)
{
	return set_none(device, index, WARD_IRQ_TRIGGER, 0, 0);
}

static inline struct ward_raise raise_vector(struct rig *rig, const char *name, uint32_t index,
					     uint32_t vector)
{
	struct ward_raise raised = { 0 };

	assert_int_equal(ward_model_raise(rig->backend, rig_function(rig, name),
					  (enum ward_irq_index)index, vector, &raised),
			 0);
	return raised;
}

static inline struct ward_host_irq irq_of(struct ward_device *device, uint32_t index,
					  uint32_t vector)
{
	struct ward_host_irq irq;

	assert_int_equal(ward_device_irq(device, index, vector, &irq), 0);
	return irq;
}

static inline void bus_master(struct ward_device *device)
{
	const uint8_t command[2] = { 0x06, 0 };

	assert_int_equal(ward_device_write(device, 7, 4, command, sizeof(command)), 0);
}

static inline struct ward_device *irq_open(struct rig *rig, const char *name)
{
	struct ward_device *device = rig_open(rig, name);

	bus_master(device);
	return device;
}

/* On each machine in turn: a space of the given kind, the card in it. */
struct irq_fixture {
	struct rig rig;
	enum irq_machine kind;
	struct ward_space *space;
	struct ward_device *card;
	int fd[16];
};

static inline struct irq_fixture *irq_setup(enum irq_machine kind)
{
	struct irq_fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	irq_start(&f->rig, kind);
	f->kind = kind;
	f->space = rig_space(&f->rig, WARD_SPACE_UNMANAGED);
	f->card = irq_open(&f->rig, CARD);
	assert_int_equal(ward_device_attach(f->card, WARD_PASID_NONE, f->space), 0);
	for (unsigned int i = 0; i < 16; i++)
		f->fd[i] = new_eventfd();
	return f;
}

static inline void irq_teardown(struct irq_fixture *f)
{
	ward_device_close(f->card);
	ward_space_destroy(f->space);
	assert_int_equal(f->rig.misuses, 0);
	rig_end(&f->rig);
	for (unsigned int i = 0; i < 16; i++)
		close(f->fd[i]);
	free(f);
}

static inline void on_each_machine(void (*body)(struct irq_fixture *f))
{
	for (unsigned int kind = 0; kind < IRQ_MACHINES; kind++) {
		struct irq_fixture *f = irq_setup((enum irq_machine)kind);

		body(f);
		irq_teardown(f);
	}
}

#endif
