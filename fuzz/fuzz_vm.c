// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Routing tables and irqfds by chance: an input is a byte that says which controller, then steps of 16
 * bytes (corpus_vm.py writes them). A table that is refused changes nothing; what an eventfd raises
 * is taken out of it; after a de-assignment it raises nothing; edits and their commit agree.
 */
#include <doorward/backend/model.h>
#include <doorward/memory.h>
#include <doorward/routes.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 128u
#define FDS 6u
#define ROWS_MAX 64u

struct step {
	uint8_t kind, a, b, c;
	uint32_t gsi, value, address;
} __attribute__((packed));

enum {
	ROW,	/* one more row of the next table */
	TABLE,	/* sets it */
	ASSIGN, /* or takes away: flags in b */
	SIGNAL,
	CLOSE, /* an eventfd, and opens another */
	DISPATCH,
	RAISE,
	LINE,
	MESSAGE,
	ALLOC,
	FREE,
	EDIT,
	CLEAR,
	COMMIT, /* or, with a, abort */
	PIN,
	END,
	KINDS,
};

struct world {
	struct ward_memory *memory;
	struct ward_readers *readers;
	struct ward_reader *reader;
	struct ward_vm *vm;
	struct ward_routes *routes;
	struct ward_route rows[ROWS_MAX];
	uint32_t rows_count;
	int fds[FDS];
	/* The GSI that one is assigned to, as this program knows. */
	bool assigned[FDS];
	uint32_t gsis[FDS];
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static struct ward_route route_of(const struct step *step)
{
	return (struct ward_route){
		.gsi = ward_gsi(step->gsi),
		.kind = step->a & 7,
		.flags = step->a >> 3 & 3,
		.chip = step->b,
		.pin = step->c,
		.address = ward_gpa((uint64_t)(step->a >> 5) << 32 | step->address),
		.data = step->value,
		.devid = ward_devid(step->c),
	};
}

static int raise_gsi(struct world *world, uint32_t gsi, struct ward_interrupt *interrupt)
{
	int arrived;

	ward_reader_enter(world->reader);
	arrived = ward_vm_model_raise(world->vm, world->reader, ward_gsi(gsi), interrupt);
	ward_reader_exit(world->reader);
	return arrived;
}

/* A level that is not ended does not arrive again: only what arrives twice is compared. */
static void set_table(struct world *world, const struct step *step)
{
	struct ward_interrupt before = { .cpu = WARD_NONE }, after = { .cpu = WARD_NONE };

	raise_gsi(world, step->gsi, &before);
	if (ward_vm_set_routes(world->vm, world->rows, world->rows_count)) {
		raise_gsi(world, step->gsi, &after);
		require(before.cpu == WARD_NONE || after.cpu == WARD_NONE ||
			after.number == before.number);
	}
	world->rows_count = 0;
}

static uint64_t count_of(int fd)
{
	uint64_t count = 0;

	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

static void change_irqfd(struct world *world, const struct step *step)
{
	unsigned int at = step->a % FDS;
	const struct ward_irqfd irqfd = {
		.eventfd = world->fds[at],
		.gsi = ward_gsi(step->gsi),
		.flags = step->b & 7,
		.resamplefd = world->fds[step->c % FDS],
	};
	int code = ward_vm_irqfd(world->vm, &irqfd);

	if (irqfd.flags & 4) {
		require(code == -EINVAL);
	} else if (irqfd.flags & WARD_IRQFD_DEASSIGN) {
		require(code == 0);
		if (world->assigned[at] && world->gsis[at] == step->gsi)
			world->assigned[at] = false;
	} else if (code == 0) {
		require(!world->assigned[at]);
		world->assigned[at] = true;
		world->gsis[at] = step->gsi;
	} else {
		require(code == -EINVAL || (code == -EBUSY && world->assigned[at]));
	}
}

/* What is wired is served, and what is not is not. */
static void dispatch(struct world *world)
{
	uint64_t counts[FDS] = { 0 };
	const uint64_t one = 1;

	for (unsigned int i = 0; i < FDS; i++)
		require(write(world->fds[i], &one, sizeof(one)) == sizeof(one));
	require(ward_vm_model_dispatch(world->vm, world->reader) >= 0);
	for (unsigned int i = 0; i < FDS; i++) {
		counts[i] = count_of(world->fds[i]);
		require(world->assigned[i] ? counts[i] == 0 : counts[i] > 0);
	}
}

static void reopen(struct world *world, unsigned int at)
{
	close(world->fds[at]);
	world->fds[at] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	world->assigned[at] = false;
	require(world->fds[at] >= 0);
}

static void edit(struct world *world, const struct step *step)
{
	const struct ward_route route = route_of(step);
	struct ward_routes_info before, after;
	struct ward_route read;
	ward_gsi_t gsi;
	int code;

	ward_routes_info(world->routes, &before);
	switch (step->kind % KINDS) {
	case ALLOC:
		code = ward_routes_alloc(world->routes, &gsi);
		require((code == 0) == (before.left > 0));
		require(code || ward_gsi_raw(gsi) < WARD_GSIS);
		break;
	case FREE:
		ward_routes_free(world->routes, ward_gsi(step->gsi));
		break;
	case EDIT:
		if (ward_routes_set(world->routes, &route) == 0)
			require(ward_routes_get(world->routes, route.gsi, false, &read) == 0);
		break;
	case CLEAR:
		ward_routes_clear(world->routes, ward_gsi(step->gsi));
		require(ward_routes_get(world->routes, ward_gsi(step->gsi), false, &read));
		break;
	case COMMIT:
		if (step->a & 1)
			ward_routes_abort(world->routes);
		else
			require(ward_routes_commit(world->routes) == 0);
		ward_routes_info(world->routes, &after);
		/* What was freed is an edit that stays. */
		require(!after.edited || step->a & 1);
		break;
	default:
		break;
	}
	ward_routes_info(world->routes, &after);
	require(after.routes <= WARD_GSIS && after.left <= WARD_GSIS);
}

static void call(struct world *world, const struct step *step)
{
	struct ward_interrupt interrupt;
	const uint64_t one = 1;
	struct ward_route route = route_of(step);

	switch (step->kind % KINDS) {
	case ROW:
		if (world->rows_count < ROWS_MAX)
			world->rows[world->rows_count++] = route;
		break;
	case TABLE:
		set_table(world, step);
		break;
	case ASSIGN:
		change_irqfd(world, step);
		break;
	case SIGNAL:
		require(write(world->fds[step->a % FDS], &one, sizeof(one)) == sizeof(one));
		break;
	case CLOSE:
		reopen(world, step->a % FDS);
		break;
	case DISPATCH:
		dispatch(world);
		break;
	case RAISE:
		require(raise_gsi(world, step->gsi, &interrupt) >=
			(step->gsi < WARD_GSIS ? 0 : -EINVAL));
		break;
	case LINE:
		ward_vm_irq_line(world->vm, step->gsi, step->a & 1);
		break;
	case MESSAGE:
		ward_vm_signal_msi(world->vm, &route);
		break;
	case PIN:
		ward_vm_model_set_pin(world->vm, step->a,
				      (uint64_t)step->address << 32 | step->value);
		break;
	case END:
		ward_vm_model_end(world->vm, step->a, step->value);
		break;
	default:
		edit(world, step);
	}
}

static bool make(struct world *world, uint8_t which)
{
	const struct ward_vm_options options = {
		.size = sizeof(options),
		.controller = (enum ward_vm_controller)(which % 5),
		.cpus = 2,
		.interrupts = which & 0x80 ? 64 : 0,
	};
	const struct ward_range ram = { 0, 0xffff };

	for (unsigned int i = 0; i < FDS; i++)
		world->fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (ward_memory_create(&world->memory) || ward_memory_add(world->memory, ram, 0, NULL) ||
	    ward_readers_create(&world->readers) ||
	    ward_reader_create(world->readers, &world->reader))
		return false;
	return ward_vm_model(&options, world->memory, world->readers, &world->vm) == 0 &&
	       ward_vm_start(world->vm) == 0 && ward_routes_create(world->vm, &world->routes) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = { 0 };
	struct step step;

	if (size < 1 || (size - 1) / sizeof(step) > STEPS_MAX)
		return -1;
	require(make(&world, data[0]));
	for (size_t at = 1; at + sizeof(step) <= size; at += sizeof(step)) {
		memcpy(&step, data + at, sizeof(step));
		call(&world, &step);
	}
	ward_routes_destroy(world.routes);
	ward_vm_destroy(world.vm);
	ward_reader_destroy(world.reader);
	ward_readers_destroy(world.readers);
	ward_memory_destroy(world.memory);
	for (unsigned int i = 0; i < FDS; i++)
		close(world.fds[i]);
	return 0;
}
