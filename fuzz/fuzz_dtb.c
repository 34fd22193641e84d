/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "machine/from_dt.h"

#include "fuzz_firmware.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void make_machine(const struct ward_dtb *dtb)
{
	struct ward_dt_links links = { 0 };
	struct ward_builder *builder;

	if (ward_builder_create(&builder))
		return;
	ward_builder_set_host(builder, WARD_ARCH_ARM64, NULL, NULL, 4096);
	require(ward_from_dt_devices(builder, dtb, NULL, &links) == 0);
	add_fuzz_functions(builder);
	require(ward_from_dt_links(builder, dtb, &links) == 0);
	ward_dt_links_finish(&links);
	finish_fuzz_machine(builder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ward_error error = { "" };
	struct ward_dtb *dtb = NULL;
	/* Of exactly this size, so that reading past it is seen. */
	uint8_t *copy = malloc(size ? size : 1);
	int code;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	code = ward_dtb_parse(copy, size, &dtb, &error);
	require(code == 0 || (code == -EBADMSG && error.text[0]));
	free(copy);
	if (code == 0)
		make_machine(dtb);
	ward_dtb_destroy(dtb);
	return 0;
}
