/*
 * last_write_functions.c
 *		pinecone_last_write() and pinecone_wait_for(): what one session has written,
 *		told to another that is to see it.
 *
 * Sequence numbers are a namespace's own, so that what is told is an object, with
 * a number for each namespace of the table.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

#include "admin/argument.h"
#include "pending/consistency.h"
#include "wire/message.h"

PG_FUNCTION_INFO_V1(pinecone_last_write);
PG_FUNCTION_INFO_V1(pinecone_wait_for);

/* The table and the caller's session with its server; it takes the right to read the table. */
static PineconeTable *
readable_table(FunctionCallInfo fcinfo, PineconeSession **session)
{
	Oid relid = pinecone_argument_table(fcinfo, 0, "table");
	AclResult right = pg_class_aclcheck(relid, GetUserId(), ACL_SELECT);
	PineconeTable *table;

	if (right != ACLCHECK_OK)
		aclcheck_error(right, OBJECT_FOREIGN_TABLE, get_rel_name(relid));
	table = pinecone_option_read_table(relid);
	pinecone_argument_check_mapping(table->server->serverid);
	*session = pinecone_argument_session(table->server->serverid, true);
	return table;
}

/* ---- What has been written ---- */

static void
append_write(const char *namespace_, int64 lsn, void *arg)
{
	StringInfo buf = arg;

	if (buf->len > 1)
		appendStringInfoChar(buf, ',');
	pinecone_message_append_string(buf, namespace_);
	if (lsn < 0)
		appendStringInfoString(buf, ":null");
	else
		appendStringInfo(buf, ":" INT64_FORMAT, lsn);
}

Datum
pinecone_last_write(PG_FUNCTION_ARGS)
{
	PineconeSession *session;
	PineconeTable *table = readable_table(fcinfo, &session);
	StringInfoData buf;

	if (table->outbox)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("writes of foreign table \"%s\" are not sent by the session that makes them", table->name),
				 errhint("They wait in the outbox, and reads lay over what Pinecone shows whatever waits there.")));
	initStringInfo(&buf);
	appendStringInfoChar(&buf, '{');
	pinecone_consistency_last_writes(session, table, append_write, &buf);
	appendStringInfoChar(&buf, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data));
}

/* ---- Waiting for it ---- */

pg_noreturn static void
bad_writes(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("last_write must be what pinecone_last_write() has returned"),
			 errhint("It is an object that has a sequence number for each namespace, or such a number for a table of one namespace.")));
}

/* Not a fraction, nor below 0 or beyond what a bigint holds. */
static bool
is_sequence_number(Numeric number)
{
	char *text = numeric_normalize(number);

	return strspn(text, "0123456789") == strlen(text) && strlen(text) <= 18;
}

static bool
wait_for(PineconeSession *session, const PineconeTable *table, const char *namespace_, const JsonbValue *lsn)
{
	Datum number;

	if (!pinecone_option_has_namespace(table, namespace_))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("foreign table \"%s\" does not show namespace \"%s\"", table->name, namespace_)));
	if (lsn->type == jbvNull)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
				 errmsg("nobody can tell when the last write to namespace \"%s\" is shown", namespace_),
				 errdetail("Pinecone has told no sequence number for it.")));
	if (lsn->type != jbvNumeric || !is_sequence_number(lsn->val.numeric))
		bad_writes();
	number = DirectFunctionCall1(numeric_int8, NumericGetDatum(lsn->val.numeric));
	return pinecone_consistency_wait_for(session, table, namespace_, DatumGetInt64(number));
}

/*
 * pinecone_wait_for(table, last_write, timeout): true when searches show it, false
 * if the table's patience has ended with a warning.
 */
Datum
pinecone_wait_for(PG_FUNCTION_ARGS)
{
	PineconeSession *session;
	PineconeTable *table = readable_table(fcinfo, &session);
	Jsonb *writes;
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue value;
	char *name = NULL;
	bool shown = true;

	if (PG_ARGISNULL(1))
		bad_writes();
	writes = PG_GETARG_JSONB_P(1);
	if (!PG_ARGISNULL(2))
		table->consistency_timeout_ms = pinecone_argument_wait(fcinfo, 2, "timeout");
	if (!JB_ROOT_IS_OBJECT(writes) && (!JB_ROOT_IS_SCALAR(writes) || table->namespace_ == NULL))
		bad_writes();
	it = JsonbIteratorInit(&writes->root);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			name = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_ELEM && JB_ROOT_IS_SCALAR(writes))
			shown &= wait_for(session, table, table->namespace_, &value);
		else if (token == WJB_VALUE)
			shown &= wait_for(session, table, name, &value);
	}
	PG_RETURN_BOOL(shown);
}
