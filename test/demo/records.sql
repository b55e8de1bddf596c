-- The records of the demo: what PostgreSQL's own catalog says about itself,
-- one JSON object a line.
SET search_path = pg_catalog, public;
CREATE TEMP VIEW records (namespace, id, words, metadata) AS
SELECT 'functions', p.oid::regprocedure::text, replace(p.proname, '_', ' ') || ' ' || d.description,
       jsonb_build_object('name', p.proname, 'description', d.description,
         'kind', CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'w' THEN 'window' WHEN 'p' THEN 'procedure' ELSE 'function' END,
         'arity', p.pronargs, 'returns', p.prorettype::regtype::text, 'returns_set', p.proretset,
         'arguments', ARRAY(SELECT t::regtype::text FROM unnest(p.proargtypes) t),
         'volatility', CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END)
FROM pg_proc p JOIN pg_description d ON d.objoid = p.oid AND d.classoid = 'pg_proc'::regclass
WHERE p.pronamespace = 'pg_catalog'::regnamespace
UNION ALL
SELECT 'operators', o.oid::regoperator::text, d.description || ' ' || replace(p.proname, '_', ' '),
       jsonb_strip_nulls(jsonb_build_object('name', o.oprname, 'description', d.description,
         'function', p.proname, 'result', o.oprresult::regtype::text, 'right', o.oprright::regtype::text,
         'left', CASE WHEN o.oprleft <> 0 THEN o.oprleft::regtype::text END,
         'mergeable', o.oprcanmerge, 'hashable', o.oprcanhash))
FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode
     JOIN pg_description d ON d.objoid = o.oid AND d.classoid = 'pg_operator'::regclass
WHERE o.oprnamespace = 'pg_catalog'::regnamespace
UNION ALL
SELECT 'types', t.oid::regtype::text, t.typname || ' ' || d.description,
       jsonb_build_object('name', t.typname, 'description', d.description, 'category', t.typcategory,
         'length', t.typlen, 'by_value', t.typbyval, 'preferred', t.typispreferred)
FROM pg_type t JOIN pg_description d ON d.objoid = t.oid AND d.classoid = 'pg_type'::regclass
WHERE t.typnamespace = 'pg_catalog'::regnamespace
UNION ALL
SELECT 'settings', name, concat_ws(' ', replace(name, '_', ' '), short_desc, extra_desc, category),
       jsonb_strip_nulls(jsonb_build_object('description', short_desc, 'category', category,
         'vartype', vartype, 'context', context, 'unit', unit, 'choices', enumvals,
         'minimum', CASE WHEN vartype IN ('integer', 'real') THEN min_val::float8 END,
         'maximum', CASE WHEN vartype IN ('integer', 'real') THEN max_val::float8 END))
FROM pg_settings;
