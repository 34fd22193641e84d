// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Rules that can be left out, in the order of enum own_rule. */
#include "own/break.h"

#include <errno.h>
#include <string.h>

#include "own/core.h"

static const struct ward_rule rules[OWN_RULES + 1] = {
	[OWN_RULE_CLAIM_REACH] = { "claim-reach",
				   "a claim is not refused for what the functions reach" },
	[OWN_RULE_CLAIM_OTHERS] = { "claim-others",
				    "a claim is not refused for what other clients reach of it" },
	[OWN_RULE_BIND_CHECK] = { "bind-check",
				  "a bind, or VFs, are not refused for what clients reach then" },
	[OWN_RULE_VECTOR_LANDED] = { "vector-landed",
				     "nobody looks at who reaches a vector when it has landed" },
	[OWN_RULE_NEWCOMER_QUARANTINE] = { "newcomer-quarantine",
					   "nobody looks at who reaches what has come" },
	[OWN_RULE_CONTAINMENT_FREEZE] = { "containment-freeze",
					  "what quarantine does not contain is left as it is" },
	[OWN_RULE_TAINT] = { "taint", "what somebody had goes to the next one without a reset" },
	[OWN_RULE_RESET_SCOPE] = { "reset-scope", "a reset is not refused for hitting others" },
	[OWN_RULE_REVOKING] = { "revoking",
				"a partition is claimed in, and thawed, before all was given back" },
	[OWN_RULE_GROUP_ONE_SPACE] = { "group-one-space",
				       "functions of one group may be in different containers" },
	[OWN_RULE_DOMAIN_FIXED] = { "domain-fixed",
				    "endpoints share a space that the hardware cannot share" },
	[OWN_RULE_THAW_CHECK] = { "thaw-check", "nobody looks at who reaches what after a thaw" },
	[OWN_RULE_VFS] = { "vfs", "VFs come and go while a client has the PF or one of them" },
	[OWN_RULE_ALL_OR_NOTHING] = { "all-or-nothing",
				      "what is refused to all happens to the first one" },
	[OWN_RULE_RELEASE_TO_NOBODY] = { "release-to-nobody",
					 "what a client gives back is the host's at once" },
	[OWN_RULE_WAIVERS] = { "waivers",
			       "waivers are forgotten after the claim that they came with" },
	[OWN_RULE_REFUSAL_SAYS] = { "refusal-says", "what is refused is not told why" },
};

const struct ward_rule *ward_rules(void)
{
	return rules;
}

int ward_ownership_break(struct ward_ownership *ownership, const char *rule)
{
	for (unsigned int i = 0; i < OWN_RULES; i++) {
		if (strcmp(rules[i].name, rule) == 0) {
			ownership->broken |= 1ull << i;
			return 0;
		}
	}
	return -ENOENT;
}
