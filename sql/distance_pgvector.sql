-- Our operators on real[] beside pgvector's on vector, in one schema.
CREATE EXTENSION vector;
CREATE TABLE both_kinds (id int, r real[], v vector(3));
INSERT INTO both_kinds
SELECT i, a, a::vector FROM (SELECT i, ARRAY[sin(i), cos(i), i * 0.25]::real[] AS a FROM generate_series(1, 50) i) s;

-- each pair of operands finds its operator: real[] only where no vector operator fits
EXPLAIN (VERBOSE, COSTS OFF)
SELECT r <-> r, r <-> '{1,2,3}', '{1,2,3}' <-> r, v <-> v, v <-> '[1,2,3]', '[1,2,3]' <-> v,
       r <=> ARRAY[1,2,3], v <=> '[1,2,3]'::vector, v <#> r, r <#> v
FROM both_kinds;

-- a literal of the other kind's syntax is an error, not another operator
SELECT r <-> '[1,2,3]' FROM both_kinds;
SELECT v <-> '{1,2,3}' FROM both_kinds;

-- and both kinds agree
SELECT count(*) AS pairs,
       count(*) FILTER (WHERE abs((a.r <-> b.r) - (a.v <-> b.v)) < 1e-6) AS l2,
       count(*) FILTER (WHERE abs((a.r <=> b.r) - (a.v <=> b.v)) < 1e-6) AS cosine,
       count(*) FILTER (WHERE abs((a.r <#> b.r) - (a.v <#> b.v)) < 1e-4) AS negative_inner_product
FROM both_kinds a, both_kinds b;
SELECT '{0,0}'::real[] <=> '{1,2}' AS ours, '[0,0]'::vector <=> '[1,2]' AS pgvector;

DROP TABLE both_kinds;
DROP EXTENSION vector;
