-- pinecone_mirror(): a table of this database, and the foreign table that holds the same.
\set index mirrored
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
CREATE FOREIGN TABLE there (id text, embedding real[], title text, n int, metadata jsonb) SERVER pinecone OPTIONS (namespace 'items');
CREATE TABLE items (id int PRIMARY KEY, embedding real[], title text, n int, metadata jsonb, unrelated text);
INSERT INTO items SELECT i, ARRAY[1, i], 'Title ' || i, i, '{"note": "x"}' FROM generate_series(1, 25) i;
CREATE VIEW differences AS SELECT id, difference, columns FROM pinecone_diff('there', pinecone_mirror_source('there'), true, true);
CREATE VIEW state AS SELECT foreign_table, source, state, waiting, oldest_wait >= '0' AS has_wait, dead, delivered, attempts, left(last_error, 40) AS last_error FROM pinecone_mirror_status;

-- rows that are there already, a batch at a time
SELECT pinecone_mirror('items', 'there', columns => '{title = upper(title),n,metadata}', filter => 'n <> 13');
SELECT * FROM state;
SELECT pinecone_mirror_source('there');
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'items'::regclass ORDER BY 1;
CALL pinecone_mirror_deliver(batch => 10);
SELECT * FROM state;
SELECT * FROM differences;
SELECT * FROM there WHERE id IN ('3', '13');

-- every kind of change; what rolls back is not noted
INSERT INTO items VALUES (30, '{1,2}', 'new', 30), (31, '{1,2}', 'not mirrored', 13), (32, NULL, 'no vector yet', 1);
UPDATE items SET title = 'changed' WHERE id = 2;
UPDATE items SET id = -id WHERE id IN (3, 4);
UPDATE items SET n = 13 WHERE id = 5;
UPDATE items SET n = 5 WHERE id = 31;
UPDATE items SET embedding = '{2,1}' WHERE id = 32;
DELETE FROM items WHERE id = 6;
INSERT INTO items VALUES (7, '{0,1}', 'by conflict', 7) ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title;
UPDATE items SET id = 4000 WHERE id = 8;
UPDATE items SET id = 8 WHERE id = 9;
COPY items (id, embedding, n) FROM stdin;
40	{1,4}	1
41	{1,4}	13
\.
BEGIN;
DELETE FROM items;
SAVEPOINT a;
INSERT INTO items VALUES (50, '{1,1}', 'never');
ROLLBACK;
BEGIN;
SAVEPOINT a;
DELETE FROM items WHERE id = 10;
ROLLBACK TO a;
INSERT INTO items VALUES (51, '{1,1}', 'after a savepoint', 1);
COMMIT;
SELECT kind, id FROM pinecone_mirror_changes ORDER BY id, kind;
CALL pinecone_mirror_deliver();
SELECT * FROM differences;
SELECT id, title, n FROM there WHERE id IN ('2', '3', '-3', '5', '6', '7', '8', '9', '31', '32', '40', '41', '50', '51', '4000') ORDER BY id COLLATE "C";

-- columns that do not matter are not noted, and a line for each change that does
UPDATE items SET unrelated = 'x';
SELECT count(*) FROM pinecone_mirror_changes;
UPDATE items SET n = n + 1 WHERE id = 2;
UPDATE items SET n = n + 1 WHERE id = 2;
SELECT count(*) FROM pinecone_mirror_changes;
\! test/regress/pinecone quiet
CALL pinecone_mirror_deliver();
\! test/regress/pinecone log

-- TRUNCATE, with rows before and after it
INSERT INTO items VALUES (60, '{1,1}', 'before', 1);
TRUNCATE items;
INSERT INTO items VALUES (61, '{1,1}', 'after', 1);
CALL pinecone_mirror_deliver();
SELECT * FROM differences;
SELECT id FROM there;

-- a row that cannot be a record is put aside, and no other waits for it
INSERT INTO items SELECT i, CASE WHEN i IN (105, 117) THEN '{1,2,3}' ELSE ARRAY[1, i] END, 't', 1 FROM generate_series(100, 120) i;
CALL pinecone_mirror_deliver();
SELECT foreign_table, namespace, id, reason FROM pinecone_mirror_dead_rows ORDER BY id;
SELECT * FROM state;
SELECT id, difference FROM differences;
SELECT pinecone_mirror_retry('there', '105');
CALL pinecone_mirror_deliver();
UPDATE items SET embedding = '{1,2}' WHERE id = 105;
CALL pinecone_mirror_deliver();
SELECT id FROM pinecone_mirror_dead_rows;
SELECT pinecone_mirror_retry('there', drop => true);
SELECT id FROM pinecone_mirror_dead_rows;
DELETE FROM items WHERE id = 117;

-- Pinecone cannot be reached, or a definition does not hold any more: all waits
ALTER SERVER pinecone OPTIONS (ADD max_retries '0', ADD connect_timeout '50');
UPDATE items SET title = 'while away' WHERE id = 100;
ALTER TABLE items RENAME title TO headline;
CALL pinecone_mirror_deliver();
SELECT * FROM state;
CALL pinecone_mirror_deliver();
ALTER TABLE items RENAME headline TO title;
CALL pinecone_mirror_deliver('there');
SELECT * FROM state;
ALTER FOREIGN TABLE there RENAME n TO m;
UPDATE items SET title = 'another' WHERE id = 100;
CALL pinecone_mirror_deliver('there');
SELECT state, waiting, last_error FROM pinecone_mirror_status WHERE foreign_table = 'there'::regclass;
ALTER FOREIGN TABLE there RENAME m TO n;
CALL pinecone_mirror_deliver('there');
SELECT id, title, n FROM there WHERE id = '100';
ALTER TABLE items RENAME TO goods;
CREATE SCHEMA elsewhere;
ALTER TABLE goods SET SCHEMA elsewhere;
UPDATE elsewhere.goods SET n = 2 WHERE id = 100;
CALL pinecone_mirror_deliver();
SELECT * FROM differences;
ALTER TABLE elsewhere.goods SET SCHEMA public;
ALTER TABLE goods RENAME TO items;
ALTER TABLE items RENAME id TO key;
INSERT INTO items (key, n) VALUES (300, 1);
ALTER TABLE items RENAME key TO id;

-- ended: nothing is noted any more, records stay
UPDATE items SET n = 3 WHERE id = 100;
SELECT pinecone_unmirror('there');
UPDATE items SET n = 4 WHERE id = 100;
SELECT count(*) FROM pinecone_mirror_changes;
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'items'::regclass;
SELECT n FROM there WHERE id = '100';
SELECT pinecone_unmirror('there');
SELECT pinecone_mirror_source('there');

-- embeddings are made when it is delivered: by a function of SQL, or by a model, many at a time
CREATE FUNCTION public.embed(text) RETURNS real[] STABLE LANGUAGE sql AS $$ SELECT ARRAY[length($1), 1]::real[] $$;
SELECT pinecone_mirror('items', 'there', columns => '{title}', embedding => 'embed(title)', filter => 'title IS NOT NULL');
CALL pinecone_mirror_deliver();
UPDATE items SET title = 'seven c' WHERE id = 101;
CALL pinecone_mirror_deliver();
SELECT id, embedding, title, n FROM there WHERE id = '101';
SELECT pinecone_unmirror('there');
DROP FUNCTION embed;

-- ids of several types, and namespaces
CREATE FOREIGN TABLE spans (ns text OPTIONS (role 'namespace'), key text OPTIONS (role 'id'), embedding real[]) SERVER pinecone OPTIONS (namespaces 'a,b');
CREATE TABLE tenants (ns text, doc uuid, embedding real[], PRIMARY KEY (doc, ns));
INSERT INTO tenants SELECT x, ('00000000-0000-0000-0000-00000000000' || i)::uuid, ARRAY[1, i] FROM generate_series(1, 6) i, (VALUES ('a'), ('b')) v (x);
SELECT pinecone_mirror('tenants', 'spans', id => 'doc');
CALL pinecone_mirror_deliver(batch => 1);
UPDATE tenants SET ns = 'b', doc = '10000000-0000-0000-0000-000000000000' WHERE doc::text LIKE '%1' AND ns = 'a';
DELETE FROM tenants WHERE doc::text LIKE '%2' AND ns = 'b';
INSERT INTO tenants VALUES ('c', '20000000-0000-0000-0000-000000000000', '{1,1}');
CALL pinecone_mirror_deliver();
SELECT id, reason FROM pinecone_mirror_dead_rows;
DELETE FROM tenants WHERE ns = 'c';
CALL pinecone_mirror_deliver();
SELECT * FROM pinecone_diff('spans', pinecone_mirror_source('spans'), vectors => true);
SELECT ns, count(*) FROM spans GROUP BY ns ORDER BY ns;
TRUNCATE tenants;
CALL pinecone_mirror_deliver();
SELECT count(*) FROM spans;
SELECT pinecone_unmirror('spans');

-- partitions: moves between them, TRUNCATE of one, and one that comes later
CREATE TABLE parted (id int, embedding real[], PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE parted_2 (embedding real[], id int NOT NULL);
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM (10) TO (20);
CREATE FOREIGN TABLE of_parted (id text, embedding real[]) SERVER pinecone OPTIONS (namespace 'parted');
INSERT INTO parted SELECT i, ARRAY[1, i] FROM generate_series(0, 19) i;
SELECT pinecone_mirror('parted', 'of_parted');
CALL pinecone_mirror_deliver();
CREATE TABLE parted_3 PARTITION OF parted FOR VALUES FROM (20) TO (30);
UPDATE parted SET id = id + 15 WHERE id = 9;
INSERT INTO parted_3 VALUES (25, '{1,25}');
TRUNCATE parted_2;
CALL pinecone_mirror_deliver();
SELECT * FROM pinecone_diff('of_parted', pinecone_mirror_source('of_parted'), vectors => true);
SELECT string_agg(id, ' ' ORDER BY id::int) FROM of_parted;
SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger WHERE tgrelid::regclass::text LIKE 'parted%' ORDER BY 1, 2;
-- TRUNCATE of one that has been detached is not one of the mirror, until it is attached again
INSERT INTO parted_2 VALUES ('{1,12}', 12);
CALL pinecone_mirror_deliver();
ALTER TABLE parted DETACH PARTITION parted_2;
TRUNCATE parted_2;
SELECT waiting FROM pinecone_mirror_status WHERE foreign_table = 'of_parted'::regclass;
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM (10) TO (20);
TRUNCATE parted_2;
CALL pinecone_mirror_deliver();
SELECT string_agg(id, ' ' ORDER BY id::int) FROM of_parted;
-- nor is anything of it left behind
ALTER TABLE parted DETACH PARTITION parted_2;
SELECT pinecone_unmirror('of_parted');
SELECT count(*) FROM pg_trigger WHERE tgrelid::regclass::text LIKE 'parted%';
DROP TABLE parted_2;

-- two rows of one id, there before the mirror: neither is a record
CREATE TABLE twice (id int, embedding real[]);
CREATE INDEX ON twice (id);
CREATE FOREIGN TABLE of_twice (id text, embedding real[]) SERVER pinecone OPTIONS (namespace 'twice');
INSERT INTO twice VALUES (1, '{1,1}'), (2, '{1,2}'), (2, '{2,1}'), (3, '{1,3}');
SELECT pinecone_mirror('twice', 'of_twice');
CALL pinecone_mirror_deliver();
SELECT id, reason FROM pinecone_mirror_dead_rows WHERE foreign_table = 'of_twice'::regclass;
SELECT id FROM of_twice ORDER BY id;
-- triggers that do not fire
ALTER TABLE twice DISABLE TRIGGER USER;
SELECT state FROM pinecone_mirror_status WHERE foreign_table = 'of_twice'::regclass;
ALTER TABLE twice ENABLE TRIGGER USER;
SELECT state FROM pinecone_mirror_status WHERE foreign_table = 'of_twice'::regclass;
-- a source that is dropped
DROP TABLE twice;
SELECT state FROM pinecone_mirror_status WHERE foreign_table = 'of_twice'::regclass;
SELECT pinecone_unmirror('of_twice');
-- an id that is longer than a tree's key
CREATE TABLE wide (id text, embedding real[]);
CREATE INDEX ON wide USING hash (id);
CREATE FOREIGN TABLE of_wide (id text, embedding real[]) SERVER pinecone OPTIONS (namespace 'wide');
SELECT pinecone_mirror('wide', 'of_wide');
INSERT INTO wide SELECT string_agg(md5(i::text), ''), '{1,2}' FROM generate_series(1, 300) i;
INSERT INTO wide VALUES ('short', '{1,2}');
CALL pinecone_mirror_deliver();
SELECT left(id, 5), right(reason, 43) FROM pinecone_mirror_dead_rows WHERE foreign_table = 'of_wide'::regclass;
SELECT id FROM of_wide;
SELECT pinecone_unmirror('of_wide');

-- triggers without a mirror, as of a schema that was restored without data: their number is not another mirror's
CREATE TABLE strays (id int PRIMARY KEY, embedding real[]);
CREATE TRIGGER pinecone_mirror_1 AFTER INSERT OR UPDATE OR DELETE ON strays FOR EACH ROW EXECUTE FUNCTION pinecone_mirror_note('1', 'id', '');
CREATE TRIGGER pinecone_mirror_1_truncate AFTER TRUNCATE ON strays EXECUTE FUNCTION pinecone_mirror_note('1', 'id', '');
CREATE TRIGGER pinecone_mirror_77 AFTER INSERT OR UPDATE OR DELETE ON strays FOR EACH ROW EXECUTE FUNCTION pinecone_mirror_note('77', 'id', '');
INSERT INTO strays VALUES (1, '{1,1}');
CREATE FOREIGN TABLE of_strays (id text, embedding real[]) SERVER pinecone OPTIONS (namespace 'strays');
SELECT pinecone_mirror('strays', 'of_strays');
SELECT tgname FROM pg_trigger WHERE tgrelid = 'strays'::regclass AND NOT tgisinternal ORDER BY 1;
SELECT DISTINCT c.mirror FROM pinecone_mirror_changes c LEFT JOIN pinecone_mirrors m USING (mirror) WHERE m.mirror IS NULL;
CALL pinecone_mirror_deliver('of_strays');
SELECT id FROM of_strays;
SELECT pinecone_unmirror('of_strays');

-- without filling; a second mirror of the same table, none to the same foreign table
SELECT pinecone_mirror('parted', 'of_parted', fill => false);
SELECT pinecone_mirror('items', 'of_parted');
SELECT pinecone_mirror('items', 'there');
CREATE FOREIGN TABLE other (id text, embedding real[]) SERVER pinecone OPTIONS (namespace 'other');
SELECT pinecone_mirror('items', 'other');
CALL pinecone_mirror_deliver();
SELECT foreign_table, state, delivered FROM pinecone_mirror_status ORDER BY foreign_table::text;
SELECT count(*) FROM pinecone_diff('other', pinecone_mirror_source('other'), vectors => true);

-- who may
CREATE ROLE regress_mirror;
GRANT USAGE ON FOREIGN SERVER pinecone TO regress_mirror;
CREATE USER MAPPING FOR regress_mirror SERVER pinecone OPTIONS (api_key 'test-key');
CREATE FOREIGN TABLE theirs (id text, embedding real[]) SERVER pinecone OPTIONS (namespace 'theirs');
SET ROLE regress_mirror;
SELECT pinecone_mirror('items', 'theirs');
SELECT pinecone_unmirror('there');
SELECT * FROM pinecone_mirror_status;
SELECT * FROM pinecone_mirrors;
RESET ROLE;
GRANT CREATE ON SCHEMA public TO regress_mirror;
SET ROLE regress_mirror;
CREATE TABLE own (id int PRIMARY KEY, embedding real[]);
SELECT pinecone_mirror('own', 'theirs');
RESET ROLE;
GRANT SELECT, INSERT, DELETE, TRUNCATE ON theirs TO regress_mirror;
SET ROLE regress_mirror;
SELECT pinecone_mirror('own', 'theirs');
INSERT INTO own VALUES (1, '{1,1}');
CALL pinecone_mirror_deliver();
SELECT id FROM theirs;
RESET ROLE;
REVOKE TRUNCATE ON theirs FROM regress_mirror;
SET ROLE regress_mirror;
TRUNCATE own;
CALL pinecone_mirror_deliver();
SELECT foreign_table, state, waiting, last_error FROM pinecone_mirror_status;
CREATE TRIGGER mine AFTER TRUNCATE ON own EXECUTE FUNCTION pinecone_mirror_note('1', 'id', '');
RESET ROLE;
GRANT TRUNCATE ON theirs TO regress_mirror;
CALL pinecone_mirror_deliver('theirs');
SELECT id FROM theirs;
SELECT pinecone_unmirror('theirs');

-- what cannot be mirrored
CREATE VIEW seen AS SELECT * FROM items;
CREATE TEMP TABLE brief (id int PRIMARY KEY, embedding real[]);
CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY, embedding real[]);
CREATE TABLE bare (id int, embedding real[]);
CREATE TABLE floats (id float8 PRIMARY KEY, embedding real[]);
CREATE TABLE novector (id int PRIMARY KEY);
SELECT pinecone_mirror('seen', 'theirs');
SELECT pinecone_mirror('brief', 'theirs');
SELECT pinecone_mirror('unlogged', 'theirs');
SELECT pinecone_mirror('bare', 'theirs');
SELECT pinecone_mirror('floats', 'theirs');
SELECT pinecone_mirror('novector', 'theirs');
SELECT pinecone_mirror('there', 'theirs');
SELECT pinecone_mirror('items', 'items');
SELECT pinecone_mirror(NULL, 'theirs');
SELECT pinecone_mirror('items', NULL);
SELECT pinecone_mirror('items', 'theirs', id => 'nope');
SELECT pinecone_mirror('items', 'theirs', columns => '{nope}');
SELECT pinecone_mirror('items', 'theirs', columns => ARRAY[NULL]);
SELECT pinecone_mirror('items', 'theirs', embedding => 'nope');
SELECT pinecone_mirror('items', 'theirs', embedding => '(SELECT embedding FROM items LIMIT 1)');
SELECT pinecone_mirror('items', 'theirs', embedding => 'embedding) FROM items; DROP TABLE items; SELECT (1');
SELECT pinecone_mirror('items', 'theirs', filter => 'n');
SELECT pinecone_mirror('items', 'theirs', filter => 'random() < n');
SELECT pinecone_mirror('items', 'theirs', filter => 'count(*) > 1');
CREATE INDEX ON bare (id);
INSERT INTO bare VALUES (1, '{1,1}'), (1, '{1,2}'), (2, '{1,3}');
SELECT pinecone_mirror('bare', 'theirs', fill => false);
UPDATE bare SET embedding = '{2,2}';
CALL pinecone_mirror_deliver('theirs');
SELECT foreign_table, id, reason FROM pinecone_mirror_dead_rows;
SELECT id FROM theirs;
BEGIN;
CALL pinecone_mirror_deliver();
ROLLBACK;
SET default_transaction_isolation = 'repeatable read';
CALL pinecone_mirror_deliver();
RESET default_transaction_isolation;
CALL pinecone_mirror_deliver('items');
CALL pinecone_mirror_deliver(batch => 0);

-- a table that goes
DROP TABLE bare;
SELECT source, state FROM pinecone_mirror_status WHERE foreign_table = 'theirs'::regclass AND source::text = 'bare';
CALL pinecone_mirror_deliver('theirs');
SELECT pinecone_unmirror('theirs');
SELECT pinecone_unmirror(foreign_table) FROM pinecone_mirror_status;
DROP OWNED BY regress_mirror;
DROP ROLE regress_mirror;
DROP VIEW differences, state, seen;
DROP TABLE items, tenants, parted, wide, brief, unlogged, floats, novector;
DROP SCHEMA elsewhere;
\! test/regress/pinecone drop mirrored
