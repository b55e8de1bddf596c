-- Metadata values as column types: what fits, and what is said of the rest.
\set index conversions
\set dimension 3
\set metric cosine
\i test/regress/setup.sql
-- numbers are written with a fraction where they are too long for a Perl integer
SET timezone = 'UTC';
CREATE TYPE mood AS ENUM ('happy', 'sad');
CREATE DOMAIN small AS int CHECK (value < 6);
CREATE DOMAIN word AS text;

-- records that fit, at the edges of what does; and one without metadata
CREATE TEMP TABLE records (r jsonb);
INSERT INTO records VALUES
  ('{"id": "fits", "values": [0.1, 0.25, 1], "metadata": {"i2": 32767, "i4": 2020.0, "i8": 9007199254740992, "n": 12.5, "n52": 999.99, "f4": 0.1, "f8": 0.1,
    "b": true, "t": "abc", "v": "äöü", "c": "ab", "u": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "e": "happy", "l": ["x", "y y", "NULL"], "j": "text \"quoted\"",
    "ts": "2024-02-29T12:34:56.789+05:30", "tl": "2024-02-29 12:34", "te": 1709210096.5, "tm": 1709210096789, "tp": 1.5, "d": "2024-02-29", "de": 1709164800, "small": 5, "word": "w"}}'),
  ('{"id": "edge", "values": [1, 0, 0], "metadata": {"i2": -32768, "i4": -2147483648, "i8": -9007199254740992, "n": 1e-7, "n52": -0.01, "f4": 340000000000000000000000000000000000000.5, "f8": 1e-10,
    "b": false, "t": "", "v": "", "c": "", "u": "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "e": "sad", "l": [], "j": ["a"],
    "ts": "0001-01-01T00:00:00Z", "tl": "9999-12-31T23:59:59.999999", "te": -1, "tm": -1, "tp": -0.5, "d": "9999-12-31", "de": -86400, "small": -1, "word": ""}}'),
  ('{"id": "bare", "values": [0, 0, 1]}');
SELECT r FROM records \g (format=unaligned tuples_only=on) |test/regress/pinecone upsert conversions good
CREATE FOREIGN TABLE good (id text, embedding real[], score float8, i2 smallint, i4 int, i8 bigint, n numeric, n52 numeric(5,2), f4 real, f8 float8,
  b bool, t text, v varchar(3), c char(4), u uuid, e mood, l text[], j jsonb, ts timestamptz, tl timestamp, te timestamptz OPTIONS (format 'epoch'),
  tm timestamp OPTIONS (format 'epoch_ms'), tp timestamp(1) OPTIONS (format 'epoch'), d date, de date OPTIONS (format 'epoch'), small small, word word, metadata jsonb)
  SERVER pinecone OPTIONS (namespace 'good');
\x on
SELECT * FROM good ORDER BY id COLLATE "C";
\x off
-- padded as any char(4) is
SELECT id, octet_length(c), c = 'ab' AS same FROM good WHERE c IS NOT NULL ORDER BY id COLLATE "C";
-- the same times in another zone
SET timezone = 'Asia/Kathmandu';
SELECT id, ts, tl, te, tm FROM good ORDER BY id COLLATE "C";
SET timezone = 'UTC';

-- what does not fit: a column of a table that has one record for each misfit
TRUNCATE records;
INSERT INTO records
SELECT jsonb_build_object('id', format('%s%s', k, i), 'values', '[1,2,3]'::jsonb, 'metadata', jsonb_build_object(k, v))
FROM (VALUES ('i2', '[32768, 1.5, "1", true, -32769]'::jsonb), ('i4', '[2020.5, 2147483648, "x"]'), ('i8', '[9300000000000000000.5, -9300000000000000000.5, 0.1]'),
    ('n', '["1"]'), ('n52', '[999.995, 1000, 0.001, -100000.5]'), ('f4', '[1000000000000000000000000000000000000000.5, "1"]'), ('f8', '["NaN", true]'), ('b', '["true", 1, 0]'), ('t', '[1, true, ["a"]]'),
    ('v', '["abcd", "abc ", 5]'), ('c', '["abcde"]'), ('u', '["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380A11", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "a0eebc999c0b4ef8bb6d6bb9bd380a11", ""]'),
    ('e', '["angry", "HAPPY", 1]'), ('l', '["x", 1]'),
    ('ts', '["yesterday", "now", "2024-02-30", "2024-1-01", "20240101", "2024-01-01T24:00", "2024-01-01T+1:02", "2024-01-01T12:60", "2024-01-01T12:00:60Z", "2024-01-01T12:00 UTC", "2024-01-01T12:00:00+16", "0000-01-01", "infinity", 1709210096]'),
    ('tl', '["2024-01-01T12:00Z", "2024-01-01T12", "2024-01-01T12:00:00."]'), ('te', '["2024-01-01", 100000000000000.5, -100000000000000.5]'), ('tp', '[1.55]'),
    ('d', '["2024-02-30", "2024-2-9", "2024-02-09T00:00:00", "today", 0]'), ('de', '[86401, 864000000000000, "2024-01-01"]'), ('small', '[5.5, "5"]')) AS x (k, vs),
  jsonb_array_elements(vs) WITH ORDINALITY AS y (v, i);
SELECT r FROM records \g (format=unaligned tuples_only=on) |test/regress/pinecone upsert conversions bad
CREATE FOREIGN TABLE bad (id text, i2 smallint, i4 int, i8 bigint, n numeric, n52 numeric(5,2), f4 real, f8 float8,
  b bool, t text, v varchar(3), c char(4), u uuid, e mood, l text[], ts timestamptz, tl timestamp, te timestamptz OPTIONS (format 'epoch'),
  tp timestamp(1) OPTIONS (format 'epoch'), d date, de date OPTIONS (format 'epoch'), small small)
  SERVER pinecone OPTIONS (namespace 'bad');
CREATE FUNCTION misfit(record_id text, col text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  value text;
BEGIN
  EXECUTE format('SELECT %I::text FROM bad WHERE id = %L', col, record_id) INTO value;
  RETURN 'fits: ' || coalesce(value, 'NULL');
EXCEPTION WHEN fdw_invalid_data_type THEN
  RETURN sqlerrm;
END $$;
SELECT r ->> 'id' AS id, misfit(r ->> 'id', k) FROM records, jsonb_object_keys(r -> 'metadata') AS k ORDER BY (r ->> 'id') COLLATE "C";
-- the whole of one such error
SELECT id, i4 FROM bad WHERE id = 'i41';
-- reading the other columns of those records is no error
SELECT count(*) FROM (SELECT id FROM bad OFFSET 0) s;
-- as NULL instead, all of them, whichever the type
ALTER FOREIGN TABLE bad OPTIONS (ADD on_type_error 'null');
SELECT count(*), count(i2) + count(i4) + count(i8) + count(n) + count(n52) + count(f4) + count(f8) + count(b) + count(t) + count(v) + count(c) + count(u)
  + count(e) + count(l) + count(ts) + count(tl) + count(te) + count(tp) + count(d) + count(de) + count(small) AS fit
FROM (SELECT * FROM bad OFFSET 0) s;

-- long values are cut in messages, between characters
SELECT jsonb_build_object('id', 'long', 'values', '[1,2,3]'::jsonb, 'metadata', jsonb_build_object('i4', 'x' || repeat('ä', 300)))
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert conversions bad
ALTER FOREIGN TABLE bad OPTIONS (DROP on_type_error);
SELECT i4 FROM bad WHERE id = 'long';

-- a domain's constraint holds, and says where it was broken
SELECT jsonb_build_object('id', 'six', 'values', '[1,2,3]'::jsonb, 'metadata', '{"small": 6}'::jsonb)
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert conversions bad
SELECT small FROM bad WHERE id = 'six';
CREATE DOMAIN needed AS text NOT NULL;
CREATE FOREIGN TABLE strict (id text, word needed) SERVER pinecone OPTIONS (namespace 'good');
SELECT id, word FROM strict WHERE id = 'fits';
SELECT id, word FROM strict WHERE id = 'bare';
-- an id column has a length like any other
CREATE FOREIGN TABLE narrow (id varchar(4), t text) SERVER pinecone OPTIONS (namespace 'good');
SELECT id FROM narrow WHERE id = 'bare';
SELECT id FROM (SELECT id FROM narrow OFFSET 0) s;
ALTER FOREIGN TABLE narrow ALTER id TYPE varchar(3);
SELECT id FROM narrow;
-- columns of any name may have a role, and fields any name
CREATE FOREIGN TABLE renamed (key text OPTIONS (role 'id'), v real[] OPTIONS (role 'values'), id text OPTIONS (field 'word'), score text OPTIONS (field 't'),
  everything jsonb OPTIONS (role 'metadata')) SERVER pinecone OPTIONS (namespace 'good');
SELECT key, v, id, score, everything ->> 'i2' AS i2 FROM renamed ORDER BY key COLLATE "C";
-- dropped columns are left out
ALTER FOREIGN TABLE renamed DROP COLUMN id;
SELECT * FROM renamed WHERE key = 'bare';

DROP FUNCTION misfit;
DROP FOREIGN TABLE good, bad, strict, narrow, renamed;
DROP DOMAIN small, word, needed;
DROP TYPE mood;
\! test/regress/pinecone drop conversions
