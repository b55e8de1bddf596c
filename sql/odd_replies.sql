-- Replies in another form than is usual: escapes, nested values, members that nobody knows; and those that are none.
\set index odd
\set dimension 2
\set metric dotproduct
\i test/regress/setup.sql
CREATE FOREIGN TABLE r (id text, embedding real[], sparse jsonb OPTIONS (role 'sparse_values'), s text, l text[], n int, b boolean, o json, ob jsonb OPTIONS (field 'o'), "a""\é" text, metadata jsonb) SERVER pinecone;
CREATE FOREIGN TABLE lax (id text, embedding real[], s text, l text[], n int, o text, nul text, half text, metadata jsonb) SERVER pinecone OPTIONS (on_type_error 'null');
CREATE FOREIGN TABLE strict (id text, o text, nul text, half text, j jsonb OPTIONS (field 'nul')) SERVER pinecone;
ALTER SERVER pinecone OPTIONS (ADD max_retries '0');
SELECT count(*) FROM r WHERE id = 'none';
\! test/regress/pinecone fault '{"path": "/vectors/fetch", "status": 200, "count": 2, "body": "{ \"namespace\" : \"\", \"unknown\" : {\"x\":[1,null,true,{\"y\":-1.5e-3}]} , \"usage\": {\"readUnits\": 1, \"more\": [null]}, \"vectors\" : { \"a\" : {\"id\":\"\\u0061\" , \"values\":[ 1 , 2.5e0 ], \"sparseValues\": {\"more\": false, \"indices\":[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,4294967295],\"values\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]}, \"metadata\":{\"s\":\"\\b\\f\\r\\n\\t\\/\\\"\\\\ \\u00e9 \\ud83d\\ude00 \\uD83D\\uDE00\",\"l\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"\\u00e9\",\"\"],\"n\":null,\"b\":false,\"o\":{\"a\":[1,null,{\"b\":\"\\u00e9\"}],\"c\":\"\\ud83d\\ude00\",\"d\":{}},\"a\\\"\\\\\\u00e9\":\"named\"} } } }"}'
\x on
SELECT id, embedding, sparse, s, l, n, b, o, ob, "a""\é" FROM r WHERE id = 'a';
SELECT metadata FROM r WHERE id = 'a';
\x off
-- what PostgreSQL's text cannot hold, and what is not of the column's type, is NULL or an error
\set bad '\\! test/regress/pinecone fault \'{"path": "/vectors/fetch", "status": 200, "count": 1, "body": "{\\"vectors\\":{\\"a\\":{\\"id\\":\\"a\\",\\"values\\":[1,2],\\"metadata\\":{\\"o\\":{\\"x\\":1},\\"nul\\":\\"a\\\\u0000b\\",\\"half\\":\\"x\\\\ud83dy\\",\\"n\\":1e2,\\"l\\":[\\"x\\"]}}}}"}\''
:bad
SELECT id, embedding, s, l, n, o, nul, half, metadata FROM lax WHERE id = 'a';
:bad
SELECT o FROM strict WHERE id = 'a';
:bad
SELECT nul FROM strict WHERE id = 'a';
:bad
SELECT half FROM strict WHERE id = 'a';
:bad
SELECT j FROM strict WHERE id = 'a';
:bad
SELECT id FROM strict WHERE id = 'a';
-- where a search would bring too much, ids come first: a match that is gone when it is fetched takes its score with it
INSERT INTO r (id, embedding, s) VALUES ('m1', '{3,0}', 'one'), ('m3', '{1,0}', 'three');
\! test/regress/pinecone fault '{"path": "/query", "status": 413, "count": 1}'
\! test/regress/pinecone fault '{"path": "/query", "status": 200, "count": 1, "body": "{\"matches\":[{\"id\":\"m1\",\"score\":3},{\"id\":\"m2\",\"score\":2},{\"id\":\"m3\",\"score\":1}],\"namespace\":\"\"}"}'
SELECT id, s, embedding <#> '{1,0}' AS distance FROM r ORDER BY embedding <#> '{1,0}' LIMIT 3;
-- and should it turn up again, it does not come after those that are further away
INSERT INTO r (id, embedding, s) VALUES ('m2', '{2,0}', 'two');
\! test/regress/pinecone fault '{"path": "/query", "status": 413, "count": 1}'
\! test/regress/pinecone fault '{"path": "/vectors/fetch", "status": 200, "count": 1, "body": "{\"vectors\":{\"m3\":{\"id\":\"m3\",\"values\":[1,0],\"metadata\":{\"s\":\"three\"}},\"m1\":{\"id\":\"m1\",\"values\":[3,0],\"metadata\":{\"s\":\"one\"}}}}"}'
SELECT id, s, embedding <#> '{1,0}' AS distance FROM r ORDER BY embedding <#> '{1,0}' LIMIT 3;
SELECT id, s, embedding <#> '{1,0}' AS distance FROM r ORDER BY embedding <#> '{1,0}' LIMIT 3;
-- a fetch that would bring too much is asked for in parts
\! test/regress/pinecone quiet
\! test/regress/pinecone fault '{"path": "/vectors/fetch", "status": 413, "count": 1}'
SELECT id, s FROM r WHERE id IN ('m1', 'm2', 'm3') ORDER BY id;
\! test/regress/pinecone sorted-log fetch
DELETE FROM r WHERE id IN ('m1', 'm2', 'm3');
-- replies that are no JSON, or not what was asked for
CREATE TEMP TABLE replies (n serial, body text);
INSERT INTO replies (body) VALUES
  ('{"vectors":{"a":{"id":"\u00zz","values":[1,2]}}}'), ('{"vectors":{"a":{"id":"\q","values":[1,2]}}}'), ('{"vectors":{"a":{"id":"a","values":[1,2],"x":nul}}}'),
  ('{"vectors":{"a":{"id":"a","values":[1,2],"metadata":{"s":"\uZZZZ"}}}}'), ('{"vectors":{"a":{"id":"a","values":[1,2],"metadata":[]}}}'), ('{"vectors":{"a":{"id":"a","values":[1,2],"metadata":{"s":x}}}}'),
  ('{"vectors":{"a":{"id":"a","values":[1,2],"metadata":{"s":1 "t":2}}}}'), ('{"vectors":{"a":{"id":"a","values":[1 2]}}}'), ('{"vectors":{"a":{"id":"a","values":[1,2'), ('{"vectors":{"a":{"id":"a","values":{}}}}'),
  ('{"vectors":{"a":{"id":"a","values":[1,2],"sparseValues":{"indices":[1.5],"values":[1]}}}}'), ('{"vectors":{"a":{"id":"a","values":[1,2],"sparseValues":{"indices":[-1],"values":[1]}}}}'),
  ('{"vectors":{"a":{"id":"a","values":[1,2],"sparseValues":{"indices":[1,2],"values":[1]}}}}'), ('{"vectors":{"a":{"id":"a","values":[1,2],"sparseValues":[]}}}'), ('{"vectors":{"a":{"id":"a","values":[1,2],"sparseValues":{"indices":["1"],"values":[1]}}}}'),
  ('{"vectors":{"a":[]}}'), ('{"vectors":{"a":{"id":"a","values":[1,2]}},"usage":{"readUnits":-}}'), ('{"vectors":{}} x'), ('{"vectors":{"a":{"id":"a","values":[1,2]}},"usage":7}'),
  ('{"vectors":{"a":{"id":"a","values":[1,2],"metadata":' || repeat('{"a":', 600) || '1' || repeat('}', 600) || '}}}');
-- the reason that is given for each
CREATE FUNCTION reasons() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE reason text;
BEGIN
  FOR n IN 1 .. (SELECT count(*) FROM replies) LOOP
    BEGIN
      PERFORM id, embedding, sparse, metadata FROM r WHERE id = 'a';
      RETURN NEXT n || ': no error';
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS reason = PG_EXCEPTION_DETAIL;
      RETURN NEXT format('%s: %s: %s', n, SQLERRM, regexp_replace(split_part(reason, E'\n', 1), '^Operation .* request id [0-9]*: ', ''));
    END;
  END LOOP;
END $$;
\pset format unaligned
\pset tuples_only on
SELECT jsonb_build_object('path', '/vectors/fetch', 'status', 200, 'count', 1, 'body', body) FROM replies ORDER BY n \g |while read -r order; do test/regress/pinecone fault "$order"; done
SELECT * FROM reasons();
\! test/regress/pinecone no-faults
DROP FUNCTION reasons();
DROP SERVER pinecone CASCADE;
