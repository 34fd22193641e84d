// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The words of ownership: events, decisions, containments, actions, promises. */
#include <doorward/explore.h>
#include <doorward/own.h>
#include <doorward/plan.h>

#define COUNT(words) (sizeof(words) / sizeof((words)[0]))

static const char *word(const char *const *words, size_t count, unsigned int number)
{
	return number < count && words[number] ? words[number] : "?";
}

const char *ward_event_name(enum ward_event_kind kind)
{
	static const char *const words[] = {
		[WARD_EVENT_BIND] = "bind",
		[WARD_EVENT_UNBIND] = "unbind",
		[WARD_EVENT_CLAIM] = "claim",
		[WARD_EVENT_ATTACH] = "attach",
		[WARD_EVENT_DETACH] = "detach",
		[WARD_EVENT_RELEASE] = "release",
		[WARD_EVENT_DEATH] = "death",
		[WARD_EVENT_REVOKE] = "revoke",
		[WARD_EVENT_HOT_ADD] = "hot-add",
		[WARD_EVENT_HOT_REMOVE] = "hot-remove",
		[WARD_EVENT_VFS_ON] = "vfs-on",
		[WARD_EVENT_VFS_OFF] = "vfs-off",
		[WARD_EVENT_VECTOR] = "vector",
		[WARD_EVENT_FREEZE] = "freeze",
		[WARD_EVENT_THAW] = "thaw",
		[WARD_EVENT_RESET] = "reset",
		[WARD_EVENT_QUARANTINE] = "quarantine",
	};

	return word(words, COUNT(words), kind);
}

const char *ward_decision_name(enum ward_decision decision)
{
	static const char *const words[] = {
		[WARD_ALLOWED] = "allowed",
		[WARD_REFUSED] = "refused",
		[WARD_RECORDED] = "recorded",
		[WARD_UNSETTLED] = "unsettled",
	};

	return word(words, COUNT(words), decision);
}

const char *ward_containment_name(enum ward_containment containment)
{
	static const char *const words[] = {
		[WARD_CONTAIN_DEFAULT] = "default",
		[WARD_CONTAIN_QUARANTINE] = "quarantine",
		[WARD_CONTAIN_FREEZE] = "freeze",
		[WARD_CONTAIN_REVOKE] = "revoke",
	};

	return word(words, COUNT(words), containment);
}

const char *ward_action_name(enum ward_action action)
{
	static const char *const words[] = {
		[WARD_ACTION_NONE] = "none",	       [WARD_ACTION_UNBIND] = "unbind",
		[WARD_ACTION_BIND] = "bind",	       [WARD_ACTION_BLOCK] = "block",
		[WARD_ACTION_TEAR_DOWN] = "tear-down", [WARD_ACTION_RESET] = "reset",
		[WARD_ACTION_GIVE] = "give",	       [WARD_ACTION_TAKE] = "take",
		[WARD_ACTION_ATTACH] = "attach",       [WARD_ACTION_DETACH] = "detach",
		[WARD_ACTION_FREEZE] = "freeze",       [WARD_ACTION_THAW] = "thaw",
	};

	return word(words, COUNT(words), action);
}

const char *ward_promise_name(enum ward_promise promise)
{
	static const char *const words[] = {
		[WARD_PROMISE_REACH] = "reach",	    [WARD_PROMISE_ONE_OWNER] = "one-owner",
		[WARD_PROMISE_FINDING] = "finding", [WARD_PROMISE_UNCHANGED] = "unchanged",
		[WARD_PROMISE_RELEASE] = "release", [WARD_PROMISE_CONTAINMENT] = "containment",
	};

	return word(words, COUNT(words), promise);
}
