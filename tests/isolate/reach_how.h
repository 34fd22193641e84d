/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* How one function reaches a thing, with its path checked on the way. */
#ifndef TESTS_ISOLATE_REACH_HOW_H
#define TESTS_ISOLATE_REACH_HOW_H

#include "isolate/make.h"

/* "no", or how sure the best path is. */
static inline const char *how(struct make *m, const char *from, enum ward_node_kind kind,
			      uint32_t index)
{
	const char *answer = "no";
	struct ward_reached reached;
	struct ward_reach *reach;
	uint32_t start = at(m, from), cursor = 0;

	assert_int_equal(ward_reach_compute(m->isolation, &start, 1, &reach), 0);
	while (ward_reach_next(reach, &cursor, &reached)) {
		struct ward_step *steps;
		bool assumed = false, unknown = false;
		int count = ward_reach_path(reach, reached.kind, reached.index, &steps);

		/* Every path begins at the function, ends at the thing, and is as sure as said. */
		assert_true(count >= 2);
		assert_int_equal(steps[0].kind, WARD_NODE_FUNCTION);
		assert_int_equal(steps[0].index, start);
		assert_int_equal(steps[count - 1].kind, reached.kind);
		assert_int_equal(steps[count - 1].index, reached.index);
		for (int i = 1; i < count; i++) {
			assert_true(steps[i].through && steps[i].through[0]);
			assert_null(strchr(steps[i].through, '%'));
			assumed |= steps[i].assumed;
			unknown |= steps[i].unknown;
		}
		assert_int_equal(reached.unknown, unknown);
		assert_int_equal(reached.assumed, assumed && !unknown);
		free(steps);
		assert_false(reached.kind == WARD_NODE_FUNCTION && reached.index == start);
		if (reached.kind == kind && reached.index == index)
			answer = reached.unknown ? "unknown" : reached.assumed ? "assumed" : "sure";
	}
	ward_reach_destroy(reach);
	return answer;
}

#define HAS(m, from, to) how(m, from, WARD_NODE_FUNCTION, at(m, to))
#define RAISES(m, from, to) how(m, from, WARD_NODE_VECTOR_USER, at(m, to))
#define MEMORY(m, from) how(m, from, WARD_NODE_MEMORY, 0)
#define HOST_VECTORS(m, from) how(m, from, WARD_NODE_HOST_VECTORS, 0)

/* Two cards behind a GICv2m. */
static inline void v2m(struct make *m, uint64_t page, unsigned int frames)
{
	make_arm_v2m(m, page, frames);
	root_port(m, "00:01.0", 1, ACS_ON);
	root_port(m, "00:02.0", 2, ACS_ON);
	endpoint(m, "01:00.0");
	endpoint(m, "02:00.0");
}

#endif
