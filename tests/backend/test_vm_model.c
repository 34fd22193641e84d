// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What only the model has: thousands of irqfds from one loop, a police, the pins of x86, its parts. */
#include "vm_rig.h"

#include <doorward/backend/interface.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sweep.h"

static struct ward_vm_options options_of(enum ward_vm_controller controller)
{
	return (struct ward_vm_options){
		.size = sizeof(struct ward_vm_options),
		.controller = controller,
		.cpus = 4,
	};
}

static void make(struct vm_rig *rig, enum ward_vm_controller controller)
{
	const struct ward_vm_options options = options_of(controller);

	assert_int_equal(vm_rig_make(rig, &options), 0);
	assert_int_equal(vm_rig_start(rig), 0);
}

static int wire(struct vm_rig *rig, int eventfd, uint32_t gsi, uint32_t flags, int resamplefd)
{
	const struct ward_irqfd irqfd = {
		.eventfd = eventfd,
		.gsi = ward_gsi(gsi),
		.flags = flags,
		.resamplefd = resamplefd,
	};

	return ward_vm_irqfd(rig->vm, &irqfd);
}

static int new_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	assert_true(fd >= 0);
	return fd;
}

static void signal_it(int fd)
{
	const uint64_t one = 1;

	assert_int_equal(write(fd, &one, sizeof(one)), sizeof(one));
}

static uint64_t count_of(int fd)
{
	uint64_t count = 0;

	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

static int raise_gsi(struct vm_rig *rig, uint32_t gsi, struct ward_interrupt *ret_interrupt)
{
	int arrived;

	ward_reader_enter(rig->reader);
	arrived = ward_vm_model_raise(rig->vm, rig->reader, ward_gsi(gsi), ret_interrupt);
	ward_reader_exit(rig->reader);
	return arrived;
}

static struct ward_route message(uint32_t gsi, uint32_t device, uint32_t event)
{
	return (struct ward_route){
		.gsi = ward_gsi(gsi),
		.kind = WARD_ROUTE_MSI,
		.flags = WARD_ROUTE_DEVID,
		.address = ward_gpa(0x8090040),
		.data = event,
		.devid = ward_devid(device),
	};
}

static struct ward_route x86_message(uint32_t gsi, uint32_t cpu, uint32_t vector)
{
	return (struct ward_route){
		.gsi = ward_gsi(gsi),
		.kind = WARD_ROUTE_MSI,
		.address = ward_gpa(0xfee00000 | cpu << 12),
		.data = vector,
	};
}

#define MANY 4000u

static void make_room_for_fds(void)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_cur >= MANY + 100)
		return;
	limit.rlim_cur = MANY + 100 < limit.rlim_max ? MANY + 100 : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_true(limit.rlim_cur >= MANY + 100);
}

/* 4000 eventfds, each an LPI of its own; written in any order; one loop that polls one fd. */
static void test_thousands(void **state)
{
	struct pollfd loop = { .events = POLLIN };
	static struct ward_route routes[MANY];
	static int fds[MANY];
	struct vm_rig rig;

	(void)state;
	make_room_for_fds();
	make(&rig, WARD_VM_GICV3_ITS);
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t lpi = 8192 + i, device = i / 100;

		routes[i] = message(96 + i, device, i % 100);
		vm_rig_map(&rig, device, i % 100, lpi, i % 4);
		fds[i] = new_eventfd();
	}
	assert_int_equal(ward_vm_set_routes(rig.vm, routes, MANY), 0);
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(wire(&rig, fds[i], 96 + i, 0, -1), 0);
	loop.fd = ward_vm_model_fd(rig.vm);
	assert_int_equal(poll(&loop, 1, 0), 0);
	/* Every second one, some of them twice. */
	for (uint32_t i = 0; i < MANY; i += 2)
		signal_it(fds[(i * 7) % MANY]);
	assert_int_equal(poll(&loop, 1, 0), 1);
	assert_int_equal(ward_vm_model_dispatch(rig.vm, rig.reader), MANY / 2);
	assert_int_equal(poll(&loop, 1, 0), 0);
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(ward_gic_is_pending(rig.parts.gic, i % 4, 8192 + i), i % 2 == 0);
	for (uint32_t i = 0; i < MANY; i++) {
		assert_int_equal(wire(&rig, fds[i], 96 + i, WARD_IRQFD_DEASSIGN, -1), 0);
		signal_it(fds[i]);
	}
	assert_int_equal(ward_vm_model_dispatch(rig.vm, NULL), 0);
	for (uint32_t i = 0; i < MANY; i++)
		close(fds[i]);
	vm_rig_end(&rig);
}

static unsigned int misuses;
static char misuse[128];

static void misused(void *context, const char *how)
{
	assert_null(context);
	misuses++;
	snprintf(misuse, sizeof(misuse), "%s", how);
}

static void test_police(void **state)
{
	struct ward_route routes[2] = { x86_message(40, 0, 0x40), x86_message(41, 0, 0x41) };
	struct vm_rig rig;
	int fd = new_eventfd();

	(void)state;
	make(&rig, WARD_VM_X86);
	misuses = 0;
	ward_vm_model_police(rig.vm, misused, NULL);
	assert_int_equal(ward_vm_set_routes(rig.vm, routes, 2), 0);
	assert_int_equal(wire(&rig, fd, 40, 0, -1), 0);
	/* The others may change, and come and go; the order of rows is nothing. */
	routes[1].data = 0x42;
	assert_int_equal(ward_vm_set_routes(rig.vm, routes, 2), 0);
	assert_int_equal(ward_vm_set_routes(rig.vm, routes, 1), 0);
	assert_int_equal(misuses, 0);
	/* What raises it may not; the table counts all the same. */
	routes[0].data = 0x50;
	assert_int_equal(ward_vm_set_routes(rig.vm, routes, 1), 0);
	assert_int_equal(misuses, 1);
	assert_string_equal(misuse, "routes of GSI 40 changed while an irqfd raises it");
	signal_it(fd);
	assert_int_equal(ward_vm_model_dispatch(rig.vm, rig.reader), 1);
	assert_true(ward_apics_is_pending(rig.parts.apics, 0, 0x50));
	assert_int_equal(ward_vm_set_routes(rig.vm, NULL, 0), 0);
	assert_int_equal(misuses, 2);
	/* Nobody raises it. */
	assert_int_equal(wire(&rig, fd, 40, WARD_IRQFD_DEASSIGN, -1), 0);
	assert_int_equal(ward_vm_set_routes(rig.vm, routes, 1), 0);
	assert_int_equal(wire(&rig, fd, 40, 0, -1), 0);
	close(fd);
	assert_int_equal(ward_vm_set_routes(rig.vm, NULL, 0), 0);
	assert_int_equal(misuses, 2);
	ward_vm_model_police(rig.vm, NULL, NULL);
	vm_rig_end(&rig);
}

/* An fd that was closed while a copy lives, and whose number is somebody else's now. */
static void test_closed_copy(void **state)
{
	const struct ward_route route = x86_message(40, 0, 0x40);
	struct vm_rig rig;
	int fd = new_eventfd(), copy = fcntl(fd, F_DUPFD_CLOEXEC, 0), other;

	(void)state;
	make(&rig, WARD_VM_X86);
	assert_int_equal(ward_vm_set_routes(rig.vm, &route, 1), 0);
	assert_int_equal(wire(&rig, fd, 40, 0, -1), 0);
	close(fd);
	other = new_eventfd();
	assert_int_equal(other, fd);
	signal_it(other);
	signal_it(copy);
	assert_int_equal(ward_vm_model_dispatch(rig.vm, rig.reader), 0);
	assert_int_equal(count_of(other), 1);
	assert_int_equal(count_of(copy), 1);
	assert_false(ward_apics_is_pending(rig.parts.apics, 0, 0x40));
	assert_int_equal(wire(&rig, copy, 40, 0, -1), 0);
	assert_int_equal(wire(&rig, other, 40, 0, -1), 0);
	close(copy);
	close(other);
	vm_rig_end(&rig);
}

/* Those that were closed do not pile up, nor do the copies of their resampling eventfds. */
static void test_closed_often(void **state)
{
	struct vm_rig rig;
	int fd, first;

	(void)state;
	make_room_for_fds();
	make(&rig, WARD_VM_GICV2);
	first = new_eventfd();
	close(first);
	for (int i = 0; i < 1000; i++) {
		int number = new_eventfd();

		/* Each has a number that no other had. */
		fd = fcntl(number, F_DUPFD_CLOEXEC, 2000 + i);
		assert_true(fd >= 2000);
		close(number);
		assert_int_equal(wire(&rig, fd, 5, WARD_IRQFD_RESAMPLE, fd), 0);
		close(fd);
	}
	fd = new_eventfd();
	assert_true(fd < first + 100);
	close(fd);
	vm_rig_end(&rig);
}

/* An eventfd that blocks holds nobody up, when somebody else was faster. */
static void test_blocking_eventfd(void **state)
{
	struct vm_rig rig;
	int fd = eventfd(0, EFD_CLOEXEC);

	(void)state;
	make(&rig, WARD_VM_GICV2);
	vm_rig_spi(&rig, 40, 0, false);
	assert_int_equal(wire(&rig, fd, 8, 0, -1), 0);
	signal_it(fd);
	assert_int_equal(count_of(fd), 1);
	assert_int_equal(ward_vm_model_dispatch(rig.vm, rig.reader), 0);
	signal_it(fd);
	assert_int_equal(ward_vm_model_dispatch(rig.vm, NULL), 1);
	assert_true(ward_gic_is_pending(rig.parts.gic, 0, 40));
	close(fd);
	vm_rig_end(&rig);
}

static void test_raise(void **state)
{
	struct ward_route routes[3] = { message(100, 1, 1), message(101, 1, 2),
					message(102, 1, 1) };
	struct ward_interrupt interrupt;
	struct vm_rig rig;

	(void)state;
	make(&rig, WARD_VM_GICV3_ITS);
	vm_rig_map(&rig, 1, 1, 9000, 3);
	/* KVM's whole region rings; without a device id nothing does. */
	routes[2].flags = 0;
	assert_int_equal(ward_vm_set_routes(rig.vm, routes, 3), 0);
	assert_int_equal(raise_gsi(&rig, 100, &interrupt), 1);
	assert_int_equal(interrupt.end, WARD_INTERRUPT_PENDING);
	assert_int_equal(interrupt.number, 9000);
	assert_int_equal(interrupt.cpu, 3);
	assert_true(ward_gic_is_pending(rig.parts.gic, 3, 9000));
	assert_int_equal(raise_gsi(&rig, 101, &interrupt), 0);
	assert_int_equal(interrupt.reason, WARD_REASON_UNMAPPED_EVENT);
	assert_int_equal(raise_gsi(&rig, 102, &interrupt), 0);
	assert_int_equal(interrupt.end, WARD_INTERRUPT_NONE);
	assert_int_equal(raise_gsi(&rig, 103, &interrupt), 0);
	assert_int_equal(raise_gsi(&rig, WARD_GSIS, &interrupt), -EINVAL);
	/* Without a reader of its own, and without wanting to know. */
	assert_int_equal(ward_vm_model_raise(rig.vm, NULL, ward_gsi(100), NULL), 1);
	vm_rig_end(&rig);
}

static void test_raise_spi(void **state)
{
	const struct ward_route beyond = { .gsi = ward_gsi(18),
					   .kind = WARD_ROUTE_PIN,
					   .pin = 256 - 32 };
	struct ward_interrupt interrupt;
	struct vm_rig rig;
	uint32_t taken;

	(void)state;
	make(&rig, WARD_VM_GICV3);
	vm_rig_spi(&rig, 50, 2, false);
	vm_rig_spi(&rig, 51, 2, true);
	assert_int_equal(raise_gsi(&rig, 18, &interrupt), 1);
	assert_int_equal(interrupt.number, 50);
	assert_int_equal(interrupt.cpu, 2);
	assert_true(ward_gic_is_pending(rig.parts.gic, 2, 50));
	/* A level goes with the line; and an edge comes, though somebody holds the line. */
	assert_int_equal(raise_gsi(&rig, 19, &interrupt), 1);
	assert_int_equal(interrupt.end, WARD_INTERRUPT_NONE);
	assert_false(ward_gic_is_pending(rig.parts.gic, 2, 51));
	assert_int_equal(ward_gic_take(rig.parts.gic, 2, &taken), 0);
	assert_int_equal(ward_vm_irq_line(rig.vm, 50, true), 0);
	assert_int_equal(ward_gic_take(rig.parts.gic, 2, &taken), 0);
	assert_int_equal(raise_gsi(&rig, 18, NULL), 1);
	assert_true(ward_gic_is_pending(rig.parts.gic, 2, 50));
	/* A pin that KVM counts, and this GIC does not have. */
	assert_int_equal(ward_vm_set_routes(rig.vm, &beyond, 1), 0);
	assert_int_equal(raise_gsi(&rig, 18, NULL), 0);
	vm_rig_end(&rig);
}

#define LEVEL (1u << 15)
#define MASKED (1u << 16)

static void test_ioapic(void **state)
{
	struct ward_interrupt interrupt;
	struct ward_vm_pin pin;
	struct vm_rig rig;

	(void)state;
	make(&rig, WARD_VM_X86);
	/* Masked at first: an edge is lost. A PIC remembers. */
	assert_int_equal(raise_gsi(&rig, 4, &interrupt), 1);
	assert_int_equal(ward_vm_model_pin(rig.vm, WARD_CHIP_PIC_MASTER, 4, &pin), 0);
	assert_true(pin.requested && !pin.high);
	assert_int_equal(ward_vm_model_set_pin(rig.vm, 4, UINT64_C(2) << 56 | 0x44), 0);
	assert_false(ward_apics_is_pending(rig.parts.apics, 2, 0x44));
	assert_int_equal(raise_gsi(&rig, 4, &interrupt), 2);
	assert_int_equal(interrupt.number, 0x44);
	assert_int_equal(interrupt.cpu, 2);
	assert_true(ward_apics_is_pending(rig.parts.apics, 2, 0x44));
	/* An edge by the line is one edge until it falls. */
	assert_int_equal(ward_vm_model_set_pin(rig.vm, 5, 0x45), 0);
	assert_int_equal(ward_vm_irq_line(rig.vm, 5, true), 0);
	assert_true(ward_apics_is_pending(rig.parts.apics, 0, 0x45));
	assert_int_equal(ward_apics_take(rig.parts.apics, 0, &interrupt.number), 0);
	assert_int_equal(ward_vm_irq_line(rig.vm, 5, true), 0);
	assert_false(ward_apics_is_pending(rig.parts.apics, 0, 0x45));
	assert_int_equal(ward_vm_model_pin(rig.vm, WARD_CHIP_IOAPIC, 5, &pin), 0);
	assert_true(pin.high);
	assert_int_equal(ward_vm_irq_line(rig.vm, 5, false), 0);
	assert_int_equal(ward_vm_model_pin(rig.vm, WARD_CHIP_IOAPIC, 5, &pin), 0);
	assert_false(pin.high);
	vm_rig_end(&rig);
}

static void test_ioapic_level(void **state)
{
	struct ward_vm_pin pin;
	struct vm_rig rig;
	uint32_t taken;

	(void)state;
	make(&rig, WARD_VM_X86);
	assert_int_equal(ward_vm_model_set_pin(rig.vm, 20, 0x60 | LEVEL | MASKED), 0);
	assert_int_equal(ward_vm_irq_line(rig.vm, 20, true), 0);
	assert_false(ward_apics_is_pending(rig.parts.apics, 0, 0x60));
	/* Masked, a level waits. Once out, it waits for its end. */
	assert_int_equal(ward_vm_model_set_pin(rig.vm, 20, 0x60 | LEVEL), 0);
	assert_int_equal(ward_apics_take(rig.parts.apics, 0, &taken), 0);
	assert_int_equal(taken, 0x60);
	assert_int_equal(ward_vm_irq_line(rig.vm, 20, true), 0);
	assert_int_equal(ward_apics_take(rig.parts.apics, 0, &taken), -ENOENT);
	assert_int_equal(ward_vm_model_pin(rig.vm, WARD_CHIP_IOAPIC, 20, &pin), 0);
	assert_true(pin.high && pin.requested);
	assert_int_equal(ward_vm_model_end(rig.vm, 0, 0x61), 0);
	assert_int_equal(ward_apics_take(rig.parts.apics, 0, &taken), -ENOENT);
	/* Still high: again. */
	assert_int_equal(ward_vm_model_end(rig.vm, 0, 0x60), 0);
	assert_int_equal(ward_apics_take(rig.parts.apics, 0, &taken), 0);
	assert_int_equal(ward_vm_irq_line(rig.vm, 20, false), 0);
	assert_int_equal(ward_vm_model_end(rig.vm, 0, 0x60), 0);
	assert_int_equal(ward_apics_take(rig.parts.apics, 0, &taken), -ENOENT);
	assert_int_equal(ward_vm_model_pin(rig.vm, WARD_CHIP_IOAPIC, 20, &pin), 0);
	assert_true(!pin.high && !pin.requested);
	vm_rig_end(&rig);
}

/* Who resamples lets go of its own hold alone: another one keeps the line high. */
static void test_resample_sources(void **state)
{
	int fd = new_eventfd(), resampler = new_eventfd();
	struct ward_vm_pin pin;
	struct vm_rig rig;
	uint32_t taken;

	(void)state;
	make(&rig, WARD_VM_X86);
	assert_int_equal(ward_vm_model_set_pin(rig.vm, 21, 0x61 | LEVEL), 0);
	assert_int_equal(wire(&rig, fd, 21, WARD_IRQFD_RESAMPLE, resampler), 0);
	assert_int_equal(ward_vm_irq_line(rig.vm, 21, true), 0);
	signal_it(fd);
	assert_int_equal(ward_vm_model_dispatch(rig.vm, rig.reader), 1);
	assert_int_equal(ward_apics_take(rig.parts.apics, 0, &taken), 0);
	assert_int_equal(ward_vm_model_end(rig.vm, 0, 0x61), 0);
	assert_int_equal(count_of(resampler), 1);
	assert_int_equal(ward_vm_model_pin(rig.vm, WARD_CHIP_IOAPIC, 21, &pin), 0);
	assert_true(pin.high);
	assert_true(ward_apics_is_pending(rig.parts.apics, 0, 0x61));
	assert_int_equal(ward_vm_irq_line(rig.vm, 21, false), 0);
	signal_it(fd);
	assert_int_equal(ward_vm_model_dispatch(rig.vm, rig.reader), 1);
	/* The last to go lets go. */
	assert_int_equal(wire(&rig, fd, 21, WARD_IRQFD_DEASSIGN, -1), 0);
	assert_int_equal(ward_vm_model_pin(rig.vm, WARD_CHIP_IOAPIC, 21, &pin), 0);
	assert_false(pin.high);
	close(fd);
	close(resampler);
	vm_rig_end(&rig);
}

/* Calls that only a model has, to a VM that is none or has no such part. */
static int nothing(void *context)
{
	(void)context;
	return 0;
}

static void nobody(void *context)
{
	(void)context;
}

static void test_not_a_model(void **state)
{
	static const struct ward_vm_ops none = { .name = "none",
						 .start = nothing,
						 .destroy = nobody };
	const struct ward_vm_options options = options_of(WARD_VM_X86);
	struct ward_vm_parts parts;
	struct ward_vm_pin pin;
	struct ward_vm *vm;
	struct vm_rig rig;

	(void)state;
	assert_int_equal(ward_vm_create(&none, NULL, &options, &vm), 0);
	assert_int_equal(ward_vm_model_fd(vm), -EINVAL);
	assert_int_equal(ward_vm_model_dispatch(vm, NULL), -EINVAL);
	assert_int_equal(ward_vm_model_raise(vm, NULL, ward_gsi(0), NULL), -EINVAL);
	assert_int_equal(ward_vm_model_parts(vm, &parts), -EINVAL);
	assert_int_equal(ward_vm_model_end(vm, 0, 0x40), -EINVAL);
	assert_int_equal(ward_vm_model_set_pin(vm, 0, 0), -EINVAL);
	assert_int_equal(ward_vm_model_pin(vm, 0, 0, &pin), -EINVAL);
	ward_vm_model_police(vm, misused, NULL);
	ward_vm_destroy(vm);
	ward_vm_destroy(NULL);
	make(&rig, WARD_VM_X86);
	assert_int_equal(ward_vm_model_set_pin(rig.vm, 24, 0), -EINVAL);
	assert_int_equal(ward_vm_model_pin(rig.vm, WARD_CHIP_PIC_SLAVE, 8, &pin), -EINVAL);
	assert_int_equal(ward_vm_model_pin(rig.vm, 3, 0, &pin), -EINVAL);
	assert_int_equal(ward_vm_model_end(rig.vm, 4, 0x40), -EINVAL);
	assert_int_equal(ward_vm_model_end(rig.vm, 0, 256), -EINVAL);
	vm_rig_end(&rig);
	make(&rig, WARD_VM_X86_SPLIT);
	assert_int_equal(ward_vm_model_set_pin(rig.vm, 0, 0), -EINVAL);
	assert_int_equal(ward_vm_model_end(rig.vm, 0, 0x40), 0);
	vm_rig_end(&rig);
	make(&rig, WARD_VM_GICV2);
	assert_int_equal(ward_vm_model_set_pin(rig.vm, 0, 0), -EINVAL);
	assert_int_equal(ward_vm_model_end(rig.vm, 0, 40), -EINVAL);
	vm_rig_end(&rig);
}

static void test_options(void **state)
{
	struct ward_vm_options options = options_of(WARD_VM_GICV3_ITS);
	struct ward_vm_parts parts;
	struct ward_vm *vm;
	struct vm_rig rig;

	(void)state;
	/* Tables have to be somewhere. */
	assert_int_equal(ward_vm_model(&options, NULL, NULL, &vm), -EINVAL);
	options.controller = WARD_VM_GICV2;
	options.cpus = 9;
	assert_int_equal(ward_vm_model(&options, NULL, NULL, &vm), -EINVAL);
	options.cpus = 0;
	assert_int_equal(ward_vm_model(&options, NULL, NULL, &vm), -EINVAL);
	options.cpus = 8;
	assert_int_equal(ward_vm_model(&options, NULL, NULL, &vm), 0);
	assert_int_equal(ward_vm_model_parts(vm, &parts), -EINVAL);
	assert_int_equal(ward_vm_start(vm), 0);
	assert_int_equal(ward_vm_model_parts(vm, &parts), 0);
	assert_true(parts.gic && !parts.its && !parts.apics);
	/* No readers: nobody raises meanwhile. */
	assert_int_equal(ward_vm_model_raise(vm, NULL, ward_gsi(3), NULL), 1);
	assert_int_equal(ward_vm_set_routes(vm, NULL, 0), 0);
	assert_int_equal(ward_vm_model_raise(vm, NULL, ward_gsi(3), NULL), 0);
	ward_vm_destroy(vm);
	options = options_of(WARD_VM_GICV3);
	options.interrupts = 992;
	assert_int_equal(vm_rig_make(&rig, &options), 0);
	assert_int_equal(vm_rig_start(&rig), 0);
	assert_int_equal(raise_gsi(&rig, 959, NULL), 1);
	assert_int_equal(raise_gsi(&rig, 960, NULL), 0);
	vm_rig_end(&rig);
}

static int make_and_wire(void *context)
{
	const enum ward_vm_controller *controller = context;
	const struct ward_vm_options options = options_of(*controller);
	const struct ward_range ram = { VM_RAM, VM_RAM + VM_RAM_BYTES - 1 };
	const struct ward_route route = { .kind = WARD_ROUTE_MSI };
	struct ward_readers *readers = NULL;
	struct ward_memory *memory = NULL;
	struct ward_vm *vm = NULL;
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	struct ward_irqfd irqfd = { .eventfd = fd };
	int code = ward_memory_create(&memory);

	if (code == 0)
		code = ward_memory_add(memory, ram, 0, NULL);
	if (code == 0)
		code = ward_readers_create(&readers);
	if (code == 0)
		code = ward_vm_model(&options, memory, readers, &vm);
	if (code == 0)
		code = ward_vm_start(vm);
	if (code == 0)
		code = ward_vm_set_routes(vm, &route, 1);
	if (code == 0)
		code = ward_vm_irqfd(vm, &irqfd);
	ward_vm_destroy(vm);
	ward_readers_destroy(readers);
	ward_memory_destroy(memory);
	close(fd);
	return code;
}

static void test_sweep_vm(void **state)
{
	static enum ward_vm_controller kinds[] = { WARD_VM_X86, WARD_VM_X86_SPLIT, WARD_VM_GICV2,
						   WARD_VM_GICV3, WARD_VM_GICV3_ITS };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		assert_true(test_sweep(make_and_wire, &kinds[i]) > 5);
}

/* Nothing left of fds: refused, and nothing is half done. */
static void test_no_fds(void **state)
{
	const struct ward_vm_options options = options_of(WARD_VM_X86);
	int fds[64], fd = new_eventfd();
	struct rlimit before, limit;
	struct ward_vm *vm = NULL;
	struct vm_rig rig;
	unsigned int count = 0;

	(void)state;
	make(&rig, WARD_VM_X86);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	limit.rlim_cur = (rlim_t)fd + 20;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	while (count < 64 && (fds[count] = dup(fd)) >= 0)
		count++;
	assert_int_equal(ward_vm_model(&options, NULL, NULL, &vm), -EMFILE);
	assert_int_equal(wire(&rig, fd, 3, 0, -1), -ENOMEM);
	/* One, to be told what the eventfd is; none that could be kept for resampling. */
	close(fds[--count]);
	assert_int_equal(wire(&rig, fd, 3, 0, -1), 0);
	assert_int_equal(wire(&rig, fd, 3, WARD_IRQFD_DEASSIGN, -1), 0);
	while (count)
		close(fds[--count]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(wire(&rig, fd, 3, WARD_IRQFD_RESAMPLE, fd), 0);
	close(fd);
	vm_rig_end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thousands),	 cmocka_unit_test(test_police),
		cmocka_unit_test(test_closed_copy),	 cmocka_unit_test(test_closed_often),
		cmocka_unit_test(test_blocking_eventfd), cmocka_unit_test(test_raise),
		cmocka_unit_test(test_raise_spi),	 cmocka_unit_test(test_ioapic),
		cmocka_unit_test(test_ioapic_level),	 cmocka_unit_test(test_resample_sources),
		cmocka_unit_test(test_not_a_model),	 cmocka_unit_test(test_options),
		cmocka_unit_test(test_sweep_vm),	 cmocka_unit_test(test_no_fds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
