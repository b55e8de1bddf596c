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

# milliseconds QUERY [SETTINGS]
milliseconds() {
	run -At -c "SET jit = off; SET max_parallel_workers_per_gather = 0; SET work_mem = '1GB'; ${2:-}" -c '\timing on' -c "$1" |
		sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | tail -1
}

# compare NAME TARGET|none at-most|at-least QUERY YARDSTICK [SETTINGS for QUERY]
#
# The two run in turn, so that whatever else the machine does meets both; the
# best of RUNS counts.
compare() {
	for ((i = 0; i < RUNS; i++)); do
		echo "$(milliseconds "$4" "${6:-}") $(milliseconds "$5")"
	done | awk -v name="$1" -v target="$2" -v sense="$3" '
		NR == 1 || $1 < t { t = $1 }
		NR == 1 || $2 < y { y = $2 }
		END {
			ratio = sense == "at-most" ? t / y : y / t
			if (target == "none") {
				printf "# %s ratio %.2f  # %.0f ms against %.0f ms\n", name, ratio, t, y
				exit
			}
			met = sense == "at-most" ? ratio <= target : ratio >= target
			printf "bench %s ratio %.2f target %s%s %s  # %.0f ms against %.0f ms\n", name, ratio,
				(sense == "at-most" ? "<=" : ">="), target, (met ? "met" : "missed"), t, y
		}'
}

grouped() {
	echo "SELECT count(a) FROM (SELECT ns, $1 AS a FROM $2 GROUP BY ns) s"
}

stddev=$(grouped 'stddev_pop(x)' score)
echo "# $ROWS scores in 100 namespaces"
compare stddev_pop-against-sum none at-most "$stddev" "$(grouped 'sum(x)' score)"
for aggregate in huf_mass huf_mean_abs huf_lse huf_hhi huf_neff_hhi huf_entropy huf_neff_entropy huf_evenness huf_top_share huf_rho_var; do
	compare $aggregate 1.5 at-most "$(grouped "$aggregate(x)" score)" "$stddev"
done
for aggregate in huf_hhi huf_entropy huf_rho_var; do
	compare $aggregate-softmax 1.5 at-most "$(grouped "$aggregate(x, 'softmax')" score)" "$stddev"
done
disc=$(grouped 'percentile_disc(0.9) WITHIN GROUP (ORDER BY x)' score)
for aggregate in huf_items_to_cover huf_gini huf_items_to_cover_approx; do
	compare $aggregate 1.3 at-most "$(grouped "$aggregate(x)" score)" "$disc"
done
for aggregate in huf_tv huf_js huf_psi; do
	compare $aggregate 1.3 at-most "$(grouped "$aggregate(x, y)" score)" "$disc"
done

# two processes: the leader and one worker
two="SET max_parallel_workers_per_gather = 1; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; ALTER TABLE score SET (parallel_workers = 1); ALTER TABLE embedding SET (parallel_workers = 1);"
for aggregate in huf_hhi huf_lse huf_entropy huf_rho_var huf_items_to_cover huf_items_to_cover_approx; do
	compare parallel-$aggregate 1.7 at-least "SELECT $aggregate(x) FROM score" "SELECT $aggregate(x) FROM score" "$two"
done

echo "# $VECTORS embeddings of $DIMS, against detoasting and touching every element"
for aggregate in huf_sketch huf_dispersion huf_mrl huf_pairwise_cos; do
	compare $aggregate 0.7 at-least "SELECT count(a) FROM (SELECT $aggregate(v) AS a FROM embedding) s" "SELECT touch(v) FROM embedding"
	compare $aggregate-grouped 0.7 at-least "$(grouped "$aggregate(v)" embedding)" "$(grouped 'touch(v)' embedding)"
done
compare huf_sketch-against-reading none at-most "SELECT count(a) FROM (SELECT huf_sketch(v) AS a FROM embedding) s" "SELECT count(v) FROM embedding"
compare parallel-huf_sketch 1.7 at-least "SELECT huf_sketch_count(huf_sketch(v)) FROM embedding" "SELECT huf_sketch_count(huf_sketch(v)) FROM embedding" "$two"
# the centroid as an average in plain SQL, on a hundredth of the rows
some="(SELECT v FROM embedding LIMIT $((VECTORS / 100))) e"
compare centroid-against-plain-sql 1 at-most "SELECT huf_sketch_centroid(huf_sketch(v)) IS NULL FROM $some" \
	"SELECT count(*) FROM (SELECT k, avg(c) FROM $some, unnest(v) WITH ORDINALITY u(c, k) GROUP BY k) s"
