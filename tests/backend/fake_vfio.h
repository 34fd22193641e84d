/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * VFIO's side of the calls, for failures that no kernel gives on demand. Files in a folder stand
 * for the container, the groups and the devices; ioctl of the test program answers for them.
 * That the answers are Linux's is for tests/machines to show.
 *
 * Group 7 has 0000:01:00.0 and 0000:01:00.1, group 8 has 0000:02:00.0.
 */
#ifndef TESTS_BACKEND_FAKE_VFIO_H
#define TESTS_BACKEND_FAKE_VFIO_H

#include <stdbool.h>
#include <stdint.h>

#define FAKE_FILES 256
#define FAKE_MAPS 16

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
/* How many descriptors this process has, and how much is mapped in its containers. */
unsigned int fake_descriptors(void);
unsigned int fake_mappings(void);

#endif
