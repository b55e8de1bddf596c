-- What docs/scaling.md takes for granted.
CREATE EXTENSION pinecone_fdw;
CREATE TABLE hits_1 AS SELECT i AS id, i * 1.0 AS mass FROM generate_series(1, 10) i;
CREATE TABLE hits_2 AS SELECT i AS id, i * 2.0 AS mass FROM generate_series(1, 10) i;
