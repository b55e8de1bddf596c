-- write_mode 'outbox': writes wait in a table, and are delivered afterwards.
\set index outbox
\set dimension 2
\set metric cosine
\i test/regress/setup.sql

CREATE FOREIGN TABLE doc (id text COLLATE "C", embedding real[], title text, n int, metadata jsonb)
SERVER pinecone OPTIONS (namespace 'kb', write_mode 'outbox');
CREATE FOREIGN TABLE stored (id text COLLATE "C", embedding real[], title text, n int)
SERVER pinecone OPTIONS (namespace 'kb');
CREATE FOREIGN TABLE everywhere (tenant text OPTIONS (role 'namespace'), id text COLLATE "C", embedding real[], n int)
SERVER pinecone OPTIONS (write_mode 'outbox');
CREATE VIEW queued AS SELECT foreign_table, writer, namespace, kind, id FROM pinecone_outbox_rows ORDER BY seq;
\set sent '\\! test/regress/pinecone sorted-log "vectors/(upsert|update|delete)"'
\set quiet '\\! test/regress/pinecone quiet'
SET pinecone_fdw.unseen_time = 0;

-- a statement queues what it writes; nothing is sent
INSERT INTO doc (id, embedding, title, n) VALUES ('a', '{1,0}', 'Alpha', 1), ('b', '{0,1}', 'Beta', 2), ('c', '{1,1}', 'Gamma', 3);
:sent
SELECT * FROM queued;
SELECT server, depth, dead, oldest_at IS NOT NULL AS since, delivered FROM pinecone_outbox_status;

-- reads show what is queued; a table with another mode does not
SELECT id, embedding, title, n FROM doc ORDER BY id;
SELECT id FROM doc ORDER BY embedding <=> '{0,1}' LIMIT 2;
SELECT count(*), count(*) FILTER (WHERE n > 1) FROM doc;
SELECT count(*) FROM doc WHERE title = 'Beta';
SELECT count(*) FROM stored;
SELECT DISTINCT title FROM doc ORDER BY title;
SELECT * FROM everywhere ORDER BY id;
EXPLAIN (COSTS OFF) SELECT * FROM doc;
EXPLAIN (COSTS OFF) INSERT INTO doc (id, embedding) VALUES ('z', '{1,2}');

-- more than so many are not shown, and nothing is written over what is not
SET pinecone_fdw.outbox_visible = 2;
SELECT count(*) FROM doc;
EXPLAIN (COSTS OFF) SELECT * FROM doc;
UPDATE doc SET n = n + 1;
DELETE FROM doc WHERE n = 1;
RESET pinecone_fdw.outbox_visible;

-- UPDATE and DELETE see what is queued, and what a filter matches is resolved by the statement
UPDATE doc SET n = n + 10 WHERE title = 'Alpha';
DELETE FROM doc WHERE n = 2;
SELECT id, title, n FROM doc ORDER BY id;
SELECT kind, id FROM queued;

-- deliver: in order, then the queue is empty
:quiet
SELECT * FROM pinecone_deliver();
:sent
SELECT * FROM queued;
SELECT id, title, n FROM stored ORDER BY id;
SELECT id, title, n FROM doc ORDER BY id;
SELECT server, depth, dead, delivered, failures, last_error FROM pinecone_outbox_status;
SELECT * FROM pinecone_deliver();

-- in one transaction each statement sees what those before it have written
BEGIN;
UPDATE doc SET n = 20 WHERE n % 11 = 0;
UPDATE doc SET n = 21 WHERE n % 11 = 0;
SELECT id, n FROM doc ORDER BY id;
ROLLBACK;

-- a row that makes no sense, put there by hand, is a dead letter, and nobody waits for it
INSERT INTO pinecone_outbox
SELECT nextval('pinecone_outbox_seq'), 'doc', current_user::regrole, 'odd', kind, id, dense, indices, sparse, metadata, extra, now()
FROM (VALUES
	('x'::"char", 'o1', '{1,1}'::real[], NULL::bigint[], NULL::real[], NULL, NULL::jsonb),
	('u', NULL, '{1,1}', NULL, NULL, NULL, NULL),
	('u', '', '{1,1}', NULL, NULL, NULL, NULL),
	('u', (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 200) i), '{1,1}', NULL, NULL, NULL, NULL),
	('u', 'o2', '{1,NULL}', NULL, NULL, NULL, NULL),
	('u', 'o3', '{1,1}', '{1,2}', '{1}', NULL, NULL),
	('u', 'o4', '{1,1}', '{-1}', '{1}', NULL, NULL),
	('u', 'o5', '{1,1}', '{4}', NULL, NULL, NULL),
	('u', 'o6', '{1,1}', NULL, NULL, '{"n": 1', NULL),
	('u', 'o7', '{1,1}', NULL, NULL, '{}},{"id":"o8"', NULL),
	('u', 'o9', NULL, NULL, NULL, NULL, '{"model": "m", "text": "t", "input_type": "passage", "dimension": "many"}'),
	('p', 'o10', NULL, NULL, NULL, '{"n": 1}', '["removed"]'),
	('u', 'o11', '{1,1}', NULL, NULL, '{"n": 1}', NULL)) AS odd (kind, id, dense, indices, sparse, metadata, extra);
SELECT tenant, id, n FROM everywhere WHERE tenant = 'odd';
INSERT INTO doc (id, embedding, title) VALUES ('after', '{1,0}', 'fine');
SELECT * FROM pinecone_deliver();
SELECT left(id, 5) AS id, reason FROM pinecone_outbox_dead_rows ORDER BY seq;
SELECT id, n FROM everywhere WHERE tenant IN ('odd', 'kb') AND id IN ('o11', 'after') ORDER BY id;
SELECT pinecone_outbox_retry() > 0 AS retried;
SELECT delivered, dead, waiting FROM pinecone_deliver();
SELECT pinecone_outbox_drop();
DELETE FROM doc WHERE id = 'after';
DELETE FROM everywhere WHERE tenant = 'odd';
SELECT delivered, dead, waiting FROM pinecone_deliver();

-- rollbacks and savepoints
BEGIN;
INSERT INTO doc (id, embedding, title) VALUES ('r1', '{1,2}', 'kept');
SAVEPOINT s;
INSERT INTO doc (id, embedding, title) VALUES ('r2', '{1,2}', 'lost');
SELECT id FROM doc WHERE id LIKE 'r%' ORDER BY id;
ROLLBACK TO s;
SELECT id FROM doc WHERE id LIKE 'r%' ORDER BY id;
INSERT INTO doc (id, embedding, title) VALUES ('r3', '{1,2}', 'kept');
-- a statement does not see its own rows, nor a cursor later ones
DECLARE c CURSOR FOR SELECT id FROM doc WHERE id LIKE 'r%' ORDER BY id;
INSERT INTO doc (id, embedding, title) SELECT id || 'x', embedding, title FROM doc WHERE id LIKE 'r%';
FETCH ALL FROM c;
SELECT * FROM pinecone_deliver();
ROLLBACK;
BEGIN;
INSERT INTO doc (id, embedding, title) VALUES ('r1', '{1,2}', 'kept');
DO $$
BEGIN
	INSERT INTO doc (id, embedding, title) VALUES ('r2', '{1,2}', 'lost');
	RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
	NULL;
END $$;
COMMIT;
SELECT kind, id FROM queued;
SELECT delivered, dead, waiting FROM pinecone_deliver();
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM pinecone_deliver();
ROLLBACK;
BEGIN READ ONLY;
INSERT INTO doc (id, embedding) VALUES ('ro', '{1,2}');
ROLLBACK;

-- TRUNCATE is in order with the rest
INSERT INTO doc (id, embedding, n) VALUES ('t1', '{1,2}', 1);
TRUNCATE doc;
INSERT INTO doc (id, embedding, n) VALUES ('t2', '{1,2}', 2);
SELECT id, n FROM doc ORDER BY id;
SELECT count(*) FROM doc;
SELECT delivered, dead, waiting FROM pinecone_deliver();
SELECT id, n FROM stored ORDER BY id;

-- a table that spans namespaces
INSERT INTO everywhere VALUES ('x', '1', '{1,2}', 1), ('y', '1', '{1,2}', 2), ('', '1', '{1,2}', 3);
SELECT tenant, id, n FROM everywhere ORDER BY tenant, id;
SELECT count(*) FROM everywhere WHERE tenant = 'y';
SELECT * FROM pinecone_deliver(2);
SELECT * FROM pinecone_deliver(2);
SELECT tenant, id, n FROM everywhere ORDER BY tenant, id;
DELETE FROM everywhere WHERE tenant <> 'kb';
SELECT delivered FROM pinecone_deliver();

-- ON CONFLICT and on_duplicate look at what is queued
ALTER FOREIGN TABLE doc OPTIONS (ADD on_duplicate 'error');
INSERT INTO doc (id, embedding, n) VALUES ('o1', '{1,2}', 1);
INSERT INTO doc (id, embedding, n) VALUES ('o1', '{1,2}', 2);
ALTER FOREIGN TABLE doc OPTIONS (DROP on_duplicate);
INSERT INTO doc (id, embedding, n) VALUES ('o1', '{1,2}', 3), ('o2', '{1,2}', 3) ON CONFLICT DO NOTHING;
SELECT id, n FROM doc WHERE id LIKE 'o%' ORDER BY id;
SELECT delivered FROM pinecone_deliver();

-- what Pinecone refuses is a dead letter, and holds up no other record
SELECT pinecone_outbox_put('doc', NULL, 'd1', '{1,2,3}', metadata => '{"n": 1}');
SELECT pinecone_outbox_put('doc', NULL, 'd' || i, ARRAY[i, 1]::real[], metadata => jsonb_build_object('n', i)) FROM generate_series(2, 5) i;
SELECT pinecone_outbox_put('doc', 'other', 'd1', '{1,2}');
SELECT pinecone_outbox_put('doc', NULL, 'd6', '{1,2}', sparse => '{"indices": [3, 1], "values": [0.5, 0.25]}');
SELECT kind, id, dense, sparse_indices, sparse_values, metadata, extra FROM pinecone_outbox ORDER BY seq;
SELECT delivered, dead, waiting FROM pinecone_deliver();
SELECT kind, id, reason ~ 'HTTP status 400' AS said FROM pinecone_outbox_dead_rows;
SELECT id, n FROM stored WHERE id LIKE 'd%' ORDER BY id;
-- it can be tried again where it was, or dropped
SELECT pinecone_outbox_retry((SELECT seq FROM pinecone_outbox_dead_rows));
SELECT count(*) FROM queued;
SELECT delivered, dead, waiting FROM pinecone_deliver();
-- an update of the same record joins it, and what replaces the record drops both
INSERT INTO doc (id, embedding, n) VALUES ('d1', '{1,2}', 7);
SELECT delivered FROM pinecone_deliver();
SELECT count(*) FROM pinecone_outbox_dead_rows;
SELECT pinecone_outbox_put('doc', NULL, 'd1', '{1,2,3}', metadata => '{"n": 8}');
UPDATE doc SET title = 'after' WHERE id = 'd1';
SELECT delivered, dead FROM pinecone_deliver();
SELECT kind, id, reason FROM pinecone_outbox_dead_rows WHERE kind = 'p';
UPDATE doc SET title = 'and after' WHERE id = 'd1';
SELECT delivered, dead FROM pinecone_deliver();
SELECT id, title, n FROM stored WHERE id = 'd1';
SELECT count(*) FROM pinecone_outbox_dead_rows;
SELECT pinecone_outbox_drop();
SELECT pinecone_outbox_drop();
SELECT server, depth, dead, refused, failures FROM pinecone_outbox_status;

-- what fails for the moment stays, with what is written to the same record afterwards
\! test/regress/pinecone fault '{"kind": "status", "status": 503, "path": "/vectors/upsert"}'
ALTER SERVER pinecone OPTIONS (ADD max_retries '0');
INSERT INTO doc (id, embedding, n) VALUES ('f1', '{1,2}', 1);
SELECT delivered, dead, waiting FROM pinecone_deliver();
DELETE FROM doc WHERE id = 'f1';
SELECT delivered, dead, waiting FROM pinecone_deliver();
SELECT server, depth, dead, failures, retry_at IS NOT NULL AS later, last_error ~ 'HTTP status 503' AS said FROM pinecone_outbox_status;
SELECT id FROM doc WHERE id = 'f1';
\! test/regress/pinecone no-faults
UPDATE pinecone_outbox_state SET retry_at = NULL;
SELECT delivered, dead, waiting FROM pinecone_deliver();
SELECT server, depth, failures, retry_at FROM pinecone_outbox_status;
SELECT id FROM stored WHERE id = 'f1';

-- a text that is embedded when it is delivered
SELECT pinecone_outbox_put('doc', NULL, 'e1', NULL, metadata => '{"n": 1}', model => 'no-such-model', source => 'a text');
SELECT pinecone_outbox_put('doc', NULL, 'e2', '{1,2}', model => 'no-such-model', source => 'a text');
SELECT delivered, dead, waiting FROM pinecone_deliver();
SELECT pinecone_outbox_drop();

-- others' rights
CREATE ROLE regress_outbox;
GRANT SELECT, INSERT, DELETE ON doc TO regress_outbox;
CREATE USER MAPPING FOR regress_outbox SERVER pinecone OPTIONS (api_key :'api_key');
INSERT INTO doc (id, embedding) VALUES ('mine', '{1,2}');
SET ROLE regress_outbox;
INSERT INTO doc (id, embedding) VALUES ('theirs', '{1,2}');
SELECT count(*) FROM pinecone_outbox;
SELECT id, writer FROM pinecone_outbox_rows;
SELECT id FROM doc WHERE id IN ('mine', 'theirs') ORDER BY id;
SELECT pinecone_outbox_delete('doc', NULL, 'mine');
SELECT pinecone_outbox_delete_all('doc', NULL);
SELECT pinecone_outbox_put('stored', NULL, 'x', '{1,2}');
SELECT pinecone_outbox_drop();
SELECT * FROM pinecone_deliver();
RESET ROLE;
SELECT delivered, dead, waiting FROM pinecone_deliver();
SELECT id FROM stored WHERE id IN ('mine', 'theirs') ORDER BY id;
SELECT writer, delivered FROM pinecone_outbox_status WHERE writer::text LIKE 'regress%';

-- who may deliver needs no other right
CREATE ROLE regress_courier;
GRANT EXECUTE ON FUNCTION pinecone_deliver(bigint) TO regress_courier;
INSERT INTO doc (id, embedding) VALUES ('carried', '{1,2}');
SET ROLE regress_courier;
SELECT * FROM pinecone_deliver();
SELECT count(*) FROM pinecone_outbox_status;
SELECT current_user, current_setting('search_path');
RESET ROLE;
SELECT count(*) FROM stored WHERE id = 'carried';
REVOKE ALL ON FUNCTION pinecone_deliver(bigint) FROM regress_courier;
DROP ROLE regress_courier;

-- what has nowhere to go
INSERT INTO doc (id, embedding) VALUES ('gone', '{1,2}');
SET ROLE regress_outbox;
INSERT INTO doc (id, embedding) VALUES ('locked', '{1,2}');
RESET ROLE;
DROP USER MAPPING FOR regress_outbox SERVER pinecone;
SELECT delivered, dead, waiting FROM pinecone_deliver();
SELECT writer, depth, failures, last_error ~ '^user mapping not found' AS said FROM pinecone_outbox_status WHERE depth > 0;
REVOKE ALL ON doc FROM regress_outbox;
DROP ROLE regress_outbox;
SELECT delivered, dead, waiting FROM pinecone_deliver();
INSERT INTO doc (id, embedding) VALUES ('gone', '{1,2}');
DROP FOREIGN TABLE doc;
SELECT delivered, dead, waiting FROM pinecone_deliver();
SELECT id, reason FROM pinecone_outbox_dead_rows ORDER BY seq;
CREATE ROLE regress_outbox;
SET ROLE regress_outbox;
SELECT count(*) FROM pinecone_outbox_dead_rows;
SELECT count(*) FROM pinecone_outbox_status;
SELECT pinecone_outbox_drop();
RESET ROLE;
DROP ROLE regress_outbox;
SELECT pinecone_outbox_drop();

-- a whole namespace
SELECT pinecone_outbox_put('everywhere', 'emptied', 'z' || i, ARRAY[i, 1]::real[], metadata => '{"n": 1}') FROM generate_series(1, 3) i;
SELECT delivered, dead FROM pinecone_deliver();
SELECT pinecone_outbox_delete_all('everywhere', 'emptied');
SELECT pinecone_outbox_put('everywhere', 'emptied', 'z4', '{4,1}', metadata => '{"n": 4}');
SELECT id, n FROM everywhere WHERE tenant = 'emptied';
SELECT delivered, dead FROM pinecone_deliver();
SELECT id, n FROM everywhere WHERE tenant = 'emptied';
SELECT pinecone_outbox_delete_all('everywhere', 'emptied');
SELECT delivered, dead FROM pinecone_deliver();

-- arguments
SELECT pinecone_deliver(0);
SELECT pinecone_outbox_put(NULL, NULL, 'x', '{1}');
SELECT pinecone_outbox_put('queued', NULL, 'x', '{1}');
SELECT pinecone_outbox_put('everywhere', NULL, 'x', '{1}');
SELECT pinecone_outbox_put('stored', 'elsewhere', 'x', '{1}');
SELECT pinecone_outbox_put('stored', NULL, NULL, '{1}');
SELECT pinecone_outbox_put('stored', NULL, 'é', '{1}');
SELECT pinecone_outbox_put('stored', NULL, 'x', '{NaN}');
SELECT pinecone_outbox_put('stored', NULL, 'x', NULL, sparse => '{"indices": [1]}');
SELECT pinecone_outbox_put('stored', 'ä', 'x', '{1}');
SELECT pinecone_outbox_put('stored', NULL, '', '{1}');
SELECT pinecone_outbox_put('stored', NULL, repeat('x', 513), '{1}');
SELECT pinecone_outbox_put('stored', NULL, 'x', '{1,NULL}');
SELECT pinecone_outbox_put('stored', NULL, 'x', '{{1,2},{3,4}}');
SELECT pinecone_outbox_put('stored', NULL, 'x', NULL, sparse => '{"indices": [1, 2], "values": [1]}');
SELECT pinecone_outbox_put('stored', NULL, 'x', NULL, sparse => '{"indices": ["1"], "values": [1]}');
SELECT pinecone_outbox_put('stored', NULL, 'x', NULL, sparse => '{"indices": [1.5], "values": [1]}');
SELECT pinecone_outbox_put('stored', NULL, 'x', NULL, sparse => '{"indices": [4294967296], "values": [1]}');
SELECT pinecone_outbox_put('stored', NULL, 'x', NULL, sparse => '{"indices": [7, 7], "values": [1, 2]}');
SELECT pinecone_outbox_put('stored', NULL, 'x', NULL, sparse => '{"indices": [7], "values": [1e39]}');
SELECT pinecone_outbox_put('stored', NULL, 'x', NULL, metadata => '{"a": {"b": 1}}');
SELECT pinecone_outbox_put('stored', NULL, 'x', NULL, model => 'm');
SELECT pinecone_outbox_put(0, NULL, 'x', '{1}');
-- the table stays as it is until what has been queued for it is committed
BEGIN;
SELECT pinecone_outbox_put('stored', NULL, 'x', '{1,2}');
SELECT mode FROM pg_locks WHERE relation = 'stored'::regclass AND pid = pg_backend_pid();
ROLLBACK;
-- what options forbid, functions do not do
ALTER FOREIGN TABLE everywhere OPTIONS (ADD truncatable 'false');
SELECT pinecone_outbox_delete_all('everywhere', 'emptied');
ALTER FOREIGN TABLE everywhere OPTIONS (ADD updatable 'false', DROP truncatable);
SELECT pinecone_outbox_put('everywhere', 'emptied', 'x', '{1,2}');
SELECT pinecone_outbox_delete('everywhere', 'emptied', 'a');
SELECT pinecone_outbox_delete_all('everywhere', 'emptied');
ALTER FOREIGN TABLE everywhere OPTIONS (DROP updatable);
SELECT count(*) FROM pinecone_outbox;
