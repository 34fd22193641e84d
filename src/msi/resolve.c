// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Which doorbell an address leads to. One function for a host's question and a monitor's; they
 * differ in how many stages lie before the doorbells they ask for.
 */
#include <doorward/resolve.h>

#include <errno.h>

/* The smallest page of any IOMMU: what is beside a register in it was meant for the register. */
#define PAGE_SHIFT 12

static bool make_sense(const struct ward_resolve_options *options)
{
	if (options->size != sizeof(*options) ||
	    (uint32_t)options->frames_of > WARD_FRAMES_EMULATED ||
	    (options->frames_count > 0 && !options->frames))
		return false;
	for (uint32_t i = 0; i < options->frames_count; i++) {
		if (ward_range_is_empty(options->frames[i].registers))
			return false;
	}
	return true;
}

/* The way so far: the steps for the answer, and the last one, which may be beyond their room. */
struct way {
	struct ward_resolution *resolution;
	struct ward_walk_step last;
	bool dangles; /* stage 2 lacks the page, which is no matter if it is a doorbell's */
};

static void keep_step(void *context, const struct ward_walk_step *step)
{
	struct way *way = context;
	struct ward_resolution *resolution = way->resolution;

	way->last = *step;
	if (resolution->steps_count < WARD_RESOLUTION_STEPS)
		resolution->steps[resolution->steps_count++] = *step;
}

/* Where both stages lead, or what frames say that is asked for. 0, or -EFAULT and the end is set. */
static int follow_nested(const struct ward_resolve_options *options, ward_iova_t iova,
			 struct way *way, uint64_t *ret_address)
{
	struct ward_resolution *resolution = way->resolution;
	struct ward_fault *fault = &resolution->fault;
	struct ward_translation translation;
	bool passed_stage1;

	if (ward_space_walk(options->space, options->pasid, iova, WARD_WRITE, keep_step, way,
			    &translation, fault) == 0) {
		/* The last thing looked up is what stage 1 put out. */
		*ret_address = options->frames_of == WARD_FRAMES_PHYSICAL
				       ? ward_target_raw(translation.target)
				       : way->last.input;
		return 0;
	}
	passed_stage1 = fault->stage == 2 && fault->fault_class == WARD_CLASS_INPUT;
	if (passed_stage1 && options->frames_of == WARD_FRAMES_EMULATED) {
		*ret_address = ward_gpa_raw(fault->gpa);
		way->dangles = fault->reason != WARD_FAULT_PERMISSION;
		return 0;
	}
	/* Permission is refused by a page that is there. */
	if (passed_stage1 && fault->reason != WARD_FAULT_PERMISSION) {
		resolution->end = WARD_RESOLVED_DANGLING;
		resolution->address = ward_gpa_raw(fault->gpa);
		return -EFAULT;
	}
	resolution->end = WARD_RESOLVED_FAULT;
	return -EFAULT;
}

static int follow_plain(const struct ward_resolve_options *options, ward_iova_t iova,
			struct way *way, uint64_t *ret_address)
{
	struct ward_walk_step step = { .stage = 2, .level = WARD_NO_LEVEL };
	struct ward_translation translation;

	if (ward_space_translate(options->space, NULL, WARD_PASID_NONE, iova, WARD_WRITE,
				 &translation, &way->resolution->fault)) {
		way->resolution->end = WARD_RESOLVED_FAULT;
		return -EFAULT;
	}
	*ret_address = ward_target_raw(translation.target);
	step.input = ward_iova_raw(iova);
	step.output = *ret_address;
	keep_step(way, &step);
	return 0;
}

static int follow(const struct ward_resolve_options *options, ward_iova_t iova, struct way *way,
		  uint64_t *ret_address)
{
	struct ward_space_info info;

	if (options->space) {
		ward_space_info(options->space, &info);
		if (info.kind == WARD_SPACE_NESTED)
			return follow_nested(options, iova, way, ret_address);
		if (info.kind != WARD_SPACE_IDENTITY)
			return follow_plain(options, iova, way, ret_address);
	}
	*ret_address = ward_iova_raw(iova);
	return 0;
}

static bool shares_page(struct ward_range registers, uint64_t address)
{
	return registers.start >> PAGE_SHIFT <= address >> PAGE_SHIFT &&
	       address >> PAGE_SHIFT <= registers.last >> PAGE_SHIFT;
}

/* What is at an address. The right doorbell comes before a foreign one, and that before a page. */
static int find_frame(const struct ward_resolve_options *options, uint64_t address,
		      struct ward_resolution *resolution)
{
	static const int codes[] = {
		[WARD_RESOLVED] = 0,
		[WARD_RESOLVED_MEMORY] = -ENOENT,
		[WARD_RESOLVED_FOREIGN] = -EPERM,
		[WARD_RESOLVED_MISPLACED] = -ENOENT,
	};

	resolution->end = WARD_RESOLVED_MEMORY;
	resolution->address = address;
	for (uint32_t i = 0; i < options->frames_count; i++) {
		const struct ward_doorbell_frame *frame = &options->frames[i];
		enum ward_resolution_end end = WARD_RESOLVED_MEMORY;

		if (ward_range_has(frame->registers, address))
			end = options->controller == WARD_NONE ||
					      options->controller == frame->controller
				      ? WARD_RESOLVED
				      : WARD_RESOLVED_FOREIGN;
		else if (shares_page(frame->registers, address))
			end = WARD_RESOLVED_MISPLACED;
		if (end == WARD_RESOLVED_MEMORY ||
		    (end == WARD_RESOLVED_MISPLACED && resolution->frame != WARD_NONE) ||
		    (end == WARD_RESOLVED_FOREIGN && resolution->end == WARD_RESOLVED_FOREIGN))
			continue;
		resolution->end = end;
		resolution->frame = i;
		if (end == WARD_RESOLVED)
			break;
	}
	return codes[resolution->end];
}

int ward_doorbell_resolve(const struct ward_resolve_options *options,
			  const struct ward_message *message,
			  struct ward_resolution *ret_resolution)
{
	struct way way = { .resolution = ret_resolution };
	uint64_t address;
	int code;

	if (!make_sense(options))
		return -EINVAL;
	*ret_resolution = (struct ward_resolution){
		.frame = WARD_NONE,
		.fault = { .level = WARD_NO_LEVEL },
	};
	code = follow(options, message->address, &way, &address);
	if (code)
		return code;
	code = find_frame(options, address, ret_resolution);
	if (way.dangles && ret_resolution->end == WARD_RESOLVED_MEMORY) {
		ret_resolution->end = WARD_RESOLVED_DANGLING;
		return -EFAULT;
	}
	return code;
}
