#!/usr/bin/env bash
#
# The outbox: how fast it delivers, how far it lags, what its worker needs, and how
# large its table gets.  Mirrors: what writers pay, how fast they are delivered, and
# how far they lag.
#
#	mirror	COPY of MIRRORED x DIMENSION into a table that is mirrored against one that is
#			not, and INSERTs of single rows, each a transaction; pinecone_mirror_deliver()
#			against COPY of the same under write_mode 'immediate', from text and from binary;
#			memory and lag of the worker, as below
#	rate	pinecone_deliver() of RECORDS x DIMENSION that wait, against COPY of the same
#			file under write_mode 'immediate', from text and from binary; without latency
#			and with 50 ms
#	lag		500 rows a second, committed 10 at a time, with 50 ms of latency: the age of the
#			oldest row that waits, looked at every 20 ms, as round trips
#	memory	anonymous memory of the worker, at most, while it delivers RECORDS x DIMENSION
#	bloat	MILLION records of 8 dimensions through the queue, while the worker delivers: how
#			large the table has been at most and is afterwards, against the rows that have
#			waited at most and 20,000 more
#
# RECORDS and DIMENSION (default 20000 x 768), MIRRORED (100000), MILLION (default 1000000), SECONDS_OF_LAG (20).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=test/cluster.sh
source test/cluster.sh
# shellcheck source=test/bench/lib/bench.sh
source test/bench/lib/bench.sh
RECORDS=${RECORDS:-20000}
DIMENSION=${DIMENSION:-768}
MIRRORED=${MIRRORED:-100000}
MILLION=${MILLION:-1000000}
SECONDS_OF_LAG=${SECONDS_OF_LAG:-20}

run() {
	psql -qXAt -v ON_ERROR_STOP=1 "$@"
}

setting() {
	curl -sS -o /dev/null -X POST -H "Api-Key: $PINECONE_LOCAL_KEY" "$PINECONE_LOCAL_URL/_local/settings" -d "$1"
}

workers() {
	run -c "ALTER SYSTEM SET pinecone_fdw.outbox_workers = $1" -c 'SELECT pg_reload_conf()' >/dev/null
	[ "$1" != 0 ] || while [ -n "$(worker)" ]; do sleep 0.1; done
}

worker() {
	run -c "SELECT pid FROM pg_stat_activity WHERE backend_type = 'pinecone_fdw outbox worker' AND datname = 'postgres'"
}

wait_until_empty() {
	while [ "$(run -c 'SELECT EXISTS (SELECT FROM pinecone_outbox)')" = t ]; do sleep 0.2; done
}

cluster_begin
cluster_postgres "shared_preload_libraries = 'pinecone_fdw'" "shared_buffers = 256MB" "max_wal_size = 4GB" \
	"pinecone_fdw.outbox_workers = 0" "autovacuum_naptime = 5s"
cluster_pinecone --index "bench:$DIMENSION:cosine" --index small:8:cosine --log-size 0

run <<-END
	CREATE EXTENSION pinecone_fdw;
	CREATE SERVER bench FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$(index_host bench)');
	CREATE SERVER small FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$(index_host small)');
	CREATE USER MAPPING FOR CURRENT_USER SERVER bench OPTIONS (api_key '$PINECONE_LOCAL_KEY');
	CREATE USER MAPPING FOR CURRENT_USER SERVER small OPTIONS (api_key '$PINECONE_LOCAL_KEY');
	CREATE FOREIGN TABLE immediate (id text, n int, embedding real[]) SERVER bench OPTIONS (write_mode 'immediate');
	CREATE FOREIGN TABLE queued (id text, n int, embedding real[]) SERVER bench OPTIONS (write_mode 'outbox');
	CREATE FOREIGN TABLE small (id text, n int, embedding real[]) SERVER small OPTIONS (write_mode 'outbox');
	CREATE UNLOGGED TABLE local AS SELECT 'r' || i AS id, i AS n,
		(SELECT array_agg((random() * 2 - 1)::real) FROM generate_series(1, $DIMENSION) WHERE i > 0) AS embedding
	FROM generate_series(1, $RECORDS) i;
	COPY local TO '$CLUSTER_DIR/text';
	COPY local TO '$CLUSTER_DIR/binary' (FORMAT binary);
END

# ---- Rate ----

run -c "COPY immediate FROM '$CLUSTER_DIR/text'"
for latency in 0 50; do
	setting "{\"latency\": $latency}"
	text=$(milliseconds "COPY immediate FROM '$CLUSTER_DIR/text'")
	binary=$(milliseconds "COPY immediate FROM '$CLUSTER_DIR/binary' (FORMAT binary)")
	queueing=$(milliseconds "COPY queued FROM '$CLUSTER_DIR/binary' (FORMAT binary)")
	delivery=$(milliseconds 'SELECT * FROM pinecone_deliver()')
	while [ "$(run -c 'SELECT EXISTS (SELECT FROM pinecone_outbox)')" = t ]; do
		delivery=$(awk "BEGIN {print $delivery + $(milliseconds 'SELECT * FROM pinecone_deliver()')}")
	done
	printf '%s x %s, %s ms of latency: COPY immediate %.0f ms from text, %.0f from binary; queueing %.0f, delivery %.0f (%.0f records/s)\n' \
		"$RECORDS" "$DIMENSION" "$latency" "$text" "$binary" "$queueing" "$delivery" \
		"$(awk "BEGIN {print $RECORDS / $delivery * 1000}")"
	report "keep_delivery_per_copy_text_${latency}ms" "$text" "$delivery" 0.8 at-least
	report "keep_delivery_per_copy_binary_${latency}ms" "$binary" "$delivery" 0.8 at-least
done
setting '{"latency": 0}'

# ---- Mirrors ----

run <<-END
	CREATE TABLE plain (id text PRIMARY KEY, n int, embedding real[]);
	CREATE TABLE mirrored (id text PRIMARY KEY, n int, embedding real[]);
	CREATE FOREIGN TABLE of_mirrored (id text, n int, embedding real[]) SERVER bench OPTIONS (namespace 'mirrored');
	CREATE FOREIGN TABLE of_copied (id text, n int, embedding real[]) SERVER bench OPTIONS (namespace 'mirrored', write_mode 'immediate');
	SELECT pinecone_mirror('mirrored', 'of_mirrored');
	COPY (SELECT 'r' || i, i, embedding FROM generate_series(1, $MIRRORED) i JOIN local ON local.n = 1 + i % $RECORDS) TO '$CLUSTER_DIR/many' (FORMAT binary);
	COPY (SELECT 'r' || i, i, embedding FROM generate_series(1, $MIRRORED) i JOIN local ON local.n = 1 + i % $RECORDS) TO '$CLUSTER_DIR/many_text';
	SELECT format('INSERT INTO :table VALUES (%L, 1, %L);', 's' || i, embedding) FROM generate_series(1, 2000) i JOIN local ON local.n = i \g $CLUSTER_DIR/singles
END
for _ in 1 2 3; do
	for table in plain mirrored; do
		run -c "TRUNCATE $table" -c CHECKPOINT
		milliseconds "COPY $table FROM '$CLUSTER_DIR/many' (FORMAT binary)" >>"$CLUSTER_DIR/copy_$table"
	done
done
for _ in 1 2 3 4 5; do
	for table in plain mirrored; do
		run -c "DELETE FROM $table WHERE id LIKE 's%'" -c CHECKPOINT
		start=$(date +%s%N)
		run -v "table=$table" -f "$CLUSTER_DIR/singles"
		echo $((($(date +%s%N) - start) / 1000000)) >>"$CLUSTER_DIR/single_$table"
	done
done
printf 'COPY of %s x %s: %.0f ms, mirrored %.0f ms; 2000 INSERTs: %.0f ms, mirrored %.0f ms\n' "$MIRRORED" "$DIMENSION" \
	"$(median <"$CLUSTER_DIR/copy_plain")" "$(median <"$CLUSTER_DIR/copy_mirrored")" \
	"$(median <"$CLUSTER_DIR/single_plain")" "$(median <"$CLUSTER_DIR/single_mirrored")"
report keep_mirror_copy "$(median <"$CLUSTER_DIR/copy_mirrored")" "$(median <"$CLUSTER_DIR/copy_plain")" 1.3 at-most
report keep_mirror_single_rows "$(median <"$CLUSTER_DIR/single_mirrored")" "$(median <"$CLUSTER_DIR/single_plain")" 1.5 at-most

run -c "CALL pinecone_mirror_deliver('of_mirrored')" >/dev/null
for latency in 0 50; do
	setting "{\"latency\": $latency}"
	run -c 'UPDATE mirrored SET n = n + 1'
	delivery=$(milliseconds "CALL pinecone_mirror_deliver('of_mirrored')")
	text=$(milliseconds "COPY of_copied FROM '$CLUSTER_DIR/many_text'")
	binary=$(milliseconds "COPY of_copied FROM '$CLUSTER_DIR/many' (FORMAT binary)")
	printf '%s x %s, %s ms of latency: COPY immediate %.0f ms from text, %.0f from binary; delivery of the mirror %.0f\n' \
		"$MIRRORED" "$DIMENSION" "$latency" "$text" "$binary" "$delivery"
	report "keep_mirror_delivery_per_copy_text_${latency}ms" "$text" "$delivery" 0.8 at-least
	report "keep_mirror_delivery_per_copy_binary_${latency}ms" "$binary" "$delivery" 0.8 at-least
done
setting '{"latency": 0}'

run -c 'UPDATE mirrored SET n = n + 1'
workers 1
run -c "UPDATE mirrored SET n = n + 1 WHERE id = 'r1'"
most=0
while [ "$(run -c 'SELECT waiting > 0 FROM pinecone_mirror_status')" = t ]; do
	pid=$(worker)
	now=$(awk '/^RssAnon/ {print $2}' "/proc/${pid:-none}/status" 2>/dev/null) || now=0
	[ "${now:-0}" -le "$most" ] || most=$now
	sleep 0.05
done
printf 'worker, delivering the mirror: %s kB of its own at most\n' "$most"
report keep_mirror_worker_memory "$most" $((64 * 1024)) 1 at-most

setting '{"latency": 50}'
end=$(($(date +%s) + SECONDS_OF_LAG))
while [ "$(date +%s)" -lt "$end" ]; do
	echo "UPDATE mirrored SET n = n + 1 WHERE id IN (SELECT 'r' || (1 + floor(random() * $MIRRORED))::int FROM generate_series(1, 10));"
	sleep 0.02
done | run >/dev/null &
writer=$!
while [ "$(date +%s)" -lt "$end" ]; do
	echo "SELECT coalesce(extract(epoch FROM oldest_wait) * 1000, 0) FROM pinecone_mirror_status;"
	sleep 0.02
done | run >"$CLUSTER_DIR/ages"
wait "$writer"
p99=$(sort -n "$CLUSTER_DIR/ages" | awk '{v[NR] = $1} END {n = int(NR * 0.99); print v[n < 1 ? 1 : n]}')
printf 'lag of the mirror: oldest change %.0f ms (median), %.0f ms (99 %%)\n' "$(median <"$CLUSTER_DIR/ages")" "$p99"
report keep_mirror_lag_round_trips "$p99" 50 40 at-most
while [ "$(run -c 'SELECT waiting > 0 FROM pinecone_mirror_status')" = t ]; do sleep 0.2; done
run -c "SELECT pinecone_unmirror('of_mirrored')" -c 'DROP TABLE plain, mirrored' >/dev/null
setting '{"latency": 0}'
workers 0

# ---- Memory ----

run -c "COPY queued FROM '$CLUSTER_DIR/binary' (FORMAT binary)"
workers 1
most=0
while [ "$(run -c 'SELECT EXISTS (SELECT FROM pinecone_outbox)')" = t ]; do
	pid=$(worker)
	now=$(awk '/^RssAnon/ {print $2}' "/proc/${pid:-none}/status" 2>/dev/null) || now=0
	[ "${now:-0}" -le "$most" ] || most=$now
	sleep 0.05
done
printf 'worker: %s kB of its own at most\n' "$most"
report keep_worker_memory "$most" $((64 * 1024)) 1 at-most

# ---- Lag ----

setting '{"latency": 50}'
run -c "INSERT INTO small SELECT 'warm', 1, '{1,1,1,1,1,1,1,1}'"
wait_until_empty
end=$(($(date +%s) + SECONDS_OF_LAG))
(
	at=0
	began=$(date +%s%3N)
	while [ "$(date +%s)" -lt "$end" ]; do
		while [ $((at * 2)) -lt $(($(date +%s%3N) - began)) ]; do
			echo "INSERT INTO small SELECT 'l' || $at + i, i, ARRAY[i,1,1,1,1,1,1,1] FROM generate_series(1, 10) i;"
			at=$((at + 10))
		done
		sleep 0.01
	done | run >/dev/null
) &
writer=$!
while [ "$(date +%s)" -lt "$end" ]; do
	echo "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(queued_at)) * 1000, 0) FROM pinecone_outbox;"
	sleep 0.02
done | run >"$CLUSTER_DIR/ages"
wait "$writer"
p99=$(sort -n "$CLUSTER_DIR/ages" | awk '{v[NR] = $1} END {n = int(NR * 0.99); print v[n < 1 ? 1 : n]}')
p50=$(median <"$CLUSTER_DIR/ages")
wait_until_empty
printf 'lag at %.0f rows/s and 50 ms: oldest row %.0f ms (median), %.0f ms (99 %%)\n' \
	"$(awk "BEGIN {print $(run -c "SELECT sum(delivered) FROM pinecone_outbox_state WHERE server = 'small'") / $SECONDS_OF_LAG}")" "$p50" "$p99"
report keep_lag_round_trips "$p99" 50 40 at-most
setting '{"latency": 0}'

# ---- Bloat ----

# a row and its index entry take about 200 bytes; 20,000 that are gone are left to the worker
run -c 'VACUUM pinecone_outbox'
size() {
	run -c "SELECT pg_total_relation_size('pinecone_outbox')"
}
step=1000
for ((at = 0; at < MILLION; at += step)); do
	echo "INSERT INTO small SELECT 'm' || $at + i, i, ARRAY[i,1,1,1,1,1,1,1] FROM generate_series(1, $step) i;"
	[ $((at / step % 20)) != 0 ] || echo "SELECT pg_total_relation_size('pinecone_outbox'), count(*) FROM pinecone_outbox;"
done | run >"$CLUSTER_DIR/sizes"
wait_until_empty
most=$(cut -d '|' -f 1 "$CLUSTER_DIR/sizes" | sort -n | tail -n 1)
deepest=$(cut -d '|' -f 2 "$CLUSTER_DIR/sizes" | sort -n | tail -n 1)
sleep 12
printf '%s records through the queue: at most %s rows waited, the table had at most %s kB, and %s kB afterwards\n' \
	"$MILLION" "$deepest" $((most / 1024)) $(($(size) / 1024))
report keep_table_per_rows "$most" $(((deepest + 20000) * 200)) 3 at-most
