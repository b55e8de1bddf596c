/*
 * data.c
 *		The data plane of an index (API 2025-10).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

#define MAX_REPLY 4194304
#define MAX_BODY 2097152

static struct json_object *
member(Request *request, const char *name)
{
	struct json_object *value = NULL;

	if (request->json == NULL || !json_object_object_get_ex(request->json, name, &value))
		return NULL;
	return value;
}

static const char *
string_member(Request *request, const char *name)
{
	struct json_object *value = member(request, name);

	return value && json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static bool
bool_member(Request *request, const char *name)
{
	struct json_object *value = member(request, name);

	return value && json_object_get_boolean(value);
}

static void
bad_request(Reply *reply, const char *message)
{
	reply_rpc_error(reply, 400, 3, "%s", message);
}

/* A reply that grew beyond the limit fails as a whole. */
static void
check_reply_size(Reply *reply)
{
	size_t len = reply->body.len;

	if (reply->status == 200 && len > MAX_REPLY)
		reply_rpc_error(reply, 400, 11,
						"Error, message length too large: found %zu bytes, the limit is: %d bytes",
						len, MAX_REPLY);
}

static void
append_namespace(Buffer *buf, const char *name)
{
	buffer_text(buf, "\"namespace\":");
	buffer_string(buf, name ? name : "");
}

static void
note_write(Namespace *ns, Reply *reply, int64_t lsn)
{
	ns->lsn = lsn > ns->lsn ? lsn : ns->lsn;
	ns->indexed_lsn = ns->lsn;
	reply->request_lsn = lsn;
}

/* ---- Reads ---- */

/* A pagination token is the last id seen, in hexadecimal. */
static void
append_token(Buffer *buf, const char *id)
{
	buffer_text(buf, "\"pagination\":{\"next\":\"");
	for (const unsigned char *p = (const unsigned char *) id; *p; p++)
		buffer_format(buf, "%02x", *p);
	buffer_text(buf, "\"},");
}

static bool
decode_token(const char *token, char *id, size_t size)
{
	size_t len = strlen(token);

	if (len % 2 || len / 2 >= size)
		return false;
	for (size_t i = 0; i < len / 2; i++)
	{
		unsigned value;

		if (sscanf(token + 2 * i, "%2x", &value) != 1)
			return false;
		id[i] = (char) value;
	}
	id[len / 2] = '\0';
	return true;
}

/* The first record whose id is not before (or, with "after", behind) a text. */
static size_t
lower_bound(Namespace *ns, const char *text, bool after)
{
	size_t low = 0, high = ns->nrecords;

	while (low < high)
	{
		size_t middle = (low + high) / 2;
		int order = strcmp(ns->records[middle]->id, text);

		if (order < 0 || (after && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
answer_list(Request *request, Reply *reply)
{
	const char *prefix = query_parameter(request, "prefix");
	const char *token = query_parameter(request, "paginationToken");
	const char *limit_text = query_parameter(request, "limit");
	const char *name = query_parameter(request, "namespace");
	int limit = limit_text ? atoi(limit_text) : 100;
	Namespace *ns = namespace_find(request->index, name);
	Buffer *buf = &reply->body;
	char after[600] = "";
	size_t i = 0, n = 0;

	if (limit < 1 || limit > 100)
	{
		bad_request(reply, "limit must be between 1 and 100");
		return;
	}
	if (token && !decode_token(token, after, sizeof(after)))
	{
		bad_request(reply, "Invalid pagination token");
		return;
	}
	buffer_text(buf, "{\"vectors\":[");
	if (ns)
	{
		namespace_sort(request->index, ns);
		i = lower_bound(ns, prefix ? prefix : "", false);
		if (token)
		{
			size_t from = lower_bound(ns, after, true);

			i = from > i ? from : i;
		}
		for (; i < ns->nrecords && n < (size_t) limit; i++, n++)
		{
			Record *record = ns->records[i];

			if (prefix && strncmp(record->id, prefix, strlen(prefix)) != 0)
				break;
			if (n > 0)
				buffer_append(buf, ",", 1);
			buffer_append(buf, record->json, record->id_json_len);
			buffer_append(buf, "}", 1);
		}
	}
	buffer_text(buf, "],");
	if (n == (size_t) limit && i < ns->nrecords &&
		(!prefix || strncmp(ns->records[i]->id, prefix, strlen(prefix)) == 0))
		append_token(buf, ns->records[i - 1]->id);
	append_namespace(buf, name);
	buffer_text(buf, ",\"usage\":{\"readUnits\":1}}");
}

typedef struct FetchState
{
	Request *request;
	Reply *reply;
	Namespace *ns;
	int nids;
	int found;
} FetchState;

static enum MHD_Result
fetch_one(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
	FetchState *state = cls;
	Record *record;

	(void) kind;
	if (strcmp(key, "ids") != 0 || value == NULL)
		return MHD_YES;
	state->nids++;
	record = state->ns ? record_find(state->ns, value) : NULL;
	if (record == NULL)
		return MHD_YES;
	if (state->found++ > 0)
		buffer_append(&state->reply->body, ",", 1);
	buffer_string(&state->reply->body, record->id);
	buffer_append(&state->reply->body, ":", 1);
	buffer_append(&state->reply->body, record->json, record->json_len);
	return MHD_YES;
}

static void
answer_fetch(Request *request, Reply *reply)
{
	const char *name = query_parameter(request, "namespace");
	FetchState state = {request, reply, namespace_find(request->index, name), 0, 0};

	buffer_text(&reply->body, "{\"vectors\":{");
	MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, fetch_one, &state);
	if (state.nids < 1 || state.nids > 1000)
	{
		bad_request(reply, state.nids ? "Cannot fetch more than 1000 ids" : "No ids provided to fetch");
		return;
	}
	buffer_text(&reply->body, "},");
	append_namespace(&reply->body, name);
	buffer_format(&reply->body, ",\"usage\":{\"readUnits\":%d}}", 1 + state.found / 10);
}

static void
answer_fetch_by_metadata(Request *request, Reply *reply)
{
	const char *name = string_member(request, "namespace");
	const char *token = string_member(request, "paginationToken");
	struct json_object *filter = member(request, "filter");
	struct json_object *limit_value = member(request, "limit");
	int limit = limit_value ? json_object_get_int(limit_value) : 100;
	Namespace *ns = namespace_find(request->index, name);
	Buffer *buf = &reply->body;
	char after[600] = "";
	const char *last = NULL;
	int n = 0;

	if (filter == NULL || (json_object_is_type(filter, json_type_object) &&
						   json_object_object_length(filter) == 0))
	{
		bad_request(reply, "A non-empty filter is required");
		return;
	}
	if (!filter_check(filter, reply))
		return;
	if (limit < 1 || limit > 10000)
	{
		bad_request(reply, "limit must be between 1 and 10000");
		return;
	}
	if (token && !decode_token(token, after, sizeof(after)))
	{
		bad_request(reply, "Invalid pagination token");
		return;
	}
	buffer_text(buf, "{\"vectors\":{");
	if (ns)
	{
		namespace_sort(request->index, ns);
		for (size_t i = token ? lower_bound(ns, after, true) : 0; i < ns->nrecords; i++)
		{
			Record *record = ns->records[i];

			if (!filter_match(filter, record->metadata))
				continue;
			if (n == limit)
			{
				n++;
				break;
			}
			if (n++ > 0)
				buffer_append(buf, ",", 1);
			buffer_string(buf, record->id);
			buffer_append(buf, ":", 1);
			buffer_append(buf, record->json, record->json_len);
			last = record->id;
		}
	}
	buffer_text(buf, "},");
	if (n > limit)
		append_token(buf, last);
	append_namespace(buf, name);
	buffer_format(buf, ",\"usage\":{\"readUnits\":%d}}", 1 + n / 100);
}

static bool
read_vector(struct json_object *array, float **values, int *n)
{
	*n = (int) json_object_array_length(array);
	*values = malloc((*n + 1) * sizeof(float));
	for (int i = 0; i < *n; i++)
	{
		struct json_object *value = json_object_array_get_idx(array, i);

		if (!json_object_is_type(value, json_type_double) && !json_object_is_type(value, json_type_int))
			return false;
		(*values)[i] = (float) json_object_get_double(value);
	}
	return true;
}

static void
append_match(Buffer *buf, const Hit *hit, bool values, bool metadata)
{
	Record *record = hit->record;

	buffer_append(buf, record->json, record->id_json_len);
	buffer_text(buf, ",\"score\":");
	buffer_float(buf, hit->score);
	if (values)
		buffer_append(buf, record->json + record->id_json_len,
					  record->metadata_at - record->id_json_len);
	else
		buffer_text(buf, ",\"values\":[]");
	if (metadata)
		buffer_append(buf, record->json + record->metadata_at, record->json_len - record->metadata_at);
	else
		buffer_append(buf, "}", 1);
}

/* What to search by: a vector, a sparse vector, or a stored record's. */
static bool
read_search(Request *request, Namespace *ns, Search *search, float **owned, Reply *reply)
{
	Index *index = request->index;
	struct json_object *vector = member(request, "vector");
	struct json_object *sparse = member(request, "sparseVector");
	const char *id = string_member(request, "id");
	int n;

	if (vector && json_object_is_type(vector, json_type_array) && json_object_array_length(vector) == 0)
		vector = NULL;
	if (id && (vector || sparse))
	{
		bad_request(reply, sparse ? "Cannot provide both 'ID' and 'sparse_vector' at the same time" :
					"Cannot provide both 'ID' and 'vector' at the same time");
		return false;
	}
	if (id)
	{
		Record *record = ns ? record_find(ns, id) : NULL;

		if (record)
		{
			search->values = record->values;
			search->nsparse = record->nsparse;
			search->indices = record->indices;
			search->sparse = record->sparse;
		}
		else
			search->top_k = 0;
		return true;
	}
	if (!vector && !sparse)
	{
		bad_request(reply, "Either 'vector', 'sparse_vector' or 'id' must be provided");
		return false;
	}
	if (vector)
	{
		if (!json_object_is_type(vector, json_type_array) || !read_vector(vector, owned, &n))
		{
			bad_request(reply, "vector must be an array of numbers");
			return false;
		}
		if (index->sparse)
		{
			bad_request(reply, "Index configuration does not support dense values");
			return false;
		}
		if (n != index->dimension)
		{
			reply_rpc_error(reply, 400, 3,
							"Vector dimension %d does not match the dimension of the index %d", n,
							index->dimension);
			return false;
		}
		search->values = *owned;
	}
	if (sparse)
	{
		struct json_object *indices, *values;
		static __thread uint32_t sparse_indices[2048];
		static __thread float sparse_values[2048];

		if (!index->sparse && index->metric != DOTPRODUCT)
		{
			bad_request(reply, "Index configuration does not support sparse values - only indexes that are sparse or using dotproduct are supported");
			return false;
		}
		if (!json_object_object_get_ex(sparse, "indices", &indices) ||
			!json_object_object_get_ex(sparse, "values", &values) ||
			json_object_array_length(indices) != json_object_array_length(values) ||
			json_object_array_length(indices) > 2048)
		{
			bad_request(reply, "Sparse vector must have as many indices as values");
			return false;
		}
		search->nsparse = (int) json_object_array_length(indices);
		for (int i = 0; i < search->nsparse; i++)
		{
			uint32_t at = (uint32_t) json_object_get_int64(json_object_array_get_idx(indices, i));
			float value = (float) json_object_get_double(json_object_array_get_idx(values, i));
			int j = i;

			for (; j > 0 && sparse_indices[j - 1] > at; j--)
			{
				sparse_indices[j] = sparse_indices[j - 1];
				sparse_values[j] = sparse_values[j - 1];
			}
			sparse_indices[j] = at;
			sparse_values[j] = value;
		}
		search->indices = sparse_indices;
		search->sparse = sparse_values;
	}
	return true;
}

static void
answer_query(Request *request, Reply *reply)
{
	const char *name = string_member(request, "namespace");
	struct json_object *top_k = member(request, "topK");
	struct json_object *filter = member(request, "filter");
	Namespace *ns = namespace_find(request->index, name);
	Search search = {0};
	float *owned = NULL;
	Hit *hits;
	int n = 0;

	if (top_k == NULL || !json_object_is_type(top_k, json_type_int) ||
		json_object_get_int64(top_k) < 1 || json_object_get_int64(top_k) > 10000)
	{
		bad_request(reply, "topK must be between 1 and 10000");
		return;
	}
	search.top_k = json_object_get_int(top_k);
	if (filter && (!filter_check(filter, reply)))
		return;
	if (filter && json_object_object_length(filter) > 0)
		search.filter = filter;
	hits = malloc((search.top_k + 1) * sizeof(Hit));
	if (read_search(request, ns, &search, &owned, reply))
	{
		if (ns && search.top_k > 0)
			n = search_namespace(request->index, ns, &search, hits);
		buffer_text(&reply->body, "{\"results\":[],\"matches\":[");
		for (int i = 0; i < n; i++)
		{
			if (i > 0)
				buffer_append(&reply->body, ",", 1);
			append_match(&reply->body, &hits[i], bool_member(request, "includeValues"),
						 bool_member(request, "includeMetadata"));
		}
		buffer_text(&reply->body, "],");
		append_namespace(&reply->body, name);
		buffer_format(&reply->body, ",\"usage\":{\"readUnits\":%d}}", 5 + n / 100);
		reply->indexed_lsn = ns ? ns->indexed_lsn : 0;
	}
	free(owned);
	free(hits);
}

static void
answer_stats(Request *request, Reply *reply)
{
	Index *index = request->index;
	Buffer *buf = &reply->body;
	size_t total = 0;
	bool first = true;

	if (member(request, "filter") && json_object_object_length(member(request, "filter")) > 0)
	{
		bad_request(reply, "Serverless and Starter indexes do not support describing index stats with metadata filtering");
		return;
	}
	buffer_text(buf, "{\"namespaces\":{");
	for (Namespace *ns = index->namespaces; ns; ns = ns->next)
	{
		if (!first)
			buffer_append(buf, ",", 1);
		first = false;
		buffer_string(buf, ns->name[0] ? ns->name : settings.default_key);
		buffer_format(buf, ":{\"vectorCount\":%zu}", ns->nrecords);
		total += ns->nrecords;
	}
	buffer_text(buf, "},");
	if (!index->sparse)
		buffer_format(buf, "\"dimension\":%d,", index->dimension);
	buffer_format(buf, "\"indexFullness\":0,\"totalVectorCount\":%zu,\"metric\":\"%s\",\"vectorType\":\"%s\"}",
				  total, metric_name(index->metric), index->sparse ? "sparse" : "dense");
}

/* ---- Writes ---- */

/* Parse and apply an upsert; the caller holds the write lock. */
static void
apply_upsert(Index *index, const char *body, size_t len, Reply *reply, int64_t lsn, bool check_only)
{
	Record **records;
	int n;
	char *name;
	bool ok = parse_upsert(index, body, len, reply, &records, &n, &name);

	if (ok && (n < 1 || n > 1000))
	{
		bad_request(reply, n ? "Cannot upsert more than 1000 vectors" : "No vectors provided to upsert");
		ok = false;
	}
	if (ok && !check_only)
	{
		Namespace *ns = namespace_get(index, name);

		for (int i = 0; i < n; i++)
			record_put(ns, records[i]);
		note_write(ns, reply, lsn);
	}
	else
	{
		for (int i = 0; i < n; i++)
			record_free(records[i]);
	}
	if (ok)
		buffer_format(&reply->body, "{\"upsertedCount\":%d}", n);
	free(records);
	free(name);
}

static void
merge_metadata(Index *index, Record *record, struct json_object *changes)
{
	if (record->metadata == NULL)
		record->metadata = json_object_new_object();
	json_object_object_foreach(changes, key, value)
	{
		json_object_object_add(record->metadata, key, json_object_get(value));
	}
	record_render(record, index->dimension);
}

static void
update_by_filter(Request *request, Reply *reply, struct json_object *filter,
				 struct json_object *changes, bool dry_run, int64_t lsn)
{
	Namespace *ns = namespace_find(request->index, string_member(request, "namespace"));
	size_t matched = 0;

	if (!filter_check(filter, reply))
		return;
	if (json_object_object_length(filter) == 0)
	{
		bad_request(reply, "A non-empty filter is required");
		return;
	}
	if (changes == NULL && !dry_run)
	{
		bad_request(reply, "setMetadata is required to update by metadata");
		return;
	}
	for (size_t i = 0; ns && i < ns->nrecords; i++)
	{
		if (!filter_match(filter, ns->records[i]->metadata))
			continue;
		if (!dry_run && matched == 100000)
			break;
		matched++;
		if (!dry_run)
			merge_metadata(request->index, ns->records[i], changes);
	}
	if (ns && !dry_run)
		note_write(ns, reply, lsn);
	buffer_format(&reply->body, "{\"matchedRecords\":%zu}", matched);
}

static void
update_one(Request *request, Reply *reply, const char *id, struct json_object *changes, int64_t lsn)
{
	Index *index = request->index;
	Namespace *ns = namespace_find(index, string_member(request, "namespace"));
	Record *record = ns ? record_find(ns, id) : NULL;
	struct json_object *vector = member(request, "values");
	float *values = NULL;
	int n = 0;

	if (vector && json_object_array_length(vector) > 0)
	{
		if (!read_vector(vector, &values, &n) || n != index->dimension)
		{
			reply_rpc_error(reply, 400, 3,
							"Vector dimension %d does not match the dimension of the index %d", n,
							index->dimension);
			free(values);
			return;
		}
	}
	if (record == NULL)
		free(values);
	else
	{
		if (values)
		{
			free(record->values);
			record->values = values;
		}
		if (changes)
			merge_metadata(index, record, changes);
		else
			record_render(record, index->dimension);
	}
	if (ns)
		note_write(ns, reply, lsn);
	buffer_text(&reply->body, "{}");
}

static void
apply_update(Request *request, Reply *reply, int64_t lsn)
{
	struct json_object *filter = member(request, "filter");
	struct json_object *changes = member(request, "setMetadata");
	const char *id = string_member(request, "id");

	if (changes && !check_metadata(changes, reply))
		return;
	if ((id != NULL) == (filter != NULL))
	{
		bad_request(reply, id ? "Cannot provide both 'id' and 'filter'" : "Either 'id' or 'filter' is required");
		return;
	}
	if (filter)
		update_by_filter(request, reply, filter, changes,
						 bool_member(request, "dryRun") || bool_member(request, "dry_run"), lsn);
	else
		update_one(request, reply, id, changes, lsn);
}

static void
apply_delete(Request *request, Reply *reply, int64_t lsn)
{
	Namespace *ns = namespace_find(request->index, string_member(request, "namespace"));
	struct json_object *ids = member(request, "ids");
	struct json_object *filter = member(request, "filter");
	bool all = bool_member(request, "deleteAll");
	int given;

	if (ids && json_object_array_length(ids) == 0)
		ids = NULL;
	given = (ids != NULL) + (filter != NULL) + all;
	if (given != 1)
	{
		bad_request(reply, given ? "Only one of 'ids', 'filter' and 'deleteAll' may be given" :
					"One of 'ids', 'filter' and 'deleteAll' is required");
		return;
	}
	if (ids && json_object_array_length(ids) > 1000)
	{
		bad_request(reply, "Cannot delete more than 1000 ids");
		return;
	}
	if (filter && !filter_check(filter, reply))
		return;
	if (filter && json_object_object_length(filter) == 0)
	{
		bad_request(reply, "A non-empty filter is required");
		return;
	}
	if (ns == NULL)
	{
		reply_rpc_error(reply, 404, 5, "Namespace not found");
		return;
	}
	for (size_t i = 0; ids && i < json_object_array_length(ids); i++)
		record_delete(ns, json_object_get_string(json_object_array_get_idx(ids, i)));
	for (size_t i = ns->nrecords; i > 0 && !ids; i--)
	{
		if (all || filter_match(filter, ns->records[i - 1]->metadata))
			record_delete(ns, ns->records[i - 1]->id);
	}
	note_write(ns, reply, lsn);
	buffer_text(&reply->body, "{}");
}

static int64_t next_lsn = 1;

/* Apply a write now, or note it for later when writes are to become visible late. */
static void
answer_write(Request *request, Reply *reply)
{
	Index *index = request->index;
	int64_t lsn = __atomic_fetch_add(&next_lsn, 1, __ATOMIC_RELAXED);
	bool dry_run = bool_member(request, "dryRun") || bool_member(request, "dry_run");
	bool is_upsert = strcmp(request->path, "/vectors/upsert") == 0;

	if (settings.lag_ms > 0 && !dry_run)
	{
		PendingWrite *write, **place = &index->pending;

		if (is_upsert)
			apply_upsert(index, request->body.data, request->body.len, reply, lsn, true);
		else
			buffer_text(&reply->body, "{}");
		if (reply->status >= 400)
			return;
		write = calloc(1, sizeof(PendingWrite));
		write->due_ms = now_ms() + settings.lag_ms;
		write->lsn = lsn;
		write->path = strdup(request->path);
		write->body = malloc(request->body.len + 1);
		memcpy(write->body, request->body.data, request->body.len + 1);
		write->body_len = request->body.len;
		while (*place)
			place = &(*place)->next;
		*place = write;
		reply->request_lsn = lsn;
		return;
	}
	if (is_upsert)
		apply_upsert(index, request->body.data, request->body.len, reply, lsn, false);
	else if (strcmp(request->path, "/vectors/update") == 0)
		apply_update(request, reply, lsn);
	else
		apply_delete(request, reply, lsn);
}

/* Make writes visible whose time has come; the caller holds the write lock. */
void
apply_pending(Index *index)
{
	while (index->pending && index->pending->due_ms <= now_ms())
	{
		PendingWrite *write = index->pending;
		Reply reply = {.status = 200};

		index->pending = write->next;
		if (strcmp(write->path, "/vectors/upsert") == 0)
			apply_upsert(index, write->body, write->body_len, &reply, write->lsn, false);
		else
		{
			Request request = {.index = index, .path = write->path};

			request.json = json_tokener_parse(write->body);
			if (strcmp(write->path, "/vectors/update") == 0)
				apply_update(&request, &reply, write->lsn);
			else
				apply_delete(&request, &reply, write->lsn);
			json_object_put(request.json);
		}
		free(reply.body.data);
		free(write->path);
		free(write->body);
		free(write);
	}
}

/* ---- Namespaces ---- */

static void
append_description(Buffer *buf, const Namespace *ns)
{
	buffer_text(buf, "{\"name\":");
	buffer_string(buf, ns->name[0] ? ns->name : "__default__");
	buffer_format(buf, ",\"record_count\":\"%zu\"", ns->nrecords);
	if (ns->schema)
		buffer_format(buf, ",\"schema\":%s", json_object_to_json_string_ext(ns->schema, JSON_C_TO_STRING_PLAIN));
	buffer_append(buf, "}", 1);
}

static void
list_namespaces(Request *request, Reply *reply)
{
	const char *limit_text = query_parameter(request, "limit");
	const char *prefix = query_parameter(request, "prefix");
	const char *token = query_parameter(request, "paginationToken");
	int limit = limit_text ? atoi(limit_text) : 100;
	Buffer *buf = &reply->body;
	char after[600] = "";
	const char *last = NULL;
	int n = 0, total = 0;
	bool more = false;

	if (limit < 1 || limit > 100)
	{
		bad_request(reply, "limit must be between 1 and 100");
		return;
	}
	if (token && !decode_token(token, after, sizeof(after)))
	{
		bad_request(reply, "Invalid pagination token");
		return;
	}
	buffer_text(buf, "{\"namespaces\":[");
	for (Namespace *ns = request->index->namespaces; ns; ns = ns->next)
	{
		const char *name = ns->name[0] ? ns->name : "__default__";

		if (prefix && strncmp(name, prefix, strlen(prefix)) != 0)
			continue;
		total++;
		if (token && strcmp(ns->name, after) <= 0)
			continue;
		if (n == limit)
		{
			more = true;
			continue;
		}
		if (n++ > 0)
			buffer_append(buf, ",", 1);
		append_description(buf, ns);
		last = ns->name;
	}
	buffer_text(buf, "],");
	if (more)
		append_token(buf, last);
	buffer_format(buf, "\"total_count\":%d}", total);
}

static bool
check_schema(struct json_object *schema, Reply *reply)
{
	struct json_object *fields, *filterable;

	if (!json_object_object_get_ex(schema, "fields", &fields))
		return true;
	json_object_object_foreach(fields, name, properties)
	{
		if (!json_object_object_get_ex(properties, "filterable", &filterable) ||
			!json_object_get_boolean(filterable))
		{
			reply_rpc_error(reply, 400, 3,
							"Field '%s' is set to filterable: false. Only filterable: true is supported.", name);
			return false;
		}
	}
	return true;
}

static void
create_namespace(Request *request, Reply *reply)
{
	const char *name = string_member(request, "name");
	struct json_object *schema = member(request, "schema");
	Namespace *ns;

	if (name == NULL || name[0] == '\0' || strcmp(name, "__default__") == 0)
		bad_request(reply, "Invalid namespace name");
	else if (namespace_find(request->index, name))
		reply_rpc_error(reply, 409, 6, "Namespace already exists");
	else if (!schema || check_schema(schema, reply))
	{
		ns = namespace_get(request->index, name);
		ns->schema = schema ? json_object_get(schema) : NULL;
		append_description(&reply->body, ns);
	}
}

static void
answer_namespaces(Request *request, Reply *reply)
{
	const char *name = request->path + strlen("/namespaces");
	Namespace *ns;

	if (*name == '\0')
	{
		if (strcmp(request->method, "POST") == 0)
			create_namespace(request, reply);
		else
			list_namespaces(request, reply);
		return;
	}
	ns = namespace_find(request->index, name + 1);
	if (ns == NULL)
		reply_rpc_error(reply, 404, 5, "Namespace not found");
	else if (strcmp(request->method, "DELETE") == 0)
	{
		namespace_drop(request->index, name + 1);
		buffer_text(&reply->body, "{}");
	}
	else
		append_description(&reply->body, ns);
}

/* ---- Routing ---- */

typedef struct Route
{
	const char *method;
	const char *path;
	void (*answer)(Request *request, Reply *reply);
	bool writes;
} Route;

static const Route routes[] = {
	{"POST", "/query", answer_query, false},
	{"GET", "/vectors/fetch", answer_fetch, false},
	{"POST", "/vectors/fetch_by_metadata", answer_fetch_by_metadata, false},
	{"GET", "/vectors/list", answer_list, false},
	{"POST", "/describe_index_stats", answer_stats, false},
	{"POST", "/vectors/upsert", answer_write, true},
	{"POST", "/vectors/update", answer_write, true},
	{"POST", "/vectors/delete", answer_write, true},
};

static const Route *
find_route(Request *request)
{
	static const Route namespaces = {NULL, NULL, answer_namespaces, true};

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
	{
		if (strcmp(request->method, routes[i].method) == 0 && strcmp(request->path, routes[i].path) == 0)
			return &routes[i];
	}
	if (strncmp(request->path, "/namespaces", 11) == 0 &&
		(request->path[11] == '\0' || request->path[11] == '/'))
		return &namespaces;
	return NULL;
}

void
answer_data(Request *request, Reply *reply)
{
	Index *index = request->index;
	const Route *route = find_route(request);
	bool is_upsert = strcmp(request->path, "/vectors/upsert") == 0;

	if (route == NULL || index->deleted)
	{
		reply_rpc_error(reply, 404, 5, index->deleted ? "Index not found" : "Not found");
		return;
	}
	if (request->body.len > MAX_BODY)
	{
		reply_rpc_error(reply, 400, 11,
						"Error, message length too large: found %zu bytes, the limit is: %d bytes",
						request->body.len, MAX_BODY);
		return;
	}
	if (strcmp(request->method, "POST") == 0 && !is_upsert)
	{
		request->json = request->body.data ? json_tokener_parse(request->body.data) : NULL;
		if (request->json == NULL || !json_object_is_type(request->json, json_type_object))
		{
			bad_request(reply, "Failed to parse the request body as JSON");
			return;
		}
	}
	if (index->pending)
	{
		pthread_rwlock_wrlock(&index->lock);
		apply_pending(index);
		pthread_rwlock_unlock(&index->lock);
	}
	if (route->writes)
		pthread_rwlock_wrlock(&index->lock);
	else
		pthread_rwlock_rdlock(&index->lock);
	if (is_upsert && request->body.data == NULL)
		bad_request(reply, "Failed to parse the request body as JSON");
	else
		route->answer(request, reply);
	pthread_rwlock_unlock(&index->lock);
	check_reply_size(reply);
}
