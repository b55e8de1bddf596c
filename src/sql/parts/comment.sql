
/* Comments that say what imported tables and columns are */

CREATE FUNCTION pinecone_comment("table" regclass)
RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

COMMENT ON FUNCTION pinecone_comment(regclass) IS
'comments a foreign table and its columns: which metadata field or part of a record each is, and how many of the first 100 records have it; keeps comments of others; returns how many columns it commented';
