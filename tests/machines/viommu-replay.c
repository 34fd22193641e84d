// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Replays traces into our device (tests/virtio/trace.h), in each framing: "ok" and what was in it,
 * or "not ok" and the first difference.
 *
 * Usage: viommu-replay TRACE...
 */
#include <inttypes.h>
#include <stdio.h>
#include <trace.h>

static bool replay(const char *path)
{
	struct trace_result result;

	for (unsigned int framing = 0; framing < TRACE_FRAMINGS; framing++)
		if (!trace_replay(path, framing, NULL, &result)) {
			printf("not ok %s:%" PRIu32 ": %s\n", path, result.line, result.why);
			return false;
		}
	printf("ok %s: attach %" PRIu32 " detach %" PRIu32 " map %" PRIu32 " unmap %" PRIu32
	       " probe %" PRIu32 " bypass %" PRIu32 " errors %" PRIu32 " dma %" PRIu32
	       " faults %" PRIu32 " events %" PRIu32 " listed %" PRIu32 "\n",
	       path, result.requests[1], result.requests[2], result.requests[3], result.requests[4],
	       result.requests[5], result.bypass, result.errors, result.translations, result.faults,
	       result.events, result.listed);
	return true;
}

int main(int argc, char **argv)
{
	bool same = argc > 1;

	for (int i = 1; i < argc; i++)
		same &= replay(argv[i]);
	return !same;
}
