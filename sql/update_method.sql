-- An UPDATE of fields to values that differ: a request a row, or whole records
\set index method
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
\set sent '\\! test/regress/pinecone log "fetch|upsert|update"'
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int, tag text, metadata jsonb) SERVER pinecone OPTIONS (update_method 'records');
CREATE FOREIGN TABLE fields (id text COLLATE "C", embedding real[], n int, tag text) SERVER pinecone;
INSERT INTO t (id, embedding, n, tag) SELECT 'r' || lpad(i::text, 2, '0'), ARRAY[i, 1], i, 'x' FROM generate_series(1, 12) i;
SELECT count(*) AS warm FROM t;
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
    IF line ~ 'Pinecone (Operation|Expected Requests)' AND line !~ 'list' THEN RETURN NEXT trim(line); END IF;
  END LOOP;
END $$;
SELECT plan_of('UPDATE t SET n = n + 1');
SELECT plan_of('UPDATE fields SET n = n + 1');
SELECT plan_of('INSERT INTO t (id) SELECT i::text FROM generate_series(1, 5000) i');
\! test/regress/pinecone quiet
-- other fields and the vector go along
UPDATE t SET n = n + 100;
\! test/regress/pinecone log "upsert|update"
SELECT id, n, tag, embedding FROM t ORDER BY id LIMIT 2;
-- a few are updated by field
\! test/regress/pinecone quiet
UPDATE t SET n = n + 1 WHERE id IN ('r01', 'r02') RETURNING id, n, tag;
\! test/regress/pinecone sorted-log "upsert|update"
-- unless that will not do
UPDATE t SET tag = CASE WHEN n % 2 = 0 THEN 'even' END WHERE id IN ('r01', 'r02');
\! test/regress/pinecone sorted-log "upsert|update"
SELECT id, n, tag FROM t WHERE id < 'r04' ORDER BY id;
-- in a transaction, over what it has written
BEGIN;
UPDATE fields SET tag = 'mine' WHERE id = 'r03';
DELETE FROM t WHERE id = 'r04';
UPDATE t SET n = -n;
SELECT id, n, tag FROM t WHERE id IN ('r03', 'r04', 'r05') ORDER BY id;
COMMIT;
SELECT id, n, tag FROM t WHERE id IN ('r03', 'r04', 'r05') ORDER BY id;
-- by a condition, and then one of the records that it has changed
BEGIN;
UPDATE fields SET tag = 'by condition' WHERE n < -105;
UPDATE fields SET n = 1 WHERE id = 'r06';
SELECT id, n, tag FROM fields WHERE id IN ('r06', 'r07') ORDER BY id;
ROLLBACK;
-- values that do not depend on the row are one update by metadata all the same
\! test/regress/pinecone quiet
UPDATE t SET tag = 'same' WHERE n < 0;
\! test/regress/pinecone log "upsert|update"
ALTER FOREIGN TABLE t OPTIONS (SET update_method 'rows');

-- an object laid over the metadata goes as one update by the filter; where the filter is not exact, or null is in it, record by record
CREATE FOREIGN TABLE whole (id text COLLATE "C", embedding real[], metadata jsonb, n int) SERVER pinecone OPTIONS (namespace 'laid');
CREATE TABLE whole_l (id text COLLATE "C", embedding real[], metadata jsonb, n int);
INSERT INTO whole SELECT 'r' || i, ARRAY[i, 1], jsonb_build_object('n', i % 3, 'kind', 'k' || i % 2, 'tags', ARRAY['a']) FROM generate_series(1, 12) i;
INSERT INTO whole_l SELECT * FROM whole;
\! test/regress/pinecone quiet
EXPLAIN (COSTS OFF) UPDATE whole SET metadata = metadata || '{"reviewed": true, "tags": ["b", "c"]}' WHERE n = 1;
UPDATE whole SET metadata = metadata || '{"reviewed": true, "tags": ["b", "c"]}' WHERE n = 1;
UPDATE whole SET metadata = jsonb_set(metadata, '{kind}', '"set"') WHERE n = 2;
\! test/regress/pinecone log
UPDATE whole SET metadata = metadata || '{"n": null}' WHERE n = 0 AND id < 'r4';
EXPLAIN (COSTS OFF) UPDATE whole SET metadata = metadata || '{"a": 1}', n = 9 WHERE n = 2;
UPDATE whole SET metadata = metadata || '{"a": 1}', n = 9 WHERE n = 2;
UPDATE whole_l SET metadata = metadata || '{"reviewed": true, "tags": ["b", "c"]}' WHERE n = 1;
UPDATE whole_l SET metadata = jsonb_set(metadata, '{kind}', '"set"') WHERE n = 2;
UPDATE whole_l SET metadata = metadata - 'n', n = NULL WHERE n = 0 AND id < 'r4';
UPDATE whole_l SET metadata = metadata || '{"a": 1, "n": 9}', n = 9 WHERE n = 2;
SELECT * FROM whole EXCEPT SELECT * FROM whole_l;
-- all rows are those that have a field or do not
\! test/regress/pinecone quiet
EXPLAIN (COSTS OFF) UPDATE whole SET metadata = metadata || '{"batch": 7}';
UPDATE whole SET metadata = metadata || '{"batch": 7}';
\! test/regress/pinecone log
UPDATE whole_l SET metadata = metadata || '{"batch": 7}';
SELECT count(*) FROM (SELECT * FROM whole INTERSECT SELECT * FROM whole_l) s;
-- record by record if the condition matches fewer than statistics know of
SET pinecone_fdw.stats_ttl = 0;
\! test/regress/pinecone quiet
\! test/regress/pinecone fault '{"path": "/vectors/update", "status": 200, "count": 1, "body": "{\"matchedRecords\": 11}"}'
UPDATE whole SET metadata = metadata || '{"batch": 7}';
\! test/regress/pinecone log update | wc -l
RESET pinecone_fdw.stats_ttl;
-- in a transaction that has written, and with what nobody may count
BEGIN;
INSERT INTO whole VALUES ('new', '{1,2}', '{"n": 1}');
UPDATE whole SET metadata = metadata || '{"batch": 8}';
SELECT count(*) FROM whole WHERE metadata ->> 'batch' = '8';
ROLLBACK;
-- a namespace that declares what can be filtered by refuses that: record by record
CREATE FOREIGN TABLE declared (id text COLLATE "C", embedding real[], n int, s text) SERVER pinecone OPTIONS (namespace 'declared');
SELECT pinecone_create_namespace('pinecone', 'declared', filterable => '{n}');
INSERT INTO declared SELECT 'r' || i, ARRAY[i, 1], i FROM generate_series(1, 3) i;
\! test/regress/pinecone quiet
UPDATE declared SET s = 'all';
\! test/regress/pinecone sorted-log
UPDATE declared SET s = 'some' WHERE n > 1;
-- so are more than one request changes, if it could not be repeated for the rest
\! test/regress/pinecone quiet
\! test/regress/pinecone fault '{"path": "/vectors/update", "status": 200, "count": 1, "body": "{\"matchedRecords\": 100500}"}'
UPDATE declared SET s = 'most' WHERE n = 2;
\! test/regress/pinecone sorted-log
\set VERBOSITY terse
UPDATE declared SET s = 'refused' WHERE s = 'all';
\set VERBOSITY default
SELECT id, n, s FROM declared ORDER BY id;
DROP FOREIGN TABLE whole;
DROP TABLE whole_l;
