/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What a monitor does not write, for viommu.c: a host in software with one card, and a guest whose
 * driver makes requests (virtio 1.3, 5.13.6) through split queues.
 */
#ifndef EXAMPLES_VIOMMU_WORLD_H
#define EXAMPLES_VIOMMU_WORLD_H

#include <doorward/backend/model.h>
#include <doorward/builder.h>
#include <doorward/memory.h>

#include <stdio.h>
#include <string.h>

/* Endpoints, as the guest knows them from VIOT or its device tree. */
enum { DISK = 1, CARD = 8 };

/* Guest memory, where it is for guest, monitor and host. */
#define GUEST 0x40000000u
#define HOST 0x80000000u
#define SIZE 0x40000u
static unsigned char ram[SIZE];

/* In it: the parts of each queue, the driver's buffers, memory for DMA. */
#define DESCRIPTORS(queue) ((queue)*0x1000u)
#define AVAILABLE(queue) (DESCRIPTORS(queue) + 0x100)
#define USED(queue) (DESCRIPTORS(queue) + 0x200)
#define ENTRIES 16u
#define REQUEST 0x2000u
#define ANSWER 0x3000u
#define DATA 0x10000u

struct monitor;
static void monitor_kick(struct monitor *m, unsigned int queue);

static void put(unsigned char *to, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		to[i] = (unsigned char)(value >> 8 * i);
}

static uint64_t get(const unsigned char *from, unsigned int bytes)
{
	return bytes ? from[0] | get(from + 1, bytes - 1) << 8 : 0;
}

static void describe(unsigned int queue, unsigned int index, uint32_t at, uint32_t size,
		     uint16_t flags)
{
	unsigned char *descriptor = ram + DESCRIPTORS(queue) + index * 16;

	put(descriptor, GUEST + at, 8);
	put(descriptor + 8, size, 4);
	put(descriptor + 12, flags, 2);
	put(descriptor + 14, index + 1, 2);
}

/* Makes the chain that begins with descriptor 0 available. */
static void offer(struct monitor *m, unsigned int queue)
{
	unsigned char *available = ram + AVAILABLE(queue);
	uint64_t count = get(available + 2, 2);

	put(available + 4 + count % ENTRIES * 2, 0, 2);
	put(available + 2, count + 1, 2);
	monitor_kick(m, queue);
}

/* The request that was written, and room for its answer, which ends with a tail. */
static void guest_asks(struct monitor *m, const char *what, uint32_t size, uint32_t room)
{
	static const char *const status[] = { "OK",    "IOERR", "UNSUPP", "DEVERR", "INVAL",
					      "RANGE", "NOENT", "FAULT",  "NOMEM" };

	describe(0, 0, REQUEST, size, 1 /* NEXT */);
	describe(0, 1, ANSWER, room + 4, 2 /* WRITE */);
	offer(m, 0);
	printf("  %s: %s\n", what, status[ram[ANSWER + room] % 9]);
}

/* A request whose first field is a domain, or an endpoint. */
static unsigned char *guest_request(unsigned char type, uint32_t whose)
{
	memset(ram + REQUEST, 0, 72);
	ram[REQUEST] = type;
	put(ram + REQUEST + 4, whose, 4);
	return ram + REQUEST;
}

static void guest_attaches(struct monitor *m, const char *what, uint32_t endpoint)
{
	put(guest_request(1, 1) + 8, endpoint, 4);
	guest_asks(m, what, 20, 0);
}

/* One page. */
static void guest_maps(struct monitor *m, const char *what, uint64_t iova, uint64_t to)
{
	unsigned char *request = guest_request(3, 1);

	put(request + 8, iova, 8);
	put(request + 16, iova + 0xfff, 8);
	put(request + 24, to, 8);
	put(request + 32, 3 /* READ, WRITE */, 4);
	guest_asks(m, what, 36, 0);
}

static void guest_unmaps(struct monitor *m, const char *what, uint64_t iova)
{
	unsigned char *request = guest_request(4, 1);

	put(request + 8, iova, 8);
	put(request + 16, iova + 0xfff, 8);
	guest_asks(m, what, 28, 0);
}

static void guest_probes(struct monitor *m, const char *what, uint32_t endpoint)
{
	const unsigned char *region = ram + ANSWER;

	guest_request(5, endpoint);
	guest_asks(m, what, 72, 512);
	for (; get(region, 2); region += 4 + get(region + 2, 2))
		printf("    a region at 0x%llx-0x%llx, %s\n",
		       (unsigned long long)get(region + 8, 8),
		       (unsigned long long)get(region + 16, 8),
		       region[4] == 1 ? "where messages go untranslated" : "reserved");
}

/* A buffer for an event. */
static void guest_listens(struct monitor *m)
{
	describe(1, 0, ANSWER, 24, 2 /* WRITE */);
	offer(m, 1);
}

static void guest_hears(void)
{
	printf("  the driver reads in its event queue: endpoint %u, address 0x%llx\n",
	       (unsigned int)get(ram + ANSWER + 8, 4),
	       (unsigned long long)get(ram + ANSWER + 16, 8));
}

/* The card does DMA: what reaches memory has been through the host's IOMMU. */
static void card_writes(struct ward_backend *backend, uint64_t iova, const char *text)
{
	char bytes[32] = "";
	const struct ward_dma dma = { .pasid = WARD_PASID_NONE,
				      .address = ward_iova(iova),
				      .write = true,
				      .bytes = bytes,
				      .size = sizeof(bytes) };
	struct ward_dma_result result;

	snprintf(bytes, sizeof(bytes), "%s", text);
	if (ward_model_dma(backend, 0, &dma, &result) || result.end != WARD_DMA_MEMORY)
		printf("  the card writes to 0x%llx: the host's IOMMU refuses it\n",
		       (unsigned long long)iova);
	else
		printf("  the card writes to 0x%llx: guest memory has \"%s\"\n",
		       (unsigned long long)iova, (const char *)ram + (result.target - HOST));
}

/* One card behind an SMMUv3. */
static int make_machine(struct ward_machine **ret_machine)
{
	const struct ward_iommu smmu = { .kind = WARD_IOMMU_SMMUV3,
					 .name = "smmu",
					 .active = WARD_YES,
					 .controller = WARD_NONE };
	struct ward_builder *builder;
	struct ward_function card;
	int code = ward_builder_create(&builder);

	if (code)
		return code;
	ward_function_init(&card);
	card.address = (struct ward_address){ 0, ward_rid_make(0, 1, 0) };
	card.vendor = 0x1234;
	card.device = 0x5678;
	card.class_code = 0x020000;
	card.pcie_type = WARD_PCIE_RC_ENDPOINT;
	card.pcie_known = WARD_YES;
	card.iommu_known = WARD_YES;
	card.stream = (struct ward_stream){ 0, ward_sid(8) };
	code = ward_builder_set_host(builder, WARD_ARCH_ARM64, NULL, NULL, 4096);
	if (!code)
		code = ward_builder_add_iommu(builder, &smmu, NULL);
	if (!code)
		code = ward_builder_add_function(builder, &card, NULL);
	if (!code)
		return ward_builder_finish(builder, ret_machine, NULL);
	ward_builder_destroy(builder);
	return code;
}

/* Its memory: the guest's is in it, and tables of its IOMMU. */
static int make_host(struct ward_machine **ret_machine, struct ward_memory **ret_memory,
		     struct ward_backend **ret_backend)
{
	const struct ward_range guest = { HOST, HOST + SIZE - 1 }, tables = { 0, 0x1ffff };
	int code = make_machine(ret_machine);

	if (!code)
		code = ward_memory_create(ret_memory);
	if (!code)
		code = ward_memory_add(*ret_memory, guest, 0, ram);
	if (!code)
		code = ward_memory_add(*ret_memory, tables, 0, NULL);
	if (!code)
		code = ward_backend_model(*ret_machine, *ret_memory, tables, ret_backend, NULL);
	return code;
}

#endif
