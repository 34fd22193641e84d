/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "firmware/iort.h"

#include "fuzz_firmware.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Spans must say for an id what the walk says. */
static void check_spans(const struct ward_iort *iort, uint32_t node, uint32_t mask)
{
	struct ward_iort_span *spans;
	uint32_t count, next = 0;

	if (ward_iort_spans(iort, node, mask, &spans, &count))
		return;
	for (uint32_t i = 0; i < count; i++) {
		const struct ward_iort_span *span = &spans[i];
		const uint32_t probes[] = { span->first,
					    span->first + (span->last - span->first) / 2,
					    span->last };

		require(span->first == next && span->last >= span->first);
		next = span->last + 1;
		for (unsigned int k = 0; k < 3; k++) {
			uint32_t step = span->constant ? 0 : probes[k] - span->first, id = 0;

			require(ward_iort_walk(iort, node, probes[k], mask, &id) == span->node);
			require(span->node == WARD_NONE || id == span->output + step);
		}
	}
	require(next == 0x10000);
	free(spans);
}

static int parse(const void *bytes, size_t size, struct ward_error *ret_error)
{
	struct ward_iort *iort;
	int code = ward_iort_parse(bytes, size, &iort, ret_error);

	if (code)
		return code;
	for (uint32_t i = 0; i < iort->nodes_count; i++) {
		if (iort->nodes[i].type != WARD_IORT_ROOT_COMPLEX)
			continue;
		check_spans(iort, i, WARD_IORT_IOMMUS);
		check_spans(iort, i, WARD_IORT_ITS);
	}
	ward_iort_destroy(iort);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_table(parse, "IORT", data, size, WARD_ARCH_ARM64);
}
