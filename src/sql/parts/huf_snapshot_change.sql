/*
 * Governance: one run against another, by name.
 */

CREATE FUNCTION huf_pack_change() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $huf_pack$ SELECT $huf_text$

-- The run that one is compared with, or NULL.  An empty run compares with nothing.
CREATE OR REPLACE FUNCTION @s@.huf_against(series text, run date, against text)
RETURNS date LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
	RETURN CASE
		WHEN against = 'previous' THEN (SELECT max(q.run) FROM @s@.huf_run q WHERE q.series = huf_against.series AND q.run < huf_against.run AND q.hits > 0)
		WHEN against = 'yesterday' THEN (SELECT q.run FROM @s@.huf_run q WHERE q.series = huf_against.series AND q.run = huf_against.run - 1 AND q.hits > 0)
		WHEN against = 'week' THEN (SELECT max(q.run) FROM @s@.huf_run q WHERE q.series = huf_against.series AND q.run <= huf_against.run - 7 AND q.hits > 0)
		WHEN against = 'baseline' THEN (SELECT q.run FROM @s@.huf_series s JOIN @s@.huf_run q ON q.series = s.series AND q.run = s.baseline
			WHERE s.series = huf_against.series AND q.hits > 0)
		ELSE (SELECT q.run FROM @s@.huf_run q WHERE q.series = huf_against.series AND q.run = against::date AND q.hits > 0) END;
END $$;
COMMENT ON FUNCTION @s@.huf_against(text, date, text) IS
'the run that "previous" (the newest before), "yesterday", "week" (the newest at least seven days before), "baseline" or a date means; NULL if there is none, or it is empty';

CREATE OR REPLACE FUNCTION @s@.huf_tier(activity_time timestamptz, as_of timestamptz)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN activity_time IS NULL OR as_of IS NULL THEN 'unknown' WHEN as_of - activity_time < interval '1 hour' THEN 'hour'
		WHEN as_of - activity_time < interval '24 hours' THEN 'day' WHEN as_of - activity_time < interval '168 hours' THEN 'week'
		WHEN as_of - activity_time <= interval '720 hours' THEN 'month' ELSE 'older' END
$$;
COMMENT ON FUNCTION @s@.huf_tier(timestamptz, timestamptz) IS 'how old a namespace''s newest record is: the tier of huf_activity_tier() by name';

-- Population stability index of two histograms.
CREATE OR REPLACE FUNCTION @s@.huf_histogram_psi(previous bigint[], current bigint[])
RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN cardinality(previous) = cardinality(current) THEN (SELECT @x@.huf_psi(p + 0.5, c + 0.5) FROM unnest(previous, current) u(p, c)) END
$$;
COMMENT ON FUNCTION @s@.huf_histogram_psi(bigint[], bigint[]) IS 'population stability index of counts in the same bins, half a count added to each';

CREATE OR REPLACE FUNCTION @s@.huf_change(series text, run date, against text DEFAULT 'previous')
RETURNS TABLE (namespace text, state text, compared_with date, share_before float8, share_after float8, change float8, tv_part float8, js_part float8, psi_part float8,
	mass_before float8, mass_after float8, own float8, dilution float8, erosion float8, n_before bigint, n_after bigint, hits_90_before bigint, hits_90_after bigint,
	tier_before text, tier_after text, embeddings_before bigint, embeddings_after bigint, cosine_drift float8, shift float8, drift_p float8, score_psi float8,
	perhaps_was text)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
	other date := @s@.huf_against(huf_change.series, huf_change.run, against);
	eps CONSTANT float8 := 1e-6;
BEGIN
	IF NOT EXISTS (SELECT FROM @s@.huf_run q WHERE q.series = huf_change.series AND q.run = huf_change.run) THEN
		RAISE no_data_found USING MESSAGE = format('series "%s" has no run of %s', huf_change.series, coalesce(huf_change.run::text, 'NULL')),
			HINT = 'Runs are in huf_run.';
	ELSIF other IS NULL THEN
		RAISE no_data_found USING MESSAGE = format('series "%s" has no run to compare that of %s with: %s', huf_change.series, huf_change.run, against),
			HINT = 'Valid are "previous", "yesterday", "week", "baseline" and the date of a run that is not empty.';
	END IF;
	RETURN QUERY
	WITH both_sides AS (
		SELECT namespace, p.namespace IS NOT NULL AS before, c.namespace IS NOT NULL AS now, coalesce(p.share, 0) AS ps, coalesce(c.share, 0) AS cs,
			p.share AS share_before, c.share AS share_after, p.n AS pn, c.n AS cn, p.mass AS pm, c.mass AS cm, r.mass AS ptotal, q.mass AS ctotal,
			p.hits_90 AS ph, c.hits_90 AS ch, p.sketch AS psk, c.sketch AS csk, p.histogram AS phist, c.histogram AS chist, p.records AS pr, c.records AS cr,
			@s@.huf_tier(p.last_update, r.taken) AS pt, @s@.huf_tier(c.last_update, q.taken) AS ct,
			r.model IS NOT DISTINCT FROM q.model AND @x@.huf_sketch_dims(p.sketch) = @x@.huf_sketch_dims(c.sketch) AS comparable
		FROM (SELECT * FROM @s@.huf_snapshot WHERE series = huf_change.series AND run = other) p
		FULL JOIN (SELECT * FROM @s@.huf_snapshot WHERE series = huf_change.series AND run = huf_change.run) c USING (namespace),
			@s@.huf_run r, @s@.huf_run q
		WHERE (r.series, r.run) = (huf_change.series, other) AND (q.series, q.run) = (huf_change.series, huf_change.run)
	), smooth AS (
		SELECT *, greatest(ps, eps) / sum(greatest(ps, eps)) OVER () AS pe, greatest(cs, eps) / sum(greatest(cs, eps)) OVER () AS ce, (ps + cs) / 2 AS mid
		FROM both_sides
	)
	SELECT namespace, CASE WHEN NOT before THEN 'new' WHEN NOT now THEN 'vanished' ELSE 'kept' END, other, share_before, share_after, cs - ps, abs(cs - ps) / 2,
		CASE WHEN ps > 0 THEN ps * ln(ps / mid) / 2 ELSE 0 END + CASE WHEN cs > 0 THEN cs * ln(cs / mid) / 2 ELSE 0 END, (ce - pe) * (ln(ce) - ln(pe)),
		pm, cm, CASE WHEN pm > 0 AND cm > 0 THEN ln(cm) - ln(pm) END, CASE WHEN pm > 0 AND cm > 0 THEN ln(ptotal) - ln(ctotal) END,
		@x@.huf_erosion(share_before, CASE WHEN before THEN coalesce(share_after, 0) END), pn, cn, ph, ch, pt, ct,
		@x@.huf_sketch_count(psk), @x@.huf_sketch_count(csk),
		CASE WHEN comparable THEN @x@.huf_centroid_cos_drift(psk, csk) END, CASE WHEN comparable THEN @x@.huf_l2_unbiased(psk, csk) END,
		CASE WHEN comparable THEN @x@.huf_shift_p(psk, csk) END, @s@.huf_histogram_psi(phist, chist),
		-- a namespace that vanished and is much like this new one
		CASE WHEN NOT before THEN (SELECT o.namespace FROM both_sides o WHERE NOT o.now
			AND abs(coalesce(o.pr, o.pn) - coalesce(b.cr, b.cn)) <= 0.1 * coalesce(o.pr, o.pn)
			AND CASE WHEN o.psk IS NOT NULL AND b.csk IS NOT NULL
				THEN @x@.huf_sketch_dims(o.psk) = @x@.huf_sketch_dims(b.csk) AND coalesce(@x@.huf_centroid_cos_drift(o.psk, b.csk) < 0.01, false)
				ELSE abs(o.ps - b.cs) <= 0.1 * o.ps END
			ORDER BY abs(o.ps - b.cs), o.namespace LIMIT 1) END
	FROM smooth b;
END $$;
COMMENT ON FUNCTION @s@.huf_change(text, date, text) IS
'a run against "previous", "yesterday", "week", "baseline" or a date, by namespace: shares, contributions to total variation, Jensen-Shannon and PSI, own change and dilution, tiers, drift of embeddings with the samples'' sizes and how likely chance is';

CREATE OR REPLACE VIEW @s@.huf_change_yesterday AS
SELECT r.series, r.run, c.* FROM @s@.huf_run r, LATERAL @s@.huf_change(r.series, r.run, 'yesterday') c
WHERE r.run = (SELECT max(q.run) FROM @s@.huf_run q WHERE q.series = r.series) AND @s@.huf_against(r.series, r.run, 'yesterday') IS NOT NULL;
COMMENT ON VIEW @s@.huf_change_yesterday IS 'the newest run of each series against that of the day before; no rows where there is none';
CREATE OR REPLACE VIEW @s@.huf_change_previous AS
SELECT r.series, r.run, c.* FROM @s@.huf_run r, LATERAL @s@.huf_change(r.series, r.run, 'previous') c
WHERE r.run = (SELECT max(q.run) FROM @s@.huf_run q WHERE q.series = r.series) AND @s@.huf_against(r.series, r.run, 'previous') IS NOT NULL;
COMMENT ON VIEW @s@.huf_change_previous IS 'the newest run of each series against the newest before it, however long ago';
CREATE OR REPLACE VIEW @s@.huf_change_week AS
SELECT r.series, r.run, c.* FROM @s@.huf_run r, LATERAL @s@.huf_change(r.series, r.run, 'week') c
WHERE r.run = (SELECT max(q.run) FROM @s@.huf_run q WHERE q.series = r.series) AND @s@.huf_against(r.series, r.run, 'week') IS NOT NULL;
COMMENT ON VIEW @s@.huf_change_week IS 'the newest run of each series against the newest that is at least seven days older';
CREATE OR REPLACE VIEW @s@.huf_change_baseline AS
SELECT r.series, r.run, c.* FROM @s@.huf_run r, LATERAL @s@.huf_change(r.series, r.run, 'baseline') c
WHERE r.run = (SELECT max(q.run) FROM @s@.huf_run q WHERE q.series = r.series) AND @s@.huf_against(r.series, r.run, 'baseline') IS NOT NULL;
COMMENT ON VIEW @s@.huf_change_baseline IS 'the newest run of each series against its baseline';

-- The fields of the note's per-step trace, a row per namespace and run.
CREATE OR REPLACE VIEW @s@.huf_trace AS
SELECT s.series AS run_id, dense_rank() OVER (PARTITION BY s.series ORDER BY s.run) - 1 AS step, r.taken AS as_of, s.namespace, s.n, s.mass, s.activity,
	s.activity * s.share AS weight, CASE WHEN s.n > 0 THEN 1::float8 END AS alpha_star, CASE WHEN s.n > 0 THEN 1::float8 END AS c_local, s.share AS rho_global_pre, s.share_kept AS rho_global_post,
	s.share - p.share AS delta_rho, @x@.huf_erosion(p.share, s.share) AS erosion,
	(SELECT value FROM @s@.huf_measure m WHERE (m.series, m.run) = (s.series, s.run) AND measure = 'coherence') AS coherence,
	1 - (SELECT value FROM @s@.huf_measure m WHERE (m.series, m.run) = (s.series, s.run) AND measure = 'coherence') AS tv,
	(SELECT value FROM @s@.huf_measure m WHERE (m.series, m.run) = (s.series, s.run) AND measure = 'psi') AS psi,
	s.hits_90 AS items_90pct, r.effective_namespaces AS n_eff,
	(SELECT coalesce(sum(d.share), 0) FROM @s@.huf_discard d WHERE (d.series, d.run, d.namespace) = (s.series, s.run, s.namespace)) AS discarded,
	s.penalty, s.objective,
	(SELECT string_agg(measure, ', ' ORDER BY measure) FROM @s@.huf_alert a WHERE (a.series, a.run) = (s.series, s.run) AND s.namespace = ANY (namespaces)) AS alert
FROM @s@.huf_snapshot s JOIN @s@.huf_run r USING (series, run)
LEFT JOIN @s@.huf_snapshot p ON p.series = s.series AND p.namespace = s.namespace AND p.run = @s@.huf_against(s.series, s.run, 'previous');
COMMENT ON VIEW @s@.huf_trace IS 'the note''s trace per step, for huf_jsonl(); alpha_star and c_local are 1 by the objective as it is written';

$huf_text$::text $huf_pack$;

COMMENT ON FUNCTION huf_pack_change() IS
'internal: text of the snapshot pack''s comparisons';
