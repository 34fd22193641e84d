#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Compares our ITS with KVM's; what is printed until it ends, or is ended, is told.
timeout 100 its-kvm 20 >/out/its 2>&1
true
