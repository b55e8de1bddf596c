/*
 * option_key.c
 *		API keys: from user mappings, or from files that are read again when
 *		they have changed.
 */
#include "postgres.h"

#include <sys/stat.h>

#include "access/htup_details.h"
#include "access/reloptions.h"
#include "catalog/pg_user_mapping.h"
#include "foreign/foreign.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "option/option_value.h"
/* A key file as it was when last read; kept for the backend's life. */
typedef struct KeyFile
{
	char *path;
	struct stat stat;
	char *key;
} KeyFile;

static List *key_files = NIL;

/* Longer than any key, and short enough for a header */
#define MAX_KEY 4000

/* NULL where there is none, which the first time is an error. */
static char *
read_key_file(const char *path, bool again)
{
	char buf[4096];
	FILE *file = AllocateFile(path, "r");
	size_t n;
	bool failed;

	if (file == NULL)
	{
		if (again)
			return NULL;
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open API key file \"%s\": %m", path)));
	}
	n = fread(buf, 1, sizeof(buf) - 1, file);
	failed = ferror(file) != 0;
	if (failed && !again)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read API key file \"%s\": %m", path)));
	FreeFile(file);
	if (failed)
		return NULL;
	while (n > 0 && isspace((unsigned char) buf[n - 1]))
		n--;
	buf[n] = '\0';
	if (strlen(buf) != n || n > MAX_KEY || !pinecone_option_key_is_valid(buf))
	{
		if (again)
			return NULL;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("API key file \"%s\" does not hold a key", path),
				 errdetail("A key consists of printable ASCII characters without spaces.")));
	}
	return pstrdup(buf);
}

/* The key in a file, read again whenever the file has changed. */
static char *
key_from_file(const char *path, bool again)
{
	KeyFile *file = NULL;
	struct stat now;
	char *key;
	ListCell *lc;
	MemoryContext old;

	if (stat(path, &now) < 0)
	{
		if (again)
			return NULL;
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read API key file \"%s\": %m", path)));
	}
	/* opening a pipe would wait for its writer */
	if (!S_ISREG(now.st_mode))
	{
		if (again)
			return NULL;
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("API key file \"%s\" is not a regular file", path)));
	}
	foreach(lc, key_files)
	{
		if (strcmp(((KeyFile *) lfirst(lc))->path, path) == 0)
			file = lfirst(lc);
	}
	if (!again && file != NULL && file->stat.st_ino == now.st_ino && file->stat.st_dev == now.st_dev &&
		file->stat.st_size == now.st_size &&
		file->stat.st_mtim.tv_sec == now.st_mtim.tv_sec &&
		file->stat.st_mtim.tv_nsec == now.st_mtim.tv_nsec)
		return pstrdup(file->key);

	key = read_key_file(path, again);
	if (key == NULL)
		return NULL;
	old = MemoryContextSwitchTo(TopMemoryContext);
	if (file == NULL)
	{
		file = palloc0(sizeof(KeyFile));
		file->path = pstrdup(path);
		key_files = lappend(key_files, file);
	}
	else
		pfree(file->key);
	file->key = pstrdup(key);
	file->stat = now;
	MemoryContextSwitchTo(old);
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
