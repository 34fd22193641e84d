// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What only the model has: entries replaced at once, shared streams, its policing. */
#include "model_rig.h"

#include "../../backend/model/state.h"
#include "sweep.h"

#define IOVA 0x1000000ull

struct watched {
	struct ward_memory *memory;
	uint64_t seen[8][8];
	uint32_t flushes;
};

static void watch(void *context)
{
	struct watched *watched = context;

	for (unsigned int i = 0; i < 8; i++)
		ward_memory_read_u64(watched->memory, RAM + i * 8,
				     &watched->seen[watched->flushes][i]);
	watched->flushes++;
}

/* Bit 0 valid; bit 1: words 2 and 3 count, too. */
static unsigned int used(const uint64_t *words)
{
	return !(words[0] & 1) ? 0x1 : words[0] & 2 ? 0xf : 0x3;
}

static uint32_t replace(struct rig *rig, struct watched *watched, const uint64_t old[8],
			const uint64_t new[8])
{
	const struct ward_model_entry entry = {
		.memory = rig->memory,
		.at = RAM,
		.words = 8,
		.used = used,
		.blocked = 0,
		.flush = watch,
		.context = watched,
	};

	*watched = (struct watched){ .memory = rig->memory };
	assert_int_equal(ward_memory_write(rig->memory, RAM, old, 64), 0);
	ward_model_entry_replace(&entry, new);
	return watched->flushes;
}

static void entry_in_one_store(void **unused)
{
	const uint64_t off[8] = { 0 }, simple[8] = { 1, 7 };
	const uint64_t one[8] = { 3, 7, 8, 0x1000 }, two[8] = { 3, 7, 8, 0x2000 };
	const uint64_t far[8] = { 3, 7, 9, 0x3000 };
	struct watched watched;
	struct rig rig = { 0 };

	(void)unused;
	rig_memory(&rig);
	/* One word of four: at once. */
	assert_int_equal(replace(&rig, &watched, one, two), 1);
	assert_int_equal(watched.seen[0][3], 0x2000);
	/* What is not looked at comes first, then one word. */
	assert_int_equal(replace(&rig, &watched, off, one), 2);
	assert_int_equal(watched.seen[0][0], 0);
	assert_int_equal(watched.seen[0][3], 0x1000);
	assert_int_equal(watched.seen[1][0], 3);
	assert_int_equal(replace(&rig, &watched, simple, one), 2);
	assert_int_equal(watched.seen[0][0], 1);
	assert_int_equal(replace(&rig, &watched, one, simple), 1);
	assert_int_equal(replace(&rig, &watched, one, off), 1);
	/* Two words that count: by way of an entry that blocks. */
	assert_int_equal(replace(&rig, &watched, one, far), 3);
	assert_int_equal(watched.seen[0][0], 0);
	assert_int_equal(watched.seen[0][3], 0x1000);
	assert_int_equal(watched.seen[1][0], 0);
	assert_int_equal(watched.seen[1][3], 0x3000);
	assert_int_equal(watched.seen[2][0], 3);
	/* Nothing to do. */
	assert_int_equal(replace(&rig, &watched, one, one), 0);
	ward_memory_destroy(rig.memory);
}

/* Moving between two spaces stores one word of the device's entry. */
static void move_is_one_store_body(struct rig *rig)
{
	struct ward_model *model = NULL;
	struct ward_device *device = rig_open(rig, "0000:01:00.0");
	struct ward_space *first = rig_space(rig, WARD_SPACE_UNMANAGED);
	struct ward_space *second = rig_space(rig, WARD_SPACE_UNMANAGED);
	struct ward_model_space *carried;
	struct ward_space_info info;
	uint64_t before[8], after[8], at = 0;
	unsigned int words = rig->make.arch == WARD_ARCH_X86 ? 2 : 8, changed = 0;

	ward_space_info(first, &info);
	carried = info.backing;
	model = carried->model;
	for (uint32_t i = 0; i < model->streams_count; i++)
		if (ward_sid_raw(model->streams[i].sid) == 0x100)
			at = model->streams[i].entry_at;
	assert_int_not_equal(at, 0);
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, first), 0);
	ward_memory_read(rig->memory, at, before, words * 8);
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, second), 0);
	ward_memory_read(rig->memory, at, after, words * 8);
	for (unsigned int i = 0; i < words; i++)
		changed += before[i] != after[i];
	assert_int_equal(changed, 1);
	ward_device_close(device);
	ward_space_destroy(first);
	ward_space_destroy(second);
}

static void move_is_one_store(void **unused)
{
	(void)unused;
	rig_on_both(NULL, move_is_one_store_body);
}

static void identity_body(struct rig *rig)
{
	struct ward_device *device = rig_open(rig, "0000:01:00.0");
	struct ward_space *space = rig_space(rig, WARD_SPACE_IDENTITY);
	uint64_t word = 0;

	assert_int_equal(rig_write(rig, "01:00.0", RAM), WARD_DMA_FAULT);
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, space), 0);
	assert_int_equal(rig_write(rig, "01:00.0", RAM), WARD_DMA_MEMORY);
	memcpy(&word, rig->ram, 8);
	assert_int_equal(word, 0x1122334455667788);
	/* Nobody else got anything by it. */
	assert_int_equal(rig_write(rig, "02:00.0", RAM), WARD_DMA_FAULT);
	ward_device_close(device);
	assert_int_equal(rig_write(rig, "01:00.0", RAM), WARD_DMA_FAULT);
	ward_space_destroy(space);
	assert_int_equal(rig->misuses, 0);
}

static void identity(void **unused)
{
	(void)unused;
	rig_on_both(NULL, identity_body);
}

/* Behind a bridge to conventional PCI the IOMMU cannot tell two apart. */
static void shared_stream_body(struct rig *rig)
{
	struct ward_device *a = rig_open(rig, "0000:04:01.0");
	struct ward_device *b = rig_open(rig, "0000:04:02.0");
	struct ward_space *one = rig_space(rig, WARD_SPACE_UNMANAGED);
	struct ward_space *two = rig_space(rig, WARD_SPACE_UNMANAGED);

	assert_int_equal(rig_map(one, IOVA, RAM), 0);
	assert_int_equal(ward_device_attach(a, WARD_PASID_NONE, one), 0);
	assert_int_equal(rig_write(rig, "04:01.0", IOVA), WARD_DMA_MEMORY);
	assert_int_equal(rig_write(rig, "04:02.0", IOVA), WARD_DMA_MEMORY);
	assert_int_equal(ward_device_attach(b, WARD_PASID_NONE, two), -EBUSY);
	assert_int_equal(ward_device_attach(b, WARD_PASID_NONE, one), 0);
	assert_int_equal(ward_device_attach(a, WARD_PASID_NONE, two), -EBUSY);
	assert_int_equal(ward_device_detach(a, WARD_PASID_NONE), 0);
	assert_int_equal(rig_write(rig, "04:02.0", IOVA), WARD_DMA_MEMORY);
	assert_int_equal(ward_device_attach(b, WARD_PASID_NONE, two), 0);
	assert_int_equal(rig_write(rig, "04:02.0", IOVA), WARD_DMA_FAULT);
	ward_device_close(a);
	ward_device_close(b);
	ward_space_destroy(one);
	ward_space_destroy(two);
}

static void shared_stream(void **unused)
{
	(void)unused;
	rig_on_both(NULL, shared_stream_body);
}

static void nested(void **unused)
{
	struct ward_stage1 stage1 = { .kind = WARD_STAGE1_BYPASS };
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = WARD_SPACE_NESTED,
					      .stage1 = &stage1 };
	struct ward_space *parent, *bypass = NULL, *abort = NULL;
	struct ward_device *device;
	struct rig rig = { 0 };

	(void)unused;
	rig_cards(&rig, make_arm_its);
	rig_start(&rig);
	device = rig_open(&rig, "0000:01:00.0");
	parent = rig_space(&rig, WARD_SPACE_UNMANAGED);
	options.parent = parent;
	assert_int_equal(ward_backend_space(rig.backend, &options, &bypass), 0);
	stage1.kind = WARD_STAGE1_ABORT;
	assert_int_equal(ward_backend_space(rig.backend, &options, &abort), 0);
	assert_int_equal(rig_map(parent, IOVA, RAM), 0);
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, bypass), 0);
	assert_int_equal(rig_write(&rig, "01:00.0", IOVA), WARD_DMA_MEMORY);
	/* What leaves the stage 2 is gone for those nested on it. */
	assert_int_equal(ward_space_unmap_all(parent), 0);
	assert_int_equal(rig_write(&rig, "01:00.0", IOVA), WARD_DMA_FAULT);
	assert_int_equal(rig_map(parent, IOVA, RAM), 0);
	assert_int_equal(rig_write(&rig, "01:00.0", IOVA), WARD_DMA_MEMORY);
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, abort), 0);
	assert_int_equal(rig_write(&rig, "01:00.0", IOVA), WARD_DMA_FAULT);
	/* A parent stays for as long as somebody is nested on it. */
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, bypass), 0);
	ward_space_destroy(parent);
	ward_space_destroy(abort);
	ward_space_destroy(bypass);
	assert_int_equal(rig_write(&rig, "01:00.0", IOVA), WARD_DMA_MEMORY);
	ward_device_close(device);
	assert_int_equal(rig.misuses, 0);
	rig_end(&rig);
}

/* A context descriptor and tables in the guest's own memory, which stage 2 maps to itself. */
static void nested_tables(void **unused)
{
	const struct ward_range guest = { RAM + 0x10000, RAM + 0x2ffff };
	/* T0SZ 16, EPD1, V, IPS 48 bits, AA64, R, A; ASID 1. */
	const uint64_t cd0 = 16 | 1ull << 30 | 1ull << 31 | 5ull << 32 | 1ull << 41 | 1ull << 45 |
			     1ull << 46 | 1ull << 48;
	struct ward_stage1 stage1 = { .kind = WARD_STAGE1_TABLES, .contexts = ward_gpa(RAM) };
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = WARD_SPACE_NESTED,
					      .stage1 = &stage1 };
	struct ward_table table = { .format = &ward_format_arm_stage1,
				    .granule_shift = 12,
				    .input_bits = 48,
				    .output_bits = 48,
				    .stage = 1,
				    .mair = 0xff };
	struct ward_table_pages *pages = NULL;
	struct ward_space *space = NULL;
	struct ward_device *device;
	struct rig rig = { 0 };

	(void)unused;
	rig_cards(&rig, make_arm_its);
	rig_start(&rig);
	device = rig_open(&rig, "0000:01:00.0");
	options.parent = rig_space(&rig, WARD_SPACE_UNMANAGED);
	for (uint64_t at = 0; at < 0x40000; at += 0x1000)
		assert_int_equal(rig_map(options.parent, RAM + at, RAM + at), 0);
	assert_int_equal(ward_table_pages_create(rig.memory, guest, &pages), 0);
	assert_int_equal(ward_table_create(&table, pages), 0);
	assert_int_equal(ward_table_map(&table, pages, (struct ward_range){ IOVA, IOVA + 0xfff },
					RAM + 0x38000, WARD_READ | WARD_WRITE, WARD_NORMAL, 0),
			 0);
	ward_memory_write_u64(rig.memory, RAM, cd0);
	ward_memory_write_u64(rig.memory, RAM + 8, table.root);
	ward_memory_write_u64(rig.memory, RAM + 24, table.mair);
	assert_int_equal(ward_backend_space(rig.backend, &options, &space), 0);
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, space), 0);
	assert_int_equal(rig_write(&rig, "01:00.0", IOVA), WARD_DMA_MEMORY);
	assert_int_equal(rig.ram[0x38000], 0x88);
	assert_int_equal(rig_write(&rig, "01:00.0", RAM), WARD_DMA_FAULT);
	/* What is cached of both stages in one goes with the stage 2 below. */
	assert_int_equal(ward_space_unmap(options.parent, ward_iova(RAM + 0x38000),
					  ward_iova(RAM + 0x38fff), 0, NULL),
			 0);
	assert_int_equal(rig_write(&rig, "01:00.0", IOVA), WARD_DMA_FAULT);
	ward_device_close(device);
	ward_space_destroy(space);
	ward_space_destroy(options.parent);
	ward_table_destroy(&table, pages);
	ward_table_pages_destroy(pages);
	rig_end(&rig);
}

static void no_iommu(void **unused)
{
	struct ward_space *space, *through;
	struct ward_device *device;
	struct rig rig = { 0 };

	(void)unused;
	make_empty(&rig.make, WARD_ARCH_X86, 4096);
	make_controller(&rig.make, WARD_CONTROLLER_X86_APIC, WARD_NO, 0xfee00000, 0x100000);
	root_port(&rig.make, "00:1c.0", 1, ACS_ON);
	endpoint(&rig.make, "01:00.0");
	rig_start(&rig);
	device = rig_open(&rig, "0000:01:00.0");
	space = rig_space(&rig, WARD_SPACE_UNMANAGED);
	through = rig_space(&rig, WARD_SPACE_IDENTITY);
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, space), -EOPNOTSUPP);
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, through), 0);
	assert_int_equal(rig_write(&rig, "01:00.0", RAM), WARD_DMA_MEMORY);
	ward_device_close(device);
	ward_space_destroy(space);
	ward_space_destroy(through);
	rig_end(&rig);
}

static void other_iommu(void **unused)
{
	const struct ward_range tables = { TABLES, TABLES + TABLES_SIZE - 1 };
	struct ward_backend *backend = NULL;
	struct ward_error why = { "" };
	struct rig rig = { 0 };

	(void)unused;
	make_empty(&rig.make, WARD_ARCH_X86, 4096);
	make_iommu(&rig.make, WARD_IOMMU_AMD);
	endpoint(&rig.make, "00:01.0");
	make_done(&rig.make);
	rig_memory(&rig);
	assert_int_equal(ward_backend_model(rig.make.machine, rig.memory, tables, &backend, &why),
			 -EINVAL);
	assert_non_null(strstr(why.text, "iommu0"));
	assert_null(backend);
	rig_end(&rig);
}

static void add_region(struct make *m)
{
	region(m, "01:00.0", WARD_REGION_DIRECT);
}

static void direct_region_body(struct rig *rig)
{
	struct ward_device *device = rig_open(rig, "0000:01:00.0");
	struct ward_space *wrong = rig_space(rig, WARD_SPACE_UNMANAGED);
	struct ward_space *right = rig_space(rig, WARD_SPACE_UNMANAGED);

	assert_int_equal(rig_map(wrong, 0x7f000000, RAM), 0);
	assert_int_equal(rig_map(right, 0x7f000000, 0x7f000000), 0);
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, wrong), -EADDRINUSE);
	assert_int_equal(rig_write(rig, "01:00.0", 0x7f000000), WARD_DMA_FAULT);
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, right), 0);
	/* Nothing else may come there now. */
	assert_int_equal(rig_map(right, 0x7f001000, RAM), -EINVAL);
	assert_int_equal(rig_map(right, 0x7f001000, 0x7f001000), 0);
	ward_device_close(device);
	ward_space_destroy(wrong);
	ward_space_destroy(right);
}

static void direct_region(void **unused)
{
	(void)unused;
	rig_on_both(add_region, direct_region_body);
}

/* Refused when there is no memory for tables, an attach takes nothing out of the space. */
static void refused_attach_body(struct rig *rig)
{
	struct ward_device *greedy = rig_open(rig, "0000:02:00.0");
	struct ward_device *device = rig_open(rig, "0000:01:00.0");
	struct ward_space *all = rig_space(rig, WARD_SPACE_UNMANAGED);
	struct ward_space *space = rig_space(rig, WARD_SPACE_UNMANAGED);
	struct ward_reserved reserved;
	uint32_t cursor = 0;
	uint64_t at = 1;

	assert_int_equal(ward_device_attach(greedy, WARD_PASID_NONE, all), 0);
	while (rig_map(all, at << 30, RAM) == 0)
		at++;
	assert_int_equal(rig_map(all, at << 30, RAM), -ENOMEM);
	assert_int_equal(rig_map(space, IOVA, RAM), 0);
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, space), -ENOMEM);
	assert_false(ward_space_reserved_next(space, &cursor, &reserved));
	assert_int_equal(ward_space_unmap_all(all), 0);
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, space), 0);
	assert_true(ward_space_reserved_next(space, &cursor, &reserved));
	ward_device_close(greedy);
	ward_device_close(device);
	ward_space_destroy(all);
	ward_space_destroy(space);
}

static void refused_attach(void **unused)
{
	(void)unused;
	rig_on_both(add_region, refused_attach_body);
}

/* Tables that became empty are given back: there is room for a few hundred, not for thousands. */
static void tables_come_back_body(struct rig *rig)
{
	struct ward_device *device = rig_open(rig, "0000:01:00.0");
	struct ward_space *space = rig_space(rig, WARD_SPACE_UNMANAGED);

	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, space), 0);
	for (uint64_t i = 1; i < 2000; i++) {
		assert_int_equal(rig_map(space, i << 30, RAM), 0);
		assert_int_equal(ward_space_unmap_all(space), 0);
		assert_int_equal(rig_write(rig, "01:00.0", i << 30), WARD_DMA_FAULT);
	}
	ward_device_close(device);
	ward_space_destroy(space);
}

static void tables_come_back(void **unused)
{
	(void)unused;
	rig_on_both(NULL, tables_come_back_body);
}

static void destroyed_too_early(void **unused)
{
	struct ward_backend_ops none = { 0 };
	struct ward_device *device;
	struct ward_space *space;
	struct rig rig = { 0 };

	(void)unused;
	rig_cards(&rig, make_x86);
	rig_start(&rig);
	assert_null(ward_backend_context(rig.backend, &none));
	device = rig_open(&rig, "0000:01:00.0");
	space = rig_space(&rig, WARD_SPACE_UNMANAGED);
	assert_int_equal(ward_device_attach(device, WARD_PASID_NONE, space), 0);
	ward_backend_destroy(rig.backend);
	assert_int_equal(rig.misuses, 1);
	rig.backend = NULL;
	/* Handles stay good: the last device takes the backend along, and the space then leads nowhere. */
	assert_int_equal(rig_map(space, IOVA, RAM), 0);
	ward_device_close(device);
	assert_int_equal(rig.misuses, 2);
	assert_int_equal(rig_map(space, IOVA + 0x1000, RAM), -EIO);
	ward_space_destroy(space);
	rig_end(&rig);
}

static struct rig swept;

static int all_at_once(void *context)
{
	const struct ward_range tables = { TABLES, TABLES + TABLES_SIZE - 1 };
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = WARD_SPACE_UNMANAGED };
	struct ward_backend *backend = NULL;
	struct ward_device *device = NULL;
	struct ward_space *space = NULL, *second = NULL;
	int code = ward_backend_model(swept.make.machine, swept.memory, tables, &backend, NULL);

	(void)context;
	if (!code)
		code = ward_device_open(backend, "0000:01:00.0", &device, NULL);
	if (!code)
		code = ward_backend_space(backend, &options, &space);
	if (!code)
		code = rig_map(space, IOVA, RAM);
	if (!code)
		code = ward_device_attach(device, WARD_PASID_NONE, space);
	if (!code)
		code = rig_map(space, IOVA + 0x200000, RAM);
	if (!code)
		code = ward_backend_space(backend, &options, &second);
	if (!code)
		code = ward_device_attach(device, WARD_PASID_NONE, second);
	if (!code)
		code = ward_device_detach(device, WARD_PASID_NONE);
	ward_device_close(device);
	ward_space_destroy(space);
	ward_space_destroy(second);
	ward_backend_destroy(backend);
	return code;
}

static void sweep(void **unused)
{
	(void)unused;
	for (unsigned int kind = 0; kind < 2; kind++) {
		memset(&swept, 0, sizeof(swept));
		rig_cards(&swept, kind ? make_x86 : make_arm_its);
		make_done(&swept.make);
		rig_memory(&swept);
		assert_true(test_sweep(all_at_once, NULL) > 5);
		rig_end(&swept);
	}
}

/* Tables that are not memory, or too little of it. */
static void bad_tables(void **unused)
{
	const struct ward_range nowhere = { 0x1000, 0xffff }, small = { TABLES, TABLES + 0xfff };
	struct ward_backend *backend = NULL;
	struct rig rig = { 0 };

	(void)unused;
	rig_cards(&rig, make_x86);
	make_done(&rig.make);
	rig_memory(&rig);
	assert_true(ward_backend_model(rig.make.machine, rig.memory, nowhere, &backend, NULL) < 0);
	assert_int_equal(ward_backend_model(rig.make.machine, rig.memory, small, &backend, NULL),
			 -ENOMEM);
	assert_null(backend);
	rig_end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entry_in_one_store),
		cmocka_unit_test(move_is_one_store),
		cmocka_unit_test(identity),
		cmocka_unit_test(shared_stream),
		cmocka_unit_test(nested),
		cmocka_unit_test(nested_tables),
		cmocka_unit_test(no_iommu),
		cmocka_unit_test(other_iommu),
		cmocka_unit_test(direct_region),
		cmocka_unit_test(refused_attach),
		cmocka_unit_test(tables_come_back),
		cmocka_unit_test(destroyed_too_early),
		cmocka_unit_test(sweep),
		cmocka_unit_test(bad_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
