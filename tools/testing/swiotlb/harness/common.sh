# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Shared by the shell scripts: where things are, error messages, progress. Source it
# after `set -eu -o pipefail`.
# shellcheck disable=SC2034 # the variables are for the scripts that source this

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../../.." && pwd)
tools=$top/tools/testing/swiotlb
build=$top/build
packages=$build/packages
logs=$build/logs

say() {
	echo "  $*"
}

die() {
	echo "error: $*" >&2
	exit 1
}

# shellcheck source=versions
. "$tools/harness/versions"
BASE=${BASE:-${BASES%% *}}
case " $BASES " in
*" $BASE "*) ;;
*) die "BASE=$BASE: the bench knows $BASES, choose one of these" ;;
esac
tree=$build/$BASE/linux
export BASE

# logged NAME STATUS COMMAND...: run COMMAND with its output in
# build/logs/NAME.log, and print what the function STATUS says every few seconds
logged() {
	local log=$logs/$1.log status=$2 printer rc=0
	shift 2
	mkdir -p "$logs"
	report_every_few_seconds "$status" "$log" &
	printer=$!
	"$@" >"$log" 2>&1 || rc=$?
	kill "$printer" 2>/dev/null || true
	wait "$printer" 2>/dev/null || true
	return "$rc"
}

report_every_few_seconds() {
	local start=$SECONDS
	while pause && kill -0 $$ 2>/dev/null; do
		say "... $("$1" "$2" 2>/dev/null), $((SECONDS - start)) s"
	done
}

# failed NAME WORDS...: print the end of the log NAME and one line of WORDS, and exit
failed() {
	local log=$logs/$1.log
	shift
	tail -n 20 "$log" >&2
	die "$* (full log: $log)"
}

# room MIB: stop before a long step that would fill the disk
room() {
	local free
	mkdir -p "$build"
	free=$(($(df -P "$build" | awk 'NR == 2 { print $4 }') / 1024))
	[ "$free" -ge "$1" ] || die "$build has $free MiB free and $1 are needed: make room there"
}

# Wait five seconds without a child process: it would outlive us and keep the lock
pause() {
	read -r -t 5 <> <(:) || true
}
