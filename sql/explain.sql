-- EXPLAIN VERBOSE shows the first request as it is sent.
\set index explain
\set dimension 8
\set metric cosine
\i test/regress/setup.sql

SELECT jsonb_build_object('id', 'r' || i, 'values', ARRAY[i, 1, 2, 3, 4, 5, 6, 7]::real[], 'metadata', jsonb_build_object('year', 1900 + i))
FROM generate_series(1, 20) i
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert explain kb
CREATE FOREIGN TABLE remote (id text COLLATE "C", embedding real[], year int) SERVER pinecone OPTIONS (namespace 'kb');
SELECT count(*) >= 0 AS warm FROM remote;
\! test/regress/pinecone quiet

-- What a query's plan says it sends
CREATE FUNCTION sends(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query LOOP
    IF line ~ 'Pinecone (Request|Body):' THEN
      RETURN NEXT ltrim(line);
    END IF;
  END LOOP;
END $$;

-- searches: long vectors are cut short
SELECT sends($$SELECT id FROM remote ORDER BY embedding <=> '{0.1,1e-7,-2,3,4,5,6,7}' LIMIT 5$$);
SELECT sends($$SELECT id, year, embedding FROM remote WHERE year > 1910 ORDER BY embedding <=> '{1,2,3,4,5,6,7,8}' LIMIT 5 OFFSET 2$$);
SELECT sends($$SELECT id FROM remote WHERE embedding <=> '{1,2,3,4,5,6,7,8}' < 0.5$$);
SELECT sends($$SELECT id FROM remote ORDER BY embedding <=> (SELECT embedding FROM remote WHERE id = 'r"1') LIMIT 5$$);
-- nothing to search by: all is read
SELECT sends($$SELECT id FROM remote ORDER BY embedding <=> '{0,0,0,0,0,0,0,0}' LIMIT 5$$);
SELECT sends($$SELECT id FROM remote WHERE year > 1910 ORDER BY embedding <=> NULL LIMIT 5$$);
-- parameters, known and not
PREPARE nearest(real[], int, int) AS SELECT id FROM remote WHERE year > $2 ORDER BY embedding <=> $1 LIMIT $3;
SET plan_cache_mode = force_custom_plan;
SELECT sends($$EXECUTE nearest('{1,2,3,4,5,6,7,8}', 1905, 4)$$);
SET plan_cache_mode = force_generic_plan;
SELECT sends($$EXECUTE nearest('{1,2,3,4,5,6,7,8}', 1905, 4)$$);
RESET plan_cache_mode;

-- ids
SELECT sends($$SELECT id, year FROM remote WHERE id = 'r1'$$);
SELECT sends($$SELECT id, year FROM remote WHERE id IN ('a b', 'c&d', 'r3', 'r2', 'r2')$$);
SELECT sends($$SELECT id, year FROM remote WHERE id IN ('r5', 'r4', 'r3', 'r2', 'r1')$$);
SELECT sends($$SELECT id, year FROM remote WHERE id = ''$$);
SELECT sends($$SELECT r.year FROM generate_series(1, 3) i LEFT JOIN LATERAL (SELECT year FROM remote WHERE id = 'r' || i OFFSET 0) r ON true$$);
-- lists
SELECT sends($$SELECT id, year FROM remote$$);
SELECT sends($$SELECT id FROM remote WHERE id LIKE 'r1%' LIMIT 3$$);
SELECT sends($$SELECT id FROM remote WHERE id LIKE 'r1%' LIMIT 1000$$);
-- conditions and counts
SELECT sends($$SELECT id, year FROM remote WHERE year > 1910$$);
SELECT sends($$SELECT count(*) FROM remote WHERE year > 1910$$);
SELECT sends($$SELECT count(*) FROM remote$$);
SELECT sends($$SELECT id FROM remote WHERE year = NULL$$);
-- EXPLAIN itself sends nothing of this
\! test/regress/pinecone log 'vectors|query'

-- and it is what is sent
SELECT count(*) FROM (SELECT id, year FROM remote WHERE id IN ('a b', 'c&d', 'r3', 'r2', 'r2') OFFSET 0) s;
SELECT count(*) FROM (SELECT id FROM remote WHERE id LIKE 'r1%' LIMIT 3) s;
SELECT id FROM remote WHERE year > 1905 ORDER BY embedding <=> '{1,2,3,4,5,6,7,8}' LIMIT 4;
\! test/regress/pinecone log 'vectors|query'

-- in other formats the body stays one text
CREATE FUNCTION plan(query text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) ' || query INTO plan;
  RETURN plan;
END $$;
SELECT jsonb_path_query_first(plan($$SELECT id FROM remote ORDER BY embedding <=> '{1,2,3,4,5,6,7,8}' LIMIT 4$$), '$.**."Pinecone Body"') #>> '{}' AS body;

-- what changes in the catalog shows at once, and goes back with a transaction
BEGIN;
ALTER FOREIGN TABLE remote OPTIONS (SET namespace 'other');
ALTER FOREIGN TABLE remote ALTER COLUMN year OPTIONS (field 'jahr');
SELECT sends($$SELECT id FROM remote WHERE year > 1910$$);
ROLLBACK;
SELECT sends($$SELECT id FROM remote WHERE year > 1910$$);
ALTER FOREIGN TABLE remote RENAME COLUMN year TO since;
ALTER FOREIGN TABLE remote OPTIONS (DROP namespace);
SELECT sends($$SELECT id FROM remote WHERE since > 1910$$);
