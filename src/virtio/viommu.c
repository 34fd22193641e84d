// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The life of a device: made, negotiated with, reset, broken, gone. */
#include "virtio/viommu.h"

#include "base/error.h"
#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FEATURES 0x7fu
#define DEFAULT_FEATURES (FEATURES & ~WARD_VIOMMU_F_BYPASS)
/* Bits of the device type (virtio 1.3, 2.2). */
#define TYPE_FEATURES UINT64_C(0xffffff)
#define FLAGS (WARD_VIOMMU_BOOT_BYPASS | WARD_VIOMMU_IDENTITY)
#define SMALLEST_PAGE UINT64_C(0x1000)
#define EVENTS_MAX 4096u
#define DEFAULT_INTERVAL UINT64_C(100000000)

/* Numbers instead of 0. */
static void put_defaults(struct ward_viommu_options *options)
{
	if (!options->features)
		options->features = DEFAULT_FEATURES;
	if (!options->page_sizes)
		options->page_sizes = -SMALLEST_PAGE;
	if (!options->input.last || !(options->features & WARD_VIOMMU_F_INPUT_RANGE))
		options->input = (struct ward_range){ 0, UINT64_MAX };
	if (!options->domain_last || !(options->features & WARD_VIOMMU_F_DOMAIN_RANGE)) {
		options->domain_first = 0;
		options->domain_last = UINT32_MAX;
	}
	if (!options->probe_size)
		options->probe_size = 512;
	if (!options->mappings_max)
		options->mappings_max = UINT64_C(1) << 20;
	if (!options->endpoints_max)
		options->endpoints_max = 65536;
	if (!options->events_max)
		options->events_max = 64;
	if (!options->events_burst)
		options->events_burst = 16;
	if (!options->events_interval)
		options->events_interval = DEFAULT_INTERVAL;
}

static bool features_make_sense(const struct ward_viommu_options *options)
{
	uint32_t features = options->features;

	if (features & ~FEATURES)
		return false;
	if (features & WARD_VIOMMU_F_BYPASS && features & WARD_VIOMMU_F_BYPASS_CONFIG)
		return false;
	/* The byte begins as 1, and there is none. */
	return !(features && !(features & WARD_VIOMMU_F_BYPASS_CONFIG) &&
		 options->flags & WARD_VIOMMU_BOOT_BYPASS);
}

static bool frames_make_sense(const struct ward_viommu_options *options)
{
	if (options->frames_count > VIOMMU_FRAMES_MAX ||
	    (options->frames_count && !options->frames))
		return false;
	for (uint32_t i = 0; i < options->frames_count; i++) {
		if (ward_range_is_empty(options->frames[i].registers))
			return false;
	}
	return true;
}

static bool options_make_sense(const struct ward_viommu_options *options)
{
	uint64_t pages = options->page_sizes;

	if (options->size != sizeof(*options) || options->flags & ~FLAGS)
		return false;
	if (!features_make_sense(options) || !frames_make_sense(options))
		return false;
	if (pages && (pages & -pages) < SMALLEST_PAGE)
		return false;
	if (options->input.start > options->input.last ||
	    options->domain_first > options->domain_last)
		return false;
	return options->probe_size % 8 == 0 && options->probe_size <= VIOMMU_PROBE_MAX &&
	       options->events_max <= EVENTS_MAX;
}

/* Nobody has seen it yet, or will. */
static void finish(struct ward_viommu *viommu)
{
	ward_viommu_domains_finish(viommu);
	ward_viommu_endpoints_finish(viommu);
	ward_space_destroy(viommu->identity);
	ward_viommu_events_finish(&viommu->events);
	free((void *)(uintptr_t)viommu->options.frames);
	free(viommu);
}

static int copy_frames(struct ward_viommu *viommu)
{
	size_t count = viommu->options.frames_count;
	struct ward_doorbell_frame *frames = ward_alloc_array(count, sizeof(*frames));

	if (frames && count)
		memcpy(frames, viommu->options.frames, count * sizeof(*frames));
	viommu->options.frames = frames;
	return frames ? 0 : -ENOMEM;
}

static int create_identity(struct ward_viommu *viommu)
{
	const struct ward_space_options options = {
		.size = sizeof(options),
		.kind = WARD_SPACE_IDENTITY,
		.aperture = { 0, UINT64_MAX },
		.readers = viommu->options.readers,
	};

	return ward_space_create(&options, &viommu->identity);
}

int ward_viommu_create(const struct ward_viommu_options *options, struct ward_viommu **ret_viommu)
{
	struct ward_viommu *viommu;
	int code;

	if (!options_make_sense(options))
		return -EINVAL;
	viommu = ward_alloc(sizeof(*viommu));
	if (!viommu)
		return -ENOMEM;
	viommu->options = *options;
	put_defaults(&viommu->options);
	viommu->granule_mask = (viommu->options.page_sizes & -viommu->options.page_sizes) - 1;
	viommu->bypass = options->flags & WARD_VIOMMU_BOOT_BYPASS;
	code = ward_viommu_events_init(&viommu->events, viommu->options.events_max);
	if (code) {
		free(viommu);
		return code;
	}
	code = copy_frames(viommu);
	if (code == 0)
		code = create_identity(viommu);
	if (code == 0)
		code = ward_viommu_endpoints_init(viommu);
	if (code) {
		finish(viommu);
		return code;
	}
	*ret_viommu = viommu;
	return 0;
}

void ward_viommu_destroy(struct ward_viommu *viommu)
{
	struct viommu_endpoint *endpoint;

	if (!viommu)
		return;
	for (uint32_t i = 0; (endpoint = ward_viommu_endpoint_at(viommu, i)); i++)
		atomic_store(&endpoint->space, NULL);
	ward_readers_wait(viommu->options.readers);
	finish(viommu);
}

uint64_t ward_viommu_features(const struct ward_viommu *viommu)
{
	return viommu->options.features;
}

int ward_viommu_negotiate(struct ward_viommu *viommu, uint64_t features)
{
	if (viommu->broken)
		return -EIO;
	features &= TYPE_FEATURES;
	if (features & ~(uint64_t)viommu->options.features)
		return -EINVAL;
	/* What was accepted stays (virtio 1.3, 2.2.1): domains and mappings stand on it. */
	if (viommu->configured)
		return viommu->negotiated == features ? 0 : -EBUSY;
	viommu->negotiated = (uint32_t)features;
	viommu->configured = true;
	/* An old driver that accepts BYPASS has it from now on. */
	ward_viommu_move_free(viommu);
	return 0;
}

void ward_viommu_reset(struct ward_viommu *viommu, bool system)
{
	viommu->broken = false;
	viommu->error = (struct ward_error){ 0 };
	viommu->configured = false;
	viommu->negotiated = 0;
	if (system)
		viommu->bypass = viommu->options.flags & WARD_VIOMMU_BOOT_BYPASS;
	ward_viommu_events_drop(&viommu->events);
	/* Who is in no domain first: who leaves one and is frozen is not tried twice. */
	ward_viommu_move_frozen(viommu);
	ward_viommu_move_free(viommu);
	/* Each step takes the last domain's first endpoint, and with its last one the domain. */
	while (viommu->domains_count) {
		struct viommu_domain *domain = viommu->domains[viommu->domains_count - 1];

		(void)ward_viommu_move(viommu, domain->endpoints, NULL, false);
	}
}

void ward_viommu_break(struct ward_viommu *viommu, const char *why)
{
	if (viommu->broken)
		return;
	viommu->broken = true;
	(void)ward_fail(&viommu->error, -EIO, "%s", why);
}

void ward_viommu_info(const struct ward_viommu *viommu, struct ward_viommu_info *ret_info)
{
	struct ward_viommu_info info = {
		.broken = viommu->broken,
		.bypass = ward_viommu_place_of(viommu, NULL).kind == WARD_VIOMMU_BYPASS,
		.negotiated = viommu->negotiated,
		.domains = (uint32_t)viommu->domains_count,
		.mappings = viommu->mappings,
		.mappings_max = viommu->options.mappings_max,
		.mappings_peak = viommu->mappings_peak,
		.error = viommu->error,
	};
	const struct viommu_endpoint *endpoint;

	for (uint32_t i = 0; (endpoint = ward_viommu_endpoint_at(viommu, i)); i++) {
		info.endpoints++;
		info.frozen += endpoint->frozen;
	}
	for (size_t i = 0; i < viommu->domains_count; i++) {
		struct ward_space_info space;

		if (!viommu->domains[i]->space)
			continue;
		ward_space_info(viommu->domains[i]->space, &space);
		info.memory_bytes += space.memory_bytes;
	}
	memcpy(info.answers, viommu->answers, sizeof(info.answers));
	pthread_mutex_lock(viommu->events.lock);
	info.events_told = viommu->events.told;
	info.events_waiting = viommu->events.count;
	info.events_dropped = viommu->events.dropped;
	info.events_limited = viommu->events.limited;
	pthread_mutex_unlock(viommu->events.lock);
	*ret_info = info;
}
