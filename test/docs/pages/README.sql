-- What README.md takes for granted: an index with records, orders, hits.
CREATE EXTENSION pinecone_fdw;
CREATE SERVER filling FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'catalog');
ALTER SERVER filling OPTIONS (ADD write_mode 'immediate');
CREATE USER MAPPING FOR CURRENT_USER SERVER filling OPTIONS (api_key '...');
CREATE FOREIGN TABLE filling (id text, embedding real[], title text, year int, tags text[]) SERVER filling OPTIONS (namespace 'docs');
INSERT INTO filling SELECT 'd' || i, ARRAY[i, 1, 2, 3]::real[], 'Title ' || i, 2000 + i, '{news}' FROM generate_series(1, 30) i;
INSERT INTO filling (id, embedding) VALUES ('x', '{1, 1, 1, 1}');
DROP FOREIGN TABLE filling;
DROP SERVER filling CASCADE;
DROP EXTENSION pinecone_fdw;

CREATE TABLE orders (customer text, embedding real[]);
INSERT INTO orders SELECT 'c' || i, ARRAY[1, i, 1, 1] FROM generate_series(1, 3) i;
CREATE TABLE hits (namespace text, score float8);
INSERT INTO hits VALUES ('a', 0.9), ('a', 0.8), ('b', 0.7);
CREATE TABLE earlier (namespace text, mass float8);
CREATE TABLE later (namespace text, mass float8);
INSERT INTO earlier VALUES ('a', 1), ('b', 2);
INSERT INTO later VALUES ('a', 2), ('b', 2);
CREATE TABLE items (namespace text, embedding real[]);
INSERT INTO items VALUES ('a', '{1, 2, 3}'), ('a', '{1, 2, 4}');
