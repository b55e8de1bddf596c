/*
 * record.h
 *		A Pinecone record, and pages of them, as plain data: what the API layer
 *		hands to the executor and back.  Knows neither JSON nor URLs, except
 *		that metadata stays the JSON text it is in Pinecone's data model.
 */
#ifndef PINECONE_RECORD_H
#define PINECONE_RECORD_H

typedef struct PineconeSparse
{
	int n;
	uint32 *indices;
	float *values;
} PineconeSparse;

typedef struct PineconeRecord
{
	char *id; /* NUL-terminated, ASCII */
	int idlen;
	bool has_score;
	double score;
	int nvalues; /* 0: no dense vector was returned */
	float *values;
	PineconeSparse sparse; /* n = 0: none */
	char *metadata;		   /* JSON object in UTF-8, or NULL when absent */
	int metadata_len;
	bool padded;			/* PINECONE_METADATA_PADDING bytes behind it can be read */
	const char *namespace_; /* where it is from, or NULL when not told */
} PineconeRecord;

/* Has it no vector of either kind? */
static inline bool
pinecone_record_is_bare(const PineconeRecord *record)
{
	return record->nvalues == 0 && record->sparse.n == 0;
}

/* Decoding reads so many bytes at a time that it may read these as well. */
#define PINECONE_METADATA_PADDING 16

/* A record's metadata, which it has, or where that is not padded a copy that is. */
extern const char *pinecone_record_padded_metadata(const PineconeRecord *record);

/* A copy in the current memory context; it shares namespace_ alone. */
extern PineconeRecord *pinecone_record_copy(const PineconeRecord *record);

typedef struct PineconePage
{
	int nrecords;
	PineconeRecord *records; /* in the order of the reply */
	char *next_token;		 /* NULL on the last page */
	char *namespace_;		 /* as the reply names it, in UTF-8, or NULL */
	bool unscored;			 /* the score of a document is null: it is no finite float32 */
} PineconePage;

/* One metadata value. */
typedef enum PineconeValueKind
{
	PINECONE_VALUE_NULL,
	PINECONE_VALUE_STRING,
	PINECONE_VALUE_NUMBER,
	PINECONE_VALUE_BOOL,
	PINECONE_VALUE_LIST,  /* an array; items may be of any kind */
	PINECONE_VALUE_OBJECT /* not storable in Pinecone; kept as text */
} PineconeValueKind;

/*
 * Strings that PostgreSQL's text cannot hold: with U+0000, with half of a
 * surrogate pair, with characters that the database's encoding lacks.  Such a
 * one, and what contains one, is "no_text".
 */
typedef struct PineconeValue
{
	PineconeValueKind kind;
	bool no_text;
	char *text; /* STRING: decoded, server encoding; NUMBER: as
								 * written; LIST, OBJECT: JSON text; all
								 * NUL-terminated; no_text: JSON text in ASCII */
	int len;
	double number; /* NUMBER */
	bool boolean;  /* BOOL */
	int nitems;	   /* LIST */
	struct PineconeValue *items;
} PineconeValue;

typedef struct PineconeField
{
	char *name; /* decoded, server encoding; NULL: no text */
	char *json; /* then the name as JSON text in ASCII */
	PineconeValue value;
} PineconeField;

typedef struct PineconeFields
{
	int n;
	PineconeField *fields;
} PineconeFields;

#endif /* PINECONE_RECORD_H */
