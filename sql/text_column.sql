-- The records' text as a column of its own, and times that keep their spelling.
\set index texts
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
-- as LangChain's stores have it: a text under a key, and metadata beside it
CREATE FOREIGN TABLE store (id text COLLATE "C" DEFAULT gen_random_uuid()::text, embedding real[], content text OPTIONS (role 'text'), metadata jsonb, source text, score real)
  SERVER pinecone OPTIONS (namespace 'store');
INSERT INTO store (id, embedding, content, metadata) VALUES ('a', '{1,0}', 'one', '{"source": "x", "n": 1}'), ('b', '{0,1}', 'two', '{"source": "y", "n": 2}'), ('c', '{1,1}', NULL, '{"source": "z"}');
\! test/regress/pinecone get texts '/vectors/fetch?ids=a&namespace=store'
SELECT id, content, metadata, source FROM store ORDER BY id;
-- what is not in the object is not found there, and where it is found it is sent
SELECT id FROM store WHERE metadata @> '{"text": "one"}';
SELECT id FROM store WHERE metadata ->> 'text' = 'one';
SELECT count(*) FROM store WHERE metadata ? 'text';
SELECT count(*) FROM store WHERE NOT metadata ? 'text';
SELECT id FROM store WHERE metadata ?| ARRAY['text', 'n'] ORDER BY id;
SELECT id FROM store WHERE metadata ?& ARRAY['text', 'n'] ORDER BY id;
SELECT id FROM store WHERE pinecone_match(metadata, '{"text": {"$eq": "one"}}');
SELECT id FROM store WHERE pinecone_match(metadata, '{"n": {"$gt": 1}}');
\! test/regress/pinecone quiet
SELECT id FROM store WHERE content = 'one';
SELECT id FROM store WHERE metadata @> '{"n": 2}';
SELECT id FROM store WHERE content IS NULL;
\! test/regress/pinecone log 'fetch|update|query'
-- all of that by a copy
CREATE TEMP TABLE copy AS SELECT * FROM store;
SELECT count(*) FROM (SELECT id, content, metadata FROM store EXCEPT SELECT id, content, metadata FROM copy) d;
-- a new object leaves the text alone; it cannot name it
UPDATE store SET metadata = '{"n": 7}' WHERE id = 'a' RETURNING id, content, metadata;
UPDATE store SET metadata = metadata || '{"n": 8}' WHERE id = 'a' RETURNING content, metadata;
UPDATE store SET content = 'uno' WHERE id = 'a' RETURNING content, metadata;
UPDATE store SET content = NULL, metadata = '{"k": true}' WHERE id = 'b' RETURNING content, metadata;
SELECT id, content, metadata FROM store ORDER BY id;
UPDATE store SET metadata = '{"text": "other"}' WHERE id = 'a';
UPDATE store SET metadata = metadata || '{"text": "other"}';
INSERT INTO store (id, embedding, metadata) VALUES ('new', '{1,1}', '{"text": "other"}');
BEGIN;
UPDATE store SET metadata = '{"n": 9}' WHERE id = 'a';
SELECT content, metadata FROM store WHERE id = 'a';
SELECT id FROM store WHERE metadata @> '{"n": 9}';
ROLLBACK;
-- without an id, and by several at once
INSERT INTO store (embedding, content) VALUES ('{1,2}', 'made') RETURNING length(id);
DELETE FROM store WHERE content = 'made';
-- another key: of a table, of a server, or of the column
ALTER FOREIGN TABLE store OPTIONS (ADD text_key 'page_content');
INSERT INTO store (id, embedding, content) VALUES ('d', '{1,3}', 'keyed');
\! test/regress/pinecone get texts '/vectors/fetch?ids=d&namespace=store'
SELECT content, metadata FROM store WHERE id IN ('a', 'd') ORDER BY id;
ALTER FOREIGN TABLE store OPTIONS (DROP text_key);
ALTER SERVER pinecone OPTIONS (ADD text_key 'page_content');
SELECT content, metadata FROM store WHERE id = 'd';
ALTER FOREIGN TABLE store ALTER COLUMN content OPTIONS (ADD field 'text');
SELECT content, metadata FROM store WHERE id IN ('a', 'd') ORDER BY id;
ALTER SERVER pinecone OPTIONS (DROP text_key);
-- ids that are uuids, made here
CREATE FOREIGN TABLE by_uuid (id uuid DEFAULT gen_random_uuid(), embedding real[], content text OPTIONS (role 'text')) SERVER pinecone OPTIONS (namespace 'uuids');
INSERT INTO by_uuid (embedding, content) VALUES ('{1,1}', 'first'), ('{1,2}', 'second');
SELECT count(DISTINCT id), string_agg(content, ' ' ORDER BY content) FROM by_uuid;
DELETE FROM by_uuid WHERE id = ANY ((SELECT array_agg(id) FROM by_uuid WHERE content = 'first')::uuid[]);
SELECT content FROM by_uuid;
-- what a text column cannot be
CREATE FOREIGN TABLE wrong (id text, n int OPTIONS (role 'text')) SERVER pinecone;
SELECT * FROM wrong;
CREATE FOREIGN TABLE two (id text, a text OPTIONS (role 'text'), b text OPTIONS (role 'text')) SERVER pinecone;
SELECT * FROM two;

-- times to the millisecond, as JavaScript has them, and as they were
CREATE FOREIGN TABLE times (id text COLLATE "C", embedding real[], n int, ms timestamptz OPTIONS (format 'iso_ms'), kept timestamptz OPTIONS (format 'as_stored'), local timestamp OPTIONS (format 'iso_ms'))
  SERVER pinecone OPTIONS (namespace 'times');
INSERT INTO times (id, embedding, ms, kept, local) VALUES ('a', '{1,1}', '2024-05-01 10:00:00.1239+00', '2024-05-01 10:00:00+00', '2024-05-01 10:00:00'), ('b', '{1,1}', '2024-05-01 10:00:00+00', '2024-05-01 10:00:00.000001+00', NULL);
\! test/regress/pinecone get texts '/vectors/fetch?ids=a&namespace=times'
\! test/regress/pinecone get texts '/vectors/fetch?ids=b&namespace=times'
\! test/regress/pinecone post texts /vectors/upsert '{"namespace":"spelled","vectors":[{"id":"js","values":[1,1],"metadata":{"t":"2024-05-01T10:00:00.000Z"}},{"id":"short","values":[1,1],"metadata":{"t":"2024-05-01T10:00:00Z"}},{"id":"zone","values":[1,1],"metadata":{"t":"2024-05-01T15:45:00+05:45"}},{"id":"python","values":[1,1],"metadata":{"t":"2024-05-01T10:00:00+00:00"}},{"id":"none","values":[1,1]}]}'
CREATE FOREIGN TABLE spelled (id text COLLATE "C", embedding real[], n int, t timestamptz OPTIONS (format 'as_stored')) SERVER pinecone OPTIONS (namespace 'spelled');
-- as a program writes that sends back all that it has read
UPDATE spelled SET n = 1, t = t;
\! test/regress/pinecone post texts /vectors/fetch_by_metadata '{"namespace":"spelled","filter":{"t":{"$exists":true}}}' | grep -o '"id":"[a-z]*"\|"t":"[^"]*"' | paste - - | sort
UPDATE spelled SET t = '2024-05-02 10:00:00.5+00';
\! test/regress/pinecone post texts /vectors/fetch_by_metadata '{"namespace":"spelled","filter":{"t":{"$exists":true}}}' | grep -o '"id":"[a-z]*"\|"t":"[^"]*"' | paste - - | sort
UPDATE spelled SET t = '2024-05-03 10:00:00+00' WHERE n = 1;
\! test/regress/pinecone post texts /vectors/fetch_by_metadata '{"namespace":"spelled","filter":{"t":{"$exists":true}}}' | grep -o '"id":"[a-z]*"\|"t":"[^"]*"' | paste - - | sort
UPDATE spelled SET t = NULL WHERE id = 'js';
SELECT count(t), count(*) FROM spelled;
CREATE FOREIGN TABLE no_time (id text, n int OPTIONS (format 'as_stored')) SERVER pinecone;
SELECT * FROM no_time;
-- of an index that embeds a text, that is the text
\set model 'llama-text-embed-v2 384'
\set index texts-embedded
\i test/regress/setup_integrated.sql
CREATE FOREIGN TABLE embedded (id text COLLATE "C" DEFAULT gen_random_uuid()::text, content text OPTIONS (role 'text'), metadata jsonb, score real) SERVER pinecone;
INSERT INTO embedded (content, metadata) VALUES ('red apples', '{"n": 1}'), ('a road', '{"n": 2}');
SELECT content, metadata FROM embedded WHERE pinecone_search_meaning(content, 'apples') ORDER BY score DESC LIMIT 1;
UPDATE embedded SET metadata = '{"n": 3}' WHERE content = 'a road';
SELECT content, metadata FROM embedded ORDER BY content;
SET client_min_messages = warning;
DROP SERVER pinecone CASCADE;
