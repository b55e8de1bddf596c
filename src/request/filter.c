/*
 * filter.c
 *		Conditions with their run-time values as Pinecone metadata filters.
 *
 * A value may turn a condition into one that no record or every record meets:
 * NULL, NaN, a bigint that no float64 equals.  Such outcomes are folded here,
 * so that what is sent stays exact for every value a parameter can take.
 *
 * Filters use one operator per field object, joined by $and and $or: the form
 * on which all documentation agrees.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "base/limits.h"
#include "request/filter_part.h"
#include "request/shippable.h"
#include "wire/schema.h"

typedef struct RenderContext
{
	PineconeTable *table;
	const PineconeValues *values;
} RenderContext;

static PineconeFilter render(RenderContext *cxt, const PineconeCondition *condition);

/* ---- Columns ---- */

static const char *
uppercase(const char *text)
{
	char *copy = pstrdup(text);

	for (char *p = copy; *p; p++)
		*p = pg_toupper((unsigned char) *p);
	return copy;
}

/* By the column's type; some values have two spellings. */
List *
pinecone_filter_equal_literals(const PineconeColumn *column, Datum value, Oid type)
{
	switch (pinecone_shippable_class(column))
	{
		case PINECONE_CLASS_TEXT:
			return list_make1(json_string(TextDatumGetCString(value)));
		case PINECONE_CLASS_BOOL:
			return list_make1(DatumGetBool(value) ? "true" : "false");
		case PINECONE_CLASS_INT:
		case PINECONE_CLASS_NUMBER:
			{
				double number;

				if (!pinecone_filter_exact_number(column, value, type, &number))
					return NIL;
				return list_make1(json_number(number));
			}
		case PINECONE_CLASS_UUID:
			{
				char *text = DatumGetCString(DirectFunctionCall1(uuid_out, value));

				/* both spellings are read, see row.c */
				return list_make2(json_string(text), json_string(uppercase(text)));
			}
		case PINECONE_CLASS_ENUM:
			{
				Oid output;
				bool is_varlena;

				getTypeOutputInfo(type, &output, &is_varlena);
				return list_make1(json_string(OidOutputFunctionCall(output, value)));
			}
		case PINECONE_CLASS_ISO_DATE:
			{
				DateADT date = DatumGetDateADT(value);
				int year;
				int month;
				int day;

				if (DATE_NOT_FINITE(date))
					return NIL;
				j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
				if (year < 1 || year > 9999)
					return NIL;
				return list_make1(psprintf("\"%04d-%02d-%02d\"", year, month, day));
			}
		default:
			elog(ERROR, "no literals for column \"%s\"", column->name);
	}
}

/* Within the limit per operator */
PineconeFilter
pinecone_filter_in(const char *field, List *literals, bool negated)
{
	List *filters = NIL;

	for (int start = 0; start < list_length(literals); start += PINECONE_MAX_IN_VALUES)
	{
		int end = Min(start + PINECONE_MAX_IN_VALUES, list_length(literals));
		StringInfoData buf;

		initStringInfo(&buf);
		appendStringInfoChar(&buf, '[');
		for (int i = start; i < end; i++)
			appendStringInfo(&buf, "%s%s", i > start ? "," : "", (char *) list_nth(literals, i));
		appendStringInfoChar(&buf, ']');
		filters = add_filter(filters, field_filter(field, negated ? "$nin" : "$in", buf.data));
	}
	return join_filters(filters, negated);
}

/* field is one of the literals */
static PineconeFilter
equal_filter(const PineconeColumn *column, List *literals)
{
	List *filters = NIL;
	ListCell *lc;

	if (literals == NIL)
		return filter_never;
	if (list_length(literals) == 1)
		return field_filter(column->field, "$eq", linitial(literals));
	if (pinecone_shippable_class(column) != PINECONE_CLASS_BOOL)
		return pinecone_filter_in(column->field, literals, false);

	/* $in of booleans is not documented */
	foreach(lc, literals)
		filters = add_filter(filters, field_filter(column->field, "$eq", lfirst(lc)));
	return join_filters(filters, false);
}

/* field is none of the literals; says nothing about records lacking it */
static PineconeFilter
unequal_filter(const PineconeColumn *column, List *literals)
{
	List *filters = NIL;
	ListCell *lc;

	if (list_length(literals) > 1 && pinecone_shippable_class(column) != PINECONE_CLASS_BOOL)
		return pinecone_filter_in(column->field, literals, true);
	foreach(lc, literals)
		filters = add_filter(filters, field_filter(column->field, "$ne", lfirst(lc)));
	return join_filters(filters, true);
}

static PineconeFilter
compare_filter(const PineconeColumn *column, PineconeCompare compare, Datum value, Oid type)
{
	switch (pinecone_shippable_class(column))
	{
		case PINECONE_CLASS_FLOAT4:
			return pinecone_filter_compare_float4(column, compare, value, type);
		case PINECONE_CLASS_EPOCH:
			return pinecone_filter_compare_epoch(column, compare, DatumGetInt64(value));
		default:
			break;
	}
	switch (compare)
	{
		case PINECONE_EQ:
			return equal_filter(column, pinecone_filter_equal_literals(column, value, type));
		case PINECONE_NE:
			return join_two(unequal_filter(column, pinecone_filter_equal_literals(column, value, type)),
							exists_filter(column->field, true), true);
		default:
			return pinecone_filter_compare_number(column, compare, value, type);
	}
}

static PineconeFilter
distinct_filter(const PineconeColumn *column, bool isnull, Datum value, Oid type)
{
	if (isnull)
		return exists_filter(column->field, true);
	return join_two(unequal_filter(column, pinecone_filter_equal_literals(column, value, type)),
					exists_filter(column->field, false), false);
}

/* column = ANY (array), column <> ALL (array) */
static PineconeFilter
array_filter(const PineconeColumn *column, bool negated, Datum array, Oid type)
{
	PineconeTypeClass class = pinecone_shippable_class(column);
	List *literals = NIL;
	List *filters = NIL;
	Datum *elements;
	bool *nulls;
	Oid elmtype;
	int n = array_elements(array, type, &elements, &nulls, &elmtype);

	/* NULL <> ALL ('{}') is true */
	if (n == 0)
		return negated ? filter_always : filter_never;

	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
		{
			if (negated)
				return filter_never;
			continue;
		}
		if (class == PINECONE_CLASS_FLOAT4 || class == PINECONE_CLASS_EPOCH)
			filters = add_filter(filters, compare_filter(column, PINECONE_EQ, elements[i], elmtype));
		else
			literals = list_concat(literals, pinecone_filter_equal_literals(column, elements[i], elmtype));
	}
	if (filters != NIL)
		return join_filters(filters, false);
	if (negated)
		return join_two(unequal_filter(column, literals),
						exists_filter(column->field, true), true);
	return equal_filter(column, literals);
}

/* list column @> array, && array */
static PineconeFilter
list_filter(const PineconeColumn *column, bool contains, Datum array, Oid type)
{
	List *filters = NIL;
	List *literals = NIL;
	Datum *elements;
	bool *nulls;
	Oid elmtype;
	int n = array_elements(array, type, &elements, &nulls, &elmtype);

	for (int i = 0; i < n; i++)
	{
		char *literal;

		if (nulls[i])
		{
			if (contains)
				return filter_never;
			continue;
		}
		literal = json_string(TextDatumGetCString(elements[i]));
		literals = lappend(literals, literal);
		filters = add_filter(filters, field_filter(column->field, "$eq", literal));
	}
	if (contains)
		return filters == NIL ? exists_filter(column->field, true) : join_filters(filters, true);
	return list_length(literals) <= 1 ? join_filters(filters, false) :
										pinecone_filter_in(column->field, literals, false);
}

/* ---- Conditions ---- */

/* A range of more days is not sent. */
#define MAX_DAYS 1000

/* For EXPLAIN: a condition whose value is not known before the scan runs. */
static PineconeFilter
placeholder_filter(const PineconeCondition *condition, const char *field, const char *value)
{
	static const char *const compares[] = {
		[PINECONE_EQ] = "$eq",
		[PINECONE_NE] = "$ne",
		[PINECONE_LT] = "$lt",
		[PINECONE_LE] = "$lte",
		[PINECONE_GT] = "$gt",
		[PINECONE_GE] = "$gte",
	};

	switch (condition->kind)
	{
		case PINECONE_COND_COMPARE:
			return field_filter(field, compares[condition->compare], value);
		case PINECONE_COND_IN:
		case PINECONE_COND_OVERLAPS:
		case PINECONE_COND_JSON_TEXT_IN:
			return field_filter(field, "$in", value);
		case PINECONE_COND_NOT_IN:
			return field_filter(field, "$nin", value);
		case PINECONE_COND_DISTINCT:
			return field_filter(field, "$ne", value);
		case PINECONE_COND_MATCH_PHRASE:
		case PINECONE_COND_MATCH_ALL:
		case PINECONE_COND_MATCH_ANY:
			return pinecone_filter_words(condition, field, value);
		case PINECONE_COND_RAW:
		case PINECONE_COND_RECORD:
		case PINECONE_COND_JSON_CONTAINS:
		case PINECONE_COND_KEYS_ALL:
		case PINECONE_COND_KEYS_ANY:
			return filter_json(pstrdup(value));
		default:
			return field_filter(field, "$eq", value);
	}
}

/*
 * A condition on the whole metadata object whose value mentions what is none is
 * for us to check: what Pinecone would make of it is something else.
 */
static PineconeFilter
unless_declared(RenderContext *cxt, PineconeFilter filter)
{
	const PineconeTable *table = cxt->table;

	if (filter.kind != PINECONE_FILTER_JSON)
		return filter;
	if (pinecone_schema_is_mentioned(table->schema, filter.json) ||
		(table->text_field != NULL &&
		 pinecone_schema_is_mentioned(pinecone_schema_integrated(table->text_field, 0, 0), filter.json)))
		return filter_always;
	return filter;
}

#ifdef USE_ASSERT_CHECKING
/* Is a condition on a column's values, as that stores them?  Others may name a field alone. */
static bool
is_about_column(PineconeConditionKind kind)
{
	switch (kind)
	{
		case PINECONE_COND_COMPARE:
		case PINECONE_COND_DISTINCT:
		case PINECONE_COND_NOT_DISTINCT:
		case PINECONE_COND_IN:
		case PINECONE_COND_NOT_IN:
		case PINECONE_COND_CONTAINS:
		case PINECONE_COND_OVERLAPS:
			return true;
		default:
			return false;
	}
}
#endif

/* Render one condition, its value at hand. NULL never meets a condition, but for those about NULL. */
static PineconeFilter
render_leaf(RenderContext *cxt, const PineconeCondition *condition)
{
	PineconeColumn *column = condition->attnum ?
								 pinecone_option_column(cxt->table, condition->attnum) :
								 NULL;
	const char *field = column ? column->field : condition->key;
	Datum value;
	Oid type;
	bool isnull;

	Assert(column != NULL || !is_about_column(condition->kind));
	if (condition->kind == PINECONE_COND_EXISTS || condition->kind == PINECONE_COND_NOT_EXISTS)
		return exists_filter(field, condition->kind == PINECONE_COND_EXISTS);

	if (cxt->values->placeholders && cxt->values->placeholders[condition->value])
		return placeholder_filter(condition, field, cxt->values->placeholders[condition->value]);
	value = cxt->values->values[condition->value];
	isnull = cxt->values->isnull[condition->value];
	type = getBaseType(cxt->values->types[condition->value]);

	if (condition->kind == PINECONE_COND_DISTINCT)
		return distinct_filter(column, isnull, value, type);
	if (condition->kind == PINECONE_COND_NOT_DISTINCT && isnull)
		return exists_filter(field, false);
	if (isnull)
		return filter_never;

	switch (condition->kind)
	{
		case PINECONE_COND_COMPARE:
			return compare_filter(column, condition->compare, value, type);
		case PINECONE_COND_NOT_DISTINCT:
			return compare_filter(column, PINECONE_EQ, value, type);
		case PINECONE_COND_IN:
			return array_filter(column, false, value, type);
		case PINECONE_COND_NOT_IN:
			return array_filter(column, true, value, type);
		case PINECONE_COND_ELEMENT:
			return field_filter(field, "$eq", json_string(TextDatumGetCString(value)));
		case PINECONE_COND_CONTAINS:
			return list_filter(column, true, value, type);
		case PINECONE_COND_OVERLAPS:
			return list_filter(column, false, value, type);
		case PINECONE_COND_KEYS_ANY:
			return unless_declared(cxt, pinecone_filter_keys(false, value, type));
		case PINECONE_COND_KEYS_ALL:
			return unless_declared(cxt, pinecone_filter_keys(true, value, type));
		case PINECONE_COND_JSON_CONTAINS:
			return unless_declared(cxt, pinecone_filter_json_contains(DatumGetJsonbP(value)));
		case PINECONE_COND_JSON_EQUAL:
			return pinecone_filter_json_equal(field, DatumGetJsonbP(value));
		case PINECONE_COND_JSON_TEXT:
			return pinecone_filter_json_text(field, TextDatumGetCString(value));
		case PINECONE_COND_JSON_TEXT_IN:
			return pinecone_filter_json_text_in(field, value, type);
		case PINECONE_COND_MATCH_PHRASE:
		case PINECONE_COND_MATCH_ALL:
		case PINECONE_COND_MATCH_ANY:
			return pinecone_filter_words(condition, field, json_string(TextDatumGetCString(value)));
		case PINECONE_COND_RAW:
			return unless_declared(cxt, pinecone_filter_raw_match(DatumGetJsonbP(value)));
		case PINECONE_COND_RECORD:
			return pinecone_filter_raw_match(DatumGetJsonbP(value));
		default:
			elog(ERROR, "unexpected kind of condition: %d", (int) condition->kind);
	}
}

/* The days from one to another, each by its name, if they are not too many. */
static PineconeFilter
days_filter(RenderContext *cxt, const PineconeCondition *condition)
{
	PineconeColumn *column = pinecone_option_column(cxt->table, condition->attnum);
	PineconeCondition *ends[] = {linitial(condition->args), lsecond(condition->args)};
	DateADT days[2];
	List *literals = NIL;

	for (int i = 0; i < 2; i++)
	{
		int number = ends[i]->value;

		if (cxt->values->placeholders && cxt->values->placeholders[number])
			return field_filter(column->field, "$in", "<days>");
		if (cxt->values->isnull[number])
			return filter_never;
		days[i] = DatumGetDateADT(cxt->values->values[number]);
		if (DATE_NOT_FINITE(days[i]))
			return exists_filter(column->field, true);
	}
	days[0] += ends[0]->compare == PINECONE_GT;
	days[1] -= ends[1]->compare == PINECONE_LT;
	if ((double) days[1] - days[0] >= MAX_DAYS)
		return exists_filter(column->field, true);
	for (DateADT day = days[0]; day <= days[1]; day++)
		literals = list_concat(literals, pinecone_filter_equal_literals(column, DateADTGetDatum(day), DATEOID));
	return literals == NIL ? filter_never : pinecone_filter_in(column->field, literals, false);
}

static PineconeFilter
render(RenderContext *cxt, const PineconeCondition *condition)
{
	List *filters = NIL;
	ListCell *lc;

	if (condition->kind == PINECONE_COND_DAYS)
		return days_filter(cxt, condition);
	if (condition->kind != PINECONE_COND_AND && condition->kind != PINECONE_COND_OR)
		return render_leaf(cxt, condition);
	foreach(lc, condition->args)
		filters = add_filter(filters, render(cxt, lfirst(lc)));
	return join_filters(filters, condition->kind == PINECONE_COND_AND);
}

PineconeFilter
pinecone_filter_render(PineconeTable *table, const PineconeCondition *condition,
					   const PineconeValues *values)
{
	RenderContext cxt = {table, values};

	return condition == NULL ? filter_always : render(&cxt, condition);
}

/* ---- Filters that conditions do not make ---- */

PineconeFilter
pinecone_filter_exists(const char *field, bool exists)
{
	return exists_filter(field, exists);
}

PineconeFilter
pinecone_filter_both(PineconeFilter a, PineconeFilter b)
{
	return join_two(a, b, true);
}

PineconeFilter
pinecone_filter_either(PineconeFilter a, PineconeFilter b)
{
	return join_two(a, b, false);
}

PineconeFilter
pinecone_filter_boolean(const char *field, bool value)
{
	return field_filter(field, "$eq", value ? "true" : "false");
}

PineconeFilter
pinecone_filter_texts(const char *field, bool among, char *const *texts, int n)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < n; i++)
		appendStringInfo(&list, "%c%s", i > 0 ? ',' : '[', json_string(texts[i]));
	appendStringInfoString(&list, n > 0 ? "]" : "[]");
	return field_filter(field, among ? "$in" : "$nin", list.data);
}
