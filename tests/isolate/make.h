/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Machines for tests, one line a part:
 *
 *	struct make m;
 *	make_arm_v2m(&m, 4096, 2);
 *	root_port(&m, "00:1c.0", 1, ACS_ON);
 *	endpoint(&m, "01:00.0")->ats_enabled = true;
 *	bound(&m, "01:00.0", "nvme");
 *	make_done(&m);
 *	... m.machine, m.state, m.isolation, at(&m, "01:00.0") ...
 *	make_free(&m);
 *
 * Every function is plainly good until the test says otherwise: all facts known, a memory BAR,
 * MSI-X and an INT pin, a reset of its own, translated by IOMMU 0, MSIs to controller 0. Function
 * 0 of a slot with others gets its multifunction bit by itself.
 */
#ifndef TESTS_ISOLATE_MAKE_H
#define TESTS_ISOLATE_MAKE_H

#include <doorward/builder.h>
#include <doorward/verdict.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "machine/state.h"
#include "pci/acs.h"

#define MAKE_FUNCTIONS 96
#define MAKE_PARTS 8

enum make_acs {
	NO_ACS,	     /* no capability */
	ACS_EMPTY,   /* a capability that offers nothing */
	ACS_OFF,     /* offers everything, all switched off */
	ACS_ON,	     /* offers everything, all that isolates switched on */
	ACS_UNKNOWN, /* extended config space could not be read */
};

struct make {
	enum ward_arch arch;
	uint64_t page;
	struct ward_function functions[MAKE_FUNCTIONS];
	char name[MAKE_FUNCTIONS][32];
	const char *driver[MAKE_FUNCTIONS], *owner[MAKE_FUNCTIONS];
	/* "ssss:bb:dd.f" of the PF of a VF, or NULL. */
	const char *pf[MAKE_FUNCTIONS];
	/* In a space of its own: a kind, plus one; 0: in none that is known. */
	unsigned int space[MAKE_FUNCTIONS];
	/* ... in which the registers of this function are mapped, or NULL. */
	const char *maps[MAKE_FUNCTIONS];
	uint32_t count;
	struct ward_iommu iommus[MAKE_PARTS];
	uint32_t iommus_count;
	struct ward_controller controllers[MAKE_PARTS];
	uint32_t controllers_count;
	struct ward_kernel_group groups[MAKE_PARTS];
	uint32_t groups_count;
	struct ward_region regions[MAKE_PARTS];
	const char *region_of[MAKE_PARTS];
	uint32_t regions_count;
	struct ward_mmio_segment segments[MAKE_PARTS];
	uint32_t segments_count;
	enum ward_tri firmware_iommu, unsafe_allowed;
	const char *remark, *command_line;

	struct ward_machine *machine;
	struct ward_state *state;
	struct ward_isolation *isolation;
	struct ward_verdict *verdict;
};

static inline struct ward_iommu *make_iommu(struct make *m, enum ward_iommu_kind kind)
{
	static const char *const names[MAKE_PARTS] = { "iommu0", "iommu1", "iommu2", "iommu3",
						       "iommu4", "iommu5", "iommu6", "iommu7" };
	struct ward_iommu *iommu = &m->iommus[m->iommus_count];

	assert_true(m->iommus_count < MAKE_PARTS);
	*iommu = (struct ward_iommu){
		.kind = kind,
		.name = names[m->iommus_count++],
		.active = WARD_YES,
		.remaps_interrupts = WARD_YES,
		.ats = WARD_YES,
		.controller = WARD_NONE,
	};
	return iommu;
}

static inline struct ward_controller *make_controller(struct make *m,
						      enum ward_controller_kind kind,
						      enum ward_tri isolates, uint64_t start,
						      uint64_t size)
{
	static const char *const names[MAKE_PARTS] = { "controller0", "controller1", "controller2",
						       "controller3", "controller4", "controller5",
						       "controller6", "controller7" };
	struct ward_controller *c = &m->controllers[m->controllers_count];

	assert_true(m->controllers_count < MAKE_PARTS);
	*c = (struct ward_controller){
		.kind = kind,
		.name = names[m->controllers_count],
		.isolates = isolates,
		.doorbells = { { start, start + size - 1 } },
		.doorbells_count = 1,
		/* Frames are one pool to Linux; others are on their own. */
		.pool = kind == WARD_CONTROLLER_GICV2M ? 0 : m->controllers_count,
		.evidence = "made",
	};
	m->controllers_count++;
	return c;
}

static inline void make_empty(struct make *m, enum ward_arch arch, uint64_t page)
{
	memset(m, 0, sizeof(*m));
	m->arch = arch;
	m->page = page;
	m->firmware_iommu = WARD_YES;
	m->unsafe_allowed = WARD_NO;
}

static inline void make_x86(struct make *m)
{
	make_empty(m, WARD_ARCH_X86, 4096);
	make_iommu(m, WARD_IOMMU_VTD);
	make_controller(m, WARD_CONTROLLER_X86_REMAPPING, WARD_YES, 0xfee00000, 0x100000);
}

static inline void make_x86_apic(struct make *m)
{
	make_empty(m, WARD_ARCH_X86, 4096);
	make_iommu(m, WARD_IOMMU_VTD);
	make_controller(m, WARD_CONTROLLER_X86_APIC, WARD_NO, 0xfee00000, 0x100000);
}

static inline void make_arm_its(struct make *m)
{
	make_empty(m, WARD_ARCH_ARM64, 4096);
	make_iommu(m, WARD_IOMMU_SMMUV3);
	make_controller(m, WARD_CONTROLLER_GICV3_ITS, WARD_YES, 0x8080000, 0x20000);
}

/* Frames of 4 KiB side by side, so that a page of 64 KiB holds them all. */
static inline void make_arm_v2m(struct make *m, uint64_t page, unsigned int frames)
{
	make_empty(m, WARD_ARCH_ARM64, page);
	make_iommu(m, WARD_IOMMU_SMMUV3);
	for (unsigned int i = 0; i < frames; i++)
		make_controller(m, WARD_CONTROLLER_GICV2M, WARD_NO, 0x8020000 + i * 0x1000ull,
				0x1000);
}

static inline void make_set_acs(struct ward_function *f, enum make_acs acs)
{
	static const uint16_t all = WARD_ACS_ISOLATED | WARD_ACS_TB | WARD_ACS_DT;

	f->acs.present = acs == NO_ACS ? WARD_NO : acs == ACS_UNKNOWN ? WARD_UNKNOWN : WARD_YES;
	f->acs.capability = acs == ACS_OFF || acs == ACS_ON ? all : 0;
	f->acs.control = acs == ACS_ON ? WARD_ACS_ISOLATED : 0;
}

static inline struct ward_function *function(struct make *m, const char *address,
					     enum ward_pcie_type type, enum make_acs acs)
{
	struct ward_function *f = &m->functions[m->count];

	assert_true(m->count < MAKE_FUNCTIONS);
	ward_function_init(f);
	assert_int_equal(ward_address_parse(address, &f->address), 0);
	f->vendor = 0x1234;
	f->device = 0x1111;
	f->class_code = 0x020000;
	f->config_size = 4096;
	f->pcie_type = type;
	f->pcie_known = WARD_YES;
	make_set_acs(f, acs);
	f->bar[0].range = (struct ward_range){ 0x10000000 + m->count * 0x100000ull,
					       0x10000fff + m->count * 0x100000ull };
	f->msix = true;
	f->msix_vectors = 4;
	f->intx_pin = 1;
	f->ats = f->pasid = f->pri = WARD_NO;
	f->resets = WARD_RESET_FLR;
	f->resets_known = WARD_YES;
	f->iommu_known = WARD_YES;
	f->stream.iommu = m->iommus_count ? 0 : WARD_NONE;
	f->stream.sid = ward_sid(ward_rid_raw(f->address.rid));
	f->controller_known = WARD_YES;
	f->controller = m->controllers_count ? 0 : WARD_NONE;
	f->devid = ward_devid(ward_rid_raw(f->address.rid));
	m->count++;
	return f;
}

static inline struct ward_function *endpoint(struct make *m, const char *address)
{
	return function(m, address, WARD_PCIE_ENDPOINT, NO_ACS);
}

/* Integrated into the root complex. */
static inline struct ward_function *integrated(struct make *m, const char *address)
{
	return function(m, address, WARD_PCIE_RC_ENDPOINT, NO_ACS);
}

/* Without a PCIe capability. */
static inline struct ward_function *conventional(struct make *m, const char *address)
{
	struct ward_function *f = function(m, address, WARD_PCIE_NONE, NO_ACS);

	f->msix = false;
	return f;
}

static inline struct ward_function *bridge(struct make *m, const char *address,
					   enum ward_pcie_type type, unsigned int secondary,
					   unsigned int subordinate, enum make_acs acs)
{
	struct ward_function *f = function(m, address, type, acs);

	f->header_type = 1;
	f->class_code = 0x060400;
	f->bar[0].range = WARD_RANGE_EMPTY;
	f->bridge.primary = ward_rid_bus(f->address.rid);
	f->bridge.secondary = (uint8_t)secondary;
	f->bridge.subordinate = (uint8_t)subordinate;
	f->resets = 0;
	return f;
}

static inline struct ward_function *root_port(struct make *m, const char *address,
					      unsigned int secondary, enum make_acs acs)
{
	return bridge(m, address, WARD_PCIE_ROOT_PORT, secondary, secondary, acs);
}

/* A root port with more than one bus below. */
static inline struct ward_function *root_port_to(struct make *m, const char *address,
						 unsigned int secondary, unsigned int subordinate,
						 enum make_acs acs)
{
	return bridge(m, address, WARD_PCIE_ROOT_PORT, secondary, subordinate, acs);
}

/* Upstream port of a switch; the bus inside it is secondary. */
static inline struct ward_function *upstream(struct make *m, const char *address,
					     unsigned int secondary, unsigned int subordinate)
{
	return bridge(m, address, WARD_PCIE_UPSTREAM, secondary, subordinate, NO_ACS);
}

static inline struct ward_function *downstream(struct make *m, const char *address,
					       unsigned int secondary, enum make_acs acs)
{
	struct ward_function *f =
		bridge(m, address, WARD_PCIE_DOWNSTREAM, secondary, secondary, acs);

	f->port_number = (uint8_t)(ward_rid_devfn(f->address.rid) >> 3);
	return f;
}

/* PCIe-to-PCI bridge (type 7). */
static inline struct ward_function *pcie_to_pci(struct make *m, const char *address,
						unsigned int secondary)
{
	return bridge(m, address, WARD_PCIE_TO_PCI, secondary, secondary, NO_ACS);
}

static inline struct ward_function *pci_bridge(struct make *m, const char *address,
					       unsigned int secondary)
{
	struct ward_function *f = bridge(m, address, WARD_PCIE_NONE, secondary, secondary, NO_ACS);

	f->msix = false;
	return f;
}

static inline struct ward_function *vf(struct make *m, const char *address, const char *pf)
{
	struct ward_function *f = endpoint(m, address);

	f->intx_pin = 0;
	m->pf[m->count - 1] = pf;
	return f;
}

/* A platform device with MSIs to controller 0. */
static inline struct ward_function *platform(struct make *m, const char *name)
{
	struct ward_function *f = function(m, "00:00.0", WARD_PCIE_NONE, NO_ACS);

	f->kind = WARD_FUNCTION_PLATFORM;
	snprintf(m->name[m->count - 1], sizeof(m->name[0]), "%s", name);
	f->name = m->name[m->count - 1];
	f->devid = ward_devid(0x10000 + m->count);
	f->stream.sid = ward_sid(0x10000 + m->count);
	return f;
}

/* Nothing of its config space but the first 64 bytes could be read. */
static inline struct ward_function *unreadable(struct ward_function *f)
{
	f->config_size = 64;
	f->pcie_type = WARD_PCIE_NONE;
	f->pcie_known = WARD_UNKNOWN;
	make_set_acs(f, ACS_UNKNOWN);
	f->msix = false;
	f->ats = f->pasid = f->pri = WARD_UNKNOWN;
	f->resets = 0;
	f->resets_known = WARD_NO;
	return f;
}

static inline uint32_t make_ordinal(const struct make *m, const char *name)
{
	struct ward_address address;
	bool is_address = ward_address_parse(name, &address) == 0;

	for (uint32_t i = 0; i < m->count; i++) {
		const struct ward_function *f = &m->functions[i];

		if (f->kind == WARD_FUNCTION_PLATFORM
			    ? strcmp(f->name, name) == 0
			    : is_address && ward_address_compare(f->address, address) == 0)
			return i;
	}
	fail_msg("no function %s", name);
	return WARD_NONE;
}

static inline void bound(struct make *m, const char *address, const char *driver)
{
	m->driver[make_ordinal(m, address)] = driver;
}

static inline void owned(struct make *m, const char *address, const char *client)
{
	m->owner[make_ordinal(m, address)] = client;
}

static inline void in_space(struct make *m, const char *address, enum ward_space_kind kind)
{
	m->space[make_ordinal(m, address)] = (unsigned int)kind + 1;
}

/* In a space where the registers of another function are mapped, writable. */
static inline void in_space_with(struct make *m, const char *address, const char *registers_of)
{
	in_space(m, address, WARD_SPACE_UNMANAGED);
	m->maps[make_ordinal(m, address)] = registers_of;
}

/* Reserved region of a function. */
static inline void region(struct make *m, const char *address, enum ward_region_kind kind)
{
	m->region_of[m->regions_count] = address;
	m->regions[m->regions_count++] = (struct ward_region){
		.range = { 0x7f000000, 0x7fffffff },
		.kind = kind,
		.group = WARD_NONE,
		.source = "DMAR RMRR",
	};
}

/* A part of the MMIO window that belongs to a partitionable endpoint. */
static inline void mmio_segment(struct make *m, uint64_t start, uint64_t last, uint32_t pe)
{
	assert_true(m->segments_count < MAKE_PARTS);
	m->segments[m->segments_count++] = (struct ward_mmio_segment){ { start, last }, pe };
}

/* A group of the kernel's, and who is in it. */
static inline void kernel_group(struct make *m, uint32_t number, const char *a, const char *b)
{
	m->groups[m->groups_count].number = number;
	m->functions[make_ordinal(m, a)].group = m->groups_count;
	if (b)
		m->functions[make_ordinal(m, b)].group = m->groups_count;
	m->groups_count++;
}

/* Function 0 of a slot says that there are others; the others tell by their numbers. */
static inline void make_multifunction(struct make *m)
{
	for (uint32_t i = 0; i < m->count; i++) {
		for (uint32_t j = 0; j < m->count; j++) {
			const struct ward_function *a = &m->functions[i], *b = &m->functions[j];

			if (i != j && !m->pf[i] && !m->pf[j] && a->kind == WARD_FUNCTION_PCI &&
			    b->kind == WARD_FUNCTION_PCI &&
			    a->address.segment == b->address.segment &&
			    (ward_rid_raw(a->address.rid) ^ ward_rid_raw(b->address.rid)) < 8)
				m->functions[i].multifunction = true;
		}
	}
}

/* Adds everything in order; 0 or the first error. */
static inline int make_add(struct make *m, struct ward_builder *builder)
{
	int err = ward_builder_set_host(builder, m->arch, "6.12.0-test", m->command_line, m->page);

	for (uint32_t i = 0; i < m->iommus_count && !err; i++)
		err = ward_builder_add_iommu(builder, &m->iommus[i], NULL);
	for (uint32_t i = 0; i < m->controllers_count && !err; i++)
		err = ward_builder_add_controller(builder, &m->controllers[i], NULL);
	for (uint32_t i = 0; i < m->groups_count && !err; i++)
		err = ward_builder_add_group(builder, &m->groups[i], NULL);
	for (uint32_t i = 0; i < m->count && !err; i++) {
		struct ward_function f = m->functions[i];

		f.physfn = m->pf[i] ? make_ordinal(m, m->pf[i]) : WARD_NONE;
		err = ward_builder_add_function(builder, &f, NULL);
	}
	for (uint32_t i = 0; i < m->regions_count && !err; i++) {
		struct ward_region r = m->regions[i];

		r.function = m->region_of[i] ? make_ordinal(m, m->region_of[i]) : WARD_NONE;
		err = ward_builder_add_region(builder, &r);
	}
	for (uint32_t i = 0; i < m->segments_count && !err; i++)
		err = ward_builder_add_segment(builder, &m->segments[i]);
	if (m->remark && !err)
		err = ward_builder_remark(builder, m->remark, "a remark: %s", m->remark);
	return err;
}

static inline int make_machine(struct make *m, struct ward_machine **ret_machine)
{
	struct ward_builder *builder;
	struct ward_error error = { "" };
	int err = ward_builder_create(&builder);

	if (err)
		return err;
	make_multifunction(m);
	ward_builder_machine(builder)->groups_known = m->groups_count > 0;
	ward_builder_machine(builder)->firmware_iommu = m->firmware_iommu;
	ward_builder_machine(builder)->unsafe_interrupts_allowed = m->unsafe_allowed;
	err = make_add(m, builder);
	if (err) {
		ward_builder_destroy(builder);
		return err;
	}
	err = ward_builder_finish(builder, ret_machine, &error);
	if (err && err != -ENOMEM)
		print_error("%s\n", error.text);
	return err;
}

static inline uint32_t at_of(const struct ward_machine *machine, const char *name)
{
	uint32_t index = ward_machine_find_name(machine, name);

	if (index == WARD_NONE)
		fail_msg("no function %s in the machine", name);
	return index;
}

static inline int make_map(const struct ward_machine *machine, const char *name,
			   struct ward_space *space)
{
	struct ward_range range;

	if (!name)
		return 0;
	range = machine->functions[at_of(machine, name)].bar[0].range;
	if (ward_range_is_empty(range))
		return 0;
	return ward_space_map(space,
			      &(struct ward_mapping){ .last = ward_iova(range.last - range.start),
						      .target = ward_target(range.start),
						      .access = WARD_READ | WARD_WRITE });
}

/* Puts function i of the list into its space, which goes with the state. */
static inline int make_space(struct make *m, uint32_t i, struct ward_state *state, uint32_t index)
{
	struct ward_space_options options = { .size = sizeof(options) };
	struct ward_space *space;
	int err;

	if (!m->space[i])
		return 0;
	options.kind = (enum ward_space_kind)(m->space[i] - 1);
	err = ward_space_create(&options, &space);
	if (err)
		return err;
	err = ward_state_keep(state, space);
	if (err) {
		ward_space_destroy(space);
		return err;
	}
	err = make_map(state->machine, m->maps[i], space);
	return err ? err : ward_state_attach(state, index, WARD_PASID_NONE, space);
}

static inline int make_state(struct make *m, const struct ward_machine *machine,
			     struct ward_state **ret_state)
{
	struct ward_state *state;
	int err = ward_state_create(machine, &state);

	if (err)
		return err;
	for (uint32_t i = 0; i < m->count && !err; i++) {
		char name[WARD_ADDRESS_TEXT];
		uint32_t index;

		if (m->functions[i].kind == WARD_FUNCTION_PCI)
			ward_address_format(m->functions[i].address, name);
		index = at_of(machine, m->functions[i].kind == WARD_FUNCTION_PCI
					       ? name
					       : m->functions[i].name);
		if (m->driver[i])
			err = ward_state_bind(state, index, m->driver[i]);
		if (m->owner[i] && !err) {
			if (!m->driver[i])
				err = ward_state_bind(state, index, "vfio-pci");
			if (!err)
				err = ward_state_client(state, m->owner[i],
							&state->functions[index].owner.client);
			state->functions[index].owner.kind = WARD_OWNER_CLIENT;
		}
		if (!err)
			err = make_space(m, i, state, index);
	}
	if (err) {
		ward_state_destroy(state);
		return err;
	}
	*ret_state = state;
	return 0;
}

static inline void make_done(struct make *m)
{
	assert_int_equal(make_machine(m, &m->machine), 0);
	assert_int_equal(make_state(m, m->machine, &m->state), 0);
	assert_int_equal(ward_isolation_create(m->machine, m->state, &m->isolation), 0);
}

static inline void make_free(struct make *m)
{
	ward_verdict_destroy(m->verdict);
	ward_isolation_destroy(m->isolation);
	ward_state_destroy(m->state);
	ward_machine_destroy(m->machine);
	m->verdict = NULL;
	m->isolation = NULL;
	m->state = NULL;
	m->machine = NULL;
}

static inline uint32_t at(const struct make *m, const char *name)
{
	return at_of(m->machine, name);
}

/* Judges functions for a client ("" or NULL: a new one); names stand in one text, by spaces. */
static inline const struct ward_verdict *judged(struct make *m, enum ward_policy policy,
						const char *client, const char *names)
{
	struct ward_question question = { .size = sizeof(question),
					  .client = WARD_NONE,
					  .policy = policy };
	uint32_t functions[MAKE_FUNCTIONS];
	char text[256], *save = NULL;

	snprintf(text, sizeof(text), "%s", names);
	for (char *name = strtok_r(text, " ", &save); name; name = strtok_r(NULL, " ", &save))
		functions[question.functions_count++] = at(m, name);
	question.functions = functions;
	if (client && client[0])
		assert_int_equal(ward_state_client(m->state, client, &question.client), 0);
	ward_verdict_destroy(m->verdict);
	m->verdict = NULL;
	assert_int_equal(ward_check(m->isolation, m->state, &question, &m->verdict), 0);
	return m->verdict;
}

/* Builds, judges one function for a new client, strictly. */
static inline const struct ward_verdict *made(struct make *m, const char *names)
{
	make_done(m);
	return judged(m, WARD_POLICY_STRICT, NULL, names);
}

static inline const struct ward_finding *finding_of(const struct ward_verdict *verdict,
						    const char *code)
{
	for (uint32_t i = 0; i < verdict->findings_count; i++) {
		if (strcmp(verdict->findings[i].code, code) == 0)
			return &verdict->findings[i];
	}
	return NULL;
}

static inline void print_verdict(const struct ward_verdict *verdict);

/* The same when it must be there. */
static inline const struct ward_finding *finding_in(const struct ward_verdict *verdict,
						    const char *code)
{
	static const struct ward_finding none;
	const struct ward_finding *finding = finding_of(verdict, code);

	if (finding)
		return finding;
	print_verdict(verdict);
	fail_msg("no %s", code);
	return &none;
}

static inline void print_verdict(const struct ward_verdict *verdict)
{
	print_error("%s, %s\n", ward_answer_name(verdict->answer), ward_grade_name(verdict->grade));
	for (uint32_t i = 0; i < verdict->findings_count; i++) {
		const struct ward_finding *f = &verdict->findings[i];

		print_error("  %s %s%s: %s\n", ward_weight_name(f->weight), f->code,
			    f->waived ? " (waived)" : "", f->text);
		for (uint32_t k = 0; k < f->path_count; k++)
			print_error("      %u/%u %s\n", (unsigned int)f->path[k].kind,
				    (unsigned int)f->path[k].index, f->path[k].through);
	}
}

/* The answer and the grade, or the test fails with the whole verdict shown. */
#define assert_verdict(verdict, want_answer, want_grade)                                          \
	do {                                                                                      \
		const struct ward_verdict *v_ = (verdict);                                        \
		if (v_->answer != (want_answer) || v_->grade != (want_grade))                     \
			print_verdict(v_);                                                        \
		assert_string_equal(ward_answer_name(v_->answer), ward_answer_name(want_answer)); \
		assert_string_equal(ward_grade_name(v_->grade), ward_grade_name(want_grade));     \
	} while (0)

#endif
