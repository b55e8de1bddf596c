#!/usr/bin/env bash
#
# Joins with a service 50 ms away, side by side in one run: a LATERAL top-5
# search and a lookup by id for each of 1,000 rows, with read-ahead, without, and
# the same by the official TypeScript client with the same concurrency (if npm
# can install it).
#
# LATENCY (ms), ROWS, RECORDS and DIMENSION size it, ROUNDS (default 5) says how
# often each is measured, but for what takes ROWS round trips; the figures are
# medians.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=test/cluster.sh
source test/cluster.sh
# shellcheck source=test/bench/lib/bench.sh
source test/bench/lib/bench.sh
LATENCY=${LATENCY:-50}
ROWS=${ROWS:-1000}
RECORDS=${RECORDS:-5000}
DIMENSION=${DIMENSION:-256}
ROUNDS=${ROUNDS:-5}
CONCURRENCY=32

make -s -C test/server
cluster_begin
cluster_postgres "max_parallel_workers_per_gather = 0"
awk -v n="$RECORDS" -v d="$DIMENSION" 'BEGIN {
	srand(1)
	for (i = 0; i < n; i++) {
		printf "{\"index\":\"joins\",\"namespace\":\"\",\"id\":\"r%d\",\"values\":[", i
		for (j = 0; j < d; j++) printf "%s%.5f", j ? "," : "", rand() * 2 - 1
		printf "],\"metadata\":{\"title\":\"title %d\"}}\n", i
	}
}' >"$CLUSTER_DIR/records.jsonl"
chmod 644 "$CLUSTER_DIR/records.jsonl"
cluster_pinecone --index "joins:$DIMENSION:cosine" --load "$CLUSTER_DIR/records.jsonl" --latency "$LATENCY"
rm "$CLUSTER_DIR/records.jsonl"
host=$(index_host joins)

# The rows, for SQL and for the client
awk -v n="$ROWS" -v d="$DIMENSION" -v m="$RECORDS" 'BEGIN {
	srand(2)
	for (i = 0; i < n; i++) {
		printf "r%d\t{", (i * 7919) % m
		for (j = 0; j < d; j++) printf "%s%.5f", j ? "," : "", rand() * 2 - 1
		print "}"
	}
}' >"$CLUSTER_DIR/rows.tsv"
psql -qX <<END
CREATE EXTENSION pinecone_fdw;
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', max_concurrency '$CONCURRENCY');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key '$PINECONE_LOCAL_KEY');
CREATE FOREIGN TABLE f (id text COLLATE "C", embedding real[], title text) SERVER s;
CREATE TABLE o (fid text, v real[]);
\copy o FROM '$CLUSTER_DIR/rows.tsv'
ANALYZE o;
END
search='SELECT count(m.id) FROM o, LATERAL (SELECT id, embedding <=> o.v AS d FROM f ORDER BY embedding <=> o.v LIMIT 5) m'
lookup='SELECT count(f.title) FROM o JOIN f ON f.id = o.fid'

run() { # on|off QUERY: its milliseconds
	milliseconds "$2" -c "SET pinecone_fdw.enable_read_ahead = $1" -c "SELECT title FROM f WHERE id = 'r1'"
}

requests() { # QUERY
	psql -qXAt -c "EXPLAIN (ANALYZE, COSTS OFF) $1" | sed -n 's/^ *Requests: //p' | head -n 1
}

module=$(official_client) || module=
for kind in search lookup; do
	query=${!kind}
	: >"$CLUSTER_DIR/on"
	: >"$CLUSTER_DIR/client"
	for _ in $(seq "$ROUNDS"); do
		run on "$query" >>"$CLUSTER_DIR/on"
		[ -z "$module" ] || node test/bench/joins.mjs "$module" "$host" "$PINECONE_LOCAL_KEY" \
			"$CLUSTER_DIR/rows.tsv" "$kind" "$CONCURRENCY" >>"$CLUSTER_DIR/client"
	done
	on=$(median <"$CLUSTER_DIR/on")
	off=$(run off "$query")
	n=$(requests "$query")
	printf '%s, %d rows, %d ms away: %.0f ms in %d requests, %.0f ms without read-ahead\n' "$kind" "$ROWS" "$LATENCY" "$on" "$n" "$off"
	if [ "$kind" = search ]; then
		report join_search_off_per_on "$off" "$on" 15 at-least
	else
		report join_lookup_off_per_on "$off" "$on" 15 at-least
		report join_lookup_requests "$n" 1 12 at-most
	fi
	if [ -n "$module" ]; then
		client=$(median <"$CLUSTER_DIR/client")
		printf '%s by the official client: %.0f ms\n' "$kind" "$client"
		report "join_${kind}_per_client" "$on" "$client" 1.2 at-most
	fi
done
