#!/usr/bin/env bash
#
# Do the tests see defects?  Makes the mutations of test/mutations one after the other,
# in a copy of the source, installs what comes of each into a PostgreSQL of its own, and
# runs the test that has to turn red.
#
#	test/mutate.sh [NAME|FOLDER...]		all of them, or some: by name, or those of src/FOLDER
#	test/mutate.sh --trust [NAME...]	without a look at whether the tests are green to begin with
#	test/mutate.sh --check				can all of them still be made?  A moment's work
#
# First each of the tests has to be green without a mutation; where one is not, its
# mutations count as surviving.  A test that takes longer
# than MUTATE_SECONDS (180) is red.  test/mutations/edit.pl says what a mutation is.
#
# The last line is "N killed, M survived"; with --check the sum.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
# shellcheck source=test/copy.sh
source test/copy.sh
[ "${1:-}" != --check ] || exec test/mutations/edit.pl check
trust=
if [ "${1:-}" = --trust ]; then
	trust=yes
	shift
fi

PG_CONFIG=$(test/pg_config.sh --path) || exit
readonly SECONDS_MOST=${MUTATE_SECONDS:-180}
killed=0
survived=()
red=() # tests, without any mutation

# With the headers of the other PostgreSQL, which ccache knows
build() { # TARGET
	make -s with_llvm=no "PG_CONFIG=$other_config" "$1" >"$COPY_DIR/build.log" 2>&1 || {
		tail -n 20 "$COPY_DIR/build.log"
		return 1
	}
}

# A file of its own, for sessions that have the other one
install_module() {
	local to
	to=$("$PG_CONFIG" --pkglibdir)/pinecone_fdw.so
	rm -f "$to" && install -m 755 pinecone_fdw.so "$to"
}

regress() {
	bash -c 'source test/cluster.sh && cluster_begin && cluster_postgres && cluster_pinecone &&
		make -s installcheck with_llvm=no "PG_CONFIG=$PG_CONFIG" "REGRESS=$1"' - "$1"
}

# Run a test, as the manifest names it.
run() {
	local kind=$1
	shift
	case $kind in
		regress) regress "$1" ;;
		tap) prove --verbose --nocolor -I test/t -I test/lib "test/t/$1.pl" ;;
		random) "test/random/$1.pl" "${@:2}" ;;
		unit) test/unit/run.sh 1000 ;;
		fuzz) test/fuzz/run.sh 1 "$1" ;;
	esac
}
export -f run regress

# Its exit status, with what it says in a log; 124: it took too long.  It is not
# waited for once it has failed.
run_in_time() {
	local pid why end=$((SECONDS + SECONDS_MOST))
	TMPDIR=$COPY_DIR/run setsid bash -c "run $1" >"$COPY_DIR/test.log" 2>&1 </dev/null &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		if grep -q '^not ok' "$COPY_DIR/test.log"; then
			why=1
		elif [ "$SECONDS" -ge "$end" ]; then
			why=124
		else
			sleep 0.1
			continue
		fi
		kill -- "-$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
		end_servers
		return "$why"
	done
	wait "$pid"
}

# Those of a test that was ended
end_servers() {
	local CLUSTER_DIR
	for CLUSTER_DIR in "$COPY_DIR"/run/pinecone_fdw.*; do
		[ ! -d "$CLUSTER_DIR" ] || (export CLUSTER_DIR && source test/cluster.sh && cluster_end)
	done
}

try() {
	local name=$1 file=$2 what=$3 status=0
	cp "$file" "$COPY_DIR/original"
	test/mutations/edit.pl make "$name" || {
		survived+=("$name")
		return
	}
	if build pinecone_fdw.so && install_module; then
		run_in_time "$what" || status=$?
	else
		printf '%s does not build\n' "$name"
	fi
	if [ "$status" = 0 ]; then
		survived+=("$name")
		grep '^# left out' "$COPY_DIR/test.log"
		printf 'SURVIVED: %s (%s)\n' "$name" "$what"
	else
		killed=$((killed + 1))
		printf 'killed: %s (%s%s)%s\n' "$name" "$what" "$([ "$status" != 124 ] || echo ', too long')" \
			"$(grep -m 1 -E "^not ok|^# +Failed test|FAILED|^WRONG|ERROR:" "$COPY_DIR/test.log" | cut -c 1-100 | sed 's/^ */: /')"
	fi
	cp "$COPY_DIR/original" "$file"
}

# In a function, for who edits this file while it runs
main() {
	mapfile -t mutations < <(test/mutations/edit.pl list "$@")
	[ ${#mutations[@]} -gt 0 ] || {
		echo "there is no such mutation" >&2
		exit 2
	}
	test/mutations/edit.pl check >/dev/null || {
		test/mutations/edit.pl check
		exit 1
	}
	other_config=$PG_CONFIG
	copy_begin mutate && copy_postgres && copy_source && build all && make -s with_llvm=no "PG_CONFIG=$PG_CONFIG" install && make -s -C test/server || exit
	mkdir -m 1777 "$COPY_DIR/run" "$COPY_DIR/templates"
	export CLUSTER_TEMPLATES=$COPY_DIR/templates
	[ -n "$trust" ] || while read -r what; do
		# a busy machine is late now and then
		run_in_time "$what" || run_in_time "$what" || {
			cat "$COPY_DIR/test.log"
			printf 'not green without any mutation: %s\n' "$what"
			red+=("$what")
		}
	done < <(printf '%s\n' "${mutations[@]}" | cut -f 3 | sort -u)
	for mutation in "${mutations[@]}"; do
		IFS=$'\t' read -r name file what <<<"$mutation"
		if [[ " ${red[*]/%/;} " = *" $what; "* ]]; then
			printf 'not tried: %s (%s)\n' "$name" "$what"
			survived+=("$name")
		else
			try "$name" "$file" "$what"
		fi
	done
	[ ${#survived[@]} = 0 ] || printf 'survived: %s\n' "${survived[*]}"
	printf '%d killed, %d survived\n' "$killed" "${#survived[@]}"
	[ ${#survived[@]} = 0 ]
}

main "$@"
exit
