
/* Pinecone's metadata filters over any jsonb */

CREATE FUNCTION pinecone_match(metadata jsonb, filter jsonb)
RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_match(jsonb, jsonb) IS
'does the metadata match the Pinecone filter? ($ne and $nin match where the field is missing; add {"$exists": true} if they should not)';
