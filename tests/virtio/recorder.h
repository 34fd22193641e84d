/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Listeners that write down what they are told, each line with the name of the one, all of them into one
 * text: the order is there to be read. Any call can be told to fail.
 */
#ifndef TESTS_VIRTIO_RECORDER_H
#define TESTS_VIRTIO_RECORDER_H

#include "rig.h"

#define RECORDERS 3u

enum recorder_call {
	RECORDER_MOVE,
	RECORDER_MAP,
	RECORDER_UNMAP,
	RECORDER_CALLS,
};

struct recorder {
	char name;
	char *text; /* RIG_TEXT */
	/* From now on, so many calls of a kind go well, and those after it fail; 0: none does. */
	int code[RECORDER_CALLS];
	unsigned int well[RECORDER_CALLS];
};

static inline int recorder_answer(struct recorder *recorder, enum recorder_call call)
{
	int code = recorder->code[call];

	if (!code || recorder->well[call]-- > 0) {
		rig_say(recorder->text, "\n");
		return 0;
	}
	recorder->well[call] = 0;
	rig_say(recorder->text, " fails\n");
	return code;
}

static inline void recorder_place(char *text, const struct ward_viommu_place *place)
{
	static const char *const kinds[] = { "blocked", "bypass", "mapped" };

	assert_in_range(place->kind, WARD_VIOMMU_BLOCKED, WARD_VIOMMU_MAPPED);
	assert_int_equal(place->kind == WARD_VIOMMU_BLOCKED, place->space == NULL);
	assert_int_equal(place->attached, place->domain != WARD_NONE);
	rig_say(text, "%s", kinds[place->kind]);
	if (place->attached)
		rig_say(text, "(%u)", place->domain);
}

static inline int recorder_move(void *context, uint32_t endpoint,
				const struct ward_viommu_place *from,
				const struct ward_viommu_place *to)
{
	struct recorder *recorder = context;

	rig_say(recorder->text, "%c: %u from ", recorder->name, endpoint);
	recorder_place(recorder->text, from);
	rig_say(recorder->text, " to ");
	recorder_place(recorder->text, to);
	return recorder_answer(recorder, RECORDER_MOVE);
}

static inline int recorder_map(void *context, uint32_t domain, const struct ward_mapping *mapping)
{
	struct recorder *recorder = context;

	rig_say(recorder->text, "%c: map %u %llx-%llx to %llx access %u type %d", recorder->name,
		domain, (unsigned long long)ward_iova_raw(mapping->start),
		(unsigned long long)ward_iova_raw(mapping->last),
		(unsigned long long)ward_target_raw(mapping->target), mapping->access,
		(int)mapping->type);
	return recorder_answer(recorder, RECORDER_MAP);
}

static inline int recorder_unmap(void *context, uint32_t domain, struct ward_range range)
{
	struct recorder *recorder = context;

	rig_say(recorder->text, "%c: unmap %u %llx-%llx", recorder->name, domain,
		(unsigned long long)range.start, (unsigned long long)range.last);
	return recorder_answer(recorder, RECORDER_UNMAP);
}

static inline void recorder_gone(void *context, uint32_t domain)
{
	struct recorder *recorder = context;

	rig_say(recorder->text, "%c: gone %u\n", recorder->name, domain);
}

static inline void recorder_freeze(void *context, uint32_t endpoint)
{
	struct recorder *recorder = context;

	rig_say(recorder->text, "%c: freeze %u\n", recorder->name, endpoint);
}

static const struct ward_viommu_listener_ops recorder_ops = {
	.move = recorder_move,
	.map = recorder_map,
	.unmap = recorder_unmap,
	.gone = recorder_gone,
	.freeze = recorder_freeze,
};

/* Recorders A, B, C of one device. */
struct recording {
	char text[RIG_TEXT];
	struct recorder recorders[RECORDERS];
};

/* Before there are endpoints. */
static inline void recording_start(struct recording *recording, struct ward_viommu *viommu)
{
	*recording = (struct recording){ .text = "" };
	for (unsigned int i = 0; i < RECORDERS; i++) {
		recording->recorders[i].name = (char)('A' + i);
		recording->recorders[i].text = recording->text;
		assert_int_equal(ward_viommu_listen(viommu, &recorder_ops,
						    &recording->recorders[i]),
				 0);
	}
}

/* The recorder's next call of this kind fails, after some that go well. */
static inline void recording_fail(struct recording *recording, char name, enum recorder_call call,
				  unsigned int well, int code)
{
	struct recorder *recorder = &recording->recorders[name - 'A'];

	recorder->code[call] = code;
	recorder->well[call] = well;
}

static inline void recording_mend(struct recording *recording)
{
	for (unsigned int i = 0; i < RECORDERS; i++)
		memset(recording->recorders[i].code, 0, sizeof(recording->recorders[i].code));
}

/* What was said since it was last asked. */
static inline void recording_is(struct recording *recording, const char *text)
{
	assert_string_equal(recording->text, text);
	recording->text[0] = 0;
}

#endif
