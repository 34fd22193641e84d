#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# What doorward says on the machine itself, for a comparison with the same questions to its
# capture elsewhere. Each answer follows its question.
ask() {
	echo "@ASK $*"
	doorward "$@" 2>&1
	echo "@EXIT $?"
}

{
	ask list --tree -o +WHY
	ask groups
	ask --json list
	ask --json list --policy linux
	ask --json groups
	for dir in /sys/bus/pci/devices/*; do
		case $(cat "$dir/class") in
		0x06*) ;;
		*) ask --json check "${dir##*/}" ;;
		esac
	done
} >/out/answers
