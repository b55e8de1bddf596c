/*
 * Governance: concentration of masses.  kind is 'linear' (default) or
 * 'softmax' with temperature t (default 1); it must not vary in a group.
 */

CREATE FUNCTION huf_moments_accum(internal, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_accum(internal,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_accum(internal, float8, text)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_accum(internal,float8,text) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_accum(internal, float8, text, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_accum(internal,float8,text,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_log_accum(internal, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum_log'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_log_accum(internal,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_log_accum(internal, float8, text)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum_log'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_log_accum(internal,float8,text) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_log_accum(internal, float8, text, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum_log'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_log_accum(internal,float8,text,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_var_accum(internal, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum_var'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_var_accum(internal,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_var_accum(internal, float8, text)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum_var'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_var_accum(internal,float8,text) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_var_accum(internal, float8, text, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum_var'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_var_accum(internal,float8,text,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_abs_accum(internal, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum_abs'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_abs_accum(internal,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_lse_accum(internal, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum_lse'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_lse_accum(internal,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_lse_accum(internal, float8, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum_lse'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_lse_accum(internal,float8,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_combine(internal,internal) IS
'internal: combine function of HUF aggregates';

CREATE FUNCTION huf_moments_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_serialize(internal) IS
'internal: serialisation function of HUF aggregates';

CREATE FUNCTION huf_moments_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_deserialize(bytea,internal) IS
'internal: deserialisation function of HUF aggregates';

CREATE FUNCTION huf_mass_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_mass'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_mass_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_mean_abs_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_mean_abs'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_mean_abs_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_lse_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_lse'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_lse_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_hhi_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_hhi'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_hhi_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_neff_hhi_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_neff_hhi'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_neff_hhi_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_entropy_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_entropy'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_entropy_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_neff_entropy_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_neff_entropy'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_neff_entropy_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_evenness_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_evenness'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_evenness_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_top_share_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_top_share'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_top_share_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_rho_var_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_rho_var'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_rho_var_final(internal) IS
'internal: final function of HUF aggregates';

CREATE AGGREGATE huf_mass(x float8) (
	SFUNC = huf_moments_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_mass_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_mass(float8) IS
'total mass sum x, at least 0, by compensated summation; NULL without rows';

CREATE AGGREGATE huf_mean_abs(x float8) (
	SFUNC = huf_moments_abs_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_mean_abs_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_mean_abs(float8) IS
'mean |x|, at least 0, without overflow; NULL without rows';

CREATE AGGREGATE huf_lse(score float8) (
	SFUNC = huf_moments_lse_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_lse_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_lse(float8) IS
'log-sum-exp t * ln(sum exp(score / t)), any double; t = 1 unless given; exp of differences divided by t gives softmax shares of groups';

CREATE AGGREGATE huf_lse(score float8, t float8) (
	SFUNC = huf_moments_lse_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_lse_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_lse(float8, float8) IS
'log-sum-exp t * ln(sum exp(score / t)), any double; t = 1 unless given; exp of differences divided by t gives softmax shares of groups';

CREATE AGGREGATE huf_hhi(x float8) (
	SFUNC = huf_moments_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_hhi_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_hhi(float8) IS
'Herfindahl-Hirschman index sum share^2, in [1/n,1]; NULL if the total mass is 0';

CREATE AGGREGATE huf_hhi(x float8, kind text) (
	SFUNC = huf_moments_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_hhi_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_hhi(float8, text) IS
'Herfindahl-Hirschman index sum share^2, in [1/n,1]; NULL if the total mass is 0';

CREATE AGGREGATE huf_hhi(x float8, kind text, t float8) (
	SFUNC = huf_moments_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_hhi_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_hhi(float8, text, float8) IS
'Herfindahl-Hirschman index sum share^2, in [1/n,1]; NULL if the total mass is 0';

CREATE AGGREGATE huf_neff_hhi(x float8) (
	SFUNC = huf_moments_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_neff_hhi_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_neff_hhi(float8) IS
'effective number 1 / sum share^2, in [1,n]; NULL if the total mass is 0';

CREATE AGGREGATE huf_neff_hhi(x float8, kind text) (
	SFUNC = huf_moments_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_neff_hhi_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_neff_hhi(float8, text) IS
'effective number 1 / sum share^2, in [1,n]; NULL if the total mass is 0';

CREATE AGGREGATE huf_neff_hhi(x float8, kind text, t float8) (
	SFUNC = huf_moments_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_neff_hhi_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_neff_hhi(float8, text, float8) IS
'effective number 1 / sum share^2, in [1,n]; NULL if the total mass is 0';

CREATE AGGREGATE huf_entropy(x float8) (
	SFUNC = huf_moments_log_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_entropy_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_entropy(float8) IS
'entropy -sum share ln share, in [0,ln n]; NULL if the total mass is 0';

CREATE AGGREGATE huf_entropy(x float8, kind text) (
	SFUNC = huf_moments_log_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_entropy_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_entropy(float8, text) IS
'entropy -sum share ln share, in [0,ln n]; NULL if the total mass is 0';

CREATE AGGREGATE huf_entropy(x float8, kind text, t float8) (
	SFUNC = huf_moments_log_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_entropy_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_entropy(float8, text, float8) IS
'entropy -sum share ln share, in [0,ln n]; NULL if the total mass is 0';

CREATE AGGREGATE huf_neff_entropy(x float8) (
	SFUNC = huf_moments_log_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_neff_entropy_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_neff_entropy(float8) IS
'effective number exp(entropy), in [1,n]; NULL if the total mass is 0';

CREATE AGGREGATE huf_neff_entropy(x float8, kind text) (
	SFUNC = huf_moments_log_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_neff_entropy_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_neff_entropy(float8, text) IS
'effective number exp(entropy), in [1,n]; NULL if the total mass is 0';

CREATE AGGREGATE huf_neff_entropy(x float8, kind text, t float8) (
	SFUNC = huf_moments_log_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_neff_entropy_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_neff_entropy(float8, text, float8) IS
'effective number exp(entropy), in [1,n]; NULL if the total mass is 0';

CREATE AGGREGATE huf_evenness(x float8) (
	SFUNC = huf_moments_log_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_evenness_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_evenness(float8) IS
'entropy / ln(number of items with a share above 0), in [0,1]; NULL with fewer than two; NULL if the total mass is 0';

CREATE AGGREGATE huf_evenness(x float8, kind text) (
	SFUNC = huf_moments_log_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_evenness_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_evenness(float8, text) IS
'entropy / ln(number of items with a share above 0), in [0,1]; NULL with fewer than two; NULL if the total mass is 0';

CREATE AGGREGATE huf_evenness(x float8, kind text, t float8) (
	SFUNC = huf_moments_log_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_evenness_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_evenness(float8, text, float8) IS
'entropy / ln(number of items with a share above 0), in [0,1]; NULL with fewer than two; NULL if the total mass is 0';

CREATE AGGREGATE huf_top_share(x float8) (
	SFUNC = huf_moments_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_top_share_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_top_share(float8) IS
'largest share, in [1/n,1]; NULL if the total mass is 0';

CREATE AGGREGATE huf_top_share(x float8, kind text) (
	SFUNC = huf_moments_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_top_share_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_top_share(float8, text) IS
'largest share, in [1/n,1]; NULL if the total mass is 0';

CREATE AGGREGATE huf_top_share(x float8, kind text, t float8) (
	SFUNC = huf_moments_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_top_share_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_top_share(float8, text, float8) IS
'largest share, in [1/n,1]; NULL if the total mass is 0';

CREATE AGGREGATE huf_rho_var(x float8) (
	SFUNC = huf_moments_var_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_rho_var_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_rho_var(float8) IS
'population variance of the shares, in [0,(n-1)/n^2]; NULL if the total mass is 0';

CREATE AGGREGATE huf_rho_var(x float8, kind text) (
	SFUNC = huf_moments_var_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_rho_var_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_rho_var(float8, text) IS
'population variance of the shares, in [0,(n-1)/n^2]; NULL if the total mass is 0';

CREATE AGGREGATE huf_rho_var(x float8, kind text, t float8) (
	SFUNC = huf_moments_var_accum,
	STYPE = internal,
	SSPACE = 160,
	FINALFUNC = huf_rho_var_final,
	COMBINEFUNC = huf_moments_combine,
	SERIALFUNC = huf_moments_serialize,
	DESERIALFUNC = huf_moments_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_rho_var(float8, text, float8) IS
'population variance of the shares, in [0,(n-1)/n^2]; NULL if the total mass is 0';

