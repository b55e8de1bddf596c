-- Governance functions of two snapshots, and of two samples of scores.
CREATE FUNCTION near(found float8, expected float8, tolerance float8 DEFAULT 1e-12) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN found IS NOT DISTINCT FROM expected THEN 'ok'
    WHEN abs(found - expected) <= 1e-15 + tolerance * abs(expected) THEN 'ok'
    ELSE format('%s, not %s', coalesce(found::text, 'null'), coalesce(expected::text, 'null')) END
$$;
-- three shares; masses and counts give the same
SELECT near(huf_tv(c * p, p2), 0.1) AS tv, near(huf_js_distance(c * p, p2), 0.09584323377689223) AS js_distance, near(huf_hellinger(c * p, p2), 0.07985138061590796) AS hellinger,
       near(huf_kl(c * p, p2), 0.02581540845502847) AS kl, near(huf_psi(c * p, p2), 0.051082562376599076) AS psi, near(huf_psi(c * p, p2, 1e-6), 0.051082562376599076) AS psi_eps
FROM (VALUES (0.5::float8, 0.4::float8), (0.3, 0.4), (0.2, 0.2)) v(p, p2), (VALUES (1), (37), (1e300), (1e-300)) c(c) GROUP BY c ORDER BY c;
SELECT near(huf_tv(p, q), 0.2) AS tv, near(huf_coherence(p, q), 0.8) AS coherence, near(huf_mean_abs_gap(p, q), 0.1) AS gap, near(huf_linf(p, q), 0.2) AS linf,
       near(huf_coherence_rms(p, q), 1 - sqrt((0.04 + 0.07 ^ 2 + 0.13 ^ 2) / 4)) AS rms
FROM (VALUES (0.3::float8, 0.5::float8), (0.3, 0.3), (0.2, 0.13), (0.2, 0.07)) v(p, q);
SELECT near(huf_entropy_shift(p, q), (ln(2) - 0) / ln(2)) AS dispersing, near(huf_entropy_shift(q, p), -1) AS concentrating FROM (VALUES (1, 1), (0, 1)) v(p, q);

CREATE TABLE pair (name text, prev float8, cur float8);
INSERT INTO pair VALUES ('1 null', NULL, NULL), ('2 one sided', 1, NULL), ('2 one sided', NULL, 1), ('3 zero side', 1, 0), ('4 zero', 0, 0), ('5 single', 3, 8),
  ('6 same', 1, 1), ('6 same', 2, 2), ('6 same', 7, 7), ('7 nan', 1, 'NaN'), ('7 nan', 1, 1), ('8 inf', 1, 1), ('8 inf', 'Infinity', 1), ('9 nan and zero', 'NaN', 0),
  ('a huge', 1e308, 1e308), ('a huge', 1e308, 1e308), ('a huge', 1e308, 1e308), ('b denormal', 5e-324, 1e-323), ('b denormal', 1e-323, 5e-324),
  ('c zeros', 1, 1), ('c zeros', 0, 0), ('d new', 1, 1), ('d new', NULL, 1), ('e doubled', 1, 2), ('e doubled', 5, 10);
SELECT name, huf_tv(prev, cur) AS tv, huf_coherence(prev, cur) AS c, huf_coherence_rms(prev, cur) AS rms, huf_linf(prev, cur) AS linf, huf_mean_abs_gap(prev, cur) AS gap,
       round(huf_js(prev, cur)::numeric, 12) AS js, round(huf_js_distance(prev, cur)::numeric, 12) AS jsd, round(huf_hellinger(prev, cur)::numeric, 12) AS hellinger
FROM pair WHERE name !~ '^[789]' GROUP BY name ORDER BY name;
SELECT name, round(huf_kl(prev, cur)::numeric, 12) AS kl, round(huf_psi(prev, cur)::numeric, 12) AS psi, round(huf_entropy_shift(prev, cur)::numeric, 12) AS shift
FROM pair WHERE name !~ '^[789]' GROUP BY name ORDER BY name;
SELECT name, huf_kl(prev, cur, 0) AS kl0, huf_psi(prev, cur, 0) AS psi0 FROM pair WHERE name !~ '^[789b]' GROUP BY name ORDER BY name;
SELECT name, huf_tv(prev, cur) AS tv, huf_coherence(prev, cur) AS c, huf_coherence_rms(prev, cur) AS rms, huf_linf(prev, cur) AS linf, huf_mean_abs_gap(prev, cur) AS gap,
       huf_js(prev, cur) AS js, huf_js_distance(prev, cur) AS jsd, huf_hellinger(prev, cur) AS hellinger, huf_kl(prev, cur) AS kl, huf_psi(prev, cur) AS psi, huf_entropy_shift(prev, cur) AS shift
FROM pair WHERE name ~ '^[789]' GROUP BY name ORDER BY name;
SELECT huf_tv(1, 1), huf_kl(1, 1), huf_entropy_shift(1, 1) WHERE false;
-- kl is later against earlier: a share that vanished costs nothing, one that appeared is infinite
SELECT near(huf_kl(p, q, 0), ln(2)) AS vanished, huf_kl(q, p, 0) AS appeared, huf_psi(p, q, 0) AS psi FROM (VALUES (1, 2), (1, 0)) v(p, q);
-- denormal shares neither overflow nor vanish
SELECT near(huf_kl(p, q, 0), 0.5 * (ln(0.5) - ln(5e-324::float8)) + 0.5 * ln(0.5)) AS kl, near(huf_psi(p, q, 0), 0.5 * (ln(0.5) - ln(5e-324::float8)) - 0.5 * ln(0.5)) AS psi
FROM (VALUES (5e-324::float8, 1::float8), (1, 1)) v(p, q);
-- nor do shares that no double holds
SELECT near(huf_kl(p, q, 0), 370.02305279148146) AS denormal_kl, near(huf_psi(p, q, 0), 370.71619997204135) AS psi, near(huf_psi(q, p, 0), 370.71619997204135) AS other_way
FROM (VALUES (1e308::float8, 0.5::float8), (1e-14, 0.5)) v(p, q);
SELECT near(huf_kl(p, q, 0), 725.7784195109339) AS underflow_kl, near(huf_psi(p, q, 0), 726.4715666914938) AS psi, near(huf_kl(q, p, 0), ln(2)) AS other_way
FROM (VALUES (1e308::float8, 0.5::float8), (1e-323, 0.5)) v(p, q);
SELECT huf_kl(p, q, 0) AS none, huf_kl(q, p, 0) AS all_the_same, huf_psi(p, q, 0) AS psi, near(huf_kl(q, p, 1e-320), 0) AS eps FROM (VALUES (1e308::float8, 1::float8), (1e-323, 0)) v(p, q);
-- close snapshots keep their digits
SELECT near(huf_js(1, 1 + d), 0) AS one_row FROM (VALUES (1e-9::float8)) v(d);
SELECT near(huf_js(p, q), 1e-12 / 8, 1e-5) AS js, near(huf_psi(p, q), 1e-12, 1e-5) AS psi, near(huf_kl(p, q), 0.5e-12, 1e-5) AS kl, near(huf_hellinger(p, q), sqrt(1e-12 / 8), 1e-5) AS hellinger
FROM (VALUES (0.5, 0.5000005::float8), (0.5, 0.4999995)) v(p, q);
-- where series take over from logarithms, and next to that
SELECT near(huf_js(p, q), 0.004088831620538591) AS js, near(huf_kl(p, q), 0.01646825012313243) AS kl, near(huf_kl(q, p), 0.016288633824994618) AS back, near(huf_psi(p, q), 0.03275688394812705) AS psi
FROM (VALUES (0.59::float8, 0.5::float8), (0.41, 0.5)) v(p, q);
SELECT near(huf_js(p, q), 0.00020660673712087272) AS js, near(huf_kl(p, q), 0.000827260539838919) AS kl, near(huf_kl(q, p), 0.0008257241641593762) AS back, near(huf_psi(p, q), 0.0016529847039982953) AS psi
FROM (VALUES (0.52::float8, 0.5::float8), (0.3, 0.31), (0.18, 0.19)) v(p, q);
-- refused
SELECT huf_tv(1, -1);
SELECT huf_js(-1, 'NaN');
SELECT huf_psi(1, 1, 1);
SELECT huf_kl(1, 1, -0.1);
SELECT huf_kl(1, 1, NULL);
SELECT huf_kl(1, 1, 'NaN');
SELECT huf_kl(1, 1, i / 10.0) FROM generate_series(1, 2) i;

-- two samples of scores
WITH s(x, later) AS (VALUES (1, false), (2, false), (3, false), (2, true), (3, true), (4, true), (NULL, true), (9, NULL))
SELECT near(huf_ks(x, later), 1.0 / 3) AS ks, near(huf_w1(x, later), 1) AS w1, near(huf_psi_binned(x, later, '{2,3.5}'), 2 * ln(1e6::float8 / 3) / 3, 1e-4) AS psi FROM s;
SELECT huf_ks(x, later) AS ks, huf_w1(x, later) AS w1 FROM (VALUES (1, false), (1, false), (1, true)) v(x, later);
SELECT huf_ks(x, later) AS ks, near(huf_w1(x, later), 2e-300) AS w1 FROM (VALUES (1e-300::float8, false), (3e-300, true)) v(x, later);
SELECT huf_ks(1, false) AS one_side, huf_w1(1, true), huf_psi_binned(1, true, '{0}');
SELECT huf_ks(x, later) AS nan, huf_w1(x, later) AS nan, huf_psi_binned(x, later, '{0}') AS nan, huf_histogram(x, '{0}') AS bad FROM (VALUES ('NaN'::float8, false), (1, true)) v(x, later);
SELECT huf_ks(x, later) AS inf, huf_w1(x, later) AS inf, huf_psi_binned(x, later, '{0}') AS inf FROM (VALUES ('Infinity'::float8, false), (1, true)) v(x, later);
SELECT huf_ks(1, true), huf_w1(1, true), huf_psi_binned(1, true, '{1}'), huf_histogram(1, '{1}') WHERE false;
-- a sample that is not there comes before one that is not a number
SELECT huf_ks(x, true) AS ks, huf_w1(x, true) AS w1, huf_psi_binned(x, true, '{0}') AS psi FROM (VALUES ('NaN'::float8), (1)) v(x);
SELECT huf_psi_binned(x, later, '{0}') AS nan FROM (VALUES ('NaN'::float8, true), (1, false)) v(x, later);
-- bins are closed on the left
SELECT huf_histogram(x, '{0,1,2.5}') FROM unnest('{-1,0,0.5,1,2.4999,2.5,7,NULL}'::float8[]) x;
-- the same index from counts kept in a table
WITH h AS (SELECT huf_histogram(x, '{0,1}') FILTER (WHERE NOT later) AS a, huf_histogram(x, '{0,1}') FILTER (WHERE later) AS b, huf_psi_binned(x, later, '{0,1}', 0.001) AS psi
           FROM (VALUES (-1, false), (0, false), (0.5, false), (3, false), (0.1, true), (4, true), (5, true)) v(x, later))
SELECT near((SELECT huf_psi(p, q, 0.001) FROM unnest(a, b) u(p, q)), psi) FROM h;
SELECT huf_histogram(1, '{}');
SELECT huf_histogram(1, '{1,1}');
SELECT huf_histogram(1, '{2,1}');
SELECT huf_histogram(1, '{NaN}');
SELECT huf_histogram(1, '{NULL}');
SELECT huf_histogram(1, NULL);
SELECT huf_histogram(1, '{{1},{2}}');
SELECT huf_histogram(1, ARRAY[i]) FROM generate_series(1, 2) i;
SELECT huf_psi_binned(1, true, '{1}', 1);
DROP TABLE pair;
DROP FUNCTION near(float8, float8, float8);
