/*
 * stored_sweep.c
 *		Searches for all records in place of pages, or of the fetches of many ids.
 *
 * A fetch brings vectors, be they wanted or not: those of 5,000 ids are 40 MB, of
 * which a DELETE wants a count.  Searches bring all of a namespace without them.
 * What these bring of the ids is there; what they do not is fetched, unless they
 * have turned out to bring everything.  So it does not matter how complete they are.
 */
#include "postgres.h"

#include <float.h>

#include "utils/memutils.h"

#include "base/limits.h"
#include "base/setting.h"
#include "scan/stored_part.h"

/* ---- Which way ---- */

/* What is known of a reading of all records. */
static PineconeReading
reading_of(PineconeStored *stored)
{
	const PineconeSourceSpec *spec = &stored->spec;
	PineconeReading reading = {.session = spec->session, .records = -1};

	if (spec->session->stats != NULL)
		reading.records = pinecone_stats_records(spec->session->stats, spec->namespace_);
	reading.filtered = spec->op == PINECONE_OP_FILTER;
	reading.matches = spec->expected > 0 && spec->expected < reading.records ? spec->expected : reading.records;
	reading.limit = spec->row_limit;
	reading.skip = spec->skip;
	reading.ordered = spec->ordered;
	reading.want_values = spec->want_values;
	reading.want_metadata = spec->want_metadata;
	reading.fetched = spec->op != PINECONE_OP_LIST;
	reading.countable = pinecone_sweep_can_count(spec);
	reading.may_sweep = (spec->all_shown || spec->laid_over) && spec->prefix == NULL && spec->after == NULL && !spec->descending && !spec->words;
	reading.uncounted = !spec->all_shown;
	reading.failed = pinecone_sweep_has_failed(spec->session, spec->namespace_, reading.limit > 0 && !spec->ordered);
	reading.dimension = stored->spec.dimension;
	reading.metadata_bytes = stored->metadata_bytes;
	return reading;
}

static void
sweep_ids(PineconeStored *stored, double records, const char *last)
{
	MemoryContext old = MemoryContextSwitchTo(stored->source.cxt);

	stored->swept_ids = pinecone_swept_ids_begin(&stored->spec, records, last);
	MemoryContextSwitchTo(old);
}

static void
begin_sweep(PineconeStored *stored, PineconeWay way, const PineconeReading *reading)
{
	const PineconeSourceSpec *spec = &stored->spec;
	bool values = way == PINECONE_WAY_VALUES_SWEPT;
	MemoryContext old = MemoryContextSwitchTo(stored->source.cxt);

	stored->sweeping = true;
	stored->fetches_swept = way == PINECONE_WAY_IDS_SWEPT;
	stored->sweep = way == PINECONE_WAY_METADATA ?
						pinecone_sweep_begin_pages(spec, reading->records, stored->record_bytes) :
						pinecone_sweep_begin(spec, reading->filtered ? -1 : reading->records,
											 values ? stored->record_bytes : stored->metadata_bytes, values);
	MemoryContextSwitchTo(old);
}

void
pinecone_stored_choose_way(PineconeStored *stored)
{
	PineconeReading reading = reading_of(stored);
	PineconeWay way;

	stored->way_chosen = true;
	way = pinecone_way_choose(&reading).way;
	if (way == PINECONE_WAY_PAGES)
		return;
	if (way == PINECONE_WAY_IDS_ORDERED)
	{
		sweep_ids(stored, reading.records, NULL);
		return;
	}
	begin_sweep(stored, way, &reading);
}

/* Where vectors are not wanted searches do without: that is the gain.  Not where a part is enough. */
static bool
may_leave_pages(const PineconeStored *stored)
{
	const PineconeSourceSpec *spec = &stored->spec;

	return spec->op == PINECONE_OP_FILTER && spec->expected > 0 && spec->row_limit <= 0 && spec->all_shown && !spec->words && !spec->want_values &&
		   spec->session->schema == NULL && pinecone_enable_sweep && stored->sweep == NULL;
}

void
pinecone_stored_note_come(PineconeStored *stored, const PineconePage *page)
{
	/* pages end soon, where there are no more than was thought */
	if (page->next_token == NULL || (stored->come == NULL && (stored->thought > 0 || !may_leave_pages(stored))))
		return;
	if (stored->come == NULL)
	{
		stored->come = idmarks_create(stored->source.cxt, 1024, NULL);
		stored->thought = stored->spec.expected;
	}
	for (int i = 0; i < page->nrecords; i++)
	{
		bool found;

		(void) idmarks_insert(stored->come, pinecone_mark_of(page->records[i].id), &found);
	}
}

static void
forget_come(PineconeStored *stored)
{
	idmarks_destroy(stored->come);
	stored->come = NULL;
}

bool
pinecone_stored_leave_pages(PineconeStored *stored)
{
	PineconeReading reading;
	PineconeWay way;
	idmarks_iterator iterator;
	PineconeMarkEntry *entry;

	if (stored->come == NULL || stored->come->members <= stored->thought)
		return false;
	if (pinecone_marks_bytes(stored->come) > pinecone_prefetch_kb * 1024.0)
	{
		forget_come(stored);
		return false;
	}
	/* there are more: how many, nobody knows, but searches bring again what has come */
	stored->thought = 4.0 * stored->come->members;
	reading = reading_of(stored);
	reading.matches = reading.records > 0 ? Min(stored->thought, reading.records) : stored->thought;
	way = pinecone_way_choose(&reading).way;
	if (way == PINECONE_WAY_PAGES)
		return false;
	begin_sweep(stored, way, &reading);
	idmarks_start_iterate(stored->come, &iterator);
	while ((entry = idmarks_iterate(stored->come, &iterator)) != NULL)
		pinecone_sweep_note_come(stored->sweep, &entry->mark);
	forget_come(stored);
	return true;
}

void
pinecone_stored_leave_walk(PineconeStored *stored)
{
	PineconeReading reading = reading_of(stored);

	stored->ids_unswept = true;
	reading.may_sweep = stored->spec.all_shown && !stored->spec.words;
	reading.limit = 0;
	reading.fetched = false;
	reading.tail = true;
	if (pinecone_way_choose(&reading).way == PINECONE_WAY_IDS_ORDERED)
		sweep_ids(stored, reading.records, pinecone_id_walk_last(stored->walk));
	pinecone_id_walk_widen(stored->walk);
}

static void
begin_finding(PineconeStored *stored, double records)
{
	MemoryContext old = MemoryContextSwitchTo(stored->source.cxt);
	bool found;

	/* a filter is looked at where rows are, as it is of what is fetched */
	stored->spec.filter = NULL;
	stored->spec.row_limit = 0;
	stored->given = idset_create(stored->source.cxt, stored->spec.nids, NULL);
	for (int i = 0; i < stored->spec.nids; i++)
		(void) idset_insert(stored->given, stored->spec.ids[i], &found);
	stored->sweeping = true;
	stored->sweep = pinecone_sweep_begin(&stored->spec, records, stored->metadata_bytes, false);
	MemoryContextSwitchTo(old);
}

/* Are the ids of the source to be looked for by searches? */
static bool
finds_ids(PineconeStored *stored, double *records)
{
	const PineconeSourceSpec *spec = &stored->spec;
	PineconeReading reading;
	PineconeWayCost cost;

	/* most fetches are of one */
	if (!spec->may_find_ids || spec->nids < 2 || spec->want_values ||
		(spec->row_limit > 0 && spec->row_limit < spec->nids))
		return false;
	reading = reading_of(stored);
	reading.limit = 0;
	reading.matches = *records = reading.records;
	return pinecone_way_finds_ids(&reading, spec->nids, &cost);
}

void
pinecone_stored_begin_ids(PineconeStored *stored)
{
	double records;

	if (finds_ids(stored, &records))
	{
		begin_finding(stored, records);
		return;
	}
	stored->ids = stored->spec.ids;
	stored->nids = stored->spec.nids;
}

/* ---- What they bring ---- */

/* Leave out of a page what is none of the ids that are given. */
static void
keep_given(PineconeStored *stored, PineconePage *page)
{
	int n = 0;

	for (int i = 0; i < page->nrecords; i++)
	{
		if (idset_lookup(stored->given, page->records[i].id) != NULL)
			page->records[n++] = page->records[i];
	}
	page->nrecords = n;
}

/* What the searches have not brought is fetched, if it may be there. */
static void
fetch_missing(PineconeStored *stored)
{
	MemoryContext old;

	if (pinecone_sweep_is_complete(stored->sweep))
		return;
	old = MemoryContextSwitchTo(stored->source.cxt);
	stored->ids = palloc(stored->spec.nids * sizeof(char *));
	for (int i = 0; i < stored->spec.nids; i++)
	{
		if (!pinecone_sweep_seen(stored->sweep, stored->spec.ids[i]))
			stored->ids[stored->nids++] = stored->spec.ids[i];
	}
	MemoryContextSwitchTo(old);
}

/* Matches: records to be returned, or ids to be fetched. */
static void
take_swept(PineconeStored *stored, MemoryContext cxt, PineconePage *page, int location)
{
	pinecone_stored_check_location(stored, location);
	if (stored->given != NULL)
		keep_given(stored, page);
	if (!stored->fetches_swept)
	{
		stored->listed += page->nrecords;
		if (stored->spec.want_metadata)
			pinecone_stored_observe(stored, page);
		pinecone_stored_add_page(stored, cxt, page);
		return;
	}
	stored->listed += pinecone_stored_add_ids(stored, page, false);
	MemoryContextDelete(cxt);
	pinecone_stored_start_fetches(stored);
}

/* How many more the reader wants of them. */
static double
wanted_of_sweep(PineconeStored *stored)
{
	double target = stored->spec.row_limit;

	if (target <= 0)
		return DBL_MAX;
	/* who has read more than was thought may be about to end, or not */
	if (stored->returned >= target)
		target = 2 * stored->returned;
	return Max(0, target - stored->listed);
}

static bool
swept_enough(PineconeStored *stored)
{
	return stored->fetches_swept ? pinecone_stored_ids_waiting(stored) >= PINECONE_WIDE_FETCH_BATCH : stored->nbatches > 1;
}

void
pinecone_stored_advance_sweep(PineconeStored *stored)
{
	for (;;)
	{
		MemoryContext cxt;
		PineconePage *page;
		int location;

		pinecone_sweep_advance(stored->sweep, wanted_of_sweep(stored));
		if (swept_enough(stored))
			return;
		page = pinecone_sweep_take(stored->sweep, stored->source.cxt, &cxt, &location);
		if (page == NULL)
			break;
		take_swept(stored, cxt, page, location);
	}
	if (!pinecone_sweep_done(stored->sweep))
		return;
	stored->sweeping = false;
	stored->paging_done = pinecone_sweep_is_complete(stored->sweep);
	if (stored->given != NULL)
		fetch_missing(stored);
	pinecone_stored_start_fetches(stored);
}
