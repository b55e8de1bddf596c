/*
 * embedded_text.c
 *		The text of a record that Pinecone is to make its vector of.
 */
#include "postgres.h"

#include "client/vectors.h"
#include "value/embedded_text.h"
#include "wire/schema.h"

bool
pinecone_embedded_text_is_set(const PineconeTable *table, const Bitmapset *assigned)
{
	for (int i = 0; table->integrated != NULL && i < table->ncolumns; i++)
	{
		const PineconeColumn *column = &table->columns[i];

		if ((column->embedded || column->role == PINECONE_ROLE_METADATA) && bms_is_member(column->attnum, assigned))
			return true;
	}
	return false;
}

static const PineconeValue *
find(const PineconeFields *fields, const char *name)
{
	for (int i = 0; i < fields->n; i++)
	{
		if (fields->fields[i].name != NULL && strcmp(fields->fields[i].name, name) == 0)
			return &fields->fields[i].value;
	}
	return NULL;
}

/* A text that was not there, or was another one; what is none has no vector made of it. */
static bool
is_new_text(const PineconeValue *before, const PineconeValue *after)
{
	if (after == NULL || after->kind != PINECONE_VALUE_STRING)
		return false;
	return before == NULL || before->kind != PINECONE_VALUE_STRING || before->no_text != after->no_text ||
		   strcmp(before->text, after->text) != 0;
}

/*
 * The text has to be there, and not be blank.  The id stands among the fields where
 * a text is sent, under either of two names.
 */
static const char *
check(const PineconeFields *fields, const char *field)
{
	const PineconeValue *text = find(fields, field);

	if (text == NULL)
		return psprintf("it needs a text in field \"%s\", of which Pinecone makes its vector, or a vector", field);
	if (text->kind != PINECONE_VALUE_STRING)
		return psprintf("its field \"%s\", of which Pinecone makes its vector, is not a text", field);
	if (!text->no_text && text->text[strspn(text->text, " \t\r\n")] == '\0')
		return psprintf("its text in field \"%s\" is empty: no vector can be made of that", field);
	if (find(fields, "id") != NULL || find(fields, "_id") != NULL)
		return "a record whose text Pinecone embeds cannot have a field \"id\" or \"_id\"";
	return NULL;
}

const char *
pinecone_embedded_text_settle(const PineconeTable *table, const PineconeRecord *stored, PineconeRecord *record)
{
	const char *field = table->integrated->fields[0].name;
	const PineconeFields *fields;

	if (stored == NULL && !pinecone_record_is_bare(record))
		return NULL;
	fields = pinecone_vectors_metadata_fields(record);
	if (stored != NULL && is_new_text(find(pinecone_vectors_metadata_fields(stored), field), find(fields, field)))
	{
		record->nvalues = 0;
		record->sparse.n = 0;
	}
	return pinecone_record_is_bare(record) ? check(fields, field) : NULL;
}

bool
pinecone_embedded_text_may_change(const PineconeTable *table, const Bitmapset *assigned, const PineconeRecord *shown)
{
	const PineconeValue *text;

	if (!pinecone_embedded_text_is_set(table, assigned))
		return false;
	text = find(pinecone_vectors_metadata_fields(shown), table->integrated->fields[0].name);
	return text != NULL && text->kind == PINECONE_VALUE_STRING;
}
