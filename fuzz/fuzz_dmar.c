/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "firmware/dmar.h"

#include "fuzz_firmware.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int parse(const void *bytes, size_t size, struct ward_error *ret_error)
{
	struct ward_dmar *dmar;
	int code = ward_dmar_parse(bytes, size, &dmar, ret_error);

	if (!code)
		ward_dmar_destroy(dmar);
	return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_table(parse, "DMAR", data, size, WARD_ARCH_X86);
}
