-- Governance aggregates do not depend on the order of rows or on the plan:
-- serial, parallel, partitioned, split at random and in moving frames.
CREATE FUNCTION same(a text, b text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  -- all numbers of two texts agree to 1e-12
  SELECT coalesce(a = b, a IS NULL AND b IS NULL) OR (SELECT bool_and(coalesce(x[1]::float8 = y[1]::float8 OR abs(x[1]::float8 - y[1]::float8) <= 1e-15 + 1e-12 * abs(y[1]::float8), false))
    FROM ROWS FROM (regexp_matches(a, '[-+0-9.eInfityNa]+', 'g'), regexp_matches(b, '[-+0-9.eInfityNa]+', 'g')) t(x, y))
$$;
SELECT same('{1,2.5}', '{1,2.5000000000000004}') AS yes, same('{1,2}', '{1,2.1}') AS no, same('1', NULL) AS no, same('{1}', '{1,2}') AS no, same('NaN', 'NaN') AS yes;
CREATE TABLE part (i int, g int, x float8, s float8, prev float8, cur float8, later boolean, v real[]) PARTITION BY LIST (g);
CREATE TABLE part0 PARTITION OF part FOR VALUES IN (0) WITH (parallel_workers = 2);
CREATE TABLE part1 PARTITION OF part FOR VALUES IN (1) WITH (parallel_workers = 2);
CREATE TABLE part2 PARTITION OF part FOR VALUES IN (2) WITH (parallel_workers = 2);
-- numbers without a pattern, the same everywhere: parts of a hash; masses span many orders
INSERT INTO part SELECT i, i % 3, h[1] * 10.0 ^ (i % 40 - 20), h[2] * 20 - 10, h[3], h[4], h[5] > 0.5, ARRAY[h[6] - 0.5, h[7], h[8], h[1] * 100]
FROM (SELECT i, (SELECT array_agg(abs(hashint8extended(i, k)::numeric / 9223372036854775808)::float8 ORDER BY k) FROM generate_series(1, 8) k) AS h
      FROM generate_series(1, 6000) i) r;
INSERT INTO part VALUES (6001, 0, NULL, NULL, NULL, NULL, NULL, NULL), (6002, 1, 0, '-Infinity', NULL, 0.5, true, '{0,0,0,0}'), (6003, 2, 5e-324, -1e308, 0.5, NULL, false, '{-3,0.1,0,0}');
ANALYZE part;
-- every aggregate
\set aggregates 'huf_mass(x) AS mass, huf_mean_abs(prev - 0.5) AS mean_abs, huf_lse(s) AS lse, huf_lse(s, 0.3) AS lse_t, huf_hhi(x) AS hhi, huf_hhi(s, \'softmax\') AS hhi_soft, huf_neff_hhi(x) AS n2, huf_entropy(x) AS entropy, huf_entropy(s, \'softmax\', 2) AS entropy_soft, huf_neff_entropy(x) AS n1, huf_evenness(x) AS evenness, huf_top_share(x) AS top, huf_top_share(s, \'softmax\') AS top_soft, huf_rho_var(x) AS var, huf_rho_var(s, \'softmax\') AS var_soft, huf_gini(x) AS gini, huf_gini(s, \'softmax\') AS gini_soft, huf_items_to_cover(x) AS cover, huf_items_to_cover(prev, 0.5) AS cover_half, huf_items_to_cover(s, 0.9, \'softmax\', 3) AS cover_soft, huf_items_to_cover_approx(prev) AS approx, huf_tv(prev, cur) AS tv, huf_coherence(prev, cur) AS coherence, huf_coherence_rms(prev, cur) AS rms, huf_linf(prev, cur) AS linf, huf_mean_abs_gap(prev, cur) AS gap, huf_js(prev, cur) AS js, huf_js_distance(prev, cur) AS jsd, huf_hellinger(prev, cur) AS hellinger, huf_kl(prev, cur) AS kl, huf_psi(prev, cur, 1e-5) AS psi, huf_entropy_shift(prev, cur) AS shift, huf_ks(x, later) AS ks, huf_w1(prev, later) AS w1, huf_psi_binned(prev, later, ARRAY[0.2, 0.5]) AS binned, huf_histogram(prev, ARRAY[0.2, 0.5]) AS histogram, huf_global_objective(prev, cur, x) AS objective, huf_sketch(v) AS sketch, huf_mrl(v) AS mrl, huf_pairwise_cos(v) AS pairwise, huf_dispersion(v) AS dispersion, huf_kappa(v) AS kappa, huf_sliced_w1(v, later, 8) AS sliced, huf_energy_distance(v, later) FILTER (WHERE i % 20 = 1) AS energy, huf_mmd_rbf(v, later, 1e-3) FILTER (WHERE i % 20 = 1) AS mmd'
SET max_parallel_workers_per_gather = 0;
SET enable_partitionwise_aggregate = off;
CREATE TABLE serial AS SELECT :aggregates FROM part;
CREATE TABLE serial_group AS SELECT g, :aggregates FROM part GROUP BY g;
-- none of them is empty or constant
SELECT key, value FROM serial, jsonb_each_text(to_jsonb(serial)) WHERE value IS NULL OR value IN ('0', '1', 'NaN') ORDER BY key;

-- any order
CREATE TABLE other AS SELECT :aggregates FROM (SELECT * FROM part ORDER BY x) r;
SELECT a.key, a.value, b.value FROM serial, other, jsonb_each_text(to_jsonb(serial)) a, jsonb_each_text(to_jsonb(other)) b WHERE a.key = b.key AND NOT same(a.value, b.value);
DROP TABLE other;
CREATE TABLE other AS SELECT :aggregates FROM (SELECT * FROM part ORDER BY s DESC) r;
SELECT a.key, a.value, b.value FROM serial, other, jsonb_each_text(to_jsonb(serial)) a, jsonb_each_text(to_jsonb(other)) b WHERE a.key = b.key AND NOT same(a.value, b.value);
DROP TABLE other;
CREATE TABLE other AS SELECT :aggregates FROM (SELECT * FROM part ORDER BY hashint4(i)) r;
SELECT a.key, a.value, b.value FROM serial, other, jsonb_each_text(to_jsonb(serial)) a, jsonb_each_text(to_jsonb(other)) b WHERE a.key = b.key AND NOT same(a.value, b.value);
DROP TABLE other;

-- two workers
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
EXPLAIN (COSTS OFF) SELECT huf_entropy(x), huf_gini(x), huf_sketch(v) FROM part;
CREATE TABLE other AS SELECT :aggregates FROM part;
SELECT a.key, a.value, b.value FROM serial, other, jsonb_each_text(to_jsonb(serial)) a, jsonb_each_text(to_jsonb(other)) b WHERE a.key = b.key AND NOT same(a.value, b.value);
DROP TABLE other;
CREATE TABLE other AS SELECT g, :aggregates FROM part GROUP BY g;
SELECT g, a.key, a.value, b.value FROM serial_group JOIN other USING (g), jsonb_each_text(to_jsonb(serial_group)) a, jsonb_each_text(to_jsonb(other)) b WHERE a.key = b.key AND NOT same(a.value, b.value);
DROP TABLE other;
-- and the leader too
SET parallel_leader_participation = on;
CREATE TABLE other AS SELECT :aggregates FROM part;
SELECT a.key, a.value, b.value FROM serial, other, jsonb_each_text(to_jsonb(serial)) a, jsonb_each_text(to_jsonb(other)) b WHERE a.key = b.key AND NOT same(a.value, b.value);
DROP TABLE other;
-- sketches of groups
CREATE TABLE sketches AS SELECT i % 97 AS n, huf_sketch(v) AS s FROM part GROUP BY i % 97;
EXPLAIN (COSTS OFF) SELECT huf_between_cos(s) FROM sketches;
CREATE TABLE other AS SELECT huf_between_cos(s) AS between FROM sketches;
SET max_parallel_workers_per_gather = 0;
SELECT same(between::text, (SELECT huf_between_cos(s)::text FROM sketches)) FROM other;
SET max_parallel_workers_per_gather = 2;
DROP TABLE sketches, other;
-- no rows in any worker
CREATE TABLE nothing AS SELECT :aggregates FROM part WHERE x = 2;
SET max_parallel_workers_per_gather = 0;
SELECT to_jsonb(nothing) = to_jsonb(none) AS same FROM nothing, (SELECT :aggregates FROM part WHERE x = 2) none;
SET max_parallel_workers_per_gather = 2;
DROP TABLE nothing;

-- each partition by itself, then combined
SET max_parallel_workers_per_gather = 0;
SET enable_partitionwise_aggregate = on;
EXPLAIN (COSTS OFF) SELECT huf_entropy(x), huf_gini(x), huf_sketch(v) FROM part;
CREATE TABLE other AS SELECT :aggregates FROM part;
SELECT a.key, a.value, b.value FROM serial, other, jsonb_each_text(to_jsonb(serial)) a, jsonb_each_text(to_jsonb(other)) b WHERE a.key = b.key AND NOT same(a.value, b.value);
DROP TABLE other;
RESET enable_partitionwise_aggregate;

-- random splits: sketches of any parts merge to the sketch of the whole
SELECT DISTINCT same(huf_sketch_merge(s)::text, (SELECT sketch::text FROM serial)) FROM
  (SELECT split, huf_sketch(v) AS s FROM part, generate_series(2, 12) split GROUP BY split, hashint4(i) % split) p GROUP BY split;
SELECT same(huf_between_cos(s)::text, huf_between_cos(t)::text) FROM (SELECT huf_sketch(v) AS s, huf_sketch(v ORDER BY i DESC) AS t FROM part GROUP BY hashint4(i) % 5) p;
-- so do masses in log space
SELECT same(huf_lse(l)::text, (SELECT lse::text FROM serial)) FROM (SELECT huf_lse(s) AS l FROM part GROUP BY hashint4(i) % 9) p;

-- a parameter or dimension that differs between workers is refused like any other
SET max_parallel_workers_per_gather = 2;
\set VERBOSITY sqlstate
SELECT huf_lse(s, 1 + g) FROM part;
SELECT huf_items_to_cover(x, 0.5 + g / 10.0) FROM part;
SELECT huf_sketch(v[1:2 + g]) FROM part;
\set VERBOSITY default
SET max_parallel_workers_per_gather = 0;

-- moving frames: those with an inverse take rows back, the others start again
CREATE VIEW framed AS SELECT i, g, x, s, prev, cur, later, v FROM part WHERE i <= 60 OR i > 6000;
WITH moving AS (
  SELECT i, huf_items_to_cover(x, 0.8) OVER w AS cover, huf_items_to_cover_approx(x, 0.8) OVER w AS approx, huf_gini(s, 'softmax') OVER w AS gini, huf_tv(prev, cur) OVER w AS tv,
         huf_psi(prev, cur) OVER w AS psi, huf_ks(x, later) OVER w AS ks, huf_w1(x, later) OVER w AS w1, huf_histogram(prev, '{0.5}') OVER w AS histogram, huf_psi_binned(prev, later, '{0.5}') OVER w AS binned,
         huf_sliced_w1(v, later, 4) OVER w AS sliced, huf_energy_distance(v, later) OVER w AS energy, huf_entropy(x) OVER w AS entropy, huf_mrl(v) OVER w AS mrl
  FROM framed WINDOW w AS (ORDER BY i ROWS BETWEEN 4 PRECEDING AND 3 FOLLOWING)),
again AS (
  SELECT o.i, r.* FROM (SELECT i, row_number() OVER (ORDER BY i) AS n FROM framed) o,
    LATERAL (SELECT huf_items_to_cover(x, 0.8) AS cover, huf_items_to_cover_approx(x, 0.8) AS approx, huf_gini(s, 'softmax') AS gini, huf_tv(prev, cur) AS tv, huf_psi(prev, cur) AS psi, huf_ks(x, later) AS ks,
             huf_w1(x, later) AS w1, huf_histogram(prev, '{0.5}') AS histogram, huf_psi_binned(prev, later, '{0.5}') AS binned, huf_sliced_w1(v, later, 4) AS sliced, huf_energy_distance(v, later) AS energy,
             huf_entropy(x) AS entropy, huf_mrl(v) AS mrl
             FROM (SELECT *, row_number() OVER (ORDER BY i) AS m FROM framed) f WHERE m BETWEEN n - 4 AND n + 3) r)
SELECT m.i, a.key, a.value, b.value FROM moving m JOIN again USING (i), jsonb_each_text(to_jsonb(m)) a, jsonb_each_text(to_jsonb(again)) b WHERE a.key = b.key AND NOT same(a.value, b.value) ORDER BY 1, 2;
-- a frame that leaves everything behind
SELECT i, huf_items_to_cover(x) OVER w AS cover, huf_gini(x) OVER w AS gini, huf_histogram(x, '{1}') OVER w AS histogram, huf_items_to_cover_approx(x) OVER w AS approx FROM (VALUES (1, 2.0), (2, NULL), (3, NULL), (4, 5)) t(i, x)
WINDOW w AS (ORDER BY i ROWS BETWEEN 1 PRECEDING AND CURRENT ROW);
SELECT proname AS with_inverse, count(*) AS overloads FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid WHERE proname ~ '^huf_' AND aggminvtransfn <> 0 GROUP BY 1 ORDER BY proname COLLATE "C";
-- groups are hashed where that is cheap
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT i % 100, huf_entropy(x), huf_mrl(v) FROM part0 GROUP BY 1;
DROP VIEW framed;
DROP TABLE part, serial, serial_group;
DROP FUNCTION same(text, text);
