\set ECHO none
-- setup.sql: an empty index and a foreign server for it.  Opens most SQL tests:
--
--	\set index movies
--	\set dimension 4
--	\set metric cosine
--	\i test/regress/setup.sql
--
-- Afterwards there are
--	* an empty index of that name in pinecone-local (metric: cosine, euclidean
--	  or dotproduct; dimension 0: a sparse index),
--	* a server "pinecone" for it, found by its name, with a user mapping; the
--	  server of the test before, and its foreign tables, are gone,
--	* :host, the URL of the index, :control_host, the control plane's, and
--	  :api_key, for servers of the test's own (write :'host'),
--	* no faults, and an empty request log,
--	* pinecone_fdw.unseen_time at 0, here and in later sessions, so that what is
--	  sent does not depend on what was written a moment ago, and other writers
--	  are seen at once.  sql/unseen.sql goes back to the default.
--
-- From there on test/regress/pinecone stores records, shows the requests that a
-- statement sent, and orders faults; its top says how.  sql/local_server.sql is
-- an example.
\set control_host `echo "$PINECONE_LOCAL_URL"`
\set api_key `echo "$PINECONE_LOCAL_KEY"`
\set host `test/regress/pinecone create :'index' :'dimension' :'metric'`
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
