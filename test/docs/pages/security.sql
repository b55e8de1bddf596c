CREATE EXTENSION pinecone_fdw;
