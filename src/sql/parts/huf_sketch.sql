/*
 * Governance: embeddings.  A huf_sketch summarises a set of them in three rows
 * of doubles and can be stored, merged and compared.  Embeddings are real[] or
 * float8[], and pgvector's vector, which is cast to real[] by itself.
 */

CREATE TYPE huf_sketch;

CREATE FUNCTION huf_sketch_in(cstring)
RETURNS huf_sketch
AS 'MODULE_PATHNAME', 'pinecone_huf_sketch_in'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_sketch_in(cstring) IS
'internal: text input of huf_sketch';

CREATE FUNCTION huf_sketch_out(huf_sketch)
RETURNS cstring
AS 'MODULE_PATHNAME', 'pinecone_huf_sketch_out'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_sketch_out(huf_sketch) IS
'internal: text output of huf_sketch';

CREATE FUNCTION huf_sketch_recv(internal)
RETURNS huf_sketch
AS 'MODULE_PATHNAME', 'pinecone_huf_sketch_recv'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_sketch_recv(internal) IS
'internal: binary input of huf_sketch';

CREATE FUNCTION huf_sketch_send(huf_sketch)
RETURNS bytea
AS 'MODULE_PATHNAME', 'pinecone_huf_sketch_send'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_sketch_send(huf_sketch) IS
'internal: binary output of huf_sketch';

CREATE TYPE huf_sketch (
	INPUT = huf_sketch_in,
	OUTPUT = huf_sketch_out,
	RECEIVE = huf_sketch_recv,
	SEND = huf_sketch_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = external
);

COMMENT ON TYPE huf_sketch IS
'summary of a set of embeddings: counts, sum of unit vectors, mean and squared deviations per dimension';

CREATE FUNCTION huf_sketch_dims(sketch huf_sketch)
RETURNS integer
AS 'MODULE_PATHNAME', 'pinecone_huf_sketch_dims'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_sketch_dims(huf_sketch) IS
'number of dimensions, at least 1';

CREATE FUNCTION huf_sketch_count(sketch huf_sketch)
RETURNS bigint
AS 'MODULE_PATHNAME', 'pinecone_huf_sketch_count'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_sketch_count(huf_sketch) IS
'number of embeddings, at least 1, zero vectors among them';

CREATE FUNCTION huf_sketch_centroid(sketch huf_sketch)
RETURNS float8[]
AS 'MODULE_PATHNAME', 'pinecone_huf_sketch_centroid'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_sketch_centroid(huf_sketch) IS
'mean sum v / n of the embeddings, one number per dimension, any doubles';

CREATE FUNCTION huf_mrl(sketch huf_sketch)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_mrl'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_mrl(huf_sketch) IS
'mean resultant length |sum u| / n of the unit vectors u, in [0,1]; NULL if all vectors are zero';

CREATE FUNCTION huf_pairwise_cos(sketch huf_sketch)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_pairwise_cos'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_pairwise_cos(huf_sketch) IS
'mean cosine of all pairs (|sum u|^2 - n) / (n (n - 1)), in [-1/(n-1),1]; zero vectors are left out; NULL with fewer than two others';

CREATE FUNCTION huf_dispersion(sketch huf_sketch)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_dispersion'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_dispersion(huf_sketch) IS
'mean squared distance to the centroid, at least 0';

CREATE FUNCTION huf_kappa(sketch huf_sketch)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_kappa'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_kappa(huf_sketch) IS
'von Mises-Fisher concentration r (d - r^2) / (1 - r^2) with r = huf_mrl, at least 0; Infinity at r = 1; NULL if all vectors are zero';

CREATE FUNCTION huf_centroid_cos_drift(previous huf_sketch, current huf_sketch)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_centroid_cos_drift'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_centroid_cos_drift(huf_sketch,huf_sketch) IS
'1 - cosine of the mean directions, in [0,2]; NULL if either has none';

CREATE FUNCTION huf_centroid_l2_drift(previous huf_sketch, current huf_sketch)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_centroid_l2_drift'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_centroid_l2_drift(huf_sketch,huf_sketch) IS
'distance of the centroids, at least 0';

CREATE FUNCTION huf_l2_unbiased(previous huf_sketch, current huf_sketch)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_l2_unbiased'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_l2_unbiased(huf_sketch,huf_sketch) IS
'squared distance of the centroids less its expectation under no change, any double; NULL if either has fewer than two vectors';

CREATE FUNCTION huf_shift_p(previous huf_sketch, current huf_sketch)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_shift_p'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_shift_p(huf_sketch,huf_sketch) IS
'bound of the probability, in [0,1], that chance alone moves the centroids of two independent samples as far apart; 1 where it says nothing; NULL if either has fewer than two vectors';

CREATE FUNCTION huf_frechet_diag(previous huf_sketch, current huf_sketch)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_frechet_diag'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_frechet_diag(huf_sketch,huf_sketch) IS
'squared Frechet distance with diagonal covariances |mean difference|^2 + sum (sd difference)^2, at least 0';

/* Aggregates */

CREATE FUNCTION huf_sketch_accum(internal, real[])
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_sketch_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_sketch_accum(internal,real[]) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_sketch_accum(internal, float8[])
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_sketch_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_sketch_accum(internal,float8[]) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_direction_accum(internal, real[])
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_direction_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_direction_accum(internal,real[]) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_direction_accum(internal, float8[])
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_direction_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_direction_accum(internal,float8[]) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_sketch_merge_accum(internal, huf_sketch)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_sketch_merge_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_sketch_merge_accum(internal,huf_sketch) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_sketch_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_sketch_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_sketch_combine(internal,internal) IS
'internal: combine function of HUF aggregates';

CREATE FUNCTION huf_sketch_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'pinecone_huf_sketch_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_sketch_serialize(internal) IS
'internal: serialisation function of HUF aggregates';

CREATE FUNCTION huf_sketch_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_sketch_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_sketch_deserialize(bytea,internal) IS
'internal: deserialisation function of HUF aggregates';

CREATE FUNCTION huf_sketch_final(internal)
RETURNS huf_sketch
AS 'MODULE_PATHNAME', 'pinecone_huf_sketch_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_sketch_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_mrl_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_mrl_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_mrl_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_pairwise_cos_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_pairwise_cos_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_pairwise_cos_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_dispersion_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_dispersion_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_dispersion_final(internal) IS
'internal: final function of HUF aggregates';

CREATE FUNCTION huf_kappa_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_kappa_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_kappa_final(internal) IS
'internal: final function of HUF aggregates';

CREATE AGGREGATE huf_sketch(v real[]) (
	SFUNC = huf_sketch_accum,
	STYPE = internal,
	SSPACE = 49216,
	FINALFUNC = huf_sketch_final,
	COMBINEFUNC = huf_sketch_combine,
	SERIALFUNC = huf_sketch_serialize,
	DESERIALFUNC = huf_sketch_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_sketch(real[]) IS
'sketch of embeddings v: sum of v/|v|, mean of v, sum of squared deviations per dimension; NULL without any';

CREATE AGGREGATE huf_sketch(v float8[]) (
	SFUNC = huf_sketch_accum,
	STYPE = internal,
	SSPACE = 49216,
	FINALFUNC = huf_sketch_final,
	COMBINEFUNC = huf_sketch_combine,
	SERIALFUNC = huf_sketch_serialize,
	DESERIALFUNC = huf_sketch_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_sketch(float8[]) IS
'sketch of embeddings v: sum of v/|v|, mean of v, sum of squared deviations per dimension; NULL without any';

CREATE AGGREGATE huf_sketch_merge(sketch huf_sketch) (
	SFUNC = huf_sketch_merge_accum,
	STYPE = internal,
	SSPACE = 49216,
	FINALFUNC = huf_sketch_final,
	COMBINEFUNC = huf_sketch_combine,
	SERIALFUNC = huf_sketch_serialize,
	DESERIALFUNC = huf_sketch_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_sketch_merge(huf_sketch) IS
'sketch of all that the sketches have seen, the same as a sketch of all embeddings; NULL without any';

CREATE AGGREGATE huf_mrl(v real[]) (
	SFUNC = huf_direction_accum,
	STYPE = internal,
	SSPACE = 12352,
	FINALFUNC = huf_mrl_final,
	COMBINEFUNC = huf_sketch_combine,
	SERIALFUNC = huf_sketch_serialize,
	DESERIALFUNC = huf_sketch_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_mrl(real[]) IS
'mean resultant length |sum u| / n of the unit vectors u, in [0,1]; NULL if all vectors are zero; NULL without embeddings';

CREATE AGGREGATE huf_mrl(v float8[]) (
	SFUNC = huf_direction_accum,
	STYPE = internal,
	SSPACE = 12352,
	FINALFUNC = huf_mrl_final,
	COMBINEFUNC = huf_sketch_combine,
	SERIALFUNC = huf_sketch_serialize,
	DESERIALFUNC = huf_sketch_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_mrl(float8[]) IS
'mean resultant length |sum u| / n of the unit vectors u, in [0,1]; NULL if all vectors are zero; NULL without embeddings';

CREATE AGGREGATE huf_pairwise_cos(v real[]) (
	SFUNC = huf_direction_accum,
	STYPE = internal,
	SSPACE = 12352,
	FINALFUNC = huf_pairwise_cos_final,
	COMBINEFUNC = huf_sketch_combine,
	SERIALFUNC = huf_sketch_serialize,
	DESERIALFUNC = huf_sketch_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_pairwise_cos(real[]) IS
'mean cosine of all pairs (|sum u|^2 - n) / (n (n - 1)), in [-1/(n-1),1]; zero vectors are left out; NULL with fewer than two others; NULL without embeddings';

CREATE AGGREGATE huf_pairwise_cos(v float8[]) (
	SFUNC = huf_direction_accum,
	STYPE = internal,
	SSPACE = 12352,
	FINALFUNC = huf_pairwise_cos_final,
	COMBINEFUNC = huf_sketch_combine,
	SERIALFUNC = huf_sketch_serialize,
	DESERIALFUNC = huf_sketch_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_pairwise_cos(float8[]) IS
'mean cosine of all pairs (|sum u|^2 - n) / (n (n - 1)), in [-1/(n-1),1]; zero vectors are left out; NULL with fewer than two others; NULL without embeddings';

CREATE AGGREGATE huf_dispersion(v real[]) (
	SFUNC = huf_sketch_accum,
	STYPE = internal,
	SSPACE = 49216,
	FINALFUNC = huf_dispersion_final,
	COMBINEFUNC = huf_sketch_combine,
	SERIALFUNC = huf_sketch_serialize,
	DESERIALFUNC = huf_sketch_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_dispersion(real[]) IS
'mean squared distance to the centroid, at least 0; NULL without embeddings';

CREATE AGGREGATE huf_dispersion(v float8[]) (
	SFUNC = huf_sketch_accum,
	STYPE = internal,
	SSPACE = 49216,
	FINALFUNC = huf_dispersion_final,
	COMBINEFUNC = huf_sketch_combine,
	SERIALFUNC = huf_sketch_serialize,
	DESERIALFUNC = huf_sketch_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_dispersion(float8[]) IS
'mean squared distance to the centroid, at least 0; NULL without embeddings';

CREATE AGGREGATE huf_kappa(v real[]) (
	SFUNC = huf_direction_accum,
	STYPE = internal,
	SSPACE = 12352,
	FINALFUNC = huf_kappa_final,
	COMBINEFUNC = huf_sketch_combine,
	SERIALFUNC = huf_sketch_serialize,
	DESERIALFUNC = huf_sketch_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_kappa(real[]) IS
'von Mises-Fisher concentration r (d - r^2) / (1 - r^2) with r = huf_mrl, at least 0; Infinity at r = 1; NULL if all vectors are zero; NULL without embeddings';

CREATE AGGREGATE huf_kappa(v float8[]) (
	SFUNC = huf_direction_accum,
	STYPE = internal,
	SSPACE = 12352,
	FINALFUNC = huf_kappa_final,
	COMBINEFUNC = huf_sketch_combine,
	SERIALFUNC = huf_sketch_serialize,
	DESERIALFUNC = huf_sketch_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_kappa(float8[]) IS
'von Mises-Fisher concentration r (d - r^2) / (1 - r^2) with r = huf_mrl, at least 0; Infinity at r = 1; NULL if all vectors are zero; NULL without embeddings';

CREATE FUNCTION huf_between_cos_accum(internal, huf_sketch)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_between_cos_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_between_cos_accum(internal,huf_sketch) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_between_cos_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_between_cos_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_between_cos_combine(internal,internal) IS
'internal: combine function of HUF aggregates';

CREATE FUNCTION huf_between_cos_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'pinecone_huf_between_cos_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_between_cos_serialize(internal) IS
'internal: serialisation function of HUF aggregates';

CREATE FUNCTION huf_between_cos_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_between_cos_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_between_cos_deserialize(bytea,internal) IS
'internal: deserialisation function of HUF aggregates';

CREATE FUNCTION huf_between_cos_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_between_cos_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_between_cos_final(internal) IS
'internal: final function of HUF aggregates';

CREATE AGGREGATE huf_between_cos(sketch huf_sketch) (
	SFUNC = huf_between_cos_accum,
	STYPE = internal,
	SSPACE = 12352,
	FINALFUNC = huf_between_cos_final,
	COMBINEFUNC = huf_between_cos_combine,
	SERIALFUNC = huf_between_cos_serialize,
	DESERIALFUNC = huf_between_cos_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_between_cos(huf_sketch) IS
'mean cosine of pairs from different groups, one sketch per group, in [-1,1]; NULL with fewer than two groups';

/* Two samples of embeddings: later is false for the earlier sample */

CREATE FUNCTION huf_energy_distance_accum(internal, real[], boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_vectors_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_energy_distance_accum(internal,real[],boolean) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_energy_distance_accum(internal, float8[], boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_vectors_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_energy_distance_accum(internal,float8[],boolean) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_energy_distance_remove(internal, real[], boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_rows_remove_sample'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_energy_distance_remove(internal,real[],boolean) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_energy_distance_remove(internal, float8[], boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_rows_remove_sample'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_energy_distance_remove(internal,float8[],boolean) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_energy_distance_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_energy_distance'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_energy_distance_final(internal) IS
'internal: final function of HUF aggregates';

CREATE AGGREGATE huf_energy_distance(v real[], current boolean) (
	SFUNC = huf_energy_distance_accum,
	STYPE = internal,
	SSPACE = 1048576,
	FINALFUNC = huf_energy_distance_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_energy_distance_accum,
	MINVFUNC = huf_energy_distance_remove,
	MSTYPE = internal,
	MSSPACE = 1048576,
	MFINALFUNC = huf_energy_distance_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_energy_distance(real[], boolean) IS
'energy distance 2 E|X-Y| - E|X-X''| - E|Y-Y''| over all pairs, at least 0; time grows with the square of the rows; NULL if a sample is empty';

CREATE AGGREGATE huf_energy_distance(v float8[], current boolean) (
	SFUNC = huf_energy_distance_accum,
	STYPE = internal,
	SSPACE = 1048576,
	FINALFUNC = huf_energy_distance_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_energy_distance_accum,
	MINVFUNC = huf_energy_distance_remove,
	MSTYPE = internal,
	MSSPACE = 1048576,
	MFINALFUNC = huf_energy_distance_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_energy_distance(float8[], boolean) IS
'energy distance 2 E|X-Y| - E|X-X''| - E|Y-Y''| over all pairs, at least 0; time grows with the square of the rows; NULL if a sample is empty';

CREATE FUNCTION huf_mmd_rbf_accum(internal, real[], boolean, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_mmd_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_mmd_rbf_accum(internal,real[],boolean,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_mmd_rbf_accum(internal, float8[], boolean, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_mmd_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_mmd_rbf_accum(internal,float8[],boolean,float8) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_mmd_rbf_remove(internal, real[], boolean, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_rows_remove_sample'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_mmd_rbf_remove(internal,real[],boolean,float8) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_mmd_rbf_remove(internal, float8[], boolean, float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_rows_remove_sample'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_mmd_rbf_remove(internal,float8[],boolean,float8) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_mmd_rbf_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_mmd_rbf'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_mmd_rbf_final(internal) IS
'internal: final function of HUF aggregates';

CREATE AGGREGATE huf_mmd_rbf(v real[], current boolean, gamma float8) (
	SFUNC = huf_mmd_rbf_accum,
	STYPE = internal,
	SSPACE = 1048576,
	FINALFUNC = huf_mmd_rbf_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_mmd_rbf_accum,
	MINVFUNC = huf_mmd_rbf_remove,
	MSTYPE = internal,
	MSSPACE = 1048576,
	MFINALFUNC = huf_mmd_rbf_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_mmd_rbf(real[], boolean, float8) IS
'squared maximum mean discrepancy E k(X,X'') + E k(Y,Y'') - 2 E k(X,Y), k = exp(-gamma |.|^2), biased form, in [0,2]; time grows with the square of the rows; NULL if a sample is empty';

CREATE AGGREGATE huf_mmd_rbf(v float8[], current boolean, gamma float8) (
	SFUNC = huf_mmd_rbf_accum,
	STYPE = internal,
	SSPACE = 1048576,
	FINALFUNC = huf_mmd_rbf_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_mmd_rbf_accum,
	MINVFUNC = huf_mmd_rbf_remove,
	MSTYPE = internal,
	MSSPACE = 1048576,
	MFINALFUNC = huf_mmd_rbf_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_mmd_rbf(float8[], boolean, float8) IS
'squared maximum mean discrepancy E k(X,X'') + E k(Y,Y'') - 2 E k(X,Y), k = exp(-gamma |.|^2), biased form, in [0,2]; time grows with the square of the rows; NULL if a sample is empty';

CREATE FUNCTION huf_sliced_w1_accum(internal, real[], boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_slices_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_sliced_w1_accum(internal,real[],boolean) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_sliced_w1_accum(internal, float8[], boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_slices_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_sliced_w1_accum(internal,float8[],boolean) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_sliced_w1_remove(internal, real[], boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_rows_remove_sample'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_sliced_w1_remove(internal,real[],boolean) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_sliced_w1_remove(internal, float8[], boolean)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_rows_remove_sample'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_sliced_w1_remove(internal,float8[],boolean) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_sliced_w1_accum(internal, real[], boolean, integer)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_slices_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_sliced_w1_accum(internal,real[],boolean,integer) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_sliced_w1_accum(internal, float8[], boolean, integer)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_slices_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_sliced_w1_accum(internal,float8[],boolean,integer) IS
'internal: transition function of HUF aggregates';

CREATE FUNCTION huf_sliced_w1_remove(internal, real[], boolean, integer)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_rows_remove_sample'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_sliced_w1_remove(internal,real[],boolean,integer) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_sliced_w1_remove(internal, float8[], boolean, integer)
RETURNS internal
AS 'MODULE_PATHNAME', 'pinecone_huf_rows_remove_sample'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_sliced_w1_remove(internal,float8[],boolean,integer) IS
'internal: inverse transition function of HUF aggregates';

CREATE FUNCTION huf_sliced_w1_final(internal)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_sliced_w1'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_sliced_w1_final(internal) IS
'internal: final function of HUF aggregates';

CREATE AGGREGATE huf_sliced_w1(v real[], current boolean) (
	SFUNC = huf_sliced_w1_accum,
	STYPE = internal,
	SSPACE = 1048576,
	FINALFUNC = huf_sliced_w1_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_sliced_w1_accum,
	MINVFUNC = huf_sliced_w1_remove,
	MSTYPE = internal,
	MSSPACE = 1048576,
	MFINALFUNC = huf_sliced_w1_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_sliced_w1(real[], boolean) IS
'sliced Wasserstein distance, the mean of huf_w1 along fixed directions, at least 0; 32 directions unless given; NULL if a sample is empty';

CREATE AGGREGATE huf_sliced_w1(v float8[], current boolean) (
	SFUNC = huf_sliced_w1_accum,
	STYPE = internal,
	SSPACE = 1048576,
	FINALFUNC = huf_sliced_w1_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_sliced_w1_accum,
	MINVFUNC = huf_sliced_w1_remove,
	MSTYPE = internal,
	MSSPACE = 1048576,
	MFINALFUNC = huf_sliced_w1_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_sliced_w1(float8[], boolean) IS
'sliced Wasserstein distance, the mean of huf_w1 along fixed directions, at least 0; 32 directions unless given; NULL if a sample is empty';

CREATE AGGREGATE huf_sliced_w1(v real[], current boolean, slices integer) (
	SFUNC = huf_sliced_w1_accum,
	STYPE = internal,
	SSPACE = 1048576,
	FINALFUNC = huf_sliced_w1_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_sliced_w1_accum,
	MINVFUNC = huf_sliced_w1_remove,
	MSTYPE = internal,
	MSSPACE = 1048576,
	MFINALFUNC = huf_sliced_w1_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_sliced_w1(real[], boolean, integer) IS
'sliced Wasserstein distance, the mean of huf_w1 along fixed directions, at least 0; 32 directions unless given; NULL if a sample is empty';

CREATE AGGREGATE huf_sliced_w1(v float8[], current boolean, slices integer) (
	SFUNC = huf_sliced_w1_accum,
	STYPE = internal,
	SSPACE = 1048576,
	FINALFUNC = huf_sliced_w1_final,
	COMBINEFUNC = huf_rows_combine,
	SERIALFUNC = huf_rows_serialize,
	DESERIALFUNC = huf_rows_deserialize,
	MSFUNC = huf_sliced_w1_accum,
	MINVFUNC = huf_sliced_w1_remove,
	MSTYPE = internal,
	MSSPACE = 1048576,
	MFINALFUNC = huf_sliced_w1_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE huf_sliced_w1(float8[], boolean, integer) IS
'sliced Wasserstein distance, the mean of huf_w1 along fixed directions, at least 0; 32 directions unless given; NULL if a sample is empty';

