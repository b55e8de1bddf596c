-- Rows that OFFSET leaves out are counted by their ids.
\set index offset
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
CREATE SCHEMA offsets;
SET search_path = offsets, public;
CREATE DOMAIN must AS int NOT NULL;
CREATE FOREIGN TABLE r (id text COLLATE "C", embedding real[], n int) SERVER pinecone OPTIONS (namespace 'a');
CREATE FOREIGN TABLE strict (id text COLLATE "C", n must) SERVER pinecone OPTIONS (namespace 'a');
CREATE FOREIGN TABLE many (tenant text OPTIONS (role 'namespace') COLLATE "C", id text COLLATE "C", embedding real[], n int) SERVER pinecone;
INSERT INTO many SELECT CASE WHEN i % 5 = 0 THEN 'b' ELSE 'a' END, 'r' || lpad(i::text, 3, '0'), ARRAY[1, i], i FROM generate_series(1, 250) AS i;
CREATE TABLE r_local AS SELECT * FROM r;
CREATE TABLE many_local AS SELECT * FROM many;

EXPLAIN (COSTS OFF) SELECT id, n FROM r ORDER BY id LIMIT 3 OFFSET 150;
\! test/regress/pinecone quiet
SELECT id, n FROM r ORDER BY id LIMIT 3 OFFSET 150;
\! test/regress/pinecone sorted-log 'vectors/fetch'
SET pinecone_fdw.enable_offset = off;
EXPLAIN (COSTS OFF) SELECT id, n FROM r ORDER BY id LIMIT 3 OFFSET 150;
RESET pinecone_fdw.enable_offset;
-- where somebody looks at them they are read
EXPLAIN (COSTS OFF) SELECT id, n + 1 FROM r ORDER BY id LIMIT 3 OFFSET 150;
EXPLAIN (COSTS OFF) SELECT id, n FROM r ORDER BY id OFFSET 150 FETCH FIRST 3 ROWS WITH TIES;
EXPLAIN (COSTS OFF) SELECT id FROM r ORDER BY id LIMIT 3 OFFSET 150 FOR UPDATE;
-- a value that must not be missing is not read either
SELECT * FROM strict ORDER BY id LIMIT 2 OFFSET 120;

CREATE FUNCTION rows_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  EXECUTE format('SELECT string_agg(q::text, '' '') FROM (%s) AS q', query) INTO result;
  RETURN result;
END $$;
CREATE FUNCTION differ(query text) RETURNS text LANGUAGE sql AS $$
  SELECT CASE WHEN f IS NOT DISTINCT FROM l THEN 'the same' ELSE coalesce(f, 'nothing') || ', not ' || coalesce(l, 'nothing') END
  FROM (SELECT rows_of(replace(query, 'TAB', '')) AS f, rows_of(replace(query, 'TAB', '_local')) AS l) AS s
$$;
CREATE TABLE queries (q text);
INSERT INTO queries VALUES
  ('SELECT * FROM rTAB ORDER BY id LIMIT 5 OFFSET 99'),
  ('SELECT * FROM rTAB ORDER BY id LIMIT 5 OFFSET 100'),
  ('SELECT * FROM rTAB ORDER BY id LIMIT 5 OFFSET 101'),
  ('SELECT * FROM rTAB ORDER BY id LIMIT 500 OFFSET 198'),
  ('SELECT n FROM rTAB ORDER BY id LIMIT 5 OFFSET 0'),
  ('SELECT n FROM rTAB ORDER BY id LIMIT 5 OFFSET NULL'),
  ('SELECT n FROM rTAB ORDER BY id OFFSET 190'),
  ('SELECT n FROM rTAB ORDER BY id LIMIT 0 OFFSET 3'),
  ('SELECT n FROM rTAB WHERE id LIKE ''r1%'' ORDER BY id LIMIT 2 OFFSET 70'),
  ('SELECT n FROM rTAB WHERE id LIKE ''%1'' ORDER BY id LIMIT 3 OFFSET 20'),
  ('SELECT n FROM rTAB WHERE n > 20 ORDER BY id LIMIT 3 OFFSET 120'),
  ('SELECT n FROM rTAB WHERE id > ''r020'' ORDER BY id LIMIT 3 OFFSET 120'),
  ('SELECT x, (SELECT n FROM rTAB ORDER BY id LIMIT 1 OFFSET x) FROM generate_series(0, 198, 33) AS x'),
  ('SELECT s.n FROM (SELECT n FROM rTAB ORDER BY id LIMIT 4 OFFSET 150) AS s WHERE s.n % 2 = 0'),
  ('WITH page AS MATERIALIZED (SELECT n FROM rTAB ORDER BY id LIMIT 4 OFFSET 150) SELECT * FROM page'),
  ('SELECT tenant, id, n FROM manyTAB WHERE tenant = ''b'' ORDER BY id LIMIT 3 OFFSET 40'),
  ('SELECT id, n FROM manyTAB ORDER BY id LIMIT 3 OFFSET 120');
SELECT q, differ(q) FROM queries;
-- ids by searches
SET enable_sort = off;
SET pinecone_fdw.sweep_records = 0;
EXPLAIN (COSTS OFF) SELECT id, n FROM r ORDER BY id LIMIT 3 OFFSET 150;
SELECT q, differ(q) FROM queries WHERE differ(q) <> 'the same';
-- in a transaction that has written
BEGIN;
DELETE FROM r WHERE id IN ('r001', 'r151');
DELETE FROM r_local WHERE id IN ('r001', 'r151');
UPDATE r SET n = -1 WHERE id = 'r152';
UPDATE r_local SET n = -1 WHERE id = 'r152';
INSERT INTO r VALUES ('r0000', '{1,2}', 0);
INSERT INTO r_local VALUES ('r0000', '{1,2}', 0);
SELECT q, differ(q) FROM queries WHERE differ(q) <> 'the same' AND q !~ 'many';
ROLLBACK;
RESET pinecone_fdw.sweep_records;
RESET enable_sort;
-- parameters, a cursor
PREPARE page(int) AS SELECT id FROM (SELECT id, n FROM r ORDER BY id LIMIT 2 OFFSET $1) AS s;
SET plan_cache_mode = force_generic_plan;
EXECUTE page(120);
EXECUTE page(0);
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT id, n FROM r ORDER BY id LIMIT 3 OFFSET 100;
FETCH 2 FROM c;
FETCH BACKWARD 1 FROM c;
FETCH 2 FROM c;
COMMIT;
SET client_min_messages = warning;
DROP SCHEMA offsets CASCADE;
