-- Which measure sees which fault on which day, after thirty_days.sql: days from
-- the fault to the first alert that names what it hit (0: the same evening);
-- alerts of the run as a whole name it when it is among what moved most.  And
-- the false alarms: alerts in thirty days without a fault.
SET search_path = public, huf;
\t on
\pset format unaligned
SELECT '| measure | ' || string_agg(fault, ' | ' ORDER BY nth) || ' | false alarms in 30 days |' || E'\n' || repeat('|---', 7) || '|'
FROM unnest('{stale,poisoned,deleted,doubled,swapped}'::text[]) WITH ORDINALITY f(fault, nth);
SELECT format('| %s | %s | %s |', measure, string_agg(coalesce(day::text, '-'), ' | ' ORDER BY nth), (SELECT count(*) FROM huf_alert WHERE series = 'none' AND measure = u.measure))
FROM huf_rule u, unnest('{stale,poisoned,deleted,doubled,swapped}'::text[], '{settings,types,operators,operators,NULL}'::text[]) WITH ORDINALITY f(fault, hit, nth),
	LATERAL (SELECT min(run) - date '2026-01-22' AS day FROM huf_alert a WHERE a.series = fault AND a.measure = u.measure AND run >= '2026-01-22'
		AND (hit IS NULL OR hit = ANY (namespaces))) d
GROUP BY measure, of_namespace ORDER BY of_namespace DESC, measure;
