/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#ifndef MACHINE_STATE_H
#define MACHINE_STATE_H

#include <doorward/state.h>

/*
 * Moves a space into a state, which destroys it when it goes itself; copies of the state borrow it.
 * Returns 0, or -ENOMEM: the space is the caller's still.
 */
int ward_state_keep(struct ward_state *state, struct ward_space *space);

/* A function has no vectors any more: its driver let go of them, it was reset, or it is gone. */
void ward_state_drop_vectors(struct ward_state *state, uint32_t function);

/* Stands aside for a client, by its name. */
bool ward_driver_yields(const char *driver);

#endif
