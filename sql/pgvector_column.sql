-- A dense vector column of pgvector's type.
\set index pgvector
\set dimension 3
\set metric cosine
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS vector;
RESET client_min_messages;
\i test/regress/setup.sql
\! printf '%s\n' '{"id": "a", "values": [1, 0, 0]}' '{"id": "b", "values": [0.6, 0.8, 0]}' '{"id": "c", "values": [0, 0, 1]}' | test/regress/pinecone upsert pgvector ''
CREATE FOREIGN TABLE v (id text, embedding vector(3)) SERVER pinecone;
SELECT * FROM v ORDER BY id;
\! test/regress/pinecone quiet
EXPLAIN (VERBOSE, COSTS OFF) SELECT id, embedding <=> '[1,0.1,0]' AS distance FROM v ORDER BY embedding <=> '[1,0.1,0]' LIMIT 2;
SELECT id, round((embedding <=> '[1,0.1,0]')::numeric, 5) AS distance FROM v ORDER BY embedding <=> '[1,0.1,0]' LIMIT 2;
-- a real[] operand makes it our operator
SELECT id FROM v ORDER BY embedding <=> '{1,0.1,0}'::real[] LIMIT 2;
\! test/regress/pinecone log query
SELECT id FROM v ORDER BY embedding <=> '[1,0]' LIMIT 2;
CREATE FOREIGN TABLE w (id text, embedding vector(2)) SERVER pinecone;
SELECT * FROM w;
CREATE SCHEMA i;
IMPORT FOREIGN SCHEMA pinecone FROM SERVER pinecone INTO i;
\d i.default_namespace
DROP SCHEMA i CASCADE;
\! test/regress/pinecone drop pgvector
DROP EXTENSION vector CASCADE;
