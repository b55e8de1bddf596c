/*
 * source.c
 *		Chooses where the records of a namespace come from.
 */
#include "postgres.h"

#include "base/setting.h"
#include "client/alias.h"
#include "pending/consistency.h"
#include "pending/outbox.h"
#include "pending/pending.h"
#include "pending/unseen.h"
#include "scan/overlay.h"
#include "scan/source.h"
#include "scan/stored.h"

const char *
pinecone_source_own_name(PineconeSession *session, PineconeCounters *counters,
						 const PineconeTable *own_writes, const char *namespace_, int64 position)
{
	bool may_see_own = position > 0 && pinecone_pending_position() > 0;
	int n = 0;

	if (!may_see_own && own_writes && own_writes->session_consistency)
		(void) pinecone_consistency_namespaces(session, &n);
	if (!may_see_own && own_writes && own_writes->outbox)
		may_see_own = pinecone_outbox_elsewhere(session->serverid, namespace_);
	if (!may_see_own && n == 0 && !pinecone_unseen_elsewhere(session, namespace_))
		return namespace_;
	return pinecone_pins_resolve(counters ? counters->pins : NULL, session, namespace_);
}

static bool
looks_at_words(const PineconeSourceSpec *spec)
{
	return spec->clauses != NULL || (spec->filter != NULL && spec->words);
}

/*
 * What words a text has that is not sent yet, nobody can say.  What has been sent
 * is found when Pinecone finds it.
 */
static void
refuse_words(const PineconeSourceSpec *spec, const char *namespace_)
{
	if (pinecone_pending_waits(spec->session, namespace_))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("texts cannot be searched in a transaction that has written to them"),
				 errdetail("This transaction's writes to namespace \"%s\" are sent at its end.", namespace_),
				 errhint("Commit first, or write with write_mode 'immediate'.")));
}

/*
 * The vectors of texts that Pinecone embeds are known when it has done so.  What has
 * been sent is found when Pinecone shows it; what has not cannot be, and is refused.
 */
static PineconePendingView *
settle_texts(const PineconeSourceSpec *spec, const char *namespace_, PineconePendingView *view)
{
	if (view == NULL || spec->session->integrated == NULL || spec->may_lack_values ||
		!(spec->op == PINECONE_OP_QUERY || spec->want_values))
		return view;
	if (pinecone_pending_waits(spec->session, namespace_) && pinecone_pending_has_bare(view))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("vectors of texts cannot be read in the transaction that has written these"),
				 errdetail("Pinecone embeds the texts of namespace \"%s\" when this transaction's writes are sent, at its end.", namespace_),
				 errhint("Commit first, write with write_mode 'immediate', or leave out the vectors.")));
	return pinecone_pending_pass_bare(view) ? view : NULL;
}

/*
 * Is all that is known to have been written shown by every kind of request?  What
 * is kept of others' writes says so, and where nothing is kept this session's own.
 */
static bool
shows_all(PineconeSession *session, const char *namespace_)
{
	int n = 0;

	if (pinecone_unseen_writes_kb == 0)
		(void) pinecone_consistency_namespaces(session, &n);
	return n == 0 && pinecone_unseen_count(session, namespace_) == 0;
}

PineconeSource *
pinecone_source_begin(const PineconeSourceSpec *spec)
{
	PineconeSourceSpec own = *spec;
	PineconePendingView *view;

	own.own_name = pinecone_source_own_name(spec->session, spec->counters, spec->own_writes, spec->namespace_,
											spec->position);
	if (spec->own_writes)
		pinecone_consistency_wait(spec->session, spec->counters, spec->own_writes, own.own_name);
	/* what is found by words, or by the vectors of texts, cannot be laid over */
	if (spec->own_writes && spec->own_writes->session_consistency && spec->op == PINECONE_OP_QUERY &&
		(looks_at_words(spec) || spec->session->integrated != NULL))
		pinecone_consistency_wait_search(spec->session, spec->own_writes, own.own_name);
	view = pinecone_pending_view(spec->session, spec->own_writes, own.own_name, spec->position);
	if (view != NULL && looks_at_words(spec))
	{
		refuse_words(spec, own.own_name);
		view = NULL;
	}
	view = settle_texts(spec, own.own_name, view);
	own.all_shown = shows_all(spec->session, own.own_name);
	own.laid_over = pinecone_unseen_writes_kb > 0;
	if (view == NULL)
		return pinecone_stored_begin(&own);
	/* what is laid over them needs the records */
	own.skip = 0;
	if (spec->op == PINECONE_OP_QUERY)
		own.unseen = pinecone_unseen_view(spec->session, own.own_name);
	return pinecone_overlay_begin(&own, view);
}

double
pinecone_source_read(const PineconeSourceSpec *spec, void (*each)(void *arg, PineconeRecord *record),
					 void *arg)
{
	PineconeSource *source = pinecone_source_begin(spec);
	PineconeRecord *record;
	double n = 0;

	while (pinecone_source_next(source, true, &record) == PINECONE_SOURCE_RECORD)
	{
		if (each)
			each(arg, record);
		n++;
	}
	pinecone_source_end(source);
	return n;
}
