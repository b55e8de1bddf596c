#!/usr/bin/env bash
#
# COPY into a foreign table, side by side with
#
#	local	COPY of the same file into an unlogged table: parsing and storing
#	bare	libcurl alone, sending bodies made beforehand with the same concurrency
#	client	the official TypeScript client's upsert, if npm can install it
#
# in both write modes.  All write the same records to a namespace that has them
# already, so that the server's growing is not what is measured.
#
# RECORDS and DIMENSION (default 100000 x 768) size the file, ROUNDS (default 3)
# how often each is measured; the figures are medians.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=test/cluster.sh
source test/cluster.sh
RECORDS=${RECORDS:-100000}
DIMENSION=${DIMENSION:-768}
ROUNDS=${ROUNDS:-3}
CONCURRENCY=4

median() {
	sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'
}

report() { # NAME VALUE BASE TARGET at-most|at-least
	awk -v n="$1" -v a="$2" -v b="$3" -v t="$4" -v d="$5" 'BEGIN {
		r = a / b; ok = d == "at-most" ? r <= t : r >= t
		printf "bench %s ratio %.2f target %s %s\n", n, r, t, ok ? "met" : "missed" }'
}

# Seconds that a statement takes.
seconds() {
	psql -qXAt -c '\timing on' -c "$1" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | awk '{print $1 / 1000}'
}

cluster_begin
cluster_postgres "shared_buffers = 256MB" "max_wal_size = 4GB"
cc -O2 -o "$CLUSTER_DIR/bare" test/bench/bare.c -lcurl
chmod 755 "$CLUSTER_DIR/bare"
cluster_pinecone --index "bench:$DIMENSION:cosine" --log-size 0
host=$(curl -s -H "Api-Key: $PINECONE_LOCAL_KEY" "$PINECONE_LOCAL_URL/indexes/bench" | sed 's/.*"host":"\([^"]*\)".*/\1/')

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

for kind in local bare immediate transactional; do
	: >"$CLUSTER_DIR/$kind.s"
done
for _ in $(seq "$ROUNDS"); do
	psql -qX -c 'TRUNCATE local'
	seconds "COPY local FROM '$CLUSTER_DIR/records.copy'" >>"$CLUSTER_DIR/local.s"
	"$CLUSTER_DIR/bare" post "$host/vectors/upsert" "$PINECONE_LOCAL_KEY" "$CLUSTER_DIR/bodies" "$CONCURRENCY" >"$CLUSTER_DIR/bare.out"
	cut -d ' ' -f 1 "$CLUSTER_DIR/bare.out" >>"$CLUSTER_DIR/bare.s"
	seconds "COPY immediate FROM '$CLUSTER_DIR/records.copy'" >>"$CLUSTER_DIR/immediate.s"
	seconds "COPY transactional FROM '$CLUSTER_DIR/records.copy'" >>"$CLUSTER_DIR/transactional.s"
done
local=$(median <"$CLUSTER_DIR/local.s")
bare=$(median <"$CLUSTER_DIR/bare.s")
immediate=$(median <"$CLUSTER_DIR/immediate.s")
transactional=$(median <"$CLUSTER_DIR/transactional.s")
printf 'COPY of %s x %s: local %.2f s, bare %.2f s (%.0f MB/s), immediate %.2f s, transactional %.2f s\n' \
	"$RECORDS" "$DIMENSION" "$local" "$bare" "$(awk '{print $2 / $1 / 1e6}' "$CLUSTER_DIR/bare.out")" "$immediate" "$transactional"
report write_immediate_per_local "$immediate" "$local" 2 at-most
report write_transactional_per_local "$transactional" "$local" 2.5 at-most
report write_bare_per_immediate "$bare" "$immediate" 0.5 at-least

# the official client
(cd test/contract && npm ci --silent --no-audit --no-fund >/dev/null 2>&1) || { echo "the official client cannot be installed"; exit 0; }
module=$(grep -o '"[^"]*": *"npm:@pinecone-database/pinecone@7[^"]*"' test/contract/package.json | cut -d '"' -f 2)
client=$(node test/bench/client_write.mjs "$module" "$host" "$PINECONE_LOCAL_KEY" "$CLUSTER_DIR/bodies" "$CONCURRENCY")
printf 'client: %.2f s\n' "$client"
report write_client_per_immediate "$client" "$immediate" 2 at-least
report write_client_per_transactional "$client" "$transactional" 2 at-least
