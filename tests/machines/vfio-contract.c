// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The contract of backends over VFIO, with QEMU's edu device (docs/specs/edu.rst of QEMU): it copies
 * between memory and a buffer of its own, with the IOMMU in between.
 *
 * Arguments: 0000:00:05.0 backends.md.
 */
#include "contracts.h"

#include <contract.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EDU_SOURCE 0x80u
#define EDU_SINK 0x88u
#define EDU_LENGTH 0x90u
#define EDU_COMMAND 0x98u
#define EDU_RUN 1u
#define EDU_TO_MEMORY 2u
#define EDU_BUFFER 0x40000u

#define CONFIG 7u
#define COMMAND 4u
#define COMMAND_MEMORY_MASTER 6u

static void start(struct contract *contract, struct ward_device *device)
{
	uint16_t command = 0;

	if (ward_device_read(device, CONFIG, COMMAND, &command, sizeof(command)))
		contract->failed(contract, "the command register cannot be read");
	command |= COMMAND_MEMORY_MASTER;
	if (ward_device_write(device, CONFIG, COMMAND, &command, sizeof(command)))
		contract->failed(contract, "the command register cannot be written");
}

static void put(struct contract *contract, struct ward_device *device, uint32_t offset,
		uint32_t value)
{
	if (ward_device_write(device, 0, offset, &value, sizeof(value)))
		contract->failed(contract, "a register of edu cannot be written");
}

/* It takes a tenth of a second; its end is a bit, not a time. */
static void run(struct contract *contract, struct ward_device *device, uint64_t source,
		uint64_t sink, uint32_t direction)
{
	uint32_t command;

	put(contract, device, EDU_SOURCE, (uint32_t)source);
	put(contract, device, EDU_SINK, (uint32_t)sink);
	put(contract, device, EDU_LENGTH, CONTRACT_BYTES);
	put(contract, device, EDU_COMMAND, EDU_RUN | direction);
	do {
		usleep(5000);
		if (ward_device_read(device, 0, EDU_COMMAND, &command, sizeof(command))) {
			contract->failed(contract, "a register of edu cannot be read");
			return;
		}
	} while (command != UINT32_MAX && command & EDU_RUN);
}

static void copy(struct contract *contract, struct ward_device *device, uint64_t from, uint64_t to)
{
	run(contract, device, from, EDU_BUFFER, 0);
	run(contract, device, EDU_BUFFER, to, EDU_TO_MEMORY);
}

int vfio_contract(int argc, char **argv)
{
	struct contract contract = {
		.column = "vfio-group",
#if defined(__x86_64__)
		.window = { WARD_X86_MSI_START, WARD_X86_MSI_LAST },
#else
		.window = { WARD_SW_MSI_START, WARD_SW_MSI_LAST },
#endif
		.start = start,
		.copy = copy,
		.failed = contract_says,
	};

	if (argc != 2)
		return 2;
	contract.name = argv[0];
	contract.memory = mmap(NULL, CONTRACT_PAGES * CONTRACT_PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (contract.memory == MAP_FAILED || !contract_read_differences(&contract, argv[1])) {
		printf("# no memory, or no table in %s\n", argv[1]);
		return 1;
	}
	contract.target = ward_target((uintptr_t)contract.memory);
	contract.backend = contract_backend();
	if (!contract.backend)
		return 1;
	for (const struct contract_case *one = contract_cases; one->name; one++) {
		uint32_t before = contract.failures;

		one->run(&contract);
		contract_done(one->name, contract.failures != before);
	}
	ward_backend_destroy(contract.backend);
	return 0;
}
