/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A machine and its state as text, all of it: two that read the same are the same. */
#ifndef TESTS_MACHINE_DESCRIBE_H
#define TESTS_MACHINE_DESCRIBE_H

#include <doorward/machine.h>
#include <doorward/state.h>

#include <inttypes.h>
#include <stdio.h>

static inline void test_describe_function(FILE *out, const struct ward_function *f)
{
	fprintf(out, "function %s kind %d ids %04x:%04x %04x:%04x class %06x rev %x header %d %d\n",
		f->name, f->kind, f->vendor, f->device, f->subsystem_vendor, f->subsystem_device,
		f->class_code, f->revision, f->header_type, f->multifunction);
	fprintf(out, " config %d asleep %d bus %u parent %u\n", f->config_size, f->asleep, f->bus,
		f->parent);
	fprintf(out, " bridge %d %d %d %u %" PRIx64 "-%" PRIx64 " %" PRIx64 "-%" PRIx64 "\n",
		f->bridge.primary, f->bridge.secondary, f->bridge.subordinate, f->bridge.bus,
		f->bridge.memory.start, f->bridge.memory.last, f->bridge.prefetchable.start,
		f->bridge.prefetchable.last);
	for (int i = 0; i < 7; i++)
		fprintf(out, " bar %d %" PRIx64 "-%" PRIx64 " %d %d\n", i, f->bar[i].range.start,
			f->bar[i].range.last, f->bar[i].io, f->bar[i].prefetchable);
	fprintf(out, " pcie %d %d port %d ari %d acs %d %x %x quirk %d %x %s\n", f->pcie_type,
		f->pcie_known, f->port_number, f->ari_forwarding, f->acs.present, f->acs.capability,
		f->acs.control, f->acs.quirk, f->acs.quirk_bits,
		f->acs.quirk_name ? f->acs.quirk_name : "-");
	fprintf(out, " msi %d %d %d msix %d %d %d ats %d %d pasid %d %d pri %d %d pin %d\n", f->msi,
		f->msi_vectors, f->msi_enabled, f->msix, f->msix_vectors, f->msix_enabled, f->ats,
		f->ats_enabled, f->pasid, f->pasid_enabled, f->pri, f->pri_enabled, f->intx_pin);
	if (f->msi_message_known)
		fprintf(out, " message %" PRIx64 " %x\n", ward_iova_raw(f->msi_message.address),
			f->msi_message.data);
	fprintf(out, " resets %x %d physfn %u vfs %d %d aliases", f->resets, f->resets_known,
		f->physfn, f->vfs_total, f->vfs_enabled);
	for (int i = 0; i < f->aliases; i++)
		fprintf(out, " %04x", ward_rid_raw(f->alias[i]));
	fprintf(out, " %s\n iommu %d %u sid %x %s\n", f->alias_name ? f->alias_name : "-",
		f->iommu_known, f->stream.iommu, ward_sid_raw(f->stream.sid),
		f->iommu_evidence ? f->iommu_evidence : "-");
	fprintf(out, " controller %d %u devid %x %s\n", f->controller_known, f->controller,
		ward_devid_raw(f->devid), f->controller_evidence ? f->controller_evidence : "-");
	fprintf(out, " group %u pe %u path %s names", f->group, f->pe, f->path ? f->path : "-");
	for (uint32_t i = 0; i < f->names_count; i++)
		fprintf(out, " %s", f->names[i]);
	fprintf(out, "\n");
}

static inline void test_describe_machine(FILE *out, const struct ward_machine *m)
{
	fprintf(out,
		"machine arch %d kernel %s line %s page %" PRIu64 " acpi %d dt %d groups %d "
		"unsafe %d firmware %d\n",
		m->arch, m->kernel_release ? m->kernel_release : "-",
		m->command_line ? m->command_line : "-", m->page_size, m->firmware_acpi,
		m->firmware_dt, m->groups_known, m->unsafe_interrupts_allowed, m->firmware_iommu);
	for (uint32_t i = 0; i < m->functions_count; i++)
		test_describe_function(out, &m->functions[i]);
	for (uint32_t i = 0; i < m->buses_count; i++)
		fprintf(out, "bus %u:%x bridge %u first %u count %u\n", m->buses[i].segment,
			m->buses[i].number, m->buses[i].bridge, m->buses[i].first,
			m->buses[i].count);
	for (uint32_t i = 0; i < m->iommus_count; i++)
		fprintf(out, "iommu %s kind %d base %" PRIx64 " active %d remaps %d ats %d %u\n",
			m->iommus[i].name, m->iommus[i].kind, ward_pa_raw(m->iommus[i].base),
			m->iommus[i].active, m->iommus[i].remaps_interrupts, m->iommus[i].ats,
			m->iommus[i].controller);
	for (uint32_t i = 0; i < m->controllers_count; i++)
		fprintf(out,
			"controller %s kind %d isolates %d %" PRIx64 "-%" PRIx64 " %u+%u pool "
			"%u id %u %s\n",
			m->controllers[i].name, m->controllers[i].kind, m->controllers[i].isolates,
			m->controllers[i].doorbells[0].start, m->controllers[i].doorbells[0].last,
			m->controllers[i].first_intid, m->controllers[i].intids,
			m->controllers[i].pool, m->controllers[i].firmware_id,
			m->controllers[i].evidence ? m->controllers[i].evidence : "-");
	for (uint32_t i = 0; i < m->groups_count; i++)
		fprintf(out, "group %u type %d\n", m->groups[i].number, m->groups[i].type);
	for (uint32_t i = 0; i < m->regions_count; i++)
		fprintf(out, "region %" PRIx64 "-%" PRIx64 " kind %d function %u group %u %s\n",
			m->regions[i].range.start, m->regions[i].range.last, m->regions[i].kind,
			m->regions[i].function, m->regions[i].group,
			m->regions[i].source ? m->regions[i].source : "-");
	for (uint32_t i = 0; i < m->remarks_count; i++)
		fprintf(out, "remark %s: %s\n", m->remarks[i].code, m->remarks[i].text);
}

static inline void test_describe_state(FILE *out, const struct ward_state *state)
{
	for (uint32_t i = 0; i < state->machine->functions_count; i++) {
		const struct ward_function_state *s = &state->functions[i];

		fprintf(out, "state %u driver %s %d %d override %s owner %d %u irq %d %d %u\n", i,
			s->driver ? s->driver : "-", s->driver_yields, s->driver_exempt,
			s->driver_override ? s->driver_override : "-", s->owner.kind,
			s->owner.client, s->irq_mode, s->msi_off, s->intx_irq);
	}
	for (uint32_t i = 0; i < state->vectors_count; i++)
		fprintf(out, "vector %u hwirq %u function %u controller %u %s\n",
			state->vectors[i].irq, state->vectors[i].hwirq, state->vectors[i].function,
			state->vectors[i].controller, state->vectors[i].chip);
}

#endif
