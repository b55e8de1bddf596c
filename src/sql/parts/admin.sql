
/*
 * Administration: what is done is done at once, not with the transaction, with
 * the key of who calls.  Nobody may call these unless it is granted.
 */

/* Indexes */

CREATE TYPE pinecone_index AS (
	name text,
	kind text,
	dimension integer,
	metric text,
	host text,
	ready boolean,
	state text,
	deletion_protection boolean,
	cloud text,
	region text,
	tags jsonb,
	description jsonb
);

COMMENT ON TYPE pinecone_index IS
'an index: its kind is dense, sparse, integrated or document; dimension and metric are those of its dense vectors; "description" is all that Pinecone says of it';

CREATE FUNCTION pinecone_indexes(server text)
RETURNS SETOF pinecone_index
AS 'MODULE_PATHNAME' LANGUAGE C ROWS 20;

COMMENT ON FUNCTION pinecone_indexes(text) IS
'the indexes of the server''s project, by name';

CREATE FUNCTION pinecone_describe_index(server text, name text DEFAULT NULL)
RETURNS SETOF pinecone_index
AS 'MODULE_PATHNAME' LANGUAGE C ROWS 1;

COMMENT ON FUNCTION pinecone_describe_index(text, text) IS
'one index of the server''s project; without a name the server''s own';

CREATE FUNCTION pinecone_create_index(server text, name text, dimension integer DEFAULT NULL, metric text DEFAULT NULL,
	kind text DEFAULT NULL, schema jsonb DEFAULT NULL, cloud text DEFAULT 'aws', region text DEFAULT 'us-east-1',
	deletion_protection boolean DEFAULT false, tags jsonb DEFAULT NULL, read_capacity jsonb DEFAULT NULL,
	if_not_exists boolean DEFAULT false, wait boolean DEFAULT true, timeout interval DEFAULT '10 min')
RETURNS SETOF pinecone_index
AS 'MODULE_PATHNAME' LANGUAGE C ROWS 1;

COMMENT ON FUNCTION pinecone_create_index(text, text, integer, text, text, jsonb, text, text, boolean, jsonb, jsonb, boolean, boolean, interval) IS
'makes an index of kind dense (the default), sparse, hybrid (dense vectors, and sparse ones with them) or document (the default with a schema), and waits until it is ready; with if_not_exists one that is there is taken if it is as asked for';

CREATE FUNCTION pinecone_configure_index(server text, name text, deletion_protection boolean DEFAULT NULL,
	tags jsonb DEFAULT NULL, read_capacity jsonb DEFAULT NULL, wait boolean DEFAULT true, timeout interval DEFAULT '10 min')
RETURNS SETOF pinecone_index
AS 'MODULE_PATHNAME' LANGUAGE C ROWS 1;

COMMENT ON FUNCTION pinecone_configure_index(text, text, boolean, jsonb, jsonb, boolean, interval) IS
'changes what is given of an index, and leaves the rest: tags are added to those that there are, one with the value "" is taken away; waits for a read capacity that is changed';

CREATE FUNCTION pinecone_delete_index(server text, name text, if_exists boolean DEFAULT false, wait boolean DEFAULT true,
	timeout interval DEFAULT '10 min')
RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION pinecone_delete_index(text, text, boolean, boolean, interval) IS
'deletes an index with all its records, unless it is protected, and waits until it is gone; false if there was none';

/* Namespaces and statistics */

CREATE FUNCTION pinecone_namespaces(server text, prefix text DEFAULT NULL)
RETURNS TABLE (namespace text, records bigint, size_bytes bigint, filterable text[])
AS 'MODULE_PATHNAME' LANGUAGE C ROWS 100;

COMMENT ON FUNCTION pinecone_namespaces(text, text) IS
'the namespaces of the server''s index: '''' is the default one; "filterable" are the fields that one declares, NULL: all can be filtered by';

CREATE FUNCTION pinecone_create_namespace(server text, namespace text, filterable text[] DEFAULT NULL,
	if_not_exists boolean DEFAULT false)
RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION pinecone_create_namespace(text, text, text[], boolean) IS
'makes an empty namespace, of which all fields, or only those named, can be filtered by; false if it was there';

CREATE FUNCTION pinecone_delete_namespace(server text, namespace text, if_exists boolean DEFAULT false)
RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION pinecone_delete_namespace(text, text, boolean) IS
'deletes a namespace with all its records; false if there was none';

CREATE FUNCTION pinecone_index_stats(server text)
RETURNS TABLE (records bigint, namespaces integer, dimension integer, metric text, vector_type text,
	index_fullness double precision, memory_fullness double precision, storage_fullness double precision)
AS 'MODULE_PATHNAME' LANGUAGE C ROWS 1;

COMMENT ON FUNCTION pinecone_index_stats(text) IS
'what the server''s index says of itself; what was written a moment ago need not be counted yet';

CREATE FUNCTION pinecone_index_stats("table" regclass)
RETURNS TABLE (records bigint, namespaces integer, dimension integer, metric text, vector_type text,
	index_fullness double precision, memory_fullness double precision, storage_fullness double precision)
AS 'MODULE_PATHNAME', 'pinecone_table_stats' LANGUAGE C ROWS 1;

COMMENT ON FUNCTION pinecone_index_stats(regclass) IS
'the same for a foreign table, whose namespaces alone are counted; who may read the table needs no right on the server';

/* Aliases of namespaces */

CREATE FUNCTION pinecone_aliases(server text)
RETURNS TABLE (alias text, namespace text, created_at timestamptz, updated_at timestamptz)
AS 'MODULE_PATHNAME' LANGUAGE C ROWS 20;

COMMENT ON FUNCTION pinecone_aliases(text) IS
'the aliases of namespaces of the server''s index, and what each stands for';

CREATE FUNCTION pinecone_create_alias(server text, alias text, namespace text, if_not_exists boolean DEFAULT false,
	wait boolean DEFAULT true, timeout interval DEFAULT '30 s')
RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION pinecone_create_alias(text, text, text, boolean, boolean, interval) IS
'makes a name that stands for a namespace when something is read, and waits until reads follow it; false if there was such an alias';

CREATE FUNCTION pinecone_repoint_alias(server text, alias text, namespace text, wait boolean DEFAULT true,
	timeout interval DEFAULT '30 s')
RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION pinecone_repoint_alias(text, text, text, boolean, interval) IS
'has an alias stand for another namespace, and waits until reads follow it';

CREATE FUNCTION pinecone_delete_alias(server text, alias text, if_exists boolean DEFAULT false)
RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION pinecone_delete_alias(text, text, boolean) IS
'deletes an alias, and not its namespace; false if there was none';

/* Backups */

CREATE TYPE pinecone_backup AS (
	backup_id text,
	name text,
	index text,
	status text,
	description text,
	cloud text,
	region text,
	dimension integer,
	metric text,
	records bigint,
	namespaces bigint,
	size_bytes bigint,
	created_at timestamptz
);

COMMENT ON TYPE pinecone_backup IS 'a backup of an index';

CREATE FUNCTION pinecone_backups(server text, index text DEFAULT NULL)
RETURNS SETOF pinecone_backup
AS 'MODULE_PATHNAME' LANGUAGE C ROWS 20;

COMMENT ON FUNCTION pinecone_backups(text, text) IS
'the backups of an index, or of all of the server''s project';

CREATE FUNCTION pinecone_describe_backup(server text, backup_id text)
RETURNS SETOF pinecone_backup
AS 'MODULE_PATHNAME' LANGUAGE C ROWS 1;

COMMENT ON FUNCTION pinecone_describe_backup(text, text) IS
'one backup';

CREATE FUNCTION pinecone_create_backup(server text, index text, name text, description text DEFAULT NULL,
	wait boolean DEFAULT true, timeout interval DEFAULT '1 h')
RETURNS SETOF pinecone_backup
AS 'MODULE_PATHNAME' LANGUAGE C ROWS 1;

COMMENT ON FUNCTION pinecone_create_backup(text, text, text, text, boolean, interval) IS
'backs an index up, and waits until that is done; an error if the index has a backup of that name';

CREATE FUNCTION pinecone_delete_backup(server text, backup_id text, if_exists boolean DEFAULT false)
RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION pinecone_delete_backup(text, text, boolean) IS
'deletes a backup; false if there was none';

CREATE TYPE pinecone_restore_job AS (
	restore_job_id text,
	backup_id text,
	index text,
	status text,
	percent_complete double precision,
	created_at timestamptz,
	completed_at timestamptz
);

COMMENT ON TYPE pinecone_restore_job IS 'an index that is being, or has been, made from a backup';

CREATE FUNCTION pinecone_create_index_from_backup(server text, backup_id text, name text,
	deletion_protection boolean DEFAULT false, tags jsonb DEFAULT NULL, wait boolean DEFAULT true,
	timeout interval DEFAULT '1 h')
RETURNS SETOF pinecone_restore_job
AS 'MODULE_PATHNAME' LANGUAGE C ROWS 1;

COMMENT ON FUNCTION pinecone_create_index_from_backup(text, text, text, boolean, jsonb, boolean, interval) IS
'makes a new index from a backup, and waits until it is ready';

CREATE FUNCTION pinecone_restore_jobs(server text)
RETURNS SETOF pinecone_restore_job
AS 'MODULE_PATHNAME' LANGUAGE C ROWS 20;

COMMENT ON FUNCTION pinecone_restore_jobs(text) IS
'the restore jobs of the server''s project';

CREATE FUNCTION pinecone_describe_restore_job(server text, restore_job_id text)
RETURNS SETOF pinecone_restore_job
AS 'MODULE_PATHNAME' LANGUAGE C ROWS 1;

COMMENT ON FUNCTION pinecone_describe_restore_job(text, text) IS
'one restore job';

/* The way there */

CREATE FUNCTION pinecone_ping(server text)
RETURNS TABLE (step text, ok boolean, detail text, hint text)
AS 'MODULE_PATHNAME' LANGUAGE C ROWS 12;

COMMENT ON FUNCTION pinecone_ping(text) IS
'is everything as it has to be between here and the server''s index? a row for each step, NULL where it cannot be told, and a hint for what fails; changes nothing';

CREATE FUNCTION pinecone_hosts(server text)
RETURNS TABLE ("position" integer, host text, region text, state text, since timestamptz, reads boolean, writes boolean,
	answered bigint, failures bigint, retry_at timestamptz, last_error text)
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE ROWS 3;

COMMENT ON FUNCTION pinecone_hosts(text) IS
'the hosts of a server in their order: which is up, down or not tried yet, and since when; where reads and writes go now; requests answered and times found down, in all sessions; when one that is down is tried again; and why it failed last.  Sends nothing';

CREATE FUNCTION pinecone_connections()
RETURNS TABLE (address text, port integer, in_use boolean, servers text[])
AS 'MODULE_PATHNAME' LANGUAGE C ROWS 5;

COMMENT ON FUNCTION pinecone_connections() IS
'the connections that this session has open, and the servers that may use each';

CREATE FUNCTION pinecone_close_connections()
RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION pinecone_close_connections() IS
'closes the connections of this session that are not in use, and says how many; the next request connects anew';

REVOKE ALL ON FUNCTION
	pinecone_indexes(text),
	pinecone_describe_index(text, text),
	pinecone_create_index(text, text, integer, text, text, jsonb, text, text, boolean, jsonb, jsonb, boolean, boolean, interval),
	pinecone_configure_index(text, text, boolean, jsonb, jsonb, boolean, interval),
	pinecone_delete_index(text, text, boolean, boolean, interval),
	pinecone_namespaces(text, text),
	pinecone_create_namespace(text, text, text[], boolean),
	pinecone_delete_namespace(text, text, boolean),
	pinecone_index_stats(text),
	pinecone_index_stats(regclass),
	pinecone_aliases(text),
	pinecone_create_alias(text, text, text, boolean, boolean, interval),
	pinecone_repoint_alias(text, text, text, boolean, interval),
	pinecone_delete_alias(text, text, boolean),
	pinecone_backups(text, text),
	pinecone_describe_backup(text, text),
	pinecone_create_backup(text, text, text, text, boolean, interval),
	pinecone_delete_backup(text, text, boolean),
	pinecone_create_index_from_backup(text, text, text, boolean, jsonb, boolean, interval),
	pinecone_restore_jobs(text),
	pinecone_describe_restore_job(text, text),
	pinecone_ping(text),
	pinecone_hosts(text),
	pinecone_connections(),
	pinecone_close_connections()
FROM PUBLIC;

/* What one session has written, for another to wait for */

CREATE FUNCTION pinecone_last_write("table" regclass)
RETURNS jsonb
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;

COMMENT ON FUNCTION pinecone_last_write(regclass) IS
'what this session has sent last to the namespaces of a foreign table: an object with the sequence number of each namespace it has written to; for pinecone_wait_for() in another session';

CREATE FUNCTION pinecone_wait_for("table" regclass, last_write jsonb, timeout interval DEFAULT NULL)
RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;

COMMENT ON FUNCTION pinecone_wait_for(regclass, jsonb, interval) IS
'waits until searches show what another session has written, as its pinecone_last_write() says: true; after the timeout, or consistency_timeout of the table, an error, or where its on_consistency_timeout is warning, false';
