/*
 * field_count.c
 *		Dry runs that count for a field's values, and giving up.
 */
#include "postgres.h"

#include "scan/field_part.h"
#include "scan/run_count.h"

void
pinecone_field_give_up(PineconeGroups *groups, const char *why)
{
	if (groups->given_up == NULL)
		groups->given_up = why;
}

PineconeCall *
pinecone_field_send_count(ForeignScanState *node, PineconeFieldPart *part, PineconeFilter filter)
{
	PineconeScanState *state = node->fdw_state;

	if (filter.kind == PINECONE_FILTER_NEVER)
		return NULL;
	state->run->groups->dry_runs++;
	part->dry_runs++;
	return pinecone_vectors_count(state->session, state->run->counters, part->name, filter.json);
}

/* Give up where a failure is one that reading the rows does not run into. */
static bool
is_refused(PineconeScanState *state, PineconeCall *call)
{
	PineconeGroups *groups = state->run->groups;

	switch (pinecone_vectors_failure(call))
	{
		case PINECONE_FAILURE_FORBIDDEN:
			pinecone_count_note_refused(state);
			pinecone_field_give_up(groups, "the API key may not count by dry runs");
			return true;
		case PINECONE_FAILURE_ALIAS:
		case PINECONE_FAILURE_REJECTED:
		case PINECONE_FAILURE_UNSUPPORTED:
			pinecone_field_give_up(groups, "the service does not count by dry runs");
			return true;
		default:
			return false;
	}
}

double
pinecone_field_take_count(PineconeScanState *state, PineconeCall **call)
{
	double count = 0;

	if (*call == NULL)
		return 0;
	pinecone_vectors_wait(*call);
	if (pinecone_vectors_failure(*call) != PINECONE_FAILURE_NO_NAMESPACE && !is_refused(state, *call))
		count = pinecone_vectors_count_result(*call);
	pinecone_vectors_free(*call);
	*call = NULL;
	return count;
}
