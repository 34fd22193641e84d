// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A device's state, in. Nothing of the stream is believed: each record is the one that has to come, all
 * numbers are held against this device and against what the stream said before, and only then an
 * endpoint moves or a mapping is made, as by a request.
 */
#include "base/error.h"
#include "virtio/state.h"
#include "virtio/viommu.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

struct loading {
	struct ward_viommu *viommu;
	int (*read)(void *context, void *ret_bytes, size_t size);
	void *context;
	struct ward_error *error;
	struct state_device device;    /* in this machine's order */
	char sentence[STATE_SENTENCE]; /* why it is broken */
	uint64_t mappings;	       /* so far */
};

static const char *const names[] = {
	[STATE_DEVICE] = "device", [STATE_BROKEN] = "broken",	[STATE_ENDPOINT] = "endpoint",
	[STATE_DOMAIN] = "domain", [STATE_MAPPING] = "mapping", [STATE_EVENT] = "event",
	[STATE_END] = "end",
};

static int take(struct loading *loading, void *ret_bytes, size_t size)
{
	int code = loading->read(loading->context, ret_bytes, size);

	if (!code)
		return 0;
	return ward_fail(loading->error, code, "the state cannot be read: %s", strerror(-code));
}

/* The next record, which has to be of this type and length. */
static int next(struct loading *loading, enum state_type type, void *ret_payload, uint32_t length)
{
	struct state_head head;
	int code = take(loading, &head, sizeof(head));

	if (code)
		return code;
	if (le32toh(head.type) != type)
		return ward_fail(loading->error, -EBADMSG,
				 "a record of type %" PRIu32 " where one of type %d (%s) belongs",
				 le32toh(head.type), (int)type, names[type]);
	if (le32toh(head.length) != length)
		return ward_fail(loading->error, -EBADMSG,
				 "a record of type %d (%s) is %" PRIu32 " bytes long, not %" PRIu32,
				 (int)type, names[type], le32toh(head.length), length);
	return length ? take(loading, ret_payload, length) : 0;
}

static int read_opening(struct loading *loading)
{
	struct state_opening opening;
	int code = take(loading, &opening, sizeof(opening));

	if (code)
		return code;
	if (memcmp(opening.magic, STATE_MAGIC, sizeof(opening.magic)) != 0)
		return ward_fail(loading->error, -EBADMSG,
				 "this is not the state of a virtio-iommu device");
	if (le32toh(opening.version) != STATE_VERSION)
		return ward_fail(loading->error, -EOPNOTSUPP, "version %" PRIu32 ", not %u",
				 le32toh(opening.version), STATE_VERSION);
	return 0;
}

static int read_device(struct loading *loading)
{
	struct state_device *d = &loading->device;
	int code = next(loading, STATE_DEVICE, d, sizeof(*d));

	if (code)
		return code;
	*d = (struct state_device){
		.features = le32toh(d->features),
		.negotiated = le32toh(d->negotiated),
		.page_sizes = le64toh(d->page_sizes),
		.input_start = le64toh(d->input_start),
		.input_last = le64toh(d->input_last),
		.domain_first = le32toh(d->domain_first),
		.domain_last = le32toh(d->domain_last),
		.probe_size = le32toh(d->probe_size),
		.flags = le32toh(d->flags),
		.endpoints = le32toh(d->endpoints),
		.domains = le32toh(d->domains),
		.events = le32toh(d->events),
		.reserved = le32toh(d->reserved),
		.mappings = le64toh(d->mappings),
	};
	return 0;
}

/* What the guest has read of the device that was saved has to be true of this one. */
static int check_fits(const struct loading *loading)
{
	const struct ward_viommu_options *options = &loading->viommu->options;
	const struct state_device *d = &loading->device;
	struct ward_error *error = loading->error;

	if (d->features != options->features)
		return ward_fail(error, -EINVAL,
				 "features 0x%" PRIx32 " were offered; here it is 0x%" PRIx32,
				 d->features, options->features);
	if (d->page_sizes != options->page_sizes)
		return ward_fail(error, -EINVAL,
				 "page sizes were 0x%" PRIx64 "; here they are 0x%" PRIx64,
				 d->page_sizes, options->page_sizes);
	if (d->input_start != options->input.start || d->input_last != options->input.last)
		return ward_fail(error, -EINVAL,
				 "the input range was 0x%" PRIx64 "-0x%" PRIx64
				 "; here it is 0x%" PRIx64 "-0x%" PRIx64,
				 d->input_start, d->input_last, options->input.start,
				 options->input.last);
	if (d->domain_first != options->domain_first || d->domain_last != options->domain_last)
		return ward_fail(error, -EINVAL,
				 "the domain range was %" PRIu32 "-%" PRIu32 "; here it is %" PRIu32
				 "-%" PRIu32,
				 d->domain_first, d->domain_last, options->domain_first,
				 options->domain_last);
	if (d->probe_size != options->probe_size)
		return ward_fail(error, -EINVAL, "probe_size was %" PRIu32 "; here it is %" PRIu32,
				 d->probe_size, options->probe_size);
	return 0;
}

static int check_device(const struct loading *loading)
{
	const struct ward_viommu_options *options = &loading->viommu->options;
	const struct state_device *d = &loading->device;
	struct ward_error *error = loading->error;

	if (d->reserved || (d->flags & ~(STATE_CONFIGURED | STATE_BYPASS | STATE_IS_BROKEN)))
		return ward_fail(error, -EBADMSG, "the device has flags that are not known");
	if (d->negotiated & ~d->features)
		return ward_fail(error, -EBADMSG,
				 "features 0x%" PRIx32 " were negotiated, and 0x%" PRIx32
				 " were offered",
				 d->negotiated, d->features);
	if (!(d->flags & STATE_CONFIGURED) && (d->negotiated || d->domains || d->mappings))
		return ward_fail(error, -EBADMSG, "nothing was negotiated, yet there is state");
	if ((d->flags & STATE_BYPASS) && !(d->features & WARD_VIOMMU_F_BYPASS_CONFIG))
		return ward_fail(error, -EBADMSG, "bypass without BYPASS_CONFIG");
	if (d->endpoints > options->endpoints_max)
		return ward_fail(error, -ENOSPC,
				 "%" PRIu32 " endpoints; here there are at most %" PRIu32,
				 d->endpoints, options->endpoints_max);
	if (d->domains > d->endpoints)
		return ward_fail(error, -EBADMSG, "%" PRIu32 " domains of %" PRIu32 " endpoints",
				 d->domains, d->endpoints);
	if (d->mappings && !(d->negotiated & WARD_VIOMMU_F_MAP_UNMAP))
		return ward_fail(error, -EBADMSG, "mappings without MAP_UNMAP");
	if (d->mappings > options->mappings_max)
		return ward_fail(error, -ENOSPC,
				 "%" PRIu64 " mappings; here there are at most %" PRIu64,
				 d->mappings, options->mappings_max);
	if (d->events > options->events_max)
		return ward_fail(error, -ENOSPC,
				 "%" PRIu32 " events wait; here there are at most %" PRIu32,
				 d->events, options->events_max);
	return 0;
}

static int read_broken(struct loading *loading)
{
	char *text = loading->sentence;
	size_t length;
	int code = next(loading, STATE_BROKEN, text, STATE_SENTENCE);

	if (code)
		return code;
	length = strnlen(text, STATE_SENTENCE);
	for (size_t i = 0; i < STATE_SENTENCE; i++)
		if (i < length ? (uint8_t)text[i] < ' ' : text[i] != 0)
			length = STATE_SENTENCE;
	if (length == STATE_SENTENCE)
		return ward_fail(loading->error, -EBADMSG,
				 "why the device is broken is no sentence");
	return 0;
}

static int check_endpoint(const struct loading *loading, const struct state_endpoint *record)
{
	const struct ward_viommu_options *options = &loading->viommu->options;
	const struct state_device *d = &loading->device;
	struct ward_error *error = loading->error;
	bool attached = record->flags & STATE_ATTACHED;

	if (record->flags & ~(STATE_ATTACHED | STATE_BYPASS_DOMAIN | STATE_FROZEN))
		return ward_fail(error, -EBADMSG,
				 "endpoint %" PRIu32 " has flags that are not known", record->id);
	if (!attached && (record->domain || (record->flags & STATE_BYPASS_DOMAIN)))
		return ward_fail(error, -EBADMSG,
				 "endpoint %" PRIu32 " has a domain and is not attached",
				 record->id);
	if (attached && !(d->flags & STATE_CONFIGURED))
		return ward_fail(error, -EBADMSG, "endpoint %" PRIu32 " is attached to no driver",
				 record->id);
	if ((record->flags & STATE_BYPASS_DOMAIN) && !(d->negotiated & WARD_VIOMMU_F_BYPASS_CONFIG))
		return ward_fail(error, -EBADMSG,
				 "a bypass domain (%" PRIu32 ") without BYPASS_CONFIG",
				 record->domain);
	if ((record->flags & STATE_FROZEN) && !(d->flags & STATE_IS_BROKEN))
		return ward_fail(error, -EBADMSG,
				 "endpoint %" PRIu32 " is frozen, and the device is not broken",
				 record->id);
	if (attached && (d->features & WARD_VIOMMU_F_DOMAIN_RANGE) &&
	    (record->domain < options->domain_first || record->domain > options->domain_last))
		return ward_fail(error, -EBADMSG,
				 "domain %" PRIu32 " lies outside the domain range",
				 record->domain);
	return 0;
}

static int attach(struct loading *loading, struct viommu_endpoint *endpoint,
		  const struct state_endpoint *record)
{
	struct ward_viommu *viommu = loading->viommu;
	bool bypass = record->flags & STATE_BYPASS_DOMAIN;
	const struct viommu_domain *domain = ward_viommu_domain_find(viommu, record->domain);
	int code;

	if (domain && domain->bypass != bypass)
		return ward_fail(loading->error, -EBADMSG,
				 "domain %" PRIu32 " is a bypass domain and is none",
				 record->domain);
	if (!domain && viommu->domains_count == loading->device.domains)
		return ward_fail(loading->error, -EBADMSG, "more domains than the device has");
	code = ward_viommu_join(viommu, endpoint, record->domain, bypass);
	if (!code)
		return 0;
	return ward_fail(loading->error, code,
			 "endpoint %" PRIu32 " cannot be attached to domain %" PRIu32 ": %s",
			 record->id, record->domain, strerror(-code));
}

static int read_endpoints(struct loading *loading)
{
	uint64_t least = 0; /* id of the next one */

	for (uint32_t i = 0; i < loading->device.endpoints; i++) {
		struct state_endpoint record;
		struct viommu_endpoint *endpoint;
		int code = next(loading, STATE_ENDPOINT, &record, sizeof(record));

		if (code)
			return code;
		record.id = le32toh(record.id);
		record.flags = le32toh(record.flags);
		record.domain = le32toh(record.domain);
		if (record.id < least)
			return ward_fail(loading->error, -EBADMSG,
					 "endpoint %" PRIu32 " comes twice, or late", record.id);
		least = (uint64_t)record.id + 1;
		code = check_endpoint(loading, &record);
		if (code)
			return code;
		endpoint = ward_viommu_endpoint_find(loading->viommu, record.id);
		if (!endpoint)
			return ward_fail(loading->error, -ENOENT,
					 "endpoint %" PRIu32 " is not here", record.id);
		if (record.flags & STATE_ATTACHED)
			code = attach(loading, endpoint, &record);
		if (code)
			return code;
		/* Before its domain has mappings. */
		if (record.flags & STATE_FROZEN)
			ward_viommu_freeze(loading->viommu, endpoint, loading->sentence);
	}
	return 0;
}

static int check_mapping(const struct loading *loading, const struct state_mapping *m)
{
	const struct ward_viommu *viommu = loading->viommu;
	const struct ward_range input = viommu->options.input;
	struct ward_error *error = loading->error;

	if (m->reserved || (m->flags & ~(STATE_READ | STATE_WRITE | STATE_MMIO | STATE_UNTOLD)) ||
	    !(m->flags & (STATE_READ | STATE_WRITE)))
		return ward_fail(error, -EBADMSG, "the mapping at 0x%" PRIx64 " has no such flags",
				 m->start);
	if ((m->flags & STATE_MMIO) && !(loading->device.negotiated & WARD_VIOMMU_F_MMIO))
		return ward_fail(error, -EBADMSG,
				 "the mapping at 0x%" PRIx64 " has MMIO, which was not negotiated",
				 m->start);
	if ((m->flags & STATE_UNTOLD) &&
	    (!(viommu->options.flags & WARD_VIOMMU_IDENTITY) || m->target != m->start))
		return ward_fail(error, -EBADMSG,
				 "the mapping at 0x%" PRIx64 " is in no IDENTITY region", m->start);
	if (m->last < m->start || m->target > UINT64_MAX - (m->last - m->start))
		return ward_fail(error, -EBADMSG, "the mapping at 0x%" PRIx64 " wraps", m->start);
	if ((m->start | (m->last + 1) | m->target) & viommu->granule_mask)
		return ward_fail(error, -EBADMSG,
				 "the mapping at 0x%" PRIx64 " is not on the granule", m->start);
	if ((viommu->options.features & WARD_VIOMMU_F_INPUT_RANGE) &&
	    (m->start < input.start || m->last > input.last))
		return ward_fail(error, -EBADMSG,
				 "the mapping at 0x%" PRIx64 " lies outside the input range",
				 m->start);
	return 0;
}

/* Regions and listeners are those here, and not of where it was saved: either may refuse. */
static int add_mapping(struct loading *loading, struct viommu_domain *domain,
		       const struct state_mapping *m)
{
	const struct ward_mapping mapping = {
		.start = ward_iova(m->start),
		.last = ward_iova(m->last),
		.target = ward_target(m->target),
		.access = (m->flags & STATE_READ ? WARD_READ : 0) |
			  (m->flags & STATE_WRITE ? WARD_WRITE : 0),
		.type = m->flags & STATE_MMIO ? WARD_DEVICE_NGNRE : WARD_NORMAL,
	};
	int code = check_mapping(loading, m);

	if (code)
		return code;
	code = ward_viommu_domain_restore(domain, &mapping, m->flags & STATE_UNTOLD);
	if (!code)
		return 0;
	return ward_fail(loading->error, code,
			 "0x%" PRIx64 "-0x%" PRIx64 " cannot be mapped in domain %" PRIu32 ": %s",
			 m->start, m->last, domain->id, strerror(-code));
}

static int read_mappings(struct loading *loading, struct viommu_domain *domain, uint64_t count)
{
	uint64_t least = 0; /* start of the next one */
	bool full = false;

	for (uint64_t i = 0; i < count; i++) {
		struct state_mapping record;
		int code = next(loading, STATE_MAPPING, &record, sizeof(record));

		if (code)
			return code;
		record = (struct state_mapping){ le64toh(record.start), le64toh(record.last),
						 le64toh(record.target), le32toh(record.flags),
						 le32toh(record.reserved) };
		if (full || record.start < least)
			return ward_fail(loading->error, -EBADMSG,
					 "the mapping at 0x%" PRIx64
					 " overlaps the one before, or comes late",
					 record.start);
		code = add_mapping(loading, domain, &record);
		if (code)
			return code;
		least = record.last + 1;
		full = record.last == UINT64_MAX;
	}
	return 0;
}

/* All of those that endpoints have made, by id. */
static int read_domains(struct loading *loading)
{
	struct ward_viommu *viommu = loading->viommu;

	if (viommu->domains_count != loading->device.domains)
		return ward_fail(loading->error, -EBADMSG,
				 "%zu domains have endpoints, and there should be %" PRIu32,
				 viommu->domains_count, loading->device.domains);
	for (size_t i = 0; i < viommu->domains_count; i++) {
		struct viommu_domain *domain = viommu->domains[i];
		struct state_domain record;
		uint64_t count;
		int code = next(loading, STATE_DOMAIN, &record, sizeof(record));

		if (code)
			return code;
		count = le64toh(record.mappings);
		if (le32toh(record.id) != domain->id)
			return ward_fail(loading->error, -EBADMSG,
					 "domain %" PRIu32 " where %" PRIu32 " belongs",
					 le32toh(record.id), domain->id);
		if (record.reserved || (domain->bypass && count) ||
		    count > loading->device.mappings - loading->mappings)
			return ward_fail(loading->error, -EBADMSG,
					 "domain %" PRIu32 " cannot have %" PRIu64 " mappings",
					 domain->id, count);
		loading->mappings += count;
		code = read_mappings(loading, domain, count);
		if (code)
			return code;
	}
	if (loading->mappings != loading->device.mappings)
		return ward_fail(loading->error, -EBADMSG,
				 "%" PRIu64 " mappings, and there should be %" PRIu64,
				 loading->mappings, loading->device.mappings);
	return 0;
}

static int check_event(const struct loading *loading, const uint8_t event[VIOMMU_EVENT_SIZE])
{
	/* reason, flags and reserved parts of a fault (virtio 1.3, 5.13.6.9). */
	bool known = event[0] <= 2 && !event[1] && !event[2] && !event[3] && !(event[4] & ~3u) &&
		     !(event[5] & ~1u) && !event[6] && !event[7] && !event[12] && !event[13] &&
		     !event[14] && !event[15];

	return known ? 0 : ward_fail(loading->error, -EBADMSG, "an event is no fault");
}

static int read_events(struct loading *loading)
{
	struct viommu_events *events = &loading->viommu->events;

	for (uint32_t i = 0; i < loading->device.events; i++) {
		uint8_t event[VIOMMU_EVENT_SIZE];
		bool room;
		int code = next(loading, STATE_EVENT, event, sizeof(event));

		if (!code)
			code = check_event(loading, event);
		if (code)
			return code;
		/* Faults that are reported meanwhile may have taken the room. */
		pthread_mutex_lock(events->lock);
		room = events->count < events->max;
		if (room)
			memcpy(events->event[(events->first + events->count++) % events->max],
			       event, sizeof(event));
		pthread_mutex_unlock(events->lock);
		if (!room)
			return ward_fail(loading->error, -ENOSPC, "no room for what waits");
	}
	return 0;
}

static uint32_t frozen(const struct ward_viommu *viommu)
{
	const struct viommu_endpoint *endpoint;
	uint32_t count = 0;

	for (uint32_t i = 0; (endpoint = ward_viommu_endpoint_at(viommu, i)); i++)
		count += endpoint->frozen;
	return count;
}

/* What was negotiated says where endpoints are that are in no domain: last, and for all at once. */
static int settle(struct loading *loading)
{
	struct ward_viommu *viommu = loading->viommu;
	const struct state_device *d = &loading->device;
	uint32_t before = frozen(viommu);

	viommu->configured = d->flags & STATE_CONFIGURED;
	viommu->negotiated = d->negotiated;
	viommu->bypass = d->flags & STATE_BYPASS;
	ward_viommu_move_free(viommu);
	if (frozen(viommu) != before)
		return ward_fail(loading->error, -EIO, "%s", viommu->error.text);
	if (d->flags & STATE_IS_BROKEN) {
		ward_viommu_break(viommu, loading->sentence);
		/* Exactly so, whatever was said where endpoints were frozen. */
		memcpy(viommu->error.text, loading->sentence, sizeof(viommu->error.text));
	}
	return 0;
}

static int read_all(struct loading *loading)
{
	int code = read_opening(loading);

	if (!code)
		code = read_device(loading);
	if (!code)
		code = check_fits(loading);
	if (!code)
		code = check_device(loading);
	if (!code && (loading->device.flags & STATE_IS_BROKEN))
		code = read_broken(loading);
	if (!code)
		code = read_endpoints(loading);
	if (!code)
		code = read_domains(loading);
	if (!code)
		code = read_events(loading);
	if (!code)
		code = next(loading, STATE_END, NULL, 0);
	return code ? code : settle(loading);
}

static bool in_use(const struct ward_viommu *viommu)
{
	uint32_t events;

	pthread_mutex_lock(viommu->events.lock);
	events = viommu->events.count;
	pthread_mutex_unlock(viommu->events.lock);
	return viommu->configured || viommu->broken || viommu->domains_count || events ||
	       frozen(viommu);
}

int ward_viommu_load(struct ward_viommu *viommu,
		     int (*read)(void *context, void *ret_bytes, size_t size), void *context,
		     struct ward_error *ret_error)
{
	struct loading loading = {
		.viommu = viommu, .read = read, .context = context, .error = ret_error
	};
	bool bypass = viommu->bypass;
	int code;

	if (in_use(viommu))
		return ward_fail(ret_error, -EBUSY, "the device is in use; reset it first");
	code = read_all(&loading);
	if (!code)
		return 0;
	viommu->bypass = bypass;
	ward_viommu_reset(viommu, false);
	return code;
}
