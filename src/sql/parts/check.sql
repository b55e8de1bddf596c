
/* What is weak about keys, roles, hosts and logs */

CREATE FUNCTION pinecone_check(OUT severity text, OUT object text, OUT finding text, OUT remedy text)
RETURNS SETOF record
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hosts text[];
	/* one of a list, on another machine */
	without_tls CONSTANT text := '(^|[,=]\s*)http:(?!//(localhost|127\.[0-9.]+|\[::1\])([,:/]|$))';
BEGIN
	IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
		RAISE insufficient_privilege USING
			MESSAGE = 'pinecone_check() is for superusers',
			HINT = 'Others do not see the options of user mappings, so that nothing could be said of keys.';
	END IF;
	/* settings have their values when the library is there */
	EXECUTE 'LOAD ' || quote_literal('MODULE_PATHNAME');
	hosts := regexp_split_to_array(nullif(btrim(current_setting('pinecone_fdw.allowed_hosts')), ''), '\s*,\s*');
	RETURN QUERY
	WITH servers AS (
		SELECT s.* FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
		WHERE w.fdwhandler = (SELECT p.oid FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
			JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
			WHERE e.extname = 'pinecone_fdw' AND p.proname = 'pinecone_fdw_handler')
	), mappings AS (
		SELECT m.srvname, m.umuser, CASE WHEN m.umuser = 0 THEN 'PUBLIC' ELSE quote_ident(m.usename) END AS role,
			ARRAY(SELECT o.option_name FROM pg_options_to_table(m.umoptions) o) AS options, s.srvowner
		FROM pg_user_mappings m JOIN servers s ON s.oid = m.srvid
	), tables AS (
		SELECT c.oid::regclass::text AS name, c.relacl, c.relowner FROM pg_foreign_table t JOIN pg_class c ON c.oid = t.ftrelid JOIN servers s ON s.oid = t.ftserver
	), found(rank, severity, object, finding, remedy) AS (
		/* keys */
		SELECT 1, 'high', format('user mapping for PUBLIC, server %s', srvname), 'every role that may use the server has this key',
			format('DROP USER MAPPING FOR PUBLIC SERVER %I', srvname)
		FROM mappings WHERE umuser = 0
		UNION ALL
		SELECT 2, 'medium', format('user mapping for %s, server %s', role, srvname), 'the key itself is in the catalog: dumps, logs of statements and psql''s history have it',
			format('ALTER USER MAPPING FOR %s SERVER %I OPTIONS (ADD api_key_file ''/absolute/path'', DROP api_key)', role, srvname)
		FROM mappings WHERE 'api_key' = ANY (options)
		UNION ALL
		SELECT DISTINCT 1, 'high', 'role ' || quote_ident(r.rolname), 'reads the keys in the catalog, as a member of pg_read_all_data',
			format('REVOKE pg_read_all_data FROM %I', r.rolname)
		FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.member
		WHERE a.roleid = 'pg_read_all_data'::regrole AND NOT r.rolsuper AND EXISTS (SELECT FROM mappings WHERE 'api_key' = ANY (options))
		UNION ALL
		/* hosts */
		SELECT 1, 'high', 'pinecone_fdw.allowed_hosts', format('"%s" lets owners of servers send keys to hosts that are not Pinecone''s', h),
			'ALTER SYSTEM SET pinecone_fdw.allowed_hosts = ''*.pinecone.io'''
		FROM unnest(hosts) h WHERE h IN ('*', '*.*') OR h ~ '^\*\.[^.]*$'
		UNION ALL
		SELECT 1, 'high', 'pinecone_fdw.allow_http_hosts', format('keys go to %s without TLS', current_setting('pinecone_fdw.allow_http_hosts')),
			'ALTER SYSTEM SET pinecone_fdw.allow_http_hosts = '''''
		WHERE btrim(current_setting('pinecone_fdw.allow_http_hosts')) <> ''
		UNION ALL
		SELECT 1, 'high', 'server ' || s.srvname, format('%s is asked without TLS', o.option_value),
			format('ALTER SERVER %I OPTIONS (SET %s %L)', s.srvname, o.option_name, regexp_replace(o.option_value, without_tls, '\1https:', 'gi'))
		FROM servers s, pg_options_to_table(s.srvoptions) o
		WHERE o.option_name IN ('host', 'hosts', 'control_host') AND o.option_value ~* without_tls
		UNION ALL
		SELECT 3, 'low', 'server ' || s.srvname, 'its index may be anywhere, while other servers say in which regions theirs may be',
			format('ALTER SERVER %I OPTIONS (ADD allowed_regions %L)', s.srvname, (SELECT min(o.option_value) FROM servers r, pg_options_to_table(r.srvoptions) o WHERE o.option_name = 'allowed_regions'))
		FROM servers s
		WHERE NOT EXISTS (SELECT FROM pg_options_to_table(s.srvoptions) o WHERE o.option_name = 'allowed_regions')
			AND EXISTS (SELECT FROM servers r, pg_options_to_table(r.srvoptions) o WHERE o.option_name = 'allowed_regions')
		UNION ALL
		SELECT 3, 'low', 'pinecone_fdw.allow_loopback', 'who may make servers can send requests to whatever listens on this machine''s loopback interface',
			'ALTER SYSTEM SET pinecone_fdw.allow_loopback = off'
		WHERE current_setting('pinecone_fdw.allow_loopback')::boolean AND NOT EXISTS (
			SELECT FROM servers s, pg_options_to_table(s.srvoptions) o
			WHERE o.option_name IN ('host', 'hosts', 'control_host') AND o.option_value ~* '(^|[,=]\s*)(https?://)?(localhost|127\.|\[::1\])')
		UNION ALL
		/* roles */
		SELECT 1, 'high', 'foreign data wrapper ' || w.fdwname, 'every role may make servers, and says where keys go',
			format('REVOKE USAGE ON FOREIGN DATA WRAPPER %I FROM PUBLIC', w.fdwname)
		FROM pg_foreign_data_wrapper w, aclexplode(w.fdwacl) a WHERE a.grantee = 0 AND w.oid IN (SELECT srvfdw FROM servers)
		UNION ALL
		SELECT 2, 'medium', 'server ' || s.srvname, 'every role may make foreign tables and a mapping of its own',
			format('REVOKE USAGE ON FOREIGN SERVER %I FROM PUBLIC', s.srvname)
		FROM servers s, aclexplode(s.srvacl) a WHERE a.grantee = 0
		UNION ALL
		SELECT 2, 'medium', 'server ' || s.srvname, format('its owner, %s, is no superuser, and says where the keys of others go', quote_ident(r.rolname)),
			format('ALTER SERVER %I OWNER TO %I', s.srvname, current_user)
		FROM servers s JOIN pg_roles r ON r.oid = s.srvowner
		WHERE NOT r.rolsuper AND EXISTS (SELECT FROM mappings m WHERE m.srvname = s.srvname AND m.umuser <> s.srvowner)
		UNION ALL
		SELECT 2, 'medium', 'foreign table ' || t.name, format('every role may %s', string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)),
			format('REVOKE %s ON %s FROM PUBLIC', string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type), t.name)
		FROM tables t, aclexplode(t.relacl) a WHERE a.grantee = 0 AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE') GROUP BY t.name
		UNION ALL
		SELECT 2, 'medium', 'function ' || p.oid::regprocedure::text, 'every role may administer indexes with its own key',
			format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', p.oid::regprocedure)
		FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
		JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
		JOIN pg_init_privs i ON i.classoid = 'pg_proc'::regclass AND i.objoid = p.oid, aclexplode(p.proacl) a
		WHERE e.extname = 'pinecone_fdw' AND a.grantee = 0 AND NOT EXISTS (SELECT FROM aclexplode(i.initprivs) b WHERE b.grantee = 0)
		UNION ALL
		/* what is kept of what happened */
		SELECT 3, 'low', 'pinecone_fdw.audit', 'what is written to Pinecone is in no log', 'ALTER SYSTEM SET pinecone_fdw.audit = on'
		WHERE NOT current_setting('pinecone_fdw.audit')::boolean
		UNION ALL
		SELECT 3, 'low', 'shared_preload_libraries', 'statistics and budgets are each session''s own',
			/* one literal each: a list in one would be the name of one library, without which the server does not start */
			(SELECT 'ALTER SYSTEM SET shared_preload_libraries = ' || string_agg(quote_literal(btrim(l.name, E' \t"')), ', ' ORDER BY l.place)
			FROM regexp_split_to_table(concat_ws(',', nullif(btrim(current_setting('shared_preload_libraries')), ''), 'pinecone_fdw'), ',') WITH ORDINALITY l(name, place))
		WHERE current_setting('shared_preload_libraries') !~ '(^|[,\s"])pinecone_fdw($|[,\s"])'
		UNION ALL
		SELECT 2, 'medium', 'extension pinecone_fdw', format('version %s is installed in this database, the library is of %s', e.extversion, a.default_version),
			'ALTER EXTENSION pinecone_fdw UPDATE'
		FROM pg_extension e JOIN pg_available_extensions a ON a.name = e.extname
		WHERE e.extname = 'pinecone_fdw' AND e.extversion <> a.default_version
	)
	SELECT f.severity, f.object, f.finding, f.remedy FROM found f ORDER BY f.rank, f.object, f.finding;
END
$$;

COMMENT ON FUNCTION pinecone_check() IS
'what is weak about keys, hosts, roles and logs in this database: severity (high, medium or low), the object, what is the matter, and the statement that mends it.  No rows: nothing was found.  For superusers; sends nothing to Pinecone';
