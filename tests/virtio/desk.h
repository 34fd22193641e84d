/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A device with three recorders that listen, and two endpoints. */
#ifndef TESTS_VIRTIO_DESK_H
#define TESTS_VIRTIO_DESK_H

#include "recorder.h"

#define DOMAIN 6u
#define OTHER 7u
#define ONE 1u
#define TWO 2u

struct desk {
	struct rig rig;
	struct recording recording;
};

static inline void start_with(struct desk *desk, const struct ward_viommu_options *options)
{
	rig_start(&desk->rig, options);
	recording_start(&desk->recording, desk->rig.viommu);
	rig_add(&desk->rig, ONE);
	rig_add(&desk->rig, TWO);
	desk->recording.text[0] = 0;
}

/* ONE is in DOMAIN, with a mapping. */
static inline void start(struct desk *desk)
{
	start_with(desk, NULL);
	assert_int_equal(rig_attach(&desk->rig, DOMAIN, ONE, 0), RIG_OK);
	assert_int_equal(rig_map(&desk->rig, DOMAIN, 0x1000, 0x2fff, 0x80000000, RIG_RW), RIG_OK);
	desk->recording.text[0] = 0;
}

#endif
