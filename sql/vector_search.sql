-- Nearest neighbours: what is sent, and that the answer is never short.
\set index search
\set dimension 3
\set metric cosine
\i test/regress/setup.sql

CREATE TABLE local (id text COLLATE "C" PRIMARY KEY, embedding real[], title text, year int);
INSERT INTO local SELECT 'm' || i, ARRAY[i, i % 7 + 1, 3]::real[], 'title ' || i % 10, 1900 + i FROM generate_series(1, 250) i;
SELECT jsonb_build_object('id', id, 'values', embedding, 'metadata', jsonb_build_object('title', title, 'year', year))
FROM local ORDER BY id
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert search kb
CREATE FOREIGN TABLE remote (id text COLLATE "C", embedding real[], score float8, title text, year int, metadata jsonb)
SERVER pinecone OPTIONS (namespace 'kb');
SELECT count(*) >= 0 AS warm FROM remote;
\! test/regress/pinecone quiet

-- ORDER BY distance LIMIT k is one search for k; the distance comes from the score
EXPLAIN (VERBOSE, COSTS OFF) SELECT id, embedding <=> '{1,2,3}' AS distance FROM remote ORDER BY embedding <=> '{1,2,3}' LIMIT 3;
SELECT id, round((embedding <=> '{1,2,3}')::numeric, 5) AS distance, round(score::numeric, 5) AS score
FROM remote ORDER BY embedding <=> '{1,2,3}' LIMIT 3;
\! test/regress/pinecone log
SELECT id, round((embedding <=> '{1,2,3}')::numeric, 5) AS distance FROM local ORDER BY embedding <=> '{1,2,3}' LIMIT 3;
-- metadata and vectors are asked for when they are used
SELECT id, title FROM remote ORDER BY embedding <=> '{1,2,3}' LIMIT 1;
SELECT id, embedding FROM remote ORDER BY '{1,2,3}'::real[] <=> embedding LIMIT 1;
\! test/regress/pinecone log
-- OFFSET, an expression over the distance, another key behind it
SELECT id, round((1 - (embedding <=> '{9,1,1}'))::numeric, 5) AS similarity FROM remote ORDER BY embedding <=> '{9,1,1}', id LIMIT 2 OFFSET 1;
SELECT id, round((1 - (embedding <=> '{9,1,1}'))::numeric, 5) AS similarity FROM local ORDER BY embedding <=> '{9,1,1}', id LIMIT 2 OFFSET 1;
\! test/regress/pinecone log

-- with filters: sent along
SELECT id FROM remote WHERE year >= 1950 AND title = 'title 3' ORDER BY embedding <=> '{1,2,3}' LIMIT 3;
\! test/regress/pinecone log
SELECT id FROM local WHERE year >= 1950 AND title = 'title 3' ORDER BY embedding <=> '{1,2,3}' LIMIT 3;
-- a condition that stays here: the search grows until there are enough
SELECT id FROM remote WHERE length(id) = 4 AND year % 50 = 0 ORDER BY embedding <=> '{1,2,3}' LIMIT 3;
\! test/regress/pinecone log
SELECT id FROM local WHERE length(id) = 4 AND year % 50 = 0 ORDER BY embedding <=> '{1,2,3}' LIMIT 3;
-- likewise under a join and under DISTINCT
SELECT r.id, l.title FROM remote r JOIN local l USING (id) WHERE l.year > 2100 ORDER BY r.embedding <=> '{1,2,3}' LIMIT 2;
SELECT r.id, l.title FROM local r JOIN local l USING (id) WHERE l.year > 2100 ORDER BY r.embedding <=> '{1,2,3}' LIMIT 2;
SELECT DISTINCT title FROM (SELECT title FROM remote ORDER BY embedding <=> '{1,2,3}' LIMIT 30) s ORDER BY 1;
\! test/regress/pinecone quiet
-- no LIMIT at all
SELECT count(*) FROM (SELECT id FROM remote ORDER BY embedding <=> '{1,2,3}') s;
\! test/regress/pinecone log

-- the query vector as a parameter, in a generic plan, from a subquery, from an outer row
PREPARE nearest(real[], int) AS SELECT id FROM remote ORDER BY embedding <=> $1 LIMIT $2;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (VERBOSE, COSTS OFF) EXECUTE nearest('{1,2,3}', 2);
EXECUTE nearest('{1,2,3}', 2);
EXECUTE nearest('{3,2,1}', 1);
RESET plan_cache_mode;
\! test/regress/pinecone log
SELECT id FROM remote ORDER BY embedding <=> (SELECT embedding FROM local WHERE id = 'm9') LIMIT 2;
SELECT l.id, n.id AS neighbour FROM local l, LATERAL (SELECT id FROM remote WHERE id <> l.id ORDER BY embedding <=> l.embedding LIMIT 2) n
WHERE l.id IN ('m1', 'm2') ORDER BY 1, 2;
\! test/regress/pinecone sorted-log
SELECT l.id, n.id AS neighbour FROM local l, LATERAL (SELECT id FROM local WHERE id <> l.id ORDER BY embedding <=> l.embedding LIMIT 2) n
WHERE l.id IN ('m1', 'm2') ORDER BY 1, 2;
-- by the vector of a stored record: no vector moves
SELECT id FROM remote ORDER BY embedding <=> (SELECT embedding FROM remote WHERE id = 'm9') LIMIT 2;
\! test/regress/pinecone log
-- one that is not there: the distance is NULL, and all rows qualify
SELECT count(*), count(d) FROM (SELECT embedding <=> (SELECT embedding FROM remote WHERE id = 'nobody') AS d FROM remote
  ORDER BY embedding <=> (SELECT embedding FROM remote WHERE id = 'nobody') LIMIT 20) s;
SELECT count(*), count(d) FROM (SELECT embedding <=> NULL::real[] AS d FROM remote ORDER BY embedding <=> NULL::real[]) s;
-- a vector without direction
SELECT count(*), min(d) FROM (SELECT embedding <=> '{0,0,0}' AS d FROM remote ORDER BY embedding <=> '{0,0,0}' LIMIT 3) s;
-- and those whose square is beyond the float32 of a score
SELECT count(*) FROM ((SELECT id FROM remote ORDER BY embedding <=> '{1e38,2e38,3e38}' LIMIT 3)
  INTERSECT (SELECT id FROM local ORDER BY embedding <=> '{1e38,2e38,3e38}' LIMIT 3)) s;
SELECT count(*) FROM ((SELECT id FROM remote ORDER BY embedding <=> '{1e-30,2e-30,3e-30}' LIMIT 3)
  INTERSECT (SELECT id FROM local ORDER BY embedding <=> '{1e-30,2e-30,3e-30}' LIMIT 3)) s;
\! test/regress/pinecone log query

-- within a distance, alone and with an order
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM remote WHERE embedding <=> '{1,2,3}' < 0.05;
SELECT id FROM remote WHERE embedding <=> '{1,2,3}' < 0.05 ORDER BY id;
SELECT id FROM local WHERE embedding <=> '{1,2,3}' < 0.05 ORDER BY id;
SELECT id FROM remote WHERE embedding <=> '{1,2,3}' <= 0.2 AND year > 1902 ORDER BY embedding <=> '{1,2,3}';
\! test/regress/pinecone log
SELECT id FROM local WHERE embedding <=> '{1,2,3}' <= 0.2 AND year > 1902 ORDER BY embedding <=> '{1,2,3}';
SELECT id FROM remote WHERE embedding <=> '{1,2,3}' < NULL;

-- with set-returning functions, which are evaluated above the scan
EXPLAIN (VERBOSE, COSTS OFF) SELECT unnest(ARRAY[title, 'x']) AS t, id, embedding <=> '{1,2,3}' AS distance FROM remote WHERE embedding <=> '{1,2,3}' < 0.05;
SELECT unnest(ARRAY[title, 'x']) AS t, id, embedding <=> '{1,2,3}' < 0.02 AS near FROM remote WHERE embedding <=> '{1,2,3}' < 0.05 ORDER BY id, t LIMIT 5;
SELECT unnest(ARRAY[title, 'x']) AS t, id, embedding <=> '{1,2,3}' < 0.02 AS near FROM local WHERE embedding <=> '{1,2,3}' < 0.05 ORDER BY id, t LIMIT 5;
SELECT generate_series(1, 2) AS n, id FROM remote ORDER BY embedding <=> '{9,1,1}', n LIMIT 3;
SELECT generate_series(1, 2) AS n, id FROM local ORDER BY embedding <=> '{9,1,1}', n LIMIT 3;
-- below a condition on no table
SELECT generate_series(1, 2) AS n, id FROM remote WHERE now() > '2000-01-01' ORDER BY embedding <=> '{9,1,1}' LIMIT 3;
SELECT generate_series(1, 2) AS n, id FROM remote WHERE now() > '2000-01-01' AND embedding <=> '{1,2,3}' < 0.02;

-- another metric's operator is not sent, and right all the same
EXPLAIN (COSTS OFF) SELECT id FROM remote ORDER BY embedding <-> '{1,2,3}' LIMIT 2;
SELECT id FROM remote ORDER BY embedding <-> '{1,2,3}' LIMIT 2;
SELECT id FROM local ORDER BY embedding <-> '{1,2,3}' LIMIT 2;
SET pinecone_fdw.enable_knn = off;
EXPLAIN (COSTS OFF) SELECT id FROM remote ORDER BY embedding <=> '{1,2,3}' LIMIT 2;
RESET pinecone_fdw.enable_knn;
SET pinecone_fdw.enable_limit = off;
\! test/regress/pinecone quiet
SELECT id FROM remote ORDER BY embedding <=> '{1,2,3}' LIMIT 1;
\! test/regress/pinecone log
RESET pinecone_fdw.enable_limit;

-- ranks by the distance, with LIMIT, take what they are asked for; a window that looks further takes all
\! test/regress/pinecone quiet
SELECT id, rank() OVER (ORDER BY embedding <=> '{1,2,3}') FROM remote LIMIT 3;
\! test/regress/pinecone log query
SELECT id, rank() OVER (ORDER BY embedding <=> '{1,2,3}') FROM local ORDER BY embedding <=> '{1,2,3}' LIMIT 3;
SELECT id, count(*) OVER (ORDER BY embedding <=> '{1,2,3}' ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) FROM remote LIMIT 2;
SELECT id, row_number() OVER (ORDER BY embedding <=> '{1,2,3}') FROM remote ORDER BY id LIMIT 2;
SELECT id, row_number() OVER (ORDER BY embedding <=> '{1,2,3}') FROM local ORDER BY id LIMIT 2;
SELECT id, row_number() OVER (PARTITION BY title ORDER BY embedding <=> '{1,2,3}') FROM remote ORDER BY title, 2 LIMIT 2;
SELECT id, row_number() OVER (PARTITION BY title ORDER BY embedding <=> '{1,2,3}') FROM local ORDER BY title, 2 LIMIT 2;
\! test/regress/pinecone quiet
SELECT id, r FROM (SELECT id, rank() OVER (ORDER BY embedding <=> '{1,2,3}') AS r FROM remote) s WHERE r <= 3;
\! test/regress/pinecone log query
SELECT id, r FROM (SELECT id, rank() OVER (ORDER BY embedding <=> '{1,2,3}') AS r FROM local) s WHERE r <= 3 ORDER BY r;

-- the wrong number of dimensions is an error before the network
\! test/regress/pinecone quiet
SELECT id FROM remote ORDER BY embedding <=> '{1,2}' LIMIT 1;
\! test/regress/pinecone log query
SELECT id FROM remote ORDER BY embedding <=> '{1,NULL,2}' LIMIT 1;
SELECT id FROM remote ORDER BY embedding <=> '{1,NaN,2}' LIMIT 1;

-- the other metrics
\set metric euclidean
\i test/regress/setup.sql
SELECT jsonb_build_object('id', id, 'values', embedding) FROM local ORDER BY id
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert search kb
CREATE FOREIGN TABLE remote (id text COLLATE "C", embedding real[]) SERVER pinecone OPTIONS (namespace 'kb');
SELECT id, round((embedding <-> '{100.3,2,3}')::numeric, 4) AS distance FROM remote ORDER BY embedding <-> '{100.3,2,3}' LIMIT 3;
SELECT id, round((embedding <-> '{100.3,2,3}')::numeric, 4) AS distance FROM local ORDER BY embedding <-> '{100.3,2,3}' LIMIT 3;
\set metric dotproduct
\i test/regress/setup.sql
SELECT jsonb_build_object('id', id, 'values', embedding) FROM local ORDER BY id
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert search kb
CREATE FOREIGN TABLE remote (id text COLLATE "C", embedding real[]) SERVER pinecone OPTIONS (namespace 'kb');
SELECT id, embedding <#> '{-1,2,3}' AS distance FROM remote ORDER BY embedding <#> '{-1,2,3}' LIMIT 3;
SELECT id, embedding <#> '{-1,2,3}' AS distance FROM local ORDER BY embedding <#> '{-1,2,3}' LIMIT 3;
\! test/regress/pinecone log query
SELECT id, embedding <#> '{1e38,2e38,3e38}' AS distance FROM remote ORDER BY embedding <#> '{1e38,2e38,3e38}' LIMIT 3;
SELECT id, embedding <#> '{1e38,2e38,3e38}' AS distance FROM local ORDER BY embedding <#> '{1e38,2e38,3e38}' LIMIT 3;
\! test/regress/pinecone log query
\! test/regress/pinecone drop search
DROP TABLE local;
