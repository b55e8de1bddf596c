/*
 * delete_ids.c
 *		Deletes of given ids, as those of a statement are: they go to the table's sink.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "modify/delete_ids.h"
#include "modify/modify.h"
#include "pending/pending.h"

/* The longest id of the service */
#define MAX_ID 512

static bool
can_be_id(const char *id)
{
	size_t len = strlen(id);

	for (const char *p = id; *p; p++)
	{
		if ((unsigned char) *p > 127)
			return false;
	}
	return len > 0 && len <= MAX_ID;
}

int
pinecone_modify_delete_ids(Oid relid, char **namespaces, char **ids, int n)
{
	AclResult right = pg_class_aclcheck(relid, GetUserId(), ACL_DELETE);
	MemoryContext cxt;
	MemoryContext old;
	PineconeTable *table;
	PineconeModify *modify;
	int deleted = 0;

	if (right != ACLCHECK_OK)
		aclcheck_error(right, OBJECT_FOREIGN_TABLE, get_rel_name(relid));
	PreventCommandIfReadOnly("DELETE");
	cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone deletes", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(cxt);
	table = pinecone_option_table(relid);
	if (!table->updatable)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("foreign table \"%s\" does not allow deletes", table->name),
				 errhint("Its option \"updatable\", or that of its server, is false.")));
	modify = pinecone_modify_create(NULL, table, GetUserId(), CMD_DELETE, NULL, true);
	for (int i = 0; i < n; i++)
	{
		const char *namespace_ = namespaces ? pinecone_option_plain_namespace(namespaces[i]) : table->namespace_;

		if (!can_be_id(ids[i]) || !pinecone_option_has_namespace(table, namespace_))
			continue;
		if (namespaces != NULL)
			pinecone_modify_refuse_alias(modify, namespace_);
		pinecone_modify_delete(modify, namespace_, ids[i]);
		deleted++;
	}
	pinecone_sink_finish(modify->sink);
	pinecone_pending_come_first();
	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
	return deleted;
}
