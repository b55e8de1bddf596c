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
RESET pinecone_fdw.write_buffer;
\! test/regress/pinecone quiet
DROP SERVER pinecone CASCADE;
\! test/regress/pinecone drop savepoint
