/*
 * import_options.c
 *		The options of IMPORT FOREIGN SCHEMA.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "admin/import_options.h"
#include "option/column_type.h"

/* Records looked at in a namespace */
#define DEFAULT_SAMPLE_SIZE 100
#define MAX_SAMPLE_SIZE 100000

static void
reject_option(DefElem *def, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\": \"%s\"", def->defname, defGetString(def)),
			 errhint("%s", hint)));
}

static Oid
read_vector_type(DefElem *def)
{
	char *value = defGetString(def);
	Oid vector = pinecone_column_type_of_pgvector("vector");

	if (pg_strcasecmp(value, "real[]") == 0)
		return FLOAT4ARRAYOID;
	if (pg_strcasecmp(value, "vector") != 0)
		reject_option(def, "Valid values are: real[], vector.");
	if (!OidIsValid(vector))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type \"vector\" does not exist"),
				 errhint("Install it with CREATE EXTENSION vector, or import vectors as real[].")));
	return vector;
}

static bool
read_bool(DefElem *def)
{
	bool value;

	if (!parse_bool(defGetString(def), &value))
		reject_option(def, "Valid values are true and false.");
	return value;
}

/* One of some words, by its number */
static int
read_choice(DefElem *def, const char *const *choices, int n, const char *hint)
{
	for (int i = 0; i < n; i++)
	{
		if (strcmp(defGetString(def), choices[i]) == 0)
			return i;
	}
	reject_option(def, hint);
	return 0;
}

/*
 * Defaults first, and then what the statement says; an unknown option is an
 * error that lists those there are.
 */
void
pinecone_import_read_options(List *defs, PineconeImportOptions *options)
{
	static const char *const numbers[] = {"double", "integer", "numeric"};
	static const char *const names[] = {"snake", "as_is"};
	static const char *const strings[] = {"typed", "text"};
	Oid vector = pinecone_column_type_of_pgvector("vector");
	ListCell *lc;

	options->sample_size = DEFAULT_SAMPLE_SIZE;
	options->vector_type = OidIsValid(vector) ? vector : FLOAT4ARRAYOID;
	options->metadata = options->score = options->fold_names = options->typed_strings = true;
	options->numbers = PINECONE_IMPORT_DOUBLE;
	options->one_table = NULL;
	options->aliases = false;
	options->default_table = "default_namespace";
	foreach(lc, defs)
	{
		DefElem *def = lfirst(lc);

		if (strcmp(def->defname, "sample_size") == 0)
		{
			if (!parse_int(defGetString(def), &options->sample_size, 0, NULL) ||
				options->sample_size < 0 || options->sample_size > MAX_SAMPLE_SIZE)
				reject_option(def, psprintf("Valid values are between 0 and %d.", MAX_SAMPLE_SIZE));
		}
		else if (strcmp(def->defname, "vector_type") == 0)
			options->vector_type = read_vector_type(def);
		else if (strcmp(def->defname, "metadata") == 0)
			options->metadata = read_bool(def);
		else if (strcmp(def->defname, "score") == 0)
			options->score = read_bool(def);
		else if (strcmp(def->defname, "numbers") == 0)
			options->numbers = read_choice(def, numbers, lengthof(numbers), "Valid values are: double, integer, numeric.");
		else if (strcmp(def->defname, "names") == 0)
			options->fold_names = read_choice(def, names, lengthof(names), "Valid values are: snake, as_is.") == 0;
		else if (strcmp(def->defname, "strings") == 0)
			options->typed_strings = read_choice(def, strings, lengthof(strings), "Valid values are: typed, text.") == 0;
		else if (strcmp(def->defname, "one_table") == 0)
		{
			options->one_table = defGetString(def);
			if (options->one_table[0] == '\0' || strlen(options->one_table) >= NAMEDATALEN)
				reject_option(def, "It is the name of a table.");
		}
		else if (strcmp(def->defname, "aliases") == 0)
			options->aliases = read_bool(def);
		else if (strcmp(def->defname, "default_table") == 0)
		{
			options->default_table = defGetString(def);
			if (options->default_table[0] == '\0' || strlen(options->default_table) >= NAMEDATALEN)
				reject_option(def, "It is the name of a table.");
		}
		else
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
					 errmsg("invalid option \"%s\"", def->defname),
					 errhint("Valid options for IMPORT FOREIGN SCHEMA are: sample_size, vector_type, numbers, strings, names, score, metadata, one_table, default_table, aliases.")));
	}
}
