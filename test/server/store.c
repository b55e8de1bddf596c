/*
 * store.c
 *		Indexes, namespaces and records.
 *
 * A record carries its JSON ready-made, so that replies are put together by
 * copying.  A namespace finds records by hash and sorts them by id when a
 * reader needs the order.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server.h"

Index *indexes = NULL;
pthread_mutex_t indexes_lock = PTHREAD_MUTEX_INITIALIZER;

int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const char *const metric_names[] = {"cosine", "dotproduct", "euclidean"};

const char *
metric_name(Metric metric)
{
	return metric_names[metric];
}

bool
metric_by_name(const char *name, Metric *metric)
{
	for (int i = 0; i < 3; i++)
	{
		if (strcmp(name, metric_names[i]) == 0)
		{
			*metric = (Metric) i;
			return true;
		}
	}
	return false;
}

Index *
index_find(const char *name)
{
	for (Index *index = indexes; index; index = index->next)
	{
		if (!index->deleted && strcmp(index->name, name) == 0)
			return index;
	}
	return NULL;
}

Index *
index_create(const char *name, int dimension, Metric metric, bool sparse, int port)
{
	Index *index = calloc(1, sizeof(Index));

	index->name = strdup(name);
	index->dimension = dimension;
	index->metric = metric;
	index->sparse = sparse;
	pthread_rwlock_init(&index->lock, NULL);
	pthread_mutex_init(&index->sort_lock, NULL);
	index->daemon = http_listen(port, index, &index->port);
	if (index->daemon == NULL)
	{
		free(index->name);
		free(index);
		return NULL;
	}
	index->ready_at_ms = now_ms() + settings.ready_delay_ms;
	index->next = indexes;
	indexes = index;
	return index;
}

/* ---- Namespaces ---- */

static const char *
plain_name(const char *name)
{
	return name == NULL || strcmp(name, "__default__") == 0 ? "" : name;
}

Namespace *
namespace_find(Index *index, const char *name)
{
	name = plain_name(name);
	for (Namespace *ns = index->namespaces; ns; ns = ns->next)
	{
		if (strcmp(ns->name, name) == 0)
			return ns;
	}
	return NULL;
}

Namespace *
namespace_get(Index *index, const char *name)
{
	Namespace *ns = namespace_find(index, name);
	Namespace **place = &index->namespaces;

	if (ns != NULL)
		return ns;
	name = plain_name(name);
	while (*place && strcmp((*place)->name, name) < 0)
		place = &(*place)->next;
	ns = calloc(1, sizeof(Namespace));
	ns->name = strdup(name);
	ns->sorted = true;
	ns->nbuckets = 64;
	ns->buckets = calloc(ns->nbuckets, sizeof(Record *));
	ns->next = *place;
	*place = ns;
	return ns;
}

void
namespace_drop(Index *index, const char *name)
{
	Namespace **place = &index->namespaces;

	name = plain_name(name);
	while (*place && strcmp((*place)->name, name) != 0)
		place = &(*place)->next;
	if (*place)
	{
		Namespace *ns = *place;

		*place = ns->next;
		for (size_t i = 0; i < ns->nrecords; i++)
			record_free(ns->records[i]);
		json_object_put(ns->schema);
		free(ns->records);
		free(ns->buckets);
		free(ns->name);
		free(ns);
	}
}

static int
compare_ids(const void *a, const void *b)
{
	return strcmp((*(Record *const *) a)->id, (*(Record *const *) b)->id);
}

/* Readers share the index's lock, so that sorting needs one of its own. */
void
namespace_sort(Index *index, Namespace *ns)
{
	pthread_mutex_lock(&index->sort_lock);
	if (!ns->sorted)
	{
		qsort(ns->records, ns->nrecords, sizeof(Record *), compare_ids);
		for (size_t i = 0; i < ns->nrecords; i++)
			ns->records[i]->place = i;
		ns->sorted = true;
	}
	pthread_mutex_unlock(&index->sort_lock);
}

/* ---- Records ---- */

static uint64_t
hash_id(const char *id)
{
	uint64_t hash = 14695981039346656037ULL;

	for (; *id; id++)
		hash = (hash ^ (unsigned char) *id) * 1099511628211ULL;
	return hash ^ hash >> 29;
}

Record *
record_find(Namespace *ns, const char *id)
{
	Record *record = ns->buckets[hash_id(id) & (ns->nbuckets - 1)];

	while (record && strcmp(record->id, id) != 0)
		record = record->next;
	return record;
}

static void
link_record(Namespace *ns, Record *record)
{
	Record **bucket = &ns->buckets[hash_id(record->id) & (ns->nbuckets - 1)];

	record->next = *bucket;
	*bucket = record;
}

static void
unlink_record(Namespace *ns, Record *record)
{
	Record **link = &ns->buckets[hash_id(record->id) & (ns->nbuckets - 1)];

	while (*link != record)
		link = &(*link)->next;
	*link = record->next;
}

void
record_put(Namespace *ns, Record *record)
{
	Record *old = record_find(ns, record->id);

	if (old)
	{
		unlink_record(ns, old);
		record->place = old->place;
		ns->records[old->place] = record;
		record_free(old);
		link_record(ns, record);
		return;
	}
	if (ns->nrecords == ns->size)
	{
		ns->size = ns->size ? ns->size * 2 : 64;
		ns->records = realloc(ns->records, ns->size * sizeof(Record *));
	}
	if (ns->nrecords > 0 && strcmp(ns->records[ns->nrecords - 1]->id, record->id) > 0)
		ns->sorted = false;
	record->place = ns->nrecords;
	ns->records[ns->nrecords++] = record;
	if (ns->nrecords > ns->nbuckets)
	{
		ns->nbuckets *= 4;
		free(ns->buckets);
		ns->buckets = calloc(ns->nbuckets, sizeof(Record *));
		for (size_t i = 0; i + 1 < ns->nrecords; i++)
			link_record(ns, ns->records[i]);
	}
	link_record(ns, record);
}

bool
record_delete(Namespace *ns, const char *id)
{
	Record *record = record_find(ns, id);
	Record *last;

	if (record == NULL)
		return false;
	unlink_record(ns, record);
	last = ns->records[--ns->nrecords];
	if (last != record)
	{
		ns->records[record->place] = last;
		last->place = record->place;
		ns->sorted = false;
	}
	record_free(record);
	return true;
}

void
record_free(Record *record)
{
	if (record == NULL)
		return;
	free(record->id);
	free(record->values);
	free(record->indices);
	free(record->sparse);
	json_object_put(record->metadata);
	free(record->json);
	free(record);
}

static void
render_metadata_value(Buffer *buf, struct json_object *value)
{
	if (json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double))
		buffer_number(buf, json_object_get_double(value));
	else
		buffer_text(buf, json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN |
																  JSON_C_TO_STRING_NOSLASHESCAPE));
}

void
record_render(Record *record, int dimension)
{
	Buffer buf = {0};
	double norm = 0;

	buffer_text(&buf, "{\"id\":");
	buffer_string(&buf, record->id);
	record->id_json_len = buf.len;
	buffer_text(&buf, ",\"values\":[");
	for (int i = 0; record->values && i < dimension; i++)
	{
		if (i > 0)
			buffer_append(&buf, ",", 1);
		buffer_float(&buf, record->values[i]);
		norm += (double) record->values[i] * record->values[i];
	}
	buffer_append(&buf, "]", 1);
	record->norm = sqrt(norm);
	if (record->nsparse > 0)
	{
		buffer_text(&buf, ",\"sparseValues\":{\"indices\":[");
		for (int i = 0; i < record->nsparse; i++)
			buffer_format(&buf, "%s%u", i > 0 ? "," : "", record->indices[i]);
		buffer_text(&buf, "],\"values\":[");
		for (int i = 0; i < record->nsparse; i++)
		{
			if (i > 0)
				buffer_append(&buf, ",", 1);
			buffer_float(&buf, record->sparse[i]);
		}
		buffer_text(&buf, "]}");
	}
	record->metadata_at = buf.len;
	if (record->metadata)
	{
		bool first = true;

		buffer_text(&buf, ",\"metadata\":{");
		json_object_object_foreach(record->metadata, key, value)
		{
			if (!first)
				buffer_append(&buf, ",", 1);
			first = false;
			buffer_string(&buf, key);
			buffer_append(&buf, ":", 1);
			render_metadata_value(&buf, value);
		}
		buffer_append(&buf, "}", 1);
	}
	buffer_append(&buf, "}", 1);
	free(record->json);
	record->json = buf.data;
	record->json_len = buf.len;
}

/* ---- Files: JSONL, a line per record: {"namespace":..., record...} ---- */

bool
save_index(Index *index, const char *file)
{
	FILE *out = fopen(file, "w");

	if (out == NULL)
		return false;
	for (Namespace *ns = index->namespaces; ns; ns = ns->next)
	{
		Buffer name = {0};

		buffer_string(&name, ns->name);
		for (size_t i = 0; i < ns->nrecords; i++)
			fprintf(out, "{\"index\":\"%s\",\"namespace\":%s,%s\n", index->name, name.data,
					ns->records[i]->json + 1);
		free(name.data);
	}
	return fclose(out) == 0;
}
