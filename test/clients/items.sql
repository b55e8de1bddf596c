-- items.sql: the local copy, of which run.sh makes the records of pinecone-local
\set ON_ERROR_STOP on
CREATE TABLE items_local (
	id text COLLATE "C" PRIMARY KEY, embedding real[], title text, category text, year integer, price double precision,
	tags text[], metadata jsonb
);
INSERT INTO items_local (id, embedding, title, category, year, price, tags)
SELECT 'item-' || lpad(n::text, 5, '0'),
	(SELECT array_agg((((n * 7919 + d * 104729) * (n + d) % 99991) / 50000.0 - 1)::real ORDER BY d) FROM generate_series(1, 8) AS d),
	'Title ' || n, (ARRAY['books', 'films', 'games', 'maps', 'music'])[1 + n % 5], 1990 + n * 7 % 33, n % 100 / 4.0,
	ARRAY['tag' || n % 3, 'tag' || 3 + n % 4]
FROM generate_series(0, 2999::bigint) AS n;
UPDATE items_local SET metadata = jsonb_build_object('title', title, 'category', category, 'year', year, 'price', price, 'tags', tags,
	'shelf', 'shelf ' || year % 10);
