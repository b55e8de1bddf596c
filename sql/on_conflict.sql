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

-- DO UPDATE that sets some of them: of records that are there the rest stays, the same as of a local table
CREATE FOREIGN TABLE m (id text COLLATE "C" NOT NULL, embedding real[], title text, year int, metadata jsonb) SERVER pinecone OPTIONS (namespace 'merged');
CREATE TABLE l (id text COLLATE "C" PRIMARY KEY, embedding real[], title text, year int, metadata jsonb);
CREATE FUNCTION both_do(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  there int; here int; difference text;
BEGIN
  EXECUTE format(statement, 'm');
  GET DIAGNOSTICS there = ROW_COUNT;
  EXECUTE format(statement, 'l');
  GET DIAGNOSTICS here = ROW_COUNT;
  SELECT string_agg(id, ' ') INTO difference FROM m FULL JOIN l USING (id)
  WHERE (m.embedding, m.title, m.year, m.metadata - 'title' - 'year') IS DISTINCT FROM (l.embedding, l.title, l.year, coalesce(l.metadata, '{}'));
  RETURN concat_ws(' ', there, 'rows;', here, 'rows;', 'different:', coalesce(difference, 'none'));
END $$;
SELECT both_do($$INSERT INTO %I VALUES ('a', '{1,0}', 'old a', 1, '{"lang": "en", "n": 1}'), ('b', '{0,1}', NULL, 2, '{"lang": "de"}')$$);
:sent
SELECT both_do($$INSERT INTO %I (id, embedding, title) VALUES ('a', '{1,1}', 'new a'), ('c', '{1,2}', 'new c') ON CONFLICT (id) DO UPDATE SET embedding = EXCLUDED.embedding, title = EXCLUDED.title$$);
:sent
SELECT both_do($$INSERT INTO %I (id, title, embedding, year) VALUES ('a', NULL, '{5,5}', 7), ('b', 'new b', '{6,6}', 8) ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title$$);
SELECT both_do($$INSERT INTO %I (id, embedding, year) VALUES ('a', '{7,7}', 9) ON CONFLICT (id) DO UPDATE SET id = EXCLUDED.id$$);
SELECT both_do($$INSERT INTO %I (id, embedding, title) SELECT 'n' || lpad(i::text, 3, '0'), ARRAY[i, 1], 'n' FROM generate_series(1, 250) i$$);
\! test/regress/pinecone quiet
SELECT both_do($$INSERT INTO %I (id, embedding, year) SELECT 'n' || lpad(i::text, 3, '0'), ARRAY[i, 2], i FROM generate_series(200, 449) i ON CONFLICT (id) DO UPDATE SET year = EXCLUDED.year$$);
\! test/regress/pinecone log 'vectors/(upsert|fetch)' | cut -d ' ' -f 1-2 | sort | uniq -c
INSERT INTO m (id, embedding, title) VALUES ('a', '{1,1}', 'shown'), ('x', '{1,2}', 'shown') ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title RETURNING *;
INSERT INTO m (id, embedding, metadata) VALUES ('x', '{6,6}', '{"lang": "fr"}') ON CONFLICT (id) DO UPDATE SET metadata = EXCLUDED.metadata, embedding = EXCLUDED.embedding RETURNING *;
-- a row without a vector will do where the record has one
INSERT INTO m (id, year) VALUES ('a', 77) ON CONFLICT (id) DO UPDATE SET year = EXCLUDED.year RETURNING id, embedding, year;
INSERT INTO m (id, year) VALUES ('y', 77) ON CONFLICT (id) DO UPDATE SET year = EXCLUDED.year;
INSERT INTO m (id, year) VALUES (NULL, 77) ON CONFLICT (id) DO UPDATE SET year = EXCLUDED.year;
INSERT INTO m (id, year) VALUES ('a', 1), ('a', 2) ON CONFLICT (id) DO UPDATE SET year = EXCLUDED.year;
EXPLAIN (COSTS OFF) INSERT INTO m (id, year) VALUES ('a', 1) ON CONFLICT (id) DO UPDATE SET year = EXCLUDED.year;
CREATE FUNCTION told_of_conflicts(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || statement LOOP
    IF line ~ 'Conflict|Tuples' THEN RETURN NEXT line; END IF;
  END LOOP;
END $$;
SELECT told_of_conflicts($$INSERT INTO m (id, embedding, year) VALUES ('a', '{1,1}', 76), ('n001', '{1,1}', 76), ('s', '{1,1}', 76) ON CONFLICT (id) DO UPDATE SET year = EXCLUDED.year$$);
SELECT told_of_conflicts($$INSERT INTO m (id, embedding, year) VALUES ('a', '{1,1}', 75), ('s', '{1,1}', 75), ('r', '{1,1}', 75) ON CONFLICT DO NOTHING$$);
PREPARE merge (text, int) AS INSERT INTO m (id, embedding, year) VALUES ($1, '{1,3}', $2) ON CONFLICT (id) DO UPDATE SET year = EXCLUDED.year;
EXECUTE merge('a', 78);
EXECUTE merge('z', 79);
SELECT * FROM m WHERE id IN ('a', 'z') ORDER BY id;
-- in a transaction that has written
BEGIN;
UPDATE m SET title = 'mine' WHERE id = 'a';
DELETE FROM m WHERE id = 'z';
INSERT INTO m (id, embedding, year) VALUES ('a', '{9,9}', 1), ('z', '{9,9}', 2), ('w', '{9,9}', 3) ON CONFLICT (id) DO UPDATE SET year = EXCLUDED.year;
INSERT INTO m (id, embedding, title) VALUES ('w', '{8,8}', 'again') ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title;
SELECT * FROM m WHERE id IN ('a', 'w', 'z') ORDER BY id;
ROLLBACK;
SELECT * FROM m WHERE id IN ('a', 'w', 'z') ORDER BY id;
-- at once, through a view, in WITH, with triggers, over several namespaces
ALTER FOREIGN TABLE m OPTIONS (ADD write_mode 'immediate');
INSERT INTO m (id, embedding, year) VALUES ('a', '{9,9}', 80), ('w', '{9,9}', 81) ON CONFLICT (id) DO UPDATE SET year = EXCLUDED.year;
CREATE VIEW mv AS SELECT title AS name, id, embedding FROM m WHERE year > 5 WITH CHECK OPTION;
INSERT INTO mv (id, embedding, name) VALUES ('a', '{1,1}', 'view') ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name;
DROP VIEW mv;
CREATE VIEW mv AS SELECT title AS name, id, embedding FROM m;
INSERT INTO mv (id, embedding, name) VALUES ('a', '{1,1}', 'view') ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name;
WITH i AS (INSERT INTO m (id, embedding, year) VALUES ('w', '{1,1}', 82) ON CONFLICT (id) DO UPDATE SET year = EXCLUDED.year RETURNING id, year) SELECT * FROM i;
SELECT * FROM m WHERE id IN ('a', 'w') ORDER BY id;
CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''% %'', NEW.id, NEW.title; RETURN NEW; END';
CREATE TRIGGER seen AFTER INSERT ON m FOR EACH ROW EXECUTE FUNCTION seen();
INSERT INTO m (id, embedding, year) VALUES ('a', '{1,1}', 83), ('v', '{1,1}', 83) ON CONFLICT (id) DO UPDATE SET year = EXCLUDED.year;
CREATE FOREIGN TABLE spaces (ns text OPTIONS (role 'namespace'), id text COLLATE "C", embedding real[], title text, year int) SERVER pinecone;
INSERT INTO spaces VALUES ('merged', 'a', '{1,1}', 'not me', 84), ('elsewhere', 'a', '{1,1}', 'me', 84) ON CONFLICT (ns, id) DO UPDATE SET year = EXCLUDED.year;
SELECT ns, id, title, year FROM spaces WHERE id = 'a' AND ns IN ('merged', 'elsewhere') ORDER BY ns;
-- stored in both: written once each, which shows where each write is sent at once
ALTER FOREIGN TABLE spaces OPTIONS (ADD write_mode 'immediate', ADD batch_size '1');
\! test/regress/pinecone quiet
INSERT INTO spaces VALUES ('merged', 'a', '{1,1}', 'neither', 85), ('elsewhere', 'a', '{1,1}', 'nor', 85), ('elsewhere', 'b', '{1,1}', 'new', 85) ON CONFLICT (ns, id) DO UPDATE SET year = EXCLUDED.year;
\! test/regress/pinecone sorted-log upsert
ALTER FOREIGN TABLE spaces OPTIONS (DROP write_mode, DROP batch_size);
SELECT ns, id, title, year FROM spaces WHERE id = 'a' AND ns IN ('merged', 'elsewhere') ORDER BY ns;
DELETE FROM spaces WHERE ns IN ('merged', 'elsewhere');
DROP VIEW mv;
DROP FOREIGN TABLE m, spaces;
DROP FUNCTION seen;
CREATE FOREIGN TABLE m (id text COLLATE "C", embedding real[], title text, longer text GENERATED ALWAYS AS (title || '!') STORED) SERVER pinecone OPTIONS (namespace 'merged');
INSERT INTO m (id, embedding, title) VALUES ('a', '{1,1}', 'x') ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title;
DROP FOREIGN TABLE m;
DROP TABLE l;
DROP FUNCTION both_do, told_of_conflicts;
\! test/regress/pinecone quiet

-- what is not an upsert is refused
INSERT INTO t (id, embedding, title) VALUES ('a', '{1,1}', 'x') ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title || '!';
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
-- one for UPDATE would not fire: DO UPDATE is refused, where the trigger is not disabled
CREATE TRIGGER changed BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION told();
INSERT INTO t (id, embedding, title) VALUES ('a', '{1,1}', 'x') ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title;
INSERT INTO t (id, embedding, title) VALUES ('a', '{1,1}', 'x') ON CONFLICT (id) DO NOTHING;
ALTER FOREIGN TABLE t DISABLE TRIGGER changed;
BEGIN;
INSERT INTO t (id, embedding, title) VALUES ('a', '{1,1}', 'x') ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title;
ROLLBACK;
DROP TRIGGER changed ON t;
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
