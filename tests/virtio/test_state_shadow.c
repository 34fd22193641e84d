// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * State that is loaded reaches the host: functions of the software machine are where the stream says,
 * and nowhere meanwhile; who was frozen is cut off until a reset.
 */
#include "shadow_rig.h"
#include "stream.h"

#define IOVA 0x1000000ull
/* DMA is tried at each read. */
struct trial {
	struct stream stream;
	struct shadow_rig *rig;
	unsigned int arrived;
};

static int read_and_try(void *context, void *ret_bytes, size_t size)
{
	struct trial *trial = context;
	int code = read_stream(&trial->stream, ret_bytes, size);

	trial->arrived += disk_writes(trial->rig, IOVA, LOW + GUEST_PAGE);
	return code;
}

/* The card in domain 1, the disk in domain 2, each with a page; saved, and then reset. */
static void save(struct shadow_rig *r, struct stream *ret_stream)
{
	*ret_stream = (struct stream){ 0 };
	shadow_endpoints(r);
	assert_int_equal(guest_attach(r->viommu, 1, CARD, 0), GUEST_OK);
	assert_int_equal(guest_attach(r->viommu, 2, DISK, 0), GUEST_OK);
	assert_int_equal(guest_map_page(r->viommu, 1, IOVA, LOW, RW), GUEST_OK);
	assert_int_equal(guest_map_page(r->viommu, 2, IOVA, LOW + GUEST_PAGE, RW), GUEST_OK);
	assert_int_equal(ward_viommu_save(r->viommu, write_stream, ret_stream), 0);
	ward_viommu_reset(r->viommu, true);
	assert_false(card_writes(r, IOVA, 0) || disk_writes(r, IOVA, 0));
	assert_int_equal(shadow_info(r).spaces, 0);
}

/* Changes the first record of a type: what stands at an offset of it. */
static void change(struct stream *stream, uint32_t type, uint32_t offset, uint64_t value,
		   unsigned int size)
{
	size_t at = 12;

	while (at < stream->size && guest_get(stream->bytes + at, 4) != type)
		at += 8 + guest_get(stream->bytes + at + 4, 4);
	assert_true(at < stream->size);
	guest_put(stream->bytes + at + 8 + offset, value, size);
}

static void loaded_body(struct shadow_rig *r)
{
	struct ward_error error;
	struct stream stream;

	save(r, &stream);
	assert_int_equal(ward_viommu_load(r->viommu, read_stream, &stream, &error), 0);
	assert_true(card_writes(r, IOVA, LOW));
	assert_true(disk_writes(r, IOVA, LOW + GUEST_PAGE));
	assert_false(card_writes(r, LOW, LOW));
	assert_int_equal(shadow_info(r).spaces, 2);
	assert_int_equal(guest_unmap(r->viommu, 1, IOVA, IOVA + GUEST_PAGE - 1), GUEST_OK);
	assert_false(card_writes(r, IOVA, 0));
	assert_int_equal(guest_detach(r->viommu, 2, DISK), GUEST_OK);
	assert_false(disk_writes(r, IOVA, 0));
}

static void loaded(void **state)
{
	(void)state;
	shadow_on_both(0, loaded_body);
}

/* Broken off at the end: what had been attached and mapped is taken back from the host. */
static void cut_short_body(struct shadow_rig *r)
{
	struct ward_error error;
	struct stream stream;

	save(r, &stream);
	stream.size--;
	assert_int_equal(ward_viommu_load(r->viommu, read_stream, &stream, &error), -EPIPE);
	assert_false(card_writes(r, IOVA, 0) || disk_writes(r, IOVA, 0));
	assert_int_equal(shadow_info(r).spaces, 0);
	assert_int_equal(shadow_info(r).mappings, 0);
}

static void cut_short(void **state)
{
	(void)state;
	shadow_on_both(0, cut_short_body);
}

/* What the host has no memory for is refused: a page of the guest that is not there. */
static void refused_body(struct shadow_rig *r)
{
	struct ward_error error;
	struct stream stream;

	save(r, &stream);
	change(&stream, 5, 16, 0x70000000, 8);
	assert_int_equal(ward_viommu_load(r->viommu, read_stream, &stream, &error), -EFAULT);
	assert_string_equal(error.text,
			    "0x1000000-0x1000fff cannot be mapped in domain 1: Bad address");
	assert_false(card_writes(r, IOVA, 0) || disk_writes(r, IOVA, 0));
	assert_int_equal(shadow_info(r).spaces, 0);
}

static void refused(void **state)
{
	(void)state;
	shadow_on_both(0, refused_body);
}

/* At no moment of the load does the frozen one get anywhere. */
static void frozen_body(struct shadow_rig *r)
{
	uint8_t broken[264] = { 2, 0, 0, 0, 0, 1, 0, 0, 'w', 'h', 'y' };
	struct ward_error error;
	struct trial trial = { .rig = r };
	struct stream *stream = &trial.stream;

	save(r, stream);
	change(stream, 1, 44, 0x5, 4);
	/* Of two endpoint records, the second one. */
	guest_put(stream->bytes + 92 + 20 + 12, 0x5, 4);
	/* Behind the opening and the device. */
	memmove(stream->bytes + 92 + sizeof(broken), stream->bytes + 92, stream->size - 92);
	memcpy(stream->bytes + 92, broken, sizeof(broken));
	stream->size += sizeof(broken);
	assert_int_equal(ward_viommu_load(r->viommu, read_and_try, &trial, &error), 0);
	assert_int_equal(trial.arrived, 0);
	assert_true(card_writes(r, IOVA, LOW));
	assert_false(disk_writes(r, IOVA, 0));
	ward_viommu_reset(r->viommu, true);
	assert_false(card_writes(r, IOVA, 0) || disk_writes(r, IOVA, 0));
	assert_int_equal(ward_viommu_negotiate(r->viommu, ward_viommu_features(r->viommu)), 0);
	assert_int_equal(guest_attach(r->viommu, 2, DISK, 0), GUEST_OK);
	assert_int_equal(guest_map_page(r->viommu, 2, IOVA, LOW, RW), GUEST_OK);
	assert_true(disk_writes(r, IOVA, LOW));
}

static void frozen(void **state)
{
	(void)state;
	shadow_on_both(0, frozen_body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loaded),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(refused),
		cmocka_unit_test(frozen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
