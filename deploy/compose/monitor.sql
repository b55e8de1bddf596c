-- The exporter comes from another container, and has to say who it is.
ALTER ROLE pinecone_monitor PASSWORD 'monitor';
