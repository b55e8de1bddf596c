-- huf_profile: the figures of huf_take in one pass, against the aggregates that
-- compute them one by one.
SET extra_float_digits = 0;
\set SHOW_CONTEXT never
CREATE TABLE hit AS SELECT 'ns' || i % 7 AS namespace, CASE WHEN i % 50 = 0 THEN NULL WHEN i % 51 = 0 THEN 'NaN' WHEN i % 52 = 0 THEN '-Infinity'
	ELSE sin(i * 1.7) * (1 + i % 13) / 13 END::float8 AS score FROM generate_series(1, 5000) i;
CREATE VIEW good AS SELECT namespace, score, greatest(score, 0) AS mass FROM hit WHERE score > '-Infinity' AND score < 'Infinity';
CREATE VIEW expected AS
SELECT namespace, count(*) AS n, count(*) FILTER (WHERE score < 0) AS negative, huf_mass(mass) AS mass, huf_neff_hhi(mass) AS effective, huf_items_to_cover(mass) AS cover,
	huf_rho_var(score, 'softmax') AS variance, huf_histogram(score, '{-0.5,0,0.25,0.5}') AS histogram FROM good GROUP BY GROUPING SETS ((namespace), ());
CREATE VIEW profile AS SELECT namespace, huf_profile(score, greatest(score, 0), '{-0.5,0,0.25,0.5}') AS p FROM hit GROUP BY namespace;
SELECT e.namespace, rows - r.n AS unusable, r.n = e.n AND r.negative = e.negative AS counts, abs(r.mass / e.mass - 1) < 1e-12 AS mass, abs(r.effective / e.effective - 1) < 1e-12 AS effective,
	abs(r.cover_90 - e.cover) <= 0.02 * e.cover AS cover, abs(r.variance - e.variance) < 1e-14 AS variance, r.histogram = e.histogram AS histogram
FROM expected e JOIN (SELECT namespace, p FROM profile UNION ALL SELECT NULL, huf_profile_merge(p) FROM profile) q ON q.namespace IS NOT DISTINCT FROM e.namespace, huf_profile_read(p) r
ORDER BY e.namespace;
-- in parallel workers
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT huf_profile(score, greatest(score, 0), '{-0.5,0,0.25,0.5}') FROM hit;
SELECT rows, r.n, r.negative, abs(r.mass / e.mass - 1) < 1e-12 AS mass, abs(r.effective / e.effective - 1) < 1e-12 AS effective, abs(r.variance - e.variance) < 1e-14 AS variance, r.histogram = e.histogram AS histogram
FROM (SELECT huf_profile(score, greatest(score, 0), '{-0.5,0,0.25,0.5}') AS p FROM hit) q, huf_profile_read(p) r, expected e WHERE e.namespace IS NULL;
RESET max_parallel_workers_per_gather;
-- large and small, none, and nothing usable
SELECT v, n, mass, effective, cover_90, variance < 1e-15 AS even, histogram
FROM (VALUES ('{1e308,1e308,1e-308}'::float8[]), ('{5e-324,5e-324}'), ('{0,0}'), ('{1}'), ('{NULL,NaN}'), ('{1e-200,1e-200,1e200}'), ('{0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1}')) t(v),
	LATERAL (SELECT huf_profile(x, x, NULL) AS p FROM unnest(v) x) q, huf_profile_read(p);
SELECT huf_profile_read(huf_profile(x, x, '{1}')) IS NULL AS none FROM (SELECT 1::float8 AS x WHERE false) t;
SELECT huf_profile_merge(p) IS NULL AS none FROM (SELECT ''::bytea AS p WHERE false) t;
-- what it refuses
SELECT huf_profile(1, -1, NULL);
SELECT huf_profile(1, 'Infinity', NULL);
SELECT huf_profile(1, NULL, NULL);
SELECT huf_profile(1, 1, '{2,1}');
SELECT huf_profile(1, 1, '{NaN}');
SELECT huf_profile(1, 1, '{NULL}');
SELECT huf_profile(1, 1, ARRAY(SELECT generate_series(1, 33)::float8));
SELECT huf_profile(x, x, ARRAY[x]) FROM (VALUES (1::float8), (2)) t(x);
SELECT huf_profile_merge(huf_profile) FROM (SELECT huf_profile(1, 1, '{1}') UNION ALL SELECT huf_profile(1, 1, '{2}')) p;
SELECT huf_profile_read('\x00');
SELECT huf_profile_read('\x');
SELECT huf_profile_read(substr(huf_profile(1, 1, '{1}'), 1, 60));
SELECT huf_profile_read(huf_profile(1, 1, '{1}') || '\x00');
DROP VIEW expected, profile, good;
DROP TABLE hit;
