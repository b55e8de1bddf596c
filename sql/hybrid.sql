-- One search by a dense and a sparse vector, of an index that holds both.
\set index both
\set dimension 3
\set metric dotproduct
\i test/regress/setup.sql

CREATE FOREIGN TABLE both_kinds (id text COLLATE "C", embedding real[], sparse_values jsonb, n int, score real) SERVER pinecone;
-- every fourth has no sparse vector
INSERT INTO both_kinds
SELECT 'r' || lpad(i::text, 3, '0'), ARRAY[sin(i), cos(i), sin(2 * i)]::real[],
  CASE WHEN i % 4 > 0 THEN pinecone_sparse(ARRAY[i % 7, 10 + i % 5], ARRAY[1 + i / 64.0, 0.5]) END, i
FROM generate_series(1, 60) i;
CREATE TABLE both_copy AS SELECT * FROM both_kinds;
CREATE FUNCTION same_both(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE f text[]; c text[];
BEGIN
  EXECUTE 'SELECT array_agg(x::text) FROM (' || replace(query, 'TABLE', 'both_kinds') || ') x' INTO f;
  EXECUTE 'SELECT array_agg(x::text) FROM (' || replace(query, 'TABLE', 'both_copy') || ') x' INTO c;
  RETURN CASE WHEN f IS NOT DISTINCT FROM c THEN 'the same ' || coalesce(cardinality(f), 0) || ' rows' ELSE format('%s, not %s', f, c) END;
END $$;
\! test/regress/pinecone quiet

-- one request; the weights are in the vectors
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM both_kinds ORDER BY pinecone_hybrid_distance(embedding <#> '{1,0,0.5}', sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}', 0.75) LIMIT 5;
SELECT same_both($$SELECT id, round(pinecone_hybrid_distance(embedding <#> '{1,0,0.5}', sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}', 0.75)::numeric, 4) FROM TABLE ORDER BY pinecone_hybrid_distance(embedding <#> '{1,0,0.5}', sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}', 0.75) LIMIT 20$$);
\! test/regress/pinecone log
-- at either end one of them counts alone; without a weight both count the same
SELECT same_both($$SELECT round(pinecone_hybrid_distance(embedding <#> '{1,0,0.5}', sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}', 0)::numeric, 4) FROM TABLE ORDER BY 1 LIMIT 20$$);
SELECT same_both($$SELECT id FROM TABLE ORDER BY pinecone_hybrid_distance(embedding <#> '{1,0,0.5}', sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}', 1) LIMIT 20$$);
SELECT same_both($$SELECT id FROM TABLE ORDER BY pinecone_hybrid_distance(embedding <#> '{1,0,0.5}', sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}') LIMIT 20$$);
\! test/regress/pinecone log
-- conditions, thresholds, other spellings, all of the rows
SELECT same_both($$SELECT id FROM TABLE WHERE n < 30 AND n % 3 = 1 ORDER BY pinecone_hybrid_distance(embedding <#> '{1,0,0.5}', sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}') LIMIT 5$$);
SELECT same_both($$SELECT id FROM TABLE WHERE pinecone_hybrid_distance(embedding <#> '{1,0,0.5}', sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}') < -1 ORDER BY id$$);
SELECT same_both($$SELECT id FROM TABLE ORDER BY -pinecone_hybrid_distance('{1,0,0.5}' <#> embedding, sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}') DESC$$);
SELECT same_both($$SELECT x.id, v.k FROM (VALUES (1, 0.25), (2, 0.5), (3, 1)) v (k, w), LATERAL (SELECT id FROM TABLE ORDER BY pinecone_hybrid_distance(embedding <#> '{1,0,0.5}', sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}', v.w) LIMIT 2) x ORDER BY v.k, x.id$$);
-- the score is the search's, whichever way rows come
SELECT id, round(score::numeric, 4) AS score FROM both_kinds WHERE id IN ('r003', 'r004', 'r059') ORDER BY pinecone_hybrid_distance(embedding <#> '{1,0,0.5}', sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}');
SELECT id, round(-pinecone_hybrid_distance(embedding <#> '{1,0,0.5}', sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}')::numeric, 4) AS score FROM both_copy WHERE id IN ('r003', 'r004', 'r059') ORDER BY 2 DESC;
PREPARE by_both (real[], jsonb, float8) AS SELECT id FROM both_kinds ORDER BY pinecone_hybrid_distance(embedding <#> $1, sparse_values <#> $2, $3) LIMIT 2;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (VERBOSE, COSTS OFF) EXECUTE by_both ('{1,0,0.5}', '{"indices": [3, 11], "values": [2, 1]}', 0.5);
EXECUTE by_both ('{1,0,0.5}', '{"indices": [3, 11], "values": [2, 1]}', 0.5);
EXECUTE by_both ('{1,0,0.5}', '{"indices": [3, 11], "values": [2, 1]}', 1.5);
EXECUTE by_both ('{1,0,0.5}', '{"indices": [3, 11], "values": [2, 1]}', NULL);
EXECUTE by_both ('{1,0,0.5}', '{"indices": [3, 3], "values": [2, 1]}', 0.5);
EXECUTE by_both ('{1,0}', '{"indices": [3], "values": [2]}', 0.5);
-- without one of the vectors the other decides
EXECUTE by_both ('{1,0,0.5}', NULL, 0.5);
SELECT id FROM both_copy ORDER BY embedding <#> '{1,0,0.5}' LIMIT 2;
EXECUTE by_both (NULL, '{"indices": [3, 11], "values": [2, 1]}', 0.5);
RESET plan_cache_mode;
SELECT pinecone_hybrid_distance(-2, -4, 0.25), pinecone_hybrid_distance(-2, NULL, 0.25), pinecone_hybrid_distance(NULL, -4), pinecone_hybrid_distance(NULL, NULL);
SELECT pinecone_hybrid_distance(-2, -4, -0.1);
SELECT pinecone_hybrid_distance(-2, -4, 'NaN');
-- a sum is NULL where one of them is, and so no search
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM both_kinds ORDER BY (embedding <#> '{1,0,0.5}') + (sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}') LIMIT 5;

-- by the sparse vector alone: a dense one of zeros goes with it
\! test/regress/pinecone quiet
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM both_kinds ORDER BY sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}' LIMIT 5;
SELECT id, score FROM both_kinds ORDER BY sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}' LIMIT 3;
\! test/regress/pinecone log
-- records without overlap, and last those without a sparse vector
SELECT same_both($$SELECT round((sparse_values <#> '{"indices": [3], "values": [2]}')::numeric, 4) FROM TABLE ORDER BY sparse_values <#> '{"indices": [3], "values": [2]}' LIMIT 50$$);
SELECT same_both($$SELECT round((sparse_values <#> '{"indices": [3], "values": [2]}')::numeric, 4) FROM TABLE ORDER BY sparse_values <#> '{"indices": [3], "values": [2]}' NULLS FIRST LIMIT 20$$);
-- a record's dense vector, which is not the search that its id would be
SELECT same_both($$SELECT id FROM TABLE ORDER BY embedding <#> (SELECT embedding FROM TABLE WHERE id = 'r003') LIMIT 10$$);
BEGIN;
UPDATE both_kinds SET sparse_values = '{"indices": [3], "values": [5]}' WHERE id = 'r004';
UPDATE both_copy SET sparse_values = '{"indices": [3], "values": [5]}' WHERE id = 'r004';
INSERT INTO both_kinds (id, embedding) VALUES ('new', '{3,0,1}');
INSERT INTO both_copy (id, embedding) VALUES ('new', '{3,0,1}');
SELECT same_both($$SELECT id, round(pinecone_hybrid_distance(embedding <#> '{1,0,0.5}', sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}', 0.75)::numeric, 4) FROM TABLE ORDER BY pinecone_hybrid_distance(embedding <#> '{1,0,0.5}', sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}', 0.75) LIMIT 20$$);
SELECT same_both($$SELECT round((sparse_values <#> '{"indices": [3], "values": [2]}')::numeric, 4) FROM TABLE ORDER BY sparse_values <#> '{"indices": [3], "values": [2]}'$$);
ROLLBACK;
