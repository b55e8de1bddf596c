-- Every statement of docs/governance.md, as it stands there.  Its samples play
-- the index.
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET extra_float_digits = 0;
-- a clock that stands, so that what is printed can be compared
CREATE SCHEMA clock;
CREATE TABLE clock.hands AS SELECT '2026-01-05 21:00+00'::timestamptz AS time;
CREATE FUNCTION clock.now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT time FROM clock.hands';
SET search_path = public, clock, pg_catalog;
\! awk -v part=0 -v 'path=public, clock, huf, pg_catalog' -f test/docs/statements.awk docs/governance.md > results/governance1.sql
\! awk -v part=1 -v 'path=public, clock, huf, pg_catalog' -f test/docs/statements.awk docs/governance.md > results/governance2.sql
\i results/governance1.sql
-- a day passes: kb decays, emails is gone, tickets are not updated, and a new namespace appears
UPDATE clock.hands SET time = time + interval '1 day';
UPDATE hits SET score = score * 0.7 WHERE namespace = 'kb';
UPDATE hits SET last_update = last_update + interval '1 day' WHERE namespace = 'kb';
DELETE FROM hits WHERE namespace = 'emails';
INSERT INTO hits SELECT 'wiki', 'wiki-' || i, 0.9 - 0.03 * i, now() FROM generate_series(1, 8) i;
\i results/governance2.sql
RESET search_path;
DROP VIEW probe;
DROP TABLE hits, documents, queries, requests;
SET client_min_messages = warning;
DROP SCHEMA huf, clock CASCADE;
