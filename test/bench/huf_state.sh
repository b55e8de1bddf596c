#!/usr/bin/env bash
#
# What the governance aggregates of fixed size cost on one node, against an
# older build, in instructions of a backend alone: that does not depend on what
# else the machine has to do.  Prints "bench NAME ratio R target T met|missed".
#
#	plain, softmax		an aggregate over all rows: what more rows add, a row
#	groups				with a group for every second row
#
#	BASE=commit			the older build; by default the last one whose states were
#						of type "internal"
#	ROWS				rows of the table (default 40000)
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=test/cluster.sh
source test/cluster.sh
# shellcheck source=test/bench/lib/bench.sh
source test/bench/lib/bench.sh
# shellcheck source=test/bench/lib/two_builds.sh
source test/bench/lib/two_builds.sh
BASE=${BASE:-3f6004a}
ROWS=${ROWS:-40000}

type valgrind >/dev/null 2>&1 || {
	echo "valgrind is not installed: nothing is counted" >&2
	exit 0
}
cluster_begin
two_builds "$BASE" "max_parallel_workers_per_gather = 0" "jit = off" "autovacuum = off" "work_mem = 64MB"
for build in base tree; do
	on "$build" psql -qX -v ON_ERROR_STOP=1 >/dev/null <<-END
		CREATE EXTENSION pinecone_fdw;
		SELECT setseed(0.5);
		CREATE TABLE score AS SELECT i, i / 2 AS pair, random() AS x FROM generate_series(1, $ROWS) i;
		VACUUM ANALYZE score;
		CHECKPOINT;
	END
done
stop_both

count() { # NAME QUERY: of a row, the plan and the start left out
	local build few many
	for build in base tree; do
		echo "SELECT count(a) FROM ($2 AS a FROM score WHERE i <= $((ROWS / 2)) $3) s" >"$CLUSTER_DIR/few.sql"
		echo "SELECT count(a) FROM ($2 AS a FROM score WHERE i <= $ROWS $3) s" >"$CLUSTER_DIR/many.sql"
		few=$(single_user_instructions "$build" "$CLUSTER_DIR/few.sql")
		many=$(single_user_instructions "$build" "$CLUSTER_DIR/many.sql")
		echo $(((many - few) / (ROWS / 2))) >"$CLUSTER_DIR/$build.count"
	done
	printf '# %s: %d instructions a row here, %d of %s\n' "$1" "$(<"$CLUSTER_DIR/tree.count")" "$(<"$CLUSTER_DIR/base.count")" "$BASE"
	report "$1" "$(<"$CLUSTER_DIR/tree.count")" "$(<"$CLUSTER_DIR/base.count")" 1.03 at-most
}
for aggregate in huf_hhi huf_entropy huf_rho_var huf_mass huf_lse; do
	count "$aggregate" "SELECT $aggregate(x)" ""
done
count huf_hhi-softmax "SELECT huf_hhi(x, 'softmax')" ""
count huf_hhi-groups "SELECT huf_hhi(x)" "GROUP BY pair"
count huf_lse-groups "SELECT huf_lse(x)" "GROUP BY pair"
