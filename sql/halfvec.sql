-- halfvec on either side of a distance
\set index halfvec
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
CREATE EXTENSION vector;
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding vector(2), score real) SERVER pinecone;
INSERT INTO t (id, embedding) SELECT 'r' || i, ARRAY[i, 10]::real[]::vector FROM generate_series(1, 50) i;
SELECT count(*) >= 0 AS warm FROM t;
-- rounded vectors have an order of their own, which is computed here; EXPLAIN says why
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY embedding <=> '[1,1]'::halfvec LIMIT 2;
SELECT id FROM t ORDER BY embedding <=> '[1,1]'::halfvec LIMIT 2;
-- the query vector as a vector is searched for
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY embedding <=> '[1,1]'::halfvec::vector LIMIT 2;
SELECT id, round(score::numeric, 4) FROM t WHERE score > 0.99 ORDER BY embedding <=> '[1,1]'::halfvec::vector LIMIT 2;
PREPARE near(halfvec) AS SELECT id FROM t ORDER BY embedding <=> $1::vector LIMIT 2;
EXECUTE near('[1,1]');
SET client_min_messages = warning;
DROP SERVER pinecone CASCADE;
DROP EXTENSION vector;
\! test/regress/pinecone drop halfvec
