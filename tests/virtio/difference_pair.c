// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "difference.h"

#include <errno.h>
#include <string.h>

#define FEATURES_ALL 0x77u
/* Requests of one kick. */
#define BATCH 100u

uint32_t step_size(uint8_t type)
{
	static const uint32_t sizes[] = { 0, 20, 20, 36, 28, 72 };

	return type < sizeof(sizes) / sizeof(sizes[0]) ? sizes[type] : 0;
}

uint64_t step_u64(const struct step *step, uint32_t at)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < 8 && at + i < step->readable_size; i++)
		value |= (uint64_t)step->readable[at + i] << 8 * i;
	return value;
}

uint32_t step_u32(const struct step *step, uint32_t at)
{
	return (uint32_t)step_u64(step, at);
}

void step_put(struct step *step, uint32_t at, uint64_t value, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		step->readable[at + i] = (uint8_t)(value >> 8 * i);
}

uint32_t step_domain(const struct step *step)
{
	return step_u32(step, AT_DOMAIN);
}

uint32_t step_endpoint(const struct step *step)
{
	return step_u32(step, step->readable[0] == TYPE_PROBE ? 4 : 8);
}

static struct step step_begin(uint8_t type)
{
	struct step step = { .kind = STEP_REQUEST,
			     .readable_size = step_size(type),
			     .writable_size = 4 };

	step.readable[0] = type;
	return step;
}

struct step step_map(uint32_t domain, const struct ward_mapping *mapping)
{
	struct step step = step_begin(TYPE_MAP);
	uint32_t flags = mapping->access & (WARD_READ | WARD_WRITE);

	step_put(&step, AT_DOMAIN, domain, 4);
	step_put(&step, AT_START, ward_iova_raw(mapping->start), 8);
	step_put(&step, AT_END, ward_iova_raw(mapping->last), 8);
	step_put(&step, AT_PHYS, ward_target_raw(mapping->target), 8);
	step_put(&step, AT_FLAGS, flags | (mapping->type == WARD_NORMAL ? 0 : 4), 4);
	return step;
}

struct step step_unmap(uint32_t domain, uint64_t start, uint64_t last)
{
	struct step step = step_begin(TYPE_UNMAP);

	step_put(&step, AT_DOMAIN, domain, 4);
	step_put(&step, AT_START, start, 8);
	step_put(&step, AT_END, last, 8);
	return step;
}

struct step step_place(uint8_t type, uint32_t domain, uint32_t endpoint, uint32_t flags)
{
	struct step step = step_begin(type);

	step_put(&step, AT_DOMAIN, domain, 4);
	step_put(&step, 8, endpoint, 4);
	step_put(&step, AT_ATTACH_FLAGS, flags, 4);
	return step;
}

bool pair_endpoint(const struct pair *pair, uint32_t id, struct ward_viommu_endpoint *ret_endpoint)
{
	struct ward_viommu_endpoint endpoint;

	if (!ward_viommu_endpoint_next(pair->ours, id, &endpoint) || endpoint.endpoint != id)
		return false;
	*ret_endpoint = endpoint;
	return true;
}

bool pair_domain(const struct pair *pair, uint32_t id, struct pair_domain *ret_domain)
{
	struct ward_viommu_endpoint endpoint;
	struct pair_domain domain = { 0 };

	for (uint32_t from = 0; ward_viommu_endpoint_next(pair->ours, from, &endpoint);
	     from = endpoint.endpoint + 1) {
		if (!endpoint.place.attached || endpoint.place.domain != id)
			continue;
		domain.members++;
		domain.bypass = endpoint.place.kind == WARD_VIOMMU_BYPASS;
		domain.space = endpoint.place.space;
	}
	if (domain.members)
		*ret_domain = domain;
	return domain.members;
}

static int add_endpoints(struct pair *pair)
{
	const struct setup *setup = pair->setup;
	struct ward_reserved reserved[4];
	struct ward_viommu_endpoint_options options = {
		.size = sizeof(options),
		.msi = WARD_VIOMMU_MSI_BYPASSED,
		.frames = 1,
		.reserved = reserved,
	};
	int code = 0;

	for (uint32_t i = 0; i < setup->regions_count; i++) {
		if (setup->regions[i].subtype == WARD_VIOMMU_RESV_RESERVED)
			reserved[options.reserved_count++] =
				(struct ward_reserved){ setup->regions[i].range,
							WARD_REGION_RESERVED };
	}
	for (uint32_t i = 0; code == 0 && i < pair->qemu.functions_count; i++) {
		options.endpoint = pair->qemu.functions[i].rid;
		code = ward_viommu_endpoint_add(pair->ours, &options, NULL);
	}
	return code;
}

static int ours_start(struct pair *pair)
{
	struct ward_doorbell_frame frame = { .registers = WARD_RANGE_EMPTY };
	struct ward_viommu_options options = {
		.size = sizeof(options),
		.flags = WARD_VIOMMU_BOOT_BYPASS,
		.frames = &frame,
		.frames_count = 1,
	};
	int code;

	for (uint32_t i = 0; i < pair->setup->regions_count; i++) {
		if (pair->setup->regions[i].subtype == WARD_VIOMMU_RESV_MSI)
			frame.registers = pair->setup->regions[i].range;
	}
	code = ward_viommu_create(&options, &pair->ours);
	return code ? code : add_endpoints(pair);
}

int pair_start(struct pair *ret_pair, const struct setup *setup, const char **ret_reason)
{
	const struct qemu_options options = { .machine = setup->machine,
					      .arguments = setup->arguments };
	int code;

	*ret_pair = (struct pair){ .setup = setup };
	code = qemu_start(&ret_pair->qemu, &options, ret_reason);
	if (code)
		return code;
	*ret_reason = "ours cannot be made";
	code = ours_start(ret_pair);
	if (code)
		pair_stop(ret_pair);
	return code;
}

void pair_stop(struct pair *pair)
{
	qemu_stop(&pair->qemu);
	ward_viommu_destroy(pair->ours);
	pair->ours = NULL;
}

/* The byte as it was in the beginning, and nothing left in what is reserved. */
static int config_restore(struct pair *pair)
{
	static const uint8_t bytes[4] = { 1 };
	int code = qemu_reset(&pair->qemu, FEATURES_ALL);

	return code ? code : qemu_config_write(&pair->qemu, BYPASS_OFFSET, bytes, sizeof(bytes));
}

int pair_restart(struct pair *pair)
{
	const struct setup *setup = pair->setup;
	const char *reason;

	if (config_restore(pair) == 0) {
		ward_viommu_reset(pair->ours, true);
		return 0;
	}
	pair_stop(pair);
	return pair_start(pair, setup, &reason);
}

static enum outcome outcome_of(const struct step *step, const struct answer *answer)
{
	uint32_t written = answer->written;

	if (written > step->writable_size || (written && written < 4))
		return OUTCOME_ODD;
	for (uint32_t i = written; i < step->writable_size; i++) {
		if (answer->bytes[i] != STEP_POISON)
			return OUTCOME_ODD;
	}
	if (written == 0)
		return OUTCOME_NOT_KNOWN;
	/* A tail: its reserved bytes are 0. */
	for (uint32_t i = written - 3; i < written; i++) {
		if (answer->bytes[i])
			return OUTCOME_ODD;
	}
	return answer->bytes[written - 4] < WARD_VIOMMU_STATUSES ? answer->bytes[written - 4]
								 : OUTCOME_ODD;
}

/* In two pieces, wherever: it must not matter. */
static uint32_t cut(const struct step *step, uint8_t *bytes, uint32_t size,
		    struct iovec *ret_pieces)
{
	uint32_t first = size ? (step->readable[8] ^ step->readable[17]) % size : 0;

	ret_pieces[0] = (struct iovec){ bytes, first };
	ret_pieces[1] = (struct iovec){ bytes + first, size - first };
	return 2;
}

static void ours_request(struct pair *pair, const struct step *step, struct answer *ret_answer)
{
	uint8_t readable[STEP_READABLE_MAX];
	struct iovec request[2], answer[2];
	uint32_t requests, answers;

	memcpy(readable, step->readable, sizeof(readable));
	memset(ret_answer->bytes, STEP_POISON, sizeof(ret_answer->bytes));
	requests = cut(step, readable, step->readable_size, request);
	answers = cut(step, ret_answer->bytes, step->writable_size, answer);
	if (ward_viommu_handle(pair->ours, request, requests, answer, answers,
			       &ret_answer->written))
		ret_answer->outcome = OUTCOME_BROKEN;
	else
		ret_answer->outcome = outcome_of(step, ret_answer);
}

static int qemu_request(struct pair *pair, const struct step *step, struct answer *ret_answer)
{
	struct qemu_request request = {
		.readable = step->readable,
		.readable_size = step->readable_size,
		.writable = ret_answer->bytes,
		.writable_size = step->writable_size,
	};
	int code;

	memset(ret_answer->bytes, STEP_POISON, sizeof(ret_answer->bytes));
	code = qemu_send(&pair->qemu, &request, 1);
	ret_answer->written = request.ret_written;
	ret_answer->outcome = code == -EIO ? OUTCOME_BROKEN : outcome_of(step, ret_answer);
	return code == -EIO ? 0 : code;
}

int pair_ask(struct pair *pair, const struct step *step, uint8_t *ret_status)
{
	struct answer answer;
	int code = qemu_request(pair, step, &answer);

	*ret_status = answer.outcome < WARD_VIOMMU_STATUSES ? (uint8_t)answer.outcome : UINT8_MAX;
	return code;
}

/* What config_read gives, and whether it is broken, of both. */
static int config_compare(struct pair *pair, struct answer *ret_ours, struct answer *ret_qemu)
{
	struct ward_viommu_info info;
	uint8_t status = 0;
	int code = qemu_status(&pair->qemu, &status);

	ward_viommu_info(pair->ours, &info);
	ret_ours->outcome = info.broken ? OUTCOME_BROKEN : OUTCOME_OK;
	ret_qemu->outcome = status & QEMU_NEEDS_RESET ? OUTCOME_BROKEN : OUTCOME_OK;
	ward_viommu_config_read(pair->ours, 0, ret_ours->config, WARD_VIOMMU_CONFIG_SIZE);
	return code ? code
		    : qemu_config_read(&pair->qemu, 0, ret_qemu->config, WARD_VIOMMU_CONFIG_SIZE);
}

static int step_reset(struct pair *pair, const struct step *step)
{
	pair->features = step->features;
	ward_viommu_reset(pair->ours, false);
	if (ward_viommu_negotiate(pair->ours, step->features & 0xffffff))
		return -EPROTO;
	return qemu_reset(&pair->qemu, step->features);
}

static void remember(struct pair *pair, const struct step *step)
{
	struct pair_domain domain;

	pair->before = (struct ward_viommu_endpoint){ .endpoint = WARD_NONE };
	pair->members_before = 0;
	if (!pair_endpoint(pair, step_endpoint(step), &pair->before))
		return;
	if (pair->before.place.attached && pair_domain(pair, pair->before.place.domain, &domain))
		pair->members_before = domain.members;
}

int pair_step(struct pair *pair, const struct step *step, struct answer *ret_ours,
	      struct answer *ret_qemu)
{
	int code = 0;

	memset(ret_ours, 0, sizeof(*ret_ours));
	memset(ret_qemu, 0, sizeof(*ret_qemu));
	if (step->kind == STEP_REQUEST) {
		remember(pair, step);
		ours_request(pair, step, ret_ours);
		return qemu_request(pair, step, ret_qemu);
	}
	if (step->kind == STEP_RESET) {
		code = step_reset(pair, step);
	} else {
		/* A refusal is nothing that a guest is told. */
		(void)ward_viommu_config_write(pair->ours, step->offset, &step->byte, 1);
		code = qemu_config_write(&pair->qemu, step->offset, &step->byte, 1);
	}
	return code ? code : config_compare(pair, ret_ours, ret_qemu);
}

/* Any status but OK. */
#define WANTED_REFUSAL UINT8_MAX

/* Requests that have to be answered as foreseen, many to a kick. */
struct batch {
	struct pair *pair;
	struct step steps[BATCH];
	uint8_t wanted[BATCH];
	uint32_t count;
	bool wrong; /* an answer was another one */
};

static int batch_send(struct batch *batch)
{
	struct qemu_request requests[BATCH];
	uint8_t tails[BATCH][4];
	int code;

	if (!batch->count)
		return 0;
	for (uint32_t i = 0; i < batch->count; i++) {
		memset(tails[i], STEP_POISON, sizeof(tails[i]));
		requests[i] = (struct qemu_request){ .readable = batch->steps[i].readable,
						     .readable_size = batch->steps[i].readable_size,
						     .writable = tails[i],
						     .writable_size = 4 };
	}
	code = qemu_send(&batch->pair->qemu, requests, batch->count);
	for (uint32_t i = 0; i < batch->count; i++) {
		bool good = batch->wanted[i] == WANTED_REFUSAL ? tails[i][0] != OUTCOME_OK
							       : tails[i][0] == batch->wanted[i];

		batch->wrong |= requests[i].ret_written != 4 || !good;
	}
	batch->count = 0;
	return code;
}

static int batch_add(struct batch *batch, struct step step, uint8_t wanted)
{
	int code = batch->count == BATCH ? batch_send(batch) : 0;

	batch->steps[batch->count] = step;
	batch->wanted[batch->count++] = wanted;
	return code;
}

/* Calls back once for each domain. */
static int domains_walk(struct batch *batch, int (*visit)(struct batch *batch, uint32_t id,
							  const struct pair_domain *domain))
{
	const struct pair *pair = batch->pair;
	struct ward_viommu_endpoint endpoint, earlier;
	struct pair_domain domain;
	int code = 0;

	for (uint32_t from = 0; code == 0 && ward_viommu_endpoint_next(pair->ours, from, &endpoint);
	     from = endpoint.endpoint + 1) {
		bool met = !endpoint.place.attached;

		for (uint32_t before = 0;
		     !met && ward_viommu_endpoint_next(pair->ours, before, &earlier) &&
		     earlier.endpoint < endpoint.endpoint;
		     before = earlier.endpoint + 1)
			met = earlier.place.attached &&
			      earlier.place.domain == endpoint.place.domain;
		if (!met && pair_domain(pair, endpoint.place.domain, &domain))
			code = visit(batch, endpoint.place.domain, &domain);
	}
	return code;
}

static int mappings_make(struct batch *batch, uint32_t id, const struct pair_domain *domain)
{
	struct ward_mapping mapping;
	uint64_t from = 0;
	int code = 0;

	while (code == 0 && !domain->bypass &&
	       ward_space_next(domain->space, ward_iova(from), &mapping)) {
		code = batch_add(batch, step_map(id, &mapping), OUTCOME_OK);
		from = ward_iova_raw(mapping.last) + 1;
		if (!from)
			break;
	}
	return code;
}

int pair_mend(struct pair *pair)
{
	static const uint8_t zeroes[3];
	struct batch batch = { .pair = pair };
	struct ward_viommu_endpoint endpoint;
	int code = qemu_reset(&pair->qemu, pair->features);

	if (code == 0)
		code = qemu_config_write(&pair->qemu, BYPASS_OFFSET + 1, zeroes, sizeof(zeroes));
	for (uint32_t from = 0; code == 0 && ward_viommu_endpoint_next(pair->ours, from, &endpoint);
	     from = endpoint.endpoint + 1) {
		if (endpoint.place.attached)
			code = batch_add(&batch,
					 step_place(TYPE_ATTACH, endpoint.place.domain,
						    endpoint.endpoint,
						    endpoint.place.kind == WARD_VIOMMU_BYPASS),
					 OUTCOME_OK);
	}
	if (code == 0)
		code = domains_walk(&batch, mappings_make);
	if (code == 0)
		code = batch_send(&batch);
	return code ? code : batch.wrong ? -EPROTO : 0;
}

/* Each mapping is there from its first to its last address; nothing else is. */
static int mappings_compare(struct batch *batch, uint32_t id, const struct pair_domain *domain)
{
	const struct ward_mapping all = { .start = ward_iova(0),
					  .last = ward_iova(UINT64_MAX),
					  .access = WARD_READ,
					  .type = WARD_NORMAL };
	struct ward_mapping mapping;
	uint64_t from = 0;
	int code = 0;

	if (domain->bypass)
		return batch_add(batch, step_map(id, &all), OUTCOME_INVAL);
	while (code == 0 && ward_space_next(domain->space, ward_iova(from), &mapping)) {
		uint64_t start = ward_iova_raw(mapping.start), last = ward_iova_raw(mapping.last);

		code = batch_add(batch, step_unmap(id, start, start), OUTCOME_RANGE);
		if (code == 0)
			code = batch_add(batch, step_unmap(id, last, last), OUTCOME_RANGE);
		if (code == 0)
			code = batch_add(batch, step_unmap(id, start, last), OUTCOME_OK);
		from = last + 1;
		if (!from)
			break;
	}
	return code ? code : batch_add(batch, step_map(id, &all), OUTCOME_OK);
}

int pair_same(struct pair *pair, bool *ret_same)
{
	struct batch batch = { .pair = pair };
	struct ward_viommu_endpoint endpoint;
	int code = domains_walk(&batch, mappings_compare);

	for (uint32_t from = 0; code == 0 && ward_viommu_endpoint_next(pair->ours, from, &endpoint);
	     from = endpoint.endpoint + 1) {
		for (uint32_t i = 0; code == 0 && i < STREAM_DOMAINS; i++) {
			uint32_t id = stream_domains[i];
			bool in = endpoint.place.attached && endpoint.place.domain == id;

			code = batch_add(&batch, step_place(TYPE_DETACH, id, endpoint.endpoint, 0),
					 in ? OUTCOME_OK : WANTED_REFUSAL);
		}
	}
	if (code == 0)
		code = batch_send(&batch);
	*ret_same = !batch.wrong;
	return code;
}
