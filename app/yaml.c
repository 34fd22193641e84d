// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "app/yaml.h"

#include "app/memory.h"
#include "app/places.h"
#include "app/tree.h"
#include "app/yaml_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse_file(struct ward_error *error, int code, const char *file)
{
	snprintf(error->text, sizeof(error->text), "%s: %s", file,
		 code == -EFBIG ? "more than 16 MiB are too much for a description"
				: strerror(-code));
	return code;
}

int app_yaml_read(const char *file, char **ret_bytes, size_t *ret_size,
		  struct ward_error *ret_error)
{
	bool standard = strcmp(file, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY), code;

	if (fd < 0)
		return refuse_file(ret_error, -errno, file);
	code = app_read_all(fd, APP_YAML_BYTES_MAX, ret_bytes, ret_size);
	if (!standard)
		close(fd);
	return code ? refuse_file(ret_error, code, file) : 0;
}

/* Keeps the first thing that libcyaml has to say. */
__attribute__((format(printf, 3, 0))) static void keep_first(cyaml_log_t level, void *context,
							     const char *format, va_list args)
{
	char *text = context;

	if (level != CYAML_LOG_ERROR || *text)
		return;
	vsnprintf(text, sizeof(((struct ward_error *)NULL)->text), format, args);
	text[strcspn(text, "\n")] = '\0';
}

static void *reallocate(void *context, void *pointer, size_t size)
{
	(void)context;
	if (size)
		return realloc(pointer, size);
	free(pointer);
	return NULL;
}

static cyaml_config_t configuration(struct ward_error *said)
{
	return (cyaml_config_t){
		.log_fn = keep_first,
		.log_ctx = said->text,
		.mem_fn = reallocate,
		.log_level = CYAML_LOG_ERROR,
		.flags = CYAML_CFG_NO_ALIAS,
	};
}

int app_yaml_load(const char *name, const char *bytes, size_t size,
		  const cyaml_schema_value_t *schema, struct app_yaml *ret_yaml,
		  struct ward_error *ret_error)
{
	struct app_yaml yaml = { .name = name, .bytes = bytes, .size = size, .schema = schema };
	struct ward_error said = { "" };
	cyaml_config_t config = configuration(&said);
	cyaml_err_t err;
	int code = app_yaml_check(&yaml, ret_error);

	if (code)
		return code;
	err = cyaml_load_data((const uint8_t *)bytes, size, &config, schema, &yaml.data, NULL);
	if (err == CYAML_ERR_OOM) {
		snprintf(ret_error->text, sizeof(ret_error->text), "%s: %s", name,
			 strerror(ENOMEM));
		return -ENOMEM;
	}
	if (err != CYAML_OK)
		return app_yaml_fail(&yaml, ret_error, "", "%s: %s", cyaml_strerror(err),
				     said.text);
	if (!yaml.data)
		return app_yaml_fail(&yaml, ret_error, "", "nothing is described here");
	*ret_yaml = yaml;
	return 0;
}

void app_yaml_finish(struct app_yaml *yaml)
{
	struct ward_error said = { "" };
	cyaml_config_t config = configuration(&said);

	if (yaml->data)
		cyaml_free(&config, yaml->schema, yaml->data, 0);
	yaml->data = NULL;
}

/* "functions[2].controller" as "functions/2/controller". */
static uint32_t line_of(const struct app_yaml *yaml, const char *path)
{
	struct app_places *places = NULL;
	char *slashes = app_strdup(path), *to = slashes;
	uint32_t line = 0;

	for (const char *from = path; *from; from++)
		if (*from != ']')
			*to++ = *from == '.' || *from == '[' ? '/' : *from;
	*to = '\0';
	if (app_places_create(yaml->bytes, yaml->size, &places) == 0)
		line = app_places_line(places, slashes);
	app_places_destroy(places);
	free(slashes);
	return line ? line : 1;
}

int app_yaml_fail(const struct app_yaml *yaml, struct ward_error *ret_error, const char *path,
		  const char *format, ...)
{
	char text[sizeof(ret_error->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return app_yaml_fail_at(yaml, ret_error, line_of(yaml, path), path, text);
}
