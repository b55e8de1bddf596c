/*
 * json_text.c
 *		Is a text JSON that PostgreSQL's types take?
 *
 * Asked before the input functions see it, for those raise errors that name
 * no record, and that nobody can make a NULL of.
 */
#include "postgres.h"

#include "common/jsonapi.h"
#include "mb/pg_wchar.h"

#include "base/compat.h"
#include "value/json_text.h"

/* Deeper than anybody nests, and well within the stack */
#define MAX_DEPTH 500

/* Exponents that numeric takes have fewer digits */
#define MAX_EXPONENT_DIGITS 4

/* The end of a string that begins at p, or the end of it all. */
static const char *
skip_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
	{
		if (*p == '\\')
			p++;
	}
	return p;
}

/* Is it within bounds of ours: depth, and exponents? */
static bool
is_moderate(const char *text, int len)
{
	const char *end = text + len;
	int depth = 0;

	for (const char *p = text; p < end; p++)
	{
		if (*p == '"')
			p = skip_string(p, end);
		else if (*p == '[' || *p == '{')
		{
			if (++depth > MAX_DEPTH)
				return false;
		}
		else if (*p == ']' || *p == '}')
			depth--;
		else if ((*p == 'e' || *p == 'E') && p > text && p[-1] >= '0' && p[-1] <= '9')
		{
			const char *digits = p + 1 + strspn(p + 1, "+-0");

			if (strspn(digits, "0123456789") >= MAX_EXPONENT_DIGITS)
				return false;
		}
	}
	return true;
}

bool
pinecone_json_text_is_valid(char *text, int len, bool jsonb)
{
	JsonLexContext *lex;

	if (!is_moderate(text, len))
		return false;
	lex = pinecone_json_lex(text, len, GetDatabaseEncoding(), jsonb);
	return pg_parse_json(lex, &nullSemAction) == JSON_SUCCESS;
}
