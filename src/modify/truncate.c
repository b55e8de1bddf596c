/*
 * truncate.c
 *		TRUNCATE: all records of the tables' namespaces are deleted.
 */
#include "postgres.h"

#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "modify/modify.h"
#include "pending/pending.h"

static void
check_truncatable(PineconeTable *table)
{
	if (!table->truncatable)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("foreign table \"%s\" does not allow truncates", table->name),
				 errhint("Its option \"truncatable\", or that of its server, is false.")));
	if (!table->updatable)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("foreign table \"%s\" does not allow truncates", table->name),
				 errhint("Its option \"updatable\", or that of its server, is false.")));
}

/* Empty all the namespaces of a table. */
static void
truncate_table(PineconeModify *modify)
{
	PineconeStats *stats = modify->stats;
	PineconeNamespaceStats *namespaces;
	int n;

	/* what is cached may lack a namespace that has records by now */
	if (modify->table->namespace_attnum > 0)
		stats = pinecone_session_stats(modify->session, true, false);
	namespaces = pinecone_session_namespaces(modify->session, modify->table, stats, &n);
	if (modify->table->namespace_attnum > 0)
		namespaces = pinecone_pending_add_namespaces(modify->session, modify->table, namespaces, &n);
	for (int i = 0; i < n; i++)
	{
		PineconeWrite write = {PINECONE_WRITE_DELETE_ALL};

		pinecone_sink_write(modify->sink, namespaces[i].name, &write);
	}
}

/* All tables are checked before the first is emptied. */
void
pineconeExecForeignTruncate(List *rels, DropBehavior behavior, bool restart_seqs)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone truncate",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	List *modifies = NIL;
	ListCell *lc;

	foreach(lc, rels)
	{
		PineconeTable *table = pinecone_option_table(RelationGetRelid((Relation) lfirst(lc)));

		check_truncatable(table);
		modifies = lappend(modifies, pinecone_modify_create(NULL, table, GetUserId(), CMD_DELETE, NULL, true));
	}
	/* TRUNCATE of a table with option "namespaces" names them */
	foreach(lc, modifies)
	{
		PineconeModify *modify = lfirst(lc);

		for (int i = 0; i < modify->table->nnamespaces; i++)
			pinecone_modify_refuse_alias(modify, modify->table->namespaces[i]);
	}
	foreach(lc, modifies)
		truncate_table(lfirst(lc));
	foreach(lc, modifies)
		pinecone_sink_finish(((PineconeModify *) lfirst(lc))->sink);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
}
