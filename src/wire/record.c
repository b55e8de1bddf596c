/*
 * record.c
 *		Records in memory.
 */
#include "postgres.h"

#include "wire/record.h"

static void *
copy_bytes(const void *source, Size size)
{
	return size == 0 ? NULL : memcpy(palloc(size), source, size);
}

PineconeRecord *
pinecone_record_copy(const PineconeRecord *record)
{
	PineconeRecord *copy = palloc(sizeof(PineconeRecord));

	*copy = *record;
	copy->id = pstrdup(record->id);
	copy->values = copy_bytes(record->values, record->nvalues * sizeof(float));
	copy->sparse.indices = copy_bytes(record->sparse.indices, record->sparse.n * sizeof(uint32));
	copy->sparse.values = copy_bytes(record->sparse.values, record->sparse.n * sizeof(float));
	if (record->metadata != NULL)
		copy->metadata = pnstrdup(record->metadata, record->metadata_len);
	copy->padded = false;
	return copy;
}

const char *
pinecone_record_padded_metadata(const PineconeRecord *record)
{
	char *copy;

	if (record->padded)
		return record->metadata;
	copy = palloc(record->metadata_len + PINECONE_METADATA_PADDING);
	memcpy(copy, record->metadata, record->metadata_len);
	memset(copy + record->metadata_len, 0, PINECONE_METADATA_PADDING);
	return copy;
}
