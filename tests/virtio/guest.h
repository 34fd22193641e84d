/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A device for tests of what lies around requests, which are in ask.h. */
#ifndef TESTS_VIRTIO_GUEST_H
#define TESTS_VIRTIO_GUEST_H

#include <doorward/space.h>
#include <doorward/viommu_endpoint.h>

#include "ask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A device with all features that the options offer. */
static inline struct ward_viommu *guest_device(struct ward_viommu_options *options)
{
	struct ward_viommu *viommu;

	options->size = sizeof(*options);
	assert_int_equal(ward_viommu_create(options, &viommu), 0);
	assert_int_equal(ward_viommu_negotiate(viommu, ward_viommu_features(viommu)), 0);
	return viommu;
}

static inline void guest_endpoint(struct ward_viommu *viommu, uint32_t id, enum ward_viommu_msi msi,
				  uint64_t frames)
{
	const struct ward_viommu_endpoint_options options = {
		.size = sizeof(options),
		.endpoint = id,
		.msi = msi,
		.frames = frames,
	};

	assert_int_equal(ward_viommu_endpoint_add(viommu, &options, NULL), 0);
}

#endif
