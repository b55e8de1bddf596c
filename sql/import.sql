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
    'ctid', 'c', 'Mixed Case', 1, 'sha256Sum', 1, 'say "hi"', 1, 'select', 1, '', 'empty', 'id_field', 'taken', 'naïve', 1, repeat('long', 20) || '1', 1, repeat('long', 20) || '2', 2))
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
SELECT id, id_field, values_field, score_field, metadata_field, embedding_field, ctid_field, mixed_case, say_hi, field, id_field_2, metadata = remote.names.metadata AS whole
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
-- what strings are: dates, times of one spelling or of several, JSON; and what only some of them are
CREATE SCHEMA remote;
SELECT jsonb_build_object('id', 's' || i, 'values', '[1, 2, 3]'::jsonb, 'metadata', jsonb_build_object('day', '2024-05-0' || i, 'createdAt', '2024-05-01T10:00:0' || i || '.000Z', 'short', '2024-05-01T10:00:0' || i || 'Z',
    'python', '2024-05-01T10:00:0' || i || '+00:00', 'zoned', CASE WHEN i = 1 THEN '2024-05-01T10:00:00Z' ELSE '2024-05-01T12:00:00.5+02:00' END, 'local', '2024-05-01T10:00:00',
    '_node_content', '{"n": ' || i || '}', 'listed', '[1]', 'almost', CASE WHEN i = 1 THEN '2024-05-01' ELSE 'soon' END, 'broken', CASE WHEN i = 1 THEN '{"n": 1}' ELSE '{n' END, 'price', i,
    'HTTPStatus', 'x', 'loc.lines.from', i, '2nd-name', 'y', 'Créé à', 'z', 'order', i, 'created_at', 'taken'))
FROM generate_series(1, 3) i
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert imports strings
IMPORT FOREIGN SCHEMA "any name" LIMIT TO (strings) FROM SERVER pinecone INTO remote OPTIONS (vector_type 'real[]', score 'false');
\d remote.strings
SELECT id, day, created_at, short = python AS same, zoned, local, node_content, price, http_status, loc_lines_from FROM remote.strings ORDER BY id;
-- a 9.99 that comes later
SELECT '{"id": "s9", "values": [1, 2, 3], "metadata": {"price": 9.99}}' \g (format=unaligned tuples_only=on) |test/regress/pinecone upsert imports strings
SELECT id FROM remote.strings WHERE price > 3;
SELECT id FROM remote.strings WHERE price = 9.99;
SELECT max(price) FROM remote.strings;
-- an UPDATE of all columns leaves times as they are spelled
UPDATE remote.strings SET day = day, created_at = created_at, created_at_2 = created_at_2, short = short, python = python, zoned = zoned, local = local, node_content = node_content WHERE id = 's2';
\! test/regress/pinecone get imports '/vectors/fetch?ids=s2&namespace=strings'
DROP FOREIGN TABLE remote.strings;
IMPORT FOREIGN SCHEMA "any name" LIMIT TO (strings) FROM SERVER pinecone INTO remote OPTIONS (vector_type 'real[]', numbers 'integer', names 'as_is', strings 'text');
\d remote.strings
DROP FOREIGN TABLE remote.strings;
IMPORT FOREIGN SCHEMA "any name" LIMIT TO (typed) FROM SERVER pinecone INTO remote OPTIONS (vector_type 'real[]', numbers 'numeric');
\d remote.typed
DROP FOREIGN TABLE remote.typed;
-- a sample spread over the namespace: the first hundred are of one document
SELECT jsonb_build_object('id', 'doc-' || i / 100 || '#' || i, 'values', jsonb_build_array(1, i, 2), 'metadata', CASE WHEN i < 200 THEN '{"kind": "first"}' ELSE '{"kind": "other", "late": true}'::jsonb END)
FROM generate_series(100, 899) i
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert imports spread
\! test/regress/pinecone quiet
IMPORT FOREIGN SCHEMA "any name" LIMIT TO (spread) FROM SERVER pinecone INTO remote OPTIONS (vector_type 'real[]');
\! test/regress/pinecone log 'query|list' | cut -c1-40
\d remote.spread
IMPORT FOREIGN SCHEMA s FROM SERVER pinecone INTO remote OPTIONS (numbers 'float');
IMPORT FOREIGN SCHEMA s FROM SERVER pinecone INTO remote OPTIONS (names 'upper');
IMPORT FOREIGN SCHEMA s FROM SERVER pinecone INTO remote OPTIONS (strings 'yes');
IMPORT FOREIGN SCHEMA s FROM SERVER pinecone INTO remote OPTIONS (score '2');
SET client_min_messages = warning;
DROP SCHEMA remote CASCADE;
RESET client_min_messages;
\! test/regress/pinecone drop imports
