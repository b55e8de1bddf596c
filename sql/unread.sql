-- Whole rows that PostgreSQL asks for, and nobody reads in full
\set index unread
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
\! printf '%s\n' '{"id": "a", "values": [1, 0], "metadata": {"n": 1, "bad": "x", "s": "one"}}' '{"id": "b", "values": [0, 1], "metadata": {"n": 2, "bad": 5, "s": "two"}}' '{"id": "c", "values": [1, 1], "metadata": {"n": 3, "bad": "y", "s": "three"}}' | test/regress/pinecone upsert unread ''
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int, bad int, s text) SERVER pinecone;
CREATE TABLE l AS SELECT 'abc'::text AS ids, i AS n, 0 AS m FROM generate_series(1, 3) i;
\! test/regress/pinecone quiet
-- DELETE ... RETURNING reads what it returns, and what conditions look at
BEGIN;
EXPLAIN (VERBOSE, COSTS OFF) DELETE FROM t WHERE id = 'a' RETURNING id;
DELETE FROM t WHERE id = 'a' RETURNING id;
DELETE FROM t WHERE n >= 2 RETURNING id, upper(s) AS s, ctid IS NULL AS nowhere, tableoid::regclass;
ROLLBACK;
DELETE FROM t WHERE id = 'a' RETURNING bad;
DELETE FROM t WHERE id = 'a' RETURNING *;
DELETE FROM t WHERE id = 'a' RETURNING t;
DELETE FROM t WHERE id = 'a' RETURNING s, (SELECT count(*) FROM l WHERE l.n = t.n);
INSERT INTO t VALUES ('a', '{1,0}', 1, 7, 'one');
DELETE FROM t USING l WHERE l.n = t.n AND id = 'c' RETURNING id, m;
INSERT INTO t VALUES ('c', '{1,1}', 3, NULL, 'three');
\! printf '%s\n' '{"id": "c", "values": [1, 1], "metadata": {"n": 3, "bad": "y", "s": "three"}}' | test/regress/pinecone upsert unread ''
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '%', OLD; RETURN OLD; END $$;
CREATE TRIGGER a AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION tell();
DELETE FROM t WHERE id = 'c' RETURNING id;
DROP TRIGGER a ON t;
-- Partitions
CREATE TABLE p (s text, id text, n int, bad int) PARTITION BY LIST (s);
CREATE FOREIGN TABLE p1 PARTITION OF p FOR VALUES IN ('one') SERVER pinecone;
CREATE TABLE p2 PARTITION OF p FOR VALUES IN ('three');
ALTER TABLE p DETACH PARTITION p1;
CREATE FOREIGN TABLE p3 (id text, bad int, n int, s text) SERVER pinecone;
ALTER TABLE p ATTACH PARTITION p3 FOR VALUES IN ('four');
INSERT INTO p VALUES ('three', 'x', 1, 1);
BEGIN;
DELETE FROM p WHERE n = 3 RETURNING id, n;
ROLLBACK;
-- A local table is modified, or locked, by what t holds
\! test/regress/pinecone quiet
EXPLAIN (VERBOSE, COSTS OFF) DELETE FROM l USING t WHERE t.id = 'c' AND l.n = t.n;
DELETE FROM l USING t WHERE t.id = 'c' AND l.n = t.n RETURNING l.n;
UPDATE l SET m = length(s) FROM t WHERE t.n = l.n AND t.id IN ('a', 'c') AND s LIKE '%e' RETURNING l.n, m, s;
SELECT l.n, t.id FROM l JOIN t USING (n) WHERE t.id IN ('a', 'c') ORDER BY s FOR UPDATE OF l;
SELECT id FROM t WHERE id = 'c' FOR UPDATE;
SELECT id FROM t ORDER BY embedding <=> '{1,1}' LIMIT 1 FOR SHARE;
SELECT t FROM t WHERE id = 'c' FOR UPDATE;
DELETE FROM l USING t WHERE l.n = t.bad;
SET client_min_messages = warning;
DROP TABLE l, p;
DROP SERVER pinecone CASCADE;
DROP FUNCTION tell;
\! test/regress/pinecone drop unread
