/*
 * import_types.c
 *		Types of columns from the values of a sample.
 *
 * A sample does not see all values.  Numbers are doubles by default, which is what
 * Pinecone keeps: a whole number that a fraction comes after would make a column of
 * integers that cannot be read.  Strings are what all of them in the sample are.
 */
#include "postgres.h"

#include <math.h>

#include "admin/import_types.h"
#include "value/json_text.h"
#include "value/times.h"

/* Integers up to here are all there in float64 */
#define MAX_EXACT_INTEGER 9007199254740992.0

#define SEEN_BOOL 0x0001
#define SEEN_INTEGER 0x0002
#define SEEN_NUMBER 0x0004
#define SEEN_STRINGS 0x0008 /* a list of them */
#define SEEN_OTHER 0x0010

/* Strings of whatever kind */
#define SEEN_TEXT 0x0020
#define SEEN_JSON 0x0040
#define SEEN_DATE 0x0080
#define SEEN_LOCAL 0x0100
#define SEEN_ISO 0x0200
#define SEEN_SHORT 0x0400
#define SEEN_PYTHON 0x0800
#define SEEN_OTHER_TIME 0x1000

#define SEEN_NUMBERS (SEEN_INTEGER | SEEN_NUMBER)
#define SEEN_TIMES (SEEN_ISO | SEEN_SHORT | SEEN_PYTHON | SEEN_OTHER_TIME)
#define SEEN_ALL_STRINGS (SEEN_TEXT | SEEN_JSON | SEEN_DATE | SEEN_LOCAL | SEEN_TIMES)

static int
classify_string(const PineconeValue *value)
{
	static const int of_spelling[] = {
		[PINECONE_TIME_DATE] = SEEN_DATE,
		[PINECONE_TIME_LOCAL] = SEEN_LOCAL,
		[PINECONE_TIME_ISO] = SEEN_ISO,
		[PINECONE_TIME_ISO_SHORT] = SEEN_SHORT,
		[PINECONE_TIME_ISO_PYTHON] = SEEN_PYTHON,
		[PINECONE_TIME_OTHER] = SEEN_OTHER_TIME,
	};
	PineconeTimeSpelling spelling;

	if (value->no_text)
		return SEEN_TEXT;
	if (value->text[0] == '{' || value->text[0] == '[')
		return pinecone_json_text_is_valid(value->text, value->len, true) ? SEEN_JSON : SEEN_TEXT;
	spelling = pinecone_times_spelling(value->text, value->len);
	return spelling == PINECONE_TIME_NONE ? SEEN_TEXT : of_spelling[spelling];
}

int
pinecone_import_classify(const PineconeValue *value)
{
	switch (value->kind)
	{
		case PINECONE_VALUE_NULL:
			return 0;
		case PINECONE_VALUE_BOOL:
			return SEEN_BOOL;
		case PINECONE_VALUE_STRING:
			return classify_string(value);
		case PINECONE_VALUE_NUMBER:
			return value->number == floor(value->number) && fabs(value->number) <= MAX_EXACT_INTEGER ? SEEN_INTEGER :
																									   SEEN_NUMBER;
		case PINECONE_VALUE_LIST:
			for (int i = 0; i < value->nitems; i++)
			{
				if (value->items[i].kind != PINECONE_VALUE_STRING)
					return SEEN_OTHER;
			}
			return SEEN_STRINGS;
		default:
			return SEEN_OTHER;
	}
}

int
pinecone_import_class_of_text(void)
{
	return SEEN_TEXT;
}

static bool
is_only(int seen, int kinds)
{
	return seen != 0 && (seen & ~kinds) == 0;
}

static const char *
type_of_strings(int seen, const char **format)
{
	if (seen == SEEN_DATE)
		return "date";
	if (seen == SEEN_LOCAL)
		return "timestamp without time zone";
	if (seen == SEEN_JSON)
	{
		*format = "json";
		return "jsonb";
	}
	if (!is_only(seen, SEEN_TIMES))
		return "text";
	/* a time with three digits may be of either; what is not all of one kind stays as it is */
	*format = seen == SEEN_ISO ? NULL : seen == SEEN_SHORT ? "iso_short" :
									seen == SEEN_PYTHON	   ? "iso_python" :
															 "as_stored";
	return "timestamp with time zone";
}

const char *
pinecone_import_type(int seen, const PineconeImportOptions *options, const char **format)
{
	*format = NULL;
	if (seen == SEEN_BOOL)
		return "boolean";
	if (seen == SEEN_STRINGS)
		return "text[]";
	if (is_only(seen, SEEN_NUMBERS))
	{
		if (options->numbers == PINECONE_IMPORT_NUMERIC)
			return "numeric";
		return options->numbers == PINECONE_IMPORT_INTEGER && seen == SEEN_INTEGER ? "bigint" : "double precision";
	}
	if (is_only(seen, SEEN_ALL_STRINGS))
		return options->typed_strings ? type_of_strings(seen, format) : "text";
	return "jsonb";
}
