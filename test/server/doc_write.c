/*
 * doc_write.c
 *		Documents: upsert, update, delete.
 */
#include "alias.h"
#include "document.h"
#include "facts.h"
#include "filter.h"
#include "knn.h"
#include "limits.h"
#include "settings.h"

#include <stdlib.h>

#define MAX_UPDATED 100000

/* Where texts are embedded, the model takes no more. */
static int
max_documents(const Index *index)
{
	return schema_embeds(index->fields) && sizes.upsert > MAX_EMBEDDED ? MAX_EMBEDDED : sizes.upsert;
}

static void
commit(Request *r, Operation *op)
{
	r->reply.has_request_lsn = !fact(FACT_DOCUMENT_LSN);
	r->reply.request_lsn = index_submit(r->index, op);
	r->reply.status = 202;
}

static void
write_usage(Buffer *b, int tokens)
{
	if (tokens)
		buffer_printf(b, ",\"usage\":{\"embed_total_tokens\":%d}", tokens);
}

/* ---- upsert ---- */

typedef struct Upsert
{
	Record **records;
	int count, size;
	Buffer values;
	int tokens;
} Upsert;

static void
add_record(const Index *index, Upsert *u, DocumentInput *in)
{
	size_t bytes = sizeof(float) * (size_t) index->dimension;

	if (in->has_dense)
		buffer_add(&u->values, in->values, bytes);
	else if (bytes)
	{
		buffer_reserve(&u->values, bytes);
		memset(u->values.data + u->values.len, 0, bytes);
		u->values.len += bytes;
	}
	if (u->count == u->size)
	{
		u->size = u->size ? u->size * 2 : 64;
		u->records = mem_resize(u->records, sizeof(Record *) * (size_t) u->size);
	}
	u->records[u->count++] = document_make(index->fields, in);
}

static bool
read_documents(Request *r, JsonReader *j, Upsert *u)
{
	bool first = true, good = true;
	int max = max_documents(r->index);

	if (!json_begin(j, '['))
		return false;
	while (good && json_next_item(j, &first))
	{
		DocumentInput in = {0};

		if (u->count == max)
			return !reply_invalid(r, "Request contains more than %d documents", max);
		good = document_read(r, j, false, &in);
		if (good)
		{
			document_embed(r->index->fields, &in);
			u->tokens += in.tokens;
			add_record(r->index, u, &in);
		}
		document_input_free(&in);
	}
	return good && !j->error;
}

/* Read and check all documents, and only then write any. */
bool
document_upsert(Request *r, Str namespace)
{
	JsonReader j = json_reader((Str){r->body.data, r->body.len}, &r->arena);
	Upsert u = {0};
	bool first = true, good = true;
	Str key;
	Operation *op = operation_new(OP_UPSERT, NULL);

	json_begin(&j, '{');
	while (good && json_next_key(&j, &first, &key))
		good = str_is(key, "documents") ? read_documents(r, &j, &u) : unknown_field(r, key);
	op->records = u.records;
	op->nrecords = u.count;
	op->values = (float *) u.values.data;
	if (r->reply.status || !json_finish(&j))
		bad_body(r, &j);
	else if (u.count == 0)
		reply_invalid(r, "documents must be a list of at least one document");
	else if (limit_take(r, LIMIT_UPSERT, namespace, 1) && limit_take(r, LIMIT_UPSERT_BYTES, namespace, (double) r->body_bytes))
	{
		bool free_name;

		index_lock(r->index);
		free_name = alias_check_upsert(r, namespace);
		if (free_name)
		{
			op->ns = namespace_make(r->index, namespace);
			commit(r, op);
			buffer_printf(reply_body(r), "{\"upserted_count\":%d", u.count);
			write_usage(reply_body(r), u.tokens);
			buffer_add_char(reply_body(r), '}');
		}
		index_unlock(r->index);
		if (free_name)
			return true;
	}
	operation_free(op);
	return true;
}

/* ---- update ---- */

static bool
is_given(const JsonValue *v)
{
	return v && v->type != JSON_NULL && v->count > 0;
}

/* The metadata as it would be must fit; under the lock. */
static bool
check_patch(Request *r, const Record *record, const Patch *p)
{
	Metadata *left, *merged;
	Str message;
	bool good = true;

	if (!record)
		return true;
	if (p->metadata)
	{
		left = metadata_without(record->metadata, p->removed, p->nremoved);
		merged = metadata_merge(left, p->metadata);
		good = metadata_check_size(merged, &r->arena, &message) || !reply_invalid(r, "%.*s", (int) message.len, message.s);
		free(left);
		free(merged);
	}
	if (good && fact(FACT_LAST_FIELD) && !patch_leaves_field(r->index->fields, record, p))
		good = !reply_invalid(r, "Document '%.*s' must keep at least one field of the schema", (int) record->id.len, record->id.s);
	return good;
}

static void
add_patch(Request *r, Operation *op, DocumentInput *in)
{
	op->patches = mem_resize(op->patches, sizeof(Patch *) * (size_t) (op->npatches + 1));
	op->patches[op->npatches++] = patch_make(r->index->fields, in);
}

static bool
read_patches(Request *r, const JsonValue *documents, Operation *op, int *tokens)
{
	int max = max_documents(r->index);
	bool good = true;

	if (documents->type != JSON_ARRAY || documents->count == 0)
		return !reply_invalid(r, "documents must be a list of at least one document");
	if (documents->count > max)
		return !reply_invalid(r, "Request contains more than %d documents", max);
	for (int i = 0; good && i < documents->count; i++)
	{
		JsonReader j = json_reader(documents->items[i].raw, &r->arena);
		DocumentInput in = {0};

		good = document_read(r, &j, true, &in);
		if (good)
		{
			document_embed(r->index->fields, &in);
			*tokens += in.tokens;
			add_patch(r, op, &in);
		}
		else if (!r->reply.status)
			reply_not_json(r, j.error ? j.error : "unexpected value");
		document_input_free(&in);
	}
	return good;
}

static void
update_documents(Request *r, Str namespace, Operation *op, int tokens)
{
	bool good;

	index_lock(r->index);
	good = alias_check_write(r, namespace);
	op->ns = namespace_find(r->index, namespace);
	for (int i = 0; op->ns && good && i < op->npatches; i++)
		good = check_patch(r, namespace_get(op->ns, op->patches[i]->id), op->patches[i]);
	if (good)
	{
		if (op->ns)
			commit(r, op);
		else
			operation_free(op);
		r->reply.status = 202;
		buffer_add_char(reply_body(r), '{');
		if (tokens)
			buffer_printf(reply_body(r), "\"usage\":{\"embed_total_tokens\":%d}", tokens);
		buffer_add_char(reply_body(r), '}');
	}
	else
		operation_free(op);
	index_unlock(r->index);
}

static bool
check_schema_update(Request *r, const DocumentInput *in)
{
	const Schema *schema = r->index->fields;

	for (int i = 0; i < schema->count; i++)
	{
		const SchemaField *f = &schema->fields[i];
		bool set = (f->type == SCHEMA_DENSE && in->has_dense) || (f->type == SCHEMA_SPARSE && in->sparse) || (f->text >= 0 && in->texts[f->text].s);
		bool removed = false;

		for (int k = 0; k < in->nremoved && !removed; k++)
			removed = in->removed[k] == f->key;
		if ((set || removed) && (!fact(FACT_SCHEMA_UPDATE) || f->embed.model || f->sparse_embed.model))
			return !reply_invalid(r, "A document update by 'filter' changes metadata only: '%s' is a field of the schema. Update it by '_id' in 'documents'.", f->name);
	}
	return true;
}

static bool
read_change(Request *r, const JsonValue *body, Operation *op)
{
	const JsonValue *set = json_present(body, "set_fields"), *remove = json_present(body, "remove_fields");
	DocumentInput in = {0};
	JsonReader j;
	bool good = true;

	if (set && set->type != JSON_OBJECT)
		return !reply_invalid(r, "set_fields must be an object");
	j = json_reader(set ? set->raw : STR("{}"), &r->arena);
	if (json_get(set, "_id") || json_get(set, "_remove_fields"))
		good = !reply_invalid(r, "set_fields cannot have '_id' or '_remove_fields'");
	good = good && document_read_fields(r, &j, true, &in);
	if (good && remove)
	{
		j = json_reader(remove->raw, &r->arena);
		good = document_read_removed(r, &j, &in);
	}
	good = good && document_check_removed(r, &in) && check_schema_update(r, &in);
	if (good)
		add_patch(r, op, &in);
	else if (!r->reply.status)
		reply_not_json(r, j.error ? j.error : "unexpected value");
	document_input_free(&in);
	return good;
}

static void
update_matching(Request *r, Str namespace, Operation *op)
{
	uint32_t count = 0;
	bool good;

	index_lock(r->index);
	good = alias_check_write(r, namespace);
	op->ns = namespace_find(r->index, namespace);
	op->limit = fact(FACT_MATCH_CAP) ? MAX_UPDATED : INT32_MAX;
	if (op->ns)
		count = knn_count(op->ns, op->filter);
	for (uint32_t row = 0; count && good && row < op->ns->count; row++)
	{
		if (filter_matches_document(op->filter, op->ns->rows[row]))
			good = check_patch(r, op->ns->rows[row], op->patches[0]);
	}
	if (good)
	{
		if (count > (uint32_t) op->limit)
			count = (uint32_t) op->limit;
		if (op->ns)
			commit(r, op);
		else
			operation_free(op);
		r->reply.status = 202;
		buffer_printf(reply_body(r), "{\"matched_records\":%u}", count);
	}
	else
		operation_free(op);
	index_unlock(r->index);
}

static bool
read_update(Request *r, const JsonValue *body, Operation *op, int *tokens)
{
	static const char *const known[] = {"documents", "filter", "set_fields", "remove_fields", NULL};
	const JsonValue *documents = json_present(body, "documents"), *filter = json_present(body, "filter");
	const JsonValue *set = json_present(body, "set_fields"), *remove = json_present(body, "remove_fields");

	if (!document_check_keys(r, body, known))
		return false;
	if (documents && (is_given(filter) || is_given(set) || is_given(remove)))
		return !reply_invalid(r, "The 'documents' field is mutually exclusive with 'filter', 'set_fields' and 'remove_fields' in document update requests.");
	if (documents)
	{
		op->kind = OP_PATCH;
		return read_patches(r, documents, op, tokens);
	}
	if (!filter)
		return !reply_invalid(r, "No 'documents' or 'filter' provided in the document update request. Provide documents to update by '_id', or a 'filter' with 'set_fields' or 'remove_fields'.");
	if (!is_given(set) && !is_given(remove))
		return !reply_invalid(r, "A document update by 'filter' must change something. Provide a non-empty 'set_fields' or 'remove_fields'.");
	op->kind = OP_PATCH_MATCHING;
	return document_read_filter(r, filter, false, false, &op->filter) && read_change(r, body, op);
}

bool
document_update(Request *r, Str namespace)
{
	const JsonValue *body = document_body(r);
	Operation *op = operation_new(OP_PATCH, NULL);
	int tokens = 0;

	if (!body || !read_update(r, body, op, &tokens))
		operation_free(op);
	else if (op->filter && document_is_long(r, namespace))
	{
		operation_free(op);
		return false;
	}
	else if (!limit_take(r, op->filter ? LIMIT_UPDATE_BY_METADATA : LIMIT_UPDATE, namespace, 1))
		operation_free(op);
	else if (op->filter)
		update_matching(r, namespace, op);
	else
		update_documents(r, namespace, op, tokens);
	return true;
}

/* ---- delete ---- */

static bool
read_ids(Request *r, const JsonValue *ids, Operation *op)
{
	Buffer b = {0};

	op->kind = OP_DELETE_IDS;
	if (ids->type != JSON_ARRAY)
		return !reply_invalid(r, "ids must be a list of strings");
	if (ids->count == 0 || ids->count > sizes.delete_ids)
		return !reply_invalid(r, "ids must have between 1 and %d document IDs, got %d", sizes.delete_ids, ids->count);
	for (int i = 0; i < ids->count; i++)
	{
		Str id = ids->items[i].string;
		uint32_t len = (uint32_t) id.len;

		if (ids->items[i].type != JSON_STRING)
			reply_invalid(r, "ids must be a list of strings");
		if (r->reply.status || !document_check_id(r, id))
		{
			buffer_free(&b);
			return false;
		}
		buffer_add(&b, &len, sizeof(len));
		buffer_add_str(&b, id);
	}
	op->ids = b.data;
	op->nids = ids->count;
	return true;
}

static bool
read_delete(Request *r, const JsonValue *body, Operation *op)
{
	static const char *const known[] = {"ids", "filter", "delete_all", NULL};
	const JsonValue *ids = json_present(body, "ids"), *filter = json_present(body, "filter"), *all = json_present(body, "delete_all");
	bool everything;

	if (!document_check_keys(r, body, known))
		return false;
	if (all && all->type != JSON_BOOL)
		return !reply_invalid(r, "delete_all must be true or false");
	everything = all && all->boolean;
	if (!ids && !filter && !everything)
		return !reply_invalid(r, "No 'ids', 'filter', or 'delete_all' provided in the document delete request. Provide exactly one of them.");
	if (filter && (ids || everything))
		return !reply_invalid(r, "The 'filter' field is mutually exclusive with 'ids' and 'delete_all' in document delete requests. Provide exactly one of them.");
	if (ids && everything)
		return !reply_invalid(r, "The 'ids' and 'delete_all' fields are mutually exclusive in document delete requests. Provide exactly one of them.");
	op->kind = everything ? OP_DELETE_ALL : OP_DELETE_MATCHING;
	if (ids)
		return read_ids(r, ids, op);
	return everything || document_read_filter(r, filter, false, false, &op->filter);
}

static void
run_delete(Request *r, Str namespace, Operation *op)
{
	bool matching = op->filter != NULL;
	uint32_t count = 0;

	index_lock(r->index);
	op->ns = namespace_find(r->index, namespace);
	if (!alias_check_write(r, namespace))
		operation_free(op);
	else if (!op->ns && op->kind == OP_DELETE_ALL && !fact(FACT_DELETE_ALL_ABSENT))
	{
		operation_free(op);
		reply_rpc_error(r, 404, RPC_NOT_FOUND, "Namespace not found");
	}
	else
	{
		if (op->ns && matching)
			count = knn_count(op->ns, op->filter);
		if (op->ns)
			commit(r, op);
		else
			operation_free(op);
		r->reply.status = 202;
		if (matching && !fact(FACT_MATCHED_RECORDS))
			buffer_printf(reply_body(r), "{\"matched_records\":%u}", count);
		else
			buffer_add_text(reply_body(r), "{}");
	}
	index_unlock(r->index);
}

bool
document_delete(Request *r, Str namespace)
{
	const JsonValue *body = document_body(r);
	Operation *op = operation_new(OP_DELETE_IDS, NULL);

	if (!body || !read_delete(r, body, op))
		operation_free(op);
	else if (op->filter && document_is_long(r, namespace))
	{
		operation_free(op);
		return false;
	}
	else if (!limit_take(r, op->filter ? LIMIT_DELETE_BY_METADATA : LIMIT_DELETE, namespace, 1) ||
			 (!op->filter && !limit_take(r, LIMIT_DELETE_RECORDS, namespace, op->nids)))
		operation_free(op);
	else
		run_delete(r, namespace, op);
	return true;
}
