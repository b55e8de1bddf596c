#!/usr/bin/env bash
#
# Which lines of src/ do the tests run?  Builds the extension for gcov in a copy
# of the source, runs suites with it, and prints a line a file and the sum.
#
#	test/coverage.sh					regress tap random documents approximate docs
#	test/coverage.sh SUITE...			suites of test/check.sh
#	test/coverage.sh FILE...			some of test/t/*.pl and test/random/*.pl
#	COVERAGE_DIR=DIR test/coverage.sh	leaves there what gcovr says: lines.txt, lines.json,
#										functions.txt, those that no test calls, and index.html
#										with the source; adds to the counts of the runs before
#
# Runs of a COVERAGE_DIR add up file by file: counts of a file hold as long as it
# is as it was when they were taken, and those of files that have changed since
# are left out, which is said.
#
# Needs gcovr (Debian's package) besides what test/install.sh check installs.
# Backends write their counts when they exit: so servers are stopped "fast" here,
# and not "immediate" as else (CLUSTER_STOP of test/cluster.sh); those that a test
# kills, or lets crash, count nothing.  What the suite "small" alone runs is not
# seen, for it has a build of its own.  Not part of CI; an hour of one core.  Fails when fewer than
# nine lines in ten are run, or a test fails.
set -uo pipefail

[ -z "${COVERAGE_DIR:-}" ] || COVERAGE_DIR=$(realpath -m "$COVERAGE_DIR")
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
copy_choose "$@" || exit

# The servers' user writes them
open_counts() {
	chmod -R a+rwX src
}

# What each file is, in every run
digests() {
	sha256sum src/*.[ch] src/*/*.[ch]
}

# The counts of earlier runs, of files that are as they were then
take_earlier() {
	local run
	for run in "$COVERAGE_DIR"/run.*.json; do
		[ -e "$run" ] || continue
		perl -MJSON::PP -e '
			my ($counts, $then, $now, $to) = @ARGV;
			my ($json, %then, %now) = JSON::PP->new->canonical;
			my $read = sub { open my $file, "<", $_[0] or die "$_[0]: $!\n"; local $/; <$file> };
			%then = reverse map { split } split /\n/, $read->($then);
			%now = reverse map { split } split /\n/, $read->($now);
			my $run = $json->decode($read->($counts));
			my $same = sub { my $name = shift->{file}; ($then{$name} // "") eq ($now{$name} // "none") };
			my @changed = grep { !$same->($_) } @{$run->{files}};
			$run->{files} = [grep { $same->($_) } @{$run->{files}}];
			printf STDERR "%s: left out, for they have changed since: %s\n", $counts, join ", ", map { $_->{file} } @changed
				if @changed;
			open my $file, ">", $to or die "$to: $!\n";
			print $file $json->encode($run);
			close $file or die "$to: $!\n";
		' "$run" "${run%.json}.sources" "$COPY_DIR/run.sources" "$COPY_DIR/earlier.$(basename "$run")" || return
	done
}

# A line each: the file, the line, and what is never called
functions_not_run() {
	perl -MJSON::PP -e '
		local $/;
		for my $file (@{decode_json(<STDIN>)->{files}})
		{
			my %runs;
			$runs{"$_->{lineno} $_->{name}"} += $_->{execution_count} for @{$file->{functions}};
			print map { my ($line, $name) = split; "$file->{file}:$line $name\n" }
				sort { ($a =~ /(\d+)/)[0] <=> ($b =~ /(\d+)/)[0] } grep { !$runs{$_} } keys %runs;
		}'
}

make -s -j"$(nproc)" "PG_CONFIG=$PG_CONFIG" >"$COPY_DIR/make.log" 2>&1 || {
	tail -n 20 "$COPY_DIR/make.log"
	exit 1
}
open_counts
test/check.sh "${COPY_SUITES[@]}" >"$COPY_DIR/log" 2>&1
status=$?
[ "$status" = 0 ] || cat "$COPY_DIR/log"
tail -n 1 "$COPY_DIR/log"

digests >"$COPY_DIR/run.sources"
gcovr --root . --filter src/ --json "$COPY_DIR/run.json" >"$COPY_DIR/gcovr.log" 2>&1 || {
	tail -n 20 "$COPY_DIR/gcovr.log"
	exit 1
}
counts=(--add-tracefile "$COPY_DIR/run.json")
if [ -n "${COVERAGE_DIR:-}" ]; then
	mkdir -p "$COVERAGE_DIR" && take_earlier || exit
	for run in "$COPY_DIR"/earlier.*; do
		[ ! -e "$run" ] || counts+=(--add-tracefile "$run")
	done
	gcovr --root . --filter src/ "${counts[@]}" --txt "$COVERAGE_DIR/lines.txt" --json "$COVERAGE_DIR/lines.json" \
		--html-details "$COVERAGE_DIR/index.html" || exit
	functions_not_run <"$COVERAGE_DIR/lines.json" >"$COVERAGE_DIR/functions.txt"
	run=$COVERAGE_DIR/run.$(date +%s)
	cp "$COPY_DIR/run.sources" "$run.sources" && cp "$COPY_DIR/run.json" "$run.json"
fi
gcovr --root . --filter src/ "${counts[@]}" --sort-percentage --fail-under-line "$LEAST" || status=1
exit "$status"
