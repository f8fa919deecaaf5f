# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What init and the checks share.

# shellcheck disable=SC2034 # the checks use it
SEED=$(cat /run/seed 2>/dev/null)
TRACING=/sys/kernel/tracing
POOL=/sys/kernel/debug/swiotlb

# Print a line through the kernel log, as one record: so no line of the kernel's cuts
# it in two.
say()
{
	echo "$1" >/dev/kmsg
}

# The value of NAME=value on the kernel command line; fails when it is not there.
arg()
{
	# shellcheck disable=SC2013 # words, not lines
	for word in $(cat /proc/cmdline); do
		case $word in
		"$1") return 0 ;;
		"$1"=*) echo "${word#*=}"; return 0 ;;
		esac
	done
	return 1
}

is_domu()
{
	[ -e /proc/xen/capabilities ] && ! grep -q control_d /proc/xen/capabilities
}

# Pass on the KTAP lines of the check $1 as those of a subtest.
relay()
{
	awk -v name="$1" '
	/^KTAP version 1$/ { printf "    KTAP version 1\n    # Subtest: %s\n", name; fflush(); next }
	{ print "    " substr($0, 1, 800); fflush() }' >/dev/kmsg
}

# Tests of a check written in shell: plan COUNT, then result STATUS NAME for each,
# then `return_result`.
plan()
{
	echo "KTAP version 1"
	echo "1..$1"
	TEST=0
	FAILED=0
}

result()
{
	TEST=$((TEST + 1))
	if [ "$1" = 0 ]; then
		echo "ok $TEST $2"
		return
	fi
	echo "not ok $TEST $2"
	FAILED=$((FAILED + 1))
}

# result of a command: try NAME COMMAND...
try()
{
	name=$1
	shift
	"$@" >/run/try 2>&1
	status=$?
	[ $status = 0 ] || sed "s/^/# /" /run/try
	result $status "$name"
	return $status
}

# Try a command once a second until it succeeds: wait_for SECONDS COMMAND...
wait_for()
{
	left=$1
	shift
	until "$@"; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		sleep 1
	done
}

# A line of a domU's console: wait_for_line GUEST SECONDS PATTERN
wait_for_line()
{
	wait_for "$2" grep -qE "$3" "/var/log/xen/console/guest-$1.log" && return
	echo "# domU $1: no \"$3\" within $2 s"
	return 1
}

return_result()
{
	[ "$FAILED" = 0 ]
	exit
}

# /dev name of a disk by the name that the scenarios use.
disk_of()
{
	case $1 in
	nvme) echo nvme0n1 ;;
	ahci) echo sda ;;
	*) echo "$1" ;;
	esac
}

# Network interface of a driver.
card_of()
{
	for card in /sys/bus/pci/drivers/"$1"/*/net/*; do
		basename "$card"
		return
	done
}

# Address of a device on the PCI bus (empty for one that is not there).
pci_of()
{
	case $1 in
	nvme | ahci) path=/sys/block/$(disk_of "$1") ;;
	e1000 | e1000e) path=/sys/class/net/$(card_of "$1")/device ;;
	edu) path=$(grep -l 0x11e8 /sys/bus/pci/devices/*/device) ;;
	esac
	readlink -f "$path" | grep -o '[0-9a-f]*:[0-9a-f]*:[0-9a-f]*\.[0-9]' | tail -n 1
}

# Bytes that a device has moved since power-on, by its driver's own count.
moved_by()
{
	case $1 in
	e1000 | e1000e)
		awk '{ sum += $1 } END { print sum }' \
			"/sys/class/net/$(card_of "$1")"/statistics/[rt]x_bytes ;;
	edu) dmesg | sed -n 's/.*# STAT dev=edu moved=//p' | tail -n 1 ;;
	*) awk '{ printf "%.0f", ($3 + $7) * 512 }' "/sys/block/$(disk_of "$1")/stat" ;;
	esac
}

start_counting()
{
	seed=$(arg nonce | cut -c 1-7)
	echo $((0x${seed:-1} + 1)) >/run/seed
	echo 16384 >$TRACING/buffer_size_kb
	echo 1 >$TRACING/events/swiotlb/swiotlb_bounced/enable
	[ -e $POOL/io_tlb_used_hiwater ] && echo 0 >$POOL/io_tlb_used_hiwater
	for device in nvme ahci e1000 e1000e; do
		moved_by $device >/run/moved-$device 2>/dev/null
	done
}
