#!/usr/bin/env bash
#
# Look at the source with cppcheck, and clang-tidy.
#
#	test/lint.sh					cppcheck: the suite "lint" of test/check.sh
#	test/lint.sh tidy [FILE...]		clang-tidy, all files or some; ten minutes of one core
#
# Needs cppcheck, which test/install.sh check installs, or clang-tidy.  What they are
# not to say, and why, is in test/lint: cppcheck.txt and clang-tidy.yaml.  cppcheck
# reads our files without PostgreSQL's headers, of which test/lint/cppcheck.h has
# what it must know.  The last line is the sum.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
passed=0
failed=0

count() { # WHAT STATUS
	[ "$2" = 0 ] && passed=$((passed + 1)) || {
		failed=$((failed + 1))
		echo "$1: see above" >&2
	}
}

check() { # WHAT OPTION|FILE...
	local what=$1
	shift
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability --inline-suppr \
		--suppressions-list=test/lint/cppcheck.txt --template='{file}:{line}: {severity} {id}: {message}' "$@"
	count "cppcheck, $what" $?
}

# The extension's files see PostgreSQL's headers, pinecone-local's do not: both have an Index
tidy() {
	local file include flags=()
	include=$(test/pg_config.sh --includedir-server) || exit
	[ $# -gt 0 ] || set -- src/*.c src/*/*.c test/server/*.c
	for file; do
		case $file in
			src/*) flags=(-DUSE_ASSERT_CHECKING=1 -Isrc "-I$include") ;;
			*) flags=() ;;
		esac
		# shellcheck disable=SC2046
		clang-tidy --quiet --config-file=test/lint/clang-tidy.yaml "$file" -- -std=gnu11 -D_GNU_SOURCE "${flags[@]}" \
			$(pkg-config --cflags libcurl json-c) 2>/dev/null
		count "$file" $?
	done
}

case ${1:-} in
	tidy) tidy "${@:2}" ;;
	'')
		command -v cppcheck >/dev/null || {
			echo "# left out: cppcheck is not installed"
			exit 0
		}
		check src --library=posix -DPG_VERSION_NUM=150000 -Isrc --include=test/lint/cppcheck.h src/*.c src/*/*.c
		check test/server -Itest/server test/server/*.c
		;;
	*) exec sed -n '3,7s/^# \?//p' "$0" ;;
esac
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
