-- Id columns that are uuids and integers.
\set index id-types
\set dimension 2
\set metric euclidean
\i test/regress/setup.sql
CREATE FOREIGN TABLE u (id uuid, embedding real[], n int) SERVER pinecone OPTIONS (namespace 'uuids');
CREATE FOREIGN TABLE i (id int, embedding real[], n int) SERVER pinecone OPTIONS (namespace 'numbers');
CREATE FOREIGN TABLE b (id bigint, embedding real[], n int) SERVER pinecone OPTIONS (namespace 'numbers');
INSERT INTO u SELECT md5(g::text)::uuid, ARRAY[g, 1], g FROM generate_series(1, 30) AS g;
INSERT INTO b SELECT g, ARRAY[g, 1], g FROM generate_series(-5, 30) AS g;
CREATE TABLE u_local AS SELECT md5(g::text)::uuid AS id, g AS n FROM generate_series(1, 30) AS g;
CREATE TABLE i_local AS SELECT g AS id, g::bigint AS big, g::smallint AS small, g AS n FROM generate_series(-5, 30) AS g;
ANALYZE u_local, i_local;
SELECT count(*), count(id), sum(n) FROM u;
SELECT (SELECT array_agg(id ORDER BY id) FROM u) = (SELECT array_agg(id ORDER BY id) FROM u_local) AS same;

-- lookups
EXPLAIN (VERBOSE, COSTS OFF) SELECT n FROM u WHERE id = 'c4ca4238-a0b9-2382-0dcc-509a6f75849b';
SELECT n FROM u WHERE id = 'c4ca4238-a0b9-2382-0dcc-509a6f75849b';
SELECT n FROM u WHERE id = 'C4CA4238A0B923820DCC509A6F75849B';
SELECT n FROM u WHERE id IN (md5('1')::uuid, md5('2')::uuid, md5('99')::uuid, NULL) ORDER BY n;
SELECT n FROM u WHERE id = ANY (ARRAY(SELECT id FROM u_local WHERE n < 3)) ORDER BY n;
PREPARE by_id (uuid, uuid[]) AS SELECT n FROM u WHERE id = $1 OR id = ANY ($2) ORDER BY n;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE by_id (md5('1')::uuid, NULL);
EXECUTE by_id (md5('1')::uuid, ARRAY[md5('7')::uuid, NULL]);
EXECUTE by_id (NULL, '{}');
RESET plan_cache_mode;
SELECT n FROM b WHERE id = 7 OR id = 8::smallint OR id IN (9, 10) ORDER BY n;
SELECT n FROM i WHERE id = 7000000000;
SELECT n FROM i WHERE id = 7::bigint;
SELECT n FROM i WHERE id = 7.0;
SELECT n FROM i WHERE id > 28 ORDER BY id;
SELECT n FROM b ORDER BY id LIMIT 3;
SELECT id FROM b ORDER BY embedding <-> '{3.2,1}' LIMIT 3;
SELECT id FROM u WHERE id <> md5('1')::uuid AND n < 3;

-- joins are read ahead
\! test/regress/pinecone quiet
SELECT count(*), sum(u.n) FROM u_local AS l JOIN u USING (id) WHERE l.n <= 20;
SELECT count(*), sum(i.n) FROM i_local AS l JOIN i ON i.id = l.big WHERE l.n <= 20;
SELECT count(*), sum(b.n) FROM i_local AS l JOIN b ON b.id = l.small WHERE l.n <= 20;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
\! test/regress/pinecone quiet
SELECT count(*), sum(u.n) FROM u_local AS l JOIN u USING (id) WHERE l.n <= 20;
\! test/regress/pinecone log vectors | cut -c 1-22
SELECT count(*), sum(i.n) FROM i_local AS l JOIN i ON i.id = l.big WHERE l.n <= 20;
\! test/regress/pinecone log vectors | cut -c 1-22
SELECT count(*) FROM u_local AS l LEFT JOIN u USING (id) WHERE u.id IS NULL;
RESET enable_hashjoin;
RESET enable_mergejoin;
SELECT l.n, x.n FROM u_local AS l, LATERAL (SELECT n FROM u WHERE u.id <> l.id ORDER BY embedding <-> ARRAY[l.n, 1]::real[] LIMIT 1) AS x WHERE l.n BETWEEN 4 AND 6 ORDER BY 1;

-- writes
UPDATE u SET n = 100 WHERE id = md5('1')::uuid RETURNING id, n;
UPDATE u SET n = u.n + 1 FROM u_local AS l WHERE l.id = u.id AND l.n < 3;
UPDATE u SET n = NULL WHERE n = 3;
UPDATE u SET id = md5('x')::uuid WHERE id = md5('4')::uuid;
DELETE FROM u WHERE id = md5('5')::uuid RETURNING id;
DELETE FROM u USING u_local AS l WHERE l.id = u.id AND l.n > 10;
BEGIN;
INSERT INTO u VALUES (md5('new')::uuid, '{1,1}', 7);
UPDATE u SET n = 8 WHERE id = md5('new')::uuid;
SELECT id, n FROM u WHERE n = 8 ORDER BY id;
DELETE FROM u WHERE id = md5('new')::uuid;
COMMIT;
SELECT id, n FROM u ORDER BY n, id;
UPDATE b SET id = id + 1000 WHERE id > 28;
DELETE FROM i WHERE id < 0;
COPY (SELECT id, n FROM i WHERE id > 20 ORDER BY id) TO stdout;

-- RETURNING, with the ctid that stands for the id
INSERT INTO u VALUES (md5('ret')::uuid, '{1,1}', 7) RETURNING id, ctid > '(0,0)' AS placed, n;
SELECT ctid AS place FROM u WHERE id = md5('ret')::uuid \gset
UPDATE u SET n = 8 WHERE id = md5('ret')::uuid RETURNING id, ctid = :'place' AS same, n;
UPDATE u SET embedding = '{2,1}' WHERE ctid = :'place' RETURNING id, ctid = :'place' AS same, embedding;
UPDATE u SET id = md5('moved')::uuid WHERE id = md5('ret')::uuid RETURNING id, ctid = :'place' AS same;
UPDATE u SET id = NULL WHERE id = md5('moved')::uuid RETURNING id, ctid;
INSERT INTO u VALUES (NULL, '{1,1}') RETURNING id, ctid;
DELETE FROM u WHERE id = md5('moved')::uuid RETURNING id, ctid = :'place' AS same, n;
INSERT INTO b VALUES (-77, '{1,1}', 7) RETURNING id, n;
SELECT ctid AS place FROM b WHERE id = -77 \gset
UPDATE b SET n = 8 WHERE id = -77 RETURNING id, ctid = :'place' AS same, n;
UPDATE b SET id = id - 1 WHERE ctid = :'place' RETURNING id, ctid = :'place' AS same;
DELETE FROM b WHERE id = -78 RETURNING id, ctid = :'place' AS same, n;
INSERT INTO i VALUES (-77, '{1,1}', 7) RETURNING id, ctid > '(0,0)' AS placed;
SELECT ctid AS place FROM i WHERE id = -77 \gset
DELETE FROM i WHERE ctid = :'place' RETURNING id, ctid = :'place' AS same;
INSERT INTO u VALUES (md5('dup')::uuid, '{1,1}', 7), (md5('1')::uuid, '{1,1}', 7) ON CONFLICT DO NOTHING RETURNING id;
DELETE FROM u WHERE id = md5('dup')::uuid;

-- ids that are spelled otherwise are none
\! test/regress/pinecone post id-types /vectors/upsert '{"namespace":"odd","vectors":[{"id":"c4ca4238-a0b9-2382-0dcc-509a6f75849b","values":[1,1],"metadata":{"n":1}},{"id":"C4CA4238-A0B9-2382-0DCC-509A6F75849B","values":[2,1],"metadata":{"n":2}},{"id":"doc#1","values":[3,1],"metadata":{"n":3}},{"id":"7","values":[4,1],"metadata":{"n":4}},{"id":"007","values":[5,1],"metadata":{"n":5}},{"id":"-0","values":[6,1],"metadata":{"n":6}},{"id":"9223372036854775807","values":[7,1],"metadata":{"n":7}},{"id":"9223372036854775808","values":[8,1],"metadata":{"n":8}},{"id":" 7","values":[9,1],"metadata":{"n":9}}]}'
CREATE FOREIGN TABLE odd (id uuid, embedding real[], n int) SERVER pinecone OPTIONS (namespace 'odd');
SELECT n FROM odd ORDER BY n;
SELECT id FROM odd WHERE n = 2;
SELECT id FROM odd WHERE n = 1;
ALTER FOREIGN TABLE odd OPTIONS (ADD on_type_error 'null');
SELECT id, n FROM odd ORDER BY n;
SELECT count(id), count(*) FROM odd;
SELECT n FROM odd WHERE id = 'c4ca4238-a0b9-2382-0dcc-509a6f75849b';
SELECT count(*) FROM odd WHERE id IS NULL;
DELETE FROM odd WHERE n + 0 = 3;
UPDATE odd SET n = 10 WHERE n = 2;
ALTER FOREIGN TABLE odd ALTER id TYPE bigint;
SELECT id, n FROM odd WHERE id IS NOT NULL ORDER BY n;
ALTER FOREIGN TABLE odd ALTER id TYPE int;
SELECT id, n FROM odd WHERE id IS NOT NULL ORDER BY n;
ANALYZE odd;
SELECT null_frac FROM pg_stats WHERE tablename = 'odd' AND attname = 'id';

DROP SERVER pinecone CASCADE;
DROP TABLE u_local, i_local;
