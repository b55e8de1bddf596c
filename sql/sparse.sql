-- Sparse vectors: searched for by their inner product, as jsonb and as pgvector's type.
\set index terms
\set dimension 0
\set metric dotproduct
\i test/regress/setup.sql

CREATE FOREIGN TABLE term (id text COLLATE "C", sparse_values jsonb, n int, score real) SERVER pinecone;
INSERT INTO term SELECT 'r' || lpad(i::text, 3, '0'), pinecone_sparse(ARRAY[i % 7, 10 + i % 5, 1000000 + i], ARRAY[1 + i / 100.0, 0.5, 0.25]), i FROM generate_series(1, 60) i;
CREATE TABLE term_copy AS SELECT * FROM term;
\! test/regress/pinecone quiet

-- the same rows, in the same order, as on a local copy: as many as have an index in common
SELECT id, round((sparse_values <#> pinecone_sparse('{3,11}', '{2,1}'))::numeric, 4) AS distance FROM term ORDER BY sparse_values <#> pinecone_sparse('{3,11}', '{2,1}'), id LIMIT 12;
SELECT id, round((sparse_values <#> pinecone_sparse('{3,11}', '{2,1}'))::numeric, 4) AS distance FROM term_copy ORDER BY sparse_values <#> pinecone_sparse('{3,11}', '{2,1}'), id LIMIT 12;
\! test/regress/pinecone log
EXPLAIN (VERBOSE, COSTS OFF) SELECT id, score FROM term ORDER BY sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}' LIMIT 12;
SELECT id, score FROM term ORDER BY sparse_values <#> '{"indices": [3], "values": [2]}' LIMIT 12;
\! test/regress/pinecone log
EXPLAIN (VERBOSE, ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id, score FROM term ORDER BY sparse_values <#> '{"indices": [3], "values": [2]}' LIMIT 12;
SELECT id FROM term WHERE sparse_values <#> '{"indices": [3], "values": [2]}' < 0 ORDER BY sparse_values <#> '{"indices": [3], "values": [2]}' LIMIT 12;
\! test/regress/pinecone log
SELECT id FROM term WHERE (sparse_values <#> '{"indices": [3], "values": [2]}') * -1 > 0 LIMIT 12;
SELECT id FROM term WHERE score > 0 ORDER BY sparse_values <#> '{"indices": [3], "values": [2]}' LIMIT 12;
SELECT id FROM term WHERE score * 2 > 0 ORDER BY sparse_values <#> '{"indices": [3], "values": [2]}' LIMIT 12;
SELECT count(*) FROM term WHERE (sparse_values <#> '{"indices": [3], "values": [2]}') <= 0 ;
SELECT count(*) FROM term WHERE (sparse_values <#> '{"indices": [3], "values": [2]}') < 0 ;
\! test/regress/pinecone log
