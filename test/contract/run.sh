#!/usr/bin/env bash
#
# The official TypeScript client against pinecone-local: it must not be able to
# tell the difference.  Two versions of it, for two versions of the API.
# The last line is "N passed, N failed".
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=test/cluster.sh
source test/cluster.sh

make -s -C test/server || exit 1
(cd test/contract && npm install --no-audit --no-fund --no-package-lock --silent) || {
	printf 'npm install failed\n0 passed, 1 failed\n'
	exit 1
}
cluster_begin
cluster_pinecone
PINECONE_LOCAL_URL=$PINECONE_LOCAL_URL PINECONE_LOCAL_KEY=$PINECONE_LOCAL_KEY node test/contract/contract.mjs
