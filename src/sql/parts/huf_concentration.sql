/*
 * Governance: aggregates that keep all values, because they sort them.  Their
 * states merge by concatenation and have an inverse for moving frames.
 */

CREATE FUNCTION huf_rows_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_rows_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_rows_combine(internal,internal) IS
'internal: combine function of HUF aggregates';

CREATE FUNCTION huf_rows_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'pinecone_huf_rows_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_rows_serialize(internal) IS
'internal: serialisation function of HUF aggregates';

CREATE FUNCTION huf_rows_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_rows_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_rows_deserialize(bytea,internal) IS
'internal: deserialisation function of HUF aggregates';

CREATE FUNCTION huf_cover_accum(internal, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_cover_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_cover_accum(internal,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_cover_remove(internal, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_rows_remove'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_cover_remove(internal,float8) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_cover_accum(internal, float8, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_cover_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_cover_accum(internal,float8,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_cover_remove(internal, float8, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_rows_remove'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_cover_remove(internal,float8,float8) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_cover_accum(internal, float8, float8, huf_kind)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_cover_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_cover_accum(internal,float8,float8,huf_kind) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_cover_remove(internal, float8, float8, huf_kind)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_rows_remove'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_cover_remove(internal,float8,float8,huf_kind) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_cover_accum(internal, float8, float8, huf_kind, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_cover_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_cover_accum(internal,float8,float8,huf_kind,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_cover_remove(internal, float8, float8, huf_kind, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_rows_remove'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_cover_remove(internal,float8,float8,huf_kind,float8) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_gini_accum(internal, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_gini_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_gini_accum(internal,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_gini_remove(internal, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_rows_remove'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_gini_remove(internal,float8) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_gini_accum(internal, float8, huf_kind)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_gini_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_gini_accum(internal,float8,huf_kind) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_gini_remove(internal, float8, huf_kind)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_rows_remove'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_gini_remove(internal,float8,huf_kind) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_gini_accum(internal, float8, huf_kind, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_gini_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_gini_accum(internal,float8,huf_kind,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_gini_remove(internal, float8, huf_kind, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_rows_remove'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_gini_remove(internal,float8,huf_kind,float8) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_items_to_cover_final(internal)
RETURNS bigint
AS 'MODULE_PATHNAME', 'pinecone_huf_items_to_cover'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_items_to_cover_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_items_to_cover_approx_final(internal)
RETURNS bigint
AS 'MODULE_PATHNAME', 'pinecone_huf_items_to_cover_approx'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_items_to_cover_approx_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_gini_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_gini'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_gini_final(internal) IS
'internal: final function of HUF aggregates';

CREATE AGGREGATE huf_items_to_cover(x float8) (
	SFUNC = huf_cover_accum,
	STYPE = internal,
	SSPACE = 4096,
	FINALFUNC = huf_items_to_cover_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_cover_accum,
	MINVFUNC = huf_cover_remove,
	MSTYPE = internal,
	MSSPACE = 4096,
	MFINALFUNC = huf_items_to_cover_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_items_to_cover(float8) IS
'smallest number of items whose masses reach q of the total, in [0,n]; q = 0.9 unless given, with a tolerance of 1e-12; 0 for a total of 0';

CREATE AGGREGATE huf_items_to_cover(x float8, q float8) (
	SFUNC = huf_cover_accum,
	STYPE = internal,
	SSPACE = 4096,
	FINALFUNC = huf_items_to_cover_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_cover_accum,
	MINVFUNC = huf_cover_remove,
	MSTYPE = internal,
	MSSPACE = 4096,
	MFINALFUNC = huf_items_to_cover_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_items_to_cover(float8, float8) IS
'smallest number of items whose masses reach q of the total, in [0,n]; q = 0.9 unless given, with a tolerance of 1e-12; 0 for a total of 0';

CREATE AGGREGATE huf_items_to_cover(x float8, q float8, kind huf_kind) (
	SFUNC = huf_cover_accum,
	STYPE = internal,
	SSPACE = 4096,
	FINALFUNC = huf_items_to_cover_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_cover_accum,
	MINVFUNC = huf_cover_remove,
	MSTYPE = internal,
	MSSPACE = 4096,
	MFINALFUNC = huf_items_to_cover_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_items_to_cover(float8, float8, huf_kind) IS
'smallest number of items whose masses reach q of the total, in [0,n]; q = 0.9 unless given, with a tolerance of 1e-12; 0 for a total of 0';

CREATE AGGREGATE huf_items_to_cover(x float8, q float8, kind huf_kind, t float8) (
	SFUNC = huf_cover_accum,
	STYPE = internal,
	SSPACE = 4096,
	FINALFUNC = huf_items_to_cover_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_cover_accum,
	MINVFUNC = huf_cover_remove,
	MSTYPE = internal,
	MSSPACE = 4096,
	MFINALFUNC = huf_items_to_cover_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_items_to_cover(float8, float8, huf_kind, float8) IS
'smallest number of items whose masses reach q of the total, in [0,n]; q = 0.9 unless given, with a tolerance of 1e-12; 0 for a total of 0';

CREATE AGGREGATE huf_gini(x float8) (
	SFUNC = huf_gini_accum,
	STYPE = internal,
	SSPACE = 4096,
	FINALFUNC = huf_gini_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_gini_accum,
	MINVFUNC = huf_gini_remove,
	MSTYPE = internal,
	MSSPACE = 4096,
	MFINALFUNC = huf_gini_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_gini(float8) IS
'Gini coefficient sum (2i - n - 1) share_(i) / n over ascending shares, in [0,(n-1)/n]; NULL if the total mass is 0';

CREATE AGGREGATE huf_gini(x float8, kind huf_kind) (
	SFUNC = huf_gini_accum,
	STYPE = internal,
	SSPACE = 4096,
	FINALFUNC = huf_gini_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_gini_accum,
	MINVFUNC = huf_gini_remove,
	MSTYPE = internal,
	MSSPACE = 4096,
	MFINALFUNC = huf_gini_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_gini(float8, huf_kind) IS
'Gini coefficient sum (2i - n - 1) share_(i) / n over ascending shares, in [0,(n-1)/n]; NULL if the total mass is 0';

CREATE AGGREGATE huf_gini(x float8, kind huf_kind, t float8) (
	SFUNC = huf_gini_accum,
	STYPE = internal,
	SSPACE = 4096,
	FINALFUNC = huf_gini_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_gini_accum,
	MINVFUNC = huf_gini_remove,
	MSTYPE = internal,
	MSSPACE = 4096,
	MFINALFUNC = huf_gini_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_gini(float8, huf_kind, float8) IS
'Gini coefficient sum (2i - n - 1) share_(i) / n over ascending shares, in [0,(n-1)/n]; NULL if the total mass is 0';

CREATE FUNCTION huf_buckets_accum(internal, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_buckets_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_buckets_accum(internal,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_buckets_remove(internal, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_buckets_remove'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_buckets_remove(internal,float8) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_buckets_accum(internal, float8, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_buckets_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_buckets_accum(internal,float8,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_buckets_remove(internal, float8, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_buckets_remove'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_buckets_remove(internal,float8,float8) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_buckets_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_buckets_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_buckets_combine(internal,internal) IS
'internal: combine function of HUF aggregates';

CREATE FUNCTION huf_buckets_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'pinecone_huf_buckets_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_buckets_serialize(internal) IS
'internal: serialisation function of HUF aggregates';

CREATE FUNCTION huf_buckets_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_buckets_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_buckets_deserialize(bytea,internal) IS
'internal: deserialisation function of HUF aggregates';

CREATE AGGREGATE huf_items_to_cover_approx(x float8) (
	SFUNC = huf_buckets_accum,
	STYPE = internal,
	SSPACE = 16384,
	FINALFUNC = huf_items_to_cover_approx_final,
	COMBINEFUNC = huf_buckets_combine,
	SERIALFUNC = huf_buckets_serialize,
	DESERIALFUNC = huf_buckets_deserialize,
	MSFUNC = huf_buckets_accum,
	MINVFUNC = huf_buckets_remove,
	MSTYPE = internal,
	MSSPACE = 16384,
	MFINALFUNC = huf_items_to_cover_approx_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_items_to_cover_approx(float8) IS
'smallest number of items whose masses reach q of the total, in [0,n], in bounded memory, for linear masses: counts and exact sums in logarithmic buckets, 32 to the octave; wrong by less than the items of one bucket';

CREATE AGGREGATE huf_items_to_cover_approx(x float8, q float8) (
	SFUNC = huf_buckets_accum,
	STYPE = internal,
	SSPACE = 16384,
	FINALFUNC = huf_items_to_cover_approx_final,
	COMBINEFUNC = huf_buckets_combine,
	SERIALFUNC = huf_buckets_serialize,
	DESERIALFUNC = huf_buckets_deserialize,
	MSFUNC = huf_buckets_accum,
	MINVFUNC = huf_buckets_remove,
	MSTYPE = internal,
	MSSPACE = 16384,
	MFINALFUNC = huf_items_to_cover_approx_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_items_to_cover_approx(float8, float8) IS
'smallest number of items whose masses reach q of the total, in [0,n], in bounded memory, for linear masses: counts and exact sums in logarithmic buckets, 32 to the octave; wrong by less than the items of one bucket';

