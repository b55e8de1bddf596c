-- What has been committed and the service may not show yet, as users have it:
-- with the default of pinecone_fdw.unseen_time
\set index unseen
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
ALTER DATABASE :"DBNAME" RESET pinecone_fdw.unseen_time;
\c
\! test/regress/pinecone post - /_local/settings '{"lag":60000}' >/dev/null
CREATE FOREIGN TABLE t (id text, embedding real[], n int, note text) SERVER pinecone OPTIONS (namespace 'a');
SELECT count(*) FROM t;
SHOW pinecone_fdw.unseen_time;
-- the default may run out on a slow machine, and the counts with it
SET pinecone_fdw.unseen_time = '1h';
INSERT INTO t SELECT to_char(g, 'FM000'), ARRAY[g, 1], g FROM generate_series(1, 20) AS g;
EXPLAIN (COSTS OFF, ANALYZE, TIMING OFF, SUMMARY OFF) SELECT id FROM t WHERE id = '001'
\g (format=unaligned tuples_only=on) |test/regress/plan
RESET pinecone_fdw.unseen_time;

-- by id, filter, search, order, and counted
UPDATE t SET n = 100 WHERE id = '001';
UPDATE t SET note = 'even' WHERE n % 2 = 0;
DELETE FROM t WHERE id IN ('002', '003');
INSERT INTO t VALUES ('new', '{1,1}', 1000);
SELECT id, n, note FROM t WHERE id IN ('001', '002', '004', 'new') ORDER BY id;
SELECT id FROM t WHERE n >= 20 ORDER BY id;
SELECT id FROM t ORDER BY embedding <=> '{1,1}' LIMIT 3;
SELECT id FROM t WHERE id LIKE '00%' ORDER BY id LIMIT 3;
SELECT count(*) FROM t;
SELECT count(*) FROM t WHERE note = 'even';
UPDATE t SET note = 'odd' WHERE note IS NULL;
DELETE FROM t WHERE note = 'even';
SELECT count(*), count(note), sum(n) FROM t;
-- another session
\c
SELECT count(*), count(note), sum(n) FROM t;
BEGIN;
INSERT INTO t VALUES ('pending', '{1,1}', 1);
SELECT count(*) FROM t;
-- a transaction that empties it, and writes on; and takes that back
SAVEPOINT before;
TRUNCATE t;
SELECT count(*) FROM t;
SELECT id FROM t WHERE id = 'new';
INSERT INTO t VALUES ('mine', '{1,1}', 2);
SELECT id, n FROM t ORDER BY embedding <=> '{1,1}' LIMIT 3;
ROLLBACK TO before;
SELECT count(*), max(n) FROM t;
ROLLBACK;
TRUNCATE t;
SELECT count(*) FROM t;
INSERT INTO t VALUES ('last', '{1,1}', 1) RETURNING id;
SELECT id FROM t;

\! test/regress/pinecone post - /_local/settings '{"lag":0}' >/dev/null
\! test/regress/pinecone drop unseen
DROP SERVER pinecone CASCADE;
