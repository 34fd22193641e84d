// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A machine as a description: the way back. Words come from the schema, so that they are its. */
#include "app/machine_yaml.h"

#include <string.h>

/* The fields of the entries of a list of the machine's. */
static const cyaml_schema_field_t *fields_of(const char *list)
{
	const cyaml_schema_field_t *field = app_machine_fields;

	while (field->key && strcmp(field->key, list) != 0)
		field++;
	return field->key ? field->value.sequence.entry->mapping.fields : field;
}

static const char *word(const cyaml_schema_field_t *fields, const char *key, int64_t value)
{
	for (; fields->key; fields++) {
		if (strcmp(fields->key, key) != 0)
			continue;
		for (uint32_t i = 0; i < fields->value.enumeration.count; i++)
			if (fields->value.enumeration.strings[i].val == value)
				return fields->value.enumeration.strings[i].str;
	}
	return "unknown";
}

static const char *tri(enum ward_tri value)
{
	return value == WARD_YES ? "yes" : value == WARD_NO ? "no" : "unknown";
}

static const char *truth(bool value)
{
	return value ? "yes" : "no";
}

/* In double quotes; what is neither ASCII nor printable becomes a '?'. */
static void put_quoted(FILE *file, const char *text)
{
	putc('"', file);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', file);
		putc(*text >= 0x20 && *text < 0x7f ? *text : '?', file);
	}
	putc('"', file);
}

static void put_text(FILE *file, const char *indent, const char *key, const char *text)
{
	if (!text)
		return;
	fprintf(file, "%s%s: ", indent, key);
	put_quoted(file, text);
	putc('\n', file);
}

static void put_range(FILE *file, const char *before, struct ward_range range, const char *after)
{
	fprintf(file, "%s\"0x%llx-0x%llx\"%s", before, (unsigned long long)range.start,
		(unsigned long long)range.last, after);
}

static void put_host(FILE *file, const struct ward_machine *machine)
{
	fprintf(file, "arch: %s\npage_size: %llu\n",
		word(app_machine_fields, "arch", machine->arch),
		(unsigned long long)machine->page_size);
	put_text(file, "", "kernel", machine->kernel_release);
	put_text(file, "", "command_line", machine->command_line);
	fprintf(file, "firmware: %s\nfirmware_iommu: %s\nunsafe_interrupts: %s\ngroups_known: %s\n",
		machine->firmware_acpi ? "acpi"
		: machine->firmware_dt ? "dt"
				       : "none",
		tri(machine->firmware_iommu), tri(machine->unsafe_interrupts_allowed),
		truth(machine->groups_known));
}

static void put_clients(FILE *file, const struct ward_state *state)
{
	for (uint32_t i = 0; i < state->clients_count; i++) {
		fputs(i ? ", " : "clients: [", file);
		put_quoted(file, state->clients[i]);
	}
	if (state->clients_count)
		fputs("]\n", file);
}

static void put_iommus(FILE *file, const struct ward_machine *machine)
{
	const cyaml_schema_field_t *fields = fields_of("iommus");

	if (machine->iommus_count)
		fputs("iommus:\n", file);
	for (uint32_t i = 0; i < machine->iommus_count; i++) {
		const struct ward_iommu *iommu = &machine->iommus[i];

		put_text(file, "  - ", "name", iommu->name);
		fprintf(file,
			"    kind: %s\n    base: \"0x%llx\"\n    active: %s\n"
			"    remaps_interrupts: %s\n    ats: %s\n    domains: %s\n",
			word(fields, "kind", iommu->kind),
			(unsigned long long)ward_pa_raw(iommu->base), tri(iommu->active),
			tri(iommu->remaps_interrupts), tri(iommu->ats),
			word(fields, "domains", iommu->domains));
		if (iommu->controller != WARD_NONE)
			put_text(file, "    ", "controller",
				 machine->controllers[iommu->controller].name);
	}
}

static void put_controllers(FILE *file, const struct ward_machine *machine)
{
	const cyaml_schema_field_t *fields = fields_of("controllers");

	if (machine->controllers_count)
		fputs("controllers:\n", file);
	for (uint32_t i = 0; i < machine->controllers_count; i++) {
		const struct ward_controller *controller = &machine->controllers[i];

		put_text(file, "  - ", "name", controller->name);
		fprintf(file,
			"    kind: %s\n    isolates: %s\n    first_intid: %u\n    intids: %u\n"
			"    pool: 0x%x\n    firmware_id: 0x%x\n    doorbells: [",
			word(fields, "kind", controller->kind), tri(controller->isolates),
			(unsigned int)controller->first_intid, (unsigned int)controller->intids,
			(unsigned int)controller->pool, (unsigned int)controller->firmware_id);
		for (uint32_t k = 0; k < controller->doorbells_count; k++)
			put_range(file, k ? ", " : "", controller->doorbells[k], "");
		fputs("]\n", file);
		put_text(file, "    ", "evidence", controller->evidence);
	}
}

static const char *type_of(const cyaml_schema_field_t *fields, const struct ward_function *f)
{
	static const struct {
		enum ward_pcie_type pcie;
		enum app_function_type type;
	} types[] = {
		{ WARD_PCIE_ENDPOINT, APP_TYPE_ENDPOINT },
		{ WARD_PCIE_LEGACY_ENDPOINT, APP_TYPE_LEGACY },
		{ WARD_PCIE_ROOT_PORT, APP_TYPE_ROOT_PORT },
		{ WARD_PCIE_UPSTREAM, APP_TYPE_UPSTREAM },
		{ WARD_PCIE_DOWNSTREAM, APP_TYPE_DOWNSTREAM },
		{ WARD_PCIE_TO_PCI, APP_TYPE_PCIE_TO_PCI },
		{ WARD_PCI_TO_PCIE, APP_TYPE_PCI_TO_PCIE },
		{ WARD_PCIE_RC_ENDPOINT, APP_TYPE_INTEGRATED },
		{ WARD_PCIE_RC_EVENT_COLLECTOR, APP_TYPE_EVENT_COLLECTOR },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].pcie == f->pcie_type)
			return word(fields, "type", types[i].type);
	return word(fields, "type", f->header_type ? APP_TYPE_PCI_BRIDGE : APP_TYPE_CONVENTIONAL);
}

static void put_bits(FILE *file, const char *key, uint16_t bits)
{
	static const char names[][3] = { "sv", "tb", "rr", "cr", "uf", "ec", "dt" };
	bool first = true;

	fprintf(file, "%s: \"", key);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(bits >> i & 1))
			continue;
		fprintf(file, "%s%s", first ? "" : " ", names[i]);
		first = false;
	}
	putc('"', file);
}

static void put_acs(FILE *file, const struct ward_acs *acs)
{
	bool first = true;

	if (acs->present != WARD_YES) {
		fprintf(file, "    acs: %s\n", acs->present == WARD_NO ? "none" : "unknown");
	} else {
		put_bits(file, "    acs", acs->control);
		put_bits(file, "\n    acs_offers", acs->capability);
		putc('\n', file);
	}
	for (unsigned int i = 0; i < 256; i++) {
		if (!(acs->egress[i / 32] >> i % 32 & 1))
			continue;
		fprintf(file, "%s%u", first ? "    egress: [" : ", ", i);
		first = false;
	}
	if (!first)
		fputs("]\n", file);
	if (!acs->quirk_name)
		return;
	fprintf(file, "    acs_quirk:\n      isolates: %s\n", tri(acs->quirk));
	put_bits(file, "      bits", acs->quirk_bits);
	putc('\n', file);
	put_text(file, "      ", "name", acs->quirk_name);
}

static void put_bars(FILE *file, const struct ward_function *f)
{
	bool any = false;

	for (unsigned int i = 0; i < 7; i++) {
		if (ward_range_is_empty(f->bar[i].range))
			continue;
		fprintf(file, "%s      - {bar: %u, ", any ? "" : "    bars:\n", i);
		put_range(file, "range: ", f->bar[i].range, "");
		fprintf(file, "%s%s}\n", f->bar[i].io ? ", io: yes" : "",
			f->bar[i].prefetchable ? ", prefetchable: yes" : "");
		any = true;
	}
	if (!any)
		fputs("    auto_bar: no\n", file);
}

static const char *ability(enum ward_tri there, bool enabled)
{
	if (there == WARD_YES)
		return enabled ? "on" : "capable";
	return there == WARD_NO ? "no" : "unknown";
}

static void put_bridge(FILE *file, const struct ward_function *f)
{
	if (f->header_type == 0)
		return;
	fprintf(file, "    primary: %u\n    secondary: %u\n    subordinate: %u\n    ari: %s\n",
		f->bridge.primary, f->bridge.secondary, f->bridge.subordinate,
		truth(f->ari_forwarding));
	if (!ward_range_is_empty(f->bridge.memory))
		put_range(file, "    window: ", f->bridge.memory, "\n");
	if (!ward_range_is_empty(f->bridge.prefetchable))
		put_range(file, "    prefetchable_window: ", f->bridge.prefetchable, "\n");
}

static void put_interrupts(FILE *file, const cyaml_schema_field_t *fields,
			   const struct ward_function *f, uint32_t intx_line)
{
	static const char *const resets[] = { "flr", "af", "pm", "device" };
	bool first = true;

	fprintf(file, "    msi: %u\n    msix: %u\n    intx: %s\n", f->msi ? f->msi_vectors : 0u,
		f->msix ? f->msix_vectors : 0u, word(fields, "intx", f->intx_pin));
	if (intx_line)
		fprintf(file, "    intx_line: %u\n", (unsigned int)intx_line);
	if (f->msi_message_known)
		fprintf(file, "    msi_message: {address: \"0x%llx\", data: 0x%x}\n",
			(unsigned long long)f->msi_message.address,
			(unsigned int)f->msi_message.data);
	fprintf(file, "    ats: %s\n    pasid: %s\n    pri: %s\n    resets: [",
		ability(f->ats, f->ats_enabled), ability(f->pasid, f->pasid_enabled),
		ability(f->pri, f->pri_enabled));
	for (size_t i = 0; i < sizeof(resets) / sizeof(resets[0]); i++) {
		if (!(f->resets >> i & 1))
			continue;
		fprintf(file, "%s%s", first ? "" : ", ", resets[i]);
		first = false;
	}
	fprintf(file, "]\n    resets_known: %s\n", tri(f->resets_known));
}

/* What serves it; platform devices and PCI functions alike. */
static void put_place(FILE *file, const struct ward_machine *machine, const struct ward_function *f)
{
	put_text(file, "    ", "iommu",
		 f->iommu_known != WARD_YES	? "unknown"
		 : f->stream.iommu == WARD_NONE ? "none"
						: machine->iommus[f->stream.iommu].name);
	if (f->iommu_known == WARD_YES && f->stream.iommu != WARD_NONE)
		fprintf(file, "    stream: 0x%x\n", (unsigned int)ward_sid_raw(f->stream.sid));
	put_text(file, "    ", "controller",
		 f->controller_known != WARD_YES ? "unknown"
		 : f->controller == WARD_NONE	 ? "none"
						 : machine->controllers[f->controller].name);
	if (f->controller_known == WARD_YES && f->controller != WARD_NONE)
		fprintf(file, "    devid: 0x%x\n", (unsigned int)ward_devid_raw(f->devid));
	if (f->group != WARD_NONE)
		fprintf(file, "    group: %u\n", (unsigned int)machine->groups[f->group].number);
	for (uint32_t i = 0; i < f->names_count; i++) {
		fputs(i ? ", " : "    names: [", file);
		put_quoted(file, f->names[i]);
	}
	if (f->names_count)
		fputs("]\n", file);
}

static void put_owner(FILE *file, const struct ward_state *state, const char *key,
		      struct ward_owner owner)
{
	put_text(file, "    ", key,
		 owner.kind == WARD_OWNER_CLIENT
			 ? owner.client == WARD_NONE ? "several" : state->clients[owner.client]
		 : owner.kind == WARD_OWNER_HOST ? "host"
						 : "nobody");
}

static void put_state(FILE *file, const cyaml_schema_field_t *fields,
		      const struct ward_state *state, uint32_t index)
{
	const struct ward_function_state *f = &state->functions[index];
	const struct {
		const char *key;
		bool value;
	} truths[] = {
		{ "msi_off", f->msi_off },	   { "absent", f->absent },
		{ "quarantined", f->quarantined }, { "frozen", f->frozen },
		{ "revoking", f->revoking },
	};

	put_text(file, "    ", "driver", f->driver);
	put_text(file, "    ", "driver_override", f->driver_override);
	put_owner(file, state, "owner", f->owner);
	fprintf(file, "    irq: %s\n", word(fields, "irq", f->irq_mode));
	for (size_t i = 0; i < sizeof(truths) / sizeof(truths[0]); i++)
		if (truths[i].value)
			fprintf(file, "    %s: yes\n", truths[i].key);
	if (f->tainted_by.kind != WARD_OWNER_NOBODY)
		put_owner(file, state, "tainted_by", f->tainted_by);
}

static void put_function(FILE *file, const struct ward_machine *machine,
			 const struct ward_state *state, uint32_t index)
{
	const struct ward_function *f = &machine->functions[index];
	const cyaml_schema_field_t *fields = fields_of("functions");

	fprintf(file,
		"  - address: \"%s\"\n    type: %s\n    id: \"%04x:%04x\"\n"
		"    subsystem: \"%04x:%04x\"\n    class: \"0x%06x\"\n    revision: %u\n"
		"    header_type: %u\n    multifunction: %s\n    config_size: %u\n"
		"    asleep: %s\n    pcie_known: %s\n    port: %u\n",
		f->name, type_of(fields, f), f->vendor, f->device, f->subsystem_vendor,
		f->subsystem_device, (unsigned int)f->class_code, f->revision, f->header_type,
		truth(f->multifunction), f->config_size, truth(f->asleep), tri(f->pcie_known),
		f->port_number);
	if (f->parent != WARD_NONE)
		put_text(file, "    ", "parent", machine->functions[f->parent].name);
	put_bridge(file, f);
	put_bars(file, f);
	put_acs(file, &f->acs);
	put_interrupts(file, fields, f, state->functions[index].intx_irq);
	if (f->physfn != WARD_NONE)
		put_text(file, "    ", "pf", machine->functions[f->physfn].name);
	if (f->vfs_total || f->vfs_enabled)
		fprintf(file, "    vfs_total: %u\n    vfs_enabled: %u\n", f->vfs_total,
			f->vfs_enabled);
	put_place(file, machine, f);
	put_state(file, fields, state, index);
}

static void put_functions(FILE *file, const struct ward_machine *machine,
			  const struct ward_state *state)
{
	bool pci = false, platform = false;

	for (uint32_t i = 0; i < machine->functions_count; i++) {
		const struct ward_function *f = &machine->functions[i];

		if (f->kind == WARD_FUNCTION_PCI) {
			fputs(pci ? "" : "functions:\n", file);
			pci = true;
			put_function(file, machine, state, i);
			continue;
		}
		fputs(platform ? "" : "platform_devices:\n", file);
		platform = true;
		put_text(file, "  - ", "name", f->name);
		put_place(file, machine, f);
		put_state(file, fields_of("functions"), state, i);
	}
}

static void put_id_maps(FILE *file, const struct ward_machine *machine)
{
	const cyaml_schema_field_t *fields = fields_of("id_maps");

	if (machine->id_maps_count)
		fputs("id_maps:\n", file);
	for (uint32_t i = 0; i < machine->id_maps_count; i++) {
		const struct ward_id_map *map = &machine->id_maps[i];

		fprintf(file,
			"  - kind: %s\n    segment: %u\n    first: 0x%x\n    last: 0x%x\n"
			"    mask: 0x%x\n    output: 0x%x\n",
			word(fields, "kind", map->kind), (unsigned int)map->segment,
			ward_rid_raw(map->first), ward_rid_raw(map->last), map->mask,
			(unsigned int)map->output_base);
		put_text(file, "    ", "to",
			 map->target == WARD_NONE	  ? "none"
			 : map->kind == WARD_ID_MAP_IOMMU ? machine->iommus[map->target].name
							  : machine->controllers[map->target].name);
		put_text(file, "    ", "evidence", map->evidence);
	}
}

static void put_groups(FILE *file, const struct ward_machine *machine)
{
	const cyaml_schema_field_t *groups = fields_of("groups"), *regions = fields_of("regions");

	if (machine->groups_count)
		fputs("groups:\n", file);
	for (uint32_t i = 0; i < machine->groups_count; i++)
		fprintf(file, "  - {number: %u, type: %s}\n",
			(unsigned int)machine->groups[i].number,
			word(groups, "type", machine->groups[i].type));
	if (machine->regions_count)
		fputs("regions:\n", file);
	for (uint32_t i = 0; i < machine->regions_count; i++) {
		const struct ward_region *region = &machine->regions[i];

		put_range(file, "  - range: ", region->range, "\n");
		fprintf(file, "    kind: %s\n", word(regions, "kind", region->kind));
		if (region->function != WARD_NONE)
			put_text(file, "    ", "function",
				 machine->functions[region->function].name);
		if (region->group != WARD_NONE)
			fprintf(file, "    group: %u\n",
				(unsigned int)machine->groups[region->group].number);
		put_text(file, "    ", "source", region->source);
	}
}

/* Endpoints in the order in which they are met, each once. */
static void put_partition(FILE *file, const struct ward_machine *machine, uint32_t pe)
{
	bool first = true;

	fprintf(file, "  - pe: %u\n    functions: [", (unsigned int)pe);
	for (uint32_t i = 0; i < machine->functions_count; i++) {
		if (machine->functions[i].pe != pe)
			continue;
		fputs(first ? "" : ", ", file);
		put_quoted(file, machine->functions[i].name);
		first = false;
	}
	fputs("]\n    mmio: [", file);
	first = true;
	for (uint32_t i = 0; i < machine->segments_count; i++) {
		if (machine->segments[i].pe != pe)
			continue;
		put_range(file, first ? "" : ", ", machine->segments[i].range, "");
		first = false;
	}
	fputs("]\n", file);
}

static bool is_first_of(const struct ward_machine *machine, uint32_t index, bool segment)
{
	uint32_t pe = segment ? machine->segments[index].pe : machine->functions[index].pe;

	for (uint32_t i = 0; i < (segment ? machine->functions_count : index); i++)
		if (machine->functions[i].pe == pe)
			return false;
	for (uint32_t i = 0; segment && i < index; i++)
		if (machine->segments[i].pe == pe)
			return false;
	return pe != WARD_NONE;
}

static void put_partitions(FILE *file, const struct ward_machine *machine)
{
	bool any = false;

	for (uint32_t i = 0; i < machine->functions_count + machine->segments_count; i++) {
		bool segment = i >= machine->functions_count;
		uint32_t index = segment ? i - machine->functions_count : i;

		if (!segment && machine->functions[index].pe == WARD_NONE)
			continue;
		if (!is_first_of(machine, index, segment))
			continue;
		fputs(any ? "" : "partitions:\n", file);
		any = true;
		put_partition(file, machine,
			      segment ? machine->segments[index].pe : machine->functions[index].pe);
	}
}

static void put_rest(FILE *file, const struct ward_machine *machine, const struct ward_state *state)
{
	if (state->vectors_count)
		fputs("vectors:\n", file);
	for (uint32_t i = 0; i < state->vectors_count; i++) {
		const struct ward_host_vector *vector = &state->vectors[i];

		fprintf(file, "  - irq: %u\n    hwirq: %u\n", (unsigned int)vector->irq,
			(unsigned int)vector->hwirq);
		if (vector->function != WARD_NONE)
			put_text(file, "    ", "function",
				 machine->functions[vector->function].name);
		if (vector->controller != WARD_NONE)
			put_text(file, "    ", "controller",
				 machine->controllers[vector->controller].name);
		put_text(file, "    ", "chip", vector->chip);
	}
	if (machine->remarks_count)
		fputs("remarks:\n", file);
	for (uint32_t i = 0; i < machine->remarks_count; i++) {
		put_text(file, "  - ", "code", machine->remarks[i].code);
		put_text(file, "    ", "text", machine->remarks[i].text);
	}
}

void app_machine_write(FILE *file, const char *head, const struct ward_machine *machine,
		       const struct ward_state *state)
{
	while (head && *head) {
		size_t length = strcspn(head, "\n");

		fprintf(file, "# %.*s\n", (int)length, head);
		head += length + (head[length] == '\n');
	}
	put_host(file, machine);
	put_clients(file, state);
	put_iommus(file, machine);
	put_controllers(file, machine);
	put_functions(file, machine, state);
	put_id_maps(file, machine);
	put_groups(file, machine);
	put_partitions(file, machine);
	put_rest(file, machine, state);
}
