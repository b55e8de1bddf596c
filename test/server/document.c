/*
 * document.c
 *		Documents: read, changed, written.
 */
#include "document.h"

#include "facts.h"
#include "texts.h"

#include <math.h>
#include <stdlib.h>

#define MAX_NAME 64
#define MAX_TEXT 102400

/* ---- Reading ---- */

bool
document_check_id(Request *r, Str id)
{
	if (id.len == 0)
		return !reply_invalid(r, "Document '_id' must be a non-empty string");
	if (id.len > 512)
		return !reply_invalid(r, "Document '_id' must be at most 512 characters long, got %zu", id.len);
	for (size_t i = 0; i < id.len; i++)
	{
		if (id.s[i] == '\0')
			return !reply_invalid(r, "Document '_id' must not contain null character");
		if ((unsigned char) id.s[i] > 0x7f)
			return !reply_invalid(r, "Document '_id' must be ASCII, but got '%.*s'", (int) id.len, id.s);
	}
	return true;
}

static bool
check_name(Request *r, Str name)
{
	if (name.len == 0)
		return !reply_invalid(r, "Field names must not be empty");
	if (name.s[0] == '_' || name.s[0] == '$')
		return !reply_invalid(r, "Field name '%.*s' cannot start with '%c'", (int) name.len, name.s, name.s[0]);
	return name.len <= MAX_NAME ||
		   !reply_invalid(r, "Field name '%.*s' is %zu bytes long, which exceeds the limit of %d bytes", (int) name.len, name.s, name.len, MAX_NAME);
}

static bool
wrong_type(Request *r, JsonReader *j, const SchemaField *f, const char *expected)
{
	Str raw;
	bool cut;

	if (!json_skip(j, &raw))
		return false;
	cut = raw.len > 100;
	return !reply_invalid(r, "Field '%s' must be %s, got '%.*s%s'", f->name, expected, (int) (cut ? 97 : raw.len), raw.s, cut ? "..." : "");
}

static bool
read_dense(Request *r, JsonReader *j, const SchemaField *f, DocumentInput *in)
{
	int dimension = f->embed.dimension, n;
	float *floats;
	bool zero = true;

	if (json_peek(j) != '[')
		return wrong_type(r, j, f, "an array of numbers");
	if (!(floats = read_floats(j, &n)) && n)
		return false;
	if (j->error)
		return false;
	if (n != dimension)
		return !reply_invalid(r, "Vector dimension %d does not match the dimension %d of field '%s'", n, dimension, f->name);
	for (int i = 0; i < n && zero; i++)
		zero = fabsf(floats[i]) < 1e-8f;
	if (zero && !fact(FACT_ZERO_VECTOR))
		return !reply_invalid(r, "Dense vectors must contain at least one non-zero value. Field '%s' contains only zeros", f->name);
	free(in->values);
	in->values = mem_copy(floats, sizeof(float) * (size_t) n);
	in->has_dense = true;
	return true;
}

static bool
read_sparse_field(Request *r, JsonReader *j, const SchemaField *f, DocumentInput *in)
{
	const char *error;

	if (json_peek(j) != '{')
		return wrong_type(r, j, f, "an object with 'indices' and 'values'");
	free(in->sparse);
	in->sparse = read_sparse(r, j, &error);
	return in->sparse || (error && !reply_invalid(r, "Field '%s': %s", f->name, error));
}

static bool
check_text(Request *r, const SchemaField *f, Str text)
{
	Tokens tokens = {0};
	uint32_t words, longest;
	Analysis plain = {.language = f->analysis.language};

	if (text.len > MAX_TEXT)
		return !reply_invalid(r, "Field '%s' is %zu bytes long, which exceeds the limit of %d bytes", f->name, text.len, MAX_TEXT);
	if (text.len <= MAX_TOKEN_BYTES)
		return true;
	analyze(&plain, text, &tokens);
	words = tokens.words;
	longest = tokens.longest;
	tokens_free(&tokens);
	if (words > MAX_TOKENS)
		return !reply_invalid(r, "Field '%s' has %u tokens, which exceeds the limit of %d", f->name, words, MAX_TOKENS);
	return longest <= MAX_TOKEN_BYTES ||
		   !reply_invalid(r, "Field '%s' has a token of %u bytes, which exceeds the limit of %d", f->name, longest, MAX_TOKEN_BYTES);
}

static bool
read_text(Request *r, JsonReader *j, const SchemaField *f, DocumentInput *in)
{
	Str text;

	if (json_peek(j) != '"')
		return wrong_type(r, j, f, "a string");
	if (!json_read_string(j, &text) || !check_text(r, f, text))
		return false;
	if (text.len == 0)
		text.s = "";
	in->texts[f->text] = text;
	return true;
}

static bool
read_schema_field(Request *r, JsonReader *j, const SchemaField *f, DocumentInput *in)
{
	in->any_field = true;
	switch (f->type)
	{
		case SCHEMA_DENSE:
			return read_dense(r, j, f, in);
		case SCHEMA_SPARSE:
			return read_sparse_field(r, j, f, in);
		default:
			return read_text(r, j, f, in);
	}
}

/* A null, which an update must not have; false for this too */
static bool
refuse_null(Request *r, Str key, bool patch)
{
	if (patch)
		return !reply_invalid(r, "Field '%.*s' must not be null: to remove it, list the field in `_remove_fields`", (int) key.len, key.s);
	return !reply_invalid(r, "Field '%.*s' must not be null", (int) key.len, key.s);
}

bool
document_read_removed(Request *r, JsonReader *j, DocumentInput *in)
{
	JsonValue list;

	if (is_null(j))
		return true;
	if (!json_read_value(j, &list))
		return false;
	if (list.type != JSON_ARRAY)
		return !reply_invalid(r, "Fields to remove must be a list of names");
	in->removed = arena_alloc(&r->arena, sizeof(uint32_t) * (size_t) (list.count + 1));
	in->nremoved = 0;
	for (int i = 0; i < list.count; i++)
	{
		if (list.items[i].type != JSON_STRING)
			return !reply_invalid(r, "Fields to remove must be a list of names");
		if (!check_name(r, list.items[i].string))
			return false;
		in->removed[in->nremoved++] = metadata_key(list.items[i].string);
	}
	return true;
}

bool
document_check_removed(Request *r, const DocumentInput *in)
{
	const Schema *schema = r->index->fields;

	for (int i = 0; i < in->nremoved; i++)
	{
		const SchemaField *f = schema_find(schema, in->removed[i]);
		bool set = f ? (f->type == SCHEMA_DENSE && in->has_dense) || (f->type == SCHEMA_SPARSE && in->sparse) || (f->text >= 0 && in->texts[f->text].s) :
					   metadata_find(in->metadata, in->removed[i]) != NULL;
		Str name = metadata_key_name(in->removed[i]);

		if (set)
			return !reply_invalid(r, "Field '%.*s' cannot be both set and removed", (int) name.len, name.s);
	}
	return true;
}

/*
 * Read a document's members. The schema's go to where the index keeps them, the
 * rest is metadata; of a patch, what is missing stays.
 */
bool
document_read_fields(Request *r, JsonReader *j, bool patch, DocumentInput *in)
{
	const Schema *schema = r->index->fields;
	MetadataBuilder b = {0};
	bool first = true, good = true;
	Str key, message = {0};

	in->texts = arena_alloc(&r->arena, sizeof(Str) * (size_t) (schema->ntexts + 1));
	memset(in->texts, 0, sizeof(Str) * (size_t) (schema->ntexts + 1));
	good = json_begin(j, '{');
	while (good && json_next_key(j, &first, &key))
	{
		const SchemaField *f;

		if (str_is(key, "_id"))
		{
			if (json_peek(j) != '"')
				good = !reply_invalid(r, "Document '_id' must be a non-empty string");
			else
				good = json_read_string(j, &in->id) && (in->has_id = true);
		}
		else if (patch && str_is(key, "_remove_fields"))
			good = document_read_removed(r, j, in);
		else if (!check_name(r, key))
			good = false;
		else if (json_peek(j) == 'n')
			good = json_read_null(j) && ((!patch && fact(FACT_NULL_FIELD)) || refuse_null(r, key, patch));
		else if ((f = schema_find_name(schema, key)))
			good = read_schema_field(r, j, f, in);
		else
			good = metadata_read_field(j, &b, key, &message);
	}
	free(in->metadata);
	in->metadata = metadata_finish(&b);
	if (message.s)
		reply_invalid(r, "%.*s", (int) message.len, message.s);
	if (!good || j->error)
		return false;
	if (!in->metadata || metadata_check_size(in->metadata, &r->arena, &message))
		return document_check_removed(r, in);
	return !reply_invalid(r, "%.*s", (int) message.len, message.s);
}

bool
document_read(Request *r, JsonReader *j, bool patch, DocumentInput *in)
{
	if (json_peek(j) != '{' && json_peek(j) != '\0')
		return !reply_invalid(r, "Each document must be an object");
	if (!document_read_fields(r, j, patch, in))
		return false;
	if (!in->has_id)
		return !reply_invalid(r, "Document '_id' is missing");
	if (!document_check_id(r, in->id))
		return false;
	return patch || in->any_field ||
		   !reply_invalid(r, "Document '%.*s' must contain at least one field of the schema", (int) in->id.len, in->id.s);
}

void
document_embed(const Schema *schema, DocumentInput *in)
{
	const SchemaField *dense = schema->dense, *sparse = schema->sparse;

	if (dense && dense->embed.model && in->texts[dense->text].s)
	{
		in->values = mem_resize(in->values, sizeof(float) * (size_t) dense->embed.dimension);
		in->tokens += model_embed(in->texts[dense->text], in->values, dense->embed.dimension);
		in->has_dense = true;
	}
	if (sparse && sparse->sparse_embed.model && in->texts[sparse->text].s)
	{
		free(in->sparse);
		in->tokens += model_embed_sparse(in->texts[sparse->text], &in->sparse);
	}
}

void
document_input_free(DocumentInput *in)
{
	free(in->values);
	free(in->sparse);
	free(in->metadata);
	in->values = NULL;
	in->sparse = NULL;
	in->metadata = NULL;
}

static Str
own_text(const Schema *schema, int text, Str s)
{
	for (int i = 0; i < schema->count; i++)
	{
		if (schema->fields[i].text == text && schema->fields[i].dropped)
			return (Str){0};
	}
	return s.s ? (Str){mem_text(s), s.len} : s;
}

Record *
document_make(const Schema *schema, DocumentInput *in)
{
	Record *r = mem_zero(sizeof(Record) + in->id.len);
	Document *d = mem_zero(sizeof(Document) + sizeof(Str) * (size_t) schema->ntexts);

	if (in->id.len)
		memcpy(r->id_text, in->id.s, in->id.len);
	r->id = (Str){r->id_text, in->id.len};
	r->sparse = in->sparse;
	r->metadata = in->metadata;
	r->document = d;
	in->sparse = NULL;
	in->metadata = NULL;
	d->has_dense = in->has_dense;
	for (int i = 0; i < schema->ntexts; i++)
		d->texts[i] = own_text(schema, i, in->texts[i]);
	d->ntexts = (uint32_t) schema->ntexts;
	document_measure(schema, r);
	return r;
}

void
document_free(Document *d)
{
	for (uint32_t i = 0; d && i < d->ntexts; i++)
		free((char *) d->texts[i].s);
	free(d);
}

Document *
document_copy(const Document *d)
{
	Document *copy;

	if (!d)
		return NULL;
	copy = mem_copy(d, sizeof(Document) + sizeof(Str) * d->ntexts);
	for (uint32_t i = 0; i < d->ntexts; i++)
	{
		if (d->texts[i].s)
			copy->texts[i].s = mem_text(d->texts[i]);
	}
	return copy;
}

/* What it takes as JSON, about */
void
document_measure(const Schema *schema, Record *r)
{
	size_t size = r->id.len + 20;

	for (int i = 0; i < schema->ntexts; i++)
		size += r->document->texts[i].len;
	if (r->metadata)
		size += r->metadata->size;
	if (r->sparse)
		size += r->sparse->count * 16;
	r->text_len = (uint32_t) size;
	r->values_len = r->document->has_dense ? (uint32_t) schema->dense->embed.dimension * 4 : 0;
}

/* ---- Changing ---- */

Patch *
patch_make(const Schema *schema, DocumentInput *in)
{
	Patch *p = mem_zero(sizeof(Patch));

	p->id = (Str){mem_text(in->id), in->id.len};
	p->has_dense = in->has_dense;
	p->values = in->values;
	p->sparse = in->sparse;
	p->metadata = in->metadata;
	in->values = NULL;
	in->sparse = NULL;
	in->metadata = NULL;
	p->ntexts = schema->ntexts;
	p->texts = mem_zero(sizeof(Str) * (size_t) (schema->ntexts + 1));
	for (int i = 0; i < schema->ntexts; i++)
	{
		if (in->texts[i].s)
			p->texts[i] = (Str){mem_text(in->texts[i]), in->texts[i].len};
	}
	p->removed = mem_copy(in->removed, sizeof(uint32_t) * (size_t) in->nremoved);
	p->nremoved = in->nremoved;
	return p;
}

void
patch_free(Patch *p)
{
	if (!p)
		return;
	free((char *) p->id.s);
	free(p->values);
	free(p->sparse);
	free(p->metadata);
	for (int i = 0; i < p->ntexts; i++)
		free((char *) p->texts[i].s);
	free(p->texts);
	free(p->removed);
	free(p);
}

Patch *
patch_copy(const Patch *p, int dimension)
{
	Patch *copy = mem_copy(p, sizeof(Patch));

	copy->id.s = mem_text(p->id);
	copy->values = p->values ? mem_copy(p->values, sizeof(float) * (size_t) dimension) : NULL;
	copy->sparse = sparse_copy(p->sparse);
	copy->metadata = p->metadata ? mem_copy(p->metadata, p->metadata->size) : NULL;
	copy->texts = mem_copy(p->texts, sizeof(Str) * (size_t) (p->ntexts + 1));
	for (int i = 0; i < p->ntexts; i++)
	{
		if (p->texts[i].s)
			copy->texts[i].s = mem_text(p->texts[i]);
	}
	copy->removed = mem_copy(p->removed, sizeof(uint32_t) * (size_t) p->nremoved);
	return copy;
}

static bool
is_removed(const Patch *p, uint32_t key)
{
	for (int i = 0; i < p->nremoved; i++)
	{
		if (p->removed[i] == key)
			return true;
	}
	return false;
}

static bool
has_field(const Schema *schema, const Record *r, const SchemaField *f)
{
	if (f == schema->dense && r->document->has_dense)
		return true;
	if (f == schema->sparse && r->sparse)
		return true;
	return f->text >= 0 && r->document->texts[f->text].s;
}

bool
patch_leaves_field(const Schema *schema, const Record *r, const Patch *p)
{
	if (p->has_dense || p->sparse)
		return true;
	for (int i = 0; i < schema->count; i++)
	{
		const SchemaField *f = &schema->fields[i];

		if ((f->text >= 0 && p->texts[f->text].s) || (has_field(schema, r, f) && !is_removed(p, f->key)))
			return true;
	}
	return false;
}

/* Take a text away, with what was made of it. */
static void
remove_field(const Schema *schema, Record *r, const SchemaField *f)
{
	Document *d = r->document;

	if (f->text >= 0)
	{
		free((char *) d->texts[f->text].s);
		d->texts[f->text] = (Str){0};
	}
	if (f == schema->dense)
		d->has_dense = false;
	if (f == schema->sparse)
	{
		free(r->sparse);
		r->sparse = NULL;
	}
}

static void
patch_metadata(Record *r, const Patch *p)
{
	Metadata *left = p->nremoved ? metadata_without(r->metadata, p->removed, p->nremoved) : r->metadata;
	Metadata *merged = p->metadata ? metadata_merge(left, p->metadata) : left;

	if (left != r->metadata && left != merged)
		free(left);
	if (merged != r->metadata)
	{
		free(r->metadata);
		r->metadata = merged;
	}
}

void
document_patch(Index *index, Namespace *ns, Record *r, Patch *p, bool last)
{
	const Schema *schema = index->fields;
	Document *d = r->document;

	ns->bytes -= record_size(r);
	texts_remove(index, ns, r);
	for (int i = 0; i < schema->count; i++)
	{
		if (is_removed(p, schema->fields[i].key))
			remove_field(schema, r, &schema->fields[i]);
	}
	patch_metadata(r, p);
	for (int i = 0; i < schema->ntexts; i++)
	{
		if (p->texts[i].s)
		{
			free((char *) d->texts[i].s);
			d->texts[i] = own_text(schema, i, p->texts[i]);
		}
	}
	if (p->has_dense)
	{
		namespace_set_vector(index, ns, r->row, p->values);
		d->has_dense = true;
	}
	if (p->sparse)
	{
		free(r->sparse);
		r->sparse = last ? p->sparse : sparse_copy(p->sparse);
		if (last)
			p->sparse = NULL;
	}
	texts_add(index, ns, r);
	document_measure(schema, r);
	ns->bytes += record_size(r);
}

/* ---- Writing ---- */

void
document_write_id(Buffer *b, const Record *r)
{
	buffer_add_text(b, "{\"_id\":");
	json_add_string(b, r->id);
}

/* Floats widened to doubles: 0.4 is 0.4000000059604645. */
static void
write_floats(Buffer *b, const float *values, uint32_t count)
{
	buffer_add_char(b, '[');
	for (uint32_t i = 0; i < count; i++)
	{
		if (i > 0)
			buffer_add_char(b, ',');
		json_add_widened(b, values[i]);
	}
	buffer_add_char(b, ']');
}

static void
write_sparse(Buffer *b, const Sparse *s)
{
	buffer_add_text(b, "{\"indices\":[");
	for (uint32_t i = 0; i < s->count; i++)
		buffer_printf(b, i ? ",%u" : "%u", s->indices[i]);
	buffer_add_text(b, "],\"values\":");
	write_floats(b, s->values, s->count);
	buffer_add_char(b, '}');
}

static void
write_name(Buffer *b, const SchemaField *f)
{
	buffer_add_char(b, ',');
	json_add_string(b, str_of(f->name));
	buffer_add_char(b, ':');
}

static void
write_schema_field(Buffer *b, const Index *index, const Namespace *ns, const Record *r, const SchemaField *f)
{
	const Document *d = r->document;

	if (f->type == SCHEMA_DENSE && d->has_dense)
	{
		write_name(b, f);
		write_floats(b, namespace_vector(index, ns, r->row), (uint32_t) index->dimension);
	}
	else if (f->type == SCHEMA_SPARSE && r->sparse)
	{
		write_name(b, f);
		write_sparse(b, r->sparse);
	}
	else if (f->type == SCHEMA_STRING && d->texts[f->text].s)
	{
		write_name(b, f);
		json_add_string(b, d->texts[f->text]);
	}
}

void
document_write(Buffer *b, const Index *index, const Namespace *ns, const Record *r, const Projection *p)
{
	const Schema *schema = index->fields;

	for (int i = 0; p->all && i < schema->count; i++)
		write_schema_field(b, index, ns, r, &schema->fields[i]);
	for (uint32_t i = 0; p->all && r->metadata && i < r->metadata->count; i++)
	{
		buffer_add_char(b, ',');
		metadata_write_field(b, r->metadata, &r->metadata->fields[i]);
	}
	for (int i = 0; !p->all && i < p->nkeys; i++)
	{
		const SchemaField *f = schema_find(schema, p->keys[i]);
		const Field *field = f ? NULL : metadata_find(r->metadata, p->keys[i]);

		if (f)
			write_schema_field(b, index, ns, r, f);
		else if (field)
		{
			buffer_add_char(b, ',');
			metadata_write_field(b, r->metadata, field);
		}
	}
	buffer_add_char(b, '}');
}

/* ---- Loading and saving ---- */

/* {"index", "namespace", "document": {...}, "dense": [...], "sparse": {...}} */
bool
document_load(Request *r, Str namespace, const JsonValue *line)
{
	const Schema *schema = r->index->fields;
	const JsonValue *dense = json_get(line, "dense"), *sparse = json_get(line, "sparse");
	JsonReader j = json_reader(json_get(line, "document")->raw, &r->arena);
	DocumentInput in = {0};
	Operation *op;
	size_t bytes = sizeof(float) * (size_t) r->index->dimension;
	const char *error;
	bool good;

	if (!schema)
		return !reply_invalid(r, "the index has no document schema");
	if (!check_namespace(r, namespace))
		return false;
	good = document_read_fields(r, &j, false, &in) && document_check_id(r, in.id);
	document_embed(schema, &in);
	if (good && dense)
	{
		j = json_reader(dense->raw, &r->arena);
		good = schema->dense && read_dense(r, &j, schema->dense, &in);
	}
	if (good && sparse)
	{
		j = json_reader(sparse->raw, &r->arena);
		free(in.sparse);
		in.sparse = read_sparse(r, &j, &error);
		good = in.sparse != NULL;
	}
	if (good)
	{
		op = operation_new(OP_UPSERT, NULL);
		op->values = mem_zero(bytes);
		if (in.has_dense)
			memcpy(op->values, in.values, bytes);
		op->records = mem_alloc(sizeof(Record *));
		op->records[op->nrecords++] = document_make(schema, &in);
		index_lock(r->index);
		op->ns = namespace_make(r->index, namespace);
		index_submit(r->index, op);
		index_unlock(r->index);
	}
	else if (!r->reply.status)
		reply_invalid(r, "not a document: %s", j.error ? j.error : "wrong vectors");
	document_input_free(&in);
	return good;
}

void
document_save(Buffer *b, const Index *index, const Namespace *ns, const Record *r)
{
	const Schema *schema = index->fields;
	Projection all = {.all = true};

	buffer_add_text(b, "\"document\":");
	document_write_id(b, r);
	document_write(b, index, ns, r, &all);
	/* Of a text that is not kept, what was made of it */
	if (schema->dense && schema->dense->dropped && r->document->has_dense)
	{
		buffer_add_text(b, ",\"dense\":");
		write_floats(b, namespace_vector(index, ns, r->row), (uint32_t) index->dimension);
	}
	if (schema->sparse && schema->sparse->dropped && r->sparse)
	{
		buffer_add_text(b, ",\"sparse\":");
		write_sparse(b, r->sparse);
	}
}
