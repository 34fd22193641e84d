// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "vm_raw.h"

bool vm_is_raw(void)
{
	return false;
}
