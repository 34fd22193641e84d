// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Our device, as a monitor would have it: with readers, and none of them in a section. */
#include <doorward/memory.h>
#include <doorward/reader.h>
#include <doorward/viommu_endpoint.h>
#include <doorward/virtq.h>

#include <stdlib.h>
#include <sys/mman.h>

#include "virtio_iommu.h"

#define BASE 0x40000000ull

/* The queue, from there on. */
#define DESCRIPTORS 0x0000u
#define AVAILABLE 0x1000u
#define USED 0x2000u
#define REST 0x4000u
#define BYTES (REST + RING_BYTES)

struct ours {
	unsigned char *bytes;
	struct ward_memory *memory;
	struct ward_readers *readers;
	struct ward_reader *reader;
	struct ward_viommu *viommu;
	struct ward_virtq *queue;
	struct subject subject;
};

static int our_kick(struct subject *subject)
{
	struct ours *ours = subject->context;
	bool notify;

	return ward_viommu_serve(ours->viommu, ours->queue, ENTRIES, &notify) < 0 ? -1 : 0;
}

static double our_seconds(struct subject *subject)
{
	(void)subject;
	return thread_seconds();
}

static int make_queue(struct ours *ours, bool indirect)
{
	struct ward_virtq_options options = { .size = sizeof(options),
					      .descriptors = ward_gpa(BASE + DESCRIPTORS),
					      .available = ward_gpa(BASE + AVAILABLE),
					      .used = ward_gpa(BASE + USED),
					      .entries = ENTRIES,
					      .features = indirect ? WARD_VIRTQ_INDIRECT : 0 };

	ours->bytes = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ours->bytes == MAP_FAILED || ward_memory_create(&ours->memory) ||
	    ward_memory_add(ours->memory, (struct ward_range){ BASE, BASE + BYTES - 1 }, 0,
			    ours->bytes))
		return -1;
	options.memory = ours->memory;
	ours->subject.descriptors = ours->bytes + DESCRIPTORS;
	ours->subject.available = ours->bytes + AVAILABLE;
	ours->subject.used = ours->bytes + USED;
	ours->subject.memory = ours->bytes + REST;
	ours->subject.base = BASE + REST;
	return ward_virtq_create(&options, &ours->queue, NULL);
}

static int make_device(struct ours *ours)
{
	struct ward_viommu_options options = { .size = sizeof(options) };
	int code;

	if (ward_readers_create(&ours->readers) || ward_reader_create(ours->readers, &ours->reader))
		return -1;
	options.readers = ours->readers;
	code = ward_viommu_create(&options, &ours->viommu);
	for (uint32_t i = 0; !code && i < 3; i++) {
		struct ward_viommu_endpoint_options endpoint = { .size = sizeof(endpoint),
								 .endpoint = i + 1 };

		ours->subject.endpoints[i] = i + 1;
		code = ward_viommu_endpoint_add(ours->viommu, &endpoint, NULL);
	}
	if (!code)
		code = ward_viommu_negotiate(ours->viommu, ward_viommu_features(ours->viommu));
	return code;
}

struct ours *ours_start(bool indirect)
{
	struct ours *ours = calloc(1, sizeof(*ours));

	if (!ours)
		return NULL;
	ours->subject =
		(struct subject){ .kick = our_kick, .seconds = our_seconds, .context = ours };
	if (make_queue(ours, indirect) || make_device(ours)) {
		ours_stop(ours);
		return NULL;
	}
	return ours;
}

void ours_stop(struct ours *ours)
{
	if (!ours)
		return;
	ward_virtq_destroy(ours->queue);
	ward_viommu_destroy(ours->viommu);
	ward_reader_destroy(ours->reader);
	ward_readers_destroy(ours->readers);
	ward_memory_destroy(ours->memory);
	if (ours->bytes && ours->bytes != MAP_FAILED)
		munmap(ours->bytes, BYTES);
	free(ours);
}

struct subject *ours_subject(struct ours *ours)
{
	return &ours->subject;
}

/* The bytes are ready, as in a queue: what is measured is the device alone. */
static int handle(void *context, const struct request *requests, uint32_t count, double *seconds)
{
	static unsigned char bytes[ENTRIES][64], answers[ENTRIES][4];
	struct ours *ours = context;
	size_t sizes[ENTRIES];
	double since;
	int bad = 0;

	for (uint32_t i = 0; i < count; i++)
		sizes[i] = request_bytes(&requests[i], bytes[i]);
	since = thread_seconds();
	for (uint32_t i = 0; i < count; i++) {
		struct iovec in = { bytes[i], sizes[i] }, out = { answers[i], sizeof(answers[i]) };
		uint32_t written = 0;

		bad |= ward_viommu_handle(ours->viommu, &in, 1, &out, 1, &written);
		bad |= written != 4 || answers[i][0];
	}
	*seconds += thread_seconds() - since;
	return bad ? -1 : 0;
}

struct taker ours_handle(struct ours *ours)
{
	return (struct taker){ .context = ours, .room = ENTRIES, .take = handle };
}

static int change_space(void *context, const struct request *requests, uint32_t count,
			double *seconds)
{
	struct ward_space *space = context;
	double since = thread_seconds();
	int bad = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t start = requests[i].start;
		struct ward_mapping mapping = { .start = ward_iova(start),
						.last = ward_iova(start + PAGE - 1),
						.target = ward_target(start + (1ull << 30)),
						.access = WARD_READ | WARD_WRITE };

		if (requests[i].kind == REQUEST_MAP)
			bad |= ward_space_map(space, &mapping);
		else if (requests[i].kind == REQUEST_UNMAP)
			bad |= ward_space_unmap(space, mapping.start, mapping.last, 0, NULL);
	}
	*seconds += thread_seconds() - since;
	return bad ? -1 : 0;
}

struct taker bare_space(struct ours *ours, struct ward_space **ret_space)
{
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = WARD_SPACE_UNMANAGED,
					      .readers = ours->readers };
	struct taker taker = { .room = ENTRIES, .take = change_space };

	*ret_space = NULL;
	if (ward_space_create(&options, ret_space) == 0)
		taker.context = *ret_space;
	return taker;
}
