// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Plans on the software machine: what each action does there. */
#include "executor.h"

#include "base/error.h"
#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int ward_model_hand_open(struct ward_model_executor *executor, uint32_t function,
			 struct ward_error *error)
{
	struct ward_model_hand *hand = &executor->hands[function];
	int code;

	if (hand->stale)
		ward_model_hand_close(executor, function);
	if (hand->owner.kind != WARD_OWNER_NOBODY)
		return ward_fail(error, -EBUSY, "%s: somebody has it",
				 executor->machine->functions[function].name);
	code = ward_device_open(executor->backend, executor->machine->functions[function].name,
				&hand->device, error);
	return code;
}

void ward_model_hand_close(struct ward_model_executor *executor, uint32_t function)
{
	struct ward_model_hand *hand = &executor->hands[function];

	ward_model_driver_stop(executor, function);
	ward_device_close(hand->device);
	*hand = (struct ward_model_hand){ .container = WARD_NONE, .index = WARD_NONE };
}

static int unbind(struct ward_model_executor *executor, const struct ward_plan_step *step,
		  struct ward_error *error)
{
	(void)error;
	if (executor->hands[step->function].owner.kind == WARD_OWNER_HOST)
		ward_model_hand_close(executor, step->function);
	return 0;
}

/* One that stands aside does nothing with its function. */
static int bind(struct ward_model_executor *executor, const struct ward_plan_step *step,
		struct ward_error *error)
{
	struct ward_model_hand *hand = &executor->hands[step->function];
	int code;

	if (!step->driver)
		return ward_fail(error, -EINVAL, "no driver to bind");
	code = ward_state_bind(executor->names, step->function, step->driver);
	if (code || executor->names->functions[step->function].driver_yields)
		return code;
	code = ward_model_hand_open(executor, step->function, error);
	if (code)
		return code;
	code = ward_model_driver_start(executor, step->function);
	if (code) {
		ward_model_hand_close(executor, step->function);
		return ward_fail(error, code, "%s: its driver cannot start (error %d)",
				 executor->machine->functions[step->function].name, -code);
	}
	hand->owner = (struct ward_owner){ .kind = WARD_OWNER_HOST };
	return 0;
}

/* Whoever holds it holds something dead until it comes to somebody else. */
static int block(struct ward_model_executor *executor, const struct ward_plan_step *step,
		 struct ward_error *error)
{
	struct ward_model_hand *hand = &executor->hands[step->function];

	(void)error;
	ward_model_driver_stop(executor, step->function);
	if (hand->device)
		(void)ward_device_detach(hand->device, WARD_PASID_NONE);
	hand->container = WARD_NONE;
	hand->stale = hand->device != NULL;
	return 0;
}

static int tear_down(struct ward_model_executor *executor, const struct ward_plan_step *step,
		     struct ward_error *error)
{
	(void)error;
	ward_model_hand_silence(executor, step->function);
	return 0;
}

static int reset(struct ward_model_executor *executor, const struct ward_plan_step *step,
		 struct ward_error *error)
{
	int code = ward_model_reset_verified(executor, step->function);

	return code ? ward_fail(error, code, "%s: its reset cannot be seen to have worked",
				executor->machine->functions[step->function].name)
		    : 0;
}

static int give(struct ward_model_executor *executor, const struct ward_plan_step *step,
		struct ward_error *error)
{
	struct ward_model_hand *hand = &executor->hands[step->function];
	int code = ward_model_hand_open(executor, step->function, error);

	if (code)
		return code;
	hand->owner = (struct ward_owner){ .kind = WARD_OWNER_CLIENT, .client = step->client };
	return 0;
}

static int take(struct ward_model_executor *executor, const struct ward_plan_step *step,
		struct ward_error *error)
{
	(void)error;
	if (executor->hands[step->function].owner.kind == WARD_OWNER_CLIENT)
		ward_model_hand_close(executor, step->function);
	return 0;
}

static int attach(struct ward_model_executor *executor, const struct ward_plan_step *step,
		  struct ward_error *error)
{
	const struct ward_model_executor_options *options = &executor->options;
	struct ward_model_hand *hand = &executor->hands[step->function];
	const char *name = executor->machine->functions[step->function].name;
	struct ward_space *space = step->space;
	int code;

	if (!hand->device || hand->owner.kind != WARD_OWNER_CLIENT ||
	    hand->owner.client != step->client)
		return ward_fail(error, -EPERM, "%s: the client does not have it", name);
	if (!space && options->space)
		space = options->space(options->context, step->client, step->container);
	if (!space)
		return ward_fail(error, -ENOENT, "%s: the container has no space", name);
	code = ward_device_attach(hand->device, WARD_PASID_NONE, space);
	if (code)
		return ward_fail(error, code, "%s: cannot be attached (error %d)", name, -code);
	hand->container = step->container;
	hand->stale = false;
	return 0;
}

static int detach(struct ward_model_executor *executor, const struct ward_plan_step *step,
		  struct ward_error *error)
{
	struct ward_model_hand *hand = &executor->hands[step->function];

	(void)error;
	if (hand->device && hand->owner.kind == WARD_OWNER_CLIENT)
		(void)ward_device_detach(hand->device, WARD_PASID_NONE);
	hand->container = WARD_NONE;
	return 0;
}

static int freeze(struct ward_model_executor *executor, const struct ward_plan_step *step,
		  struct ward_error *error)
{
	(void)error;
	return ward_model_freeze(executor->backend, step->function);
}

/*
 * Drivers of the host set their functions up anew; clients have theirs still to do so. What is not
 * frozen, as freezing it has failed, is reset all the same; what was not seen to be reset is frozen.
 */
static int thaw(struct ward_model_executor *executor, const struct ward_plan_step *step,
		struct ward_error *error)
{
	uint32_t cursor = 0, member;
	int code;

	while (ward_error_domain_next(executor->machine, step->function, &cursor, &member))
		ward_model_hand_silence(executor, member);
	code = ward_model_thaw(executor->backend, step->function);
	if (!code || code == -ENOENT)
		code = ward_model_reset_domain(executor, step->function);
	if (code) {
		(void)ward_model_freeze(executor->backend, step->function);
		return ward_fail(error, code, "%s: cannot be thawed",
				 executor->machine->functions[step->function].name);
	}
	return 0;
}

static int (*const actions[])(struct ward_model_executor *executor,
			      const struct ward_plan_step *step, struct ward_error *error) = {
	[WARD_ACTION_UNBIND] = unbind, [WARD_ACTION_BIND] = bind,
	[WARD_ACTION_BLOCK] = block,   [WARD_ACTION_TEAR_DOWN] = tear_down,
	[WARD_ACTION_RESET] = reset,   [WARD_ACTION_GIVE] = give,
	[WARD_ACTION_TAKE] = take,     [WARD_ACTION_ATTACH] = attach,
	[WARD_ACTION_DETACH] = detach, [WARD_ACTION_FREEZE] = freeze,
	[WARD_ACTION_THAW] = thaw,
};

int ward_model_execute(void *context, const struct ward_plan_step *step, enum ward_action action,
		       struct ward_error *ret_error)
{
	struct ward_model_executor *executor = context;
	const struct ward_model_executor_options *options = &executor->options;
	int code = 0;

	if (action == WARD_ACTION_NONE)
		return 0;
	if ((unsigned int)action >= COUNT(actions) || !actions[action] ||
	    step->function >= executor->machine->functions_count)
		return ward_fail(ret_error, -EINVAL, "no such action, or no such function");
	if (options->fail && action != WARD_ACTION_BLOCK)
		code = options->fail(options->context, step, action);
	if (code)
		return ward_fail(ret_error, code, "%s of %s was made to fail",
				 ward_action_name(action),
				 executor->machine->functions[step->function].name);
	return actions[action](executor, step, ret_error);
}

struct ward_executor ward_model_executor(struct ward_model_executor *executor)
{
	return (struct ward_executor){ .execute = ward_model_execute, .context = executor };
}

static int check(const struct ward_machine *machine, struct ward_backend *backend,
		 const struct ward_model_executor_options *options)
{
	const struct ward_range memory = options->driver_memory;
	uint64_t bytes = (uint64_t)machine->functions_count * WARD_MODEL_DRIVER_BYTES;
	const struct ward_model *model = ward_model_of(backend);

	if (options->size != sizeof(*options) || !model || model->facts != machine)
		return -EINVAL;
	if (options->driver_vectors > WARD_MODEL_DRIVER_VECTORS ||
	    memory.start % WARD_MODEL_DRIVER_BYTES)
		return -EINVAL;
	return bytes && (ward_range_is_empty(memory) || memory.last - memory.start < bytes - 1)
		       ? -EINVAL
		       : 0;
}

/* Endpoints of the machine are error domains of the model. */
static int set_domains(struct ward_model_executor *executor)
{
	uint32_t count = executor->machine->functions_count;
	uint32_t *members = ward_alloc_array(count, sizeof(*members));
	int code = 0;

	if (!members)
		return -ENOMEM;
	for (uint32_t i = 0; i < count && !code; i++) {
		uint32_t cursor = 0, member, found = 0;

		while (ward_error_domain_next(executor->machine, i, &cursor, &member))
			members[found++] = member;
		/* At first each is alone, and no fault freezes. */
		if (found && members[0] == i && (found > 1 || executor->options.freeze_on_fault))
			code = ward_model_error_domain(executor->backend, members, found,
						       executor->options.freeze_on_fault);
	}
	free(members);
	return code;
}

int ward_model_executor_create(const struct ward_machine *machine, struct ward_backend *backend,
			       const struct ward_model_executor_options *options,
			       struct ward_model_executor **ret_executor)
{
	struct ward_model_executor *executor;
	int code = check(machine, backend, options);

	if (code)
		return code;
	executor = ward_alloc(sizeof(*executor));
	if (!executor)
		return -ENOMEM;
	executor->options = *options;
	if (!executor->options.driver_vectors)
		executor->options.driver_vectors = 1;
	executor->machine = machine;
	executor->backend = backend;
	executor->model = ward_model_of(backend);
	executor->hands = ward_alloc_array(machine->functions_count, sizeof(*executor->hands));
	code = executor->hands ? ward_state_create(machine, &executor->names) : -ENOMEM;
	for (uint32_t i = 0; !code && i < machine->functions_count; i++)
		executor->hands[i].container = executor->hands[i].index = WARD_NONE;
	if (!code)
		code = ward_model_find_together(executor);
	if (!code)
		code = set_domains(executor);
	if (code) {
		ward_model_executor_destroy(executor);
		return code;
	}
	*ret_executor = executor;
	return 0;
}

void ward_model_executor_destroy(struct ward_model_executor *executor)
{
	if (!executor)
		return;
	for (uint32_t i = 0; executor->hands && i < executor->machine->functions_count; i++)
		if (executor->hands[i].device)
			ward_model_hand_close(executor, i);
	ward_state_destroy(executor->names);
	free(executor->together);
	free(executor->hands);
	free(executor);
}

struct ward_owner ward_model_executor_holder(const struct ward_model_executor *executor,
					     uint32_t function, uint32_t *ret_container)
{
	const struct ward_model_hand *hand;

	if (function >= executor->machine->functions_count)
		return (struct ward_owner){ .kind = WARD_OWNER_NOBODY };
	hand = &executor->hands[function];
	if (ret_container)
		*ret_container = hand->container;
	return hand->stale ? (struct ward_owner){ .kind = WARD_OWNER_NOBODY } : hand->owner;
}

struct ward_device *ward_model_executor_device(const struct ward_model_executor *executor,
					       uint32_t function)
{
	if (function >= executor->machine->functions_count || executor->hands[function].stale)
		return NULL;
	return executor->hands[function].device;
}

static uint32_t vectors_of(struct ward_device *device, uint32_t index)
{
	struct ward_irq_info info = { 0 };

	(void)ward_device_irq_info(device, index, &info);
	return info.count;
}

/* The cursor counts vectors of MSI first, then those of MSI-X. */
bool ward_model_executor_landed(const struct ward_model_executor *executor, uint32_t function,
				uint32_t *cursor, uint32_t *ret_controller)
{
	struct ward_device *device = ward_model_executor_device(executor, function);
	uint32_t msi, count;

	if (!device)
		return false;
	msi = vectors_of(device, WARD_IRQS_MSI);
	count = msi + vectors_of(device, WARD_IRQS_MSIX);
	while (*cursor < count) {
		uint32_t vector = (*cursor)++;
		bool is_msi = vector < msi;
		struct ward_host_irq irq;

		if (ward_device_irq(device, is_msi ? WARD_IRQS_MSI : WARD_IRQS_MSIX,
				    is_msi ? vector : vector - msi, &irq) ||
		    !irq.allocated)
			continue;
		*ret_controller = irq.controller;
		return true;
	}
	return false;
}

struct ward_range ward_model_executor_memory(const struct ward_model_executor *executor,
					     uint32_t function)
{
	uint64_t start = executor->options.driver_memory.start +
			 (uint64_t)function * WARD_MODEL_DRIVER_BYTES;

	if (function >= executor->machine->functions_count)
		return WARD_RANGE_EMPTY;
	return (struct ward_range){ start, start + WARD_MODEL_DRIVER_BYTES - 1 };
}
