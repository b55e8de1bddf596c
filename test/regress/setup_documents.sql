\set ECHO none
-- setup_documents.sql: as setup.sql, for an index of documents:
--
--	\set index articles
--	\set fields '{"title": {"type": "string", "full_text_search": {}}, ...}'
--	\i test/regress/setup_documents.sql
\set control_host `echo "$PINECONE_LOCAL_URL"`
\set api_key `echo "$PINECONE_LOCAL_KEY"`
\set host `test/regress/pinecone create-documents :'index' :'fields'`
\! test/regress/pinecone no-faults
SET client_min_messages = warning;
DROP SERVER IF EXISTS pinecone CASCADE;
RESET client_min_messages;
CREATE SERVER pinecone FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index :'index', control_host :'control_host');
CREATE USER MAPPING FOR CURRENT_USER SERVER pinecone OPTIONS (api_key :'api_key');
ALTER DATABASE :"DBNAME" SET pinecone_fdw.unseen_time = 0;
SET pinecone_fdw.unseen_time = 0;
\! test/regress/pinecone quiet
\set ECHO all
