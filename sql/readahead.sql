-- Read-ahead under nested loops: what is asked at once, and what is not.
\set index readahead
\set dimension 3
\set metric euclidean
\i test/regress/setup.sql

CREATE TABLE local (id text COLLATE "C" PRIMARY KEY, embedding real[], title text, year int);
INSERT INTO local SELECT 'm' || i, ARRAY[i, i % 7, 3]::real[], 'title ' || i % 10, 1900 + i FROM generate_series(1, 300) i;
SELECT jsonb_build_object('id', id, 'values', embedding, 'metadata', jsonb_build_object('title', title, 'year', year))
FROM local ORDER BY id
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert readahead kb
CREATE FOREIGN TABLE remote (id text COLLATE "C", embedding real[], title text, year int) SERVER pinecone OPTIONS (namespace 'kb');
CREATE TABLE o (k int PRIMARY KEY, mid text, v real[]);
INSERT INTO o VALUES (1, 'm1', '{1,2,3}'), (2, 'm2', '{20,2,3}'), (3, NULL, '{1,2,3}'), (4, 'm1', NULL), (5, 'gone', '{33,1,1}'), (6, '', '{40,4,4}'), (7, 'm7', '{55,5,5}');
CREATE TABLE many (k int PRIMARY KEY, mid text, kind int);
INSERT INTO many SELECT i, 'm' || i, i % 3 FROM generate_series(1, 260) i;
ANALYZE local, o, many;
-- without what depends on time
CREATE FUNCTION run(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
    CONTINUE WHEN line ~ '(Peak In Flight|Read Units|Buckets|Memory|Planning|Buffers)';
    RETURN NEXT regexp_replace(line, ' \(actual .*\)', '');
  END LOOP;
END $$;
SELECT count(*) >= 0 AS warm FROM remote;
\! test/regress/pinecone quiet

-- ids of several rows make a fetch; each is asked for once, those that no record can have are not
EXPLAIN (COSTS OFF) SELECT o.k, r.title FROM o JOIN remote r ON r.id = o.mid ORDER BY k;
SELECT o.k, r.title FROM o JOIN remote r ON r.id = o.mid ORDER BY k;
\! test/regress/pinecone log
SELECT o.k, r.title FROM o LEFT JOIN remote r ON r.id = o.mid AND r.year > 1901 ORDER BY k;
\! test/regress/pinecone log
-- a hundred ids a fetch
SELECT run('SELECT m.k, r.year FROM many m JOIN remote r ON r.id = m.mid');
SELECT count(*), sum(r.year - 1900 - m.k) FROM many m JOIN remote r ON r.id = m.mid;
\! test/regress/pinecone log | sed 's/ .*//' | uniq -c
-- as many rows as the setting says
SET pinecone_fdw.read_ahead = 2;
SELECT o.k, r.title FROM o JOIN remote r ON r.id = o.mid ORDER BY k;
\! test/regress/pinecone log
SET pinecone_fdw.read_ahead = 1;
EXPLAIN (COSTS OFF) SELECT o.k, r.title FROM o JOIN remote r ON r.id = o.mid;
RESET pinecone_fdw.read_ahead;
SET pinecone_fdw.enable_read_ahead = off;
EXPLAIN (COSTS OFF) SELECT o.k, r.title FROM o JOIN remote r ON r.id = o.mid;
SELECT o.k, r.title FROM o JOIN remote r ON r.id = o.mid ORDER BY k;
\! test/regress/pinecone log
RESET pinecone_fdw.enable_read_ahead;
-- what a plan was made with does not bind its execution
PREPARE p AS SELECT o.k, r.title FROM o JOIN remote r ON r.id = o.mid ORDER BY k;
EXECUTE p;
\! test/regress/pinecone log
SET pinecone_fdw.read_ahead = 1;
EXECUTE p;
\! test/regress/pinecone log
RESET pinecone_fdw.read_ahead;
DEALLOCATE p;

-- EXISTS, NOT EXISTS, IN
EXPLAIN (COSTS OFF) SELECT k FROM o WHERE EXISTS (SELECT FROM remote r WHERE r.id = o.mid);
SELECT k FROM o WHERE EXISTS (SELECT FROM remote r WHERE r.id = o.mid) ORDER BY k;
\! test/regress/pinecone log
EXPLAIN (COSTS OFF) SELECT k FROM o WHERE NOT EXISTS (SELECT FROM remote r WHERE r.id = o.mid AND r.year <> 1902);
SELECT k FROM o WHERE NOT EXISTS (SELECT FROM remote r WHERE r.id = o.mid AND r.year <> 1902) ORDER BY k;
\! test/regress/pinecone log
-- PostgreSQL 15 and 16 show a cast that is none
EXPLAIN (COSTS OFF) SELECT id, title FROM remote WHERE id IN (SELECT mid FROM o WHERE k < 5)
\g |sed 's/(o.mid)::text/o.mid/'
SELECT id, title FROM remote WHERE id IN (SELECT mid FROM o WHERE k < 5) ORDER BY id;
\! test/regress/pinecone log | tr '&' ' ' | wc -w
-- arrays of ids, computed ones
SELECT a.k, r.id FROM (VALUES (1, ARRAY['m1', 'm2']), (2, ARRAY['m2', NULL, 'm3']), (3, NULL), (4, '{}')) a(k, ids) JOIN remote r ON r.id = ANY (a.ids) ORDER BY 1, 2;
\! test/regress/pinecone log
SELECT k, r.id FROM o JOIN remote r ON r.id = 'm' || k * 10 WHERE k < 4 ORDER BY 1;
\! test/regress/pinecone log

-- searches run at once
SELECT run('SELECT o.k, m.id FROM o, LATERAL (SELECT id FROM remote ORDER BY embedding <-> o.v LIMIT 2) m WHERE v IS NOT NULL');
SELECT o.k, m.id FROM o, LATERAL (SELECT id FROM remote ORDER BY embedding <-> o.v LIMIT 2) m WHERE v IS NOT NULL ORDER BY k, m.id;
\! test/regress/pinecone sorted-log
SELECT o.k, m.id FROM o, LATERAL (SELECT id FROM local ORDER BY embedding <-> o.v LIMIT 2) m WHERE v IS NOT NULL ORDER BY k, m.id;
-- below conditions, aggregates and further joins
EXPLAIN (COSTS OFF) SELECT o.k, m.* FROM o LEFT JOIN LATERAL (SELECT count(*), max(year) FROM (SELECT year FROM remote ORDER BY embedding <-> o.v LIMIT 3) s WHERE year % 2 = 0) m ON true WHERE v IS NOT NULL;
SELECT o.k, m.* FROM o LEFT JOIN LATERAL (SELECT count(*), max(year) FROM (SELECT year FROM remote ORDER BY embedding <-> o.v LIMIT 3) s WHERE year % 2 = 0) m ON true WHERE v IS NOT NULL ORDER BY k;
SELECT o.k, m.* FROM o LEFT JOIN LATERAL (SELECT count(*), max(year) FROM (SELECT year FROM local ORDER BY embedding <-> o.v LIMIT 3) s WHERE year % 2 = 0) m ON true WHERE v IS NOT NULL ORDER BY k;
EXPLAIN (COSTS OFF) SELECT o.k, m.id, m.kind FROM o, LATERAL (SELECT s.id, many.kind FROM (SELECT id FROM remote ORDER BY embedding <-> o.v LIMIT 3) s JOIN many ON many.mid = s.id) m WHERE v IS NOT NULL;
-- a row without a vector wants every record, when its turn comes
\! test/regress/pinecone quiet
SELECT o.k, count(m.id) FROM o, LATERAL (SELECT id FROM remote ORDER BY embedding <-> o.v LIMIT 2) m WHERE k IN (1, 4) GROUP BY k ORDER BY k;
\! test/regress/pinecone sorted-log 'query|list'
-- a search by another's result waits for it; then those are asked at once too
EXPLAIN (COSTS OFF) SELECT o.k, a.id, b.id FROM o, LATERAL (SELECT id, embedding FROM remote ORDER BY embedding <-> o.v LIMIT 2) a, LATERAL (SELECT id FROM remote ORDER BY embedding <-> a.embedding LIMIT 2 OFFSET 1) b WHERE k IN (1, 7);
SELECT o.k, a.id, b.id FROM o, LATERAL (SELECT id, embedding FROM remote ORDER BY embedding <-> o.v LIMIT 2) a, LATERAL (SELECT id FROM remote ORDER BY embedding <-> a.embedding LIMIT 2 OFFSET 1) b WHERE k IN (1, 7) ORDER BY 1, 2, 3;
SELECT o.k, a.id, b.id FROM o, LATERAL (SELECT id, embedding FROM local ORDER BY embedding <-> o.v LIMIT 2) a, LATERAL (SELECT id FROM local ORDER BY embedding <-> a.embedding LIMIT 2 OFFSET 1) b WHERE k IN (1, 7) ORDER BY 1, 2, 3;
-- the same vector within other bounds is another question
CREATE TABLE bounds (k int, v real[], bound float8);
INSERT INTO bounds VALUES (1, '{30,2,3}', 3), (2, '{30,2,3}', 9), (3, '{30,2,3}', 30), (4, '{30,2,3}', NULL), (5, '{30,2,3}', 3);
EXPLAIN (COSTS OFF) SELECT b.k, a.id FROM bounds b, LATERAL (SELECT id FROM remote WHERE 2 * (embedding <-> b.v) < b.bound ORDER BY embedding <-> b.v LIMIT 20) a;
SELECT b.k, count(*), max(a.id) FROM bounds b, LATERAL (SELECT id FROM remote WHERE 2 * (embedding <-> b.v) < b.bound ORDER BY embedding <-> b.v LIMIT 20) a GROUP BY 1 ORDER BY 1;
SELECT b.k, count(*), max(a.id) FROM bounds b, LATERAL (SELECT id FROM local WHERE 2 * (embedding <-> b.v) < b.bound ORDER BY embedding <-> b.v LIMIT 20) a GROUP BY 1 ORDER BY 1;
-- filters and counts
\! test/regress/pinecone quiet
SELECT run('SELECT o.k, r.y FROM o, LATERAL (SELECT max(year) AS y FROM remote WHERE title = ''title '' || o.k AND year < 1920) r');
\! test/regress/pinecone quiet
SELECT o.k, r.n FROM o, LATERAL (SELECT count(*) AS n FROM remote WHERE title = 'title ' || o.k) r WHERE k < 4 ORDER BY k;
\! test/regress/pinecone sorted-log

-- values of several rows make a filter; each is asked for once, NULL not at all
SET enable_hashjoin = off;
SET enable_mergejoin = off;
CREATE TABLE v (k int PRIMARY KEY, t text, y int);
INSERT INTO v SELECT i, 'title ' || i % 4, 1900 + i FROM generate_series(1, 6) i UNION ALL SELECT 7, NULL, NULL;
ANALYZE v;
EXPLAIN (COSTS OFF) SELECT v.k, r.id FROM v JOIN remote r ON r.year = v.y;
SELECT v.k, r.id FROM v JOIN remote r ON r.year = v.y ORDER BY 1, 2;
\! test/regress/pinecone log
SELECT v.k, r.id FROM v LEFT JOIN local r ON r.year = v.y ORDER BY 1, 2;
SELECT v.k, r.id FROM v LEFT JOIN remote r ON r.year = v.y ORDER BY 1, 2;
\! test/regress/pinecone log
-- with what all rows have in common; what differs besides, each with its own
SELECT v.k, count(r.id) FROM v JOIN remote r ON r.title = v.t AND r.year < 1930 GROUP BY k ORDER BY 1;
\! test/regress/pinecone log
SELECT v.k, r.id FROM v JOIN remote r ON r.title = v.t AND r.year = v.y ORDER BY 1, 2;
\! test/regress/pinecone log
SELECT v.k, r.id FROM v JOIN local r ON r.title = v.t AND r.year = v.y ORDER BY 1, 2;
SELECT k FROM v WHERE EXISTS (SELECT FROM remote r WHERE r.title = v.t) ORDER BY k;
\! test/regress/pinecone log
SELECT v.k, s.n FROM v, LATERAL (SELECT count(*) AS n FROM (SELECT id FROM remote r WHERE r.year IN (v.y, v.y + 100) OFFSET 0) r) s ORDER BY 1;
\! test/regress/pinecone log
SELECT v.k, count(*) FROM v JOIN remote r ON r.title = v.t AND r.year > v.y + 290 GROUP BY k ORDER BY 1;
\! test/regress/pinecone log
SELECT v.k, count(*) FROM v JOIN local r ON r.title = v.t AND r.year > v.y + 290 GROUP BY k ORDER BY 1;
-- where no field is equal to a value of the row, each record is looked at for each; with the setting off, row by row
SELECT v.k, count(*) FROM v JOIN remote r ON r.year > v.y + 290 GROUP BY k ORDER BY 1;
\! test/regress/pinecone sorted-log
SELECT v.k, count(*) FROM v JOIN local r ON r.year > v.y + 290 GROUP BY k ORDER BY 1;
SET pinecone_fdw.enable_gather = off;
SELECT v.k, r.id FROM v JOIN remote r ON r.year = v.y WHERE k < 4 ORDER BY 1, 2;
\! test/regress/pinecone sorted-log
RESET pinecone_fdw.enable_gather;
-- and what the transaction has written
BEGIN;
UPDATE remote SET year = 1903 WHERE id IN ('m1', 'm250');
DELETE FROM remote WHERE id = 'm2';
INSERT INTO remote VALUES ('new', '{1,2,3}', 'title 1', 1905);
SELECT v.k, r.id FROM v JOIN remote r ON r.year = v.y ORDER BY 1, 2;
ROLLBACK;
\! test/regress/pinecone quiet
DROP TABLE v;
RESET enable_hashjoin;
RESET enable_mergejoin;

-- few rows wanted, little asked
SELECT m.k, r.title FROM many m JOIN remote r ON r.id = m.mid LIMIT 2;
\! test/regress/pinecone log | sed 's/[^=]//g' | awk '{print length " ids or so"}'
-- Memoize keeps answers; what it has is not asked for again
SET pinecone_fdw.read_ahead = 2;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT run('SELECT m.k, s.id FROM many m, LATERAL (SELECT id FROM remote ORDER BY embedding <-> ARRAY[m.kind, 1, 1]::real[] LIMIT 2) s');
RESET pinecone_fdw.read_ahead;
-- rescans begin anew
SELECT g, count(r.id) FROM generate_series(1, 3) g, LATERAL (SELECT r.id FROM o JOIN remote r ON r.id = o.mid WHERE o.k <> g OFFSET 0) r GROUP BY g ORDER BY g;
RESET enable_hashjoin;
RESET enable_mergejoin;

-- cursors
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT o.k, r.title FROM (SELECT * FROM o ORDER BY k OFFSET 0) o JOIN remote r ON r.id = o.mid;
FETCH 3 FROM c;
FETCH BACKWARD 2 FROM c;
FETCH ALL FROM c;
CLOSE c;
DECLARE h CURSOR WITH HOLD FOR SELECT o.k, r.title FROM (SELECT * FROM o ORDER BY k OFFSET 0) o JOIN remote r ON r.id = o.mid;
FETCH 1 FROM h;
COMMIT;
FETCH ALL FROM h;
CLOSE h;

-- an outer side that is numbered, makes something or locks: not more of it than is wanted
CREATE SEQUENCE numbers;
CREATE TABLE made (n int);
CREATE FUNCTION make(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO made VALUES (n); RETURN n; END $$;
SELECT m.id FROM (SELECT v, nextval('numbers') FROM o WHERE v IS NOT NULL ORDER BY k OFFSET 0) o, LATERAL (SELECT id FROM remote ORDER BY embedding <-> o.v LIMIT 1) m LIMIT 2;
SELECT count(*) FROM (SELECT m.id FROM unnest('{1,2,3,4,5,6}'::int[]) WITH ORDINALITY u (k, n) CROSS JOIN make(u.k) AS mk, LATERAL (SELECT id FROM remote WHERE year = 1900 + mk LIMIT 1) m LIMIT 3) s;
SELECT last_value, (SELECT count(*) FROM made) AS made FROM numbers;
BEGIN;
DECLARE c CURSOR FOR SELECT o.k, r.title FROM (SELECT * FROM o ORDER BY k FOR UPDATE SKIP LOCKED) o JOIN remote r ON r.id = o.mid;
FETCH 2 FROM c;
SELECT count(*) FROM o WHERE xmax::text::bigint = txid_current();
ROLLBACK;
EXPLAIN (COSTS OFF) SELECT o.k, m.id FROM (SELECT v, k, nextval('numbers') FROM o) o, LATERAL (SELECT id FROM remote ORDER BY embedding <-> o.v LIMIT 1) m;
SET enable_memoize = off;
EXPLAIN (COSTS OFF) WITH w AS (SELECT v, k FROM o ORDER BY k FOR SHARE) SELECT w.k, m.id FROM w, LATERAL (SELECT id FROM remote ORDER BY embedding <-> w.v LIMIT 1) m LIMIT 2;
RESET enable_memoize;

-- writing to local tables
UPDATE o SET mid = r.title FROM remote r WHERE r.id = o.mid RETURNING o.k, o.mid;
DELETE FROM many USING remote r WHERE r.id = many.mid AND r.year < 1903 RETURNING many.k;
DROP TABLE local, o, many;
DROP SEQUENCE numbers;
DROP TABLE made;
DROP FUNCTION run, make;
