/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What vendors call their devices: from the pci.ids of the machine itself, or from the part of it
 * that a capture brought along. The computer that replays a capture is never asked, so that the
 * answer is the same everywhere.
 */
#ifndef APP_NAMES_H
#define APP_NAMES_H

#include <doorward/machine.h>

/* Where a capture keeps the names; the format is that of pci.ids. */
#define APP_NAMES_PATH "doorward/names"

struct app_names;

/* Loads the names for the functions of a machine read from root. Never fails, may know none. */
struct app_names *app_names_load(int root, const struct ward_machine *machine);
/* Each returns NULL when there is no name. */
const char *app_names_vendor(const struct app_names *names, uint16_t vendor);
const char *app_names_device(const struct app_names *names, uint16_t vendor, uint16_t device);
/* The subclass, or else the base class. */
const char *app_names_class(const struct app_names *names, uint32_t class_code);
/* All names it holds in the format of pci.ids; free() it. */
char *app_names_write(const struct app_names *names);
void app_names_destroy(struct app_names *names);

#endif
