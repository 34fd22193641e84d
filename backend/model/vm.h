/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A guest's interrupt controller in software, as KVM has it.
 *
 *	vm.c		the controllers; lines and messages
 *	vm_route.c	the routing table, and raising a GSI by it
 *	vm_irqfd.c	eventfds that raise GSIs
 *	vm_pin.c	x86: PIC and IOAPIC
 *
 * Who raises reads the table between enter and exit of a reader, without a lock; who replaces it waits
 * for readers. The lock is over irqfds and over the VM's own reader, which stands in for callers
 * that have none. Nobody waits for readers while holding it.
 */
#ifndef BACKEND_MODEL_VM_H
#define BACKEND_MODEL_VM_H

#include <doorward/backend/interface.h>
#include <doorward/backend/model.h>

#include <pthread.h>
#include <stdatomic.h>

#define VM_PIC_PINS 8u
#define VM_IOAPIC_PINS 24u

/* Who holds a line. KVM lowers what a resampling irqfd holds apart from what others hold. */
enum vm_source {
	VM_SOURCE_USER, /* ward_vm_irq_line, and irqfds that pulse */
	VM_SOURCE_RESAMPLE,
};

struct vm_pin {
	_Atomic uint64_t entry; /* IOAPIC: redirection entry */
	_Atomic uint32_t state; /* 1 << enum vm_source, and VM_PIN_REQUESTED */
};

#define VM_PIN_LINES 0x3u
#define VM_PIN_REQUESTED 0x4u

/* What is done to a line. */
enum vm_signal {
	VM_PULSE, /* up and down again, and no edge is lost to somebody who holds it up */
	VM_HIGH,
	VM_LOW,
};

/* Where a route leads. */
enum vm_way {
	VM_NOWHERE, /* no such SPI, no ITS there, no device id */
	VM_SPI,
	VM_ITS,
	VM_APIC,
	VM_PIN,
};

struct vm_target {
	struct ward_route route;
	enum vm_way way;
};

/* By GSI: targets first[gsi] to first[gsi + 1] - 1. */
struct vm_table {
	uint16_t first[WARD_GSIS + 1];
	struct vm_target targets[];
};

struct vm_irqfd {
	bool used;
	uint32_t generation; /* tells it from others that had its slot */
	int fd;		     /* borrowed */
	uint64_t id;	     /* of the eventfd, whatever fd names it */
	uint32_t gsi;
	int resamplefd; /* our own, or -1 */
};

struct vm_irqfds {
	int epoll;
	struct vm_irqfd *slots;
	size_t capacity;
	uint32_t count;
	uint32_t live;
};

struct vm_model {
	struct ward_vm_options options;
	struct ward_readers *readers;
	struct ward_vm_parts parts;
	bool started;
	struct vm_table *_Atomic table;
	/* The chips of x86, by WARD_CHIP_*; NULL without. */
	struct vm_pin *pins[3];

	pthread_mutex_t lock;
	struct ward_reader *reader; /* NULL without readers */
	struct vm_irqfds irqfds;

	void (*misused)(void *context, const char *how);
	void *misused_context;
};

/* NULL: it is no model. */
struct vm_model *ward_vm_model_of(const struct ward_vm *vm);

/* A table that is not in force yet; freed by free(). 0 or -ENOMEM. */
int ward_vm_table_create(const struct vm_model *vm, const struct ward_route *routes, uint32_t count,
			 struct vm_table **ret_table);
/* Takes table; when it returns, nobody uses the old one. */
void ward_vm_table_publish(struct vm_model *vm, struct vm_table *table);
/* Whether two tables say the same of a GSI. */
bool ward_vm_table_agree(const struct vm_table *a, const struct vm_table *b, uint32_t gsi);
/* Whether a GSI has a pin of a chip among its routes. */
bool ward_vm_table_has_pin(const struct vm_table *table, uint32_t gsi, uint32_t chip, uint32_t pin);
/* Raises a GSI; reader is entered. How many it arrived at. */
int ward_vm_raise(struct vm_model *vm, struct ward_reader *reader, uint32_t gsi,
		  enum vm_signal signal, enum vm_source source,
		  struct ward_interrupt *ret_interrupt);

/* Does it to an SPI that there is. */
int ward_vm_spi_signal(struct vm_model *vm, uint32_t intid, enum vm_signal signal,
		       struct ward_interrupt *ret_interrupt);

int ward_vm_irqfds_init(struct vm_model *vm);
void ward_vm_irqfds_finish(struct vm_model *vm);
int ward_vm_irqfd_change(struct vm_model *vm, const struct ward_irqfd *irqfd);
/* The guest ended a level: who resamples its GSIs lets go of the line and is told. */
void ward_vm_pin_ended(struct vm_model *vm, uint32_t chip, uint32_t pin);
/* The first GSI that is raised by an irqfd and that two tables differ about; WARD_NONE: none. */
uint32_t ward_vm_irqfd_disagree(struct vm_model *vm, const struct vm_table *a,
				const struct vm_table *b);

int ward_vm_pins_create(struct vm_model *vm);
void ward_vm_pins_destroy(struct vm_model *vm);
/* How many CPUs or chips it arrived at. */
int ward_vm_pin_signal(struct vm_model *vm, uint32_t chip, uint32_t pin, enum vm_signal signal,
		       enum vm_source source, struct ward_interrupt *ret_interrupt);

#endif
