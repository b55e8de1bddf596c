/*
 * lacks_score.c
 *		Queries that go by a score that is NULL, for others than who sees the WARNING.
 *
 * postgres_fdw sends "score > 0.8" as it stands, and keeps an order by distance
 * to itself unless its server knows of the extensions here: what arrives has no
 * search, and no row would go back.  The WARNING ends in the log of the server
 * in front, so it has to be an error.
 *
 * Such sessions are known by what postgres_fdw sets in each of them.  It has an
 * application_name too, but that is for its users to change.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "utils/float.h"

#include "scan/lacks_score.h"

static bool
is_postgres_fdw_session(void)
{
	return strcmp(namespace_search_path, "pg_catalog") == 0 && extra_float_digits == 3;
}

void
pinecone_lacks_score_refuse(const PineconeTable *table)
{
	if (!is_postgres_fdw_session())
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
			 errmsg("the score of rows of foreign table \"%s\" is NULL", table->name),
			 errdetail("The query that postgres_fdw has sent has no search: it neither orders rows by a distance that the index measures, nor bounds one."),
			 errhint("ORDER BY a distance, and name the extensions in front, that postgres_fdw sends it: OPTIONS (extensions 'pinecone_fdw, vector') of its server.")));
}
