/*
 * field_filter.c
 *		Filters for a field's values, each with that of the run.
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/lsyscache.h"

#include "scan/field_part.h"

/* What a part's records meet, and a condition on the field, with its value if it takes one. */
static PineconeFilter
filter_with(ForeignScanState *node, const PineconeFieldPart *part, PineconeConditionKind kind, Oid type, Datum value)
{
	PineconeScanState *state = node->fdw_state;
	PineconeGroups *groups = state->run->groups;
	PineconeCondition both = {.kind = PINECONE_COND_AND, .value = -1};

	groups->leaf.kind = kind;
	groups->values.types[groups->values.n - 1] = type;
	groups->values.values[groups->values.n - 1] = value;
	both.args = list_make1(&groups->leaf);
	if (part != NULL && part->condition != NULL)
		both.args = lcons((void *) part->condition, both.args);
	if (part != NULL && state->request->filter != NULL)
		both.args = lcons(state->request->filter, both.args);
	return pinecone_filter_render(state->table, &both, &groups->values);
}

PineconeFilter
pinecone_field_exists_filter(ForeignScanState *node, const PineconeFieldPart *part, bool exists)
{
	PineconeScanState *state = node->fdw_state;

	return filter_with(node, part, exists ? PINECONE_COND_EXISTS : PINECONE_COND_NOT_EXISTS,
					   state->run->groups->elemtype, (Datum) 0);
}

PineconeFilter
pinecone_field_value_filter(ForeignScanState *node, const PineconeFieldPart *part, Datum value)
{
	PineconeScanState *state = node->fdw_state;

	return filter_with(node, part, PINECONE_COND_COMPARE, state->run->groups->elemtype, value);
}

static PineconeFilter
list_filter(ForeignScanState *node, const PineconeFieldPart *part, PineconeConditionKind kind, Datum *elements, int n)
{
	PineconeScanState *state = node->fdw_state;
	Oid elemtype = state->run->groups->elemtype;
	int16 typlen;
	bool typbyval;
	char typalign;

	get_typlenbyvalalign(elemtype, &typlen, &typbyval, &typalign);
	return filter_with(node, part, kind, get_array_type(elemtype),
					   PointerGetDatum(construct_array(elements, n, elemtype, typlen, typbyval, typalign)));
}

PineconeFilter
pinecone_field_rest_filter(ForeignScanState *node, PineconeFieldPart *part)
{
	Datum *elements = palloc(Max(part->n, 1) * sizeof(Datum));

	if (part->n == 0)
		return pinecone_field_exists_filter(node, part, true);
	for (int i = 0; i < part->n; i++)
		elements[i] = part->values[i].datum;
	return list_filter(node, part, PINECONE_COND_NOT_IN, elements, part->n);
}

PineconeFilter
pinecone_field_searched_filter(ForeignScanState *node, PineconeFieldPart *part, int from, int end)
{
	Datum *elements = palloc(Max(part->n, 1) * sizeof(Datum));
	int n = 0;

	for (int i = from; i < end; i++)
	{
		if (part->values[i].count.searched)
			elements[n++] = part->values[i].datum;
	}
	return list_filter(node, part, PINECONE_COND_IN, elements, n);
}

PineconeFilter
pinecone_field_all_filter(ForeignScanState *node, const PineconeFieldPart *part)
{
	PineconeScanState *state = node->fdw_state;
	const char *field = state->run->groups->column->field;
	PineconeFilter filter = state->run->filter;

	if (part->condition != NULL)
		filter = pinecone_filter_both(filter, pinecone_filter_render(state->table, part->condition, &state->run->groups->values));
	return pinecone_filter_both(filter,
								pinecone_filter_either(pinecone_filter_exists(field, true), pinecone_filter_exists(field, false)));
}
