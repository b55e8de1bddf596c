/*
 * log.c
 *		What was asked, for tests to look at: /_local/requests.
 */
#include <stdlib.h>
#include <string.h>

#include "server.h"

#define MAX_ENTRIES 20000
#define MAX_LOGGED_BODY 65536

typedef struct Entry
{
	long number;
	char index[64];
	char method[8];
	char *raw;
	char *body;
	int status;
	int key;
	int64_t took_ms;
} Entry;

static Entry entries[MAX_ENTRIES];
static long nentries = 0;		/* since the last reset; the oldest are overwritten */
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

void
log_request(Request *request, int status, int64_t took_ms)
{
	Entry *entry;
	size_t len = request->body.len;

	pthread_mutex_lock(&log_lock);
	entry = &entries[nentries % MAX_ENTRIES];
	free(entry->raw);
	free(entry->body);
	memset(entry, 0, sizeof(*entry));
	entry->number = ++nentries;
	if (request->index)
		strncpy(entry->index, request->index->name, sizeof(entry->index) - 1);
	strncpy(entry->method, request->method, sizeof(entry->method) - 1);
	entry->raw = strdup(request->raw);
	if (len > 0 && len <= MAX_LOGGED_BODY)
		entry->body = strndup(request->body.data, len);
	entry->status = status;
	entry->key = request->key;
	entry->took_ms = took_ms;
	pthread_mutex_unlock(&log_lock);
}

static bool
is_json(const char *text)
{
	struct json_object *json = json_tokener_parse(text);

	json_object_put(json);
	return json != NULL;
}

static void
append_entry(Buffer *buf, const Entry *entry)
{
	const char *query = strchr(entry->raw, '?');

	buffer_format(buf, "{\"number\":%ld,\"index\":\"%s\",\"method\":\"%s\",\"path\":", entry->number,
				  entry->index, entry->method);
	if (query)
	{
		char *path = strndup(entry->raw, query - entry->raw);

		buffer_string(buf, path);
		free(path);
		buffer_text(buf, ",\"query\":");
		buffer_string(buf, query + 1);
	}
	else
		buffer_string(buf, entry->raw);
	buffer_format(buf, ",\"status\":%d,\"key\":%d,\"ms\":%ld", entry->status, entry->key,
				  (long) entry->took_ms);
	if (entry->body)
	{
		buffer_text(buf, ",\"body\":");
		if (is_json(entry->body))
			buffer_text(buf, entry->body);
		else
			buffer_string(buf, entry->body);
	}
	buffer_text(buf, "}");
}

/* How many requests per method and path. */
static void
append_counts(Buffer *buf, long from)
{
	bool first = true;

	buffer_format(buf, "{\"total\":%ld,\"counts\":{", nentries);
	for (long i = from; i < nentries; i++)
	{
		Entry *entry = &entries[i % MAX_ENTRIES];
		size_t len = strcspn(entry->raw, "?");
		long n = 0;
		bool seen = false;

		for (long j = from; j < nentries; j++)
		{
			Entry *other = &entries[j % MAX_ENTRIES];

			if (strcspn(other->raw, "?") != len || strncmp(other->raw, entry->raw, len) != 0)
				continue;
			if (j < i)
			{
				seen = true;
				break;
			}
			n++;
		}
		if (seen)
			continue;
		buffer_format(buf, "%s\"%.*s\":%ld", first ? "" : ",", (int) len, entry->raw, n);
		first = false;
	}
	buffer_text(buf, "}}");
}

void
answer_log(Request *request, Reply *reply)
{
	Buffer *buf = &reply->body;
	long from;

	pthread_mutex_lock(&log_lock);
	from = nentries > MAX_ENTRIES ? nentries - MAX_ENTRIES : 0;
	if (strcmp(request->method, "DELETE") == 0)
	{
		nentries = 0;
		buffer_text(buf, "{}");
	}
	else if (query_parameter(request, "count"))
		append_counts(buf, from);
	else
	{
		buffer_text(buf, "{\"requests\":[");
		for (long i = from; i < nentries; i++)
		{
			if (i > from)
				buffer_text(buf, ",");
			append_entry(buf, &entries[i % MAX_ENTRIES]);
		}
		buffer_text(buf, "]}");
	}
	pthread_mutex_unlock(&log_lock);
}
