/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The space that a function is in now, and what a client's space always contains. */
#ifndef CLI_SPACE_H
#define CLI_SPACE_H

#include "cli/cli.h"

enum cli_space_kind {
	CLI_SPACE_NONE,	    /* nothing translates */
	CLI_SPACE_UNKNOWN,  /* whether, or how, it is translated could not be told */
	CLI_SPACE_IDENTITY, /* all memory */
	CLI_SPACE_BLOCKED,  /* no memory */
	CLI_SPACE_DMA,	    /* what its driver maps */
	CLI_SPACE_MAPPED,   /* what the state says is mapped */
	CLI_SPACE_CLIENT,   /* what a client mapped who has it open */
};

/* A page that holds doorbells: what a client's function writes its messages to. */
struct cli_doorbell_page {
	struct ward_range range;
	char *doorbells; /* controllers that vectors of the function may come from */
	char *others;	 /* what else lies in the page; "" when nothing is known to */
};

struct cli_space {
	enum cli_space_kind kind;
	bool supposed;
	char *text; /* a sentence or two */
	/* A client's space is possible; what is always in it. */
	bool client;
	struct ward_reserved *reserved;
	uint32_t reserved_count;
	struct cli_doorbell_page *pages;
	uint32_t pages_count;
	enum ward_tri isolates; /* what takes its writes for interrupts tells writers apart */
};

const char *cli_space_kind_name(enum cli_space_kind kind);

/* Fills in ret_space. Returns -1 to go on, or an exit code after a message. */
int cli_space_of(const struct cli_context *context, uint32_t function, struct cli_space *ret_space);
void cli_space_finish(struct cli_space *space);

void cli_say_space(const struct cli_context *context, const struct cli_space *space);
struct json_object *cli_space_json(const struct cli_space *space);

#endif
