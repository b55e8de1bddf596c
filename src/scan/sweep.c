/*
 * sweep.c
 *		Searches side by side for the parts of a namespace.
 *
 * Where one search is thought to bring everything, it is asked for that much, and
 * counted at the same time.  Else the first search is for some records, which show
 * how to divide the others; then all parts are searched for at once, as far as
 * memory goes, and counted along with that.  A part that has more than was thought
 * is divided by what came of it.
 *
 * Pages of a fetch by metadata come one after the other, those of each part, and are
 * counted just so.  What shows how to divide has no vectors; where these are wanted
 * it comes again.
 *
 * The first records of a reader who wants few come of a search for so many.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/any_vector.h"
#include "base/limits.h"
#include "base/setting.h"
#include "pending/unseen.h"
#include "scan/page_order.h"
#include "scan/sweep_part.h"

/* Records that show how to divide the others: at least, and one of so many */
#define LEAST_SAMPLE 1000
#define SAMPLE_SHARE 50

/* and so many of a part */
#define SAMPLED_OF_PART 20

/* What is divided again and again is not going to end well */
#define MOST_SEARCHES 2000

/* Bytes of a match without metadata, and of metadata until some has come */
#define BYTES_PER_MATCH 100

/* Bytes of JSON for a number of a vector */
#define BYTES_PER_VALUE 13

/* Why a sweep that nobody counts is not all there is: no failure, and over in a moment */
#define WRITTEN_LATELY "the service may not show yet what was written a moment ago"

/* Ids that a set has room for, to begin with */
#define FIRST_MARKS 1024

/* ---- Parts ---- */

static double
budget(const PineconeSweep *sweep)
{
	return pinecone_prefetch_kb * 1024.0 / Max(1, sweep->spec->sharers);
}

static void
give_up(PineconeSweep *sweep, const char *why)
{
	if (sweep->why_not == NULL)
		sweep->why_not = why;
}

/* Of a search for little, whatever the others bring */
static int
most_matches(const PineconeSweep *sweep)
{
	int ceiling = sweep->spec->session->max_top_k;

	return ceiling > 0 ? Min(ceiling, PINECONE_MAX_TOP_K) : PINECONE_MAX_TOP_K;
}

/* How many matches to ask for. */
static int
choose_top_k(const PineconeSweep *sweep, const PineconeSweepPart *part)
{
	int capacity = pinecone_sweep_capacity(sweep);

	if (part->limited)
		return (int) Max(1, Min(capacity, sweep->spec->row_limit));
	if (part->sample)
		return (int) Min(sweep->pages || sweep->values ? most_matches(sweep) : capacity,
						 Max(LEAST_SAMPLE, Max(part->expected / SAMPLE_SHARE, part->expected / capacity * SAMPLED_OF_PART)));
	/* of a part that was divided off it is little known */
	return part->expected >= 0 && part->depth == 0 ? (int) Min(capacity, part->expected * 1.25 + 100) : capacity;
}

/* What of documents is to come; NULL: everything. */
static const PineconeProjection *
fields_of(const PineconeSourceSpec *spec)
{
	static const PineconeProjection nothing = {0};

	return spec->want_values || spec->want_metadata || spec->fields != NULL ? spec->fields : &nothing;
}

static void
start_page(PineconeSweep *sweep, PineconeSweepPart *part)
{
	const PineconeSourceSpec *spec = sweep->spec;

	/* what a token belongs to stays the same, as far as it can */
	if (part->token == NULL || part->top_k > pinecone_sweep_capacity(sweep))
		part->top_k = choose_top_k(sweep, part);
	part->call = pinecone_vectors_fetch_by_metadata(spec->session, spec->counters, spec->namespace_,
													part->filter.kind == PINECONE_FILTER_JSON ? part->filter.json : pinecone_proof_universal(sweep), part->top_k, part->token,
													fields_of(spec), spec->want_values);
}

static void
start_matches(PineconeSweep *sweep, PineconeSweepPart *part)
{
	const PineconeSourceSpec *spec = sweep->spec;
	PineconeSearch search = {0};
	float *values;

	part->top_k = choose_top_k(sweep, part);
	search.namespace_ = spec->namespace_;
	search.top_k = part->top_k;
	search.nvalues = sweep->dimension;
	search.values = values = pinecone_any_vector(search.nvalues, 0);
	search.filter = part->filter.kind == PINECONE_FILTER_JSON ? part->filter.json : NULL;
	search.include_metadata = sweep->bodies || part->sample;
	search.include_values = sweep->values && !part->sample;
	search.fields = spec->fields;
	part->call = pinecone_vectors_query(spec->session, spec->counters, &search);
	pfree(values);
}

static void
start_search(PineconeSweep *sweep, PineconeSweepPart *part)
{
	MemoryContext old = MemoryContextSwitchTo(sweep->cxt);

	dlist_delete(&part->node);
	if (sweep->pages && !part->sample)
		start_page(sweep, part);
	else
		start_matches(sweep, part);
	sweep->active[sweep->nactive++] = part;
	if (sweep->spec->counters)
		sweep->spec->counters->swept_parts++;
	MemoryContextSwitchTo(old);
}

/* ---- What has come ---- */

/*
 * Keep of a page what no other has brought.  Scores mean nothing.
 */
static void
keep_new(PineconeSweep *sweep, PineconePage *page)
{
	int n = 0;

	for (int i = 0; i < page->nrecords; i++)
	{
		PineconeRecord *record = &page->records[i];
		bool found;

		(void) idmarks_insert(sweep->seen, pinecone_mark_of(record->id), &found);
		if (found)
			continue;
		record->has_score = false;
		record->score = 0;
		if (!sweep->bodies && !sweep->pages)
			record->metadata = NULL;
		page->records[n++] = *record;
	}
	page->nrecords = n;
}

/* Learn how large matches are. */
static void
observe(PineconeSweep *sweep, const PineconePage *page)
{
	double bytes = 0;

	if (page->nrecords == 0 || !(sweep->bodies || sweep->pages || sweep->values))
		return;
	for (int i = 0; i < page->nrecords; i++)
		bytes += page->records[i].metadata_len + page->records[i].idlen;
	if (sweep->values || (sweep->pages && (sweep->spec->want_values || sweep->spec->session->schema == NULL)))
		bytes += (double) page->nrecords * sweep->dimension * BYTES_PER_VALUE;
	sweep->match_bytes = Max(sweep->match_bytes * 0.5, bytes / page->nrecords * 1.25 + BYTES_PER_MATCH);
}

static void
add_page(PineconeSweep *sweep, MemoryContext cxt, PineconePage *page, int location)
{
	PineconeSweepPage *waiting = MemoryContextAllocZero(cxt, sizeof(PineconeSweepPage));

	waiting->cxt = cxt;
	waiting->page = page;
	waiting->location = location;
	waiting->bytes = MemoryContextMemAllocated(cxt, true);
	dlist_push_tail(&sweep->pages_come, &waiting->node);
	sweep->page_bytes += waiting->bytes;
	sweep->waiting_records += page->nrecords;
}

/* Once more, in another way. */
static void
search_again(PineconeSweep *sweep, const PineconeSweepPart *part, bool sample)
{
	PineconeSweepPart *again = pinecone_sweep_add(sweep, &sweep->waiting, part->filter, part->expected, part->depth);

	again->sample = sample;
	again->limited = part->limited && sweep->limited;
	again->chain = part->chain;
	again->top_k = part->top_k;
	if (part->token != NULL)
		again->token = MemoryContextStrdup(sweep->cxt, part->token);
}

/* Is a search only there to show how to divide? */
static bool
drops_sample(const PineconeSweep *sweep, const PineconeSweepPart *part)
{
	return part->sample && (sweep->pages || sweep->values);
}

/* What shows how to divide what pages bring, or the search for that has failed. */
static void
divide_pages(PineconeSweep *sweep, const PineconeSweepPart *part, const PineconePage *page)
{
	if (page != NULL && pinecone_sweep_split(sweep, part, page))
		return;
	if (sweep->values)
		give_up(sweep, "no field divides them");
	else
	{
		dlist_init(&sweep->waiting);
		(void) pinecone_sweep_add(sweep, &sweep->waiting, part->filter, part->expected, part->depth);
	}
}

/* The page after one, or from the beginning where that was for a few records. */
static void
go_on_paging(PineconeSweep *sweep, const PineconeSweepPart *part, const PineconePage *page)
{
	PineconeSweepPart *next;

	if (page->next_token == NULL)
		return;
	next = pinecone_sweep_add(sweep, &sweep->waiting, part->filter, part->expected, part->depth);
	if (part->limited)
	{
		sweep->limited = false;
		return;
	}
	next->chain = part->chain;
	next->top_k = part->top_k;
	next->token = MemoryContextStrdup(sweep->cxt, page->next_token);
}

/* As many came as were asked for, so that there may be more. */
static void
go_on(PineconeSweep *sweep, const PineconeSweepPart *part, const PineconePage *page)
{
	int capacity = pinecone_sweep_capacity(sweep);

	if (part->limited)
		sweep->limited = false;
	if (part->limited)
		search_again(sweep, part, part->expected < 0 || part->expected > capacity);
	else if (part->top_k < capacity && !(part->sample && (part->expected < 0 || part->expected > capacity)))
		pinecone_sweep_add(sweep, &sweep->waiting, part->filter, -1, part->depth);
	else if (!sweep->bodies && !part->sample)
		search_again(sweep, part, true);
	else if (!pinecone_sweep_split(sweep, part, page))
		give_up(sweep, "no field divides them");
}

/*
 * Was the search refused?  Then it is asked for again in another way, or the
 * sweep is given up.
 */
static bool
is_refused(PineconeSweep *sweep, PineconeSweepPart *part)
{
	PineconeSession *session = sweep->spec->session;
	int ceiling;

	switch (pinecone_vectors_failure(part->call))
	{
		case PINECONE_FAILURE_TOO_LARGE:
			if (part->top_k <= 1)
				give_up(sweep, "a record is too large for a search");
			else
			{
				sweep->match_bytes = Max(sweep->match_bytes, 2.0 * PINECONE_REPLY_BYTES / part->top_k);
				search_again(sweep, part, part->sample);
			}
			return true;
		case PINECONE_FAILURE_REJECTED:
			ceiling = pinecone_vectors_ceiling(part->call, sweep->pages ? "limit" : "topk", part->top_k, true);
			if (ceiling > 0)
			{
				*(sweep->pages ? &session->max_page[1] : &session->max_top_k) = ceiling;
				search_again(sweep, part, part->sample);
			}
			else
				give_up(sweep, "searches are refused");
			return true;
		case PINECONE_FAILURE_UNSUPPORTED:
		case PINECONE_FAILURE_FORBIDDEN:
			give_up(sweep, "searches are refused");
			return true;
		default:
			return false;
	}
}

/* Take the search at a place, whose part is done with. */
static void
take_search(PineconeSweep *sweep, int place)
{
	PineconeSweepPart *part = sweep->active[place];
	MemoryContext cxt;
	MemoryContext old;
	PineconePage *page;
	int location;

	sweep->active[place] = sweep->active[--sweep->nactive];
	if (sweep->pages && part->sample && pinecone_vectors_failure(part->call) != PINECONE_FAILURE_NONE)
		divide_pages(sweep, part, NULL);
	else if (!is_refused(sweep, part))
	{
		cxt = AllocSetContextCreate(sweep->cxt, "pinecone swept page", ALLOCSET_DEFAULT_SIZES);
		old = MemoryContextSwitchTo(cxt);
		page = pinecone_vectors_page(part->call);
		location = pinecone_vectors_location(part->call);
		if (!sweep->pages)
			pinecone_unseen_note_indexed(sweep->spec->session, sweep->spec->namespace_,
										 pinecone_vectors_indexed_lsn(part->call));
		if (!drops_sample(sweep, part))
			observe(sweep, page);
		if (drops_sample(sweep, part))
		{
			divide_pages(sweep, part, page);
			page->nrecords = 0;
		}
		else if (sweep->pages)
		{
			pinecone_page_chain_check(&part->chain, sweep->cxt, page);
			go_on_paging(sweep, part, page);
		}
		else if (page->nrecords >= part->top_k)
			go_on(sweep, part, page);
		keep_new(sweep, page);
		MemoryContextSwitchTo(old);
		add_page(sweep, cxt, page, location);
	}
	pinecone_vectors_free(part->call);
	pfree(part);
}

/* ---- Moving on ---- */

static bool
has_room(PineconeSweep *sweep)
{
	double each = pinecone_sweep_capacity(sweep) * sweep->match_bytes;

	return sweep->nactive < PINECONE_SWEEP_SEARCHES &&
		   ((sweep->nactive == 0 && dlist_is_empty(&sweep->pages_come)) ||
			sweep->page_bytes + (sweep->nactive + 1) * each <= budget(sweep));
}

static void
start_searches(PineconeSweep *sweep)
{
	while (!dlist_is_empty(&sweep->waiting) && has_room(sweep))
	{
		PineconeSweepPart *part = dlist_head_element(PineconeSweepPart, node, &sweep->waiting);

		if (sweep->nparts > MOST_SEARCHES)
		{
			give_up(sweep, "they would take too many searches");
			return;
		}
		/* the reader wants more than the few that it wanted */
		if (part->depth == 0 && !part->limited && part->expected > PINECONE_MOST_SWEPT)
		{
			give_up(sweep, "there are more than can be counted");
			return;
		}
		start_search(sweep, part);
		/* to count very many takes longer */
		if (!sweep->uncounted && !part->limited && (!part->sample || part->expected >= PINECONE_COUNTED_AT_ONCE))
			pinecone_proof_begin(sweep);
	}
}

/* Search for what no record has shown, after all. */
static void
search_unlikely(PineconeSweep *sweep)
{
	while (!dlist_is_empty(&sweep->unlikely))
		dlist_push_tail(&sweep->waiting, dlist_pop_head_node(&sweep->unlikely));
}

/* Everything has been searched: is it all there is? */
static void
conclude(PineconeSweep *sweep)
{
	const char *why = NULL;
	bool missing = false;

	if (sweep->uncounted)
	{
		sweep->over = true;
		give_up(sweep, WRITTEN_LATELY);
		return;
	}
	pinecone_proof_begin(sweep);
	if (!pinecone_proof_take(sweep))
		return;
	sweep->complete = pinecone_proof_holds(sweep, sweep->seen->members, &missing, &why);
	if (missing && !dlist_is_empty(&sweep->unlikely))
	{
		search_unlikely(sweep);
		return;
	}
	sweep->over = true;
	if (!sweep->complete)
		give_up(sweep, why);
}

/* It is not going to be complete. */
static void
stop(PineconeSweep *sweep)
{
	while (sweep->nactive > 0)
		pinecone_vectors_free(sweep->active[--sweep->nactive]->call);
	pinecone_proof_drop(sweep);
	sweep->over = true;
}

/* Take what has come, start what there is room for, and conclude when all is there. */
void
pinecone_sweep_advance(PineconeSweep *sweep, double wanted)
{
	PineconeCall *calls[PINECONE_SOURCE_CALLS];
	int active;

	if (sweep->over)
		return;
	if (pinecone_sweep_calls(sweep, calls) > 0)
		pinecone_vectors_advance();
	/* one that is taken leaves its place to the last */
	for (int i = sweep->nactive - 1; i >= 0; i--)
	{
		if (pinecone_vectors_finished(sweep->active[i]->call))
			take_search(sweep, i);
	}
	(void) pinecone_proof_take(sweep);
	if (pinecone_marks_bytes(sweep->seen) > budget(sweep))
		give_up(sweep, "their ids are too many for pinecone_fdw.prefetch");
	active = sweep->nactive;
	if (sweep->why_not != NULL)
		stop(sweep);
	else if (wanted > sweep->waiting_records)
	{
		start_searches(sweep);
		if (sweep->nactive == 0 && dlist_is_empty(&sweep->waiting))
			conclude(sweep);
		if (!dlist_is_empty(&sweep->waiting))
			start_searches(sweep);
		if (sweep->why_not != NULL)
			stop(sweep);
	}
	if (sweep->over && !sweep->complete)
	{
		Assert(sweep->why_not != NULL);
		if (strcmp(sweep->why_not, WRITTEN_LATELY) != 0)
			pinecone_proof_note_failure(sweep);
		if (sweep->spec->counters)
			sweep->spec->counters->sweep_failure = sweep->why_not;
	}
	/* what has been started leaves at once, be the reader as slow as it likes */
	if (sweep->nactive > active)
		pinecone_vectors_advance();
}

/* ---- For the reader ---- */

PineconePage *
pinecone_sweep_take(PineconeSweep *sweep, MemoryContext parent, MemoryContext *cxt, int *location)
{
	PineconeSweepPage *waiting;
	PineconePage *page;

	if (dlist_is_empty(&sweep->pages_come))
		return NULL;
	waiting = dlist_container(PineconeSweepPage, node, dlist_pop_head_node(&sweep->pages_come));
	sweep->page_bytes -= waiting->bytes;
	*cxt = waiting->cxt;
	*location = waiting->location;
	page = waiting->page;
	sweep->waiting_records -= page->nrecords;
	MemoryContextSetParent(*cxt, parent);
	return page;
}

bool
pinecone_sweep_done(PineconeSweep *sweep)
{
	return sweep->over && dlist_is_empty(&sweep->pages_come);
}

bool
pinecone_sweep_is_complete(const PineconeSweep *sweep)
{
	return sweep->complete;
}

bool
pinecone_sweep_seen(const PineconeSweep *sweep, const char *id)
{
	return idmarks_lookup(sweep->seen, pinecone_mark_of(id)) != NULL;
}

void
pinecone_sweep_note_come(PineconeSweep *sweep, const PineconeMark *mark)
{
	bool found;

	(void) idmarks_insert(sweep->seen, *mark, &found);
}

void
pinecone_sweep_drop_seen(const PineconeSweep *sweep, PineconePage *page)
{
	int n = 0;

	for (int i = 0; i < page->nrecords; i++)
	{
		if (!pinecone_sweep_seen(sweep, page->records[i].id))
			page->records[n++] = page->records[i];
	}
	page->nrecords = n;
}

int
pinecone_sweep_calls(PineconeSweep *sweep, PineconeCall **calls)
{
	int n = 0;

	if (sweep->over)
		return 0;
	for (int i = 0; i < sweep->nactive; i++)
		calls[n++] = sweep->active[i]->call;
	return n + pinecone_proof_calls(sweep, calls + n);
}

static PineconeSweep *
begin_sweep(const PineconeSourceSpec *spec, bool pages, bool values, double records, double match_bytes)
{
	PineconeSweep *sweep = palloc0(sizeof(PineconeSweep));
	PineconeFilter all = {PINECONE_FILTER_ALWAYS, NULL};
	PineconeSweepPart *part;

	sweep->spec = spec;
	sweep->cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone sweep", ALLOCSET_DEFAULT_SIZES);
	sweep->pages = pages;
	sweep->dimension = spec->dimension;
	sweep->values = values;
	sweep->uncounted = !spec->all_shown;
	sweep->bodies = spec->want_metadata && (values || !spec->want_values);
	sweep->match_bytes = BYTES_PER_MATCH + (pages || values || sweep->bodies ? match_bytes : 0);
	sweep->seen = idmarks_create(sweep->cxt, FIRST_MARKS, NULL);
	dlist_init(&sweep->waiting);
	dlist_init(&sweep->unlikely);
	dlist_init(&sweep->pages_come);
	sweep->count = sweep->check = sweep->records = -1;
	if (spec->filter != NULL)
		all = (PineconeFilter){PINECONE_FILTER_JSON, unconstify(char *, spec->filter)};
	part = pinecone_sweep_add(sweep, &sweep->waiting, all, records, 0);
	part->limited = sweep->limited = spec->row_limit > 0 && spec->row_limit <= pinecone_sweep_capacity(sweep);
	part->sample = !part->limited && records > pinecone_sweep_capacity(sweep) && sweep->dimension > 0 &&
				   spec->session->schema == NULL && spec->session->stats != NULL && !spec->session->stats->sparse;
	return sweep;
}

PineconeSweep *
pinecone_sweep_begin(const PineconeSourceSpec *spec, double records, double match_bytes, bool values)
{
	return begin_sweep(spec, false, values, records, match_bytes);
}

PineconeSweep *
pinecone_sweep_begin_pages(const PineconeSourceSpec *spec, double records, double record_bytes)
{
	return begin_sweep(spec, true, false, records, record_bytes);
}
