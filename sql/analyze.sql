-- ANALYZE: statistics of a foreign table are those of its rows.
\set index analysis
\set dimension 3
\set metric cosine
\i test/regress/setup.sql
CREATE TABLE movies_local AS
SELECT format('m%s', lpad(i::text, 4, '0')) AS id, ARRAY[i, 1, 2]::real[] AS embedding, 'title ' || i AS title, 1950 + i % 50 AS year,
  CASE WHEN i % 4 = 0 THEN i / 8.0::float8 END AS rating, i % 3 = 0 AS seen, CASE i % 3 WHEN 0 THEN '{drama}'::text[] WHEN 1 THEN '{comedy,drama}' ELSE '{sci-fi}' END AS genres
FROM generate_series(1, 1500) i;
SELECT jsonb_build_object('id', id, 'values', embedding,
         'metadata', jsonb_strip_nulls(jsonb_build_object('title', title, 'year', year, 'rating', rating, 'seen', seen, 'genres', genres)))
FROM movies_local ORDER BY id
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert analysis kb
CREATE FOREIGN TABLE movies (id text, embedding real[], title text, year int, rating float8, seen bool, genres text[]) SERVER pinecone OPTIONS (namespace 'kb');

-- all records are in the sample: all is known exactly
ANALYZE movies;
ANALYZE movies_local;
SELECT relname, reltuples FROM pg_class WHERE relname IN ('movies', 'movies_local') ORDER BY relname;
SELECT f.attname, l.null_frac, l.n_distinct, f.null_frac = l.null_frac AS same_nulls, f.n_distinct = l.n_distinct AS same_distinct,
  f.most_common_freqs IS NOT DISTINCT FROM l.most_common_freqs AS same_freqs, f.histogram_bounds::text IS NOT DISTINCT FROM l.histogram_bounds::text AS same_histogram,
  f.most_common_elems::text IS NOT DISTINCT FROM l.most_common_elems::text AS same_elements
FROM pg_stats f JOIN pg_stats l USING (attname) WHERE f.tablename = 'movies' AND l.tablename = 'movies_local' ORDER BY f.attname;
-- a scan comes in the order of ids
SELECT correlation FROM pg_stats WHERE tablename = 'movies' AND attname = 'id';

-- a smaller sample: everything is listed, only the sample is fetched
SET default_statistics_target = 1;
\! test/regress/pinecone quiet
ANALYZE movies;
\! test/regress/pinecone log list | wc -l
SELECT reltuples FROM pg_class WHERE relname = 'movies';
SELECT null_frac BETWEEN 0.6 AND 0.9 AS likely FROM pg_stats WHERE tablename = 'movies' AND attname = 'rating';
-- and one of few columns
ANALYZE movies (year, seen);
RESET default_statistics_target;

-- a namespace that is empty, or is not there
CREATE FOREIGN TABLE nothing (id text, year int) SERVER pinecone OPTIONS (namespace 'no such');
ANALYZE nothing;
SELECT reltuples FROM pg_class WHERE relname = 'nothing';

-- the owner's user mapping is used, whoever asks
CREATE ROLE regress_pinecone_owner;
ALTER FOREIGN TABLE movies OWNER TO regress_pinecone_owner;
\set VERBOSITY sqlstate
ANALYZE movies;
\set VERBOSITY default
CREATE USER MAPPING FOR regress_pinecone_owner SERVER pinecone OPTIONS (api_key :'api_key');
DROP USER MAPPING FOR CURRENT_USER SERVER pinecone;
ANALYZE movies;
-- values that do not fit are NULL to the estimates, whatever a scan makes of them
ALTER FOREIGN TABLE movies ALTER title TYPE int;
ANALYZE movies;
SELECT null_frac FROM pg_stats WHERE tablename = 'movies' AND attname = 'title';

DROP FOREIGN TABLE movies, nothing;
DROP USER MAPPING FOR regress_pinecone_owner SERVER pinecone;
DROP ROLE regress_pinecone_owner;
DROP TABLE movies_local;
\! test/regress/pinecone drop analysis
