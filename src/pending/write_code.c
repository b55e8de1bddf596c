/*
 * write_code.c
 *		A write as a string of bytes.
 */
#include "postgres.h"

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

void
pinecone_write_encode(StringInfo buf, int target, const PineconeWrite *write)
{
	const PineconeRecord *record = &write->record;
	PineconeWriteHeader header;

	memset(&header, 0, sizeof(header));
	header.kind = write->kind;
	header.target = target;
	header.idlen = record->id ? record->idlen : -1;
	header.nvalues = record->nvalues;
	header.nsparse = record->sparse.n;
	header.metadata_len = record->metadata ? record->metadata_len : -1;
	header.filter_len = length_of(write->filter);
	header.rest_len = length_of(write->rest);

	appendBinaryStringInfo(buf, (char *) &header, sizeof(header));
	append_string(buf, record->id, header.idlen);
	appendBinaryStringInfo(buf, (const char *) record->values, record->nvalues * sizeof(float));
	appendBinaryStringInfo(buf, (const char *) record->sparse.indices,
						   record->sparse.n * sizeof(uint32));
	appendBinaryStringInfo(buf, (const char *) record->sparse.values,
						   record->sparse.n * sizeof(float));
	append_string(buf, record->metadata, header.metadata_len);
	append_string(buf, write->filter, header.filter_len);
	append_string(buf, write->rest, header.rest_len);
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
		   stored_length(header->filter_len) + stored_length(header->rest_len);
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
	write->filter = take_string(&p, header->filter_len);
	write->rest = take_string(&p, header->rest_len);
}
