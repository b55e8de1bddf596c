-- Readers who may stop anywhere: cursors, LIMIT above a subquery, and a server in
-- front that asks what a query would cost (use_remote_estimate).
\set index read
\set dimension 2
\set metric euclidean
\i test/regress/setup.sql

CREATE TABLE local (id text COLLATE "C" PRIMARY KEY, embedding real[], n int);
INSERT INTO local SELECT lpad(i::text, 6, '0'), ARRAY[i, 0]::real[], i % 4 FROM generate_series(1, 1500) i;
SELECT jsonb_build_object('id', id, 'values', embedding, 'metadata', jsonb_build_object('n', n)) FROM local
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert read a
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int) SERVER pinecone OPTIONS (namespace 'a');
\! test/regress/pinecone quiet

-- a few rows of a cursor take a small request, and who goes on has larger ones
BEGIN;
DECLARE c CURSOR FOR SELECT id, n FROM t ORDER BY embedding <-> '{0,0}';
FETCH 3 FROM c;
\! test/regress/pinecone log query
MOVE 97 FROM c;
\! test/regress/pinecone log query
FETCH 2 FROM c;
\! test/regress/pinecone log query
MOVE 898 FROM c;
FETCH 2 FROM c;
MOVE ALL FROM c;
\! test/regress/pinecone log query
-- a part of the rows meets what is left to check
DECLARE d CURSOR FOR SELECT id FROM t WHERE n = 1 AND n::text = '1' ORDER BY embedding <-> '{0,0}';
FETCH 2 FROM d;
\! test/regress/pinecone log query
-- what is sorted here is read as a whole
DECLARE e CURSOR FOR SELECT id FROM t WHERE n = 1 ORDER BY (embedding <-> '{0,0}') * n DESC;
FETCH 2 FROM e;
COMMIT;
\! test/regress/pinecone quiet
SET cursor_tuple_fraction = 1;
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM t ORDER BY embedding <-> '{0,0}';
FETCH 1 FROM c;
COMMIT;
\! test/regress/pinecone log query
RESET cursor_tuple_fraction;
SET pinecone_fdw.enable_limit = off;
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM t ORDER BY embedding <-> '{0,0}';
FETCH 1 FROM c;
COMMIT;
\! test/regress/pinecone log query
RESET pinecone_fdw.enable_limit;
-- in a transaction that has written, and with all rows compared
CREATE FUNCTION by_cursor(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE c refcursor; r record;
BEGIN
  OPEN c FOR EXECUTE query;
  LOOP FETCH c INTO r; EXIT WHEN NOT FOUND; RETURN NEXT r.id; END LOOP;
END $$;
BEGIN;
INSERT INTO t VALUES ('new', '{0.5,0}', 9);
UPDATE t SET embedding = '{2000,0}' WHERE id = '000002';
DELETE FROM t WHERE id = '000003';
SELECT id FROM by_cursor($$SELECT id FROM t ORDER BY embedding <-> '{0,0}'$$) WITH ORDINALITY c(id, k) WHERE k <= 3 OR k = 1500;
SELECT count(*) FROM by_cursor($$SELECT id FROM t ORDER BY embedding <-> '{0,0}'$$);
ROLLBACK;
SELECT array_agg(id) = (SELECT array_agg(id ORDER BY id) FROM local) AS same FROM by_cursor($$SELECT id FROM t ORDER BY embedding <-> '{0,0}'$$) id;
\! test/regress/pinecone quiet

-- LIMIT above a subquery that stands for itself
SELECT id FROM (SELECT id FROM t ORDER BY embedding <-> '{0,0}' OFFSET 0) s LIMIT 2;
\! test/regress/pinecone log query
SELECT count(*) FROM (SELECT id FROM t ORDER BY embedding <-> '{0,0}' OFFSET 0) s;

-- a server in front sends the LIMIT, with a filter too, because all rows cost more than a few
CREATE EXTENSION IF NOT EXISTS postgres_fdw;
DO $$ BEGIN
  EXECUTE format('CREATE SERVER front FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host %L, port %L, dbname %L, extensions %L, use_remote_estimate %L)',
    split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'), current_database(), 'pinecone_fdw', 'true');
END $$;
CREATE USER MAPPING FOR CURRENT_USER SERVER front;
CREATE FOREIGN TABLE f (id text COLLATE "C", embedding real[], n int) SERVER front OPTIONS (table_name 't');
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM f WHERE n = 3 ORDER BY embedding <-> '{0,0}' LIMIT 3;
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM f ORDER BY embedding <-> '{0,0}' LIMIT 3;
\! test/regress/pinecone quiet
SELECT id FROM f WHERE n = 3 ORDER BY embedding <-> '{0,0}' LIMIT 3;
\! test/regress/pinecone log query
-- without a LIMIT it is a cursor
SELECT count(*) FROM (SELECT id FROM f WHERE embedding <-> '{0,0}' < 7.5) s;
SET client_min_messages = warning;
DROP EXTENSION postgres_fdw CASCADE;
DROP FUNCTION by_cursor(text);
DROP TABLE local;
