#!/usr/bin/env bash
#
# Run the pg_config that the tests use: PG_CONFIG if it is set, or else that of
# the newest PostgreSQL here that extensions can be built for.
#
#	test/pg_config.sh --path		where it is
#	test/pg_config.sh OPTION...		as pg_config itself
set -euo pipefail

find_pg_config() {
	local candidate
	if [ -n "${PG_CONFIG:-}" ]; then
		command -v "$PG_CONFIG" && return
		echo "PG_CONFIG is \"$PG_CONFIG\", which cannot be run" >&2
		return 1
	fi
	# Debian keeps several versions side by side
	for candidate in $(ls -d /usr/lib/postgresql/*/bin/pg_config 2>/dev/null | sort -rV) pg_config; do
		if command -v "$candidate" >/dev/null && [ -f "$("$candidate" --pgxs)" ] &&
			[ -x "$("$candidate" --bindir)/initdb" ]; then
			command -v "$candidate"
			return
		fi
	done
	echo "no PostgreSQL server with its development files found; run test/install.sh" >&2
	return 1
}

pg_config=$(find_pg_config)
if [ "${1:-}" = --path ]; then
	echo "$pg_config"
else
	exec "$pg_config" "$@"
fi
