-- EXPLAIN for programs, without a user mapping, and what it counts
\set index details
\set dimension 2
\set metric euclidean
\i test/regress/setup.sql

CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int) SERVER pinecone OPTIONS (namespace 'kb');
INSERT INTO t SELECT 'r' || i, ARRAY[i, 1], i FROM generate_series(1, 300) i;

-- a function that takes one value out of a plan in JSON
CREATE FUNCTION plan_value(statement text, VARIADIC path text[]) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE p json;
BEGIN EXECUTE statement INTO p; RETURN p::jsonb #> path; END $$;
SELECT plan_value('EXPLAIN (FORMAT JSON) SELECT id FROM t ORDER BY embedding <-> ''{1,2}'' LIMIT 5 OFFSET 2', '0', 'Plan', 'Plans', '0', 'Pinecone Top K') AS top_k;
SELECT plan_value('EXPLAIN (FORMAT JSON) SELECT id FROM t LIMIT 5', '0', 'Plan', 'Plans', '0', 'Pinecone Row Limit') AS row_limit;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY embedding <-> '{1,2}' LIMIT 5 OFFSET 2;

-- settings of ours that are not at their default
SET pinecone_fdw.enable_sort = off;
SET pinecone_fdw.prefetch = '1MB';
EXPLAIN (COSTS OFF, SETTINGS) SELECT id FROM t WHERE id = 'r1'
\g (format=unaligned tuples_only=on) |test/regress/plan
RESET pinecone_fdw.enable_sort;
RESET pinecone_fdw.prefetch;

-- pending writes: those before the statement
BEGIN;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) INSERT INTO t VALUES ('n1', '{1,1}', 1)
\g (format=unaligned tuples_only=on) |test/regress/plan
SELECT plan_value('EXPLAIN (ANALYZE, FORMAT JSON) UPDATE t SET n = n + 1 WHERE id IN (''r1'', ''r2'')', '0', 'Plan', 'Plans', '0', 'Pinecone Pending Writes') AS pending;
SELECT plan_value('EXPLAIN (ANALYZE, FORMAT JSON) DELETE FROM t WHERE n = 77', '0', 'Plan', 'Plans', '0', 'Pinecone Pending Writes') AS pending;
ROLLBACK;

-- times of what a read-ahead asks for
CREATE TABLE outer_rows AS SELECT 'r' || i AS id FROM generate_series(1, 300, 7) i;
ANALYZE outer_rows;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_memoize = off;
CREATE FUNCTION scan_times(statement text) RETURNS TABLE (name text, more_than_none boolean) LANGUAGE plpgsql AS $$
DECLARE p json;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON) ' || statement INTO p;
  RETURN QUERY SELECT k, bool_or((v #>> '{}')::float8 > 0)
  FROM jsonb_path_query(p::jsonb, '$.** ? (exists (@."Network Wait Time"))') o, jsonb_each(o) e(k, v)
  WHERE k LIKE '%Time' AND k NOT LIKE 'Actual%' AND k <> 'Network Wait Time' GROUP BY k ORDER BY k;
END $$;
EXPLAIN (COSTS OFF) SELECT t.n FROM outer_rows o JOIN t ON t.id = o.id;
SELECT * FROM scan_times('SELECT t.n FROM outer_rows o JOIN t ON t.id = o.id');
SELECT * FROM scan_times('SELECT x.n FROM outer_rows o, LATERAL (SELECT n FROM t ORDER BY embedding <-> ARRAY[length(o.id), 1]::real[] LIMIT 2) x');
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_memoize;

-- what a node's requests cost, and how long they were waited for: scans, read-aheads, writes
CREATE FUNCTION node_costs(statement text) RETURNS TABLE (node text, requests int, units int, sent boolean, received boolean, egress boolean, waited boolean) LANGUAGE plpgsql AS $$
DECLARE p json;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON) ' || statement INTO p;
  RETURN QUERY SELECT o ->> 'Node Type', (o -> 'Requests')::int, (o -> 'Read Units')::int, (o -> 'Bytes Sent')::int > 0, (o -> 'Bytes Received')::int > 0,
    (o -> 'Egress')::int > 0, (o -> 'Network Wait Time')::float8 > 0
  FROM jsonb_path_query(p::jsonb, 'strict $.** ? (exists (@."Requests"))') o;
END $$;
\! test/regress/pinecone fault '{"path": "/vectors/fetch", "delay_ms": 30}'
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_memoize = off;
SELECT * FROM node_costs('SELECT t.n FROM outer_rows o JOIN t ON t.id = o.id');
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_memoize;
ALTER FOREIGN TABLE t OPTIONS (ADD write_mode 'immediate', ADD on_duplicate 'error');
\! test/regress/pinecone fault '{"path": "/vectors/upsert", "delay_ms": 30}'
SELECT * FROM node_costs('INSERT INTO t SELECT ''e'' || i, ARRAY[i, 1], 0 FROM generate_series(1, 50) i');
\! test/regress/pinecone fault '{"path": "/vectors/delete", "delay_ms": 30}'
\! test/regress/pinecone fault '{"path": "/vectors/list", "delay_ms": 30}'
SELECT * FROM node_costs('DELETE FROM t WHERE id LIKE ''e%''');
ALTER FOREIGN TABLE t OPTIONS (DROP write_mode, DROP on_duplicate);
SELECT * FROM node_costs('INSERT INTO t SELECT ''e'' || i, ARRAY[i, 1], 0 FROM generate_series(1, 50) i');
DELETE FROM t WHERE id LIKE 'e%';
\! test/regress/pinecone no-faults

-- and what EXPLAIN expects them to cost
EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) SELECT id FROM t WHERE id = 'r1'
\g (format=unaligned tuples_only=on) |grep Expected
CREATE FUNCTION expected(statement text) RETURNS TABLE (requests_expected int, requests int, units_are_near boolean, bytes_are_near boolean) LANGUAGE plpgsql AS $$
DECLARE p json;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON) ' || statement INTO p;
  RETURN QUERY SELECT (o -> 'Pinecone Expected Requests')::int, (o -> 'Requests')::int,
    abs((o -> 'Pinecone Expected Read Units')::float8 - (o -> 'Read Units')::float8) <= 5,
    (o -> 'Pinecone Expected Bytes')::float8 BETWEEN (o -> 'Egress')::float8 / 3 AND (o -> 'Egress')::float8 * 3
  FROM jsonb_path_query(p::jsonb, 'strict $.** ? (exists (@."Pinecone Expected Requests"))') o;
END $$;
SELECT * FROM expected('SELECT count(*) FROM t');
SELECT * FROM expected('SELECT id FROM t');
SELECT * FROM expected('SELECT * FROM t');
SELECT * FROM expected('SELECT * FROM t WHERE id IN (''r1'', ''r2'', ''r3'')');
SELECT * FROM expected('SELECT id, n FROM t ORDER BY embedding <-> ''{1,2}'' LIMIT 20');
SELECT * FROM expected('SELECT id FROM t WHERE n = 7');
SELECT * FROM expected('SELECT count(*) FROM t WHERE n > 7');
SELECT plan_value('EXPLAIN (FORMAT JSON) SELECT * FROM t', '0', 'Plan', 'Pinecone Expected Read Units') AS units;
SELECT plan_value('EXPLAIN (FORMAT JSON, COSTS OFF) SELECT * FROM t', '0', 'Plan', 'Pinecone Expected Read Units') AS units;

-- nobody's key is needed to look at a plan
CREATE ROLE onlooker;
GRANT SELECT, DELETE, INSERT ON t TO onlooker;
SET ROLE onlooker;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE n = 3;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY embedding <-> '{1,2}' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT count(*) FROM t;
EXPLAIN (COSTS OFF) DELETE FROM t WHERE n = 3;
EXPLAIN (COSTS OFF) INSERT INTO t VALUES ('a', '{1,1}');
DO $$ BEGIN PERFORM count(*) FROM t; EXCEPTION WHEN undefined_object THEN RAISE NOTICE 'no user mapping'; END $$;
RESET ROLE;
REVOKE ALL ON t FROM onlooker;
SET ROLE onlooker;
EXPLAIN SELECT id FROM t;
RESET ROLE;
DROP ROLE onlooker;
DROP TABLE outer_rows;
DROP FUNCTION plan_value, scan_times;
\! test/regress/pinecone drop details
