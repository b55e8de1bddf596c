-- What docs/queries.md takes for granted: three servers for one index, tenants.
CREATE EXTENSION pinecone_fdw;
CREATE SERVER catalog FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'catalog');
CREATE SERVER pinecone FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'catalog');
CREATE SERVER elsewhere FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'catalog');
CREATE USER MAPPING FOR CURRENT_USER SERVER catalog OPTIONS (api_key '...');
CREATE USER MAPPING FOR CURRENT_USER SERVER pinecone OPTIONS (api_key '...');
CREATE USER MAPPING FOR CURRENT_USER SERVER elsewhere OPTIONS (api_key '...');
CREATE FOREIGN TABLE filling (tenant text OPTIONS (role 'namespace'), id text, embedding real[], title text) SERVER catalog;
INSERT INTO filling SELECT t, 'd' || i, ARRAY[i, 1, 2, 3]::real[], 'Title ' || i FROM generate_series(1, 20) i, unnest('{acme, umbra}'::text[]) t;
CREATE TABLE tenants (name text, interest real[]);
INSERT INTO tenants VALUES ('acme', '{1, 2, 3, 4}'), ('umbra', '{4, 3, 2, 1}');
CREATE FOREIGN TABLE books (id text, embedding real[], title text, category text, year int, price numeric, created timestamptz OPTIONS (format 'epoch')) SERVER catalog OPTIONS (namespace 'books');
\! test/regress/pinecone create weighed 384 dotproduct >/dev/null
CREATE SERVER passages FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'weighed', control_host 'http://127.0.0.1:5080');
CREATE USER MAPPING FOR CURRENT_USER SERVER passages OPTIONS (api_key '...');
CREATE FOREIGN TABLE passages (id text, embedding real[], sparse_values jsonb, title text, year int, score real) SERVER passages;
INSERT INTO passages SELECT 'p' || i, (SELECT array_agg(sin(i * j)) FROM generate_series(1, 384) j)::real[], pinecone_sparse(ARRAY[12, 400 + i], ARRAY[0.1 * i, 1]), 'Passage ' || i, 1980 + i FROM generate_series(1, 30) i;
