-- Servers, user mappings and tables that change in a transaction that has written
\set index altered-other
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
\set index altered
\i test/regress/setup.sql
-- details have ports in them
\set VERBOSITY terse
CREATE FOREIGN TABLE t (id text COLLATE "C", embedding real[], n int) SERVER pinecone;
CREATE FOREIGN TABLE altered_queue (id text COLLATE "C", embedding real[], n int) SERVER pinecone OPTIONS (namespace 'queued', write_mode 'outbox');
CREATE SERVER other FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'altered-other', control_host :'control_host');
CREATE USER MAPPING FOR CURRENT_USER SERVER other OPTIONS (api_key :'api_key');
CREATE FOREIGN TABLE there (id text COLLATE "C", embedding real[], n int) SERVER other;
-- What was written for one index is not sent to another
BEGIN;
INSERT INTO t VALUES ('a', '{1,0}', 1);
ALTER SERVER pinecone OPTIONS (SET index 'altered-other');
COMMIT;
-- nor laid over what that holds, nor added to
BEGIN;
INSERT INTO t VALUES ('a', '{1,0}', 1);
ALTER SERVER pinecone OPTIONS (SET index 'altered-other');
SAVEPOINT s;
SELECT id FROM t;
ROLLBACK TO s;
INSERT INTO t VALUES ('b', '{1,0}', 2);
ROLLBACK TO s;
UPDATE t SET n = 3 WHERE id = 'a';
ROLLBACK;
-- Before anything is written, or when what was written is taken back, it may be
BEGIN;
SAVEPOINT s;
INSERT INTO t VALUES ('a', '{1,0}', 1);
ROLLBACK TO s;
ALTER SERVER pinecone OPTIONS (SET index 'altered-other');
INSERT INTO t VALUES ('c', '{1,0}', 3);
SELECT id FROM t;
COMMIT;
SELECT id FROM there;
ALTER SERVER pinecone OPTIONS (SET index 'altered');
SELECT id FROM t;
-- and so it may when that is taken back
BEGIN;
INSERT INTO t VALUES ('d', '{1,0}', 4);
SAVEPOINT s;
ALTER SERVER pinecone OPTIONS (SET index 'altered-other');
ROLLBACK TO s;
INSERT INTO t VALUES ('e', '{1,0}', 5);
COMMIT;
SELECT id FROM t ORDER BY id;
-- Other options serve what is sent from then on
BEGIN;
INSERT INTO t VALUES ('f', '{1,0}', 6);
ALTER SERVER pinecone OPTIONS (ADD request_timeout '20s');
ALTER USER MAPPING FOR CURRENT_USER SERVER pinecone OPTIONS (SET api_key 'no-key');
SAVEPOINT s;
ALTER USER MAPPING FOR CURRENT_USER SERVER pinecone OPTIONS (SET api_key :'api_key');
INSERT INTO t VALUES ('g', '{1,0}', 7);
COMMIT;
BEGIN;
INSERT INTO t VALUES ('h', '{1,0}', 6);
ALTER USER MAPPING FOR CURRENT_USER SERVER pinecone OPTIONS (SET api_key 'no-key');
COMMIT;
-- A table's namespace is that of when it was written to
BEGIN;
INSERT INTO t VALUES ('i', '{1,0}', 8);
ALTER FOREIGN TABLE t OPTIONS (ADD namespace 'later');
INSERT INTO t VALUES ('j', '{1,0}', 9);
SELECT id FROM t;
COMMIT;
SELECT id FROM t;
ALTER FOREIGN TABLE t OPTIONS (DROP namespace);
SELECT id FROM t ORDER BY id;
-- What is gone is not sent to
BEGIN;
INSERT INTO t VALUES ('k', '{1,0}', 10);
SET LOCAL client_min_messages = warning;
DROP SERVER pinecone CASCADE;
COMMIT;
SELECT count(*) FROM t WHERE id = 'k';
-- The queue waits for no host: what is in it goes where the server is when it is delivered
BEGIN;
INSERT INTO altered_queue VALUES ('q', '{1,0}', 1);
ALTER SERVER pinecone OPTIONS (SET index 'altered-other');
COMMIT;
SELECT delivered, dead, waiting FROM pinecone_deliver();
ALTER FOREIGN TABLE there OPTIONS (ADD namespace 'queued');
SELECT id FROM there;
-- Who is one of several with the same user mapping
DROP USER MAPPING FOR CURRENT_USER SERVER pinecone;
CREATE USER MAPPING FOR PUBLIC SERVER pinecone OPTIONS (api_key :'api_key');
CREATE ROLE regress_altered_one;
CREATE ROLE regress_altered_two;
GRANT SELECT, INSERT, DELETE ON altered_queue, t TO regress_altered_one, regress_altered_two;
CREATE VIEW of_two AS SELECT * FROM t;
ALTER VIEW of_two OWNER TO regress_altered_two;
GRANT SELECT ON of_two TO regress_altered_one;
SET ROLE regress_altered_one;
INSERT INTO altered_queue (id, embedding) SELECT id || '1', embedding FROM of_two;
RESET ROLE;
SELECT writer, id FROM pinecone_outbox ORDER BY seq;
-- Of a server or role that is gone the status says nothing, lest its last failure be told for ever
INSERT INTO pinecone_outbox_state (server, writer, failures, last_error) VALUES ('gone', current_user::regrole, 5, 'it was away'), ('pinecone', 4294967295::oid::regrole, 5, 'it was away');
SELECT server, writer, failures FROM pinecone_outbox_status WHERE failures > 0;
TRUNCATE pinecone_outbox, pinecone_outbox_state;
DROP VIEW of_two;
DROP SERVER other CASCADE;
DROP SERVER pinecone CASCADE;
DROP ROLE regress_altered_one, regress_altered_two;
