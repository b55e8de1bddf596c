/*
 * Searches as functions, for where LATERAL is not to be had: other servers' query
 * planners, PL/pgSQL, ORMs.  They execute a query on the table as their caller.
 */

CREATE FUNCTION pinecone_matrix_rows(matrix real[], OUT n integer, OUT v real[])
RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 100;

COMMENT ON FUNCTION pinecone_matrix_rows(real[]) IS
'internal: the vectors of pinecone_search_batch(), with their numbers';

CREATE FUNCTION pinecone_search("table" regclass, vector real[], k integer, filter jsonb DEFAULT NULL)
RETURNS TABLE (id text, distance double precision, record jsonb)
AS 'MODULE_PATHNAME', 'pinecone_search_nearest' LANGUAGE C VOLATILE ROWS 10;

COMMENT ON FUNCTION pinecone_search(regclass, real[], integer, jsonb) IS
'the k records of a foreign table that are nearest to a vector, by the metric of its index, nearest first: id, distance, and the other columns as an object; of those that match a Pinecone filter, if one is given; none for a NULL vector';

CREATE FUNCTION pinecone_search_batch("table" regclass, vectors real[], k integer, filter jsonb DEFAULT NULL)
RETURNS TABLE (n integer, id text, distance double precision, record jsonb)
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE ROWS 1000;

COMMENT ON FUNCTION pinecone_search_batch(regclass, real[], integer, jsonb) IS
'pinecone_search() of many vectors, an array of arrays, several requests at a time: n is the number of the vector, from 1';
