/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The state of a device, saved into memory and loaded from there. */
#ifndef TESTS_VIRTIO_STREAM_H
#define TESTS_VIRTIO_STREAM_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define STREAM_BYTES 16384u

struct stream {
	uint8_t bytes[STREAM_BYTES];
	size_t size, at;
	int code; /* of a write or read that fails */
	size_t limit;
};

static inline int write_stream(void *context, const void *bytes, size_t size)
{
	struct stream *stream = context;

	if (stream->code && stream->size + size > stream->limit)
		return stream->code;
	assert_true(size <= STREAM_BYTES - stream->size);
	memcpy(stream->bytes + stream->size, bytes, size);
	stream->size += size;
	return 0;
}

static inline int read_stream(void *context, void *ret_bytes, size_t size)
{
	struct stream *stream = context;

	if (size > stream->size - stream->at)
		return -EPIPE;
	memcpy(ret_bytes, stream->bytes + stream->at, size);
	stream->at += size;
	return 0;
}

#endif
