// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* In the place of vtd.c while there is no emulated VT-d. */
#include "state.h"

const struct ward_model_driver ward_model_vtd;
