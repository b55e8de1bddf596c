/*
 * error.c
 *		A failed call as an SQL error: SQLSTATE, message, detail, hint.
 *
 * The detail carries the service's own words, its request id, and for a write
 * whether it may have been applied all the same.
 */
#include "postgres.h"

#include "client/call.h"
#include "client/error.h"

static char *
host_of(const PineconeCall *call)
{
	PineconeServerOptions *options = call->session->options;

	if (call->control_plane)
		return options->control_host;
	if (call->session->base_url)
		return call->session->base_url;
	return options->host ? options->host : options->control_host;
}

/* The option that says where that is. */
static const char *
host_option(const PineconeCall *call)
{
	if (call->session->options->index == NULL)
		return "host";
	return call->control_plane || call->session->base_url == NULL ? "control_host" : "index";
}

/* Operation, server and host, attempts, request id, status: the service's words */
static char *
detail_of(const PineconeCall *call)
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
	return buf.data;
}

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
					 errdetail_internal("%s", detail_of(call)),
					 errhint("Check the server's \"%s\" option and the network.", host_option(call))));
			break;
		case PINECONE_HTTP_UNRESOLVED:
		case PINECONE_HTTP_UNCONNECTED:
			ereport(elevel,
					(errcode(ERRCODE_FDW_UNABLE_TO_ESTABLISH_CONNECTION),
					 errmsg("could not reach Pinecone host \"%s\" within %d ms", host_of(call),
							Min(options->connect_timeout_ms, options->request_timeout_ms)),
					 errdetail_internal("%s", detail_of(call)),
					 errhint("Check the server's \"%s\" option and the network, or raise \"%s\".",
							 host_option(call),
							 options->connect_timeout_ms <= options->request_timeout_ms ? "connect_timeout" : "request_timeout")));
			break;
		case PINECONE_HTTP_UNTRUSTED:
			ereport(elevel,
					(errcode(ERRCODE_FDW_UNABLE_TO_ESTABLISH_CONNECTION),
					 errmsg("could not establish a trusted connection to Pinecone host \"%s\"",
							host_of(call)),
					 errdetail_internal("%s", detail_of(call)),
					 errhint("For a private certificate authority set the server's \"ca_file\" option.")));
			break;
		case PINECONE_HTTP_TIMED_OUT:
			ereport(elevel,
					(errcode(ERRCODE_CONNECTION_FAILURE),
					 errmsg("request to Pinecone timed out after %d ms",
							options->request_timeout_ms),
					 errdetail_internal("%s", detail_of(call)),
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
					 errdetail_internal("%s", detail_of(call)),
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
				 errdetail_internal("%s", detail_of(call)),
				 errhint("Check the server's \"index\" option.")));
	else
		ereport(elevel,
				(errcode(ERRCODE_FDW_TABLE_NOT_FOUND),
				 errmsg("Pinecone host \"%s\" has no such index or operation", host_of(call)),
				 errdetail_internal("%s", detail_of(call)),
				 errhint("Check the server's \"host\" option.")));
}

void
pinecone_error_report(int elevel, const PineconeCall *call)
{
	const PineconeProblem *problem = &call->problem;

	if (problem->host_refused)
		ereport(elevel,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("%s", problem->message),
				 errhint("A superuser can allow it with pinecone_fdw.allowed_hosts or pinecone_fdw.allow_http_hosts.")));
	else if (problem->outcome != PINECONE_HTTP_ANSWERED)
		report_no_answer(elevel, call);
	else if (problem->invalid != NULL)
		ereport(elevel,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("invalid response from Pinecone"),
				 errdetail_internal("%s", detail_of(call)),
				 errhint("Check that it is Pinecone that answers there, and repeat the statement.")));
	else if (problem->status == 401 || problem->status == 403)
		ereport(elevel,
				(errcode(ERRCODE_SQLSERVER_REJECTED_ESTABLISHMENT_OF_SQLCONNECTION),
				 problem->status == 401 ? errmsg("Pinecone rejected the API key") :
										  errmsg("Pinecone refused the request"),
				 errdetail_internal("%s", detail_of(call)),
				 errhint("Check the user mapping's API key and what it may do.")));
	else if (pinecone_vectors_failure((PineconeCall *) call) == PINECONE_FAILURE_ALIAS)
		ereport(elevel,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("cannot write through an alias of a namespace"),
				 errdetail_internal("%s", detail_of(call)),
				 errhint("Write to the namespace that it stands for.")));
	else if (problem->status == 404)
		report_missing(elevel, call);
	else if (problem->status == 429)
		ereport(elevel,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
				 errmsg("Pinecone rate limit reached"),
				 errdetail_internal("%s", detail_of(call)),
				 errhint("Lower the server's \"rate_limits\" or raise \"max_retries\".")));
	else if (problem->status >= 500 || problem->status == 408)
		ereport(elevel,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
				 errmsg("Pinecone could not answer the request"),
				 errdetail_internal("%s", detail_of(call)),
				 errhint("Repeat the statement later, or raise the server's \"max_retries\".")));
	else
		ereport(elevel,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("Pinecone rejected the request"),
				 errdetail_internal("%s", detail_of(call)),
				 problem->status < 400 ? errhint("Check the server's \"host\" or \"control_host\" option.") :
										 errhint("Check the statement's values and the foreign table's options.")));
}
