#!/usr/bin/env bash
#
# Frameworks' own packages, at pinned versions, write into pinecone-local and read from
# it, and SQL at the other end, directly and through pgbouncer: docs/frameworks.md says
# what it may do.
#
#	test/frameworks/run.sh
#
# Needs node, npm and pgvector.  The last line is "N passed, N failed".  Where npm
# cannot reach its registry all is left out, which is said, and is no failure.
#
# Of what the packages depend on, and no test loads, package.json puts an empty
# package in the place.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
# shellcheck source=test/cluster.sh
source test/cluster.sh
# shellcheck source=test/npm.sh
source test/npm.sh

npm_packages test/frameworks "the frameworks' packages" --legacy-peer-deps
case $? in
	1) echo "0 passed, 1 failed" && exit 1 ;;
	2) echo "0 passed, 0 failed" && exit ;;
esac
cluster_begin || exit
cluster_postgres || exit
cluster_pinecone --index frameworks:8:cosine --index pooled:8:cosine || exit
# others write, too: what SQL has written is not to be kept before their eyes, in no backend
psql -Xqc 'CREATE DATABASE pooled' -c 'ALTER DATABASE pooled SET pinecone_fdw.unseen_time = 0' || exit
PGDATABASE=pooled cluster_pgbouncer || exit

passed=0
failed=0
run() { # INDEX [VARIABLE...]
	local output
	output=$(env "${@:2}" node test/frameworks/frameworks.mjs "$1" 2>&1)
	echo "$output"
	if [[ $(tail -n 1 <<<"$output") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		passed=$((passed + BASH_REMATCH[1]))
		failed=$((failed + BASH_REMATCH[2]))
	else
		failed=$((failed + 1))
	fi
}

run frameworks
echo "# the same through pgbouncer, in transaction mode"
run pooled PGDATABASE=pooled PGHOST=127.0.0.1 "PGPORT=$CLUSTER_BOUNCER_PORT"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
