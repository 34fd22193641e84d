// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Numbers of groups mean nothing across kernels: two groups are the same when they hold the same
 * functions. A kernel's group and a predicted one match when all members of either agree on
 * the other.
 */
#include "cli/difference.h"

#include "app/memory.h"
#include "cli/cause.h"
#include "cli/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIXED (WARD_NONE - 1)

struct comparison {
	const struct cli_context *context;
	const struct ward_membership *members;
	uint32_t *of_kernel; /* by the kernel's group: the one predicted group of all, or MIXED */
	uint32_t *of_predicted; /* the other way round */
};

static void meet(uint32_t *slot, uint32_t other)
{
	if (*slot == WARD_NONE)
		*slot = other;
	else if (*slot != other)
		*slot = MIXED;
}

static uint32_t *all_none(uint32_t count)
{
	uint32_t *list = app_alloc(count, sizeof(*list));

	for (uint32_t i = 0; i < count; i++)
		list[i] = WARD_NONE;
	return list;
}

static void compare(struct comparison *comparison)
{
	const struct ward_machine *machine = comparison->context->machine;

	comparison->of_kernel = all_none(machine->groups_count);
	comparison->of_predicted = all_none(machine->functions_count);
	for (uint32_t i = 0; i < machine->functions_count; i++) {
		uint32_t kernel = machine->functions[i].group;
		uint32_t predicted = comparison->members[i].group;

		if (kernel == WARD_NONE || predicted == WARD_NONE)
			continue;
		meet(&comparison->of_kernel[kernel], predicted);
		meet(&comparison->of_predicted[predicted], kernel);
	}
}

static bool command_line_has(const struct cli_context *context, const char *word)
{
	return context->machine->command_line && strstr(context->machine->command_line, word);
}

static int kernel_major(const struct cli_context *context)
{
	int major = 0;

	if (context->machine->kernel_release &&
	    sscanf(context->machine->kernel_release, "%9d", &major) != 1)
		return 0;
	return major;
}

static void explain_no_group(const struct comparison *comparison, struct cli_difference *difference)
{
	const struct cli_context *context = comparison->context;
	const char *driver = cli_driver(context, difference->function);
	uint32_t other = ward_stream_user(context->isolation, difference->function);
	int major = kernel_major(context);

	difference->code = "no-group";
	/* arm_smmu_insert_master: "stream %u already in tree from dev %s". */
	if (driver && other != WARD_NONE) {
		difference->code = "stream-in-use";
		difference->explanation = app_printf(
			"the kernel has put it into no group: the SMMU sees it under the StreamID "
			"of %s, and Linux's SMMUv3 driver lets one function only use a StreamID "
			"(dmesg: \"already in tree\"). Its driver %s runs all the same, and its DMA "
			"goes through the tables of %s",
			cli_name(context, other), driver, cli_name(context, other));
	} else if (!driver && (major == 0 || major < 7)) {
		difference->explanation = app_strdup(
			"the kernel has put it into no group: before Linux 7.0 some kernels "
			"do so only when a driver is first bound to it. Bind one (vfio-pci "
			"will do) and look again");
	} else {
		difference->explanation = app_strdup(
			"the kernel has put it into no group, so it does not translate this "
			"function, although firmware says that an IOMMU stands before it");
	}
}

/* What may make this kernel see more isolation than we do, through the bridge or sibling via. */
static char *why_more_isolation(const struct cli_context *context, uint32_t via)
{
	const char *release = context->machine->kernel_release;
	const struct ward_function *bridge =
		via == WARD_NONE ? NULL : &context->machine->functions[via];

	if (context->options->rule == WARD_GROUP_RULE_LINUX_BUS)
		return app_printf("kernel %s does not group by buses",
				  release ? release : "of this machine");
	if (command_line_has(context, "pcie_acs_override="))
		return app_strdup("the kernel was booted with pcie_acs_override=, which claims "
				  "isolation that the hardware does not have");
	if (bridge && bridge->acs.present == WARD_UNKNOWN)
		return app_printf("the ACS registers of %s could not be read, and unknown is not "
				  "isolated",
				  bridge->name);
	if (command_line_has(context, "config_acs=") ||
	    command_line_has(context, "disable_acs_redir="))
		return app_strdup("ACS was set on the kernel's command line (pci=config_acs or "
				  "pci=disable_acs_redir), and registers may have changed since");
	if (bridge)
		return app_printf("kernel %s may know a quirk for %s (%04x:%04x) that we do not, or "
				  "ACS was switched off after it made its groups",
				  release ? release : "of this machine", bridge->name,
				  bridge->vendor, bridge->device);
	return app_printf("kernel %s formed its groups when less of the machine was there",
			  release ? release : "of this machine");
}

/* What may make this kernel see less isolation than we do. */
static char *why_less_isolation(const struct cli_context *context, uint32_t function)
{
	const struct ward_machine *machine = context->machine;
	const char *release = machine->kernel_release ? machine->kernel_release : "of this machine";

	if (context->options->rule == WARD_GROUP_RULE_LINUX_BUS)
		return app_printf("kernel %s does not group by buses", release);
	for (uint32_t at = function; at != WARD_NONE; at = machine->functions[at].parent)
		if (machine->functions[at].acs.quirk == WARD_YES)
			return app_printf(
				"%s isolates by a quirk (%s) that kernel %s may not know yet",
				machine->functions[at].name, machine->functions[at].acs.quirk_name,
				release);
	return app_printf("ACS on the way to the root was switched on, or a device was taken out, "
			  "after kernel %s made its groups",
			  release);
}

/* The first other member of the predicted (or the kernel's) group that the other one leaves out. */
static uint32_t find_apart(const struct comparison *comparison, uint32_t function, bool predicted)
{
	const struct ward_machine *machine = comparison->context->machine;
	uint32_t kernel = machine->functions[function].group;
	uint32_t ours = comparison->members[function].group;

	for (uint32_t i = 0; i < machine->functions_count; i++) {
		bool same_kernel = machine->functions[i].group == kernel;
		bool same_ours = comparison->members[i].group == ours;

		if (i != function &&
		    (predicted ? same_ours && !same_kernel : same_kernel && !same_ours))
			return i;
	}
	return WARD_NONE;
}

static char *explain_split(const struct comparison *comparison, uint32_t function)
{
	const struct cli_context *context = comparison->context;
	const struct ward_membership *member = &comparison->members[function];
	uint32_t other = find_apart(comparison, function, true);
	uint32_t via = member->via;
	char *cause, *reason, *text;

	/* The one that opened the group says nothing; the other one knows why it joined. */
	if (member->cause == WARD_CAUSE_OWN && other != WARD_NONE) {
		via = comparison->members[other].via;
		cause = cli_cause(context, &comparison->members[other]);
	} else {
		cause = cli_cause(context, member);
	}
	reason = why_more_isolation(context, via);
	text = app_printf("the kernel keeps it apart from %s, we do not: %s. Likely cause: %s",
			  other == WARD_NONE ? "others" : cli_name(context, other), cause, reason);
	free(cause);
	free(reason);
	return text;
}

static char *explain_merged(const struct comparison *comparison, uint32_t function)
{
	uint32_t other = find_apart(comparison, function, false);
	char *reason = why_less_isolation(comparison->context, function);
	char *text =
		app_printf("the kernel puts it together with %s, we do not. Likely cause: %s",
			   other == WARD_NONE ? "others" : cli_name(comparison->context, other),
			   reason);

	free(reason);
	return text;
}

static void explain(const struct comparison *comparison, struct cli_difference *difference)
{
	const struct cli_context *context = comparison->context;
	uint32_t kernel = context->machine->functions[difference->function].group;
	uint32_t ours = comparison->members[difference->function].group;

	if (kernel == WARD_NONE && ours == WARD_NONE)
		return;
	if (kernel == WARD_NONE) {
		explain_no_group(comparison, difference);
	} else if (ours == WARD_NONE) {
		difference->code = "not-translated";
		difference->explanation = app_strdup(
			"the kernel translates it, but firmware's tables, as far as they "
			"could be read, name no IOMMU for it");
	} else if (comparison->of_predicted[ours] == MIXED &&
		   find_apart(comparison, difference->function, true) != WARD_NONE) {
		difference->code = "split";
		difference->explanation = explain_split(comparison, difference->function);
	} else if (comparison->of_kernel[kernel] == MIXED) {
		difference->code = "merged";
		difference->explanation = explain_merged(comparison, difference->function);
	}
}

struct cli_difference *cli_differences(const struct cli_context *context,
				       const struct ward_membership *members)
{
	struct comparison comparison = { .context = context, .members = members };
	struct cli_difference *list = app_alloc(context->machine->functions_count, sizeof(*list));

	compare(&comparison);
	for (uint32_t i = 0; i < context->machine->functions_count; i++) {
		list[i].function = i;
		if (context->machine->groups_known)
			explain(&comparison, &list[i]);
	}
	free(comparison.of_kernel);
	free(comparison.of_predicted);
	return list;
}

void cli_differences_finish(const struct cli_context *context, struct cli_difference *differences)
{
	for (uint32_t i = 0; i < context->machine->functions_count; i++)
		free(differences[i].explanation);
	free(differences);
}
