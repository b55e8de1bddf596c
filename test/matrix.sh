#!/usr/bin/env bash
#
# Build the extension and run its tests on several majors of PostgreSQL: on the one
# that is installed here, and on the others in chroots of the Debian releases that have
# them, with the compilers and libraries of these releases.
#
#	test/matrix.sh				PostgreSQL 15, 17, 18 and 19
#	test/matrix.sh MAJOR...		some of them
#
# SUITES says which suites of test/check.sh to run (default: regress, which has the
# tests with pgvector, tap and random; "all": all).  The chroots (2 GB each, made in two
# or three minutes) stay in MAJORS_DIR, by default a directory for temporary files, and
# are used again; remove them to have them made anew.  MIRROR is the Debian mirror to make
# them from, by default the one that this machine's apt is set up with.  Needs root and
# mmdebstrap.  PostgreSQL 14 and 16 are in no release of Debian that has the rest.
#
# With LEAVE_OUT set, a major whose chroot cannot be made is left out, and is no failure.
#
# The last line is the sum, "N passed, N failed".
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

readonly DIR=${MAJORS_DIR:-${TMPDIR:-/tmp}/pinecone_fdw-majors}
read -ra suites <<<"${SUITES:-regress tap random}"
[ "${suites[*]}" != all ] || suites=()
passed=0
failed=0

say() {
	printf '\n== %s\n' "$*"
}

# The Debian suite that carries a major.
suite_of() {
	case $1 in
		17) echo trixie ;;
		18) echo forky ;;
		19) echo sid ;;
		*) return 1 ;;
	esac
}

# Make the chroot of a major unless it is there.
make_chroot() {
	local major=$1 root=$2 suite mirror sources options
	[ ! -e "$root/.complete" ] || return 0
	command -v mmdebstrap >/dev/null || {
		echo "mmdebstrap is not installed" >&2
		return 1
	}
	suite=$(suite_of "$major")
	mirror=${MIRROR:-$(test/apt_mirror.sh)}
	options=(--mode=root --variant=apt "--include=postgresql-$major,postgresql-server-dev-$major"
		--aptopt='Apt::Install-Recommends "false"')
	# a mirror may be a snapshot: the signatures are checked, not their age
	options+=(--aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Check-Date "false"')
	sources=(${mirror:+"$mirror"})
	if [ "$major" = 19 ]; then
		[ -n "$mirror" ] || {
			echo "PostgreSQL 19 needs MIRROR" >&2
			return 1
		}
		sources=("deb $mirror sid main" "deb $mirror experimental main")
		# libpq has to come from there, too
		options+=(--setup-hook='mkdir -p "$1/etc/apt/preferences.d"
			printf "Package: libpq* postgresql*\nPin: release a=experimental\nPin-Priority: 900\n" >"$1/etc/apt/preferences.d/postgresql"')
	fi
	say "making a chroot of Debian $suite for PostgreSQL $major"
	rm -rf "$root"
	mkdir -p "$DIR"
	mmdebstrap --quiet "${options[@]}" "$suite" "$root" "${sources[@]}" && touch "$root/.complete"
}

# Install what the tests need and is missing, which is much the first time; regress needs less.
install_tools() {
	local major=$1 root=$2 purpose=check
	[ "${suites[*]}" != regress ] || purpose=regress
	run_in "$major" "$root" test/install.sh "$purpose" || return
	# what it unpacks, to stay
	[ ! -d "$root/src/test/.tools" ] || cp -r "$root/src/test/.tools/." "$root"
	rm -f "$root"/var/cache/apt/archives/*.deb
}

# The tree as it stands, without what builds leave behind.
copy_source() {
	local root=$1
	rm -rf "$root/src"
	mkdir "$root/src"
	tar -c --exclude='./.*' --exclude=node_modules --exclude='*.o' --exclude='*.bc' --exclude='*.so' \
		--exclude=./results --exclude=./test/.tools --exclude=./test/server/pinecone-local . | tar -x --no-same-owner -C "$root/src"
}

# Run a command on the copied tree.  The chroot's mounts end with it.
run_in() {
	local major=$1 root=$2
	shift 2
	cp -L /etc/resolv.conf "$root/etc/resolv.conf"
	unshare --mount --propagation private bash -c '
		root=$1 major=$2
		shift 2
		# npm talks to those whom this machine trusts
		certificates=/etc/ssl/certs/ca-certificates.crt
		[ ! -e "$certificates" ] || [ ! -e "$root$certificates" ] || mount --bind "$certificates" "$root$certificates"
		mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && mount -t tmpfs tmpfs "$root/tmp" &&
			exec chroot "$root" env -i -C /src HOME=/root LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
				"NODE_EXTRA_CA_CERTS=$certificates" \
				"PG_CONFIG=/usr/lib/postgresql/$major/bin/pg_config" "$@"
	' bash "$root" "$major" "$@"
}

here=$(test/pg_config.sh --version 2>/dev/null | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
[ $# -gt 0 ] || set -- 15 17 18 19
for major in "$@"; do
	[ "$major" != "$here" ] || continue
	suite_of "$major" >/dev/null || {
		echo "no Debian suite is known to have PostgreSQL $major" >&2
		exit 2
	}
done
[ "$(id -u)" = 0 ] || [ "$*" = "$here" ] || {
	[ -z "${LEAVE_OUT:-}" ] || {
		printf '# left out: PostgreSQL %s: chroots need root\n0 passed, 0 failed\n' "$*"
		exit
	}
	echo "chroots need root" >&2
	exit 2
}
mkdir -p "$DIR"

for major in "$@"; do
	root=$DIR/$major
	log=$DIR/$major.log
	if [ "$major" = "$here" ]; then
		test/check.sh "${suites[@]}" >"$log" 2>&1 </dev/null
	else
		make_chroot "$major" "$root" || [ -z "${LEAVE_OUT:-}" ] || {
			echo "# left out: PostgreSQL $major: its chroot cannot be made here"
			continue
		}
		[ -e "$root/.complete" ] && copy_source "$root" && install_tools "$major" "$root" || {
			failed=$((failed + 1))
			continue
		}
		run_in "$major" "$root" sh -c 'printf "gcc %s, libcurl %s, json-c %s, clang %s\n" "$(gcc -dumpfullversion)" \
			"$(pkg-config --modversion libcurl)" "$(pkg-config --modversion json-c)" "$(ls /usr/bin | sed -nE "s/^clang-([0-9]+)$/\1/p" | tail -n 1)"'
		run_in "$major" "$root" ${MAKEFLAGS:+"MAKEFLAGS=$MAKEFLAGS"} ${REGRESS:+"REGRESS=$REGRESS"} test/check.sh "${suites[@]}" >"$log" 2>&1 </dev/null
	fi
	sum=$(tail -n 1 "$log")
	if [[ $sum =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		passed=$((passed + BASH_REMATCH[1]))
		failed=$((failed + BASH_REMATCH[2]))
		[ "${BASH_REMATCH[2]}" = 0 ] || cat "$log"
	else
		cat "$log"
		failed=$((failed + 1))
	fi
	printf 'PostgreSQL %s: %s\n' "$major" "$sum"
done
printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
