#!/usr/bin/env bash
#
# Build parts of the extension outside PostgreSQL, with sanitizers where the
# compiler has them, and run their tests.
#
#	test/unit/run.sh [ROUNDS [SEED]]	rounds of random changes (100000)
#
# The last line is the sum, "N passed, N failed".
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
pg_config=$(../pg_config.sh --path)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sanitize="-fsanitize=address,undefined -fno-sanitize-recover=undefined"
echo 'int main(void) { return 0; }' >"$work/try.c"
# shellcheck disable=SC2086
"${CC:-cc}" $sanitize -o "$work/try" "$work/try.c" 2>/dev/null && "$work/try" 2>/dev/null || sanitize=

# shellcheck disable=SC2086
"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O1 -g $sanitize -fno-omit-frame-pointer -fwrapv \
	-Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers \
	-I"$("$pg_config" --includedir-server)" -o "$work/decode" decode.c ../../src/decode.c \
	-L"$("$pg_config" --libdir)" -L"$("$pg_config" --pkglibdir)" -lpgcommon -lpgport -lm
ASAN_OPTIONS=detect_leaks=0 "$work/decode" "$@"
