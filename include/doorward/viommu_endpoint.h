/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Endpoints of a virtio-iommu: who they are, what is reserved for them, where their DMA and their
 * messages go, and their faults.
 *
 * Threads: ward_viommu_translate and ward_viommu_fault from any thread at any time, each with its own
 * reader; the rest as viommu.h says.
 */
#ifndef DOORWARD_VIOMMU_ENDPOINT_H
#define DOORWARD_VIOMMU_ENDPOINT_H

#include <doorward/region.h>
#include <doorward/viommu.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/** How an endpoint's message-signalled interrupts go ("doorward check --explain msi-mode"). */
enum ward_viommu_msi {
	/** No doorbell is its own: it has no MSIs, or they are none of ours. */
	WARD_VIOMMU_MSI_NONE,
	/** A write to the guest's doorbell is not translated: the guest is told a region T_MSI. */
	WARD_VIOMMU_MSI_BYPASSED,
	/** The guest maps its doorbell like anything else, with the MMIO flag. */
	WARD_VIOMMU_MSI_MAPPED,
};

/** Most reserved regions that are handed over for one endpoint. */
#define WARD_VIOMMU_RESERVED_MAX 64u

/** An endpoint. Set size to sizeof(struct ward_viommu_endpoint_options). */
struct ward_viommu_endpoint_options {
	size_t size;
	uint32_t endpoint; /**< the id that the guest knows from VIOT or device tree */
	enum ward_viommu_msi msi;
	/**
	 * Bit n: options.frames[n] of the device is a doorbell of this endpoint. 0 when msi is
	 * WARD_VIOMMU_MSI_NONE, and only then.
	 */
	uint64_t frames;
	/**
	 * The host's own reserved regions (of an assigned function; copied). What must not be mapped is
	 * told as reserved; WARD_REGION_DIRECT_RELAXABLE is not told.
	 */
	const struct ward_reserved *reserved;
	uint32_t reserved_count;
	/**
	 * WARD_REGION_SW_MSI, the window in which the host maps doorbells, is told as IDENTITY and not
	 * as reserved: the guest has to map it to itself, as under nesting.
	 */
	bool identity;
};

/**
 * Adds an endpoint: it is in no domain. While the guest runs, that is hot-plug.
 * @param viommu a device
 * @param options who
 * @param ret_error a sentence on failure; may be NULL
 * @return 0; -EEXIST the id is taken; -EINVAL options that make no sense; -EOPNOTSUPP identity, and the
 * device has no WARD_VIOMMU_IDENTITY; -ENOSPC its regions do not fit into probe_size, or too many
 * endpoints; -EIO the device is broken, perhaps by a listener that could not go back; -ENOMEM; an error
 * of a listener that refuses it
 */
int ward_viommu_endpoint_add(struct ward_viommu *viommu,
			     const struct ward_viommu_endpoint_options *options,
			     struct ward_error *ret_error);

/**
 * Removes an endpoint; it leaves its domain first. Waits for readers.
 * @param viommu a device
 * @param endpoint its id
 * @return 0; -ENOENT
 */
int ward_viommu_endpoint_remove(struct ward_viommu *viommu, uint32_t endpoint);

/** Where an endpoint's DMA goes. */
enum ward_viommu_place_kind {
	WARD_VIOMMU_BLOCKED, /**< nowhere */
	WARD_VIOMMU_BYPASS,  /**< addresses are guest physical */
	WARD_VIOMMU_MAPPED,  /**< through the mappings of a domain */
};

struct ward_viommu_place {
	enum ward_viommu_place_kind kind;
	bool attached;	 /**< by ATTACH: domain says to which; a bypass domain's kind is BYPASS */
	uint32_t domain; /**< or WARD_NONE */
	/** The domain's mappings, to guest physical addresses, borrowed; BLOCKED: NULL. */
	const struct ward_space *space;
};

/** An endpoint as it is. */
struct ward_viommu_endpoint {
	uint32_t endpoint;
	struct ward_viommu_place place;
	bool frozen; /**< a host failed to take something from it: blocked until a reset */
	enum ward_viommu_msi msi;
	uint64_t frames;
	uint32_t regions; /**< reserved regions that PROBE tells */
	uint64_t faults;  /**< reported by ward_viommu_fault */
};

/**
 * Walks the endpoints, by id.
 * @param viommu a device
 * @param from first id to look at
 * @param ret_endpoint the first endpoint from there
 * @return true when there was one; go on from its id + 1, unless that is 2^32
 */
bool ward_viommu_endpoint_next(const struct ward_viommu *viommu, uint32_t from,
			       struct ward_viommu_endpoint *ret_endpoint);

/** Subtypes of reserved regions as PROBE tells them (virtio 1.3, 5.13.6.8). */
#define WARD_VIOMMU_RESV_RESERVED 0u
#define WARD_VIOMMU_RESV_MSI 1u
#define WARD_VIOMMU_RESV_IDENTITY 2u /**< proposed (2018), not in the standard */

struct ward_viommu_region {
	struct ward_range range;
	uint8_t subtype;
};

/**
 * Walks the reserved regions of an endpoint, by address; they do not overlap.
 * @param viommu a device
 * @param endpoint its id
 * @param cursor 0 to begin; moved on by the call
 * @param ret_region the next one
 * @return true while there was one
 */
bool ward_viommu_region_next(const struct ward_viommu *viommu, uint32_t endpoint, uint32_t *cursor,
			     struct ward_viommu_region *ret_region);

/**
 * Where one byte of an emulated device's DMA leads: to a guest physical address. A write to a doorbell
 * in a region T_MSI leads to itself. No lock, no allocation.
 * @param viommu a device
 * @param reader the thread's handle, between enter and exit; NULL when the device has no readers
 * @param endpoint its id
 * @param iova the address
 * @param access what is tried, WARD_READ or WARD_WRITE
 * @param ret_translation where it leads
 * @param ret_fault the fault, when -EFAULT is returned, for ward_viommu_fault; may be NULL
 * @return 0 or -EFAULT; an endpoint that is not there is blocked
 */
int ward_viommu_translate(const struct ward_viommu *viommu, struct ward_reader *reader,
			  uint32_t endpoint, ward_iova_t iova, uint32_t access,
			  struct ward_translation *ret_translation, struct ward_fault *ret_fault);

/**
 * Reports a fault of an endpoint, of ward_viommu_translate or of the host's IOMMU, as an event. Too many
 * (events_burst, events_interval), or more than can wait, are counted and dropped.
 * @param viommu a device
 * @param endpoint its id
 * @param fault what happened
 * @param now a clock that does not go back, in ns
 * @return true when an event waits: ward_viommu_serve_events, or ward_viommu_event
 */
bool ward_viommu_fault(struct ward_viommu *viommu, uint32_t endpoint,
		       const struct ward_fault *fault, uint64_t now);

/**
 * Takes the oldest event that waits, for a monitor with rings of its own. From one thread at a time.
 * @param viommu a device
 * @param buffer a device-writable buffer of the event queue
 * @param count pieces of it
 * @param ret_written the used length
 * @return 0; -ENOENT none waits; -ENOSPC the buffer is too small: it goes back with length 0, and
 * the event waits on
 */
int ward_viommu_event(struct ward_viommu *viommu, const struct iovec *buffer, uint32_t count,
		      uint32_t *ret_written);

/**
 * Which doorbell does a message that the guest wrote into a vector of an endpoint ring? By the way that
 * the write takes now: by its address in a region T_MSI (BYPASSED) and in bypass mode, else through what
 * the guest mapped (MAPPED); never a guess.
 * @param viommu a device
 * @param endpoint its id
 * @param message the message
 * @param ret_resolution the answer; frame is an index into the device's frames
 * @return 0; as ward_doorbell_resolve: -EFAULT it is not mapped (yet), or the endpoint is blocked;
 * -ENOENT no doorbell is there; -EPERM a doorbell that is not the endpoint's; -EINVAL no such
 * endpoint, or it has no doorbells (MSI_NONE)
 */
int ward_viommu_resolve(const struct ward_viommu *viommu, uint32_t endpoint,
			const struct ward_message *message, struct ward_resolution *ret_resolution);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
