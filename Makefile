# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The front door. Every target does its own set-up; the work is done by Meson and scripts/.

# make test FLAVOUR=sanitize (or clang, valgrind) runs the suite in another flavour.
FLAVOUR ?= gcc
# make fuzz FUZZ_SECONDS=60: for each target.
FUZZ_SECONDS ?= 300

all:
	@scripts/build release

demo:
	@scripts/demo

test:
	@scripts/test $(FLAVOUR)

# The suite without the test machines: seconds.
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

clean:
	rm -rf build

.PHONY: all demo test quick bench fuzz check format install clean
