#!/usr/bin/env bash
#
# Frameworks' own packages, at pinned versions, write into pinecone-local and read from
# it, and SQL at the other end: docs/frameworks.md says what it may do.
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

errors=$(npm ci --prefix test/frameworks --no-audit --no-fund --legacy-peer-deps --ignore-scripts --fetch-retries=1 --fetch-timeout=60000 2>&1 >/dev/null) || {
	if grep -qE 'E(NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT|NETUNREACH|HOSTUNREACH)|ERR_SOCKET_TIMEOUT|CERT|E(403|407|429|5[0-9][0-9])' <<<"$errors"; then
		echo "# left out: npm cannot reach its registry, from which the frameworks' packages come:"
		grep -E '^npm (error|ERR)' <<<"$errors" | head -5 | sed 's/^/# /'
		echo "0 passed, 0 failed"
		exit
	fi
	echo "not ok npm could not install the packages:"
	sed 's/^/# /' <<<"$errors"
	echo "0 passed, 1 failed"
	exit 1
}
cluster_begin || exit
cluster_postgres || exit
cluster_pinecone --index frameworks:8:cosine || exit
node test/frameworks/frameworks.mjs
