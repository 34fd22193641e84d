/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What the steps of building a described machine share. */
#ifndef APP_MACHINE_YAML_BUILD_H
#define APP_MACHINE_YAML_BUILD_H

#include "app/machine_yaml.h"

#include <doorward/builder.h>
#include <stdio.h>

/* What people are told where they ask for the source of a fact. */
#define APP_MACHINE_EVIDENCE "the description"

static inline enum ward_tri app_machine_answer(enum app_answer told, enum ward_tri otherwise)
{
	if (told == APP_ANSWER_UNSET)
		return otherwise;
	return told == APP_ANSWER_UNKNOWN ? WARD_UNKNOWN : (enum ward_tri)told;
}

/* A function of the description, to be found by address. */
struct app_machine_key {
	struct ward_address address;
	uint32_t ordinal;
};

/* A group of the kernel's: those that are listed in their order, then the others by number. */
struct app_machine_group_key {
	uint32_t number, index;
};

struct app_machine_building {
	const struct app_machine_yaml *from;
	const struct app_yaml *yaml;
	const char *prefix;
	struct ward_error *error;
	struct ward_builder *builder;
	char path[256];

	/* Worked out beforehand. Ordinals: functions, then platform devices. */
	struct app_machine_key *keys; /* of PCI functions, sorted */
	uint32_t *pe;		      /* by ordinal */
	struct ward_range *auto_bar;  /* by ordinal; empty: none is given */
	bool *has_siblings;	      /* by ordinal: others are in its slot */
	uint16_t *vfs, *vfs_there;    /* by ordinal: that name it as PF; that are not absent */
	struct app_machine_group_key *groups; /* sorted by number, each once */
	uint32_t groups_count;
	uint32_t iommu_hint, controller_hint;
	bool direct; /* what serves a function is said of each, not by id maps */
};

/* "PREFIXlist[index].field"; field may be NULL. Lives until the next call. */
const char *app_machine_at(struct app_machine_building *b, const char *list, uint32_t index,
			   const char *field);
/* "PREFIXlist[index].field[item]" */
const char *app_machine_at_item(struct app_machine_building *b, const char *list, uint32_t index,
				const char *field, uint32_t item);
/* As app_yaml_fail. */
__attribute__((format(printf, 3, 4))) int
app_machine_fail(struct app_machine_building *b, const char *path, const char *format, ...);

/*
 * The function with an address or a platform device's name: its ordinal. -EBADMSG when there is
 * none, for the field at path.
 */
int app_machine_find(struct app_machine_building *b, const char *path, const char *name,
		     uint32_t *ret_ordinal);
int app_machine_find_iommu(struct app_machine_building *b, const char *path, const char *name,
			   uint32_t *ret_ordinal);
int app_machine_find_controller(struct app_machine_building *b, const char *path, const char *name,
				uint32_t *ret_ordinal);
uint32_t app_machine_group(const struct app_machine_building *b, uint32_t number);

/* Looks at all functions and what refers to them, before anything is added. 0 or -EBADMSG. */
int app_machine_survey(struct app_machine_building *b);
void app_machine_survey_finish(struct app_machine_building *b);

/* Steps, each 0, -EBADMSG or -ENOMEM. */
int app_machine_add_parts(struct app_machine_building *b); /* all but functions */
int app_machine_add_functions(struct app_machine_building *b);
int app_machine_make_state(struct app_machine_building *b, const struct ward_machine *machine,
			   struct ward_state **ret_state);

/* Whether an error code is one of memory; else it is the description's. */
int app_machine_refused(struct app_machine_building *b, const char *path, int code);

/* How it raises interrupts where nothing says so. */
enum ward_irq_mode app_machine_irq(const struct app_machine_function *from,
				   const struct ward_function *f);

/* Values in texts. Each returns false when the text is none. */
bool app_text_number(const char *text, uint64_t *ret_number);
/*
 * "START-LAST", "START+SIZE" with a size such as 4096, 0x1000 or 4 KiB; where size is not 0, "START"
 * alone, too.
 */
bool app_text_range(const char *text, uint64_t size, struct ward_range *ret_range);
bool app_text_ids(const char *text, uint16_t *ret_vendor, uint16_t *ret_device);
bool app_text_class(const char *text, uint32_t *ret_class);
/* "sv rr cr uf": bits of ACS. */
bool app_text_acs_bits(const char *text, uint16_t *ret_bits);

#endif
