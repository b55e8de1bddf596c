#!/usr/bin/env bash
#
# As test/frameworks/run.sh, with Genkit and its package for Pinecone: apart, and in no
# suite, because they bring 300 MB.
#
#	test/frameworks/genkit/run.sh
#
# Needs node and npm.  The last line is "N passed, N failed".
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit
# shellcheck source=test/cluster.sh
source test/cluster.sh

npm ci --prefix test/frameworks/genkit --no-audit --no-fund --ignore-scripts --silent || exit
cluster_begin || exit
cluster_postgres || exit
cluster_pinecone --index frameworks:8:cosine || exit
node test/frameworks/genkit/genkit.mjs
