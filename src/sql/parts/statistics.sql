
/* What requests have cost, and what a month has */

CREATE FUNCTION pinecone_fdw_stats_rows(
	OUT dbid oid, OUT userid oid, OUT serverid oid, OUT srvname text, OUT operation text, OUT namespace text,
	OUT calls bigint, OUT failed bigint, OUT abandoned bigint, OUT requests bigint, OUT retries bigint,
	OUT unreachable bigint, OUT untrusted bigint, OUT timed_out bigint, OUT disconnected bigint,
	OUT key_rejected bigint, OUT not_found bigint, OUT rejected bigint, OUT rate_limited bigint,
	OUT quota_exceeded bigint, OUT server_errors bigint, OUT invalid_replies bigint,
	OUT rows bigint, OUT records_read bigint, OUT records_written bigint, OUT bytes_sent bigint, OUT bytes_received bigint,
	OUT egress_bytes bigint, OUT read_units bigint, OUT batch_items bigint, OUT wait_ms double precision,
	OUT connections_opened bigint, OUT connections_reused bigint, OUT tls_handshakes bigint,
	OUT cache_hits bigint, OUT cache_misses bigint,
	OUT commit_requests bigint, OUT commit_records bigint, OUT commit_bytes bigint,
	OUT batch_max bigint, OUT wait_min_ms double precision, OUT wait_max_ms double precision,
	OUT wait_p50_ms double precision, OUT wait_p95_ms double precision, OUT wait_p99_ms double precision,
	OUT lsn_written bigint, OUT lsn_seen bigint, OUT last_call_at timestamptz,
	OUT last_error text, OUT last_error_at timestamptz, OUT folded bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT;

COMMENT ON FUNCTION pinecone_fdw_stats_rows() IS
'internal: the rows of pinecone_fdw_stats that the current user may see';

CREATE VIEW pinecone_fdw_stats AS
SELECT s.dbid, d.datname, s.userid, r.rolname, s.serverid, s.srvname, s.operation, s.namespace,
	   calls, failed, abandoned, requests, retries,
	   unreachable + untrusted + timed_out + disconnected + key_rejected + not_found + rejected
	   + rate_limited + quota_exceeded + server_errors + invalid_replies AS errors,
	   unreachable, untrusted, timed_out, disconnected, key_rejected, not_found, rejected, rate_limited,
	   quota_exceeded, server_errors, invalid_replies,
	   rows, records_read, records_written, bytes_sent, bytes_received, egress_bytes, read_units,
	   batch_items, batch_max,
	   wait_ms, wait_min_ms, wait_max_ms, wait_p50_ms, wait_p95_ms, wait_p99_ms,
	   connections_opened, connections_reused, tls_handshakes, cache_hits, cache_misses,
	   commit_requests, commit_records, commit_bytes,
	   lsn_written, lsn_seen, last_call_at, last_error, last_error_at, folded
FROM pinecone_fdw_stats_rows() s
LEFT JOIN pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) s.dbid
LEFT JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) s.userid;

COMMENT ON VIEW pinecone_fdw_stats IS
'what requests to Pinecone have cost, per database, user, server, namespace and operation (docs/operating.md)';

GRANT SELECT ON pinecone_fdw_stats TO PUBLIC;

CREATE FUNCTION pinecone_fdw_stats_reset()
RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT;

COMMENT ON FUNCTION pinecone_fdw_stats_reset() IS
'forgets all of pinecone_fdw_stats; what a month has cost stays';

REVOKE ALL ON FUNCTION pinecone_fdw_stats_reset() FROM PUBLIC;

CREATE FUNCTION pinecone_fdw_usage_rows(
	OUT dbid oid, OUT serverid oid, OUT srvname text, OUT month date,
	OUT requests bigint, OUT read_units bigint, OUT egress_bytes bigint, OUT rows bigint,
	OUT requests_budget bigint, OUT read_units_budget bigint, OUT egress_bytes_budget bigint, OUT rows_budget bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT;

COMMENT ON FUNCTION pinecone_fdw_usage_rows() IS
'internal: the rows of pinecone_fdw_usage that the current user may see';

CREATE VIEW pinecone_fdw_usage AS
SELECT u.dbid, d.datname, u.serverid, u.srvname, u.month, u.requests, u.read_units, u.egress_bytes, u.rows,
	   u.requests_budget, u.read_units_budget, u.egress_bytes_budget, u.rows_budget
FROM pinecone_fdw_usage_rows() u
LEFT JOIN pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) u.dbid;

COMMENT ON VIEW pinecone_fdw_usage IS
'what each server has cost this month, and the budgets of the current session (docs/operating.md)';

GRANT SELECT ON pinecone_fdw_usage TO PUBLIC;
