// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Eventfds: they hold what arrives while no irqfd takes it, and the guest sees that as pending. */
#include "msi/wiring.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

int ward_wiring_open(struct ward_wire_state *wire)
{
	int fd;

	if (wire->eventfd >= 0)
		return 0;
	fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (fd < 0)
		return errno == ENOMEM ? -ENOMEM : -ENOSPC;
	wire->eventfd = fd;
	return 0;
}

int ward_wiring_write(const struct ward_wire_state *wire)
{
	const uint64_t one = 1;

	/* A counter that is full has an event in it. */
	if (write(wire->eventfd, &one, sizeof(one)) == sizeof(one) || errno == EAGAIN)
		return 0;
	return -EIO;
}

bool ward_wiring_holds_event(const struct ward_wire_state *wire)
{
	struct pollfd fd = { .fd = wire->eventfd, .events = POLLIN };

	return wire->eventfd >= 0 && poll(&fd, 1, 0) == 1 && (fd.revents & POLLIN);
}

static void drain(struct ward_wiring *wiring)
{
	for (uint32_t i = 0; i < wiring->count; i++) {
		struct ward_wire_state *wire = &wiring->wires[i];
		uint64_t count;

		wire->missed = false;
		if (wire->eventfd >= 0 && read(wire->eventfd, &count, sizeof(count)) < 0)
			continue; /* there was nothing in it */
	}
}

/*
 * Not for the guest any more: what is from before a reset; what is of MSI, which forgets what is
 * pending as it goes off; and what is of one of the two when the other comes on.
 */
void ward_wiring_forget_events(struct ward_wiring *wiring, enum ward_vector_mode mode)
{
	bool other = wiring->holds != mode &&
		     (wiring->holds == WARD_VECTORS_MSI || mode != WARD_VECTORS_OFF);

	if (!other && wiring->resets == wiring->options.vectors->resets)
		return;
	drain(wiring);
	wiring->holds = mode;
	wiring->resets = wiring->options.vectors->resets;
}

/* How many are asked about in one call. */
#define BATCH 64u

static bool is_held_back(const struct ward_wire_state *wire)
{
	return !wire->wired && (wire->plan.masked || !wire->plan.enabled);
}

/* What is wired, or was lost, is not pending. */
void ward_wiring_show(struct ward_wiring *wiring)
{
	struct pollfd fds[BATCH];

	for (uint32_t start = 0; start < wiring->count; start += BATCH) {
		uint32_t count = wiring->count - start < BATCH ? wiring->count - start : BATCH;
		bool asks = false;

		for (uint32_t i = 0; i < count; i++) {
			const struct ward_wire_state *wire = &wiring->wires[start + i];
			int fd = is_held_back(wire) ? wire->eventfd : -1;

			fds[i] = (struct pollfd){ .fd = fd, .events = POLLIN };
			asks |= fd >= 0;
		}
		if (asks && poll(fds, count, 0) < 0)
			continue;
		for (uint32_t i = 0; i < count; i++) {
			if (wiring->wires[start + i].eventfd >= 0)
				(void)ward_vectors_set_pending(wiring->options.vectors, start + i,
							       fds[i].revents & POLLIN);
		}
	}
}
