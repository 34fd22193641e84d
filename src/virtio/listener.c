// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Telling listeners. What gives is asked of one after the other, and taken back from those that agreed
 * when one refuses. What takes away is told to all, whoever fails. Who may hold on to something, or lost
 * what it had (a refusal with EIO), is frozen.
 */
#include "virtio/viommu.h"

#include <errno.h>

int ward_viommu_listen(struct ward_viommu *viommu, const struct ward_viommu_listener_ops *ops,
		       void *context)
{
	if (!ops || !ops->move)
		return -EINVAL;
	if (ward_viommu_endpoint_at(viommu, 0))
		return -EBUSY;
	if (viommu->listeners_count == WARD_VIOMMU_LISTENERS)
		return -ENOSPC;
	viommu->listeners[viommu->listeners_count++] = (struct viommu_listener){ ops, context };
	return 0;
}

enum viommu_status ward_viommu_status(int code)
{
	switch (-code) {
	case 0:
		return VIOMMU_OK;
	case ENOMEM:
	case ENOSPC:
		return VIOMMU_NOMEM;
	case EFAULT:
		return VIOMMU_FAULT;
	case EINVAL:
	case EADDRINUSE:
	case EEXIST:
		return VIOMMU_INVAL;
	case EOPNOTSUPP:
		return VIOMMU_UNSUPP;
	case EOVERFLOW:
	case ERANGE:
		return VIOMMU_RANGE;
	default:
		return VIOMMU_DEVERR;
	}
}

static int unmap(const struct viommu_listener *listener, uint32_t domain, struct ward_range range)
{
	return listener->ops->unmap ? listener->ops->unmap(listener->context, domain, range) : 0;
}

static int freeze_all(struct viommu_domain *domain, const char *why)
{
	for (struct viommu_endpoint *e = domain->endpoints; e; e = e->next)
		ward_viommu_freeze(domain->viommu, e, why);
	return -EIO;
}

int ward_viommu_tell_map(struct viommu_domain *domain, const struct ward_mapping *mapping)
{
	const struct ward_viommu *viommu = domain->viommu;
	const struct ward_range range = { ward_iova_raw(mapping->start),
					  ward_iova_raw(mapping->last) };
	uint32_t i;
	int code = 0, stuck;

	for (i = 0; i < viommu->listeners_count && code == 0; i++) {
		const struct viommu_listener *listener = &viommu->listeners[i];

		if (listener->ops->map)
			code = listener->ops->map(listener->context, domain->id, mapping);
	}
	if (code == 0)
		return 0;
	stuck = code == -EIO;
	/* Not the one that refused. */
	for (i--; i-- > 0;)
		stuck |= unmap(&viommu->listeners[i], domain->id, range);
	return stuck ? freeze_all(domain, "a mapping that was refused could not be taken back")
		     : code;
}

int ward_viommu_tell_unmap(struct viommu_domain *domain, struct ward_range range)
{
	const struct ward_viommu *viommu = domain->viommu;
	int stuck = 0;

	for (uint32_t i = 0; i < viommu->listeners_count; i++)
		stuck |= unmap(&viommu->listeners[i], domain->id, range);
	return stuck ? freeze_all(domain, "a mapping could not be removed") : 0;
}

static int move(const struct viommu_listener *listener, uint32_t endpoint,
		const struct ward_viommu_place *from, const struct ward_viommu_place *to)
{
	return listener->ops->move(listener->context, endpoint, from, to);
}

int ward_viommu_tell_move(struct ward_viommu *viommu, struct viommu_endpoint *endpoint,
			  const struct ward_viommu_place *from, const struct ward_viommu_place *to,
			  bool given)
{
	const char *why = "an endpoint could not be moved";
	uint32_t i = 0;
	int code = 0, stuck = 0;

	for (; i < viommu->listeners_count && code == 0; i++) {
		code = move(&viommu->listeners[i], endpoint->id, from, to);
		if (!given) {
			stuck |= code;
			code = 0;
		}
	}
	if (code) {
		why = "a move that was refused could not be taken back";
		stuck = code == -EIO;
		/* Not the one that refused. */
		for (i--; i-- > 0;)
			stuck |= move(&viommu->listeners[i], endpoint->id, to, from);
	}
	if (!stuck)
		return code;
	ward_viommu_freeze(viommu, endpoint, why);
	return -EIO;
}

void ward_viommu_tell_gone(const struct viommu_domain *domain)
{
	const struct ward_viommu *viommu = domain->viommu;

	for (uint32_t i = 0; i < viommu->listeners_count; i++) {
		const struct viommu_listener *listener = &viommu->listeners[i];

		if (listener->ops->gone)
			listener->ops->gone(listener->context, domain->id);
	}
}

void ward_viommu_tell_freeze(const struct ward_viommu *viommu, uint32_t endpoint)
{
	for (uint32_t i = 0; i < viommu->listeners_count; i++) {
		const struct viommu_listener *listener = &viommu->listeners[i];

		if (listener->ops->freeze)
			listener->ops->freeze(listener->context, endpoint);
	}
}
