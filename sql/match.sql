-- Pinecone's filter language over jsonb: pinecone_match(metadata, filter).

CREATE TABLE match_rows (id text PRIMARY KEY, metadata jsonb);
INSERT INTO match_rows VALUES
  ('1-all', '{"genre": "drama", "year": 2020, "seen": true, "tags": ["a", "b"]}'),
  ('2-other', '{"genre": "comedy", "year": 2019.5, "seen": false, "tags": ["b"]}'),
  ('3-types', '{"genre": 7, "year": "2020", "seen": "true", "tags": "a"}'),
  ('4-list', '{"genre": ["drama", "comedy"], "year": [2020], "seen": [true], "tags": []}'),
  ('5-null', '{"genre": null, "year": null, "seen": null, "tags": null}'),
  ('6-none', '{}'),
  ('7-odd', '{"genre": {"a": "drama"}, "year": -1, "seen": [null, false], "tags": ["A", 1, ["a"]], "": "empty key"}');

-- the ids that match
CREATE FUNCTION matching(filter jsonb) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT coalesce(string_agg(id, ' ' ORDER BY id), '-') FROM match_rows WHERE pinecone_match(metadata, filter)
$$;
CREATE FUNCTION show_matching(VARIADIC filters text[]) RETURNS TABLE (filter text, ids text) LANGUAGE sql STABLE AS $$
  SELECT f, matching(f::jsonb) FROM unnest(filters) WITH ORDINALITY u(f, i) ORDER BY i
$$;

-- an empty filter matches everything
SELECT * FROM show_matching('{}');

-- equality, with $eq and without; a list contains the value; types are kept apart
SELECT * FROM show_matching(
  '{"genre": "drama"}', '{"genre": {"$eq": "drama"}}', '{"genre": "Drama"}', '{"genre": 7}', '{"genre": "7"}',
  '{"year": 2020}', '{"year": 2020.0}', '{"year": 2.02e3}', '{"year": "2020"}', '{"year": -1}',
  '{"seen": true}', '{"seen": false}', '{"seen": "true"}', '{"seen": 1}',
  '{"tags": "a"}', '{"tags": 1}', '{"": "empty key"}', '{"nothing": "a"}');

-- inequality is the negation, so it matches what has another type or is missing
SELECT * FROM show_matching(
  '{"genre": {"$ne": "drama"}}', '{"year": {"$ne": 2020}}', '{"seen": {"$ne": true}}', '{"nothing": {"$ne": 1}}',
  '{"genre": {"$ne": "drama", "$exists": true}}');

-- ranges are for numbers alone
SELECT * FROM show_matching(
  '{"year": {"$gt": 2019.5}}', '{"year": {"$gte": 2019.5}}', '{"year": {"$lt": 2019.5}}', '{"year": {"$lte": 2019.5}}',
  '{"year": {"$lt": 1e300}}', '{"genre": {"$lt": 8}}', '{"seen": {"$lte": 1}}', '{"nothing": {"$lt": 1}}');

-- membership: any overlap of a list; nothing is in an empty one
SELECT * FROM show_matching(
  '{"genre": {"$in": ["comedy", "horror"]}}', '{"year": {"$in": [1, 2020, 3]}}', '{"seen": {"$in": [true, false]}}',
  '{"tags": {"$in": ["z", "b", "A"]}}', '{"genre": {"$in": []}}',
  '{"genre": {"$nin": ["comedy", "horror"]}}', '{"year": {"$nin": [1, 2020, 3]}}', '{"genre": {"$nin": []}}',
  '{"nothing": {"$in": ["a"]}}', '{"nothing": {"$nin": ["a"]}}');

-- presence: null counts as missing, an empty list does not
SELECT * FROM show_matching(
  '{"genre": {"$exists": true}}', '{"genre": {"$exists": false}}', '{"tags": {"$exists": true}}',
  '{"": {"$exists": true}}', '{"nothing": {"$exists": false}}');

-- everything given together must hold
SELECT * FROM show_matching(
  '{"genre": "drama", "year": 2020}', '{"year": {"$gt": 2019, "$lt": 2020}}', '{"year": {"$gt": 2020, "$lt": 2019}}',
  '{"$and": [{"tags": "a"}, {"tags": "b"}]}', '{"$or": [{"tags": "a"}, {"year": -1}]}',
  '{"$and": [{"$or": [{"genre": "drama"}, {"genre": "comedy"}]}, {"$or": [{"year": 2020}, {"seen": false}]}]}',
  '{"$or": [{"genre": "comedy"}, {"$and": [{"genre": "drama"}, {"seen": true}]}], "tags": {"$exists": true}}');

-- numbers are compared as float8, whatever jsonb keeps
SELECT pinecone_match('{"n": 9007199254740993}', '{"n": 9007199254740992}') AS beyond_2_53,
       pinecone_match('{"n": 0.1}', '{"n": 0.1000000000000000055511151231257827}') AS same_double,
       pinecone_match('{"n": 0.30000000000000004}', '{"n": 0.3}') AS next_double,
       pinecone_match('{"n": 1e400}', '{"n": {"$gt": 1e308}}') AS infinite,
       pinecone_match('{"n": -0.0}', '{"n": 0}') AS zero;

-- strings are compared byte by byte
SELECT pinecone_match('{"s": "Ünïcødé ☃"}', '{"s": "Ünïcødé ☃"}') AS same,
       pinecone_match('{"s": "e\u0301"}', '{"s": "\u00e9"}') AS other_normal_form,
       pinecone_match('{"s": "a"}', '{"s": "a "}') AS trailing_space,
       pinecone_match('{"s": ""}', '{"s": ""}') AS empty;

-- metadata that is no object has no fields
SELECT pinecone_match('null', '{}'), pinecone_match('[{"a": 1}]', '{"a": 1}'),
       pinecone_match('"a"', '{"a": {"$exists": false}}');

-- NULL in, NULL out
SELECT pinecone_match(NULL, '{}'), pinecone_match('{}', NULL);

-- the filter of each row, and of a parameter that changes
SELECT f.id, string_agg(r.id, ' ' ORDER BY r.id) FROM match_rows r,
  (VALUES (1, '{"genre": "drama"}'::jsonb), (2, '{"genre": "comedy"}'), (3, '{"year": {"$gt": 0}}')) f(id, filter)
WHERE pinecone_match(metadata, filter) GROUP BY f.id ORDER BY 1;
PREPARE matching AS SELECT id FROM match_rows WHERE pinecone_match(metadata, $1) ORDER BY 1;
SET plan_cache_mode = force_generic_plan;
EXECUTE matching('{"genre": "drama"}');
EXECUTE matching('{"genre": "comedy"}');
RESET plan_cache_mode;
DO $$
DECLARE
  found text := '';
  filter jsonb;
BEGIN
  FOR i IN 1..4 LOOP
    filter := jsonb_build_object('n', jsonb_build_object('$gt', i));
    found := found || ' ' || pinecone_match('{"n": 3}', filter);
  END LOOP;
  RAISE NOTICE 'n > 1, 2, 3, 4:%', found;
END $$;

-- many values
SELECT count(*) FROM generate_series(0, 20000) n
WHERE pinecone_match(jsonb_build_object('n', n),
  (SELECT jsonb_build_object('n', jsonb_build_object('$in', jsonb_agg(i * 2))) FROM generate_series(1, 10000) i));
SELECT pinecone_match('{"s": "v77"}', jsonb_build_object('s', jsonb_build_object('$nin', jsonb_agg('v' || i))))
FROM generate_series(1, 10000) i;

-- deep, but not too deep
SELECT pinecone_match('{"a": 1}', (repeat('{"$and":[', 500) || '{"a": 1}' || repeat(']}', 500))::jsonb);

-- what is no filter
CREATE FUNCTION error_of(filter text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  detail text;
BEGIN
  PERFORM pinecone_match('{}', filter::jsonb);
  RETURN 'valid';
EXCEPTION WHEN invalid_parameter_value THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RETURN concat_ws(E'\n  ', SQLERRM, nullif(detail, ''));
END $$;

\pset tuples_only
\pset format unaligned
\pset fieldsep '\n  '
SELECT f, error_of(f) FROM unnest(ARRAY[
  '[]', '1', 'null', '"a"',
  '{"a": null}', '{"a": []}', '{"a": ["x"]}', '{"a": {}}', '{"a": {"b": 1}}', '{"a": {"b": {"$eq": 1}}}',
  '{"a": {"$eq": null}}', '{"a": {"$eq": ["x", "y"]}}', '{"a": {"$ne": {"b": 1}}}', '{"a": {"$ne": []}}',
  '{"a": {"$gt": "2020"}}', '{"a": {"$gte": true}}', '{"a": {"$lt": null}}', '{"a": {"$lte": [1]}}',
  '{"a": {"$in": 1}}', '{"a": {"$in": "x"}}', '{"a": {"$in": {"b": 1}}}', '{"a": {"$in": ["x", null]}}', '{"a": {"$in": ["x", 7]}}', '{"a": {"$nin": [true, 1]}}', '{"$or": [{"a": 1}, {}]}', '{"$and": [{}]}', '{"a": {"$nin": [["x"]]}}',
  '{"a": {"$exists": 1}}', '{"a": {"$exists": null}}',
  '{"a": {"$regex": "^x"}}', '{"a": {"$not": {"$eq": 1}}}', '{"a": {"$EQ": 1}}', '{"a": {"$gt": 1, "x": 2}}', '{"a": {"$and": [{"b": 1}]}}',
  '{"$not": {"a": 1}}', '{"$nor": [{"a": 1}]}', '{"$eq": 1}', '{"$": 1}', '{"$match_phrase": "x"}',
  '{"$and": []}', '{"$or": {"a": 1}}', '{"$and": [1]}', '{"$or": [{"a": 1}, null]}', '{"$and": [[{"a": 1}]]}',
  '{"a": 1, "$or": [{"b": 1}, {"c": {"$gt": "x"}}]}']) f;
-- the quotation of a long condition is cut
SELECT error_of(jsonb_build_object('a', jsonb_build_object('$eq', jsonb_agg(text '☃☃☃☃☃☃☃')))::text) FROM generate_series(1, 100);
SELECT error_of(jsonb_build_object('a', jsonb_build_object('$in', jsonb_agg(i)))::text) FROM generate_series(1, 10001) i;
SELECT error_of(jsonb_build_object('a', jsonb_build_object('$nin', jsonb_agg(i)))::text) FROM generate_series(1, 10000) i;
\pset tuples_only off
\pset format aligned

-- an invalid filter in a query
SELECT id FROM match_rows WHERE pinecone_match(metadata, '{"year": {"$gt": "2019"}}');

SELECT provolatile, proparallel, proisstrict, obj_description(oid, 'pg_proc')
FROM pg_proc WHERE proname = 'pinecone_match';

DROP FUNCTION error_of, show_matching, matching;
DROP TABLE match_rows;
