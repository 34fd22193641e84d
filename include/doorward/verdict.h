/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Verdicts: may these functions be given to this client, in this state?
 *
 * Threads: a verdict never changes after it was made.
 */
#ifndef DOORWARD_VERDICT_H
#define DOORWARD_VERDICT_H

#include <doorward/isolation.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/** Version of the rules; it changes when the same machine may be judged differently. */
#define WARD_RULES_VERSION "1"

enum ward_answer {
	WARD_SAFE,
	WARD_UNSAFE,
	WARD_CANNOT_TELL,
};

/** What a finding does to the answer. */
enum ward_weight {
	WARD_NOTE,   /**< nothing: worth knowing */
	WARD_HAZARD, /**< nothing by itself: a weakness to know about (availability, trust) */
	WARD_OPEN,   /**< the answer cannot be safe before the fact is settled */
	WARD_BLOCKS, /**< the hand-over is not safe, or cannot be done */
};

/** How a function's interrupts are separated from those of others. */
enum ward_grade {
	WARD_GRADE_ISOLATED,	      /**< its controller tells writers apart */
	WARD_GRADE_EXCLUSIVE,	      /**< a doorbell that nobody else uses */
	WARD_GRADE_SHARED_WITH_OWN,   /**< shared with functions of the same client only */
	WARD_GRADE_SHARED_WITH_HOST,  /**< it can raise interrupts of the host */
	WARD_GRADE_SHARED_WITH_OTHER, /**< it can raise interrupts of another client */
	WARD_GRADE_NONE, /**< it has no message-signalled interrupts and reaches no doorbell */
	WARD_GRADE_UNKNOWN,
};

/** By what a hand-over is judged. */
enum ward_policy {
	WARD_POLICY_STRICT, /**< by reach */
	WARD_POLICY_LINUX,  /**< by what Linux enforces; what that leaves open becomes a hazard */
};

/** What a remedy does. Most kinds can be tried on a model with ward_suppose(). */
enum ward_remedy_kind {
	WARD_REMEDY_UNBIND,	  /**< unbind subject's driver */
	WARD_REMEDY_CLAIM_TOO,	  /**< give the subject to the same client */
	WARD_REMEDY_ENABLE_IOMMU, /**< kernel parameter or firmware setting */
	WARD_REMEDY_ENABLE_REMAP, /**< interrupt remapping: kernel parameter or firmware setting */
	WARD_REMEDY_ENABLE_ACS,	  /**< switch ACS on at the subject */
	WARD_REMEDY_MOVE_CARD,	  /**< another slot */
	WARD_REMEDY_USE_INTX,	  /**< take the subject off MSI */
	WARD_REMEDY_ALLOW_UNSAFE, /**< open allow_unsafe_interrupts for this one attach */
	WARD_REMEDY_ATS_OFF,	  /**< boot with pci=noats */
	WARD_REMEDY_FIRMWARE,	  /**< a setting or update of the firmware */
	WARD_REMEDY_LOOK_AS_ROOT, /**< run again as root, so that config space can be read */
	WARD_REMEDY_WAKE,	  /**< run again with --wake */
	WARD_REMEDY_WAIVE,	  /**< accept the risk by code */
	WARD_REMEDY_USE_OTHER_FUNCTION, /**< give away something else */
	WARD_REMEDY_VFS_OFF,		/**< remove the VFs of the subject, a PF */
	WARD_REMEDY_OTHER_SPACE, /**< change what the subject's space maps, or take another */
};

struct ward_remedy {
	enum ward_remedy_kind kind;
	uint32_t subject; /**< index of the function it acts on, or WARD_NONE */
	/** What it does, one line. */
	const char *text;
	/** What to type; NULL when nothing can be typed. */
	const char *command;
};

/** One reason. Strings belong to the verdict. */
struct ward_finding {
	const char *code; /**< stable: "peer-dma"; docs/findings.md lists all */
	enum ward_weight weight;
	/** Accepted by a waiver: it no longer counts, and shows for ever after. */
	bool waived;
	uint32_t subject;	      /**< the function it is about */
	uint32_t blocker;	      /**< the function in the way, or WARD_NONE */
	const char *text;	      /**< one sentence: who, through what, to what */
	const struct ward_step *path; /**< witness, or NULL */
	uint32_t path_count;
	/** Where it rests on something unknown: the one fact that would settle it; else NULL. */
	const char *settle;
	const struct ward_remedy *remedies; /**< best first */
	uint32_t remedies_count;
};

struct ward_verdict {
	enum ward_answer answer;
	enum ward_policy policy;
	enum ward_grade grade;		     /**< the worst of the functions judged */
	const struct ward_finding *findings; /**< heaviest first */
	uint32_t findings_count;
	const char *const *assumptions; /**< sentences the answer rests on */
	uint32_t assumptions_count;
	/** The partition the functions judged belong to: all members, by index. */
	const uint32_t *members;
	uint32_t members_count;
};

/** Accepts findings of one code, for one function or for all. */
struct ward_waiver {
	const char *code;
	bool any_function;
	struct ward_address address; /**< when not any_function */
	const char *reason;	     /**< or NULL */
};

/** What to judge. Set size to sizeof(struct ward_question). */
struct ward_question {
	size_t size;
	const uint32_t *functions; /**< indexes */
	uint32_t functions_count;
	/** Index of the client in the state, or WARD_NONE: a new one that owns nothing. */
	uint32_t client;
	enum ward_policy policy;
	const struct ward_waiver *waivers;
	uint32_t waivers_count;
};

/**
 * Judges a hand-over: these functions to this client, in this state. Nothing is changed. Somebody
 * frozen starts nothing; those judged count as if they were thawed. Costs what is reached and what
 * leads to the functions judged, not what the machine has.
 * @param isolation what the machine isolates
 * @param state the state to judge in, of the same machine
 * @param question what to judge
 * @param ret_verdict the verdict; the caller destroys it
 * @return 0; -EINVAL no function, an index or a size is wrong; -ENOMEM
 */
int ward_check(const struct ward_isolation *isolation, const struct ward_state *state,
	       const struct ward_question *question, struct ward_verdict **ret_verdict);

/** Answer and grade of one function judged alone, without its reasons. */
struct ward_summary {
	enum ward_answer answer;
	enum ward_grade grade;
	const char *code; /**< of the heaviest finding, or NULL */
};

/**
 * Judges every function alone, as if each were given to a new client; all in one pass.
 * @param isolation what the machine isolates
 * @param state the state to judge in
 * @param policy by what
 * @param ret_summaries one per function, allocated; the caller frees it with free()
 * @return 0 or -ENOMEM
 */
int ward_check_all(const struct ward_isolation *isolation, const struct ward_state *state,
		   enum ward_policy policy, struct ward_summary **ret_summaries);

/**
 * Destroys a verdict.
 * @param verdict a verdict, or NULL
 */
void ward_verdict_destroy(struct ward_verdict *verdict);

/** One row of the list of findings. */
struct ward_finding_info {
	const char *code;
	const char *meaning; /**< one sentence */
};

/**
 * The list of all findings, ended by a row with a NULL code.
 * @return the list
 */
const struct ward_finding_info *ward_findings(void);

/** The words for an answer, a weight, a grade ("safe", "blocks", "shared-with-host"). */
const char *ward_answer_name(enum ward_answer answer);
const char *ward_weight_name(enum ward_weight weight);
const char *ward_grade_name(enum ward_grade grade);

/** What to suppose. */
enum ward_supposition_kind {
	WARD_SUPPOSE_ACS,	 /**< function: a bridge or function with all of ACS on */
	WARD_SUPPOSE_INTX,	 /**< function: off MSI */
	WARD_SUPPOSE_OWNER,	 /**< function: owned by name (a client, "host" or "nobody") */
	WARD_SUPPOSE_MSI_PARENT, /**< function: its controller is the one called name */
	WARD_SUPPOSE_DRIVER,	 /**< function: bound to name, or to nothing with NULL */
	WARD_SUPPOSE_IOMMU,	 /**< every function is translated */
	WARD_SUPPOSE_REMAPPING,	 /**< interrupts are remapped */
	WARD_SUPPOSE_NO_ATS,	 /**< function: ATS off; WARD_NONE: everywhere */
	/**
	 * function, and with it its kernel group: in a space that is name, "identity" or "blocked",
	 * or, with "dma", in one of the kernel's of which the mappings are not known.
	 */
	WARD_SUPPOSE_SPACE,
};

struct ward_supposition {
	enum ward_supposition_kind kind;
	uint32_t function; /**< index, or WARD_NONE where none is needed */
	const char *name;  /**< or NULL */
};

/**
 * Makes a copy of a machine and its state in which some things are different. The copies borrow
 * strings of the originals and must be destroyed before them, the state first.
 * @param machine a machine
 * @param state its state
 * @param suppositions what is different
 * @param count how many
 * @param ret_machine the copy
 * @param ret_state the copy's state
 * @param ret_error a sentence on failure; may be NULL
 * @return 0; -EINVAL it cannot be so (a VF has no INTx; no such controller); -ENOMEM
 */
int ward_suppose(const struct ward_machine *machine, const struct ward_state *state,
		 const struct ward_supposition *suppositions, uint32_t count,
		 struct ward_machine **ret_machine, struct ward_state **ret_state,
		 struct ward_error *ret_error);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
