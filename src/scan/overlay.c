/*
 * overlay.c
 *		Records as the transaction will leave them.
 *
 * Two sources are merged.  One is what Pinecone holds, without
 * the records that pending writes replace or delete, and with others changed
 * as they will be.  The other is the records that pending writes name: these
 * are filtered and ranked here, by the filter and the metric that are sent to
 * Pinecone.
 *
 * Metadata that pending writes change makes what Pinecone's filter says of a
 * record out of date.  Changed records that are named are therefore fetched
 * and filtered here; when they are too many, or changed by a filter, the
 * filter is not sent and all is filtered here.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "base/idset.h"
#include "base/limits.h"
#include "scan/overlay.h"
#include "scan/stored.h"
#include "value/match.h"

/* A record that pending writes name */
typedef struct Named
{
	char *id;
	double score;
	PineconeRecord *record; /* fetched and changed; NULL: is in the log */
} Named;

typedef struct PineconeOverlay
{
	PineconeSource source;
	MemoryContext row_cxt; /* the record last returned */
	PineconeSourceSpec spec;
	PineconePendingView *view;
	PineconeMatcher *filter; /* what to check here, or NULL */
	bool filter_stored;		 /* check stored records too */
	bool fetched;			 /* changed records are among the named */
	bool unranked;			 /* a named document has no vector */
	PineconeMetric metric;

	/* What Pinecone holds */
	PineconeSource *stored; /* NULL: nothing is asked for */
	PineconeRecord *head;	/* read but not returned */
	PineconeRecord changed; /* the head as it will be */
	MemoryContext head_cxt;
	bool stored_done;
	bool passed;		 /* has one been passed over? */
	double passed_score; /* the last one's */

	/* What the transaction has written */
	Named *named;
	int nnamed;
	int next;

	/* What a search has returned */
	idset_hash *returned;
	double last_score;
} PineconeOverlay;

/* ---- Named records ---- */

static bool
filter_holds(PineconeOverlay *overlay, const PineconeRecord *record)
{
	return overlay->filter == NULL ||
		   pinecone_match_holds(overlay->filter, pinecone_pending_metadata(record));
}

/*
 * Would a search find a record, and which score would it have?  What has nothing in common
 * with a sparse query vector is not found; a document need not have a vector, and is
 * there all the same.
 */
static bool
is_found(PineconeOverlay *overlay, PineconeRecord *record)
{
	const PineconeQueryVector *query = &overlay->spec.query;

	if (query->kind == PINECONE_DENSE && record->nvalues != query->nvalues)
	{
		overlay->unranked = overlay->unranked || (record->nvalues == 0 && filter_holds(overlay, record));
		return false;
	}
	pinecone_score_record(record, query);
	if (query->kind == PINECONE_SPARSE)
		return record->has_score && record->score != 0;
	/* cosine: one without direction has no score, and is found */
	if (!record->has_score)
		record->score = get_float8_nan();
	return true;
}

/* Is a record, as it will be, one of those asked for? */
static bool
is_wanted(PineconeOverlay *overlay, PineconeRecord *record)
{
	const PineconeSourceSpec *spec = &overlay->spec;

	if (spec->op == PINECONE_OP_QUERY && !is_found(overlay, record))
		return false;
	if (spec->prefix && strncmp(record->id, spec->prefix, strlen(spec->prefix)) != 0)
		return false;
	return filter_holds(overlay, record);
}

static void
add_named(PineconeOverlay *overlay, char *id, PineconeRecord *record, bool keep)
{
	Named *named;

	if (!is_wanted(overlay, record))
		return;
	named = &overlay->named[overlay->nnamed++];
	named->id = id;
	named->record = NULL;
	if (overlay->spec.op == PINECONE_OP_QUERY)
		named->score = record->score;
	if (keep)
	{
		named->record = palloc(sizeof(PineconeRecord));
		*named->record = *record;
	}
}

/* Best first: euclidean scores are distances, the others likenesses. */
static int
compare_scores(const void *a, const void *b, void *arg)
{
	double x = ((const Named *) a)->score;
	double y = ((const Named *) b)->score;
	int order = (x > y) - (x < y);

	return *(PineconeMetric *) arg == PINECONE_METRIC_EUCLIDEAN ? order : -order;
}

/* Fetch records as Pinecone holds them; the ids must live as long as the source. */
static PineconeSource *
fetch_stored(PineconeOverlay *overlay, char **ids, int n)
{
	PineconeSourceSpec spec = overlay->spec;

	spec.op = PINECONE_OP_FETCH;
	spec.ids = ids;
	spec.nids = n;
	spec.filter = spec.prefix = NULL;
	spec.want_values = spec.want_metadata = true;
	spec.fields = NULL;
	spec.row_limit = 0;
	return pinecone_stored_begin(&spec);
}

/* The changed records among the ids, fetched and changed here. */
static void
add_fetched(PineconeOverlay *overlay, char **ids, int n)
{
	PineconeSource *source = fetch_stored(overlay, ids, n);
	PineconeRecord *stored;

	while (pinecone_source_next(source, true, &stored) == PINECONE_SOURCE_RECORD)
	{
		PineconeRecord *copy = pinecone_record_copy(stored);
		PineconeRecord record;

		if (pinecone_pending_apply(overlay->view, copy->id, copy, &record))
			add_named(overlay, copy->id, &record, true);
	}
	pinecone_source_end(source);
}

/* Records that are in the log as a whole. */
static void
add_written(PineconeOverlay *overlay, char **ids, int n)
{
	MemoryContext old = MemoryContextSwitchTo(overlay->row_cxt);

	for (int i = 0; i < n; i++)
	{
		PineconeRecord record;

		MemoryContextReset(overlay->row_cxt);
		if (pinecone_pending_fate(overlay->view, ids[i]) == PINECONE_PENDING_REPLACED &&
			pinecone_pending_apply(overlay->view, ids[i], NULL, &record))
			add_named(overlay, ids[i], &record, false);
	}
	MemoryContextSwitchTo(old);
}

/* As the reader wants them. */
static int
compare_ids(const void *a, const void *b, void *descending)
{
	int order = strcmp(((const Named *) a)->id, ((const Named *) b)->id);

	return *(bool *) descending ? -order : order;
}

/* The ids that the pending writes name and the reader may want. */
static char **
relevant_ids(PineconeOverlay *overlay, int *n)
{
	const PineconeSourceSpec *spec = &overlay->spec;

	if (spec->op != PINECONE_OP_FETCH)
		return pinecone_pending_ids(overlay->view, n);
	*n = spec->nids;
	return spec->ids;
}

/*
 * Collect the named records.  Says through "overlay" whether changed ones are
 * among them, and whether Pinecone's filter can still be sent.
 */
static void
collect_named(PineconeOverlay *overlay)
{
	PineconeSourceSpec *spec = &overlay->spec;
	char **ids;
	char **changed;
	int n;
	int nchanged = 0;
	/* what a search says of changed vectors is out of date, too */
	bool moved = spec->op == PINECONE_OP_QUERY && pinecone_pending_changes_vectors(overlay->view);

	ids = relevant_ids(overlay, &n);
	changed = palloc(Max(n, 1) * sizeof(char *));
	for (int i = 0; i < n && (spec->filter != NULL || moved); i++)
	{
		if (pinecone_pending_fate(overlay->view, ids[i]) == PINECONE_PENDING_CHANGED)
			changed[nchanged++] = ids[i];
	}
	overlay->named = MemoryContextAllocHuge(overlay->source.cxt, Max(n, 1) * sizeof(Named));
	overlay->filter_stored = spec->filter != NULL &&
							 ((nchanged > PINECONE_MAX_CHANGED && !moved) ||
							  pinecone_pending_has_filter_updates(overlay->view));
	overlay->fetched = !overlay->filter_stored && nchanged > 0;
	if (overlay->fetched)
		add_fetched(overlay, changed, nchanged);
	add_written(overlay, ids, n);

	if (spec->op == PINECONE_OP_QUERY)
		qsort_arg(overlay->named, overlay->nnamed, sizeof(Named), compare_scores,
				  &overlay->metric);
	else
		qsort_arg(overlay->named, overlay->nnamed, sizeof(Named), compare_ids, &spec->descending);
}

/* ---- Stored records ---- */

/* The ids of a fetch that are not replaced. */
static int
stored_ids(PineconeOverlay *overlay, char ***ids)
{
	const PineconeSourceSpec *spec = &overlay->spec;
	int n = 0;

	*ids = palloc(Max(spec->nids, 1) * sizeof(char *));
	for (int i = 0; i < spec->nids; i++)
	{
		if (pinecone_pending_fate(overlay->view, spec->ids[i]) != PINECONE_PENDING_REPLACED)
			(*ids)[n++] = spec->ids[i];
	}
	return n;
}

static void
start_stored(PineconeOverlay *overlay)
{
	PineconeSourceSpec spec = overlay->spec;

	if (pinecone_pending_is_emptied(overlay->view))
		return;
	if (spec.op == PINECONE_OP_FETCH)
	{
		spec.nids = stored_ids(overlay, &spec.ids);
		if (spec.nids == 0)
			return;
	}
	/* what filters and changes are told by */
	if (overlay->filter_stored || pinecone_pending_has_filters(overlay->view))
	{
		spec.want_metadata = true;
		spec.fields = NULL;
	}
	if (overlay->filter_stored)
	{
		spec.filter = NULL;
		if (spec.op == PINECONE_OP_FILTER)
			spec.op = PINECONE_OP_LIST_FETCH;
	}
	else if (spec.op == PINECONE_OP_LIST && spec.want_metadata)
		spec.op = PINECONE_OP_LIST_FETCH;
	overlay->stored = pinecone_stored_begin(&spec);
}

/* Scores are float32, reckoned differently here and there: so much may they differ by. */
static double
margin(const PineconeOverlay *overlay, double score)
{
	/* a cosine is made of larger numbers than itself; of others the scale is not known */
	return 4 * FLT_EPSILON * (overlay->metric == PINECONE_METRIC_COSINE ? 1 : fabs(score));
}

/*
 * Does the next named record come before whatever may be read yet?  Matches
 * come best first, so those that were passed over tell.
 */
static bool
named_is_before_rest(PineconeOverlay *overlay)
{
	double score;

	if (!overlay->passed || overlay->next >= overlay->nnamed)
		return false;
	score = overlay->named[overlay->next].score;
	return overlay->metric == PINECONE_METRIC_EUCLIDEAN ? score <= overlay->passed_score + margin(overlay, score) :
														  score >= overlay->passed_score - margin(overlay, score);
}

/*
 * The next stored record as it will be, or none.  A record that is replaced,
 * deleted, or no longer matched is passed over.
 * None is read either while a named one is sure to come first.
 */
static PineconeSourceStatus
read_head(PineconeOverlay *overlay, bool wait)
{
	MemoryContext old;

	while (overlay->head == NULL && !overlay->stored_done && !named_is_before_rest(overlay))
	{
		PineconeSourceStatus status = PINECONE_SOURCE_END;
		PineconePendingFate fate;
		PineconeRecord *stored;
		bool exists;

		if (overlay->stored)
			status = pinecone_source_next(overlay->stored, wait, &stored);
		if (status == PINECONE_SOURCE_PENDING || status == PINECONE_SOURCE_CAPPED)
			return status;
		if (status == PINECONE_SOURCE_END)
		{
			overlay->stored_done = true;
			break;
		}
		fate = pinecone_pending_fate(overlay->view, stored->id);
		if (fate == PINECONE_PENDING_REPLACED ||
			(fate == PINECONE_PENDING_CHANGED && overlay->fetched))
		{
			overlay->passed = stored->has_score;
			overlay->passed_score = stored->score;
			continue;
		}
		MemoryContextReset(overlay->head_cxt);
		old = MemoryContextSwitchTo(overlay->head_cxt);
		exists = pinecone_pending_apply(overlay->view, stored->id, stored, &overlay->changed) &&
				 (!overlay->filter_stored || filter_holds(overlay, &overlay->changed));
		MemoryContextSwitchTo(old);
		if (exists)
			overlay->head = &overlay->changed;
	}
	return PINECONE_SOURCE_RECORD;
}

/* ---- Merging ---- */

/* Does the next named record come before the next stored one? */
static bool
named_is_first(PineconeOverlay *overlay)
{
	const PineconeRecord *head = overlay->head;
	const Named *named = &overlay->named[overlay->next];

	if (overlay->next >= overlay->nnamed)
		return false;
	if (head == NULL)
		return true;
	switch (overlay->spec.op)
	{
		case PINECONE_OP_QUERY:
			return overlay->metric == PINECONE_METRIC_EUCLIDEAN ? named->score < head->score :
																  named->score > head->score;
		case PINECONE_OP_LIST:
		case PINECONE_OP_LIST_FETCH:
			return overlay->spec.descending ? strcmp(named->id, head->id) > 0 : strcmp(named->id, head->id) < 0;
		default:
			return false;
	}
}

static PineconeRecord *
return_named(PineconeOverlay *overlay)
{
	Named *named = &overlay->named[overlay->next++];
	MemoryContext old;
	PineconeRecord *record;

	MemoryContextReset(overlay->row_cxt);
	old = MemoryContextSwitchTo(overlay->row_cxt);
	record = palloc(sizeof(PineconeRecord));
	if (named->record)
		*record = *named->record;
	else if (!pinecone_pending_apply(overlay->view, named->id, NULL, record))
		elog(ERROR, "a pending write of record \"%s\" has gone", named->id);
	MemoryContextSwitchTo(old);
	record->has_score = overlay->spec.op == PINECONE_OP_QUERY;
	record->score = record->has_score ? named->score : 0;
	return record;
}

static void
remember(PineconeOverlay *overlay, const char *id)
{
	bool found;

	(void) idset_insert(overlay->returned, MemoryContextStrdup(overlay->source.cxt, id), &found);
}

/*
 * A stored record that is better than a named one that has been returned, but not by more
 * than scores may differ by, is as good: it is not one that comes late.
 */
static void
level_score(PineconeOverlay *overlay, PineconeRecord *record)
{
	double better = overlay->metric == PINECONE_METRIC_EUCLIDEAN ? overlay->last_score - record->score :
																   record->score - overlay->last_score;

	if (overlay->spec.op == PINECONE_OP_QUERY && overlay->next > 0 && better > 0 && better <= margin(overlay, record->score))
		record->score = overlay->last_score;
}

static PineconeSourceStatus
overlay_next(PineconeSource *source, bool wait, PineconeRecord **record)
{
	PineconeOverlay *overlay = (PineconeOverlay *) source;
	PineconeSourceStatus status = read_head(overlay, wait);

	if (status != PINECONE_SOURCE_RECORD)
		return status;
	if (named_is_first(overlay))
		*record = return_named(overlay);
	else if (overlay->head != NULL)
	{
		*record = overlay->head;
		overlay->head = NULL;
		level_score(overlay, *record);
	}
	else
		return overlay->unranked ? PINECONE_SOURCE_CAPPED : PINECONE_SOURCE_END;
	if (overlay->spec.op == PINECONE_OP_QUERY)
	{
		remember(overlay, (*record)->id);
		overlay->last_score = (*record)->score;
	}
	return PINECONE_SOURCE_RECORD;
}

static int
overlay_calls(PineconeSource *source, PineconeCall **calls)
{
	PineconeOverlay *overlay = (PineconeOverlay *) source;

	return overlay->stored && !overlay->stored_done ? pinecone_source_calls(overlay->stored, calls) :
													  0;
}

static bool
overlay_seen(PineconeSource *source, const char *id)
{
	return idset_lookup(((PineconeOverlay *) source)->returned, id) != NULL;
}

static int
overlay_top_k(PineconeSource *source)
{
	PineconeOverlay *overlay = (PineconeOverlay *) source;

	return overlay->stored ? pinecone_source_top_k(overlay->stored) : overlay->spec.top_k;
}

static const PineconeSourceKind overlay_kind = {
	.next = overlay_next,
	.calls = overlay_calls,
	.seen = overlay_seen,
	.top_k = overlay_top_k,
	.passes_over = true,
};

/* ---- Begin ---- */

/*
 * A search by the vector of a stored record: that vector as it will be.
 * Returns false when there will be none.
 */
static bool
find_query_vector(PineconeOverlay *overlay)
{
	PineconeSourceSpec *spec = &overlay->spec;
	char *id = pstrdup(spec->query_id);
	PineconeSource *source = fetch_stored(overlay, &id, 1);
	PineconeRecord *stored = NULL;
	PineconeRecord record;

	if (pinecone_source_next(source, true, &stored) != PINECONE_SOURCE_RECORD)
		stored = NULL;
	if (!pinecone_pending_apply(overlay->view, id, stored, &record) || record.nvalues == 0)
		return false;
	spec->query_id = NULL;
	spec->query.nvalues = record.nvalues;
	spec->query.values = pinecone_record_copy(&record)->values;
	pinecone_source_end(source);
	return true;
}

PineconeSource *
pinecone_overlay_begin(const PineconeSourceSpec *spec, PineconePendingView *view)
{
	PineconeOverlay *overlay = pinecone_source_create(&overlay_kind, sizeof(PineconeOverlay));
	MemoryContext cxt = overlay->source.cxt;
	MemoryContext old = MemoryContextSwitchTo(cxt);

	overlay->row_cxt = AllocSetContextCreate(cxt, "pinecone pending record", ALLOCSET_DEFAULT_SIZES);
	overlay->head_cxt = AllocSetContextCreate(cxt, "pinecone changed record", ALLOCSET_DEFAULT_SIZES);
	overlay->spec = *spec;
	overlay->view = view;
	overlay->returned = idset_create(cxt, 16, NULL);
	if (spec->filter)
		overlay->filter = pinecone_match_compile(
			DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(spec->filter))));
	if (spec->op == PINECONE_OP_QUERY)
		overlay->metric = spec->query.kind == PINECONE_DENSE ?
							  pinecone_session_stats(spec->session, false, false)->metric :
							  spec->query.metric;
	if (spec->op == PINECONE_OP_QUERY && spec->query_id != NULL && !find_query_vector(overlay))
		overlay->stored_done = true;
	else
	{
		collect_named(overlay);
		start_stored(overlay);
	}
	MemoryContextSwitchTo(old);
	return &overlay->source;
}
