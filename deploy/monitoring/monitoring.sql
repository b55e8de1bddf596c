-- What the exporter reads: a role, and views that queries.yaml asks for.  Run it
-- as a superuser in each database that is to be watched, as often as you like:
--
--	psql -d app -f deploy/monitoring/monitoring.sql
--	psql -d app -c "ALTER ROLE pinecone_monitor PASSWORD '...'"
--
-- Records are counted of the foreign tables that the role may read, by a request
-- a server and scrape: GRANT SELECT ON ... TO pinecone_monitor, and a user mapping
-- for it with a key that may only read.
DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'pinecone_monitor') THEN
		CREATE ROLE pinecone_monitor LOGIN;
	END IF;
END $$;
GRANT pg_monitor TO pinecone_monitor;
CREATE SCHEMA IF NOT EXISTS pinecone_monitoring;
GRANT USAGE ON SCHEMA pinecone_monitoring TO pinecone_monitor;

-- Records by table, or by namespace where a table spans several.  What cannot be
-- counted is told as NULL, so that one index that is away hides no other.
CREATE OR REPLACE FUNCTION pinecone_monitoring.counted(OUT "table" text, OUT namespace text, OUT records bigint)
RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
	one record;
BEGIN
	FOR one IN
		SELECT c.oid, c.oid::regclass::text AS name, (SELECT o.option_value FROM pg_catalog.pg_options_to_table(f.ftoptions) o WHERE o.option_name = 'namespace') AS namespace,
			(SELECT a.attname FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped AND 'role=namespace' = ANY (a.attfdwoptions)) AS spans
		FROM pg_catalog.pg_foreign_table f
		JOIN pg_catalog.pg_class c ON c.oid = f.ftrelid
		JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
		JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
		WHERE w.fdwname = 'pinecone_fdw' AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
		ORDER BY c.oid
	LOOP
		BEGIN
			RETURN QUERY EXECUTE pg_catalog.format('SELECT %L::text, %s, pg_catalog.count(*) FROM %s%s', one.name,
				CASE WHEN one.spans IS NULL THEN pg_catalog.format('%L::text', coalesce(one.namespace, '')) ELSE pg_catalog.format('%I::text', one.spans) END,
				one.name, CASE WHEN one.spans IS NULL THEN '' ELSE ' GROUP BY 2' END);
		EXCEPTION WHEN OTHERS THEN
			"table" := one.name;
			namespace := coalesce(one.namespace, '');
			records := NULL;
			RETURN NEXT;
		END;
	END LOOP;
END $$;

-- The newest day of each series of the snapshot pack, where it is installed
DO $$
BEGIN
	IF pg_catalog.to_regclass('huf.huf_run') IS NULL THEN
		CREATE OR REPLACE VIEW pinecone_monitoring.huf_measures AS
		SELECT ''::text AS series, ''::text AS measure, ''::text AS namespace, 0::float8 AS value, 0::float8 AS low, 0::float8 AS high WHERE false;
		CREATE OR REPLACE VIEW pinecone_monitoring.huf_runs AS
		SELECT ''::text AS series, 0::float8 AS taken, 0::bigint AS namespaces, 0::bigint AS hits, 0::float8 AS effective_namespaces,
			0::float8 AS top_share, 0::bigint AS namespaces_90, 0::float8 AS objective, 0::bigint AS alerts WHERE false;
		CREATE OR REPLACE VIEW pinecone_monitoring.huf_namespaces AS
		SELECT ''::text AS series, ''::text AS namespace, 0::float8 AS share, 0::float8 AS activity, 0::float8 AS effective_hits WHERE false;
	ELSE
		EXECUTE $view$CREATE OR REPLACE VIEW pinecone_monitoring.huf_measures AS
		SELECT m.series, m.measure, coalesce(m.namespace, '') AS namespace, m.value, m.low, m.high
		FROM huf.huf_measure m JOIN (SELECT series, max(run) AS run FROM huf.huf_run GROUP BY series) r USING (series, run)$view$;
		EXECUTE $view$CREATE OR REPLACE VIEW pinecone_monitoring.huf_runs AS
		SELECT r.series, extract(epoch FROM r.taken)::float8 AS taken, r.namespaces::bigint, r.hits, r.effective_namespaces, r.top_share,
			r.namespaces_90, r.objective, (SELECT count(*) FROM huf.huf_alert a WHERE a.series = r.series AND a.run = r.run) AS alerts
		FROM huf.huf_run r JOIN (SELECT series, max(run) AS run FROM huf.huf_run GROUP BY series) n USING (series, run)$view$;
		EXECUTE $view$CREATE OR REPLACE VIEW pinecone_monitoring.huf_namespaces AS
		SELECT s.series, s.namespace, coalesce(s.share, 0) AS share, s.activity, s.effective_hits
		FROM huf.huf_snapshot s JOIN (SELECT series, max(run) AS run FROM huf.huf_run GROUP BY series) r USING (series, run)$view$;
	END IF;
END $$;
GRANT SELECT ON ALL TABLES IN SCHEMA pinecone_monitoring TO pinecone_monitor;
