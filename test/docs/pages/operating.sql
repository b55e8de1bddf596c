-- What docs/operating.md takes for granted: a server, a role and a database.
CREATE EXTENSION IF NOT EXISTS pinecone_fdw;
DO $$ BEGIN IF to_regrole('analyst') IS NULL THEN CREATE ROLE analyst; END IF; END $$;
SELECT 'CREATE DATABASE app' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'app') \gexec
CREATE SERVER catalog FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'catalog');
CREATE USER MAPPING FOR CURRENT_USER SERVER catalog OPTIONS (api_key '...');
DO $$ BEGIN IF to_regrole('report') IS NULL THEN CREATE ROLE report; END IF; END $$;
