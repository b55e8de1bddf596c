-- objects.sql: all that the extension has made in this database, one property of one
-- object a line, without oids: what an upgraded extension and a fresh one are compared by.
-- (pg_attver is a number that PostgreSQL 15.20 gives a table when it makes it.)
SET search_path = pg_catalog;
CREATE TEMP VIEW member AS
SELECT d.classid, d.objid, i.type || ' ' || i.identity AS object
FROM pg_extension e
JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
CROSS JOIN pg_identify_object(d.classid, d.objid, d.objsubid) i
WHERE e.extname = 'pinecone_fdw';
CREATE TEMP VIEW class AS
SELECT m.object, c.* FROM member m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND m.objid = c.oid;
\set without_oids '- ''{oid,aggfnoid,aggtranstype,aggmtranstype,aggsortop,oprnamespace,oprowner,oprleft,oprright,oprresult,oprcom,oprnegate,typnamespace,typowner,typrelid,typelem,typarray,typbasetype,typcollation,castsource,casttarget,castfunc,fdwowner,fdwhandler,fdwvalidator,proacl,relacl,typacl,fdwacl}''::text[]'

SELECT object, property, replace(value, E'\n', '\n') AS value
FROM (
	SELECT object, 'exists', '' FROM member
	UNION ALL
	SELECT object, 'comment', obj_description(objid, classid::regclass::text) FROM member
	UNION ALL
	SELECT m.object, 'initial rights', p.initprivs::text FROM member m JOIN pg_init_privs p ON p.classoid = m.classid AND p.objoid = m.objid AND p.objsubid = 0
	UNION ALL
	SELECT m.object, 'rights', f.proacl::text FROM member m JOIN pg_proc f ON m.classid = 'pg_proc'::regclass AND f.oid = m.objid
	UNION ALL
	SELECT m.object, 'definition', pg_get_functiondef(f.oid) FROM member m JOIN pg_proc f ON m.classid = 'pg_proc'::regclass AND f.oid = m.objid WHERE f.prokind <> 'a'
	UNION ALL
	SELECT m.object, 'aggregate', concat_ws(' ', to_jsonb(a) :without_oids, format_type(a.aggtranstype, NULL), format_type(nullif(a.aggmtranstype, 0), NULL), a.aggsortop::regoperator, f.proparallel, f.proisstrict, pg_get_function_arguments(f.oid), pg_get_function_result(f.oid))
	FROM member m JOIN pg_proc f ON m.classid = 'pg_proc'::regclass AND f.oid = m.objid JOIN pg_aggregate a ON a.aggfnoid = f.oid
	UNION ALL
	SELECT m.object, 'operator', concat_ws(' ', to_jsonb(o) :without_oids, format_type(o.oprresult, NULL), o.oprcom::regoperator, o.oprnegate::regoperator)
	FROM member m JOIN pg_operator o ON m.classid = 'pg_operator'::regclass AND o.oid = m.objid
	UNION ALL
	SELECT m.object, 'type', concat_ws(' ', to_jsonb(t) :without_oids, format_type(nullif(t.typelem, 0), NULL), t.typacl)
	FROM member m JOIN pg_type t ON m.classid = 'pg_type'::regclass AND t.oid = m.objid
	UNION ALL
	SELECT m.object, 'cast', concat_ws(' ', c.castcontext, c.castmethod, c.castfunc::regprocedure) FROM member m JOIN pg_cast c ON m.classid = 'pg_cast'::regclass AND c.oid = m.objid
	UNION ALL
	SELECT m.object, 'wrapper', concat_ws(' ', w.fdwhandler::regprocedure, w.fdwvalidator::regprocedure, w.fdwoptions, w.fdwacl)
	FROM member m JOIN pg_foreign_data_wrapper w ON m.classid = 'pg_foreign_data_wrapper'::regclass AND w.oid = m.objid
	UNION ALL
	SELECT object, 'relation', concat_ws(' ', relkind, relpersistence, relreplident, relrowsecurity, relforcerowsecurity, reloptions, relacl) FROM class
	UNION ALL
	SELECT object, 'view', pg_get_viewdef(oid) FROM class WHERE relkind = 'v'
	UNION ALL
	SELECT object, 'sequence', concat_ws(' ', to_jsonb(s) - '{seqrelid,seqtypid}'::text[], format_type(seqtypid, NULL)) FROM class JOIN pg_sequence s ON seqrelid = oid
	UNION ALL
	SELECT object, 'column ' || attnum || ' ' || attname,
		concat_ws(' ', format_type(atttypid, atttypmod), attnotnull, attcollation::regcollation, attidentity, attgenerated, (SELECT array_agg(o) FROM unnest(attoptions) o WHERE o NOT LIKE 'pg\_attver=%'), attacl, pg_get_expr(adbin, adrelid), col_description(attrelid, attnum))
	FROM class JOIN pg_attribute ON attrelid = class.oid AND attnum > 0 AND NOT attisdropped LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
	UNION ALL
	SELECT object, 'constraint ' || conname, pg_get_constraintdef(c.oid) FROM class JOIN pg_constraint c ON conrelid = class.oid
	UNION ALL
	SELECT object, 'index ' || indexrelid::regclass, pg_get_indexdef(indexrelid) FROM class JOIN pg_index ON indrelid = class.oid
	UNION ALL
	SELECT object, 'trigger ' || tgname, concat_ws(' ', pg_get_triggerdef(t.oid), tgenabled) FROM class JOIN pg_trigger t ON tgrelid = class.oid AND NOT tgisinternal
	UNION ALL
	SELECT object, 'rule ' || rulename, pg_get_ruledef(r.oid) FROM class JOIN pg_rewrite r ON ev_class = class.oid
	UNION ALL
	SELECT object, 'policy ' || polname, concat_ws(' ', polcmd, polroles, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) FROM class JOIN pg_policy ON polrelid = class.oid
	UNION ALL
	SELECT 'extension', 'dumped ' || t.config::regclass, t.condition FROM pg_extension, unnest(extconfig, extcondition) t(config, condition) WHERE extname = 'pinecone_fdw'
	UNION ALL
	SELECT 'extension', 'extension', concat_ws(' ', extversion, extrelocatable) FROM pg_extension WHERE extname = 'pinecone_fdw'
) properties(object, property, value)
WHERE value IS NOT NULL
ORDER BY object COLLATE "C", property COLLATE "C", value COLLATE "C";
