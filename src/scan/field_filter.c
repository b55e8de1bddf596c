/*
 * field_filter.c
 *		Filters for a field's values, each with that of the run.
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/lsyscache.h"

#include "scan/field_part.h"

/* The run's filter, and a condition on the field, with its value if it takes one. */
static PineconeFilter
filter_with(ForeignScanState *node, PineconeConditionKind kind, Oid type, Datum value, bool alone)
{
	PineconeScanState *state = node->fdw_state;
	PineconeGroups *groups = state->run->groups;
	PineconeCondition both = {.kind = PINECONE_COND_AND, .value = -1};

	groups->leaf.kind = kind;
	groups->values.types[groups->values.n - 1] = type;
	groups->values.values[groups->values.n - 1] = value;
	both.args = alone || state->request->filter == NULL ?
					list_make1(&groups->leaf) :
					list_make2(state->request->filter, &groups->leaf);
	return pinecone_filter_render(state->table, &both, &groups->values);
}

PineconeFilter
pinecone_field_exists_filter(ForeignScanState *node, bool exists)
{
	PineconeScanState *state = node->fdw_state;

	return filter_with(node, exists ? PINECONE_COND_EXISTS : PINECONE_COND_NOT_EXISTS,
					   state->run->groups->elemtype, (Datum) 0, false);
}

PineconeFilter
pinecone_field_value_filter(ForeignScanState *node, Datum value, bool alone)
{
	PineconeScanState *state = node->fdw_state;

	return filter_with(node, PINECONE_COND_COMPARE, state->run->groups->elemtype, value, alone);
}

static PineconeFilter
list_filter(ForeignScanState *node, PineconeConditionKind kind, Datum *elements, int n)
{
	PineconeScanState *state = node->fdw_state;
	Oid elemtype = state->run->groups->elemtype;
	int16 typlen;
	bool typbyval;
	char typalign;

	get_typlenbyvalalign(elemtype, &typlen, &typbyval, &typalign);
	return filter_with(node, kind, get_array_type(elemtype),
					   PointerGetDatum(construct_array(elements, n, elemtype, typlen, typbyval, typalign)), false);
}

PineconeFilter
pinecone_field_rest_filter(ForeignScanState *node, PineconeFieldPart *part)
{
	Datum *elements = palloc(Max(part->n, 1) * sizeof(Datum));

	if (part->n == 0)
		return pinecone_field_exists_filter(node, true);
	for (int i = 0; i < part->n; i++)
		elements[i] = part->values[i].datum;
	return list_filter(node, PINECONE_COND_NOT_IN, elements, part->n);
}

PineconeFilter
pinecone_field_searched_filter(ForeignScanState *node, PineconeFieldPart *part)
{
	Datum *elements = palloc(Max(part->n, 1) * sizeof(Datum));
	int n = 0;

	for (int i = 0; i < part->n; i++)
	{
		if (part->values[i].count.searched)
			elements[n++] = part->values[i].datum;
	}
	return list_filter(node, PINECONE_COND_IN, elements, n);
}

PineconeFilter
pinecone_field_all_filter(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	const char *field = state->run->groups->column->field;

	return pinecone_filter_both(state->run->filter,
								pinecone_filter_either(pinecone_filter_exists(field, true), pinecone_filter_exists(field, false)));
}
