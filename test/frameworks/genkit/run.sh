#!/usr/bin/env bash
#
# As test/frameworks/run.sh, with Genkit and its package for Pinecone: apart, and in no
# suite, because they bring 300 MB.
#
#	test/frameworks/genkit/run.sh
#
# Needs node and npm.  The last line is "N passed, N failed", of the run through pgbouncer when the one before
# has passed.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit
# shellcheck source=test/cluster.sh
source test/cluster.sh
# shellcheck source=test/npm.sh
source test/npm.sh

npm_packages test/frameworks/genkit "Genkit's packages" || exit
cluster_begin || exit
cluster_postgres || exit
cluster_pinecone --index frameworks:8:cosine --index pooled:8:cosine || exit
psql -Xqc 'CREATE DATABASE pooled' -c 'ALTER DATABASE pooled SET pinecone_fdw.unseen_time = 0' || exit
PGDATABASE=pooled cluster_pgbouncer || exit
node test/frameworks/genkit/genkit.mjs frameworks || exit
echo "# the same through pgbouncer, in transaction mode"
PGDATABASE=pooled PGHOST=127.0.0.1 PGPORT=$CLUSTER_BOUNCER_PORT node test/frameworks/genkit/genkit.mjs pooled
