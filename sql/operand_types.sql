-- Which operand types the distance operators take, that they mean the same, and what is sent of them.
\set index operands
\set dimension 2
\set metric cosine
\i test/regress/setup.sql

-- every pair of types, and literals
CREATE FUNCTION tried(l text, r text, op text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
    EXECUTE format('SELECT round((%s %s %s)::numeric, 4)', l, op, r) INTO result;
    RETURN result;
EXCEPTION WHEN OTHERS THEN RETURN SQLERRM;
END $$;
CREATE TABLE operands (n serial, name text, value text);
INSERT INTO operands (name, value) SELECT t, format($$'{3,4}'::%s$$, t) FROM unnest('{real[],float8[],int2[],int4[],int8[],numeric[]}'::text[]) t;
INSERT INTO operands (name, value) VALUES ('literal', $$'{3,4}'$$), ('ARRAY[3,4]', 'ARRAY[3,4]'), ('ARRAY[3.0,4]', 'ARRAY[3.0,4]'), ('ARRAY[$1,$2]', '(SELECT ARRAY[a, a + 1] FROM (SELECT 3::float8 AS a) s)');
SELECT l.name, string_agg(tried(l.value, replace(replace(r.value, '3', '4'), '{4,4}', '{4,3}'), '<=>'), ' | ' ORDER BY r.n) AS "<=>"
FROM operands l, operands r GROUP BY l.n, l.name ORDER BY l.n;
SELECT op, l.name, r.name, tried(l.value, r.value, op) FROM operands l, operands r, unnest('{<=>,<->,<#>}'::text[]) op
WHERE NOT (l.name = 'literal' AND r.name = 'literal') AND tried(l.value, r.value, op) <> (CASE op WHEN '<=>' THEN '0.0000' WHEN '<->' THEN '0.0000' ELSE '-25.0000' END);
-- elements are taken as real, so that it does not matter where a distance is computed
SELECT '{0.1,0.7}'::float8[] <-> '{0.3,0.2}'::float8[] = '{0.1,0.7}'::real[] <-> '{0.3,0.2}'::real[] AS same;
SELECT '{1e39,1}'::float8[] <-> '{1,1}'::float8[];
SELECT '{1,NULL}'::float8[] <-> '{1,1}'::float8[];
SELECT '{{1,2}}'::float8[] <-> '{1,1}'::float8[];
SELECT '{1,2,3}'::float8[] <-> '{1,1}'::real[];

-- a search for a float8[] vector is a search
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int) SERVER pinecone;
INSERT INTO t SELECT 'r' || i, ARRAY[cos(i / 10.0), sin(i / 10.0)], i FROM generate_series(1, 30) i;
SELECT count(*) AS warm FROM t;
\! test/regress/pinecone quiet
EXPLAIN (VERBOSE, COSTS OFF) SELECT id, embedding <=> '{1,0.5}'::float8[] FROM t ORDER BY embedding <=> '{1,0.5}'::float8[] LIMIT 2;
SELECT id, round((embedding <=> '{1,0.5}'::float8[])::numeric, 5) FROM t ORDER BY embedding <=> '{1,0.5}'::float8[] LIMIT 2;
SELECT id FROM t ORDER BY '{1,0.5}'::float8[] <=> embedding LIMIT 2;
SELECT id FROM t WHERE embedding <=> '{1,0.5}'::float8[] < 0.001 ORDER BY embedding <=> '{1,0.5}'::float8[];
SELECT id FROM t ORDER BY embedding::float8[] <=> '{1,0.5}'::float8[] LIMIT 2;
SELECT id FROM t ORDER BY embedding <=> ARRAY[1, 0.5] LIMIT 2;
SELECT id FROM t ORDER BY embedding <=> ARRAY[1, 1] LIMIT 2;
PREPARE nearest(float8[]) AS SELECT id FROM t ORDER BY embedding <=> $1 LIMIT 2;
EXECUTE nearest('{1,0.5}');
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE nearest('{1,0.5}');
EXECUTE nearest('{1,0.5}');
EXECUTE nearest(NULL);
EXECUTE nearest('{1e39,0}');
EXECUTE nearest('{1,2,3}');
RESET plan_cache_mode;
SELECT q.n, s.id FROM (VALUES (1, '{1,0.1}'::float8[]), (2, '{0.1,1}')) q(n, v), LATERAL (SELECT id FROM t ORDER BY embedding <=> q.v LIMIT 1) s ORDER BY 1;
\! test/regress/pinecone sorted-log 'query|list|fetch'

-- what others have for arrays: the operators can live elsewhere
\set main :DBNAME
CREATE DATABASE operands_elsewhere;
\c operands_elsewhere
SET client_min_messages = warning;
CREATE FUNCTION nearness(anyarray, anyarray) RETURNS float8 LANGUAGE sql AS 'SELECT 42.0::float8';
CREATE OPERATOR <=> (LEFTARG = anyarray, RIGHTARG = anyarray, FUNCTION = nearness);
SELECT '{1,2}'::real[] <=> '{1,2}' AS theirs;
CREATE EXTENSION pinecone_fdw;
SELECT '{1,2}'::real[] <=> '{1,2}' AS ours, '{a}'::text[] <=> '{b}' AS theirs;
DROP EXTENSION pinecone_fdw;
CREATE SCHEMA vectors;
CREATE EXTENSION pinecone_fdw SCHEMA vectors;
SELECT '{1,2}'::real[] <=> '{1,2}' AS theirs, '{1,2}'::real[] OPERATOR(vectors.<=>) '{1,2}' AS ours;
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host :'host');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key :'api_key');
CREATE FOREIGN TABLE t (id text, embedding real[]) SERVER s;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY embedding OPERATOR(vectors.<=>) '{1,0}' LIMIT 2;
SELECT id FROM t ORDER BY embedding OPERATOR(vectors.<=>) '{1,0}' LIMIT 2;
SELECT vectors.huf_gini(x) > 0 AS works FROM generate_series(1, 5) x;
-- and move
ALTER EXTENSION pinecone_fdw SET SCHEMA public;
SELECT id FROM t ORDER BY embedding <=> '{1,0}' LIMIT 2;
\c :main
DROP DATABASE operands_elsewhere;
SET client_min_messages = warning;
DROP TABLE operands;
DROP FUNCTION tried;
\! test/regress/pinecone drop operands
