// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "fake_vfio.h"

#include "../../backend/linux/uapi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

struct fake_vfio fake;

static char folder[] = "/tmp/doorward-fake-XXXXXX";

static const char *const folders[] = {
	"dev",
	"dev/vfio",
	"sys",
	"sys/bus",
	"sys/bus/pci",
	"sys/bus/pci/devices",
	"sys/bus/pci/devices/0000:01:00.0",
	"sys/bus/pci/devices/0000:01:00.1",
	"sys/bus/pci/devices/0000:02:00.0",
};
static const char *const files[] = { "dev/vfio/vfio", "dev/vfio/7", "dev/vfio/8", "device" };
static const char *const links[][2] = {
	{ "../../../../kernel/iommu_groups/7", "sys/bus/pci/devices/0000:01:00.0/iommu_group" },
	{ "../../../../kernel/iommu_groups/7", "sys/bus/pci/devices/0000:01:00.1/iommu_group" },
	{ "../../../../kernel/iommu_groups/8", "sys/bus/pci/devices/0000:02:00.0/iommu_group" },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static ino_t inode[COUNT(files)];
static int root = -1;

#define TABLE_BAR 1u
#define TABLE_OFFSET 0x7f0u
#define CONFIG 7u

static uint64_t region_offset(uint32_t region)
{
	return (uint64_t)region << 12;
}

uint32_t fake_read(uint32_t region, uint32_t offset)
{
	int fd = openat(root, "device", O_RDWR | O_CLOEXEC);
	uint32_t value = 0;

	assert_int_equal(pread(fd, &value, sizeof(value), (off_t)(region_offset(region) + offset)),
			 sizeof(value));
	close(fd);
	return value;
}

void fake_write(uint32_t region, uint32_t offset, uint32_t value)
{
	int fd = openat(root, "device", O_RDWR | O_CLOEXEC);

	assert_int_equal(pwrite(fd, &value, sizeof(value), (off_t)(region_offset(region) + offset)),
			 sizeof(value));
	close(fd);
}

uint32_t fake_table(uint32_t vector, uint32_t word)
{
	return fake_read(TABLE_BAR, TABLE_OFFSET + vector * 16 + word * 4);
}

/* Config space: power management at 0x40, MSI-X at 0x50. */
static void plain_device(void)
{
	fake.kernels = 0xfee00000;
	fake_write(CONFIG, 0x04, 0x00100006);
	fake_write(CONFIG, 0x34, 0x40);
	fake_write(CONFIG, 0x40, 0x5001);
	fake_write(CONFIG, 0x50, (FAKE_MSIX - 1) << 16 | 0x11);
	fake_write(CONFIG, 0x54, TABLE_OFFSET | TABLE_BAR);
}

void fake_make(void)
{
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	assert_non_null(mkdtemp(folder));
	root = open(folder, O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < COUNT(folders); i++)
		assert_int_equal(mkdirat(root, folders[i], 0755), 0);
	for (size_t i = 0; i < COUNT(files); i++) {
		int fd = openat(root, files[i], O_CREAT | O_RDWR | O_CLOEXEC, 0644);
		struct stat status;

		assert_int_equal(fstat(fd, &status), 0);
		assert_int_equal(ftruncate(fd, 9 * 4096), 0);
		inode[i] = status.st_ino;
		close(fd);
	}
	for (size_t i = 0; i < COUNT(links); i++)
		assert_int_equal(symlinkat(links[i][0], root, links[i][1]), 0);
	memset(&fake, 0, sizeof(fake));
	fake.devfd = openat(root, "dev", O_DIRECTORY | O_CLOEXEC);
	fake.sysfd = openat(root, "sys", O_DIRECTORY | O_CLOEXEC);
	fake_plain_info();
	plain_device();
}

void fake_remove(void)
{
	for (size_t i = 0; i < COUNT(links); i++)
		unlinkat(root, links[i][1], 0);
	for (size_t i = 0; i < COUNT(files); i++)
		unlinkat(root, files[i], 0);
	for (size_t i = COUNT(folders); i-- > 0;)
		unlinkat(root, folders[i], AT_REMOVEDIR);
	close(fake.devfd);
	close(fake.sysfd);
	close(root);
	assert_int_equal(rmdir(folder), 0);
}

void fake_plain_info(void)
{
	const struct vfio_iova_range ranges[] = { { 0, 0xfedfffff }, { 0xfef00000, UINT64_MAX } };
	struct vfio_iommu_type1_info_cap_iova_range head = {
		.header = { .id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, .version = 1 },
		.nr_iovas = 2,
	};
	struct vfio_iommu_type1_info info = {
		.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS,
		.iova_pgsizes = 0x1000,
		.cap_offset = sizeof(info),
	};

	memcpy(fake.info, &info, sizeof(info));
	memcpy(fake.info + sizeof(info), &head, sizeof(head));
	memcpy(fake.info + sizeof(info) + sizeof(head), ranges, sizeof(ranges));
	fake.info_size = sizeof(info) + sizeof(head) + sizeof(ranges);
}

unsigned int fake_descriptors(void)
{
	unsigned int count = 0;

	for (int fd = 0; fd < FAKE_FILES; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

unsigned int fake_mappings(void)
{
	unsigned int count = 0;

	for (int fd = 0; fd < FAKE_FILES; fd++)
		for (unsigned int i = 0; i < FAKE_MAPS && fcntl(fd, F_GETFD) >= 0; i++)
			count += fake.map[fd][i].size != 0;
	return count;
}

static int give_info(struct vfio_iommu_type1_info *info)
{
	uint32_t room = info->argsz;

	if (room < offsetof(struct vfio_iommu_type1_info, cap_offset))
		return EINVAL;
	memcpy(info, fake.info, room < fake.info_size ? room : fake.info_size);
	info->argsz = fake.argsz_grows ? room + 8 : fake.info_size;
	return 0;
}

static int map(int fd, const struct vfio_iommu_type1_dma_map *asked)
{
	for (unsigned int i = 0; i < FAKE_MAPS; i++) {
		if (fake.map[fd][i].size)
			continue;
		fake.map[fd][i].iova = asked->iova;
		fake.map[fd][i].size = asked->size;
		return 0;
	}
	return ENOSPC;
}

static int unmap(int fd, const struct vfio_iommu_type1_dma_unmap *asked)
{
	bool all = asked->flags & VFIO_DMA_UNMAP_FLAG_ALL;

	for (unsigned int i = 0; i < FAKE_MAPS; i++)
		if (all || fake.map[fd][i].iova - asked->iova < asked->size)
			fake.map[fd][i].size = 0;
	return 0;
}

static int on_container(int fd, unsigned long request, void *argument)
{
	switch (request) {
	case VFIO_SET_IOMMU:
		memset(fake.map[fd], 0, sizeof(fake.map[fd]));
		return 0;
	case VFIO_IOMMU_GET_INFO:
		return give_info(argument);
	case VFIO_IOMMU_MAP_DMA:
		return map(fd, argument);
	case VFIO_IOMMU_UNMAP_DMA:
		return unmap(fd, argument);
	default:
		return ENOTTY;
	}
}

static void compose(uint32_t vector)
{
	uint64_t address = fake.kernels + vector * 16;
	const uint32_t words[] = { (uint32_t)address, (uint32_t)(address >> 32), 0x40 + vector, 0 };

	for (uint32_t i = 0; i < COUNT(words); i++)
		fake_write(TABLE_BAR, TABLE_OFFSET + vector * 16 + i * 4, words[i]);
}

static int give_region(struct vfio_region_info *region)
{
	const struct vfio_info_cap_header mappable = { .id = VFIO_REGION_INFO_CAP_MSIX_MAPPABLE };
	bool table = region->index == TABLE_BAR && !fake.table_hidden;
	uint32_t room = region->argsz;

	region->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	region->size = region->index == TABLE_BAR ? 4096 : 256;
	region->offset = region_offset(region->index) + (table && fake.table_odd ? 4 : 0);
	region->cap_offset = 0;
	if (!table)
		return 0;
	region->flags |= VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS;
	region->argsz = sizeof(*region) + sizeof(mappable);
	if (room >= region->argsz) {
		region->cap_offset = sizeof(*region);
		memcpy(region + 1, &mappable, sizeof(mappable));
	}
	if (fake.region_grows)
		region->argsz = room + 8;
	return 0;
}

static int give_irq(struct vfio_irq_info *irq)
{
	static const uint32_t counts[] = { 1, 4, FAKE_MSIX, 0, 1 };

	if (irq->index >= COUNT(counts) || irq->index == VFIO_PCI_ERR_IRQ_INDEX)
		return EINVAL;
	irq->count = counts[irq->index];
	irq->flags = VFIO_IRQ_INFO_EVENTFD;
	return 0;
}

/* Descriptors are looked at, and the kernel's message is written: what the backend goes by. */
static int set_irqs(const struct vfio_irq_set *set)
{
	memcpy(fake.set, set, set->argsz);
	for (uint32_t i = 0; set->flags & VFIO_IRQ_SET_DATA_EVENTFD && i < set->count; i++) {
		int32_t fd;

		memcpy(&fd, set->data + i * sizeof(fd), sizeof(fd));
		if (fd >= 0 && fcntl(fd, F_GETFD) < 0)
			return EBADF;
	}
	if (set->index != VFIO_PCI_MSIX_IRQ_INDEX)
		return 0;
	if (set->flags & VFIO_IRQ_SET_DATA_NONE && set->count == 0)
		fake.active = 0;
	if (!(set->flags & VFIO_IRQ_SET_DATA_EVENTFD))
		return 0;
	for (uint32_t i = fake.active ? set->start : 0; i < set->start + set->count; i++)
		compose(i);
	if (!fake.active)
		fake.active = set->start + set->count;
	return 0;
}

static int on_device(unsigned long request, void *argument)
{
	struct vfio_device_info *info = argument;

	switch (request) {
	case VFIO_DEVICE_GET_INFO:
		info->num_regions = 9;
		info->flags = VFIO_DEVICE_FLAGS_RESET;
		return 0;
	case VFIO_DEVICE_GET_REGION_INFO:
		return give_region(argument);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return give_irq(argument);
	case VFIO_DEVICE_SET_IRQS:
		return set_irqs(argument);
	case VFIO_DEVICE_RESET:
		for (uint32_t i = 0; i < fake.active; i++)
			compose(i);
		return 0;
	default:
		return ENOTTY;
	}
}

static bool fails_now(unsigned long request)
{
	if (!fake.fails_in || (fake.fails_request && fake.fails_request != request))
		return false;
	if (fake.fails_in > 1) {
		fake.fails_in--;
		return false;
	}
	fake.failed = true;
	if (!fake.fails_on)
		fake.fails_in = 0;
	return true;
}

static int answer(int fd, unsigned long request, void *argument)
{
	struct vfio_group_status *status_of_group = argument;
	struct stat status;

	if (fails_now(request))
		return fake.error;
	if (fstat(fd, &status) || fd >= FAKE_FILES)
		return EBADF;
	if (status.st_ino == inode[0])
		return on_container(fd, request, argument);
	if (status.st_ino == inode[3])
		return on_device(request, argument);
	if (request == VFIO_GROUP_GET_STATUS)
		status_of_group->flags = fake.not_viable ? 0 : VFIO_GROUP_FLAGS_VIABLE;
	return request == VFIO_GROUP_GET_STATUS || request == VFIO_GROUP_SET_CONTAINER ? 0 : ENOTTY;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;
	int code;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (request == VFIO_CHECK_EXTENSION)
		return 1;
	if (request == VFIO_GET_API_VERSION)
		return 0;
	if (request == VFIO_GROUP_GET_DEVICE_FD && !fails_now(request))
		return openat(root, "device", O_RDWR | O_CLOEXEC);
	if (request == VFIO_DEVICE_SET_IRQS && fake.vectors_left)
		return fake.vectors_left;
	code = request == VFIO_GROUP_GET_DEVICE_FD ? fake.error : answer(fd, request, argument);
	errno = code ? code : errno;
	return code ? -1 : 0;
}
