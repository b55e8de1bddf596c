/*
 * write_code.c
 *		A write as a string of bytes.
 */
#include "postgres.h"

#include "base/encoding.h"
#include "pending/write_code.h"

/* A string with its terminator, filled up so that floats can follow. */
static void
append_string(StringInfo buf, const char *string, int len)
{
	if (len < 0)
		return;
	appendBinaryStringInfo(buf, string, len);
	do
		appendStringInfoChar(buf, '\0');
	while (buf->len % sizeof(float) != 0);
}

static int
length_of(const char *string)
{
	return string ? (int) strlen(string) : -1;
}

/* Pinecone keeps sparse vectors in the order of their indices. */
static bool
is_sorted(const PineconeSparse *sparse)
{
	for (int i = 1; i < sparse->n; i++)
	{
		if (sparse->indices[i] < sparse->indices[i - 1])
			return false;
	}
	return true;
}

typedef struct Pair
{
	uint32 index;
	float value;
} Pair;

static int
compare_pairs(const void *a, const void *b)
{
	uint32 x = ((const Pair *) a)->index;
	uint32 y = ((const Pair *) b)->index;

	return (x > y) - (x < y);
}

static PineconeSparse
sort_sparse(const PineconeSparse *sparse)
{
	Pair *pairs = palloc(sparse->n * sizeof(Pair));
	PineconeSparse sorted = *sparse;

	for (int i = 0; i < sparse->n; i++)
	{
		pairs[i].index = sparse->indices[i];
		pairs[i].value = sparse->values[i];
	}
	qsort(pairs, sparse->n, sizeof(Pair), compare_pairs);
	sorted.indices = palloc(sparse->n * sizeof(uint32));
	sorted.values = palloc(sparse->n * sizeof(float));
	for (int i = 0; i < sparse->n; i++)
	{
		sorted.indices[i] = pairs[i].index;
		sorted.values[i] = pairs[i].value;
	}
	pfree(pairs);
	return sorted;
}

void
pinecone_write_encode(StringInfo buf, int target, const PineconeWrite *write)
{
	const PineconeRecord *record = &write->record;
	bool sorted = is_sorted(&record->sparse);
	PineconeSparse sparse = sorted ? record->sparse : sort_sparse(&record->sparse);
	char *filter = write->filter ? pinecone_json_from_server(write->filter) : NULL;
	char *rest = write->rest ? pinecone_json_from_server(write->rest) : NULL;
	PineconeWriteHeader header;

	memset(&header, 0, sizeof(header));
	header.kind = write->kind;
	header.target = target;
	header.idlen = record->id ? record->idlen : -1;
	header.nvalues = record->nvalues;
	header.nsparse = record->sparse.n;
	header.metadata_len = record->metadata ? record->metadata_len : -1;
	header.filter_len = length_of(filter);
	header.rest_len = length_of(rest);
	header.removed_len = length_of(write->removed);
	header.flags = (write->documents ? 1 : 0) | (write->drop_values ? 2 : 0) | (write->drop_sparse ? 4 : 0);

	appendBinaryStringInfo(buf, (char *) &header, sizeof(header));
	append_string(buf, record->id, header.idlen);
	appendBinaryStringInfo(buf, (const char *) record->values, record->nvalues * sizeof(float));
	appendBinaryStringInfo(buf, (const char *) sparse.indices, sparse.n * sizeof(uint32));
	appendBinaryStringInfo(buf, (const char *) sparse.values, sparse.n * sizeof(float));
	if (!sorted)
	{
		pfree(sparse.indices);
		pfree(sparse.values);
	}
	append_string(buf, record->metadata, header.metadata_len);
	append_string(buf, filter, header.filter_len);
	append_string(buf, rest, header.rest_len);
	append_string(buf, write->removed, header.removed_len);
}

static int
stored_length(int len)
{
	return len < 0 ? 0 : (len / (int) sizeof(float) + 1) * (int) sizeof(float);
}

int
pinecone_write_body_length(const PineconeWriteHeader *header)
{
	return stored_length(header->idlen) +
		   (header->nvalues + header->nsparse) * (int) sizeof(float) +
		   header->nsparse * (int) sizeof(uint32) + stored_length(header->metadata_len) +
		   stored_length(header->filter_len) + stored_length(header->rest_len) +
		   stored_length(header->removed_len);
}

static char *
take(char **position, int len)
{
	char *start = *position;

	*position += len;
	return start;
}

static char *
take_string(char **position, int len)
{
	return len < 0 ? NULL : take(position, stored_length(len));
}

static char *
take_filter(char **position, int len)
{
	char *filter = take_string(position, len);

	return filter ? pinecone_json_to_server(filter, len) : NULL;
}

void
pinecone_write_decode(const PineconeWriteHeader *header, char *body, PineconeWrite *write)
{
	PineconeRecord *record = &write->record;
	char *p = body;

	memset(write, 0, sizeof(*write));
	write->kind = header->kind;
	record->id = take_string(&p, header->idlen);
	record->idlen = Max(header->idlen, 0);
	record->nvalues = header->nvalues;
	record->values = (float *) take(&p, header->nvalues * sizeof(float));
	record->sparse.n = header->nsparse;
	record->sparse.indices = (uint32 *) take(&p, header->nsparse * sizeof(uint32));
	record->sparse.values = (float *) take(&p, header->nsparse * sizeof(float));
	record->metadata = take_string(&p, header->metadata_len);
	record->metadata_len = Max(header->metadata_len, 0);
	write->filter = take_filter(&p, header->filter_len);
	write->rest = take_filter(&p, header->rest_len);
	write->removed = take_string(&p, header->removed_len);
	write->documents = (header->flags & 1) != 0;
	write->drop_values = (header->flags & 2) != 0;
	write->drop_sparse = (header->flags & 4) != 0;
}
