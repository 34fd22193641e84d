/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * To write a backend: what the library asks of those that carry spaces and devices out. The library
 * has checked the contract before it calls; a backend says what only it can know.
 *
 * Return values are negative errnos of error.h. Calls about one object never come from two threads
 * at a time.
 */
#ifndef DOORWARD_BACKEND_INTERFACE_H
#define DOORWARD_BACKEND_INTERFACE_H

#include <doorward/attach.h>
#include <doorward/irq.h>
#include <doorward/vm.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/** Carries out one space. */
struct ward_space_ops {
	/** Adds a mapping that fits. Whole or not at all; -EIO: parts of it were not taken back. */
	int (*map)(void *backing, const struct ward_mapping *mapping);
	/**
	 * Removes mappings: first and last are on the bounds of mappings, unless split says that a
	 * part is taken out of one. When it returns, no IOMMU and no device cache uses them; a
	 * device that did not answer was frozen instead. May fail only before anything was done.
	 */
	int (*unmap)(void *backing, struct ward_range range, bool split);
	/** Regions that are taken out of the space: all of them or none. Or NULL. */
	int (*reserve)(void *backing, const struct ward_reserved *reserved, size_t count);
	/** The space is gone. */
	void (*destroy)(void *backing);
	/** It maps doorbells itself, and its targets are no physical addresses (Linux). */
	bool has_doorbells;
};

/** Interrupts of one device that was opened; the calls of irq.h. */
struct ward_irq_ops {
	int (*info)(void *device, uint32_t index, struct ward_irq_info *ret_info);
	/**
	 * The library has checked flags, index, range, size of the data and that the action is one
	 * that the index has; what depends on what is enabled now is the backend's to say.
	 */
	int (*set)(void *device, const struct ward_irq_set *set);
	/** Ways it does not have are -EOPNOTSUPP. */
	int (*set_messages)(void *device, enum ward_message_way way, uint32_t index, uint32_t start,
			    uint32_t count, const ward_iova_t *iovas, struct ward_error *ret_error);
	int (*get)(void *device, uint32_t index, uint32_t vector, struct ward_host_irq *ret_irq);
};

/** One device that was opened. */
struct ward_device_ops {
	const struct ward_irq_ops *irq; /**< NULL: it has no interrupts */
	/**
	 * Into this space, or from the one it is in into this one: old or new, never in between.
	 * -EIO: neither was possible, and it is blocked, as far as it can be, until it was detached;
	 * also when it was in none before.
	 * The space was made by the same backend. pasid is WARD_PASID_NONE or for the PASID alone.
	 */
	int (*attach)(void *device, ward_pasid_t pasid, struct ward_space *space);
	/** Blocked from now on. */
	int (*detach)(void *device, ward_pasid_t pasid);
	int (*reset)(void *device);
	int (*info)(void *device, struct ward_device_info *ret_info);
	/** Registers; offset and size lie within the region. A frozen device reads all ones. */
	int (*read)(void *device, uint32_t region, uint64_t offset, void *ret_bytes, size_t size);
	int (*write)(void *device, uint32_t region, uint64_t offset, const void *bytes,
		     size_t size);
	/** Out of whatever space it is in, and closed. */
	void (*close)(void *device);
};

/** A backend. */
struct ward_backend_ops {
	const char *name; /**< "model", "vfio-group" */
	/** Fills aperture, page_sizes, mappings_max, ops and backing of options, by its kind. */
	int (*space)(void *backend, struct ward_space_options *options);
	int (*open)(void *backend, const char *name, const struct ward_device_ops **ret_ops,
		    void **ret_device);
	void (*destroy)(void *backend);
	/** Told that the caller broke the contract; NULL: the backend does not police its caller. */
	void (*misused)(void *backend, const char *how);
};

/** The interrupt half of a guest; the calls of vm.h, which has checked what the contract says. */
struct ward_vm_ops {
	const char *name; /**< "model", "kvm" */
	int (*start)(void *vm);
	int (*set_routes)(void *vm, const struct ward_route *routes, uint32_t count);
	int (*irqfd)(void *vm, const struct ward_irqfd *irqfd);
	int (*irq_line)(void *vm, uint32_t irq, bool level);
	int (*signal_msi)(void *vm, const struct ward_route *route);
	void (*destroy)(void *vm);
};

/**
 * Checks options, and puts the defaults in.
 * @param options how a VM is to be made
 * @param ret_options the same with numbers and addresses instead of 0
 * @return 0 or -EINVAL options that make no sense; cpus may be 0
 */
int ward_vm_options_check(const struct ward_vm_options *options,
			  struct ward_vm_options *ret_options);

/**
 * @param controller of a VM
 * @param route a row of its table
 * @return 0; -EINVAL the table may not have it
 */
int ward_vm_route_check(enum ward_vm_controller controller, const struct ward_route *route);

/**
 * The table a VM has without anybody setting one, by GSI, then chip.
 * @param controller of the VM
 * @param gsis default_gsis of its information
 * @param ret_routes room for WARD_GSIS; or NULL: they are only counted
 * @return how many
 */
uint32_t ward_vm_default_routes(enum ward_vm_controller controller, uint32_t gsis,
				struct ward_route *ret_routes);

/**
 * Makes a VM usable.
 * @param ops what it does; lives for ever
 * @param context handed to ops
 * @param options how it was made, checked: kind, sizes
 * @param ret_vm the VM; the caller destroys it
 * @return 0; -EINVAL options that make no sense; -ENOMEM; on failure context was not taken
 */
int ward_vm_create(const struct ward_vm_ops *ops, void *context,
		   const struct ward_vm_options *options, struct ward_vm **ret_vm);

/**
 * What was handed to ward_vm_create, for calls that only one kind has.
 * @param vm a VM
 * @param ops of that kind
 * @return its context, or NULL: it is of another kind
 */
void *ward_vm_context(const struct ward_vm *vm, const struct ward_vm_ops *ops);

struct ward_backend;

/**
 * Makes a backend usable.
 * @param ops what it does; lives for ever
 * @param context handed to ops
 * @param ret_backend the backend; the caller destroys it
 * @return 0 or -ENOMEM; on failure context was not taken
 */
int ward_backend_create(const struct ward_backend_ops *ops, void *context,
			struct ward_backend **ret_backend);

/**
 * What was handed to ward_backend_create, for calls that only one kind of backend has.
 * @param backend a backend
 * @param ops of that kind
 * @return its context, or NULL: it is of another kind
 */
void *ward_backend_context(const struct ward_backend *backend, const struct ward_backend_ops *ops);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
