-- Savepoints whose writes have gone to a temporary file
\set index savepoint
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int, s text) SERVER pinecone;
SET pinecone_fdw.write_buffer = '64kB';
-- What a savepoint took back is not read any more, neither from the file nor from memory
BEGIN;
INSERT INTO t SELECT 'a' || i, '{1,0}', i, repeat('x', 200) FROM generate_series(1, 400) i;
SELECT count(*), sum(n) FROM t;
SAVEPOINT one;
INSERT INTO t SELECT 'b' || i, '{1,0}', i, repeat('y', 200) FROM generate_series(1, 400) i;
SELECT count(*), sum(n), count(*) FILTER (WHERE s LIKE 'y%') AS y FROM t;
-- and what was read last is where the next writes come to
SELECT n FROM t WHERE id = 'b1';
ROLLBACK TO one;
INSERT INTO t SELECT 'c' || i, '{1,0}', 2 * i, repeat('z', 200) FROM generate_series(1, 400) i;
SELECT count(*), sum(n), count(*) FILTER (WHERE s LIKE 'z%') AS z, count(*) FILTER (WHERE s LIKE 'y%') AS y FROM t;
-- nor sent
COMMIT;
SELECT count(*), sum(n), count(*) FILTER (WHERE s LIKE 'z%') AS z, count(*) FILTER (WHERE s LIKE 'y%') AS y FROM t;
-- What a released savepoint has written goes with the one around it
BEGIN;
SAVEPOINT one;
UPDATE t SET n = 0 WHERE id = 'a1';
SAVEPOINT two;
INSERT INTO t VALUES ('d', '{0,1}', 1, 'd');
DELETE FROM t WHERE id = 'a2';
RELEASE two;
SELECT count(*), sum(n) FROM t WHERE id IN ('a1', 'a2', 'd');
ROLLBACK TO one;
SELECT count(*), sum(n) FROM t WHERE id IN ('a1', 'a2', 'd');
SAVEPOINT three;
SAVEPOINT four;
INSERT INTO t VALUES ('e', '{0,1}', 1, 'e');
RELEASE four;
RELEASE three;
ROLLBACK TO one;
COMMIT;
SELECT count(*), sum(n) FROM t WHERE id IN ('a1', 'a2', 'd', 'e');
-- A cursor shows what there was when it was opened
BEGIN;
UPDATE t SET n = 100 WHERE id = 'a1';
DECLARE c CURSOR FOR SELECT id, n FROM t WHERE id IN ('a1', 'a2', 'f') ORDER BY id;
INSERT INTO t VALUES ('f', '{0,1}', 1, 'f');
UPDATE t SET n = 200 WHERE id = 'a1';
DELETE FROM t WHERE id = 'a2';
FETCH ALL FROM c;
SELECT id, n FROM t WHERE id IN ('a1', 'a2', 'f') ORDER BY id;
ROLLBACK;
SELECT id, n FROM t WHERE id IN ('a1', 'a2', 'f') ORDER BY id;
-- Of what is taken back nothing is seen when there is more to see after it: TRUNCATE, a condition, the second write of a record
EXPLAIN (COSTS OFF) DELETE FROM t WHERE n > 200;
BEGIN;
UPDATE t SET n = 1000 WHERE id = 'a1';
SAVEPOINT one;
TRUNCATE t;
SELECT count(*) FROM t;
ROLLBACK TO one;
INSERT INTO t VALUES ('g', '{0,1}', 1, 'g');
SELECT count(*), sum(n) FROM t;
SAVEPOINT two;
DELETE FROM t WHERE n > 200;
SELECT count(*) FROM t;
ROLLBACK TO two;
INSERT INTO t VALUES ('h', '{0,1}', 1, 'h');
SELECT count(*), sum(n) FROM t;
SAVEPOINT three;
UPDATE t SET n = 2000 WHERE id = 'a1';
SELECT n FROM t WHERE id = 'a1';
ROLLBACK TO three;
SELECT n FROM t WHERE id = 'a1';
INSERT INTO t VALUES ('i', '{0,1}', 1, 'i');
SELECT id, n FROM t WHERE id IN ('a1', 'g', 'h', 'i') ORDER BY id;
ROLLBACK;
SELECT count(*), sum(n) FROM t;
BEGIN;
SAVEPOINT one;
DELETE FROM t WHERE n > 200;
SELECT count(*), sum(n) FROM t;
ROLLBACK TO one;
INSERT INTO t VALUES ('j', '{0,1}', 1, 'j');
SELECT count(*), sum(n) FROM t;
ROLLBACK;
RESET pinecone_fdw.write_buffer;
\! test/regress/pinecone quiet
DROP SERVER pinecone CASCADE;
\! test/regress/pinecone drop savepoint
