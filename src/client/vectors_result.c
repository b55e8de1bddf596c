/*
 * vectors_result.c
 *		What has become of a call, and what a reply says: decoded, and looked at
 *		before it is believed.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "base/limits.h"
#include "client/account.h"
#include "client/alias.h"
#include "client/cache.h"
#include "client/call.h"
#include "client/error.h"
#include "client/session.h"
#include "wire/decode.h"
#include "wire/message.h"

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

char *
pinecone_vectors_reason(PineconeCall *call)
{
	return pinecone_error_detail(call);
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

/* What is empty need not be named; and the default namespace has two names. */
static bool
is_default_namespace(const char *name)
{
	return name == NULL || name[0] == '\0' || strcmp(name, "__default__") == 0;
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

	/* a document need not have one, and then it has none here */
	if (call->documents)
	{
		if (record->nvalues == 0 || record->nvalues == call->dimension)
			return true;
		*reason = "a vector has not as many dimensions as its index";
		return false;
	}
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

		if (call->want_scores && !record->has_score && !page->unscored)
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

static bool
decode_page(PineconeCall *call, PineconePage **page, int *read_units, const char **reason)
{
	if (call->documents)
		return pinecone_decode_documents(BODY(call), call->dense, call->sparse, call->want_values, page,
										 read_units, reason);
	return pinecone_decode_page(BODY(call), call->want_values, page, read_units, reason);
}

PineconePage *
pinecone_vectors_page(PineconeCall *call)
{
	PineconePage *page = NULL;
	int read_units = 0;

	DECODE(call, decode_page(call, &page, &read_units, &reason) && page_is_sound(call, page, &reason));
	/* what memory answers has been paid for */
	if (!pinecone_cache_has_answered(call))
	{
		if (call->counters)
			call->counters->read_units += read_units;
		pinecone_account_read(call, page->nrecords, read_units);
	}
	check_pin(call, page);
	/* pages that belong together are not kept one by one */
	if (page->next_token == NULL)
		pinecone_cache_keep(call, page->namespace_);
	else
		pinecone_cache_give_up(call);
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

	/* where more match than a page has, there is no telling how many: more than any search brings */
	if (call->documents && !call->is_write)
	{
		PineconePage *page = pinecone_vectors_page(call);

		return page->next_token ? PG_INT32_MAX : page->nrecords;
	}
	DECODE(call, pinecone_message_decode_count(BODY(call), &count, &reason));
	if (call->is_write)
		pinecone_account_write(call, (uint64) Max(count, 0));
	else
		pinecone_cache_keep(call, call->rate_namespace);
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
		if ((call->lines && call->exchange->body_len == 0) || pinecone_message_decode_done(BODY(call), &reason))
		{
			pinecone_account_write(call, call->batch);
			return true;
		}
	}
	else if (pinecone_message_decode_upserted(BODY(call), &count, &reason))
	{
		if (count == call->expected)
		{
			pinecone_account_write(call, call->batch);
			return true;
		}
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
	return call->exchange && call->want_scores ? call->exchange->indexed_lsn : -1;
}

PineconeFields *
pinecone_vectors_metadata_fields(const PineconeRecord *record)
{
	PineconeFields *fields = NULL;
	const char *reason = NULL;

	if (record->metadata == NULL)
		return palloc0(sizeof(PineconeFields));
	if (!pinecone_decode_metadata(pinecone_record_padded_metadata(record), record->metadata_len, &fields, &reason))
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("invalid response from Pinecone"),
				 errdetail("Metadata of record \"%s\": %s", record->id, reason)));
	return fields;
}
