/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Errors. A call that can fail returns 0 (or a count) or a negative errno; its outputs come last,
 * are named ret_* and stay untouched on failure. What an errno means is the same for all calls:
 *
 * | errno | meaning |
 * |---|---|
 * | EINVAL | an argument or a field is wrong in itself: the caller's mistake |
 * | ENOENT | the named thing does not exist |
 * | EEXIST | the named thing exists already, or overlaps one that does |
 * | ENODEV | it is there, and nothing that could serve it has it: no VFIO driver is bound |
 * | EBUSY | it exists and somebody else has it |
 * | EADDRINUSE | a range of addresses is needed for something else already |
 * | EFAULT | an address leads nowhere: a DMA ends in a fault, memory is not there |
 * | EPERM | refused by policy: a verdict says why |
 * | EACCES | the operating system did not let us look |
 * | EOVERFLOW | a number does not fit, a range wraps |
 * | ENOSPC | a fixed limit is used up; the header of the call names the limit |
 * | EBADMSG | input from outside (a table, a file) contradicts itself or is cut short |
 * | EOPNOTSUPP | understood, but not possible on this machine |
 * | ENOMEM | memory |
 * | ETIMEDOUT | a device did not answer in time; it was frozen |
 * | EIO | a device or file gave an error of its own |
 */
#ifndef DOORWARD_ERROR_H
#define DOORWARD_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/** One sentence for a person, filled by calls that fail on input from outside. */
struct ward_error {
	char text[256];
};

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
