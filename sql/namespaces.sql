-- A table of many namespaces: a column tells which, and conditions on it prune.
\set index spaces
\set dimension 2
\set metric euclidean
\i test/regress/setup.sql

CREATE TABLE local (ns text COLLATE "C", id text COLLATE "C", embedding real[], title text, year int);
INSERT INTO local SELECT n.ns, 'r' || i, ARRAY[(i * 7 + k * 3) % 101, i % 5 + k / 7.0]::real[], 'title ' || i % 10, 1900 + i
FROM (VALUES ('', 0), ('acme', 1), ('big corp', 2), ('zeta', 3)) n(ns, k), generate_series(1, 60) i WHERE i <= 60 - 10 * k;
\pset format unaligned
\pset tuples_only on
SELECT jsonb_build_object('id', id, 'values', embedding, 'metadata', jsonb_build_object('title', title, 'year', year)) FROM local WHERE ns = ''
\g |test/regress/pinecone upsert spaces ''
SELECT jsonb_build_object('id', id, 'values', embedding, 'metadata', jsonb_build_object('title', title, 'year', year)) FROM local WHERE ns = 'acme'
\g |test/regress/pinecone upsert spaces acme
SELECT jsonb_build_object('id', id, 'values', embedding, 'metadata', jsonb_build_object('title', title, 'year', year)) FROM local WHERE ns = 'big corp'
\g |test/regress/pinecone upsert spaces 'big corp'
SELECT jsonb_build_object('id', id, 'values', embedding, 'metadata', jsonb_build_object('title', title, 'year', year)) FROM local WHERE ns = 'zeta'
\g |test/regress/pinecone upsert spaces zeta
\pset format aligned
\pset tuples_only off
CREATE FOREIGN TABLE remote (ns text OPTIONS (role 'namespace') COLLATE "C", id text COLLATE "C", embedding real[], title text, year int) SERVER pinecone;
CREATE FOREIGN TABLE two (id text COLLATE "C", title text, tenant text OPTIONS (role 'namespace') COLLATE "C", year int)
SERVER pinecone OPTIONS (namespaces ' acme, "big corp"');
SELECT count(*) AS warm FROM remote;
\! test/regress/pinecone quiet

-- all of them, each asked for its ids and then for its records
EXPLAIN (COSTS OFF) SELECT * FROM remote;
SELECT count(*) FROM (SELECT ns, id, embedding, title, year FROM remote EXCEPT ALL SELECT * FROM local) d;
\! test/regress/pinecone sorted-log | sed 's/ids=.*ids=[^&]*/ids=.../'
SELECT count(*) FROM (SELECT * FROM local EXCEPT ALL SELECT ns, id, embedding, title, year FROM remote) d;
-- requests differ in the namespace
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM remote WHERE year = 1930;
-- those of a list
EXPLAIN (COSTS OFF) SELECT * FROM two;
SELECT tenant, count(title), min(id), max(id), sum(year) FROM two GROUP BY tenant ORDER BY tenant;
SELECT ns, count(title), min(id), max(id), sum(year) FROM local WHERE ns IN ('acme', 'big corp') GROUP BY ns ORDER BY ns;
\! test/regress/pinecone quiet

-- conditions prune: a constant, several, none that there is
EXPLAIN (COSTS OFF) SELECT id FROM remote WHERE ns = 'acme';
SELECT count(id) FROM (SELECT id FROM remote WHERE ns = 'acme' OFFSET 0) s;
\! test/regress/pinecone sorted-log
EXPLAIN (COSTS OFF) SELECT id FROM remote WHERE ns IN ('acme', '', 'nobody');
SELECT ns, count(year) FROM remote WHERE ns IN ('acme', '', 'nobody') GROUP BY ns ORDER BY ns;
\! test/regress/pinecone sorted-log list
SELECT ns, count(year) FROM remote WHERE 'acme' = ns OR ns = ANY ('{zeta,acme}') GROUP BY ns ORDER BY ns;
\! test/regress/pinecone sorted-log list
EXPLAIN (COSTS OFF) SELECT id FROM remote WHERE ns = ANY ('{acme,zeta}') AND ns IN ('zeta', 'x');
SELECT count(year) FROM remote WHERE ns = ANY ('{acme,zeta}') AND ns IN ('zeta', 'x');
EXPLAIN (COSTS OFF) SELECT id FROM two WHERE tenant = 'zeta';
SELECT count(year) FROM two WHERE tenant = 'zeta';
\! test/regress/pinecone sorted-log list
-- the default namespace reads '', or as it was asked for
SELECT ns = '' AS is_default, count(year) FROM remote WHERE ns = '' GROUP BY ns;
SELECT ns, count(year) FROM remote WHERE ns IN ('__default__', 'ümlaut', NULL) GROUP BY ns;
\! test/regress/pinecone sorted-log
SELECT ns, count(year) FROM remote WHERE ns IN ('__default__', '', 'acme') GROUP BY ns ORDER BY ns;
SELECT count(*) FROM remote WHERE ns = '__default__';
SELECT count(*) FROM remote WHERE ns = '__default__' AND year > 1950;
SELECT ns, id FROM remote WHERE ns = '__default__' ORDER BY embedding <-> '{2,2.1}' LIMIT 1;
SELECT count(year) FROM remote WHERE ns = '__default__' AND ns = '';
SELECT count(year) FROM two WHERE tenant = '__default__';
\! test/regress/pinecone quiet
-- parameters, initplans
PREPARE of_namespace(text) AS SELECT count(title) FROM remote WHERE ns = $1;
PREPARE of_namespaces(text[]) AS SELECT count(title) FROM remote WHERE ns = ANY ($1);
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE of_namespace('acme');
EXECUTE of_namespace('zeta');
EXECUTE of_namespace(NULL);
EXECUTE of_namespaces('{zeta,"big corp"}');
RESET plan_cache_mode;
SELECT count(title) FROM remote WHERE ns = (SELECT max(ns) FROM local);
\! test/regress/pinecone sorted-log list
-- other conditions on the namespace are checked here, but before it is asked
EXPLAIN (COSTS OFF) SELECT ns, id FROM remote WHERE ns LIKE '%c%' AND year = 1901;
SELECT ns, id FROM remote WHERE ns LIKE '%c%' AND year = 1901 ORDER BY ns;
SELECT ns, count(year) FROM remote WHERE ns <> 'acme' AND NOT ns = 'zeta' GROUP BY ns ORDER BY ns;
SELECT ns, id FROM remote WHERE ns > 'b' ORDER BY embedding <-> '{3,1}' LIMIT 2;
SELECT ns, id FROM remote WHERE (ns > 'b' OR year = 1901) AND id = 'r1' ORDER BY ns;
\! test/regress/pinecone sorted-log 'list|query|metadata|fetch.ids=r1(&name|$)'
SET pinecone_fdw.enable_prune = off;
EXPLAIN (COSTS OFF) SELECT id FROM remote WHERE ns = 'acme';
SELECT count(year) FROM remote WHERE ns = 'acme';
RESET pinecone_fdw.enable_prune;
\! test/regress/pinecone quiet

-- ids are asked of each; filters go to each
SELECT ns, id, title FROM remote WHERE id IN ('r35', 'r1') ORDER BY ns, id;
\! test/regress/pinecone sorted-log
SELECT ns, id FROM remote WHERE id = 'r35' AND ns <= 'acme' ORDER BY ns;
SELECT ns, id FROM remote WHERE year BETWEEN 1929 AND 1930 ORDER BY ns, id;
SELECT ns, id FROM local WHERE year BETWEEN 1929 AND 1930 ORDER BY ns, id;
\! test/regress/pinecone sorted-log metadata
-- in the order of ids
EXPLAIN (COSTS OFF) SELECT id, ns FROM remote ORDER BY id;
SELECT id, ns FROM remote ORDER BY id, ns LIMIT 5 OFFSET 2;
SELECT id, ns FROM local ORDER BY id, ns LIMIT 5 OFFSET 2;
SELECT id, ns, title FROM remote WHERE id LIKE 'r4%' ORDER BY id, ns LIMIT 5;
\! test/regress/pinecone quiet

-- the nearest in all: each is asked for as many
EXPLAIN (COSTS OFF) SELECT ns, id FROM remote ORDER BY embedding <-> '{3,1}' LIMIT 5;
SELECT ns, id, round((embedding <-> '{3,1}')::numeric, 4) AS distance FROM remote ORDER BY embedding <-> '{3,1}' LIMIT 5;
SELECT ns, id, round((embedding <-> '{3,1}')::numeric, 4) AS distance FROM local ORDER BY embedding <-> '{3,1}' LIMIT 5;
\! test/regress/pinecone sorted-log query
SELECT ns, id, title FROM remote WHERE ns IN ('zeta', 'acme') AND year < 1920 ORDER BY embedding <-> '{40,2}' LIMIT 3 OFFSET 4;
SELECT ns, id, title FROM local WHERE ns IN ('zeta', 'acme') AND year < 1920 ORDER BY embedding <-> '{40,2}' LIMIT 3 OFFSET 4;
\! test/regress/pinecone sorted-log query
-- each grows by itself, until there are enough
SET pinecone_fdw.prefetch = 64;
SELECT md5(string_agg(ns || id, ' ')) FROM (SELECT ns, id FROM remote WHERE length(title) = 7 ORDER BY embedding <-> '{40.37,2.13}' LIMIT 70 OFFSET 9) s;
SELECT md5(string_agg(ns || id, ' ')) FROM (SELECT ns, id FROM local WHERE length(title) = 7 ORDER BY embedding <-> '{40.37,2.13}' LIMIT 70 OFFSET 9) s;
RESET pinecone_fdw.prefetch;
SELECT count(*) FROM (SELECT ns, id FROM remote WHERE embedding <-> '{40,2}' < 10.01 EXCEPT SELECT ns, id FROM local WHERE embedding <-> '{40,2}' < 10.01) d;
-- the vector of a stored record is searched by as a vector
SELECT ns, id FROM remote ORDER BY embedding <-> (SELECT embedding FROM remote WHERE ns = 'acme' AND id = 'r7') LIMIT 2;
\! test/regress/pinecone quiet

-- counts by namespace are one request
EXPLAIN (COSTS OFF) SELECT ns, count(*) FROM remote GROUP BY ns;
SELECT ns, count(*), count(id) + 1 AS more, count(ns) FROM remote GROUP BY ns HAVING count(*) >= 40 ORDER BY ns;
SELECT count(*) FROM remote WHERE ns IN ('', 'zeta', 'nobody');
SELECT ns, count(*) FROM remote WHERE ns IN ('nobody', 'zeta') GROUP BY ns;
SELECT count(*) FROM two;
\! test/regress/pinecone log
EXPLAIN (COSTS OFF) SELECT DISTINCT ns FROM remote;
SELECT DISTINCT ns FROM remote ORDER BY ns DESC;
SELECT ns FROM remote GROUP BY ns ORDER BY ns LIMIT 2;
SELECT count(*) FROM remote WHERE year > 1935 AND ns > '';
SELECT count(*) FROM remote WHERE year > 1935 AND ns IN ('acme', 'zeta');
\! test/regress/pinecone sorted-log update
EXPLAIN (COSTS OFF) SELECT ns, count(*) FROM remote WHERE year > 1935 GROUP BY ns;
EXPLAIN (COSTS OFF) SELECT ns, id, count(*) FROM remote GROUP BY ns, id;
EXPLAIN (COSTS OFF) SELECT DISTINCT ns, year FROM remote;
ALTER FOREIGN TABLE remote OPTIONS (count_from_stats 'false');
EXPLAIN (COSTS OFF) SELECT ns, count(*) FROM remote GROUP BY ns;
ALTER FOREIGN TABLE remote OPTIONS (DROP count_from_stats);

-- joins: outer rows name the namespace
CREATE TABLE tenants (name text COLLATE "C", v real[]);
INSERT INTO tenants VALUES ('acme', '{3,1}'), ('zeta', '{50,2}'), ('nobody', '{1,1}'), (NULL, '{1,1}');
ANALYZE tenants;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SET enable_memoize = off;
EXPLAIN (COSTS OFF) SELECT t.name, r.id FROM tenants t LEFT JOIN remote r ON r.ns = t.name AND r.id = 'r7';
SELECT t.name, r.id FROM tenants t LEFT JOIN remote r ON r.ns = t.name AND r.id = 'r7' ORDER BY 1;
EXPLAIN (COSTS OFF) SELECT t.name, r.title FROM tenants t LEFT JOIN remote r ON r.ns = t.name;
SELECT t.name, count(r.title) FROM tenants t LEFT JOIN remote r ON r.ns = t.name GROUP BY 1 ORDER BY 1;
\! test/regress/pinecone sorted-log 'list|fetch.ids=r7'
RESET enable_material;
RESET enable_hashjoin;
RESET enable_mergejoin;
\! test/regress/pinecone quiet
EXPLAIN (COSTS OFF) SELECT t.name, n.id FROM tenants t, LATERAL (SELECT id FROM remote WHERE ns = t.name ORDER BY embedding <-> t.v LIMIT 2) n;
SELECT t.name, n.id FROM tenants t, LATERAL (SELECT id FROM remote WHERE ns = t.name ORDER BY embedding <-> t.v LIMIT 2) n ORDER BY 1, 2;
SELECT t.name, n.id FROM tenants t, LATERAL (SELECT id FROM local WHERE ns = t.name ORDER BY embedding <-> t.v LIMIT 2) n ORDER BY 1, 2;
RESET enable_memoize;
\! test/regress/pinecone sorted-log

-- EXPLAIN ANALYZE tells how many were asked
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM remote WHERE ns IN ('acme', 'zeta', 'nobody')
\g (format=unaligned tuples_only=on) |grep -E 'Namespaces|Requests'
-- a namespace that comes later is seen
\! echo '{"id": "late", "values": [1, 1], "metadata": {"title": "late"}}' | test/regress/pinecone upsert spaces later
SELECT ns, id FROM remote WHERE title = 'late';
SELECT ns, count(*) FROM remote GROUP BY ns ORDER BY ns;
-- and so is what this transaction writes
CREATE FOREIGN TABLE another (id text COLLATE "C", embedding real[], title text, year int) SERVER pinecone OPTIONS (namespace 'another');
BEGIN;
INSERT INTO another VALUES ('new', '{2,2}', 'late', 2000);
SELECT ns, id FROM remote WHERE title = 'late' ORDER BY ns;
SELECT ns, id FROM remote ORDER BY embedding <-> '{2,2.1}' LIMIT 1;
SELECT ns, count(*) FROM remote WHERE ns IN ('another', 'later') GROUP BY ns ORDER BY ns;
ROLLBACK;
BEGIN;
SAVEPOINT s;
INSERT INTO another VALUES ('new', '{2,2}', 'late', 2000);
ROLLBACK TO s;
SELECT count(*) FROM remote;
SELECT ns, count(*) FROM remote GROUP BY ns ORDER BY ns;
ROLLBACK;
SELECT count(*) FROM remote WHERE ns = 'another';
-- ANALYZE samples all of them
ANALYZE remote;
SELECT attname, n_distinct FROM pg_stats WHERE tablename = 'remote' AND attname IN ('ns', 'title') ORDER BY 1;

-- other types, and values that do not fit them
CREATE FOREIGN TABLE short (ns varchar(4) OPTIONS (role 'namespace'), id text) SERVER pinecone;
SELECT ns, count(id) FROM (SELECT ns, id FROM short WHERE ns = 'acme' OFFSET 0) s GROUP BY ns;
SELECT ns FROM short WHERE id = 'r1';

-- options
CREATE FOREIGN TABLE wrong (ns text, id text) SERVER pinecone OPTIONS (namespace 'a', namespaces 'b,c');
CREATE FOREIGN TABLE wrong (ns text, id text) SERVER pinecone OPTIONS (namespaces 'b,,c');
CREATE FOREIGN TABLE wrong (ns text, id text) SERVER pinecone OPTIONS (namespaces '');
CREATE FOREIGN TABLE wrong (ns text, id text) SERVER pinecone OPTIONS (namespaces 'b, "", __default__');
CREATE FOREIGN TABLE wrong (ns text, id text) SERVER pinecone OPTIONS (namespaces 'bär');
CREATE FOREIGN TABLE wrong (ns text OPTIONS (role 'namespace', field 'x'), id text) SERVER pinecone;
CREATE FOREIGN TABLE wrong (ns text OPTIONS (role 'namespace'), id text) SERVER pinecone OPTIONS (namespace 'b');
SELECT * FROM wrong;
DROP FOREIGN TABLE wrong;
CREATE FOREIGN TABLE wrong (ns text, id text) SERVER pinecone OPTIONS (namespaces 'b');
SELECT * FROM wrong;
DROP FOREIGN TABLE wrong;
CREATE FOREIGN TABLE wrong (ns int OPTIONS (role 'namespace'), id text) SERVER pinecone;
SELECT * FROM wrong;
DROP FOREIGN TABLE wrong;
CREATE FOREIGN TABLE wrong (a text OPTIONS (role 'namespace'), b text OPTIONS (role 'namespace')) SERVER pinecone;
SELECT * FROM wrong;
-- a column of that name is a metadata field unless its option says otherwise
CREATE FOREIGN TABLE plain (id text, namespace text) SERVER pinecone OPTIONS (namespace 'acme');
SELECT id, namespace FROM plain WHERE id = 'r1';
\! test/regress/pinecone drop spaces
DROP TABLE local, tenants;
