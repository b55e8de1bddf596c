-- Reading records: by list, by id, by prefix, in order; what each sends.
\set index scan
\set dimension 3
\set metric cosine
\i test/regress/setup.sql

CREATE TABLE local (id text COLLATE "C" PRIMARY KEY, embedding real[], title text, year int, tags text[]);
INSERT INTO local SELECT 'm' || i, ARRAY[i, i % 7 + 1, 3]::real[], 'title ' || i % 10, 1900 + i, ARRAY['g' || i % 3, 'h' || i % 5]
FROM generate_series(1, 250) i;
SELECT jsonb_build_object('id', id, 'values', embedding, 'metadata', jsonb_build_object('title', title, 'year', year, 'tags', tags))
FROM local ORDER BY id
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert scan kb
CREATE FOREIGN TABLE remote (id text COLLATE "C", embedding real[], score float8, title text, year int, tags text[], metadata jsonb)
SERVER pinecone OPTIONS (namespace 'kb');
SELECT count(*) >= 0 AS warm FROM remote;
\! test/regress/pinecone quiet

-- a full scan lists ids and fetches their records, a few pages ahead
EXPLAIN (COSTS OFF) SELECT id, embedding, title, year, tags FROM remote;
SELECT count(*) FROM (SELECT id, embedding, title, year, tags FROM remote EXCEPT SELECT id, embedding, title, year, tags FROM local) d;
\! test/regress/pinecone quiet
SELECT count(*), min(id), max(id), sum(year) FROM remote;
\! test/regress/pinecone log | cut -d ' ' -f 1-2 | sort | uniq -c

-- ids alone need no records, and come in byte order
EXPLAIN (COSTS OFF) SELECT id FROM remote ORDER BY id;
SELECT count(*), min(id), max(id) FROM (SELECT id FROM remote ORDER BY id OFFSET 0) s;
\! test/regress/pinecone log
SELECT id FROM remote ORDER BY id LIMIT 3;
\! test/regress/pinecone log
-- so do records
EXPLAIN (COSTS OFF) SELECT id, title FROM remote ORDER BY id LIMIT 2;
SELECT id, title FROM remote ORDER BY id LIMIT 2;
\! test/regress/pinecone log
SET pinecone_fdw.enable_sort = off;
EXPLAIN (COSTS OFF) SELECT id FROM remote ORDER BY id;
RESET pinecone_fdw.enable_sort;

-- ids: one, several, parameters, from a subquery, impossible ones
SELECT id, title FROM remote WHERE id = 'm7';
SELECT id, title FROM remote WHERE id IN ('m8', 'm9', 'm8', 'nobody') ORDER BY id;
SELECT id FROM remote WHERE id = 'm1' OR id = ANY ('{m2,m3}') ORDER BY id;
\! test/regress/pinecone log
PREPARE by_id(text[]) AS SELECT id, year FROM remote WHERE id = ANY ($1) ORDER BY id;
EXECUTE by_id('{m10,m11}');
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE by_id('{m10,m11}');
EXECUTE by_id('{m10,m12}');
EXECUTE by_id(NULL);
RESET plan_cache_mode;
SELECT id FROM remote WHERE id = (SELECT id FROM local ORDER BY year DESC LIMIT 1);
\! test/regress/pinecone log
SELECT id FROM remote WHERE id IN ('', 'ümlaut', repeat('x', 513));
\! test/regress/pinecone log
-- an id and a condition: the condition is checked here
EXPLAIN (COSTS OFF) SELECT id FROM remote WHERE id IN ('m1', 'm2') AND year = 1901;
SELECT id FROM remote WHERE id IN ('m1', 'm2') AND year = 1901;

-- prefixes
EXPLAIN (COSTS OFF) SELECT id FROM remote WHERE id LIKE 'm24%';
SELECT count(*) FROM (SELECT id FROM remote WHERE id LIKE 'm24%' OFFSET 0) s;
SELECT id FROM remote WHERE id ^@ 'm250';
SELECT id, year FROM remote WHERE starts_with(id, 'm9') ORDER BY id LIMIT 3;
EXPLAIN (COSTS OFF) SELECT id FROM remote WHERE id LIKE 'm_4%0';
SELECT id FROM remote WHERE id LIKE 'm_4%0' ORDER BY id;
SELECT id, year FROM remote WHERE id LIKE 'm_4%' ORDER BY id LIMIT 3;
SELECT count(*) FROM remote WHERE id LIKE 'm\_%';
SELECT id FROM remote WHERE id LIKE '%m' OR id LIKE 'ü%';

-- LIMIT stops paging early
\! test/regress/pinecone quiet
SELECT count(*) FROM (SELECT id, title FROM remote LIMIT 10) s;
\! test/regress/pinecone log
-- a cursor asks for more as it goes on
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM remote ORDER BY id;
FETCH 2 FROM c;
\! test/regress/pinecone log
MOVE 150 FROM c;
FETCH 1 FROM c;
\! test/regress/pinecone log
COMMIT;

-- counting
SELECT count(*) FROM remote;
SELECT count(*), count(id), count(*) + 1 AS more FROM remote WHERE year > 2000 AND title = 'title 1';
\! test/regress/pinecone log
SELECT count(*) = (SELECT count(*) FROM local WHERE year > 2000 AND title = 'title 1') AS same FROM remote WHERE year > 2000 AND title = 'title 1';
SELECT count(*) FROM remote WHERE year IS NULL AND title = NULL;
EXPLAIN (COSTS OFF) SELECT count(*) FROM remote WHERE length(title) > 3;
ALTER FOREIGN TABLE remote OPTIONS (count_from_stats 'false', count_from_dry_run 'false');
EXPLAIN (COSTS OFF) SELECT count(*) FROM remote;
EXPLAIN (COSTS OFF) SELECT count(*) FROM remote WHERE year > 2000;
ALTER FOREIGN TABLE remote OPTIONS (DROP count_from_stats, DROP count_from_dry_run);

-- joins on the id, and in merge order
EXPLAIN (COSTS OFF) SELECT r.year FROM (VALUES ('m1'), ('m2')) v(id) JOIN remote r USING (id);
SELECT l.title, r.year FROM (VALUES ('m1'), ('m2')) v(id) JOIN local l USING (id) JOIN remote r USING (id) ORDER BY r.year;
SET enable_hashjoin = off;
SET enable_nestloop = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM local l LEFT JOIN remote r USING (id) WHERE r.id IS NULL;
SELECT count(*) FROM local l LEFT JOIN remote r USING (id) WHERE r.id IS NULL;
RESET enable_hashjoin;
RESET enable_nestloop;

-- a namespace that is not there is empty
CREATE FOREIGN TABLE nowhere (id text, title text) SERVER pinecone OPTIONS (namespace 'nowhere');
SELECT * FROM nowhere;
SELECT count(*) FROM nowhere;
SELECT * FROM nowhere WHERE title = 'x' OR id = 'y';

-- rows locked and rechecked, whole rows, table oids
SELECT r FROM remote r WHERE id = 'm5';
SELECT tableoid::regclass, id FROM remote WHERE id = 'm5';
BEGIN;
SELECT l.id, r.title FROM local l JOIN remote r USING (id) WHERE l.id = 'm5' FOR UPDATE OF l;
COMMIT;
\! test/regress/pinecone drop scan
DROP TABLE local;
