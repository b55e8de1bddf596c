/*
 * record.c
 *		Records and the operations that bring them in.
 */
#include "filter.h"
#include "number.h"
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

void
record_write(Record *r, const float *values, int dimension, Str values_text)
{
	Buffer *b = thread_buffer(THREAD_BUFFER_TEXT);
	uint32_t id_end;

	b->len = 0;
	buffer_add_text(b, "\"id\":");
	json_add_string(b, r->id);
	id_end = (uint32_t) b->len;
	if (values || !r->text)
	{
		buffer_add_text(b, ",\"values\":");
		if (values_text.len)
			buffer_add_str(b, values_text);
		else
			write_floats(b, values, (uint32_t) (values ? dimension : 0));
	}
	else
		buffer_add_str(b, record_piece(r, r->id_end, r->values_end));
	r->id_end = id_end;
	r->values_end = (uint32_t) b->len;
	if (r->sparse)
		write_sparse(b, r->sparse);
	r->sparse_end = (uint32_t) b->len;
	if (r->metadata)
	{
		buffer_add_text(b, ",\"metadata\":");
		metadata_write(b, r->metadata);
	}
	r->text_len = (uint32_t) b->len;
	free(r->text);
	r->text = mem_copy(b->data, b->len);
	if (b->size > 4 << 20)
		buffer_free(b);
}

Record *
record_make(Str id, const float *values, int dimension, Str values_text, Sparse *sparse, Metadata *metadata)
{
	Record *r = mem_zero(sizeof(Record) + id.len);

	memcpy(r->id_text, id.s, id.len);
	r->id = (Str){r->id_text, id.len};
	r->sparse = sparse;
	r->metadata = metadata;
	if (values)
		r->staged = mem_copy(values, sizeof(float) * (size_t) dimension);
	record_write(r, values, dimension, values ? values_text : STR(""));
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
	free(r->staged);
	free(r);
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
	free(op);
}
