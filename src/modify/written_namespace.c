/*
 * written_namespace.c
 *		The namespace that a row is written to: what its column says, and whether
 *		that may be written to through this table.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"

#include "client/alias.h"
#include "modify/modify.h"

void
pinecone_modify_refuse_alias(PineconeModify *modify, const char *namespace_)
{
	char *target;

	/* whoever delivers from the outbox finds out */
	if (modify->table->outbox || (modify->writable != NULL && strcmp(modify->writable, namespace_) == 0))
		return;
	target = pinecone_alias_target(modify->session, namespace_, true);
	if (target != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("cannot write to \"%s\" through foreign table \"%s\"", namespace_,
						modify->table->name),
				 target[0] ? errdetail("It is an alias of namespace \"%s\".", target) :
							 errdetail("It is an alias of the default namespace."),
				 errhint("Write through a table of that namespace.")));
	if (modify->writable != NULL)
		pfree(modify->writable);
	modify->writable = MemoryContextStrdup(modify->cxt, namespace_);
}

static void
refuse_namespace(PineconeModify *modify, const char *name, const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("cannot write to namespace \"%s\" through foreign table \"%s\"", name,
					modify->table->name),
			 errdetail("%s", reason)));
}

/* The namespace that a value of the namespace column names. */
const char *
pinecone_modify_namespace_of_value(PineconeModify *modify, Datum value, bool isnull)
{
	PineconeTable *table = modify->table;
	const char *name;

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("null value in column \"%s\" of foreign table \"%s\"",
						table->columns[table->namespace_attnum - 1].name, table->name),
				 errdetail("It tells the namespace of a record; the default one is \"\".")));
	name = TextDatumGetCString(value);
	if (!pinecone_option_namespace_is_valid(name))
		refuse_namespace(modify, name, "Names of namespaces are ASCII, at most 512 characters long.");
	name = pinecone_option_plain_namespace(name);
	if (!pinecone_option_has_namespace(table, name))
		refuse_namespace(modify, name, "It is not among those of the table's option \"namespaces\".");
	pinecone_modify_refuse_alias(modify, name);
	return name;
}

const char *
pinecone_modify_namespace_of_row(PineconeModify *modify, const Datum *values, const bool *isnull)
{
	int n = modify->table->namespace_attnum - 1;

	if (n < 0)
		return modify->table->namespace_;
	return pinecone_modify_namespace_of_value(modify, values[n], isnull[n]);
}
