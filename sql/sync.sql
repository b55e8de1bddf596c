-- pinecone_diff() and pinecone_sync(): what a foreign table and its source do not have in common, and bringing it in line.
\set index synced
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
CREATE FOREIGN TABLE remote (id text, embedding real[], title text, n int, tags text[], price numeric, seen timestamptz, metadata jsonb) SERVER pinecone;
CREATE TABLE "my items" (id text PRIMARY KEY, embedding real[], title text, n int, tags text[], price numeric(8,2), seen timestamptz, metadata jsonb, unrelated int);
INSERT INTO "my items"
SELECT 'item-' || i, ARRAY[1, i]::real[], 'Title ' || i, i, ARRAY['a', 'b' || i], i / 8.0, '2024-05-01 10:00:00+00'::timestamptz + i * interval '1 ms', jsonb_build_object('kind', i % 3, 'gone', NULL, 'title', 'hidden')
FROM generate_series(1, 50) i;

-- all of it is only here; a dry run changes nothing
SELECT difference, count(*), min(id COLLATE "C"), max(namespace) FROM pinecone_diff('remote', '"my items"') GROUP BY difference;
CALL pinecone_sync('remote', '"my items"');
SELECT count(*) FROM remote;
CALL pinecone_sync('remote', '"my items"', apply => true);
CALL pinecone_sync('remote', '"my items"', metadata => true, vectors => true);

-- what it says of each difference is what a join says
UPDATE "my items" SET n = 0 WHERE id = 'item-7';
UPDATE "my items" SET embedding = '{-1,0.5}', title = NULL WHERE id = 'item-8';
UPDATE "my items" SET metadata = '{"kind": "other"}', price = 1.005, seen = seen + interval '1 us', tags = '{b9,a}' WHERE id = 'item-9';
UPDATE "my items" SET metadata = NULL WHERE id = 'item-10';
UPDATE "my items" SET id = 'ITEM-11' WHERE id = 'item-11';
DELETE FROM "my items" WHERE id = 'item-12';
INSERT INTO "my items" (id, embedding) VALUES ('item-', '{1,1}');
SELECT * FROM pinecone_diff('remote', '"my items"', metadata => true, vectors => true);
SELECT * FROM pinecone_diff('remote', '"my items"', metadata => true) WHERE difference = 'differs';
SELECT * FROM pinecone_diff('remote', '"my items"', vectors => true) WHERE difference = 'differs';
SELECT * FROM pinecone_diff('remote', '"my items"');
SELECT coalesce(h.id, t.id) AS id, h.id IS NULL AS only_there, t.id IS NULL AS only_here
FROM "my items" h FULL JOIN remote t ON h.id = t.id WHERE h.id IS NULL OR t.id IS NULL ORDER BY coalesce(h.id, t.id) COLLATE "C";

-- in a transaction its own writes are seen
BEGIN;
DELETE FROM remote WHERE id IN ('item-11', 'item-12');
INSERT INTO remote (id, embedding) VALUES ('ITEM-11', '{1,11}'), ('item-', '{1,1}');
SELECT * FROM pinecone_diff('remote', '"my items"');
ROLLBACK;

-- applied: ids alone first, then all
CALL pinecone_sync('remote', '"my items"', apply => true, batch => 1);
SELECT * FROM pinecone_diff('remote', '"my items"', metadata => true, vectors => true);
CALL pinecone_sync('remote', '"my items"', apply => true, metadata => true, vectors => true);
SELECT * FROM pinecone_diff('remote', '"my items"', metadata => true, vectors => true);
SELECT id, embedding, title, n, tags, price, metadata FROM remote WHERE id IN ('item-7', 'item-8', 'item-9', 'item-10') ORDER BY n NULLS FIRST;

-- a query with other names and types, and a comment at its end
SELECT * FROM pinecone_diff('remote', 'SELECT unrelated AS id FROM "my items" WHERE false') ORDER BY id COLLATE "C" LIMIT 2;
SELECT * FROM pinecone_diff('remote', $$ WITH s (id, title) AS (VALUES ('item-1', 'Title 1'::varchar), ('item-2', 'Title 3')) SELECT * FROM s; $$, metadata => true) WHERE difference <> 'only_there';
SELECT count(*) FROM pinecone_diff('remote', 'SELECT * FROM "my items" -- all of them');

-- a source that is suspiciously empty
CALL pinecone_sync('remote', 'SELECT * FROM "my items" LIMIT 3');
CALL pinecone_sync('remote', 'SELECT * FROM "my items" LIMIT 3', apply => true);
CALL pinecone_sync('remote', 'SELECT * FROM "my items" WHERE id <> ''item-1''', apply => true, max_delete => 0);
SELECT count(*) FROM remote;
CALL pinecone_sync('remote', 'SELECT * FROM "my items" WHERE id < ''item-2''', apply => true, max_delete => 1);
SELECT count(*) FROM remote;

-- ids that are numbers and uuids, on either side
CREATE FOREIGN TABLE numbers (id bigint, embedding real[], n int) SERVER pinecone OPTIONS (namespace 'numbers');
CREATE TABLE here (id int PRIMARY KEY, embedding real[], n bigint);
INSERT INTO here SELECT i, ARRAY[1, i], i FROM generate_series(-2, 12) i;
CALL pinecone_sync('numbers', 'here', apply => true);
CREATE FOREIGN TABLE texts (id text, embedding real[], n text) SERVER pinecone OPTIONS (namespace 'numbers');
INSERT INTO texts (id, embedding) VALUES ('007', '{1,1}'), ('99999999999999999999', '{1,1}'), ('stray', '{1,1}');
SELECT * FROM pinecone_diff('texts', 'here', vectors => true);
CALL pinecone_sync('texts', 'here', apply => true);
SELECT * FROM pinecone_diff('numbers', 'here', metadata => true, vectors => true);
CREATE FOREIGN TABLE uuids (id uuid, embedding real[]) SERVER pinecone OPTIONS (namespace 'uuids');
CALL pinecone_sync('uuids', 'SELECT ''00000000-0000-0000-0000-0000000000''::text || (id + 10) AS id, embedding FROM here WHERE id >= 0', apply => true);
CALL pinecone_sync('uuids', 'SELECT (''00000000-0000-0000-0000-0000000000'' || (id + 10))::uuid AS id, embedding FROM here WHERE id > 0', apply => true, vectors => true);
SELECT * FROM pinecone_diff('numbers', 'SELECT ''x'' AS id');

-- a table that spans namespaces: its records are known by both
CREATE FOREIGN TABLE spans (ns text OPTIONS (role 'namespace'), id text, embedding real[], n int) SERVER pinecone OPTIONS (namespaces 'even,odd');
CREATE VIEW parity AS SELECT CASE WHEN id % 2 = 0 THEN 'even' ELSE 'odd' END AS ns, id / 2 AS id, embedding, n FROM here WHERE id >= 0;
CALL pinecone_sync('spans', 'parity', apply => true);
SELECT ns, count(*) FROM spans GROUP BY ns ORDER BY ns;
DELETE FROM spans WHERE ns = 'odd' AND id IN ('1', '2');
INSERT INTO spans VALUES ('odd', '6', '{1,1}'), ('even', '33', '{1,1}');
SELECT * FROM pinecone_diff('spans', 'parity', metadata => true, vectors => true);
CALL pinecone_sync('spans', 'parity', apply => true, batch => 3);
SELECT * FROM pinecone_diff('spans', 'parity', metadata => true, vectors => true);
SELECT * FROM pinecone_diff('spans', 'here');
SELECT * FROM pinecone_diff('spans', 'SELECT NULL AS ns, 1 AS id');

-- bad input
SELECT * FROM pinecone_diff('remote', NULL);
SELECT * FROM pinecone_diff(NULL, 'here');
SELECT * FROM pinecone_diff('here', 'here');
SELECT * FROM pinecone_diff('remote', '');
SELECT * FROM pinecone_diff('remote', 'nowhere');
SELECT * FROM pinecone_diff('remote', 'SELECT 1 AS one');
SELECT * FROM pinecone_diff('remote', 'SELECT 1 AS id, 2 AS id');
SELECT * FROM pinecone_diff('remote', 'SELECT id FROM here UNION ALL SELECT 5');
SELECT * FROM pinecone_diff('remote', 'SELECT NULL AS id');
SELECT * FROM pinecone_diff('remote', 'DELETE FROM here RETURNING *');
SELECT * FROM pinecone_diff('remote', 'WITH d AS (DELETE FROM here RETURNING *) SELECT * FROM d');
CALL pinecone_sync('remote', 'SELECT ''x'' AS id', apply => true, max_delete => 1);
CALL pinecone_sync('remote', 'here', max_delete => 'NaN');
CALL pinecone_sync('remote', 'here', batch => 0);
BEGIN;
CALL pinecone_sync('numbers', 'here');
CALL pinecone_sync('numbers', 'here', apply => true);
ROLLBACK;
DO $$ DECLARE a bigint; BEGIN
	CALL pinecone_sync('numbers', 'here', true, false, false, 0.5, 1000, a, a, a, a, a);
EXCEPTION WHEN invalid_transaction_termination THEN RAISE NOTICE '%', SQLERRM; END $$;
DO $$ DECLARE a bigint; b bigint; c bigint; d bigint; e bigint; BEGIN
	INSERT INTO here VALUES (100, '{1,100}', 100);
	CALL pinecone_sync('numbers', 'here', true, false, false, 0.5, 1000, a, b, c, d, e);
	RAISE NOTICE '% only here, % written', a, d;
END $$;
-- a row that no record can be is an error that names it; what was sent before stays
INSERT INTO here VALUES (101, NULL, 1), (102, '{1,1}', 1);
CALL pinecone_sync('numbers', 'here', apply => true, batch => 1);
SELECT * FROM pinecone_diff('numbers', 'here');
DELETE FROM here WHERE id = 101;

-- who may: it takes what the same queries and writes take
CREATE ROLE regress_syncer;
GRANT USAGE ON FOREIGN SERVER pinecone TO regress_syncer;
CREATE USER MAPPING FOR regress_syncer SERVER pinecone OPTIONS (api_key 'test-key');
GRANT SELECT ON numbers TO regress_syncer;
SET ROLE regress_syncer;
SELECT * FROM pinecone_diff('numbers', 'here');
RESET ROLE;
GRANT SELECT ON here TO regress_syncer;
SET ROLE regress_syncer;
SELECT * FROM pinecone_diff('numbers', 'here');
CALL pinecone_sync('numbers', 'here', apply => true);
RESET ROLE;
GRANT INSERT ON numbers TO regress_syncer;
ALTER TABLE here ENABLE ROW LEVEL SECURITY;
SET ROLE regress_syncer;
CALL pinecone_sync('numbers', 'here', apply => true, max_delete => 1);
RESET ROLE;
ALTER TABLE here DISABLE ROW LEVEL SECURITY;
SET ROLE regress_syncer;
CALL pinecone_sync('numbers', 'here', apply => true);
RESET ROLE;
DROP OWNED BY regress_syncer;
DROP ROLE regress_syncer;

-- partitions, and row_security is as it was
CREATE TABLE parted (id int, embedding real[]) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (5);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (5) TO (50);
INSERT INTO parted SELECT i, ARRAY[1, i] FROM generate_series(0, 9) i;
CREATE FOREIGN TABLE of_parted (id text, embedding real[]) SERVER pinecone OPTIONS (namespace 'parted', write_mode 'immediate');
CALL pinecone_sync('of_parted', 'parted', apply => true, batch => 4);
SHOW row_security;
SELECT * FROM pinecone_diff('of_parted', 'parted', vectors => true);
TRUNCATE parted;
CALL pinecone_sync('of_parted', 'parted', apply => true);
CALL pinecone_sync('of_parted', 'parted', apply => true, max_delete => 1);
SELECT count(*) FROM of_parted;
DROP VIEW parity;
DROP TABLE "my items", here, parted;
\! test/regress/pinecone drop synced
