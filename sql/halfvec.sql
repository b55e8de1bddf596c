-- halfvec on either side of a distance, and as the vector column's type
\set index halfvec
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
CREATE EXTENSION vector;
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding vector(2), score real) SERVER pinecone;
CREATE FOREIGN TABLE a (id text COLLATE "C", embedding real[]) SERVER pinecone;
CREATE FOREIGN TABLE h (id text COLLATE "C", embedding halfvec(2), n int, score real) SERVER pinecone;
INSERT INTO h (id, embedding, n) SELECT 'r' || lpad(i::text, 2, '0'), ARRAY[i, 10]::real[]::halfvec, i FROM generate_series(1, 50) i;
SELECT count(*) >= 0 AS warm FROM h;
\! test/regress/pinecone quiet
-- A cast is the index's vector all the same: one search
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY embedding <=> '[1,1]'::halfvec LIMIT 2;
SELECT id FROM t ORDER BY embedding <=> '[1,1]'::halfvec LIMIT 2;
SELECT id FROM t ORDER BY embedding::halfvec(2) <=> '[1,1]' LIMIT 2;
SELECT id FROM t ORDER BY '[1,1]' <=> embedding::halfvec(2) LIMIT 2;
SELECT id FROM t ORDER BY embedding <=> '[1,1]'::halfvec::vector LIMIT 2;
SELECT id FROM a ORDER BY embedding::halfvec <=> '[1,1]'::halfvec LIMIT 2;
SELECT id FROM a ORDER BY embedding::vector::halfvec(2) <=> '[1,1]'::vector LIMIT 2;
SELECT id FROM h ORDER BY embedding <=> '[1,1]' LIMIT 2;
SELECT id FROM h ORDER BY embedding::vector <=> '[1,1]'::vector LIMIT 2;
SELECT id FROM h ORDER BY embedding <=> '{1,1}'::real[]::halfvec LIMIT 2;
PREPARE near(halfvec) AS SELECT id FROM t ORDER BY embedding <=> $1 LIMIT 2;
EXECUTE near('[1,1]');
SET plan_cache_mode = force_generic_plan;
EXECUTE near('[1,1]');
RESET plan_cache_mode;
PREPARE cast_near(text) AS SELECT id FROM h ORDER BY embedding <=> $1::halfvec LIMIT 2;
EXECUTE cast_near('[1,1]');
SELECT q.n, s.id FROM (VALUES (1, '[1,1]'::halfvec), (2, '[1,10]')) q(n, e), LATERAL (SELECT id FROM h ORDER BY embedding <=> q.e LIMIT 1) s ORDER BY q.n;
SELECT q.n, s.id FROM (VALUES (1, '[1,1]'::halfvec), (2, '[1,10]')) q(n, e), LATERAL (SELECT id FROM t ORDER BY embedding <=> q.e LIMIT 1) s ORDER BY q.n;
SELECT id, round(score::numeric, 3) FROM h WHERE score > 0.99 ORDER BY embedding <=> '[1,1]'::halfvec LIMIT 2;
SELECT id FROM h WHERE embedding <=> '[1,1]' < 0.0025 ORDER BY id;
SELECT id FROM h ORDER BY embedding <=> (SELECT embedding FROM h WHERE id = 'r05') LIMIT 2;
\! test/regress/pinecone sorted-log query
-- The same distance whichever plan brings the row, also where halfvec rounds
INSERT INTO t (id, embedding) VALUES ('x', '[1.0003,2.0007]');
SELECT * FROM h WHERE id = 'x';
SELECT round((embedding <=> '[1,1.1]')::numeric, 5), round(score::numeric, 5) FROM h WHERE n IS NULL ORDER BY embedding <=> '[1,1.1]';
SELECT round((embedding <=> '[1,1.1]')::numeric, 5), round(score::numeric, 5) FROM h WHERE id = 'x' ORDER BY embedding <=> '[1,1.1]';
SELECT round((embedding <=> '[1,1.1]')::numeric, 5) FROM h WHERE id = 'x' AND embedding <=> '[1,1.1]' < 0.05;
SET pinecone_fdw.enable_knn = off;
SELECT round((embedding <=> '[1,1.1]')::numeric, 5), round(score::numeric, 5) FROM h WHERE n IS NULL ORDER BY embedding <=> '[1,1.1]';
RESET pinecone_fdw.enable_knn;
SELECT round((embedding <=> '[1,1.1]'::halfvec::vector)::numeric, 5) FROM t WHERE id = 'x';
-- No search, NULL and zero query vectors
SELECT embedding <=> NULL AS none FROM h WHERE id = 'r10' ORDER BY embedding <=> NULL;
SELECT embedding <=> '[0,0]' AS nan FROM h WHERE id = 'r10' ORDER BY embedding <=> '[0,0]';
SELECT id FROM h ORDER BY embedding <=> '[1,1,1]' LIMIT 1;
-- What a modifying statement hits is what the SELECT returns, where rounding decides: for [1,2] it would be 1
DELETE FROM t WHERE id = 'x';
INSERT INTO t (id, embedding) VALUES ('x', '[1.0004,2]');
SELECT embedding <=> '[-2,1]' > 1.0001 AS beyond FROM h WHERE id >= 'x' ORDER BY embedding <=> '[-2,1]';
BEGIN;
SELECT id FROM h WHERE id >= 'x' AND embedding <=> '[-2,1]' < 1.0001;
UPDATE h SET n = 1 WHERE id >= 'x' AND embedding <=> '[-2,1]' < 1.0001 RETURNING id;
DELETE FROM h WHERE id >= 'x' AND embedding <=> '[-2,1]' < 1.0001 RETURNING id;
UPDATE h SET n = 1 WHERE id LIKE 'x%' AND embedding <=> '[-2,1]' < 1.0002 RETURNING id, embedding, n;
UPDATE h SET n = n + 1 WHERE id = 'x' AND embedding <=> '[-2,1]' < 1.0002 RETURNING id, embedding, n;
DELETE FROM h WHERE id = 'x' AND embedding <=> '[-2,1]' < 1.0002 RETURNING id, (h).embedding, ctid IS NOT NULL AS place;
ROLLBACK;
-- Written as what it shows; not rounded by an UPDATE of something else
UPDATE h SET n = 7 WHERE id = 'x';
SELECT * FROM t WHERE id = 'x';
UPDATE h SET embedding = embedding WHERE id = 'x';
SELECT * FROM t WHERE id = 'x';
INSERT INTO h VALUES ('y', '[65504,6e-8]'), ('z', '[0,0]');
INSERT INTO h VALUES ('y', '[65504,6e-8]');
SELECT id, embedding FROM h WHERE id = 'y';
-- What it cannot show
INSERT INTO t (id, embedding) VALUES ('z', '[65520,1]');
SELECT id, embedding FROM h WHERE id = 'z';
SELECT id FROM h ORDER BY embedding <=> '[1,0]' LIMIT 1;
ALTER FOREIGN TABLE h OPTIONS (ADD on_type_error 'null');
SELECT id, embedding FROM h WHERE id = 'z';
CREATE FOREIGN TABLE h3 (id text, embedding halfvec(3)) SERVER pinecone;
SELECT * FROM h3;
-- Every halfvec there is, and what rounds to it, as pgvector has it
CREATE TABLE bits AS SELECT ('x' || lpad(to_hex(s * 32768 + b), 4, '0'))::bit(16)::int AS half,
  CASE WHEN b < 1024 THEN b * 2.0 ^ -24 ELSE (1 + (b % 1024) / 1024.0) * 2.0 ^ (b / 1024 - 15) END * (1 - 2 * s) AS v
  FROM generate_series(0, 1) s, generate_series(0, 31743) b;
CREATE FOREIGN TABLE f (id text, embedding vector, n int) SERVER pinecone;
CREATE FOREIGN TABLE g (id text COLLATE "C", embedding halfvec) SERVER pinecone;
TRUNCATE f;
INSERT INTO f SELECT 'b' || lpad((half / 2)::text, 5, '0'), ARRAY[lo, up]::real[]::vector FROM (
  SELECT half, v * (1 + 3e-4) AS lo, (v + lead(v) OVER (ORDER BY half)) / 2 AS up FROM bits WHERE half < 31740 AND half % 20 < 2) b WHERE half % 2 = 0 AND half > 0;
SELECT count(*), count(*) FILTER (WHERE f.embedding::halfvec = g.embedding) AS same FROM f JOIN g USING (id);
SET client_min_messages = warning;
DROP TABLE bits;
DROP SERVER pinecone CASCADE;
DROP EXTENSION vector;
\! test/regress/pinecone drop halfvec
