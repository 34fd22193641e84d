// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A fault in one sentence: the request, then who refused it and why, then where in the tables. */
#include <doorward/translation.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct text {
	char *bytes;
	size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *text, const char *format, ...)
{
	va_list args;
	int wanted;

	if (text->used >= text->size)
		return;
	va_start(args, format);
	wanted = vsnprintf(text->bytes + text->used, text->size - text->used, format, args);
	va_end(args);
	if (wanted > 0)
		text->used += (size_t)wanted;
}

static void say_request(struct text *text, const struct ward_fault *fault)
{
	uint32_t access = fault->access;
	const char *verb = "read", *preposition = "of";

	if (access & WARD_WRITE) {
		verb = access & WARD_READ ? "read and write" : "write";
		preposition = "to";
	} else if (access & WARD_EXEC) {
		verb = "execution";
		preposition = "at";
	}
	say(text, "%s %s 0x%" PRIx64 ": ", verb, preposition, ward_iova_raw(fault->iova));
}

/* The address that a stage was asked for. */
static uint64_t asked(const struct ward_fault *fault)
{
	return fault->stage == 2 ? ward_gpa_raw(fault->gpa) : ward_iova_raw(fault->iova);
}

static const char *whose(const struct ward_fault *fault)
{
	switch (fault->fault_class) {
	case WARD_CLASS_TABLE:
		return " for a table of stage 1";
	case WARD_CLASS_CONTEXT:
		return " for the context descriptor";
	case WARD_CLASS_INPUT:
		break;
	}
	return "";
}

static void say_reason(struct text *text, const struct ward_fault *fault)
{
	unsigned int stage = fault->stage;
	uint64_t at = asked(fault);

	switch (fault->reason) {
	case WARD_FAULT_BLOCKED:
		say(text, "it is blocked");
		return;
	case WARD_FAULT_CONFIG:
		say(text, "the configuration of the requester makes no sense");
		return;
	case WARD_FAULT_PASID:
		say(text, "there is no context for its PASID");
		return;
	case WARD_FAULT_CONTEXT:
		say(text, "the context descriptor makes no sense");
		return;
	case WARD_FAULT_TRANSLATION:
		say(text, "stage %u maps nothing at 0x%" PRIx64, stage, at);
		return;
	case WARD_FAULT_PERMISSION:
		say(text, "stage %u does not let it at 0x%" PRIx64, stage, at);
		return;
	case WARD_FAULT_ADDRESS_SIZE:
		say(text, "the address is too large for stage %u at 0x%" PRIx64, stage, at);
		return;
	case WARD_FAULT_ACCESS_FLAG:
		say(text, "the access flag of stage %u is clear at 0x%" PRIx64, stage, at);
		return;
	case WARD_FAULT_TABLE:
		say(text, "a table of stage %u cannot be read", stage);
		return;
	}
	say(text, "unknown fault %u", (unsigned int)fault->reason);
}

void ward_fault_format(const struct ward_fault *fault, char *ret_text, size_t size)
{
	struct text text = { ret_text, size, 0 };

	if (size == 0)
		return;
	say_request(&text, fault);
	say_reason(&text, fault);
	say(&text, "%s", whose(fault));
	if (fault->level != WARD_NO_LEVEL && fault->fetch)
		say(&text, " (level %d, entry at 0x%" PRIx64 ")", fault->level, fault->fetch);
	else if (fault->level != WARD_NO_LEVEL)
		say(&text, " (level %d)", fault->level);
	else if (fault->fetch)
		say(&text, " (entry at 0x%" PRIx64 ")", fault->fetch);
}
