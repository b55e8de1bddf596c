-- query vectors from a relation of one row
\set index one-row
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int) SERVER pinecone;
INSERT INTO t (id, embedding, n) SELECT 'r' || lpad(i::text, 3, '0'), ARRAY[cos(i / 200.0), sin(i / 200.0)]::real[], i % 5 FROM generate_series(1, 300) i;
CREATE TABLE q (k int PRIMARY KEY, name text UNIQUE, e real[]);
INSERT INTO q VALUES (1, 'a', '{1,0}'), (2, 'b', '{0,1}'), (3, NULL, NULL);
CREATE FUNCTION embed(text) RETURNS real[] LANGUAGE sql AS $$ SELECT '{0,1}'::real[] WHERE random() >= 0 $$;
CREATE FUNCTION embed_stable(text) RETURNS real[] LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN '{0,1}'::real[]; END $$;
SELECT count(*) >= 0 AS warm FROM t;
\set log '\\! test/regress/pinecone log "query|fetch|list"'
\! test/regress/pinecone quiet
-- common table expressions, tables by a unique key, subqueries, functions, the table itself
EXPLAIN (COSTS OFF) WITH v AS (SELECT e FROM q WHERE k = 1) SELECT id FROM t, v ORDER BY embedding <=> v.e LIMIT 2
\g (format=unaligned tuples_only=on) |test/regress/plan
WITH v AS (SELECT e FROM q WHERE k = 1) SELECT id FROM t, v ORDER BY embedding <=> v.e LIMIT 2;
WITH v AS MATERIALIZED (SELECT embed('x') AS e) SELECT id, n FROM t CROSS JOIN v WHERE n < 3 ORDER BY 1 - (embedding <=> v.e) DESC LIMIT 2;
WITH v(e) AS (VALUES ('{1,0}'::real[])) SELECT id FROM t, v WHERE 1 - (embedding <=> e) > 0.9999 ORDER BY embedding <=> e;
EXPLAIN (COSTS OFF) SELECT id FROM t JOIN q ON q.name = 'b' ORDER BY embedding <=> q.e LIMIT 2
\g (format=unaligned tuples_only=on) |test/regress/plan
SELECT id, q.k FROM t JOIN q ON q.name = 'b' ORDER BY embedding <=> q.e LIMIT 2;
SELECT id FROM t, (SELECT e FROM q ORDER BY k LIMIT 1) v ORDER BY embedding <=> v.e LIMIT 2;
SELECT id FROM t, (SELECT embed('x') AS e) v ORDER BY embedding <=> v.e LIMIT 2;
SELECT id FROM t, embed_stable('x') v(e) ORDER BY embedding <=> v.e LIMIT 2;
SELECT a.id FROM t a, t b WHERE b.id = 'r100' ORDER BY a.embedding <=> b.embedding, a.id LIMIT 1;
PREPARE like_key(int) AS SELECT id FROM t, q WHERE q.k = $1 ORDER BY embedding <=> q.e LIMIT 1;
SET plan_cache_mode = force_generic_plan;
EXECUTE like_key(1);
EXECUTE like_key(2);
RESET plan_cache_mode;
:log
\! test/regress/pinecone quiet
-- no row is no query, and nothing is read; a row without a vector is one
EXECUTE like_key(9);
WITH v AS (SELECT e FROM q WHERE k = 9) SELECT id FROM t, v ORDER BY embedding <=> v.e LIMIT 2;
:log
SELECT count(*) FROM (SELECT id FROM t, q WHERE q.k = 3 ORDER BY embedding <=> q.e) s;
-- the same (SELECT ...) twice is one search, however it came about
\! test/regress/pinecone quiet
EXPLAIN (COSTS OFF) SELECT id, 1 - (embedding <=> (SELECT e FROM q WHERE k = 1)) AS similarity FROM t WHERE 1 - (embedding <=> (SELECT e FROM q WHERE k = 1)) > 0.9999 ORDER BY embedding <=> (SELECT e FROM q WHERE k = 1) LIMIT 5
\g (format=unaligned tuples_only=on) |test/regress/plan
SELECT id, round((1 - (embedding <=> (SELECT e FROM q WHERE k = 1)))::numeric, 3) AS similarity FROM t WHERE 1 - (embedding <=> (SELECT e FROM q WHERE k = 1)) > 0.9999 ORDER BY embedding <=> (SELECT e FROM q WHERE k = 1) LIMIT 5;
SELECT id FROM t, q WHERE k = 1 AND 1 - (embedding <=> e) > 0.9999 ORDER BY embedding <=> e;
SELECT id FROM t WHERE embedding <=> (SELECT e FROM q WHERE k = 1) < 0.0001 ORDER BY embedding <=> (SELECT e FROM q WHERE k = 2) LIMIT 5;
:log
-- in subqueries, views, with rows of its own
CREATE VIEW nearest AS SELECT id, k FROM t, q WHERE q.k = 2 ORDER BY embedding <=> q.e LIMIT 2;
SELECT * FROM nearest;
SELECT k, (SELECT x.id FROM t x, q y WHERE y.k = q.k ORDER BY x.embedding <=> y.e LIMIT 1) FROM q WHERE k < 3 ORDER BY k;
INSERT INTO q SELECT 10 + row_number() OVER (), id, embedding FROM (SELECT id, embedding FROM t, q WHERE k = 2 ORDER BY embedding <=> q.e LIMIT 2) s;
SELECT k, name FROM q WHERE k > 10 ORDER BY k;
DELETE FROM q WHERE k > 10;
-- several rows may be there: joined as before
CREATE FUNCTION operations(text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
  EXECUTE 'EXPLAIN (COSTS OFF, FORMAT json) ' || $1 INTO plan;
  RETURN substring(plan::text FROM '"Pinecone Operation": "([^"]*)"');
END $$;
SELECT operations('SELECT id FROM t, q ORDER BY embedding <=> q.e LIMIT 2');
SELECT operations('SELECT id FROM t, q WHERE k > 1 ORDER BY embedding <=> q.e LIMIT 2');
SELECT operations('SELECT id FROM t, (SELECT e FROM q LIMIT 2) v ORDER BY embedding <=> v.e LIMIT 2');
SELECT operations('SELECT id FROM t LEFT JOIN q ON q.k = 1 ORDER BY embedding <=> q.e LIMIT 2');
SELECT operations('SELECT id FROM t, embed($$x$$) v(e) ORDER BY embedding <=> v.e LIMIT 2');
SELECT operations('SELECT id FROM t, q WHERE q.k = t.n ORDER BY embedding <=> q.e LIMIT 2');
SELECT id FROM t, q WHERE k < 3 ORDER BY embedding <=> q.e, id LIMIT 2;
CREATE TABLE p (k int, d int UNIQUE DEFERRABLE, e real[]);
CREATE UNIQUE INDEX ON p (k) WHERE e IS NOT NULL;
SELECT operations('SELECT id FROM t, p WHERE p.k = 1 ORDER BY embedding <=> p.e LIMIT 2');
SELECT operations('SELECT id FROM t, p WHERE p.d = 1 ORDER BY embedding <=> p.e LIMIT 2');
-- grouping sets have a row each, and ids that differ may be equal to a collation
SELECT id FROM t, (SELECT e FROM q WHERE k = 1 GROUP BY GROUPING SETS ((e), (e))) v ORDER BY embedding <=> v.e, id LIMIT 3;
SELECT id FROM t, (SELECT max(e) AS e FROM q GROUP BY GROUPING SETS ((), ())) v ORDER BY embedding <=> v.e, id LIMIT 3;
SELECT EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i') AS icu \gset
\set ids '{r001a,r300A,r300a,r001A}'
\if :icu
CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE FOREIGN TABLE lax (id text COLLATE any_case, embedding real[]) SERVER pinecone OPTIONS (namespace 'lax');
INSERT INTO lax VALUES ('a', '{1,0}'), ('A', '{0,1}');
SELECT array_agg(ids) AS ids FROM (SELECT t.id || lax.id AS ids FROM t, lax WHERE lax.id = 'a' AND t.id IN ('r001', 'r300') ORDER BY t.embedding <=> lax.embedding, t.id) s \gset
\endif
\echo :ids
-- whom rows are hidden from
CREATE ROLE one_row_reader;
GRANT SELECT ON t, q TO one_row_reader;
GRANT USAGE ON FOREIGN SERVER pinecone TO one_row_reader;
CREATE USER MAPPING FOR one_row_reader SERVER pinecone OPTIONS (api_key :'api_key');
ALTER TABLE q ENABLE ROW LEVEL SECURITY;
CREATE POLICY part ON q USING (k = 2);
SET ROLE one_row_reader;
SELECT id FROM t, q WHERE k = 2 ORDER BY embedding <=> q.e LIMIT 1;
SELECT id FROM t, q WHERE k = 1 ORDER BY embedding <=> q.e LIMIT 1;
RESET ROLE;
REVOKE SELECT ON q FROM one_row_reader;
SET ROLE one_row_reader;
SELECT id FROM t, q WHERE k = 2 ORDER BY embedding <=> q.e LIMIT 1;
RESET ROLE;
SET pinecone_fdw.enable_spellings = off;
SELECT operations('SELECT id FROM t, q WHERE k = 1 ORDER BY embedding <=> q.e LIMIT 2');
SET client_min_messages = warning;
DROP SERVER pinecone CASCADE;
DROP OWNED BY one_row_reader;
DROP ROLE one_row_reader;
DROP TABLE p, q CASCADE;
DROP COLLATION IF EXISTS any_case;
DROP FUNCTION embed(text), embed_stable(text), operations(text);
\! test/regress/pinecone drop one-row
