-- What each type of a column is written as, and that it reads back as it was.
\set index written-types
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
SET timezone = 'UTC';
CREATE TYPE mood AS ENUM ('sad', 'so "so"', 'happy');
CREATE DOMAIN few AS smallint CHECK (VALUE < 100);
\set columns 'id text, embedding real[], t text, v varchar(9), c char(4), b boolean, i2 smallint, i4 int, i8 bigint, f4 real, f8 float8, n numeric, u uuid, m mood, f few, l text[], vl varchar(5)[], ts timestamptz, tl timestamp, d date'
CREATE FOREIGN TABLE w (:columns, te timestamptz OPTIONS (format 'epoch'), tm timestamp OPTIONS (format 'epoch_ms'), de date OPTIONS (format 'epoch'), dm date OPTIONS (format 'epoch_ms')) SERVER pinecone;
CREATE TABLE local (:columns, te timestamptz, tm timestamp, de date, dm date);
INSERT INTO local VALUES
  ('all', '{1,2}', E'a "b"\n\\ é 😀', 'varchar', 'ab', true, -32768, 2147483647, -900719925474099, 0.1, 1e-300, 12345.25, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    'so "so"', 99, '{a,"b c","",é}', '{x,yy}', '2024-02-29 12:34:56.789+00', '1900-01-01 00:00:00.000001', '0001-01-01',
    '2024-02-29 12:34:56.789+00', '1969-12-31 23:59:59.999', '1969-12-31', '9999-12-31'),
  ('empty', '{1,2}', '', '', '', false, 0, 0, 0, -0.0, 0, 0, '00000000-0000-0000-0000-000000000000', 'sad', 0, '{}', '{}', '1970-01-01+00', '1970-01-01', '1970-01-01',
    '1970-01-01+00', '1970-01-01', '1970-01-01', '1970-01-01');
INSERT INTO local VALUES ('null', '{1,2}');
INSERT INTO w SELECT * FROM local;
SELECT to_jsonb(w) = to_jsonb(here) AS same, w.id FROM w JOIN local here USING (id) ORDER BY id;
-- what is stored
\! test/regress/pinecone get written-types '/vectors/fetch?ids=all' | grep -o '"metadata":{.*}' | tr ',' '\n'
\! test/regress/pinecone get written-types '/vectors/fetch?ids=null' | grep -o '"metadata":{.*}'
-- a value of each type as a condition finds the row, and so does an update to it
SELECT id FROM w WHERE u = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11' AND m = 'so "so"' AND i2 = -32768 AND f = 99 AND c = 'ab' AND d = '0001-01-01' AND de = '1969-12-31' AND dm = '9999-12-31' AND f8 = 1e-300;
UPDATE w SET (t, v, c, b, i2, i4, i8, f4, f8, n, u, m, f, l, vl, ts, tl, d, te, tm, de, dm) =
  (SELECT t, v, c, b, i2, i4, i8, f4, f8, n, u, m, f, l, vl, ts, tl, d, te, tm, de, dm FROM local WHERE id = 'all') WHERE id = 'null';
SELECT to_jsonb(w) - 'id' = to_jsonb(here) - 'id' AS same FROM w, local here WHERE w.id = 'null' AND here.id = 'all';
-- all of them NULL again: no field is left
UPDATE w SET (t, v, c, b, i2, i4, i8, f4, f8, n, u, m, f, l, vl, ts, tl, d, te, tm, de, dm) =
  (SELECT t, v, c, b, i2, i4, i8, f4, f8, n, u, m, f, l, vl, ts, tl, d, te, tm, de, dm FROM local WHERE id = 'null') WHERE id = 'null';
\! test/regress/pinecone get written-types '/vectors/fetch?ids=null' | grep -c 'metadata'
SELECT to_jsonb(w) = to_jsonb(here) AS same FROM w JOIN local here USING (id) WHERE id = 'null';

-- what no record can hold, and what to do
INSERT INTO w (id, embedding, i8) VALUES ('x', '{1,2}', 9007199254740993);
INSERT INTO w (id, embedding, n) VALUES ('x', '{1,2}', 0.12345678901234567890);
INSERT INTO w (id, embedding, n) VALUES ('x', '{1,2}', 'NaN');
INSERT INTO w (id, embedding, n) VALUES ('x', '{1,2}', 1e400);
INSERT INTO w (id, embedding, f8) VALUES ('x', '{1,2}', 'infinity');
INSERT INTO w (id, embedding, f4) VALUES ('x', '{1,2}', 'NaN');
INSERT INTO w (id, embedding, ts) VALUES ('x', '{1,2}', 'infinity');
INSERT INTO w (id, embedding, te) VALUES ('x', '{1,2}', '-infinity');
INSERT INTO w (id, embedding, te) VALUES ('x', '{1,2}', '290000-01-01 00:00:00.000001');
INSERT INTO w (id, embedding, te) VALUES ('x', '{1,2}', '9999-01-01 00:00:00.123457');
INSERT INTO w (id, embedding, d) VALUES ('x', '{1,2}', 'infinity');
INSERT INTO w (id, embedding, de) VALUES ('x', '{1,2}', '-infinity');
INSERT INTO w (id, embedding, d) VALUES ('x', '{1,2}', '0044-03-15 BC');
INSERT INTO w (id, embedding, d) VALUES ('x', '{1,2}', '10000-01-01');
INSERT INTO w (id, embedding, l) VALUES ('x', '{1,2}', '{a,NULL}');
INSERT INTO w (id, embedding, l) VALUES ('x', '{1,2}', '{{a,b},{c,d}}');
INSERT INTO w (id, embedding, f) VALUES ('x', '{1,2}', 100);
SELECT count(*) FROM w WHERE id = 'x';

-- json and jsonb: a field of any kind, or all of them
CREATE FOREIGN TABLE j (id text, embedding real[], a json, b jsonb) SERVER pinecone OPTIONS (namespace 'json');
INSERT INTO j SELECT format('%s', n), '{1,2}', v::json, v::jsonb FROM unnest(ARRAY['1', '1.5e3', 'true', '"a \"b\""', '["x", "y"]', '[]', 'null', NULL]) WITH ORDINALITY AS x (v, n);
SELECT id, a, b FROM j ORDER BY id;
INSERT INTO j (id, embedding, a) VALUES ('x', '{1,2}', '{"b": 1}');
INSERT INTO j (id, embedding, a) VALUES ('x', '{1,2}', '[1, 2]');
INSERT INTO j (id, embedding, b) VALUES ('x', '{1,2}', '["a", null]');
INSERT INTO j (id, embedding, a) VALUES ('x', '{1,2}', '12345678901234567890');
UPDATE j SET a = '"changed"', b = NULL WHERE id = '1';
SELECT a, b FROM j WHERE id = '1';
DROP SERVER pinecone CASCADE;
DROP TABLE local;
DROP DOMAIN few;
DROP TYPE mood;
