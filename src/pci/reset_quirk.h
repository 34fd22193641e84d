/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Reset methods that Linux takes away from known devices, or adds. */
#ifndef PCI_RESET_QUIRK_H
#define PCI_RESET_QUIRK_H

#include <doorward/machine.h>

/*
 * What remains of function->resets (WARD_RESET_*) for Linux. Needs ids, class and parent. Not for
 * a function whose methods the kernel told (sysfs reset_method): that already counts them in.
 */
uint32_t ward_reset_quirk(const struct ward_function *function);

#endif
