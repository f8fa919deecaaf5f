# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
# Debian's package tool, for the scripts in this folder. Source it after common.sh.

command -v apt-get >/dev/null || die "apt-get is missing: this needs Debian 12 or 13"
[ "$(dpkg --print-architecture)" = amd64 ] || die "this needs Debian on amd64"

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "not root and no sudo here: run it as root"
	fi
}

# The mirror that this machine's own package lists come from
debian_mirror() {
	[ -n "$(mirror_of Debian)" ] || refresh >&2
	mirror_of Debian | grep . || die "apt knows no mirror of Debian: see /etc/apt/sources.list"
}

mirror_of() {
	apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
		awk -v label="$1" '$1 == label { print $2; exit }'
}

# Options for apt. Empty: its own package lists. See use_suite.
apt_options=()

# use_suite SUITE: from now on read the package lists of that suite, and only these. They
# are in build/apt, so the machine's own lists and sources stay as they are.
use_suite() {
	local lists=$build/apt/$1 mirror
	mirror=$(debian_mirror)
	mkdir -p "$lists/lists/partial" "$lists/cache"
	echo "deb [arch=amd64 signed-by=$keyring] $mirror $1 main" >"$lists/sources.list"
	apt_options=(-o Dir::Etc::SourceList="$lists/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o Dir::State::Lists="$lists/lists" -o Dir::Cache="$lists/cache")
}

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# candidates PACKAGE...: note the newest version of each in the archive, for
# candidate() and package_file(). Call it once for all: apt-cache can take seconds.
declare -A newest=()

candidates() {
	local package version
	while read -r package version; do
		newest[$package]=$version
	done < <(apt-cache "${apt_options[@]}" policy "$@" | awk '
		/^[^ ]/ { sub(":$", ""); package = $1 }
		$1 == "Candidate:" && $2 != "(none)" { print package, $2 }')
}

candidate() {
	echo "${newest[$1]:-}"
}

# It is no error if a source fails: a missing package gives an error later
refresh() {
	local -a root=(as_root)
	[ ${#apt_options[@]} = 0 ] || root=()
	say "refreshing the package lists"
	logged apt-update apt_state "${root[@]}" apt-get "${apt_options[@]}" update || true
}

apt_state() {
	awk '/^(Get|Unpacking|Setting)/ { line = $0 } END { print substr(line, 1, 70) }' "$1"
}

# with_fresh_lists COMMAND...: run it, and if it fails once more with fresh lists
with_fresh_lists() {
	"$@" || { refresh && "$@"; }
}

missing_packages() {
	local package
	for package in "$@"; do
		dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null |
			grep -qx installed || echo "$package"
	done
}

install_packages() {
	say "installing $*"
	with_fresh_lists logged apt-install apt_state as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y --no-install-recommends "$@" ||
		apt_failed apt-install "cannot install $*"
}

# apt_failed LOG WORDS: exit with one line: WORDS, and apt's own error
apt_failed() {
	local reason
	reason=$(sed -n 's/^[EW]: *//p' "$logs/$1.log" | tail -n 1)
	die "$2: ${reason:-is there a network?} (full log: $logs/$1.log)"
}

# download PACKAGE...: into build/packages. A package appears under its name
# when it is complete.
download() {
	mkdir -p "$packages/partial"
	with_fresh_lists logged apt-download download_state fetch "$@" ||
		apt_failed apt-download "cannot download $1${2:+ and what it needs}"
	candidates "$@"
}

fetch() (
	cd "$packages/partial" &&
		apt-get "${apt_options[@]}" -o APT::Sandbox::User=root download "$@" &&
		mv -- *.deb ..
)

download_state() {
	echo "downloaded $(du -sm "$packages/partial" | cut -f1) MiB"
}

# The file that holds a package's newest version
package_file() {
	echo "$packages/$1_${newest[$1]/:/%3a}"_*.deb
}

have_package() {
	[ -e "$(package_file "$1")" ]
}
