-- UPDATE and DELETE among values that do not fit their columns: they hit what a
-- SELECT returns that reads the columns of the conditions, and end where it does.
\set index misfit
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
\set sent '\\! test/regress/pinecone log "vectors/(upsert|update|delete)"'

\! printf '%s\n' '{"id":"a","values":[1,0],"metadata":{"cat":"x","n":5,"f":1.5,"b":true,"tags":["p"],"d":"2024-01-01"}}' '{"id":"b","values":[1,0],"metadata":{"cat":["x","y"],"n":2.5,"f":"odd","b":"yes","tags":"p","d":"2024-1-1"}}' '{"id":"c","values":[1,0],"metadata":{"cat":"z","n":7,"f":2.5}}' '{"id":"d","values":[1,0],"metadata":{"other":1}}' | test/regress/pinecone upsert misfit kb
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], cat text, n int, f float8, b bool, tags text[], d date, note text) SERVER pinecone OPTIONS (namespace 'kb');
SELECT count(*) >= 0 AS warm FROM t;
-- what the same SELECT does when it reads the condition's columns
SELECT id, cat FROM t WHERE cat = 'x';
\! test/regress/pinecone quiet
DELETE FROM t WHERE cat = 'x';
UPDATE t SET note = 'n' WHERE cat = 'x';
DELETE FROM t WHERE cat IN ('q', 'y');
DELETE FROM t WHERE cat <> 'z';
DELETE FROM t WHERE cat IS NOT NULL;
DELETE FROM t WHERE n < 3;
DELETE FROM t WHERE f <> 2;
DELETE FROM t WHERE b IS NOT NULL;
DELETE FROM t WHERE tags @> '{p}';
DELETE FROM t WHERE d IS DISTINCT FROM '2024-01-01';
DELETE FROM t WHERE n = 5 OR cat = 'y';
DELETE FROM t WHERE cat = 'x' RETURNING id;
-- record by record too: with another condition, in a subquery, with what a transaction has written
DELETE FROM t WHERE cat = 'x' AND length(id) = 1;
DELETE FROM t WHERE id IN (SELECT id FROM t WHERE cat = 'x');
UPDATE t SET note = id WHERE cat = 'x';
SET pinecone_fdw.enable_direct_modify = off;
DELETE FROM t WHERE cat = 'x';
RESET pinecone_fdw.enable_direct_modify;
BEGIN;
UPDATE t SET note = 'mine' WHERE id = 'a';
DELETE FROM t WHERE cat = 'x';
ROLLBACK;
BEGIN;
DELETE FROM t WHERE id = 'b';
DELETE FROM t WHERE cat = 'x';
SELECT id FROM t ORDER BY id;
ROLLBACK;
ALTER FOREIGN TABLE t OPTIONS (ADD write_mode 'immediate');
DELETE FROM t WHERE cat = 'x';
DELETE FROM t WHERE id IN (SELECT id FROM t WHERE cat = 'x');
ALTER FOREIGN TABLE t OPTIONS (DROP write_mode);
:sent
SELECT count(*) FROM t;

-- a field that no condition looks at does not matter; one that fits whenever it matches needs no look
EXPLAIN (COSTS OFF) DELETE FROM t WHERE n = 5;
BEGIN;
UPDATE t SET note = 'n' WHERE n = 5;
UPDATE t SET note = 'f' WHERE f BETWEEN 1 AND 3;
UPDATE t SET note = 'b' WHERE b;
UPDATE t SET note = 'none' WHERE cat IS NULL;
ROLLBACK;
BEGIN;
DELETE FROM t WHERE cat = 'z';
DELETE FROM t WHERE n > 6;
ROLLBACK;
\! test/regress/pinecone log "vectors/(upsert|update|delete|fetch)"
UPDATE t SET note = 'n' WHERE n = 5 OR n IS NULL;
:sent
UPDATE t SET note = 'z' WHERE cat = 'z' AND n > 6;
\! test/regress/pinecone log "vectors/"

-- of rows that it joins a statement reads what it looks at, and not all of them
BEGIN;
UPDATE t SET note = 'joined' FROM t o WHERE o.ctid = t.ctid AND o.id IN ('a', 'b') RETURNING t.id;
ROLLBACK;
BEGIN;
DELETE FROM t WHERE ctid IN (SELECT ctid FROM t WHERE id = 'b');
DELETE FROM t USING t o WHERE o.id = t.id AND o.id = 'a' AND o::text LIKE '(a,%,x,5,1.5,t,{p},%';
SELECT count(*) FROM t;
ROLLBACK;
DELETE FROM t USING t o WHERE o.id = t.id AND o.id = 'b' AND o IS NOT NULL;
DELETE FROM t USING (SELECT id, o::text AS x FROM t o UNION ALL SELECT id, 'x' FROM t) o WHERE o.id = t.id AND o.id = 'b' AND x LIKE '%y%';
:sent

-- the filter as Pinecone reads it hits what Pinecone says, and needs no look
CREATE FOREIGN TABLE m (id text COLLATE "C", metadata jsonb) SERVER pinecone OPTIONS (namespace 'kb');
DELETE FROM m WHERE pinecone_match(metadata, '{"cat": "x"}');
\! test/regress/pinecone log "vectors/"
SELECT id FROM m ORDER BY id;

-- domains; misfits that read as NULL; several namespaces, of which none is touched
CREATE DOMAIN low AS float8 CHECK (VALUE < 2);
CREATE FOREIGN TABLE dom (id text COLLATE "C", f low) SERVER pinecone OPTIONS (namespace 'kb');
DELETE FROM dom WHERE f > 1;
\! printf '%s\n' '{"id":"a","values":[1,0],"metadata":{"cat":"x"}}' '{"id":"b","values":[1,0],"metadata":{"cat":["x","y"]}}' | test/regress/pinecone upsert misfit null
CREATE FOREIGN TABLE nul (id text COLLATE "C", cat text) SERVER pinecone OPTIONS (namespace 'null', on_type_error 'null');
SELECT id FROM nul WHERE cat = 'x';
DELETE FROM nul WHERE cat = 'x';
SELECT id FROM nul;
\! printf '%s\n' '{"id":"a","values":[1,0],"metadata":{"cat":"x"}}' | test/regress/pinecone upsert misfit first
\! printf '%s\n' '{"id":"a","values":[1,0],"metadata":{"cat":["x"]}}' | test/regress/pinecone upsert misfit second
CREATE FOREIGN TABLE both_ns (ns text OPTIONS (role 'namespace'), id text COLLATE "C", cat text) SERVER pinecone OPTIONS (namespaces 'first,second', write_mode 'immediate');
DELETE FROM both_ns WHERE cat = 'x';
SELECT ns, id FROM both_ns ORDER BY ns;
DELETE FROM both_ns WHERE cat = 'x' AND ns = 'first';
SELECT ns, id FROM both_ns ORDER BY ns;
-- what equals 1.25 does not fit numeric(4,1)
\! printf '%s\n' '{"id":"a","values":[1,0],"metadata":{"d":1.25}}' '{"id":"b","values":[1,0],"metadata":{"d":1.5}}' | test/regress/pinecone upsert misfit scale
CREATE FOREIGN TABLE scale (id text COLLATE "C", d numeric(4,1), m int) SERVER pinecone OPTIONS (namespace 'scale');
UPDATE scale SET m = 1 WHERE d = 1.25;
DELETE FROM scale WHERE d IN (1.5, 1.25);
UPDATE scale SET m = 1 WHERE d = 1.5;
SELECT id, m FROM scale ORDER BY id;
DROP DOMAIN low CASCADE;
\! test/regress/pinecone drop misfit
