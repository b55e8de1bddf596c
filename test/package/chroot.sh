#!/usr/bin/env bash
#
# The Debian packages as users have them: built in a chroot that has what debian/control
# says and no more, installed by apt in another that has nothing, tested there by
# debian/tests, and removed.
#
#	test/package/chroot.sh				Debian 12 (PostgreSQL 15) and 13 (PostgreSQL 17)
#	test/package/chroot.sh SUITE...		bookworm, trixie, ...
#
# Needs root and mmdebstrap; takes some minutes.  MIRROR is the Debian mirror, by
# default the one of this machine's apt.  TESTS are those of debian/tests to run, by
# default all.  DEBS is a directory with packages that have been built for that suite
# already.  The last line is the sum.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
read -ra tests <<<"${TESTS:-search installcheck}"
mirror=${MIRROR:-$(test/apt_mirror.sh)}
DIR=$(mktemp -d)
chmod 755 "$DIR"
trap 'rm -rf --one-file-system "$DIR"' EXIT
passed=0
failed=0

result() { # STATUS WHAT
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
		echo "ok - $2"
	else
		failed=$((failed + 1))
		echo "not ok - $2"
		[ ! -s "$DIR/log" ] || tail -n 30 "$DIR/log" | sed 's/^/# /'
	fi
	return "$1"
}

make_root() { # SUITE ROOT PACKAGE...
	local suite=$1 root=$2 include
	shift 2
	include=$(
		IFS=,
		echo "$*"
	)
	# a mirror may be a snapshot: the signatures are checked, not their age
	mmdebstrap --quiet --mode=root --variant=apt ${include:+"--include=$include"} --aptopt='Apt::Install-Recommends "false"' \
		--aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Check-Date "false"' "$suite" "$root" "$mirror" >"$DIR/log" 2>&1 || return
	mkdir "$root/src"
	git ls-files -z --cached --others --exclude-standard | tar -c --null -T - | tar -x --no-same-owner -C "$root/src"
}

# The chroot's mounts end with the command
run_in() { # ROOT COMMAND...
	local root=$1
	shift
	cp -L /etc/resolv.conf "$root/etc/resolv.conf"
	unshare --mount --propagation private bash -c '
		root=$1
		shift
		mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && mount -t tmpfs tmpfs "$root/tmp" &&
			exec chroot "$root" env -i -C /src HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
	' bash "$root" "$@" >"$DIR/log" 2>&1 </dev/null
}

# What debian/control asks for: of alternatives the first, and no versions
build_dependencies() {
	sed -n '/^Build-Depends:/,/^[A-Z]/p' debian/control | sed -e '/^Standards/d' -e 's/^Build-Depends: *//' -e 's/debhelper-compat.*/debhelper,/' -e 's/ *|[^,]*//; s/([^)]*)//g; s/[ ,]//g' | grep .
}

# All there is of us in a chroot
ours() {
	(cd "$1" && find . -xdev \( -path ./src -o -path ./debs -o -path ./proc -o -path ./dev -o -path ./var/cache/apt \) -prune -o -name '*pinecone*' -print) | sort
}

# What a run of debian/tests has looked at: the search is one test a major
tested() {
	local ok
	ok=$(grep -cE '^(test .*\.\.\. ok|ok [0-9])' "$DIR/log")
	echo "$(sed -nE 's/^### (PostgreSQL [0-9]+) .*/\1/p' "$DIR/log" | sort -u | paste -sd,)$([ "$ok" = 0 ] || echo ": $ok tests")"
}

build_in() { # SUITE ROOT
	local suite=$1 build=$2 depends
	mapfile -t depends < <(build_dependencies)
	make_root "$suite" "$build" build-essential fakeroot lintian "${depends[@]}"
	result $? "$suite: what debian/control says can be had"
	run_in "$build" sh -c 'pg_buildext updatecontrol && dpkg-checkbuilddeps && DEB_BUILD_OPTIONS="noautodbgsym parallel=$(nproc)" dpkg-buildpackage -b -us -uc' || {
		result 1 "$suite: the packages are built"
		return 1
	}
	result 0 "$suite: the packages are built: $(cd "$build" && echo *.deb)"
	run_in "$build" sh -c 'lintian --allow-root --fail-on error,warning ../*.changes'
	result $? "$suite: lintian has no errors and no warnings"
}

try_suite() {
	local suite=$1 build=$DIR/$1.build clean=$DIR/$1 debs test
	debs=${DEBS:-$build}
	[ -n "${DEBS:-}" ] || build_in "$suite" "$build" || return
	make_root "$suite" "$clean" && run_in "$clean" apt-get update
	result $? "$suite: a clean chroot" || return
	mkdir "$clean/debs" && cp "$debs"/{pinecone-local,postgresql-*-pinecone-fdw}_*.deb "$clean/debs" && rm -rf --one-file-system "$build"
	ours "$clean" >"$DIR/before"
	run_in "$clean" sh -c 'apt-get install -y /debs/*.deb'
	result $? "$suite: apt installs them"
	mapfile -t packages < <(cd "$clean/debs" && ls | sed 's/_.*//')
	ours "$clean" >"$DIR/installed"
	[ "$(wc -l <"$DIR/installed")" -gt 10 ]
	result $? "$suite: $(wc -l <"$DIR/installed") paths of ours"
	run_in "$clean" sh -c 'man -w pinecone-local || zcat /usr/share/man/man1/pinecone-local.1.gz | grep -q "^.SH SYNOPSIS"'
	result $? "$suite: there is a manual page"
	run_in "$clean" apt-get install -y curl make perl dpkg-dev gcc libc6-dev postgresql-server-dev-all
	cp "$DIR/log" "$DIR/log.dev"
	for test in "${tests[@]}"; do
		# pgvector, which some regression tests are about
		[ "$test" != installcheck ] || run_in "$clean" sh -c 'for p in /usr/lib/postgresql/*/bin/pg_config; do PG_CONFIG=$p test/pgvector.sh || exit; done' || cp "$DIR/log" "$DIR/log.vector"
		run_in "$clean" "debian/tests/$test"
		result $? "$suite: $test ($(tested))"
	done
	run_in "$clean" apt-get purge -y "${packages[@]}"
	result $? "$suite: apt removes them"
	ours "$clean" | diff "$DIR/before" - >"$DIR/log"
	result $? "$suite: nothing is left"
	rm -rf --one-file-system "$clean"
}

[ "$(id -u)" = 0 ] && command -v mmdebstrap >/dev/null || {
	echo "this needs root and mmdebstrap" >&2
	exit 2
}
[ $# -gt 0 ] || set -- bookworm trixie
for suite in "$@"; do
	try_suite "$suite"
done
printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
