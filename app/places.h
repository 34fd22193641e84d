/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Where in a YAML file something stands, for errors that are found after it was loaded: libcyaml
 * hands out values, not lines.
 */
#ifndef APP_PLACES_H
#define APP_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app_places;

/* From the same bytes that were loaded. -EINVAL they are no YAML. */
int app_places_create(const char *bytes, size_t size, struct app_places **ret_places);
void app_places_destroy(struct app_places *places);

/*
 * The line, from 1, of what a path names: "steps/3/expect". Where it does not lead anywhere: of the
 * nearest thing that it passes. 0 where places is NULL.
 */
uint32_t app_places_line(const struct app_places *places, const char *path);

/* Whether the path names something. */
bool app_places_has(const struct app_places *places, const char *path);

/* Whether the path names something that is no sequence and no mapping. */
bool app_places_is_scalar(const struct app_places *places, const char *path);

#endif
