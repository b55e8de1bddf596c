#!/usr/bin/env bash
#
# Build the extension with small limits (src/base/limits.h) and run the random
# tests with it, and those in SQL whose output does not depend on limits, against pinecone-local --small-limits: in a copy of the source, and
# a PostgreSQL of its own that is links to the one of PG_CONFIG, so that what is
# built and installed otherwise stays as it is.
#
#	test/small.sh [PROGRAM...]		regress, or some of test/random, without .pl; or those of SMALL
#
# Each is run for a shorter while.  The last line is the sum.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
# shellcheck source=test/copy.sh
source test/copy.sh
PG_CONFIG=$(test/pg_config.sh --path) && copy_begin small || exit
dir=$COPY_DIR
passed=0
failed=0

build() {
	copy_postgres && copy_source &&
		make -s SMALL_LIMITS=1 with_llvm=no "PG_CONFIG=$PG_CONFIG" install &&
		make -s -C test/server
}

run() {
	local log=$dir/log
	if "$@" >"$log" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf '%s:\n' "$*"
		grep -v '^ok' "$log"
	fi
}

# What of a test's output hangs on limits: requests, and plans.
without_requests() {
	perl -ne '
		if (/^ +(QUERY PLAN|sends|run) +$/) { $plan = 1; next }
		if ($plan) { $plan = 0 if /^\(\d+ rows?\)$/; next }
		print unless m{^ *\d* *(GET|POST|PATCH|DELETE) /} || /^ *\d* *&limit=/ || /^ +Requests: \d+$/' "$1"
}

# Tests whose output is the same, and those where it is apart from requests and
# plans.  What loads more than pinecone-local then takes, or counts requests, is
# left out.
regress() {
	local -r same="api_key_file combined convert convert_pgvector convert_strict distance distance_pgvector lookalike match no_score numbers option pgvector_column roles unread"
	local -r apart="alias append delete_unverified explain halfvec local_server modify modify_misfit namespaces on_conflict operand_types scan score update_unverified"
	local test bad=()
	(source test/cluster.sh && cluster_begin && cluster_postgres && cluster_pinecone &&
		make -s installcheck "PG_CONFIG=$PG_CONFIG" "REGRESS=$same $apart") >"$dir/log" 2>&1
	for test in $same; do
		cmp -s "expected/$test.out" "results/$test.out" || bad+=("$test")
	done
	for test in $apart; do
		diff <(without_requests "expected/$test.out") <(without_requests "results/$test.out") >>"$dir/apart" 2>&1 || bad+=("$test")
	done
	set -- $same $apart
	passed=$((passed + $# - ${#bad[@]}))
	failed=$((failed + ${#bad[@]}))
	[ ${#bad[@]} = 0 ] || {
		echo "small limits: ${bad[*]}"
		cat "$dir/log" "$dir/apart" regression.diffs
	}
}

build || exit
export PINECONE_LOCAL_ARGS=--small-limits
seed=${SEED:-$((RANDOM % 1000 + 1))}
# shellcheck disable=SC2206
programs=("$@" ${SMALL:-})
[ ${#programs[@]} -gt 0 ] || programs=(regress pending conditions namespaces append joins statements score sparse writes)
for program in "${programs[@]}"; do
	case $program in
		regress) regress ;;
		writes) run "test/random/$program.pl" "$seed" 40 ;;
		*) run "test/random/$program.pl" "$seed" 60 60 ;;
	esac
done
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
