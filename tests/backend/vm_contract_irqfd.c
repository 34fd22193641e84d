// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* irqfds: which are refused, which are taken, what arrives and what does not. */
#include "vm_contract_case.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define GSI 700u

static int irqfd(struct vm_guest *guest, int eventfd, uint32_t flags, int resamplefd)
{
	const struct ward_irqfd asked = {
		.eventfd = eventfd,
		.gsi = ward_gsi(GSI),
		.flags = flags,
		.resamplefd = resamplefd,
	};

	return ward_vm_irqfd(guest->vm, &asked);
}

static void refused_fds(struct vm_guest *guest)
{
	int good = vm_eventfd(0), gone = vm_eventfd(0), pipes[2], code;
	bool split = guest->contract->controller == WARD_VM_X86_SPLIT;

	if (pipe2(pipes, O_CLOEXEC))
		return;
	close(gone);
	vm_expect(guest, "irqfd-flags", irqfd(guest, good, 4, -1), -EINVAL);
	vm_expect(guest, "irqfd-flags-before-fd", irqfd(guest, -1, 0x80000000u, -1), -EINVAL);
	vm_expect(guest, "irqfd-no-fd", irqfd(guest, -1, 0, -1), -EBADF);
	vm_expect(guest, "irqfd-closed-fd", irqfd(guest, gone, 0, -1), -EBADF);
	vm_expect(guest, "irqfd-no-eventfd", irqfd(guest, pipes[0], 0, -1), -EINVAL);
	vm_expect(guest, "deassign-no-fd", irqfd(guest, gone, WARD_IRQFD_DEASSIGN, -1), -EBADF);
	vm_expect(guest, "deassign-no-eventfd", irqfd(guest, pipes[0], WARD_IRQFD_DEASSIGN, -1),
		  -EINVAL);
	code = irqfd(guest, good, WARD_IRQFD_RESAMPLE, gone);
	if (split) {
		vm_expect(guest, "split-resample", code, -EINVAL);
	} else {
		vm_expect(guest, "resample-closed-fd", code, -EBADF);
		vm_expect(guest, "resample-no-eventfd",
			  irqfd(guest, good, WARD_IRQFD_RESAMPLE, pipes[0]), -EINVAL);
	}
	/* None of them took it. */
	vm_expect(guest, "irqfd-after-refusals", irqfd(guest, good, 0, -1), 0);
	close(good);
	close(pipes[0]);
	close(pipes[1]);
}

static void refused_twice(struct vm_guest *guest)
{
	struct vm_guest *other = vm_guest_start(guest->contract);
	int raiser = vm_eventfd(0), copy = dup(raiser);

	vm_expect(guest, "irqfd", vm_assign(guest, raiser, GSI), 0);
	vm_expect(guest, "irqfd-twice", vm_assign(guest, raiser, GSI), -EBUSY);
	vm_expect(guest, "irqfd-other-gsi", vm_assign(guest, raiser, GSI + 1), -EBUSY);
	vm_expect(guest, "irqfd-copy", vm_assign(guest, copy, GSI + 1), -EBUSY);
	if (other) {
		vm_expect(other, "irqfd-other-vm", vm_assign(other, raiser, GSI), -EBUSY);
		vm_guest_end(other);
	}
	/* A copy names the same eventfd. */
	vm_expect(guest, "deassign-copy", vm_deassign(guest, copy, GSI), 0);
	vm_expect(guest, "irqfd-after-deassign", vm_assign(guest, copy, GSI + 1), 0);
	close(copy);
	close(raiser);
}

static void irqfds_refused(struct vm_contract *contract)
{
	struct vm_guest *guest = vm_guest_start(contract);

	if (!guest)
		return;
	refused_fds(guest);
	refused_twice(guest);
	vm_guest_end(guest);
}

static void without_route(struct vm_contract *contract)
{
	struct vm_guest *guest = vm_guest_start(contract);
	struct vm_wire wire;
	int unrouted = vm_eventfd(1), beyond = vm_eventfd(1), last = vm_eventfd(1);

	if (!guest)
		return;
	wire = vm_wire_make(guest, 0, GSI);
	vm_install(guest, &wire, 1);
	vm_expect(guest, "irqfd-no-route", vm_assign(guest, unrouted, GSI + 1), 0);
	vm_expect(guest, "irqfd-gsi-beyond", vm_assign(guest, beyond, WARD_GSIS), 0);
	vm_expect(guest, "irqfd-gsi-last", vm_assign(guest, last, UINT32_MAX), 0);
	vm_signal(unrouted);
	vm_signal(beyond);
	vm_signal(last);
	vm_expect_arrival(guest, "no-route", wire.number, false);
	/* A route that comes later counts from then on. */
	wire.route.gsi = ward_gsi(GSI + 1);
	vm_install(guest, &wire, 1);
	vm_signal(unrouted);
	vm_expect_arrival(guest, "route-comes-later", wire.number, true);
	close(unrouted);
	close(beyond);
	close(last);
	vm_guest_end(guest);
}

static uint64_t take(int eventfd)
{
	uint64_t count = 0;

	return read(eventfd, &count, sizeof(count)) == (ssize_t)sizeof(count) ? count : 0;
}

static void deassigned(struct vm_contract *contract)
{
	struct vm_guest *guest = vm_guest_start(contract);
	struct vm_wire wire;
	int raiser = vm_eventfd(0), never = vm_eventfd(0);

	if (!guest)
		return;
	wire = vm_wire_make(guest, 0, GSI);
	vm_install(guest, &wire, 1);
	vm_expect(guest, "deassign-nothing", vm_deassign(guest, never, GSI), 0);
	vm_expect(guest, "deassign-gsi-beyond", vm_deassign(guest, never, UINT32_MAX), 0);
	vm_expect(guest, "irqfd", vm_assign(guest, raiser, GSI), 0);
	vm_expect(guest, "deassign", vm_deassign(guest, raiser, GSI), 0);
	vm_signal(raiser);
	vm_signal(raiser);
	vm_expect_arrival(guest, "after-deassign", wire.number, false);
	if (take(raiser) != 2)
		contract_fail(&contract->table, "an eventfd that raises nothing is not counted");
	/* Another GSI than it has: it stays. */
	vm_expect(guest, "irqfd", vm_assign(guest, raiser, GSI), 0);
	vm_expect(guest, "deassign-other-gsi", vm_deassign(guest, raiser, GSI + 1), 0);
	vm_signal(raiser);
	vm_expect_arrival(guest, "after-deassign-other-gsi", wire.number, true);
	if (take(raiser))
		contract_fail(&contract->table, "what was raised is still counted");
	close(raiser);
	close(never);
	vm_guest_end(guest);
}

/* What came while it was not wired arrives with the assignment, by the route in force then. */
static void counted_already(struct vm_contract *contract)
{
	struct vm_guest *guest = vm_guest_start(contract);
	struct vm_wire wires[2];
	int raiser = vm_eventfd(0);

	if (!guest)
		return;
	wires[0] = vm_wire_make(guest, 0, GSI);
	wires[1] = vm_wire_make(guest, 1, GSI);
	vm_install(guest, wires, 1);
	vm_expect(guest, "irqfd", vm_assign(guest, raiser, GSI), 0);
	/* Mask: unwire, then commit. Unmask: commit, then wire. */
	vm_expect(guest, "deassign", vm_deassign(guest, raiser, GSI), 0);
	vm_signal(raiser);
	vm_install(guest, &wires[1], 1);
	vm_expect(guest, "irqfd", vm_assign(guest, raiser, GSI), 0);
	vm_expect_arrival(guest, "counted-already", wires[1].number, true);
	vm_expect_arrival(guest, "counted-already-old-route", wires[0].number, false);
	contract_expect_word(&contract->table, "count-after-assign",
			     take(raiser) ? "kept" : "taken", "taken");
	close(raiser);
	vm_guest_end(guest);
}

static void closed(struct vm_contract *contract)
{
	struct vm_guest *guest = vm_guest_start(contract);
	struct vm_wire wires[2];
	int raiser = vm_eventfd(0), again;

	if (!guest)
		return;
	wires[0] = vm_wire_make(guest, 0, GSI);
	wires[1] = vm_wire_make(guest, 1, GSI + 1);
	vm_install(guest, wires, 2);
	vm_expect(guest, "irqfd", vm_assign(guest, raiser, GSI), 0);
	close(raiser);
	/* Most likely the same number, and the same eventfd to whoever looks at numbers. */
	again = vm_eventfd(0);
	vm_expect(guest, "irqfd-after-close", vm_assign(guest, again, GSI + 1), 0);
	vm_signal(again);
	vm_expect_arrival(guest, "after-close", wires[1].number, true);
	vm_expect_arrival(guest, "closed", wires[0].number, false);
	close(again);
	vm_guest_end(guest);
}

/* Two eventfds may raise one GSI. */
static void shared(struct vm_contract *contract)
{
	struct vm_guest *guest = vm_guest_start(contract);
	struct vm_wire wire;
	int one = vm_eventfd(0), two = vm_eventfd(0);

	if (!guest)
		return;
	wire = vm_wire_make(guest, 0, GSI);
	vm_install(guest, &wire, 1);
	vm_expect(guest, "irqfd", vm_assign(guest, one, GSI), 0);
	vm_expect(guest, "irqfd-same-gsi", vm_assign(guest, two, GSI), 0);
	vm_expect(guest, "deassign", vm_deassign(guest, one, GSI), 0);
	vm_signal(two);
	vm_expect_arrival(guest, "same-gsi", wire.number, true);
	close(one);
	close(two);
	vm_guest_end(guest);
}

/* Up and down again leaves nothing of a level. */
static void pulsed_level(struct vm_contract *contract)
{
	struct vm_guest *guest = vm_is_arm(contract) ? vm_guest_start(contract) : NULL;
	int raiser = vm_eventfd(0);
	struct vm_wire wire;

	if (guest) {
		wire = vm_wire_make(guest, 0, GSI);
		vm_install(guest, &wire, 1);
		contract->ops->program(guest, wire.route.pin, wire.number, true);
		vm_expect(guest, "irqfd", vm_assign(guest, raiser, GSI), 0);
		vm_signal(raiser);
		vm_expect_arrival(guest, "arm-level-pulse", wire.number, false);
		vm_guest_end(guest);
	}
	close(raiser);
}

static bool told(struct vm_guest *guest, int resamplefd)
{
	for (int i = 0; i < 100; i++) {
		guest->contract->ops->run(guest);
		if (take(resamplefd))
			return true;
	}
	return false;
}

/* Pin 12 by GSI 12; two that resample it, of which one raises. */
static void resample_pin(struct vm_guest *guest, uint32_t number)
{
	int raiser = vm_eventfd(0), resampler = vm_eventfd(0), other = vm_eventfd(0);
	int other_resampler = vm_eventfd(0);
	struct ward_irqfd asked = {
		.eventfd = raiser,
		.gsi = ward_gsi(12),
		.flags = WARD_IRQFD_RESAMPLE,
		.resamplefd = resampler,
	};

	guest->contract->ops->program(guest, 12, number, true);
	vm_expect(guest, "resample", ward_vm_irqfd(guest->vm, &asked), 0);
	asked.eventfd = other;
	asked.resamplefd = other_resampler;
	vm_expect(guest, "resample-same-gsi", ward_vm_irqfd(guest->vm, &asked), 0);
	vm_signal(raiser);
	vm_expect_arrival(guest, "resample-level", number, true);
	if (guest->contract->ops->take_and_end) {
		guest->contract->ops->take_and_end(guest, number);
		if (!told(guest, resampler) || !told(guest, other_resampler))
			contract_fail(&guest->contract->table, "who resamples is not told");
		if (vm_pending(guest, number))
			contract_fail(&guest->contract->table, "a level that ended stays");
		/* The device is not done. */
		vm_signal(raiser);
		vm_expect_arrival(guest, "resample-again", number, true);
	}
	asked.flags |= WARD_IRQFD_DEASSIGN;
	vm_expect(guest, "resample-deassign", ward_vm_irqfd(guest->vm, &asked), 0);
	asked.eventfd = raiser;
	vm_expect(guest, "resample-deassign", ward_vm_irqfd(guest->vm, &asked), 0);
	close(raiser);
	close(resampler);
	close(other);
	close(other_resampler);
}

static void resampled(struct vm_contract *contract)
{
	struct vm_guest *guest;

	if (contract->controller == WARD_VM_X86_SPLIT)
		return;
	guest = vm_guest_start(contract);
	if (!guest)
		return;
	resample_pin(guest, vm_is_arm(contract) ? 32 + 12 : 0x70);
	/* Nobody holds the line any more. An x86 vector that was requested stays so. */
	if (vm_is_arm(contract))
		contract_expect_word(&contract->table, "arm-resample-deassign-lowers",
				     vm_pending(guest, 32 + 12) ? "arrives" : "nothing", "nothing");
	vm_guest_end(guest);
}

const struct vm_contract_case vm_contract_irqfd_cases[] = {
	{ "irqfds that are refused", irqfds_refused },
	{ "GSIs without a route", without_route },
	{ "de-assigned", deassigned },
	{ "counted already", counted_already },
	{ "closed", closed },
	{ "two raise one GSI", shared },
	{ "a pulse of a level", pulsed_level },
	{ "resampling", resampled },
	{ NULL, NULL },
};
