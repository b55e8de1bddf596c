#!/usr/bin/env bash
#
# Instructions of the inner loops on arm64, for each number of a vector: as they are built,
# as gcc makes them without vectorizing, and without what is written for NEON.  They are
# counted under qemu, which tells of each instruction that it runs one by one: what the
# processor's pipelines make of them is another matter.
#
#	test/arm64.sh instructions		sets up what this needs
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
server=$("$PG_CONFIG" --includedir-server)

# The Makefile's flags for sums; those of test/server/Makefile come to the same
simd() {
	sed -n 's/^SIMD_CFLAGS = //p' ../../../Makefile
}

compile() { # OUT FILE OPTION...
	local out=$1 file=$2
	shift 2
	"$CC" -std=gnu11 -D_GNU_SOURCE -O2 -fwrapv -fno-strict-aliasing -ffp-contract=off -I../../../src -I"$server" "$@" -c -o "$work/$out" "$file"
}

build() { # NAME OPTION...
	local name=$1
	shift
	mkdir "$work/$name"
	# shellcheck disable=SC2046
	{
		compile "$name/distance.o" ../../../src/base/distance.c $(simd) "$@"
		compile "$name/parse_floats.o" ../../../src/wire/parse_floats.c "$@"
		compile "$name/kernel.o" ../../server/kernel.c $(simd) "$@"
		compile "$name/number.o" ../../server/number.c -O3 -I../../server "$@"
	}
	# what the SQL functions call, which nothing here does
	"$CC" -o "$work/$name/instructions" "$work/instructions.o" "$work/backend.o" "$work/util.o" "$work/$name"/*.o \
		-static -Wl,--unresolved-symbols=ignore-all -lm
}

# Of one round, by the difference that two more make
count() { # NAME LOOP
	local rounds counts=()
	for rounds in 1 3; do
		"$RUNNER" -singlestep -d exec,nochain -D "$work/log" "$work/$1/instructions" "$2" "$rounds"
		counts+=("$(grep -c '^Trace' "$work/log")")
	done
	echo $(((counts[1] - counts[0]) / 2))
}

compile instructions.o instructions.c
compile backend.o ../../unit/backend.c
compile util.o ../../server/util.c -I../../server
build built
build scalar -fno-tree-vectorize
build portable -DPINECONE_PORTABLE
printf '%-15s %8s %8s %8s  instructions a number\n' loop built scalar portable
for loop in l2 product cosine decode server_product server_decode server_print; do
	printf '%-15s' "$loop"
	for name in built scalar portable; do
		count "$name" "$loop" | awk '{ printf " %8.1f", $1 / 256 }'
	done
	echo
done
