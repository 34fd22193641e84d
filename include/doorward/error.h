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
 * | ENODEV | what would serve it is not there (yet): no VFIO driver is bound, no ITS; the host failed, and nothing changed |
 * | EBUSY | it exists and somebody else has it, or it is in a state that does not let this be done |
 * | EAGAIN | too early: the interrupt controller that it needs was not started |
 * | EADDRINUSE | a range of addresses is needed for something else already |
 * | EFAULT | an address leads nowhere: a DMA ends in a fault, memory is not there |
 * | EPERM | refused by policy (a verdict says why); a message that no controller or CPU takes from here |
 * | EACCES | the operating system did not let us look |
 * | EBADF | a file descriptor that is not open |
 * | EMFILE, ENFILE | the process, or the system, has no more file descriptors |
 * | ENOTDIR | a descriptor that has to be a directory is none |
 * | EOVERFLOW | a number does not fit, a range wraps |
 * | ERANGE | vectors are to be enabled, and none is named (VFIO) |
 * | E2BIG | there is too much of it to look at all of it; the header of the call names the limit |
 * | ESTALE | what it was made for has changed since: a plan, after another event |
 * | ENOSPC | a fixed limit is used up; the header of the call names the limit |
 * | EBADMSG | a table, a file, or things that have to agree contradict each other, or are cut short |
 * | EOPNOTSUPP | understood, but not possible on this machine |
 * | ENOTTY | interrupts of this kind do not have this action (VFIO) |
 * | ENOMEM | memory |
 * | ETIMEDOUT | a device did not answer in time; it was frozen |
 * | EIO | a device or file gave an error of its own; what failed could not be taken back |
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
