-- Governance functions of embeddings: sketches, coherence, drift.
CREATE FUNCTION near(found float8, expected float8, tolerance float8 DEFAULT 1e-12) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN found IS NOT DISTINCT FROM expected THEN 'ok'
    WHEN abs(found - expected) <= 1e-15 + tolerance * abs(expected) THEN 'ok'
    ELSE format('%s, not %s', coalesce(found::text, 'null'), coalesce(expected::text, 'null')) END
$$;
CREATE TABLE emb (ns text, v float8[]);
INSERT INTO emb VALUES ('a', '{1,0,0}'), ('a', '{0.8,0.6,0}'), ('a', '{0.6,0,0.8}'),
  ('b', '{0,1,0}'), ('b', '{0.6,0.8,0}'), ('b', '{0,0.6,0.8}'), ('b', '{0,1,1}');
CREATE TABLE sketch AS SELECT ns, huf_sketch(v) AS s FROM emb GROUP BY ns;

-- coherence of one set, directly and from a stored sketch
SELECT near(huf_mrl(v), 0.8666666666666667) AS r, near(huf_pairwise_cos(v), 0.6266666666666667) AS c, near(huf_dispersion(v), 0.2488888888888889) AS dispersion,
       near(huf_kappa(v), (26.0 / 30) * (3 - (26.0 / 30) ^ 2) / (1 - (26.0 / 30) ^ 2)) AS kappa FROM emb WHERE ns = 'a';
SELECT near(huf_mrl(s), 0.8666666666666667) AS r, near(huf_pairwise_cos(s), 0.6266666666666667) AS c, near(huf_dispersion(s), 0.2488888888888889) AS dispersion,
       near(huf_kappa(s), (26.0 / 30) * (3 - (26.0 / 30) ^ 2) / (1 - (26.0 / 30) ^ 2)) AS kappa, huf_sketch_dims(s) AS d, huf_sketch_count(s) AS n FROM sketch WHERE ns = 'a';
-- drift between two
SELECT near(huf_centroid_cos_drift(a.s, b.s), 0.5051173757718719) AS cos, near(huf_centroid_l2_drift(a.s, b.s), 0.9373425793759244) AS l2,
       near(huf_l2_unbiased(a.s, b.s), 0.6533333333333333) AS unbiased, near(huf_frechet_diag(a.s, b.s), 0.9077629050151423) AS frechet
FROM sketch a, sketch b WHERE a.ns = 'a' AND b.ns = 'b';
SELECT huf_centroid_cos_drift(s, s) AS cos, huf_centroid_l2_drift(s, s) AS l2, huf_frechet_diag(s, s) AS frechet FROM sketch WHERE ns = 'a';
-- mean cosine of pairs from different groups, against the pairs one by one
SELECT near((SELECT huf_between_cos(s) FROM sketch),
  (SELECT avg((SELECT sum(p * q) FROM unnest(x.v, y.v) u(p, q)) / sqrt((SELECT sum(p * p) FROM unnest(x.v) p) * (SELECT sum(q * q) FROM unnest(y.v) q)))
   FROM emb x, emb y WHERE x.ns = 'a' AND y.ns = 'b')) AS between_groups;
SELECT huf_between_cos(s) AS one_group FROM sketch WHERE ns = 'a';
-- and within one
SELECT near((SELECT huf_pairwise_cos(v) FROM emb),
  (WITH e AS (SELECT row_number() OVER () AS i, v FROM emb)
   SELECT avg((SELECT sum(p * q) FROM unnest(x.v, y.v) u(p, q)) / sqrt((SELECT sum(p * p) FROM unnest(x.v) p) * (SELECT sum(q * q) FROM unnest(y.v) q)))
   FROM e x, e y WHERE x.i < y.i)) AS within;

-- merging sketches is sketching the union
SELECT near(huf_mrl(huf_sketch_merge(s)), (SELECT huf_mrl(v) FROM emb)) AS r, near(huf_dispersion(huf_sketch_merge(s)), (SELECT huf_dispersion(v) FROM emb)) AS dispersion,
       huf_sketch_count(huf_sketch_merge(s)) AS n FROM sketch;
SELECT bool_and(near(m, avg) = 'ok') AS centroid FROM (SELECT huf_sketch_centroid(huf_sketch_merge(s)) AS mean FROM sketch) x, unnest(mean) WITH ORDINALITY u(m, i)
  JOIN (SELECT i, avg(c) FROM emb, unnest(v) WITH ORDINALITY w(c, i) GROUP BY i) a USING (i);
-- a large offset does not swallow the spread
SELECT near(huf_dispersion(ARRAY[1e9 + i]::float8[]), 2.0 / 3) AS offset FROM (VALUES (-1::float8), (0), (1)) t(i);

-- text and binary forms read back as the same sketch
SELECT s FROM sketch WHERE ns = 'a';
SELECT bool_and(s::text::huf_sketch::text = s::text) AS text FROM sketch;
CREATE TABLE copy (ns text, s huf_sketch);
SELECT format('%s/huf_sketch_test.%s', current_setting('data_directory'), pg_backend_pid()) AS file \gset
SELECT format('cat %1$s && rm %1$s', :'file') AS read \gset
COPY sketch TO :'file' (FORMAT binary);
COPY copy FROM PROGRAM :'read' (FORMAT binary);
SELECT count(*) AS binary FROM sketch JOIN copy USING (ns) WHERE sketch.s::text = copy.s::text;
SELECT '1:1:2:1:{NaN}:{Infinity}:{0}'::huf_sketch, '1:2:9223372036854775807:0:{-0,5e-324}:{1e308,-1e-5}:{0,1}'::huf_sketch;
SELECT ''::huf_sketch;
SELECT '2:1:1:1:{1}:{1}:{0}'::huf_sketch;
SELECT '1:1:1:1:{1}:{1}'::huf_sketch;
SELECT '1:1:1:1:{1}:{1}:{0}x'::huf_sketch;
SELECT '1:1:1:1:{ 1}:{1}:{0}'::huf_sketch;
SELECT '1:1:1:1:{0x1}:{1}:{0}'::huf_sketch;
SELECT '1:1:1:1:{1e999}:{1}:{0}'::huf_sketch;
SELECT '1:2:1:1:{1}:{1}:{0}'::huf_sketch;
SELECT '1:999999:1:1:{1}:{1}:{0}'::huf_sketch;
SELECT '1:1:0:0:{1}:{1}:{0}'::huf_sketch;
SELECT '1:1:1:2:{1}:{1}:{0}'::huf_sketch;
SELECT '1:1:1:1:{1}:{1}:{-1}'::huf_sketch;
SELECT '1:1:1:1:{-0x1}:{1}:{0}'::huf_sketch;
SELECT '1:1:1:1:{NaN(1)}:{1}:{0}'::huf_sketch;
SELECT '1:1:1:1:{inf}:{1}:{0}'::huf_sketch;
SELECT '1:1:1:1:{1e-400}:{1}:{0}'::huf_sketch;
-- any change of one character is refused, or reads back as what it then is
CREATE FUNCTION try(input text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN input::huf_sketch; EXCEPTION WHEN data_exception OR feature_not_supported THEN RETURN 'refused'; END $$;
WITH form(f) AS (VALUES ('1:2:3:2:{0.5,NaN}:{-1e-05,Infinity}:{0,5e-324}')),
changed(f) AS (SELECT overlay(f PLACING c FROM i FOR cut) FROM form, generate_series(1, length(f)) i, generate_series(0, 1) cut, unnest(string_to_array('0,1,9,:,{,},-,+,.,e,x,N,I, ', ',') || ARRAY['', ',']) c)
SELECT count(*), count(*) FILTER (WHERE t = 'refused') > 1000 AS refused, count(*) FILTER (WHERE t <> 'refused' AND try(t) <> t) AS unstable FROM (SELECT try(f) AS t FROM changed) s;
DROP FUNCTION try;
-- counts that only a made-up sketch has
SELECT huf_sketch_merge(s) FROM (VALUES ('1:1:9223372036854775807:1:{1}:{1}:{0}'::huf_sketch), ('1:1:1:1:{1}:{1}:{0}')) t(s);

-- empty, NULL, single, zero vectors, opposite vectors
SELECT huf_sketch(v) AS none, huf_mrl(v), huf_pairwise_cos(v), huf_dispersion(v), huf_kappa(v) FROM emb WHERE false;
SELECT huf_sketch(NULL::real[]) AS null, huf_mrl(NULL::real[]), huf_sketch_merge(NULL);
SELECT huf_mrl(v) AS single, huf_pairwise_cos(v), huf_dispersion(v), huf_kappa(v) FROM (VALUES (ARRAY[3, 4]::real[]), (NULL)) t(v);
SELECT huf_mrl(v) AS zero, huf_pairwise_cos(v), huf_dispersion(v), huf_kappa(v), huf_sketch(v) FROM (VALUES (ARRAY[0, 0]::real[])) t(v);
SELECT huf_mrl(v) AS r, huf_pairwise_cos(v) AS c, huf_dispersion(v) AS dispersion, huf_sketch(v) FROM (VALUES (ARRAY[0, 0]::real[]), (ARRAY[2, 0]), (ARRAY[4, 0])) t(v);
SELECT huf_mrl(v) AS opposite, huf_pairwise_cos(v), huf_kappa(v), huf_centroid_cos_drift(huf_sketch(v), huf_sketch(v)) AS no_direction FROM (VALUES (ARRAY[1, 0]::real[]), (ARRAY[-3, 0])) t(v);
SELECT huf_kappa(v) AS same_direction FROM (VALUES (ARRAY[1, 2, 3]::real[]), (ARRAY[2, 4, 6]), (ARRAY[3, 6, 9])) t(v);
SELECT huf_l2_unbiased(huf_sketch(v), huf_sketch(v)) AS too_few, huf_frechet_diag(huf_sketch(v), huf_sketch(v)) AS same FROM (VALUES (ARRAY[1, 2]::real[])) t(v);
-- directions do not overflow or underflow
SELECT near(huf_mrl(v), sqrt(0.5)) AS r FROM (VALUES (ARRAY[1e308, 0]::float8[]), (ARRAY[0, 5e-324])) t(v);
SELECT near(huf_mrl(v), sqrt(0.5)) AS r, near(huf_pairwise_cos(v), 0) AS c FROM (VALUES (ARRAY[1e38, 0]::real[]), (ARRAY[0, 1e-45])) t(v);
SELECT near(huf_mrl(ARRAY[1e200, 1e200, 1e200]::float8[]), 1) AS r, near(huf_centroid_cos_drift(huf_sketch(ARRAY[1, 1e-9]::float8[]), huf_sketch(ARRAY[1, 0]::float8[])), 0.5e-18, 1e-6) AS tiny_angle;
-- nor do distances and means where they are doubles themselves
SELECT near(huf_centroid_l2_drift(huf_sketch(ARRAY[1e200, 0]::float8[]), huf_sketch(ARRAY[0, 1e200]::float8[])), sqrt(2) * 1e200) AS large,
       near(huf_centroid_l2_drift(huf_sketch(ARRAY[1e-200]::float8[]), huf_sketch(ARRAY[3e-200]::float8[])), 2e-200) AS small, huf_centroid_l2_drift(huf_sketch(ARRAY[5e-324]::float8[]), huf_sketch(ARRAY[0]::float8[])) AS denormal;
SELECT near(huf_energy_distance(v, later), 2 * sqrt(2) * 1e200) AS large FROM (VALUES (ARRAY[1e200, 0]::float8[], true), (ARRAY[0, 1e200], false)) t(v, later);
SELECT near(huf_energy_distance(v, later), 4e-200) AS small FROM (VALUES (ARRAY[1e-200]::float8[], true), (ARRAY[3e-200], false)) t(v, later);
SELECT huf_sketch_centroid(huf_sketch(v)) AS far_apart, huf_dispersion(v) FROM (VALUES (ARRAY[1e308, 1]::float8[]), (ARRAY[-1e308, 3])) t(v);
SELECT huf_sketch_centroid(huf_sketch_merge(s)) AS merged, huf_dispersion(huf_sketch_merge(s)) FROM (SELECT huf_sketch(v) AS s FROM (VALUES (ARRAY[1e308, 1]::float8[]), (ARRAY[-1e308, 3])) t(v) GROUP BY v) g;
-- NaN and infinity give NaN
SELECT huf_mrl(v), huf_pairwise_cos(v), huf_dispersion(v), huf_kappa(v) FROM (VALUES (ARRAY[1, 'NaN']::real[]), (ARRAY[1, 1])) t(v);
SELECT huf_mrl(v), huf_pairwise_cos(v), huf_dispersion(v), huf_kappa(v), huf_centroid_cos_drift(huf_sketch(v), huf_sketch(v)) FROM (VALUES (ARRAY[1, 'Infinity']::float8[]), (ARRAY[1, 1])) t(v);
SELECT huf_mrl(ARRAY['NaN', 1]::real[]), huf_mrl(ARRAY[1, '-Infinity']::real[]);
-- refused
SELECT huf_sketch(v) FROM (VALUES (ARRAY[1, 2]::real[]), (ARRAY[1, 2, 3])) t(v);
SELECT huf_mrl(v) FROM (VALUES (ARRAY[1, 2]::real[]), (ARRAY[1])) t(v);
SELECT huf_sketch('{}'::real[]);
SELECT huf_sketch(ARRAY[1, NULL]::real[]);
SELECT huf_sketch(ARRAY[[1, 2], [3, 4]]::float8[]);
\set VERBOSITY terse
SELECT huf_sketch(ARRAY[1, 2]);
SELECT huf_mrl('x'::text);
\set VERBOSITY default
SELECT huf_sketch_merge(s) FROM (VALUES ('1:1:1:1:{1}:{1}:{0}'::huf_sketch), ('1:2:1:1:{1,0}:{1,0}:{0,0}')) t(s);
SELECT huf_between_cos(s) FROM (VALUES ('1:1:1:1:{1}:{1}:{0}'::huf_sketch), ('1:2:1:1:{1,0}:{1,0}:{0,0}')) t(s);
SELECT huf_frechet_diag('1:1:1:1:{1}:{1}:{0}', '1:2:1:1:{1,0}:{1,0}:{0,0}');
-- a domain over an array is an array
CREATE DOMAIN embedding AS real[] CHECK (cardinality(VALUE) = 2);
SELECT near(huf_mrl(v::real[]::embedding), sqrt(0.5)) FROM (VALUES ('{1,0}'), ('{0,1}')) t(v);

-- two samples of embeddings
CREATE TABLE pts AS SELECT v, ns = 'b' AS later FROM emb;
WITH d AS (SELECT x.later AS xl, y.later AS yl, sqrt((SELECT sum((p - q) ^ 2) FROM unnest(x.v, y.v) u(p, q))) AS d FROM pts x, pts y)
SELECT near((SELECT huf_energy_distance(v, later) FROM pts), 2 * avg(d) FILTER (WHERE NOT xl AND yl) - avg(d) FILTER (WHERE NOT xl AND NOT yl) - avg(d) FILTER (WHERE xl AND yl)) AS energy,
       near((SELECT huf_mmd_rbf(v, later, 0.7) FROM pts), avg(exp(-0.7 * d ^ 2)) FILTER (WHERE NOT xl AND NOT yl) + avg(exp(-0.7 * d ^ 2)) FILTER (WHERE xl AND yl)
         - 2 * avg(exp(-0.7 * d ^ 2)) FILTER (WHERE NOT xl AND yl)) AS mmd
FROM d;
-- in one dimension every slice is W1 itself
SELECT near(huf_sliced_w1(ARRAY[x]::float8[], later), huf_w1(x, later)) AS sliced FROM (VALUES (1::float8, false), (5, false), (2, true), (9, true), (9.5, true)) t(x, later);
-- along a random direction in the plane a shift of 1 is seen as 2/pi on average
SELECT near(huf_sliced_w1(ARRAY[x, 0]::float8[], x = 1, 10000), 2 / pi(), 0.02) AS shift FROM (VALUES (0), (1)) t(x);
SELECT huf_sliced_w1(v, true) AS one_side, huf_energy_distance(v, false), huf_mmd_rbf(v, true, 1) FROM emb;
SELECT huf_sliced_w1(v, later) AS same, huf_energy_distance(v, later), huf_mmd_rbf(v, later, 1) FROM emb, (VALUES (true), (false)) l(later);
SELECT huf_sliced_w1(v, later) AS nan, huf_energy_distance(v, later), huf_mmd_rbf(v, later, 1) FROM (VALUES (ARRAY['NaN']::real[], true), (ARRAY[1], false)) t(v, later);
SELECT huf_sliced_w1(v, NULL), huf_energy_distance(v, NULL), huf_mmd_rbf(v, NULL, 1) FROM emb;
SELECT huf_mmd_rbf(v, true, 0) FROM emb;
SELECT huf_mmd_rbf(v, true, NULL) FROM emb;
SELECT huf_mmd_rbf(v, true, cardinality(v) + random()) FROM emb;
SELECT huf_sliced_w1(v, true, 0) FROM emb;
SELECT huf_energy_distance(v, true) FROM (VALUES (ARRAY[1, 2]::real[]), (ARRAY[1, 2, 3])) t(v);
SELECT huf_sliced_w1(v, true) FROM (VALUES (ARRAY[1, 2]::real[]), (ARRAY[1, 2, 3])) t(v);

-- a component that is not finite has no mean, and shows in everything made of means
SELECT huf_centroid_l2_drift(a, b) AS l2, huf_l2_unbiased(a, b) AS unbiased, huf_frechet_diag(a, b) AS frechet, huf_dispersion(a) AS dispersion, huf_sketch_centroid(a) AS centroid
FROM (SELECT huf_sketch(v) AS a, huf_sketch('{1,1}'::float8[]) AS b FROM (VALUES ('{1,1}'::float8[]), ('{Infinity,1}'), ('{2,1}')) t(v) GROUP BY v[2]) s;
-- a moving frame may start without a vector
SELECT i, huf_energy_distance(v, later) OVER w AS energy, round((huf_mmd_rbf(v, later, 0.5) OVER w)::numeric, 6) AS mmd, huf_sliced_w1(v, later, 2) OVER w BETWEEN 0 AND 1 AS sliced
FROM (VALUES (1, NULL::real[], true), (2, '{1,2}', NULL), (3, '{1,2}', true), (4, '{2,2}', false), (5, NULL, false), (6, '{2,2}', false)) t(i, v, later) WINDOW w AS (ORDER BY i ROWS BETWEEN 1 PRECEDING AND CURRENT ROW);
SELECT huf_energy_distance(v, i > 1) OVER (ORDER BY i ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM (VALUES (1, NULL::real[]), (2, '{1,2}'), (3, '{1}')) t(i, v);
-- a mean does not overflow where vectors are far apart
SELECT huf_sketch_merge(s ORDER BY o) AS sketch FROM (SELECT o, huf_sketch(ARRAY[x]) AS s FROM (VALUES (1, 1.7e308::float8), (2, -1.1e308), (2, -1.3e308)) t(o, x) GROUP BY o) g;
-- deviations do not suffer from the distance to zero
SELECT near(huf_dispersion(ARRAY[1e15 + i, 1e8 + i / 8.0, 3 * i]::float8[]), huf_dispersion(ARRAY[i, i / 8.0, 3 * i]::float8[])) AS dispersion,
       near(huf_dispersion(ARRAY[1e15 + i]::float8[]) FILTER (WHERE i <= 2), 0.25) AS two
FROM generate_series(1, 5000) i;
-- very many rows do not gather rounding errors
SELECT huf_mrl(v) AS one, huf_kappa(v) AS kappa, huf_dispersion(v) AS none, huf_sketch_centroid(huf_sketch(v)) AS mean, huf_sketch_count(huf_sketch(v)) AS n
FROM (SELECT '{0.1,0.2,0.3}'::float8[] AS v FROM generate_series(1, 300000)) t;
SELECT near(huf_mrl(v), (SELECT huf_mrl(u) FROM (VALUES ('{0.1,0.2}'::float8[]), ('{0.4,0.2}')) t(u))) AS r, near(huf_dispersion(v), 0.09 / 4) AS dispersion
FROM (SELECT ARRAY[0.1 + 0.3 * (i % 2), 0.2]::float8[] AS v FROM generate_series(1, 300000) i) t;
-- the state goes on after a result was taken from it
SELECT bool_and(moving = alone) AS same, count(*) FROM
  (SELECT i, huf_mrl(v) OVER (ORDER BY i) AS moving FROM (SELECT i, ARRAY[1, i % 7]::real[] AS v FROM generate_series(1, 3000) i) t) w
  JOIN LATERAL (SELECT huf_mrl(ARRAY[1, j % 7]::real[]) AS alone FROM generate_series(1, i) j) a ON i IN (1023, 1024, 1025, 2047, 2048, 2049, 2050, 3000);
-- a large group and a small one
SELECT near(huf_between_cos(s), 0.6) AS between_groups FROM (SELECT huf_sketch(CASE WHEN i < 200000 THEN '{1,0}' ELSE '{0.6,0.8}' END::float8[]) AS s FROM generate_series(1, 200000) i GROUP BY i < 200000) t;

-- pgvector's type, where the extension is at hand, gives what real[] gives
DO $$
DECLARE
  installed boolean := EXISTS (SELECT FROM pg_extension WHERE extname = 'vector');
  type text;
  same boolean;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') THEN
    RETURN;
  END IF;
  IF NOT installed THEN
    CREATE SCHEMA huf_pgvector;
    CREATE EXTENSION vector SCHEMA huf_pgvector;
  END IF;
  SELECT format('%I.vector', nspname) INTO type FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'vector';
  EXECUTE format('SELECT huf_sketch(v::real[]::%1$s)::text = huf_sketch(v::real[])::text
       AND huf_mrl(v::real[]::%1$s) = huf_mrl(v::real[])
       AND huf_energy_distance(v::real[]::%1$s, v[1] > 0.5) = huf_energy_distance(v::real[], v[1] > 0.5)
    FROM emb', type) INTO same;
  IF same IS NOT TRUE THEN
    RAISE EXCEPTION 'vector and real[] differ';
  END IF;
  IF NOT installed THEN
    DROP EXTENSION vector;
    DROP SCHEMA huf_pgvector;
  END IF;
END $$;
DROP TABLE emb, sketch, copy, pts;
DROP DOMAIN embedding;
DROP FUNCTION near(float8, float8, float8);
-- how likely chance is: the tail of chi-square with one degree where it bounds, nothing below
WITH a AS (SELECT huf_sketch(ARRAY[1, i % 2, 0]::real[]) AS s FROM generate_series(1, 20) i), b AS (SELECT huf_sketch(ARRAY[1, i % 2 + 0.5, 0]::real[]) AS s FROM generate_series(1, 20) i)
SELECT huf_shift_p(a.s, a.s) AS same, round(huf_shift_p(a.s, b.s)::numeric, 6) AS moved, round((0.25 / (2 * 0.25 / 19))::numeric, 4) AS ratio FROM a, b;
SELECT huf_shift_p(huf_sketch(v), huf_sketch(v)) AS too_few FROM (VALUES (ARRAY[1, 2]::real[])) t(v);
SELECT huf_shift_p(a.s, b.s) AS certain FROM (SELECT huf_sketch(ARRAY[1, 0]::real[]) AS s FROM generate_series(1, 3)) a, (SELECT huf_sketch(ARRAY[0, 1]::real[]) AS s FROM generate_series(1, 3)) b;
