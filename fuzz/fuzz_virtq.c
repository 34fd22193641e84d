// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A split queue whose rings, descriptors and buffers are the input's, and a virtio-iommu behind it.
 * An input is a header of 16 bytes, the guest's memory as far as its length says, then steps of 12
 * bytes. What is popped lies in memory, nothing but the used ring is written by the queue, and one that
 * is broken stays as it is.
 */
#include <doorward/memory.h>
#include <doorward/viommu_endpoint.h>
#include <doorward/virtq.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEADER 16u
#define STEP 12u
#define STEPS_MAX 400u

/*
 * Memory: the main part, another that touches it, one to be read only, the end of all addresses. Parts
 * of queues of more than 16 entries overlap; so may all of them, if the input likes.
 */
#define MAIN_BYTES 0x2000u
#define NEXT_BYTES 0x800u
#define TOP_BYTES 0x1000u
#define DESCRIPTORS 0x0u
#define AVAILABLE 0x100u
#define USED 0x180u

enum {
	POP,
	PUSH,
	NOTIFY,
	WRITE,
	OFFER,
	RESTORE,
	SERVE,
	EVENTS,
	RESET,
	KINDS,
};

enum {
	OPTION_INDIRECT = 0x1,
	OPTION_EVENT_IDX = 0x2,
	OPTION_RAW = 0x4, /* where the parts are is the input's, too */
	OPTION_SIZE_SHIFT = 4,
};

struct header {
	uint8_t options, unused;
	uint16_t next_available, next_used;
	uint16_t descriptors, available, used;
	uint16_t bytes;
	uint16_t endpoint;
};

struct step {
	uint8_t kind, small;
	uint16_t at;
	uint64_t value;
};

struct part {
	uint64_t start, bytes;
	bool read_only;
	uint8_t *host;
};

struct world {
	struct part parts[4];
	struct ward_memory *memory;
	struct ward_virtq_options options;
	struct ward_virtq *queue;
	struct ward_viommu *viommu;
	/* Of the guest's memory, before the queue was called. */
	uint8_t before[MAIN_BYTES];
	uint16_t heads[256];
	uint32_t out;
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void make_memory(struct world *world)
{
	const struct part parts[] = {
		{ .start = 0, .bytes = MAIN_BYTES },
		{ .start = MAIN_BYTES, .bytes = NEXT_BYTES },
		{ .start = MAIN_BYTES + NEXT_BYTES, .bytes = NEXT_BYTES, .read_only = true },
		{ .start = -(uint64_t)TOP_BYTES, .bytes = TOP_BYTES },
	};

	require(!ward_memory_create(&world->memory));
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		struct ward_range range = { parts[i].start, parts[i].start + parts[i].bytes - 1 };

		world->parts[i] = parts[i];
		world->parts[i].host = calloc(1, parts[i].bytes);
		require(world->parts[i].host);
		require(!ward_memory_add(world->memory, range,
					 parts[i].read_only ? WARD_MEMORY_READ_ONLY : 0,
					 world->parts[i].host));
	}
}

static void make_device(struct world *world, uint32_t endpoint)
{
	struct ward_viommu_options options = { .size = sizeof(options), .mappings_max = 64 };
	struct ward_viommu_endpoint_options who = { .size = sizeof(who), .endpoint = endpoint };

	require(!ward_viommu_create(&options, &world->viommu));
	require(!ward_viommu_endpoint_add(world->viommu, &who, NULL));
	require(!ward_viommu_negotiate(world->viommu, ward_viommu_features(world->viommu)));
}

static bool make_queue(struct world *world, const struct header *header)
{
	bool raw = header->options & OPTION_RAW;

	world->options = (struct ward_virtq_options){
		.size = sizeof(world->options),
		.memory = world->memory,
		.descriptors = ward_gpa(raw ? header->descriptors : DESCRIPTORS),
		.available = ward_gpa(raw ? header->available : AVAILABLE),
		.used = ward_gpa(raw ? header->used : USED),
		.entries = 1u << (header->options >> OPTION_SIZE_SHIFT & 7),
		.features = header->options & (OPTION_INDIRECT | OPTION_EVENT_IDX),
		.next_available = header->next_available,
		.next_used = header->next_used,
	};
	return !ward_virtq_create(&world->options, &world->queue, NULL);
}

static void finish(struct world *world)
{
	ward_virtq_destroy(world->queue);
	ward_viommu_destroy(world->viommu);
	ward_memory_destroy(world->memory);
	for (size_t i = 0; i < 4; i++)
		free(world->parts[i].host);
}

static void remember(struct world *world)
{
	memcpy(world->before, world->parts[0].host, MAIN_BYTES);
}

/* Only the used ring may have changed since; not at all when whole is false. */
static void require_used_alone(struct world *world, bool whole)
{
	uint64_t used = ward_gpa_raw(world->options.used);
	uint64_t bytes = 6 + 8 * (uint64_t)world->options.entries;

	if (whole && used < MAIN_BYTES) {
		if (bytes > MAIN_BYTES - used)
			bytes = MAIN_BYTES - used;
		memcpy(world->before + used, world->parts[0].host + used, bytes);
	}
	require(!memcmp(world->before, world->parts[0].host, MAIN_BYTES));
}

static void require_pieces(const struct world *world, const struct iovec *pieces, uint32_t count,
			   uint64_t size, bool write)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < count; i++) {
		uintptr_t base = (uintptr_t)pieces[i].iov_base;
		bool found = false;

		for (size_t j = 0; j < 4; j++) {
			const struct part *part = &world->parts[j];
			uintptr_t host = (uintptr_t)part->host;

			found = found || (base >= host && pieces[i].iov_len <= part->bytes &&
					  base - host <= part->bytes - pieces[i].iov_len &&
					  !(write && part->read_only));
		}
		require(found && pieces[i].iov_len > 0);
		sum += pieces[i].iov_len;
	}
	require(sum == size);
}

static struct ward_virtq_info info_of(const struct world *world)
{
	struct ward_virtq_info info;

	ward_virtq_info(world->queue, &info);
	require((uint16_t)(info.next_available - info.next_used) <= world->options.entries);
	return info;
}

static void pop(struct world *world)
{
	struct ward_virtq_info before = info_of(world), after;
	struct ward_virtq_buffer buffer;
	int code;

	remember(world);
	code = ward_virtq_pop(world->queue, &buffer);
	after = info_of(world);
	require_used_alone(world, !before.broken);
	require((code == -EBADMSG) == after.broken && (!before.broken || after.broken));
	require(after.next_used == before.next_used);
	require((uint16_t)(after.next_available - before.next_available) == (code == 0));
	if (code) {
		require(code == -ENOENT || after.error.text[0]);
		return;
	}
	require(buffer.head < world->options.entries);
	require_pieces(world, buffer.readable, buffer.readable_count, buffer.readable_size, false);
	require_pieces(world, buffer.writable, buffer.writable_count, buffer.writable_size, true);
	world->heads[world->out++ % 256] = buffer.head;
}

static void push(struct world *world, const struct step *step)
{
	struct ward_virtq_info before = info_of(world), after;
	bool none = before.next_available == before.next_used;
	uint16_t head = step->small & 1 ? step->at : world->heads[step->small % 256];
	int code;

	remember(world);
	code = ward_virtq_push(world->queue, head, (uint32_t)step->value);
	after = info_of(world);
	require_used_alone(world, !code);
	if (before.broken)
		require(code == -EBADMSG);
	else
		require(code == (none || head >= world->options.entries ? -EINVAL : 0));
	require((uint16_t)(after.next_used - before.next_used) == (code == 0));
}

static void notify(struct world *world)
{
	bool broken = info_of(world).broken;

	remember(world);
	(void)ward_virtq_notify(world->queue);
	require_used_alone(world, !broken);
	require(!ward_virtq_notify(world->queue));
}

static void write_memory(struct world *world, uint64_t at, const void *bytes, size_t size)
{
	(void)ward_memory_write(world->memory, at, bytes, size);
}

/* The driver makes one head available. */
static void offer(struct world *world, const struct step *step)
{
	uint64_t available = ward_gpa_raw(world->options.available);
	uint16_t index, head = (uint16_t)step->value;

	require(!ward_memory_read(world->memory, available + 2, &index, 2));
	write_memory(world, available + 4 + 2 * (index & (world->options.entries - 1)), &head, 2);
	index = (uint16_t)(index + 1 + (step->small == 255));
	write_memory(world, available + 2, &index, 2);
}

/* Goes on elsewhere; a broken one as a driver sets it up anew. */
static void restore(struct world *world)
{
	struct ward_virtq_info info = info_of(world);
	uint64_t available = ward_gpa_raw(world->options.available);

	if (info.broken)
		write_memory(world, available + 2, &info.next_available, 2);
	world->options.next_available = info.next_available;
	world->options.next_used = info.next_used;
	ward_virtq_destroy(world->queue);
	world->queue = NULL;
	require(!ward_virtq_create(&world->options, &world->queue, NULL));
}

static void serve(struct world *world, uint32_t limit)
{
	struct ward_virtq_info before = info_of(world), after;
	struct ward_viommu_info device;
	int served = ward_viommu_serve(world->viommu, world->queue, limit, NULL);

	after = info_of(world);
	ward_viommu_info(world->viommu, &device);
	require((served == -EIO) == device.broken);
	require(!after.broken || before.broken || device.broken);
	/* What was popped was pushed. */
	require((uint16_t)(after.next_available - before.next_available) ==
		(uint16_t)(after.next_used - before.next_used));
	if (served >= 0)
		require((uint32_t)served <= limit);
}

static void serve_events(struct world *world, const struct step *step)
{
	const struct ward_fault fault = {
		.iova = ward_iova(step->value),
		.access = WARD_WRITE,
		.reason = WARD_FAULT_TRANSLATION,
	};
	struct ward_virtq_info before = info_of(world), after;
	bool told;

	(void)ward_viommu_fault(world->viommu, step->at, &fault, step->value);
	(void)ward_viommu_serve_events(world->viommu, world->queue, &told);
	after = info_of(world);
	require((uint16_t)(after.next_available - before.next_available) ==
		(uint16_t)(after.next_used - before.next_used));
}

static void take(struct world *world, const struct step *step)
{
	switch (step->kind % KINDS) {
	case POP:
		pop(world);
		break;
	case PUSH:
		push(world, step);
		break;
	case NOTIFY:
		notify(world);
		break;
	case WRITE:
		write_memory(world, step->at, &step->value, 1 + (step->small & 7));
		break;
	case OFFER:
		offer(world, step);
		break;
	case RESTORE:
		restore(world);
		break;
	case SERVE:
		serve(world, step->small);
		break;
	case EVENTS:
		serve_events(world, step);
		break;
	default:
		ward_viommu_reset(world->viommu, step->small & 1);
		(void)ward_viommu_negotiate(world->viommu, 0x77);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world world;
	struct header header;
	size_t bytes;

	if (size < HEADER)
		return 0;
	memcpy(&header, data, sizeof(header));
	data += HEADER, size -= HEADER;
	memset(&world, 0, sizeof(world));
	make_memory(&world);
	make_device(&world, header.endpoint);
	bytes = header.bytes % (MAIN_BYTES + 1);
	if (bytes > size)
		bytes = size;
	memcpy(world.parts[0].host, data, bytes);
	data += bytes, size -= bytes;
	if (make_queue(&world, &header)) {
		for (uint32_t i = 0; i < STEPS_MAX && size >= STEP; i++) {
			struct step step;

			memcpy(&step, data, sizeof(step.kind) + 1);
			memcpy(&step.at, data + 2, 2);
			memcpy(&step.value, data + 4, 8);
			take(&world, &step);
			data += STEP, size -= STEP;
		}
	}
	finish(&world);
	return 0;
}
