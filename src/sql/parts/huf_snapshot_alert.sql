/*
 * Governance: what is watched, the levels it has, and alerts that say so.
 *
 * Levels come from the runs of the window before: median plus and minus
 * sensitivity * (1 + 5 / runs) times the larger distance to a decile.  Values
 * that alerted are no part of them until somebody accepts them, so that a
 * fault does not become usual by lasting.
 *
 * Many namespaces are joined before anybody has analysed the tables, so nested
 * loops, which would be chosen for a handful of rows, are off; and so is JIT,
 * which takes plans without them for expensive ones.
 */

CREATE FUNCTION huf_pack_alert() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $huf_pack$ SELECT $huf_text$

-- P(X >= seen) at most, for a Poisson count that is expected to be this large.
CREATE OR REPLACE FUNCTION @s@.huf_count_p(seen float8, expected float8)
RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN seen IS NULL OR expected IS NULL THEN NULL WHEN seen <= expected THEN 1 WHEN expected <= 0 THEN 0 ELSE exp(greatest(seen - expected - seen * ln(seen / expected), -700)) END
$$;
COMMENT ON FUNCTION @s@.huf_count_p(float8, float8) IS 'bound of the probability of counting so many or more where so many are expected (Chernoff, Poisson)';

-- What is watched of a run.
CREATE OR REPLACE FUNCTION @s@.huf_measures(of_series text, of_run date)
RETURNS TABLE (measure text, namespace text, value float8) LANGUAGE plpgsql STABLE SET enable_nestloop = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
	s @s@.huf_series;
	r @s@.huf_run;
	p @s@.huf_run;
	days float8;
BEGIN
	SELECT * INTO STRICT s FROM @s@.huf_series q WHERE q.series = of_series;
	SELECT * INTO STRICT r FROM @s@.huf_run q WHERE q.series = of_series AND q.run = of_run;
	SELECT * INTO p FROM @s@.huf_run q WHERE q.series = of_series AND q.run < of_run ORDER BY q.run DESC LIMIT 1;
	IF p.run IS NOT NULL AND of_run - p.run > s.every_days THEN
		RETURN QUERY SELECT 'missed', NULL::text, (of_run - p.run)::float8;
	END IF;
	IF r.hits = 0 OR r.mass IS NULL OR r.mass = 0 THEN
		RETURN QUERY SELECT 'empty', NULL::text, r.hits::float8;
		RETURN;
	END IF;
	SELECT * INTO p FROM @s@.huf_run q WHERE q.series = of_series AND q.run = @s@.huf_against(of_series, of_run, 'previous');
	days := of_run - p.run;

	RETURN QUERY
	SELECT m.measure, NULL::text, m.value
	FROM (VALUES ('effective_namespaces', r.effective_namespaces), ('top_share', r.top_share), ('hits_90', r.hits_90::float8 / r.hits), ('mass', ln(r.mass))) m(measure, value);
	IF p.run IS NOT NULL AND p.mass > 0 THEN
		RETURN QUERY
		SELECT m.measure, NULL::text, m.value
		FROM (SELECT @x@.huf_coherence(b.share, c.share) AS coherence, @x@.huf_js_distance(b.share, c.share) AS js, @x@.huf_psi(b.share, c.share) AS psi
				FROM (SELECT q.namespace, q.share FROM @s@.huf_snapshot q WHERE q.series = of_series AND q.run = p.run) b
				FULL JOIN (SELECT q.namespace, q.share FROM @s@.huf_snapshot q WHERE q.series = of_series AND q.run = of_run) c USING (namespace)) d,
			LATERAL (VALUES ('coherence', coherence), ('js_distance', js), ('psi', psi)) m(measure, value);
	END IF;
	IF p.run IS NOT NULL AND p.model IS DISTINCT FROM r.model THEN
		RETURN QUERY SELECT 'model', NULL::text, NULL::float8;
	END IF;

	RETURN QUERY
	WITH run AS (
		SELECT q.run, row_number() OVER (ORDER BY q.run) AS nth FROM @s@.huf_run q
		WHERE q.series = of_series AND q.run < of_run AND q.run >= of_run - s.window_days AND q.hits > 0
	), seen AS ( -- in the window before: hits, scores, what was written and strange
		SELECT q.namespace, count(*) = (SELECT max(nth) FROM run) - min(nth) + 1 AS always, avg(q.n) AS n, sum(q.written) AS written, sum(q.strangers) AS strangers,
			bool_or(q.records > 0) AS had_records
		FROM @s@.huf_snapshot q JOIN run USING (run) WHERE q.series = of_series
		GROUP BY q.namespace
	), scores AS (
		SELECT h.namespace, array_agg(total ORDER BY bin) AS histogram
		FROM (SELECT q.namespace, bin, sum(count)::bigint AS total FROM @s@.huf_snapshot q, unnest(q.histogram) WITH ORDINALITY u(count, bin)
			WHERE q.series = of_series AND q.run < of_run AND q.run >= of_run - s.window_days
				AND NOT EXISTS (SELECT FROM @s@.huf_alert a WHERE a.series = of_series AND a.run = q.run AND a.measure = 'score_psi' AND a.namespaces = ARRAY[q.namespace])
			GROUP BY 1, 2) h
		GROUP BY 1
	), c AS (
		SELECT * FROM @s@.huf_snapshot q WHERE q.series = of_series AND q.run = of_run
	), b AS (
		SELECT * FROM @s@.huf_snapshot q WHERE q.series = of_series AND q.run = p.run
	)
	SELECT m.measure, namespace, m.value
	FROM c LEFT JOIN b USING (namespace) LEFT JOIN seen USING (namespace) LEFT JOIN scores USING (namespace),
		LATERAL (VALUES ('share', c.share),
			('activity', CASE WHEN c.last_update IS NOT NULL THEN c.activity END),
			('records', (ln(nullif(c.records, 0)) - ln(nullif(b.records, 0))) / days),
			('written', sqrt(c.written / days)),
			('effective_hits', CASE WHEN c.n >= 10 THEN c.effective_hits / c.n END),
			('score_psi', CASE WHEN c.n >= 30 THEN @s@.huf_histogram_psi(scores.histogram, c.histogram) END),
			('drift', CASE WHEN p.model IS NOT DISTINCT FROM r.model AND @x@.huf_sketch_dims(b.sketch) = @x@.huf_sketch_dims(c.sketch)
				THEN @x@.huf_shift_p(b.sketch, c.sketch) END),
			('strangers', @s@.huf_count_p(c.strangers, c.written * greatest(0.01, seen.strangers / nullif(seen.written, 0), 2 / nullif(b.records, 0)::float8))),
			('new', CASE WHEN p.run IS NOT NULL AND seen.namespace IS NULL THEN c.share END)) m(measure, value)
	WHERE m.value IS NOT NULL
	UNION ALL
	-- gone: had records, or so many hits that chance does not explain none, or some in each run
	SELECT 'vanished', namespace, b.share
	FROM b JOIN seen USING (namespace)
	WHERE NOT EXISTS (SELECT FROM c WHERE c.namespace = b.namespace) AND (seen.had_records OR seen.n >= 10 OR seen.always);
END $$;
COMMENT ON FUNCTION @s@.huf_measures(text, date) IS 'internal: what is watched of a run; what may not be known yet is NULL or left out';

-- The levels that the runs before give.
CREATE OR REPLACE FUNCTION @s@.huf_levels(of_series text, of_run date)
RETURNS TABLE (measure text, namespace text, runs bigint, low float8, median float8, high float8) LANGUAGE sql STABLE SET enable_nestloop = off SET jit = off AS $$
	WITH decided AS (
		SELECT measure, namespace, max(run) AS run FROM @s@.huf_decision WHERE series = of_series AND run < of_run GROUP BY 1, 2
	), alerted AS ( -- by run and name, so that it can be looked up
		SELECT DISTINCT run, measure, CASE WHEN of_namespace THEN namespaces[1] END AS namespace
		FROM @s@.huf_alert a JOIN @s@.huf_rule USING (measure) WHERE series = of_series AND run < of_run AND basis <> 'note'
	), past AS (
		SELECT m.measure, m.namespace, CASE WHEN root THEN sqrt(greatest(m.value, 0)) ELSE m.value END AS value
		FROM @s@.huf_series s JOIN @s@.huf_measure m USING (series) JOIN @s@.huf_rule u ON u.measure = m.measure
			LEFT JOIN alerted a ON a.run = m.run AND a.measure = m.measure AND coalesce(a.namespace, '') = coalesce(m.namespace, '')
			LEFT JOIN decided d ON d.measure = m.measure AND coalesce(d.namespace, '') = coalesce(m.namespace, '')
		WHERE series = of_series AND m.run < of_run AND m.run >= of_run - window_days AND m.value < 'Infinity'
			AND (d.run IS NULL OR m.run >= d.run) AND (a.run IS NULL OR a.run = d.run)
	), quantile AS (
		SELECT measure, namespace, count(*) AS runs, percentile_cont(ARRAY[0.1, 0.5, 0.9]) WITHIN GROUP (ORDER BY value) AS q FROM past GROUP BY 1, 2
	)
	SELECT measure, namespace, runs, least(CASE WHEN root THEN greatest(q[2] - reach, 0) ^ 2 ELSE q[2] - reach END, usual - u.least), usual,
		greatest(CASE WHEN root THEN (q[2] + reach) ^ 2 ELSE q[2] + reach END, usual + u.least)
	FROM @s@.huf_series s, @s@.huf_rule u JOIN quantile USING (measure),
		LATERAL (SELECT sensitivity * (1 + 5.0 / runs) * greatest(q[3] - q[2], q[2] - q[1]), CASE WHEN root THEN q[2] ^ 2 ELSE q[2] END) r(reach, usual)
	WHERE series = of_series AND side IN ('low', 'high', 'both') AND runs >= min_history
$$;
COMMENT ON FUNCTION @s@.huf_levels(text, date) IS 'levels for a run: median of the runs in the window before, plus and minus sensitivity * (1 + 5 / runs) times the larger distance to a decile';

-- Measure a run, and say what is out of its levels.  Can be done again.
CREATE OR REPLACE FUNCTION @s@.huf_judge(of_series text, of_run date)
RETURNS int LANGUAGE plpgsql SET enable_nestloop = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
	alerts int;
	alerting boolean;
	before date := @s@.huf_against(of_series, of_run, 'previous');
BEGIN
	DELETE FROM @s@.huf_alert WHERE series = of_series AND run = of_run;
	DELETE FROM @s@.huf_measure WHERE series = of_series AND run = of_run;

	WITH l AS MATERIALIZED (SELECT * FROM @s@.huf_levels(of_series, of_run))
	INSERT INTO @s@.huf_measure (series, run, measure, namespace, value, low, high, basis)
	SELECT of_series, of_run, m.measure, m.namespace, m.value,
		CASE WHEN side IN ('low', 'both') THEN CASE WHEN l.runs IS NULL THEN u.low ELSE l.low END WHEN side = 'p' THEN significance / count(*) OVER (PARTITION BY m.measure) END,
		CASE WHEN side IN ('high', 'both') THEN CASE WHEN l.runs IS NULL THEN u.high ELSE l.high END END,
		CASE WHEN side = 'p' THEN 'significance' WHEN side = 'fact' THEN 'fact' WHEN l.runs IS NOT NULL THEN format('%s runs', l.runs)
			WHEN u.low IS NOT NULL OR u.high IS NOT NULL THEN 'note' END
	FROM @s@.huf_measures(of_series, of_run) m JOIN @s@.huf_rule u USING (measure) JOIN @s@.huf_series s ON s.series = of_series
		LEFT JOIN l ON l.measure = m.measure AND coalesce(l.namespace, '') = coalesce(m.namespace, '')
	WHERE enabled;
	alerting := EXISTS (SELECT FROM @s@.huf_measure m WHERE series = of_series AND run = of_run AND (basis = 'fact' OR value < low OR value > high))
		AND NOT EXISTS (SELECT FROM @s@.huf_measure m WHERE series = of_series AND run = of_run AND measure = 'empty');

	WITH changes AS MATERIALIZED (
		SELECT c.*, row_number() OVER w AS nth, sum(tv_part) OVER w - tv_part AS before_it, sum(tv_part) OVER () AS total
		FROM (SELECT * FROM @s@.huf_change(of_series, of_run) WHERE before IS NOT NULL AND alerting) c WINDOW w AS (ORDER BY tv_part DESC, namespace)
	), mover AS ( -- those that make up four fifths of the change, at most five
		SELECT array_agg(namespace ORDER BY nth) AS movers FROM changes WHERE nth <= 5 AND before_it < 0.8 * total AND tv_part > 0
	)
	INSERT INTO @s@.huf_alert (series, run, measure, namespaces, value, threshold, basis, since, says, says_not)
	SELECT of_series, of_run, measure,
		CASE WHEN m.namespace IS NOT NULL THEN ARRAY[m.namespace] WHEN side = 'fact' THEN '{}' ELSE coalesce(movers, '{}') END,
		value, CASE WHEN value < m.low THEN m.low WHEN value > m.high THEN m.high END, basis,
		coalesce((SELECT a.since FROM @s@.huf_alert a WHERE a.series = of_series AND a.run = before AND a.measure = m.measure
			AND (m.namespace IS NULL OR a.namespaces = ARRAY[m.namespace])), of_run),
		concat_ws(' ', CASE WHEN m.namespace IS NOT NULL THEN format('namespace "%s":', m.namespace) END,
			CASE WHEN side <> 'fact' THEN format('%s is %s, %s %s (%s):', measure, @s@.huf_digits(value), CASE WHEN value < m.low THEN 'below' ELSE 'above' END,
				@s@.huf_digits(CASE WHEN value < m.low THEN m.low ELSE m.high END), basis)
				WHEN measure = 'missed' THEN format('%s days since the run before:', value) END, means)
			|| CASE WHEN measure = 'share' THEN coalesce((SELECT format('; its own mass changed by %s %%, the total by %s %%', round((100 * (exp(own) - 1))::numeric, 1),
					round((100 * (exp(-dilution) - 1))::numeric, 1)) FROM changes c WHERE c.namespace = m.namespace), '')
				WHEN measure = 'new' THEN coalesce((SELECT format('; perhaps "%s", renamed', perhaps_was) FROM changes c WHERE c.namespace = m.namespace AND perhaps_was IS NOT NULL), '')
				WHEN measure = 'vanished' THEN format('; it had %s %% of the mass of the run before', round((100 * value)::numeric, 1))
				WHEN m.namespace IS NULL AND side <> 'fact' AND movers IS NOT NULL THEN format('; what moved most: %s', array_to_string(movers, ', ')) ELSE '' END || '.',
		means_not
	FROM @s@.huf_measure m JOIN @s@.huf_rule USING (measure), mover
	WHERE series = of_series AND run = of_run AND (side = 'fact' OR value < m.low OR value > m.high);
	GET DIAGNOSTICS alerts = ROW_COUNT;
	RETURN alerts;
END $$;
COMMENT ON FUNCTION @s@.huf_judge(text, date) IS 'measure a run and store what is out of its levels, from what is stored of it; returns the number of alerts';

CREATE OR REPLACE FUNCTION @s@.huf_digits(x float8)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN x IS NULL OR x = 0 OR abs(x) > 1e15 OR x = 'NaN' THEN x::text WHEN abs(x) >= 0.001 THEN trim_scale(round(x::numeric, greatest(0, 3 - floor(log(abs(x)))::int)))::text
		ELSE trim(to_char(x, '9.9EEEE')) END
$$;
COMMENT ON FUNCTION @s@.huf_digits(float8) IS 'internal: a number for people, with four digits';

CREATE OR REPLACE FUNCTION @s@.huf_accept(series text, run date, measure text, namespace text, note text)
RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	later date;
BEGIN
	IF coalesce(note, '') = '' THEN
		RAISE invalid_parameter_value USING MESSAGE = 'a decision needs a note that says why';
	END IF;
	IF NOT EXISTS (SELECT FROM @s@.huf_alert a WHERE a.series = huf_accept.series AND a.run = huf_accept.run AND a.measure = huf_accept.measure
		AND (huf_accept.namespace IS NULL OR huf_accept.namespace = ANY (a.namespaces))) THEN
		RAISE no_data_found USING MESSAGE = format('series "%s" has no alert of %s on %s%s', huf_accept.series, huf_accept.measure, huf_accept.run,
			coalesce(format(' for namespace "%s"', huf_accept.namespace), ''));
	END IF;
	INSERT INTO @s@.huf_decision (series, run, measure, namespace, note) VALUES (huf_accept.series, huf_accept.run, huf_accept.measure,
		CASE WHEN (SELECT of_namespace FROM @s@.huf_rule u WHERE u.measure = huf_accept.measure) THEN huf_accept.namespace END, huf_accept.note);
	FOR later IN SELECT q.run FROM @s@.huf_run q WHERE q.series = huf_accept.series AND q.run > huf_accept.run ORDER BY 1 LOOP
		PERFORM @s@.huf_judge(huf_accept.series, later);
	END LOOP;
END $$;
COMMENT ON FUNCTION @s@.huf_accept(text, date, text, text, text) IS 'record that a change was meant: the levels of the measure are learned anew from that run on';

CREATE OR REPLACE VIEW @s@.huf_report AS
SELECT a.series, a.run, a.measure, a.namespaces, a.value, a.threshold, a.since, a.says, a.says_not, d.note AS decision
FROM @s@.huf_alert a LEFT JOIN LATERAL (SELECT note FROM @s@.huf_decision d WHERE d.series = a.series AND d.run = a.run AND d.measure = a.measure
	AND (d.namespace IS NULL OR d.namespace = ANY (a.namespaces)) ORDER BY decided_at DESC LIMIT 1) d ON true
WHERE a.run = (SELECT max(r.run) FROM @s@.huf_run r WHERE r.series = a.series);
COMMENT ON VIEW @s@.huf_report IS 'what alerts in the newest run of each series, in sentences';

$huf_text$::text $huf_pack$;

COMMENT ON FUNCTION huf_pack_alert() IS
'internal: text of the snapshot pack''s alerts';
