/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Devices of QEMU that raise interrupts when they are told to: edu its INTx and its one MSI, e1000e its
 * five MSI-Xs.
 */
#ifndef TESTS_MACHINES_DEVICES_H
#define TESTS_MACHINES_DEVICES_H

#include <doorward/irq.h>

/* Which of the two it is, by the size of its register region: edu has 1 MiB. */
bool device_is_edu(struct ward_device *device);
/* Memory decoding and bus mastering on. False: a register cannot be reached. */
bool device_ready(struct ward_device *device);
bool device_raise(struct ward_device *device, uint32_t index, uint32_t vector);
bool device_line(struct ward_device *device, bool level);
/* Until what was raised has arrived. */
void device_settle(void);

#endif
