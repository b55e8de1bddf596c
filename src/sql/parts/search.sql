/*
 * Conditions on texts of document indexes, which are sent to Pinecone and are an
 * error anywhere else.  Searches give "score" a value.
 */

CREATE FUNCTION pinecone_search("column" text, words text)
RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION pinecone_search(text, text) IS
'does the text have any of the words? a search: "score" tells how well; the same as operator @@@';

CREATE OPERATOR @@@ (LEFTARG = text, RIGHTARG = text, FUNCTION = pinecone_search);

COMMENT ON OPERATOR @@@ (text, text) IS
'does the text of a document have any of the words?';

CREATE FUNCTION pinecone_search_query("column" text, query text)
RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION pinecone_search_query(text, text) IS
'does the document match a query in Lucene''s language? a search: "score" tells how well; the column says of which table, the query which fields';

CREATE FUNCTION pinecone_search_meaning("column" text, words text)
RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION pinecone_search_meaning(text, text) IS
'has the document a text in that column? a search by its meaning, for texts that Pinecone embeds: "score" tells how near';

CREATE FUNCTION pinecone_search_reranked("column" text, words text, model text, candidates integer DEFAULT 50, rank_fields text[] DEFAULT '{}')
RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION pinecone_search_reranked(text, text, text, integer, text[]) IS
'is the record among so many candidates that a search by meaning finds? a search of an integrated index, whose candidates a model ranks in the same request: "score" is what that model gives; rank_fields are the fields it looks at, the text itself unless others are named';

CREATE FUNCTION pinecone_match_phrase("column" text, words text)
RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION pinecone_match_phrase(text, text) IS
'does the text of a document have these words next to each other, in this order?';

CREATE FUNCTION pinecone_match_all("column" text, words text)
RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION pinecone_match_all(text, text) IS
'does the text of a document have all of these words?';

CREATE FUNCTION pinecone_match_any("column" text, words text)
RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION pinecone_match_any(text, text) IS
'does the text of a document have any of these words?';
