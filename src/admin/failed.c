/*
 * failed.c
 *		Failed calls as errors that say what could not be done.
 */
#include "postgres.h"

#include "admin/failed.h"
#include "base/compat.h"
#include "client/call.h"
#include "client/control.h"
#include "client/error.h"

/* What helps against reasons that the service gives a word for */
typedef struct Remedy
{
	const char *reason;
	const char *hint;
} Remedy;

static const Remedy remedies[] = {
	{"ALIAS_NAME_INVALID", "Choose another name for the alias."},
	{"NAME_IN_USE_BY_NAMESPACE", "There is a namespace of that name: choose another one for the alias."},
	{"NAME_IN_USE_BY_ALIAS", "There is an alias of that name: choose another one for the namespace, or delete the alias."},
	{"TARGET_NAMESPACE_NOT_FOUND", "An alias stands for a namespace that is there: see pinecone_namespaces()."},
	{"TARGET_NAMESPACE_NOT_ACTIVE", "Wait until the namespace can be read."},
	{"TARGET_IS_ALIAS", "An alias stands for a namespace, not for another alias."},
	{"ALIASES_PER_INDEX_EXCEEDED", "Delete aliases that nobody needs: see pinecone_aliases()."},
	{"NAMESPACE_OPERATION_ON_ALIAS", "Name the namespace that the alias stands for: see pinecone_aliases()."},
	{"NAMESPACE_TARGETED_BY_ALIAS", "Point its aliases elsewhere, or delete them, before: see pinecone_aliases()."},
};

static const char *
remedy_of(const PineconeCall *call, const char *otherwise)
{
	const char *reason = pinecone_control_reason(call);

	for (int i = 0; reason != NULL && i < lengthof(remedies); i++)
	{
		if (strcmp(remedies[i].reason, reason) == 0)
			return remedies[i].hint;
	}
	return otherwise;
}

/* Is it about what was asked for, and not about who asks, how often, or whether anybody is there? */
static bool
is_refusal(long status)
{
	return status >= 400 && status < 500 && status != 401 && status != 402 && status != 403 && status != 408 && status != 429;
}

/* A key that may not do that: what it may do besides is told by nobody. */
static void
report_forbidden(const PineconeCall *call, const char *message)
{
	const char *words = call->problem.message;
	bool limit = words != NULL && strstr(words, "You've reached the max") != NULL;

	ereport(ERROR,
			(errcode(ERRCODE_SQLSERVER_REJECTED_ESTABLISHMENT_OF_SQLCONNECTION),
			 errmsg("%s", message),
			 errdetail_internal("%s", pinecone_error_detail(call)),
			 limit ? errhint("A limit of the Pinecone project is reached: make room, or raise it with Pinecone.") :
					 errhint("Check what the user mapping's API key may do: one that only reads, or only writes records, does not administer.")));
}

void
pinecone_failed(PineconeCall *call, const char *message, const char *hint)
{
	long status = pinecone_control_status(call);
	const char *remedy = remedy_of(call, hint);

	if (status == 403)
		report_forbidden(call, message);
	if (!is_refusal(status) && status != 501)
		pinecone_error_report(ERROR, call);
	ereport(ERROR,
			(errcode(status == 404 ? ERRCODE_UNDEFINED_OBJECT : status == 409 ? ERRCODE_DUPLICATE_OBJECT :
																				ERRCODE_FDW_ERROR),
			 errmsg("%s", message),
			 errdetail_internal("%s", pinecone_error_detail(call)),
			 remedy ? errhint("%s", remedy) : 0));
	pg_unreachable();
}

void
pinecone_failed_reply(PineconeCall *call, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROTOCOL_VIOLATION),
			 errmsg("invalid response from Pinecone"),
			 errdetail_internal("%s: %s", pinecone_error_detail(call), why),
			 errhint("Check that it is Pinecone that answers there, and repeat the statement.")));
	pg_unreachable();
}
