// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A plan for a person: one line a part. */
#include "plan.h"

#include <stdio.h>

static const char *type_name(const struct plan_function *f)
{
	if (f->platform)
		return "platform device";
	switch (f->type) {
	case WARD_PCIE_ROOT_PORT:
		return "root port";
	case WARD_PCIE_UPSTREAM:
		return "upstream port";
	case WARD_PCIE_DOWNSTREAM:
		return "downstream port";
	case WARD_PCIE_TO_PCI:
		return "PCIe-to-PCI bridge";
	case WARD_PCI_TO_PCIE:
		return "PCI-to-PCIe bridge";
	case WARD_PCIE_RC_ENDPOINT:
		return "integrated endpoint";
	case WARD_PCIE_ENDPOINT:
		return f->pf == WARD_NONE ? "endpoint" : "VF";
	case WARD_PCIE_NONE:
		return plan_is_bridge(f) ? "PCI bridge" : "PCI function";
	case WARD_PCIE_LEGACY_ENDPOINT:
	case WARD_PCIE_RC_EVENT_COLLECTOR:
		break;
	}
	return "?";
}

static void print_number(const char *name, uint32_t number)
{
	if (number != WARD_NONE)
		printf(" %s %u", name, (unsigned int)number);
}

static void print_function(const struct plan *plan, uint32_t index)
{
	const struct plan_function *f = &plan->functions[index];

	printf("#   %2u %x:%02x:%02x.%x %s%s", (unsigned int)index, (unsigned int)f->segment,
	       f->bus, f->devfn >> 3, f->devfn & 7, type_name(f), f->hostile ? " HOSTILE" : "");
	if (plan_is_bridge(f))
		printf(" to %02x-%02x port %u%s", f->secondary, f->subordinate, f->port,
		       f->ari_forwarding ? " ARI" : "");
	if (f->bar)
		printf(" BAR %#llx", (unsigned long long)f->bar);
	if (f->acs.present == WARD_YES)
		printf(" ACS %02x of %02x egress %x", f->acs.control, f->acs.capability,
		       (unsigned int)f->acs.egress[0]);
	printf("%s%s%s%s%s", f->msi ? " MSI" : "", f->msi_off ? " (off)" : "",
	       f->ats_enabled ? " ATS" : "", f->pasid ? " PASID" : "", f->quirk ? " quirk" : "");
	print_number("quirk", f->quirk ? f->quirk : WARD_NONE);
	print_number("PF", f->pf);
	print_number("IOMMU", f->iommu);
	print_number("controller", f->controller);
	print_number("space", f->space);
	print_number("space of PASID 1", f->pasid_space);
	print_number("one with", plan->same[index] == index ? WARD_NONE : plan->same[index]);
	print_number("hidden", f->hide ? f->hide : WARD_NONE);
	printf("\n");
}

static void print_spaces(const struct plan *plan)
{
	static const char *const kinds[] = { "blocked", "identity", "unmanaged", "dynamic",
					     "nested" };

	for (uint32_t i = 0; i < plan->spaces_count; i++) {
		printf("#   space %u: %s", (unsigned int)i, kinds[plan->spaces[i].kind]);
		print_number("on", plan->spaces[i].parent);
		printf("\n");
		for (uint32_t k = 0; k < PLAN_MAPPINGS; k++) {
			const struct plan_mapping *m = &plan->spaces[i].mappings[k];

			if (m->present)
				printf("#     %#llx to %#llx, %u pages, %s%s\n",
				       (unsigned long long)m->iova, (unsigned long long)m->target,
				       (unsigned int)m->pages, m->access & WARD_READ ? "r" : "",
				       m->access & WARD_WRITE ? "w" : "");
		}
	}
}

void plan_print(const struct plan *plan)
{
	printf("#   %s, pages of %llu KiB, %s\n", plan->x86 ? "x86" : "Arm",
	       (unsigned long long)plan->page_size >> 10, plan->tables ? "model backend" : "quick");
	if (plan->no_check)
		printf("#   intremap=nosid\n");
	for (uint32_t i = 0; i < plan->functions_count; i++)
		if (plan->functions[i].present)
			print_function(plan, i);
	for (uint32_t i = 0; i < plan->iommus_count; i++) {
		printf("#   IOMMU %u%s", (unsigned int)i,
		       plan->iommus[i].active ? "" : " not in use");
		print_number("controller", plan->iommus[i].controller);
		printf("\n");
	}
	for (uint32_t i = 0; i < plan->controllers_count; i++)
		printf("#   controller %u: kind %u at %#llx size %#llx pool %u%s\n",
		       (unsigned int)i, (unsigned int)plan->controllers[i].kind,
		       (unsigned long long)plan->controllers[i].doorbell,
		       (unsigned long long)plan->controllers[i].size,
		       (unsigned int)plan->controllers[i].pool,
		       plan->controllers[i].isolates ? " isolates" : "");
	for (uint32_t i = 0; i < plan->maps_count; i++) {
		const struct plan_map *m = &plan->maps[i];

		if (m->present)
			printf("#   %s map: %x:%04x-%04x mask %04x to %d base %#x\n",
			       m->msi ? "MSI" : "IOMMU", (unsigned int)m->segment, m->first,
			       m->last, m->mask, (int)m->target, (unsigned int)m->base);
	}
	print_spaces(plan);
}
