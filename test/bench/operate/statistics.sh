#!/usr/bin/env bash
#
# What counting costs: a small search with statistics that all sessions share, on
# against off, by turns in one run.
#
#	statistics_N_backends	the time of one, N sessions at a time: the median of ROUNDS (default 9)
#							ratios, in each of which both take turns of a second
#	statistics_instructions	what the backend alone does for one, counted by callgrind in
#							single-user mode; that does not depend on what else the
#							machine has to do.  Without valgrind it is left out.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
# shellcheck source=test/cluster.sh
source test/cluster.sh
# shellcheck source=test/bench/lib/bench.sh
source test/bench/lib/bench.sh
ROUNDS=${ROUNDS:-9}
SECONDS_A_TURN=${SECONDS_A_TURN:-1}

cluster_begin
cluster_postgres "shared_preload_libraries = 'pinecone_fdw'" 'max_connections = 60'
cluster_pinecone --index bench:8:cosine
host=$(index_host bench)
psql -qX -v ON_ERROR_STOP=1 <<-END
	CREATE EXTENSION pinecone_fdw;
	CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
	CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key '$PINECONE_LOCAL_KEY');
	CREATE FOREIGN TABLE t (id text, embedding real[]) SERVER s OPTIONS (namespace 'small');
	INSERT INTO t SELECT 'r' || i, ARRAY(SELECT sin(i * d) FROM generate_series(1, 8) d) FROM generate_series(1, 100) i;
END
search="SELECT id FROM t ORDER BY embedding <=> '{1,2,3,4,5,6,7,8}' LIMIT 10;"
echo "$search" >"$CLUSTER_DIR/search.sql"
chmod 644 "$CLUSTER_DIR/search.sql"

latency() { # SETTING SESSIONS: ms of a search
	PGOPTIONS="-c pinecone_fdw.statistics=$1" pgbench -n -M prepared -f "$CLUSTER_DIR/search.sql" -c "$2" -j 2 \
		-T "$SECONDS_A_TURN" 2>/dev/null | sed -n 's/^latency average = \([0-9.]*\) ms/\1/p'
}

for sessions in 1 2 16; do
	latency on "$sessions" >/dev/null
	ratios=()
	for ((round = 0; round < ROUNDS; round++)); do
		if ((round % 2)); then
			off=$(latency off "$sessions") on=$(latency on "$sessions")
		else
			on=$(latency on "$sessions") off=$(latency off "$sessions")
		fi
		ratios+=("$(awk -v a="$on" -v b="$off" 'BEGIN { print a / b }')")
	done
	report "statistics_${sessions}_backends" "$(printf '%s\n' "${ratios[@]}" | median)" 1 1.01 at-most
done

type valgrind >/dev/null 2>&1 || exit 0
"${cluster_as[@]}" pg_ctl -D "$CLUSTER_DIR/data" -m fast -w stop >/dev/null

# What a single-user backend does for so many searches, each a transaction
instructions() { # SETTING TIMES
	{
		echo "SET pinecone_fdw.statistics = $1"
		echo "SET plan_cache_mode = force_generic_plan"
		echo "PREPARE search AS ${search%;}"
		for ((i = 0; i < $2; i++)); do echo "EXECUTE search"; done
	} >"$CLUSTER_DIR/single.sql"
	"${cluster_as[@]}" valgrind --tool=callgrind "--callgrind-out-file=$CLUSTER_DIR/callgrind.$1" \
		"$("$PG_CONFIG" --bindir)/postgres" --single -D "$CLUSTER_DIR/data" postgres <"$CLUSTER_DIR/single.sql" >"$CLUSTER_DIR/single.out" 2>&1 ||
		cat "$CLUSTER_DIR/single.out" >&2
	! grep ERROR "$CLUSTER_DIR/single.out" >&2
	sed -n 's/^summary: \([0-9]*\).*/\1/p' "$CLUSTER_DIR/callgrind.$1"
}

# How often a backend is woken for a reply differs from run to run: the least is the one to compare
least() { # SETTING TIMES
	local i
	for i in 1 2 3; do instructions "$1" "$2"; done | sort -n | head -n 1
}

# Of one of them: what more of them add
for setting in on off; do
	few=$(least "$setting" 20)
	many=$(least "$setting" 120)
	echo $(((many - few) / 100)) >"$CLUSTER_DIR/$setting.count"
done
printf 'a small search: %d instructions with statistics, %d without\n' "$(<"$CLUSTER_DIR/on.count")" "$(<"$CLUSTER_DIR/off.count")"
report statistics_instructions "$(<"$CLUSTER_DIR/on.count")" "$(<"$CLUSTER_DIR/off.count")" 1.01 at-most
