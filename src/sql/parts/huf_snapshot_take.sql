/*
 * Governance: huf_take(), which makes a run of a series from any relation, in
 * one transaction: all of a run is stored, or nothing.
 *
 * Hits are read once, by one aggregation per namespace whose memory does not
 * grow with the rows.  What has to be read more than once and might answer
 * otherwise the second time (views, foreign tables) is copied first.
 */

CREATE FUNCTION huf_pack_take() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $huf_pack$ SELECT $huf_text$

CREATE OR REPLACE FUNCTION @s@.huf_column(source regclass, wanted name, usual name, kind text, time_zone text DEFAULT 'UTC')
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
	found regtype;
	category "char";
BEGIN
	SELECT atttypid, typcategory INTO found, category FROM pg_attribute JOIN pg_type t ON t.oid = atttypid
	WHERE attrelid = source AND attname = wanted AND attnum > 0 AND NOT attisdropped;
	IF found IS NULL THEN
		IF wanted = usual AND kind IN ('time', 'embedding', 'id') OR wanted IS NULL AND kind = 'number' THEN
			RETURN NULL;
		END IF;
		RAISE undefined_column USING MESSAGE = format('%s has no column "%s"', source, coalesce(wanted, usual)),
			DETAIL = format('Its columns are %s.', (SELECT string_agg(format('"%s"', attname), ', ' ORDER BY attnum) FROM pg_attribute
				WHERE attrelid = source AND attnum > 0 AND NOT attisdropped)),
			HINT = format('Name the column with %s_column => ..., or make a view that has one.',
				CASE usual WHEN 'last_update' THEN 'updated' ELSE usual END);
	END IF;
	CASE kind
		WHEN 'number' THEN
			IF category <> 'N' THEN
				RAISE datatype_mismatch USING MESSAGE = format('column "%s" of %s is of type %s, not a number', wanted, source, found);
			END IF;
			RETURN format('%I::pg_catalog.float8', wanted);
		WHEN 'time' THEN
			IF found = 'timestamptz'::regtype THEN
				RETURN quote_ident(wanted);
			ELSIF found IN ('timestamp'::regtype, 'date'::regtype) THEN
				RETURN format('%I::timestamp AT TIME ZONE %L', wanted, time_zone);
			END IF;
			RAISE datatype_mismatch USING MESSAGE = format('column "%s" of %s is of type %s, not a time', wanted, source, found),
				HINT = CASE category WHEN 'N' THEN 'Is it an age or an activity score? A time is wanted: timestamptz, timestamp or date.'
					ELSE 'A column of type timestamptz, timestamp or date is wanted; make a view that converts it.' END;
		WHEN 'embedding' THEN
			RETURN quote_ident(wanted);
		ELSE
			RETURN format('%I::pg_catalog.text', wanted);
	END CASE;
END $$;
COMMENT ON FUNCTION @s@.huf_column(regclass, name, name, text, text) IS 'internal: the expression that reads a column, or what is wrong with it';

-- One relation for many reads: the relation itself where each read of a
-- statement sees the same rows, or a copy of what is wanted of it.
CREATE OR REPLACE FUNCTION @s@.huf_same_rows(source regclass, query text, copy name, always boolean)
RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	IF NOT always AND (SELECT relkind IN ('r', 'm') AND NOT relhassubclass FROM pg_class WHERE oid = source) THEN
		RETURN format('(%s)', query);
	END IF;
	IF to_regclass('pg_temp.' || copy) IS NOT NULL THEN
		EXECUTE format('DROP TABLE pg_temp.%I', copy);
	END IF;
	EXECUTE format('CREATE TEMP TABLE %I ON COMMIT DROP AS %s', copy, query);
	RETURN format('pg_temp.%I', copy);
END $$;
COMMENT ON FUNCTION @s@.huf_same_rows(regclass, text, name, boolean) IS 'internal: what to read in FROM';

-- Embeddings of different dimensions have no centroid; the aggregate says so,
-- and this says where.
CREATE OR REPLACE FUNCTION @s@.huf_odd_dimensions(relation text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	odd text;
BEGIN
	EXECUTE format('SELECT format(''embeddings of namespace "%%s" have %%s and %%s dimensions'', ns, min(cardinality(e::real[])), max(cardinality(e::real[])))
		FROM %s r WHERE e IS NOT NULL GROUP BY ns HAVING min(cardinality(e::real[])) <> max(cardinality(e::real[])) ORDER BY ns LIMIT 1', relation) INTO odd;
	RETURN odd;
END $$;
COMMENT ON FUNCTION @s@.huf_odd_dimensions(text) IS 'internal: what is wrong with the embeddings of a relation, or NULL';

-- The series, made if it is new, and locked until the end of the transaction.
CREATE OR REPLACE FUNCTION @s@.huf_open_series(name text, source text, kind text, negative text, temperature float8, tau float8, time_zone text)
RETURNS @s@.huf_series LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	s @s@.huf_series;
	differs text;
BEGIN
	IF name = '' THEN
		RAISE invalid_parameter_value USING MESSAGE = 'the name of a series must not be empty';
	ELSIF kind NOT IN ('linear', 'softmax') THEN
		RAISE invalid_parameter_value USING MESSAGE = format('invalid kind of share: "%s"', kind), HINT = 'Valid kinds are "linear" and "softmax".';
	ELSIF negative NOT IN ('clip', 'half', 'error') THEN
		RAISE invalid_parameter_value USING MESSAGE = format('invalid choice for negative scores: "%s"', negative),
			HINT = 'Valid choices are "clip" (they count as 0), "half" ((1 + score) / 2 for all scores, for cosines) and "error".';
	ELSIF NOT (temperature > 0 AND temperature < 'Infinity') THEN
		RAISE invalid_parameter_value USING MESSAGE = format('temperature must be finite and greater than 0, not %s', temperature);
	ELSIF NOT (tau >= 0 AND tau <= 1) THEN
		RAISE invalid_parameter_value USING MESSAGE = format('tau must be between 0 and 1, not %s', tau);
	ELSIF time_zone IS NOT NULL AND NOT EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = time_zone) THEN
		RAISE invalid_parameter_value USING MESSAGE = format('unknown time zone: "%s"', time_zone), HINT = 'Names are in pg_timezone_names.';
	END IF;
	INSERT INTO @s@.huf_series (series, source, kind, negative, temperature, tau, time_zone)
	VALUES (name, source, coalesce(kind, 'linear'), coalesce(negative, 'clip'), coalesce(temperature, 1), tau, coalesce(time_zone, 'UTC'))
	ON CONFLICT DO NOTHING;
	SELECT * INTO STRICT s FROM @s@.huf_series WHERE series = name FOR UPDATE;
	differs := CASE
		WHEN kind <> s.kind THEN format('kind is "%s"', s.kind)
		WHEN negative <> s.negative THEN format('negative is "%s"', s.negative)
		WHEN temperature <> s.temperature THEN format('temperature is %s', s.temperature)
		WHEN tau IS NOT NULL AND tau IS DISTINCT FROM s.tau THEN format('tau is %s', coalesce(s.tau::text, 'NULL'))
		WHEN time_zone <> s.time_zone THEN format('time_zone is "%s"', s.time_zone) END;
	IF differs IS NOT NULL THEN
		RAISE invalid_parameter_value USING MESSAGE = format('series "%s" was begun otherwise: its %s', name, differs),
			DETAIL = 'Runs that were made otherwise cannot be compared.',
			HINT = 'Leave the argument out, or begin another series: series => ''...''.';
	END IF;
	RETURN s;
END $$;
COMMENT ON FUNCTION @s@.huf_open_series(text, text, text, text, float8, float8, text) IS 'internal: the series of a run';

CREATE OR REPLACE FUNCTION @s@.huf_take(
	source regclass,
	series text DEFAULT NULL,
	records regclass DEFAULT NULL,
	as_of timestamptz DEFAULT now(),
	rerun text DEFAULT 'error',
	kind text DEFAULT NULL,
	negative text DEFAULT NULL,
	temperature float8 DEFAULT NULL,
	tau float8 DEFAULT NULL,
	time_zone text DEFAULT NULL,
	model text DEFAULT NULL,
	namespace_column name DEFAULT 'namespace',
	score_column name DEFAULT 'score',
	id_column name DEFAULT 'id',
	updated_column name DEFAULT 'last_update',
	embedding_column name DEFAULT 'embedding'
)
RETURNS @s@.huf_run LANGUAGE plpgsql SET jit = off AS $$
#variable_conflict use_column
DECLARE
	name text := coalesce(huf_take.series, source::text);
	s @s@.huf_series;
	r @s@.huf_run;
	before @s@.huf_run;
	day date;
	later date;
	hits text;
	mass text;
	all_records text;
	embedded boolean;
	items bigint;
	odd text;
	bad record;
BEGIN
	IF source IS NULL THEN
		RAISE null_value_not_allowed USING MESSAGE = 'the source of a run must not be NULL';
	ELSIF as_of IS NULL OR NOT isfinite(as_of) THEN
		RAISE invalid_parameter_value USING MESSAGE = 'as_of must be a finite time';
	ELSIF rerun IS NULL OR rerun NOT IN ('error', 'replace', 'keep') THEN
		RAISE invalid_parameter_value USING MESSAGE = format('invalid rerun: "%s"', rerun), HINT = 'Valid are "error", "replace" and "keep".';
	END IF;
	-- before anything is read or locked
	PERFORM @s@.huf_column(source, namespace_column, 'namespace', 'text'), @s@.huf_column(source, score_column, 'score', 'number'),
		@s@.huf_column(source, updated_column, 'last_update', 'time');
	s := @s@.huf_open_series(name, source::text, huf_take.kind, huf_take.negative, huf_take.temperature, huf_take.tau, huf_take.time_zone);
	day := (as_of AT TIME ZONE s.time_zone)::date;

	SELECT * INTO r FROM @s@.huf_run q WHERE q.series = name AND q.run = day;
	IF FOUND THEN
		IF rerun = 'keep' THEN
			RETURN r;
		ELSIF rerun = 'error' THEN
			RAISE unique_violation USING MESSAGE = format('series "%s" has a run of %s', name, day),
				DETAIL = format('It was taken at %s.', r.taken AT TIME ZONE s.time_zone),
				HINT = 'Use rerun => ''replace'' to take it again, or rerun => ''keep'' to leave it.';
		END IF;
		DELETE FROM @s@.huf_run q WHERE q.series = name AND q.run = day;
	END IF;
	SELECT * INTO before FROM @s@.huf_run q WHERE q.series = name AND q.run < day AND q.hits > 0 ORDER BY q.run DESC LIMIT 1;
	INSERT INTO @s@.huf_run (series, run, taken, source, records, model, namespaces, hits, clipped, discarded)
	VALUES (name, day, as_of, source::text, records::text, huf_take.model, 0, 0, 0, 0);

	-- hits: namespace, id, score, time, embedding
	embedded := records IS NULL AND @s@.huf_column(source, embedding_column, 'embedding', 'embedding') IS NOT NULL;
	hits := @s@.huf_same_rows(source, format('SELECT %s AS ns, %s AS id, %s AS s, %s AS u, %s AS e FROM %s',
		@s@.huf_column(source, namespace_column, 'namespace', 'text'),
		coalesce(@s@.huf_column(source, id_column, 'id', 'id'), 'NULL::text'),
		coalesce(@s@.huf_column(source, score_column, 'score', 'number'), '1::float8'),
		coalesce(@s@.huf_column(source, updated_column, 'last_update', 'time', s.time_zone), 'NULL::timestamptz'),
		CASE WHEN embedded THEN @s@.huf_column(source, embedding_column, 'embedding', 'embedding') ELSE 'NULL::real[]' END,
		source), 'huf_take_hits', s.tau IS NOT NULL);
	mass := CASE WHEN s.kind = 'softmax' THEN format('exp(greatest(least(s / %L::float8, 700), -700))', s.temperature)
		WHEN s.negative = 'half' THEN '(1 + s) / 2' WHEN s.negative = 'clip' THEN 'greatest(s, 0)' ELSE 's' END;
	IF s.edges IS NULL THEN
		s.edges := @s@.huf_edges(hits, source);
		UPDATE @s@.huf_series q SET edges = s.edges, baseline = coalesce(q.baseline, day) WHERE q.series = name AND s.edges IS NOT NULL;
	END IF;
	-- neither a negative mass nor one beyond what softmax can hold
	IF s.kind = 'softmax' OR s.negative <> 'clip' THEN
		EXECUTE format('SELECT ns, id, s FROM %s h WHERE s > ''-Infinity'' AND s < ''Infinity'' AND %s LIMIT 1', hits,
			CASE WHEN s.kind = 'softmax' THEN format('s / %L::float8 > 700', s.temperature) ELSE mass || ' < 0' END) INTO bad;
		IF bad IS NOT NULL THEN
			RAISE invalid_parameter_value USING MESSAGE = CASE WHEN s.kind = 'softmax' THEN format('score %s is too large for temperature %s', bad.s, s.temperature)
					WHEN s.negative = 'half' THEN format('score %s is no cosine', bad.s) ELSE format('score must not be negative: %s', bad.s) END,
				DETAIL = format('It is that of "%s" in namespace "%s" of %s.', bad.id, bad.ns, source),
				HINT = CASE WHEN s.kind = 'softmax' THEN 'Begin a series with a larger temperature.'
					ELSE 'Begin a series with negative => ''clip'', where negative scores count as 0, or with kind => ''softmax''.' END;
		END IF;
	END IF;

	BEGIN
		EXECUTE format($q$
			WITH hit AS MATERIALIZED (
				SELECT ns, max(u) AS last_update, %s AS sketch, @x@.huf_profile(s, %s, %L::float8[]) AS profile FROM %s h GROUP BY ns
			), item AS (
				SELECT coalesce(ns, 'Global') AS namespace, last_update, sketch, (read).*
				FROM (SELECT *, @x@.huf_profile_read(profile) AS read FROM hit OFFSET 0) r
			), stored AS (
				INSERT INTO @s@.huf_snapshot (series, run, namespace, n, mass, share, share_kept, clipped, unusable, last_update, effective_hits, hits_90, score_variance,
					histogram, sketch)
				SELECT $1, $2, namespace, n, mass, mass / nullif(@x@.huf_mass(mass) OVER (), 0), mass / nullif(@x@.huf_mass(mass) OVER (), 0),
					CASE WHEN $3 THEN negative ELSE 0 END, rows - n, last_update, effective, cover_90, variance, histogram, sketch
				FROM item
			)
			SELECT (@x@.huf_profile_read(@x@.huf_profile_merge(profile))).cover_90 FROM hit$q$,
			CASE WHEN embedded THEN '@x@.huf_sketch(e)' ELSE 'NULL::@x@.huf_sketch' END, mass, s.edges, hits)
		INTO items USING name, day, s.kind = 'linear' AND s.negative = 'clip';
	EXCEPTION WHEN unique_violation THEN
		RAISE unique_violation USING MESSAGE = format('%s has rows whose namespace is NULL, and others whose namespace is "Global"', source),
			DETAIL = 'A NULL namespace goes by the name of "Global".', HINT = 'Give them another name in a view.';
	WHEN data_exception THEN
		odd := CASE WHEN embedded THEN @s@.huf_odd_dimensions(hits) END;
		IF odd IS NULL THEN
			RAISE;
		END IF;
		RAISE data_exception USING MESSAGE = odd;
	END;
	IF records IS NOT NULL THEN
		all_records := @s@.huf_same_rows(records, format('SELECT coalesce(%s, ''Global'') AS ns, %s AS u, %s AS e FROM %s',
			@s@.huf_column(records, namespace_column, 'namespace', 'text'),
			coalesce(@s@.huf_column(records, updated_column, 'last_update', 'time', s.time_zone), 'NULL::timestamptz'),
			coalesce(@s@.huf_column(records, embedding_column, 'embedding', 'embedding'), 'NULL::real[]'), records), 'huf_take_records', false);
		PERFORM @s@.huf_take_records(s, day, as_of, before, huf_take.model, all_records);
	END IF;
	UPDATE @s@.huf_snapshot q SET activity = @x@.huf_activity(q.last_update, as_of),
		penalty = coalesce((SELECT sum(value * weight) FROM @s@.huf_penalty p WHERE p.series = name AND p.namespace = q.namespace), 0)
	WHERE q.series = name AND q.run = day;
	UPDATE @s@.huf_snapshot q SET objective = 0.1 * q.score_variance + 0.08 * (1 - q.activity) + q.penalty WHERE q.series = name AND q.run = day;

	PERFORM @s@.huf_log_discards(s, day, source::text, hits, mass);
	PERFORM @s@.huf_sum_up(s, day, items);

	-- this run, and those after it that it is the past of
	FOR later IN SELECT q.run FROM @s@.huf_run q WHERE q.series = name AND q.run >= day ORDER BY q.run LOOP
		PERFORM @s@.huf_judge(name, later);
	END LOOP;
	PERFORM @s@.huf_forget(name, s.keep_days) WHERE s.keep_days IS NOT NULL;
	SELECT * INTO r FROM @s@.huf_run q WHERE q.series = name AND q.run = day;
	RETURN r;
END $$;
COMMENT ON FUNCTION @s@.huf_take(regclass, text, regclass, timestamptz, text, text, text, float8, float8, text, text, name, name, name, name, name) IS
'take a run: a row per namespace of source in huf_snapshot, what was discarded in huf_discard, what is out of its levels in huf_alert; all of it or nothing';

-- Deciles of the scores; of a large table, of a sample of its pages.
CREATE OR REPLACE FUNCTION @s@.huf_edges(hits text, source regclass)
RETURNS float8[] LANGUAGE plpgsql AS $$
DECLARE
	sample text := hits;
	edges float8[];
	rows float8 := (SELECT reltuples FROM pg_class WHERE oid = source AND relkind IN ('r', 'm'));
BEGIN
	IF rows > 200000 AND hits LIKE '(%' THEN
		sample := format('%s TABLESAMPLE SYSTEM (%s) REPEATABLE (1))', left(hits, -1), 100 * 100000 / rows);
	END IF;
	EXECUTE format('SELECT array_agg(DISTINCT edge) FROM (SELECT unnest(percentile_disc(ARRAY[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]) WITHIN GROUP (ORDER BY s)) AS edge
		FROM %s h WHERE s > ''-Infinity'' AND s < ''Infinity'') e', sample) INTO edges;
	RETURN CASE WHEN array_position(edges, NULL) IS NULL THEN edges END;
END $$;
COMMENT ON FUNCTION @s@.huf_edges(text, regclass) IS 'internal: edges between which scores are counted';

-- What all records tell: how many, the newest, their embeddings, and which
-- of those written since the run before lie far from where that run's lay.
CREATE OR REPLACE FUNCTION @s@.huf_take_records(s @s@.huf_series, day date, as_of timestamptz, before @s@.huf_run, model text, all_records text)
RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	embedded boolean;
	odd text;
BEGIN
	BEGIN
		EXECUTE format($q$
			INSERT INTO @s@.huf_snapshot (series, run, namespace, n, mass, share, share_kept, clipped, unusable, records, written, last_update, sketch)
			SELECT $1, $2, ns, 0, 0, CASE WHEN total > 0 THEN 0 END, CASE WHEN total > 0 THEN 0 END, 0, 0, records, written, last_update, sketch
			FROM (SELECT ns, count(*) AS records, CASE WHEN $3 IS NOT NULL AND count(u) > 0 THEN count(*) FILTER (WHERE u > $3 AND u <= $4) END AS written, max(u) AS last_update,
					@x@.huf_sketch(e) AS sketch FROM %s r GROUP BY ns) g,
				(SELECT sum(mass) AS total FROM @s@.huf_snapshot WHERE series = $1 AND run = $2) t
			ON CONFLICT (series, run, namespace) DO UPDATE SET records = excluded.records, written = excluded.written, last_update = excluded.last_update,
				sketch = excluded.sketch$q$, all_records)
		USING s.series, day, before.taken, as_of;
	EXCEPTION WHEN data_exception THEN
		odd := @s@.huf_odd_dimensions(all_records);
		IF odd IS NULL THEN
			RAISE;
		END IF;
		RAISE data_exception USING MESSAGE = odd;
	END;

	SELECT bool_or(sketch IS NOT NULL) INTO embedded FROM @s@.huf_snapshot WHERE series = s.series AND run = day;
	IF embedded THEN
		EXECUTE format($q$
			WITH centre AS MATERIALIZED (SELECT namespace, @x@.huf_sketch_centroid(sketch)::real[] AS centroid FROM @s@.huf_snapshot
				WHERE series = $1 AND run = $2 AND sketch IS NOT NULL)
			UPDATE @s@.huf_snapshot q SET sketch_cut = c.cut
			FROM (SELECT ns, percentile_disc(0.01) WITHIN GROUP (ORDER BY -@x@.pinecone_cosine_distance(e::real[], centroid)) + 1 AS cut
				FROM %s r JOIN centre ON namespace = ns WHERE e IS NOT NULL GROUP BY ns) c
			WHERE series = $1 AND run = $2 AND namespace = ns AND cut < 'NaN'$q$, all_records)
		USING s.series, day;
		EXECUTE format($q$
			WITH centre AS MATERIALIZED (SELECT namespace, sketch_cut, @x@.huf_sketch_centroid(sketch)::real[] AS centroid FROM @s@.huf_snapshot b
				WHERE series = $1 AND run = $2 AND sketch_cut IS NOT NULL)
			UPDATE @s@.huf_snapshot q SET strangers = c.strangers
			FROM (SELECT ns, count(*) FILTER (WHERE 1 - @x@.pinecone_cosine_distance(e::real[], centroid) < sketch_cut) AS strangers
				FROM %s r JOIN centre ON namespace = ns WHERE e IS NOT NULL AND u > $4 AND u <= $5 AND cardinality(e::real[]) = cardinality(centroid) GROUP BY ns) c
			WHERE series = $1 AND run = $3 AND namespace = ns$q$, all_records)
		USING s.series, CASE WHEN before.model IS NOT DISTINCT FROM model THEN before.run END, day, before.taken, as_of;
	END IF;
END $$;
COMMENT ON FUNCTION @s@.huf_take_records(@s@.huf_series, date, timestamptz, @s@.huf_run, text, text) IS 'internal: the columns of a run that come from all records';

CREATE OR REPLACE FUNCTION @s@.huf_log_discards(s @s@.huf_series, day date, source text, hits text, mass text)
RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	total float8;
	unusable bigint;
BEGIN
	SELECT @x@.huf_mass(q.mass), sum(q.unusable) INTO total, unusable FROM @s@.huf_snapshot q WHERE series = s.series AND run = day;
	IF unusable > 0 THEN
		EXECUTE format($q$
			INSERT INTO @s@.huf_discard (series, run, namespace, item_id, score, reason, source)
			SELECT $1, $2, coalesce(ns, 'Global'), id, s, CASE WHEN s IS NULL THEN 'null_score' ELSE 'not_finite' END, $3
			FROM %s h WHERE (s > '-Infinity' AND s < 'Infinity') IS NOT TRUE$q$, hits)
		USING s.series, day, source;
	END IF;
	IF s.tau > 0 AND total > 0 THEN
		EXECUTE format($q$
			INSERT INTO @s@.huf_discard (series, run, namespace, item_id, score, mass, share, tau, reason, source)
			SELECT $1, $2, coalesce(ns, 'Global'), id, s, x, x / $4, $5, 'below_tau_global', $3
			FROM (SELECT ns, id, s, %s AS x FROM %s h WHERE s > '-Infinity' AND s < 'Infinity') h WHERE x / $4 < $5$q$, mass, hits)
		USING s.series, day, source, total, s.tau;
		WITH lost AS (
			SELECT namespace, sum(share) AS share FROM @s@.huf_discard WHERE series = s.series AND run = day AND reason = 'below_tau_global' GROUP BY namespace
		)
		UPDATE @s@.huf_snapshot q SET share_kept = greatest(q.share - coalesce((SELECT share FROM lost l WHERE l.namespace = q.namespace), 0), 0)
			/ nullif(1 - (SELECT coalesce(sum(share), 0) FROM lost), 0)
		WHERE series = s.series AND run = day;
	END IF;
END $$;
COMMENT ON FUNCTION @s@.huf_log_discards(@s@.huf_series, date, text, text, text) IS 'internal: rows that carry no mass';

-- The figures of the run as a whole.
CREATE OR REPLACE FUNCTION @s@.huf_sum_up(s @s@.huf_series, day date, items bigint)
RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
	UPDATE @s@.huf_run q
	SET namespaces = g.namespaces, hits = g.hits, clipped = g.clipped, mass = g.mass, effective_namespaces = g.effective, namespaces_90 = g.cover,
		top_share = g.top, effective_hits = g.effective_hits, hits_90 = items, objective = g.objective, discarded = d.rows, discarded_share = d.share
	FROM (SELECT count(*) AS namespaces, coalesce(sum(n), 0) AS hits, coalesce(sum(clipped), 0) AS clipped, @x@.huf_mass(p.mass) AS mass,
			@x@.huf_neff_hhi(p.mass) AS effective, @x@.huf_items_to_cover(p.mass) AS cover, @x@.huf_top_share(p.mass) AS top,
			1 / nullif(sum(share ^ 2 / p.effective_hits), 0) AS effective_hits, @x@.huf_global_objective(activity, p.mass, p.objective, 0.05, true) AS objective
		FROM @s@.huf_snapshot p WHERE series = s.series AND run = day) g,
		(SELECT count(*) AS rows, coalesce(sum(share), CASE WHEN s.tau IS NOT NULL THEN 0 END) AS share FROM @s@.huf_discard WHERE series = s.series AND run = day) d
	WHERE q.series = s.series AND q.run = day;
END $$;
COMMENT ON FUNCTION @s@.huf_sum_up(@s@.huf_series, date, bigint) IS 'internal: the figures of a run as a whole';

CREATE OR REPLACE FUNCTION @s@.huf_forget(series text, keep_days int)
RETURNS int LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	gone int;
BEGIN
	IF (huf_forget.keep_days >= 1) IS NOT TRUE THEN
		RAISE invalid_parameter_value USING MESSAGE = format('keep_days must be at least 1, not %s', coalesce(huf_forget.keep_days::text, 'NULL'));
	END IF;
	DELETE FROM @s@.huf_run r USING @s@.huf_series s
	WHERE s.series = huf_forget.series AND r.series = s.series AND r.run IS DISTINCT FROM s.baseline
		AND r.run <= (SELECT max(q.run) FROM @s@.huf_run q WHERE q.series = s.series) - huf_forget.keep_days;
	GET DIAGNOSTICS gone = ROW_COUNT;
	RETURN gone;
END $$;
COMMENT ON FUNCTION @s@.huf_forget(text, int) IS 'deletes runs that are keep_days or more older than the newest, but for the baseline; alerts stay';

-- Nearest neighbours of a set of queries: what people would get.
CREATE OR REPLACE FUNCTION @s@.huf_probe(target regclass, queries regclass, k int DEFAULT 10, operator text DEFAULT '<=>',
	namespace_column name DEFAULT 'namespace', updated_column name DEFAULT 'last_update', embedding_column name DEFAULT 'embedding')
RETURNS TABLE (query text, namespace text, id text, score float8, last_update timestamptz) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
	rendered text;
BEGIN
	IF k IS NULL OR k < 1 THEN
		RAISE invalid_parameter_value USING MESSAGE = format('k must be at least 1, not %s', k);
	END IF;
	rendered := CASE operator WHEN '<=>' THEN '1 - (%s)' WHEN '<#>' THEN '-(%s)' WHEN '<->' THEN '1 / (1 + (%s))' END;
	IF rendered IS NULL THEN
		RAISE invalid_parameter_value USING MESSAGE = format('invalid operator: "%s"', operator), HINT = 'Valid operators are <=>, <#> and <->.';
	END IF;
	PERFORM @s@.huf_column(target, namespace_column, 'namespace', 'text'), @s@.huf_column(target, embedding_column, '', 'embedding'),
		@s@.huf_column(queries, 'embedding', '', 'embedding');
	RETURN QUERY EXECUTE format('SELECT %s, h.namespace, h.id, h.score, h.last_update FROM %s q CROSS JOIN LATERAL
		(SELECT t.%I::text AS namespace, t.id::text AS id, %s::float8 AS score, %s AS last_update FROM %s t ORDER BY t.%I %s q.embedding LIMIT %s) h',
		CASE WHEN @s@.huf_column(queries, 'id', 'id', 'id') IS NULL THEN 'NULL::text' ELSE 'q.id::text' END, queries, namespace_column,
		format(rendered, format('t.%I %s q.embedding', embedding_column, operator)),
		coalesce('t.' || @s@.huf_column(target, updated_column, 'last_update', 'time'), 'NULL::timestamptz'), target, embedding_column, operator, k);
END $$;
COMMENT ON FUNCTION @s@.huf_probe(regclass, regclass, int, text, name, name, name) IS
'the k nearest neighbours in target of each embedding in queries, with 1 - cosine distance, the inner product, or 1 / (1 + distance) as score';

$huf_text$::text $huf_pack$;

COMMENT ON FUNCTION huf_pack_take() IS
'internal: text of the snapshot pack''s huf_take()';
