-- score: that of the search whose rows are asked for, whichever plan brings them
\set index score
\set dimension 2
\set metric cosine
\i test/regress/setup.sql

CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], score float8, n int) SERVER pinecone OPTIONS (namespace 'kb');
INSERT INTO t (id, embedding, n) SELECT 'r' || lpad(i::text, 3, '0'), ARRAY[cos(i / 100.0), sin(i / 100.0)], i % 5 FROM generate_series(1, 300) i;
SELECT count(*) >= 0 AS warm FROM t;
CREATE FUNCTION r(float8) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT round($1::numeric, 3)';
\set log '\\! test/regress/pinecone log "query|fetch|list"'
\! test/regress/pinecone quiet

-- a condition on the score ends the search, as one on the distance does
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE score > 0.9995 ORDER BY embedding <=> '{1,0}' LIMIT 5;
SELECT id, r(score) FROM t WHERE score > 0.9995 ORDER BY embedding <=> '{1,0}' LIMIT 5;
:log
SELECT id FROM t WHERE 0.9995 <= score ORDER BY embedding <=> '{1,0}';
SELECT count(*) FROM (SELECT id FROM t WHERE score > 0.9995 ORDER BY embedding <=> '{1,0}') s;
SELECT id FROM t WHERE score > 0.9995 AND score > 0.9999 ORDER BY embedding <=> '{1,0}';
SELECT id FROM t WHERE score > NULL ORDER BY embedding <=> '{1,0}';
SELECT id FROM t WHERE score < -0.98 ORDER BY embedding <=> '{1,0}';
PREPARE above(float8, real[]) AS SELECT id FROM t WHERE score > $1 ORDER BY embedding <=> $2 LIMIT 2;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE above(0.9, '{0,1}');
EXECUTE above(0.9, '{0,1}');
EXECUTE above(0.99999, '{0,1}');
RESET plan_cache_mode;
\! test/regress/pinecone quiet

-- the same rows by other plans: by id, by metadata, by prefix, without a search
EXPLAIN (COSTS OFF) SELECT id, score FROM t WHERE id IN ('r001', 'r100', 'r200', 'none') AND score > 0 ORDER BY embedding <=> '{1,0}';
SELECT id, r(score), r(1 - (embedding <=> '{1,0}')) FROM t WHERE id IN ('r001', 'r100', 'r200', 'none') AND score > 0 ORDER BY embedding <=> '{1,0}';
SELECT id, r(score) FROM t WHERE id LIKE 'r00%' AND score < 0.998 ORDER BY embedding <=> '{1,0}';
SET pinecone_fdw.enable_knn = off;
SELECT id, r(score) FROM t WHERE n = 3 AND score > 0.999 ORDER BY embedding <=> '{1,0}' LIMIT 5;
SELECT count(*) FROM (SELECT id FROM t WHERE score > 0.9995 ORDER BY embedding <=> '{1,0}') s;
SELECT id, score IS NULL AS none FROM t ORDER BY embedding <=> '{0,0}', id LIMIT 1;
RESET pinecone_fdw.enable_knn;
SELECT id, score IS NULL AS none FROM t ORDER BY embedding <=> '{0,0}', id LIMIT 1;
SELECT id, score IS NULL AS none FROM t ORDER BY embedding <=> NULL::real[], id LIMIT 1;
-- a bound alone, another order, another key behind it, aggregates
SELECT id, r(score) FROM t WHERE embedding <=> '{1,0}' < 0.001 ORDER BY score DESC LIMIT 2;
SELECT id, r(score) FROM t WHERE embedding <=> '{1,0}' < 0.001 ORDER BY score, id LIMIT 2;
SELECT n, r(max(score)) FROM t WHERE embedding <=> '{1,0}' < 0.05 GROUP BY n ORDER BY n;
SELECT id, n, r(score) FROM t ORDER BY n, embedding <=> '{1,0}' LIMIT 2;
SELECT id, r(score) FROM t ORDER BY score DESC, embedding <=> '{1,0}' LIMIT 2;
-- several vectors: the one that orders, else the first that bounds
SELECT id, r(score), r(embedding <=> '{0,1}') AS other FROM t WHERE embedding <=> '{0,1}' < 0.3 AND score > 0.7 ORDER BY embedding <=> '{1,0}' LIMIT 2;
SELECT id, r(score) FROM t WHERE embedding <=> '{1,0}' < 0.3 AND embedding <=> '{0,1}' < 0.3 ORDER BY score DESC, id LIMIT 2;
-- joins, LATERAL
CREATE TABLE asked AS SELECT i AS a, ARRAY[cos(i - 0.001), sin(i - 0.001)]::real[] AS q FROM generate_series(0, 2) i;
SELECT a, x.id, r(x.score) FROM asked, LATERAL (SELECT id, score FROM t WHERE score > 0.99993 ORDER BY embedding <=> q LIMIT 2) x ORDER BY a, x.id;
SELECT a, x.id, r(x.score) FROM asked, LATERAL (SELECT id, score FROM t WHERE id IN ('r100', 'r150') ORDER BY embedding <=> q LIMIT 1) x ORDER BY a;
SELECT t.id, r(score) FROM t JOIN asked ON a = n WHERE score > 0.99 ORDER BY embedding <=> '{1,0}' LIMIT 3;
-- what this transaction has written
BEGIN;
INSERT INTO t (id, embedding, n) VALUES ('mine', '{1,0.001}', 1);
UPDATE t SET embedding = '{-1,0}' WHERE id = 'r001';
SELECT id, r(score) FROM t WHERE score > 0.9999 ORDER BY embedding <=> '{1,0}';
SELECT id, r(score) FROM t WHERE id IN ('mine', 'r001', 'r002') AND score > -2 ORDER BY embedding <=> '{1,0}';
ROLLBACK;
-- partitions and namespaces
CREATE FOREIGN TABLE every (ns text OPTIONS (role 'namespace'), id text COLLATE "C", embedding real[], score real, n int) SERVER pinecone;
INSERT INTO every (ns, id, embedding) VALUES ('other', 'o', '{1,0}');
SELECT ns, id, r(score) FROM every WHERE score > 0.9997 ORDER BY embedding <=> '{1,0}', id;
SELECT ns, id, r(score) FROM every WHERE id IN ('o', 'r100') AND score > 0 ORDER BY embedding <=> '{1,0}';

-- without a search it is NULL, and whoever counts on it is told so
SELECT count(score) FROM t;
SELECT count(*) FROM t WHERE score > 0.5;
SELECT id FROM t ORDER BY score DESC, id LIMIT 1;
SELECT id FROM t WHERE score > 0.5 ORDER BY embedding <-> '{1,0}' LIMIT 1;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY embedding <-> '{1,0}' LIMIT 1;
SELECT count(*) FROM (SELECT id, score FROM t LIMIT 3) s WHERE score IS NULL;

-- the other metrics
\set metric euclidean
\i test/regress/setup.sql
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], score real) SERVER pinecone;
INSERT INTO t (id, embedding) SELECT 'r' || i, ARRAY[i, 0] FROM generate_series(1, 200) i;
SELECT id, score FROM t WHERE score < 10 ORDER BY embedding <-> '{5,0}', id;
SELECT id, score FROM t WHERE id IN ('r1', 'r7', 'r100') AND score <= 16 ORDER BY embedding <-> '{5,0}', id;
SELECT id, score FROM t WHERE score > 38000 ORDER BY embedding <-> '{5,0}', id;
\! test/regress/pinecone log 'query|fetch|list'
-- windows want another order; the score is that of the distance in ORDER BY all the same
SELECT id, score, rank() OVER (ORDER BY score) FROM t ORDER BY embedding <-> '{5,0}', id LIMIT 3;
SELECT id, rank() OVER (ORDER BY score) FROM t ORDER BY id LIMIT 1;
\set metric dotproduct
\i test/regress/setup.sql
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], score real) SERVER pinecone;
INSERT INTO t (id, embedding) SELECT 'r' || i, ARRAY[i, 0] FROM generate_series(1, 200) i;
SELECT id, score FROM t WHERE score >= 396 ORDER BY embedding <#> '{2,0}', id;
SELECT id, score FROM t WHERE id IN ('r1', 'r7', 'r100') AND score < 16 ORDER BY embedding <#> '{2,0}', id;

-- a float32 that has gone past 1 is no distance below 0
\set metric cosine
\i test/regress/setup.sql
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], score real) SERVER pinecone;
INSERT INTO t (id, embedding) VALUES ('a', '{1,0}'), ('b', '{0,1}');
SELECT count(*) FROM t;
\! test/regress/pinecone fault '{"path": "/query", "count": -1, "status": 200, "body": "{\"matches\":[{\"id\":\"a\",\"score\":1.0000001},{\"id\":\"b\",\"score\":-1.0000001}],\"namespace\":\"\",\"usage\":{\"readUnits\":1}}", "content_type": "application/json"}'
SELECT id, embedding <=> '{1,0}' AS distance, sqrt(embedding <=> '{1,0}') >= 0 AS root FROM t WHERE embedding <=> '{1,0}' BETWEEN 0 AND 2 ORDER BY embedding <=> '{1,0}';
-- nor is it a score above 1, for conditions and functions
SELECT id, score, round(acos(score)::numeric, 4) AS angle FROM t WHERE score BETWEEN -1 AND 1 ORDER BY embedding <=> '{1,0}' LIMIT 2;
DROP TABLE asked;
DROP FUNCTION r;
\! test/regress/pinecone no-faults
\! test/regress/pinecone drop score
