/*
 * vectors.c
 *		Pinecone's operations, one function each.
 *
 * A function builds the path and body of its request; call.c sends it.  The
 * results are decoded when they are asked for.  A reply that cannot be read is
 * asked for again, as often as a lost one.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "base/limits.h"
#include "client/alias.h"
#include "client/call.h"
#include "client/error.h"
#include "client/session.h"
#include "wire/decode.h"
#include "wire/message.h"

/* ---- Building requests ---- */

static PineconeCall *
create_get(PineconeSession *session, PineconeCounters *counters, const char *operation,
		   StringInfo path)
{
	PineconeCall *call = pinecone_call_create(session, counters, operation, "GET");
	MemoryContext old = MemoryContextSwitchTo(call->cxt);

	initStringInfo(path);
	MemoryContextSwitchTo(old);
	return call;
}

static PineconeCall *
start_get(PineconeCall *call, StringInfo path)
{
	call->path = path->data;
	pinecone_call_start(call);
	pinecone_call_advance(call->counters);
	return call;
}

static PineconeCall *
create_post(PineconeSession *session, PineconeCounters *counters, const char *operation,
			const char *path, StringInfo body)
{
	PineconeCall *call = pinecone_call_create(session, counters, operation, "POST");
	MemoryContext old = MemoryContextSwitchTo(call->cxt);

	call->path = pstrdup(path);
	initStringInfo(body);
	MemoryContextSwitchTo(old);
	return call;
}

static PineconeCall *
start_post(PineconeCall *call, StringInfo body)
{
	call->body = body->data;
	call->body_len = body->len;
	pinecone_call_start(call);
	pinecone_call_advance(call->counters);
	return call;
}

/* Count a call as one of a kind. */
static void
count_as(PineconeCall *call, PineconeRateKind kind, const char *namespace_)
{
	call->rate_kind = kind;
	if (namespace_ != NULL)
		call->rate_namespace = MemoryContextStrdup(call->cxt, namespace_);
}

/* JSON goes out in UTF-8. */
static const char *
to_utf8(const char *text)
{
	return text ? pg_server_to_any(text, strlen(text), PG_UTF8) : NULL;
}

/* What is empty need not be named; and the default namespace has two names. */
static bool
is_default_namespace(const char *name)
{
	return name == NULL || name[0] == '\0' || strcmp(name, "__default__") == 0;
}

/* The records asked for are of this namespace, in UTF-8. */
static void
expect_namespace(PineconeCall *call, const char *namespace_)
{
	call->namespace_ = MemoryContextStrdup(call->cxt, namespace_ ? namespace_ : "");
}

/* ---- Reads ---- */

PineconeCall *
pinecone_vectors_query(PineconeSession *session, PineconeCounters *counters,
					   const PineconeSearch *search)
{
	StringInfoData body;
	PineconeCall *call = create_post(session, counters, "query", "/query", &body);
	PineconeSearch encoded = *search;

	encoded.namespace_ = to_utf8(search->namespace_);
	encoded.filter = to_utf8(search->filter);
	pinecone_message_query(&body, &encoded, NULL);
	call->large_reply = search->include_values || search->top_k > 100;
	call->want_values = search->include_values;
	call->want_scores = true;
	expect_namespace(call, encoded.namespace_);
	count_as(call, PINECONE_RATE_QUERY, search->namespace_);
	return start_post(call, &body);
}

int
pinecone_vectors_fetch_batch(char *const *ids, int nids)
{
	int length = 0;
	int n;

	for (n = 0; n < nids && n < PINECONE_FETCH_BATCH; n++)
	{
		length += strlen("&ids=");
		for (const char *p = ids[n]; *p; p++)
			length += isalnum((unsigned char) *p) || strchr("-_.!~*'()", *p) ? 1 : 3;
		if (length > PINECONE_FETCH_QUERY && n > 0)
			break;
	}
	return n;
}

PineconeCall *
pinecone_vectors_fetch(PineconeSession *session, PineconeCounters *counters, const char *namespace_,
					   char *const *ids, int nids, bool want_values)
{
	StringInfoData path;
	PineconeCall *call = create_get(session, counters, "fetch", &path);

	pinecone_message_fetch_path(&path, to_utf8(namespace_), ids, nids);
	call->large_reply = nids > 1;
	call->want_values = want_values;
	expect_namespace(call, to_utf8(namespace_));
	if (counters)
		counters->ids_fetched += nids;
	count_as(call, PINECONE_RATE_FETCH, NULL);
	return start_get(call, &path);
}

PineconeCall *
pinecone_vectors_fetch_by_metadata(PineconeSession *session, PineconeCounters *counters,
								   const char *namespace_, const char *filter, int limit,
								   const char *token, bool want_values)
{
	StringInfoData body;
	PineconeCall *call = create_post(session, counters, "fetch by metadata",
									 "/vectors/fetch_by_metadata", &body);

	pinecone_message_fetch_by_metadata(&body, to_utf8(namespace_), to_utf8(filter), limit, token);
	call->large_reply = true;
	call->want_values = want_values;
	expect_namespace(call, to_utf8(namespace_));
	count_as(call, PINECONE_RATE_FETCH_BY_METADATA, namespace_);
	return start_post(call, &body);
}

PineconeCall *
pinecone_vectors_list(PineconeSession *session, PineconeCounters *counters, const char *namespace_,
					  const char *prefix, int limit, const char *token)
{
	StringInfoData path;
	PineconeCall *call = create_get(session, counters, "list", &path);

	pinecone_message_list_path(&path, to_utf8(namespace_), prefix, limit, token);
	if (prefix)
		call->prefix = MemoryContextStrdup(call->cxt, prefix);
	expect_namespace(call, to_utf8(namespace_));
	count_as(call, PINECONE_RATE_LIST, NULL);
	return start_get(call, &path);
}

static PineconeCall *
start_stats(PineconeSession *session, PineconeCounters *counters, bool single_attempt)
{
	StringInfoData body;
	PineconeCall *call = create_post(session, counters, "describe index stats",
									 "/describe_index_stats", &body);

	appendStringInfoString(&body, "{}");
	call->single_attempt = single_attempt;
	count_as(call, PINECONE_RATE_STATS, NULL);
	return start_post(call, &body);
}

PineconeCall *
pinecone_vectors_stats_try(PineconeSession *session, bool single_attempt)
{
	return start_stats(session, NULL, single_attempt);
}

PineconeCall *
pinecone_vectors_stats(PineconeSession *session, PineconeCounters *counters)
{
	return start_stats(session, counters, false);
}

PineconeCall *
pinecone_vectors_count(PineconeSession *session, PineconeCounters *counters, const char *namespace_,
					   const char *filter)
{
	StringInfoData body;
	PineconeCall *call = create_post(session, counters, "update dry run", "/vectors/update", &body);

	pinecone_message_update_by_filter(&body, to_utf8(namespace_), to_utf8(filter), NULL, true);
	count_as(call, PINECONE_RATE_UPDATE_BY_METADATA, namespace_);
	return start_post(call, &body);
}

PineconeCall *
pinecone_vectors_list_namespaces(PineconeSession *session, PineconeCounters *counters,
								 const char *token)
{
	StringInfoData path;
	PineconeCall *call = create_get(session, counters, "list namespaces", &path);

	appendStringInfoString(&path, "/namespaces");
	pinecone_message_append_parameter(&path, "limit", "100");
	pinecone_message_append_parameter(&path, "paginationToken", token);
	return start_get(call, &path);
}

/* ---- Writes ---- */

void
pinecone_vectors_append_record(StringInfo buf, const PineconeRecord *record)
{
	pinecone_message_append_record(buf, record);
}

PineconeCall *
pinecone_vectors_upsert(PineconeSession *session, PineconeCounters *counters, const char *namespace_,
						const char *records, int len, int nrecords)
{
	StringInfoData body;
	PineconeCall *call = create_post(session, counters, "upsert", "/vectors/upsert", &body);

	pinecone_message_upsert(&body, to_utf8(namespace_), records, len);
	call->is_write = true;
	call->expected = nrecords;
	count_as(call, PINECONE_RATE_UPSERT, namespace_);
	return start_post(call, &body);
}

PineconeCall *
pinecone_vectors_update(PineconeSession *session, PineconeCounters *counters, const char *namespace_,
						const PineconeRecord *record)
{
	StringInfoData body;
	PineconeCall *call = create_post(session, counters, "update", "/vectors/update", &body);

	pinecone_message_update(&body, to_utf8(namespace_), record);
	call->is_write = true;
	count_as(call, PINECONE_RATE_UPDATE, namespace_);
	return start_post(call, &body);
}

PineconeCall *
pinecone_vectors_update_by_filter(PineconeSession *session, PineconeCounters *counters,
								  const char *namespace_, const char *filter, const char *set_metadata)
{
	StringInfoData body;
	PineconeCall *call = create_post(session, counters, "update by metadata", "/vectors/update",
									 &body);

	pinecone_message_update_by_filter(&body, to_utf8(namespace_), to_utf8(filter), set_metadata,
									  false);
	call->is_write = true;
	count_as(call, PINECONE_RATE_UPDATE_BY_METADATA, namespace_);
	return start_post(call, &body);
}

PineconeCall *
pinecone_vectors_delete_ids(PineconeSession *session, PineconeCounters *counters,
							const char *namespace_, char *const *ids, int nids)
{
	StringInfoData body;
	PineconeCall *call = create_post(session, counters, "delete", "/vectors/delete", &body);

	pinecone_message_delete_ids(&body, to_utf8(namespace_), ids, nids);
	call->is_write = true;
	count_as(call, PINECONE_RATE_DELETE, namespace_);
	return start_post(call, &body);
}

PineconeCall *
pinecone_vectors_delete_by_filter(PineconeSession *session, PineconeCounters *counters,
								  const char *namespace_, const char *filter)
{
	StringInfoData body;
	PineconeCall *call = create_post(session, counters, "delete by metadata", "/vectors/delete",
									 &body);

	pinecone_message_delete_by_filter(&body, to_utf8(namespace_), to_utf8(filter));
	call->is_write = true;
	count_as(call, PINECONE_RATE_DELETE_BY_METADATA, namespace_);
	return start_post(call, &body);
}

PineconeCall *
pinecone_vectors_delete_all(PineconeSession *session, PineconeCounters *counters,
							const char *namespace_)
{
	StringInfoData body;
	PineconeCall *call = create_post(session, counters, "delete all", "/vectors/delete", &body);

	pinecone_message_delete_all(&body, to_utf8(namespace_));
	call->is_write = true;
	count_as(call, PINECONE_RATE_DELETE, namespace_);
	return start_post(call, &body);
}

/* ---- Waiting ---- */

bool
pinecone_vectors_finished(const PineconeCall *call)
{
	return pinecone_call_finished(call);
}

void
pinecone_vectors_advance(void)
{
	pinecone_call_advance(NULL);
}

bool
pinecone_vectors_ready(PineconeCall *call)
{
	if (!pinecone_call_finished(call))
		pinecone_call_advance(call->counters);
	return pinecone_call_finished(call);
}

void
pinecone_vectors_wait(PineconeCall *call)
{
	(void) pinecone_call_wait_any(&call, 1);
}

int
pinecone_vectors_wait_any(PineconeCall **calls, int ncalls)
{
	return pinecone_call_wait_any(calls, ncalls);
}

int
pinecone_vectors_socket(void)
{
	return pinecone_http_socket();
}

void
pinecone_vectors_alarm(long timeout_ms)
{
	long calls = pinecone_call_timeout();

	pinecone_http_alarm(calls < 0 ? timeout_ms : Min(calls, timeout_ms));
}

int
pinecone_vectors_location(PineconeCall *call)
{
	return call->location;
}

void
pinecone_vectors_free(PineconeCall *call)
{
	if (call != NULL)
		MemoryContextDelete(call->cxt);
}

/* ---- Results ---- */

PineconeFailure
pinecone_vectors_failure(PineconeCall *call)
{
	PineconeProblem *problem = &call->problem;

	if (call->state == PINECONE_CALL_SUCCEEDED)
		return PINECONE_FAILURE_NONE;
	if (problem->outcome == PINECONE_HTTP_ANSWERED && problem->status >= 400 &&
		problem->status < 500)
	{
		if (problem->code == 11 || problem->status == 413 ||
			(problem->message && strstr(problem->message, "message length too large")))
			return PINECONE_FAILURE_TOO_LARGE;
		if (problem->reason != NULL && (strcmp(problem->reason, "WRITE_TO_ALIAS") == 0 ||
										strcmp(problem->reason, "NAME_IN_USE_BY_ALIAS") == 0))
			return PINECONE_FAILURE_ALIAS;
		if (problem->status == 404 && problem->code == 5)
			return PINECONE_FAILURE_NO_NAMESPACE;
		if (problem->status == 404)
			return PINECONE_FAILURE_UNSUPPORTED;
		if ((problem->status == 401 || problem->status == 403) && problem->operation == NULL)
			return PINECONE_FAILURE_FORBIDDEN;
		return PINECONE_FAILURE_REJECTED;
	}
	if (call->is_write && call->maybe_applied)
		return PINECONE_FAILURE_UNKNOWN_OUTCOME;
	return PINECONE_FAILURE_OTHER;
}

int
pinecone_vectors_ceiling(PineconeCall *call, const char *name, int asked)
{
	const PineconeProblem *problem = &call->problem;
	char text[512];
	int ceiling = 0;
	int n = 0;

	if (problem->status != 400 || problem->message == NULL || asked <= 1)
		return 0;
	/* "topK", "top_k" and "top k" are one word */
	for (const char *p = problem->message; *p && n < (int) sizeof(text) - 1; p++)
	{
		if (*p != '_' && *p != ' ')
			text[n++] = pg_ascii_tolower((unsigned char) *p);
	}
	text[n] = '\0';
	if (strstr(text, name) == NULL)
		return 0;
	/* the greatest number named that is less than what was asked for */
	for (const char *p = problem->message; *p; p++)
	{
		char *end;
		long number;

		if (!isdigit((unsigned char) *p))
			continue;
		number = strtol(p, &end, 10);
		if (number < asked && number > ceiling)
			ceiling = (int) number;
		p = end - 1;
	}
	return ceiling > 0 ? ceiling : asked / 2;
}

void
pinecone_vectors_set_note(PineconeCall *call, const char *note)
{
	call->note = MemoryContextStrdup(call->cxt, note);
}

void
pinecone_vectors_report(PineconeCall *call, int elevel)
{
	pinecone_error_report(elevel, call);
}

bool
pinecone_vectors_may_be_applied(const PineconeCall *call)
{
	return call->maybe_applied || call->state == PINECONE_CALL_RUNNING ||
		   call->state == PINECONE_CALL_SUCCEEDED;
}

void
pinecone_vectors_stop(PineconeCall *call)
{
	pinecone_call_stop(call);
}

/* Wait for success; anything else is an error. */
static void
wait_for_success(PineconeCall *call)
{
	pinecone_vectors_wait(call);
	if (call->state != PINECONE_CALL_SUCCEEDED)
		pinecone_vectors_report(call, ERROR);
}

/*
 * Wait for a reply and decode it; a reply that makes no sense is asked for
 * again while retries last.
 */
#define DECODE(call, decode) \
	do \
	{ \
		const char *reason = "unreadable reply"; \
		bool timing = (call)->counters != NULL && (call)->counters->timing; \
		instr_time start, end; \
		bool done; \
		for (;;) \
		{ \
			wait_for_success(call); \
			if (timing) \
				INSTR_TIME_SET_CURRENT(start); \
			done = (decode); \
			if (timing) \
			{ \
				INSTR_TIME_SET_CURRENT(end); \
				INSTR_TIME_ACCUM_DIFF((call)->counters->decode_time, end, start); \
			} \
			if (done) \
				break; \
			(void) pinecone_call_reject(call, reason); \
		} \
	} \
	while (0)

#define BODY(call) (call)->exchange->body, (call)->exchange->body_len

/* Statistics of the index that a call went to, if they are known. */
static PineconeStats *
stats_of(PineconeCall *call)
{
	PineconeSession *session = call->session;

	return session->stats_location == call->location ? session->stats : NULL;
}

/* Has a record the vector that its index demands? */
static bool
values_are_sound(PineconeCall *call, const PineconePage *page, const PineconeRecord *record,
				 const char **reason)
{
	PineconeStats *stats = stats_of(call);
	int dimension = stats ? stats->dimension : 0;

	if (dimension == 0 && record->nvalues == page->records[0].nvalues)
		return true;
	if (dimension == record->nvalues)
		return true;
	*reason = record->nvalues == 0 ? "a record has no values" :
									 "a vector has not as many dimensions as its index";
	/* or the index has been made anew with another number of them */
	if (stats)
		stats->fetched_at = 0;
	return false;
}

/* Does a reply name the namespace that was asked, if it names one? */
static bool
answers_as_asked(PineconeCall *call, const PineconePage *page)
{
	if (call->namespace_ == NULL || page->namespace_ == NULL || page->namespace_[0] == '\0' ||
		strcmp(page->namespace_, call->namespace_) == 0)
		return true;
	return is_default_namespace(page->namespace_) && is_default_namespace(call->namespace_);
}

/* A name stands for the same namespace throughout a statement. */
static void
check_pin(PineconeCall *call, const PineconePage *page)
{
	if (call->counters == NULL || call->counters->pins == NULL || call->namespace_ == NULL ||
		page->namespace_ == NULL)
		return;
	pinecone_pins_check(call->counters->pins, call->session, call->namespace_,
						page->namespace_[0] == '\0' ? call->namespace_ : page->namespace_);
}

/* Does a page hold what was asked for, as far as one can tell? */
static bool
page_is_sound(PineconeCall *call, const PineconePage *page, const char **reason)
{
	size_t prefix_len = call->prefix ? strlen(call->prefix) : 0;

	/* what stands for another namespace is answered by that one */
	if (!answers_as_asked(call, page) &&
		!pinecone_alias_allows(call->session, call->namespace_, page->namespace_))
	{
		*reason = "the reply is of another namespace";
		return false;
	}
	for (int i = 0; i < page->nrecords; i++)
	{
		const PineconeRecord *record = &page->records[i];

		if (call->want_scores && !record->has_score)
		{
			*reason = "a match has no score";
			return false;
		}
		if (call->prefix && strncmp(record->id, call->prefix, prefix_len) != 0)
		{
			*reason = "an id begins otherwise than was asked for";
			return false;
		}
		if (call->want_values && !values_are_sound(call, page, record, reason))
			return false;
	}
	return true;
}

PineconePage *
pinecone_vectors_page(PineconeCall *call)
{
	PineconePage *page = NULL;
	int read_units = 0;

	DECODE(call, pinecone_decode_page(BODY(call), call->want_values, &page, &read_units, &reason) &&
					 page_is_sound(call, page, &reason));
	if (call->counters)
		call->counters->read_units += read_units;
	check_pin(call, page);
	return page;
}

PineconeStats *
pinecone_vectors_stats_result(PineconeCall *call)
{
	PineconeStats *stats = NULL;

	DECODE(call, pinecone_message_decode_stats(BODY(call), &stats, &reason));
	return stats;
}

PineconeStats *
pinecone_vectors_stats_try_result(PineconeCall *call)
{
	PineconeStats *stats = NULL;
	const char *reason;

	pinecone_vectors_wait(call);
	if (call->state != PINECONE_CALL_SUCCEEDED ||
		!pinecone_message_decode_stats(BODY(call), &stats, &reason))
		return NULL;
	return stats;
}

double
pinecone_vectors_count_result(PineconeCall *call)
{
	double count = 0;

	DECODE(call, pinecone_message_decode_count(BODY(call), &count, &reason));
	return count;
}

PineconeNamespaceInfo *
pinecone_vectors_namespaces_result(PineconeCall *call, int *n, char **next_token)
{
	PineconeNamespaceInfo *infos = NULL;

	DECODE(call, pinecone_message_decode_namespaces(BODY(call), &infos, n, next_token, &reason));
	return infos;
}

bool
pinecone_vectors_confirm(PineconeCall *call)
{
	const char *reason = "unreadable reply";
	double count = 0;
	MemoryContext old;

	if (call->expected == 0)
	{
		if (pinecone_message_decode_done(BODY(call), &reason))
			return true;
	}
	else if (pinecone_message_decode_upserted(BODY(call), &count, &reason))
	{
		if (count == call->expected)
			return true;
		old = MemoryContextSwitchTo(call->cxt);
		reason = psprintf("an upsert of %d records was answered with a count of %.0f",
						  call->expected, count);
		MemoryContextSwitchTo(old);
	}
	(void) pinecone_call_reject(call, reason);
	return false;
}

int64
pinecone_vectors_request_lsn(PineconeCall *call)
{
	return call->exchange ? call->exchange->request_lsn : -1;
}

int64
pinecone_vectors_indexed_lsn(PineconeCall *call)
{
	return call->exchange ? call->exchange->indexed_lsn : -1;
}

PineconeFields *
pinecone_vectors_metadata_fields(const PineconeRecord *record)
{
	PineconeFields *fields = NULL;
	const char *reason = NULL;

	if (record->metadata == NULL)
		return palloc0(sizeof(PineconeFields));
	if (!pinecone_decode_metadata(record->metadata, record->metadata_len, &fields, &reason))
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("invalid response from Pinecone"),
				 errdetail("Metadata of record \"%s\": %s", record->id, reason)));
	return fields;
}
