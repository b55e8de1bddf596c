#!/usr/bin/env bash
#
# docs/governance.md and docs/governance-functions.md on the demo's index: every
# statement of them, with live nearest neighbours from pinecone-local as hits and
# the index's embeddings as embeddings.  (The regression tests huf_governance and
# huf_governance_functions run the same statements on fixed hits and compare what
# they print.)  And thirty days of that index, with faults: test/huf.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=test/cluster.sh
source test/cluster.sh
# shellcheck source=test/demo/start.sh
source test/demo/start.sh
demo_start

# the tour's own connection and view of hits
part() {
	sed -n "/^-- ======== $1/,/^-- ======== [^$1]/p" test/demo/tour.sql
}
{
	part Connect
	part Govern
} >"$CLUSTER_DIR/tour.sql"
"${psql[@]}" -v "url=$PINECONE_LOCAL_URL" -v "key=$PINECONE_LOCAL_KEY" -f "$CLUSTER_DIR/tour.sql" >/dev/null

"${psql[@]}" <<'SQL'
-- the page has its own
DROP VIEW live_hits;
DROP TABLE question;
CREATE TABLE embedding_history AS
SELECT now()::date - 7 AS taken, 'functions' AS namespace, embedding FROM (SELECT embedding FROM functions ORDER BY id LIMIT 60) f
UNION ALL SELECT now()::date, 'functions', embedding FROM (SELECT embedding FROM functions ORDER BY id LIMIT 80) f
UNION ALL SELECT now()::date - 7, 'settings', embedding FROM (SELECT embedding FROM settings ORDER BY id LIMIT 60) s
UNION ALL SELECT now()::date, 'settings', embedding FROM (SELECT embedding FROM settings ORDER BY id LIMIT 60) s;
SQL

# the statements of a page, up to the mark of a week passing or from there on;
# and those for a live index of the first part
statements() {
	awk -v part="$1" '
		/^<!-- a week passes -->/ { past = 1 }
		/^```$/ { on = 0 }
		on && past == part
		/^```sql$/ || (/^```sql live$/ && !past) { on = 1 }' docs/governance-functions.md
}
statements 0 >"$CLUSTER_DIR/before.sql"
statements 1 >"$CLUSTER_DIR/after.sql"
"${psql[@]}" -f "$CLUSTER_DIR/before.sql" >"$CLUSTER_DIR/out"
# a week later somebody asks something else
"${psql[@]}" -c "UPDATE question SET embedding = toy_embed('memory for sorting')"
"${psql[@]}" -f "$CLUSTER_DIR/after.sql" >>"$CLUSTER_DIR/out"

failed=0
passed=0
check() {
	if [ "$("${psql[@]}" -At -c "SELECT $2")" = t ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "not so: $1"
	fi
}
check 'every statement of the page has run' "$(grep -c . "$CLUSTER_DIR/out") > 100"
check 'there are two snapshots of 30 hits' '(SELECT array_agg(n) FROM (SELECT count(*) AS n FROM snapshot GROUP BY taken) s) = ARRAY[30, 30]::bigint[]'
check 'shares add up to 1' '(SELECT bool_and(abs(l - 1) < 1e-12 AND abs(s - 1) < 1e-12) FROM (SELECT sum(linear) AS l, sum(softmax) AS s FROM namespace_share GROUP BY taken) s)'
check 'another question moved them, a little' '(SELECT count(*) = 1 AND bool_and(coherence BETWEEN 0.5 AND 0.9999999) FROM drift)'
check 'alerts know both snapshots' '(SELECT count(DISTINCT taken) = 2 AND count(*) = 11 FROM alert)'
check 'every hit is kept or logged' '(SELECT (SELECT count(*) FROM discard_log) + (SELECT count(*) FROM last_hits, huf_active_set(hits, 0.09, kind => $$softmax$$)) = 30)'
check 'sketches hold what the index does' '(SELECT array_agg(huf_sketch_count(sketch) ORDER BY namespace, taken) FROM namespace_sketch) = ARRAY[60, 80, 60, 60]::bigint[]'
check 'the same embeddings have not drifted' "(SELECT huf_centroid_cos_drift(a.sketch, b.sketch) < 1e-15 FROM namespace_sketch a, namespace_sketch b WHERE a.namespace = 'settings' AND b.namespace = 'settings' AND a.taken < b.taken)"

# the page of the snapshot pack, on two days
page() { # PART TIME
	awk -v kind=live -v "part=$1" -v "now=$2" -f test/docs/statements.awk docs/governance.md | "${psql[@]}" -f - >>"$CLUSTER_DIR/out"
}
page 0 'now()'
"${psql[@]}" -c "UPDATE asked SET embedding = toy_embed('memory for sorting')"
# the second part in one session, for its search_path
{
	echo 'SET search_path = public, huf;'
	awk -v kind=live -v part=1 -v "now=now() + interval '1 day'" -f test/docs/statements.awk docs/governance.md
} | "${psql[@]}" -f - >>"$CLUSTER_DIR/out"
check 'two runs of a hundred hits' "(SELECT array_agg(hits ORDER BY run) FROM huf.huf_run WHERE series = 'hits') = ARRAY[100, 100]::bigint[]"
check 'all records of the index were looked at' "(SELECT sum(records) = sum(huf_sketch_count(sketch)) AND sum(records) > 4000 FROM huf.huf_snapshot WHERE series = 'probe')"
check 'penalties are of requests that were made' "(SELECT count(*) = 2 * count(DISTINCT namespace) AND min(value) > 0 FROM huf.huf_penalty)"
check 'changes by name add up' "(SELECT abs(sum(tv_part) + value - 1) < 1e-12 FROM huf.huf_change_previous c JOIN huf.huf_measure m USING (series, run) WHERE series = 'hits' AND measure = 'coherence' GROUP BY value)"

# thirty days: each fault is found within a day, with at most one false alarm
createdb thirty
"${psql[@]}" -c "COPY (SELECT 'functions' AS namespace, id, embedding FROM functions UNION ALL SELECT 'operators', id, embedding FROM operators
	UNION ALL SELECT 'settings', id, embedding FROM settings UNION ALL SELECT 'types', id, embedding FROM types) TO STDOUT" >"$CLUSTER_DIR/records"
"${psql[@]}" -d thirty -c 'CREATE EXTENSION pinecone_fdw' -c 'SELECT huf_install()' -c 'CREATE TABLE record (namespace text, id text, embedding real[])' \
	-c '\copy record FROM '"'$CLUSTER_DIR/records'" >/dev/null
SECONDS=0
PGOPTIONS="-c thirty_days.faults={stale,poisoned,deleted,doubled,swapped}" "${psql[@]}" -d thirty -v seed=0.5 -f test/huf/thirty_days.sql
"${psql[@]}" -d thirty -f test/huf/thirty_days_table.sql >"$CLUSTER_DIR/thirty_days"
export PGDATABASE=thirty
check 'each fault is found within a day' "(SELECT count(DISTINCT series) FROM huf.huf_alert WHERE run BETWEEN '2026-01-22' AND '2026-01-23'
	AND namespaces && (CASE series WHEN 'stale' THEN '{settings}' WHEN 'poisoned' THEN '{types}' WHEN 'swapped' THEN '{functions}' WHEN 'none' THEN '{}' ELSE '{operators}' END)::text[]) = 5"
check 'and the namespace that vanished is named' "EXISTS (SELECT FROM huf.huf_alert WHERE series = 'deleted' AND measure = 'vanished' AND namespaces = '{operators}')"
check 'at most one false alarm in thirty days' "(SELECT count(*) FROM huf.huf_alert WHERE series = 'none') <= 1"
echo "# thirty days took $SECONDS s"
cat "$CLUSTER_DIR/thirty_days"
export PGDATABASE=postgres

# docs/functions.md is made from the extension's comments
if "$PWD/test/docs/functions.sh" | diff docs/functions.md - >"$CLUSTER_DIR/functions.diff"; then
	passed=$((passed + 1))
else
	failed=$((failed + 1))
	cat "$CLUSTER_DIR/functions.diff"
	echo 'not so: docs/functions.md is current (test/docs/functions.sh >docs/functions.md)'
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
