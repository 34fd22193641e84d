/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Scripts of calls: each step has the answer that the contract gives and the eventfds it rings. A
 * situation is named by the kind of interrupt and the step: "msix-grow". For irq_contract.c alone.
 */
#ifndef TESTS_BACKEND_IRQ_SCRIPTS_H
#define TESTS_BACKEND_IRQ_SCRIPTS_H

#include <doorward/irq.h>

#include <errno.h>

#define NONE (WARD_IRQ_DATA_NONE | WARD_IRQ_TRIGGER)
#define BOOL (WARD_IRQ_DATA_BOOL | WARD_IRQ_TRIGGER)
#define FDS (WARD_IRQ_DATA_EVENTFD | WARD_IRQ_TRIGGER)
#define MASK (WARD_IRQ_DATA_NONE | WARD_IRQ_MASK)
#define UNMASK (WARD_IRQ_DATA_NONE | WARD_IRQ_UNMASK)

/* Instead of flags: what the device does, or whoever listens. */
#define RAISE 0x80000000u /* vector start */
#define LINE_HIGH 0x80000001u
#define LINE_LOW 0x80000002u
#define WRITE 0x80000003u /* one to an eventfd: data */

/* Instead of a count: as many as there are, and one more. */
#define ALL 0xfffffff0u
#define BEYOND 0xfffffff1u

#define DATA_MAX 16u
#define STEPS_MAX 32u

struct step {
	const char *name; /* NULL: the end */
	uint32_t flags, start, count;
	/* A letter a vector: 'a' to 'h' eventfds, '-' is -1, '=' is -2, '!' nothing is open there,
	 * 'p' something that is no eventfd; or '0' and '1'. */
	const char *data;
	int wanted;
	const char *rings;
	/* Where vectors can be added (without NORESIZE): 0, and these are rung. */
	const char *dynamic_rings;
	bool dynamic;
	uint32_t on; /* of another kind, plus one */
	bool cut;    /* a byte of the data is missing */
};

struct script {
	uint32_t kinds;	  /* 1 << enum ward_irq_index */
	uint32_t vectors; /* that it needs */
	struct step steps[STEPS_MAX];
};

#define STEP_WITH(name_, flags_, start_, count_, data_, wanted_, ...)                            \
	{                                                                                        \
		.name = name_, .flags = flags_, .start = start_, .count = count_, .data = data_, \
		.wanted = wanted_, __VA_ARGS__                                                   \
	}
#define STEP(...) STEP_WITH(__VA_ARGS__, .cut = false)
#define KIND(index) (1u << (index))
#define INTX KIND(WARD_IRQS_INTX)
#define MSI KIND(WARD_IRQS_MSI)
#define MSIX KIND(WARD_IRQS_MSIX)
#define EVENTS (KIND(WARD_IRQS_ERROR) | KIND(WARD_IRQS_REQUEST))
#define EVERY (INTX | MSI | MSIX | EVENTS)

static const char *const kind_names[WARD_IRQS_COUNT] = { "intx", "msi", "msix", "error",
							 "request" };

static const struct script intx_off = {
	INTX,
	1,
	{
		STEP("mask-off", MASK, 0, 1, NULL, -EINVAL),
		STEP("unmask-off", UNMASK, 0, 1, NULL, -EINVAL),
		STEP("mask-eventfd-off", WARD_IRQ_DATA_EVENTFD | WARD_IRQ_MASK, 0, 1, "a", -EINVAL),
		STEP("loopback-off", NONE, 0, 1, NULL, -EINVAL),
		STEP("disable-off", NONE, 0, 0, NULL, -EINVAL),
		STEP("enable-empty", FDS, 0, 0, NULL, -EINVAL),
		STEP("enable-bad-fd", FDS, 0, 1, "!", -EBADF),
		STEP("enable-no-eventfd", FDS, 0, 1, "p", -EINVAL),
		STEP("loopback-after-failure", NONE, 0, 1, NULL, -EINVAL),
	},
};

static const struct script intx_on = {
	INTX,
	1,
	{
		STEP("enable", FDS, 0, 1, "a", 0),
		STEP_WITH("loopback", NONE, 0, 1, NULL, 0, .rings = "a"),
		STEP("loopback-false", BOOL, 0, 1, "0", 0),
		STEP_WITH("loopback-true", BOOL, 0, 1, "1", 0, .rings = "a"),
		STEP("swap", FDS, 0, 1, "b", 0),
		STEP_WITH("loopback-swapped", NONE, 0, 1, NULL, 0, .rings = "b"),
		STEP("swap-bad-fd", FDS, 0, 1, "!", -EBADF),
		STEP_WITH("loopback-kept", NONE, 0, 1, NULL, 0, .rings = "b"),
		STEP("mask", MASK, 0, 1, NULL, 0),
		STEP("mask-bool", WARD_IRQ_DATA_BOOL | WARD_IRQ_MASK, 0, 1, "1", 0),
		STEP("mask-eventfd", WARD_IRQ_DATA_EVENTFD | WARD_IRQ_MASK, 0, 1, "a", -ENOTTY),
		STEP("mask-empty", MASK, 0, 0, NULL, -EINVAL),
		STEP("unmask", UNMASK, 0, 1, NULL, 0),
		STEP("unmask-bool", WARD_IRQ_DATA_BOOL | WARD_IRQ_UNMASK, 0, 1, "1", 0),
		STEP("unmask-bad-fd", WARD_IRQ_DATA_EVENTFD | WARD_IRQ_UNMASK, 0, 1, "!", -EBADF),
		STEP("unmask-no-eventfd", WARD_IRQ_DATA_EVENTFD | WARD_IRQ_UNMASK, 0, 1, "p",
		     -EINVAL),
		STEP("unmask-eventfd", WARD_IRQ_DATA_EVENTFD | WARD_IRQ_UNMASK, 0, 1, "c", 0),
		STEP("unmask-eventfd-twice", WARD_IRQ_DATA_EVENTFD | WARD_IRQ_UNMASK, 0, 1, "d",
		     -EBUSY),
		STEP("unmask-bad-fd-twice", WARD_IRQ_DATA_EVENTFD | WARD_IRQ_UNMASK, 0, 1, "!",
		     -EBADF),
		STEP("unmask-no-eventfd-twice", WARD_IRQ_DATA_EVENTFD | WARD_IRQ_UNMASK, 0, 1, "p",
		     -EINVAL),
		STEP("unmask-eventfd-off", WARD_IRQ_DATA_EVENTFD | WARD_IRQ_UNMASK, 0, 1, "-", 0),
		STEP("take-away", FDS, 0, 1, "-", 0),
		STEP("loopback-nobody", NONE, 0, 1, NULL, 0),
		STEP("set-again", FDS, 0, 1, "a", 0),
		STEP("empty", FDS, 0, 0, NULL, -EINVAL),
		STEP("disable", NONE, 0, 0, NULL, 0),
		STEP("disable-again", NONE, 0, 0, NULL, -EINVAL),
		STEP("enable-nobody", FDS, 0, 1, "-", 0),
		STEP("loopback-nobody", NONE, 0, 1, NULL, 0),
		STEP("disable-nobody", NONE, 0, 0, NULL, 0),
	},
};

static const struct script intx_line = {
	INTX,
	1,
	{
		STEP("enable", FDS, 0, 1, "a", 0),
		STEP_WITH("line-high", LINE_HIGH, 0, 0, NULL, 0, .rings = "a"),
		STEP("line-high-again", LINE_HIGH, 0, 0, NULL, 0),
		STEP_WITH("line-still-high", UNMASK, 0, 1, NULL, 0, .rings = "a"),
		STEP("line-low", LINE_LOW, 0, 0, NULL, 0),
		STEP("line-low-unmask", UNMASK, 0, 1, NULL, 0),
		STEP("mask", MASK, 0, 1, NULL, 0),
		STEP("line-masked", LINE_HIGH, 0, 0, NULL, 0),
		STEP_WITH("line-unmask", UNMASK, 0, 1, NULL, 0, .rings = "a"),
		STEP("line-low", LINE_LOW, 0, 0, NULL, 0),
		STEP("line-low-unmask", UNMASK, 0, 1, NULL, 0),
		STEP("unmask-eventfd", WARD_IRQ_DATA_EVENTFD | WARD_IRQ_UNMASK, 0, 1, "c", 0),
		STEP_WITH("line-high", LINE_HIGH, 0, 0, NULL, 0, .rings = "a"),
		STEP_WITH("line-resample-high", WRITE, 0, 0, "c", 0, .rings = "a"),
		STEP("line-low", LINE_LOW, 0, 0, NULL, 0),
		STEP("line-resample-low", WRITE, 0, 0, "c", 0),
		STEP_WITH("line-high", LINE_HIGH, 0, 0, NULL, 0, .rings = "a"),
		STEP("line-low", LINE_LOW, 0, 0, NULL, 0),
		STEP("disable", NONE, 0, 0, NULL, 0),
	},
};

static const struct script vectors_off = {
	MSI | MSIX,
	1,
	{
		STEP("loopback-off", NONE, 0, 1, NULL, -EINVAL),
		STEP("loopback-bool-off", BOOL, 0, 1, "1", -EINVAL),
		STEP("disable-off", NONE, 0, 0, NULL, -EINVAL),
		STEP("mask", MASK, 0, 1, NULL, -ENOTTY),
		STEP("unmask", UNMASK, 0, 1, NULL, -ENOTTY),
		STEP("enable-empty", FDS, 0, 0, NULL, -ERANGE),
		STEP("enable-bad-fd", FDS, 0, 1, "!", -EBADF),
		STEP("enable-no-eventfd", FDS, 0, 1, "p", -EINVAL),
		STEP("loopback-after-failure", NONE, 0, 1, NULL, -EINVAL),
	},
};

static const struct script vectors_one = {
	MSI | MSIX,
	1,
	{
		STEP("enable", FDS, 0, 1, "a", 0),
		STEP_WITH("loopback", NONE, 0, 1, NULL, 0, .rings = "a"),
		STEP_WITH("loopback-true", BOOL, 0, 1, "1", 0, .rings = "a"),
		STEP("loopback-false", BOOL, 0, 1, "0", 0),
		STEP_WITH("raise", RAISE, 0, 0, NULL, 0, .rings = "a"),
		STEP("swap", FDS, 0, 1, "b", 0),
		STEP_WITH("loopback-swapped", NONE, 0, 1, NULL, 0, .rings = "b"),
		STEP_WITH("raise-swapped", RAISE, 0, 0, NULL, 0, .rings = "b"),
		STEP("take-away", FDS, 0, 1, "-", 0),
		STEP("loopback-nobody", NONE, 0, 1, NULL, 0),
		STEP("set-again", FDS, 0, 1, "a", 0),
		STEP_WITH("raise-set-again", RAISE, 0, 0, NULL, 0, .rings = "a"),
		STEP("swap-bad-fd", FDS, 0, 1, "!", -EBADF),
		STEP("loopback-lost", NONE, 0, 1, NULL, 0),
		STEP("set-beyond", FDS, ALL, 1, "a", -EINVAL),
		STEP("set-empty-beyond", FDS, ALL, 0, NULL, -EINVAL),
		STEP("empty", FDS, 0, 0, NULL, 0),
		STEP("mask-on", MASK, 0, 1, NULL, -ENOTTY),
		STEP("disable", NONE, 0, 0, NULL, 0),
		STEP("disable-again", NONE, 0, 0, NULL, -EINVAL),
		STEP("enable-again", FDS, 0, 1, "c", 0),
		STEP_WITH("raise-enabled-again", RAISE, 0, 0, NULL, 0, .rings = "c"),
		STEP("disable", NONE, 0, 0, NULL, 0),
	},
};

/* What is raised while nobody listens to an MSI-X vector is pending in its table. */
static const struct script msix_pending = {
	MSIX,
	1,
	{
		STEP("enable", FDS, 0, 1, "a", 0),
		STEP("take-away", FDS, 0, 1, "-", 0),
		STEP("raise-nobody", RAISE, 0, 0, NULL, 0),
		STEP_WITH("set-pending", FDS, 0, 1, "b", 0, .rings = "b"),
		STEP_WITH("raise-set-pending", RAISE, 0, 0, NULL, 0, .rings = "b"),
		STEP("disable", NONE, 0, 0, NULL, 0),
	},
};

static const struct script vectors_two = {
	MSI | MSIX,
	2,
	{
		STEP("enable-two", FDS, 0, 2, "ab", 0),
		STEP_WITH("loopback-two", NONE, 0, 2, NULL, 0, .rings = "ab"),
		STEP_WITH("loopback-second", BOOL, 0, 2, "01", 0, .rings = "b"),
		STEP_WITH("raise", RAISE, 0, 0, NULL, 0, .rings = "a"),
		STEP_WITH("raise-second", RAISE, 1, 0, NULL, 0, .rings = "b"),
		STEP("swap-second-bad", FDS, 0, 2, "c!", -EBADF),
		STEP("loopback-both-lost", NONE, 0, 2, NULL, 0),
		STEP("set-first", FDS, 0, 1, "a", 0),
		STEP_WITH("loopback-first-only", NONE, 0, 2, NULL, 0, .rings = "a"),
		STEP("take-both-away", FDS, 0, 2, "--", 0),
		STEP("loopback-nobody", NONE, 0, 2, NULL, 0),
		STEP("disable", NONE, 0, 0, NULL, 0),
		STEP("enable-from-second", FDS, 1, 1, "a", 0),
		STEP("set-first-later", FDS, 0, 1, "b", 0),
		STEP_WITH("loopback-two", NONE, 0, 2, NULL, 0, .rings = "ab"),
		STEP_WITH("raise-from-second", RAISE, 1, 0, NULL, 0, .rings = "a"),
		STEP("disable", NONE, 0, 0, NULL, 0),
		STEP("enable-second-bad", FDS, 0, 2, "a!", -EBADF),
		STEP("loopback-after-failure", NONE, 0, 1, NULL, -EINVAL),
	},
};

static const struct script vectors_more = {
	MSI | MSIX,
	2,
	{
		STEP("enable-nobody", FDS, 1, 0, NULL, 0),
		STEP("loopback-nobody", NONE, 0, 1, NULL, 0),
		STEP("set-first", FDS, 0, 1, "a", 0),
		STEP_WITH("raise", RAISE, 0, 0, NULL, 0, .rings = "a"),
		STEP_WITH("grow", FDS, 1, 1, "b", -EINVAL, .dynamic = true),
		STEP_WITH("loopback-grown", NONE, 0, 2, NULL, 0, .rings = "a",
			  .dynamic_rings = "ab", .dynamic = true),
		STEP("grow-nobody", FDS, 1, 1, "-", 0),
		STEP_WITH("loopback-shrunk", NONE, 0, 2, NULL, 0, .rings = "a"),
		STEP("disable", NONE, 0, 0, NULL, 0),
	},
};

static const struct script msi_is_on = {
	MSI,
	1,
	{
		STEP("enable", FDS, 0, 1, "a", 0),
		STEP_WITH("other-on", FDS, 0, 1, "b", -EINVAL, .on = WARD_IRQS_INTX + 1),
		STEP_WITH("other-off", NONE, 0, 0, NULL, -EINVAL, .on = WARD_IRQS_INTX + 1),
		STEP_WITH("other-mask", MASK, 0, 1, NULL, -EINVAL, .on = WARD_IRQS_INTX + 1),
		STEP_WITH("third-on", FDS, 0, 1, "b", -EINVAL, .on = WARD_IRQS_MSIX + 1),
		STEP_WITH("third-off", NONE, 0, 0, NULL, -EINVAL, .on = WARD_IRQS_MSIX + 1),
		STEP_WITH("third-loopback", NONE, 0, 1, NULL, -EINVAL, .on = WARD_IRQS_MSIX + 1),
		STEP_WITH("event-beside", FDS, 0, 1, "b", 0, .on = WARD_IRQS_REQUEST + 1),
		STEP_WITH("loopback", NONE, 0, 1, NULL, 0, .rings = "a"),
		STEP("disable", NONE, 0, 0, NULL, 0),
	},
};

static const struct script others_are_on = {
	INTX | MSIX,
	1,
	{
		STEP("enable", FDS, 0, 1, "a", 0),
		STEP_WITH("msi-on", FDS, 0, 1, "b", -EINVAL, .on = WARD_IRQS_MSI + 1),
		STEP_WITH("msi-off", NONE, 0, 0, NULL, -EINVAL, .on = WARD_IRQS_MSI + 1),
		STEP_WITH("loopback", NONE, 0, 1, NULL, 0, .rings = "a"),
		STEP("disable", NONE, 0, 0, NULL, 0),
	},
};

static const struct script events = {
	EVENTS,
	1,
	{
		STEP("loopback-off", NONE, 0, 1, NULL, -EINVAL),
		STEP("remove-off", NONE, 0, 0, NULL, -EINVAL),
		STEP("bool-off", BOOL, 0, 1, "1", 0),
		STEP("bool-empty", BOOL, 0, 0, NULL, -EINVAL),
		STEP("set-empty", FDS, 0, 0, NULL, -EINVAL),
		STEP("set-bad-fd", FDS, 0, 1, "!", -EBADF),
		STEP("set-no-eventfd", FDS, 0, 1, "p", -EINVAL),
		STEP("set", FDS, 0, 1, "a", 0),
		STEP_WITH("loopback", NONE, 0, 1, NULL, 0, .rings = "a"),
		STEP_WITH("loopback-true", BOOL, 0, 1, "1", 0, .rings = "a"),
		STEP("loopback-false", BOOL, 0, 1, "0", 0),
		STEP("set-minus-two", FDS, 0, 1, "=", -EINVAL),
		STEP_WITH("loopback-kept", NONE, 0, 1, NULL, 0, .rings = "a"),
		STEP("take-away", FDS, 0, 1, "-", 0),
		STEP("loopback-nobody", NONE, 0, 1, NULL, -EINVAL),
		STEP("set-again", FDS, 0, 1, "b", 0),
		STEP("remove", NONE, 0, 0, NULL, 0),
		STEP("loopback-removed", NONE, 0, 1, NULL, -EINVAL),
		STEP("mask", MASK, 0, 1, NULL, -ENOTTY),
		STEP("unmask", UNMASK, 0, 1, NULL, -ENOTTY),
	},
};

/* What the library refuses before it asks anybody. */
static const struct script misuse = {
	EVERY,
	1,
	{
		STEP("start-beyond", NONE, ALL, 0, NULL, -EINVAL),
		STEP("range-beyond", NONE, 0, BEYOND, NULL, -EINVAL),
		STEP("range-wraps", NONE, 1, UINT32_MAX, NULL, -EINVAL),
		STEP("unknown-flag", NONE | 0x40, 0, 1, NULL, -EINVAL),
		STEP("no-data", WARD_IRQ_TRIGGER, 0, 1, NULL, -EINVAL),
		STEP("two-data", NONE | WARD_IRQ_DATA_BOOL, 0, 1, "1", -EINVAL),
		STEP_WITH("short-data", FDS, 0, 1, "a", -EINVAL, .cut = true),
		STEP_WITH("short-bool", BOOL, 0, 1, "1", -EINVAL, .cut = true),
		STEP("no-action", WARD_IRQ_DATA_NONE, 0, 1, NULL, -ENOTTY),
		STEP("two-actions", NONE | WARD_IRQ_UNMASK, 0, 1, NULL, -ENOTTY),
		STEP_WITH("no-such-index", NONE, 0, 1, NULL, -EINVAL, .on = WARD_IRQS_COUNT + 1),
	},
};

#endif
