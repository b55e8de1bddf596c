#!/usr/bin/env bash
#
# pinecone_search_batch() against the LATERAL join that it stands for, and
# pinecone_search() for each row against both: 200 top-5 searches, 50 ms away.
# Prints "bench NAME ratio R target T met|missed"; the sides take turns.
#
# ROUNDS (default 5) is how often each is measured; the figures are medians.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=test/cluster.sh
source test/cluster.sh
# shellcheck source=test/bench/lib/bench.sh
source test/bench/lib/bench.sh
ROUNDS=${ROUNDS:-5}

make -s -C test/server
cluster_begin
cluster_postgres "max_parallel_workers_per_gather = 0"
cluster_pinecone --index bench:64:cosine --latency 50
host=$(index_host bench)
psql -qX -v ON_ERROR_STOP=1 <<END
CREATE EXTENSION pinecone_fdw;
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key '$PINECONE_LOCAL_KEY');
CREATE FOREIGN TABLE t (id text, embedding real[], n int) SERVER s;
SELECT setseed(0.5) \gset
INSERT INTO t SELECT 'r' || i, (SELECT array_agg(random()::real) FROM generate_series(1, 64) WHERE i > 0), i FROM generate_series(1, 2000) i;
CREATE TABLE q AS SELECT i, (SELECT array_agg(random()::real) FROM generate_series(1, 64) WHERE i > 0) AS v FROM generate_series(1, 200) i;
ANALYZE q;
END
sleep 11 # until writes are no longer kept as unseen

lateral="SELECT count(record) FROM q, LATERAL (SELECT id, embedding <=> q.v, jsonb_build_object('n', n) AS record FROM t ORDER BY embedding <=> q.v LIMIT 5) s"
batch="SELECT count(record) FROM pinecone_search_batch('t', (SELECT array_agg(v ORDER BY i) FROM q), 5)"
single="SELECT count(record) FROM q, LATERAL (SELECT * FROM pinecone_search('t', q.v, 5)) s WHERE i <= 20"
for side in lateral batch; do : >"$CLUSTER_DIR/$side.ms"; done
for _ in $(seq "$ROUNDS"); do
	for side in lateral batch; do milliseconds "${!side}" >>"$CLUSTER_DIR/$side.ms"; done
done
printf '# 200 searches: %.0f ms by LATERAL, %.0f ms by pinecone_search_batch(); 20 by pinecone_search() one at a time: %.0f ms\n' \
	"$(median <"$CLUSTER_DIR/lateral.ms")" "$(median <"$CLUSTER_DIR/batch.ms")" "$(milliseconds "$single")"
report search_batch-against-lateral "$(median <"$CLUSTER_DIR/batch.ms")" "$(median <"$CLUSTER_DIR/lateral.ms")" 1.1 at-most
