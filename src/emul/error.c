// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Error isolation: what is frozen drops its DMA and messages, and nobody else notices. */
#include "emul/route.h"

#include <errno.h>

static struct emul_domain *domain_of(const struct ward_emul *emul, uint32_t function)
{
	return &emul->domains[emul->functions[function].domain];
}

static bool is_one_of(uint32_t function, const uint32_t *functions, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (functions[i] == function)
			return true;
	}
	return false;
}

/* A domain of which no other function is a member. There are as many domains as functions. */
static uint32_t free_domain(const struct ward_emul *emul, const uint32_t *functions, uint32_t count)
{
	for (uint32_t domain = 0; domain < emul->facts->functions_count; domain++) {
		bool taken = false;

		for (uint32_t i = 0; i < emul->facts->functions_count && !taken; i++)
			taken = emul->functions[i].domain == domain &&
				!is_one_of(i, functions, count);
		if (!taken)
			return domain;
	}
	return WARD_NONE;
}

int ward_emul_error_domain(struct ward_emul *emul, const uint32_t *functions, uint32_t count,
			   bool freeze_on_fault)
{
	uint32_t domain;

	if (count == 0)
		return -EINVAL;
	for (uint32_t i = 0; i < count; i++) {
		if (functions[i] >= emul->facts->functions_count)
			return -EINVAL;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (ward_emul_frozen(emul, functions[i]))
			return -EBUSY;
	}
	domain = free_domain(emul, functions, count);
	if (domain == WARD_NONE)
		return -EINVAL;
	for (uint32_t i = 0; i < count; i++)
		emul->functions[functions[i]].domain = domain;
	emul->domains[domain].freeze_on_fault = freeze_on_fault;
	return 0;
}

bool ward_emul_frozen(const struct ward_emul *emul, uint32_t function)
{
	return function < emul->facts->functions_count && domain_of(emul, function)->frozen;
}

static void freeze(struct ward_emul *emul, uint32_t function, enum ward_error_cause cause)
{
	struct emul_domain *domain = domain_of(emul, function);

	if (domain->frozen)
		return;
	domain->frozen = true;
	domain->error = (struct ward_error_state){ .cause = cause, .function = function };
	for (uint32_t i = 0; emul->frozen && i < emul->facts->functions_count; i++)
		if (domain_of(emul, i) == domain)
			emul->frozen(emul->frozen_context, i);
}

void ward_emul_on_frozen(struct ward_emul *emul, void (*frozen)(void *context, uint32_t function),
			 void *context)
{
	emul->frozen = frozen;
	emul->frozen_context = context;
}

int ward_emul_freeze(struct ward_emul *emul, uint32_t function, enum ward_error_cause cause)
{
	if (function >= emul->facts->functions_count)
		return -EINVAL;
	freeze(emul, function, cause);
	return 0;
}

int ward_emul_error(struct ward_emul *emul, uint32_t function, struct ward_error_state *ret_error)
{
	if (function >= emul->facts->functions_count)
		return -EINVAL;
	if (!ward_emul_frozen(emul, function))
		return -ENOENT;
	*ret_error = domain_of(emul, function)->error;
	return 0;
}

int ward_emul_thaw(struct ward_emul *emul, uint32_t function)
{
	uint32_t domain;

	if (function >= emul->facts->functions_count)
		return -EINVAL;
	if (!ward_emul_frozen(emul, function))
		return -ENOENT;
	domain = emul->functions[function].domain;
	/* Reset while still frozen: nothing of the old state gets out. */
	for (uint32_t i = 0; i < emul->facts->functions_count; i++) {
		if (emul->functions[i].domain == domain)
			(void)ward_emul_reset(emul, i);
	}
	emul->domains[domain].frozen = false;
	emul->domains[domain].error = (struct ward_error_state){ .function = WARD_NONE };
	return 0;
}

void ward_emul_note_fault(struct ward_emul *emul, uint32_t function, const struct ward_fault *fault)
{
	struct emul_domain *domain = domain_of(emul, function);

	if (!domain->freeze_on_fault)
		return;
	freeze(emul, function, WARD_ERROR_DMA);
	domain->error.fault = *fault;
}

void ward_emul_note_dropped(struct ward_emul *emul, uint32_t function, bool message)
{
	struct ward_error_state *error = &domain_of(emul, function)->error;

	error->dropped_dma++;
	if (message)
		error->dropped_messages++;
}
