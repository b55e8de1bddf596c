-- Integrated indexes: texts that Pinecone embeds, searched by words, ranked by a model in the same request.
\set index chunks
\set model 'llama-text-embed-v2 384'
\i test/regress/setup_integrated.sql
CREATE FOREIGN TABLE chunk (id text COLLATE "C", chunk text, genre text, year int, score real)
  SERVER pinecone OPTIONS (namespace 'ns');
-- the same namespace with everything
CREATE FOREIGN TABLE whole (id text COLLATE "C", embedding real[], body text OPTIONS (field 'chunk'), genre text,
  metadata jsonb, score real) SERVER pinecone OPTIONS (namespace 'ns');

-- text is all that a row needs
INSERT INTO chunk (id, chunk, genre, year) VALUES
  ('apple', 'red apples grow on trees', 'fruit', 2001), ('pear', 'green pears grow on trees', 'fruit', 2002),
  ('car', 'a car drives on the road', 'machine', 2003), ('train', 'a train needs rails', 'machine', 2004);
\! test/regress/pinecone log records
SELECT id, chunk, genre, year FROM chunk ORDER BY id;
SELECT id, array_length(embedding, 1), metadata FROM whole WHERE id = 'apple';
SELECT count(*) FROM chunk WHERE genre = 'fruit';

-- searching by words
EXPLAIN (VERBOSE, COSTS OFF) SELECT id, genre FROM chunk WHERE pinecone_search_meaning(chunk, 'apples on trees') ORDER BY score DESC LIMIT 2;
\! test/regress/pinecone quiet
SELECT id, genre, score > 0 AS scored FROM chunk WHERE pinecone_search_meaning(chunk, 'apples on trees') ORDER BY score DESC LIMIT 2;
SELECT id FROM chunk WHERE pinecone_search_meaning(chunk, 'apples on trees') ORDER BY score DESC LIMIT 1;
SELECT id FROM whole WHERE pinecone_search_meaning(body, 'road') AND genre = 'machine' ORDER BY score DESC LIMIT 1;
\! test/regress/pinecone log records
-- vectors come with a fetch; the metadata as a whole with the search
SELECT id, array_length(embedding, 1) AS n FROM whole WHERE pinecone_search_meaning(body, 'green pears') ORDER BY score DESC LIMIT 1;
SELECT id, metadata FROM whole WHERE pinecone_search_meaning(body, 'green pears') ORDER BY score DESC LIMIT 1;
\! test/regress/pinecone log 'records|fetch'
-- the same as by the model and the vector
SELECT array_agg(id ORDER BY score DESC) = (SELECT array_agg(id) FROM (SELECT id FROM whole ORDER BY embedding <=> pinecone_embed('pinecone', 'llama-text-embed-v2', 'trees and rails', dimension => 384) LIMIT 4) s) AS same
FROM (SELECT id, score FROM chunk WHERE pinecone_search_meaning(chunk, 'trees and rails') ORDER BY score DESC LIMIT 4) t;
-- for each of other rows; by a parameter; by nothing
SELECT w, s.id FROM (VALUES ('apples'), ('rails')) v (w), LATERAL (SELECT id FROM chunk WHERE pinecone_search_meaning(chunk, w) ORDER BY score DESC LIMIT 1) s ORDER BY w;
PREPARE words (text) AS SELECT id FROM chunk WHERE pinecone_search_meaning(chunk, $1) ORDER BY score DESC LIMIT 1;
EXECUTE words ('a car');
SET plan_cache_mode = force_generic_plan;
EXECUTE words ('a train');
EXPLAIN (VERBOSE, COSTS OFF) EXECUTE words ('a car');
RESET plan_cache_mode;
SELECT id FROM chunk WHERE pinecone_search_meaning(chunk, '  ');
SELECT id FROM chunk WHERE pinecone_search_meaning(chunk, NULL);
-- all of them, with conditions that stay here
SELECT id FROM chunk WHERE pinecone_search_meaning(chunk, 'trees') AND length(genre) > 5 ORDER BY id;
SELECT count(*) FROM chunk WHERE pinecone_search_meaning(chunk, 'trees');

-- ranked by a model, in the same request
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM chunk WHERE pinecone_search_reranked(chunk, 'apples', 'bge-reranker-v2-m3', 3) ORDER BY score DESC LIMIT 2;
\! test/regress/pinecone quiet
SELECT id, round(score::numeric, 2) FROM chunk WHERE pinecone_search_reranked(chunk, 'red apples', 'bge-reranker-v2-m3', 3) ORDER BY score DESC LIMIT 2;
\! test/regress/pinecone log records
-- no more rows than candidates; the score is the model's
SELECT count(*) FROM chunk WHERE pinecone_search_reranked(chunk, 'apples', 'bge-reranker-v2-m3', 3);
SELECT count(*) FROM chunk WHERE pinecone_search_reranked(chunk, 'apples', 'bge-reranker-v2-m3');
WITH texts AS (SELECT array_agg(id ORDER BY id) AS ids, array_agg(chunk ORDER BY id) AS all_texts FROM chunk)
SELECT count(*), bool_and(s.score = r.score::real) AS same
FROM texts, pinecone_rerank('pinecone', 'bge-reranker-v2-m3', 'red trees on rails', all_texts) r
JOIN (SELECT id, score FROM chunk WHERE pinecone_search_reranked(chunk, 'red trees on rails', 'bge-reranker-v2-m3', 4)) s ON true
WHERE s.id = ids[r.position];
SELECT id FROM chunk WHERE pinecone_search_reranked(chunk, 'machine', 'bge-reranker-v2-m3', 4, ARRAY['genre']) ORDER BY score DESC, id LIMIT 2;
SELECT id FROM chunk WHERE pinecone_search_reranked(chunk, 'apples', NULL);
-- arguments that will not do
SELECT id FROM chunk WHERE pinecone_search_reranked(chunk, 'apples', 'bge-reranker-v2-m3', 0);
SELECT id FROM chunk WHERE pinecone_search_reranked(chunk, 'apples', 'bge-reranker-v2-m3', 10001);
SELECT id FROM chunk WHERE pinecone_search_reranked(chunk, 'apples', '');
\set VERBOSITY terse
SELECT id FROM chunk WHERE pinecone_search_reranked(chunk, 'apples', 'no-such-model');
SELECT id FROM chunk WHERE pinecone_search_reranked(chunk, 'apples', 'bge-reranker-v2-m3', 3, ARRAY['genre', NULL]);
SELECT id FROM chunk WHERE pinecone_search_reranked(chunk, 'apples', 'bge-reranker-v2-m3', 3, ARRAY['colour']);
\set VERBOSITY default
SELECT id FROM chunk WHERE pinecone_search_reranked(genre, 'apples', 'bge-reranker-v2-m3', 3);
SELECT id FROM chunk WHERE NOT pinecone_search_meaning(chunk, 'apples');
SELECT id FROM chunk WHERE chunk @@@ 'apples';

-- changing texts: the vector is made anew with the text, and only then
CREATE TEMP TABLE before AS SELECT id, embedding FROM whole;
\! test/regress/pinecone quiet
UPDATE chunk SET genre = 'food' WHERE id = 'apple';
UPDATE chunk SET chunk = 'yellow bananas' WHERE id = 'pear';
UPDATE chunk SET chunk = chunk, genre = NULL WHERE id = 'car';
UPDATE whole SET metadata = metadata || '{"chunk": "a ship sails"}' WHERE id = 'train';
\! test/regress/pinecone log 'update|upsert'
SELECT w.id, w.body, w.genre, w.embedding = b.embedding AS same FROM whole w JOIN before b USING (id) ORDER BY id;
SELECT id FROM chunk WHERE pinecone_search_meaning(chunk, 'bananas') ORDER BY score DESC LIMIT 1;
-- RETURNING shows no vector that is not the new text's: Pinecone makes it later
BEGIN;
UPDATE whole SET body = 'ripe pears' WHERE id = 'pear' RETURNING body, embedding IS NULL AS to_be_made;
ROLLBACK;
BEGIN;
UPDATE whole SET metadata = metadata || '{"chunk": "a bicycle"}' WHERE id = 'car' RETURNING body, embedding IS NULL AS to_be_made;
ROLLBACK;
BEGIN;
UPDATE whole SET genre = 'g' WHERE id = 'pear' RETURNING body, embedding IS NULL AS to_be_made;
UPDATE whole SET body = NULL WHERE id = 'pear' RETURNING body, embedding IS NULL AS to_be_made;
UPDATE whole SET body = 'mine', embedding = (SELECT embedding FROM before WHERE id = 'apple') WHERE id = 'apple' RETURNING body, embedding IS NULL AS to_be_made;
ROLLBACK;
-- as one request for many there is no such update
UPDATE chunk SET chunk = 'the same' WHERE year > 2002;
SELECT count(*) FROM whole a JOIN whole b ON a.embedding = b.embedding WHERE a.id = 'car' AND b.id = 'train';
-- a vector of one's own is kept, until the text changes; NULL has it made anew
UPDATE whole SET embedding = (SELECT embedding FROM before WHERE id = 'apple') WHERE id = 'car';
SELECT w.embedding = b.embedding AS own FROM whole w, before b WHERE w.id = 'car' AND b.id = 'apple';
UPDATE whole SET embedding = NULL WHERE id = 'car';
SELECT a.embedding = b.embedding AS of_text FROM whole a, whole b WHERE a.id = 'car' AND b.id = 'train';
INSERT INTO whole (id, embedding, body) SELECT 'own', embedding, 'not about apples' FROM before WHERE id = 'apple';
INSERT INTO whole (id, embedding) SELECT 'silent', embedding FROM before WHERE id = 'apple';
SELECT w.id, w.body, w.embedding = b.embedding AS own FROM whole w, before b WHERE w.id IN ('own', 'silent') AND b.id = 'apple' ORDER BY 1;

-- what cannot be embedded is named before anything is sent
\! test/regress/pinecone quiet
INSERT INTO chunk (id, chunk) VALUES ('fine', 'a text'), ('none', NULL);
INSERT INTO chunk (id, chunk) VALUES ('blank', '  ');
INSERT INTO whole (id, metadata) VALUES ('number', '{"chunk": 5}');
INSERT INTO whole (id, metadata) VALUES ('named', '{"chunk": "a text", "id": "x"}');
UPDATE chunk SET chunk = ' ' WHERE id = 'apple';
\! test/regress/pinecone log upsert

-- in a transaction: everything but the vectors is seen
BEGIN;
INSERT INTO chunk (id, chunk, genre) VALUES ('new', 'new words', 'fresh');
SELECT id, chunk FROM chunk WHERE genre = 'fresh';
UPDATE chunk SET genre = NULL WHERE id = 'new';
SELECT id, chunk, genre FROM chunk WHERE id = 'new';
SAVEPOINT s;
SELECT id FROM chunk WHERE pinecone_search_meaning(chunk, 'new words');
ROLLBACK TO s;
SELECT id FROM whole ORDER BY embedding <=> (SELECT embedding FROM before WHERE id = 'apple') LIMIT 1;
ROLLBACK TO s;
SELECT embedding FROM whole WHERE id = 'new';
ROLLBACK TO s;
DELETE FROM chunk WHERE id = 'new';
SELECT id FROM whole ORDER BY embedding <=> (SELECT embedding FROM before WHERE id = 'apple'), id LIMIT 3;
INSERT INTO chunk (id, chunk) VALUES ('new', 'newer words');
COMMIT;
SELECT id, chunk FROM chunk WHERE pinecone_search_meaning(chunk, 'newer words') ORDER BY score DESC LIMIT 1;
-- the text and the vector of one record, one after the other
BEGIN;
INSERT INTO chunk (id, chunk) VALUES ('twice', 'first');
INSERT INTO whole (id, embedding, body) SELECT 'twice', embedding, 'second' FROM before WHERE id = 'apple';
SELECT body FROM whole WHERE id = 'twice';
COMMIT;
SELECT w.body, w.embedding = b.embedding AS own FROM whole w, before b WHERE w.id = 'twice' AND b.id = 'apple';
BEGIN;
INSERT INTO whole (id, embedding, body) SELECT 'twice', embedding, 'third' FROM before WHERE id = 'apple';
INSERT INTO chunk (id, chunk) VALUES ('twice', 'the same');
COMMIT;
SELECT a.body, a.embedding = b.embedding AS of_text FROM whole a, whole b WHERE a.id = 'twice' AND b.id = 'train';

-- 200 texts are three requests
\! test/regress/pinecone quiet
INSERT INTO chunk (id, chunk) SELECT 'n' || i, 'number ' || i FROM generate_series(1, 200) i;
\! test/regress/pinecone log upsert | grep -c POST
SELECT count(*) FROM chunk WHERE id LIKE 'n%' AND chunk LIKE 'number%';
-- written at once, and by COPY
CREATE FOREIGN TABLE at_once (id text, chunk text) SERVER pinecone OPTIONS (namespace 'other', write_mode 'immediate');
COPY at_once FROM stdin;
a	words of one
b	words of another
\.
SELECT id FROM at_once WHERE pinecone_search_meaning(chunk, 'another') ORDER BY id;
-- several namespaces; partitions
CREATE FOREIGN TABLE spread (namespace text, id text COLLATE "C", chunk text, score real) SERVER pinecone;
INSERT INTO spread VALUES ('third', 'z', 'words of a third');
SELECT namespace, id FROM spread WHERE namespace IN ('other', 'third') AND pinecone_search_meaning(chunk, 'words of a third') ORDER BY score DESC LIMIT 1;

-- a key that may not ask for the description says what is embedded
CREATE SERVER by_host FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host :'host');
CREATE USER MAPPING FOR CURRENT_USER SERVER by_host OPTIONS (api_key :'api_key');
CREATE FOREIGN TABLE hosted (id text, chunk text, score real) SERVER by_host OPTIONS (namespace 'other');
INSERT INTO hosted VALUES ('c', 'words of a host');
ALTER SERVER by_host OPTIONS (ADD schema '{"fields": {"chunk": {"type": "semantic_text", "metric": "cosine", "dimension": 384}}}');
INSERT INTO hosted VALUES ('c', 'words of a host');
SELECT id FROM hosted WHERE pinecone_search_meaning(chunk, 'a host') ORDER BY score DESC LIMIT 1;

-- imported: the text has its column, whatever the sample shows
IMPORT FOREIGN SCHEMA x LIMIT TO (other) FROM SERVER pinecone INTO public OPTIONS (vector_type 'real[]', sample_size '0');
SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'other'::regclass AND attnum > 0;

-- a sparse model
\set model 'pinecone-sparse-english-v0'
\set index sparse-chunks
\i test/regress/setup_integrated.sql
CREATE FOREIGN TABLE chunk (id text COLLATE "C", chunk text, sparse_values jsonb, score real) SERVER pinecone;
INSERT INTO chunk (id, chunk) VALUES ('a', 'red apples'), ('b', 'green apples'), ('c', 'a road');
SELECT id, sparse_values IS NOT NULL AS made FROM chunk WHERE pinecone_search_meaning(chunk, 'red apples') ORDER BY score DESC;
SELECT id FROM chunk WHERE pinecone_search_reranked(chunk, 'green', 'bge-reranker-v2-m3') ORDER BY score DESC;
SET client_min_messages = warning;
DROP SERVER pinecone CASCADE;
DROP SERVER by_host CASCADE;
