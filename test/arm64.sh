#!/usr/bin/env bash
#
# Build everything for arm64 with Debian's cross compiler and run tests of it
# under qemu's user mode.
#
#	test/arm64.sh				regress, unit and contract
#	test/arm64.sh SUITE...		some suites of test/check.sh
#	test/arm64.sh instructions	no tests: what the inner loops take, test/bench/arm64
#
# Installs the compiler and qemu.  The arm64 libraries and PostgreSQL are those
# of this machine's Debian release, unpacked, not installed: into ARM64_DIR, by
# default a directory for temporary files, where they are used again.  Programs
# that only start others (initdb, pg_ctl, psql) are this machine's own, of the
# same release, because qemu hands over to nobody: what is tested is the server,
# the extension and pinecone-local.  Takes some ten times as long as check.sh.
#
# The last line is the sum, "N passed, N failed".
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

readonly DIR=${ARM64_DIR:-${TMPDIR:-/tmp}/pinecone_fdw-arm64}
readonly TRIPLET=aarch64-linux-gnu
readonly ROOT=$DIR/root

say() {
	printf 'arm64: %s\n' "$*"
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

give_up() {
	say "$*" >&2
	printf '\n0 passed, 1 failed\n'
	exit 1
}

if [ "$(uname -m)" = aarch64 ]; then
	say "this machine is one; running test/check.sh"
	exec test/check.sh "$@"
fi
[ $# -gt 0 ] || set -- regress unit contract

suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
major=$(apt-cache depends postgresql 2>/dev/null | sed -nE 's/.*Depends: postgresql-([0-9]+)$/\1/p' | head -n 1)
[ -x "/usr/lib/postgresql/${major:-0}/bin/initdb" ] || give_up "the release's own PostgreSQL is not installed: run test/install.sh check"
mirror=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' | awk -F'|' '$1 == "Debian" && $2 == "Debian" { print $3; exit }')
[ -n "$mirror" ] || give_up "apt has no list of a Debian mirror: run apt-get update"

if ! command -v "$TRIPLET-gcc" qemu-aarch64-static >/dev/null; then
	say "installing a cross compiler and qemu"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
		"gcc-$TRIPLET" qemu-user-static >/dev/null || give_up "they could not be installed"
fi

# apt for arm64, with state of its own so that the machine's is left alone
apt() {
	apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root \
		-o "Dir::Etc::sourcelist=$DIR/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o "Dir::State=$DIR/state" -o "Dir::State::status=$DIR/status" -o "Dir::Cache=$DIR/cache" "$@"
}

# What test/install.sh installs to build with
libraries() {
	sed -nE 's/^\s*- (lib[a-z0-9.+-]+-dev)$/\1/p' test/install.sh
}

unpack_root() {
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg package
	[ "$(cat "$DIR/complete" 2>/dev/null)" != "$(libraries)" ] || return 0
	say "unpacking arm64's libraries and PostgreSQL $major"
	rm -rf "$DIR"
	mkdir -p "$DIR"/{state/lists/partial,cache/archives/partial} "$ROOT"
	: >"$DIR/status"
	echo "deb ${keyring:+[signed-by=$keyring] }$mirror $suite main" >"$DIR/sources.list"
	apt update || return
	apt install -y --no-install-recommends --download-only $(libraries) libicu-dev libpq-dev libubsan1 "postgresql-$major" >/dev/null || return
	# its dependencies are compilers
	(cd "$DIR/cache/archives" && apt download "postgresql-server-dev-$major") || return
	for package in "$DIR"/cache/archives/*.deb; do
		dpkg -x "$package" "$ROOT" || return
	done
	rm -rf "$DIR/cache"
	# this one runs here
	cp "/usr/lib/postgresql/$major/lib/pgxs/src/test/regress/pg_regress" "$ROOT/usr/lib/postgresql/$major/lib/pgxs/src/test/regress/" || return
	libraries >"$DIR/complete"
}
unpack_root || give_up "they could not be had"

# A program: its name, then the lines of it
program() {
	printf '#!/bin/sh\n%s\n' "$2" >"$DIR/bin/$1"
	chmod 755 "$DIR/bin/$1"
}

# The cross compiler as cc, arm64's server as postgres, and pg_config with paths to where both are
rm -rf "$DIR/bin"
mkdir "$DIR/bin"
native=/usr/lib/postgresql/$major/bin
for file in "$native"/*; do
	ln -s "$file" "$DIR/bin"
done
rm -f "$DIR/bin"/{postgres,pg_ctl,pg_config}
program cc "exec $TRIPLET-gcc --sysroot=$ROOT -L$ROOT/usr/lib/$TRIPLET -Wl,-rpath-link,$ROOT/usr/lib/$TRIPLET:$ROOT/lib/$TRIPLET \"\$@\""
program postgres "exec qemu-aarch64-static -L $ROOT $ROOT$native/postgres \"\$@\""
program pg_ctl "exec $native/pg_ctl -p $DIR/bin/postgres \"\$@\""
program pg_config "case \$* in
--bindir) echo $DIR/bin ;;
--version) exec $native/pg_config --version ;;
*) exec $native/pg_config \"\$@\" | sed 's#/usr/#$ROOT/usr/#g; s#x86_64-linux-gnu#$TRIPLET#g' ;;
esac"
program run "exec qemu-aarch64-static -L $ROOT \"\$@\""

# The tree as it stands, without what builds leave behind
tree=$DIR/tree
rm -rf "$tree"
mkdir "$tree"
tar -c --exclude=./.git --exclude=node_modules --exclude='*.o' --exclude='*.bc' --exclude='*.so' \
	--exclude=./results --exclude=./test/server/pinecone-local . | tar -x --no-same-owner -C "$tree"
cd "$tree" || exit

export PG_CONFIG=$DIR/bin/pg_config CC=$DIR/bin/cc RUNNER=$DIR/bin/run
export PKG_CONFIG_SYSROOT_DIR=$ROOT PKG_CONFIG_LIBDIR=$ROOT/usr/lib/$TRIPLET/pkgconfig
export MAKEFLAGS="CC=$CC with_llvm=no"
[ "$*" != instructions ] || exec test/bench/arm64/instructions.sh
say "building pinecone-local"
make -s -C test/server WERROR=1 || give_up "pinecone-local does not build"
# In its place a program that runs it
mv test/server/pinecone-local test/server/pinecone-local.arm64
program pinecone-local "exec $DIR/bin/run $tree/test/server/pinecone-local.arm64 \"\$@\""
cp "$DIR/bin/pinecone-local" test/server/pinecone-local
test/pgvector.sh || give_up "pgvector does not build"
exec test/check.sh "$@"
