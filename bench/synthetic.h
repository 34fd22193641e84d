/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Machines of any size, made with the public builder. */
#ifndef BENCH_SYNTHETIC_H
#define BENCH_SYNTHETIC_H

#include <doorward/builder.h>
#include <doorward/state.h>

enum shape {
	/* Segments with root ports, switches, SR-IOV cards, NVMe, GPUs, PCIe-to-PCI bridges. */
	SHAPE_MIXED,
	/* One root port and one switch for as many buses as a segment has, each bus filled by VFs. */
	SHAPE_WIDE,
	/* Switch below switch, to the last bus number, a card at each. */
	SHAPE_DEEP,
	/* Conventional buses of 256 functions behind PCIe-to-PCI bridges. */
	SHAPE_CONVENTIONAL,
};

struct variant {
	const char *name, *meaning;
	enum shape shape;
	bool root_acs, switch_acs, card_acs;
	enum ward_controller_kind controller;
	/* One controller for all segments, else one each. */
	bool one_controller;
	/* Small segments, of one root port each. */
	bool small_segments;
};

/* Ended by a row without a name. */
extern const struct variant variants[];

/* A machine of count functions, and the bridges above the last of them. Negative errno. */
int synthetic_machine(const struct variant *variant, uint32_t count,
		      struct ward_machine **ret_machine);

/*
 * Who uses it: pcieport on ports, kernel drivers on PFs and a part of the disks, vfio-pci on half
 * of the VFs, and a client that holds a few of those.
 */
int synthetic_state(const struct ward_machine *machine, struct ward_state **ret_state);

#endif
