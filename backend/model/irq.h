/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Host interrupts of the model: the machine's controllers, what would be their drivers in a kernel,
 * and what would be VFIO above them.
 *
 *	irq.c		the calls of <doorward/irq.h>, and those that tell of a device's life
 *	irq_set.c	SET_IRQS: which change is allowed when
 *	irq_intx.c	the line, masks, the unmask eventfd
 *	irq_vector.c	vectors of a device: taken, written into its registers, given back
 *	irq_address.c	at which address a message is written, and who chose it
 *	irq_host.c	the hardware, and whose a host interrupt is
 *	irq_gic.c	drivers: GICv2m frames and the MBI page, SPIs
 *	irq_its.c	driver: the ITS, LPIs (irq_its_tables.c: its tables and queue)
 *	irq_x86.c	drivers: vectors of the CPUs, entries of the remapping table
 *	eventfd.c	eventfds
 */
#ifndef BACKEND_MODEL_IRQ_H
#define BACKEND_MODEL_IRQ_H

#include "state.h"

#include <doorward/doorbell.h>
#include <doorward/vector.h>

/* CPUs of the machine: the interrupts of a device are spread over them. */
#define WARD_MODEL_CPUS 2u
/* LPIs of the machine: 8192. */
#define WARD_MODEL_INTID_BITS 14u

struct ward_model_chip;
struct ward_model_its_device;

/* One vector of a device: what in Linux is an MSI descriptor with its host interrupt. */
struct ward_model_vector {
	bool allocated;
	uint32_t controller; /* index of facts->controllers */
	uint32_t cpu;
	uint32_t number;		     /* INTID, x86: vector */
	uint32_t event;			     /* ITS: EventID; remapping: index of the entry */
	struct ward_model_its_device *table; /* ITS: of which table */
	/* What the controller's driver composed: with the address as the function must write it. */
	struct ward_message message;
	/* Own copy of the eventfd, and the number it was given by; -1: none. */
	int eventfd, given;
	/* PREPARE: told before, goes into what the driver composes; and to which controller it leads. */
	bool prepared;
	ward_iova_t prepared_iova;
	uint32_t prepared_controller;
	/* OVERRIDE: put in the composed one's place whenever the vector is written. */
	bool overridden;
	ward_iova_t override_iova;
};

/* The interrupts of one open device. */
struct ward_model_irqs {
	struct ward_model_device *device;
	uint32_t active; /* INTX, MSI, MSIX; WARD_NONE: nothing is enabled */
	/* By index, MSI and MSIX; NULL until they are asked for. */
	struct ward_model_vector *vectors[WARD_IRQS_COUNT];
	uint32_t count; /* vectors of the active index that were enabled; MSI-X may have more */
	/* INTX: what masks it, by whom. */
	bool masked;
	int unmask;
	/* INTX, ERROR and REQUEST: own copy and number given. */
	int eventfd[WARD_IRQS_COUNT], given[WARD_IRQS_COUNT];
};

/* A driver of one kind of controller. */
struct ward_model_chip_ops {
	bool dynamic;	 /* vectors can be added while others are enabled */
	bool multi;	 /* several messages of MSI */
	bool translated; /* its doorbell is behind the IOMMU */
	/* Creates the hardware. -EINVAL: the machine's facts make no such hardware. */
	int (*create)(struct ward_model_chip *chip);
	void (*destroy)(struct ward_model_chip *chip);
	/*
	 * Takes count host interrupts for vectors first.. of a device, in a row where MSI needs
	 * that, and fills number, cpu, event, controller; message as a physical one.
	 * Whole or not at all: -ENOSPC; -ENOMEM.
	 */
	int (*alloc)(struct ward_model_chip *chip, const struct ward_model_irqs *irqs,
		     struct ward_model_vector *vectors, uint32_t count);
	void (*free)(struct ward_model_chip *chip, const struct ward_model_irqs *irqs,
		     struct ward_model_vector *vectors, uint32_t count);
};

extern const struct ward_model_chip_ops ward_model_chip_v2m, ward_model_chip_mbi,
	ward_model_chip_its, ward_model_chip_apic, ward_model_chip_remapping;

/* The driver's half of an ITS. */
struct ward_model_its_device {
	struct ward_model_its_device *next;
	ward_devid_t devid;
	uint32_t first_lpi, lpis; /* EventID n is LPI first_lpi + n */
	uint32_t event_bits;
	uint64_t itt, itt_bytes;
	uint8_t *used; /* by EventID */
	uint32_t used_count;
	bool shared; /* by functions that the ITS cannot tell apart: kept when nobody uses it */
};

#define WARD_MODEL_ITS_TABLES 8u

struct ward_model_its {
	struct ward_its *hardware;
	bool started;
	uint64_t queue, writer;
	uint64_t tables[WARD_MODEL_ITS_TABLES];
	uint64_t devices; /* the table; level 1 where it is indirect */
	bool indirect;
	uint32_t device_entry, event_entry; /* bytes */
	uint32_t device_bits;
	struct ward_model_its_device *list;
};

struct ward_model_chip {
	const struct ward_model_chip_ops *ops; /* NULL: nobody drives it */
	struct ward_model *model;
	uint32_t index; /* of facts->controllers */
	/* Frames and the MBI page: its SPIs. */
	uint32_t first_intid, intids;
	struct ward_gicv2m *frame;
	uint8_t *used;
	struct ward_model_its its;
};

/* Whose a host interrupt is. */
struct ward_model_owner {
	struct ward_model_irqs *irqs; /* NULL: nobody's */
	uint32_t vector;
};

struct ward_model_host {
	struct ward_model *model;
	struct ward_gic *gic;	  /* Arm */
	uint32_t gic_kind;	  /* enum ward_gic_kind */
	struct ward_apics *apics; /* x86 */
	struct ward_vtd **units;  /* x86, by index of facts->iommus */
	struct ward_apic_controller apic_controller;
	struct ward_model_chip *chips; /* by index of facts->controllers */
	/* Arm: by INTID; x86: by CPU and vector. Made with the first vector. */
	struct ward_model_owner *owners;
	uint32_t owners_count;
	uint8_t *lpis; /* by INTID, which are taken; NULL until there is an ITS in use */
	/* The redistributors' tables; 0 until then. */
	uint64_t lpi_table, lpi_pending[WARD_MODEL_CPUS];
	enum ward_gicv2m_policy policy;
	struct ward_doorbells *doorbells; /* the window; made when it is first needed */
	bool *lines;			  /* INTx, by function */
};

/* irq_host.c */
int ward_model_host_create(struct ward_model *model, struct ward_model_host **ret_host);
/* After the machine that writes to its doorbells. */
void ward_model_host_destroy(struct ward_model_host *host);
uint32_t ward_model_power_of_two(uint32_t count);
/*
 * Takes count numbers in a row of those from first to before end, used[0] being first's. As the device
 * ors into the data of MSI, the first one is a multiple of the next power of two, and so many are taken.
 */
bool ward_model_take_row(uint8_t *used, uint32_t first, uint32_t end, uint32_t count,
			 uint32_t *ret_first);
/* at: from used[0] on. */
void ward_model_free_row(uint8_t *used, uint32_t at, uint32_t count);
/* The controller of a function's messages; NULL: none, or nobody drives it. */
struct ward_model_chip *ward_model_chip_of(const struct ward_model *model, uint32_t function);
/* Says whose a host interrupt is; irqs NULL: nobody's any more. */
int ward_model_own(struct ward_model_host *host, uint32_t number, uint32_t cpu,
		   struct ward_model_irqs *irqs, uint32_t vector);
struct ward_model_owner *ward_model_owner_of(const struct ward_model_host *host, uint32_t number,
					     uint32_t cpu);

/* irq_gic.c */
void ward_model_gic_start(struct ward_model_host *host);

/* irq_its_tables.c: what a driver of the ITS does with its hardware. */
/* Tables, queue, collections, LPIs of all CPUs; once. -ENOMEM; -EIO a command was refused. */
int ward_model_its_start(struct ward_model_chip *chip);
/* Room for a DeviceID in the table. -ENOMEM; -EINVAL beyond it. */
int ward_model_its_make_room(struct ward_model_chip *chip, ward_devid_t devid);
/* MAPD. -EIO: refused. */
int ward_model_its_map_device(struct ward_model_chip *chip,
			      const struct ward_model_its_device *device, bool valid);
/* MAPTI, INV, SYNC; with the LPI enabled. -EIO: refused. */
int ward_model_its_map_event(struct ward_model_chip *chip,
			     const struct ward_model_its_device *device, uint32_t event,
			     uint32_t cpu);
void ward_model_its_unmap_event(struct ward_model_chip *chip,
				const struct ward_model_its_device *device, uint32_t event,
				uint32_t cpu);

/* irq.c */
extern const struct ward_irq_ops ward_model_irq_ops;
struct ward_model_irqs *ward_model_irqs_create(struct ward_model_device *device);
void ward_model_irqs_destroy(struct ward_model_irqs *irqs);
/* Its registers were reset: what was enabled is written again, as a host restores them. */
void ward_model_irqs_restore(struct ward_model_irqs *irqs);
/* A function froze: who has it open is told, by what was given for WARD_IRQS_ERROR. */
void ward_model_irqs_frozen(void *model, uint32_t function);
uint32_t ward_model_irq_count(const struct ward_model_device *device, uint32_t index);

/* irq_set.c */
int ward_model_irq_set(void *device, const struct ward_irq_set *set);
void ward_model_irqs_disable(struct ward_model_irqs *irqs);

/* irq_intx.c */
int ward_model_intx_set(struct ward_model_irqs *irqs, const struct ward_irq_set *set);
void ward_model_intx_disable(struct ward_model_irqs *irqs);
/* The line or its masks changed: fires when all let it. */
void ward_model_intx_look(struct ward_model_irqs *irqs);
/* Whether the command register's Interrupt Disable is on. */
bool ward_model_intx_held_back(const struct ward_model_irqs *irqs);
/* It was on before a write to the command register. */
void ward_model_intx_let_go(struct ward_model_irqs *irqs);
/* Takes what was written to the unmask eventfd; true: there was something. */
bool ward_model_intx_resample(struct ward_model_irqs *irqs);

/* irq_vector.c */
/* Enables count vectors. 0; how many there are, and nothing was done; or -ERANGE, -ENOSPC, -ENOMEM. */
int ward_model_vectors_enable(struct ward_model_irqs *irqs, uint32_t index, uint32_t count);
void ward_model_vectors_disable(struct ward_model_irqs *irqs);
/* One more, where the controller's driver can. */
int ward_model_vectors_add(struct ward_model_irqs *irqs, uint32_t vector);
/* Says who is told; -1: nobody. */
int ward_model_vector_signal(struct ward_model_irqs *irqs, uint32_t vector, int fd);
/* Writes message and mask of one vector, or of all, into the device's registers. */
void ward_model_vector_write(struct ward_model_irqs *irqs, uint32_t vector);
void ward_model_vectors_write(struct ward_model_irqs *irqs);
struct ward_model_vector *ward_model_vectors_of(struct ward_model_irqs *irqs, uint32_t index);

/* irq_address.c */
/* The address a vector's message goes to by the driver's choice; the doorbell is mapped. */
int ward_model_compose(struct ward_model_irqs *irqs, struct ward_model_vector *vector,
		       struct ward_space *space);
/*
 * Before a device goes into space: the doorbells of its vectors are there when this returns 0. After
 * it is there: what the software window or nobody chose is written anew.
 */
int ward_model_messages_prepare_move(struct ward_model_irqs *irqs, struct ward_space *space);
void ward_model_messages_move(struct ward_model_irqs *irqs, struct ward_space *space);
int ward_model_set_messages(void *device, enum ward_message_way way, uint32_t index, uint32_t start,
			    uint32_t count, const ward_iova_t *iovas, struct ward_error *error);

/* vtd.c: one entry of the remapping table; 0, 0 is not present. */
int ward_model_vtd_remapping(struct ward_model_iommu *iommu);
void ward_model_vtd_set_irte(struct ward_model_iommu *iommu, uint32_t index, uint64_t word0,
			     uint64_t word1);
#define WARD_MODEL_IRTES 256u

/* eventfd.c */
/* An own copy of what the caller lends. -EBADF; -EINVAL no eventfd; -EMFILE; -ENFILE. */
int ward_eventfd_take(int fd, int *ret_fd);
void ward_eventfd_drop(int *fd);
/* Adds one. Never blocks; one that is full stays so. */
void ward_eventfd_signal(int fd);
/* Takes what was added; false: nothing was. Never blocks. */
bool ward_eventfd_consume(int fd);

#endif
