#!/usr/bin/env bash
#
# Install pgvector for the PostgreSQL of PG_CONFIG (default: pg_config on the
# PATH), because some tests cover vector columns of both kinds.
#
#	test/pgvector.sh
#
# Does nothing when it is installed already.  Otherwise takes Debian's package
# for that major where there is one, and else builds Debian's source package,
# which it gets from the mirror this machine's apt is set up with.  A PostgreSQL
# that is newer than it may change what indexes are made with; pgvector's types
# and operators, which are what we test, are then built without its indexes.
set -euo pipefail

readonly SOURCE_SUITE=trixie # the oldest that carries pgvector
pg_config=${PG_CONFIG:-pg_config}
sharedir=$("$pg_config" --sharedir)
pkglibdir=$("$pg_config" --pkglibdir)
major=$("$pg_config" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')

say() {
	printf 'pgvector: %s\n' "$*"
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Install into the server's directories needs root only if they are not ours.
as_owner() {
	if [ -w "$pkglibdir" ] && [ -w "$sharedir/extension" ]; then "$@"; else as_root "$@"; fi
}

# The mirror of the Debian main archive in apt's configuration.
debian_mirror() {
	apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' |
		awk -F'|' '$1 == "Debian" && $2 == "Debian" { print $3; exit }'
}

# Fetch the source package into the current directory, with apt state of our
# own so that the machine's is left alone.
fetch_source() {
	local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	mirror=$(debian_mirror)
	if [ -z "$mirror" ]; then
		say "apt has no list of a Debian mirror to get the source package from; run apt-get update" >&2
		return 1
	fi
	[ -e "$keyring" ] || keyring=
	mkdir -p lists/partial cache/archives/partial
	echo "deb-src ${keyring:+[signed-by=$keyring] }$mirror $SOURCE_SUITE main" >sources.list
	local apt=(apt-get -qq -o "Dir::Etc::sourcelist=$PWD/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o "Dir::State::lists=$PWD/lists" -o "Dir::Cache=$PWD/cache" -o APT::Sandbox::User=root)
	"${apt[@]}" update
	"${apt[@]}" source --only-source pgvector
}

if [ -e "$sharedir/extension/vector.control" ] && [ -e "$pkglibdir/vector.so" ]; then
	say "already installed for PostgreSQL $major"
	exit
fi

if [ "$pkglibdir" = "/usr/lib/postgresql/$major/lib" ] &&
	[[ $(apt-cache policy "postgresql-$major-pgvector" 2>/dev/null) =~ Candidate:\ [0-9] ]]; then
	say "installing the package postgresql-$major-pgvector"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "postgresql-$major-pgvector"
	exit
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
say "building it from Debian's source package for PostgreSQL $major"
fetch_source
cd pgvector-*/
build() {
	# OPTFLAGS="": the machine that builds need not be the one that runs
	make -s -j2 "PG_CONFIG=$pg_config" OPTFLAGS= with_llvm=no "$@" >"$work/make.log" 2>&1
}
# Statements and files that name an index method
remove_indexes() {
	perl -0pi -e 's/^[A-Z](?:(?!;\n).)*(?:hnsw|ivfflat)(?:(?!;\n).)*;\n//gms' sql/vector.sql
	perl -pi -e '$_ = "" if /#include "(hnsw|ivfflat)\.h"|^\s*(Hnsw|Ivfflat)Init\(\);/' src/*.c
	rm -f src/hnsw*.c src/ivf*.c
}
build || {
	say "its indexes do not build for PostgreSQL $major: leaving them out"
	remove_indexes
	build "OBJS=$(printf '%s ' src/*.c | sed 's/\.c /.o /g')"
} || {
	tail -20 "$work/make.log" >&2
	exit 1
}
as_owner make -s install "PG_CONFIG=$pg_config" with_llvm=no "OBJS=$(printf '%s ' src/*.o)" >/dev/null
say "installed $(sed -n "s/^default_version *= *'\(.*\)'/\1/p" vector.control)"
