
/* Sparse vectors as jsonb, and what is made of a dense and a sparse one */

CREATE FUNCTION pinecone_sparse(indices bigint[], "values" real[])
RETURNS jsonb
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_sparse(bigint[], real[]) IS
'a sparse vector, {"indices": [...], "values": [...]}: indices count from 0, as Pinecone''s do, and occur once each';

-- To and from pgvector's sparsevec, by its text: whether that type is there is not known here
CREATE FUNCTION pinecone_sparse(sparsevec_text text)
RETURNS jsonb
AS 'MODULE_PATHNAME', 'pinecone_sparse_of_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_sparse(text) IS
'a sparse vector of the text that pgvector''s sparsevec has, {4:0.5,12:1}/2000: its indices count from 1';

CREATE FUNCTION pinecone_sparse_text(sparse jsonb, dimensions integer DEFAULT 1000000000)
RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_sparse_text(jsonb, integer) IS
'the reverse, to be cast to sparsevec: a column without a length has 1000000000 dimensions';

CREATE FUNCTION pinecone_sparse_negative_inner_product(jsonb, jsonb)
RETURNS double precision
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_sparse_negative_inner_product(jsonb, jsonb) IS
'inner product of two sparse vectors times -1, so that the best match is the smallest; 0 when they have no index in common';

CREATE OPERATOR <#> (
	LEFTARG = jsonb, RIGHTARG = jsonb,
	FUNCTION = pinecone_sparse_negative_inner_product,
	COMMUTATOR = '<#>'
);

COMMENT ON OPERATOR <#> (jsonb, jsonb) IS 'negative inner product of sparse vectors';

CREATE FUNCTION pinecone_hybrid_distance(dense_distance double precision, sparse_distance double precision,
	alpha double precision DEFAULT 0.5)
RETURNS double precision
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_hybrid_distance(double precision, double precision, double precision) IS
'alpha * dense_distance + (1 - alpha) * sparse_distance, where one that is NULL adds nothing; of embedding <#> q and sparse_values <#> s it is one search of a dotproduct index that has both; alpha is between 0 and 1';
