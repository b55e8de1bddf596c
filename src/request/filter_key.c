/*
 * filter_key.c
 *		Filters that differ in a value of a field, and so can be asked as one.
 *
 * A condition has a key when some of what differs from row to row says that a
 * field is equal to something, for that is what $in says.  Where more differs, it
 * is $or that is sent, and of the records that have the value of a row those are
 * its that meet the rest of its filter.  Where nothing is equal, as of ranges, all
 * that differs goes into $or, and each record is looked at for each row.
 *
 * Literals are written here alone, be they of SQL values or of records, so that
 * they are the same text where Pinecone's $eq takes the values for the same.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/numeric.h"

#include "base/limits.h"
#include "request/filter_key.h"
#include "request/filter_part.h"
#include "request/shippable.h"

/* ---- Which conditions have one ---- */

static bool
differs(const PineconeCondition *condition, const Bitmapset *varying)
{
	ListCell *lc;

	if (condition->value >= 0 && bms_is_member(condition->value, varying))
		return true;
	foreach(lc, condition->args)
	{
		if (differs(lfirst(lc), varying))
			return true;
	}
	return false;
}

/* Is it that a field has one of some values, each of which one literal is? */
static bool
is_key(PineconeTable *table, const PineconeCondition *condition)
{
	PineconeColumn *column = condition->attnum > 0 ? pinecone_option_column(table, condition->attnum) : NULL;
	PineconeTypeClass class = column ? pinecone_shippable_class(column) : PINECONE_CLASS_OTHER;

	switch (condition->kind)
	{
		case PINECONE_COND_COMPARE:
		case PINECONE_COND_IN:
		case PINECONE_COND_NOT_DISTINCT:
			if (condition->kind == PINECONE_COND_COMPARE && condition->compare != PINECONE_EQ)
				return false;
			/* of these an interval is asked for */
			return column != NULL && class != PINECONE_CLASS_FLOAT4 && class != PINECONE_CLASS_EPOCH;
		case PINECONE_COND_ELEMENT:
		case PINECONE_COND_OVERLAPS:
		case PINECONE_COND_JSON_TEXT:
		case PINECONE_COND_JSON_TEXT_IN:
		case PINECONE_COND_JSON_EQUAL:
			return true;
		default:
			return false;
	}
}

static List *
conjuncts(const PineconeCondition *condition)
{
	return condition->kind == PINECONE_COND_AND ? condition->args : list_make1((void *) condition);
}

bool
pinecone_filter_key_exists(PineconeTable *table, const PineconeCondition *condition,
						   const Bitmapset *varying)
{
	bool any = false;
	bool words = false;
	ListCell *lc;

	foreach(lc, condition ? conjuncts(condition) : NIL)
	{
		if (!differs(lfirst(lc), varying))
			continue;
		if (is_key(table, lfirst(lc)))
			return true;
		any = true;
		/* whose records these are only the service can tell */
		words = words || pinecone_request_matches_words(lfirst(lc));
	}
	return any && !words;
}

/* ---- Literals of SQL values ---- */

/* What metadata ->> key = text is true of, but for lists. */
static bool
add_texts(List **literals, const char *text)
{
	double number;

	if (text[0] == '[')
		return false;
	*literals = lappend(*literals, json_string(text));
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		*literals = lappend(*literals, pstrdup(text));
	else if (pinecone_filter_text_is_number(text, &number))
		*literals = lappend(*literals, json_number(number));
	return true;
}

/* The same of metadata -> key = value. */
static bool
add_json(List **literals, Jsonb *value)
{
	JsonbValue scalar;
	double number;

	if (!JB_ROOT_IS_SCALAR(value))
		return false;
	(void) JsonbExtractScalar(&value->root, &scalar);
	switch (scalar.type)
	{
		case jbvString:
			*literals = lappend(*literals, json_string(pnstrdup(scalar.val.string.val, scalar.val.string.len)));
			return true;
		case jbvBool:
			*literals = lappend(*literals, pstrdup(scalar.val.boolean ? "true" : "false"));
			return true;
		case jbvNumeric:
			number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(scalar.val.numeric)));
			if (!isfinite(number))
				return false;
			*literals = lappend(*literals, json_number(number));
			return true;
		default:
			return false;
	}
}

/* One value that the field may have; false when no literal says so. */
static bool
add_value(const PineconeColumn *column, const PineconeCondition *condition, Datum value, Oid type,
		  List **literals)
{
	switch (condition->kind)
	{
		case PINECONE_COND_ELEMENT:
		case PINECONE_COND_OVERLAPS:
			*literals = lappend(*literals, json_string(TextDatumGetCString(value)));
			return true;
		case PINECONE_COND_JSON_TEXT:
		case PINECONE_COND_JSON_TEXT_IN:
			return add_texts(literals, TextDatumGetCString(value));
		case PINECONE_COND_JSON_EQUAL:
			return add_json(literals, DatumGetJsonbP(value));
		default:
			*literals = list_concat(*literals, pinecone_filter_equal_literals(column, value, type));
			return true;
	}
}

static bool
add_values(PineconeTable *table, const PineconeCondition *condition, const PineconeValues *values,
		   List **literals)
{
	const PineconeColumn *column = condition->attnum > 0 ? pinecone_option_column(table, condition->attnum) : NULL;
	bool is_array = condition->kind == PINECONE_COND_IN || condition->kind == PINECONE_COND_OVERLAPS ||
					condition->kind == PINECONE_COND_JSON_TEXT_IN;
	Datum *elements = &values->values[condition->value];
	bool *nulls = &values->isnull[condition->value];
	Oid type = getBaseType(values->types[condition->value]);
	int n = 1;

	/* NULL is not distinct from a field that is not there */
	if (values->isnull[condition->value])
		return false;
	if (is_array)
		n = array_elements(values->values[condition->value], type, &elements, &nulls, &type);
	for (int i = 0; i < n; i++)
	{
		if (!nulls[i] && !add_value(column, condition, elements[i], type, literals))
			return false;
	}
	return true;
}

/* ---- Keys ---- */

static const char *
field_of(PineconeTable *table, const PineconeCondition *condition)
{
	return condition->attnum > 0 ? pinecone_option_column(table, condition->attnum)->field : condition->key;
}

static List *
add_fields(List *fields, PineconeTable *table, const PineconeCondition *condition)
{
	ListCell *lc;

	if (condition->attnum > 0 || condition->key != NULL)
		fields = lappend(fields, (char *) field_of(table, condition));
	foreach(lc, condition->args)
		fields = add_fields(fields, table, lfirst(lc));
	return fields;
}

/* The filter of some conditions together, or NULL when every record meets it. */
static char *
filter_of(PineconeTable *table, List *conditions, const PineconeValues *values)
{
	PineconeCondition all = {.kind = PINECONE_COND_AND, .value = -1, .args = conditions};

	return pinecone_filter_render(table, &all, values).json;
}

bool
pinecone_filter_key_make(PineconeTable *table, const PineconeCondition *condition,
						 const PineconeValues *values, const Bitmapset *varying,
						 PineconeFilterKey *key)
{
	PineconeCondition *first = NULL;
	List *own = NIL;
	List *rest = NIL;
	ListCell *lc;

	memset(key, 0, sizeof(*key));
	foreach(lc, conjuncts(condition))
	{
		PineconeCondition *part = lfirst(lc);

		if (!differs(part, varying))
			rest = lappend(rest, part);
		else
			own = lappend(own, part);
		if (first == NULL && differs(part, varying) && is_key(table, part))
			first = part;
	}
	if (first != NULL)
	{
		if (!add_values(table, first, values, &key->literals) || key->literals == NIL)
			return false;
		key->field = field_of(table, first);
	}
	key->rest = filter_of(table, rest, values);
	if (first == NULL || list_length(own) > 1)
		key->own = filter_of(table, own, values);
	/* every record, or none */
	if (first == NULL && key->own == NULL)
		return false;
	foreach(lc, own)
		key->fields = add_fields(key->fields, table, lfirst(lc));
	return true;
}

/* ---- Together ---- */

typedef enum LiteralKind
{
	LITERAL_STRING,
	LITERAL_NUMBER,
	LITERAL_BOOL, /* of which $in is not documented */
	LITERAL_KINDS
} LiteralKind;

static LiteralKind
literal_kind(const char *literal)
{
	switch (literal[0])
	{
		case '"':
			return LITERAL_STRING;
		case 't':
		case 'f':
			return LITERAL_BOOL;
		default:
			return LITERAL_NUMBER;
	}
}

PineconeFilter
pinecone_filter_key_any(const char *field, List *literals)
{
	List *kinds[LITERAL_KINDS] = {NIL};
	List *filters = NIL;
	ListCell *lc;

	/* lists of mixed kinds are refused */
	foreach(lc, literals)
	{
		LiteralKind kind = literal_kind(lfirst(lc));

		if (kind == LITERAL_BOOL)
			filters = add_filter(filters, field_filter(field, "$eq", lfirst(lc)));
		else
			kinds[kind] = lappend(kinds[kind], lfirst(lc));
	}
	for (int kind = 0; kind < LITERAL_KINDS; kind++)
	{
		if (list_length(kinds[kind]) == 1)
			filters = add_filter(filters, field_filter(field, "$eq", linitial(kinds[kind])));
		else if (kinds[kind] != NIL)
			filters = add_filter(filters, pinecone_filter_in(field, kinds[kind], false));
	}
	return join_filters(filters, false);
}

/* ---- Literals of records ---- */

static List *
add_record_value(List *literals, const PineconeValue *value)
{
	switch (value->kind)
	{
		case PINECONE_VALUE_STRING:
			return value->no_text ? literals : lappend(literals, json_string(value->text));
		case PINECONE_VALUE_NUMBER:
			return lappend(literals, json_number(value->number));
		case PINECONE_VALUE_BOOL:
			return lappend(literals, pstrdup(value->boolean ? "true" : "false"));
		case PINECONE_VALUE_LIST:
			for (int i = 0; i < value->nitems; i++)
			{
				if (value->items[i].kind == PINECONE_VALUE_STRING)
					literals = add_record_value(literals, &value->items[i]);
			}
			return literals;
		default:
			return literals;
	}
}

List *
pinecone_filter_key_values(const char *field, const PineconeFields *fields)
{
	List *literals = NIL;

	for (int i = 0; i < fields->n; i++)
	{
		if (fields->fields[i].name != NULL && strcmp(fields->fields[i].name, field) == 0)
			literals = add_record_value(literals, &fields->fields[i].value);
	}
	return literals;
}
