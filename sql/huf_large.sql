-- Governance aggregates whose states are too large to be copied lightly: the
-- states of workers, of the leader that takes part, and of partitions.
CREATE TABLE large (i int, g int, x float8, s float8, prev float8, cur float8, later boolean, v real[], whole float8) PARTITION BY LIST (g);
CREATE TABLE large0 PARTITION OF large FOR VALUES IN (0) WITH (parallel_workers = 2);
CREATE TABLE large1 PARTITION OF large FOR VALUES IN (1) WITH (parallel_workers = 2);
INSERT INTO large SELECT i, (i % 3 = 0)::int, h[1] * 10.0 ^ (i % 20 - 10), h[2] * 20 - 10, h[3], h[4], h[5] > 0.5, ARRAY[h[1] - 0.5, h[2] - 0.5], floor(h[1] * 1e5)
FROM (SELECT i, (SELECT array_agg((hashint8extended(i, k) & 4294967295) / 4294967296.0 ORDER BY k) FROM generate_series(1, 5) k)::float8[] AS h
      FROM generate_series(1, 60000) i) r;
INSERT INTO large VALUES (0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (0, 1, '-0', '-Infinity', NULL, 0.5, true, '{0,0}', '-0'), (0, 1, 5e-324, -1e308, 0.5, NULL, false, '{-3,0.1}', 0);
ANALYZE large;
\set aggregates 'huf_items_to_cover(x) AS cover, huf_items_to_cover(s, 0.5, \'softmax\', 2) AS soft, huf_items_to_cover_approx(x) AS approx, huf_gini(x)::numeric(20,12) AS gini, huf_tv(prev, cur)::numeric(20,12) AS tv, huf_js(prev, cur)::numeric(20,12) AS js, huf_psi(prev, cur)::numeric(20,12) AS psi, huf_ks(x, later)::numeric(20,12) AS ks, huf_w1(prev, later)::numeric(20,12) AS w1, huf_global_objective(prev, cur, prev)::numeric(20,12) AS objective, huf_items_to_cover(whole) AS cover_whole, huf_gini(whole)::numeric(20,12) AS gini_whole, huf_histogram(prev, \'{0.3,0.6}\') AS histogram, huf_sliced_w1(v, later, 3)::numeric(20,12) AS sliced'
SET max_parallel_workers_per_gather = 0;
CREATE TABLE serial AS SELECT :aggregates FROM large;
CREATE TABLE serial_group AS SELECT g, :aggregates FROM large GROUP BY g;
SELECT * FROM serial_group ORDER BY g;
CREATE FUNCTION compare(query text) RETURNS TABLE (key text, serial jsonb, other jsonb) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format('SELECT a.key, a.value, b.value FROM serial, (%s) o, jsonb_each(to_jsonb(serial)) a, jsonb_each(to_jsonb(o)) b WHERE a.key = b.key AND a.value <> b.value', query);
END $$;
CREATE FUNCTION compare_group(query text) RETURNS TABLE (g int, key text, serial jsonb, other jsonb) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format('SELECT g, a.key, a.value, b.value FROM serial_group s JOIN (%s) o USING (g), jsonb_each(to_jsonb(s)) a, jsonb_each(to_jsonb(o)) b WHERE a.key = b.key AND a.value <> b.value', query);
END $$;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET jit = off;

-- workers alone
SET parallel_leader_participation = off;
CREATE TABLE other AS SELECT :aggregates FROM large;
SELECT * FROM compare('TABLE other');
DROP TABLE other;
CREATE TABLE other AS SELECT g, :aggregates FROM large GROUP BY g;
SELECT * FROM compare_group('TABLE other');
DROP TABLE other;
-- workers and the leader
SET parallel_leader_participation = on;
CREATE TABLE other AS SELECT :aggregates FROM large;
SELECT * FROM compare('TABLE other');
DROP TABLE other;
CREATE TABLE other AS SELECT g, :aggregates FROM large GROUP BY g;
SELECT * FROM compare_group('TABLE other');
DROP TABLE other;
-- the leader alone, where no worker could be had
SET max_parallel_workers = 0;
CREATE TABLE other AS SELECT :aggregates FROM large;
SELECT * FROM compare('TABLE other');
DROP TABLE other;
CREATE TABLE other AS SELECT g, :aggregates FROM large GROUP BY g;
SELECT * FROM compare_group('TABLE other');
DROP TABLE other;
SET enable_hashagg = off;
CREATE TABLE other AS SELECT g, :aggregates FROM large GROUP BY g;
SELECT * FROM compare_group('TABLE other');
DROP TABLE other;
RESET enable_hashagg;
-- by partition, in the leader and in workers
SET enable_partitionwise_aggregate = on;
EXPLAIN (COSTS OFF) SELECT huf_gini(x) FROM large;
CREATE TABLE other AS SELECT :aggregates FROM large;
SELECT * FROM compare('TABLE other');
DROP TABLE other;
RESET max_parallel_workers;
CREATE TABLE other AS SELECT :aggregates FROM large;
SELECT * FROM compare('TABLE other');
DROP TABLE other;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE other AS SELECT :aggregates FROM large;
SELECT * FROM compare('TABLE other');
DROP TABLE other;
SET max_parallel_workers_per_gather = 2;
RESET enable_partitionwise_aggregate;
-- over and over: each row starts the plan again
SET enable_material = off;
SET max_parallel_workers = 0;
EXPLAIN (COSTS OFF) SELECT n, cover FROM generate_series(1, 3) n LEFT JOIN (SELECT huf_items_to_cover(x) AS cover FROM large) l ON true;
SELECT n, l.cover = s.cover AS cover, l.gini = s.gini AS gini, l.ks = s.ks AS ks FROM serial s,
  generate_series(1, 3) n LEFT JOIN (SELECT huf_items_to_cover(x) AS cover, huf_gini(x)::numeric(20,12) AS gini, huf_ks(x, later)::numeric(20,12) AS ks FROM large) l ON true;
RESET max_parallel_workers;
SELECT n, l.cover = s.cover AS cover, l.gini = s.gini AS gini, l.ks = s.ks AS ks FROM serial s,
  generate_series(1, 3) n LEFT JOIN (SELECT huf_items_to_cover(x) AS cover, huf_gini(x)::numeric(20,12) AS gini, huf_ks(x, later)::numeric(20,12) AS ks FROM large) l ON true;
SET max_parallel_workers = 0;
RESET enable_material;
-- read twice by a cursor
BEGIN;
DECLARE twice SCROLL CURSOR FOR SELECT huf_items_to_cover(x) AS cover, huf_tv(prev, cur)::numeric(20,12) AS tv FROM large UNION ALL SELECT huf_items_to_cover(x), huf_tv(prev, cur)::numeric(20,12) FROM large;
FETCH ALL FROM twice;
MOVE ABSOLUTE 0 FROM twice;
FETCH ALL FROM twice;
COMMIT;
-- NaN and Infinity among many
SELECT huf_items_to_cover(CASE i WHEN 7 THEN 'NaN' ELSE x END) AS nan, huf_items_to_cover(CASE i WHEN 50000 THEN 'Infinity' ELSE x END) AS infinity, huf_items_to_cover(0 * x) AS zero, huf_items_to_cover(x) FILTER (WHERE x < 0) AS none FROM large;
RESET max_parallel_workers;
SELECT huf_items_to_cover(CASE i WHEN 7 THEN 'NaN' ELSE x END) AS nan, huf_items_to_cover(CASE i WHEN 50000 THEN 'Infinity' ELSE x END) AS infinity, huf_items_to_cover(0 * x) AS zero, huf_items_to_cover(x) FILTER (WHERE x < 0) AS none FROM large;
-- the transition state of one pass serves several functions
SELECT huf_items_to_cover(x) = (SELECT cover FROM serial) AS cover, huf_items_to_cover(x, 0.9) = (SELECT cover FROM serial) AS again, huf_tv(prev, cur)::numeric(20,12) = (SELECT tv FROM serial) AS tv, huf_js(prev, cur)::numeric(20,12) = (SELECT js FROM serial) AS js, huf_ks(x, later)::numeric(20,12) = (SELECT ks FROM serial) AS ks FROM large;
DROP FUNCTION compare(text), compare_group(text);
DROP TABLE large, serial, serial_group;
