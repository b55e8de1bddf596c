-- One search by a dense and a sparse vector: pinecone_hybrid_distance().
\set index both
\set dimension 3
\set metric dotproduct
\i test/regress/setup.sql

CREATE FOREIGN TABLE both_kinds (id text COLLATE "C", embedding real[], sparse_values jsonb, n int, score real) SERVER pinecone;
INSERT INTO both_kinds
SELECT 'r' || lpad(i::text, 3, '0'), ARRAY[sin(i), cos(i), sin(2 * i)]::real[],
  CASE WHEN i % 4 > 0 THEN pinecone_sparse(ARRAY[i % 7, 10 + i % 5], ARRAY[1 + i / 100.0, 0.5]) END, i
FROM generate_series(1, 60) i;
CREATE TABLE both_copy AS SELECT * FROM both_kinds;
\! test/regress/pinecone quiet
-- Rows of a query, of the foreign table and of the copy; TABLE stands for it.
CREATE FUNCTION differences(query text) RETURNS TABLE (which text, line text) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format($q$
    WITH f AS (SELECT row_number() OVER () AS k, x::text AS x FROM (%s) x), c AS (SELECT row_number() OVER () AS k, x::text AS x FROM (%s) x)
    SELECT CASE WHEN f.x IS DISTINCT FROM c.x THEN 'foreign ' || coalesce(f.x, '-') ELSE 'same' END, c.x FROM f FULL JOIN c USING (k) WHERE f.x IS DISTINCT FROM c.x
    UNION ALL SELECT count(*) || ' rows', NULL FROM c$q$, replace(query, 'TABLE', 'both_kinds'), replace(query, 'TABLE', 'both_copy'));
END $$;

EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM both_kinds ORDER BY pinecone_hybrid_distance(embedding <#> '{1,0,0.5}', sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}', 0.75) LIMIT 5;
SELECT * FROM differences($$SELECT id, round(pinecone_hybrid_distance(embedding <#> '{1,0,0.5}', sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}', 0.75)::numeric, 4) FROM TABLE ORDER BY pinecone_hybrid_distance(embedding <#> '{1,0,0.5}', sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}', 0.75) LIMIT 20$$);
\! test/regress/pinecone log
SELECT * FROM differences($$SELECT id, round(pinecone_hybrid_distance(embedding <#> '{1,0,0.5}', sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}', 0)::numeric, 4) FROM TABLE ORDER BY 2, 1 LIMIT 20$$);
SELECT * FROM differences($$SELECT id, round(pinecone_hybrid_distance(embedding <#> '{1,0,0.5}', sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}', 1)::numeric, 4) FROM TABLE ORDER BY pinecone_hybrid_distance(embedding <#> '{1,0,0.5}', sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}', 1) LIMIT 20$$);
SELECT * FROM differences($$SELECT id, round(pinecone_hybrid_distance(embedding <#> '{1,0,0.5}', sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}')::numeric, 4) FROM TABLE WHERE n % 2 = 0 ORDER BY pinecone_hybrid_distance(embedding <#> '{1,0,0.5}', sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}') LIMIT 20$$);
\! test/regress/pinecone log
-- sparse
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM both_kinds ORDER BY sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}' LIMIT 5;
SELECT * FROM differences($$SELECT id, round((sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}')::numeric, 4) FROM TABLE ORDER BY sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}', id LIMIT 50$$);
SELECT * FROM differences($$SELECT id, round((sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}')::numeric, 4) FROM TABLE ORDER BY sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}', id$$);
SELECT * FROM differences($$SELECT id, round((sparse_values <#> '{"indices": [3, 11], "values": [-2, 1]}')::numeric, 4) FROM TABLE ORDER BY sparse_values <#> '{"indices": [3, 11], "values": [-2, 1]}', id$$);
SELECT * FROM differences($$SELECT id, round((sparse_values <#> '{"indices": [3, 11], "values": [-2, 1]}')::numeric, 4) FROM TABLE ORDER BY sparse_values <#> '{"indices": [3, 11], "values": [-2, 1]}' LIMIT 12$$);
\! test/regress/pinecone log
