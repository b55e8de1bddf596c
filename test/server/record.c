/*
 * record.c
 *		Records and the operations that bring them in.
 */
#include "document.h"
#include "filter.h"
#include "number.h"
#include "places.h"
#include "store.h"

#include <stdlib.h>

Sparse *
sparse_new(uint32_t count)
{
	Sparse *s = mem_alloc(sizeof(Sparse) + count * (sizeof(uint32_t) + sizeof(float)));

	s->count = count;
	s->values = (float *) (s->indices + count);
	return s;
}

Sparse *
sparse_copy(const Sparse *s)
{
	Sparse *copy;

	if (!s)
		return NULL;
	copy = sparse_new(s->count);
	memcpy(copy->indices, s->indices, s->count * sizeof(uint32_t));
	memcpy(copy->values, s->values, s->count * sizeof(float));
	return copy;
}

static void
write_floats(Buffer *b, const float *values, uint32_t count)
{
	char *out;

	buffer_reserve(b, (size_t) count * 17 + NUMBER_MAX + 2);
	out = b->data + b->len;
	*out++ = '[';
	for (uint32_t i = 0; i < count; i++)
	{
		if (i > 0)
			*out++ = ',';
		out = number_write_float(out, values[i]);
	}
	*out++ = ']';
	b->len = (size_t) (out - b->data);
}

static void
write_sparse(Buffer *b, const Sparse *s)
{
	buffer_add_text(b, ",\"sparseValues\":{\"indices\":[");
	for (uint32_t i = 0; i < s->count; i++)
		buffer_printf(b, i ? ",%u" : "%u", s->indices[i]);
	buffer_add_text(b, "],\"values\":");
	write_floats(b, s->values, s->count);
	buffer_add_char(b, '}');
}

/* Put the text together, and behind it what is known of the values. */
static void
write_text(Record *r, const uint8_t *packed, int dimension)
{
	Buffer *b = thread_buffer(THREAD_BUFFER_TEXT);
	char *text;

	b->len = 0;
	buffer_add_text(b, "\"id\":");
	json_add_string(b, r->id);
	r->id_end = (uint32_t) b->len;
	if (r->sparse)
		write_sparse(b, r->sparse);
	r->sparse_end = (uint32_t) b->len;
	if (r->metadata)
	{
		buffer_add_text(b, ",\"metadata\":");
		metadata_write(b, r->metadata);
	}
	r->text_len = (uint32_t) b->len;
	buffer_add(b, packed, (size_t) (dimension + 1) / 2);
	text = mem_copy(b->data, b->len);
	/* The values may have been in the old one */
	free(r->text);
	r->text = text;
	if (b->size > 4 << 20)
		buffer_free(b);
}

static void
write_with_places(Record *r, const char *places, int dimension, size_t values_len)
{
	uint8_t packed[(MAX_DIMENSION + 1) / 2];

	places_pack(packed, places, dimension);
	r->values_len = (uint32_t) values_len;
	write_text(r, packed, dimension);
}

void
record_update(Record *r, const float *values, int dimension)
{
	Buffer *places = thread_buffer(THREAD_BUFFER_PLACES);
	size_t values_len;

	if (!values)
	{
		write_text(r, (const uint8_t *) r->text + r->text_len, dimension);
		return;
	}
	places->len = 0;
	values_len = places_measure_all(values, dimension, places);
	write_with_places(r, places->data, dimension, values_len);
}

void
record_add_values(Buffer *b, const Record *r, const Index *index, const Namespace *ns)
{
	buffer_reserve(b, r->values_len + 10);
	buffer_add(b, ",\"values\":", 10);
	if (index->dimension)
		places_write(b, namespace_vector(index, ns, r->row), (const uint8_t *) r->text + r->text_len, index->dimension, r->values_len);
	else
		buffer_add(b, "[]", 2);
}

void
record_add(Buffer *b, const Record *r, const Index *index, const Namespace *ns)
{
	buffer_add_str(b, record_piece(r, 0, r->id_end));
	record_add_values(b, r, index, ns);
	buffer_add_str(b, record_piece(r, r->id_end, r->text_len));
}

Record *
record_make(Str id, const char *places, int dimension, size_t values_len, Sparse *sparse, Metadata *metadata)
{
	Record *r = mem_zero(sizeof(Record) + id.len);

	memcpy(r->id_text, id.s, id.len);
	r->id = (Str){r->id_text, id.len};
	r->sparse = sparse;
	r->metadata = metadata;
	write_with_places(r, places, dimension, dimension ? values_len : 2);
	return r;
}

void
record_free(Record *r)
{
	if (!r)
		return;
	free(r->text);
	free(r->metadata);
	free(r->sparse);
	document_free(r->document);
	free(r);
}

Record *
record_copy(const Record *r, int dimension)
{
	Record *copy = mem_copy(r, sizeof(Record) + r->id.len);

	copy->id.s = copy->id_text;
	copy->text = r->text ? mem_copy(r->text, r->text_len + (size_t) (dimension + 1) / 2) : NULL;
	copy->document = document_copy(r->document);
	copy->metadata = r->metadata ? mem_copy(r->metadata, r->metadata->size) : NULL;
	copy->sparse = sparse_copy(r->sparse);
	return copy;
}

Operation *
operation_new(OperationKind kind, Namespace *ns)
{
	Operation *op = mem_zero(sizeof(Operation));

	op->kind = kind;
	op->ns = ns;
	return op;
}

void
operation_free(Operation *op)
{
	for (int i = 0; i < op->nrecords; i++)
		record_free(op->records[i]);
	free(op->records);
	free(op->ids);
	free(op->values);
	free(op->sparse);
	free(op->metadata);
	filter_free(op->filter);
	for (int i = 0; i < op->npatches; i++)
		patch_free(op->patches[i]);
	free(op->patches);
	free(op);
}

/* Bytes of ids, each with its length before it */
static size_t
ids_size(const Operation *op)
{
	size_t size = 0;

	for (int i = 0; i < op->nids; i++)
	{
		uint32_t len;

		memcpy(&len, op->ids + size, sizeof(len));
		size += sizeof(len) + len;
	}
	return size;
}

Operation *
operation_copy(const Operation *op, Namespace *ns, int dimension)
{
	Operation *copy = operation_new(op->kind, ns);
	size_t nvalues = (size_t) dimension * (op->kind == OP_UPSERT ? (size_t) op->nrecords : 1);

	copy->lsn = op->lsn;
	copy->limit = op->limit;
	copy->nrecords = op->nrecords;
	if (op->nrecords)
		copy->records = mem_alloc(sizeof(Record *) * (size_t) op->nrecords);
	for (int i = 0; i < op->nrecords; i++)
		copy->records[i] = record_copy(op->records[i], dimension);
	copy->nids = op->nids;
	copy->ids = op->nids ? mem_copy(op->ids, ids_size(op)) : NULL;
	copy->values = op->values ? mem_copy(op->values, sizeof(float) * nvalues) : NULL;
	copy->sparse = sparse_copy(op->sparse);
	copy->metadata = op->metadata ? mem_copy(op->metadata, op->metadata->size) : NULL;
	copy->filter = filter_share(op->filter);
	copy->npatches = op->npatches;
	if (op->npatches)
		copy->patches = mem_alloc(sizeof(struct Patch *) * (size_t) op->npatches);
	for (int i = 0; i < op->npatches; i++)
		copy->patches[i] = patch_copy(op->patches[i], dimension);
	return copy;
}
