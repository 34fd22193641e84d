/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Parts of bench-msi. Each prints one JSON value. */
#ifndef BENCH_MSI_H
#define BENCH_MSI_H

void bench_its(void);
void bench_wiring(void);
void bench_routes(void);

#endif
