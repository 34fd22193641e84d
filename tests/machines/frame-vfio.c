// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Our GICv2m frame beside the machine's: registers, the SPIs that Linux takes it to have, and a message
 * of QEMU's edu on its way through the frame and VFIO to an eventfd.
 *
 * Usage: frame-vfio 0000:00:05.0. Prints "ok NAME" or "not ok NAME", what was wrong before it in lines
 * that begin with "# ", and "1..COUNT" at the end.
 */
#include "devices.h"

#include <doorward/gicv2m.h>

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <unistd.h>

#define FRAME_NODE "/proc/device-tree/intc@8000000/v2m@8020000/reg"
#define TYPER 0x8u
#define IIDR 0xfccu

/* Those that change what Linux writes (drivers/irqchip/irq-gic-v2m.c). */
#define IIDR_XGENE 0x06000170u
#define IIDR_NS2 0x0000013fu

#define LOG_READ_ALL 3

struct frame_rig {
	const volatile uint32_t *registers; /* the machine's */
	uint64_t address;
	uint32_t first, count;
	struct ward_gic *gic;
	struct ward_gicv2m *ours;
	const char *function;
};

static int cases;
static bool good;

static void check(bool holds, const char *format, ...)
{
	va_list arguments;

	if (holds)
		return;
	va_start(arguments, format);
	printf("# ");
	vprintf(format, arguments);
	printf("\n");
	va_end(arguments);
	good = false;
}

static bool find_frame(struct frame_rig *rig)
{
	int memory = open("/dev/mem", O_RDONLY | O_SYNC), node = open(FRAME_NODE, O_RDONLY);
	uint64_t reg[2];
	void *at;

	if (memory < 0 || node < 0 || read(node, reg, sizeof(reg)) != sizeof(reg))
		return false;
	rig->address = be64toh(reg[0]);
	at = mmap(NULL, WARD_GICV2M_BYTES, PROT_READ, MAP_SHARED, memory, (off_t)rig->address);
	close(memory);
	close(node);
	rig->registers = at;
	return at != MAP_FAILED;
}

static bool start(struct frame_rig *rig)
{
	const struct ward_gic_options options = {
		.size = sizeof(options),
		.kind = WARD_GIC_V2,
		.cpus = 1,
		.interrupts = 288, /* as QEMU's machine */
	};
	uint32_t typer;

	if (!find_frame(rig)) {
		printf("# the frame cannot be found: %s\n", strerror(errno));
		return false;
	}
	typer = rig->registers[TYPER / 4];
	rig->first = typer >> 16 & 0x3ff;
	rig->count = typer & 0x3ff;
	return !ward_gic_create(&options, &rig->gic) &&
	       !ward_gicv2m_create(rig->gic, rig->first, rig->count, &rig->ours);
}

static void registers_agree(struct frame_rig *rig)
{
	for (uint32_t offset = 0; offset < WARD_GICV2M_BYTES; offset += 4) {
		uint32_t theirs = rig->registers[offset / 4], ours = 0;

		check(!ward_gicv2m_read(rig->ours, offset, &ours, sizeof(ours)),
		      "register %#x cannot be read", offset);
		ours = le32toh(ours);
		if (offset == IIDR)
			check(ours != IIDR_XGENE && ours != IIDR_NS2 && ours != 0,
			      "our MSI_IIDR is %#x", ours);
		else
			check(theirs == ours, "register %#x: the machine's %#x, ours %#x", offset,
			      theirs, ours);
	}
}

/* "GICv2m: range[mem 0x08020000-0x08020fff], SPI[80:143]" */
static void linux_has_the_same_spis(struct frame_rig *rig)
{
	static char log[1 << 18];
	unsigned long long start;
	unsigned int first, last;
	const char *line;
	int length = klogctl(LOG_READ_ALL, log, sizeof(log) - 1);

	log[length > 0 ? length : 0] = '\0';
	line = strstr(log, "GICv2m: range[mem ");
	check(line && sscanf(line, "GICv2m: range[mem %llx-%*x], SPI[%u:%u]", &start, &first,
			     &last) == 3,
	      "the kernel says nothing of a frame");
	if (!good)
		return;
	check(start == rig->address, "the kernel's frame is at %#llx", start);
	check(first == rig->first && last == rig->first + rig->count - 1,
	      "the kernel has SPIs %u to %u, ours %u and %u", first, last, rig->first, rig->count);
}

/* The message as the device has it: VFIO shows its own in the config space it lends. */
static bool read_message(const char *function, uint64_t *ret_address, uint32_t *ret_data)
{
	unsigned char config[256];
	char path[128];
	unsigned int at;
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", function);
	fd = open(path, O_RDONLY);
	size = read(fd, config, sizeof(config));
	close(fd);
	if (size != sizeof(config))
		return false;
	for (at = config[0x34]; at >= 0x40 && at < 0xf0 && config[at] != 0x05;)
		at = config[at + 1];
	if (at < 0x40 || at >= 0xf0)
		return false;
	*ret_address = config[at + 4] | config[at + 5] << 8 | config[at + 6] << 16 |
		       (uint64_t)config[at + 7] << 24;
	if (config[at + 2] & 0x80)
		at += 4;
	*ret_data = config[at + 8] | (uint32_t)config[at + 9] << 8;
	return true;
}

/* How often the host took the vector, of /proc/interrupts. */
static unsigned int taken(const char *function)
{
	FILE *file = fopen("/proc/interrupts", "re");
	unsigned int count = UINT32_MAX;
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		if (strstr(line, "vfio-msi") && strstr(line, function))
			(void)sscanf(line, " %*d: %u", &count);
	}
	if (file)
		fclose(file);
	return count;
}

static void message_is_the_frames(struct frame_rig *rig)
{
	struct ward_interrupt interrupt = { .end = WARD_INTERRUPT_NONE };
	uint32_t data = 0, written;
	uint64_t address = 0;

	check(read_message(rig->function, &address, &data), "the device has no MSI capability");
	/* The page is the IOMMU's business; within it nothing changes. */
	check((address & 0xfff) == WARD_GICV2M_SETSPI, "the message goes to %#llx",
	      (unsigned long long)address);
	check(data >= rig->first && data - rig->first < rig->count, "the message is %u", data);
	written = htole32(data);
	ward_gicv2m_write(rig->ours, address & 0xfff, &written, sizeof(written), &interrupt);
	check(interrupt.end == WARD_INTERRUPT_PENDING && interrupt.number == data,
	      "our frame makes it %u, end %d", interrupt.number, interrupt.end);
	check(ward_gic_is_pending(rig->gic, 0, data), "it is not pending");
	check(ward_gicv2m_dropped(rig->ours) == 0, "our frame dropped it");
}

static void message_arrives(struct frame_rig *rig, struct ward_device *device, int event)
{
	uint64_t count = 0;

	for (unsigned int i = 1; i <= 3; i++) {
		check(device_raise(device, WARD_IRQS_MSI, 0), "the device cannot be told to");
		/* Waits for it; the machine ends who waits too long. */
		check(read(event, &count, sizeof(count)) == sizeof(count) && count == 1,
		      "the eventfd has %llu", (unsigned long long)count);
		check(taken(rig->function) == i, "the host took %u, not %u", taken(rig->function),
		      i);
	}
}

static void report(const char *name)
{
	printf("%sok %s\n", good ? "" : "not ", name);
	fflush(stdout);
	good = true;
	cases++;
}

static bool open_device(const char *function, struct ward_device **ret_device)
{
	static const struct ward_space_options options = { .size = sizeof(options),
							   .kind = WARD_SPACE_UNMANAGED };
	struct ward_backend *backend;
	struct ward_error why = { "" };
	struct ward_space *space;
	int code = ward_backend_vfio_group(open("/dev", O_DIRECTORY | O_CLOEXEC),
					   open("/sys", O_DIRECTORY | O_CLOEXEC), &backend, &why);

	if (!code)
		code = ward_device_open(backend, function, ret_device, &why);
	if (!code)
		code = ward_backend_space(backend, &options, &space);
	if (!code)
		code = ward_device_attach(*ret_device, WARD_PASID_NONE, space);
	if (code)
		printf("# %s cannot be had: %s, %s\n", function, strerror(-code), why.text);
	return !code && device_ready(*ret_device);
}

int main(int argc, char **argv)
{
	int event = eventfd(0, EFD_CLOEXEC);
	const struct ward_irq_set set = {
		.flags = WARD_IRQ_DATA_EVENTFD | WARD_IRQ_TRIGGER,
		.index = WARD_IRQS_MSI,
		.count = 1,
		.data = &event,
		.data_size = sizeof(event),
	};
	struct frame_rig rig = { .function = argc > 1 ? argv[1] : "" };
	struct ward_device *device;

	if (argc != 2 || !start(&rig) || !open_device(argv[1], &device))
		return 1;
	good = true;
	registers_agree(&rig);
	report("registers");
	linux_has_the_same_spis(&rig);
	report("the SPIs that Linux has of it");
	check(ward_device_set_irqs(device, &set) == 0, "the vector cannot be enabled");
	message_is_the_frames(&rig);
	report("the message of edu is one of the frame");
	message_arrives(&rig, device, event);
	report("the message of edu comes to an eventfd");
	printf("1..%d\n", cases);
	return 0;
}
