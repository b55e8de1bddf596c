#!/usr/bin/env bash
#
# Build parts of the extension outside PostgreSQL, and of pinecone-local, with
# sanitizers where the compiler has them, and run their tests.
#
#	test/unit/run.sh [ROUNDS [SEED]]	rounds of random changes (100000)
#
# RUNNER is put in front of programs that are not this machine's.
#
# The last line is the sum, "N passed, N failed".
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
pg_config=$(../pg_config.sh --path)
rounds=${1:-100000}
seed=${2:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo 'int main(void) { return 0; }' >"$work/try.c"
for sanitize in address,undefined undefined ''; do
	sanitize=${sanitize:+-fsanitize=$sanitize -fno-sanitize-recover=undefined}
	# shellcheck disable=SC2086
	"${CC:-cc}" $sanitize -o "$work/try" "$work/try.c" 2>/dev/null && ${RUNNER:-} "$work/try" 2>/dev/null && break
done

build() { # PROGRAM FILE|OPTION...
	local program=$1
	shift
	# shellcheck disable=SC2086
	"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O1 -g $sanitize -fno-omit-frame-pointer -fwrapv \
		-Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers \
		-I../../src -I"$("$pg_config" --includedir-server)" -o "$work/$program" "$@" backend.c \
		-L"$("$pg_config" --libdir)" -L"$("$pg_config" --pkglibdir)" -lpgcommon -lpgport -lm
}

passed=0
failed=0
run() { # PROGRAM ROUNDS
	local output
	output=$(ASAN_OPTIONS=detect_leaks=0 ${RUNNER:-} "$work/$1" "$2" "$seed") || true
	printf '%s: %s\n' "$1" "$output"
	if [[ $output =~ ([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		passed=$((passed + BASH_REMATCH[1]))
		failed=$((failed + BASH_REMATCH[2]))
	else
		failed=$((failed + 1))
	fi
}

build decode decode.c ../../src/wire/{decode,decode_metadata,scanner,scanner_numbers,parse_floats}.c
build floats floats.c ../../src/wire/parse_floats.c
build floats_portable floats.c ../../src/wire/parse_floats.c -DPINECONE_PORTABLE
build vector vector.c ../server/{vector,places,number,widened,json,util}.c
run decode "$rounds"
run floats $((rounds / 10))
run floats_portable $((rounds / 10))
run vector "$rounds"
printf '%d passed, %d failed\n' "$passed" "$failed"
exit $((failed > 0))
