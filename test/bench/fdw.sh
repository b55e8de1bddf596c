#!/usr/bin/env bash
#
# The foreign data wrapper against bare libcurl, side by side in one run:
#
#	query	ORDER BY embedding <=> $1 LIMIT 10, prepared, ids and distances: in the
#			namespace, and in one of 50 records, where the search itself is nothing
#	scan	SELECT of every vector, decoded into tuples, against downloading the
#			same replies and decoding nothing
#
# and the same two against the official TypeScript client, if npm can install it.
#
# RECORDS and DIMENSION (default 100000 x 768) size the namespace, ROUNDS
# (default 5) how often each is measured; the figures are medians.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=test/cluster.sh
source test/cluster.sh
# shellcheck source=test/bench/lib/bench.sh
source test/bench/lib/bench.sh
RECORDS=${RECORDS:-100000}
DIMENSION=${DIMENSION:-768}
ROUNDS=${ROUNDS:-5}

cluster_begin
cluster_postgres "shared_buffers = 256MB" "max_parallel_workers_per_gather = 0"
cc -O2 -o "$CLUSTER_DIR/bare" test/bench/bare.c -lcurl
chmod 755 "$CLUSTER_DIR/bare"
awk -v n="$RECORDS" -v d="$DIMENSION" 'BEGIN {
	srand(1)
	for (i = 0; i < 4096; i++) pool[i] = sprintf("%.7f", rand() * 2 - 1)
	for (i = 0; i < n; i++) {
		printf "{\"index\":\"bench\",\"namespace\":\"\",\"id\":\"r%07d\",\"values\":[", i
		at = int(rand() * 4096)
		line = pool[at]
		for (j = 1; j < d; j++) line = line "," pool[(at + j * 7 + i) % 4096]
		print line "],\"metadata\":{\"n\":" i "}}"
	}
}' >"$CLUSTER_DIR/records.jsonl"
chmod 644 "$CLUSTER_DIR/records.jsonl"
cluster_pinecone --index "bench:$DIMENSION:cosine" --load "$CLUSTER_DIR/records.jsonl"
rm "$CLUSTER_DIR/records.jsonl"
host=$(index_host bench)

psql -qX <<END
CREATE EXTENSION pinecone_fdw;
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key '$PINECONE_LOCAL_KEY');
CREATE FOREIGN TABLE bench (id text, embedding real[]) SERVER s;
CREATE FOREIGN TABLE small (id text, embedding real[]) SERVER s OPTIONS (namespace 'small');
END
awk -v d="$DIMENSION" 'BEGIN {
	srand(2)
	printf "{\"namespace\":\"small\",\"vectors\":["
	for (i = 0; i < 50; i++) {
		printf "%s{\"id\":\"s%d\",\"values\":[", i ? "," : "", i
		for (j = 0; j < d; j++) printf "%s%.6f", j ? "," : "", rand()
		printf "]}"
	}
	printf "]}"
}' >"$CLUSTER_DIR/upsert.json"
curl -sf -o /dev/null -H "Api-Key: $PINECONE_LOCAL_KEY" "$host/vectors/upsert" --data-binary "@$CLUSTER_DIR/upsert.json"
vector=$(awk -v d="$DIMENSION" 'BEGIN { srand(3); for (j = 0; j < d; j++) printf "%s%.6f", j ? "," : "", rand() }')

# queries: the server-side time of each of N executions of a prepared statement
measure_queries() { # TABLE NAMESPACE N NAME: medians in sql_us and bare_us, and the line that sums up
	printf '{"namespace":"%s","topK":10,"includeValues":false,"includeMetadata":false,"vector":[%s]}' "$2" "$vector" >"$CLUSTER_DIR/query.json"
	cat >"$CLUSTER_DIR/query.sql" <<END
SET plan_cache_mode = force_generic_plan;
CREATE TEMP TABLE times (us float8);
DO \$\$
DECLARE t timestamptz; us float8[]; v real[] := '{$vector}';
BEGIN
  FOR i IN 1..$3 LOOP
    t := clock_timestamp();
    PERFORM id, embedding <=> v FROM $1 ORDER BY embedding <=> v LIMIT 10;
    us[i] := extract(epoch FROM clock_timestamp() - t) * 1e6;
  END LOOP;
  INSERT INTO times SELECT unnest(us);
END \$\$;
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY us) FROM times;
END
	: >"$CLUSTER_DIR/sql.us"
	: >"$CLUSTER_DIR/bare.us"
	for _ in $(seq "$ROUNDS"); do
		"$CLUSTER_DIR/bare" query "$host/query" "$PINECONE_LOCAL_KEY" "$CLUSTER_DIR/query.json" "$3" >>"$CLUSTER_DIR/bare.us"
		psql -qXAt -f "$CLUSTER_DIR/query.sql" >>"$CLUSTER_DIR/sql.us"
	done
	sql_us=$(median <"$CLUSTER_DIR/sql.us")
	bare_us=$(median <"$CLUSTER_DIR/bare.us")
	printf '%s: %s us through SQL, %s us bare (p50, %d dimensions)\n' "$4" "$sql_us" "$bare_us" "$DIMENSION"
	report "$4_p50_sql_per_bare" "$sql_us" "$bare_us" 1.15 at-most
}
echo "queries: bare libcurl sends a body that is ready, SQL prints the vector and forms rows each time"
measure_queries bench '' 200 query
measure_queries small small 2000 query_small

# the scan: the fetches it sends, replayed by bare libcurl
awk -v n="$RECORDS" -v d="$DIMENSION" 'BEGIN {
	per = int(3145728 / (d * 13 + 500)); per = per > 100 ? 100 : per
	for (i = 0; i < n; i += per) {
		line = "/vectors/fetch?"
		for (j = i; j < i + per && j < n; j++) line = line (j > i ? "&" : "") sprintf("ids=r%07d", j)
		print line
	}
}' >"$CLUSTER_DIR/paths"
: >"$CLUSTER_DIR/sql.s"
: >"$CLUSTER_DIR/bare.s"
for _ in $(seq "$ROUNDS"); do
	"$CLUSTER_DIR/bare" get "$host" "$PINECONE_LOCAL_KEY" "$CLUSTER_DIR/paths" 16 >"$CLUSTER_DIR/bare.out"
	cut -d ' ' -f 1 "$CLUSTER_DIR/bare.out" >>"$CLUSTER_DIR/bare.s"
	milliseconds 'SELECT count(embedding) FROM bench' >>"$CLUSTER_DIR/sql.s"
done
sql=$(median <"$CLUSTER_DIR/sql.s")
bare=$(median <"$CLUSTER_DIR/bare.s")
bytes=$(cut -d ' ' -f 2 "$CLUSTER_DIR/bare.out")
awk -v s="$sql" -v b="$bare" -v n="$bytes" 'BEGIN {
	printf "scan: %.2f s through SQL (%.0f MB/s), %.2f s bare (%.0f MB/s)\n", s / 1000, n / s / 1000, b, n / b / 1e6 }'
report scan_bare_time_per_sql_time "$(awk -v b="$bare" 'BEGIN {print b * 1000}')" "$sql" 0.5 at-least
psql -qXAt -c 'EXPLAIN (ANALYZE, VERBOSE, COSTS OFF) SELECT count(embedding) FROM bench' | awk '
	/Requests:/ {requests = $2}
	/Network Wait Time:/ {wait = $4}
	/Transfer Time:/ {transfer = $3}
	/Decode Time:/ {decode = $3}
	/Row Time:/ {rows = $3}
	/Execution Time:/ {all = $3}
	END {
		printf "scan split: %d requests; %.0f ms waiting, %.0f sending and receiving, %.0f decoding, %.0f forming tuples, %.0f the rest\n",
			requests, wait, transfer, decode, rows, all - wait - transfer - decode - rows
	}'

# the official client
module=$(official_client) || exit 0
node test/bench/client.mjs "$module" "$host" "$PINECONE_LOCAL_KEY" "$CLUSTER_DIR/query.json" 1000 16 >"$CLUSTER_DIR/client"
printf 'client: query %s us, scan %s s\n' "$(cut -d ' ' -f 1 "$CLUSTER_DIR/client")" "$(cut -d ' ' -f 2 "$CLUSTER_DIR/client")"
report query_client_time_per_sql_time "$(cut -d ' ' -f 1 "$CLUSTER_DIR/client")" "$sql_us" 1 at-least
report scan_client_time_per_sql_time "$(awk '{print $2 * 1000}' "$CLUSTER_DIR/client")" "$sql" 5 at-least
