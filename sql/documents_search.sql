-- Searching the texts of documents: filters, ranked searches, what cannot be done.
\set index library
\set fields '{"title": {"type": "string", "full_text_search": {}}, "body": {"type": "string", "full_text_search": {"stemming": true}}, "abstract": {"type": "string", "embed": {"dimension": 512}}}'
\i test/regress/setup_documents.sql
CREATE FOREIGN TABLE book (id text COLLATE "C", title text, body text, abstract text, year int, score real) SERVER pinecone OPTIONS (namespace 'ns');
INSERT INTO book (id, title, body, abstract, year) VALUES
  ('b1', 'The quick fox', 'A fox jumps over lazy dogs', 'foxes and dogs', 2001),
  ('b2', 'Lazy dogs', 'Dogs are jumping quickly, dogs run', 'dogs at play', 2002),
  ('b3', 'Cats', 'A cat and a fox', NULL, 2003),
  ('b4', NULL, 'Nothing of interest', 'silence', 2004);
\! test/regress/pinecone quiet

-- conditions on words, anywhere among conditions that are sent
SELECT id FROM book WHERE pinecone_match_any(body, 'dog cat') ORDER BY id;
SELECT id FROM book WHERE pinecone_match_all(body, 'dog jump') AND year > 2001 ORDER BY id;
SELECT id FROM book WHERE pinecone_match_phrase(title, 'quick fox') OR year = 2004 ORDER BY id;
SELECT count(*) FROM book WHERE pinecone_match_any(title, 'lazy quick');
SELECT id FROM book WHERE pinecone_match_any(body, NULL);
\! test/regress/pinecone log documents
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM book WHERE id = 'b1' AND pinecone_match_any(body, 'fox');
SELECT id FROM book WHERE id = 'b1' AND pinecone_match_any(body, 'fox');

-- and of texts that lack words: those that are missing are NULL, whatever the service makes of them
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM book WHERE NOT pinecone_match_any(title, 'fox');
\! test/regress/pinecone quiet
SELECT id FROM book WHERE NOT pinecone_match_any(title, 'fox') ORDER BY id;
SELECT id FROM book WHERE NOT (pinecone_match_phrase(title, 'lazy dogs') OR pinecone_match_all(body, 'fox cat')) AND year < 2004 ORDER BY id;
SELECT count(*) FROM book WHERE NOT pinecone_match_any(title, 'fox') AND pinecone_match_any(body, 'dog');
SELECT id FROM book WHERE body @@@ 'fox dogs' AND NOT pinecone_match_any(title, 'cats') ORDER BY score DESC LIMIT 1;
SELECT id FROM book WHERE NOT pinecone_match_any(title, NULL);
\! test/regress/pinecone post - /_local/settings '{"assume": {"not-missing": "skip"}}' >/dev/null
SELECT id FROM book WHERE NOT pinecone_match_any(title, 'fox') ORDER BY id;
SELECT count(*) FROM book WHERE NOT pinecone_match_all(title, 'cats lazy');
\! test/regress/pinecone post - /_local/settings '{"assume": {"not-missing": "match"}}' >/dev/null
\! test/regress/pinecone log documents

-- a search gives scores
EXPLAIN (VERBOSE, COSTS OFF) SELECT id, title FROM book WHERE body @@@ 'dogs' ORDER BY score DESC LIMIT 2;
\! test/regress/pinecone quiet
SELECT id, title, score > 0 AS scored FROM book WHERE body @@@ 'dogs' ORDER BY score DESC LIMIT 2;
SELECT id FROM book WHERE (body @@@ 'fox' OR title @@@ 'fox') AND year < 2003 ORDER BY score DESC LIMIT 5;
SELECT id FROM book WHERE pinecone_search_query(id, 'title:(quick) OR body:cat') ORDER BY id;
SELECT id, title FROM book WHERE pinecone_search_meaning(abstract, 'dogs at play') ORDER BY score DESC LIMIT 1;
SELECT id FROM book WHERE body @@@ 'fox' AND pinecone_match_any(title, 'cats') ORDER BY score DESC;
SELECT id FROM book WHERE body @@@ '  ';
SELECT id FROM book WHERE body @@@ NULL;
\! test/regress/pinecone log documents
-- for each of other rows
SELECT w, s.id FROM (VALUES ('dogs'), ('cat'), ('nowhere')) v (w) LEFT JOIN LATERAL (SELECT id FROM book WHERE body @@@ w ORDER BY score DESC LIMIT 1) s ON true ORDER BY w;
PREPARE words (text) AS SELECT id FROM book WHERE body @@@ $1 ORDER BY score DESC LIMIT 1;
EXECUTE words ('cat');
SET plan_cache_mode = force_generic_plan;
EXECUTE words ('cat');
EXPLAIN (VERBOSE, COSTS OFF) EXECUTE words ('cat');
RESET plan_cache_mode;
-- conditions that stay here
SELECT id FROM book WHERE body @@@ 'dog fox cat' AND length(title) > 5 ORDER BY score DESC LIMIT 2;
SELECT count(*) FROM book WHERE body @@@ 'dog fox cat';
-- changing what is found
UPDATE book SET year = 3000 WHERE pinecone_match_any(body, 'cat');
DELETE FROM book WHERE body @@@ 'interest';
SELECT id, year FROM book ORDER BY id COLLATE "C";

-- two searches at once, put together by their ranks
WITH a AS (SELECT id, row_number() OVER (ORDER BY score DESC) AS r FROM (SELECT id, score FROM book WHERE body @@@ 'dogs' ORDER BY score DESC LIMIT 50) s),
     b AS (SELECT id, row_number() OVER (ORDER BY score DESC) AS r FROM (SELECT id, score FROM book WHERE pinecone_search_meaning(abstract, 'foxes') ORDER BY score DESC LIMIT 50) s)
SELECT id FROM a FULL JOIN b USING (id) ORDER BY coalesce(1.0 / (60 + a.r), 0) + coalesce(1.0 / (60 + b.r), 0) DESC, id LIMIT 3;

-- what nobody here can judge
SELECT id FROM book WHERE NOT pinecone_match_any(body, 'fox') OR year = 2001;
SELECT id FROM book WHERE (pinecone_match_any(body, 'fox') AND year = 2001) IS NOT TRUE;
SELECT id FROM book WHERE id = 'b1' AND NOT pinecone_match_any(body, 'dogs');
SELECT id FROM book WHERE body @@@ 'fox' OR year = 2001;
SELECT id FROM book WHERE body @@@ 'fox' AND title @@@ 'cats';
SELECT id, body @@@ 'fox' FROM book;
SELECT 'a fox'::text @@@ 'fox';
SELECT id FROM book WHERE pinecone_match_all(body, 'fox dog') IS NULL;
SELECT id FROM book WHERE pinecone_match_phrase(body, 'the fox') IN (true, false);
SELECT id, pinecone_search_query(body, 'fox') FROM book;
BEGIN;
INSERT INTO book (id, title) VALUES ('b9', 'fox');
SELECT id FROM book WHERE title @@@ 'fox';
ROLLBACK;
SET client_min_messages = warning;
DROP SERVER pinecone CASCADE;
