/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The contract of backends, one text for all of them. Who runs it brings a backend, a device that can
 * be told to do a DMA, and memory. Where a backend may answer otherwise is a row of the first
 * table of docs/backends.md, which is read as it stands there: a difference without a row fails,
 * and so does a row that the backend does not live up to.
 */
#ifndef TESTS_BACKEND_CONTRACT_H
#define TESTS_BACKEND_CONTRACT_H

#include <doorward/backend.h>
#include <doorward/stage1.h>

#define CONTRACT_PAGE 0x1000u
#define CONTRACT_PAGES 8u
/* How much of a page a device carries: QEMU's edu does not take the whole of its buffer. */
#define CONTRACT_BYTES 0x800u
#define CONTRACT_ROWS 32u
#define CONTRACT_CELL 48u

struct contract_row {
	char situation[CONTRACT_CELL], contract[CONTRACT_CELL], ours[CONTRACT_CELL];
	bool asked;
};

struct contract {
	/* The backend, and its column in the table: "model", "vfio-group". */
	const char *column;
	struct ward_backend *backend;
	const char *name; /* of the device */
	/* CONTRACT_PAGES pages of memory that belong to the test, and what to map for them. */
	unsigned char *memory;
	ward_target_t target;
	/* A region of the device that nobody can map. */
	struct ward_range window;
	/* Makes a device that was just opened ready for DMA. */
	void (*start)(struct contract *contract, struct ward_device *device);
	/*
	 * The device reads CONTRACT_BYTES from an address into itself and writes them to another.
	 * Where it may not read it writes what it had; where it may not write nothing happens.
	 */
	void (*copy)(struct contract *contract, struct ward_device *device, uint64_t from,
		     uint64_t to);
	/* Told of every failure. */
	void (*failed)(struct contract *contract, const char *text);

	/* The contract's own. */
	struct contract_row rows[CONTRACT_ROWS];
	uint32_t rows_count;
	uint32_t failures;
	struct ward_device *device;
};

struct contract_case {
	const char *name;
	void (*run)(struct contract *contract);
};

/* In this order; the last one asks whether every row of the table was met. Ends with a NULL name. */
extern const struct contract_case contract_cases[];

/* Reads the table. False: there is none, or it is damaged. */
bool contract_read_differences(struct contract *contract, const char *path);

#endif
