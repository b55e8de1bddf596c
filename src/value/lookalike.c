/*
 * lookalike.c
 *		Columns whose field no record has, but for its spelling.
 *
 * SQL folds a name to lower case unless it is quoted, so that a column ticketId
 * reads the field "ticketid" while records have "ticketId": NULL everywhere.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/hsearch.h"

#include "value/lookalike.h"

typedef struct Warned
{
	Oid relid;
	int attnum;
} Warned;

/* Are names the same but for case and underscores? */
static bool
is_alike(const char *a, const char *b)
{
	for (;;)
	{
		a += strspn(a, "_");
		b += strspn(b, "_");
		if (*a == '\0' || pg_tolower((unsigned char) *a) != pg_tolower((unsigned char) *b))
			return *a == *b;
		a++;
		b++;
	}
}

static bool
has_column(const PineconeTable *table, const char *field)
{
	for (int i = 0; i < table->ncolumns; i++)
	{
		const PineconeColumn *column = &table->columns[i];

		if (column->role == PINECONE_ROLE_FIELD && strcmp(column->field, field) == 0)
			return true;
	}
	return false;
}

/* Has it been said of this column, or (0) been looked at for the table?  It has now. */
static bool
was_warned(const PineconeTable *table, int attnum)
{
	static HTAB *warned = NULL;
	Warned key;
	bool found;

	if (warned == NULL)
	{
		HASHCTL ctl = {0};

		ctl.keysize = ctl.entrysize = sizeof(Warned);
		warned = hash_create("pinecone columns warned of", 16, &ctl, HASH_ELEM | HASH_BLOBS);
	}
	memset(&key, 0, sizeof(key));
	key.relid = table->relid;
	key.attnum = attnum;
	(void) hash_search(warned, &key, HASH_ENTER, &found);
	return found;
}

void
pinecone_lookalike_warn(const PineconeTable *table, const PineconeColumn *column,
						const PineconeFields *fields, const char *id)
{
	for (int i = 0; i < fields->n; i++)
	{
		const char *name = fields->fields[i].name;

		if (name == NULL || !is_alike(name, column->field) || has_column(table, name))
			continue;
		if (was_warned(table, column->attnum))
			return;
		ereport(WARNING,
				(errmsg("column \"%s\" of foreign table \"%s\" reads metadata field \"%s\", but there is a field \"%s\"",
						column->name, table->name, column->field, name),
				 errdetail("Record \"%s\" has it.", id),
				 errhint("ALTER FOREIGN TABLE ... ALTER COLUMN %s OPTIONS (ADD field '%s').",
						 quote_identifier(column->name), name)));
		return;
	}
}

bool
pinecone_lookalike_is_new(const PineconeTable *table)
{
	return !was_warned(table, 0);
}
