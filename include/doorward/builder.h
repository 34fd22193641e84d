/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * The builder makes machines and checks everything on the way. Every machine comes from it,
 * whether read from a tree, a description, or made in C.
 *
 * What is added gets an ordinal, its number in the order of adding; ordinals are how later
 * additions refer to earlier ones. ward_builder_finish sorts, links and checks, and turns ordinals
 * into indexes.
 *
 * Threads: one at a time.
 */
#ifndef DOORWARD_BUILDER_H
#define DOORWARD_BUILDER_H

#include <doorward/machine.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct ward_builder;

/**
 * Creates a builder.
 * @param ret_builder the builder; the caller destroys it
 * @return 0 or -ENOMEM
 */
int ward_builder_create(struct ward_builder **ret_builder);

/**
 * Fills a function with "nothing known": every index WARD_NONE, every fact unknown or absent.
 * @param ret_function the function
 */
void ward_function_init(struct ward_function *ret_function);

/**
 * Says what the machine is as a whole.
 * @param builder a builder
 * @param arch architecture
 * @param kernel_release release of its kernel, or NULL
 * @param command_line command line of its kernel, or NULL
 * @param page_size page size of its kernel in bytes: 4096, 16384 or 65536
 * @return 0, -EINVAL page size, -ENOMEM
 */
int ward_builder_set_host(struct ward_builder *builder, enum ward_arch arch,
			  const char *kernel_release, const char *command_line, uint64_t page_size);

/**
 * The machine under construction, for the few flags that have no call of their own (groups_known,
 * firmware_acpi, firmware_dt, firmware_iommu, unsafe_interrupts_allowed).
 * @param builder a builder
 * @return the machine; its arrays are not to be touched
 */
struct ward_machine *ward_builder_machine(struct ward_builder *builder);

/**
 * Adds a function. Its bus, parent, bridge.bus, aliases and ACS quirk are worked out by finish;
 * physfn, group, stream.iommu and controller are ordinals (physfn may name a function added
 * later). parent may be the ordinal of the bridge above when that is known from elsewhere; it
 * counts where no bridge's own bus numbers (its config space may be unreadable) say otherwise.
 * @param builder a builder
 * @param function the function; strings are copied
 * @param ret_ordinal its ordinal; may be NULL
 * @return 0; -EINVAL a field is out of range; -EEXIST the address is taken; -ENOMEM
 */
int ward_builder_add_function(struct ward_builder *builder, const struct ward_function *function,
			      uint32_t *ret_ordinal);

/**
 * Adds an IOMMU.
 * @param builder a builder
 * @param iommu the IOMMU; strings are copied; controller is an ordinal
 * @param ret_ordinal its ordinal; may be NULL
 * @return 0, -EINVAL, -ENOMEM
 */
int ward_builder_add_iommu(struct ward_builder *builder, const struct ward_iommu *iommu,
			   uint32_t *ret_ordinal);

/**
 * Adds an MSI controller.
 * @param builder a builder
 * @param controller the controller; strings are copied
 * @param ret_ordinal its ordinal; may be NULL
 * @return 0; -EINVAL no name, no doorbell, too many or an empty one; -ENOMEM
 */
int ward_builder_add_controller(struct ward_builder *builder,
				const struct ward_controller *controller, uint32_t *ret_ordinal);

/**
 * Adds a group of the kernel's. That its number is its own is checked by finish.
 * @param builder a builder
 * @param group the group
 * @param ret_ordinal its ordinal; may be NULL
 * @return 0 or -ENOMEM
 */
int ward_builder_add_group(struct ward_builder *builder, const struct ward_kernel_group *group,
			   uint32_t *ret_ordinal);

/**
 * Adds a reserved region.
 * @param builder a builder
 * @param region the region; function and group are ordinals
 * @return 0, -EINVAL an empty range, -ENOMEM
 */
int ward_builder_add_region(struct ward_builder *builder, const struct ward_region *region);

/**
 * Adds an MMIO segment.
 * @param builder a builder
 * @param segment the segment
 * @return 0, -EINVAL an empty range or no endpoint, -ENOMEM
 */
int ward_builder_add_segment(struct ward_builder *builder, const struct ward_mmio_segment *segment);

/**
 * Adds a row of an id map. Rows are tried in the order of adding; a function whose stream or
 * controller is already known is left alone, but for a StreamID that is no more than its requester
 * id: a row to the same IOMMU gives that.
 * @param builder a builder
 * @param map the row; evidence is copied
 * @return 0, -EINVAL first > last or a bit of first outside mask, too many rows, -ENOMEM
 */
int ward_builder_add_id_map(struct ward_builder *builder, const struct ward_id_map *map);

/**
 * Adds a remark.
 * @param builder a builder
 * @param code stable code
 * @param format printf format of the text
 * @return 0 or -ENOMEM
 */
__attribute__((format(printf, 3, 4))) int
ward_builder_remark(struct ward_builder *builder, const char *code, const char *format, ...);

/**
 * Looks up the function with an address among those added.
 * @param builder a builder
 * @param address an address
 * @return its ordinal, or WARD_NONE
 */
uint32_t ward_builder_find(const struct ward_builder *builder, struct ward_address address);

/**
 * Links and checks everything and hands the machine out. The builder is used up either way.
 * @param builder a builder
 * @param ret_machine the machine; the caller destroys it
 * @param ret_error a sentence on failure; may be NULL
 * @return 0; -EBADMSG the parts contradict each other (the sentence says which); -ENOMEM
 */
int ward_builder_finish(struct ward_builder *builder, struct ward_machine **ret_machine,
			struct ward_error *ret_error);

/**
 * Destroys a builder and what was added.
 * @param builder a builder, or NULL
 */
void ward_builder_destroy(struct ward_builder *builder);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
