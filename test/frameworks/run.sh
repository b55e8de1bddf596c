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
# shellcheck source=test/npm.sh
source test/npm.sh

npm_packages test/frameworks "the frameworks' packages" --legacy-peer-deps
case $? in
	1) echo "0 passed, 1 failed" && exit 1 ;;
	2) echo "0 passed, 0 failed" && exit ;;
esac
cluster_begin || exit
cluster_postgres || exit
cluster_pinecone --index frameworks:8:cosine || exit
node test/frameworks/frameworks.mjs
