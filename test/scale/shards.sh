#!/usr/bin/env bash
#
# An aggregate over three tables that are reached through postgres_fdw, on this
# machine: all rows brought here, against one state of each table.  Prints both
# times, and what comes over the wire.
#
#	ROWS		of each table (default 400000)
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=test/cluster.sh
source test/cluster.sh
# shellcheck source=test/bench/lib/bench.sh
source test/bench/lib/bench.sh
ROWS=${ROWS:-400000}

cluster_begin
cluster_postgres "max_parallel_workers_per_gather = 0" "jit = off"
psql -qX -v ON_ERROR_STOP=1 <<END
CREATE EXTENSION pinecone_fdw;
CREATE EXTENSION postgres_fdw;
CREATE SERVER node FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$PGHOST', port '$PGPORT', dbname '$PGDATABASE', extensions 'pinecone_fdw', fetch_size '10000');
CREATE USER MAPPING FOR CURRENT_USER SERVER node;
END
for i in 0 1 2; do
	psql -qX -v ON_ERROR_STOP=1 -c "CREATE TABLE part$i AS SELECT random() AS x FROM generate_series(1, $ROWS)" \
		-c "CREATE FOREIGN TABLE hits$i (x float8) SERVER node OPTIONS (table_name 'part$i')"
done
rows="SELECT huf_hhi(x) FROM (SELECT x FROM hits0 UNION ALL SELECT x FROM hits1 UNION ALL SELECT x FROM hits2) s"
states="SELECT huf_hhi(huf_moments_merge(m)) FROM (SELECT huf_moments(x) AS m FROM hits0 UNION ALL SELECT huf_moments(x) FROM hits1 UNION ALL SELECT huf_moments(x) FROM hits2) s"
for side in rows states; do
	: >"$CLUSTER_DIR/$side.ms"
done
for _ in 1 2 3; do
	for side in rows states; do milliseconds "${!side}" >>"$CLUSTER_DIR/$side.ms"; done
done
for side in rows states; do
	value=$([ "$side" = rows ] && echo 'sum(length(x::text))' || echo 'length(huf_moments(x)::text)')
	bytes=$(psql -qXAt -c "SELECT sum(b) FROM (SELECT $value AS b FROM part0 UNION ALL SELECT $value FROM part1 UNION ALL SELECT $value FROM part2) s")
	printf '%s: %.0f ms, %s bytes\n' "$side" "$(median <"$CLUSTER_DIR/$side.ms")" "$bytes"
done
psql -qXAt -c "SELECT 'the same result: ' || (abs(a - b) <= 1e-12 * b) FROM ($rows) x (a), ($states) y (b)"
