
/* Writes that wait to be delivered: write_mode 'outbox' */

CREATE SEQUENCE pinecone_outbox_seq;

CREATE TABLE pinecone_outbox (
	seq bigint PRIMARY KEY,
	foreign_table regclass NOT NULL,
	writer regrole NOT NULL,
	namespace text NOT NULL,
	kind "char" NOT NULL,
	id text,
	dense real[],
	sparse_indices bigint[],
	sparse_values real[],
	metadata text,
	extra jsonb,
	queued_at timestamptz NOT NULL
) WITH (toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
	autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_threshold = 1000000);

CREATE INDEX pinecone_outbox_tables ON pinecone_outbox (foreign_table, seq);

-- floats do not get smaller by it
ALTER TABLE pinecone_outbox ALTER COLUMN dense SET STORAGE EXTERNAL;
ALTER TABLE pinecone_outbox ALTER COLUMN sparse_values SET STORAGE EXTERNAL;

COMMENT ON TABLE pinecone_outbox IS
'writes of foreign tables with write_mode ''outbox'' that are yet to be delivered (docs/outbox.md)';

CREATE TABLE pinecone_outbox_dead (
	seq bigint PRIMARY KEY,
	foreign_table regclass NOT NULL,
	writer regrole NOT NULL,
	namespace text NOT NULL,
	kind "char" NOT NULL,
	id text,
	dense real[],
	sparse_indices bigint[],
	sparse_values real[],
	metadata text,
	extra jsonb,
	queued_at timestamptz NOT NULL,
	reason text NOT NULL,
	failed_at timestamptz NOT NULL
);

CREATE INDEX pinecone_outbox_dead_ids ON pinecone_outbox_dead (namespace COLLATE "C", id COLLATE "C");

COMMENT ON TABLE pinecone_outbox_dead IS
'writes that Pinecone has refused, until they are retried or dropped (docs/outbox.md)';

CREATE TABLE pinecone_outbox_state (
	server text NOT NULL,
	writer regrole NOT NULL,
	delivered bigint NOT NULL DEFAULT 0,
	dead bigint NOT NULL DEFAULT 0,
	failures int NOT NULL DEFAULT 0,
	retry_at timestamptz,
	last_error text,
	last_error_at timestamptz,
	last_delivery_at timestamptz,
	rate float8 NOT NULL DEFAULT 0,	-- writes a second, of about a minute
	PRIMARY KEY (server, writer)
) WITH (fillfactor = 50);

COMMENT ON TABLE pinecone_outbox_state IS
'what has been delivered, by server and user, and how delivery fares (docs/outbox.md)';

-- pg_write_all_data has rights that nobody has granted
CREATE FUNCTION pinecone_guard()
RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION pinecone_guard() IS
'internal: keeps others than the owner from writing to the tables of the outbox and of mirrors';

REVOKE ALL ON FUNCTION pinecone_guard() FROM PUBLIC;

CREATE TRIGGER pinecone_guard BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON pinecone_outbox
FOR EACH STATEMENT EXECUTE FUNCTION pinecone_guard();
CREATE TRIGGER pinecone_guard BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON pinecone_outbox_dead
FOR EACH STATEMENT EXECUTE FUNCTION pinecone_guard();
CREATE TRIGGER pinecone_guard BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON pinecone_outbox_state
FOR EACH STATEMENT EXECUTE FUNCTION pinecone_guard();

SELECT pg_catalog.pg_extension_config_dump('pinecone_outbox_seq', '');
SELECT pg_catalog.pg_extension_config_dump('pinecone_outbox', '');
SELECT pg_catalog.pg_extension_config_dump('pinecone_outbox_dead', '');
SELECT pg_catalog.pg_extension_config_dump('pinecone_outbox_state', '');

CREATE FUNCTION pinecone_deliver(max_rows bigint DEFAULT NULL,
	OUT delivered bigint, OUT dead bigint, OUT waiting bigint)
RETURNS record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;

COMMENT ON FUNCTION pinecone_deliver(bigint) IS
'delivers what waits in the outbox, up to max_rows of it: how many writes were delivered, how many refused for good, and how many were left';

REVOKE ALL ON FUNCTION pinecone_deliver(bigint) FROM PUBLIC;

CREATE FUNCTION pinecone_outbox_put(foreign_table regclass, namespace text, id text, dense real[],
	sparse jsonb DEFAULT NULL, metadata jsonb DEFAULT NULL,
	model text DEFAULT NULL, source text DEFAULT NULL, input_type text DEFAULT 'passage', dimension int DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;

COMMENT ON FUNCTION pinecone_outbox_put(regclass, text, text, real[], jsonb, jsonb, text, text, text, int) IS
'puts a whole record into the outbox of a foreign table; with model and source, delivery has that text embedded for its vector';

CREATE FUNCTION pinecone_outbox_delete(foreign_table regclass, namespace text, id text)
RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;

COMMENT ON FUNCTION pinecone_outbox_delete(regclass, text, text) IS
'puts the deletion of a record into the outbox of a foreign table, whether there is such a record or not';

CREATE FUNCTION pinecone_outbox_delete_all(foreign_table regclass, namespace text)
RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;

COMMENT ON FUNCTION pinecone_outbox_delete_all(regclass, text) IS
'puts the deletion of all records of a namespace into the outbox of a foreign table';

CREATE FUNCTION pinecone_outbox_retry(seq bigint DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;

COMMENT ON FUNCTION pinecone_outbox_retry(bigint) IS
'puts a refused write, or with NULL all of one''s own, back into the outbox where it was; how many';

CREATE FUNCTION pinecone_outbox_drop(seq bigint DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;

COMMENT ON FUNCTION pinecone_outbox_drop(bigint) IS
'drops a refused write, or with NULL all of one''s own; how many';

-- One's own rows, and those of all for who may see the tables

CREATE VIEW pinecone_outbox_rows WITH (security_barrier) AS
SELECT q.seq, q.foreign_table, q.writer, q.namespace, q.kind, q.id, q.queued_at
FROM pinecone_outbox q
WHERE pg_catalog.pg_has_role(q.writer, 'USAGE')
	OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE');

COMMENT ON VIEW pinecone_outbox_rows IS
'the writes that wait in the outbox: one''s own, and for members of pg_read_all_stats all (docs/outbox.md)';

CREATE VIEW pinecone_outbox_dead_rows WITH (security_barrier) AS
SELECT q.seq, q.foreign_table, q.writer, q.namespace, q.kind, q.id, q.queued_at, q.reason, q.failed_at
FROM pinecone_outbox_dead q
WHERE pg_catalog.pg_has_role(q.writer, 'USAGE')
	OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE');

COMMENT ON VIEW pinecone_outbox_dead_rows IS
'the writes that Pinecone has refused: one''s own, and for members of pg_read_all_stats all (docs/outbox.md)';

CREATE VIEW pinecone_outbox_status WITH (security_barrier) AS
SELECT coalesce(q.server, s.server) AS server, coalesce(q.writer, s.writer) AS writer,
	   coalesce(q.depth, 0) AS depth, coalesce(d.dead, 0) AS dead, q.oldest_at,
	   extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) q.oldest_at)::float8 AS oldest_age,
	   coalesce(s.delivered, 0) AS delivered,
	   coalesce(s.rate * pg_catalog.exp(-least(extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) s.last_delivery_at) / 60, 100)::float8), 0) AS per_second,
	   coalesce(s.dead, 0) AS refused, coalesce(s.failures, 0) AS failures,
	   s.retry_at, s.last_delivery_at, s.last_error, s.last_error_at
FROM (SELECT v.srvname::text AS server, o.writer, pg_catalog.count(*) AS depth, pg_catalog.min(o.queued_at) AS oldest_at
	  FROM pinecone_outbox o
	  LEFT JOIN pg_catalog.pg_foreign_table f ON f.ftrelid OPERATOR(pg_catalog.=) o.foreign_table::oid
	  LEFT JOIN pg_catalog.pg_foreign_server v ON v.oid OPERATOR(pg_catalog.=) f.ftserver
	  GROUP BY 1, 2) q
-- not of servers and roles that are gone
FULL JOIN (SELECT t.* FROM pinecone_outbox_state t
	  WHERE EXISTS (SELECT FROM pg_catalog.pg_foreign_server v WHERE v.srvname::text OPERATOR(pg_catalog.=) t.server)
	  AND EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.oid OPERATOR(pg_catalog.=) t.writer::oid)) s
	ON s.server OPERATOR(pg_catalog.=) q.server
	AND s.writer::oid OPERATOR(pg_catalog.=) q.writer::oid
LEFT JOIN (SELECT v.srvname::text AS server, o.writer, pg_catalog.count(*) AS dead
	  FROM pinecone_outbox_dead o
	  LEFT JOIN pg_catalog.pg_foreign_table f ON f.ftrelid OPERATOR(pg_catalog.=) o.foreign_table::oid
	  LEFT JOIN pg_catalog.pg_foreign_server v ON v.oid OPERATOR(pg_catalog.=) f.ftserver
	  GROUP BY 1, 2) d ON d.server OPERATOR(pg_catalog.=) coalesce(q.server, s.server)
	AND d.writer::oid OPERATOR(pg_catalog.=) coalesce(q.writer, s.writer)::oid
WHERE pg_catalog.pg_has_role(coalesce(q.writer, s.writer), 'USAGE')
	OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE');

COMMENT ON VIEW pinecone_outbox_status IS
'the outbox by server and writer: how much waits and since when, what was delivered and refused, and the last error (docs/outbox.md)';

GRANT SELECT ON pinecone_outbox_rows, pinecone_outbox_dead_rows, pinecone_outbox_status TO PUBLIC;
