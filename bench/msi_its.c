// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The ITS: messages from their arrival to the pending bit, and commands, beside QEMU's in the same
 * run.
 */
#include "msi_its.h"

#include <doorward/its.h>
#include <doorward/memory.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "msi.h"

#define EVENTS 32000u
#define MESSAGES 5000000u
#define CACHES_BYTES 0x8000000u /* more than any cache has */

struct ours {
	struct ward_memory *memory;
	struct ward_gic *gic;
	struct ward_its *its;
	struct ward_readers *readers;
	struct ward_reader *reader;
};

static void die(const char *what)
{
	fprintf(stderr, "bench-msi: %s\n", what);
	exit(1);
}

static double thread_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double our_seconds(struct its_subject *subject)
{
	(void)subject;
	return thread_seconds();
}

static int our_write(struct its_subject *subject, enum its_frame frame, uint32_t offset,
		     uint64_t value, unsigned int size)
{
	struct ours *ours = subject->context;

	switch (frame) {
	case FRAME_ITS:
		return ward_its_write(ours->its, offset, &value, size);
	case FRAME_REDISTRIBUTOR:
		return ward_gic_write(ours->gic, 0, offset, &value, size);
	case FRAME_DISTRIBUTOR:
	default:
		return ward_gic_write(ours->gic, WARD_GIC_DISTRIBUTOR, offset, &value, size);
	}
}

static void make(struct ours *ours, struct its_subject *subject, enum ward_its_profile profile)
{
	struct ward_gic_options gic = { .size = sizeof(gic),
					.kind = WARD_GIC_V3,
					.cpus = 4,
					.interrupts = 64,
					.intid_bits = 16 };
	struct ward_its_options its = { .size = sizeof(its), .profile = profile };

	subject->write = our_write;
	subject->seconds = our_seconds;
	subject->few = EVENTS / 2;
	subject->context = ours;
	subject->memory = mmap(NULL, ITS_MEMORY_BYTES, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (subject->memory == MAP_FAILED || ward_memory_create(&ours->memory) ||
	    ward_memory_add(ours->memory,
			    (struct ward_range){ ITS_MEMORY, ITS_MEMORY + ITS_MEMORY_BYTES - 1 }, 0,
			    subject->memory))
		die("no memory");
	gic.memory = ours->memory;
	if (ward_gic_create(&gic, &ours->gic) || ward_readers_create(&ours->readers) ||
	    ward_reader_create(ours->readers, &ours->reader))
		die("no memory");
	its.gic = ours->gic;
	its.memory = ours->memory;
	its.readers = ours->readers;
	if (ward_its_create(&its, &ours->its))
		die("no memory");
}

static void finish(struct ours *ours, struct its_subject *subject)
{
	ward_its_destroy(ours->its);
	ward_reader_destroy(ours->reader);
	ward_readers_destroy(ours->readers);
	ward_gic_destroy(ours->gic);
	ward_memory_destroy(ours->memory);
	munmap(subject->memory, ITS_MEMORY_BYTES);
}

/* As a device would: each message in a section of its own. */
static void message(struct ours *ours, uint32_t event)
{
	struct ward_interrupt interrupt;

	ward_reader_enter(ours->reader);
	if (!ward_its_message(ours->its, ours->reader, ward_devid(1), event, &interrupt))
		die("a message is ignored");
	ward_reader_exit(ours->reader);
}

/* LPIs that were not pending, one after the other. */
static double to_pending(struct ours *ours)
{
	double since;
	uint32_t intid;

	while (ward_gic_take(ours->gic, 0, &intid) == 0)
		;
	since = thread_seconds();
	for (uint32_t i = 0; i < EVENTS; i++)
		message(ours, i);
	return (thread_seconds() - since) * 1e9 / EVENTS;
}

/* Nothing of it is in the CPU's caches: events at random, with the caches swept before each. */
static double cold(struct ours *ours)
{
	unsigned char *sweep = malloc(CACHES_BYTES);
	uint32_t random = 1, count = 20;
	double total = 0;

	if (!sweep)
		die("no memory");
	for (uint32_t i = 0; i < count; i++) {
		double since;

		memset(sweep, (int)i, CACHES_BYTES);
		random = random * 1664525 + 1013904223;
		since = thread_seconds();
		message(ours, (random >> 8) % EVENTS);
		total += thread_seconds() - since;
	}
	free(sweep);
	return total * 1e9 / count;
}

static void bench_messages(struct ours *ours)
{
	double since, cached, pending = to_pending(ours), random_order;
	uint32_t random = 1;

	since = thread_seconds();
	for (uint32_t i = 0; i < MESSAGES; i++)
		message(ours, 100);
	cached = (thread_seconds() - since) * 1e9 / MESSAGES;
	since = thread_seconds();
	for (uint32_t i = 0; i < MESSAGES; i++) {
		random = random * 1664525 + 1013904223;
		message(ours, (random >> 8) % EVENTS);
	}
	random_order = (thread_seconds() - since) * 1e9 / MESSAGES;
	printf("{\"cached\": %.1f, \"newly_pending\": %.1f, \"random_of_%u\": %.1f, "
	       "\"cold\": %.0f}",
	       cached, pending, EVENTS, random_order, cold(ours));
}

static void print_figures(const struct its_figures *figures)
{
	printf("{\"mapti\": %.1f, \"int\": %.1f, \"clear\": %.1f, \"inv_sync\": %.1f, "
	       "\"int_per_second\": %.0f, \"empty_kick\": %.0f}",
	       figures->mapti, figures->interrupt, figures->clear, figures->inv_sync,
	       1e9 / figures->interrupt, figures->empty_kick);
}

static void bench_profile(const char *name, enum ward_its_profile profile,
			  struct its_figures *ret_figures)
{
	struct its_subject subject = { 0 };
	struct ours ours = { 0 };

	make(&ours, &subject, profile);
	if (its_measure(&subject, ret_figures))
		die("the ITS refuses a register");
	printf("    \"%s\": {\n      \"message\": ", name);
	bench_messages(&ours);
	printf(",\n      \"commands\": ");
	print_figures(ret_figures);
	printf("\n    },\n");
	finish(&ours, &subject);
}

static void bench_qemu(const struct its_figures *ours)
{
	struct its_subject subject = { 0 };
	struct its_figures figures;
	const char *reason;

	if (its_qemu_start(&subject, &reason)) {
		printf("    \"qemu\": null,\n    \"qemu_reason\": \"%s\"\n", reason);
		return;
	}
	if (its_measure(&subject, &figures)) {
		printf("    \"qemu\": null,\n    \"qemu_reason\": \"QEMU stopped answering\"\n");
	} else {
		printf("    \"qemu\": {\"commands\": ");
		print_figures(&figures);
		printf("},\n    \"times_qemu\": {\"mapti\": %.1f, \"int\": %.1f, \"inv_sync\": %.0f}\n",
		       figures.mapti / ours->mapti, figures.interrupt / ours->interrupt,
		       figures.inv_sync / ours->inv_sync);
	}
	its_qemu_stop(&subject);
}

void bench_its(void)
{
	struct its_figures architecture, kvm;

	printf("{\n");
	bench_profile("architecture", WARD_ITS_ARCHITECTURE, &architecture);
	bench_profile("kvm", WARD_ITS_KVM, &kvm);
	bench_qemu(&architecture);
	printf("  }");
}
