/*
 * import_names.c
 *		What the column of a field is called: "createdAt" is created_at, "loc.lines.from"
 *		loc_lines_from, "HTTPStatus" http_status, "_node_content" node_content.
 *
 * Letters beyond ASCII stay as they are: SQL takes them, in either case.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "admin/import_names.h"

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_part(char c)
{
	return is_upper(c) || is_lower(c) || is_digit(c) || IS_HIGHBIT_SET(c);
}

/* Does a word begin here?  "createdAt", "HTTPStatus" */
static bool
begins_word(const char *name, const char *p)
{
	return p > name && is_upper(*p) &&
		   (is_lower(p[-1]) || is_digit(p[-1]) || (is_upper(p[-1]) && is_lower(p[1])));
}

char *
pinecone_import_fold(const char *name)
{
	StringInfoData buf;
	bool gap = false;

	initStringInfo(&buf);
	for (const char *p = name; *p; p++)
	{
		if (!is_part(*p))
		{
			gap = buf.len > 0;
			continue;
		}
		if (gap || begins_word(name, p) || (buf.len == 0 && is_digit(*p)))
			appendStringInfoChar(&buf, '_');
		gap = false;
		appendStringInfoChar(&buf, is_upper(*p) ? *p - 'A' + 'a' : *p);
	}
	return buf.data;
}
