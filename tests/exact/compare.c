// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What is touched against what is claimed, both ways. */
#include "touch.h"

#include <doorward/isolation.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "isolate/isolation.h"

static void compare(uint64_t touched, uint64_t claimed, const char *what,
		    struct difference *difference)
{
	if (difference->found || touched == claimed)
		return;
	difference->found = true;
	difference->what = what;
	difference->missed = (touched & ~claimed) != 0;
	difference->bits = difference->missed ? touched & ~claimed : claimed & ~touched;
}

/*
 * With all memory everything is claimed. What is claimed by name as well must be touched all the
 * same; what is touched besides is covered. A subset: what is touched must be claimed, no more.
 */
static uint64_t allow(uint64_t touched, uint64_t claimed, bool everything, bool subset)
{
	if (subset && everything)
		return touched;
	if (subset)
		return claimed & touched;
	return everything ? claimed | touched : claimed;
}

void touch_compare(const struct touch *touched, const struct touch *claimed, enum subset subset,
		   struct difference *d)
{
	bool all = claimed->everything, part = subset == SUBSET_ALL;

	compare(touched->read, allow(touched->read, claimed->read, all, part), "memory read", d);
	compare(touched->write, allow(touched->write, claimed->write, all, part), "memory written",
		d);
	compare(touched->functions, allow(touched->functions, claimed->functions, all, part),
		"functions controlled", d);
	/* Where it is not known to whom a doorbell belongs, it may be any. */
	all |= part && claimed->host;
	part |= subset == SUBSET_INTERRUPTS;
	compare(touched->controllers, allow(touched->controllers, claimed->controllers, all, part),
		"doorbells rung", d);
	/* All interrupts are the host's, whoever it gave them to. */
	all |= claimed->host;
	/* Who is controlled has its own interrupts. */
	compare(touched->users & ~claimed->functions,
		allow(touched->users & ~claimed->functions, claimed->users & ~touched->functions,
		      all, part),
		"interrupts of functions raised", d);
	compare(touched->iommus, allow(touched->iommus, claimed->iommus, all, part),
		"interrupts of IOMMUs raised", d);
	compare(touched->host, allow(touched->host, claimed->host, all, part),
		"any interrupt of the host", d);
}

static void print_touch(const char *name, const struct touch *t)
{
	printf("#   %-18s functions %06x read %06llx write %06llx doorbells %02x users %06x "
	       "iommus %x%s%s\n",
	       name, (unsigned int)t->functions, (unsigned long long)t->read,
	       (unsigned long long)t->write, (unsigned int)t->controllers, (unsigned int)t->users,
	       (unsigned int)t->iommus, t->host ? " host" : "", t->everything ? " everything" : "");
}

static void print_path(const struct claims *claims, const struct build *build,
		       enum ward_node_kind kind, uint32_t index)
{
	struct ward_step *steps;
	int count = ward_reach_path(claims->reach, kind, index, &steps);

	(void)build;
	if (count < 0)
		return;
	printf("#   the path to %u/%u:\n", (unsigned int)kind, (unsigned int)index);
	for (int i = 0; i < count; i++)
		printf("#     %u/%u %s%s%s\n", (unsigned int)steps[i].kind,
		       (unsigned int)steps[i].index, steps[i].through,
		       steps[i].assumed ? " (assumed)" : "", steps[i].unknown ? " (unknown)" : "");
	free(steps);
}

static void explain(const struct build *build, const struct claims *claims,
		    const struct touch touched[2], const struct difference *d)
{
	printf("# seed %#llx, %s hardware: %s: %s, bits %#llx\n",
	       (unsigned long long)build->plan->seed,
	       d->temper == TEMPER_GOOD ? "well-behaved" : "worst", d->what,
	       d->missed ? "touched, and not claimed" : "claimed, and not touched",
	       (unsigned long long)d->bits);
	plan_print(build->plan);
	print_touch("touched, good", &touched[TEMPER_GOOD]);
	print_touch("claimed, certain", &claims->claim[CLAIM_CERTAIN]);
	print_touch("touched, worst", &touched[TEMPER_WORST]);
	print_touch("claimed, assumed", &claims->claim[CLAIM_ASSUMED]);
	print_touch("claimed, unknown", &claims->claim[CLAIM_UNKNOWN]);
	for (uint32_t i = 0; i < build->plan->functions_count; i++) {
		uint32_t index = build->index[i];

		if (index == WARD_NONE)
			continue;
		if (claims->claim[CLAIM_UNKNOWN].functions >> i & 1)
			print_path(claims, build, WARD_NODE_FUNCTION, index);
		if (claims->claim[CLAIM_UNKNOWN].users >> i & 1)
			print_path(claims, build, WARD_NODE_VECTOR_USER, index);
	}
	print_path(claims, build, WARD_NODE_MEMORY, 0);
	for (uint32_t i = 0; i < claims->isolation->graph.pools_count; i++)
		print_path(claims, build, WARD_NODE_DOORBELL, i);
}

static int run(struct hostile *hostile, const struct build *build, const struct claims *claims,
	       bool tell, struct difference *ret_difference)
{
	enum subset subset = build->hidden	   ? SUBSET_ALL
			     : build->plan->tables ? SUBSET_INTERRUPTS
						   : SUBSET_NOTHING;
	struct touch touched[2];
	int err = hostile_run(hostile, TEMPER_GOOD, &touched[TEMPER_GOOD]);

	if (!err)
		err = hostile_run(hostile, TEMPER_WORST, &touched[TEMPER_WORST]);
	if (err)
		return err;
	*ret_difference = (struct difference){ .temper = TEMPER_GOOD };
	if (!build->hidden)
		touch_compare(&touched[TEMPER_GOOD], &claims->claim[CLAIM_CERTAIN], subset,
			      ret_difference);
	if (!ret_difference->found) {
		ret_difference->temper = TEMPER_WORST;
		touch_compare(&touched[TEMPER_WORST],
			      &claims->claim[build->hidden ? CLAIM_UNKNOWN : CLAIM_ASSUMED], subset,
			      ret_difference);
	}
	/* Everything is known: nothing may be said to be unknown. */
	if (!ret_difference->found && !build->hidden)
		touch_compare(&touched[TEMPER_WORST], &claims->claim[CLAIM_UNKNOWN], subset,
			      ret_difference);
	if (ret_difference->found && tell)
		explain(build, claims, touched, ret_difference);
	return 0;
}

int exact_check(const struct plan *plan, bool tell, struct difference *ret_difference)
{
	struct hostile *hostile = NULL;
	struct claims claims = { 0 };
	struct build build;
	int err = build_make(&build, plan);

	if (!err)
		err = hostile_create(&build, &hostile);
	if (!err)
		err = claims_make(&build, &claims);
	if (!err)
		err = run(hostile, &build, &claims, tell, ret_difference);
	claims_free(&claims);
	if (hostile)
		hostile_destroy(hostile);
	build_free(&build);
	return err;
}
