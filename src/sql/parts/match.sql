
/* Pinecone's metadata filters over any jsonb */

CREATE FUNCTION pinecone_match(metadata jsonb, filter jsonb)
RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_match(jsonb, jsonb) IS
'does the metadata match the Pinecone filter? ($ne and $nin match where the field is missing; add {"$exists": true} if they should not)';

CREATE FUNCTION pinecone_match_record(id anyelement, filter jsonb)
RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION pinecone_match_record(anyelement, jsonb) IS
'does the record of that id match the Pinecone filter? Of any fields, whatever columns the table has: Pinecone alone can tell, so that elsewhere than in a condition that is sent it is an error';
