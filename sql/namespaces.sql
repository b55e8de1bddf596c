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
SELECT count(*) FROM remote;
\! test/regress/pinecone quiet

-- all of them
EXPLAIN (COSTS OFF) SELECT * FROM remote;
SELECT * FROM remote EXCEPT SELECT * FROM local;
\! test/regress/pinecone sorted-log
SELECT * FROM local EXCEPT SELECT * FROM remote;
SELECT ns, count(title) FROM remote GROUP BY ns ORDER BY ns;
SELECT tenant, count(title) FROM two GROUP BY tenant ORDER BY tenant;

-- one of them
\! test/regress/pinecone quiet
EXPLAIN (COSTS OFF) SELECT * FROM remote WHERE ns = 'acme';
SELECT count(*) FROM (SELECT * FROM remote WHERE ns = 'acme' EXCEPT SELECT * FROM local WHERE ns = 'acme') d;
\! test/regress/pinecone sorted-log
SELECT count(title) FROM remote WHERE ns = '';
SELECT count(title) FROM remote WHERE ns = '__default__';
SELECT ns, id FROM remote WHERE id = 'r30' ORDER BY ns;
\! test/regress/pinecone sorted-log
SELECT ns, id FROM remote ORDER BY embedding <-> '{3,1}' LIMIT 5;
SELECT ns, id FROM local ORDER BY embedding <-> '{3,1}' LIMIT 5;
\! test/regress/pinecone sorted-log
SELECT count(*) FROM remote;
SELECT count(*) FROM remote WHERE year > 1950;
\! test/regress/pinecone drop spaces
DROP TABLE local;
