-- Searches in more records than one can return, with writes that wait for the
-- end of the transaction: the answer is that of a local table.
\set index cap
\set dimension 2
\set metric euclidean
\i test/regress/setup.sql

CREATE TABLE local (ns text COLLATE "C" DEFAULT 'a', id text COLLATE "C", embedding real[], n int, PRIMARY KEY (ns, id));
INSERT INTO local SELECT 'a', lpad(i::text, 6, '0'), ARRAY[i, 0]::real[], i FROM generate_series(1, 10050) i;
INSERT INTO local SELECT 'b', lpad(i::text, 6, '0'), ARRAY[i, 0.5]::real[], i FROM generate_series(1, 30) i;
SELECT jsonb_build_object('id', id, 'values', embedding, 'metadata', jsonb_build_object('n', n)) FROM local WHERE ns = 'a'
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert cap a
SELECT jsonb_build_object('id', id, 'values', embedding, 'metadata', jsonb_build_object('n', n)) FROM local WHERE ns = 'b'
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert cap b
CREATE FOREIGN TABLE one (id text COLLATE "C", embedding real[], n int) SERVER pinecone OPTIONS (namespace 'a');
CREATE FOREIGN TABLE several (ns text OPTIONS (role 'namespace') COLLATE "C", id text COLLATE "C", embedding real[], n int)
SERVER pinecone OPTIONS (namespaces 'a, b');
CREATE TABLE parts (ns text COLLATE "C", id text COLLATE "C", embedding real[], n int) PARTITION BY LIST (ns);
CREATE FOREIGN TABLE part_a PARTITION OF parts FOR VALUES IN ('a') SERVER pinecone OPTIONS (namespace 'a');
CREATE FOREIGN TABLE part_b PARTITION OF parts FOR VALUES IN ('b') SERVER pinecone OPTIONS (namespace 'b');

-- The same statement on "one" and on what "local" has of that namespace; on
-- "several" and "parts" and all of "local".  The rows are compared in their order;
-- those of equal distance by id.
CREATE VIEW local_one AS SELECT id, embedding, n FROM local WHERE ns = 'a';
CREATE FUNCTION compare(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text := '';
  t text;
  want text[];
  got text[];
BEGIN
  FOREACH t IN ARRAY ARRAY['one', 'several', 'parts'] LOOP
    EXECUTE 'SELECT array_agg(r::text) FROM (' || format(query, t) || ') r' INTO got;
    EXECUTE 'SELECT array_agg(r::text) FROM (' || format(query, CASE t WHEN 'one' THEN 'local_one' ELSE 'local' END) || ') r' INTO want;
    result := result || t || ': ' || CASE WHEN got IS NOT DISTINCT FROM want THEN coalesce(cardinality(got), 0) || ' rows, the same'
      ELSE coalesce(cardinality(got), 0) || ' rows, not ' || coalesce(cardinality(want), 0) END || '  ';
  END LOOP;
  RETURN rtrim(result);
END $$;
CREATE FUNCTION compare_all() RETURNS TABLE (question text, answer text) LANGUAGE plpgsql AS $$
BEGIN
  FOREACH question IN ARRAY ARRAY[
    'SELECT id FROM %s WHERE n > 10040 ORDER BY embedding <-> ''{0,0}'' LIMIT 3',
    'SELECT id FROM %s WHERE n %% 1000 = 7 ORDER BY embedding <-> ''{0.1,0.1}''',
    'SELECT id, round((embedding <-> ''{0.1,0.1}'')::numeric, 2) FROM %s ORDER BY embedding <-> ''{0.1,0.1}''',
    'SELECT id FROM %s ORDER BY embedding <-> ''{0.1,0.1}'' LIMIT 20 OFFSET 10020',
    'SELECT count(*) FROM %s WHERE n > 5000 AND embedding <-> ''{0,0}'' < 10045'
  ] LOOP
    answer := compare(question);
    RETURN NEXT;
  END LOOP;
END $$;
CREATE PROCEDURE both_ways(statement text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format(statement, 'one');
  EXECUTE format(statement, 'local_one');
END $$;

-- a filter that is not sent, for the metadata it goes by is changed here
BEGIN;
CALL both_ways('UPDATE %s SET n = 8 WHERE n = 7');
SELECT * FROM compare_all();
ROLLBACK;

-- near ones moved away, and far ones near
BEGIN;
CALL both_ways('UPDATE %s SET embedding = ''{999999,0}'' WHERE id = ''000001''');
CALL both_ways('UPDATE %s SET embedding = ''{0.25,0}'' WHERE id = ''010049''');
SELECT * FROM compare_all();
ROLLBACK;

-- all of the nearest ones deleted, and others replaced
BEGIN;
CALL both_ways('DELETE FROM %s WHERE id < ''010010''');
SELECT * FROM compare_all();
CALL both_ways('INSERT INTO %s SELECT lpad(i::text, 6, ''0''), ARRAY[i, 3]::real[], i + 9000 FROM generate_series(1, 1500) i');
SELECT * FROM compare_all();
ROLLBACK;

-- a delete by a condition on metadata, after an update of it
BEGIN;
CALL both_ways('UPDATE %s SET n = n + 20000 WHERE id BETWEEN ''000100'' AND ''000120''');
CALL both_ways('DELETE FROM %s WHERE n < 9990');
SELECT * FROM compare_all();
ROLLBACK;

DROP PROCEDURE both_ways(text);
DROP FUNCTION compare_all(), compare(text);
DROP VIEW local_one;
DROP TABLE parts, local;
DROP SERVER pinecone CASCADE;
