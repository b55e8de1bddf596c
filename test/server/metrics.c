/*
 * metrics.c
 *		The service's own figures, for Prometheus: where they are
 *		(GET /prometheus/projects/ID/metrics/discovery, or discover, as the
 *		documentation and the specification have it), and what has been asked of
 *		each index (GET /projects/ID/metrics/export).
 */
#include "control.h"

#include "catalog.h"
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const operations[METRIC_OPERATIONS] = {"upsert", "query", "fetch", "update", "delete", "list"};

/* Does a path begin and end so, with a project's id between? */
static bool
is_of_project(Str path, const char *start, const char *end)
{
	size_t before = strlen(start), after = strlen(end);

	return path.len > before + after && memcmp(path.s, start, before) == 0 &&
		   memcmp(path.s + path.len - after, end, after) == 0 &&
		   !memchr(path.s + before, '/', path.len - before - after);
}

static bool
is_discovery(Str path)
{
	return is_of_project(path, "/prometheus/projects/", "/metrics/discovery") ||
		   is_of_project(path, "/prometheus/projects/", "/metrics/discover");
}

static bool
is_export(Str path)
{
	return is_of_project(path, "/projects/", "/metrics/export");
}

bool
metrics_is_path(const Request *r)
{
	return r->index == NULL && (is_discovery(r->path) || is_export(r->path));
}

const char *
metrics_key(const char *authorization)
{
	return authorization && strncmp(authorization, "Bearer ", 7) == 0 ? authorization + 7 : NULL;
}

/* ---- Counting ---- */

static int
operation_of(Str path)
{
	static const struct
	{
		const char *path;
		int operation;
	} paths[] = {
		{"/vectors/upsert", 0},
		{"/query", 1},
		{"/vectors/fetch", 2},
		{"/vectors/fetch_by_metadata", 2},
		{"/vectors/update", 3},
		{"/vectors/delete", 4},
		{"/vectors/list", 5},
	};
	static const char *const of_documents[] = {"upsert", "search", "fetch", "update", "delete", "list"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
	{
		if (str_is(path, paths[i].path))
			return paths[i].operation;
	}
	for (int i = 0; i < METRIC_OPERATIONS; i++)
	{
		size_t len = strlen(of_documents[i]);

		if (path.len > len && path.s[path.len - len - 1] == '/' && path.len > 12 && memcmp(path.s, "/namespaces/", 12) == 0 &&
			memcmp(path.s + path.len - len, of_documents[i], len) == 0)
			return i;
	}
	return -1;
}

/* What the end of a reply says that it costs */
static uint64_t
read_units_of(const Buffer *body)
{
	static const char *const names[] = {"\"readUnits\":", "\"read_units\":"};
	size_t len = body->len < 256 ? body->len : 256;

	for (size_t i = 0; len > 0 && i < sizeof(names) / sizeof(names[0]); i++)
	{
		const char *found = memmem(body->data + body->len - len, len, names[i], strlen(names[i]));

		if (found)
			return strtoull(found + strlen(names[i]), NULL, 10);
	}
	return 0;
}

void
metrics_note(const Request *r)
{
	int operation = r->index && r->reply.status < 400 ? operation_of(r->path) : -1;
	Served *served;

	if (operation < 0)
		return;
	served = &r->index->served;
	served->count[operation]++;
	served->us[operation] += (uint64_t) (now_us() - r->start_us);
	if (operation == 0 || operation == 3 || operation == 4)
		/* one for each kilobyte, five at least */
		served->write_units += r->body_bytes > 5 * 1024 ? (r->body_bytes + 1023) / 1024 : 5;
	else
		served->read_units += read_units_of(&r->reply.body);
}

/* ---- Telling ---- */

/* All indexes are in one place here, which is this server's. */
static void
discover(Request *r)
{
	Buffer *b = reply_body(r);
	Str project = {r->path.s + 21, r->path.len - 21};

	project.len = (size_t) ((const char *) memchr(project.s, '/', project.len) - project.s);
	buffer_add_text(b, "[{\"targets\":[\"");
	catalog_add_url(b, settings.port);
	buffer_printf(b, "/projects/%.*s/metrics/export\"],\"labels\":{\"project_id\":\"%.*s\"}}]", (int) project.len, project.s,
				  (int) project.len, project.s);
}

static void
add_series(Buffer *b, const char *name, const Index *index, double value)
{
	buffer_printf(b, "%s{index_name=\"%s\",cloud=\"%s\",region=\"%s\",capacity_mode=\"serverless\"} %.15g\n", name, index->name,
				  index->cloud ? index->cloud : "aws", index->region ? index->region : "us-east-1", value);
}

/* Records there are, and about how large they are */
static void
add_sizes(Buffer *b, Index *index, bool bytes)
{
	uint64_t records = 0, size = 0;

	pthread_rwlock_rdlock(&index->lock);
	for (int i = 0; i < index->nnamespaces; i++)
	{
		records += index->namespaces[i]->count;
		size += index->namespaces[i]->bytes + (uint64_t) index->namespaces[i]->count * (uint64_t) index->dimension * sizeof(float);
	}
	pthread_rwlock_unlock(&index->lock);
	add_series(b, bytes ? "pinecone_db_storage_size_bytes" : "pinecone_db_record_total", index, (double) (bytes ? size : records));
}

static void export(Request *r)
{
	Buffer *b = reply_body(r);
	Index **indexes = catalog_all();
	char name[64];

	r->reply.type = "text/plain; version=0.0.4; charset=utf-8";
	for (int bytes = 0; bytes < 2; bytes++)
	{
		buffer_printf(b, "# TYPE %s gauge\n", bytes ? "pinecone_db_storage_size_bytes" : "pinecone_db_record_total");
		for (Index **index = indexes; *index; index++)
			add_sizes(b, *index, bytes);
	}
	for (int i = 0; i < METRIC_OPERATIONS; i++)
	{
		for (int duration = 0; duration < 2; duration++)
		{
			snprintf(name, sizeof(name), "pinecone_db_op_%s_%s", operations[i], duration ? "duration_sum" : "count");
			buffer_printf(b, "# TYPE %s counter\n", name);
			for (Index **index = indexes; *index; index++)
				add_series(b, name, *index, duration ? (double) (*index)->served.us[i] / 1000 : (double) (*index)->served.count[i]);
		}
	}
	for (int writes = 0; writes < 2; writes++)
	{
		snprintf(name, sizeof(name), "pinecone_db_%s_unit_count", writes ? "write" : "read");
		buffer_printf(b, "# TYPE %s counter\n", name);
		for (Index **index = indexes; *index; index++)
			add_series(b, name, *index, (double) (writes ? (*index)->served.write_units : (*index)->served.read_units));
	}
	catalog_free_all(indexes);
}

bool
metrics_respond(Request *r)
{
	if (!metrics_is_path(r))
		return false;
	if (strcmp(r->method, "GET") != 0)
		return reply_control_error(r, 405, "METHOD_NOT_ALLOWED", "Method not allowed");
	if (is_discovery(r->path))
		discover(r);
	else
		export(r);
	return true;
}
