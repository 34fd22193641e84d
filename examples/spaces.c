// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A device, a space, a DMA, a fault: on the software machine, so it runs anywhere.
 *
 *	cc spaces.c $(pkg-config --cflags --libs doorward) && ./a.out
 *
 * With ward_backend_vfio_group instead of ward_backend_model the same calls drive a real device;
 * the target of a mapping is then an address of this process.
 */
#include <doorward/backend/model.h>
#include <doorward/builder.h>
#include <doorward/memory.h>

#include <stdio.h>
#include <string.h>

#define RAM 0x80000000u
#define TABLES 0x90000000u
#define IOVA 0x100000u

static const char message[] = "hello from the device";

/* One network card on the root bus, behind one SMMUv3. */
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

static void let_it_write(struct ward_backend *backend)
{
	char bytes[sizeof(message)], text[WARD_FAULT_TEXT];
	const struct ward_dma dma = { .pasid = WARD_PASID_NONE,
				      .address = ward_iova(IOVA),
				      .write = true,
				      .bytes = bytes,
				      .size = sizeof(bytes) };
	struct ward_dma_result result;

	memcpy(bytes, message, sizeof(bytes));
	if (ward_model_dma(backend, 0, &dma, &result)) {
		printf("  this function cannot be told to do that\n");
	} else if (result.end == WARD_DMA_FAULT) {
		ward_fault_format(&result.fault, text, sizeof(text));
		printf("  %s\n", text);
	} else {
		printf("  it arrived at physical address 0x%llx\n",
		       (unsigned long long)result.target);
	}
}

static int show(struct ward_backend *backend, const char *memory)
{
	const struct ward_space_options options = { .size = sizeof(options),
						    .kind = WARD_SPACE_UNMANAGED };
	const struct ward_mapping mapping = { .start = ward_iova(IOVA),
					      .last = ward_iova(IOVA + 0xfff),
					      .target = ward_target(RAM + 0x2000),
					      .access = WARD_READ | WARD_WRITE,
					      .type = WARD_NORMAL };
	struct ward_device *device = NULL;
	struct ward_space *space = NULL;
	struct ward_error why;
	int code = ward_device_open(backend, "0000:00:01.0", &device, &why);

	if (code) {
		printf("%s\n", why.text);
		return code;
	}
	printf("opened, in no space yet:\n");
	let_it_write(backend);
	code = ward_backend_space(backend, &options, &space);
	if (!code)
		code = ward_space_map(space, &mapping);
	if (!code)
		code = ward_device_attach(device, WARD_PASID_NONE, space);
	if (!code) {
		printf("attached to a space with one page:\n");
		let_it_write(backend);
		printf("  memory has: %s\n", memory + 0x2000);
		code = ward_space_unmap(space, mapping.start, mapping.last, 0, NULL);
	}
	if (!code) {
		printf("the page is unmapped:\n");
		let_it_write(backend);
	}
	ward_device_close(device);
	ward_space_destroy(space);
	return code;
}

int main(void)
{
	static char bytes[0x10000];
	const struct ward_range ram = { RAM, RAM + sizeof(bytes) - 1 };
	const struct ward_range tables = { TABLES, TABLES + 0x1ffff };
	struct ward_backend *backend = NULL;
	struct ward_machine *machine = NULL;
	struct ward_memory *memory = NULL;
	struct ward_error why = { "no memory" };
	int code = make_machine(&machine);

	if (!code)
		code = ward_memory_create(&memory);
	if (!code)
		code = ward_memory_add(memory, ram, 0, bytes);
	if (!code)
		code = ward_memory_add(memory, tables, 0, NULL);
	if (!code)
		code = ward_backend_model(machine, memory, tables, &backend, &why);
	if (code)
		printf("%s\n", why.text);
	else
		code = show(backend, bytes);
	ward_backend_destroy(backend);
	ward_memory_destroy(memory);
	ward_machine_destroy(machine);
	return code ? 1 : 0;
}
