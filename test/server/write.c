/*
 * write.c
 *		Upsert, update, delete.
 */
#include "alias.h"
#include "filter.h"
#include "knn.h"
#include "limits.h"
#include "request.h"
#include "settings.h"
#include "vector.h"

#include <math.h>
#include <stdlib.h>

#define MAX_UPDATED 100000

/* What both upsert and update say of a record */
typedef struct Input
{
	Str id;
	bool has_id;
	float *values; /* in the thread's memory, or copied */
	int nvalues;
	const char *places; /* of the values, in the thread's memory */
	size_t values_len;	/* of their text */
	Sparse *sparse;
	Metadata *metadata;
} Input;

static void
input_free(Input *in)
{
	free(in->sparse);
	free(in->metadata);
	in->sparse = NULL;
	in->metadata = NULL;
}

/* Is every value less than 1e-8? */
static bool
is_zero(const float *values, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (fabsf(values[i]) >= 1e-8f)
			return false;
	}
	return true;
}

/* Does the index take these values? */
static bool
check_input(Request *r, const Input *in)
{
	const Index *index = r->index;

	if (in->nvalues > 0 && index->sparse)
		return !reply_invalid(r, "Index configuration does not support dense values");
	if (in->nvalues > 0 && in->nvalues != index->dimension)
		return !reply_invalid(r, "Vector dimension %d does not match the dimension of the index %d", in->nvalues, index->dimension);
	if (in->nvalues > 0 && is_zero(in->values, in->nvalues))
		return !reply_invalid(r, "Dense vectors must contain at least one non-zero value. Vector ID '%.*s' contains only zeros",
							  (int) in->id.len, in->id.s);
	return true;
}

static bool
read_sparse_input(Request *r, JsonReader *j, Input *in)
{
	const char *error;

	free(in->sparse);
	in->sparse = read_sparse(r, j, &error);
	return in->sparse || (error && !reply_invalid(r, "%s", error));
}

static bool
read_metadata_input(Request *r, JsonReader *j, Input *in)
{
	Str message;

	free(in->metadata);
	return metadata_read(j, &in->metadata, &message) ||
		   (message.s && !reply_invalid(r, "%.*s", (int) message.len, message.s));
}

/* ---- POST /vectors/upsert ---- */

typedef struct Upsert
{
	Str namespace;
	bool has_vectors;
	Record **records;
	int count, size;
	Buffer values; /* of all records */
} Upsert;

static bool
read_vector_field(Request *r, JsonReader *j, Str key, Input *in)
{
	if (str_is(key, "id"))
		return json_read_string(j, &in->id) && (in->has_id = true);
	if (is_null(j))
		return true;
	if (str_is(key, "values"))
	{
		Buffer *floats = thread_buffer(THREAD_BUFFER_FLOATS), *places = thread_buffer(THREAD_BUFFER_PLACES);

		floats->len = places->len = 0;
		if (!vector_read(j, floats, places, &in->values_len))
			return false;
		in->values = (float *) floats->data;
		in->nvalues = (int) (floats->len / sizeof(float));
		in->places = places->data;
		return true;
	}
	if (key_is(key, "sparseValues"))
	{
		/* The thread's memory for floats serves the sparse ones too */
		float *copy = in->nvalues ? arena_alloc(&r->arena, sizeof(float) * (size_t) in->nvalues) : NULL;

		if (copy)
			in->values = memcpy(copy, in->values, sizeof(float) * (size_t) in->nvalues);
		return read_sparse_input(r, j, in);
	}
	if (str_is(key, "metadata"))
		return read_metadata_input(r, j, in);
	return unknown_field(r, key);
}

static bool
read_vector(Request *r, JsonReader *j, Upsert *u)
{
	Input in = {0};
	bool first = true, good = json_begin(j, '{');
	Str key;
	Record *record;

	while (good && json_next_key(j, &first, &key))
		good = read_vector_field(r, j, key, &in);
	good = good && !j->error && check_id(r, in.id) && check_input(r, &in);
	if (good && in.nvalues == 0 && !r->index->sparse)
		good = !reply_invalid(r, "Dense vectors must contain 'values'. Vector ID '%.*s' has none", (int) in.id.len, in.id.s);
	if (good && !in.sparse && r->index->sparse)
		good = !reply_invalid(r, "Sparse vectors must contain 'sparseValues'. Vector ID '%.*s' has none", (int) in.id.len, in.id.s);
	if (!good)
	{
		input_free(&in);
		return false;
	}
	buffer_add(&u->values, in.values, sizeof(float) * (size_t) in.nvalues);
	record = record_make(in.id, in.places, in.nvalues, in.values_len, in.sparse, in.metadata);
	if (u->count == u->size)
	{
		u->size = u->size ? u->size * 2 : 64;
		u->records = mem_resize(u->records, sizeof(Record *) * (size_t) u->size);
	}
	u->records[u->count++] = record;
	/* The name before the metadata takes 12 bytes */
	if (record->text_len - record->sparse_end > METADATA_LIMIT + 12)
		return !reply_invalid(r, "Metadata size is %u bytes, which exceeds the limit of %d bytes per vector",
							  record->text_len - record->sparse_end - 12, METADATA_LIMIT);
	return true;
}

static bool
read_upsert_field(Request *r, JsonReader *j, Str key, Upsert *u)
{
	bool first = true;

	if (str_is(key, "namespace"))
		return read_namespace(r, j, &u->namespace);
	if (!str_is(key, "vectors"))
		return unknown_field(r, key);
	if (!json_begin(j, '['))
		return false;
	while (json_next_item(j, &first))
	{
		if (u->count == sizes.upsert)
			return !reply_invalid(r, "Request contains more than %d vectors", sizes.upsert);
		if (!read_vector(r, j, u))
			return false;
	}
	return !j->error;
}

static void
commit(Request *r, Operation *op, Namespace *ns)
{
	op->ns = ns;
	r->reply.has_request_lsn = settings.lsn_headers != LSN_NEVER;
	r->reply.request_lsn = index_submit(r->index, op);
}

bool
write_upsert(Request *r)
{
	JsonReader j = json_reader((Str){r->body.data, r->body.len}, &r->arena);
	Upsert u = {.namespace = STR("")};
	bool first = true;
	Str key;
	Operation *op = operation_new(OP_UPSERT, NULL);

	json_begin(&j, '{');
	while (json_next_key(&j, &first, &key) && read_upsert_field(r, &j, key, &u))
		;
	op->records = u.records;
	op->nrecords = u.count;
	op->values = (float *) u.values.data;
	if (r->reply.status || !json_finish(&j))
		bad_body(r, &j);
	else if (u.count == 0)
		reply_invalid(r, "Invalid request: it must contain at least one vector");
	else if (limit_take(r, LIMIT_UPSERT, u.namespace, 1) && limit_take(r, LIMIT_UPSERT_BYTES, u.namespace, (double) r->body_bytes))
	{
		bool good;

		index_lock(r->index);
		good = alias_check_upsert(r, u.namespace);
		if (good)
			commit(r, op, namespace_make(r->index, u.namespace));
		index_unlock(r->index);
		if (good)
		{
			buffer_printf(reply_body(r), "{\"upsertedCount\":%d}", u.count);
			return true;
		}
	}
	operation_free(op);
	return true;
}

/* ---- POST /vectors/update ---- */

typedef struct Update
{
	Str namespace;
	Input in;
	Filter *filter;
	bool dry_run;
} Update;

static bool
read_filter_field(Request *r, JsonReader *j, Filter **filter)
{
	return read_filter(r, j, filter) && (!filter_is_empty(*filter) || !reply_invalid(r, "Filter must not be empty"));
}

static bool
read_update_field(Request *r, JsonReader *j, Str key, Update *u)
{
	if (is_null(j))
		return true;
	if (str_is(key, "namespace"))
		return read_namespace(r, j, &u->namespace);
	if (str_is(key, "filter"))
		return read_filter_field(r, j, &u->filter);
	if (key_is(key, "dryRun"))
		return json_read_bool(j, &u->dry_run);
	if (key_is(key, "setMetadata"))
		return read_metadata_input(r, j, &u->in);
	if (str_is(key, "metadata"))
		return unknown_field(r, key);
	return read_vector_field(r, j, key, &u->in);
}

static bool
check_update(Request *r, Update *u)
{
	Input *in = &u->in;

	if (in->id.len == 0)
		in->has_id = false;
	if (in->has_id && u->filter)
		return !reply_invalid(r, "Cannot provide both 'id' and 'filter' at the same time");
	if (!in->has_id && !u->filter)
		return !reply_invalid(r, "Update must contain 'id' or 'filter'");
	if (u->filter && (in->nvalues || in->sparse))
		return !reply_invalid(r, "Updating by filter cannot set 'values' or 'sparseValues'");
	if (in->has_id && !check_id(r, in->id))
		return false;
	return check_input(r, in);
}

/* The metadata as it would be must fit; under a lock. */
static bool
check_merged(Request *r, const Record *record, const Metadata *changes)
{
	Metadata *merged;
	Str message;
	bool good;

	if (!changes || !record)
		return true;
	merged = metadata_merge(record->metadata, changes);
	good = metadata_check_size(merged, &r->arena, &message) || !reply_invalid(r, "%.*s", (int) message.len, message.s);
	free(merged);
	return good;
}

/* An id with its length before it, as operations keep them */
static void
add_id(Buffer *b, Str id)
{
	uint32_t len = (uint32_t) id.len;

	buffer_add(b, &len, sizeof(len));
	buffer_add_str(b, id);
}

static void
update_one(Request *r, Update *u)
{
	Namespace *ns;
	Operation *op;
	Buffer id = {0};

	index_lock(r->index);
	ns = namespace_find(r->index, u->namespace);
	if (!alias_check_write(r, u->namespace))
		;
	else if (!ns)
		buffer_add_text(reply_body(r), "{}");
	else if (check_merged(r, namespace_get(ns, u->in.id), u->in.metadata))
	{
		op = operation_new(OP_UPDATE, ns);
		add_id(&id, u->in.id);
		op->ids = id.data;
		op->nids = 1;
		op->values = u->in.nvalues ? mem_copy(u->in.values, sizeof(float) * (size_t) u->in.nvalues) : NULL;
		op->sparse = u->in.sparse;
		op->metadata = u->in.metadata;
		u->in.sparse = NULL;
		u->in.metadata = NULL;
		commit(r, op, ns);
		buffer_add_text(reply_body(r), "{}");
	}
	index_unlock(r->index);
}

static void
update_matching(Request *r, Update *u)
{
	Namespace *ns;
	Operation *op;
	uint32_t count = 0;
	bool good;

	index_lock(r->index);
	ns = namespace_find(r->index, u->namespace);
	good = alias_check_write(r, u->namespace) && check_filter_schema(r, ns, u->filter);
	if (good && ns)
		count = knn_count(ns, u->filter);
	for (uint32_t row = 0; good && count && u->in.metadata && !u->dry_run && row < ns->count; row++)
	{
		if (filter_matches(u->filter, ns->rows[row]->metadata))
			good = check_merged(r, ns->rows[row], u->in.metadata);
	}
	if (good)
	{
		if (count > MAX_UPDATED && !u->dry_run)
			count = MAX_UPDATED;
		if (ns && !u->dry_run)
		{
			op = operation_new(OP_UPDATE_MATCHING, ns);
			op->filter = u->filter;
			op->metadata = u->in.metadata;
			op->limit = MAX_UPDATED;
			u->filter = NULL;
			u->in.metadata = NULL;
			commit(r, op, ns);
		}
		buffer_printf(reply_body(r), "{\"matchedRecords\":%u}", count);
	}
	index_unlock(r->index);
}

/* A filter over many records is for a thread of the pool. */
static bool
is_long_filter(Request *r, Str namespace)
{
	Namespace *ns;
	bool is_long;

	if (r->as_task)
		return false;
	index_lock_shared(r->index);
	ns = namespace_find(r->index, namespace);
	is_long = ns && ns->count > 20000;
	index_unlock(r->index);
	return is_long;
}

bool
write_update(Request *r)
{
	JsonReader j = json_reader((Str){r->body.data, r->body.len}, &r->arena);
	Update u = {.namespace = STR("")};
	bool first = true, done = true;
	Str key;

	json_begin(&j, '{');
	while (json_next_key(&j, &first, &key) && read_update_field(r, &j, key, &u))
		;
	if (r->reply.status || !json_finish(&j))
		bad_body(r, &j);
	else if (check_update(r, &u))
	{
		if (u.filter && is_long_filter(r, u.namespace))
			done = false;
		else if (limit_take(r, u.filter ? LIMIT_UPDATE_BY_METADATA : LIMIT_UPDATE, u.namespace, 1) &&
				 (u.filter || limit_take(r, LIMIT_UPDATE_RECORDS, u.namespace, 1)))
		{
			if (u.filter)
				update_matching(r, &u);
			else
				update_one(r, &u);
		}
	}
	input_free(&u.in);
	filter_free(u.filter);
	return done;
}

/* ---- POST /vectors/delete ---- */

typedef struct Delete
{
	Str namespace;
	Buffer ids;
	int nids;
	bool all;
	Filter *filter;
} Delete;

static bool
read_delete_field(Request *r, JsonReader *j, Str key, Delete *d)
{
	bool first = true;
	Str id;

	if (is_null(j))
		return true;
	if (str_is(key, "namespace"))
		return read_namespace(r, j, &d->namespace);
	if (key_is(key, "deleteAll"))
		return json_read_bool(j, &d->all);
	if (str_is(key, "filter"))
		return read_filter_field(r, j, &d->filter);
	if (!str_is(key, "ids"))
		return unknown_field(r, key);
	json_begin(j, '[');
	while (json_next_item(j, &first))
	{
		if (!json_read_string(j, &id) || !check_id(r, id))
			return false;
		add_id(&d->ids, id);
		d->nids++;
	}
	return !j->error;
}

static bool
check_delete(Request *r, const Delete *d)
{
	if (d->nids > sizes.delete_ids)
		return !reply_invalid(r, "Delete accepts at most %d IDs, got %d", sizes.delete_ids, d->nids);
	if ((d->nids > 0) + d->all + (d->filter != NULL) > 1)
		return !reply_invalid(r, "Delete takes one of 'ids', 'deleteAll' and 'filter'");
	if (!d->nids && !d->all && !d->filter)
		return !reply_invalid(r, "Delete must contain 'ids', 'deleteAll' or 'filter'");
	return true;
}

static void
run_delete(Request *r, Delete *d)
{
	Namespace *ns;
	Operation *op;

	index_lock(r->index);
	ns = namespace_find(r->index, d->namespace);
	if (!alias_check_write(r, d->namespace))
		;
	else if (!ns)
		reply_rpc_error(r, 404, RPC_NOT_FOUND, "Namespace not found");
	else if (!d->filter || check_filter_schema(r, ns, d->filter))
	{
		op = operation_new(d->all ? OP_DELETE_ALL : d->filter ? OP_DELETE_MATCHING :
																OP_DELETE_IDS,
						   ns);
		op->ids = d->ids.data;
		op->nids = d->nids;
		op->filter = d->filter;
		d->ids = (Buffer){0};
		d->filter = NULL;
		commit(r, op, ns);
		buffer_add_text(reply_body(r), "{}");
	}
	index_unlock(r->index);
}

bool
write_delete(Request *r)
{
	JsonReader j = json_reader((Str){r->body.data, r->body.len}, &r->arena);
	Delete d = {.namespace = STR("")};
	bool first = true, done = true;
	Str key;

	json_begin(&j, '{');
	while (json_next_key(&j, &first, &key) && read_delete_field(r, &j, key, &d))
		;
	if (r->reply.status || !json_finish(&j))
		bad_body(r, &j);
	else if (check_delete(r, &d))
	{
		if (d.filter && is_long_filter(r, d.namespace))
			done = false;
		else if (limit_take(r, d.filter ? LIMIT_DELETE_BY_METADATA : LIMIT_DELETE, d.namespace, 1) &&
				 (d.filter || limit_take(r, LIMIT_DELETE_RECORDS, d.namespace, d.nids)))
			run_delete(r, &d);
	}
	buffer_free(&d.ids);
	filter_free(d.filter);
	return done;
}
