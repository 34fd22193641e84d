// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Where a message leads, in one sentence: the address, each stage, and what is there. */
#include <doorward/resolve.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct text {
	char *bytes;
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *text, const char *format, ...)
{
	size_t room = WARD_RESOLUTION_TEXT - text->used;
	va_list args;
	int wanted;

	va_start(args, format);
	wanted = vsnprintf(text->bytes + text->used, room, format, args);
	va_end(args);
	if (wanted > 0)
		text->used += (size_t)wanted < room ? (size_t)wanted : room - 1;
}

/* The leaf of stage 1, and what stage 2 made of the address itself; not the steps for tables. */
static void say_steps(struct text *text, const struct ward_resolution *resolution)
{
	const struct ward_walk_step *last = NULL, *leaf = NULL;

	for (uint32_t i = 0; i < resolution->steps_count && i < WARD_RESOLUTION_STEPS; i++) {
		last = &resolution->steps[i];
		if (last->stage == 1)
			leaf = last;
	}
	if (leaf && resolution->end != WARD_RESOLVED_FAULT)
		say(text, " -> stage 1 level %d: 0x%" PRIx64, leaf->level, leaf->output);
	if (last && last->stage == 2 && resolution->end != WARD_RESOLVED_FAULT &&
	    resolution->end != WARD_RESOLVED_DANGLING)
		say(text, " -> stage 2: 0x%" PRIx64, last->output);
}

void ward_resolution_format(const struct ward_resolution *resolution,
			    const struct ward_message *message, char ret_text[WARD_RESOLUTION_TEXT])
{
	struct text text = { ret_text, 0 };
	char fault[WARD_FAULT_TEXT];

	say(&text, "0x%" PRIx64, ward_iova_raw(message->address));
	say_steps(&text, resolution);
	switch (resolution->end) {
	case WARD_RESOLVED:
		say(&text, " -> doorbell %" PRIu32, resolution->frame);
		return;
	case WARD_RESOLVED_FAULT:
		ward_fault_format(&resolution->fault, fault, sizeof(fault));
		say(&text, " -> fault: %s", fault);
		return;
	case WARD_RESOLVED_DANGLING:
		say(&text, " -> stage 2: nothing is mapped there");
		return;
	case WARD_RESOLVED_MEMORY:
		say(&text, " -> there is no doorbell");
		return;
	case WARD_RESOLVED_FOREIGN:
		say(&text, " -> doorbell %" PRIu32 ", which is another controller's",
		    resolution->frame);
		return;
	case WARD_RESOLVED_MISPLACED:
		say(&text, " -> beside the register of doorbell %" PRIu32 ", in its page",
		    resolution->frame);
		return;
	}
	say(&text, " -> unknown end");
}
