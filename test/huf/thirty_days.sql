-- Thirty days of an index that is the demo's: what is asked, written, added and
-- deleted each day is drawn at random, from a seed; and then one of five faults
-- happens on day 21.  A series of runs is taken of each, and one of days
-- without a fault.
--
-- Needs the table record (namespace, id, embedding) and the snapshot pack in
-- schema huf.  PGOPTIONS='-c thirty_days.faults={stale,poisoned}' psql -v seed=0.5 -f thirty_days.sql
SET client_min_messages = warning;
SET search_path = public, huf;
SET max_parallel_workers_per_gather = 0;
SELECT setseed(:seed) \g /dev/null

-- A record exists from day "born" on and until day "died"; a tenth come later,
-- and some go.
CREATE TABLE life AS
SELECT row_number() OVER () AS record, namespace, id, embedding, CASE WHEN random() < 0.9 THEN 0 ELSE 1 + floor(random() * 30)::int END AS born,
	CASE WHEN random() < 0.03 THEN 2 + floor(random() * 29)::int ELSE 99 END AS died, NULL::text AS only_in
FROM (SELECT * FROM record ORDER BY namespace, id) r;

-- What people ask: texts like those of some records, with parts of others.
CREATE TABLE query AS
SELECT row_number() OVER () AS query, a.embedding AS part, b.embedding AS other, ARRAY(SELECT (x + 0.6 * y)::real FROM unnest(a.embedding, b.embedding) u(x, y)) AS embedding
FROM (SELECT embedding, row_number() OVER (ORDER BY random()) AS nth FROM life) a JOIN (SELECT embedding, row_number() OVER (ORDER BY random()) AS nth FROM life) b USING (nth)
WHERE nth <= 80;

-- The other model: its dimensions mean something else.
CREATE FUNCTION other_model(v real[]) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg((CASE WHEN hashint4(i) & 1 = 0 THEN v[1 + (i * 101) % 256] ELSE -v[1 + (i * 101) % 256] END)::real ORDER BY i) FROM generate_series(1, 256) i
$$;
-- What an attacker adds: near to what is asked often.
INSERT INTO life
SELECT 100000 + query, 'types', 'free money ' || query, ARRAY(SELECT (x + 0.1 * (random() - 0.5))::real FROM unnest(embedding) u(x)), 21, 99, 'poisoned' FROM query WHERE query <= 40;
-- What a job that ran twice stores.
INSERT INTO life SELECT 200000 + record, namespace, id || ' (2)', embedding, greatest(born, 21), died, 'doubled' FROM life WHERE namespace = 'operators';

CREATE TABLE pair AS
SELECT query, record, score FROM query q, LATERAL
	(SELECT record, 1 - (l.embedding <=> q.embedding) AS score FROM life l ORDER BY l.embedding <=> q.embedding LIMIT 60) n;

-- Days, and what is written in them: about one record in 25.
CREATE TABLE write AS
SELECT record, day, day + random() AS at, random() < 0.1 AS swapped FROM life, generate_series(1, 30) day WHERE random() < 0.04 AND day >= born AND day < died
UNION ALL SELECT record, born, born + random(), random() < 0.1 FROM life WHERE born > 0;
CREATE TABLE asked AS
SELECT day, nth, 1 + floor(80 * random() ^ 1.5)::int AS query FROM generate_series(1, 30) day, generate_series(1, 200) nth;

CREATE INDEX ON pair (query);
ANALYZE;

-- An index on one evening, which is what a run is taken of.
CREATE TABLE evening (day int, fault text);
INSERT INTO evening VALUES (1, 'none');
CREATE TABLE stored (record bigint PRIMARY KEY, namespace text, id text, embedding real[], last_update timestamptz);
CREATE VIEW retrieval AS
SELECT l.namespace, l.id, h.score
FROM evening JOIN asked USING (day), LATERAL
	(SELECT s.namespace, s.id, p.score FROM pair p JOIN stored s USING (record) WHERE p.query = asked.query ORDER BY p.score DESC LIMIT 10) h, LATERAL (SELECT h.namespace, h.id) l;

CREATE PROCEDURE thirty_days(fault text, from_day int, to_day int) LANGUAGE plpgsql AS $$
DECLARE
	start CONSTANT timestamptz := '2026-01-01 00:00+00';
BEGIN
	UPDATE evening e SET fault = thirty_days.fault;
	FOR d IN from_day..to_day LOOP
		UPDATE evening SET day = d;
		TRUNCATE stored;
		INSERT INTO stored
		SELECT record, namespace, id, CASE WHEN fault = 'swapped' AND w.swapped AND w.day >= 21 THEN other_model(embedding) ELSE embedding END,
			start + coalesce(at, 0) * interval '1 day'
		FROM life l LEFT JOIN (SELECT DISTINCT ON (record) record, day, at, swapped FROM write JOIN life USING (record)
			WHERE day <= d AND NOT (fault = 'stale' AND namespace = 'settings' AND day >= 21) ORDER BY record, at DESC) w USING (record)
		WHERE l.born <= d AND l.died > d AND coalesce(l.only_in = fault, true) AND NOT (fault = 'deleted' AND namespace = 'operators' AND d >= 21);
		ANALYZE stored;
		PERFORM huf_take('retrieval', series => fault, records => 'stored', as_of => start + (d + 1) * interval '1 day' - interval '1 minute');
	END LOOP;
END $$;

CALL thirty_days('none', 1, 30);
-- until day 20 they are all the same
DO $$
DECLARE
	fault text;
	part text;
BEGIN
	FOREACH fault IN ARRAY current_setting('thirty_days.faults')::text[] LOOP
		INSERT INTO huf_series SELECT (s).* FROM (SELECT jsonb_populate_record(s, jsonb_build_object('series', fault)) AS s FROM huf_series s WHERE series = 'none') s;
		FOREACH part IN ARRAY '{huf_run,huf_snapshot,huf_measure,huf_alert}'::text[] LOOP
			EXECUTE format('INSERT INTO %1$I SELECT (r).* FROM (SELECT jsonb_populate_record(r, jsonb_build_object(''series'', %2$L::text)) AS r FROM %1$I r WHERE series = ''none'' AND run < ''2026-01-22'') r', part, fault);
		END LOOP;
		CALL thirty_days(fault, 21, 24);
	END LOOP;
END $$;
