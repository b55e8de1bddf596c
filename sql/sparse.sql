-- Searches by sparse vectors: of a sparse index, as jsonb and as pgvector's type.
\set index terms
\set dimension 0
\set metric dotproduct
\i test/regress/setup.sql

CREATE FOREIGN TABLE term (id text COLLATE "C", sparse_values jsonb, n int, score real) SERVER pinecone;
INSERT INTO term SELECT 'r' || lpad(i::text, 3, '0'), pinecone_sparse(ARRAY[i % 7, 10 + i % 5, 1000000 + i], ARRAY[1 + i / 64.0, 0.5, 0.25]), i FROM generate_series(1, 60) i;
CREATE TABLE term_copy AS SELECT * FROM term;
-- A query of the foreign table and the same of the copy, for which TABLE stands: does one return what the other does?
CREATE FUNCTION same_terms(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE f text[]; c text[];
BEGIN
  EXECUTE 'SELECT array_agg(x::text) FROM (' || replace(query, 'TABLE', 'term') || ') x' INTO f;
  EXECUTE 'SELECT array_agg(x::text) FROM (' || replace(query, 'TABLE', 'term_copy') || ') x' INTO c;
  RETURN CASE WHEN f IS NOT DISTINCT FROM c THEN 'the same ' || coalesce(cardinality(f), 0) || ' rows' ELSE format('%s, not %s', f, c) END;
END $$;
\! test/regress/pinecone quiet

-- as many as have an index in common with the query, and no more requests than a dense search has
EXPLAIN (VERBOSE, COSTS OFF) SELECT id, n FROM term ORDER BY sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}' LIMIT 5;
SELECT id, score, sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}' AS distance FROM term ORDER BY sparse_values <#> '{"indices": [3, 11], "values": [2, 1]}' LIMIT 5;
\! test/regress/pinecone log
SELECT same_terms($$SELECT id, round((sparse_values <#> pinecone_sparse('{3}', '{2}'))::numeric, 4) FROM TABLE ORDER BY sparse_values <#> pinecone_sparse('{3}', '{2}') LIMIT 9$$);
-- zeros add nothing, and are not sent
\! test/regress/pinecone quiet
SELECT same_terms($$SELECT id FROM TABLE ORDER BY sparse_values <#> '{"indices": [3, 11], "values": [2, 0]}', id LIMIT 5$$);
SELECT same_terms($$SELECT id FROM TABLE ORDER BY sparse_values <#> '{"indices": [3, 11], "values": [0, 0]}', id LIMIT 5$$);
\! test/regress/pinecone log query
-- more than these: the others are at distance 0, and are read, as many as are wanted
\! test/regress/pinecone quiet
SELECT id, score FROM term ORDER BY sparse_values <#> '{"indices": [3], "values": [2]}' LIMIT 12;
\! test/regress/pinecone log
SELECT same_terms($$SELECT round((sparse_values <#> '{"indices": [3], "values": [2]}')::numeric, 4) FROM TABLE ORDER BY sparse_values <#> '{"indices": [3], "values": [2]}' LIMIT 30$$);
SELECT same_terms($$SELECT round((sparse_values <#> '{"indices": [3], "values": [2]}')::numeric, 4) FROM TABLE ORDER BY sparse_values <#> '{"indices": [3], "values": [2]}'$$);
SELECT same_terms($$SELECT round((sparse_values <#> '{"indices": [77], "values": [2]}')::numeric, 4) FROM TABLE ORDER BY sparse_values <#> '{"indices": [77], "values": [2]}' LIMIT 3$$);
-- products below 0 are behind them
SELECT same_terms($$SELECT round((sparse_values <#> '{"indices": [3, 11], "values": [-2, 1]}')::numeric, 4) FROM TABLE ORDER BY sparse_values <#> '{"indices": [3, 11], "values": [-2, 1]}' LIMIT 55$$);
SELECT same_terms($$SELECT id FROM TABLE ORDER BY sparse_values <#> '{"indices": [3, 11], "values": [-2, 1]}' DESC LIMIT 5$$);
-- not if a condition leaves them out
\! test/regress/pinecone quiet
SELECT count(*) FROM term WHERE sparse_values <#> '{"indices": [3], "values": [2]}' < 0;
\! test/regress/pinecone log
SELECT same_terms($$SELECT id FROM TABLE WHERE sparse_values <#> '{"indices": [3], "values": [2]}' < -2.5 ORDER BY id$$);
SELECT same_terms($$SELECT id FROM TABLE WHERE -(sparse_values <#> '{"indices": [3], "values": [2]}') > 2.5 ORDER BY id$$);
SELECT same_terms($$SELECT count(*) FROM TABLE WHERE sparse_values <#> '{"indices": [3], "values": [2]}' <= 0$$);
SELECT id FROM term WHERE score > 2.5 ORDER BY sparse_values <#> '{"indices": [3], "values": [2]}' LIMIT 5;
-- with conditions, sent and checked here
\! test/regress/pinecone quiet
SELECT same_terms($$SELECT id FROM TABLE WHERE n < 20 ORDER BY sparse_values <#> '{"indices": [3], "values": [2]}' LIMIT 2$$);
\! test/regress/pinecone log
SELECT same_terms($$SELECT round((sparse_values <#> '{"indices": [3], "values": [2]}')::numeric, 4) FROM TABLE WHERE n < 20 ORDER BY sparse_values <#> '{"indices": [3], "values": [2]}' LIMIT 7$$);
SELECT same_terms($$SELECT round((sparse_values <#> '{"indices": [3], "values": [2]}')::numeric, 4) FROM TABLE WHERE n % 4 = 1 ORDER BY sparse_values <#> '{"indices": [3], "values": [2]}' LIMIT 7$$);
SELECT same_terms($$SELECT id FROM TABLE WHERE id IN ('r003', 'r010', 'r060') ORDER BY sparse_values <#> '{"indices": [3], "values": [2]}' LIMIT 7$$);
-- for each of other rows, all asked for at once
CREATE TABLE sparse_asked AS SELECT i AS k, pinecone_sparse(ARRAY[i], ARRAY[1]) AS q FROM generate_series(0, 3) i;
ANALYZE sparse_asked;
\! test/regress/pinecone quiet
SELECT a.k, x.id FROM sparse_asked a, LATERAL (SELECT id FROM term ORDER BY sparse_values <#> a.q LIMIT 2) x ORDER BY a.k, x.id;
\! test/regress/pinecone sorted-log
SELECT same_terms($$SELECT a.k, x.id FROM sparse_asked a, LATERAL (SELECT id FROM TABLE WHERE sparse_values <#> a.q < 0 ORDER BY sparse_values <#> a.q LIMIT 20) x ORDER BY a.k, x.id$$);
-- by a stored record's
SELECT id FROM term ORDER BY sparse_values <#> (SELECT sparse_values FROM term WHERE id = 'r017') LIMIT 3;
-- InitPlans are written in another way since PostgreSQL 17
CREATE FUNCTION plan_of(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
		RETURN NEXT regexp_replace(line, 'InitPlan \w+( \(returns \$\d+\))?$|\(InitPlan \w+\)\.col1$|\$\d+$', 'InitPlan');
	END LOOP;
END $$;
SELECT plan_of($$SELECT t.id FROM term t, (SELECT sparse_values AS q FROM term WHERE id = 'r017') asked ORDER BY t.sparse_values <#> asked.q LIMIT 3$$);
DROP FUNCTION plan_of;
SELECT t.id FROM term t, (SELECT sparse_values AS q FROM term WHERE id = 'r017') asked ORDER BY t.sparse_values <#> asked.q LIMIT 3;
-- an order that makes scores, though nobody sees it
SELECT count(*) FROM (SELECT id FROM term WHERE score > 2.5 ORDER BY sparse_values <#> '{"indices": [3], "values": [2]}') x;
-- a cursor that reads on
BEGIN;
DECLARE c CURSOR FOR SELECT id, score FROM term ORDER BY sparse_values <#> '{"indices": [3], "values": [2]}';
FETCH 8 FROM c;
FETCH 3 FROM c;
MOVE 100 FROM c;
COMMIT;
-- writes that are not sent yet
BEGIN;
UPDATE term SET sparse_values = '{"indices": [3], "values": [9]}' WHERE id = 'r001';
UPDATE term_copy SET sparse_values = '{"indices": [3], "values": [9]}' WHERE id = 'r001';
DELETE FROM term WHERE id = 'r059';
DELETE FROM term_copy WHERE id = 'r059';
SELECT same_terms($$SELECT id FROM TABLE ORDER BY sparse_values <#> '{"indices": [3], "values": [2]}' LIMIT 4$$);
SELECT same_terms($$SELECT round((sparse_values <#> '{"indices": [3], "values": [2]}')::numeric, 4) FROM TABLE ORDER BY sparse_values <#> '{"indices": [3], "values": [2]}' LIMIT 20$$);
ROLLBACK;

-- what is none
SELECT id FROM term ORDER BY sparse_values <#> '{"indices": [3, 3], "values": [2, 1]}' LIMIT 2;
SELECT id FROM term ORDER BY sparse_values <#> '{"indices": [3], "values": [2, 1]}' LIMIT 2;
SELECT id FROM term ORDER BY sparse_values <#> '{"indices": [], "values": []}' LIMIT 2;
SELECT id FROM term ORDER BY sparse_values <#> '{"indices": [-1], "values": [1]}' LIMIT 2;
SELECT id FROM term ORDER BY sparse_values <#> '{"indices": [1], "values": [1e300]}' LIMIT 2;
SELECT id FROM term ORDER BY sparse_values <#> '[1, 2]' LIMIT 2;
SELECT id FROM term ORDER BY sparse_values <#> pinecone_sparse(ARRAY(SELECT generate_series(1, 1001)), ARRAY(SELECT 1 FROM generate_series(1, 1001))) LIMIT 2;
SELECT a.k, x.id FROM (SELECT 1 AS k, '{"indices": [3, 3], "values": [2, 1]}'::jsonb AS q) a, LATERAL (SELECT id FROM term ORDER BY sparse_values <#> a.q LIMIT 2) x;
SELECT count(*) FROM (SELECT id FROM term ORDER BY sparse_values <#> NULL LIMIT 2) x;
SELECT pinecone_sparse('{1, 1}', '{1, 2}');
SELECT pinecone_sparse('{1, 2}', '{1}');
SELECT pinecone_sparse('{}', '{}');
SELECT pinecone_sparse('{1, NULL}', '{1, 2}');
SELECT pinecone_sparse(NULL, '{1, 2}');
SELECT pinecone_sparse('{4294967296}', '{1}');
SELECT pinecone_sparse('{5, 3}', '{0.5, -0.25}'), pinecone_sparse('{5, 3}', '{0.5, -0.25}') <#> pinecone_sparse('{3, 4}', '{2, 2}');
\! test/regress/pinecone quiet

-- of two that are as near, one is written anew: the service's score of the other has fewer digits, and yet it is not late
CREATE FOREIGN TABLE near (id text COLLATE "C", sparse_values jsonb) SERVER pinecone OPTIONS (namespace 'near');
SET pinecone_fdw.unseen_time = 0;
INSERT INTO near SELECT id, pinecone_sparse('{6}', ARRAY[x]) FROM (VALUES ('n1', 0.8125), ('n2', 0.8125), ('n3', 0.75), ('n4', 0.5)) v (id, x);
BEGIN;
INSERT INTO near VALUES ('n1', pinecone_sparse('{6}', '{0.8125}'));
SELECT id, round((sparse_values <#> pinecone_sparse('{6}', '{2.1875}'))::numeric, 5) FROM near ORDER BY sparse_values <#> pinecone_sparse('{6}', '{2.1875}');
DECLARE c CURSOR FOR SELECT id FROM near ORDER BY sparse_values <#> pinecone_sparse('{6}', '{2.1875}');
FETCH 3 FROM c;
ROLLBACK;
RESET pinecone_fdw.unseen_time;
DROP FOREIGN TABLE near;

-- pgvector's type: the index 3 of Pinecone is the fourth dimension there
CREATE EXTENSION vector;
CREATE FOREIGN TABLE term_vector (id text COLLATE "C", sparse_values sparsevec(2000000), score real) SERVER pinecone;
CREATE FOREIGN TABLE term_any (id text COLLATE "C", sparse_values sparsevec, score real) SERVER pinecone;
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM term_vector ORDER BY sparse_values <#> '{4:2,12:1}/2000000' LIMIT 3;
SELECT id, sparse_values, score FROM term_vector ORDER BY sparse_values <#> '{4:2,12:1}/2000000' LIMIT 3;
SELECT id, score FROM term_vector WHERE inner_product(sparse_values, '{4:2,12:1}/2000000') > 3 ORDER BY sparse_values <#> '{4:2,12:1}/2000000';
SELECT id, score FROM term_any ORDER BY sparse_values <#> '{4:2,12:1}/1000000000' LIMIT 3;
SELECT id FROM term_vector ORDER BY sparse_values <#> '{4:2,12:1}/20' LIMIT 3;
SELECT count(*) FROM (SELECT id FROM term_vector ORDER BY sparse_values <#> '{}/2000000' LIMIT 3) x;
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM term_vector ORDER BY sparse_values <-> '{4:2,12:1}/2000000' LIMIT 3;
-- between both forms
SELECT pinecone_sparse('{4:2,12:0.5}/2000'), pinecone_sparse_text('{"indices": [11, 3], "values": [0.5, 2]}', 2000), pinecone_sparse((SELECT sparse_values FROM term_vector WHERE id = 'r003')::text);
SELECT id FROM term_any ORDER BY sparse_values <#> pinecone_sparse_text('{"indices": [3, 11], "values": [2, 1]}')::sparsevec LIMIT 3;
SELECT pinecone_sparse('{4:2,12}/2000');
SELECT pinecone_sparse('{4:2,12:}/2000');
SELECT pinecone_sparse('{}/2000');
SELECT pinecone_sparse('{4:2,12:1}/11');
SELECT pinecone_sparse('{0:2}/2000');
SELECT pinecone_sparse('{4:2,4:1}/2000');
SELECT pinecone_sparse('4:2');
SELECT pinecone_sparse_text('{"indices": [3, 11], "values": [2, 1]}', 11);
DROP FOREIGN TABLE term_vector, term_any;
DROP EXTENSION vector;
