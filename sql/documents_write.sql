-- Writing documents: what is sent, what is refused, what a transaction sees of it.
\set index drafts
\set fields '{"title": {"type": "string", "full_text_search": {}}, "embedding": {"type": "dense_vector", "dimension": 2, "metric": "cosine"}, "terms": {"type": "sparse_vector"}}'
\i test/regress/setup_documents.sql
CREATE FOREIGN TABLE draft (id text COLLATE "C", title text, embedding real[], terms jsonb, year int, tags text[], note jsonb, metadata jsonb, score real) SERVER pinecone OPTIONS (namespace 'ns');

-- INSERT and COPY are upserts of whole documents
INSERT INTO draft (id, title, embedding, year) VALUES ('a', 'One', '{1,0}', 2001), ('b', 'Two', '{0,1}', 2002);
COPY draft (id, title, terms, metadata) FROM stdin;
c	Three	{"indices": [1, 5], "values": [0.5, 2]}	{"year": 2003, "kind": "x"}
d	Four	\N	{"year": 2004, "tags": ["p", "q"]}
\.
\! test/regress/pinecone log documents
SELECT id, title, embedding, terms, metadata FROM draft ORDER BY id COLLATE "C";
\! test/regress/pinecone quiet

-- UPDATE changes any field unseen, and removes what becomes NULL: one request for many rows
UPDATE draft SET title = title || '!', note = '"n"' WHERE id IN ('a', 'b', 'c');
UPDATE draft SET year = NULL, embedding = '{1,1}', terms = NULL WHERE id IN ('a', 'c');
UPDATE draft SET embedding = NULL, title = 'No vector' WHERE id = 'b';
\! test/regress/pinecone log update
SELECT id, title, embedding, terms, metadata FROM draft ORDER BY id COLLATE "C";
-- a whole object of metadata leaves the texts alone
UPDATE draft SET metadata = '{"year": 2010}' WHERE id = 'd';
SELECT id, title, metadata FROM draft WHERE id = 'd';
UPDATE draft SET id = 'e' WHERE id = 'd';
SELECT id, title, metadata FROM draft WHERE id IN ('d', 'e');
\! test/regress/pinecone quiet
-- by what they match: metadata in one request, texts of the schema by id
UPDATE draft SET year = 2020 WHERE year = 2010;
UPDATE draft SET title = 'Set' WHERE year = 2020;
UPDATE draft SET year = NULL WHERE year = 2020;
DELETE FROM draft WHERE year > 2000;
DELETE FROM draft WHERE id IN ('b', 'nobody');
\! test/regress/pinecone log 'update|delete'
SELECT id, title, embedding, metadata FROM draft ORDER BY id COLLATE "C";

-- what cannot be stored is refused before anything is sent
INSERT INTO draft (id, year) VALUES ('x', 1);
INSERT INTO draft (id, title, metadata) VALUES ('x', 't', '{"title": "u"}');
INSERT INTO draft (id, title, metadata) VALUES ('x', 't', '{"_x": "u"}');
INSERT INTO draft (id, title) VALUES ('x', repeat('longer ', 14700));
INSERT INTO draft (id, title, metadata) VALUES ('x', 't', jsonb_build_object('k', repeat('x', 40961)));
INSERT INTO draft (id, title, terms) VALUES ('x', 't', '{"indices": [], "values": []}');
INSERT INTO draft (id, embedding) VALUES ('x', '{1,2,3}');
INSERT INTO draft (id, title, score) VALUES ('x', 't', 1);
INSERT INTO draft (id, title, note) VALUES ('x', 't', '{"nested": 1}');
\! test/regress/pinecone log upsert
-- a text may be larger than metadata
INSERT INTO draft (id, title) VALUES ('long', repeat('longerword ', 9000));
SELECT length(title) FROM draft WHERE id = 'long';

-- a transaction sees what it has written
BEGIN;
INSERT INTO draft (id, title, embedding, year) VALUES ('n1', 'New', '{1,0.1}', 7), ('n2', 'No vector', NULL, 7);
UPDATE draft SET embedding = '{0.1,1}', title = 'Turned', note = NULL WHERE id = 'a';
UPDATE draft SET embedding = NULL WHERE id = 'c';
SELECT id, title, embedding, metadata FROM draft WHERE id <> 'long' ORDER BY id COLLATE "C";
SELECT id, round((embedding <=> '{1,0}')::numeric, 2) AS d FROM draft WHERE id <> 'long' ORDER BY embedding <=> '{1,0}', id;
SELECT id, round((embedding <=> '{1,0}')::numeric, 2) AS d FROM draft ORDER BY embedding <=> '{1,0}' LIMIT 2;
SELECT id FROM draft WHERE year = 7 ORDER BY id;
SELECT count(*) FROM draft;
ROLLBACK;
SELECT count(*) FROM draft;
BEGIN;
UPDATE draft SET year = 8 WHERE id = 'a';
UPDATE draft SET title = 'Last' WHERE id = 'a';
DELETE FROM draft WHERE id = 'c';
INSERT INTO draft (id, title) VALUES ('c', 'Again');
COMMIT;
SELECT id, title, embedding, metadata FROM draft WHERE id IN ('a', 'c') ORDER BY id;

-- the same at once
CREATE FOREIGN TABLE now (id text, title text, embedding real[], year int) SERVER pinecone OPTIONS (namespace 'now', write_mode 'immediate');
INSERT INTO now SELECT 'r' || i, 'Row ' || i, ARRAY[i, 1], i FROM generate_series(1, 20) i;
UPDATE now SET title = 'Updated', year = NULL WHERE year <= 5;
SELECT count(*), count(year), count(*) FILTER (WHERE title = 'Updated') FROM now;
DELETE FROM now WHERE year > 18;
INSERT INTO now (id, title) VALUES ('r1', 'dup') ON CONFLICT DO NOTHING;
SELECT count(*) FROM now;
UPDATE now SET title = 'Shown', year = 99 WHERE id = 'r7' RETURNING *;
TRUNCATE now;
SELECT count(*) FROM now WHERE title IS NOT NULL;
SET client_min_messages = warning;
DROP SERVER pinecone CASCADE;
