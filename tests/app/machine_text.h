/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A machine that has every field there is, and how tests load one. */
#ifndef TESTS_APP_MACHINE_TEXT_H
#define TESTS_APP_MACHINE_TEXT_H

#include "app/machine_yaml.h"

#include <string.h>

/* Every field there is, none with its default. */
static const char everything[] =
	"title: all there is\n"
	"arch: arm64\n"
	"page_size: 0x4000\n"
	"kernel: 6.12.0\n"
	"command_line: quiet splash\n"
	"firmware: acpi\n"
	"firmware_iommu: unknown\n"
	"unsafe_interrupts: yes\n"
	"groups_known: no\n"
	"clients: [vm0, vm1]\n"
	"memory: [\"0x80000000-0x8fffffff\", \"0+16 MiB\"]\n"
	"iommus:\n"
	"  - {name: a, kind: smmuv3, base: \"0x9050000\", active: no, remaps_interrupts: unknown,\n"
	"     ats: no, controller: frame, domains: joined}\n"
	"  - {name: b, kind: virtio, domains: fixed, active: unknown, ats: unknown}\n"
	"controllers:\n"
	"  - {name: its, kind: its, isolates: unknown, doorbells: [\"0x8090000\"], pool: 7,\n"
	"     firmware_id: 0x20, evidence: MADT ITS 0}\n"
	"  - {name: frame, kind: gicv2m, isolates: yes, first_intid: 100, intids: 32, pool: 3,\n"
	"     doorbells: [\"0x8020000\", \"0x8030000-0x8030fff\", \"0x8040000+8 KiB\"]}\n"
	"functions:\n"
	"  - address: \"0001:00:01.0\"\n"
	"    type: root-port\n"
	"    id: \"8086:1901\"\n"
	"    subsystem: \"8086:2015\"\n"
	"    class: \"0x060401\"\n"
	"    revision: 3\n"
	"    header_type: 1\n"
	"    multifunction: yes\n"
	"    config_size: 4096\n"
	"    primary: 9\n"
	"    secondary: 1\n"
	"    subordinate: 4\n"
	"    window: \"0x10000000-0x100fffff\"\n"
	"    prefetchable_window: \"0x8000000000+1 GiB\"\n"
	"    pcie_known: yes\n"
	"    port: 5\n"
	"    ari: yes\n"
	"    acs: sv rr\n"
	"    acs_offers: sv rr cr ec\n"
	"    egress: [1, 33, 255]\n"
	"    msi: 2\n"
	"    msi_message: {address: \"0x8020040\", data: 100}\n"
	"    resets: []\n"
	"    resets_known: unknown\n"
	"    driver: pcieport\n"
	"    irq: msi\n"
	"  - address: \"0001:01:00.0\"\n"
	"    type: legacy-endpoint\n"
	"    class: nvme\n"
	"    acs_quirk: {isolates: yes, bits: sv uf, name: a quirk}\n"
	"    bars:\n"
	"      - {range: \"0x10000000+16 KiB\"}\n"
	"      - {range: \"0x1000-0x10ff\", io: yes}\n"
	"      - {range: \"0x8000000000+1MiB\", bar: 4, prefetchable: yes}\n"
	"    msi: 32\n"
	"    msix: 2048\n"
	"    ats: on\n"
	"    pasid: capable\n"
	"    pri: on\n"
	"    intx: C\n"
	"    intx_line: 17\n"
	"    resets: [flr, af, pm, device]\n"
	"    vfs_total: 8\n"
	"    vfs_enabled: 1\n"
	"    iommu: b\n"
	"    stream: 0x123\n"
	"    controller: frame\n"
	"    devid: 0x456\n"
	"    group: 12\n"
	"    names: [nvme0, nvme0n1]\n"
	"    driver: nvme\n"
	"    driver_override: vfio-pci\n"
	"    irq: intx\n"
	"    msi_off: yes\n"
	"    tainted_by: vm2\n"
	"  - {address: \"0001:01:00.1\", pf: \"0001:01:00.0\", owner: vm1, frozen: yes, revoking: yes,\n"
	"     irq: msix, group: 12, ats: no}\n"
	"  - {address: \"0001:01:00.2\", pf: \"0001:01:00.0\", absent: yes, ats: unknown}\n"
	"  - {address: \"0001:02:00.0\", type: conventional, parent: \"0001:00:01.0\", asleep: yes,\n"
	"     quarantined: yes, tainted_by: host, iommu: none, controller: none}\n"
	"  - {address: \"0001:00:01.1\", type: integrated, auto_bar: no, msix: 0, owner: host}\n"
	"platform_devices:\n"
	"  - {name: a9000000.dma, iommu: a, stream: 5, controller: its, devid: 6, group: 13,\n"
	"     names: [dma0], driver: pl330, driver_override: pl331, owner: vm2, irq: msi, msi_off: yes,\n"
	"     absent: yes, quarantined: yes, frozen: yes, revoking: yes, tainted_by: vm1}\n"
	"id_maps:\n"
	"  - {kind: msi, segment: 1, first: 0x100, last: 0x1ff, mask: 0xfff8, to: its, output: 0x8000,\n"
	"     evidence: IORT root complex 0}\n"
	"  - {kind: iommu, segment: 1, to: none}\n"
	"groups:\n"
	"  - {number: 13, type: identity}\n"
	"  - {number: 99, type: dma-fq}\n"
	"regions:\n"
	"  - {range: \"0x7f000000-0x7fffffff\", kind: direct, function: \"0001:01:00.0\", source: RMRR}\n"
	"  - {range: \"0x8000000+1 MiB\", kind: sw-msi, group: 12}\n"
	"partitions:\n"
	"  - {pe: 4, functions: [\"0001:01:00.0\", \"a9000000.dma\"], mmio: [\"0x10000000+64 KiB\"]}\n"
	"vectors:\n"
	"  - {irq: 45, hwirq: 100, function: \"0001:01:00.0\", controller: frame, chip: MSI}\n"
	"  - {irq: 46}\n"
	"remarks:\n"
	"  - {code: table-broken, text: IORT is short}\n";

static inline int load(const char *text, struct app_machine *ret_machine,
		       struct ward_error *ret_error)
{
	struct app_yaml yaml;
	int code =
		app_yaml_load("m.yaml", text, strlen(text), &app_machine_schema, &yaml, ret_error);

	if (code)
		return code;
	code = app_machine_build(yaml.data, &yaml, "", ret_machine, ret_error);
	app_yaml_finish(&yaml);
	return code;
}

#endif
