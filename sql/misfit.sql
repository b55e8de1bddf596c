-- Values that do not fit their columns: where they matter, and where they do not.
\set index misfit
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
SET timezone = 'UTC';

-- integers: what is equal to a value of a wider type need not fit
CREATE TABLE given (r jsonb);
INSERT INTO given
SELECT jsonb_build_object('id', chr(96 + i::int), 'values', '[1,1]'::jsonb, 'metadata', jsonb_build_object('v', v))
FROM jsonb_array_elements('[9.99, 3000000000, "x", 5, 32768, 1e15, true, ["5"], 123456.78, 0.001]') WITH ORDINALITY AS e (v, i);
SELECT r FROM given \g (format=unaligned tuples_only=on) |test/regress/pinecone upsert misfit numbers
CREATE FOREIGN TABLE numbers (id text, embedding real[], i2 smallint OPTIONS (field 'v'), i4 int OPTIONS (field 'v'), i8 bigint OPTIONS (field 'v'), n52 numeric(5,2) OPTIONS (field 'v'),
  f4 real OPTIONS (field 'v'), f8 float8 OPTIONS (field 'v'), b bool OPTIONS (field 'v'), t text OPTIONS (field 'v'), l text[] OPTIONS (field 'v'))
  SERVER pinecone OPTIONS (namespace 'numbers', on_type_error 'null');
CREATE TABLE numbers_local AS SELECT * FROM numbers;
CREATE FUNCTION differ(condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  remote text;
  counted bigint;
  local text;
BEGIN
  EXECUTE 'SELECT string_agg(id, '' '' ORDER BY id) FROM numbers WHERE ' || condition INTO remote;
  EXECUTE 'SELECT count(*) FROM numbers WHERE ' || condition INTO counted;
  EXECUTE 'SELECT string_agg(id, '' '' ORDER BY id) FROM numbers_local WHERE ' || condition INTO local;
  RETURN CASE WHEN remote IS DISTINCT FROM local OR counted <> coalesce(array_length(string_to_array(local, ' '), 1), 0)
              THEN format('%s: %s, %s counted, not %s', condition, remote, counted, local) END;
END $$;
SELECT count(*) AS conditions, string_agg(differ(c), E'\n') AS differ FROM (
  SELECT format(form, col, value) AS c
  FROM (VALUES ('i2'), ('i4'), ('i8'), ('n52'), ('f4'), ('f8')) AS cols (col),
    (VALUES ('9.99'), ('9.99::float8'), ('3000000000'), ('5'), ('32768'), ('1e15::float8'), ('123456.78'), ('0.001::numeric'), ('5::smallint')) AS vals (value),
    (VALUES ('%I = %s'), ('%2$s = %1$I'), ('%I IN (%s, 7)'), ('%I = ANY (ARRAY[%s])'), ('%I <> %s'), ('%I > %s'), ('%I <= %s'), ('NOT %I = %s'), ('%I IS NOT DISTINCT FROM %s'), ('%I IS DISTINCT FROM %s')) AS forms (form)) AS conditions;
-- nor does a condition that is sent exactly lose what it had: a search with LIMIT
EXPLAIN (COSTS OFF) SELECT id FROM numbers WHERE i4 = 5 ORDER BY embedding <=> '{1,1}' LIMIT 1;
EXPLAIN (COSTS OFF) SELECT id FROM numbers WHERE i4 = 5.0 ORDER BY embedding <=> '{1,1}' LIMIT 1;
DELETE FROM numbers WHERE i4 = 3000000000;
DELETE FROM numbers WHERE i4 = 9.99::float8;
UPDATE numbers SET i4 = 1 WHERE n52 = 123456.78;
SELECT count(*) FROM numbers;

-- domains: any type, any constraint
CREATE DOMAIN grade AS int CHECK (value BETWEEN 1 AND 6);
CREATE DOMAIN good_grade AS grade CHECK (value < 3);
CREATE DOMAIN needed AS text NOT NULL;
CREATE DOMAIN short_list AS text[] CHECK (array_length(value, 1) < 3);
CREATE DOMAIN yes AS boolean CHECK (value);
CREATE DOMAIN ratio AS float8 CHECK (value <= 1);
CREATE DOMAIN code AS text CHECK (value ~ '^[a-z]$');
CREATE DOMAIN unit AS real[] CHECK (value[1] = 1);
\! test/regress/pinecone post misfit /vectors/upsert '{"namespace":"domains","vectors":[{"id":"a","values":[1,2],"metadata":{"g":2,"s":"x","l":["1"],"y":true,"r":0.5}},{"id":"b","values":[1,2],"metadata":{"g":5,"s":"x","l":["1","2","3"],"y":false,"r":1.5}},{"id":"cc","values":[2,2],"metadata":{"g":9}},{"id":"d","values":[1,1],"metadata":{"g":"9","s":1,"l":"1","y":1,"r":"1"}}]}'
CREATE FOREIGN TABLE strict (id text, embedding real[], g grade, gg good_grade OPTIONS (field 'g'), s needed, l short_list, y yes, r ratio) SERVER pinecone OPTIONS (namespace 'domains');
CREATE FOREIGN TABLE lax (id text, embedding real[], g grade, gg good_grade OPTIONS (field 'g'), s needed, l short_list, y yes, r ratio) SERVER pinecone OPTIONS (namespace 'domains', on_type_error 'null');
CREATE FOREIGN TABLE coded (id code, embedding unit, g int) SERVER pinecone OPTIONS (namespace 'domains', on_type_error 'null');
SELECT id, g FROM strict ORDER BY id;
SELECT id, gg FROM strict WHERE id = 'b';
SELECT id, s FROM strict WHERE id = 'cc';
SELECT id, l FROM strict WHERE id = 'b';
SELECT * FROM lax ORDER BY id;
CREATE TABLE lax_local AS SELECT id, embedding, g::int, gg::int, s::text, l::text[], y::boolean, r::float8 FROM lax;
CREATE FUNCTION pg_temp.ids(t text, c text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE ids text;
BEGIN
	EXECUTE format('SELECT string_agg(id, '' '' ORDER BY id) FROM %s WHERE %s', t, c) INTO ids;
	RETURN ids;
END $$;
SELECT c, pg_temp.ids('lax', c) AS remote, pg_temp.ids('lax_local', c) AS local FROM unnest(ARRAY['g = 5', 'g = 9', 'gg = 5', 'g > 1', 'gg IS NULL', 'gg IS NOT NULL', 'gg <> 2', 's IS NULL', 'y = false', 'NOT y', 'y', 'r > 1', 'r = 1.5', 'l @> ''{1}''', 'l IS NULL', '''2'' = ANY (l)']) AS c;
SELECT id, embedding, g FROM coded WHERE g IS NOT NULL ORDER BY g;
SELECT id FROM coded WHERE id = 'cc';
DELETE FROM coded WHERE g + 0 = 9;
-- a constraint that fails by itself says where
CREATE DOMAIN inverse AS int CHECK (1 / value > 0);
\! test/regress/pinecone post misfit /vectors/upsert '{"namespace":"inverse","vectors":[{"id":"a","values":[1,2],"metadata":{"g":0}}]}'
CREATE FOREIGN TABLE inverses (id text, g inverse) SERVER pinecone OPTIONS (namespace 'inverse');
SELECT * FROM inverses;
-- and a value mended by UPDATE
UPDATE strict SET g = 6 WHERE id = 'cc';
UPDATE strict SET s = 'there', l = '{1}', g = 1, y = true, r = 1 WHERE id IN ('b', 'cc', 'd');
SELECT * FROM strict ORDER BY id;

-- strings that no text can hold: U+0000, half of a surrogate pair
\! test/regress/pinecone post misfit /vectors/upsert '{"namespace":"nul","vectors":[{"id":"a","values":[1,2],"metadata":{"n":1,"body":"x\u0000y\u00e4"}},{"id":"b","values":[1,2],"metadata":{"n":2,"body":"x\ud800y"}},{"id":"c","values":[1,2],"metadata":{"n":3,"k\u0000":"z","body":"fine"}},{"id":"d","values":[1,2],"metadata":{"n":4,"l":["x","\udc00"],"body":"\ud83d\ude00"}},{"id":"e","values":[1,3],"metadata":{"n":5,"body":"\\u0000"}}]}'
CREATE FOREIGN TABLE nul (id text, embedding real[], n int, body text, l text[], metadata jsonb) SERVER pinecone OPTIONS (namespace 'nul');
CREATE FOREIGN TABLE nul_null (id text, embedding real[], n int, body text, l text[], metadata jsonb, b jsonb OPTIONS (field 'body'), v varchar(9) OPTIONS (field 'body'), u uuid OPTIONS (field 'body'))
  SERVER pinecone OPTIONS (namespace 'nul', on_type_error 'null');
CREATE FOREIGN TABLE nul_json (id text, body json) SERVER pinecone OPTIONS (namespace 'nul');
-- nothing where no wanted column holds it
SELECT id, n FROM nul ORDER BY id;
SELECT id, n FROM nul WHERE n < 3 ORDER BY embedding <=> '{1,2}', id LIMIT 2;
SELECT count(*), sum(n) FROM nul WHERE n > 1;
SELECT x.n, y.id FROM generate_series(1, 3) AS x (n), LATERAL (SELECT id FROM nul WHERE nul.n = x.n ORDER BY embedding <=> '{1,2}' LIMIT 1) AS y ORDER BY 1;
-- an error where it is read
SELECT id, body FROM nul WHERE id = 'a';
SELECT id, body FROM nul WHERE id = 'b';
SELECT id, l FROM nul WHERE id = 'd';
SELECT id, metadata FROM nul WHERE id = 'c';
SELECT id FROM nul WHERE length(body) > 3;
-- or NULL
SELECT id, n, body, l, metadata, b, v, u FROM nul_null ORDER BY id;
SELECT id FROM nul_null WHERE body IS NULL ORDER BY id;
SELECT id FROM nul_null WHERE body <> 'fine' ORDER BY id;
SELECT id FROM nul_null WHERE metadata ->> 'n' IS NULL ORDER BY id;
SELECT id FROM nul_null WHERE metadata ? 'body' ORDER BY id;
SELECT id FROM nul_null WHERE pinecone_match(metadata, '{"n": {"$gt": 0}}') ORDER BY id;
SELECT count(*) FROM nul_null WHERE metadata @> '{"n": 3}';
-- json shows what is stored
SELECT * FROM nul_json ORDER BY id;
\setenv PGDATABASE :DBNAME
\! psql -qXc 'ANALYZE VERBOSE nul' 2>&1 | grep -v -E 'finished|rate:|usage:'
SELECT attname, null_frac FROM pg_stats WHERE tablename = 'nul' ORDER BY 1;
-- other fields are changed without it, and what is there stays as it is
UPDATE nul SET n = n + 10 WHERE id IN ('a', 'b', 'c', 'd');
UPDATE nul SET n = NULL WHERE id = 'c';
UPDATE nul SET n = 14 WHERE id = 'd' RETURNING id, n;
UPDATE nul SET n = 14 WHERE id = 'd' RETURNING *;
\! test/regress/pinecone get misfit '/vectors/fetch?namespace=nul&ids=a&ids=b&ids=c&ids=d'
-- writes that are not sent yet
BEGIN;
UPDATE nul SET n = 100 WHERE n < 1000;
UPDATE nul SET n = n + 1 WHERE id = 'a';
SELECT id, n FROM nul ORDER BY id;
DELETE FROM nul WHERE n = 101;
SELECT count(*) FROM nul WHERE n >= 100;
SELECT id, body FROM nul_null ORDER BY id;
ROLLBACK;
-- mended
UPDATE nul SET body = 'mended' WHERE id IN ('a', 'b');
UPDATE nul SET l = NULL WHERE id = 'd';
UPDATE nul SET metadata = '{"n": 3}' WHERE id = 'c';
SELECT id, n, body, l, metadata FROM nul ORDER BY id;
-- a filter that Pinecone would refuse is refused here, in the words of a local call
SELECT id FROM nul WHERE pinecone_match(metadata, '{"n": {"$in": ["1", 2]}}');
SELECT count(*) FROM nul WHERE pinecone_match(metadata, '{"$or": [{"n": 1}, {}]}');
SELECT count(*) FROM nul WHERE pinecone_match(metadata, '{}');
PREPARE by_filter (jsonb) AS SELECT id FROM nul WHERE pinecone_match(metadata, $1) ORDER BY embedding <=> '{1,1}', id LIMIT 2;
EXECUTE by_filter ('{"n": {"$gt": "1"}}');
EXECUTE by_filter ('{"n": {"$gt": 11}}');
DELETE FROM nul WHERE pinecone_match(metadata, '{"n": null}');
-- an import goes on, and says so
\! test/regress/pinecone post misfit /vectors/upsert '{"namespace":"nul","vectors":[{"id":"a","values":[1,2],"metadata":{"n":1,"body":"x\u0000"}},{"id":"b","values":[1,2],"metadata":{"body":"\u0000","l":["\udfff"],"\u0000":"z"}}]}'
CREATE SCHEMA imported;
IMPORT FOREIGN SCHEMA x LIMIT TO (nul) FROM SERVER pinecone INTO imported OPTIONS (vector_type 'real[]');
IMPORT FOREIGN SCHEMA x LIMIT TO (everything) FROM SERVER pinecone INTO imported OPTIONS (vector_type 'real[]', one_table 'everything');
SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'imported' ORDER BY 1, ordinal_position;

-- sizes: ids, vectors
CREATE FOREIGN TABLE narrow (id varchar(1), embedding real[], g int) SERVER pinecone OPTIONS (namespace 'domains');
SELECT id FROM narrow;
ALTER FOREIGN TABLE narrow OPTIONS (ADD on_type_error 'null');
SELECT id, g FROM narrow ORDER BY id;
-- an id that has become NULL is where NULL is: Pinecone's order is another
CREATE DOMAIN one_letter AS text CHECK (length(VALUE) < 2);
CREATE FOREIGN TABLE narrow_domain (id one_letter, embedding real[], g int) SERVER pinecone OPTIONS (namespace 'domains', on_type_error 'null');
EXPLAIN (COSTS OFF) SELECT id FROM narrow ORDER BY id COLLATE "C";
SELECT id FROM narrow ORDER BY id COLLATE "C" LIMIT 3;
SELECT id FROM narrow_domain ORDER BY id COLLATE "C" LIMIT 3;
SET enable_hashagg = off;
SET enable_hashjoin = off;
SET enable_nestloop = off;
INSERT INTO narrow (id, embedding, g) VALUES ('e', '{1,1}', 5);
CREATE FOREIGN TABLE wide (id text, g int) SERVER pinecone OPTIONS (namespace 'domains');
SELECT id, count(*) FROM narrow GROUP BY id ORDER BY id;
SELECT n.id, w.g FROM narrow n JOIN wide w ON n.id COLLATE "C" = w.id COLLATE "C" ORDER BY 1;
SELECT n.id, w.g FROM narrow_domain n JOIN wide w ON n.id COLLATE "C" = w.id COLLATE "C" ORDER BY 1;
RESET enable_hashagg;
RESET enable_hashjoin;
RESET enable_nestloop;
-- and so are namespaces, which fit or do not as a whole: counted, chosen and written to
CREATE FOREIGN TABLE spaces (ns text OPTIONS (role 'namespace'), id text, embedding real[], g int) SERVER pinecone;
INSERT INTO spaces (ns, id, embedding, g) VALUES ('x', 'one', '{1,1}', 1), ('xx', 'two', '{1,1}', 2), ('xxx', 'three', '{1,1}', 3);
CREATE FOREIGN TABLE narrow_spaces (ns varchar(1) OPTIONS (role 'namespace'), id text, embedding real[], g int) SERVER pinecone OPTIONS (namespaces 'x,xx,xxx', on_type_error 'null');
CREATE FOREIGN TABLE domain_spaces (ns one_letter OPTIONS (role 'namespace'), id text, embedding real[], g int) SERVER pinecone OPTIONS (namespaces 'x,xx,xxx', on_type_error 'null');
CREATE TABLE local_spaces AS SELECT * FROM narrow_spaces;
SELECT ns, count(*) FROM local_spaces GROUP BY ns ORDER BY ns;
SELECT ns, count(*) FROM narrow_spaces GROUP BY ns ORDER BY ns;
SELECT ns, count(*) FROM domain_spaces GROUP BY ns ORDER BY ns;
SELECT ns, g, count(*) FROM narrow_spaces GROUP BY ns, g ORDER BY ns, g;
CREATE FUNCTION spaces_differ(condition text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  name text;
  local text;
  remote text;
  counted bigint;
BEGIN
  EXECUTE 'SELECT string_agg(id, '' '' ORDER BY id) FROM local_spaces WHERE ' || condition INTO local;
  FOREACH name IN ARRAY '{narrow_spaces,domain_spaces}'::text[] LOOP
    EXECUTE format('SELECT string_agg(id, '' '' ORDER BY id) FROM %s WHERE ', name) || condition INTO remote;
    EXECUTE format('SELECT count(*) FROM %s WHERE ', name) || condition INTO counted;
    IF remote IS DISTINCT FROM local OR counted <> coalesce(array_length(string_to_array(local, ' '), 1), 0) THEN
      RETURN NEXT format('%s: %s: %s, %s counted, not %s', condition, name, remote, counted, local);
    END IF;
  END LOOP;
END $$;
SELECT count(*) AS conditions, sum((SELECT count(*) FROM spaces_differ(c))) AS differ
FROM unnest(ARRAY['ns = ''x''', 'ns = ''xx''', 'ns IN (''x'', ''xxx'')', 'ns IS NULL', 'ns IS NOT NULL', 'ns > ''a''', 'ns = ''xx'' AND g = 2',
  'coalesce(ns, ''?'') <> ''x''', 'ns || ns = ''xx''']) c;
UPDATE narrow_spaces SET g = 10 WHERE ns = 'xx';
DELETE FROM domain_spaces WHERE ns IN ('xx', 'xxx');
DELETE FROM narrow_spaces WHERE ns IN ('xx', 'xxx') AND g > 0;
SELECT ns, id, g FROM spaces WHERE ns LIKE 'x%' ORDER BY 1;
ALTER FOREIGN TABLE narrow_spaces OPTIONS (SET on_type_error 'error');
SELECT ns, count(*) FROM narrow_spaces GROUP BY ns;
SELECT ns, count(*) FROM narrow_spaces WHERE ns = 'x' GROUP BY ns;

DROP SCHEMA imported CASCADE;
DROP SERVER pinecone CASCADE;
DROP TABLE given, numbers_local, lax_local, local_spaces;
DROP FUNCTION differ, spaces_differ;
DROP DOMAIN one_letter, good_grade, grade, needed, short_list, yes, ratio, code, unit, inverse;
