#!/bin/bash
# Answers from memory (option cache_ttl): how many requests a dashboard costs, and
# how long an answer takes.  Prints "bench NAME ratio R target T met|missed".
#
# The dashboard: 20 statements, refreshed every 5 s by 10 sessions for SECONDS
# (default 60), against the same statements without a cache.  The time: of a
# search of 10 neighbours of 1,000 records at DIMENSION (default 256), answered
# from memory, against the same one at 20 ms latency, and against the same 10 rows
# out of a local table that holds no others; ROUNDS (default 300) in one session,
# turn and turn about, planned each time.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
# shellcheck source=test/cluster.sh
source test/cluster.sh
# shellcheck source=test/bench/lib/bench.sh
source test/bench/lib/bench.sh
DIMENSION=${DIMENSION:-256}
ROUNDS=${ROUNDS:-300}
SECONDS_LONG=${SECONDS_LONG:-60}

cluster_begin
cluster_postgres "shared_preload_libraries = 'pinecone_fdw'" "jit = off"
cluster_pinecone --index "kept:$DIMENSION:cosine"
host=$(index_host kept)

psql -X -q -v ON_ERROR_STOP=1 >/dev/null <<SQL
CREATE EXTENSION pinecone_fdw;
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', rate_limits 'off');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key '$PINECONE_LOCAL_KEY');
CREATE FOREIGN TABLE asked (id text, embedding real[], title text, genre text, year int) SERVER s;
CREATE FOREIGN TABLE kept (id text, embedding real[], title text, genre text, year int) SERVER s OPTIONS (cache_ttl '30s');
SELECT setseed(0.5);
INSERT INTO asked SELECT 'm' || i, (SELECT array_agg(random() + 0 * (i + d)) FROM generate_series(1, $DIMENSION) d)::real[],
	'the title of film number ' || i, 'g' || i % 8, 1950 + i % 70 FROM generate_series(1, 1000) i;
CREATE TABLE query AS SELECT (SELECT array_agg(round((random() + 0 * (n + d))::numeric, 4)) FROM generate_series(1, $DIMENSION) d)::real[]::text AS v, n
FROM generate_series(1, 10) n;
CREATE TABLE loc AS SELECT id, embedding, title, genre, year FROM asked ORDER BY embedding <=> (SELECT v::real[] FROM query WHERE n = 1) LIMIT 10;
CREATE INDEX ON loc (id);
ANALYZE loc;
SELECT pg_sleep(11);
SQL

# ---- A dashboard ----

statements() { # TABLE
	local n
	for ((n = 1; n <= 10; n++)); do
		echo "SELECT id, title FROM $1 ORDER BY embedding <=> '$(psql -XAtqc "SELECT v FROM query WHERE n = $n")' LIMIT $((n + 2));"
	done
	for n in 1 2 3; do
		echo "SELECT count(*) FROM $1 WHERE genre = 'g$n';"
		echo "SELECT title, year FROM $1 WHERE id IN ('m$n', 'm1$n', 'm2$n');"
		echo "SELECT id, year FROM $1 WHERE genre = 'g$n' AND year = 196$n;"
	done
	echo "SELECT count(*) FROM $1;"
}

requests() {
	curl -sS "$host/_local/requests" | grep -o '"path":' | wc -l
}

clear_requests() {
	curl -sS -X DELETE "$host/_local/requests" >/dev/null
}

statements kept >"$CLUSTER_DIR/kept.sql"
statements asked >"$CLUSTER_DIR/asked.sql"
[ "$(wc -l <"$CLUSTER_DIR/kept.sql")" = 20 ]
rounds=$((SECONDS_LONG / 5))

clear_requests
for ((session = 0; session < 10; session++)); do
	for ((round = 0; round < rounds; round++)); do cat "$CLUSTER_DIR/asked.sql"; done | psql -XAtq -o /dev/null
done
without=$(requests)
clear_requests
for ((session = 0; session < 10; session++)); do
	for ((round = 0; round < rounds; round++)); do
		cat "$CLUSTER_DIR/kept.sql"
		sleep 5
	done | psql -XAtq -o "$CLUSTER_DIR/kept.$session" &
done
wait
with=$(requests)
printf '# %s requests without, %s with\n' "$without" "$with"
report cache-dashboard-requests "$with" "$without" 0.05 at-most
psql -XAtq -f "$CLUSTER_DIR/asked.sql" -o "$CLUSTER_DIR/asked.out"
for ((round = 0; round < rounds; round++)); do cat "$CLUSTER_DIR/asked.out"; done | cmp - "$CLUSTER_DIR/kept.3"

# ---- An answer ----

curl -sS -X POST "$host/_local/settings" -d '{"latency": 20}' >/dev/null
psql -XAtq -v ON_ERROR_STOP=1 >"$CLUSTER_DIR/times" <<SQL
ALTER FOREIGN TABLE kept OPTIONS (SET cache_ttl '1h');
CREATE FUNCTION took(statement text) RETURNS float8 LANGUAGE plpgsql AS \$\$
DECLARE
	began timestamptz := clock_timestamp();
	one record;
BEGIN
	FOR one IN EXECUTE statement LOOP
	END LOOP;
	RETURN extract(epoch FROM clock_timestamp() - began) * 1000;
END\$\$;
CREATE TEMP TABLE texts AS SELECT t, format('SELECT id, title, genre, year FROM %I ORDER BY embedding <=> %L LIMIT 10', t, v) AS search,
	format('SELECT id, title, genre, year FROM %I WHERE id = ANY (%L) ORDER BY id', t, (SELECT array_agg(id) FROM loc)) AS lookup
FROM query, unnest(ARRAY['kept', 'loc', 'asked']) t WHERE n = 1;
CREATE TEMP TABLE times (t text, what text, ms float8);
INSERT INTO times SELECT t, 'warm', took(search) + took(lookup) FROM texts;
DO \$\$ BEGIN
	FOR i IN 1 .. $ROUNDS LOOP
		INSERT INTO times SELECT t, 'search', took(search) FROM texts WHERE t <> 'asked' OR i % 10 = 0;
		INSERT INTO times SELECT t, 'lookup', took(lookup) FROM texts WHERE t <> 'asked' OR i % 10 = 0;
	END LOOP;
END \$\$;
SELECT what, max(m) FILTER (WHERE t = 'kept'), max(m) FILTER (WHERE t = 'asked'), max(m) FILTER (WHERE t = 'loc')
FROM (SELECT t, what, percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS m FROM times WHERE what <> 'warm' GROUP BY t, what) s GROUP BY what ORDER BY what;
SQL
while IFS='|' read -r what kept asked loc; do
	printf '# %s: from memory %.3f ms, from the service %.3f ms, from a local table %.3f ms\n' "$what" "$kept" "$asked" "$loc"
	report "cache-hit-against-service-$what" "$asked" "$kept" 100 at-least
	report "cache-hit-against-local-$what" "$kept" "$loc" 2 at-most
done <"$CLUSTER_DIR/times"
