#!/usr/bin/env bash
#
# Document indexes, side by side in one run with bare libcurl, and with the same
# records in an index of vectors:
#
#	search	ORDER BY embedding <=> $1 LIMIT 10 with a title, and a search for two
#			words, prepared, in a namespace of RECORDS, against bare libcurl
#	copy	COPY of a binary file, in write_mode 'immediate', against bare libcurl
#			sending bodies made beforehand with the same concurrency; with vectors of
#			pgvector's type, and once more with real[], where PostgreSQL's array_recv
#			takes more than all the rest
#	scan	two fields of metadata of all records: bytes received, against an index
#			of vectors that is listed and fetched (enable_sweep off), and as it is
#	update	one field of 10,000 records, at 50 ms a request, against an index of
#			vectors
#
# RECORDS and DIMENSION (default 100000 x 768) size the namespace that is searched;
# a fifth of it is copied, in WIDE (1536) dimensions UPDATED (10000) are scanned and
# updated.  ROUNDS (default 3) is how often each is measured; the figures are medians.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=test/cluster.sh
source test/cluster.sh
# shellcheck source=test/bench/lib/bench.sh
source test/bench/lib/bench.sh
RECORDS=${RECORDS:-100000}
DIMENSION=${DIMENSION:-768}
WIDE=${WIDE:-1536}
UPDATED=${UPDATED:-10000}
ROUNDS=${ROUNDS:-3}
CONCURRENCY=4
COPIED=$((RECORDS / 5))

cluster_begin
# what has been written is not laid over what is read: it is shown at once here
cluster_postgres "shared_buffers = 256MB" "max_parallel_workers_per_gather = 0" "pinecone_fdw.unseen_time = 0"
cc -O2 -o "$CLUSTER_DIR/bare" test/bench/bare.c -lcurl
chmod 755 "$CLUSTER_DIR/bare"
schema() {
	printf '{"fields": {"title": {"type": "string", "full_text_search": {}}, "embedding": {"type": "dense_vector", "dimension": %d, "metric": "cosine"}}}' "$1"
}
schema "$DIMENSION" >"$CLUSTER_DIR/schema.json"
schema "$WIDE" >"$CLUSTER_DIR/wide.json"

# Documents: those that are searched as lines to load, those that are copied as a file and as bodies
perl -e '
	my ($n, $copied, $d, $lines, $copy, $bodies) = @ARGV;
	srand 1;
	my @pool = map { sprintf "%.7f", rand() * 2 - 1 } 1 .. 4096 + $d;
	my @words = map { "word$_" } 1 .. 5000;
	open my $l, ">", $lines or die; open my $c, ">", $copy or die; open my $b, ">", $bodies or die;
	my ($body, $start) = ("", q({"documents":[));
	for my $i (0 .. $n - 1)
	{
		my $at = ($i * 7) % 4096;
		my $values = join ",", @pool[$at .. $at + $d - 1];
		my $title = join " ", map { $words[@words * rand() * rand()] } 1 .. 20;
		my $document = sprintf q({"_id":"r%07d","title":"%s","embedding":[%s],"n":%d}), $i, $title, $values, $i;
		print $l qq({"index":"bench","namespace":"","document":$document}\n);
		next if $i >= $copied;
		printf $c "r%07d\t%s\t%d\t{%s}\n", $i, $title, $i, $values;
		if (length($body) + length($document) > 1_999_900) { print $b "$start$body]}\n"; $body = ""; }
		$body .= ($body eq "" ? "" : ",") . $document;
	}
	print $b "$start$body]}\n";
' "$RECORDS" "$COPIED" "$DIMENSION" "$CLUSTER_DIR/documents.jsonl" "$CLUSTER_DIR/documents.copy" "$CLUSTER_DIR/bodies"
chmod 644 "$CLUSTER_DIR"/*.json "$CLUSTER_DIR"/*.jsonl "$CLUSTER_DIR/documents.copy"
cluster_pinecone --index "bench:$CLUSTER_DIR/schema.json" --index "copied:$CLUSTER_DIR/schema.json" --index "wide:$CLUSTER_DIR/wide.json" \
	--index "vectors:$WIDE:cosine" --load "$CLUSTER_DIR/documents.jsonl" --log-size 0
rm "$CLUSTER_DIR/documents.jsonl"

psql -qX <<END
CREATE EXTENSION pinecone_fdw;
CREATE EXTENSION vector;
SELECT format('CREATE SERVER %1\$s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index %1\$L, control_host %2\$L, write_concurrency %3\$L);
	CREATE USER MAPPING FOR CURRENT_USER SERVER %1\$s OPTIONS (api_key %4\$L)', index, '$PINECONE_LOCAL_URL', '$CONCURRENCY', '$PINECONE_LOCAL_KEY')
FROM unnest('{bench,copied,wide,vectors}'::text[]) index \gexec
CREATE FOREIGN TABLE bench (id text, title text, embedding real[], score real) SERVER bench;
CREATE FOREIGN TABLE copied (id text, title text, n int, embedding vector) SERVER copied OPTIONS (write_mode 'immediate');
CREATE FOREIGN TABLE copied_array (id text, title text, n int, embedding real[]) SERVER copied OPTIONS (write_mode 'immediate');
CREATE FOREIGN TABLE wide (id text, kind text, n int, m int, embedding real[]) SERVER wide;
CREATE FOREIGN TABLE vectors (id text, kind text, n int, m int, embedding real[]) SERVER vectors;
CREATE TABLE local (id text, title text, n int, embedding real[]);
COPY local FROM '$CLUSTER_DIR/documents.copy';
END

# ---- Searches: the server-side time of each execution of a prepared statement ----

vector=$(awk -v d="$DIMENSION" 'BEGIN { srand(3); for (j = 0; j < d; j++) printf "%s%.6f", j ? "," : "", rand() }')
measure_queries() { # NAME QUERY BODY N
	printf '%s' "$3" >"$CLUSTER_DIR/query.json"
	cat >"$CLUSTER_DIR/query.sql" <<END
SET plan_cache_mode = force_generic_plan;
CREATE TEMP TABLE times (us float8);
DO \$\$
DECLARE t timestamptz; us float8[]; v real[] := '{$vector}'; w text := 'word3 word900';
BEGIN
  FOR i IN 1..$4 LOOP
    t := clock_timestamp();
    PERFORM $2;
    us[i] := extract(epoch FROM clock_timestamp() - t) * 1e6;
  END LOOP;
  INSERT INTO times SELECT unnest(us);
END \$\$;
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY us) FROM times;
END
	: >"$CLUSTER_DIR/sql.us"
	: >"$CLUSTER_DIR/bare.us"
	for _ in $(seq "$ROUNDS"); do
		"$CLUSTER_DIR/bare" query "$(index_host bench)/namespaces/__default__/documents/search" "$PINECONE_LOCAL_KEY" "$CLUSTER_DIR/query.json" "$4" >>"$CLUSTER_DIR/bare.us"
		psql -qXAt -f "$CLUSTER_DIR/query.sql" >>"$CLUSTER_DIR/sql.us"
	done
	sql_us=$(median <"$CLUSTER_DIR/sql.us")
	bare_us=$(median <"$CLUSTER_DIR/bare.us")
	printf '%s: %s us through SQL, %s us bare (p50, %d documents of %d dimensions)\n' "$1" "$sql_us" "$bare_us" "$RECORDS" "$DIMENSION"
	report "documents_$1_p50_sql_per_bare" "$sql_us" "$bare_us" 1.1 at-most
}
measure_queries vector "id, title FROM bench ORDER BY embedding <=> v LIMIT 10" \
	"{\"score_by\":[{\"type\":\"dense_vector\",\"fields\":[\"embedding\"],\"values\":[$vector]}],\"top_k\":10,\"include_fields\":[\"title\"]}" 200
measure_queries words "id, title FROM bench WHERE title @@@ w ORDER BY score DESC LIMIT 10" \
	'{"score_by":[{"type":"text","fields":["title"],"query":"word3 word900"}],"top_k":10,"include_fields":["title"]}' 500

# ---- COPY: both write the same documents again ----

psql -qX -c "COPY local TO '$CLUSTER_DIR/copied_array' (FORMAT binary)" \
	-c "COPY (SELECT id, title, n, embedding::vector FROM local) TO '$CLUSTER_DIR/copied' (FORMAT binary)" -c 'DROP TABLE local'
post() {
	"$CLUSTER_DIR/bare" post "$(index_host copied)/namespaces/__default__/documents/upsert" "$PINECONE_LOCAL_KEY" "$CLUSTER_DIR/bodies" "$CONCURRENCY"
}
post >/dev/null
for name in bare copied copied_array; do
	: >"$CLUSTER_DIR/$name.ms"
done
for _ in $(seq "$ROUNDS"); do
	post | awk '{print $1 * 1000}' >>"$CLUSTER_DIR/bare.ms"
	for table in copied copied_array; do
		milliseconds "COPY $table FROM '$CLUSTER_DIR/$table' (FORMAT binary)" >>"$CLUSTER_DIR/$table.ms"
	done
done
bare=$(median <"$CLUSTER_DIR/bare.ms")
copied=$(median <"$CLUSTER_DIR/copied.ms")
array=$(median <"$CLUSTER_DIR/copied_array.ms")
printf 'COPY of %d documents: %.0f ms, of real[] %.0f ms, bare %.0f ms\n' "$COPIED" "$copied" "$array" "$bare"
report documents_bare_time_per_copy_time "$bare" "$copied" 0.7 at-least
report documents_bare_time_per_copy_time_of_real "$bare" "$array" 0.5 at-least

# ---- Scan and UPDATE, beside an index of vectors ----

for table in vectors wide; do
	psql -qX -c "INSERT INTO $table SELECT 'r' || to_char(i, 'FM000000'), 'kind ' || i % 10, i, 0, (SELECT array_agg(sin(i * j)) FROM generate_series(1, $WIDE) j) FROM generate_series(1, $UPDATED) i"
done
bytes() {
	psql -qXAt -c "EXPLAIN (ANALYZE, VERBOSE, TIMING OFF) SELECT id, kind, n FROM $1" | sed -n 's/.*Bytes Received: \([0-9]*\).*/\1/p' | awk '{n += $1} END {print n}'
}
fetched=$(PGOPTIONS='-c pinecone_fdw.enable_sweep=off' bytes vectors)
vectors=$(bytes vectors)
documents=$(bytes wide)
printf 'scan of two fields of %d records of %d dimensions: %d bytes; of vectors that are fetched %d, otherwise %d\n' \
	"$UPDATED" "$WIDE" "$documents" "$fetched" "$vectors"
report documents_scan_bytes "$documents" "$fetched" 0.05 at-most

# in a session that knows its index
curl -sS -o /dev/null "$PINECONE_LOCAL_URL/_local/settings" -d '{"latency":50}'
for update in "m = n" "m = n WHERE n > 0" "kind = 'x' || n"; do
	for table in vectors wide; do
		: >"$CLUSTER_DIR/$table.ms"
		for _ in $(seq "$ROUNDS"); do
			milliseconds "UPDATE $table SET $update" -c "SELECT FROM $table WHERE id = 'r000001'" >>"$CLUSTER_DIR/$table.ms"
		done
	done
	vectors=$(median <"$CLUSTER_DIR/vectors.ms")
	documents=$(median <"$CLUSTER_DIR/wide.ms")
	printf 'UPDATE SET %s, of %d records at 50 ms: documents %.0f ms, vectors %.0f ms\n' "$update" "$UPDATED" "$documents" "$vectors"
	report "documents_update_$(tr -cs 'a-z0-9\n' _ <<<"$update")" "$vectors" "$documents" 50 at-least
done
