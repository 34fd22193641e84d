// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What a user of VFIO makes Linux's virtio-iommu driver do: two of QEMU's edu in one container,
 * mappings of many sizes and permissions, DMA that is allowed and DMA that faults.
 *
 * Usage: viommu-client 0000:00:05.0 0000:00:06.0, both with vfio-pci, or viommu-client bare
 * 0000:00:05.0, with no driver: DMA of an endpoint that is in no domain. Prints "done", or what
 * went wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define KIB 1024u
#define MIB (1024u * KIB)
#define BUFFER (8u * MIB)
/* Below edu's limit of 28 bits, and beside the doorbells of QEMU's machines. */
#define WINDOW 0x1000000u

/* docs/specs/edu.rst of QEMU. */
#define EDU_SOURCE 0x80u
#define EDU_SINK 0x88u
#define EDU_LENGTH 0x90u
#define EDU_COMMAND 0x98u
#define EDU_RUN 1u
#define EDU_TO_MEMORY 2u
#define EDU_BUFFER 0x40000u

#define COMMAND 4u
#define COMMAND_MEMORY_MASTER 6u

static void failed(const char *step)
{
	printf("%s: %s\n", step, strerror(errno));
	exit(1);
}

static int open_group(const char *function)
{
	char link[128], path[PATH_MAX] = "", file[64];
	const char *number;
	int group;

	snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s/iommu_group", function);
	if (readlink(link, path, sizeof(path) - 1) < 0)
		failed(link);
	number = strrchr(path, '/');
	snprintf(file, sizeof(file), "/dev/vfio/%.20s", number ? number + 1 : path);
	group = open(file, O_RDWR | O_CLOEXEC);
	if (group < 0)
		failed(file);
	return group;
}

struct edu {
	int device;
	off_t registers;
};

static struct edu edu_open(int group, const char *function)
{
	struct vfio_region_info config = { .argsz = sizeof(config),
					   .index = VFIO_PCI_CONFIG_REGION_INDEX };
	struct vfio_region_info bar = { .argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX };
	struct edu edu = { .device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, function) };
	uint16_t command = COMMAND_MEMORY_MASTER;

	if (edu.device < 0 || ioctl(edu.device, VFIO_DEVICE_GET_REGION_INFO, &config) ||
	    ioctl(edu.device, VFIO_DEVICE_GET_REGION_INFO, &bar) ||
	    pwrite(edu.device, &command, sizeof(command), (off_t)config.offset + COMMAND) != 2)
		failed(function);
	edu.registers = (off_t)bar.offset;
	return edu;
}

static void put(const struct edu *edu, uint32_t offset, uint32_t value)
{
	if (pwrite(edu->device, &value, sizeof(value), edu->registers + offset) != sizeof(value))
		failed("a register of edu");
}

/* It takes a tenth of a second; its end is a bit, not a time. */
static void dma(const struct edu *edu, uint32_t iova, bool to_memory)
{
	uint32_t command = 0;

	put(edu, EDU_SOURCE, to_memory ? EDU_BUFFER : iova);
	put(edu, EDU_SINK, to_memory ? iova : EDU_BUFFER);
	put(edu, EDU_LENGTH, 4);
	put(edu, EDU_COMMAND, EDU_RUN | (to_memory ? EDU_TO_MEMORY : 0));
	do {
		usleep(5000);
		if (pread(edu->device, &command, sizeof(command), edu->registers + EDU_COMMAND) !=
		    sizeof(command))
			failed("a register of edu");
	} while (command & EDU_RUN);
}

static void map(int container, uint8_t *from, uint64_t iova, uint64_t size, uint32_t flags)
{
	struct vfio_iommu_type1_dma_map request = {
		.argsz = sizeof(request),
		.flags = flags,
		.vaddr = (uintptr_t)from,
		.iova = iova,
		.size = size,
	};

	if (ioctl(container, VFIO_IOMMU_MAP_DMA, &request))
		failed("map");
}

static void unmap(int container, uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_unmap request = {
		.argsz = sizeof(request),
		.iova = iova,
		.size = size,
	};

	if (ioctl(container, VFIO_IOMMU_UNMAP_DMA, &request))
		failed("unmap");
}

/* A function that no driver has: by the files of sysfs. */
static int bare(const char *function)
{
	uint16_t command = COMMAND_MEMORY_MASTER;
	char path[128];
	volatile uint32_t *registers;
	int config, bar;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/enable", function);
	config = open(path, O_WRONLY | O_CLOEXEC);
	if (config < 0 || write(config, "1", 1) != 1)
		failed(path);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", function);
	config = open(path, O_RDWR | O_CLOEXEC);
	if (config < 0 || pwrite(config, &command, sizeof(command), COMMAND) != sizeof(command))
		failed(path);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", function);
	bar = open(path, O_RDWR | O_CLOEXEC);
	registers = mmap(NULL, 4 * KIB, PROT_READ | PROT_WRITE, MAP_SHARED, bar, 0);
	if (bar < 0 || registers == MAP_FAILED)
		failed(path);
	registers[EDU_SOURCE / 4] = WINDOW;
	registers[EDU_SINK / 4] = EDU_BUFFER;
	registers[EDU_LENGTH / 4] = 4;
	registers[EDU_COMMAND / 4] = EDU_RUN;
	while (registers[EDU_COMMAND / 4] & EDU_RUN)
		usleep(5000);
	printf("done\n");
	return 0;
}

#define READ VFIO_DMA_MAP_FLAG_READ
#define WRITE VFIO_DMA_MAP_FLAG_WRITE

static void mappings(int container, uint8_t *buffer, const struct edu *edu)
{
	map(container, buffer, WINDOW, 4 * KIB, READ | WRITE);
	map(container, buffer + 4 * KIB, WINDOW + 4 * KIB, 4 * KIB, READ);
	map(container, buffer + 8 * KIB, WINDOW + 8 * KIB, 4 * KIB, WRITE);
	map(container, buffer + 64 * KIB, WINDOW + 64 * KIB, 64 * KIB, READ | WRITE);
	map(container, buffer + 2 * MIB, WINDOW + 2 * MIB, 2 * MIB, READ | WRITE);
	map(container, buffer, 0xffffffff00000000, 16 * KIB, READ | WRITE);
	dma(edu, WINDOW, true);
	dma(edu, WINDOW, false);
	dma(edu, WINDOW + 4 * KIB, false);
	dma(edu, WINDOW + 8 * KIB, true);
	dma(edu, WINDOW + 2 * MIB + 4 * KIB, true);
	/* Not permitted, and not mapped. */
	dma(edu, WINDOW + 4 * KIB, true);
	dma(edu, WINDOW + 8 * KIB, false);
	dma(edu, WINDOW + 12 * KIB, false);
	/* Several at once, with a hole between them. */
	unmap(container, WINDOW, 128 * KIB);
	dma(edu, WINDOW, true);
	for (uint32_t i = 0; i < 32; i++)
		map(container, buffer + 8 * KIB * i, WINDOW + 4 * KIB * i, 4 * KIB, READ | WRITE);
	for (uint32_t i = 0; i < 32; i += 2)
		unmap(container, WINDOW + 4 * KIB * i, 4 * KIB);
	dma(edu, WINDOW, false);
	dma(edu, WINDOW + 4 * KIB, false);
}

int main(int argc, char **argv)
{
	uint8_t *buffer =
		mmap(NULL, BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	int first, second;
	struct edu edu, other;

	if (argc == 3 && strcmp(argv[1], "bare") == 0)
		return bare(argv[2]);
	if (argc != 3 || buffer == MAP_FAILED || container < 0)
		return 2;
	memset(buffer, 0x5a, BUFFER);
	first = open_group(argv[1]);
	second = open_group(argv[2]);
	if (ioctl(first, VFIO_GROUP_SET_CONTAINER, &container) ||
	    ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		failed("container");
	edu = edu_open(first, argv[1]);
	mappings(container, buffer, &edu);
	/* A second endpoint in a domain that has mappings. */
	if (ioctl(second, VFIO_GROUP_SET_CONTAINER, &container))
		failed("second group");
	other = edu_open(second, argv[2]);
	dma(&other, WINDOW + 4 * KIB, true);
	dma(&other, WINDOW, true);
	close(edu.device);
	if (ioctl(first, VFIO_GROUP_UNSET_CONTAINER))
		failed("first group");
	dma(&other, WINDOW + 4 * KIB, true);
	unmap(container, WINDOW, 4 * MIB);
	dma(&other, WINDOW + 4 * KIB, true);
	printf("done\n");
	return 0;
}
