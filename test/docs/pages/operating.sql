-- What docs/operating.md takes for granted: a server.
CREATE EXTENSION IF NOT EXISTS pinecone_fdw;
CREATE SERVER catalog FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'catalog');
CREATE USER MAPPING FOR CURRENT_USER SERVER catalog OPTIONS (api_key '...');
