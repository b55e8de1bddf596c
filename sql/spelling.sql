-- distances in other spellings than the operator's
\set index spelling
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
CREATE EXTENSION vector;
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding vector(2), score real, n int) SERVER pinecone;
INSERT INTO t (id, embedding, n) SELECT 'r' || lpad(i::text, 3, '0'), ARRAY[cos(i / 200.0), sin(i / 200.0)]::real[]::vector, i % 5 FROM generate_series(1, 300) i;
CREATE TABLE l AS SELECT id, embedding, n FROM t;
SELECT count(*) >= 0 AS warm FROM t;
-- what a query sends, and whether its rows are those of the local copy
CREATE FUNCTION compared(q text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan json; mine text; local text; node json;
BEGIN
  EXECUTE 'EXPLAIN (COSTS OFF, FORMAT json) ' || replace(q, '@', 't') INTO plan;
  EXECUTE 'SELECT string_agg(x, '' '') FROM (' || replace(q, '@', 't') || ') s(x)' INTO mine;
  EXECUTE 'SELECT string_agg(x, '' '') FROM (' || replace(q, '@', 'l') || ') s(x)' INTO local;
  RETURN concat_ws(', ', CASE WHEN mine IS NOT DISTINCT FROM local THEN 'same' ELSE format('%s <> %s', mine, local) END,
    substring(plan::text FROM '"Pinecone Operation": "([^"]*)"'),
    CASE WHEN plan::text ~ '"Sort"' THEN 'sort' END,
    'bound ' || substring(plan::text FROM '"Pinecone Distance Bound": "([^"]*)"'),
    'score bound ' || substring(plan::text FROM '"Pinecone Score Bound": "([^"]*)"'));
END $$;
\set log '\\! test/regress/pinecone log "query|fetch|list"'
\! test/regress/pinecone quiet

-- thresholds
SELECT compared($$SELECT id FROM @ WHERE 1 - (embedding <=> '[1,0]') > 0.999 ORDER BY embedding <=> '[1,0]' LIMIT 5$$);
:log
SELECT compared($$SELECT id FROM @ WHERE 1 - (embedding <=> '[1,0]') > 0.9996 ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE 0.9996 <= 1 - (embedding <=> '[1,0]') ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE embedding <=> '[1,0]' < 0.0004::real ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE embedding <=> '[1,0]' < 0.0004::numeric ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE (embedding <=> '[1,0]')::real <= 0.0004 ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE (1 - (embedding <=> '[1,0]'))::numeric >= 0.9996 ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE round((1 - (embedding <=> '[1,0]'))::numeric, 3) = 1 ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE round((1 - (embedding <=> '[1,0]'))::numeric, 3) >= 0.999 ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE (1 - (embedding <=> '[1,0]'))::numeric(5,4) >= 0.9996 ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE 100 * (1 - (embedding <=> '[1,0]')) > 99.96 ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE (1 - (embedding <=> '[1,0]')) / -2 < -0.4998 ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE 1 / (1 + (embedding <=> '[1,0]')) > 0.9996 ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE 1 - cosine_distance('[1,0]', embedding) > 0.9996 ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE 1 - (embedding <=> '[1,0]') BETWEEN 0.999 AND 0.9996 ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE 1 - (embedding <=> '[1,0]') > 1.5 ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE 1 - (embedding <=> '[1,0]') > -1 AND n = 9 ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE 1 - (embedding <=> '[1,0]') > NULL$$);
SELECT compared($$SELECT id FROM @ WHERE 1 - (embedding <=> '[0,0]') > 1.5 ORDER BY id LIMIT 3$$);
\! test/regress/pinecone quiet
SELECT count(*) FROM t WHERE 1 - (embedding <=> '[1,0]') > 1.5;
:log
\! test/regress/pinecone quiet
-- no bounds: the far side, equality, what is no order of the distance, what could fail
SELECT compared($$SELECT id FROM @ WHERE 1 - (embedding <=> '[1,0]') < 0.2 ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE 1 / (embedding <=> '[1,0]') > 2000 ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE abs((embedding <=> '[1,0]') - 0.01) < 0.0001 ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE (embedding <=> '[1,0]') * n < 0.0004 AND n = 1 ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE 0 * (embedding <=> '[1,0]') < 1 AND n = 1 ORDER BY id LIMIT 3$$);
-- orders
SELECT compared($$SELECT id FROM @ ORDER BY 1 - (embedding <=> '[1,0]') DESC LIMIT 3$$);
SELECT compared($$SELECT id FROM @ ORDER BY 1 - (embedding <=> '[1,0]') DESC NULLS LAST LIMIT 3$$);
SELECT compared($$SELECT id FROM @ ORDER BY (embedding <=> '[1,0]') * 2 LIMIT 3$$);
SELECT compared($$SELECT id FROM @ ORDER BY (1 - (embedding <=> '[1,0]'))::numeric DESC LIMIT 3$$);
SELECT compared($$SELECT id FROM @ ORDER BY round((1 - (embedding <=> '[1,0]'))::numeric, 2) DESC, id LIMIT 3$$);
SELECT compared($$SELECT id FROM @ ORDER BY cosine_distance(embedding, '[1,0]') LIMIT 3$$);
SELECT compared($$SELECT id FROM @ WHERE 1 - (embedding <=> '[1,0]') > 0.5 ORDER BY cosine_distance(embedding, '[1,0]') LIMIT 3$$);
SELECT compared($$SELECT id FROM @ WHERE n = 2 ORDER BY 1 - (embedding <=> '[1,0]') LIMIT 3$$);
SELECT compared($$SELECT id || round(cosine_distance(embedding, '[1,0]')::numeric, 3) || round((embedding <=> '[1,0]')::numeric, 3) FROM @ ORDER BY embedding <=> '[1,0]' LIMIT 2$$);
-- the best of all
SELECT compared($$SELECT round(max(1 - (embedding <=> '[1,0]'))::numeric, 5)::text FROM @$$);
SELECT compared($$SELECT round(min(embedding <=> '[1,0]')::numeric, 5)::text FROM @ WHERE n = 3$$);
\! test/regress/pinecone quiet
SELECT round(max(1 - (embedding <=> '[1,0]'))::numeric, 5) FROM t;
:log
SELECT rank() OVER (ORDER BY 1 - (embedding <=> '[1,0]') DESC), id FROM t ORDER BY 1 LIMIT 2;

-- scores: reals, and what is made of them
SELECT id FROM t WHERE score * 100 > 99.994 ORDER BY embedding <=> '[1,0]';
SELECT id FROM t WHERE round(score::numeric, 5) >= 0.9999 ORDER BY embedding <=> '[1,0]';
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE 1 - score < 0.0001::real ORDER BY embedding <=> '[1,0]' LIMIT 4;
SELECT id FROM t WHERE 1 - score < 0.0001::real ORDER BY embedding <=> '[1,0]' LIMIT 4;

-- parameters, outer rows
SET plan_cache_mode = force_generic_plan;
PREPARE above(vector, float8) AS SELECT id FROM t WHERE 1 - (embedding <=> $1) > $2 ORDER BY embedding <=> $1 LIMIT 3;
EXPLAIN (COSTS OFF) EXECUTE above('[1,0]', 0.9999);
EXECUTE above('[1,0]', 0.9999);
EXECUTE above('[0,1]', 0.9999);
EXECUTE above('[1,0]', 2);
EXECUTE above('[1,0]', NULL);
RESET plan_cache_mode;
CREATE TABLE asked AS SELECT i AS a, ARRAY[cos(i / 10.0), sin(i / 10.0)]::real[]::vector AS q, 1 - i / 20500.0::float8 AS least FROM generate_series(0, 12) i;
\! test/regress/pinecone quiet
SELECT a, x.n FROM asked, LATERAL (SELECT count(*) AS n FROM (SELECT id FROM t WHERE 1 - (embedding <=> q) > least ORDER BY embedding <=> q) s) x ORDER BY a;
SELECT a, x.n FROM asked, LATERAL (SELECT count(*) AS n FROM (SELECT id FROM l WHERE 1 - (embedding <=> q) > least ORDER BY embedding <=> q) s) x ORDER BY a;
SELECT a, x.id FROM asked, LATERAL (SELECT id FROM t WHERE 1 - (embedding <=> q) > least ORDER BY 1 - (embedding <=> q) DESC LIMIT 1) x WHERE a < 3 ORDER BY a;
\! test/regress/pinecone log "query|fetch|list" | sort -u | wc -l
-- what this transaction has written
BEGIN;
INSERT INTO t (id, embedding, n) VALUES ('mine', '[1,0.001]', 1);
UPDATE t SET embedding = '[-1,0]' WHERE id = 'r001';
SELECT id FROM t WHERE 1 - (embedding <=> '[1,0]') > 0.9999 ORDER BY 1 - (embedding <=> '[1,0]') DESC;
ROLLBACK;
SET pinecone_fdw.enable_spellings = off;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY 1 - (embedding <=> '[1,0]') DESC LIMIT 3;
SELECT id FROM t ORDER BY 1 - (embedding <=> '[1,0]') DESC LIMIT 3;
RESET pinecone_fdw.enable_spellings;

-- why there is no search
CREATE FUNCTION embed(text) RETURNS vector LANGUAGE sql AS $$ SELECT '[1,0]'::vector WHERE random() >= 0 $$;
CREATE FUNCTION why(q text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
  EXECUTE 'EXPLAIN (COSTS OFF, FORMAT json) ' || q INTO plan;
  RETURN substring(plan::text FROM '"Pinecone Search": "([^"]*)"');
END $$;
SELECT why($$SELECT id FROM t ORDER BY embedding <=> embed('x') LIMIT 3$$);
SELECT why($$SELECT id FROM t WHERE 1 - (embedding <=> embed('x')) > 0.5$$);
SELECT why($$SELECT id FROM t, asked ORDER BY embedding <=> q LIMIT 3$$);
SELECT why($$SELECT id FROM t ORDER BY embedding <=> embedding$$);
SELECT why($$SELECT id FROM t ORDER BY embedding <=> '[1,0]' DESC LIMIT 3$$);
SELECT why($$SELECT id FROM t ORDER BY abs(0.5 - (embedding <=> '[1,0]')) LIMIT 3$$);
SELECT why($$SELECT id FROM t ORDER BY embedding <+> '[1,0]' LIMIT 3$$);
SELECT why($$SELECT id FROM t ORDER BY embedding <-> '[1,0]' LIMIT 3$$);
SELECT why($$SELECT id FROM t ORDER BY embedding::halfvec <=> '[1,0]' LIMIT 3$$);
SELECT why($$SELECT id FROM t WHERE embedding <=> '[1,0]' > 0.5$$);
SELECT why($$SELECT id FROM t ORDER BY 1 - (embedding <=> (SELECT embed('x'))) DESC LIMIT 3$$);
SELECT why($$SELECT id FROM t$$);

-- inner products
\set index spelling-product
\set metric dotproduct
\i test/regress/setup.sql
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding vector(2), score real, n int) SERVER pinecone;
INSERT INTO t (id, embedding, n) SELECT 'r' || lpad(i::text, 3, '0'), ARRAY[i - 150.5, 1]::real[]::vector, i % 5 FROM generate_series(1, 300) i;
DROP TABLE l;
CREATE TABLE l AS SELECT id, embedding, n FROM t;
SELECT count(*) >= 0 AS warm FROM t;
SELECT compared($$SELECT id FROM @ ORDER BY inner_product(embedding, '[1,0]') DESC LIMIT 3$$);
SELECT compared($$SELECT id FROM @ ORDER BY (embedding <#> '[1,0]') * -1 DESC LIMIT 3$$);
SELECT compared($$SELECT id || (embedding <#> '[1,0]') || inner_product(embedding, '[1,0]') FROM @ ORDER BY -(embedding <#> '[1,0]') DESC LIMIT 3$$);
SELECT compared($$SELECT id FROM @ WHERE inner_product(embedding, '[1,0]') > 147.2 ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE (embedding <#> '[1,0]') * -1 > 147.2 ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE (embedding <#> '[1,0]') < 147.2::real AND n = 1 ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE (embedding <#> '[1,0]')::real < 0 AND n = 1 ORDER BY id$$);
SELECT compared($$SELECT max(inner_product(embedding, '[1,0]'))::text FROM @$$);
-- euclidean distances of arrays
\set index spelling-euclidean
\set metric euclidean
\i test/regress/setup.sql
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], score real, n int) SERVER pinecone;
INSERT INTO t (id, embedding, n) SELECT 'r' || lpad(i::text, 3, '0'), ARRAY[i, 1]::real[], i % 5 FROM generate_series(1, 300) i;
DROP TABLE l;
CREATE TABLE l AS SELECT id, embedding, n FROM t;
SELECT count(*) >= 0 AS warm FROM t;
SELECT compared($$SELECT id FROM @ WHERE 1 / (1 + (embedding <-> '{0,1}')) > 0.2 ORDER BY embedding <-> '{0,1}'$$);
SELECT compared($$SELECT id FROM @ WHERE (embedding <-> '{0,1}')::real < 3.5 ORDER BY id$$);
SELECT compared($$SELECT id FROM @ WHERE pinecone_l2_distance(embedding, '{0,1}') < 3 ORDER BY id$$);
SELECT compared($$SELECT id FROM @ ORDER BY pinecone_l2_distance(embedding, '{0,1}') LIMIT 2$$);
SELECT compared($$SELECT id FROM @ WHERE embedding <-> '{0,1}' <= 3::numeric ORDER BY id$$);
SELECT compared($$SELECT id FROM @ ORDER BY 1 / (1 + (embedding <-> '{0,1}')) DESC LIMIT 2$$);
SELECT id FROM t WHERE sqrt(score) < 3 ORDER BY embedding <-> '{0,1}';
SELECT id FROM t WHERE score + 1 < 6 ORDER BY embedding <-> '{0,1}';
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE score + 1 < 6 ORDER BY embedding <-> '{0,1}';
SET client_min_messages = warning;
DROP SERVER pinecone CASCADE;
DROP EXTENSION vector CASCADE;
DROP TABLE l, asked;
DROP FUNCTION compared(text), why(text);
\! test/regress/pinecone drop spelling
\! test/regress/pinecone drop spelling-product
\! test/regress/pinecone drop spelling-euclidean
