/*
 * Governance: concentration of masses.  kind is 'linear' (default) or
 * 'softmax' with temperature t (default 1); it must not vary in a group.
 *
 * The aggregates whose state has a fixed size have it in a type of their own,
 * so that what other servers have aggregated can come from there.
 */

CREATE TYPE huf_kind AS ENUM ('linear', 'softmax');

COMMENT ON TYPE huf_kind IS
'how masses become shares: ''linear'', as they are, or ''softmax'', their exponentials';

CREATE FUNCTION huf_kind(text)
RETURNS huf_kind
AS 'MODULE_PATHNAME', 'pinecone_huf_kind'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_kind(text) IS
'internal: cast of text to huf_kind';

-- so that a kind may be a text: of a column, a parameter, a function's result
CREATE CAST (text AS huf_kind) WITH FUNCTION huf_kind(text) AS IMPLICIT;
CREATE CAST (varchar AS huf_kind) WITH FUNCTION huf_kind(text) AS IMPLICIT;

CREATE TYPE huf_moments;

CREATE FUNCTION huf_moments_in(cstring)
RETURNS huf_moments
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_in'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_in(cstring) IS
'internal: text input of huf_moments';

CREATE FUNCTION huf_moments_out(huf_moments)
RETURNS cstring
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_out'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_out(huf_moments) IS
'internal: text output of huf_moments';

CREATE FUNCTION huf_moments_recv(internal)
RETURNS huf_moments
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_recv'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_recv(internal) IS
'internal: binary input of huf_moments';

CREATE FUNCTION huf_moments_send(huf_moments)
RETURNS bytea
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_send'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_send(huf_moments) IS
'internal: binary output of huf_moments';

CREATE TYPE huf_moments (
	INPUT = huf_moments_in,
	OUTPUT = huf_moments_out,
	RECEIVE = huf_moments_recv,
	SEND = huf_moments_send,
	INTERNALLENGTH = 120,
	ALIGNMENT = double
);

COMMENT ON TYPE huf_moments IS
'sums over masses from which the concentration aggregates follow: their state';

CREATE FUNCTION huf_moments_accum(huf_moments, float8)
RETURNS huf_moments
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_accum(huf_moments,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_accum(huf_moments, float8, huf_kind)
RETURNS huf_moments
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_accum(huf_moments,float8,huf_kind) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_accum(huf_moments, float8, huf_kind, float8)
RETURNS huf_moments
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_accum(huf_moments,float8,huf_kind,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_log_accum(huf_moments, float8)
RETURNS huf_moments
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum_log'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_log_accum(huf_moments,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_log_accum(huf_moments, float8, huf_kind)
RETURNS huf_moments
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum_log'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_log_accum(huf_moments,float8,huf_kind) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_log_accum(huf_moments, float8, huf_kind, float8)
RETURNS huf_moments
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum_log'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_log_accum(huf_moments,float8,huf_kind,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_var_accum(huf_moments, float8)
RETURNS huf_moments
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum_var'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_var_accum(huf_moments,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_var_accum(huf_moments, float8, huf_kind)
RETURNS huf_moments
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum_var'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_var_accum(huf_moments,float8,huf_kind) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_var_accum(huf_moments, float8, huf_kind, float8)
RETURNS huf_moments
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum_var'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_var_accum(huf_moments,float8,huf_kind,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_abs_accum(huf_moments, float8)
RETURNS huf_moments
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum_abs'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_abs_accum(huf_moments,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_lse_accum(huf_moments, float8)
RETURNS huf_moments
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum_lse'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_lse_accum(huf_moments,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_lse_accum(huf_moments, float8, float8)
RETURNS huf_moments
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum_lse'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_lse_accum(huf_moments,float8,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_moments_combine(huf_moments, huf_moments)
RETURNS huf_moments
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_combine(huf_moments,huf_moments) IS
'internal: combine function of HUF aggregates';

CREATE FUNCTION huf_mass_final(huf_moments)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_mass'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_mass_final(huf_moments) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_mean_abs_final(huf_moments)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_mean_abs'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_mean_abs_final(huf_moments) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_lse_final(huf_moments)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_lse'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_lse_final(huf_moments) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_hhi_final(huf_moments)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_hhi'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_hhi_final(huf_moments) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_neff_hhi_final(huf_moments)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_neff_hhi'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_neff_hhi_final(huf_moments) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_entropy_final(huf_moments)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_entropy'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_entropy_final(huf_moments) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_neff_entropy_final(huf_moments)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_neff_entropy'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_neff_entropy_final(huf_moments) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_evenness_final(huf_moments)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_evenness'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_evenness_final(huf_moments) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_top_share_final(huf_moments)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_top_share'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_top_share_final(huf_moments) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_rho_var_final(huf_moments)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_rho_var'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_rho_var_final(huf_moments) IS
'internal: final function of HUF aggregates';

CREATE AGGREGATE huf_mass(x float8) (
	SFUNC = huf_moments_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_mass_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_mass(float8) IS
'total mass sum x, at least 0, by compensated summation; NULL without rows';

CREATE AGGREGATE huf_mean_abs(x float8) (
	SFUNC = huf_moments_abs_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_mean_abs_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_mean_abs(float8) IS
'mean |x|, at least 0, without overflow; NULL without rows';

CREATE AGGREGATE huf_lse(score float8) (
	SFUNC = huf_moments_lse_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_lse_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_lse(float8) IS
'log-sum-exp t * ln(sum exp(score / t)), any double; t = 1 unless given; exp of differences divided by t gives softmax shares of groups';

CREATE AGGREGATE huf_lse(score float8, t float8) (
	SFUNC = huf_moments_lse_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_lse_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_lse(float8, float8) IS
'log-sum-exp t * ln(sum exp(score / t)), any double; t = 1 unless given; exp of differences divided by t gives softmax shares of groups';

CREATE AGGREGATE huf_hhi(x float8) (
	SFUNC = huf_moments_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_hhi_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_hhi(float8) IS
'Herfindahl-Hirschman index sum share^2, in [1/n,1]; NULL if the total mass is 0';

CREATE AGGREGATE huf_hhi(x float8, kind huf_kind) (
	SFUNC = huf_moments_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_hhi_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_hhi(float8, huf_kind) IS
'Herfindahl-Hirschman index sum share^2, in [1/n,1]; NULL if the total mass is 0';

CREATE AGGREGATE huf_hhi(x float8, kind huf_kind, t float8) (
	SFUNC = huf_moments_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_hhi_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_hhi(float8, huf_kind, float8) IS
'Herfindahl-Hirschman index sum share^2, in [1/n,1]; NULL if the total mass is 0';

CREATE AGGREGATE huf_neff_hhi(x float8) (
	SFUNC = huf_moments_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_neff_hhi_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_neff_hhi(float8) IS
'effective number 1 / sum share^2, in [1,n]; NULL if the total mass is 0';

CREATE AGGREGATE huf_neff_hhi(x float8, kind huf_kind) (
	SFUNC = huf_moments_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_neff_hhi_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_neff_hhi(float8, huf_kind) IS
'effective number 1 / sum share^2, in [1,n]; NULL if the total mass is 0';

CREATE AGGREGATE huf_neff_hhi(x float8, kind huf_kind, t float8) (
	SFUNC = huf_moments_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_neff_hhi_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_neff_hhi(float8, huf_kind, float8) IS
'effective number 1 / sum share^2, in [1,n]; NULL if the total mass is 0';

CREATE AGGREGATE huf_entropy(x float8) (
	SFUNC = huf_moments_log_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_entropy_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_entropy(float8) IS
'entropy -sum share ln share, in [0,ln n]; NULL if the total mass is 0';

CREATE AGGREGATE huf_entropy(x float8, kind huf_kind) (
	SFUNC = huf_moments_log_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_entropy_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_entropy(float8, huf_kind) IS
'entropy -sum share ln share, in [0,ln n]; NULL if the total mass is 0';

CREATE AGGREGATE huf_entropy(x float8, kind huf_kind, t float8) (
	SFUNC = huf_moments_log_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_entropy_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_entropy(float8, huf_kind, float8) IS
'entropy -sum share ln share, in [0,ln n]; NULL if the total mass is 0';

CREATE AGGREGATE huf_neff_entropy(x float8) (
	SFUNC = huf_moments_log_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_neff_entropy_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_neff_entropy(float8) IS
'effective number exp(entropy), in [1,n]; NULL if the total mass is 0';

CREATE AGGREGATE huf_neff_entropy(x float8, kind huf_kind) (
	SFUNC = huf_moments_log_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_neff_entropy_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_neff_entropy(float8, huf_kind) IS
'effective number exp(entropy), in [1,n]; NULL if the total mass is 0';

CREATE AGGREGATE huf_neff_entropy(x float8, kind huf_kind, t float8) (
	SFUNC = huf_moments_log_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_neff_entropy_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_neff_entropy(float8, huf_kind, float8) IS
'effective number exp(entropy), in [1,n]; NULL if the total mass is 0';

CREATE AGGREGATE huf_evenness(x float8) (
	SFUNC = huf_moments_log_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_evenness_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_evenness(float8) IS
'entropy / ln(number of items with a share above 0), in [0,1]; NULL with fewer than two; NULL if the total mass is 0';

CREATE AGGREGATE huf_evenness(x float8, kind huf_kind) (
	SFUNC = huf_moments_log_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_evenness_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_evenness(float8, huf_kind) IS
'entropy / ln(number of items with a share above 0), in [0,1]; NULL with fewer than two; NULL if the total mass is 0';

CREATE AGGREGATE huf_evenness(x float8, kind huf_kind, t float8) (
	SFUNC = huf_moments_log_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_evenness_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_evenness(float8, huf_kind, float8) IS
'entropy / ln(number of items with a share above 0), in [0,1]; NULL with fewer than two; NULL if the total mass is 0';

CREATE AGGREGATE huf_top_share(x float8) (
	SFUNC = huf_moments_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_top_share_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_top_share(float8) IS
'largest share, in [1/n,1]; NULL if the total mass is 0';

CREATE AGGREGATE huf_top_share(x float8, kind huf_kind) (
	SFUNC = huf_moments_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_top_share_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_top_share(float8, huf_kind) IS
'largest share, in [1/n,1]; NULL if the total mass is 0';

CREATE AGGREGATE huf_top_share(x float8, kind huf_kind, t float8) (
	SFUNC = huf_moments_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_top_share_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_top_share(float8, huf_kind, float8) IS
'largest share, in [1/n,1]; NULL if the total mass is 0';

CREATE AGGREGATE huf_rho_var(x float8) (
	SFUNC = huf_moments_var_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_rho_var_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_rho_var(float8) IS
'population variance of the shares, in [0,(n-1)/n^2]; NULL if the total mass is 0';

CREATE AGGREGATE huf_rho_var(x float8, kind huf_kind) (
	SFUNC = huf_moments_var_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_rho_var_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_rho_var(float8, huf_kind) IS
'population variance of the shares, in [0,(n-1)/n^2]; NULL if the total mass is 0';

CREATE AGGREGATE huf_rho_var(x float8, kind huf_kind, t float8) (
	SFUNC = huf_moments_var_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	FINALFUNC = huf_rho_var_final,
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_rho_var(float8, huf_kind, float8) IS
'population variance of the shares, in [0,(n-1)/n^2]; NULL if the total mass is 0';

/*
 * The state itself, which may be kept and merged: where the parts are on other
 * servers, they do the first of the two.
 */

CREATE FUNCTION huf_moments_all_accum(huf_moments, float8)
RETURNS huf_moments
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum_all'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_all_accum(huf_moments, float8) IS
'internal: transition function of HUF aggregates';

CREATE AGGREGATE huf_moments(x float8) (
	SFUNC = huf_moments_all_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_moments(float8) IS
'sums over masses, to be merged by huf_moments_merge and read by huf_hhi and the others that take a huf_moments';

CREATE FUNCTION huf_moments_all_accum(huf_moments, float8, huf_kind)
RETURNS huf_moments
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum_all'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_all_accum(huf_moments, float8, huf_kind) IS
'internal: transition function of HUF aggregates';

CREATE AGGREGATE huf_moments(x float8, kind huf_kind) (
	SFUNC = huf_moments_all_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_moments(float8, huf_kind) IS
'sums over masses, to be merged by huf_moments_merge and read by huf_hhi and the others that take a huf_moments';

CREATE FUNCTION huf_moments_all_accum(huf_moments, float8, huf_kind, float8)
RETURNS huf_moments
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_accum_all'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_all_accum(huf_moments, float8, huf_kind, float8) IS
'internal: transition function of HUF aggregates';

CREATE AGGREGATE huf_moments(x float8, kind huf_kind, t float8) (
	SFUNC = huf_moments_all_accum,
	STYPE = huf_moments,
	INITCOND = '1',
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_moments(float8, huf_kind, float8) IS
'sums over masses, to be merged by huf_moments_merge and read by huf_hhi and the others that take a huf_moments';

CREATE AGGREGATE huf_moments_merge(state huf_moments) (
	SFUNC = huf_moments_combine,
	STYPE = huf_moments,
	INITCOND = '1',
	COMBINEFUNC = huf_moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_moments_merge(huf_moments) IS
'sums over all masses of several huf_moments of the same kind and temperature';

CREATE FUNCTION huf_moments_count(state huf_moments)
RETURNS bigint
AS 'MODULE_PATHNAME', 'pinecone_huf_moments_count'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_moments_count(huf_moments) IS
'number of items, at least 0, those without mass among them';

CREATE FUNCTION huf_mass(state huf_moments)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_mass'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_mass(huf_moments) IS
'total mass sum x, at least 0, by compensated summation; NULL without rows; of kind ''linear'' alone';

CREATE FUNCTION huf_lse(state huf_moments)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_lse'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_lse(huf_moments) IS
'log-sum-exp t * ln(sum exp(score / t)), any double; of kind ''softmax'' alone; NULL without rows';

CREATE FUNCTION huf_hhi(state huf_moments)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_hhi'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_hhi(huf_moments) IS
'Herfindahl-Hirschman index sum share^2, in [1/n,1]; NULL if the total mass is 0';

CREATE FUNCTION huf_neff_hhi(state huf_moments)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_neff_hhi'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_neff_hhi(huf_moments) IS
'effective number 1 / sum share^2, in [1,n]; NULL if the total mass is 0';

CREATE FUNCTION huf_entropy(state huf_moments)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_entropy'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_entropy(huf_moments) IS
'entropy -sum share ln share, in [0,ln n]; NULL if the total mass is 0';

CREATE FUNCTION huf_neff_entropy(state huf_moments)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_neff_entropy'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_neff_entropy(huf_moments) IS
'effective number exp(entropy), in [1,n]; NULL if the total mass is 0';

CREATE FUNCTION huf_evenness(state huf_moments)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_evenness'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_evenness(huf_moments) IS
'entropy / ln(number of items with a share above 0), in [0,1]; NULL with fewer than two; NULL if the total mass is 0';

CREATE FUNCTION huf_top_share(state huf_moments)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_top_share'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_top_share(huf_moments) IS
'largest share, in [1/n,1]; NULL if the total mass is 0';

CREATE FUNCTION huf_rho_var(state huf_moments)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_rho_var'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_rho_var(huf_moments) IS
'population variance of the shares, in [0,(n-1)/n^2]; NULL if the total mass is 0';
