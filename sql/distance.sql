-- Distances between real[] vectors.

-- by operator and by function
SELECT '{1,2}'::real[] <-> '{4,6}' AS l2,
       round(('{1,2}'::real[] <=> '{2,1}')::numeric, 6) AS cosine,
       '{1,2}'::real[] <#> '{3,4}' AS negative_inner_product;
SELECT pinecone_l2_distance('{1,2}', '{4,6}') AS l2,
       round(pinecone_cosine_distance('{1,2}', '{2,1}')::numeric, 6) AS cosine,
       pinecone_negative_inner_product('{1,2}', '{3,4}') AS negative_inner_product;

-- cosine: same direction, orthogonal, opposite
SELECT '{1,2}'::real[] <=> '{2,4}', '{1,0}'::real[] <=> '{0,3}', '{1,2}'::real[] <=> '{-2,-4}';

-- a zero vector has no direction
SELECT '{0,0}'::real[] <=> '{1,2}', '{1,2}'::real[] <=> '{0,0}', '{0,0}'::real[] <=> '{0,0}';

-- nothing but the elements counts: not the lower bound, and empty is a vector of none
SELECT '[5:6]={1,2}'::real[] <-> '{4,6}' AS l2, '{}'::real[] <-> '{}' AS l2_empty,
       '{}'::real[] <=> '{}' AS cosine_empty;

-- longer than any SIMD register, at lengths around its multiples
SELECT n, round((a <-> b)::numeric, 3) AS l2, round((a <=> b)::numeric, 4) AS cosine,
       a <#> b AS negative_inner_product
FROM (SELECT n, array_agg(i::real ORDER BY i) AS a, array_agg((n - i)::real ORDER BY i) AS b
      FROM unnest('{1,3,4,5,7,8,9,15,16,17,31,32,33,100}'::int[]) n, generate_series(1, n) i
      GROUP BY n) v
ORDER BY n;

-- the same sums in float8
SELECT count(*) FILTER (WHERE abs(l2 - (a <-> b)) < 1e-5 * l2) AS l2,
       count(*) FILTER (WHERE abs(cosine - (a <=> b)) < 1e-5) AS cosine,
       count(*) FILTER (WHERE abs(product + (a <#> b)) < 1e-4) AS product
FROM (SELECT array_agg(x ORDER BY i) AS a, array_agg(y ORDER BY i) AS b,
             sqrt(sum((x::float8 - y) ^ 2)) AS l2, sum(x::float8 * y) AS product,
             1 - sum(x::float8 * y) / sqrt(sum(x::float8 ^ 2) * sum(y::float8 ^ 2)) AS cosine
      FROM (SELECT i, i % 97 AS v, sin(i * 1.7)::real AS x, cos(i * 0.3)::real AS y
            FROM generate_series(1, 97 * 768) i) e
      GROUP BY v) s;

-- rounding does not carry the distance of vectors of one direction, or of opposite ones, past the ends
SELECT count(*), bool_and(a <=> b >= 0) AS none_below, bool_and(a <=> c <= 2) AS none_above
FROM (SELECT ARRAY[x, y, z] AS a, ARRAY[k * x, k * y, k * z] AS b, ARRAY[-k * x, -k * y, -k * z] AS c
      FROM (SELECT (i % 19 - 9.5)::real AS x, (i % 23 / 10.0)::real AS y, (i % 29 / 7.0)::real AS z, (1 + i % 9)::real AS k
            FROM generate_series(1, 5000) i) n) v;

-- squares beyond float4 on either side
SELECT ('{1e30,0}'::real[] <-> '{0,0}')::real AS large, ('{3e-30,0}'::real[] <-> '{0,4e-30}')::real AS small;
SELECT round(('{1e30,1e30}'::real[] <=> '{1e30,0}')::numeric, 6) AS large,
       round(('{1e-30,1e-30}'::real[] <=> '{1e30,0}')::numeric, 6) AS both,
       round(('{1e-30,0}'::real[] <=> '{1e-30,1e-30}')::numeric, 6) AS small;
SELECT '{1e30,1}'::real[] <#> '{1e30,1}' < -1e59 AS large;

-- NaN and infinity are carried through
SELECT '{NaN}'::real[] <-> '{1}', '{Infinity}'::real[] <-> '{1}', '{NaN}'::real[] <=> '{1}',
       '{Infinity}'::real[] <#> '{1}';

-- NULL in, NULL out
SELECT '{1}'::real[] <-> NULL, NULL::real[] <=> '{1}', '{1}'::real[] <#> NULL::real[];

-- what is not a vector
SELECT '{1,2}'::real[] <-> '{1,2,3}';
SELECT '{1,2}'::real[] <=> '{}';
SELECT '{1,NULL}'::real[] <#> '{1,2}';
SELECT '{1,2}'::real[] <-> '{{1,2},{3,4}}';

-- other arrays of numbers that turn into real[] by themselves
SELECT ARRAY[1, 2] <-> '{4,6}'::real[] AS int, '{4,6}'::real[] <-> ARRAY[1.0, 2.0] AS numeric;

-- from a table, out of line and compressed
CREATE TABLE distance_rows (id int, v real[]);
INSERT INTO distance_rows
SELECT i, array_agg((i * j % 11)::real ORDER BY j) FROM generate_series(1, 5) i, generate_series(1, 3000) j GROUP BY i;
ALTER TABLE distance_rows ALTER v SET STORAGE EXTERNAL;
INSERT INTO distance_rows SELECT id + 5, v FROM distance_rows;
SELECT id, round((v <-> (SELECT v FROM distance_rows WHERE id = 3))::numeric, 2) AS l2
FROM distance_rows ORDER BY 2, 1;
DROP TABLE distance_rows;

-- the planner may evaluate, parallelise and swap them
SELECT o.oprname, c.oid = o.oid AS commutes, provolatile, proparallel, proisstrict
FROM pg_operator o JOIN pg_operator c ON c.oid = o.oprcom JOIN pg_proc p ON p.oid = o.oprcode
WHERE o.oprleft = 'real[]'::regtype AND o.oprright = 'real[]'::regtype
  AND o.oprname IN ('<->', '<=>', '<#>')
ORDER BY 1;
