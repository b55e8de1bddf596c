-- Indexes of documents: columns by the schema's fields, reads, and what is asked for.
\set index articles
\set fields '{"title": {"type": "string", "full_text_search": {}}, "body": {"type": "string", "full_text_search": {"stemming": true}}, "embedding": {"type": "dense_vector", "dimension": 3, "metric": "cosine"}, "terms": {"type": "sparse_vector"}}'
\i test/regress/setup_documents.sql
CREATE FOREIGN TABLE article (id text COLLATE "C", title text, body text, embedding real[], terms jsonb, score real, year int, tags text[], metadata jsonb) SERVER pinecone OPTIONS (namespace 'news');

-- an empty one; then documents, of which one has no vector, and one no text
SELECT * FROM article;
SELECT jsonb_build_object('_id', 'a' || i, 'title', 'Title ' || i, 'body', 'The quick brown fox number ' || i, 'embedding', ARRAY[1, i, 0], 'year', 2000 + i, 'tags', ARRAY['x', 'y' || i % 2], 'note', 'n' || i)
FROM generate_series(1, 6) i
UNION ALL SELECT '{"_id": "b1", "title": "No vector", "year": 1999, "terms": {"indices": [3, 7], "values": [0.5, 0.25]}}'
UNION ALL SELECT '{"_id": "b2", "embedding": [0, 0, 1]}'
\g (format=unaligned tuples_only=on) |test/regress/pinecone documents articles news
\! test/regress/pinecone quiet
SELECT id, title, embedding, terms, year, tags, metadata FROM article ORDER BY id COLLATE "C";
\! test/regress/pinecone log documents

-- what is asked for is what somebody looks at
SELECT id, year FROM article ORDER BY id COLLATE "C" LIMIT 3;
SELECT id, title FROM article WHERE id IN ('a1', 'b2', 'nobody') ORDER BY id;
SELECT id FROM article WHERE id = 'a3';
SELECT id FROM article WHERE id LIKE 'b%';
SELECT id, year FROM article WHERE year > 2003 AND 'y1' = ANY (tags) ORDER BY id;
SELECT count(*) FROM article WHERE year > 2003;
SELECT count(*) FROM article;
SELECT id, title FROM article ORDER BY embedding <=> '{1,2,0}' LIMIT 2;
\! test/regress/pinecone log documents
EXPLAIN (VERBOSE, COSTS OFF) SELECT id, title FROM article WHERE year > 2000 ORDER BY embedding <=> '{1,2,0}' LIMIT 2;
EXPLAIN (VERBOSE, COSTS OFF) SELECT id, year FROM article WHERE year > 2000;
EXPLAIN (VERBOSE, COSTS OFF) SELECT id, year FROM article WHERE id IN ('a', 'b');
EXPLAIN (VERBOSE, COSTS OFF) SELECT year FROM article;

-- a document without a vector has no distance, and comes last
SELECT id, round((embedding <=> '{0,0,1}')::numeric, 3) AS d FROM article ORDER BY embedding <=> '{0,0,1}', id;
SELECT id, round(score::numeric, 3) AS score FROM article WHERE year < 2002 ORDER BY embedding <=> '{1,2,0}' LIMIT 5;
-- nothing is known to be the same of fields that the schema declares: they are looked at here
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM article WHERE title = 'Title 2' AND year = 2002;
SELECT id FROM article WHERE title = 'Title 2' AND year = 2002;
SELECT id FROM article WHERE title IS NULL;
SELECT id FROM article WHERE metadata->>'title' IS NOT NULL;
SELECT id FROM article WHERE metadata @> '{"title": "Title 2"}';
SELECT id FROM article WHERE metadata ?| '{title,note}' AND year < 2003 ORDER BY id;
SELECT id FROM article WHERE metadata @> '{"note": "n2"}';
SELECT id FROM article WHERE pinecone_match(metadata, '{"title": "Title 2"}');
SELECT id FROM article WHERE pinecone_match(metadata, '{"$or": [{"note": "n2"}, {"year": 2003}]}') ORDER BY id;

-- several namespaces, joins, LATERAL
SELECT jsonb_build_object('_id', 'c' || i, 'title', 'Other ' || i, 'embedding', ARRAY[i, 1, 1], 'year', 2000 + i) FROM generate_series(1, 3) i
\g (format=unaligned tuples_only=on) |test/regress/pinecone documents articles
CREATE FOREIGN TABLE every (ns text OPTIONS (role 'namespace') COLLATE "C", id text COLLATE "C", title text, vec real[] OPTIONS (field 'embedding'), year int) SERVER pinecone;
SET pinecone_fdw.stats_ttl = 0;
SELECT ns, id FROM every WHERE year = 2003 ORDER BY ns, id;
SELECT ns, count(*) FROM every GROUP BY ns ORDER BY ns;
SELECT o.y, e.id, e.title FROM (VALUES (2001), (2003)) o (y) CROSS JOIN LATERAL (SELECT * FROM every e WHERE e.year = o.y ORDER BY vec <=> '{1,1,1}' LIMIT 1) e ORDER BY 1;
RESET pinecone_fdw.stats_ttl;

-- by the sparse vector: those that have an index in common with the query, the others when more are wanted, last those without
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM article ORDER BY terms <#> '{"indices": [3], "values": [2]}' LIMIT 1;
\! test/regress/pinecone quiet
SELECT id, score FROM article ORDER BY terms <#> '{"indices": [3], "values": [2]}' LIMIT 1;
\! test/regress/pinecone log documents
SELECT id, terms <#> '{"indices": [3], "values": [2]}' AS distance FROM article ORDER BY terms <#> '{"indices": [3], "values": [2]}', id;
-- two vectors are no search of documents
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM article ORDER BY pinecone_hybrid_distance(embedding <#> '{1,0,0}', terms <#> '{"indices": [3], "values": [2]}') LIMIT 1;
-- columns that are not of this index
CREATE FOREIGN TABLE wrong_name (id text, vec real[]) SERVER pinecone OPTIONS (namespace 'news');
SELECT * FROM wrong_name;
CREATE FOREIGN TABLE by_role (id text, vec real[] OPTIONS (role 'values')) SERVER pinecone OPTIONS (namespace 'news');
SELECT * FROM by_role WHERE id = 'b2';
CREATE FOREIGN TABLE wrong_type (id text, embedding text) SERVER pinecone OPTIONS (namespace 'news');
SELECT * FROM wrong_type;
CREATE FOREIGN TABLE wrong_sparse (id text, terms text[]) SERVER pinecone OPTIONS (namespace 'news');
SELECT * FROM wrong_sparse;

-- IMPORT: exact types of what is declared, the rest by a sample
CREATE SCHEMA remote;
IMPORT FOREIGN SCHEMA x FROM SERVER pinecone INTO remote OPTIONS (vector_type 'real[]');
\d remote.news
SELECT id, title, terms, year FROM remote.news WHERE id IN ('a1', 'b1') ORDER BY id;
SELECT pinecone_comment('remote.news');
SELECT column_name, col_description('remote.news'::regclass, ordinal_position) FROM information_schema.columns WHERE table_schema = 'remote' AND table_name = 'news';
ANALYZE remote.news;
SET client_min_messages = warning;
DROP SCHEMA remote CASCADE;
RESET client_min_messages;

-- who may not ask the control plane gives the schema: the same text
CREATE SERVER given FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host :'host', schema 'no');
\set schema '{"fields": ' :fields '}'
CREATE SERVER given FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host :'host', schema :'schema');
CREATE USER MAPPING FOR CURRENT_USER SERVER given OPTIONS (api_key :'api_key');
CREATE FOREIGN TABLE given_article (id text, title text, embedding real[], year int) SERVER given OPTIONS (namespace 'news');
SELECT id, year FROM given_article ORDER BY embedding <=> '{1,2,0}' LIMIT 2;
-- without one it is not known; the host has a port
ALTER SERVER given OPTIONS (DROP schema);
\set VERBOSITY sqlstate
SELECT id, year FROM given_article ORDER BY embedding <=> '{1,2,0}' LIMIT 2;
\set VERBOSITY default

-- an index that is made anew, as another kind, or with other fields
PREPARE by_year AS SELECT id, title FROM article WHERE year = 2002;
EXECUTE by_year;
\! test/regress/pinecone create articles 3 cosine > /dev/null
SELECT '{"id": "v", "values": [1, 2, 3], "metadata": {"year": 2002, "title": "of vectors"}}' \g (format=unaligned tuples_only=on) |test/regress/pinecone upsert articles news
\set VERBOSITY terse
EXECUTE by_year;
\set VERBOSITY default
EXECUTE by_year;
SET client_min_messages = warning;
DROP SERVER pinecone CASCADE;
DROP SERVER given CASCADE;
