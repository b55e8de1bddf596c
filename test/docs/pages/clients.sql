-- What docs/clients.md takes for granted.
CREATE EXTENSION pinecone_fdw;
CREATE SERVER catalog FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'catalog');
CREATE USER MAPPING FOR CURRENT_USER SERVER catalog OPTIONS (api_key '...');
CREATE FOREIGN TABLE items (id text COLLATE "C", embedding real[], title text) SERVER catalog OPTIONS (namespace 'clients');
CREATE TABLE orders (number int PRIMARY KEY, item_id text);
CREATE DATABASE app;
