/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * VFIO's side of the calls, for failures that no kernel gives on demand. Files in a folder stand
 * for the container, the groups and the devices; ioctl of the test program answers for them.
 * That the answers are Linux's is for tests/machines to show.
 *
 * Group 7 has 0000:01:00.0 and 0000:01:00.1, group 8 has 0000:02:00.0. All of them are one device to
 * their registers and interrupts: INTx, 4 MSIs, 8 MSI-Xs with their table in BAR 1.
 */
#ifndef TESTS_BACKEND_FAKE_VFIO_H
#define TESTS_BACKEND_FAKE_VFIO_H

#include <stdbool.h>
#include <stdint.h>

#define FAKE_FILES 256
#define FAKE_MAPS 16
#define FAKE_MSIX 8

struct fake_vfio {
	/* Open these. */
	int devfd, sysfd;
	/* The request that fails, or from which on all do, counted down; 0: none. And how. */
	unsigned long fails_in;
	bool fails_on;
	int error;
	bool failed;
	/* Only of this kind; 0: any. */
	unsigned long fails_request;
	/* Answer to VFIO_IOMMU_GET_INFO, as the kernel would copy it; argsz_grows: it never fits. */
	unsigned char info[256];
	uint32_t info_size;
	bool argsz_grows;
	bool not_viable;
	/* The table cannot be mapped; its region is where nothing can be mapped; argsz grows. */
	bool table_hidden, table_odd, region_grows;
	/* Fewer vectors can be had; 0: enough. */
	int vectors_left;
	/* The address that the kernel gives vector 0; the next ones follow by 16. */
	uint64_t kernels;
	/* The last VFIO_DEVICE_SET_IRQS, as it came. */
	unsigned char set[256];
	uint32_t active; /* MSI-Xs that are enabled */
	/* Of each container, by its descriptor: what is mapped. */
	struct {
		uint64_t iova, size;
	} map[FAKE_FILES][FAKE_MAPS];
};

extern struct fake_vfio fake;

void fake_make(void);
void fake_remove(void);
/* Valid ranges of all containers: everything but the x86 window. */
void fake_plain_info(void);
/* Registers of the device: region and offset; table: word of the MSI-X table. */
uint32_t fake_read(uint32_t region, uint32_t offset);
void fake_write(uint32_t region, uint32_t offset, uint32_t value);
uint32_t fake_table(uint32_t vector, uint32_t word);
/* How many descriptors this process has, and how much is mapped in its containers. */
unsigned int fake_descriptors(void);
unsigned int fake_mappings(void);

#endif
