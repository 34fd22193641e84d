// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Exposures: from the event after which a client is not in order to the one after which it is. */
#include "own/core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

static bool opens(const struct ward_ownership *o, const struct own_judged *judged)
{
	return judged->exposed && !o->clients[judged->client].exposure;
}

/* Whoever the event brought: the functions named, or the VFs of those. */
static bool is_newcomer(const struct ward_ownership *o, enum ward_event_kind kind,
			uint32_t function)
{
	uint32_t pf = o->machine->functions[function].physfn;

	if (kind == WARD_EVENT_VFS_ON)
		return pf != WARD_NONE && own_is_named(o, pf);
	return (kind == WARD_EVENT_HOT_ADD || kind == WARD_EVENT_BIND) && own_is_named(o, function);
}

static int list_newcomers(struct ward_ownership *o, enum ward_event_kind kind,
			  struct own_noting *noting)
{
	void *newcomers = o->newcomers;
	uint32_t count = 0;

	for (uint32_t i = 0; i < o->machine->functions_count; i++)
		count += is_newcomer(o, kind, i);
	if (!count)
		return 0;
	if (ward_array_reserve(&newcomers, &o->newcomers_capacity, o->newcomers_count + 1u,
			       sizeof(*o->newcomers)))
		return -ENOMEM;
	o->newcomers = newcomers;
	noting->newcomers = ward_alloc_array(count, sizeof(*noting->newcomers));
	if (!noting->newcomers)
		return -ENOMEM;
	for (uint32_t i = 0; i < o->machine->functions_count; i++) {
		if (is_newcomer(o, kind, i))
			noting->newcomers[noting->newcomers_count++] = i;
	}
	return 0;
}

int own_exposures_reserve(struct ward_ownership *o, uint32_t more)
{
	void *exposures = o->exposures, *texts = o->texts;
	size_t count = (size_t)o->exposures_count + more;

	if (ward_array_reserve(&exposures, &o->exposures_capacity, count, sizeof(*o->exposures)))
		return -ENOMEM;
	o->exposures = exposures;
	if (ward_array_reserve(&texts, &o->texts_capacity, count, sizeof(char *)))
		return -ENOMEM;
	o->texts = texts;
	return 0;
}

/* Copies of what the findings say. */
static int copy_texts(const struct ward_ownership *o, const struct own_judging *judging,
		      struct own_noting *noting)
{
	noting->texts = ward_alloc_array(judging->count, sizeof(char *));
	if (!noting->texts)
		return -ENOMEM;
	noting->texts_count = judging->count;
	for (uint32_t i = 0; i < judging->count; i++) {
		const struct own_judged *judged = &judging->judged[i];
		const char *text;
		size_t size;

		if (!opens(o, judged))
			continue;
		text = judged->verdict->findings[judged->worst].text;
		size = strlen(text) + 1;
		noting->texts[i] = ward_alloc(size);
		if (!noting->texts[i])
			return -ENOMEM;
		memcpy(noting->texts[i], text, size);
	}
	return 0;
}

int own_exposures_prepare(struct ward_ownership *o, const struct ward_event *event,
			  const struct own_judging *judging, struct own_noting *noting)
{
	uint32_t opened = 0;
	int err;

	for (uint32_t i = 0; i < judging->count; i++)
		opened += opens(o, &judging->judged[i]);
	if (!opened)
		return 0;
	err = own_exposures_reserve(o, opened);
	if (!err)
		err = copy_texts(o, judging, noting);
	return err ? err : list_newcomers(o, event->kind, noting);
}

static void open_one(struct ward_ownership *o, const struct ward_event *event,
		     const struct own_judged *judged, char *text)
{
	const struct ward_finding *worst = &judged->verdict->findings[judged->worst];

	o->texts[o->exposures_count] = text;
	o->exposures[o->exposures_count++] = (struct ward_exposure){
		.opened = o->events,
		.cause = event->kind,
		.containment = WARD_EVENTS,
		.client = judged->client,
		.function = worst->subject,
		.victim = worst->blocker,
		.code = worst->code,
		.text = text,
	};
	o->clients[judged->client].exposure = o->exposures_count;
	o->clients[judged->client].rank = o->ranks;
	o->exposures_open++;
}

static void close_one(struct ward_ownership *o, const struct ward_event *event, uint32_t client)
{
	struct ward_exposure *exposure = &o->exposures[o->clients[client].exposure - 1];

	exposure->contained = o->events;
	exposure->containment = event->kind;
	o->clients[client].exposure = 0;
	o->exposures_open--;
}

static bool is_answered(const struct ward_ownership *o, uint64_t rank)
{
	for (uint32_t i = 0; i < o->clients_known; i++) {
		if (o->clients[i].exposure && o->clients[i].rank == rank)
			return false;
	}
	return true;
}

/* Whose exposures are all over is no newcomer any more. */
static void forget_newcomers(struct ward_ownership *o)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < o->newcomers_count; i++) {
		if (is_answered(o, o->newcomers[i].rank))
			free(o->newcomers[i].functions);
		else
			o->newcomers[kept++] = o->newcomers[i];
	}
	o->newcomers_count = kept;
}

void own_exposures_note(struct ward_ownership *o, const struct ward_event *event,
			struct own_judging *judging, struct own_noting *noting)
{
	if (noting->texts)
		o->ranks++;
	for (uint32_t i = 0; i < judging->count; i++) {
		struct own_judged *judged = &judging->judged[i];
		struct own_client *client = &o->clients[judged->client];

		if (opens(o, judged)) {
			open_one(o, event, judged, noting->texts[i]);
			noting->texts[i] = NULL;
			noting->opened++;
		} else if (!judged->exposed && client->exposure) {
			close_one(o, event, judged->client);
			noting->contained++;
		}
		free(client->through);
		client->through = judged->through;
		client->through_count = judged->through_count;
		judged->through = NULL;
	}
	if (noting->newcomers) {
		o->newcomers[o->newcomers_count++] = (struct own_newcomers){
			.rank = o->ranks,
			.functions = noting->newcomers,
			.count = noting->newcomers_count,
		};
		noting->newcomers = NULL;
	}
	forget_newcomers(o);
}

void own_noting_finish(struct own_noting *noting)
{
	for (uint32_t i = 0; i < noting->texts_count; i++)
		free(noting->texts[i]);
	free(noting->texts);
	free(noting->newcomers);
	*noting = (struct own_noting){ 0 };
}

void own_exposures_forget(struct ward_ownership *o)
{
	for (uint32_t i = 0; i < o->exposures_count; i++)
		free(o->texts[i]);
	for (uint32_t i = 0; i < o->newcomers_count; i++)
		free(o->newcomers[i].functions);
	for (uint32_t i = 0; i < o->clients_known; i++) {
		free(o->clients[i].through);
		o->clients[i].through = NULL;
		o->clients[i].through_count = 0;
		o->clients[i].exposure = 0;
		o->clients[i].rank = 0;
	}
	o->exposures_count = 0;
	o->exposures_open = 0;
	o->newcomers_count = 0;
	o->ranks = 0;
}

const struct ward_exposure *ward_ownership_exposures(const struct ward_ownership *o,
						     uint32_t *ret_count)
{
	*ret_count = o->exposures_count;
	return o->exposures;
}
