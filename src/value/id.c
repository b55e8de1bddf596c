/*
 * id.c
 *		Record ids as values of an id column, and back.
 *
 * Ids are text to Pinecone.  An id column may also be a uuid or an integer,
 * for tables whose keys are: then an id fits that is spelled as PostgreSQL
 * spells the value, so that no two ids are the same value.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/uuid.h"

#include "value/id.h"

char *
pinecone_id_text(Oid typid, Datum value)
{
	switch (getBaseType(typid))
	{
		case UUIDOID:
			return DatumGetCString(DirectFunctionCall1(uuid_out, value));
		case INT4OID:
			return psprintf("%d", DatumGetInt32(value));
		case INT8OID:
			return psprintf(INT64_FORMAT, DatumGetInt64(value));
		default:
			return TextDatumGetCString(value);
	}
}

/* 8-4-4-4-12 hexadecimal digits in lower case */
static bool
is_uuid(const char *id)
{
	if (strlen(id) != 36)
		return false;
	for (int i = 0; i < 36; i++)
	{
		bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (hyphen ? id[i] != '-' : strchr("0123456789abcdef", id[i]) == NULL)
			return false;
	}
	return true;
}

static bool
integer_id(const char *id, int64 min, int64 max, int64 *number)
{
	char *end;

	errno = 0;
	*number = strtoll(id, &end, 10);
	return errno == 0 && *number >= min && *number <= max &&
		   strcmp(psprintf(INT64_FORMAT, *number), id) == 0;
}

bool
pinecone_id_datum(Oid typid, const char *id, Datum *datum)
{
	int64 number;

	switch (getBaseType(typid))
	{
		case UUIDOID:
			if (!is_uuid(id))
				return false;
			*datum = DirectFunctionCall1(uuid_in, CStringGetDatum(id));
			return true;
		case INT4OID:
			if (!integer_id(id, PG_INT32_MIN, PG_INT32_MAX, &number))
				return false;
			*datum = Int32GetDatum((int32) number);
			return true;
		case INT8OID:
			if (!integer_id(id, PG_INT64_MIN, PG_INT64_MAX, &number))
				return false;
			*datum = Int64GetDatum(number);
			return true;
		default:
			*datum = PointerGetDatum(cstring_to_text(id));
			return true;
	}
}
