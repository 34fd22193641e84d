// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "qemu.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MEMORY_BYTES 0x4000000ull
#define TIMEOUT_MS 10000
#define ARGUMENTS_MAX 48u

/* In memory, from its beginning. */
#define AREA_QUEUE 0x100000u /* of each queue, by AREA_QUEUE_STEP */
#define AREA_QUEUE_STEP 0x10000u
#define AREA_REQUESTS 0x200000u /* of each request, by AREA_SLOT */
#define AREA_SLOT 0x440u	/* indirect table, readable part, writable part */
#define AREA_EVENTS 0x300000u
#define EVENTS 64u

/* Registers of the common configuration (virtio 1.3, 4.1.4.3). */
#define COMMON_DEVICE_SELECT 0x00u
#define COMMON_DEVICE_FEATURE 0x04u
#define COMMON_DRIVER_SELECT 0x08u
#define COMMON_DRIVER_FEATURE 0x0cu
#define COMMON_STATUS 0x14u
#define COMMON_QUEUE_SELECT 0x16u
#define COMMON_QUEUE_SIZE 0x18u
#define COMMON_QUEUE_ENABLE 0x1cu
#define COMMON_QUEUE_NOTIFY_OFF 0x1eu
#define COMMON_QUEUE_DESC 0x20u
#define COMMON_QUEUE_DRIVER 0x28u
#define COMMON_QUEUE_DEVICE 0x30u

#define STATUS_ACKNOWLEDGE 1u
#define STATUS_DRIVER 2u
#define STATUS_DRIVER_OK 4u
#define STATUS_FEATURES_OK 8u

#define VIRTIO_IOMMU_VENDOR 0x1af4u
#define VIRTIO_IOMMU_DEVICE 0x1057u

#define DESC_NEXT 1u
#define DESC_WRITE 2u
#define DESC_INDIRECT 4u

/* As they lie in memory; both sides are little-endian here. */
struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

struct available {
	uint16_t flags, index, ring[QEMU_QUEUE_SIZE];
};

struct used {
	uint16_t flags, index;
	struct {
		uint32_t id, length;
	} ring[QEMU_QUEUE_SIZE];
};

/* What differs between the machines. */
static const struct {
	const char *program;
	const char *const *arguments;
	uint64_t ram, bars;
	uint64_t ecam; /* 0: ports 0xcf8 and 0xcfc */
} machines[] = {
	[QEMU_Q35] = { "qemu-system-x86_64",
		       (const char *const[]){ "-machine", "q35,memory-backend=memory", "-m", "64M",
					      NULL },
		       0, 0xc0000000, 0 },
	[QEMU_VIRT] = { "qemu-system-aarch64",
			(const char *const[]){
				"-machine",
				"virt,gic-version=3,its=off,highmem=off,memory-backend=memory",
				"-m", "64M", "-cpu", "cortex-a57", "-S", NULL },
			0x40000000, 0x10000000, 0x3f000000 },
};

/* Firmware of q35: CLI; HLT; JMP to the HLT, where a processor begins. */
static const uint8_t firmware[0x10000] = {
	[0xfff0] = 0xfa,
	[0xfff1] = 0xf4,
	[0xfff2] = 0xeb,
	[0xfff3] = 0xfd,
};

static int pci_read(struct qemu *qemu, uint16_t rid, uint32_t offset, uint32_t *ret_value)
{
	uint64_t ecam = machines[qemu->machine].ecam, value;
	int code;

	if (!ecam) {
		code = qtest_out(&qemu->qtest, 0xcf8, 0x80000000u | (uint32_t)rid << 8 | offset, 4);
		return code ? code : qtest_in(&qemu->qtest, 0xcfc, 4, ret_value);
	}
	code = qtest_read(&qemu->qtest, ecam + ((uint64_t)rid << 12) + offset, 4, &value);
	if (code == 0)
		*ret_value = (uint32_t)value;
	return code;
}

static int pci_write(struct qemu *qemu, uint16_t rid, uint32_t offset, uint32_t value)
{
	uint64_t ecam = machines[qemu->machine].ecam;
	int code;

	if (ecam)
		return qtest_write(&qemu->qtest, ecam + ((uint64_t)rid << 12) + offset, value, 4);
	code = qtest_out(&qemu->qtest, 0xcf8, 0x80000000u | (uint32_t)rid << 8 | offset, 4);
	return code ? code : qtest_out(&qemu->qtest, 0xcfc, value, 4);
}

/* Gives one memory BAR its address; ret_two: it takes two registers. */
static int bar_place(struct qemu *qemu, struct qemu_function *function, unsigned int number,
		     bool *ret_two)
{
	uint32_t at = 0x10 + 4 * number, low, size;
	int code = pci_read(qemu, function->rid, at, &low);

	*ret_two = false;
	if (code == 0)
		code = pci_write(qemu, function->rid, at, 0xffffffff);
	if (code == 0)
		code = pci_read(qemu, function->rid, at, &size);
	if (code || size == 0 || (low & 1))
		return code; /* none, or ports, which stay as they are */
	*ret_two = (low & 6) == 4;
	size = ~(size & ~0xfu) + 1;
	qemu->bars = (qemu->bars + size - 1) & ~((uint64_t)size - 1);
	function->bar[number] = qemu->bars;
	qemu->bars += size;
	code = pci_write(qemu, function->rid, at, (uint32_t)function->bar[number]);
	return code || !*ret_two ? code : pci_write(qemu, function->rid, at + 4, 0);
}

static int function_find(struct qemu *qemu, uint16_t rid)
{
	struct qemu_function *function = &qemu->functions[qemu->functions_count];
	uint32_t id, header;
	bool two = false;
	int code = pci_read(qemu, rid, 0, &id);

	if (code || id == 0xffffffff || qemu->functions_count == QEMU_FUNCTIONS_MAX)
		return code;
	*function = (struct qemu_function){ .rid = rid,
					    .vendor = (uint16_t)id,
					    .device = (uint16_t)(id >> 16) };
	code = pci_read(qemu, rid, 0x0c, &header);
	/* A bridge has two BARs, and nothing here needs them. */
	for (unsigned int i = 0; code == 0 && !(header >> 16 & 0x7f) && i < 6; i += two ? 2 : 1)
		code = bar_place(qemu, function, i, &two);
	/* Memory and bus master. */
	if (code == 0)
		code = pci_write(qemu, rid, 4, 6);
	if (function->vendor == VIRTIO_IOMMU_VENDOR && function->device == VIRTIO_IOMMU_DEVICE)
		qemu->viommu = function;
	qemu->functions_count++;
	return code;
}

/* The structures of the device, from its capabilities (virtio 1.3, 4.1.4). */
static int capabilities_read(struct qemu *qemu)
{
	uint16_t rid = qemu->viommu->rid;
	uint32_t at, head, bar, offset;
	int code = pci_read(qemu, rid, 0x34, &at);

	for (at &= 0xfc; code == 0 && at; at = head >> 8 & 0xfc) {
		uint64_t address;

		code = pci_read(qemu, rid, at, &head);
		if (code || (head & 0xff) != 9)
			continue;
		code = pci_read(qemu, rid, at + 4, &bar);
		if (code == 0)
			code = pci_read(qemu, rid, at + 8, &offset);
		if (code || (bar & 0xff) >= 6)
			continue;
		address = qemu->viommu->bar[bar & 0xff] + offset;
		if (head >> 24 == 1)
			qemu->common = address;
		if (head >> 24 == 2)
			qemu->notify = address;
		if (head >> 24 == 2)
			code = pci_read(qemu, rid, at + 16, &qemu->notify_multiplier);
		if (head >> 24 == 4)
			qemu->device = address;
	}
	return code ? code : qemu->common && qemu->notify && qemu->device ? 0 : -ENODEV;
}

static int find(struct qemu *qemu)
{
	int code = 0;

	qemu->functions_count = 0;
	qemu->bars = machines[qemu->machine].bars;
	for (uint32_t rid = 0; code == 0 && rid < 0x100; rid++)
		code = function_find(qemu, (uint16_t)rid);
	if (code)
		return code;
	return qemu->viommu ? capabilities_read(qemu) : -ENODEV;
}

int qemu_start(struct qemu *ret_qemu, const struct qemu_options *options, const char **ret_reason)
{
	const char *arguments[ARGUMENTS_MAX + 1];
	struct qtest_options start = {
		.program = machines[options->machine].program,
		.arguments = arguments,
		.memory_bytes = MEMORY_BYTES,
		.timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS,
	};
	uint32_t count = 0;
	int code;

	for (const char *const *from = machines[options->machine].arguments; *from; from++)
		arguments[count++] = *from;
	for (const char *const *from = options->arguments; *from && count < ARGUMENTS_MAX; from++)
		arguments[count++] = *from;
	arguments[count] = NULL;
	if (options->machine == QEMU_Q35) {
		start.firmware = firmware;
		start.firmware_bytes = sizeof(firmware);
	}
	*ret_qemu =
		(struct qemu){ .machine = options->machine, .ram = machines[options->machine].ram };
	code = qtest_start(&ret_qemu->qtest, &start, ret_reason);
	if (code)
		return code;
	*ret_reason = "QEMU has no virtio-iommu-pci that can be driven";
	code = find(ret_qemu);
	if (code == 0)
		code = qemu_reset(ret_qemu, 0);
	if (code)
		qemu_stop(ret_qemu);
	return code;
}

void qemu_stop(struct qemu *qemu)
{
	qtest_stop(&qemu->qtest);
}

/* Done by the next call that reads. */
static int common_write(struct qemu *qemu, uint32_t offset, uint64_t value, unsigned int size)
{
	/* A pair of words is written as two. */
	if (size == 8) {
		int code = common_write(qemu, offset, (uint32_t)value, 4);

		return code ? code : common_write(qemu, offset + 4, value >> 32, 4);
	}
	return qtest_post(&qemu->qtest, qemu->common + offset, value, size);
}

int qemu_status(struct qemu *qemu, uint8_t *ret_status)
{
	uint64_t status;
	int code = qtest_read(&qemu->qtest, qemu->common + COMMON_STATUS, 1, &status);

	if (code == 0)
		*ret_status = (uint8_t)status;
	return code;
}

static int negotiate(struct qemu *qemu, uint64_t features)
{
	uint64_t half[2] = { 0 };
	uint8_t status = 0;
	int code = 0;

	for (unsigned int i = 0; code == 0 && i < 2; i++) {
		code = common_write(qemu, COMMON_DEVICE_SELECT, i, 4);
		if (code == 0)
			code = qtest_read(&qemu->qtest, qemu->common + COMMON_DEVICE_FEATURE, 4,
					  &half[i]);
	}
	qemu->offered = half[0] | half[1] << 32;
	qemu->negotiated = features | QEMU_F_VERSION_1;
	for (unsigned int i = 0; code == 0 && i < 2; i++) {
		code = common_write(qemu, COMMON_DRIVER_SELECT, i, 4);
		if (code == 0)
			code = common_write(qemu, COMMON_DRIVER_FEATURE,
					    (uint32_t)(qemu->negotiated >> 32 * i), 4);
	}
	if (code == 0)
		code = common_write(qemu, COMMON_STATUS,
				    STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK, 1);
	if (code == 0)
		code = qemu_status(qemu, &status);
	return code ? code : status & STATUS_FEATURES_OK ? 0 : -EOPNOTSUPP;
}

static void *at(struct qemu *qemu, uint64_t address)
{
	return qemu->qtest.memory + (address - qemu->ram);
}

static int queue_ready(struct qemu *qemu, uint16_t number, struct qemu_queue *queue)
{
	uint64_t offset, base = qemu->ram + AREA_QUEUE + number * AREA_QUEUE_STEP;
	struct available *available = at(qemu, base + 0x4000);
	int code = common_write(qemu, COMMON_QUEUE_SELECT, number, 2);

	*queue = (struct qemu_queue){ .descriptors = base,
				      .available = base + 0x4000,
				      .used = base + 0x8000 };
	memset(at(qemu, base), 0, AREA_QUEUE_STEP);
	available->flags = 1; /* no interrupts: the used ring is looked at */
	if (code == 0)
		code = common_write(qemu, COMMON_QUEUE_SIZE, QEMU_QUEUE_SIZE, 2);
	if (code == 0)
		code = common_write(qemu, COMMON_QUEUE_DESC, queue->descriptors, 8);
	if (code == 0)
		code = common_write(qemu, COMMON_QUEUE_DRIVER, queue->available, 8);
	if (code == 0)
		code = common_write(qemu, COMMON_QUEUE_DEVICE, queue->used, 8);
	if (code == 0)
		code = qtest_read(&qemu->qtest, qemu->common + COMMON_QUEUE_NOTIFY_OFF, 2, &offset);
	if (code)
		return code;
	queue->notify = qemu->notify + offset * qemu->notify_multiplier;
	return common_write(qemu, COMMON_QUEUE_ENABLE, 1, 2);
}

static void put(struct qemu *qemu, struct qemu_queue *queue, uint16_t head)
{
	struct available *available = at(qemu, queue->available);

	available->ring[queue->next++ % QEMU_QUEUE_SIZE] = head;
}

/* What was put becomes visible. */
static void publish(struct qemu *qemu, struct qemu_queue *queue)
{
	struct available *available = at(qemu, queue->available);

	__atomic_store_n(&available->index, queue->next, __ATOMIC_RELEASE);
}

static bool answered(struct qemu *qemu, const struct qemu_queue *queue)
{
	struct used *used = at(qemu, queue->used);

	return __atomic_load_n(&used->index, __ATOMIC_ACQUIRE) != queue->seen;
}

static void events_ready(struct qemu *qemu)
{
	struct descriptor *descriptors = at(qemu, qemu->events.descriptors);

	for (uint16_t i = 0; i < EVENTS; i++) {
		descriptors[i] = (struct descriptor){
			.address = qemu->ram + AREA_EVENTS + i * QEMU_EVENT_SIZE,
			.length = QEMU_EVENT_SIZE,
			.flags = DESC_WRITE,
		};
		put(qemu, &qemu->events, i);
	}
	publish(qemu, &qemu->events);
}

int qemu_reset(struct qemu *qemu, uint64_t features)
{
	uint8_t status = 1;
	int code = common_write(qemu, COMMON_STATUS, 0, 1);

	for (int tries = 0; code == 0 && status && tries < 100; tries++)
		code = qemu_status(qemu, &status);
	if (code || status)
		return code ? code : -ETIMEDOUT;
	code = common_write(qemu, COMMON_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER, 1);
	if (code == 0)
		code = negotiate(qemu, features);
	if (code == 0)
		code = queue_ready(qemu, 0, &qemu->requests);
	if (code == 0)
		code = queue_ready(qemu, 1, &qemu->events);
	if (code)
		return code;
	events_ready(qemu);
	code = common_write(qemu, COMMON_STATUS,
			    STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK |
				    STATUS_DRIVER_OK,
			    1);
	return code ? code : qtest_write(&qemu->qtest, qemu->events.notify, 1, 2);
}

int qemu_system_reset(struct qemu *qemu)
{
	struct timespec pause = { .tv_nsec = 100000000 };
	int code;

	if (machines[qemu->machine].ecam)
		return -EOPNOTSUPP;
	code = qtest_out(&qemu->qtest, 0xcf9, 2, 1);
	if (code == 0)
		code = qtest_out(&qemu->qtest, 0xcf9, 6, 1);
	if (code)
		return code;
	/* Done by QEMU's main loop, in its own time. */
	nanosleep(&pause, NULL);
	return find(qemu);
}

int qemu_config_read(struct qemu *qemu, uint32_t offset, void *ret_bytes, size_t size)
{
	uint8_t *bytes = ret_bytes;
	int code = 0;

	for (size_t i = 0; code == 0 && i < size; i++) {
		uint64_t value = 0;

		code = qtest_read(&qemu->qtest, qemu->device + offset + i, 1, &value);
		bytes[i] = (uint8_t)value;
	}
	return code;
}

int qemu_config_write(struct qemu *qemu, uint32_t offset, const void *bytes, size_t size)
{
	const uint8_t *from = bytes;
	int code = 0;

	for (size_t i = 0; code == 0 && i < size; i++)
		code = qtest_post(&qemu->qtest, qemu->device + offset + i, from[i], 1);
	return code;
}

/* Where the parts of a request lie. */
static uint64_t slot(const struct qemu *qemu, uint32_t i)
{
	return qemu->ram + AREA_REQUESTS + (uint64_t)i * AREA_SLOT;
}

static uint64_t slot_readable(const struct qemu *qemu, uint32_t i)
{
	return slot(qemu, i) + 2 * sizeof(struct descriptor);
}

static uint64_t slot_writable(const struct qemu *qemu, uint32_t i)
{
	return slot_readable(qemu, i) + QEMU_READABLE_MAX;
}

_Static_assert(2 * sizeof(struct descriptor) + QEMU_READABLE_MAX + QEMU_WRITABLE_MAX <= AREA_SLOT,
	       "a request does not fit");

/* One or two descriptors: a part of 0 bytes has none. */
static void request_put(struct qemu *qemu, const struct qemu_request *request, uint32_t i)
{
	bool indirect = qemu->negotiated & QEMU_F_INDIRECT;
	struct descriptor *ring = at(qemu, qemu->requests.descriptors);
	struct descriptor *table = indirect ? at(qemu, slot(qemu, i)) : ring + 2 * i;
	uint16_t head = indirect ? (uint16_t)i : (uint16_t)(2 * i), count = 0;

	memcpy(at(qemu, slot_readable(qemu, i)), request->readable, request->readable_size);
	memcpy(at(qemu, slot_writable(qemu, i)), request->writable, request->writable_size);
	if (request->readable_size)
		table[count++] =
			(struct descriptor){ slot_readable(qemu, i), request->readable_size, 0, 0 };
	if (request->writable_size)
		table[count++] = (struct descriptor){ slot_writable(qemu, i),
						      request->writable_size, DESC_WRITE, 0 };
	if (count == 2) {
		table[0].flags |= DESC_NEXT;
		table[0].next = indirect ? 1 : (uint16_t)(head + 1);
	}
	if (indirect)
		ring[i] = (struct descriptor){ slot(qemu, i),
					       count * (uint32_t)sizeof(struct descriptor),
					       DESC_INDIRECT, 0 };
	put(qemu, &qemu->requests, head);
}

static void answer_take(struct qemu *qemu, struct qemu_request *requests, uint32_t count)
{
	struct used *used = at(qemu, qemu->requests.used);
	uint32_t slot_of = used->ring[qemu->requests.seen % QEMU_QUEUE_SIZE].id;

	if (!(qemu->negotiated & QEMU_F_INDIRECT))
		slot_of /= 2;
	if (slot_of < count) {
		struct qemu_request *request = &requests[slot_of];

		request->ret_written = used->ring[qemu->requests.seen % QEMU_QUEUE_SIZE].length;
		memcpy(request->writable, at(qemu, slot_writable(qemu, slot_of)),
		       request->writable_size);
	}
	qemu->requests.seen++;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int qemu_send(struct qemu *qemu, struct qemu_request *requests, uint32_t count)
{
	uint32_t room = QEMU_QUEUE_SIZE / (qemu->negotiated & QEMU_F_INDIRECT ? 1 : 2);
	uint64_t until = now_ms() + (uint64_t)qemu->qtest.timeout_ms;
	uint32_t done = 0;
	int code;

	if (count > room)
		return -ENOSPC;
	for (uint32_t i = 0; i < count; i++) {
		if (requests[i].readable_size > QEMU_READABLE_MAX ||
		    requests[i].writable_size > QEMU_WRITABLE_MAX ||
		    requests[i].readable_size + requests[i].writable_size == 0)
			return -EINVAL;
		requests[i].ret_written = UINT32_MAX;
		request_put(qemu, &requests[i], i);
	}
	publish(qemu, &qemu->requests);
	code = qtest_write(&qemu->qtest, qemu->requests.notify, 0, 2);
	/* QEMU answers within the kick: more looks are for one that breaks or does not. */
	while (code == 0) {
		uint8_t status;

		for (; done < count && answered(qemu, &qemu->requests); done++)
			answer_take(qemu, requests, count);
		if (done == count)
			return 0;
		code = qemu_status(qemu, &status);
		if (code == 0 && status & QEMU_NEEDS_RESET)
			return -EIO;
		if (code == 0 && now_ms() > until)
			return -ETIMEDOUT;
	}
	return code;
}

int qemu_event(struct qemu *qemu, int wait_ms, uint8_t *ret_event, uint32_t *ret_written)
{
	struct used *used = at(qemu, qemu->events.used);
	uint64_t until = now_ms() + (uint64_t)wait_ms;
	uint32_t id;

	while (!answered(qemu, &qemu->events)) {
		struct timespec pause = { .tv_nsec = 1000000 };

		if (now_ms() >= until)
			return -ENOENT;
		nanosleep(&pause, NULL);
	}
	id = used->ring[qemu->events.seen % QEMU_QUEUE_SIZE].id;
	*ret_written = used->ring[qemu->events.seen++ % QEMU_QUEUE_SIZE].length;
	if (id >= EVENTS)
		return -EPROTO;
	memcpy(ret_event, at(qemu, qemu->ram + AREA_EVENTS + id * QEMU_EVENT_SIZE),
	       QEMU_EVENT_SIZE);
	put(qemu, &qemu->events, (uint16_t)id);
	publish(qemu, &qemu->events);
	return 0;
}
