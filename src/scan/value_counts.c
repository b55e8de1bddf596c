/*
 * value_counts.c
 *		How many records have each value of a field.
 *
 * A dry run counts what a filter finds.  Of these a few are allowed a second, of
 * searches many more.  So where values are more than a second's dry runs, the
 * records of each are searched for, without vectors and metadata, and counted
 * here; a dry run counts all of the records, whatever they have in the field, and
 * the values' counts and that of the records without it have to add up to it.
 *
 * Searches are approximate.  They cannot bring what is not there, though: of
 * different records, none of which came for two values, no more can come than
 * there are, and if all of them did, each count is right, and there is no other
 * value.  What is as much as a search brings is counted by a dry run.  Then what
 * the searches have counted is, by another, because strings of lists may be in
 * both, and could make up for records that did not come.
 *
 * Where less came, it is a value that is not known, or a search was short.  The
 * dry run that counts the records without a known value tells, and if it was
 * the searches, dry runs count what these have.
 *
 * Where there are more records than a dry run tells, several of them have to agree
 * with the counts in place of the one for all (value_proof.c).
 */
#include "postgres.h"

#include "base/any_vector.h"
#include "base/limits.h"
#include "base/setting.h"
#include "request/shippable.h"
#include "scan/field_part.h"

/* Of an id: in a reply, in a set of those that have come */
#define BYTES_PER_MATCH 60
#define BYTES_PER_SEEN PINECONE_BYTES_PER_MARK

/* Bytes that come in a ms */
#define BYTES_PER_MS 200000.0

/* ---- How to count ---- */

bool
pinecone_field_counts_by_total(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeStats *stats = pinecone_session_stats(state->session, false, true);

	return pinecone_enable_count_searches && state->run->groups->want_counts && stats != NULL &&
		   stats->dimension > 0 && !stats->sparse &&
		   pinecone_shippable_class(state->run->groups->column) != PINECONE_CLASS_BOOL &&
		   (pinecone_sweep_records == 0 ||
			pinecone_session_rate(state->session, PINECONE_RATE_UPDATE_BY_METADATA) > 0);
}

void
pinecone_field_ask_sums(ForeignScanState *node, PineconeFieldPart *part)
{
	PineconeGroups *groups = ((PineconeScanState *) node->fdw_state)->run->groups;

	if (groups->want_missing)
		part->missing.call = pinecone_field_send_count(node, part, pinecone_field_exists_filter(node, part, false));
	if (groups->want_exists)
		part->exists = pinecone_field_send_count(node, part, pinecone_field_exists_filter(node, part, true));
}

void
pinecone_field_take_total(ForeignScanState *node, PineconeFieldPart *part)
{
	PineconeScanState *state = node->fdw_state;

	part->ntotal = pinecone_field_take_count(state, &part->total);
	/* the greatest number that an update tells may stand for more */
	part->many = part->ntotal >= PINECONE_MOST_TOLD;
	if (part->many && state->session->stats != NULL)
		part->ntotal = Max(part->ntotal, pinecone_stats_records(state->session->stats, part->name));
}

/* ms that so many requests of a kind wait for their turn, of which some have been sent */
static double
waiting_ms(const PineconeSession *session, PineconeRateKind kind, double n)
{
	double rate = pinecone_session_rate(session, kind);

	return rate > 0 && n > rate ? (n - rate) / rate * 1000 : 0;
}

/* Are searches faster than dry runs, for so many counts? */
static bool
counts_by_search(PineconeScanState *state, const PineconeFieldPart *part, int n)
{
	if (!part->by_total || part->no_searches || part->no_search ||
		part->ntotal * BYTES_PER_SEEN > pinecone_prefetch_kb * 1024.0 / Max(1, state->run->groups->nparts) ||
		state->run->groups->searches + n > state->request->group_searches)
		return false;
	/* of many values there may be more than a search brings */
	if (part->many && 1.5 * part->ntotal / (part->n + 1) > pinecone_session_top_k(state->session))
		return false;
	return pinecone_sweep_records == 0 ||
		   waiting_ms(state->session, PINECONE_RATE_QUERY, n) + part->ntotal * BYTES_PER_MATCH / BYTES_PER_MS <
			   waiting_ms(state->session, PINECONE_RATE_UPDATE_BY_METADATA, part->dry_runs + n);
}

/* ---- Asking ---- */

static void
search_for_count(PineconeScanState *state, PineconeFieldPart *part, PineconeFieldCount *count, PineconeFilter filter)
{
	PineconeStats *stats = pinecone_session_stats(state->session, false, true);
	PineconeSearch search = {.namespace_ = part->name, .filter = filter.json};
	float *vector = pinecone_any_vector(stats->dimension, part->rounds);

	count->top_k = (int) Min(pinecone_session_top_k(state->session), part->ntotal + 100);
	count->searched = true;
	search.top_k = count->top_k;
	search.nvalues = stats->dimension;
	search.values = vector;
	state->run->groups->searches++;
	count->call = pinecone_vectors_query(state->session, state->run->counters, &search);
	pfree(vector);
}

static void
ask_count(ForeignScanState *node, PineconeFieldPart *part, PineconeFieldCount *count, PineconeFilter filter,
		  bool by_search)
{
	count->asked = true;
	count->searched = false;
	count->records = 0;
	if (filter.kind != PINECONE_FILTER_NEVER && by_search)
		search_for_count(node->fdw_state, part, count, filter);
	else
		count->call = pinecone_field_send_count(node, part, filter);
}

void
pinecone_field_ask_counts(ForeignScanState *node, PineconeFieldPart *part)
{
	PineconeScanState *state = node->fdw_state;
	PineconeGroups *groups = state->run->groups;
	int n = part->by_total && !part->missing.asked;
	bool by_search;

	for (int i = 0; i < part->n; i++)
		n += !part->values[i].count.asked;
	by_search = counts_by_search(state, part, n);
	if (!by_search && groups->dry_runs + n > state->request->group_budget)
	{
		pinecone_field_give_up(groups, "too many values to count each");
		return;
	}
	for (int i = 0; i < part->n; i++)
	{
		PineconeFieldValue *value = &part->values[i];

		if (!value->count.asked)
			ask_count(node, part, &value->count, pinecone_field_value_filter(node, part, value->datum), by_search);
	}
	if (part->by_total && !part->missing.asked)
		ask_count(node, part, &part->missing, pinecone_field_exists_filter(node, part, false), by_search);
	part->counting = true;
}

/* ---- Answers ---- */

/* Keep the ids of what has come.  Returns how many there are; -1: some came before, for another value. */
static double
note_seen(PineconeFieldPart *part, const PineconePage *page)
{
	if (part->seen == NULL)
	{
		part->seen_cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone counted ids", ALLOCSET_DEFAULT_SIZES);
		part->seen = idmarks_create(part->seen_cxt, 1024, NULL);
	}
	for (int i = 0; i < page->nrecords; i++)
	{
		bool found;

		(void) idmarks_insert(part->seen, pinecone_mark_of(page->records[i].id), &found);
		if (found)
			return -1;
	}
	return page->nrecords;
}

/* Take what has been searched for: false where that is for a dry run to count. */
static bool
take_matches(PineconeScanState *state, PineconeFieldPart *part, PineconeFieldCount *count)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone counted page", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	PineconePage *page = NULL;
	bool done = false;
	int ceiling;

	pinecone_vectors_wait(count->call);
	switch (pinecone_vectors_failure(count->call))
	{
		case PINECONE_FAILURE_REJECTED:
			ceiling = pinecone_vectors_ceiling(count->call, "topk", count->top_k, true);
			if (ceiling > 0)
				state->session->max_top_k = ceiling;
			break;
		case PINECONE_FAILURE_TOO_LARGE:
		case PINECONE_FAILURE_UNSUPPORTED:
			break;
		default:
			page = pinecone_vectors_page(count->call);
			done = page->nrecords < count->top_k;
			break;
	}
	MemoryContextSwitchTo(old);
	if (done)
	{
		count->records = note_seen(part, page);
		if (count->records < 0)
			pinecone_field_give_up(state->run->groups, "counts do not add up: there are lists, or records change");
	}
	pinecone_vectors_free(count->call);
	count->call = NULL;
	MemoryContextDelete(cxt);
	return done;
}

/* Take a count.  Returns whether a dry run has been sent in place of a search. */
static bool
take_one(ForeignScanState *node, PineconeFieldPart *part, PineconeFieldCount *count, PineconeFilter filter)
{
	PineconeScanState *state = node->fdw_state;

	if (count->call == NULL)
		return false;
	if (!count->searched)
	{
		count->records = pinecone_field_take_count(state, &count->call);
		return false;
	}
	if (take_matches(state, part, count))
		return false;
	if (state->run->groups->dry_runs >= state->request->group_budget)
		pinecone_field_give_up(state->run->groups, "too many records to count each value");
	else
		ask_count(node, part, count, filter, false);
	return true;
}

/*
 * Take all counts.  Returns whether dry runs have been sent for some that are too
 * large for a search, and for the sum of the others.
 */
static bool
take_all(ForeignScanState *node, PineconeFieldPart *part)
{
	PineconeGroups *groups = ((PineconeScanState *) node->fdw_state)->run->groups;
	bool more = false;

	for (int i = 0; i < part->n && groups->given_up == NULL; i++)
	{
		PineconeFieldValue *value = &part->values[i];

		more |= take_one(node, part, &value->count, pinecone_field_value_filter(node, part, value->datum));
	}
	if (groups->given_up == NULL)
		more |= take_one(node, part, &part->missing, pinecone_field_exists_filter(node, part, false));
	if (more && groups->given_up == NULL && !part->many && pinecone_field_may_be_lists(groups))
	{
		bool any = false;

		for (int i = 0; i < part->n; i++)
			any |= part->values[i].count.searched;
		if (any)
			part->small = pinecone_field_send_count(node, part, pinecone_field_searched_filter(node, part, 0, part->n));
	}
	return more;
}

PineconeFieldSum
pinecone_field_sum(ForeignScanState *node, PineconeFieldPart *part)
{
	PineconeScanState *state = node->fdw_state;
	PineconeGroups *groups = state->run->groups;
	bool was_small = part->small != NULL;
	bool was_proof = part->proof != NULL;
	double small = pinecone_field_take_count(state, &part->small);
	double searched = 0;
	double sum = 0;

	if (groups->given_up != NULL || take_all(node, part) || groups->given_up != NULL)
		return PINECONE_FIELD_SUM_UNKNOWN;
	if (part->many && !was_proof)
		pinecone_field_prove(node, part);
	if (groups->given_up != NULL || (part->many && !was_proof))
		return PINECONE_FIELD_SUM_UNKNOWN;
	if (part->many)
		return pinecone_field_is_proved(node, part) ? PINECONE_FIELD_SUM_ALL :
			   state->run->groups->given_up != NULL ? PINECONE_FIELD_SUM_UNKNOWN :
													  PINECONE_FIELD_SUM_LESS;
	for (int i = 0; i < part->n; i++)
	{
		sum += part->values[i].count.records;
		searched += part->values[i].count.searched ? part->values[i].count.records : 0;
	}
	sum += part->missing.records;
	if (was_small && searched != small)
		return PINECONE_FIELD_SUM_LESS;
	if (sum > part->ntotal)
		pinecone_field_give_up(groups, "counts do not add up: there are lists, or records change");
	if (groups->given_up != NULL)
		return PINECONE_FIELD_SUM_UNKNOWN;
	return sum == part->ntotal ? PINECONE_FIELD_SUM_ALL : PINECONE_FIELD_SUM_LESS;
}

void
pinecone_field_count_anew(ForeignScanState *node, PineconeFieldPart *part)
{
	PineconeScanState *state = node->fdw_state;
	bool any = part->missing.searched;

	part->no_searches = true;
	if (part->missing.searched)
		part->missing.asked = false;
	for (int i = 0; i < part->n; i++)
	{
		any |= part->values[i].count.searched;
		if (part->values[i].count.searched)
			part->values[i].count.asked = false;
	}
	if (part->seen_cxt != NULL)
		MemoryContextReset(part->seen_cxt);
	part->seen = NULL;
	part->seen_cxt = NULL;
	if (any)
		pinecone_field_ask_counts(node, part);
	else
		pinecone_field_give_up(state->run->groups, "counts do not add up: there are lists, or records change");
}
