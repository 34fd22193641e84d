/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Who follows a virtio-iommu: told in order what becomes of domains and endpoints, before the guest is
 * told. So a host's IOMMU (shadow.h), or the IOTLB of a vhost device, is kept the same.
 *
 * What gives may be refused: then the request fails, and everything is as before, also at the listeners
 * that agreed already. What takes away may not: a listener that fails there has its endpoints frozen
 * (freeze is called, their DMA is blocked), and the device is broken. So it is when what gives is refused
 * with EIO: the listener could not go back to what was before.
 *
 * | errno of a refusal | status of the request |
 * |---|---|
 * | ENOMEM, ENOSPC | NOMEM |
 * | EFAULT | FAULT |
 * | EINVAL, EADDRINUSE, EEXIST | INVAL |
 * | EOPNOTSUPP | UNSUPP |
 * | EOVERFLOW, ERANGE | RANGE |
 * | EIO | DEVERR, and the endpoint that moves, or those of the domain, are frozen |
 * | any other | DEVERR |
 *
 * Who caches translations, and asks ward_viommu_translate when something is not there, needs no map: it
 * drops what an endpoint has at move and freeze, and at unmap that of the range for endpoints whose last
 * move was to the domain.
 *
 * Threads: called by the thread that changes the device; must not call it back, but may read: endpoints,
 * regions, the space of a place. Until the call that changes the device returns, translation may still
 * find what goes: such a cache is filled by the same thread.
 */
#ifndef DOORWARD_VIOMMU_LISTENER_H
#define DOORWARD_VIOMMU_LISTENER_H

#include <doorward/viommu_endpoint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct ward_viommu_listener_ops {
	/**
	 * An endpoint goes from one place to another: the old or the new, never a third. May be refused
	 * when to is not BLOCKED and the guest asked for it (ATTACH, hot-plug); never by the end of an
	 * endpoint's stay: DETACH, reset, a change of the bypass byte. An endpoint begins and ends BLOCKED.
	 * Mappings of a place's space (ward_space_next) were told by map or are to be caught up with now; but
	 * those that lie in an IDENTITY region of an endpoint are the guest's half alone, and not told.
	 *
	 * What ends a stay is told to all listeners, also after one has failed. A frozen endpoint is moved
	 * from BLOCKED once more, by a reset or its removal, perhaps to BLOCKED: what was left behind can go
	 * then, though its domain may be gone.
	 */
	int (*move)(void *context, uint32_t endpoint, const struct ward_viommu_place *from,
		    const struct ward_viommu_place *to);
	/**
	 * One MAP request: the whole of it, targets are guest physical. May be refused. It is not among
	 * the domain's mappings yet. NULL: not interested.
	 */
	int (*map)(void *context, uint32_t domain, const struct ward_mapping *mapping);
	/**
	 * All mappings within the range, which cuts none and has one at each end, told by map or not (of
	 * IDENTITY regions); also to take back a map that another listener refused. When it returns, nothing
	 * uses them any more. NULL: not interested.
	 */
	int (*unmap)(void *context, uint32_t domain, struct ward_range range);
	/**
	 * The domain has ended: no endpoint is in it, its mappings are gone. Also when its first ATTACH
	 * was refused, and a listener may not have heard of it. Or NULL.
	 */
	void (*gone)(void *context, uint32_t domain);
	/** Cut the endpoint off by any means; the guest's view of it is BLOCKED. Or NULL. */
	void (*freeze)(void *context, uint32_t endpoint);
};

/** Most listeners of a device. */
#define WARD_VIOMMU_LISTENERS 8u

/**
 * Adds a listener, while there are no endpoints; called in the order in which they were added, backwards
 * where something is taken back.
 * @param viommu a device
 * @param ops what it does; lives for ever
 * @param context handed to ops
 * @return 0; -EINVAL no move; -EBUSY there are endpoints; -ENOSPC WARD_VIOMMU_LISTENERS
 */
int ward_viommu_listen(struct ward_viommu *viommu, const struct ward_viommu_listener_ops *ops,
		       void *context);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
