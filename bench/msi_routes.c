// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The guest's half: a GSI by its route to the pending bit, an eventfd by its irqfd, and what a commit of
 * the table costs, on the model and on this machine's KVM.
 */
#include <doorward/backend/model.h>
#include <doorward/memory.h>
#include <doorward/routes.h>

#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"
#include "msi.h"

#define RAISES 5000000u
#define WRITES 200000u
#define IRQFDS 4000u
#define EVENTS 256u

#define RAM UINT64_C(0x40000000)
#define RAM_BYTES UINT64_C(0x100000)
#define DEVICES (RAM + 0x00000)
#define COLLECTIONS (RAM + 0x10000)
#define QUEUE (RAM + 0x20000)
#define CONFIGURATION (RAM + 0x30000)
#define PENDING (RAM + 0x40000)
#define ITT (RAM + 0x80000)

struct guest {
	struct ward_vm *vm;
	struct ward_vm_parts parts;
	struct ward_memory *memory;
	struct ward_readers *readers;
	struct ward_reader *reader;
	uint64_t queue_at;
};

static void need(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "bench-msi: %s\n", what);
	exit(1);
}

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double ns_since(double start, double count)
{
	return (cpu_seconds() - start) * 1e9 / count;
}

static void command(struct guest *guest, uint64_t dw0, uint64_t dw1, uint64_t dw2)
{
	const uint64_t words[4] = { dw0, dw1, dw2, 0 };

	need(ward_memory_write(guest->memory, QUEUE + guest->queue_at, words, sizeof(words)) == 0,
	     "no memory for a command");
	guest->queue_at = (guest->queue_at + sizeof(words)) % 0x10000;
	ward_its_write(guest->parts.its, 0x88, &guest->queue_at, 8);
}

static void its_on(struct guest *guest)
{
	const uint64_t valid = UINT64_C(1) << 63, pages_64k = UINT64_C(2) << 8;
	const uint64_t baser[2] = { valid | DEVICES | pages_64k, valid | COLLECTIONS | pages_64k };
	const uint64_t cbaser = valid | QUEUE | 15, propbaser = CONFIGURATION | 15;
	const uint64_t pendbaser = PENDING;
	const uint32_t on = 1, distributor = 0x13;

	ward_gic_write(guest->parts.gic, WARD_GIC_DISTRIBUTOR, 0, &distributor, 4);
	ward_gic_write(guest->parts.gic, 0, 0x70, &propbaser, 8);
	ward_gic_write(guest->parts.gic, 0, 0x78, &pendbaser, 8);
	ward_gic_write(guest->parts.gic, 0, 0, &on, 4);
	ward_its_write(guest->parts.its, 0x100, &baser[0], 8);
	ward_its_write(guest->parts.its, 0x108, &baser[1], 8);
	ward_its_write(guest->parts.its, 0x80, &cbaser, 8);
	ward_its_write(guest->parts.its, 0, &on, 4);
	command(guest, 0x09, 0, valid);
	command(guest, 0x08, 7, valid | ITT);
	for (uint64_t event = 0; event < EVENTS; event++)
		command(guest, 0x0a, (8192 + event) << 32 | event, 0);
}

static void guest_make(struct guest *guest, enum ward_vm_controller controller)
{
	const struct ward_range ram = { RAM, RAM + RAM_BYTES - 1 };
	const struct ward_vm_options options = {
		.size = sizeof(options),
		.controller = controller,
		.cpus = 4,
	};

	*guest = (struct guest){ 0 };
	need(ward_memory_create(&guest->memory) == 0 &&
		     ward_memory_add(guest->memory, ram, 0, NULL) == 0 &&
		     ward_readers_create(&guest->readers) == 0 &&
		     ward_reader_create(guest->readers, &guest->reader) == 0 &&
		     ward_vm_model(&options, guest->memory, guest->readers, &guest->vm) == 0 &&
		     ward_vm_start(guest->vm) == 0 &&
		     ward_vm_model_parts(guest->vm, &guest->parts) == 0,
	     "no guest");
	if (guest->parts.its)
		its_on(guest);
}

static void guest_end(struct guest *guest)
{
	ward_vm_destroy(guest->vm);
	ward_reader_destroy(guest->reader);
	ward_readers_destroy(guest->readers);
	ward_memory_destroy(guest->memory);
}

static struct ward_route route_of(enum ward_vm_controller controller, uint32_t gsi, uint32_t data)
{
	bool x86 = controller == WARD_VM_X86;

	return (struct ward_route){
		.gsi = ward_gsi(gsi),
		.kind = WARD_ROUTE_MSI,
		.flags = x86 ? 0 : WARD_ROUTE_DEVID,
		.address = ward_gpa(x86 ? 0xfee00000 : 0x8090040),
		.data = x86 ? 0x40 + data % 128 : data % EVENTS,
	};
}

static void set_many(struct ward_vm *vm, enum ward_vm_controller controller, uint32_t count)
{
	struct ward_route *routes = calloc(count, sizeof(*routes));

	need(routes != NULL, "no memory");
	for (uint32_t i = 0; i < count; i++)
		routes[i] = route_of(controller, 96 + i, i);
	need(ward_vm_set_routes(vm, routes, count) == 0, "routes cannot be set");
	free(routes);
}

/* Entering and leaving as a reader is counted in. */
static double raise_ns(struct guest *guest, uint32_t gsi, uint32_t gsis)
{
	double start = cpu_seconds();

	for (uint32_t i = 0; i < RAISES; i++) {
		ward_reader_enter(guest->reader);
		need(ward_vm_model_raise(guest->vm, guest->reader, ward_gsi(gsi + i % gsis), NULL) >
			     0,
		     "an interrupt does not arrive");
		ward_reader_exit(guest->reader);
	}
	return ns_since(start, RAISES);
}

static void bench_raise(void)
{
	struct guest guest;

	guest_make(&guest, WARD_VM_GICV3_ITS);
	set_many(guest.vm, WARD_VM_GICV3_ITS, IRQFDS);
	printf("    \"raise_lpi_one_ns\": %.1f,\n", raise_ns(&guest, 96, 1));
	printf("    \"raise_lpi_256_ns\": %.1f,\n", raise_ns(&guest, 96, EVENTS));
	need(ward_vm_set_routes(guest.vm,
				&(const struct ward_route){
					.gsi = ward_gsi(20), .kind = WARD_ROUTE_PIN, .pin = 20 },
				1) == 0,
	     "routes cannot be set");
	printf("    \"raise_spi_ns\": %.1f,\n", raise_ns(&guest, 20, 1));
	guest_end(&guest);
	guest_make(&guest, WARD_VM_X86);
	set_many(guest.vm, WARD_VM_X86, IRQFDS);
	printf("    \"raise_x86_ns\": %.1f,\n", raise_ns(&guest, 96, 1));
	guest_end(&guest);
}

static void assign(struct guest *guest, int fd, uint32_t gsi, uint32_t flags)
{
	const struct ward_irqfd irqfd = { .eventfd = fd, .gsi = ward_gsi(gsi), .flags = flags };

	need(ward_vm_irqfd(guest->vm, &irqfd) == 0, "an irqfd is refused");
}

static void write_to(int fd)
{
	const uint64_t one = 1;

	need(write(fd, &one, sizeof(one)) == sizeof(one), "an eventfd takes nothing");
}

/* So many eventfds written, then dispatched: for one, without what writing costs. */
static double irqfd_ns(struct guest *guest, const int *fds, uint32_t batch)
{
	double spent = 0;

	for (uint32_t done = 0; done < WRITES; done += batch) {
		double start;

		for (uint32_t i = 0; i < batch; i++)
			write_to(fds[(done + i) % IRQFDS]);
		start = cpu_seconds();
		for (uint32_t left = batch; left;)
			left -= (uint32_t)ward_vm_model_dispatch(guest->vm, guest->reader);
		spent += cpu_seconds() - start;
	}
	return spent * 1e9 / WRITES;
}

static double write_ns(int fd)
{
	double start = cpu_seconds();

	for (uint32_t i = 0; i < WRITES; i++)
		write_to(fd);
	return ns_since(start, WRITES);
}

static void bench_irqfds(void)
{
	struct rlimit limit;
	struct guest guest;
	static int fds[IRQFDS];
	double start;
	int alone = eventfd(0, EFD_CLOEXEC);

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	guest_make(&guest, WARD_VM_GICV3_ITS);
	set_many(guest.vm, WARD_VM_GICV3_ITS, IRQFDS);
	for (uint32_t i = 0; i < IRQFDS; i++) {
		fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		need(fds[i] >= 0, "no eventfds");
	}
	start = cpu_seconds();
	for (uint32_t i = 0; i < IRQFDS; i++)
		assign(&guest, fds[i], 96 + i, 0);
	printf("    \"irqfds\": %u,\n    \"assign_ns\": %.0f,\n", IRQFDS, ns_since(start, IRQFDS));
	printf("    \"write_alone_ns\": %.0f,\n", write_ns(alone));
	printf("    \"irqfd_to_injection_ns\": %.0f,\n", irqfd_ns(&guest, fds, 1));
	printf("    \"irqfd_to_injection_64_at_once_ns\": %.0f,\n", irqfd_ns(&guest, fds, 64));
	start = cpu_seconds();
	for (uint32_t i = 0; i < IRQFDS; i++)
		assign(&guest, fds[i], 96 + i, WARD_IRQFD_DEASSIGN);
	printf("    \"deassign_ns\": %.0f,\n", ns_since(start, IRQFDS));
	for (uint32_t i = 0; i < IRQFDS; i++)
		close(fds[i]);
	close(alone);
	guest_end(&guest);
}

/* Microseconds on the wall of setting a table of so many routes, of which one changes. */
static double commit_us(struct ward_vm *vm, uint32_t count)
{
	struct ward_route *routes = calloc(count, sizeof(*routes));
	uint32_t rounds = 200;
	double start;

	need(routes != NULL, "no memory");
	for (uint32_t i = 0; i < count; i++)
		routes[i] = route_of(WARD_VM_X86, i, i);
	start = seconds_now();
	for (uint32_t i = 0; i < rounds; i++) {
		routes[i % count].data ^= 0x80;
		need(ward_vm_set_routes(vm, routes, count) == 0, "routes cannot be set");
	}
	free(routes);
	return (seconds_now() - start) * 1e6 / rounds;
}

/* 64 vectors of a device beside 1024 routes of others: with one commit, and with one for each. */
static double device_us(struct ward_vm *vm, bool one_commit)
{
	struct ward_routes *routes;
	ward_gsi_t gsi;
	double start = 0;

	need(ward_vm_set_routes(vm, NULL, 0) == 0 && ward_routes_create(vm, &routes) == 0,
	     "no table");
	for (uint32_t i = 0; i < 1024 + 64; i++) {
		struct ward_route route;

		if (i == 1024) {
			need(ward_routes_commit(routes) == 0, "no commit");
			start = seconds_now();
		}
		need(ward_routes_alloc(routes, &gsi) == 0, "no GSI");
		route = route_of(WARD_VM_X86, ward_gsi_raw(gsi), i);
		need(ward_routes_set(routes, &route) == 0, "no route");
		if (i >= 1024 && !one_commit)
			need(ward_routes_commit(routes) == 0, "no commit");
	}
	need(ward_routes_commit(routes) == 0, "no commit");
	ward_routes_destroy(routes);
	return (seconds_now() - start) * 1e6;
}

static void bench_commits(struct ward_vm *vm)
{
	printf("{\n      \"commit_1_us\": %.1f,\n", commit_us(vm, 1));
	printf("      \"commit_256_us\": %.1f,\n", commit_us(vm, 256));
	printf("      \"commit_4096_us\": %.1f,\n", commit_us(vm, 4096));
	printf("      \"device_of_64_one_commit_us\": %.1f,\n", device_us(vm, true));
	printf("      \"device_of_64_commit_each_us\": %.1f\n    }", device_us(vm, false));
}

static void bench_kvm(void)
{
	const struct ward_vm_options options = {
		.size = sizeof(options),
		.controller = WARD_VM_X86,
	};
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vmfd = kvm >= 0 ? ioctl(kvm, KVM_CREATE_VM, 0) : -1;
	struct ward_vm *vm;

	if (vmfd >= 0 && ward_vm_kvm(vmfd, &options, &vm, NULL) == 0) {
		bench_commits(vm);
		ward_vm_destroy(vm);
	} else {
		printf("null");
	}
	if (vmfd >= 0)
		close(vmfd);
	if (kvm >= 0)
		close(kvm);
}

void bench_routes(void)
{
	struct guest guest;

	printf("{\n");
	bench_raise();
	bench_irqfds();
	guest_make(&guest, WARD_VM_X86);
	printf("    \"model\": ");
	bench_commits(guest.vm);
	guest_end(&guest);
	printf(",\n    \"kvm\": ");
	fflush(stdout);
	bench_kvm();
	printf("\n  }");
}
