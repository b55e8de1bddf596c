-- Vectors of pgvector's types: dense ones with a dimension, sparse ones.
\set index kinds
\set dimension 3
\set metric dotproduct
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS vector;
RESET client_min_messages;
\i test/regress/setup.sql
-- indices are numbered from 0, and may come in any order
SELECT jsonb_build_object('id', id, 'values', '[1,2,3]'::jsonb, 'sparseValues', sparse)
FROM (VALUES ('first', '{"indices": [0], "values": [1.5]}'::jsonb), ('mixed', '{"indices": [9, 2, 5], "values": [0.1, -2, 3]}'),
  ('large', '{"indices": [4294967295], "values": [1]}')) AS x (id, sparse)
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert kinds kb
SELECT '{"id": "none", "values": [1, 2, 3]}' \g (format=unaligned tuples_only=on) |test/regress/pinecone upsert kinds kb
CREATE FOREIGN TABLE ten (id text, embedding vector(3), sparse_values sparsevec(10)) SERVER pinecone OPTIONS (namespace 'kb');
CREATE FOREIGN TABLE any_size (id text, embedding vector, sparse_values sparsevec) SERVER pinecone OPTIONS (namespace 'kb');
SELECT * FROM ten WHERE id = ANY ('{first,mixed,none}') ORDER BY id COLLATE "C";
SELECT * FROM any_size WHERE id = ANY ('{first,mixed,none}') ORDER BY id COLLATE "C";
SELECT id, sparse_values <#> '{1:2,10:10}/10' AS product FROM ten WHERE id = ANY ('{first,mixed}') ORDER BY id COLLATE "C";
-- beyond the type's dimensions, or beyond what it has at all
SELECT sparse_values FROM ten WHERE id = 'large';
SELECT sparse_values FROM any_size WHERE id = 'large';
ALTER FOREIGN TABLE ten OPTIONS (on_type_error 'null');
SELECT id, sparse_values FROM ten WHERE id = 'large';
-- a vector of another size is never what was meant
CREATE FOREIGN TABLE four (id text, embedding vector(4)) SERVER pinecone OPTIONS (namespace 'kb', on_type_error 'null');
SELECT embedding FROM four WHERE id = 'first';
-- pgvector's type is the one that is imported, and statistics work with it
CREATE SCHEMA remote;
IMPORT FOREIGN SCHEMA r FROM SERVER pinecone INTO remote;
\d remote.kb
DROP FOREIGN TABLE remote.kb;
IMPORT FOREIGN SCHEMA r FROM SERVER pinecone INTO remote OPTIONS (vector_type 'real[]');
\d remote.kb
ANALYZE any_size (id, embedding);
ALTER FOREIGN TABLE any_size OPTIONS (on_type_error 'null');
ANALYZE any_size;
SELECT attname, null_frac FROM pg_stats WHERE tablename = 'any_size' ORDER BY attname;
SET client_min_messages = warning;
DROP SCHEMA remote CASCADE;
RESET client_min_messages;
DROP FOREIGN TABLE ten, any_size, four;
\! test/regress/pinecone drop kinds
DROP EXTENSION vector CASCADE;
