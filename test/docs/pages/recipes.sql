-- What docs/recipes.md takes for granted: articles, an index with both kinds of vectors, local tables
CREATE EXTENSION pinecone_fdw;
CREATE SERVER catalog FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'catalog');
CREATE USER MAPPING FOR CURRENT_USER SERVER catalog OPTIONS (api_key '...');
CREATE FOREIGN TABLE filled (id text, embedding real[], title text, topic text, source text, published bigint) SERVER catalog OPTIONS (namespace 'articles');
INSERT INTO filled
SELECT 'a' || lpad(i::text, 3, '0'), ARRAY[sin(i), cos(i), sin(2 * i), 1]::real[], 'Title ' || i, (ARRAY['physics', 'botany', 'law'])[1 + i % 3],
  (ARRAY['wire', 'paper', 'book', 'talk'])[1 + i % 4], 1700000000 + 86400 * (i % 50)
FROM generate_series(1, 300) i;
DROP FOREIGN TABLE filled;
CREATE TABLE question (words text, embedding real[]);
INSERT INTO question SELECT 'question ' || i, ARRAY[cos(i), 1, sin(i), 0.5]::real[] FROM generate_series(1, 4) i;
CREATE TABLE article_text AS SELECT 'a' || lpad(i::text, 3, '0') AS id, to_tsvector('english', CASE WHEN i % 20 = 0 THEN 'light and quantum physics' ELSE 'other things' END) AS words FROM generate_series(1, 300) i;
CREATE TABLE turn (question text, context text);
ANALYZE question, article_text;
\! test/regress/pinecone create recipes 384 dotproduct >/dev/null
CREATE SERVER passages FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'recipes', control_host 'http://127.0.0.1:5080');
CREATE USER MAPPING FOR CURRENT_USER SERVER passages OPTIONS (api_key '...');
CREATE FOREIGN TABLE passage (id text, embedding real[], sparse_values jsonb, body text, score real) SERVER passages;
INSERT INTO passage SELECT 'p' || i, pinecone_embed('passages', 'llama-text-embed-v2', line, 'passage', 384), pinecone_embed_sparse('passages', 'pinecone-sparse-english-v0', line, 'passage'), line
FROM (SELECT i, (ARRAY['stars are born in clouds of gas', 'plants grow towards light', 'a law of nature', 'how rivers are made'])[1 + i % 4] || ' ' || i AS line FROM generate_series(1, 40) i) t;
