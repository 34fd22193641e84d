/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Shadows: assigned functions behind a virtio-iommu. Each domain with such a function has a space of the
 * host that is kept the same: what the guest maps to guest physical addresses is mapped there to
 * where that memory is. A listener (viommu_listener.h) ready to use, for VFIO and the model.
 *
 * - Blocked: the function is in no space. Bypass: all functions in bypass mode share one space with
 *   all of guest memory.
 * - One MAP becomes as few mappings of the host as memory allows: pieces that lie side by side there
 *   are one, but never with pieces of another MAP, so that no UNMAP has to cut one.
 * - The host's limit of mappings (VFIO: 65535 a container) is looked at before anything is mapped. So is
 *   the range of addresses that it has (ERANGE): options.input of the device is best the host's.
 * - What the guest maps with the MMIO flag to one of its doorbells is not mapped in the host: no function
 *   writes there, its messages go where the host sends them. Where the feature MMIO was not negotiated it
 *   needs no flag. Anything else that is no memory, or read-only and to be written, is refused (EFAULT).
 * - What the host lets a function into is never more than the guest mapped for it; when the host fails
 *   to take something away, the function is taken out altogether.
 * - But functions that the host cannot tell apart (backend.h: one group of VFIO) are in one space, also
 *   while the guest has only one of them there. A guest that wants them in two is refused
 *   (EOPNOTSUPP): they move when all of them have left, and so with bypass on they never do.
 *
 * Threads: as viommu.h.
 */
#ifndef DOORWARD_SHADOW_H
#define DOORWARD_SHADOW_H

#include <doorward/backend.h>
#include <doorward/viommu_listener.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct ward_shadow;

/** How. Set size to sizeof(struct ward_shadow_options). */
struct ward_shadow_options {
	size_t size;
	struct ward_viommu *viommu;   /**< borrowed; without endpoints yet */
	struct ward_backend *backend; /**< borrowed, outlives it */
	/**
	 * Guest memory: what its pieces are mapped to is where they are in this process. Borrowed. A region
	 * that is removed stays mapped in the host for as long as the guest, or ram, maps it.
	 */
	const struct ward_memory *memory;
	/**
	 * Where guest memory is for the backend, if that is not its address in this process (the
	 * model); or NULL.
	 * @param context handed over
	 * @param start guest physical address
	 * @param length bytes wanted, from there
	 * @param ret_length how many of them lie together, at least 1
	 * @return 0; -EFAULT no memory is there
	 */
	int (*place)(void *context, ward_gpa_t start, uint64_t length, ward_target_t *ret_target,
		     uint64_t *ret_length);
	void *context;
	/** Ranges of guest memory that the bypass space has (at most 64, copied); none: nothing. */
	const struct ward_range *ram;
	uint32_t ram_count;
};

/**
 * Creates a shadow and lets it listen to the device.
 * @param options how
 * @param ret_shadow the shadow; the caller destroys it, after the device
 * @param ret_error a sentence on failure; may be NULL
 * @return 0; -EINVAL options that make no sense; -EOPNOTSUPP pages of the host are larger than the
 * device's granule; -EBUSY, -ENOSPC of ward_viommu_listen; -ENOMEM; an error of ward_backend_space
 */
int ward_shadow_create(const struct ward_shadow_options *options, struct ward_shadow **ret_shadow,
		       struct ward_error *ret_error);

/**
 * Destroys a shadow: functions are taken out of its spaces. After the virtio-iommu device is gone.
 * @param shadow a shadow, or NULL
 */
void ward_shadow_destroy(struct ward_shadow *shadow);

/**
 * Says which function an endpoint is; before ward_viommu_endpoint_add. Endpoints that it does not know
 * are emulated, and left alone.
 * @param shadow a shadow
 * @param endpoint its id
 * @param device opened from the backend, in no space; borrowed, open until it is removed
 * @return 0; -EINVAL no device; -EEXIST the id or the device is there already; -EBUSY the endpoint was
 * added before; -ENOMEM
 */
int ward_shadow_add(struct ward_shadow *shadow, uint32_t endpoint, struct ward_device *device);

/**
 * Forgets a function, after ward_viommu_endpoint_remove. What the host did not take from it is in its
 * reach until the device is closed.
 * @param shadow a shadow
 * @param endpoint its id
 * @return 0; -ENOENT; -EBUSY the endpoint is still there
 */
int ward_shadow_remove(struct ward_shadow *shadow, uint32_t endpoint);

struct ward_shadow_info {
	uint32_t functions, frozen, spaces;
	/** Frozen ones that the host failed to take out of their space: a reset tries again; closing does it. */
	uint32_t stuck;
	uint64_t mappings;	/**< of the host, in all spaces */
	uint64_t fullest;	/**< of the space that has most */
	uint64_t mappings_max;	/**< of one space; 0: no limit */
	uint64_t peak;		/**< highest that fullest was */
	uint64_t maps, unmaps;	/**< operations of the host so far */
	uint64_t refused_full;	/**< requests refused for mappings_max */
	uint64_t refused_other; /**< requests refused by the host for anything else */
};

/**
 * @param shadow a shadow
 * @param ret_info figures
 */
void ward_shadow_info(const struct ward_shadow *shadow, struct ward_shadow_info *ret_info);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
