-- RETURNING of what is stored: vectors and texts of every size, side by side
\set index returning
\set dimension 3072
\set metric cosine
\i test/regress/setup.sql

CREATE FOREIGN TABLE wide (id text COLLATE "C", embedding real[], body text, year int) SERVER pinecone OPTIONS (namespace 'kb');
CREATE FUNCTION wave(n int, shift float8) RETURNS real[] LANGUAGE sql IMMUTABLE AS
  'SELECT array_agg(sin(i + shift)::real ORDER BY i) FROM generate_series(1, n) i';
-- what INSERT returns is what was given, and what is read
CREATE TABLE returned (id text, embedding real[], body text);
WITH i AS (INSERT INTO wide SELECT 'w' || i, wave(3072, i), repeat(chr(64 + i), 39000), i FROM generate_series(1, 5) i RETURNING id, embedding, body)
INSERT INTO returned SELECT * FROM i;
SELECT id, embedding = wave(3072, substr(id, 2)::float8) AS vector, body = repeat(chr(64 + substr(id, 2)::int), 39000) AS body FROM returned ORDER BY id;
SELECT count(*) FROM wide JOIN returned USING (id, embedding, body);
INSERT INTO wide VALUES ('x', wave(3072, 9), repeat('x', 30000)) RETURNING embedding = wave(3072, 9) AS vector, length(body), year;
-- likewise what UPDATE and DELETE return, triggers see, and COPY stores
UPDATE wide SET body = repeat('u', 38000), embedding = wave(3072, 20) WHERE id = 'w1' RETURNING embedding = wave(3072, 20) AS vector, length(body), year;
UPDATE wide SET year = 7 WHERE id = 'w2' RETURNING embedding = wave(3072, 2) AS vector, body = repeat('B', 39000) AS body;
DELETE FROM wide WHERE id = 'w3' RETURNING embedding = wave(3072, 3) AS vector, body = repeat('C', 39000) AS body;
CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE NOTICE '% %: %, %', TG_WHEN, NEW.id, NEW.embedding = wave(3072, NEW.year), length(NEW.body); RETURN NEW; END $$;
CREATE TRIGGER before BEFORE INSERT ON wide FOR EACH ROW EXECUTE FUNCTION look();
CREATE TRIGGER after AFTER INSERT ON wide FOR EACH ROW EXECUTE FUNCTION look();
INSERT INTO wide SELECT 't' || i, wave(3072, i), repeat('t', 35000 + i), i FROM generate_series(1, 3) i RETURNING id, embedding = wave(3072, year) AS vector, length(body);
DROP TRIGGER before ON wide;
DROP TRIGGER after ON wide;
-- from 25 dimensions on
\set dimension 25
\i test/regress/setup.sql
CREATE FOREIGN TABLE small (id text, embedding real[], body text) SERVER pinecone;
WITH i AS (INSERT INTO small SELECT i::text, wave(25, i), repeat('s', 300) FROM generate_series(1, 50) i RETURNING *)
SELECT count(*), bool_and(embedding = wave(25, id::float8)) AS vectors, min(length(body)) FROM i;
DROP TABLE returned;
DROP FUNCTION look, wave;
\! test/regress/pinecone drop returning
