/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Backends: who carries devices and spaces out. backend/linux drives the kernel, backend/model is a
 * machine in software; both behave alike, and docs/backends.md lists where they cannot.
 *
 * Threads: one at a time uses a backend and what was opened from it.
 */
#ifndef DOORWARD_BACKEND_H
#define DOORWARD_BACKEND_H

#include <doorward/attach.h>
#include <doorward/error.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct ward_backend;
struct ward_device;
struct ward_machine;
struct ward_memory;

/**
 * The software machine (backend/model): the functions, bridges and IOMMUs of a machine, over a
 * memory. What its devices are told to do is in backend/model.h.
 * @param machine the machine; borrowed, outlives the backend
 * @param memory its physical memory, tables of the IOMMUs included; borrowed
 * @param tables part of memory that the backend may use for those tables
 * @param ret_backend the backend; the caller destroys it
 * @param ret_error a sentence on failure; may be NULL
 * @return 0; -EINVAL; -ENOMEM; -ENOSPC more than 65535 ids at one IOMMU
 */
int ward_backend_model(const struct ward_machine *machine, struct ward_memory *memory,
		       struct ward_range tables, struct ward_backend **ret_backend,
		       struct ward_error *ret_error);

/**
 * VFIO by group and container, type1v2 (Linux include/uapi/linux/vfio.h).
 * @param devfd the directory with vfio/vfio and vfio/N: usually /dev; borrowed
 * @param sysfd /sys; borrowed
 * @param ret_backend the backend; the caller destroys it
 * @param ret_error a sentence on failure; may be NULL
 * @return 0; -ENOENT no VFIO here; -EACCES; -EOPNOTSUPP no type1v2; -EIO; -ENOMEM
 */
int ward_backend_vfio_group(int devfd, int sysfd, struct ward_backend **ret_backend,
			    struct ward_error *ret_error);

/**
 * Destroys a backend. Devices must have been closed and spaces destroyed before; into a space that
 * is left nothing can be mapped any more (-EIO).
 * @param backend a backend, or NULL
 */
void ward_backend_destroy(struct ward_backend *backend);

/**
 * @param backend a backend
 * @return its name: "model", "vfio-group"
 */
const char *ward_backend_name(const struct ward_backend *backend);

/**
 * Creates a space that the backend carries out. Mappings made before a device is attached count
 * from its attach on.
 * @param backend a backend
 * @param options how; aperture, page_sizes, mappings_max, ops and backing are the backend's to say
 * @param ret_space the space; the caller destroys it
 * @return 0; -EOPNOTSUPP it has no spaces of this kind; -EINVAL; -ENOMEM; -EIO
 */
int ward_backend_space(struct ward_backend *backend, const struct ward_space_options *options,
		       struct ward_space **ret_space);

/**
 * Opens a device: it is ours, and blocked. Only those that the IOMMU cannot tell apart (over VFIO:
 * those of one group) are in a space together: one that is not attached is in the space of the one
 * that is, from its open on and after its detach.
 * @param backend a backend
 * @param name "ssss:bb:dd.f"
 * @param ret_device the device; the caller closes it
 * @param ret_error a sentence on failure; may be NULL
 * @return 0; -ENOENT no such function; -EBUSY somebody has it; -EPERM its group is not viable;
 * -EACCES; -ENODEV no VFIO driver has it; -ENOMEM; -EIO
 */
int ward_device_open(struct ward_backend *backend, const char *name,
		     struct ward_device **ret_device, struct ward_error *ret_error);

/**
 * Closes a device: it is blocked, reset where it can be alone, and nobody's. Waits for readers.
 * @param device a device, or NULL
 */
void ward_device_close(struct ward_device *device);

/**
 * Puts a device into a space of the same backend, or from one into another.
 * @param device a device
 * @param pasid WARD_PASID_NONE, or the PASID whose requests are meant
 * @param space the space
 * @return 0; -EADDRINUSE a reserved region of the device is mapped; -EBUSY its group is in another
 * space; -EOPNOTSUPP PASIDs, or no IOMMU for such a space; -EINVAL a space of another backend, or
 * pages that its IOMMU does not have; -EFAULT a target is no memory (VFIO); -ENOSPC too many
 * mappings for it; -ENOMEM, with VFIO also RLIMIT_MEMLOCK; -ENODEV the host failed, and it is where it
 * was; -EIO it is in neither space, for it could not go back either, and blocked as far as the host let
 * it be: detach it, also if it was in none before
 */
int ward_device_attach(struct ward_device *device, ward_pasid_t pasid, struct ward_space *space);

/**
 * Takes a device out of its space: blocked, as after its open.
 * @param device a device
 * @param pasid as in attach
 * @return 0; -ENOENT it is in none; -EIO it may reach what it did: detach it again, or close it
 */
int ward_device_detach(struct ward_device *device, ward_pasid_t pasid);

/**
 * Resets a device alone.
 * @param device a device
 * @return 0; -EOPNOTSUPP it cannot be reset without others; -EIO
 */
int ward_device_reset(struct ward_device *device);

/** Regions of a device, by VFIO's numbers: BARs 0 to 5, expansion ROM 6, config space 7. */
#define WARD_DEVICE_REGIONS 8u

struct ward_device_info {
	uint64_t region_size[WARD_DEVICE_REGIONS]; /**< 0: there is none */
	bool resets;				   /**< it can be reset alone */
	bool frozen;				   /**< by an error: see backend/model.h */
};

/**
 * Describes a device.
 * @param device a device
 * @param ret_info what it is
 * @return 0 or -EIO
 */
int ward_device_info(struct ward_device *device, struct ward_device_info *ret_info);

/**
 * Reads registers. A frozen device reads all ones.
 * @param device a device
 * @param region which
 * @param offset in the region
 * @param ret_bytes receives them
 * @param size 1, 2, 4 or 8
 * @return 0; -EINVAL outside the region; -EIO
 */
int ward_device_read(struct ward_device *device, uint32_t region, uint64_t offset, void *ret_bytes,
		     size_t size);

/**
 * Writes registers. A frozen device ignores it.
 * @param device a device
 * @param region which
 * @param offset in the region
 * @param bytes what
 * @param size 1, 2, 4 or 8
 * @return 0; -EINVAL outside the region; -EIO
 */
int ward_device_write(struct ward_device *device, uint32_t region, uint64_t offset,
		      const void *bytes, size_t size);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
