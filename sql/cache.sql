-- Answers from memory: what is asked again, what makes an answer void, and who gets it.
\set index cache
\set dimension 3
\set metric cosine
\i test/regress/setup.sql

CREATE TABLE local (id text COLLATE "C" PRIMARY KEY, embedding real[], title text, year int);
INSERT INTO local SELECT 'm' || i, ARRAY[i, i % 7 + 1, 3]::real[], 'title ' || i % 10, 1900 + i FROM generate_series(1, 40) i;
SELECT jsonb_build_object('id', id, 'values', embedding, 'metadata', jsonb_build_object('title', title, 'year', year))
FROM local ORDER BY id
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert cache kb
CREATE FOREIGN TABLE remote (id text COLLATE "C", embedding real[], score float8, title text, year int, metadata jsonb)
SERVER pinecone OPTIONS (namespace 'kb', cache_ttl '1h');
CREATE FOREIGN TABLE plain (id text COLLATE "C", embedding real[], score float8, title text, year int, metadata jsonb)
SERVER pinecone OPTIONS (namespace 'kb');

-- options and settings
CREATE FOREIGN TABLE bad (id text) SERVER pinecone OPTIONS (cache_ttl 'soon');
CREATE FOREIGN TABLE bad (id text) SERVER pinecone OPTIONS (cache_ttl '-1');
CREATE FOREIGN TABLE bad (id text) SERVER pinecone OPTIONS (cache_ttl '2d');
CREATE FOREIGN TABLE bad (id text) SERVER pinecone OPTIONS (cache_size '4 apples');
CREATE FOREIGN TABLE bad (id text) SERVER pinecone OPTIONS (cache_size '1kB');
CREATE FOREIGN TABLE bad (id text) SERVER pinecone OPTIONS (cache_size '2GB');
CREATE USER MAPPING FOR PUBLIC SERVER pinecone OPTIONS (cache_ttl '1s');
SET pinecone_fdw.cache_memory = '1kB';

-- once for every kind of request; the second time nothing is sent
SELECT count(*) >= 0 AS warm FROM plain;
\! test/regress/pinecone quiet
PREPARE search AS SELECT id, title FROM remote ORDER BY embedding <=> '{3,4,3}' LIMIT 3;
PREPARE by_id AS SELECT id, year FROM remote WHERE id IN ('m1', 'm2', 'nobody') ORDER BY id;
PREPARE by_field AS SELECT id, year FROM remote WHERE title = 'title 3' ORDER BY id;
PREPARE counted AS SELECT count(*) FROM remote WHERE year > 1930;
PREPARE all_counted AS SELECT count(*) FROM remote;
PREPARE by_prefix AS SELECT id FROM remote WHERE id LIKE 'm3%' ORDER BY id;
EXECUTE search;
EXECUTE by_id;
EXECUTE by_field;
EXECUTE counted;
EXECUTE all_counted;
EXECUTE by_prefix;
\! test/regress/pinecone log | cut -d ' ' -f 1-2 | cut -d '?' -f 1 | sort | uniq -c
EXECUTE search;
EXECUTE by_id;
EXECUTE by_field;
EXECUTE counted;
EXECUTE all_counted;
EXECUTE by_prefix;
\! test/regress/pinecone log

-- EXPLAIN says so
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE search
\g (format=unaligned tuples_only=on) |test/regress/plan
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id, title FROM remote ORDER BY embedding <=> '{3,4,3}' LIMIT 4
\g (format=unaligned tuples_only=on) |test/regress/plan
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM plain WHERE id = 'm1'
\g (format=unaligned tuples_only=on) |test/regress/plan
\! test/regress/pinecone quiet

-- another request is another one; a table without a cache neither reads nor keeps
EXECUTE search;
SELECT id FROM remote ORDER BY embedding <=> '{3,4,4}' LIMIT 3;
SELECT id, title FROM plain ORDER BY embedding <=> '{3,4,3}' LIMIT 3;
\! test/regress/pinecone log | cut -d ' ' -f 1-2
-- nor does a session that does not want to
SET pinecone_fdw.enable_cache = off;
EXECUTE search;
RESET pinecone_fdw.enable_cache;
\! test/regress/pinecone log | cut -d ' ' -f 1-2
-- rows that are to be written, or locked, are read as they are
SELECT id, year FROM remote WHERE id IN ('m1', 'm2', 'nobody') ORDER BY id FOR UPDATE;
\! test/regress/pinecone log | cut -d ' ' -f 1-2
-- an exhausted search, and one that grows
SELECT count(*), min(id) FROM (SELECT id FROM remote ORDER BY embedding <=> '{3,4,3}' LIMIT 100) s;
SELECT count(*), min(id) FROM (SELECT id FROM remote WHERE year % 2 = 0 ORDER BY embedding <=> '{3,4,3}' LIMIT 12) s;
\! test/regress/pinecone quiet
SELECT count(*), min(id) FROM (SELECT id FROM remote ORDER BY embedding <=> '{3,4,3}' LIMIT 100) s;
SELECT count(*), min(id) FROM (SELECT id FROM remote WHERE year % 2 = 0 ORDER BY embedding <=> '{3,4,3}' LIMIT 12) s;
\! test/regress/pinecone log
-- lookups of a join, gathered
SELECT r.id, r.year FROM local l JOIN remote r ON r.id = l.id WHERE l.year < 1904 ORDER BY r.id;
\! test/regress/pinecone quiet
SELECT r.id, r.year FROM local l JOIN remote r ON r.id = l.id WHERE l.year < 1904 ORDER BY r.id;
\! test/regress/pinecone log
-- groups
SELECT title, count(*) FROM remote GROUP BY title ORDER BY title LIMIT 2;
\! test/regress/pinecone quiet
SELECT title, count(*) FROM remote GROUP BY title ORDER BY title LIMIT 2;
\! test/regress/pinecone log

-- somebody else writes: that is seen when the time is over, or a search tells
\! echo '{"id":"m99","values":[3,4,3],"metadata":{"title":"title 3","year":1999}}' | test/regress/pinecone upsert cache kb
EXECUTE search;
EXECUTE by_field;
\! test/regress/pinecone quiet
SELECT id FROM remote ORDER BY embedding <=> '{3,4,5}' LIMIT 1;
EXECUTE search;
EXECUTE by_field;
\! test/regress/pinecone log | cut -d ' ' -f 1-2

-- this cluster's own writes: at once, whatever it was, through whichever table
SET pinecone_fdw.unseen_time = '1ms';
INSERT INTO plain (id, embedding, title, year) VALUES ('m98', '{3,4,3}', 'title 3', 1998);
EXECUTE search;
EXECUTE by_field;
EXECUTE counted;
EXECUTE all_counted;
UPDATE plain SET year = 1900 WHERE title = 'title 3';
EXECUTE by_field;
EXECUTE counted;
DELETE FROM plain WHERE year = 1900 AND id > 'm9';
EXECUTE search;
EXECUTE by_field;
DELETE FROM plain WHERE title = 'title 3';
EXECUTE by_field;
EXECUTE search;
-- what a transaction has written is laid over; after a rollback all is as it was
SELECT pg_sleep(0.02);
EXECUTE by_id;
EXECUTE by_id;
\! test/regress/pinecone quiet
BEGIN;
UPDATE remote SET year = 7 WHERE id = 'm1';
DELETE FROM remote WHERE id = 'm2';
EXECUTE by_id;
EXECUTE search;
ROLLBACK;
EXECUTE by_id;
\! test/regress/pinecone log | cut -d ' ' -f 1-2 | cut -d '?' -f 1
BEGIN;
DELETE FROM remote WHERE id = 'm2';
EXECUTE by_id;
COMMIT;
EXECUTE by_id;
-- write_mode 'immediate', inside and after
ALTER FOREIGN TABLE plain OPTIONS (ADD write_mode 'immediate');
BEGIN;
EXECUTE by_id;
UPDATE plain SET year = 8 WHERE id = 'm1';
EXECUTE by_id;
ROLLBACK;
EXECUTE by_id;
-- a write that fails has written nothing; one whose reply was lost may have
\! test/regress/pinecone fault '{"path":"/vectors/update","status":400}'
\set VERBOSITY terse
UPDATE plain SET year = 9 WHERE id = 'm1';
\set VERBOSITY default
EXECUTE by_id;
\! test/regress/pinecone fault '{"path":"/vectors/update","kind":"close_after"}'
UPDATE plain SET year = 10 WHERE id = 'm1';
EXECUTE by_id;
SELECT pg_sleep(0.02);
EXECUTE by_id;
\! test/regress/pinecone quiet
EXECUTE by_id;
\! test/regress/pinecone log
TRUNCATE plain;
EXECUTE search;
EXECUTE by_id;
EXECUTE all_counted;

-- another namespace is not touched
CREATE FOREIGN TABLE other (id text COLLATE "C", embedding real[], year int) SERVER pinecone OPTIONS (namespace 'other', cache_ttl '1h');
INSERT INTO other VALUES ('o1', '{1,2,3}', 1);
SELECT pg_sleep(0.02);
SELECT * FROM other WHERE id = 'o1';
INSERT INTO plain (id, embedding, year) VALUES ('m1', '{1,1,1}', 1);
\! test/regress/pinecone quiet
SELECT * FROM other WHERE id = 'o1';
\! test/regress/pinecone log

-- what is large is not kept, and a table gets no more than its share
ALTER FOREIGN TABLE other OPTIONS (ADD cache_size '64kB');
INSERT INTO other SELECT 'o' || i, ARRAY[i, 2, 3], i FROM generate_series(1, 400) i;
SELECT pg_sleep(0.02);
SELECT count(*) FROM (SELECT * FROM other WHERE year <= 400 OFFSET 0) s;
SELECT count(*) FROM (SELECT * FROM other WHERE year <= 400 OFFSET 0) s;
\! test/regress/pinecone log 'fetch_by' | cut -d ' ' -f 1-2
SELECT count(*) FROM (SELECT * FROM other WHERE year <= 5 OFFSET 0) s;
\! test/regress/pinecone quiet
SELECT count(*) FROM (SELECT * FROM other WHERE year <= 5 OFFSET 0) s;
\! test/regress/pinecone log
SET pinecone_fdw.enable_gather = off; -- a reply for each
SELECT sum(n) FROM generate_series(6, 60) i, LATERAL (SELECT count(*) n FROM (SELECT * FROM other WHERE year <= i OFFSET 0) s) c;
RESET pinecone_fdw.enable_gather;
\! test/regress/pinecone quiet
SELECT count(*) FROM (SELECT * FROM other WHERE year <= 5 OFFSET 0) s;
\! test/regress/pinecone log 'fetch_by' | cut -d ' ' -f 1-2

-- an alias: of what it stands for, until it is pointed elsewhere
\! test/regress/pinecone alias cache current kb
CREATE FOREIGN TABLE alias (id text COLLATE "C", embedding real[], year int) SERVER pinecone OPTIONS (namespace 'current', cache_ttl '1h');
SELECT id, year FROM alias ORDER BY embedding <=> '{1,2,3}' LIMIT 1;
\! test/regress/pinecone quiet
SELECT id, year FROM alias ORDER BY embedding <=> '{1,2,3}' LIMIT 1;
\! test/regress/pinecone log vectors
UPDATE plain SET year = 2 WHERE id = 'm1';
SELECT id, year FROM alias ORDER BY embedding <=> '{1,2,3}' LIMIT 1;
\! test/regress/pinecone alias cache current other
SELECT id, year FROM alias ORDER BY embedding <=> '{1,2,4}' LIMIT 1;
SELECT id, year FROM alias ORDER BY embedding <=> '{1,2,3}' LIMIT 1;

-- what administration does: an alias pointed elsewhere, a namespace deleted
SELECT id, year FROM alias ORDER BY embedding <=> '{1,2,3}' LIMIT 1;
SELECT pinecone_repoint_alias('pinecone', 'current', 'kb');
SELECT id, year FROM alias ORDER BY embedding <=> '{1,2,3}' LIMIT 1;
CREATE FOREIGN TABLE doomed (id text COLLATE "C", embedding real[]) SERVER pinecone OPTIONS (namespace 'doomed', cache_ttl '1h');
\! echo '{"id":"d1","values":[1,1,1]}' | test/regress/pinecone upsert cache doomed
SELECT id FROM doomed ORDER BY embedding <=> '{1,2,3}' LIMIT 1;
SELECT pinecone_delete_namespace('pinecone', 'doomed');
SELECT id FROM doomed ORDER BY embedding <=> '{1,2,3}' LIMIT 1;

-- never across user mappings, be the key the same
CREATE ROLE regress_cache_reader;
GRANT SELECT ON other TO regress_cache_reader;
GRANT USAGE ON FOREIGN SERVER pinecone TO regress_cache_reader;
\! test/regress/pinecone quiet
SELECT * FROM other WHERE id = 'o7';
SELECT * FROM other WHERE id = 'o7';
\! test/regress/pinecone sorted-log | cut -d ' ' -f 1-2
SET ROLE regress_cache_reader;
\getenv key PINECONE_LOCAL_KEY
CREATE USER MAPPING FOR regress_cache_reader SERVER pinecone OPTIONS (api_key :'key');
SELECT * FROM other WHERE id = 'o7';
SELECT * FROM other WHERE id = 'o7';
RESET ROLE;
\! test/regress/pinecone log fetch | cut -d ' ' -f 1-2
-- nor across keys
\set VERBOSITY terse
SELECT * FROM other WHERE id = 'o7';
ALTER USER MAPPING FOR CURRENT_USER SERVER pinecone OPTIONS (SET api_key 'another');
SELECT * FROM other WHERE id = 'o7';
ALTER USER MAPPING FOR CURRENT_USER SERVER pinecone OPTIONS (SET api_key :'key');
\set VERBOSITY default

DROP USER MAPPING FOR regress_cache_reader SERVER pinecone;
REVOKE ALL ON other FROM regress_cache_reader;
REVOKE ALL ON FOREIGN SERVER pinecone FROM regress_cache_reader;
DROP ROLE regress_cache_reader;
\! test/regress/pinecone drop cache
DROP TABLE local;
