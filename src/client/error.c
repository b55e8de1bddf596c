/*
 * error.c
 *		A failed call as an SQL error: SQLSTATE, message, detail, hint.
 *
 * The detail carries the service's own words, its request id, and for a write
 * whether it may have been applied all the same.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "client/call.h"
#include "client/error.h"
#include "client/hosts.h"

/* Was it the control plane that answered so, be it asked on behalf of the call? */
static bool
concerns_control_plane(const PineconeCall *call)
{
	return call->control_plane || call->problem.operation != NULL;
}

static char *
host_of(const PineconeCall *call)
{
	PineconeServerOptions *options = call->session->options;

	if (concerns_control_plane(call))
		return options->control_host;
	if (call->problem.host)
		return call->problem.host;
	if (call->session->base_url)
		return call->session->base_url;
	return options->host ? options->host : options->control_host;
}

/* The option that says where that is. */
static const char *
host_option(const PineconeCall *call)
{
	if (pinecone_hosts_are_several(call->session) && !concerns_control_plane(call))
		return "hosts";
	if (call->session->options->index == NULL)
		return "host";
	return concerns_control_plane(call) ? "control_host" : "index";
}

char *
pinecone_error_detail(const PineconeCall *call)
{
	const PineconeProblem *problem = &call->problem;
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "Operation \"%s\"",
					 problem->operation ? problem->operation : call->operation);
	appendStringInfo(&buf, " of server \"%s\" at %s", call->session->options->servername,
					 host_of(call));
	if (problem->attempts > 1)
		appendStringInfo(&buf, ", %d attempts", problem->attempts);
	if (problem->request_id)
		appendStringInfo(&buf, ", request id %s", problem->request_id);
	if (problem->invalid)
		appendStringInfo(&buf, ": %s", problem->invalid);
	else
	{
		if (problem->status >= 300)
			appendStringInfo(&buf, ", HTTP status %ld", problem->status);
		if (problem->retry_after > 0)
			appendStringInfo(&buf, ", to be asked again after %.0f s", problem->retry_after);
		if (problem->message && problem->message[0])
			appendStringInfo(&buf, ": %s", problem->message);
	}
	if (call->is_write && call->maybe_applied)
		appendStringInfoString(&buf, "\nIt is not known whether the write was applied.");
	if (call->note)
		appendStringInfo(&buf, "\n%s", call->note);
	if (pinecone_hosts_remark(call) != NULL)
		appendStringInfo(&buf, "\n%s", pinecone_hosts_remark(call));
	return buf.data;
}

/* Does a failed handshake look as if the other side had answered without TLS? */
static bool
answers_without_tls(const PineconeProblem *problem)
{
	return problem->message != NULL &&
		   (strstr(problem->message, "wrong version number") != NULL ||
			strstr(problem->message, "packet length too long") != NULL ||
			strstr(problem->message, "http request") != NULL ||
			strstr(problem->message, "SSL_ERROR_SYSCALL") != NULL ||
			strstr(problem->message, "unexpected eof") != NULL);
}

/* Is the index one of documents, or is it not, against what was thought?  Each kind has another interface. */
static bool
is_of_other_kind(const PineconeCall *call)
{
	const PineconeProblem *problem = &call->problem;

	if (problem->status != 400 || problem->message == NULL)
		return false;
	if (call->documents)
		return strstr(problem->message, "vectors API") != NULL ||
			   strstr(problem->message, "records API") != NULL ||
			   strstr(problem->message, "/vectors/") != NULL ||
			   strstr(problem->message, "document schema") != NULL;
	return strstr(problem->message, "document schema") != NULL ||
		   strstr(problem->message, "documents API") != NULL ||
		   strstr(problem->message, "Documents API") != NULL;
}

static const char *
index_of(const PineconeCall *call)
{
	if (call->session->options->index)
		return psprintf("Pinecone index \"%s\"", call->session->options->index);
	return psprintf("the index at Pinecone host \"%s\"", host_of(call));
}

/*
 * Errors of calls that got no reply: the host was not reached, or not in time,
 * or the connection was lost. Each names the option that is about it.
 */
static void
report_no_answer(int elevel, const PineconeCall *call)
{
	PineconeServerOptions *options = call->session->options;

	switch (call->problem.outcome)
	{
		case PINECONE_HTTP_UNREACHABLE:
			ereport(elevel,
					(errcode(ERRCODE_FDW_UNABLE_TO_ESTABLISH_CONNECTION),
					 errmsg("could not reach Pinecone host \"%s\"", host_of(call)),
					 errdetail_internal("%s", pinecone_error_detail(call)),
					 answers_without_tls(&call->problem) ?
						 errhint("A local one may speak plain HTTP: then write \"http://\" before the host in the server's \"%s\" option.",
								 host_option(call)) :
						 errhint("Check the server's \"%s\" option and the network.", host_option(call))));
			break;
		case PINECONE_HTTP_UNRESOLVED:
		case PINECONE_HTTP_UNCONNECTED:
			ereport(elevel,
					(errcode(ERRCODE_FDW_UNABLE_TO_ESTABLISH_CONNECTION),
					 errmsg("could not reach Pinecone host \"%s\" within %d ms", host_of(call),
							Min(options->connect_timeout_ms, options->request_timeout_ms)),
					 errdetail_internal("%s", pinecone_error_detail(call)),
					 errhint("Check the server's \"%s\" option and the network, or raise \"%s\".",
							 host_option(call),
							 options->connect_timeout_ms <= options->request_timeout_ms ? "connect_timeout" : "request_timeout")));
			break;
		case PINECONE_HTTP_UNTRUSTED:
			ereport(elevel,
					(errcode(ERRCODE_FDW_UNABLE_TO_ESTABLISH_CONNECTION),
					 errmsg("could not establish a trusted connection to Pinecone host \"%s\"",
							host_of(call)),
					 errdetail_internal("%s", pinecone_error_detail(call)),
					 errhint("For a private certificate authority set the server's \"ca_file\" option.")));
			break;
		case PINECONE_HTTP_TIMED_OUT:
			ereport(elevel,
					(errcode(ERRCODE_CONNECTION_FAILURE),
					 errmsg("request to Pinecone timed out after %d ms",
							options->request_timeout_ms),
					 errdetail_internal("%s", pinecone_error_detail(call)),
					 errhint("Raise the server's \"request_timeout\" option if the service is slow.")));
			break;
		case PINECONE_HTTP_OVERSIZED:
			ereport(elevel,
					(errcode(ERRCODE_PROTOCOL_VIOLATION),
					 errmsg("invalid response from Pinecone"),
					 errdetail("The reply to operation \"%s\" of server \"%s\" at %s is larger than any can be.",
							   call->operation, options->servername, host_of(call)),
					 errhint("Check that it is Pinecone that answers there.")));
			break;
		case PINECONE_HTTP_OUT_OF_MEMORY:
			ereport(elevel,
					(errcode(ERRCODE_OUT_OF_MEMORY),
					 errmsg("out of memory"),
					 errdetail("While reading the reply to operation \"%s\".", call->operation)));
			break;
		default:
			ereport(elevel,
					(errcode(ERRCODE_CONNECTION_FAILURE),
					 errmsg("lost the connection to Pinecone"),
					 errdetail_internal("%s", pinecone_error_detail(call)),
					 errhint("Check the network between here and there, and repeat the statement.")));
	}
}

static void
report_missing(int elevel, const PineconeCall *call)
{
	PineconeServerOptions *options = call->session->options;

	if (options->index)
		ereport(elevel,
				(errcode(ERRCODE_FDW_TABLE_NOT_FOUND),
				 errmsg("Pinecone index \"%s\" does not exist", options->index),
				 errdetail_internal("%s", pinecone_error_detail(call)),
				 errhint("Check the server's \"index\" option: pinecone_indexes(%s) lists those that there are, and pinecone_backups(%s, %s) what of it could be restored.",
						 quote_literal_cstr(options->servername), quote_literal_cstr(options->servername), quote_literal_cstr(options->index))));
	else
		ereport(elevel,
				(errcode(ERRCODE_FDW_TABLE_NOT_FOUND),
				 errmsg("Pinecone host \"%s\" has no such index or operation", host_of(call)),
				 errdetail_internal("%s", pinecone_error_detail(call)),
				 errhint("Check the server's \"host\" option.")));
}

/* What may be done about a key that may not do that. */
static const char *
refusal_hint(const PineconeCall *call)
{
	const PineconeProblem *problem = &call->problem;

	if (problem->message != NULL && strstr(problem->message, "You've reached the max") != NULL)
		return "A limit of the Pinecone project is reached: make room, or raise it with Pinecone.";
	if (problem->status == 403 && concerns_control_plane(call))
		return "Check what the user mapping's API key may do; one that may not describe indexes needs the server's \"host\" option in place of \"index\".";
	if (problem->status == 401 && concerns_control_plane(call))
		return "Check the user mapping's API key; one without rights on the control plane needs the server's \"host\" option in place of \"index\".";
	if (problem->status == 403 && call->is_write)
		return "Check whether the user mapping's API key may write.";
	return "Check the user mapping's API key and what it may do.";
}

/*
 * One error for each kind of failure. What the service wrote is the detail; the
 * hint says what to do about it.
 */
void
pinecone_error_report(int elevel, const PineconeCall *call)
{
	const PineconeProblem *problem = &call->problem;
	PineconeServerOptions *options = call->session->options;

	if (problem->host_refused)
		ereport(elevel,
				(errcode(problem->moved ? ERRCODE_FDW_ERROR : ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("%s", problem->message),
				 errhint("%s", problem->remedy)));
	else if (problem->outcome != PINECONE_HTTP_ANSWERED)
		report_no_answer(elevel, call);
	else if (problem->invalid != NULL)
		ereport(elevel,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("invalid response from Pinecone"),
				 errdetail_internal("%s", pinecone_error_detail(call)),
				 errhint("Check that it is Pinecone that answers there, and repeat the statement.")));
	else if (problem->status == 401 || problem->status == 403)
		ereport(elevel,
				(errcode(ERRCODE_SQLSERVER_REJECTED_ESTABLISHMENT_OF_SQLCONNECTION),
				 problem->status == 401 ? errmsg("Pinecone rejected the API key") :
										  errmsg("Pinecone refused the request"),
				 errdetail_internal("%s", pinecone_error_detail(call)),
				 errhint("%s", refusal_hint(call))));
	else if (pinecone_vectors_failure((PineconeCall *) call) == PINECONE_FAILURE_ALIAS)
		ereport(elevel,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("cannot write through an alias of a namespace"),
				 errdetail_internal("%s", pinecone_error_detail(call)),
				 errhint("Write to the namespace that it stands for.")));
	else if (problem->status == 404)
		report_missing(elevel, call);
	else if (pinecone_problem_is_quota(problem))
		ereport(elevel,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
				 errmsg("Pinecone's quota of the current month is used up"),
				 errdetail_internal("%s", pinecone_error_detail(call)),
				 errhint("Neither waiting nor options of the server help: raise the quota with Pinecone, or wait for the next month.")));
	else if (problem->status == 402)
		ereport(elevel,
				(errcode(ERRCODE_SQLSERVER_REJECTED_ESTABLISHMENT_OF_SQLCONNECTION),
				 errmsg("Pinecone refused the request"),
				 errdetail_internal("%s", pinecone_error_detail(call)),
				 errhint("Check the billing of the Pinecone project.")));
	else if (is_of_other_kind(call))
	{
		(void) pinecone_session_forget_host(call->session, call->location);
		ereport(elevel,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg(call->documents ? "%s is not an index of documents" : "%s is an index of documents", index_of(call)),
				 errdetail_internal("%s", pinecone_error_detail(call)),
				 options->index ? errhint("Repeat the statement, which was planned for another kind of index.") :
								  errhint("Set the server's \"schema\" option to what the index declares, or name the index in place of the host.")));
	}
	else if (problem->status == 429)
		ereport(elevel,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
				 errmsg("Pinecone rate limit reached"),
				 errdetail_internal("%s", pinecone_error_detail(call)),
				 errhint("Lower the server's \"rate_limits\" or raise \"max_retries\".")));
	else if (problem->status >= 500 || problem->status == 408)
		ereport(elevel,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
				 errmsg("Pinecone could not answer the request"),
				 errdetail_internal("%s", pinecone_error_detail(call)),
				 errhint("Repeat the statement later, or raise the server's \"max_retries\".")));
	else
		ereport(elevel,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("Pinecone rejected the request"),
				 errdetail_internal("%s", pinecone_error_detail(call)),
				 problem->status < 400 ? errhint("Check the server's \"host\" or \"control_host\" option.") :
										 errhint("Check the statement's values and the foreign table's options.")));
}
