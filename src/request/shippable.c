/*
 * shippable.c
 *		What Pinecone answers exactly as SQL would, as a superset, or not at all.
 *
 * One table, by the column's type and the kind of condition.  What the rows
 * rely on:
 *
 * - A record lacking a field never matches $eq, $in and ranges; for $ne and
 *   $nin both readings have been seen, so they are always sent together with
 *   $exists, which makes them right under either.
 * - A stored value that does not fit the column's type is an error when it is
 *   read, so that by default it need not be considered.  Under on_type_error
 *   'null' it reads as NULL: what it matches remotely must be checked again,
 *   and a condition that NULL satisfies must not be sent at all.  Which values
 *   fit a domain is for its constraints to say, so there nothing but what the
 *   column reads decides.
 * - The same goes for the whole metadata object, which reads as NULL when it
 *   holds a string that PostgreSQL's text cannot.
 * - $eq on a list of strings means "contains".  A list in a text column is
 *   such a value that does not fit.
 * - Numbers are float64 on both sides; filter.c rounds the bounds so that
 *   comparisons with bigint and numeric stay exact.
 * - Strings compare bytewise and only for equality.
 * - Fields that the schema of a document index declares are not metadata.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/lsyscache.h"

#include "request/shippable.h"
#include "value/metadata_of_columns.h"
#include "wire/schema.h"

/* Kinds of conditions that are answered alike */
typedef enum ConditionGroup
{
	GROUP_EQUAL,		/* = and IN */
	GROUP_UNEQUAL,		/* <> and NOT IN */
	GROUP_RANGE,		/* < <= > >= */
	GROUP_DISTINCT,		/* IS DISTINCT FROM */
	GROUP_NOT_DISTINCT, /* IS NOT DISTINCT FROM */
	GROUP_LIST,			/* @>, && and = ANY (column) */
	GROUP_COUNT
} ConditionGroup;

typedef struct Rule
{
	PineconeExactness on_error; /* by default */
	PineconeExactness on_null;	/* under on_type_error 'null' */
} Rule;

#define NO \
	{ \
		PINECONE_LOCAL, PINECONE_LOCAL \
	}
#define EXACT \
	{ \
		PINECONE_EXACT, PINECONE_EXACT \
	}
#define EXACT_OR_SUPERSET \
	{ \
		PINECONE_EXACT, PINECONE_SUPERSET \
	}
#define EXACT_OR_LOCAL \
	{ \
		PINECONE_EXACT, PINECONE_LOCAL \
	}
#define SUPERSET \
	{ \
		PINECONE_SUPERSET, PINECONE_SUPERSET \
	}

static const Rule rules[][GROUP_COUNT] = {
	/* clang-format off */
	/*						 =, IN				<>, NOT IN			< <= > >=			IS DISTINCT		IS NOT DISTINCT		lists */
	[PINECONE_CLASS_TEXT] = {EXACT_OR_SUPERSET, EXACT_OR_SUPERSET,	NO,					EXACT_OR_LOCAL,	EXACT_OR_LOCAL,		NO},
	[PINECONE_CLASS_ENUM] = {EXACT_OR_SUPERSET, EXACT_OR_SUPERSET,	NO,					EXACT_OR_LOCAL,	EXACT_OR_LOCAL,		NO},
	[PINECONE_CLASS_UUID] = {EXACT_OR_SUPERSET, EXACT_OR_SUPERSET,	NO,					EXACT_OR_LOCAL,	EXACT_OR_LOCAL,		NO},
	[PINECONE_CLASS_BOOL] = {EXACT,				EXACT_OR_SUPERSET,	NO,					EXACT_OR_LOCAL,	EXACT_OR_LOCAL,		NO},
	[PINECONE_CLASS_INT] = {EXACT_OR_SUPERSET,	EXACT_OR_SUPERSET,	EXACT_OR_SUPERSET,	EXACT_OR_LOCAL,	EXACT_OR_LOCAL,		NO},
	[PINECONE_CLASS_NUMBER] = {EXACT,			EXACT_OR_SUPERSET,	EXACT,				EXACT_OR_LOCAL,	EXACT_OR_LOCAL,		NO},
	[PINECONE_CLASS_FLOAT4] = {SUPERSET,		NO,					SUPERSET,			NO,				NO,					NO},
	[PINECONE_CLASS_EPOCH] = {SUPERSET,			NO,					SUPERSET,			NO,				NO,					NO},
	[PINECONE_CLASS_ISO_DATE] = {EXACT_OR_SUPERSET, EXACT_OR_SUPERSET, NO,				EXACT_OR_LOCAL,	EXACT_OR_LOCAL,		NO},
	[PINECONE_CLASS_LIST] = {NO,				NO,					NO,					NO,				NO,					EXACT_OR_SUPERSET},
	[PINECONE_CLASS_OTHER] = {NO,				NO,					NO,					NO,				NO,					NO},
	/* clang-format on */
};

/*
 * The switch is over the types that have rules of their own. A numeric with a
 * scale compares as integers do: its values are rounded when they are read.
 */
PineconeTypeClass
pinecone_shippable_class(const PineconeColumn *column)
{
	int32 typmod = column->typmod;
	Oid typid = getBaseTypeAndTypmod(column->typid, &typmod);

	switch (typid)
	{
		case TEXTOID:
		case VARCHAROID:
			return PINECONE_CLASS_TEXT;
		case UUIDOID:
			return PINECONE_CLASS_UUID;
		case BOOLOID:
			return PINECONE_CLASS_BOOL;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return PINECONE_CLASS_INT;
		case NUMERICOID:
			return typmod >= 0 ? PINECONE_CLASS_INT : PINECONE_CLASS_NUMBER;
		case FLOAT8OID:
			return PINECONE_CLASS_NUMBER;
		case FLOAT4OID:
			return PINECONE_CLASS_FLOAT4;
		case TIMESTAMPTZOID:
		case TIMESTAMPOID:
			return pinecone_format_is_epoch(column->format) ? PINECONE_CLASS_EPOCH :
															  PINECONE_CLASS_OTHER;
		case DATEOID:
			return pinecone_format_is_epoch(column->format) ? PINECONE_CLASS_INT :
															  PINECONE_CLASS_ISO_DATE;
		case TEXTARRAYOID:
			return PINECONE_CLASS_LIST;
		default:
			if (get_typtype(typid) == TYPTYPE_ENUM)
				return PINECONE_CLASS_ENUM;
			return PINECONE_CLASS_OTHER;
	}
}

/*
 * Does every value of this type that a stored value can equal fit the column?
 * An int8 may equal what an int4 column cannot hold; an int2 may not.
 */
static bool
equals_only_what_fits(const PineconeColumn *column, Oid valtype)
{
	switch (column->typid)
	{
		case INT2OID:
			return valtype == INT2OID;
		case INT4OID:
			return valtype == INT2OID || valtype == INT4OID;
		case INT8OID:
			return valtype == INT2OID || valtype == INT4OID || valtype == INT8OID;
		case DATEOID:
			return valtype == DATEOID;
		default:
			return false; /* numeric(p, s), domains */
	}
}

static ConditionGroup
condition_group(PineconeConditionKind kind, PineconeCompare compare)
{
	switch (kind)
	{
		case PINECONE_COND_COMPARE:
			if (compare == PINECONE_EQ)
				return GROUP_EQUAL;
			return compare == PINECONE_NE ? GROUP_UNEQUAL : GROUP_RANGE;
		case PINECONE_COND_IN:
			return GROUP_EQUAL;
		case PINECONE_COND_NOT_IN:
			return GROUP_UNEQUAL;
		case PINECONE_COND_DISTINCT:
			return GROUP_DISTINCT;
		case PINECONE_COND_NOT_DISTINCT:
			return GROUP_NOT_DISTINCT;
		default:
			return GROUP_LIST;
	}
}

PineconeExactness
pinecone_shippable_condition(const PineconeColumn *column, PineconeConditionKind kind,
							 PineconeCompare compare, Oid valtype, bool type_error_null)
{
	PineconeTypeClass class = pinecone_shippable_class(column);
	ConditionGroup group;
	const Rule *rule;

	/* whether fields that are declared can be filtered by as metadata is, nobody says */
	if (column->declared)
		return PINECONE_LOCAL;
	/* Presence needs no comparison, so it is the same for all types. */
	if (kind == PINECONE_COND_EXISTS)
		return type_error_null ? PINECONE_SUPERSET : PINECONE_EXACT;
	if (kind == PINECONE_COND_NOT_EXISTS)
		return type_error_null ? PINECONE_LOCAL : PINECONE_EXACT;

	group = condition_group(kind, compare);
	valtype = OidIsValid(valtype) ? getBaseType(valtype) : InvalidOid;
	rule = &rules[class][group];
	if (!type_error_null)
		return rule->on_error;
	if (class == PINECONE_CLASS_INT && group == GROUP_EQUAL && equals_only_what_fits(column, valtype))
		return PINECONE_EXACT;
	if (rule->on_null == PINECONE_EXACT && get_typtype(column->typid) == TYPTYPE_DOMAIN)
		return PINECONE_SUPERSET;
	return rule->on_null;
}

PineconeExactness
pinecone_shippable_metadata(const PineconeTable *table, PineconeConditionKind kind, const char *key)
{
	bool type_error_null = table->type_error_null;

	/* what is no metadata is not in the object, whatever Pinecone has under that name */
	if (key != NULL && pinecone_metadata_is_apart(table, key))
		return PINECONE_LOCAL;
	/* true of NULL */
	if (kind == PINECONE_COND_NOT_EXISTS && type_error_null)
		return PINECONE_LOCAL;
	switch (kind)
	{
		case PINECONE_COND_EXISTS:
		case PINECONE_COND_NOT_EXISTS:
		case PINECONE_COND_KEYS_ANY:
		case PINECONE_COND_KEYS_ALL:
		case PINECONE_COND_RAW:
			/* which names their values mention is not known yet, see filter.c */
			if ((table->schema != NULL || table->text_field != NULL) && key == NULL)
				return PINECONE_SUPERSET;
			return type_error_null ? PINECONE_SUPERSET : PINECONE_EXACT;

			/* A list containing the string matches remotely, not here */
		case PINECONE_COND_JSON_CONTAINS:
		case PINECONE_COND_JSON_TEXT:
		case PINECONE_COND_JSON_EQUAL:
		case PINECONE_COND_JSON_TEXT_IN:
			return PINECONE_SUPERSET;
		default:
			return PINECONE_LOCAL;
	}
}
