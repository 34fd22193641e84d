// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A function as it is described, with what is not said taken from its type. */
#include "app/machine_yaml_build.h"

#include "app/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ids of platform devices, beyond all requester ids of segment 0. */
#define PLATFORM_IDS 0x10000u

/* What a type means where nothing else is said. */
static const struct type {
	enum ward_pcie_type pcie;
	uint8_t header;
	uint16_t config_size;
	uint16_t device; /* of vendor 1b36, QEMU's */
	uint32_t class;
	uint8_t msi;
	uint16_t msix;
	uint32_t resets;
} types[] = {
	[APP_TYPE_ENDPOINT] = { WARD_PCIE_ENDPOINT, 0, 4096, 5, 0x020000, 0, 4, WARD_RESET_FLR },
	[APP_TYPE_LEGACY] = { WARD_PCIE_LEGACY_ENDPOINT, 0, 4096, 5, 0x020000, 0, 4,
			      WARD_RESET_FLR },
	[APP_TYPE_INTEGRATED] = { WARD_PCIE_RC_ENDPOINT, 0, 4096, 5, 0x020000, 0, 4,
				  WARD_RESET_FLR },
	[APP_TYPE_EVENT_COLLECTOR] = { WARD_PCIE_RC_EVENT_COLLECTOR, 0, 4096, 5, 0x080700, 1, 0,
				       0 },
	[APP_TYPE_CONVENTIONAL] = { WARD_PCIE_NONE, 0, 256, 5, 0x020000, 0, 0, WARD_RESET_PM },
	[APP_TYPE_ROOT_PORT] = { WARD_PCIE_ROOT_PORT, 1, 4096, 12, 0x060400, 1, 0, 0 },
	[APP_TYPE_UPSTREAM] = { WARD_PCIE_UPSTREAM, 1, 4096, 12, 0x060400, 1, 0, 0 },
	[APP_TYPE_DOWNSTREAM] = { WARD_PCIE_DOWNSTREAM, 1, 4096, 12, 0x060400, 1, 0, 0 },
	[APP_TYPE_PCIE_TO_PCI] = { WARD_PCIE_TO_PCI, 1, 4096, 14, 0x060400, 1, 0, 0 },
	[APP_TYPE_PCI_TO_PCIE] = { WARD_PCI_TO_PCIE, 1, 4096, 14, 0x060400, 1, 0, 0 },
	[APP_TYPE_PCI_BRIDGE] = { WARD_PCIE_NONE, 1, 256, 1, 0x060400, 0, 0, 0 },
};

/* A function on its way from the description to the builder. */
struct making {
	struct app_machine_building *b;
	const struct app_machine_function *from;
	const struct type *type;
	const char *list;
	uint32_t index, ordinal;
	struct ward_function f;
};

static const char *at(struct making *m, const char *field)
{
	return app_machine_at(m->b, m->list, m->index, field);
}

static int set_ids(struct making *m)
{
	const struct app_machine_function *from = m->from;
	struct ward_function *f = &m->f;

	f->vendor = 0x1b36;
	f->device = m->type->device;
	f->class_code = m->type->class;
	f->revision = from->revision;
	if (from->id && !app_text_ids(from->id, &f->vendor, &f->device))
		return app_machine_fail(m->b, at(m, "id"), "\"%s\" is not of the form 8086:10d3",
					from->id);
	if (from->subsystem &&
	    !app_text_ids(from->subsystem, &f->subsystem_vendor, &f->subsystem_device))
		return app_machine_fail(m->b, at(m, "subsystem"),
					"\"%s\" is not of the form 8086:a01f", from->subsystem);
	if (from->class && !app_text_class(from->class, &f->class_code))
		return app_machine_fail(m->b, at(m, "class"),
					"\"%s\" is no class: write a word such as network, or "
					"\"0x020000\"",
					from->class);
	return 0;
}

static int set_header(struct making *m)
{
	const struct app_machine_function *from = m->from;
	struct ward_function *f = &m->f;

	f->header_type = from->header_type ? *from->header_type : m->type->header;
	if (f->header_type > 2)
		return app_machine_fail(m->b, at(m, "header_type"), "%u is none of 0, 1, 2",
					(unsigned int)f->header_type);
	f->multifunction =
		from->multifunction ? *from->multifunction : m->b->has_siblings[m->ordinal];
	f->config_size = from->config_size ? *from->config_size : m->type->config_size;
	if (from->asleep && !from->config_size)
		f->config_size = 0;
	if (f->config_size != 0 && f->config_size != 64 && f->config_size != 256 &&
	    f->config_size != 4096)
		return app_machine_fail(m->b, at(m, "config_size"),
					"%u is none of 0, 64, 256, 4096",
					(unsigned int)f->config_size);
	f->asleep = from->asleep;
	f->pcie_known = app_machine_answer(from->pcie_known,
					   f->config_size < 256 ? WARD_UNKNOWN : WARD_YES);
	f->pcie_type = m->type->pcie;
	f->port_number = from->port ? *from->port : (uint8_t)(ward_rid_devfn(f->address.rid) >> 3);
	f->ari_forwarding = from->ari;
	return 0;
}

static int set_window(struct making *m, const char *field, const char *text,
		      struct ward_range *ret_range)
{
	if (text && !app_text_range(text, 0, ret_range))
		return app_machine_fail(m->b, at(m, field),
					"\"%s\" is no range: write \"0x10000000-0x100fffff\" or "
					"\"0x10000000+1 MiB\"",
					text);
	return 0;
}

static int set_bridge(struct making *m)
{
	const struct app_machine_function *from = m->from;
	struct ward_bridge *bridge = &m->f.bridge;
	int code;

	if (m->f.header_type == 0) {
		const char *field = from->secondary		? "secondary"
				    : from->subordinate		? "subordinate"
				    : from->primary		? "primary"
				    : from->window		? "window"
				    : from->prefetchable_window ? "prefetchable_window"
								: NULL;

		if (field)
			return app_machine_fail(m->b, at(m, field), "%s is no bridge",
						from->address);
		return 0;
	}
	/* Forgotten, what is below would stand on a root bus, and no port above it would matter. */
	if (!from->secondary)
		return app_machine_fail(m->b, at(m, "secondary"),
					"which bus is below %s has to be told; 0: none",
					from->address);
	bridge->primary = from->primary ? *from->primary : ward_rid_bus(m->f.address.rid);
	bridge->secondary = *from->secondary;
	bridge->subordinate = from->subordinate ? *from->subordinate : bridge->secondary;
	code = set_window(m, "window", from->window, &bridge->memory);
	if (!code)
		code = set_window(m, "prefetchable_window", from->prefetchable_window,
				  &bridge->prefetchable);
	return code;
}

static int set_bars(struct making *m)
{
	const struct app_machine_function *from = m->from;
	bool taken[7] = { false };

	m->f.bar[0].range = m->b->auto_bar[m->ordinal];
	for (uint32_t i = 0; i < from->bars_count; i++) {
		const struct app_machine_bar *bar = &from->bars[i];
		uint8_t number = bar->bar ? *bar->bar : (uint8_t)i;
		char field[24];

		snprintf(field, sizeof(field), "bars[%u].range", (unsigned int)i);
		if (number > 6)
			return app_machine_fail(m->b, at(m, field),
						"there are BARs 0 to 5, and 6 for the ROM");
		if (taken[number])
			return app_machine_fail(m->b, at(m, field), "BAR %u stands here twice",
						(unsigned int)number);
		taken[number] = true;
		if (!app_text_range(bar->range, 0, &m->f.bar[number].range))
			return app_machine_fail(m->b, at(m, field),
						"\"%s\" is no range: write \"0x10000000+16 KiB\"",
						bar->range);
		m->f.bar[number].io = bar->io;
		m->f.bar[number].prefetchable = bar->prefetchable;
	}
	return 0;
}

#define ACS_ISOLATES (WARD_ACS_SV | WARD_ACS_RR | WARD_ACS_CR | WARD_ACS_UF)
#define ACS_ALL (ACS_ISOLATES | WARD_ACS_TB | WARD_ACS_DT)

static int set_acs_bits(struct making *m, const char *field, const char *text, uint16_t *ret_bits)
{
	if (!app_text_acs_bits(text, ret_bits))
		return app_machine_fail(m->b, at(m, field),
					"\"%s\" is neither none, empty, off, full, unknown nor "
					"some of: sv tb rr cr uf ec dt",
					text);
	return 0;
}

static int set_acs(struct making *m)
{
	static const struct {
		const char *word;
		enum ward_tri present;
		uint16_t capability, control;
	} words[] = {
		{ "none", WARD_NO, 0, 0 },
		{ "unknown", WARD_UNKNOWN, 0, 0 },
		{ "empty", WARD_YES, 0, 0 },
		{ "off", WARD_YES, ACS_ALL, 0 },
		{ "full", WARD_YES, ACS_ALL, ACS_ISOLATES },
	};
	const struct app_machine_function *from = m->from;
	struct ward_acs *acs = &m->f.acs;
	bool bridge = m->type->header == 1, pcie = m->type->pcie != WARD_PCIE_NONE;
	/* Ports may have it or not: who does not say it has not said that they isolate. */
	bool port = pcie && bridge && m->type->pcie != WARD_PCIE_TO_PCI &&
		    m->type->pcie != WARD_PCI_TO_PCIE && m->type->pcie != WARD_PCIE_UPSTREAM;
	const char *told = from->acs				       ? from->acs
			   : port || (pcie && m->f.config_size < 4096) ? "unknown"
								       : "none";
	bool found = false;
	int code = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, told) != 0)
			continue;
		acs->present = words[i].present;
		acs->capability = words[i].capability;
		acs->control = words[i].control;
		found = true;
	}
	if (!found) {
		acs->present = WARD_YES;
		code = set_acs_bits(m, "acs", told, &acs->control);
		acs->capability = acs->control | ACS_ALL;
	}
	if (!code && from->acs_offers)
		code = set_acs_bits(m, "acs_offers", from->acs_offers, &acs->capability);
	if (code)
		return code;
	if (acs->control & ~acs->capability)
		return app_machine_fail(m->b, at(m, "acs_offers"),
					"something is on that it does not offer");
	for (uint32_t i = 0; i < from->egress_count; i++)
		acs->egress[from->egress[i] / 32] |= 1u << from->egress[i] % 32;
	return 0;
}

static int set_quirk(struct making *m)
{
	const struct app_machine_quirk *quirk = m->from->acs_quirk;
	struct ward_acs *acs = &m->f.acs;

	if (!quirk)
		return 0;
	acs->quirk = app_machine_answer(quirk->isolates, WARD_UNKNOWN);
	acs->quirk_name = quirk->name;
	return quirk->bits ? set_acs_bits(m, "acs_quirk.bits", quirk->bits, &acs->quirk_bits) : 0;
}

static int set_interrupts(struct making *m)
{
	const struct app_machine_function *from = m->from;
	struct ward_function *f = &m->f;
	bool read = f->config_size >= 256;
	uint8_t msi = from->msi ? *from->msi : read ? m->type->msi : 0;
	uint16_t msix = from->msix ? *from->msix : read ? m->type->msix : 0;
	uint64_t address;

	if (msi > 32 || (msi & (msi - 1)) != 0)
		return app_machine_fail(m->b, at(m, "msi"), "MSI has 1, 2, 4, 8, 16 or 32 vectors");
	if (msix > 2048)
		return app_machine_fail(m->b, at(m, "msix"), "MSI-X has 2048 vectors at most");
	f->msi = msi > 0;
	f->msi_vectors = msi;
	f->msix = msix > 0;
	f->msix_vectors = msix;
	f->intx_pin = from->intx ? *from->intx : !from->pf;
	f->msi_enabled = app_machine_irq(from, f) == WARD_IRQ_MSI;
	f->msix_enabled = app_machine_irq(from, f) == WARD_IRQ_MSIX;
	if (f->msi_enabled && !f->msi)
		return app_machine_fail(m->b, at(m, "irq"), "it has no MSI");
	if (f->msix_enabled && !f->msix)
		return app_machine_fail(m->b, at(m, "irq"), "it has no MSI-X");
	if (!from->msi_message)
		return 0;
	if (!app_text_number(from->msi_message->address, &address))
		return app_machine_fail(m->b, at(m, "msi_message.address"), "\"%s\" is no address",
					from->msi_message->address);
	f->msi_message_known = true;
	f->msi_message.address = address;
	f->msi_message.data = from->msi_message->data;
	return 0;
}

static void set_ability(enum app_ability told, bool readable, enum ward_tri *ret_there,
			bool *ret_enabled)
{
	*ret_enabled = told == APP_ABILITY_ON;
	if (told == APP_ABILITY_CAPABLE || told == APP_ABILITY_ON)
		*ret_there = WARD_YES;
	else if (told == APP_ABILITY_UNKNOWN || (told == APP_ABILITY_UNSET && !readable))
		*ret_there = WARD_UNKNOWN;
	else
		*ret_there = WARD_NO;
}

static void set_abilities(struct making *m)
{
	const struct app_machine_function *from = m->from;
	struct ward_function *f = &m->f;
	/* They are in extended config space, which only PCIe has. */
	bool readable = f->config_size == 4096 || m->type->pcie == WARD_PCIE_NONE;

	/* It goes past the IOMMU: that there is none has to be said, but of bridges. */
	set_ability(from->ats,
		    readable && (m->type->header == 1 || m->type->pcie == WARD_PCIE_NONE), &f->ats,
		    &f->ats_enabled);
	set_ability(from->pasid, readable, &f->pasid, &f->pasid_enabled);
	set_ability(from->pri, readable, &f->pri, &f->pri_enabled);
	f->resets_known =
		app_machine_answer(from->resets_known, f->config_size < 256 ? WARD_NO : WARD_YES);
	f->resets = from->resets ? *from->resets : f->config_size < 256 ? 0 : m->type->resets;
}

/* The same numbers as the requester id; another segment's begin where those of the one before end. */
static uint32_t plain_id(struct ward_address address)
{
	return address.segment << 16 | ward_rid_raw(address.rid);
}

static int set_iommu(struct making *m, uint32_t plain)
{
	const char *told = m->from->iommu;
	struct ward_function *f = &m->f;

	if (told && strcmp(told, "unknown") == 0)
		return 0;
	/* Else an id map says it; or, of several, nobody does. */
	if (!told && f->kind == WARD_FUNCTION_PCI &&
	    ((!m->from->stream && !m->b->direct && m->b->from->iommus_count) ||
	     m->b->from->iommus_count > 1))
		return 0;
	f->iommu_evidence = APP_MACHINE_EVIDENCE;
	f->iommu_known = WARD_YES;
	f->stream.sid = ward_sid(m->from->stream ? *m->from->stream : plain);
	if (told && strcmp(told, "none") != 0)
		return app_machine_find_iommu(m->b, at(m, "iommu"), told, &f->stream.iommu);
	if (!told && f->kind == WARD_FUNCTION_PCI && m->b->from->iommus_count)
		f->stream.iommu = 0;
	return 0;
}

static int set_controller(struct making *m, uint32_t plain)
{
	const char *told = m->from->controller;
	bool by_map = !m->from->devid && !m->b->direct;
	struct ward_function *f = &m->f;

	if (told && strcmp(told, "unknown") == 0)
		return 0;
	/* Without any the messages go who knows where; of several, nobody says to which. */
	if (!told && f->kind == WARD_FUNCTION_PCI && (by_map || m->b->from->controllers_count != 1))
		return 0;
	f->controller_evidence = APP_MACHINE_EVIDENCE;
	f->controller_known = WARD_YES;
	f->devid = ward_devid(m->from->devid ? *m->from->devid : plain);
	if (told && strcmp(told, "none") != 0)
		return app_machine_find_controller(m->b, at(m, "controller"), told, &f->controller);
	if (!told && f->kind == WARD_FUNCTION_PCI)
		f->controller = 0;
	return 0;
}

/* What PCI functions and platform devices share. */
static int set_place(struct making *m, uint32_t plain)
{
	struct ward_function *f = &m->f;
	int code = set_iommu(m, plain);

	if (!code)
		code = set_controller(m, plain);
	if (code)
		return code;
	f->pe = m->b->pe[m->ordinal];
	f->group = m->from->group ? app_machine_group(m->b, *m->from->group) : WARD_NONE;
	f->names = (const char *const *)m->from->names.text;
	f->names_count = m->from->names.count;
	return 0;
}

static int set_relatives(struct making *m)
{
	const struct app_machine_function *from = m->from;
	uint16_t vfs = m->b->vfs[m->ordinal], there = m->b->vfs_there[m->ordinal];
	int code = 0;

	m->f.vfs_enabled = from->vfs_enabled ? *from->vfs_enabled : there;
	m->f.vfs_total = from->vfs_total ? *from->vfs_total : vfs;
	if (m->f.vfs_enabled > m->f.vfs_total)
		return app_machine_fail(m->b, at(m, "vfs_total"),
					"more VFs are there than it can have");
	if (from->pf)
		code = app_machine_find(m->b, at(m, "pf"), from->pf, &m->f.physfn);
	if (!code && from->parent)
		code = app_machine_find(m->b, at(m, "parent"), from->parent, &m->f.parent);
	return code;
}

static int make_pci(struct making *m)
{
	static int (*const steps[])(struct making *) = {
		set_ids, set_header, set_bridge,     set_bars,
		set_acs, set_quirk,  set_interrupts, set_relatives,
	};
	int code = 0;

	/* The survey has read it already. */
	(void)ward_address_parse(m->from->address, &m->f.address);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !code; i++)
		code = steps[i](m);
	if (code)
		return code;
	set_abilities(m);
	return set_place(m, plain_id(m->f.address));
}

static int make_platform(struct making *m)
{
	m->f.kind = WARD_FUNCTION_PLATFORM;
	m->f.name = m->from->name;
	m->f.ats = m->f.pasid = m->f.pri = WARD_NO;
	return set_place(m, PLATFORM_IDS + m->index);
}

static int add(struct app_machine_building *b, const struct app_machine_function *from,
	       bool platform, uint32_t index)
{
	struct making m = {
		.b = b,
		.from = from,
		.type = &types[from->type],
		.list = platform ? "platform_devices" : "functions",
		.index = index,
		.ordinal = (platform ? b->from->functions_count : 0) + index,
	};
	int code;

	ward_function_init(&m.f);
	code = platform ? make_platform(&m) : make_pci(&m);
	if (code)
		return code;
	code = ward_builder_add_function(b->builder, &m.f, NULL);
	return code ? app_machine_refused(b, at(&m, NULL), code) : 0;
}

int app_machine_add_functions(struct app_machine_building *b)
{
	const struct app_machine_yaml *from = b->from;
	int code = 0;

	for (uint32_t i = 0; i < from->functions_count && !code; i++)
		code = add(b, &from->functions[i], false, i);
	for (uint32_t i = 0; i < from->platform_devices_count && !code; i++)
		code = add(b, &from->platform_devices[i], true, i);
	return code;
}
