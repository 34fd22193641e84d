/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What the files of app/stage.h share. */
#ifndef APP_STAGE_PARTS_H
#define APP_STAGE_PARTS_H

#include "app/stage.h"

struct app_stage {
	const struct app_script *script;
	const struct ward_machine *machine;
	struct ward_ownership *ownership;
	struct app_model *model;
	uint32_t step; /* that is played */
	struct app_result beginning;
	struct app_span *spans;
	uint32_t spans_count;
};

/* A path in the file of the step that is played, for errors. */
struct app_field {
	char path[128];
};

__attribute__((format(printf, 2, 3))) struct app_field
app_stage_field(const struct app_stage *stage, const char *format, ...);

/* Finds what words name. 0 or -EBADMSG with the place of the word. */
int app_stage_function(const struct app_stage *stage, const char *path, const char *word,
		       uint32_t *ret_function, struct ward_error *ret_error);
int app_stage_client(const struct app_stage *stage, const char *path, const char *word,
		     uint32_t *ret_client, struct ward_error *ret_error);
int app_stage_controller(const struct app_stage *stage, const char *path, const char *word,
			 uint32_t *ret_controller, struct ward_error *ret_error);

const struct ward_function_state *app_stage_state(const struct app_stage *stage, uint32_t function);

/* Events, hand-overs and containments: stage_event.c. */
int app_stage_event(struct app_stage *stage, const struct app_scenario_event *what,
		    enum ward_event_kind kind, struct app_result *result, struct ward_error *error);
int app_stage_hand_over(struct app_stage *stage, const struct app_scenario_hand_over *what,
			struct app_result *result, struct ward_error *error);
/* One containment, or until it is settled. */
int app_stage_contain(struct app_stage *stage, bool all, struct app_result *result,
		      struct ward_error *error);
/* Facts that the machine made: vectors that landed somewhere, error domains that froze. */
int app_stage_facts(struct app_stage *stage, struct app_result *result, struct ward_error *error);
/* waivers are allocated, count of them, and borrow their words. 0 or -EBADMSG. */
int app_stage_waivers(const struct app_stage *stage, const char *path,
		      const struct app_scenario_waiver *accept, uint32_t count,
		      struct ward_waiver **ret_waivers, struct ward_error *ret_error);

/* Vectors and DMA: stage_ring.c, stage_dma.c, stage_hostile.c. */
int app_stage_enable(struct app_stage *stage, const struct app_scenario_enable *what,
		     struct ward_error *error);
int app_stage_ring(struct app_stage *stage, const struct app_scenario_ring *what,
		   struct app_result *result, struct ward_error *error);
int app_stage_dma(struct app_stage *stage, const struct app_scenario_dma *what, bool write,
		  struct app_result *result, struct ward_error *error);
int app_stage_hostile(struct app_stage *stage, const char *what, struct app_result *result,
		      struct ward_error *error);

/* All guests and drivers take what has arrived; free() the list of who did, NULL: nobody. */
int app_stage_arrivals(struct app_stage *stage, char **ret_who,
		       struct app_guest_arrival *ret_arrival);
/* Whose what a DMA reached is: "red", "host", "nobody"; NULL: it reached nothing. */
const char *app_stage_whose(const struct app_stage *stage, const struct ward_dma_result *dma);
/* The address by which a function gets at a physical one: through its space, or as it is. */
uint64_t app_stage_address(const struct app_stage *stage, uint32_t function, uint64_t physical);
/* Memory that the host or a client has: its first page. */
uint64_t app_stage_host_memory(const struct app_stage *stage);

/* Expectations: stage_expect.c. */
void app_stage_expect(const struct app_stage *stage, struct app_result *result);
__attribute__((format(printf, 4, 5))) void app_result_fail(const struct app_stage *stage,
							   struct app_result *result,
							   const char *path, const char *format,
							   ...);

#endif
