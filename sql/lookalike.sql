-- Columns whose field no record has, but for its spelling: said once a session
\set index lookalike
\set dimension 2
\set metric cosine
\i test/regress/setup.sql

\! printf '%s\n' '{"id":"a","values":[1,0],"metadata":{"ticketId":5,"user_name":"u","Tag":1,"tag":2}}' '{"id":"b","values":[1,0],"metadata":{"ticketId":6}}' | test/regress/pinecone upsert lookalike kb
CREATE FOREIGN TABLE t (id text COLLATE "C", ticketId int, username text, tag int, other text) SERVER pinecone OPTIONS (namespace 'kb');
SELECT id FROM t ORDER BY id;
SELECT * FROM t ORDER BY id;
SELECT * FROM t ORDER BY id;
ALTER FOREIGN TABLE t ALTER COLUMN ticketid OPTIONS (ADD field 'ticketId'), ALTER COLUMN username OPTIONS (ADD field 'user_name');
SELECT * FROM t WHERE ticketid = 5;
-- not where another column reads that field
CREATE FOREIGN TABLE two (id text COLLATE "C", "ticketId" int, ticketid int) SERVER pinecone OPTIONS (namespace 'kb');
SELECT * FROM two ORDER BY id;
-- a condition that no record meets: by search, count, UPDATE and DELETE; told once, looked for once
CREATE FOREIGN TABLE w1 (id text COLLATE "C", embedding real[], ticketId int, other text) SERVER pinecone OPTIONS (namespace 'kb');
CREATE FOREIGN TABLE w2 (id text COLLATE "C", embedding real[], ticketId int) SERVER pinecone OPTIONS (namespace 'kb');
CREATE FOREIGN TABLE w3 (id text COLLATE "C", embedding real[], ticketId int) SERVER pinecone OPTIONS (namespace 'kb');
CREATE FOREIGN TABLE w4 (id text COLLATE "C", embedding real[], ticketId int) SERVER pinecone OPTIONS (namespace 'kb');
CREATE FOREIGN TABLE w5 (id text COLLATE "C", embedding real[], ticketId int) SERVER pinecone OPTIONS (namespace 'kb');
SELECT id FROM w1 WHERE ticketid = 5;
SELECT id FROM w1 WHERE ticketid = 6;
SELECT id FROM w2 WHERE ticketid IN (5, 6) ORDER BY embedding <=> '{1,0}' LIMIT 1;
SELECT count(*) FROM w3 WHERE ticketid = 5;
BEGIN;
UPDATE w4 SET embedding = '{0,1}' WHERE ticketid = 5;
DELETE FROM w5 WHERE ticketid = 5;
ROLLBACK;
-- nothing where nothing looks alike
SELECT id FROM w1 WHERE other = 'x';
\! test/regress/pinecone drop lookalike
