# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The front door. Every target does its own set-up; the work is done by Meson and scripts/.

#
# make             build what is installed
# make demo        judge the machines that come with Doorward, then this host
# make test        the whole suite, with the test machines (QEMU)
# make quick       the suite without the test machines
# make check       compilers, layering, sparse, analysers, sanitizers (memory, threads), valgrind
# make bench       measure
# make fuzz        fuzz each target for FUZZ_SECONDS
# make format      rewrite all C in our format
# make install     to DESTDIR
# make clean       remove build/
#
# Another flavour: make test FLAVOUR=sanitize (or clang, valgrind).
FLAVOUR ?= gcc
# For each target of make fuzz.
FUZZ_SECONDS ?= 300

all:
	@scripts/build release

demo:
	@scripts/demo

test:
	@scripts/test $(FLAVOUR)

quick:
	@scripts/test --fast $(FLAVOUR)

bench:
	@scripts/bench

fuzz:
	@scripts/fuzz $(FUZZ_SECONDS)

check:
	@scripts/check

format:
	@scripts/check-format --fix

install: all
	@DESTDIR="$(DESTDIR)" meson install -C build/release --no-rebuild
	@[ -n "$(DESTDIR)" ] || ldconfig

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

clean:
	rm -rf build

.PHONY: all demo test quick bench fuzz check format install help clean
