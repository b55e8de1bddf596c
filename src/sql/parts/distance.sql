
/* Distances between real[] vectors, with pgvector's operator names */

CREATE FUNCTION pinecone_l2_distance(real[], real[])
RETURNS double precision
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_l2_distance(real[], real[]) IS
'Euclidean distance';

CREATE FUNCTION pinecone_cosine_distance(real[], real[])
RETURNS double precision
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_cosine_distance(real[], real[]) IS
'cosine distance: 1 - cosine similarity; NaN when a vector is zero';

CREATE FUNCTION pinecone_negative_inner_product(real[], real[])
RETURNS double precision
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_negative_inner_product(real[], real[]) IS
'inner product times -1, so that the best match is the smallest';

CREATE OPERATOR <-> (
	LEFTARG = real[], RIGHTARG = real[],
	FUNCTION = pinecone_l2_distance,
	COMMUTATOR = '<->'
);

COMMENT ON OPERATOR <-> (real[], real[]) IS 'Euclidean distance';

CREATE OPERATOR <=> (
	LEFTARG = real[], RIGHTARG = real[],
	FUNCTION = pinecone_cosine_distance,
	COMMUTATOR = '<=>'
);

COMMENT ON OPERATOR <=> (real[], real[]) IS 'cosine distance';

CREATE OPERATOR <#> (
	LEFTARG = real[], RIGHTARG = real[],
	FUNCTION = pinecone_negative_inner_product,
	COMMUTATOR = '<#>'
);

COMMENT ON OPERATOR <#> (real[], real[]) IS 'negative inner product';
