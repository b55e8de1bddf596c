-- counts: constants, filters, namespaces, subqueries that change nothing
\set index counts
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
CREATE FOREIGN TABLE t (ns text OPTIONS (role 'namespace') COLLATE "C", id text COLLATE "C", n int, cat text, r real, embedding real[]) SERVER pinecone;
INSERT INTO t (ns, id, n, cat, embedding) SELECT CASE WHEN i <= 20 THEN 'a1' WHEN i <= 50 THEN 'a2' WHEN i <= 55 THEN 'b' ELSE '' END, 'r' || i, i % 5, 'c' || i % 3, '{1,1}' FROM generate_series(1, 60) i;
CREATE FOREIGN TABLE one (id text COLLATE "C", n int, cat text, embedding real[]) SERVER pinecone OPTIONS (namespace 'a2');
CREATE TABLE lt AS SELECT * FROM t;
CREATE TABLE lone AS SELECT id, n, cat, embedding FROM t WHERE ns = 'a2';
CREATE FUNCTION compared(q text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan json; mine text; local text;
BEGIN
  EXECUTE 'EXPLAIN (COSTS OFF, FORMAT json) ' || replace(q, '@', '') INTO plan;
  EXECUTE 'SELECT string_agg(s::text, '' '' ORDER BY s) FROM (' || replace(q, '@', '') || ') s' INTO mine;
  EXECUTE 'SELECT string_agg(s::text, '' '' ORDER BY s) FROM (' || replace(q, '@', 'l') || ') s' INTO local;
  RETURN concat_ws(', ', CASE WHEN mine IS NOT DISTINCT FROM local THEN 'same' ELSE format('%s <> %s', mine, local) END,
    substring(plan::text FROM '"Pinecone Operation": "([^"]*)"'));
END $$;
\! test/regress/pinecone quiet
SELECT count(1), count('x'), sum(1), sum(2) + 1 FROM one;
SELECT count(*), count(*) FILTER (WHERE n = 1), count(1) FILTER (WHERE cat IN ('c1', 'c2')), sum(1) FILTER (WHERE n = 77) FROM one;
SELECT count(*) FILTER (WHERE n = 1) AS ones, count(*) FILTER (WHERE n = 2) AS twos FROM one WHERE cat = 'c1';
\! test/regress/pinecone sorted-log "update|list|fetch|stats"
EXPLAIN (COSTS OFF) SELECT count(*) FILTER (WHERE n = 1), count(*) FILTER (WHERE n > 3 AND cat = 'c1') FROM one WHERE n > 0;
EXPLAIN (COSTS OFF, VERBOSE) SELECT count(*) FILTER (WHERE n = 1) FROM one;
SELECT compared('SELECT count(1), count(NULL), sum(1) FROM @one');
SELECT compared('SELECT count(2), sum(3) FROM @one WHERE n = 77');
SELECT compared('SELECT count(2), sum(3), sum(-1) FILTER (WHERE n = 2) FROM @one WHERE n IN (1, 2)');
SELECT compared('SELECT count(DISTINCT 1), sum(DISTINCT 1) FROM @one');
SELECT compared('SELECT count(*) FILTER (WHERE n = 1), count(*) FILTER (WHERE n IS NULL) FROM @one');
SELECT compared('SELECT count(*) FILTER (WHERE n = 1 AND length(id) > 2) FROM @one');
SELECT compared('SELECT count(*) FILTER (WHERE false), count(*) FILTER (WHERE n = 1 OR NOT cat = $q$c2$q$) FROM @one');
SELECT compared('SELECT count(*) FROM @one HAVING count(*) FILTER (WHERE n = 1) > 100');
SELECT compared('SELECT 1 FROM @one HAVING count(*) FILTER (WHERE n = 1) > 1 AND sum(1) = 30');
PREPARE some_of(int) AS SELECT count(*) FILTER (WHERE n = $1), count(*) FROM one;
SET plan_cache_mode = force_generic_plan;
EXECUTE some_of(2);
EXECUTE some_of(NULL);
-- what planning was told does for one run of the plan
SET pinecone_fdw.stats_ttl = 0;
PREPARE all_of AS SELECT count(*) FROM one;
EXECUTE all_of;
SELECT '{"id": "extra", "values": [1, 1]}' \g (format=unaligned tuples_only=on) |test/regress/pinecone upsert counts a2
EXECUTE all_of;
DELETE FROM one WHERE id = 'extra';
EXECUTE all_of;
RESET pinecone_fdw.stats_ttl;
RESET plan_cache_mode;
-- namespaces
SELECT compared('SELECT ns, count(*) FROM @t WHERE n = 1 GROUP BY ns');
SELECT compared('SELECT ns, count(*), count(*) FILTER (WHERE n = 1), sum(1) FROM @t GROUP BY ns');
SELECT compared('SELECT ns, count(*) FILTER (WHERE n = 1) FROM @t WHERE ns LIKE $q$a%$q$ GROUP BY ns HAVING count(*) FILTER (WHERE n = 2) > 1');
SELECT compared('SELECT ns FROM @t WHERE n = 1 AND cat = $q$c1$q$ GROUP BY ns');
SELECT compared('SELECT DISTINCT ns FROM @t WHERE n = 1 AND ns > $q$a1$q$');
SELECT compared('SELECT count(*) FROM @t WHERE ns LIKE $q$a%$q$');
SELECT compared('SELECT count(*) FROM @t WHERE upper(ns) = $q$A2$q$ OR ns IS NULL');
SELECT compared('SELECT count(*) FROM @t WHERE ns <> $q$b$q$ AND n = 3');
SELECT compared('SELECT count(*) FROM @t WHERE ns LIKE $q$zz%$q$');
SELECT compared('SELECT ns || 1 AS k, count(*) FROM @t GROUP BY ns');
SELECT compared('SELECT count(*) FROM @t WHERE ns = id');
\! test/regress/pinecone quiet
SELECT count(*) FROM t WHERE ns LIKE 'a%';
\! test/regress/pinecone sorted-log "update|list|fetch|stats"
-- subqueries that change nothing
SELECT compared('SELECT count(*) FROM (SELECT * FROM @one ORDER BY n) s');
SELECT compared('SELECT count(1) FROM (SELECT id, n + 1 FROM @one WHERE n = 2 ORDER BY cat, id) s');
SELECT compared('SELECT count(*) FILTER (WHERE m = 1) FROM (SELECT n AS m FROM @one ORDER BY id DESC) s');
SELECT compared('SELECT count(*) FROM (SELECT * FROM (SELECT * FROM @one ORDER BY id) x ORDER BY n) s WHERE n = 1');
SELECT compared('WITH s AS (SELECT * FROM @one ORDER BY n) SELECT count(*) FROM s');
SELECT compared('SELECT count(*) FROM (SELECT * FROM @one ORDER BY n OFFSET 0) s');
SELECT compared('SELECT count(*) FROM (SELECT * FROM @one ORDER BY n LIMIT 7) s');
SELECT compared('SELECT count(*) FROM (SELECT DISTINCT ON (n) n FROM @one ORDER BY n, id) s');
SELECT compared('SELECT count(m) FROM (SELECT NULLIF(n, 2) AS m FROM @one ORDER BY n) s');
SELECT count(*) FROM (SELECT id FROM one ORDER BY embedding <=> '{1,1}') s;
SELECT compared('SELECT array_agg(n) FROM (SELECT n FROM @one ORDER BY id) s');
SELECT compared('SELECT count(*), array_agg(n) FROM (SELECT n FROM @one ORDER BY id) s');
-- what this transaction has written
BEGIN;
DELETE FROM one WHERE id = 'r21';
INSERT INTO one (id, n, cat, embedding) VALUES ('new', 1, 'c1', '{1,1}');
DELETE FROM lone WHERE id = 'r21';
INSERT INTO lone (id, n, cat, embedding) VALUES ('new', 1, 'c1', '{1,1}');
SELECT compared('SELECT count(*), sum(1), count(*) FILTER (WHERE n = 1) FROM @one');
SELECT compared('SELECT count(*) FILTER (WHERE n = 1) FROM @one WHERE cat = $q$c1$q$');
ROLLBACK;
-- a key that may not write reads
\! test/regress/pinecone fault '{"path":"/vectors/update","status":403}'
SELECT count(*) FILTER (WHERE n = 1), count(*) FILTER (WHERE n = 2), count(*) FROM one;
SELECT compared('SELECT count(*) FILTER (WHERE n = 1) FROM @one');
\! test/regress/pinecone no-faults
SET client_min_messages = warning;
DROP SERVER pinecone CASCADE;
DROP TABLE lt, lone;
DROP FUNCTION compared(text);
\! test/regress/pinecone drop counts
