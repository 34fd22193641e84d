/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Small machines for the software machine, one line a part:
 *
 *	struct rig rig = { .arch = WARD_ARCH_ARM64 };
 *	rig_port(&rig, "00:01.0", WARD_PCIE_ROOT_PORT, 1, 1);
 *	rig_card(&rig, "01:00.0", 0x10000000);
 *	rig_done(&rig);
 *	rig_expect(&rig, "01:00.0", 0x80000000, WARD_DMA_MEMORY, NULL);
 *
 * Memory lies at 0x40000000 to 0x4000ffff. IOMMU 0 maps 0x80000000 to 0x8000ffff there, refuses the
 * rest, and remembers what it was asked.
 */
#ifndef TESTS_EMUL_MACHINES_H
#define TESTS_EMUL_MACHINES_H

#include <doorward/builder.h>
#include <doorward/memory.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "emul/machine.h"

#define RIG_MEMORY 0x40000000u
#define RIG_MAPPED 0x80000000u
#define RIG_SIZE 0x10000u
#define RIG_FUNCTIONS 24

#define RIG_ISOLATES (WARD_ACS_SV | WARD_ACS_RR | WARD_ACS_CR | WARD_ACS_UF)
#define RIG_OFFERS 0x7fu

struct rig {
	enum ward_arch arch;
	struct ward_function functions[RIG_FUNCTIONS];
	const char *pf[RIG_FUNCTIONS];
	uint32_t count;
	struct ward_controller controllers[4];
	uint32_t controllers_count;
	struct ward_id_map maps[4];
	uint32_t maps_count;
	bool no_iommu;

	struct ward_machine *machine;
	struct ward_memory *memory;
	struct ward_emul *emul;
	struct ward_dma_result result; /* of the last DMA */
	/* What the IOMMU saw last, and how often it was asked. */
	struct ward_emul_request seen;
	unsigned int asked, destroyed;
};

static int rig_translate(void *context, const struct ward_emul_request *request,
			 struct ward_translation *ret_translation, struct ward_fault *ret_fault)
{
	struct rig *rig = context;
	uint64_t iova = ward_iova_raw(request->iova);

	rig->asked++;
	rig->seen = *request;
	if (iova < RIG_MAPPED || iova >= RIG_MAPPED + RIG_SIZE) {
		*ret_fault = (struct ward_fault){
			.reason = WARD_FAULT_TRANSLATION,
			.access = request->access,
			.iova = request->iova,
		};
		return -EFAULT;
	}
	*ret_translation = (struct ward_translation){
		.target = ward_target(iova - RIG_MAPPED + RIG_MEMORY),
		.access = WARD_READ | WARD_WRITE,
		.type = WARD_NORMAL,
		.input = { RIG_MAPPED, RIG_MAPPED + RIG_SIZE - 1 },
	};
	return 0;
}

static void rig_iommu_destroy(void *context)
{
	struct rig *rig = context;

	rig->destroyed++;
}

static const struct ward_emul_iommu_ops rig_iommu = { rig_translate, rig_iommu_destroy };

static inline struct ward_function *rig_add(struct rig *rig, const char *address)
{
	struct ward_function *f = &rig->functions[rig->count++];

	assert_true(rig->count <= RIG_FUNCTIONS);
	ward_function_init(f);
	assert_int_equal(ward_address_parse(address, &f->address), 0);
	f->vendor = 0x1234;
	f->device = 0x5678;
	f->pcie_type = WARD_PCIE_ENDPOINT;
	f->pcie_known = WARD_YES;
	f->acs.present = WARD_NO;
	f->config_size = 4096;
	if (!rig->no_iommu) {
		f->iommu_known = WARD_YES;
		f->stream.iommu = 0;
		f->stream.sid = ward_sid(ward_rid_raw(f->address.rid));
	}
	return f;
}

/* An endpoint with one BAR of 4 KiB; 0: with none. */
static inline struct ward_function *rig_card(struct rig *rig, const char *address, uint64_t bar)
{
	struct ward_function *f = rig_add(rig, address);

	f->class_code = 0x020000;
	if (bar)
		f->bar[0].range = (struct ward_range){ bar, bar + 0xfff };
	return f;
}

static inline struct ward_function *rig_vf(struct rig *rig, const char *address, const char *pf,
					   uint64_t bar)
{
	rig->pf[rig->count] = pf;
	return rig_card(rig, address, bar);
}

static inline struct ward_function *rig_port(struct rig *rig, const char *address,
					     enum ward_pcie_type type, unsigned int secondary,
					     unsigned int subordinate)
{
	struct ward_function *f = rig_add(rig, address);

	f->class_code = 0x060400;
	f->header_type = 1;
	f->pcie_type = type;
	f->bridge.primary = ward_rid_bus(f->address.rid);
	f->bridge.secondary = (uint8_t)secondary;
	f->bridge.subordinate = (uint8_t)subordinate;
	f->port_number = ward_rid_devfn(f->address.rid) >> 3;
	return f;
}

static inline struct ward_function *rig_acs(struct ward_function *f, unsigned int capability,
					    unsigned int control)
{
	f->acs.present = WARD_YES;
	f->acs.capability = (uint16_t)capability;
	f->acs.control = (uint16_t)control;
	return f;
}

static inline void rig_doorbell(struct rig *rig, enum ward_controller_kind kind, uint64_t start,
				uint64_t last)
{
	rig->controllers[rig->controllers_count++] = (struct ward_controller){
		.kind = kind,
		.name = "controller",
		.doorbells = { { start, last } },
		.doorbells_count = 1,
	};
}

static inline uint32_t rig_at(const struct rig *rig, const char *address)
{
	struct ward_address parsed;
	uint32_t found;

	assert_int_equal(ward_address_parse(address, &parsed), 0);
	found = ward_machine_find(rig->machine, parsed);
	assert_true(found != WARD_NONE);
	return found;
}

static inline struct ward_machine *rig_build(struct rig *rig)
{
	struct ward_iommu iommu = { .name = "iommu", .controller = WARD_NONE };
	struct ward_builder *builder;
	struct ward_machine *machine;
	struct ward_error error = { "" };
	struct ward_address pf;

	assert_int_equal(ward_builder_create(&builder), 0);
	assert_int_equal(ward_builder_set_host(builder, rig->arch, NULL, NULL, 4096), 0);
	assert_int_equal(ward_builder_add_iommu(builder, &iommu, NULL), 0);
	for (uint32_t i = 0; i < rig->controllers_count; i++)
		assert_int_equal(ward_builder_add_controller(builder, &rig->controllers[i], NULL),
				 0);
	for (uint32_t i = 0; i < rig->maps_count; i++)
		assert_int_equal(ward_builder_add_id_map(builder, &rig->maps[i]), 0);
	for (uint32_t i = 0; i < rig->count; i++) {
		if (rig->pf[i]) {
			assert_int_equal(ward_address_parse(rig->pf[i], &pf), 0);
			rig->functions[i].physfn = ward_builder_find(builder, pf);
		}
		assert_int_equal(ward_builder_add_function(builder, &rig->functions[i], NULL), 0);
	}
	if (ward_builder_finish(builder, &machine, &error))
		fail_msg("%s", error.text);
	return machine;
}

static inline void rig_done(struct rig *rig)
{
	rig->machine = rig_build(rig);
	assert_int_equal(ward_memory_create(&rig->memory), 0);
	assert_int_equal(ward_memory_add(rig->memory,
					 (struct ward_range){ RIG_MEMORY,
							      RIG_MEMORY + RIG_SIZE - 1 },
					 0, NULL),
			 0);
	assert_int_equal(ward_emul_create(rig->machine, rig->memory, &rig->emul), 0);
	ward_emul_set_iommu(rig->emul, 0, &rig_iommu, rig);
}

static inline void rig_temper(struct rig *rig, bool routes_peers)
{
	const struct ward_model_temper temper = { .routes_peers = routes_peers };

	ward_emul_set_temper(rig->emul, &temper);
}

static inline void rig_free(struct rig *rig)
{
	ward_emul_destroy(rig->emul);
	assert_int_equal(rig->destroyed, 1);
	ward_memory_destroy(rig->memory);
	ward_machine_destroy(rig->machine);
}

static inline enum ward_dma_end rig_dma(struct rig *rig, const char *from, struct ward_dma dma)
{
	uint32_t word = 0x12345678;

	if (!dma.bytes)
		dma.bytes = &word;
	if (!dma.size)
		dma.size = 4;
	assert_int_equal(ward_emul_dma(rig->emul, rig_at(rig, from), &dma, &rig->result), 0);
	return rig->result.end;
}

static inline enum ward_dma_end rig_write(struct rig *rig, const char *from, uint64_t address)
{
	return rig_dma(rig, from,
		       (struct ward_dma){ .pasid = WARD_PASID_NONE,
					  .address = ward_iova(address),
					  .write = true });
}

static inline void rig_expect_there(const struct rig *rig, const char *to)
{
	if (to)
		assert_int_equal(rig->result.index, rig_at(rig, to));
}

/* A write of function from to address ends so; at function to, when that is not NULL. */
#define rig_expect(rig, from, address, end, to)                       \
	do {                                                          \
		assert_int_equal(rig_write(rig, from, address), end); \
		rig_expect_there(rig, to);                            \
	} while (0)

#endif
