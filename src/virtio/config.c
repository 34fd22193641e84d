// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The config space (virtio 1.3, 5.13.4). */
#include "virtio/viommu.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

struct config {
	uint64_t page_size_mask;
	uint64_t input_start, input_end;
	uint32_t domain_start, domain_end;
	uint32_t probe_size;
	uint8_t bypass;
	uint8_t reserved[3];
};

_Static_assert(sizeof(struct config) == WARD_VIOMMU_CONFIG_SIZE &&
		       offsetof(struct config, bypass) == 36,
	       "as the standard has it");

static struct config config_of(const struct ward_viommu *viommu)
{
	const struct ward_viommu_options *options = &viommu->options;
	struct config config = { .page_size_mask = htole64(options->page_sizes) };

	if (options->features & WARD_VIOMMU_F_INPUT_RANGE) {
		config.input_start = htole64(options->input.start);
		config.input_end = htole64(options->input.last);
	}
	if (options->features & WARD_VIOMMU_F_DOMAIN_RANGE) {
		config.domain_start = htole32(options->domain_first);
		config.domain_end = htole32(options->domain_last);
	}
	if (options->features & WARD_VIOMMU_F_PROBE)
		config.probe_size = htole32(options->probe_size);
	if (options->features & WARD_VIOMMU_F_BYPASS_CONFIG)
		config.bypass = viommu->bypass;
	return config;
}

void ward_viommu_config_read(const struct ward_viommu *viommu, uint32_t offset, void *ret_bytes,
			     size_t size)
{
	const struct config config = config_of(viommu);
	size_t there = offset < sizeof(config) ? sizeof(config) - offset : 0;

	if (there > size)
		there = size;
	if (there)
		memcpy(ret_bytes, (const uint8_t *)&config + offset, there);
	if (size > there)
		memset((uint8_t *)ret_bytes + there, 0, size - there);
}

int ward_viommu_config_write(struct ward_viommu *viommu, uint32_t offset, const void *bytes,
			     size_t size)
{
	uint8_t value;

	if (offset != offsetof(struct config, bypass) || size != 1 || viommu->broken)
		return -EINVAL;
	/* The caller's memory may be the guest's: read once. */
	value = *(const volatile uint8_t *)bytes;
	if (value > 1 || !(viommu->negotiated & WARD_VIOMMU_F_BYPASS_CONFIG))
		return -EINVAL;
	viommu->bypass = value;
	ward_viommu_move_free(viommu);
	return 0;
}
