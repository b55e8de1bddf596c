/*
 * log.c
 *		The log of requests.
 *
 * A ring of the latest ones, in the order in which they came in.  How they
 * ended is added later, if they are still there.
 */
#include "log.h"

#include "settings.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* Texts of all entries together; beyond that the oldest go */
#define MAX_BYTES ((size_t) 256 << 20)

typedef struct Entry
{
	uint64_t number; /* 0: nobody */
	char *index;
	char method[8];
	Str path, query, body; /* one piece of memory, at path */
	size_t body_bytes;
	char *version, *user_agent, *content_type;
	int key_number;
	uint64_t key_hash;
	int status; /* -1: not answered yet */
	int64_t wall_us, duration_us;
} Entry;

static struct
{
	pthread_mutex_t lock;
	Entry *ring;
	size_t size, first, count;
	size_t bytes;
	uint64_t numbers;
} entries = {.lock = PTHREAD_MUTEX_INITIALIZER};

static char *
copy_text(const char *text)
{
	return text ? mem_text(str_of(text)) : NULL;
}

static void
clear_entry(Entry *e)
{
	entries.bytes -= e->path.len + e->query.len + e->body.len;
	free(e->index);
	free((char *) e->path.s);
	free(e->version);
	free(e->user_agent);
	free(e->content_type);
	*e = (Entry){0};
}

static void
drop_first(void)
{
	clear_entry(&entries.ring[entries.first]);
	entries.first = (entries.first + 1) % entries.size;
	entries.count--;
}

/*
 * Note that a request has come. Its entry is finished when the reply is out; who
 * reads the log between sees it as running.
 */
uint64_t
log_begin(const Request *r)
{
	Entry e = {.status = -1, .key_number = r->key_number, .wall_us = r->start_wall_us, .body_bytes = r->body_bytes};
	size_t body = r->body.len < settings.log_body_limit ? r->body.len : settings.log_body_limit;
	char *text;
	uint64_t number;

	if (settings.log_size <= 0)
		return 0;
	snprintf(e.method, sizeof(e.method), "%s", r->method);
	e.index = r->index ? copy_text(r->index->name) : NULL;
	e.version = copy_text(r->version);
	e.user_agent = copy_text(r->user_agent);
	e.content_type = copy_text(r->content_type);
	e.key_hash = r->api_key ? hash_bytes(r->api_key, strlen(r->api_key)) : 0;
	text = mem_alloc(r->path.len + r->query.len + body);
	e.path = (Str){text, r->path.len};
	e.query = (Str){text + r->path.len, r->query.len};
	e.body = (Str){e.query.s + r->query.len, body};
	memcpy(text, r->path.s, r->path.len);
	if (r->query.len)
		memcpy((char *) e.query.s, r->query.s, r->query.len);
	if (body)
		memcpy((char *) e.body.s, r->body.data, body);

	pthread_mutex_lock(&entries.lock);
	if (entries.size == 0)
	{
		entries.size = (size_t) settings.log_size;
		entries.ring = mem_zero(sizeof(Entry) * entries.size);
	}
	entries.bytes += e.path.len + e.query.len + e.body.len;
	while (entries.count > 0 && (entries.count == entries.size || entries.bytes > MAX_BYTES))
		drop_first();
	number = e.number = ++entries.numbers;
	entries.ring[(entries.first + entries.count++) % entries.size] = e;
	pthread_mutex_unlock(&entries.lock);
	return number;
}

void
log_end(uint64_t number, int status, int64_t duration_us)
{
	if (number == 0)
		return;
	pthread_mutex_lock(&entries.lock);
	/* Numbers are dense but for what was cleared of one index alone: search back from where it should be */
	if (entries.count > 0)
	{
		Entry *last = &entries.ring[(entries.first + entries.count - 1) % entries.size];
		size_t back = (size_t) (last->number - number);

		if (last->number >= number && back >= entries.count)
			back = entries.count - 1;
		for (size_t i = last->number >= number ? entries.count - 1 - back : entries.count; i < entries.count; i++)
		{
			Entry *e = &entries.ring[(entries.first + i) % entries.size];

			if (e->number == number)
			{
				e->status = status;
				e->duration_us = duration_us;
			}
			if (e->number >= number)
				break;
		}
	}
	pthread_mutex_unlock(&entries.lock);
}

static bool
is_of_index(const Entry *e, const Index *index)
{
	return !index || (e->index && strcmp(e->index, index->name) == 0);
}

static void
add_field(Buffer *b, const char *name, const char *text)
{
	buffer_printf(b, ",\"%s\":", name);
	if (text)
		json_add_any_string(b, str_of(text));
	else
		buffer_add_text(b, "null");
}

/* The query string as {"name": ["value", ...]}, decoded */
static void
add_params(Buffer *b, Str query)
{
	Arena arena = {0};
	Param *params = arena_alloc(&arena, sizeof(Param) * (query.len + 1));
	int n = 0, written = 0;

	for (size_t at = 0; at < query.len;)
	{
		const char *end = memchr(query.s + at, '&', query.len - at);
		Str part = {query.s + at, end ? (size_t) (end - query.s) - at : query.len - at};
		const char *equals = part.len ? memchr(part.s, '=', part.len) : NULL;
		Str name = {part.s, equals ? (size_t) (equals - part.s) : part.len};
		Str value = equals ? (Str){equals + 1, part.len - name.len - 1} : STR("");

		at += part.len + 1;
		if (part.len > 0 && url_decode(&arena, name, true, &params[n].name) && url_decode(&arena, value, true, &params[n].value))
			n++;
	}
	buffer_add_text(b, ",\"params\":{");
	for (int i = 0; i < n; i++)
	{
		bool again = false;

		for (int k = 0; k < i && !again; k++)
			again = str_equal(params[k].name, params[i].name);
		if (again)
			continue;
		if (written++)
			buffer_add_char(b, ',');
		json_add_any_string(b, params[i].name);
		buffer_add_text(b, ":[");
		json_add_any_string(b, params[i].value);
		for (int k = i + 1; k < n; k++)
		{
			if (str_equal(params[k].name, params[i].name))
			{
				buffer_add_char(b, ',');
				json_add_any_string(b, params[k].value);
			}
		}
		buffer_add_char(b, ']');
	}
	buffer_add_char(b, '}');
	arena_free(&arena);
}

/* JSON as it was sent, else as a string */
static void
add_body(Buffer *b, const Entry *e)
{
	Arena arena = {0};
	JsonReader j = json_reader(e->body, &arena);

	if (e->body_bytes == 0)
		return;
	buffer_printf(b, ",\"body_bytes\":%zu", e->body_bytes);
	if (e->body.len < e->body_bytes)
		buffer_add_text(b, ",\"body_cut\":true");
	buffer_add_text(b, ",\"body\":");
	if (json_skip(&j, NULL) && json_finish(&j))
		buffer_add_str(b, e->body);
	else
		json_add_any_string(b, e->body);
	arena_free(&arena);
}

static void
write_entry(Buffer *b, const Entry *e)
{
	buffer_printf(b, "{\"number\":%llu,\"method\":\"%s\",\"path\":", (unsigned long long) e->number, e->method);
	json_add_any_string(b, e->path);
	if (e->query.len)
	{
		buffer_add_text(b, ",\"query\":");
		json_add_any_string(b, e->query);
		add_params(b, e->query);
	}
	add_body(b, e);
	add_field(b, "index", e->index);
	add_field(b, "version", e->version);
	add_field(b, "user_agent", e->user_agent);
	add_field(b, "content_type", e->content_type);
	if (e->key_hash)
		buffer_printf(b, ",\"key\":{\"accepted\":%s,\"number\":%d,\"hash\":\"%016llx\"}", e->key_number >= 0 ? "true" : "false",
					  e->key_number, (unsigned long long) e->key_hash);
	else
		buffer_add_text(b, ",\"key\":null");
	if (e->status < 0)
		buffer_add_text(b, ",\"status\":null");
	else
		buffer_printf(b, ",\"status\":%d,\"duration_ms\":%.3f", e->status, (double) e->duration_us / 1000);
	buffer_printf(b, ",\"time\":%.6f}", (double) e->wall_us / 1e6);
}

void
log_write(Buffer *b, const Index *index)
{
	bool any = false;

	buffer_add_text(b, "{\"requests\":[");
	pthread_mutex_lock(&entries.lock);
	for (size_t i = 0; i < entries.count; i++)
	{
		const Entry *e = &entries.ring[(entries.first + i) % entries.size];

		if (!is_of_index(e, index))
			continue;
		if (any)
			buffer_add_text(b, ",\n");
		any = true;
		write_entry(b, e);
	}
	pthread_mutex_unlock(&entries.lock);
	buffer_add_text(b, "]}");
}

/* How many of the logged requests each method and path had, of one index or of all. */
void
log_write_counts(Buffer *b, const Index *index)
{
	struct
	{
		Str path;
		char *method;
		uint64_t count;
	} *counts = NULL;
	size_t n = 0, total = 0;

	pthread_mutex_lock(&entries.lock);
	for (size_t i = 0; i < entries.count; i++)
	{
		Entry *e = &entries.ring[(entries.first + i) % entries.size];
		size_t k = 0;

		if (!is_of_index(e, index))
			continue;
		total++;
		while (k < n && (!str_equal(counts[k].path, e->path) || strcmp(counts[k].method, e->method) != 0))
			k++;
		if (k == n)
		{
			counts = mem_resize(counts, sizeof(*counts) * (n + 1));
			counts[n].path = e->path;
			counts[n].method = e->method;
			counts[n++].count = 0;
		}
		counts[k].count++;
	}
	buffer_printf(b, "{\"count\":%zu,\"paths\":{", total);
	for (size_t k = 0; k < n; k++)
	{
		Buffer name = {0};

		buffer_printf(&name, "%s ", counts[k].method);
		buffer_add_str(&name, counts[k].path);
		if (k > 0)
			buffer_add_char(b, ',');
		json_add_any_string(b, (Str){name.data, name.len});
		buffer_printf(b, ":%llu", (unsigned long long) counts[k].count);
		buffer_free(&name);
	}
	pthread_mutex_unlock(&entries.lock);
	free(counts);
	buffer_add_text(b, "}}");
}

void
log_clear(const Index *index)
{
	size_t kept = 0;

	pthread_mutex_lock(&entries.lock);
	for (size_t i = 0; i < entries.count; i++)
	{
		Entry *e = &entries.ring[(entries.first + i) % entries.size];

		if (is_of_index(e, index))
			clear_entry(e);
		else
		{
			Entry *to = &entries.ring[(entries.first + kept++) % entries.size];

			if (to != e)
			{
				*to = *e;
				*e = (Entry){0};
			}
		}
	}
	entries.count = kept;
	pthread_mutex_unlock(&entries.lock);
}

void
log_end_all(void)
{
	log_clear(NULL);
	free(entries.ring);
	entries.ring = NULL;
	entries.size = 0;
}
