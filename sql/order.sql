-- Rows in the order of a number, a slice of its range at a time.
\set index ordered
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
SET timezone = 'UTC';
CREATE SCHEMA ordered;
SET search_path = ordered, public;
CREATE TABLE given (namespace text, id text, metadata jsonb);
INSERT INTO given
SELECT ns, ns || lpad(i::text, 4, '0'), jsonb_strip_nulls(jsonb_build_object('n', CASE WHEN i % 40 > 0 THEN i * 7919 % 1009 END, 'year', 1990 + i % 8, 'f', i * 7919 % 1009 / 8.0, 'e', 1700000000 + i * 7919 % 1009 * 3600, 't', 'v' || i % 3))
FROM unnest('{a,b}'::text[]) AS ns, generate_series(1, 700) AS i WHERE ns = 'a' OR i <= 50;
SELECT jsonb_build_object('id', id, 'values', '[1,1]'::jsonb, 'metadata', metadata) FROM given WHERE namespace = 'a' \g (format=unaligned tuples_only=on) |test/regress/pinecone upsert ordered a
SELECT jsonb_build_object('id', id, 'values', '[1,1]'::jsonb, 'metadata', metadata) FROM given WHERE namespace = 'b' \g (format=unaligned tuples_only=on) |test/regress/pinecone upsert ordered b
CREATE FOREIGN TABLE r (id text COLLATE "C", n int, year smallint, f float8, f4 real OPTIONS (field 'f'), num numeric OPTIONS (field 'f'), e timestamptz OPTIONS (format 'epoch'), t text, metadata jsonb)
  SERVER pinecone OPTIONS (namespace 'a');
CREATE FOREIGN TABLE nulls (id text, n int) SERVER pinecone OPTIONS (namespace 'a', on_type_error 'null');
CREATE FOREIGN TABLE several (tenant text OPTIONS (role 'namespace') COLLATE "C", id text COLLATE "C", n int, year int) SERVER pinecone;
CREATE TABLE r_local AS SELECT * FROM r;
CREATE TABLE several_local AS SELECT * FROM several;

EXPLAIN (COSTS OFF) SELECT id FROM r ORDER BY n DESC NULLS LAST LIMIT 3;
EXPLAIN (COSTS OFF) SELECT id FROM r ORDER BY year, id LIMIT 3;
EXPLAIN (COSTS OFF) SELECT max(n) FROM r WHERE t = 'v1'
\g (format=unaligned tuples_only=on) |test/regress/plan
EXPLAIN (COSTS OFF) SELECT id FROM r ORDER BY n;
EXPLAIN (COSTS OFF) SELECT id FROM r ORDER BY t LIMIT 3;
EXPLAIN (COSTS OFF) SELECT id FROM nulls ORDER BY n LIMIT 3;
EXPLAIN (COSTS OFF) SELECT EXISTS (SELECT FROM r WHERE t = 'v1')
\g (format=unaligned tuples_only=on) |test/regress/plan
SET pinecone_fdw.enable_order = off;
EXPLAIN (COSTS OFF) SELECT id FROM r ORDER BY n LIMIT 3;
RESET pinecone_fdw.enable_order;

-- counts and samples, and then a slice
\! test/regress/pinecone quiet
SELECT id, n FROM r ORDER BY n DESC NULLS LAST LIMIT 3;
\! test/regress/pinecone sorted-log 'vectors|query'
SELECT max(n) FROM r;
\! test/regress/pinecone sorted-log 'vectors|query'
-- NULLs come first, and are enough
SELECT n FROM r ORDER BY n DESC LIMIT 3;
\! test/regress/pinecone sorted-log 'vectors|query'
-- many with one number
SELECT year FROM r ORDER BY year LIMIT 3;
\! test/regress/pinecone sorted-log 'vectors|query'

CREATE FUNCTION rows_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  EXECUTE format('SELECT string_agg(q::text, '' '') FROM (%s) AS q', query) INTO result;
  RETURN result;
EXCEPTION WHEN others THEN
  RETURN SQLERRM;
END $$;
CREATE FUNCTION differ(query text, tab text) RETURNS text LANGUAGE sql AS $$
  SELECT CASE WHEN rows_of(replace(query, 'TAB', tab)) IS DISTINCT FROM rows_of(replace(query, 'TAB', tab || '_local'))
    THEN format('%s: %s, not %s', query, rows_of(replace(query, 'TAB', tab)), rows_of(replace(query, 'TAB', tab || '_local'))) END
$$;
SET enable_sort = off; -- all of it, slice by slice
SELECT count(*) AS queries, string_agg(differ(q, tab), E'\n') AS differ
FROM (VALUES ('r'), ('several')) AS tabs (tab),
  LATERAL (SELECT format('SELECT %s, %s FROM TAB%s ORDER BY %2$s %s, id%s LIMIT %s', CASE tab WHEN 'r' THEN 'id' ELSE 'id, tenant' END, col, condition, direction, CASE tab WHEN 'r' THEN '' ELSE ', tenant' END, most) AS q
    FROM unnest(CASE tab WHEN 'r' THEN '{n,year,f,f4,num,e}'::text[] ELSE '{n,year}' END) AS col, unnest('{"",DESC,"NULLS FIRST","DESC NULLS LAST"}'::text[]) AS direction,
      unnest('{""," WHERE year <> 1992"," WHERE n % 3 = 1"}'::text[]) AS condition, unnest('{1,7,600,2000}'::int[]) AS most) AS queries;
RESET enable_sort;
-- a cursor, a parameter, a join
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT id, n FROM r ORDER BY n LIMIT 400;
FETCH 2 FROM c;
MOVE 300 FROM c;
FETCH 2 FROM c;
FETCH ABSOLUTE 1 FROM c;
COMMIT;
SELECT x, (SELECT max(n) FROM r WHERE year = x) FROM generate_series(1989, 1992) AS x;
SELECT a.id, b.id FROM r a JOIN r b ON b.id = 'a0001' AND b.year = a.year ORDER BY a.n LIMIT 2;
-- what this transaction has written
BEGIN;
UPDATE r SET n = 5000 WHERE id = 'a0040';
UPDATE r SET n = -5 WHERE id = 'a0007';
DELETE FROM r WHERE n > 1000;
SELECT id, n FROM r ORDER BY n LIMIT 2;
SELECT max(n) FROM r;
ROLLBACK;
-- one slice after the other, where a condition here leaves rows out: each row once
SET enable_sort = off;
CREATE FUNCTION in_slices(digits text, rest text) RETURNS TABLE (asked text, same boolean) LANGUAGE plpgsql AS $$
DECLARE
  ids text;
  query text := format('SELECT string_agg(id, '','') FROM (SELECT id FROM %%I WHERE NOT id ~ %L ORDER BY n %s LIMIT 50) AS s', digits || '$', rest);
  here text;
BEGIN
  EXECUTE format(query, 'r') INTO ids;
  EXECUTE format(query, 'r_local') INTO here;
  RETURN QUERY SELECT digits || ' ' || rest, ids = here;
END $$;
EXPLAIN (COSTS OFF) SELECT id FROM r WHERE NOT id ~ '[1-9]$' ORDER BY n LIMIT 50
\g (format=unaligned tuples_only=on) |test/regress/plan
SELECT asked, same FROM unnest('{[1-9],[02-9],[013-9],[0-24-9],[0-35-9],[0-46-9],[0-57-9],[0-689],[0-79],[0-8]}'::text[]) AS digits, unnest('{ASC,DESC NULLS LAST}'::text[]) AS rest, in_slices(digits, rest);
RESET enable_sort;
-- values that are no numbers: met at the end
\! test/regress/pinecone post ordered /vectors/upsert '{"namespace":"a","vectors":[{"id":"x1","values":[1,2],"metadata":{"n":"seven","year":1989}},{"id":"x2","values":[1,2],"metadata":{"n":2.5,"year":1989}}]}'
SELECT id, n FROM r WHERE n <> 2.5 ORDER BY n DESC NULLS LAST LIMIT 2;
SELECT n FROM r WHERE year = 1989 AND n <> 2.5 ORDER BY n DESC NULLS LAST LIMIT 2;
SET enable_sort = off;
SELECT count(n) FROM (SELECT n FROM r WHERE n <> 2.5 ORDER BY n LIMIT 5000) AS s;
RESET enable_sort;
-- an order that ends before them does not need them; one that goes on to its end has them
\! test/regress/pinecone post ordered /vectors/upsert '{"namespace":"odd","vectors":[{"id":"o1","values":[1,2],"metadata":{"n":3}},{"id":"o2","values":[1,2],"metadata":{"n":1}},{"id":"o3","values":[1,2],"metadata":{"n":"seven"}},{"id":"o4","values":[1,2]}]}'
CREATE FOREIGN TABLE odd (id text COLLATE "C", n int) SERVER pinecone OPTIONS (namespace 'odd');
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT id, n FROM odd ORDER BY n LIMIT 2;
SELECT id, n FROM odd ORDER BY n LIMIT 2;
SELECT id, n FROM odd ORDER BY n LIMIT 3;
SELECT id, n FROM odd ORDER BY n DESC LIMIT 3;
SELECT id, n FROM odd ORDER BY n DESC LIMIT 4;
RESET enable_sort;
SET client_min_messages = warning;
DROP SCHEMA ordered CASCADE;
