-- Comments that say what the columns of an imported table are.
\set index comments
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
SELECT jsonb_build_object('id', 'r' || i, 'values', ARRAY[i, 1], 'metadata', jsonb_build_object('year', 2000 + i, 'ctid', 'x') || CASE WHEN i % 3 = 0 THEN '{"Said by": "it''s me"}' ELSE '{}'::jsonb END)
FROM generate_series(1, 120) i
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert comments "quotes ' and \""
CREATE SCHEMA remote;
IMPORT FOREIGN SCHEMA pinecone FROM SERVER pinecone INTO remote OPTIONS (vector_type 'real[]');
SELECT relname FROM pg_class WHERE relnamespace = 'remote'::regnamespace ORDER BY 1;
ALTER FOREIGN TABLE remote."quotes ' and """ ADD COLUMN gone int, ADD COLUMN typo text;
ALTER FOREIGN TABLE remote."quotes ' and """ DROP COLUMN gone;
COMMENT ON COLUMN remote."quotes ' and """.year IS 'when it was said';
SELECT pinecone_comment('remote."quotes '' and """');
SELECT obj_description('remote."quotes '' and """'::regclass, 'pg_class');
SELECT attname, col_description(attrelid, attnum) FROM pg_attribute WHERE attrelid = 'remote."quotes '' and """'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum;
-- again, of what has changed
\! test/regress/pinecone post comments /vectors/delete '{"deleteAll": true, "namespace": "quotes '"'"' and \""}' | cut -c1-2
SELECT pinecone_comment('remote."quotes '' and """');
SELECT col_description('remote."quotes '' and """'::regclass, 2);
-- who may, and of what
CREATE ROLE regress_reader;
GRANT USAGE ON SCHEMA remote TO regress_reader;
SET ROLE regress_reader;
SELECT pinecone_comment('remote."quotes '' and """');
RESET ROLE;
SELECT pinecone_comment('pg_class');
CREATE FOREIGN TABLE every (ns text OPTIONS (role 'namespace') COLLATE "C", id text) SERVER pinecone;
SELECT pinecone_comment('every');
SELECT obj_description('every'::regclass, 'pg_class'), col_description('every'::regclass, 1);
CREATE EXTENSION file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE lines (line text) SERVER files OPTIONS (filename '/dev/null');
SELECT pinecone_comment('lines');
SET client_min_messages = warning;
DROP SCHEMA remote CASCADE;
DROP EXTENSION file_fdw CASCADE;
DROP ROLE regress_reader;
\! test/regress/pinecone drop comments
