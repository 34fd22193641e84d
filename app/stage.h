/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The stage that a scenario is played on: an ownership that decides, a machine in software on which
 * that is carried out (app/model.h), and what came of each step, held against what was expected.
 */
#ifndef APP_STAGE_H
#define APP_STAGE_H

#include "app/model.h"
#include "app/scenario.h"

/* An event that nobody asked for by a step: a vector that landed, a freeze, a containment. */
struct app_followed {
	enum ward_event_kind kind;
	bool containment;
	uint32_t *functions;
	uint32_t functions_count;
	uint32_t controller; /* of a vector; else WARD_NONE */
	struct ward_outcome outcome;
};

#define APP_HOPS_MAX 40u

/* What came of an interrupt that was raised. */
struct app_rung {
	struct ward_trace_hop hops[APP_HOPS_MAX];
	uint32_t hops_count;
	bool off; /* its vectors are not on */
	struct ward_raise raise;
	char *arrives;	      /* "red", "host", "nowhere", or several: "red, host" */
	uint32_t number, cpu; /* as what, at which CPU, where it arrived at a guest */
	uint32_t gsi;	      /* or WARD_NONE */
};

/* What came of a DMA. */
struct app_reached {
	uint64_t address;
	struct ward_dma_result dma;
	char *of; /* whose that is: "red", "host", "nobody"; NULL: it reached nothing */
};

/* Somebody whom a hostile function touched, and how first. */
struct app_touched {
	char *who;
	uint32_t times;
	char *how;
};

/* What came of a step. */
struct app_result {
	bool judged; /* outcome is there */
	struct ward_outcome outcome;
	char **plan; /* sentences of the steps that were carried out */
	uint32_t plan_count;
	enum ward_plan_end end;
	struct app_followed *followed;
	uint32_t followed_count;
	struct app_rung *rung;
	struct app_reached *reached;
	uint32_t tried; /* of a hostile function: how many DMAs */
	struct app_touched *touched;
	uint32_t touched_count;
	uint32_t exposures_first, exposures_count; /* that were opened */
	bool settled;
	/* "FILE:LINE: FIELD: expected ..., got ..." */
	char **failures;
	uint32_t failures_count;
};

struct app_stage;

/* When an exposure began and ended: numbers of steps, from 1; 0: before the first. */
struct app_span {
	uint32_t opened, contained;
};

/*
 * Sets the stage: the state is changed as the scenario says, and outlives the stage, as the rest does.
 * 0, or a negative errno with a sentence: -EBADMSG the scenario does not fit the machine.
 */
int app_stage_create(const struct app_script *script, const struct ward_machine *machine,
		     struct ward_state *state, struct app_stage **ret_stage,
		     struct ward_error *ret_error);
void app_stage_destroy(struct app_stage *stage);

/*
 * Plays a step; each once, in their order. 0, or a negative errno with a sentence, when it makes no
 * sense (-EBADMSG) or could not be done: then nothing else can be played.
 */
int app_stage_play(struct app_stage *stage, uint32_t step, struct app_result *ret_result,
		   struct ward_error *ret_error);
void app_result_finish(struct app_result *result);

/* What was there before the first step: what drivers' vectors led to. Belongs to the stage. */
const struct app_result *app_stage_beginning(const struct app_stage *stage);

/* Holds the end against "final"; the result has failures alone. 0 or -EBADMSG with a sentence. */
int app_stage_final(const struct app_stage *stage, struct app_result *ret_result,
		    struct ward_error *ret_error);

struct ward_ownership *app_stage_ownership(const struct app_stage *stage);
const struct app_span *app_stage_spans(const struct app_stage *stage);

/* "memory", "fault", ... */
const char *app_dma_end(enum ward_dma_end end);

/* "red", "host", "nobody" */
const char *app_stage_owner(const struct app_stage *stage, struct ward_owner owner);

#endif
