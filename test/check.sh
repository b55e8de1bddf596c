#!/usr/bin/env bash
#
# Install what is missing here to build and test (test/install.sh), build
# everything with warnings as errors, install it, and run the tests against a
# private PostgreSQL cluster and pinecone-local.
#
#	test/check.sh				all suites
#	test/check.sh SUITE...		some of: layers regress tap load small sanitize majors package random approximate documents contract frameworks clients unit fuzz docs monitoring deploy lint live
#
# PG_CONFIG chooses the PostgreSQL.  Random queries are others each time, unless SEED
# is set; each program tells its seed.
# A failing test's output is printed; the last line is the sum, "N passed,
# N failed", and the exit status tells whether any failed.
#
# A suite is left out when it has no files.  What its files are:
#	layers		test/layers.pl, which looks at the source itself
#	regress		sql/*.sql, by pg_regress; REGRESS="scan modify" runs only some
#	tap			test/t/*.pl, by prove
#	load		test/load/load.pl, for a short while with some of its sessions
#	contract	test/contract/run.sh, and likewise frameworks, clients, unit, fuzz, docs, monitoring and deploy
#	random		programs in test/random
#	approximate	those that read, shorter, with searches as of an approximate index
#	documents	most of them, shorter, and test/t/024* and 025*, on document indexes
#	majors		test/matrix.sh with regress alone, for 17, 18 and 19, or the majors of MAJORS
#	package		test/package/run.sh: what is installed
#	live		test/live/run.sh: the real service, for who has a key
#	small		all of them, shorter, with small limits: test/small.sh; SMALL="joins" runs only some
#	sanitize	most of regress, and some files of tap and random, with sanitizers: test/sanitize.sh short
#	lint		test/lint.sh: cppcheck
# A script passes by its exit status.  If it prints TAP lines or ends with a
# line "N passed, N failed", that is its count, and else it counts as one.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
# shellcheck source=test/cluster.sh
source test/cluster.sh

# Those whose programs run long come first, so that none is left alone at the end
readonly ALL_SUITES=(layers regress tap load small sanitize majors package random approximate documents contract frameworks clients unit fuzz docs monitoring deploy lint live)
passed=0
failed=0

say() {
	printf '\n== %s\n' "$*"
}

# Add to the sum, and say what one suite or file came to.
count() {
	local what=$1
	passed=$((passed + $2))
	failed=$((failed + $3))
	printf '%s: %d passed, %d failed\n' "$what" "$2" "$3"
}

finish() {
	printf '\n%d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" = 0 ]
	exit
}

# Run a command with its output in $log; print it when it fails.
quietly() {
	"$@" >"$log" 2>&1 && return
	cat "$log"
	return 1
}

# Count the lines of $log that match.
lines() {
	grep -cE "$1" "$log" || true
}

# "make install" writes where only root may, unless the PostgreSQL is ours.
install_extension() {
	local as=()
	[ -w "$("$PG_CONFIG" --pkglibdir)" ] || [ "$(id -u)" = 0 ] || as=(sudo)
	"${as[@]}" make -s install "PG_CONFIG=$PG_CONFIG"
}

build() {
	local good=0
	say "build ($("$PG_CONFIG" --version))"
	quietly make -s -j"$(nproc)" WERROR=1 "PG_CONFIG=$PG_CONFIG" && good=$((good + 1))
	quietly install_extension && good=$((good + 1))
	quietly make -s -j"$(nproc)" -C test/server WERROR=1 && good=$((good + 1))
	count build "$good" $((3 - good))
	[ "$good" = 3 ]
}

suite_regress() {
	local good bad status=0
	say regress
	make -s installcheck "PG_CONFIG=$PG_CONFIG" ${REGRESS:+"REGRESS=$REGRESS"} >"$log" 2>&1 || status=1
	# PostgreSQL 16 turned the lines into TAP
	good=$(lines '^(test .*\.\.\. ok|ok [0-9])')
	bad=$(lines '^(test .*\.\.\. FAILED|not ok [0-9])')
	[ "$status" = 0 ] || [ "$bad" != 0 ] || bad=1
	if [ "$bad" != 0 ]; then
		cat "$log"
		[ ! -s regression.diffs ] || cat regression.diffs
	fi
	count regress "$good" "$bad"
}

# Count what a program has said in $log; its exit status is $2.
count_output() {
	local name=$1 status=$2 good bad
	if tail -n 1 "$log" | grep -qE '^[0-9]+ passed, [0-9]+ failed$'; then
		read -r good _ bad _ < <(tail -n 1 "$log")
	else
		good=$(lines '^ok [0-9]')
		bad=$(lines '^not ok [0-9]')
		good=$((good - $(lines '^ok [0-9].*# (skip|SKIP)')))
		[ "$good$bad" != 00 ] || [ "$status" != 0 ] || good=1
	fi
	[ "$status" = 0 ] || [ "$bad" != 0 ] || bad=1
	if [ "$bad" != 0 ]; then
		cat "$log"
		printf '%s: exit status %d\n' "$name" "$status"
	else
		grep '^# left out' "$log"
	fi
	count "$name" "$good" "$bad"
}

# A suite's programs have servers of their own, and wait more than they work: the
# suites queue them all, and one more than there are cores runs at a time.
job_suites=()
job_names=()
job_commands=()
queue() {
	job_suites+=("$suite")
	job_names+=("$1")
	shift
	job_commands+=("$(printf '%q ' "$@")")
}

run_job() {
	local status=0 out=$CLUSTER_DIR/job.$1 begin=$SECONDS
	bash -c "${job_commands[$1]}" >"$out" 2>&1 </dev/null || status=$?
	echo "$status $((SECONDS - begin))" >"$out.status"
}

# Say of a job, in its turn, what came of it.
count_job() {
	local log=$CLUSTER_DIR/job.$1 status seconds
	[ "${job_suites[$1]}" = "$said" ] || say "${job_suites[$1]}"
	said=${job_suites[$1]}
	read -r status seconds <"$log.status"
	count_output "${job_names[$1]} ($seconds s)" "$status"
}

run_jobs() {
	local job next=0 running=0 at_once said=
	at_once=$(($(nproc) + 1))
	for job in "${!job_names[@]}"; do
		if [ "$running" = "$at_once" ]; then
			wait -n
			running=$((running - 1))
		fi
		run_job "$job" &
		running=$((running + 1))
		while [ "$next" -lt "$job" ] && [ -s "$CLUSTER_DIR/job.$next.status" ]; do
			count_job "$next"
			next=$((next + 1))
		done
	done
	wait
	for ((; next < ${#job_names[@]}; next++)); do
		count_job "$next"
	done
}

suite_tap() {
	local file
	for file in test/t/*.pl; do
		queue "$file" prove --verbose --nocolor -I test/t -I test/lib "$file"
	done
}

suite_load() {
	queue 'load, 20 s' test/load/load.pl 20 40
	queue 'load, 12 s, documents, --lag 400' env PINECONE_LOCAL_KIND=documents 'PINECONE_LOCAL_ARGS=--lag 400' test/load/load.pl 12 30
}

suite_random() {
	local file
	for file in test/random/*; do
		if [ -f "$file" ] && [ -x "$file" ]; then
			queue "$file" "$file" ${SEED:+"$SEED"}
		fi
	done
}

suite_approximate() {
	local seed=${SEED:-$((RANDOM % 1000 + 1))} name
	for name in conditions namespaces append joins statements floats; do
		queue "$name, --approximate $seed" env "PINECONE_LOCAL_ARGS=--approximate $seed" "test/random/$name.pl" "$seed" $([ "$name" = floats ] && echo 2 || echo 120)
	done
}

# What compares with local tables, and what answers falsely or not at all, on document indexes
suite_documents() {
	local seed=${SEED:-$((RANDOM % 1000 + 1))} name
	for name in conditions namespaces append joins statements pending score writes upserts misfit floats; do
		queue "$name, documents, seed $seed" env PINECONE_LOCAL_KIND=documents "test/random/$name.pl" "$seed" $([[ $name =~ pending|score|writes ]] && echo 20 || { [ $name = floats ] && echo 3 || echo 60; })
	done
	for name in 024_read_faults 025_false_replies; do
		queue "$name, documents" env PINECONE_LOCAL_KIND=documents prove --verbose --nocolor -I test/t -I test/lib "test/t/$name.pl"
	done
}

suite_small() {
	queue test/small.sh test/small.sh
}

# As if there were one core: beside it others run
suite_sanitize() {
	queue 'test/sanitize.sh short' env OMP_NUM_THREADS=1 test/sanitize.sh short
}

suite_lint() {
	queue test/lint.sh test/lint.sh
}

suite_contract() {
	queue test/contract/run.sh test/contract/run.sh
}

suite_frameworks() {
	queue test/frameworks/run.sh test/frameworks/run.sh
}

# Clients in JavaScript wait for npm while the others run
suite_clients() {
	local kind names
	for kind in JavaScript others; do
		mapfile -t names < <(cd test/clients && ls -d */client.* | grep -v '^lib/' | { [ $kind = others ] && grep -v mjs || grep mjs; } | sed 's,/.*,,')
		[ ${#names[@]} = 0 ] || queue "test/clients/run.sh, $kind" test/clients/run.sh "${names[@]}"
	done
}

suite_layers() {
	queue test/layers.pl test/layers.pl
	[ ! -e test/mutate.sh ] || queue 'test/mutate.sh --check' test/mutate.sh --check
}

suite_unit() {
	queue test/unit/run.sh test/unit/run.sh
	queue test/unit/hardened.pl test/unit/hardened.pl
}

suite_fuzz() {
	queue test/fuzz/run.sh test/fuzz/run.sh
}

suite_monitoring() {
	queue test/monitoring/run.sh test/monitoring/run.sh
}

suite_deploy() {
	queue test/deploy/run.sh test/deploy/run.sh
}

suite_package() {
	queue test/package/run.sh test/package/run.sh
}

# On other majors, where chroots for them can be made; test/matrix.sh has more suites
suite_majors() {
	local major
	for major in ${MAJORS:-17 18 19}; do
		queue "regress on PostgreSQL $major" env SUITES=regress LEAVE_OUT=yes MAKEFLAGS=with_llvm=no test/matrix.sh "$major"
	done
}

suite_live() {
	queue test/live/run.sh test/live/run.sh
}

suite_docs() {
	queue test/docs/run.sh test/docs/run.sh
	queue test/docs/pages.sh test/docs/pages.sh
}

has_files() {
	case $1 in
		layers) compgen -G test/layers.pl ;;
		regress) compgen -G 'sql/*.sql' ;;
		tap) compgen -G 'test/t/*.pl' ;;
		approximate | documents | random) compgen -G 'test/random/*' ;;
		small | sanitize | lint) compgen -G "test/$1.sh" ;;
		load) compgen -G test/load/load.pl ;;
		majors) compgen -G test/matrix.sh ;;
		*) compgen -G "test/$1/run.sh" ;;
	esac >/dev/null
}

suites=("$@")
for suite in "${suites[@]}"; do
	case " ${ALL_SUITES[*]} " in
		*" $suite "*) ;;
		*)
			echo "there is no suite \"$suite\", only: ${ALL_SUITES[*]}" >&2
			exit 2
			;;
	esac
	has_files "$suite" || {
		echo "suite \"$suite\" has no files" >&2
		exit 2
	}
done
[ $# -gt 0 ] || suites=("${ALL_SUITES[@]}")

say "install what is missing"
test/install.sh "$([ "${suites[*]}" = regress ] && echo regress || echo check)" || {
	count install 0 1
	finish
}
cluster_begin || exit
log=$CLUSTER_DIR/check.log
export CLUSTER_TEMPLATES=$CLUSTER_DIR
build || finish
cluster_postgres && cluster_pinecone || {
	count start 0 1
	finish
}

for suite in "${suites[@]}"; do
	if has_files "$suite"; then
		"suite_$suite"
	else
		say "$suite: no files"
	fi
done
run_jobs
finish
