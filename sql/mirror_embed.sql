-- A mirror whose embeddings a model makes, when it is delivered, many to a request.
\set index mirrored-texts
\set dimension 384
\set metric cosine
\i test/regress/setup.sql
CREATE FOREIGN TABLE there (id text, embedding real[], body text) SERVER pinecone;
CREATE TABLE texts AS SELECT n AS id, 'the story of number ' || n AS body FROM generate_series(1, 200) n;
ALTER TABLE texts ADD PRIMARY KEY (id);
\! test/regress/pinecone quiet
SELECT pinecone_mirror('texts', 'there', embedding => $$pinecone_embed('pinecone', 'llama-text-embed-v2', body, 'passage', 384)$$, filter => 'body IS NOT NULL');
INSERT INTO texts VALUES (201, 'one more'), (202, NULL);
-- no request in the writer's transaction
\! test/regress/pinecone log
CALL pinecone_mirror_deliver();
\! test/regress/pinecone sorted-log embed | cut -c1-16 | sort | uniq -c
SELECT count(*), count(embedding) FROM there;
UPDATE texts SET body = 'another' WHERE id IN (7, 8);
UPDATE texts SET body = NULL WHERE id = 9;
CALL pinecone_mirror_deliver();
\! test/regress/pinecone sorted-log embed | cut -c1-16 | sort | uniq -c
SELECT id, body, embedding = pinecone_embed('pinecone', 'llama-text-embed-v2', body, 'passage', 384) AS right FROM there WHERE id IN ('7', '9', '201') ORDER BY id;
SELECT pinecone_unmirror('there');
DROP TABLE texts;
\! test/regress/pinecone drop mirrored-texts
