/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A scenario: a machine, what happens on it, and what is expected to come of it. Here it is as the
 * file says it, checked as far as that can be without the machine; app/stage.h plays it.
 * docs/scenario-format.md explains the file.
 */
#ifndef APP_SCENARIO_H
#define APP_SCENARIO_H

#include "app/machine_yaml.h"
#include "app/places.h"

#include <doorward/own.h>

/* A risk that is accepted. */
struct app_scenario_waiver {
	char *code, *function, *reason; /* function, reason: or NULL */
};

/* One event of own.h; which members count stands there. */
struct app_scenario_event {
	char **functions;
	uint32_t functions_count;
	char *client, *driver, *controller;
	uint32_t container;
	bool fact;
	struct app_scenario_waiver *accept;
	uint32_t accept_count;
};

struct app_scenario_hand_over {
	char **functions;
	uint32_t functions_count;
	char *to, *driver; /* to: a client, "host" or "nobody" */
	uint32_t container;
	struct app_scenario_waiver *accept;
	uint32_t accept_count;
};

/* The drivers of some functions, in a guest or in the host, enable their first vectors. */
struct app_scenario_enable {
	char **functions;
	uint32_t functions_count;
	uint32_t vectors; /* 0: 1 */
};

struct app_scenario_ring {
	char *function;
	uint32_t vector;
};

/* A write or a read of some bytes: where to is exactly one of memory, bar, doorbell, address. */
struct app_scenario_dma {
	char *function;
	char *memory; /* of that client, or of "host" */
	char *bar;    /* of that function */
	char *doorbell;
	char *address; /* "0x..." */
	uint32_t data; /* that is written */
};

enum app_scenario_contain {
	APP_CONTAIN_AT_ONCE,
	APP_CONTAIN_BY_HAND,
	APP_CONTAIN_ONE, /* of a step: the next one */
	APP_CONTAIN_ALL, /* of a step: until settled */
};

/* Whether vectors that land somewhere are told to the ownership. */
enum app_scenario_vectors {
	APP_VECTORS_AT_ONCE,
	APP_VECTORS_BY_HAND, /* by steps of their own alone */
};

/* What is expected of a step; NULL: what goes without saying (docs/scenario-format.md). */
struct app_scenario_expect {
	char *decision; /* a word of ward_decision_name() */
	bool *settled;
	char **findings; /* codes that the verdict must have */
	uint32_t findings_count;
	char **accepted; /* codes of findings that it must have, and that were accepted */
	uint32_t accepted_count;
	char **exposed; /* clients */
	uint32_t exposed_count;
	char **containments; /* words of ward_event_name() */
	uint32_t containments_count;
	char *arrives; /* a client, "host" or "nowhere" */
	char *through; /* name of a controller */
	uint32_t *number, *gsi;
	char *ends; /* "memory", ... */
	char *of;   /* whose that is: a client, "host" or "nobody" */
	char **touched;
	uint32_t touched_count;
};

/* One step: exactly one of the members down to contain is there. */
struct app_scenario_step {
	char *note; /* or NULL */
	struct app_scenario_event *event[WARD_EVENTS];
	struct app_scenario_hand_over *hand_over;
	struct app_scenario_enable *enable;
	struct app_scenario_ring *ring;
	struct app_scenario_dma *write, *read;
	char *hostile;
	enum app_scenario_contain *contain;
	struct app_scenario_expect *expect;
};

/* How a function is expected to end; what is NULL does not matter. */
struct app_scenario_final {
	char *function;
	char *owner, *driver, *tainted; /* "none": no driver; tainted: a client, "host", "nobody" */
	uint32_t *container;
	bool *blocked, *frozen, *revoking, *quarantined, *absent;
};

struct app_scenario {
	char *title, *story;
	char *machine_file; /* as the file says; NULL: machine */
	struct app_machine_yaml *machine;
	char **clients;
	uint32_t clients_count;
	char **nested; /* clients whose guests have a stage 1 of their own */
	uint32_t nested_count;
	bool freeze_on_fault; /* a DMA that faults freezes its error domain (POWER's way) */
	char **absent;	      /* functions that are not there in the beginning */
	uint32_t absent_count;
	enum ward_policy policy;
	enum ward_containment newcomer, other;
	bool revoke_is_immediate;
	enum app_scenario_contain contain;
	enum app_scenario_vectors vectors;
	bool frames_by_parent; /* the kernel takes vectors from a function's own frame, or none */
	struct app_scenario_waiver *accept;
	uint32_t accept_count;
	struct app_scenario_step *steps;
	uint32_t steps_count;
	struct app_scenario_final *final;
	uint32_t final_count;
};

/* A scenario as loaded, with what is needed to tell where something stands. */
struct app_script {
	const struct app_scenario *scenario;
	struct app_yaml yaml;
	struct app_places *places;
	char *file, *bytes;
};

/*
 * Loads bytes, which are copied; file is what messages call them. 0, -EBADMSG or -ENOMEM with
 * "FILE:LINE: FIELD: ...".
 */
int app_script_parse(const char *bytes, size_t size, const char *file,
		     struct app_script *ret_script, struct ward_error *ret_error);
/* Reads a file ("-": standard input). Errors of the system, too. */
int app_script_read(const char *file, struct app_script *ret_script, struct ward_error *ret_error);
void app_script_finish(struct app_script *script);

/* The line where a step begins. */
uint32_t app_script_step_line(const struct app_script *script, uint32_t step);

/* What a step is: "claim", "hand-over", "ring". */
const char *app_step_name(const struct app_scenario_step *step);

#endif
