-- What docs/writing.md takes for granted.
CREATE EXTENSION pinecone_fdw;
CREATE SERVER catalog FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'catalog');
CREATE USER MAPPING FOR CURRENT_USER SERVER catalog OPTIONS (api_key '...');
CREATE FOREIGN TABLE docs (id text COLLATE "C", embedding real[], title text, year int, tags text[]) SERVER catalog OPTIONS (namespace 'writing');
