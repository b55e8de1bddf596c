-- The view of records.sql as pinecone-local loads it.
SELECT jsonb_build_object('index', 'catalog', 'namespace', namespace, 'id', id,
         'values', toy_embed(words), 'metadata', metadata)
FROM records ORDER BY namespace, id;
