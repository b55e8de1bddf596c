-- Administration from SQL: indexes, namespaces, aliases, statistics, and what each refuses before it asks.
\set index admin
\set dimension 3
\set metric cosine
\i test/regress/setup.sql
\! test/regress/pinecone drop made
\! test/regress/pinecone drop made-sparse
\! test/regress/pinecone drop made-hybrid
\! test/regress/pinecone drop made-documents
\! test/regress/pinecone quiet
CREATE SERVER other FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'made', control_host :'control_host');
CREATE USER MAPPING FOR CURRENT_USER SERVER other OPTIONS (api_key :'api_key');
CREATE FOREIGN TABLE made (id text COLLATE "C", embedding real[], n int) SERVER other;

-- what an error says besides its detail, which has addresses in it
CREATE FUNCTION failure(statement text) RETURNS text LANGUAGE plpgsql AS
$$ DECLARE hint text;
BEGIN EXECUTE statement; RETURN 'none';
EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT; RETURN SQLSTATE || ' ' || SQLERRM || ': ' || hint;
END $$;

-- create, and use at once
SELECT failure('SELECT * FROM made');
SELECT name, kind, dimension, metric, ready, state, deletion_protection, cloud, region, tags
FROM pinecone_create_index('other', 'made', dimension => 2, metric => 'euclidean', tags => '{"team": "a", "env": "test"}');
INSERT INTO made VALUES ('a', '{1,1}', 1), ('b', '{2,2}', 2);
SELECT id FROM made ORDER BY embedding <-> '{2,3}' LIMIT 1;
SELECT name, kind, dimension, metric FROM pinecone_create_index('pinecone', 'made-sparse', kind => 'sparse');
SELECT name, kind, dimension, metric FROM pinecone_create_index('pinecone', 'made-hybrid', 2, kind => 'hybrid', deletion_protection => true);
SELECT name, kind, dimension, metric FROM pinecone_create_index('pinecone', 'made-documents', schema =>
'{"fields": {"body": {"type": "string", "full_text_search": {}}, "embedding": {"type": "dense_vector", "dimension": 2, "metric": "dotproduct"}}}');
\! test/regress/pinecone log

-- the forms of API version 2026-07
CREATE SERVER newer FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'made', control_host :'control_host', api_version '2026-07');
CREATE USER MAPPING FOR CURRENT_USER SERVER newer OPTIONS (api_key :'api_key');
SELECT name, kind, dimension, metric, cloud, region FROM pinecone_create_index('newer', 'newer-dense', 2, tags => '{"a": "b"}');
SELECT name, kind, dimension, metric FROM pinecone_create_index('newer', 'newer-sparse', kind => 'sparse');
SELECT name, kind, dimension, metric FROM pinecone_create_index('newer', 'newer-hybrid', 2, kind => 'hybrid');
SELECT name, deletion_protection, tags FROM pinecone_configure_index('newer', 'newer-dense', true, '{"a": ""}', '{"mode": "OnDemand"}');
SELECT pinecone_delete_index('newer', 'newer-dense');
SELECT name, deletion_protection FROM pinecone_configure_index('newer', 'newer-dense', false);
SELECT name, pinecone_delete_index('newer', name) FROM pinecone_indexes('newer') WHERE name LIKE 'newer%' ORDER BY name;
\! test/regress/pinecone log '^(POST|PATCH|DELETE)'

-- list and describe, in both forms of descriptions
SELECT name, kind, dimension, metric, state, deletion_protection, tags FROM pinecone_indexes('pinecone') WHERE name LIKE 'made%';
SELECT name, description ? 'schema' AS schema, description ? 'spec' AS spec FROM pinecone_describe_index('pinecone');
\! test/regress/pinecone fault '{"path": "/indexes/admin", "status": 400, "count": 1, "body": {"error": {"code": "INVALID_ARGUMENT", "message": "unknown version"}, "status": 400}}'
SELECT name, kind, dimension, metric FROM pinecone_describe_index('pinecone', 'admin');
\! test/regress/pinecone no-faults

-- what is there is told from what was asked for
SELECT name FROM pinecone_create_index('other', 'made', 2, 'euclidean');
SELECT name FROM pinecone_create_index('other', 'made', 2, 'euclidean', if_not_exists => true);
SELECT name FROM pinecone_create_index('other', 'made', 3, 'euclidean', if_not_exists => true);
SELECT name FROM pinecone_create_index('other', 'made', 2, 'cosine', if_not_exists => true);
SELECT name FROM pinecone_create_index('other', 'made', 2, 'euclidean', region => 'eu-west-1', if_not_exists => true);
SELECT name FROM pinecone_create_index('other', 'made', kind => 'sparse', if_not_exists => true);
SELECT name FROM pinecone_create_index('other', 'made-documents', if_not_exists => true, schema =>
'{"fields": {"body": {"type": "string", "full_text_search": {}}, "embedding": {"type": "dense_vector", "dimension": 3, "metric": "dotproduct"}}}');
SELECT name FROM pinecone_create_index('other', 'made-documents', if_not_exists => true, schema => '{"fields": {"body": {"type": "string", "full_text_search": {}}}}');

-- configure and delete
SELECT name, deletion_protection, tags FROM pinecone_configure_index('pinecone', 'made', deletion_protection => true, tags => '{"env": "", "owner": "b"}');
SELECT pinecone_delete_index('pinecone', 'made');
SELECT name, deletion_protection, tags FROM pinecone_configure_index('pinecone', 'made', deletion_protection => false);
SELECT name, description -> 'spec' -> 'serverless' -> 'read_capacity' ->> 'mode' AS mode FROM pinecone_configure_index('pinecone', 'made', read_capacity => '{"mode": "Dedicated", "dedicated": {"node_type": "b1"}}');
SELECT pinecone_delete_index('pinecone', 'made');
SELECT pinecone_delete_index('pinecone', 'made', if_exists => true);
SELECT pinecone_delete_index('pinecone', 'made');
SELECT * FROM pinecone_describe_index('pinecone', 'made');
SELECT * FROM pinecone_configure_index('pinecone', 'made', deletion_protection => false);
-- made anew, as another one: the next statement is right
SELECT name FROM pinecone_create_index('pinecone', 'made', 3, 'cosine');
SELECT count(*) FROM made;
INSERT INTO made VALUES ('c', '{1,0,0}', 1);
SELECT id, embedding FROM made ORDER BY embedding <=> '{1,1,1}' LIMIT 1;
PREPARE nearest AS SELECT id FROM made ORDER BY embedding <=> '{1,1,1}' LIMIT 1;
EXECUTE nearest;
SELECT pinecone_delete_index('other', 'made');
SELECT name FROM pinecone_create_index('other', 'made', 2, 'dotproduct');
INSERT INTO made VALUES ('d', '{1,2}', 1);
SELECT id FROM made ORDER BY embedding <#> '{1,1}' LIMIT 1;

-- namespaces: what was written a moment ago goes with them
SET pinecone_fdw.unseen_time = '10s';
CREATE FOREIGN TABLE kb (id text COLLATE "C", embedding real[], n int) SERVER other OPTIONS (namespace 'kb');
CREATE FOREIGN TABLE every (ns text OPTIONS (role 'namespace') COLLATE "C", id text COLLATE "C", n int) SERVER other;
INSERT INTO kb SELECT 'k' || i, '{1,1}', i FROM generate_series(1, 5) i;
SELECT * FROM pinecone_create_namespace('other', 'empty');
SELECT * FROM pinecone_create_namespace('other', 'declared', filterable => '{genre,year}');
SELECT namespace, records, size_bytes > 0 AS sized, filterable FROM pinecone_namespaces('other');
SELECT namespace, records FROM pinecone_namespaces('other', prefix => 'k');
SELECT * FROM pinecone_create_namespace('other', 'kb');
SELECT * FROM pinecone_create_namespace('other', 'kb', if_not_exists => true);
SELECT count(*) FROM kb;
SELECT pinecone_delete_namespace('other', 'kb');
SELECT count(*) FROM kb;
SELECT * FROM kb;
SELECT id FROM kb ORDER BY embedding <#> '{1,1}';
SELECT ns, id FROM every ORDER BY ns, id;
INSERT INTO kb VALUES ('new', '{1,1}', 1);
SELECT * FROM kb;
SELECT pinecone_delete_namespace('other', 'kb');
SELECT pinecone_delete_namespace('other', 'kb');
SELECT pinecone_delete_namespace('other', 'kb', if_exists => true);
BEGIN;
INSERT INTO kb VALUES ('new', '{1,1}', 1);
SELECT pinecone_delete_namespace('other', 'kb');
ROLLBACK;
SET pinecone_fdw.unseen_time = 0;

-- statistics
SELECT records, namespaces, dimension, metric, vector_type FROM pinecone_index_stats('other');
INSERT INTO kb VALUES ('new', '{1,1}', 1), ('newer', '{1,1}', 1);
SELECT records, namespaces, dimension, metric FROM pinecone_index_stats('kb'::regclass);
SELECT records, namespaces FROM pinecone_index_stats('every'::regclass);
SELECT * FROM pinecone_index_stats('pg_class'::regclass);

-- aliases
CREATE FOREIGN TABLE live (id text COLLATE "C", embedding real[], n int) SERVER other OPTIONS (namespace 'live');
SELECT * FROM live;
SELECT pinecone_create_alias('other', 'live', 'kb');
SELECT id FROM live ORDER BY id;
SELECT records, namespaces FROM pinecone_index_stats('live'::regclass);
SELECT alias, namespace, created_at > now() - interval '1 hour' AS created, updated_at >= created_at AS updated FROM pinecone_aliases('other');
SELECT pinecone_create_alias('other', 'live', 'kb');
SELECT pinecone_create_alias('other', 'live', 'kb', if_not_exists => true);
SELECT pinecone_create_alias('other', 'live', '');
SELECT pinecone_create_alias('other', 'live', '', if_not_exists => true);
SELECT pinecone_repoint_alias('other', 'live', '');
SELECT id FROM live ORDER BY id;
SELECT pinecone_repoint_alias('other', 'none', 'kb');
SELECT failure($$SELECT pinecone_repoint_alias('other', 'live', 'nowhere')$$);
SELECT failure($$SELECT pinecone_create_alias('other', 'second', 'live')$$);
SELECT failure($$SELECT pinecone_create_alias('other', 'kb', 'empty')$$);
SELECT failure($$SELECT pinecone_create_namespace('other', 'live')$$);
SELECT failure($$SELECT pinecone_delete_namespace('other', 'live')$$);
SELECT pinecone_repoint_alias('other', 'live', 'kb');
SELECT failure($$SELECT pinecone_delete_namespace('other', 'kb')$$);
SELECT pinecone_delete_alias('other', 'live');
SELECT id FROM live;
SELECT pinecone_delete_alias('other', 'live');
SELECT pinecone_delete_alias('other', 'live', if_exists => true);
-- the default namespace by its other name
SELECT pinecone_create_alias('other', 'base', '__default__');
SELECT alias, namespace FROM pinecone_aliases('other');

-- the service refuses
SELECT failure($$SELECT * FROM pinecone_create_index('other', 'nowhere', 3, region => 'mars-north-1')$$);
SELECT failure($$SELECT * FROM pinecone_create_index('other', 'words', schema => '{"fields": {"body": {"type": "string", "full_text_search": {"language": "xx"}}}}')$$);

-- arguments: one error each, and nothing is sent
\! test/regress/pinecone quiet
SELECT * FROM pinecone_indexes(NULL);
SELECT * FROM pinecone_indexes('');
SELECT * FROM pinecone_indexes('nothing');
CREATE FOREIGN DATA WRAPPER regress_dummy;
CREATE SERVER dummy FOREIGN DATA WRAPPER regress_dummy;
SELECT * FROM pinecone_indexes('dummy');
DROP FOREIGN DATA WRAPPER regress_dummy CASCADE;
SELECT * FROM pinecone_describe_index('other', 'No_Index');
CREATE SERVER project FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (control_host :'control_host');
CREATE USER MAPPING FOR PUBLIC SERVER project OPTIONS (api_key :'api_key');
SELECT * FROM pinecone_describe_index('project');
SELECT * FROM pinecone_namespaces('project');
SELECT * FROM pinecone_create_index('other', NULL, 3);
SELECT * FROM pinecone_create_index('other', '', 3);
SELECT * FROM pinecone_create_index('other', 'Upper', 3);
SELECT * FROM pinecone_create_index('other', '-x', 3);
SELECT * FROM pinecone_create_index('other', repeat('x', 46), 3);
SELECT * FROM pinecone_create_index('other', 'x');
SELECT * FROM pinecone_create_index('other', 'x', 0);
SELECT * FROM pinecone_create_index('other', 'x', 20001);
SELECT * FROM pinecone_create_index('other', 'x', 3, 'manhattan');
SELECT * FROM pinecone_create_index('other', 'x', 3, kind => 'pod');
SELECT * FROM pinecone_create_index('other', 'x', 3, kind => 'sparse');
SELECT * FROM pinecone_create_index('other', 'x', kind => 'sparse', metric => 'cosine');
SELECT * FROM pinecone_create_index('other', 'x', 3, 'cosine', kind => 'hybrid');
SELECT * FROM pinecone_create_index('other', 'x', kind => 'document');
SELECT * FROM pinecone_create_index('other', 'x', 3, schema => '{"fields": {"a": {"type": "sparse_vector"}}}');
SELECT * FROM pinecone_create_index('other', 'x', kind => 'dense', schema => '{"fields": {"a": {"type": "sparse_vector"}}}');
SELECT * FROM pinecone_create_index('other', 'x', schema => '{}');
SELECT * FROM pinecone_create_index('other', 'x', schema => '[]');
SELECT * FROM pinecone_create_index('other', 'x', schema => '{"fields": {}}');
SELECT * FROM pinecone_create_index('other', 'x', schema => '{"fields": {"a": 1}}');
SELECT * FROM pinecone_create_index('other', 'x', schema => '{"fields": {"_a": {"type": "sparse_vector"}}}');
SELECT * FROM pinecone_create_index('other', 'x', schema => '{"fields": {"a": {"type": "float"}}}');
SELECT * FROM pinecone_create_index('other', 'x', schema => '{"fields": {"a": {"type": "string"}}}');
SELECT * FROM pinecone_create_index('other', 'x', schema => '{"fields": {"a": {"type": "dense_vector", "metric": "cosine"}}}');
SELECT * FROM pinecone_create_index('other', 'x', schema => '{"fields": {"a": {"type": "dense_vector", "dimension": 3}}}');
SELECT * FROM pinecone_create_index('other', 'x', schema => '{"fields": {"a": {"type": "sparse_vector"}, "b": {"type": "sparse_vector"}}}');
SELECT * FROM pinecone_create_index('other', 'x', 3, cloud => 'moon');
SELECT * FROM pinecone_create_index('other', 'x', 3, cloud => NULL);
SELECT * FROM pinecone_create_index('other', 'x', 3, region => 'US');
SELECT * FROM pinecone_create_index('other', 'x', 3, deletion_protection => NULL);
SELECT * FROM pinecone_create_index('other', 'x', 3, tags => '["a"]');
SELECT * FROM pinecone_create_index('other', 'x', 3, tags => '{"a": 1}');
SELECT * FROM pinecone_create_index('other', 'x', 3, read_capacity => '{"mode": "Fast"}');
SELECT * FROM pinecone_create_index('other', 'x', 3, wait => NULL);
SELECT * FROM pinecone_create_index('other', 'x', 3, timeout => '-1 s');
SELECT * FROM pinecone_create_index('other', 'x', 3, timeout => '2 days');
SELECT * FROM pinecone_create_index('other', 'x', 3, timeout => NULL);
SELECT * FROM pinecone_configure_index('other', 'made');
SELECT * FROM pinecone_configure_index('other', NULL, true);
SELECT pinecone_delete_index('other', NULL);
SELECT pinecone_delete_index('other', 'made', if_exists => NULL);
SELECT pinecone_create_namespace('other', NULL);
SELECT pinecone_create_namespace('other', '');
SELECT pinecone_create_namespace('other', 'ä');
SELECT pinecone_create_namespace('other', 'x', filterable => '{}');
SELECT pinecone_create_namespace('other', 'x', filterable => '{a,NULL}');
SELECT pinecone_create_namespace('other', 'x', filterable => '{$a}');
SELECT pinecone_delete_namespace('other', NULL);
SELECT pinecone_create_alias('other', 'a b', 'x');
SELECT pinecone_create_alias('other', '..', 'x');
SELECT pinecone_create_alias('other', 'a', NULL);
SELECT pinecone_repoint_alias('other', 'a', 'x', timeout => '-1 ms');
SELECT pinecone_delete_alias('other', NULL);
SELECT * FROM pinecone_index_stats(NULL::regclass);
SELECT * FROM pinecone_index_stats(NULL::text);
SELECT * FROM pinecone_describe_backup('other', NULL);
SELECT * FROM pinecone_create_backup('other', 'made', NULL);
SELECT * FROM pinecone_create_index_from_backup('other', 'x', 'Bad');
SELECT * FROM pinecone_ping('nothing');
\! test/regress/pinecone log

-- rights: to call, to use the server, a mapping
CREATE ROLE regress_pinecone_admin;
SET ROLE regress_pinecone_admin;
SELECT * FROM pinecone_indexes('project');
RESET ROLE;
GRANT EXECUTE ON FUNCTION pinecone_indexes(text), pinecone_index_stats(regclass), pinecone_delete_index TO regress_pinecone_admin;
SET ROLE regress_pinecone_admin;
SELECT * FROM pinecone_indexes('project');
SELECT * FROM pinecone_index_stats('kb'::regclass);
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER project, other TO regress_pinecone_admin;
GRANT SELECT ON kb TO regress_pinecone_admin;
SET ROLE regress_pinecone_admin;
SELECT count(*) > 0 AS some FROM pinecone_indexes('project');
SELECT * FROM pinecone_indexes('other');
SELECT * FROM pinecone_index_stats('kb'::regclass);
RESET ROLE;
-- read-only transactions, and copies of the database
BEGIN READ ONLY;
SELECT count(*) > 0 AS some FROM pinecone_indexes('project');
SELECT pinecone_delete_index('project', 'made');
ROLLBACK;
BEGIN READ ONLY;
SELECT pinecone_repoint_alias('other', 'base', 'kb');
ROLLBACK;
ALTER SERVER project OPTIONS (ADD write_cluster 'production');
-- Debian's clusters have names
DO $$
DECLARE
  detail text;
BEGIN
  PERFORM pinecone_delete_index('project', 'made');
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RAISE NOTICE '%: %', SQLERRM, replace(detail, format('is "%s"', current_setting('cluster_name')), 'is another');
END $$;
SELECT count(*) > 0 AS some FROM pinecone_indexes('project');
-- what is done is done, whatever becomes of the transaction
BEGIN;
SELECT pinecone_delete_index('other', 'made-sparse');
ROLLBACK;
SELECT count(*) FROM pinecone_indexes('other') WHERE name = 'made-sparse';

-- the session's connections
SELECT bool_or(in_use) AS used, count(*) > 0 AS some FROM pinecone_connections() WHERE servers @> '{other,pinecone}';
SELECT pinecone_close_connections() > 0 AS closed;
SELECT count(*) FROM pinecone_connections();
SELECT count(*) > 0 AS some FROM pinecone_indexes('project');

-- ping
SELECT step, ok, hint FROM pinecone_ping('other');
SELECT step, detail FROM pinecone_ping('other') WHERE step IN ('key', 'index', 'tls', 'kind', 'metric', 'dimension', 'read', 'write');
SELECT step, ok, detail FROM pinecone_ping('project') WHERE step IN ('dns', 'index', 'read');

SET client_min_messages = warning;
DROP SERVER other, newer, project CASCADE;
DROP FUNCTION failure;
REVOKE EXECUTE ON FUNCTION pinecone_indexes(text), pinecone_index_stats(regclass), pinecone_delete_index FROM regress_pinecone_admin;
DROP ROLE regress_pinecone_admin;
\! test/regress/pinecone drop admin
\! test/regress/pinecone drop made
\! test/regress/pinecone drop made-documents
SELECT name FROM pinecone_configure_index('pinecone', 'made-hybrid', deletion_protection => false);
\! test/regress/pinecone drop made-hybrid
