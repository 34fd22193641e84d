// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The pins of x86: an IOAPIC (Intel 82093AA) whose entries become messages to the local APICs, and two
 * PICs (8259A) that remember what was raised; their way to a CPU is not here.
 *
 * As in KVM, polarity is not looked at, and an edge at a masked pin is lost (82093AA, 3.2.4); so is one
 * at a pin that is held high, but not that of an irqfd: it is a message that came by a wire.
 *
 * Without a lock: each pin is one word. Whoever finds it ready takes it, by setting remote IRR.
 */
#include "vm.h"

#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>

#define ENTRY_VECTOR(entry) ((uint32_t)(entry)&0xff)
#define ENTRY_MODE(entry) ((uint32_t)((entry) >> 8) & 7)
#define ENTRY_LOGICAL(entry) ((uint32_t)((entry) >> 11) & 1)
#define ENTRY_DESTINATION(entry) ((uint32_t)((entry) >> 56))
#define ENTRY_LEVEL (UINT64_C(1) << 15)
#define ENTRY_MASKED (UINT64_C(1) << 16)
/* Delivery status and remote IRR. */
#define ENTRY_READ_ONLY (UINT64_C(1) << 12 | UINT64_C(1) << 14)

int ward_vm_pins_create(struct vm_model *vm)
{
	for (uint32_t chip = 0; chip < 3; chip++) {
		uint32_t count = chip == WARD_CHIP_IOAPIC ? VM_IOAPIC_PINS : VM_PIC_PINS;

		vm->pins[chip] = ward_alloc_array(count, sizeof(*vm->pins[chip]));
		if (!vm->pins[chip])
			return -ENOMEM;
	}
	for (uint32_t pin = 0; pin < VM_IOAPIC_PINS; pin++)
		atomic_init(&vm->pins[WARD_CHIP_IOAPIC][pin].entry, ENTRY_MASKED);
	return 0;
}

void ward_vm_pins_destroy(struct vm_model *vm)
{
	for (uint32_t chip = 0; chip < 3; chip++)
		free(vm->pins[chip]);
}

static int deliver(struct vm_model *vm, uint64_t entry, struct ward_interrupt *ret_interrupt)
{
	const struct ward_message message = {
		.address = ward_iova(0xfee00000u | ENTRY_DESTINATION(entry) << 12 |
				     ENTRY_LOGICAL(entry) << 2),
		.data = ENTRY_VECTOR(entry) | ENTRY_MODE(entry) << 8 | 1u << 14 |
			(entry & ENTRY_LEVEL ? 1u << 15 : 0),
	};

	return ward_apics_message(vm->parts.apics, &message, ret_interrupt);
}

/* A level pin that is high goes out when it is not masked and the last one was ended. */
static int service(struct vm_model *vm, struct vm_pin *pin, struct ward_interrupt *ret_interrupt)
{
	uint64_t entry = atomic_load(&pin->entry);
	uint32_t state = atomic_load(&pin->state);

	if (entry & ENTRY_MASKED || !(entry & ENTRY_LEVEL))
		return 0;
	do {
		if (!(state & VM_PIN_LINES) || state & VM_PIN_REQUESTED)
			return 0;
	} while (!atomic_compare_exchange_weak(&pin->state, &state, state | VM_PIN_REQUESTED));
	return deliver(vm, entry, ret_interrupt);
}

static int set_ioapic(struct vm_model *vm, struct vm_pin *pin, enum vm_signal signal, uint32_t line,
		      struct ward_interrupt *ret_interrupt)
{
	uint64_t entry = atomic_load(&pin->entry);
	bool edge = !(entry & ENTRY_LEVEL), rising = signal == VM_PULSE;
	int reached;

	if (signal == VM_LOW) {
		atomic_fetch_and(&pin->state, ~line);
		return 0;
	}
	rising |= !(atomic_fetch_or(&pin->state, line) & VM_PIN_LINES);
	if (!edge)
		reached = service(vm, pin, ret_interrupt);
	else
		reached = rising && !(entry & ENTRY_MASKED) ? deliver(vm, entry, ret_interrupt) : 0;
	if (signal == VM_PULSE)
		atomic_fetch_and(&pin->state, ~line);
	return reached;
}

static int set_pic(struct vm_pin *pin, enum vm_signal signal, uint32_t line)
{
	if (signal != VM_LOW)
		atomic_fetch_or(&pin->state, line | VM_PIN_REQUESTED);
	if (signal != VM_HIGH)
		atomic_fetch_and(&pin->state, ~line);
	return signal != VM_LOW;
}

int ward_vm_pin_signal(struct vm_model *vm, uint32_t chip, uint32_t pin, enum vm_signal signal,
		       enum vm_source source, struct ward_interrupt *ret_interrupt)
{
	uint32_t line = 1u << source;

	if (chip == WARD_CHIP_IOAPIC)
		return set_ioapic(vm, &vm->pins[chip][pin], signal, line, ret_interrupt);
	return set_pic(&vm->pins[chip][pin], signal, line);
}

/* The IOAPIC's pins, or NULL. */
static struct vm_pin *ioapic_of(const struct vm_model *vm)
{
	return vm ? vm->pins[WARD_CHIP_IOAPIC] : NULL;
}

int ward_vm_model_set_pin(struct ward_vm *vm, uint32_t pin, uint64_t entry)
{
	struct vm_model *model = ward_vm_model_of(vm);
	struct vm_pin *pins = ioapic_of(model);
	struct ward_interrupt interrupt;

	if (!pins || pin >= VM_IOAPIC_PINS)
		return -EINVAL;
	atomic_store(&pins[pin].entry, entry & ~ENTRY_READ_ONLY);
	if (!(entry & ENTRY_LEVEL))
		atomic_fetch_and(&pins[pin].state, ~VM_PIN_REQUESTED);
	service(model, &pins[pin], &interrupt);
	return 0;
}

int ward_vm_model_pin(const struct ward_vm *vm, uint32_t chip, uint32_t pin,
		      struct ward_vm_pin *ret_pin)
{
	const struct vm_model *model = ward_vm_model_of(vm);
	uint32_t state;

	if (!ioapic_of(model) || chip > WARD_CHIP_IOAPIC ||
	    pin >= (chip == WARD_CHIP_IOAPIC ? VM_IOAPIC_PINS : VM_PIC_PINS))
		return -EINVAL;
	state = atomic_load(&model->pins[chip][pin].state);
	*ret_pin = (struct ward_vm_pin){
		.high = state & VM_PIN_LINES,
		.requested = state & VM_PIN_REQUESTED,
	};
	return 0;
}

/* Every level pin with this vector, as the broadcast of a local APIC has it (SDM 3, 11.8.5). */
static void end_vector(struct vm_model *vm, struct vm_pin *pins, uint32_t vector)
{
	struct ward_interrupt interrupt;

	for (uint32_t pin = 0; pin < VM_IOAPIC_PINS; pin++) {
		uint64_t entry = atomic_load(&pins[pin].entry);

		if (!(entry & ENTRY_LEVEL) || ENTRY_VECTOR(entry) != vector ||
		    !(atomic_load(&pins[pin].state) & VM_PIN_REQUESTED))
			continue;
		ward_vm_pin_ended(vm, WARD_CHIP_IOAPIC, pin);
		atomic_fetch_and(&pins[pin].state, ~VM_PIN_REQUESTED);
		service(vm, &pins[pin], &interrupt);
	}
}

int ward_vm_model_end(struct ward_vm *vm, uint32_t cpu, uint32_t number)
{
	struct vm_model *model = ward_vm_model_of(vm);

	if (!model)
		return -EINVAL;
	if (model->parts.gic)
		return ward_gic_end(model->parts.gic, cpu, number);
	if (cpu >= model->options.cpus || number > 0xff)
		return -EINVAL;
	if (ioapic_of(model))
		end_vector(model, ioapic_of(model), number);
	return 0;
}
