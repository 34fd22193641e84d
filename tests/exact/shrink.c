// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Makes a plan that differs smaller: a part goes, and stays away when there still is a difference of
 * the same kind.
 */
#include "touch.h"

#include <string.h>

static bool is_below(const struct plan *plan, uint32_t function, uint32_t above)
{
	const struct plan_function *f = &plan->functions[function];

	return function == above || f->pf == above ||
	       (f->parent != WARD_NONE && is_below(plan, f->parent, above)) ||
	       (f->pf != WARD_NONE && is_below(plan, f->pf, above));
}

void plan_drop(struct plan *plan, uint32_t function)
{
	for (uint32_t i = 0; i < plan->functions_count; i++)
		if (is_below(plan, i, function))
			plan->functions[i].present = false;
}

struct shrinking {
	struct plan *plan;
	struct difference difference;
	bool progress;
};

/* Takes the smaller plan when it still differs. */
static void offer(struct shrinking *s, const struct plan *smaller)
{
	struct difference difference = { 0 };
	bool hostile = false;

	for (uint32_t i = 0; i < smaller->functions_count; i++)
		hostile |= smaller->functions[i].present && smaller->functions[i].hostile;
	if (!hostile || memcmp(smaller, s->plan, sizeof(*smaller)) == 0)
		return;
	if (exact_check(smaller, false, &difference) || !difference.found ||
	    difference.missed != s->difference.missed ||
	    strcmp(difference.what, s->difference.what) != 0)
		return;
	*s->plan = *smaller;
	s->progress = true;
}

/* What a function can do without: each kind is taken away alone. */
static void simplify(struct plan_function *f, unsigned int what)
{
	switch (what) {
	case 0:
		f->hostile = false;
		break;
	case 1:
		f->msi = f->msi_off = false;
		break;
	case 2:
		f->ats = f->ats_enabled = false;
		break;
	case 3:
		f->pasid = false;
		f->pasid_space = WARD_NONE;
		break;
	case 4:
		f->quirk = 0;
		break;
	case 5:
		f->hide = 0;
		break;
	case 6:
		f->acs = (struct ward_acs){ .present = WARD_NO };
		break;
	case 7:
		if (f->acs.present == WARD_YES)
			f->acs = (struct ward_acs){ .present = WARD_YES,
						    .capability = 0x5f,
						    .control = 0x1d };
		break;
	case 8:
		f->bar = 0;
		break;
	default:
		f->ari_forwarding = false;
		break;
	}
}

/* PASIDs of VFs are those of their PF. */
static void simplify_all(struct plan *plan, uint32_t function, unsigned int what)
{
	for (uint32_t i = 0; i < plan->functions_count; i++)
		if (i == function || (what == 3 && plan->functions[i].pf == function))
			simplify(&plan->functions[i], what);
}

static void shrink_functions(struct shrinking *s)
{
	for (uint32_t i = 0; i < s->plan->functions_count; i++) {
		struct plan smaller = *s->plan;

		if (!s->plan->functions[i].present)
			continue;
		plan_drop(&smaller, i);
		offer(s, &smaller);
		for (unsigned int what = 0; what < 10 && s->plan->functions[i].present; what++) {
			smaller = *s->plan;
			simplify_all(&smaller, i, what);
			offer(s, &smaller);
		}
	}
}

static void shrink_spaces(struct shrinking *s)
{
	for (uint32_t i = 0; i < s->plan->spaces_count; i++) {
		struct plan smaller;

		for (uint32_t k = 0; k < PLAN_MAPPINGS; k++) {
			smaller = *s->plan;
			smaller.spaces[i].mappings[k].present = false;
			offer(s, &smaller);
		}
		/* Everybody in it is in another one, together as before. */
		smaller = *s->plan;
		for (uint32_t f = 0; f < smaller.functions_count; f++)
			if (smaller.functions[f].space == i)
				smaller.functions[f].space = WARD_NONE;
		offer(s, &smaller);
	}
	for (uint32_t i = 0; i < s->plan->iommus_count; i++) {
		struct plan smaller = *s->plan;

		smaller.iommus[i].controller = WARD_NONE;
		offer(s, &smaller);
	}
}

void plan_shrink(struct plan *plan)
{
	struct shrinking s = { .plan = plan };

	if (exact_check(plan, false, &s.difference) || !s.difference.found)
		return;
	do {
		s.progress = false;
		shrink_functions(&s);
		shrink_spaces(&s);
	} while (s.progress);
}
