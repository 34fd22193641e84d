// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "device.h"

#include "base/error.h"
#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>

/* PASIDs have 20 bits (PCIe base specification, 6.20). */
#define PASID_LAST 0xfffffu

static int refuse_open(struct ward_error *error, int code, const char *name)
{
	switch (-code) {
	case ENOENT:
		return ward_fail(error, code, "%s: there is no such function", name);
	case EBUSY:
		return ward_fail(error, code, "%s: somebody has it open already", name);
	case EPERM:
		return ward_fail(error, code,
				 "%s: its group cannot be given away: a driver of the host has a "
				 "member of it, its interrupts are not isolated, or firmware "
				 "needs memory mapped for it",
				 name);
	case EACCES:
		return ward_fail(error, code,
				 "%s: no permission to open its group, or it is a VF that is only "
				 "given to those who have the token of its PF",
				 name);
	case ENODEV:
		return ward_fail(error, code, "%s: no VFIO driver has it", name);
	case ENOMEM:
		return ward_fail(error, code, "no memory");
	default:
		return ward_fail(error, code, "%s: cannot be opened (error %d)", name, -code);
	}
}

static int learn_regions(struct ward_device *device)
{
	struct ward_device_info info = { 0 };
	int code = device->ops->info(device->context, &info);

	for (uint32_t i = 0; !code && i < WARD_DEVICE_REGIONS; i++)
		device->region_size[i] = info.region_size[i];
	return code;
}

int ward_device_open(struct ward_backend *backend, const char *name,
		     struct ward_device **ret_device, struct ward_error *ret_error)
{
	struct ward_device *device;
	int code;

	if (!name)
		return ward_fail(ret_error, -EINVAL, "a device needs a name");
	device = ward_alloc(sizeof(*device));
	if (!device)
		return refuse_open(ret_error, -ENOMEM, name);
	code = backend->ops->open(backend->context, name, &device->ops, &device->context);
	if (code)
		goto free_device;
	code = learn_regions(device);
	if (code)
		goto close_device;
	device->backend = backend;
	device->serial = ++backend->last_serial;
	backend->references++;
	*ret_device = device;
	return 0;

close_device:
	device->ops->close(device->context);
free_device:
	free(device);
	return refuse_open(ret_error, code, name);
}

static struct ward_requester requester_of(const struct ward_device *device, ward_pasid_t pasid,
					  uint32_t slot)
{
	return (struct ward_requester){ .iommu = slot,
					.sid = ward_sid(device->serial),
					.pasid = pasid };
}

static struct ward_attachment **find_attachment(struct ward_device *device, ward_pasid_t pasid)
{
	struct ward_attachment **at = &device->attachments;

	while (*at && (*at)->pasid != pasid)
		at = &(*at)->next;
	return at;
}

/* Forgets an attachment; its space may go with it. */
static void drop_attachment(struct ward_device *device, struct ward_attachment **at)
{
	struct ward_attachment *gone = *at;
	struct ward_requester requester = requester_of(device, gone->pasid, gone->slot);

	*at = gone->next;
	ward_detach(device->backend->attached, &requester);
	free(gone);
}

void ward_device_close(struct ward_device *device)
{
	if (!device)
		return;
	device->ops->close(device->context);
	while (device->attachments)
		drop_attachment(device, &device->attachments);
	ward_backend_put(device->backend);
	free(device);
}

static int move_to(struct ward_device *device, struct ward_attachment *attachment,
		   struct ward_space *space, bool is_new)
{
	struct ward_attach_table *table = device->backend->attached;
	uint32_t slot = is_new ? 0 : !attachment->slot;
	struct ward_requester requester = requester_of(device, attachment->pasid, slot);
	int code = ward_attach(table, &requester, space, NULL, 0);

	if (code)
		return code;
	code = device->ops->attach(device->context, attachment->pasid, space);
	if (code) {
		ward_detach(table, &requester);
		return code;
	}
	if (!is_new) {
		requester = requester_of(device, attachment->pasid, attachment->slot);
		ward_detach(table, &requester);
	}
	attachment->slot = slot;
	return 0;
}

int ward_device_attach(struct ward_device *device, ward_pasid_t pasid, struct ward_space *space)
{
	struct ward_attachment *attachment, **at = find_attachment(device, pasid);
	int code;

	if (!space || (pasid != WARD_PASID_NONE && ward_pasid_raw(pasid) > PASID_LAST))
		return -EINVAL;
	if (*at) {
		struct ward_requester requester = requester_of(device, pasid, (*at)->slot);

		if (ward_attached(device->backend->attached, &requester) == space)
			return 0;
		return move_to(device, *at, space, false);
	}
	attachment = ward_alloc(sizeof(*attachment));
	if (!attachment)
		return -ENOMEM;
	attachment->pasid = pasid;
	code = move_to(device, attachment, space, true);
	/* With EIO it is in no space, and the backend has to be told of the detach. */
	if (code && code != -EIO) {
		free(attachment);
		return code;
	}
	*at = attachment;
	return code;
}

int ward_device_detach(struct ward_device *device, ward_pasid_t pasid)
{
	struct ward_attachment **at = find_attachment(device, pasid);

	int code;

	if (!*at)
		return -ENOENT;
	code = device->ops->detach(device->context, pasid);
	if (!code)
		drop_attachment(device, at);
	return code;
}

int ward_device_reset(struct ward_device *device)
{
	return device->ops->reset(device->context);
}

int ward_device_info(struct ward_device *device, struct ward_device_info *ret_info)
{
	struct ward_device_info info = { 0 };
	int code = device->ops->info(device->context, &info);

	if (!code)
		*ret_info = info;
	return code;
}

static int check_access(const struct ward_device *device, uint32_t region, uint64_t offset,
			size_t size)
{
	if (size != 1 && size != 2 && size != 4 && size != 8)
		return -EINVAL;
	if (region >= WARD_DEVICE_REGIONS || device->region_size[region] < size ||
	    offset > device->region_size[region] - size)
		return -EINVAL;
	return 0;
}

int ward_device_read(struct ward_device *device, uint32_t region, uint64_t offset, void *ret_bytes,
		     size_t size)
{
	int code = check_access(device, region, offset, size);

	return code ? code : device->ops->read(device->context, region, offset, ret_bytes, size);
}

int ward_device_write(struct ward_device *device, uint32_t region, uint64_t offset,
		      const void *bytes, size_t size)
{
	int code = check_access(device, region, offset, size);

	return code ? code : device->ops->write(device->context, region, offset, bytes, size);
}
