-- What docs/documents.md takes for granted.  Its searches, marked "sql search", need
-- a document index: sql/documents_search.sql has their like.
CREATE EXTENSION pinecone_fdw;
CREATE EXTENSION vector;
