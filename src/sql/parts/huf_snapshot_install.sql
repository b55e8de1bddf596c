/*
 * Governance: what a threshold would do, and huf_install().
 */

CREATE FUNCTION huf_pack_threshold() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $huf_pack$ SELECT $huf_text$

CREATE OR REPLACE FUNCTION @s@.huf_threshold_curve(source regclass, taus float8[] DEFAULT NULL, kind text DEFAULT 'linear', negative text DEFAULT 'clip',
	temperature float8 DEFAULT 1, budget float8 DEFAULT 0.05, namespace_column name DEFAULT 'namespace', score_column name DEFAULT 'score')
RETURNS TABLE (tau float8, hits_kept bigint, hits_lost bigint, share_lost float8, namespaces_kept bigint, namespaces_lost text[], tv float8, stability float8, suggested boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	hits text;
	mass text;
	n bigint;
	total float8;
BEGIN
	IF kind IS NULL OR kind NOT IN ('linear', 'softmax') THEN
		RAISE invalid_parameter_value USING MESSAGE = format('invalid kind of share: "%s"', kind), HINT = 'Valid kinds are "linear" and "softmax".';
	ELSIF negative IS NULL OR negative NOT IN ('clip', 'half', 'error') THEN
		RAISE invalid_parameter_value USING MESSAGE = format('invalid choice for negative scores: "%s"', negative), HINT = 'Valid choices are "clip", "half" and "error".';
	ELSIF (temperature > 0 AND temperature < 'Infinity') IS NOT TRUE THEN
		RAISE invalid_parameter_value USING MESSAGE = format('temperature must be finite and greater than 0, not %s', temperature);
	ELSIF (budget >= 0 AND budget <= 1) IS NOT TRUE THEN
		RAISE invalid_parameter_value USING MESSAGE = format('budget must be between 0 and 1, not %s', budget);
	ELSIF EXISTS (SELECT FROM unnest(taus) t WHERE (t >= 0 AND t <= 1) IS NOT TRUE) THEN
		RAISE invalid_parameter_value USING MESSAGE = format('tau must be between 0 and 1, not %s', (SELECT t FROM unnest(taus) t WHERE (t >= 0 AND t <= 1) IS NOT TRUE LIMIT 1));
	END IF;
	hits := @s@.huf_same_rows(source, format('SELECT %s AS ns, %s AS s FROM %s', @s@.huf_column(source, namespace_column, 'namespace', 'text'),
		coalesce(@s@.huf_column(source, score_column, 'score', 'number'), '1::float8'), source), 'huf_threshold_hits', false);
	mass := CASE WHEN kind = 'softmax' THEN format('exp(greatest(least(s / %L::float8, 700), -700))', temperature)
		WHEN negative = 'half' THEN '(1 + s) / 2' WHEN negative = 'clip' THEN 'greatest(s, 0)' ELSE 's' END;
	EXECUTE format('SELECT count(*), @x@.huf_mass(%s) FROM %s h WHERE s > ''-Infinity'' AND s < ''Infinity''', mass, hits) INTO n, total;
	IF n = 0 OR total = 0 THEN
		RETURN;
	END IF;
	-- parts and multiples of the mean share
	taus := coalesce(taus, ARRAY(SELECT DISTINCT f / n FROM unnest(ARRAY[0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 2, 3, 5, 10]) f WHERE f / n <= 1));
	RETURN QUERY EXECUTE format($q$
		WITH hit AS (
			SELECT coalesce(ns, 'Global') AS ns, x / $1 AS share FROM (SELECT ns, %s AS x FROM %s h WHERE s > '-Infinity' AND s < 'Infinity') h
		), by_namespace AS (
			SELECT t.tau, ns, count(*) FILTER (WHERE share >= t.tau) AS kept, count(*) FILTER (WHERE share < t.tau) AS lost,
				coalesce(@x@.huf_mass(share) FILTER (WHERE share < t.tau), 0) AS lost_share, sum(share) AS share,
				count(*) FILTER (WHERE share >= 0.9 * t.tau) AS kept_below, count(*) FILTER (WHERE share >= 1.1 * t.tau) AS kept_above
			FROM hit, unnest($2) t(tau) GROUP BY 1, 2
		), curve AS (
			SELECT tau, sum(kept)::bigint AS kept, sum(lost)::bigint AS lost, least(sum(lost_share), 1) AS lost_share, count(*) FILTER (WHERE kept > 0) AS namespaces,
				coalesce(array_agg(ns ORDER BY ns) FILTER (WHERE kept = 0), '{}') AS gone, sum(kept_above) / nullif(sum(kept_below), 0)::float8 AS stability
			FROM by_namespace GROUP BY 1
		), between AS ( -- shares of namespaces before and after
			SELECT tau, @x@.huf_tv(share, greatest(share - b.lost_share, 0)) AS tv FROM by_namespace b JOIN curve c USING (tau) WHERE c.kept > 0 GROUP BY 1
		)
		SELECT tau, kept, lost, lost_share, namespaces, gone, tv, stability, kept > 0 AND lost_share <= $3 AND gone = '{}' AND stability >= 0.9
		FROM curve LEFT JOIN between USING (tau) ORDER BY tau$q$, mass, hits)
	USING total, taus, budget;
END $$;
COMMENT ON FUNCTION @s@.huf_threshold_curve(regclass, float8[], text, text, float8, float8, name, name) IS
'for each threshold tau: hits and namespaces kept and lost, the share lost, how far the shares of namespaces move (tv), hits kept at 1.1 tau / kept at 0.9 tau (stability); suggested: no namespace lost, at most budget of the mass, stability at least 0.9';

$huf_text$::text $huf_pack$;

COMMENT ON FUNCTION huf_pack_threshold() IS
'internal: text of the snapshot pack''s huf_threshold_curve()';

CREATE FUNCTION huf_install(schema name DEFAULT 'huf')
RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	home name := (SELECT nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'pinecone_fdw');
	parts text[];
	part text;
BEGIN
	IF coalesce(schema, '') = '' THEN
		RAISE invalid_parameter_value USING MESSAGE = 'the snapshot pack needs a schema', HINT = 'SELECT huf_install(''huf'');';
	END IF;
	IF to_regnamespace(quote_ident(schema)) IS NULL THEN
		EXECUTE format('CREATE SCHEMA %I', schema);
	END IF;
	EXECUTE format('SELECT ARRAY[%1$I.huf_pack_tables(), %1$I.huf_pack_change(), %1$I.huf_pack_alert(), %1$I.huf_pack_take(), %1$I.huf_pack_threshold()]', home) INTO parts;
	FOREACH part IN ARRAY parts LOOP
		EXECUTE replace(replace(part, '@s@', quote_ident(schema)), '@x@', quote_ident(home));
	END LOOP;
	RETURN format('The snapshot pack is in schema %I. Take a first run with: SELECT * FROM %I.huf_take(''your_table'');', schema, schema);
END $$;

COMMENT ON FUNCTION huf_install(name) IS
'makes, or brings up to date, the tables and functions of the snapshot pack in a schema: huf_take() and what compares its runs (docs/governance.md)';
