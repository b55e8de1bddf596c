#!/usr/bin/env bash
#
# pg_upgrade from the PostgreSQL that is installed here to a newer major: with 15 here,
#
#	test/upgrade.sh			to 17
#	test/upgrade.sh MAJOR	to another
#
# It runs test/t/093_pg_upgrade.pl in the chroot that test/matrix.sh has made of the newer
# one (MAJORS_DIR, as there).  The programs of the older one are copied into it, with those
# libraries that the newer Debian does not have.  Needs root; not part of CI.
#
# The last line is the sum, "N passed, N failed".
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

major=${1:-17}
root=${MAJORS_DIR:-${TMPDIR:-/tmp}/pinecone_fdw-majors}/$major
PG_CONFIG=$(test/pg_config.sh --path)
old=$("$PG_CONFIG" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')

[ "$(id -u)" = 0 ] || {
	echo "chroots need root" >&2
	exit 2
}
[ -e "$root/.complete" ] || {
	echo "there is no chroot: SUITES=layers test/matrix.sh $major makes it" >&2
	exit 2
}
[ -e "$("$PG_CONFIG" --pkglibdir)/pinecone_fdw.so" ] || {
	echo "the extension is not installed for PostgreSQL $old: make install" >&2
	exit 2
}

# Programs find their files by where they are themselves, as long as the paths between are the same
copy_old() {
	local prefix
	prefix=$("$PG_CONFIG" --bindir)
	prefix=${prefix%/lib/postgresql/$old/bin}
	mkdir -p "$root/upgrade/old/usr/lib/postgresql" "$root/upgrade/old/usr/share/postgresql" "$root/upgrade/old/libraries"
	cp -rL "$prefix/lib/postgresql/$old" "$root/upgrade/old/usr/lib/postgresql/"
	cp -rL "$prefix/share/postgresql/$old" "$root/upgrade/old/usr/share/postgresql/"
}

copy_libraries() {
	local path
	ldd "$root/upgrade/old/usr/lib/postgresql/$old"/{bin/*,lib/*.so} 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
		while read -r path; do
			find "$root/usr/lib" "$root/lib" -name "$(basename "$path")" -print -quit 2>/dev/null | grep -q . ||
				cp -L "$path" "$root/upgrade/old/libraries/"
		done
}

rm -rf "$root/upgrade"
mkdir -p "$root/upgrade/src"
trap 'rm -rf "$root/upgrade"' EXIT
copy_old
copy_libraries
tar -c --exclude='./.*' --exclude=node_modules --exclude='*.o' --exclude='*.bc' --exclude='*.so' --exclude=./results \
	--exclude=./test/server/pinecone-local . | tar -x --no-same-owner -C "$root/upgrade/src"

unshare --mount --propagation private bash -c '
	root=$1 old=$2 new=$3
	mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && mount -t tmpfs tmpfs "$root/tmp" &&
		exec chroot "$root" env -i -C /upgrade/src HOME=/root LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			LD_LIBRARY_PATH=/upgrade/old/libraries \
			"PG_CONFIG=/upgrade/old/usr/lib/postgresql/$old/bin/pg_config" \
			"NEW_PG_CONFIG=/usr/lib/postgresql/$new/bin/pg_config" bash -c "
				make -s -j2 PG_CONFIG=\$NEW_PG_CONFIG >/tmp/build.log 2>&1 && make -s PG_CONFIG=\$NEW_PG_CONFIG install >>/tmp/build.log 2>&1 &&
					make -s -C test/server >>/tmp/build.log 2>&1 || { cat /tmp/build.log; exit 1; }
				prove --verbose -I test/t -I test/lib test/t/093_pg_upgrade.pl"
' bash "$root" "$old" "$major" 2>&1 | tee "$root/upgrade.log" || true
passed=$(grep -c '^ok [0-9]' "$root/upgrade.log" || true)
failed=$(grep -c '^not ok [0-9]' "$root/upgrade.log" || true)
grep -q '^Result: PASS' "$root/upgrade.log" || [ "$failed" != 0 ] || failed=1
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
