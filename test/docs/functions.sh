#!/usr/bin/env bash
#
# Print docs/functions.md from the comments of the installed extension.
#
#	test/docs/functions.sh >docs/functions.md
#
# Uses the database of the environment if PGHOST is set, as test/docs/run.sh
# does, and else a private cluster.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if [ -z "${PGHOST:-}" ]; then
	# shellcheck source=test/cluster.sh
	source test/cluster.sh
	cluster_begin
	cluster_postgres
	psql -qc 'CREATE EXTENSION pinecone_fdw'
fi

cat <<'END'
# Functions, aggregates, operators and types

Made from the extension's own comments (`\dx+`, `\df+`); `test/docs/functions.sh` makes this page anew. What is internal
is left out. Examples are in [governance.md](governance.md).
END
psql -XAtq -v ON_ERROR_STOP=1 -f test/docs/functions.sql
