#!/usr/bin/env bash
#
# Which lines of src/ do the tests run?  Builds the extension for gcov in a copy
# of the source, runs suites with it, and prints a line a file and the sum.
#
#	test/coverage.sh					regress tap random documents approximate docs
#	test/coverage.sh SUITE...			suites of test/check.sh
#	COVERAGE_DIR=DIR test/coverage.sh	leaves there what gcovr says: lines.txt, lines.json,
#										and index.html with the source; adds to the counts that it has
#
# Needs gcovr (Debian's package) besides what test/install.sh check installs.
# Backends write their counts when they exit: so servers are stopped "fast" here,
# and not "immediate" as else (CLUSTER_STOP of test/cluster.sh); those that a test
# kills, or lets crash, count nothing.  What the suite "small" alone runs is not
# seen, for it has a build of its own.  Not part of CI; an hour of one core.  Fails when fewer than
# nine lines in ten are run, or a test fails.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
readonly LEAST=90
command -v gcovr >/dev/null || {
	echo "gcovr is missing: apt-get install gcovr" >&2
	exit 1
}
# shellcheck source=test/copy.sh
source test/copy.sh
PG_CONFIG=$(test/pg_config.sh --path) && copy_begin coverage && copy_postgres && copy_source || exit
export COPT='-O0 -g --coverage -fprofile-update=atomic -U_FORTIFY_SOURCE -Wno-error=maybe-uninitialized' MAKEFLAGS=with_llvm=no CLUSTER_STOP=fast
[ $# -gt 0 ] || set -- regress tap random documents approximate docs

# The servers' user writes them
open_counts() {
	chmod -R a+rwX src
}

# Those of earlier runs belong to objects of the same source
merge_earlier() {
	[ -z "${COVERAGE_DIR:-}" ] || find "$COVERAGE_DIR" -name 'run.*.json' -printf '--add-tracefile %p\n'
}

make -s -j"$(nproc)" "PG_CONFIG=$PG_CONFIG" >"$COPY_DIR/make.log" 2>&1 || {
	tail -n 20 "$COPY_DIR/make.log"
	exit 1
}
open_counts
test/check.sh "$@" >"$COPY_DIR/log" 2>&1
status=$?
[ "$status" = 0 ] || cat "$COPY_DIR/log"
tail -n 1 "$COPY_DIR/log"

gcovr --root . --filter src/ --json "$COPY_DIR/run.json" >"$COPY_DIR/gcovr.log" 2>&1 || {
	tail -n 20 "$COPY_DIR/gcovr.log"
	exit 1
}
report() {
	# shellcheck disable=SC2046
	gcovr --root . --filter src/ --add-tracefile "$COPY_DIR/run.json" $(merge_earlier) "$@"
}
if [ -n "${COVERAGE_DIR:-}" ]; then
	mkdir -p "$COVERAGE_DIR"
	report --txt "$COVERAGE_DIR/lines.txt" --json "$COVERAGE_DIR/lines.json" --html-details "$COVERAGE_DIR/index.html"
fi
report --sort-percentage --fail-under-line "$LEAST" || status=1
[ -z "${COVERAGE_DIR:-}" ] || cp "$COPY_DIR/run.json" "$COVERAGE_DIR/run.$(date +%s).json"
exit "$status"
