-- pinecone_search() and pinecone_search_batch(): searches as functions, and
-- pinecone_match_record(), a filter of any fields.
\set index found
\set dimension 2
\set metric euclidean
\i test/regress/setup.sql

CREATE TABLE local (id text COLLATE "C" PRIMARY KEY, embedding real[], n int, tags text[], more text);
INSERT INTO local SELECT lpad(i::text, 4, '0'), ARRAY[i, 0]::real[], i % 4, ARRAY['t' || i % 3, 'all'], 'm' || i FROM generate_series(1, 300) i;
SELECT jsonb_build_object('id', id, 'values', embedding, 'metadata', jsonb_build_object('n', n, 'tags', tags, 'more', more)) FROM local
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert found a
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int, tags text[], score float8) SERVER pinecone OPTIONS (namespace 'a');
CREATE FOREIGN TABLE bare (id text COLLATE "C", embedding real[]) SERVER pinecone OPTIONS (namespace 'a');
\! test/regress/pinecone quiet

-- one search: as the query would be that it stands for
SELECT id, round(distance::numeric, 4) AS distance, record - 'score' AS record, round((record -> 'score')::numeric, 4) AS score FROM pinecone_search('t', '{5.2,0}', 3);
\! test/regress/pinecone log query
SELECT id, round(distance::numeric, 4) AS distance FROM pinecone_search('t', '{5.2,0}', 3, '{"n": 1, "tags": "t2"}');
\! test/regress/pinecone log query
SELECT id, round((embedding <-> '{5.2,0}')::numeric, 4) AS distance FROM local WHERE n = 1 AND 't2' = ANY (tags) ORDER BY embedding <-> '{5.2,0}' LIMIT 3;
-- of fields that are no columns
SELECT id, record FROM pinecone_search('bare', '{5.2,0}', 2, '{"$or": [{"more": "m9"}, {"more": {"$in": ["m7", "m200"]}}]}');
SELECT id FROM bare WHERE pinecone_match_record(id, '{"more": {"$in": ["m7", "m200"]}}') ORDER BY id;
SELECT count(*) FROM bare WHERE pinecone_match_record(id, '{"n": {"$gte": 2}}');
SELECT id FROM bare WHERE pinecone_match_record(id, '{}') AND id < '0003' ORDER BY id;
SELECT id FROM t WHERE pinecone_match_record(id, '{"n": 3}') ORDER BY id LIMIT 2;
SELECT id FROM t WHERE id LIKE '000%' AND pinecone_match_record(id, '{"n": 3}') ORDER BY id;
SELECT l.id FROM local l JOIN t USING (id) WHERE pinecone_match_record(t.id, '{"n": 3}') AND l.more IN ('m3', 'm4', 'm7') ORDER BY l.id;
SELECT filter, count(*) FROM (VALUES ('{"n": 1}'::jsonb), ('{"n": {"$in": [2, 3]}}'), (NULL)) f(filter), t WHERE pinecone_match_record(t.id, filter) GROUP BY filter ORDER BY filter;
EXPLAIN (COSTS OFF) DELETE FROM t WHERE pinecone_match_record(id, '{"n": 3}');
BEGIN;
UPDATE t SET n = 9 WHERE pinecone_match_record(id, '{"n": 3}') AND id < '0010';
SELECT count(*) FROM t WHERE pinecone_match_record(id, '{"n": 9}');
DELETE FROM t WHERE pinecone_match_record(id, '{"n": {"$gt": 0}}');
SELECT count(*), min(n), max(n) FROM t;
ROLLBACK;
-- NULLs, and what cannot be
SELECT count(*) FROM pinecone_search('t', NULL, 3);
SELECT count(*) FROM pinecone_search(NULL, '{1,2}', 3);
SELECT count(*) FROM pinecone_search('t', '{1,2}', 0);
SELECT count(*) FROM pinecone_search('t', '{1,2}', 5, NULL);
\set VERBOSITY terse
SELECT count(*) FROM pinecone_search('t', '{1,2}', NULL);
SELECT count(*) FROM pinecone_search('t', '{1,2}', -1);
SELECT count(*) FROM pinecone_search('t', '{1,2,3}', 1);
SELECT count(*) FROM pinecone_search('t', '{1,NULL}', 1);
SELECT count(*) FROM pinecone_search('t', '{1,2}', 1, '[]');
SELECT count(*) FROM pinecone_search('t', '{1,2}', 1, '{"n": {"$near": 1}}');
SELECT count(*) FROM pinecone_search('local', '{1,2}', 1);
SELECT count(*) FROM pinecone_search('local_pkey', '{1,2}', 1);
SELECT count(*) FROM pinecone_search(0, '{1,2}', 1);
CREATE FOREIGN TABLE lacking (id text) SERVER pinecone OPTIONS (namespace 'a');
SELECT count(*) FROM pinecone_search('lacking', '{1,2}', 1);
SELECT id FROM t WHERE NOT pinecone_match_record(id, '{"n": 1}');
SELECT id FROM t WHERE pinecone_match_record(n, '{"n": 1}');
SELECT id FROM t WHERE id = '0001' AND pinecone_match_record(id, '{"n": 1}');
SET pinecone_fdw.enable_filter = off;
SELECT count(*) FROM pinecone_search('t', '{1,2}', 1, '{"n": 1}');
RESET pinecone_fdw.enable_filter;
\set VERBOSITY default

-- many at once: one request each, numbered as the vectors are
\! test/regress/pinecone quiet
SELECT n, id, round(distance::numeric, 4) AS distance FROM pinecone_search_batch('t', '{{5.2,0},{100,0},{7,0}}', 2);
\! test/regress/pinecone sorted-log query
SELECT n, string_agg(id, ' ' ORDER BY distance) FROM pinecone_search_batch('t', (SELECT array_agg(ARRAY[i + 0.1, 0]::real[] ORDER BY i) FROM generate_series(10, 40, 10) i), 3, '{"n": {"$ne": 0}}') GROUP BY n ORDER BY n;
SELECT i, string_agg(id, ' ' ORDER BY d) FROM generate_series(10, 40, 10) i, LATERAL (SELECT id, embedding <-> ARRAY[i + 0.1, 0]::real[] AS d FROM local WHERE n <> 0 ORDER BY 2 LIMIT 3) l GROUP BY i ORDER BY i;
SELECT count(*) FROM pinecone_search_batch('t', '{}', 2);
SELECT count(*) FROM pinecone_search_batch('t', NULL, 2);
SELECT count(*), max(n) FROM pinecone_search_batch('t', (SELECT array_agg(embedding) FROM local), 1);
\set VERBOSITY terse
SELECT count(*) FROM pinecone_search_batch('t', '{1,2}', 2);
SELECT count(*) FROM pinecone_search_batch('t', '{{1,NULL}}', 2);
SELECT count(*) FROM pinecone_search_batch('t', '{{1,2}}', NULL);
\set VERBOSITY default
-- for each row, without LATERAL
SELECT l.id, (SELECT string_agg(s.id, ' ') FROM pinecone_search('t', l.embedding, 2) s) AS nearest FROM local l WHERE l.id IN ('0010', '0020') ORDER BY l.id;
CREATE FUNCTION nearest(v real[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r record;
BEGIN
  SELECT * INTO r FROM pinecone_search('t', v, 1);
  RETURN r.id || ' ' || (r.record ->> 'n');
END $$;
SELECT nearest('{33,1}');
DROP FUNCTION nearest(real[]);

-- what the transaction has written; what the caller may read
BEGIN;
INSERT INTO t (id, embedding, n, tags) VALUES ('new', '{5.25,0}', 1, '{t2}');
SELECT id, round(distance::numeric, 4) AS distance, record - 'score' AS record FROM pinecone_search('t', '{5.25,0}', 2, '{"n": 1}');
ROLLBACK;
CREATE ROLE regress_pinecone_searcher;
SET ROLE regress_pinecone_searcher;
\set VERBOSITY sqlstate
SELECT count(*) FROM pinecone_search('t', '{1,2}', 1); -- there is no user mapping
\set VERBOSITY default
RESET ROLE;
CREATE USER MAPPING FOR regress_pinecone_searcher SERVER pinecone OPTIONS (api_key :'api_key');
SET ROLE regress_pinecone_searcher;
\set VERBOSITY terse
SELECT count(*) FROM pinecone_search('t', '{1,2}', 1);
RESET ROLE;
GRANT SELECT ON t TO regress_pinecone_searcher;
SET ROLE regress_pinecone_searcher;
SELECT count(*) FROM pinecone_search('t', '{1,2}', 1);
RESET ROLE;
\set VERBOSITY default
REVOKE ALL ON t FROM regress_pinecone_searcher;
DROP USER MAPPING FOR regress_pinecone_searcher SERVER pinecone;
DROP ROLE regress_pinecone_searcher;

-- names and types that want quoting; a partitioned table; several namespaces
CREATE SCHEMA "Odd schema";
CREATE FOREIGN TABLE "Odd schema"."Odd table" ("The id" text OPTIONS (role 'id') COLLATE "C", "The ""vector" real[] OPTIONS (role 'values'), "N's" int OPTIONS (field 'n')) SERVER pinecone OPTIONS (namespace 'a');
SELECT id, round(distance::numeric, 4) AS distance, record FROM pinecone_search('"Odd schema"."Odd table"', '{3,0}', 1);
SET search_path = pg_catalog;
SELECT id, record FROM public.pinecone_search('"Odd schema"."Odd table"', '{3,0}', 1, '{"n": 2}');
RESET search_path;
CREATE TABLE parts (ns text COLLATE "C", id text COLLATE "C", embedding real[], n int) PARTITION BY LIST (ns);
CREATE FOREIGN TABLE part_a PARTITION OF parts FOR VALUES IN ('a') SERVER pinecone OPTIONS (namespace 'a');
CREATE FOREIGN TABLE part_b PARTITION OF parts FOR VALUES IN ('b') SERVER pinecone OPTIONS (namespace 'b');
INSERT INTO parts VALUES ('b', 'b1', '{3.1,0}', 7);
SELECT id, round(distance::numeric, 3) AS distance, record FROM pinecone_search('parts', '{3,0}', 2);
SELECT id, round(distance::numeric, 3) AS distance FROM pinecone_search('parts', '{3,0}', 2, '{"n": 7}');
CREATE FOREIGN TABLE several (ns text OPTIONS (role 'namespace') COLLATE "C", id text COLLATE "C", embedding real[]) SERVER pinecone OPTIONS (namespaces 'a, b');
SELECT id, record FROM pinecone_search('several', '{3,0}', 3);
-- pgvector's type, where it is at hand
DO $$
DECLARE schema text; found text;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') THEN RETURN; END IF;
  CREATE SCHEMA search_pgvector;
  IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') THEN CREATE EXTENSION vector SCHEMA search_pgvector; END IF;
  SELECT quote_ident(nspname) INTO schema FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'vector';
  EXECUTE format('CREATE FOREIGN TABLE search_pgvector.v (id text COLLATE "C", embedding %1$s.vector(2), n int) SERVER pinecone OPTIONS (namespace %2$L)', schema, 'a');
  EXECUTE format('SELECT string_agg(id, %L) FROM pinecone_search(%L, %L::%s.vector, 2)', ' ', 'search_pgvector.v', '[5.2,0]', schema) INTO found;
  IF found IS DISTINCT FROM '0005 0006' THEN RAISE EXCEPTION 'found %', found; END IF;
  EXECUTE format('SELECT string_agg(n || %L || id, %L) FROM pinecone_search_batch(%L, %L, 1)', ':', ' ', 'search_pgvector.v', '{{5.2,0},{9,0}}') INTO found;
  IF found IS DISTINCT FROM '1:0005 2:0009' THEN RAISE EXCEPTION 'found %', found; END IF;
  SET LOCAL client_min_messages = warning;
  DROP SCHEMA search_pgvector CASCADE;
END $$;
DROP FOREIGN TABLE t, bare, lacking, several;
DROP TABLE parts, local;
DROP SCHEMA "Odd schema" CASCADE;

-- documents
\set index found-documents
\set fields '{"embedding": {"type": "dense_vector", "dimension": 2, "metric": "cosine"}}'
\i test/regress/setup_documents.sql
CREATE FOREIGN TABLE doc (id text COLLATE "C", embedding real[], title text, year float8) SERVER pinecone OPTIONS (namespace 'd');
\set VERBOSITY terse
SELECT count(*) FROM pinecone_search('doc', '{1,0}', 2, '{"year": 2}');
\set VERBOSITY default
INSERT INTO doc SELECT 'd' || i, ARRAY[cos(i), sin(i)]::real[], 'Title ' || i, 1990 + i FROM generate_series(1, 20) i;
SELECT id, round(distance::numeric, 4) AS distance, record FROM pinecone_search('doc', '{1,0}', 2, '{"year": {"$gt": 2000}}');
SELECT n, id FROM pinecone_search_batch('doc', '{{1,0},{0,1}}', 1);
DROP FOREIGN TABLE doc;
