/*
 * metadata.h
 *		Metadata objects from columns, for record_of_row.c.
 */
#ifndef PINECONE_METADATA_H
#define PINECONE_METADATA_H

#include "option/option.h"
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
 * A record's metadata as JSON that jsonb takes, for filters: a string that no
 * text can hold is there, and equal to none.
 */
extern char *pinecone_metadata_matchable(const PineconeRecord *record);

/* The object as JSON in UTF-8. */
extern const char *pinecone_metadata_finish(const PineconeMetadata *metadata, char **json,
											int *len);

#endif /* PINECONE_METADATA_H */
