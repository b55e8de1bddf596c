#!/usr/bin/env bash
#
# A service that is far away: an older build and this one, side by side in one
# run, with pinecone-local answering LATENCY ms late, without and with the
# documented rate limits.  What is measured is in test/bench/distance/:
#
#	PARTS="scans ..."	some of its scripts; all without it
#	LIMITS="off on"					with or without the rate limits; both without it
#	BASE=commit						the older build
#	ONLY=pattern					of names of what is measured
#	ROUNDS=3						how often each is measured, the older build but once
#									where that takes longer than 5 s
#
# Each line tells seconds, requests, those refused and read units of both, and the ratio of
# the seconds.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=test/cluster.sh
source test/cluster.sh
# shellcheck source=test/bench/lib/bench.sh
source test/bench/lib/bench.sh
# shellcheck source=test/bench/lib/two_builds.sh
source test/bench/lib/two_builds.sh
LATENCY=${LATENCY:-50}
ROUNDS=${ROUNDS:-3}
LIMITS=${LIMITS:-off on}
BASE=${BASE:-0b7cd2e}
PARTS=${PARTS:-$(basename -as .sh test/bench/distance/*.sh)}

# As the service's metrics count them, of all indexes since it began
read_units() {
	curl -sf -H "Authorization: Bearer $PINECONE_LOCAL_KEY" "$PINECONE_LOCAL_URL/projects/local/metrics/export" |
		awk '/^pinecone_db_read_unit_count/ {n += $NF} END {print n + 0}'
}

# Seconds, requests, refused ones, read units: of one run of a statement by a build
run_once() { # BUILD SQL
	local ms counts units
	# what one has taken of a second the other does not have
	[ "$limited" = unlimited ] || sleep 1.2
	curl -sf -o /dev/null -X DELETE "$PINECONE_LOCAL_URL/_local/requests"
	units=$(read_units)
	ms=$(on "$1" milliseconds "$2")
	counts=$(curl -sf "$PINECONE_LOCAL_URL/_local/requests" | tr '{' '\n' | awk '/"status":/ {n++} /"status":429/ {r++} END {print n + 0, r + 0}')
	awk -v ms="$ms" 'BEGIN {printf "%.3f ", ms / 1000}'
	echo "$counts $(($(read_units) - units))"
}

# A statement in both builds, and the lines that tell of it and sum up: how many
# times as fast it is here
compare() { # NAME TARGET SQL
	local name=$1 target=$2 sql=$3 build round base tree
	[[ $name =~ ${ONLY:-.} ]] || return 0
	name=${name}_$limited
	for build in base tree; do
		: >"$CLUSTER_DIR/$build.runs"
	done
	for round in $(seq "$ROUNDS"); do
		for build in base tree; do
			if [ "$build" = tree ] || [ "$round" = 1 ] || awk '{exit $1 > 5}' "$CLUSTER_DIR/base.runs"; then
				run_once "$build" "$sql" >>"$CLUSTER_DIR/$build.runs"
			fi
		done
	done
	base=$(sort -n "$CLUSTER_DIR/base.runs" | awk '{v[NR] = $0} END {print v[int((NR + 1) / 2)]}')
	tree=$(sort -n "$CLUSTER_DIR/tree.runs" | awk '{v[NR] = $0} END {print v[int((NR + 1) / 2)]}')
	printf '%s: %s s, %s requests, %s refused, %s units; here %s s, %s requests, %s refused, %s units\n' "$name" $base $tree
	report "$name" "${base%% *}" "${tree%% *}" "$target" at-least
}

# Start pinecone-local with what a part has put into $CLUSTER_DIR/records.jsonl;
# $limited says in which way
start_service() { # ARG...
	local args=(--latency "$LATENCY" --load "$CLUSTER_DIR/records.jsonl")
	[ "$limited" = unlimited ] || args+=(--rate-limits)
	chmod 644 "$CLUSTER_DIR/records.jsonl"
	cluster_pinecone "$@" "${args[@]}"
}

stop_service() {
	local pid
	pid=$(cat "$CLUSTER_DIR/pinecone.pid")
	kill "$pid"
	while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
}

# The same SQL in both builds, before what is measured; $host is an index's
in_both() { # INDEX, with SQL on standard input
	local build host
	host=$(index_host "$1")
	{
		cat <<-END
			DROP EXTENSION IF EXISTS pinecone_fdw CASCADE;
			CREATE EXTENSION pinecone_fdw;
			CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host');
			CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key '$PINECONE_LOCAL_KEY');
		END
		cat
	} >"$CLUSTER_DIR/both.sql"
	for build in base tree; do
		on "$build" psql -qX -v ON_ERROR_STOP=1 -c 'SET client_min_messages = warning' -f "$CLUSTER_DIR/both.sql"
	done
}

make -s -C test/server
cluster_begin
two_builds "$BASE" "max_parallel_workers_per_gather = 0"
for part in $PARTS; do
	for limited in $LIMITS; do
		limited=$([ "$limited" = on ] && echo limited || echo unlimited)
		printf -- '-- %s, %s\n' "$part" "$limited"
		# shellcheck source=/dev/null
		source "test/bench/distance/$part.sh"
		stop_service
	done
done
