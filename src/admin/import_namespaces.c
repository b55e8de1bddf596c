/*
 * import_namespaces.c
 *		The namespaces of an index, from all that tells of any.
 */
#include "postgres.h"

#include "admin/import_namespaces.h"
#include "client/alias.h"

static int
compare_namespaces(const ListCell *a, const ListCell *b)
{
	return strcmp(((const PineconeNamespaceSummary *) lfirst(a))->name,
				  ((const PineconeNamespaceSummary *) lfirst(b))->name);
}

static List *
add_namespace(List *namespaces, const char *name, double records, const PineconeNamespaceInfo *info)
{
	PineconeNamespaceSummary *summary = palloc0(sizeof(PineconeNamespaceSummary));

	summary->name = pstrdup(name);
	summary->records = records;
	for (int i = 0; info != NULL && i < info->nfields; i++)
		summary->declared = lappend(summary->declared, pstrdup(info->fields[i]));
	return lappend(namespaces, summary);
}

/* Sort by name; of the same namespace named twice, keep one. */
static List *
sort_namespaces(List *namespaces)
{
	List *result = NIL;
	PineconeNamespaceSummary *last = NULL;
	ListCell *lc;

	list_sort(namespaces, compare_namespaces);
	foreach(lc, namespaces)
	{
		PineconeNamespaceSummary *summary = lfirst(lc);

		if (last != NULL && strcmp(last->name, summary->name) == 0)
		{
			last->declared = list_concat(last->declared, summary->declared);
			last->records = Max(last->records, summary->records);
		}
		else
		{
			result = lappend(result, summary);
			last = summary;
		}
	}
	return result;
}

/*
 * The namespaces that the service lists, with the fields they declare.  Kinds
 * of indexes that have no such list are no error: statistics name namespaces
 * too.  The first page has been asked for.
 */
static List *
list_namespaces(PineconeSession *session, PineconeCall *call)
{
	List *namespaces = NIL;
	char *token = NULL;
	char *earlier_token = NULL;
	int64 pages = 0;

	for (;;)
	{
		PineconeFailure failure;
		PineconeNamespaceInfo *infos;
		int n;

		pinecone_vectors_wait(call);
		failure = pinecone_vectors_failure(call);
		if (failure == PINECONE_FAILURE_UNSUPPORTED ||
			failure == PINECONE_FAILURE_NO_NAMESPACE ||
			failure == PINECONE_FAILURE_FORBIDDEN ||
			failure == PINECONE_FAILURE_REJECTED)
		{
			pinecone_vectors_free(call);
			return namespaces;
		}
		infos = pinecone_vectors_namespaces_result(call, &n, &token);
		for (int i = 0; i < n; i++)
			namespaces = add_namespace(namespaces, infos[i].name, -1, &infos[i]);
		pinecone_vectors_free(call);

		/* as for pages of records: they must come to an end */
		if (token != NULL && earlier_token != NULL && strcmp(token, earlier_token) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_PROTOCOL_VIOLATION),
					 errmsg("invalid response from Pinecone"),
					 errdetail("The pages of namespaces come round: a pagination token was given twice.")));
		pages++;
		if ((pages & (pages - 1)) == 0)
			earlier_token = token;
		if (token == NULL)
			return namespaces;
		call = pinecone_vectors_list_namespaces(session, NULL, token);
	}
}

List *
pinecone_import_find_namespaces(PineconeSession *session, PineconeCall *list, PineconeStats *stats)
{
	List *namespaces = list_namespaces(session, list);

	for (int i = 0; i < stats->nnamespaces; i++)
		namespaces = add_namespace(namespaces, stats->namespaces[i].name,
								   stats->namespaces[i].records, NULL);
	/* the default namespace is there even in an empty index */
	if (namespaces == NIL)
		namespaces = add_namespace(namespaces, "", -1, NULL);
	return sort_namespaces(namespaces);
}

List *
pinecone_import_add_aliases(PineconeSession *session, List *namespaces)
{
	List *aliases = pinecone_alias_list(session);
	ListCell *lc;

	foreach(lc, aliases)
	{
		PineconeAlias *alias = lfirst(lc);

		namespaces = add_namespace(namespaces, alias->name, -1, NULL);
		((PineconeNamespaceSummary *) llast(namespaces))->is_alias = true;
	}
	return sort_namespaces(namespaces);
}
