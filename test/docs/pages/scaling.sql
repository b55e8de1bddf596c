-- What docs/scaling.md takes for granted.
CREATE EXTENSION pinecone_fdw;
CREATE EXTENSION postgres_fdw;
CREATE SERVER catalog FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'catalog');
CREATE USER MAPPING FOR CURRENT_USER SERVER catalog OPTIONS (api_key '...');
CREATE TABLE article (id text PRIMARY KEY, embedding real[], title text);
CREATE FOREIGN TABLE article_records (id text COLLATE "C", embedding real[], title text) SERVER catalog OPTIONS (namespace 'articles', write_mode 'outbox');
CREATE TABLE hits_1 AS SELECT i AS id, i * 1.0 AS mass FROM generate_series(1, 10) i;
CREATE TABLE hits_2 AS SELECT i AS id, i * 2.0 AS mass FROM generate_series(1, 10) i;
