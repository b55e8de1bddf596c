-- The snapshot pack: runs of one's own table, what changed, alerts, and what
-- happens to bad input.  Times stand still where they are printed.
SET timezone = 'Pacific/Auckland';
SET datestyle = 'ISO';
SET extra_float_digits = 0;
SET client_min_messages = warning;
\set SHOW_CONTEXT never
SELECT huf_install('gov');
-- again: brings up to date, keeps what is stored
SELECT huf_install('gov');
SELECT huf_install('');
SET search_path = public, gov;

CREATE TABLE hit (namespace text, id text, score float8, last_update timestamptz);
INSERT INTO hit VALUES ('kb', 'kb-1', 0.82, '2026-01-05 08:00+00'), ('kb', 'kb-2', 0.63, '2026-01-03 09:00+00'), ('kb', 'kb-3', 0.55, NULL),
	('tickets', 't-1', 0.77, '2026-01-05 05:00+00'), ('tickets', 't-2', -0.12, '2026-01-01 09:00+00'), ('docs', 'd-1', 0.45, '2025-12-29 09:00+00'),
	('docs', 'd-2', 'NaN', '2025-12-29 09:00+00'), ('emails', 'e-1', 0.30, NULL), ('emails', 'e-2', NULL, NULL);

-- a first day: nothing to compare with
SELECT series, run, namespaces, hits, clipped, discarded, round(mass::numeric, 4) AS mass, round(effective_namespaces::numeric, 4) AS effective, namespaces_90, hits_90
FROM huf_take('hit', as_of => '2026-01-05 09:00+00');
SELECT namespace, n, clipped, unusable, round(mass::numeric, 4) AS mass, round(share::numeric, 4) AS share, round(activity::numeric, 4) AS activity,
	round(effective_hits::numeric, 4) AS effective, hits_90, histogram FROM huf_snapshot ORDER BY namespace;
SELECT namespace, item_id, score, reason FROM huf_discard ORDER BY namespace, item_id;
SELECT measure, namespace, round(value::numeric, 4) AS value FROM huf_measure WHERE namespace IS NULL OR namespace = 'kb' ORDER BY namespace NULLS FIRST, measure;
SELECT * FROM huf_change_previous;
SELECT * FROM huf_change('hit', '2026-01-05');
-- the same figures by hand
SELECT namespace, abs(share - own / total) < 1e-12 AS share, abs(activity - act) < 1e-12 AS activity
FROM (SELECT namespace, sum(greatest(score, 0)) FILTER (WHERE score < 'NaN') AS own, huf_activity(max(last_update), '2026-01-05 09:00+00') AS act FROM hit GROUP BY 1) h
JOIN huf_snapshot USING (namespace), (SELECT sum(greatest(score, 0)) AS total FROM hit WHERE score < 'NaN') t ORDER BY 1;

-- a run taken twice
SELECT * FROM huf_take('hit', as_of => '2026-01-05 23:00+00');
SELECT taken = '2026-01-05 09:00+00' AS kept FROM huf_take('hit', as_of => '2026-01-05 23:00+00', rerun => 'keep');
SELECT taken = '2026-01-05 23:00+00' AS replaced FROM huf_take('hit', as_of => '2026-01-05 23:00+00', rerun => 'replace');
SELECT count(*) AS runs, (SELECT count(*) FROM huf_snapshot) AS namespaces, (SELECT count(*) FROM huf_discard) AS discarded FROM huf_run;

-- what changed, by name: wiki is new, emails is gone, kb has lost hits
DELETE FROM hit WHERE namespace = 'emails' OR id = 'kb-3';
INSERT INTO hit VALUES ('wiki', 'w-1', 0.5, '2026-01-06 08:00+00');
SELECT run, namespaces FROM huf_take('hit', as_of => '2026-01-06 09:00+00');
SELECT namespace, state, round(share_before::numeric, 4) AS before, round(share_after::numeric, 4) AS after, round(change::numeric, 4) AS change, round(own::numeric, 4) AS own,
	round(dilution::numeric, 4) AS dilution, round(erosion::numeric, 4) AS erosion, hits_90_before AS h1, hits_90_after AS h2, tier_before AS t1, tier_after AS t2, perhaps_was AS was
FROM huf_change_yesterday ORDER BY namespace;
-- contributions add up to the measures
SELECT abs(sum(tv_part) - t.tv) < 1e-12 AS tv, abs(sum(js_part) - t.js) < 1e-12 AS js, abs(sum(psi_part) - t.psi) < 1e-9 AS psi
FROM huf_change('hit', '2026-01-06'), (SELECT huf_tv(a.share, b.share) AS tv, huf_js(a.share, b.share) AS js, huf_psi(a.share, b.share) AS psi
	FROM (SELECT * FROM huf_snapshot WHERE run = '2026-01-05') a FULL JOIN (SELECT * FROM huf_snapshot WHERE run = '2026-01-06') b USING (namespace)) t GROUP BY t.tv, t.js, t.psi;
SELECT measure, namespaces, says, says_not FROM huf_report ORDER BY measure, namespaces;

-- a missing day, an empty day, and one that is compared with the last that was not
DELETE FROM hit WHERE namespace = 'docs';
SELECT run FROM huf_take('hit', as_of => '2026-01-09 09:00+00');
SELECT measure, namespaces, says FROM huf_report ORDER BY measure, namespaces;
CREATE TABLE away AS TABLE hit;
DELETE FROM hit;
SELECT run, namespaces, hits, mass FROM huf_take('hit', as_of => '2026-01-10 09:00+00');
SELECT measure, says FROM huf_report;
SELECT * FROM huf_change('hit', '2026-01-11');
INSERT INTO hit TABLE away;
SELECT run FROM huf_take('hit', as_of => '2026-01-11 09:00+00');
SELECT DISTINCT compared_with FROM huf_change('hit', '2026-01-11');
SELECT * FROM huf_change('hit', '2026-01-11', 'week');
SELECT * FROM huf_change('hit', '2026-01-11', 'yesterday');
SELECT * FROM huf_change('hit', '2026-01-11', 'tomorrow');
SELECT namespace, state FROM huf_change('hit', '2026-01-11', 'baseline') ORDER BY 1;
SELECT namespace, state FROM huf_change('hit', '2026-01-11', '2026-01-06') ORDER BY 1;

-- a day begins where the series says, not where the session is
SELECT run FROM huf_take('hit', series => 'berlin', as_of => '2026-01-05 23:30+00', time_zone => 'Europe/Berlin');
SELECT run FROM huf_take('hit', series => 'utc', as_of => '2026-01-05 23:30+00');

-- a namespace renamed: gone, new, and perhaps the same
UPDATE hit SET namespace = 'knowledge' WHERE namespace = 'kb';
INSERT INTO hit SELECT 'tickets', 'more-' || i, 0.5, '2026-01-05 09:00+00' FROM generate_series(1, 12) i;
INSERT INTO hit SELECT 'knowledge', 'more-' || i, 0.5, '2026-01-05 09:00+00' FROM generate_series(1, 12) i;
UPDATE hit SET namespace = 'kb' WHERE namespace = 'knowledge';
SELECT run FROM huf_take('hit', series => 'renamed', as_of => '2026-01-05 12:00+00');
UPDATE hit SET namespace = 'knowledge' WHERE namespace = 'kb';
SELECT run FROM huf_take('hit', series => 'renamed', as_of => '2026-01-06 12:00+00');
SELECT says, says_not FROM huf_report WHERE series = 'renamed' AND measure IN ('new', 'vanished') ORDER BY measure;

-- choices belong to the series
SELECT * FROM huf_take('hit', as_of => '2026-01-12 09:00+00', negative => 'half');
SELECT * FROM huf_take('hit', series => 'careful', negative => 'error', as_of => '2026-01-05 09:00+00');
SELECT count(*) AS left_behind FROM huf_series WHERE series = 'careful';
SELECT round(mass::numeric, 4) AS mass, clipped FROM huf_take('hit', series => 'half', negative => 'half', as_of => '2026-01-05 09:00+00');
SELECT run FROM huf_take('hit', series => 'softmax', kind => 'softmax', temperature => 0.1, as_of => '2026-01-05 09:00+00');
SELECT abs(share - expected) < 1e-12 AS softmax FROM huf_snapshot, (SELECT exp((huf_lse(score, 0.1) FILTER (WHERE namespace = 'wiki') - huf_lse(score, 0.1)) / 0.1) AS expected FROM hit WHERE score < 'NaN') e
WHERE series = 'softmax' AND namespace = 'wiki';

-- a threshold: what it would do, and what it does
SELECT round(tau::numeric, 4) AS tau, hits_kept AS kept, round(share_lost::numeric, 4) AS lost, namespaces_lost, round(tv::numeric, 4) AS tv, round(stability::numeric, 2) AS stability, suggested
FROM huf_threshold_curve('hit', '{0,0.01,0.04,0.06,0.5}');
SELECT discarded, round(discarded_share::numeric, 4) AS share FROM huf_take('hit', series => 'tau', tau => 0.04, as_of => '2026-01-05 09:00+00');
SELECT namespace, item_id, reason, round(share::numeric, 4) AS share FROM huf_discard WHERE series = 'tau' ORDER BY namespace, item_id;
SELECT namespace, round(share::numeric, 4) AS share, round(share_kept::numeric, 4) AS kept FROM huf_snapshot WHERE series = 'tau' ORDER BY 1;
SELECT abs(sum(share_kept) - 1) < 1e-12 AS unity FROM huf_snapshot WHERE series = 'tau';
SELECT namespace, round(rho_global_post::numeric, 4) AS post, round(discarded::numeric, 4) AS discarded FROM huf_trace WHERE run_id = 'tau' ORDER BY 1;

-- all records besides the hits: activity, what was written, embeddings
CREATE TABLE record (namespace text, id int, last_update timestamptz, embedding real[]);
INSERT INTO record SELECT 'kb', i, '2026-01-04 12:00+00', ARRAY[1, sin(i) / 4, cos(i * 2.3) / 4] FROM generate_series(1, 200) i;
INSERT INTO record SELECT 'quiet', i, '2025-12-01 12:00+00', ARRAY[1, sin(i), cos(i * 2.3)] FROM generate_series(1, 50) i;
UPDATE hit SET namespace = 'kb' WHERE namespace = 'knowledge';
SELECT run FROM huf_take('hit', series => 'all', records => 'record', as_of => '2026-01-05 09:00+00', model => 'm1');
UPDATE record SET last_update = '2026-01-06 08:00+00', embedding = CASE WHEN id <= 10 THEN ARRAY[-0.2, 1, 0.3] ELSE embedding END WHERE namespace = 'kb' AND id <= 80;
SELECT run FROM huf_take('hit', series => 'all', records => 'record', as_of => '2026-01-06 09:00+00', model => 'm1');
SELECT run, namespace, n, round(activity::numeric, 3) AS activity, records, written, strangers, huf_sketch_count(sketch) AS embeddings, round(sketch_cut::numeric, 4) AS cut
FROM huf_snapshot WHERE series = 'all' AND records > 0 ORDER BY run, namespace;
SELECT measure, namespaces, says FROM huf_report WHERE series = 'all' ORDER BY measure, namespaces;
SELECT namespace, embeddings_before, embeddings_after, round(cosine_drift::numeric, 4) AS drift, drift_p < 0.001 AS significant FROM huf_change('all', '2026-01-06') WHERE embeddings_after > 0 ORDER BY 1;
-- another model is not drift
SELECT run FROM huf_take('hit', series => 'all', records => 'record', as_of => '2026-01-07 09:00+00', model => 'm2');
SELECT measure, namespaces, says FROM huf_report WHERE series = 'all' ORDER BY measure, namespaces;
SELECT count(cosine_drift) AS compared FROM huf_change('all', '2026-01-07');

-- penalties of one's own
INSERT INTO huf_penalty VALUES ('tau', 'kb', 'latency', 0.12, 0.5), ('tau', 'kb', 'cost', 2, 0.01), ('tau', 'wiki', 'privacy', 1, 0.2);
SELECT round(objective::numeric, 6) AS j FROM huf_take('hit', series => 'tau', as_of => '2026-01-06 09:00+00');
SELECT namespace, penalty, abs(s.objective - e.j) < 1e-12 AS objective
FROM huf_snapshot s JOIN (SELECT namespace, huf_objective_penalty(1, array_agg(score), 0.08 * (1 - huf_activity(max(last_update), '2026-01-06 09:00+00'))) AS j FROM hit GROUP BY 1) e USING (namespace)
WHERE series = 'tau' AND run = '2026-01-06' AND penalty = 0 ORDER BY 1;
SELECT namespace, penalty, round(objective::numeric, 4) AS objective FROM huf_trace WHERE run_id = 'tau' AND step = 1 AND penalty > 0 ORDER BY 1;

-- levels from history, a decision that a change was meant, retention
CREATE TABLE daily (namespace text, score float8);
DO $$
BEGIN
	FOR d IN 0..12 LOOP
		DELETE FROM daily;
		INSERT INTO daily SELECT 'a', 0.5 + 0.01 * ((i * 7 + d * 3) % 10) FROM generate_series(1, 50) i UNION ALL SELECT 'b', 0.3 + 0.01 * ((i * 3 + d) % 10) FROM generate_series(1, 50 + d % 3) i;
		IF d >= 11 THEN
			INSERT INTO daily SELECT 'b', 0.9 FROM generate_series(1, 60);
		END IF;
		PERFORM huf_take('daily', as_of => timestamptz '2026-02-01 12:00+00' + d * interval '1 day');
	END LOOP;
END $$;
SELECT run, measure, namespaces, since FROM huf_alert WHERE series = 'daily' ORDER BY run, measure, namespaces;
SELECT says FROM huf_alert WHERE series = 'daily' AND run = '2026-02-12' AND measure IN ('share', 'coherence') ORDER BY measure, namespaces;
SELECT measure, namespace, runs, median > low AND median < high AS between FROM huf_levels('daily', '2026-02-12') WHERE measure = 'share' ORDER BY 2;
SELECT huf_accept('daily', '2026-02-12', 'share', 'b', 'the new catalogue');
SELECT measure, namespaces, decision FROM huf_report WHERE series = 'daily' AND measure = 'share' ORDER BY namespaces;
SELECT huf_accept('daily', '2026-02-12', 'share', 'b', '');
SELECT huf_accept('daily', '2026-02-12', 'activity', 'b', 'x');
SELECT huf_forget('daily', 5);
SELECT run FROM huf_run WHERE series = 'daily' ORDER BY 1;
SELECT count(*) > 0 AS alerts_stay FROM huf_alert WHERE series = 'daily';
SELECT huf_forget('daily', 0);

-- a day taken late is the past of those after it
SELECT run FROM huf_take('hit', series => 'late', as_of => '2026-01-05 09:00+00');
SELECT run FROM huf_take('hit', series => 'late', as_of => '2026-01-07 09:00+00');
SELECT measure FROM huf_alert WHERE series = 'late' AND run = '2026-01-07' AND measure = 'missed';
SELECT run FROM huf_take('hit', series => 'late', as_of => '2026-01-06 09:00+00');
SELECT measure FROM huf_alert WHERE series = 'late' AND run = '2026-01-07' AND measure = 'missed';

-- other sources: a view, columns of other names and types, rows that count one
CREATE VIEW log AS SELECT namespace AS tenant, id AS doc, score::numeric AS relevance, last_update::timestamp AS seen FROM hit;
SELECT hits FROM huf_take('log', namespace_column => 'tenant', score_column => 'relevance', id_column => 'doc', updated_column => 'seen', as_of => '2026-01-05 09:00+00');
SELECT hits, mass FROM huf_take('record', series => 'counted', score_column => NULL, as_of => '2026-01-05 09:00+00');

-- probing: nearest neighbours of a set of queries
CREATE TABLE question AS SELECT 'q' || i AS id, ARRAY[1, i / 10.0, 0]::real[] AS embedding FROM generate_series(1, 3) i;
SELECT query, namespace, id, round(score::numeric, 4) AS score FROM huf_probe('record', 'question', 2) ORDER BY query, score DESC, id;
CREATE VIEW probe AS SELECT * FROM huf_probe('record', 'question', 5);
SELECT hits FROM huf_take('probe', as_of => '2026-01-05 09:00+00');

-- embeddings that cannot be compared
CREATE TABLE odd AS SELECT 'a' AS namespace, i::text AS id, 0.5 AS score, array_fill(1::real, ARRAY[CASE i WHEN 3 THEN 2 ELSE 3 END]) AS embedding FROM generate_series(1, 4) i;
SELECT huf_take('odd');
SELECT huf_take('hit', series => 'odd', records => 'odd');
DROP TABLE odd;

-- bad input: nothing is stored
SELECT huf_take('log');
SELECT huf_take('log', namespace_column => 'tenant', score_column => 'doc');
SELECT huf_take('record', score_column => 'id', updated_column => 'id');
SELECT huf_take('hit', score_column => 'nothing');
SELECT huf_take('nowhere');
SELECT huf_take(NULL);
SELECT huf_take('hit', as_of => 'infinity');
SELECT huf_take('hit', rerun => 'perhaps');
SELECT huf_take('hit', series => 'bad', kind => 'quadratic');
SELECT huf_take('hit', series => 'bad', negative => 'abs');
SELECT huf_take('hit', series => 'bad', tau => 1.5);
SELECT huf_take('hit', series => 'bad', tau => 'NaN');
SELECT huf_take('hit', series => 'bad', temperature => 0);
SELECT huf_take('hit', series => 'bad', kind => 'softmax', temperature => 1e-4);
SELECT huf_take('hit', series => 'bad', time_zone => 'Mars/Olympus');
SELECT huf_take('hit', series => '');
INSERT INTO hit VALUES (NULL, 'n-1', 0.5, NULL);
SELECT run FROM huf_take('hit', series => 'null', as_of => '2026-01-05 09:00+00');
SELECT namespace, n FROM huf_snapshot WHERE series = 'null' AND namespace = 'Global';
INSERT INTO hit VALUES ('Global', 'n-2', 0.5, NULL);
SELECT huf_take('hit', series => 'bad');
SELECT * FROM huf_threshold_curve('hit', '{0.1,2}');
SELECT * FROM huf_threshold_curve('hit', budget => -1);
SELECT * FROM huf_probe('record', 'question', 0);
SELECT * FROM huf_probe('record', 'question', 5, '<~>');
UPDATE huf_series SET sensitivity = -1;
SELECT count(*) FROM huf_series WHERE series = 'bad';

DROP VIEW log, probe;
DROP TABLE hit, away, record, daily, question;
DROP SCHEMA gov CASCADE;
