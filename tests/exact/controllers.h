/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The MSI controllers of a build, as hardware in software, set up as a host sets them up: each function
 * has vectors wherever the kernel may give it one. What a message of anybody makes pending is
 * somebody's.
 */
#ifndef TESTS_EXACT_CONTROLLERS_H
#define TESTS_EXACT_CONTROLLERS_H

#include <doorward/backend/model.h>

#include "touch.h"

struct ward_emul;
struct ward_memory;
struct controllers;

/* Puts them into the software machine. Tables lie in memory, away from everything else. */
int controllers_create(struct build *build, struct ward_memory *memory, struct ward_emul *emul,
		       struct controllers **ret_controllers);
/*
 * Those of the model backend: all vectors of the open devices (by plan index, NULL: not open) are
 * enabled. It takes vectors as Linux does, each from one place; so what is touched there is part of
 * what can be.
 */
int controllers_create_backed(struct build *build, struct ward_backend *backend,
			      struct ward_device *const *devices,
			      struct controllers **ret_controllers);
/* After the software machine went. */
void controllers_destroy(struct controllers *controllers);

/* A message worth trying at a controller. */
struct message {
	uint64_t address; /* x86; else from the beginning of the doorbell */
	uint32_t data, size;
};
uint32_t controllers_messages(const struct controllers *controllers, uint32_t controller,
			      const struct message **ret_messages);

/* Whose interrupt that is; -EIO: the controller says it is pending, and it is not. */
int controllers_note(const struct controllers *controllers, uint32_t controller,
		     const struct ward_interrupt *interrupt, struct touch *touch);

/* Who may have messages, and which controllers one of its vectors may come from. */
bool plan_uses_messages(const struct plan_function *f);
bool plan_one_choice(const struct plan *plan, uint32_t a, uint32_t b);

#endif
