// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A state is made real: what it says is carried out, as far as nobody has it yet. */
#include "executor.h"

#include <errno.h>

static int adopt_owner(struct ward_model_executor *executor, const struct ward_ownership *ownership,
		       uint32_t function, struct ward_error *error)
{
	const struct ward_state *state = ward_ownership_state(ownership);
	const struct ward_function_state *f = &state->functions[function];
	const struct ward_plan_step step = {
		.function = function,
		.client = f->owner.kind == WARD_OWNER_CLIENT ? f->owner.client : WARD_NONE,
		.container = WARD_NONE,
		.driver = f->driver,
	};

	if (executor->hands[function].owner.kind != WARD_OWNER_NOBODY)
		return 0;
	if (f->owner.kind == WARD_OWNER_CLIENT)
		return ward_model_execute(executor, &step, WARD_ACTION_GIVE, error);
	return f->driver ? ward_model_execute(executor, &step, WARD_ACTION_BIND, error) : 0;
}

static int adopt_container(struct ward_model_executor *executor,
			   const struct ward_ownership *ownership, uint32_t function,
			   struct ward_error *error)
{
	const struct ward_state *state = ward_ownership_state(ownership);
	struct ward_plan_step step = {
		.function = function,
		.client = state->functions[function].owner.client,
		.container = ward_ownership_container(ownership, function),
	};

	if (step.container == WARD_NONE || executor->hands[function].container != WARD_NONE)
		return 0;
	for (uint32_t i = 0; i < state->attachments_count; i++)
		if (state->attachments[i].function == function &&
		    state->attachments[i].pasid == WARD_PASID_NONE)
			step.space = state->attachments[i].space;
	return ward_model_execute(executor, &step, WARD_ACTION_ATTACH, error);
}

int ward_model_executor_adopt(struct ward_model_executor *executor,
			      const struct ward_ownership *ownership, struct ward_error *ret_error)
{
	const struct ward_state *state = ward_ownership_state(ownership);
	uint32_t count = executor->machine->functions_count;
	int code = state->machine == executor->machine ? 0 : -EINVAL;

	for (uint32_t i = 0; i < count && !code; i++)
		executor->names->functions[i].msi_off = state->functions[i].msi_off;
	for (uint32_t i = 0; i < count && !code; i++)
		code = ward_model_present(executor->backend, i, !state->functions[i].absent);
	for (uint32_t i = 0; i < count && !code; i++)
		code = adopt_owner(executor, ownership, i, ret_error);
	/* All that share a space are open before the first of them is put there. */
	for (uint32_t i = 0; i < count && !code; i++)
		code = adopt_container(executor, ownership, i, ret_error);
	for (uint32_t i = 0; i < count && !code; i++)
		if (state->functions[i].frozen)
			code = ward_model_freeze(executor->backend, i);
	return code;
}
