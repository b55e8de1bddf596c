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

#include "admin/forget.h"
#include "option/option_value.h"

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* The handler of a server's wrapper: what is not ours is told by that, and left alone. */
static Oid
handler_of(const ForeignServer *server)
{
	ForeignDataWrapper *wrapper = GetForeignDataWrapperExtended(server->fdwid, FDW_MISSING_OK);

	return wrapper ? wrapper->fdwhandler : InvalidOid;
}

/*
 * Does a server of our wrapper name the index?  Nothing of this raises an error,
 * whatever the options of others: what is to be forgotten has been done.
 */
static bool
names_index(Oid serverid, Oid handler, const PineconeServerOptions *options, const char *index)
{
	ForeignServer *server = GetForeignServerExtended(serverid, FSV_MISSING_OK);

	if (server == NULL || handler_of(server) != handler)
		return false;
	if (index != NULL)
		return same(pinecone_option_value(server->options, "index"), index) &&
			   same(pinecone_option_value(server->options, "control_host"), options->control_host);
	return same(pinecone_option_value(server->options, "host"), options->host);
}

void
pinecone_forget(PineconeSession *session, const char *index)
{
	const PineconeServerOptions *options = session->options;
	Oid handler = handler_of(GetForeignServer(session->serverid));
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

		if (names_index(serverid, handler, options, index))
			CacheInvalidateHeapTuple(catalog, tuple, NULL);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}
