// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A virtio-iommu in a VM monitor: all that the monitor writes, for an emulated disk and an assigned
 * network card behind it. The host and the guest are played by viommu_world.h, so it runs anywhere.
 *
 *	cc viommu.c $(pkg-config --cflags --libs doorward) && ./a.out
 *
 * With ward_backend_vfio_group instead of the machine in software the card is a real one.
 */
#include <doorward/shadow.h>
#include <doorward/virtq.h>

#include <errno.h>

#include "viommu_world.h"

#define IOVA 0x1000000u
/* The register of the guest's interrupt controller that messages are written to. */
#define DOORBELL 0x8090040u

struct monitor {
	struct ward_memory *memory;   /* the guest's */
	struct ward_backend *backend; /* who has the card */
	struct ward_device *card;
	struct ward_viommu *viommu;
	struct ward_shadow *shadow;
	struct ward_virtq *queues[WARD_VIOMMU_QUEUES];
	unsigned int interrupts; /* that the guest would have got */
};

/*
 * Where guest memory is for the host in software. VFIO takes it where it is in this process: then
 * there is no such function.
 */
static int place(void *context, ward_gpa_t start, uint64_t length, ward_target_t *ret_target,
		 uint64_t *ret_length)
{
	(void)context;
	*ret_target = ward_target(ward_gpa_raw(start) - GUEST + HOST);
	*ret_length = length;
	return 0;
}

/* First the device, then who listens to it, then who is behind it. */
static int monitor_start(struct monitor *m)
{
	const struct ward_range guest = { GUEST, GUEST + SIZE - 1 };
	const struct ward_doorbell_frame frame = { .registers = { DOORBELL, DOORBELL + 3 } };
	const struct ward_viommu_options device = { .size = sizeof(device),
						    .frames = &frame,
						    .frames_count = 1 };
	struct ward_shadow_options shadow = { .size = sizeof(shadow),
					      .backend = m->backend,
					      .place = place,
					      .ram = &guest,
					      .ram_count = 1 };
	struct ward_viommu_endpoint_options endpoint = { .size = sizeof(endpoint),
							 .msi = WARD_VIOMMU_MSI_BYPASSED,
							 .frames = 1u << 0 };
	int code = ward_memory_create(&m->memory);

	if (!code)
		code = ward_memory_add(m->memory, guest, 0, ram);
	if (!code)
		code = ward_viommu_create(&device, &m->viommu);
	shadow.viommu = m->viommu;
	shadow.memory = m->memory;
	if (!code)
		code = ward_shadow_create(&shadow, &m->shadow, NULL);
	if (!code)
		code = ward_device_open(m->backend, "0000:00:01.0", &m->card, NULL);
	if (!code)
		code = ward_shadow_add(m->shadow, CARD, m->card);
	endpoint.endpoint = CARD;
	if (!code)
		code = ward_viommu_endpoint_add(m->viommu, &endpoint, NULL);
	endpoint.endpoint = DISK;
	if (!code)
		code = ward_viommu_endpoint_add(m->viommu, &endpoint, NULL);
	return code;
}

/* After what may have moved an endpoint, which the host may have failed to do. */
static void monitor_look(struct monitor *m)
{
	struct ward_viommu_info info;

	ward_viommu_info(m->viommu, &info);
	if (info.broken)
		printf("  (set DEVICE_NEEDS_RESET, and interrupt for the config space: %s)\n",
		       info.error.text);
}

/* The driver has set FEATURES_OK, which stays clear when this fails. */
static int monitor_features_ok(struct monitor *m, uint64_t features)
{
	int code = ward_viommu_negotiate(m->viommu, features);

	monitor_look(m);
	return code;
}

/* It has said where its queues are, and set DRIVER_OK. */
static int monitor_driver_ok(struct monitor *m)
{
	int code = 0;

	for (unsigned int i = 0; !code && i < WARD_VIOMMU_QUEUES; i++) {
		const struct ward_virtq_options options = {
			.size = sizeof(options),
			.memory = m->memory,
			.descriptors = ward_gpa(GUEST + DESCRIPTORS(i)),
			.available = ward_gpa(GUEST + AVAILABLE(i)),
			.used = ward_gpa(GUEST + USED(i)),
			.entries = ENTRIES,
		};

		code = ward_virtq_create(&options, &m->queues[i], NULL);
	}
	return code;
}

/* The driver wrote 0 to the status (device), or the whole machine is reset (system). */
static void monitor_reset(struct monitor *m, bool system)
{
	for (unsigned int i = 0; i < WARD_VIOMMU_QUEUES; i++) {
		ward_virtq_destroy(m->queues[i]);
		m->queues[i] = NULL;
	}
	ward_viommu_reset(m->viommu, system);
	monitor_look(m);
}

static void monitor_config_write(struct monitor *m, uint32_t offset, const void *bytes, size_t size)
{
	/* What is not allowed is ignored. */
	(void)ward_viommu_config_write(m->viommu, offset, bytes, size);
	monitor_look(m);
}

/* Events that wait, and buffers for them. */
static void monitor_tell(struct monitor *m)
{
	bool notify = false;

	if (ward_viommu_serve_events(m->viommu, m->queues[1], &notify) == -EIO)
		monitor_look(m);
	m->interrupts += notify;
}

/* The driver has notified a queue. */
static void monitor_kick(struct monitor *m, unsigned int queue)
{
	int served = queue == 0 ? (int)ENTRIES : 0;
	bool notify;

	/* Of what is left after so many the driver does not notify. */
	while (served == (int)ENTRIES) {
		served = ward_viommu_serve(m->viommu, m->queues[0], ENTRIES, &notify);
		m->interrupts += notify;
	}
	if (served == -EIO)
		monitor_look(m);
	if (queue == 1)
		monitor_tell(m);
}

/*
 * DMA of the emulated disk: translated on the way, as far as a translation goes, and a fault is told to the
 * guest. A disk in a thread of its own has a reader (reader.h), and lets the device's thread tell.
 */
static void disk_writes(struct monitor *m, uint64_t iova, const char *text)
{
	size_t left = strlen(text) + 1;
	struct ward_translation to;
	struct ward_fault fault;

	while (left && !ward_viommu_translate(m->viommu, NULL, DISK, ward_iova(iova), WARD_WRITE,
					      &to, &fault)) {
		uint64_t there = to.input.last - iova;
		size_t size = there < left ? (size_t)there + 1 : left;

		ward_memory_write(m->memory, ward_target_raw(to.target), text, size);
		printf("  the disk writes to 0x%llx: that is guest physical 0x%llx\n",
		       (unsigned long long)iova, (unsigned long long)ward_target_raw(to.target));
		iova += size;
		text += size;
		left -= size;
	}
	if (!left)
		return;
	printf("  the disk writes to 0x%llx: a fault\n", (unsigned long long)iova);
	if (ward_viommu_fault(m->viommu, DISK, &fault, 0 /* ns of a clock */))
		monitor_tell(m);
}

/* The guest has written a vector: a route is only made when it rings a doorbell of the card's. */
static void guest_wrote_vector(struct monitor *m, uint64_t address)
{
	const struct ward_message message = { .address = ward_iova(address), .data = 5 };
	struct ward_resolution resolution;
	bool rings = !ward_viommu_resolve(m->viommu, CARD, &message, &resolution);

	printf("  a message to 0x%llx %s\n", (unsigned long long)address,
	       rings ? "rings the guest's doorbell: make a route"
		     : "rings nothing: make none, mask the vector");
}

static int count_bytes(void *context, const void *bytes, size_t size)
{
	(void)bytes;
	*(size_t *)context += size;
	return 0;
}

static void show(struct monitor *m)
{
	const uint64_t features = ward_viommu_features(m->viommu);
	const uint8_t bypass = 1;
	struct ward_shadow_info info;
	size_t saved = 0;

	printf("the guest asks about its card, and puts card and disk into one domain:\n");
	guest_probes(m, "PROBE", CARD);
	guest_attaches(m, "ATTACH of the card", CARD);
	guest_attaches(m, "ATTACH of the disk", DISK);
	printf("nothing is mapped yet:\n");
	card_writes(m->backend, IOVA, "too early");
	printf("it maps a page, for both:\n");
	guest_maps(m, "MAP", IOVA, GUEST + DATA);
	ward_shadow_info(m->shadow, &info);
	printf("  mappings of the host, for the card: %llu\n", (unsigned long long)info.mappings);
	card_writes(m->backend, IOVA, "hello from the card");
	disk_writes(m, IOVA + 0x100, "hello from the disk");
	printf("what is no memory cannot be mapped for a real device:\n");
	guest_maps(m, "MAP", IOVA + 0x1000, 0x1000);
	ward_viommu_save(m->viommu, count_bytes, &saved);
	printf("all of this is %zu bytes, to go on elsewhere\n", saved);
	printf("it unmaps the page; when that is answered, nobody gets there any more:\n");
	guest_unmaps(m, "UNMAP", IOVA);
	card_writes(m->backend, IOVA, "too late");
	guest_listens(m);
	disk_writes(m, IOVA + 0x100, "too late");
	guest_hears();
	printf("it programs vectors of the card:\n");
	guest_wrote_vector(m, DOORBELL);
	guest_wrote_vector(m, GUEST + DATA);
	printf("interrupts for the driver of the IOMMU: %u\n", m->interrupts);
	printf("its driver resets the IOMMU, and one comes that lets everybody through:\n");
	monitor_reset(m, false);
	card_writes(m->backend, GUEST + DATA, "without a driver");
	if (!monitor_features_ok(m, features))
		monitor_config_write(m, 36, &bypass, sizeof(bypass));
	card_writes(m->backend, GUEST + DATA, "hello from anywhere");
	printf("the machine is reset:\n");
	monitor_reset(m, true);
	card_writes(m->backend, GUEST + DATA, "too late");
}

static void monitor_end(struct monitor *m)
{
	for (unsigned int i = 0; i < WARD_VIOMMU_QUEUES; i++)
		ward_virtq_destroy(m->queues[i]);
	ward_viommu_destroy(m->viommu);
	ward_shadow_destroy(m->shadow);
	ward_device_close(m->card);
	ward_memory_destroy(m->memory);
}

int main(void)
{
	struct ward_machine *machine = NULL;
	struct ward_memory *physical = NULL;
	struct monitor m = { 0 };
	int code = make_host(&machine, &physical, &m.backend);

	if (!code)
		code = monitor_start(&m);
	if (!code)
		code = monitor_features_ok(&m, ward_viommu_features(m.viommu));
	if (!code)
		code = monitor_driver_ok(&m);
	if (code)
		printf("it cannot be set up: %s\n", strerror(-code));
	else
		show(&m);
	monitor_end(&m);
	ward_backend_destroy(m.backend);
	ward_memory_destroy(physical);
	ward_machine_destroy(machine);
	return code ? 1 : 0;
}
