-- What requests cost: the view without preloading, budgets of a statement, what COMMIT sends.
\set index counted
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
SELECT format('{"id": "r%s", "values": [%s, 1], "metadata": {"n": %s}}', i, i, i) FROM generate_series(1, 250) i
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert counted kb
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int) SERVER pinecone OPTIONS (namespace 'kb');
SELECT id FROM t WHERE id = 'r1';
SELECT pinecone_fdw_stats_reset();
SELECT count(*) FROM pinecone_fdw_stats WHERE calls > 0;

-- a search, a lookup, all of it: one row each
SELECT count(*) FROM (SELECT id FROM t ORDER BY embedding <=> '{1,1}' LIMIT 7) s;
SELECT count(*) FROM (SELECT id FROM t WHERE id IN ('r1', 'r2', 'none')) s;
SELECT count(*), sum(n) FROM t;
SELECT datname = current_database() AS here, rolname = current_user AS mine, srvname, operation, namespace, calls, failed, requests, retries, errors,
  records_read, batch_items, batch_max, read_units, egress_bytes = bytes_received AS all_egress, connections_opened + connections_reused = requests AS connected
FROM pinecone_fdw_stats WHERE operation <> 'describe_index_stats' ORDER BY operation;
SELECT operation FROM pinecone_fdw_stats WHERE operation NOT IN ('describe_index_stats', 'scan') AND (wait_min_ms > wait_p50_ms OR wait_p50_ms > wait_p95_ms OR wait_p95_ms > wait_p99_ms OR wait_p99_ms > wait_max_ms OR wait_ms < wait_max_ms
  OR wait_ms IS NULL OR bytes_sent = 0 OR last_call_at < now() - interval '1 hour' OR last_error IS NOT NULL);
-- rows that scans returned
SELECT operation, namespace, rows FROM pinecone_fdw_stats WHERE rows > 0;
-- statistics of an index are not metered, and of no namespace
SELECT count(*) FROM t;
SELECT namespace, egress_bytes, bytes_received > 0 AS received FROM pinecone_fdw_stats WHERE operation = 'describe_index_stats';

-- errors by class; the last one's words
SELECT pinecone_fdw_stats_reset();
\! test/regress/pinecone fault '{"path": "/query", "status": 503, "count": 1}'
\! test/regress/pinecone fault '{"path": "/vectors/fetch", "status": 429, "count": 1}'
SELECT count(*) FROM (SELECT id FROM t ORDER BY embedding <=> '{1,1}' LIMIT 1) s;
SELECT count(*) FROM (SELECT id FROM t WHERE id = 'r1') s;
\! test/regress/pinecone no-faults
SELECT operation, calls, failed, requests, retries, errors, server_errors, rate_limited, last_error LIKE 'HTTP status%' AS told, last_error_at > now() - interval '1 minute' AS lately
FROM pinecone_fdw_stats WHERE operation <> 'describe_index_stats' ORDER BY operation;
-- one that fails for good, in the middle of what went well
ALTER SERVER pinecone OPTIONS (ADD max_retries '0');
\! test/regress/pinecone fault '{"path": "/vectors/list", "status": 400, "skip": 1}'
\set VERBOSITY terse
SELECT count(id || '') FROM t;
\set VERBOSITY default
\! test/regress/pinecone no-faults
SELECT operation, calls, failed, requests, errors, rejected, records_read FROM pinecone_fdw_stats WHERE operation = 'list';
ALTER SERVER pinecone OPTIONS (DROP max_retries);

-- writes: counted when they are confirmed, those of a COMMIT apart
SELECT pinecone_fdw_stats_reset();
BEGIN;
INSERT INTO t SELECT 'w' || i, ARRAY[i, 2], i FROM generate_series(1, 1200) i;
DELETE FROM t WHERE id IN ('w1', 'w2');
SAVEPOINT s;
INSERT INTO t VALUES ('dropped', '{1,1}', 1);
ROLLBACK TO s;
SELECT count(*) FROM pinecone_fdw_stats WHERE records_written > 0;
COMMIT;
SELECT operation, calls, requests, records_written, batch_max, commit_requests, commit_records, commit_bytes = bytes_sent AS all_of_it, wait_ms > 0 AS took_time
FROM pinecone_fdw_stats WHERE operation IN ('commit', 'upsert', 'delete') ORDER BY operation;
BEGIN;
INSERT INTO t VALUES ('never', '{1,1}', 1);
ROLLBACK;
SELECT sum(records_written) FROM pinecone_fdw_stats;

-- COMMIT tells what it has sent, when asked for; of what it cannot send, how far it came
\setenv PGDATABASE :DBNAME
\! psql -qXc "BEGIN; SET LOCAL pinecone_fdw.report_commit = notice; INSERT INTO t SELECT 'x' || i, '{1,1}' FROM generate_series(1, 1001) i; COMMIT" 2>&1 | sed -E 's/[0-9.]+ (kB|ms)/# \1/g'
SELECT pinecone_fdw_stats_reset();
ALTER FOREIGN TABLE t OPTIONS (ADD batch_size '10', ADD write_concurrency '1');
\! test/regress/pinecone fault '{"path": "/vectors/upsert", "status": 400, "skip": 2}'
\set VERBOSITY terse
INSERT INTO t SELECT 'y' || i, '{1,1}' FROM generate_series(1, 100) i;
\set VERBOSITY default
\! test/regress/pinecone no-faults
SELECT operation, calls, failed, requests, records_written, commit_requests, commit_records FROM pinecone_fdw_stats WHERE operation IN ('commit', 'upsert') ORDER BY operation;

-- budgets of a statement
SET pinecone_fdw.max_requests = 0;
SET pinecone_fdw.max_read_units = -2;
SET pinecone_fdw.max_egress = 'much';
SET pinecone_fdw.max_month_rows = 0;
SET pinecone_fdw.month_warning = 101;
SET pinecone_fdw.max_requests = 2;
\! test/regress/pinecone quiet
\set VERBOSITY terse
SELECT count(id || n) FROM t WHERE id LIKE 'r%';
\! test/regress/pinecone log 'vectors|query' | wc -l
-- the next statement has its own
SELECT n FROM t WHERE id = 'r7';
RESET pinecone_fdw.max_requests;
SET pinecone_fdw.max_rows = 150;
SELECT count(n) FROM t WHERE id LIKE 'r%';
RESET pinecone_fdw.max_rows;
SET pinecone_fdw.max_read_units = 10;
SELECT count(n) FROM t WHERE id LIKE 'r%';
RESET pinecone_fdw.max_read_units;
SET pinecone_fdw.max_egress = '1kB';
SELECT count(n) FROM t WHERE id LIKE 'r%';
RESET pinecone_fdw.max_egress;
-- by role, and not for the role to change
CREATE ROLE spender;
ALTER ROLE spender SET pinecone_fdw.max_requests = 3;
SET ROLE spender;
SET pinecone_fdw.max_requests = 1000;
RESET ROLE;
ALTER ROLE spender LOGIN PASSWORD 'spender';
GRANT USAGE ON FOREIGN SERVER pinecone TO spender;
GRANT SELECT ON t TO spender;
CREATE USER MAPPING FOR spender SERVER pinecone OPTIONS (api_key :'api_key');
\! PGPASSWORD=spender psql -qXAt -U spender -c 'SELECT count(n) FROM t' -c 'SHOW pinecone_fdw.max_requests' -c 'SET pinecone_fdw.max_requests = -1' 2>&1 | grep -v -E 'DETAIL|HINT'
DROP USER MAPPING FOR spender SERVER pinecone;
REVOKE ALL ON t FROM spender;
REVOKE ALL ON FOREIGN SERVER pinecone FROM spender;
DROP ROLE spender;
-- a cursor: each FETCH is a statement of its own
SET pinecone_fdw.max_requests = 3;
SET pinecone_fdw.enable_read_ahead = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
BEGIN;
DECLARE c CURSOR FOR SELECT (SELECT n FROM t WHERE id = 'r' || i) FROM generate_series(1, 20) i;
MOVE 3 IN c;
FETCH 3 FROM c;
FETCH 4 FROM c;
COMMIT;
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET pinecone_fdw.enable_read_ahead;
-- a function's statements are part of the one that calls it; an error that is caught does not give the budget back
DO $$
BEGIN
  FOR i IN 1 .. 10 LOOP
    BEGIN
      PERFORM n FROM t WHERE id = 'r' || i;
    EXCEPTION WHEN configuration_limit_exceeded THEN
      RAISE NOTICE 'lookup %: %', i, SQLERRM;
      EXIT WHEN i > 5;
    END;
  END LOOP;
END $$;
-- at COMMIT: what has been sent is told
\set VERBOSITY default
INSERT INTO t SELECT 'z' || i, '{1,1}' FROM generate_series(1, 100) i;
RESET pinecone_fdw.max_requests;
SELECT count(*) FROM t WHERE id LIKE 'z%';
-- budgets of a month are for all sessions, so that nothing is known of them here
SET pinecone_fdw.max_month_requests = 1000000;
SELECT n FROM t WHERE id = 'r7';
RESET pinecone_fdw.max_month_requests;
SELECT count(*) FROM pinecone_fdw_usage;

-- settings of ours that are not at their default
SET pinecone_fdw.max_rows = 1000;
SET pinecone_fdw.max_egress = '5MB';
SET pinecone_fdw.write_buffer = '1MB';
EXPLAIN (COSTS OFF, SETTINGS) SELECT id FROM t WHERE id = 'r1'
\g (format=unaligned tuples_only=on) |test/regress/plan
RESET pinecone_fdw.max_rows;
RESET pinecone_fdw.max_egress;
RESET pinecone_fdw.write_buffer;

-- nobody sees what others have asked for, but pg_monitor does; not all may reset
CREATE ROLE watcher;
CREATE ROLE nobody_else;
GRANT pg_monitor TO watcher;
SET ROLE watcher;
SELECT count(*) > 0 AS seen FROM pinecone_fdw_stats;
SET ROLE nobody_else;
SELECT count(*) > 0 AS seen FROM pinecone_fdw_stats;
SELECT pinecone_fdw_stats_reset();
RESET ROLE;
DROP ROLE watcher, nobody_else;

-- off: nothing is counted
SELECT pinecone_fdw_stats_reset();
SET pinecone_fdw.statistics = off;
SELECT n FROM t WHERE id = 'r7';
SELECT count(*) FROM pinecone_fdw_stats;
RESET pinecone_fdw.statistics;
