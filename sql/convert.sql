-- Types: what fits, what does not, and what an error says.
\set index types
\set dimension 2
\set metric cosine
\i test/regress/setup.sql

CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
\! test/regress/pinecone upsert types '' < test/regress/types.jsonl
CREATE FOREIGN TABLE r (id text, embedding real[], t text, v varchar(3), c char(3), b bool, i2 int2, i4 int, i8 int8, f4 real, f8 float8,
  n numeric, n2 numeric(6,2), tz timestamptz OPTIONS (format 'epoch'), ms timestamp OPTIONS (format 'epoch_ms'), iso timestamptz, d date,
  u uuid, m mood, tags text[], j jsonb OPTIONS (field 'tags'), p positive OPTIONS (field 'i4'), metadata jsonb) SERVER pinecone;
SET timezone = 'UTC';
\x on
SELECT * FROM r WHERE id = 'full';
SELECT * FROM r WHERE id = 'bare';
\x off
-- numbers: 2020.0 is 2020, 2020.5 is no integer
SELECT id, i4 FROM r WHERE id = 'whole';
SELECT id, i4 FROM r WHERE id = 'odd';
SELECT id, t FROM r WHERE id = 'odd';
SELECT id, v FROM r WHERE id = 'odd';
SELECT id, n2 FROM r WHERE id = 'odd';
SELECT id, u FROM r WHERE id = 'odd';
SELECT id, m FROM r WHERE id = 'odd';
SELECT id, d FROM r WHERE id = 'odd';
SELECT id, iso FROM r WHERE id = 'odd';
SELECT id, tags FROM r WHERE id = 'odd';
SELECT id, b FROM r WHERE id = 'odd';
SELECT id, p FROM r WHERE id = 'negative';
-- or NULL, if one prefers
ALTER FOREIGN TABLE r OPTIONS (ADD on_type_error 'null');
SELECT id, t, v, n2, i4, u, m, d, iso, tags, b FROM r WHERE id = 'odd';
SELECT id FROM r WHERE i4 IS NULL ORDER BY id;
SELECT id FROM r WHERE i4 > 2019 ORDER BY id;
EXPLAIN (COSTS OFF) SELECT id FROM r WHERE i4 > 2019 AND t IS NULL;

-- a sparse index
\set dimension 0
\set metric dotproduct
\i test/regress/setup.sql
\! echo '{"id": "s1", "sparseValues": {"indices": [7, 3], "values": [0.5, 2]}, "metadata": {"t": "x"}}' | test/regress/pinecone upsert types ''
CREATE FOREIGN TABLE sparse (id text, sparse_values jsonb, embedding real[], t text) SERVER pinecone;
SELECT * FROM sparse;
SELECT id FROM sparse ORDER BY embedding <#> '{1,2}' LIMIT 1;
\! test/regress/pinecone drop types
DROP TYPE mood CASCADE;
DROP DOMAIN positive CASCADE;
