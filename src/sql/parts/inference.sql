/*
 * Pinecone's models: embedding texts, ranking documents.
 */

CREATE FUNCTION pinecone_embed_support(internal)
RETURNS internal
AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

COMMENT ON FUNCTION pinecone_embed_support(internal) IS
'internal: tells the module that a plan calls pinecone_embed()';

CREATE FUNCTION pinecone_embed(server text, model text, "text" text,
	input_type text DEFAULT 'query', dimension int DEFAULT NULL)
RETURNS real[]
AS 'MODULE_PATHNAME', 'pinecone_embed' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 SUPPORT pinecone_embed_support;

COMMENT ON FUNCTION pinecone_embed(text, text, text, text, int) IS
'the vector that a model makes of a text: input_type is query for what is searched for, passage for what is stored; texts of many rows are embedded together';

CREATE FUNCTION pinecone_embed(server text, model text, texts text[],
	input_type text DEFAULT 'query', dimension int DEFAULT NULL)
RETURNS real[]
AS 'MODULE_PATHNAME', 'pinecone_embed_array' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000;

COMMENT ON FUNCTION pinecone_embed(text, text, text[], text, int) IS
'the vectors that a model makes of texts, as an array of two dimensions: one vector a text, in their order';

CREATE FUNCTION pinecone_embed_sparse(server text, model text, "text" text, input_type text DEFAULT 'query')
RETURNS jsonb
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 SUPPORT pinecone_embed_support;

COMMENT ON FUNCTION pinecone_embed_sparse(text, text, text, text) IS
'the sparse vector that a model makes of a text: {"indices": [...], "values": [...]}';

CREATE FUNCTION pinecone_rerank(server text, model text, query text, documents text[],
	top_n int DEFAULT NULL, field text DEFAULT 'text')
RETURNS TABLE ("position" int, score float8)
AS 'MODULE_PATHNAME', 'pinecone_rerank' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 10;

COMMENT ON FUNCTION pinecone_rerank(text, text, text, text[], int, text) IS
'documents in the order of how well they answer a query, the best first: their positions in the array, from 1, and scores, by a model that ranks';

CREATE FUNCTION pinecone_rerank(server text, model text, query text, documents jsonb[],
	top_n int DEFAULT NULL, field text DEFAULT 'text')
RETURNS TABLE ("position" int, score float8)
AS 'MODULE_PATHNAME', 'pinecone_rerank' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 10;

COMMENT ON FUNCTION pinecone_rerank(text, text, text, jsonb[], int, text) IS
'the same of documents that are objects, by one of their fields, which each must have';

CREATE FUNCTION pinecone_models(server text,
	OUT model text, OUT type text, OUT vector_type text, OUT default_dimension int,
	OUT dimensions text[], OUT metrics text[], OUT max_tokens int, OUT max_batch int,
	OUT provider text, OUT description text)
RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 10;

COMMENT ON FUNCTION pinecone_models(text) IS
'the models that Pinecone hosts: type is embed or rerank, max_tokens the longest text, max_batch the most texts of a request';
