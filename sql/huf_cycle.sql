-- The governance cycle and its reports.
CREATE FUNCTION near(found float8, expected float8, tolerance float8 DEFAULT 1e-12) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN found IS NOT DISTINCT FROM expected THEN 'ok'
    WHEN abs(found - expected) <= 1e-15 + tolerance * abs(expected) THEN 'ok'
    ELSE format('%s, not %s', coalesce(found::text, 'null'), coalesce(expected::text, 'null')) END
$$;
SET extra_float_digits = -2;
SET timezone = 'UTC';
CREATE TABLE hit (ord serial, namespace text, id text, score float8);
INSERT INTO hit (namespace, id, score) VALUES ('R1', 'a', 10), ('R1', 'b', 5), ('R1', 'c', 2), ('R1', 'd', 1), ('R1', 'e', 0.5),
  ('R2', 'a', 8), ('R2', 'b', 4), ('R2', 'c', 2), ('R2', 'd', 1), ('R2', 'e', 0.5);
CREATE VIEW hits AS SELECT array_agg((namespace, id, score)::huf_hit ORDER BY ord) AS h FROM hit;

-- six of ten are kept at a global threshold of 0.03
SELECT count(*) FILTER (WHERE kept) AS kept, near(max(discarded_budget_global), 3.0 / 34) AS discarded, near(sum(rho_global_post) FILTER (WHERE namespace = 'R1'), 17.0 / 31) AS r1, bool_and(valid) AS valid
FROM hits, huf_cycle(h, 0.03);
SELECT ord, namespace, item_id, score, mass, rho_global_pre AS pre, rho_local_pre AS local, kept, reason, rho_global_post AS post, rho_local_post AS local_post, rank FROM hits, huf_cycle(h, 0.03);
SELECT m.* FROM hits, huf_coherence_map(h, 0.03) m;
SELECT a.* FROM hits, huf_active_set(h, 0.03) a;
SELECT d.* FROM hits, huf_discard_log(h, 0.03, run_id => 'run 1', as_of => '2026-01-02 03:04:05+00', source_relation => 'hit', snapshot_lsn => '17') d;
SELECT t FROM hits, huf_trace_json(h, 0.2, inputs_ref => 'table "hit"') t;
SELECT t::json ->> 'item_id' AS id, t::json -> 'regime_path' AS path, near((t::json ->> 'rho_global_post')::float8, 5.0 / 9) AS post FROM hits, huf_trace_json(h, 0.2) t LIMIT 1;
SELECT b.budget_type, near(b.discarded_budget_global, 3.0 / 34) AS discarded, b.frame, b.metric, near(b.tv, 3.0 / 34) AS tv FROM hits, huf_error_budget(h, 0.03) b;
SELECT s.* FROM hits, huf_stability(h, '{0,0.03,0.1,0.3}') s;

-- modes
SELECT mode, string_agg(namespace || item_id, ' ' ORDER BY ord) FILTER (WHERE NOT kept) AS excluded, min(reason) AS reason
FROM hits, (VALUES ('global', NULL::float8), ('local', NULL), ('dual', 0.05)) m(mode, tau_local), huf_cycle(h, 0.06, mode, tau_local) GROUP BY mode ORDER BY mode;
-- the frame of energy discards squares: the squared relative error of dropping those hits
SELECT near(max(discarded_budget_global), sum(score ^ 2) FILTER (WHERE NOT kept) / sum(score ^ 2)) AS discarded, max(mass) AS mass FROM hits, huf_cycle(h, 0.03, frame => 'energy');
-- softmax shares: the note's sample, where 0.02 excludes nothing
CREATE TABLE sample (ord serial, namespace text, score float8);
INSERT INTO sample (namespace, score) VALUES ('kb', 0.82), ('kb', 0.63), ('kb', 0.55), ('kb', 0.48), ('kb', 0.42), ('kb', 0.38), ('tickets', 0.77), ('tickets', 0.12), ('docs', 0.45), ('emails', 0.30);
SELECT regime_id, round(rho_global_pre::numeric, 4) AS pre, round(rho_global_post::numeric, 4) AS post, global_discarded_budget AS discarded
FROM (SELECT array_agg((namespace, ord, score)::huf_hit) AS h FROM (SELECT namespace, ord::text, score FROM sample) s) x, huf_coherence_map(h, 0.02, kind => 'softmax');

-- invariants at many thresholds, in every mode
CREATE VIEW swept AS SELECT m.mode, k.kind, f.frame, i / 100.0 AS tau, c.* FROM hits, generate_series(0, 40) i, (VALUES ('global', NULL::float8), ('local', NULL), ('dual', 0.1)) m(mode, tau_local),
  (VALUES ('linear'), ('softmax')) k(kind), (VALUES ('mass'), ('energy')) f(frame), LATERAL huf_cycle(h, i / 100.0, m.mode, m.tau_local, k.kind, 2, f.frame) c;
SELECT count(*), count(*) FILTER (WHERE valid) AS valid, bool_and(NOT valid OR near(kept_post, 1) = 'ok') AS unity, bool_and(near(kept_pre + discarded, 1) = 'ok') AS accounts, bool_and(near(lost, discarded) = 'ok') AS budget,
       bool_and(NOT valid OR near(tv, discarded) = 'ok') AS tv, bool_and(discarded >= before) AS monotone
FROM (SELECT *, coalesce(lag(discarded) OVER (PARTITION BY mode, kind, frame ORDER BY tau), 0) - 1e-15 AS before FROM
  (SELECT mode, kind, frame, tau, bool_and(valid) AS valid, coalesce(sum(rho_global_post), 0) AS kept_post, coalesce(sum(rho_global_pre) FILTER (WHERE kept), 0) AS kept_pre, max(discarded_budget_global) AS discarded,
     coalesce(sum(rho_global_pre) FILTER (WHERE NOT kept), 0) AS lost, huf_tv(rho_global_pre, coalesce(rho_global_post, 0)) AS tv FROM swept GROUP BY mode, kind, frame, tau) s) t;
SELECT bool_and(near(total, global_discarded_budget) = 'ok') AS by_regime FROM (SELECT i, sum(rho_discarded_pre) AS total, max(global_discarded_budget) AS global_discarded_budget
  FROM hits, generate_series(0, 40) i, LATERAL huf_coherence_map(h, i / 100.0) GROUP BY i) s;

-- a share equal to the threshold is kept: fifty equal masses at 0.02, in any order of the rest
SELECT count(*) FILTER (WHERE kept) AS kept FROM huf_cycle(ARRAY(SELECT ('n', i, 0.1)::huf_hit FROM generate_series(1, 50) i), 0.02);
SELECT count(*) FILTER (WHERE kept) AS kept, bool_and(valid) AS valid, max(discarded_budget_global) AS discarded FROM huf_cycle(ARRAY(SELECT ('n', i, 0.1)::huf_hit FROM generate_series(1, 51) i), 0.02);
-- nothing is left: not an error, an invalid run
SELECT * FROM huf_cycle('{"(a,x,1)","(b,y,1)"}', 0.6);
SELECT * FROM huf_coherence_map('{"(a,x,1)","(b,y,1)"}', 0.6);
SELECT * FROM huf_error_budget('{"(a,x,1)","(b,y,1)"}', 0.6);
SELECT * FROM huf_coherence_map('{"(a,x,9)","(b,y,1)"}', 0.6);
-- zero mass, no mass, no rows
SELECT * FROM huf_cycle('{"(a,x,0)","(b,y,-0)"}', 0.1);
SELECT * FROM huf_cycle('{"(a,x,)","(a,y,NaN)","(b,z,Infinity)"}', 0.1);
SELECT * FROM huf_error_budget('{}', 0.1);
SELECT count(*) FROM huf_cycle(NULL, 0.1);
SELECT * FROM huf_stability('{}', '{0.1,0.2,0.3}');
-- hits without mass are logged first, in input order, and carry none
SELECT item_id, score, mass, reason FROM huf_discard_log('{"(n,low,0.01)","(n,null,)","(n,top,9)","(n,nan,NaN)","(n,low2,0.02)","(n,inf,Infinity)"}', 0.1);
SELECT item_id, mass, reason FROM huf_discard_log('{"(n,masked,-Infinity)","(n,top,900)","(n,low,0)"}', 0.1, kind => 'softmax');
-- a namespace that is NULL is called Global, which no other may be beside it
SELECT regime_id FROM huf_coherence_map('{"(,x,1)","(a,x,3)"}', 0);
SELECT regime_id FROM huf_coherence_map('{"(,x,1)","(Global,x,3)"}', 0);
-- huge and denormal masses
SELECT rho_global_pre AS huge FROM huf_cycle('{"(a,x,1e308)","(a,y,1e308)","(b,z,1e308)","(b,w,1e308)"}', 0.1, frame => 'energy');
SELECT rho_global_pre AS denormal FROM huf_cycle('{"(a,x,5e-324)","(a,y,5e-324)","(b,z,1e-323)"}', 0.1);
-- the order of equal shares is by namespace, then id, byte by byte
SELECT rank, regime_id, item_id FROM huf_active_set('{"(b,x,1)","(a,y,1)","(a,Z,1)","(B,x,1)"}', 0);
-- ids that differ in a blank only stay apart
SELECT item_id FROM huf_active_set('{"(n,\"a b\",1)","(n,a_b,1)"}', 0);
-- refused
SELECT * FROM huf_cycle('{"(a,x,1)"}', -0.1);
SELECT * FROM huf_cycle('{"(a,x,1)"}', 'NaN');
SELECT * FROM huf_cycle('{"(a,x,1)"}', NULL);
SELECT * FROM huf_cycle('{"(a,x,1)"}', 0.1, 'both');
SELECT * FROM huf_cycle('{"(a,x,1)"}', 0.1, NULL);
SELECT * FROM huf_cycle('{"(a,x,1)"}', 0.1, 'dual');
SELECT * FROM huf_cycle('{"(a,x,1)"}', 0.1, 'global', 0.1);
SELECT * FROM huf_cycle('{"(a,x,1)"}', 0.1, 'dual', 1.1);
SELECT * FROM huf_cycle('{"(a,x,1)"}', 0.1, kind => 'cubic');
SELECT * FROM huf_cycle('{"(a,x,1)"}', 0.1, t => 0);
SELECT * FROM huf_cycle('{"(a,x,1)"}', 0.1, frame => 'work');
SELECT * FROM huf_cycle('{"(a,x,NaN)","(a,y,-1)"}', 0.1);
SELECT * FROM huf_cycle('{"(a,x,-Infinity)"}', 0.1);
SELECT * FROM huf_cycle('{"(a,x,1)","(a,x,2)"}', 0.1);
SELECT * FROM huf_cycle('{"(a,,1)"}', 0.1);
SELECT * FROM huf_cycle('{NULL}', 0.1);
SELECT * FROM huf_stability('{"(a,x,1)"}', '{0.1,0.2}');
SELECT * FROM huf_stability('{"(a,x,1)"}', '{0.1,0.2,NULL}');
SELECT * FROM huf_stability('{"(a,x,1)"}', '{0.1,0.2,2}');

-- stability: ranks of namespaces change as the many small hits of one are lost
SELECT s.* FROM huf_stability('{"(a,1,3)","(b,1,1)","(b,2,1)","(b,3,1)","(b,4,1)","(b,5,1)","(c,1,2)"}', '{0,0.11,0.25,0.5,0}') s;
SELECT tau, near_threshold_count FROM huf_stability('{"(a,x,9)","(a,y,1)","(b,z,10)"}', '{0.05,0.1,0.5}', 'local');

-- one line of JSON has no NaN; row_to_json would write a string
SELECT huf_jsonl(r) FROM (SELECT 'NaN'::float8 AS a, '-Infinity'::real AS b, 1.5::float8 AS c, E'q"\n' AS d, NULL::int AS e, ARRAY[1, 'NaN', NULL, 'Infinity']::float8[] AS f, ARRAY[[1], ['NaN']]::real[] AS g, 'NaN'::numeric AS h, ARRAY[1.50, 'NaN'] AS i, '{NaN}'::text[] AS j) r;
SELECT huf_jsonl(r) FROM (SELECT ROW('NaN'::float8, 1, ROW('-Infinity'::real)) AS a, ARRAY[('a', 'b', 'Infinity')::huf_hit, NULL, ('a', 'c', 2)::huf_hit] AS hits, '{}'::float8[] AS empty, NULL::huf_hit AS none) r;
SELECT string_agg(huf_jsonl(d)::text, ' ') FROM (SELECT item_id, score, reason FROM huf_discard_log('{"(a,x,NaN)","(a,y,1)"}', 0.1)) d;

-- JSON lines in, as the note's exporter writes them, and out
CREATE TEMP TABLE line (doc text);
COPY line FROM STDIN (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02');
﻿{"id": "doc-1", "score": 0.82, "namespace": "kb", "activity_score": 0.9512, "last_update": "2026-01-01T10:00:00Z"}

{"id": 17, "score": 0.63, "namespace": "kb", "last_update": "unknown"}
{"id": "tab\there \"quoted\"", "score": "n/a", "namespace": "tickets"}
{"id": "no namespace", "score": 0.3}
\.
SELECT d ->> 'id' AS id, CASE jsonb_typeof(d -> 'score') WHEN 'number' THEN (d ->> 'score')::float8 END AS score, d ->> 'namespace' AS namespace,
       (d ->> 'activity_score')::float8 AS activity_score, nullif(d ->> 'last_update', 'unknown')::timestamptz AS last_update
FROM line, LATERAL (SELECT ltrim(doc, U&'\FEFF')::jsonb) j(d) WHERE btrim(doc, E' \t\r\n' || U&'\FEFF') <> '';
COPY (SELECT huf_trace_json(array_agg((d ->> 'namespace', d ->> 'id', CASE jsonb_typeof(d -> 'score') WHEN 'number' THEN (d ->> 'score')::float8 END)::huf_hit), 0)
      FROM line, LATERAL (SELECT ltrim(doc, U&'\FEFF')::jsonb) j(d) WHERE btrim(doc, E' \t\r\n' || U&'\FEFF') <> '')
TO STDOUT (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02');
-- types that somebody has altered are refused
BEGIN;
ALTER TYPE huf_hit ADD ATTRIBUTE more text;
SELECT * FROM huf_cycle('{"(a,x,1,y)"}', 0.1);
ROLLBACK;
BEGIN;
ALTER TYPE huf_budget ADD ATTRIBUTE more text;
SELECT * FROM huf_error_budget('{"(a,x,1)"}', 0.1);
ROLLBACK;
-- a share that equals the threshold is kept: each of n equal masses, and decimals that add up to 1
SELECT n, x AS lost FROM generate_series(1, 100) n, unnest('{0.1,0.2,0.3,0.7,1e308,5e-324}'::float8[]) x
WHERE EXISTS (SELECT FROM huf_cycle(ARRAY(SELECT ('n', i, x)::huf_hit FROM generate_series(1, n) i), 1 / n::float8) WHERE NOT kept)
   OR EXISTS (SELECT FROM huf_cycle(ARRAY(SELECT ('n' || i % 2, i, x)::huf_hit FROM generate_series(1, 2 * n) i), 1 / n::float8, 'local') WHERE NOT kept);
SELECT x AS lost FROM generate_series(1, 99) i, LATERAL (SELECT i / 100.0::float8 AS x) t WHERE NOT (SELECT kept FROM huf_cycle(ARRAY[('n', 1, x), ('n', 2, (100 - i) / 100.0::float8)]::huf_hit[], x) WHERE item_id = '1');
-- many rows
SELECT count(*), count(DISTINCT rank) AS ranks, near(sum(rho_global_post), 1) AS unity FROM huf_cycle(ARRAY(SELECT ('n' || i % 7, i, i)::huf_hit FROM generate_series(1, 20000) i), 0);
DROP VIEW swept, hits;
DROP TABLE hit, sample;
DROP FUNCTION near(float8, float8, float8);
