// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Streams made by chance: mostly what a driver would send, for domains and mappings that there are, with
 * one field wrong now and then.
 */
#include "difference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEATURES_ALL 0x77u
#define PAGE 0x1000ull
#define LAST_STEPS 12u
#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

const uint32_t stream_domains[STREAM_DOMAINS] = { 0, 1, 2, 3, 0x80000000, UINT32_MAX };

/* Where mappings lie, a few pages each: sometimes beside what is reserved, or in it. */
static const uint64_t bases[] = { 0, 0x80000000, 0x200000000, 0xfffffffffff00000 };
static const uint64_t bases_reserved[] = { 0x7fd8000, 0xffd8000, 0xfedd8000, 0xfeef8000,
					   0xfffe8000 };

struct chance {
	uint64_t state;
};

/* xorshift64* (S. Vigna, 2016). */
static uint64_t draw(struct chance *chance)
{
	chance->state ^= chance->state >> 12;
	chance->state ^= chance->state << 25;
	chance->state ^= chance->state >> 27;
	return chance->state * 0x2545f4914f6cdd1dull;
}

static uint32_t below(struct chance *chance, uint32_t limit)
{
	return (uint32_t)((draw(chance) >> 32) % limit);
}

static bool percent(struct chance *chance, uint32_t share)
{
	return below(chance, 100) < share;
}

static uint32_t some_endpoint(struct chance *chance, const struct pair *pair)
{
	return pair->qemu.functions[below(chance, pair->qemu.functions_count)].rid;
}

/* Mostly one that there is. */
static uint32_t some_domain(struct chance *chance, const struct pair *pair)
{
	struct ward_viommu_endpoint endpoint;

	for (int tries = percent(chance, 95) ? 8 : 0; tries > 0; tries--) {
		if (pair_endpoint(pair, some_endpoint(chance, pair), &endpoint) &&
		    endpoint.place.attached)
			return endpoint.place.domain;
	}
	return stream_domains[below(chance, STREAM_DOMAINS)];
}

static uint64_t some_page(struct chance *chance)
{
	uint64_t base = percent(chance, 80) ? bases[below(chance, COUNT(bases))]
					    : bases_reserved[below(chance, COUNT(bases_reserved))];

	return base + PAGE * below(chance, 64);
}

static struct step make_attach(struct chance *chance, const struct pair *pair)
{
	uint32_t domain = percent(chance, 50) ? some_domain(chance, pair)
					      : stream_domains[below(chance, STREAM_DOMAINS)];
	struct pair_domain there = { .bypass = percent(chance, 20) };

	pair_domain(pair, domain, &there);
	return step_place(TYPE_ATTACH, domain, some_endpoint(chance, pair),
			  there.bypass ^ percent(chance, 6));
}

static struct step make_detach(struct chance *chance, const struct pair *pair)
{
	uint32_t id = some_endpoint(chance, pair), domain = some_domain(chance, pair);
	struct ward_viommu_endpoint endpoint;

	if (pair_endpoint(pair, id, &endpoint) && endpoint.place.attached && percent(chance, 80))
		domain = endpoint.place.domain;
	return step_place(TYPE_DETACH, domain, id, 0);
}

static struct step make_map(struct chance *chance, const struct pair *pair)
{
	uint64_t start = some_page(chance), length = PAGE * (1 + below(chance, 4));
	struct ward_mapping mapping = {
		.start = ward_iova(start),
		.last = ward_iova(start + length - 1),
		.target = ward_target(PAGE * below(chance, 1u << 20)),
		.access = 1 + below(chance, 3),
		.type = percent(chance, 10) ? WARD_DEVICE_NGNRE : WARD_NORMAL,
	};

	return step_map(some_domain(chance, pair), &mapping);
}

static struct step make_unmap(struct chance *chance, const struct pair *pair)
{
	uint32_t id = some_domain(chance, pair);
	uint64_t start = some_page(chance), last = start + PAGE * (1 + below(chance, 16)) - 1;
	struct pair_domain domain;
	struct ward_mapping mapping;

	if (percent(chance, 10) || !pair_domain(pair, id, &domain) || domain.bypass ||
	    !ward_space_next(domain.space, ward_iova(start), &mapping))
		return step_unmap(id, start, last);
	start = ward_iova_raw(mapping.start);
	last = ward_iova_raw(mapping.last);
	/* It and its neighbours, or from it to somewhere. */
	for (uint32_t more = percent(chance, 30) ? below(chance, 6) : 0; more > 0; more--) {
		if (last != UINT64_MAX &&
		    ward_space_next(domain.space, ward_iova(last + 1), &mapping))
			last = ward_iova_raw(mapping.last);
	}
	if (percent(chance, 15) && last > PAGE)
		last -= PAGE;
	if (percent(chance, 5))
		start += PAGE;
	return step_unmap(id, start, last);
}

static struct step make_probe(struct chance *chance, const struct pair *pair)
{
	struct step step = { .readable_size = 72, .writable_size = 516 };

	step.readable[0] = TYPE_PROBE;
	step_put(&step, 4, some_endpoint(chance, pair), 4);
	return step;
}

/* Bits of a 64-bit field of MAP or UNMAP. */
static void spoil_address(struct chance *chance, struct step *step)
{
	uint32_t at = AT_START + 8 * below(chance, step->readable[0] == TYPE_MAP ? 3 : 2);
	uint64_t start = step_u64(step, AT_START), end = step_u64(step, AT_END);

	switch (below(chance, 5)) {
	case 0:
		step_put(step, at, step_u64(step, at) ^ 1ull << below(chance, 64), 8);
		break;
	case 1:
		step_put(step, at, step_u64(step, at) + 1, 8);
		break;
	case 2:
		step_put(step, AT_START, end + 1, 8);
		step_put(step, AT_END, start - 1, 8);
		break;
	case 3:
		step_put(step, at, UINT64_MAX - (at == AT_END ? 0 : PAGE - 1), 8);
		break;
	default:
		step_put(step, AT_START, 0, 8);
		step_put(step, AT_END, percent(chance, 50) ? UINT64_MAX : UINT64_MAX - PAGE, 8);
		break;
	}
}

/* One thing is wrong, or strange. */
static void spoil(struct chance *chance, struct step *step)
{
	static const uint32_t flags_at[] = {
		0, AT_ATTACH_FLAGS, 12, AT_FLAGS, AT_UNMAP_RESERVED, 8
	};
	uint8_t type = step->readable[0];
	uint32_t id_at = type == TYPE_PROBE ? 4 : 8;

	switch (below(chance, 8)) {
	case 0: /* of the head: to be ignored */
		step->readable[1 + below(chance, 3)] = (uint8_t)draw(chance);
		break;
	case 1: /* flags, or reserved */
		step_put(step, flags_at[type], 1ull << below(chance, 32), 4);
		break;
	case 2:
		step_put(step, flags_at[type] + (type == TYPE_ATTACH ? 4 : 0), below(chance, 16),
			 4);
		break;
	case 3:
		step->readable_size = below(chance, 100) % (STEP_READABLE_MAX + 1);
		break;
	case 4:
		step->writable_size =
			percent(chance, 20) ? below(chance, 4) : 516 + below(chance, 100);
		break;
	case 5:
		step->readable[0] = (uint8_t)(percent(chance, 80) ? 6 + below(chance, 250) : 0);
		break;
	case 6: /* an id */
		if (type == TYPE_MAP || type == TYPE_UNMAP || percent(chance, 30))
			id_at = AT_DOMAIN;
		step_put(step, id_at,
			 step_u32(step, id_at) ^
				 1u << (percent(chance, 50) ? 16 : below(chance, 32)),
			 4);
		break;
	default:
		if (type == TYPE_MAP || type == TYPE_UNMAP)
			spoil_address(chance, step);
		break;
	}
}

static struct step make_config(struct chance *chance)
{
	struct step step = { .kind = STEP_CONFIG, .offset = BYPASS_OFFSET };

	if (percent(chance, 30))
		step.offset += below(chance, WARD_VIOMMU_CONFIG_SIZE - BYPASS_OFFSET);
	else if (percent(chance, 20))
		step.offset = below(chance, WARD_VIOMMU_CONFIG_SIZE);
	step.byte = (uint8_t)below(chance, percent(chance, 60) ? 2 : percent(chance, 50) ? 4 : 256);
	return step;
}

static struct step make_reset(struct chance *chance)
{
	struct step step = { .kind = STEP_RESET, .features = FEATURES_ALL };

	if (percent(chance, 30))
		step.features &= draw(chance);
	if (percent(chance, 50))
		step.features |= QEMU_F_INDIRECT;
	return step;
}

static struct step make_step(struct chance *chance, const struct pair *pair)
{
	uint32_t choice = below(chance, 1000);
	struct step step;

	if (choice < 5)
		return make_reset(chance);
	if (choice < 15)
		return make_config(chance);
	if (choice < 180)
		step = make_attach(chance, pair);
	else if (choice < 240)
		step = make_detach(chance, pair);
	else if (choice < 690)
		step = make_map(chance, pair);
	else if (choice < 960)
		step = make_unmap(chance, pair);
	else
		step = make_probe(chance, pair);
	if (percent(chance, 12))
		spoil(chance, &step);
	/* A PROBE with too little room ends QEMU: a test of its own. Nothing at all cannot be sent. */
	if (step.readable[0] == TYPE_PROBE && step.writable_size >= 4 && step.writable_size < 516)
		step.writable_size = 516;
	if (!step.readable_size && !step.writable_size)
		step.writable_size = 4;
	return step;
}

/* Why a stream failed. */
struct failure {
	bool dead; /* QEMU hangs or has ended */
	char text[256];
};

static bool alike(const struct step *step, const struct answer *ours, const struct answer *qemu)
{
	if (ours->outcome != qemu->outcome || ours->outcome == OUTCOME_ODD)
		return false;
	if (step->kind != STEP_REQUEST)
		return memcmp(ours->config, qemu->config, sizeof(ours->config)) == 0;
	return ours->outcome == OUTCOME_BROKEN ||
	       (ours->written == qemu->written &&
		memcmp(ours->bytes, qemu->bytes, step->writable_size) == 0);
}

/* The first row that applies; ret_alone: no other one does, so that it was seen by itself. */
static struct difference *listed(const struct pair *pair, const struct step *step,
				 const struct answer *ours, const struct answer *qemu, bool silent,
				 bool *ret_alone)
{
	struct difference *found = NULL;

	/* Whatever is ignored or not: what the config space says is the same, but for reserved bytes. */
	if (step->kind != STEP_REQUEST &&
	    memcmp(ours->config, qemu->config, BYPASS_OFFSET + 1) != 0)
		return NULL;
	for (uint32_t i = 0; i < differences_count; i++) {
		struct difference *row = &differences[i];

		if (!row->applies || row->kind != step->kind || !row->differs == silent ||
		    (row->type && row->type != step->readable[0]))
			continue;
		if (!(row->ours >> ours->outcome & 1) || !(row->qemu >> qemu->outcome & 1) ||
		    !row->applies(pair, step))
			continue;
		*ret_alone = !found;
		if (found)
			break;
		found = row;
	}
	return found;
}

/* Whether QEMU's answer leaves its state as it was. */
static bool harmless(const struct step *step, const struct answer *qemu)
{
	if (step->readable[0] == TYPE_PROBE && qemu->outcome != OUTCOME_BROKEN)
		return true;
	return step->kind == STEP_REQUEST && step->readable[0] != TYPE_ATTACH &&
	       qemu->outcome != OUTCOME_OK && qemu->outcome != OUTCOME_RANGE &&
	       qemu->outcome != OUTCOME_BROKEN;
}

static bool fail(struct failure *failure, const char *what, long ours, long qemu)
{
	snprintf(failure->text, sizeof(failure->text), "%s (ours %ld, QEMU %ld)", what, ours, qemu);
	return false;
}

static bool take(struct pair *pair, const struct step *step, struct failure *failure)
{
	struct answer ours, qemu;
	struct difference *row;
	bool differs = true, alone = false;
	int code = pair_step(pair, step, &ours, &qemu);

	failure->dead = code;
	if (code)
		return fail(failure, "QEMU does not answer", ours.outcome, code);
	differs = !alike(step, &ours, &qemu);
	row = listed(pair, step, &ours, &qemu, !differs, &alone);
	if (differs && !row)
		return fail(failure, "an unlisted difference", ours.outcome, qemu.outcome);
	if (!row)
		return true;
	if (!differs && row->differs(pair, step, &differs))
		return fail(failure, "QEMU does not answer what it was asked", 0, 0);
	row->seen += differs && alone;
	if (row->differs == NULL && harmless(step, &qemu))
		return true;
	code = pair_mend(pair);
	return code == 0 || fail(failure, "QEMU cannot be brought to our state", 0, code);
}

static bool finish(struct pair *pair, struct failure *failure)
{
	bool same = true;
	int code = pair_same(pair, &same);

	if (code)
		return fail(failure, "QEMU does not answer in the end", 0, code);
	return same || fail(failure, "QEMU ended in another state", 0, 0);
}

/* Plays a stream on fresh devices; false: it failed, at *ret_at. */
static bool play(struct pair *pair, const struct step *steps, uint32_t count, uint32_t *ret_at,
		 struct failure *failure)
{
	*ret_at = 0;
	if (pair_restart(pair))
		return fail(failure, "QEMU does not start again", 0, 0);
	for (; *ret_at < count; ++*ret_at) {
		if (!take(pair, &steps[*ret_at], failure))
			return false;
	}
	return finish(pair, failure);
}

/* Leaves out what is not needed to fail; the first step, a reset, stays. Returns how many are left. */
static uint32_t shrink(struct pair *pair, struct step *steps, uint32_t count)
{
	struct step *fewer = calloc(count, sizeof(*fewer));
	struct failure failure;
	uint32_t at = 0;

	for (uint32_t chunk = count / 2; fewer && chunk; chunk /= 2) {
		for (uint32_t from = 1; from < count;) {
			uint32_t without = count - from < chunk ? count - from : chunk;

			memcpy(fewer, steps, from * sizeof(*steps));
			memcpy(fewer + from, steps + from + without,
			       (count - from - without) * sizeof(*steps));
			if (play(pair, fewer, count - without, &at, &failure)) {
				from += chunk;
				continue;
			}
			/* What follows the failure is not needed either. */
			count = at < count - without ? at + 1 : count - without;
			memcpy(steps, fewer, count * sizeof(*steps));
		}
	}
	free(fewer);
	return count;
}

static void print(const struct step *step)
{
	if (step->kind == STEP_RESET)
		printf("#   reset, features 0x%llx\n", (unsigned long long)step->features);
	else if (step->kind == STEP_CONFIG)
		printf("#   config[%u] = 0x%02x\n", step->offset, step->byte);
	else {
		printf("#   ");
		for (uint32_t i = 0; i < step->readable_size; i++)
			printf("%s%02x", i % 4 || !i ? "" : " ", step->readable[i]);
		printf(" / %u\n", step->writable_size);
	}
}

static void report(struct pair *pair, uint64_t seed, struct step *steps, uint32_t count,
		   struct failure *failure)
{
	uint32_t at = 0;

	printf("# %s, seed %llu, step %u: %s\n", pair->setup->name, (unsigned long long)seed, count,
	       failure->text);
	/* One that hangs would be waited for each time: its last steps have to do. */
	if (failure->dead) {
		for (uint32_t i = count > LAST_STEPS ? count - LAST_STEPS : 0; i < count; i++)
			print(&steps[i]);
		return;
	}
	count = shrink(pair, steps, count);
	if (play(pair, steps, count, &at, failure))
		printf("# played again it does not fail\n");
	else
		printf("# %s, after\n", failure->text);
	for (uint32_t i = 0; i < count; i++)
		print(&steps[i]);
}

bool stream_run(struct pair *pair, uint64_t seed, uint32_t length)
{
	struct chance chance = { seed * 0x9e3779b97f4a7c15ull + 1 };
	struct step *steps = calloc(length, sizeof(*steps));
	struct failure failure = { .text = "no memory" };
	uint32_t count = 0;
	bool good = steps && pair_restart(pair) == 0;

	while (good && count < length) {
		steps[count] = count ? make_step(&chance, pair) : make_reset(&chance);
		good = take(pair, &steps[count++], &failure);
	}
	good = good && finish(pair, &failure);
	if (!good && steps)
		report(pair, seed, steps, count, &failure);
	free(steps);
	return good;
}
