/*
 * forget.c
 *		Sessions of an index are made anew, here and elsewhere.
 *
 * Elsewhere as after ALTER SERVER: by an invalidation of the catalog's entries of
 * the servers that name the index, which have not changed.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_foreign_server.h"
#include "foreign/foreign.h"
#include "utils/inval.h"
#include "utils/rel.h"

#include "admin/argument.h"
#include "admin/forget.h"

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool
names_index(Oid serverid, const PineconeServerOptions *options, const char *index)
{
	const PineconeServerOptions *other;

	if (!pinecone_argument_is_ours(serverid))
		return false;
	other = pinecone_option_server(serverid);
	if (index != NULL)
		return same(other->index, index) && same(other->control_host, options->control_host);
	return same(other->host, options->host);
}

void
pinecone_forget(PineconeSession *session, const char *index)
{
	const PineconeServerOptions *options = session->options;
	Relation catalog;
	SysScanDesc scan;
	HeapTuple tuple;
	char *base_url = index == NULL && session->base_url ? pstrdup(session->base_url) : NULL;

	if (index == NULL)
		index = options->index;
	pinecone_session_forget_index(options->control_host, index, base_url);
	catalog = table_open(ForeignServerRelationId, AccessShareLock);
	scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid serverid = ((Form_pg_foreign_server) GETSTRUCT(tuple))->oid;

		if (names_index(serverid, options, index))
			CacheInvalidateHeapTuple(catalog, tuple, NULL);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}
