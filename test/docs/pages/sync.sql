CREATE EXTENSION pinecone_fdw;
CREATE SERVER pinecone FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'catalog');
CREATE USER MAPPING FOR CURRENT_USER SERVER pinecone OPTIONS (api_key '...');
