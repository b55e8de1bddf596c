/*
 * field_width.c
 *		How large the fields are that are asked for of documents.
 *
 * A page of records has to be asked for by their number, and what is larger than
 * the service sends costs a request that is refused.  So this errs on the large
 * side; but a number is small whatever else is in a record, and pages come one
 * after the other: of what is small each should bring as many as it may.
 */
#include "postgres.h"

#include "utils/lsyscache.h"

#include "scan/field_width.h"

/* Of a field, besides its name and what is in it: quotes, a colon, a comma */
#define BYTES_PER_FIELD 8

/* A number, a date with time and zone, a uuid: what types of a fixed size hold */
#define BYTES_OF_FIXED 40

/* Texts may be as much longer than ANALYZE has found, what is escaped in them included */
#define MARGIN 2

/* What is in a column's field, by its type or by ANALYZE; 0: who knows. */
static double
width_of(const PineconeTable *table, const PineconeColumn *column)
{
	if (get_typlen(getBaseType(column->typid)) > 0)
		return BYTES_OF_FIXED;
	return MARGIN * get_attavgwidth(table->relid, column->attnum);
}

double
pinecone_width_of_fields(const PineconeTable *table, const List *columns, double unknown)
{
	double known = 0;
	bool any_unknown = false;

	for (int i = 0; i < table->ncolumns; i++)
	{
		const PineconeColumn *column = &table->columns[i];
		double width;

		if (column->role != PINECONE_ROLE_FIELD || !list_member_int(columns, column->attnum))
			continue;
		width = width_of(table, column);
		if (width > 0)
			known += strlen(column->field) + BYTES_PER_FIELD + width;
		else
			any_unknown = true;
	}
	return known + (any_unknown ? unknown : 0);
}
