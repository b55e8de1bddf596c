-- Backups of indexes, and indexes made from them.
\set index backups
\set dimension 2
\set metric euclidean
\i test/regress/setup.sql
\! test/regress/pinecone drop restored
\! test/regress/pinecone quiet
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int) SERVER pinecone OPTIONS (namespace 'kb');
INSERT INTO t SELECT 'r' || i, ARRAY[i, 1], i FROM generate_series(1, 5) i;

SELECT name, index, status, description, dimension, metric, records, namespaces, created_at > now() - interval '1 hour' AS made, cloud, region
FROM pinecone_create_backup('pinecone', 'backups', 'first', description => 'before it changes') \gset b_
SELECT :'b_name', :'b_index', :'b_status', :'b_description', :'b_dimension', :'b_metric', :'b_records', :'b_namespaces', :'b_made', :'b_cloud', :'b_region';
\! test/regress/pinecone log 'backups'
SELECT backup_id FROM pinecone_backups('pinecone', 'backups') \gset
SELECT name, status FROM pinecone_describe_backup('pinecone', :'backup_id');
-- names are an index's own
DO $$ DECLARE detail text;
BEGIN PERFORM pinecone_create_backup('pinecone', 'backups', 'first');
EXCEPTION WHEN duplicate_object THEN GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RAISE NOTICE '%: %', SQLERRM, regexp_replace(detail, '"[0-9a-f-]{36}"', '"..."');
END $$;

-- an index as it was then
DELETE FROM t WHERE n > 1;
SELECT index, status, percent_complete, backup_id = :'backup_id' AS of_it, completed_at >= created_at AS took
FROM pinecone_create_index_from_backup('pinecone', :'backup_id', 'restored', tags => '{"from": "backup"}', deletion_protection => true);
SELECT name, dimension, metric, deletion_protection, tags FROM pinecone_describe_index('pinecone', 'restored');
CREATE SERVER restored FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'restored', control_host :'control_host');
CREATE USER MAPPING FOR CURRENT_USER SERVER restored OPTIONS (api_key :'api_key');
CREATE FOREIGN TABLE r (id text COLLATE "C", embedding real[], n int) SERVER restored OPTIONS (namespace 'kb');
SELECT id, embedding, n FROM r ORDER BY id;
SELECT count(*) FROM t;
SELECT restore_job_id FROM pinecone_restore_jobs('pinecone') WHERE index = 'restored' \gset
SELECT index, status FROM pinecone_describe_restore_job('pinecone', :'restore_job_id');
SELECT * FROM pinecone_create_index_from_backup('pinecone', :'backup_id', 'restored');
-- without waiting
SELECT status, backup_id IS NOT NULL AS known FROM pinecone_create_backup('pinecone', 'backups', 'second', wait => false);
SELECT name, status FROM pinecone_backups('pinecone') WHERE index = 'backups' ORDER BY name;

-- what there is not
SELECT * FROM pinecone_backups('pinecone', 'nothing');
SELECT * FROM pinecone_create_backup('pinecone', 'nothing', 'x');
SELECT * FROM pinecone_describe_backup('pinecone', 'nothing');
SELECT * FROM pinecone_create_index_from_backup('pinecone', 'nothing', 'x');
SELECT * FROM pinecone_describe_restore_job('pinecone', 'nothing');
SELECT pinecone_delete_backup('pinecone', 'nothing');
SELECT pinecone_delete_backup('pinecone', 'nothing', if_exists => true);

-- arguments
SELECT * FROM pinecone_create_backup('pinecone', 'backups', '');
SELECT * FROM pinecone_create_backup('pinecone', 'Backups', 'x');
SELECT * FROM pinecone_create_backup('pinecone', 'backups', 'x', timeout => '-1 h');
SELECT * FROM pinecone_create_index_from_backup('pinecone', NULL, 'x');
SELECT * FROM pinecone_create_index_from_backup('pinecone', 'x', 'x', tags => '"a"');
SELECT pinecone_delete_backup('pinecone', '');
BEGIN READ ONLY;
SELECT count(*) > 0 AS some FROM pinecone_backups('pinecone');
SELECT * FROM pinecone_create_backup('pinecone', 'backups', 'third');
ROLLBACK;

-- Of an index that is gone, which is when they are wanted
SELECT count(*) AS before FROM pinecone_backups('pinecone', 'backups') \gset
SELECT name FROM pinecone_configure_index('pinecone', 'backups', deletion_protection => false);
SELECT pinecone_delete_index('pinecone', 'backups');
SELECT count(*) = :before AS all_of_them, array_agg(DISTINCT index) AS of FROM pinecone_backups('pinecone', 'backups');
SELECT * FROM pinecone_create_backup('pinecone', 'backups', 'fourth');
SELECT index, status FROM pinecone_create_index_from_backup('pinecone', :'backup_id', 'backups');

SELECT pinecone_delete_backup('pinecone', backup_id) FROM pinecone_backups('pinecone') WHERE index = 'backups';
SELECT count(*) FROM pinecone_backups('pinecone', 'backups');
SELECT name FROM pinecone_configure_index('pinecone', 'restored', deletion_protection => false);
SELECT pinecone_delete_index('pinecone', 'restored');
SET client_min_messages = warning;
DROP SERVER restored CASCADE;
\! test/regress/pinecone drop backups
