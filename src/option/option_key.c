/*
 * option_key.c
 *		API keys: from user mappings, or from files that are read again when
 *		they have changed.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/reloptions.h"
#include "catalog/pg_user_mapping.h"
#include "foreign/foreign.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

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

char *
pinecone_option_api_key(Oid mappingid, bool again)
{
	HeapTuple tuple = SearchSysCache1(USERMAPPINGOID, ObjectIdGetDatum(mappingid));
	Datum datum;
	bool isnull;
	Oid serverid;
	List *defs;
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
	defs = isnull ? NIL : untransformRelOptions(datum);
	ReleaseSysCache(tuple);

	key = pinecone_option_value(defs, "api_key");
	path = pinecone_option_value(defs, "api_key_file");
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
