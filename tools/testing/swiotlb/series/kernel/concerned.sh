# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
# What the series concerns in a configuration, to compile that alone: the files that it
# adds or changes, and those that include a header of it, themselves or through one other.
# Source it after kernel/configure.sh, whose variables it uses, and set
#   base series  commits
#   commit       what is checked out: one of them, or one between
#   cross        prefix of the binutils, may be empty

# Names that belong to the series' side of an interface
NAMES='swiotlb|io_tlb|dma_machine|dma_direct|xen_iommu|xen_dma|xen_p2m'
# The whole kernel sees it, for a field that only swiotlb's own files use
SEEN_BY_ALL=include/linux/device.h

# find_objects LIST LOG: write into LIST what is to be compiled. Objects that are there
# already would neither be listed by make nor say their warnings again.
find_objects() {
	local configured=$output/configured
	[ ! -e "$configured" ] || (cd "$output" && xargs rm -f <"$configured")
	kernel_make prepare >"$logs/$2.log" 2>&1 || return
	kernel_make -n ./ | sed -nE 's/.* -c -o ([^ ]+\.o) .*/\1/p' | sort -u >"$configured.new"
	[ -s "$configured.new" ] || die "$name: make does not say what it would compile"
	mv "$configured.new" "$configured"
	join -o 2.2 <(concerned | sed 's/\.c$/.o/' | sort -u) <(by_source "$configured") | sort >"$1"
	[ -s "$1" ] || die "$name: the series concerns nothing in this configuration"
}

# Objects, each after the place of its source, which may be another architecture's
by_source() {
	paste -d ' ' <(sed -E ':again; s,[^/]+/\.\./,,; t again' "$1") "$1" | sort
}

# Files of the checked out commit that the series changes, or that include what it changes
concerned() {
	local headers
	in_tree diff --name-only "$base" "$series" -- '*.c'
	headers=$(in_tree diff --name-only "$base" "$series" -- '*.h' | grep -vxF "$SEEN_BY_ALL")
	including "$headers"$'\n'"$(including "$headers" '*.h')" '*.c'
}

# including HEADERS PATTERN: files that match it and include one of the headers, which is
# named by its place under include/ or, from its own folder, by its last part
including() {
	local names
	names=$(sed -E 's,^(.*/)?include/,,; t; s,^.*/,,; s,.*,(.*/)?&,' <<<"$1" |
		sort -u | paste -sd '|')
	in_tree grep -lE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($names)[>\"]" \
		"$commit" -- "$2" | sed 's/^[^:]*://'
}

# missing_names LIST: what an object of the list needs, and none has
missing_names() (
	cd "$output" || exit
	comm -23 <(names_of -u "$1") <(names_of --defined-only "$1")
)

# names_of OPTION LIST: what nm lists of the objects with it
names_of() {
	xargs "${cross}nm" "$1" <"$2" | awk 'NF > 1 && NF < 4 { print $NF }' |
		{ grep -E "$NAMES" || true; } | sort -u
}
