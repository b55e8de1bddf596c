/*
 * Governance: all that huf_take() wants to know of the hits of a namespace, in
 * one pass and in bounded memory.
 */

CREATE FUNCTION huf_profile_accum(internal, float8, float8, float8[])
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_profile_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_profile_accum(internal,float8,float8,float8[]) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_profile_merge_accum(internal, bytea)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_profile_merge_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_profile_merge_accum(internal,bytea) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_profile_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_profile_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_profile_combine(internal,internal) IS
'internal: combine function of HUF aggregates';

CREATE FUNCTION huf_profile_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'pinecone_huf_profile_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_profile_serialize(internal) IS
'internal: serial function of HUF aggregates';

CREATE FUNCTION huf_profile_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_profile_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_profile_deserialize(bytea,internal) IS
'internal: deserial function of HUF aggregates';

CREATE FUNCTION huf_profile_final(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'pinecone_huf_profile_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_profile_final(internal) IS
'internal: final function of HUF aggregates';

CREATE AGGREGATE huf_profile(score float8, mass float8, edges float8[]) (
	SFUNC = huf_profile_accum,
	STYPE = internal,
	SSPACE = 3000,
	FINALFUNC = huf_profile_final,
	COMBINEFUNC = huf_profile_combine,
	SERIALFUNC = huf_profile_serialize,
	DESERIALFUNC = huf_profile_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_profile(float8,float8,float8[]) IS
'profile of hits with a score and a mass, in bounded memory, for huf_profile_read(); scores that are NULL, NaN or infinite are only counted; scores are counted between at most 32 edges, or NULL';

CREATE AGGREGATE huf_profile_merge(profile bytea) (
	SFUNC = huf_profile_merge_accum,
	STYPE = internal,
	SSPACE = 3000,
	FINALFUNC = huf_profile_final,
	COMBINEFUNC = huf_profile_combine,
	SERIALFUNC = huf_profile_serialize,
	DESERIALFUNC = huf_profile_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_profile_merge(bytea) IS
'profile of all hits of several profiles with the same edges';

CREATE FUNCTION huf_profile_read(
	profile bytea,
	OUT rows bigint,
	OUT n bigint,
	OUT negative bigint,
	OUT mass float8,
	OUT effective float8,
	OUT cover_90 bigint,
	OUT variance float8,
	OUT histogram bigint[]
)
AS 'MODULE_PATHNAME', 'pinecone_huf_profile_read'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_profile_read(bytea) IS
'what a profile tells: rows, those with a finite score (n) and with one below 0, mass, effective number of hits, how many cover 90 % of the mass (approximately: within an eighth of an octave hits are taken as equal), variance of the softmax shares of the scores, counts between the edges';
