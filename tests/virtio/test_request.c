// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What is a request at all: types, sizes, framing, and what was negotiated. */
#include "rig.h"

#include <stdlib.h>

#define DOMAIN 6u
#define ONE 1u
#define PROBE_SIZE 64u

/* A good request of each type, and how long its type is. */
static size_t good_request(uint8_t type, uint8_t ret_bytes[72])
{
	const struct rig_attach attach = { .type = 1,
					   .domain = htole32(DOMAIN),
					   .endpoint = htole32(ONE) };
	const struct rig_detach detach = { .type = 2,
					   .domain = htole32(DOMAIN),
					   .endpoint = htole32(ONE) };
	const struct rig_map map = {
		.type = 3,
		.domain = htole32(DOMAIN),
		.virt_start = htole64(0x1000),
		.virt_end = htole64(0x1fff),
		.flags = htole32(RIG_RW),
	};
	const struct rig_unmap unmap = { .type = 4,
					 .domain = htole32(DOMAIN),
					 .virt_end = htole64(UINT64_MAX) };
	const struct rig_probe probe = { .type = 5, .endpoint = htole32(ONE) };
	const void *requests[] = { NULL, &attach, &detach, &map, &unmap, &probe };
	static const size_t sizes[] = { 0, 20, 20, 36, 28, 72 };

	memcpy(ret_bytes, requests[type], sizes[type]);
	return sizes[type];
}

static size_t room_for(uint8_t type)
{
	return type == 5 ? PROBE_SIZE + 4 : 4;
}

static void create(struct rig *rig)
{
	struct ward_viommu_options options = rig_options();

	options.probe_size = PROBE_SIZE;
	rig_create(rig, &options);
	rig_add(rig, ONE);
}

static void start(struct rig *rig)
{
	create(rig);
	rig_negotiate(rig);
	assert_int_equal(rig_attach(rig, DOMAIN, ONE, 0), RIG_OK);
}

/* It goes back with length 0 and untouched (rig_ask looks), and nothing has changed. */
static void is_not_known(struct rig *rig, const char *what, const void *request, size_t size,
			 size_t room)
{
	char before[RIG_TEXT], after[RIG_TEXT];
	enum rig_status status;

	rig_tell(rig, before);
	status = rig_ask(rig, request, size, room);
	rig_tell(rig, after);
	if (status != RIG_NOT_KNOWN)
		fail_msg("%s, %zu and %zu bytes: status %d", what, size, room, (int)status);
	assert_int_equal(rig->code, 0);
	assert_string_equal(before, after);
}

static void unknown_types_go_back_with_length_0(void **state)
{
	uint8_t request[72];
	uint64_t unknown;
	struct rig rig;

	(void)state;
	start(&rig);
	unknown = rig_info(&rig).answers[0][0];
	good_request(5, request);
	for (unsigned int type = 0; type < 256; type++) {
		if (type >= 1 && type <= 5)
			continue;
		request[0] = (uint8_t)type;
		is_not_known(&rig, "type", request, sizeof(request), PROBE_SIZE + 4);
	}
	assert_int_equal(rig_info(&rig).answers[0][0], unknown + 251);
	rig_finish(&rig);
}

static void requests_that_are_too_short_go_back_with_length_0(void **state)
{
	uint8_t request[72];
	struct rig rig;

	(void)state;
	start(&rig);
	for (uint8_t type = 1; type <= 5; type++) {
		size_t size = good_request(type, request);

		for (size_t less = 0; less < size; less++)
			is_not_known(&rig, "short", request, less, room_for(type));
	}
	rig_finish(&rig);
}

static void answers_without_room_for_a_tail_go_back_with_length_0(void **state)
{
	uint8_t request[72];
	struct rig rig;

	(void)state;
	start(&rig);
	for (uint8_t type = 1; type <= 5; type++) {
		size_t size = good_request(type, request);

		for (size_t room = 0; room < 4; room++)
			is_not_known(&rig, "no room", request, size, room);
	}
	rig_finish(&rig);
}

static void nothing_is_known_before_features_were_negotiated(void **state)
{
	uint8_t request[72];
	struct rig rig;

	(void)state;
	create(&rig);
	for (uint8_t type = 1; type <= 5; type++) {
		size_t size = good_request(type, request);

		is_not_known(&rig, "nothing negotiated", request, size, room_for(type));
	}
	/* Nor after a reset. */
	rig_negotiate(&rig);
	assert_int_equal(rig_attach(&rig, DOMAIN, ONE, 0), RIG_OK);
	ward_viommu_reset(rig.viommu, false);
	for (uint8_t type = 1; type <= 5; type++) {
		size_t size = good_request(type, request);

		is_not_known(&rig, "reset", request, size, room_for(type));
	}
	rig_finish(&rig);
}

static void map_and_unmap_are_not_known_without_map_unmap(void **state)
{
	uint8_t request[72];
	struct rig rig;

	(void)state;
	create(&rig);
	assert_int_equal(ward_viommu_negotiate(rig.viommu,
					       ward_viommu_features(rig.viommu) &
						       ~(uint64_t)WARD_VIOMMU_F_MAP_UNMAP),
			 0);
	assert_int_equal(rig_attach(&rig, DOMAIN, ONE, 0), RIG_OK);
	for (uint8_t type = 3; type <= 4; type++) {
		size_t size = good_request(type, request);

		is_not_known(&rig, "no MAP_UNMAP", request, size, 4);
	}
	assert_int_equal(rig_probe(&rig, ONE, PROBE_SIZE), RIG_OK);
	assert_int_equal(rig_detach(&rig, DOMAIN, ONE), RIG_OK);
	rig_finish(&rig);
}

static void probe_is_not_known_without_probe(void **state)
{
	uint8_t request[72];
	struct rig rig;

	(void)state;
	create(&rig);
	assert_int_equal(ward_viommu_negotiate(rig.viommu, ward_viommu_features(rig.viommu) &
								   ~(uint64_t)WARD_VIOMMU_F_PROBE),
			 0);
	is_not_known(&rig, "no PROBE", request, good_request(5, request), PROBE_SIZE + 4);
	assert_int_equal(rig_attach(&rig, DOMAIN, ONE, 0), RIG_OK);
	assert_int_equal(rig_map(&rig, DOMAIN, 0, 0xfff, 0, RIG_RW), RIG_OK);
	rig_finish(&rig);
}

static void what_follows_a_request_or_its_answer_is_left_alone(void **state)
{
	uint8_t request[200];
	struct rig rig;

	(void)state;
	start(&rig);
	for (uint8_t type = 5; type >= 1; type--) {
		memset(request, 0xff, sizeof(request));
		good_request(type, request);
		assert_int_equal(rig_ask(&rig, request, sizeof(request), 300), RIG_OK);
		assert_int_equal(rig.written, room_for(type));
		if (type == 2)
			assert_int_equal(rig_attach(&rig, DOMAIN, ONE, 0), RIG_OK);
	}
	rig_finish(&rig);
}

/* As many pieces as are wanted, empty ones among them. */
struct cut {
	struct iovec piece[64];
	uint32_t count;
};

static void add_piece(struct cut *cut, uint8_t *bytes, size_t size)
{
	cut->piece[cut->count].iov_base = size ? bytes : NULL;
	cut->piece[cut->count++].iov_len = size;
}

/* Into pieces of so many bytes, each with an empty one before it. */
static struct cut cut_evenly(uint8_t *bytes, size_t size, size_t each)
{
	struct cut cut = { .count = 0 };

	for (size_t at = 0; at < size; at += each) {
		add_piece(&cut, NULL, 0);
		add_piece(&cut, bytes + at, size - at < each ? size - at : each);
	}
	add_piece(&cut, NULL, 0);
	return cut;
}

static struct cut cut_in_two(uint8_t *bytes, size_t size, size_t at)
{
	struct cut cut = { .count = 0 };

	add_piece(&cut, bytes, at);
	add_piece(&cut, bytes + at, size - at);
	return cut;
}

/* Asks a fresh device, which must answer as it does to pieces that are whole. */
static void ask_in_pieces(uint8_t type, const struct cut *in, const struct cut *out,
			  const uint8_t *answer)
{
	uint32_t written;
	struct rig rig;

	start(&rig);
	assert_int_equal(ward_viommu_handle(rig.viommu, in->piece, in->count, out->piece,
					    out->count, &written),
			 0);
	assert_int_equal(written, room_for(type));
	assert_int_equal(answer[written - 4], RIG_OK);
	for (uint32_t i = written - 3; i < written; i++)
		assert_int_equal(answer[i], 0);
	assert_int_equal(answer[written], RIG_UNTOUCHED);
	assert_int_equal(rig_info(&rig).answers[type][RIG_OK], type == 1 ? 2 : 1);
	rig_finish(&rig);
}

static void framing_counts_for_nothing(void **state)
{
	(void)state;
	for (uint8_t type = 1; type <= 5; type++) {
		uint8_t request[72], answer[PROBE_SIZE + 5];
		size_t size = good_request(type, request), room = room_for(type);

		for (size_t at = 0; at <= size; at++) {
			struct cut in = cut_in_two(request, size, at);
			struct cut out = cut_in_two(answer, room, at % (room + 1));

			memset(answer, RIG_UNTOUCHED, sizeof(answer));
			ask_in_pieces(type, &in, &out, answer);
		}
		for (size_t each = 3; each < 9; each++) {
			struct cut in = cut_evenly(request, size, each);
			struct cut out = cut_evenly(answer, room, each);

			memset(answer, RIG_UNTOUCHED, sizeof(answer));
			ask_in_pieces(type, &in, &out, answer);
		}
	}
}

/* Only what a request is made of is looked at; the rest need not be readable at all. */
static void pieces_beyond_the_request_are_not_read(void **state)
{
	uint8_t request[72], *exactly = malloc(72), tail[4];
	const struct iovec in[] = { { exactly, 72 }, { NULL, SIZE_MAX }, { exactly, SIZE_MAX } };
	const struct iovec out[] = { { tail, 4 }, { NULL, SIZE_MAX }, { NULL, SIZE_MAX } };
	struct rig rig;
	uint32_t written;

	(void)state;
	start(&rig);
	assert_non_null(exactly);
	memset(exactly, 0, 72);
	good_request(3, request);
	memcpy(exactly, request, 36);
	assert_int_equal(ward_viommu_handle(rig.viommu, in, 3, out, 3, &written), 0);
	assert_int_equal(written, 4);
	assert_int_equal(tail[0], RIG_OK);
	free(exactly);
	rig_finish(&rig);
}

static void a_broken_device_answers_nothing(void **state)
{
	uint8_t request[72];
	struct rig rig;

	(void)state;
	start(&rig);
	ward_viommu_break(rig.viommu, "for a test");
	for (uint8_t type = 1; type <= 5; type++) {
		size_t size = good_request(type, request);

		assert_int_equal(rig_ask(&rig, request, size, room_for(type)), RIG_NOT_KNOWN);
		assert_int_equal(rig.code, -EIO);
	}
	assert_int_equal(rig_info(&rig).answers[1][RIG_OK], 1);
	rig_finish(&rig);
}

static void answers_are_counted_by_type_and_status(void **state)
{
	struct ward_viommu_info info;
	struct rig rig;

	(void)state;
	start(&rig);
	assert_int_equal(rig_map(&rig, DOMAIN, 0, 0xfff, 0, RIG_RW), RIG_OK);
	assert_int_equal(rig_map(&rig, DOMAIN, 0x1000, 0x1fff, 0, RIG_RW), RIG_OK);
	assert_int_equal(rig_map(&rig, DOMAIN, 0, 0xfff, 0, RIG_RW), RIG_INVAL);
	assert_int_equal(rig_unmap(&rig, DOMAIN, 0, 0x7ff), RIG_RANGE);
	assert_int_equal(rig_detach(&rig, DOMAIN, 99), RIG_NOENT);
	assert_int_equal(rig_probe(&rig, 99, PROBE_SIZE), RIG_NOENT);
	assert_int_equal(rig_ask(&rig, "", 1, 4), RIG_NOT_KNOWN);
	info = rig_info(&rig);
	assert_int_equal(info.answers[0][0], 1);
	assert_int_equal(info.answers[1][RIG_OK], 1);
	assert_int_equal(info.answers[2][RIG_NOENT], 1);
	assert_int_equal(info.answers[3][RIG_OK], 2);
	assert_int_equal(info.answers[3][RIG_INVAL], 1);
	assert_int_equal(info.answers[4][RIG_RANGE], 1);
	assert_int_equal(info.answers[5][RIG_NOENT], 1);
	rig_finish(&rig);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_types_go_back_with_length_0),
		cmocka_unit_test(requests_that_are_too_short_go_back_with_length_0),
		cmocka_unit_test(answers_without_room_for_a_tail_go_back_with_length_0),
		cmocka_unit_test(nothing_is_known_before_features_were_negotiated),
		cmocka_unit_test(map_and_unmap_are_not_known_without_map_unmap),
		cmocka_unit_test(probe_is_not_known_without_probe),
		cmocka_unit_test(what_follows_a_request_or_its_answer_is_left_alone),
		cmocka_unit_test(framing_counts_for_nothing),
		cmocka_unit_test(pieces_beyond_the_request_are_not_read),
		cmocka_unit_test(a_broken_device_answers_nothing),
		cmocka_unit_test(answers_are_counted_by_type_and_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
