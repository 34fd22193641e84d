/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * What does a message ring? A guest writes an address into a vector; before a route is made, a VM monitor
 * has to know which of the guest's doorbells that is. Either nothing translates the device's
 * messages and the address is a guest physical one, or the guest's stage 1 has to be walked. The same
 * question for a host: does this address lead to the doorbell of the device's own controller?
 *
 * Threads: as for the space.
 */
#ifndef DOORWARD_RESOLVE_H
#define DOORWARD_RESOLVE_H

#include <doorward/message.h>
#include <doorward/stage1.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/** A doorbell register. */
struct ward_doorbell_frame {
	struct ward_range registers; /**< guest physical, or physical of the host */
	uint32_t controller;	     /**< whoever asks knows what it means */
};

/** What the frames are, where the guest has a stage 1 of its own (a nested space). */
enum ward_frames_of {
	/** Registers of the host: through both stages. */
	WARD_FRAMES_PHYSICAL,
	/**
	 * Registers that the guest sees, and the function writes to the address that the guest
	 * chose: through stage 1, and what that leads to has to exist in stage 2 as well.
	 */
	WARD_FRAMES_GUEST,
	/**
	 * Registers that the guest sees, and no function writes there: it is emulated, or the host
	 * gives it another address. Through stage 1; a doorbell need not be in stage 2.
	 */
	WARD_FRAMES_EMULATED,
};

/** The question. Set size to sizeof(struct ward_resolve_options). */
struct ward_resolve_options {
	size_t size;
	/** What translates the messages. NULL (or an identity space): nothing does. */
	const struct ward_space *space;
	enum ward_frames_of frames_of; /**< nested: which stages are walked */
	ward_pasid_t pasid;	       /**< or WARD_PASID_NONE; MSIs have none */
	/** All doorbells there are. */
	const struct ward_doorbell_frame *frames;
	uint32_t frames_count;
	/** The only controller that it may be, or WARD_NONE: any. */
	uint32_t controller;
};

/** How the walk ended. */
enum ward_resolution_end {
	WARD_RESOLVED,		 /**< at a doorbell: frame */
	WARD_RESOLVED_FAULT,	 /**< a write there faults, in stage 1 or for want of permission */
	WARD_RESOLVED_DANGLING,	 /**< stage 1 leads to a page that stage 2 does not have */
	WARD_RESOLVED_MEMORY,	 /**< at something that is no doorbell */
	WARD_RESOLVED_FOREIGN,	 /**< at the doorbell of another controller: frame */
	WARD_RESOLVED_MISPLACED, /**< in the page (4 KiB) of a doorbell, beside its register */
};

#define WARD_RESOLUTION_STEPS 32u

/** The answer. */
struct ward_resolution {
	enum ward_resolution_end end;
	uint32_t frame; /**< index into frames, or WARD_NONE */
	/** Where it leads, in the terms of frames; DANGLING: guest physical; FAULT: 0. */
	uint64_t address;
	struct ward_fault fault; /**< FAULT, DANGLING */
	uint32_t steps_count;	 /**< at most WARD_RESOLUTION_STEPS, then the first of them */
	struct ward_walk_step steps[WARD_RESOLUTION_STEPS];
};

/**
 * Follows a message to its doorbell. Changes nothing, records no fault.
 * @param options the question
 * @param message the message; only its address is looked at
 * @param ret_resolution the answer; filled for every code but -EINVAL
 * @return 0 it rings frames[frame]; -EFAULT FAULT or DANGLING; -ENOENT MEMORY or MISPLACED; -EPERM
 * FOREIGN; -EINVAL options
 */
int ward_doorbell_resolve(const struct ward_resolve_options *options,
			  const struct ward_message *message,
			  struct ward_resolution *ret_resolution);

/** Room for the text of a resolution. */
#define WARD_RESOLUTION_TEXT 512

/**
 * A resolution in one sentence, with the walk: "0xeeee0040 -> stage 1 level 3: 0x8080040 -> stage 2:
 * nothing is mapped there".
 * @param resolution a resolution
 * @param message what was asked
 * @param ret_text the sentence, cut when it is longer
 */
void ward_resolution_format(const struct ward_resolution *resolution,
			    const struct ward_message *message,
			    char ret_text[WARD_RESOLUTION_TEXT]);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
