/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What can be explained without a machine: made from docs/ by topics.py. */
#ifndef CLI_TOPIC_H
#define CLI_TOPIC_H

enum cli_topic_kind {
	CLI_TOPIC_HEADING,
	CLI_TOPIC_PARAGRAPH,
	CLI_TOPIC_ITEM,
};

struct cli_topic_part {
	enum cli_topic_kind kind;
	const char *text; /* NULL: the end */
};

struct cli_topic {
	const char *name; /* NULL: the end */
	const char *title;
	const struct cli_topic_part *parts;
};

extern const struct cli_topic cli_topics[];
/* All names, separated by spaces. */
extern const char cli_topic_names[];

#endif
