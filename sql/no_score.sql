-- A score that is NULL, for want of a search: whoever relies on it is told
\set index noscore
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
CREATE EXTENSION vector;
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding vector(2), score real, n int) SERVER pinecone;
INSERT INTO t (id, embedding, n) VALUES ('a', '[1,0]', 1), ('b', '[0,1]', 1), ('c', '[1,1]', 2);
CREATE TABLE o AS SELECT '[1,0]'::vector AS e, 1 AS n, 0.5::real AS least;
SELECT count(*) >= 0 AS warm FROM t;
CREATE TABLE p (id text COLLATE "C", n int, score real, embedding vector(2)) PARTITION BY LIST (n);
CREATE FOREIGN TABLE p1 PARTITION OF p FOR VALUES IN (1) SERVER pinecone;
CREATE TABLE p2 (n int, embedding vector(2), id text COLLATE "C", score real);
ALTER TABLE p ATTACH PARTITION p2 FOR VALUES IN (2);
-- The score is NULL
SELECT count(*) FROM t WHERE score IS NOT NULL;
SELECT count(*) FROM t WHERE coalesce(score, 0) > 0.5;
SELECT count(*) FROM t WHERE NOT score < 0.5;
SELECT count(*) FROM t WHERE score BETWEEN 0 AND 1;
SELECT count(*) FROM t, o WHERE score > least;
SELECT id FROM t ORDER BY round(score::numeric, 2) DESC, id LIMIT 1;
SELECT id FROM t ORDER BY n, coalesce(score, 0), id LIMIT 1;
SELECT id, CASE WHEN score > 0.5 THEN 'good' ELSE 'bad' END AS fit FROM t WHERE id = 'a';
SELECT id, 100 * score AS percent FROM t WHERE id = 'a';
SELECT n, max(score) FROM t GROUP BY n ORDER BY n;
SELECT n FROM t GROUP BY n HAVING max(score) > 0.5;
SELECT id, score FROM t ORDER BY embedding <+> '[1,0.1]', id LIMIT 1;
SELECT n, score FROM t GROUP BY n, score ORDER BY min(embedding <+> '[1,0.1]');
SELECT id, score FROM t ORDER BY embedding <-> '[1,0.1]' LIMIT 1;
SELECT id FROM p WHERE coalesce(score, 0) > 0.5;
SELECT id, 1 - score AS s FROM p ORDER BY id LIMIT 1;
DELETE FROM t WHERE coalesce(score, 0) > 2;
PREPARE floor(real) AS SELECT count(*) FROM t WHERE coalesce(score, 0) > $1;
EXECUTE floor(0.5);
-- Nothing to say: it is there, or is shown as it is, or is known to be NULL
SELECT id, score FROM t WHERE id = 'a';
SELECT id, score::float8 AS s FROM t ORDER BY id LIMIT 1;
SELECT * FROM t ORDER BY vector_norm(embedding), id LIMIT 1;
SELECT count(*) FROM t WHERE score IS NULL;
SELECT count(*) FROM t;
SELECT id, CASE WHEN score > 0.5 THEN 'good' ELSE 'bad' END AS fit FROM t ORDER BY embedding <=> '[1,0.1]' LIMIT 1;
SELECT id FROM t WHERE coalesce(score, 0) > 0.5 ORDER BY embedding <=> '[1,0.1]';
SELECT id FROM t WHERE embedding <=> '[1,0.1]' < 0.5 AND score IS NOT NULL ORDER BY round(score::numeric, 2) DESC;
SELECT id, round(score::numeric, 2) AS s FROM (SELECT * FROM t ORDER BY embedding <=> '[1,0.1]' LIMIT 2) x WHERE coalesce(score, 0) > 0.5 ORDER BY score;
SELECT count(*) FROM o, LATERAL (SELECT id, 1 - score AS s FROM t ORDER BY embedding <=> o.e LIMIT 1) x;
SELECT id, round(score::numeric, 2) AS s FROM p WHERE n = 1 ORDER BY embedding <=> '[1,0.1]' LIMIT 1;
SET client_min_messages = warning;
DROP TABLE p, o;
DROP SERVER pinecone CASCADE;
DROP EXTENSION vector;
\! test/regress/pinecone drop noscore
