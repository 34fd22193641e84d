/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Spaces for tests of what is reached through them: made in a line, entered in a line. */
#ifndef TESTS_ISOLATE_SPACES_H
#define TESTS_ISOLATE_SPACES_H

#include <doorward/stage1.h>

#include "isolate/reach_how.h"

static inline struct ward_space *space_on(enum ward_space_kind kind, uint64_t page,
					  struct ward_space *parent)
{
	/* What the client writes there bounds nothing, so any stage 1 will do. */
	static const struct ward_stage1 any = { .kind = WARD_STAGE1_BYPASS };
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = kind,
					      .page_sizes = page,
					      .parent = parent,
					      .stage1 = parent ? &any : NULL };
	struct ward_space *space = NULL;

	assert_int_equal(ward_space_create(&options, &space), 0);
	return space;
}

static inline struct ward_space *space_of(enum ward_space_kind kind)
{
	return space_on(kind, 4096, NULL);
}

static inline void mapped(struct ward_space *space, uint64_t iova, uint64_t target, uint64_t size,
			  uint32_t access)
{
	const struct ward_mapping mapping = { .start = ward_iova(iova),
					      .last = ward_iova(iova + size - 1),
					      .target = ward_target(target),
					      .access = access,
					      .type = WARD_NORMAL };

	assert_int_equal(ward_space_map(space, &mapping), 0);
}

/* Once the machine is made: puts a function into a space and works everything out again. */
static inline void put_pasid(struct make *m, const char *name, ward_pasid_t pasid,
			     struct ward_space *space)
{
	assert_int_equal(ward_state_attach(m->state, at(m, name), pasid, space), 0);
	ward_isolation_destroy(m->isolation);
	m->isolation = NULL;
	assert_int_equal(ward_isolation_create(m->machine, m->state, &m->isolation), 0);
}

static inline void put(struct make *m, const char *name, struct ward_space *space)
{
	put_pasid(m, name, WARD_PASID_NONE, space);
}

/* "start-last access[?]" of all memory that a function reaches, in hexadecimal, by spaces. */
static inline const char *memory_of(struct make *m, const char *name)
{
	static char text[512];
	struct ward_reach_cursor cursor = { 0 };
	struct ward_reached_memory memory;
	struct ward_reach *reach;
	uint32_t start = at(m, name);
	size_t length = 0;

	text[0] = '\0';
	assert_int_equal(ward_reach_compute(m->isolation, &start, 1, &reach), 0);
	while (ward_reach_memory_next(reach, &cursor, &memory))
		length += (size_t)snprintf(text + length, sizeof(text) - length,
					   "%s%llx-%llx %s%s%s%s", length ? " " : "",
					   (unsigned long long)memory.range.start,
					   (unsigned long long)memory.range.last,
					   memory.access & WARD_READ ? "r" : "",
					   memory.access & WARD_WRITE ? "w" : "",
					   memory.attachment == WARD_NONE ? "!" : "",
					   memory.unknown   ? "?"
					   : memory.assumed ? "~"
							    : "");
	ward_reach_destroy(reach);
	return text;
}

#define SPACE(m, from, index) how(m, from, WARD_NODE_SPACE, index)

#endif
