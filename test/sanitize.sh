#!/usr/bin/env bash
#
# Run suites with the extension, and pinecone-local, built with AddressSanitizer
# and UndefinedBehaviorSanitizer: in a copy of the source, and a PostgreSQL that
# is links to the one of PG_CONFIG, whose server loads the sanitizer first. Whatever
# a sanitizer reports, of any process, fails the run, whatever the test says.
#
#	test/sanitize.sh					all suites that this can be said of
#	test/sanitize.sh SUITE...			suites of test/check.sh; REGRESS="scan" test/sanitize.sh regress
#	test/sanitize.sh FILE...			some of test/t/*.pl and test/random/*.pl
#	test/sanitize.sh short				regress but the longest, and a few files of the others: what CI runs
#	PG_CONFIG=$(test/cassert.sh build) test/sanitize.sh
#										palloc'd memory is watched, too: see test/cassert.sh
#
#	SANITIZE_KEEP=DIR					keeps reports and logs there
#
# Needs what test/install.sh check installs; gcc. Building takes a minute of one
# core, and tests some three times as long as else. The last line is the sum;
# reports are printed before it, and count as failed.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
# shellcheck source=test/copy.sh
source test/copy.sh
PG_CONFIG=$(test/pg_config.sh --path) && copy_begin sanitize && copy_postgres && copy_source || exit

# They measure or limit memory, which here is many times as much, or count instructions.
# Of what others measure in passing Harness.pm says none.  The last two start pinecone-local
# with another library in front, where the sanitizer has to be.
readonly NOT_TAP="003_leaks 004_memory 013_write_memory 041_short_memory 081_idle_memory 039_lookups 040_clock"
readonly NOT_SHORT="huf_large huf_parallel huf_score offset search_cap" # the longest
readonly SHORT_FILES="test/t/002_faults.pl test/t/025_false_replies.pl test/random/statements.pl"

# Debian's server of major 15 does not come up when the sanitizer's allocator is
# used the first time after its shared memory is there
build_preload() {
	cat >"$COPY_DIR/early.c" <<-'END'
		#include <stdlib.h>

		__attribute__((constructor)) static void
		early(void)
		{
			void *volatile p = malloc(1);

			free(p);
		}
	END
	gcc -shared -fPIC -O1 -Wl,-z,initfirst -o "$COPY_DIR/early.so" "$COPY_DIR/early.c"
}

# The server alone has the sanitizer in front: not initdb's bootstrap, and not psql
wrap_postgres() {
	local postgres
	postgres=$("$PG_CONFIG" --bindir)/postgres
	mv "$postgres" "$postgres.real" && cat >"$postgres" <<-END
		#!/bin/bash
		[[ " \$* " == *" --boot "* ]] || export LD_PRELOAD="$(gcc -print-file-name=libasan.so) $COPY_DIR/early.so"
		exec -a "\$0" "\$0.real" "\$@"
	END
	chmod 755 "$postgres"
}

case ${1:-} in
	'') set -- regress tap small random approximate documents contract frameworks ;;
	short)
		# shellcheck disable=SC2086
		set -- regress $SHORT_FILES
		if [ -z "${REGRESS:-}" ]; then
			REGRESS=$(basename -s .sql sql/*.sql | grep -vxE "${NOT_SHORT// /|}" | tr '\n' ' ')
			export REGRESS
		fi
		;;
esac
copy_choose "$@" || exit
for file in $NOT_TAP; do
	rm -f "test/t/$file.pl"
done
build_preload && wrap_postgres || exit

reports=$COPY_DIR/reports
mkdir "$reports" && chmod 1777 "$reports"
export COPT="-O1 -g1 -fsanitize=address,undefined -fno-omit-frame-pointer -U_FORTIFY_SOURCE -Wno-error=maybe-uninitialized"
export SANITIZE=address,undefined CFLAGS="-O1 -g1 -U_FORTIFY_SOURCE" MAKEFLAGS="with_llvm=no"
export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:strict_string_checks=1:quarantine_size_mb=16:log_path=$reports/asan
export PINECONE_FDW_SLACK=1000000 # memory that the sanitizer keeps
export UBSAN_OPTIONS=print_stacktrace=1
make -s -C test/server clean
log=$COPY_DIR/log
export CLUSTER_LOGS=$COPY_DIR/servers.log
: >"$CLUSTER_LOGS"
test/check.sh "${COPY_SUITES[@]}" >"$log" 2>&1
read -r passed _ failed _ < <(tail -n 1 "$log")
if [ "${failed:-1}" = 0 ]; then grep '^# left out' "$log"; else cat "$log"; fi

# What is undefined alone ends no process, so that what follows is seen too; it is in the servers' logs
grep -aA 12 'runtime error:' "$CLUSTER_LOGS" >"$reports/undefined"
# What ended without a report
if grep -aE 'was terminated by signal (6|7|8|11)\b' "$CLUSTER_LOGS" >"$COPY_DIR/signals"; then
	[ -n "$(ls "$reports")" ] || failed=$((failed + 1))
	sort "$COPY_DIR/signals" | uniq -c | head -n 20
fi
for report in "$reports"/*; do
	[ -s "$report" ] || continue
	failed=$((failed + 1))
	printf '\nreport %s:\n' "${report##*/}"
	head -n 60 "$report"
done
[ -z "${SANITIZE_KEEP:-}" ] || cp -r "$reports" "$COPY_DIR"/*log "$SANITIZE_KEEP"
printf '%d passed, %d failed\n' "${passed:-0}" "${failed:-1}"
[ "${failed:-1}" = 0 ]
