/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The software machine: a request goes from its function up through bridges and switches, perhaps
 * down again to a peer, else through the IOMMU of its requester id to memory, registers or a
 * doorbell. It says what happens; src/isolate says what can happen, and shares no code with this.
 *
 * The rules are those of the PCIe base specification 5.0 (ACS: 6.12 and 7.7.8; requester ids: 2.2.6.2;
 * ATS: 10), of the PCI-to-PCI bridge architecture 1.2 (chapter 4: decoding) and of the PCI Express to
 * PCI/PCI-X bridge specification 1.0 (2.3: ownership of requests).
 *
 * What goes where
 * - A bridge takes downwards what lies in one of its windows. A bridge without windows (facts often
 *   lack them) counts as having those that hold the BARs below it, one below and one above 4 GiB.
 *   BARs are where the machine says. A guest may move those of its functions: whoever can be routed
 *   to is to be counted as reached, and this software machine does not move them.
 * - A conventional bus: all on it hear a request, and a BAR or bridge window that has the address
 *   takes it; what lies in no window of the bridge above goes up.
 * - A switch: what lies in the window of another downstream port goes there, unless the port it came
 *   in by redirects or blocks it (request redirect, egress control, direct translated).
 * - Functions of one device (one slot; the whole bus with ARI; the VFs of its PFs), root ports of
 *   a slot among them: may do the same; whether they do is temper.routes_peers. A device with an ACS
 *   capability that offers neither redirect nor egress control routes no peer requests (6.12.1.2).
 *   VFs send to nobody in their device. Between root ports of different slots the root complex could
 *   route as well (1.3.1); as in Linux's groups, it does not here.
 * - A port whose own window has the address of a request from below: forwards it when upstream
 *   forwarding is on, else it is turned round with temper.routes_peers, and unsupported without.
 *   Registers of ports and of bridges above: redirected where Enhanced ACS says
 *   so, or (without that) where peer requests are; else a switch leads there, and root ports and
 *   other bridges answer with temper.routes_peers.
 * - Root buses are the root complex's: functions on them in different slots reach each other only
 *   by way of the IOMMU. They send under their own id or one of their (device) aliases, nothing else.
 * - Requester ids: a PCIe-to-PCI bridge puts secondary-bus:00.0 in the place of any id, other bridges
 *   from or to conventional buses their own id. There, PASID and "translated" are lost.
 * - The IOMMU: facts about the function of that id, else the id maps, else (x86) that of the bridge
 *   or bus it belongs to. A request that claims to be translated skips it when the function has ATS
 *   on; unless temper.forges_translated, its address is what the IOMMU said it is (a device asks
 *   before it claims), and the request goes its way with that.
 * - x86: a write to 0xfee00000 to 0xfeefffff that is not translated already rings the controller of
 *   the function and is never translated.
 * - Physical addresses: doorbells before memory before BARs, which are found downwards by windows.
 *
 * Threads: one at a time. Units: bytes.
 */
#ifndef EMUL_MACHINE_H
#define EMUL_MACHINE_H

#include <doorward/backend/model.h>
#include <doorward/memory.h>

#include "emul/controller.h"
#include "emul/iommu.h"

struct ward_emul;

/* Borrows both, which outlive it. 0 or -ENOMEM. Costs O(functions + streams). */
int ward_emul_create(const struct ward_machine *facts, struct ward_memory *memory,
		     struct ward_emul **ret_emul);
void ward_emul_destroy(struct ward_emul *emul); /* and its IOMMUs */

/*
 * Takes iommu (NULL ops: none), destroys what was there: index of facts->iommus. Without one,
 * requests to it are not translated.
 */
void ward_emul_set_iommu(struct ward_emul *emul, uint32_t index,
			 const struct ward_emul_iommu_ops *ops, void *iommu);

/*
 * Takes controller (NULL ops: none), destroys what was there: index of facts->controllers. Without
 * one, what is written to its doorbells comes to WARD_INTERRUPT_NONE.
 */
void ward_emul_set_controller(struct ward_emul *emul, uint32_t index,
			      const struct ward_emul_controller_ops *ops, void *controller);

/*
 * The DeviceID that a requester id is seen with at a controller, after id maps; false: it comes without
 * one. The function of that id decides when it is its own controller, else the rows of the maps.
 */
bool ward_emul_devid(const struct ward_emul *emul, uint32_t segment, ward_rid_t rid,
		     uint32_t controller, ward_devid_t *ret_devid);

/* The function's own MSI and MSI-X registers, as the host programs them; NULL: it has neither. */
struct ward_vectors *ward_emul_vectors(struct ward_emul *emul, uint32_t function);
/* How many they have: as many as registers can say, whatever the machine's facts are. */
uint32_t ward_emul_msi_vectors(const struct ward_emul *emul, uint32_t function);
uint32_t ward_emul_msix_vectors(const struct ward_emul *emul, uint32_t function);
/*
 * As ward_model_raise, of the mode that is on: the message is a DMA under the function's own requester
 * id, and may fault as any other. Where bus mastering is off (command register, bit 2, as after
 * power-on and reset) it does not go out and is not remembered: masked is true.
 */
int ward_emul_raise(struct ward_emul *emul, uint32_t function, uint32_t vector,
		    struct ward_raise *ret_raise);

void ward_emul_set_temper(struct ward_emul *emul, const struct ward_model_temper *temper);
const struct ward_model_temper *ward_emul_temper(const struct ward_emul *emul);

/* As ward_model_dma. Allocates nothing. */
int ward_emul_dma(struct ward_emul *emul, uint32_t function, const struct ward_dma *dma,
		  struct ward_dma_result *ret_result);

/*
 * The StreamID a requester id is seen with at an IOMMU, after id maps; false: at no IOMMU. The
 * function of that id decides, else the first row of the segment's maps that has it. Where the
 * segment has no map: the bridge of which the id is an alias, else the bridge that has its bus,
 * else the one IOMMU that all functions of the segment share; the StreamID is the id then.
 */
bool ward_emul_stream(const struct ward_emul *emul, uint32_t segment, ward_rid_t rid,
		      uint32_t *ret_iommu, ward_sid_t *ret_sid);

/*
 * Registers as a CPU sees them: all ones and ignored when frozen. Regions as VFIO's: 0 to 5 BARs, 6
 * expansion ROM, 7 config space. The first WARD_EMUL_REGISTERS bytes of each BAR keep what is
 * written to them, until a reset; an MSI-X table is in the upper half of the first BAR that has room
 * for it; the rest reads 0. Config space tells ids, class, header type, BARs, and the MSI and MSI-X
 * capabilities, which are programmed with ward_emul_vectors alone; it keeps the command register and
 * the interrupt line.
 * Returns 0; -EINVAL no such function or region, not within it, or size not 1, 2, 4 or 8.
 */
#define WARD_EMUL_REGISTERS 64u
int ward_emul_read(struct ward_emul *emul, uint32_t function, uint32_t region, uint64_t offset,
		   void *ret_bytes, size_t size);
int ward_emul_write(struct ward_emul *emul, uint32_t function, uint32_t region, uint64_t offset,
		    const void *bytes, size_t size);
/* Size of a region in bytes; 0: there is none. */
uint64_t ward_emul_region_size(const struct ward_emul *emul, uint32_t function, uint32_t region);
/* Registers as after power-on, unless temper.ignores_resets. 0 or -EINVAL. */
int ward_emul_reset(struct ward_emul *emul, uint32_t function);

/*
 * As ward_model_present. Who is not there reads all ones, sends nothing (WARD_DMA_NOWHERE), answers at
 * no address, and has registers as after power-on when it comes. 0 or -EINVAL.
 */
int ward_emul_present(struct ward_emul *emul, uint32_t function, bool present);
bool ward_emul_is_present(const struct ward_emul *emul, uint32_t function);

/* Error isolation, as in backend/model.h. Freezing what is frozen keeps the first cause. */
int ward_emul_error_domain(struct ward_emul *emul, const uint32_t *functions, uint32_t count,
			   bool freeze_on_fault);
int ward_emul_freeze(struct ward_emul *emul, uint32_t function, enum ward_error_cause cause);
bool ward_emul_frozen(const struct ward_emul *emul, uint32_t function);
/* Who is told of each function of a domain that freezes, before anything else is dropped. */
void ward_emul_on_frozen(struct ward_emul *emul, void (*frozen)(void *context, uint32_t function),
			 void *context);
int ward_emul_error(struct ward_emul *emul, uint32_t function, struct ward_error_state *ret_error);
int ward_emul_thaw(struct ward_emul *emul, uint32_t function);

#endif
