#!/bin/bash
# Speed of the governance aggregates, each against something built in on the
# same table.  Prints "bench NAME ratio R target T met|missed" per comparison.
#
# Needs a server with the extension installed (PGHOST, PGPORT, PGUSER as for
# psql) that runs on this machine, and PG_CONFIG.  Makes and drops the database
# huf_bench.  ROWS, VECTORS, DIMS and RUNS scale it.
set -euo pipefail

ROWS=${ROWS:-10000000}
VECTORS=${VECTORS:-1000000}
DIMS=${DIMS:-256}
RUNS=${RUNS:-3}
PG_CONFIG=${PG_CONFIG:-pg_config}
here=$(cd "$(dirname "$0")" && pwd)
database=huf_bench

psql=("$("$PG_CONFIG" --bindir)/psql" -X -q -v ON_ERROR_STOP=1)
work=$(mktemp -d)
chmod 755 "$work"
cleanup() {
	"${psql[@]}" -d postgres -c "DROP DATABASE IF EXISTS $database" >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap cleanup EXIT

run() {
	"${psql[@]}" -d $database "$@"
}

# the yardstick needs a module of its own
${CC:-gcc} -O2 -fPIC -shared -I"$("$PG_CONFIG" --includedir-server)" -o "$work/huf_touch.so" "$here/huf_touch.c"

"${psql[@]}" -d postgres -c "DROP DATABASE IF EXISTS $database" -c "CREATE DATABASE $database" 2>/dev/null
run <<SQL
CREATE EXTENSION pinecone_fdw;
CREATE FUNCTION huf_touch(float8, real[]) RETURNS float8 AS '$work/huf_touch' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE AGGREGATE touch(real[]) (SFUNC = huf_touch, STYPE = float8, INITCOND = 0, COMBINEFUNC = float8pl, PARALLEL = SAFE);
SELECT setseed(0.5) \gset
CREATE UNLOGGED TABLE score AS SELECT (i % 100)::int AS ns, random() AS x, random() AS y FROM generate_series(1, $ROWS) i;
-- a thousand different vectors, over and over: time does not depend on the values
CREATE TEMP TABLE base AS SELECT b, (SELECT array_agg((random() - 0.5)::real) FROM generate_series(1, $DIMS) WHERE b >= 0) AS v FROM generate_series(0, 999) b;
CREATE UNLOGGED TABLE embedding AS SELECT (i % 100)::int AS ns, v FROM generate_series(1, $VECTORS) i JOIN base ON b = (i / 100) % 1000;
VACUUM ANALYZE score;
VACUUM ANALYZE embedding;
SQL

# seconds QUERY [SETTINGS]: the best of RUNS
seconds() {
	local best= t
	for ((i = 0; i < RUNS; i++)); do
		t=$(run -At -c "SET jit = off; SET max_parallel_workers_per_gather = 0; SET work_mem = '1GB'; ${2:-}" -c '\timing on' -c "$1" |
			sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | tail -1)
		if [ -z "$best" ] || awk "BEGIN {exit !($t < $best)}"; then best=$t; fi
	done
	echo "$best"
}

# compare NAME TIME YARDSTICK TARGET at-most|at-least
compare() {
	awk -v name="$1" -v t="$2" -v y="$3" -v target="$4" -v sense="$5" 'BEGIN {
		ratio = sense == "at-most" ? t / y : y / t
		met = sense == "at-most" ? ratio <= target : ratio >= target
		printf "bench %s ratio %.2f target %s%s %s  # %.0f ms against %.0f ms\n", name, ratio,
			(sense == "at-most" ? "<=" : ">="), target, (met ? "met" : "missed"), t, y
	}'
}

grouped() {
	echo "SELECT count(a) FROM (SELECT ns, $1 AS a FROM $2 GROUP BY ns) s"
}

sum=$(seconds "$(grouped 'sum(x)' score)")
stddev=$(seconds "$(grouped 'stddev_pop(x)' score)")
echo "# $ROWS scores in 100 namespaces: sum $sum ms, stddev_pop $stddev ms"
for aggregate in huf_mass huf_mean_abs huf_lse huf_hhi huf_neff_hhi huf_entropy huf_neff_entropy huf_evenness huf_top_share huf_rho_var; do
	t=$(seconds "$(grouped "$aggregate(x)" score)")
	compare "$aggregate" "$t" "$stddev" 1.5 at-most
done
for aggregate in huf_hhi huf_entropy huf_rho_var; do
	t=$(seconds "$(grouped "$aggregate(x, 'softmax')" score)")
	compare "$aggregate-softmax" "$t" "$stddev" 1.5 at-most
done
disc=$(seconds "$(grouped 'percentile_disc(0.9) WITHIN GROUP (ORDER BY x)' score)")
for aggregate in huf_items_to_cover huf_gini huf_items_to_cover_approx; do
	t=$(seconds "$(grouped "$aggregate(x)" score)")
	compare "$aggregate" "$t" "$disc" 1.3 at-most
done
for aggregate in huf_tv huf_js huf_psi; do
	t=$(seconds "$(grouped "$aggregate(x, y)" score)")
	compare "$aggregate" "$t" "$disc" 1.3 at-most
done

# two processes: the leader and one worker
two="SET max_parallel_workers_per_gather = 1; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; ALTER TABLE score SET (parallel_workers = 1); ALTER TABLE embedding SET (parallel_workers = 1);"
for aggregate in huf_hhi huf_lse huf_entropy huf_rho_var huf_items_to_cover huf_items_to_cover_approx; do
	one=$(seconds "SELECT $aggregate(x) FROM score")
	t=$(seconds "SELECT $aggregate(x) FROM score" "$two")
	compare "parallel-$aggregate" "$t" "$one" 1.7 at-least
done

touch=$(seconds "SELECT touch(v) FROM embedding")
touch_grouped=$(seconds "$(grouped 'touch(v)' embedding)")
read=$(seconds "SELECT count(v) FROM embedding")
echo "# $VECTORS embeddings of $DIMS: detoast and touch $touch ms, read $read ms"
for aggregate in huf_sketch huf_dispersion huf_mrl huf_pairwise_cos; do
	t=$(seconds "SELECT count(a) FROM (SELECT $aggregate(v) AS a FROM embedding) s")
	compare "$aggregate" "$t" "$touch" 0.7 at-least
	t=$(seconds "$(grouped "$aggregate(v)" embedding)")
	compare "$aggregate-grouped" "$t" "$touch_grouped" 0.7 at-least
done
one=$(seconds "SELECT huf_sketch_count(huf_sketch(v)) FROM embedding")
t=$(seconds "SELECT huf_sketch_count(huf_sketch(v)) FROM embedding" "$two")
compare parallel-huf_sketch "$t" "$one" 1.7 at-least
# the centroid as an average in plain SQL, on a hundredth of the rows
plain=$(seconds "SELECT count(*) FROM (SELECT k, avg(c) FROM (SELECT v FROM embedding LIMIT $((VECTORS / 100))) e, unnest(v) WITH ORDINALITY u(c, k) GROUP BY k) s")
t=$(seconds "SELECT huf_sketch_centroid(huf_sketch(v)) IS NULL FROM (SELECT v FROM embedding LIMIT $((VECTORS / 100))) e")
compare centroid-against-plain-sql "$t" "$plain" 1 at-most
