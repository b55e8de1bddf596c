-- PostgreSQL 18: OLD and NEW in RETURNING are what a local table's are, and virtual
-- generated columns; 19: ON CONFLICT DO SELECT is refused
SELECT current_setting('server_version_num')::int < 180000 AS before_18, current_setting('server_version_num')::int < 190000 AS before_19 \gset
\if :before_18
\quit
\endif
\set index returning
\set dimension 3
\set metric cosine
\i test/regress/setup.sql

CREATE FOREIGN TABLE f (id text COLLATE "C", embedding real[], genre text, year int) SERVER pinecone OPTIONS (namespace 'old');
CREATE TABLE l (id text COLLATE "C" PRIMARY KEY, embedding real[], genre text, year int);
INSERT INTO f SELECT 'd' || i, ARRAY[i, 1, 2], CASE WHEN i % 3 = 0 THEN NULL WHEN i % 2 = 0 THEN 'a' ELSE 'b' END, 2000 + i FROM generate_series(1, 9) i;
INSERT INTO l SELECT * FROM f;
CREATE VIEW f_view AS SELECT id, upper(genre) AS g, embedding, year, genre FROM f;
CREATE VIEW l_view AS SELECT id, upper(genre) AS g, embedding, year, genre FROM l;

-- what a statement returns, of both tables where they say the same
CREATE FUNCTION returned(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  ask text := format('WITH m AS (%s) SELECT string_agg(m::text, E''\n'' ORDER BY m::text COLLATE "C") FROM m', statement);
  foreign_rows text;
  local_rows text;
BEGIN
  EXECUTE replace(ask, '%T', 'l') INTO local_rows;
  EXECUTE replace(ask, '%T', 'f') INTO foreign_rows;
  RETURN CASE WHEN foreign_rows IS NOT DISTINCT FROM local_rows THEN foreign_rows ELSE format(E'foreign:\n%s\nlocal:\n%s', foreign_rows, local_rows) END;
END $$;

SELECT returned('UPDATE %T SET genre = ''q'' WHERE year = 2005 RETURNING old.genre, new.genre');
SELECT returned('UPDATE %T SET genre = ''q'' WHERE year > 2005 RETURNING WITH (OLD AS o, NEW AS n) o.id, o, n');
SELECT returned('UPDATE %T SET embedding = ''{3,3,3}'' WHERE id IN (''d1'', ''d2'') RETURNING old.embedding, new.embedding, embedding');
SELECT returned('UPDATE %T t SET year = v.y FROM (VALUES (''d1'', 1), (''d3'', 2)) v (k, y) WHERE t.id = v.k RETURNING old.year, new.year, v.k');
SELECT returned('DELETE FROM %T WHERE year = 2009 RETURNING old.id, new.id, old, new, id');
SELECT returned('DELETE FROM %T WHERE id = ''d8'' RETURNING old.*');
SELECT returned('INSERT INTO %T SELECT ''n'' || i, ''{1,2,3}'', ''n'', i FROM generate_series(1, 2) i RETURNING old.id, new.year');
SELECT returned('INSERT INTO %T SELECT ''n'' || i, ''{1,2,3}'', ''n'', i FROM generate_series(2, 3) i ON CONFLICT (id) DO NOTHING RETURNING old.id, new.id');
SELECT returned('INSERT INTO %T SELECT ''n'' || i, ''{1,2,3}'', ''x'', 10 * i FROM generate_series(2, 4) i ON CONFLICT (id) DO UPDATE SET year = EXCLUDED.year RETURNING id, new.year');
SELECT returned('UPDATE %T_view SET genre = ''k'' WHERE year < 20 RETURNING old.g, new.g, old.id');

-- with pending writes
BEGIN;
SELECT returned('UPDATE %T SET genre = ''p'' WHERE year < 2005 RETURNING old.genre, new.genre, id');
SELECT returned('UPDATE %T SET genre = genre || year WHERE year < 20 RETURNING old.genre, new.genre, id');
SELECT returned('DELETE FROM %T WHERE genre = ''p20'' RETURNING old.genre, id');
COMMIT;

-- what an upsert lays itself over is not seen
INSERT INTO f VALUES ('d1', '{1,2,3}', 'x', 1) ON CONFLICT (id) DO UPDATE SET year = EXCLUDED.year RETURNING old.year, new.year;
INSERT INTO f VALUES ('d1', '{1,2,3}', 'x', 1) ON CONFLICT (id) DO UPDATE SET embedding = EXCLUDED.embedding, genre = EXCLUDED.genre, year = EXCLUDED.year RETURNING (SELECT old.year + 1);
INSERT INTO f VALUES ('d1', '{1,2,3}', 'x', 1) ON CONFLICT (id) DO UPDATE SET embedding = EXCLUDED.embedding, genre = EXCLUDED.genre, year = EXCLUDED.year RETURNING WITH (OLD AS o) o IS NULL AS new;
INSERT INTO f_view (id, embedding, genre, year) VALUES ('d1', '{1,2,3}', 'x', 1) ON CONFLICT (id) DO UPDATE SET embedding = EXCLUDED.embedding, genre = EXCLUDED.genre, year = EXCLUDED.year RETURNING old.g;
SELECT returned('SELECT * FROM %T');

-- virtual generated columns are made when they are read, and never sent
CREATE FOREIGN TABLE v (id text COLLATE "C", embedding real[], genre text, year int, twice int GENERATED ALWAYS AS (year * 2) VIRTUAL, kind text GENERATED ALWAYS AS (genre) VIRTUAL)
SERVER pinecone OPTIONS (namespace 'old');
\! test/regress/pinecone quiet
INSERT INTO v (id, embedding, genre, year) VALUES ('v1', '{1,2,3}', 'v', 7) RETURNING id, twice, kind;
INSERT INTO v (id, embedding, genre, year) VALUES ('v1', '{1,2,3}', 'w', 8) ON CONFLICT (id) DO UPDATE SET year = EXCLUDED.year RETURNING id, twice, kind;
UPDATE v SET year = 9 WHERE id = 'v1' RETURNING old.twice, new.twice;
\! test/regress/pinecone log "vectors/(upsert|update)"
SELECT id, twice, kind FROM v WHERE twice = 18 AND kind = 'v';
EXPLAIN (VERBOSE, COSTS OFF) SELECT id, twice FROM v WHERE kind = 'v';
DELETE FROM v WHERE kind = 'v' AND twice = 18 RETURNING id, twice;
ANALYZE v;
SELECT (SELECT sum(twice) FROM v) = (SELECT sum(2 * year) FROM l) AS same;

-- the columns of a local table
CREATE FOREIGN TABLE copy (LIKE l) SERVER pinecone OPTIONS (namespace 'old');
SELECT count(*) FROM copy;
DROP FOREIGN TABLE copy, v;

-- of 19
\if :before_19
\else
INSERT INTO f VALUES ('d1', '{1,2,3}', 'x', 1) ON CONFLICT (id) DO SELECT RETURNING *;
SELECT id, lag(genre) IGNORE NULLS OVER (ORDER BY id) AS before FROM f ORDER BY id LIMIT 3;
\endif
DROP VIEW f_view, l_view;
DROP FOREIGN TABLE f;
DROP TABLE l;
DROP FUNCTION returned;
