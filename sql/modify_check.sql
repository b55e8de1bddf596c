-- What is found out before anything is sent: rows that Pinecone would refuse, or
-- not keep as they are.
\set index modify-check
\set dimension 3
\set metric cosine
\i test/regress/setup.sql

CREATE FOREIGN TABLE item (id text, embedding real[], sparse_values jsonb, score float8, t text, n bigint, num numeric, f float8, r real,
  ts timestamptz, day date, list text[], j jsonb, metadata jsonb)
SERVER pinecone;
SELECT count(*) FROM item;
\! test/regress/pinecone quiet

-- ids
INSERT INTO item (embedding) VALUES ('{1,2,3}');
INSERT INTO item (id, embedding) VALUES ('', '{1,2,3}');
INSERT INTO item (id, embedding) VALUES ('Zoë', '{1,2,3}');
INSERT INTO item (id, embedding) VALUES (repeat('x', 513), '{1,2,3}');

-- vectors
INSERT INTO item (id) VALUES ('a');
INSERT INTO item (id, embedding) VALUES ('a', '{1,2}');
INSERT INTO item (id, embedding) VALUES ('a', '{}');
INSERT INTO item (id, embedding) VALUES ('a', '{1,2,3,4}');
INSERT INTO item (id, embedding) VALUES ('a', '{{1,2,3}}');
INSERT INTO item (id, embedding) VALUES ('a', '{1,NULL,3}');
INSERT INTO item (id, embedding) VALUES ('a', '{0,0,0}');
INSERT INTO item (id, embedding) VALUES ('a', '{1e-9,0,-9e-9}');
INSERT INTO item (id, embedding) VALUES ('a', '{1,NaN,0}');
INSERT INTO item (id, embedding) VALUES ('a', '{1,Infinity,0}');
INSERT INTO item (id, embedding, sparse_values) VALUES ('a', '{1,2,3}', '{"indices": [1], "values": [1]}');
INSERT INTO item (id, embedding, score) VALUES ('a', '{1,2,3}', 0.5);

-- numbers
INSERT INTO item (id, embedding, n) VALUES ('a', '{1,2,3}', 9007199254740993);
INSERT INTO item (id, embedding, n) VALUES ('a', '{1,2,3}', 9223372036854775807);
INSERT INTO item (id, embedding, num) VALUES ('a', '{1,2,3}', 9007199254740993);
INSERT INTO item (id, embedding, num) VALUES ('a', '{1,2,3}', 0.12345678901234567890);
INSERT INTO item (id, embedding, num) VALUES ('a', '{1,2,3}', 1e400);
INSERT INTO item (id, embedding, num) VALUES ('a', '{1,2,3}', 'NaN');
INSERT INTO item (id, embedding, f) VALUES ('a', '{1,2,3}', 'NaN');
INSERT INTO item (id, embedding, f) VALUES ('a', '{1,2,3}', '-Infinity');
INSERT INTO item (id, embedding, r) VALUES ('a', '{1,2,3}', 'Infinity');
INSERT INTO item (id, embedding, metadata) VALUES ('a', '{1,2,3}', '{"big": 9007199254740993}');
INSERT INTO item (id, embedding, j) VALUES ('a', '{1,2,3}', '9007199254740993');

-- times
INSERT INTO item (id, embedding, ts) VALUES ('a', '{1,2,3}', 'infinity');
INSERT INTO item (id, embedding, ts) VALUES ('a', '{1,2,3}', '10000-01-01');
INSERT INTO item (id, embedding, day) VALUES ('a', '{1,2,3}', '-infinity');
INSERT INTO item (id, embedding, day) VALUES ('a', '{1,2,3}', '0001-01-01 BC');

-- metadata
INSERT INTO item (id, embedding, metadata) VALUES ('a', '{1,2,3}', '[1]');
INSERT INTO item (id, embedding, metadata) VALUES ('a', '{1,2,3}', '"text"');
INSERT INTO item (id, embedding, metadata) VALUES ('a', '{1,2,3}', '{"a": {"b": 1}}');
INSERT INTO item (id, embedding, metadata) VALUES ('a', '{1,2,3}', '{"a": [1, 2]}');
INSERT INTO item (id, embedding, metadata) VALUES ('a', '{1,2,3}', '{"a": ["x", null]}');
INSERT INTO item (id, embedding, metadata) VALUES ('a', '{1,2,3}', '{"a": [["x"]]}');
INSERT INTO item (id, embedding, metadata) VALUES ('a', '{1,2,3}', '{"$gt": 1}');
INSERT INTO item (id, embedding, list) VALUES ('a', '{1,2,3}', '{x,NULL}');
INSERT INTO item (id, embedding, list) VALUES ('a', '{1,2,3}', '{{x},{y}}');
INSERT INTO item (id, embedding, j) VALUES ('a', '{1,2,3}', '{"x": 1}');
INSERT INTO item (id, embedding, j) VALUES ('a', '{1,2,3}', '[{"x": 1}]');
INSERT INTO item (id, embedding, t) VALUES ('a', '{1,2,3}', repeat('x', 40953));
INSERT INTO item (id, embedding, t) VALUES ('a', '{1,2,3}', repeat('ü', 20477));
INSERT INTO item (id, embedding, t, metadata) VALUES ('a', '{1,2,3}', repeat('x', 20000), jsonb_build_object('u', repeat('x', 21000)));

-- none of it went anywhere, nor did the good rows before the bad one
INSERT INTO item (id, embedding) VALUES ('good', '{1,2,3}'), ('bad', '{1,2}');
COPY item (id, embedding) FROM stdin;
good	{1,2,3}
bad	{1,2}
\.
\! test/regress/pinecone log 'vectors/upsert'
-- on the edge
INSERT INTO item (id, embedding) VALUES (repeat('x', 512), '{2e-8,0,0}'), (E' \x01"\\', '{1,2,3}');
INSERT INTO item (id, embedding, t) VALUES ('size', '{1,2,3}', repeat('x', 40952)), ('size8', '{1,2,3}', repeat('ü', 20476));
INSERT INTO item (id, embedding, n, num, f, r, ts, day, list, j) VALUES
  ('v1', '{1,2,3}', 9007199254740992, 0.1, 1e308, 0.1, '9999-12-31 23:59:59.999999+00', '0001-01-01', '{}', '"j"'),
  ('v2', '{1,2,3}', -9007199254740992, 12345678901234567000, -0.5, 3.4e38, '0001-01-01 00:00:00+00', '9999-12-31', '{"a b",""}', '["x"]'),
  ('v3', '{1,2,3}', 9007199254740994, 1e30, 5e-324, -1, NULL, NULL, NULL, 'null'),
  ('v4', '{3e38,-3e38,1e-38}', NULL, 0, NULL, NULL, NULL, NULL, NULL, '1.5');
SELECT left(id, 10), length(id), length(t), embedding FROM item WHERE n IS NULL ORDER BY id;
SET TIME ZONE 'UTC';
SET DateStyle = ISO;
SELECT id, n, num, f, r, ts, day, list, j FROM item WHERE n IS NOT NULL OR num IS NOT NULL ORDER BY id;

-- updates are checked as well
\! test/regress/pinecone quiet
UPDATE item SET id = '' WHERE id = 'v1';
UPDATE item SET id = NULL WHERE id = 'v1';
UPDATE item SET embedding = NULL WHERE id = 'v1';
UPDATE item SET embedding = '{0,0,0}' WHERE id = 'v1';
UPDATE item SET n = n + 1 WHERE id = 'v1';
UPDATE item SET f = 'NaN' WHERE n = 9007199254740992;
UPDATE item SET score = 1 WHERE id = 'v1';
UPDATE item SET score = NULL WHERE id = 'v1';
UPDATE item SET metadata = '{"a": {}}' WHERE id = 'v1';
\! test/regress/pinecone log 'vectors/(upsert|update)' | cut -c 1-60
UPDATE item SET t = repeat('y', 40953) WHERE id = 'size';
UPDATE item SET t = repeat('y', 40952) WHERE id = 'size';
-- what an update adds to is not known here: Pinecone refuses it
\set VERBOSITY terse
UPDATE item SET t = repeat('x', 40900) WHERE id = 'v1';
\set VERBOSITY default
SELECT length(t) FROM item WHERE id IN ('size', 'v1') ORDER BY id;

-- a dense index of metric dotproduct takes sparse vectors beside
\set index modify-hybrid
\set metric dotproduct
\i test/regress/setup.sql
CREATE FOREIGN TABLE hybrid (id text, embedding real[], sparse_values jsonb, n int) SERVER pinecone;
INSERT INTO hybrid VALUES ('h1', '{1,2,3}', '{"indices": [7, 4294967295, 0], "values": [0.5, -1, 2]}', 1), ('h2', '{1,2,3}', NULL, 2);
SELECT * FROM hybrid ORDER BY id;
UPDATE hybrid SET n = NULL WHERE n = 1;
UPDATE hybrid SET sparse_values = '{"indices": [1], "values": [1]}' WHERE id = 'h2' RETURNING *;
UPDATE hybrid SET sparse_values = NULL WHERE id = 'h1';
SELECT * FROM hybrid ORDER BY id;
INSERT INTO hybrid VALUES ('s', '{1,2,3}', '{"indices": [1, 1], "values": [1, 2]}');
INSERT INTO hybrid VALUES ('s', '{1,2,3}', '{"indices": [1], "values": [1, 2]}');
INSERT INTO hybrid VALUES ('s', '{1,2,3}', '{"indices": [-1], "values": [1]}');
INSERT INTO hybrid VALUES ('s', '{1,2,3}', '{"indices": [4294967296], "values": [1]}');
INSERT INTO hybrid VALUES ('s', '{1,2,3}', '{"indices": [1.5], "values": [1]}');
INSERT INTO hybrid VALUES ('s', '{1,2,3}', '{"indices": ["1"], "values": [1]}');
INSERT INTO hybrid VALUES ('s', '{1,2,3}', '{"indices": [1], "values": [1e39]}');
INSERT INTO hybrid VALUES ('s', '{1,2,3}', '{"indices": [1], "values": ["x"]}');
INSERT INTO hybrid VALUES ('s', '{1,2,3}', '{"indices": 1, "values": [1]}');
INSERT INTO hybrid VALUES ('s', '{1,2,3}', '[1]');
INSERT INTO hybrid VALUES ('s', '{1,2,3}', '{"indices": [], "values": []}');
INSERT INTO hybrid SELECT 's', '{1,2,3}', jsonb_build_object('indices', jsonb_agg(i), 'values', jsonb_agg(i)) FROM generate_series(1, 1001) i;
INSERT INTO hybrid VALUES ('s', NULL, '{"indices": [1], "values": [1]}');

-- columns that are the same metadata field: both can be read, one at a time be written
\set index modify-shared
\i test/regress/setup.sql
CREATE FOREIGN TABLE shared (id text COLLATE "C", embedding real[], year int, released text OPTIONS (field 'date'), day date OPTIONS (field 'date'))
SERVER pinecone;
INSERT INTO shared (id, embedding, released) VALUES ('a', '{1,2,3}', '1979-05-25');
INSERT INTO shared VALUES ('b', '{1,2,3}', 1985, NULL, '1985-12-13');
INSERT INTO shared VALUES ('c', '{1,2,3}', 1997, '1997-09-09', '1998-09-11');
INSERT INTO shared SELECT * FROM shared;
INSERT INTO shared (id, embedding, year) VALUES ('c', '{1,2,3}', 1997) RETURNING *;
COPY shared FROM stdin;
d	{1,2,3}	2001	2001-01-01	2001-01-01
\.
UPDATE shared SET released = '1980', day = '1980-01-01';
UPDATE shared SET released = NULL, day = '1980-01-01' WHERE id = 'nobody';
UPDATE shared SET year = 1979 WHERE id = 'a' RETURNING *;
UPDATE shared SET released = '1979-06-22' WHERE id = 'a' RETURNING *;
UPDATE shared SET day = '1986-01-01', year = 1986 WHERE id = 'b' RETURNING *;
UPDATE shared SET day = NULL WHERE id = 'b' RETURNING *;
SELECT * FROM shared ORDER BY id;
-- by a trigger, too
CREATE FUNCTION set_released() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.released := '2000-01-01'; RETURN NEW; END $$;
CREATE TRIGGER set_released BEFORE UPDATE ON shared FOR EACH ROW EXECUTE FUNCTION set_released();
UPDATE shared SET day = '1979-05-25' WHERE id = 'a';
UPDATE shared SET year = 1979 WHERE id = 'a' RETURNING *;

-- a sparse index has no dense vectors
\set index modify-sparse
\set dimension 0
\i test/regress/setup.sql
CREATE FOREIGN TABLE sparse (id text, embedding real[], sparse_values jsonb, n int) SERVER pinecone;
INSERT INTO sparse (id, sparse_values) VALUES ('s1', '{"indices": [3], "values": [0.25]}');
INSERT INTO sparse (id, embedding) VALUES ('s2', '{1,2,3}');
INSERT INTO sparse (id) VALUES ('s2');
INSERT INTO sparse (id, sparse_values) VALUES ('s2', '{"indices": [], "values": []}');
UPDATE sparse SET n = 1;
SELECT * FROM sparse;
