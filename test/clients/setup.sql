-- setup.sql: what all clients read and write, by run.sh.  :url and :key are pinecone-local's.
--
--	items, items_local		3,000 records, and the same as a local table
--	items_vector			items, with a vector column of pgvector
--	orders					a local table, to join with
--	notes, notes_local		empty before each run: to write into
--	question(NAME)			what follows is this question; its requests are counted, until the next
--	slow(MS)				replies to searches come MS milliseconds later; 0: no more
\set ON_ERROR_STOP on
CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION pinecone_fdw;
-- So that ON CONFLICT (id) finds the library in a new session, too: docs/clients.md
SELECT format('ALTER DATABASE %I SET session_preload_libraries = ''pinecone_fdw''', current_database()) \gexec
-- What is sent does not depend on what was written a moment ago
SELECT format('ALTER DATABASE %I SET pinecone_fdw.unseen_time = 0', current_database()) \gexec
CREATE SERVER clients FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'clients', control_host :'url');
CREATE USER MAPPING FOR CURRENT_USER SERVER clients OPTIONS (api_key :'key');

CREATE FOREIGN TABLE items (
	id text COLLATE "C" NOT NULL, embedding real[], title text, category text, year integer, price double precision,
	tags text[], metadata jsonb, score double precision
) SERVER clients OPTIONS (namespace 'items');
CREATE FOREIGN TABLE items_vector (
	id text COLLATE "C" NOT NULL, embedding vector(8), title text, category text, year integer, price double precision,
	tags text[], metadata jsonb, score double precision
) SERVER clients OPTIONS (namespace 'items');
CREATE FOREIGN TABLE notes (
	id text COLLATE "C" NOT NULL, embedding real[], title text, year integer, metadata jsonb
) SERVER clients OPTIONS (namespace 'notes');
CREATE TABLE notes_local (id text COLLATE "C" PRIMARY KEY, embedding real[], title text, year integer, metadata jsonb);

CREATE TABLE orders (number integer PRIMARY KEY, customer text NOT NULL, item_id text NOT NULL);
INSERT INTO orders SELECT n, 'customer ' || n % 4, 'item-' || lpad((n * 37 % 3000)::text, 5, '0') FROM generate_series(1, 40) AS n;

CREATE TABLE asking (client text, via text, question text, paths jsonb);
INSERT INTO asking DEFAULT VALUES;
CREATE TABLE asked (client text, via text, question text, requests integer, paths jsonb);
CREATE TABLE reply (body jsonb);
CREATE FUNCTION ask_server(arguments text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	answer jsonb;
BEGIN
	DELETE FROM reply;
	EXECUTE format('COPY reply FROM PROGRAM %L WITH (FORMAT csv, DELIMITER E''\x01'', QUOTE E''\x02'')',
		'curl -sS ' || arguments);
	SELECT body INTO answer FROM reply;
	RETURN answer;
END $$;
SELECT format($f$
	CREATE FUNCTION question(name text) RETURNS integer LANGUAGE plpgsql AS $$
	DECLARE
		counted jsonb := ask_server('%1$s/_local/requests?count=1');
	BEGIN
		-- what a session asks once, of an index and of a name, is no question's
		INSERT INTO asked SELECT client, via, question, coalesce(sum(n), 0), jsonb_object_agg(path, n) FILTER (WHERE n > 0)
			FROM asking LEFT JOIN LATERAL (SELECT path, now::integer - coalesce((paths ->> path)::integer, 0) AS n
				FROM jsonb_each_text(counted -> 'paths') AS _ (path, now) WHERE path !~ '^GET /(indexes|namespace-aliases)/') AS _ ON true
			WHERE question IS NOT NULL GROUP BY client, via, question;
		UPDATE asking SET question = name, paths = counted -> 'paths';
		RETURN (counted ->> 'count')::integer;
	END $$;
	CREATE FUNCTION slow(ms integer) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM ask_server('-X DELETE %1$s/_local/faults');
		IF ms > 0 THEN
			PERFORM ask_server(format('%1$s/_local/faults -d ''{"path": "/query", "count": -1, "delay_ms": %%s}''', ms));
		END IF;
	END $$;
$f$, :'url') \gexec
