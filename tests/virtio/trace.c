// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "trace.h"

#include "trace_ring.h"

#include <doorward/viommu_endpoint.h>

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_SIZE 8192u
#define SECOND UINT64_C(1000000000)
#define EVENT_SIZE 24u
#define EVENT_FLAGS 4u
/* READ and WRITE of an event's flags. */
#define EVENT_ACCESSES 3u
#define REASON_UNKNOWN 0u
#define REASON_DOMAIN 1u
/* Offsets in the config space (virtio 1.3, 5.13.4). */
#define CONFIG_INPUT 8u
#define CONFIG_DOMAINS 24u
#define CONFIG_PROBE_SIZE 32u
#define CONFIG_BYPASS 36u
#define ATTACH 1u
#define ATTACH_FLAGS 12u
#define ENDPOINTS_MAX 64u
/* Kicks between two moves, and room for the state of a device. */
#define MOVE_KICKS 7u
#define STATE_MAX (1u << 20)

struct answer {
	uint8_t bytes[TRACE_WRITABLE];
	uint32_t size, written;
	uint16_t head;
};

struct state {
	uint8_t bytes[STATE_MAX];
	size_t size, at;
};

struct replay {
	struct state state;
	struct trace_result *result;
	const struct trace_follower *follower;
	struct trace_ring ring;
	struct ward_viommu *viommu;
	struct ward_doorbell_frame doorbell;
	bool has_doorbell;
	uint32_t offered, endpoints_count;
	uint32_t endpoints[ENDPOINTS_MAX];
	uint8_t config[WARD_VIOMMU_CONFIG_SIZE];
	/* What QEMU answered, in order, to those in flight. */
	struct answer expected[TRACE_BATCH];
	uint32_t expected_count;
	uint64_t now;
};

static bool __attribute__((format(printf, 2, 3)))
differs(struct replay *replay, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(replay->result->why, sizeof(replay->result->why), format, arguments);
	va_end(arguments);
	return false;
}

static bool malformed(struct replay *replay)
{
	return differs(replay, "no line of a trace");
}

static bool number(const char *text, uint64_t max, uint64_t *ret_value)
{
	char *end;

	errno = 0;
	*ret_value = text ? strtoull(text, &end, 0) : 0;
	return text && end != text && *end == '\0' && !errno && *ret_value <= max;
}

static bool hexadecimal(const char *text, uint8_t *ret_bytes, uint32_t room)
{
	size_t length = strlen(text);
	unsigned int byte;

	if (length % 2 || length / 2 > room)
		return false;
	for (size_t i = 0; i < length / 2; i++) {
		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return false;
		ret_bytes[i] = (uint8_t)byte;
	}
	return true;
}

/* "SIZE:HEX", zeroes at the end left out. */
static bool packed(char *text, uint8_t *ret_bytes, uint32_t room, uint32_t *ret_size)
{
	char *colon = text ? strchr(text, ':') : NULL;
	uint64_t size;

	if (!colon)
		return false;
	*colon = '\0';
	if (!number(text, room, &size))
		return false;
	memset(ret_bytes, 0, room);
	*ret_size = (uint32_t)size;
	return hexadecimal(colon + 1, ret_bytes, (uint32_t)size);
}

static uint32_t get32(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return le32toh(value);
}

static uint64_t get64(const uint8_t *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, sizeof(value));
	return le64toh(value);
}

/* As QEMU's device is: what its config space says, and what its board told it. */
static bool create(struct replay *replay)
{
	const uint8_t *config = replay->config;
	struct ward_viommu_options options = {
		.size = sizeof(options),
		.features = replay->offered,
		.flags = config[CONFIG_BYPASS] ? WARD_VIOMMU_BOOT_BYPASS : 0,
		.page_sizes = get64(config),
		.input = { get64(config + CONFIG_INPUT), get64(config + CONFIG_INPUT + 8) },
		.domain_first = get32(config + CONFIG_DOMAINS),
		.domain_last = get32(config + CONFIG_DOMAINS + 4),
		.probe_size = get32(config + CONFIG_PROBE_SIZE),
		.frames = &replay->doorbell,
		.frames_count = replay->has_doorbell,
	};
	uint8_t ours[WARD_VIOMMU_CONFIG_SIZE];

	if (ward_viommu_create(&options, &replay->viommu))
		return differs(replay, "the device cannot be as QEMU's");
	if (replay->follower && !replay->follower->begin(replay->follower->context, replay->viommu))
		return differs(replay, "nobody follows");
	for (uint32_t i = 0; i < replay->endpoints_count; i++) {
		struct ward_viommu_endpoint_options endpoint = {
			.size = sizeof(endpoint),
			.endpoint = replay->endpoints[i],
			.msi = replay->has_doorbell ? WARD_VIOMMU_MSI_BYPASSED
						    : WARD_VIOMMU_MSI_NONE,
			.frames = replay->has_doorbell,
		};
		struct ward_error error = { 0 };

		if (ward_viommu_endpoint_add(replay->viommu, &endpoint, &error))
			return differs(replay, "endpoint %#x: %s", endpoint.endpoint, error.text);
	}
	ward_viommu_config_read(replay->viommu, 0, ours, sizeof(ours));
	if (memcmp(ours, replay->config, sizeof(ours)) != 0)
		return differs(replay, "the config space differs");
	return true;
}

static bool doorbell(struct replay *replay, char *const words[])
{
	replay->has_doorbell = true;
	return (number(words[1], UINT64_MAX, &replay->doorbell.registers.start) &&
		number(words[2], UINT64_MAX, &replay->doorbell.registers.last)) ||
	       malformed(replay);
}

static bool offered(struct replay *replay, char *const words[])
{
	uint64_t features;

	if (!number(words[1], UINT32_MAX, &features))
		return malformed(replay);
	replay->offered = (uint32_t)features;
	return true;
}

static bool config(struct replay *replay, char *const words[])
{
	return (words[1] && strlen(words[1]) == 2 * sizeof(replay->config) &&
		hexadecimal(words[1], replay->config, sizeof(replay->config))) ||
	       malformed(replay);
}

static bool endpoint(struct replay *replay, char *const words[])
{
	uint64_t id;

	if (!number(words[1], UINT32_MAX, &id) || replay->endpoints_count == ENDPOINTS_MAX)
		return malformed(replay);
	replay->endpoints[replay->endpoints_count++] = (uint32_t)id;
	return true;
}

static bool negotiated(struct replay *replay, char *const words[])
{
	uint64_t features;

	if (replay->viommu || !number(words[1], UINT32_MAX, &features))
		return malformed(replay);
	if (!create(replay))
		return false;
	return ward_viommu_negotiate(replay->viommu, features) == 0 ||
	       differs(replay, "features are not accepted");
}

static void count(struct trace_result *result, const uint8_t *request, const struct answer *answer)
{
	uint32_t type = answer->written && request[0] < 6 ? request[0] : 0;

	result->requests[type]++;
	result->bypass += type == ATTACH && get32(request + ATTACH_FLAGS);
	result->errors += type && answer->bytes[answer->written - 4];
}

static bool request(struct replay *replay, char *const words[])
{
	struct answer *answer = &replay->expected[replay->expected_count];
	uint8_t readable[TRACE_READABLE];
	uint32_t size;
	uint64_t written;

	if (!replay->viommu || replay->expected_count == TRACE_BATCH ||
	    !packed(words[1], readable, sizeof(readable), &size) || !size ||
	    !packed(words[2], answer->bytes, sizeof(answer->bytes), &answer->size) ||
	    !answer->size || !number(words[3], answer->size, &written) || (written && written < 4))
		return malformed(replay);
	answer->written = (uint32_t)written;
	answer->head = trace_ring_add(&replay->ring, replay->expected_count++, readable, size,
				      answer->size);
	count(replay->result, readable, answer);
	return true;
}

static bool is_untouched(const uint8_t *bytes, uint32_t from)
{
	while (from < TRACE_WRITABLE)
		if (bytes[from++] != TRACE_UNTOUCHED)
			return false;
	return true;
}

static bool same_answer(struct replay *replay, uint32_t slot)
{
	const struct answer *answer = &replay->expected[slot];
	const uint8_t *ours = trace_ring_writable(&replay->ring, slot);
	uint32_t head, written;

	if (!trace_ring_take(&replay->ring, TRACE_REQUESTS, &head, &written))
		return differs(replay, "request %" PRIu32 " of the kick has no answer", slot);
	if (head != answer->head || written != answer->written)
		return differs(replay,
			       "request %" PRIu32 " of the kick: used length %" PRIu32
			       ", QEMU's is %" PRIu32,
			       slot, written, answer->written);
	for (uint32_t i = 0; i < written; i++)
		if (ours[i] != answer->bytes[i])
			return differs(replay,
				       "request %" PRIu32 " of the kick: byte %" PRIu32
				       " of the answer is %#x, QEMU's is %#x",
				       slot, i, ours[i], answer->bytes[i]);
	return is_untouched(ours, written) ||
	       differs(replay,
		       "request %" PRIu32 " of the kick: more than the used length is written",
		       slot);
}

static int put_state(void *context, const void *bytes, size_t size)
{
	struct state *state = context;

	if (size > STATE_MAX - state->size)
		return -ENOSPC;
	memcpy(state->bytes + state->size, bytes, size);
	state->size += size;
	return 0;
}

static int get_state(void *context, void *ret_bytes, size_t size)
{
	struct state *state = context;

	if (size > state->size - state->at)
		return -ENODATA;
	memcpy(ret_bytes, state->bytes + state->at, size);
	state->at += size;
	return 0;
}

/* As when the VM goes to another host: the driver must not notice. */
static bool move(struct replay *replay)
{
	struct ward_error error = { 0 };

	replay->state.size = 0;
	replay->state.at = 0;
	if (ward_viommu_save(replay->viommu, put_state, &replay->state))
		return differs(replay, "the state is not saved");
	ward_viommu_destroy(replay->viommu);
	replay->viommu = NULL;
	if (!create(replay))
		return false;
	if (ward_viommu_load(replay->viommu, get_state, &replay->state, &error))
		return differs(replay, "the state is not loaded: %s", error.text);
	return trace_ring_move(&replay->ring) || differs(replay, "the queues do not go on");
}

static bool kick(struct replay *replay, char *const words[])
{
	uint32_t requests = replay->expected_count;
	int code;

	(void)words;
	if (!requests)
		return malformed(replay);
	replay->result->kicks++;
	code = ward_viommu_serve(replay->viommu, replay->ring.queue[TRACE_REQUESTS], TRACE_BATCH,
				 NULL);
	if (code != (int)requests)
		return differs(replay, "%" PRIu32 " requests, serve says %d", requests, code);
	for (uint32_t slot = 0; slot < requests; slot++)
		if (!same_answer(replay, slot))
			return false;
	replay->expected_count = 0;
	return replay->ring.framing != TRACE_MOVED || replay->result->kicks % MOVE_KICKS != 0 ||
	       move(replay);
}

/* The DMA fails here, too, and makes an event. */
static bool fault(struct replay *replay, uint32_t id, int code, const struct ward_fault *found)
{
	replay->result->faults++;
	if (code != -EFAULT)
		return differs(replay, "QEMU's DMA faults, ours does not");
	/* No more than one in a second: QEMU's device has no budget for them. */
	replay->now += SECOND;
	if (!ward_viommu_fault(replay->viommu, id, found, replay->now) ||
	    ward_viommu_serve_events(replay->viommu, replay->ring.queue[TRACE_EVENTS], NULL) != 1)
		return differs(replay, "the fault makes no event");
	return true;
}

static bool dma(struct replay *replay, char *const words[])
{
	struct ward_translation translation;
	struct ward_fault found;
	uint64_t id, address, result;
	bool writes, faults;
	int code;

	if (!replay->viommu || !number(words[1], UINT32_MAX, &id) || !words[2] ||
	    !number(words[3], UINT64_MAX, &address) || !words[4])
		return malformed(replay);
	writes = strcmp(words[2], "write") == 0;
	faults = strcmp(words[4], "fault") == 0;
	if (!faults && !number(words[4], UINT64_MAX, &result))
		return malformed(replay);
	code = ward_viommu_translate(replay->viommu, NULL, (uint32_t)id, ward_iova(address),
				     writes ? WARD_WRITE : WARD_READ, &translation, &found);
	if (faults)
		return fault(replay, (uint32_t)id, code, &found);
	replay->result->translations++;
	if (code)
		return differs(replay, "the DMA faults, QEMU's does not");
	if (ward_target_raw(translation.target) != result)
		return differs(replay, "the DMA goes to %#" PRIx64,
			       ward_target_raw(translation.target));
	/* What is not translated is a message. */
	return !replay->follower || result == address ||
	       replay->follower->dma(replay->follower->context, (uint32_t)id, address, writes,
				     result) ||
	       differs(replay, "the DMA goes elsewhere at who follows");
}

/*
 * Where an event is not QEMU's ("Where QEMU differs" of docs/virtio-iommu.md; virtio 1.3,
 * 5.13.6.9). fault-unknown: of an endpoint that was never attached QEMU says UNKNOWN; without
 * being attached to a domain is DOMAIN. fault-access: where nothing is mapped QEMU does not say
 * whether it was a read or a write; flags are for that.
 */
static void forgive(struct trace_result *result, const uint8_t *theirs, uint8_t *ours)
{
	if (theirs[0] == REASON_UNKNOWN && ours[0] == REASON_DOMAIN) {
		ours[0] = REASON_UNKNOWN;
		result->listed++;
	}
	if (!(theirs[EVENT_FLAGS] & EVENT_ACCESSES) && (ours[EVENT_FLAGS] & EVENT_ACCESSES)) {
		ours[EVENT_FLAGS] &= (uint8_t)~EVENT_ACCESSES;
		result->listed++;
	}
}

static bool event(struct replay *replay, char *const words[])
{
	uint8_t theirs[EVENT_SIZE], ours[EVENT_SIZE];
	uint32_t size, slot, written;

	if (!replay->viommu || !packed(words[1], theirs, sizeof(theirs), &size) ||
	    size != EVENT_SIZE)
		return malformed(replay);
	replay->result->events++;
	if (!trace_ring_take(&replay->ring, TRACE_EVENTS, &slot, &written))
		return differs(replay, "there is no event");
	memcpy(ours, trace_ring_event(&replay->ring, slot), EVENT_SIZE);
	trace_ring_give(&replay->ring, slot);
	forgive(replay->result, theirs, ours);
	return (written == size && memcmp(ours, theirs, size) == 0) ||
	       differs(replay, "the event differs");
}

static const struct {
	const char *word;
	bool (*run)(struct replay *replay, char *const words[]);
} lines[] = {
	{ "doorbell", doorbell },
	{ "offered", offered },
	{ "config", config },
	{ "endpoint", endpoint },
	{ "negotiated", negotiated },
	{ "request", request },
	{ "kick", kick },
	{ "dma", dma },
	{ "event", event },
};

static bool run_line(struct replay *replay, char *text)
{
	char *words[5] = { NULL }, *rest = NULL;
	size_t words_count = 0;

	if (text[0] == '#')
		return true;
	for (char *word = strtok_r(text, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
		if (words_count == 5)
			return malformed(replay);
		words[words_count++] = word;
	}
	if (!words_count)
		return malformed(replay);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (strcmp(words[0], lines[i].word) == 0)
			return lines[i].run(replay, words);
	return malformed(replay);
}

static bool run_file(struct replay *replay, FILE *file)
{
	char text[LINE_MAX_SIZE];

	while (fgets(text, sizeof(text), file)) {
		replay->result->line++;
		if (!run_line(replay, text))
			return false;
	}
	if (ferror(file) || !replay->result->kicks || replay->expected_count)
		return differs(replay, "the trace is not whole");
	return true;
}

bool trace_replay(const char *path, enum trace_framing framing,
		  const struct trace_follower *follower, struct trace_result *ret_result)
{
	struct replay *replay = calloc(1, sizeof(*replay));
	FILE *file = fopen(path, "re");
	bool same = false;

	memset(ret_result, 0, sizeof(*ret_result));
	if (replay && file) {
		replay->result = ret_result;
		replay->follower = follower;
		same = trace_ring_init(&replay->ring, framing) ? run_file(replay, file)
							       : differs(replay, "no ring");
		ward_viommu_destroy(replay->viommu);
		trace_ring_finish(&replay->ring);
	} else {
		snprintf(ret_result->why, sizeof(ret_result->why), "cannot be read");
	}
	if (file)
		fclose(file);
	free(replay);
	return same;
}
