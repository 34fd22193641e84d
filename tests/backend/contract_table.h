/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What a case expects: the contract, or what the table says of this backend. */
#ifndef TESTS_BACKEND_CONTRACT_TABLE_H
#define TESTS_BACKEND_CONTRACT_TABLE_H

#include "contract.h"

/* The table of which the first cell is this. False: there is none, or it is damaged. */
bool contract_read_table(struct contract *contract, const char *path, const char *first);
__attribute__((format(printf, 2, 3))) void contract_fail(struct contract *contract,
							 const char *format, ...);
/* code and wanted are 0 or negative errnos. */
void contract_expect(struct contract *contract, const char *situation, int code, int wanted);
void contract_expect_word(struct contract *contract, const char *situation, const char *seen,
			  const char *wanted);
void contract_every_row(struct contract *contract);

#endif
