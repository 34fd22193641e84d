/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "firmware/ivrs.h"

#include "fuzz_firmware.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int parse(const void *bytes, size_t size, struct ward_error *ret_error)
{
	struct ward_ivrs *ivrs;
	int code = ward_ivrs_parse(bytes, size, &ivrs, ret_error);

	if (!code)
		ward_ivrs_destroy(ivrs);
	return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_table(parse, "IVRS", data, size, WARD_ARCH_X86);
}
