-- Searches by the vector of a stored record, and namespaces of one's own, in a transaction that has written.
\set index own-search
\set dimension 2
\set metric euclidean
\i test/regress/setup.sql
CREATE FOREIGN TABLE remote (id text COLLATE "C", embedding real[], n int) SERVER pinecone OPTIONS (namespace 'kb');
CREATE TABLE local (id text COLLATE "C", embedding real[], n int);
INSERT INTO local SELECT 'r' || i, ARRAY[i, (i * 7) % 10]::real[], i FROM generate_series(1, 40) i;
INSERT INTO remote SELECT * FROM local;
-- the neighbours of a record, each with its distance: are they the same here as there?
CREATE FUNCTION neighbours(id text) RETURNS TABLE (same boolean, found bigint) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format($q$
    SELECT array_agg(a.d) IS NOT DISTINCT FROM min(b.ds), count(a.d) FROM
      (SELECT id, embedding <-> (SELECT embedding FROM remote WHERE id = %1$L) AS d FROM remote ORDER BY embedding <-> (SELECT embedding FROM remote WHERE id = %1$L) LIMIT 6) a,
      (SELECT array_agg(d) AS ds FROM (SELECT embedding <-> (SELECT embedding FROM local WHERE id = %1$L) AS d FROM local ORDER BY d LIMIT 6) o) b$q$, $1);
END $$;
EXPLAIN (COSTS OFF) SELECT id FROM remote ORDER BY embedding <-> (SELECT embedding FROM remote WHERE id = 'r7') LIMIT 6
\g (format=unaligned tuples_only=on) |test/regress/plan
SELECT * FROM neighbours('r7');
BEGIN;
-- it has not been written to, though others have
UPDATE remote SET embedding = '{7.5,9}' WHERE id = 'r20'; UPDATE local SET embedding = '{7.5,9}' WHERE id = 'r20';
SELECT * FROM neighbours('r7');
-- it has been moved
UPDATE remote SET embedding = '{30.25,3}' WHERE id = 'r7'; UPDATE local SET embedding = '{30.25,3}' WHERE id = 'r7';
SELECT * FROM neighbours('r7');
-- it is new
INSERT INTO remote VALUES ('new', '{11.5,4}', 1); INSERT INTO local VALUES ('new', '{11.5,4}', 1);
SELECT * FROM neighbours('new');
-- its vector stays
UPDATE remote SET n = 100 WHERE id = 'r9'; UPDATE local SET n = 100 WHERE id = 'r9';
SELECT * FROM neighbours('r9');
-- it is deleted, or was never there: no distance, and all the rows
DELETE FROM remote WHERE id = 'r3'; DELETE FROM local WHERE id = 'r3';
SELECT * FROM neighbours('r3');
SELECT count(*), count(d) FROM (SELECT embedding <-> (SELECT embedding FROM remote WHERE id = 'r3') AS d FROM remote ORDER BY embedding <-> (SELECT embedding FROM remote WHERE id = 'r3') LIMIT 100) s;
SELECT count(*), count(d) FROM (SELECT embedding <-> (SELECT embedding FROM remote WHERE id = 'nobody') AS d FROM remote ORDER BY embedding <-> (SELECT embedding FROM remote WHERE id = 'nobody') LIMIT 100) s;
ROLLBACK;
SELECT * FROM neighbours('r7');

-- consistency 'session': a namespace that statistics do not know yet is read by who has written to it
CREATE FOREIGN TABLE everywhere (ns text OPTIONS (role 'namespace') COLLATE "C", id text COLLATE "C", embedding real[], n int) SERVER pinecone OPTIONS (consistency 'session');
SELECT ns, count(*) FROM everywhere GROUP BY ns;
\! test/regress/pinecone fault '{"path": "/describe_index_stats", "status": 200, "count": -1, "body": {"namespaces": {"kb": {"vectorCount": 40}}, "dimension": 2, "totalVectorCount": 40, "metric": "euclidean", "vectorType": "dense", "indexFullness": 0}}'
INSERT INTO everywhere VALUES ('made', 'm', '{1,1}', 1), ('anew', 'a', '{0,1}', 2), ('kb', 'r41', '{0,0.5}', 3);
SELECT ns, id FROM everywhere ORDER BY embedding <-> '{0,0}' LIMIT 3;
SELECT ns, count(n) FROM everywhere GROUP BY ns ORDER BY ns;
SELECT count(n) FROM everywhere;
-- another session that has not, does not
\c
SELECT ns, count(n) FROM everywhere GROUP BY ns ORDER BY ns;
\! test/regress/pinecone no-faults
\c
SELECT ns, count(n) FROM everywhere GROUP BY ns ORDER BY ns;
DROP FUNCTION neighbours(text);
DROP SERVER pinecone CASCADE;
DROP TABLE local;
