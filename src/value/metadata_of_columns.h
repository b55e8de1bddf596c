/*
 * metadata_of_columns.h
 *		Metadata objects from columns, for record_of_row.c.
 */
#ifndef PINECONE_METADATA_OF_COLUMNS_H
#define PINECONE_METADATA_OF_COLUMNS_H

#include "option/option_list.h"
#include "utils/jsonb.h"
#include "wire/record.h"

/* A column whose values become metadata */
typedef struct PineconeFieldColumn
{
	PineconeColumn *column;
	Oid basetype; /* of a domain */
	bool is_enum;
} PineconeFieldColumn;

/* One field, its value as JSON text in the server encoding */
typedef struct PineconeMetadataEntry
{
	char *key;
	bool is_json; /* the key is JSON text as well: no column can name it */
	char *json;	  /* NULL: removed */
} PineconeMetadataEntry;

/* An object in the making; all zeros to begin with */
typedef struct PineconeMetadata
{
	int n;
	int size;
	PineconeMetadataEntry *entries;
	const char *hint;					 /* what to do about the value not taken, or NULL */
	const struct PineconeSchema *schema; /* of documents, whose texts are no metadata; or NULL */
	bool unchecked;						 /* how large it is has been looked at, or cannot be */
} PineconeMetadata;

/*
 * Add fields; one of a name that is there already takes its place.  These
 * return NULL, or the reason why Pinecone would not take the value.
 */
extern const char *pinecone_metadata_add_object(PineconeMetadata *metadata, Jsonb *object);
extern const char *pinecone_metadata_add_stored(PineconeMetadata *metadata,
												const PineconeRecord *record);
extern const char *pinecone_metadata_add_column(PineconeMetadata *metadata,
												const PineconeFieldColumn *column,
												Datum value);
extern void pinecone_metadata_set(PineconeMetadata *metadata, char *key, char *json);
extern void pinecone_metadata_remove(PineconeMetadata *metadata, const char *key);

/*
 * Is a name one that no metadata of the table has, because the index's schema
 * declares it or because it is that of the records' text?  And which does an object
 * have, NULL: none, with *hint set?
 */
extern bool pinecone_metadata_is_apart(const PineconeTable *table, const char *name);
extern const char *pinecone_metadata_check_names(const PineconeMetadata *metadata, const PineconeTable *table,
												 const char **hint);

/*
 * A new object of metadata leaves texts as they are stored, which are not part of
 * that: put them before it.
 */
extern void pinecone_metadata_keep_texts(PineconeMetadata *metadata, const PineconeTable *table,
										 const PineconeRecord *stored);

/* A row's texts that are not assigned, which an object of metadata does not have. */
extern void pinecone_metadata_add_texts(PineconeMetadata *metadata, const PineconeTable *table,
										const PineconeFieldColumn *fields, int nfields,
										const Bitmapset *assigned, const Datum *values, const bool *isnull);

/*
 * A record's metadata as JSON that jsonb takes, for filters: a string that no
 * text can hold is there, and equal to none.
 */
extern char *pinecone_metadata_matchable(const PineconeRecord *record);

/* The object as JSON in UTF-8. */
extern const char *pinecone_metadata_finish(const PineconeMetadata *metadata, char **json,
											int *len);

#endif /* PINECONE_METADATA_OF_COLUMNS_H */
