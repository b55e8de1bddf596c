-- What the example begins with: a table over pinecone-local's index, and three records
CREATE EXTENSION pinecone_fdw;
CREATE SERVER pinecone FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'movies', control_host 'http://pinecone:5080');
CREATE USER MAPPING FOR postgres SERVER pinecone OPTIONS (api_key 'local-key');
CREATE FOREIGN TABLE movies (id text COLLATE "C", embedding real[], title text, year int) SERVER pinecone;
INSERT INTO movies VALUES ('m1', '{1,0,0,0}', 'Alien', 1979), ('m2', '{0,1,0,0}', 'Blade Runner', 1982), ('m3', '{0,0,1,0}', 'Brazil', 1985);
