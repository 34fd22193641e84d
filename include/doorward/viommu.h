/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * The IOMMU a guest sees: a virtio-iommu device (virtio 1.3, 5.13) without a transport. A VM monitor puts
 * it behind its own virtio-mmio or virtio-pci: it hands over features, config space and requests, and
 * gets answers and events. docs/virtio-iommu.md says which paragraph is met where.
 *
 * Whose DMA goes through it are endpoints (viommu_endpoint.h): emulated devices ask
 * ward_viommu_translate; assigned functions follow by listeners (viommu_listener.h, shadow.h).
 *
 * A device that cannot go on (a broken queue, a host that failed to take something away) is broken:
 * DEVICE_NEEDS_RESET, no request is answered until ward_viommu_reset. Nothing that a guest does ends in
 * more than that. ward_viommu_info tells: it is to be asked after calls that move endpoints and do not
 * fail (negotiate, config_write, reset, endpoint_remove), for a host may have failed there.
 *
 * Threads: one at a time calls what changes the device: all but what viommu_endpoint.h names.
 */
#ifndef DOORWARD_VIOMMU_H
#define DOORWARD_VIOMMU_H

#include <doorward/error.h>
#include <doorward/resolve.h>

#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct ward_viommu;
struct ward_virtq;

/** Features of the device type (virtio 1.3, 5.13.3). */
#define WARD_VIOMMU_F_INPUT_RANGE 0x01u
#define WARD_VIOMMU_F_DOMAIN_RANGE 0x02u
#define WARD_VIOMMU_F_MAP_UNMAP 0x04u
#define WARD_VIOMMU_F_BYPASS 0x08u /**< of old devices; not together with BYPASS_CONFIG */
#define WARD_VIOMMU_F_PROBE 0x10u
#define WARD_VIOMMU_F_MMIO 0x20u
#define WARD_VIOMMU_F_BYPASS_CONFIG 0x40u

/** Bytes of the config space. */
#define WARD_VIOMMU_CONFIG_SIZE 40u
/** Queues: 0 requests, 1 events. */
#define WARD_VIOMMU_QUEUES 2u
/** Device id of virtio. */
#define WARD_VIOMMU_DEVICE_ID 23u

/** The bypass byte of the config space begins as 1 (for firmware that knows no IOMMU). */
#define WARD_VIOMMU_BOOT_BYPASS 0x1u
/**
 * Reserved regions of subtype IDENTITY (2) may be told: proposed, not in the standard. Drivers that
 * do not know it take them for reserved.
 */
#define WARD_VIOMMU_IDENTITY 0x2u

/** How. Set size to sizeof(struct ward_viommu_options); 0 is the default of all. */
struct ward_viommu_options {
	size_t size;
	/** Who translates while requests are handled; borrowed, outlives it. NULL: nobody meanwhile. */
	struct ward_readers *readers;
	/** Features that are offered; 0: all but BYPASS. */
	uint32_t features;
	uint32_t flags; /**< WARD_VIOMMU_BOOT_BYPASS, WARD_VIOMMU_IDENTITY */
	/** page_size_mask: bit n: pages of 2^n bytes, the smallest one is the granule, 4 KiB at least.
	 * 0: 4 KiB and all larger ones. */
	uint64_t page_sizes;
	/** Addresses that can be mapped; {0, 0}: all of 64 bits. */
	struct ward_range input;
	/** Domain ids, inclusive; both 0: all of 32 bits. */
	uint32_t domain_first, domain_last;
	/** Room for properties of an endpoint; a multiple of 8, at most 4096. 0: 512. */
	uint32_t probe_size;
	/** The guest's doorbells, guest physical (at most 64; copied). */
	const struct ward_doorbell_frame *frames;
	uint32_t frames_count;
	/**
	 * Most mappings of all domains: what a guest can make us keep. 0: 2^20. One takes 24 to 80 bytes, and
	 * a domain holds at most about six times what it needs, and some KiB.
	 */
	uint64_t mappings_max;
	/** Most endpoints; 0: 65536. */
	uint32_t endpoints_max;
	/** Events that wait for a buffer, at most 4096; 0: 64. */
	uint32_t events_max;
	/** Events of one endpoint: so many at once (0: 16), then one each so many ns (0: 100 ms). */
	uint32_t events_burst;
	uint64_t events_interval;
};

/**
 * Creates a device without endpoints, as after a system reset.
 * @param options how
 * @param ret_viommu the device; the caller destroys it
 * @return 0; -EINVAL options that make no sense; -ENOMEM
 */
int ward_viommu_create(const struct ward_viommu_options *options, struct ward_viommu **ret_viommu);

/**
 * Destroys a device and its domains. Listeners are not called. Waits for readers.
 * @param viommu a device, or NULL
 */
void ward_viommu_destroy(struct ward_viommu *viommu);

/**
 * @param viommu a device
 * @return features it offers: bits 0 to 6. Those of the transport (VIRTIO_F_VERSION_1 and so on) are the
 * monitor's
 */
uint64_t ward_viommu_features(const struct ward_viommu *viommu);

/**
 * What the driver accepted; when it sets FEATURES_OK. Until then no request is known.
 * @param viommu a device
 * @param features bits 0 to 23 are looked at
 * @return 0; -EINVAL one that was not offered: FEATURES_OK stays clear; -EBUSY others were accepted since
 * the last reset; -EIO the device is broken, and is to be reset first
 */
int ward_viommu_negotiate(struct ward_viommu *viommu, uint64_t features);

/**
 * Reads the config space (virtio 1.3, 5.13.4). What lies beyond its end reads 0.
 * @param viommu a device
 * @param offset in bytes
 * @param ret_bytes receives them
 * @param size how many
 */
void ward_viommu_config_read(const struct ward_viommu *viommu, uint32_t offset, void *ret_bytes,
			     size_t size);

/**
 * Writes the config space: the bypass byte, 0 or 1, after BYPASS_CONFIG was negotiated. Endpoints that
 * are in no domain move at once; one that a host fails to move is frozen, and the device broken.
 * @param viommu a device
 * @param offset in bytes
 * @param bytes what
 * @param size how many
 * @return 0; -EINVAL anything else, or the device is broken: nothing was changed, and a guest need not be
 * told
 */
int ward_viommu_config_write(struct ward_viommu *viommu, uint32_t offset, const void *bytes,
			     size_t size);

/**
 * Reset: endpoints leave their domains, domains end, waiting events are dropped, no feature is
 * negotiated. Frozen endpoints are tried again. Waits for readers.
 * @param viommu a device
 * @param system of the whole machine: the bypass byte is as at the beginning; else (device reset) it
 * stays
 */
void ward_viommu_reset(struct ward_viommu *viommu, bool system);

/**
 * Serves one request. Both parts may be shared with the guest, and may change meanwhile: they are
 * read once, and written once.
 * @param viommu a device
 * @param request the device-readable part
 * @param request_count pieces of it
 * @param answer the device-writable part
 * @param answer_count pieces of it
 * @param ret_written the used length: 0 when it was no request we know, or too small
 * @return 0; -EIO the device is broken (perhaps by this very request, which was answered then if
 * ret_written is not 0)
 */
int ward_viommu_handle(struct ward_viommu *viommu, const struct iovec *request,
		       uint32_t request_count, const struct iovec *answer, uint32_t answer_count,
		       uint32_t *ret_written);

/**
 * Serves what waits in a request queue (virtq.h); a queue that is broken breaks the device.
 * @param viommu a device
 * @param queue the request queue
 * @param limit most requests to serve
 * @param ret_notify the driver is to be notified, also on -EIO; NULL: not asked (virtq.h)
 * @return how many were served: limit, and more may wait, of which the driver does not notify; less,
 * and it will; -EIO the device is broken
 */
int ward_viommu_serve(struct ward_viommu *viommu, struct ward_virtq *queue, uint32_t limit,
		      bool *ret_notify);

/**
 * Puts events that wait into buffers of the event queue: after ward_viommu_fault said so, and when
 * the driver notifies of that queue.
 * @param viommu a device
 * @param queue the event queue
 * @param ret_notify the driver is to be notified, also on -EIO; NULL: not asked (virtq.h)
 * @return how many were put there; -EIO the device is broken
 */
int ward_viommu_serve_events(struct ward_viommu *viommu, struct ward_virtq *queue,
			     bool *ret_notify);

/**
 * Breaks the device, for a monitor whose own rings were broken by the guest.
 * @param viommu a device
 * @param why a sentence; the first one counts
 */
void ward_viommu_break(struct ward_viommu *viommu, const char *why);

/** Answers by status (0 OK to 8 NOMEM) and type (1 ATTACH to 5 PROBE). */
#define WARD_VIOMMU_STATUSES 9u
#define WARD_VIOMMU_TYPES 6u

/** What it is and what it did. */
struct ward_viommu_info {
	bool broken;	     /**< the monitor sets DEVICE_NEEDS_RESET */
	bool bypass;	     /**< endpoints in no domain are in bypass mode */
	uint32_t negotiated; /**< features */
	uint32_t endpoints, domains, frozen;
	uint64_t mappings, mappings_max, mappings_peak;
	uint64_t memory_bytes; /**< for mappings, of this process */
	/** Since it was created; type 0: no request we know, status is not counted. */
	uint64_t answers[WARD_VIOMMU_TYPES][WARD_VIOMMU_STATUSES];
	uint64_t events_told, events_waiting, events_dropped, events_limited;
	struct ward_error error; /**< broken: why */
};

/**
 * @param viommu a device
 * @param ret_info what it is
 */
void ward_viommu_info(const struct ward_viommu *viommu, struct ward_viommu_info *ret_info);

/**
 * Writes the device's state: negotiated features, bypass, domains, mappings, waiting events, version 1
 * of the stream (docs/virtio-iommu.md). The state of queues is virtq.h's.
 * @param viommu a device
 * @param write called with the bytes in order; an error of it ends the save
 * @param context handed to write
 * @return 0; an error of write
 */
int ward_viommu_save(const struct ward_viommu *viommu,
		     int (*write)(void *context, const void *bytes, size_t size), void *context);

/**
 * Reads a state into a device that was just created or reset, with the same options and endpoints.
 * Listeners are called as if the guest had made the requests. Whole, or the device is as after a
 * reset.
 * @param viommu a device
 * @param read called for bytes in order; fills all of size, or fails
 * @param context handed to read
 * @param ret_error a sentence on failure; may be NULL
 * @return 0; -EBADMSG no such stream, or one that contradicts itself; -EOPNOTSUPP another version;
 * -ENOENT an endpoint that is not here; -EINVAL features, ranges or granule that this device does not
 * have; -EBUSY the device is in use; -ENOSPC; -ENOMEM; an error of read or of a listener
 */
int ward_viommu_load(struct ward_viommu *viommu,
		     int (*read)(void *context, void *ret_bytes, size_t size), void *context,
		     struct ward_error *ret_error);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
