# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
# Check out a commit of the series or of its base, and configure it. Source it after
# common.sh and set
#   name        name of the build, for messages; stock*, part* and bisect* need not have
#               all options of the series, nor need a base that lacks patches
#   source      where the kernel's source is
#   output      where its objects go: $source, or another folder
#   fragments   files that are merged over tinyconfig, an array
#   target      arguments for every make, an array: ARCH=, CROSS_COMPILE=
#   compiler    the C compiler

in_tree() {
	GIT_CONFIG_GLOBAL=/dev/null git -C "$tree" "$@"
}

commit_of() {
	in_tree rev-parse -q --verify "$1^{commit}" || die "$tree has no $1: make tree"
}

# The patches of the tree, in order
patch_names() {
	local order=$top/series/backport-$BASE/order
	[ -e "$order" ] || order=$top/series/order
	sed 's/ *#.*//; /^$/d' "$order"
}

# check_out COMMIT: into $source. Only files that differ between two commits are written,
# and compiled again. The index is written last, so that the next run repairs files of an
# interrupted run.
check_out() {
	[ "$(cat "$source/.commit" 2>/dev/null)" != "$1" ] || return 0
	say "checking out $name into $source"
	room 3500
	rm -f "$source/.commit" "$source/.index.lock"
	mkdir -p "$source"
	GIT_INDEX_FILE=$source/.index in_tree --work-tree="$source" read-tree --reset -u "$1" ||
		die "cannot check out into $source: is the disk full?"
	echo "$1" >"$source/.commit"
}

# Objects must not depend on path, date and git's state, so that ccache finds them again.
# With DEPEND ccache takes the headers from the compiler's list. Without, it runs the
# preprocessor first, and a build with an empty cache takes half as long again.
kernel_make() {
	CCACHE_DEPEND=1 make -C "$source" O="$output" -j"$(nproc)" "${target[@]}" CC="ccache $compiler" \
		LOCALVERSION= KBUILD_BUILD_TIMESTAMP="2001-09-09 01:46:40" \
		KBUILD_BUILD_USER=series KBUILD_BUILD_HOST=localhost "$@"
}

# configure LOG: write $output/.config, unless it would be the same
configure() {
	logged "$1" no_state merge || failed "$1" "cannot configure the kernel"
	all_survived
	cmp -s "$output/.config.new" "$output/.config" || mv "$output/.config.new" "$output/.config"
	rm -f "$output/.config.new" "$output/.config.new.old"
}

merge() (
	export KCONFIG_CONFIG=.config.new
	kernel_make tinyconfig &&
		cd "$output" &&
		"$source/scripts/kconfig/merge_config.sh" -m .config.new "${fragments[@]}" &&
		kernel_make olddefconfig
)

no_state() {
	echo "configuring"
}

# Stop if Kconfig dropped an option of a fragment: otherwise it would fail much later
all_survived() {
	local lost="" line
	while read -r line; do
		case $line in
		CONFIG_*)
			grep -qxF "$line" "$output/.config.new" || of_the_series "${line%%=*}" ||
				lost="$lost ${line%%=*}"
			;;
		"# CONFIG_"*" is not set")
			line=${line#\# }
			! grep -q "^${line%% *}=" "$output/.config.new" || lost="$lost ${line%% *}"
			;;
		esac
	done < <(wanted)
	[ -z "$lost" ] || die "Kconfig did not take from ${fragments[*]}:$lost: a dependency is missing there"
}

# What the last fragment that names an option says of it
wanted() {
	awk '/^(# )?CONFIG_/ {
		option = $0
		gsub(/^# |[= ].*/, "", option)
		last[option] = $0
	}
	END { for (option in last) print last[option] }' "${fragments[@]}"
}

# An option that no Kconfig of the base has is an option that the series adds. A misspelt
# one is found when the series is built, because this returns false there.
of_the_series() {
	[[ $name = stock* || $name = part* || $name = bisect* ]] &&
		! grep -rqE --include='Kconfig*' "^(menu)?config ${1#CONFIG_}$" "$source"
}

objects() {
	echo "$(grep -cE '^  (CC|AS|HOSTCC|LD|AR) ' "$1" || true) objects"
}
