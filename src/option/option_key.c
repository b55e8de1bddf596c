/*
 * option_key.c
 *		API keys: from user mappings, or from files that are read again when
 *		they have changed.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "catalog/pg_user_mapping.h"
#include "foreign/foreign.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/file.h"
#include "option/option_value.h"

/* Longer than any key, and short enough for a header */
#define MAX_KEY 4000
#define MAX_KEY_FILE 65536

static char *
refuse_key(bool again, const char *path)
{
	if (!again)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("API key file \"%s\" does not hold a key", path),
				 errdetail("A key consists of printable ASCII characters without spaces.")));
	return NULL;
}

/* The key in a file, read again whenever the file has changed. */
static char *
key_from_file(const char *path, bool again)
{
	const PineconeFile *file = pinecone_file_read(path, "API key file", MAX_KEY_FILE, again);
	size_t len;
	char *key;

	if (file == NULL)
		return NULL;
	for (len = file->len; len > 0 && isspace((unsigned char) file->data[len - 1]);)
		len--;
	if (len > MAX_KEY || memchr(file->data, '\0', len) != NULL)
		return refuse_key(again, path);
	key = pnstrdup(file->data, len);
	if (!pinecone_option_key_is_valid(key))
		return refuse_key(again, path);
	if (file->fresh && file->public)
		ereport(WARNING,
				(errmsg("API key file \"%s\" can be read by every user of the database server's machine", path),
				 errhint("Let only the user read it that runs PostgreSQL, as with chmod 600.")));
	return key;
}

/* An option of that name among a mapping's, palloc'ed, or NULL.  This runs for every call. */
static char *
mapping_option(const Datum *options, int n, const char *name)
{
	size_t len = strlen(name);

	for (int i = 0; i < n; i++)
	{
		const char *text = VARDATA_ANY(DatumGetPointer(options[i]));
		size_t textlen = VARSIZE_ANY_EXHDR(DatumGetPointer(options[i]));

		if (textlen > len && text[len] == '=' && memcmp(text, name, len) == 0)
			return pnstrdup(text + len + 1, textlen - len - 1);
	}
	return NULL;
}

/*
 * The key of a user mapping, or of the file that it names. "again" has the file
 * read anew: the service has just refused what was in it.
 */
char *
pinecone_option_api_key(Oid mappingid, bool again)
{
	HeapTuple tuple = SearchSysCache1(USERMAPPINGOID, ObjectIdGetDatum(mappingid));
	Datum datum;
	bool isnull;
	Oid serverid;
	Datum *options = NULL;
	int n = 0;
	char *key;
	char *path;

	if (!HeapTupleIsValid(tuple))
	{
		if (again)
			return NULL;
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the user mapping in use has been dropped")));
	}
	serverid = ((Form_pg_user_mapping) GETSTRUCT(tuple))->umserver;
	datum = SysCacheGetAttr(USERMAPPINGOID, tuple, Anum_pg_user_mapping_umoptions, &isnull);
	if (!isnull)
		deconstruct_array(DatumGetArrayTypeP(datum), TEXTOID, -1, false, TYPALIGN_INT, &options, NULL, &n);
	key = mapping_option(options, n, "api_key");
	path = mapping_option(options, n, "api_key_file");
	ReleaseSysCache(tuple);
	if (path != NULL)
		return key_from_file(path, again);
	if (key == NULL && !again)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
				 errmsg("no API key for server \"%s\"", GetForeignServer(serverid)->servername),
				 errhint("Set the \"api_key\" option with CREATE or ALTER USER MAPPING.")));
	/* whatever wrapper it comes from, it goes into a header */
	if (key != NULL && !pinecone_option_key_is_valid(key))
	{
		if (again)
			return NULL;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for option \"%s\"", "api_key"),
				 errdetail("A key consists of printable ASCII characters without spaces.")));
	}
	return key;
}
