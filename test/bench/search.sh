#!/usr/bin/env bash
#
# Searches by two vectors, and embedding, side by side in one run:
#
#	hybrid	ORDER BY pinecone_hybrid_distance(...) LIMIT 10 with a title, prepared, in a
#			namespace of RECORDS with dense and sparse vectors, against bare libcurl
#	sparse	ORDER BY sparse_values <#> $1 LIMIT 10, likewise, in a sparse index
#	embed	pinecone_embed() of TEXTS texts at 50 ms a request, eight in flight, against
#			the official client with as many; and against text by text, of which ALONE
#			are measured and the rest is reckoned
#
# RECORDS and DIMENSION (default 100000 x 384), TERMS (default 40) of a sparse vector.
# ROUNDS (default 3) is how often each is measured; the figures are medians.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=test/cluster.sh
source test/cluster.sh
# shellcheck source=test/bench/lib/bench.sh
source test/bench/lib/bench.sh
RECORDS=${RECORDS:-100000}
DIMENSION=${DIMENSION:-384}
TERMS=${TERMS:-40}
TEXTS=${TEXTS:-10000}
ALONE=${ALONE:-100}
ROUNDS=${ROUNDS:-3}

cluster_begin
cluster_postgres "shared_buffers = 256MB" "max_parallel_workers_per_gather = 0" "pinecone_fdw.unseen_time = 0"
cc -O2 -o "$CLUSTER_DIR/bare" test/bench/bare.c -lcurl
chmod 755 "$CLUSTER_DIR/bare"
perl -e '
	my ($n, $d, $terms, $file) = @ARGV;
	srand 1;
	my @pool = map { sprintf "%.7f", rand() * 2 - 1 } 1 .. 4096 + $d;
	open my $out, ">", $file or die;
	print $out qq({"index":"hybrid","dimension":$d,"metric":"dotproduct"}\n{"index":"sparse","vector_type":"sparse","metric":"dotproduct"}\n);
	for my $i (0 .. $n - 1)
	{
		my $at = ($i * 7) % 4096;
		my %values = map { int(30000 * rand() * rand()) => sprintf "%.4f", rand() * 3 } 1 .. $terms;
		my @indices = sort { $a <=> $b } keys %values;
		my $sparse = sprintf q({"indices":[%s],"values":[%s]}), join(",", @indices), join(",", @values{@indices});
		my $rest = qq("sparseValues":$sparse,"metadata":{"title":"title of $i"}});
		printf $out qq({"index":"hybrid","namespace":"","id":"r%07d","values":[%s],%s\n), $i, join(",", @pool[$at .. $at + $d - 1]), $rest;
		printf $out qq({"index":"sparse","namespace":"","id":"r%07d",%s\n), $i, $rest;
	}
' "$RECORDS" "$DIMENSION" "$TERMS" "$CLUSTER_DIR/records.jsonl"
chmod 644 "$CLUSTER_DIR/records.jsonl"
cluster_pinecone --load "$CLUSTER_DIR/records.jsonl" --log-size 0
rm "$CLUSTER_DIR/records.jsonl"

psql -qX -v ON_ERROR_STOP=1 <<END
CREATE EXTENSION pinecone_fdw;
SELECT format('CREATE SERVER %1\$s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index %1\$L, control_host %2\$L);
	CREATE USER MAPPING FOR CURRENT_USER SERVER %1\$s OPTIONS (api_key %3\$L)', index, '$PINECONE_LOCAL_URL', '$PINECONE_LOCAL_KEY')
FROM unnest('{hybrid,sparse}'::text[]) index \gexec
CREATE FOREIGN TABLE both_vectors (id text, title text, embedding real[], sparse_values jsonb, score real) SERVER hybrid;
CREATE FOREIGN TABLE sparse_vectors (id text, title text, sparse_values jsonb, score real) SERVER sparse;
END

# ---- Searches: the server-side time of each execution of a prepared statement ----

vector=$(awk -v d="$DIMENSION" 'BEGIN { srand(3); for (j = 0; j < d; j++) printf "%s%.6f", j ? "," : "", rand() }')
half=$(awk -v d="$DIMENSION" 'BEGIN { srand(3); for (j = 0; j < d; j++) printf "%s%.7f", j ? "," : "", sprintf("%.6f", rand()) / 2 }')
measure_queries() { # NAME QUERY INDEX BODY N
	printf '%s' "$4" >"$CLUSTER_DIR/query.json"
	cat >"$CLUSTER_DIR/query.sql" <<END
SET plan_cache_mode = force_generic_plan;
CREATE TEMP TABLE times (us float8);
DO \$\$
DECLARE t timestamptz; us float8[]; v real[] := '{$vector}'; s jsonb := '{"indices": [17, 230, 4711, 9000], "values": [1, 2, 0.5, 0.25]}';
BEGIN
  FOR i IN 1..$5 LOOP
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
		"$CLUSTER_DIR/bare" query "$(index_host "$3")/query" "$PINECONE_LOCAL_KEY" "$CLUSTER_DIR/query.json" "$5" >>"$CLUSTER_DIR/bare.us"
		psql -qXAt -v ON_ERROR_STOP=1 -f "$CLUSTER_DIR/query.sql" >>"$CLUSTER_DIR/sql.us"
	done
	sql_us=$(median <"$CLUSTER_DIR/sql.us")
	bare_us=$(median <"$CLUSTER_DIR/bare.us")
	printf '%s: %s us through SQL, %s us bare (p50, %d records)\n' "$1" "$sql_us" "$bare_us" "$RECORDS"
	report "search_$1_p50_sql_per_bare" "$sql_us" "$bare_us" 1.1 at-most
}
measure_queries hybrid "id, title FROM both_vectors ORDER BY pinecone_hybrid_distance(embedding <#> v, sparse_values <#> s, 0.5) LIMIT 10" hybrid \
	"{\"topK\":10,\"includeValues\":false,\"includeMetadata\":true,\"vector\":[$half],\"sparseVector\":{\"indices\":[17,230,4711,9000],\"values\":[0.5,1,0.25,0.125]}}" 100
measure_queries sparse "id, title FROM sparse_vectors ORDER BY sparse_values <#> s LIMIT 10" sparse \
	'{"topK":10,"includeValues":false,"includeMetadata":true,"sparseVector":{"indices":[17,230,4711,9000],"values":[1,2,0.5,0.25]}}' 100

# ---- Embedding, at 50 ms ----

cluster_end
cluster_begin
cluster_postgres "max_parallel_workers_per_gather = 0"
cluster_pinecone --latency 50 --log-size 0
seq -f 'a sentence about the subject number %.0f, and what it is good for' "$TEXTS" >"$CLUSTER_DIR/texts"
chmod 644 "$CLUSTER_DIR/texts"
psql -qX -v ON_ERROR_STOP=1 <<END
CREATE EXTENSION pinecone_fdw;
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'none', control_host '$PINECONE_LOCAL_URL');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key '$PINECONE_LOCAL_KEY');
CREATE TABLE texts (line text);
COPY texts FROM '$CLUSTER_DIR/texts';
ANALYZE texts;
END
embed="SELECT count(e) FROM (SELECT pinecone_embed('s', 'llama-text-embed-v2', line, 'passage', 384) AS e FROM texts OFFSET 0) x"
: >"$CLUSTER_DIR/sql.s"
: >"$CLUSTER_DIR/client.s"
client=$(official_client)
for _ in $(seq "$ROUNDS"); do
	milliseconds "$embed" | awk '{ print $1 / 1000 }' >>"$CLUSTER_DIR/sql.s"
	node test/bench/client_embed.mjs "$client" "$PINECONE_LOCAL_URL" "$PINECONE_LOCAL_KEY" "$CLUSTER_DIR/texts" 8 >"$CLUSTER_DIR/client.out"
	awk -v n="$TEXTS" '$2 != n { exit 1 } { print $1 }' "$CLUSTER_DIR/client.out" >>"$CLUSTER_DIR/client.s"
done
alone=$(milliseconds "SELECT count(e) FROM (SELECT pinecone_embed('s', 'llama-text-embed-v2', line, 'passage', 384) AS e FROM (SELECT * FROM texts LIMIT $ALONE) t OFFSET 0) x" -c 'SET pinecone_fdw.enable_embed_ahead = off')
sql_s=$(median <"$CLUSTER_DIR/sql.s")
client_s=$(median <"$CLUSTER_DIR/client.s")
alone_s=$(awk -v a="$alone" -v n="$TEXTS" -v k="$ALONE" 'BEGIN { print a / 1000 * n / k }')
printf 'embed: %d texts in %s s through SQL, %s s by the official client, %s s text by text (from %d of them)\n' "$TEXTS" "$sql_s" "$client_s" "$alone_s" "$ALONE"
report embed_sql_per_client "$sql_s" "$client_s" 1.0 at-most
report embed_text_by_text_per_sql "$alone_s" "$sql_s" 50 at-least
