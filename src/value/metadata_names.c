/*
 * metadata_names.c
 *		Fields of a record that are no metadata to SQL: what the schema of a document
 *		index declares, and the text that a column of its own shows.
 */
#include "postgres.h"

#include "value/metadata_of_columns.h"
#include "wire/schema.h"

static bool
is_text(const PineconeTable *table, const char *name)
{
	return table->text_field != NULL && strcmp(table->text_field, name) == 0;
}

bool
pinecone_metadata_is_apart(const PineconeTable *table, const char *name)
{
	return is_text(table, name) || pinecone_schema_reserves(table->schema, name);
}

const char *
pinecone_metadata_check_names(const PineconeMetadata *metadata, const PineconeTable *table, const char **hint)
{
	for (int i = 0; i < metadata->n; i++)
	{
		const PineconeMetadataEntry *entry = &metadata->entries[i];

		if (entry->is_json || !pinecone_metadata_is_apart(table, entry->key))
			continue;
		*hint = is_text(table, entry->key) ? "It is the text, which has a column of its own." :
				entry->key[0] == '_'	   ? "Names do not begin with \"_\"." :
											 "The index's schema declares it: it has a column of its own.";
		return psprintf("\"%s\" is no field of metadata", entry->key);
	}
	return NULL;
}

void
pinecone_metadata_keep_texts(PineconeMetadata *metadata, const PineconeTable *table, const PineconeRecord *stored)
{
	PineconeMetadata all = {0};
	PineconeMetadata given = *metadata;

	if (table->schema == NULL && table->text_field == NULL)
		return;
	memset(metadata, 0, sizeof(*metadata));
	(void) pinecone_metadata_add_stored(&all, stored);
	for (int i = 0; i < all.n; i++)
	{
		const PineconeMetadataEntry *entry = &all.entries[i];

		if (!entry->is_json && (is_text(table, entry->key) || pinecone_schema_field(table->schema, entry->key) != NULL))
			pinecone_metadata_set(metadata, entry->key, entry->json);
	}
	for (int i = 0; i < given.n; i++)
		pinecone_metadata_set(metadata, given.entries[i].key, given.entries[i].json);
}

void
pinecone_metadata_add_texts(PineconeMetadata *metadata, const PineconeTable *table, const PineconeFieldColumn *fields,
							int nfields, const Bitmapset *assigned, const Datum *values, const bool *isnull)
{
	for (int i = 0; i < nfields; i++)
	{
		const PineconeColumn *column = fields[i].column;

		if (!bms_is_member(column->attnum, assigned) && !isnull[column->attnum - 1] &&
			pinecone_metadata_is_apart(table, column->field))
			(void) pinecone_metadata_add_column(metadata, &fields[i], values[column->attnum - 1]);
	}
}
