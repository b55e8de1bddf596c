
/* Distances between real[] vectors, with pgvector's operator names */

-- Does somebody else have such operators?  Those of rum take any arrays.
CREATE FUNCTION pinecone_warn_of_operators()
RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C;

SELECT pinecone_warn_of_operators();
DROP FUNCTION pinecone_warn_of_operators();

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

-- The same for arrays of other numbers, which are taken as real: clients send
-- double precision[].  Of two operators for real[] and double precision[] alone
-- neither would fit integers and numerics better than the other, so these have
-- their own.  So have the functions, lest literals fit several of one name.

CREATE FUNCTION pinecone_array_l2_distance(double precision[], double precision[])
RETURNS double precision
AS 'MODULE_PATHNAME', 'pinecone_l2_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_array_l2_distance(double precision[], double precision[]) IS
'Euclidean distance';

CREATE OPERATOR <-> (
	LEFTARG = double precision[], RIGHTARG = double precision[],
	FUNCTION = pinecone_array_l2_distance,
	COMMUTATOR = '<->'
);

COMMENT ON OPERATOR <-> (double precision[], double precision[]) IS 'Euclidean distance';

CREATE FUNCTION pinecone_array_l2_distance(smallint[], smallint[])
RETURNS double precision
AS 'MODULE_PATHNAME', 'pinecone_l2_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_array_l2_distance(smallint[], smallint[]) IS
'Euclidean distance';

CREATE OPERATOR <-> (
	LEFTARG = smallint[], RIGHTARG = smallint[],
	FUNCTION = pinecone_array_l2_distance,
	COMMUTATOR = '<->'
);

COMMENT ON OPERATOR <-> (smallint[], smallint[]) IS 'Euclidean distance';

CREATE FUNCTION pinecone_array_l2_distance(integer[], integer[])
RETURNS double precision
AS 'MODULE_PATHNAME', 'pinecone_l2_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_array_l2_distance(integer[], integer[]) IS
'Euclidean distance';

CREATE OPERATOR <-> (
	LEFTARG = integer[], RIGHTARG = integer[],
	FUNCTION = pinecone_array_l2_distance,
	COMMUTATOR = '<->'
);

COMMENT ON OPERATOR <-> (integer[], integer[]) IS 'Euclidean distance';

CREATE FUNCTION pinecone_array_l2_distance(bigint[], bigint[])
RETURNS double precision
AS 'MODULE_PATHNAME', 'pinecone_l2_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_array_l2_distance(bigint[], bigint[]) IS
'Euclidean distance';

CREATE OPERATOR <-> (
	LEFTARG = bigint[], RIGHTARG = bigint[],
	FUNCTION = pinecone_array_l2_distance,
	COMMUTATOR = '<->'
);

COMMENT ON OPERATOR <-> (bigint[], bigint[]) IS 'Euclidean distance';

CREATE FUNCTION pinecone_array_l2_distance(numeric[], numeric[])
RETURNS double precision
AS 'MODULE_PATHNAME', 'pinecone_l2_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_array_l2_distance(numeric[], numeric[]) IS
'Euclidean distance';

CREATE OPERATOR <-> (
	LEFTARG = numeric[], RIGHTARG = numeric[],
	FUNCTION = pinecone_array_l2_distance,
	COMMUTATOR = '<->'
);

COMMENT ON OPERATOR <-> (numeric[], numeric[]) IS 'Euclidean distance';

CREATE FUNCTION pinecone_array_cosine_distance(double precision[], double precision[])
RETURNS double precision
AS 'MODULE_PATHNAME', 'pinecone_cosine_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_array_cosine_distance(double precision[], double precision[]) IS
'cosine distance: 1 - cosine similarity; NaN when a vector is zero';

CREATE OPERATOR <=> (
	LEFTARG = double precision[], RIGHTARG = double precision[],
	FUNCTION = pinecone_array_cosine_distance,
	COMMUTATOR = '<=>'
);

COMMENT ON OPERATOR <=> (double precision[], double precision[]) IS 'cosine distance';

CREATE FUNCTION pinecone_array_cosine_distance(smallint[], smallint[])
RETURNS double precision
AS 'MODULE_PATHNAME', 'pinecone_cosine_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_array_cosine_distance(smallint[], smallint[]) IS
'cosine distance: 1 - cosine similarity; NaN when a vector is zero';

CREATE OPERATOR <=> (
	LEFTARG = smallint[], RIGHTARG = smallint[],
	FUNCTION = pinecone_array_cosine_distance,
	COMMUTATOR = '<=>'
);

COMMENT ON OPERATOR <=> (smallint[], smallint[]) IS 'cosine distance';

CREATE FUNCTION pinecone_array_cosine_distance(integer[], integer[])
RETURNS double precision
AS 'MODULE_PATHNAME', 'pinecone_cosine_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_array_cosine_distance(integer[], integer[]) IS
'cosine distance: 1 - cosine similarity; NaN when a vector is zero';

CREATE OPERATOR <=> (
	LEFTARG = integer[], RIGHTARG = integer[],
	FUNCTION = pinecone_array_cosine_distance,
	COMMUTATOR = '<=>'
);

COMMENT ON OPERATOR <=> (integer[], integer[]) IS 'cosine distance';

CREATE FUNCTION pinecone_array_cosine_distance(bigint[], bigint[])
RETURNS double precision
AS 'MODULE_PATHNAME', 'pinecone_cosine_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_array_cosine_distance(bigint[], bigint[]) IS
'cosine distance: 1 - cosine similarity; NaN when a vector is zero';

CREATE OPERATOR <=> (
	LEFTARG = bigint[], RIGHTARG = bigint[],
	FUNCTION = pinecone_array_cosine_distance,
	COMMUTATOR = '<=>'
);

COMMENT ON OPERATOR <=> (bigint[], bigint[]) IS 'cosine distance';

CREATE FUNCTION pinecone_array_cosine_distance(numeric[], numeric[])
RETURNS double precision
AS 'MODULE_PATHNAME', 'pinecone_cosine_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_array_cosine_distance(numeric[], numeric[]) IS
'cosine distance: 1 - cosine similarity; NaN when a vector is zero';

CREATE OPERATOR <=> (
	LEFTARG = numeric[], RIGHTARG = numeric[],
	FUNCTION = pinecone_array_cosine_distance,
	COMMUTATOR = '<=>'
);

COMMENT ON OPERATOR <=> (numeric[], numeric[]) IS 'cosine distance';

CREATE FUNCTION pinecone_array_negative_inner_product(double precision[], double precision[])
RETURNS double precision
AS 'MODULE_PATHNAME', 'pinecone_negative_inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_array_negative_inner_product(double precision[], double precision[]) IS
'inner product times -1, so that the best match is the smallest';

CREATE OPERATOR <#> (
	LEFTARG = double precision[], RIGHTARG = double precision[],
	FUNCTION = pinecone_array_negative_inner_product,
	COMMUTATOR = '<#>'
);

COMMENT ON OPERATOR <#> (double precision[], double precision[]) IS 'negative inner product';

CREATE FUNCTION pinecone_array_negative_inner_product(smallint[], smallint[])
RETURNS double precision
AS 'MODULE_PATHNAME', 'pinecone_negative_inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_array_negative_inner_product(smallint[], smallint[]) IS
'inner product times -1, so that the best match is the smallest';

CREATE OPERATOR <#> (
	LEFTARG = smallint[], RIGHTARG = smallint[],
	FUNCTION = pinecone_array_negative_inner_product,
	COMMUTATOR = '<#>'
);

COMMENT ON OPERATOR <#> (smallint[], smallint[]) IS 'negative inner product';

CREATE FUNCTION pinecone_array_negative_inner_product(integer[], integer[])
RETURNS double precision
AS 'MODULE_PATHNAME', 'pinecone_negative_inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_array_negative_inner_product(integer[], integer[]) IS
'inner product times -1, so that the best match is the smallest';

CREATE OPERATOR <#> (
	LEFTARG = integer[], RIGHTARG = integer[],
	FUNCTION = pinecone_array_negative_inner_product,
	COMMUTATOR = '<#>'
);

COMMENT ON OPERATOR <#> (integer[], integer[]) IS 'negative inner product';

CREATE FUNCTION pinecone_array_negative_inner_product(bigint[], bigint[])
RETURNS double precision
AS 'MODULE_PATHNAME', 'pinecone_negative_inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_array_negative_inner_product(bigint[], bigint[]) IS
'inner product times -1, so that the best match is the smallest';

CREATE OPERATOR <#> (
	LEFTARG = bigint[], RIGHTARG = bigint[],
	FUNCTION = pinecone_array_negative_inner_product,
	COMMUTATOR = '<#>'
);

COMMENT ON OPERATOR <#> (bigint[], bigint[]) IS 'negative inner product';

CREATE FUNCTION pinecone_array_negative_inner_product(numeric[], numeric[])
RETURNS double precision
AS 'MODULE_PATHNAME', 'pinecone_negative_inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION pinecone_array_negative_inner_product(numeric[], numeric[]) IS
'inner product times -1, so that the best match is the smallest';

CREATE OPERATOR <#> (
	LEFTARG = numeric[], RIGHTARG = numeric[],
	FUNCTION = pinecone_array_negative_inner_product,
	COMMUTATOR = '<#>'
);

COMMENT ON OPERATOR <#> (numeric[], numeric[]) IS 'negative inner product';
