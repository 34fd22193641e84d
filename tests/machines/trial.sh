#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Tries verdicts and remedies on the machine itself. Every endpoint is bound to vfio-pci, judged,
# and taken as a VM monitor would; then what the findings advise is typed, until the verdict is
# safe or no advice is left, and it is taken again. Lines of /out/trial, fields split by tabs:
#
#	verdict FUNCTION WHEN POLICY ANSWER CODES RESULT
#	remedy FUNCTION POLICY CODE BLOCKER KIND gone|stays COMMAND
tab=$(printf '\t')
pci=/sys/bus/pci/devices
unsafe=/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts

say() {
	first=1
	for field in "$@"; do
		[ $first ] || printf '\t'
		first=
		printf '%s' "${field:--}"
	done >>/out/trial
	echo >>/out/trial
}

driver_of() {
	[ -e "$pci/$1/driver" ] && basename "$(readlink -f "$pci/$1/driver")"
}

# The probes of some drivers end later; then their interrupts are there.
settle() {
	for state in /sys/class/nvme/*/state; do
		[ -e "$state" ] || continue
		while grep -q -e connecting -e new "$state" 2>/dev/null; do
			usleep 20000
		done
	done
}

to_vfio() {
	echo vfio-pci >"$pci/$1/driver_override"
	[ ! -e "$pci/$1/driver" ] || echo "$1" >"$pci/$1/driver/unbind"
	echo "$1" >/sys/bus/pci/drivers_probe
} 2>/dev/null

# Everything as it was: drivers and MSI. ACS and VFs stay as they are.
restore() {
	echo N >$unsafe
	while read -r function driver; do
		[ -e "$pci/$function" ] || continue
		echo >"$pci/$function/driver_override"
		if [ "$(cat "$pci/$function/msi_bus")" = 0 ]; then
			echo 1 >"$pci/$function/msi_bus"
			[ ! -e "$pci/$function/driver" ] || echo "$function" >"$pci/$function/driver/unbind"
		fi
		[ "$(driver_of "$function")" = "$driver" ] && continue
		[ ! -e "$pci/$function/driver" ] || echo "$function" >"$pci/$function/driver/unbind"
		[ "$driver" = - ] || echo "$function" >/sys/bus/pci/drivers_probe
	done </tmp/drivers 2>/dev/null
	settle
}

# Findings that count, one a line for each remedy: weight, code, blocker, kind, command.
findings() {
	awk -v OFS="$tab" '
	function text(line) {
		sub(/^[^:]*:/, "", line)
		sub(/,$/, "", line)
		if (line == "null")
			return "-"
		line = substr(line, 2, length(line) - 2)
		gsub(/\\\//, "/", line)
		gsub(/\\"/, "\"", line)
		return line
	}
	/^  "findings":/ { inside = 1 }
	/^  \]/ { inside = 0 }
	!inside { next }
	/^      "code":/ { code = text($0) }
	/^      "weight":/ { weight = text($0); print weight, code, "-", "-", "-" }
	/^      "blocker":/ { blocker = text($0) }
	/^          "kind":/ { kind = text($0) }
	/^          "command":/ { print weight, code, blocker, kind, text($0) }
	' /tmp/verdict | grep -e ^blocks -e ^open
}

judge() {
	doorward --json check --policy "$1" "$2" >/tmp/verdict 2>/tmp/why
	case $? in
	0) answer=safe ;;
	3) answer=unsafe ;;
	4) answer=unknown ;;
	*) answer=failed ;;
	esac
	findings >/tmp/findings
	codes=$(cut -f 2 /tmp/findings | sort -u | tr '\n' ' ')
}

# The first advice that is a command and was not followed yet. The shell's own words are typed as
# they stand; what is not for a shell (the kernel's command line) and waivers are left out.
next_remedy() {
	while IFS=$tab read -r _ code blocker kind command; do
		case $kind in
		unbind | use-intx | enable-acs | vfs-off | allow-unsafe-interrupts) ;;
		*) continue ;;
		esac
		grep -qxF "$code $blocker $command" /tmp/followed && continue
		echo "$code $blocker $command" >>/tmp/followed
		return 0
	done </tmp/findings
	return 1
}

follow_advice() {
	policy=$1 function=$2
	: >/tmp/followed
	judge "$policy" "$function"
	while [ "$answer" != safe ] && next_remedy; do
		sh -c "$command" 2>/tmp/why || say "failed: $command: $(cat /tmp/why)"
		settle
		judge "$policy" "$function"
		gone=gone
		cut -f 2,3 /tmp/findings | grep -qxF "$code$tab$blocker" && gone=stays
		say remedy "$function" "$policy" "$code" "$blocker" "$kind" $gone "$command"
	done
}

try_endpoint() {
	to_vfio "$1"
	judge linux "$1"
	say verdict "$1" found linux "$answer" "${codes% }" "$(vfio-attach "$1")"
	if [ "$answer" != safe ]; then
		follow_advice linux "$1"
		[ "$(driver_of "$1")" = vfio-pci ] || to_vfio "$1"
		judge linux "$1"
		say verdict "$1" remedied linux "$answer" "${codes% }" "$(vfio-attach "$1")"
	fi
	restore
	follow_advice strict "$1"
	say verdict "$1" remedied strict "$answer" "${codes% }" "-"
	restore
}

for link in "$pci"/*; do
	driver=$(driver_of "${link##*/}")
	echo "${link##*/} ${driver:--}"
done >/tmp/drivers
# VFs before the PF whose unbinding ends them.
for link in $(ls -dr "$pci"/*); do
	[ -e "$link" ] || continue
	case $(cat "$link/class") in
	0x06* | 0x0806*) ;;
	*) try_endpoint "${link##*/}" ;;
	esac
done
