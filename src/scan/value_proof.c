/*
 * value_proof.c
 *		Are the counts of a field's values right, where the records are too many
 *		for one count?
 *
 * No total can be had to hold them against.  So dry runs count, of values whose
 * records have been searched for, as many together as one can tell; the records
 * without the field; and those that have it and none of the values, of which
 * there must be none.  A search brings no record that is not there, so that
 * each of its counts is right when their sum is.
 *
 * A list may have two values.  Of those that are searched for it would have come
 * twice; where dry runs have counted them, as many as statistics tell have to be
 * in all of the counts.
 */
#include "postgres.h"

#include "base/limits.h"
#include "request/shippable.h"
#include "scan/field_part.h"

/* A dry run, and what it is to say */
typedef struct Check
{
	PineconeCall *call;
	double expected;
} Check;

struct PineconeFieldProof
{
	Check *checks;
	int n;
};

bool
pinecone_field_may_be_lists(const PineconeGroups *groups)
{
	PineconeTypeClass class = pinecone_shippable_class(groups->column);

	return class != PINECONE_CLASS_INT && class != PINECONE_CLASS_NUMBER && class != PINECONE_CLASS_BOOL;
}

static void
check(ForeignScanState *node, PineconeFieldPart *part, PineconeFilter filter, double expected)
{
	PineconeFieldProof *proof = part->proof;

	proof->checks[proof->n].expected = expected;
	proof->checks[proof->n++].call = pinecone_field_send_count(node, part, filter);
}

/* Values that searches have counted, several at a time */
static void
check_searched(ForeignScanState *node, PineconeFieldPart *part)
{
	int from = 0;
	double sum = 0;
	bool any = false;

	for (int i = 0; i <= part->n; i++)
	{
		double records = i < part->n && part->values[i].count.searched ? part->values[i].count.records : 0;

		if (any && (i == part->n || sum + records > PINECONE_COUNTED_OF_PART))
		{
			check(node, part, pinecone_field_searched_filter(node, part, from, i), sum);
			from = i;
			sum = 0;
			any = false;
		}
		sum += records;
		any |= i < part->n && part->values[i].count.searched;
	}
}

/* Might a list have been counted twice, by dry runs? */
static bool
needs_total(ForeignScanState *node, const PineconeFieldPart *part)
{
	if (!pinecone_field_may_be_lists(((PineconeScanState *) node->fdw_state)->run->groups))
		return false;
	for (int i = 0; i < part->n; i++)
	{
		if (!part->values[i].count.searched)
			return true;
	}
	return false;
}

/* Is that what statistics tell, asked for now? */
static bool
is_total(ForeignScanState *node, const PineconeFieldPart *part)
{
	PineconeScanState *state = node->fdw_state;
	PineconeStats *stats = pinecone_session_stats(state->session, true, true);
	double sum = part->missing.records;

	for (int i = 0; i < part->n; i++)
		sum += part->values[i].count.records;
	return stats != NULL && sum == pinecone_stats_records(stats, part->name);
}

void
pinecone_field_prove(ForeignScanState *node, PineconeFieldPart *part)
{
	PineconeScanState *state = node->fdw_state;

	part->proof = palloc(sizeof(PineconeFieldProof));
	part->proof->n = 0;
	part->proof->checks = palloc((part->n + 2) * sizeof(Check));
	if (needs_total(node, part) && (part->condition != NULL || state->run->filter.kind != PINECONE_FILTER_ALWAYS))
	{
		pinecone_field_give_up(state->run->groups, "too many records to count each value");
		return;
	}
	check_searched(node, part);
	if (part->missing.searched)
		check(node, part, pinecone_field_exists_filter(node, part, false), part->missing.records);
	check(node, part, pinecone_field_rest_filter(node, part), 0);
}

bool
pinecone_field_is_proved(ForeignScanState *node, PineconeFieldPart *part)
{
	PineconeScanState *state = node->fdw_state;
	bool right = true;

	for (int i = 0; i < part->proof->n; i++)
		right = pinecone_field_take_count(state, &part->proof->checks[i].call) == part->proof->checks[i].expected && right;
	part->proof = NULL;
	return state->run->groups->given_up == NULL && right && (!needs_total(node, part) || is_total(node, part));
}

void
pinecone_field_drop_proof(PineconeFieldPart *part)
{
	for (int i = 0; part->proof != NULL && i < part->proof->n; i++)
		pinecone_vectors_free(part->proof->checks[i].call);
	part->proof = NULL;
}
