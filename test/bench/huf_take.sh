#!/bin/bash
# Speed and memory of a run of the snapshot pack (huf_take) over 1,000
# namespaces x 10,000 hits, against stddev_pop(score) GROUP BY namespace on the
# same rows.  Prints "bench NAME ratio R target T met|missed".
#
# NAMESPACES and HITS size the table, RUNS (default 3) how often each side is
# measured; the figures are medians.  The first run of a series also chooses the
# bins of its histograms, so the second is measured as well.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=test/cluster.sh
source test/cluster.sh
# shellcheck source=test/bench/lib/bench.sh
source test/bench/lib/bench.sh
NAMESPACES=${NAMESPACES:-1000}
HITS=${HITS:-10000}
RUNS=${RUNS:-3}

cluster_begin
cluster_postgres "shared_buffers = $((NAMESPACES * HITS * 90 / 1000000 + 64))MB" "max_wal_size = 8GB" "max_parallel_workers_per_gather = 0" "jit = off" "autovacuum = off" \
	"shared_preload_libraries = 'pinecone_fdw'"
psql -X -q -v ON_ERROR_STOP=1 >/dev/null <<SQL
CREATE EXTENSION pinecone_fdw;
SELECT huf_install();
SELECT setseed(0.5);
CREATE UNLOGGED TABLE hits AS SELECT 'namespace-' || i % $NAMESPACES AS namespace, random() * 1.1 - 0.1 AS score, timestamptz '2026-01-01' + random() * interval '30 days' AS last_update
FROM generate_series(1, $NAMESPACES * $HITS) i;
VACUUM ANALYZE hits;
SELECT count(*) FROM hits;
SQL

stddev="SELECT count(a) FROM (SELECT namespace, stddev_pop(score) AS a FROM hits GROUP BY namespace) s"
take() { # SERIES DAY
	echo "SELECT hits FROM huf.huf_take('hits', series => '$1', as_of => timestamptz '2026-02-01' + interval '$2 days')"
}
for ((i = 0; i < RUNS; i++)); do
	milliseconds "$stddev" >>"$CLUSTER_DIR/stddev.ms"
	milliseconds "$(take "s$i" 0)" >>"$CLUSTER_DIR/first.ms"
	milliseconds "$(take "s$i" 1)" >>"$CLUSTER_DIR/second.ms"
done
report huf_take-first-run "$(median <"$CLUSTER_DIR/first.ms")" "$(median <"$CLUSTER_DIR/stddev.ms")" 4 at-most
report huf_take "$(median <"$CLUSTER_DIR/second.ms")" "$(median <"$CLUSTER_DIR/stddev.ms")" 4 at-most

# memory: the peak of a backend that has taken a run, over one that has counted the rows
peak() {
	psql -XAtq -c "$1" -c "SELECT (regexp_match(pg_read_file('/proc/' || pg_backend_pid() || '/status'), 'RssAnon:\s*(\d+)'))[1]" | tail -n 1
}
printf '# private memory after counting %s kB, after a run %s kB\n' "$(peak "SELECT count(DISTINCT namespace) FROM hits WHERE score > 2")" "$(peak "$(take memory 0)")"
