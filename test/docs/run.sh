#!/usr/bin/env bash
#
# docs/governance.md on the demo's index: every statement of it, with live
# nearest neighbours from pinecone-local as hits and the index's embeddings as
# embeddings.  (The regression test huf_governance runs the same statements on
# fixed hits and compares what they print.)
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
		/^```sql$/ || (/^```sql live$/ && !past) { on = 1 }' docs/governance.md
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
