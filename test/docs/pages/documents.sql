-- What docs/documents.md takes for granted: an index of vectors, and the one of
-- documents that Pinecone makes of it.
CREATE EXTENSION pinecone_fdw;
CREATE EXTENSION vector;
CREATE SERVER before FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'library', control_host 'http://127.0.0.1:5080');
CREATE USER MAPPING FOR CURRENT_USER SERVER before OPTIONS (api_key '...');
CREATE FOREIGN TABLE before (namespace text OPTIONS (role 'namespace'), id text, embedding real[], title text, year int) SERVER before;
INSERT INTO before SELECT 'shelf' || i % 2, 'b' || i, ARRAY[i, 1, 0.1, -i], 'Book ' || i, nullif(i, 5) FROM generate_series(1, 20) i;
\! curl -sS -o /dev/null "$PINECONE_LOCAL_URL/indexes/library/convert" -H "Api-Key: $PINECONE_LOCAL_KEY" -H 'X-Pinecone-Api-Version: 2026-07' -d '{"name": "library-documents", "schema": {"fields": {"title": {"type": "string", "full_text_search": {}}, "embedding": {"type": "dense_vector", "dimension": 4, "metric": "cosine"}}}}'
