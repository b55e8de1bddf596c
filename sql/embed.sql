-- Pinecone's models: texts that become vectors, many to a request; ranking.
\set index embedded
\set dimension 384
\set metric cosine
\i test/regress/setup.sql
\set log '\\! test/regress/pinecone log "embed|rerank|models|query" | cut -c1-130'
CREATE TABLE texts AS SELECT n, 'the story of number ' || n AS body FROM generate_series(1, 500) n;
SELECT model, type, vector_type, default_dimension, dimensions, metrics, max_tokens, max_batch FROM pinecone_models('pinecone');
-- one text; the same one is asked for once
\! test/regress/pinecone quiet
SELECT array_length(pinecone_embed('pinecone', 'llama-text-embed-v2', 'a red fox'), 1),
  array_length(pinecone_embed('pinecone', 'llama-text-embed-v2', 'a red fox', dimension => 384), 1),
  pinecone_embed('pinecone', 'llama-text-embed-v2', 'a red fox') = pinecone_embed('pinecone', 'llama-text-embed-v2', 'a red fox') AS same,
  pinecone_embed('pinecone', 'llama-text-embed-v2', 'a red fox') = pinecone_embed('pinecone', 'llama-text-embed-v2', 'a red fox', 'passage') AS passage;
:log
SELECT array_dims(pinecone_embed('pinecone', 'llama-text-embed-v2', ARRAY['one', 'two', 'one'], 'passage', 384));
SELECT (v)[1:1] = ARRAY[pinecone_embed('pinecone', 'llama-text-embed-v2', 'one', 'passage', 384)] AS first, (v)[1:1] = (v)[3:3] AS third, (v)[1:1] = (v)[2:2] AS second
FROM pinecone_embed('pinecone', 'llama-text-embed-v2', ARRAY['one', 'two', 'one'], 'passage', 384) v;
SELECT jsonb_object_keys(s) FROM pinecone_embed_sparse('pinecone', 'pinecone-sparse-english-v0', 'one two two') s;
-- many rows: full requests, several at a time
\! test/regress/pinecone quiet
CREATE TABLE vectors AS SELECT n, pinecone_embed('pinecone', 'llama-text-embed-v2', body, 'passage', 384) AS v FROM texts;
\! test/regress/pinecone sorted-log embed | cut -c1-16 | sort | uniq -c
SELECT count(*) FROM vectors WHERE v = pinecone_embed('pinecone', 'llama-text-embed-v2', 'the story of number ' || n, 'passage', 384);
EXPLAIN (COSTS OFF) SELECT n, pinecone_embed('pinecone', 'llama-text-embed-v2', body) FROM texts;
EXPLAIN (COSTS OFF, VERBOSE) SELECT n + 1, pinecone_embed('pinecone', 'llama-text-embed-v2', body || n), (SELECT max(n) FROM texts t WHERE t.n < texts.n) FROM texts WHERE n < 3
\g (format=unaligned tuples_only=on) |test/regress/plan
-- in the places where a query can compute it
CREATE FUNCTION told(q text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) ' || q LOOP
    -- PostgreSQL 16 sorts for the aggregate, too; 18 has fractions of rows, 19 names for subplans
    line := regexp_replace(line, '(Sort Key: \(\(n % 20\)\)), n$|(rows=\d+)\.\d\d|(SubPlan) \w+', '\1\2\3', 'g');
    IF line !~ 'Peak|Memory|Buckets|Sort Method' THEN RETURN NEXT line; END IF;
  END LOOP;
END $$;
SELECT told($$SELECT pinecone_embed('pinecone', 'llama-text-embed-v2', body, dimension => 384) FROM texts WHERE n <= 200$$);
SELECT told($$SELECT sum(array_length(pinecone_embed('pinecone', 'llama-text-embed-v2', body, dimension => 384), 1)) FROM texts WHERE n <= 200$$);
SELECT told($$SELECT pinecone_embed('pinecone', 'llama-text-embed-v2', string_agg(body, ' ' ORDER BY n), dimension => 384) FROM texts WHERE n <= 200 GROUP BY n % 20 ORDER BY n % 20$$);
SELECT told($$SELECT n, pinecone_embed('pinecone', 'llama-text-embed-v2', body, dimension => 384) FROM texts ORDER BY n DESC LIMIT 3$$);
SELECT told($$SELECT t.n, pinecone_embed('pinecone', 'llama-text-embed-v2', t.body || u.body, dimension => 384) FROM texts t JOIN texts u ON u.n = t.n + 1 WHERE t.n <= 30$$);
SELECT told($$SELECT n, unnest(pinecone_embed('pinecone', 'llama-text-embed-v2', body, dimension => 384)) FROM texts WHERE n <= 2 LIMIT 4$$);
SELECT told($$SELECT n, (SELECT max(u.n) FROM texts u WHERE u.n < t.n), pinecone_embed('pinecone', 'llama-text-embed-v2', body, dimension => 384) FROM texts t WHERE n <= 10$$);
SELECT told($$SELECT CASE WHEN n = 7 THEN pinecone_embed('pinecone', 'llama-text-embed-v2', body, dimension => 384) END FROM texts WHERE n <= 10$$);
SELECT told($$UPDATE vectors SET v = pinecone_embed('pinecone', 'llama-text-embed-v2', body, 'passage', 384) FROM texts WHERE texts.n = vectors.n AND texts.n <= 150$$);
SET pinecone_fdw.enable_embed_ahead = off;
SELECT told($$SELECT pinecone_embed('pinecone', 'llama-text-embed-v2', body, dimension => 384) FROM texts WHERE n <= 2$$);
RESET pinecone_fdw.enable_embed_ahead;
-- a trigger for all rows of a statement
CREATE TABLE written (n int, body text);
CREATE TABLE computed (n int, v real[]);
CREATE FUNCTION compute() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO computed SELECT n, pinecone_embed('pinecone', 'llama-text-embed-v2', body, 'passage', 384) FROM new_rows;
  RETURN NULL;
END $$;
CREATE TRIGGER compute AFTER INSERT ON written REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION compute();
\! test/regress/pinecone quiet
INSERT INTO written SELECT * FROM texts WHERE n <= 96;
\! test/regress/pinecone sorted-log embed | cut -c1-16 | sort | uniq -c
SELECT count(*) FROM computed JOIN vectors USING (n, v);
-- into a foreign table, and searched: a request to the model, a search
CREATE FOREIGN TABLE docs (id text, embedding real[], n int) SERVER pinecone;
INSERT INTO docs SELECT n::text, v, n FROM vectors;
\! test/regress/pinecone quiet
SELECT n FROM docs ORDER BY embedding <=> pinecone_embed('pinecone', 'llama-text-embed-v2', 'the story of number 77', 'passage', 384) LIMIT 1;
:log
PREPARE nearest(text) AS SELECT n FROM docs ORDER BY embedding <=> pinecone_embed('pinecone', 'llama-text-embed-v2', $1, 'passage', 384) LIMIT 1;
SET plan_cache_mode = force_generic_plan;
EXECUTE nearest('the story of number 78');
RESET plan_cache_mode;
EXPLAIN (COSTS OFF) EXECUTE nearest('x');
SELECT t.n, d.n FROM texts t, LATERAL (SELECT docs.n FROM docs ORDER BY embedding <=> pinecone_embed('pinecone', 'llama-text-embed-v2', t.body, 'passage', 384) LIMIT 1) d WHERE t.n IN (5, 6) ORDER BY 1;
\! test/regress/pinecone quiet
SELECT count(*) FILTER (WHERE t.n = d.n), count(*) FROM texts t, LATERAL (SELECT docs.n FROM docs ORDER BY embedding <=> pinecone_embed('pinecone', 'llama-text-embed-v2', t.body, 'passage', 384) LIMIT 1) d WHERE t.n <= 100;
\! test/regress/pinecone sorted-log embed | cut -c1-16 | sort | uniq -c
EXPLAIN (COSTS OFF) SELECT t.n, d.n FROM texts t, LATERAL (SELECT docs.n FROM docs ORDER BY embedding <=> pinecone_embed('pinecone', 'llama-text-embed-v2', t.body, 'passage', 384) LIMIT 1) d WHERE t.n <= 100;
SET pinecone_fdw.read_ahead = 1;
SELECT count(*) FILTER (WHERE t.n = d.n), count(*) FROM texts t, LATERAL (SELECT docs.n FROM docs ORDER BY embedding <=> pinecone_embed('pinecone', 'llama-text-embed-v2', t.body, 'passage', 384) LIMIT 1) d WHERE t.n <= 100;
RESET pinecone_fdw.read_ahead;
-- begun again for each outer row, with rows of the one before left over: none of these come
EXPLAIN (COSTS OFF) SELECT count(*) FILTER (WHERE d.v = vectors.v), count(*) FROM generate_series(0, 5) g, LATERAL (SELECT t.n, pinecone_embed('pinecone', 'llama-text-embed-v2', t.body, 'passage', 384) AS v FROM texts t WHERE t.n > g * 7 LIMIT 5) d, vectors WHERE d.n = vectors.n;
SELECT count(*) FILTER (WHERE d.v = vectors.v), count(*), count(DISTINCT d.n) FROM generate_series(0, 5) g, LATERAL (SELECT t.n, pinecone_embed('pinecone', 'llama-text-embed-v2', t.body, 'passage', 384) AS v FROM texts t WHERE t.n > g * 7 LIMIT 5) d, vectors WHERE d.n = vectors.n;
SELECT count(*) FILTER (WHERE d.v = vectors.v), count(*), count(DISTINCT d.n) FROM generate_series(0, 5) g, LATERAL (SELECT t.n, pinecone_embed('pinecone', 'llama-text-embed-v2', t.body, 'passage', 384) AS v FROM texts t WHERE t.n > g * 7 ORDER BY t.n LIMIT 5) d, vectors WHERE d.n = vectors.n;
SELECT sum(g), array_agg(DISTINCT n) FROM generate_series(1, 3) g, LATERAL (SELECT n FROM texts WHERE n <= 4 AND g > 0 AND (pinecone_embed('pinecone', 'llama-text-embed-v2', body, 'passage', 384))[1] IS NOT NULL ORDER BY n LIMIT 2) d;
-- a cursor takes what it wants
\! test/regress/pinecone quiet
BEGIN;
DECLARE c CURSOR FOR SELECT n, array_length(pinecone_embed('pinecone', 'llama-text-embed-v2', body, dimension => 384), 1) FROM texts;
FETCH 2 FROM c;
\! test/regress/pinecone sorted-log embed | cut -c1-16 | sort | uniq -c
FETCH BACKWARD 1 FROM c;
ROLLBACK;
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT n, array_length(pinecone_embed('pinecone', 'llama-text-embed-v2', body, dimension => 384), 1) FROM texts WHERE n < 4;
FETCH 2 FROM c;
FETCH BACKWARD 1 FROM c;
FETCH ABSOLUTE 3 FROM c;
MOVE ABSOLUTE 0 FROM c;
FETCH 10 FROM c;
COMMIT;
DECLARE c CURSOR WITH HOLD FOR SELECT n, array_length(pinecone_embed('pinecone', 'llama-text-embed-v2', body, dimension => 384), 1) FROM texts WHERE n < 4;
FETCH 2 FROM c;
CLOSE c;
-- rows that are locked when they are read are not read before they are asked for
CREATE TEMP TABLE locked AS SELECT * FROM texts WHERE n <= 40;
BEGIN;
DECLARE c CURSOR FOR SELECT n, array_length(pinecone_embed('pinecone', 'llama-text-embed-v2', body, dimension => 384), 1) FROM (SELECT n, body FROM locked FOR UPDATE) t;
FETCH 2 FROM c;
SELECT count(*) FROM locked WHERE xmax::text = pg_current_xact_id()::text;
FETCH 3 FROM c;
SELECT count(*) FROM locked WHERE xmax::text = pg_current_xact_id()::text;
ROLLBACK;
-- but those that are certain to be
\! test/regress/pinecone quiet
BEGIN;
SELECT count(v) FROM (SELECT pinecone_embed('pinecone', 'llama-text-embed-v2', body, dimension => 384) AS v FROM (SELECT n, body FROM locked FOR UPDATE) t OFFSET 0) x;
SELECT n, array_length(pinecone_embed('pinecone', 'llama-text-embed-v2', body, dimension => 384), 1) FROM (SELECT n, body FROM locked FOR UPDATE) t LIMIT 3;
\! test/regress/pinecone sorted-log embed | cut -c1-16 | sort | uniq -c
ROLLBACK;
PREPARE few(int) AS SELECT n, array_length(pinecone_embed('pinecone', 'llama-text-embed-v2', body, dimension => 384), 1) FROM (SELECT n, body FROM locked FOR UPDATE) t LIMIT $1;
SET plan_cache_mode = force_generic_plan;
BEGIN;
EXECUTE few(3);
SELECT count(*) FROM locked WHERE xmax::text = pg_current_xact_id()::text;
ROLLBACK;
BEGIN;
DECLARE c CURSOR FOR SELECT n, array_length(pinecone_embed('pinecone', 'llama-text-embed-v2', body, dimension => 384), 1) FROM (SELECT n, body FROM locked FOR UPDATE) t LIMIT 30;
FETCH 2 FROM c;
SELECT count(*) FROM locked WHERE xmax::text = pg_current_xact_id()::text;
FETCH ALL FROM c \g /dev/null
SELECT count(*) FROM locked WHERE xmax::text = pg_current_xact_id()::text;
ROLLBACK;
RESET plan_cache_mode;
DEALLOCATE few;
-- nor are those of a CTE, those that subqueries in a row lock, and those that VOLATILE functions number
CREATE SEQUENCE numbers;
CREATE FUNCTION first_of(query text) RETURNS TABLE (locked bigint, numbered bigint) LANGUAGE plpgsql AS $$
DECLARE
  c refcursor;
  r record;
BEGIN
  PERFORM setval('numbers', 1, false);
  OPEN c FOR EXECUTE replace(replace(query, '%E', 'array_length(pinecone_embed(''pinecone'', ''llama-text-embed-v2'', body, dimension => 384), 1)'), '%L', '(SELECT * FROM locked FOR UPDATE)');
  FETCH c INTO r;
  SELECT count(*) INTO locked FROM locked WHERE xmax::text = pg_current_xact_id()::text;
  SELECT last_value - 1 + is_called::int INTO numbered FROM numbers;
  CLOSE c;
  RETURN NEXT;
  -- read to the end
  EXECUTE replace(replace(query, '%E', 'array_length(pinecone_embed(''pinecone'', ''llama-text-embed-v2'', body, dimension => 384), 1)'), '%L', '(SELECT * FROM locked FOR UPDATE)');
END $$;
\! test/regress/pinecone quiet
BEGIN;
SELECT * FROM first_of('WITH l AS MATERIALIZED %L SELECT n, %E FROM l');
ROLLBACK;
\! test/regress/pinecone sorted-log embed | cut -c1-16 | sort | uniq -c
BEGIN;
SELECT * FROM first_of('SELECT n, %E FROM (SELECT n, (SELECT body FROM locked l WHERE l.n = t.n FOR UPDATE) FROM locked t OFFSET 0) t');
ROLLBACK;
\! test/regress/pinecone sorted-log embed | cut -c1-16 | sort | uniq -c
BEGIN;
SELECT * FROM first_of($$SELECT n, %E FROM (SELECT nextval('numbers') AS n, body FROM locked OFFSET 0) t$$);
SELECT * FROM first_of($$SELECT n, %E FROM locked WHERE nextval('numbers') > 0$$);
SELECT * FROM first_of($$SELECT n, %E FROM locked JOIN (SELECT n FROM texts) u USING (n) WHERE nextval('numbers') > 0$$);
SELECT * FROM first_of($$SELECT n, %E FROM (SELECT nextval('numbers') AS n, body FROM locked ORDER BY n) t$$);
ROLLBACK;
\! test/regress/pinecone sorted-log embed | cut -c1-16 | sort | uniq -c
DROP FUNCTION first_of;
DROP SEQUENCE numbers;
-- as a plan that is kept
PREPARE kept(int) AS SELECT sum((pinecone_embed('pinecone', 'llama-text-embed-v2', body, 'passage', 384))[1]) = (SELECT sum(v[1]) FROM vectors WHERE vectors.n <= $1) FROM texts WHERE n <= $1;
SET plan_cache_mode = force_generic_plan;
\! test/regress/pinecone quiet
EXECUTE kept(100);
EXECUTE kept(10);
\! test/regress/pinecone sorted-log embed | cut -c1-16 | sort | uniq -c
RESET plan_cache_mode;
-- what is a query and what a passage does not go in one request, though both are asked for at a time
\! test/regress/pinecone quiet
SELECT count(q) + count(p) AS made
FROM (SELECT pinecone_embed('pinecone', 'llama-text-embed-v2', 'one ' || body, 'query', 384) AS q, pinecone_embed('pinecone', 'llama-text-embed-v2', 'one ' || body, 'passage', 384) AS p FROM texts WHERE n <= 3 OFFSET 0) e;
\! test/regress/pinecone sorted-log embed | grep -o '"input_type": *"[a-z]*"' | sort | uniq -c
-- ranking
SELECT * FROM pinecone_rerank('pinecone', 'bge-reranker-v2-m3', 'red fox', ARRAY['a blue whale', 'the red fox', 'a fox']) r;
SELECT * FROM pinecone_rerank('pinecone', 'bge-reranker-v2-m3', 'red fox', ARRAY['a blue whale', 'the red fox', 'a fox'], 1) r;
SELECT position FROM pinecone_rerank('pinecone', 'bge-reranker-v2-m3', 'red fox', ARRAY['{"title": "whale"}', '{"title": "the red fox"}']::jsonb[], field => 'title') r;
-- what is not right is told before anything is sent
\! test/regress/pinecone quiet
SELECT pinecone_embed('nowhere', 'llama-text-embed-v2', 'x');
SELECT pinecone_embed(NULL, 'llama-text-embed-v2', 'x');
SELECT pinecone_embed('pinecone', '', 'x');
SELECT pinecone_embed('pinecone', 'llama-text-embed-v2', NULL::text);
SELECT pinecone_embed('pinecone', 'llama-text-embed-v2', '');
SELECT pinecone_embed('pinecone', 'llama-text-embed-v2', 'x', 'document');
SELECT pinecone_embed('pinecone', 'llama-text-embed-v2', 'x', dimension => 0);
SELECT pinecone_embed('pinecone', 'llama-text-embed-v2', '{}'::text[]);
SELECT pinecone_embed('pinecone', 'llama-text-embed-v2', ARRAY['x', NULL]);
SELECT pinecone_embed('pinecone', 'llama-text-embed-v2', ARRAY['x', '']);
SELECT pinecone_rerank('pinecone', 'bge-reranker-v2-m3', 'q', '{}'::text[]);
SELECT pinecone_rerank('pinecone', 'bge-reranker-v2-m3', 'q', ARRAY['x', NULL]);
SELECT pinecone_rerank('pinecone', 'bge-reranker-v2-m3', 'q', ARRAY['{"text": "x"}', '{"title": "y"}']::jsonb[]);
SELECT pinecone_rerank('pinecone', 'bge-reranker-v2-m3', 'q', ARRAY['x'], 0);
:log
CREATE FUNCTION failed(q text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
  EXECUTE q;
  RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RETURN sqlerrm || ': ' || regexp_replace(detail, 'at http.*HTTP', 'HTTP');
END $$;
-- what the service refuses names the row; the others of its request are embedded
SELECT pinecone_embed('pinecone', 'no-such-model', 'x');
SELECT pinecone_rerank('pinecone', 'no-such-model', 'x', ARRAY['x']);
SELECT pinecone_embed('pinecone', 'pinecone-sparse-english-v0', 'x');
SELECT pinecone_embed_sparse('pinecone', 'llama-text-embed-v2', 'x');
SELECT count(pinecone_embed('pinecone', 'llama-text-embed-v2', CASE WHEN n = 7 THEN NULL ELSE body END)) FROM texts WHERE n <= 20;
SELECT failed($$SELECT count(pinecone_embed('pinecone', 'llama-text-embed-v2', CASE WHEN n = 7 THEN repeat('long ', 5000) ELSE body END)) FROM texts WHERE n <= 20$$);
SELECT failed($$SELECT pinecone_embed('pinecone', 'llama-text-embed-v2', array_agg(CASE WHEN n = 7 THEN repeat('long ', 5000) ELSE body END)) FROM texts WHERE n <= 20$$);
-- the right to use the server, and a key
CREATE ROLE regress_embedder;
GRANT SELECT ON texts TO regress_embedder;
SET ROLE regress_embedder;
SELECT pinecone_embed('pinecone', 'llama-text-embed-v2', 'x');
SELECT count(pinecone_embed('pinecone', 'llama-text-embed-v2', body)) FROM texts;
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER pinecone TO regress_embedder;
SET ROLE regress_embedder;
SELECT pinecone_embed('pinecone', 'llama-text-embed-v2', 'x');
RESET ROLE;
DROP OWNED BY regress_embedder;
DROP ROLE regress_embedder;
DROP TABLE texts, vectors, written, computed;
DROP FUNCTION told(text), failed(text), compute();
\! test/regress/pinecone drop embedded
