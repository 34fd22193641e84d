/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A judgement under way. Each judge_*.c looks at one side of a hand-over and adds findings;
 * verdict.c puts them together.
 */
#ifndef ISOLATE_JUDGE_H
#define ISOLATE_JUDGE_H

#include <doorward/verdict.h>

#include "base/arena.h"
#include "isolate/isolation.h"
#include "isolate/reach.h"

/* Findings of one code, subject and weight beyond this many are left out. */
#define WARD_SAME_CODE_MAX 16

/* Whose a function is, seen from the client that is to get the functions judged. */
enum ward_whose {
	WARD_WHOSE_OWN,
	WARD_WHOSE_NOBODY,
	WARD_WHOSE_HOST,
	WARD_WHOSE_OTHER,
};

/* Findings of one code, weight and subject, or sentences of one text. */
struct ward_alike {
	const char *code; /* NULL in a free slot */
	uint32_t subject;
	enum ward_weight weight;
	uint32_t count;
};

struct ward_judgement {
	const struct ward_isolation *isolation;
	const struct ward_machine *machine;
	const struct ward_state *state;
	const struct ward_question *question;
	uint32_t *claimed; /* sorted, each once */
	uint32_t claimed_count;
	struct ward_reach *reach;

	struct ward_arena *arena;
	struct ward_finding *findings;
	uint32_t findings_count;
	size_t findings_capacity;
	struct ward_alike *alike; /* a hash table: kinds, and how many there are of each */
	uint32_t alike_count, alike_size;
	const char **assumptions;
	uint32_t assumptions_count;
	size_t assumptions_capacity;
	enum ward_grade grade;
	bool failed; /* out of memory */
};

bool ward_is_claimed(const struct ward_judgement *j, uint32_t function);
enum ward_whose ward_whose(const struct ward_judgement *j, uint32_t function);
/* "nvme" or "no driver"; "client a" when a client has it. */
const char *ward_holder_text(struct ward_judgement *j, uint32_t function);

/* Adds a finding; NULL when memory is out (remembered in failed) or there are enough of its code. */
__attribute__((format(printf, 6, 7))) struct ward_finding *
ward_finding_add(struct ward_judgement *j, const char *code, enum ward_weight weight,
		 uint32_t subject, uint32_t blocker, const char *format, ...);
/* The same finding gets a witness; nothing happens for NULL. */
void ward_finding_path(struct ward_judgement *j, struct ward_finding *finding,
		       enum ward_node_kind kind, uint32_t index);
/* ... from another reach than that of the functions judged. */
void ward_finding_path_of(struct ward_judgement *j, struct ward_finding *finding,
			  const struct ward_reach *reach, enum ward_node_kind kind, uint32_t index);
/* ... the path to a function and one edge more. */
void ward_finding_path_edge(struct ward_judgement *j, struct ward_finding *finding,
			    uint32_t function, const struct ward_edge *edge);
/* ... one edge more, to what it has. */
void ward_finding_append_edge(struct ward_judgement *j, struct ward_finding *finding,
			      const struct ward_edge *edge);
/* ... a way to mend it; command may be NULL. */
void ward_finding_remedy(struct ward_judgement *j, struct ward_finding *finding,
			 enum ward_remedy_kind kind, uint32_t subject, const char *text,
			 const char *command);
/* printf into the verdict's memory; "" when memory is out. */
__attribute__((format(printf, 2, 3))) const char *ward_judge_text(struct ward_judgement *j,
								  const char *format, ...);
/* A sentence that the answer rests on; each only once. */
void ward_judge_assume(struct ward_judgement *j, const char *sentence);
/* Bound to vfio-pci without an owner that is known: nobody is taken to have it open. */
void ward_assume_idle(struct ward_judgement *j, uint32_t function);
/* The worse of two grades is kept. */
void ward_judge_grade(struct ward_judgement *j, enum ward_grade grade);

/* What policy makes of something that reach forbids and Linux does not look at. */
enum ward_weight ward_reach_weight(const struct ward_judgement *j);

/* The same when a fact that decides it could not be read: it weighs no more than if it were so. */
enum ward_weight ward_open_weight(const struct ward_judgement *j);

/* Where a code stands among findings of one weight. */
unsigned int ward_finding_rank(const char *code);

/* Common remedies. */
void ward_remedy_unbind(struct ward_judgement *j, struct ward_finding *finding, uint32_t function);
void ward_remedy_claim_too(struct ward_judgement *j, struct ward_finding *finding,
			   uint32_t function);
void ward_remedy_waive(struct ward_judgement *j, struct ward_finding *finding);
/* Cut the path at the first place that should have redirected. */
void ward_remedy_path(struct ward_judgement *j, struct ward_finding *finding,
		      const struct ward_visit *visit);
/* Config space of via was not read as far as it matters: how to read it. */
void ward_finding_unread(struct ward_judgement *j, struct ward_finding *finding, uint32_t via);

/* The sides of a hand-over. */
void ward_judge_function(struct ward_judgement *j, uint32_t function);
void ward_judge_groups(struct ward_judgement *j);
void ward_judge_reach(struct ward_judgement *j);
void ward_judge_others(struct ward_judgement *j);

/* Parts of ward_judge_reach: one thing reached each. */
void ward_judge_peer(struct ward_judgement *j, const struct ward_visit *visit, uint32_t peer);
void ward_judge_memory(struct ward_judgement *j);
void ward_judge_vectors(struct ward_judgement *j, const struct ward_visit *visit, uint32_t user);
void ward_judge_iommu_vectors(struct ward_judgement *j, const struct ward_visit *visit,
			      uint32_t iommu);
void ward_judge_host_vectors(struct ward_judgement *j, const struct ward_visit *visit);
/* The grade that the controllers give by themselves, and what Linux asks of them. */
void ward_judge_controllers(struct ward_judgement *j);

static inline bool ward_is_foreign(enum ward_whose whose)
{
	return whose == WARD_WHOSE_HOST || whose == WARD_WHOSE_OTHER;
}

/*
 * vfio-pci or the like has vectors of it: somebody has it open, and the state does not say who. Its
 * driver cannot be unbound either: that waits until it is closed.
 */
static inline bool ward_is_in_use(const struct ward_state *state, uint32_t function)
{
	const struct ward_function_state *s = &state->functions[function];

	return s->owner.kind == WARD_OWNER_NOBODY && s->driver && s->driver_yields &&
	       (s->irq_mode == WARD_IRQ_MSI || s->irq_mode == WARD_IRQ_MSIX);
}

const struct ward_edge *ward_last_edge(const struct ward_judgement *j,
				       const struct ward_visit *visit);
/* The function among those judged that the path begins at. */
uint32_t ward_start_of(const struct ward_judgement *j, const struct ward_visit *visit);
/* "the host, driver nvme", "client a". */
const char *ward_whose_text(struct ward_judgement *j, uint32_t function, enum ward_whose whose);

/* What a remark of the reader's does to every answer. */
enum ward_weight ward_remark_weight(const struct ward_machine *machine, uint32_t remark);
/* Whether Linux takes the interrupts of a function for isolated. */
enum ward_tri ward_linux_isolates(const struct ward_machine *machine, uint32_t function);
/* Whoever is at a node is, for sure, in a space that is all memory. */
bool ward_in_identity(const struct ward_graph *g, uint32_t node);
/* A StreamID that another one uses keeps it out of every group, for sure or perhaps: or WARD_NOTE. */
enum ward_weight ward_stream_weight(const struct ward_isolation *isolation,
				    const struct ward_state *state, uint32_t function);
/* A PF that vfio-pci does not take because of its VFs. */
bool ward_is_refused_for_vfs(const struct ward_isolation *isolation, const struct ward_state *state,
			     uint32_t function);
/* It has vectors at a controller that is not its own and takes any write. */
bool ward_is_landed(const struct ward_graph *graph, uint32_t function);
/* Functions that are part of the machine's own works. */
bool ward_is_assignable(const struct ward_machine *machine, uint32_t function);
/* The region that firmware uses and that this function or one of its group must keep, or NULL. */
const struct ward_region *ward_direct_region(const struct ward_isolation *isolation,
					     uint32_t function, enum ward_region_kind kind);
/* A function whose interrupts come by message now, or may as soon as its driver wants. */
bool ward_uses_messages(const struct ward_machine *machine, const struct ward_state *state,
			uint32_t function);

#endif
