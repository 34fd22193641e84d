// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Local APICs: from a message to the CPUs that request its vector.
 *
 * Where Intel's SDM leaves something open
 * - The destination mode counts whether or not the redirection hint is set. 11.11.1 says it does not
 *   without; chipsets and KVM look at it, and Linux relies on that.
 * - Lowest priority: among n CPUs the one at place (vector mod n), as KVM's vector hashing has it.
 *   Which of them it is is the hardware's business; here it is the same one each time.
 * - A physical broadcast to one CPU of lowest priority is not allowed; all get it, as in KVM.
 * - Reserved bits of address and data are not looked at, as by chipsets that do not remap.
 * - A vector below 16 is an error of the receiving APIC and requests nothing (11.5.2).
 */
#include "emul/apic.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/fault.h"

#define FIRST_VECTOR 16u
#define BROADCAST 0xffu
#define WIDE_BROADCAST 0xffffffffu

#define DOORBELL 0xfee00000u
#define DOORBELL_MASK 0xfff00000u
#define HINT (1u << 3)
#define LOGICAL (1u << 2)
#define ASSERT (1u << 14)
#define LEVEL (1u << 15)

/* An address in one word, so that a message sees the old one or the new one. */
#define ADDRESS_LOGICAL_SHIFT 32
#define ADDRESS_X2APIC (UINT64_C(1) << 40)
#define ADDRESS_CLUSTER (UINT64_C(1) << 41)
#define ADDRESS_OFF (UINT64_C(1) << 42)

struct apic {
	_Atomic uint64_t address;
	_Atomic uint32_t requested[8];
};

struct ward_apics {
	struct ward_apics_options options;
	/* Ids are the numbers of the CPUs: nobody need be looked for. */
	_Atomic bool plain;
	struct apic *cpus;
};

int ward_apics_create(const struct ward_apics_options *options, struct ward_apics **ret_apics)
{
	struct ward_apics *apics;

	if (options->size != sizeof(*options) || options->cpus < 1 ||
	    options->cpus > WARD_APIC_CPUS_MAX)
		return -EINVAL;
	apics = ward_alloc(sizeof(*apics));
	if (!apics)
		return -ENOMEM;
	apics->options = *options;
	apics->cpus = ward_alloc_array(options->cpus, sizeof(*apics->cpus));
	if (!apics->cpus) {
		free(apics);
		return -ENOMEM;
	}
	atomic_store(&apics->plain, true);
	/* What does not fit into an xAPIC's id is in x2APIC mode from the beginning. */
	for (uint32_t i = 0; i < options->cpus; i++)
		atomic_store(&apics->cpus[i].address, i | (i >= BROADCAST ? ADDRESS_X2APIC : 0));
	*ret_apics = apics;
	return 0;
}

void ward_apics_destroy(struct ward_apics *apics)
{
	if (!apics)
		return;
	free(apics->cpus);
	free(apics);
}

int ward_apics_set_address(struct ward_apics *apics, uint32_t cpu,
			   const struct ward_apic_address *address)
{
	uint64_t packed;

	if (cpu >= apics->options.cpus || (!address->x2apic && address->id >= BROADCAST))
		return -EINVAL;
	packed = address->id | (uint64_t)address->logical << ADDRESS_LOGICAL_SHIFT |
		 (address->x2apic ? ADDRESS_X2APIC : 0) | (address->cluster ? ADDRESS_CLUSTER : 0) |
		 (address->off ? ADDRESS_OFF : 0);
	if (address->id != cpu)
		atomic_store(&apics->plain, false);
	atomic_store(&apics->cpus[cpu].address, packed);
	return 0;
}

static bool is_broadcast(const struct ward_apic_delivery *d, bool x2apic)
{
	return d->destination == WIDE_BROADCAST ||
	       (d->destination == BROADCAST && !(d->wide && x2apic));
}

/* 11.6.2.2, 11.12.10.2: cluster in the upper part, members in the lower. */
static bool is_logical(const struct ward_apic_delivery *d, uint64_t address)
{
	uint32_t id = (uint32_t)address;
	uint8_t logical = (uint8_t)(address >> ADDRESS_LOGICAL_SHIFT);

	if (address & ADDRESS_X2APIC)
		return d->destination >> 16 == (id >> 4 & 0xffff) &&
		       d->destination >> (id & 15) & 1;
	if (d->destination > BROADCAST)
		return false;
	if (!(address & ADDRESS_CLUSTER))
		return d->destination & logical;
	return d->destination >> 4 == logical >> 4 && d->destination & logical & 0xf;
}

static bool is_meant(const struct ward_apics *apics, uint32_t cpu,
		     const struct ward_apic_delivery *d)
{
	uint64_t address = atomic_load_explicit(&apics->cpus[cpu].address, memory_order_acquire);

	if (address & ADDRESS_OFF)
		return false;
	if (is_broadcast(d, address & ADDRESS_X2APIC))
		return true;
	return d->logical ? is_logical(d, address) : d->destination == (uint32_t)address;
}

struct span {
	uint32_t first, end;
};

/* Where CPUs with this destination can be. */
static struct span search(const struct ward_apics *apics, const struct ward_apic_delivery *d)
{
	uint32_t cpus = apics->options.cpus;

	if (d->logical || d->destination == BROADCAST || d->destination == WIDE_BROADCAST ||
	    !atomic_load_explicit(&apics->plain, memory_order_acquire))
		return (struct span){ 0, cpus };
	if (d->destination >= cpus)
		return (struct span){ 0, 0 };
	return (struct span){ d->destination, d->destination + 1 };
}

static void request(struct ward_apics *apics, uint32_t cpu, uint32_t vector)
{
	uint32_t bit = 1u << vector % 32, old;

	old = atomic_fetch_or(&apics->cpus[cpu].requested[vector / 32], bit);
	if (!(old & bit) && apics->options.raised)
		apics->options.raised(apics->options.context, cpu, vector);
}

/* At one, the n-th of those that are meant, or (WARD_NONE) at all. Returns at how many. */
static uint32_t arrive(struct ward_apics *apics, const struct ward_apic_delivery *d, uint32_t nth,
		       bool requests, uint32_t *ret_first)
{
	struct span span = search(apics, d);
	uint32_t seen = 0, count = 0;

	for (uint32_t cpu = span.first; cpu < span.end; cpu++) {
		if (!is_meant(apics, cpu, d) || (seen++ != nth && nth != WARD_NONE))
			continue;
		if (count++ == 0)
			*ret_first = cpu;
		if (requests)
			request(apics, cpu, d->vector);
	}
	return count;
}

static uint32_t refuse(enum ward_interrupt_reason reason, struct ward_interrupt *ret_interrupt)
{
	*ret_interrupt = (struct ward_interrupt){
		.end = WARD_INTERRUPT_IGNORED,
		.reason = reason,
		.number = ret_interrupt->number,
		.cpu = WARD_NONE,
	};
	return 0;
}

/* Fixed and lowest priority request a vector; the other modes do something else to a CPU. */
static bool requests_vector(const struct ward_apic_delivery *d)
{
	return d->mode == WARD_APIC_FIXED || d->mode == WARD_APIC_LOWEST;
}

static bool is_to_one(const struct ward_apic_delivery *d)
{
	bool all = !d->logical &&
		   (d->destination == WIDE_BROADCAST || (d->destination == BROADCAST && !d->wide));

	return (d->hint || d->mode == WARD_APIC_LOWEST) && !all;
}

uint32_t ward_apics_deliver(struct ward_apics *apics, const struct ward_apic_delivery *delivery,
			    bool probe, struct ward_interrupt *ret_interrupt)
{
	bool requests = requests_vector(delivery);
	uint32_t count, first = WARD_NONE, nth = WARD_NONE;

	ret_interrupt->number = delivery->vector;
	if (delivery->mode == 3 || delivery->mode == 6 || delivery->mode > WARD_APIC_EXTINT)
		return refuse(WARD_REASON_FORMAT, ret_interrupt);
	if (requests && delivery->vector < FIRST_VECTOR)
		return refuse(WARD_REASON_DATA, ret_interrupt);
	/* A level goes low: nothing that an APIC keeps. */
	if (delivery->level && !delivery->on)
		return refuse(WARD_REASON_MODE, ret_interrupt);
	count = arrive(apics, delivery, nth, requests && !probe && !is_to_one(delivery), &first);
	if (is_to_one(delivery) && count) {
		nth = delivery->vector % count;
		count = arrive(apics, delivery, nth, requests && !probe, &first);
	}
	if (!count)
		return refuse(WARD_REASON_NO_CPU, ret_interrupt);
	*ret_interrupt = (struct ward_interrupt){
		.end = WARD_INTERRUPT_PENDING,
		.reason = requests ? WARD_REASON_NONE : WARD_REASON_MODE,
		.number = delivery->vector,
		.cpu = first,
		.cpus = count,
	};
	return count;
}

uint32_t ward_apics_send(struct ward_apics *apics, const struct ward_message *message, bool probe,
			 struct ward_interrupt *ret_interrupt)
{
	const struct ward_apics_options *options = &apics->options;
	uint64_t address = ward_iova_raw(message->address);
	uint32_t low = (uint32_t)address, high = (uint32_t)(address >> 32);
	struct ward_apic_delivery delivery = {
		.destination = low >> 12 & 0xff,
		.wide = options->x2apic_format || options->extended_destination,
		.logical = low & LOGICAL,
		.hint = low & HINT,
		.level = message->data & LEVEL,
		.on = message->data & ASSERT,
		.mode = message->data >> 8 & 7,
		.vector = (uint8_t)message->data,
	};

	ret_interrupt->number = delivery.vector;
	if ((low & DOORBELL_MASK) != DOORBELL || (options->x2apic_format ? high & 0xff : high))
		return refuse(WARD_REASON_FORMAT, ret_interrupt);
	if (options->extended_destination)
		delivery.destination |= (low >> 5 & 0x7f) << 8;
	if (options->x2apic_format)
		delivery.destination |= high & ~0xffu;
	return ward_apics_deliver(apics, &delivery, probe, ret_interrupt);
}

int ward_apics_message(struct ward_apics *apics, const struct ward_message *message,
		       struct ward_interrupt *ret_interrupt)
{
	struct ward_interrupt interrupt;

	return (int)ward_apics_send(apics, message, false,
				    ret_interrupt ? ret_interrupt : &interrupt);
}

bool ward_apics_is_pending(const struct ward_apics *apics, uint32_t cpu, uint32_t vector)
{
	if (cpu >= apics->options.cpus || vector > 255)
		return false;
	return atomic_load(&apics->cpus[cpu].requested[vector / 32]) >> vector % 32 & 1;
}

int ward_apics_take(struct ward_apics *apics, uint32_t cpu, uint32_t *ret_vector)
{
	if (cpu >= apics->options.cpus)
		return -EINVAL;
	for (unsigned int i = 8; i-- > 0;) {
		_Atomic uint32_t *word = &apics->cpus[cpu].requested[i];
		uint32_t bits = atomic_load(word);

		if (!bits)
			continue;
		/* Only messages come in between, and they take nothing away. */
		*ret_vector = i * 32 + 31 - (unsigned int)__builtin_clz(bits);
		atomic_fetch_and(word, ~(1u << *ret_vector % 32));
		return 0;
	}
	return -ENOENT;
}
