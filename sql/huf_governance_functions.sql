-- Every statement of docs/governance-functions.md, as it stands there.  Its samples play
-- the index.
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET extra_float_digits = 0;
-- a clock that stands, so that what is printed can be compared
CREATE SCHEMA clock;
CREATE TABLE clock.hands AS SELECT '2026-01-05 09:00+00'::timestamptz AS time;
CREATE FUNCTION clock.now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT time FROM clock.hands';
SET search_path = clock, public, pg_catalog;
\! awk '/^<!-- a week passes -->/ { exit } /^```$/ { on = 0 } on; /^```sql( sample)?$/ { on = 1 }' docs/governance-functions.md > results/governance_functions1.sql
\! awk '/^<!-- a week passes -->/ { past = 1 } /^```$/ { on = 0 } on && past; /^```sql( sample)?$/ { on = 1 }' docs/governance-functions.md > results/governance_functions2.sql
\i results/governance_functions1.sql
-- a week passes: kb decays, and a new namespace appears
UPDATE clock.hands SET time = time + interval '7 days';
UPDATE live_hits SET score = score * 0.7 WHERE namespace = 'kb';
INSERT INTO live_hits VALUES ('wiki', 'wiki-1', 0.5, '2026-01-11 09:00+00'), ('wiki', 'wiki-2', NULL, '2026-01-11 09:00+00');
\i results/governance_functions2.sql
DROP VIEW step_trace, alert, drift, compared, namespace_share, last_hits;
DROP FUNCTION digest16;
DROP TABLE live_hits, snapshot, embedding_history, namespace_sketch, discard_log, line, run_stamp;
RESET search_path;
DROP SCHEMA clock CASCADE;
