-- pinecone-local as the tests use it: see test/regress/setup.sql.
\set index movies
\set dimension 3
\set metric cosine
\i test/regress/setup.sql

-- a local copy of what goes into the index
CREATE TABLE movies_local (id text COLLATE "C" PRIMARY KEY, embedding real[], title text, year int, genres text[]);
INSERT INTO movies_local VALUES
  ('m1', '{1,0,0}', 'Metropolis', 1927, '{drama,sci-fi}'),
  ('m2', '{0,1,0}', 'Playtime', 1967, '{comedy}'),
  ('m3', '{0.6,0.8,0}', 'Alien', 1979, '{sci-fi,horror}'),
  ('m4', '{0,0.6,0.8}', 'Stalker', 1979, '{drama,sci-fi}');
SELECT jsonb_build_object('id', id, 'values', embedding,
         'metadata', jsonb_build_object('title', title, 'year', year, 'genres', genres))
FROM movies_local ORDER BY id
\g (format=unaligned tuples_only=on) |test/regress/pinecone upsert movies kb
\! test/regress/pinecone log

-- the server answers a search as the local copy does
\! test/regress/pinecone post movies /query '{"namespace": "kb", "vector": [1, 0.25, 0], "topK": 2, "filter": {"genres": "sci-fi"}, "includeMetadata": true}'
SELECT id, round(1 - (embedding <=> '{1,0.25,0}')::numeric, 4) AS score, title
FROM movies_local WHERE 'sci-fi' = ANY (genres) ORDER BY embedding <=> '{1,0.25,0}' LIMIT 2;

-- and pages through ids in byte order
\! test/regress/pinecone get movies '/vectors/list?namespace=kb&prefix=m&limit=3'
\! test/regress/pinecone get movies '/vectors/fetch?namespace=kb&ids=m2&ids=no%20such'

-- the requests since the last look, those that match
\! test/regress/pinecone log 'query|list'
\! test/regress/pinecone log

-- a fault, once
\! test/regress/pinecone fault '{"path": "/query", "status": 503, "count": 1}'
\! test/regress/pinecone post movies /query '{"namespace": "kb", "id": "m1", "topK": 1}' | cut -d ' ' -f 1
\! test/regress/pinecone post movies /query '{"namespace": "kb", "id": "m1", "topK": 1}'

-- the foreign server is there, and its index is found by name
SELECT srvname, s.srvoptions[1] AS option FROM pg_foreign_server s WHERE srvname = 'pinecone';
SELECT :'host' ~ '^http://127.0.0.1:\d+$' AS host, :'control_host' = :'host' AS same;
\! test/regress/pinecone drop movies
DROP TABLE movies_local;
