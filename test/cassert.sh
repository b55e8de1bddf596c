#!/usr/bin/env bash
#
# Build a PostgreSQL with assertions, and run suites on it. Its memory is
# overwritten when it is freed and marked at its ends, so that what is used after
# it or beyond it shows; catalog caches let go of what nobody holds; every parse
# and plan tree is copied, compared, written and read again, which the lists that
# a foreign scan is planned with have to stand.
#
#	test/cassert.sh						regress tap random
#	test/cassert.sh build				only the PostgreSQL, and print its pg_config
#	test/cassert.sh SUITE...			suites of test/check.sh
#	REGRESS="scan option" test/cassert.sh regress
#	test/cassert.sh FILE...				some of test/t/*.pl and test/random/*.pl
#
# Needs what test/install.sh check installs, and bison, flex, libreadline-dev and
# valgrind, which it installs. The source is Debian's of the major that PG_CONFIG has, by
# apt's mirror. It is built once (five minutes of two cores) and kept in
# CASSERT_DIR (test/.tools/cassert), which the user "postgres" has to reach. The
# extension is built from a copy of this source. Not part of CI, for the time of
# it. The last line is the sum.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
# shellcheck source=test/copy.sh
source test/copy.sh
PG_CONFIG=$(test/pg_config.sh --path) || exit
major=$("$PG_CONFIG" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
# Debian's source has its libraries beside the system's own unless the name says "postgres"
prefix=${CASSERT_DIR:-$PWD/test/.tools/cassert}/postgresql-$major

# COPY... and WRITE... compare trees with their copies
readonly FLAGS="-I$PWD/test/cassert -DUSE_VALGRIND -DRELCACHE_FORCE_RELEASE -DCATCACHE_FORCE_RELEASE -DCOPY_PARSE_PLAN_TREES -DWRITE_READ_PARSE_PLAN_TREES"

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

fetch_source() {
	local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg suite
	mirror=$(test/apt_mirror.sh) && suite=$(. /etc/os-release && echo "$VERSION_CODENAME") || return
	[ -e "$keyring" ] || keyring=
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
	echo "deb-src ${keyring:+[signed-by=$keyring] }$mirror $suite main" >"$work/sources.list"
	local apt=(apt-get -qq -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
	(cd "$work" && "${apt[@]}" update && "${apt[@]}" source --only-source "postgresql-$major") >"$work/fetch.log" 2>&1
}

build_postgres() {
	local work
	[ ! -x "$prefix/bin/postgres" ] || return 0
	echo "building PostgreSQL $major with assertions into $prefix" >&2
	work=$(mktemp -d) || return
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends \
		bison flex libreadline-dev zlib1g-dev libssl-dev valgrind >"$work/log" 2>&1 && fetch_source &&
		(
			cd "$work"/postgresql-"$major"-*/ &&
				./configure -q --prefix="$prefix" --enable-cassert --enable-debug --with-openssl --without-icu \
					CPPFLAGS="$FLAGS" CFLAGS='-O1 -g -fno-omit-frame-pointer' &&
				make -s -j"$(nproc)" -C src all && make -s -C src install DESTDIR="$work/installed" &&
				make -s -j"$(nproc)" -C contrib all && make -s -C contrib install DESTDIR="$work/installed"
		) >"$work/log" 2>&1 || {
		tail -n 20 "$work"/*log >&2
		rm -rf "$work"
		return 1
	}
	mkdir -p "$(dirname "$prefix")" && mv "$work/installed$prefix" "$prefix" && rm -rf "$work" &&
		PG_CONFIG=$prefix/bin/pg_config test/pgvector.sh >&2
}

build_postgres || exit
PG_CONFIG=$prefix/bin/pg_config
export PG_CONFIG
[ "${1:-}" != build ] || exec echo "$PG_CONFIG"

[ $# -gt 0 ] || set -- regress tap random
copy_begin cassert && copy_postgres && copy_source && copy_choose "$@" || exit
export MAKEFLAGS=with_llvm=no CLUSTER_LOGS=$COPY_DIR/servers.log
: >"$CLUSTER_LOGS"
test/check.sh "${COPY_SUITES[@]}" >"$COPY_DIR/log" 2>&1
read -r passed _ failed _ < <(tail -n 1 "$COPY_DIR/log")
if [ "${failed:-1}" = 0 ]; then grep '^# left out' "$COPY_DIR/log"; else cat "$COPY_DIR/log"; fi
# Said of whatever test it was
if grep -aA 2 -E '^TRAP: |WARNING: .*(problem in alloc set|detected write past)|was terminated by signal (6|7|8|11)\b' "$CLUSTER_LOGS"; then
	failed=$((failed + 1))
fi
printf '%d passed, %d failed\n' "${passed:-0}" "${failed:-1}"
[ "${failed:-1}" = 0 ]
