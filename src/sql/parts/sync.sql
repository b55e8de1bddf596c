
/* A foreign table and the rows that it is to hold: what differs, and bringing it in line */

CREATE FUNCTION pinecone_digests(VARIADIC "any")
RETURNS bigint[]
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_digests("any") IS
'internal: a digest of each value, by which pinecone_diff() compares';

CREATE FUNCTION pinecone_diff(
	foreign_table regclass, source text, metadata boolean DEFAULT false, vectors boolean DEFAULT false)
RETURNS TABLE (namespace text, id text, difference text, columns text[])
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;

COMMENT ON FUNCTION pinecone_diff(regclass, text, boolean, boolean) IS
'what differs between a foreign table and its source, a table or a query of this database whose columns have the same names: records that are only_here, in the source, or only_there, and with metadata or vectors those whose named columns differ';

CREATE FUNCTION pinecone_diff_counted(
	foreign_table regclass, source text, metadata boolean, vectors boolean)
RETURNS TABLE (namespace text, id text, difference text, columns text[], records bigint)
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;

COMMENT ON FUNCTION pinecone_diff_counted(regclass, text, boolean, boolean) IS
'internal: pinecone_diff(), and how many records the foreign table has';

CREATE PROCEDURE pinecone_sync(
	foreign_table regclass, source text, apply boolean DEFAULT false,
	metadata boolean DEFAULT false, vectors boolean DEFAULT false,
	max_delete double precision DEFAULT 0.5, batch integer DEFAULT 1000,
	INOUT only_here bigint DEFAULT NULL, INOUT only_there bigint DEFAULT NULL, INOUT differing bigint DEFAULT NULL,
	INOUT written bigint DEFAULT NULL, INOUT deleted bigint DEFAULT NULL)
AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON PROCEDURE pinecone_sync(regclass, text, boolean, boolean, boolean, double precision, integer, bigint, bigint, bigint, bigint, bigint) IS
'counts what pinecone_diff() finds and, with apply, writes and deletes it, a batch a transaction; refuses to delete more than the share max_delete of the records';
