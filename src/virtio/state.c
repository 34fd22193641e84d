// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A device's state, out. Everything is in the order of ids and addresses, so that the same state is
 * always the same bytes. Events that come in meanwhile are not part of it.
 */
#include "virtio/state.h"
#include "virtio/viommu.h"

#include "dma/space.h"

#include <endian.h>
#include <string.h>

struct saving {
	const struct ward_viommu *viommu;
	int (*write)(void *context, const void *bytes, size_t size);
	void *context;
};

static int put(struct saving *saving, enum state_type type, const void *payload, uint32_t length)
{
	struct {
		struct state_head head;
		uint8_t payload[STATE_SENTENCE];
	} record = { .head = { htole32((uint32_t)type), htole32(length) } };

	if (length)
		memcpy(record.payload, payload, length);
	return saving->write(saving->context, &record, sizeof(record.head) + length);
}

static int put_device(struct saving *saving, uint32_t endpoints, uint32_t events)
{
	const struct ward_viommu *viommu = saving->viommu;
	const struct ward_viommu_options *options = &viommu->options;
	const struct state_device device = {
		.features = htole32(options->features),
		.negotiated = htole32(viommu->negotiated),
		.page_sizes = htole64(options->page_sizes),
		.input_start = htole64(options->input.start),
		.input_last = htole64(options->input.last),
		.domain_first = htole32(options->domain_first),
		.domain_last = htole32(options->domain_last),
		.probe_size = htole32(options->probe_size),
		.flags = htole32((viommu->configured ? STATE_CONFIGURED : 0) |
				 (viommu->bypass ? STATE_BYPASS : 0) |
				 (viommu->broken ? STATE_IS_BROKEN : 0)),
		.endpoints = htole32(endpoints),
		.domains = htole32((uint32_t)viommu->domains_count),
		.events = htole32(events),
		.mappings = htole64(viommu->mappings),
	};

	return put(saving, STATE_DEVICE, &device, sizeof(device));
}

static int put_broken(struct saving *saving)
{
	char text[STATE_SENTENCE] = "";

	_Static_assert(sizeof(text) == sizeof(saving->viommu->error.text), "all of it");
	memcpy(text, saving->viommu->error.text,
	       strnlen(saving->viommu->error.text, sizeof(text) - 1));
	return put(saving, STATE_BROKEN, text, sizeof(text));
}

static int put_endpoint(struct saving *saving, const struct viommu_endpoint *endpoint)
{
	const struct viommu_domain *domain = endpoint->domain;
	const struct state_endpoint record = {
		.id = htole32(endpoint->id),
		.flags = htole32((domain ? STATE_ATTACHED : 0) |
				 (domain && domain->bypass ? STATE_BYPASS_DOMAIN : 0) |
				 (endpoint->frozen ? STATE_FROZEN : 0)),
		.domain = htole32(domain ? domain->id : 0),
	};

	return put(saving, STATE_ENDPOINT, &record, sizeof(record));
}

static int put_mapping(struct saving *saving, const struct ward_tree_entry *entry)
{
	const struct ward_mapping mapping = ward_space_mapping(entry);
	const struct state_mapping record = {
		.start = htole64(entry->start),
		.last = htole64(entry->last),
		.target = htole64(ward_target_raw(mapping.target)),
		.flags = htole32((mapping.access & WARD_READ ? STATE_READ : 0) |
				 (mapping.access & WARD_WRITE ? STATE_WRITE : 0) |
				 (mapping.type == WARD_NORMAL ? 0 : STATE_MMIO) |
				 (ward_viommu_domain_untold(entry->value) ? STATE_UNTOLD : 0)),
	};

	return put(saving, STATE_MAPPING, &record, sizeof(record));
}

static int put_domain(struct saving *saving, const struct viommu_domain *domain)
{
	struct ward_space_info info = { 0 };
	struct state_domain record = { .id = htole32(domain->id) };
	struct ward_tree_entry entry;
	uint64_t from = 0;
	int code;

	if (domain->space)
		ward_space_info(domain->space, &info);
	record.mappings = htole64(info.mappings);
	code = put(saving, STATE_DOMAIN, &record, sizeof(record));
	for (uint64_t i = 0; !code && i < info.mappings; i++) {
		ward_tree_next(&domain->space->tree, from, &entry);
		code = put_mapping(saving, &entry);
		/* After one that ends with the last address, none is left. */
		from = entry.last + 1;
	}
	return code;
}

/* Who reports faults may add events meanwhile, but nobody takes any. */
static int put_events(struct saving *saving, uint32_t count)
{
	const struct viommu_events *events = &saving->viommu->events;
	uint8_t event[VIOMMU_EVENT_SIZE];
	int code = 0;

	for (uint32_t i = 0; !code && i < count; i++) {
		pthread_mutex_lock(events->lock);
		memcpy(event, events->event[(events->first + i) % events->max], sizeof(event));
		pthread_mutex_unlock(events->lock);
		code = put(saving, STATE_EVENT, event, sizeof(event));
	}
	return code;
}

static int put_all(struct saving *saving)
{
	const struct ward_viommu *viommu = saving->viommu;
	const struct viommu_endpoints *endpoints =
		atomic_load_explicit(&viommu->endpoints, memory_order_relaxed);
	uint32_t events = ward_viommu_events_waiting(&viommu->events), count = endpoints->count;
	int code = put_device(saving, count, events);

	if (!code && viommu->broken)
		code = put_broken(saving);
	for (uint32_t i = 0; !code && i < count; i++)
		code = put_endpoint(saving, endpoints->endpoint[i]);
	for (size_t i = 0; !code && i < viommu->domains_count; i++)
		code = put_domain(saving, viommu->domains[i]);
	if (!code)
		code = put_events(saving, events);
	return code ? code : put(saving, STATE_END, NULL, 0);
}

int ward_viommu_save(const struct ward_viommu *viommu,
		     int (*write)(void *context, const void *bytes, size_t size), void *context)
{
	struct saving saving = { viommu, write, context };
	struct state_opening opening = { .version = htole32(STATE_VERSION) };
	int code;

	memcpy(opening.magic, STATE_MAGIC, sizeof(opening.magic));
	code = write(context, &opening, sizeof(opening));
	return code ? code : put_all(&saving);
}
