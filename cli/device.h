/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Devices by the names people use. */
#ifndef CLI_DEVICE_H
#define CLI_DEVICE_H

#include "cli/cli.h"

/*
 * Finds the one function that a word names: an address with or without segment, eth0, nvme0n1,
 * vendor:device, a platform device, or a path below /sys or /dev. Returns -1 when found, or an
 * exit code after a message that suggests what may have been meant.
 */
int cli_device_find(const struct cli_context *context, const char *word, uint32_t *ret_function);

/* Whether a word is "8086:10d3", and of what. */
bool cli_device_is_id(const char *word, uint16_t *ret_vendor, uint16_t *ret_device);

#endif
