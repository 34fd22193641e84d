// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "backend.h"

#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>

int ward_backend_create(const struct ward_backend_ops *ops, void *context,
			struct ward_backend **ret_backend)
{
	struct ward_backend *backend = ward_alloc(sizeof(*backend));
	int code;

	if (!backend)
		return -ENOMEM;
	code = ward_attach_table_create(NULL, &backend->attached);
	if (code) {
		free(backend);
		return code;
	}
	backend->ops = ops;
	backend->context = context;
	backend->references = 1;
	*ret_backend = backend;
	return 0;
}

void *ward_backend_context(const struct ward_backend *backend, const struct ward_backend_ops *ops)
{
	return backend->ops == ops ? backend->context : NULL;
}

void ward_backend_put(struct ward_backend *backend)
{
	if (--backend->references)
		return;
	ward_attach_table_destroy(backend->attached);
	backend->ops->destroy(backend->context);
	free(backend);
}

void ward_backend_destroy(struct ward_backend *backend)
{
	if (!backend)
		return;
	if (backend->references > 1 && backend->ops->misused)
		backend->ops->misused(backend->context, "destroyed with devices open");
	ward_backend_put(backend);
}

const char *ward_backend_name(const struct ward_backend *backend)
{
	return backend->ops->name;
}

int ward_backend_space(struct ward_backend *backend, const struct ward_space_options *options,
		       struct ward_space **ret_space)
{
	struct ward_space_options carried;
	int code;

	if (!options || options->size != sizeof(*options))
		return -EINVAL;
	carried = *options;
	carried.ops = NULL;
	carried.backing = NULL;
	code = backend->ops->space(backend->context, &carried);
	if (code)
		return code;
	code = ward_space_create(&carried, ret_space);
	if (code && carried.ops)
		carried.ops->destroy(carried.backing);
	return code;
}
