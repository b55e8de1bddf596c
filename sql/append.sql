-- Foreign tables below an Append: concurrent, and asked for no more than needed.
\set index append
\set dimension 3
\set metric cosine
\i test/regress/setup.sql

-- Four tenants, two in each of two indexes; and a copy of all of it here
\set other_host `test/regress/pinecone create other 3 cosine`
CREATE SERVER pinecone_other FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host :'other_host');
CREATE USER MAPPING FOR CURRENT_USER SERVER pinecone_other OPTIONS (api_key :'api_key');
CREATE TABLE local (tenant int, id text COLLATE "C", embedding real[], title text, year int) PARTITION BY LIST (tenant);
CREATE TABLE local_0 PARTITION OF local FOR VALUES IN (0);
CREATE TABLE local_1 PARTITION OF local FOR VALUES IN (1);
CREATE TABLE local_2 PARTITION OF local FOR VALUES IN (2);
CREATE TABLE local_3 PARTITION OF local FOR VALUES IN (3);
INSERT INTO local SELECT i % 4, 'd' || i, ARRAY[i, i % 7 + 1, 3]::real[], 'title ' || i % 10, 1900 + i FROM generate_series(1, 240) i;
CREATE VIEW record AS
SELECT tenant, jsonb_build_object('id', id, 'values', embedding, 'metadata', jsonb_build_object('tenant', tenant, 'title', title, 'year', year)) AS record FROM local;
\pset format unaligned
\pset tuples_only on
SELECT record FROM record WHERE tenant = 0 \g |test/regress/pinecone upsert append t0
SELECT record FROM record WHERE tenant = 1 \g |test/regress/pinecone upsert append t1
SELECT record FROM record WHERE tenant = 2 \g |test/regress/pinecone upsert other t2
SELECT record FROM record WHERE tenant = 3 \g |test/regress/pinecone upsert other t3
\pset format aligned
\pset tuples_only off
CREATE TABLE docs (tenant int, id text COLLATE "C", embedding real[], title text, year int) PARTITION BY LIST (tenant);
CREATE FOREIGN TABLE docs_0 PARTITION OF docs FOR VALUES IN (0) SERVER pinecone OPTIONS (namespace 't0');
CREATE FOREIGN TABLE docs_1 PARTITION OF docs FOR VALUES IN (1) SERVER pinecone OPTIONS (namespace 't1');
CREATE FOREIGN TABLE docs_2 PARTITION OF docs FOR VALUES IN (2) SERVER pinecone_other OPTIONS (namespace 't2');
CREATE FOREIGN TABLE docs_3 PARTITION OF docs FOR VALUES IN (3) SERVER pinecone_other OPTIONS (namespace 't3');
SELECT count(*) FROM docs;
\! test/regress/pinecone quiet

-- all of it, by asynchronous scans
EXPLAIN (COSTS OFF) SELECT * FROM docs;
SELECT count(*) FROM (SELECT * FROM docs EXCEPT ALL SELECT * FROM local) d;
SELECT count(*) FROM (SELECT * FROM local EXCEPT ALL SELECT * FROM docs) d;
-- some of them are not to be
ALTER FOREIGN TABLE docs_0 OPTIONS (ADD async_capable 'false');
ALTER SERVER pinecone_other OPTIONS (ADD async_capable 'false');
ALTER FOREIGN TABLE docs_3 OPTIONS (ADD async_capable 'true');
EXPLAIN (COSTS OFF) SELECT id FROM docs WHERE year > 2000;
SELECT count(*) FROM (SELECT id FROM docs WHERE year > 2000 EXCEPT ALL SELECT id FROM local WHERE year > 2000) d;
SELECT count(*), min(id), max(year) FROM docs WHERE year > 2000;
SELECT count(*), min(id), max(year) FROM local WHERE year > 2000;
ALTER FOREIGN TABLE docs_0 OPTIONS (DROP async_capable);
ALTER SERVER pinecone_other OPTIONS (DROP async_capable);
ALTER FOREIGN TABLE docs_3 OPTIONS (DROP async_capable);
ALTER FOREIGN TABLE docs_0 OPTIONS (ADD async_capable 'perhaps');
SELECT id FROM docs WHERE id IN ('d1', 'd2', 'd3', 'd4', 'd5', 'no') ORDER BY id;
SELECT id FROM docs WHERE id LIKE 'd11%' ORDER BY id;
\! test/regress/pinecone quiet

-- nearest neighbours: every partition is asked for LIMIT and OFFSET
EXPLAIN (COSTS OFF) SELECT tenant, id FROM docs ORDER BY embedding <=> '{1,2,3}' LIMIT 5 OFFSET 2;
SELECT tenant, id FROM docs ORDER BY embedding <=> '{1,2,3}' LIMIT 5 OFFSET 2;
\! test/regress/pinecone sorted-log 'vectors|query'
SELECT tenant, id FROM local ORDER BY embedding <=> '{1,2,3}' LIMIT 5 OFFSET 2;
-- with a filter, with a condition that is checked here, without a limit
SELECT id FROM docs WHERE year > 2000 ORDER BY embedding <=> '{1,2,3}' LIMIT 3;
SELECT id FROM local WHERE year > 2000 ORDER BY embedding <=> '{1,2,3}' LIMIT 3;
SELECT id FROM docs WHERE length(title) = 7 AND year % 30 = 4 ORDER BY embedding <=> '{5,5,1}' LIMIT 5;
SELECT id FROM local WHERE length(title) = 7 AND year % 30 = 4 ORDER BY embedding <=> '{5,5,1}' LIMIT 5;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM docs ORDER BY embedding <=> '{1,2,3}') d;
SELECT array_agg(id) = (SELECT array_agg(id) FROM (SELECT id FROM local ORDER BY embedding <=> '{1,2,3}') l) AS same
FROM (SELECT id FROM docs ORDER BY embedding <=> '{1,2,3}') d;
SELECT id FROM docs WHERE embedding <=> '{1,2,3}' < 0.06 ORDER BY id;
SELECT id FROM local WHERE embedding <=> '{1,2,3}' < 0.06 ORDER BY id;
-- no usable query vector
SELECT count(*) FROM (SELECT id FROM docs ORDER BY embedding <=> NULL::real[]) d;
SELECT count(*) FROM (SELECT id FROM docs ORDER BY embedding <=> (SELECT embedding FROM local WHERE id = 'none')) d;

-- UNION ALL, with the order above it or in each branch; inheritance
\! test/regress/pinecone quiet
EXPLAIN (COSTS OFF) SELECT id, embedding <=> '{3,2,1}' AS distance FROM docs_0 UNION ALL SELECT id, embedding <=> '{3,2,1}' FROM docs_2 ORDER BY distance LIMIT 3;
SELECT id, round((embedding <=> '{3,2,1}')::numeric, 5) AS distance, 0 AS t FROM docs_0
UNION ALL SELECT id, round((embedding <=> '{3,2,1}')::numeric, 5), 2 FROM docs_2 ORDER BY distance, id LIMIT 3;
\! test/regress/pinecone quiet
SELECT id FROM (SELECT id, embedding <=> '{3,2,1}' AS distance FROM docs_0 UNION ALL SELECT id, embedding <=> '{3,2,1}' FROM docs_2 ORDER BY distance LIMIT 3) d;
\! test/regress/pinecone sorted-log 'vectors|query'
SELECT id FROM (SELECT id, embedding <=> '{3,2,1}' AS distance FROM local_0 UNION ALL SELECT id, embedding <=> '{3,2,1}' FROM local_2 ORDER BY distance LIMIT 3) d;
(SELECT id FROM docs_1 ORDER BY embedding <=> '{3,2,1}' LIMIT 2) UNION ALL (SELECT id FROM docs_3 ORDER BY embedding <=> '{3,2,1}' LIMIT 2);
(SELECT id FROM local_1 ORDER BY embedding <=> '{3,2,1}' LIMIT 2) UNION ALL (SELECT id FROM local_3 ORDER BY embedding <=> '{3,2,1}' LIMIT 2);
CREATE TABLE parent (id text COLLATE "C", embedding real[]);
INSERT INTO parent VALUES ('here', '{3,2,1}');
CREATE FOREIGN TABLE child_0 () INHERITS (parent) SERVER pinecone OPTIONS (namespace 't0');
CREATE FOREIGN TABLE child_2 () INHERITS (parent) SERVER pinecone_other OPTIONS (namespace 't2');
EXPLAIN (COSTS OFF) SELECT id FROM parent;
SELECT count(*), count(DISTINCT id) FROM parent;
SELECT id FROM parent ORDER BY embedding <=> '{3,2,1}' LIMIT 4;
SELECT id FROM ONLY parent;
SELECT 0 AS t, count(*) FROM docs_0 UNION ALL SELECT 1, count(*) FROM docs_1 WHERE year > 2000 UNION ALL SELECT 2, count(*) FROM docs_2 WHERE title = 'title 4' ORDER BY t;
EXPLAIN (COSTS OFF) SELECT count(*) FROM docs_0 UNION ALL SELECT count(*) FROM docs_1 WHERE year > 2000;

-- only the partitions that matter: constants, parameters, subqueries, join keys
\! test/regress/pinecone quiet
EXPLAIN (COSTS OFF) SELECT id FROM docs WHERE tenant IN (1, 2) ORDER BY embedding <=> '{1,2,3}' LIMIT 2;
SELECT id FROM docs WHERE tenant IN (1, 2) ORDER BY embedding <=> '{1,2,3}' LIMIT 2;
\! test/regress/pinecone sorted-log 'vectors|query'
SET plan_cache_mode = force_generic_plan;
PREPARE nearest(int, int, real[], int) AS SELECT tenant, id FROM docs WHERE tenant IN ($1, $2) ORDER BY embedding <=> $3 LIMIT $4;
EXPLAIN (COSTS OFF) EXECUTE nearest(1, 3, '{1,2,3}', 2);
EXECUTE nearest(1, 3, '{1,2,3}', 2);
EXECUTE nearest(2, 2, '{3,2,1}', 1);
\! test/regress/pinecone sorted-log 'vectors|query'
SELECT tenant, id FROM local WHERE tenant IN (1, 3) ORDER BY embedding <=> '{1,2,3}' LIMIT 2;
SELECT tenant, id FROM local WHERE tenant IN (2, 2) ORDER BY embedding <=> '{3,2,1}' LIMIT 1;
PREPARE of_tenant(int) AS SELECT count(id), min(id) FROM docs WHERE tenant = $1;
EXECUTE of_tenant(1);
EXECUTE of_tenant(7);
RESET plan_cache_mode;
\! test/regress/pinecone quiet
SELECT count(id), min(id) FROM docs WHERE tenant = (SELECT 3);
SELECT id FROM docs WHERE tenant = (SELECT 2) ORDER BY embedding <=> '{1,2,3}' LIMIT 2;
SELECT t, n.id FROM generate_series(0, 3) t, LATERAL (SELECT id FROM docs WHERE tenant = t ORDER BY embedding <=> '{1,2,3}' LIMIT 1) n ORDER BY t;
\! test/regress/pinecone sorted-log 'vectors|query'
SELECT t, n.id FROM generate_series(0, 3) t, LATERAL (SELECT id FROM local WHERE tenant = t ORDER BY embedding <=> '{1,2,3}' LIMIT 1) n ORDER BY t;
-- nothing to be read: nothing is sent
SELECT id FROM docs ORDER BY embedding <=> '{1,2,3}' LIMIT 0;
SELECT id FROM docs WHERE tenant = 9;
(SELECT id FROM docs_0 ORDER BY embedding <=> '{1,2,3}' LIMIT 0) UNION ALL (SELECT id FROM docs_1 ORDER BY embedding <=> '{1,2,3}' LIMIT (SELECT 0));
SELECT (SELECT id FROM docs WHERE t > 1 ORDER BY embedding <=> '{1,2,3}' LIMIT 1) FROM generate_series(0, 1) t;
\! test/regress/pinecone log 'vectors|query'
-- what a limit leaves unread: a sequential Append goes on only when it has to
SET enable_async_append = off;
SELECT id FROM docs WHERE id IN ('d4', 'd1', 'd2') LIMIT 1;
\! test/regress/pinecone log 'vectors|query'
BEGIN;
DECLARE c CURSOR FOR (SELECT id FROM docs_0 ORDER BY embedding <=> '{1,2,3}' LIMIT 1) UNION ALL (SELECT id FROM docs_1 ORDER BY embedding <=> '{1,2,3}' LIMIT 1);
FETCH 1 FROM c;
\! test/regress/pinecone log 'vectors|query'
FETCH 2 FROM c;
\! test/regress/pinecone log 'vectors|query'
ROLLBACK;
RESET enable_async_append;

-- the same scans again and again, with other values
SELECT l.id, n.id AS neighbour FROM local l, LATERAL (SELECT id FROM docs WHERE id <> l.id ORDER BY embedding <=> l.embedding LIMIT 2) n
WHERE l.id IN ('d1', 'd2', 'd239') ORDER BY 1, 2;
SELECT l.id, n.id AS neighbour FROM local l, LATERAL (SELECT id FROM local WHERE id <> l.id ORDER BY embedding <=> l.embedding LIMIT 2) n
WHERE l.id IN ('d1', 'd2', 'd239') ORDER BY 1, 2;
SELECT l.id, n.n FROM local l, LATERAL (SELECT count(*) AS n FROM (SELECT id FROM docs WHERE year < l.year LIMIT 25) s) n WHERE l.id IN ('d1', 'd2', 'd20', 'd100') ORDER BY 1;
SELECT l.id, n.n FROM local l, LATERAL (SELECT count(*) AS n FROM (SELECT id FROM local WHERE year < l.year LIMIT 25) s) n WHERE l.id IN ('d1', 'd2', 'd20', 'd100') ORDER BY 1;
EXPLAIN (COSTS OFF) SELECT o.n, d.year FROM (VALUES (1), (999)) o(n) LEFT JOIN LATERAL (SELECT year FROM docs WHERE id = 'd' || o.n OFFSET 0) d ON true;
SELECT o.n, d.year FROM (VALUES (1), (2), (7), (240), (999)) o(n) LEFT JOIN LATERAL (SELECT year FROM docs WHERE id = 'd' || o.n OFFSET 0) d ON true ORDER BY 1;
SELECT o.n, (SELECT year FROM docs WHERE id = 'd' || o.n LIMIT 1) FROM (VALUES (1), (2), (7), (240), (999)) o(n) ORDER BY 1;
SELECT count(*) FROM docs a JOIN docs b USING (title) WHERE a.year < 1920 AND b.year < 1930;
SELECT count(*) FROM local a JOIN local b USING (title) WHERE a.year < 1920 AND b.year < 1930;

-- partition by partition
SET enable_partitionwise_join = on;
SET enable_partitionwise_aggregate = on;
EXPLAIN (COSTS OFF, VERBOSE) SELECT count(*), count(id) FROM docs WHERE year > 2000;
SELECT count(*), count(id) FROM docs WHERE year > 2000;
SELECT count(*) + 1 FROM docs;
\! test/regress/pinecone quiet
SELECT count(*) FROM docs WHERE tenant IN (1, 3) AND title IN ('title 1', 'title 2');
\! test/regress/pinecone sorted-log 'vectors|query'
SELECT count(*) FROM local WHERE tenant IN (1, 3) AND title IN ('title 1', 'title 2');
SELECT count(*) FROM docs HAVING count(*) > 1000;
SELECT count(*), count(DISTINCT tenant), count(*) FILTER (WHERE tenant = 1) FROM docs;
EXPLAIN (COSTS OFF) SELECT tenant, count(*), min(year) FROM docs GROUP BY tenant;
SELECT tenant, count(*), min(year) FROM docs GROUP BY tenant ORDER BY 1;
SELECT tenant, count(*), min(year) FROM local GROUP BY tenant ORDER BY 1;
SELECT title, count(*), sum(year) FROM docs GROUP BY title HAVING count(*) > 2 ORDER BY 1 LIMIT 3;
SELECT title, count(*), sum(year) FROM local GROUP BY title HAVING count(*) > 2 ORDER BY 1 LIMIT 3;
SELECT d.tenant, count(*), count(l.id) FROM docs d LEFT JOIN local l ON l.tenant = d.tenant AND l.id = d.id AND l.year > 2000 GROUP BY 1 ORDER BY 1;
SELECT a.id, b.id FROM docs a JOIN docs b ON a.tenant = b.tenant AND a.year = b.year - 4 WHERE a.title = 'title 3' ORDER BY a.year LIMIT 4;
SELECT a.id, b.id FROM local a JOIN local b ON a.tenant = b.tenant AND a.year = b.year - 4 WHERE a.title = 'title 3' ORDER BY a.year LIMIT 4;
RESET enable_partitionwise_join;
RESET enable_partitionwise_aggregate;

-- local and foreign partitions side by side; cursors
ALTER TABLE docs DETACH PARTITION docs_3;
ALTER TABLE local DETACH PARTITION local_3;
ALTER TABLE docs ATTACH PARTITION local_3 FOR VALUES IN (3);
EXPLAIN (COSTS OFF) SELECT id FROM docs;
SELECT count(*), count(DISTINCT id) FROM docs;
SELECT tenant, id FROM docs ORDER BY embedding <=> '{1,2,3}' LIMIT 3;
BEGIN;
DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT id FROM docs ORDER BY embedding <=> '{1,2,3}' LIMIT 50;
FETCH 2 FROM c;
FETCH ABSOLUTE 20 FROM c;
FETCH BACKWARD 1 FROM c;
FETCH FIRST FROM c;
COMMIT;
FETCH ABSOLUTE 50 FROM c;
FETCH NEXT FROM c;
CLOSE c;
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM docs;
MOVE 100 FROM c;
CLOSE c;
DECLARE c CURSOR FOR SELECT id FROM docs;
MOVE ALL FROM c;
ROLLBACK;
-- the partition key is the namespace
CREATE TABLE kb (tenant text COLLATE "C", id text COLLATE "C", embedding real[], title text) PARTITION BY LIST (tenant);
CREATE FOREIGN TABLE kb_0 PARTITION OF kb FOR VALUES IN ('t0') SERVER pinecone OPTIONS (namespaces 't0');
ALTER FOREIGN TABLE kb_0 ALTER tenant OPTIONS (role 'namespace');
CREATE FOREIGN TABLE kb_2 PARTITION OF kb FOR VALUES IN ('t2', 't3') SERVER pinecone_other OPTIONS (namespaces 't2, t3');
ALTER FOREIGN TABLE kb_2 ALTER tenant OPTIONS (role 'namespace');
\! test/regress/pinecone quiet
SELECT tenant, id FROM kb ORDER BY embedding <=> '{1,2,3}' LIMIT 3;
SELECT tenant, id FROM kb WHERE tenant = 't0' ORDER BY embedding <=> '{1,2,3}' LIMIT 3;
\! test/regress/pinecone sorted-log 'vectors|query'
SELECT id, embedding <=> '{1,2,3}' < 0.2 AS near FROM kb WHERE tenant = 't3' AND title = 'title 1' ORDER BY id LIMIT 3;
SET enable_partitionwise_aggregate = on;
EXPLAIN (COSTS OFF) SELECT tenant, count(*) FROM kb GROUP BY tenant HAVING count(*) > 10 ORDER BY tenant;
SELECT tenant, count(*) FROM kb GROUP BY tenant HAVING count(*) > 10 ORDER BY tenant;
SELECT tenant, count(*) FROM kb WHERE tenant <> 't2' GROUP BY tenant ORDER BY tenant;
SELECT count(*) FROM kb WHERE tenant IN ('t2', 't3');
RESET enable_partitionwise_aggregate;
BEGIN;
INSERT INTO kb VALUES ('t0', 'new', '{1,2,3}', 'new'), ('t3', 'new', '{1,2,3.0001}', 'new');
SELECT tenant, id FROM kb ORDER BY embedding <=> '{1,2,3}' LIMIT 3;
UPDATE kb SET title = 'newer' WHERE title = 'new' AND length(id) = 3;
DELETE FROM kb WHERE id = 'd2';
SELECT tenant, id, title FROM kb WHERE title = 'newer' OR id IN ('d2', 'd6') ORDER BY tenant, id;
ROLLBACK;
-- a partition whose columns stand in another order, and a local one
CREATE FOREIGN TABLE kb_4 (title text, embedding real[], id text COLLATE "C", gone int, tenant text OPTIONS (role 'namespace') COLLATE "C")
  SERVER pinecone OPTIONS (namespaces 't4');
ALTER FOREIGN TABLE kb_4 DROP COLUMN gone;
ALTER TABLE kb ATTACH PARTITION kb_4 FOR VALUES IN ('t4');
CREATE TABLE kb_local PARTITION OF kb FOR VALUES IN ('local');
BEGIN;
INSERT INTO kb SELECT tenant, 'n' || i, '{1,2,3}', 'new' FROM unnest('{t0,t4,local}'::text[]) tenant, generate_series(1, 3) i;
WITH u AS (UPDATE kb SET title = upper(title) WHERE id = 'n1' RETURNING tenant, id, title) SELECT * FROM u ORDER BY tenant;
UPDATE kb SET embedding = '{3,2,1}' FROM (VALUES ('n2')) v (i) WHERE id = i AND title = 'new';
WITH d AS (DELETE FROM kb WHERE id = 'n3' RETURNING tenant, id, title) SELECT * FROM d ORDER BY tenant;
SELECT tenant, id, embedding, title FROM kb WHERE id LIKE 'n%' ORDER BY 1, 2;
ROLLBACK;
-- rows into another table, and locked on the way
CREATE TABLE copied AS SELECT id, year FROM docs;
INSERT INTO copied SELECT id, year FROM docs WHERE year < 1910;
SELECT count(*), count(DISTINCT id), sum(year) FROM copied;
UPDATE copied c SET year = 0 FROM docs d WHERE d.id = c.id AND d.year < 1905;
SELECT count(*) FROM copied WHERE year = 0;
SELECT d.id FROM docs d JOIN copied c USING (id) WHERE c.year BETWEEN 1905 AND 1907 ORDER BY 1 FOR UPDATE OF c;

DROP TABLE docs, local, parent, copied, kb CASCADE;
DROP SERVER pinecone_other CASCADE;
