-- Options: where they may stand, what values they take, what a table makes of them.
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'localhost:1', api_key 'x');
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'localhost:1', index 'movies');
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'http://user@host/path');
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'localhost:99999');
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'localhost', request_timeout 'soon');
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'localhost', max_concurrency '0');
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'localhost', ca_file 'relative.pem');
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'localhost', on_type_error 'ignore');
CREATE FOREIGN DATA WRAPPER own HANDLER pinecone_fdw_handler VALIDATOR pinecone_fdw_validator OPTIONS (host 'x');
CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw
  OPTIONS (host 'https://example.svc.pinecone.io', request_timeout '5s', connect_timeout '700', on_type_error 'null');

-- keys: for the mapping alone, and fit for a header
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (host 'x');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key E'two\nlines');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key_file 'relative');
CREATE USER MAPPING FOR CURRENT_USER SERVER s;

-- tables and columns
CREATE FOREIGN TABLE t (id text) SERVER s OPTIONS (name_space 'x');
CREATE FOREIGN TABLE t (id text OPTIONS (role 'key')) SERVER s;
CREATE FOREIGN TABLE t (id text, x int OPTIONS (field '$x')) SERVER s;
CREATE FOREIGN TABLE t (id int) SERVER s;
EXPLAIN SELECT * FROM t;
DROP FOREIGN TABLE t;
CREATE FOREIGN TABLE t (id int OPTIONS (role 'id')) SERVER s;
SELECT * FROM t;
DROP FOREIGN TABLE t;
CREATE FOREIGN TABLE t (id text, embedding real[], values real[]) SERVER s;
SELECT * FROM t;
DROP FOREIGN TABLE t;
CREATE FOREIGN TABLE t (id text, p point) SERVER s;
SELECT * FROM t;
DROP FOREIGN TABLE t;

-- no key, no host, a host that keys may not go to
CREATE FOREIGN TABLE t (id text) SERVER s;
SELECT * FROM t;
CREATE SERVER empty FOREIGN DATA WRAPPER pinecone_fdw;
CREATE USER MAPPING FOR CURRENT_USER SERVER empty OPTIONS (api_key 'secret');
CREATE FOREIGN TABLE e (id text) SERVER empty;
SELECT * FROM e;
ALTER SERVER empty OPTIONS (ADD host 'evil.example.com');
SELECT * FROM e;
ALTER SERVER empty OPTIONS (SET host 'http://x.pinecone.io');
SELECT * FROM e;
SET pinecone_fdw.allowed_hosts = 'evil.example.com';
RESET pinecone_fdw.allowed_hosts;

-- what only superusers may do
CREATE ROLE regress_pinecone;
GRANT USAGE ON FOREIGN DATA WRAPPER pinecone_fdw TO regress_pinecone;
GRANT USAGE ON FOREIGN SERVER s TO regress_pinecone;
SET ROLE regress_pinecone;
CREATE SERVER mine FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'localhost', ca_file '/etc/passwd');
CREATE USER MAPPING FOR regress_pinecone SERVER s OPTIONS (api_key_file '/etc/passwd');
SET pinecone_fdw.allowed_hosts = '*';
CREATE USER MAPPING FOR regress_pinecone SERVER s OPTIONS (api_key 'their own');
CREATE USER MAPPING FOR regress_pinecone SERVER s OPTIONS (api_key 'theirown');
RESET ROLE;
SET client_min_messages = warning;
DROP SERVER s CASCADE;
DROP SERVER empty CASCADE;
DROP OWNED BY regress_pinecone;
DROP ROLE regress_pinecone;
RESET client_min_messages;
