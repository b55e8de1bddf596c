/*
 * per_statement.c
 *		Lists of what is kept of each statement: a few at a time, as a function may
 *		execute some within another, and cursors stay open.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/per_statement.h"

static void
forget(void *arg)
{
	dlist_delete(&((PineconePerStatement *) arg)->node);
}

void *
pinecone_per_statement_find(dlist_head *all, MemoryContext statement_cxt)
{
	dlist_iter iter;

	dlist_foreach(iter, all)
	{
		PineconePerStatement *kept = dlist_container(PineconePerStatement, node, iter.cur);

		if (kept->cxt == statement_cxt)
			return kept;
	}
	return NULL;
}

void *
pinecone_per_statement_of(dlist_head *all, MemoryContext statement_cxt, Size size)
{
	PineconePerStatement *kept = pinecone_per_statement_find(all, statement_cxt);

	if (kept != NULL)
		return kept;
	kept = MemoryContextAllocZero(statement_cxt, size);
	kept->cxt = statement_cxt;
	kept->cleanup.func = forget;
	kept->cleanup.arg = kept;
	MemoryContextRegisterResetCallback(statement_cxt, &kept->cleanup);
	dlist_push_head(all, &kept->node);
	return kept;
}
