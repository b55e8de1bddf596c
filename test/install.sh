#!/usr/bin/env bash
#
# Install from Debian's archive what is missing here to build and run.
#
#	test/install.sh			the compiler, PostgreSQL, the libraries: build, demo
#	test/install.sh check	and what the tests need besides; test/check.sh calls it
#	test/install.sh regress	and what the regression tests alone do
#	test/install.sh bench	and what the benchmarks do; test/bench/run.sh calls it
#
# Says what it installs; uses sudo when it is not root.  PG_CONFIG chooses a
# PostgreSQL installation; without it the newest one here is used, or Debian's
# own version is installed.
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")

say() {
	printf 'install: %s\n' "$*"
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# apt-get, quiet unless it fails.
apt() {
	local output
	output=$(as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 "$@" 2>&1 </dev/null) || {
		printf '%s\n' "$output" >&2
		return 1
	}
}

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

updated=
apt_update() {
	[ -n "$updated" ] || apt update
	updated=yes
}

# The major version of the postgresql package that apt would install.
debian_postgresql() {
	apt-cache depends postgresql 2>/dev/null | sed -nE 's/.*Depends: postgresql-([0-9]+)$/\1/p' | head -n 1
}

# What is missing of "command package" pairs ("-" for a package without a
# command), one package a line.
missing_of() {
	local command package
	while read -r command package; do
		if [ "$command" = - ]; then
			is_installed "$package" || echo "$package"
		else
			command -v "$command" >/dev/null || echo "$package"
		fi
	done
}

# Modules of others that ours is tested beside, where the archive has them for that PostgreSQL.
others_of() {
	local name
	for name in pgaudit pg-wait-sampling; do
		[ -z "$(apt-cache madison "postgresql-$1-$name" 2>/dev/null)" ] || echo "- postgresql-$1-$name"
	done
}

# What Debian packages are made with, for the major that this release has.
packaging_of() {
	[ "$1" != "$(debian_postgresql)" ] || printf '%s\n' 'dh debhelper' 'help2man help2man' '- postgresql-server-dev-all'
}

# SQL clients that ours is tested with (test/clients), where the archive has them.
clients() {
	local command package names
	names=$(apt-cache pkgnames 2>/dev/null)
	[ -n "$names" ] || {
		apt_update
		names=$(apt-cache pkgnames)
	}
	while read -r command package; do
		! grep -qxF "$package" <<<"$names" || echo "$command $package"
	done <<-END
		javac default-jdk-headless
		- libpostgresql-jdbc-java
		- python3-psycopg2
		- python3-psycopg
		- python3-asyncpg
		- python3-sqlalchemy
		- python3-pandas
		- python3-pyodbc
		- odbc-postgresql
		- r-cran-rpostgresql
		- r-cran-dbplyr
		ogr2ogr gdal-bin
	END
}

list_missing() {
	if [ -z "${PG_CONFIG:-}" ]; then
		missing_of <<-END
			- postgresql-$1
			- postgresql-server-dev-$1
		END
	fi
	missing_of <<-END
		gcc gcc
		make make
		pkg-config pkg-config
		perl perl
		setpriv util-linux
		- ca-certificates
		- libc6-dev
		- libcurl4-openssl-dev
		- libjson-c-dev
		- libmicrohttpd-dev
		- libstemmer-dev
	END
	case "$2" in
		check)
			missing_of <<-END
				prove perl
				curl curl
				openssl openssl
				mmdebstrap mmdebstrap
				cppcheck cppcheck
				dpkg-source dpkg-dev
				node nodejs
				npm npm
				/usr/bin/python3 python3
				clang clang
				- libipc-run-perl
				go golang-go
				- golang-github-masterminds-sprig-dev
				- golang-gopkg-yaml.v3-dev
			END
			{ others_of "$1" && packaging_of "$1"; } | missing_of
			clients | missing_of
			;;
		regress)
			missing_of <<-END
				curl curl
				dpkg-source dpkg-dev
			END
			;;
		bench)
			missing_of <<-END
				curl curl
				dpkg-source dpkg-dev
				node nodejs
				npm npm
				wrk wrk
			END
			;;
	esac
}

# Proxies' programs without their packages, which would start servers on ports of theirs,
# and with the libraries that they need.
unpack_proxies() { # PROGRAM=PACKAGE...
	local dir program missing=()
	for program; do
		command -v "${program%=*}" >/dev/null || [ -x "/usr/sbin/${program%=*}" ] || [ -x "$here/.tools/usr/sbin/${program%=*}" ] ||
			missing+=("${program#*=}")
	done
	[ ${#missing[@]} != 0 ] || return 0
	say "unpacking ${missing[*]} for the tests"
	dir=$(mktemp -d)
	(
		cd "$dir" && mapfile -t packages < <(apt-get -s install --no-install-recommends "${missing[@]}" 2>/dev/null | awk '$1 == "Inst" {print $2}') &&
			apt-get -q download "${packages[@]}" >/dev/null 2>&1 && for package in *.deb; do dpkg -x "$package" tools; done
	) && mkdir -p "$here/.tools" && cp -r "$dir/tools/." "$here/.tools" ||
		say "there is no ${missing[*]}: what needs it will not be tested"
	rm -rf "$dir"
}

# Likewise Prometheus and its exporter, which would be started and stay.
unpack_prometheus() {
	local dir package
	for package in prometheus prometheus-postgres-exporter; do
		command -v "$package" >/dev/null || [ -x "$here/.tools/usr/bin/$package" ] || {
			say "unpacking $package for the tests"
			dir=$(mktemp -d)
			(cd "$dir" && apt-get -q download "$package" >/dev/null 2>&1 && dpkg -x "$package"_*.deb tools) &&
				mkdir -p "$here/.tools" && cp -r "$dir/tools/." "$here/.tools" ||
				say "there is no $package: test/monitoring/run.sh will fail"
			rm -rf "$dir"
		}
	done
}

if ! command -v apt-get >/dev/null; then
	say "this system has no apt-get; going on with what is installed"
	exit
fi

major=$("$here/pg_config.sh" --version 2>/dev/null | sed -E 's/^[^0-9]*([0-9]+).*/\1/') || true
if [ -z "$major" ]; then
	[ -n "$(debian_postgresql)" ] || apt_update
	major=$(debian_postgresql)
fi

mapfile -t packages < <(list_missing "$major" "${1:-}")
if [ ${#packages[@]} = 0 ]; then
	say "nothing is missing"
else
	say "installing ${packages[*]}"
	apt_update
	apt install -y --no-install-recommends "${packages[@]}"
fi

if [ -n "${1:-}" ]; then
	[ -n "$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null)" ] || apt_update
	PG_CONFIG=$("$here/pg_config.sh" --path) "$here/pgvector.sh"
	case "$1" in
		check)
			unpack_proxies nginx=nginx nghttpx=nghttp2-proxy pgbouncer=pgbouncer
			unpack_prometheus
			;;
		bench) unpack_proxies nginx=nginx nghttpx=nghttp2-proxy haproxy=haproxy ;;
	esac
fi
