// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "contract.h"

#include "../../backend/backend.h"
#include "contract_table.h"

#include <errno.h>
#include <string.h>

/* Below 256 MiB, since QEMU's edu has 28 address bits, and clear of both MSI windows. */
#define IOVA 0x1000000u
#define FREE 0x3000000u
/* A little more than the limit that is set for VFIO in the test machines. */
#define MANY 600u

static struct ward_mapping mapping_of(const struct contract *c, uint64_t iova, uint32_t page,
				      uint32_t pages)
{
	return (struct ward_mapping){
		.start = ward_iova(iova),
		.last = ward_iova(iova + (uint64_t)pages * CONTRACT_PAGE - 1),
		.target = ward_target(ward_target_raw(c->target) + (uint64_t)page * CONTRACT_PAGE),
		.access = WARD_READ | WARD_WRITE,
		.type = WARD_NORMAL,
	};
}

static int map(const struct contract *c, struct ward_space *space, uint64_t iova, uint32_t page,
	       uint32_t pages)
{
	struct ward_mapping mapping = mapping_of(c, iova, page, pages);

	return ward_space_map(space, &mapping);
}

static int unmap(struct ward_space *space, uint64_t iova, uint32_t pages, uint32_t flags)
{
	return ward_space_unmap(space, ward_iova(iova),
				ward_iova(iova + (uint64_t)pages * CONTRACT_PAGE - 1), flags, NULL);
}

static int make(struct contract *c, enum ward_space_kind kind, struct ward_space **ret_space)
{
	struct ward_space_options options = { .size = sizeof(options), .kind = kind };

	return ward_backend_space(c->backend, &options, ret_space);
}

/* Opens the device, makes a space and, when asked, puts the one into the other. */
static struct ward_space *begin(struct contract *c, bool attach)
{
	struct ward_space *space = NULL;
	struct ward_error why = { "" };
	int code = ward_device_open(c->backend, c->name, &c->device, &why);

	contract_expect(c, "open", code, 0);
	if (code) {
		contract_fail(c, "%s", why.text);
		return NULL;
	}
	c->start(c, c->device);
	contract_expect(c, "space", make(c, WARD_SPACE_UNMANAGED, &space), 0);
	if (space && attach)
		contract_expect(c, "attach", ward_device_attach(c->device, WARD_PASID_NONE, space),
				0);
	return space;
}

static void end(struct contract *c, struct ward_space *space)
{
	ward_device_close(c->device);
	c->device = NULL;
	ward_space_destroy(space);
}

static unsigned char *page_of(const struct contract *c, uint32_t page)
{
	return c->memory + (size_t)page * CONTRACT_PAGE;
}

static void fill(const struct contract *c, uint32_t page, unsigned char seed)
{
	for (uint32_t i = 0; i < CONTRACT_PAGE; i++)
		page_of(c, page)[i] = (unsigned char)(seed + i * 7 + (i >> 8));
}

/*
 * Lets the device carry page `source`, which is filled, from one address to another; says
 * whether it arrived in page `sink`, which is cleared before.
 */
static const char *carry(struct contract *c, uint64_t from, uint32_t source, uint64_t to,
			 uint32_t sink, unsigned char seed)
{
	fill(c, source, seed);
	memset(page_of(c, sink), 0, CONTRACT_PAGE);
	c->copy(c, c->device, from, to);
	return memcmp(page_of(c, source), page_of(c, sink), CONTRACT_BYTES) == 0 ? "arrives"
										 : "faults";
}

static void opening(struct contract *c)
{
	struct ward_space *space = begin(c, false);
	struct ward_device *again = NULL;

	contract_expect(c, "open-again", ward_device_open(c->backend, c->name, &again, NULL),
			-EBUSY);
	contract_expect(c, "open-nobody",
			ward_device_open(c->backend, "0000:ff:1f.7", &again, NULL), -ENOENT);
	contract_expect(c, "open-no-address",
			ward_device_open(c->backend, "../../etc", &again, NULL), -ENOENT);
	end(c, space);
	space = begin(c, false);
	end(c, space);
}

static void attaching(struct contract *c)
{
	struct ward_space_options plain = { .size = sizeof(plain), .kind = WARD_SPACE_UNMANAGED };
	struct ward_space *foreign = NULL, *space = begin(c, false);

	contract_expect(c, "detach-from-none", ward_device_detach(c->device, WARD_PASID_NONE),
			-ENOENT);
	contract_expect(c, "space-plain", ward_space_create(&plain, &foreign), 0);
	contract_expect(c, "attach-foreign",
			ward_device_attach(c->device, WARD_PASID_NONE, foreign), -EINVAL);
	contract_expect(c, "attach", ward_device_attach(c->device, WARD_PASID_NONE, space), 0);
	contract_expect(c, "attach-again", ward_device_attach(c->device, WARD_PASID_NONE, space),
			0);
	contract_expect(c, "attach-pasid", ward_device_attach(c->device, ward_pasid(1), space), 0);
	contract_expect(c, "attach-wide-pasid",
			ward_device_attach(c->device, ward_pasid(0x100000), space), -EINVAL);
	contract_expect(c, "detach", ward_device_detach(c->device, WARD_PASID_NONE), 0);
	contract_expect(c, "detach-again", ward_device_detach(c->device, WARD_PASID_NONE), -ENOENT);
	ward_space_destroy(foreign);
	end(c, space);
}

static void kinds(struct contract *c)
{
	static const struct ward_stage1 bypass = { .kind = WARD_STAGE1_BYPASS };
	struct ward_space *parent = NULL, *space = NULL;
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = WARD_SPACE_NESTED,
					      .stage1 = &bypass };

	contract_expect(c, "space-blocked", make(c, WARD_SPACE_BLOCKED, &space), 0);
	ward_space_destroy(space);
	space = NULL;
	contract_expect(c, "space-dynamic", make(c, WARD_SPACE_DYNAMIC, &space), 0);
	ward_space_destroy(space);
	space = NULL;
	contract_expect(c, "space-identity", make(c, WARD_SPACE_IDENTITY, &space), 0);
	ward_space_destroy(space);
	space = NULL;
	contract_expect(c, "space", make(c, WARD_SPACE_UNMANAGED, &parent), 0);
	options.parent = parent;
	contract_expect(c, "space-nested", ward_backend_space(c->backend, &options, &space), 0);
	ward_space_destroy(space);
	ward_space_destroy(parent);
}

static void refused_maps(struct contract *c)
{
	struct ward_space *space = begin(c, true);
	struct ward_mapping mapping = mapping_of(c, IOVA, 0, 1);
	uint64_t bytes = 0;

	contract_expect(c, "map", map(c, space, IOVA, 0, 2), 0);
	contract_expect(c, "map-overlap", map(c, space, IOVA + CONTRACT_PAGE, 0, 1), -EEXIST);
	contract_expect(c, "map-misaligned", map(c, space, FREE + 0x800, 0, 1), -EINVAL);
	contract_expect(c, "map-window", map(c, space, c->window.start, 0, 1), -EINVAL);
	contract_expect(c, "map-end", map(c, space, UINT64_MAX - 0xfff, 0, 1), -EINVAL);
	mapping.access = 0;
	contract_expect(c, "map-no-access", ward_space_map(space, &mapping), -EINVAL);
	contract_expect(c, "map-wrap", map(c, space, UINT64_MAX - 0xfff, 0, 2), -EOVERFLOW);
	contract_expect(c, "unmap-empty", unmap(space, FREE, 1, 0), -ENOENT);
	contract_expect(c, "unmap-split", unmap(space, IOVA, 1, 0), -EINVAL);
	contract_expect(c, "unmap-misaligned", unmap(space, IOVA + 0x800, 1, 0), -EINVAL);
	contract_expect(c, "unmap-wide",
			ward_space_unmap(space, ward_iova(0), ward_iova(UINT64_MAX), 0, &bytes), 0);
	if (bytes != 2 * CONTRACT_PAGE)
		contract_fail(c, "unmap-wide: %llu bytes", (unsigned long long)bytes);
	contract_expect(c, "unmap-all-empty", ward_space_unmap_all(space), 0);
	end(c, space);
}

static void dma(struct contract *c)
{
	struct ward_space *space = begin(c, false);
	const uint64_t in = IOVA, out = IOVA + CONTRACT_PAGE;

	contract_expect(c, "map", map(c, space, in, 0, 1), 0);
	contract_expect_word(c, "dma-before-attach", carry(c, in, 0, out, 1, 1), "faults");
	contract_expect(c, "attach", ward_device_attach(c->device, WARD_PASID_NONE, space), 0);
	contract_expect(c, "map", map(c, space, out, 1, 1), 0);
	contract_expect_word(c, "dma-mapped", carry(c, in, 0, out, 1, 2), "arrives");
	contract_expect_word(c, "dma-read-unmapped", carry(c, FREE, 0, out, 1, 3), "faults");
	contract_expect_word(c, "dma-write-unmapped", carry(c, in, 0, FREE, 1, 4), "faults");
	contract_expect(c, "unmap", unmap(space, out, 1, 0), 0);
	contract_expect_word(c, "dma-after-unmap", carry(c, in, 0, out, 1, 5), "faults");
	contract_expect(c, "map", map(c, space, out, 2, 1), 0);
	contract_expect_word(c, "dma-mapped-anew", carry(c, in, 0, out, 2, 6), "arrives");
	contract_expect(c, "detach", ward_device_detach(c->device, WARD_PASID_NONE), 0);
	contract_expect_word(c, "dma-after-detach", carry(c, in, 0, out, 2, 7), "faults");
	contract_expect(c, "attach", ward_device_attach(c->device, WARD_PASID_NONE, space), 0);
	contract_expect_word(c, "dma-attached-again", carry(c, in, 0, out, 2, 8), "arrives");
	contract_expect(c, "unmap-all", ward_space_unmap_all(space), 0);
	contract_expect_word(c, "dma-after-unmap-all", carry(c, in, 0, out, 2, 9), "faults");
	end(c, space);
}

static void permissions(struct contract *c)
{
	struct ward_space *space = begin(c, true);
	struct ward_mapping mapping = mapping_of(c, IOVA, 0, 1);
	const uint64_t to = IOVA + CONTRACT_PAGE;

	mapping.access = WARD_READ;
	contract_expect(c, "map-read-only", ward_space_map(space, &mapping), 0);
	mapping = mapping_of(c, to, 1, 1);
	mapping.access = WARD_WRITE;
	contract_expect(c, "map-write-only", ward_space_map(space, &mapping), 0);
	contract_expect(c, "map", map(c, space, FREE, 2, 2), 0);
	contract_expect_word(c, "dma-as-allowed", carry(c, IOVA, 0, to, 1, 11), "arrives");
	/* Into the page mapped for reading: what is carried there comes from page 2. */
	contract_expect_word(c, "dma-write-read-only", carry(c, FREE, 2, IOVA, 0, 12), "faults");
	contract_expect_word(c, "dma-read-write-only", carry(c, to, 1, FREE + CONTRACT_PAGE, 3, 13),
			     "faults");
	end(c, space);
}

static void moving(struct contract *c)
{
	struct ward_space *first = begin(c, true), *second = NULL, *blocked = NULL;
	const uint64_t in = IOVA, out = IOVA + CONTRACT_PAGE;

	contract_expect(c, "space", make(c, WARD_SPACE_UNMANAGED, &second), 0);
	contract_expect(c, "space-blocked", make(c, WARD_SPACE_BLOCKED, &blocked), 0);
	contract_expect(c, "map", map(c, first, in, 0, 2), 0);
	contract_expect(c, "map", map(c, second, in, 2, 1), 0);
	contract_expect(c, "map", map(c, second, FREE, 3, 1), 0);
	contract_expect(c, "move", ward_device_attach(c->device, WARD_PASID_NONE, second), 0);
	contract_expect_word(c, "dma-moved", carry(c, in, 2, FREE, 3, 21), "arrives");
	contract_expect_word(c, "dma-left-behind", carry(c, in, 2, out, 1, 22), "faults");
	contract_expect(c, "map-left-behind", map(c, first, FREE, 4, 1), 0);
	contract_expect_word(c, "dma-apart", carry(c, in, 2, FREE, 3, 23), "arrives");
	contract_expect(c, "move-to-blocked",
			ward_device_attach(c->device, WARD_PASID_NONE, blocked), 0);
	contract_expect_word(c, "dma-blocked", carry(c, in, 2, FREE, 3, 24), "faults");
	contract_expect(c, "move", ward_device_attach(c->device, WARD_PASID_NONE, first), 0);
	contract_expect_word(c, "dma-moved-back", carry(c, in, 0, out, 1, 25), "arrives");
	/* A space that its owner let go of lives on for those in it. */
	ward_space_destroy(first);
	contract_expect_word(c, "dma-in-space-let-go", carry(c, in, 0, out, 1, 26), "arrives");
	end(c, NULL);
	ward_space_destroy(second);
	ward_space_destroy(blocked);
}

static void expect_users(struct contract *c, const struct ward_space *space, uint32_t wanted)
{
	struct ward_space_info info;

	ward_space_info(space, &info);
	if (info.users != wanted)
		contract_fail(c, "a space has %u users, not %u", info.users, wanted);
}

static void reserved(struct contract *c)
{
	struct ward_space *space = begin(c, true), *other = NULL;

	contract_expect(c, "map", map(c, space, IOVA, 0, 2), 0);
	contract_expect(c, "space", make(c, WARD_SPACE_UNMANAGED, &other), 0);
	contract_expect(c, "map-window-before-attach", map(c, other, c->window.start, 0, 1), 0);
	contract_expect(c, "attach-window-mapped",
			ward_device_attach(c->device, WARD_PASID_NONE, other), -EADDRINUSE);
	expect_users(c, space, 1);
	expect_users(c, other, 0);
	contract_expect_word(c, "dma-after-refused-move",
			     carry(c, IOVA, 0, IOVA + CONTRACT_PAGE, 1, 31), "arrives");
	contract_expect(c, "unmap", unmap(other, c->window.start, 1, 0), 0);
	contract_expect(c, "move", ward_device_attach(c->device, WARD_PASID_NONE, other), 0);
	expect_users(c, space, 0);
	expect_users(c, other, 1);
	contract_expect(c, "map-window", map(c, other, c->window.last - 0xfff, 0, 1), -EINVAL);
	end(c, space);
	ward_space_destroy(other);
}

/* Memory that is not there: nobody may learn more than that. */
static void targets(struct contract *c)
{
	struct ward_mapping nowhere = mapping_of(c, IOVA, 0, 1);
	struct ward_space *space = begin(c, true), *other = NULL;

	nowhere.target = ward_target(0x10000);
	contract_expect(c, "map-nowhere", ward_space_map(space, &nowhere), 0);
	contract_expect(c, "space", make(c, WARD_SPACE_UNMANAGED, &other), 0);
	contract_expect(c, "map-nowhere-before-attach", ward_space_map(other, &nowhere), 0);
	contract_expect(c, "attach-nowhere", ward_device_attach(c->device, WARD_PASID_NONE, other),
			0);
	end(c, space);
	ward_space_destroy(other);
}

static void splitting(struct contract *c)
{
	struct ward_space *space = begin(c, true);

	contract_expect(c, "map", map(c, space, IOVA, 0, 3), 0);
	contract_expect(c, "unmap-with-split",
			unmap(space, IOVA + CONTRACT_PAGE, 1, WARD_UNMAP_SPLIT), 0);
	contract_expect_word(c, "dma-beside-split",
			     carry(c, IOVA, 0, IOVA + 2 * CONTRACT_PAGE, 2, 41), "arrives");
	end(c, space);
}

/* What a backend says by itself, where the library would not even have asked it. */
static void unchecked(struct contract *c)
{
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = WARD_SPACE_UNMANAGED };
	struct ward_range range = { IOVA, IOVA + CONTRACT_PAGE - 1 };
	struct ward_space *unused = begin(c, false), *space = NULL;
	struct ward_mapping mapping = mapping_of(c, IOVA, 0, 2);
	const struct ward_space_ops *ops;

	contract_expect(c, "space", c->backend->ops->space(c->backend->context, &options), 0);
	contract_expect(c, "space", ward_space_create(&options, &space), 0);
	contract_expect(c, "attach", ward_device_attach(c->device, WARD_PASID_NONE, space), 0);
	ops = options.ops;
	contract_expect(c, "map", ward_space_map(space, &mapping), 0);
	contract_expect(c, "unchecked-overlap", ops->map(options.backing, &mapping), -EEXIST);
	mapping = mapping_of(c, c->window.start, 0, 1);
	contract_expect(c, "unchecked-window", ops->map(options.backing, &mapping), -EINVAL);
	mapping = mapping_of(c, FREE + 0x800, 0, 1);
	contract_expect(c, "unchecked-misaligned", ops->map(options.backing, &mapping), -EINVAL);
	mapping = mapping_of(c, UINT64_MAX - 0xfff, 0, 2);
	contract_expect(c, "unchecked-wrap", ops->map(options.backing, &mapping), -EOVERFLOW);
	mapping = mapping_of(c, FREE, 0, 1);
	mapping.access = 0;
	contract_expect(c, "unchecked-no-access", ops->map(options.backing, &mapping), -EINVAL);
	contract_expect(c, "unchecked-split", ops->unmap(options.backing, range, false), -EINVAL);
	range = (struct ward_range){ FREE, FREE + CONTRACT_PAGE - 1 };
	contract_expect(c, "unchecked-empty", ops->unmap(options.backing, range, false), -ENOENT);
	end(c, space);
	ward_space_destroy(unused);
}

static void limit(struct contract *c)
{
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = WARD_SPACE_UNMANAGED };
	struct ward_space *unused = begin(c, false), *space = NULL;
	uint32_t made = 0;
	int code = 0;

	contract_expect(c, "space", c->backend->ops->space(c->backend->context, &options), 0);
	contract_expect(c, "space", ward_space_create(&options, &space), 0);
	contract_expect(c, "attach", ward_device_attach(c->device, WARD_PASID_NONE, space), 0);
	while (made < MANY && code == 0) {
		struct ward_mapping mapping =
			mapping_of(c, IOVA + (uint64_t)made * CONTRACT_PAGE, 0, 1);

		code = options.ops->map(options.backing, &mapping);
		made += code == 0;
	}
	contract_expect(c, "mappings-limit", code, 0);
	if (code && made != options.mappings_max)
		contract_fail(c, "mappings-limit: %u mappings, of %llu", made,
			      (unsigned long long)options.mappings_max);
	end(c, space);
	ward_space_destroy(unused);
}

static void registers(struct contract *c)
{
	struct ward_space *space = begin(c, false);
	struct ward_device_info info = { 0 };
	uint32_t word = 0;

	contract_expect(c, "info", ward_device_info(c->device, &info), 0);
	contract_expect(c, "read", ward_device_read(c->device, 7, 0, &word, 4), 0);
	if (word == 0 || word == UINT32_MAX)
		contract_fail(c, "read: ids are %#x", word);
	contract_expect(c, "read-outside",
			ward_device_read(c->device, 7, info.region_size[7], &word, 1), -EINVAL);
	contract_expect(c, "read-across",
			ward_device_read(c->device, 7, info.region_size[7] - 2, &word, 4), -EINVAL);
	contract_expect(c, "read-three", ward_device_read(c->device, 7, 0, &word, 3), -EINVAL);
	contract_expect(c, "read-no-region", ward_device_read(c->device, 8, 0, &word, 4), -EINVAL);
	contract_expect(c, "write-outside",
			ward_device_write(c->device, 7, info.region_size[7], &word, 1), -EINVAL);
	contract_expect(c, "reset", ward_device_reset(c->device), info.resets ? 0 : -EOPNOTSUPP);
	end(c, space);
}

const struct contract_case contract_cases[] = {
	{ "opening and closing", opening },
	{ "attaching and detaching", attaching },
	{ "kinds of spaces", kinds },
	{ "what map and unmap refuse", refused_maps },
	{ "DMA where it is mapped and nowhere else", dma },
	{ "permissions", permissions },
	{ "moving between spaces", moving },
	{ "reserved regions", reserved },
	{ "targets that are no memory", targets },
	{ "taking a part out of a mapping", splitting },
	{ "what the backend refuses by itself", unchecked },
	{ "limit of mappings", limit },
	{ "registers and reset", registers },
	{ "every row of the table is met", contract_every_row },
	{ NULL, NULL },
};
