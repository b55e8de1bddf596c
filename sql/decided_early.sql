-- what is decided before records are fetched: conditions on ids, days, spellings of jsonb
\set index decided-early
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
CREATE FOREIGN TABLE t (id text COLLATE "C", n int, day date, tags jsonb, kind jsonb, doc jsonb OPTIONS (format 'json'), metadata jsonb, embedding real[]) SERVER pinecone;
INSERT INTO t (id, n, day, metadata, embedding)
  SELECT 'r' || lpad(i::text, 3, '0'), i % 5, date '2024-01-01' + i, jsonb_build_object('k', 'v' || i % 3, 'w', i % 4, 'b', i % 2 = 0, 'tags', CASE i % 3 WHEN 0 THEN '["hr","it"]' WHEN 1 THEN '["it"]' ELSE '"hr"' END::jsonb, 'kind', i % 3), '{1,1}' FROM generate_series(1, 250) i;
CREATE TABLE l AS SELECT * FROM t;
SELECT count(*) FROM l WHERE day IS NOT NULL AND tags IS NOT NULL;
CREATE FUNCTION compared(q text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan json; mine text; local text;
BEGIN
  EXECUTE 'EXPLAIN (COSTS OFF, FORMAT json) ' || replace(q, '@', 't') INTO plan;
  EXECUTE 'SELECT string_agg(x::text, '' '' ORDER BY x) FROM (' || replace(q, '@', 't') || ') s(x)' INTO mine;
  EXECUTE 'SELECT string_agg(x::text, '' '' ORDER BY x) FROM (' || replace(q, '@', 'l') || ') s(x)' INTO local;
  RETURN concat_ws(', ', CASE WHEN mine IS NOT DISTINCT FROM local THEN 'same' ELSE format('%s <> %s', mine, local) END,
    substring(plan::text FROM '"Pinecone Operation": "([^"]*)"'), regexp_replace(substring(plan::text FROM '"Pinecone Filter": "(([^"\\]|\\.)*)"'), '\(InitPlan \w+\)\.col1|\$0', '(InitPlan)'),
    'id: ' || substring(plan::text FROM '"Pinecone Id Filter": "([^"]*)"'));
END $$;
\set log '\\! test/regress/pinecone sorted-log "query|fetch|list" | cut -c1-70'
\! test/regress/pinecone quiet
-- ids
SELECT id, n FROM t WHERE id LIKE '%77';
SELECT id, n FROM t WHERE length(id) > 4 OR id ~ '^r1.1$' AND id > 'r15';
:log
EXPLAIN (COSTS OFF) SELECT id, n FROM t WHERE id LIKE '%77' AND n > 0 AND id || n <> 'x';
SELECT compared($$SELECT n FROM @ WHERE id LIKE '%7'$$);
SELECT compared($$SELECT n FROM @ WHERE id BETWEEN 'r010' AND 'r020'$$);
SELECT compared($$SELECT n FROM @ WHERE upper(id) = 'R011' OR id = 'r012' COLLATE "en-x-icu"$$);
SELECT compared($$SELECT n FROM @ WHERE id LIKE 'r0%' AND id LIKE '%9'$$);
SELECT compared($$SELECT n FROM @ WHERE id > (SELECT 'r24')$$);
SELECT compared($$SELECT n FROM @ WHERE id > 'r24' ORDER BY id LIMIT 5$$);
SELECT compared($$SELECT n FROM @ WHERE id LIKE '%3' AND random() < 2$$);
EXPLAIN (COSTS OFF) SELECT id, n FROM t WHERE id >= 'r010' AND id < 'r020';
\! test/regress/pinecone quiet
SELECT count(n) FROM t WHERE id BETWEEN 'r010' AND 'r020';
SELECT count(*) FROM t WHERE id > 'r010' AND id <= 'r0105';
SELECT count(*) FROM t WHERE id > 'r020' AND id < 'r010';
SELECT count(*) FROM t WHERE id > 'a' AND id < 'z' AND id LIKE '%9';
SELECT count(*) FROM t WHERE id > 'r02' COLLATE "en-x-icu" AND id < 'r05' COLLATE "en-x-icu";
:log
PREPARE between_ids(text, text) AS SELECT id, n FROM t WHERE id > $1 AND id < $2;
SET plan_cache_mode = force_generic_plan;
EXECUTE between_ids('r123', 'r125');
EXECUTE between_ids('rä', 'räz');
EXECUTE between_ids('r1', NULL);
RESET plan_cache_mode;
BEGIN;
INSERT INTO t (id, n, embedding) VALUES ('r010x', 1, '{1,1}'), ('s', 1, '{1,1}');
DELETE FROM t WHERE id > 'r011' AND id < 'r014';
SELECT id FROM t WHERE id BETWEEN 'r010' AND 'r015';
ROLLBACK;
PREPARE above(text) AS SELECT id, n FROM t WHERE id > $1 ORDER BY id LIMIT 2;
SET plan_cache_mode = force_generic_plan;
EXECUTE above('r123');
EXECUTE above(NULL);
RESET plan_cache_mode;
SELECT count(*) FROM l a, LATERAL (SELECT n FROM t WHERE t.id > a.id AND t.id < 'r003' OFFSET 0) b;
BEGIN;
INSERT INTO t (id, n, embedding) VALUES ('mine77', 1, '{1,1}');
DELETE FROM t WHERE id = 'r077';
UPDATE t SET n = 9 WHERE id = 'r177';
SELECT id, n FROM t WHERE id LIKE '%77';
ROLLBACK;
CREATE VIEW careful WITH (security_barrier) AS SELECT * FROM t WHERE id < 'r003';
CREATE FUNCTION tells(text) RETURNS bool LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RAISE NOTICE 'sees %', $1; RETURN true; END $$;
ALTER FUNCTION tells(text) IMMUTABLE;
SELECT n FROM careful WHERE tells(id);
-- days
SELECT compared($$SELECT id FROM @ WHERE day BETWEEN '2024-02-01' AND '2024-02-03'$$);
SELECT compared($$SELECT id FROM @ WHERE day >= '2024-02-01' AND n = 2 AND day < '2024-02-10'$$);
SELECT compared($$SELECT id FROM @ WHERE '2024-02-01' < day AND '2024-02-03' > day$$);
SELECT compared($$SELECT id FROM @ WHERE day > '2024-02-01' AND day < '2024-02-01'$$);
SELECT compared($$SELECT id FROM @ WHERE day > '-infinity' AND day < '2024-02-01'$$);
SELECT compared($$SELECT id FROM @ WHERE day > '1000-01-01' AND day < '2024-02-01'$$);
SELECT compared($$SELECT id FROM @ WHERE day > '2024-02-01'$$);
SELECT compared($$SELECT id FROM @ WHERE day > NULL AND day < '2024-02-01'$$);
SELECT compared($$SELECT id FROM @ WHERE day NOT BETWEEN '2024-01-05' AND '2024-08-31'$$);
PREPARE between_days(date, date) AS SELECT id FROM t WHERE day >= $1 AND day < $2 ORDER BY id;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE between_days('2024-03-01', '2024-03-03');
\! test/regress/pinecone quiet
EXECUTE between_days('2024-03-01', '2024-03-03');
:log
RESET plan_cache_mode;
-- jsonb
SELECT compared($$SELECT id FROM @ WHERE metadata #>> '{k}' = 'v1' AND n = 1$$);
SELECT compared($$SELECT id FROM @ WHERE jsonb_extract_path_text(metadata, 'k') = 'v1' AND n = 1$$);
SELECT compared($$SELECT id FROM @ WHERE metadata -> 'k' = '"v1"' AND n = 1$$);
SELECT compared($$SELECT id FROM @ WHERE metadata['k'] = '"v1"' AND n = 1$$);
SELECT compared($$SELECT id FROM @ WHERE metadata #> '{k}' = '"v1"' AND n = 1$$);
SELECT compared($$SELECT id FROM @ WHERE metadata -> 'w' = '3.0' AND n = 1$$);
SELECT compared($$SELECT id FROM @ WHERE metadata -> 'b' = 'true' AND n = 1$$);
SELECT compared($$SELECT id FROM @ WHERE metadata -> 'b' <> 'true' AND n = 1$$);
SELECT compared($$SELECT id FROM @ WHERE metadata -> 'tags' = '["it"]' AND n = 1$$);
SELECT compared($$SELECT id FROM @ WHERE metadata -> 'tags' = '"hr"' AND n = 1$$);
SELECT compared($$SELECT id FROM @ WHERE metadata -> 'tags' = '[]' OR metadata -> 'tags' = '{}' OR metadata -> 'tags' = 'null'$$);
SELECT compared($$SELECT id FROM @ WHERE metadata -> 'tags' ? 'hr' AND n = 1$$);
SELECT compared($$SELECT id FROM @ WHERE NOT metadata -> 'tags' ? 'hr' AND n = 1$$);
SELECT compared($$SELECT id FROM @ WHERE metadata #>> '{tags,0}' = 'it' AND n = 1$$);
SELECT compared($$SELECT id FROM @ WHERE metadata #> '{k}' IS NULL$$);
SELECT compared($$SELECT id FROM @ WHERE tags = '["hr","it"]' AND n = 1$$);
SELECT compared($$SELECT id FROM @ WHERE kind = '1' AND n = 1$$);
SELECT compared($$SELECT id FROM @ WHERE kind <> '1' AND n = 1$$);
SELECT compared($$SELECT id FROM @ WHERE doc = '1'$$);
SELECT compared($$SELECT id FROM @ WHERE metadata = (SELECT metadata FROM l WHERE id = 'r007')$$);
SELECT compared($$SELECT id FROM @ WHERE metadata = '{"b": false, "k": "v1", "w": 3, "kind": 1, "n": 2, "day": "2024-01-08", "tags": ["it"]}'$$);
\! test/regress/pinecone quiet
SELECT count(*) FROM t WHERE metadata @> '{}';
SET enable_incremental_sort = off;
SELECT id FROM t WHERE metadata @> '{}' AND n = 1 ORDER BY embedding <=> '{1,1}', id LIMIT 1;
:log
SET client_min_messages = warning;
DROP SERVER pinecone CASCADE;
DROP TABLE l;
DROP FUNCTION compared(text), tells(text);
\! test/regress/pinecone drop decided-early
