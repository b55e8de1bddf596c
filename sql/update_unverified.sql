-- verify_updates 'false': an UPDATE of fields by given ids does not look which are there
\set index unverified
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
\set sent '\\! test/regress/pinecone log "vectors/|query" | LC_ALL=C sort'
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int, s text, tags text[], metadata jsonb) SERVER pinecone OPTIONS (namespace 'a', verify_updates 'false');
INSERT INTO t (id, embedding, n, s) SELECT to_char(g, 'FM000'), ARRAY[g, 1], g, 's' || g FROM generate_series(1, 40) AS g;
\! test/regress/pinecone quiet

-- ids alone; psql tells the counts
\set QUIET off
EXPLAIN (COSTS OFF) UPDATE t SET n = 5 WHERE id = '001';
EXPLAIN (COSTS OFF, ANALYZE, TIMING OFF, SUMMARY OFF) UPDATE t SET n = 100, tags = '{x,y}' WHERE id IN ('001', '002', '001', NULL, '')
\g (format=unaligned tuples_only=on) |test/regress/plan
:sent
UPDATE t SET n = 101 WHERE id = '003';
UPDATE t SET s = upper('x') || 'y', n = -1 WHERE '004' = id OR id = ANY ('{005,005,none}');
UPDATE t SET n = 102 WHERE id = NULL;
UPDATE t SET n = 103 WHERE id = ANY (ARRAY(SELECT to_char(g, 'FM000') FROM generate_series(6, 9) AS g));
:sent
PREPARE u (text, int) AS UPDATE t SET n = $2 WHERE id = $1;
SET plan_cache_mode = force_generic_plan;
EXECUTE u ('010', 104);
EXECUTE u (NULL, 104);
-- a field that is to go away needs the record
\! test/regress/pinecone quiet
EXECUTE u ('010', NULL);
EXECUTE u ('none', NULL);
:sent
RESET plan_cache_mode;
\set QUIET on
SELECT id, n, s, tags FROM t WHERE id <= '010' ORDER BY id;
SELECT count(*) FROM t;

-- what needs the row looks
\! test/regress/pinecone quiet
\set QUIET off
UPDATE t SET n = 0 WHERE id IN ('013', 'none') RETURNING id, n;
UPDATE t SET n = n + 1 WHERE id IN ('014', 'none');
UPDATE t SET (n, s) = (SELECT length(t.s), 'of the row' OFFSET 0) WHERE id IN ('030', 'none');
UPDATE t SET s = random()::text WHERE id IN ('014', 'none');
UPDATE t SET n = 0 WHERE id IN ('014', '015') AND n = 15;
UPDATE t SET n = 0 WHERE id IN ('014', '016') AND id > '015';
UPDATE t SET embedding = '{1,2}' WHERE id IN ('017', 'none');
UPDATE t SET metadata = '{"n": 3}' WHERE id IN ('017', 'none');
UPDATE t SET id = '018x' WHERE id IN ('018', 'none') AND id <> 'x';
UPDATE t SET n = 7 FROM (VALUES ('019'), ('none')) AS v (x) WHERE id = x;
\set QUIET on
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '% % % %', TG_WHEN, TG_LEVEL, OLD.n, NEW.n; RETURN NEW; END $$;
CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION tell();
UPDATE t SET n = 8 WHERE id IN ('020', 'none');
DROP TRIGGER a ON t;
SET pinecone_fdw.enable_direct_modify = off;
\set QUIET off
UPDATE t SET n = 8 WHERE id IN ('022', 'none');
\set QUIET on
RESET pinecone_fdw.enable_direct_modify;
-- what cannot be stored is refused
UPDATE t SET s = repeat('x', 50000) WHERE id = '023';
UPDATE t SET n = 1 WHERE id = '023' AND 1 / (SELECT 0) = 1;

-- with writes that are pending; rolled back; at once
BEGIN;
INSERT INTO t (id, embedding, n) VALUES ('new', '{1,1}', 1);
DELETE FROM t WHERE id = '024';
UPDATE t SET n = 200 WHERE id IN ('new', '024', '025');
SELECT id, n FROM t WHERE id IN ('new', '024', '025') ORDER BY id;
SAVEPOINT s;
UPDATE t SET n = 201 WHERE id = 'new';
UPDATE t SET n = 202 WHERE s = 's26';
UPDATE t SET n = 203 WHERE id = '026';
SELECT id, n FROM t WHERE id IN ('new', '026') ORDER BY id;
ROLLBACK TO s;
COMMIT;
SELECT id, n FROM t WHERE id IN ('new', '024', '025', '026') ORDER BY id;
EXPLAIN (COSTS OFF) DELETE FROM t WHERE n = 28;
BEGIN;
DELETE FROM t WHERE n = 28;
UPDATE t SET n = 203 WHERE id IN ('026', '028');
SELECT id, n, tags FROM t WHERE id IN ('026', '028') ORDER BY id;
ROLLBACK;
BEGIN;
UPDATE t SET tags = '{by,condition}' WHERE s = 's26';
DELETE FROM t WHERE s = 's28';
UPDATE t SET n = 203 WHERE id IN ('026', '028');
SELECT id, n, tags FROM t WHERE id IN ('026', '028') ORDER BY id;
ROLLBACK;
BEGIN;
UPDATE t SET n = 300 WHERE id = '027';
ROLLBACK;
SELECT n FROM t WHERE id = '027';
-- what the statement itself inserts is not what was there
WITH i AS (INSERT INTO t (id, embedding, n) VALUES ('both', '{1,1}', 1) RETURNING id) UPDATE t SET n = 2 WHERE id IN ('both', '028');
SELECT id, n FROM t WHERE id IN ('both', '028') ORDER BY id;
WITH i AS (INSERT INTO t (id, embedding, n) VALUES ('first', '{1,1}', 1) RETURNING id) UPDATE t SET n = 2 WHERE id = (SELECT id FROM i);
SELECT id, n FROM t WHERE id = 'first';
ALTER FOREIGN TABLE t OPTIONS (ADD write_mode 'immediate');
\! test/regress/pinecone quiet
UPDATE t SET n = 400 WHERE id IN ('029', '030');
:sent
ALTER FOREIGN TABLE t OPTIONS (DROP write_mode);

-- a trigger that updates one by one: no request before the commit
CREATE TABLE doc (id text PRIMARY KEY, n int);
CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE t SET n = NEW.n WHERE id = NEW.id; RETURN NEW; END $$;
CREATE TRIGGER pass AFTER UPDATE ON doc FOR EACH ROW EXECUTE FUNCTION pass();
INSERT INTO doc SELECT to_char(g, 'FM000'), g FROM generate_series(1, 40) AS g;
BEGIN;
UPDATE doc SET n = -n;
:sent
COMMIT;
\! test/regress/pinecone log "vectors/|query" | sort -u | wc -l
SELECT count(*), sum(n) FROM t WHERE n < 0;

-- the option counts as it is when the plan is used, of a server, too
ALTER FOREIGN TABLE t OPTIONS (SET verify_updates 'true');
\set QUIET off
EXECUTE u ('none', 1);
ALTER FOREIGN TABLE t OPTIONS (DROP verify_updates);
ALTER SERVER pinecone OPTIONS (ADD verify_updates 'false');
EXECUTE u ('none', 1);
\set QUIET on
ALTER FOREIGN TABLE t OPTIONS (ADD verify_updates 'maybe');

-- several namespaces, partitions
CREATE FOREIGN TABLE every (ns text OPTIONS (role 'namespace'), id text, embedding real[], n int) SERVER pinecone;
INSERT INTO every SELECT x, 'e' || g, '{1,1}', g FROM unnest('{a,b}'::text[]) AS x, generate_series(1, 3) AS g;
\set QUIET off
UPDATE every SET n = 11 WHERE id = 'e1' AND ns = 'a';
UPDATE every SET n = 12 WHERE id IN ('e1', 'e2') AND ns = 'none';
UPDATE every SET n = 13 WHERE id = 'e2' AND ns IN ('a', 'b', 'none');
UPDATE every SET n = 14 WHERE id = 'e3';
\set QUIET on
SELECT ns, id, n FROM every WHERE id LIKE 'e_' ORDER BY ns, id;
CREATE TABLE parts (id text, embedding real[], n int, m int) PARTITION BY LIST (n);
CREATE FOREIGN TABLE parts1 PARTITION OF parts FOR VALUES IN (1) SERVER pinecone OPTIONS (namespace 'p1');
CREATE FOREIGN TABLE parts2 PARTITION OF parts FOR VALUES IN (2) SERVER pinecone OPTIONS (namespace 'p2');
INSERT INTO parts VALUES ('x', '{1,1}', 1), ('y', '{1,1}', 2);
\set QUIET off
UPDATE parts SET m = 5 WHERE id IN ('x', 'none');
UPDATE parts2 SET m = 6 WHERE id IN ('y', 'none');
UPDATE parts2 SET n = 1 WHERE id = 'y';
\set QUIET on
SELECT id, n, m FROM parts ORDER BY id;

DROP SERVER pinecone CASCADE;
DROP TABLE doc, parts;
DROP FUNCTION tell(), pass();
\! test/regress/pinecone drop unverified
