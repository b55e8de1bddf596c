-- pinecone_diff() and pinecone_sync() of a document index: texts, vectors and metadata.
\set index synced-articles
\set fields '{"title": {"type": "string", "full_text_search": {}}, "embedding": {"type": "dense_vector", "dimension": 3, "metric": "cosine"}, "terms": {"type": "sparse_vector"}}'
\i test/regress/setup_documents.sql
CREATE FOREIGN TABLE article (id text COLLATE "C", title text, embedding real[], terms jsonb, score real, year int, metadata jsonb) SERVER pinecone OPTIONS (namespace 'news');
CREATE TABLE wanted (id int PRIMARY KEY, title text, embedding real[], terms jsonb, score text, year int, metadata jsonb);
INSERT INTO wanted SELECT i, 'Title ' || i, ARRAY[1, i, 0], jsonb_build_object('indices', ARRAY[i, 1000], 'values', ARRAY[0.5, 0.25]), 'not compared', 2000 + i, '{"note": "x"}' FROM generate_series(1, 9) i;
CALL pinecone_sync('article', 'wanted', apply => true);
SELECT * FROM pinecone_diff('article', 'wanted', metadata => true, vectors => true);
SELECT id, title, embedding, terms, year, metadata FROM article ORDER BY id LIMIT 1;
UPDATE wanted SET title = 'Another' WHERE id = 1;
UPDATE wanted SET embedding = '{1,2,3}' WHERE id = 2;
UPDATE wanted SET terms = '{"indices": [1], "values": [1]}' WHERE id = 3;
UPDATE wanted SET metadata = '{"note": "y"}', year = NULL WHERE id = 4;
DELETE FROM wanted WHERE id = 5;
INSERT INTO wanted (id, title, embedding) VALUES (10, 'New', '{1,0,0}');
SELECT * FROM pinecone_diff('article', 'wanted', metadata => true, vectors => true);
CALL pinecone_sync('article', 'wanted', apply => true, metadata => true, vectors => true);
SELECT * FROM pinecone_diff('article', 'wanted', metadata => true, vectors => true);
-- the same by a mirror
UPDATE wanted SET metadata = '{"note": "before"}' WHERE id = 1;
SELECT pinecone_mirror('wanted', 'article');
CALL pinecone_mirror_deliver();
UPDATE wanted SET title = NULL, terms = '{"indices": [2], "values": [1]}' WHERE id = 2;
UPDATE wanted SET id = 30 WHERE id = 3;
DELETE FROM wanted WHERE id = 4;
UPDATE wanted SET embedding = '{1,2}' WHERE id = 6;
CALL pinecone_mirror_deliver();
SELECT id, reason FROM pinecone_mirror_dead_rows;
SELECT * FROM pinecone_diff('article', pinecone_mirror_source('article'), metadata => true, vectors => true);
TRUNCATE wanted;
INSERT INTO wanted (id, title, embedding) VALUES (1, 'Again', '{1,0,0}');
CALL pinecone_mirror_deliver();
SELECT id, title FROM article;
SELECT pinecone_unmirror('article');
DROP TABLE wanted;
\! test/regress/pinecone drop synced-articles
