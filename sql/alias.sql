-- Aliases of namespaces: names that reads follow, that no listing has, and that cannot be written through.
\set index aliases
\set dimension 2
\set metric euclidean
\i test/regress/setup.sql

CREATE TABLE local (ns text COLLATE "C", id text COLLATE "C", embedding real[], n int);
INSERT INTO local SELECT k.ns, k.ns || lpad(i::text, 3, '0'), ARRAY[i, k.shift]::real[], i
FROM (VALUES ('v1', 0), ('v2', 1)) k(ns, shift), generate_series(1, 150) i WHERE i <= 150 - 100 * shift;
\pset format unaligned
\pset tuples_only on
SELECT jsonb_build_object('id', id, 'values', embedding, 'metadata', jsonb_build_object('n', n)) FROM local WHERE ns = 'v1'
\g |test/regress/pinecone upsert aliases v1
SELECT jsonb_build_object('id', id, 'values', embedding, 'metadata', jsonb_build_object('n', n)) FROM local WHERE ns = 'v2'
\g |test/regress/pinecone upsert aliases v2
\pset format aligned
\pset tuples_only off
SELECT '{"id": "d", "values": [9, 9], "metadata": {"n": 9}}' \g (format=unaligned tuples_only=on) |test/regress/pinecone upsert aliases ''
\! test/regress/pinecone alias aliases prod v1
\! test/regress/pinecone alias aliases plain __default__
CREATE FOREIGN TABLE prod (id text COLLATE "C", embedding real[], n int, score real) SERVER pinecone OPTIONS (namespace 'prod');
CREATE FOREIGN TABLE v1 (id text COLLATE "C", embedding real[], n int) SERVER pinecone OPTIONS (namespace 'v1');
CREATE FOREIGN TABLE every (ns text OPTIONS (role 'namespace') COLLATE "C", id text COLLATE "C", embedding real[], n int) SERVER pinecone;
CREATE FOREIGN TABLE several (ns text OPTIONS (role 'namespace') COLLATE "C", id text COLLATE "C", embedding real[], n int) SERVER pinecone
OPTIONS (namespaces 'prod,v2,plain');
\! test/regress/pinecone quiet

-- every way of reading follows it
SELECT count(embedding), min(id), max(id), sum(n) FROM prod;
SELECT id, n FROM prod WHERE id IN ('v1003', 'v2003');
SELECT id FROM prod WHERE id LIKE 'v101%' ORDER BY id LIMIT 3;
SELECT id FROM prod ORDER BY embedding <-> '{7.2,0}' LIMIT 3;
SELECT id FROM prod WHERE n > 100 ORDER BY embedding <-> '{7.2,0}' LIMIT 3;
SELECT count(n) FROM prod WHERE n > 100;
SELECT id FROM prod WHERE n = 77;
-- what it stands for was asked once
\! test/regress/pinecone log namespace-aliases

-- counts: of what is behind it, from the listing that has that
SELECT count(*) FROM prod;
\! test/regress/pinecone log
SELECT count(*) FROM prod WHERE n > 100;
\! test/regress/pinecone log
SELECT count(*) FROM prod WHERE id LIKE 'v10%';
SELECT count(*) FROM several;
SELECT ns, count(*) FROM several GROUP BY ns ORDER BY ns;
SELECT ns, count(*) FROM several WHERE n < 100 GROUP BY ns ORDER BY ns;
SELECT count(*) FROM every WHERE ns = 'prod';
SELECT ns, count(*) FROM every WHERE ns IN ('prod', 'v2', 'nothing') GROUP BY ns ORDER BY ns;
-- without one that is named it is not among all there are
SELECT ns, count(*) FROM every GROUP BY ns ORDER BY ns;
SELECT ns, count(*) FROM every WHERE ns LIKE 'p%' GROUP BY ns;

-- named by conditions and options; rows keep the name that was asked for
SELECT ns, id FROM every WHERE ns IN ('prod', 'v2', 'plain') ORDER BY embedding <-> '{7.2,0.4}' LIMIT 4;
SELECT ns, id, n FROM several WHERE ns IN ('prod', 'plain') AND n = 9 ORDER BY ns;
SELECT ns, count(embedding) FROM several GROUP BY ns ORDER BY ns;
PREPARE named(text) AS SELECT ns, id FROM every WHERE ns = $1 ORDER BY embedding <-> '{7.2,0}' LIMIT 1;
EXECUTE named('prod');
EXECUTE named('plain');

-- joins, with and without read-ahead
SELECT l.n, p.id FROM local l JOIN prod p ON p.id = l.id WHERE l.n IN (3, 5) AND l.ns = 'v1' ORDER BY 1;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT count(*), count(p.n) FROM local l LEFT JOIN prod p ON p.id = l.id WHERE l.n <= 50;
SELECT l.id, s.id FROM local l, LATERAL (SELECT id FROM prod ORDER BY embedding <-> l.embedding LIMIT 1) s WHERE l.n IN (3, 50) ORDER BY 1;
SET pinecone_fdw.enable_read_ahead = off;
SELECT count(*), count(p.n) FROM local l LEFT JOIN prod p ON p.id = l.id WHERE l.n <= 50;
RESET pinecone_fdw.enable_read_ahead;
RESET enable_hashjoin;
RESET enable_mergejoin;

-- planning knows its size once it has been read, and EXPLAIN what it stands for
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM prod WHERE n = 3
\g (format=unaligned tuples_only=on) |test/regress/plan
SELECT (SELECT count(*) FROM prod) > 0 AS read;
CREATE FUNCTION estimate(query text) RETURNS int LANGUAGE plpgsql AS
$$ DECLARE plan json; BEGIN EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan; RETURN plan #>> '{0,Plan,Plan Rows}'; END $$;
SELECT estimate('SELECT * FROM prod'), estimate('SELECT * FROM v1');
SELECT estimate($$SELECT * FROM every WHERE ns = 'prod'$$), estimate('SELECT * FROM every');
ANALYZE prod;
SELECT reltuples FROM pg_class WHERE relname = 'prod';
ANALYZE several;
SELECT reltuples FROM pg_class WHERE relname = 'several';

-- nothing is written through it, and nothing else is sent before that is said
\! test/regress/pinecone quiet
INSERT INTO prod (id, embedding) VALUES ('x', '{1,2}');
UPDATE prod SET n = 1 WHERE id = 'v1001';
UPDATE prod SET n = 1 WHERE n > 140;
DELETE FROM prod WHERE n > 140;
DELETE FROM prod WHERE id = 'v1001';
TRUNCATE prod;
TRUNCATE several;
COPY prod (id, embedding) FROM stdin;
x	{1,2}
\.
INSERT INTO every VALUES ('v2', 'x', '{1,2}', 1), ('prod', 'y', '{1,2}', 2);
UPDATE every SET ns = 'prod' WHERE ns = 'v2' AND id = 'v2001';
UPDATE every SET n = 0 WHERE ns IN ('prod', 'v2') AND n > 40;
DELETE FROM several WHERE n < 10;
BEGIN;
INSERT INTO v1 (id, embedding) VALUES ('sent?', '{1,2}');
INSERT INTO prod (id, embedding) VALUES ('x', '{1,2}');
COMMIT;
ALTER FOREIGN TABLE prod OPTIONS (ADD write_mode 'immediate');
INSERT INTO prod (id, embedding) VALUES ('x', '{1,2}');
DELETE FROM prod WHERE n > 140;
ALTER FOREIGN TABLE prod OPTIONS (DROP write_mode);
\! test/regress/pinecone log 'upsert|delete|vectors/update'
SELECT count(*) FROM v1;
EXPLAIN (COSTS OFF) DELETE FROM prod WHERE n > 140;

-- what this transaction has written is seen under both names
BEGIN;
INSERT INTO v1 VALUES ('v1000', '{0.5,0}', 0);
DELETE FROM v1 WHERE id = 'v1150';
SELECT count(*) FROM prod;
SELECT count(*) FROM prod WHERE n < 3;
SELECT id FROM prod ORDER BY embedding <-> '{0,0}' LIMIT 2;
SELECT id FROM prod WHERE id IN ('v1000', 'v1150');
SELECT count(*) FROM every WHERE ns = 'prod';
ROLLBACK;
SELECT count(*) FROM prod;

-- pointed elsewhere: a statement that has begun ends, the next reads the new one
BEGIN;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
DECLARE l CURSOR FOR SELECT l.n, p.id FROM local l JOIN prod p ON p.id = 'v1' || lpad(l.n::text, 3, '0') WHERE l.ns = 'v1';
FETCH 1 FROM l;
\! test/regress/pinecone alias aliases prod v2
MOVE 149 FROM l;
ROLLBACK;
SELECT count(embedding), min(id) FROM prod;
SELECT count(*) FROM prod;
SELECT count(*) FROM prod WHERE n > 40;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM prod WHERE n = 3
\g (format=unaligned tuples_only=on) |test/regress/plan

-- IMPORT offers them when asked to; how records are looked at hangs on limits
\set VERBOSITY terse
CREATE SCHEMA remote;
IMPORT FOREIGN SCHEMA pinecone FROM SERVER pinecone INTO remote OPTIONS (vector_type 'real[]');
SELECT relname, ftoptions FROM pg_foreign_table JOIN pg_class c ON c.oid = ftrelid WHERE relnamespace = 'remote'::regnamespace ORDER BY 1;
IMPORT FOREIGN SCHEMA pinecone LIMIT TO (plain, prod) FROM SERVER pinecone INTO remote OPTIONS (vector_type 'real[]', aliases 'true');
SELECT relname, ftoptions FROM pg_foreign_table JOIN pg_class c ON c.oid = ftrelid WHERE relnamespace = 'remote'::regnamespace ORDER BY 1;
\set VERBOSITY default
SELECT count(embedding), sum(n) FROM remote.prod;
INSERT INTO remote.prod (id, embedding) VALUES ('x', '{1,2}');
IMPORT FOREIGN SCHEMA pinecone FROM SERVER pinecone INTO remote OPTIONS (aliases 'perhaps');
-- the default namespace's table is called as one likes
IMPORT FOREIGN SCHEMA pinecone EXCEPT (v1, v2) FROM SERVER pinecone INTO remote OPTIONS (vector_type 'real[]', default_table 'home');
SELECT relname, ftoptions FROM pg_foreign_table JOIN pg_class c ON c.oid = ftrelid WHERE relname = 'home';

SET client_min_messages = warning;
DROP SCHEMA remote CASCADE;
DROP TABLE local;
DROP FUNCTION estimate;
\! test/regress/pinecone drop aliases
