// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What a buffer of a guest is made of: pieces of any number and size (virtio 1.3, 2.7.4). */
#include "virtio/viommu.h"

#include <string.h>

uint64_t ward_viommu_pieces_size(const struct iovec *pieces, uint32_t count)
{
	uint64_t size = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (pieces[i].iov_len > UINT64_MAX - size)
			return UINT64_MAX;
		size += pieces[i].iov_len;
	}
	return size;
}

size_t ward_viommu_pieces_read(const struct iovec *pieces, uint32_t count, void *ret_bytes,
			       size_t size)
{
	size_t done = 0;

	for (uint32_t i = 0; i < count && done < size; i++) {
		size_t some = pieces[i].iov_len < size - done ? pieces[i].iov_len : size - done;

		if (some)
			memcpy((uint8_t *)ret_bytes + done, pieces[i].iov_base, some);
		done += some;
	}
	return done;
}

size_t ward_viommu_pieces_write(const struct iovec *pieces, uint32_t count, const void *bytes,
				size_t size)
{
	size_t done = 0;

	for (uint32_t i = 0; i < count && done < size; i++) {
		size_t some = pieces[i].iov_len < size - done ? pieces[i].iov_len : size - done;

		if (some)
			memcpy(pieces[i].iov_base, (const uint8_t *)bytes + done, some);
		done += some;
	}
	return done;
}
