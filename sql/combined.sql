-- What meets in one statement or transaction: partitions, namespaces, policies, checks, joins and pending writes.
\set index combined
\set dimension 3
\set metric cosine
\i test/regress/setup.sql

CREATE TABLE kb (tenant text COLLATE "C", id text COLLATE "C", embedding real[], year int) PARTITION BY LIST (tenant);
CREATE FOREIGN TABLE kb_a PARTITION OF kb FOR VALUES IN ('a') SERVER pinecone OPTIONS (namespace 'kb_a');
CREATE FOREIGN TABLE kb_b PARTITION OF kb FOR VALUES IN ('b') SERVER pinecone OPTIONS (namespaces 'b');
ALTER FOREIGN TABLE kb_b ALTER tenant OPTIONS (role 'namespace');
CREATE TABLE kb_c PARTITION OF kb FOR VALUES IN ('c');
INSERT INTO kb SELECT (ARRAY['a', 'b', 'c'])[1 + i % 3], 'k' || i, ARRAY[i, 1, -2], 2000 + i FROM generate_series(0, 8) i;

-- rows of several partitions are returned as they were, or as they are stored
WITH d AS (DELETE FROM kb USING (VALUES ('k0'), ('k1'), ('k2')) v (id) WHERE kb.id = v.id RETURNING kb, tableoid::regclass) SELECT * FROM d ORDER BY kb;
WITH u AS (UPDATE kb SET year = year + 10 WHERE id IN ('k3', 'k4', 'k5') RETURNING *) SELECT * FROM u ORDER BY id;
WITH u AS (UPDATE kb SET embedding = '{1,1,1}' WHERE id IN ('k3', 'k4', 'k5') RETURNING *) SELECT * FROM u ORDER BY id;

-- a check option looks at what is stored
CREATE VIEW recent AS SELECT * FROM kb WHERE year > 2000 WITH CHECK OPTION;
UPDATE recent SET year = 1999 WHERE tenant = 'a';
UPDATE recent SET year = 1999 WHERE tenant = 'b';
UPDATE recent SET year = 2001 WHERE id = 'k7';
INSERT INTO recent VALUES ('b', 'n1', '{1,1,1}', 1999);
DROP VIEW recent;

-- a row inserted into a partition by name must belong there, and likewise what a trigger makes of one
INSERT INTO kb_a VALUES ('b', 'n1', '{1,1,1}', 2000);
INSERT INTO kb_b VALUES ('a', 'n1', '{1,1,1}', 2000);
CREATE FUNCTION to_c() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.tenant := 'c'; RETURN NEW; END $$;
CREATE TRIGGER elsewhere BEFORE INSERT ON kb_a FOR EACH ROW EXECUTE FUNCTION to_c();
INSERT INTO kb VALUES ('a', 'n1', '{1,1,1}', 2000);
DROP TRIGGER elsewhere ON kb_a;
SELECT tenant, id, year FROM kb ORDER BY id;

-- policies of a partitioned table hold for new rows in its foreign partitions
CREATE ROLE regress_combined;
GRANT ALL ON kb TO regress_combined;
CREATE USER MAPPING FOR regress_combined SERVER pinecone OPTIONS (api_key :'api_key');
ALTER TABLE kb ENABLE ROW LEVEL SECURITY;
CREATE POLICY lately ON kb USING (year < 2010) WITH CHECK (year < 2009);
SET ROLE regress_combined;
SELECT id, year FROM kb ORDER BY id;
INSERT INTO kb VALUES ('a', 'n1', '{1,1,1}', 2009);
INSERT INTO kb VALUES ('b', 'n1', '{1,1,1}', 2009);
INSERT INTO kb VALUES ('b', 'n1', '{1,1,1}', 2008);
UPDATE kb SET year = 2020 WHERE id = 'k6';
UPDATE kb SET year = 2020 WHERE id = 'k7';
UPDATE kb SET year = 2002 WHERE id = 'k7';
DELETE FROM kb WHERE year = 2008;
RESET ROLE;
SELECT id, year FROM kb ORDER BY id;
ALTER TABLE kb DISABLE ROW LEVEL SECURITY;

-- what several users write in one transaction is seen by all of them, and sent in order
BEGIN;
INSERT INTO kb VALUES ('a', 'u1', '{1,1,1}', 1), ('a', 'u2', '{1,1,1}', 1);
SET ROLE regress_combined;
INSERT INTO kb VALUES ('a', 'u3', '{1,1,1}', 1);
UPDATE kb SET year = 2 WHERE id IN ('u1', 'u2');
RESET ROLE;
DELETE FROM kb WHERE id = 'u1';
UPDATE kb SET year = year + 10 WHERE tenant = 'a' AND year < 10;
SELECT tenant, id, year FROM kb WHERE id LIKE 'u%' ORDER BY id;
COMMIT;
SELECT tenant, id, year FROM kb WHERE id LIKE 'u%' ORDER BY id;
DROP TABLE kb;
DROP OWNED BY regress_combined;
DROP ROLE regress_combined;

-- a record that a statement deletes and inserts again is there, whatever the write mode
CREATE FOREIGN TABLE kept (id text COLLATE "C", embedding real[], n int) SERVER pinecone OPTIONS (namespace 'kept');
CREATE FOREIGN TABLE sent (id text COLLATE "C", embedding real[], n int) SERVER pinecone OPTIONS (namespace 'sent', write_mode 'immediate');
INSERT INTO kept SELECT 's' || i, ARRAY[i, 1, 2], i FROM generate_series(1, 6) i;
INSERT INTO sent SELECT * FROM kept;
WITH d AS (DELETE FROM kept WHERE n < 3 RETURNING *) INSERT INTO kept SELECT id, embedding, n + 10 FROM d;
WITH d AS (DELETE FROM sent WHERE n < 3 RETURNING *) INSERT INTO sent SELECT id, embedding, n + 10 FROM d;
SELECT k.id, k.n, s.n FROM kept k FULL JOIN sent s USING (id) ORDER BY k.id;
WITH d AS (DELETE FROM kept WHERE n = 3) INSERT INTO kept SELECT id, embedding, n + 10 FROM kept WHERE n = 3;
WITH d AS (DELETE FROM sent WHERE n = 3) INSERT INTO sent SELECT id, embedding, n + 10 FROM sent WHERE n = 3;
WITH i AS (INSERT INTO kept SELECT id, embedding, n + 10 FROM kept WHERE n = 6 RETURNING id) DELETE FROM kept USING i WHERE kept.id = i.id;
SELECT k.id, k.n, s.n FROM kept k FULL JOIN sent s USING (id) ORDER BY k.id;
WITH d AS (DELETE FROM sent WHERE n = 4), u AS (UPDATE sent SET n = 50 WHERE n = 5) INSERT INTO sent SELECT id || '+', embedding, n FROM sent WHERE n IN (4, 5);
SELECT id, n FROM sent ORDER BY id;

-- triggers that fire after rows have been written see them, also those whose records had to be fetched first
CREATE FUNCTION show_sum() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '% %: %', lower(TG_OP), lower(TG_LEVEL), (SELECT sum(embedding[1]) FROM kept); RETURN NULL; END $$;
CREATE TRIGGER show_row AFTER UPDATE ON kept FOR EACH ROW EXECUTE FUNCTION show_sum();
CREATE TRIGGER show_statement AFTER UPDATE ON kept FOR EACH STATEMENT EXECUTE FUNCTION show_sum();
UPDATE kept SET embedding = '{100,1,1}' WHERE id IN ('s5', 's6');
WITH u AS (UPDATE kept SET embedding = '{1,1,1}' WHERE id IN ('s5', 's6')) SELECT sum(embedding[1]) FROM kept;
WITH u AS (UPDATE kept SET embedding = '{2,1,1}' WHERE id IN ('s5', 's6') RETURNING *) SELECT count(*) FROM u;
SET client_min_messages = warning;
DROP FUNCTION show_sum CASCADE;
RESET client_min_messages;
CREATE FUNCTION show_sum() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '% %: %', lower(TG_OP), lower(TG_LEVEL), (SELECT sum(embedding[1]) FROM sent); RETURN NULL; END $$;
CREATE TRIGGER show_row AFTER INSERT OR UPDATE OR DELETE ON sent FOR EACH ROW EXECUTE FUNCTION show_sum();
CREATE TRIGGER show_statement AFTER INSERT OR UPDATE OR DELETE ON sent FOR EACH STATEMENT EXECUTE FUNCTION show_sum();
INSERT INTO sent VALUES ('t1', '{1000,1,1}', 100), ('t2', '{1000,1,1}', 100);
UPDATE sent SET embedding = '{500,1,1}' WHERE id = 't1';
DELETE FROM sent WHERE n = 100;
SET client_min_messages = warning;
DROP FUNCTION show_sum CASCADE;
RESET client_min_messages;

-- reads wait for what has been written to the same index, whoever wrote it, and not for another's
CREATE FOREIGN TABLE seen (id text COLLATE "C", embedding real[]) SERVER pinecone OPTIONS (namespace 'seen', consistency 'session', consistency_timeout '200ms');
INSERT INTO seen SELECT 'c' || i, '{1,1,1}' FROM generate_series(1, 3) i;
\set other_host `test/regress/pinecone create combined-other 3 cosine`
ALTER SERVER pinecone OPTIONS (DROP index, ADD host :'other_host');
SELECT id FROM seen;
ALTER SERVER pinecone OPTIONS (DROP host, ADD index 'combined');
SELECT id FROM seen ORDER BY id;
\! test/regress/pinecone drop combined-other
