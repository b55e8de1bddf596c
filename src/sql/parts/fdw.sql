/* pinecone_fdw 1.0: the foreign data wrapper */

\echo Use "CREATE EXTENSION pinecone_fdw" to load this file. \quit

CREATE FUNCTION pinecone_fdw_handler()
RETURNS fdw_handler
AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

CREATE FUNCTION pinecone_fdw_validator(text[], oid)
RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

CREATE FOREIGN DATA WRAPPER pinecone_fdw
HANDLER pinecone_fdw_handler
VALIDATOR pinecone_fdw_validator;
