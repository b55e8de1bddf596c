/*
 * text_search.c
 *		Conditions on words, which Pinecone alone can judge: how it makes words of
 *		texts is not for us to repeat.
 *
 * The planner sends them with what a scan asks.  Whoever calls one of these
 * functions has got a condition that could not be sent.
 */
#include "postgres.h"

#include "fmgr.h"

#include "base/compat.h"

PG_FUNCTION_INFO_V1(pinecone_search);
PG_FUNCTION_INFO_V1(pinecone_search_query);
PG_FUNCTION_INFO_V1(pinecone_search_meaning);
PG_FUNCTION_INFO_V1(pinecone_search_reranked);
PG_FUNCTION_INFO_V1(pinecone_match_record);
PG_FUNCTION_INFO_V1(pinecone_match_phrase);
PG_FUNCTION_INFO_V1(pinecone_match_all);
PG_FUNCTION_INFO_V1(pinecone_match_any);

pg_noreturn static void
refuse(const char *name, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("%s cannot be evaluated here", name),
			 errdetail("Pinecone alone knows what words a text has; this condition is not one that was sent to it."),
			 errhint("%s", hint)));
}

static const char search_hint[] =
	"A search is a condition by itself, of a column that a document index declares as text, or several of them joined by OR; of an outer row's words in a LATERAL subquery with a LIMIT.";
static const char meaning_hint[] =
	"A search is a condition by itself, of a column whose texts Pinecone embeds, not by euclidean distance; of an outer row's words in a LATERAL subquery with a LIMIT.";
static const char match_hint[] =
	"It goes with conditions on metadata, under AND and OR, and under NOT where that is a condition by itself, of a column that a document index declares for full-text search; not with lookups by id.";

/* Not of words, but Pinecone's to judge all the same: here is but the record's id. */
Datum
pinecone_match_record(PG_FUNCTION_ARGS)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("pinecone_match_record() cannot be evaluated here"),
			 errdetail("Pinecone has the fields of the record; this condition is not one that was sent to it."),
			 errhint("It is a condition on the id column of a foreign table, not under NOT, beside other conditions that are sent, and not with pinecone_fdw.enable_filter off.")));
}

Datum
pinecone_search(PG_FUNCTION_ARGS)
{
	refuse("operator @@@", search_hint);
}

Datum
pinecone_search_query(PG_FUNCTION_ARGS)
{
	refuse("pinecone_search_query()", search_hint);
}

Datum
pinecone_search_meaning(PG_FUNCTION_ARGS)
{
	refuse("pinecone_search_meaning()", meaning_hint);
}

Datum
pinecone_search_reranked(PG_FUNCTION_ARGS)
{
	refuse("pinecone_search_reranked()",
		   "It is a condition by itself, of the column that an integrated index embeds; elsewhere pinecone_rerank() ranks what a search has found.");
}

Datum
pinecone_match_phrase(PG_FUNCTION_ARGS)
{
	refuse("pinecone_match_phrase()", match_hint);
}

Datum
pinecone_match_all(PG_FUNCTION_ARGS)
{
	refuse("pinecone_match_all()", match_hint);
}

Datum
pinecone_match_any(PG_FUNCTION_ARGS)
{
	refuse("pinecone_match_any()", match_hint);
}
