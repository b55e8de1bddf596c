#!/usr/bin/env bash
#
# This tree against an older build, side by side in one run: pinecone-local is
# the same for both, so what differs is ours.
#
#	scan, query, query_small, fetch, upsert
#					the time of each, as in fdw.sh and write.sh: medians of ROUNDS
#					(default 7), the two builds by turns
#	NAME_instructions	what the backend alone does for one of them, counted by callgrind
#					in single-user mode; that does not depend on what else the machine
#					has to do.  Without valgrind these are left out.
#
#	BASE=commit		the older build
#	RECORDS, DIMENSION	the size of the namespace (default 5000 x 256)
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=test/cluster.sh
source test/cluster.sh
# shellcheck source=test/bench/lib/bench.sh
source test/bench/lib/bench.sh
# shellcheck source=test/bench/lib/two_builds.sh
source test/bench/lib/two_builds.sh
BASE=${BASE:-0b7cd2e}
RECORDS=${RECORDS:-5000}
DIMENSION=${DIMENSION:-256}
ROUNDS=${ROUNDS:-7}

make -s -C test/server
cluster_begin
two_builds "$BASE" "max_parallel_workers_per_gather = 0"
cluster_pinecone --index "bench:$DIMENSION:cosine"
host=$(index_host bench)
vector=$(awk -v d="$DIMENSION" 'BEGIN { srand(3); for (j = 0; j < d; j++) printf "%s%.6f", j ? "," : "", rand() }')
# shellcheck disable=SC2016 # awk's
awk -v n="$RECORDS" -v d="$DIMENSION" 'BEGIN {
	srand(1)
	for (i = 0; i < n; i++) {
		printf "r%07d\t{", i
		for (j = 0; j < d; j++) printf "%s%.6f", j ? "," : "", rand() * 2 - 1
		printf "}\ttitle %d\t%d\n", i, i % 100
	}
}' >"$CLUSTER_DIR/rows"
chmod 644 "$CLUSTER_DIR/rows"

# One execution of what is measured, as plpgsql; vec is a vector, ids are ids
statement() { # NAME
	case $1 in
		scan) echo 'PERFORM count(embedding) FROM bench;' ;;
		query) echo 'PERFORM id, embedding <=> vec FROM bench ORDER BY embedding <=> vec LIMIT 10;' ;;
		query_small) echo 'PERFORM id, embedding <=> vec FROM small ORDER BY embedding <=> vec LIMIT 10;' ;;
		fetch) echo 'PERFORM id, title FROM bench WHERE id = ANY (ids);' ;;
		upsert) echo "COPY written FROM '$CLUSTER_DIR/rows';" ;;
	esac
}

repeated() { # NAME TIMES: as one line, which is what single-user mode reads
	cat <<-END | tr '\n' ' '
		DO \$\$
		DECLARE t timestamptz; us float8[]; vec real[] := '{$vector}';
		ids text[] := ARRAY(SELECT 'r' || lpad(i::text, 7, '0') FROM generate_series(1, least($RECORDS - 1, 200)) i);
		BEGIN
		SET LOCAL plan_cache_mode = force_generic_plan;
		FOR i IN 1..$2 LOOP
		t := clock_timestamp(); $(statement "$1") us[i] := extract(epoch FROM clock_timestamp() - t) * 1e6;
		END LOOP;
		RAISE NOTICE 'us %', (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY u) FROM unnest(us) u);
		END \$\$;
	END
	echo
}

for build in base tree; do
	on "$build" psql -qX -v ON_ERROR_STOP=1 <<-END
		CREATE EXTENSION pinecone_fdw;
		CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
		CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key '$PINECONE_LOCAL_KEY');
		CREATE FOREIGN TABLE bench (id text, embedding real[], title text, n int) SERVER s;
		CREATE FOREIGN TABLE small (id text, embedding real[], title text, n int) SERVER s OPTIONS (namespace 'small');
		CREATE FOREIGN TABLE written (id text, embedding real[], title text, n int) SERVER s OPTIONS (namespace 'written', write_mode 'immediate');
	END
done
on base psql -qX -v ON_ERROR_STOP=1 -c "COPY bench FROM '$CLUSTER_DIR/rows'" -c "INSERT INTO small SELECT * FROM bench WHERE id < 'r0000050'"
sleep 11 # until writes are no longer kept as unseen

measure() { # NAME TIMES
	local build round
	repeated "$1" "$2" >"$CLUSTER_DIR/$1.sql"
	for build in base tree; do : >"$CLUSTER_DIR/$build.us"; done
	for round in $(seq "$ROUNDS"); do
		for build in base tree; do
			on "$build" psql -qX -v ON_ERROR_STOP=1 -f "$CLUSTER_DIR/$1.sql" 2>&1 | sed -n 's/.*NOTICE: *us //p' >>"$CLUSTER_DIR/$build.us"
		done
	done
	printf '%s: %s us here, %s us of %s (of %d rounds)\n' "$1" "$(median <"$CLUSTER_DIR/tree.us")" "$(median <"$CLUSTER_DIR/base.us")" "$BASE" "$round"
	report "$1" "$(median <"$CLUSTER_DIR/tree.us")" "$(median <"$CLUSTER_DIR/base.us")" 1.03 at-most
}
measure scan 2
measure query 50
measure query_small 500
measure fetch 10
measure upsert 1

type valgrind >/dev/null 2>&1 || exit 0
stop_both

instructions() { # BUILD NAME TIMES
	repeated "$2" "$3" >"$CLUSTER_DIR/single.sql"
	single_user_instructions "$1" "$CLUSTER_DIR/single.sql"
}

# Of one execution: what more of them add
count() { # NAME TIMES MORE
	local few many build
	for build in base tree; do
		few=$(instructions "$build" "$1" "$2")
		many=$(instructions "$build" "$1" "$3")
		echo $(((many - few) / ($3 - $2))) >"$CLUSTER_DIR/$build.count"
	done
	printf '%s: %d instructions here, %d of %s\n' "$1" "$(<"$CLUSTER_DIR/tree.count")" "$(<"$CLUSTER_DIR/base.count")" "$BASE"
	report "${1}_instructions" "$(<"$CLUSTER_DIR/tree.count")" "$(<"$CLUSTER_DIR/base.count")" "$([ "$1" = query_small ] && echo 1 || echo 1.03)" at-most
}
count query_small 20 120
count fetch 5 25
count scan 1 3
head -n 300 "$CLUSTER_DIR/rows" >"$CLUSTER_DIR/few" && cat "$CLUSTER_DIR/few" >"$CLUSTER_DIR/rows"
count upsert 1 3
