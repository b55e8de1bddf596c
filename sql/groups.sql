-- The values of a field, and how many records have each, without reading records.
\set index groups
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
SET timezone = 'UTC';
CREATE SCHEMA groups;
SET search_path = groups, public;

CREATE TYPE mood AS ENUM ('low', 'high', 'none');
CREATE DOMAIN grade AS int CHECK (value < 100);
CREATE TABLE given (namespace text, id text, metadata jsonb);
INSERT INTO given
SELECT 'a', 'r' || i, jsonb_strip_nulls(jsonb_build_object('n', i, 't', CASE WHEN i % 7 > 0 THEN 'v' || i % 5 END, 'b', CASE WHEN i % 3 > 0 THEN i % 2 = 0 END,
  'i', i % 4, 'f', CASE WHEN i % 11 > 0 THEN (i % 3) / 4.0 - 0.25 END, 'm', CASE WHEN i % 2 = 0 THEN 'low' ELSE 'high' END, 'd', '2026-01-0' || (1 + i % 3), 'e', (i % 2) * 86400,
  'u', CASE WHEN i % 2 = 0 THEN 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11' ELSE 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11' END))
FROM generate_series(1, 300) AS i
UNION ALL
SELECT 'b', 'r' || i, jsonb_build_object('n', i, 't', 'v' || i % 9, 'i', i % 2, 'b', true) FROM generate_series(1, 40) AS i;
SELECT jsonb_build_object('id', id, 'values', '[1,1]'::jsonb, 'metadata', metadata) FROM given WHERE namespace = 'a' \g (format=unaligned tuples_only=on) |test/regress/pinecone upsert groups a
SELECT jsonb_build_object('id', id, 'values', '[1,1]'::jsonb, 'metadata', metadata) FROM given WHERE namespace = 'b' \g (format=unaligned tuples_only=on) |test/regress/pinecone upsert groups b
CREATE FOREIGN TABLE r (id text, n int, t text, b boolean, i int, s smallint OPTIONS (field 'i'), num numeric OPTIONS (field 'f'), num2 numeric(5,2) OPTIONS (field 'f'), f float8, f4 real OPTIONS (field 'f'),
  m mood, m3 varchar(4) OPTIONS (field 'm'), d date, e date OPTIONS (format 'epoch'), u uuid, g grade OPTIONS (field 'i'), l text[], j jsonb OPTIONS (field 't'), metadata jsonb)
  SERVER pinecone OPTIONS (namespace 'a');
CREATE FOREIGN TABLE nulls (id text, n int, t text, b boolean, i int, num numeric OPTIONS (field 'f'), f float8, g grade OPTIONS (field 'i')) SERVER pinecone OPTIONS (namespace 'a', on_type_error 'null');
CREATE FOREIGN TABLE many (tenant text OPTIONS (role 'namespace') COLLATE "C", id text, n int, t text, b boolean, i int) SERVER pinecone;
CREATE TABLE r_local AS SELECT * FROM r;
CREATE TABLE nulls_local AS SELECT * FROM nulls;
CREATE TABLE many_local AS SELECT * FROM many;

-- small tables are read, unless that is made dear
EXPLAIN (COSTS OFF) SELECT t, count(*) FROM r GROUP BY t;
SET cpu_tuple_cost = 100;
EXPLAIN (COSTS OFF, VERBOSE) SELECT t, count(*) FROM r GROUP BY t;
EXPLAIN (COSTS OFF) SELECT DISTINCT t FROM r WHERE n > 10;
-- PostgreSQL 16 and newer can have the rows below sorted
SELECT current_setting('server_version_num')::int >= 160000 AS may_sort \gset
\if :may_sort
SET enable_presorted_aggregate = off;
\endif
EXPLAIN (COSTS OFF) SELECT count(DISTINCT t) FROM r;
\if :may_sort
RESET enable_presorted_aggregate;
\endif
SET pinecone_fdw.enable_groups = off;
EXPLAIN (COSTS OFF) SELECT t, count(*) FROM r GROUP BY t;
RESET pinecone_fdw.enable_groups;

-- requests: a search, what it has not brought, and NULL; then each value, and the sum
\! test/regress/pinecone quiet
SELECT DISTINCT t FROM r ORDER BY t;
\! test/regress/pinecone sorted-log 'vectors|query'
SELECT t, count(*) FROM r WHERE n < 10 GROUP BY t ORDER BY t;
\! test/regress/pinecone sorted-log 'vectors|query'
-- booleans need not be looked for, and numbers not be added up
SELECT b, count(*) FROM r GROUP BY b ORDER BY b;
\! test/regress/pinecone sorted-log 'vectors|query'
SELECT count(DISTINCT i), count(*), count(i) FROM r;
\! test/regress/pinecone sorted-log 'vectors|query'

-- the same as a local table has it, and without a plan below that has run
CREATE FUNCTION told(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  line text;
  told text := 'another plan';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
    IF line ~ 'Pinecone Groups: ' THEN
      told := substring(line FROM 'Pinecone Groups: (.*)');
    END IF;
  END LOOP;
  RETURN told;
END $$;
CREATE FUNCTION rows_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  EXECUTE format('SELECT string_agg(q::text, '' '' ORDER BY q::text COLLATE "C") FROM (%s) AS q', query) INTO result;
  RETURN result;
EXCEPTION WHEN others THEN
  RETURN SQLERRM;
END $$;
CREATE FUNCTION differ(query text, tab text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  remote text := rows_of(replace(query, 'TAB', tab));
  local text := rows_of(replace(query, 'TAB', tab || '_local'));
BEGIN
  IF remote IS NOT DISTINCT FROM local THEN
    RETURN told(replace(query, 'TAB', tab));
  END IF;
  RETURN format('%s: %s, not %s', query, remote, local);
END $$;
SELECT c, differ(format('SELECT %I, count(*), count(%1$I) FROM TAB GROUP BY %1$I', c), 'r') AS grouped,
  differ(format('SELECT DISTINCT %I FROM TAB WHERE i <> 2', c), 'r') AS "distinct",
  differ(format('SELECT count(DISTINCT %I), count(*) FROM TAB WHERE n <= 100', c), 'r') AS counted
FROM unnest(string_to_array('t b i s num num2 f f4 m m3 d e u g l j n id', ' ')) AS c;
SELECT c, differ(format('SELECT %I, count(*), count(%1$I) FROM TAB GROUP BY %1$I', c), 'nulls') AS grouped
FROM unnest(string_to_array('t b i num f g n', ' ')) AS c;
SELECT q, differ(q, 'r') FROM (VALUES
  ('SELECT t, count(*) FROM TAB GROUP BY t HAVING count(*) > 60'),
  ('SELECT t || ''x'', count(*) * 2 + count(t) FROM TAB GROUP BY t'),
  ('SELECT 1 FROM TAB GROUP BY t'),
  ('SELECT count(*) FROM TAB GROUP BY t, b'),
  ('SELECT t, count(*), count(b) FROM TAB GROUP BY t'),
  ('SELECT t, count(*) FILTER (WHERE b) FROM TAB GROUP BY t'),
  ('SELECT t, count(*) FILTER (WHERE b AND i = 1), count(*), count(*) FILTER (WHERE n < 100) FROM TAB GROUP BY t'),
  ('SELECT i, count(*) FILTER (WHERE t IS NULL) FROM TAB WHERE n > 20 GROUP BY i HAVING count(*) FILTER (WHERE b) > 10'),
  ('SELECT b, count(*) FILTER (WHERE i = 1), count(*) FILTER (WHERE i = 99) FROM TAB GROUP BY b'),
  ('SELECT f, count(*) FILTER (WHERE n = NULL), count(1) FILTER (WHERE true) FROM TAB GROUP BY f'),
  ('SELECT t, count(*) FILTER (WHERE n % 2 = 0) FROM TAB GROUP BY t'),
  ('SELECT t, count(*) FILTER (WHERE t = ''v1''), count(*) FILTER (WHERE t <> ''v1'') FROM TAB GROUP BY t'),
  ('SELECT x, (SELECT string_agg(t || c, '''' ORDER BY t) FROM (SELECT t, count(*) FILTER (WHERE i = x) AS c FROM TAB GROUP BY t) AS s) FROM generate_series(0, 3) AS x'),
  ('SELECT t, min(n) FROM TAB GROUP BY t'),
  ('SELECT upper(t), count(*) FROM TAB GROUP BY 1'),
  ('SELECT t, count(*) FROM TAB WHERE n > 1000 GROUP BY t'),
  ('SELECT count(DISTINCT t), count(*) FROM TAB WHERE n > 1000'),
  ('SELECT t, count(*) FROM TAB WHERE t = ''v1'' GROUP BY t'),
  ('SELECT n, count(*) FROM TAB WHERE n = 10 GROUP BY n'),
  ('SELECT n, count(*) FROM TAB WHERE n = 1000 GROUP BY n'),
  ('SELECT DISTINCT n FROM TAB WHERE n = 10'),
  ('SELECT t, count(*) FROM TAB WHERE t IS NULL OR i = 1 GROUP BY t'),
  ('SELECT t, count(*) FROM TAB WHERE id LIKE ''r1%'' GROUP BY t'),
  ('SELECT DISTINCT ON (t) t FROM TAB ORDER BY t'),
  ('SELECT count(DISTINCT t) FILTER (WHERE n < 3), count(DISTINCT t) FROM TAB'),
  ('SELECT DISTINCT t, b FROM TAB'),
  ('SELECT count(*) FROM (SELECT DISTINCT t FROM TAB) AS s'),
  ('SELECT x.t, y.c FROM (SELECT DISTINCT t FROM TAB) AS x JOIN (SELECT i, count(*) AS c FROM TAB GROUP BY i) AS y ON x.t = ''v'' || y.i'),
  ('SELECT x, (SELECT count(DISTINCT t) FROM TAB WHERE i = x) FROM generate_series(0, 4) AS x'),
  ('SELECT t, count(*) FROM TAB GROUP BY ROLLUP (t)'),
  ('SELECT t, count(*), sum(count(*)) OVER () FROM TAB GROUP BY t')) AS queries (q);

-- with parameters, and a cursor
PREPARE years(int) AS SELECT t, count(*) FROM r WHERE n < $1 GROUP BY t ORDER BY t;
SET plan_cache_mode = force_generic_plan;
EXECUTE years(20);
EXECUTE years(NULL);
BEGIN;
DECLARE c CURSOR FOR SELECT i, count(*) FROM r GROUP BY i ORDER BY i;
FETCH 2 FROM c;
FETCH ALL FROM c;
COMMIT;

-- several namespaces
SELECT q, differ(q, 'many') FROM (VALUES
  ('SELECT t, count(*) FROM TAB GROUP BY t'),
  ('SELECT tenant, t, count(*) FROM TAB GROUP BY t, tenant'),
  ('SELECT tenant, t, count(*), count(*) FILTER (WHERE i = 1 AND n > 5) FROM TAB GROUP BY t, tenant'),
  ('SELECT t, count(*) FILTER (WHERE b), count(*) FROM TAB GROUP BY t'),
  ('SELECT tenant, b FROM TAB GROUP BY t, b, tenant'),
  ('SELECT DISTINCT tenant, b FROM TAB'),
  ('SELECT DISTINCT i FROM TAB WHERE tenant = ''b'''),
  ('SELECT count(DISTINCT t), count(*) FROM TAB'),
  ('SELECT i, count(*) FROM TAB WHERE tenant = ''none'' GROUP BY i'),
  ('SELECT tenant, count(DISTINCT i) FROM TAB GROUP BY tenant'),
  ('SELECT tenant, t, count(*) FROM TAB WHERE tenant = ''b'' GROUP BY t, tenant'),
  ('SELECT tenant, t, count(*) FROM TAB WHERE tenant = ''b'' AND t = ''v1'' GROUP BY t, tenant'),
  ('SELECT DISTINCT tenant, b FROM TAB WHERE tenant = ''b'''),
  ('SELECT DISTINCT tenant, b FROM TAB WHERE tenant = ''b'' AND b')) AS queries (q);
-- partitions
CREATE TABLE p (id text, n int, t text, i int) PARTITION BY RANGE (n);
CREATE FOREIGN TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100) SERVER pinecone OPTIONS (namespace 'a');
CREATE FOREIGN TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (1000) SERVER pinecone OPTIONS (namespace 'b');
SET enable_partitionwise_aggregate = on;
EXPLAIN (COSTS OFF) SELECT i, count(*) FROM p GROUP BY i;
SELECT i, count(*) FROM p GROUP BY i ORDER BY i;
RESET enable_partitionwise_aggregate;

-- what this transaction has written
BEGIN;
UPDATE r SET t = 'new' WHERE id = 'r1';
SELECT told('SELECT t, count(*) FROM r GROUP BY t');
SELECT t, count(*) FROM r GROUP BY t ORDER BY t;
ROLLBACK;

-- values that do not fit, lists among them: rows are read
\! test/regress/pinecone post groups /vectors/upsert '{"namespace":"a","vectors":[{"id":"x1","values":[1,2],"metadata":{"t":["v1","v2"],"i":2.5,"b":"no","f":"x","n":1}}]}'
SELECT c, rows_of(format('SELECT %I, count(*) FROM r GROUP BY %1$I', c)) FROM unnest('{t,b,i,f,s}'::text[]) AS c;
INSERT INTO nulls_local (id, n) VALUES ('x1', 1);
SELECT c, differ(format('SELECT %I, count(*), count(%1$I) FROM TAB GROUP BY %1$I', c), 'nulls'),
  differ(format('SELECT count(DISTINCT %I), count(*) FROM TAB', c), 'nulls') AS counted
FROM unnest('{t,b,i,num,f}'::text[]) AS c;
-- a list of one value that others have is the one that no filter tells from it
\! test/regress/pinecone post groups /vectors/upsert '{"namespace":"a","vectors":[{"id":"x1","values":[1,2],"metadata":{"t":["v1"],"n":1}}]}'
SELECT t, count(*) FROM r GROUP BY t ORDER BY t;
SELECT count(*) FROM r WHERE t = 'v1';
-- a key that may only read
\! test/regress/pinecone fault '{"path":"/vectors/update","status":403,"count":1}'
SELECT i, count(*) FROM r GROUP BY i ORDER BY i;
EXPLAIN (COSTS OFF) SELECT DISTINCT i FROM r;
SET client_min_messages = warning;
DROP SCHEMA groups CASCADE;
