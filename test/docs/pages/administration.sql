-- What docs/administration.md takes for granted.
CREATE EXTENSION pinecone_fdw;
CREATE SERVER pinecone FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'catalog');
CREATE USER MAPPING FOR CURRENT_USER SERVER pinecone OPTIONS (api_key '...');
CREATE FOREIGN TABLE movies (id text, embedding real[]) SERVER pinecone OPTIONS (namespace 'kb');
INSERT INTO movies VALUES ('a', '{1,2,3,4}');
