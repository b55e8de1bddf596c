-- The body of docs/functions.md: what the extension has, with its comments.
SET search_path = public;
WITH member AS (
	SELECT d.classid, d.objid
	FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	WHERE e.extname = 'pinecone_fdw' AND d.deptype = 'e'
), line AS (
	SELECT CASE p.prokind WHEN 'a' THEN 2 ELSE 1 END AS part,
		   format('%s(%s)', p.proname, replace(pg_get_function_arguments(p.oid), '::text', '')) AS signature,
		   replace(pg_get_function_result(p.oid), '|', '\|') AS result,
		   obj_description(p.oid, 'pg_proc') AS comment
	FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
	WHERE obj_description(p.oid, 'pg_proc') IS NOT NULL AND obj_description(p.oid, 'pg_proc') NOT LIKE 'internal%'
	UNION ALL
	SELECT 3, format('%s %s %s', format_type(o.oprleft, NULL), o.oprname, format_type(o.oprright, NULL)), format_type(o.oprresult, NULL),
		   obj_description(o.oid, 'pg_operator')
	FROM member m JOIN pg_operator o ON m.classid = 'pg_operator'::regclass AND m.objid = o.oid
	WHERE obj_description(o.oid, 'pg_operator') NOT LIKE 'internal%'
	UNION ALL
	SELECT 4, format_type(t.oid, NULL), '', obj_description(t.oid, 'pg_type')
	FROM member m JOIN pg_type t ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
	WHERE obj_description(t.oid, 'pg_type') IS NOT NULL
)
SELECT text
FROM (
	SELECT part, 1 AS nth, '' AS signature,
		   format(E'\n## %s\n\n| %s | %s | what |\n|---|---|---|', (ARRAY['Functions', 'Aggregates', 'Operators', 'Types'])[part],
				  CASE part WHEN 4 THEN 'type' WHEN 3 THEN 'operator' ELSE 'call' END, CASE part WHEN 4 THEN '' ELSE 'gives' END) AS text
	FROM line GROUP BY part
	UNION ALL
	SELECT part, 2, signature, format('| `%s` | %s | %s |', signature, CASE result WHEN '' THEN '' ELSE '`' || result || '`' END, replace(comment, '|', '\|'))
	FROM line
) page
ORDER BY part, nth, signature COLLATE "C";
