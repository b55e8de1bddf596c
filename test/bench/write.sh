#!/usr/bin/env bash
#
# COPY into a foreign table, side by side with
#
#	local	COPY of the same file into an unlogged table: parsing and storing
#	bare	libcurl alone, sending bodies made beforehand with the same concurrency
#	client	the official TypeScript client's upsert, if npm can install it
#
# in both write modes, from a text file and from a binary one.  Parsing 768
# numbers of text is what PostgreSQL's array_in takes most of the time for; the
# client is given the text file in the one case and records in memory in the
# other.  All write the same records to a namespace that has them already, so
# that the server's growing is not what is measured.
#
# RECORDS and DIMENSION (default 100000 x 768) size the file, ROUNDS (default 3)
# how often each is measured; the figures are medians.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=test/cluster.sh
source test/cluster.sh
# shellcheck source=test/bench/lib/bench.sh
source test/bench/lib/bench.sh
RECORDS=${RECORDS:-100000}
DIMENSION=${DIMENSION:-768}
ROUNDS=${ROUNDS:-3}
CONCURRENCY=4

# Seconds that a statement takes.
seconds() {
	milliseconds "$1" | awk '{print $1 / 1000}'
}

cluster_begin
cluster_postgres "shared_buffers = 256MB" "max_wal_size = 4GB"
cc -O2 -o "$CLUSTER_DIR/bare" test/bench/bare.c -lcurl
chmod 755 "$CLUSTER_DIR/bare"
cluster_pinecone --index "bench:$DIMENSION:cosine" --log-size 0
host=$(index_host bench)

# the same records as a file for COPY and as request bodies of just under 2 MB
perl -e '
	my ($n, $d, $copy, $bodies) = @ARGV;
	srand 1;
	my @pool = map { sprintf "%.7f", rand() * 2 - 1 } 1 .. 4096 + $d;
	open my $c, ">", $copy or die; open my $b, ">", $bodies or die;
	my ($body, $start) = ("", q({"vectors":[));
	for my $i (0 .. $n - 1)
	{
		my $at = ($i * 7) % 4096;
		my $values = join ",", @pool[$at .. $at + $d - 1];
		my $record = sprintf q({"id":"r%07d","values":[%s],"metadata":{"n":%d}}), $i, $values, $i;
		printf $c "r%07d\t%d\t{%s}\n", $i, $i, $values;
		if (length($body) + length($record) > 1_999_900) { print $b "$start$body]}\n"; $body = ""; }
		$body .= ($body eq "" ? "" : ",") . $record;
	}
	print $b "$start$body]}\n";
' "$RECORDS" "$DIMENSION" "$CLUSTER_DIR/records.copy" "$CLUSTER_DIR/bodies"
chmod 644 "$CLUSTER_DIR/records.copy"

psql -qX <<END
CREATE EXTENSION pinecone_fdw;
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '$host', write_concurrency '$CONCURRENCY');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key '$PINECONE_LOCAL_KEY');
CREATE FOREIGN TABLE transactional (id text, n int, embedding real[]) SERVER s;
CREATE FOREIGN TABLE immediate (id text, n int, embedding real[]) SERVER s OPTIONS (write_mode 'immediate');
CREATE UNLOGGED TABLE local (id text, n int, embedding real[]);
END
# the namespace has the records from here on
"$CLUSTER_DIR/bare" post "$host/vectors/upsert" "$PINECONE_LOCAL_KEY" "$CLUSTER_DIR/bodies" "$CONCURRENCY" >/dev/null

seconds "COPY local FROM '$CLUSTER_DIR/records.copy'" >/dev/null
psql -qX -c "COPY local TO '$CLUSTER_DIR/records.binary' (FORMAT binary)"

: >"$CLUSTER_DIR/bare.s"
for _ in $(seq "$ROUNDS"); do
	for format in text binary; do
		file=$CLUSTER_DIR/records.copy
		[ "$format" = text ] || file=$CLUSTER_DIR/records.binary
		psql -qX -c 'TRUNCATE local'
		for table in local immediate transactional; do
			seconds "COPY $table FROM '$file' (FORMAT $format)" >>"$CLUSTER_DIR/$format.$table.s"
		done
	done
	"$CLUSTER_DIR/bare" post "$host/vectors/upsert" "$PINECONE_LOCAL_KEY" "$CLUSTER_DIR/bodies" "$CONCURRENCY" >"$CLUSTER_DIR/bare.out"
	cut -d ' ' -f 1 "$CLUSTER_DIR/bare.out" >>"$CLUSTER_DIR/bare.s"
done
bare=$(median <"$CLUSTER_DIR/bare.s")
printf 'bare: %.2f s (%.0f MB/s)\n' "$bare" "$(awk '{print $2 / $1 / 1e6}' "$CLUSTER_DIR/bare.out")"
for format in text binary; do
	declare "${format}_local=$(median <"$CLUSTER_DIR/$format.local.s")"
	declare "${format}_immediate=$(median <"$CLUSTER_DIR/$format.immediate.s")"
	declare "${format}_transactional=$(median <"$CLUSTER_DIR/$format.transactional.s")"
	local=${format}_local immediate=${format}_immediate transactional=${format}_transactional
	printf 'COPY of %s x %s, %s: local %.2f s, immediate %.2f s, transactional %.2f s\n' \
		"$RECORDS" "$DIMENSION" "$format" "${!local}" "${!immediate}" "${!transactional}"
	report "write_${format}_immediate_per_local" "${!immediate}" "${!local}" 2 at-most
	report "write_${format}_transactional_per_local" "${!transactional}" "${!local}" 2.5 at-most
	report "write_${format}_bare_per_immediate" "$bare" "${!immediate}" 0.5 at-least
done

# the official client
module=$(official_client) || exit 0
batch=$((1900000 / (DIMENSION * 12 + 100)))
node test/bench/client_write.mjs "$module" "$host" "$PINECONE_LOCAL_KEY" "$CLUSTER_DIR/records.copy" \
	$((batch < 1000 ? batch : 1000)) "$CONCURRENCY" >"$CLUSTER_DIR/client"
text=$(cut -d ' ' -f 1 "$CLUSTER_DIR/client")
binary=$(cut -d ' ' -f 2 "$CLUSTER_DIR/client")
printf 'client: %.2f s from the text file, %.2f s from memory\n' "$text" "$binary"
for format in text binary; do
	for mode in immediate transactional; do
		seconds=${format}_$mode
		report "write_${format}_client_per_$mode" "${!format}" "${!seconds}" 2 at-least
	done
done
