/*
 * audit.c
 *		Logs each write before it is sent: user, server, namespace, ids or filter.
 *
 * A line of JSON, so that no name or id can make it look like another one.  The
 * values that are written are not in it.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/json.h"

#include "base/setting.h"
#include "pending/audit.h"

static const char *
operation_of(PineconeWriteKind kind)
{
	switch (kind)
	{
		case PINECONE_WRITE_UPSERT:
			return "upsert";
		case PINECONE_WRITE_UPDATE:
			return "update";
		case PINECONE_WRITE_UPDATE_FILTER:
			return "update_by_metadata";
		case PINECONE_WRITE_DELETE:
			return "delete";
		case PINECONE_WRITE_DELETE_FILTER:
			return "delete_by_metadata";
		case PINECONE_WRITE_DELETE_ALL:
			return "delete_all";
		default:
			return "write";
	}
}

static void
append_field(StringInfo buf, const char *name, const char *value)
{
	appendStringInfo(buf, "%s\"%s\": ", buf->len > 1 ? ", " : "", name);
	escape_json(buf, value);
}

static void
append_ids(StringInfo buf, const PineconeBatch *batch)
{
	bool first = true;

	appendStringInfoString(buf, ", \"ids\": [");
	for (int i = 0; i < batch->nitems; i++)
	{
		if (batch->items[i].len == 0)
			continue;
		if (!first)
			appendStringInfoString(buf, ", ");
		escape_json(buf, batch->items[i].id);
		first = false;
	}
	appendStringInfoChar(buf, ']');
}

/* Who writes where, which is not always who sends it: a transaction's writes wait for its end. */
static void
begin_line(StringInfo buf, const PineconeSession *session, Oid userid)
{
	const char *user = GetUserNameFromId(userid, true);
	const char *session_user = GetUserNameFromId(GetSessionUserId(), true);

	initStringInfo(buf);
	appendStringInfoChar(buf, '{');
	append_field(buf, "user", user ? user : "");
	if (user == NULL || session_user == NULL || strcmp(user, session_user) != 0)
		append_field(buf, "session_user", session_user ? session_user : "");
	append_field(buf, "server", session->options->servername);
}

static void
log_line(StringInfo buf)
{
	appendStringInfoChar(buf, '}');
	/* a text of several statements may have a key in it */
	ereport(LOG_SERVER_ONLY,
			(errmsg_internal("pinecone_fdw audit: %s", buf->data),
			 errhidestmt(true)));
	pfree(buf->data);
}

void
pinecone_audit_batch(const PineconeSession *session, Oid userid, const char *namespace_, const PineconeBatch *batch)
{
	StringInfoData buf;

	if (!pinecone_audit)
		return;
	begin_line(&buf, session, userid);
	append_field(&buf, "namespace", namespace_);
	append_field(&buf, "operation", operation_of(batch->kind));
	if (batch->whole != NULL && batch->whole->filter != NULL)
		append_field(&buf, "filter", batch->whole->filter);
	else if (batch->nitems > 0)
		append_ids(&buf, batch);
	log_line(&buf);
}

void
pinecone_audit_change(const PineconeSession *session, const char *operation, const char *kind, const char *name)
{
	StringInfoData buf;

	if (!pinecone_audit)
		return;
	begin_line(&buf, session, GetUserId());
	append_field(&buf, kind, name);
	append_field(&buf, "operation", operation);
	log_line(&buf);
}
