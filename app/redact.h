/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Takes out of captured files what tells one machine from another of its kind: serial numbers,
 * MAC addresses, host name. Everything keeps its length and its place, so that a redacted capture
 * reads exactly like a full one.
 *
 * | where | what |
 * |---|---|
 * | config space | device serial number capability; what the VPD data register happens to hold |
 * | kernel command line, bootargs | values of all parameters but those the rules look at |
 * | /proc/version | who compiled it on which host |
 * | device tree | serial-number, mac-address, seeds and their like |
 * | any text, path or link | interface names made of MAC addresses (enx0123456789ab) |
 */
#ifndef APP_REDACT_H
#define APP_REDACT_H

#include <stddef.h>

/* Remembers MAC addresses, so that each has one replacement. Zero-initialised is empty. */
struct app_redactor {
	char (*address)[12];
	size_t count;
};

/* Changes the bytes of the file at path (relative to the root) in place. */
void app_redact_file(struct app_redactor *redactor, const char *path, char *bytes, size_t size);
/* Changes a path or a link's text in place. */
void app_redact_name(struct app_redactor *redactor, char *name);
void app_redactor_finish(struct app_redactor *redactor);

#endif
