-- Governance functions of scores: activity, shares, concentration, objective.
-- Values are compared with a tolerance, for the last bits depend on the plan.
CREATE FUNCTION near(found float8, expected float8, tolerance float8 DEFAULT 1e-12) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN found IS NOT DISTINCT FROM expected THEN 'ok'
    WHEN abs(found - expected) <= 1e-15 + tolerance * abs(expected) THEN 'ok'
    ELSE format('%s, not %s', coalesce(found::text, 'null'), coalesce(expected::text, 'null')) END
$$;
CREATE TABLE sample (ord serial, ns text, score float8);
INSERT INTO sample (ns, score) VALUES
  ('kb', 0.82), ('kb', 0.63), ('kb', 0.55), ('kb', 0.48), ('kb', 0.42), ('kb', 0.38),
  ('tickets', 0.77), ('tickets', 0.12), ('docs', 0.45), ('emails', 0.30);

-- linear shares of four hits
WITH hit(ns, x) AS (VALUES ('kb', 0.82::float8), ('kb', 0.63), ('tickets', 0.77), ('tickets', 0.12))
SELECT near(huf_mass(x) FILTER (WHERE ns = 'kb') / huf_mass(x), 0.6196581196581197) AS kb,
       near(huf_mass(x) FILTER (WHERE ns = 'tickets') / huf_mass(x), 0.3803418803418804) AS tickets,
       huf_items_to_cover(x, 0.9) AS cover
FROM hit;
-- ten equal masses reach 0.9 with nine, whatever binary sums say
SELECT huf_items_to_cover(0.1, 0.9), huf_items_to_cover(0.1), huf_items_to_cover_approx(0.1) FROM generate_series(1, 10);
SELECT huf_items_to_cover(x, 0.8) FROM (VALUES (0.5), (0.3), (0.13), (0.07)) v(x);
-- softmax shares of the sample, from an array and from a mergeable aggregate
SELECT ns, near(exp(huf_lse(score) - (SELECT huf_lse(score) FROM sample)), g.share)
FROM sample JOIN (VALUES ('kb', 0.6281302697952807), ('tickets', 0.1969940579036906), ('docs', 0.0939834055191261),
                         ('emails', 0.08089226678190263)) g(ns, share) USING (ns)
GROUP BY ns, g.share ORDER BY g.share DESC;
SELECT u.ns, near(sum(u.share), g.share) FROM
  (SELECT array_agg(ns ORDER BY ord) AS ns, huf_softmax(array_agg(score ORDER BY ord)) AS share FROM sample) a,
  unnest(a.ns, a.share) AS u(ns, share)
  JOIN (VALUES ('kb', 0.6281302697952807), ('tickets', 0.1969940579036906), ('docs', 0.0939834055191261),
               ('emails', 0.08089226678190263)) g(ns, share) USING (ns)
GROUP BY u.ns, g.share ORDER BY g.share DESC;
SELECT huf_items_to_cover(score, 0.9, 'softmax') AS softmax, huf_items_to_cover(score, 0.9, 'linear') AS linear FROM sample;
-- concentration of four masses
SELECT near(huf_hhi(x), 0.365) AS hhi, near(huf_neff_hhi(x), 2.73972602739726) AS n2, near(huf_entropy(x), 1.1421200429883351) AS h,
       near(huf_neff_entropy(x), 3.133404280262059) AS n1, near(huf_evenness(x), 0.8238654610595805) AS evenness,
       near(huf_gini(x), 0.375) AS gini, near(huf_top_share(x), 0.5) AS top, near(huf_rho_var(x), 0.365 / 4 - 1.0 / 16) AS var
FROM (VALUES (5::float8), (3), (1.5), (0.5)) v(x);
-- the same through every overload
SELECT near(huf_hhi(x, 'linear'), 0.365), near(huf_neff_hhi(x, 'linear', 1), 2.73972602739726), near(huf_entropy(x, 'linear'), 1.1421200429883351),
       near(huf_neff_entropy(x, 'linear', 7), 3.133404280262059), near(huf_evenness(x, 'linear'), 0.8238654610595805),
       near(huf_gini(x, 'linear'), 0.375), near(huf_gini(x, 'linear', 1), 0.375), near(huf_top_share(x, 'linear'), 0.5),
       near(huf_rho_var(x, 'linear'), 0.02875)
FROM (VALUES (5::float8), (3), (1.5), (0.5)) v(x);
-- softmax of logarithms is linear
SELECT near(huf_hhi(ln(x), 'softmax'), 0.365) AS hhi, near(huf_neff_hhi(ln(x), 'softmax', 1), 2.73972602739726) AS n2,
       near(huf_entropy(3 * ln(x), 'softmax', 3), 1.1421200429883351) AS h, near(huf_neff_entropy(ln(x), 'softmax'), 3.133404280262059) AS n1,
       near(huf_evenness(ln(x), 'softmax'), 0.8238654610595805) AS evenness, near(huf_gini(ln(x), 'softmax'), 0.375) AS gini,
       near(huf_top_share(ln(x), 'softmax'), 0.5) AS top, near(huf_rho_var(ln(x), 'softmax'), 0.02875) AS var
FROM (VALUES (5::float8), (3), (1.5), (0.5)) v(x);
-- namespaces of the sample as a population
WITH r AS (SELECT ns, huf_lse(score) AS lse FROM sample GROUP BY ns)
SELECT round(huf_neff_hhi(lse, 'softmax')::numeric, 3) AS n2, round(huf_neff_entropy(lse, 'softmax')::numeric, 3) AS n1,
       huf_items_to_cover(lse, 0.9, 'softmax') AS namespaces FROM r;

-- activity
SELECT near(huf_activity_age(3 * 86400), 0.5488116360940264) AS d3, near(huf_activity_age(30 * 86400), 0.0024787521766663576) AS d30,
       near(huf_activity('2026-01-01 00:00+00', '2026-01-04 00:00+00'), 0.5488116360940264) AS at,
       near(huf_activity('2026-01-01 00:00+00', '2026-01-01 12:00+00', k => 1), exp(-0.5)) AS fraction_of_a_day;
SELECT age, huf_activity_tier(age) FROM unnest(ARRAY[0, 3599.999999, 3600, 86399.999999, 86400, 604799.999999, 604800, 2592000, 2592000.000001,
  -5, 'Infinity', '-Infinity', 'NaN', NULL]::float8[]) age;
SELECT huf_activity_age(NULL) AS missing, huf_activity_age(NULL, missing => 0.25) AS given, huf_activity_age('NaN') AS nan, huf_activity_age(-100) AS future,
       huf_activity_age('Infinity') AS inf, huf_activity_age('Infinity', 0) AS inf0, huf_activity_age(1e300) AS underflow, huf_activity_age(1, NULL) AS no_rate;
SELECT huf_activity('infinity', '2026-01-01') AS never_past, huf_activity('-infinity', '2026-01-01') AS always, huf_activity('-infinity', '2026-01-01', 0) AS k0,
       huf_activity('4713-01-01 BC', '294276-12-31') AS ends, huf_activity('2026-01-01', 'infinity') AS end_of_time, huf_activity('infinity', 'infinity') AS both,
       huf_activity(NULL, '2026-01-01') AS missing, huf_activity('2026-01-01', NULL) AS no_time;
SELECT huf_activity(now()) AS now, huf_activity(now() + interval '1 day') AS future, huf_activity(NULL::timestamptz) AS missing,
       near(huf_activity(now() - interval '72 hours'), 0.5488116360940264) AS d3;
SELECT huf_activity_age(1, -1);
SELECT huf_activity_age(1, 'NaN');
SELECT huf_activity_age(1, 0.2, 2);

-- masses from scores
SELECT huf_nonneg('{1,-2,NULL,NaN}', 'clip') AS clip, huf_nonneg('{1,-2,NULL,NaN}', 'shift') AS shift, huf_nonneg('{3,2}', 'shift') AS unshifted,
       huf_nonneg('{NULL}', 'clip') AS nulls, huf_nonneg('{}', 'clip') AS empty, huf_nonneg(NULL, 'clip') AS null;
SELECT huf_nonneg('{1}', 'square');
SELECT huf_nonneg('{{1},{2}}', 'clip');

-- shares of arrays
SELECT huf_share('{1,NULL,3}') AS nulls, huf_share('{0,0}') AS zero, huf_share('{}') AS empty, huf_share('{NULL}') AS only_null, huf_share('{1,NaN,NULL}') AS nan,
       huf_share('{1,Infinity}') AS inf, huf_share('{-0.0,2}') AS minus_zero, huf_share('{7}') AS single;
SELECT huf_share(array_fill(1e308::float8, ARRAY[10])) AS huge, huf_share('{5e-324,5e-324,1e-323}') AS denormal, huf_share('{5e-324,5e-324}') AS halves,
       huf_share('{1e308,5e-324}') AS range;
SELECT huf_softmax('{-1e308,1e308}') AS extremes, huf_softmax('{-Infinity,0,NULL,0}') AS masked, huf_softmax('{-Infinity}') AS all_masked, huf_softmax('{1,NaN}') AS nan,
       huf_softmax('{1,Infinity}') AS inf, huf_softmax('{}') AS empty, huf_softmax('{-1e308,1e308}', 1e308) AS hot;
SELECT near(v[2] / v[1], exp(2)) AS wide FROM huf_softmax('{-1e308,1e308}', 1e308) v;
SELECT huf_share('{1,-1}');
SELECT huf_share('{NaN,-Infinity}');
SELECT huf_softmax('{1}', 0);
SELECT huf_softmax('{1}', 'NaN');
SELECT huf_softmax('{1}', 'Infinity');
SELECT huf_activity_share('{1,2,NULL,4}', '{0,0.5,1,0.25}') AS weighted, huf_activity_share('{1,2}', '{0,0}') AS dormant, huf_activity_share('{1,2}', '{NULL,1}') AS unknown,
       huf_activity_share('{1,NaN}', '{1,1}') AS nan, huf_activity_share('{}', '{}') AS empty;
SELECT huf_activity_share('{1e-200,1e200,2e-200}', '{1e-300,0,1e-300}') AS far_below, huf_activity_share('{1e308,1e308}', '{1,1}') AS huge, huf_activity_share('{5e-324,5e-324}', '{1e-300,5e-324}') AS tiny;
SELECT huf_activity_share('{NaN,-1}', '{1,NULL}') AS masked;
SELECT huf_activity_share('{NaN,-1}', '{NaN,1}');
SELECT huf_activity_share('{1}', '{1,1}');
SELECT huf_activity_share('{1}', '{2}');
-- linear shares are the same under scaling, softmax shares under a shift
SELECT bool_and(near(a, b) = 'ok') FROM (SELECT array_agg(score) s, array_agg(score * 3.7) c FROM sample) x, unnest(huf_share(s), huf_share(c)) u(a, b);
SELECT bool_and(near(a, b) = 'ok') FROM (SELECT array_agg(score) s, array_agg(score + 3.7) c FROM sample) x, unnest(huf_softmax(s), huf_softmax(c)) u(a, b);

-- an array of shares has the subscripts of the scores
SELECT huf_share('[0:2]={1,3,NULL}'), huf_softmax('[-1:0]={1,1}'), huf_nonneg('[0:1]={-1,1}', 'clip');

-- empty, single, NULL, NaN, infinite, zero
CREATE TABLE edge (name text, x float8[]);
INSERT INTO edge VALUES ('1 empty', '{}'), ('2 null', '{NULL,NULL}'), ('3 single', '{3}'), ('4 zero', '{0,0}'), ('5 -zero', '{-0.0}'), ('6 nan', '{1,NaN}'), ('7 inf', '{1,Infinity}'),
  ('8 nulls', '{NULL,1,NULL,3}'), ('9 one positive', '{0,0,2}'), ('a huge', '{1e308,1e308,1e308,1e308}'), ('b denormal', '{5e-324,5e-324,1e-323}'),
  ('c wide', '{5e-324,1e308}'), ('d nan zero', '{0,NaN}'), ('e rising', '{5e-324,1e-300,1e-3,1,1e300}');
SELECT name, huf_mass(x) AS mass, huf_mean_abs(x) AS mean, huf_hhi(x) AS hhi, huf_neff_hhi(x) AS n2, round(huf_entropy(x)::numeric, 12) AS h, round(huf_neff_entropy(x)::numeric, 12) AS n1,
       round(huf_evenness(x)::numeric, 12) AS even, huf_top_share(x) AS top, round(huf_rho_var(x)::numeric, 12) AS var
FROM (SELECT name, u AS x FROM edge LEFT JOIN unnest(edge.x) u ON true) e WHERE name NOT IN ('6 nan', '7 inf', 'd nan zero') GROUP BY name ORDER BY name;
SELECT name, huf_mass(x) AS mass, huf_mean_abs(x) AS mean, huf_hhi(x) AS hhi, huf_neff_hhi(x) AS n2, huf_entropy(x) AS h, huf_neff_entropy(x) AS n1,
       huf_evenness(x) AS even, huf_top_share(x) AS top, huf_rho_var(x) AS var
FROM (SELECT name, u AS x FROM edge LEFT JOIN unnest(edge.x) u ON true) e WHERE name IN ('6 nan', '7 inf', 'd nan zero') GROUP BY name ORDER BY name;
SELECT name, huf_gini(x) AS gini, huf_items_to_cover(x) AS cover, huf_items_to_cover_approx(x) AS approx, huf_items_to_cover(x, 1) AS all, huf_items_to_cover_approx(x, 1) AS approx_all
FROM (SELECT name, u AS x FROM edge LEFT JOIN unnest(edge.x) u ON true) e GROUP BY name ORDER BY name;
-- without any row at all
SELECT huf_mass(1) AS mass, huf_mean_abs(1), huf_lse(1), huf_hhi(1), huf_entropy(1), huf_rho_var(1), huf_gini(1), huf_items_to_cover(1), huf_items_to_cover_approx(1) WHERE false;
-- under softmax negative scores are fine, -Infinity is masked, and a masked item counts in n
CREATE TABLE soft (name text, x float8[]);
INSERT INTO soft VALUES ('1 masked', '{-Infinity,-Infinity}'), ('2 one left', '{-Infinity,5}'), ('3 negative', '{-1,-1,-1,-1}'), ('4 nan', '{NaN,1}'), ('5 inf', '{Infinity}'),
  ('6 far', '{-1e308,1e308}'), ('7 single', '{-3}'), ('8 null', '{NULL}'), ('9 equal 1e300', '{1e300,1e300}');
SELECT name, huf_lse(x) AS lse, huf_hhi(x, 'softmax') AS hhi, huf_neff_hhi(x, 'softmax') AS n2, huf_entropy(x, 'softmax') AS h, huf_evenness(x, 'softmax') AS even,
       huf_top_share(x, 'softmax') AS top, huf_rho_var(x, 'softmax') AS var, huf_gini(x, 'softmax') AS gini, huf_items_to_cover(x, 0.9, 'softmax') AS cover
FROM (SELECT name, u AS x FROM soft LEFT JOIN unnest(soft.x) u ON true) e GROUP BY name ORDER BY name;
-- the order of a rising and a falling column makes no difference
SELECT near(up, down) AS lse, near(eup, edown) AS h FROM
  (SELECT huf_lse(i / 7.0, 0.5) AS up, huf_entropy(i / 7.0, 'softmax', 0.5) AS eup FROM generate_series(1, 10000) i) u,
  (SELECT huf_lse(i / 7.0, 0.5) AS down, huf_entropy(i / 7.0, 'softmax', 0.5) AS edown FROM generate_series(10000, 1, -1) i) d;
-- nearly equal shares keep their variance
SELECT near(huf_rho_var(1 + i * 1e-9), 1.25e-18 / 16, 1e-6) AS var FROM generate_series(1, 4) i;
SELECT near(huf_entropy(x), 1e-13 + 1e-13 * ln(1e13::float8), 1e-3) FROM (VALUES (1::float8), (1e-13)) v(x);

-- many masses, of which only some are sorted, against a running sum
WITH m AS (SELECT ((i * 7919 % 200003) ^ 2) * 1e290 AS x FROM generate_series(1::bigint, 200000) i), r AS (SELECT sum(x / 1e290) OVER (ORDER BY x DESC) AS prefix, sum(x / 1e290) OVER () AS total FROM m)
SELECT q, huf_items_to_cover(x, q) = (SELECT count(*) FILTER (WHERE prefix < (q - 1e-12) * total) + 1 FROM r) AS same, abs(huf_items_to_cover_approx(x, q) - huf_items_to_cover(x, q)) < 0.02 * count(*) AS close
FROM m, unnest('{0.001,0.3,0.5,0.9,0.999}'::float8[]) q GROUP BY q ORDER BY q;
SELECT huf_items_to_cover(CASE WHEN i = 7 THEN 'NaN' ELSE 1::float8 END) AS nan, huf_items_to_cover(0 * i) AS zero, huf_items_to_cover(1, 1) AS equal FROM generate_series(1, 200000) i;
-- many masses are not sorted but counted in buckets; a window sum says the same
CREATE TABLE many AS SELECT i, CASE WHEN i % 50 = 0 THEN 0 WHEN i % 7 = 0 THEN 0.1 ELSE exp(sin(i * 1.37) * 300 * (i % 3)) END AS x FROM generate_series(1, 150000) i;
SELECT q, huf_items_to_cover(x, q) = (SELECT count(*) FROM (SELECT coalesce(sum(x::numeric) OVER (ORDER BY x DESC, i ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before FROM many) s
                                      WHERE before + 1e-12 * (SELECT sum(x::numeric) FROM many) < q::numeric * (SELECT sum(x::numeric) FROM many)) AS same
FROM many, (VALUES (0.001::float8), (0.5), (0.9), (0.999999), (1)) v(q) GROUP BY q ORDER BY q;
SELECT huf_items_to_cover(x) AS equal, huf_items_to_cover(1e308 * x) AS huge, huf_items_to_cover(5e-324 * x) AS denormal, huf_items_to_cover(0 * x) AS zero, huf_items_to_cover(-0.0::float8) AS minus_zero FROM (SELECT 1::float8 AS x FROM generate_series(1, 100000)) s;
SELECT huf_items_to_cover(CASE i WHEN 777 THEN 'NaN' ELSE x END) AS nan, huf_items_to_cover(CASE i WHEN 777 THEN 'Infinity' ELSE x END) AS inf FROM many;
DROP TABLE many;

-- refused
SELECT huf_hhi(x) FROM (VALUES (1.0), (-1)) v(x);
SELECT huf_entropy(x) FROM (VALUES ('NaN'::float8), ('-Infinity')) v(x);
SELECT huf_rho_var(-1);
SELECT huf_mass(-1);
SELECT huf_gini(-0.5);
SELECT huf_items_to_cover(-0.5);
SELECT huf_items_to_cover_approx(-0.5);
SELECT huf_hhi(1, 'cubic');
SELECT huf_hhi(1, 'cubic'::text);
SELECT huf_hhi(1, NULL);
SELECT huf_hhi(1, 'softmax', 0);
SELECT huf_gini(1, 'softmax', NULL);
SELECT huf_lse(1, -1);
SELECT huf_items_to_cover(1, 0);
SELECT huf_items_to_cover(1, 1.1);
SELECT huf_items_to_cover(1, 'NaN');
SELECT huf_items_to_cover_approx(1, 0);
SELECT huf_items_to_cover_approx(1, NULL);
-- a parameter that changes inside a group
SELECT huf_hhi(1, 'softmax', i) FROM generate_series(1, 2) i;
SELECT huf_hhi(1, CASE i WHEN 1 THEN 'softmax' ELSE 'linear' END) FROM generate_series(1, 2) i;
SELECT huf_items_to_cover(1, i / 10.0) FROM generate_series(1, 2) i;
SELECT huf_items_to_cover_approx(1, i / 10.0) FROM generate_series(1, 2) i;
SELECT huf_gini(1, 'softmax', i) FROM generate_series(1, 2) i;
SELECT huf_lse(1, i) FROM generate_series(1, 2) i;
-- even on rows that are skipped
SELECT huf_lse(NULL, i) FROM generate_series(1, 2) i;

-- what is small keeps its digits: one score beside a large temperature, a positive part of a total, nearly equal shares
SELECT huf_lse(x, 1e6) AS single, near(huf_lse(x, 1e3), 0.001) AS merged FROM (VALUES (0.001::float8), ('-Infinity')) v(x);
SELECT near(huf_lse(x, 1e6), 1.0020611536203143) AS one_dominates FROM (VALUES (1::float8), (1 - 2e7)) v(x);
SELECT huf_items_to_cover(x, 1e-15) AS first, huf_items_to_cover_approx(x, 1e-15) AS approx, huf_items_to_cover(x, 1e-15, 'softmax') AS softmax, huf_items_to_cover(0 * x, 1e-15) AS none FROM (VALUES (1::float8), (2)) v(x);
SELECT near(huf_rho_var(x) * 1e20, 7.407407810803269) AS var FROM (VALUES (1::float8), (1 + 1e-9), (1 - 1e-9)) v(x);
SELECT near(huf_rho_var(x) / 4.814824860968088e-41, 1) AS var FROM (SELECT 0.1 + (i % 2) * 1.3877787807814457e-17 AS x FROM generate_series(1, 10000) i) v;

-- the damping objective
CREATE VIEW kb AS SELECT array_agg(score ORDER BY ord) AS s FROM sample WHERE ns = 'kb';
SELECT near(huf_damping_coherence(0.52, s), 0.7376) AS c, near(huf_objective(0.52, s, 0.94), 0.26721719044961056) AS j, near(huf_objective(1, s, 0.95), 0.004066770437062237) AS j1,
       huf_alpha_star(s) AS alpha, near(huf_objective_penalty(1, s, 0.08 * 0.05), 0.004066770437062237) AS penalty,
       near(huf_alpha_coupled(s, 0.15), 0.5466666666666666 / (0.5466666666666666 + 0.068)) AS coupled FROM kb;
-- the best alpha is the point of the box nearest to 1: a grid finds nothing better
SELECT huf_alpha_star(s, 0.1, 0.2, 0.75) AS below, huf_alpha_star(s, 0.1, 1.5, 2) AS above,
       (SELECT alpha / 100.0 FROM generate_series(0, 200) alpha ORDER BY huf_objective(alpha / 100.0, s, 0.5, 0.49) LIMIT 1)::float8 AS grid FROM kb;
SELECT huf_objective(1, '{}', 0.5) AS empty, huf_objective(1, '{NULL}', 0.5) AS nulls, huf_objective(1, '{NaN}', 0.5) AS nan, huf_objective(1, '{1,Infinity}', 0.5) AS inf,
       huf_objective(10, '{1e308}', 0.5) AS overflow, huf_objective(NULL, '{1}', 0.5) AS null, huf_objective(0.5, '{3}', 1) AS single,
       huf_damping_coherence(1, '{1e308,1e308}') AS huge, huf_damping_coherence(0, '{1e308,1e308}') AS minus_mean;
SELECT huf_alpha_star('{}') AS empty, huf_alpha_star('{0,0}') AS zero, huf_alpha_star('{NaN}') AS nan, huf_alpha_star('{5e-324,0,0}') AS tiny,
       huf_alpha_coupled('{5e-324,0,0}', 1) AS tiny, huf_alpha_coupled('{0}', 0.5) AS no_scores, huf_alpha_coupled('{0}', 1) AS undefined, huf_alpha_coupled('{1}', 1) AS active, huf_alpha_coupled('{1e308}', 0, 1e308) AS huge;
SELECT huf_alpha_star('{1}', 0.5);
SELECT huf_alpha_star('{1}', 0.1, 1, 0);
SELECT huf_objective(1, '{1}', 1.5);
SELECT huf_objective(1, '{1}', 0.5, -1);
SELECT huf_objective(1, '{1}', 0.5, 0.1, -1);
SELECT huf_objective_penalty(1, '{1}', -1);
SELECT huf_alpha_coupled('{1}', -0.1);
SELECT near(huf_erosion(0.628, 0.538), -0.14331210191082797) AS erosion, huf_erosion(0, 1) AS from_zero, huf_erosion(1, NULL) AS unknown, huf_erosion(1, 0) AS gone, huf_erosion('NaN', 1) AS nan;
SELECT huf_erosion(-1, 1);
SELECT huf_erosion(-1, 'NaN');
-- the global objective: shares are made inside, so masses may be given
SELECT near(huf_global_objective(a, w, j), 0.9 * 0.75 * 0.2 + 0.5 * 0.25 * 0.4 + 0.05 * 0.125) AS j,
       near(huf_global_objective(a, w, j, 0), 0.185) AS gamma0, near(huf_global_objective(a, w, j, 0, true), 0.185 / 0.8) AS normalised
FROM (VALUES (0.9, 3, 0.2), (0.5, 1, 0.4), (NULL, 5, 1)) v(a, w, j);
SELECT huf_global_objective(1, 2, 0.25) AS single, huf_global_objective(0, 2, 0.25, 0, true) AS dormant, huf_global_objective(1, 0, 1) AS no_mass, huf_global_objective('NaN', 1, 1) AS nan;
-- weights below any share
SELECT near(huf_global_objective(a, w, j, 0, true), 2) AS normalised FROM (VALUES (1e-300::float8, 1e-200::float8, 2::float8), (0, 1e200, 7), (1e-300, 1e-200, 2)) v(a, w, j);
SELECT huf_global_objective(2, 1, 1);
SELECT huf_global_objective(1, 1, 1, -1);

-- a tier is of an age or of two times, and not of an activity score
SELECT huf_activity_tier(at, '2026-01-05 12:00+00') AS tier FROM unnest(ARRAY['2026-01-05 11:59:59.5+00', '2026-01-05 11:00+00', '2026-01-04 12:00+00', '2025-12-06 12:00+00',
	'2025-12-06 11:59+00', '2027-01-01 00:00+00', NULL, '-infinity']::timestamptz[]) at;
SELECT huf_activity_tier(0.95);
SELECT huf_activity_tier(0) AS now, huf_activity_tier(1) AS second, huf_activity_tier(-0.5) AS future;

-- every function says what it computes, and may run in a parallel worker
SELECT p.oid::regprocedure AS undocumented FROM pg_proc p WHERE proname ~ '^huf_' AND pronamespace = 'public'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL;
SELECT p.oid::regprocedure AS unsafe FROM pg_proc p WHERE proname ~ '^huf_' AND pronamespace = 'public'::regnamespace AND proname <> 'huf_install' AND proparallel <> 's';
SELECT p.oid::regprocedure AS not_immutable FROM pg_proc p WHERE proname ~ '^huf_' AND pronamespace = 'public'::regnamespace AND proname <> 'huf_install' AND provolatile <> 'i';
-- every aggregate merges
SELECT a.aggfnoid::regprocedure AS unmergeable FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid
WHERE proname ~ '^huf_' AND (aggcombinefn = 0 OR (aggtranstype = 'internal'::regtype AND (aggserialfn = 0 OR aggdeserialfn = 0)));
DROP VIEW kb;
DROP TABLE sample, edge, soft;
DROP FUNCTION near(float8, float8, float8);
