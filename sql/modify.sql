-- INSERT, COPY, UPDATE, DELETE and TRUNCATE: what each sends, and returns.
\set index modify
\set dimension 3
\set metric cosine
\i test/regress/setup.sql

CREATE FOREIGN TABLE movie (id text COLLATE "C", embedding real[], title text, year int, score_avg float8, tags text[], added timestamptz, metadata jsonb)
SERVER pinecone OPTIONS (namespace 'kb');
CREATE VIEW shown AS SELECT id, embedding, title, year, metadata FROM movie;
\set sent '\\! test/regress/pinecone sorted-log "vectors/(upsert|update|delete)"'
\set quiet '\\! test/regress/pinecone quiet'

-- a namespace that does not exist is empty
SELECT count(*) FROM movie;
UPDATE movie SET year = 1;
DELETE FROM movie WHERE id = 'nobody';
DELETE FROM movie WHERE year = 1;
TRUNCATE movie;
SELECT count(*) FROM movie;
:sent

-- INSERT: a row, several, the same id twice (the last one stays), DEFAULT, RETURNING
INSERT INTO movie (id, embedding, title, year) VALUES ('m1', '{1,2,3}', 'Alien', 1979);
:sent
WITH i AS (INSERT INTO movie (id, embedding, title, year, tags) VALUES ('m2', '{1,0,0}', 'Brazil', 1985, '{dark,odd}'), ('m3', '{0,1,0}', 'Cube', 1997, NULL),
  ('m2', '{0,0,1}', 'Brazil (1985)', DEFAULT, '{}') RETURNING id, title, year, tags, metadata)
SELECT * FROM i ORDER BY id, title;
:sent
INSERT INTO movie (id, embedding, metadata, title) VALUES ('m4', '{1,1,1}', '{"title": "overruled", "country": "FR", "pages": 1.50, "none": null}', 'Diva') RETURNING title, metadata;
INSERT INTO movie VALUES ('m5', '{1,1,2}', 'Elle', 2016, 0.1, NULL, '2024-01-31 12:00:00.5+02') RETURNING *;
:sent
SELECT * FROM shown ORDER BY id;

-- an INSERT replaces the whole record
INSERT INTO movie (id, embedding, year) VALUES ('m5', '{3,1,2}', 2017);
SELECT * FROM shown WHERE id = 'm5';

-- COPY
COPY movie (id, embedding, title) FROM stdin;
c1	{1,2,3}	Copied
c2	{3,2,1}	\N
\.
COPY movie (id, title, embedding) FROM stdin WITH (FORMAT csv);
c3,"Copied, too","{1,1,9}"
\.
:quiet
SELECT id, title FROM movie WHERE id LIKE 'c%' ORDER BY id;
COPY (SELECT id, embedding, title FROM movie WHERE id LIKE 'c%' ORDER BY id) TO stdout;

-- batches by number
ALTER FOREIGN TABLE movie OPTIONS (ADD batch_size '40');
INSERT INTO movie (id, embedding) SELECT 'b' || i, ARRAY[i, 1, 1] FROM generate_series(1, 100) i;
\! test/regress/pinecone log 'vectors/upsert' | cut -d ' ' -f 1-2 | sort | uniq -c
ALTER FOREIGN TABLE movie OPTIONS (DROP batch_size);

-- UPDATE of fields: only these are sent
:quiet
UPDATE movie SET title = 'Alien!', year = year + 1 WHERE id = 'm1' RETURNING id, title, year, embedding, metadata;
:sent
-- a field that goes away, vectors, all metadata, the id: the record is replaced
UPDATE movie SET tags = NULL, title = 'B' WHERE id = 'm2' RETURNING id, title, tags, metadata;
:sent
UPDATE movie SET embedding = '{9,8,7}', year = 2000 WHERE id IN ('m1', 'm3');
:sent
UPDATE movie SET metadata = metadata || '{"country": "US"}' WHERE id = 'm4' RETURNING metadata, title;
UPDATE movie SET metadata = '{"x": 1}', year = 3 WHERE id = 'm4' RETURNING metadata, title, year;
UPDATE movie SET metadata = NULL WHERE id = 'm5' RETURNING metadata, year;
:sent
UPDATE movie SET id = 'm44' WHERE id = 'm4' RETURNING id, metadata;
:sent
SELECT * FROM shown WHERE id LIKE 'm%' ORDER BY id;
-- ids change all at once
UPDATE movie SET id = CASE id WHEN 'c1' THEN 'c2' WHEN 'c2' THEN 'c3' ELSE 'c1' END WHERE id IN ('c1', 'c2', 'c3');
:sent
SELECT id, title FROM movie WHERE id LIKE 'c%' ORDER BY id;
UPDATE movie SET id = 'same' WHERE id IN ('c1', 'c2');
UPDATE movie SET id = id WHERE id = 'c1';
:sent

-- by an exact filter, constants: one request; the count is asked for before
INSERT INTO movie (id, embedding, title, year) SELECT 'f' || i, ARRAY[i, 1, 1], 't' || i % 3, 1980 + i FROM generate_series(1, 9) i;
:quiet
\set ECHO queries
DO $$
DECLARE n bigint;
BEGIN
  UPDATE movie SET title = 'old', score_avg = 0.5 WHERE year BETWEEN 1981 AND 1984;
  GET DIAGNOSTICS n = ROW_COUNT;
  RAISE NOTICE '% updated', n;
END $$;
\! test/regress/pinecone log
SELECT id, title, score_avg FROM movie WHERE title = 'old' ORDER BY id;
DO $$
DECLARE n bigint;
BEGIN
  DELETE FROM movie WHERE title = 'old' AND year < 1983;
  GET DIAGNOSTICS n = ROW_COUNT;
  RAISE NOTICE '% deleted', n;
  DELETE FROM movie WHERE title = 'never';
  GET DIAGNOSTICS n = ROW_COUNT;
  RAISE NOTICE '% deleted', n;
END $$;
\set ECHO all
:sent
-- values that are known when it runs only; NULL among them, record by record
PREPARE rename(text, int) AS UPDATE movie SET title = $1 WHERE year = $2;
EXECUTE rename('prepared', 1985);
:sent
EXECUTE rename(NULL, 1985);
:sent
SELECT id, title, metadata FROM movie WHERE year = 1985;
-- not at once: RETURNING, a value that depends on the row, a condition checked here
UPDATE movie SET title = 'r' WHERE year = 1986 RETURNING id, title;
:sent
UPDATE movie SET title = id WHERE year = 1986;
:sent
UPDATE movie SET title = 's' WHERE year > 1985 AND length(title) = 2;
:sent
-- SET (a, b) = (SELECT ...), which depends on the row or not
BEGIN;
:quiet
UPDATE movie SET (title, year) = (SELECT v.t, v.y FROM (VALUES ('f5', 'five', 1), ('f6', 'six', 2)) v (id, t, y) WHERE v.id = movie.id) WHERE year BETWEEN 1985 AND 1987;
UPDATE movie SET (title, year) = (SELECT max(v), 3 FROM (VALUES ('x'), ('y')) v (v)) WHERE year = 1988;
SELECT id, title, year FROM movie WHERE id IN ('f5', 'f6', 'f7', 'f8') ORDER BY id;
ROLLBACK;
SET pinecone_fdw.enable_direct_modify = off;
DELETE FROM movie WHERE year = 1988;
:sent
RESET pinecone_fdw.enable_direct_modify;
ALTER FOREIGN TABLE movie OPTIONS (ADD delete_by_filter 'false');
DELETE FROM movie WHERE year = 1989;
:sent
ALTER FOREIGN TABLE movie OPTIONS (DROP delete_by_filter);
-- a subquery, a join with several rows for one record
CREATE TABLE local (id text, title text);
INSERT INTO local VALUES ('f3', 'L'), ('f3', 'L'), ('f4', 'L'), ('gone', 'L');
WITH u AS (UPDATE movie m SET title = l.title FROM local l WHERE m.id = l.id RETURNING m.id, m.title, l.id AS lid)
SELECT * FROM u ORDER BY id;
:sent
WITH d AS (DELETE FROM movie m USING local l WHERE m.id = l.id RETURNING m.id, m.title)
SELECT * FROM d ORDER BY id;
:sent
DELETE FROM movie WHERE id IN (SELECT 'f' || i FROM generate_series(5, 6) i);
:sent
DELETE FROM movie WHERE id LIKE 'f%' RETURNING id, title;

-- ids are deleted in batches
DELETE FROM movie WHERE id LIKE 'b%';
\! test/regress/pinecone log 'vectors/delete' | cut -c 1-60
SELECT count(*) FROM movie;

-- TRUNCATE, of several tables
CREATE FOREIGN TABLE other (id text, embedding real[]) SERVER pinecone OPTIONS (namespace 'other');
CREATE FOREIGN TABLE kept (id text, embedding real[]) SERVER pinecone OPTIONS (namespace 'kept', truncatable 'false');
CREATE FOREIGN TABLE fixed (id text, embedding real[]) SERVER pinecone OPTIONS (namespace 'kept', updatable 'false');
CREATE FOREIGN TABLE anonymous (embedding real[]) SERVER pinecone OPTIONS (namespace 'kept');
INSERT INTO other VALUES ('o', '{1,1,1}');
INSERT INTO kept VALUES ('k', '{1,1,1}');
:quiet
TRUNCATE movie, kept, other;
TRUNCATE fixed;
INSERT INTO fixed VALUES ('k', '{1,1,1}');
UPDATE fixed SET embedding = '{1,1,2}';
DELETE FROM fixed;
INSERT INTO anonymous VALUES ('{1,1,1}');
DELETE FROM anonymous;
BEGIN;
TRUNCATE movie, other;
SELECT (SELECT count(*) FROM movie), (SELECT count(*) FROM other);
ROLLBACK;
:sent
TRUNCATE movie, other;
:sent
SELECT (SELECT count(*) FROM movie), (SELECT count(*) FROM other), (SELECT count(*) FROM kept);

-- nothing is sent before the commit; reads in between see it
BEGIN;
INSERT INTO movie (id, embedding, title, year) VALUES ('t1', '{1,2,3}', 'one', 1), ('t2', '{3,2,1}', 'two', 2);
UPDATE movie SET title = 'one!' WHERE id = 't1';
SAVEPOINT s;
DELETE FROM movie WHERE year = 2;
SELECT id, title FROM movie ORDER BY id;
ROLLBACK TO s;
UPDATE movie SET year = year + 10;
SELECT id, title, year FROM movie WHERE year > 10 ORDER BY embedding <=> '{3,2,0}';
:sent
COMMIT;
:sent
SELECT id, title, year FROM movie ORDER BY id;
BEGIN;
DELETE FROM movie WHERE id = 't1';
DO $$
BEGIN
  INSERT INTO movie (id, embedding) VALUES ('t3', '{1,2,3}');
  INSERT INTO movie (id, embedding) VALUES ('t4', '{1,2}');
EXCEPTION WHEN OTHERS THEN
  RAISE NOTICE '%', SQLERRM;
END $$;
INSERT INTO movie (id, embedding) VALUES ('t1', '{7,7,7}');
COMMIT;
:sent
SELECT * FROM shown ORDER BY id;
-- an open cursor goes on with what was there; so does a statement
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM movie ORDER BY id;
INSERT INTO movie (id, embedding) VALUES ('t0', '{1,2,3}'), ('t9', '{1,2,3}');
FETCH ALL FROM c;
WITH d AS (DELETE FROM movie RETURNING id) SELECT (SELECT count(*) FROM d), (SELECT count(*) FROM movie);
INSERT INTO movie (id, embedding) SELECT id || 'x', embedding FROM movie;
SELECT count(*) FROM movie;
ROLLBACK;
BEGIN;
INSERT INTO movie (id, embedding) VALUES ('p', '{1,2,3}');
PREPARE TRANSACTION 'p';
:sent

-- at once
ALTER FOREIGN TABLE movie OPTIONS (ADD write_mode 'immediate');
BEGIN;
INSERT INTO movie (id, embedding, title) SELECT 'i' || i, ARRAY[i, 1, 1], 'i' FROM generate_series(1, 3) i;
ROLLBACK;
SELECT id FROM movie ORDER BY id;
-- a statement that reads where it writes comes to an end
INSERT INTO movie (id, embedding, title) SELECT id || 'x', embedding, title FROM movie;
UPDATE movie SET id = id || 'y' WHERE id LIKE 'i%x';
SELECT id FROM movie ORDER BY id;
UPDATE movie SET title = 'I' WHERE title = 'i';
DELETE FROM movie WHERE title = 'I';
SELECT * FROM shown ORDER BY id;
ALTER FOREIGN TABLE movie OPTIONS (DROP write_mode);
-- what is sent at once does not overtake what waits for the commit
CREATE FOREIGN TABLE movie_at_once (id text COLLATE "C", embedding real[], year int) SERVER pinecone OPTIONS (namespace 'kb', write_mode 'immediate');
BEGIN;
SAVEPOINT s;
INSERT INTO movie (id, embedding) VALUES ('late', '{1,2,3}');
INSERT INTO movie_at_once (id, embedding) VALUES ('late', '{3,2,1}');
ROLLBACK TO s;
INSERT INTO movie_at_once (id, embedding) VALUES ('late', '{3,2,1}');
INSERT INTO movie (id, embedding) VALUES ('late', '{1,2,3}');
SAVEPOINT s;
UPDATE movie_at_once SET year = 1 WHERE id = 'late';
ROLLBACK TO s;
TRUNCATE movie_at_once;
COMMIT;
DELETE FROM movie_at_once WHERE id = 'late' RETURNING id, embedding;
DROP FOREIGN TABLE movie_at_once;

-- on_duplicate, ON CONFLICT
ALTER FOREIGN TABLE movie OPTIONS (ADD on_duplicate 'error');
INSERT INTO movie (id, embedding) VALUES ('new', '{1,2,3}'), ('t1', '{1,2,3}');
INSERT INTO movie (id, embedding) VALUES ('new', '{1,2,3}'), ('new', '{1,2,3}');
BEGIN;
DELETE FROM movie WHERE id = 't1';
INSERT INTO movie (id, embedding) VALUES ('t1', '{1,2,3}') RETURNING id;
SAVEPOINT s;
INSERT INTO movie (id, embedding) VALUES ('t1', '{1,2,3}');
ROLLBACK TO s;
ROLLBACK;
COPY movie (id, embedding) FROM stdin;
t2	{1,2,3}
\.
ALTER FOREIGN TABLE movie OPTIONS (ADD write_mode 'immediate');
INSERT INTO movie (id, embedding) VALUES ('new', '{1,2,3}'), ('new', '{1,2,3}');
SELECT id FROM movie WHERE id = 'new';
ALTER FOREIGN TABLE movie OPTIONS (DROP write_mode);
ALTER FOREIGN TABLE movie OPTIONS (DROP on_duplicate);
INSERT INTO movie (id, embedding) VALUES ('t1', '{1,2,3}') ON CONFLICT DO NOTHING;
INSERT INTO movie (id, embedding) VALUES ('t1', '{1,2,3}') ON CONFLICT (id) DO UPDATE SET embedding = excluded.embedding;

-- generated columns
CREATE FOREIGN TABLE generated (id text, embedding real[], price int, tax numeric GENERATED ALWAYS AS (price * 0.2) STORED, kind text DEFAULT 'book')
SERVER pinecone OPTIONS (namespace 'generated');
INSERT INTO generated (id, embedding, price) VALUES ('g1', '{1,2,3}', 10), ('g2', '{1,2,4}', 20) RETURNING id, price, tax, kind;
:quiet
UPDATE generated SET price = price + 5 WHERE id = 'g1' RETURNING tax;
UPDATE generated SET price = 7 WHERE price = 20 RETURNING tax;
UPDATE generated SET price = 8 WHERE price = 7;
:sent
COPY generated (id, embedding, price, kind) FROM stdin;
g4	{1,1,1}	50	\N
\.
SELECT id, price, tax, kind FROM generated ORDER BY id;

-- triggers
CREATE FUNCTION before_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RETURN CASE WHEN OLD.id = 'keep' THEN NULL ELSE OLD END;
  END IF;
  IF NEW.id = 'skip' THEN
    RETURN NULL;
  END IF;
  NEW.title := upper(NEW.title);
  RETURN NEW;
END $$;
CREATE FUNCTION after_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE NOTICE '% % -> %', TG_OP, OLD, NEW;
  RETURN NULL;
END $$;
CREATE FOREIGN TABLE watched (id text, embedding real[], title text, n int, metadata jsonb) SERVER pinecone OPTIONS (namespace 'watched');
CREATE TRIGGER b BEFORE INSERT OR UPDATE OR DELETE ON watched FOR EACH ROW EXECUTE FUNCTION before_row();
CREATE TRIGGER a AFTER INSERT OR UPDATE OR DELETE ON watched FOR EACH ROW EXECUTE FUNCTION after_row();
:quiet
INSERT INTO watched VALUES ('a', '{1,2,3}', 'lower', 1), ('skip', '{1,2,3}', 'x', 2), ('keep', '{3,2,1}', 'kept', 3) RETURNING id, title;
:sent
UPDATE watched SET n = n + 1 WHERE id = 'a' RETURNING *;
UPDATE watched SET n = 9 WHERE n = 3;
UPDATE watched SET metadata = '{"title": "whole", "other": true}' WHERE id = 'a' RETURNING *;
:sent
SELECT * FROM watched ORDER BY id;
DELETE FROM watched;
SELECT id FROM watched;
DROP TRIGGER b ON watched;
COPY watched (id, embedding, n) FROM stdin;
copied	{1,2,3}	4
\.

-- partitions: rows are routed; a row cannot move into a foreign table that is updated
CREATE TABLE parted (id text, embedding real[], lang text) PARTITION BY LIST (lang);
CREATE FOREIGN TABLE parted_en PARTITION OF parted FOR VALUES IN ('en') SERVER pinecone OPTIONS (namespace 'en');
CREATE FOREIGN TABLE parted_fr PARTITION OF parted FOR VALUES IN ('fr') SERVER pinecone OPTIONS (namespace 'fr');
CREATE TABLE parted_rest PARTITION OF parted DEFAULT;
:quiet
INSERT INTO parted VALUES ('e1', '{1,2,3}', 'en'), ('f1', '{1,2,3}', 'fr'), ('d1', '{1,2,3}', 'de'), ('e2', '{3,2,1}', 'en') RETURNING id, lang;
:sent
COPY parted FROM stdin;
e3	{1,2,3}	en
f2	{1,2,3}	fr
\.
SELECT tableoid::regclass, id FROM parted ORDER BY id;
WITH u AS (UPDATE parted SET embedding = '{5,5,5}' WHERE id IN ('e1', 'f1', 'd1') RETURNING tableoid::regclass, id, embedding)
SELECT * FROM u ORDER BY id;
UPDATE parted SET lang = 'fr' WHERE id = 'd1';
SELECT tableoid::regclass, id FROM parted WHERE id = 'd1';
UPDATE parted SET lang = 'de' WHERE id = 'e3';
UPDATE parted_en SET lang = 'de' WHERE lang = 'en';
DELETE FROM parted WHERE lang = 'en' RETURNING id;
INSERT INTO parted VALUES ('e1', '{1,2,3}', 'en') ON CONFLICT DO NOTHING;
TRUNCATE parted;
SELECT count(*) FROM parted;

-- views
CREATE VIEW recent AS SELECT id, embedding, year FROM movie WHERE year >= 2000 WITH CHECK OPTION;
INSERT INTO recent VALUES ('v1', '{1,2,3}', 2001) RETURNING *;
INSERT INTO recent VALUES ('v2', '{1,2,3}', 1999);
UPDATE recent SET year = 2002 WHERE year = 2001;
UPDATE recent SET year = 1990;
SELECT * FROM recent;
DELETE FROM recent;
SELECT count(*) FROM recent;
CREATE VIEW tagged AS SELECT id, embedding, year, metadata FROM movie WHERE metadata ->> 'year' = '2000' WITH CHECK OPTION;
INSERT INTO tagged VALUES ('w1', '{1,2,3}', 2000, NULL);
UPDATE tagged SET year = 2001;
UPDATE tagged SET metadata = '{"year": 2000, "more": 1}' RETURNING *;
SET client_min_messages = warning;
DROP SERVER pinecone CASCADE;
DROP TABLE local, parted;
