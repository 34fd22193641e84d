/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The contracts that run in the machines, in one program: contracts NAME ARGUMENT...
 * It prints "ok NAME" or "not ok NAME", what was wrong before it in lines that begin with "# ", and
 * "1..COUNT" at the end.
 */
#ifndef TESTS_MACHINES_CONTRACTS_H
#define TESTS_MACHINES_CONTRACTS_H

#include <doorward/backend.h>

struct contract;

/* Each returns the exit status. */
int vfio_contract(int argc, char **argv);
int irq_contract(int argc, char **argv);
int table_contract(int argc, char **argv);
int kvm_contract(int argc, char **argv);
int whole_way(int argc, char **argv);

void contract_says(struct contract *contract, const char *text);
void contract_done(const char *name, bool failed);
/* VFIO by group, of this machine; NULL: said why. */
struct ward_backend *contract_backend(void);

#endif
