// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "cli/verbs.h"

#include "cli/topic.h"

#include <stdint.h>
#include <string.h>

enum {
	LIST = 1 << 0,
	CHECK = 1 << 1,
	WHY = 1 << 2,
	REACH = 1 << 3,
	GROUPS = 1 << 4,
	CAPTURE = 1 << 5,
	HELP = 1 << 6,
	TRACE = 1 << 7,
	PROVE = 1 << 8,
	SIMULATE = 1 << 9,
	READ = LIST | CHECK | WHY | REACH | GROUPS | TRACE | PROVE,
	JUDGE = LIST | CHECK | PROVE,
	ALL = READ | CAPTURE | SIMULATE | HELP,
};

const struct cli_verb cli_verbs[] = {
	{
		.name = "list",
		.run = cli_list,
		.bit = LIST,
		.summary = "show all functions, and which of them could be given away",
		.details = "Each function is judged alone, as if given to a new client. GROUP is\n"
			   "the kernel's group; ~N is a predicted one. PARTITION names the first\n"
			   "function of the smallest set that can be given away whole. GRADE says\n"
			   "how well interrupts are separated from those of others.",
	},
	{
		.name = "check",
		.operands = "DEV...",
		.example = "eth0",
		.operands_min = 1,
		.operands_max = SIZE_MAX,
		.run = cli_check,
		.bit = CHECK,
		.devices = true,
		.summary = "may these functions be given to a VM? if not: why, and what to do",
		.details =
			"All DEVs are judged together, as a gift to one client. With --suppose\n"
			"the machine is judged as if some things were different:\n"
			"  acs=BRIDGE            access control services are all on there\n"
			"  intx=DEV              it uses its interrupt pin, not messages\n"
			"  owner=DEV:CLIENT      it belongs to that client, \"host\" or "
			"\"nobody\"\n"
			"  msi-parent=DEV:FRAME  its messages go to that MSI controller\n"
			"  driver=DEV:NAME       that driver is bound to it (\"none\": none)\n"
			"  space=DEV:SPACE       it and its kernel group are in a space that is\n"
			"                        \"identity\", \"blocked\" or \"dma\" (the driver's)\n"
			"  no-ats[=DEV]          address translation services are off\n"
			"  iommu, remapping      an IOMMU translates all; interrupts are remapped\n"
			"\n"
			"--explain says what the code of a finding means and what to do, of no\n"
			"machine; or msi-mode: how the MSIs of a guest's devices go.\n"
			"\n"
			"Exit code: 0 safe, 3 not safe, 4 cannot tell.",
	},
	{
		.name = "why",
		.operands = "DEV DEV",
		.example = "eth0 0000:00:02.0",
		.operands_min = 2,
		.operands_max = 2,
		.run = cli_why,
		.bit = WHY,
		.devices = true,
		.summary = "what ties two functions together",
	},
	{
		.name = "reach",
		.operands = "DEV",
		.example = "eth0",
		.operands_min = 1,
		.operands_max = 1,
		.run = cli_reach,
		.bit = REACH,
		.devices = true,
		.summary = "everything a function can touch when its driver does its worst",
		.details = "First the memory: of the space it is in now, and of a client's space\n"
			   "besides the memory of the client. Then the rest, each with its path.",
	},
	{
		.name = "trace",
		.operands = "DEV VECTOR",
		.example = "eth0 0",
		.operands_min = 2,
		.operands_max = 2,
		.run = cli_trace,
		.bit = TRACE,
		.devices = true,
		.summary = "the way of one interrupt, hop by hop",
		.details =
			"From the function's vector to the host's driver, as far as the host\n"
			"tells: what a process does with its eventfds is not seen from here. With\n"
			"--model the same machine is built in software, DEV is given to a VM, and\n"
			"the whole way is shown, to the guest's CPU: the interrupt is raised, and\n"
			"goes the way that is told. Drivers and spaces that --suppose names do not\n"
			"count then, for DEV is in the VM's hands.\n"
			"\n"
			"Exit code: 0 it arrives, 3 it does not, 4 cannot tell.",
	},
	{
		.name = "simulate",
		.operands = "SCENARIO",
		.example = "examples/scenarios/two-guests-one-frame.yaml",
		.operands_min = 1,
		.operands_max = 1,
		.run = cli_simulate,
		.bit = SIMULATE,
		.summary = "play what happens to a machine, and hold it against what is expected",
		.details =
			"SCENARIO is a file that names a machine, and what happens step by step:\n"
			"functions are handed over, cards plugged in, interrupts raised, DMAs tried.\n"
			"Each step is decided by the rules of ownership, and carried out on the\n"
			"machine in software. \"-\" is standard input.\n"
			"\n"
			"Exit code: 0 all as expected, 3 not, 2 the file makes no sense.",
	},
	{
		.name = "prove",
		.operands = "[MACHINE]",
		.operands_max = 1,
		.run = cli_prove,
		.bit = PROVE,
		.summary = "try every order of events, and check what is promised in every state",
		.details =
			"Who has which function is explored from the state that MACHINE (a captured\n"
			"or described one, or a tree of files; default: this computer) is in:\n"
			"every event in every state, until nothing new is found. Promised is:\n"
			"  reach        in a settled state no client reaches what is not its own\n"
			"  one-owner    nothing is in two hands\n"
			"  finding      every refusal has a finding\n"
			"  unchanged    a refusal changes nothing\n"
			"  release      what was released is nobody's until it was reset\n"
			"  containment  every exposure ends in containment\n"
			"Events: bind unbind claim attach detach release death revoke hot-add\n"
			"hot-remove vfs-on vfs-off vector freeze thaw reset quarantine.\n"
			"\n"
			"Exit code: 0 all hold, 3 one is broken, 4 cannot tell (stopped, or full).",
	},
	{
		.name = "groups",
		.run = cli_groups,
		.bit = GROUPS,
		.summary = "the kernel's IOMMU groups beside ours, each difference explained",
	},
	{
		.name = "capture",
		.run = cli_capture,
		.bit = CAPTURE,
		.summary = "write what describes this machine into a file, to look at it elsewhere",
		.details = "The file holds exactly what doorward reads. Serial numbers, MAC\n"
			   "addresses and the host name are taken out unless --with-identity.\n"
			   "Read it with: doorward --machine FILE list",
	},
	{
		.name = "help",
		.operands = "[VERB]",
		.operands_max = 1,
		.run = cli_help,
		.bit = HELP,
		.summary = "explain a verb",
	},
	{ 0 },
};

const struct cli_option cli_option_table[] = {
	{ CLI_OPTION_COLUMNS, "columns", 'o', "COLS", LIST | GROUPS, NULL,
	  "these columns: A,B or +A,B to add; \"-o help\" lists them" },
	{ CLI_OPTION_NO_HEADINGS, "no-headings", 'n', NULL, LIST | GROUPS, NULL,
	  "no line of headings" },
	{ CLI_OPTION_RAW, "raw", 'r', NULL, LIST | GROUPS, NULL, "columns separated by one space" },
	{ CLI_OPTION_TREE, "tree", 't', NULL, LIST, NULL, "functions below their bridges" },
	{ CLI_OPTION_RULE, "rule", 0, "RULE", GROUPS, "linux bus",
	  "predict by linux (default), or by bus: the model proposed in 2025" },
	{ CLI_OPTION_TO, "to", 0, "CLIENT", CHECK, NULL,
	  "to this client (default: one that owns nothing yet)" },
	{ CLI_OPTION_SUPPOSE, "suppose", 0, "WHAT", READ,
	  "@ acs= intx= owner= msi-parent= driver= space= no-ats iommu remapping",
	  "as if WHAT were so: acs=BRIDGE, ... (see: doorward help check)" },
	{ CLI_OPTION_EXPLAIN, "explain", 0, "TOPIC", CHECK, cli_topic_names,
	  "say what TOPIC means: msi-mode, or the code of a finding; takes no DEV" },
	{ CLI_OPTION_OUTPUT, "output", 'o', "FILE", CAPTURE, "@file",
	  "into FILE (doorward.tar); \"-\" is standard output; .gz, .xz compress" },
	{ CLI_OPTION_WITH_IDENTITY, "with-identity", 0, NULL, CAPTURE, NULL,
	  "leave serial numbers, MAC addresses and the host name in" },
	{ CLI_OPTION_MODEL, "model", 0, NULL, TRACE, NULL,
	  "in software, with DEV given to a VM: the whole way" },
	{ CLI_OPTION_CLIENTS, "clients", 0, "N", PROVE, NULL, "so many clients (2; at most 8)" },
	{ CLI_OPTION_DEPTH, "depth", 0, "N", PROVE, NULL,
	  "so many events in a row (default: until nothing new is found)" },
	{ CLI_OPTION_CONTAINERS, "containers", 0, "N", PROVE, NULL,
	  "so many spaces of each client (1; at most 4)" },
	{ CLI_OPTION_EVENTS, "events", 0, "EVENT,...", PROVE, NULL, "these kinds of events alone" },
	{ CLI_OPTION_FUNCTIONS, "functions", 0, "DEV,...", PROVE, NULL,
	  "events happen to these alone" },
	{ CLI_OPTION_STATES, "states", 0, "N", PROVE, NULL, "give up after so many states" },
	{ CLI_OPTION_THREADS, "threads", 0, "N", PROVE, NULL,
	  "so many threads (default: one for each CPU)" },
	{ CLI_OPTION_PROGRESS, "progress", 0, NULL, PROVE, NULL,
	  "say each second how far it is, also where that is no terminal" },
	{ CLI_OPTION_OUTPUT, "output", 'o', "FILE", PROVE, "@file",
	  "write the way to a broken promise as a scenario into FILE; \"-\" is\n"
	  "                             standard output, and then it is all that is printed" },
#ifdef DOORWARD_BREAKABLE
	{ CLI_OPTION_BREAK, "break", 0, "RULE", PROVE | SIMULATE, NULL,
	  "do without a rule of ownership (\"help\" lists them)" },
#endif
	{ CLI_OPTION_POLICY, "policy", 0, "POLICY", JUDGE, "strict linux",
	  "strict: by all it can reach (default); linux: by what Linux enforces" },
	{ CLI_OPTION_ACCEPT, "accept", 0, "CODE[@DEV]", CHECK | PROVE, NULL,
	  "accept findings of this code (of this function)" },
	{ CLI_OPTION_ACCEPT_POLICY, "accept-policy", 0, "FILE", CHECK | PROVE, "@file",
	  "accept what FILE lists, one \"code [device] # reason\" a line" },
	{ CLI_OPTION_MACHINE, "machine", 'm', "FILE", READ | CAPTURE, "@file",
	  "look at a captured machine (\"-\": standard input), or at one\n"
	  "                             described in YAML" },
	{ CLI_OPTION_SYSROOT, "sysroot", 0, "DIR", READ | CAPTURE, "@file",
	  "look at the tree of files below DIR" },
	{ CLI_OPTION_WAKE, "wake", 0, NULL, READ | CAPTURE, NULL,
	  "read suspended functions too, which wakes them" },
	{ CLI_OPTION_JSON, "json", 'J', NULL, READ | CAPTURE | SIMULATE, NULL, "print JSON" },
	{ CLI_OPTION_COLOUR, "color", 0, "WHEN", ALL, "auto always never",
	  "colours (default: auto, on a terminal)" },
	{ CLI_OPTION_HELP, "help", 'h', NULL, ALL, NULL, "explain the command, or the verb" },
	{ CLI_OPTION_VERSION, "version", 'V', NULL, ALL, NULL, "print the version" },
	{ CLI_OPTION_BASH_COMPLETION, "bash-completion", 0, NULL, ALL, NULL, NULL },
	{ 0 },
};

const struct cli_verb *cli_verb_find(const char *name)
{
	for (const struct cli_verb *verb = cli_verbs; verb->name; verb++)
		if (strcmp(verb->name, name) == 0)
			return verb;
	return NULL;
}
