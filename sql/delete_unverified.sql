-- verify_deletes 'false': a DELETE of given ids does not look which are there
\set index unverified
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
\set sent '\\! test/regress/pinecone log "vectors/|query"'
CREATE FOREIGN TABLE t (id text, embedding real[], n int) SERVER pinecone OPTIONS (namespace 'a', verify_deletes 'false');
INSERT INTO t SELECT to_char(g, 'FM000'), ARRAY[g, 1], g FROM generate_series(1, 40) AS g;
\! test/regress/pinecone quiet

-- ids alone; psql tells the counts
\set QUIET off
EXPLAIN (COSTS OFF) DELETE FROM t WHERE id = '001';
EXPLAIN (COSTS OFF, ANALYZE, TIMING OFF, SUMMARY OFF) DELETE FROM t WHERE id IN ('001', '002', '001', NULL, '')
\g (format=unaligned tuples_only=on) |test/regress/plan
:sent
DELETE FROM t WHERE id = '003';
DELETE FROM t WHERE '004' = id OR id = ANY ('{005,005,none}');
DELETE FROM t WHERE id = NULL;
DELETE FROM t WHERE id = ANY (ARRAY(SELECT to_char(g, 'FM000') FROM generate_series(6, 9) AS g));
:sent
-- what is deleted counts as it is asked for
DELETE FROM t WHERE id = '003';
PREPARE d (text, text[]) AS DELETE FROM t WHERE id = $1 OR id = ANY ($2);
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE d ('010', NULL);
EXECUTE d ('010', '{011,NULL,010}');
EXECUTE d (NULL, NULL);
EXECUTE d (NULL, '{}');
\! test/regress/pinecone quiet
\set QUIET on
-- the option counts as it is when the plan is used
ALTER FOREIGN TABLE t OPTIONS (SET verify_deletes 'true');
EXECUTE d ('010', '{011,012}');
ALTER FOREIGN TABLE t OPTIONS (DROP verify_deletes);
ALTER SERVER pinecone OPTIONS (ADD verify_deletes 'false');
EXECUTE d ('010', '{011}');
:sent
RESET plan_cache_mode;
SELECT count(*), min(id) FROM t;

-- what needs the row looks
\! test/regress/pinecone quiet
\set QUIET off
DELETE FROM t WHERE id IN ('013', '003') RETURNING id, n;
DELETE FROM t WHERE id IN ('014', '015') AND n = 15;
DELETE FROM t WHERE id IN ('014', '016') AND id > '015';
DELETE FROM t WHERE id = '003' AND id = ANY ('{003,004}');
DELETE FROM t USING (VALUES ('017'), ('003')) AS v (x) WHERE id = x;
WITH gone AS (DELETE FROM t WHERE id IN ('018', '003') RETURNING id) SELECT * FROM gone;
:sent
\set QUIET on
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '% % %', TG_WHEN, TG_LEVEL, OLD; RETURN OLD; END $$;
CREATE TRIGGER a BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION tell();
DELETE FROM t WHERE id IN ('019', '003');
DROP TRIGGER a ON t;
CREATE TRIGGER a AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION tell();
DELETE FROM t WHERE id IN ('020', '003');
DROP TRIGGER a ON t;
\! test/regress/pinecone quiet
CREATE TRIGGER a AFTER DELETE ON t EXECUTE FUNCTION tell();
DELETE FROM t WHERE id IN ('021', '003');
:sent
DROP TRIGGER a ON t;
SET pinecone_fdw.enable_direct_modify = off;
DELETE FROM t WHERE id IN ('022', '003');
RESET pinecone_fdw.enable_direct_modify;

-- with writes that are pending
BEGIN;
INSERT INTO t VALUES ('new', '{1,1}', 1), ('newer', '{1,1}', 2);
UPDATE t SET n = 100 WHERE id = '023';
SAVEPOINT s;
DELETE FROM t WHERE id IN ('new', '023');
SELECT count(*) FROM t WHERE id IN ('new', 'newer', '023');
ROLLBACK TO s;
SELECT count(*) FROM t WHERE id IN ('new', 'newer', '023');
\set QUIET off
DELETE FROM t WHERE id IN ('newer', '023', '024');
\set QUIET on
INSERT INTO t VALUES ('024', '{1,1}', 24);
COMMIT;
SELECT id, n FROM t WHERE id IN ('new', 'newer', '023', '024') ORDER BY id;
-- what the statement itself inserts is not what was there
WITH i AS (INSERT INTO t VALUES ('025', '{1,1}', 1000), ('both', '{1,1}', 1) RETURNING id) DELETE FROM t WHERE id IN ('025', 'both');
WITH d AS (DELETE FROM t WHERE id = '026') INSERT INTO t VALUES ('026', '{1,1}', 1000);
SELECT id, n FROM t WHERE id IN ('025', 'both', '026') ORDER BY id;
ALTER FOREIGN TABLE t OPTIONS (ADD write_mode 'immediate');
\! test/regress/pinecone quiet
DELETE FROM t WHERE id IN ('027', '028');
:sent
ALTER FOREIGN TABLE t OPTIONS (DROP write_mode);

-- a trigger that deletes one by one: one request at the commit
CREATE TABLE doc (id text PRIMARY KEY);
CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM t WHERE id = OLD.id; RETURN OLD; END $$;
CREATE TRIGGER forget AFTER DELETE ON doc FOR EACH ROW EXECUTE FUNCTION forget();
INSERT INTO doc SELECT 'd' || g FROM generate_series(1, 1000) AS g;
INSERT INTO t SELECT id, '{1,1}', 7 FROM doc;
\! test/regress/pinecone quiet
BEGIN;
DELETE FROM doc;
:sent
COMMIT;
\! test/regress/pinecone log "vectors/|query" | perl -ne 'print substr($_, 0, 30), " ... ", scalar(() = /"d[0-9]+"/g), " ids\n"'
SELECT count(*) FROM t WHERE n = 7;

-- types of ids; those that a column cannot show stay
CREATE FOREIGN TABLE u (id uuid, n int) SERVER pinecone OPTIONS (namespace 'u');
CREATE FOREIGN TABLE b (id bigint, n int) SERVER pinecone OPTIONS (namespace 'b');
CREATE FOREIGN TABLE v (id varchar(3), n int) SERVER pinecone OPTIONS (namespace 'a');
CREATE DOMAIN short AS text CHECK (length(VALUE) = 3);
CREATE FOREIGN TABLE s (id short, n int) SERVER pinecone OPTIONS (namespace 'a');
EXPLAIN (COSTS OFF) DELETE FROM u WHERE id = md5('1')::uuid;
DELETE FROM u WHERE id IN (md5('1')::uuid, md5('2')::uuid);
DELETE FROM b WHERE id IN (1, 2, 1) OR id = 3::smallint;
EXPLAIN (COSTS OFF) DELETE FROM v WHERE id = '029';
EXPLAIN (COSTS OFF) DELETE FROM s WHERE id = '029';
DELETE FROM s WHERE id = '030';
SELECT count(*) FROM t WHERE id = '030';

-- several namespaces: only where one is certain to be asked
CREATE FOREIGN TABLE every (ns text OPTIONS (role 'namespace'), id text, embedding real[], n int) SERVER pinecone;
INSERT INTO every SELECT x, 'e' || g, '{1,1}', g FROM unnest('{a,b}'::text[]) AS x, generate_series(1, 5) AS g;
\! test/regress/pinecone quiet
\set QUIET off
DELETE FROM every WHERE id = 'e1' AND ns = 'a';
DELETE FROM every WHERE id IN ('e1', 'e2') AND ns = 'none';
:sent
DELETE FROM every WHERE id = 'e2' AND ns IN ('a', 'b', 'none');
DELETE FROM every WHERE id = 'e3';
\set QUIET on
SELECT ns, id FROM every WHERE id LIKE 'e_' ORDER BY ns, id;

-- partitions, of which one may hold the id
CREATE TABLE parts (id text, embedding real[], n int) PARTITION BY LIST (n);
CREATE FOREIGN TABLE parts1 PARTITION OF parts FOR VALUES IN (1) SERVER pinecone OPTIONS (namespace 'p1');
CREATE FOREIGN TABLE parts2 PARTITION OF parts FOR VALUES IN (2) SERVER pinecone OPTIONS (namespace 'p2');
INSERT INTO parts VALUES ('x', '{1,1}', 1), ('y', '{1,1}', 2);
\set QUIET off
DELETE FROM parts WHERE id IN ('x', 'none');
EXPLAIN (COSTS OFF) DELETE FROM parts2 WHERE id = 'y';

\set QUIET on
ALTER FOREIGN TABLE t OPTIONS (ADD verify_deletes 'maybe');
DROP SERVER pinecone CASCADE;
DROP TABLE doc, parts;
DROP DOMAIN short;
DROP FUNCTION tell(), forget();
\! test/regress/pinecone drop unverified
