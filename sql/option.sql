-- Options of servers, user mappings, tables and columns: what is refused, and what it says.
-- a server takes its options, in any spelling a GUC would
CREATE SERVER good FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'https://kb-abc123.svc.pinecone.io:443',
  api_version '2025-10', connect_timeout '5s', request_timeout '1500', max_retries '0', max_concurrency '8',
  on_type_error 'null', count_from_stats 'off', count_from_dry_run 'no');
-- misplaced, misspelt and unknown options, with what would be valid
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (hostz 'x');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (api_key 'x');
CREATE USER MAPPING FOR CURRENT_USER SERVER good OPTIONS (host 'x');
CREATE FOREIGN TABLE bad (id text) SERVER good OPTIONS (host 'x');
CREATE FOREIGN TABLE bad (id text OPTIONS (namespace 'x')) SERVER good;
CREATE FOREIGN DATA WRAPPER bad HANDLER pinecone_fdw_handler VALIDATOR pinecone_fdw_validator OPTIONS (host 'x');
-- hosts are names, not URLs
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'https://kb.pinecone.io/query');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'https://user@kb.pinecone.io');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'ftp://kb.pinecone.io');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'kb.pinecone.io:99999');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host '');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host E'kb.pinecone.io\r\nX: y');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (control_host 'api.pinecone.io?x');
ALTER SERVER good OPTIONS (SET host '[::1]:5080');
ALTER SERVER good OPTIONS (SET host 'localhost');
-- by host or by name, not both
ALTER SERVER good OPTIONS (index 'kb');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'a/b');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index '');
-- numbers, times, choices, flags
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (max_retries '-1');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (max_concurrency '0');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (max_concurrency '1001');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (max_concurrency 'many');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (connect_timeout '5 parsecs');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (request_timeout '0');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (rate_limits 'query 50, list 0, query 20');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (on_type_error 'ignore');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (on_type_error 'error|null');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (count_from_stats 'perhaps');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (ca_file 'ca.pem');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (api_version '2025 10');

-- keys: one line of printable ASCII, and not shown when refused
CREATE USER MAPPING FOR CURRENT_USER SERVER good OPTIONS (api_key '');
CREATE USER MAPPING FOR CURRENT_USER SERVER good OPTIONS (api_key E'sesame\nX-Other: 1');
CREATE USER MAPPING FOR CURRENT_USER SERVER good OPTIONS (api_key 'two words');
CREATE USER MAPPING FOR CURRENT_USER SERVER good OPTIONS (api_key_file 'relative');
CREATE USER MAPPING FOR CURRENT_USER SERVER good OPTIONS (api_key 'sesame', api_key_file '/etc/key');
CREATE USER MAPPING FOR CURRENT_USER SERVER good OPTIONS (api_key 'sesame');

-- files are for superusers: no one else sets them, or changes a mapping or server that has one
CREATE ROLE regress_pinecone_user;
GRANT USAGE ON FOREIGN DATA WRAPPER pinecone_fdw TO regress_pinecone_user;
GRANT USAGE ON FOREIGN SERVER good TO regress_pinecone_user;
SET ROLE regress_pinecone_user;
CREATE USER MAPPING FOR CURRENT_USER SERVER good OPTIONS (api_key_file '/etc/passwd');
CREATE USER MAPPING FOR CURRENT_USER SERVER good OPTIONS (api_key 'sesame');
ALTER USER MAPPING FOR CURRENT_USER SERVER good OPTIONS (DROP api_key, ADD api_key_file '/etc/passwd');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (ca_file '/etc/passwd');
RESET ROLE;
ALTER USER MAPPING FOR regress_pinecone_user SERVER good OPTIONS (DROP api_key, ADD api_key_file '/nonexistent/key');
SET ROLE regress_pinecone_user;
ALTER USER MAPPING FOR CURRENT_USER SERVER good OPTIONS (ADD api_key 'sesame');
ALTER USER MAPPING FOR CURRENT_USER SERVER good OPTIONS (SET api_key_file '/etc/passwd');
SET pinecone_fdw.allowed_hosts = '*';
SET pinecone_fdw.allow_http_hosts = '*';
RESET ROLE;

-- tables and columns
CREATE FOREIGN TABLE bad (id text) SERVER good OPTIONS (namespace 'schön');
CREATE FOREIGN TABLE bad (id text OPTIONS (role 'key')) SERVER good;
CREATE FOREIGN TABLE bad (id text, a text OPTIONS (field '$a')) SERVER good;
CREATE FOREIGN TABLE bad (id text OPTIONS (role 'id', field 'a')) SERVER good;
CREATE FOREIGN TABLE bad (score real OPTIONS (role 'score', format 'epoch')) SERVER good;
CREATE FOREIGN TABLE bad (id text, at timestamptz OPTIONS (format 'unix')) SERVER good;

-- roles need their types; that shows when the table is used
CREATE FOREIGN TABLE typed (id text, embedding float8[]) SERVER good;
SELECT id FROM typed;
DROP FOREIGN TABLE typed;
CREATE FOREIGN TABLE typed (id text, emb real[] OPTIONS (role 'field')) SERVER good;
SELECT id FROM typed;
ALTER FOREIGN TABLE typed ALTER emb OPTIONS (SET role 'values');
EXPLAIN (COSTS OFF) SELECT emb FROM typed;
DROP FOREIGN TABLE typed;
CREATE FOREIGN TABLE typed (id date) SERVER good;
EXPLAIN SELECT * FROM typed;
DROP FOREIGN TABLE typed;
CREATE FOREIGN TABLE typed (id text, v text OPTIONS (role 'values')) SERVER good;
EXPLAIN SELECT * FROM typed;
DROP FOREIGN TABLE typed;
CREATE FOREIGN TABLE typed (id text, s int OPTIONS (role 'score')) SERVER good;
EXPLAIN SELECT * FROM typed;
DROP FOREIGN TABLE typed;
CREATE FOREIGN TABLE typed (id text, m json OPTIONS (role 'metadata')) SERVER good;
EXPLAIN SELECT * FROM typed;
DROP FOREIGN TABLE typed;
CREATE FOREIGN TABLE typed (id text, place point) SERVER good;
EXPLAIN SELECT * FROM typed;
DROP FOREIGN TABLE typed;
CREATE FOREIGN TABLE typed (id text, year int OPTIONS (format 'epoch')) SERVER good;
EXPLAIN SELECT * FROM typed;
DROP FOREIGN TABLE typed;
CREATE FOREIGN TABLE typed (id text, "$a" int) SERVER good;
EXPLAIN SELECT * FROM typed;
DROP FOREIGN TABLE typed;
-- and each role but "field" one column
CREATE FOREIGN TABLE typed (id text, other text OPTIONS (role 'id')) SERVER good;
EXPLAIN SELECT * FROM typed;
DROP FOREIGN TABLE typed;
CREATE FOREIGN TABLE typed (id text, embedding real[], "values" real[]) SERVER good;
EXPLAIN SELECT * FROM typed;
DROP FOREIGN TABLE typed;

-- a server without a place, and one without a key
CREATE SERVER nowhere FOREIGN DATA WRAPPER pinecone_fdw;
CREATE USER MAPPING FOR CURRENT_USER SERVER nowhere OPTIONS (api_key 'sesame');
CREATE FOREIGN TABLE lost (id text) SERVER nowhere;
SELECT * FROM lost;
CREATE SERVER keyless FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'http://127.0.0.1:9');
CREATE USER MAPPING FOR CURRENT_USER SERVER keyless;
CREATE FOREIGN TABLE locked (id text) SERVER keyless;
SELECT * FROM locked;
ALTER USER MAPPING FOR CURRENT_USER SERVER keyless OPTIONS (api_key_file '/nonexistent/key');
SELECT * FROM locked;
ALTER USER MAPPING FOR CURRENT_USER SERVER keyless OPTIONS (SET api_key_file '/');
SELECT * FROM locked;
-- a host that no superuser has allowed gets no key
ALTER SERVER keyless OPTIONS (SET host 'evil.example.com');
ALTER USER MAPPING FOR CURRENT_USER SERVER keyless OPTIONS (DROP api_key_file, ADD api_key 'sesame');
SELECT * FROM locked;
ALTER SERVER keyless OPTIONS (SET host 'http://kb.pinecone.io');
SELECT * FROM locked;

-- a wrapper without the validator: hosts, keys and numbers are looked at when they are used
CREATE FOREIGN DATA WRAPPER regress_unchecked HANDLER pinecone_fdw_handler;
CREATE SERVER unchecked FOREIGN DATA WRAPPER regress_unchecked OPTIONS (host 'http://127.0.0.1:9@evil.example.com', max_retries 'many');
CREATE USER MAPPING FOR CURRENT_USER SERVER unchecked OPTIONS (api_key E'sesame\r\nHost: evil.example.com');
CREATE FOREIGN TABLE unlocked (id text) SERVER unchecked;
SELECT * FROM unlocked;
ALTER SERVER unchecked OPTIONS (SET host 'http://127.0.0.1:9');
SELECT * FROM unlocked;
ALTER SERVER unchecked OPTIONS (SET max_retries '0');
SELECT * FROM unlocked;
DROP FOREIGN DATA WRAPPER regress_unchecked CASCADE;

-- settings
SHOW pinecone_fdw.prefetch;
SHOW pinecone_fdw.stats_ttl;
\set VERBOSITY sqlstate
SET pinecone_fdw.prefetch = '1TB';
\set VERBOSITY default

SET client_min_messages = warning;
DROP SERVER good, nowhere, keyless CASCADE;
RESET client_min_messages;
REVOKE ALL ON FOREIGN DATA WRAPPER pinecone_fdw FROM regress_pinecone_user;
DROP ROLE regress_pinecone_user;
