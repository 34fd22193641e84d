// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include <doorward/types.h>

#include <errno.h>

int ward_range_make(uint64_t start, uint64_t length, struct ward_range *ret_range)
{
	if (length == 0)
		return -EINVAL;
	if (length - 1 > UINT64_MAX - start)
		return -EOVERFLOW;
	*ret_range = (struct ward_range){ .start = start, .last = start + (length - 1) };
	return 0;
}
