\set ECHO none
-- setup_integrated.sql: as setup.sql, for an index whose model embeds the field "chunk":
--
--	\set index chunks
--	\set model 'llama-text-embed-v2 384'
--	\i test/regress/setup_integrated.sql
\set control_host `echo "$PINECONE_LOCAL_URL"`
\set api_key `echo "$PINECONE_LOCAL_KEY"`
\setenv MODEL :model
\set host `test/regress/pinecone create-integrated :'index' chunk $MODEL`
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
