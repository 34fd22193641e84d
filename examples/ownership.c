// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Cards that ring at one GICv2m frame, so whoever has one can raise the interrupts of the others: a
 * hand-over that is refused, one by plan, a card that is plugged in beside it, and the way back; on the
 * software machine, so it runs anywhere.
 *
 *	cc ownership.c $(pkg-config --cflags --libs doorward) && ./a.out
 *
 * The ownership only decides. What is decided is carried out by an executor: here that of the
 * software machine.
 */
#include <doorward/backend/model_executor.h>
#include <doorward/builder.h>
#include <doorward/memory.h>

#include <stdio.h>

#define CARDS 3u
#define LATE 2u /* is plugged in later */
#define RAM 0x80000000u
#define TABLES 0x90000000u

struct world {
	struct ward_machine *machine;
	struct ward_memory *memory;
	struct ward_backend *backend;
	struct ward_model_executor *executor;
	struct ward_ownership *ownership;
	struct ward_space *space; /* of the client */
};

static struct ward_function card(unsigned int i)
{
	struct ward_function f;

	ward_function_init(&f);
	f.address = (struct ward_address){ 0, ward_rid_make(0, i + 1, 0) };
	f.class_code = 0x020000;
	f.config_size = 4096;
	f.pcie_type = WARD_PCIE_RC_ENDPOINT;
	f.pcie_known = f.iommu_known = f.controller_known = f.resets_known = WARD_YES;
	f.ats = f.pasid = f.pri = f.acs.present = WARD_NO;
	f.resets = WARD_RESET_FLR;
	f.msix = true;
	f.msix_vectors = 2;
	f.stream = (struct ward_stream){ 0, ward_sid(ward_rid_raw(f.address.rid)) };
	f.controller = 0;
	return f;
}

static int make_machine(struct ward_machine **ret_machine)
{
	const struct ward_iommu smmu = { .kind = WARD_IOMMU_SMMUV3,
					 .name = "smmu",
					 .active = WARD_YES,
					 .controller = WARD_NONE };
	const struct ward_controller frame = { .kind = WARD_CONTROLLER_GICV2M,
					       .name = "GICv2m frame",
					       .isolates = WARD_NO,
					       .doorbells = { { 0x8020000, 0x8020fff } },
					       .doorbells_count = 1,
					       .first_intid = 80,
					       .intids = 8 };
	struct ward_builder *builder;
	int code = ward_builder_create(&builder);

	if (code)
		return code;
	code = ward_builder_set_host(builder, WARD_ARCH_ARM64, NULL, NULL, 4096);
	if (!code)
		code = ward_builder_add_iommu(builder, &smmu, NULL);
	if (!code)
		code = ward_builder_add_controller(builder, &frame, NULL);
	for (unsigned int i = 0; i < CARDS && !code; i++) {
		const struct ward_function f = card(i);

		code = ward_builder_add_function(builder, &f, NULL);
	}
	if (!code)
		return ward_builder_finish(builder, ret_machine, NULL);
	ward_builder_destroy(builder);
	return code;
}

/* Two cards have drivers of the host, in the books and on the software machine; one slot is empty. */
static int begin(struct world *world, struct ward_error *why)
{
	const struct ward_model_executor_options options = {
		.size = sizeof(options),
		.driver_memory = { RAM, RAM + 0xffff },
	};
	struct ward_state *state = NULL;
	int code = ward_state_create(world->machine, &state);

	for (uint32_t i = 0; i < LATE && !code; i++)
		code = ward_state_bind(state, i, "e1000e");
	if (!code) {
		state->functions[LATE].absent = true;
		code = ward_ownership_create(world->machine, state, NULL, &world->ownership);
	}
	if (!code)
		code = ward_model_executor_create(world->machine, world->backend, &options,
						  &world->executor);
	if (!code)
		code = ward_model_executor_adopt(world->executor, world->ownership, why);
	ward_state_destroy(state);
	return code;
}

/* Where vectors landed is seen afterwards, and cannot be refused: a fact. */
static int note_vectors(struct world *world)
{
	struct ward_event landed = { .size = sizeof(landed), .kind = WARD_EVENT_VECTOR };
	int code = 0;

	for (uint32_t i = 0; i < CARDS; i++) {
		uint32_t cursor = 0;

		landed.functions = &i;
		landed.functions_count = 1;
		while (!code &&
		       ward_model_executor_landed(world->executor, i, &cursor, &landed.controller))
			code = ward_ownership_apply(world->ownership, &landed, NULL, NULL);
	}
	return code;
}

static void print_reasons(const struct ward_verdict *verdict)
{
	for (uint32_t i = 0; verdict && i < verdict->findings_count; i++) {
		const struct ward_finding *finding = &verdict->findings[i];

		if (finding->weight >= WARD_OPEN)
			printf("  %s: %s\n", finding->code, finding->text);
	}
}

/* What is done, and that it was. The events of a plan happen to the ownership on the way. */
static int carry_out(struct world *world, struct ward_plan *plan, struct ward_error *why)
{
	const struct ward_executor executor = ward_model_executor(world->executor);
	struct ward_plan_result result;
	int code;

	for (uint32_t i = 0; i < plan->steps_count; i++)
		printf("  %s\n", plan->steps[i].text);
	code = ward_plan_run(world->ownership, plan, &executor, &result, why);
	if (!code)
		printf("  %s\n", result.end == WARD_PLAN_DONE ? "done" : why->text);
	ward_plan_destroy(plan);
	return code ? code : note_vectors(world);
}

static int hand_over(struct world *world, const struct ward_hand_over *what, struct ward_error *why)
{
	struct ward_outcome outcome = { 0 };
	struct ward_plan *plan = NULL;
	int code = ward_plan_hand_over(world->ownership, what, &plan, &outcome, why);

	if (code)
		return code;
	if (!plan) {
		printf("  refused\n");
		print_reasons(outcome.verdict);
	}
	ward_outcome_finish(&outcome);
	return plan ? carry_out(world, plan, why) : 0;
}

static int happen(struct world *world, const struct ward_event *event, struct ward_error *why)
{
	struct ward_plan *plan;
	int code = ward_plan_event(world->ownership, event, &plan);

	return code ? code : carry_out(world, plan, why);
}

/* The host's driver takes the card at once: nobody was asked, so it can only be contained. */
static int plug_in(struct world *world, struct ward_error *why)
{
	static const uint32_t late = LATE;
	struct ward_event event = { .size = sizeof(event),
				    .kind = WARD_EVENT_HOT_ADD,
				    .functions = &late,
				    .functions_count = 1,
				    .driver = "e1000e" };
	const struct ward_exposure *exposures;
	uint32_t count;
	int code;

	ward_model_present(world->backend, LATE, true);
	code = happen(world, &event, why);
	while (!code && ward_ownership_next(world->ownership, &event)) {
		printf("answered by %s:\n", ward_event_name(event.kind));
		code = happen(world, &event, why);
	}
	exposures = ward_ownership_exposures(world->ownership, &count);
	for (uint32_t i = 0; i < count; i++)
		printf("  from event %u to event %u: %s\n", (unsigned int)exposures[i].opened,
		       (unsigned int)exposures[i].contained, exposures[i].text);
	return code;
}

static int let_it_write(struct world *world)
{
	const struct ward_dma dma = {
		.pasid = WARD_PASID_NONE, .address = ward_iova(RAM), .write = true, .size = 4
	};
	struct ward_dma_result result;
	int code = ward_model_dma(world->backend, 0, &dma, &result);

	if (!code)
		printf("the guest's card writes to the host's memory: %s\n",
		       result.end == WARD_DMA_FAULT ? "a fault" : "it gets there");
	return code;
}

/* One card, then both, to a client; a third one comes; and both go back to the host. */
static int show(struct world *world, struct ward_error *why)
{
	static const uint32_t cards[] = { 0, 1 };
	struct ward_hand_over what = { .size = sizeof(what),
				       .functions = cards,
				       .functions_count = 1,
				       .to = WARD_OWNER_CLIENT,
				       .space = world->space };
	int code = ward_ownership_client(world->ownership, "guest", &what.client);

	printf("one card to the guest:\n");
	if (!code)
		code = hand_over(world, &what, why);
	printf("both cards to the guest:\n");
	what.functions_count = 2;
	if (!code)
		code = hand_over(world, &what, why);
	if (!code)
		code = let_it_write(world);
	printf("a card is plugged in:\n");
	if (!code)
		code = plug_in(world, why);
	printf("both cards back to the host:\n");
	what.to = WARD_OWNER_HOST;
	what.driver = "e1000e";
	return code ? code : hand_over(world, &what, why);
}

int main(void)
{
	const struct ward_space_options options = { .size = sizeof(options),
						    .kind = WARD_SPACE_UNMANAGED };
	const struct ward_range ram = { RAM, RAM + 0xffff };
	const struct ward_range tables = { TABLES, TABLES + 0x3ffff };
	struct ward_error why = { "no memory" };
	struct world world = { 0 };
	int code = make_machine(&world.machine);

	if (!code)
		code = ward_memory_create(&world.memory);
	if (!code)
		code = ward_memory_add(world.memory, ram, 0, NULL);
	if (!code)
		code = ward_memory_add(world.memory, tables, 0, NULL);
	if (!code)
		code = ward_backend_model(world.machine, world.memory, tables, &world.backend,
					  &why);
	if (!code)
		code = ward_backend_space(world.backend, &options, &world.space);
	if (!code)
		code = begin(&world, &why);
	if (!code)
		code = note_vectors(&world);
	if (!code)
		code = show(&world, &why);
	if (code)
		printf("%s\n", why.text);
	ward_model_executor_destroy(world.executor);
	ward_ownership_destroy(world.ownership);
	ward_space_destroy(world.space);
	ward_backend_destroy(world.backend);
	ward_memory_destroy(world.memory);
	ward_machine_destroy(world.machine);
	return code ? 1 : 0;
}
