// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What all sides of a judgement use: whose is it, and how a finding is put together. */
#include "isolate/judge.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

/* Names of a function in a sentence. */
#define NAMES_SHOWN 4

bool ward_is_claimed(const struct ward_judgement *j, uint32_t function)
{
	uint32_t low = 0, high = j->claimed_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (j->claimed[middle] == function)
			return true;
		if (j->claimed[middle] < function)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

enum ward_whose ward_whose(const struct ward_judgement *j, uint32_t function)
{
	const struct ward_owner *owner = &j->state->functions[function].owner;

	if (ward_is_claimed(j, function))
		return WARD_WHOSE_OWN;
	if (j->state->functions[function].absent)
		return WARD_WHOSE_NOBODY;
	switch (owner->kind) {
	case WARD_OWNER_CLIENT:
		return owner->client == j->question->client ? WARD_WHOSE_OWN : WARD_WHOSE_OTHER;
	case WARD_OWNER_HOST:
		return WARD_WHOSE_HOST;
	case WARD_OWNER_NOBODY:
		if (ward_is_in_use(j->state, function))
			return WARD_WHOSE_OTHER;
		break;
	}
	/* The machine's own works serve the host whether a driver is bound to them or not. */
	return j->machine->functions[function].kind == WARD_FUNCTION_PCI &&
			       !ward_is_assignable(j->machine, function)
		       ? WARD_WHOSE_HOST
		       : WARD_WHOSE_NOBODY;
}

const char *ward_holder_text(struct ward_judgement *j, uint32_t function)
{
	const struct ward_function_state *s = &j->state->functions[function];

	if (s->owner.kind == WARD_OWNER_CLIENT)
		return j->state->clients[s->owner.client];
	if (ward_is_in_use(j->state, function))
		return ward_judge_text(j, "unknown, through %s", s->driver);
	if (s->driver)
		return s->driver;
	return s->owner.kind == WARD_OWNER_HOST ? "host" : "no driver";
}

const char *ward_judge_text(struct ward_judgement *j, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = ward_arena_vprintf(j->arena, format, args);
	va_end(args);
	if (!text)
		j->failed = true;
	return text ? text : "";
}

static uint32_t hash_alike(const struct ward_alike *alike)
{
	uint32_t hash = alike->subject * 4 + (uint32_t)alike->weight;

	/* FNV-1a, with what is told of the finding as its beginning. */
	for (const char *c = alike->code; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 0x01000193u;
	return hash;
}

static struct ward_alike *find_alike(const struct ward_judgement *j, const struct ward_alike *like)
{
	uint32_t slot = hash_alike(like) & (j->alike_size - 1);

	while (j->alike[slot].code &&
	       (j->alike[slot].subject != like->subject || j->alike[slot].weight != like->weight ||
		strcmp(j->alike[slot].code, like->code) != 0))
		slot = (slot + 1) & (j->alike_size - 1);
	return &j->alike[slot];
}

/* Keeps the table at most half full. */
static bool grow_alike(struct ward_judgement *j)
{
	struct ward_alike *old = j->alike;
	uint32_t old_size = j->alike_size, size = old_size ? old_size * 2 : 64;

	if ((j->alike_count + 1) * 2 <= old_size)
		return true;
	j->alike = ward_alloc_array(size, sizeof(*j->alike));
	if (!j->alike) {
		j->alike = old;
		j->failed = true;
		return false;
	}
	j->alike_size = size;
	for (uint32_t i = 0; i < old_size; i++) {
		if (old[i].code)
			*find_alike(j, &old[i]) = old[i];
	}
	free(old);
	return true;
}

/* Counts one more of its kind; false when there are enough. */
static bool count_alike(struct ward_judgement *j, const char *code, enum ward_weight weight,
			uint32_t subject, uint32_t enough)
{
	const struct ward_alike like = { .code = code, .subject = subject, .weight = weight };
	struct ward_alike *alike;

	if (!grow_alike(j))
		return false;
	alike = find_alike(j, &like);
	if (!alike->code) {
		*alike = like;
		j->alike_count++;
	}
	if (alike->count == enough)
		return false;
	alike->count++;
	return true;
}

struct ward_finding *ward_finding_add(struct ward_judgement *j, const char *code,
				      enum ward_weight weight, uint32_t subject, uint32_t blocker,
				      const char *format, ...)
{
	void *findings = j->findings;
	struct ward_finding *finding;
	va_list args;

	/* By subject and weight: what is left out changes neither answer nor waivers. */
	if (!count_alike(j, code, weight, subject, WARD_SAME_CODE_MAX))
		return NULL;
	if (ward_array_reserve(&findings, &j->findings_capacity, j->findings_count + 1u,
			       sizeof(*finding))) {
		j->failed = true;
		return NULL;
	}
	j->findings = findings;
	finding = &j->findings[j->findings_count++];
	*finding = (struct ward_finding){
		.code = code,
		.weight = weight,
		.subject = subject,
		.blocker = blocker,
	};
	va_start(args, format);
	finding->text = ward_arena_vprintf(j->arena, format, args);
	va_end(args);
	if (!finding->text) {
		finding->text = "";
		j->failed = true;
	}
	return finding;
}

void ward_finding_path(struct ward_judgement *j, struct ward_finding *finding,
		       enum ward_node_kind kind, uint32_t index)
{
	ward_finding_path_of(j, finding, j->reach, kind, index);
}

void ward_finding_path_of(struct ward_judgement *j, struct ward_finding *finding,
			  const struct ward_reach *reach, enum ward_node_kind kind, uint32_t index)
{
	struct ward_step *steps, *kept;
	int count;

	if (!finding)
		return;
	count = ward_reach_path(reach, kind, index, &steps);
	if (count < 0) {
		j->failed = true;
		return;
	}
	kept = ward_arena_memdup(j->arena, steps, (size_t)count * sizeof(*steps));
	for (int i = 0; i < count && kept; i++)
		kept[i].through = ward_judge_text(j, "%s", steps[i].through);
	free(steps);
	if (!kept) {
		j->failed = true;
		return;
	}
	finding->path = kept;
	finding->path_count = (uint32_t)count;
}

void ward_finding_append_edge(struct ward_judgement *j, struct ward_finding *finding,
			      const struct ward_edge *edge)
{
	const struct ward_graph *g = &j->isolation->graph;
	struct ward_step *steps, *step;
	char text[WARD_WHY_TEXT];

	if (!finding || !finding->path)
		return;
	steps = ward_arena_alloc(j->arena, (finding->path_count + 1u) * sizeof(*steps));
	if (!steps) {
		j->failed = true;
		return;
	}
	memcpy(steps, finding->path, finding->path_count * sizeof(*steps));
	step = &steps[finding->path_count];
	ward_why_text(g, edge, text, sizeof(text));
	step->kind = ward_graph_kind(g, edge->to, &step->index);
	step->through = ward_judge_text(j, "%s", text);
	step->assumed = edge->certainty == WARD_ASSUMED;
	step->unknown = edge->certainty == WARD_UNSURE;
	finding->path = steps;
	finding->path_count++;
}

void ward_finding_path_edge(struct ward_judgement *j, struct ward_finding *finding,
			    uint32_t function, const struct ward_edge *edge)
{
	ward_finding_path(j, finding, WARD_NODE_FUNCTION, function);
	ward_finding_append_edge(j, finding, edge);
}

void ward_finding_remedy(struct ward_judgement *j, struct ward_finding *finding,
			 enum ward_remedy_kind kind, uint32_t subject, const char *text,
			 const char *command)
{
	struct ward_remedy *remedies;

	if (!finding)
		return;
	remedies = ward_arena_alloc(j->arena, (finding->remedies_count + 1) * sizeof(*remedies));
	if (!remedies) {
		j->failed = true;
		return;
	}
	if (finding->remedies_count)
		memcpy(remedies, finding->remedies, finding->remedies_count * sizeof(*remedies));
	remedies[finding->remedies_count++] = (struct ward_remedy){
		.kind = kind, .subject = subject, .text = text, .command = command
	};
	finding->remedies = remedies;
}

void ward_judge_assume(struct ward_judgement *j, const char *sentence)
{
	void *assumptions = j->assumptions;

	/* Sentences are a kind each, of no function. */
	if (!count_alike(j, sentence, WARD_NOTE, WARD_NONE, 1))
		return;
	if (ward_array_reserve(&assumptions, &j->assumptions_capacity, j->assumptions_count + 1u,
			       sizeof(*j->assumptions))) {
		j->failed = true;
		return;
	}
	j->assumptions = assumptions;
	j->assumptions[j->assumptions_count++] = sentence;
}

void ward_assume_idle(struct ward_judgement *j, uint32_t function)
{
	const struct ward_function_state *s = &j->state->functions[function];

	if (s->driver && s->driver_yields)
		ward_judge_assume(j,
				  ward_judge_text(j, "Nobody uses %s, which is bound to %s.",
						  j->machine->functions[function].name, s->driver));
}

/* From harmless to worst. */
static const unsigned char grade_rank[] = {
	[WARD_GRADE_NONE] = 0,
	[WARD_GRADE_ISOLATED] = 1,
	[WARD_GRADE_EXCLUSIVE] = 2,
	[WARD_GRADE_SHARED_WITH_OWN] = 3,
	[WARD_GRADE_UNKNOWN] = 4,
	[WARD_GRADE_SHARED_WITH_HOST] = 5,
	[WARD_GRADE_SHARED_WITH_OTHER] = 6,
};

void ward_judge_grade(struct ward_judgement *j, enum ward_grade grade)
{
	if (grade_rank[grade] > grade_rank[j->grade])
		j->grade = grade;
}

enum ward_weight ward_reach_weight(const struct ward_judgement *j)
{
	return j->question->policy == WARD_POLICY_STRICT ? WARD_BLOCKS : WARD_HAZARD;
}

enum ward_weight ward_open_weight(const struct ward_judgement *j)
{
	return j->question->policy == WARD_POLICY_STRICT ? WARD_OPEN : WARD_HAZARD;
}

/* " (eth0, nvme0n1)": what people call it, so that nobody unbinds the disk he boots from. */
static const char *known_as(struct ward_judgement *j, const struct ward_function *f)
{
	const char *text = "";
	uint32_t shown = f->names_count < NAMES_SHOWN ? f->names_count : NAMES_SHOWN;

	for (uint32_t i = 0; i < shown; i++)
		text = ward_judge_text(j, "%s%s%s", text, i ? ", " : " (", f->names[i]);
	if (shown)
		text = ward_judge_text(j, "%s%s)", text, shown < f->names_count ? ", ..." : "");
	return text;
}

void ward_remedy_unbind(struct ward_judgement *j, struct ward_finding *finding, uint32_t function)
{
	const struct ward_function *f = &j->machine->functions[function];
	const char *bus = f->kind == WARD_FUNCTION_PCI ? "pci" : "platform";
	const char *driver = j->state->functions[function].driver;

	/* The device of a client cannot be unbound under it. */
	if (!finding || !driver || j->state->functions[function].owner.kind == WARD_OWNER_CLIENT ||
	    ward_is_in_use(j->state, function))
		return;
	ward_finding_remedy(j, finding, WARD_REMEDY_UNBIND, function,
			    ward_judge_text(j, "unbind %s from %s: the host loses it%s", driver,
					    f->name, known_as(j, f)),
			    ward_judge_text(j, "echo %s > /sys/bus/%s/drivers/%s/unbind", f->name,
					    bus, driver));
}

void ward_remedy_claim_too(struct ward_judgement *j, struct ward_finding *finding,
			   uint32_t function)
{
	const struct ward_function *f = &j->machine->functions[function];

	if (!finding || !ward_is_assignable(j->machine, function))
		return;
	ward_finding_remedy(j, finding, WARD_REMEDY_CLAIM_TOO, function,
			    ward_judge_text(j, "give %s to the same client", f->name), NULL);
}

void ward_remedy_waive(struct ward_judgement *j, struct ward_finding *finding)
{
	if (!finding)
		return;
	ward_finding_remedy(j, finding, WARD_REMEDY_WAIVE, finding->subject,
			    "accept the risk; the waiver shows in every verdict",
			    ward_judge_text(j, "doorward check %s --accept %s@%s",
					    j->machine->functions[finding->subject].name,
					    finding->code,
					    j->machine->functions[finding->subject].name));
}
