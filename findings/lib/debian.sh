# debian.sh
#	The start of a finding about Debian's packages, for scripts that source this file:
#	a temporary folder, which goes away when the script ends, and into it.
#
#	skip WHY					exit with 77
#	unpack SUITE PACKAGE...		a release's packages and all below them, in SUITE/root; skips
#								when they cannot be had
#	run_with SUITE PROGRAM...	run a program with that release's libraries

debian_dir=$(mktemp -d)
trap 'rm -rf "$debian_dir"' EXIT
cd "$debian_dir" || exit

skip() {
	echo "skipped: $1"
	exit 77
}
command -v gcc >/dev/null || skip "there is no gcc"
[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || skip "not Debian on amd64"
debian_mirror=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' | awk -F'|' '$1 == "Debian" && $2 == "Debian" { print $3; exit }')
[ -n "$debian_mirror" ] || skip "apt has no list of a Debian mirror"

unpack() {
	local suite=$1 deb
	shift
	mkdir -p "$suite"/{root,state/lists/partial,cache/archives/partial}
	: >"$suite/status"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $debian_mirror $suite main" >"$suite/sources.list"
	local apt=(apt-get -qq -o "Dir::Etc::sourcelist=$PWD/$suite/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o "Dir::State=$PWD/$suite/state" -o "Dir::State::status=$PWD/$suite/status" -o "Dir::Cache=$PWD/$suite/cache"
		-o APT::Sandbox::User=root -o Acquire::Check-Valid-Until=false)
	"${apt[@]}" update >/dev/null 2>&1 &&
		"${apt[@]}" install -y --no-install-recommends --download-only libc6 "$@" >/dev/null 2>&1 || skip "the packages cannot be had"
	for deb in "$suite"/cache/archives/*.deb; do
		dpkg -x "$deb" "$suite/root"
	done
}

run_with() {
	local lib=$1/root/usr/lib/x86_64-linux-gnu
	shift
	# the loader is where the release keeps it
	"$(ls "$lib"/ld-linux-x86-64.so.2 "${lib/usr\//}"/ld-linux-x86-64.so.2 2>/dev/null | head -n 1)" \
		--library-path "$lib:${lib/usr\//}" "$@"
}
