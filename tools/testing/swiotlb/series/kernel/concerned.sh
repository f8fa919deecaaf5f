# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
# Find the files that the series concerns in a configuration, to compile only them: files
# that it adds or changes, and files that include one of its headers, directly or through
# one other header.
# Source it after kernel/configure.sh, whose variables it uses, and set
#   base series  commits
#   commit       what is checked out: one of them, or one between
#   cross        prefix of the binutils, may be empty

# Names that belong to the series' side of an interface
NAMES='swiotlb|io_tlb|dma_machine|dma_direct|xen_iommu|xen_dma|xen_p2m'
# Almost all files include this header, but only swiotlb's use the field that is changed
SEEN_BY_ALL=include/linux/device.h

# find_objects LIST LOG: write into LIST which objects to compile. First it removes old
# objects: make would not list them, nor print their warnings again.
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

# Objects, each after the path of its source, which may be in another architecture
by_source() {
	paste -d ' ' <(sed -E ':again; s,[^/]+/\.\./,,; t again' "$1") "$1" | sort
}

# Files of the checked out commit that the series changes, or that include its headers
concerned() {
	local headers
	in_tree diff --name-only "$base" "$series" -- '*.c'
	headers=$(in_tree diff --name-only "$base" "$series" -- '*.h' | grep -vxF "$SEEN_BY_ALL")
	including "$headers"$'\n'"$(including "$headers" '*.h')" '*.c'
}

# including HEADERS PATTERN: files that match PATTERN and include one of the headers, by
# its path under include/, or by its file name if it is not under include/
including() {
	local names
	names=$(sed -E 's,^(.*/)?include/,,; t; s,^.*/,,; s,.*,(.*/)?&,' <<<"$1" |
		sort -u | paste -sd '|')
	in_tree grep -lE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($names)[>\"]" \
		"$commit" -- "$2" | sed 's/^[^:]*://'
}

# missing_names LIST: names that an object of the list needs, and none defines
missing_names() (
	cd "$output" || exit
	comm -23 <(names_of -u "$1") <(names_of --defined-only "$1")
)

# names_of OPTION LIST: names of swiotlb's that nm OPTION lists for the objects
names_of() {
	xargs "${cross}nm" "$1" <"$2" | awk 'NF > 1 && NF < 4 { print $NF }' |
		{ grep -E "$NAMES" || true; } | sort -u
}
