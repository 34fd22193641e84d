// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include <stdio.h>

#include "dma.h"

void bench_nested(void)
{
	printf("{}");
}
