/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What plans and exploration need of an ownership besides its public calls. */
#ifndef OWN_OWNERSHIP_H
#define OWN_OWNERSHIP_H

#include <doorward/own.h>

static inline bool ward_same_owner(struct ward_owner a, struct ward_owner b)
{
	return a.kind == b.kind && (a.kind != WARD_OWNER_CLIENT || a.client == b.client);
}

/* A copy to try things on, without the history: event numbers and exposures begin anew. */
int ward_ownership_copy(const struct ward_ownership *ownership,
			struct ward_ownership **ret_ownership);

/*
 * Changes with every event that was not refused: a plan is made for one version. Not packed.
 */
uint64_t ward_ownership_version(const struct ward_ownership *ownership);

/*
 * Gives the name of a driver a number, by which packed states call it. Done by itself for names that
 * the state begins with, "vfio-pci", and whatever an event binds; states go from one copy to another
 * when both number alike: number all names there will be before the first copy. 0 or -ENOMEM.
 */
int ward_ownership_number_driver(struct ward_ownership *ownership, const char *driver);

/*
 * Names waivers that will be accepted, all of them together or none: packed states say how many are in
 * use. To be called before the first copy, as above. 0 or -ENOMEM.
 */
int ward_ownership_number_waivers(struct ward_ownership *ownership,
				  const struct ward_waiver *waivers, uint32_t count);

/*
 * A state as bytes: owners, drivers, containers, vectors, waivers in use, what is open; not numbers
 * of events and texts. Two states are the same when their bytes are. The size depends on the machine
 * alone. Functions are in the order of the machine, one record of equal size each, in which the client
 * numbers stand where ward_ownership_fold() finds them.
 */
size_t ward_ownership_packed_size(const struct ward_ownership *ownership);
void ward_ownership_pack(const struct ward_ownership *ownership, uint8_t *ret_bytes);
/* The ownership must be of the same machine and options, and know as many clients. 0 or -ENOMEM. */
int ward_ownership_unpack(struct ward_ownership *ownership, const uint8_t *bytes);
/*
 * Renumbers clients in packed bytes: the same state in which client i is called to[i]; containers of
 * one client likewise by the order in which functions are met.
 */
void ward_ownership_fold(const struct ward_ownership *ownership, const uint32_t *to,
			 uint8_t *bytes);

#endif
