// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The host's half: vector, message, the way of a DMA, doorbell, controller, interrupt, eventfd. */
#include "msi/trace.h"

#include <errno.h>
#include <string.h>

#include <doorward/region.h>

/* Linux numbers MSIs by function and vector (pci_msi_domain_calc_hwirq), newer ones by vector. */
#define HWIRQ_VECTOR 0x7ffu

static const struct ward_machine *machine_of(const struct ward_trace *trace)
{
	return trace->options->state->machine;
}

static const struct ward_function *function_of(const struct ward_trace *trace)
{
	return &machine_of(trace)->functions[trace->options->function];
}

static const struct ward_function_state *function_state(const struct ward_trace *trace)
{
	return &trace->options->state->functions[trace->options->function];
}

static const char *mode_name(uint32_t index)
{
	return index == WARD_IRQS_MSI ? "MSI" : "MSI-X";
}

static uint32_t vectors_of(const struct ward_trace *trace)
{
	const struct ward_function *f = function_of(trace);

	if (trace->options->index == WARD_IRQS_MSI)
		return f->msi ? f->msi_vectors : 0;
	return f->msix ? f->msix_vectors : 0;
}

/* What the driver of a function does instead. */
static const char *uses(enum ward_irq_mode mode)
{
	switch (mode) {
	case WARD_IRQ_INTX:
		return "its driver uses the interrupt pin";
	case WARD_IRQ_MSI:
		return "its driver uses MSI";
	case WARD_IRQ_MSIX:
		return "its driver uses MSI-X";
	case WARD_IRQ_UNKNOWN:
	case WARD_IRQ_NONE:
		break;
	}
	return "its driver has switched no interrupts on";
}

static void tell_vector(struct ward_trace *trace, const struct ward_host_irq *irq)
{
	enum ward_irq_mode wanted =
		trace->options->index == WARD_IRQS_MSI ? WARD_IRQ_MSI : WARD_IRQ_MSIX;
	enum ward_irq_mode mode = function_state(trace)->irq_mode;
	const char *name = mode_name(trace->options->index), *of = function_of(trace)->name;

	ward_trace_begin(trace, WARD_HOP_VECTOR);
	ward_trace_field(trace, "vector", trace->options->vector, false);
	if (irq && !irq->allocated)
		ward_trace_stop(trace, "%s vector %u of %s is not enabled", name,
				trace->options->vector, of);
	else if (!irq && mode != wanted && mode != WARD_IRQ_UNKNOWN)
		ward_trace_stop(trace, "%s uses no %s now: %s", of, name,
				function_state(trace)->driver ? uses(mode) : "no driver is bound");
	else
		ward_trace_say(trace, "%s vector %u of %s", name, trace->options->vector, of);
}

/* As the device was given it, or as config space has it; false: nobody tells. */
static bool find_message(const struct ward_trace *trace, const struct ward_host_irq *irq,
			 struct ward_message *ret_message)
{
	const struct ward_function *f = function_of(trace);

	if (irq && irq->message_known) {
		*ret_message = irq->message;
		return true;
	}
	if (irq || trace->options->index != WARD_IRQS_MSI || !f->msi_message_known)
		return false;
	*ret_message = f->msi_message;
	ret_message->data |= trace->options->vector;
	return true;
}

static void tell_message(struct ward_trace *trace, const struct ward_host_irq *irq,
			 const struct ward_message *message)
{
	ward_trace_begin(trace, WARD_HOP_MESSAGE);
	if (!message) {
		ward_trace_hide(trace,
				"stands in the function's registers, which are its driver's");
		return;
	}
	ward_trace_field(trace, "address", ward_iova_raw(message->address), true);
	ward_trace_field(trace, "data", message->data, true);
	ward_trace_say(trace, "writes 0x%x to 0x%llx%s", message->data,
		       (unsigned long long)ward_iova_raw(message->address),
		       irq && irq->prepared ? ", an address that its owner chose" : "");
}

static void tell_step(struct ward_trace *trace, const struct ward_walk_step *step)
{
	ward_trace_begin(trace, step->stage == 2 ? WARD_HOP_STAGE2 : WARD_HOP_STAGE1);
	ward_trace_field(trace, "input", step->input, true);
	ward_trace_field(trace, "output", step->output, true);
	if (step->stage == 0)
		ward_trace_say(trace, "context descriptor at 0x%llx",
			       (unsigned long long)step->entry_at);
	else if (step->level == WARD_NO_LEVEL)
		ward_trace_say(trace, "0x%llx -> 0x%llx", (unsigned long long)step->input,
			       (unsigned long long)step->output);
	else
		ward_trace_say(trace, "0x%llx -> 0x%llx (level %d, entry at 0x%llx)",
			       (unsigned long long)step->input, (unsigned long long)step->output,
			       step->level, (unsigned long long)step->entry_at);
}

/* Whether the message ends at a doorbell of this controller: as ward_doorbell_resolve. */
static int try_controller(const struct ward_trace *trace, const struct ward_message *message,
			  uint32_t controller, struct ward_resolution *ret_resolution)
{
	const struct ward_controller *c = &machine_of(trace)->controllers[controller];
	struct ward_doorbell_frame frames[WARD_DOORBELL_RANGES];
	struct ward_resolve_options options = { .size = sizeof(options),
						.space = trace->options->space,
						.pasid = WARD_PASID_NONE,
						.frames = frames,
						.controller = WARD_NONE };

	for (uint32_t i = 0; !ward_controller_is_x86(c) && i < c->doorbells_count; i++)
		frames[options.frames_count++] =
			(struct ward_doorbell_frame){ ward_controller_register(c, i), controller };
	return ward_doorbell_resolve(&options, message, ret_resolution);
}

/* Follows the message through the space to a doorbell; *ret_controller: whose. */
static void follow(struct ward_trace *trace, const struct ward_message *message,
		   uint32_t *ret_controller)
{
	struct ward_resolution resolution = { .end = WARD_RESOLVED_MEMORY, .frame = WARD_NONE };
	struct ward_resolution one = resolution;
	char text[WARD_RESOLUTION_TEXT];
	int code = -ENOENT;

	/* The way is the same each time; that it ends beside a doorbell says more than in memory. */
	for (uint32_t i = 0; i < machine_of(trace)->controllers_count && code == -ENOENT; i++) {
		code = try_controller(trace, message, i, &one);
		if (one.end != WARD_RESOLVED_MEMORY || resolution.end == WARD_RESOLVED_MEMORY)
			resolution = one;
		*ret_controller = i;
	}
	for (uint32_t i = 0; i < resolution.steps_count; i++)
		tell_step(trace, &resolution.steps[i]);
	ward_trace_begin(trace, WARD_HOP_DOORBELL);
	if (code) {
		ward_resolution_format(&resolution, message, text);
		ward_trace_stop(trace, "%.200s", text);
		return;
	}
	ward_trace_field(trace, "address", resolution.address, true);
	ward_trace_say(trace, "0x%llx", (unsigned long long)resolution.address);
}

static bool in_x86_window(const struct ward_message *message)
{
	uint64_t address = ward_iova_raw(message->address);

	return address >= WARD_X86_MSI_START && address <= WARD_X86_MSI_LAST;
}

/* The space that the state says it is in, or what the kernel says of its group. */
static enum ward_group_type kind_of_space(const struct ward_trace *trace)
{
	const struct ward_state *state = trace->options->state;
	uint32_t group = function_of(trace)->group;

	for (uint32_t i = 0; i < state->attachments_count; i++) {
		const struct ward_attachment *a = &state->attachments[i];
		struct ward_space_info info;

		if (a->function != trace->options->function || a->pasid != WARD_PASID_NONE)
			continue;
		ward_space_info(a->space, &info);
		return info.kind == WARD_SPACE_IDENTITY	 ? WARD_GROUP_IDENTITY
		       : info.kind == WARD_SPACE_BLOCKED ? WARD_GROUP_BLOCKED
							 : WARD_GROUP_DMA;
	}
	return group == WARD_NONE ? WARD_GROUP_TYPE_UNKNOWN : machine_of(trace)->groups[group].type;
}

/* What an IOMMU does to a message that is not seen. */
static void assume_translation(struct ward_trace *trace, const struct ward_iommu *iommu)
{
	enum ward_group_type kind = kind_of_space(trace);

	ward_trace_begin(trace, WARD_HOP_STAGE2);
	if (iommu->active == WARD_NO)
		ward_trace_say(trace, "%s is not in use: nothing is translated", iommu->name);
	else if (kind == WARD_GROUP_BLOCKED)
		ward_trace_stop(trace, "%s lets nothing through: the function's space is blocked",
				iommu->name);
	else if (kind == WARD_GROUP_IDENTITY)
		ward_trace_say(trace, "%s changes no address: the function's space is identity",
			       iommu->name);
	else
		ward_trace_hide(trace, "%s translates it by mappings that are the kernel's",
				iommu->name);
}

/* It translates by mappings that nobody shows us. */
static bool is_hidden(const struct ward_trace *trace, const struct ward_iommu *iommu)
{
	return iommu && iommu->active != WARD_NO && !trace->options->device &&
	       !trace->options->space && kind_of_space(trace) != WARD_GROUP_IDENTITY;
}

static const struct ward_iommu *iommu_of(const struct ward_trace *trace)
{
	uint32_t iommu = function_of(trace)->stream.iommu;

	return iommu == WARD_NONE ? NULL : &machine_of(trace)->iommus[iommu];
}

/* What is known without following it: the doorbell of the function's own controller. */
static void assume_doorbell(struct ward_trace *trace, uint32_t *ret_controller)
{
	const struct ward_function *f = function_of(trace);
	const struct ward_iommu *iommu = iommu_of(trace);

	*ret_controller = f->controller_known == WARD_YES ? f->controller : WARD_NONE;
	if (iommu && *ret_controller != WARD_NONE &&
	    !ward_controller_is_x86(&machine_of(trace)->controllers[*ret_controller]))
		assume_translation(trace, iommu);
	if (trace->stopped)
		return;
	ward_trace_begin(trace, WARD_HOP_DOORBELL);
	if (*ret_controller == WARD_NONE) {
		trace->now.known = false;
		ward_trace_stop(trace, "it is not known which MSI controller this function has");
		return;
	}
	ward_trace_field(
		trace, "address",
		ward_controller_register(&machine_of(trace)->controllers[*ret_controller], 0).start,
		true);
	ward_trace_say(trace, "that of its own controller (%s)",
		       f->controller_evidence ? f->controller_evidence : "so it was built");
}

static void tell_doorbell(struct ward_trace *trace, const struct ward_message *message,
			  uint32_t *ret_controller)
{
	bool x86 = message && machine_of(trace)->arch == WARD_ARCH_X86 && in_x86_window(message);

	if (!message || (!x86 && is_hidden(trace, iommu_of(trace)))) {
		assume_doorbell(trace, ret_controller);
		return;
	}
	if (x86) {
		*ret_controller = function_of(trace)->controller;
		ward_trace_begin(trace, WARD_HOP_DOORBELL);
		ward_trace_field(trace, "address", ward_iova_raw(message->address), true);
		ward_trace_say(trace, "in the interrupt window of x86, which nothing translates");
		return;
	}
	follow(trace, message, ret_controller);
}

/* Intel's remappable format (VT-d specification, 5.1.2.2). */
static uint32_t remapping_entry(const struct ward_message *message)
{
	uint64_t address = ward_iova_raw(message->address);
	uint32_t handle = (uint32_t)(address >> 5 & 0x7fff) | (uint32_t)(address >> 2 & 1) << 15;

	return handle + (address >> 3 & 1 ? message->data & 0xffff : 0);
}

static const char *kind_of_writers(const struct ward_controller *c)
{
	return c->isolates == WARD_YES	? "tells writers apart"
	       : c->isolates == WARD_NO ? "does not tell writers apart"
					: "may or may not tell writers apart";
}

static void tell_controller(struct ward_trace *trace, uint32_t controller,
			    const struct ward_message *message)
{
	const struct ward_controller *c;

	ward_trace_begin(trace, WARD_HOP_CONTROLLER);
	if (controller == WARD_NONE) {
		ward_trace_hide(trace, "none that this machine is known to have");
		return;
	}
	c = &machine_of(trace)->controllers[controller];
	if (c->kind == WARD_CONTROLLER_GICV3_ITS) {
		ward_trace_field(trace, "device_id", ward_devid_raw(function_of(trace)->devid),
				 true);
		ward_trace_say(trace, "%s looks it up in the table of DeviceID 0x%x", c->name,
			       ward_devid_raw(function_of(trace)->devid));
	} else if (c->kind == WARD_CONTROLLER_X86_REMAPPING && message &&
		   ward_iova_raw(message->address) & 0x10) {
		ward_trace_field(trace, "entry", remapping_entry(message), false);
		ward_trace_say(trace, "%s, entry %u: it %s", c->name, remapping_entry(message),
			       kind_of_writers(c));
	} else {
		ward_trace_say(trace, "%s, which %s", c->name, kind_of_writers(c));
	}
}

/* The host's record of a vector; NULL: it has none. */
static const struct ward_host_vector *record_of(const struct ward_trace *trace)
{
	const struct ward_state *state = trace->options->state;
	const struct ward_host_vector *found = NULL;

	for (uint32_t i = 0; i < state->vectors_count; i++) {
		const struct ward_host_vector *v = &state->vectors[i];

		if (v->function == trace->options->function &&
		    (v->hwirq & HWIRQ_VECTOR) == trace->options->vector)
			found = v;
	}
	return found;
}

static uint32_t records_of(const struct ward_trace *trace)
{
	const struct ward_state *state = trace->options->state;
	uint32_t count = 0;

	for (uint32_t i = 0; i < state->vectors_count; i++)
		count += state->vectors[i].function == trace->options->function;
	return count;
}

static void tell_interrupt(struct ward_trace *trace, const struct ward_host_irq *irq)
{
	const struct ward_host_vector *record = record_of(trace);

	ward_trace_begin(trace, WARD_HOP_HOST_INTERRUPT);
	if (irq && irq->number != WARD_NONE) {
		ward_trace_field(trace, "number", irq->number, false);
		ward_trace_say(trace, "%s %u",
			       machine_of(trace)->arch == WARD_ARCH_X86 ? "vector" : "INTID",
			       irq->number);
	} else if (record) {
		ward_trace_field(trace, "irq", record->irq, false);
		ward_trace_say(trace, "interrupt %u of the host (%s)", record->irq,
			       record->chip ? record->chip : "chip unknown");
	} else if (irq) {
		ward_trace_hide(trace, "the kernel does not tell its number");
	} else {
		ward_trace_stop(trace,
				"the host has no interrupt for this vector: the driver has %u of %u "
				"vectors",
				records_of(trace), vectors_of(trace));
	}
}

/* From the state alone: it ends at the host's driver, or with somebody whose eventfds are his. */
static void tell_driver(struct ward_trace *trace)
{
	const struct ward_function_state *s = function_state(trace);

	ward_trace_begin(trace, WARD_HOP_EVENTFD);
	if (!s->driver) {
		ward_trace_stop(trace, "no driver is bound: nobody takes it");
	} else if (s->driver_yields) {
		trace->now.known = false;
		ward_trace_stop(trace,
				"%s hands it to an eventfd of the process that has the device; "
				"what that does with it is not seen from here",
				s->driver);
	} else {
		ward_trace_say(trace, "none: driver %s of the host takes it", s->driver);
	}
}

static void tell_eventfd(struct ward_trace *trace, const struct ward_host_irq *irq)
{
	if (!irq) {
		tell_driver(trace);
		return;
	}
	ward_trace_begin(trace, WARD_HOP_EVENTFD);
	if (irq->eventfd < 0) {
		ward_trace_stop(trace, "none was given: nobody is told");
		return;
	}
	ward_trace_say(trace, "the one that was given is written");
}

int ward_trace_host(struct ward_trace *trace)
{
	const struct ward_message *message;
	uint32_t controller = WARD_NONE;
	struct ward_host_irq known, *irq = NULL;
	struct ward_message found;
	int code;

	if (trace->options->vector >= vectors_of(trace))
		return -EINVAL;
	if (trace->options->device) {
		code = ward_device_irq(trace->options->device, trace->options->index,
				       trace->options->vector, &known);
		if (code)
			return code;
		irq = &known;
	}
	message = find_message(trace, irq, &found) ? &found : NULL;
	tell_vector(trace, irq);
	if (!trace->stopped)
		tell_message(trace, irq, message);
	if (!trace->stopped)
		tell_doorbell(trace, message, &controller);
	if (!trace->stopped)
		tell_controller(trace, controller, message);
	if (!trace->stopped)
		tell_interrupt(trace, irq);
	if (!trace->stopped)
		tell_eventfd(trace, irq);
	return 0;
}
