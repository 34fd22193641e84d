// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "irq.h"

#include "base/fault.h"
#include "dma/space.h"

#include <errno.h>
#include <stdlib.h>

/* VFIO's number of config space, and the command register (PCI 3.0, 6.2.2). */
#define CONFIG_REGION 7u
#define COMMAND 4u
#define EVERYWHERE ((struct ward_range){ 0, UINT64_MAX })

static struct ward_model_stream *stream_of(const struct ward_model_device *device, uint32_t i)
{
	return &device->model->streams[device->streams[i]];
}

static void link_stream(struct ward_model_stream *stream)
{
	struct ward_model_space *tables = ward_model_tables(stream->space);

	if (!tables)
		return;
	stream->beside = tables->streams;
	tables->streams = stream;
}

static void unlink_stream(struct ward_model_stream *stream)
{
	struct ward_model_space *tables = ward_model_tables(stream->space);
	struct ward_model_stream **at;

	if (!tables)
		return;
	at = &tables->streams;
	while (*at != stream)
		at = &(*at)->beside;
	*at = stream->beside;
	stream->beside = NULL;
}

/* The entry first, then what is cached of the old one: a request sees old or new. */
static void move_stream(struct ward_model *model, struct ward_model_stream *stream,
			struct ward_model_space *space)
{
	struct ward_model_iommu *iommu = &model->iommus[stream->iommu];

	unlink_stream(stream);
	stream->space = space;
	iommu->driver->set_entry(iommu, stream);
	ward_model_flush(model, stream, EVERYWHERE);
	link_stream(stream);
}

/* Whether the streams can go there: those they are shared with have to be there, too. */
static int check_streams(const struct ward_model_device *device,
			 const struct ward_model_space *space)
{
	if (!device->streams_count)
		return space->kind == WARD_SPACE_IDENTITY ? 0 : -EOPNOTSUPP;
	for (uint32_t i = 0; i < device->streams_count; i++) {
		const struct ward_model_stream *stream = stream_of(device, i);

		if (space->kind == WARD_SPACE_NESTED &&
		    device->model->iommus[stream->iommu].driver != &ward_model_smmuv3)
			return -EOPNOTSUPP;
		if (stream->attached > (device->space ? 1u : 0u) && stream->space != space)
			return -EBUSY;
	}
	return 0;
}

static int reserve_regions(const struct ward_model_device *device, struct ward_space *space,
			   const struct ward_model_space *carried)
{
	struct ward_space_info info;
	struct ward_reserved *regions;
	uint32_t count;
	int code;

	ward_space_info(space, &info);
	if (carried->kind == WARD_SPACE_BLOCKED || carried->kind == WARD_SPACE_IDENTITY)
		return 0;
	code = ward_machine_reserved(device->model->facts, device->function, &regions, &count);
	if (code)
		return code;
	/* The regions of a nested space are holes of its stage 2. */
	code = ward_space_reserve_all(info.parent ? info.parent : space, regions, count);
	free(regions);
	return code;
}

static int build_tables(const struct ward_model_device *device, struct ward_model_space *space)
{
	struct ward_model_space *tables = ward_model_tables(space);
	int code = 0;

	for (uint32_t i = 0; tables && !code && i < device->streams_count; i++)
		code = ward_model_space_build(
			tables, device->model->iommus[stream_of(device, i)->iommu].driver->format);
	return code;
}

/* An IOMMU without ATS refuses what comes out of such a cache, and knows no word to flush it. */
static bool uses_device_cache(const struct ward_model_device *device,
			      const struct ward_model_stream *stream)
{
	const struct ward_machine *facts = device->model->facts;

	return facts->functions[device->function].ats_enabled &&
	       facts->iommus[stream->iommu].ats != WARD_NO;
}

static int attach(void *context, ward_pasid_t pasid, struct ward_space *space)
{
	struct ward_model_device *device = context;
	struct ward_model *model = device->model;
	struct ward_model_space *carried = ward_model_space_of(model, space);
	int code;

	if (!carried)
		return ward_model_misuse(model, -EINVAL, "attach to a space of somebody else");
	if (pasid != WARD_PASID_NONE)
		return -EOPNOTSUPP;
	code = check_streams(device, carried);
	if (!code)
		code = build_tables(device, carried);
	if (!code)
		code = reserve_regions(device, space, carried);
	if (!code)
		code = ward_model_messages_prepare_move(device->irqs, space);
	if (code)
		return code;
	for (uint32_t i = 0; i < device->streams_count; i++) {
		struct ward_model_stream *stream = stream_of(device, i);

		if (!device->space)
			stream->attached++;
		stream->ats |= uses_device_cache(device, stream);
		if (stream->space != carried)
			move_stream(model, stream, carried);
	}
	device->space = carried;
	device->handle = space;
	ward_model_messages_move(device->irqs, space);
	return 0;
}

static int detach(void *context, ward_pasid_t pasid)
{
	struct ward_model_device *device = context;

	if (!device->space || pasid != WARD_PASID_NONE)
		return ward_model_misuse(device->model, -ENOENT, "detach of what is not attached");
	for (uint32_t i = 0; i < device->streams_count; i++) {
		struct ward_model_stream *stream = stream_of(device, i);

		if (--stream->attached == 0)
			move_stream(device->model, stream, NULL);
	}
	device->space = NULL;
	device->handle = NULL;
	return 0;
}

static int reset(void *context)
{
	struct ward_model_device *device = context;
	struct ward_emul *emul = device->model->emul;
	uint8_t command[2];
	int code;

	if (!device->model->facts->functions[device->function].resets)
		return -EOPNOTSUPP;
	/* What a host does, too: the command register and the vectors are as before. */
	code = ward_emul_read(emul, device->function, CONFIG_REGION, COMMAND, command,
			      sizeof(command));
	if (!code)
		code = ward_emul_reset(emul, device->function);
	if (!code)
		code = ward_emul_write(emul, device->function, CONFIG_REGION, COMMAND, command,
				       sizeof(command));
	if (!code)
		ward_model_irqs_restore(device->irqs);
	return code;
}

static int info(void *context, struct ward_device_info *ret_info)
{
	struct ward_model_device *device = context;
	struct ward_emul *emul = device->model->emul;

	for (uint32_t i = 0; i < WARD_DEVICE_REGIONS; i++)
		ret_info->region_size[i] = ward_emul_region_size(emul, device->function, i);
	ret_info->resets = device->model->facts->functions[device->function].resets;
	ret_info->frozen = ward_emul_frozen(emul, device->function);
	return 0;
}

static int read_region(void *context, uint32_t region, uint64_t offset, void *ret_bytes,
		       size_t size)
{
	struct ward_model_device *device = context;

	return ward_emul_read(device->model->emul, device->function, region, offset, ret_bytes,
			      size);
}

static int write_region(void *context, uint32_t region, uint64_t offset, const void *bytes,
			size_t size)
{
	struct ward_model_device *device = context;
	bool held = region == CONFIG_REGION && ward_model_intx_held_back(device->irqs);
	int code =
		ward_emul_write(device->model->emul, device->function, region, offset, bytes, size);

	if (!code && held)
		ward_model_intx_let_go(device->irqs);
	return code;
}

/* Blocked first, then reset as by vfio-pci, where it can be: the next owner finds nothing of this one. */
static void close_device(void *context)
{
	struct ward_model_device *device = context;
	struct ward_model *model = device->model;

	ward_model_irqs_destroy(device->irqs);
	device->irqs = NULL; /* it may freeze yet, and nobody is told */
	if (device->space)
		detach(device, WARD_PASID_NONE);
	if (model->facts->functions[device->function].resets)
		ward_emul_reset(model->emul, device->function);
	model->devices[device->function] = NULL;
	free(device);
}

static const struct ward_device_ops device_ops = {
	.irq = &ward_model_irq_ops,
	.attach = attach,
	.detach = detach,
	.reset = reset,
	.info = info,
	.read = read_region,
	.write = write_region,
	.close = close_device,
};

int ward_model_open(void *context, const char *name, const struct ward_device_ops **ret_ops,
		    void **ret_device)
{
	struct ward_model *model = context;
	struct ward_model_device *device;
	struct ward_address address;
	uint32_t function = ward_address_parse(name, &address)
				    ? ward_machine_find_name(model->facts, name)
				    : ward_machine_find(model->facts, address);

	if (function == WARD_NONE || !ward_emul_is_present(model->emul, function))
		return -ENOENT;
	if (model->devices[function])
		return -EBUSY;
	device = ward_alloc(sizeof(*device));
	if (!device)
		return -ENOMEM;
	device->irqs = ward_model_irqs_create(device);
	if (!device->irqs) {
		free(device);
		return -ENOMEM;
	}
	device->model = model;
	device->function = function;
	device->streams_count = ward_model_ids(model, function, device->streams);
	model->devices[function] = device;
	*ret_ops = &device_ops;
	*ret_device = device;
	return 0;
}
