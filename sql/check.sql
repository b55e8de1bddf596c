-- What pinecone_check() finds, and that its remedies mend it
\set VERBOSITY terse
SET client_min_messages = error;
CREATE ROLE check_owner;
CREATE SERVER check_server FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'movies-1.svc.pinecone.io');
CREATE USER MAPPING FOR PUBLIC SERVER check_server OPTIONS (api_key_file '/etc/pinecone/api-key');
CREATE USER MAPPING FOR CURRENT_USER SERVER check_server OPTIONS (api_key 'secret-key');
CREATE FOREIGN TABLE check_table (id text, embedding real[]) SERVER check_server;
RESET client_min_messages;
CREATE VIEW checked AS
SELECT severity, object, finding, remedy FROM pinecone_check()
WHERE (object ~ 'check_' OR object ~ 'hosts$') AND object !~ 'loopback';
SELECT severity, regexp_replace(object, 'for \w+,', 'for ROLE,') AS object, finding, regexp_replace(remedy, 'FOR (?!PUBLIC)\w+', 'FOR ROLE') AS remedy FROM checked;

GRANT pg_read_all_data TO check_owner;
GRANT USAGE ON FOREIGN SERVER check_server TO PUBLIC, check_owner;
ALTER SERVER check_server OWNER TO check_owner;
GRANT SELECT, INSERT, DELETE ON check_table TO PUBLIC;
GRANT EXECUTE ON FUNCTION pinecone_delete_index TO PUBLIC;
SET pinecone_fdw.allowed_hosts = '*.pinecone.io, *.io, *';
SET pinecone_fdw.allow_http_hosts = 'inside.example';
ALTER SERVER check_server OPTIONS (SET host 'http://inside.example');
CREATE SERVER check_hosts FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (hosts 'b.pinecone.io, eu-west-1=http://inside.example, http://127.0.0.1:5080', allowed_regions 'eu-west-1');
SELECT severity, object, finding, regexp_replace(remedy, 'OWNER TO .*', 'OWNER TO ROLE') AS remedy FROM checked WHERE object !~ 'user mapping';
SELECT object, remedy FROM pinecone_check() WHERE object ~ '^function';

-- The remedies mend
SET pinecone_fdw.allowed_hosts = '*.pinecone.io';
SET pinecone_fdw.allow_http_hosts = '';
DO $$
DECLARE
	remedy text;
BEGIN
	FOR remedy IN SELECT c.remedy FROM pinecone_check() c WHERE object ~ 'check_|^function' LOOP
		EXECUTE remedy;
	END LOOP;
END $$;
SELECT count(*) FROM pinecone_check() WHERE object ~ 'check_|^function';

-- For superusers, whatever names mean to them
SET ROLE check_owner;
SELECT pinecone_check();
RESET ROLE;
CREATE SCHEMA mine;
CREATE FUNCTION mine.btrim(text) RETURNS text LANGUAGE sql AS $$ SELECT '*' $$;
SET search_path = mine, public, pg_catalog;
SELECT count(*) FROM pinecone_check() WHERE severity = 'high';
RESET search_path;
SET client_min_messages = error;
DROP SCHEMA mine CASCADE;
DROP VIEW checked;
DROP FOREIGN TABLE check_table;
DROP SERVER check_server CASCADE;
DROP SERVER check_hosts;
DROP ROLE check_owner;
