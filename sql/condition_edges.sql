-- Conditions at their edges: the same rows as from a local copy, and the same count
\set index edges
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
CREATE FOREIGN TABLE f (id text COLLATE "C", n int, b bigint, x float8, s text COLLATE "C", d date, ok bool, tags text[], m jsonb OPTIONS (role 'metadata'), embedding real[]) SERVER pinecone;
CREATE FOREIGN TABLE narrow (id text COLLATE "C", x real) SERVER pinecone;
INSERT INTO f (id, n, b, x, s, d, ok, tags, embedding) VALUES
  ('a', 1, 9007199254740996, 0.1, 'x', '2024-02-28', true, '{p,q}', '{1,1}'),
  ('b', 5, 9007199254740992, 0.10000000894069672, 'X', '2024-02-29', false, '{p}', '{1,1}'),
  ('c', 7, 9007199254740994, 0.09999999403953552, '', '2024-03-01', NULL, '{}', '{1,1}'),
  ('d', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{1,1}'),
  ('e', 5, -1, 2.5, 'p', '2024-03-02', true, '{x}', '{1,1}');
INSERT INTO f (id, x, embedding) VALUES ('z', 9223372036854775808, '{1,1}');
INSERT INTO f (id, s, embedding) VALUES ('u', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{1,1}');
CREATE FOREIGN TABLE lenient (id text COLLATE "C", b int, s uuid, x int) SERVER pinecone OPTIONS (on_type_error 'null');
CREATE FOREIGN TABLE big (id text COLLATE "C", x bigint) SERVER pinecone OPTIONS (on_type_error 'null');
CREATE TABLE lbig AS SELECT id, CASE WHEN x < 9e18 AND x = floor(x) THEN x::bigint END AS x FROM f;
CREATE TABLE lf AS SELECT * FROM f;
CREATE TABLE llenient AS SELECT * FROM lenient;
CREATE TABLE lnarrow AS SELECT * FROM narrow;
CREATE FUNCTION compared(relation text, condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE mine text; local text; counted int;
BEGIN
  EXECUTE format('SELECT string_agg(id, '','' ORDER BY id) FROM %s WHERE %s', relation, condition) INTO mine;
  EXECUTE format('SELECT string_agg(id, '','' ORDER BY id) FROM l%s WHERE %s', relation, condition) INTO local;
  EXECUTE format('SELECT count(*) FROM %s WHERE %s', relation, condition) INTO counted;
  RETURN CASE WHEN mine IS NOT DISTINCT FROM local AND counted = coalesce(array_length(string_to_array(local, ','), 1), 0)
    THEN coalesce(mine, 'none') ELSE format('%s, counted as %s, not %s', mine, counted, local) END;
END $$;
\! test/regress/pinecone quiet
SELECT c, compared('f', c) FROM unnest(ARRAY['n = 5', 'n <> 5', 'n < 5', 'n <= 5', 'n > 5', 'n >= 5', '5 < n', '5 <= n', '5 > n', '5 >= n',
  'NOT n < 5', 'NOT n = 5', 'n IS DISTINCT FROM 5', 'n IS NULL', 'n IS NOT NULL', 'n IN (1, 7)', 'n NOT IN (1, 7)',
  'n IN (1, NULL)', 'n NOT IN (1, NULL)', 'n = ALL (''{}'')', 'n <> ALL (''{1,NULL}'')', 'n = ANY (''{}'')',
  'n < 5.5', 'n > 4.5', 'n = 5.5', 'n BETWEEN 5 AND 5']) c;
SELECT c, compared('f', c) FROM unnest(ARRAY['b = 9007199254740993', 'b < 9007199254740993', 'b <= 9007199254740993', 'b > 9007199254740993',
  'b >= 9007199254740993', 'b <> 9007199254740993', 'x = 0.1', 'x > 0.1', 'x >= 0.1', 'x = ''NaN''', 'x < ''NaN''', 'x < ''Infinity''']) c;
SELECT c, compared('f', c) FROM unnest(ARRAY['s = ''x''', 's <> ''x''', 's IN (''x'', '''')', 's NOT IN (''x'', NULL)', 'ok', 'NOT ok', 'ok IS NOT TRUE', 'ok IS UNKNOWN',
  'd = ''2024-02-29''', 'd BETWEEN ''2024-02-29'' AND ''2024-03-01''', 'd > ''2024-02-28'' AND d < ''2024-03-02''',
  'tags @> ''{p}''', 'tags && ''{q,x}''', '''p'' = ANY (tags)', 'tags @> ''{}''',
  'm ->> ''s'' = ''p''', 'm ->> ''tags'' = ''p''', 'm -> ''n'' = ''5''', 'm @> ''{"tags": ["p"]}''', 'm ? ''n''', 'NOT m ? ''n''', 'm ?| ''{n,zz}''']) c;
-- what is false rather than not true, a test of a test, other comparisons with lists, names and paths that are not a field's
SELECT c, compared('f', c) FROM unnest(ARRAY['(n < 5) IS FALSE', '(n >= 5) IS FALSE', '(n > 1 AND b > 0) IS FALSE', '(n > 5 OR ok) IS FALSE', '(ok IS TRUE) IS FALSE', '(ok IS NOT TRUE) IS FALSE',
  '(n IN (1, 7)) IS FALSE', '(s IS NULL) IS FALSE', 'n < ANY (''{2,6}'')', 'n <> ANY (''{5,7}'')', 'n > ALL (''{1,2}'')', 'n = ALL (''{5,5}'')',
  'm ->> ''$eq'' = ''p''', 'm ->> ''$s'' IS NULL', 'm ? ''$s''', 'm #>> ''{s,x}'' IS NULL', 'm #>> ''{tags,0}'' IS NOT NULL']) c;
-- numbers that round to the same real, and to its neighbours
SELECT c, compared('narrow', c) FROM unnest(ARRAY['x = 0.1::real', 'x < 0.1::real', 'x <= 0.1::real', 'x > 0.1::real', 'x >= 0.1::real', 'x <> 0.1::real', 'x IN (0.1::real, 2.5)', 'x = 0.1']) c;
-- values that the column's type does not hold are NULL, to conditions and counts as well
SELECT c, compared('lenient', c) FROM unnest(ARRAY['b = 9007199254740996', 'b = -1', 'b <> 1', 'b > 0', 'b < 9007199254740996', 'b IN (9007199254740996, -1)', 'b NOT IN (9007199254740996, 1)',
  'b IS NULL', 'b IS NOT NULL', 'b IS DISTINCT FROM -1', 'x = 2.5', 'x > 2', 's IS NULL', 's = ''a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11''', 's IN (''a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'')', 's <> ''a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12''']) c;
SELECT c, compared('big', c) FROM unnest(ARRAY['x > 0', 'x < 0', 'x >= 9223372036854775807', 'x = 9223372036854775807', 'x IS NULL', 'x IS NOT NULL']) c;
-- distances and scores at their bounds
SELECT c, compared('f', c) FROM unnest(ARRAY['embedding <=> ''{1,1}'' <= 0', 'embedding <=> ''{1,1}'' < 0', 'embedding <=> ''{-1,-1}'' <= 2', 'embedding <=> ''{-1,-1}'' < 2']) c;
SELECT string_agg(id, ',') FROM (SELECT id FROM f WHERE embedding <=> '{1,1}' <= 0 ORDER BY embedding <=> '{1,1}', id) s;
\! test/regress/pinecone quiet
DROP FUNCTION compared;
DROP TABLE lf, lnarrow, llenient, lbig;
DROP SERVER pinecone CASCADE;
\! test/regress/pinecone drop edges
-- the inner product of vectors at right angles is 0, and not -0
\set metric dotproduct
\i test/regress/setup.sql
CREATE FOREIGN TABLE f (id text COLLATE "C", embedding real[]) SERVER pinecone;
INSERT INTO f VALUES ('a', '{1,0}'), ('b', '{0,-1}');
SELECT id, (embedding <#> '{0,2}')::text AS distance FROM f ORDER BY embedding <#> '{0,2}';
DROP SERVER pinecone CASCADE;
\! test/regress/pinecone drop edges
