/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "firmware/viot.h"

#include "fuzz_firmware.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int parse(const void *bytes, size_t size, struct ward_error *ret_error)
{
	struct ward_viot *viot;
	int code = ward_viot_parse(bytes, size, &viot, ret_error);

	if (!code)
		ward_viot_destroy(viot);
	return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_table(parse, "VIOT", data, size, WARD_ARCH_X86);
}
