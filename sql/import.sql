-- IMPORT FOREIGN SCHEMA: one table for each namespace, with typed columns.
\set index imports
\set dimension 3
\set metric dotproduct
\i test/regress/setup.sql
CREATE SCHEMA remote;

-- an empty index has the default namespace
IMPORT FOREIGN SCHEMA "any name" FROM SERVER pinecone INTO remote OPTIONS (vector_type 'real[]');
\d remote.default_namespace
SET client_min_messages = warning;
DROP SCHEMA remote CASCADE;
RESET client_min_messages;
CREATE SCHEMA remote;

-- a field has the type that all its values fit
SELECT jsonb_build_object('id', 'a' || i, 'values', '[1, 2, 3]'::jsonb, 'metadata', jsonb_build_object(
    'flag', i % 2 = 0, 'year', 2000 + i, 'price', i / 4.0, 'whole', i + 1e15, 'huge', 1e17 + i * 1e6, 'title', 'title ' || i, 'tags', ARRAY['x', 'y']::text[],
    'mixed', CASE WHEN i % 2 = 0 THEN to_jsonb(i) ELSE to_jsonb(i::text) END, 'one or many', CASE WHEN i % 2 = 0 THEN to_jsonb('x'::text) ELSE to_jsonb(ARRAY['x']) END)
  || CASE WHEN i > 7 THEN '{"late": 1}' ELSE '{}'::jsonb END)
FROM generate_series(1, 9) i
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert imports typed
-- fields with names that mean something else, or nothing, or too much
SELECT jsonb_build_object('id', 'n1', 'values', '[1, 2, 3]'::jsonb, 'metadata', jsonb_build_object('id', 1, 'values', 'x', 'score', 1.5, 'metadata', 'm', 'embedding', true,
    'ctid', 'c', 'Mixed Case', 1, 'say "hi"', 1, 'select', 1, '', 'empty', 'id_field', 'taken', 'naïve', 1, repeat('long', 20) || '1', 1, repeat('long', 20) || '2', 2))
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert imports names
-- namespaces with such names; a hybrid one
SELECT '{"id": "x", "values": [1, 2, 3]}' \g (format=unaligned tuples_only=on) |test/regress/pinecone upsert imports
SELECT '{"id": "x", "values": [1, 2, 3]}' \g (format=unaligned tuples_only=on) |test/regress/pinecone upsert imports default
SELECT '{"id": "x", "values": [1, 2, 3]}' \g (format=unaligned tuples_only=on) |test/regress/pinecone upsert imports "It's a/b"
SELECT '{"id": "h", "values": [1, 2, 3], "sparseValues": {"indices": [7], "values": [0.5]}, "metadata": {"k": "v"}}'
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert imports hybrid
SELECT '{"id": "x", "values": [1, 2, 3]}' \g (format=unaligned tuples_only=on) |test/regress/pinecone upsert imports tenant-000000000000000000000000000000000000000000000000000000000000000000001
SELECT '{"id": "x", "values": [1, 2, 3]}' \g (format=unaligned tuples_only=on) |test/regress/pinecone upsert imports tenant-000000000000000000000000000000000000000000000000000000000000000000002

IMPORT FOREIGN SCHEMA "any name" FROM SERVER pinecone INTO remote OPTIONS (vector_type 'real[]');
SELECT c.relname, t.ftoptions FROM pg_foreign_table t JOIN pg_class c ON c.oid = t.ftrelid
WHERE c.relnamespace = 'remote'::regnamespace ORDER BY c.relname COLLATE "C";
\d remote.typed
\d remote.names
\d remote.hybrid
-- what they are for
SELECT * FROM remote.typed WHERE id = 'a8';
SELECT id, id_field, values_field, score_field, metadata_field, embedding_field, ctid_field, "Mixed Case", "say ""hi""", field, id_field_2, metadata = remote.names.metadata AS whole
FROM remote.names;
SELECT id, sparse_values, k FROM remote.hybrid;
SELECT id FROM remote."It's a/b";
SET client_min_messages = warning;
DROP SCHEMA remote CASCADE;
RESET client_min_messages;
CREATE SCHEMA remote;

-- a sample too small does not see what comes late, and none sees nothing
IMPORT FOREIGN SCHEMA "any name" LIMIT TO (typed) FROM SERVER pinecone INTO remote OPTIONS (vector_type 'real[]', sample_size '7', metadata 'false');
\d remote.typed
DROP FOREIGN TABLE remote.typed;
IMPORT FOREIGN SCHEMA "any name" LIMIT TO (typed) FROM SERVER pinecone INTO remote OPTIONS (vector_type 'real[]', sample_size '0');
\d remote.typed
DROP FOREIGN TABLE remote.typed;
-- tables left out cost no requests of their own
\! test/regress/pinecone quiet
IMPORT FOREIGN SCHEMA "any name" LIMIT TO (hybrid, no_such) FROM SERVER pinecone INTO remote OPTIONS (vector_type 'real[]');
\! test/regress/pinecone log | LC_ALL=C sort
IMPORT FOREIGN SCHEMA "any name" EXCEPT (hybrid, typed, names, "default", default_namespace) FROM SERVER pinecone INTO remote OPTIONS (vector_type 'real[]');
SELECT relname FROM pg_class WHERE relnamespace = 'remote'::regnamespace ORDER BY relname COLLATE "C";

-- one table for all namespaces; a field called "namespace" makes way
SELECT '{"id": "n", "values": [1, 2, 3], "metadata": {"namespace": "not this", "k": 1}}'
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert imports named
IMPORT FOREIGN SCHEMA "any name" FROM SERVER pinecone INTO remote OPTIONS (vector_type 'real[]', one_table 'Every one');
\d remote."Every one"
SELECT namespace, id, namespace_2, k FROM remote."Every one" WHERE k IS NOT NULL ORDER BY namespace, id;
SELECT count(DISTINCT namespace) FROM remote."Every one";
IMPORT FOREIGN SCHEMA "any name" EXCEPT ("Every one") FROM SERVER pinecone INTO remote OPTIONS (one_table 'Every one');

-- options that are not
IMPORT FOREIGN SCHEMA s FROM SERVER pinecone INTO remote OPTIONS (one_table '');
IMPORT FOREIGN SCHEMA s FROM SERVER pinecone INTO remote OPTIONS (sample '1');
IMPORT FOREIGN SCHEMA s FROM SERVER pinecone INTO remote OPTIONS (sample_size 'many');
IMPORT FOREIGN SCHEMA s FROM SERVER pinecone INTO remote OPTIONS (sample_size '-1');
IMPORT FOREIGN SCHEMA s FROM SERVER pinecone INTO remote OPTIONS (metadata 'perhaps');
IMPORT FOREIGN SCHEMA s FROM SERVER pinecone INTO remote OPTIONS (vector_type 'bytea');

SET client_min_messages = warning;
DROP SCHEMA remote CASCADE;
RESET client_min_messages;
\! test/regress/pinecone drop imports
