/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Who is in which space. A requester that is in none is blocked; one that moves from a space to
 * another sees the old one or the new one, never a third thing. Who is in a nested space without a
 * PASID is in it with each PASID that has no space of its own: those are the guest's to hand out.
 *
 * Threads: one at a time may attach and detach; any number may translate meanwhile, each with its own
 * reader.
 */
#ifndef DOORWARD_ATTACH_H
#define DOORWARD_ATTACH_H

#include <doorward/space.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/** Who asks, as an IOMMU sees it. */
struct ward_requester {
	uint32_t iommu;	    /**< index of the IOMMU */
	ward_sid_t sid;	    /**< StreamID; on x86 the requester id */
	ward_pasid_t pasid; /**< or WARD_PASID_NONE */
};

struct ward_attach_table;

/**
 * Creates a table in which everybody is blocked.
 * @param readers who may translate while it changes; borrowed, outlives it; NULL: nobody
 * @param ret_table the table; the caller destroys it
 * @return 0 or -ENOMEM
 */
int ward_attach_table_create(struct ward_readers *readers, struct ward_attach_table **ret_table);

/**
 * Destroys a table; spaces lose their users. Waits for readers.
 * @param table a table, or NULL
 */
void ward_attach_table_destroy(struct ward_attach_table *table);

/**
 * Puts a requester into a space, or from one into another. Waits for readers.
 * @param table a table
 * @param requester who
 * @param space where to; a reference is taken
 * @param reserved the requester's reserved regions; they are taken out of the space
 * @param count how many
 * @return 0; -EADDRINUSE one of them is mapped in the space; -EINVAL; -ENOMEM
 */
int ward_attach(struct ward_attach_table *table, const struct ward_requester *requester,
		struct ward_space *space, const struct ward_reserved *reserved, uint32_t count);

/**
 * Takes a requester out of the space of its own: it is blocked from now on, but for a PASID in a
 * nested space. Waits for readers.
 * @param table a table
 * @param requester who
 * @return 0 or -ENOENT it has none
 */
int ward_detach(struct ward_attach_table *table, const struct ward_requester *requester);

/**
 * The space a requester is in.
 * @param table a table
 * @param requester who
 * @return the space, borrowed, or NULL: it is blocked
 */
struct ward_space *ward_attached(const struct ward_attach_table *table,
				 const struct ward_requester *requester);

/**
 * Where a DMA of a requester leads: its space, asked as ward_space_translate does.
 * @param table a table
 * @param reader the thread's handle, between enter and exit; NULL when there are no readers
 * @param requester who
 * @param iova the address
 * @param access what is tried
 * @param ret_translation where it leads
 * @param ret_fault the fault, when -EFAULT is returned; may be NULL
 * @return 0 or -EFAULT
 */
int ward_attach_table_translate(const struct ward_attach_table *table, struct ward_reader *reader,
				const struct ward_requester *requester, ward_iova_t iova,
				uint32_t access, struct ward_translation *ret_translation,
				struct ward_fault *ret_fault);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
