-- Conditions on numbers that float64, bigint and numeric show differently: a
-- bigint column shows the stored float64 itself, a numeric one its shortest decimal.
CREATE TABLE local (id text COLLATE "C", big bigint, num numeric, f float8);
INSERT INTO local VALUES
  ('2^62', 4611686018427387904, 4611686018427388000, 4611686018427387904),
  ('-2^63', -9223372036854775808, -9223372036854776000, -9223372036854775808),
  ('2^53', 9007199254740992, 9007199254740992, 9007199254740992),
  ('2^63-1024', 9223372036854774784, 9223372036854775000, 9223372036854774784),
  ('2', 2, 2, 2);
\set index search
\set dimension 3
\set metric cosine
\i test/regress/setup.sql
SELECT jsonb_build_object('id', id, 'values', '{1,2,3}'::real[], 'metadata', jsonb_build_object('big', big, 'num', big, 'f', big)) FROM local ORDER BY id
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert search kb
CREATE FOREIGN TABLE remote (id text COLLATE "C", big bigint, num numeric, f float8) SERVER pinecone OPTIONS (namespace 'kb');
SELECT * FROM remote EXCEPT SELECT * FROM local;
EXPLAIN (COSTS OFF) SELECT id FROM remote WHERE big = 4611686018427387904.0;
EXPLAIN (COSTS OFF) SELECT id FROM remote WHERE big = 4611686018427388000.0;
EXPLAIN (COSTS OFF) SELECT id FROM remote WHERE num = 4611686018427387904;

-- each comparison of each column with each value, sent and not sent
CREATE FUNCTION ids(condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
  EXECUTE 'SELECT string_agg(id, '' '' ORDER BY id) FROM ' || condition INTO result;
  RETURN coalesce(result, '');
END $$;
CREATE TABLE conditions AS
SELECT format('%s %s %L::%s', c, o, v, t) AS condition FROM unnest('{big,num,f}'::text[]) c, unnest('{=,<>,<,<=,>,>=,IS DISTINCT FROM}'::text[]) o,
  (SELECT v, t FROM unnest('{4611686018427387904,4611686018427388000,4611686018427387903,-9223372036854775808,9223372036854775807,
      9223372036854774784,9223372036854775000,9007199254740993,2}'::text[]) v, unnest('{numeric,float8,bigint}'::text[]) t
   UNION ALL SELECT v, t FROM unnest('{4611686018427387904.5,-9223372036854775808.5,-9223372036854776000,9223372036854775807.5,1.5,2.5,NaN,Infinity}'::text[]) v,
      unnest('{numeric,float8}'::text[]) t
   UNION ALL SELECT v, 'numeric' FROM unnest('{1e400,-1e400,1e-400}'::text[]) v) s
WHERE c <> 'f' OR v !~ 'e';   -- no float8
SELECT condition, ids('remote WHERE ' || condition) AS remote, ids('local WHERE ' || condition) AS local FROM conditions
WHERE ids('remote WHERE ' || condition) <> ids('local WHERE ' || condition);
SELECT count(*), count(DISTINCT ids('remote WHERE ' || condition)) AS answers FROM conditions;
SELECT id FROM remote WHERE big IN (4611686018427388000, 9007199254740992.0, 2.5) ORDER BY id;
SELECT id FROM local WHERE big IN (4611686018427388000, 9007199254740992.0, 2.5) ORDER BY id;
SELECT id FROM remote WHERE big NOT IN (4611686018427387904.0, 2) ORDER BY id;
SELECT id FROM local WHERE big NOT IN (4611686018427387904.0, 2) ORDER BY id;

-- what is written is shown before it is sent as afterwards, and can be changed further
ALTER FOREIGN TABLE remote ADD embedding real[], ADD shown numeric OPTIONS (field 'big'), ADD metadata jsonb;
BEGIN;
INSERT INTO remote (id, embedding, big) SELECT 'w' || big, '{1,2,3}', big FROM local;
UPDATE remote SET big = big, f = 1.5 WHERE id LIKE 'w%';
UPDATE remote SET metadata = metadata || '{"more": "x"}' WHERE id LIKE 'w%' AND big <> 2;
CREATE TABLE waiting AS SELECT id, big, shown, metadata FROM remote WHERE id LIKE 'w%';
COMMIT;
SELECT id, big, shown, metadata FROM remote WHERE id LIKE 'w%' ORDER BY id;
SELECT id, big, shown, metadata FROM remote WHERE id LIKE 'w%' EXCEPT SELECT * FROM waiting;
\! test/regress/pinecone drop search
DROP TABLE local, conditions, waiting;
DROP FUNCTION ids(text);
