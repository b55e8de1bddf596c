-- Roles, schemas and settings: whose key is sent, who sees it, where the
-- extension may live, and what must not change a request.
\set index roles
\set dimension 3
\set metric cosine
\i test/regress/setup.sql
-- messages differ between majors
\set VERBOSITY sqlstate

CREATE ROLE regress_pinecone_owner;
CREATE ROLE regress_pinecone_reader;
GRANT CREATE, USAGE ON SCHEMA public TO regress_pinecone_owner;

-- using the wrapper is granted; paths of files are for superusers
SET ROLE regress_pinecone_owner;
CREATE SERVER roles FOREIGN DATA WRAPPER pinecone_fdw;
RESET ROLE;
GRANT USAGE ON FOREIGN DATA WRAPPER pinecone_fdw TO regress_pinecone_owner;
SET ROLE regress_pinecone_owner;
CREATE SERVER roles FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'roles', ca_file '/ca.pem');
CREATE SERVER roles FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'roles', control_host :'control_host');
CREATE USER MAPPING FOR CURRENT_USER SERVER roles OPTIONS (api_key_file '/etc/passwd');
CREATE USER MAPPING FOR CURRENT_USER SERVER roles OPTIONS (api_key :'api_key');
CREATE FOREIGN TABLE role_doc (id text COLLATE "C", embedding real[], title text) SERVER roles OPTIONS (namespace 'kb');
INSERT INTO role_doc VALUES ('a', '{1,2,3}', 'A'), ('b', '{3,2,1}', 'B');
CREATE VIEW role_view AS SELECT id, title FROM role_doc;
CREATE FUNCTION role_titles() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER SET search_path = ''
AS 'SELECT title FROM public.role_doc ORDER BY embedding OPERATOR(public.<=>) ''{3,2,1}'' LIMIT 1';
GRANT SELECT ON role_view, role_doc TO regress_pinecone_reader;
RESET ROLE;

-- a view and a SECURITY DEFINER function send their owner's key
SET SESSION AUTHORIZATION regress_pinecone_reader;
SELECT * FROM role_doc;
SELECT * FROM role_view ORDER BY id;
SELECT role_titles();
CREATE USER MAPPING FOR CURRENT_USER SERVER roles OPTIONS (api_key 'x');
SELECT umoptions FROM pg_user_mappings WHERE srvname = 'roles';
RESET SESSION AUTHORIZATION;

-- two roles in one session: each its own key, also in a prepared statement
CREATE USER MAPPING FOR regress_pinecone_reader SERVER roles OPTIONS (api_key 'not-it');
PREPARE ids AS SELECT id FROM role_doc ORDER BY id;
SET ROLE regress_pinecone_owner;
EXECUTE ids;
SET ROLE regress_pinecone_reader;
EXECUTE ids;
SELECT count(*) FROM role_view;
SET ROLE regress_pinecone_owner;
EXECUTE ids;
RESET ROLE;
EXECUTE ids;
SET SESSION AUTHORIZATION regress_pinecone_reader;
SELECT usename, umoptions FROM pg_user_mappings WHERE srvname = 'roles' ORDER BY usename;
RESET SESSION AUTHORIZATION;

-- what has been written is sent with the key of the role that wrote it
BEGIN;
SET LOCAL ROLE regress_pinecone_owner;
INSERT INTO role_doc VALUES ('c', '{1,1,1}', 'C');
SET LOCAL ROLE regress_pinecone_reader;
COMMIT;
SELECT count(*) FROM role_view;
-- and not at all when the way there is gone
BEGIN;
SET LOCAL ROLE regress_pinecone_owner;
INSERT INTO role_doc VALUES ('d', '{1,1,1}', 'D');
DROP USER MAPPING FOR regress_pinecone_owner SERVER roles;
COMMIT;
SET ROLE regress_pinecone_owner;
EXECUTE ids;
RESET ROLE;

-- policies of a partitioned table, whose partitions are foreign
CREATE TABLE role_kb (tenant text, id text COLLATE "C", embedding real[]) PARTITION BY LIST (tenant);
CREATE FOREIGN TABLE role_kb_a PARTITION OF role_kb FOR VALUES IN ('a') SERVER roles OPTIONS (namespaces 'a');
ALTER FOREIGN TABLE role_kb_a ALTER tenant OPTIONS (role 'namespace');
CREATE FOREIGN TABLE role_kb_b PARTITION OF role_kb FOR VALUES IN ('b') SERVER roles OPTIONS (namespaces 'b');
ALTER FOREIGN TABLE role_kb_b ALTER tenant OPTIONS (role 'namespace');
ALTER FOREIGN TABLE role_kb_a ENABLE ROW LEVEL SECURITY;
ALTER TABLE role_kb ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON role_kb USING (tenant = current_setting('regress.tenant'));
GRANT ALL ON role_kb TO regress_pinecone_owner;
SET regress.tenant = 'a';
SET ROLE regress_pinecone_owner;
INSERT INTO role_kb VALUES ('b', '1', '{1,2,3}');
INSERT INTO role_kb VALUES ('a', '1', '{1,2,3}');
SET regress.tenant = 'b';
SELECT * FROM role_kb;
SET regress.tenant = 'a';
SELECT * FROM role_kb ORDER BY embedding <=> '{1,1,1}' LIMIT 3;
SELECT * FROM role_kb_a;
RESET ROLE;
DROP TABLE role_kb;

-- views that show each role its own rows show no others to a function that sees them first
SELECT c.relname, c.reloptions FROM pg_class c
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'pinecone_fdw' AND c.relkind = 'v' AND pg_get_viewdef(c.oid) ~ 'pg_has_role' ORDER BY c.relname COLLATE "C";

-- nor does pg_write_all_data write to tables whose rows are carried out as others
CREATE ROLE regress_pinecone_writer;
GRANT pg_read_all_data, pg_write_all_data TO regress_pinecone_writer;
SET ROLE regress_pinecone_writer;
INSERT INTO pinecone_outbox VALUES (1, 'role_doc', 'regress_pinecone_owner', 'kb', 'a', NULL, NULL, NULL, NULL, NULL, NULL, now());
DELETE FROM pinecone_outbox;
INSERT INTO pinecone_outbox_dead SELECT q.*, '', now() FROM pinecone_outbox q;
UPDATE pinecone_outbox_state SET retry_at = NULL;
UPDATE pinecone_mirrors SET condition = 'public.mine()', owner = 'regress_pinecone_owner';
INSERT INTO pinecone_mirror_changes VALUES (1, 't', NULL, NULL, now());
DELETE FROM pinecone_mirror_dead;
RESET ROLE;
DROP ROLE regress_pinecone_writer;
DELETE FROM pinecone_outbox;
-- all of these tables are guarded
SELECT count(*), count(*) FILTER (WHERE EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'pinecone_guard')) AS guarded
FROM pg_class c
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'pinecone_fdw' AND c.relkind = 'r';

-- the extension moves to another schema, and works where the path is empty
CREATE SCHEMA "Pinecone things";
GRANT USAGE ON SCHEMA "Pinecone things" TO regress_pinecone_owner;
SET ROLE regress_pinecone_owner;
CREATE VIEW role_nearest AS SELECT id FROM role_doc WHERE pinecone_match('{"a": 1}', '{"a": 1}') ORDER BY embedding <=> '{3,2,1}' LIMIT 2;
RESET ROLE;
ALTER EXTENSION pinecone_fdw SET SCHEMA "Pinecone things";
SET search_path = '';
SET ROLE regress_pinecone_owner;
SELECT id FROM public.role_doc ORDER BY embedding OPERATOR("Pinecone things".<=>) '{1,2,3}' LIMIT 1;
EXPLAIN (COSTS OFF) SELECT id FROM public.role_doc ORDER BY embedding OPERATOR("Pinecone things".<=>) '{1,2,3}' LIMIT 1;
SELECT regime_id, local_unity_ok_post FROM "Pinecone things".huf_coherence_map(ARRAY[('n', 'i', 0.5)::"Pinecone things".huf_hit], 0.01);
SELECT "Pinecone things".huf_mrl("Pinecone things".huf_sketch(embedding)) > 0 FROM public.role_doc;
RESET ROLE;
RESET search_path;
SELECT * FROM role_nearest;
ALTER EXTENSION pinecone_fdw SET SCHEMA public;
DROP SCHEMA "Pinecone things";

-- settings that change how values are shown do not change what is sent
SET ROLE regress_pinecone_owner;
CREATE FOREIGN TABLE role_type (id text COLLATE "C", embedding real[], f float8, r real, n numeric, t timestamptz, at timestamp, d date, e timestamptz OPTIONS (format 'epoch'), s text)
SERVER roles OPTIONS (namespace 'types');
CREATE FUNCTION role_write() RETURNS void LANGUAGE sql AS $$
  INSERT INTO role_type VALUES ('x', '{0.1,1e-10,3.3333333}', 1.0::float8 / 3, 0.1, 1234567.891, make_timestamptz(2024, 3, 1, 12, 34, 56.789, 'UTC'),
    make_timestamp(2024, 3, 1, 12, 34, 56.789), make_date(2024, 3, 1), make_timestamptz(2024, 3, 1, 0, 0, 0.5, 'UTC'), chr(92) || chr(39));
  UPDATE role_type SET f = 2.0::float8 / 3, d = make_date(2024, 3, 2) WHERE n = 1234567.891 AND d = make_date(2024, 3, 1) AND f <= 1.0::float8 / 3;
  SELECT FROM role_type ORDER BY embedding <=> ARRAY[0.1, 1.0 / 3, 1e-7]::real[] LIMIT 1;
$$;
\! test/regress/pinecone quiet
SELECT role_write();
\! test/regress/pinecone log 'upsert|update|query'
TRUNCATE role_type;
\! test/regress/pinecone quiet
SET datestyle = 'SQL, DMY';
SET extra_float_digits = -15;
SET timezone = 'Asia/Kathmandu';
SET intervalstyle = 'sql_standard';
-- PostgreSQL 19 has these no more
SELECT current_setting('server_version_num')::int < 190000 AS strings_may_be_old \gset
\if :strings_may_be_old
SET standard_conforming_strings = off;
SET escape_string_warning = off;
\endif
SET quote_all_identifiers = on;
SET bytea_output = 'escape';
SELECT role_write();
\! test/regress/pinecone log 'upsert|update|query'
RESET ROLE;

-- where keys may go is asked again when the answer has changed
SELECT replace(:'control_host', '127.0.0.1', '0.0.0.0') AS elsewhere \gset
CREATE SERVER elsewhere FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'roles', control_host :'elsewhere');
CREATE USER MAPPING FOR CURRENT_USER SERVER elsewhere OPTIONS (api_key :'api_key');
CREATE FOREIGN TABLE role_elsewhere (id text) SERVER elsewhere OPTIONS (namespace 'kb');
\set VERBOSITY terse
SELECT count(*) FROM role_elsewhere;
SET pinecone_fdw.allowed_hosts = '*.pinecone.io, 0.0.0.0';
SELECT count(*) FROM role_elsewhere;
SET pinecone_fdw.allow_http_hosts = '0.0.0.0';
SELECT count(*) FROM role_elsewhere;
RESET pinecone_fdw.allowed_hosts;
SELECT count(*) FROM role_elsewhere;
DROP SERVER elsewhere CASCADE;

-- without a right to a table that is what is said, with or without a mapping
CREATE ROLE regress_pinecone_nobody;
GRANT USAGE ON SCHEMA public TO regress_pinecone_nobody;
SET ROLE regress_pinecone_nobody;
SELECT count(*) FROM role_doc;
EXPLAIN SELECT id FROM role_doc ORDER BY embedding <=> '{3,2,1}' LIMIT 1;
SELECT 1 FROM role_type t JOIN role_doc d ON t.id = d.id;
UPDATE role_doc SET title = 'x';
DELETE FROM role_doc WHERE id = 'a';
INSERT INTO role_doc VALUES ('n', '{1,1,1}', 'n');
TRUNCATE role_doc;
RESET ROLE;
GRANT SELECT (id) ON role_doc TO regress_pinecone_nobody;
SET ROLE regress_pinecone_nobody;
\set VERBOSITY sqlstate
SELECT count(id) FROM role_doc;
RESET ROLE;
DROP OWNED BY regress_pinecone_nobody;
DROP ROLE regress_pinecone_nobody;

\set VERBOSITY default
DROP SERVER roles CASCADE;
DROP FUNCTION role_titles(), role_write();
REVOKE ALL ON FOREIGN DATA WRAPPER pinecone_fdw FROM regress_pinecone_owner;
REVOKE ALL ON SCHEMA public FROM regress_pinecone_owner;
DROP ROLE regress_pinecone_owner, regress_pinecone_reader;
