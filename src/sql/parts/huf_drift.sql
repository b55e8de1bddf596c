/*
 * Governance: drift between two snapshots, one row per namespace (or item, or
 * bin) with its earlier and later mass.  Each side is normalised inside.
 */

CREATE FUNCTION huf_drift_accum(internal, float8, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_drift_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_drift_accum(internal,float8,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_drift_remove(internal, float8, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_rows_remove_pair'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_drift_remove(internal,float8,float8) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_drift_accum(internal, float8, float8, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_drift_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_drift_accum(internal,float8,float8,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_drift_remove(internal, float8, float8, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_rows_remove_pair'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_drift_remove(internal,float8,float8,float8) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_tv_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_tv'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_tv_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_coherence_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_coherence'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_coherence_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_coherence_rms_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_coherence_rms'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_coherence_rms_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_linf_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_linf'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_linf_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_mean_abs_gap_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_mean_abs_gap'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_mean_abs_gap_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_js_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_js'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_js_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_js_distance_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_js_distance'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_js_distance_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_hellinger_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_hellinger'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_hellinger_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_entropy_shift_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_entropy_shift'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_entropy_shift_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_kl_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_kl'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_kl_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_psi_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_psi'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_psi_final(internal) IS
'internal: final function of HUF aggregates';

CREATE AGGREGATE huf_tv(previous float8, current float8) (
	SFUNC = huf_drift_accum,
	STYPE = internal,
	SSPACE = 2048,
	FINALFUNC = huf_tv_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_drift_accum,
	MINVFUNC = huf_drift_remove,
	MSTYPE = internal,
	MSSPACE = 2048,
	MFINALFUNC = huf_tv_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_tv(float8, float8) IS
'total variation sum |p - c| / 2, in [0,1]; p the previous and c the current shares; a NULL on one side is mass 0; NULL if a side has no mass';

CREATE AGGREGATE huf_coherence(previous float8, current float8) (
	SFUNC = huf_drift_accum,
	STYPE = internal,
	SSPACE = 2048,
	FINALFUNC = huf_coherence_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_drift_accum,
	MINVFUNC = huf_drift_remove,
	MSTYPE = internal,
	MSSPACE = 2048,
	MFINALFUNC = huf_coherence_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_coherence(float8, float8) IS
'coherence 1 - huf_tv, in [0,1]; p the previous and c the current shares; a NULL on one side is mass 0; NULL if a side has no mass';

CREATE AGGREGATE huf_coherence_rms(previous float8, current float8) (
	SFUNC = huf_drift_accum,
	STYPE = internal,
	SSPACE = 2048,
	FINALFUNC = huf_coherence_rms_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_drift_accum,
	MINVFUNC = huf_drift_remove,
	MSTYPE = internal,
	MSSPACE = 2048,
	MFINALFUNC = huf_coherence_rms_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_coherence_rms(float8, float8) IS
'1 - sqrt(mean (p - c)^2), in [0,1]; p the previous and c the current shares; a NULL on one side is mass 0; NULL if a side has no mass';

CREATE AGGREGATE huf_linf(previous float8, current float8) (
	SFUNC = huf_drift_accum,
	STYPE = internal,
	SSPACE = 2048,
	FINALFUNC = huf_linf_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_drift_accum,
	MINVFUNC = huf_drift_remove,
	MSTYPE = internal,
	MSSPACE = 2048,
	MFINALFUNC = huf_linf_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_linf(float8, float8) IS
'largest |p - c|, in [0,1]; p the previous and c the current shares; a NULL on one side is mass 0; NULL if a side has no mass';

CREATE AGGREGATE huf_mean_abs_gap(previous float8, current float8) (
	SFUNC = huf_drift_accum,
	STYPE = internal,
	SSPACE = 2048,
	FINALFUNC = huf_mean_abs_gap_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_drift_accum,
	MINVFUNC = huf_drift_remove,
	MSTYPE = internal,
	MSSPACE = 2048,
	MFINALFUNC = huf_mean_abs_gap_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_mean_abs_gap(float8, float8) IS
'mean |p - c|, in [0,2/n]; p the previous and c the current shares; a NULL on one side is mass 0; NULL if a side has no mass';

CREATE AGGREGATE huf_js(previous float8, current float8) (
	SFUNC = huf_drift_accum,
	STYPE = internal,
	SSPACE = 2048,
	FINALFUNC = huf_js_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_drift_accum,
	MINVFUNC = huf_drift_remove,
	MSTYPE = internal,
	MSSPACE = 2048,
	MFINALFUNC = huf_js_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_js(float8, float8) IS
'Jensen-Shannon divergence, in [0,ln 2]; p the previous and c the current shares; a NULL on one side is mass 0; NULL if a side has no mass';

CREATE AGGREGATE huf_js_distance(previous float8, current float8) (
	SFUNC = huf_drift_accum,
	STYPE = internal,
	SSPACE = 2048,
	FINALFUNC = huf_js_distance_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_drift_accum,
	MINVFUNC = huf_drift_remove,
	MSTYPE = internal,
	MSSPACE = 2048,
	MFINALFUNC = huf_js_distance_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_js_distance(float8, float8) IS
'Jensen-Shannon distance sqrt(js / ln 2), a metric in [0,1]; p the previous and c the current shares; a NULL on one side is mass 0; NULL if a side has no mass';

CREATE AGGREGATE huf_hellinger(previous float8, current float8) (
	SFUNC = huf_drift_accum,
	STYPE = internal,
	SSPACE = 2048,
	FINALFUNC = huf_hellinger_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_drift_accum,
	MINVFUNC = huf_drift_remove,
	MSTYPE = internal,
	MSSPACE = 2048,
	MFINALFUNC = huf_hellinger_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_hellinger(float8, float8) IS
'Hellinger distance sqrt(sum (sqrt p - sqrt c)^2 / 2), in [0,1]; p the previous and c the current shares; a NULL on one side is mass 0; NULL if a side has no mass';

CREATE AGGREGATE huf_entropy_shift(previous float8, current float8) (
	SFUNC = huf_drift_accum,
	STYPE = internal,
	SSPACE = 2048,
	FINALFUNC = huf_entropy_shift_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_drift_accum,
	MINVFUNC = huf_drift_remove,
	MSTYPE = internal,
	MSSPACE = 2048,
	MFINALFUNC = huf_entropy_shift_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_entropy_shift(float8, float8) IS
'(entropy of c - entropy of p) / ln n, in [-1,1]; NULL with fewer than two rows; p the previous and c the current shares; a NULL on one side is mass 0; NULL if a side has no mass';

CREATE AGGREGATE huf_kl(previous float8, current float8) (
	SFUNC = huf_drift_accum,
	STYPE = internal,
	SSPACE = 2048,
	FINALFUNC = huf_kl_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_drift_accum,
	MINVFUNC = huf_drift_remove,
	MSTYPE = internal,
	MSSPACE = 2048,
	MFINALFUNC = huf_kl_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_kl(float8, float8) IS
'Kullback-Leibler divergence sum c ln(c/p), at least 0; p the previous and c the current shares; a NULL on one side is mass 0; NULL if a side has no mass; shares below eps (1e-6 unless given) count as eps';

CREATE AGGREGATE huf_kl(previous float8, current float8, eps float8) (
	SFUNC = huf_drift_accum,
	STYPE = internal,
	SSPACE = 2048,
	FINALFUNC = huf_kl_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_drift_accum,
	MINVFUNC = huf_drift_remove,
	MSTYPE = internal,
	MSSPACE = 2048,
	MFINALFUNC = huf_kl_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_kl(float8, float8, float8) IS
'Kullback-Leibler divergence sum c ln(c/p), at least 0; p the previous and c the current shares; a NULL on one side is mass 0; NULL if a side has no mass; shares below eps (1e-6 unless given) count as eps';

CREATE AGGREGATE huf_psi(previous float8, current float8) (
	SFUNC = huf_drift_accum,
	STYPE = internal,
	SSPACE = 2048,
	FINALFUNC = huf_psi_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_drift_accum,
	MINVFUNC = huf_drift_remove,
	MSTYPE = internal,
	MSSPACE = 2048,
	MFINALFUNC = huf_psi_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_psi(float8, float8) IS
'population stability index sum (c - p) ln(c/p), at least 0; p the previous and c the current shares; a NULL on one side is mass 0; NULL if a side has no mass; shares below eps (1e-6 unless given) count as eps';

CREATE AGGREGATE huf_psi(previous float8, current float8, eps float8) (
	SFUNC = huf_drift_accum,
	STYPE = internal,
	SSPACE = 2048,
	FINALFUNC = huf_psi_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_drift_accum,
	MINVFUNC = huf_drift_remove,
	MSTYPE = internal,
	MSSPACE = 2048,
	MFINALFUNC = huf_psi_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_psi(float8, float8, float8) IS
'population stability index sum (c - p) ln(c/p), at least 0; p the previous and c the current shares; a NULL on one side is mass 0; NULL if a side has no mass; shares below eps (1e-6 unless given) count as eps';

/* The objective over all namespaces */

CREATE FUNCTION huf_global_objective_accum(internal, float8, float8, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_global_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_global_objective_accum(internal,float8,float8,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_global_objective_accum(internal, float8, float8, float8, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_global_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_global_objective_accum(internal,float8,float8,float8,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_global_objective_accum(internal, float8, float8, float8, float8, boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_global_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_global_objective_accum(internal,float8,float8,float8,float8,boolean) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_global_objective_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_global_objective'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_global_objective_final(internal) IS
'internal: final function of HUF aggregates';

CREATE AGGREGATE huf_global_objective(activity float8, mass float8, objective float8) (
	SFUNC = huf_global_objective_accum,
	STYPE = internal,
	SSPACE = 4096,
	FINALFUNC = huf_global_objective_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_global_objective(float8, float8, float8) IS
'global objective sum A w J + gamma * (sample variance of w), w the shares of the masses, gamma = 0.05 unless given; at least 0; normalise divides the sum by sum A w; a row with a NULL is skipped';

CREATE AGGREGATE huf_global_objective(activity float8, mass float8, objective float8, gamma float8) (
	SFUNC = huf_global_objective_accum,
	STYPE = internal,
	SSPACE = 4096,
	FINALFUNC = huf_global_objective_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_global_objective(float8, float8, float8, float8) IS
'global objective sum A w J + gamma * (sample variance of w), w the shares of the masses, gamma = 0.05 unless given; at least 0; normalise divides the sum by sum A w; a row with a NULL is skipped';

CREATE AGGREGATE huf_global_objective(activity float8, mass float8, objective float8, gamma float8, normalise boolean) (
	SFUNC = huf_global_objective_accum,
	STYPE = internal,
	SSPACE = 4096,
	FINALFUNC = huf_global_objective_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_global_objective(float8, float8, float8, float8, boolean) IS
'global objective sum A w J + gamma * (sample variance of w), w the shares of the masses, gamma = 0.05 unless given; at least 0; normalise divides the sum by sum A w; a row with a NULL is skipped';

/* Two samples of scores: later is false for the earlier sample */

CREATE FUNCTION huf_sample_accum(internal, float8, boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_sample_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_sample_accum(internal,float8,boolean) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_sample_remove(internal, float8, boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_rows_remove_sample'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_sample_remove(internal,float8,boolean) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_ks_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_ks'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_ks_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_w1_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_w1'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_w1_final(internal) IS
'internal: final function of HUF aggregates';

CREATE AGGREGATE huf_ks(x float8, current boolean) (
	SFUNC = huf_sample_accum,
	STYPE = internal,
	SSPACE = 4096,
	FINALFUNC = huf_ks_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_sample_accum,
	MINVFUNC = huf_sample_remove,
	MSTYPE = internal,
	MSSPACE = 4096,
	MFINALFUNC = huf_ks_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_ks(float8, boolean) IS
'Kolmogorov-Smirnov statistic sup |F - G|, in [0,1]; current says which sample x belongs to; NULL if a sample is empty';

CREATE AGGREGATE huf_w1(x float8, current boolean) (
	SFUNC = huf_sample_accum,
	STYPE = internal,
	SSPACE = 4096,
	FINALFUNC = huf_w1_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_sample_accum,
	MINVFUNC = huf_sample_remove,
	MSTYPE = internal,
	MSSPACE = 4096,
	MFINALFUNC = huf_w1_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_w1(float8, boolean) IS
'Wasserstein distance, the integral of |F - G|, at least 0, in units of x; current says which sample x belongs to; NULL if a sample is empty';

CREATE FUNCTION huf_histogram_accum(internal, float8, float8[])
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_histogram_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_histogram_accum(internal,float8,float8[]) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_histogram_remove(internal, float8, float8[])
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_histogram_remove'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_histogram_remove(internal,float8,float8[]) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_psi_binned_accum(internal, float8, boolean, float8[])
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_psi_binned_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_psi_binned_accum(internal,float8,boolean,float8[]) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_psi_binned_remove(internal, float8, boolean, float8[])
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_psi_binned_remove'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_psi_binned_remove(internal,float8,boolean,float8[]) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_psi_binned_accum(internal, float8, boolean, float8[], float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_psi_binned_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_psi_binned_accum(internal,float8,boolean,float8[],float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_psi_binned_remove(internal, float8, boolean, float8[], float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_psi_binned_remove'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_psi_binned_remove(internal,float8,boolean,float8[],float8) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_bins_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_bins_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_bins_combine(internal,internal) IS
'internal: combine function of HUF aggregates';

CREATE FUNCTION huf_bins_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'pinecone_huf_bins_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_bins_serialize(internal) IS
'internal: serialisation function of HUF aggregates';

CREATE FUNCTION huf_bins_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_bins_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_bins_deserialize(bytea,internal) IS
'internal: deserialisation function of HUF aggregates';

CREATE FUNCTION huf_histogram_final(internal)
RETURNS bigint[]
AS 'MODULE_PATHNAME', 'pinecone_huf_histogram'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_histogram_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_psi_binned_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_psi_binned'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_psi_binned_final(internal) IS
'internal: final function of HUF aggregates';

CREATE AGGREGATE huf_histogram(x float8, edges float8[]) (
	SFUNC = huf_histogram_accum,
	STYPE = internal,
	SSPACE = 512,
	FINALFUNC = huf_histogram_final,
	COMBINEFUNC = huf_bins_combine,
	SERIALFUNC = huf_bins_serialize,
	DESERIALFUNC = huf_bins_deserialize,
	MSFUNC = huf_histogram_accum,
	MINVFUNC = huf_histogram_remove,
	MSTYPE = internal,
	MSSPACE = 512,
	MFINALFUNC = huf_histogram_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_histogram(float8, float8[]) IS
'counts below the first edge, in [edge, next edge), and from the last edge up; NULL without rows or if x is ever NaN or infinite';

CREATE FUNCTION huf_histogram_add(bigint[], bigint[])
RETURNS bigint[]
AS 'MODULE_PATHNAME', 'pinecone_huf_histogram_merge'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_histogram_add(bigint[], bigint[]) IS
'internal: transition function of HUF aggregates';

CREATE AGGREGATE huf_histogram_merge(counts bigint[]) (
	SFUNC = huf_histogram_add,
	STYPE = bigint[],
	COMBINEFUNC = huf_histogram_add,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_histogram_merge(bigint[]) IS
'counts of all that several huf_histogram with the same edges have counted; NULL without any';

CREATE AGGREGATE huf_psi_binned(x float8, current boolean, edges float8[]) (
	SFUNC = huf_psi_binned_accum,
	STYPE = internal,
	SSPACE = 512,
	FINALFUNC = huf_psi_binned_final,
	COMBINEFUNC = huf_bins_combine,
	SERIALFUNC = huf_bins_serialize,
	DESERIALFUNC = huf_bins_deserialize,
	MSFUNC = huf_psi_binned_accum,
	MINVFUNC = huf_psi_binned_remove,
	MSTYPE = internal,
	MSSPACE = 512,
	MFINALFUNC = huf_psi_binned_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_psi_binned(float8, boolean, float8[]) IS
'population stability index of two samples counted between edges, at least 0; current says which sample x belongs to; NULL if a sample is empty';

CREATE AGGREGATE huf_psi_binned(x float8, current boolean, edges float8[], eps float8) (
	SFUNC = huf_psi_binned_accum,
	STYPE = internal,
	SSPACE = 512,
	FINALFUNC = huf_psi_binned_final,
	COMBINEFUNC = huf_bins_combine,
	SERIALFUNC = huf_bins_serialize,
	DESERIALFUNC = huf_bins_deserialize,
	MSFUNC = huf_psi_binned_accum,
	MINVFUNC = huf_psi_binned_remove,
	MSTYPE = internal,
	MSSPACE = 512,
	MFINALFUNC = huf_psi_binned_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_psi_binned(float8, boolean, float8[], float8) IS
'population stability index of two samples counted between edges, at least 0; current says which sample x belongs to; NULL if a sample is empty';

