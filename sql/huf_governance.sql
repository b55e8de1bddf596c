-- Every statement of docs/governance.md, as it stands there.  Two tables play
-- the index: nearest neighbours as they are now, and embeddings over time.
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET extra_float_digits = 0;
CREATE TABLE live_hits (namespace text, id text, score float8, last_update timestamptz);
INSERT INTO live_hits
SELECT namespace, namespace || '-' || row_number() OVER (PARTITION BY namespace ORDER BY score DESC), score, t::timestamptz
FROM (VALUES ('kb', 0.82, '2026-01-04 09:00+00'), ('kb', 0.63, '2026-01-02 09:00+00'), ('kb', 0.55, '2026-01-02 09:00+00'), ('kb', 0.48, '2026-01-02 09:00+00'), ('kb', 0.42, '2026-01-02 09:00+00'),
             ('kb', 0.38, '2026-01-02 09:00+00'), ('tickets', 0.77, '2026-01-05 05:00+00'), ('tickets', 0.12, '2026-01-01 09:00+00'), ('docs', 0.45, '2025-12-29 09:00+00'), ('emails', 0.30, NULL)) v(namespace, score, t);
CREATE TABLE embedding_history (taken date, namespace text, embedding real[]);
INSERT INTO embedding_history SELECT t, n, ARRAY[1, sin(i * 1.7) * k, cos(i * 2.3) * k + shift] FROM generate_series(1, 20) i,
  (VALUES ('2026-01-05'::date, 'kb', 0.3, 0), ('2026-01-12', 'kb', 0.3, 0.4), ('2026-01-05', 'tickets', 0.8, 0), ('2026-01-12', 'tickets', 0.8, 0)) v(t, n, k, shift);
\! awk '/^<!-- a week passes -->/ { exit } /^```$/ { on = 0 } on; /^```sql$/ { on = 1 }' docs/governance.md > results/governance1.sql
\! awk '/^<!-- a week passes -->/ { past = 1 } /^```$/ { on = 0 } on && past; /^```sql$/ { on = 1 }' docs/governance.md > results/governance2.sql
\i results/governance1.sql
-- a week passes: kb decays, and a new namespace appears
UPDATE live_hits SET score = score * 0.7 WHERE namespace = 'kb';
INSERT INTO live_hits VALUES ('wiki', 'wiki-1', 0.5, '2026-01-11 09:00+00'), ('wiki', 'wiki-2', NULL, '2026-01-11 09:00+00');
\i results/governance2.sql
DROP VIEW run_stamp, step_trace, alert, drift, namespace_share, last_hits;
DROP FUNCTION digest16;
DROP TABLE live_hits, snapshot, embedding_history, namespace_sketch, discard_log, line;
