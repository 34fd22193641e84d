/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Functions for machines of which only the firmware matters. */
#ifndef TESTS_FIRMWARE_FUNCTION_MAKER_H
#define TESTS_FIRMWARE_FUNCTION_MAKER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <doorward/builder.h>

static inline struct ward_builder *new_builder(enum ward_arch arch)
{
	struct ward_builder *builder = NULL;

	assert_int_equal(ward_builder_create(&builder), 0);
	assert_int_equal(ward_builder_set_host(builder, arch, NULL, NULL, 4096), 0);
	return builder;
}

static inline uint32_t add_at(struct ward_builder *builder, uint32_t segment, uint32_t rid,
			      uint32_t class_code, const char *path)
{
	struct ward_function f;
	uint32_t ordinal;

	ward_function_init(&f);
	f.address = (struct ward_address){ segment, ward_rid(rid) };
	f.class_code = class_code;
	f.path = path;
	assert_int_equal(ward_builder_add_function(builder, &f, &ordinal), 0);
	return ordinal;
}

static inline uint32_t add_endpoint(struct ward_builder *builder, uint32_t segment, uint32_t rid)
{
	return add_at(builder, segment, rid, 0x020000, NULL);
}

static inline uint32_t add_bridge(struct ward_builder *builder, uint32_t segment, uint32_t rid,
				  uint8_t secondary, uint8_t subordinate)
{
	struct ward_function f;
	uint32_t ordinal;

	ward_function_init(&f);
	f.address = (struct ward_address){ segment, ward_rid(rid) };
	f.class_code = 0x060400;
	f.header_type = 1;
	f.bridge.secondary = secondary;
	f.bridge.subordinate = subordinate;
	assert_int_equal(ward_builder_add_function(builder, &f, &ordinal), 0);
	return ordinal;
}

static inline struct ward_machine *finished(struct ward_builder *builder)
{
	struct ward_machine *machine = NULL;
	struct ward_error error = { "" };

	if (ward_builder_finish(builder, &machine, &error))
		fail_msg("not a machine: %s", error.text);
	return machine;
}

static inline const struct ward_function *at(const struct ward_machine *machine, uint32_t segment,
					     uint32_t rid)
{
	uint32_t index =
		ward_machine_find(machine, (struct ward_address){ segment, ward_rid(rid) });

	assert_true(index != WARD_NONE);
	return &machine->functions[index];
}

/* The name of the IOMMU that serves a function, "none" or "unknown". */
static inline const char *iommu_of(const struct ward_machine *machine, uint32_t segment,
				   uint32_t rid)
{
	const struct ward_function *f = at(machine, segment, rid);

	if (f->iommu_known != WARD_YES)
		return "unknown";
	return f->stream.iommu == WARD_NONE ? "none" : machine->iommus[f->stream.iommu].name;
}

/* The same for its MSI controller. */
static inline const char *controller_of(const struct ward_machine *machine, uint32_t segment,
					uint32_t rid)
{
	const struct ward_function *f = at(machine, segment, rid);

	if (f->controller_known != WARD_YES)
		return "unknown";
	return f->controller == WARD_NONE ? "none" : machine->controllers[f->controller].name;
}

#endif
