-- A key in a file: read again when the file changes, within one session.
\set index keyfile
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
SELECT '{"id": "x", "values": [1, 2]}' \g (format=unaligned tuples_only=on) |test/regress/pinecone upsert keyfile
\set key_file `mktemp /tmp/pinecone_fdw_key.XXXXXX`
\setenv KEY_FILE :key_file
\! chmod 644 "$KEY_FILE"
-- whoever may read it: a warning, which names a path that changes
SET client_min_messages = error;
-- a newline behind the key is not part of it
\! echo "$PINECONE_LOCAL_KEY" >"$KEY_FILE"
ALTER USER MAPPING FOR CURRENT_USER SERVER pinecone OPTIONS (DROP api_key, ADD api_key_file :'key_file');
CREATE FOREIGN TABLE t (id text) SERVER pinecone;
SELECT id FROM t;
-- another key, which the server does not know
\! echo wrong >"$KEY_FILE"
\set VERBOSITY terse
SELECT id FROM t;
-- the right one, in a file put in the place of the other
\! printf %s "$PINECONE_LOCAL_KEY" >"$KEY_FILE.new"; chmod 644 "$KEY_FILE.new"; mv "$KEY_FILE.new" "$KEY_FILE"
SELECT id FROM t;
-- files that hold no key
\set VERBOSITY sqlstate
\! : >"$KEY_FILE"
SELECT id FROM t;
\! printf 'two\nlines\n' >"$KEY_FILE"
SELECT id FROM t;
\! printf 'nul\0byte' >"$KEY_FILE"
SELECT id FROM t;
\! head -c 5000 /dev/zero | tr '\0' k >"$KEY_FILE"
SELECT id FROM t;
\! rm "$KEY_FILE"
SELECT id FROM t;
\! mkfifo "$KEY_FILE"
SELECT id FROM t;
-- and one that does again
\! rm "$KEY_FILE"; echo "$PINECONE_LOCAL_KEY" >"$KEY_FILE"; chmod 644 "$KEY_FILE"
SELECT id FROM t;
\set VERBOSITY default
\! rm "$KEY_FILE"
DROP FOREIGN TABLE t;
\! test/regress/pinecone drop keyfile
