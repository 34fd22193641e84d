/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * A machine: an immutable snapshot of hardware and firmware facts. It is made by the builder
 * (builder.h) or read from a root directory (below); what changes while the machine runs is in
 * state.h. All of it is plain data to read; nothing here may be written by the caller.
 *
 * Threads: a machine never changes after it was made; any number of threads may read it.
 */
#ifndef DOORWARD_MACHINE_H
#define DOORWARD_MACHINE_H

#include <doorward/error.h>
#include <doorward/message.h>
#include <doorward/region.h>
#include <doorward/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct ward_state;

/** PCIe device/port type (PCIe base specification, 7.5.3.2), or none. */
enum ward_pcie_type {
	WARD_PCIE_ENDPOINT = 0,
	WARD_PCIE_LEGACY_ENDPOINT = 1,
	WARD_PCIE_ROOT_PORT = 4,
	WARD_PCIE_UPSTREAM = 5,
	WARD_PCIE_DOWNSTREAM = 6,
	WARD_PCIE_TO_PCI = 7,
	WARD_PCI_TO_PCIE = 8,
	WARD_PCIE_RC_ENDPOINT = 9,
	WARD_PCIE_RC_EVENT_COLLECTOR = 10,
	/** Has no PCIe capability: a conventional PCI function. */
	WARD_PCIE_NONE = 0xff,
};

/** ACS bits, the same in capability and control (PCIe base specification, 7.7.11). */
#define WARD_ACS_SV 0x0001 /**< source validation */
#define WARD_ACS_TB 0x0002 /**< translation blocking */
#define WARD_ACS_RR 0x0004 /**< P2P request redirect */
#define WARD_ACS_CR 0x0008 /**< P2P completion redirect */
#define WARD_ACS_UF 0x0010 /**< upstream forwarding */
#define WARD_ACS_EC 0x0020 /**< P2P egress control */
#define WARD_ACS_DT 0x0040 /**< direct translated P2P */

/** Access control services of one function. */
struct ward_acs {
	/** Unknown when extended config space could not be read. */
	enum ward_tri present;
	uint16_t capability;
	uint16_t control;
	/** Egress control vector: bit n blocks requests to port (or function) n. */
	uint32_t egress[8];
	/**
	 * What a table of known devices says instead of the registers (src/pci/acs_quirk.c):
	 * WARD_YES isolates as if the bits of quirk_bits were set, WARD_NO never isolates.
	 */
	enum ward_tri quirk;
	uint16_t quirk_bits;
	/** Which row of the table, for a person; NULL without a quirk. */
	const char *quirk_name;
};

/** Reset methods that reach this function alone. */
#define WARD_RESET_FLR 0x1u    /**< PCIe function level reset */
#define WARD_RESET_AF 0x2u     /**< conventional PCI advanced features FLR */
#define WARD_RESET_PM 0x4u     /**< D3hot to D0 without No_Soft_Reset */
#define WARD_RESET_DEVICE 0x8u /**< a device specific reset of the kernel */

/** A base address register. */
struct ward_bar {
	struct ward_range range; /**< empty when not implemented or not assigned */
	bool io;		 /**< an I/O, not a memory BAR */
	bool prefetchable;
};

/** A bridge (header type 1). */
struct ward_bridge {
	uint8_t primary;
	uint8_t secondary;
	uint8_t subordinate;
	/** Memory window and prefetchable window; empty when closed. */
	struct ward_range memory, prefetchable;
	/** The bus below it (index into buses), or WARD_NONE when no function is behind. */
	uint32_t bus;
};

/** What a requester is. */
enum ward_function_kind {
	WARD_FUNCTION_PCI,
	/** A platform device that does DMA or MSIs; it has a name instead of an address. */
	WARD_FUNCTION_PLATFORM,
};

/** How one requester id is seen behind the id maps, and by whom. */
struct ward_stream {
	uint32_t iommu; /**< index into iommus, or WARD_NONE */
	ward_sid_t sid; /**< StreamID; on x86 the requester id */
};

/** Room for the requester ids of one function: its own and its aliases that are kept in full. */
#define WARD_ALIASES_MAX 4

/** A function: a PCI function, or a platform device that does DMA or MSIs. */
struct ward_function {
	enum ward_function_kind kind;
	struct ward_address address;
	/** Name of a platform device; for PCI the address as text. */
	const char *name;

	uint16_t vendor, device;
	uint16_t subsystem_vendor, subsystem_device;
	uint32_t class_code; /**< 24 bits: base class, subclass, interface */
	uint8_t revision;
	uint8_t header_type; /**< 0 endpoint, 1 bridge, 2 cardbus; without bit 7 */
	bool multifunction;  /**< header type bit 7 */
	/** Bytes of config space that could be read: 0, 64, 256 or 4096. */
	uint16_t config_size;
	/** The kernel said it is suspended, so its config space was not read. */
	bool asleep;

	/** The bus it sits on (index into buses). */
	uint32_t bus;
	/** Upstream bridge (index into functions), or WARD_NONE on a root bus. */
	uint32_t parent;
	/** Meaningful when header_type is 1. */
	struct ward_bridge bridge;
	struct ward_bar bar[7]; /**< BAR 0 to 5, expansion ROM */

	enum ward_pcie_type pcie_type;
	/** Unknown when config space could not be read that far. */
	enum ward_tri pcie_known;
	uint8_t port_number;
	bool ari_forwarding;
	struct ward_acs acs;
	bool msi;
	uint8_t msi_vectors; /**< 1 to 32 */
	bool msi_enabled;
	/** MSI is enabled, and its registers could be read; MSI-X has its messages in a BAR. */
	bool msi_message_known;
	/** Of vector 0; vector n has n in the low bits of the data. */
	struct ward_message msi_message;
	bool msix;
	uint16_t msix_vectors; /**< 1 to 2048 */
	bool msix_enabled;
	enum ward_tri ats; /**< has the capability */
	bool ats_enabled;
	enum ward_tri pasid;
	bool pasid_enabled;
	enum ward_tri pri;
	bool pri_enabled;
	uint8_t intx_pin; /**< 1 to 4, 0 none */
	uint32_t resets;  /**< WARD_RESET_* */
	/** Resets are known; no when config space was not readable. */
	enum ward_tri resets_known;

	/** SR-IOV. physfn is the PF of a VF, or WARD_NONE. */
	uint32_t physfn;
	uint16_t vfs_total, vfs_enabled;

	/**
	 * Requester ids it can be seen with on its way to the IOMMU, besides its own
	 * (bridges that take ownership, devices that use the wrong function number).
	 */
	uint8_t aliases;
	ward_rid_t alias[WARD_ALIASES_MAX];
	/** Why there are aliases, for a person; NULL without. */
	const char *alias_name;

	/** What translates its DMA. */
	enum ward_tri iommu_known;
	struct ward_stream stream;
	/** What its MSIs are written to (index into controllers), or WARD_NONE: it has none. */
	enum ward_tri controller_known;
	uint32_t controller;
	ward_devid_t devid;
	/** Where the last two facts come from, for a person. */
	const char *controller_evidence;
	const char *iommu_evidence;

	/** The kernel's group (index into groups), or WARD_NONE. */
	uint32_t group;
	/**
	 * Partitionable endpoint of firmware (POWER), or WARD_NONE: functions with the same
	 * number share error isolation and an MMIO segment.
	 */
	uint32_t pe;
	/** Names people use: eth0, nvme0n1, card0; names_count of them. */
	const char *const *names;
	uint32_t names_count;
	/** Path in the tree it was read from, without the leading /sys; NULL when built. */
	const char *path;
};

/** A PCI bus. */
struct ward_bus {
	uint32_t segment;
	uint8_t number;
	/** The bridge above it (index into functions), or WARD_NONE: a root bus. */
	uint32_t bridge;
	/** Functions on it are functions[first] .. functions[first + count - 1]. */
	uint32_t first;
	uint32_t count;
};

enum ward_iommu_kind {
	WARD_IOMMU_VTD,
	WARD_IOMMU_AMD,
	WARD_IOMMU_SMMUV3,
	WARD_IOMMU_SMMUV2,
	WARD_IOMMU_VIRTIO,
	WARD_IOMMU_OTHER,
};

/** Which spaces an IOMMU can have. */
enum ward_domains {
	WARD_DOMAINS_ANY,    /**< any requester ids may share one (x86, Arm) */
	WARD_DOMAINS_JOINED, /**< one for each partitionable endpoint; they may share its tables */
	WARD_DOMAINS_FIXED,  /**< one for each partitionable endpoint, never shared */
};

/** An IOMMU. */
struct ward_iommu {
	enum ward_iommu_kind kind;
	const char *name; /**< the kernel's: dmar0, smmu3.0x0000000009050000 */
	ward_pa_t base;
	/** The kernel uses it: without that nothing is translated. */
	enum ward_tri active;
	/** Remaps interrupts, and that is switched on (x86). */
	enum ward_tri remaps_interrupts;
	/** May be asked for translations by devices (ATS). */
	enum ward_tri ats;
	/** Its own MSI controller (index into controllers), or WARD_NONE: wired or none. */
	uint32_t controller;
	enum ward_domains domains;
};

/** A part of the MMIO window whose errors are those of one partitionable endpoint (POWER). */
struct ward_mmio_segment {
	struct ward_range range;
	uint32_t pe;
};

enum ward_controller_kind {
	WARD_CONTROLLER_GICV2M,
	WARD_CONTROLLER_GICV3_ITS,
	WARD_CONTROLLER_GICV3_MBI,
	WARD_CONTROLLER_X86_APIC,
	WARD_CONTROLLER_X86_REMAPPING,
	WARD_CONTROLLER_OTHER,
};

/** Doorbells of one controller, at most. */
#define WARD_DOORBELL_RANGES 8u

/** An MSI controller: its doorbells and what a write to one can raise. */
struct ward_controller {
	enum ward_controller_kind kind;
	const char *name; /**< "GICv2m frame 0x08020000" */
	/** It tells writers apart, so that one cannot raise another's interrupts. */
	enum ward_tri isolates;
	/** Pages of its doorbell registers, physical: a message may go to any of them. */
	struct ward_range doorbells[WARD_DOORBELL_RANGES];
	uint32_t doorbells_count; /**< at least one */
	/** Interrupt ids it can raise: first and count; 0 when that says nothing (ITS, x86). */
	uint32_t first_intid, intids;
	/**
	 * Controllers with the same number are one pool to the kernel: a vector may come from
	 * any of them (Linux takes GICv2m vectors first-fit over all frames).
	 */
	uint32_t pool;
	/** What firmware calls it: MADT frame or ITS id, device tree phandle. */
	uint32_t firmware_id;
	const char *evidence;
};

/**
 * Whether a range has something of a controller's doorbells in it.
 * @param controller a controller
 * @param range physical addresses
 * @return true when it overlaps one of them
 */
static inline bool ward_controller_rung_in(const struct ward_controller *controller,
					   struct ward_range range)
{
	for (uint32_t i = 0; i < controller->doorbells_count; i++)
		if (ward_range_overlaps(controller->doorbells[i], range))
			return true;
	return false;
}

/**
 * Whether its doorbell is the interrupt window of x86, which no IOMMU translates.
 * @param controller a controller
 * @return true for the APIC, with remapping or without
 */
static inline bool ward_controller_is_x86(const struct ward_controller *controller)
{
	return controller->kind == WARD_CONTROLLER_X86_APIC ||
	       controller->kind == WARD_CONTROLLER_X86_REMAPPING;
}

/**
 * The register that a message is written to, in one of a controller's doorbell pages: MSI_SETSPI_NS,
 * GITS_TRANSLATER and GICD_SETSPI_NSR are all at 0x40 of their page.
 * @param controller a controller
 * @param doorbell which of its doorbells
 * @return physical addresses of its four bytes; of other kinds, the whole range
 */
static inline struct ward_range ward_controller_register(const struct ward_controller *controller,
							 uint32_t doorbell)
{
	struct ward_range range = controller->doorbells[doorbell];

	if (controller->kind != WARD_CONTROLLER_GICV2M &&
	    controller->kind != WARD_CONTROLLER_GICV3_ITS &&
	    controller->kind != WARD_CONTROLLER_GICV3_MBI)
		return range;
	range.start += 0x40;
	range.last = range.start + 3;
	return range;
}

/** A reserved region of one function or of one kernel group. */
struct ward_region {
	struct ward_range range;
	enum ward_region_kind kind;
	uint32_t function;  /**< index, or WARD_NONE */
	uint32_t group;	    /**< index into groups, or WARD_NONE */
	const char *source; /**< "DMAR RMRR", "kernel" */
};

enum ward_group_type {
	WARD_GROUP_TYPE_UNKNOWN,
	WARD_GROUP_DMA,
	WARD_GROUP_DMA_FQ,
	WARD_GROUP_IDENTITY,
	WARD_GROUP_BLOCKED,
};

/** A group of the kernel's. */
struct ward_kernel_group {
	uint32_t number;
	enum ward_group_type type;
};

/** Something that could not be understood or read; kept as evidence, shown as finding. */
struct ward_remark {
	/** Stable code: "table-broken", "config-unreadable"; ward_findings() has them all. */
	const char *code;
	const char *text;
};

enum ward_id_map_kind {
	WARD_ID_MAP_IOMMU, /**< requester id to StreamID */
	WARD_ID_MAP_MSI,   /**< requester id to DeviceID */
};

/** One row of an id map: rids first..last (after mask) of a segment go to a target. */
struct ward_id_map {
	enum ward_id_map_kind kind;
	uint32_t segment;
	ward_rid_t first, last;
	uint16_t mask; /**< applied to the rid before comparing; 0xffff for all */
	/** Index of the IOMMU or controller (builder: ordinal), or WARD_NONE: explicitly none. */
	uint32_t target;
	uint32_t output_base; /**< output = base + (rid & mask) - first */
	const char *evidence; /**< "IORT root complex 0", "device tree msi-map" */
};

enum ward_arch {
	WARD_ARCH_UNKNOWN,
	WARD_ARCH_X86,
	WARD_ARCH_ARM64,
	WARD_ARCH_POWER,
};

/** The machine. Arrays are sorted: functions by bus, then address; platform devices last. */
struct ward_machine {
	enum ward_arch arch;
	const char *kernel_release; /**< "6.1.0-56-amd64", or NULL */
	const char *command_line;   /**< of the kernel, or NULL */
	uint64_t page_size;	    /**< of the host kernel, bytes */
	bool firmware_acpi, firmware_dt;

	struct ward_function *functions;
	uint32_t functions_count;
	struct ward_bus *buses;
	uint32_t buses_count;
	struct ward_iommu *iommus;
	uint32_t iommus_count;
	struct ward_controller *controllers;
	uint32_t controllers_count;
	struct ward_kernel_group *groups;
	uint32_t groups_count;
	struct ward_region *regions;
	uint32_t regions_count;
	/** Sorted by start; they do not overlap. Who has a BAR in one is of its endpoint. */
	struct ward_mmio_segment *segments;
	uint32_t segments_count;
	struct ward_remark *remarks;
	uint32_t remarks_count;
	/**
	 * Rows of the id maps in the order of adding, which is the order in which they are tried:
	 * of a requester id no function has, too.
	 */
	struct ward_id_map *id_maps;
	uint32_t id_maps_count;
	/** The kernel's own groups are known (else only predicted). */
	bool groups_known;
	/** allow_unsafe_interrupts of vfio_iommu_type1 or iommufd is set now. */
	enum ward_tri unsafe_interrupts_allowed;
	/** Firmware describes an IOMMU (DMAR, IVRS, IORT, VIOT, device tree), used or not. */
	enum ward_tri firmware_iommu;
};

/** What the reader came across, for the observer of ward_read_options. */
enum ward_saw_kind {
	WARD_SAW_FILE,	    /**< bytes: what was read of it */
	WARD_SAW_LINK,	    /**< bytes: the text of the symbolic link */
	WARD_SAW_DIRECTORY, /**< no bytes; a directory that was opened or listed */
	WARD_SAW_DENIED,    /**< no bytes; it is there, but permission was refused */
};

/** How to read a tree. Set size to sizeof(struct ward_read_options). */
struct ward_read_options {
	size_t size;
	/** Read the config space of suspended functions too, which wakes them. */
	bool wake;
	/**
	 * Told of every file, link and directory that the reader uses, or NULL. A tree that holds
	 * exactly these reads the same: files and links with these bytes, directories, and a
	 * file "doorward/denied" with one path a line for what was refused.
	 * The same path may be seen more than once. path is relative to the root, without links,
	 * "." and ".."; path and bytes are the reader's and live during the call only.
	 */
	void (*saw)(void *context, const char *path, enum ward_saw_kind kind, const void *bytes,
		    size_t size);
	void *context; /**< handed to saw */
};

/**
 * Reads the machine, and the state it was in, from a root directory: "/", or a captured tree.
 * Symbolic links never lead out of it. Blocks on file I/O; opens no file but below dirfd.
 * @param dirfd the root directory; borrowed
 * @param options how, or NULL
 * @param ret_machine the machine; the caller destroys it
 * @param ret_state its state; the caller destroys it, before the machine
 * @param ret_error a sentence on failure; may be NULL
 * @return 0; -ENOENT no /sys/bus/pci and no platform device there; -EBADMSG the tree contradicts
 * itself; -EINVAL options of another size; -ENOTDIR dirfd is no directory; -ENOMEM, -EMFILE,
 * -ENFILE. What is missing, cannot be read or makes no sense is a remark, not a failure.
 */
int ward_machine_read(int dirfd, const struct ward_read_options *options,
		      struct ward_machine **ret_machine, struct ward_state **ret_state,
		      struct ward_error *ret_error);

/**
 * Finds a PCI function by address.
 * @param machine a machine
 * @param address an address
 * @return its index, or WARD_NONE
 */
uint32_t ward_machine_find(const struct ward_machine *machine, struct ward_address address);

/**
 * Finds a function by any name people use: address, platform name, eth0, nvme0n1.
 * @param machine a machine
 * @param name the name
 * @return its index, or WARD_NONE
 */
uint32_t ward_machine_find_name(const struct ward_machine *machine, const char *name);

/** Room for a path of ward_machine_path(), the longest that can be: bridges to 256 buses. */
#define WARD_PATH_TEXT 2048u

/**
 * The identity of a function that outlives renumbering: its way from the root, by device and function
 * numbers ("0000:00/1c.0/00.0": segment, root bus, root port, function); of a platform device its name.
 * @param machine a machine
 * @param function index of a function
 * @param ret_text receives it
 * @param size room, at most WARD_PATH_TEXT are needed
 * @return 0; -EINVAL no such function; -ENOSPC
 */
int ward_machine_path(const struct ward_machine *machine, uint32_t function, char *ret_text,
		      size_t size);

/**
 * Functions that are isolated from errors of others together: those of one partitionable endpoint; a
 * function without one is alone.
 * @param machine a machine
 * @param function index of a function
 * @param cursor 0 to begin; moved on by the call
 * @param ret_member index of the next one, the function itself among them
 * @return true while there was one
 */
bool ward_error_domain_next(const struct ward_machine *machine, uint32_t function, uint32_t *cursor,
			    uint32_t *ret_member);

/**
 * Reserved regions of a function: those of firmware and of its kernel group, of functions that an
 * IOMMU cannot tell from it, and those that come with the architecture (x86's MSI window, Linux's
 * software MSI window of Arm IOMMUs and virtio-iommu, HyperTransport's addresses of AMD).
 * @param machine a machine
 * @param function its index
 * @param ret_reserved sorted by start, those of one kind merged; allocated, free() it
 * @param ret_count how many
 * @return 0; -EINVAL no such function; -ENOMEM
 */
int ward_machine_reserved(const struct ward_machine *machine, uint32_t function,
			  struct ward_reserved **ret_reserved, uint32_t *ret_count);

/**
 * Destroys a machine.
 * @param machine a machine, or NULL
 */
void ward_machine_destroy(struct ward_machine *machine);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
