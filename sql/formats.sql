-- How times are spelled, and JSON kept in strings.
\set index formats
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
SET timezone = 'Asia/Kathmandu';
CREATE FOREIGN TABLE times (id text, embedding real[], n int, js timestamptz, short timestamptz OPTIONS (format 'iso_short'), python timestamptz OPTIONS (format 'iso_python'),
  plain timestamp, plain_python timestamp OPTIONS (format 'iso_python'), day date, ms timestamptz OPTIONS (format 'epoch_ms')) SERVER pinecone;
INSERT INTO times (id, embedding, js, short, python, plain, plain_python, day, ms)
SELECT v.id, '{1,1}', t, t, t, t AT TIME ZONE 'UTC', t AT TIME ZONE 'UTC', (t AT TIME ZONE 'UTC')::date, t
FROM (VALUES ('whole', '2024-05-01 10:00:00+00'::timestamptz), ('tenth', '2024-05-01 10:00:00.5+00'), ('micro', '2024-05-01 10:00:00.000001+00'), ('tens', '2024-05-01 10:00:00.12345+00'), ('old', '0999-12-31 23:59:59.999+00')) AS v (id, t);
\! test/regress/pinecone get formats '/vectors/fetch?ids=whole'
\! test/regress/pinecone get formats '/vectors/fetch?ids=tenth'
\! test/regress/pinecone get formats '/vectors/fetch?ids=micro'
\! test/regress/pinecone get formats '/vectors/fetch?ids=tens'
\! test/regress/pinecone get formats '/vectors/fetch?ids=old'
SELECT id, js = short AND js = python AND js = ms AND plain = plain_python AND plain = js AT TIME ZONE 'UTC' AND day = plain::date AS same FROM times ORDER BY id;
-- to the microsecond, as far back as numbers hold it
INSERT INTO times (id, embedding, ms) VALUES ('far', '{1,1}', '1415-12-31 23:49:59.949014+00');
SELECT ms = '1415-12-31 23:49:59.949014+00' AS same FROM times WHERE id = 'far';
SELECT id FROM times WHERE ms = '1415-12-31 23:49:59.949014+00';
DELETE FROM times WHERE id = 'far';
-- every spelling of an instant is the instant
\! test/regress/pinecone post formats /vectors/upsert '{"namespace":"spelled","vectors":[{"id":"a","values":[1,1],"metadata":{"t":"2024-05-01T10:00:00.000Z"}},{"id":"b","values":[1,1],"metadata":{"t":"2024-05-01T10:00:00Z"}},{"id":"c","values":[1,1],"metadata":{"t":"2024-05-01T15:45:00+05:45"}},{"id":"d","values":[1,1],"metadata":{"t":"2024-05-01 10:00:00+00"}},{"id":"e","values":[1,1],"metadata":{"t":"2024-05-01T10:00:00.000000+00:00"}},{"id":"f","values":[1,1],"metadata":{"t":"2024-05-01T10:00:00.001Z"}}]}'
CREATE FOREIGN TABLE spelled (id text, embedding real[], n int, title text, t timestamptz) SERVER pinecone OPTIONS (namespace 'spelled');
SELECT string_agg(id, ' ' ORDER BY id) FROM spelled WHERE t = '2024-05-01 10:00:00+00';
SELECT string_agg(id, ' ' ORDER BY id) FROM spelled WHERE t IN ('2024-05-01 10:00:00.001+00', '2024-05-01 10:00:00.002+00');
SELECT count(*) FROM spelled WHERE t <> '2024-05-01 10:00:00+00';
SELECT count(*) FROM generate_series(1, 2) AS g (i) JOIN spelled AS s ON s.t = '2024-05-01 10:00:00+00'::timestamptz + make_interval(secs => 0);
-- SQL that changes other columns leaves the spelling alone; the column itself is written as its format says
UPDATE spelled SET n = 1, title = 'x';
UPDATE spelled SET n = NULL WHERE id IN ('b', 'c');
UPDATE spelled SET embedding = '{1,2}' WHERE id = 'd';
UPDATE spelled SET n = 2, t = t WHERE id IN ('b', 'c');
UPDATE spelled SET t = '2024-05-01 10:00:00+00', title = NULL WHERE id IN ('d', 'e');
UPDATE spelled SET t = t + interval '1 s' WHERE id = 'f';
\! test/regress/pinecone post formats /vectors/fetch_by_metadata '{"namespace":"spelled","filter":{"t":{"$exists":true}}}' | tr '{' '\n' | grep '"t":' | sort
DELETE FROM spelled WHERE t = '2024-05-01 10:00:00+00';
SELECT id FROM spelled;

-- JSON in a string, as LlamaIndex and Genkit write it
\! test/regress/pinecone post formats /vectors/upsert '{"namespace":"nodes","vectors":[{"id":"a","values":[1,1],"metadata":{"_node_content":"{\"id_\": \"x\", \"n\": [1, 2.50, null], \"text\": \"a\\u0041\"}","s":"plain"}},{"id":"b","values":[1,1],"metadata":{"_node_content":"{broken"}},{"id":"c","values":[1,1],"metadata":{"_node_content":"\"text\"","s":"y"}},{"id":"d","values":[1,1],"metadata":{"_node_content":7}},{"id":"e","values":[1,1],"metadata":{"_node_content":"[\"\\u0000\"]"}},{"id":"f","values":[1,1],"metadata":{"_node_content":"[1e999999]"}},{"id":"g","values":[1,1]}]}'
CREATE FOREIGN TABLE nodes (id text, embedding real[], node jsonb OPTIONS (field '_node_content', format 'json'), raw text OPTIONS (field '_node_content'), plain jsonb OPTIONS (field '_node_content'),
  text json OPTIONS (field '_node_content', format 'json'), s text) SERVER pinecone OPTIONS (namespace 'nodes', on_type_error 'null');
SELECT id, node, plain, text FROM nodes ORDER BY id;
SELECT id, node ->> 'id_' AS node_id FROM nodes WHERE node @> '{"n": [1]}';
SELECT string_agg(id, ' ' ORDER BY id) FROM nodes WHERE node IS NULL;
SELECT string_agg(id, ' ' ORDER BY id) FROM nodes WHERE node IS NOT NULL;
ALTER FOREIGN TABLE nodes OPTIONS (SET on_type_error 'error');
SELECT node FROM nodes WHERE id = 'b';
SELECT node FROM nodes WHERE id = 'e';
SELECT node FROM nodes WHERE id = 'd';
-- written as a string
UPDATE nodes SET node = jsonb_set(node, '{n}', '{"deep": [1, {"a": null}]}') WHERE id = 'a' RETURNING node;
UPDATE nodes SET node = '{"a": 1}' WHERE id = 'b';
INSERT INTO nodes (id, embedding, node) VALUES ('h', '{1,1}', '{"quoted": "\"x\" \\ ü", "list": [1, [2]]}'), ('i', '{1,1}', 'null'), ('j', '{1,1}', NULL) RETURNING id, node;
INSERT INTO nodes (id, embedding, text) VALUES ('k', '{1,1}', '{ "order":  "kept", "order": 1.00 }');
SELECT id, node, raw FROM nodes WHERE id IN ('a', 'b', 'h', 'i', 'j', 'k') ORDER BY id;
BEGIN;
UPDATE nodes SET node = '[true]' WHERE s = 'y';
SELECT id, node FROM nodes WHERE s = 'y';
ROLLBACK;
-- a plain jsonb column says what would do
INSERT INTO nodes (id, embedding, plain) VALUES ('l', '{1,1}', '{"a": 1}');
UPDATE nodes SET plain = '[1, 2]' WHERE id = 'a';
CREATE FOREIGN TABLE whole (id text, embedding real[], metadata jsonb) SERVER pinecone OPTIONS (namespace 'nodes');
INSERT INTO whole VALUES ('l', '{1,1}', '{"a": {"b": 1}}');
-- formats go with types
CREATE FOREIGN TABLE wrong (id text, a text OPTIONS (format 'json')) SERVER pinecone;
SELECT * FROM wrong;
ALTER FOREIGN TABLE wrong ALTER a TYPE jsonb, ALTER a OPTIONS (SET format 'iso_short');
SELECT * FROM wrong;
DROP SERVER pinecone CASCADE;
