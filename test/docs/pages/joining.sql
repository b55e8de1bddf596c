-- What docs/joining.md takes for granted.
CREATE EXTENSION pinecone_fdw;
CREATE SERVER catalog FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'catalog');
CREATE USER MAPPING FOR CURRENT_USER SERVER catalog OPTIONS (api_key '...');
CREATE FOREIGN TABLE docs (id text COLLATE "C", embedding real[], title text, year int, price numeric) SERVER catalog OPTIONS (namespace 'joining');
INSERT INTO docs SELECT 'd' || i, ARRAY[i, 1, 2, 3]::real[], 'Title ' || i, 1990 + i, i FROM generate_series(1, 50) i;
CREATE TABLE orders (order_no int, wanted real[]);
INSERT INTO orders SELECT i, ARRAY[1, i, 1, 1] FROM generate_series(1, 3) i;
CREATE TABLE products (id text COLLATE "C" PRIMARY KEY, name text, stock int);
INSERT INTO products SELECT 'd' || i, 'Product ' || i, i FROM generate_series(1, 40) i;
