-- Governance aggregates in parts: the state of those of fixed size is a value,
-- with a text and a binary form, which may come from another server.
\set VERBOSITY terse
CREATE FUNCTION same(a float8, b float8) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT a IS NOT DISTINCT FROM b OR abs(a - b) <= 1e-12 * abs(b)
$$;
CREATE TABLE score (i int, shard int, x float8, s float8, v real[]);
INSERT INTO score SELECT i, i % 3, (1 + hashint4(i) % 1000 / 1001.0) * 10.0 ^ (i % 30 - 15), hashint4(i + 7) % 10000 / 1000.0, ARRAY[hashint4(i) % 100, hashint4(i + 1) % 100, 1]::real[] FROM generate_series(1, 3000) i;
INSERT INTO score VALUES (3001, 0, NULL, NULL, NULL), (3002, 1, 0, '-Infinity', NULL), (3003, 2, 5e-324, 40, NULL);

-- one value for all that follows from it
SELECT same(huf_mass(m), mass) AS mass, same(huf_hhi(m), hhi) AS hhi, same(huf_neff_hhi(m), n2) AS n2, same(huf_entropy(m), entropy) AS entropy, same(huf_neff_entropy(m), n1) AS n1, same(huf_evenness(m), evenness) AS evenness,
  same(huf_top_share(m), top) AS top, same(huf_rho_var(m), var) AS var, huf_moments_count(m) = count AS count
FROM (SELECT huf_moments(x) AS m, count(x), huf_mass(x) AS mass, huf_hhi(x) AS hhi, huf_neff_hhi(x) AS n2, huf_entropy(x) AS entropy, huf_neff_entropy(x) AS n1, huf_evenness(x) AS evenness, huf_top_share(x) AS top, huf_rho_var(x) AS var FROM score) s;
SELECT same(huf_lse(m), lse) AS lse, same(huf_hhi(m), hhi) AS hhi, same(huf_entropy(m), entropy) AS entropy, same(huf_top_share(m), top) AS top, same(huf_rho_var(m), var) AS var
FROM (SELECT huf_moments(s, 'softmax', 2) AS m, huf_lse(s, 2) AS lse, huf_hhi(s, 'softmax', 2) AS hhi, huf_entropy(s, 'softmax', 2) AS entropy, huf_top_share(s, 'softmax', 2) AS top, huf_rho_var(s, 'softmax', 2) AS var FROM score) s;
SELECT huf_mass(huf_moments(s, 'softmax')) FROM score;
SELECT huf_lse(huf_moments(x)) FROM score;

-- parts of any size merge to the whole, by way of text and of bytes too
CREATE TABLE part AS SELECT k, huf_moments(x) AS m, huf_moments(s, 'softmax') AS soft, huf_histogram(greatest(s, -20), '{-5,0,5}') AS h, huf_lse(s) AS lse FROM score, LATERAL (SELECT hashint4(i) % 11 AS k) p GROUP BY k;
CREATE TABLE whole AS SELECT huf_moments(x) AS m, huf_moments(s, 'softmax') AS soft, huf_histogram(greatest(s, -20), '{-5,0,5}') AS h, huf_lse(s) AS lse FROM score;
CREATE FUNCTION told(m huf_moments) RETURNS float8[] LANGUAGE sql IMMUTABLE AS
  $$ SELECT ARRAY[huf_moments_count(m), huf_hhi(m), huf_neff_hhi(m), huf_entropy(m), huf_evenness(m), huf_top_share(m), huf_rho_var(m)] $$;
CREATE FUNCTION same(a float8[], b float8[]) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT bool_and(same(x, y)) FROM unnest(a, b) u(x, y) $$;
SELECT same(told(p.m), told(whole.m)) AS linear, same(told(p.soft), told(whole.soft)) AS softmax, p.h = whole.h AS histogram, same(p.lse, whole.lse) AS lse
FROM (SELECT huf_moments_merge(m) AS m, huf_moments_merge(soft) AS soft, huf_histogram_merge(h) AS h, huf_lse(lse) AS lse FROM part) p, whole;
SELECT bool_and(m::text::huf_moments::text = m::text AND told(m::text::huf_moments) = told(m)) AS text, bool_and(soft::text::huf_moments::text = soft::text) AS soft FROM part;
CREATE TABLE copied (k int, m huf_moments, soft huf_moments);
SELECT current_setting('data_directory') || '/huf_scale.copy' AS file \gset
COPY part (k, m, soft) TO :'file' (FORMAT binary);
COPY copied FROM :'file' (FORMAT binary);
SELECT count(*) AS equal FROM part JOIN copied USING (k) WHERE part.m::text = copied.m::text AND part.soft::text = copied.soft::text;
SELECT huf_moments(x) AS one, huf_moments(x, 'linear') AS given, huf_moments(x, 'softmax', 0.5) AS soft FROM (VALUES (1.0), (3)) t(x);
SELECT huf_moments(x) AS empty, huf_hhi(huf_moments(x)) IS NULL AS yes, huf_moments_count(huf_moments(x)) AS none FROM score WHERE false;
SELECT huf_moments_merge(m) AS empty, huf_histogram_merge(h) IS NULL AS yes FROM part WHERE false;
-- the same number of them everywhere
SELECT huf_moments_merge(m) FROM (VALUES ('1'::huf_moments), (NULL), ('1')) t(m);
SELECT huf_histogram_merge(h) FROM (VALUES ('{1,2}'::bigint[]), ('{1,2,3}')) t(h);
SELECT huf_histogram_merge(h) FROM (VALUES ('{1,2}'::bigint[]), ('{1,NULL}')) t(h);
SELECT huf_histogram_merge(h) FROM (VALUES ('{1,2}'::bigint[]), ('{9223372036854775807,0}')) t(h);
SELECT huf_histogram_merge(h) FROM (VALUES ('{1,2}'::bigint[]), (NULL), ('{3,4}')) t(h);
SELECT huf_moments_merge(m) FROM (SELECT huf_moments(x) AS m FROM score UNION ALL SELECT huf_moments(s, 'softmax') FROM score) t;
SELECT huf_moments_merge(m) FROM (SELECT huf_moments(s, 'softmax', 2) AS m FROM score UNION ALL SELECT huf_moments(s, 'softmax') FROM score) t;

-- what no aggregate makes is refused
SELECT '2'::huf_moments;
SELECT ''::huf_moments;
SELECT '1:'::huf_moments;
SELECT '1:0:0:0:0:1:2:2:1:2:1:0:1:0:1:0:1:1:0:'::huf_moments;
SELECT '1:0:0:0:0:1:2:3:1:2:1:0:1:0:1:0:1:1:0'::huf_moments;
SELECT '1:0:0:0:0:1:2:2:1:4:1:0:1:0:1:0:1:1:0'::huf_moments;
SELECT '1:0:0:0:0:99999:2:2:1:2:1:0:1:0:1:0:1:1:0'::huf_moments;
SELECT '1:0:0:0:0:1:2:2:0:2:1:0:1:0:1:0:1:1:0'::huf_moments;
SELECT '1:0:0:0:0:1:2:2:1:2:NaN:0:1:0:1:0:1:1:0'::huf_moments;
SELECT '1:1:0:0:0:-1021:2:2:1:2:1:0:1:0:1:0:1:1:0'::huf_moments;
-- support functions may be called, and change nothing that is not theirs
CREATE TABLE kept AS SELECT huf_moments(x) AS m FROM (VALUES (1.0)) t(x);
SELECT huf_moments_accum(m, 3) AS more, huf_moments_combine(m, m) AS twice, huf_moments_accum(NULL, 3) AS new FROM kept;
SELECT m FROM kept;
-- a state that lacks a sum says so
SELECT huf_hhi(huf_moments_accum(m, 3)), huf_mass(huf_moments_var_accum(m, 3)) FROM kept;
SELECT huf_entropy(huf_moments_accum(m, 3)) FROM kept;
SELECT huf_rho_var(huf_moments_merge(p)) FROM (SELECT m FROM kept UNION ALL SELECT huf_moments_log_accum('1', 3)) t(p);
SELECT huf_top_share(huf_moments_var_accum(m, 3)) FROM kept;
SELECT huf_histogram_add(h, h) AS twice, h FROM (SELECT h FROM part WHERE k = 0) t;
-- a window function's running state is of its own
SELECT i, huf_moments_count(huf_moments(x) OVER (ORDER BY i)) AS n FROM score WHERE i <= 3 ORDER BY i;

-- kinds are an enum, and may be texts
SELECT pg_typeof(k), same(huf_hhi(s, k), huf_hhi(s, 'softmax')) AS same FROM score, (VALUES ('softmax'::text)) t(k) WHERE s > '-Infinity' GROUP BY k;
SELECT same(huf_gini(s, k), huf_gini(s, 'softmax')) AS same FROM score, (VALUES ('softmax'::varchar(10))) t(k) WHERE s > '-Infinity' GROUP BY k;
PREPARE kinds (text, huf_kind) AS SELECT same(huf_hhi(s, $1), huf_hhi(s, $2)) AS same FROM score;
EXECUTE kinds ('softmax', 'softmax');
SELECT huf_hhi(x, NULL) FROM score;
SELECT huf_hhi(x, CASE WHEN i % 2 = 0 THEN 'linear' ELSE 'softmax' END) FROM score;
SELECT huf_items_to_cover(x, 0.9, 'quadratic') FROM score;
SELECT huf_items_to_cover(x, 0.9, 'quadratic'::text) FROM score;

-- shards: tables of other servers
CREATE EXTENSION postgres_fdw;
DO $$ BEGIN
  EXECUTE format('CREATE SERVER shard FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host %L, port %L, dbname %L, extensions %L)',
    split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'), current_database(), 'pinecone_fdw');
END $$;
CREATE USER MAPPING FOR CURRENT_USER SERVER shard;
CREATE TABLE score0 AS SELECT * FROM score WHERE shard = 0;
CREATE TABLE score1 AS SELECT * FROM score WHERE shard = 1;
CREATE TABLE score2 AS SELECT * FROM score WHERE shard = 2;
CREATE TABLE sharded (i int, shard int, x float8, s float8, v real[]) PARTITION BY LIST (shard);
CREATE FOREIGN TABLE shard0 PARTITION OF sharded FOR VALUES IN (0) SERVER shard OPTIONS (table_name 'score0');
CREATE FOREIGN TABLE shard1 PARTITION OF sharded FOR VALUES IN (1) SERVER shard OPTIONS (table_name 'score1');
CREATE FOREIGN TABLE shard2 PARTITION OF sharded FOR VALUES IN (2) SERVER shard OPTIONS (table_name 'score2');
-- a kind does not keep an aggregate here
EXPLAIN (VERBOSE, COSTS OFF) SELECT huf_hhi(s, 'softmax'), huf_gini(x, 'linear'), huf_sketch(v) FROM shard0;
-- groups by the key are aggregated where they are
SET enable_partitionwise_aggregate = on;
EXPLAIN (VERBOSE, COSTS OFF) SELECT shard, huf_hhi(s, 'softmax') FROM sharded GROUP BY shard;
SELECT shard, same(a.hhi, b.hhi) FROM (SELECT shard, huf_hhi(s, 'softmax') AS hhi FROM sharded GROUP BY shard) a JOIN (SELECT shard, huf_hhi(s, 'softmax') AS hhi FROM score GROUP BY shard) b USING (shard) ORDER BY shard;
-- and the whole from one state of each
CREATE VIEW states AS SELECT huf_moments(x) AS m, huf_moments(s, 'softmax') AS soft, huf_histogram(greatest(s, -20), '{-5,0,5}') AS h, huf_sketch(v) AS sketch FROM shard0
  UNION ALL SELECT huf_moments(x), huf_moments(s, 'softmax'), huf_histogram(greatest(s, -20), '{-5,0,5}'), huf_sketch(v) FROM shard1
  UNION ALL SELECT huf_moments(x), huf_moments(s, 'softmax'), huf_histogram(greatest(s, -20), '{-5,0,5}'), huf_sketch(v) FROM shard2;
-- what each shard is asked for; PostgreSQL 19 names the branches in another way
CREATE FUNCTION remote_sql(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || statement LOOP
		IF line ~ 'Remote SQL' THEN
			RETURN NEXT btrim(line);
		END IF;
	END LOOP;
END $$;
SELECT remote_sql($$SELECT huf_entropy(huf_moments_merge(m)) FROM states$$);
DROP FUNCTION remote_sql;
SELECT same(told(p.m), told(whole.m)) AS linear, same(told(p.soft), told(whole.soft)) AS softmax, p.h = whole.h AS histogram, same(huf_mrl(p.sketch), (SELECT huf_mrl(v) FROM score)) AS mrl
FROM (SELECT huf_moments_merge(m) AS m, huf_moments_merge(soft) AS soft, huf_histogram_merge(h) AS h, huf_sketch_merge(sketch) AS sketch FROM states) p, whole;
-- without that, a row after the other comes; the states are combined all the same
EXPLAIN (COSTS OFF) SELECT huf_hhi(x), huf_entropy(s, 'softmax') FROM sharded;
SELECT same(a.hhi, b.hhi) AS hhi, same(a.entropy, b.entropy) AS entropy FROM (SELECT huf_hhi(x) AS hhi, huf_entropy(s, 'softmax') AS entropy FROM sharded) a, (SELECT huf_hhi(x) AS hhi, huf_entropy(s, 'softmax') AS entropy FROM score) b;
RESET enable_partitionwise_aggregate;
-- no state of fixed size is of type internal, which nothing can send
SELECT proname, count(*) FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid WHERE aggtranstype = 'huf_moments'::regtype GROUP BY proname ORDER BY proname COLLATE "C";
SET client_min_messages = warning;
DROP EXTENSION postgres_fdw CASCADE;
DROP TABLE score, part, whole, copied, kept, score0, score1, score2, sharded CASCADE;
DROP FUNCTION same(float8[], float8[]);
DROP FUNCTION same(float8, float8), told(huf_moments);
