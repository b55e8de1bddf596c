-- IMPORT FOREIGN SCHEMA and ANALYZE
\set index imported
\set dimension 2
\set metric cosine
\i test/regress/setup.sql

\! printf '%s\n' '{"id": "1", "values": [1, 0], "metadata": {"title": "a", "year": 2020, "price": 1.5, "open": true, "tags": ["x"], "id": "own", "any": 1, "Mixed Case": "y"}}' '{"id": "2", "values": [0, 1], "metadata": {"year": 2021, "price": 2, "any": "text", "big": 1e300}}' | test/regress/pinecone upsert imported shop
\! echo '{"id": "1", "values": [1, 0], "metadata": {"n": 1}}' | test/regress/pinecone upsert imported ''
\! echo '{"id": "1", "values": [1, 0]}' | test/regress/pinecone upsert imported 'a name with spaces'
CREATE SCHEMA i;
IMPORT FOREIGN SCHEMA pinecone FROM SERVER pinecone INTO i OPTIONS (vector_type 'real[]');
\d i.*
SELECT id, title, year, price, open, tags, id_field, "any", "Mixed Case" FROM i.shop ORDER BY id;
SELECT id, n FROM i."default";
SELECT count(*) FROM i."a name with spaces";
SET client_min_messages = warning;
DROP SCHEMA i CASCADE;
RESET client_min_messages;
CREATE SCHEMA i;
IMPORT FOREIGN SCHEMA pinecone LIMIT TO (shop, nothing) FROM SERVER pinecone INTO i OPTIONS (vector_type 'real[]', metadata 'false', sample_size '0');
\d i.*
IMPORT FOREIGN SCHEMA pinecone EXCEPT (shop, "default") FROM SERVER pinecone INTO i OPTIONS (vector_type 'real[]');
SELECT relname FROM pg_class WHERE relnamespace = 'i'::regnamespace ORDER BY 1;
IMPORT FOREIGN SCHEMA pinecone FROM SERVER pinecone INTO i OPTIONS (vectors 'real[]');
IMPORT FOREIGN SCHEMA pinecone FROM SERVER pinecone INTO i OPTIONS (vector_type 'halfvec');
IMPORT FOREIGN SCHEMA pinecone FROM SERVER pinecone INTO i OPTIONS (sample_size '-1');

-- statistics come from the records
CREATE FOREIGN TABLE shop (id text, embedding real[], title text, year int) SERVER pinecone OPTIONS (namespace 'shop');
ANALYZE shop;
SELECT reltuples FROM pg_class WHERE oid = 'shop'::regclass;
SELECT attname, null_frac, n_distinct FROM pg_stats WHERE tablename = 'shop' ORDER BY 1;
SET client_min_messages = warning;
DROP SCHEMA i CASCADE;
RESET client_min_messages;
\! test/regress/pinecone drop imported
