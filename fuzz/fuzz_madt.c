/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "firmware/madt.h"

#include "fuzz_firmware.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int parse(const void *bytes, size_t size, struct ward_error *ret_error)
{
	struct ward_madt *madt;
	int code = ward_madt_parse(bytes, size, &madt, ret_error);

	if (!code)
		ward_madt_destroy(madt);
	return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_table(parse, "APIC", data, size, WARD_ARCH_ARM64);
}
