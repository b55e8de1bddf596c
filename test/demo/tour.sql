-- ======== Connect: a server for the index, a key for the user, a table per namespace

CREATE EXTENSION pinecone_fdw;
CREATE SERVER catalog FOREIGN DATA WRAPPER pinecone_fdw
  OPTIONS (index 'catalog', control_host :'url');
CREATE USER MAPPING FOR CURRENT_USER SERVER catalog OPTIONS (api_key :'key');
IMPORT FOREIGN SCHEMA pinecone FROM SERVER catalog INTO public;
\d settings
SELECT (SELECT count(*) FROM functions) AS functions, (SELECT count(*) FROM operators) AS operators,
       (SELECT count(*) FROM types) AS types, (SELECT count(*) FROM settings) AS settings;

-- ======== Filter: conditions on metadata are sent to Pinecone

SELECT id, description FROM functions
WHERE kind = 'aggregate' AND arity = 1 AND returns = 'numeric' AND description LIKE '%average%'
ORDER BY id COLLATE "C";
EXPLAIN (VERBOSE, COSTS OFF)
SELECT id, description FROM functions
WHERE kind = 'aggregate' AND arity = 1 AND returns = 'numeric' AND description LIKE '%average%'
ORDER BY id COLLATE "C";

-- a list, a range and a raw filter
SELECT id, arguments FROM functions
WHERE arguments @> '{point,polygon}' AND arity <= 2 AND pinecone_match(metadata, '{"volatility": {"$ne": "volatile"}}')
ORDER BY id COLLATE "C";

-- ======== Search: the nearest by meaning (here: by spelling, see toy_embed)

-- as programs ask, with the vector as a parameter; plans then show $1 in place of 256 numbers
SET plan_cache_mode = force_generic_plan;
PREPARE nearest(real[]) AS
SELECT id, description, round((embedding <=> $1)::numeric, 3) AS distance
FROM functions ORDER BY embedding <=> $1 LIMIT 5;
EXECUTE nearest(toy_embed('distance between points'));
EXPLAIN (VERBOSE, COSTS OFF) EXECUTE nearest(toy_embed('distance between points'));

-- among those that pass a filter
PREPARE nearest_stable(real[]) AS
SELECT id, description, volatility FROM functions
WHERE volatility = 'stable' AND arity = 0
ORDER BY embedding <=> $1 LIMIT 5;
EXECUTE nearest_stable(toy_embed('current user'));
EXPLAIN (COSTS OFF) EXECUTE nearest_stable(toy_embed('current user'));

-- ======== Join: which settings are about memory, and what are they set to here?

PREPARE set_to(real[]) AS
SELECT s.id, p.setting, p.unit, s.description
FROM (SELECT id, description, embedding <=> $1 AS distance FROM settings ORDER BY distance LIMIT 6) s
JOIN pg_settings p ON p.name = s.id
ORDER BY s.distance;
EXECUTE set_to(toy_embed('memory for a query'));
EXPLAIN (COSTS OFF) EXECUTE set_to(toy_embed('memory for a query'));
RESET plan_cache_mode;

-- the other way round: for each of some settings, the functions nearest to it
CREATE TABLE chosen AS
SELECT name, toy_embed(replace(name, '_', ' ') || ' ' || short_desc) AS embedding FROM pg_settings
WHERE name IN ('max_connections', 'TimeZone', 'xmlbinary');
SELECT c.name, f.id, f.description
FROM chosen c
CROSS JOIN LATERAL (SELECT id, description FROM functions ORDER BY functions.embedding <=> c.embedding LIMIT 2) f
ORDER BY c.name;
EXPLAIN (COSTS OFF)
SELECT c.name, f.id, f.description
FROM chosen c
CROSS JOIN LATERAL (SELECT id, description FROM functions ORDER BY functions.embedding <=> c.embedding LIMIT 2) f
ORDER BY c.name;

-- records by id, driven by a local query
SELECT p.oid::regprocedure, p.procost, f.description
FROM pg_proc p JOIN functions f ON f.id = p.oid::regprocedure::text
WHERE p.procost > 100 ORDER BY 1;

-- ======== Govern: which namespace do the answers come from, and how concentrated are they?
CREATE TABLE question AS SELECT toy_embed('current user name') AS embedding;
CREATE VIEW live_hits AS
SELECT 'functions' AS namespace, h.* FROM question q, LATERAL
  (SELECT id, 1 - (embedding <=> q.embedding) AS score, now() AS last_update FROM functions ORDER BY embedding <=> q.embedding LIMIT 10) h
UNION ALL SELECT 'operators', h.* FROM question q, LATERAL
  (SELECT id, 1 - (embedding <=> q.embedding) AS score, now() AS last_update FROM operators ORDER BY embedding <=> q.embedding LIMIT 10) h
UNION ALL SELECT 'settings', h.* FROM question q, LATERAL
  (SELECT id, 1 - (embedding <=> q.embedding) AS score, now() AS last_update FROM settings ORDER BY embedding <=> q.embedding LIMIT 10) h;
SELECT namespace, count(*) AS hits, round(max(score)::numeric, 2) AS best, round(huf_mass(score)::numeric, 3) AS mass,
       round((huf_mass(score) / sum(huf_mass(score)) OVER ())::numeric, 3) AS share
FROM live_hits GROUP BY namespace ORDER BY namespace;
SELECT round(huf_neff_hhi(score)::numeric, 1) AS effective_hits, huf_items_to_cover(score, 0.9) AS hits_for_90pct FROM live_hits;
