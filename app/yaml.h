/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * YAML files that people write, loaded by libcyaml against a schema. Before it sees them they are
 * looked through here, against the same schema: libcyaml 1.3 takes "0x10zz" and "010" for numbers
 * and any word for a truth, and says of what it refuses neither file nor field. Aliases, anchors,
 * tags and second documents are refused: nothing here needs them, and some grow without bound.
 *
 * Types of a schema: mappings, sequences, strings, CYAML_UINT, CYAML_INT, CYAML_BOOL (yes, no, true,
 * false), CYAML_ENUM and CYAML_FLAGS (with CYAML_FLAG_STRICT); a mapping has at most 64 fields.
 */
#ifndef APP_YAML_H
#define APP_YAML_H

#include <cyaml/cyaml.h>
#include <doorward/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define APP_YAML_BYTES_MAX (16u << 20)
#define APP_YAML_DEPTH_MAX 16u

/* A file that was loaded. data is what the schema's first value points to. */
struct app_yaml {
	const char *name;
	const char *bytes;
	size_t size;
	const cyaml_schema_value_t *schema;
	void *data;
};

/*
 * Reads a whole file ("-": standard input); one NUL stands behind the bytes, which the caller frees.
 * Returns 0, -EFBIG, or what open and read give, with a sentence that begins with the name.
 */
int app_yaml_read(const char *file, char **ret_bytes, size_t *ret_size,
		  struct ward_error *ret_error);

/*
 * Loads a document. name is what messages call the file; it, the bytes and the schema are borrowed
 * until app_yaml_finish. Returns 0, -EBADMSG or -ENOMEM, with a sentence: "NAME:LINE: path: ...".
 */
int app_yaml_load(const char *name, const char *bytes, size_t size,
		  const cyaml_schema_value_t *schema, struct app_yaml *ret_yaml,
		  struct ward_error *ret_error);
void app_yaml_finish(struct app_yaml *yaml);

/*
 * The number at the begin of a text, as people write it: decimal without zeros in front, or 0x and
 * hexadecimal. False: there is none, or it needs more than 64 bits.
 */
bool app_yaml_number(const char *text, const char **ret_end, uint64_t *ret_number);

/*
 * Says what is wrong with the field at a path ("functions[2].controller", "" is the whole), with the
 * line where it stands, or where what is to have it begins. Returns -EBADMSG.
 */
__attribute__((format(printf, 4, 5))) int app_yaml_fail(const struct app_yaml *yaml,
							struct ward_error *ret_error,
							const char *path, const char *format, ...);

#endif
