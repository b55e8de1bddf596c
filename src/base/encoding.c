/*
 * encoding.c
 *		Conversions between UTF-8 and the database's encoding that do not fail.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "base/encoding.h"

/* One character of UTF-8, converted or escaped. */
static void
append_char(StringInfo buf, Oid proc, const char *c, int len)
{
	char converted[MAX_CONVERSION_GROWTH * 4 + 1];

	if (len == 1)
		appendStringInfoChar(buf, *c);
	else if (OidIsValid(proc) &&
			 pg_do_encoding_conversion_buf(proc, PG_UTF8, GetDatabaseEncoding(),
										   (unsigned char *) unconstify(char *, c), len,
										   (unsigned char *) converted, sizeof(converted), true) == len)
		appendStringInfoString(buf, converted);
	else
	{
		/* "substitute", and what it was: in JSON only strings have such characters */
		appendStringInfoString(buf, "\\u001a");
		for (int i = 0; i < len; i++)
			appendStringInfo(buf, "%02x", (unsigned char) c[i]);
	}
}

char *
pinecone_json_to_server(char *json, int len)
{
	int encoding = GetDatabaseEncoding();
	StringInfoData buf;
	Oid proc;

	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII)
		return json;
	proc = FindDefaultConversionProc(PG_UTF8, encoding);
	initStringInfo(&buf);
	for (int i = 0; i < len;)
	{
		int size = Min(pg_utf_mblen((unsigned char *) json + i), len - i);

		append_char(&buf, proc, json + i, size);
		i += size;
	}
	return buf.data;
}

char *
pinecone_json_from_server(char *json)
{
	return (char *) pg_do_encoding_conversion((unsigned char *) json, strlen(json),
											  GetDatabaseEncoding(), PG_UTF8);
}
