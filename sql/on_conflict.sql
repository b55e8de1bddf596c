-- INSERT ... ON CONFLICT: over the id, and what an upsert can honestly be
\set index conflict
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
\set sent '\\! test/regress/pinecone log "vectors/(upsert|fetch|delete|update)"'

CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], title text, year int, score float8) SERVER pinecone OPTIONS (namespace 'kb');
INSERT INTO t VALUES ('a', '{1,0}', 'old a', 1), ('b', '{0,1}', 'old b', 2);
\! test/regress/pinecone quiet

-- DO UPDATE that sets every column to what was to be inserted
INSERT INTO t (id, embedding, title, year) VALUES ('a', '{1,1}', 'new a', 11), ('c', '{1,2}', 'new c', 3)
ON CONFLICT (id) DO UPDATE SET embedding = EXCLUDED.embedding, title = EXCLUDED.title, year = EXCLUDED.year;
:sent
INSERT INTO t (id, embedding, title, year) VALUES ('b', '{1,1}', 'newer b', 22)
ON CONFLICT (id) DO UPDATE SET (id, title, year, embedding) = ROW(EXCLUDED.id, EXCLUDED.title, EXCLUDED.year, EXCLUDED.embedding) RETURNING id, title;
EXPLAIN (COSTS OFF) INSERT INTO t (id, embedding) VALUES ('a', '{1,1}')
ON CONFLICT (id) DO UPDATE SET embedding = EXCLUDED.embedding, title = EXCLUDED.title, year = EXCLUDED.year;
PREPARE up AS INSERT INTO t (id, embedding, title, year) VALUES ($1, $2, $3, 4)
ON CONFLICT (id) DO UPDATE SET embedding = EXCLUDED.embedding, title = EXCLUDED.title, year = EXCLUDED.year;
EXECUTE up('d', '{2,1}', 'prepared');
WITH i AS (INSERT INTO t (id, embedding, title) VALUES ('e', '{1,1}', 'in WITH')
ON CONFLICT (id) DO UPDATE SET embedding = EXCLUDED.embedding, title = EXCLUDED.title, year = EXCLUDED.year RETURNING id)
SELECT * FROM i;
CREATE VIEW v AS SELECT title AS name, id, embedding, year FROM t;
INSERT INTO v (id, embedding, name) VALUES ('f', '{1,1}', 'view')
ON CONFLICT (id) DO UPDATE SET embedding = EXCLUDED.embedding, name = EXCLUDED.name, year = EXCLUDED.year;
SELECT id, title, year FROM t ORDER BY id;
\! test/regress/pinecone quiet

-- what is not an upsert is refused
INSERT INTO t (id, embedding, title) VALUES ('a', '{1,1}', 'x') ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title;
INSERT INTO t (id, embedding) VALUES ('a', '{1,1}') ON CONFLICT (id) DO UPDATE SET embedding = EXCLUDED.embedding, title = t.title, year = EXCLUDED.year;
INSERT INTO t (id, embedding) VALUES ('a', '{1,1}') ON CONFLICT (id) DO UPDATE SET embedding = EXCLUDED.embedding, title = EXCLUDED.title, year = EXCLUDED.year WHERE t.year > 3;
INSERT INTO t (id, embedding) VALUES ('a', '{1,1}') ON CONFLICT (title) DO NOTHING;
INSERT INTO t (id, embedding) VALUES ('a', '{1,1}') ON CONFLICT (lower(id)) DO NOTHING;
ALTER FOREIGN TABLE t OPTIONS (ADD on_duplicate 'error');
INSERT INTO t (id, embedding) VALUES ('a', '{1,1}') ON CONFLICT (id) DO UPDATE SET embedding = EXCLUDED.embedding, title = EXCLUDED.title, year = EXCLUDED.year;
ALTER FOREIGN TABLE t OPTIONS (DROP on_duplicate);
:sent

-- DO NOTHING leaves what is there, and counts what it has written
INSERT INTO t (id, embedding, title) VALUES ('a', '{9,9}', 'not me'), ('g', '{1,1}', 'me'), ('g', '{1,1}', 'not me') ON CONFLICT (id) DO NOTHING;
:sent
INSERT INTO t (id, embedding, title) VALUES ('b', '{9,9}', 'not me') ON CONFLICT DO NOTHING;
INSERT INTO t (id, embedding, title) VALUES ('b', '{9,9}', 'not me'), ('h', '{1,1}', 'me') ON CONFLICT DO NOTHING RETURNING id, title;
SELECT id, title FROM t WHERE id IN ('a', 'b', 'g', 'h') ORDER BY id;
EXPLAIN (COSTS OFF) INSERT INTO t (id, embedding) VALUES ('a', '{1,1}') ON CONFLICT (id) DO NOTHING;
INSERT INTO t (id, embedding) SELECT 'n' || i, '{1,1}' FROM generate_series(1, 250) i;
\! test/regress/pinecone quiet
DO $$
DECLARE n int;
BEGIN
  INSERT INTO t (id, embedding, title) SELECT 'n' || i, '{1,1}', 'x' FROM generate_series(200, 449) i ON CONFLICT (id) DO NOTHING;
  GET DIAGNOSTICS n = ROW_COUNT;
  RAISE NOTICE '% inserted', n;
END $$;
\! test/regress/pinecone log 'vectors/(upsert|fetch)' | cut -d ' ' -f 1-2
SELECT count(*), count(title) FROM t WHERE id LIKE 'n%';
-- in a transaction that has written, and with triggers
BEGIN;
INSERT INTO t (id, embedding) VALUES ('mine', '{1,1}');
DELETE FROM t WHERE id = 'a';
INSERT INTO t (id, embedding, title) VALUES ('mine', '{1,1}', 'not me'), ('a', '{1,1}', 'me') ON CONFLICT (id) DO NOTHING;
SELECT id, title FROM t WHERE id IN ('mine', 'a') ORDER BY id;
ROLLBACK;
CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''%'', NEW.id; RETURN NEW; END';
CREATE TRIGGER told AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION told();
INSERT INTO t (id, embedding) VALUES ('a', '{1,1}'), ('t1', '{1,1}'), ('b', '{1,1}') ON CONFLICT (id) DO NOTHING;
DROP TRIGGER told ON t;
-- at once, over several namespaces, and through a partitioned table
ALTER FOREIGN TABLE t OPTIONS (ADD write_mode 'immediate');
INSERT INTO t (id, embedding) VALUES ('a', '{1,1}'), ('i1', '{1,1}'), ('i1', '{1,1}') ON CONFLICT (id) DO NOTHING;
CREATE FOREIGN TABLE every (ns text OPTIONS (role 'namespace'), id text COLLATE "C", embedding real[], title text) SERVER pinecone;
INSERT INTO every VALUES ('kb', 'a', '{1,1}', 'not me'), ('other', 'a', '{1,1}', 'me') ON CONFLICT (ns, id) DO NOTHING;
INSERT INTO every VALUES ('other', 'a', '{1,1}', 'me') ON CONFLICT (id) DO NOTHING;
SELECT ns, id, title FROM every WHERE id = 'a' ORDER BY ns;
CREATE TABLE parts (id text COLLATE "C", embedding real[], year int) PARTITION BY LIST (year);
CREATE FOREIGN TABLE part1 PARTITION OF parts FOR VALUES IN (1) SERVER pinecone OPTIONS (namespace 'p1');
INSERT INTO parts VALUES ('a', '{1,1}', 1);
INSERT INTO parts VALUES ('a', '{2,1}', 1), ('b', '{2,1}', 1) ON CONFLICT DO NOTHING;
SELECT id, embedding FROM parts ORDER BY id;
INSERT INTO part1 VALUES ('c', '{2,1}', 2) ON CONFLICT DO NOTHING;
SET client_min_messages = warning;
DROP TABLE parts;
DROP VIEW v;
DROP SERVER pinecone CASCADE;
DROP FUNCTION told;
\! test/regress/pinecone drop conflict
