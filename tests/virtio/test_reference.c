// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Streams made by chance, to the device and to a reference that was written from the documents alone
 * (reference.c): the same answers to the byte, the same mappings, the same places, and the same end of
 * any DMA.
 *
 *	reference [--count N] [--seed S]
 *
 * Prints TAP. Ends with 1 when something was not the same.
 */
#include "exact/random.h"
#define FOLLOWER_MAPPINGS 400u
#include "virtio/ask.h"
#include "virtio/follower.h"
#include "virtio/reference.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define STEPS 160u
#define STEPS_MANY 1500u
#define ALL                                                                                 \
	(WARD_VIOMMU_F_INPUT_RANGE | WARD_VIOMMU_F_DOMAIN_RANGE | WARD_VIOMMU_F_MAP_UNMAP | \
	 WARD_VIOMMU_F_PROBE | WARD_VIOMMU_F_MMIO | WARD_VIOMMU_F_BYPASS_CONFIG)
#define EVERYTHING            \
	{                     \
		0, UINT64_MAX \
	}
#define DOORBELL 0x8000000u

static const struct reference_config configs[] = {
	{ "plain", ALL, 0, ~0xfffull, EVERYTHING, 0, UINT32_MAX, 512, 40 },
	{ "boot-bypass", ALL, WARD_VIOMMU_BOOT_BYPASS, ~0xfffull, EVERYTHING, 0, UINT32_MAX, 512,
	  40 },
	{ "granule-64k", ALL, 0, ~0xffffull, { 0, 0xffffffffffff }, 0, 7, 128, 40 },
	{ "ranges", ALL, WARD_VIOMMU_BOOT_BYPASS, ~0xfffull, { 0x10000, 0xfffffff }, 3, 5, 96, 40 },
	{ "legacy-bypass", (ALL & ~WARD_VIOMMU_F_BYPASS_CONFIG) | WARD_VIOMMU_F_BYPASS, 0,
	  ~0xfffull, EVERYTHING, 0, UINT32_MAX, 512, 40 },
	{ "no-bypass", ALL & ~WARD_VIOMMU_F_BYPASS_CONFIG, 0, ~0xfffull, EVERYTHING, 0, UINT32_MAX,
	  512, 40 },
	{ "no-ranges", WARD_VIOMMU_F_MAP_UNMAP | WARD_VIOMMU_F_BYPASS_CONFIG, 0, ~0xfffull,
	  EVERYTHING, 0, UINT32_MAX, 512, 40 },
	{ "identity", ALL, WARD_VIOMMU_IDENTITY, ~0xfffull, EVERYTHING, 0, UINT32_MAX, 512, 40 },
	{ "many-mappings", ALL, 0, ~0xfffull, EVERYTHING, 0, UINT32_MAX, 512, REFERENCE_MAPPINGS },
	{ "few-mappings", ALL, 0, 0x1000, EVERYTHING, 0, UINT32_MAX, 512, 3 },
};
#define CONFIGS (sizeof(configs) / sizeof(configs[0]))

static const struct ward_doorbell_frame frame = { { DOORBELL, DOORBELL + 0xffff }, 1 };

struct world {
	struct random random;
	struct reference reference;
	struct ward_viommu *viommu;
	struct ward_readers *readers;
	struct ward_reader *reader;
	struct follower_plan plan;
	struct follower follower;
	uint64_t requests, answered[9], translated, peak;
};

static void differs(const struct world *world, const char *what)
{
	printf("# %s: %s\n", world->reference.config->name, what);
}

static uint64_t below(struct world *world, uint64_t count)
{
	return random_next(&world->random) % count;
}

static bool many(const struct world *world)
{
	return world->reference.config->mappings_max == REFERENCE_MAPPINGS;
}

static bool one_in(struct world *world, uint64_t count)
{
	return below(world, count) == 0;
}

/* Regions of a kind of endpoint: none, MSI and reserved, reserved alone, an identity or reserved window. */
static bool add(struct world *world, uint32_t id, unsigned int kind)
{
	const struct ward_reserved reserved[] = {
		{ { 0x40000, 0x4ffff }, WARD_REGION_RESERVED },
		{ { 0xfee00000, 0xfeefffff }, WARD_REGION_MSI },
		{ { 0x60000, 0x6ffff }, WARD_REGION_DIRECT_RELAXABLE },
		{ { 0x80000, 0x8ffff }, WARD_REGION_SW_MSI },
	};
	const struct ward_viommu_region told[] = {
		{ { 0x40000, 0x4ffff }, WARD_VIOMMU_RESV_RESERVED },
		{ { 0x80000, 0x8ffff }, WARD_VIOMMU_RESV_RESERVED },
		{ { DOORBELL, DOORBELL + 0xffff }, WARD_VIOMMU_RESV_MSI },
		{ { 0xfee00000, 0xfeefffff }, WARD_VIOMMU_RESV_RESERVED },
	};
	bool identity = world->reference.config->flags & WARD_VIOMMU_IDENTITY;
	const struct ward_viommu_endpoint_options options = {
		.size = sizeof(options),
		.endpoint = id,
		.msi = kind == 1 ? WARD_VIOMMU_MSI_BYPASSED : WARD_VIOMMU_MSI_NONE,
		.frames = kind == 1,
		.reserved = reserved,
		.reserved_count = kind == 0   ? 0
				  : kind == 3 ? 4
					      : 3,
		.identity = kind == 3 && identity,
	};
	struct reference *reference = &world->reference;
	bool twice = reference_endpoint(reference, id);
	int code = ward_viommu_endpoint_add(world->viommu, &options, NULL);

	if (code != (twice ? -EEXIST : 0)) {
		differs(world, "an endpoint is added");
		return false;
	}
	for (unsigned int i = 0; !twice && i < REFERENCE_ENDPOINTS; i++) {
		struct reference_endpoint *endpoint = &reference->endpoints[i];

		if (endpoint->there)
			continue;
		*endpoint = (struct reference_endpoint){ .there = true,
							 .id = id,
							 .doorbell = WARD_RANGE_EMPTY };
		for (unsigned int r = 0; kind && r < 4; r++)
			if ((r != 1 || kind == 3) && (r != 2 || kind == 1))
				endpoint->regions[endpoint->regions_count++] = told[r];
		if (kind == 3 && identity)
			endpoint->regions[1].subtype = WARD_VIOMMU_RESV_IDENTITY;
		if (kind == 1)
			endpoint->doorbell = frame.registers;
		return true;
	}
	return true;
}

static bool make(struct world *world, uint64_t seed)
{
	const struct reference_config *config = &configs[seed % CONFIGS];
	struct ward_viommu_options options = {
		.size = sizeof(options),
		.features = config->features,
		.flags = config->flags,
		.page_sizes = config->page_sizes,
		.input = config->input,
		.domain_first = config->domain_first,
		.domain_last = config->domain_last,
		.probe_size = config->probe_size,
		.frames = &frame,
		.frames_count = 1,
		.mappings_max = config->mappings_max,
	};

	world->random.state = seed * 2 + 1;
	reference_init(&world->reference, config);
	world->follower = (struct follower){ .plan = &world->plan, .window = WARD_RANGE_EMPTY };
	if (config->flags & WARD_VIOMMU_IDENTITY)
		world->follower.window = (struct ward_range){ 0x80000, 0x8ffff };
	if (ward_readers_create(&world->readers) ||
	    ward_reader_create(world->readers, &world->reader))
		return false;
	options.readers = world->readers;
	if (ward_viommu_create(&options, &world->viommu)) {
		differs(world, "cannot be made");
		return false;
	}
	world->follower.viommu = world->viommu;
	if (ward_viommu_listen(world->viommu, &follower_ops, &world->follower))
		return false;
	for (uint32_t i = 0; i < 4; i++)
		if (!add(world, i ? i * 8 : UINT32_MAX, (unsigned int)below(world, 4)))
			return false;
	return true;
}

static void finish(struct world *world)
{
	ward_viommu_destroy(world->viommu);
	ward_reader_destroy(world->reader);
	ward_readers_destroy(world->readers);
}

static uint32_t some_endpoint(struct world *world)
{
	static const uint32_t ids[] = { UINT32_MAX, 8, 16, 24, 0 };

	return ids[below(world, one_in(world, 8) ? 5 : 4)];
}

static uint32_t some_domain(struct world *world)
{
	static const uint32_t strange[] = { 0, 2, 6, 8, UINT32_MAX };
	const struct reference_endpoint *endpoint =
		&world->reference.endpoints[below(world, REFERENCE_ENDPOINTS)];

	if (endpoint->there && endpoint->attached && !one_in(world, 4))
		return endpoint->domain;
	return one_in(world, 16) ? strange[below(world, 5)] : 3 + (uint32_t)below(world, 3);
}

/* Few places, so that what is made meets what is there. */
static uint64_t some_address(struct world *world)
{
	static const uint64_t bases[] = {
		0x10000, 0x10000,  0x10000,   0x20000,	  0x40000,     0x80000,
		0,	 DOORBELL, 0xffe0000, 0xfee00000, -0x40000ull, 0x60000,
	};

	if (many(world) && !one_in(world, 8))
		return 0x100000000 + below(world, 1024) * 0x2000;
	return bases[below(world, 12)] + below(world, 16) * 0x4000;
}

static uint64_t some_range(struct world *world, uint64_t *ret_last)
{
	uint64_t granule =
		world->reference.config->page_sizes & -world->reference.config->page_sizes;
	uint64_t start = some_address(world) & ~(granule - 1);
	uint64_t size = (1 + below(world, 4)) * granule;

	if (one_in(world, 20))
		size = one_in(world, 2) ? 0x100000 : 0;
	*ret_last = start + size - 1;
	if (one_in(world, many(world) ? 400 : 40)) {
		start = 0;
		*ret_last = UINT64_MAX;
	}
	if (one_in(world, 30))
		start += 1ull << below(world, 20);
	if (one_in(world, 30))
		*ret_last -= 1ull << below(world, 20);
	return start;
}

/* A mapping of a domain, to take it away again. */
static bool some_mapping(struct world *world, uint32_t *ret_domain, uint64_t *ret_start,
			 uint64_t *ret_last)
{
	const struct reference_mapping *m =
		&world->reference.mappings[below(world, world->reference.config->mappings_max)];

	if (!m->there)
		return false;
	*ret_domain = m->domain;
	*ret_start = m->start;
	*ret_last = m->last;
	return true;
}

static void make_request(struct world *world, uint8_t request[80])
{
	static const uint8_t types[] = { 1, 1, 1, 2, 3, 3, 3, 3, 3, 4, 4, 5 };
	uint32_t domain = some_domain(world);
	uint64_t last, start = some_range(world, &last);
	bool strange = one_in(world, 12);
	uint8_t type = types[below(world, 12)];

	/* Many come together where domains last. */
	if (many(world) && !one_in(world, 20))
		type = one_in(world, 4) ? 4 : 3;

	memset(request, 0, 80);
	request[0] = type;
	guest_put(request + 1, random_next(&world->random), 3); /* reserved, ignored */
	switch (type) {
	case 1:
	case 2:
		guest_put(request + 8, some_endpoint(world), 4);
		if (type == 1)
			guest_put(request + 12, one_in(world, 5), 4);
		else if (one_in(world, 2))
			guest_put(request + 12, random_next(&world->random), 8);
		break;
	case 3:
		guest_put(request + 8, start, 8);
		guest_put(request + 16, last, 8);
		guest_put(request + 24, one_in(world, 3) ? start : some_address(world), 8);
		if (one_in(world, 30))
			guest_put(request + 24, random_next(&world->random), 8);
		guest_put(request + 32, 1 + below(world, one_in(world, 4) ? 7 : 3), 4);
		break;
	case 4:
		if (!one_in(world, 3))
			some_mapping(world, &domain, &start, &last);
		guest_put(request + 8, start, 8);
		guest_put(request + 16, last, 8);
		break;
	default:
		guest_put(request + 4, some_endpoint(world), 4);
		guest_put(request + 8, random_next(&world->random), 8);
	}
	if (type != 5)
		guest_put(request + 4, domain, 4);
	/* Any field may be anything. */
	if (strange)
		request[below(world, 4) * 4 + 4 * below(world, 5)] ^=
			(uint8_t)(1u << below(world, 8));
	if (one_in(world, 60))
		request[0] = (uint8_t)random_next(&world->random);
}

#define PIECES 6u

/* Cuts a buffer into pieces; some have no bytes. */
static uint32_t cut(struct world *world, uint8_t *bytes, size_t size, struct iovec ret[PIECES])
{
	uint32_t count = 0;

	while (count < PIECES - 1 && one_in(world, 3)) {
		size_t length = below(world, size + 1);

		ret[count++] = (struct iovec){ bytes, length };
		bytes += length;
		size -= length;
	}
	ret[count++] = (struct iovec){ bytes, size };
	return count;
}

static bool step_request(struct world *world)
{
	static const size_t sizes[] = { 72, 20, 20, 36, 28, 72 };
	uint8_t request[80], kept[80], answer[640], expected[640];
	struct iovec in[PIECES], out[PIECES];
	size_t in_size, out_size = 4;
	uint32_t written = 99, wanted, in_count, out_count;
	int code;

	make_request(world, request);
	in_size = sizes[request[0] < 6 ? request[0] : 0];
	if (request[0] == 5)
		out_size += world->reference.config->probe_size;
	if (one_in(world, 10))
		out_size = below(world, sizeof(answer));
	if (one_in(world, 20))
		in_size = below(world, sizeof(request));
	memset(answer, 0xa5, sizeof(answer));
	memset(expected, 0xa5, sizeof(expected));
	memcpy(kept, request, sizeof(kept));
	in_count = cut(world, request, in_size, in);
	out_count = cut(world, answer, out_size, out);
	wanted = reference_handle(&world->reference, request, in_size, expected, out_size);
	code = ward_viommu_handle(world->viommu, in, in_count, out, out_count, &written);
	world->requests++;
	if (wanted && expected[wanted - 4] < 9)
		world->answered[expected[wanted - 4]]++;
	if (code == 0 && written == wanted && memcmp(answer, expected, sizeof(answer)) == 0 &&
	    memcmp(request, kept, sizeof(kept)) == 0)
		return true;
	printf("# %s: request %d: %d, %" PRIu32 " bytes written and not %" PRIu32
	       ", status %d and not %d\n# ",
	       world->reference.config->name, request[0], code, written, wanted,
	       written >= 4 ? answer[written - 4] : -1, wanted >= 4 ? expected[wanted - 4] : -1);
	for (size_t i = 0; i < in_size; i++)
		printf("%02x%s", request[i], i % 4 == 3 ? " " : "");
	printf("\n");
	return false;
}

/* Mostly after a reset; until there is one, what was accepted stays. */
static bool step_negotiate(struct world *world)
{
	uint64_t features = world->reference.config->features;
	bool system = one_in(world, 2);

	if (!one_in(world, 3)) {
		ward_viommu_reset(world->viommu, system);
		reference_reset(&world->reference, system);
	}
	if (one_in(world, 2))
		features &= random_next(&world->random) | WARD_VIOMMU_F_MAP_UNMAP;
	if (one_in(world, 8))
		features &= random_next(&world->random);
	if (one_in(world, 8))
		features |= 1ull << below(world, 24);
	features |= 1ull << 32; /* the transport's own */
	if (one_in(world, 10))
		return true;
	if (ward_viommu_negotiate(world->viommu, features) ==
	    reference_negotiate(&world->reference, features))
		return true;
	differs(world, "negotiate");
	return false;
}

static bool step_config(struct world *world)
{
	uint8_t bytes[4] = { (uint8_t)below(world, one_in(world, 6) ? 4 : 2) };
	uint32_t offset = one_in(world, 6) ? (uint32_t)below(world, 48) : 36;
	size_t size = one_in(world, 8) ? 1 + below(world, 4) : 1;

	if (ward_viommu_config_write(world->viommu, offset, bytes, size) ==
	    reference_config_write(&world->reference, offset, bytes, size))
		return true;
	differs(world, "config_write");
	return false;
}

static bool step_plug(struct world *world)
{
	uint32_t id = some_endpoint(world);
	struct reference_endpoint *endpoint = reference_endpoint(&world->reference, id);

	if (one_in(world, 2))
		return add(world, id, (unsigned int)below(world, 4));
	if (ward_viommu_endpoint_remove(world->viommu, id) != (endpoint ? 0 : -ENOENT)) {
		differs(world, "an endpoint is removed");
		return false;
	}
	if (endpoint)
		reference_remove(&world->reference, endpoint);
	follower_forget(&world->follower, id);
	return true;
}

static bool check_config(const struct world *world)
{
	uint8_t bytes[48], expected[48] = { 0 };

	reference_config(&world->reference, expected);
	ward_viommu_config_read(world->viommu, 0, bytes, sizeof(bytes));
	return memcmp(bytes, expected, sizeof(bytes)) == 0;
}

static bool check_walk(const struct world *world, const struct ward_viommu_place *place)
{
	struct ward_mapping mapping;
	uint64_t from = 0;

	for (;;) {
		const struct reference_mapping *m =
			reference_next(&world->reference, place->domain, from);
		bool there = ward_space_next(place->space, ward_iova(from), &mapping);

		if (!m || !there)
			return !m && !there;
		if (ward_iova_raw(mapping.start) != m->start ||
		    ward_iova_raw(mapping.last) != m->last ||
		    ward_target_raw(mapping.target) != m->target ||
		    mapping.access != (m->flags & 3) ||
		    mapping.type != (m->flags & 4 ? WARD_DEVICE_NGNRE : WARD_NORMAL))
			return false;
		from = m->last + 1;
		if (from == 0)
			return true;
	}
}

static bool check_endpoints(struct world *world)
{
	uint32_t count = 0, there = 0;

	for (unsigned int i = 0; i < REFERENCE_ENDPOINTS; i++) {
		const struct reference_endpoint *endpoint = &world->reference.endpoints[i];
		struct ward_viommu_endpoint e;

		if (!endpoint->there)
			continue;
		there++;
		if (!ward_viommu_endpoint_next(world->viommu, endpoint->id, &e) ||
		    e.endpoint != endpoint->id || e.frozen ||
		    e.place.kind != reference_place(&world->reference, endpoint) ||
		    e.place.attached != endpoint->attached ||
		    e.place.domain != (endpoint->attached ? endpoint->domain : WARD_NONE) ||
		    e.regions != endpoint->regions_count)
			return false;
		if (e.place.kind == WARD_VIOMMU_MAPPED && !check_walk(world, &e.place))
			return false;
	}
	for (uint64_t id = 0; id <= UINT32_MAX; count++) {
		struct ward_viommu_endpoint e;

		if (!ward_viommu_endpoint_next(world->viommu, (uint32_t)id, &e))
			break;
		id = (uint64_t)e.endpoint + 1;
	}
	return count == there;
}

static bool check_translate(struct world *world)
{
	uint32_t id = some_endpoint(world), access = one_in(world, 2) ? WARD_READ : WARD_WRITE;
	uint64_t last, iova = some_range(world, &last) + below(world, 0x1000), target = 0;
	const struct reference_endpoint *endpoint = reference_endpoint(&world->reference, id);
	struct ward_translation translation;
	struct ward_fault fault;
	uint32_t lets = 0;
	bool mmio = false;
	int code, wanted = -EFAULT;

	if (endpoint)
		wanted = reference_translate(&world->reference, endpoint, iova, access, &target,
					     &lets, &mmio);
	ward_reader_enter(world->reader);
	code = ward_viommu_translate(world->viommu, world->reader, id, ward_iova(iova), access,
				     &translation, &fault);
	ward_reader_exit(world->reader);
	world->translated += code == 0;
	if (code != wanted)
		return false;
	if (code)
		return true;
	return ward_target_raw(translation.target) == target &&
	       (!lets || (translation.access == lets &&
			  translation.type == (mmio ? WARD_DEVICE_NGNRE : WARD_NORMAL)));
}

static bool check(struct world *world)
{
	const char *wrong;

	if (!check_config(world)) {
		differs(world, "the config space");
		return false;
	}
	if (!check_endpoints(world)) {
		differs(world, "endpoints or their mappings");
		return false;
	}
	for (unsigned int i = 0; i < 4; i++)
		if (!check_translate(world)) {
			differs(world, "a translation");
			return false;
		}
	wrong = follower_check(&world->follower);
	if (!wrong)
		return true;
	differs(world, wrong);
	return false;
}

static bool step(struct world *world)
{
	uint64_t what = below(world, 64);

	/* What ends all domains would leave few mappings of many. */
	if (what < 5 && many(world) && !one_in(world, 10))
		what = 5;
	if (what == 0)
		return step_negotiate(world);
	if (what < 3)
		return step_config(world);
	if (what < 5)
		return step_plug(world);
	return step_request(world);
}

static bool run(struct world *world, uint64_t seed)
{
	bool good = make(world, seed);
	unsigned int steps = many(world) ? STEPS_MANY : STEPS;
	struct ward_viommu_info info;

	for (unsigned int i = 0; good && i < steps; i++) {
		good = (i ? step(world) : step_negotiate(world));
		/* Of many mappings a walk takes its time. */
		if (good && (steps == STEPS || i % 50 == 0))
			good = check(world);
		if (!good)
			printf("# seed %" PRIu64 ", step %u\n", seed, i);
	}
	ward_viommu_info(world->viommu, &info);
	world->peak = info.mappings_peak;
	finish(world);
	return good;
}

int main(int argc, char **argv)
{
	uint64_t count = 1000, seed = 1, requests = 0, answered[9] = { 0 }, translated = 0,
		 peak = 0;
	bool good = true;

	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--count") == 0)
			count = strtoull(argv[i + 1], NULL, 0);
		else if (strcmp(argv[i], "--seed") == 0)
			seed = strtoull(argv[i + 1], NULL, 0);
	}
	for (uint64_t i = 0; good && i < count; i++) {
		struct world world = { 0 };

		good = run(&world, seed + i);
		requests += world.requests;
		translated += world.translated;
		if (world.peak > peak)
			peak = world.peak;
		for (unsigned int s = 0; s < 9; s++)
			answered[s] += world.answered[s];
	}
	printf("# %" PRIu64 " streams from seed %" PRIu64 ": %" PRIu64
	       " requests, of them OK %" PRIu64 " UNSUPP %" PRIu64 " INVAL %" PRIu64
	       " RANGE %" PRIu64 " NOENT %" PRIu64 " NOMEM %" PRIu64 "; at most %" PRIu64
	       " mappings, %" PRIu64 " translations\n",
	       count, seed, requests, answered[0], answered[2], answered[4], answered[5],
	       answered[6], answered[8], peak, translated);
	printf("%s 1 - as the reference answers\n1..1\n", good ? "ok" : "not ok");
	return good ? 0 : 1;
}
