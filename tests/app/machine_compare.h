/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Whether two machines, and two states, are the same: each fact of them. */
#ifndef TESTS_APP_MACHINE_COMPARE_H
#define TESTS_APP_MACHINE_COMPARE_H

#include <doorward/state.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SAME(member)                                                                            \
	do {                                                                                    \
		if (a->member != b->member)                                                     \
			fail_msg("%s: " #member ": %llu, not %llu", who,                        \
				 (unsigned long long)a->member, (unsigned long long)b->member); \
	} while (0)

#define SAME_TEXT(member)                                                                         \
	do {                                                                                      \
		if (!a->member != !b->member || (a->member && strcmp(a->member, b->member) != 0)) \
			fail_msg("%s: " #member ": %s, not %s", who, a->member, b->member);       \
	} while (0)

#define SAME_RANGE(member)                                                                 \
	do {                                                                               \
		if (!(ward_range_is_empty(a->member) && ward_range_is_empty(b->member))) { \
			SAME(member.start);                                                \
			SAME(member.last);                                                 \
		}                                                                          \
	} while (0)

static inline void same_acs(const char *who, const struct ward_acs *a, const struct ward_acs *b)
{
	SAME(present);
	SAME(capability);
	SAME(control);
	for (size_t i = 0; i < 8; i++)
		SAME(egress[i]);
	SAME(quirk);
	SAME(quirk_bits);
	SAME_TEXT(quirk_name);
}

/* evidence: what is shown to people as the source of a fact counts, too. */
static inline void same_function(const struct ward_function *a, const struct ward_function *b,
				 bool evidence)
{
	const char *who = b->name;

	SAME(kind);
	SAME(address.segment);
	SAME(address.rid);
	SAME_TEXT(name);
	SAME(vendor);
	SAME(device);
	SAME(subsystem_vendor);
	SAME(subsystem_device);
	SAME(class_code);
	SAME(revision);
	SAME(header_type);
	SAME(multifunction);
	SAME(config_size);
	SAME(asleep);
	SAME(bus);
	SAME(parent);
	SAME(bridge.primary);
	SAME(bridge.secondary);
	SAME(bridge.subordinate);
	SAME_RANGE(bridge.memory);
	SAME_RANGE(bridge.prefetchable);
	SAME(bridge.bus);
	for (size_t i = 0; i < 7; i++) {
		SAME_RANGE(bar[i].range);
		SAME(bar[i].io);
		SAME(bar[i].prefetchable);
	}
	SAME(pcie_type);
	SAME(pcie_known);
	SAME(port_number);
	SAME(ari_forwarding);
	same_acs(who, &a->acs, &b->acs);
	SAME(msi);
	SAME(msi_vectors);
	SAME(msi_enabled);
	SAME(msi_message_known);
	SAME(msi_message.address);
	SAME(msi_message.data);
	SAME(msix);
	SAME(msix_vectors);
	SAME(msix_enabled);
	SAME(ats);
	SAME(ats_enabled);
	SAME(pasid);
	SAME(pasid_enabled);
	SAME(pri);
	SAME(pri_enabled);
	SAME(intx_pin);
	SAME(resets);
	SAME(resets_known);
	SAME(physfn);
	SAME(vfs_total);
	SAME(vfs_enabled);
	SAME(aliases);
	for (size_t i = 0; i < a->aliases; i++)
		SAME(alias[i]);
	SAME_TEXT(alias_name);
	SAME(iommu_known);
	SAME(stream.iommu);
	if (a->stream.iommu != WARD_NONE)
		SAME(stream.sid);
	SAME(controller_known);
	SAME(controller);
	if (a->controller != WARD_NONE)
		SAME(devid);
	SAME(group);
	SAME(pe);
	SAME(names_count);
	for (size_t i = 0; i < a->names_count; i++)
		SAME_TEXT(names[i]);
	if (evidence) {
		SAME_TEXT(controller_evidence);
		SAME_TEXT(iommu_evidence);
	}
}

static inline void same_controller(const struct ward_controller *a, const struct ward_controller *b)
{
	const char *who = b->name;

	SAME(kind);
	SAME_TEXT(name);
	SAME(isolates);
	SAME(doorbells_count);
	for (uint32_t i = 0; i < a->doorbells_count; i++)
		SAME_RANGE(doorbells[i]);
	SAME(first_intid);
	SAME(intids);
	SAME(pool);
	SAME(firmware_id);
	SAME_TEXT(evidence);
}

static inline void same_iommu(const struct ward_iommu *a, const struct ward_iommu *b)
{
	const char *who = b->name;

	SAME(kind);
	SAME_TEXT(name);
	SAME(base);
	SAME(active);
	SAME(remaps_interrupts);
	SAME(ats);
	SAME(controller);
	SAME(domains);
}

static inline void same_lists(const struct ward_machine *one, const struct ward_machine *other)
{
	for (uint32_t i = 0; i < one->groups_count; i++) {
		const struct ward_kernel_group *a = &one->groups[i], *b = &other->groups[i];
		const char *who = "group";

		SAME(number);
		SAME(type);
	}
	for (uint32_t i = 0; i < one->regions_count; i++) {
		const struct ward_region *a = &one->regions[i], *b = &other->regions[i];
		const char *who = "region";

		SAME_RANGE(range);
		SAME(kind);
		SAME(function);
		SAME(group);
		SAME_TEXT(source);
	}
	for (uint32_t i = 0; i < one->segments_count; i++) {
		const struct ward_mmio_segment *a = &one->segments[i], *b = &other->segments[i];
		const char *who = "segment";

		SAME_RANGE(range);
		SAME(pe);
	}
	for (uint32_t i = 0; i < one->remarks_count; i++) {
		const struct ward_remark *a = &one->remarks[i], *b = &other->remarks[i];
		const char *who = "remark";

		SAME_TEXT(code);
		SAME_TEXT(text);
	}
	for (uint32_t i = 0; i < one->id_maps_count; i++) {
		const struct ward_id_map *a = &one->id_maps[i], *b = &other->id_maps[i];
		const char *who = "id map";

		SAME(kind);
		SAME(segment);
		SAME(first);
		SAME(last);
		SAME(mask);
		SAME(target);
		SAME(output_base);
		SAME_TEXT(evidence);
	}
}

static inline void same_machine(const struct ward_machine *a, const struct ward_machine *b,
				bool evidence)
{
	const char *who = "machine";

	SAME(arch);
	SAME_TEXT(kernel_release);
	SAME_TEXT(command_line);
	SAME(page_size);
	SAME(firmware_acpi);
	SAME(firmware_dt);
	SAME(functions_count);
	SAME(buses_count);
	SAME(iommus_count);
	SAME(controllers_count);
	SAME(groups_count);
	SAME(regions_count);
	SAME(segments_count);
	SAME(remarks_count);
	SAME(id_maps_count);
	SAME(groups_known);
	SAME(unsafe_interrupts_allowed);
	SAME(firmware_iommu);
	for (uint32_t i = 0; i < a->functions_count; i++)
		same_function(&a->functions[i], &b->functions[i], evidence);
	for (uint32_t i = 0; i < a->controllers_count; i++)
		same_controller(&a->controllers[i], &b->controllers[i]);
	for (uint32_t i = 0; i < a->iommus_count; i++)
		same_iommu(&a->iommus[i], &b->iommus[i]);
	same_lists(a, b);
}

static inline void same_function_state(const char *who, const struct ward_function_state *a,
				       const struct ward_function_state *b)
{
	SAME_TEXT(driver);
	SAME(driver_yields);
	SAME(driver_exempt);
	SAME_TEXT(driver_override);
	SAME(owner.kind);
	SAME(owner.client);
	SAME(irq_mode);
	SAME(msi_off);
	SAME(intx_irq);
	SAME(absent);
	SAME(quarantined);
	SAME(frozen);
	SAME(revoking);
	SAME(tainted_by.kind);
	SAME(tainted_by.client);
}

static inline void same_state(const struct ward_state *one, const struct ward_state *other)
{
	const struct ward_state *a = one, *b = other;
	const char *who = "state";

	SAME(vectors_count);
	SAME(clients_count);
	for (uint32_t i = 0; i < a->clients_count; i++)
		SAME_TEXT(clients[i]);
	for (uint32_t i = 0; i < a->machine->functions_count; i++)
		same_function_state(b->machine->functions[i].name, &a->functions[i],
				    &b->functions[i]);
	for (uint32_t i = 0; i < one->vectors_count; i++) {
		const struct ward_host_vector *x = &one->vectors[i], *y = &other->vectors[i];

		assert_int_equal(x->irq, y->irq);
		assert_int_equal(x->hwirq, y->hwirq);
		assert_int_equal(x->function, y->function);
		assert_int_equal(x->controller, y->controller);
		assert_true(!x->chip == !y->chip);
		assert_true(!x->chip || strcmp(x->chip, y->chip) == 0);
	}
}

#endif
