#!/usr/bin/env bash
#
# Look for memory that nothing points to any more, by valgrind, when backends that
# have run statements of all kinds end: test/t/105_growth.pl in a PostgreSQL that
# is links to the one of PG_CONFIG, whose server runs under valgrind.
#
#	test/valgrind.sh [FILE...]		other files of test/t and test/random
#	PINECONE_FDW_ROUNDS=13 test/valgrind.sh		more rounds than one
#
# Needs valgrind (Debian's package) besides what test/install.sh check installs.
# A block that is lost in our files, libcurl or json-c is a fault, and printed; reads of
# what is not there are reported too. palloc'd memory is malloc's by the block: a
# lost chunk is seen by its context's growth, which the test looks at. Not part of CI, for it
# takes some minutes a round. The last line is the sum.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
command -v valgrind >/dev/null || {
	echo "valgrind is missing: apt-get install valgrind" >&2
	exit 1
}
# shellcheck source=test/copy.sh
source test/copy.sh
PG_CONFIG=$(test/pg_config.sh --path) && copy_begin valgrind && copy_postgres && copy_source || exit
[ $# -gt 0 ] || set -- test/t/105_growth.pl
copy_choose "$@" || exit

reports=$COPY_DIR/reports
mkdir "$reports" && chmod 1777 "$reports"
# Values that were never set are not looked for: PostgreSQL itself writes such ones to disk
postgres=$("$PG_CONFIG" --bindir)/postgres
mv "$postgres" "$postgres.real" && cat >"$postgres" <<-END && chmod 755 "$postgres" || exit
	#!/bin/bash
	[[ " \$* " != *" --boot "* && " \$* " != *" --single "* && " \$* " != *" -V "* ]] || exec -a "\$0" "\$0.real" "\$@"
	exec valgrind --quiet --trace-children=yes --child-silent-after-fork=no --undef-value-errors=no --leak-check=full \\
		--show-leak-kinds=definite --errors-for-leak-kinds=definite --num-callers=30 --log-file="$reports/%p" "\$0.real" "\$@"
END

# The memory of a process is mostly valgrind's
export PINECONE_FDW_ROUNDS=${PINECONE_FDW_ROUNDS:-1} PINECONE_FDW_SLACK=1000000 MAKEFLAGS=with_llvm=no COPT='-O1 -g' CLUSTER_STOP=fast
test/check.sh "${COPY_SUITES[@]}" >"$COPY_DIR/log" 2>&1
read -r passed _ failed _ < <(tail -n 1 "$COPY_DIR/log")
[ "${failed:-1}" = 0 ] || cat "$COPY_DIR/log"

# Reports are paragraphs; those count that one of our files, libcurl or json-c is in
ours=$(cat "$reports"/* 2>/dev/null | sed -E 's/^==[0-9]+== ?//' |
	perl -00 -ne 'print if m{/src/\w+/\w+\.c|\(\w+\.c:\d+\).*pinecone|pinecone_|libcurl|libjson-c}')
[ -z "$ours" ] || {
	printf '%s\n' "$ours" | head -n 200
	failed=$((${failed:-1} + 1))
}
printf '%d processes\n' "$(ls "$reports" | wc -l)"
printf '%d passed, %d failed\n' "${passed:-0}" "${failed:-1}"
[ "${failed:-1}" = 0 ]
