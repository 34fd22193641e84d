// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Functions come and go: a card in its slot, a VF of its PF. Who is not there is silent and deaf. */
#include "emul/route.h"

#include <errno.h>

/* Its error went with the card, when no other of its domain is left. */
static void forget_error(struct ward_emul *emul, uint32_t function)
{
	struct emul_domain *domain = &emul->domains[emul->functions[function].domain];

	for (uint32_t i = 0; i < emul->facts->functions_count; i++) {
		if (&emul->domains[emul->functions[i].domain] == domain &&
		    !emul->functions[i].absent)
			return;
	}
	domain->frozen = false;
	domain->error = (struct ward_error_state){ .function = WARD_NONE };
}

int ward_emul_present(struct ward_emul *emul, uint32_t function, bool present)
{
	if (function >= emul->facts->functions_count)
		return -EINVAL;
	if (ward_emul_is_present(emul, function) == present)
		return 0;
	emul->functions[function].absent = !present;
	ward_emul_power_on(emul, function);
	if (!present)
		forget_error(emul, function);
	return 0;
}

bool ward_emul_is_present(const struct ward_emul *emul, uint32_t function)
{
	return function < emul->facts->functions_count && !emul->functions[function].absent;
}
