// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Every state of ownership that the library's exploration finds on one of the machines of
 * ownership.pml, a line each, in the same words:
 *
 *	states frame|frames|card|mixed|split
 *
 * The machines are made here a second time, as hardware; what reaches what the library works out.
 */
#include "isolate/make.h"

#include <doorward/explore.h>

#include <inttypes.h>

#define CLIENTS 2u
#define BIT(kind) (1ull << WARD_EVENT_##kind)

/* In the order of the model's: functions[1] may be plugged, or is the VF of functions[0]. */
static const char *const addresses[] = { "00:01.0", "00:02.0", "00:03.0" };

struct small {
	const char *name;
	void (*make)(struct make *m);
	uint32_t functions;
	uint64_t events;
};

static void one_device_each(struct make *m, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		integrated(m, addresses[i]);
}

static void make_frame(struct make *m)
{
	make_arm_v2m(m, 4096, 1);
	one_device_each(m, 2);
}

static void make_frames(struct make *m)
{
	make_arm_v2m(m, 4096, 2);
	one_device_each(m, 2);
}

static void make_card(struct make *m)
{
	make_arm_its(m);
	integrated(m, addresses[0]);
	m->functions[0].vfs_total = 1;
	vf(m, addresses[1], addresses[0]);
	m->functions[1].pcie_type = WARD_PCIE_RC_ENDPOINT;
}

static void make_mixed(struct make *m)
{
	make_arm_v2m(m, 4096, 1);
	make_controller(m, WARD_CONTROLLER_GICV3_ITS, WARD_YES, 0x8080000, 0x20000);
	one_device_each(m, 3);
	m->functions[2].controller = 1;
}

static void make_split(struct make *m)
{
	make_arm_v2m(m, 4096, 1);
	integrated(m, addresses[0]);
	m->functions[0].vfs_total = 2;
	for (uint32_t i = 1; i < 3; i++) {
		vf(m, addresses[i], addresses[0]);
		m->functions[i].pcie_type = WARD_PCIE_RC_ENDPOINT;
	}
}

static const struct small machines[] = {
	{ "frame", make_frame, 2, 0 },
	{ "frames", make_frames, 2, 0 },
	{ "card", make_card, 2, 0 },
	{ "mixed", make_mixed, 3,
	  BIT(BIND) | BIT(UNBIND) | BIT(CLAIM) | BIT(RELEASE) | BIT(DEATH) | BIT(REVOKE) |
		  BIT(HOT_ADD) | BIT(HOT_REMOVE) | BIT(RESET) | BIT(QUARANTINE) },
	{ "split", make_split, 3,
	  BIT(BIND) | BIT(UNBIND) | BIT(CLAIM) | BIT(RELEASE) | BIT(DEATH) | BIT(VFS_ON) |
		  BIT(VFS_OFF) },
};

struct walk {
	uint32_t functions[3], count;
};

static char owner_letter(struct ward_owner owner)
{
	return owner.kind == WARD_OWNER_CLIENT
		       ? owner.client == WARD_NONE ? '*' : (char)('0' + owner.client)
	       : owner.kind == WARD_OWNER_HOST ? 'h'
					       : '-';
}

static unsigned int vectors_of(const struct ward_state *state, uint32_t function)
{
	unsigned int bits = 0;

	for (uint32_t i = 0; i < state->vectors_count; i++)
		if (state->vectors[i].function == function)
			bits |= 1u << state->vectors[i].controller;
	return bits;
}

static void print_function(const struct ward_ownership *ownership, uint32_t function)
{
	const struct ward_state *state = ward_ownership_state(ownership);
	const struct ward_function_state *f = &state->functions[function];
	uint32_t container = ward_ownership_container(ownership, function);

	if (f->absent) {
		printf(" ........");
		return;
	}
	printf(" %c%c%c%x%c%c%c%c", owner_letter(f->owner),
	       !f->driver	  ? '-'
	       : f->driver_yields ? 'y'
				  : 'h',
	       container == WARD_NONE ? 'b' : (char)('0' + container), vectors_of(state, function),
	       owner_letter(f->tainted_by), f->frozen ? 'f' : '-', f->revoking ? 'r' : '-',
	       f->quarantined ? 'q' : '-');
}

static int print_state(void *context, const struct ward_ownership *ownership)
{
	const struct walk *walk = context;
	const struct ward_exposure *exposures;
	uint32_t count;

	exposures = ward_ownership_exposures(ownership, &count);
	printf("S");
	for (uint32_t i = 0; i < walk->count; i++)
		print_function(ownership, walk->functions[i]);
	printf(" open");
	for (uint32_t client = 0; client < CLIENTS; client++) {
		for (uint32_t i = 0; i < count; i++) {
			if (exposures[i].contained || exposures[i].client != client)
				continue;
			printf(" %" PRIu32, client);
			break;
		}
	}
	printf("\n");
	return 0;
}

static void print_breach(const struct ward_breach *breach)
{
	printf("broken: %s, after", breach->text);
	for (uint32_t i = 0; i < breach->events_count; i++)
		printf(" %s%s", ward_event_name(breach->events[i].kind),
		       breach->events[i].fact ? " (a fact)" : "");
	printf("\n");
}

static int explore(struct make *m, const struct small *small, struct walk *walk)
{
	struct ward_explore_options options = {
		.size = sizeof(options),
		.clients = CLIENTS,
		.containers = 1,
		.keep_order = true,
		.events = small->events,
	};
	struct ward_exploration_progress progress;
	struct ward_exploration *exploration;
	struct ward_error error = { "" };
	int err = ward_exploration_create(m->machine, m->state, &options, &exploration, &error);

	if (err) {
		fprintf(stderr, "%s\n", error.text);
		return err;
	}
	err = ward_exploration_work(exploration);
	ward_exploration_progress(exploration, &progress);
	if (!err && progress.end == WARD_EXPLORATION_BROKEN)
		print_breach(ward_exploration_breach(exploration));
	if (!err)
		err = ward_exploration_walk(exploration, print_state, walk);
	printf("states %" PRIu64 " transitions %" PRIu64 " bytes %" PRIu64 "\n", progress.states,
	       progress.transitions, progress.bytes);
	ward_exploration_destroy(exploration);
	return err;
}

static int run(const struct small *small)
{
	struct walk walk = { .count = small->functions };
	struct make m;
	int err;

	small->make(&m);
	bound(&m, addresses[0], "host-driver");
	err = make_machine(&m, &m.machine);
	if (!err)
		err = make_state(&m, m.machine, &m.state);
	if (err)
		return err;
	for (uint32_t i = 0; i < walk.count; i++)
		walk.functions[i] = at(&m, addresses[i]);
	m.state->functions[walk.functions[1]].absent = true;
	/* VFs come and go together. */
	for (uint32_t i = 2; i < walk.count; i++)
		m.state->functions[walk.functions[i]].absent =
			m.machine->functions[walk.functions[i]].physfn != WARD_NONE;
	err = explore(&m, small, &walk);
	make_free(&m);
	return err;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]) && argc == 2; i++) {
		if (strcmp(argv[1], machines[i].name) == 0) {
			int err = run(&machines[i]);

			if (err)
				fprintf(stderr, "%s\n", strerror(-err));
			return err ? 1 : 0;
		}
	}
	fprintf(stderr, "usage: %s frame|frames|card|mixed|split\n", argv[0]);
	return 2;
}
