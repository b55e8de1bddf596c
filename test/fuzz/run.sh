#!/usr/bin/env bash
#
# Fuzz the parsers of what comes from outside, with libFuzzer, AddressSanitizer and
# UBSan: in a backend in single-user mode, for that is where they live (driver.c);
# pinecone-local's, target "requests", in a program of their own.
#
#	test/fuzz/run.sh [SECONDS [TARGET...]]	so long for each target (2), all of them by default
#
# Each target first takes its seeds, test/fuzz/corpus/TARGET, then what libFuzzer
# makes of them.  FUZZ_KEEP=DIR keeps what it has found worth keeping, and goes on
# from there the next time.  An input that is taken wrongly is printed in base64 and
# left in FUZZ_KEEP, or else in TMPDIR: mend the cause, and make it a seed that is
# named for the fault.  The extension has to be built.
#
# FUZZ_COVERAGE=yes says of each file under test how many of its lines were run.
#
# Needs clang with its libFuzzer; without it the targets count as left out.  The last
# line is the sum, "N passed, N failed".
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source=test/cluster.sh
source ../cluster.sh

# What is fuzzed, of src/, and what of pinecone-local filters with it
readonly SOURCES="wire/decode wire/decode_metadata wire/embedding wire/message wire/message_error wire/message_request wire/message_schema wire/parse_floats wire/parsed
	wire/print wire/record wire/scanner wire/scanner_numbers wire/schema wire/stats
	value/match value/sparse value/sparse_functions value/vector value/times value/json_text
	option/option_list option/option_hosts base/rate_limits client/allowed_host client/reply
	huf/huf_moments_type huf/huf_moments pending/write_code"
readonly LOCAL="filter metadata json number widened util facts"
readonly ALL_TARGETS=(reply documents message embeddings header floats record match option host moments write sparse vector times requests)

seconds=${1:-2}
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=("${ALL_TARGETS[@]}")
passed=0
failed=0

finish() {
	printf '%d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" = 0 ]
	exit
}

leave_out() {
	echo "# left out: $1"
	finish
}

find_clang() {
	local found
	for found in "${CLANG:-}" clang clang-{20,19,18,17,16,15,14}; do
		[ -n "$found" ] && command -v "$found" >/dev/null || continue
		fuzzer=$("$found" -print-file-name="libclang_rt.fuzzer_no_main-$(uname -m).a")
		asan=$("$found" -print-file-name="libclang_rt.asan-$(uname -m).so")
		# newer ones have a directory for each machine instead
		[ -e "$fuzzer" ] || fuzzer=$("$found" -print-file-name=libclang_rt.fuzzer_no_main.a)
		[ -e "$asan" ] || asan=$("$found" -print-file-name=libclang_rt.asan.so)
		clang=$found
		[ -e "$fuzzer" ] && [ -e "$asan" ] && return
	done
	return 1
}

# Compile files side by side: "OBJECT FILE OPTION..." a line
compile() {
	local sanitize=(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-sanitize=function -shared-libsan)
	local common=(-g -O1 -fPIC -fno-omit-frame-pointer -fwrapv -ffp-contract=off -w -Werror=implicit-function-declaration -D_GNU_SOURCE)
	[ -z "${FUZZ_COVERAGE:-}" ] || sanitize+=(-fprofile-instr-generate -fcoverage-mapping)
	xargs -P "$(nproc)" -L 1 "$clang" "${common[@]}" "${sanitize[@]}" "-I../../src" \
		"-I$("$PG_CONFIG" --includedir-server)" $(pkg-config --cflags libcurl json-c) -c -o
}

# All of it as one module for the backend.  What else of the extension it calls
# comes from the objects that "make" has left, and pinecone-local's functions, some
# of which are called as PostgreSQL's are, do not show.
build() {
	local name
	{
		for name in $SOURCES; do
			echo "$work/src_${name//\//_}.o ../../src/$name.c -include alloc.h"
		done
		for name in *.c; do
			case $name in
				requests.c) ;;
				reference.c | local_match.c | alloc.c | driver.c) echo "$work/${name%.c}.o $name" ;;
				*) echo "$work/${name%.c}.o $name -include alloc.h" ;;
			esac
		done
		for name in $LOCAL; do
			echo "$work/local_$name.o ../server/$name.c"
		done
	} | compile || return
	cc -shared -fPIC -Wl,-z,initfirst -o "$work/first.so" -x c - <<-END || return
		#include <stdlib.h>
		__attribute__((constructor)) static void first(void) { void *volatile p = malloc(1); free(p); }
	END
	ld -r -o "$work/only_match.o" "$work"/local_*.o && objcopy --keep-global-symbol=local_match "$work/only_match.o" &&
		rm "$work"/local_*.o || return
	mapfile -t rest < <(for name in ../../src/*/*.o; do
		[[ " $(echo $SOURCES) " = *" $(echo "$name" | sed 's,../../src/\(.*\)\.o$,\1,') "* ]] || echo "$name"
	done)
	ar rcs "$work/rest.a" "${rest[@]}" || return
	"$clang" -shared -shared-libsan -fsanitize=address,undefined ${FUZZ_COVERAGE:+-fprofile-instr-generate} -o "$work/fuzz.so" \
		"$work"/*.o "$work/rest.a" "$fuzzer" -Wl,-Bsymbolic -lstdc++ -lm $(pkg-config --libs libcurl json-c) -pthread
}

# pinecone-local, but for its main()
build_requests() {
	local name sanitize=(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined)
	mkdir -p "$work/requests"
	for name in ../server/*.c requests.c; do
		case $name in
			*/main.c | */http.c) ;; # requests.c has that
			*) echo "$work/requests/$([[ $name != */* ]] || echo server_)$(basename "$name" .c).o $name" ;;
		esac
	done | xargs -P "$(nproc)" -L 1 "$clang" -g -O1 -w -std=gnu11 -D_GNU_SOURCE -DNO_TARGET_CLONES -pthread \
		-fno-omit-frame-pointer "${sanitize[@]}" -c -o &&
		"$clang" -fsanitize=fuzzer,address,undefined -o "$work/requests/fuzz" "$work"/requests/*.o -lmicrohttpd -lstemmer -lm -pthread
}

# A backend with AddressSanitizer loaded first: older ones die of its interceptors
# unless somebody has allocated before.
backend() {
	env "ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:allocator_may_return_null=1:handle_abort=0" UBSAN_OPTIONS=print_stacktrace=1 \
		"LLVM_PROFILE_FILE=$work/%p.profraw" "LD_PRELOAD=$asan $work/first.so" \
		"${cluster_as[@]}" "$("$PG_CONFIG" --bindir)/postgres" --single -F -D "$CLUSTER_DIR/data" postgres
}

sql() {
	echo "$1" | backend >"$work/sql.log" 2>&1 || {
		cat "$work/sql.log"
		return 1
	}
}

# One target: its seeds alone, then on from them for as long as was asked for.
fuzz() {
	local target=$1 log=$work/$1.log found=$work/found/$1 dictionary=
	mkdir -p "$found" "$work/made/$target" "$work/seeds"
	cp -r "corpus/$target" "$work/seeds/" 2>/dev/null || mkdir -p "$work/seeds/$target"
	[ -z "${FUZZ_KEEP:-}" ] || cp -r "$FUZZ_KEEP/$target/." "$work/made/$target" 2>/dev/null
	[ ! -e "dict/$target.dict" ] || {
		cp "dict/$target.dict" "$work/" && dictionary=-dict=$work/$target.dict
	}
	chown -R "$(stat -c %U "$CLUSTER_DIR")" "$work" 2>/dev/null
	local arguments="-seed=${FUZZ_SEED:-0} -max_total_time=$seconds -timeout=10 -rss_limit_mb=4096 -max_len=${FUZZ_MAX_LEN:-2048} -print_final_stats=1 -reduce_inputs=1 $dictionary -artifact_prefix=$found/ $work/made/$target $work/seeds/$target"
	if [ "$target" = requests ]; then
		# shellcheck disable=SC2086 # many arguments
		(cd "$work/requests" && UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_leaks=1 ./fuzz $arguments) >"$log" 2>&1
	else
		echo "SELECT pinecone_fuzz('$target', '$arguments')" | backend >"$log" 2>&1
	fi
	[ -z "${FUZZ_KEEP:-}" ] || {
		mkdir -p "$FUZZ_KEEP/$target" && cp -r "$work/made/$target/." "$FUZZ_KEEP/$target"
	}
	if grep -q '^stat::number_of_executed_units' "$log" && [ -z "$(ls "$found")" ]; then
		passed=$((passed + 1))
		printf 'ok: %-10s %s\n' "$target" "$(sed -nE 's/^#([0-9]+)\tDONE +cov: ([0-9]+) ft: ([0-9]+) corp: ([^ ]+).*/\1 inputs, \2 edges, \3 features, corpus \4/p' "$log")"
		return
	fi
	failed=$((failed + 1))
	printf 'not ok: %s\n' "$target"
	grep -vE '^#[0-9]+|^INFO:|^backend>' "$log" | head -n 60
	for input in "$found"/*; do
		[ -e "$input" ] || continue
		cp "$input" "${FUZZ_KEEP:-${TMPDIR:-/tmp}}/" && printf '%s, in base64: %s\n' "${FUZZ_KEEP:-${TMPDIR:-/tmp}}/$(basename "$input")" "$(base64 -w 0 "$input" | head -c 4000)"
	done
}

coverage() {
	local tool
	tool=$(dirname "$(readlink -f "$(command -v "$clang")")")
	"$tool/llvm-profdata" merge -o "$work/all.profdata" "$work"/*.profraw &&
		"$tool/llvm-cov" report "$work/fuzz.so" "-instr-profile=$work/all.profdata" 2>/dev/null |
		awk '/src\// || /^wire|^value|^option|^base|^client|^huf|^pending/ {print $1, $(NF-3)}'
}

find_clang || leave_out "there is no clang with libFuzzer"
cluster_begin || exit
work=$CLUSTER_DIR/fuzz
mkdir -p "$work"
"${cluster_as[@]}" "$("$PG_CONFIG" --bindir)/initdb" -D "$CLUSTER_DIR/data" -U postgres -A trust --no-sync --no-locale -E UTF8 >"$work/initdb.log" 2>&1 &&
	build && chown -R "$(stat -c %U "$CLUSTER_DIR")" "$work" &&
	sql "CREATE FUNCTION pinecone_fuzz(text, text) RETURNS int LANGUAGE c STRICT AS '$work/fuzz.so'" || {
	failed=1
	finish
}
for target in "${targets[@]}"; do
	[ "$target" != requests ] || build_requests || {
		failed=$((failed + 1))
		continue
	}
	fuzz "$target"
done
[ -z "${FUZZ_COVERAGE:-}" ] || coverage
finish
