-- ctid: records have no place, so it stands for the id; what is modified by it
-- is what the same SELECT returns.
\set index ctid
\set dimension 2
\set metric euclidean
\i test/regress/setup.sql

CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], year int, note text) SERVER pinecone OPTIONS (namespace 'kb');
INSERT INTO t SELECT lpad(i::text, 4, '0'), ARRAY[i, 1], 1990 + i % 5, 'n' || i FROM generate_series(1, 500) i;

-- one a row, the same by every plan, and none of another table's
SELECT count(*), count(DISTINCT ctid) FROM t;
CREATE TABLE seen AS SELECT id, ctid AS place FROM t;
SELECT count(*) FROM seen JOIN t USING (id) WHERE t.ctid = place;
SELECT count(*) FROM (SELECT id, ctid AS c, embedding <-> '{3,3}' AS d FROM t ORDER BY d LIMIT 20) x JOIN seen USING (id) WHERE c = place;
SELECT count(*) FROM seen, LATERAL (SELECT t.ctid AS c FROM t WHERE t.id = seen.id OFFSET 0) x WHERE c = place;
SELECT count(*) FROM (SELECT ctid AS c FROM t WHERE year = 1992) x JOIN seen ON c = place;
SELECT count(*) FROM (SELECT ctid AS c FROM t WHERE id IN ('0001', '0002', 'none')) x JOIN seen ON c = place;
SELECT count(*) FROM (SELECT ctid AS c FROM t ORDER BY embedding <-> (SELECT NULL::real[]) LIMIT 30) x JOIN seen ON c = place;
SELECT count(*) FROM t a JOIN t b ON a.ctid = b.ctid WHERE a.id = b.id;
SELECT count(*) FROM t a JOIN t b ON a.ctid = b.ctid WHERE a.id <> b.id;
SELECT count(*) FROM t WHERE ctid > '(0,0)';
SELECT (SELECT count(*) FROM t WHERE ctid < '(2147483648,1)') + (SELECT count(*) FROM t WHERE ctid >= '(2147483648,1)') AS both;
CREATE FOREIGN TABLE other (id text COLLATE "C", embedding real[]) SERVER pinecone OPTIONS (namespace 'kb');
SELECT count(*) FROM t JOIN other USING (id) WHERE t.ctid = other.ctid;

-- batches, as PostgreSQL's manual makes them
BEGIN;
DELETE FROM t WHERE ctid IN (SELECT ctid FROM t WHERE year = 1992 LIMIT 10);
SELECT count(*), count(*) FILTER (WHERE year = 1992) FROM t;
DELETE FROM t WHERE ctid = ANY (ARRAY(SELECT ctid FROM t WHERE year = 1992 LIMIT 10 FOR UPDATE SKIP LOCKED));
SELECT count(*), count(*) FILTER (WHERE year = 1992) FROM t;
UPDATE t SET note = 'batch' WHERE ctid IN (SELECT ctid FROM t WHERE year = 1993 LIMIT 7);
SELECT count(*), min(year), max(year) FROM t WHERE note = 'batch';
WITH x AS (SELECT ctid AS c FROM t WHERE year = 1991 ORDER BY id LIMIT 3) DELETE FROM t USING x WHERE t.ctid = x.c RETURNING id, t.ctid = x.c AS same;
ROLLBACK;

-- a constant, a range, a self-join, a view, a whole row, a correlated subquery
BEGIN;
SELECT place AS c FROM seen WHERE id = '0007' \gset
DELETE FROM t WHERE ctid = :'c' RETURNING id;
DELETE FROM t WHERE ctid = :'c' RETURNING id;
DELETE FROM t WHERE ctid = '(0,1)';
SELECT count(*) AS low FROM t WHERE ctid < '(2000000000,1)' \gset
WITH d AS (DELETE FROM t WHERE ctid < '(2000000000,1)' RETURNING 1) SELECT count(*) = :low AS as_many FROM d;
ROLLBACK;
BEGIN;
UPDATE t SET note = b.id FROM t b WHERE t.ctid = b.ctid AND b.year = 1994 AND b.id < '0020';
SELECT id, note FROM t WHERE note = id ORDER BY id;
CREATE VIEW v AS SELECT ctid AS place, id, note FROM t;
UPDATE v SET note = 'view' WHERE place IN (SELECT place FROM v WHERE id IN ('0001', '0003'));
SELECT id FROM t WHERE note = 'view' ORDER BY id;
DELETE FROM t WHERE t IN (SELECT x FROM t x WHERE id = '0005') RETURNING id;
DELETE FROM t WHERE EXISTS (SELECT 1 FROM t x WHERE x.ctid = t.ctid AND x.id IN ('0008', '0009')) RETURNING id;
DELETE FROM t WHERE ctid = (SELECT max(ctid) FROM t) RETURNING ctid = (SELECT max(place) FROM seen WHERE id NOT IN ('0005', '0008', '0009')) AS highest;
ROLLBACK;

-- RETURNING
BEGIN;
UPDATE t SET note = 'x' WHERE id = '0001' RETURNING ctid = (SELECT place FROM seen WHERE id = '0001') AS same;
INSERT INTO t VALUES ('0002', '{1,1}') RETURNING ctid = (SELECT place FROM seen WHERE id = '0002') AS same;
UPDATE t SET id = '0003' WHERE id = '0002' RETURNING ctid = (SELECT place FROM seen WHERE id = '0003') AS same;
DELETE FROM t WHERE id = '0004' RETURNING ctid = (SELECT place FROM seen WHERE id = '0004') AS same, tableoid::regclass;
ROLLBACK;

-- what records do not have is an error, before anything is sent
\! test/regress/pinecone quiet
SELECT xmin FROM t;
SELECT id FROM t WHERE cmin = '0';
DELETE FROM t WHERE xmin::text = '0';
UPDATE t SET note = 'x' WHERE id = '0001' RETURNING xmax;
INSERT INTO t VALUES ('n', '{1,1}') RETURNING cmax;
DECLARE c CURSOR WITH HOLD FOR SELECT id FROM t FOR UPDATE;
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM t;
FETCH c;
DELETE FROM t WHERE CURRENT OF c;
ROLLBACK;
MERGE INTO t USING seen ON t.ctid = seen.place WHEN MATCHED THEN DELETE;
\! test/regress/pinecone log 'vectors/(upsert|update|delete)'
SELECT count(*) FROM t;

-- partitions: the table is part of it
CREATE TABLE parts (id text COLLATE "C", embedding real[], year int) PARTITION BY LIST (year);
CREATE FOREIGN TABLE part1 PARTITION OF parts FOR VALUES IN (1) SERVER pinecone OPTIONS (namespace 'p1');
CREATE FOREIGN TABLE part2 PARTITION OF parts FOR VALUES IN (2) SERVER pinecone OPTIONS (namespace 'p2');
CREATE TABLE part3 PARTITION OF parts FOR VALUES IN (3);
INSERT INTO parts SELECT 'r' || i, ARRAY[i, 1], y FROM generate_series(1, 20) i, generate_series(1, 2) y;
DELETE FROM parts WHERE ctid IN (SELECT ctid FROM parts WHERE year = 2 AND id < 'r15');
SELECT year, count(*) FROM parts GROUP BY year ORDER BY year;
WITH d AS (DELETE FROM parts WHERE (tableoid, ctid) IN (SELECT tableoid, ctid FROM parts WHERE id = 'r9') RETURNING tableoid::regclass AS part, id)
SELECT * FROM d ORDER BY part::text;

-- several namespaces in one table
CREATE FOREIGN TABLE every (id text COLLATE "C", ns text OPTIONS (role 'namespace'), embedding real[], year int) SERVER pinecone OPTIONS (namespaces 'p1,p2');
SELECT count(*), count(DISTINCT ctid) FROM every;
UPDATE every SET year = 3 WHERE ctid = (SELECT ctid FROM every WHERE ns = 'p2' AND id = 'r8') RETURNING ns, id;

-- of a record that the transaction has been shown the id is known
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM t WHERE ctid = '(1,1)';
SELECT place AS c FROM seen WHERE id = '0010' \gset
SELECT place AS d FROM seen WHERE id = '0011' \gset
PREPARE by_place (tid) AS UPDATE t SET note = 'by place' WHERE ctid = $1 RETURNING id;
SET plan_cache_mode = force_generic_plan;
BEGIN;
SELECT count(DISTINCT ctid) FROM t WHERE id IN ('0010', '0011', '0012');
\! test/regress/pinecone quiet
SELECT id FROM t WHERE ctid = :'c';
SELECT id FROM t WHERE :'c' = ctid AND id > '0001';
SELECT id FROM t WHERE ctid = ANY (ARRAY[:'d', :'c', :'d']::tid[]) ORDER BY id DESC;
EXECUTE by_place (:'c');
DELETE FROM t WHERE ctid = :'d' RETURNING id;
SELECT id, note FROM t WHERE ctid = ANY (ARRAY[:'d', :'c']::tid[]);
INSERT INTO t VALUES ('0011', '{1,1}', 1);
SELECT id, year FROM t WHERE ctid = :'d';
DELETE FROM t WHERE ctid = ANY (ARRAY(SELECT ctid FROM t WHERE id IN ('0013', '0014') FOR UPDATE SKIP LOCKED));
\! test/regress/pinecone log list
-- and of one that it has not, or without lookups by id, it is looked for
SELECT count(*) FROM t WHERE ctid = ANY (ARRAY[:'c', '(1,1)']::tid[]);
SELECT count(*) FROM t WHERE ctid = ANY (ARRAY[:'c', NULL]::tid[]);
SELECT count(*) FROM t WHERE ctid = NULL;
SET LOCAL pinecone_fdw.enable_fetch = off;
SELECT count(*) FROM t WHERE ctid = :'c';
\! test/regress/pinecone log list
ROLLBACK;
BEGIN;
EXECUTE by_place (:'c');
\! test/regress/pinecone log list
ROLLBACK;
RESET plan_cache_mode;
BEGIN;
SELECT ctid AS e FROM every WHERE ns = 'p1' AND id = 'r7' \gset
UPDATE every SET year = 4 WHERE ctid = :'e' RETURNING ns, id;
ROLLBACK;

-- through postgres_fdw, which tells rows by ctid
CREATE EXTENSION postgres_fdw;
\set ECHO none
SELECT format('CREATE SERVER self FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host %L, port %L, dbname %L)',
  split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'), current_database()) \gexec
\set ECHO all
CREATE USER MAPPING FOR CURRENT_USER SERVER self;
CREATE FOREIGN TABLE front (id text, embedding real[], year int, note text) SERVER self OPTIONS (table_name 't');
EXPLAIN (VERBOSE, COSTS OFF) DELETE FROM front WHERE id IN ('0001', '0002') AND random() >= 0;
DELETE FROM front WHERE id IN ('0001', '0002') AND random() >= 0;
UPDATE front SET note = 'front' || random() WHERE id = '0003' RETURNING id;
SELECT count(*), count(*) FILTER (WHERE note LIKE 'front%') FROM t;
DELETE FROM front WHERE id = '0004';
SELECT count(*) FROM t;
SET client_min_messages = warning;
DROP EXTENSION postgres_fdw CASCADE;
DROP TABLE seen, parts CASCADE;
DROP SERVER pinecone CASCADE;
\! test/regress/pinecone drop ctid
