/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The calls of a VM with the library's checks taken out (vm_raw.c), or left in (vm_checked.c): a test is
 * linked with one of the two.
 */
#ifndef TESTS_BACKEND_VM_RAW_H
#define TESTS_BACKEND_VM_RAW_H

#include <doorward/vm.h>

bool vm_is_raw(void);

#endif
